# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for a BindingPolicy to take effect: bound, applied, healthy, gone (private to kubestellar.core).

Why `bound` compares the Binding with our own resolution of the policy, and does not trust the statuses alone:
the controller writes `BindingPolicy.status.observedGeneration` on every sync of the Binding, also on one that
began with an older resolution, and copies `errors` from the Binding as its cache had it (kubestellar:
pkg/binding/binding.go, syncBinding). A Binding is written 2 s late, and nothing in it says which state of the
WDS it was resolved from, except the resourceVersion of each object. So a Binding is current when

1. it belongs to this very policy (ownerReference UID), whose `observedGeneration` is its generation;
2. its destinations are those that the selectors give on the ManagedClusters as they are;
3. its objects and their modulations are those that the clauses give on the WDS as listed after the policy was
   written, each at the listed resourceVersion or a later one. Versions only grow within one resource;
4. the transport controller has read this generation (`Binding.status.observedGeneration`).

If 2 or 3 fails for two seconds, the WDS is listed again: it may be our list that is old.
Errors of the controllers count only when 1 to 4 hold, since before that they may be those of an older state.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bounds, _delivery, _health
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster, label
from ansible_collections.kubestellar.core.plugins.module_utils._errors import KubestellarError, plain
from ansible_collections.kubestellar.core.plugins.module_utils._limit import Limit
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    BINDING_POLICIES,
    BINDINGS,
    MANAGED_CLUSTERS,
    MANIFEST_WORKS,
    WORK_STATUSES,
)
from ansible_collections.kubestellar.core.plugins.module_utils._wait import Follower, Verdict, Waiter
from ansible_collections.kubestellar.core.plugins.module_utils._workstatus import (
    ORIGIN_BINDING_LABEL,
    ORIGIN_WDS_LABEL,
)
from ansible_collections.kubestellar.core.plugins.module_utils.placement import catalogue, resolution
from ansible_collections.kubestellar.core.plugins.module_utils.placement.leftovers import (
    Leftovers,
    unaccounted,
)
from ansible_collections.kubestellar.core.plugins.module_utils.placement.resolution import ObjectKey

LEVELS = ("none", "bound", "applied", "healthy")
DELIVERED = ("applied", "healthy")
"""Those at which something must have arrived."""

_RELIST_SECONDS = 2.0
_ERRORS_SECONDS = 3.0
_LONGEST_LACK = 180
_HINT = "See who lacks what with kubestellar.core.workload_info (kubestellar.core.status); the controllers' logs tell why."


@dataclass(frozen=True)
class Outcome:
    """What a wait ended with.

    :ivar seconds: how long it took.
    :ivar binding: the Binding.
    :ivar rows: the delivery matrix; empty for `bound`.
    :ivar offline: clusters that were not waited for, each with the reason why nothing is known of them.
    """

    seconds: float
    binding: Mapping[str, Any]
    rows: Sequence[_delivery.Row]
    offline: Mapping[str, str] = field(default_factory=dict)


