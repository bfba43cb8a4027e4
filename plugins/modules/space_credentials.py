#!/usr/bin/python
# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: space_credentials
version_added: "0.1.0"
short_description: Renew the credentials of spaces before they expire
description:
  - Finds out when the credentials in the kubeconfigs of spaces end, and renews what ends within O(renew_before).
  - The token of a space of type C(external) comes from the adopted cluster and expires; KubeFlex never renews it. While it is good, it
    is used to ask that cluster for its successor, which is seen to work and then put into the Secret. Where it has expired, or the cluster
    is not reached from here, KubeFlex adopts the cluster anew, for which the kubeconfig of an administrator must be given.
  - The token of a space of type C(host) does not expire. If the Secret of its ServiceAccount has another one, that is used.
  - The credentials of other types are KubeFlex's own. When they end is told, with a warning if that is soon.
  - The controllers of a WDS read the kubeconfigs of their spaces once. Those that have what was before the last change are restarted,
    first the controller-managers, then the transport controllers, also if an earlier run was interrupted.
  - A space that cannot be renewed does not keep the others from it; the task fails at its end.
author:
  - kubestellar.core contributors (@kubestellar)
extends_documentation_fragment:
  - kubestellar.core._auth
  - kubestellar.core._hub
  - kubestellar.core._attributes
  - kubestellar.core._attributes.action_group
options:
  bootstrap_kubeconfig:
    description:
      - See O(itses[].kubeconfig), for all spaces.
    type: path
  renew_before:
    description:
      - Seconds. What ends within this time is renewed.
    type: int
    default: 2592000
  controllers:
    description:
      - V(deployments) if the controllers run as Deployments in the hosting cluster, V(processes) if they run elsewhere and are not
        restarted here; RV(written) then says what they must be newer than.
    type: str
    choices: [deployments, processes]
    default: deployments
  bootstrap_namespace:
    description:
      - Namespace for the bootstrap Secret of a cluster that is adopted anew, if its ControlPlane names none.
    type: str
    default: kubeflex-system
  wait_timeout:
    description:
      - Seconds to wait for each of KubeFlex, the controller-managers and the transport controllers.
    type: int
    default: 300
attributes:
  check_mode:
    support: full
    details:
      - In check mode no cluster is asked for a token.
  diff_mode:
    support: full
  idempotent:
    support: partial
    details:
      - A token whose whole life is shorter than O(renew_before) is renewed by every run, with a warning.
"""

EXAMPLES = r"""
- name: Renew what ends within thirty days
  kubestellar.core.space_credentials:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    itses:
      - name: its1
    wdses:
      - name: wds1
      - name: wds2
        kubeconfig: /etc/kubestellar/wds2.kubeconfig
"""

RETURN = r"""
objects:
  description: The spaces, ITSes first. No secret is in it.
  returned: always
  type: list
  elements: dict
  contains:
    space:
      description: Name of the space.
      type: str
    type:
      description: Type of its ControlPlane.
      type: str
    namespace:
      description: Namespace of its Secret.
      type: str
    name:
      description: Name of its Secret.
      type: str
    expires:
      description: When its credentials end, empty if they do not. In check mode, when those end that are there.
      type: str
      sample: "2027-11-25T10:00:00Z"
    written:
      description: When the Secret was last changed.
      type: str
    method:
      description: V(update) if it was, or in check mode would be, renewed.
      type: str
    changed:
      description: Whether RV(objects[].method) is anything but V(none).
      type: bool
    reason:
      description: Why it was renewed, or why it was not although that is due.
      type: str
restarted:
  description: The Deployments that were, or in check mode would be, restarted, as namespace and name.
  returned: always
  type: list
  elements: str
  sample: [wds2-system/transport-controller]
written:
  description: The newest of RV(objects[].written).
  returned: always
  type: str
diff:
  description: Both sides of every changed object, with the values of Secrets masked.
  returned: in diff mode
  type: list
  elements: dict
"""

from functools import partial
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _control_plane
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput
from ansible_collections.kubestellar.core.plugins.module_utils._module import Context, run
from ansible_collections.kubestellar.core.plugins.module_utils.hub import ready, renewal
from ansible_collections.kubestellar.core.plugins.module_utils.hub.options import SPACES_SPEC

_SPACE: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "kubeconfig": {"type": "path"},
    "context": {"type": "str"},
    "type": {"type": "str"},
    "bootstrap_secret": {"type": "dict", "no_log": False},
}
SPEC: dict[str, Any] = {
    **SPACES_SPEC,
    "bootstrap_kubeconfig": {"type": "path"},
    "renew_before": {"type": "int", "default": 30 * 86400},
    "controllers": {"type": "str", "choices": ["deployments", "processes"], "default": "deployments"},
    "bootstrap_namespace": {"type": "str", "default": "kubeflex-system"},
    "wait_timeout": {"type": "int", "default": 300},
}


def work(context: Context) -> dict[str, Any]:
    """Renew what is due."""
    params = context.params
    if params["renew_before"] < 0:
        raise InvalidInput(
            f"renew_before is {params['renew_before']}.",
            hint="Give a number of seconds, 0 for what has expired.",
        )
    spaces = ready.spaces_of(params["itses"], params["wdses"])
    admins = [
        renewal.Admin(
            space["name"],
            partial(
                _control_plane.read_bootstrap,
                space["kubeconfig"] or params["bootstrap_kubeconfig"],
                None,
                space["context"],
                fallback=space["name"],
            ),
        )
        for space in [*params["itses"], *params["wdses"]]
        if space["kubeconfig"] or params["bootstrap_kubeconfig"]
    ]
    settings = renewal.Settings(
        renew_before=params["renew_before"],
        deployments=params["controllers"] == "deployments",
        bootstrap_namespace=params["bootstrap_namespace"],
        timeout=params["wait_timeout"],
        dry_run=context.check_mode,
    )
    if context.planned:
        return {"changed": False, "objects": [], "restarted": [], "written": ""}
    made = renewal.renew(context.hosting(), spaces, admins, settings, context.progress)
    for text in made.warnings:
        context.warn(text)
    result = made.details()
    if context.diff_mode:
        result["diff"] = [one.diff(context.hosting().name) for one in made.outcomes if one.changed]
    return result


def main() -> None:
    """Entry point."""
    run(SPEC, work)


if __name__ == "__main__":
    main()
