# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is delivered where: object × cluster, from four kinds of objects (private to kubestellar.core).

`join` is pure: Bindings say what is selected, ManifestWorks (kubestellar: pkg/transport/generic) what is
delivered and applied, WorkStatuses in what state it is, ManagedClusters whether that is still known.
`read` lists them all, once each and in parallel. The waits of `binding_policy` feed `join` from watches.
"""

from __future__ import annotations

import calendar
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bounds, _bulk, _health
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster, label
from ansible_collections.kubestellar.core.plugins.module_utils._errors import NotFound, plain
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    BINDING_POLICIES,
    BINDINGS,
    MANAGED_CLUSTERS,
    MANIFEST_WORKS,
    WORK_STATUSES,
    Resource,
)
from ansible_collections.kubestellar.core.plugins.module_utils._workstatus import (
    EXCLUDED,
    GENERATION_ANNOTATION,
    ORIGIN_BINDING_LABEL,
    ORIGIN_WDS_LABEL,
)
from ansible_collections.kubestellar.core.plugins.module_utils.placement import resolution
from ansible_collections.kubestellar.core.plugins.module_utils.placement.resolution import ObjectKey

GENERATION_KEY = "transport.kubestellar.io/originOwnerReferenceBindingGeneration"
STALE, REMOVING = "stale", "removing"
STATES = (_health.HEALTHY, _health.PROGRESSING, _health.FAILED, STALE, REMOVING)
"""What a cell can say, besides what `_health` knows."""

SETTLE_SECONDS = 3.0
"""How long after an apply a status that is not newer is still doubted: an agent returns it within that."""

_WORST_FIRST = (_health.FAILED, REMOVING, _health.PROGRESSING, STALE, _health.HEALTHY)


@dataclass(frozen=True)
class Item:
    """One object inside a ManifestWork.

    :ivar resource: its plural, once the work agent has said it; else empty.
    :ivar applied: what the work agent says of it; None if it has not spoken.
    :ivar spec: what `_health.relevant_spec` keeps.
    :ivar missing: why the work agent does not find it in the cluster, or cannot look; empty if it does, or has not looked.
    """

    group: str
    kind: str
    namespace: str
    name: str
    resource: str
    spec: Mapping[str, Any]
    applied: bool | None
    message: str
    missing: str = ""


@dataclass(frozen=True)
class Work:
    """What matters of one ManifestWork.

    :ivar generation: of the Binding it was written for.
    :ivar current: whether the work agent has applied its present content.
    :ivar applied_at: when the work agent last wrote its status, in seconds since the epoch; 0 if unknown.
    """

    cluster: str
    name: str
    uid: str
    binding: str
    wds: str
    generation: int
    current: bool
    message: str
    applied_at: float
    deleting: bool
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Returned:
    """What matters of one WorkStatus. :ivar at: when its status last changed, in seconds since the epoch."""

    cluster: str
    key: ObjectKey
    wds: str
    owner: str
    status: Mapping[str, Any]
    generation: int | None
    at: float


@dataclass(frozen=True)
class Wec:
    """What matters of one ManagedCluster. :ivar available: `True`, `False`, `Unknown`, or empty."""

    name: str
    accepted: bool
    joined: bool
    available: str
    reason: str
    since: str
    labels: Mapping[str, str]

    @property
    def online(self) -> bool:
        """Whether the hub hears of it."""
        return self.available == "True"

    def result(self) -> dict[str, Any]:
        """The entry of `clusters` in a module's result."""
        return {
            "name": self.name,
            "accepted": self.accepted,
            "joined": self.joined,
            "available": self.online,
            "reason": self.reason,
            "labels": dict(self.labels),
        }


