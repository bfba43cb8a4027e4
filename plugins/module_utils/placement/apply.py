# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module binding_policy does: preview, guards, write, wait (private to kubestellar.core)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _delivery, _diff, _metadata, _one_object
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster, dump_yaml
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    InvalidInput,
    KubestellarError,
)
from ansible_collections.kubestellar.core.plugins.module_utils._module import Context
from ansible_collections.kubestellar.core.plugins.module_utils._one_object import Outcome
from ansible_collections.kubestellar.core.plugins.module_utils._resources import BINDING_POLICIES, BINDINGS
from ansible_collections.kubestellar.core.plugins.module_utils.placement import (
    guards,
    policy,
    redelivery,
    resolution,
    snapshot,
    waits,
    warnings,
    waves,
)
from ansible_collections.kubestellar.core.plugins.module_utils.placement.preview import Preview, preview
from ansible_collections.kubestellar.core.plugins.module_utils.placement.resolution import Selected

MOST_WARNINGS = 5
"""Warnings that are shown with a task; the preview has all."""


def work(context: Context) -> dict[str, Any]:
    """Apply or delete the policy, then wait.

    :raises Refused: the change goes further than the guards allow.
    """
    level = context.params["wait"] or ("healthy" if context.params["waves"] else None)
    if context.params["waves"] and level not in ("applied", "healthy"):
        raise InvalidInput(
            f"With wait={level} a wave would not be waited for.",
            hint="Use waves with wait=applied or healthy.",
        )
    if level not in (None, "none") and not has_its(context):
        raise InvalidInput(
            f"wait={level} needs the ITS, where delivery can be seen.",
            hint="Set its, or its_kubeconfig and its_context.",
        )
    limits = guards.parse(context.params["guards"])
    if context.params["state"] == "absent":
        return _absent(context, limits, wait=has_its(context) and level != "none")
    if limits.need_clusters and not has_its(context):
        raise InvalidInput(
            f"guards.{limits.need_clusters[0]} needs the ITS, where the clusters are.",
            hint="Set its, or its_kubeconfig and its_context.",
        )
    return _present(context, limits, level or "none")


def has_its(context: Context) -> bool:
    """Whether the task names an ITS."""
    return bool(context.params["its"] or context.params["its_kubeconfig"])


def sources(context: Context) -> snapshot.Sources:
    """Where a task reads the facts of a preview from."""
    params = context.params
    by_name = (params["wds"] and not params["wds_kubeconfig"]) or (
        params["its"] and not params["its_kubeconfig"]
    )
    wds = context.wds()
    return snapshot.Sources(
        wds=wds,
        wds_name=wds_name(context, wds),
        its=context.its() if has_its(context) else None,
        its_name=str(params["its"] or ""),
        hosting=context.hosting() if by_name else None,
        api_groups=params["api_groups"],
        planned=(params.get("planned_objects") or []) if context.check_mode else [],
    )


def wds_name(context: Context, wds: Cluster) -> str:
    """The name of the WDS as ManifestWorks are labelled with it."""
    return str(context.params["wds"] or wds.name)


def _present(context: Context, limits: guards.Guards, level: str) -> dict[str, Any]:
    groups = waves.parse(context.params["waves"] or [])
    params = context.params
    want = _diff.wanted(policy.manifest(params))
    if groups:
        want["spec"]["clusterSelectors"] = waves.whole(groups)
    want["spec"] = bare(want["spec"])
    if context.planned:
        return _result(context, "create", None, want)
    wds = context.wds()
    name = want["metadata"]["name"]
    before = wds.get(BINDING_POLICIES, name)
    seen = _foresee(context, limits, name, want["spec"])
    clusters = waves.members(groups, seen.placement.facts.targets)
    waves.check_members(groups, clusters, f"{wds_name(context, wds)}: BindingPolicy {name}")
    told: dict[str, Any] = {}
    if params["redeliver"]:
        again = redelivery.deliver_again(wds, seen.placement, dry_run=context.check_mode)
        told = {"redelivered": warnings.object_names(seen.placement, again)}
    waits_for = level != "none" and not context.check_mode
    steps = [(len(groups), want["spec"].get("clusterSelectors", []))]
    if groups and waits_for:
        steps = waves.steps(groups, ((before or {}).get("spec") or {}).get("clusterSelectors") or [])
    after, waited = before, 0.0
    for number, selectors in steps:
        step = {**want, "spec": bare({**want["spec"], "clusterSelectors": selectors})}
        after = _brought_to(context, wds, step, after)
        method = _method(before, after)
        result = {**_result(context, method, before, after, seen, limits), **told}
        result["changed"] |= bool(told.get("redelivered"))
        if groups:
            result["waves"] = waves.report(groups, clusters, number if waits_for else 0)
        if not waits_for or after is None:
            return result
        try:
            outcome = _waited(context, wds, after, level, seen)
        except KubestellarError as error:
            if groups:
                result["waves"] = waves.report(groups, clusters, number, failed=True)
                error.message = waves.stopped(groups, number, error.message)
            result.pop("object")
            error.details.update(result)
            raise
        waited += outcome.seconds
        if groups:
            context.progress.line(waves.line(groups, clusters, number, level, waited))
    result.update(waited=round(waited, 1), binding=_binding(outcome.binding))
    if outcome.rows:
        result["summary"] = _delivery.summary(outcome.rows, result["binding"]["clusters"])
    return result


