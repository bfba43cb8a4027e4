# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One object as options or a manifest describe it, and what the API server demands of names, labels and annotations.

Private to kubestellar.core. Pure functions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    InvalidInput,
    KubestellarError,
    plain,
)
from ansible_collections.kubestellar.core.plugins.module_utils._resources import Resource

IDENTITY_SPEC: dict[str, Any] = {
    "name": {"type": "str"},
    "definition": {"type": "dict"},
    "labels": {"type": "dict"},
    "annotations": {"type": "dict"},
}
"""The options that say which object it is, whatever its kind."""

_LONGEST_NAME = 253
_LONGEST_PART = 63
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_QUALIFIED = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")


def manifest(params: Mapping[str, Any], resource: Resource, spec: Mapping[str, Any]) -> dict[str, Any]:
    """The object that the options describe, not yet checked (see `metadata_problems` and `refuse`).

    :param params: values for `IDENTITY_SPEC`.
    :param spec: the API's `spec`, if the options have no `definition`.
    :raises InvalidInput: `definition` is of another kind, or named otherwise than the option `name`.
    """
    definition = params.get("definition")
    if definition is not None:
        result = _from_definition(definition, resource, params.get("name"))
    else:
        result = {
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "metadata": {"name": params.get("name")},
            "spec": dict(spec),
        }
    for field in ("labels", "annotations"):
        if params.get(field):
            given = result["metadata"].get(field)
            result["metadata"][field] = {**(given if isinstance(given, Mapping) else {}), **params[field]}
    return result


def _from_definition(definition: Mapping[str, Any], resource: Resource, name: str | None) -> dict[str, Any]:
    """A copy of a whole manifest with the name of the options."""
    kind, api_version = definition.get("kind"), definition.get("apiVersion")
    if (kind, api_version) != (resource.kind, resource.api_version):
        raise InvalidInput(
            f"definition is a {plain(kind)} of {plain(api_version)}, "
            f"not a {resource.kind} of {resource.api_version}."
        )
    metadata = definition.get("metadata")
    if not isinstance(metadata, Mapping):
        metadata = {}
    own_name = metadata.get("name")
    if name and own_name not in (None, name):
        raise InvalidInput(f"definition is named {plain(own_name)}, but the option name says {plain(name)}.")
    result = {key: value for key, value in definition.items() if key != "status"}
    result["metadata"] = {**metadata, "name": name or own_name}
    result.setdefault("spec", {})
    return result


def departure(where: str, what: str, live: Mapping[str, Any]) -> str:
    """That an object is being deleted, as a sentence with the way out; empty if it is not.

    Whatever is applied to it goes with it as soon as its last finalizer has gone.

    :param where: its cluster.
    :param what: the object, as messages call it.
    """
    metadata = live.get("metadata") or {}
    if not metadata.get("deletionTimestamp"):
        return ""
    finalizers = plain(", ".join(metadata.get("finalizers") or []) or "none", 200)
    return (
        f"{where}: {what} is being deleted since {plain(metadata['deletionTimestamp'], 40)} (finalizers: {finalizers}). "
        "When it is gone, run this again."
    )


def check_stays(where: str, what: str, live: Mapping[str, Any] | None) -> None:
    """:raises KubestellarError: the object is being deleted, see `departure`."""
    leaves = departure(where, what, live or {})
    if leaves:
        raise KubestellarError(leaves)


def given_name(params: Mapping[str, Any], resource: Resource) -> str:
    """The name that the options give the object. :raises InvalidInput: none."""
    metadata = (params.get("definition") or {}).get("metadata")
    name = params.get("name") or (metadata.get("name") if isinstance(metadata, Mapping) else None)
    if not name:
        raise InvalidInput(f"The {resource.kind} has no name.", hint="Set name.")
    return str(name)


