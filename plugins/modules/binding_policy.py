#!/usr/bin/python
# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: binding_policy
version_added: "0.1.0"
short_description: Manage a BindingPolicy, which says what is delivered to which clusters
description:
  - Creates, changes or deletes one BindingPolicy in a Workload Description Space (WDS), by server-side apply.
    Labels, annotations, finalizers and fields of others stay.
  - Checks the policy before it is sent, since KubeStellar's API accepts selectors that it cannot evaluate, and one such
    policy stops others from being evaluated.
  - Waits until the placement is resolved, delivered, or healthy in every selected cluster.
author:
  - kubestellar.core contributors (@kubestellar)
extends_documentation_fragment:
  - kubestellar.core._auth
  - kubestellar.core._auth.wds
  - kubestellar.core._auth.its
  - kubestellar.core._attributes
  - kubestellar.core._attributes.action_group
options:
  name:
    description:
      - Name of the policy, at most 63 characters. It may be left out if O(definition) has it.
    type: str
  state:
    description:
      - V(present) applies the policy as given; a field that is left out is removed if this module set it before.
      - V(absent) deletes it. What it delivered is then removed from the clusters.
    type: str
    choices: [present, absent]
    default: present
  cluster_selectors:
    description:
      - Which clusters, as label selectors for the ManagedClusters of the ITS. A cluster that matches any of them is selected.
        An empty selector V({}) selects all; an empty list selects none.
    type: list
    elements: dict
    suboptions: &selector
      match_labels:
        description: Labels with these values must be there.
        type: dict
      match_expressions:
        description: Further requirements, all of which must hold.
        type: list
        elements: dict
        suboptions:
          key:
            description: Key of the label.
            type: str
            required: true
          operator:
            description: How the label is judged. V(NotIn) also holds where there is no such label.
            type: str
            choices: [In, NotIn, Exists, DoesNotExist]
            required: true
          values:
            description: The values for V(In) and V(NotIn).
            type: list
            elements: str
  downsync:
    description:
      - Which objects, as clauses. An object that matches any clause is selected. In a clause, everything given must hold.
    type: list
    elements: dict
    suboptions:
      api_group:
        description: The API group; V("") is the core group. All groups if left out.
        type: str
      resources:
        description: Lower-case plural names, such as V(deployments), or V(*) for any.
        type: list
        elements: str
      namespaces:
        description: Namespaces by name, or V(*) for any. If left out, cluster-scoped objects match too.
        type: list
        elements: str
      namespace_selectors:
        description: Namespaces by label. An empty selector V({}) holds for cluster-scoped objects too.
        type: list
        elements: dict
        suboptions: *selector
      object_names:
        description: Names of objects, or V(*) for any.
        type: list
        elements: str
      object_selectors:
        description: Objects by label. One of the selectors must match.
        type: list
        elements: dict
        suboptions: *selector
      create_only:
        description: Whether the objects are created in the clusters and then never updated.
        type: bool
      status_collectors:
        description: Names of StatusCollectors to evaluate for the objects.
        type: list
        elements: str
      want_singleton_reported_state:
        description: Whether the status of the objects is copied back to the WDS. Exactly one cluster must be selected.
        type: bool
      want_multi_wec_reported_state:
        description: Whether the status of Deployments, ReplicaSets and DaemonSets is aggregated in the WDS over several clusters.
        type: bool
  definition:
    description:
      - The whole BindingPolicy as a manifest, instead of O(cluster_selectors) and O(downsync).
    type: dict
  labels:
    description:
      - Labels of the policy itself. Labels of others stay.
    type: dict
  annotations:
    description:
      - Annotations of the policy itself. Annotations of others stay.
    type: dict
  force_conflicts:
    description:
      - Whether fields that another field manager owns are taken over. If not, the module fails and names owner and fields.
    type: bool
    default: false
  wait:
    description:
      - What to wait for. All but V(none) need the ITS, O(its) or O(its_kubeconfig).
      - V(bound) - the Binding shows what the policy selects now, in clusters and objects, each in its present version.
      - V(applied) - and every object is applied in every selected cluster.
      - V(healthy) - and does there what it is for, judged by kind from the returned status of the new generation. A policy
        that selects no cluster or no object is not healthy but an error.
      - If it is left out, O(state=present) waits for nothing. O(state=absent) then waits, if the ITS is given, until
        nothing is left in the clusters, and so it does for every value but V(none).
    type: str
    choices: [none, bound, applied, healthy]
  wait_timeout:
    description:
      - Seconds to wait.
    type: int
    default: 300
