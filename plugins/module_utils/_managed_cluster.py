# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WECs as ManagedClusters of an ITS (private to kubestellar.core).

All clusters of a call are handled together: everything is listed once, then each cluster takes its next step
as soon as what it waits for is there. One that fails does not stop the others.
"""

from __future__ import annotations

import contextlib
import datetime
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bulk, _csr, _diff, _metadata
from ansible_collections.kubestellar.core.plugins.module_utils._client import FIELD_MANAGER, Cluster, label
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    Conflict,
    InvalidInput,
    KubestellarError,
    NotFound,
    WaitTimeout,
    plain,
)
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    CONFIG_MAPS,
    CSRS,
    LEASES,
    MANAGED_CLUSTERS,
    MANIFEST_WORKS,
    NAMESPACES,
    Resource,
)
from ansible_collections.kubestellar.core.plugins.module_utils._wait import (
    Follower,
    Verdict,
    Waiter,
    condition,
    summary,
)
from ansible_collections.kubestellar.core.plugins.module_utils.placement import templates
from ansible_collections.kubestellar.core.plugins.module_utils.placement.facts import Target
from ansible_collections.kubestellar.core.plugins.module_utils.wecs import parking

PROPERTIES_NAMESPACE = "customization-properties"
"""Namespace of the ConfigMaps for template expansion, one per WEC; KubeStellar's transport controller makes it too."""
LEASE = "managed-cluster-lease"
WORKERS = 8

_ORIGIN_LABEL = "transport.kubestellar.io/originWdsName"
_MANAGED_CLUSTER_ADDONS = Resource(
    "addon.open-cluster-management.io", "v1alpha1", "managedclusteraddons", "ManagedClusterAddOn", True
)
_REFUSAL_SECONDS = 10.0
_MOST_TIMES = 30
"""How long a good request may still come after a refused one, before the cluster counts as failed."""
_LEASE_FACTOR = 5
"""The hub calls a cluster unknown after this many lease durations (ocm: pkg/registration/hub/lease)."""
_CONFLICTS = 5

_PROPERTY_KEY = re.compile(r"^[-._A-Za-z0-9]{1,253}$")
_IDENTIFIER = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")


@dataclass(frozen=True)
class Wish:
    """One WEC as it is wanted. None: leave as it is; an empty mapping: remove what we had set."""

    name: str
    labels: Mapping[str, str] | None = None
    annotations: Mapping[str, str] | None = None
    properties: Mapping[str, str] | None = None


# -- input --------------------------------------------------------------------------------------------------


def check_name(name: Any) -> None:
    """:raises InvalidInput: the name of a WEC is no DNS label of at most 63 characters."""
    if isinstance(name, str) and _metadata.is_dns_label(name):
        return
    reason = "it has a dot, which OCM agents refuse" if "." in str(name) else "it is no DNS label"
    raise InvalidInput(
        f"The cluster name {plain(name, 80)!r} is not allowed: {reason}.",
        hint="Use at most 63 lower-case letters, digits and dashes, beginning and ending with a letter or digit.",
    )


def wishes_of(params: Mapping[str, Any]) -> list[Wish]:
    """The WECs that the options of the module describe: `names` or `clusters`, with the common maps merged under.

    :raises InvalidInput: an illegal name, key or value, or a name that is there twice.
    """
    entries = (
        [{"name": name} for name in params["names"]] if params["names"] is not None else params["clusters"]
    )
    wishes: list[Wish] = []
    seen: set[str] = set()
    for entry in entries or []:
        name = entry["name"]
        check_name(name)
        if name in seen:
            raise InvalidInput(f"The cluster {name} is named twice.", hint="Keep one of them.")
        seen.add(name)
        maps: dict[str, dict[str, str] | None] = {}
        for key, check_pair in _PAIR_CHECKS.items():
            given = [source for source in (params[key], entry.get(key)) if source is not None]
            maps[key] = {k: v for source in given for k, v in source.items()} if given else None
            for pair_key, value in (maps[key] or {}).items():
                check_pair(pair_key, value, f"{name}: {key}")
        wishes.append(Wish(name, **maps))
    return wishes


def unseen_properties(wishes: Iterable[Wish]) -> list[str]:
    """Property keys that templates cannot name because they are no Go identifiers."""
    return sorted({key for wish in wishes for key in wish.properties or {} if not _IDENTIFIER.fullmatch(key)})


def _check_text(key: Any, value: Any, where: str) -> None:
    if not isinstance(key, str):
        raise InvalidInput(f"{where}: the key {plain(key)} is a {type(key).__name__}, not a string.")
    if not isinstance(value, str):
        raise InvalidInput(
            f"{where}: the value of {plain(key)} is a {type(value).__name__}, not a string.",
            hint=f'Write it in quotes: "{plain(value)}".',
        )


def _check_key(key: str, where: str) -> None:
    if not _metadata.is_key(key):
        raise InvalidInput(
            f"{where}: the key {plain(key, 80)!r} is not allowed.",
            hint="A key is up to 63 letters, digits, dashes, dots and underscores, and may have a DNS name and a slash "
            "in front.",
        )


def _check_label(key: Any, value: Any, where: str) -> None:
    _check_text(key, value, where)
    _check_key(key, where)
    if not _metadata.is_label_value(value):
        raise InvalidInput(
            f"{where}: the value {plain(value, 80)!r} of {key} is not allowed.",
            hint="A label's value is up to 63 letters, digits, dashes, dots and underscores, beginning and ending with "
            "a letter or digit. Longer text belongs into annotations or properties.",
        )


