# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a hub as one HTML page that needs nothing else (private to kubestellar.core). Pure functions.

What is few is markup: numbers, warnings, tables of workloads and clusters can be read without JavaScript. The
picture and the matrix are made by `script.SCRIPT` from data in the page. Names and messages of others are
escaped, and the page's policy allows no script, style or request but its own two blocks, by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _delivery, _health
from ansible_collections.kubestellar.core.plugins.module_utils._client import label
from ansible_collections.kubestellar.core.plugins.module_utils._errors import plain
from ansible_collections.kubestellar.core.plugins.module_utils.placement.catalogue import plural
from ansible_collections.kubestellar.core.plugins.module_utils.status import (
    combined,
    export,
    model,
    warnings,
)
from ansible_collections.kubestellar.core.plugins.module_utils.status.model import View
from ansible_collections.kubestellar.core.plugins.module_utils.status.script import SCRIPT
from ansible_collections.kubestellar.core.plugins.module_utils.status.style import STYLE

IDLE = "idle"
"""The state of a cluster with nothing placed in it."""

SHAPES = {
    _health.HEALTHY: "m1.8 5a3.2 3.2 0 1 0 6.4 0a3.2 3.2 0 1 0-6.4 0z",
    _health.PROGRESSING: "m2 1l7 4l-7 4z",
    _health.FAILED: "m1 2.6l1.6-1.6l2.4 2.4l2.4-2.4l1.6 1.6l-2.4 2.4l2.4 2.4l-1.6 1.6l-2.4-2.4l-2.4 2.4l-1.6-1.6l2.4-2.4z",
    _delivery.STALE: "m1 5a4 4 0 1 0 8 0a4 4 0 1 0-8 0zm1.7 0a2.3 2.3 0 1 0 4.6 0a2.3 2.3 0 1 0-4.6 0z",
    _delivery.REMOVING: "m1 3.7h8v2.6h-8z",
    IDLE: "m3.9 5a1.1 1.1 0 1 0 2.2 0a1.1 1.1 0 1 0-2.2 0z",
    "none": "m4.3 5a.7 .7 0 1 0 1.4 0a.7 .7 0 1 0-1.4 0z",
}
"""State to its mark in a box of 10 × 10, so that no state is told by its colour alone."""

