# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""StatusCollectors: from options to a manifest, and what is wrong with one (private to kubestellar.core).

Pure functions. The API server takes nearly anything; the controller puts what it does not take in `status.errors`
and then behaves as if there were no such collector (kubestellar: pkg/status/statuscollector.go).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _metadata
from ansible_collections.kubestellar.core.plugins.module_utils._errors import plain
from ansible_collections.kubestellar.core.plugins.module_utils._metadata import type_name
from ansible_collections.kubestellar.core.plugins.module_utils._resources import STATUS_COLLECTORS
from ansible_collections.kubestellar.core.plugins.module_utils.placement import cel

TYPES = ("COUNT", "SUM", "AVG", "MIN", "MAX")
"""How values of several clusters can be combined."""

_NAMED_SPEC: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "def": {"type": "str", "required": True},
}

COLLECTOR_SPEC: dict[str, Any] = {
    **_metadata.IDENTITY_SPEC,
    "filter": {"type": "str"},
    "group_by": {"type": "list", "elements": "dict", "options": _NAMED_SPEC},
    "combined_fields": {
        "type": "list",
        "elements": "dict",
        "options": {
            "name": {"type": "str", "required": True},
            "type": {"type": "str", "required": True, "choices": list(TYPES)},
            "subject": {"type": "str"},
        },
    },
    "select": {"type": "list", "elements": "dict", "options": _NAMED_SPEC},
    "limit": {"type": "int"},
}
"""The options that say what a StatusCollector is."""

FIELDS = {
    "filter": "filter",
    "group_by": "groupBy",
    "combined_fields": "combinedFields",
    "select": "select",
    "limit": "limit",
}
"""Option to the field of `spec` that it becomes."""

_COLUMNS = {
    "groupBy": ("name", "def"),
    "combinedFields": ("name", "type", "subject"),
    "select": ("name", "def"),
}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LARGEST_LIMIT = 2**63 - 1


def manifest(params: Mapping[str, Any]) -> dict[str, Any]:
    """The validated StatusCollector that the options describe.

    :param params: values for `COLLECTOR_SPEC`.
    :raises InvalidInput: it would be refused, or ignored, or do harm. `details["problems"]` has one sentence per finding.
    """
    spec: dict[str, Any] = {}
    for option, field in FIELDS.items():
        value = params.get(option)
        if isinstance(value, list):
            value = [{key: item for key, item in column.items() if item is not None} for column in value]
        if value is not None:
            spec[field] = value
    result = _metadata.manifest(params, STATUS_COLLECTORS, spec)
    _metadata.refuse(STATUS_COLLECTORS, result, problems(result))
    return result


def problems(collector: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a StatusCollector, one sentence each."""
    yield from _metadata.metadata_problems(collector["metadata"])
    spec = collector.get("spec")
    if not isinstance(spec, Mapping):
        yield f"spec is {type_name(spec)}, not a mapping."
        return
    for key in spec:
        if key not in FIELDS.values():
            yield f"spec has no field {plain(key, 80)!r}."
    yield from _limit_problems(spec.get("limit"))
    if spec.get("filter") is not None:
        yield from _expression_problems(spec["filter"], "filter")
    seen: set[str] = set()
    for field in _COLUMNS:
        yield from _columns_problems(spec.get(field), field, seen)
    if spec.get("select") and (spec.get("groupBy") or spec.get("combinedFields")):
        yield "select excludes groupBy and combinedFields: it lists one row per cluster, they combine rows."
    elif spec.get("groupBy") and not spec.get("combinedFields"):
        yield "groupBy needs combinedFields, which say what to compute for each group."
    elif not spec.get("select") and not spec.get("combinedFields"):
        yield "it collects nothing: give select or combinedFields."


def _limit_problems(limit: Any) -> Iterator[str]:
    if limit is None:
        yield "limit is needed, the largest number of rows."
    elif not isinstance(limit, int) or isinstance(limit, bool):
        yield f"limit is {type_name(limit)}, not a whole number."
    elif not 0 <= limit <= _LARGEST_LIMIT:
        yield f"limit is {plain(limit, 40)}; the least is 0."


def _columns_problems(columns: Any, field: str, seen: set[str]) -> Iterator[str]:
    """:param seen: names of columns so far; added to."""
    if columns is None:
        return
    if not isinstance(columns, list):
        yield f"{field} is {type_name(columns)}, not a list."
        return
    for index, column in enumerate(columns):
        where = f"{field}[{index}]"
        if not isinstance(column, Mapping):
            yield f"{where} is {type_name(column)}, not a mapping."
            continue
        for key in column:
            if key not in _COLUMNS[field]:
                yield f"{where} has no field {plain(key, 80)!r}."
        yield from _name_problems(column.get("name"), where, seen)
        if field == "combinedFields":
            yield from _aggregation_problems(column, where)
        elif column.get("def") is None:
            yield f"{where} needs def, an expression."
        else:
            yield from _expression_problems(column["def"], f"{where}.def")


def _name_problems(name: Any, where: str, seen: set[str]) -> Iterator[str]:
    if not isinstance(name, str):
        yield f"{where}.name is {type_name(name)}, not a string."
    elif not name.strip():
        yield f"{where}.name is empty; errors of the filter are reported under that name."
    elif _CONTROL.search(name):
        yield f"{where}.name holds a control character."
    elif name in seen:
        yield f"{where}.name: {plain(name, 80)!r} is the name of another column too."
    else:
        seen.add(name)


def _aggregation_problems(column: Mapping[str, Any], where: str) -> Iterator[str]:
    kind, subject = column.get("type"), column.get("subject")
    if kind not in TYPES:
        yield f"{where}.type is {plain(kind, 40)!r}, not one of {', '.join(TYPES)}."
    elif kind == "COUNT" and subject is not None:
        yield f"{where} has a subject, but COUNT counts clusters and takes none."
    elif kind != "COUNT" and subject is None:
        yield f"{where} needs a subject, the expression whose {kind} is computed."
    if subject is not None:
        yield from _expression_problems(subject, f"{where}.subject")


def _expression_problems(expression: Any, where: str) -> Iterator[str]:
    if not isinstance(expression, str):
        yield f"{where} is {type_name(expression)}, not an expression in quotes."
        return
    for problem in cel.problems(expression):
        yield f"{where}: {problem}."


def doubts(collector: Mapping[str, Any]) -> list[str]:
    """What will probably go wrong when a valid StatusCollector is evaluated, one sentence each."""
    spec = collector["spec"]
    guard = spec.get("filter") or ""
    found = [f"filter: {doubt}." for doubt in cel.doubts(guard)] if guard else []
    for field in _COLUMNS:
        for column in spec.get(field) or []:
            expression = column.get("subject") if field == "combinedFields" else column["def"]
            where = f"{field} {plain(column['name'], 80)}"
            found += [f"{where}: {doubt}." for doubt in cel.doubts(expression or "", guard)]
    return found
