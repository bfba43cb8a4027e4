# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module binding_policy does: preview, guards, write, wait (private to kubestellar.core)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import (
    _delivery,
    _diff,
    _limit,
    _metadata,
    _one_object,
)
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    InvalidInput,
    KubestellarError,
)
from ansible_collections.kubestellar.core.plugins.module_utils._limit import Limit
from ansible_collections.kubestellar.core.plugins.module_utils._module import Context
from ansible_collections.kubestellar.core.plugins.module_utils._one_object import Outcome
from ansible_collections.kubestellar.core.plugins.module_utils._resources import BINDING_POLICIES, BINDINGS
from ansible_collections.kubestellar.core.plugins.module_utils._yaml import dump_yaml
from ansible_collections.kubestellar.core.plugins.module_utils.placement import (
    catalogue,
    guards,
    inside,
    policy,
    redelivery,
    resolution,
    snapshot,
    waits,
    warnings,
    waves,
)
from ansible_collections.kubestellar.core.plugins.module_utils.placement.facts import Target
from ansible_collections.kubestellar.core.plugins.module_utils.placement.leftovers import Leftovers
from ansible_collections.kubestellar.core.plugins.module_utils.placement.preview import Preview, preview
from ansible_collections.kubestellar.core.plugins.module_utils.placement.resolution import Selected

PLANNED_SPEC: dict[str, Any] = {"planned_clusters": {"type": "list", "elements": "dict"}}
"""The option for clusters as an earlier task of the same check mode run would describe them."""
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
    offline = _limit.parse("max_offline", context.params["max_offline"])
    if context.params["state"] == "absent":
        return _absent(context, limits, wait=has_its(context) and level != "none")
    if limits.need_clusters and not has_its(context):
        raise InvalidInput(
            f"guards.{limits.need_clusters[0]} needs the ITS, where the clusters are.",
            hint="Set its, or its_kubeconfig and its_context.",
        )
    return _present(context, limits, level or "none", offline)


def has_its(context: Context) -> bool:
    """Whether the task names an ITS."""
    return bool(context.params["its"] or context.params["its_kubeconfig"])


def sources(
    context: Context,
    api_groups: Sequence[str] | None = None,
    planned: Sequence[Mapping[str, Any]] | None = None,
) -> snapshot.Sources:
    """Where a task reads the facts of a preview from.

    :param planned: objects as they will be, see `snapshot.Sources`; in check mode, those of the option if it is left out.
    """
    params = context.params
    if planned is None:
        planned = params.get("planned_objects") or [] if context.check_mode else []
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
        api_groups=api_groups,
        planned=planned,
        clusters={one["name"]: _as_planned(one) for one in params.get("planned_clusters") or []}
        if context.check_mode
        else {},
        collectors_planned=context.check_mode and params.get("planned_objects") is not None,
    )


def _as_planned(cluster: Mapping[str, Any]) -> Target:
    """A cluster as an earlier task of the same check mode run would describe it."""
    labels, annotations, properties = (
        dict(cluster.get(key) or {}) for key in ("labels", "annotations", "properties")
    )
    return Target(str(cluster["name"]), labels, annotations, properties)


def wds_name(context: Context, wds: Cluster) -> str:
    """The name of the WDS as ManifestWorks are labelled with it."""
    return str(context.params["wds"] or wds.name)


def _present(
    context: Context, limits: guards.Guards, level: str, max_offline: Limit | None
) -> dict[str, Any]:
    groups = waves.parse(context.params["waves"] or [])
    want = wanted(context.params, groups)
    if context.planned:
        return _result(context, "create", None, want)
    wds = context.wds()
    name = want["metadata"]["name"]
    before = wds.get(BINDING_POLICIES, name)
    _metadata.check_stays(wds.name, f"BindingPolicy {name}", before)
    seen = _foresee(context, limits, name, want["spec"], delivered=level in waits.DELIVERED)
    clusters = waves.members(groups, seen.placement.facts.targets)
    waves.check_members(groups, clusters, f"{wds_name(context, wds)}: BindingPolicy {name}")
    application = _Application(context, wds, want, before, seen, limits, groups, clusters)
    if context.params["redeliver"]:
        application.deliver_again()
    if level == "none" or context.check_mode:
        application.write(want["spec"])
        return application.result()
    for number, spec in application.steps():
        application.write(spec)
        application.wait(number, level, max_offline)
    return application.result()