_TURNING = re.compile("[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_WORST_FIRST = (_health.FAILED, _delivery.STALE, _delivery.REMOVING, _health.PROGRESSING, _health.HEALTHY)
_MANY_CLUSTERS = 30
_MANY_WARNINGS = 8
_MOST_TABLES = 100
_MOST_TABLE_ROWS = 200
_MOST_LABELS = 200


def text(view: View) -> str:
    """The page."""
    return _PAGE.format(
        policy=_policy(),
        title=_text(f"{view.hub or view.its or 'hub'} · KubeStellar"),
        style=STYLE,
        symbols="".join(
            f'<symbol id="mark-{name}" viewBox="0 0 10 10"><path d="M0 0{shape}"/></symbol>'
            for name, shape in SHAPES.items()
        ),
        body="\n".join(_body(view)),
        data=embedded(data(view)),
        script=SCRIPT,
    )


_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<svg width="0" height="0" class="unseen" aria-hidden="true">{symbols}</svg>
<main class="page">
{body}
</main>
<script type="application/json" id="data">{data}</script>
<script>{script}</script>
</body>
</html>
"""


def _policy() -> str:
    """What the page may do: its own style and script, and nothing else."""
    rules = (
        "default-src 'none'",
        f"style-src '{_digest(STYLE)}'",
        f"script-src '{_digest(SCRIPT)}'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
    return "; ".join(rules)


def _digest(block: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(block.encode()).digest()).decode()


def embedded(content: Any) -> str:
    """JSON for a script element: nothing in it ends the element or begins a comment, and all of it is ASCII."""
    packed = json.dumps(content, separators=(",", ":"))
    return packed.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


# -- data of the picture and the matrix -----------------------------------------------------------------------


def data(view: View) -> dict[str, Any]:
    """What the script draws from.

    Equal cells are kept once, in `cells`; a row has runs of their numbers over all clusters (number, how often,
    number, how often, ...), where 0 stands for "not placed". The runs of ages are minutes, and one more, since
    0 stands for "unknown".
    """
    clusters = _clusters(view)
    places = {cluster["name"]: index for index, cluster in enumerate(clusters)}
    pool = _Pool()
    rows = [_row(row, places, pool, view.taken) for row in view.rows]
    counts: dict[str, int] = {}
    for policy in view.policies:
        counts[policy["wds"]] = counts.get(policy["wds"], 0) + 1
    content = {
        "taken": int(view.taken),
        "hub": view.hub,
        "its": view.its,
        "wdses": list(view.wdses),
        "workloads": counts,
        "registered": len(view.clusters),
        "spaces": view.spaces,
        "states": list(_delivery.STATES),
        "shapes": SHAPES,
        "clusters": [
            [c["name"], c["state"], c["note"], _labels(c), c["placements"], c["healthy"]] for c in clusters
        ],
        "cells": pool.cells,
        "messages": pool.messages,
        "rows": rows,
    }
    return {key: _cleaned(value) for key, value in content.items()}


def _cleaned(value: Any) -> Any:
    """The same with all texts safe to show; numbers, of which there are many, are left alone."""
    if isinstance(value, str):
        return _shown(value)
    if isinstance(value, dict):
        return {key: _cleaned(item) for key, item in value.items()}
    if isinstance(value, list) and any(isinstance(item, (str, list, dict)) for item in value):
        return [_cleaned(item) for item in value]
    return value


def _shown(value: object) -> str:
    """Untrusted text as one line, without what would turn its direction of writing around."""
    return _TURNING.sub("\ufffd", plain(value))


class _Pool:
    """Cells and messages, each kept once. Number 0 stands for no cell and for no message."""

    def __init__(self) -> None:
        self.cells: list[list[int]] = [[0, 0, 0, 0, 0]]
        self.messages: list[str] = [""]
        self._cells: dict[tuple[Any, ...], int] = {}
        self._messages: dict[str, int] = {"": 0}

    def number(self, cell: _delivery.Cell) -> int:
        """The number of a cell."""
        key = (cell.health, cell.selected, cell.delivered, cell.applied, cell.message)
        number = self._cells.get(key)
        if number is None:
            message = self._messages.setdefault(cell.message, len(self.messages))
            if message == len(self.messages):
                self.messages.append(cell.message)
            flags = [int(cell.selected), int(cell.delivered), int(cell.applied)]
            number = self._cells[key] = len(self.cells)
            self.cells.append([_delivery.STATES.index(cell.health), *flags, message])
        return number


def _row(row: _delivery.Row, places: Mapping[str, int], pool: _Pool, taken: float) -> list[Any]:
    numbers, ages = [0] * len(places), [0] * len(places)
    for name, cell in row.cells.items():
        place = places[name]
        numbers[place] = pool.number(cell)
        age = model.age_of(cell, taken)
        ages[place] = 1 + age // 60 if age >= 0 else 0
    return [row.label, row.wds, ", ".join(row.policies), _runs(numbers), _runs(ages)]


def _runs(numbers: Iterable[int]) -> list[int]:
    """Number, how often, number, how often, ..."""
    return [part for number, run in groupby(numbers) for part in (number, sum(1 for _one in run))]


def _clusters(view: View) -> list[dict[str, Any]]:
    """The registered clusters, and those that are not and yet have placements; each with its state and a note."""
    found = [{**cluster, **_condition(cluster)} for cluster in model.clusters(view)]
    known = {cluster["name"] for cluster in found}
    stray: dict[str, list[_delivery.Cell]] = {}
    for row in view.rows:
        for name, cell in row.cells.items():
            if name not in known:
                stray.setdefault(name, []).append(cell)
    for name, cells in stray.items():
        found.append(
            {
                "name": name,
                "labels": {},
                "available": False,
                "placements": len(cells),
                **model.tally(cells),
                "state": _delivery.STALE,
                "note": "not registered",
            }
        )
    return sorted(found, key=lambda cluster: str(cluster["name"]))


def _condition(cluster: Mapping[str, Any]) -> dict[str, str]:
    """The state of a cluster, that of its worst placement, and what to say of it."""
    if not cluster["accepted"]:
        return {"state": _delivery.STALE, "note": "not accepted"}
    if not cluster["joined"]:
        return {"state": _delivery.STALE, "note": "not joined"}
    if not cluster["available"]:
        reason = cluster["reason"]
        return {
            "state": _delivery.STALE,
            "note": f"not available ({reason})" if reason else "never reported",
        }
    state = next((state for state in _WORST_FIRST if cluster[state]), IDLE)
    return {"state": state, "note": ""}


def _labels(cluster: Mapping[str, Any]) -> str:
    """The labels that people gave, as text."""
    return plain(model.labels(cluster), _MOST_LABELS)


# -- what can be read without a script ------------------------------------------------------------------------


def _text(value: object) -> str:
    """Untrusted text between tags, or in an attribute in double quotes."""
    return html.escape(_shown(value), quote=True)


def _named(value: object) -> str:
    """The same between tags, so that its direction of writing does not reach what stands beside it."""
    return f"<bdi>{_text(value)}</bdi>"


def _mark(state: str) -> str:
    return f'<svg class="i {state}" aria-hidden="true"><use href="#mark-{state}"/></svg>'


def _state(state: str, told: str = "") -> str:
    return f'<span class="state {state}">{_mark(state)}{_text(told or state)}</span>'


def _many(number: int, what: str) -> str:
    return f"{number:,} {plural(number, what)}"


def _body(view: View) -> Iterator[str]:
    numbers = model.summary(view)
    found = warnings.of_view(view)
    yield _head(view, numbers)
    yield from _tiles(view, numbers)
    yield from _warnings(found)
    yield (
        '<section aria-labelledby="h-picture"><header><h2 id="h-picture">Hub, spaces and clusters</h2></header>'
        '<div id="picture"><p class="quiet">The picture needs JavaScript. The tables below do not.</p></div></section>'
    )
    yield from _workloads(view)
    yield _MATRIX
    yield from _cluster_table(view)
    yield from _collected(view)
    yield (
        f"<footer>Made by the Ansible collection kubestellar.core from one reading of the hub at "
        f"{_text(_moment(view.taken))}. Marks: {', '.join(_state(state) for state in _WORST_FIRST)}. "
        "Stale: the cluster is not available, so nothing newer is known.</footer>"
    )


def _moment(seconds: float) -> str:
    return time.strftime("%-d %B %Y, %H:%M:%S UTC", time.gmtime(seconds))


def _head(view: View, numbers: Mapping[str, int]) -> str:
    if view.planned:
        state, verdict = IDLE, "The hub does not exist yet"
    elif not numbers["placements"]:
        state, verdict = IDLE, "Nothing is placed"
    else:
        state = next(state for state in _WORST_FIRST if numbers[state])
        verdict = f"{numbers[_health.HEALTHY]:,} of {_many(numbers['placements'], 'placement')} healthy"
    spaces = " · ".join(_named(name) for name in (*view.wdses, view.its) if name)
    return f"""<header class="head">
<div><p class="eyebrow">KubeStellar hub</p><h1>{_named(view.hub or view.its or "hub")}</h1>
<p class="quiet small"><time datetime="{export.moment(view.taken)}">{_text(_moment(view.taken))}</time>
<span data-scripted hidden>(<span id="age"></span>)</span>{f" · spaces {spaces}" if spaces else ""}</p></div>
<p class="verdict {state}">{_mark(state)}{_text(verdict)}</p>
</header>
<p class="banner" id="banner" role="status" hidden></p>"""


def _tiles(view: View, numbers: Mapping[str, int]) -> Iterator[str]:
    online = sum(wec.online for wec in view.clusters)
    yield '<ul class="tiles" aria-label="Numbers">'
    yield _tile(f"{online}/{len(view.clusters)}", "clusters available")
    yield _tile(f"{numbers['objects']:,}", "object" if numbers["objects"] == 1 else "objects")
    for state in _delivery.STATES:
        if numbers[state] or state != _delivery.REMOVING:
            yield _tile(f"{numbers[state]:,}", state, state)
    yield "</ul>"


def _tile(number: str, what: str, state: str = "") -> str:
    none = " none" if number == "0" else ""
    told = _state(state) if state and not none else f"<span>{_text(what)}</span>"
    return f'<li class="tile{none}"><b>{_text(number)}</b>{told}</li>'


_LEVEL_MARKS = {"error": _health.FAILED, "warning": _health.PROGRESSING, "info": IDLE}


def _warnings(found: Sequence[warnings.Warned]) -> Iterator[str]:
    yield '<section aria-labelledby="h-warnings" id="warnings"><header><h2 id="h-warnings">Warnings</h2>'
    yield f"<p>{_many(len(found), 'cause') if found else 'Nothing needs attention.'}</p></header>"
    if found:
        yield f'<ul class="warnings">{"".join(map(_warning, found[:_MANY_WARNINGS]))}</ul>'
    rest = found[_MANY_WARNINGS : warnings.MOST]
    if rest:
        yield f"<details><summary>{len(found) - _MANY_WARNINGS} more</summary>"
        yield f'<ul class="warnings">{"".join(map(_warning, rest))}</ul>'
        if len(found) > warnings.MOST:
            yield f'<p class="quiet">{len(found) - warnings.MOST} others are in the JSON export.</p>'
        yield "</details>"
    yield "</section>"


def _warning(warned: warnings.Warned) -> str:
    mark = f'<svg class="i" aria-hidden="true"><use href="#mark-{_LEVEL_MARKS[warned.severity]}"/></svg>'
    return (
        f'<li><span class="state level {warned.severity}">{mark}{warned.severity}</span>'
        f'<div><p>{_named(warned.evidence)}</p><p class="quiet small">{_named(warned.hint)}</p></div></li>'
    )


def _table(
    head: Sequence[tuple[str, str]], lines: Iterable[str], caption: str = "", *, stacked: bool = False
) -> str:
    """:param stacked: on a phone, a line is a list of its cells."""
    cells = "".join(f'<th scope="col"{_class(kind)}>{_text(name)}</th>' for name, kind in head)
    title = f"<caption>{caption}</caption>" if caption else ""
    return f"<table{_class('stacked' if stacked else '')}>{title}<thead><tr>{cells}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _class(name: str) -> str:
    return f' class="{name}"' if name else ""


def _scrolled(name: str, table: str) -> str:
    """A wide table scrolls by itself, also by keyboard."""
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{_text(name)}">{table}</div>'


_COUNTS = [(state, "number") for state in _delivery.STATES]


def _counted(counts: Mapping[str, int]) -> str:
    return "".join(
        f'<td class="number" data-of="{state}">{_state(state, format(counts[state], ","))}</td>'
        if counts[state]
        else '<td class="number zero">0</td>'
        for state in _delivery.STATES
    )


def _workloads(view: View) -> Iterator[str]:
    yield '<section aria-labelledby="h-workloads" id="workloads"><header><h2 id="h-workloads">Workloads</h2>'
    yield f"<p>{_many(len(view.policies), 'policy')}</p></header>"
    head = [("workload", ""), ("space", ""), ("clusters", "number"), ("objects", "number"), *_COUNTS]
    lines = []
    for policy in view.policies:
        name = policy["workload"] or policy["name"]
        notes = [] if policy["current"] else ["not processed by KubeStellar as it is now"]
        notes += [] if name == policy["name"] else [f"policy {policy['name']}"]
        notes += policy["errors"][:3]
        more = "".join(f'<div class="quiet small">{_named(note)}</div>' for note in notes)
        lines.append(
            f'<tr><th scope="row">{_named(name)}{more}</th><td data-of="space">{_named(policy["wds"])}</td>'
            f'<td class="number" data-of="clusters">{len(policy["clusters"])}</td>'
            f'<td class="number" data-of="objects">{policy["objects"]}</td>'
            f"{_counted(policy)}</tr>"
        )
    if lines:
        yield _scrolled("Workloads", _table(head, lines, stacked=True))
    yield "</section>"


def _cluster_table(view: View) -> Iterator[str]:
    clusters = _clusters(view)
    yield '<section aria-labelledby="h-clusters" id="cluster-list"><header><h2 id="h-clusters">Clusters</h2>'
    yield f"<p>{len(clusters)} of {_text(view.its)}</p></header>"
    head = [("cluster", ""), ("state", ""), ("objects", "number"), *_COUNTS, ("labels", "")]
    order = (*_WORST_FIRST, IDLE)
    lines = [
        f'<tr><th scope="row">{_named(cluster["name"])}</th>'
        f'<td data-of="state">{_state(cluster["state"], cluster["note"] or ("available" if cluster["state"] == IDLE else ""))}</td>'
        f'<td class="number" data-of="objects">{cluster["placements"]}</td>{_counted(cluster)}'
        f'<td class="labels" data-of="labels">{_named(_labels(cluster))}</td></tr>'
        for cluster in sorted(clusters, key=lambda cluster: order.index(cluster["state"]))
    ]
    table = _scrolled("Clusters", _table(head, lines, stacked=True)) if lines else ""
    if len(lines) > _MANY_CLUSTERS:
        table = f"<details><summary>All {len(lines)} clusters</summary>{table}</details>"
    yield f"{table}</section>"


def _collected(view: View) -> Iterator[str]:
    if not view.collectors and not view.combined:
        return
    yield '<section aria-labelledby="h-collected" id="collected"><header><h2 id="h-collected">Collected status</h2>'
    yield f"<p>{_many(len(view.collectors), 'StatusCollector')}, {_many(len(view.combined), 'table')}</p></header>"
    head = [("collector", ""), ("space", ""), ("used by", ""), ("limit", "number"), ("columns", "")]
    lines = [
        f'<tr><th scope="row">{_named(one["name"])}'
        + "".join(f'<div class="failed small">{_named(error)}</div>' for error in one["errors"])
        + f"</th><td>{_named(one['wds'])}</td><td>{_named(', '.join(one['policies']) or 'nothing')}</td>"
        f'<td class="number">{_text(one["limit"])}</td><td class="labels">{_named("; ".join(one["columns"]))}</td></tr>'
        for one in view.collectors
    ]
    if lines:
        yield _scrolled("StatusCollectors", _table(head, lines))
    yield f'<div class="tables">{"".join(map(_combined, view.combined[:_MOST_TABLES]))}</div>'
    if len(view.combined) > _MOST_TABLES:
        yield f'<p class="quiet">{len(view.combined) - _MOST_TABLES} other tables are in the JSON export.</p>'
    yield "</section>"


def _combined(table: Mapping[str, Any]) -> str:
    what = label(table["kind"], table["name"], table["namespace"])
    caption = f'{_named(table["collector"])} of {_named(what)} <span class="quiet small">{_named(table["policy"])}</span>'
    numeric = [
        all(isinstance(row[index], (int, float, type(None))) for row in table["rows"] if index < len(row))
        for index in range(len(table["columns"]))
    ]
    kinds = ["number" if is_number and table["rows"] else "" for is_number in numeric]
    lines = [
        "<tr>"
        + "".join(
            f"<td{_class(kinds[index] if index < len(kinds) else '')}>{_named(combined.shown(cell))}</td>"
            for index, cell in enumerate(row)
        )
        + "</tr>"
        for row in table["rows"][:_MOST_TABLE_ROWS]
    ]
    more = len(table["rows"]) - _MOST_TABLE_ROWS
    rest = f'<p class="quiet small">{more} more rows are in the JSON export.</p>' if more > 0 else ""
    empty = '<p class="quiet small">No cluster has returned anything for it.</p>' if not lines else ""
    errors = "".join(f'<p class="failed small">{_named(error)}</p>' for error in table["errors"])
    head = list(zip(table["columns"], kinds, strict=True))
    return f"<div>{_table(head, lines, caption)}{rest}{empty}{errors}</div>"


_MATRIX = """<section aria-labelledby="h-matrix" id="matrix"><header><h2 id="h-matrix">Objects × clusters</h2>
<p id="found" role="status">The matrix needs JavaScript; the JSON export has the same.</p></header>
<div class="tools" data-scripted hidden>
<label class="field">Objects, policies<input id="objects" type="search" autocomplete="off" spellcheck="false"></label>
<label class="field">Clusters, labels<input id="clusters" type="search" autocomplete="off" spellcheck="false"></label>
<fieldset class="chips" id="chips"><legend>States</legend></fieldset>
</div>
<div id="rows"></div>
<button class="more" id="more" type="button" hidden>Show more</button>
<div id="detail" role="status" aria-live="polite" data-scripted hidden></div>
</section>"""
