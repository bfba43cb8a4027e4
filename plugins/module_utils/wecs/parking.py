# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What it means to drain a WEC (private to kubestellar.core). Pure functions.

KubeStellar places by the labels of a ManagedCluster alone; OCM's taints mean nothing to it (kubestellar: pkg/ocm/ocm.go). So a
cluster is drained by taking away the labels that select it. They are kept in an annotation, and given back from there.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bounds, _diff
from ansible_collections.kubestellar.core.plugins.module_utils._client import label
from ansible_collections.kubestellar.core.plugins.module_utils._errors import KubestellarError, plain
from ansible_collections.kubestellar.core.plugins.module_utils._limit import Limit
from ansible_collections.kubestellar.core.plugins.module_utils.placement import resolution
from ansible_collections.kubestellar.core.plugins.module_utils.placement.catalogue import count, names
from ansible_collections.kubestellar.core.plugins.module_utils.placement.templates import is_property

ANNOTATION = "kubestellar.core/parked-labels"
"""On a drained ManagedCluster: its labels that were taken away, as a JSON object."""
DETAILS = "kubestellar.core/parked-details"
"""On a drained ManagedCluster, a JSON object of two lists: `ours`, the parked labels that this collection had applied, and
`properties`, the annotations that stand for parked labels."""
_POSITIVE = ("In", "Exists")


@dataclass(frozen=True)
class Policy:
    """What matters of a BindingPolicy and its Binding.

    :ivar selectors: its `clusterSelectors`.
    :ivar clusters: the clusters that it delivers to now.
    :ivar objects: what it delivers.
    """

    wds: str
    name: str
    selectors: Sequence[Mapping[str, Any]] = ()
    clusters: frozenset[str] = frozenset()
    objects: frozenset[resolution.ObjectKey] = frozenset()

    @property
    def label(self) -> str:
        """For a sentence."""
        return f"{self.wds}: BindingPolicy {self.name}"

    def selects(self, labels: Mapping[str, str]) -> bool:
        """Whether a cluster with these labels is one of its."""
        return any(resolution.matches(selector, labels) for selector in self.selectors)


def policies_of(
    wds: str, policies: Iterable[Mapping[str, Any]], bindings: Iterable[Mapping[str, Any]]
) -> list[Policy]:
    """The policies of a WDS, by the lists of its BindingPolicies and Bindings.

    A Binding whose policy is gone still delivers, until its deletion is done.
    """
    selectors = {
        str(item["metadata"]["name"]): (item.get("spec") or {}).get("clusterSelectors") or []
        for item in policies
    }
    bound = {str(item["metadata"]["name"]): item for item in bindings}
    return [
        Policy(
            wds,
            name,
            selectors.get(name, ()),
            frozenset(resolution.destinations(bound.get(name, {}))),
            frozenset(resolution.bound(bound.get(name, {}))),
        )
        for name in sorted(selectors.keys() | bound.keys())
    ]


def selecting_labels(labels: Mapping[str, str], policies: Iterable[Policy]) -> dict[str, str]:
    """The labels of a cluster by whose presence some policy may select it, now or after a change of another label."""
    keys: set[str] = set()
    for policy in policies:
        for selector in policy.selectors:
            keys |= set(selector.get("matchLabels") or {})
            keys |= {
                str(expression.get("key"))
                for expression in selector.get("matchExpressions") or []
                if expression.get("operator") in _POSITIVE
            }
    return {key: value for key, value in sorted(labels.items()) if key in keys}


def is_drained(managed: Mapping[str, Any] | None) -> bool:
    """Whether a ManagedCluster has labels parked."""
    return ANNOTATION in (((managed or {}).get("metadata") or {}).get("annotations") or {})