def wanted(params: Mapping[str, Any], groups: Sequence[waves.Wave]) -> dict[str, Any]:
    """The policy that the options describe, as it is sent, with the guards that it is to be changed within.

    :raises InvalidInput: see `policy.manifest`.
    """
    want = _diff.wanted(policy.manifest(params))
    if groups:
        want["spec"]["clusterSelectors"] = waves.whole(groups)
    want["spec"] = bare(want["spec"])
    kept = guards.annotation(params["guards"])
    if kept:
        metadata = want["metadata"]
        metadata["annotations"] = {**(metadata.get("annotations") or {}), guards.ANNOTATION: kept}
    return want


class _Application:
    """One policy on its way to what is wanted: at once, or wave by wave."""

    def __init__(
        self,
        context: Context,
        wds: Cluster,
        want: Mapping[str, Any],
        before: dict[str, Any] | None,
        seen: Preview,
        limits: guards.Guards,
        groups: Sequence[waves.Wave],
        clusters: Sequence[Sequence[str]],
    ) -> None:
        self._context, self._wds, self._want = context, wds, want
        self._before, self._after = before, before
        self._seen, self._limits = seen, limits
        self._waves, self._clusters = groups, clusters
        self._reached = 0
        self._had = seen.placement.clusters_before
        self._waited = 0.0
        self._told: dict[str, Any] = {}
        self._leftovers = _leftovers(context)

    def deliver_again(self) -> None:
        """See `redelivery`."""
        placement = self._seen.placement
        again = redelivery.deliver_again(self._wds, placement, dry_run=self._context.check_mode)
        self._told["redelivered"] = warnings.object_names(placement, again)

    def steps(self) -> list[tuple[int, Mapping[str, Any]]]:
        """Pairs of the number of a wave, or 0, and the spec for it."""
        spec = self._want["spec"]
        if not self._waves:
            return [(0, spec)]
        live = ((self._before or {}).get("spec") or {}).get("clusterSelectors") or []
        steps = waves.steps(self._waves, live)
        return [(number, bare({**spec, "clusterSelectors": selectors})) for number, selectors in steps]

    def write(self, spec: Mapping[str, Any]) -> None:
        """Apply the policy with this spec, if that is needed."""
        want, live = {**self._want, "spec": spec}, self._after
        if live is None or not (bare(live.get("spec")) == spec and _diff.satisfied(want, live)):
            self._after = _one_object.apply(self._context, self._wds, BINDING_POLICIES, want)

    def wait(self, number: int, level: str, max_offline: Limit | None) -> None:
        """Wait for the policy as it is now. :param number: of the wave, or 0."""
        context, self._reached = self._context, number
        wait = waits.PolicyWait(
            self._wds,
            context.its(),
            wds_name(context, self._wds),
            self._after or {},
            context.progress,
            self._seen.placement.facts.api_groups,
        )
        try:
            outcome = wait.until(level, context.params["wait_timeout"], self._leftovers, max_offline)
            if number:
                waves.check_answers(self._clusters[number - 1], outcome.offline)
        except KubestellarError as error:
            if number:
                error.message = waves.stopped(self._waves, self._clusters, number, error.message, self._had)
            failed = self.result(failed=True)
            del failed["object"]
            error.details.update(failed)
            raise
        self._waited += outcome.seconds
        if number:
            context.progress.line(
                waves.line(self._waves, self._clusters, number, level, self._waited, self._had)
            )
        for name, text in outcome.offline.items():
            context.warn(f"{name} was not waited for: {text}.")
        binding = _binding(outcome.binding)
        self._told["leftovers"] = _left_behind(context, self._leftovers)
        self._told.update(waited=round(self._waited, 1), binding=binding, offline=sorted(outcome.offline))
        if outcome.rows:
            self._told["summary"] = _delivery.summary(outcome.rows, binding["clusters"])

    def result(self, *, failed: bool = False) -> dict[str, Any]:
        """The module's result."""
        method = "create"
        if self._before is not None:
            method = "none" if _diff.content(self._before) == _diff.content(self._after) else "update"
        result = _result(self._context, method, self._before, self._after, self._seen, self._limits)
        result.update(self._told)
        removed = self._context.params["leftovers"] == "remove" and self._leftovers.found
        result["changed"] |= bool(self._told.get("redelivered") or removed)
        if self._waves:
            result["waves"] = waves.report(
                self._waves, self._clusters, self._reached, self._had, failed=failed
            )
        return result


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