def _check_annotation(key: Any, value: Any, where: str) -> None:
    _check_text(key, value, where)
    _check_key(key, where)


def _check_property(key: Any, value: Any, where: str) -> None:
    _check_text(key, value, where)
    if not _PROPERTY_KEY.fullmatch(key) or key in (".", "..") or key.startswith(".."):
        raise InvalidInput(
            f"{where}: the key {plain(key, 80)!r} is not allowed.",
            hint="Use letters, digits and underscores, so that templates can name it.",
        )


_PAIR_CHECKS: dict[str, Callable[[Any, Any, str], None]] = {
    "labels": _check_label,
    "annotations": _check_annotation,
    "properties": _check_property,
}


# -- what is there ------------------------------------------------------------------------------------------


@dataclass
class State:
    """The ITS as it was listed: by name of the WEC."""

    managed: dict[str, dict[str, Any]]
    requests: dict[str, list[dict[str, Any]]]
    leases: dict[str, dict[str, Any]]
    properties: dict[str, dict[str, Any]]


def read_state(its: Cluster, *, label_selector: str = "") -> State:
    """List ManagedClusters, certificate requests, Leases and property ConfigMaps, once each.

    :param label_selector: only ManagedClusters that match.
    :raises NotFound: the cluster is no OCM hub; never taken for "there are none".
    """
    managed = [item for page in managed_pages(its, label_selector=label_selector) for item in page]
    lists: list[list[dict[str, Any]]] = _bulk.in_parallel(
        lambda call: call().items,
        [
            lambda: its.list(CSRS, label_selector=_csr.CLUSTER_LABEL),
            lambda: its.list(LEASES, field_selector=f"metadata.name={LEASE}"),
            lambda: its.list(CONFIG_MAPS, PROPERTIES_NAMESPACE),
        ],
    )
    csrs, leases, properties = lists
    return State(
        {item["metadata"]["name"]: item for item in managed},
        group_requests(csrs),
        {item["metadata"]["namespace"]: item for item in leases},
        {item["metadata"]["name"]: item for item in properties},
    )


def managed_pages(its: Cluster, *, label_selector: str = "") -> Iterator[list[dict[str, Any]]]:
    """The ManagedClusters of an ITS, page by page.

    :raises NotFound: the cluster is no OCM hub; never taken for "there are none".
    """
    try:
        for page in its.pages(MANAGED_CLUSTERS, label_selector=label_selector):
            yield page.items
    except NotFound as error:
        raise NotFound(
            f"{its.name}: the kind ManagedCluster is not served, so this is no OCM hub.",
            status=404,
            reason="KindNotServed",
            hint="Is this the right space, and is its OCM hub installed?",
        ) from error