@dataclass(frozen=True)
class Cell:
    """One object in one cluster.

    :ivar delivered: the ManifestWork of the Binding's present generation is there.
    :ivar applied: and the work agent has applied it.
    :ivar health: one of `STATES`.
    :ivar settled: whether `health` can already speak for what was applied last.
    :ivar final: whether waiting cannot help.
    :ivar since: when the status last changed, in seconds since the epoch; 0 if unknown.
    """

    cluster: str
    selected: bool
    delivered: bool
    applied: bool
    health: str
    message: str
    settled: bool = True
    final: bool = False
    since: float = 0.0


@dataclass
class Row:
    """One object and where it is. :ivar policies: the BindingPolicies that select it."""

    key: ObjectKey
    kind: str
    wds: str
    policies: list[str] = field(default_factory=list)
    cells: dict[str, Cell] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """`Deployment shop/web`."""
        return label(self.kind, self.key.name, self.key.namespace)


@dataclass
class Facts:
    """What was read of one WDS and its ITS.

    :ivar kinds: (group, plural) to kind, as the WDS serves them.
    """

    wds: str
    bindings: Sequence[Mapping[str, Any]]
    works: Sequence[Work]
    returned: Sequence[Returned]
    clusters: Sequence[Wec]
    kinds: Mapping[tuple[str, str], str]
    policies: Sequence[Mapping[str, Any]] = ()


# -- parsing ------------------------------------------------------------------------------------------------------


def parse_work(obj: Mapping[str, Any]) -> Work:
    """A ManifestWork, reduced."""
    metadata, status = obj["metadata"], obj.get("status") or {}
    labels = metadata.get("labels") or {}
    conditions = {c.get("type"): c for c in status.get("conditions") or []}
    applied = conditions.get("Applied") or {}
    current = applied.get("status") == "True" and applied.get("observedGeneration") == metadata.get(
        "generation"
    )
    spoken = {}
    for entry in (status.get("resourceStatus") or {}).get("manifests") or []:
        meta = entry.get("resourceMeta") or {}
        spoken[_identity(meta)] = (meta.get("resource") or "", entry.get("conditions") or [])
    items = tuple(
        _item(manifest, spoken)
        for manifest in ((obj.get("spec") or {}).get("workload") or {}).get("manifests") or []
    )
    return Work(
        cluster=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        binding=str(labels.get(ORIGIN_BINDING_LABEL) or ""),
        wds=str(labels.get(ORIGIN_WDS_LABEL) or ""),
        generation=_number((metadata.get("annotations") or {}).get(GENERATION_KEY)),
        current=current,
        message="" if applied.get("status") == "True" else plain(applied.get("message") or ""),
        applied_at=_written(metadata, "status"),
        deleting=bool(metadata.get("deletionTimestamp")),
        items=items,
    )


def _item(
    manifest: Mapping[str, Any], spoken: Mapping[tuple[str, str, str, str], tuple[str, list[Any]]]
) -> Item:
    metadata = manifest.get("metadata") or {}
    group = str(manifest.get("apiVersion") or "").rpartition("/")[0]
    identity = _identity({"group": group, "kind": manifest.get("kind"), **metadata})
    resource, conditions = spoken.get(identity, ("", []))
    applied = next((c for c in conditions if c.get("type") == "Applied"), None)
    available: Mapping[str, Any] = next((c for c in conditions if c.get("type") == "Available"), {})
    return Item(
        group=group,
        kind=identity[1],
        namespace=identity[2],
        name=identity[3],
        resource=resource,
        spec=_health.relevant_spec(group, identity[1], manifest.get("spec") or {}),
        applied=None if applied is None else applied.get("status") == "True",
        message="" if applied is None else plain(applied.get("message") or ""),
        missing=plain(available.get("message") or "it does not say why")
        if available.get("status") in ("False", "Unknown")
        else "",
    )


def _identity(meta: Mapping[str, Any]) -> tuple[str, str, str, str]:
    return (
        str(meta.get("group") or ""),
        str(meta.get("kind") or ""),
        str(meta.get("namespace") or ""),
        str(meta.get("name") or ""),
    )


