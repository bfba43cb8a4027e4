# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects against the schemas that an API server publishes (private to kubestellar.core). Pure functions but for `read`.

For what the server cannot try before the first write: objects of Namespaces and kinds that are new themselves, and more
objects than are worth a dry run each. Unknown fields, values of a wrong type and words that are no choice are found, nothing
else: whatever is doubtful here is left to the server.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bulk
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import ApiError, plain

Schema = Mapping[str, Any]

_NAMES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "an integer",
    "object": "a mapping",
    "string": "a text",
}
_PRESERVE = "x-kubernetes-preserve-unknown-fields"
_INT_OR_STRING = "x-kubernetes-int-or-string"
_EMBEDDED = "x-kubernetes-embedded-resource"
_GVK = "x-kubernetes-group-version-kind"
_HEAD = ("apiVersion", "kind", "metadata")
_MOST = 5


class Schemas:
    """Schemas by (apiVersion, kind)."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[Schema, Mapping[str, Schema], bool]] = {}

    def add_document(self, document: Mapping[str, Any]) -> None:
        """Take in an OpenAPI document of version 3."""
        definitions = (document.get("components") or {}).get("schemas") or {}
        for schema in definitions.values():
            for kind in schema.get(_GVK) or []:
                group, version = kind.get("group"), kind.get("version")
                api_version = f"{group}/{version}" if group else str(version)
                self._known.setdefault((api_version, str(kind.get("kind"))), (schema, definitions, False))

    def add_definition(self, crd: Mapping[str, Any]) -> None:
        """Take in what a CustomResourceDefinition defines, in place of what is served now."""
        for kind, version in _bulk.versions(crd):
            schema = (version.get("schema") or {}).get("openAPIV3Schema")
            if isinstance(schema, Mapping):
                self._known[kind] = (schema, {}, True)

    def problems(self, obj: Mapping[str, Any]) -> list[str]:
        """What is wrong with an object; nothing if no schema is known for it."""
        found = self._known.get((obj["apiVersion"], obj["kind"]))
        if found is None:
            return []
        schema, definitions, custom = found
        body = {key: value for key, value in obj.items() if not (custom and key in _HEAD)}
        problems = []
        for problem in _object(body, _resolved(schema, definitions), definitions, "", custom):
            problems.append(problem)
            if len(problems) == _MOST:
                break
        return problems


def read(cluster: Cluster, api_versions: Iterable[str]) -> Schemas:
    """The schemas that a cluster publishes for some versions of groups; without those that it does not publish."""
    schemas = Schemas()
    try:
        index = cluster.request("GET", "/openapi/v3", action="read the OpenAPI index").get("paths") or {}
    except ApiError:
        return schemas

    def document(api_version: str) -> Mapping[str, Any]:
        entry = index.get(f"apis/{api_version}" if "/" in api_version else f"api/{api_version}")
        path, _mark, query = str((entry or {}).get("serverRelativeURL") or "").partition("?")
        if not path.startswith("/openapi/"):
            return {}
        name, _equals, value = query.partition("=")
        try:
            found = cluster.request(
                "GET", path, query={name: value} if name else None, action="read OpenAPI schemas"
            )
        except ApiError:
            return {}
        return dict(found)

    for found in _bulk.in_parallel(document, sorted(set(api_versions))):
        schemas.add_document(found)
    return schemas


def _resolved(schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """A schema without references."""
    for _depth in range(10):
        whole = schema.get("allOf")
        if "$ref" not in schema and isinstance(whole, list) and len(whole) == 1 and "$ref" in whole[0]:
            schema = whole[0]
        if "$ref" not in schema:
            break
        schema = definitions.get(str(schema["$ref"]).rpartition("/")[2]) or {}
    return schema


def _value(
    value: Any, schema: Schema, definitions: Mapping[str, Schema], path: str, custom: bool
) -> Iterator[str]:
    schema = _resolved(schema, definitions)
    kind = schema.get("type")
    if value is None or _is_either(schema):
        return
    if kind == "object" or (kind is None and "properties" in schema):
        if isinstance(value, Mapping):
            yield from _object(value, schema, definitions, path, custom)
        else:
            yield _wrong(path, value, "object")
    elif kind == "array":
        if isinstance(value, list):
            for number, item in enumerate(value):
                yield from _value(item, schema.get("items") or {}, definitions, f"{path}[{number}]", custom)
        else:
            yield _wrong(path, value, "array")
    elif not _is(value, kind):
        yield _wrong(path, value, str(kind))
    elif schema.get("enum") and value not in ("", *schema["enum"]):
        yield f"{path} is {plain(repr(value), 60)}, not one of {', '.join(map(str, schema['enum']))}"


def _object(
    value: Mapping[str, Any], schema: Schema, definitions: Mapping[str, Schema], path: str, custom: bool
) -> Iterator[str]:
    properties, more = schema.get("properties") or {}, schema.get("additionalProperties")
    open_ended = schema.get(_PRESERVE) or more is True or (not properties and not isinstance(more, Mapping))
    for key, item in value.items():
        inner = f"{path}.{key}"
        if key in properties:
            yield from _value(item, properties[key], definitions, inner, custom)
        elif isinstance(more, Mapping):
            yield from _value(item, more, definitions, inner, custom)
        elif not open_ended and not (schema.get(_EMBEDDED) and key in _HEAD):
            yield f"{plain(inner, 200)} is no field that this kind has"
    if custom:  # built-in schemas call fields required that the server does without
        for key in schema.get("required") or []:
            filled_in = "default" in (properties.get(key) or {}) or (path == "" and key in _HEAD)
            if key not in value and not filled_in:
                yield f"{plain(path, 200)}.{key} is missing"


def _is_either(schema: Schema) -> bool:
    """Whether it may be a number or a text, or anything at all."""
    untyped = "type" not in schema and "properties" not in schema
    return bool(schema.get(_INT_OR_STRING) or schema.get("format") == "int-or-string" or untyped)


def _is(value: Any, kind: Any) -> bool:
    if kind == "string":
        return isinstance(value, str)
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    if kind in ("integer", "number"):
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return True


def _wrong(path: str, value: Any, kind: str) -> str:
    return f"{plain(path, 200)} is {plain(repr(value), 60)}, not {_NAMES.get(kind, f'a {kind}')}"
