# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change of placement would take over, or take along, in the clusters themselves (private to kubestellar.core).

OCM's agent applies its manifests over whatever is there, becomes an owner of it by an AppliedManifestWork, and deletes what has no
other such owner when it is withdrawn, a Namespace with all that is in it (ocm: pkg/work/helper, pkg/work/spoke/controllers). The
hub knows nothing of what was there before or came from elsewhere, so it is looked at with credentials for the cluster.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bulk
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster, label, label_of
from ansible_collections.kubestellar.core.plugins.module_utils._errors import KubestellarError, NotFound
from ansible_collections.kubestellar.core.plugins.module_utils._resources import CRDS, NAMESPACES, Resource
from ansible_collections.kubestellar.core.plugins.module_utils.placement import warnings
from ansible_collections.kubestellar.core.plugins.module_utils.placement.preview import Preview
from ansible_collections.kubestellar.core.plugins.module_utils.placement.resolution import ObjectKey
from ansible_collections.kubestellar.core.plugins.module_utils.workload.prune import comes_by_itself

WECS_SPEC: dict[str, Any] = {
    "wecs": {
        "type": "list",
        "elements": "dict",
        "options": {
            "name": {"type": "str", "required": True},
            "kubeconfig": {"type": "path"},
            "context": {"type": "str"},
        },
    }
}
"""The option that says how clusters are reached."""

_OWNER = "AppliedManifestWork"
_READY_SECONDS = 3.0
_WORKERS = 16
MOST_VISITED = 200
"""Clusters that are looked into for one change: a wave of a large fleet, not all of it."""
_SINGLE = 5
"""As many objects of one resource and Namespace are read one by one; more are listed."""

Wecs = Mapping[str, Callable[[], Cluster]]
"""How clusters are reached, by name."""


@dataclass
class Found:
    """What was found, and where nothing could be.

    :ivar existing: objects that are to be delivered, to the clusters that have them from elsewhere.
    :ivar contents: Namespaces and definitions that are to be withdrawn, to the objects of others in them, each with its clusters.
    :ivar unseen: clusters that could not be looked into, with the reason.
    """

    existing: dict[ObjectKey, list[str]] = field(default_factory=dict)
    contents: dict[ObjectKey, dict[str, list[str]]] = field(default_factory=dict)
    unseen: dict[str, str] = field(default_factory=dict)


def connections(entries: Sequence[Mapping[str, Any]] | None) -> dict[str, Callable[[], Cluster]]:
    """The clusters of the option `wecs` that come with a way to reach them."""

    def reach(entry: Mapping[str, Any]) -> Callable[[], Cluster]:
        return lambda: Cluster.from_kubeconfig(
            entry["kubeconfig"], entry.get("context"), name=str(entry["name"])
        )

    return {str(entry["name"]): reach(entry) for entry in entries or [] if entry.get("kubeconfig")}


def look(seen: Preview, wecs: Wecs) -> Found:
    """Look into the clusters where something is to arrive or to leave."""
    placement = seen.placement
    added, removed = set(seen.clusters_added), set(seen.clusters_removed)
    spared = {*warnings.system_objects(placement)}
    arriving, leaving = {}, {}
    for name in sorted({*seen.clusters, *placement.clusters_before} & wecs.keys()):
        comes = placement.objects if name in added else () if name in removed else seen.objects_added
        goes = placement.before if name in removed else () if name in added else seen.objects_removed
        arriving[name] = [key for key in comes if key not in spared]
        leaving[name] = [key for key in goes if key[:2] in (_NAMESPACE, _DEFINITION)]
    uid = placement.facts.current.uid if placement.facts.current else ""
    found = Found()

    def visit(name: str) -> tuple[list[ObjectKey], dict[ObjectKey, list[str]]]:
        try:
            cluster = wecs[name]()
            if not cluster.ready(_READY_SECONDS):
                raise KubestellarError(f"{name}: the cluster does not answer.")
            return _existing(cluster, arriving[name]), _contents(cluster, leaving[name], uid)
        except KubestellarError as error:
            found.unseen[name] = error.message.rstrip(".")
            return [], {}

    concerned = [name for name in arriving if arriving[name] or leaving[name]]
    visited = concerned[:MOST_VISITED]
    for name in concerned[MOST_VISITED:]:
        found.unseen[name] = f"{MOST_VISITED} clusters are looked into at most for one change"
    answers = _bulk.in_parallel(visit, visited, workers=_WORKERS) if visited else []
    for name, (existing, contents) in zip(visited, answers, strict=True):
        for key in existing:
            found.existing.setdefault(key, []).append(name)
        for holder, objects in contents.items():
            for one in objects:
                found.contents.setdefault(holder, {}).setdefault(one, []).append(name)
    return found


def held(cluster: Cluster) -> dict[str, list[str]]:
    """What would go if a cluster lost all that was delivered to it, and was not delivered itself: holder to objects, as messages call them."""
    served = _served(cluster)
    result: dict[str, set[str]] = defaultdict(set)
    spaces = {
        str(item["metadata"]["name"])
        for item in cluster.list(NAMESPACES, metadata_only=True).items
        if _owners(item)
    }
    defined = {
        str(item["metadata"]["name"])
        for item in cluster.list(CRDS, metadata_only=True).items
        if _owners(item)
    }

    kinds = [
        one
        for one in served.values()
        if (one.namespaced and spaces) or f"{one.plural}.{one.group}" in defined
    ]
    for resource, obj in _listed(cluster, kinds):
        if not _is_foreign(resource, obj):
            continue
        space = str(obj["metadata"].get("namespace") or "")
        if space in spaces:
            result[label(NAMESPACES.kind, space)].add(label_of(resource, obj))
        definition = f"{resource.plural}.{resource.group}"
        if definition in defined:
            result[label(CRDS.kind, definition)].add(label_of(resource, obj))
    return {holder: sorted(objects) for holder, objects in sorted(result.items())}


