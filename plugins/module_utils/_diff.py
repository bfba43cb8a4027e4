# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Comparing what is wanted with what is there (private to kubestellar.core). Pure functions.

`satisfied` decides without a request whether a server-side apply would change anything, from the wanted
object, the live one and our entry in its managedFields. It may say "no" for an object that is in fact
equal; it must never say "yes" for one that differs. `changed` then comes from the server's answer.
"""

from __future__ import annotations

import base64
import copy
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bounds, _texts
from ansible_collections.kubestellar.core.plugins.module_utils._client import FIELD_MANAGER
from ansible_collections.kubestellar.core.plugins.module_utils._yaml import dump_yaml

_SERVER_METADATA = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid")
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_DECIMAL_SUFFIX = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY_SUFFIX = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_AMOUNTS = (
    "capacity",
    "default",
    "defaultRequest",
    "hard",
    "limits",
    "max",
    "maxLimitRequestRatio",
    "min",
    "overhead",
    "podFixed",
    "requests",
)
"""Maps of resources to amounts (kubernetes: staging/src/k8s.io/api, ResourceList)."""
_AMOUNT_FIELDS = (
    ("emptyDir", "sizeLimit"),
    ("resourceFieldRef", "divisor"),
    ("target", "averageValue"),
    ("target", "value"),
)
_ENCODED = (("ConfigMap", ("binaryData",)), ("Secret", ("data",)))
_MASK = "********"
_LONGEST_AMOUNT = 64
_LARGEST_EXPONENT = 30


def wanted(obj: Mapping[str, Any]) -> dict[str, Any]:
    """A definition as it is to be sent: without status and server metadata, Secret text as base64 data.

    Null is nothing where every field is known, and is left out there; a custom resource may mean something by it.
    """
    typed = _texts.is_typed(str(obj.get("apiVersion")), str(obj.get("kind")))
    result: dict[str, Any] = _without_nulls(dict(obj)) if typed else dict(obj)
    result.pop("status", None)
    metadata = _without_nulls(dict(result.get("metadata") or {}))
    for key in _SERVER_METADATA:
        metadata.pop(key, None)
    result["metadata"] = metadata
    if result.get("kind") == "Secret" and result.get("apiVersion") == "v1" and "stringData" in result:
        data = dict(result.get("data") or {})
        for key, value in (result.pop("stringData") or {}).items():
            data[key] = base64.b64encode(value.encode()).decode()
        result["data"] = data
    return result


def content(obj: Mapping[str, Any] | None) -> dict[str, Any]:
    """The part of a live object that people decide: no status, no server metadata."""
    if obj is None:
        return {}
    leading = {key: obj[key] for key in ("apiVersion", "kind") if key in obj}
    result = {**leading, **{key: value for key, value in obj.items() if key != "status"}}
    metadata = {
        key: value for key, value in (result.get("metadata") or {}).items() if key not in _SERVER_METADATA
    }
    if metadata:
        result["metadata"] = metadata
    return result


def satisfied(
    want: Mapping[str, Any], live: Mapping[str, Any], *, field_manager: str = FIELD_MANAGER
) -> bool:
    """Whether applying `want` (see `wanted`) would change nothing in `live`, as far as can be told from here."""
    body = {key: value for key, value in want.items() if key not in ("apiVersion", "kind")}
    metadata = {k: v for k, v in (body.get("metadata") or {}).items() if k not in ("name", "namespace")}
    if metadata:
        body["metadata"] = metadata
    else:
        body.pop("metadata", None)
    owned = _owned_fields(live, field_manager)
    if owned is None:
        # The server remembers no owner of nothing, such as a Namespace of which only the name is given.
        return not body and not applied_by(live, field_manager)
    # Most objects are as they are written, and need no other form.
    return _same_map(body, live, owned) or _same_map(_canonical(want, body), _canonical(want, live), owned)


def applied_by(live: Mapping[str, Any], field_manager: str = FIELD_MANAGER) -> bool:
    """Whether the field manager has applied this object (metadata is enough), rather than a controller made it."""
    return any(
        entry.get("manager") == field_manager and entry.get("operation") == "Apply"
        for entry in (live.get("metadata") or {}).get("managedFields") or []
    )


def owned(live: Mapping[str, Any] | None, *path: str) -> dict[str, str]:
    """The pairs of a map in a live object, such as its labels, that we have applied."""
    values: Any = live
    fields: Any = _owned_fields(live, FIELD_MANAGER) if live is not None else None
    for key in path:
        values, fields = (values or {}).get(key), (fields or {}).get(f"f:{key}")
    return {key: value for key, value in (values or {}).items() if f"f:{key}" in (fields or {})}


def after(
    live: Mapping[str, str], owned: Mapping[str, str], wanted: Mapping[str, str] | None
) -> dict[str, str]:
    """A map after our apply: what is ours and not wanted any more goes, what is of others stays. With None, nothing is said of it.

    :param owned: the pairs of it that are ours.
    """
    if wanted is None:
        return dict(live)
    return {**{key: value for key, value in live.items() if key not in owned}, **wanted}


def unchanged(
    before: Mapping[str, Any], after: Mapping[str, Any], field_manager: str = FIELD_MANAGER
) -> bool:
    """Whether an apply has changed nothing, neither in what people decide nor in which fields are ours."""
    return content(before) == content(after) and _owned_fields(before, field_manager) == _owned_fields(
        after, field_manager
    )


def _owned_fields(live: Mapping[str, Any], field_manager: str) -> dict[str, Any] | None:
    """Our `fieldsV1` in the object's managedFields, or None if we never applied it."""
    for entry in (live.get("metadata") or {}).get("managedFields") or []:
        if (
            entry.get("manager") == field_manager
            and entry.get("operation") == "Apply"
            and not entry.get("subresource")
            and entry.get("apiVersion") == live.get("apiVersion")
        ):
            return dict(entry.get("fieldsV1") or {})
    return None


