# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CustomTransforms: from options to a manifest, what is wrong with one, and whom it concerns (private to kubestellar.core).

Pure functions. The API server takes any text as a path; the transport controller leaves out what it does not take,
says so in `status.errors`, and applies the rest (kubestellar: pkg/transport/generic/custom_transform_collection.go).
It reads a CustomTransform only when a Binding has an object of its resource.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _metadata
from ansible_collections.kubestellar.core.plugins.module_utils._errors import plain
from ansible_collections.kubestellar.core.plugins.module_utils._metadata import type_name
from ansible_collections.kubestellar.core.plugins.module_utils._resources import CUSTOM_TRANSFORMS
from ansible_collections.kubestellar.core.plugins.module_utils.placement import jsonpath, resolution
from ansible_collections.kubestellar.core.plugins.module_utils.placement.policy import (
    EXCLUDED_GROUPS,
    EXCLUDED_RESOURCES,
)
from ansible_collections.kubestellar.core.plugins.module_utils.placement.resolution import ObjectKey

TRANSFORM_SPEC: dict[str, Any] = {
    **_metadata.IDENTITY_SPEC,
    "api_group": {"type": "str"},
    "resource": {"type": "str"},
    "remove": {"type": "list", "elements": "str"},
}
"""The options that say what a CustomTransform is."""

FIELDS = {"api_group": "apiGroup", "resource": "resource", "remove": "remove"}
"""Option to the field of `spec` that it becomes."""

_IDENTITY = (
    ("apiVersion",),
    ("kind",),
    ("metadata",),
    ("metadata", "name"),
    ("metadata", "namespace"),
)
"""What no object can be delivered without."""


def manifest(params: Mapping[str, Any]) -> dict[str, Any]:
    """The validated CustomTransform that the options describe.

    :param params: values for `TRANSFORM_SPEC`.
    :raises InvalidInput: it would be refused, or ignored, or do harm. `details["problems"]` has one sentence per finding.
    """
    spec = {field: params[option] for option, field in FIELDS.items() if params.get(option) is not None}
    result = _metadata.manifest(params, CUSTOM_TRANSFORMS, spec)
    _metadata.refuse(CUSTOM_TRANSFORMS, result, problems(result))
    return result


def in_order_of(transform: Mapping[str, Any], live: Mapping[str, Any] | None) -> dict[str, Any]:
    """The transform with its paths in the order of the live one, if they are the same set.

    The order means nothing, and the controller does not read a transform again that differs in nothing else: it
    would never say that it has observed the new generation.
    """
    result = dict(transform)
    ours = transform["spec"].get("remove")
    theirs = ((live or {}).get("spec") or {}).get("remove")
    if ours and theirs and set(ours) == set(theirs):
        result["spec"] = {**transform["spec"], "remove": list(theirs)}
    return result


def problems(transform: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a CustomTransform, one sentence each."""
    yield from _metadata.metadata_problems(transform["metadata"])
    spec = transform.get("spec")
    if not isinstance(spec, Mapping):
        yield f"spec is {type_name(spec)}, not a mapping."
        return
    for key in spec:
        if key not in FIELDS.values():
            yield f"spec has no field {plain(key, 80)!r}."
    yield from _subject_problems(spec.get("apiGroup"), spec.get("resource"))
    paths = spec.get("remove")
    if paths is not None and not isinstance(paths, list):
        yield f"remove is {type_name(paths)}, not a list of paths."
        return
    for index, path in enumerate(paths or []):
        yield from _path_problems(path, f"remove[{index}]")


def _subject_problems(group: Any, resource: Any) -> Iterator[str]:
    if group is None:
        yield 'apiGroup is needed; "" is the core group.'
    elif not isinstance(group, str):
        yield f"apiGroup is {type_name(group)}, not a string."
    elif "/" in group:
        yield f"apiGroup: {plain(group, 80)!r} has a version; give the group alone."
    elif group and not _metadata.is_subdomain(group):
        yield f"apiGroup: {plain(group, 80)!r} is no API group; give one, such as apps."
    elif group in EXCLUDED_GROUPS:
        yield f"apiGroup: KubeStellar never delivers objects of {group}."
    if resource is None:
        yield "resource is needed, a lower-case plural name, such as deployments."
    elif not isinstance(resource, str):
        yield f"resource is {type_name(resource)}, not a string."
    elif not _metadata.is_plural(resource):
        yield (
            f"resource: {plain(resource, 80)!r} matches nothing; "
            "give the lower-case plural name without a group, such as deployments."
        )
    elif isinstance(group, str) and (group, resource) in EXCLUDED_RESOURCES:
        yield f"resource: KubeStellar never delivers {resource}."


def _path_problems(path: Any, where: str) -> Iterator[str]:
    if not isinstance(path, str):
        yield f"{where} is {type_name(path)}, not a path in quotes."
        return
    shown = f"{where}, {plain(path, 80)}"
    try:
        members = jsonpath.parse(path)
    except ValueError as error:
        yield f'{shown}: {error}. KubeStellar takes only $ followed by .name or ["name"].'
        return
    if not members:
        yield f"{shown}: it names the whole object."
    elif members in _IDENTITY:
        yield f"{shown}: no object can be delivered without its {'.'.join(members)}."


def subject(transform: Mapping[str, Any]) -> tuple[str, str]:
    """(group, plural) of the objects that a valid or live transform is for."""
    spec = transform.get("spec") or {}
    return str(spec.get("apiGroup") or ""), str(spec.get("resource") or "")


def effects(transform: Mapping[str, Any] | None) -> set[tuple[str, str, str]]:
    """(group, plural, path) of all that a transform removes; nothing if there is none."""
    if transform is None:
        return set()
    return {(*subject(transform), path) for path in transform["spec"].get("remove") or []}


def others(transform: Mapping[str, Any], listed: Iterable[Mapping[str, Any]]) -> list[str]:
    """Names of other transforms for the same objects, sorted."""
    name = transform["metadata"]["name"]
    return sorted(
        other["metadata"]["name"]
        for other in listed
        if other["metadata"]["name"] != name and subject(other) == subject(transform)
    )


def concerned(
    subjects: Iterable[tuple[str, str]], bindings: Iterable[Mapping[str, Any]]
) -> dict[str, list[ObjectKey]]:
    """The Bindings that have objects of these resources, by name, with these objects. Those being deleted do not count."""
    wanted = set(subjects)
    result: dict[str, list[ObjectKey]] = {}
    for binding in bindings:
        if binding["metadata"].get("deletionTimestamp"):
            continue
        keys = sorted(key for key in resolution.bound(binding) if (key.group, key.resource) in wanted)
        if keys:
            result[str(binding["metadata"]["name"])] = keys
    return dict(sorted(result.items()))


def delivered(
    found: Mapping[str, Iterable[ObjectKey]], bindings: Iterable[Mapping[str, Any]]
) -> list[ObjectKey]:
    """The objects of `concerned` that go to at least one cluster, each once."""
    somewhere = {binding["metadata"]["name"] for binding in bindings if resolution.destinations(binding)}
    return sorted({key for name, keys in found.items() if name in somewhere for key in keys})