def _foresee(
    context: Context,
    limits: guards.Guards,
    name: str,
    spec: Mapping[str, Any] | None,
    *,
    delivered: bool = False,
) -> Preview:
    """The preview, its first warnings shown, once the guards let it pass."""
    where = sources(context, context.params["api_groups"])
    facts = replace(
        snapshot.read(where, name, spec),
        waves=bool(context.params["waves"]),
        objects_changed=context.params["objects_changed"],
    )
    seen = preview(spec, facts)
    title = f"{where.wds_name}: BindingPolicy {name}"
    found = inside.look(seen, inside.connections(context.params["wecs"]))
    for text in unseen(found, title):
        context.warn(text)
    codes = guards.vanishing(seen, limits)
    guards.check(seen, limits, title, delivered=delivered, codes=codes, found=found)
    settled = redelivery.CODES if context.params["redeliver"] else ()
    told = [item for item in guards.shown(seen, limits) if item["code"] not in settled]
    for item in told[:MOST_WARNINGS]:
        context.warn(f"{title}: {item['message']} {item['hint']} [{item['code']}]")
    if len(told) > MOST_WARNINGS:
        context.warn(f"{title}: {len(told) - MOST_WARNINGS} more warnings are in preview.warnings.")
    return seen


def unseen(found: inside.Found, title: str) -> list[str]:
    """What to tell about clusters that could not be looked into."""
    if not found.unseen:
        return []
    reason = next(iter(found.unseen.values()))
    trouble = catalogue.warning("cluster-unseen", clusters=sorted(found.unseen), reason=reason)
    return [f"{title}: {trouble['message']} {trouble['hint']} [{trouble['code']}]"]


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
    uids, left = (_uid(before), _uid(binding)), _leftovers(context)
    try:
        waited = waits.until_gone(
            wds,
            context.its(),
            wds_name(context, wds),
            name,
            uids,
            context.params["wait_timeout"],
            context.progress,
            left,
        )
    except KubestellarError as error:
        error.details.update(changed=result["changed"], method=method, preview=result["preview"])
        raise
    result.update(waited=round(waited, 1), leftovers=_left_behind(context, left))
    result["changed"] |= bool(left.found)
    return result


def _leftovers(context: Context) -> Leftovers:
    return Leftovers(context.its, remove=context.params["leftovers"] == "remove")


def _left_behind(context: Context, leftovers: Leftovers) -> list[dict[str, str]]:
    """The value of `leftovers` in a result; with a warning if they are still there."""
    found = sorted(leftovers.found)
    if found and context.params["leftovers"] == "report":
        objects = sorted({name for _cluster, name in found})
        clusters = sorted({cluster for cluster, _name in found})
        trouble = catalogue.warning("left-behind", objects=objects, clusters=clusters)
        context.warn(f"{trouble['message']} {trouble['hint']}")
    return [{"cluster": cluster, "object": name} for cluster, name in found]


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
