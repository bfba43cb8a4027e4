# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""StatusCollectors and the CombinedStatuses they make, as tables (private to kubestellar.core). Pure functions.

A CombinedStatus has one result for each collector that a policy names for an object, with named columns and rows
of typed values; numbers are texts under the key `float` (kubestellar: api/control/v1alpha1/types.go).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._errors import plain
from ansible_collections.kubestellar.core.plugins.module_utils.placement import resolution

_LABELS = "status.kubestellar.io/"
_LONGEST_VALUE = 300
_MOST_ERRORS = 10


def tables(
    wds: str,
    objects: Iterable[Mapping[str, Any]],
    kinds: Mapping[tuple[str, str], str],
    policies: Collection[str],
) -> list[dict[str, Any]]:
    """The entries of `combined` in a result: one for each object and collector, sorted.

    :param objects: CombinedStatuses.
    :param kinds: (group, plural) to kind.
    :param policies: names of the BindingPolicies to keep.
    """
    found = [
        _table(wds, policy, obj, result, kinds)
        for obj in objects
        if (policy := _label(obj, "binding-policy")) in policies
        for result in obj.get("results") or []
        if isinstance(result, Mapping)
    ]
    return sorted(found, key=lambda t: (t["policy"], t["collector"], t["kind"], t["namespace"], t["name"]))


def _label(obj: Mapping[str, Any], key: str) -> str:
    return str((obj["metadata"].get("labels") or {}).get(f"{_LABELS}{key}") or "")


def _table(
    wds: str,
    policy: str,
    obj: Mapping[str, Any],
    result: Mapping[str, Any],
    kinds: Mapping[tuple[str, str], str],
) -> dict[str, Any]:
    group, plural = _label(obj, "api-group"), _label(obj, "resource")
    return {
        "wds": wds,
        "policy": policy,
        "group": group,
        "kind": kinds.get((group, plural), plural),
        "namespace": _label(obj, "namespace"),
        "name": _label(obj, "name"),
        "collector": plain(result.get("name") or ""),
        "columns": [plain(name) for name in result.get("columnNames") or []],
        "rows": [
            [value(column) for column in row.get("columns") or []]
            for row in result.get("rows") or []
            if isinstance(row, Mapping)
        ],
        "errors": list(_errors(result))[:_MOST_ERRORS],
    }


def value(union: Any) -> Any:
    """What a typed value says: a text, a number, a truth value, a structure, or None."""
    union = union if isinstance(union, Mapping) else {}
    match union.get("type"):
        case "String":
            return plain(union.get("string") or "", _LONGEST_VALUE)
        case "Number":
            return _number(union.get("float"))
        case "Bool":
            return bool(union.get("bool"))
        case "Object":
            return union.get("object")
        case "Array":
            return union.get("array")
    return None


def _number(text: Any) -> Any:
    """A number from its text; what is none stays a text."""
    try:
        number = json.loads(str(text), parse_constant=str)
    except (RecursionError, ValueError):
        number = text
    is_number = isinstance(number, (int, float)) and not isinstance(number, bool)
    return number if is_number else plain(text, _LONGEST_VALUE)


def shown(cell: Any) -> str:
    """A value of a table as one line of text."""
    if cell is None:
        return "-"
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return plain(cell if isinstance(cell, str) else json.dumps(cell, sort_keys=True), _LONGEST_VALUE)


def _errors(result: Mapping[str, Any]) -> Iterator[str]:
    for error in result.get("rowErrors") or []:
        where = (error.get("wec") or {}).get("clusterId") or "?"
        yield plain(f"{where}: {error.get('columnName') or 'filter'}: {error.get('error')}")
    for error in result.get("aggregationErrors") or []:
        yield plain(f"{error.get('columnName')}: {error.get('error')}")


def collectors(
    wds: str, objects: Iterable[Mapping[str, Any]], bindings: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The entries of `collectors` in a result, sorted by name.

    :param objects: StatusCollectors.
    :param bindings: the Bindings that tell which policies use one.
    """
    used: dict[str, set[str]] = {}
    for binding in bindings:
        for selected in resolution.bound(binding).values():
            for name in selected.modulation.status_collectors:
                used.setdefault(name, set()).add(binding["metadata"]["name"])
    return [
        _collector(wds, obj, used.get(obj["metadata"]["name"], ()))
        for obj in sorted(objects, key=lambda obj: str(obj["metadata"]["name"]))
    ]


def _collector(wds: str, obj: Mapping[str, Any], policies: Iterable[str]) -> dict[str, Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    named = [*(spec.get("groupBy") or []), *(spec.get("select") or [])]
    columns = [f"{column.get('name')} = {column.get('def')}" for column in named]
    for column in spec.get("combinedFields") or []:
        subject = column.get("subject")
        columns.append(f"{column.get('name')} = {column.get('type')}({subject or ''})")
    return {
        "wds": wds,
        "name": obj["metadata"]["name"],
        "filter": plain(spec.get("filter") or ""),
        "columns": [plain(column) for column in columns],
        "limit": spec.get("limit"),
        "policies": sorted(policies),
        "errors": [plain(error) for error in status.get("errors") or []],
    }
