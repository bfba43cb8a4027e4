#!/usr/bin/python
# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: local_cluster
version_added: "0.1.0"
short_description: Run a cluster of kind or k3d
description:
  - Makes a cluster in containers of this machine by C(kind) or C(k3d), starts it if it is stopped, or deletes it.
  - The kubeconfig of the user is neither read nor changed. The one of the cluster is a file of its own, O(kubeconfig).
  - A cluster is ours if that file is there. One of the same name that somebody else has made is neither used nor deleted.
  - What cannot be added to a cluster that is there, such as O(port), is said with the remedy. No cluster is made anew for it.
    Only one that an interrupted run has left half-made is.
  - The API server listens on 127.0.0.1.
author:
  - kubestellar.core contributors (@kubestellar)
extends_documentation_fragment:
  - kubestellar.core._attributes
options:
  tool:
    description:
      - What makes the cluster. KubeStellar asks for kind 0.20 or k3d 5.7.4, or newer.
    type: str
    choices: [kind, k3d]
    required: true
  name:
    description:
      - Name of the cluster. Its context is C(kind-) or C(k3d-) with this name.
    type: str
    required: true
  state:
    description:
      - Whether the cluster is there and runs, or is gone with O(kubeconfig).
    type: str
    choices: [present, absent]
    default: present
  kubeconfig:
    description:
      - File for the kubeconfig of this cluster and of no other, readable by its owner only.
    type: path
    required: true
  port:
    description:
      - Port of this machine that leads to port 443 of the cluster, where the Ingress controller of a hub is. None if it is left out.
      - With a port, kind labels the node that has it C(ingress-ready=true), and k3d leaves out its own Ingress controller, Traefik.
    type: int
  address:
    description:
      - Address of this machine that O(port) is bound to.
    type: str
    default: 127.0.0.1
  image:
    description:
      - Image of the nodes, by default that of the tool. It counts only when the cluster is made.
    type: str
  nodes:
    description:
      - Number of nodes. It counts only when the cluster is made.
    type: int
    default: 1
  network:
    description:
      - Container network to put the cluster into, for O(tool=k3d), so that it reaches the clusters that are there. One of its own
        if it is left out. Clusters of kind are all in one network.
    type: str
  program:
    description:
      - Path of C(kind) or C(k3d), by default the first one on the PATH.
    type: path
  engine:
    description:
      - Container engine for O(tool=kind). By default what E(KIND_EXPERIMENTAL_PROVIDER) says, else the one that kind would take.
    type: str
    choices: [docker, podman, nerdctl]
  wait_timeout:
    description:
      - Seconds for making or starting the cluster, after its images are there.
    type: int
    default: 600
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
"""

EXAMPLES = r"""
- name: Run a cluster for a hub
  kubestellar.core.local_cluster:
    tool: kind
    name: hub
    kubeconfig: /var/lib/kubestellar/hub.kubeconfig
    port: 9443

- name: Delete it
  kubestellar.core.local_cluster:
    tool: kind
    name: hub
    kubeconfig: /var/lib/kubestellar/hub.kubeconfig
    state: absent
"""

RETURN = r"""
method:
  description: C(none), C(create), C(update) when it was started or its kubeconfig written, or C(delete).
  returned: always
  type: str
reason:
  description: Why it was not C(none).
  returned: always
  type: str
kubeconfig:
  description: Path of its kubeconfig.
  returned: always
  type: str
context:
  description: Its context there.
  returned: always
  type: str
server:
  description: URL of its API server, empty in check mode and for O(state=absent).
  returned: always
  type: str
host_container:
  description: Name of the container that runs its API server, which KubeFlex wants to know as C(hostContainer).
  returned: always
  type: str
"""

import os
from pathlib import Path
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._module import Context, run
from ansible_collections.kubestellar.core.plugins.module_utils.local import clusters, tools

SPEC: dict[str, Any] = {
    "tool": {"type": "str", "choices": list(tools.TOOLS), "required": True},
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "kubeconfig": {"type": "path", "required": True},
    "port": {"type": "int"},
    "address": {"type": "str", "default": tools.LOOPBACK},
    "image": {"type": "str"},
    "nodes": {"type": "int", "default": 1},
    "network": {"type": "str"},
    "program": {"type": "path"},
    "engine": {"type": "str", "choices": list(tools.ENGINES)},
    "wait_timeout": {"type": "int", "default": 600},
}


def work(context: Context) -> dict[str, Any]:
    """Bring the cluster about, or delete it."""
    params = context.params
    wanted = tools.Wanted(
        params["tool"],
        params["name"],
        port=params["port"],
        address=params["address"],
        image=params["image"] or "",
        nodes=params["nodes"],
        network=params["network"] or "",
    )
    settings = clusters.Settings(
        kubeconfig=Path(os.path.abspath(params["kubeconfig"])),
        program=params["program"] or "",
        engine=params["engine"] or "",
        timeout=params["wait_timeout"],
        dry_run=context.check_mode,
        environ=os.environ,
    )
    local = clusters.Local(wanted, settings, context.progress)
    made = local.present() if params["state"] == "present" else local.absent()
    return {
        "changed": made.changed,
        "method": made.decision.method,
        "reason": made.decision.reason,
        "kubeconfig": str(settings.kubeconfig),
        "context": wanted.context,
        "server": made.server,
        "host_container": tools.host_container(wanted.tool, wanted.name),
    }


def main() -> None:
    """Entry point."""
    run(SPEC, work, connection=False)


if __name__ == "__main__":
    main()
