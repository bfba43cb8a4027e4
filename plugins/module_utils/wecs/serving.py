# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether workload serves in some clusters while others are worked on (private to kubestellar.core)."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _delivery, _health
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import WaitTimeout, plain
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    BINDING_POLICIES,
    BINDINGS,
    MANAGED_CLUSTERS,
    MANIFEST_WORKS,
    WORK_STATUSES,
)
from ansible_collections.kubestellar.core.plugins.module_utils._wait import Verdict, Waiter
from ansible_collections.kubestellar.core.plugins.module_utils._workstatus import ORIGIN_WDS_LABEL
from ansible_collections.kubestellar.core.plugins.module_utils.placement import resolution
from ansible_collections.kubestellar.core.plugins.module_utils.wecs import parking

_LONGEST_LACK = 180


@dataclass
class Health:
    """How workload is in some clusters.

    :ivar lacks: cluster to what is not healthy there, in words; empty if everything is.
    :ivar offline: clusters of which nothing newer is known, with the reason.
    :ivar final: whether waiting cannot help.
    """

    lacks: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    offline: dict[str, str] = field(default_factory=dict)
    final: bool = False

    @property
    def lines(self) -> list[str]:
        """One line for each lack."""
        return [f"{cluster}: {lack}" for cluster, lacks in sorted(self.lacks.items()) for lack in lacks]


def assess(
    facts: _delivery.Facts,
    managed: Sequence[Mapping[str, Any]],
    counts: Callable[[str], bool],
    age: Callable[[_delivery.Work], float],
    found: Health,
) -> None:
    """Add to `found` how what some policies of a WDS deliver is in the clusters that count.

    A cluster that a policy selects and its Binding does not list yet is about to get it, so it is not healthy there.

    :param facts: with the policies that matter, their Bindings and ManifestWorks.
    :param managed: the ManagedClusters.
    """
    bindings = {binding["metadata"]["name"]: binding for binding in facts.bindings}
    for policy in facts.policies:
        metadata, status = policy["metadata"], policy.get("status") or {}
        listed = set(resolution.destinations(bindings.get(metadata["name"], {})))
        title = f"{facts.wds}: BindingPolicy {metadata['name']}"
        errors = status.get("errors") or []
        for cluster in resolution.clusters(policy.get("spec") or {}, managed):
            if not counts(cluster):
                continue
            if errors:
                found.lacks[cluster].append(f"{title}: {plain(errors[0], _LONGEST_LACK)}")
            elif cluster not in listed or status.get("observedGeneration") != metadata.get("generation"):
                found.lacks[cluster].append(f"{title} is not processed yet")
    for row in _delivery.join(facts, age):
        for cell in row.cells.values():
            if not cell.selected or not counts(cell.cluster):
                continue
            if cell.health == _delivery.STALE:
                found.offline.setdefault(cell.cluster, cell.message.partition(";")[0])
            elif cell.health != _health.HEALTHY:
                text = plain(cell.message or cell.health, _LONGEST_LACK)
                found.lacks[cell.cluster].append(f"{row.label}: {text}")
                found.final |= cell.final and cell.settled
            elif not cell.settled:
                found.lacks[cell.cluster].append(f"{row.label}: its status is from before the last change")


def wait_healthy(
    its: Cluster,
    wdses: Sequence[Cluster],
    policies: Collection[parking.Policy],
    counts: Callable[[str], bool],
    *,
    what: str,
    timeout: float,
    progress: Progress,
) -> Health:
    """Wait until what these policies deliver is healthy in the clusters that count; how it was in the end.

    A cluster that does not answer is not waited for.

    :param what: for a sentence, see `Waiter.until`.
    """
    names: dict[str, set[str]] = defaultdict(set)
    for policy in policies:
        names[policy.wds].add(policy.name)
    spaces = [wds for wds in wdses if wds.name in names]
    seen = Health()
    if not spaces:
        return seen
    waiter = Waiter(progress)
    clusters = waiter.follow(its, MANAGED_CLUSTERS)
    works = waiter.follow(its, MANIFEST_WORKS, label_selector=ORIGIN_WDS_LABEL, keep=_delivery.parse_work)
    statuses = waiter.follow(its, WORK_STATUSES, keep=_delivery.parse_returned)
    followed = {
        wds.name: (waiter.follow(wds, BINDING_POLICIES), waiter.follow(wds, BINDINGS), _delivery.kinds(wds))
        for wds in spaces
    }

    def evaluate() -> Verdict:
        nonlocal seen
        seen = Health()
        managed = list(clusters.objects().values())
        for wds, (current, bindings, kinds) in followed.items():
            mine = names[wds]
            facts = _delivery.Facts(
                wds=wds,
                bindings=[item for item in bindings.objects().values() if item["metadata"]["name"] in mine],
                works=[work for work in works.objects().values() if work.binding in mine],
                returned=list(statuses.objects().values()),
                clusters=[_delivery.parse_cluster(item) for item in managed],
                kinds=kinds,
                policies=[item for item in current.objects().values() if item["metadata"]["name"] in mine],
            )
            assess(facts, managed, counts, lambda work: time.time() - work.applied_at, seen)
        return Verdict(not seen.lacks or seen.final, seen.lines, again=1.0)

    try:
        waiter.until(evaluate, timeout=timeout, what=what)
    except WaitTimeout:
        if not seen.lacks:
            raise  # something could not be read
    return seen
