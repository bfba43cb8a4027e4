# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One cluster-scoped object of KubeStellar's own API in a WDS, by server-side apply (private to kubestellar.core).

What modules for such an object have in common: `present`, `absent`, conflicts explained, and the documented result.
What the object is, and what is wrong with it, is in `_metadata.py` and the business of each module.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _diff, _metadata, _refusals
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    Conflict,
    NotFound,
)
from ansible_collections.kubestellar.core.plugins.module_utils._module import Context
from ansible_collections.kubestellar.core.plugins.module_utils._resources import Resource

APPLY_SPEC: dict[str, Any] = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "force_conflicts": {"type": "bool", "default": False},
}
"""The options that say what is done with it."""


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
    name = want["metadata"]["name"]
    before = wds.get(resource, name)
    _metadata.check_stays(wds.name, f"{resource.kind} {name}", before)
    want = adapt(want, before)
    if before is not None and before.get("spec") == want["spec"] and _diff.satisfied(want, before):
        return Outcome("none", before, before)
    after = apply(context, wds, resource, want)
    if before is None:
        return Outcome("create", None, after)
    changed = _diff.content(before) != _diff.content(after)
    return Outcome("update" if changed else "none", before, after)


def apply(context: Context, wds: Cluster, resource: Resource, want: Mapping[str, Any]) -> dict[str, Any]:
    """Server-side apply of the object, in check mode by dry run.

    :raises Conflict: fields are another manager's; the message names owner and fields.
    :raises NotFound: the WDS does not serve the type.
    """
    try:
        return wds.apply(resource, want, force=context.params["force_conflicts"], dry_run=context.check_mode)
    except Conflict as error:
        raise _refusals.explain(error, f"{wds.name}: {resource.kind} {want['metadata']['name']}") from error
    except NotFound as error:
        error.hint = (
            "KubeStellar's controller-manager brings this type to the WDS: is it running, and is this a WDS?"
        )
        raise


def absent(context: Context, resource: Resource) -> Outcome:
    """Delete the object that the options name, and no other of this name."""
    name = _metadata.given_name(context.params, resource)
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
