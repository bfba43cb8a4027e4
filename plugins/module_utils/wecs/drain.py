# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draining WECs of one ITS: parking their labels, and seeing that the workload leaves (private to kubestellar.core).

All clusters of a call are handled together. What cannot be done safely is refused before the first write.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bulk
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster, label
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    ApiError,
    ConnectionFailed,
    KubestellarError,
    NotFound,
    Refused,
    WaitTimeout,
    plain,
)
from ansible_collections.kubestellar.core.plugins.module_utils._limit import Limit
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    APPLIED_MANIFEST_WORKS,
    BINDING_POLICIES,
    BINDINGS,
    MANAGED_CLUSTERS,
    MANIFEST_WORKS,
    Resource,
)
from ansible_collections.kubestellar.core.plugins.module_utils._wait import (
    Verdict,
    Waiter,
    condition,
    summary,
)
from ansible_collections.kubestellar.core.plugins.module_utils._workstatus import ORIGIN_WDS_LABEL
from ansible_collections.kubestellar.core.plugins.module_utils.placement import inside as within
from ansible_collections.kubestellar.core.plugins.module_utils.placement.catalogue import count, names
from ansible_collections.kubestellar.core.plugins.module_utils.wecs import parking, serving
from ansible_collections.kubestellar.core.plugins.module_utils.wecs.member import WORKERS, Member, Noting
from ansible_collections.kubestellar.core.plugins.module_utils.wecs.placements import (
    Placements,
    binding_label,
)
from ansible_collections.kubestellar.core.plugins.module_utils.wecs.registered import (
    State,
    lease_age,
    read_state,
    seconds_since,
    unavailable_because,
)
from ansible_collections.kubestellar.core.plugins.module_utils.wecs.wanted import Wish

_LOOK_SECONDS = 2.0
_UID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_WORK = re.compile(rf"{_UID}-.+-{_UID}")
"""The name of a ManifestWork of KubeStellar: Binding, WDS and object (kubestellar: pkg/transport/generic/generic_transport_controller.go)."""


@dataclass(frozen=True)
class Settings:
    """How far a drain may go.

    :ivar keep: sets of clusters of which some must stay available.
    :ivar most: how many clusters may be drained at once.
    :ivar last_copies: whether workload may lose its last copy.
    :ivar contents: whether Namespaces and definitions may go with what others have in them.
    :ivar unreachable_for: only clusters that have not been heard of for so many seconds; None for all.
    :ivar gone: they are gone for good, and are only to be listed by no Binding any more.
    :ivar healthy: only while what they have is healthy in all other clusters.
    """

    keep: Sequence[parking.Keep] = ()
    most: Limit | None = None
    last_copies: bool = True
    contents: bool = False
    unreachable_for: float | None = None
    gone: bool = False
    healthy: bool = False


@dataclass(frozen=True)
class _Applied:
    """One object that a work agent has applied in a WEC."""

    resource: Resource
    namespace: str
    name: str
    uid: str


