# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of a diagnosis: one pure function for each subject, on what was read (private to kubestellar.core).

A check that needs something that could not be read finds nothing there; `diagnose` says so beside the findings. What comes
after another trouble by itself is not told again: a cluster that is not accepted is not also said to be unavailable.
"""

from __future__ import annotations

import datetime
import difflib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import (
    _control_plane,
    _csr,
    _delivery,
    _health,
)
from ansible_collections.kubestellar.core.plugins.module_utils._client import label
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, plain
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    BINDING_POLICIES,
    CONTROL_PLANES,
    MANAGED_CLUSTERS,
    MANIFEST_WORKS,
    WDS_KINDS,
    WORK_STATUSES,
    Resource,
)
from ansible_collections.kubestellar.core.plugins.module_utils._wait import condition
from ansible_collections.kubestellar.core.plugins.module_utils.doctor.catalogue import (
    CATALOGUE,
    PLACEMENT,
    WARNING,
    Finding,
    finding,
)
from ansible_collections.kubestellar.core.plugins.module_utils.doctor.facts import (
    ITS,
    WDS,
    Facts,
    Its,
    Reading,
    Space,
    Wds,
)
from ansible_collections.kubestellar.core.plugins.module_utils.hub import troubles
from ansible_collections.kubestellar.core.plugins.module_utils.placement import preview, snapshot
from ansible_collections.kubestellar.core.plugins.module_utils.wecs import registered
from ansible_collections.kubestellar.core.plugins.module_utils.workload import members

Findings = Iterator[Finding]

SETTLE_SECONDS = 60.0
"""What was written so lately may just not have been processed yet."""
EXPIRING_SECONDS = 30 * 86400.0
STATUS_ADDON = "addon-status"
POLICY_FINALIZER = "bindingpolicy.kubestellar.io/kscontroller"
TRANSPORT, TRANSPORT_INIT = "transport-controller", "get-its-kubeconfig"

_DAY = 86400.0


# -- the hosting cluster ----------------------------------------------------------------------------------------------


def unreachable_hub(facts: Facts) -> Findings:
    """Nothing can be said at all."""
    if facts.hub.trouble:
        yield finding("hub-unreachable", facts.hub.name, reason=facts.hub.trouble)


def kubeflex(facts: Facts) -> Findings:
    """The kinds of KubeFlex."""
    lists = {"ControlPlane": facts.hub.control_planes, "PostCreateHook": facts.hub.hooks}
    lacking = [kind for kind, reading in lists.items() if not reading.served]
    if lacking:
        yield finding("kubeflex-missing", facts.hub.name, kinds=lacking)


def roles(facts: Facts) -> Findings:
    """A hub has an ITS and a WDS."""
    reading = facts.hub.control_planes
    if facts.hub.trouble or reading.error or not reading.served:
        return
    for role, words in ((ITS, "an ITS"), (WDS, "a WDS")):
        if not facts.of_role(role):
            yield finding("role-missing", facts.hub.name, role=words)


def control_planes(facts: Facts) -> Findings:
    """Ready and Synced; a ControlPlane without any condition is one that nobody looks at."""
    for space in facts.spaces:
        plane, where = space.control_plane, _plane(facts, space)
        age = _age(plane, facts)
        if not (plane.get("status") or {}).get("conditions") and age > SETTLE_SECONDS:
            yield finding("control-plane-unseen", where, age=round(age))
            continue
        lack = _control_plane.lacking(space.name, plane)
        synced = condition(dict(plane), "Synced")
        if lack:
            reason = lack.removeprefix(f"{space.name}: ")
            if reason == lack:
                reason = f"it {lack.removeprefix(f'{space.name} ')}"
            yield finding("control-plane-not-ready", where, reason=reason)
        elif synced and synced.get("status") != "True":
            yield finding("control-plane-not-synced", where, reason=troubles.said(synced))


def hooks(facts: Facts) -> Findings:
    """PostCreateHooks that are not there, and such that do not get done."""
    known = {str(item["metadata"]["name"]) for item in facts.hub.hooks.items}
    for space in facts.spaces:
        missing = [name for name in space.hooks if name not in known]
        if missing and facts.hub.hooks.served and not facts.hub.hooks.error:
            yield finding("hook-missing", _plane(facts, space), hooks=missing)
        done = (space.control_plane.get("status") or {}).get("postCreateHooks") or {}
        undone = [name for name in space.hooks if name in known and not done.get(name)]
        age = _age(space.control_plane, facts)
        if undone and age > SETTLE_SECONDS:
            yield finding("hook-not-done", _plane(facts, space), hooks=undone, age=round(age))


def secrets(facts: Facts) -> Findings:
    """The Secret with the kubeconfig of a space.

    KubeFlex itself leaves out the off-cluster key of types `host` and `external` (kubeflex: pkg/reconcilers). That is
    nothing to tell where the controllers run in the hosting cluster, and so do not need it.
    """
    inside = {item["metadata"]["name"] for item in facts.hub.deployments.items}
    for space in facts.spaces:
        where = _plane(facts, space)
        reference = (space.control_plane.get("status") or {}).get("secretRef") or {}
        name = f"{reference.get('namespace')}/{reference.get('name')}"
        if not reference.get("name"):
            if not space.control_plane["metadata"].get("deletionTimestamp"):
                yield finding("secret-missing", where, reason="its status names no Secret yet")
            continue
        if space.secret is None:
            if not space.secret_error:
                yield finding("secret-missing", where, reason=f"there is no Secret {name}")
            continue
        outside, within = (str(reference.get(key) or "") for key in ("key", "inClusterKey"))
        if within and within not in space.secret.keys:
            keys = sorted({within, outside} - space.secret.keys - {""})
            yield finding("secret-key-missing", where, secret=name, keys=keys)
        elif outside and outside not in space.secret.keys and snapshot.MANAGER not in inside:
            yield finding("secret-key-missing", where, severity=WARNING, secret=name, keys=[outside])


def credentials(facts: Facts) -> Findings:
    """Tokens and client certificates in the Secrets of spaces."""
    for space in facts.spaces:
        reference = (space.control_plane.get("status") or {}).get("secretRef") or {}
        where, name = _plane(facts, space), f"{reference.get('namespace')}/{reference.get('name')}"
        for one in space.secret.credentials if space.secret else ():
            left = one.expires - facts.now
            # What is short-lived by nature is renewed by whoever made it so: the last third of its life counts.
            soon = min(EXPIRING_SECONDS, (one.expires - one.issued) / 3 if one.issued else EXPIRING_SECONDS)
            if one.error:
                yield finding("credential-unread", where, what=one.what, secret=name, reason=one.error)
            elif left <= 0:
                yield finding(
                    "credential-expired", where, what=one.what, secret=name, days=int(-left // _DAY)
                )
            elif left < soon:
                yield finding(
                    "credential-expiring", where, what=one.what, secret=name, days=int(left // _DAY)
                )


def spaces(facts: Facts) -> Findings:
    """Spaces whose API server cannot be used. Without a Secret there is no address to try, which is said elsewhere."""
    for space in facts.spaces:
        if space.trouble and space.secret is not None and space.secret.keys:
            trouble = "space-refused" if space.refused else "space-unreachable"
            yield finding(trouble, _plane(facts, space), reason=space.trouble)


def jobs(facts: Facts) -> Findings:
    """Jobs of hooks that have given up. One that has succeeded is not looked at."""
    for job in facts.hub.jobs.items:
        if failure := troubles.job_failure(job, facts.hub.pods.items):
            yield _recognised(facts.hub.name, failure)


def pods(facts: Facts) -> Findings:
    """Pods of the hub that do not come up."""
    for cluster, item in _of_hub_and_itses(facts, "pods"):
        init = list(_transport_init(cluster, item))
        yield from init or (_recognised(cluster, found) for found in troubles.pod_troubles(item))


def _transport_init(cluster: str, pod: Mapping[str, Any]) -> Findings:
    """How the search of a transport controller for its ITS ended, whose exit codes tell the cause."""
    if not pod["metadata"]["name"].startswith(f"{TRANSPORT}-"):
        return
    for container in troubles.containers(pod):
        state, last = container.get("state") or {}, container.get("lastState") or {}
        ended = state.get("terminated") or last.get("terminated") or {}
        if container.get("name") == TRANSPORT_INIT and ended.get("exitCode"):
            yield finding(
                "transport-init",
                _where(cluster, "Pod", pod),
                container=TRANSPORT_INIT,
                code=ended["exitCode"],
                reason=ended.get("reason") or "Error",
            )


def _recognised(cluster: str, found: troubles.Finding) -> Finding:
    """A trouble that the wait for a hub knows too, as a finding."""
    severity = CATALOGUE[found.id].severity
    return Finding(found.id, severity, f"{cluster}: {found.where}", found.message, found.hint)


def deployments(facts: Facts) -> Findings:
    """Deployments and StatefulSets of the hub. The embedded provider has processes instead."""
    found = [(cluster, "Deployment", item) for cluster, item in _of_hub_and_itses(facts, "deployments")]
    found += [(facts.hub.name, "StatefulSet", item) for item in facts.hub.stateful_sets.items]
    for cluster, kind, item in found:
        wanted = (item.get("spec") or {}).get("replicas")
        wanted = 1 if wanted is None else int(wanted)
        ready = int((item.get("status") or {}).get("readyReplicas") or 0)
        where = _where(cluster, kind, item)
        if wanted == 0:
            yield finding("deployment-scaled-down", where)
        elif ready < wanted:
            yield finding("deployment-not-ready", where, ready=ready, wanted=wanted)


def _of_hub_and_itses(facts: Facts, key: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(cluster, object) of a list that the hub and each ITS has."""
    for item in getattr(facts.hub, key).items:
        yield facts.hub.name, item
    for space in facts.of_role(ITS):
        if space.its is not None:
            for item in getattr(space.its, key).items:
                yield space.name, item


