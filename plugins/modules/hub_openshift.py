#!/usr/bin/python
# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: hub_openshift
version_added: "0.1.0"
short_description: See that a hub can run on an OpenShift cluster
description:
  - Looks whether the cluster serves the API groups of OpenShift that a hub needs. A cluster that does not is refused.
  - A WDS of type C(host) that names no API groups is refused, since its controller would watch hundreds of kinds.
  - An ITS of type C(vcluster) is warned about, since it is kept from running on many OpenShift clusters.
  - It changes nothing.
author:
  - kubestellar.core contributors (@kubestellar)
extends_documentation_fragment:
  - kubestellar.core._auth
  - kubestellar.core._attributes
  - kubestellar.core._attributes.action_group
options:
  itses:
    description:
      - The ITSes of the hub.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the space.
        type: str
        required: true
      type:
        description: Type of its ControlPlane.
        type: str
      install_ocm:
        description: Has no effect here.
        type: bool
      bootstrap_secret:
        description: Has no effect here.
        type: dict
  wdses:
    description:
      - The WDSes of the hub.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the space.
        type: str
        required: true
      type:
        description: Type of its ControlPlane.
        type: str
      its:
        description: Has no effect here.
        type: str
      api_groups:
        description: API groups whose objects can be placed.
        type: list
        elements: str
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
"""

EXAMPLES = r"""
- name: See that the cluster is an OpenShift
  kubestellar.core.hub_openshift:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    itses:
      - name: its1
        type: host
"""

RETURN = r"""
version:
  description: Version of OpenShift, empty if it may not be read.
  returned: always
  type: str
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput
from ansible_collections.kubestellar.core.plugins.module_utils._module import Context, run
from ansible_collections.kubestellar.core.plugins.module_utils.hub import openshift

_SPACE: dict[str, Any] = {"name": {"type": "str", "required": True}, "type": {"type": "str"}}
SPEC: dict[str, Any] = {
    "itses": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            **_SPACE,
            "install_ocm": {"type": "bool"},
            "bootstrap_secret": {"type": "dict", "no_log": False},
        },
    },
    "wdses": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {**_SPACE, "its": {"type": "str"}, "api_groups": {"type": "list", "elements": "str"}},
    },
}


def work(context: Context) -> dict[str, Any]:
    """Look at the cluster."""
    itses: Sequence[Mapping[str, Any]] = context.params["itses"]
    for message, hint in openshift.problems(context.params["wdses"]):
        raise InvalidInput(message, hint=hint)
    version = "" if context.planned else openshift.check(context.hosting())
    for text in openshift.warnings(itses):
        context.warn(text)
    return {"changed": False, "version": version}


def main() -> None:
    """Entry point."""
    run(SPEC, work)


if __name__ == "__main__":
    main()