def _brought_to(
    context: Context, wds: Cluster, want: Mapping[str, Any], live: dict[str, Any] | None
) -> dict[str, Any] | None:
    """The policy after it was applied, if that was needed."""
    if live is not None and bare(live.get("spec")) == want["spec"] and _diff.satisfied(want, live):
        return live
    return _one_object.apply(context, wds, BINDING_POLICIES, want)


def _method(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> str:
    if before is None:
        return "create"
    return "none" if _diff.content(before) == _diff.content(after) else "update"


def _waited(
    context: Context, wds: Cluster, after: Mapping[str, Any], level: str, seen: Preview
) -> waits.Outcome:
    wait = waits.PolicyWait(
        wds,
        context.its(),
        wds_name(context, wds),
        after,
        context.progress,
        seen.placement.facts.api_groups,
    )
    return wait.until(level, context.params["wait_timeout"])


def bare(spec: Any) -> Any:
    """A policy's spec without empty lists, empty mappings and `false`, which mean the same as nothing.

    KubeStellar's controller drops them when it writes its finalizer, so sending them would be a change each time. An item of
    a list stays, since an empty selector means everything; so does an empty string, the core group.
    """
    if isinstance(spec, Mapping):
        values = {key: bare(value) for key, value in spec.items()}
        return {key: value for key, value in values.items() if value not in ([], {}) and value is not False}
    if isinstance(spec, list):
        return [bare(item) for item in spec]
    return spec


def _foresee(context: Context, limits: guards.Guards, name: str, spec: Mapping[str, Any] | None) -> Preview:
    """The preview, its first warnings shown, once the guards let it pass."""
    where = sources(context)
    seen = preview(spec, snapshot.read(where, name, spec))
    title = f"{where.wds_name}: BindingPolicy {name}"
    guards.check(seen, limits, title)
    settled = redelivery.CODES if context.params["redeliver"] else ()
    told = [item for item in guards.shown(seen, limits) if item["code"] not in settled]
    for item in told[:MOST_WARNINGS]:
        context.warn(f"{title}: {item['message']} {item['hint']} [{item['code']}]")
    if len(told) > MOST_WARNINGS:
        context.warn(f"{title}: {len(told) - MOST_WARNINGS} more warnings are in preview.warnings.")
    return seen


def _absent(context: Context, limits: guards.Guards, *, wait: bool) -> dict[str, Any]:
    name = _metadata.given_name(context.params, BINDING_POLICIES)
    if context.planned:
        return _result(context, "none", None, None)
    wds = context.wds()
    before, binding = wds.get(BINDING_POLICIES, name), wds.get(BINDINGS, name)
    seen = _foresee(context, limits, name, None)
    method = "none"
    if before is not None and not before["metadata"].get("deletionTimestamp"):
        method = "delete"
        wds.delete(BINDING_POLICIES, name, uid=before["metadata"]["uid"], dry_run=context.check_mode)
    result = _result(context, method, before, None, seen, limits)
    if not wait or context.check_mode:
        return result
    uids = (_uid(before), _uid(binding))
    try:
        waited = waits.until_gone(
            wds,
            context.its(),
            wds_name(context, wds),
            name,
            uids,
            context.params["wait_timeout"],
            context.progress,
        )
    except KubestellarError as error:
        error.details.update(changed=result["changed"], method=method, preview=result["preview"])
        raise
    result["waited"] = round(waited, 1)
    return result


def _result(
    context: Context,
    method: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    seen: Preview | None = None,
    limits: guards.Guards | None = None,
) -> dict[str, Any]:
    result = _one_object.result(context, BINDING_POLICIES, Outcome(method, before, after))
    result["waited"] = 0.0
    if seen is not None and limits is not None:
        result["preview"] = guards.result(seen, limits)
    if context.diff_mode and seen is not None and seen.changes:
        name = ((after or before or {}).get("metadata") or {}).get("name")
        where = context.params["wds"] or context.params["wds_context"] or "wds"
        change = placement_diff(seen, f"{where}: placement of BindingPolicy {name}")
        result["diff"] = [*result.get("diff", []), change]
    return result


def placement_diff(seen: Preview, header: str) -> dict[str, str]:
    """Clusters and objects before and after, as an element of `diff`."""
    placement = seen.placement
    unknown = not placement.facts.clusters_known and not placement.removal

    def side(clusters: Sequence[str], objects: Mapping[Any, Selected]) -> str:
        keys = sorted(objects)
        lines = [
            name + _settings(objects[key])
            for key, name in zip(keys, warnings.object_names(placement, keys), strict=True)
        ]
        return dump_yaml({"objects": lines} if unknown else {"clusters": list(clusters), "objects": lines})

    return {
        "before": side(sorted(placement.clusters_before), placement.before),
        "after": side(seen.clusters, seen.objects),
        "before_header": header,
        "after_header": header,
    }


def _settings(selected: Selected) -> str:
    """How an object is delivered, if in a special way."""
    modulation = selected.modulation
    words = [
        *(["create_only"] if modulation.create_only else []),
        *(["want_singleton_reported_state"] if modulation.singleton else []),
        *(["want_multi_wec_reported_state"] if modulation.multi_wec else []),
        *(f"status collector {name}" for name in sorted(modulation.status_collectors)),
    ]
    return f" ({', '.join(words)})" if words else ""


def _binding(binding: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "generation": (binding.get("metadata") or {}).get("generation"),
        "clusters": sorted(resolution.destinations(binding)),
        "objects": [key._asdict() for key in sorted(resolution.bound(binding))],
    }


def _uid(obj: Mapping[str, Any] | None) -> str:
    return str(obj["metadata"]["uid"]) if obj else ""