# -- ITSes and WECs ---------------------------------------------------------------------------------------------------


def definitions_of_its(facts: Facts) -> Findings:
    """The kinds of OCM and of the status add-on."""
    for space, its in _itses(facts):
        if not _serves(its.served, WORK_STATUSES):
            yield finding("workstatus-missing", space.name)
        lacking = [one.kind for one in (MANAGED_CLUSTERS, MANIFEST_WORKS) if not _serves(its.served, one)]
        if lacking:
            yield finding("ocm-missing", space.name, kinds=lacking)


def _serves(served: frozenset[tuple[str, str]], resource: Resource) -> bool:
    return (resource.group, resource.plural) in served


def registrations(facts: Facts) -> Findings:
    """The way of a WEC: accepted, joined, available with a fresh Lease."""
    for space, its in _itses(facts):
        if not its.clusters.items and its.clusters.served and not its.clusters.error:
            yield finding("no-wec", space.name)
        leases = {item["metadata"]["namespace"]: item for item in its.leases.items}
        asking = {
            str((item["metadata"].get("labels") or {}).get(_csr.CLUSTER_LABEL)) for item in its.requests.items
        }
        addons = {
            item["metadata"]["namespace"]: dict(item)
            for item in its.addons.items
            if item["metadata"]["name"] == STATUS_ADDON
        }
        for item in _wecs(facts, its):
            name, where = item["metadata"]["name"], _wec(space, item["metadata"]["name"])
            yield from _registration(facts, where, item, leases.get(name), name in asking)
            yield from _addon(where, item, addons.get(name))


