# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tasks for many WECs have done to each of them (private to kubestellar.core). Pure functions.

A task for a whole batch runs for its first host, which would get the credit and the blame for all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

SPEC: dict[str, Any] = {
    "known": {"type": "dict", "default": {}},
    "clusters": {"type": "list", "elements": "dict", "default": []},
    "outcome": {"type": "dict", "default": {}},
    "host": {"type": "str"},
}
"""The options of the module `wec_outcome`."""

Outcomes = dict[str, dict[str, Any]]
"""Host to `changed`, `error` and `diff`."""


def work(params: Mapping[str, Any]) -> dict[str, Any]:
    """What the module does: say what was done to one host, or note what a task has done."""
    hosts: Mapping[str, Any] = (params.get("known") or {}).get("hosts") or {}
    if params.get("host"):
        return told(hosts.get(params["host"]) or {})
    found = noted(hosts, params.get("clusters") or [], params.get("outcome") or {})
    return {
        "changed": False,
        "hosts": found,
        "failed_hosts": [host for host, entry in found.items() if entry["error"]],
    }


def noted(
    known: Mapping[str, Mapping[str, Any]], clusters: Sequence[Mapping[str, Any]], outcome: Mapping[str, Any]
) -> Outcomes:
    """What is known of the hosts, with what a further task has done to its clusters.

    :param clusters: `host` and `name` of each.
    :param outcome: the result of the task.
    """
    found = {host: dict(entry) for host, entry in known.items()}
    errors = dict(zip(outcome.get("failed_clusters") or [], outcome.get("failures") or [], strict=False))
    names = [str(cluster["name"]) for cluster in clusters]
    changed = set(_changed(outcome, names))
    diffs = outcome.get("diff") or []
    for cluster in clusters:
        name = cluster["name"]
        if name not in changed and name not in errors:
            continue
        entry = found.setdefault(str(cluster["host"]), {"changed": False, "error": "", "diff": []})
        entry["changed"] = entry["changed"] or name in changed
        entry["error"] = entry["error"] or str(errors.get(name) or "")
        mine = [diff for diff in diffs if isinstance(diff, Mapping) and diff.get("cluster") == name]
        entry["diff"] = [*entry["diff"], *mine]
    return found


def told(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The result of a task that says what was done to a host."""
    result: dict[str, Any] = {"changed": bool(entry.get("changed"))}
    if entry.get("diff"):
        result["diff"] = list(entry["diff"])
    if entry.get("error"):
        result |= {"failed": True, "msg": str(entry["error"])}
    return result


def _changed(outcome: Mapping[str, Any], names: Sequence[str]) -> Iterator[str]:
    """The clusters that a task has changed: modules say it of clusters, of objects, or of the items of a loop."""
    yield from outcome.get("changed_clusters") or []
    for entry in outcome.get("clusters") or []:
        if entry.get("changed"):
            yield str(entry.get("name"))
    for entry in outcome.get("objects") or []:
        if entry.get("method", "none") != "none":
            yield from _meant(str(entry.get("name")), names)


def _meant(name: str, names: Sequence[str]) -> Iterator[str]:
    """The cluster of an object: of its name, or of a process such as `ocm-agent-cluster1`."""
    if name in names:
        yield name
    else:
        ours = [one for one in names if name.endswith(f"-{one}")]
        if ours:
            yield max(ours, key=len)
