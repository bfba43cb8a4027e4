# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a change of a BindingPolicy may go (private to kubestellar.core). Pure functions.

A limit is a number or a percentage, see `_limit`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _limit
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, Refused
from ansible_collections.kubestellar.core.plugins.module_utils._limit import Limit
from ansible_collections.kubestellar.core.plugins.module_utils.placement import inside, warnings
from ansible_collections.kubestellar.core.plugins.module_utils.placement.catalogue import warning
from ansible_collections.kubestellar.core.plugins.module_utils.placement.preview import Preview
from ansible_collections.kubestellar.core.plugins.module_utils.placement.resolution import ObjectKey

GUARDS_SPEC: dict[str, Any] = {
    "min_clusters": {"type": "str"},
    "max_clusters": {"type": "str"},
    "max_objects": {"type": "str"},
    "max_removed_clusters": {"type": "str"},
    "max_removed_objects": {"type": "str"},
    "cluster_scoped": {"type": "str", "choices": ["allow", "warn", "refuse"], "default": "warn"},
    "missing_properties": {"type": "str", "choices": ["allow", "refuse"], "default": "refuse"},
    "existing_objects": {"type": "str", "choices": ["adopt", "refuse"], "default": "refuse"},
    "foreign_contents": {"type": "str", "choices": ["delete", "refuse"], "default": "refuse"},
}
"""The suboptions of `guards`. Limits are strings, so that `20%` is one too."""

_LIMITS = ("min_clusters", "max_clusters", "max_objects", "max_removed_clusters", "max_removed_objects")
_OF_CLUSTERS = ("min_clusters", "max_clusters", "max_removed_clusters")
_FATAL = ("template-property-missing", "template-invalid")
_NEVER = ("object-too-large", "definition-versions", "no-cluster", "no-object")
"""With these nothing can be delivered, however long one waits."""

ANNOTATION = "kubestellar.core/guards"
"""The guards that a policy was last written with, so that they hold whoever changes its objects or clusters."""


@dataclass(frozen=True)
class Guards:
    """The option `guards`, read.

    :ivar limits: name to limit, of those that are set.
    :ivar cluster_scoped: `allow`, `warn` or `refuse`.
    :ivar missing_properties: whether templates may lack properties.
    :ivar existing_objects: whether what a cluster has from elsewhere may be overwritten.
    :ivar foreign_contents: whether Namespaces and definitions may leave with what others have in them.
    """

    limits: Mapping[str, Limit]
    cluster_scoped: str = "warn"
    missing_properties: bool = False
    existing_objects: bool = False
    foreign_contents: bool = False

    def without_clusters(self) -> Guards:
        """Those that can be judged without an ITS."""
        return replace(self, limits={k: v for k, v in self.limits.items() if k not in _OF_CLUSTERS})

    @property
    def need_clusters(self) -> list[str]:
        """The guards that cannot be judged without an ITS."""
        return [name for name in _OF_CLUSTERS if name in self.limits]


def parse(options: Mapping[str, Any] | None) -> Guards:
    """The guards of the option, with the defaults of what is left out.

    :raises InvalidInput: a limit that is neither a number nor a percentage.
    """
    given = {key: value for key, value in (options or {}).items() if value is not None}
    limits = {}
    for name in _LIMITS:
        limit = _limit.parse(f"guards.{name}", given.get(name))
        if limit is not None:
            limits[name] = limit
    return Guards(
        limits,
        str(given.get("cluster_scoped", "warn")),
        given.get("missing_properties", "refuse") == "allow",
        given.get("existing_objects", "refuse") == "adopt",
        given.get("foreign_contents", "refuse") == "delete",
    )


def annotation(options: Mapping[str, Any] | None) -> str:
    """The value of `ANNOTATION` for the option; empty if no guard is set."""
    given = {key: value for key, value in (options or {}).items() if value is not None}
    given = {key: value for key, value in given.items() if value != GUARDS_SPEC[key].get("default")}
    return json.dumps(given, sort_keys=True) if given else ""


def recorded(policy: Mapping[str, Any]) -> Guards:
    """The guards that a live policy was last written with; the defaults if it says none, or something else than guards."""
    text = ((policy.get("metadata") or {}).get("annotations") or {}).get(ANNOTATION)
    try:
        found = json.loads(text or "{}")
        return parse({key: found[key] for key in GUARDS_SPEC if isinstance(found.get(key), str)})
    except (ValueError, AttributeError, InvalidInput):
        return parse(None)


def shown(preview: Preview, guards: Guards) -> list[Mapping[str, str]]:
    """The warnings of a preview that the guards do not silence."""
    silent = {"cluster-scoped"} if guards.cluster_scoped == "allow" else set()
    return [item for item in preview.warnings if item["code"] not in silent]


def result(preview: Preview, guards: Guards) -> dict[str, Any]:
    """The value of `preview` in a module's result, with the warnings that are not silenced."""
    return {**preview.result(), "warnings": [dict(item) for item in shown(preview, guards)]}


