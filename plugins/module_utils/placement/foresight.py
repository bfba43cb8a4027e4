# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change does to all policies that it concerns, judged before it is written (private to kubestellar.core).

An object in a WDS is delivered, and one that leaves it withdrawn, by every policy that selects it, and a label of a cluster moves
every policy that asks for it. So whoever changes objects or clusters is bound by the guards of these policies, which each of them
carries as it was last written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import NotFound, Refused
from ansible_collections.kubestellar.core.plugins.module_utils._resources import BINDING_POLICIES
from ansible_collections.kubestellar.core.plugins.module_utils.placement import (
    guards,
    inside,
    preview,
    resolution,
    snapshot,
)
from ansible_collections.kubestellar.core.plugins.module_utils.placement.facts import (
    Facts,
    Placement,
    Target,
    Transform,
)


@dataclass(frozen=True)
class Intended:
    """A policy as the run is going to write it.

    :ivar delivered: whether its delivery will be waited for.
    :ivar collectors: names of the StatusCollectors that the run writes before it.
    :ivar transforms: the CustomTransforms that it writes before it.
    """

    name: str
    spec: Mapping[str, Any]
    guards: guards.Guards
    delivered: bool = False
    collectors: frozenset[str] = frozenset()
    transforms: Sequence[Transform] = ()

    def facts(self, facts: Facts) -> Facts:
        """The facts with what comes with the policy."""
        known = None if facts.collectors is None else facts.collectors | self.collectors
        return replace(facts, collectors=known, transforms=[*facts.transforms, *self.transforms])


def judge_objects(
    sources: snapshot.Sources,
    intended: Intended | None = None,
    *,
    leaving: Collection[str] = (),
    wecs: inside.Wecs = MappingProxyType({}),
) -> preview.Preview | None:
    """Refuse objects, those of `Sources.planned`, that a policy may not deliver or withdraw.

    :param intended: a policy that the run is going to write.
    :param leaving: policies that the run removes.
    :param wecs: clusters that can be looked into.
    :returns: what the intended policy would do.
    :raises Refused: naming the policy, and why.
    :raises ApiError, ConnectionFailed: something could not be read that decides it.
    """
    own: preview.Preview | None = None
    live = {name: item for name, item in policies(sources.wds).items() if name not in leaving}
    specs: dict[str, Mapping[str, Any]] = {name: item.get("spec") or {} for name, item in live.items()}
    if intended is not None:
        specs = {intended.name: intended.spec, **{k: v for k, v in specs.items() if k != intended.name}}
    if not specs:
        return None
    changed = snapshot.planned_objects(sources).keys()

    def concerned(name: str, placement: Placement) -> bool:
        mine = intended is not None and name == intended.name
        # A label of a Namespace selects and deselects what is in it, which does not change itself.
        moved = placement.objects.keys() != placement.before.keys()
        return mine or moved or not changed.isdisjoint(placement.objects)

    for name, facts in snapshot.read_all(sources, specs, concerned).items():
        title = f"{sources.wds_name}: BindingPolicy {name}"
        if intended is not None and name == intended.name:
            limits = intended.guards if sources.its else intended.guards.without_clusters()
            own = seen = preview.preview(specs[name], intended.facts(facts))
            found = inside.look(seen, wecs)
            codes = guards.vanishing(seen, limits)
            guards.check(seen, limits, title, delivered=intended.delivered, codes=codes, found=found)
        else:
            limits = guards.recorded(live[name]).without_clusters()
            # What was wrong before is not the fault of this change, and may be mended by the next one.
            only = {key: facts.contents[key] for key in facts.contents.keys() & changed}
            sizes = {key: facts.sizes[key] for key in facts.sizes.keys() & changed}
            seen = preview.preview(specs[name], replace(facts, contents=only, sizes=sizes))
            found = inside.look(seen, wecs)
            guards.check(seen, limits, title, codes=("object-too-large", "definition-versions"), found=found)
    return own


def judge_clusters(
    sources: Sequence[snapshot.Sources], before: Iterable[Target], wecs: inside.Wecs = MappingProxyType({})
) -> None:
    """Refuse labels, those of `Sources.clusters`, by which a policy would go where it may not, or leave its last cluster.

    :param sources: one for each WDS.
    :param before: the clusters as they are.
    :param wecs: clusters that can be looked into.
    :raises Refused: naming the policy, and why.
    :raises ApiError, ConnectionFailed: something could not be read that decides it.
    """
    labels = {target.name: target.labels for target in before}
    for one in sources:
        then = {**labels, **{name: target.labels for name, target in one.clusters.items()}}
        moved = {
            name: item
            for name, item in policies(one.wds).items()
            if _selected(item, labels) != _selected(item, then)
        }
        if not moved:
            continue
        specs = {name: item.get("spec") or {} for name, item in moved.items()}
        for name, facts in snapshot.read_all(one, specs).items():
            # Templates that lack a property are told cluster by cluster, see `wecs.expansion`.
            seen = preview.preview(specs[name], replace(facts, contents={}, sizes={}))
            last = ("no-cluster",) if seen.placement.clusters_before else ()
            title = f"{one.wds_name}: with these labels, BindingPolicy {name}"
            try:
                found = inside.look(seen, wecs)
                guards.check(seen, guards.recorded(moved[name]), title, codes=last, found=found)
            except Refused as error:
                error.hint = (
                    "Take the labels back, or change the policy first: its cluster_selectors, or its guards, which hold as it "
                    "was last deployed."
                )
                raise


def policies(wds: Cluster) -> dict[str, dict[str, Any]]:
    """The policies of a WDS that are not being deleted, by name; none where it does not know of such."""
    try:
        items = wds.list(BINDING_POLICIES).items
    except NotFound:
        return {}
    return {
        str(item["metadata"]["name"]): item for item in items if not item["metadata"].get("deletionTimestamp")
    }


def _selected(policy: Mapping[str, Any], labels: Mapping[str, Mapping[str, str]]) -> list[str]:
    return resolution.clusters_of(policy.get("spec") or {}, labels)