def group_requests(csrs: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Certificate requests by the WEC that their label names."""
    grouped: dict[str, list[dict[str, Any]]] = {}
    for csr in csrs:
        wec = str((csr["metadata"].get("labels") or {}).get(_csr.CLUSTER_LABEL) or "")
        grouped.setdefault(wec, []).append(csr)
    return grouped


def is_accepted(managed: Mapping[str, Any] | None) -> bool:
    """Whether `spec.hubAcceptsClient` is true."""
    return bool(((managed or {}).get("spec") or {}).get("hubAcceptsClient"))


def is_joined(managed: dict[str, Any] | None) -> bool:
    """Whether the agent has come back with its certificate."""
    return condition(managed, "ManagedClusterJoined").get("status") == "True"


def unavailable_because(managed: dict[str, Any] | None, lease: Mapping[str, Any] | None, now: float) -> str:
    """Why a WEC is not available: its condition, or a Lease that stopped; empty when it is.

    The condition alone may be old: it stays True when the hub's registration controller is down.

    :param now: seconds since the epoch.
    """
    if managed is None:
        return "it is not registered"
    found = condition(managed, "ManagedClusterConditionAvailable")
    if found.get("status") != "True":
        if not found:
            return "the hub has not heard of it yet"
        return (
            plain(": ".join(str(found.get(k)) for k in ("reason", "message") if found.get(k)), 200)
            or "no reason"
        )
    age = lease_age(lease, now)
    if age is not None and age > longest_silence(managed):
        return f"its Lease was last renewed {age:.0f} s ago"
    return ""


def longest_silence(managed: Mapping[str, Any] | None) -> float:
    """Seconds without a renewed Lease after which a WEC counts as unreachable."""
    duration = ((managed or {}).get("spec") or {}).get("leaseDurationSeconds") or 60
    return float(_LEASE_FACTOR * int(duration))


def lease_age(lease: Mapping[str, Any] | None, now: float) -> float | None:
    """Seconds since the agent renewed its Lease, or None if there is none; never negative."""
    return seconds_since(((lease or {}).get("spec") or {}).get("renewTime"), now)


def seconds_since(text: Any, now: float) -> float | None:
    """Seconds from a time as API servers write it, never negative; None if there is none or it cannot be read."""
    if not text:
        return None
    try:
        then = datetime.datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return None
    return max(0.0, now - then.timestamp())


def describe(state: State, name: str, now: float) -> dict[str, Any]:
    """One entry of `managed_clusters`, as managed_cluster_info returns it."""
    managed = state.managed[name]
    metadata, status = managed.get("metadata") or {}, managed.get("status") or {}
    lease = state.leases.get(name)
    reason = unavailable_because(managed, lease, now)
    age = lease_age(lease, now)
    choice = _csr.choose(state.requests.get(name, []), name)
    return {
        "name": name,
        "accepted": is_accepted(managed),
        "joined": is_joined(managed),
        "available": not reason,
        "available_reason": reason,
        "labels": dict(metadata.get("labels") or {}),
        "annotations": dict(metadata.get("annotations") or {}),
        "properties": dict((state.properties.get(name) or {}).get("data") or {}),
        "claims": {
            str(claim.get("name")): str(claim.get("value")) for claim in status.get("clusterClaims") or []
        },
        "version": str((status.get("version") or {}).get("kubernetes") or ""),
        "conditions": [
            {key: str(found.get(key) or "") for key in ("type", "status", "reason", "message")}
            for found in status.get("conditions") or []
        ],
        "taints": [dict(taint) for taint in (managed.get("spec") or {}).get("taints") or []],
        "lease_age": None if age is None else round(age, 1),
        "requests": [
            {"name": csr["metadata"]["name"], "decision": "approve", "reason": "it waits for approval"}
            for csr in choice.approve
        ]
        + [{"name": csr, "decision": "refuse", "reason": reason} for csr, reason in choice.refused],
        "created": str(metadata.get("creationTimestamp") or ""),
        "deleting": bool(metadata.get("deletionTimestamp")),
    }


# -- bringing about -----------------------------------------------------------------------------------------


@dataclass(eq=False)
class Member:
    """One WEC on its way.

    :ivar uid: of the ManagedCluster that the notes below are about; they are void for another one.
    :ivar refused_since: monotonic time of the first refused request with no good one beside it.
    """

    wish: Wish
    managed: dict[str, Any] | None = None
    lease: dict[str, Any] | None = None
    choice: _csr.Choice = field(default_factory=_csr.Choice)
    uid: str = ""
    accepted: bool = False
    described: bool = False
    approved: list[str] = field(default_factory=list)
    renewed_before: str | None = None
    refused_since: float | None = None
    missing: str = ""
    had_to_wait: bool = False
    error: str = ""
    done: bool = False
    seconds: float = 0.0
    method: str = "none"
    diffs: list[dict[str, str]] = field(default_factory=list)
    abandoned: list[str] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the WEC."""
        return self.wish.name

    def result(self, now: float) -> dict[str, Any]:
        """The entry of `clusters`."""
        reason = unavailable_because(self.managed, self.lease, now)
        entry: dict[str, Any] = {
            "name": self.name,
            "namespace": "",
            "kind": MANAGED_CLUSTERS.kind,
            "method": self.method,
            "changed": self.method != "none",
            "accepted": is_accepted(self.managed) or self.accepted,
            "joined": is_joined(self.managed),
            "available": self.managed is not None and not reason,
            "available_reason": reason,
            "approved": list(self.approved),
            "refused": [{"name": name, "reason": why} for name, why in self.choice.refused],
            "seconds": round(self.seconds, 1),
            "failed": bool(self.error),
        }
        if self.error:
            entry["error"] = self.error
        if self.abandoned:
            entry["abandoned"] = self.abandoned
        return {**entry, **self.details}


def times(members: Iterable[Member]) -> list[str]:
    """How long those took that had to be waited for: a table of the clusters, or of a large fleet in one line."""
    took = sorted((m.seconds, m.name) for m in members if m.had_to_wait and m.done and not m.error)
    if len(took) > _MOST_TIMES:
        half, (longest, last) = took[len(took) // 2][0], took[-1]
        counted = f"{len(took)} clusters are ready: the first after {took[0][0]:.0f} s"
        return [f"{counted}, half of them after {half:.0f} s, {last} as the last after {longest:.0f} s"]
    widest = max((len(name) for _seconds, name in took), default=0)
    return [f"{name:{widest}}  ready after {seconds:5.1f} s" for seconds, name in took]


def forecast(wishes: Sequence[Wish]) -> list[Member]:
    """What would happen in an ITS that does not exist yet: every cluster would join and be accepted."""
    return [Member(wish, method="create", diffs=[_joining_diff(wish, "planned")]) for wish in wishes]


def _joining_diff(wish: Wish, cluster: str) -> dict[str, str]:
    """The diff of a cluster whose agent has not asked yet."""
    metadata = {
        "name": wish.name,
        "labels": dict(wish.labels or {}),
        "annotations": dict(wish.annotations or {}),
    }
    after = {
        "apiVersion": MANAGED_CLUSTERS.api_version,
        "kind": MANAGED_CLUSTERS.kind,
        "metadata": {key: value for key, value in metadata.items() if value},
        "spec": {"hubAcceptsClient": True},
    }
    return _diff.entry(None, after, f"{cluster}: ManagedCluster {wish.name}")


class Acceptance:
    """Brings WECs of one ITS to accepted, described, joined and available.

    :param rejoin: approve a first request also of a WEC that is available, which means that its agent was set
        up anew.
    :param force_conflicts: take labels, annotations and properties over from other field managers.
    :param lacking: from the clusters as they are and as they are to be, to what each would lack for the policies that select
        it; such a cluster fails before its labels are written and its properties removed.
    """

    def __init__(
        self,
        its: Cluster,
        wishes: Sequence[Wish],
        *,
        rejoin: bool,
        force_conflicts: bool,
        dry_run: bool,
        progress: Progress,
        lacking: Callable[[Mapping[str, Target], Mapping[str, Target]], Mapping[str, str]] | None = None,
    ) -> None:
        self._its = its
        self._lacking_properties = lacking
        self._rejoin = rejoin
        self._force = force_conflicts
        self._dry_run = dry_run
        self._progress = progress
        self._start = time.monotonic()
        self._waiting = False
        self._properties: dict[str, dict[str, Any]] = {}
        self._choices: dict[str, tuple[tuple[tuple[str, str], ...], _csr.Choice]] = {}
        self.members = [Member(wish) for wish in wishes]

    def run(self, *, wait: bool, timeout: float) -> list[Member]:
        """Do all of it. What went wrong with a cluster is in its `error`.

        :param wait: wait for agents to ask, to come back and to be available; else do what can be done now.
        :param timeout: seconds for all clusters together.
        :raises KubestellarError: nothing could be read.
        """
        state = read_state(self._its)
        self._waiting = wait and not self._dry_run
        self._properties = state.properties
        self._apply_properties()
        self._observe(state.managed, state.requests, state.leases)
        self._step_all()
        if self._waiting and any(not member.done for member in self.members):
            self._wait(timeout)
        for member in self.members:
            if not member.done and not member.error and not self._dry_run:
                member.error = f"{self._its.name}: {member.name}: {member.missing}."
        return self.members

    # properties first: a label may at once select the cluster for a workload that needs them

    def _apply_properties(self) -> None:
        """Properties as wanted, but with those kept that would be dropped: labels may still need them."""
        wanted = {m.name: m for m in self.members if m.wish.properties is not None}
        writes: list[tuple[Member, dict[str, Any], dict[str, Any] | None]] = []
        for name, member in wanted.items():
            live = self._properties.get(name)
            ours = _owned(live, "data")
            data = {**ours, **dict(member.wish.properties or {})}
            obj = _config_map(name, data)
            if (live is None and not data) or (live is not None and _settled(obj, live, data)):
                continue
            writes.append((member, obj, live))
        if not writes:
            return
        missing_namespace = not self._properties and self._its.get(NAMESPACES, PROPERTIES_NAMESPACE) is None
        if missing_namespace and not self._dry_run:
            namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": PROPERTIES_NAMESPACE}}
            self._its.apply(NAMESPACES, namespace)

        def write(item: tuple[Member, dict[str, Any], dict[str, Any] | None]) -> None:
            member, obj, live = item
            with Noting(member):
                if missing_namespace and self._dry_run:
                    self._note(member, CONFIG_MAPS, None, obj)
                    return
                after = self._its.apply(CONFIG_MAPS, obj, force=self._force, dry_run=self._dry_run)
                self._properties[member.name] = after
                self._note(member, CONFIG_MAPS, live, after)

        _bulk.in_parallel(write, writes, workers=WORKERS)

    def _drop_properties(self, member: Member) -> None:
        """Remove our properties that are no longer wanted, now that the labels are as they should be."""
        live = self._properties.get(member.name)
        if member.wish.properties is None or live is None:
            return
        obj = _config_map(member.name, member.wish.properties)
        if _settled(obj, live, member.wish.properties):
            return
        after = self._its.apply(CONFIG_MAPS, obj, force=self._force, dry_run=self._dry_run)
        self._note(member, CONFIG_MAPS, live, after)

    # the waiting part

    def _wait(self, timeout: float) -> None:
        waiter = Waiter(self._progress)
        managed = waiter.follow(self._its, MANAGED_CLUSTERS)
        requests = waiter.follow(self._its, CSRS, label_selector=_csr.CLUSTER_LABEL)
        leases = waiter.follow(self._its, LEASES, field_selector=f"metadata.name={LEASE}")

        def evaluate() -> Verdict:
            self._observe(
                _by_name(managed), group_requests(requests.objects().values()), _by_namespace(leases)
            )
            self._step_all()
            open_members = [member for member in self.members if not member.done]
            return Verdict(not open_members, [f"{m.name}: {m.missing}" for m in open_members], again=2.0)

        count = len(self.members)
        try:
            waiter.until(
                evaluate,
                timeout=max(0.0, timeout - (time.monotonic() - self._start)),
                what=f"{self._its.name}: {count} cluster{'s' if count != 1 else ''} joined and available",
            )
        except WaitTimeout:
            waited = time.monotonic() - self._start
            for member in self.members:
                if not member.done:
                    member.error = (
                        f"{self._its.name}: {member.name} did not get ready in {waited:.0f} s: {member.missing}."
                        f"{_refusals(member)}"
                    )
        for line in times(self.members):
            self._progress.line(line)

    def _observe(
        self,
        managed: Mapping[str, dict[str, Any]],
        requests: Mapping[str, list[dict[str, Any]]],
        leases: Mapping[str, dict[str, Any]],
    ) -> None:
        for member in self.members:
            member.managed = managed.get(member.name)
            member.lease = leases.get(member.name)
            uid = str(((member.managed or {}).get("metadata") or {}).get("uid") or "")
            if uid != member.uid:
                member.uid, member.accepted, member.described = uid, False, False
            member.choice = self._choose(member.name, requests.get(member.name, []))

    def _choose(self, name: str, csrs: list[dict[str, Any]]) -> _csr.Choice:
        """`_csr.choose`, remembered: signatures are not verified again for each event."""
        key = tuple(sorted((c["metadata"]["name"], str(c["metadata"].get("resourceVersion"))) for c in csrs))
        known = self._choices.get(name)
        if known is None or known[0] != key:
            known = (key, _csr.choose(csrs, name))
            self._choices[name] = known
        return known[1]

    def _step_all(self) -> None:
        ready: list[Member] = []
        for member in self.members:
            if member.done:
                continue
            if self._has_work(member):
                ready.append(member)
            else:
                self._finish_or_wait(member)
        self._check_properties(ready)
        _bulk.in_parallel(self._step, [member for member in ready if not member.error], workers=WORKERS)

    def _check_properties(self, members: Sequence[Member]) -> None:
        """Fail those that would be selected for templates that need more properties than they will have."""
        before, after = {}, {}
        for member in members:
            if self._may_describe(member) and not member.described:
                with Noting(member):
                    now, then = self._targets(member)
                    lost = templates.properties(now).keys() - templates.properties(then).keys()
                    if lost or now.labels != then.labels:
                        before[member.name], after[member.name] = now, then
        if not after or self._lacking_properties is None:
            return
        lacks = self._lacking_properties(before, after)
        for member in members:
            if member.name in lacks:
                member.error = (
                    f"{self._its.name}: {member.name} is not described anew, since it would lack properties: "
                    f"{lacks[member.name]}. KubeStellar would withdraw the workload of the policy from all of its clusters. "
                    "Give the properties, or leave out the labels."
                )
                member.done = True

    def _targets(self, member: Member) -> tuple[Target, Target]:
        """A cluster as templates see it now, and as they will."""
        live, wish = member.managed or {}, member.wish
        metadata = live.get("metadata") or {}
        config_map = self._properties.get(member.name)
        now = Target(
            member.name,
            dict(metadata.get("labels") or {}),
            dict(metadata.get("annotations") or {}),
            dict((config_map or {}).get("data") or {}),
        )
        labels = _after(now.labels, _owned(live, "metadata", "labels"), wish.labels)
        for key, value in (parking.parked(live) or {}).items():
            labels.setdefault(key, value)
        then = Target(
            member.name,
            labels,
            _after(now.annotations, _owned(live, "metadata", "annotations"), wish.annotations),
            _after(now.properties, _owned(config_map, "data"), wish.properties),
        )
        return now, then

    def _has_work(self, member: Member) -> bool:
        """Whether `_step` would send a request; false also for what only waits."""
        if member.managed is None:
            return False
        if self._may_describe(member) and not member.described:
            return True
        return self._may_accept(member) or bool(self._to_approve(member))

    def _may_accept(self, member: Member) -> bool:
        """A WEC is accepted on the strength of a good request, or because it had been accepted before (joined)."""
        if is_accepted(member.managed) or member.accepted:
            return False
        return bool(member.choice.approve or member.choice.approved or is_joined(member.managed))

    def _to_approve(self, member: Member) -> list[Mapping[str, Any]]:
        """Good requests, unless the WEC is connected and its agent was not set up anew."""
        fresh = [csr for csr in member.choice.approve if csr["metadata"]["name"] not in member.approved]
        if not fresh or member.managed is None:
            return []
        connected = is_joined(member.managed) and not unavailable_because(
            member.managed, member.lease, time.time()
        )
        return [] if connected and not self._rejoin and not member.approved else fresh

    def _may_describe(self, member: Member) -> bool:
        """Labels wait for the join, so that nothing is placed on a cluster that has no namespace yet."""
        return (is_joined(member.managed) or not self._waiting) and not self._is_held(member)

    def _is_held(self, member: Member) -> bool:
        """Whether a WEC is drained and cannot take its workload back yet."""
        return parking.is_drained(member.managed) and bool(
            unavailable_because(member.managed, member.lease, time.time())
        )

    def _step(self, member: Member) -> None:
        """Send what can be sent for one cluster now."""
        with Noting(member):
            managed = member.managed
            if managed is None:
                return
            if managed["metadata"].get("deletionTimestamp"):
                raise KubestellarError(
                    f"{self._its.name}: ManagedCluster {member.name} is being deleted.",
                    hint="Wait until it is gone; its agent then asks to join again.",
                )
            if self._may_accept(member):
                self._accept(member, managed)
            for csr in self._to_approve(member):
                self._approve(member, csr)
            if self._may_describe(member) and not member.described:
                self._describe(member)
        if member.error:
            member.done = True
        else:
            self._finish_or_wait(member)

    def _accept(self, member: Member, managed: dict[str, Any]) -> None:
        """Set hubAcceptsClient by merge patch, guarded by the UID.

        Not by server-side apply: an apply that leaves the field out later, for example one that only sets
        labels, would take it back and lock the cluster out. Before the approval, so that a run killed in
        between leaves a pending request and not a credential of a cluster that is never accepted.
        """
        after = self._its.patch(
            MANAGED_CLUSTERS,
            member.name,
            None,
            {"metadata": {"uid": managed["metadata"]["uid"]}, "spec": {"hubAcceptsClient": True}},
            dry_run=self._dry_run,
        )
        member.accepted = True
        self._note(member, MANAGED_CLUSTERS, managed, after)
        if not self._dry_run:
            member.managed = after

    def _approve(self, member: Member, csr: Mapping[str, Any]) -> None:
        """PUT .../approval; after a conflict the request is read and judged again."""
        name = csr["metadata"]["name"]
        current: Mapping[str, Any] | None = csr
        member.renewed_before = _renew_time(member.lease) or None
        for _attempt in range(_CONFLICTS):
            if current is None:
                return
            verdict = _csr.judge(current, member.name)
            if verdict.decision != "approve":
                return
            body = _csr.approval(current, f"Accepted as cluster {member.name}")
            try:
                self._its.update(CSRS, body, subresource="approval", dry_run=self._dry_run)
            except Conflict:
                current = self._its.get(CSRS, name)
                continue
            member.approved.append(name)
            member.method = "update" if member.method == "none" else member.method
            member.diffs.append(
                {
                    "before": "Pending\n",
                    "after": "Approved\n",
                    "before_header": f"{self._its.name}: CertificateSigningRequest {name}",
                    "after_header": f"{self._its.name}: CertificateSigningRequest {name}",
                }
            )
            return
        raise KubestellarError(f"{self._its.name}: the request {name} of {member.name} keeps changing.")

    def _describe(self, member: Member) -> None:
        """Our labels and annotations by server-side apply, guarded by the UID; then surplus properties go."""
        live = member.managed or {}
        want = described(member.wish, live)
        if want is not None and not _diff.satisfied(want, live):
            guarded = {**want, "metadata": {**want["metadata"], "uid": live["metadata"]["uid"]}}
            after = self._its.apply(MANAGED_CLUSTERS, guarded, force=self._force, dry_run=self._dry_run)
            self._note(member, MANAGED_CLUSTERS, live, after)
            if not self._dry_run:
                member.managed = after
        self._restore(member)
        self._drop_properties(member)
        member.described = True

    def _restore(self, member: Member) -> None:
        """Give a drained cluster the labels back that were parked."""
        live = member.managed or {}
        kept = parking.parked(live)
        if kept is None:
            return
        patch = parking.restoring_patch(live, kept, member.wish.labels)
        after = self._its.patch(MANAGED_CLUSTERS, member.name, None, patch, dry_run=self._dry_run)
        self._note(member, MANAGED_CLUSTERS, live, after)
        if not self._dry_run:
            member.managed = after

    def _note(
        self,
        member: Member,
        resource: Resource,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any],
    ) -> None:
        """Remember one write, if it changed anything."""
        if before is not None and _diff.content(before) == _diff.content(after):
            return
        if member.method == "none":
            member.method = "update"
        metadata = after["metadata"]
        what = label(resource.kind, metadata["name"], metadata.get("namespace"))
        member.diffs.append(_diff.entry(before, after, f"{self._its.name}: {what}"))

    def _finish_or_wait(self, member: Member) -> None:
        """Note what one cluster lacks, or that it is done."""
        if member.error:
            member.done = True
            return
        member.missing = self._lacking(member)
        if self._dry_run:
            if member.managed is None:
                member.method = "create"
                member.diffs.append(_joining_diff(member.wish, self._its.name))
            elif member.method == "none" and (not is_joined(member.managed) or self._is_held(member)):
                # It will be accepted when its agent's request comes, or get its labels back when it is available.
                member.method = "update"
            self._fail_refused(member, grace=0.0)
            member.done = True
        elif not member.missing:
            member.done = True
            if member.method != "none" or member.had_to_wait:
                member.seconds = time.monotonic() - self._start
        else:
            member.had_to_wait = True
            self._fail_refused(member, grace=_REFUSAL_SECONDS if self._waiting else 0.0)
            if not self._waiting and member.described and is_accepted(member.managed):
                member.done = True

    def _fail_refused(self, member: Member, *, grace: float) -> None:
        """A cluster that only impostors ask for has failed, after a moment for the real agent."""
        choice = member.choice
        if (
            not choice.refused
            or choice.approve
            or choice.approved
            or is_joined(member.managed)
            or member.approved
        ):
            member.refused_since = None
            return
        member.refused_since = member.refused_since or time.monotonic()
        if time.monotonic() - member.refused_since >= grace:
            member.error = f"{self._its.name}: {member.name} was not accepted.{_refusals(member)}"
            member.done = True

    def _lacking(self, member: Member) -> str:
        """What one cluster lacks, as a clause; empty if nothing."""
        managed, choice = member.managed, member.choice
        if managed is None:
            return "there is no ManagedCluster yet: has its agent started, with credentials of this ITS"
        if not is_accepted(managed) and not member.accepted:
            return "no certificate request of an agent has come yet"
        if not is_joined(managed):
            if member.approved or choice.approved:
                return "its request is approved, but the agent has not come back with the certificate"
            if len(choice.refused) >= _csr.MOST_REQUESTS:
                return "10 requests exist for it, so its agent makes no more; delete the old ones"
            return "no certificate request of an agent has come yet"
        if self._is_held(member):
            reason = unavailable_because(managed, member.lease, time.time())
            return f"it is drained, and gets its labels back when it is available: {reason}"
        if not member.described:
            return "its labels are not written yet"
        if not self._waiting:
            return ""
        reason = unavailable_because(managed, member.lease, time.time())
        if reason:
            return f"it is not available: {reason}"
        if member.approved and _renew_time(member.lease) == member.renewed_before:
            return "its agent has not renewed the Lease since it joined again"
        return ""


class Noting:
    """Turns an error of one cluster into its `error`, so that the others go on."""

    def __init__(self, member: Member) -> None:
        self._member = member

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, KubestellarError):
            return False
        self._member.error = f"{error.message} {error.hint}".strip()
        self._member.done = True
        return True