class Draining:
    """Takes WECs out of every placement, and waits until their workload is gone.

    :param names: the clusters; None for all of the ITS.
    :param wdses: the WDSes that deliver through this ITS.
    :param inside: connections to the clusters themselves, by name, as far as they are known: there it is looked after the
        workload has been withdrawn.
    """

    def __init__(
        self,
        its: Cluster,
        names: Sequence[str] | None,
        *,
        wdses: Sequence[Cluster],
        inside: Mapping[str, Callable[[], Cluster]],
        settings: Settings,
        dry_run: bool,
        progress: Progress,
    ) -> None:
        self._its = its
        self._names = names
        self._wdses = wdses
        self._inside = inside
        self._settings = settings
        self._dry_run = dry_run
        self._progress = progress
        self._policies: list[parking.Policy] = []
        self._patches: dict[str, dict[str, Any] | None] = {}
        self._holding: dict[str, frozenset[str]] = {}
        # By what agents know this ITS: the digest of the address they use, which need not be ours.
        address = hashlib.sha256(its.server.encode()).hexdigest()
        self._hubs: dict[str, set[str]] = defaultdict(lambda: {address})
        self.members: list[Member] = []
        self.warnings: list[str] = []

    def run(self, *, wait: bool, timeout: float) -> list[Member]:
        """Do all of it. What went wrong with a cluster is in its `error`.

        :raises KubestellarError: something that decides could not be read.
        :raises Refused: it would go further than the settings allow; nothing was written.
        """
        state, policies = _bulk.in_parallel(
            lambda job: job(), [lambda: read_state(self._its), lambda: read_policies(self._wdses)]
        )
        self._policies = policies
        self.members = self._chosen(state)
        leaving = [member for member in self.members if not member.error]
        for member in leaving:
            with Noting(member):
                self._plan(member)
        leaving = [member for member in leaving if not member.error]
        self._check(state, {member.name for member in leaving})
        if not self._settings.contents and not self._settings.gone:
            _bulk.in_parallel(self._spare, leaving, workers=WORKERS)
            leaving = [member for member in leaving if not member.error]
        if self._settings.healthy and wait:
            self._check_others({member.name for member in leaving}, timeout)
        applied = self._look_inside(leaving) if wait and not self._dry_run else {}
        _bulk.in_parallel(self._park, leaving, workers=WORKERS)
        leaving = [member for member in leaving if not member.error]
        if wait and self._dry_run:
            _bulk.in_parallel(self._foresee, leaving, workers=WORKERS)
        elif wait and leaving:
            self._wait(leaving, timeout, applied)
        return self.members

    # -- before the first write --------------------------------------------------------------------------------------

    def _chosen(self, state: State) -> list[Member]:
        """The clusters of the call; of those that must be unreachable, the ones that are."""
        now = time.time()
        members = []
        for name in sorted(state.managed) if self._names is None else self._names:
            managed = state.managed.get(name)
            member = Member(Wish(name), managed, state.leases.get(name))
            bound = self._settings.unreachable_for
            if managed is None and self._settings.gone:
                continue
            if managed is None:
                member.error = (
                    f"{self._its.name}: there is no ManagedCluster {name}, so it cannot be drained."
                )
            elif bound is not None:
                silence = silent_for(managed, member.lease, now)
                if silence is None or silence < bound:
                    continue
            members.append(member)
        return members

    def _plan(self, member: Member) -> None:
        """Find out which labels are to be parked, and how.

        :raises KubestellarError: a policy would still select the cluster.
        """
        managed = member.managed or {}
        if managed["metadata"].get("deletionTimestamp") and not self._settings.gone:
            raise KubestellarError(f"{self._its.name}: ManagedCluster {member.name} is being deleted.")
        labels = dict(managed["metadata"].get("labels") or {})
        taken = parking.selecting_labels(labels, self._policies)
        left = {key: value for key, value in labels.items() if key not in taken}
        held = [policy for policy in self._policies if policy.selects(left)]
        if held and self._settings.gone:
            self._holding[member.name] = frozenset(binding_label(policy.wds, policy.name) for policy in held)
            self.warnings.append(
                f"{names([policy.label for policy in held])} would select {member.name} without its labels too, and list it until "
                "it is gone. If a template there asks for a label of it, KubeStellar withdraws the workload everywhere for a moment."
            )
        elif held:
            raise KubestellarError(
                f"{self._its.name}: {member.name} cannot be drained: {names([policy.label for policy in held])} "
                "would select it without its labels too.",
                hint="Let the policy select by a label that clusters have, not by one that they lack.",
            )
        kept = parking.parked(managed)
        self._patches[member.name] = parking.parking_patch(managed, taken, kept)
        member.details = {
            "parked": {**(kept or {}), **taken},
            "policies": [policy.label for policy in self._policies if member.name in policy.clusters],
        }

    def _check(self, state: State, leaving: set[str]) -> None:
        """:raises Refused: the settings do not allow it."""
        now = time.time()
        drained = {name for name, managed in state.managed.items() if parking.parked(managed) is not None}
        serving = {
            name
            for name, managed in state.managed.items()
            if name not in drained and not unavailable_because(managed, state.leases.get(name), now)
        }
        fleet = parking.Fleet(frozenset(serving), frozenset(drained), frozenset(state.managed))
        reasons = parking.broken_guards(fleet, leaving, self._settings.keep, self._settings.most)
        lost = parking.last_copies(self._policies, leaving)
        for member in self.members:
            if member.details:
                mine = [label for label in member.details["policies"] if label in lost]
                member.details["last_copies"] = [f"{label}: {names(lost[label])}" for label in mine]
        if lost:
            text = "; ".join(f"{label}: {names(objects)}" for label, objects in lost.items())
            if self._settings.last_copies:
                self.warnings.append(f"The last copies of these objects are withdrawn: {text}.")
            else:
                reasons.append(f"the last copies of these objects would be withdrawn: {text}")
        if reasons:
            raise Refused(
                f"{self._its.name}: {names(sorted(leaving))} {'is' if len(leaving) == 1 else 'are'} not drained, and "
                f"nothing was changed: {'; '.join(reasons)}.",
                hint="Drain fewer clusters at once, or change the guard.",
                refused=reasons,
            )

    def _spare(self, member: Member) -> None:
        """Fail a cluster in which others would lose something with what is withdrawn."""
        if not self._can_be_seen(member):
            return
        with Noting(member):
            held = within.held(self._inside[member.name]())
            if held:
                told = "; ".join(
                    f"{holder} with {count(len(objects), 'object')} of others: {names(objects)}"
                    for holder, objects in held.items()
                )
                raise KubestellarError(
                    f"{self._its.name}: {member.name} is not drained, since this would be deleted there: {told}.",
                    hint="Move or delete what is in it, or set foreign_contents (wec_foreign_contents) to delete.",
                )

    def _check_others(self, leaving: set[str], timeout: float) -> None:
        """Wait until the workload of these clusters is healthy in all others.

        :raises Refused: it is not.
        """
        health = serving.wait_healthy(
            self._its,
            self._wdses,
            [policy for policy in self._policies if policy.clusters & leaving],
            lambda name: name not in leaving,
            what=f"{self._its.name}: the workload of {names(sorted(leaving))} healthy in other clusters",
            timeout=timeout,
            progress=self._progress,
        )
        if health.lacks:
            raise Refused(
                f"{self._its.name}: {names(sorted(leaving))} {'is' if len(leaving) == 1 else 'are'} not drained, and nothing was "
                f"changed, since the workload is not healthy in other clusters: {summary(health.lines, 5)}.",
                hint="Mend it there, or set require_healthy to false (role wec: wec_require_healthy, playbook drain: "
                "drain_require_healthy).",
                refused=health.lines,
            )
        if health.offline:
            self.warnings.append(
                f"{names(sorted(health.offline))} did not answer, so it is not known whether the workload is healthy there."
            )

    # -- the writes --------------------------------------------------------------------------------------------------

    def _park(self, member: Member) -> None:
        with Noting(member):
            managed = member.managed or {}
            patch = self._patches[member.name]
            if patch is None:
                return
            after = self._its.patch(MANAGED_CLUSTERS, member.name, None, patch, dry_run=self._dry_run)
            member.note("update", self._its.name, f"ManagedCluster {member.name}", managed, after)
            if not self._dry_run:
                member.managed = after
                self._progress.line(f"{member.name}: {count(member.details['parked'], 'label')} parked")

    # -- the wait ----------------------------------------------------------------------------------------------------

    def _wait(
        self, members: Sequence[Member], timeout: float, applied: Mapping[str, Sequence[_Applied]]
    ) -> None:
        """Wait until no Binding lists the clusters, no ManifestWork is in their namespaces, and nothing is left inside."""
        waiter = Waiter(self._progress)
        works = waiter.follow(self._its, MANIFEST_WORKS, label_selector=ORIGIN_WDS_LABEL, keep=_identity)
        placements = Placements(waiter, self._wdses)
        inside = {name: list(objects) for name, objects in applied.items()}
        start = time.monotonic()
        lacks: dict[str, str] = {}

        def evaluate() -> Verdict:
            placed = placements.by_cluster()
            left = Counter(namespace for namespace, _name in works.objects())
            lacks.clear()
            for member in members:
                lack = self._lack(member, placed[member.name], left[member.name], inside)
                if lack:
                    lacks[member.name] = lack
                elif not member.done:
                    member.done = True
                    member.seconds = time.monotonic() - start if member.method != "none" else 0.0
            return Verdict(
                not lacks, [f"{name}: {text}" for name, text in lacks.items()], again=_LOOK_SECONDS
            )

        try:
            waiter.until(
                evaluate, timeout=timeout, what=f"{self._its.name}: {count(members, 'cluster')} drained"
            )
        except WaitTimeout:
            for member in members:
                if member.name in lacks:
                    member.error = (
                        f"{self._its.name}: {member.name} is not drained after {time.monotonic() - start:.0f} s: "
                        f"{lacks[member.name]}. Its labels stay parked; run it again to wait on."
                    )
        silent = [member for member in members if member.details.get("left") and not member.error]
        if silent:
            self.warnings.append(
                f"{names([member.name for member in silent])} did not answer: the workload there is withdrawn as soon as "
                "the agents come back. Until then it may still run."
            )

    def _lack(
        self, member: Member, placed: Sequence[str], left: int, inside: dict[str, list[_Applied]]
    ) -> str:
        """Why a cluster does not count as drained yet, as a clause; empty if it does.

        :param placed: the Bindings that list it.
        :param left: the number of ManifestWorks in its namespace. One that does not answer cannot withdraw them.
        """
        listing = [binding for binding in placed if binding not in self._holding.get(member.name, ())]
        if listing:
            return f"{names(listing)} still lists it"
        if self._settings.gone:
            return ""
        silent = unavailable_because(member.managed, member.lease, time.time())
        if not left:
            return "" if silent or member.done else self._left_inside(member, inside)
        if silent:
            member.details["left"] = left
            return ""
        return f"{count(left, 'ManifestWork')} of it have not been withdrawn yet"

    # -- in the clusters themselves ----------------------------------------------------------------------------------

    def _can_be_seen(self, member: Member) -> bool:
        """Whether it is known how a cluster is reached, and its agent is heard of."""
        return member.name in self._inside and not unavailable_because(
            member.managed, member.lease, time.time()
        )

    def _look_inside(self, members: Sequence[Member]) -> dict[str, list[_Applied]]:
        """What KubeStellar's ManifestWorks have made in each cluster that can be looked at."""
        works: dict[str, set[str]] = defaultdict(set)
        for work in self._its.list(MANIFEST_WORKS, label_selector=ORIGIN_WDS_LABEL, metadata_only=True).items:
            works[work["metadata"]["namespace"]].add(str(work["metadata"]["name"]))
        chosen = [member for member in members if works[member.name] and self._can_be_seen(member)]

        def look(member: Member) -> list[_Applied]:
            items = self._inside[member.name]().list(APPLIED_MANIFEST_WORKS).items
            items = [item for item in items if _work_name(item) in works[member.name]]
            self._hubs[member.name] |= {str(item["spec"].get("hubHash")) for item in items}
            return [entry for item in items for entry in _applied(item)]

        found = _bulk.in_parallel(look, chosen, workers=WORKERS)
        return {member.name: entries for member, entries in zip(chosen, found, strict=True)}

    def _left_inside(self, member: Member, inside: dict[str, list[_Applied]]) -> str:
        """What of the workload is still in a cluster whose ManifestWorks are gone, as a clause; empty if nothing is."""
        if member.name not in self._inside:
            return ""
        try:
            cluster = self._inside[member.name]()
            held = self._evict(member, cluster)
            entries = [*inside.get(member.name, []), *(entry for item in held for entry in _applied(item))]
            inside[member.name] = [entry for entry in dict.fromkeys(entries) if _is_there(cluster, entry)]
        except (ApiError, ConnectionFailed) as error:
            return f"it cannot be looked at: {plain(error.message, 200)}"
        left = [label(entry.resource.kind, entry.name, entry.namespace) for entry in inside[member.name]]
        left += [label(APPLIED_MANIFEST_WORKS.kind, item["metadata"]["name"]) for item in held]
        return f"still there: {names(left)}" if left else ""

    def _foresee(self, member: Member) -> None:
        """In check mode, what would be deleted in a cluster."""
        if self._can_be_seen(member):
            with Noting(member):
                self._evict(member, self._inside[member.name]())

    def _evict(self, member: Member, cluster: Cluster) -> list[dict[str, Any]]:
        """What the agent still holds for ManifestWorks of KubeStellar, which are gone.

        An API server that dies while ManifestWorks come and go can make it overlook that one is gone. It then begins an eviction
        that ends an hour later (contract 6.5); deleting is that end, and takes the objects along.
        """
        held: list[dict[str, Any]] = []
        try:
            items = cluster.list(APPLIED_MANIFEST_WORKS).items
        except NotFound:
            return held  # no agent for work has ever run here
        for item in items:
            metadata, spec = item["metadata"], item.get("spec") or {}
            evicted = bool((item.get("status") or {}).get("evictionStartTime"))
            if not _WORK.fullmatch(_work_name(item)):
                continue
            if not evicted and spec.get("hubHash") not in self._hubs[member.name]:
                continue  # of another hub
            held.append(item)
            if evicted and not metadata.get("deletionTimestamp"):
                what = label(APPLIED_MANIFEST_WORKS.kind, metadata["name"])
                cluster.delete(
                    APPLIED_MANIFEST_WORKS, metadata["name"], uid=metadata["uid"], dry_run=self._dry_run
                )
                member.note("update", member.name, what, item, None)
                if not self._dry_run:
                    self._progress.line(f"{member.name}: deleted {what}, whose ManifestWork is gone")
        return held


