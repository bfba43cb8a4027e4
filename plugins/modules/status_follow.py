#!/usr/bin/python
# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: status_follow
version_added: "0.1.0"
short_description: Show in the terminal what changes in a hub, while it changes
description:
  - Reads a hub as M(kubestellar.core.workload_info) does, and follows it by watches. Each change of a placement, a cluster or a policy is
    a line in the output of the playbook, with time and reason. Objects that change alike are one line.
  - It ends when everything is healthy, or when O(duration) is over, which is no failure. Nothing is changed in any cluster.
  - To let a play wait until a workload is healthy, and fail if it is not, use O(kubestellar.core.binding_policy#module:wait).
author:
  - kubestellar.core contributors (@kubestellar)
extends_documentation_fragment:
  - kubestellar.core._auth
  - kubestellar.core._auth.wds
  - kubestellar.core._auth.its
  - kubestellar.core._status
  - kubestellar.core._attributes
  - kubestellar.core._attributes.action_group
options:
  duration:
    description:
      - The longest time to follow, in seconds, at least 1 and at most 86400.
    type: int
    default: 300
  until:
    description:
      - V(healthy) ends as soon as something is placed and all of it is healthy in its present version, V(duration) only when the time is over.
    type: str
    choices: [healthy, duration]
    default: healthy
attributes:
  check_mode:
    support: full
    details: It changes nothing in any mode.
  diff_mode:
    support: N/A
    details: It changes nothing.
  idempotent:
    support: N/A
    details: It changes nothing.
notes:
  - Lines are shown while it runs if it runs on the controller in the foreground. They are in RV(changes) in any case.
seealso:
  - module: kubestellar.core.workload_info
  - module: kubestellar.core.binding_policy
"""

EXAMPLES = r"""
- name: Watch a roll-out for ten minutes at most
  kubestellar.core.status_follow:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    wds: wds1
    its: its1
    name: shop
    duration: 600
"""

RETURN = r"""
healthy:
  description: Whether something is placed and all of it was healthy in the end.
  returned: always
  type: bool
followed:
  description: For how many seconds it was followed.
  returned: always
  type: float
changes:
  description: What has changed meanwhile, one line each, at most 500.
  returned: always
  type: list
  elements: str
  sample: ["Deployment shop/till in cluster1: progressing → healthy"]
summary:
  description: Numbers of clusters, objects and placements (objects × clusters) in the end, and of placements by health.
  returned: always
  type: dict
  sample: {"clusters": 2, "objects": 6, "placements": 12, "healthy": 12, "progressing": 0, "failed": 0, "stale": 0, "removing": 0}
"""

from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput
from ansible_collections.kubestellar.core.plugins.module_utils._module import Context, run
from ansible_collections.kubestellar.core.plugins.module_utils.status import follow, model, read
from ansible_collections.kubestellar.core.plugins.module_utils.status.model import View

SPEC: dict[str, Any] = {
    **read.QUESTION_SPEC,
    "duration": {"type": "int", "default": 300},
    "until": {"type": "str", "choices": list(follow.UNTIL), "default": "healthy"},
}

_LONGEST = 86400


def work(context: Context) -> dict[str, Any]:
    """Follow, and say what it has come to."""
    duration = context.params["duration"]
    if not 1 <= duration <= _LONGEST:
        raise InvalidInput(
            f"duration is {duration}, which is not from 1 to {_LONGEST}.", hint="It is in seconds."
        )
    if context.planned:
        return _result(follow.Followed(View(planned=True), False, 0.0))
    return _result(
        follow.follow(
            read.sources(context),
            read.question(context.params),
            context.progress,
            duration=duration,
            until=context.params["until"],
        )
    )


def _result(followed: follow.Followed) -> dict[str, Any]:
    return {
        "changed": False,
        "healthy": followed.healthy,
        "followed": round(followed.seconds, 1),
        "changes": followed.changes,
        "summary": model.summary(followed.view),
    }


def main() -> None:
    """Entry point."""
    run(SPEC, work, **read.MODULE_ARGUMENTS)


if __name__ == "__main__":
    main()
