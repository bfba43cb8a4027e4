# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module binding_policy_info does: read policies, preview one (private to kubestellar.core)."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bulk, _delivery, _diff
from ansible_collections.kubestellar.core.plugins.module_utils._client import label
from ansible_collections.kubestellar.core.plugins.module_utils._errors import plain
from ansible_collections.kubestellar.core.plugins.module_utils._module import Context
from ansible_collections.kubestellar.core.plugins.module_utils._resources import BINDING_POLICIES
from ansible_collections.kubestellar.core.plugins.module_utils.placement import (
    apply,
    policy,
    preview,
    resolution,
    snapshot,
)
from ansible_collections.kubestellar.core.plugins.module_utils.placement.facts import Delivery


def work(context: Context) -> dict[str, Any]:
    """Read policies, and preview one if it is described."""
    params = context.params
    described = any(params[key] is not None for key in ("definition", "cluster_selectors", "downsync"))
    want = policy.manifest({**params, "labels": None, "annotations": None}) if described else None
    result: dict[str, Any] = {"changed": False, "policies": [], "unread": []}
    if context.planned:
        return result
    sources = apply.sources(context)
    name = params["name"] or (want["metadata"]["name"] if want else None)
    result["policies"], result["unread"] = _policies(sources, name, params["label_selectors"])
    if want is not None:
        spec = _diff.wanted(want)["spec"]
        facts = snapshot.read(sources, str(name), spec)
        result["preview"] = preview.preview(spec, facts).result()
    return result


def _policies(
    sources: snapshot.Sources, name: str | None, label_selectors: Sequence[str]
) -> tuple[list[dict[str, Any]], list[str]]:
    """The entries of `policies`, and what could not be read."""
    wds, its = sources.wds, sources.its
    listing, (delivered, unread), kinds, facts = _bulk.in_parallel(
        lambda job: job(),
        [
            lambda: (
                wds.list(
                    BINDING_POLICIES,
                    label_selector=",".join(label_selectors),
                    field_selector=f"metadata.name={name}" if name else "",
                ).items
            ),
            lambda: snapshot.deliveries(sources),
            lambda: _delivery.kinds(wds),
            lambda: _delivery.read(its, {sources.wds_name: wds})[0] if its is not None else None,
        ],
    )
    counts = _counts(facts) if facts else {}
    entries = [
        _entry(item, sources.wds_name, delivered, kinds, counts)
        for item in sorted(listing, key=lambda item: str(item["metadata"]["name"]))
    ]
    return entries, sorted(unread)


def _counts(facts: _delivery.Facts) -> dict[str, dict[str, int]]:
    """Placements by health for each policy, of what it delivers itself: others may deliver the same objects."""
    works: dict[str, list[_delivery.Work]] = defaultdict(list)
    returned: dict[str, list[_delivery.Returned]] = defaultdict(list)
    for one in facts.works:
        works[one.binding].append(one)
    for entry in facts.returned:
        returned[entry.owner].append(entry)
    found = {}
    for binding in facts.bindings:
        name = binding["metadata"]["name"]
        own = [entry for one in works[name] for entry in returned.get(one.uid, [])]
        part = replace(facts, bindings=[binding], works=works[name], returned=[*own, *returned.get("", [])])
        rows = _delivery.join(part, lambda one: time.time() - one.applied_at)
        found[name] = _delivery.summary(rows, resolution.destinations(binding))
    return found


def _entry(
    item: Mapping[str, Any],
    wds: str,
    delivered: Sequence[Delivery],
    kinds: Mapping[tuple[str, str], str],
    counts: Mapping[str, dict[str, int]],
) -> dict[str, Any]:
    metadata, status = item["metadata"], item.get("status") or {}
    name = str(metadata["name"])
    own = next(
        (one for one in delivered if (one.wds, one.policy) == (wds, name)),
        Delivery(wds, name, {}, frozenset()),
    )
    return {
        "name": name,
        "wds": wds,
        "manifest": _diff.content(item),
        "observed": status.get("observedGeneration") == metadata.get("generation"),
        "errors": [plain(error) for error in status.get("errors") or []],
        "clusters": sorted(own.clusters),
        "objects": preview.entries((own.objects[key] for key in sorted(own.objects)), kinds),
        "delivered": counts.get(name, {}),
        "shared": [
            shared for other in delivered if other is not own and (shared := _shared(own, other, kinds))
        ],
    }


def _shared(own: Delivery, other: Delivery, kinds: Mapping[tuple[str, str], str]) -> dict[str, Any] | None:
    """What both deliver to the same clusters, if anything."""
    clusters, keys = own.clusters & other.clusters, own.objects.keys() & other.objects.keys()
    if not clusters or not keys:
        return None
    return {
        "wds": other.wds,
        "policy": other.policy,
        "clusters": sorted(clusters),
        "objects": [_label(key, kinds) for key in sorted(keys)],
    }


def _label(key: resolution.ObjectKey, kinds: Mapping[tuple[str, str], str]) -> str:
    return label(kinds.get((key.group, key.resource), key.resource), key.name, key.namespace)