def silent_for(managed: Mapping[str, Any], lease: Mapping[str, Any] | None, now: float) -> float | None:
    """Seconds since a cluster that is not available was last heard of; None if it is, or has never been.

    :param now: seconds since the epoch.
    """
    if not unavailable_because(dict(managed), lease, now):
        return None
    age = lease_age(lease, now)
    if age is not None:
        return age
    return seconds_since(
        condition(dict(managed), "ManagedClusterConditionAvailable").get("lastTransitionTime"), now
    )


def read_policies(wdses: Sequence[Cluster]) -> list[parking.Policy]:
    """The policies of all these WDSes.

    :raises KubestellarError: one cannot be read; then nobody knows what selects a cluster.
    """

    def read(wds: Cluster) -> list[parking.Policy]:
        try:
            return parking.policies_of(wds.name, wds.list(BINDING_POLICIES).items, wds.list(BINDINGS).items)
        except NotFound:
            return []  # its controller-manager has never run
        except KubestellarError as error:
            raise KubestellarError(
                f"{wds.name}: {error.message} So it is not known which of its policies select the clusters.",
                hint="See that the WDS answers, or name the WDSes that count with wdses.",
            ) from error

    return [policy for found in _bulk.in_parallel(read, list(wdses)) for policy in found]


def _applied(item: Mapping[str, Any]) -> list[_Applied]:
    found = []
    for entry in (item.get("status") or {}).get("appliedResources") or []:
        group, version = str(entry.get("group") or ""), str(entry.get("version") or "")
        namespace = str(entry.get("namespace") or "")
        resource = Resource(
            group, version, str(entry.get("resource")), str(entry.get("resource")), bool(namespace)
        )
        found.append(_Applied(resource, namespace, str(entry.get("name")), str(entry.get("uid"))))
    return found


def _work_name(item: Mapping[str, Any]) -> str:
    return str((item.get("spec") or {}).get("manifestWorkName") or "")


def _is_there(cluster: Cluster, entry: _Applied) -> bool:
    live = cluster.get(entry.resource, entry.name, entry.namespace or None)
    return live is not None and live["metadata"].get("uid") == entry.uid


def _identity(obj: dict[str, Any]) -> dict[str, Any]:
    return {"name": obj["metadata"]["name"]}
