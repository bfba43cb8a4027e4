# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Previews as text, as data and as Markdown for a pull request (private to kubestellar.core). Pure functions.

A preview is an entry of `previews` in a result: `name`, `wds`, `state`, `preview` and `refused`. What is in it may stem from
anybody who can open a pull request. In the text it is one line without control characters. In Markdown it is only ever
inside of code spans, where nothing is a link, a mention, an image or HTML; what could end one is made harmless.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._client import label
from ansible_collections.kubestellar.core.plugins.module_utils._errors import plain
from ansible_collections.kubestellar.core.plugins.module_utils._grid import GAP, MOST_ROWS, WIDTH, grid
from ansible_collections.kubestellar.core.plugins.module_utils.placement.catalogue import count

LONGEST_MARKDOWN = 60_000
"""Characters; forges take 65,536 in a comment."""

_MOST_NAMES = 50
_MOST_COLUMNS = 12
_FOLDED = (200, 50, 10, 0)
"""How many objects of a policy are listed in Markdown, the first number with which all of it is short enough."""
_LONGEST_NAME = 120
_SETTINGS = ("create_only", "want_singleton_reported_state", "want_multi_wec_reported_state")
_CHANGES = (
    ("clusters_added", "cluster", "more"),
    ("clusters_removed", "cluster", "less"),
    ("objects_added", "object", "more"),
    ("objects_removed", "object", "less"),
    ("objects_changed", "object", "delivered otherwise"),
)
_MARKS = {"removed": "-", "added": "+", "changed": "~", "kept": ""}

Entry = Mapping[str, Any]


@dataclass(frozen=True)
class Cell:
    """The objects of one policy in one cluster, as numbers."""

    kept: int = 0
    added: int = 0
    removed: int = 0

    def text(self, compared: bool) -> str:
        """`6`, or `4 +2 -1` beside an earlier state."""
        if not compared:
            return str(self.kept + self.added)
        changes = [f"+{self.added}"] if self.added else []
        changes += [f"-{self.removed}"] if self.removed else []
        return " ".join([str(self.kept), *changes] if self.kept or not changes else changes)


def cells(preview: Mapping[str, Any]) -> dict[str, Cell]:
    """Cluster to its numbers, for all clusters that are selected or left, sorted."""
    now, added, removed = (len(preview[key]) for key in ("objects", "objects_added", "objects_removed"))
    joining = set(preview["clusters_added"])
    found = {
        name: Cell(added=now) if name in joining else Cell(now - added, added, removed)
        for name in preview["clusters"]
    }
    found |= {name: Cell(removed=now - added + removed) for name in preview["clusters_removed"]}
    return dict(sorted(found.items()))


def summary(previews: Sequence[Entry]) -> dict[str, int]:
    """Numbers over all previews. A placement is one object in one cluster."""
    numbers = [cell for entry in previews for cell in cells(entry["preview"]).values()]
    return {
        "policies": len(previews),
        "clusters": len({name for entry in previews for name in entry["preview"]["clusters"]}),
        "objects": len({(entry["wds"], *_key(o)) for entry in previews for o in entry["preview"]["objects"]}),
        "placements": sum(cell.kept + cell.added for cell in numbers),
        "placements_added": sum(cell.added for cell in numbers),
        "placements_removed": sum(cell.removed for cell in numbers),
        "warnings": sum(len(entry["preview"]["warnings"]) for entry in previews),
        "refused": sum(len(entry["refused"]) for entry in previews),
    }


def data(title: str, previews: Sequence[Entry], *, compared: bool) -> dict[str, Any]:
    """All of it for programs; can be written as JSON, and read again to compare with."""
    return {
        "title": title,
        "compared": compared,
        "summary": summary(previews),
        "previews": [dict(entry) for entry in previews],
    }


def refusals(previews: Sequence[Entry]) -> list[str]:
    """One line for each reason for which guards refuse."""
    return [
        f"{_policy(entry)}: {shown(item['message'], 1000)} {shown(item['hint'])} [{item['code']}]"
        for entry in previews
        for item in entry["refused"]
    ]