attributes:
  check_mode:
    support: full
    details: Asks the API server by dry run. There is nothing to wait for then.
  diff_mode:
    support: full
  idempotent:
    support: full
notes:
  - With O(wds_kubeconfig), give O(wds) too if the context is not named like the WDS. ManifestWorks carry its name.
seealso:
  - module: kubestellar.core.workload
  - module: kubestellar.core.workload_info
"""

EXAMPLES = r"""
- name: Deliver the shop to the edge and wait until it runs there
  kubestellar.core.binding_policy:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    wds: wds1
    its: its1
    name: shop
    cluster_selectors:
      - match_labels:
          location-group: edge
    downsync:
      - object_selectors:
          - match_labels:
              kubestellar.core/workload: shop
    wait: healthy

- name: Create Jobs once, and never update them
  kubestellar.core.binding_policy:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    wds: wds1
    name: imports
    cluster_selectors:
      - match_expressions:
          - key: location-group
            operator: In
            values: [edge, branch]
    downsync:
      - api_group: batch
        resources: [jobs]
        namespaces: [shop]
        create_only: true

- name: Withdraw the shop, and wait until it is gone from the clusters
  kubestellar.core.binding_policy:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    wds: wds1
    its: its1
    name: shop
    state: absent
"""

RETURN = r"""
object:
  description: The BindingPolicy as it is after the task, or in check mode would be. Empty when it is absent.
  returned: always
  type: dict
method:
  description: What was done, or in check mode would be done.
  returned: always
  type: str
  sample: create
binding:
  description: What the policy was resolved to.
  returned: when a wait has ended
  type: dict
  contains:
    generation:
      description: Generation of the Binding, which its ManifestWorks carry.
      type: int
    clusters:
      description: Names of the selected clusters, sorted.
      type: list
      elements: str
    objects:
      description: The selected objects, sorted; each with C(group), C(resource), C(namespace) and C(name).
      type: list
      elements: dict
summary:
  description: Number of clusters, objects, and placements (objects × clusters) by health.
  returned: when a wait for V(applied) or V(healthy) has ended
  type: dict
  sample: {"clusters": 2, "objects": 6, "placements": 12, "healthy": 12, "progressing": 0, "failed": 0, "stale": 0, "removing": 0}
waited:
  description: Seconds waited.
  returned: always
  type: float
missing:
  description: What was lacking when the time was up, one line each.
  returned: when the wait timed out
  type: list
  elements: str
problems:
  description: What is wrong with the policy, one sentence each.
  returned: when it is invalid
  type: list
  elements: str
diff:
  description: Both sides of the manifest.
  returned: in diff mode
  type: list
  elements: dict
