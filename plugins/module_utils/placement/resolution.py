# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a BindingPolicy resolves to: clusters and objects (private to kubestellar.core).

`clusters` and `objects` are pure and follow the controller's own rules (kubestellar: pkg/ocm/ocm.go,
pkg/binding/selectors.go, pkg/binding/binding-controller.go). `read` lists, as metadata only, what can match.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any, NamedTuple, TypeGuard

from ansible_collections.kubestellar.core.plugins.module_utils import _bulk
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import NotFound
from ansible_collections.kubestellar.core.plugins.module_utils._resources import CRDS, NAMESPACES, Resource
from ansible_collections.kubestellar.core.plugins.module_utils.placement.policy import (
    EXCLUDED_GROUPS,
    EXCLUDED_RESOURCES,
)


class ObjectKey(NamedTuple):
    """An object whatever its version, as the lists of a Binding are keyed. `namespace` is empty cluster-wide."""

    group: str
    resource: str
    namespace: str
    name: str


@dataclass(frozen=True)
class Modulation:
    """How an object is delivered: the joined modulations of all clauses that match it."""

    create_only: bool = False
    status_collectors: frozenset[str] = frozenset()
    singleton: bool = False
    multi_wec: bool = False

    def __or__(self, other: Modulation) -> Modulation:
        return Modulation(
            self.create_only or other.create_only,
            self.status_collectors | other.status_collectors,
            self.singleton or other.singleton,
            self.multi_wec or other.multi_wec,
        )


@dataclass(frozen=True)
class Selected:
    """One selected object.

    :ivar resource_version: its version in the WDS when it was listed or bound.
    :ivar version: the version of its API.
    """

    key: ObjectKey
    resource_version: str
    modulation: Modulation
    version: str = ""


@dataclass(frozen=True)
class Candidate:
    """One object of the WDS, by its metadata."""

    resource: Resource
    metadata: Mapping[str, Any]

    @property
    def key(self) -> ObjectKey:
        """Its identity."""
        return ObjectKey(
            self.resource.group,
            self.resource.plural,
            str(self.metadata.get("namespace") or ""),
            str(self.metadata["name"]),
        )


def matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Kubernetes' label selector: all parts must hold, an empty one holds for everything."""
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    for expression in selector.get("matchExpressions") or []:
        present = expression["key"] in labels
        values = expression.get("values") or []
        holds = {
            "In": present and labels.get(expression["key"]) in values,
            "NotIn": not present or labels[expression["key"]] not in values,
            "Exists": present,
            "DoesNotExist": not present,
        }[expression["operator"]]
        if not holds:
            return False
    return True


@dataclass(frozen=True)
class Resolution:
    """What `downsync` selects. :ivar hits: for each clause, the number of objects that it matches."""

    objects: dict[ObjectKey, Selected]
    hits: list[int]


def clusters(spec: Mapping[str, Any], managed_clusters: Iterable[Mapping[str, Any]]) -> list[str]:
    """Sorted names of the ManagedClusters that `clusterSelectors` select; without selectors there are none."""
    return clusters_of(
        spec,
        {
            cluster["metadata"]["name"]: cluster["metadata"].get("labels") or {}
            for cluster in managed_clusters
        },
    )


def clusters_of(spec: Mapping[str, Any], labels: Mapping[str, Mapping[str, str]]) -> list[str]:
    """The same for clusters that are given as name to labels."""
    selectors = spec.get("clusterSelectors") or []
    return sorted(
        name for name, own in labels.items() if any(matches(selector, own) for selector in selectors)
    )


def objects(
    spec: Mapping[str, Any],
    candidates: Iterable[Candidate],
    namespace_labels: Mapping[str, Mapping[str, str]],
) -> dict[ObjectKey, Selected]:
    """The objects that `downsync` selects.

    :param namespace_labels: labels of each Namespace of the WDS.
    """
    return resolve(spec, candidates, namespace_labels).objects