def _addon(where: str, wec: dict[str, Any], addon: dict[str, Any] | None) -> Findings:
    """The status add-on of a WEC that is available itself; other agents than OCM's add-on have no such object."""
    available = condition(addon, "Available")
    if (
        addon is not None
        and available.get("status") != "True"
        and condition(wec, "ManagedClusterConditionAvailable").get("status") == "True"
    ):
        yield finding(
            "addon-unavailable",
            where,
            reason=troubles.said(available) if available else "it has never reported",
        )


def _registration(
    facts: Facts, where: str, wec: dict[str, Any], lease: Mapping[str, Any] | None, asking: bool
) -> Findings:
    """The first step that a WEC has not taken, and what is wrong beside."""
    if wec["metadata"].get("deletionTimestamp"):
        age = max(0.0, facts.now - _epoch(wec["metadata"]["deletionTimestamp"]))
        if age > SETTLE_SECONDS:
            finalizers = wec["metadata"].get("finalizers") or []
            yield finding("wec-deleting", where, age=round(age), finalizers=finalizers)
        return
    requests = "" if asking else ", and it has not asked for a certificate"
    if not registered.is_accepted(wec):
        yield finding("wec-not-accepted", where, requests=requests)
        return
    if not registered.is_joined(wec):
        yield finding("wec-not-joined", where, requests=requests)
        return
    available = condition(wec, "ManagedClusterConditionAvailable").get("status") == "True"
    reason = registered.unavailable_because(wec, lease, facts.now)
    if reason:
        yield finding("wec-lease" if available else "wec-unavailable", where, reason=reason)
    clock = condition(wec, "ManagedClusterConditionClockSynced")
    if clock.get("status") == "False":
        yield finding("wec-clock", where, reason=troubles.said(clock))
    taints = [
        str(taint.get("key"))
        for taint in (wec.get("spec") or {}).get("taints") or []
        if taint.get("effect") in ("NoSelect", "NoSelectIfNew")
    ]
    if taints and not reason:
        yield finding("wec-tainted", where, taints=taints)