def described(wish: Wish, live: Mapping[str, Any]) -> dict[str, Any] | None:
    """What to apply to a ManagedCluster for its labels and annotations, or None if there is nothing of ours.

    A map that the wish leaves open stays as we had applied it.
    """
    metadata: dict[str, Any] = {"name": wish.name}
    for key, given in (("labels", wish.labels), ("annotations", wish.annotations)):
        values = dict(given) if given is not None else _owned(live, "metadata", key)
        if values:
            metadata[key] = values
    if len(metadata) == 1 and not _diff.applied_by(live):
        return None
    return {
        "apiVersion": MANAGED_CLUSTERS.api_version,
        "kind": MANAGED_CLUSTERS.kind,
        "metadata": metadata,
    }


def _after(
    live: Mapping[str, str], owned: Mapping[str, str], wanted: Mapping[str, str] | None
) -> dict[str, str]:
    """A map after our apply: what is ours and not wanted any more goes, what is of others stays."""
    if wanted is None:
        return dict(live)
    return {**{key: value for key, value in live.items() if key not in owned}, **wanted}


def _owned(live: Mapping[str, Any] | None, *path: str) -> dict[str, str]:
    """The pairs of a map in `live` that we have applied."""
    if live is None:
        return {}
    values: Any = live
    for key in path:
        values = (values or {}).get(key)
    for entry in (live.get("metadata") or {}).get("managedFields") or []:
        if entry.get("manager") != FIELD_MANAGER or entry.get("operation") != "Apply":
            continue
        fields: Any = entry.get("fieldsV1") or {}
        for key in path:
            fields = (fields or {}).get(f"f:{key}")
        return {key: value for key, value in (values or {}).items() if f"f:{key}" in (fields or {})}
    return {}


