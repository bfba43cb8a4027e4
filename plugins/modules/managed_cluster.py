#!/usr/bin/python
# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: managed_cluster
version_added: "0.1.0"
short_description: Accept, describe, drain and detach workload clusters
description:
  - Accepts workload execution clusters (WECs) into an ITS, gives them labels, annotations and properties, and waits until they are available.
    One call handles any number of clusters at once. One that fails does not stop the others; the module fails at the end and names it.
  - A certificate request is approved only if it is what an agent with bootstrap credentials sends for exactly this cluster. The label, the signer,
    the requester and its groups, the usages and the subject, organizations and signature inside the request itself are checked.
    All others are refused and reported with the reason. A name alone is never enough.
  - Labels, annotations and properties are applied by server-side apply. Those of other field managers stay;
    those that this module had set and that are no longer listed are removed.
  - Properties are written before labels, since a label may at once select the cluster for a workload that is expanded with them.
    Properties that are no longer listed are removed after the labels are written.
  - A cluster is drained by parking the labels by which policies select it in the annotation C(kubestellar.core/parked-labels), in one write.
    V(accepted) gives them back, once the cluster is available; labels that it is given anew count more than parked ones.
author:
  - kubestellar.core contributors (@kubestellar)
extends_documentation_fragment:
  - kubestellar.core._auth
  - kubestellar.core._auth.its
  - kubestellar.core._clusters
  - kubestellar.core._attributes
  - kubestellar.core._attributes.action_group
requirements:
  - cryptography
