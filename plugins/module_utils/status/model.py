# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a hub as one value, from which tables, pages and exports are made (private to kubestellar.core).

`compose` and everything here is pure; `status.read` gets what it needs from the clusters.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _delivery, _space, _wait
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, plain
from ansible_collections.kubestellar.core.plugins.module_utils._health import HEALTHY
from ansible_collections.kubestellar.core.plugins.module_utils.placement import resolution
from ansible_collections.kubestellar.core.plugins.module_utils.status import combined
from ansible_collections.kubestellar.core.plugins.module_utils.workload.names import WORKLOAD_LABEL

_MOST_UNHEALTHY = 100


@dataclass(frozen=True)
class Question:
    """What is asked for.

    :ivar policies: names of BindingPolicies; None for all.
    :ivar workload: the workload whose policies are meant; None for all.
    """

    policies: frozenset[str] | None = None
    workload: str | None = None

    @property
    def whole(self) -> bool:
        """Whether everything is asked for; then what no policy selects any more belongs to the answer."""
        return self.policies is None and self.workload is None

    def takes(self, policy: Mapping[str, Any]) -> bool:
        """Whether a BindingPolicy is asked for."""
        name = policy["metadata"]["name"]
        return (self.policies is None or name in self.policies) and (
            self.workload is None or self.workload == name or self.workload in workloads_of(policy)
        )


def workloads_of(policy: Mapping[str, Any]) -> set[str]:
    """The workloads of a BindingPolicy: by its own label, as the role `workload` makes it, or by those of the objects that it selects."""
    label = (policy["metadata"].get("labels") or {}).get(WORKLOAD_LABEL)
    if label:
        return {str(label)}
    found: set[str] = set()
    for clause in (policy.get("spec") or {}).get("downsync") or []:
        for selector in clause.get("objectSelectors") or []:
            labels = selector.get("matchLabels") or {}
            found |= {str(labels[WORKLOAD_LABEL])} if WORKLOAD_LABEL in labels else set()
            for expression in selector.get("matchExpressions") or []:
                if (expression.get("key"), expression.get("operator")) == (WORKLOAD_LABEL, "In"):
                    found |= {str(value) for value in expression.get("values") or []}
    return found


@dataclass(frozen=True)
class Part:
    """What was read of one WDS.

    :ivar collectors: its StatusCollectors.
    :ivar combined: its CombinedStatuses.
    """

    facts: _delivery.Facts
    collectors: Sequence[Mapping[str, Any]] = ()
    combined: Sequence[Mapping[str, Any]] = ()


@dataclass
class View:
    """The state of a hub, as far as it was asked for.

    :ivar hub: what the hosting cluster is called; empty if only spaces were asked.
    :ivar taken: when it was read, in seconds since the epoch.
    :ivar spaces, policies, combined, collectors: as in the result of `workload_info`.
    :ivar planned: the hub does not exist yet; all else is empty.
    """

    hub: str = ""
    its: str = ""
    wdses: Sequence[str] = ()
    taken: float = 0.0
    spaces: list[dict[str, Any]] = field(default_factory=list)
    clusters: list[_delivery.Wec] = field(default_factory=list)
    policies: list[dict[str, Any]] = field(default_factory=list)
    rows: list[_delivery.Row] = field(default_factory=list)
    combined: list[dict[str, Any]] = field(default_factory=list)
    collectors: list[dict[str, Any]] = field(default_factory=list)
    planned: bool = False


def compose(
    parts: Sequence[Part],
    question: Question,
    *,
    hub: str,
    its: str,
    taken: float,
    control_planes: Iterable[Mapping[str, Any]] = (),
    age: Callable[[_delivery.Work], float] | None = None,
) -> View:
    """The view of what was read.

    :param age: see `_delivery.join`; by default the time between `taken` and the work agent's last word.
    """
    view = View(hub=hub, its=its, wdses=[part.facts.wds for part in parts], taken=taken)
    view.spaces = [_space_of(item) for item in control_planes]
    view.clusters = sorted(parts[0].facts.clusters, key=lambda cluster: cluster.name)
    for part in parts:
        facts = part.facts
        policies = [policy for policy in facts.policies if question.takes(policy)]
        chosen = {policy["metadata"]["name"] for policy in policies}
        asked = facts if question.whole else _restricted(facts, chosen | set(question.policies or ()))
        with _uncollected():
            rows = _delivery.join(asked, age or (lambda work: taken - work.applied_at))
        bindings = {binding["metadata"]["name"]: binding for binding in facts.bindings}
        view.rows += rows
        view.policies += _policies(facts.wds, policies, bindings, rows)
        view.combined += combined.tables(facts.wds, part.combined, facts.kinds, chosen)
        collectors = combined.collectors(facts.wds, part.collectors, asked.bindings)
        view.collectors += [c for c in collectors if question.whole or c["policies"]]
    return view