def requests(facts: Facts) -> Findings:
    """Certificate requests that wait, that are not what they seem, or that are too many."""
    for space, its in _itses(facts):
        for name, found in registered.group_requests(dict(item) for item in its.requests.items).items():
            if not name or not facts.looked_at(name):
                continue
            where = _wec(space, name)
            choice = _csr.choose(found, name)
            if choice.approve:
                yield finding(
                    "csr-pending", where, requests=[csr["metadata"]["name"] for csr in choice.approve]
                )
            for csr, reason in choice.refused:
                yield finding("csr-refused", where, reason=f"{csr}: {reason}")
            if len(found) >= _csr.MOST_REQUESTS:
                yield finding("csr-many", where, number=len(found), limit=_csr.MOST_REQUESTS)


def unknown_wecs(facts: Facts) -> Findings:
    """Names that were given and that no ITS knows."""
    known = {item["metadata"]["name"] for _space, its in _itses(facts) for item in its.clusters.items}
    for name in sorted((facts.wecs or frozenset()) - known):
        yield finding("wec-unknown", facts.hub.name, name=name)


def _itses(facts: Facts) -> Iterator[tuple[Space, Its]]:
    return ((space, space.its) for space in facts.of_role(ITS) if space.its is not None)


def _wecs(facts: Facts, its: Its) -> Iterator[dict[str, Any]]:
    return (dict(item) for item in its.clusters.items if facts.looked_at(str(item["metadata"]["name"])))


def _wec(space: Space, name: str) -> str:
    return f"{space.name}: {label(MANAGED_CLUSTERS.kind, plain(name, 100))}"


# -- WDSes ------------------------------------------------------------------------------------------------------------


def definitions_of_wds(facts: Facts) -> Findings:
    """The kinds that the controller-manager makes."""
    for space, wds in _wdses(facts):
        lacking = [
            f"{kind.plural}.{kind.group}" for kind in WDS_KINDS if (kind.group, kind.plural) not in wds.served
        ]
        if lacking:
            yield finding("wds-definitions-missing", space.name, kinds=lacking)