options:
  names:
    description:
      - Names of the clusters. Give this or O(clusters). Both may be left out with O(unreachable_for), which then looks at all clusters of the ITS.
    type: list
    elements: str
  clusters:
    description:
      - The clusters with what is particular to each. It is merged over the options of the same name.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the cluster.
        type: str
        required: true
      labels:
        description: See O(labels).
        type: dict
      annotations:
        description: See O(annotations).
        type: dict
      properties:
        description: See O(properties).
        type: dict
      kubeconfig:
        description:
          - Kubeconfig with which the cluster itself is reached. With O(state=drained) it is then seen there that what KubeStellar had delivered is gone.
          - What an agent has overlooked, since an API server died at the wrong moment, and would hold for another hour, is withdrawn there by
            deleting its AppliedManifestWork.
        type: path
      context:
        description: Context in O(clusters[].kubeconfig).
        type: str
  labels:
    description:
      - Labels of the ManagedClusters, by which policies select them. If neither this nor the cluster's own are given, labels stay as they are.
    type: dict
  annotations:
    description:
      - Annotations of the ManagedClusters. As with O(labels), they stay as they are if none are given.
    type: dict
  properties:
    description:
      - Values for template expansion, kept in the ConfigMap C(customization-properties/<cluster>). Templates can only name keys that are Go identifiers.
        As with O(labels), they stay as they are if none are given.
    type: dict
  state:
    description:
      - V(accepted) lets the clusters in and describes them.
      - V(drained) takes them out of every placement and waits until their workload is gone. Nothing is drained if a policy would still select a
        cluster, because it selects by the absence of a label, or if O(keep_available), O(max_drained) or O(last_copies) forbid it.
        A cluster that does not answer keeps its workload until its agent comes back, which a warning says.
      - V(absent) detaches them. The ManagedCluster, its namespace in the ITS, its certificate requests and its properties are deleted. It is refused while
        workload is still placed there. The agent must be running, and is to be removed afterwards.
    type: str
    choices: [accepted, drained, absent]
    default: accepted
  wdses:
    description:
      - The WDSes whose policies count, for O(state=drained), O(force) and O(missing_properties).
        If it is left out, all WDSes of the hub that deliver through this ITS.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the WDS.
        type: str
        required: true
      kubeconfig:
        description: Kubeconfig to reach it with. If it is left out, by the Secret of its ControlPlane.
        type: path
      context:
        description: Context in O(wdses[].kubeconfig).
        type: str
  keep_available:
    description:
      - For O(state=drained), sets of clusters of which some must stay available. It is refused if fewer would be left.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: What the message calls the set.
        type: str
        required: true
      count:
        description: How many of them must stay available.
        type: int
        required: true
      clusters:
        description: Names of the clusters. If it is left out, all of the ITS.
        type: list
        elements: str
  max_drained:
    description:
      - For O(state=drained), how many clusters of the ITS may be drained at once, those of before included. A number, or a percentage of all.
    type: str
  last_copies:
    description:
      - For O(state=drained), whether workload may be withdrawn from the last cluster that has it. V(allow) warns.
    type: str
    choices: [allow, refuse]
    default: allow
  foreign_contents:
    description:
      - For O(state=drained), what is done with a cluster of O(clusters) with a kubeconfig in which others have objects in Namespaces, or of
        CustomResourceDefinitions, that were delivered, and that would be deleted with these. V(refuse) fails it before anything is withdrawn.
    type: str
    choices: [refuse, delete]
    default: refuse
  require_healthy:
    description:
      - For clusters that are worked on a few at a time. With O(state=drained), waits before the first write until what the policies of these
        clusters deliver is healthy in all other clusters, and refuses to drain if that does not come. With O(state=accepted), a cluster is done
        when what is delivered to it is healthy there.
      - A cluster that does not answer is not waited for, which a warning says. Has no effect without O(wait).
    type: bool
    default: false
  unreachable_for:
    description:
      - For O(state=drained), drains only clusters that are not available and have not been heard of for so many seconds. The others are left alone.
    type: int
  rejoin:
    description:
      - Names of clusters of which a new request to join is approved although they are connected, because their agents were set up anew.
        Of all others, such a request is left waiting and reported in a warning, since whoever has bootstrap credentials can send one.
    type: list
    elements: str
    default: []
  force:
    description:
      - For O(state=absent) of clusters that are gone for good. Removes the finalizers that only their agents would remove, and reports what is abandoned.
        Workload on a cluster that comes back is then left alone there.
      - The clusters are taken out of every placement first, as by O(state=drained), but nothing is waited for except that no Binding lists them.
    type: bool
    default: false
  force_conflicts:
    description:
      - Whether labels, annotations and properties that another field manager set to another value are taken over. If not, that cluster fails and the owner
        is named.
    type: bool
    default: false
  missing_properties:
    description:
      - What becomes of a cluster that would lack a property which a template needs, because its labels newly select it or because the property is
        not listed any more. KubeStellar then withdraws the workload of that policy from all of its clusters. With V(refuse) such a cluster fails,
        and its labels and properties stay.
    type: str
    choices: [allow, refuse]
    default: refuse
  strict:
    description:
      - Whether the task fails if something goes wrong with a cluster. If not, RV(failed_clusters) and RV(failures) say what it was, for callers
        that go on with the others. Options that cannot be right, such as a label, are then an error of their cluster only; else nothing is begun.
    type: bool
    default: true
  wait:
    description:
      - Whether to wait until agents have asked to join, have come back with their certificates, and are available; or until everything is gone.
      - Without waiting, what can be done now is done, and a cluster that cannot be accepted yet fails.
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds to wait, for all clusters together.
    type: int
    default: 300
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
"""

EXAMPLES = r"""
- name: Accept two clusters
  kubestellar.core.managed_cluster:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    its: its1
    labels:
      location-group: edge
    clusters:
      - name: cluster1
        labels:
          city: lisbon
        properties:
          storeName: Lisbon, Rua Augusta
      - name: cluster2
        labels:
          city: turin

- name: Take a cluster out of service, and leave two of its region in it
  kubestellar.core.managed_cluster:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    its: its1
    names: [cluster2]
    state: drained
    keep_available:
      - name: the shops in the north
        count: 2
        clusters: [cluster1, cluster2, cluster3, cluster4]

- name: Move the workload away from clusters that have not been heard of for half an hour, if they are few
  kubestellar.core.managed_cluster:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    its: its1
    state: drained
    unreachable_for: 1800
    max_drained: 20%

- name: Detach a cluster whose machines were scrapped
  kubestellar.core.managed_cluster:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    its: its1
    names: [cluster2]
    state: absent
    force: true