class PolicyWait:
    """One wait for one policy.

    :param wds_name: name of the WDS as the transport controller labels ManifestWorks with it.
    :param policy: the BindingPolicy as the server has it after the write.
    :param api_groups: the groups that the controller-manager of the WDS is limited to; None if it is not.
    """

    def __init__(
        self,
        wds: Cluster,
        its: Cluster,
        wds_name: str,
        policy: Mapping[str, Any],
        progress: Progress,
        api_groups: Sequence[str] | None = None,
    ) -> None:
        self._wds, self._its, self._wds_name = wds, its, wds_name
        self._name = str(policy["metadata"]["name"])
        self._uid = str(policy["metadata"]["uid"])
        self._progress = progress
        self._api_groups = api_groups
        self._expected: dict[ObjectKey, resolution.Selected] = {}
        self._expected_spec: Mapping[str, Any] | None = None
        self._mismatch_since: float | None = None
        self._errors_since: tuple[tuple[str, ...], float] = ((), 0.0)
        self._first_seen: dict[str, tuple[float, float]] = {}
        self._kinds: dict[tuple[str, str], str] = {}
        self._rows: list[_delivery.Row] = []
        self._offline: dict[str, str] = {}

    def until(
        self, level: str, timeout: float, leftovers: Leftovers, max_offline: Limit | None = None
    ) -> Outcome:
        """Wait until the policy is `bound`, `applied` or `healthy`.

        :param leftovers: what is done about what the policy has left behind; not for `bound`.
        :param max_offline: how many of the selected clusters are not waited for if they are offline; none if it is not set.
        :raises WaitTimeout: with one line per thing that is lacking; an offline cluster has its own.
        :raises KubestellarError: the controllers report an error, or nothing is selected, or a Job has failed.
        """
        waiter = Waiter(self._progress)
        by_name = f"metadata.name={self._name}"
        policies = waiter.follow(self._wds, BINDING_POLICIES, field_selector=by_name)
        bindings = waiter.follow(self._wds, BINDINGS, field_selector=by_name)
        clusters = waiter.follow(self._its, MANAGED_CLUSTERS)
        works = statuses = None
        if level != "bound":
            works = waiter.follow(
                self._its,
                MANIFEST_WORKS,
                label_selector=f"{ORIGIN_BINDING_LABEL}={self._name}",
                keep=_delivery.parse_work,
            )
        if level == "healthy":
            statuses = waiter.follow(
                self._its, WORK_STATUSES, label_selector=ORIGIN_WDS_LABEL, keep=_delivery.parse_returned
            )

        def evaluate() -> Verdict:
            managed = list(clusters.objects().values())
            binding = bindings.get(self._name)
            missing = self._not_bound(policies.get(self._name), binding, managed)
            if missing:
                return Verdict(False, missing, again=_RELIST_SECONDS)
            if works is None:
                return Verdict(True)
            self._refuse_nothing(binding or {})
            uid = str(binding["metadata"]["uid"]) if binding else ""
            mine = _of_binding(works, self._name, uid, self._wds_name)
            self._rows = self._join(binding or {}, managed, mine, statuses)
            verdict, offline = judge(self._rows, level)
            self._offline = offline
            selected = len(resolution.destinations(binding or {}))
            tolerated = max_offline is not None and not max_offline.below(len(offline), selected)
            if offline and not tolerated:
                return _with_offline(verdict, offline)
            left = leftovers.look(unaccounted(mine, binding or {}, self._kinds)) if verdict.done else []
            return Verdict(False, left, again=1.0) if left else verdict

        seconds = waiter.until(
            evaluate,
            timeout=timeout,
            what=f"{self._wds.name}: BindingPolicy {self._name} {level}",
            hint=_HINT,
        )
        return Outcome(seconds, bindings.get(self._name) or {}, self._rows, self._offline)

    # -- bound --------------------------------------------------------------------------------------------------

    def _not_bound(
        self,
        policy: Mapping[str, Any] | None,
        binding: Mapping[str, Any] | None,
        managed_clusters: Sequence[Mapping[str, Any]],
    ) -> list[str]:
        """What keeps the Binding from being current; see the module's docstring for the numbers."""
        if policy is None or policy["metadata"]["uid"] != self._uid:
            raise KubestellarError(f"{self._wds.name}: BindingPolicy {self._name} was deleted meanwhile.")
        generation = policy["metadata"].get("generation")
        status = policy.get("status") or {}
        if status.get("observedGeneration") != generation:
            return [f"the controller-manager has not processed generation {generation} of the policy"]
        spec = policy.get("spec") or {}
        if binding is None and self._selects_nothing(spec, managed_clusters):
            return []  # and KubeStellar makes no Binding for nothing (kubestellar: pkg/binding/binding.go, syncBinding)
        if binding is None or not _owned(binding, self._uid):
            return ["there is no Binding yet"]
        missing = self._differences(spec, binding, managed_clusters)
        if missing and self._stale_list(spec):
            missing = self._differences(spec, binding, managed_clusters)
        if missing:
            return missing
        self._mismatch_since = None
        bound_status = binding.get("status") or {}
        if bound_status.get("observedGeneration") != binding["metadata"].get("generation"):
            return ["the transport controller has not read the Binding yet"]
        self._refuse_errors(status.get("errors") or [], bound_status.get("errors") or [])
        return ["the controller-manager reports an error that may be old"] if self._errors_since[0] else []

    def _selects_nothing(
        self, spec: Mapping[str, Any], managed_clusters: Sequence[Mapping[str, Any]]
    ) -> bool:
        if self._expected_spec != spec:
            self._list(spec, refresh=False)
        return not self._expected and not resolution.clusters(spec, managed_clusters)

    def _differences(
        self,
        spec: Mapping[str, Any],
        binding: Mapping[str, Any],
        managed_clusters: Sequence[Mapping[str, Any]],
    ) -> list[str]:
        if self._expected_spec != spec:
            self._list(spec, refresh=False)
        where, present = (
            set(resolution.clusters(spec, managed_clusters)),
            set(resolution.destinations(binding)),
        )
        lines = [f"the Binding lacks cluster {name}" for name in sorted(where - present)]
        lines += [f"the Binding still has cluster {name}" for name in sorted(present - where)]
        entries = resolution.bound(binding)
        for key, expected in self._expected.items():
            entry = entries.get(key)
            if entry is None:
                lines.append(f"the Binding lacks {_text(key)}")
            elif entry.modulation != expected.modulation:
                lines.append(f"the Binding has older settings for {_text(key)}")
            elif _older(entry.resource_version, expected.resource_version):
                lines.append(f"the Binding has an older {_text(key)}")
        lines += [f"the Binding still has {_text(key)}" for key in entries if key not in self._expected]
        return lines

    def _stale_list(self, spec: Mapping[str, Any]) -> bool:
        """Whether it was time to list the WDS again, which is then done."""
        now = time.monotonic()
        if self._mismatch_since is None:
            self._mismatch_since = now
        if now - self._mismatch_since < _RELIST_SECONDS:
            return False
        self._mismatch_since = now
        self._list(spec, refresh=True)
        return True

    def _list(self, spec: Mapping[str, Any], *, refresh: bool) -> None:
        candidates, namespaces = resolution.read(
            self._wds, spec, refresh=refresh, api_groups=self._api_groups
        )
        self._expected = resolution.objects(spec, candidates, namespaces)
        self._expected_spec = spec
        self._kinds = _delivery.kinds(self._wds)

    def _refuse_errors(self, of_policy: Sequence[str], of_binding: Sequence[str]) -> None:
        """Fail with the controllers' own words. What only the policy has may be an old copy, so it must last."""
        lasting: tuple[str, ...] = tuple(text for text in of_policy if text not in of_binding)
        if lasting != self._errors_since[0]:
            self._errors_since = (lasting, time.monotonic())
        errors = list(of_binding)
        if lasting and time.monotonic() - self._errors_since[1] >= _ERRORS_SECONDS:
            errors += lasting
        if errors:
            raise KubestellarError(
                f"{self._wds.name}: KubeStellar reports for BindingPolicy {self._name}: {plain(errors[0])}",
                errors=[plain(text) for text in errors],
            )

    # -- applied, healthy -----------------------------------------------------------------------------------------

    def _refuse_nothing(self, binding: Mapping[str, Any]) -> None:
        """All of none is not applied, and not healthy."""
        if not resolution.destinations(binding):
            raise KubestellarError(
                f"{self._wds.name}: BindingPolicy {self._name} selects no cluster, so nothing can be delivered.",
                hint="Compare cluster_selectors with the labels of the ManagedClusters.",
            )
        if not resolution.bound(binding):
            raise KubestellarError(
                f"{self._wds.name}: BindingPolicy {self._name} selects no object, so nothing can be delivered.",
                hint="Compare downsync with the objects in the WDS and their labels.",
            )

    def _join(
        self,
        binding: Mapping[str, Any],
        managed_clusters: Sequence[dict[str, Any]],
        works: Sequence[_delivery.Work],
        statuses: Follower | None,
    ) -> list[_delivery.Row]:
        facts = _delivery.Facts(
            wds=self._wds_name,
            bindings=[binding],
            works=works,
            returned=list(statuses.objects().values()) if statuses else [],
            clusters=[_delivery.parse_cluster(obj) for obj in managed_clusters],
            kinds=self._kinds,
        )
        return _delivery.join(facts, self._age)

    def _age(self, work: _delivery.Work) -> float:
        """Seconds since a ManifestWork's status was written: by the clocks, or as long as it is seen here.

        The second keeps a clock that runs late from holding everything up.
        """
        at, seen = self._first_seen.get(work.uid, (-1.0, 0.0))
        if at != work.applied_at:
            seen = time.monotonic()
            self._first_seen[work.uid] = (work.applied_at, seen)
        return max(time.time() - work.applied_at, time.monotonic() - seen)