def shown(value: object, limit: int = 500) -> str:
    """Untrusted text in one line: `plain`, and without characters that are not seen or turn the direction of writing."""
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}"
        for character in plain(value, limit)
    )


def _key(obj: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(obj[field]) for field in ("group", "resource", "namespace", "name"))


def _policy(entry: Entry) -> str:
    return f"{shown(entry['name'], _LONGEST_NAME)} in {shown(entry['wds'], _LONGEST_NAME)}"


def _rows(preview: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(what happens, object): what leaves first, then what comes, then what changes, then the rest."""
    special: set[tuple[str, ...]] = set()
    for what in ("removed", "added", "changed"):
        for obj in preview[f"objects_{what}"]:
            special.add(_key(obj))
            yield what, obj
    yield from (("kept", obj) for obj in preview["objects"] if _key(obj) not in special)


def _object(obj: Mapping[str, Any]) -> str:
    return shown(label(str(obj["kind"]), str(obj["name"]), str(obj["namespace"])), _LONGEST_NAME)


def _remarks(obj: Mapping[str, Any]) -> str:
    """How an object is delivered, if in a special way, and whether it would be lost."""
    words = [
        *(["the last copy"] if obj.get("last_copy") else []),
        *(field for field in _SETTINGS if obj.get(field)),
        *(f"status collector {shown(name, _LONGEST_NAME)}" for name in obj.get("status_collectors") or []),
    ]
    return ", ".join(words)


def _troubles(entry: Entry) -> Iterator[tuple[str, Mapping[str, str]]]:
    """What is refused, then what is warned of; what is both, once."""
    yield from (("REFUSED: ", item) for item in entry["refused"])
    yield from (("", item) for item in entry["preview"]["warnings"] if item not in entry["refused"])


def _title(entry: Entry, compared: bool) -> str:
    """What a policy does, in numbers."""
    preview = entry["preview"]
    left = len(preview["clusters_removed"])
    if any(item["code"] == "policy-unlisted" for item in preview["warnings"]):
        return f"not described any more, {count(len(preview['objects_removed']), 'object')} in {count(left, 'cluster')}"
    if entry["state"] == "absent":
        return f"removed, {count(len(preview['objects_removed']), 'object')} from {count(left, 'cluster')}"
    told = f"{count(len(preview['objects']), 'object')} to {count(len(preview['clusters']), 'cluster')}"
    if not compared:
        return told
    changes = [
        f"{count(len(preview[field]), noun)} {what}" for field, noun, what in _CHANGES if preview[field]
    ]
    return f"{told}; {', '.join(changes) or 'nothing changes'}"


# -- text -------------------------------------------------------------------------------------------------------------


def text(title: str, previews: Sequence[Entry], *, compared: bool = False) -> list[str]:
    """Lines of at most 120 columns.

    :param title: what it is about, such as the name of a hub.
    :param compared: whether there is an earlier state, so that marks say something.
    """
    numbers = summary(previews)
    head = f"placement on {shown(title, 60)}: " if title else "placement: "
    head += f"{count(numbers['policies'], 'policy')}, {count(numbers['clusters'], 'cluster')}, "
    lines = [
        f"{head}{count(numbers['objects'], 'object')}",
        *_matrix(previews, compared),
    ]
    for entry in previews:
        lines += ["", *_block(entry, compared)]
    return [line[:WIDTH].rstrip() for line in lines]


def _matrix(previews: Sequence[Entry], compared: bool) -> list[str]:
    """Policy × cluster where that fits, else one line for each policy with numbers."""
    table = [(entry, cells(entry["preview"])) for entry in previews]
    names = sorted({name for _entry, row in table for name in row})
    body = [
        [_policy(entry), *(row[name].text(compared) if name in row else "" for name in names)]
        for entry, row in table
    ]
    lines = list(grid(["objects of", *names], body, shown)) if len(names) <= _MOST_COLUMNS else []
    if not lines or max(len(line) for line in lines) > WIDTH:
        lines = list(grid(*_totals(previews, compared), shown))
    return lines


def _totals(previews: Sequence[Entry], compared: bool) -> tuple[list[str], list[list[str]]]:
    """Head and rows of a table with numbers only, for a fleet."""
    head = ["policy", "clusters", "objects"]
    columns = ["clusters", "objects"]
    if compared:
        head += ["+ clusters", "- clusters", "+ objects", "- objects"]
        columns += ["clusters_added", "clusters_removed", "objects_added", "objects_removed"]
    return head, [
        [_policy(entry), *(str(len(entry["preview"][column])) for column in columns)] for entry in previews
    ]


def _block(entry: Entry, compared: bool) -> Iterator[str]:
    preview = entry["preview"]
    yield from _wrapped("", f"{_policy(entry)}: {_title(entry, compared)}")
    joining = set(preview["clusters_added"]) if compared else set()
    for mark, names in (
        ("- ", preview["clusters_removed"]),
        ("+ ", [name for name in preview["clusters"] if name in joining]),
        ("", [name for name in preview["clusters"] if name not in joining]),
    ):
        if names:
            yield from _wrapped(f"{GAP}{mark}on ", _cut(names))
    rows = list(_rows(preview))
    if not compared:
        rows = [("kept", obj) for obj in preview["objects"]]
    widest = max((len(_object(obj)) for _what, obj in rows[:MOST_ROWS]), default=0)
    for what, obj in rows[:MOST_ROWS]:
        mark = f"{_MARKS[what]:2}" if compared else ""
        yield f"{GAP}{GAP}{mark}{_object(obj):{widest}}{GAP}{_remarks(obj)}"
    if len(rows) > MOST_ROWS:
        yield f"{GAP}{GAP}and {len(rows) - MOST_ROWS} more"
    for word, item in _troubles(entry):
        yield from _wrapped(f"{GAP}! ", f"{word}{shown(item['message'], 1000)} [{item['code']}]")
        yield from _wrapped(f"{GAP}{GAP}", shown(item["hint"]))


def _cut(names: Sequence[str]) -> str:
    told = ", ".join(shown(name, _LONGEST_NAME) for name in names[:_MOST_NAMES])
    return told + (f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else "")


def _wrapped(prefix: str, told: str) -> list[str]:
    return textwrap.wrap(
        told,
        WIDTH,
        initial_indent=prefix,
        subsequent_indent=" " * len(prefix),
        break_on_hyphens=False,
    )


# -- Markdown ---------------------------------------------------------------------------------------------------------


def markdown(title: str, previews: Sequence[Entry], *, compared: bool = False) -> str:
    """A comment for a pull request: a table of policies and clusters, troubles, and the objects folded away.

    It is short enough for a comment; where something is left out, it says so.
    """
    result = ""
    for most in _FOLDED:
        result = _begun(_document(title, previews, compared, most))
        if len(result) <= LONGEST_MARKDOWN:
            return result
    cut = result[:LONGEST_MARKDOWN].rpartition("\n\n")[0]
    return f"{cut}\n\nThere is more than a comment can hold; see the text or the JSON.\n"


def _begun(lines: Iterable[str]) -> str:
    """The lines until they are too long for a comment."""
    begun, length = [], 0
    for line in lines:
        begun.append(line)
        length += len(line) + 1
        if length > LONGEST_MARKDOWN:
            break
    return "\n".join(begun) + "\n"


def _document(title: str, previews: Sequence[Entry], compared: bool, most: int) -> Iterator[str]:
    numbers = summary(previews)
    yield f"## Placement on {code(title)}" if title else "## Placement"
    yield ""
    told = f"{count(numbers['policies'], 'policy')}, {count(numbers['clusters'], 'cluster')}, "
    told += f"{count(numbers['objects'], 'object')}"
    if compared:
        told += f"; {numbers['placements_added']} placements more, {numbers['placements_removed']} less"
    if numbers["refused"]:
        told += f". **{count(numbers['refused'], 'refusal')} by guards**"
    yield f"{told}."
    yield ""
    yield from _markdown_matrix(previews, compared)
    for entry in previews:
        yield from _markdown_block(entry, compared, most)
    if previews and not most:
        yield "The objects are not listed: they are more than a comment can hold."


def _markdown_matrix(previews: Sequence[Entry], compared: bool) -> Iterator[str]:
    if not previews:
        return
    table = [(entry, cells(entry["preview"])) for entry in previews[:MOST_ROWS]]
    names = sorted({name for _entry, row in table for name in row})
    if len(names) <= _MOST_COLUMNS:
        head = ["objects of", *(code(name, table=True) for name in names)]
        body = [[row[name].text(compared) if name in row else "" for name in names] for _entry, row in table]
    else:
        head, rows = _totals(previews[:MOST_ROWS], compared)
        body = [row[1:] for row in rows]
    yield _line(head)
    yield _line(["---", *["---:"] * (len(head) - 1)])
    for (entry, _row), numbers in zip(table, body, strict=True):
        yield _line([f"{code(entry['name'], table=True)} in {code(entry['wds'], table=True)}", *numbers])
    yield ""
    if len(previews) > MOST_ROWS:
        yield f"And {len(previews) - MOST_ROWS} more."
        yield ""


def _markdown_block(entry: Entry, compared: bool, most: int) -> Iterator[str]:
    preview = entry["preview"]
    yield f"### {code(entry['name'])} in {code(entry['wds'])}: {_title(entry, compared)}"
    yield ""
    troubles = [f"- **{word}{item['code']}:** {_sentence(item)}" for word, item in _troubles(entry)]
    if troubles:
        yield from [*troubles, ""]
    if compared:
        for what, names in (
            ("Leaves", preview["clusters_removed"]),
            ("Comes to", preview["clusters_added"]),
        ):
            if names:
                yield f"{what} {', '.join(code(name) for name in names[:_MOST_NAMES])}{_more(names, _MOST_NAMES)}."
                yield ""
    rows = list(_rows(preview)) if compared else [("kept", obj) for obj in preview["objects"]]
    if rows and most:
        yield from _folded(rows, compared, most)


def _folded(rows: Sequence[tuple[str, Mapping[str, Any]]], compared: bool, most: int) -> Iterator[str]:
    """The objects as a table that is not seen before a click. Markdown inside HTML needs the empty lines."""
    yield f"<details><summary>{count(len(rows), 'object')}</summary>"
    yield ""
    yield _line([*([""] if compared else []), "kind", "namespace", "name", "delivered with"])
    yield _line(["---"] * (5 if compared else 4))
    for what, obj in rows[:most]:
        yield _line(
            [
                *([code(_MARKS[what])] if compared else []),
                *(code(obj[field], table=True) for field in ("kind", "namespace", "name")),
                code(_remarks(obj), table=True),
            ]
        )
    yield ""
    if len(rows) > most:
        yield f"And {len(rows) - most} more."
        yield ""
    yield "</details>"
    yield ""


def _more(values: Sequence[object], most: int) -> str:
    return f" and {len(values) - most} more" if len(values) > most else ""


def _sentence(item: Mapping[str, str]) -> str:
    return f"{code(item['message'], limit=1000)} {code(item['hint'])}".strip()


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def code(value: object, *, table: bool = False, limit: int = 500) -> str:
    """Untrusted text as a code span; empty for empty text.

    :param table: for a cell of a table, where a pipe and a backslash would be read before the code span is. They are
        written as in a URL, as names cannot have a `%`.
    """
    line = shown(value, limit)
    if table:
        line = line.replace("\\", "%5C").replace("|", "%7C")
    if not line:
        return ""
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if line[0] == "`" or line[-1] == "`" else ""
    return f"{fence}{pad}{line}{pad}{fence}"