"""

RETURN = r"""
clusters:
  description: One entry per cluster, in the order given. Also on failure.
  returned: always
  type: list
  elements: dict
  contains:
    kind:
      description: Always C(ManagedCluster).
      type: str
    name:
      description: Name of the cluster.
      type: str
    namespace:
      description: Always empty, a ManagedCluster is cluster-scoped.
      type: str
    method:
      description: What was done, or in check mode would be done. V(create) in check mode is for a cluster whose agent has not asked yet.
      type: str
      sample: update
    changed:
      description: Whether RV(clusters[].method) is anything but V(none).
      type: bool
    accepted:
      description: Whether the hub accepts it.
      type: bool
    joined:
      description: Whether its agent has come back with its certificate.
      type: bool
    available:
      description: Whether it is available, with a fresh Lease.
      type: bool
    available_reason:
      description: Why it is not available; empty if it is.
      type: str
    approved:
      description: Names of the certificate requests that were approved.
      type: list
      elements: str
    refused:
      description: Certificate requests that claim to be from this cluster and were refused, each with C(name) and C(reason).
      type: list
      elements: dict
    seconds:
      description: Seconds until it was done; 0 if nothing was to be done.
      type: float
    failed:
      description: Whether this cluster failed.
      type: bool
    error:
      description: Why it failed.
      returned: on failure of this cluster
      type: str
    parked:
      description: The labels that it gets back. With O(state=drained).
      returned: with O(state=drained)
      type: dict
    policies:
      description: The policies that delivered to it when the task began.
      returned: with O(state=drained)
      type: list
      elements: str
    last_copies:
      description: For each of RV(clusters[].policies) that loses objects everywhere, a text with these.
      returned: with O(state=drained)
      type: list
      elements: str
    left:
      description: Number of ManifestWorks that wait for its agent to come back.
      returned: with O(state=drained), if there are any
      type: int
    abandoned:
      description: Objects whose finalizers were removed by O(force).
      returned: if there are any
      type: list
      elements: str
planned:
  description: The clusters as they would be described, those too that would only join, each with C(name), C(labels), C(annotations) and C(properties).
  returned: in check mode with O(state=accepted)
  type: list
  elements: dict
failed_clusters:
  description: Names of the clusters that failed.
  returned: always
  type: list
  elements: str
failures:
  description: Why they failed, one text for each.
  returned: always
  type: list
  elements: str
diff:
  description: Both sides of every changed object, with the name of its C(cluster).
  returned: in diff mode
  type: list
  elements: dict