def parse_returned(obj: Mapping[str, Any]) -> Returned:
    """A WorkStatus, reduced."""
    metadata = obj["metadata"]
    reference = (obj.get("spec") or {}).get("sourceRef") or {}
    owners = [owner for owner in metadata.get("ownerReferences") or [] if owner.get("controller")]
    generation = (metadata.get("annotations") or {}).get(GENERATION_ANNOTATION)
    status = obj.get("status")
    return Returned(
        cluster=metadata["namespace"],
        key=ObjectKey(
            str(reference.get("group") or ""),
            str(reference.get("resource") or ""),
            str(reference.get("namespace") or ""),
            str(reference.get("name") or ""),
        ),
        wds=str((metadata.get("labels") or {}).get(ORIGIN_WDS_LABEL) or ""),
        owner=str(owners[0].get("uid")) if owners else "",
        status=status if isinstance(status, Mapping) else {},
        generation=_number(generation) if generation else None,
        at=_written(metadata, "status") or _epoch(metadata.get("creationTimestamp")),
    )


def parse_cluster(obj: Mapping[str, Any]) -> Wec:
    """A ManagedCluster, reduced."""
    conditions = {c.get("type"): c for c in (obj.get("status") or {}).get("conditions") or []}
    available = conditions.get("ManagedClusterConditionAvailable") or {}
    return Wec(
        name=obj["metadata"]["name"],
        accepted=bool((obj.get("spec") or {}).get("hubAcceptsClient")),
        joined=(conditions.get("ManagedClusterJoined") or {}).get("status") == "True",
        available=str(available.get("status") or ""),
        reason=plain(available.get("reason") or "", 100),
        since=str(available.get("lastTransitionTime") or ""),
        labels=obj["metadata"].get("labels") or {},
    )


def _written(metadata: Mapping[str, Any], subresource: str) -> float:
    """When a subresource was last written, in seconds since the epoch; 0 if its managedFields do not say."""
    times = [
        _epoch(entry.get("time"))
        for entry in metadata.get("managedFields") or []
        if entry.get("subresource") == subresource
    ]
    return max(times, default=0.0)


def _epoch(text: Any) -> float:
    """Seconds since the epoch for a Kubernetes time (RFC 3339, UTC, whole seconds); 0 for anything else."""
    try:
        return float(calendar.timegm(time.strptime(str(text), "%Y-%m-%dT%H:%M:%SZ")))
    except (OverflowError, ValueError):
        return 0.0


def _number(text: Any) -> int:
    return _bounds.whole(text)


# -- joining ------------------------------------------------------------------------------------------------------


def belongs(work: Work, binding: str, binding_uid: str, wds: str) -> bool:
    """Whether a ManifestWork is of this Binding: by its labels, or by the UID in its name."""
    if work.binding != binding:
        return False
    return work.wds == wds or bool(binding_uid and work.name.startswith(f"{binding_uid}-"))


