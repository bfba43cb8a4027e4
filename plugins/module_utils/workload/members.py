# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of a workload in its WDS (private to kubestellar.core)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bulk, _diff
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster, label_of
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    ApiError,
    NotFound,
    plain,
)
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils._resources import CRDS, Resource
from ansible_collections.kubestellar.core.plugins.module_utils._wait import Verdict, Waiter
from ansible_collections.kubestellar.core.plugins.module_utils.placement.catalogue import names
from ansible_collections.kubestellar.core.plugins.module_utils.workload.applyset import (
    PART_OF,
    ApplySet,
    GroupKind,
    Scope,
)
from ansible_collections.kubestellar.core.plugins.module_utils.workload.names import WORKLOAD_LABEL

_API_SERVICES = Resource("apiregistration.k8s.io", "v1", "apiservices", "APIService", False)

Found = tuple[Resource, dict[str, Any]]
"""A live object: its resource, and the object or only its metadata."""


@dataclass
class Members:
    """What was found of a workload.

    :ivar found: its objects.
    :ivar unread: kinds that could not be looked at, with the reason. Nothing is known about their objects.
    :ivar gone: kinds that are not served any more, nor defined: their objects went with the definition.
    """

    found: list[Found] = field(default_factory=list)
    unread: dict[GroupKind, str] = field(default_factory=dict)
    gone: list[GroupKind] = field(default_factory=list)


def selector(aset: ApplySet) -> str:
    """The label selector that finds the objects of a workload."""
    return f"{WORKLOAD_LABEL}={aset.workload}"


def read(
    wds: Cluster, aset: ApplySet, known: Scope | None, *, others_than: Collection[GroupKind] = ()
) -> Members:
    """The objects of a workload, as metadata.

    :param known: what the parent says about where they are; None looks at every kind, for a workload that an older
        version made or that comes from a backup.
    :param others_than: kinds that have been looked at already.
    """
    listable = {
        GroupKind.of(resource): resource
        for resource in wds.resources()
        if {"list", "delete"} <= resource.verbs
    }
    kinds = set(listable if known is None else known.kinds) - set(others_than)
    result = Members()
    missing = sorted(kinds - set(listable))
    if missing:
        result.unread, result.gone = _unserved(wds, missing)

    def listed(kind: GroupKind) -> tuple[list[Found], str]:
        resource = listable[kind]
        try:
            listing = wds.list(resource, label_selector=selector(aset), metadata_only=True)
        except NotFound as error:
            # Where nothing says that the workload has such objects, a definition that goes meanwhile is nothing to tell.
            return [], "" if known is None else error.message
        except ApiError as error:
            if known is None and error.status in (403, 405):
                return [], ""  # whoever may not list them has not applied them either
            return [], error.message
        return [(resource, item) for item in listing.items], ""

    chosen = sorted(kinds & set(listable))
    for kind, (found, trouble) in zip(chosen, _bulk.in_parallel(listed, chosen), strict=True):
        result.found += found
        if trouble:
            result.unread[kind] = trouble
    result.found = ours(result.found, aset)
    return result


def ours(found: Iterable[Found], aset: ApplySet) -> list[Found]:
    """Those that we applied for this workload, each once, although some kinds are served in two groups.

    Labels alone are not enough: controllers copy a Service's labels to its Endpoints. An object without the label of
    the set is one that an older version applied.
    """
    by_uid: dict[str, Found] = {}
    for resource, obj in found:
        part_of = (obj["metadata"].get("labels") or {}).get(PART_OF, "")
        if part_of in ("", aset.id) and _diff.applied_by(obj):
            by_uid.setdefault(obj["metadata"]["uid"], (resource, obj))
    return list(by_uid.values())


def _unserved(wds: Cluster, kinds: Sequence[GroupKind]) -> tuple[dict[GroupKind, str], list[GroupKind]]:
    """Which kinds that discovery lacks are only not answered for now, and which ones are gone for good.

    What a definition or an aggregated API stands for can come back, with its objects.
    """
    try:
        definitions = [item["metadata"]["name"] for item in wds.list(CRDS, metadata_only=True).items]
        aggregated = {
            str(item["spec"].get("group") or "")
            for item in wds.list(_API_SERVICES).items
            if (item.get("spec") or {}).get("service")
        }
    except ApiError as error:
        return dict.fromkeys(kinds, f"it is not served, and why is not known: {error.message}"), []
    unread: dict[GroupKind, str] = {}
    gone: list[GroupKind] = []
    for kind in kinds:
        names = [name for name in definitions if name.partition(".")[2] == kind.group]
        found = [wds.get(CRDS, name) or {} for name in names]
        if kind.group in aggregated:
            unread[kind] = "its aggregated API does not answer"
        elif any(((crd.get("spec") or {}).get("names") or {}).get("kind") == kind.kind for crd in found):
            unread[kind] = "its CustomResourceDefinition is there, but is not served"
        else:
            gone.append(kind)
    return unread, gone


_HOLDING = (
    "NamespaceDeletionDiscoveryFailure",
    "NamespaceDeletionGroupVersionParsingFailure",
    "NamespaceDeletionContentFailure",
    "NamespaceContentRemaining",
    "NamespaceFinalizersRemaining",
    "Terminating",
)
"""Conditions of what is being deleted that say what holds it up, the cause before its effect."""


def held_by(obj: Mapping[str, Any]) -> str:
    """What holds up a deletion, by finalizers and conditions, in brackets; empty if nothing says so."""
    finalizers = [str(item) for item in obj["metadata"].get("finalizers") or []]
    conditions = {item.get("type"): item for item in (obj.get("status") or {}).get("conditions") or []}
    told = [f"finalizers: {names(finalizers)}"] if finalizers else []
    for kind in _HOLDING:
        condition = conditions.get(kind) or {}
        if condition.get("status") == "True":
            told.append(f"{kind}: {plain(condition.get('message') or condition.get('reason') or '', 300)}")
            break
    return f" ({'; '.join(told)})" if told else ""


def wait_gone(
    wds: Cluster,
    deleted: Sequence[tuple[Resource, Mapping[str, Any]]],
    timeout: float,
    progress: Progress,
) -> float:
    """Wait until the objects, by UID, are no longer there; seconds waited."""
    # With a definition all its objects go, and then nobody can list them any more.
    definitions = {obj["metadata"]["name"] for resource, obj in deleted if resource.kind == CRDS.kind}
    deleted = [
        (resource, obj)
        for resource, obj in deleted
        if f"{resource.plural}.{resource.group}" not in definitions
    ]
    waiter = Waiter(progress)
    followers = {resource: waiter.follow(wds, resource) for resource in {pair[0] for pair in deleted}}
    labels = {obj["metadata"]["uid"]: label_of(resource, obj) for resource, obj in deleted}

    def evaluate() -> Verdict:
        present = {
            obj["metadata"]["uid"]: obj
            for follower in followers.values()
            for obj in follower.objects().values()
        }
        missing = [
            f"{text} is still there{held_by(present[uid])}" for uid, text in labels.items() if uid in present
        ]
        return Verdict(not missing, missing)

    return waiter.until(
        evaluate,
        timeout=timeout,
        what=f"{wds.name}: removal",
        hint="Whoever has set a finalizer removes it when its work is done. What cannot be listed is served by nobody any more: remove "
        "the APIService or CustomResourceDefinition that says otherwise.",
    )
