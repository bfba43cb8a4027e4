#!/usr/bin/python
# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: hub_preflight
version_added: "0.1.0"
short_description: Check what a hosting cluster must have before a hub is put on it
description:
  - Looks at the versions of Kubernetes and helm, the rights of the credentials, storage, Ingress and names, the room on the nodes, and at
    what an earlier hub may have left behind, and tells everything that is lacking at once.
  - It only reads. Rights are asked for by SelfSubjectAccessReviews, which are sent as dry runs.
  - What only a new space needs is not looked at for spaces that are there already. So a run on a hub that is there takes few requests.
  - Whether WECs reach the addresses of the spaces cannot be seen from where Ansible runs. What is told of addresses is how they look there.
author:
  - kubestellar.core contributors (@kubestellar)
extends_documentation_fragment:
  - kubestellar.core._auth
  - kubestellar.core._hub
  - kubestellar.core._attributes
  - kubestellar.core._attributes.action_group
options:
  kubeflex:
    description:
      - How KubeFlex is installed, as the variable C(hub_kubeflex) of the role C(hub).
    type: dict
    default: {}
    suboptions:
      install:
        description: Whether KubeFlex is installed with the hub, true if it is left out.
        type: bool
      postgresql:
        description: Whether KubeFlex installs PostgreSQL, true if it is left out.
        type: bool
      openshift:
        description: Whether the hosting cluster is an OpenShift cluster.
        type: bool
      domain:
        description: DNS domain under which the spaces are reached from outside, C(localtest.me) if it is left out.
        type: str
      external_port:
        description: Port at which they are reached there, 9443 if it is left out.
        type: int
      host_container:
        description: Name of the container that runs the hosting cluster, for clusters of kind and k3d.
        type: str
  hooks:
    description:
      - Whether the PostCreateHooks are installed with the hub.
    type: bool
    default: true
  chart_values:
    description:
      - Values of the core chart that are merged over those made from the other options.
    type: dict
    default: {}
  release:
    description:
      - Name of the Helm release.
    type: str
    default: ks-core
  namespace:
    description:
      - Namespace of the Helm release.
    type: str
    default: default
  helm:
    description:
      - Path of the program helm. The first one on the PATH if it is left out.
    type: str
  skip:
    description:
      - Ids of checks that are left out, because you know better, for example V(pod-unschedulable) where nodes are added as they are needed.
    type: list
    elements: str
    default: []
  fail_on:
    description:
      - What makes the module fail.
    type: str
    choices: [error, warning, never]
    default: error
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
"""

EXAMPLES = r"""
- name: Check what a hub with two spaces needs
  kubestellar.core.hub_preflight:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    itses:
      - name: its1
    wdses:
      - name: wds1
        its: its1
    kubeflex:
      domain: hub.example.com
      external_port: 443
    skip: [pod-unschedulable]
"""

RETURN = r"""
checks:
  description: >-
    One entry for each finding, the worst first, and one for each check without a finding. Checks of which nothing could be read, or that
    have nothing to look at, are among them as V(skipped).
  returned: always, also on failure
  type: list
  elements: dict
  contains:
    id:
      description: Name of the check, which stays the same, such as V(volume-missing). V(not-read) and V(hub-unreachable) cannot be left out.
      type: str
    state:
      description: V(error) for what a hub cannot be set up with, V(warning) for what it perhaps cannot be used with, V(ok) or V(skipped).
      type: str
    message:
      description: Cluster, object and what is the matter with it; else what was seen, or why nothing was looked at.
      type: str
    hint:
      description: What to try. Empty where nothing was found.
      type: str
  sample:
    - id: volume-missing
      state: error
      message: >-
        hub: PersistentVolumeClaim kubeflex-system/data-postgres-postgresql-0: It gets no volume: it names no StorageClass, and there is none.
      hint: Install a storage provisioner and mark one StorageClass as default, or name one in the chart's values.
summary:
  description: How many entries there are of each state.
  returned: always, also on failure
  type: dict
  sample: {"error": 1, "warning": 0, "ok": 20, "skipped": 5}
table:
  description: The numbers and all findings as text, at most 120 columns wide, one element for each line.
  returned: always, also on failure
  type: list
  elements: str
"""

from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _control_plane
from ansible_collections.kubestellar.core.plugins.module_utils._module import Context, run
from ansible_collections.kubestellar.core.plugins.module_utils.hub import preflight, prerequisites, survey
from ansible_collections.kubestellar.core.plugins.module_utils.hub.options import SPACES_SPEC

_TEXT: dict[str, Any] = {"type": "str"}
_NAME: dict[str, Any] = {"type": "str", "required": True}

SPEC: dict[str, Any] = {
    **SPACES_SPEC,
    "kubeflex": {
        "type": "dict",
        "default": {},
        "options": {
            "install": {"type": "bool"},
            "postgresql": {"type": "bool"},
            "openshift": {"type": "bool"},
            "domain": _TEXT,
            "external_port": {"type": "int"},
            "host_container": _TEXT,
        },
    },
    "hooks": {"type": "bool", "default": True},
    "chart_values": {"type": "dict", "default": {}},
    "release": {"type": "str", "default": "ks-core"},
    "namespace": {"type": "str", "default": "default"},
    "helm": _TEXT,
    "skip": {"type": "list", "elements": "str", "default": []},
    "fail_on": {"type": "str", "choices": list(preflight.FAIL_ON), "default": "error"},
}


def work(context: Context) -> dict[str, Any]:
    """Read, judge, tell."""
    params = context.params
    checks = preflight.chosen(params["skip"])
    settings = {key: params[key] for key in ("itses", "wdses", "kubeflex", "hooks")}
    wish = prerequisites.wanted(settings, params["chart_values"], params["release"], params["namespace"])
    _control_plane.check_names([space.name for space in wish.spaces])
    if context.planned:
        outcome = preflight.forecast(params["context"] or "hosting cluster")
    else:
        outcome = preflight.judge(
            survey.survey(context.hosting(), wish, checks, params["helm"] or ""), checks
        )
    outcome.fail(params["fail_on"])
    return {"changed": False, **outcome.result()}


def main() -> None:
    """Entry point."""
    run(SPEC, work)


if __name__ == "__main__":
    main()
