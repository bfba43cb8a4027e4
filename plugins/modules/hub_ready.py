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
author:
  - kubestellar.core contributors (@kubestellar)
extends_documentation_fragment:
  - kubestellar.core._auth
  - kubestellar.core._attributes
  - kubestellar.core._attributes.action_group
options:
  itses:
    description:
      - The ITSes.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the space.
        type: str
        required: true
      type:
        description: Type of its ControlPlane. It is accepted so that a list from the inventory can be given as it is.
        type: str
      install_ocm:
        description: Whether the hook of the ITS installs OCM. If not, OCM's own Deployment is not waited for.
        type: bool
        default: true
      bootstrap_secret:
        description: As O(itses[].type), it has no effect here.
        type: dict
      kubeconfig:
        description: As O(itses[].type), it has no effect here.
        type: path
      context:
        description: As O(itses[].type), it has no effect here.
        type: str
  wdses:
    description:
      - The WDSes.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the space.
        type: str
        required: true
      type:
        description: As O(itses[].type), it has no effect here.
        type: str
      kubeconfig:
        description: As O(itses[].type), it has no effect here.
        type: path
      context:
        description: As O(itses[].type), it has no effect here.
        type: str
      bootstrap_secret:
        description: As O(itses[].type), it has no effect here.
        type: dict
      token_expiration_seconds:
        description: As O(itses[].type), it has no effect here.
        type: int
      its:
        description: The ITS that it delivers through. Required if there are several.
        type: str
      api_groups:
        description: API groups whose objects can be placed, the empty name for the core group. All if it is left out.
        type: list
        elements: str
  limits:
    description:
      - Client rate limits of the controllers of each WDS, as from the filter P(kubestellar.core.hub_limits#filter). What is left out stays as it is.
    type: dict
    default: {}
    suboptions:
      controller_qps:
        description: Requests a second to each API server.
        type: int
      controller_burst:
        description: Burst that goes with it.
        type: int
      agent_qps:
        description: It is for the agents of WECs, and has no effect here.
        type: int
      agent_burst:
        description: It is for the agents of WECs, and has no effect here.
        type: int
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
      description: V(update) if its controllers or hooks were, or in check mode would be, changed.
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
from ansible_collections.kubestellar.core.plugins.module_utils.hub import ready

SPEC: dict[str, Any] = {
    "itses": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "type": {"type": "str"},
            "install_ocm": {"type": "bool", "default": True},
            "bootstrap_secret": {"type": "dict", "no_log": False},
            "kubeconfig": {"type": "path"},
            "context": {"type": "str"},
        },
    },
    "wdses": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "type": {"type": "str"},
            "kubeconfig": {"type": "path"},
            "context": {"type": "str"},
            "bootstrap_secret": {"type": "dict", "no_log": False},
            "token_expiration_seconds": {"type": "int", "no_log": False},
            "its": {"type": "str"},
            "api_groups": {"type": "list", "elements": "str"},
        },
    },
    "limits": {
        "type": "dict",
        "default": {},
        "options": {
            key: {"type": "int"} for key in ("controller_qps", "controller_burst", "agent_qps", "agent_burst")
        },
    },
    "controllers": {"type": "str", "choices": ["deployments", "processes"], "default": "deployments"},
    "verify": {"type": "str", "choices": ["required", "reachable", "none"], "default": "required"},
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
