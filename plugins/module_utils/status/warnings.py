# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a view needs attention, in the sentences of the catalogues (private to kubestellar.core). Pure functions.

One cause is one warning, however many objects and clusters it concerns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _delivery, _health
from ansible_collections.kubestellar.core.plugins.module_utils.doctor import catalogue
from ansible_collections.kubestellar.core.plugins.module_utils.doctor.catalogue import (
    ERROR,
    INFO,
    SEVERITIES,
    WARNING,
    Trouble,
)
from ansible_collections.kubestellar.core.plugins.module_utils.placement import catalogue as placement
from ansible_collections.kubestellar.core.plugins.module_utils.placement.catalogue import phrase
from ansible_collections.kubestellar.core.plugins.module_utils.status.model import View

MOST = 200
"""How many warnings are told; the rest is a number."""

_MOST_NAMES = 50

OWN: dict[str, Trouble] = {
    "space-not-ready": Trouble(
        ERROR,
        "The {spaces:form space|spaces} {spaces:names} {spaces:form is|are} not ready.",
        "See what is wrong with kubestellar.core.doctor.",
    ),
    "wecs-not-accepted": Trouble(
        ERROR,
        "The hub has not accepted {clusters:names}.",
        "Accept {clusters:form it|them} (kubestellar.core.wecs, or the module managed_cluster).",
    ),
    "wecs-not-joined": Trouble(
        ERROR,
        "The {clusters:form agent|agents} of {clusters:names} {clusters:form has|have} not come back with a certificate.",
        "Look at the certificate requests in the ITS, and at the log of the agent there.",
    ),
    "wecs-unavailable": Trouble(
        ERROR,
        "{clusters:names} {clusters:form is|are} not available ({reason:text}), so what is known of {clusters:form it|them} is stale.",
        "Look at the log of the agent there, and whether it reaches the hub.",
    ),
    "object-failed": Trouble(
        ERROR,
        "{objects:names} {objects:form has|have} failed in {clusters:names}: {reason:text}.",
        "Look at the object and its events there.",
    ),
    "object-progressing": Trouble(
        WARNING,
        "{objects:names} {objects:form is|are} not ready yet in {clusters:names}: {reason:text}.",
        "Wait, or look at the object and its events there.",
    ),
    "policies-behind": Trouble(
        WARNING,
        "KubeStellar has not processed the {policies:form policy|policies} {policies:names} as {policies:form it is|they are} now.",
        "See whether the controller-manager of the WDS runs, and its log.",
    ),
    "collector-errors": Trouble(
        WARNING,
        "KubeStellar reports for the StatusCollector {name}: {reason:text}.",
        "Correct its expressions (the module status_collector checks them).",
    ),
    "combined-errors": Trouble(
        WARNING,
        "The StatusCollector {name} cannot be evaluated for all of {object}: {reason:text}.",
        "Compare its expressions with the status that the clusters return.",
    ),
    "nothing-placed": Trouble(INFO, "No workload is placed.", "Place one (kubestellar.core.workloads)."),
}


@dataclass(frozen=True)
class Warned:
    """One warning.

    :ivar id: of the catalogue; never renamed.
    :ivar severity: `error`, `warning` or `info`.
    :ivar evidence: what is the matter. :ivar hint: the next thing to try.
    :ivar clusters, objects: the first of those that it is about.
    """

    id: str
    severity: str
    evidence: str
    hint: str
    clusters: list[str] = field(default_factory=list)
    objects: list[str] = field(default_factory=list)

    def result(self) -> dict[str, Any]:
        """The entry of `warnings` in an export."""
        return dict(vars(self))


def of_view(view: View) -> list[Warned]:
    """All warnings, the worst first."""
    if view.planned:
        return []
    found = [*_spaces(view), *_clusters(view), *_policies(view), *_cells(view), *_collected(view)]
    return sorted(found, key=lambda warned: SEVERITIES.index(warned.severity))