def namespaces(facts: Facts) -> Findings:
    """Namespaces whose deletion does not end: as long as one API of the WDS does not answer, none does."""
    for space, wds in _wdses(facts):
        for item in wds.namespaces.items:
            since = item["metadata"].get("deletionTimestamp")
            age = facts.now - _epoch(since) if since else 0.0
            if age > SETTLE_SECONDS:
                reason = members.held_by(item).strip(" ()") or "nothing says why"
                yield finding(
                    "namespace-held", _where(space.name, "Namespace", item), age=round(age), reason=reason
                )


def unknown_its(facts: Facts) -> Findings:
    """A WDS that names an ITS which does not exist, or of which nothing says through which of several it delivers."""
    itses = facts.of_role(ITS)
    for space, wds in _wdses(facts):
        if not itses or facts.its_of(space) is not None:
            continue
        if space.named_its:
            yield finding("its-missing", _plane(facts, space), its=space.named_its)
        elif wds.policies.items:
            yield finding("its-unknown", _plane(facts, space), itses=[one.name for one in itses])


def shared_spaces(facts: Facts) -> Findings:
    """A WDS and its ITS on one API server, which is no good with returned status (kubestellar#1913)."""
    for space, wds in _wdses(facts):
        its = facts.its_of(space)
        asking = [
            str(item["metadata"]["name"])
            for item in wds.policies.items
            if any(
                clause.get("wantSingletonReportedState") or clause.get("wantMultiWECReportedState")
                for clause in (item.get("spec") or {}).get("downsync") or []
            )
        ]
        if asking and its is not None and its.server and its.server == space.server:
            yield finding("space-shared", _plane(facts, space), its=its.name, policies=asking)


def policies(facts: Facts) -> Findings:
    """Whether the controller-manager processes policies, and what it says of them."""
    for space, wds in _wdses(facts):
        for item in wds.policies.items:
            where = _policy(space, item["metadata"]["name"])
            if problems := wds.invalid.get(str(item["metadata"]["name"])):
                yield finding("policy-invalid", where, problems=problems)
                continue
            yield from _processing(facts, where, item)
            errors = (item.get("status") or {}).get("errors") or []
            if errors:
                more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
                yield finding("policy-errors", where, reason=f"{str(errors[0]).rstrip('.')}{more}")


def _processing(facts: Facts, where: str, item: Mapping[str, Any]) -> Findings:
    metadata = item["metadata"]
    age = facts.now - snapshot.written(metadata)
    if age <= SETTLE_SECONDS or metadata.get("deletionTimestamp"):
        return
    observed, generation = (item.get("status") or {}).get("observedGeneration"), metadata.get("generation")
    if POLICY_FINALIZER not in (metadata.get("finalizers") or []):
        yield finding("policy-unprocessed", where, age=round(age) if snapshot.written(metadata) else "many")
    elif observed != generation:
        yield finding("policy-behind", where, observed=observed or "none", generation=generation)


def bindings(facts: Facts) -> Findings:
    """Whether the transport controller reads Bindings."""
    for space, wds in _wdses(facts):
        for item in wds.bindings.items:
            metadata = item["metadata"]
            observed = (item.get("status") or {}).get("observedGeneration")
            if _settled(facts, metadata) and observed != metadata.get("generation"):
                yield finding(
                    "binding-unread",
                    _policy(space, metadata["name"]),
                    observed=observed or "none",
                    generation=metadata.get("generation"),
                )


