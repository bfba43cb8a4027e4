# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WECs brought to accepted, described, joined and available (private to kubestellar.core).

All clusters of a call are handled together: everything is listed once, then each cluster takes its next step
as soon as what it waits for is there. One that fails does not stop the others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bulk, _csr, _diff
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster, label_of
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    Conflict,
    KubestellarError,
    Refused,
    WaitTimeout,
)
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    CONFIG_MAPS,
    CSRS,
    LEASES,
    MANAGED_CLUSTERS,
    NAMESPACES,
    Resource,
)
from ansible_collections.kubestellar.core.plugins.module_utils._wait import (
    Follower,
    Verdict,
    Waiter,
    summary,
)
from ansible_collections.kubestellar.core.plugins.module_utils.placement import templates
from ansible_collections.kubestellar.core.plugins.module_utils.placement.facts import Target
from ansible_collections.kubestellar.core.plugins.module_utils.wecs import parking
from ansible_collections.kubestellar.core.plugins.module_utils.wecs.member import (
    WORKERS,
    Member,
    Noting,
    joining_diff,
    times,
)
from ansible_collections.kubestellar.core.plugins.module_utils.wecs.registered import (
    LEASE,
    PROPERTIES_NAMESPACE,
    group_requests,
    is_accepted,
    is_joined,
    read_state,
    unavailable_because,
)
from ansible_collections.kubestellar.core.plugins.module_utils.wecs.wanted import Wish

_REFUSAL_SECONDS = 10.0
"""How long a good request may still come after a refused one, before the cluster counts as failed."""
_CONFLICTS = 5


