#!/usr/bin/python
# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: hub_release
version_added: "0.1.0"
short_description: See that the core chart can be upgraded as it is meant
description:
  - Looks at the Helm release of KubeStellar's core chart before M(kubernetes.core.helm) upgrades it.
  - Helm deletes what the release has and the new values do not list. An upgrade that would delete a space is refused.
  - A space that is there with another type, or that belongs to somebody else, is refused too.
  - A release that a dead helm left pending makes every later helm refuse. Its pending revision is forgotten, so that helm continues
    with what is there. That is the only thing that this module writes.
  - Reads releases that Helm keeps in Secrets, its default.
author:
  - kubestellar.core contributors (@kubestellar)
extends_documentation_fragment:
  - kubestellar.core._auth
  - kubestellar.core._attributes
  - kubestellar.core._attributes.action_group
options:
  name:
    description:
      - Name of the release.
    type: str
    required: true
  namespace:
    description:
      - Namespace of the release.
    type: str
    required: true
  spaces:
    description:
      - All spaces of the new values.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the space.
        type: str
        required: true
      type:
        description: Type of its ControlPlane. If it is left out, the type is not compared.
        type: str
  allow_removal:
    description:
      - Whether the upgrade may delete spaces that are not listed.
    type: bool
    default: false
  stale_after:
    description:
      - Seconds after which a pending revision is taken for that of a helm that is dead.
    type: int
    default: 900
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
"""

EXAMPLES = r"""
- name: See that an upgrade deletes nothing
  kubestellar.core.hub_release:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    name: ks-core
    namespace: default
    spaces:
      - name: its1
        type: vcluster
      - name: wds1
        type: k8s
"""

RETURN = r"""
release:
  description: The newest revision that is not pending, empty if there is none.
  returned: always
  type: dict
  contains:
    revision:
      description: Its number.
      type: int
    status:
      description: Its status, for example C(deployed).
      type: str
    chart:
      description: Name of the chart.
      type: str
    version:
      description: Version of the chart.
      type: str
    control_planes:
      description: The spaces that it has.
      type: list
      elements: str
healed:
  description: Names of the Secrets of pending revisions that were deleted.
  returned: always
  type: list
  elements: str
dropped:
  description: The spaces that the upgrade will delete, with O(allow_removal).
  returned: always
  type: list
  elements: str
context:
  description: The context of the kubeconfig that was used, empty without a kubeconfig.
  returned: always
  type: str
diff:
  description: Both sides of every changed object, with the values of Secrets masked.
  returned: in diff mode
  type: list
  elements: dict
"""

import time
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._module import Context, run
from ansible_collections.kubestellar.core.plugins.module_utils.hub import release

SPEC: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "namespace": {"type": "str", "required": True},
    "spaces": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {"name": {"type": "str", "required": True}, "type": {"type": "str"}},
    },
    "allow_removal": {"type": "bool", "default": False},
    "stale_after": {"type": "int", "default": 900},
}


def work(context: Context) -> dict[str, Any]:
    """Check the release."""
    params = context.params
    if context.planned:
        return {
            "changed": False,
            "release": {},
            "healed": [],
            "dropped": [],
            "context": params["context"] or "",
        }
    hosting = context.hosting()
    found = release.check(
        hosting,
        params["name"],
        params["namespace"],
        params["spaces"],
        allow_removal=params["allow_removal"],
        stale_after=params["stale_after"],
        now=time.time(),
        dry_run=context.check_mode,
    )
    result: dict[str, Any] = {
        "changed": bool(found.healed),
        "release": found.release.result() if found.release else {},
        "healed": [outcome.name for outcome in found.healed],
        "dropped": found.dropped,
        "context": hosting.context or "",
    }
    if context.diff_mode:
        result["diff"] = [outcome.diff(hosting.name) for outcome in found.healed]
    return result


def main() -> None:
    """Entry point."""
    run(SPEC, work)


if __name__ == "__main__":
    main()