"""

import time
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _limit, _space
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, KubestellarError
from ansible_collections.kubestellar.core.plugins.module_utils._module import Context, run
from ansible_collections.kubestellar.core.plugins.module_utils._resources import CONTROL_PLANES
from ansible_collections.kubestellar.core.plugins.module_utils._wait import summary
from ansible_collections.kubestellar.core.plugins.module_utils.placement import (
    catalogue,
    foresight,
    inside,
    snapshot,
)
from ansible_collections.kubestellar.core.plugins.module_utils.placement.facts import Target
from ansible_collections.kubestellar.core.plugins.module_utils.placement.snapshot import delivers_through
from ansible_collections.kubestellar.core.plugins.module_utils.wecs import (
    drain,
    expansion,
    parking,
    serving,
    wanted,
)
from ansible_collections.kubestellar.core.plugins.module_utils.wecs.acceptance import Acceptance
from ansible_collections.kubestellar.core.plugins.module_utils.wecs.member import (
    Member,
    forecast,
    raise_failures,
    warnings,
)
from ansible_collections.kubestellar.core.plugins.module_utils.wecs.removal import Removal, abandonments

_MAPS: dict[str, Any] = {
    "labels": {"type": "dict"},
    "annotations": {"type": "dict"},
    "properties": {"type": "dict"},
}
SPEC: dict[str, Any] = {
    "names": {"type": "list", "elements": "str"},
    "clusters": {
        "type": "list",
        "elements": "dict",
        "options": {
            "name": {"type": "str", "required": True},
            **_MAPS,
            "kubeconfig": {"type": "path"},
            "context": {"type": "str"},
        },
    },
    **_MAPS,
    "state": {"type": "str", "choices": ["accepted", "drained", "absent"], "default": "accepted"},
    "wdses": {"type": "list", "elements": "dict", "options": _space.WAY_SPEC},
    **inside.WECS_SPEC,
    "keep_available": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "count": {"type": "int", "required": True},
            "clusters": {"type": "list", "elements": "str"},
        },
    },
    "max_drained": {"type": "str"},
    "last_copies": {"type": "str", "choices": ["allow", "refuse"], "default": "allow"},
    "foreign_contents": {"type": "str", "choices": ["refuse", "delete"], "default": "refuse"},
    "require_healthy": {"type": "bool", "default": False},
    "unreachable_for": {"type": "int"},
    "missing_properties": {"type": "str", "choices": ["allow", "refuse"], "default": "refuse"},
    "strict": {"type": "bool", "default": True},
    "rejoin": {"type": "list", "elements": "str", "default": []},
    "force": {"type": "bool", "default": False},
    "force_conflicts": {"type": "bool", "default": False},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 300},
}


_DRAINING = ("keep_available", "max_drained", "unreachable_for")


def work(context: Context) -> dict[str, Any]:
    """Accept, drain or detach the clusters."""
    params = context.params
    _check(params)
    asked = wanted.wishes_of(params)
    wishes = [wish for wish in asked if not wish.error]
    cluster = str(params["its"] or params["its_context"] or "ITS")
    if params["state"] == "absent":
        members = _absent(context, [wish.name for wish in wishes])
    elif params["state"] == "drained":
        members = _drained(context, [wish.name for wish in wishes])
    else:
        members = _accepted(context, wishes)
    order = [wish.name for wish in asked]
    members += [Member(wish, error=wish.error) for wish in asked if wish.error]
    members.sort(key=lambda member: order.index(member.name) if member.name in order else 0)
    now = time.time()
    result: dict[str, Any] = {
        "changed": any(member.method != "none" for member in members),
        "clusters": [member.result(now) for member in members],
        "failed_clusters": [member.name for member in members if member.error],
        "failures": [member.error for member in members if member.error],
    }
    if context.check_mode and params["state"] == "accepted":
        result["planned"] = [
            {"name": one.name, **{key: dict(getattr(one, key)) for key in _MAPS}}
            for one in (member.planned for member in members if not member.error)
            if one is not None
        ]
    if context.diff_mode:
        result["diff"] = [{**entry(), "cluster": member.name} for member in members for entry in member.diffs]
    if params["strict"]:
        raise_failures(members, cluster, **result)
    return result


def _accepted(context: Context, wishes: list[wanted.Wish]) -> list[Member]:
    params = context.params
    unseen = wanted.unseen_properties(wishes)
    if unseen:
        context.warn(
            f"Templates cannot name these properties, which are no Go identifiers: {', '.join(unseen)}."
        )
    if context.planned:
        return forecast(wishes)
    if not wishes:
        return []
    members = Acceptance(
        context.its(),
        wishes,
        rejoin=params["rejoin"],
        force_conflicts=params["force_conflicts"],
        dry_run=context.check_mode,
        progress=context.progress,
        lacking=partial(_lacking, context) if params["missing_properties"] == "refuse" else None,
        judge=partial(_judge, context),
    ).run(wait=params["wait"], timeout=params["wait_timeout"])
    if params["require_healthy"] and params["wait"] and not context.check_mode:
        _require_healthy(context, members)
    for line in warnings(members):
        context.warn(line)
    return members


def _require_healthy(context: Context, members: list[Member]) -> None:
    """Wait until what is delivered to the clusters is healthy there; where it is not, that is their error."""
    its, going = context.its(), {member.name: member for member in members if not member.error}
    policies = drain.read_policies(_wdses(context)) if going else []
    health = serving.wait_healthy(
        its,
        _wdses(context) if going else [],
        policies,
        going.__contains__,
        what=f"{its.name}: the workload of {catalogue.names(sorted(going))} healthy",
        timeout=context.params["wait_timeout"],
        progress=context.progress,
    )
    for name, lacks in health.lacks.items():
        going[name].error = (
            f"{its.name}: {name} is in service, but its workload is not healthy there: {summary(lacks, 5)}. Mend it, or set "
            "require_healthy to false (role wec: wec_require_healthy, playbook drain: drain_require_healthy)."
        )


def _lacking(context: Context, before: Mapping[str, Target], after: Mapping[str, Target]) -> dict[str, str]:
    """See `expansion.lacking`. A WDS that cannot be read does not keep clusters from joining."""
    if context.params["wdses"] is None and context.params["its_kubeconfig"]:
        return {}
    try:
        return expansion.lacking(_wdses(context), before, after)
    except KubestellarError as error:
        context.warn(f"Whether the clusters have all properties was not looked at: {error.message}")
        return {}


def _judge(context: Context, before: Mapping[str, Target], after: Mapping[str, Target]) -> None:
    """See `foresight.judge_clusters`."""
    params = context.params
    if params["wdses"] is None and params["its_kubeconfig"]:
        return  # which WDSes deliver through it is not known
    sources = [
        snapshot.Sources(
            wds, wds.name, its=context.its(), its_name=str(params["its"] or ""), clusters=after, api_groups=()
        )
        for wds in _wdses(context)
    ]
    foresight.judge_clusters(sources, before.values(), inside.connections(params["wecs"]))


def _check(params: dict[str, Any]) -> None:
    """:raises InvalidInput: an option belongs to another state, or no cluster is named."""
    named = params["names"] is not None or params["clusters"] is not None
    if not named and params["unreachable_for"] is None:
        raise InvalidInput("No cluster is named.", hint="Give names or clusters.")
    given = [name for name in _DRAINING if params[name] not in (None, [])]
    if given and params["state"] != "drained":
        raise InvalidInput(f"{given[0]} has a meaning for the state drained only.", hint="Leave it out.")


def _drained(context: Context, names: list[str]) -> list[Member]:
    params = context.params
    named = params["names"] is not None or params["clusters"] is not None
    settings = drain.Settings(
        keep=[
            parking.Keep(
                one["name"],
                one["count"],
                None if one["clusters"] is None else frozenset(one["clusters"]),
            )
            for one in params["keep_available"]
        ],
        most=_limit.parse("max_drained", params["max_drained"]),
        last_copies=params["last_copies"] == "allow",
        contents=params["foreign_contents"] == "delete",
        unreachable_for=params["unreachable_for"],
        healthy=params["require_healthy"],
    )
    if context.planned or (named and not names):
        return [Member(wanted.Wish(name)) for name in names]
    inside = {
        # Asked again and again while it is waited for, and one client is enough.
        entry["name"]: cache(
            partial(Cluster.from_kubeconfig, entry["kubeconfig"], entry["context"], name=entry["name"])
        )
        for entry in params["clusters"] or []
        if entry["kubeconfig"]
    }
    return _drain(context, names if named else None, settings, inside, wait=params["wait"])


def _drain(
    context: Context,
    names: list[str] | None,
    settings: drain.Settings,
    inside: Mapping[str, Callable[[], Cluster]],
    *,
    wait: bool,
) -> list[Member]:
    draining = drain.Draining(
        context.its(),
        names,
        wdses=_wdses(context),
        inside=inside,
        settings=settings,
        dry_run=context.check_mode,
        progress=context.progress,
    )
    members = draining.run(wait=wait, timeout=context.params["wait_timeout"])
    for line in draining.warnings:
        context.warn(line)
    return members


@cache
def _wdses(context: Context) -> list[Cluster]:
    """The WDSes that deliver through the ITS; found once, since clusters that join by and by all ask for them."""
    params = context.params
    if params["wdses"] is not None:
        return [cluster for _role, cluster in _space.choose(params["wdses"], context.hosting, only="wds")]
    if params["its_kubeconfig"]:
        raise InvalidInput(
            "Which WDSes deliver through an ITS that is named by its kubeconfig is not known.",
            hint="Name them with wdses.",
        )
    planes = context.hosting().list(CONTROL_PLANES).items
    several = sum(_space.role(plane) == "its" for plane in planes) > 1
    return [
        _space.connect_to(context.hosting(), plane)
        for plane in planes
        if _space.role(plane) == "wds"
        and not plane["metadata"].get("deletionTimestamp")
        and (not several or delivers_through(plane, context.its(), str(params["its"])))
    ]


def _absent(context: Context, names: list[str]) -> list[Member]:
    if context.planned or not names:
        return [Member(wanted.Wish(name)) for name in names]
    params = context.params
    unplaced: dict[str, Member] = {}
    if params["force"]:
        # One that is still listed in a Binding, and has neither labels nor properties any more, makes KubeStellar withdraw the
        # workload from all others.
        gone = _drain(context, names, drain.Settings(gone=True), {}, wait=True)
        unplaced = {member.name: member for member in gone}
    failed = [member for member in unplaced.values() if member.error]
    members = Removal(
        context.its(),
        [name for name in names if name not in {member.name for member in failed}],
        force=params["force"],
        wdses=_wdses(context) if params["force"] else (),
        dry_run=context.check_mode,
        progress=context.progress,
    ).run(wait=params["wait"], timeout=params["wait_timeout"])
    for member in members:
        if member.name in unplaced:
            member.diffs[:0] = unplaced[member.name].diffs
    for line in abandonments(members):
        context.warn(line)
    return [*members, *failed]


def main() -> None:
    """Entry point."""
    run(
        SPEC,
        work,
        spaces=("its",),
        mutually_exclusive=[("names", "clusters")],
    )


if __name__ == "__main__":
    main()
