# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may leave a workload, and with whom (private to kubestellar.core). Pure functions but for `contents`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bulk
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster, label, label_of
from ansible_collections.kubestellar.core.plugins.module_utils._errors import NotFound, Refused
from ansible_collections.kubestellar.core.plugins.module_utils._limit import Limit
from ansible_collections.kubestellar.core.plugins.module_utils._resources import CRDS, NAMESPACES, Resource
from ansible_collections.kubestellar.core.plugins.module_utils.placement.catalogue import count, names
from ansible_collections.kubestellar.core.plugins.module_utils.workload.applyset import (
    PART_OF,
    ApplySet,
    GroupKind,
)
from ansible_collections.kubestellar.core.plugins.module_utils.workload.members import Found
from ansible_collections.kubestellar.core.plugins.module_utils.workload.names import WORKLOAD_LABEL

Identity = tuple[GroupKind, str, str]
"""An object whatever its version: kind, namespace or nothing, name."""

DEFAULT_LIMIT = Limit(20, percent=True)
ALWAYS_ALLOWED = 10
KEEP = "helm.sh/resource-policy"
"""Annotation that says `keep` where an object is not to be deleted (helm: pkg/action/resource_policy.go)."""

_MADE_BY_KUBERNETES = {
    ("ConfigMap", "kube-root-ca.crt"),
    ("ConfigMap", "openshift-service-ca.crt"),
    ("ServiceAccount", "builder"),
    ("ServiceAccount", "default"),
    ("ServiceAccount", "deployer"),
}
_MADE_KINDS = {"CombinedStatus", "Endpoints", "EndpointSlice", "Event"}
_TOKEN_OF = "kubernetes.io/service-account.name"


def identity(resource: Resource, obj: Mapping[str, Any]) -> Identity:
    """Who a live object is."""
    metadata = obj["metadata"]
    return GroupKind.of(resource), str(metadata.get("namespace") or ""), str(metadata["name"])


def leaving(
    found: Iterable[Found], wanted: Collection[Identity], wanted_uids: Collection[str]
) -> list[Found]:
    """The members that are not wanted any more, in the order of their names. What is being deleted needs no deletion."""
    result = [
        (resource, obj)
        for resource, obj in found
        if identity(resource, obj) not in wanted
        and obj["metadata"]["uid"] not in wanted_uids
        and not obj["metadata"].get("deletionTimestamp")
    ]
    return sorted(result, key=lambda pair: identity(*pair))


def kept(found: Sequence[Found]) -> list[Found]:
    """Those of the objects that stay since they say so, with the Namespaces and definitions of these among them."""
    own = [pair for pair in found if _says_keep(pair[1])]
    namespaces = {obj["metadata"].get("namespace") for _resource, obj in own}
    definitions = {f"{resource.plural}.{resource.group}" for resource, _obj in own}
    uids = {obj["metadata"]["uid"] for _resource, obj in own}

    def stays(resource: Resource, metadata: Mapping[str, Any]) -> bool:
        kind = GroupKind.of(resource)
        return (
            metadata["uid"] in uids
            or (kind == GroupKind.of(NAMESPACES) and metadata["name"] in namespaces)
            or (kind == GroupKind.of(CRDS) and metadata["name"] in definitions)
        )

    return [(resource, obj) for resource, obj in found if stays(resource, obj["metadata"])]


def _says_keep(obj: Mapping[str, Any]) -> bool:
    return str((obj["metadata"].get("annotations") or {}).get(KEEP, "")).strip().lower() == "keep"


def check_limit(where: str, aset: ApplySet, gone: Sequence[Found], whole: int, limit: Limit | None) -> None:
    """Whether so many may be pruned.

    :param where: name of the WDS.
    :param whole: the number of objects that the workload has now.
    :param limit: None allows a fifth of them, but at least ten.
    :raises Refused: more would be pruned.
    """
    if limit is None:
        if len(gone) <= ALWAYS_ALLOWED or not DEFAULT_LIMIT.below(len(gone), whole):
            return
        allowed = f"{DEFAULT_LIMIT} or {ALWAYS_ALLOWED}"
    elif not limit.below(len(gone), whole):
        return
    else:
        allowed = str(limit)
    reason = (
        f"{where}: {len(gone)} of {count(whole, 'object')} of the workload {aset.workload} would be pruned, "
        f"but prune_limit allows {allowed}: {names([label_of(*pair) for pair in gone])}."
    )
    raise Refused(
        reason,
        hint="Is a source incomplete? If they are to go, raise prune_limit for this run; prune=false leaves them.",
        refused=[reason],
    )


