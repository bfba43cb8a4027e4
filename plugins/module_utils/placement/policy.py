# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""BindingPolicies: from options to a manifest, and what is wrong with one (private to kubestellar.core).

Pure functions. An invalid policy must not reach the API server: it accepts label selectors that cannot be
evaluated, and one such policy keeps later ones from being evaluated (kubestellar: pkg/binding/bindingpolicy.go,
evaluateBindingPolicies).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _metadata
from ansible_collections.kubestellar.core.plugins.module_utils._errors import plain
from ansible_collections.kubestellar.core.plugins.module_utils._metadata import type_name
from ansible_collections.kubestellar.core.plugins.module_utils._resources import BINDING_POLICIES

SELECTOR_SPEC: dict[str, Any] = {
    "match_labels": {"type": "dict"},
    "match_expressions": {
        "type": "list",
        "elements": "dict",
        "options": {
            "key": {"type": "str", "required": True, "no_log": False},
            "operator": {
                "type": "str",
                "required": True,
                "choices": ["In", "NotIn", "Exists", "DoesNotExist"],
            },
            "values": {"type": "list", "elements": "str"},
        },
    },
}
"""A label selector. `values` has no default: absent is what `Exists` needs."""

CLAUSE_SPEC: dict[str, Any] = {
    "api_group": {"type": "str"},
    "resources": {"type": "list", "elements": "str"},
    "namespaces": {"type": "list", "elements": "str"},
    "namespace_selectors": {"type": "list", "elements": "dict", "options": SELECTOR_SPEC},
    "object_names": {"type": "list", "elements": "str"},
    "object_selectors": {"type": "list", "elements": "dict", "options": SELECTOR_SPEC},
    "create_only": {"type": "bool"},
    "status_collectors": {"type": "list", "elements": "str"},
    "want_singleton_reported_state": {"type": "bool"},
    "want_multi_wec_reported_state": {"type": "bool"},
}
"""One clause of `downsync`."""

POLICY_SPEC: dict[str, Any] = {
    **_metadata.IDENTITY_SPEC,
    "cluster_selectors": {"type": "list", "elements": "dict", "options": SELECTOR_SPEC},
    "downsync": {"type": "list", "elements": "dict", "options": CLAUSE_SPEC},
}
"""The options that say what a policy is."""

_CLAUSE_FIELDS = {
    "api_group": "apiGroup",
    "resources": "resources",
    "namespaces": "namespaces",
    "namespace_selectors": "namespaceSelectors",
    "object_names": "objectNames",
    "object_selectors": "objectSelectors",
    "create_only": "createOnly",
    "status_collectors": "statusCollectors",
    "want_singleton_reported_state": "wantSingletonReportedState",
    "want_multi_wec_reported_state": "wantMultiWECReportedState",
}
_SELECTING = ("apiGroup", "resources", "namespaces", "namespaceSelectors", "objectNames", "objectSelectors")
_STRING_LISTS = ("resources", "namespaces", "objectNames", "statusCollectors")
_SELECTOR_LISTS = ("namespaceSelectors", "objectSelectors")
_BOOLEANS = ("createOnly", "wantSingletonReportedState", "wantMultiWECReportedState")
_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")
_LONGEST_NAME = 63

EXCLUDED_GROUPS = frozenset(
    {
        "apiregistration.k8s.io",
        "control.kubestellar.io",
        "coordination.k8s.io",
        "discovery.k8s.io",
        "flowcontrol.apiserver.k8s.io",
    }
)
"""Groups of which KubeStellar selects nothing (kubestellar: pkg/binding/binding-controller.go)."""

EXCLUDED_RESOURCES = frozenset(
    {
        ("", "endpoints"),
        ("", "events"),
        ("", "nodes"),
        ("events.k8s.io", "events"),
        ("storage.k8s.io", "csinodes"),
        ("storage.k8s.io", "csistoragecapacities"),
    }
)
"""(group, plural) that KubeStellar never selects."""


def manifest(params: Mapping[str, Any]) -> dict[str, Any]:
    """The validated BindingPolicy that the options describe.

    :param params: values for `POLICY_SPEC`.
    :raises InvalidInput: it would be refused, or do harm, or could not match anything. `details["problems"]`
        has one sentence per finding.
    """
    spec = to_spec(params.get("cluster_selectors"), params.get("downsync"))
    result = _metadata.manifest(params, BINDING_POLICIES, spec)
    check(result)
    return result


def to_spec(cluster_selectors: Any, downsync: Any) -> dict[str, Any]:
    """The API's `spec` of the two options; what an option leaves out is left out."""
    spec: dict[str, Any] = {}
    if cluster_selectors is not None:
        spec["clusterSelectors"] = [_selector(item) for item in cluster_selectors]
    if downsync is not None:
        spec["downsync"] = [_clause(item) for item in downsync]
    return spec