def resolve(
    spec: Mapping[str, Any],
    candidates: Iterable[Candidate],
    namespace_labels: Mapping[str, Mapping[str, str]],
) -> Resolution:
    """The objects that `downsync` selects, and how many each clause matches.

    Clauses are sorted out by resource first, and equal sets of matching clauses share one `Modulation`, so that
    ten thousand objects are a matter of a moment.
    """
    clauses = spec.get("downsync") or []
    hits = [0] * len(clauses)
    found: dict[ObjectKey, Selected] = {}
    of_resource: dict[tuple[str, str], list[int]] = {}
    modulations: dict[tuple[int, ...], Modulation] = {}
    for candidate in candidates:
        resource, key = candidate.resource, candidate.key
        kind = (resource.group, resource.plural)
        if kind not in of_resource:
            of_resource[kind] = [n for n, clause in enumerate(clauses) if _of_resource(clause, *kind)]
        labels = candidate.metadata.get("labels") or {}
        matching = tuple(_matching(clauses, of_resource[kind], key, labels, namespace_labels))
        if not matching:
            continue
        for n in matching:
            hits[n] += 1
        if matching not in modulations:
            modulations[matching] = reduce(or_, (_modulation(clauses[n]) for n in matching))
        version = str(candidate.metadata.get("resourceVersion") or "")
        found[key] = Selected(key, version, modulations[matching], resource.version)
    return Resolution(found, hits)


def _of_resource(clause: Mapping[str, Any], group: str, plural: str) -> bool:
    return clause.get("apiGroup") in (None, group) and _listed(clause.get("resources"), plural)


def _matching(
    clauses: Sequence[Mapping[str, Any]],
    numbers: Iterable[int],
    key: ObjectKey,
    labels: Mapping[str, str],
    namespace_labels: Mapping[str, Mapping[str, str]],
) -> Iterator[int]:
    """Those of the clauses that select an object, if all of `numbers` hold for its resource.

    A Namespace that cannot be read, as for a cluster-scoped object, fails the first clause that needs its labels.
    The clauses after it see one without labels: the controller keeps the empty object that came with the error
    (kubestellar: pkg/binding/selectors.go, testObject), so that `NotIn` and `DoesNotExist` hold there.
    """
    own = namespace_labels.get(key.namespace)
    for n in numbers:
        clause = clauses[n]
        if not _selected(clause, key, labels):
            continue
        selectors = clause.get("namespaceSelectors")
        if _needs_namespace(selectors):
            if own is None:
                own = {}
                continue
            if not any(matches(selector, own) for selector in selectors):
                continue
        yield n


def _selected(clause: Mapping[str, Any], key: ObjectKey, labels: Mapping[str, str]) -> bool:
    """Whether the parts of a clause hold that are about neither the resource nor the Namespace's labels."""
    if not _listed(clause.get("namespaces"), key.namespace):
        return False
    if not _listed(clause.get("objectNames"), key.name):
        return False
    selectors = clause.get("objectSelectors")
    return not selectors or any(matches(selector, labels) for selector in selectors)


def _listed(values: Sequence[str] | None, value: str) -> bool:
    return not values or "*" in values or value in values


def _needs_namespace(selectors: Sequence[Mapping[str, Any]] | None) -> TypeGuard[Sequence[Mapping[str, Any]]]:
    """Whether the Namespace decides: an empty selector among them holds for everything, even if cluster-scoped."""
    return bool(selectors) and all(s.get("matchLabels") or s.get("matchExpressions") for s in selectors or ())


def _modulation(clause: Mapping[str, Any]) -> Modulation:
    """The modulation of one clause, or of one entry of a Binding."""
    return Modulation(
        bool(clause.get("createOnly")),
        frozenset(clause.get("statusCollectors") or ()),
        bool(clause.get("wantSingletonReportedState")),
        bool(clause.get("wantMultiWECReportedState")),
    )


def bound(binding: Mapping[str, Any]) -> dict[ObjectKey, Selected]:
    """The objects that a Binding lists."""
    workload = (binding.get("spec") or {}).get("workload") or {}
    entries = [*(workload.get("clusterScope") or []), *(workload.get("namespaceScope") or [])]
    result = {}
    for entry in entries:
        key = ObjectKey(
            str(entry.get("group") or ""),
            entry["resource"],
            str(entry.get("namespace") or ""),
            entry["name"],
        )
        result[key] = Selected(
            key,
            str(entry.get("resourceVersion") or ""),
            _modulation(entry),
            str(entry.get("version") or ""),
        )
    return result