def _warned(trouble: str, **facts: Any) -> Warned:
    entry = OWN.get(trouble) or catalogue.CATALOGUE[trouble]
    return Warned(
        trouble,
        entry.severity,
        phrase(entry.evidence, facts),
        phrase(entry.hint, facts),
        list(facts.get("clusters") or ())[:_MOST_NAMES],
        list(facts.get("objects") or ())[:_MOST_NAMES],
    )


def _spaces(view: View) -> Iterator[Warned]:
    lacking = [space["name"] for space in view.spaces if not space["ready"]]
    if lacking:
        yield _warned("space-not-ready", spaces=lacking)


def _clusters(view: View) -> Iterator[Warned]:
    if not view.clusters:
        yield _warned("no-wec")
    not_accepted = [wec.name for wec in view.clusters if not wec.accepted]
    if not_accepted:
        yield _warned("wecs-not-accepted", clusters=not_accepted)
    not_joined = [wec.name for wec in view.clusters if wec.accepted and not wec.joined]
    if not_joined:
        yield _warned("wecs-not-joined", clusters=not_joined)
    lost: dict[str, list[str]] = {}
    for wec in view.clusters:
        if wec.accepted and wec.joined and not wec.online:
            lost.setdefault(wec.reason or wec.available or "never reported", []).append(wec.name)
    for reason, names in lost.items():
        yield _warned("wecs-unavailable", clusters=names, reason=reason)


def _policies(view: View) -> Iterator[Warned]:
    if not view.policies and not view.rows:
        yield _warned("nothing-placed")
    behind = [policy["name"] for policy in view.policies if not policy["current"]]
    if behind:
        yield _warned("policies-behind", policies=behind)
    for policy in view.policies:
        for error in policy["errors"]:
            yield _of_policy(policy, _warned("policy-errors", reason=error))
        for code, lacking in (("no-cluster", policy["clusters"]), ("no-object", policy["objects"])):
            if policy["current"] and not lacking:
                entry = placement.CATALOGUE[code]
                evidence = phrase(entry.message, {"registered": view.clusters})
                yield _of_policy(policy, Warned(code, catalogue.PLACEMENT[code], evidence, entry.hint))


def _of_policy(policy: Mapping[str, Any], warned: Warned) -> Warned:
    where = f"{policy['wds']}: BindingPolicy {policy['name']}"
    return Warned(warned.id, warned.severity, f"{where}: {warned.evidence}", warned.hint)


def _cells(view: View) -> Iterator[Warned]:
    """One warning for each state and message, with all objects and clusters that share them."""
    found: dict[tuple[str, str], tuple[dict[str, None], dict[str, None]]] = {}
    for row in view.rows:
        for cell in row.cells.values():
            if cell.health in (_health.HEALTHY, _delivery.STALE):
                continue
            objects, clusters = found.setdefault((_trouble(cell), cell.message), ({}, {}))
            objects[row.label] = None
            clusters[cell.cluster] = None
    for (trouble, message), (objects, clusters) in found.items():
        reason = message.removeprefix("not applied: ").rstrip(".") or "no reason is given"
        yield _warned(trouble, objects=list(objects), clusters=sorted(clusters), reason=reason)


def _trouble(cell: _delivery.Cell) -> str:
    if cell.health == _delivery.REMOVING:
        return "work-left-over"
    if cell.health == _health.FAILED:
        return "object-failed" if cell.applied else "work-not-applied"
    return "object-progressing"


def _collected(view: View) -> Iterator[Warned]:
    for collector in view.collectors:
        for error in collector["errors"]:
            yield _warned("collector-errors", name=collector["name"], reason=error)
    for table in view.combined:
        if table["errors"]:
            space = f"{table['namespace']}/" if table["namespace"] else ""
            yield _warned(
                "combined-errors",
                name=table["collector"],
                object=f"{table['kind']} {space}{table['name']}",
                reason=table["errors"][0],
            )
