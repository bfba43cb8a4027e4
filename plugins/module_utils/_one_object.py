# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One cluster-scoped object of KubeStellar's own API in a WDS, by server-side apply (private to kubestellar.core).

What modules for such an object have in common: options to a manifest, the checks of its metadata, `present`,
`absent`, and the documented result. What is wrong with the spec is the business of each module.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _diff
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    Conflict,
    InvalidInput,
    NotFound,
    plain,
)
from ansible_collections.kubestellar.core.plugins.module_utils._module import Context
from ansible_collections.kubestellar.core.plugins.module_utils._resources import Resource

IDENTITY_SPEC: dict[str, Any] = {
    "name": {"type": "str"},
    "definition": {"type": "dict"},
    "labels": {"type": "dict"},
    "annotations": {"type": "dict"},
}
"""The options that say which object it is, whatever its kind."""

APPLY_SPEC: dict[str, Any] = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "force_conflicts": {"type": "bool", "default": False},
}
"""The options that say what is done with it."""

_LONGEST_NAME = 253
_LONGEST_PART = 63
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_QUALIFIED = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_PLURAL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")


@dataclass(frozen=True)
class Outcome:
    """What was done with the object, or in check mode would be.

    :ivar method: `none`, `create`, `update` or `delete`.
    :ivar before: the live object before; None if it was not there.
    :ivar after: the object as it is now, or would be; None if it is not there.
    """

    method: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None

    @property
    def changed(self) -> bool:
        """Whether anything differs."""
        return self.method != "none"


# -- pure -------------------------------------------------------------------------------------------------------


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
    name = metadata.get("name")
    if not isinstance(name, str) or not name:
        yield "a name is needed."
    elif len(name) > longest_name:
        yield f"the name has {len(name)} characters, of at most {longest_name}."
    elif not _SUBDOMAIN.fullmatch(name):
        yield (
            f"the name {plain(name, 80)!r} is not allowed: use lower-case letters, digits, dashes and dots, "
            "beginning and ending with a letter or digit."
        )
    for field in ("labels", "annotations"):
        value = metadata.get(field)
        if isinstance(value, Mapping):
            yield from _map_problems(value, field)
        elif value is not None:
            yield f"{field} is {type_name(value)}, not a mapping."


def _map_problems(value: Mapping[Any, Any], where: str) -> Iterator[str]:
    for key, item in value.items():
        if not isinstance(key, str):
            yield f"{where}: the key {plain(key)} is {type_name(key)}; put it in quotes."
            continue
        if not _is_key(key):
            yield (
                f"{where}: {plain(key, 80)!r} is not a legal key "
                "(optional DNS prefix and slash, then at most 63 characters)."
            )
        what = f"{where}: the value of {plain(key, 80)}"
        if not isinstance(item, str):
            yield f"{what} is {type_name(item)}; put it in quotes."
        elif where == "labels" and (len(item) > _LONGEST_PART or (item and not _QUALIFIED.fullmatch(item))):
            yield (
                f"{what}, {plain(item, 80)!r}, is not a legal label value "
                "(at most 63 letters, digits, '-', '_', '.')."
            )


def _is_key(key: str) -> bool:
    prefix, slash, name = key.rpartition("/")
    legal = len(name) <= _LONGEST_PART and _QUALIFIED.fullmatch(name) is not None
    if slash:
        legal = legal and is_subdomain(prefix)
    return legal


def is_subdomain(text: str) -> bool:
    """Whether it is a DNS subdomain, as names of most objects and all API groups are."""
    return len(text) <= _LONGEST_NAME and _SUBDOMAIN.fullmatch(text) is not None


def is_plural(text: str) -> bool:
    """Whether it can be the plural name of a resource."""
    return _PLURAL.fullmatch(text) is not None


def type_name(value: Any) -> str:
    """The type of a value as the writer of YAML knows it."""
    if value is None:
        return "empty"
    names = {bool: "a boolean", str: "a string", list: "a list", dict: "a mapping"}
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return "a number"
    return next((name for kind, name in names.items() if isinstance(value, kind)), type(value).__name__)


# -- the API server ---------------------------------------------------------------------------------------------


def present(
    context: Context,
    resource: Resource,
    obj: Mapping[str, Any],
    *,
    adapt: Callable[[dict[str, Any], Mapping[str, Any] | None], dict[str, Any]] = lambda want, _live: want,
) -> Outcome:
    """Apply the object, unless it is there just so; in check mode by dry run.

    :param obj: the checked manifest.
    :param adapt: gets what would be sent and the live object, and returns what is sent.
    :raises Conflict: fields are another manager's; the message names owner and fields.
    """
    want = _diff.wanted(obj)
    if context.planned:
        return Outcome("create", None, want)
    wds = context.wds()
    before = wds.get(resource, want["metadata"]["name"])
    want = adapt(want, before)
    if before is not None and before.get("spec") == want["spec"] and _diff.satisfied(want, before):
        return Outcome("none", before, before)
    after = _apply(context, wds, resource, want)
    if before is None:
        return Outcome("create", None, after)
    changed = _diff.content(before) != _diff.content(after)
    return Outcome("update" if changed else "none", before, after)


def _apply(context: Context, wds: Cluster, resource: Resource, want: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return wds.apply(resource, want, force=context.params["force_conflicts"], dry_run=context.check_mode)
    except Conflict as error:
        error.hint = "Set force_conflicts to take these fields over, or leave them to their owner."
        raise
    except NotFound as error:
        error.hint = (
            "KubeStellar's controller-manager brings this type to the WDS: is it running, and is this a WDS?"
        )
        raise


def absent(context: Context, resource: Resource) -> Outcome:
    """Delete the object that the options name, and no other of this name."""
    name = given_name(context.params, resource)
    if context.planned:
        return Outcome("none", None, None)
    wds = context.wds()
    before = wds.get(resource, name)
    if before is None or before["metadata"].get("deletionTimestamp"):
        return Outcome("none", before, None)
    wds.delete(resource, name, uid=before["metadata"]["uid"], dry_run=context.check_mode)
    return Outcome("delete", before, None)


def result(context: Context, resource: Resource, outcome: Outcome) -> dict[str, Any]:
    """`changed`, `method`, `object` and, in diff mode, `diff`."""
    found: dict[str, Any] = {"changed": outcome.changed, "method": outcome.method, "object": {}}
    if outcome.after is not None:
        found["object"] = shown(outcome.after)
    if context.diff_mode and outcome.changed:
        name = ((outcome.after or outcome.before or {}).get("metadata") or {}).get("name")
        where = context.params["wds"] or context.params["wds_context"] or "wds"
        found["diff"] = [_diff.entry(outcome.before, outcome.after, f"{where}: {resource.kind} {name}")]
    return found


def shown(obj: Mapping[str, Any]) -> dict[str, Any]:
    """An object for the result: without managedFields, which say nothing to people."""
    metadata = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    return {**obj, "metadata": metadata}