"""

from collections.abc import Mapping
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _delivery, _diff
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    Conflict,
    InvalidInput,
    KubestellarError,
    NotFound,
)
from ansible_collections.kubestellar.core.plugins.module_utils._module import Context, run
from ansible_collections.kubestellar.core.plugins.module_utils._resources import BINDING_POLICIES, BINDINGS
from ansible_collections.kubestellar.core.plugins.module_utils.placement import policy, resolution, waits

SPEC: dict[str, Any] = {
    **policy.POLICY_SPEC,
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "force_conflicts": {"type": "bool", "default": False},
    "wait": {"type": "str", "choices": list(waits.LEVELS)},
    "wait_timeout": {"type": "int", "default": 300},
}


def work(context: Context) -> dict[str, Any]:
    """Apply or delete the policy, then wait."""
    level = context.params["wait"]
    has_its = bool(context.params["its"] or context.params["its_kubeconfig"])
    if level not in (None, "none") and not has_its:
        raise InvalidInput(
            f"wait={level} needs the ITS, where delivery can be seen.",
            hint="Set its, or its_kubeconfig and its_context.",
        )
    if context.params["state"] == "absent":
        return _absent(context, wait=has_its and level != "none")
    return _present(context, level or "none")


def _present(context: Context, level: str) -> dict[str, Any]:
    want = _diff.wanted(policy.manifest(context.params))
    if context.planned:
        return _result(context, "create", None, want)
    wds = context.wds()
    before = wds.get(BINDING_POLICIES, want["metadata"]["name"])
    after = before
    if before is None or not (before.get("spec") == want["spec"] and _diff.satisfied(want, before)):
        after = _apply(context, wds, want)
    method = "none"
    if before is None:
        method = "create"
    elif _diff.content(before) != _diff.content(after):
        method = "update"
    result = _result(context, method, before, after)
    if level == "none" or context.check_mode or after is None:
        return result
    wait = waits.PolicyWait(wds, context.its(), _wds_name(context, wds), after, context.progress)
    try:
        outcome = wait.until(level, context.params["wait_timeout"])
    except KubestellarError as error:
        error.details.update(changed=result["changed"], method=method)
        raise
    result.update(waited=round(outcome.seconds, 1), binding=_binding(outcome.binding))
    if outcome.rows:
        result["summary"] = _delivery.summary(outcome.rows, result["binding"]["clusters"])
    return result


def _apply(context: Context, wds: Cluster, want: dict[str, Any]) -> dict[str, Any]:
    try:
        return wds.apply(
            BINDING_POLICIES, want, force=context.params["force_conflicts"], dry_run=context.check_mode
        )
    except Conflict as error:
        error.hint = "Set force_conflicts to take these fields over, or leave them to their owner."
        raise
    except NotFound as error:
        error.hint = (
            "KubeStellar's controller-manager brings this type to the WDS: is it running, and is this a WDS?"
        )
        raise


def _absent(context: Context, *, wait: bool) -> dict[str, Any]:
    name = context.params["name"] or ((context.params["definition"] or {}).get("metadata") or {}).get("name")
    if not name:
        raise InvalidInput("The policy to delete has no name.", hint="Set name.")
    if context.planned:
        return _result(context, "none", None, None)
    wds = context.wds()
    before, binding = wds.get(BINDING_POLICIES, name), wds.get(BINDINGS, name)
    method = "none"
    if before is not None and not before["metadata"].get("deletionTimestamp"):
        method = "delete"
        wds.delete(BINDING_POLICIES, name, uid=before["metadata"]["uid"], dry_run=context.check_mode)
    result = _result(context, method, before, None)
    if not wait or context.check_mode:
        return result
    uids = (_uid(before), _uid(binding))
    try:
        waited = waits.until_gone(
            wds,
            context.its(),
            _wds_name(context, wds),
            name,
            uids,
            context.params["wait_timeout"],
            context.progress,
        )
    except KubestellarError as error:
        error.details.update(changed=result["changed"], method=method)
        raise
    result["waited"] = round(waited, 1)
    return result


def _result(
    context: Context, method: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> dict[str, Any]:
    result: dict[str, Any] = {
        "changed": method != "none",
        "method": method,
        "object": {k: v for k, v in after.items() if k != "metadata"} if after else {},
        "waited": 0.0,
    }
    if after:
        result["object"]["metadata"] = {k: v for k, v in after["metadata"].items() if k != "managedFields"}
    if context.diff_mode and method != "none":
        name = ((after or before or {}).get("metadata") or {}).get("name")
        where = context.params["wds"] or context.params["wds_context"] or "wds"
        result["diff"] = [_diff.entry(before, after, f"{where}: BindingPolicy {name}")]
    return result


def _binding(binding: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "generation": binding["metadata"].get("generation"),
        "clusters": sorted(resolution.destinations(binding)),
        "objects": [key._asdict() for key in sorted(resolution.bound(binding))],
    }


def _uid(obj: Mapping[str, Any] | None) -> str:
    return str(obj["metadata"]["uid"]) if obj else ""


def _wds_name(context: Context, wds: Cluster) -> str:
    return str(context.params["wds"] or wds.name)


def main() -> None:
    """Entry point."""
    run(
        SPEC,
        work,
        spaces=("wds", "its"),
        required_one_of=[("name", "definition")],
        mutually_exclusive=[("definition", "cluster_selectors"), ("definition", "downsync")],
        required_if=[("state", "present", ("definition", "cluster_selectors", "downsync"), True)],
    )


if __name__ == "__main__":
    main()
