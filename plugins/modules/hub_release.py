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
  release_values:
    description:
      - The values of the chart for the whole hub, as from the filter P(kubestellar.core.hub_chart_values#filter).
    type: dict
    required: true
  steps:
    description:
      - Which steps of the hub the release is to get of O(release_values). Of all others it keeps what it has, so that no step deletes
        or changes what another one has made.
      - A step whose precondition is missing is refused, naming the step to run first.
      - What the chart lists under C(kubeflex-operator) belongs to V(kubeflex), C(ITSes) to V(its), C(WDSes) and C(argocd) to V(wds), and
        all else to V(hooks).
    type: list
    elements: str
    choices: [kubeflex, hooks, its, wds]
    default: [kubeflex, hooks, its, wds]
  done:
    description:
      - Steps that earlier tasks of this run are for. It has an effect in check mode only, where they have made nothing.
    type: list
    elements: str
    choices: [kubeflex, hooks, its, wds]
    default: []
  beside:
    description:
      - Names of the spaces of type C(external) that are made beside the release, with the annotation C(kubestellar.core/release).
      - What has this annotation and is not listed is named in RV(orphans), and in a warning unless O(allow_removal) is set.
    type: list
    elements: str
    default: []
  allow_removal:
    description:
      - Whether the upgrade may delete spaces that are not listed. A step deletes none but those of its own role.
    type: bool
    default: false
  heal:
    description:
      - Whether a pending revision of a dead helm is forgotten. Before a removal it must not be, since only it tells what there is to remove.
    type: bool
    default: true
  upgrade:
    description:
      - Whether what follows is an upgrade. It is then refused if there is no release, or if its chart is newer than that of O(chart).
    type: bool
    default: false
  chart:
    description:
      - The chart that follows, as a reference, a file or a folder, for O(upgrade).
    type: str
    default: ""
  version:
    description:
      - The version of the chart that follows. It has no effect if O(chart) is a file or a folder, which has one of its own.
    type: str
    default: ""
  allow_downgrade:
    description:
      - Whether O(upgrade) may lead to an older version.
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
    release_values:
      ITSes:
        - name: its1
          type: vcluster
      WDSes:
        - name: wds1
          type: k8s

- name: See what the release is to become by the step its alone
  kubestellar.core.hub_release:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    name: ks-core
    namespace: default
    release_values: "{{ settings | kubestellar.core.hub_chart_values }}"
    steps: [its]
"""

RETURN = r"""
release:
  description: The newest revision that stays, empty if there is none.
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
    steps:
      description: The steps of the hub that it has.
      type: list
      elements: str
release_values:
  description: The values to give to M(kubernetes.core.helm). Those that the release has already are among them.
  returned: always
  type: dict
steps:
  description: The steps that the values are for, in check mode with O(done).
  returned: always
  type: list
  elements: str
previous:
  description: >-
    The last version of the chart other than that of RV(release), or with O(upgrade) than the one that follows; empty if Helm remembers none.
  returned: always
  type: str
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
orphans:
  description: The spaces beside the release that are not listed in O(beside).
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
from ansible_collections.kubestellar.core.plugins.module_utils.hub import release, values

SPEC: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "namespace": {"type": "str", "required": True},
    "release_values": {"type": "dict", "required": True},
    "steps": {
        "type": "list",
        "elements": "str",
        "choices": list(values.RELEASE_STEPS),
        "default": list(values.RELEASE_STEPS),
    },
    "done": {"type": "list", "elements": "str", "choices": list(values.RELEASE_STEPS), "default": []},
    "beside": {"type": "list", "elements": "str", "default": []},
    "allow_removal": {"type": "bool", "default": False},
    "heal": {"type": "bool", "default": True},
    "upgrade": {"type": "bool", "default": False},
    "chart": {"type": "str", "default": ""},
    "version": {"type": "str", "default": ""},
    "allow_downgrade": {"type": "bool", "default": False},
    "stale_after": {"type": "int", "default": 900},
}


def work(context: Context) -> dict[str, Any]:
    """Check the release."""
    params = context.params
    done = params["done"] if context.check_mode else []
    want = release.Wanted(params["release_values"], params["steps"], done)
    steps = [step for step in values.RELEASE_STEPS if step in (*want.steps, *want.done)]
    if context.planned:
        return {
            "changed": False,
            "release": {},
            "release_values": values.of_steps(want.values, steps),
            "steps": steps,
            "previous": "",
            "healed": [],
            "dropped": [],
            "orphans": [],
            "context": params["context"] or "",
        }
    hosting = context.hosting()
    upgrade = None
    if params["upgrade"]:
        version = release.chart_version(params["chart"], params["version"])
        upgrade = release.Upgrade(version, params["allow_downgrade"])
    found = release.check(
        hosting,
        params["name"],
        params["namespace"],
        want,
        beside=params["beside"],
        allow_removal=params["allow_removal"],
        heal=params["heal"],
        stale_after=params["stale_after"],
        now=time.time(),
        dry_run=context.check_mode,
        upgrade=upgrade,
    )
    if found.orphans and "wds" in want.steps and not params["allow_removal"]:
        many = len(found.orphans) > 1
        context.warn(
            f"{hosting.name}: the {'spaces' if many else 'space'} {', '.join(found.orphans)} of type external "
            f"{'are' if many else 'is'} not listed any more and {'stay' if many else 'stays'}. List "
            f"{'them' if many else 'it'} in hub_wdses; if {'they are' if many else 'it is'} to go, set hub_remove_spaces."
        )
    result: dict[str, Any] = {
        "changed": bool(found.healed),
        "release": found.release.result() if found.release else {},
        "release_values": found.values,
        "steps": steps,
        "previous": found.previous,
        "healed": [outcome.name for outcome in found.healed],
        "dropped": found.dropped,
        "orphans": found.orphans,
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
