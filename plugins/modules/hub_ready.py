#!/usr/bin/python
# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: hub_ready
version_added: "0.1.0"
short_description: Wait until a hub is ready, and bind each WDS to its ITS
description:
  - Waits for all spaces of a hub at once, by watch. These are the ControlPlanes with their hooks and Jobs, KubeStellar's controllers of
    each WDS, and what must be inside each space. Shows one line for each condition that it waits for, again every minute.
  - What keeps the hub from getting ready ends the wait with its cause and what to do. Recognised are failed Jobs, images that cannot be
    pulled, containers that crash or cannot be started, Pods that no node takes or that are refused, volumes that are not provisioned,
    PostCreateHooks that do not exist, and Secrets without their key.
  - The failed Job of a hook is deleted once, so that KubeFlex runs it again. A KubeFlex manager that does not look at a new ControlPlane
    is restarted once. Each such repair is reported.
  - Gives the controllers of each WDS their ITS, API groups and rate limits, for which the core chart has no value, or one that breaks
    them (kubestellar#3192). Where a hook is not done yet because there are several ITSes, the hook and the variables of the
    ControlPlane are changed instead, so that KubeFlex itself makes them right.
  - KubeFlex looks every 30 seconds whether what its hooks make is ready. When it is, and KubeFlex has not seen it, the annotation
    C(kubestellar.core/nudged) of the ControlPlane is set to the time, which makes KubeFlex look at once.
author:
  - kubestellar.core contributors (@kubestellar)
extends_documentation_fragment:
  - kubestellar.core._auth
  - kubestellar.core._hub
  - kubestellar.core._hub.limits
  - kubestellar.core._attributes
  - kubestellar.core._attributes.action_group
options:
  controllers:
    description:
      - V(deployments) if the controllers run as Deployments in the hosting cluster, V(processes) if they run elsewhere.
        With V(processes) nothing is bound, and only ControlPlanes and the inside of the spaces are waited for.
    type: str
    choices: [deployments, processes]
    default: deployments
  verify:
    description:
      - What is done about a space whose API server cannot be reached from here. V(required) waits for it. V(reachable) leaves it out, and
        says so in a warning and in RV(objects[].verified). V(none) looks into no space.
    type: str
    choices: [required, reachable, none]
    default: required
  steps:
    description:
      - The steps of the hub to wait for. Each condition belongs to one of them.
      - V(kubeflex) is the KubeFlex manager; V(its) and V(wds) are the API servers of the ITSes and WDSes; V(ocm) is the hook
        C(its-hub-init) and the OCM hub in each ITS; V(status_addon) is the hook C(install-status-addon), the kind WorkStatus, and the
        ITS as a whole; V(controllers) are KubeStellar's controllers of each WDS, which are bound to their ITS in this step only, and
        what they make.
      - V(ocm), V(status_addon) and V(controllers) without a step that makes their spaces are refused if a space does not exist,
        naming the step to run first.
    type: list
    elements: str
    choices: [kubeflex, its, ocm, status_addon, wds, controllers]
    default: [kubeflex, its, ocm, status_addon, wds, controllers]
  repair:
    description:
      - Whether failed Jobs of hooks and a stuck KubeFlex manager are started again, once.
    type: bool
    default: true
  patience:
    description:
      - Seconds that a trouble that may pass by itself must last to end the wait, such as an image that cannot be pulled.
    type: int
    default: 20
  wait_timeout:
    description:
      - Seconds to wait, for all spaces together.
    type: int
    default: 600
attributes:
  check_mode:
    support: full
    details:
      - In check mode it does not wait. It forecasts the changes to the controllers that are there.
  diff_mode:
    support: full
  idempotent:
    support: full
"""

EXAMPLES = r"""
- name: Wait for a hub that the core chart has installed
  kubestellar.core.hub_ready:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    itses:
      - name: its1
      - name: its2
    wdses:
      - name: wds1
        its: its1
      - name: wds2
        its: its2
        api_groups: ["", apps]
    limits: "{{ groups['kubestellar_wecs'] | length | kubestellar.core.hub_limits }}"

- name: Wait for OCM in the ITS alone
  kubestellar.core.hub_ready:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    itses:
      - name: its1
    steps: [ocm]
"""

RETURN = r"""
objects:
  description: The spaces, ITSes first.
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
    type:
      description: Type of its ControlPlane.
      type: str
    its:
      description: The ITS of a WDS.
      type: str
    ready:
      description: Whether its ControlPlane is ready.
      type: bool
    hooks:
      description: Hook name to whether it is done.
      type: dict
    verified:
      description: Whether the inside of the space was looked at and is as it must be.
      type: bool
    reason:
      description: Why it was not looked at, empty if it was.
      type: str
    method:
      description: V(update) if it, its controllers or hooks were, or in check mode would be, changed.
      type: str
    changed:
      description: Whether RV(objects[].method) is anything but V(none).
      type: bool
repairs:
  description: What was started again, one sentence each.
  returned: always
  type: list
  elements: str
findings:
  description: What keeps the hub from getting ready, each with C(id), C(where), C(message) and C(hint).
  returned: on failure
  type: list
  elements: dict
missing:
  description: What was waited for, one line each.
  returned: on failure
  type: list
  elements: str
its_name_bug:
  description: >-
    Whether the hook for the transport controller, as it is in the cluster, has the bug kubestellar#3192; null if that cannot be said.
    While the chart has it, C(ITSName) must not be among the chart's values.
  returned: always
  type: bool
waited:
  description: Seconds waited.
  returned: always
  type: float
diff:
  description: Both sides of every changed object.
  returned: in diff mode
  type: list
  elements: dict
"""

from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._module import Context, run
from ansible_collections.kubestellar.core.plugins.module_utils.hub import ready, steps
from ansible_collections.kubestellar.core.plugins.module_utils.hub.options import LIMITS_SPEC, SPACES_SPEC

STEPS = [step for step in steps.STEPS if step != steps.HOOKS]

SPEC: dict[str, Any] = {
    **SPACES_SPEC,
    **LIMITS_SPEC,
    "controllers": {"type": "str", "choices": ["deployments", "processes"], "default": "deployments"},
    "verify": {"type": "str", "choices": ["required", "reachable", "none"], "default": "required"},
    "steps": {"type": "list", "elements": "str", "choices": list(STEPS), "default": list(STEPS)},
    "repair": {"type": "bool", "default": True},
    "patience": {"type": "int", "default": 20},
    "wait_timeout": {"type": "int", "default": 600},
}


def work(context: Context) -> dict[str, Any]:
    """Wait for the spaces."""
    params = context.params
    spaces = ready.spaces_of(params["itses"], params["wdses"])
    limits = {
        key: value
        for key in ("qps", "burst")
        if (value := (params["limits"] or {}).get(f"controller_{key}")) is not None
    }
    settings = ready.Settings(
        limits=limits,
        deployments=params["controllers"] == "deployments",
        verify=params["verify"],
        steps=params["steps"],
        repair=params["repair"],
        patience=params["patience"],
        timeout=params["wait_timeout"],
    )
    if context.planned:
        return {"changed": False, "objects": [], "repairs": [], "its_name_bug": None, "waited": 0.0}
    bring_about = ready.forecast if context.check_mode else ready.bring_about
    made = bring_about(context.hosting(), spaces, settings, context.progress)
    for entry in made.spaces:
        if entry["reason"] and settings.verify != ready.NONE:
            context.warn(f"{entry['name']} was not looked into: {entry['reason']}.")
    for name, hooks in made.outdated.items():
        context.warn(
            f"{name} still runs what another version of the chart has made (hooks {', '.join(hooks)}): run the playbook upgrade.yml."
        )
    result: dict[str, Any] = {
        "changed": made.changed,
        "objects": made.spaces,
        "repairs": made.repairs,
        "its_name_bug": made.bug,
        "waited": made.waited,
    }
    if context.diff_mode:
        result["diff"] = [outcome.diff(context.hosting().name) for outcome in made.outcomes]
    return result


def main() -> None:
    """Entry point."""
    run(SPEC, work)


if __name__ == "__main__":
    main()