def deliveries(facts: Facts) -> Findings:
    """Whether what is bound is delivered as it is, and applied; one finding for each policy and reason.

    What goes to a cluster that is not available waits for it, and the cluster has a finding of its own.
    """
    for space, wds in _wdses(facts):
        its = (facts.its_of(space) or Space(space.control_plane)).its
        if its is None or its.works.error or its.clusters.error or wds.bindings.error:
            continue
        works: dict[str, list[_delivery.Work]] = defaultdict(list)
        for work in its.works.items:
            parsed = _delivery.parse_work(work)
            if facts.looked_at(parsed.cluster):
                works[parsed.binding].append(parsed)
        bundled = [work for some in works.values() for work in some if len(work.items) > 1]
        bundled = [work for work in bundled if work.wds == space.name]
        if bundled:
            yield finding("work-bundled", space.name, number=len(bundled))
        everything = _delivery.Facts(
            wds=space.name,
            bindings=(),
            works=(),
            returned=(),
            clusters=[_delivery.parse_cluster(item) for item in its.clusters.items],
            kinds=wds.kinds,
        )
        bound = {str(item["metadata"]["name"]): item for item in wds.bindings.items}
        for name in sorted(bound.keys() | works.keys()):
            binding = bound.get(name)
            if binding is not None and not _settled(facts, binding["metadata"]):
                continue
            part = replace(everything, bindings=[binding] if binding else [], works=works.get(name, ()))
            yield from _delivery_findings(facts, _policy(space, name), part)


def _delivery_findings(facts: Facts, where: str, part: _delivery.Facts) -> Findings:
    """What the cells of one policy say, equal reasons together."""
    online = {wec.name for wec in part.clusters if wec.online}
    groups: dict[tuple[str, str], tuple[dict[str, None], set[str]]] = {}
    for row in _delivery.join(part, lambda work: facts.now - work.applied_at):
        for cell in row.cells.values():
            if cell.cluster not in online or not facts.looked_at(cell.cluster):
                continue
            trouble = _cell_trouble(facts, cell)
            if trouble:
                objects, clusters = groups.setdefault(
                    (trouble, cell.message.removeprefix("not applied: ")), ({}, set())
                )
                objects[row.label] = None
                clusters.add(cell.cluster)
    for (trouble, reason), (objects, clusters) in sorted(groups.items()):
        yield finding(trouble, where, objects=list(objects), clusters=sorted(clusters), reason=reason)


def _cell_trouble(facts: Facts, cell: _delivery.Cell) -> str:
    if not cell.selected:
        return "work-left-over" if facts.now - cell.since > SETTLE_SECONDS else ""
    if not cell.delivered:
        return "delivery-behind"
    silent = cell.health == _health.PROGRESSING and facts.now - cell.since <= SETTLE_SECONDS
    return "" if cell.applied or silent else "work-not-applied"


def placements(facts: Facts) -> Findings:
    """What a preview of each policy, as it is now, warns of."""
    for space, wds in _wdses(facts):
        its = facts.its_of(space)
        others = [
            snapshot.delivery_of(other.name, binding)
            for other, content in _wdses(facts)
            if other is not space and its is not None and facts.its_of(other) is its
            for binding in content.bindings.items
        ]
        specs = {str(item["metadata"]["name"]): item.get("spec") or {} for item in wds.policies.items}
        for name, found in wds.placements.items():
            seen = preview.preview(specs[name], replace(found, others=[*found.others, *others]))
            for item in seen.warnings:
                if item["code"] in PLACEMENT:
                    yield Finding(
                        item["code"],
                        PLACEMENT[item["code"]],
                        _policy(space, name),
                        item["message"],
                        item["hint"],
                    )


def _wdses(facts: Facts) -> Iterator[tuple[Space, Wds]]:
    return ((space, space.wds) for space in facts.of_role(WDS) if space.wds is not None)


def _policy(space: Space, name: str) -> str:
    return f"{space.name}: {label(BINDING_POLICIES.kind, plain(name, 100))}"


def _settled(facts: Facts, metadata: Mapping[str, Any]) -> bool:
    return not metadata.get("deletionTimestamp") and facts.now - snapshot.written(metadata) > SETTLE_SECONDS


# -- words ------------------------------------------------------------------------------------------------------------


def _plane(facts: Facts, space: Space) -> str:
    return f"{facts.hub.name}: {label(CONTROL_PLANES.kind, space.name)}"


