# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what was collected to the files of a support bundle (private to kubestellar.core). Pure functions.

Here everything is redacted, the sentences of errors too: what comes out of this module may be sent to others.
"""

from __future__ import annotations

import json
import re
import textwrap
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._errors import plain
from ansible_collections.kubestellar.core.plugins.module_utils._grid import WIDTH
from ansible_collections.kubestellar.core.plugins.module_utils._resources import EVENTS, PODS, SECRETS
from ansible_collections.kubestellar.core.plugins.module_utils._yaml import dump_yaml
from ansible_collections.kubestellar.core.plugins.module_utils.support import plan, redact
from ansible_collections.kubestellar.core.plugins.module_utils.support.collect import (
    COLLECTED,
    CUT,
    EMPTY,
    FAILED,
    NOT_SERVED,
    Harvest,
    Limits,
)

ROOT = "support"
"""The folder that everything in the archive is in."""

NUMBERS = (
    "clusters",
    "clusters_missing",
    "objects",
    "events",
    "logs",
    "failed",
    "cut",
    "not_served",
    "redacted",
)
"""What a summary counts."""

_HAVE = (COLLECTED, CUT)
_MOST_OF_A_LIST = 40
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Doctor:
    """The diagnosis of the hub: the result of the module `doctor`, or why there is none."""

    result: Mapping[str, Any] = field(default_factory=dict)
    trouble: str = ""


@dataclass(frozen=True)
class Entry:
    """A line of the index.

    :ivar path: below `ROOT`; empty if there is no file.
    :ivar count: objects, or lines of a log.
    """

    cluster: str
    what: str
    state: str
    reason: str
    path: str
    count: int
    size: int
    redacted: int

    def result(self) -> dict[str, Any]:
        """For JSON."""
        return dict(vars(self))


@dataclass(frozen=True)
class Bundle:
    """The bundle before it is written.

    :ivar files: path below `ROOT` to content.
    """

    files: Mapping[str, bytes] = field(repr=False)
    entries: Sequence[Entry]
    clusters: Sequence[Mapping[str, Any]]
    summary: Mapping[str, int]
    missing: Sequence[Mapping[str, str]]


def build(
    name: str, harvests: Sequence[Harvest], doctor: Doctor, limits: Limits, *, made: float, program: str
) -> Bundle:
    """All files of a bundle.

    :param name: of the hub.
    :param made: when it was collected, in seconds since the epoch.
    :param program: name of the program that has collected it.
    """
    redactor = redact.Redactor.of(_known(harvests))
    files: dict[str, bytes] = {}
    entries: list[Entry] = []
    clusters: list[dict[str, Any]] = []
    for harvest in harvests:
        own = list(_files(harvest, redactor, limits))
        for entry, content in own:
            entries.append(entry)
            files |= content
        clusters.append(_cluster(harvest, [entry for entry, _content in own], redactor))
    entry, content = _diagnosis(doctor, redactor)
    entries.append(entry)
    files |= content
    missing = _missing(clusters, entries)
    summary = _summary(clusters, entries, harvests)
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(made))
    head = {"hub": name, "made": when, "program": program, "limits": dict(vars(limits))}
    files["index.json"] = _json(
        {
            **head,
            "summary": summary,
            "clusters": clusters,
            "missing": missing,
            "entries": [one.result() for one in entries],
        }
    )
    page = _page(head, harvests, clusters, entries, missing, doctor, redactor)
    files["index.md"] = ("\n".join(page) + "\n").encode()
    return Bundle(files, entries, clusters, summary, missing)


def _known(harvests: Sequence[Harvest]) -> Iterator[str]:
    """The secrets that were met: those of the connections, and those in Secrets."""
    for harvest in harvests:
        yield from harvest.credentials
        for piece in harvest.pieces:
            if piece.want and piece.want.resource is SECRETS and not piece.want.releases:
                for item in piece.items:
                    yield from redact.known_values(item)


# -- files --------------------------------------------------------------------------------------------------------------


def folder(harvest: Harvest) -> str:
    """Where the files of a cluster are."""
    place = harvest.place
    if place.role in (plan.HOSTING, plan.STACK):
        return place.role
    return f"{'wecs' if place.role == plan.WEC else 'spaces'}/{_safe(place.name)}"


def _safe(name: str) -> str:
    """A name that can be one of a file everywhere."""
    return _UNSAFE.sub("_", name).strip(".")[:120] or "_"


def _files(
    harvest: Harvest, redactor: redact.Redactor, limits: Limits
) -> Iterator[tuple[Entry, dict[str, bytes]]]:
    """Index entry and files of each piece."""
    for piece in harvest.pieces:
        path = (
            "/".join([folder(harvest), *(_safe(part) for part in piece.path.split("/"))])
            if piece.path
            else ""
        )
        state, reason, count, content = piece.state, piece.reason, 0, b""
        files: dict[str, bytes] = {}
        if piece.items:
            content, count = _objects(piece.items, redactor, limits.size)
            path += ".yml"
            files[path] = content
            if count < len(piece.items):
                state = CUT
                reason = f"{count} of {len(piece.items)}{' or more' if piece.state == CUT else ''}, by the limit of {limits.size} bytes"
            if piece.want and piece.want.resource is EVENTS:
                files[path.removesuffix(".yml") + ".txt"] = _events(piece.items, redactor)
        elif piece.text:
            content = redactor.text(piece.text).encode()
            if len(content) > limits.size:
                content = content[-limits.size :].partition(b"\n")[2]
                state, reason = CUT, f"the end of it, by the limit of {limits.size} bytes"
            count = content.count(b"\n")
            files[path] = content
        if state not in _HAVE:
            path = ""
        yield (
            Entry(
                harvest.place.label,
                plain(redactor.text(piece.what), 300),
                state,
                plain(redactor.text(reason), 300),
                path,
                count,
                len(content),
                redact.count(content.decode(errors="replace")),
            ),
            files,
        )


def _objects(items: Sequence[Mapping[str, Any]], redactor: redact.Redactor, limit: int) -> tuple[bytes, int]:
    """Objects as YAML documents, as many as the limit lets in, and how many these are."""
    documents: list[bytes] = []
    size = 0
    for item in items:
        document = f"---\n{dump_yaml(redactor.object(item))}".encode()
        if documents and size + len(document) > limit:
            break
        documents.append(document)
        size += len(document)
    return b"".join(documents), len(documents)


def _events(items: Sequence[Mapping[str, Any]], redactor: redact.Redactor) -> bytes:
    """Events as people read them: a line each, the newest last."""
    return "".join(f"{line}\n" for _when, line in sorted(_event(item, redactor) for item in items)).encode()


def _event(item: Mapping[str, Any], redactor: redact.Redactor) -> tuple[str, str]:
    about = item.get("involvedObject") or {}
    series = item.get("series") or {}
    times = (
        item.get("lastTimestamp"),
        series.get("lastObservedTime"),
        item.get("eventTime"),
        item.get("firstTimestamp"),
    )
    when = str(
        next((one for one in times if one), (item.get("metadata") or {}).get("creationTimestamp") or "")
    )[:19]
    number = int(item.get("count") or series.get("count") or 1)
    told = plain(redactor.text(str(item.get("message") or "")), 1000)
    subject = f"{about.get('kind', '')} {about.get('namespace') or ''}/{about.get('name', '')}"
    words = f"{when:<19}  {item.get('type') or '':<7}  {plain(item.get('reason') or '', 40):<24}  {plain(subject, 120)}"
    return when, f"{words}  {told}" + (f"  ({number} times)" if number > 1 else "")


def _diagnosis(doctor: Doctor, redactor: redact.Redactor) -> tuple[Entry, dict[str, bytes]]:
    """The findings of the doctor, for programs and for people."""
    if doctor.trouble:
        told = plain(redactor.text(doctor.trouble), 300)
        return Entry("hub", "diagnosis of the doctor", FAILED, told, "", 0, 0, 0), {}
    data = {key: doctor.result[key] for key in ("summary", "findings", "checked")}
    findings = _json(redactor.object(data))
    table = "".join(f"{redactor.text(line)}\n" for line in doctor.result["table"]).encode()
    return (
        Entry(
            "hub",
            "diagnosis of the doctor",
            COLLECTED,
            "",
            "doctor/table.txt",
            len(data["findings"]),
            len(table),
            redact.count(table.decode()),
        ),
        {"doctor/findings.json": findings, "doctor/table.txt": table},
    )


def _json(data: Any) -> bytes:
    return (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode()


# -- index --------------------------------------------------------------------------------------------------------------


def _cluster(harvest: Harvest, entries: Sequence[Entry], redactor: redact.Redactor) -> dict[str, Any]:
    """What the index says of a cluster as a whole."""
    states = Counter(entry.state for entry in entries)
    return {
        "name": harvest.place.name,
        "role": harvest.place.role,
        "label": harvest.place.label,
        "server": plain(redactor.text(harvest.place.server), 200),
        "version": harvest.version,
        "trouble": plain(redactor.text(harvest.trouble), 400),
        "folder": folder(harvest),
        "objects": sum(entry.count for entry in entries if entry.path.endswith(".yml")),
        "logs": sum(entry.path.endswith((".log", ".out")) for entry in entries),
        "missing": states[FAILED] + states[CUT],
    }


def _summary(
    clusters: Sequence[Mapping[str, Any]], entries: Sequence[Entry], harvests: Sequence[Harvest]
) -> dict[str, int]:
    """Numbers."""
    states = Counter(entry.state for entry in entries)
    return {
        "clusters": sum(one["role"] != plan.STACK for one in clusters),
        "clusters_missing": sum(bool(one["trouble"]) and one["role"] != plan.STACK for one in clusters),
        "objects": sum(int(one["objects"]) for one in clusters),
        "events": sum(
            len(piece.items)
            for harvest in harvests
            for piece in harvest.pieces
            if piece.want and piece.want.resource is EVENTS
        ),
        "logs": sum(int(one["logs"]) for one in clusters),
        "failed": states[FAILED],
        "cut": states[CUT],
        "not_served": states[NOT_SERVED],
        "redacted": sum(entry.redacted for entry in entries),
    }


def _missing(clusters: Sequence[Mapping[str, Any]], entries: Sequence[Entry]) -> list[dict[str, str]]:
    """What was to be collected and is not, or not whole; pieces of a cluster with one reason are one entry."""
    found = [
        {"cluster": str(one["label"]), "what": "everything", "reason": str(one["trouble"])}
        for one in clusters
        if one["trouble"]
    ]
    grouped: dict[tuple[str, str], list[str]] = {}
    for entry in entries:
        if entry.state in (FAILED, CUT):
            grouped.setdefault((entry.cluster, entry.reason), []).append(entry.what)
    for (cluster, reason), what in grouped.items():
        more = f" and {len(what) - 3} more" if len(what) > 3 else ""
        found.append({"cluster": cluster, "what": ", ".join(what[:3]) + more, "reason": reason})
    return found


def table(name: str, bundle: Bundle, path: str, size: int) -> list[str]:
    """What is shown at the end: what is in it, and first of all what is not. Lines of at most 120 columns."""
    numbers = bundle.summary
    answered = numbers["clusters"] - numbers["clusters_missing"]
    lines = [
        f"support bundle of hub {plain(name, 60)}",
        f"  {numbers['objects']} objects and {numbers['logs']} logs of {answered} of {numbers['clusters']} clusters",
        f"  {numbers['redacted']} secrets redacted",
    ]
    for entry in bundle.missing[:_MOST_OF_A_LIST]:
        lines += textwrap.wrap(
            f"{entry['cluster']}: {entry['what']}: {entry['reason']}",
            WIDTH,
            initial_indent="  ! ",
            subsequent_indent="    ",
        )
    if len(bundle.missing) > _MOST_OF_A_LIST:
        lines.append(f"  ! and {len(bundle.missing) - _MOST_OF_A_LIST} more, see index.md in it")
    return [*lines, f"  {path} ({_amount(size)})"]


def _amount(size: int) -> str:
    if size < 10_000:
        return f"{size} bytes"
    return f"{size / 1000:.0f} kB" if size < 10_000_000 else f"{size / 1_000_000:.0f} MB"


def _cell(text: object) -> str:
    """Text for a cell of a table in Markdown: what comes from a cluster must not become markup."""
    return re.sub(r"([\\`*_{}\[\]<>|])", r"\\\1", plain(text, 400))


def _grid(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(_cell(value) for value in row)} |"


def _page(
    head: Mapping[str, Any],
    harvests: Sequence[Harvest],
    clusters: Sequence[Mapping[str, Any]],
    entries: Sequence[Entry],
    missing: Sequence[Mapping[str, str]],
    doctor: Doctor,
    redactor: redact.Redactor,
) -> Iterator[str]:
    """The index for people, the most urgent first."""
    yield f"# Support bundle of hub {_cell(head['hub'])}"
    yield ""
    yield f"Collected at {head['made']} with {_cell(head['program'])}. Read-only; secrets are redacted."
    yield ""
    yield "## What the doctor says"
    yield ""
    if doctor.trouble:
        yield f"There is no diagnosis: {_cell(redactor.text(doctor.trouble))}"
    else:
        yield "```text"
        for line in doctor.result["table"]:
            yield redactor.text(line).replace("```", "'''")
        yield "```"
    yield ""
    yield "## Clusters"
    yield ""
    rows = [
        [
            one["label"],
            "NO" if one["trouble"] else "yes",
            one["version"],
            one["server"],
            one["objects"],
            one["logs"],
            "all" if one["trouble"] else one["missing"],
            f"{one['folder']}/",
        ]
        for one in clusters
    ]
    yield from _grid(
        ["cluster", "answered", "version", "server", "objects", "logs", "missing", "folder"], rows
    )
    yield ""
    yield "## What is missing"
    yield ""
    for item in missing:
        yield f"- **{_cell(item['cluster'])}**: {_cell(item['what'])}: {_cell(item['reason'])}"
    if not missing:
        yield "Nothing."
    yield ""
    yield from _section("## Pods that are not well", ["cluster", "pod", "state"], _ill(harvests), redactor)
    yield from _section(
        "## Warnings, the newest last", ["cluster", "event"], _warnings(harvests, redactor), redactor
    )
    yield "## Files"
    yield ""
    files = [
        [one.path or "-", f"{one.cluster}: {one.what}", one.state, one.count, one.redacted or "", one.reason]
        for one in entries
        if one.state != EMPTY or one.reason
    ]
    yield from _grid(["file", "what", "state", "number", "redacted", "note"], files)
    empty = Counter(one.cluster for one in entries if one.state == EMPTY and not one.reason)
    if empty:
        yield ""
        told = ", ".join(f"{number} in {_cell(cluster)}" for cluster, number in empty.items())
        yield f"Lists without objects and logs without lines are not shown: {told}. index.json names them."


def _section(
    title: str, head: Sequence[str], rows: Sequence[Sequence[str]], redactor: redact.Redactor
) -> Iterator[str]:
    """A table, cut where it is long; nothing if it is empty."""
    if not rows:
        return
    yield title
    yield ""
    yield from _grid(head, ([redactor.text(cell) for cell in row] for row in rows[-_MOST_OF_A_LIST:]))
    if len(rows) > _MOST_OF_A_LIST:
        yield ""
        yield f"{len(rows) - _MOST_OF_A_LIST} more are in the files."
    yield ""


def _ill(harvests: Sequence[Harvest]) -> list[list[str]]:
    """Pods that do not run as they should: cluster, name, and why."""
    found = []
    for harvest in harvests:
        for piece in harvest.pieces:
            if piece.want is None or piece.want.resource is not PODS:
                continue
            for pod in piece.items:
                told = _illness(pod)
                if told:
                    metadata = pod.get("metadata") or {}
                    found.append(
                        [harvest.place.label, f"{metadata.get('namespace')}/{metadata.get('name')}", told]
                    )
    return found


def _illness(pod: Mapping[str, Any]) -> str:
    status = pod.get("status") or {}
    phase = str(status.get("phase") or "Unknown")
    told = []
    for state in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        waiting = (state.get("state") or {}).get("waiting") or {}
        ended = (state.get("state") or {}).get("terminated") or {}
        restarts = int(state.get("restartCount") or 0)
        words = [str(waiting.get("reason") or "")]
        words.append(f"ended with {ended.get('exitCode')}" if ended.get("exitCode") else "")
        words.append(f"{restarts} restarts" if restarts else "")
        if any(words):
            told.append(f"{state.get('name')}: {', '.join(word for word in words if word)}")
    if phase not in ("Running", "Succeeded") or told:
        return "; ".join([phase, *told])
    return ""


def _warnings(harvests: Sequence[Harvest], redactor: redact.Redactor) -> list[list[str]]:
    """Events of type Warning, the oldest first: cluster, and the event in a line."""
    found = []
    for harvest in harvests:
        for piece in harvest.pieces:
            if piece.want is not None and piece.want.resource is EVENTS:
                for item in piece.items:
                    if item.get("type") == "Warning":
                        when, line = _event(item, redactor)
                        found.append((when, [harvest.place.label, re.sub(r"  +", " ", line)]))
    return [row for _when, row in sorted(found, key=lambda one: one[0])]


def has(harvests: Iterable[Harvest], role: str) -> bool:
    """Whether anything at all came from the clusters of a role; that there is nothing is an answer, too."""
    return any(
        piece.state in (COLLECTED, CUT, EMPTY)
        for harvest in harvests
        if harvest.place.role == role
        for piece in harvest.pieces
    )