def destinations(binding: Mapping[str, Any]) -> list[str]:
    """The clusters that a Binding lists."""
    return [entry["clusterId"] for entry in (binding.get("spec") or {}).get("destinations") or []]


def read(
    wds: Cluster,
    spec: Mapping[str, Any],
    *,
    refresh: bool = False,
    api_groups: Collection[str] | None = None,
) -> tuple[list[Candidate], dict[str, Mapping[str, str]]]:
    """The objects of a WDS that can match, and the labels of its Namespaces. Lists metadata only, in parallel.

    :param refresh: read discovery anew, for definitions that were applied since.
    :param api_groups: see `not_excluded`.
    :raises ApiError, ConnectionFailed: a list could not be read; then nothing can be said.
    """
    clauses = spec.get("downsync") or []
    requests = [
        (resource, text)
        for resource in wds.resources(refresh=refresh)
        if deliverable(resource, api_groups)
        for text in sorted(_selector_texts(clauses, resource))
    ]
    if any(clause.get("namespaceSelectors") for clause in clauses):
        requests.append((NAMESPACES, ""))

    def listed(request: tuple[Resource, str]) -> list[Candidate]:
        resource, text = request
        try:
            listing = wds.list(resource, label_selector=text, metadata_only=True)
        except NotFound:
            return []  # its definition went away between discovery and here, and the objects with it
        return [Candidate(resource, item["metadata"]) for item in listing.items]

    answers = _bulk.in_parallel(listed, requests)
    candidates = {candidate.key: candidate for answer in answers for candidate in answer}
    namespaces = {
        key.name: candidate.metadata.get("labels") or {}
        for key, candidate in candidates.items()
        if (key.group, key.resource) == ("", "namespaces")
    }
    if api_groups:
        # Namespaces may have been listed for their labels alone.
        candidates = {
            key: c for key, c in candidates.items() if not_excluded(key.group, key.resource, api_groups)
        }
    return list(candidates.values()), namespaces


def deliverable(resource: Resource, api_groups: Collection[str] | None = None) -> bool:
    """Whether KubeStellar delivers objects of a resource at all."""
    return {"list", "watch"} <= resource.verbs and not_excluded(resource.group, resource.plural, api_groups)


def not_excluded(group: str, plural: str, api_groups: Collection[str] | None = None) -> bool:
    """Whether a resource is delivered if its verbs allow it.

    :param api_groups: the groups that the controller-manager is limited to; None or empty if it is not.
    """
    return (
        group not in EXCLUDED_GROUPS
        and (group, plural) not in EXCLUDED_RESOURCES
        and (not api_groups or group in api_groups or group == CRDS.group)
    )


def _selector_texts(clauses: Iterable[Mapping[str, Any]], resource: Resource) -> set[str]:
    """The label selectors with which a resource must be listed; the empty one stands for all, and alone."""
    texts: set[str] = set()
    for clause in clauses:
        if not _of_resource(clause, resource.group, resource.plural):
            continue
        if not resource.namespaced and not _listed(clause.get("namespaces"), ""):
            continue
        texts.update(selector_text(s) for s in clause.get("objectSelectors") or [{}])
    return {""} if "" in texts else texts


def selector_text(selector: Mapping[str, Any]) -> str:
    """A label selector as the query parameter of a list."""
    return ",".join(_terms(selector))


def _terms(selector: Mapping[str, Any]) -> Iterator[str]:
    for key, value in (selector.get("matchLabels") or {}).items():
        yield f"{key}={value}"
    for expression in selector.get("matchExpressions") or []:
        # Sorted as the API server does it: it reads an empty value anywhere but at the end.
        key, values = expression["key"], ",".join(sorted(set(expression.get("values") or [])))
        yield {
            "In": f"{key} in ({values})",
            "NotIn": f"{key} notin ({values})",
            "Exists": key,
            "DoesNotExist": f"!{key}",
        }[expression["operator"]]
