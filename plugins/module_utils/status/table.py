# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a hub as lines of text, at most 120 columns wide (private to kubestellar.core). Pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _delivery
from ansible_collections.kubestellar.core.plugins.module_utils._client import label
from ansible_collections.kubestellar.core.plugins.module_utils._errors import plain
from ansible_collections.kubestellar.core.plugins.module_utils._grid import GAP, WIDTH, grid
from ansible_collections.kubestellar.core.plugins.module_utils._health import HEALTHY
from ansible_collections.kubestellar.core.plugins.module_utils.placement.catalogue import count
from ansible_collections.kubestellar.core.plugins.module_utils.status import combined, model
from ansible_collections.kubestellar.core.plugins.module_utils.status.model import View

_MOST_REASONS = 10
_MOST_COMBINED = 10
_WIDEST_OBJECT = 48
_STATE_WIDTH = len("progressing")


def lines(view: View) -> list[str]:
    """A view as text."""
    if view.planned:
        return ["the hub does not exist yet: an earlier task would create it"]
    return render(
        view.hub,
        view.spaces,
        model.clusters(view),
        view.policies,
        view.rows,
        combined_tables=view.combined,
        collectors=view.collectors,
    )


def render(
    hub: str,
    spaces: Sequence[Mapping[str, Any]],
    clusters: Sequence[Mapping[str, Any]],
    policies: Sequence[Mapping[str, Any]],
    rows: Sequence[_delivery.Row],
    *,
    combined_tables: Sequence[Mapping[str, Any]] = (),
    collectors: Sequence[Mapping[str, Any]] = (),
) -> list[str]:
    """Hub and spaces, clusters, then object × cluster and combined statuses for each policy, and the collectors.

    :param spaces, clusters, policies, combined_tables, collectors: as `workload_info` returns them.
    """
    lines: list[str] = []
    if spaces:
        lines += [
            f"hub {plain(hub, 60)}",
            *grid(["space", "role", "type", "ready"], _space_cells(spaces)),
            "",
        ]
    lines += ["clusters", *grid(["cluster", "joined", "available", "labels"], _cluster_cells(clusters))]
    if not clusters:
        lines.append(f"{GAP}none")
    for policy in policies:
        mine = [row for row in rows if policy["name"] in row.policies and row.wds == policy["wds"]]
        lines += ["", *_policy(policy, mine)]
        lines += _combined(
            [t for t in combined_tables if (t["policy"], t["wds"]) == (policy["name"], policy["wds"])]
        )
    known = {(policy["wds"], policy["name"]) for policy in policies}
    left = [row for row in rows if not any((row.wds, name) in known for name in row.policies)]
    if left:
        lines += ["", "left over, selected by no policy", *_matrix(left)]
    if not policies and not left:
        lines += ["", "no workload is placed"]
    if collectors:
        head = ["collector", "wds", "used by", "limit", "columns"]
        lines += ["", "status collectors", *grid(head, [_collector_cells(one) for one in collectors])]
        lines += [
            f"{GAP}! {plain(one['name'], 80)}: {plain(error, 400)}"
            for one in collectors
            for error in one["errors"]
        ]
    return [line[:WIDTH].rstrip() for line in lines]


def _space_cells(spaces: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    return [[space["name"], space["role"], space["type"], _yes(space["ready"])] for space in spaces]


def _cluster_cells(clusters: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    cells = []
    for cluster in clusters:
        available = "yes" if cluster["available"] else f"no ({cluster['reason'] or 'never reported'})"
        cells.append([cluster["name"], _yes(cluster["joined"]), available, model.labels(cluster)])
    return cells


def _policy(policy: Mapping[str, Any], rows: Sequence[_delivery.Row]) -> Iterator[str]:
    cells = [cell for row in rows for cell in row.cells.values()]
    healthy = sum(cell.health == HEALTHY for cell in cells)
    yield (
        f"{plain(policy['workload'] or policy['name'], 60)} in {plain(policy['wds'], 60)}: {count(rows, 'object')} on "
        f"{count(policy['clusters'], 'cluster')}, {healthy} of {len(cells)} healthy"
    )
    if not policy["current"]:
        yield f"{GAP}! KubeStellar has not processed the policy {plain(policy['name'], 60)} as it is now"
    for error in policy["errors"]:
        yield f"{GAP}! {plain(error, WIDTH - 4)}"
    yield from _matrix(rows)


def _matrix(rows: Sequence[_delivery.Row]) -> Iterator[str]:
    """Object × cluster where that fits, else one line per cluster with numbers; then what is wrong."""
    names = sorted({name for row in rows for name in row.cells})
    if not names:
        return
    first = min(_WIDEST_OBJECT, max(len(row.label) for row in rows))
    width = first + sum(len(GAP) + max(len(plain(name)), _STATE_WIDTH) for name in names) + len(GAP)
    if width <= WIDTH:
        body = [
            [plain(row.label, _WIDEST_OBJECT)]
            + [row.cells[name].health if name in row.cells else "-" for name in names]
            for row in rows
        ]
        yield from grid(["object", *names], body)
    else:
        yield from grid(["cluster", "objects", *_delivery.STATES], [_count(rows, name) for name in names])
    reasons: dict[str, dict[str, None]] = {}
    for row in rows:
        for cell in row.cells.values():
            if cell.health != HEALTHY:
                reasons.setdefault(_reason(row, cell), {})[cell.cluster] = None
    for reason, places in list(reasons.items())[:_MOST_REASONS]:
        where = list(places)
        more = f" and {len(where) - 1} more" if len(where) > 1 else ""
        yield f"{GAP}! {where[0]}{more}: {plain(reason, 400)}"
    if len(reasons) > _MOST_REASONS:
        yield f"{GAP}! and {len(reasons) - _MOST_REASONS} other reasons"


def _reason(row: _delivery.Row, cell: _delivery.Cell) -> str:
    """What is wrong; if the cluster is lost, that is said once and not for each object."""
    if cell.health == _delivery.STALE:
        return cell.message.partition(";")[0] or cell.health
    return f"{row.label}: {cell.message or cell.health}"


def _combined(tables: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What the StatusCollectors of a policy have collected, a table for each object."""
    for table in tables[:_MOST_COMBINED]:
        what = label(table["kind"], table["name"], table["namespace"])
        yield f"{GAP}{plain(table['collector'], 60)} of {plain(what, _WIDEST_OBJECT)}"
        body = [[combined.shown(cell) for cell in row] for row in table["rows"]]
        for line in grid(table["columns"], body) if body else [f"{GAP}nothing"]:
            yield GAP + line
        for error in table["errors"][:1]:
            yield f"{GAP}{GAP}! {plain(error, 400)}"
    if len(tables) > _MOST_COMBINED:
        yield f"{GAP}and {len(tables) - _MOST_COMBINED} other combined statuses"


def _collector_cells(one: Mapping[str, Any]) -> list[str]:
    used = ", ".join(one["policies"]) or "-"
    return [one["name"], one["wds"], used, str(one["limit"]), "; ".join(one["columns"])]


def _count(rows: Sequence[_delivery.Row], name: str) -> list[str]:
    cells = [row.cells[name] for row in rows if name in row.cells]
    return [name, str(len(cells))] + [
        str(sum(cell.health == state for cell in cells)) for state in _delivery.STATES
    ]


def _yes(value: bool) -> str:
    return "yes" if value else "no"
