# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where options and objects have text, and what is none (private to kubestellar.core). Pure functions.

YAML takes `no`, `1e3` and `0644` for something else than text. What was written is not known any more then, so nothing is made of it.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from ansible.module_utils.common.validation import check_type_dict
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, plain
from ansible_collections.kubestellar.core.plugins.module_utils._yaml import type_name

QUOTE = "Put it in quotes, as it is meant."

_NUMBERS_TOO = re.compile(r"^(min|max)_|^(not_older_than|previous|prune_limit|since|status_sync_interval)$")
"""Options that are text since they may be a percentage or the like."""
_BUILT_IN = frozenset(
    {
        *("", "apps", "autoscaling", "batch", "policy"),
        *(
            f"{group}.k8s.io"
            for group in (
                *(
                    "admissionregistration",
                    "apiregistration",
                    "authentication",
                    "authorization",
                    "certificates",
                ),
                *("coordination", "discovery", "events", "flowcontrol.apiserver", "internal.apiserver"),
                *("networking", "node", "rbac.authorization", "scheduling", "storage", "storagemigration"),
            )
        ),
    }
)
"""Groups of which Kubernetes knows every field."""
_OURS = ("kubestellar.io", "kubestellar.org", "open-cluster-management.io")
_ENCODED = (("v1", "Secret"), ("v1", "ConfigMap"))
_MAPS = ("matchLabels", "nodeSelector")
_QUANTITIES = ("capacity", "hard", "limits", "requests")
QUANTITY = re.compile(r"^([+-]?[0-9]+(?:\.[0-9]*)?|[+-]?\.[0-9]+)([eE][+-]?[0-9]+|[numkMGTPE]|[KMGTPE]i)?$")
"""A number as Kubernetes writes amounts of resources."""
_LISTS = ("args", "command")


def is_built_in(api_version: str) -> bool:
    """Whether a version is of a group of Kubernetes itself, today or once."""
    return api_version.rpartition("/")[0] in (*_BUILT_IN, "extensions")


def is_typed(api_version: str, kind: str) -> bool:
    """Whether Kubernetes itself knows every field of a kind, so that null is nothing there."""
    group = api_version.rpartition("/")[0]
    typed = (
        group in _BUILT_IN
        or group.endswith(_OURS)
        or (group, kind) == ("apiextensions.k8s.io", "CustomResourceDefinition")
    )
    return typed and kind != "ControllerRevision"


def option_problems(spec: Mapping[str, Any], given: Any, path: str = "") -> Iterator[str]:
    """Sentences about options that take text and were given something else, which Ansible would make a text of."""
    for place, name, option, value in _values(spec, given, path):
        if option.get("type", "str") not in ("str", "path") or value is None or isinstance(value, str):
            continue
        if isinstance(value, (Mapping, list)):
            yield f"{place} takes text and is {shown(value)}. Write a text there."
        elif isinstance(value, bool) or not _NUMBERS_TOO.search(name):
            yield f"{place} takes text and is {shown(value)}. {QUOTE}"