def _canonical(kind: Mapping[str, Any], value: Any, path: tuple[str, ...] = ()) -> Any:
    """A part of an object with what Kubernetes itself stores in one of several spellings in one of them.

    Only amounts of resources and base64 of its own kinds are such. All else, also of custom resources, stays as it was written.

    :param kind: an object that says apiVersion and kind.
    """
    verbatim = ("ControllerRevision", "CustomResourceDefinition")  # defaults in schemas are stored as written
    if not path and (kind.get("kind") in verbatim or not _texts.is_built_in(str(kind.get("apiVersion")))):
        return value
    if isinstance(value, Mapping):
        left = ("metadata", "status") if not path else ()
        return {
            key: item if key in left else _canonical(kind, item, (*path, str(key)))
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_canonical(kind, item, path) for item in value]
    if _is_quantity(path) and isinstance(value, (str, int, float)) and not isinstance(value, bool):
        amount = quantity(str(value))
        return value if amount is None else amount
    if isinstance(value, str) and _is_base64(kind, path):
        return value.replace("\n", "").replace("\r", "")
    return value


def _is_quantity(path: tuple[str, ...]) -> bool:
    name, parent = path[-1], path[-2] if len(path) > 1 else ""
    return parent in _AMOUNTS or (parent, name) in _AMOUNT_FIELDS


def _is_base64(kind: Mapping[str, Any], path: tuple[str, ...]) -> bool:
    return path[-1] == "caBundle" or (kind.get("kind"), path[:-1]) in _ENCODED


def _same(want: Any, live: Any, owned: Mapping[str, Any]) -> bool:
    if isinstance(want, Mapping):
        if not isinstance(live, Mapping):
            return not want and live is None and not _children(owned)
        return _same_map(want, live, owned) if _children(owned) else covers(want, live)
    if isinstance(want, list):
        if not isinstance(live, list):
            return not want and live is None
        if any(key[:2] in ("k:", "v:") for key in owned):
            return _same_keyed(want, live, owned)
        return covers(want, live)
    return _equal(want, live)


def _children(owned: Mapping[str, Any]) -> list[str]:
    return [key for key in owned if key != "."]


def _same_map(want: Mapping[str, Any], live: Mapping[str, Any], owned: Mapping[str, Any]) -> bool:
    names = {key[2:] for key in owned if key.startswith("f:")}
    # What is not wanted any more and has gone already need not be removed.
    if not set(want) <= names or any(name in live for name in names - set(want)):
        return False
    # What is empty may not be stored, such as `preserveUnknownFields: false` of a CustomResourceDefinition: it is owned
    # and not there. Had we applied anything else before, it would be there.
    return all(
        (key not in live and not value) or _same(value, live.get(key), owned[f"f:{key}"])
        for key, value in want.items()
    )


