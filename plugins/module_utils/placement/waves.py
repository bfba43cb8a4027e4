# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A placement that widens in waves: clusters group by group (private to kubestellar.core). Pure functions.

Waves are about clusters that do not have the workload yet. All clusters share the objects in the WDS, so a change of these is in
no wave, and a cluster that has the workload already is not held back by its wave; every line says of which clusters that is so.

A policy never gets narrower on the way: what it selects beside the waves leaves with the last of them, and a run that finds
the first waves done goes on with the one after them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    InvalidInput,
    KubestellarError,
    Refused,
    plain,
)
from ansible_collections.kubestellar.core.plugins.module_utils.placement import policy, resolution
from ansible_collections.kubestellar.core.plugins.module_utils.placement.catalogue import count, names
from ansible_collections.kubestellar.core.plugins.module_utils.placement.facts import Target

WAVES_SPEC: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "cluster_selectors": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": policy.SELECTOR_SPEC,
    },
}
"""The suboptions of `waves`."""

Selectors = list[dict[str, Any]]


@dataclass(frozen=True)
class Wave:
    """One group of clusters. :ivar selectors: as the API has them."""

    name: str
    selectors: Selectors


def parse(options: Sequence[Mapping[str, Any]]) -> list[Wave]:
    """The waves of the option.

    :raises InvalidInput: a name is there twice, or a wave has no selector.
    """
    waves: list[Wave] = []
    for entry in options:
        name = str(entry["name"])
        if any(wave.name == name for wave in waves):
            raise InvalidInput(
                f"waves: {plain(name)} is there twice.", hint="Give each wave a name of its own."
            )
        if not entry["cluster_selectors"]:
            raise InvalidInput(
                f"waves: {plain(name)} has no cluster_selectors.",
                hint="Say which clusters it has, or leave it out.",
            )
        waves.append(Wave(name, policy.to_spec(entry["cluster_selectors"], None)["clusterSelectors"]))
    return waves


def whole(waves: Sequence[Wave]) -> Selectors:
    """The selectors of all waves, each once."""
    found: Selectors = []
    for wave in waves:
        found += [selector for selector in wave.selectors if selector not in found]
    return found


def steps(waves: Sequence[Wave], live: Sequence[Mapping[str, Any]]) -> list[tuple[int, Selectors]]:
    """What the policy selects in each step that is still to be gone: pairs of the number of a wave and selectors.

    The first step is the last wave that the policy has reached already, so that it is waited for again.

    :param live: the selectors that the policy has now.
    """
    reached = 0
    while reached < len(waves) and all(selector in live for selector in waves[reached].selectors):
        reached += 1
    found: list[tuple[int, Selectors]] = []
    for number in range(max(reached, 1), len(waves)):
        selectors = whole(waves[:number])
        found.append((number, selectors + [dict(one) for one in live if one not in selectors]))
    return [*found, (len(waves), whole(waves))]


def members(waves: Sequence[Wave], targets: Iterable[Target]) -> list[list[str]]:
    """The clusters of each wave, sorted; a cluster belongs to the first wave that selects it."""
    labels = {target.name: target.labels for target in targets}
    seen: set[str] = set()
    found = []
    for wave in waves:
        mine = set(resolution.clusters_of({"clusterSelectors": wave.selectors}, labels)) - seen
        seen |= mine
        found.append(sorted(mine))
    return found


def check_members(waves: Sequence[Wave], clusters: Sequence[Sequence[str]], title: str) -> None:
    """:raises Refused: a wave has no cluster of its own, so that nothing would be tried before the next."""
    for wave, found in zip(waves, clusters, strict=True):
        if not found:
            raise Refused(
                f"{title}: the wave {plain(wave.name)} selects no cluster that is not in a wave before it, so nothing would be "
                "tried in it before the next.",
                hint="Compare its cluster_selectors with the labels of the ManagedClusters, or leave the wave out.",
            )


def check_answers(clusters: Sequence[str], offline: Mapping[str, str]) -> None:
    """:raises KubestellarError: none of the clusters of a wave answers, so that nothing was tried in it."""
    if all(name in offline for name in clusters):
        raise KubestellarError(f"none of its clusters answers: {offline[clusters[0]]}.")


def report(
    waves: Sequence[Wave],
    clusters: Sequence[Sequence[str]],
    reached: int,
    before: Collection[str],
    *,
    failed: bool = False,
) -> list[dict[str, Any]]:
    """The entry `waves` of a result.

    :param reached: the number of the last wave that was begun; 0 if none was.
    :param before: the clusters that had the workload before.
    """

    def state(number: int) -> str:
        if number > reached:
            return "waiting"
        return "failed" if failed and number == reached else "done"

    return [
        {
            "name": wave.name,
            "clusters": list(group),
            "before": [name for name in group if name in before],
            "state": state(number),
        }
        for number, (wave, group) in enumerate(zip(waves, clusters, strict=True), start=1)
    ]


def stopped(
    waves: Sequence[Wave],
    clusters: Sequence[Sequence[str]],
    number: int,
    message: str,
    before: Collection[str],
) -> str:
    """The message of a wave that failed, with those that were not begun for it, and who has the workload all the same."""
    after = ", ".join(wave.name for wave in waves[number:])
    rest = f" The waves after it were not begun: {after}." if after else ""
    there = [name for group in clusters[number:] for name in group if name in before]
    if there:
        rest += (
            f" Of their clusters, {names(there)} had the workload before, with all that has changed in it."
        )
    return f"{_title(waves, number)} stopped: {message}{rest}"


def line(
    waves: Sequence[Wave],
    clusters: Sequence[Sequence[str]],
    number: int,
    level: str,
    seconds: float,
    before: Collection[str],
) -> str:
    """The progress line of a wave that is done. :param before: the clusters that had the workload before."""
    mine = clusters[number - 1]
    there = [name for name in mine if name in before]
    which = "which" if len(there) == len(mine) else f"of which {names(there)}"
    told = (
        f", {which} had the workload before and {'was' if len(there) == 1 else 'were'} not held back"
        if there
        else ""
    )
    return f"{_title(waves, number)}: {level} on {count(mine, 'cluster')}{told} ({seconds:.0f} s)"


def _title(waves: Sequence[Wave], number: int) -> str:
    return f"wave {number} of {len(waves)} ({plain(waves[number - 1].name, 60)})"