def _where(cluster: str, kind: str, item: Mapping[str, Any]) -> str:
    return f"{cluster}: {label(kind, item['metadata']['name'], item['metadata'].get('namespace'))}"


def _epoch(text: Any) -> float:
    try:
        return datetime.datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return 0.0


def _age(item: Mapping[str, Any], facts: Facts) -> float:
    """Seconds since an object was created."""
    return max(0.0, facts.now - _epoch(item["metadata"].get("creationTimestamp")))


# -- all of them ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Check:
    """One check.

    :ivar ids: what it can find.
    :ivar needs: what it looks at: a list of the hub, or of each ITS or WDS, as a field of the facts.
    :ivar also: what it looks at beside, and can do without.
    """

    look: Callable[[Facts], Findings]
    ids: Sequence[str]
    needs: Sequence[str] = ()
    also: Sequence[str] = ()


CHECKS: Sequence[Check] = (
    Check(unreachable_hub, ["hub-unreachable"]),
    Check(kubeflex, ["kubeflex-missing"], ["hub.control_planes", "hub.hooks"]),
    Check(roles, ["role-missing"], ["hub.control_planes", "hub.hooks"]),
    Check(
        control_planes,
        ["control-plane-unseen", "control-plane-not-ready", "control-plane-not-synced"],
        ["hub.control_planes"],
    ),
    Check(
        secrets,
        ["secret-missing", "secret-key-missing"],
        ["hub.control_planes", "hub.secrets"],
        ["hub.deployments"],
    ),
    Check(spaces, ["space-unreachable", "space-refused"], ["hub.control_planes", "hub.secrets"]),
    Check(
        credentials,
        ["credential-expired", "credential-expiring", "credential-unread"],
        ["hub.control_planes", "hub.secrets"],
    ),
    Check(hooks, ["hook-missing", "hook-not-done"], ["hub.control_planes", "hub.hooks"]),
    Check(jobs, ["job-failed"], ["hub.jobs"]),
    Check(
        pods,
        ["pod-image", "pod-crash-loop", "pod-not-starting", "pod-unschedulable", "transport-init"],
        ["hub.pods"],
        ["its.pods"],
    ),
    Check(
        deployments,
        ["deployment-not-ready", "deployment-scaled-down"],
        ["hub.deployments", "hub.stateful_sets"],
        ["its.deployments"],
    ),
    Check(definitions_of_its, ["workstatus-missing", "ocm-missing"], ["its.served"]),
    Check(
        registrations,
        [
            "no-wec",
            "wec-not-accepted",
            "wec-not-joined",
            "wec-unavailable",
            "wec-lease",
            "wec-clock",
            "wec-tainted",
            "wec-deleting",
            "addon-unavailable",
        ],
        ["its.clusters", "its.leases"],
        ["its.requests", "its.addons"],
    ),
    Check(requests, ["csr-pending", "csr-refused", "csr-many"], ["its.requests"]),
    Check(unknown_wecs, ["wec-unknown"], ["its.clusters"]),
    Check(definitions_of_wds, ["wds-definitions-missing"], ["wds.served"]),
    Check(namespaces, ["namespace-held"], ["wds.namespaces"]),
    Check(unknown_its, ["its-missing", "its-unknown"], ["wds.policies"], ["its.works"]),
    Check(shared_spaces, ["space-shared"], ["wds.policies"], ["its.works"]),
    Check(
        policies,
        ["policy-invalid", "policy-unprocessed", "policy-behind", "policy-errors"],
        ["wds.policies", "wds.placements"],
    ),
    Check(bindings, ["binding-unread"], ["wds.bindings"]),
    Check(
        deliveries,
        ["delivery-behind", "work-not-applied", "work-bundled", "work-left-over"],
        ["wds.bindings", "its.works", "its.clusters"],
    ),
    Check(
        placements,
        list(PLACEMENT),
        ["wds.placements", "wds.policies", "wds.bindings"],
        ["its.works", "hub.deployments"],
    ),
)