def _config_map(name: str, data: Mapping[str, str]) -> dict[str, Any]:
    obj: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": PROPERTIES_NAMESPACE},
    }
    if data:
        obj["data"] = dict(data)
    return obj


def _settled(obj: Mapping[str, Any], live: Mapping[str, Any], data: Mapping[str, str]) -> bool:
    """Whether nothing is to be sent: it is as wanted, or nothing is wanted and nothing there is ours."""
    if not data and not _owned(live, "data"):
        return True
    return _diff.satisfied(obj, live)


def _renew_time(lease: Mapping[str, Any] | None) -> str:
    return str(((lease or {}).get("spec") or {}).get("renewTime") or "")


def _by_name(follower: Follower) -> dict[str, dict[str, Any]]:
    return {name: obj for (_namespace, name), obj in follower.objects().items()}


def _by_namespace(follower: Follower) -> dict[str, dict[str, Any]]:
    return {namespace: obj for (namespace, _name), obj in follower.objects().items()}


def _refusals(member: Member) -> str:
    """` Refused: <request>: <reason>; ...` for a message; empty if there are none."""
    if not member.choice.refused:
        return ""
    lines = [f"{name}: {reason}" for name, reason in member.choice.refused]
    return f" Refused: {summary(lines, 3)}."


# -- removing -----------------------------------------------------------------------------------------------