class Acceptance:
    """Brings WECs of one ITS to accepted, described, joined and available.

    :param rejoin: names of WECs whose agents were set up anew: a first request of theirs is approved although they are
        available.
    :param force_conflicts: take labels, annotations and properties over from other field managers.
    :param lacking: from the clusters as they are and as they are to be, to what each would lack for the policies that select
        it; such a cluster fails before its labels are written and its properties removed.
    :param judge: gets the clusters of the ITS as they are and those that are to be described anew as they are to be, before the
        first write; if it refuses these, all of them fail.
    """

    def __init__(
        self,
        its: Cluster,
        wishes: Sequence[Wish],
        *,
        rejoin: Collection[str],
        force_conflicts: bool,
        dry_run: bool,
        progress: Progress,
        lacking: Callable[[Mapping[str, Target], Mapping[str, Target]], Mapping[str, str]] | None = None,
        judge: Callable[[Mapping[str, Target], Mapping[str, Target]], None] = lambda _before, _after: None,
    ) -> None:
        self._its = its
        self._judge_labels = judge
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
        self._observe(state.managed, state.requests, state.leases)
        self._judge(state.managed)
        self._apply_properties()
        self._step_all()
        if self._waiting and any(not member.done for member in self.members):
            self._wait(timeout)
        for member in self.members:
            if not member.done and not member.error and not self._dry_run:
                member.error = f"{self._its.name}: {member.name}: {member.missing}."
        return self.members

    def _judge(self, managed: Mapping[str, dict[str, Any]]) -> None:
        """Let the policies have a say about all new labels together."""
        before = {name: _target(name, obj, None) for name, obj in managed.items()}
        after: dict[str, Target] = {}
        for member in self.members:
            with Noting(member):
                now, then = self._targets(member)
                member.planned = then
                if now.labels != then.labels:
                    after[member.name] = then
        if not after:
            return
        try:
            self._judge_labels(before, after)
        except Refused as error:
            for member in self.members:
                if member.name in after and not member.error:
                    member.error = f"{self._its.name}: {member.name}: {error.message} {error.hint}"
                    member.done = True

    # properties first: a label may at once select the cluster for a workload that needs them

    def _apply_properties(self) -> None:
        """Properties as wanted, but with those kept that would be dropped: labels may still need them."""
        wanted = {m.name: m for m in self.members if m.wish.properties is not None and not m.error}
        writes: list[tuple[Member, dict[str, Any], dict[str, Any] | None]] = []
        for name, member in wanted.items():
            live = self._properties.get(name)
            ours = _diff.owned(live, "data")
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
                    "Give the properties, or leave out the labels. If the cluster is to leave the policy, give them until it has left."
                )
                member.done = True

    def _targets(self, member: Member) -> tuple[Target, Target]:
        """A cluster as templates see it now, and as they will."""
        live, wish = member.managed or {}, member.wish
        config_map = self._properties.get(member.name)
        now = _target(member.name, live, config_map)
        labels = _diff.after(now.labels, _diff.owned(live, "metadata", "labels"), wish.labels)
        for key, value in parking.returning(live, wish.labels).items():
            labels.setdefault(key, value)
        then = Target(
            member.name,
            labels,
            _diff.after(now.annotations, _diff.owned(live, "metadata", "annotations"), wish.annotations),
            _diff.after(now.properties, _diff.owned(config_map, "data"), wish.properties),
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
        if connected and member.wish.name not in self._rejoin and not member.approved:
            return []
        return fresh

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
        """PUT .../approval of a request that is judged already; after a conflict it is read and judged again."""
        name = csr["metadata"]["name"]
        current: Mapping[str, Any] | None = csr
        member.renewed_before = _renew_time(member.lease) or None
        for _attempt in range(_CONFLICTS):
            if current is None:
                return
            if current is not csr and _csr.judge(current, member.name).decision != "approve":
                return
            body = _csr.approval(current, f"Accepted as cluster {member.name}")
            try:
                self._its.update(CSRS, body, subresource="approval", dry_run=self._dry_run)
            except Conflict:
                current = self._its.get(CSRS, name)
                continue
            member.approved.append(name)
            member.method = "update" if member.method == "none" else member.method
            header = f"{self._its.name}: CertificateSigningRequest {name}"
            texts = {"before": "Pending\n", "after": "Approved\n"}
            member.diffs.append(partial(dict, texts, before_header=header, after_header=header))
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
        if not parking.is_drained(live):
            return
        patch = parking.restoring_patch(live, member.wish.labels)
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
        if before is not None and _diff.unchanged(before, after):
            return
        member.note("update", self._its.name, label_of(resource, after), before, after)

    def _finish_or_wait(self, member: Member) -> None:
        """Note what one cluster lacks, or that it is done."""
        if member.error:
            member.done = True
            return
        member.missing = self._lacking(member)
        if self._dry_run:
            if member.managed is None:
                member.method = "create"
                member.diffs.append(partial(joining_diff, member.wish, self._its.name))
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


def _target(name: str, managed: Mapping[str, Any], config_map: Mapping[str, Any] | None) -> Target:
    """A cluster as templates see it."""
    metadata = managed.get("metadata") or {}
    return Target(
        name,
        dict(metadata.get("labels") or {}),
        dict(metadata.get("annotations") or {}),
        dict((config_map or {}).get("data") or {}),
    )


def described(wish: Wish, live: Mapping[str, Any]) -> dict[str, Any] | None:
    """What to apply to a ManagedCluster for its labels and annotations, or None if there is nothing of ours.

    A map that the wish leaves open stays as we had applied it; labels of ours that were parked are in it again, unless somebody has
    set them meanwhile.
    """
    present = (live.get("metadata") or {}).get("labels") or {}
    parked = {key: value for key, value in parking.parked_of_ours(live).items() if key not in present}
    metadata: dict[str, Any] = {"name": wish.name}
    for key, given in (("labels", wish.labels), ("annotations", wish.annotations)):
        again = parked if key == "labels" else {}
        values = dict(given) if given is not None else {**again, **_diff.owned(live, "metadata", key)}
        if values:
            metadata[key] = values
    if len(metadata) == 1 and not _diff.applied_by(live):
        return None
    return {
        "apiVersion": MANAGED_CLUSTERS.api_version,
        "kind": MANAGED_CLUSTERS.kind,
        "metadata": metadata,
    }


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
    if not data and not _diff.owned(live, "data"):
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