IDS: Sequence[str] = ("not-read", *(name for check in CHECKS for name in check.ids))
"""Everything that can be asked for. What could not be read is told for whatever is asked."""


def chosen(ids: Sequence[str] | None) -> list[Check]:
    """The checks that find one of these; all for None.

    :raises InvalidInput: no check has such an id.
    """
    for name in ids or ():
        if name not in IDS:
            near = difflib.get_close_matches(name, IDS)
            raise InvalidInput(
                f"There is no check {plain(name, 80)}.",
                hint=f"Did you mean {' or '.join(near)}?" if near else "See the documentation of checks.",
            )
    return [check for check in CHECKS if ids is None or set(check.ids) & set(ids)]


def needed(checks: Iterable[Check]) -> frozenset[str]:
    """What has to be read for some checks."""
    return frozenset(need for check in checks for need in (*check.needs, *check.also))


@dataclass(frozen=True)
class Diagnosis:
    """What was found, the worst first.

    :ivar checked: for each id whether its check ran at all, and what it could not look at.
    """

    findings: Sequence[Finding]
    checked: Sequence[Mapping[str, Any]]


def diagnose(facts: Facts, ids: Sequence[str] | None = None) -> Diagnosis:
    """Run the chosen checks.

    :param ids: what to look for; None for everything.
    """
    checks = chosen(ids)
    found = [item for check in checks for item in check.look(facts) if ids is None or item.id in ids]
    if ids is None or {"space-unreachable", "space-refused"} <= set(ids):
        closed = frozenset(space.name for space in facts.spaces if space.trouble)
    else:
        closed = frozenset()
    found += unreachable_hub(facts) if facts.hub.trouble else _unread(facts, needed(checks), closed)
    entries = []
    for check in checks:
        ran, lacking = _coverage(facts, check)
        for name in check.ids:
            if ids is None or name in ids:
                entries.append({"id": name, "ran": ran, "lacking": lacking})
    return Diagnosis(sorted(set(found), key=lambda item: item.order), entries)


def _unread(facts: Facts, needs: frozenset[str], closed: frozenset[str]) -> Findings:
    """What could not be read; equal reasons of one cluster once.

    :param closed: spaces that have a finding of their own, since they cannot be used at all.
    """
    told = {
        (where, error): None
        for need in sorted(needs)
        for where, error in _readings(facts, need)
        if error and where not in closed
    }
    for where, error in told:
        yield finding("not-read", where, reason=error)


def _coverage(facts: Facts, check: Check) -> tuple[bool, list[str]]:
    """Whether a check could look at anything, and one sentence for each thing that it could not look at."""
    lacking = {
        f"{where}: {plain(error)}"
        for need in (*check.needs, *check.also)
        for where, error in _readings(facts, need)
        if error
    }
    for role in {need.partition(".")[0] for need in check.needs} - {"hub"}:
        if not facts.of_role(role) and not facts.hub.trouble:
            lacking.add(f"{facts.hub.name}: there is no {role.upper()}")
    ran = all(any(not error for _where, error in _readings(facts, need)) for need in check.needs)
    return ran, sorted(lacking)


def _readings(facts: Facts, need: str) -> list[tuple[str, str]]:
    """(cluster, error) for everything that a need is about; the error is empty where it was read."""
    role, _dot, key = need.partition(".")
    hub = facts.hub
    if hub.trouble:
        return [(hub.name, hub.trouble)]
    if need == "hub.secrets":
        return [(hub.name, space.secret_error) for space in facts.spaces] or [(hub.name, "")]
    if role == "hub":
        return [(hub.name, getattr(hub, key).error)]
    return [(space.name, space.trouble or _error(space, key)) for space in facts.of_role(role)]


def _error(space: Space, key: str) -> str:
    content = space.its if space.role == ITS else space.wds
    if key == "served":
        return ""
    if key == "placements":
        return space.wds.placements_error if space.wds else ""
    reading = getattr(content, key, Reading())
    return str(reading.error)