def join(facts: Facts, age: Callable[[Work], float]) -> list[Row]:
    """One row per object that is selected, or delivered though no longer selected.

    :param age: seconds since the work agent last wrote the status of a ManifestWork.
    """
    clusters = {cluster.name: cluster for cluster in facts.clusters}
    plurals = {(group, kind): plural for (group, plural), kind in facts.kinds.items()}
    bindings = {binding["metadata"]["name"]: binding for binding in facts.bindings}
    delivered: dict[tuple[str, ObjectKey, str], tuple[Work, Item]] = {}
    left_over: dict[tuple[str, ObjectKey, str], tuple[Work, Item]] = {}
    deliverers: dict[tuple[ObjectKey, str], set[str]] = {}
    for work in facts.works:
        binding = bindings.get(work.binding)
        uid = str(((binding or {}).get("metadata") or {}).get("uid") or "")
        if not belongs(work, work.binding, uid, facts.wds):
            continue
        present = bool(uid) and work.name.startswith((f"{uid}-", f"{work.binding}-{facts.wds}-"))
        found = delivered if present and not work.deleting else left_over
        for item in work.items:
            plural = item.resource or plurals.get((item.group, item.kind), item.kind.lower())
            key = ObjectKey(item.group, plural, item.namespace, item.name)
            known = found.get((work.binding, key, work.cluster))
            # An object that was created anew has two ManifestWorks for a while: the newer one counts.
            if known is None or work.generation > known[0].generation:
                found[(work.binding, key, work.cluster)] = (work, item)
            deliverers.setdefault((key, work.cluster), set()).add(work.uid)
    returned = {
        (entry.key, entry.cluster): entry
        for entry in facts.returned
        if entry.wds in ("", facts.wds)
        and (not entry.owner or entry.owner in deliverers.get((entry.key, entry.cluster), ()))
    }
    rows: dict[ObjectKey, Row] = {}

    def add(policy: str, key: ObjectKey, kind: str, cell: Cell) -> None:
        row = rows.setdefault(key, Row(key, kind, facts.wds))
        if policy not in row.policies:
            row.policies.append(policy)
        known = row.cells.get(cell.cluster)
        row.cells[cell.cluster] = cell if known is None else _worse(known, cell)

    for name, binding in bindings.items():
        generation = int(binding["metadata"].get("generation") or 0)
        where = resolution.destinations(binding)
        for key, selected in resolution.bound(binding).items():
            kind = facts.kinds.get((key.group, key.resource), key.resource)
            for cluster in where:
                pair = delivered.pop((name, key, cluster), None)
                status = returned.get((key, cluster))
                judged = _cell(key, selected, cluster, generation, pair, status, clusters.get(cluster), age)
                add(name, key, kind, judged)
            if not where:
                rows.setdefault(key, Row(key, kind, facts.wds)).policies.append(name)
    for (name, key, cluster), (work, item) in [*delivered.items(), *left_over.items()]:
        leaving = Cell(
            cluster, False, True, work.current, REMOVING, "no longer selected", since=work.applied_at
        )
        add(name, key, item.kind, leaving)
    return sorted(rows.values(), key=lambda row: (row.policies[:1], _order(row), row.key))


def _order(row: Row) -> int:
    """Namespaces and definitions first, as people list them."""
    return {"Namespace": 0, "CustomResourceDefinition": 1}.get(row.kind, 2)


def _worse(first: Cell, second: Cell) -> Cell:
    """The cell that needs more attention, of two policies that deliver the same object."""
    if first.selected != second.selected:
        return first if first.selected else second
    return min(first, second, key=lambda cell: _WORST_FIRST.index(cell.health))


def _cell(
    key: ObjectKey,
    selected: resolution.Selected,
    cluster: str,
    generation: int,
    pair: tuple[Work, Item] | None,
    status: Returned | None,
    wec: Wec | None,
    age: Callable[[Work], float],
) -> Cell:
    """What is known of one selected object in one cluster."""
    work, item = pair if pair else (None, None)
    delivered = work is not None and work.generation >= generation
    applied = (
        delivered
        and work is not None
        and work.current
        and item is not None
        and item.applied is True
        and not item.missing
    )
    health, settled = _judge(key, selected, work, item, delivered, applied, status, age)
    since = status.at if status is not None else (work.applied_at if work is not None else 0.0)
    if wec is None or not wec.online:
        if wec is None:
            why = "there is no ManagedCluster of this name"
        else:
            why = f"cluster not available ({wec.reason or wec.available or 'never reported'})"
        message = (
            f"{why}; last known: {health.state}{', ' if health.message else ''}{health.message}"
            if work
            else why
        )
        return Cell(cluster, True, delivered, applied, STALE, message, settled=False, since=since)
    return Cell(cluster, True, delivered, applied, health.state, health.message, settled, health.final, since)