_NAMESPACE = (NAMESPACES.group, NAMESPACES.plural)
_DEFINITION = (CRDS.group, CRDS.plural)


def _existing(cluster: Cluster, keys: Sequence[ObjectKey]) -> list[ObjectKey]:
    """Those of the objects that are there and were not delivered."""
    if not keys:
        return []
    served = _served(cluster)
    there = {
        str(item["metadata"]["name"]): item for item in cluster.list(NAMESPACES, metadata_only=True).items
    }
    groups: dict[tuple[tuple[str, str], str], list[ObjectKey]] = defaultdict(list)
    for key in keys:
        if key[:2] in served and key[:2] != _NAMESPACE and (not key.namespace or key.namespace in there):
            groups[key[:2], key.namespace].append(key)

    def read(group: tuple[tuple[str, str], str]) -> list[ObjectKey]:
        (pair, namespace), wanted = group, groups[group]
        items = _named(cluster, served[pair], namespace, [key.name for key in wanted])
        return [key for key in wanted if (item := items.get(key.name)) and _is_foreign(served[pair], item)]

    found = [key for answer in _bulk.in_parallel(read, list(groups)) for key in answer]
    found += [
        key
        for key in keys
        if key[:2] == _NAMESPACE and key.name in there and _is_foreign(NAMESPACES, there[key.name])
    ]
    return sorted(found)


def _named(
    cluster: Cluster, resource: Resource, namespace: str, names: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Objects of one resource and Namespace by name."""
    if len(names) > _SINGLE:
        try:
            items = cluster.list(resource, namespace or None, metadata_only=True).items
        except NotFound:
            return {}
    else:
        items = [item for name in names if (item := cluster.get(resource, name, namespace or None))]
    return {str(item["metadata"]["name"]): item for item in items}


def _served(cluster: Cluster) -> dict[tuple[str, str], Resource]:
    """What a cluster serves by group and plural, without what cannot be listed."""
    found: dict[tuple[str, str], Resource] = {}
    for resource in cluster.resources():
        if "list" in resource.verbs:
            found.setdefault((resource.group, resource.plural), resource)
    return found


def _owners(obj: Mapping[str, Any]) -> list[str]:
    """The AppliedManifestWorks that an object was applied by, by name."""
    owners = obj["metadata"].get("ownerReferences") or []
    return [str(owner.get("name")) for owner in owners if owner.get("kind") == _OWNER]


def _is_foreign(resource: Resource, obj: Mapping[str, Any]) -> bool:
    return not _owners(obj) and not comes_by_itself(resource, obj)


def _contents(cluster: Cluster, holders: Sequence[ObjectKey], uid: str) -> dict[ObjectKey, list[str]]:
    """What would go with Namespaces and definitions that are withdrawn and is not of the policy.

    :param uid: of the Binding of the policy, which the name of each of its ManifestWorks begins with.
    """

    def mine(obj: Mapping[str, Any]) -> bool:
        return any(f"-{uid}-" in name for name in _owners(obj))

    if not holders or not uid:
        return {}
    served = _served(cluster)
    going = []
    for key in holders:
        live = cluster.get(served[key[:2]], key.name)
        # With another owner it stays; without any, nobody of OCM's deletes it.
        if live is not None and mine(live) and len(_owners(live)) == 1:
            going.append(key)
    result: dict[ObjectKey, list[str]] = {}
    for key in going:
        if key[:2] == _NAMESPACE:
            kinds: Collection[Resource] = [one for one in served.values() if one.namespaced]
        else:
            kinds = [one for one in served.values() if f"{one.plural}.{one.group}" == key.name]
        namespace = key.name if key[:2] == _NAMESPACE else None
        found = list(_others(cluster, kinds, namespace, mine))
        if found:
            result[key] = sorted(found)
    return result


def _others(
    cluster: Cluster,
    kinds: Collection[Resource],
    namespace: str | None,
    mine: Callable[[Mapping[str, Any]], bool],
) -> Iterator[str]:
    """The objects of some kinds that are not of the policy, as messages call them."""
    for resource, obj in _listed(cluster, kinds, namespace):
        if not mine(obj) and not comes_by_itself(resource, obj):
            yield label_of(resource, obj)


def _listed(
    cluster: Cluster, kinds: Collection[Resource], namespace: str | None = None
) -> Iterator[tuple[Resource, dict[str, Any]]]:
    """The objects of some kinds, by their metadata; of a kind that is not served any more there are none."""

    def listed(resource: Resource) -> list[tuple[Resource, dict[str, Any]]]:
        try:
            return [(resource, item) for item in cluster.list(resource, namespace, metadata_only=True).items]
        except NotFound:
            return []

    for answer in _bulk.in_parallel(listed, list(kinds)):
        yield from answer