def _selector(options: Mapping[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    if options.get("match_labels") is not None:
        result["matchLabels"] = dict(options["match_labels"])
    if options.get("match_expressions") is not None:
        result["matchExpressions"] = [
            {key: value for key, value in expression.items() if value is not None}
            for expression in options["match_expressions"]
        ]
    return result


def _clause(options: Mapping[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for option, field in _CLAUSE_FIELDS.items():
        value = options.get(option)
        if value is None:
            continue
        result[field] = [_selector(item) for item in value] if field in _SELECTOR_LISTS else value
    return result


def check(policy: Mapping[str, Any]) -> None:
    """:raises InvalidInput: see `manifest`."""
    _metadata.refuse(BINDING_POLICIES, policy, _problems(policy))


def _problems(policy: Mapping[str, Any]) -> Iterator[str]:
    """One sentence per finding."""
    metadata = policy["metadata"]
    yield from _name_problems(metadata.get("name"))
    for field in ("labels", "annotations"):
        yield from _metadata.map_problems(metadata.get(field), field)
    spec = policy.get("spec")
    if not isinstance(spec, Mapping):
        yield f"spec is {type_name(spec)}, not a mapping."
        return
    for key in spec:
        if key not in ("clusterSelectors", "downsync"):
            yield f"spec has no field {plain(key)!r}."
    yield from _selectors_problems(spec.get("clusterSelectors"), "clusterSelectors")
    clauses = spec.get("downsync")
    if clauses is None:
        return
    if not isinstance(clauses, list):
        yield f"downsync is {type_name(clauses)}, not a list of clauses."
        return
    for index, clause in enumerate(clauses):
        yield from _clause_problems(clause, f"downsync[{index}]")


def _name_problems(name: Any) -> Iterator[str]:
    if isinstance(name, str) and len(name) > _LONGEST_NAME:
        yield (
            f"the name has {len(name)} characters, but it becomes a label value, "
            f"which has at most {_LONGEST_NAME}."
        )
    else:
        yield from _metadata.name_problems(name)


def _selectors_problems(value: Any, where: str) -> Iterator[str]:
    if value is None:
        return
    if not isinstance(value, list):
        yield f"{where} is {type_name(value)}, not a list of label selectors."
        return
    for index, selector in enumerate(value):
        yield from selector_problems(selector, f"{where}[{index}]")


def selector_problems(selector: Any, where: str) -> Iterator[str]:
    """What is wrong with one label selector, as sentences that begin with `where`."""
    if not isinstance(selector, Mapping):
        yield f"{where} is {type_name(selector)}, not a label selector."
        return
    for key in selector:
        if key not in ("matchLabels", "matchExpressions"):
            yield f"{where} has no field {plain(key)!r}."
    yield from _metadata.map_problems(selector.get("matchLabels"), f"{where}.matchLabels")
    expressions = selector.get("matchExpressions")
    if expressions is None:
        return
    if not isinstance(expressions, list):
        yield f"{where}.matchExpressions is {type_name(expressions)}, not a list."
        return
    for index, expression in enumerate(expressions):
        yield from _expression_problems(expression, f"{where}.matchExpressions[{index}]")


def _expression_problems(expression: Any, where: str) -> Iterator[str]:
    if not isinstance(expression, Mapping):
        yield f"{where} is {type_name(expression)}, not a mapping."
        return
    for key in expression:
        if key not in ("key", "operator", "values"):
            yield f"{where} has no field {plain(key)!r}."
    yield from _metadata.key_problems(expression.get("key", ""), where)
    operator, values = expression.get("operator"), expression.get("values")
    if operator not in _OPERATORS:
        yield f"{where}: {plain(operator)!r} is not an operator; there are {', '.join(_OPERATORS)}."
        return
    if values is not None and not isinstance(values, list):
        yield f"{where}: values is {type_name(values)}, not a list."
        return
    if operator in ("In", "NotIn"):
        if not values:
            yield f"{where}: the operator {operator} needs values."
        for value in values or []:
            yield from _metadata.value_problems(value, f"{where}: a value")
        if (values or []).count("") > 2:
            # The controller lists clusters with `key in (,,)`, which no API server can read.
            yield f"{where}: the empty value is there more than twice; once is enough."
    elif values:
        yield f"{where}: the operator {operator} takes no values."


def _clause_problems(clause: Any, where: str) -> Iterator[str]:
    if not isinstance(clause, Mapping):
        yield f"{where} is {type_name(clause)}, not a clause."
        return
    for key in clause:
        if key not in _CLAUSE_FIELDS.values():
            yield f"{where} has no field {plain(key)!r}."
    if clause.get("apiGroup") is None and not any(clause.get(field) for field in _SELECTING[1:]):
        yield (
            f"{where} has no selector, so it would mean everything; "
            "if that is meant, say so with resources: ['*']."
        )
    for field in _STRING_LISTS:
        value = clause.get(field)
        if value is not None and not isinstance(value, list):
            yield f"{where}.{field} is {type_name(value)}, not a list of strings."
        for item in value if isinstance(value, list) else []:
            if not isinstance(item, str):
                yield f"{where}.{field}: {plain(item)} is {type_name(item)}; put it in quotes."
    for field in _SELECTOR_LISTS:
        yield from _selectors_problems(clause.get(field), f"{where}.{field}")
    for field in _BOOLEANS:
        if not isinstance(clause.get(field, False), bool):
            yield f"{where}.{field} is {type_name(clause[field])}, not true or false."
    yield from _futile(clause, where)


def _futile(clause: Mapping[str, Any], where: str) -> Iterator[str]:
    """Clauses that can match nothing, whatever there is."""
    group = clause.get("apiGroup")
    if group is not None and not isinstance(group, str):
        yield f"{where}.apiGroup is {type_name(group)}, not a string."
        return
    if group == "*":
        yield f"{where}.apiGroup: '*' is not special here and matches nothing; leave apiGroup out for all groups."
    elif group and "/" in group:
        yield f"{where}.apiGroup: {plain(group)!r} has a version; give the group alone."
    elif group in EXCLUDED_GROUPS:
        yield f"{where}.apiGroup: KubeStellar never delivers objects of {group}."
    resources = clause.get("resources")
    if not isinstance(resources, list):
        return
    for resource in resources:
        if not isinstance(resource, str) or resource == "*":
            continue
        if not _metadata.is_plural(resource):
            yield (
                f"{where}.resources: {plain(resource)!r} matches nothing; "
                "give the lower-case plural name without a group, such as 'deployments'."
            )
        elif group is not None and (group, resource) in EXCLUDED_RESOURCES:
            yield f"{where}.resources: KubeStellar never delivers {resource}."
