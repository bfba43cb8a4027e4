#!/usr/bin/python
# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: control_plane_info
version_added: "0.1.0"
short_description: Read the spaces of a hub
description:
  - Reads the ControlPlanes (ITSes, WDSes and others) of a hosting cluster, with their readiness, hooks and address.
author:
  - kubestellar.core contributors (@kubestellar)
extends_documentation_fragment:
  - kubestellar.core._auth
  - kubestellar.core._attributes
  - kubestellar.core._attributes.action_group
options:
  names:
    description:
      - Names of the spaces to read. All if it is left out. A name that does not exist is not in the result.
    type: list
    elements: str
  role:
    description:
      - Only spaces with this role.
    type: str
    choices: [its, wds]
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
"""

EXAMPLES = r"""
- name: Read the ITSes of the hub
  kubestellar.core.control_plane_info:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    role: its
  register: spaces
"""

RETURN = r"""
control_planes:
  description: The spaces, by name. Empty in check mode while the hosting cluster does not exist.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the space.
      type: str
    role:
      description: What it is for, C(its) or C(wds); empty if it does not say.
      type: str
    type:
      description: Type of the ControlPlane.
      type: str
    ready:
      description: Whether it is ready.
      type: bool
    hooks:
      description: Hook name to whether it is done.
      type: dict
    conditions:
      description: Its conditions, each with C(type), C(status), C(reason) and C(message).
      type: list
      elements: dict
    secret_ref:
      description: The Secret with its kubeconfig (C(namespace), C(name), C(key), C(in_cluster_key)), empty until there is one.
      type: dict
    server:
      description: URL of its API server, empty while it has no kubeconfig.
      type: str
"""

from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _control_plane
from ansible_collections.kubestellar.core.plugins.module_utils._module import Context, run

SPEC: dict[str, Any] = {
    "names": {"type": "list", "elements": "str"},
    "role": {"type": "str", "choices": list(_control_plane.ROLES)},
}


def work(context: Context) -> dict[str, Any]:
    """Read the spaces."""
    params = context.params
    if context.planned:
        return {"changed": False, "control_planes": []}
    return {
        "changed": False,
        "control_planes": _control_plane.read_info(context.hosting(), params["names"], params["role"]),
    }


def main() -> None:
    """Entry point."""
    run(SPEC, work)


if __name__ == "__main__":
    main()