def judge(rows: Sequence[_delivery.Row], level: str) -> tuple[Verdict, dict[str, str]]:
    """Done when each selected object is applied (healthy) in each cluster that answers; else one line per lack.

    Those that do not answer come beside it, each with what is not known of it. Objects that are leaving do not hold up a wait
    for what is to be there.
    """
    lacks: dict[str, list[str]] = {}
    offline: dict[str, tuple[int, str]] = {}
    doubted = 0
    for row in rows:
        for cell in row.cells.values():
            if not cell.selected or (level == "applied" and cell.applied):
                continue
            if cell.health == _delivery.STALE:
                count, why = offline.get(cell.cluster, (0, cell.message.partition(";")[0]))
                offline[cell.cluster] = (count + 1, why)
            elif level == "applied" or cell.health != _health.HEALTHY:
                lack = f"{row.label}: {plain(cell.message or cell.health, _LONGEST_LACK)}"
                lacks.setdefault(lack, []).append(cell.cluster)
                if cell.final and level == "healthy" and cell.settled:
                    raise KubestellarError(
                        f"{cell.cluster}: {row.label} has failed for good: {cell.message}.",
                        hint="Correct it in the WDS; a Job must be deleted there first, or get a new name.",
                    )
            elif not cell.settled:
                doubted += 1
    lines = [f"{_names(clusters)}: {lack}" for lack, clusters in lacks.items()]
    if doubted:
        verb = "is" if doubted == 1 else "are"
        lines.append(f"{catalogue.count(doubted, 'status')} {verb} from before the last change")
    unconfirmed = {
        name: f"{why}, {catalogue.count(number, 'object')} unconfirmed"
        for name, (number, why) in sorted(offline.items())
    }
    return Verdict(not lines, lines, again=0.5 if doubted else 5.0), unconfirmed


