#!/usr/bin/python
# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: hub_contents
version_added: "0.1.0"
short_description: See that a hub is not in use any more
description:
  - Looks whether clusters are registered in the ITSes of a hub, and whether there are BindingPolicies in its WDSes. If so, it fails, so that
    the hub is not removed while they need it.
  - A space that cannot be looked at is not taken for empty.
  - It changes nothing.
author:
  - kubestellar.core contributors (@kubestellar)
extends_documentation_fragment:
  - kubestellar.core._auth
  - kubestellar.core._hub
  - kubestellar.core._attributes
  - kubestellar.core._attributes.action_group
options:
  verify:
    description:
      - What is done about a space whose API server cannot be reached from here. V(required) fails. V(reachable) leaves it out, with a warning.
        V(none) looks into no space.
    type: str
    choices: [required, reachable, none]
    default: required
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
"""

EXAMPLES = r"""
- name: See that nothing needs the hub any more
  kubestellar.core.hub_contents:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    itses:
      - name: its1
    wdses:
      - name: wds1
"""

RETURN = r"""
spaces:
  description: The spaces that are there, ITSes first.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the space.
      type: str
    looked_at:
      description: Whether it could be looked into. It is then empty.
      type: bool
refused:
  description: Names of the spaces that are in use, or that cannot be looked at.
  returned: on failure
  type: list
  elements: str
"""

from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._module import Context, run
from ansible_collections.kubestellar.core.plugins.module_utils.hub import contents, ready
from ansible_collections.kubestellar.core.plugins.module_utils.hub.options import SPACES_SPEC

SPEC: dict[str, Any] = {
    **SPACES_SPEC,
    "verify": {
        "type": "str",
        "choices": [ready.REQUIRED, ready.REACHABLE, ready.NONE],
        "default": ready.REQUIRED,
    },
}


def work(context: Context) -> dict[str, Any]:
    """Look into the spaces."""
    params = context.params
    spaces = [(space["name"], role) for role in ("its", "wds") for space in params[f"{role}es"]]
    if params["verify"] == ready.NONE or context.planned:
        return {"changed": False, "spaces": []}
    hosting = context.hosting()
    found = contents.look(hosting, spaces)
    contents.check(hosting, found, unknown=params["verify"] != ready.REQUIRED)
    for one in found:
        if one.trouble:
            context.warn(f"{hosting.name}: {one.clause}.")
    return {
        "changed": False,
        "spaces": [{"name": one.space, "looked_at": not one.trouble} for one in found],
    }


def main() -> None:
    """Entry point."""
    run(SPEC, work)


if __name__ == "__main__":
    main()