class Removal:
    """Detaches WECs from one ITS (contract 6.5, steps on the hub).

    :param force: for clusters that are gone for good: finalizers of what is left in their namespace are removed.
    """

    def __init__(
        self, its: Cluster, names: Sequence[str], *, force: bool, dry_run: bool, progress: Progress
    ) -> None:
        self._its = its
        self._force = force
        self._dry_run = dry_run
        self._progress = progress
        self.members = [Member(Wish(name)) for name in names]

    def run(self, *, wait: bool, timeout: float) -> list[Member]:
        """Do all of it. What went wrong with a cluster is in its `error`.

        :raises KubestellarError: nothing could be read.
        """
        state = read_state(self._its)
        names = {member.name for member in self.members}
        namespaces = {
            item["metadata"]["name"]: item
            for item in self._its.list(
                NAMESPACES, label_selector=_csr.CLUSTER_LABEL, metadata_only=True
            ).items
            if item["metadata"]["name"] in names
        }
        works = self._works()
        for member in self.members:
            member.managed = state.managed.get(member.name)
            self._check_empty(member, works.get(member.name, []))
        self._each(self._delete_managed)
        if self._force and not self._dry_run:
            self._each(lambda member: self._strip(member, works.get(member.name, [])))
        if wait and not self._dry_run:
            self._wait_gone(MANAGED_CLUSTERS, lambda member: member.managed, timeout)
        self._each(lambda member: self._delete_rest(member, state, namespaces.get(member.name)))
        if wait and not self._dry_run:
            self._wait_gone(NAMESPACES, lambda member: namespaces.get(member.name), timeout)
        for member in self.members:
            if not member.error and not self._dry_run:
                member.managed = None
        return self.members

    def _works(self) -> dict[str, list[dict[str, Any]]]:
        """ManifestWorks by namespace, metadata only."""
        grouped: dict[str, list[dict[str, Any]]] = {}
        for item in self._its.list(MANIFEST_WORKS, metadata_only=True).items:
            grouped.setdefault(item["metadata"]["namespace"], []).append(item)
        return grouped

    def _each(self, work: Callable[[Member], None]) -> None:
        """`work` on every cluster that has not failed, in parallel."""

        def guarded(member: Member) -> None:
            with Noting(member):
                work(member)

        going = [member for member in self.members if not member.error]
        with ThreadPoolExecutor(max_workers=WORKERS) as pool:
            list(pool.map(guarded, going))

    def _check_empty(self, member: Member, works: Sequence[Mapping[str, Any]]) -> None:
        placed = sorted(
            {
                str((work["metadata"].get("labels") or {}).get(_ORIGIN_LABEL))
                for work in works
                if _ORIGIN_LABEL in (work["metadata"].get("labels") or {})
            }
        )
        if placed and not self._force:
            member.error = (
                f"{self._its.name}: {member.name} still has workload of {', '.join(placed)}. Remove the labels that "
                "select it or change the policies, and wait; or set force for a cluster that is gone for good."
            )

    def _delete_managed(self, member: Member) -> None:
        managed = member.managed
        if managed is None:
            return
        member.method = "delete"
        member.diffs.append(_diff.entry(managed, None, f"{self._its.name}: ManagedCluster {member.name}"))
        if not managed["metadata"].get("deletionTimestamp"):
            self._its.delete(
                MANAGED_CLUSTERS, member.name, uid=managed["metadata"].get("uid"), dry_run=self._dry_run
            )

    def _strip(self, member: Member, works: Sequence[Mapping[str, Any]]) -> None:
        """Remove finalizers that only a living agent would remove, and note what is abandoned with it."""
        addons: Sequence[Mapping[str, Any]] = []
        with contextlib.suppress(NotFound):  # without the add-on API there are none
            addons = self._its.list(_MANAGED_CLUSTER_ADDONS, member.name, metadata_only=True).items
        for resource, items in ((MANIFEST_WORKS, works), (_MANAGED_CLUSTER_ADDONS, addons)):
            for item in items:
                name = item["metadata"]["name"]
                self._its.delete(resource, name, member.name)
                if item["metadata"].get("finalizers"):
                    try:
                        self._its.patch(resource, name, member.name, {"metadata": {"finalizers": None}})
                    except NotFound:
                        continue
                member.abandoned.append(f"{resource.kind} {name}")

    def _delete_rest(self, member: Member, state: State, namespace: Mapping[str, Any] | None) -> None:
        """The mailbox namespace, certificate requests and properties, which OCM leaves behind."""
        items: list[tuple[Resource, Mapping[str, Any]]] = [
            (CSRS, csr) for csr in state.requests.get(member.name, [])
        ]
        if namespace is not None:
            items.append((NAMESPACES, namespace))
        if member.name in state.properties:
            items.append((CONFIG_MAPS, state.properties[member.name]))
        outcomes = _bulk.delete_all(self._its, items, dry_run=self._dry_run)
        for outcome in outcomes:
            if outcome.error:
                raise KubestellarError(outcome.error)
            if outcome.changed:
                member.method = "delete"
                member.diffs.append(outcome.diff(self._its.name))

    def _wait_gone(
        self,
        resource: Resource,
        known: Callable[[Member], Mapping[str, Any] | None],
        timeout: float,
    ) -> None:
        """Wait until the known objects, by UID, are gone; those that are not, fail."""
        going = {m.name: m for m in self.members if not m.error and known(m) is not None}
        if not going:
            return
        uids = {name: (known(m) or {})["metadata"].get("uid") for name, m in going.items()}
        waiter = Waiter(self._progress)
        follower = waiter.follow(self._its, resource)
        left: dict[str, str] = {}

        def evaluate() -> Verdict:
            left.clear()
            for name in going:
                obj = follower.get(name)
                if obj is not None and obj["metadata"].get("uid") == uids[name]:
                    left[name] = _holding(obj)
            return Verdict(not left, [f"{name}: {text}" for name, text in left.items()])

        start = time.monotonic()
        try:
            waiter.until(evaluate, timeout=timeout, what=f"{self._its.name}: {resource.plural} removed")
        except WaitTimeout:
            for name, text in left.items():
                going[name].error = (
                    f"{self._its.name}: {resource.kind} {name} is still there after "
                    f"{time.monotonic() - start:.0f} s: {text}. Is its agent running? If the cluster is gone for "
                    "good, set force."
                )
        for member in going.values():
            member.seconds += time.monotonic() - start


