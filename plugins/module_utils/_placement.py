# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a BindingPolicy resolves to: clusters and objects (private to kubestellar.core).

`clusters` and `objects` are pure and follow the controller's own rules (kubestellar: pkg/ocm/ocm.go,
pkg/binding/selectors.go, pkg/binding/binding-controller.go). `read` lists, as metadata only, what can match.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ansible_collections.kubestellar.core.plugins.module_utils import _bulk
from ansible_collections.kubestellar.core.plugins.module_utils._binding_policy import (
    EXCLUDED_GROUPS,
    EXCLUDED_RESOURCES,
)
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import NotFound
from ansible_collections.kubestellar.core.plugins.module_utils._resources import NAMESPACES, Resource


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
    """One selected object. :ivar resource_version: its version in the WDS when it was listed or bound."""

    key: ObjectKey
    resource_version: str
    modulation: Modulation


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


def clusters(spec: Mapping[str, Any], managed_clusters: Iterable[Mapping[str, Any]]) -> list[str]:
    """Sorted names of the ManagedClusters that `clusterSelectors` select; without selectors there are none."""
    selectors = spec.get("clusterSelectors") or []
    return sorted(
        cluster["metadata"]["name"]
        for cluster in managed_clusters
        if any(matches(selector, cluster["metadata"].get("labels") or {}) for selector in selectors)
    )


def objects(
    spec: Mapping[str, Any],
    candidates: Iterable[Candidate],
    namespace_labels: Mapping[str, Mapping[str, str]],
) -> dict[ObjectKey, Selected]:
    """The objects that `downsync` selects.

    :param namespace_labels: labels of each Namespace of the WDS.
    """
    clauses = spec.get("downsync") or []
    found: dict[ObjectKey, Selected] = {}
    for candidate in candidates:
        hits = [_modulation(c) for c in clauses if _selected(c, candidate, namespace_labels)]
        if hits:
            modulation = Modulation()
            for hit in hits:
                modulation |= hit
            version = str(candidate.metadata.get("resourceVersion") or "")
            found[candidate.key] = Selected(candidate.key, version, modulation)
    return found


def _selected(
    clause: Mapping[str, Any], candidate: Candidate, namespace_labels: Mapping[str, Mapping[str, str]]
) -> bool:
    key = candidate.key
    if clause.get("apiGroup") is not None and clause["apiGroup"] != key.group:
        return False
    if not _listed(clause.get("resources"), key.resource):
        return False
    if not _listed(clause.get("namespaces"), key.namespace):
        return False
    if not _listed(clause.get("objectNames"), key.name):
        return False
    labels = candidate.metadata.get("labels") or {}
    selectors = clause.get("objectSelectors")
    if selectors and not any(matches(selector, labels) for selector in selectors):
        return False
    return _in_namespaces(clause.get("namespaceSelectors"), key.namespace, namespace_labels)


def _listed(values: Sequence[str] | None, value: str) -> bool:
    return not values or "*" in values or value in values


def _in_namespaces(
    selectors: Sequence[Mapping[str, Any]] | None,
    namespace: str,
    namespace_labels: Mapping[str, Mapping[str, str]],
) -> bool:
    """An empty selector among them holds even for cluster-scoped objects; any other needs the Namespace."""
    if not selectors or any(not s.get("matchLabels") and not s.get("matchExpressions") for s in selectors):
        return True
    labels = namespace_labels.get(namespace)
    return labels is not None and any(matches(selector, labels) for selector in selectors)


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
        result[key] = Selected(key, str(entry.get("resourceVersion") or ""), _modulation(entry))
    return result


def destinations(binding: Mapping[str, Any]) -> list[str]:
    """The clusters that a Binding lists."""
    return [entry["clusterId"] for entry in (binding.get("spec") or {}).get("destinations") or []]


def read(
    wds: Cluster, spec: Mapping[str, Any], *, refresh: bool = False
) -> tuple[list[Candidate], dict[str, Mapping[str, str]]]:
    """The objects of a WDS that can match, and the labels of its Namespaces. Lists metadata only, in parallel.

    :param refresh: read discovery anew, for definitions that were applied since.
    :raises ApiError, ConnectionFailed: a list could not be read; then nothing can be said.
    """
    clauses = spec.get("downsync") or []
    requests = [
        (resource, text)
        for resource in wds.resources(refresh=refresh)
        if _deliverable(resource)
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
    return list(candidates.values()), namespaces


def _deliverable(resource: Resource) -> bool:
    return (
        {"list", "watch"} <= resource.verbs
        and resource.group not in EXCLUDED_GROUPS
        and (resource.group, resource.plural) not in EXCLUDED_RESOURCES
    )


def _selector_texts(clauses: Iterable[Mapping[str, Any]], resource: Resource) -> set[str]:
    """The label selectors with which a resource must be listed; the empty one stands for all, and alone."""
    texts: set[str] = set()
    for clause in clauses:
        if clause.get("apiGroup") is not None and clause["apiGroup"] != resource.group:
            continue
        if not _listed(clause.get("resources"), resource.plural):
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
        key, values = expression["key"], ",".join(expression.get("values") or [])
        yield {
            "In": f"{key} in ({values})",
            "NotIn": f"{key} notin ({values})",
            "Exists": key,
            "DoesNotExist": f"!{key}",
        }[expression["operator"]]