def parked(managed: Mapping[str, Any] | None) -> dict[str, str] | None:
    """The labels that a ManagedCluster gets back; None if it is not drained.

    :raises KubestellarError: the annotation was tampered with.
    """
    metadata = (managed or {}).get("metadata") or {}
    text = (metadata.get("annotations") or {}).get(ANNOTATION)
    if text is None:
        return None
    try:
        found = _bounds.json_value(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise KubestellarError(
            f"ManagedCluster {metadata.get('name')}: the annotation {ANNOTATION} is no JSON object of labels: "
            f"{plain(text, 80)}.",
            hint="Correct it, or delete it and set the labels yourself.",
        )
    return found


def parked_of_ours(managed: Mapping[str, Any] | None) -> dict[str, str]:
    """Of the labels that a ManagedCluster gets back, those that were applied by this collection."""
    ours = _details(managed)["ours"]
    return {key: value for key, value in (parked(managed) or {}).items() if key in ours}


def returning(managed: Mapping[str, Any] | None, wanted: Mapping[str, str] | None) -> dict[str, str]:
    """The labels that come back when a ManagedCluster is no longer drained, beside what is set by then.

    :param wanted: labels that the inventory has by now; None if it does not say. What was ours and is not there any more is gone.
    """
    dropped = parked_of_ours(managed).keys() - wanted.keys() if wanted is not None else set()
    return {key: value for key, value in (parked(managed) or {}).items() if key not in dropped}


def parking_patch(
    managed: Mapping[str, Any], taken: Mapping[str, str], kept: Mapping[str, str] | None
) -> dict[str, Any] | None:
    """The merge patch that drains a ManagedCluster; None if there is nothing to do.

    Taking away and keeping is one write, and it is refused if the object has changed since. A label that templates can name stays
    their property as an annotation: a Binding lists the cluster for some seconds more, and with a property missing in one cluster
    KubeStellar would withdraw the workload from all.

    :param taken: from `selecting_labels`.
    :param kept: from `parked`: what an earlier run has taken.
    """
    if kept is not None and not taken:
        return None
    text = json.dumps({**(kept or {}), **taken}, sort_keys=True, ensure_ascii=False)
    present = managed["metadata"].get("annotations") or {}
    standing = {key: value for key, value in taken.items() if is_property(key) and key not in present}
    before, ours = _details(managed), _diff.owned(managed, "metadata", "labels")
    details = {
        "ours": sorted({*before["ours"], *(key for key in taken if key in ours)}),
        "properties": sorted({*before["properties"], *standing}),
    }
    annotations = {ANNOTATION: text, **standing}
    if any(details.values()):
        annotations[DETAILS] = json.dumps(details, sort_keys=True)
    return _guarded(managed, labels=dict.fromkeys(taken), annotations=annotations)


def restoring_patch(managed: Mapping[str, Any], wanted: Mapping[str, str] | None) -> dict[str, Any]:
    """The merge patch that gives a drained ManagedCluster the rest of its labels back, those of ours being applied again already.

    :param wanted: as for `returning`; what somebody set meanwhile on the cluster counts more.
    """
    metadata = managed["metadata"]
    taken_up = {*(metadata.get("labels") or {}), *(wanted or {})}
    labels = {key: value for key, value in returning(managed, wanted).items() if key not in taken_up}
    gone = [ANNOTATION, *_details(managed)["properties"]]
    if DETAILS in (metadata.get("annotations") or {}):
        gone.append(DETAILS)
    return _guarded(managed, labels=labels, annotations=dict.fromkeys(gone))


def _details(managed: Mapping[str, Any] | None) -> dict[str, list[str]]:
    """See `DETAILS`; empty lists where there is none, or none that can be read: nothing is taken away on its word then."""
    annotations = ((managed or {}).get("metadata") or {}).get("annotations") or {}
    try:
        found = _bounds.json_value(annotations.get(DETAILS) or "{}")
        return {
            "ours": [str(key) for key in found.get("ours", [])],
            "properties": [str(key) for key in found.get("properties", []) if is_property(str(key))],
        }
    except (ValueError, AttributeError, TypeError):
        return {"ours": [], "properties": []}


def _guarded(managed: Mapping[str, Any], **maps: Mapping[str, Any]) -> dict[str, Any]:
    metadata = managed["metadata"]
    patch: dict[str, Any] = {"uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]}
    patch.update({key: dict(values) for key, values in maps.items() if values})
    return {"metadata": patch}


def last_copies(policies: Sequence[Policy], leaving: Collection[str]) -> dict[str, list[str]]:
    """Policy to those of its objects that are in no other cluster than those that are drained, in words."""
    staying: set[tuple[str, resolution.ObjectKey]] = set()
    for policy in policies:
        if policy.clusters - set(leaving):
            staying |= {(policy.wds, key) for key in policy.objects}
    found = {}
    for policy in policies:
        if policy.clusters & set(leaving):
            lost = [key for key in sorted(policy.objects) if (policy.wds, key) not in staying]
            if lost:
                found[policy.label] = [label(key.resource, key.name, key.namespace) for key in lost]
    return found


@dataclass(frozen=True)
class Keep:
    """A set of clusters of which some must stay available.

    :ivar clusters: their names; None for all of the ITS.
    """

    name: str
    count: int
    clusters: frozenset[str] | None = None


@dataclass(frozen=True)
class Fleet:
    """The clusters of an ITS by what they can do. :ivar serving: those that are available and not drained."""

    serving: frozenset[str]
    drained: frozenset[str]
    registered: frozenset[str]


def broken_guards(
    fleet: Fleet, leaving: Collection[str], keep: Iterable[Keep], most: Limit | None
) -> list[str]:
    """Why these clusters may not all be drained, as clauses; empty if they may.

    Clusters that are drained already, or are not available anyway, take nothing away from those that serve.

    :param most: how many clusters of the ITS may be drained at once, those of before included.
    """
    reasons = []
    going = set(leaving) - fleet.drained
    for one in keep:
        serving = fleet.serving if one.clusters is None else fleet.serving & one.clusters
        left = serving - going
        if going & serving and len(left) < one.count:
            reasons.append(
                f"of {one.name} only {count(left, 'cluster')} would stay available ({names(sorted(left))}), and "
                f"{one.count} must"
            )
    drained = fleet.drained | going
    if most is not None and going and most.below(len(drained), len(fleet.registered)):
        reasons.append(
            f"{count(drained, 'cluster')} of {len(fleet.registered)} would be drained ({names(sorted(drained))}), more "
            f"than {most}"
        )
    return reasons