@contextmanager
def _uncollected() -> Iterator[None]:
    """Looking for garbage, of which joining makes none, takes half of its time where there are many cells."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _restricted(facts: _delivery.Facts, names: set[str]) -> _delivery.Facts:
    """The facts of these policies."""
    return replace(
        facts,
        bindings=[item for item in facts.bindings if item["metadata"]["name"] in names],
        works=[item for item in facts.works if item.binding in names],
    )


def refuse_unknown(question: Question, view: View) -> None:
    """A policy that is asked for by name and is nowhere is a mistake, not an empty answer.

    :raises InvalidInput: there is one.
    """
    unknown = sorted((question.policies or frozenset()) - {policy["name"] for policy in view.policies})
    if unknown:
        raise InvalidInput(
            f"There is no BindingPolicy {', '.join(unknown)} in {', '.join(view.wdses)}.",
            hint="See kubectl get bindingpolicies, or leave policy out.",
        )


def unplaced(question: Question, view: View) -> str:
    """That a workload which is asked for is in no policy, as a sentence; empty if it is in one."""
    if question.workload is None or view.policies or view.planned:
        return ""
    return (
        f"No BindingPolicy in {', '.join(view.wdses)} places the workload {plain(question.workload, 80)}: none has this name or the label "
        f"{WORKLOAD_LABEL}={plain(question.workload, 80)}, or selects objects by that label. Correct name, or name policies with policy."
    )


def _space_of(item: Mapping[str, Any]) -> dict[str, Any]:
    """A ControlPlane, reduced."""
    return {
        "name": item["metadata"]["name"],
        "role": (item["metadata"].get("labels") or {}).get(_space.CP_TYPE_LABEL, ""),
        "type": plain((item.get("spec") or {}).get("type") or ""),
        "ready": _wait.condition(dict(item), "Ready").get("status") == "True",
    }


def _policies(
    wds: str,
    policies: Sequence[Mapping[str, Any]],
    bindings: Mapping[str, Mapping[str, Any]],
    rows: Sequence[_delivery.Row],
) -> list[dict[str, Any]]:
    mine: dict[str, list[_delivery.Row]] = {}
    for row in rows:
        for name in row.policies:
            mine.setdefault(name, []).append(row)
    found = []
    for policy in policies:
        metadata, status = policy["metadata"], policy.get("status") or {}
        binding = bindings.get(metadata["name"], {})
        where = sorted(resolution.destinations(binding))
        chosen = set(where)
        cells = [
            cell
            for row in mine.get(metadata["name"], ())
            for cell in row.cells.values()
            if cell.cluster in chosen or not cell.selected
        ]
        found.append(
            {
                "wds": wds,
                "name": metadata["name"],
                "workload": (metadata.get("labels") or {}).get(WORKLOAD_LABEL, ""),
                # KubeStellar makes no Binding for nothing.
                "current": status.get("observedGeneration") == metadata.get("generation"),
                "errors": [plain(error) for error in status.get("errors") or []],
                "clusters": where,
                "objects": len(resolution.bound(binding)),
                "placements": len(cells),
                **tally(cells),
            }
        )
    return found


def tally(cells: Iterable[_delivery.Cell]) -> dict[str, int]:
    """Numbers of cells by health."""
    counts = dict.fromkeys(_delivery.STATES, 0)
    for cell in cells:
        counts[cell.health] += 1
    return counts


def clusters(view: View) -> list[dict[str, Any]]:
    """The entries of `clusters` in a result."""
    cells: dict[str, list[_delivery.Cell]] = {}
    for row in view.rows:
        for name, cell in row.cells.items():
            cells.setdefault(name, []).append(cell)
    return [
        {
            **wec.result(),
            "since": wec.since,
            "placements": sum(cell.selected for cell in cells.get(wec.name, ())),
            **tally(cells.get(wec.name, ())),
        }
        for wec in view.clusters
    ]


def labels(cluster: Mapping[str, Any]) -> str:
    """The labels of an entry of `clusters` that people gave, as text."""
    return ", ".join(f"{key}={value}" for key, value in sorted(cluster["labels"].items()) if "." not in key)


def summary(view: View) -> dict[str, int]:
    """Numbers of clusters, objects and placements."""
    return _delivery.summary(view.rows, [name for policy in view.policies for name in policy["clusters"]])


def unhealthy(view: View) -> list[str]:
    """The first placements that are not healthy, one line each."""
    lines = (
        plain(f"{cell.cluster}: {row.label}: {cell.health}{': ' if cell.message else ''}{cell.message}")
        for row in view.rows
        for cell in row.cells.values()
        if cell.health != HEALTHY
    )
    return [line for line, _number in zip(lines, range(_MOST_UNHEALTHY), strict=False)]


def objects(view: View) -> list[dict[str, Any]]:
    """The entries of `objects` in a result."""
    return [_object(row, view.taken) for row in view.rows]


def _object(row: _delivery.Row, taken: float) -> dict[str, Any]:
    return {
        "wds": row.wds,
        "group": row.key.group,
        "kind": row.kind,
        "namespace": row.key.namespace,
        "name": row.key.name,
        "policies": row.policies,
        "clusters": [
            {
                "name": cell.cluster,
                "selected": cell.selected,
                "delivered": cell.delivered,
                "applied": cell.applied,
                "health": cell.health,
                "message": cell.message,
                "age": age_of(cell, taken),
            }
            for _name, cell in sorted(row.cells.items())
        ],
    }


def age_of(cell: _delivery.Cell, taken: float) -> int:
    """Seconds since the status of a cell last changed; -1 if unknown."""
    return max(0, int(taken - cell.since)) if cell.since else -1


def is_healthy(view: View) -> bool:
    """Whether something is placed, and all of it is there in its present version and does what it is for."""
    cells = [cell for row in view.rows for cell in row.cells.values()]
    return (
        bool(cells)
        and all(cell.health == HEALTHY and cell.settled for cell in cells)
        and all(policy["current"] and not policy["errors"] for policy in view.policies)
    )
