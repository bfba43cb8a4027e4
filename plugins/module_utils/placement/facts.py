# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a preview is computed from, whether it was read from API servers or from files (private to kubestellar.core)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils.placement.resolution import (
    Candidate,
    ObjectKey,
    Selected,
)


@dataclass(frozen=True)
class Target:
    """One ManagedCluster as a destination.

    :ivar properties: its template properties from the ConfigMap of its name, without those that are derived from
        annotations and labels; `templates.properties` joins them.
    :ivar available: whether the hub hears of it; always True offline.
    :ivar reason: why it is not available.
    """

    name: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
    accepted: bool = True
    available: bool = True
    reason: str = ""


@dataclass(frozen=True)
class Delivery:
    """What one policy of one WDS delivers: the content of its Binding, or of a preview. :ivar uid: of the Binding."""

    wds: str
    policy: str
    objects: Mapping[ObjectKey, Selected]
    clusters: frozenset[str]
    uid: str = ""


@dataclass(frozen=True)
class Transform:
    """One CustomTransform. :ivar changed_at: when its spec was last written, in seconds since the epoch."""

    name: str
    group: str
    resource: str
    changed_at: float


@dataclass(frozen=True)
class Facts:
    """Everything that decides where a policy's objects go, and what can go wrong.

    :ivar candidates: the deliverable objects of the WDS that can match, by their metadata.
    :ivar namespaces: labels of each Namespace of the WDS; empty if no clause needs them.
    :ivar targets: all ManagedClusters of the ITS.
    :ivar current: what the policy delivers now; None if it does not exist.
    :ivar others: what every other policy delivers, of all WDSes of the ITS that could be read.
    :ivar kinds: (group, plural) to kind of everything the WDS serves.
    :ivar custom: the (group, plural) pairs that a CustomResourceDefinition brings, to the name of that definition.
    :ivar versions: the (group, plural) pairs that are served in several versions, to these, the preferred one first.
    :ivar wds_type: type of the ControlPlane, such as `host`; empty if unknown.
    :ivar api_groups: the groups that the controller-manager was limited to; None if it was not, or if unknown.
    :ivar contents: whole objects, of those that had to be read: templates, and what may be too large.
    :ivar offline: whether all of it comes from files, so that nothing is known of the state of clusters.
    :ivar clusters_known: whether there was an ITS to read `targets` from.
    :ivar sizes: bytes of an object as the transport counts them, of those that were read and not kept in `contents`.
    :ivar transforms: the CustomTransforms of the WDS.
    :ivar collectors: names of the StatusCollectors of the WDS; None if that is not known, or no clause names one.
    :ivar delivered: (cluster, object) to the object as it was delivered there, of templates only.
    :ivar delivered_at: when an object was last written for a cluster, in seconds since the epoch; only of kinds
        with a transform.
    :ivar unread: one sentence for everything that could not be read though it was wanted.
    :ivar properties_known: whether the properties of the clusters could be read, if there are templates.
    :ivar guessed: the (group, plural) pairs that are guesses, where there is no API server to ask; offline only.
    :ivar fates: what becomes of objects on their way, of those whose content is known, see `fates`.
    :ivar replaced: objects in whose place another of the same identity is applied later; offline only.
    :ivar unlisted: whether the policy was described before and is not any more, neither to be absent; offline only.
    :ivar waves: whether the policy takes clusters wave by wave.
    :ivar objects_changed: whether objects that it selects have changed, or in check mode would, in the same run.
    """

    wds: str
    candidates: Sequence[Candidate]
    namespaces: Mapping[str, Mapping[str, str]]
    targets: Sequence[Target]
    current: Delivery | None = None
    others: Sequence[Delivery] = ()
    kinds: Mapping[tuple[str, str], str] = field(default_factory=dict)
    custom: Mapping[tuple[str, str], str] = field(default_factory=dict)
    versions: Mapping[tuple[str, str], Sequence[str]] = field(default_factory=dict)
    wds_type: str = ""
    api_groups: Sequence[str] | None = None
    contents: Mapping[ObjectKey, Mapping[str, Any]] = field(default_factory=dict)
    offline: bool = False
    clusters_known: bool = True
    sizes: Mapping[ObjectKey, int] = field(default_factory=dict)
    transforms: Sequence[Transform] = ()
    collectors: frozenset[str] | None = None
    delivered: Mapping[tuple[str, ObjectKey], Mapping[str, Any]] = field(default_factory=dict)
    delivered_at: Mapping[ObjectKey, float] = field(default_factory=dict)
    unread: Sequence[str] = ()
    properties_known: bool = True
    guessed: frozenset[tuple[str, str]] = frozenset()
    replaced: Sequence[Candidate] = ()
    fates: Mapping[ObjectKey, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    unlisted: bool = False
    waves: bool = False
    objects_changed: bool = False


@dataclass(frozen=True)
class Placement:
    """What a policy resolves to on some facts, with what is looked up again and again.

    :ivar clauses: the clauses of its `downsync`.
    :ivar clusters: sorted names of the clusters that it selects.
    :ivar hits: for each clause, the number of objects that it matches.
    :ivar kinds: (group, plural) to kind of what is selected or delivered now.
    :ivar removal: whether the policy is removed, so that selecting nothing is what is meant.
    """

    clauses: Sequence[Mapping[str, Any]]
    clusters: Sequence[str]
    objects: Mapping[ObjectKey, Selected]
    hits: Sequence[int]
    kinds: Mapping[tuple[str, str], str]
    facts: Facts
    removal: bool = False

    @property
    def before(self) -> Mapping[ObjectKey, Selected]:
        """The objects that are delivered now."""
        return self.facts.current.objects if self.facts.current else {}

    @property
    def clusters_before(self) -> frozenset[str]:
        """The clusters that are delivered to now."""
        return self.facts.current.clusters if self.facts.current else frozenset()