def _same_keyed(want: list[Any], live: list[Any], owned: Mapping[str, Any]) -> bool:
    """Lists merged by key (`k:`) or as sets (`v:`): each wanted item is one we own, and none is owned beside."""
    entries = _children(owned)
    if len(entries) != len(want):
        return False
    for entry in entries:
        try:
            key = _bounds.json_value(entry[2:])
        except ValueError:
            return False
        if entry.startswith("v:"):
            if key not in want or key not in live:
                return False
            continue
        # One that says the whole key goes before one that leaves a part to the default.
        mine = next(
            (item for exact in (True, False) for item in want if _has_key(item, key, exact=exact)), None
        )
        theirs = next((item for item in live if _has_key(item, key, exact=True)), None)
        if mine is None or theirs is None:
            return False
        # The server records a defaulted key field (a port's protocol) as owned although it was not sent.
        fields = {
            name: value
            for name, value in owned[entry].items()
            if not (name.startswith("f:") and name[2:] in key and name[2:] not in mine)
        }
        if not _same_map(mine, theirs, fields):
            return False
    return True


def _has_key(item: Any, key: Mapping[str, Any], *, exact: bool) -> bool:
    """Whether a list item has the merge key; not `exact`: a key field that the item leaves out is defaulted."""
    if not isinstance(item, Mapping):
        return False
    return all((not exact and name not in item) or item.get(name) == value for name, value in key.items())


def covers(want: Any, live: Any) -> bool:
    """Whether `live` holds all of `want`, where the server or others may only have added keys to mappings."""
    if isinstance(want, Mapping):
        return isinstance(live, Mapping) and all(
            key in live and covers(v, live[key]) for key, v in want.items()
        )
    if isinstance(want, list):
        return (
            isinstance(live, list)
            and len(want) == len(live)
            and all(covers(mine, theirs) for mine, theirs in zip(want, live, strict=True))
        )
    return _equal(want, live)


def _equal(want: Any, live: Any) -> bool:
    """Scalars as the API server compares them: `"8080"` is not `8080`, and true is not 1."""
    if isinstance(want, bool) or isinstance(live, bool):
        return want is live
    return bool(want == live) and isinstance(want, str) == isinstance(live, str)


def quantity(text: str) -> Decimal | None:
    """The number that a Kubernetes quantity stands for, or None if `text` is none."""
    match = _texts.QUANTITY.match(text)
    if match is None:
        return None
    suffix = match.group(2) or ""
    if len(match.group(1)) > _LONGEST_AMOUNT or (suffix[1:] and abs(_exponent(suffix)) > _LARGEST_EXPONENT):
        return None  # beyond every amount of Kubernetes, and of what can be reckoned with
    number = Decimal(match.group(1))
    if suffix in _BINARY_SUFFIX:
        return number * Decimal(1024) ** _BINARY_SUFFIX[suffix]
    if suffix in _DECIMAL_SUFFIX:
        return number.scaleb(_DECIMAL_SUFFIX[suffix])
    return number.scaleb(_exponent(suffix)) if suffix else number


def _exponent(suffix: str) -> int:
    """The number behind `e` or `E`; 0 of a suffix such as `Mi`."""
    digits = suffix[1:].lstrip("+-")
    size = _bounds.whole(digits, 0 if digits == "i" else _LARGEST_EXPONENT + 1)
    return -size if suffix[1:2] == "-" else size


def _without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


def redact(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Both sides with the values of Secrets masked; a value that differs is marked, not shown."""
    left, right = copy.deepcopy(dict(before)), copy.deepcopy(dict(after))
    for side in (left, right):
        annotations = (side.get("metadata") or {}).get("annotations")
        if isinstance(annotations, dict) and _LAST_APPLIED in annotations:
            annotations[_LAST_APPLIED] = _MASK
    if "Secret" in (left.get("kind"), right.get("kind")):
        for field in ("data", "stringData"):
            ours, theirs = left.get(field) or {}, right.get(field) or {}
            for key in set(ours) | set(theirs):
                same = key in ours and key in theirs and ours[key] == theirs[key]
                if key in ours:
                    ours[key] = _MASK if same else f"{_MASK} (before)"
                if key in theirs:
                    theirs[key] = _MASK if same else f"{_MASK} (after)"
    return left, right


def entry(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, header: str) -> dict[str, str]:
    """One element of a module's `diff`: YAML of both sides, Secrets masked. None means the object is not there."""
    left, right = redact(content(before), content(after))
    return {
        "before": dump_yaml(left) if before is not None else "",
        "after": dump_yaml(right) if after is not None else "",
        "before_header": header,
        "after_header": header,
    }