def _with_offline(verdict: Verdict, offline: Mapping[str, str]) -> Verdict:
    """The same, with the clusters that do not answer as further lacks."""
    lines = [f"{name}: {text}" for name, text in offline.items()]
    return replace(verdict, done=False, missing=[*lines, *verdict.missing])


def _of_binding(works: Follower, name: str, uid: str, wds_name: str) -> list[_delivery.Work]:
    """The ManifestWorks of a Binding. :param uid: of the Binding; empty if there is none."""
    return [work for work in works.objects().values() if _delivery.belongs(work, name, uid, wds_name)]


def _names(clusters: Sequence[str]) -> str:
    """Up to three names, and how many more."""
    names = sorted(clusters)
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def _owned(obj: Mapping[str, Any], uid: str) -> bool:
    return any(owner.get("uid") == uid for owner in obj["metadata"].get("ownerReferences") or [])


def _older(version: str, than: str) -> bool:
    """Whether a resourceVersion is older; one that is no number is only ever equal or not."""
    mine, other = _bounds.whole(version, -1), _bounds.whole(than, -1)
    if mine >= 0 and other >= 0:
        return mine < other
    return version != than


def _text(key: ObjectKey) -> str:
    return label(key.resource, key.name, key.namespace)


def until_gone(
    wds: Cluster,
    its: Cluster,
    wds_name: str,
    name: str,
    uids: tuple[str, str],
    timeout: float,
    progress: Progress,
    leftovers: Leftovers,
) -> float:
    """Wait until a deleted policy, its Binding and all its ManifestWorks are gone; seconds waited.

    :param uids: of the policy and of the Binding, each empty if it was gone before.
    :param leftovers: what is done about what the policy has left behind.
    :raises WaitTimeout: naming what is left, and where.
    """
    waiter = Waiter(progress)
    by_name = f"metadata.name={name}"
    policies = waiter.follow(wds, BINDING_POLICIES, field_selector=by_name)
    bindings = waiter.follow(wds, BINDINGS, field_selector=by_name)
    works = waiter.follow(
        its, MANIFEST_WORKS, label_selector=f"{ORIGIN_BINDING_LABEL}={name}", keep=_delivery.parse_work
    )

    def evaluate() -> Verdict:
        missing = []
        for kind, follower, uid in (
            ("BindingPolicy", policies, uids[0]),
            ("Binding", bindings, uids[1]),
        ):
            obj = follower.get(name)
            if obj is not None and (not uid or obj["metadata"]["uid"] == uid):
                finalizers = ", ".join(obj["metadata"].get("finalizers") or [])
                missing.append(
                    f"{kind} {name} is still there{' with finalizers ' if finalizers else ''}{finalizers}"
                )
        left: dict[str, list[str]] = {}
        mine = _of_binding(works, name, uids[1], wds_name)
        for work in mine:
            left.setdefault(work.cluster, []).extend(
                label(item.kind, item.name, item.namespace) for item in work.items
            )
        if not missing:
            leftovers.look(unaccounted(mine, {}, {}))
        missing += [
            f"{cluster} still has {len(objects)} objects ({objects[0]}, ...)"
            for cluster, objects in sorted(left.items())
        ]
        return Verdict(not missing, missing, again=1.0)

    return waiter.until(
        evaluate,
        timeout=timeout,
        what=f"{wds.name}: removal of BindingPolicy {name} from the clusters",
        hint="A cluster that is not available removes its objects when it is back; the others: see the agent's log there.",
    )
