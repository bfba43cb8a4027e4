#!/usr/bin/python
# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: hub_upgrade
version_added: "0.1.0"
short_description: Run the hooks of spaces again that a newer chart has changed
description:
  - An upgrade of KubeStellar's core chart changes the PostCreateHooks, and KubeFlex never runs a hook again that is done. This module
    finds the hooks of each space that would now make other objects than those that are there, and runs them again.
  - ITSes come first, one space after the other, one hook after the other. It stops at the first failure, and names the space, the hook,
    the cause and the way back. A further run goes on where it stopped.
  - Jobs and Deployments of such a hook are deleted before, since KubeFlex cannot change those. What was changed in these Deployments by
    hand is lost. M(kubestellar.core.hub_ready)'s arguments are set again.
  - The transport controller of a WDS is stopped while its controller-manager is replaced, and started when all Bindings are what they
    were before. Otherwise it would withdraw workload from WECs for as long as the new controller-manager has not seen all objects. What the
    Bindings were is kept in a ConfigMap of the hosting cluster until the upgrade of the WDS is finished.
author:
  - kubestellar.core contributors (@kubestellar)
extends_documentation_fragment:
  - kubestellar.core._auth
  - kubestellar.core._hub
  - kubestellar.core._hub.limits
  - kubestellar.core._attributes
  - kubestellar.core._attributes.action_group
options:
  manifests:
    description:
      - What C(helm template) prints for a chart. Its PostCreateHooks then count instead of those of the cluster. Only for check mode, to
        tell what an upgrade to that chart would run again.
    type: str
    default: ""
  previous:
    description:
      - The version of the chart to go back to, for the message of a failure.
    type: str
    default: ""
  verify:
    description:
      - What is done about a space whose API server cannot be reached from here. V(required) fails, before anything is changed if the
        Bindings of the space matter. V(reachable) leaves it out with a warning, and its Bindings are not compared. V(none) looks into no space.
    type: str
    choices: [required, reachable, none]
    default: required
  settle:
    description:
      - Seconds for which a new controller-manager must run, with all Bindings as they were before, until the transport controller starts.
    type: int
    default: 20
  patience:
    description:
      - Seconds that a trouble that may pass by itself must last to end the wait, such as an image that cannot be pulled.
    type: int
    default: 20
  wait_timeout:
    description:
      - Seconds to wait, for each hook.
    type: int
    default: 600
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - Shows images and arguments of what makes Pods, and the whole of other objects.
  idempotent:
    support: full
"""

EXAMPLES = r"""
- name: Run the hooks again that the new chart has changed
  kubestellar.core.hub_upgrade:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    itses:
      - name: its1
    wdses:
      - name: wds1
    limits: "{{ groups['kubestellar_wecs'] | length | kubestellar.core.hub_limits }}"
"""

RETURN = r"""
objects:
  description: The spaces that are there, ITSes first.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the space.
      type: str
    role:
      description: V(its) or V(wds).
      type: str
    hooks:
      description: The hooks that were, or in check mode would be, run again, in this order.
      type: list
      elements: dict
      contains:
        name:
          description: Name of the hook.
          type: str
        objects:
          description: What it makes otherwise than it was.
          type: list
          elements: str
        images:
          description: Images that become others, each with C(object), C(container), C(before) and C(after).
          type: list
          elements: dict
    resumed:
      description: Whether an upgrade of the space was interrupted before.
      type: bool
    method:
      description: V(update) or V(none).
      type: str
    changed:
      description: Whether RV(objects[].method) is anything but V(none).
      type: bool
repairs:
  description: Jobs that failed and were started again, one sentence each.
  returned: success
  type: list
  elements: str
waited:
  description: Seconds that it took.
  returned: success
  type: float
diff:
  description: Both sides of every object that is made otherwise.
  returned: in diff mode
  type: list
  elements: dict
"""

from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    InvalidInput,
    KubestellarError,
    plain,
)
from ansible_collections.kubestellar.core.plugins.module_utils._module import Context, run
from ansible_collections.kubestellar.core.plugins.module_utils.hub import ready, upgrade
from ansible_collections.kubestellar.core.plugins.module_utils.hub.options import LIMITS_SPEC, SPACES_SPEC

SPEC: dict[str, Any] = {
    **SPACES_SPEC,
    **LIMITS_SPEC,
    "manifests": {"type": "str", "default": ""},
    "previous": {"type": "str", "default": ""},
    "verify": {"type": "str", "choices": ["required", "reachable", "none"], "default": "required"},
    "settle": {"type": "int", "default": 20},
    "patience": {"type": "int", "default": 20},
    "wait_timeout": {"type": "int", "default": 600},
}


def work(context: Context) -> dict[str, Any]:
    """Run the hooks again."""
    params = context.params
    spaces = ready.spaces_of(params["itses"], params["wdses"])
    if params["manifests"] and not context.check_mode:
        raise InvalidInput("manifests is only for check mode: a run takes the hooks of the cluster.")
    hosting = context.hosting()
    hooks = upgrade.read_hooks(params["manifests"]) if params["manifests"] else None
    plans = upgrade.plan(hosting, spaces, hooks)
    for sentence in (text for one in plans for text in one.unknown):
        context.warn(sentence)
    result: dict[str, Any] = {
        "changed": any(one.pending for one in plans),
        "objects": [one.result() for one in plans],
        "repairs": [],
        "waited": 0.0,
    }
    if context.diff_mode:
        result["diff"] = [entry for one in plans for entry in one.diff(hosting.name)]
    for sentence in upgrade.check(hosting, plans, params["verify"]):
        context.warn(sentence)
    if context.check_mode or not result["changed"]:
        return result
    try:
        done = upgrade.bring_about(hosting, plans, _settings(params), context.progress)
    except KubestellarError as error:
        error.details["objects"] = result["objects"]
        raise
    return {**result, "repairs": done.repairs, "waited": done.waited}


def _settings(params: dict[str, Any]) -> upgrade.Settings:
    limits = {
        key: value
        for key in ("qps", "burst")
        if (value := (params["limits"] or {}).get(f"controller_{key}")) is not None
    }
    version = plain(params["previous"], 40)
    back = f"hub_chart_version back to {version}" if version else "the versions back to those before"
    return upgrade.Settings(
        waits=ready.Settings(
            limits=limits,
            deployments=True,
            verify=params["verify"],
            repair=True,
            patience=params["patience"],
            timeout=params["wait_timeout"],
        ),
        settle=params["settle"],
        way_back=f"The way back: set {back} and hub_allow_downgrade to true, and run it again.",
    )


def main() -> None:
    """Entry point."""
    run(SPEC, work)


if __name__ == "__main__":
    main()