def claims(aset: ApplySet, live: Iterable[tuple[str, Mapping[str, Any]]]) -> list[tuple[str, str]]:
    """Wanted objects that belong to another set already, each with the name of that.

    :param live: the objects that are there, each with what messages call it.
    """
    result = []
    for text, obj in live:
        labels = (obj.get("metadata") or {}).get("labels") or {}
        workload, part_of = labels.get(WORKLOAD_LABEL, ""), labels.get(PART_OF, "")
        if workload not in ("", aset.workload):
            result.append((text, f"the workload {workload}"))
        elif part_of not in ("", aset.id):
            result.append((text, f"the ApplySet {part_of}"))
    return result


def check_claims(where: str, aset: ApplySet, found: Sequence[tuple[str, str]]) -> None:
    """:raises Refused: objects belong to another set; found by `claims`."""
    if not found:
        return
    listed = names([f"{text} to {other}" for text, other in found])
    reason = (
        f"{where}: {count(found, 'object')} of the workload {aset.workload} belong to another set: {listed}."
    )
    if len(found) == 1:
        reason = f"{where}: an object of the workload {aset.workload} belongs to another set: {listed}."
    raise Refused(
        reason,
        hint=f"Take them out of one of the two. To hand them over, remove their labels {WORKLOAD_LABEL} and {PART_OF}.",
        refused=[reason],
    )


def contents(wds: Cluster, gone: Sequence[Found], kept: Iterable[Identity] = ()) -> dict[str, list[str]]:
    """What Namespaces and CustomResourceDefinitions would take with them that does not leave by itself.

    :param gone: what leaves.
    :param kept: what is wanted, and may not be there yet.
    :returns: each such Namespace or definition, as messages call it, with the objects.
    """
    leaving_uids = {obj["metadata"]["uid"] for _resource, obj in gone}
    # What discovery tells of a resource is more than what is known without it.
    named = [(GroupKind.of(resource), obj["metadata"]["name"]) for resource, obj in gone]
    namespaces = {name for kind, name in named if kind == GroupKind.of(NAMESPACES)}
    definitions = {name for kind, name in named if kind == GroupKind.of(CRDS)}
    if not namespaces and not definitions:
        return {}
    listable = [resource for resource in wds.resources() if {"list", "delete"} <= resource.verbs]
    defined = {
        GroupKind.of(resource): f"{resource.plural}.{resource.group}"
        for resource in listable
        if f"{resource.plural}.{resource.group}" in definitions
    }
    result: dict[str, set[str]] = {}

    def note(kind: GroupKind, namespace: str, name: str) -> None:
        holders = [label(NAMESPACES.kind, namespace)] if namespace in namespaces else []
        if kind in defined:
            holders.append(label(CRDS.kind, defined[kind]))
        for holder in holders:
            result.setdefault(holder, set()).add(label(kind.kind, name, namespace))

    def look(resource: Resource) -> list[Found]:
        whole = GroupKind.of(resource) in defined
        one = next(iter(namespaces)) if len(namespaces) == 1 and not whole else None
        try:
            return [(resource, item) for item in wds.list(resource, one, metadata_only=True).items]
        except NotFound:
            return []  # its definition went meanwhile, and its objects with it

    looked_at = [
        resource
        for resource in listable
        if (resource.namespaced and namespaces) or GroupKind.of(resource) in defined
    ]
    for found in _bulk.in_parallel(look, looked_at):
        for resource, obj in found:
            if obj["metadata"]["uid"] not in leaving_uids and not comes_by_itself(resource, obj):
                note(*identity(resource, obj))
    for kind, namespace, name in kept:
        note(kind, namespace, name)
    return {holder: sorted(objects) for holder, objects in sorted(result.items())}


def comes_by_itself(resource: Resource, obj: Mapping[str, Any]) -> bool:
    """Whether controllers made an object, so that nobody misses it."""
    metadata = obj["metadata"]
    return (
        resource.kind in _MADE_KINDS
        or (resource.kind, metadata["name"]) in _MADE_BY_KUBERNETES
        or (resource.group == "rbac.authorization.k8s.io" and str(metadata["name"]).startswith("system:"))
        or (resource.kind == "Secret" and _TOKEN_OF in (metadata.get("annotations") or {}))
        or any(owner.get("controller") for owner in metadata.get("ownerReferences") or [])
    )


def check_contents(where: str, aset: ApplySet, found: Mapping[str, Sequence[str]]) -> None:
    """:raises Refused: objects that are not of the workload, or that it keeps, would go too; found by `contents`."""
    if not found:
        return
    reasons = [
        f"{where}: {holder} would be deleted with {count(len(objects), 'object')} that the workload {aset.workload} "
        f"does not delete itself: {names(objects)}."
        for holder, objects in found.items()
    ]
    more = f" And so would {count(len(reasons) - 1, 'other')}." if len(reasons) > 1 else ""
    raise Refused(
        reasons[0] + more,
        hint="Keep it among the objects, move or delete what is in it, or set foreign_contents=delete.",
        refused=reasons,
    )