def refuse(resource: Resource, obj: Mapping[str, Any], problems: Iterable[str]) -> None:
    """:raises InvalidInput: there are problems; `details["problems"]` has them all, one sentence each."""
    found = list(problems)
    if not found:
        return
    more = f" ({len(found) - 1} more below problems)" if len(found) > 1 else ""
    name = plain(obj["metadata"].get("name"), 80)
    raise InvalidInput(f"{resource.kind} {name}: {found[0]}{more}", problems=found)


def metadata_problems(metadata: Mapping[str, Any], longest_name: int = _LONGEST_NAME) -> Iterator[str]:
    """What the API server would refuse in name, labels and annotations, one sentence each."""
    yield from name_problems(metadata.get("name"), longest_name)
    for field in ("labels", "annotations"):
        yield from map_problems(metadata.get(field), field)


def name_problems(name: Any, longest: int = _LONGEST_NAME) -> Iterator[str]:
    """What is wrong with the name of an object."""
    if not isinstance(name, str) or not name:
        yield "a name is needed."
    elif len(name) > longest:
        yield f"the name has {len(name)} characters, of at most {longest}."
    elif not _SUBDOMAIN.fullmatch(name):
        yield (
            f"the name {plain(name, 80)!r} is not allowed: use lower-case letters, digits, dashes and dots, "
            "beginning and ending with a letter or digit."
        )


def map_problems(value: Any, where: str) -> Iterator[str]:
    """What is wrong with labels, or with `annotations`, whose values are free. :param where: begins each sentence."""
    if value is None:
        return
    if not isinstance(value, Mapping):
        yield f"{where} is {type_name(value)}, not a mapping."
        return
    for key, item in value.items():
        yield from key_problems(key, where)
        if not isinstance(key, str):
            continue
        what = f"{where}: the value of {plain(key, 80)}"
        if where != "annotations":
            yield from value_problems(item, what)
        elif not isinstance(item, str):
            yield f"{what} is {type_name(item)}; put it in quotes."


def key_problems(key: Any, where: str) -> Iterator[str]:
    """What is wrong with the key of a label or an annotation."""
    if not isinstance(key, str):
        yield f"{where}: the key {plain(key)} is {type_name(key)}; put it in quotes."
    elif not is_key(key):
        yield (
            f"{where}: {plain(key, 80)!r} is not a legal key "
            "(optional DNS prefix and slash, then at most 63 characters)."
        )


def value_problems(value: Any, what: str) -> Iterator[str]:
    """What is wrong with the value of a label. :param what: begins the sentence."""
    if not isinstance(value, str):
        yield f"{what} is {type_name(value)}; put it in quotes."
    elif not is_label_value(value):
        yield (
            f"{what}, {plain(value, 80)!r}, is not a legal label value "
            "(at most 63 letters, digits, '-', '_', '.')."
        )


def is_key(text: str) -> bool:
    """Whether it can be the key of a label or an annotation."""
    prefix, slash, name = text.rpartition("/")
    legal = len(name) <= _LONGEST_PART and _QUALIFIED.fullmatch(name) is not None
    return legal and (not slash or is_subdomain(prefix))


def is_label_value(text: str) -> bool:
    """Whether it can be the value of a label, which may be empty."""
    return len(text) <= _LONGEST_PART and (not text or _QUALIFIED.fullmatch(text) is not None)


def is_dns_label(text: str) -> bool:
    """Whether it can be the name of a cluster, a Namespace or a workload: a DNS label."""
    return len(text) <= _LONGEST_PART and _LABEL.fullmatch(text) is not None


def is_subdomain(text: str) -> bool:
    """Whether it is a DNS subdomain, as names of most objects and all API groups are."""
    return len(text) <= _LONGEST_NAME and _SUBDOMAIN.fullmatch(text) is not None


def is_plural(text: str) -> bool:
    """Whether it can be the plural name of a resource."""
    return _LABEL.fullmatch(text) is not None


def type_name(value: Any) -> str:
    """The type of a value as the writer of YAML knows it."""
    if value is None:
        return "empty"
    names = {bool: "a boolean", str: "a string", list: "a list", dict: "a mapping"}
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return "a number"
    return next((name for kind, name in names.items() if isinstance(value, kind)), type(value).__name__)