def _holding(obj: Mapping[str, Any]) -> str:
    """What keeps an object that is being deleted: its finalizers, and OCM's condition `Deleting`."""
    finalizers = ", ".join((obj.get("metadata") or {}).get("finalizers") or []) or "none"
    found = condition(dict(obj), "Deleting")
    told = f"; {found.get('reason')}: {found.get('message')}" if found else ""
    return plain(f"finalizers {finalizers}{told}", 300)


def warnings(members: Sequence[Member]) -> list[str]:
    """Requests that claim to be from a WEC and were left alone although the WEC itself is fine."""
    lines = []
    for member in members:
        if member.error:
            continue
        for csr in member.choice.approve:
            name = csr["metadata"]["name"]
            if name not in member.approved and is_joined(member.managed):
                lines.append(
                    f"{member.name}: the request {name} to join waits although the cluster is connected; it was not "
                    "approved. If its agent was set up anew, set rejoin; else delete the request."
                )
        lines += [
            f"{member.name}: the request {name} was refused: {reason}."
            for name, reason in member.choice.refused
        ]
    return lines


def raise_failures(members: Sequence[Member], cluster: str, **details: Any) -> None:
    """Raise one error that names every cluster that failed and why, if any did.

    :param details: the keys of the failed result, such as `clusters`.
    """
    failed = [member for member in members if member.error]
    if not failed:
        return
    if len(failed) == len(members) == 1:
        raise KubestellarError(failed[0].error, **details)
    names = ", ".join(member.name for member in failed[:20])
    more = f" and {len(failed) - 20} more" if len(failed) > 20 else ""
    raise KubestellarError(
        f"{cluster}: {len(failed)} of {len(members)} clusters failed: {names}{more}. "
        + " ".join(member.error for member in failed[:3]),
        **details,
    )