def shape_problems(spec: Mapping[str, Any], given: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Pairs of option and sentence about values of another shape than a mapping or a list where one belongs. What is in them is not told."""
    for place, name, option, value in _values(spec, given, path):
        kind = option.get("type")
        if kind == "dict" and not (value is None or isinstance(value, Mapping) or _parses(value)):
            yield name, f"{place} is {shown(value)}, where a mapping belongs."
        mappings = option.get("elements") == "dict"
        if kind == "list" and (isinstance(value, (bool, Mapping)) or (mappings and isinstance(value, str))):
            yield (
                name,
                f"{place} is {shown(value)}, where a list{' of mappings' if mappings else ''} belongs.",
            )


def _values(
    spec: Mapping[str, Any], given: Any, path: str
) -> Iterator[tuple[str, str, Mapping[str, Any], Any]]:
    """Path, name, spec and value of every option that is given, lists before their items."""
    for name, option in spec.items() if isinstance(given, Mapping) else ():
        value, place = given.get(name), f"{path}{name}"
        yield place, name, option, value
        items = [(place, value)]
        if option.get("type") == "list":
            items = []
            if isinstance(value, list):
                items = [(f"{place}[{_item(number, item)}]", item) for number, item in enumerate(value)]
            elif not isinstance(value, (Mapping, str)):
                items = [(place, value)]  # Ansible makes a list of it
            for inner, item in items:
                yield inner, name, {"type": option.get("elements", "raw")}, item
        for inner, item in items:
            yield from _values(option.get("options") or {}, item, f"{inner}.")


def _item(number: int, item: Any) -> str:
    """What tells an item of a list from the others: its name, or its number."""
    name = item.get("name") if isinstance(item, Mapping) else None
    return name if isinstance(name, str) else str(number)


def _parses(value: Any) -> bool:
    """Whether it is a text that Ansible makes a mapping of."""
    try:
        return isinstance(value, str) and isinstance(check_type_dict(value), dict)
    except TypeError:
        return False


def unfit(value: Any, path: str = "") -> str:
    """A sentence about the first key that is no text, or time, of which JSON would make another text; empty if there is none."""
    items = (
        value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, item in items:
        if isinstance(value, Mapping) and not isinstance(key, str):
            return f"{path or 'The task'}: the key {shown(key)} is no text."
        below = f"{path}[{key}]" if isinstance(value, list) else f"{path}.{key}".lstrip(".")
        if isinstance(item, datetime):
            return f"{below}: {plain(item, 40)} is a time, no text."
        if found := unfit(item, below):
            return found
    return ""


def check_object(obj: Mapping[str, Any], what: str) -> None:
    """What the server would refuse without a good reason, or take for something else.

    :param what: the object and its place, for the message.
    :raises InvalidInput: a field that takes text has something else, or one that takes base64 has none.
    """
    secret = obj["kind"] == "Secret"
    for field, value in _misfits(obj):
        told = type_name(value) if secret and not field.startswith("metadata.") else shown(value)
        raise InvalidInput(f"{what}: {plain(field, 200)} takes text and is {told}.", hint=hint(value))
    if is_built_in(obj["apiVersion"]) and obj["kind"] != "CustomResourceDefinition":
        for field, amount in _amounts(obj.get("spec"), "spec"):
            raise InvalidInput(
                f"{what}: {plain(field, 200)} is {'nothing' if amount is None else repr(plain(amount, 40))}, no quantity.",
                hint="Write it as 500m, 2, 512Mi or 1G.",
            )
    if (obj["apiVersion"], obj["kind"]) not in _ENCODED:
        return
    encoded, plain_field = ("data", "stringData") if secret else ("binaryData", "data")
    for key, value in (obj.get(encoded) or {}).items():
        if not _is_base64(value):
            raise InvalidInput(
                f"{what}: {encoded}.{plain(key, 80)} is not base64.",
                hint=f"Encode it, or write it as text under {plain_field}.",
            )


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text.replace("\r", "").replace("\n", ""), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def hint(value: Any) -> str:
    """What to do about a value that is no text."""
    if value is None:
        return 'Write "" for an empty text, or remove it.'
    if isinstance(value, (list, dict)):
        return "Write it as text, in quotes or after a |."
    return QUOTE


def shown(value: Any) -> str:
    """A value for messages."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return f"the number {plain(repr(value), 40)}"
    return type_name(value)


def _misfits(obj: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Paths and values of what is not text and should be."""
    yield from _of_map(obj.get("metadata"), "labels", "metadata.labels")
    yield from _of_map(obj.get("metadata"), "annotations", "metadata.annotations")
    if (obj["apiVersion"], obj["kind"]) in _ENCODED:
        for field in ("data", "stringData", "binaryData"):
            yield from _of_map(obj, field, field)
    elif is_typed(obj["apiVersion"], obj["kind"]) and obj["kind"] != "CustomResourceDefinition":
        yield from _of_map(obj, "parameters", "parameters")  # of a StorageClass
        if obj["kind"] in ("ReplicationController", "Service"):  # elsewhere it has matchLabels
            yield from _of_map(obj.get("spec"), "selector", "spec.selector")
        for key, value in obj.items():
            if key != "metadata":
                yield from _below(value, str(key), str(key))


def _below(value: Any, path: str, name: str) -> Iterator[tuple[str, Any]]:
    """The same below a field. :param name: of the field; that of its list for an item of one."""
    if isinstance(value, list):
        for number, item in enumerate(value):
            if name in _LISTS and not isinstance(item, str):
                yield f"{path}[{number}]", item
            yield from _below(item, f"{path}[{number}]", name)
    if not isinstance(value, Mapping):
        return
    for key in ("labels", "annotations") if name == "metadata" else _MAPS:
        yield from _of_map(value, key, f"{path}.{key}")
    if name in ("matchExpressions", "matchFields"):
        items = value.get("values")
        for number, item in enumerate(items if isinstance(items, list) else []):
            if not isinstance(item, str):
                yield f"{path}.values[{number}]", item
    if name == "env" and not isinstance(value.get("value", ""), (str, type(None))):
        yield f"{path}.value", value["value"]
    for key, item in value.items():
        yield from _below(item, f"{path}.{key}", str(key))


def _amounts(value: Any, path: str = "", name: str = "") -> Iterator[tuple[str, str | None]]:
    """Paths and values of what is no quantity of a resource and should be."""
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _amounts(item, f"{path}[{number}]")
    for key, item in value.items() if isinstance(value, Mapping) else ():
        below = f"{path}.{key}".lstrip(".")
        if name in _QUANTITIES and (item is None or (isinstance(item, str) and not QUANTITY.match(item))):
            yield below, item
        yield from _amounts(item, below, str(key))


def _of_map(parent: Any, key: str, path: str) -> Iterator[tuple[str, Any]]:
    values = parent.get(key) if isinstance(parent, Mapping) else None
    for name, value in values.items() if isinstance(values, Mapping) else ():
        if not isinstance(value, str):
            yield f"{path}.{name}", value
