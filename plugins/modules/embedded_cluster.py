#!/usr/bin/python
# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: embedded_cluster
version_added: "0.1.0"
short_description: Run the clusters of an embedded stack
description:
  - Runs clusters on this machine without containers, each a real etcd, API server and controller manager that kwokctl starts.
    Only the nodes of WECs, and what would run on them, are simulated.
  - Healthy clusters are left alone; dead components are started, half-made clusters are made anew, and clusters that run other
    binaries are restarted with the wanted ones. All listeners are on 127.0.0.1.
  - Writes a kubeconfig for all clusters of the stack, in its own folder. The kubeconfig of the user is never touched.
author:
  - kubestellar.core contributors (@kubestellar)
extends_documentation_fragment:
  - kubestellar.core._embedded
  - kubestellar.core._attributes
options:
  binaries:
    description:
      - Folder with the programs, as returned by M(kubestellar.core.embedded_build). Needed for O(state=present).
    type: path
  state:
    description:
      - Whether the clusters run. V(absent) stops WECs and deletes what is in them. The clusters of a hub are deleted with the whole stack only.
    type: str
    choices: [present, absent]
    default: present
  clusters:
    description:
      - The clusters that must run, or must not be there. Others of the stack are not touched.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - Name of the cluster, and of its context in the kubeconfig.
        type: str
        required: true
      role:
        description:
          - What it is for. V(its) and V(wds) run only the controllers that KubeFlex runs in a space, V(wec) has a scheduler and nodes.
        type: str
        choices: [hosting, its, wds, wec]
        required: true
      nodes:
        description:
          - Number of simulated nodes, for O(clusters[].role=wec), and for O(clusters[].role=hosting) if a hub's Pods are to run there.
        type: int
        default: 0
      manifests:
        description:
          - Files with objects, or folders of such files, that the cluster must hold.
        type: list
        elements: path
        default: []
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
"""

EXAMPLES = r"""
- name: Run a cluster for workload
  kubestellar.core.embedded_cluster:
    stack: kubestellar
    binaries: "{{ programs.bin }}"
    clusters:
      - name: cluster1
        role: wec
        nodes: 1
"""

RETURN = r"""
objects:
  description: One entry per cluster.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the cluster.
      type: str
    method:
      description: C(none), C(create), C(delete), or C(update) when it was started, repaired or given other objects.
      type: str
    reason:
      description: Why it was not C(none).
      type: str
    server:
      description: URL of its API server.
      type: str
kubeconfig:
  description: Path of the kubeconfig of all clusters.
  returned: always
  type: str
"""

from pathlib import Path
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._module import Context, run
from ansible_collections.kubestellar.core.plugins.module_utils.embedded import clusters, kwok
from ansible_collections.kubestellar.core.plugins.module_utils.embedded.home import STACK_SPEC, Stack

SPEC: dict[str, Any] = {
    **STACK_SPEC,
    "binaries": {"type": "path"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "clusters": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "role": {"type": "str", "choices": list(kwok.ROLES), "required": True},
            "nodes": {"type": "int", "default": 0},
            "manifests": {"type": "list", "elements": "path", "default": []},
        },
    },
}


def work(context: Context) -> dict[str, Any]:
    """Bring the clusters up, or delete them."""
    params = context.params
    stack = Stack.of(params["home"], params["stack"])
    wanted = [kwok.Wanted(entry["name"], entry["role"], entry["nodes"]) for entry in params["clusters"]]
    if params["state"] == "absent":
        results = clusters.absent(
            stack, [one.name for one in wanted], context.progress, check_mode=context.check_mode
        )
    else:
        results = clusters.bring_up(
            stack,
            wanted,
            {entry["name"]: entry["manifests"] for entry in params["clusters"]},
            Path(params["binaries"]),
            context.progress,
            check_mode=context.check_mode,
        )
    return {
        "changed": any(result.changed for result in results),
        "objects": [result.result() for result in results],
        "kubeconfig": str(stack.kubeconfig),
    }


def main() -> None:
    """Entry point."""
    run(SPEC, work, connection=False, required_if=[("state", "present", ["binaries"])])


if __name__ == "__main__":
    main()