def check(
    preview: Preview,
    guards: Guards,
    policy: str,
    *,
    delivered: bool = False,
    codes: Collection[str] = (),
    found: inside.Found | None = None,
) -> None:
    """Let a change pass, or not.

    :param policy: what the message calls the policy, such as `wds1: BindingPolicy shop`.
    :param delivered: whether its delivery is going to be waited for, so that it is refused if it cannot come about.
    :param codes: further warnings for which it is refused.
    :param found: what was found in the clusters themselves.
    :raises Refused: it goes further than the guards allow, or cannot be delivered though it is to be. `details["refused"]` has
        all reasons, `details["preview"]` the preview.
    """
    never = {*codes, *(_NEVER if delivered and not preview.placement.removal else ())}
    reasons = [
        *_reasons(preview, guards),
        *_of_others(preview, guards, found),
        *(item for item in preview.warnings if item["code"] in never),
    ]
    if not reasons:
        return
    more = f" ({len(reasons) - 1} more below refused)" if len(reasons) > 1 else ""
    raise Refused(
        f"{policy} is refused and nothing was changed: {reasons[0]['message']}{more}",
        hint=reasons[0]["hint"],
        refused=reasons,
        preview=result(preview, guards),
    )


def vanishing(preview: Preview, guards: Guards) -> list[str]:
    """The warnings for which a change is refused that takes a workload away from everywhere, unless a guard says that this is meant."""
    placement = preview.placement
    if placement.removal or not placement.clusters_before or not placement.before:
        return []
    codes = []
    if not preview.clusters and placement.facts.clusters_known and "min_clusters" not in guards.limits:
        codes.append("no-cluster")
    if not preview.objects and "max_removed_objects" not in guards.limits:
        codes.append("no-object")
    return codes


def _of_others(preview: Preview, guards: Guards, found: inside.Found | None) -> Iterator[Mapping[str, str]]:
    """What others have in the clusters and would lose."""
    placement = preview.placement
    if found is not None and found.existing and not guards.existing_objects:
        clusters = sorted({name for names in found.existing.values() for name in names})
        objects = warnings.object_names(placement, found.existing)
        yield warning("existing-object", objects=objects, clusters=clusters)
    if guards.foreign_contents:
        return
    contents = found.contents if found is not None else {}
    told = set()
    for holder, held in sorted(contents.items()):
        told.add(holder)
        clusters = sorted({name for names in held.values() for name in names})
        (text,) = warnings.object_names(placement, [holder])
        yield warning("foreign-contents", holder=text, clusters=clusters, objects=sorted(held))
    for holder, (where, keys) in sorted(warnings.taken_along(_leaving(preview), placement).items()):
        if holder not in told:
            (text,) = warnings.object_names(placement, [holder])
            objects = warnings.object_names(placement, keys)
            yield warning("foreign-contents", holder=text, clusters=sorted(where), objects=objects)


def _leaving(preview: Preview) -> Mapping[ObjectKey, frozenset[str]]:
    """The Namespaces and definitions that leave clusters, with these."""
    placement, removed = preview.placement, frozenset(preview.clusters_removed)
    gone = set(preview.objects_removed)
    return {
        key: placement.clusters_before if key in gone else removed
        for key in placement.before
        if key[:2] in warnings.HOLDERS and (key in gone or removed)
    }


def _reasons(preview: Preview, guards: Guards) -> Iterator[Mapping[str, str]]:
    yield from _exceeded(preview, guards)
    placement = preview.placement
    if guards.cluster_scoped == "refuse":
        found = [
            key
            for key in (
                *warnings.cluster_scoped_objects(placement),
                *warnings.system_objects(placement),
            )
            if not key.namespace
        ]
        if found:
            yield warning("guard-cluster-scoped", objects=warnings.object_names(placement, found))
    yield from (item for item in preview.warnings if item["code"] == "token-secret")
    if not guards.missing_properties:
        yield from (item for item in preview.warnings if item["code"] in _FATAL)


def _exceeded(preview: Preview, guards: Guards) -> Iterator[Mapping[str, str]]:
    placement = preview.placement
    registered = len(placement.facts.targets)
    objects_before, clusters_before = len(placement.before), len(placement.clusters_before)
    limits = guards.limits

    def beyond(name: str, values: Collection[object], whole: int) -> bool:
        return name in limits and limits[name].below(len(values), whole)

    minimum = limits.get("min_clusters")
    if minimum is not None and not placement.removal and minimum.above(len(preview.clusters), registered):
        yield warning("guard-min-clusters", clusters=preview.clusters, limit=minimum)
    if beyond("max_clusters", preview.clusters, registered):
        yield warning("guard-max-clusters", clusters=preview.clusters, limit=limits["max_clusters"])
    # A percentage of what is delivered now says nothing where there is nothing yet.
    growth = limits.get("max_objects")
    if growth is not None and not (growth.percent and not objects_before):
        yield from _too_many_objects(preview, growth, objects_before)
    if beyond("max_removed_clusters", preview.clusters_removed, clusters_before):
        yield warning(
            "guard-max-removed-clusters",
            clusters=preview.clusters_removed,
            before=clusters_before,
            limit=limits["max_removed_clusters"],
        )
    if beyond("max_removed_objects", preview.objects_removed, objects_before):
        yield warning(
            "guard-max-removed-objects",
            objects=warnings.object_names(placement, preview.objects_removed),
            before=objects_before,
            limit=limits["max_removed_objects"],
        )


def _too_many_objects(preview: Preview, limit: Limit, before: int) -> Iterator[Mapping[str, str]]:
    if limit.below(len(preview.objects), before):
        objects = warnings.object_names(preview.placement, preview.objects)
        yield warning("guard-max-objects", objects=objects, limit=limit)
