# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a BindingPolicy would do: where what goes, what changes by it, what is wrong with it (private to kubestellar.core).

Pure functions of `Facts`. Nothing here loops over objects × clusters: both are sets, and whatever joins them works
on groups, so that 10,000 objects and 1,000 clusters take a moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils.placement import resolution, warnings
from ansible_collections.kubestellar.core.plugins.module_utils.placement.facts import Facts, Placement
from ansible_collections.kubestellar.core.plugins.module_utils.placement.resolution import (
    ObjectKey,
    Selected,
)


@dataclass(frozen=True)
class Preview:
    """A policy's placement beside what it delivers now. All sequences are sorted.

    :ivar objects_changed: objects that stay but are delivered with other settings.
    :ivar last_copies: objects of which no copy is left anywhere.
    :ivar warnings: with `code`, `message` and `hint`, in the order of the catalogue.
    """

    placement: Placement
    clusters_added: Sequence[str]
    clusters_removed: Sequence[str]
    objects_added: Sequence[ObjectKey]
    objects_removed: Sequence[ObjectKey]
    objects_changed: Sequence[ObjectKey]
    last_copies: frozenset[ObjectKey]
    warnings: Sequence[Mapping[str, str]]

    @property
    def clusters(self) -> Sequence[str]:
        """The clusters that are selected."""
        return self.placement.clusters

    @property
    def objects(self) -> Mapping[ObjectKey, Selected]:
        """The objects that are selected, in order."""
        return self.placement.objects

    @property
    def changes(self) -> bool:
        """Whether anything is delivered otherwise than it is now."""
        return bool(
            self.clusters_added
            or self.clusters_removed
            or self.objects_added
            or self.objects_removed
            or self.objects_changed
        )

    def result(self) -> dict[str, Any]:
        """The value of `preview` in a module's result."""
        before = self.placement.before
        return {
            "clusters": list(self.clusters),
            "clusters_added": list(self.clusters_added),
            "clusters_removed": list(self.clusters_removed),
            "objects": self._entries(self.objects.values()),
            "objects_added": self._entries(self.objects[key] for key in self.objects_added),
            "objects_removed": [
                {**entry, "last_copy": key in self.last_copies}
                for key, entry in zip(
                    self.objects_removed,
                    self._entries(before[key] for key in self.objects_removed),
                    strict=True,
                )
            ],
            "objects_changed": self._entries(self.objects[key] for key in self.objects_changed),
            "warnings": [dict(item) for item in self.warnings],
        }

    def _entries(self, selected: Iterable[Selected]) -> list[dict[str, Any]]:
        return entries(selected, self.placement.kinds)


def entries(selected: Iterable[Selected], kinds: Mapping[tuple[str, str], str]) -> list[dict[str, Any]]:
    """Objects as results list them. :param kinds: (group, plural) to kind."""
    return [
        {
            "group": item.key.group,
            "version": item.version,
            "resource": item.key.resource,
            "kind": kinds.get((item.key.group, item.key.resource), item.key.resource),
            "namespace": item.key.namespace,
            "name": item.key.name,
            "create_only": item.modulation.create_only,
            "status_collectors": sorted(item.modulation.status_collectors),
            "want_singleton_reported_state": item.modulation.singleton,
            "want_multi_wec_reported_state": item.modulation.multi_wec,
        }
        for item in selected
    ]


def preview(spec: Mapping[str, Any] | None, facts: Facts) -> Preview:
    """What a policy with this spec would do; with None, what its removal would do.

    :param spec: valid, see `policy.check`.
    """
    placement = place(spec, facts)
    before, after = placement.before, placement.objects
    now, then = placement.clusters_before, frozenset(placement.clusters)
    unknown = not facts.clusters_known and not placement.removal
    return Preview(
        placement=placement,
        clusters_added=[] if unknown else sorted(then - now),
        clusters_removed=[] if unknown else sorted(now - then),
        objects_added=sorted(after.keys() - before.keys()),
        objects_removed=sorted(before.keys() - after.keys()),
        objects_changed=[
            key for key in after if key in before and before[key].modulation != after[key].modulation
        ],
        last_copies=warnings.last_copies(placement),
        warnings=warnings.all_of(placement),
    )


def place(spec: Mapping[str, Any] | None, facts: Facts) -> Placement:
    """What a spec resolves to: with None, nothing."""
    given = spec or {}
    eligible: dict[tuple[str, str], bool] = {}
    candidates = []
    kinds = {
        (key.group, key.resource): facts.kinds.get((key.group, key.resource), key.resource)
        for key in (facts.current.objects if facts.current else ())
    }
    for candidate in facts.candidates:
        resource = candidate.resource
        kind = (resource.group, resource.plural)
        if kind not in eligible:
            eligible[kind] = resolution.not_excluded(*kind, facts.api_groups)
            kinds[kind] = resource.kind or facts.kinds.get(kind, resource.plural)
        if eligible[kind]:
            candidates.append(candidate)
    resolved = resolution.resolve(given, candidates, facts.namespaces)
    return Placement(
        clauses=given.get("downsync") or [],
        clusters=resolution.clusters_of(given, {target.name: target.labels for target in facts.targets}),
        objects=dict(sorted(resolved.objects.items())),
        hits=resolved.hits,
        kinds=kinds,
        facts=facts,
        removal=spec is None,
    )