def _judge(
    key: ObjectKey,
    selected: resolution.Selected,
    work: Work | None,
    item: Item | None,
    delivered: bool,
    applied: bool,
    status: Returned | None,
    age: Callable[[Work], float],
) -> tuple[_health.Health, bool]:
    """The health of a delivered object, and whether it can speak for what was applied last."""
    if work is None or item is None:
        return _health.Health(_health.PROGRESSING, "not delivered yet"), True
    if not delivered:
        return _health.Health(_health.PROGRESSING, "an older version is delivered"), True
    if item.missing and item.applied and work.current:
        # The agent looks only now and then, and makes it anew when it applies the next time.
        return _health.Health(_health.PROGRESSING, f"not there any more: {item.missing}"), True
    if not applied:
        if item.applied is False or (work.message and work.current is False):
            return _health.Health(_health.FAILED, f"not applied: {item.message or work.message}"), True
        return _health.Health(_health.PROGRESSING, "not applied yet"), True
    if (key.group, key.resource) in EXCLUDED:
        return _health.OK, True
    if status is None:
        return _health.Health(_health.PROGRESSING, "no status returned yet"), True
    spec = {} if selected.modulation.create_only else item.spec
    health = _health.assess(key.group, item.kind, spec, status.status, status.generation)
    settled = not work.applied_at or status.at > work.applied_at or age(work) >= SETTLE_SECONDS
    return _health.Health(health.state, plain(health.message), health.final), settled


def summary(rows: Iterable[Row], clusters: Iterable[str]) -> dict[str, int]:
    """Numbers: `clusters`, `objects`, `placements` (objects × clusters), and of these each of `STATES`."""
    rows = list(rows)
    cells = [cell for row in rows for cell in row.cells.values()]
    counts = {state: sum(cell.health == state for cell in cells) for state in STATES}
    return {"clusters": len(set(clusters)), "objects": len(rows), "placements": len(cells), **counts}


# -- reading ------------------------------------------------------------------------------------------------------


def read(its: Cluster, spaces: Mapping[str, Cluster]) -> list[Facts]:
    """What there is in some WDSes of one ITS: each resource is listed once, all in parallel.

    :param spaces: name of each WDS, as its transport controller knows it, to its API server.
    :raises ApiError, ConnectionFailed: a list could not be read; then nothing can be said.
    """
    one = next(iter(spaces)) if len(spaces) == 1 else ""
    selector = f"{ORIGIN_WDS_LABEL}={one}" if one else ORIGIN_WDS_LABEL
    jobs: list[Callable[[], Any]] = [
        lambda: [parse_cluster(item) for item in _items(its, MANAGED_CLUSTERS)],
        lambda: [parse_work(item) for item in _items(its, MANIFEST_WORKS, selector)],
        lambda: [parse_returned(item) for item in _items(its, WORK_STATUSES)],
    ]
    for wds in spaces.values():
        jobs += [
            lambda wds=wds: _items(wds, BINDING_POLICIES),  # type: ignore[misc]
            lambda wds=wds: _items(wds, BINDINGS),  # type: ignore[misc]
            lambda wds=wds: kinds(wds),  # type: ignore[misc]
        ]
    clusters, works, returned, *rest = _bulk.in_parallel(lambda job: job(), jobs)
    return [
        Facts(name, rest[3 * n + 1], works, returned, clusters, rest[3 * n + 2], rest[3 * n])
        for n, name in enumerate(spaces)
    ]


def _items(cluster: Cluster, resource: Resource, selector: str = "") -> list[dict[str, Any]]:
    """The objects of a resource; none where it is not served, as in a hub that is being set up."""
    try:
        return cluster.list(resource, label_selector=selector).items
    except NotFound:
        return []


def kinds(wds: Cluster) -> dict[tuple[str, str], str]:
    """(group, plural) to kind of everything a WDS serves."""
    return {(resource.group, resource.plural): resource.kind for resource in wds.resources()}
