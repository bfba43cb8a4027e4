# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many objects in one cluster (private to kubestellar.core).

`apply_all` lists what is there once per kind, compares, and sends only what differs, by server-side apply in
a worker pool, Namespaces and CustomResourceDefinitions first. `delete_all` goes the other way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _diff
from ansible_collections.kubestellar.core.plugins.module_utils._client import (
    FIELD_MANAGER,
    Cluster,
    label,
)
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    InvalidInput,
    KubestellarError,
    NotFound,
    plain,
)
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils._resources import CRDS, NAMESPACES, Resource
from ansible_collections.kubestellar.core.plugins.module_utils._wait import Verdict, Waiter, condition

WORKERS = 4
"""Threads for requests: more do not help, the API server is the bound (design.md section 8)."""

_ESTABLISHED_SECONDS = 60.0
_FIRST = {"Namespace": 0, "CustomResourceDefinition": 1}
_EARLY = {
    "ClusterRole",
    "LimitRange",
    "PriorityClass",
    "ResourceQuota",
    "Role",
    "ServiceAccount",
    "StorageClass",
}
_LATE = {"APIService", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"}
_KNOWN = {("v1", "Namespace"): NAMESPACES, ("apiextensions.k8s.io/v1", "CustomResourceDefinition"): CRDS}


@dataclass
class Outcome:
    """What happened to one object.

    :ivar method: `none`, `create`, `update` or `delete`.
    :ivar error: why it failed; empty when it did not.
    :ivar before, after: the object on both sides, for the diff; None where it is not there.
    """

    api_version: str
    kind: str
    namespace: str | None
    name: str
    method: str = "none"
    error: str = ""
    before: Mapping[str, Any] | None = field(default=None, repr=False)
    after: Mapping[str, Any] | None = field(default=None, repr=False)

    @property
    def changed(self) -> bool:
        """Whether something was, or in check mode would be, written."""
        return self.method != "none"

    @property
    def label(self) -> str:
        """`Deployment default/web`."""
        return label(self.kind, self.name, self.namespace)

    def result(self) -> dict[str, Any]:
        """The entry of `objects` in a module's result."""
        entry: dict[str, Any] = {
            "api_version": self.api_version,
            "kind": self.kind,
            "namespace": self.namespace or "",
            "name": self.name,
            "method": self.method,
            "changed": self.changed,
        }
        if self.error:
            entry["error"] = self.error
        return entry

    def diff(self, cluster: str) -> dict[str, str]:
        """The entry of `diff` in a module's result."""
        return _diff.entry(self.before, self.after, f"{cluster}: {self.label}")


def check_definitions(definitions: Iterable[Any], where: str) -> list[dict[str, Any]]:
    """The definitions, if each is an object with a name and none is there twice.

    :param where: what the message calls their origin, for example `definitions`.
    :raises InvalidInput: naming the first that is wrong.
    """
    objects: list[dict[str, Any]] = []
    seen: dict[tuple[str, str, str, str], int] = {}
    for number, definition in enumerate(definitions, start=1):
        if not isinstance(definition, Mapping):
            raise InvalidInput(f"{where}: entry {number} is a {type(definition).__name__}, not an object.")
        for key in ("apiVersion", "kind"):
            if not isinstance(definition.get(key), str) or not definition[key]:
                raise InvalidInput(f"{where}: entry {number} has no {key}.")
        kind, metadata = definition["kind"], definition.get("metadata")
        if (
            not isinstance(metadata, Mapping)
            or not isinstance(metadata.get("name"), str)
            or not metadata["name"]
        ):
            raise InvalidInput(f"{where}: entry {number}, a {plain(kind)}, has no metadata.name.")
        for key in ("labels", "annotations"):
            _check_strings(metadata.get(key), f"{where}: {label(kind, metadata['name'])}", key)
        group = definition["apiVersion"].rpartition("/")[0]
        identity = (group, kind, str(metadata.get("namespace") or ""), metadata["name"])
        if identity in seen:
            raise InvalidInput(
                f"{where}: {label(kind, metadata['name'], metadata.get('namespace'))} is there twice, "
                f"as entries {seen[identity]} and {number}.",
                hint="Keep one of them.",
            )
        seen[identity] = number
        objects.append(_diff.wanted(definition))
    return objects


def _check_strings(values: Any, where: str, key: str) -> None:
    if values is None:
        return
    if not isinstance(values, Mapping):
        raise InvalidInput(f"{where}: metadata.{key} is a {type(values).__name__}, not a mapping.")
    for name, value in values.items():
        if not isinstance(value, str):
            raise InvalidInput(
                f"{where}: the value of {key} {plain(name)} is a {type(value).__name__}, not a string.",
                hint=f'Write it in quotes: "{plain(value)}".',
            )


def apply_all(
    cluster: Cluster,
    definitions: Sequence[Mapping[str, Any]],
    *,
    namespace: str | None = None,
    force: bool = False,
    dry_run: bool = False,
    field_manager: str = FIELD_MANAGER,
    workers: int = WORKERS,
    progress: Progress | None = None,
) -> list[Outcome]:
    """Make the cluster hold the definitions; outcomes in their order.

    An object that fails does not stop the others: see `Outcome.error` and `raise_failures`.

    :param definitions: from `check_definitions`.
    :param namespace: for namespaced objects that name none.
    :param force: take fields over from other managers.
    :param dry_run: ask the server what would change. An object whose Namespace or CustomResourceDefinition is
        itself only planned is forecast as created.
    :raises InvalidInput: a namespaced object without a namespace, or the reverse; before the first write.
    """
    progress = progress or Progress(None)
    planned_kinds = _planned_kinds(definitions)
    targets = [_target(cluster, obj, namespace, planned_kinds) for obj in definitions]
    live = _Live(cluster, [target for target in targets if target.resource is not None], workers)
    new_namespaces = {
        target.outcome.name
        for target in targets
        if target.resource == NAMESPACES and live.find(target) is None and not target.outcome.error
    }

    def work(target: _Target) -> None:
        try:
            _apply(cluster, target, live, force, dry_run, field_manager, new_namespaces)
        except KubestellarError as error:
            target.outcome.error = error.message if not error.hint else f"{error.message} {error.hint}"

    stages: dict[int, list[_Target]] = defaultdict(list)
    for target in targets:
        stages[_stage(target.outcome.kind)].append(target)
    done = 0
    with ThreadPoolExecutor(max_workers=workers) as pool:
        for stage in sorted(stages):
            for _finished in pool.map(work, stages[stage]):
                done += 1
                if done % 100 == 0:
                    progress.line(f"{done} of {len(targets)} objects compared ({progress.seconds:.0f} s)")
            if stage == _FIRST["CustomResourceDefinition"] and not dry_run:
                _wait_established(cluster, [t.outcome for t in stages[stage] if t.outcome.changed], progress)
    return [target.outcome for target in targets]


def delete_all(
    cluster: Cluster, outcomes: Sequence[tuple[Resource, Mapping[str, Any]]], *, dry_run: bool = False
) -> list[Outcome]:
    """Delete live objects, the ones created last first. Those that are gone meanwhile count as done.

    :param outcomes: pairs of resource and live object (metadata is enough); its UID guards the deletion.
    """
    results: list[Outcome] = []
    ordered = sorted(outcomes, key=lambda pair: _stage(pair[0].kind), reverse=True)

    def work(pair: tuple[Resource, Mapping[str, Any]]) -> Outcome:
        resource, obj = pair
        metadata = obj["metadata"]
        outcome = Outcome(
            resource.api_version, resource.kind, metadata.get("namespace"), metadata["name"], before=obj
        )
        try:
            if dry_run or cluster.delete(
                resource, metadata["name"], metadata.get("namespace"), uid=metadata.get("uid")
            ):
                outcome.method = "delete"
        except KubestellarError as error:
            outcome.error = error.message
        return outcome

    with ThreadPoolExecutor(max_workers=WORKERS) as pool:
        stages: dict[int, list[tuple[Resource, Mapping[str, Any]]]] = defaultdict(list)
        for pair in ordered:
            stages[_stage(pair[0].kind)].append(pair)
        for stage in sorted(stages, reverse=True):
            results.extend(pool.map(work, stages[stage]))
    return results


def raise_failures(outcomes: Sequence[Outcome], cluster: str, verb: str = "apply", **details: Any) -> None:
    """Raise one error that names every object that failed, if any did.

    :param details: further keys of the failed result, such as `objects`.
    """
    failed = [outcome for outcome in outcomes if outcome.error]
    if not failed:
        return
    names = ", ".join(outcome.label for outcome in failed[:20])
    more = f" and {len(failed) - 20} more" if len(failed) > 20 else ""
    raise KubestellarError(
        f"{cluster}: {len(failed)} of {len(outcomes)} objects could not be handled ({verb}): {names}{more}. "
        f"First reason: {failed[0].error}",
        **details,
    )


@dataclass
class _Target:
    """One definition on its way. `resource` is None while its CustomResourceDefinition is only planned."""

    want: dict[str, Any]
    resource: Resource | None
    outcome: Outcome


def _target(
    cluster: Cluster,
    obj: Mapping[str, Any],
    namespace: str | None,
    planned_kinds: Mapping[tuple[str, str], bool],
) -> _Target:
    """Resolve the kind and the namespace of one definition."""
    api_version, kind = obj["apiVersion"], obj["kind"]
    want = dict(obj)
    metadata = dict(want["metadata"])
    want["metadata"] = metadata
    resource: Resource | None = None
    error = ""
    try:
        resource = _KNOWN.get((api_version, kind)) or cluster.resource(api_version, kind)
        namespaced = resource.namespaced
    except NotFound as not_served:
        if (api_version, kind) in planned_kinds:
            namespaced = planned_kinds[(api_version, kind)]
        else:
            namespaced, error = bool(metadata.get("namespace")), not_served.message
    if namespaced and not metadata.get("namespace"):
        if not namespace:
            raise InvalidInput(
                f"{cluster.name}: {label(kind, metadata['name'])} names no namespace.",
                hint="Set metadata.namespace, or the option namespace for all such objects.",
            )
        metadata["namespace"] = namespace
    elif not namespaced and metadata.get("namespace"):
        raise InvalidInput(
            f"{cluster.name}: {label(kind, metadata['name'])} is cluster-scoped but names the namespace "
            f"{metadata['namespace']}.",
            hint="Remove metadata.namespace.",
        )
    outcome = Outcome(api_version, kind, metadata.get("namespace"), metadata["name"], error=error)
    return _Target(want, resource, outcome)


class _Live:
    """The live objects of all resources that the targets need, listed in parallel, once per resource."""

    def __init__(self, cluster: Cluster, targets: Sequence[_Target], workers: int) -> None:
        self._cluster = cluster
        self._objects: dict[tuple[Resource, str, str], dict[str, Any]] = {}
        by_resource: dict[Resource, list[_Target]] = defaultdict(list)
        for target in targets:
            if target.resource is not None:
                by_resource[target.resource].append(target)
        with ThreadPoolExecutor(max_workers=workers) as pool:
            list(pool.map(lambda item: self._read(*item), by_resource.items()))

    def _read(self, resource: Resource, targets: list[_Target]) -> None:
        names = {target.outcome.name for target in targets}
        namespaces = {target.outcome.namespace for target in targets}
        field_selector = f"metadata.name={next(iter(names))}" if len(names) == 1 else ""
        namespace = next(iter(namespaces)) if len(namespaces) == 1 else None
        listing = self._cluster.list(resource, namespace, field_selector=field_selector)
        for item in listing.items:
            metadata = item["metadata"]
            if metadata["name"] in names:
                self._objects[(resource, str(metadata.get("namespace") or ""), metadata["name"])] = item

    def find(self, target: _Target) -> dict[str, Any] | None:
        if target.resource is None:
            return None
        return self._objects.get((target.resource, target.outcome.namespace or "", target.outcome.name))


def _apply(
    cluster: Cluster,
    target: _Target,
    live: _Live,
    force: bool,
    dry_run: bool,
    field_manager: str,
    new_namespaces: set[str],
) -> None:
    """Bring one object about, and note what happened in its outcome."""
    outcome = target.outcome
    if outcome.error:
        return
    if target.resource is None:
        if dry_run:
            outcome.method, outcome.after = "create", target.want
            return
        target.resource = cluster.resource(outcome.api_version, outcome.kind)
        before = cluster.get(target.resource, outcome.name, outcome.namespace)
    else:
        before = live.find(target)
    if before is not None and _diff.satisfied(target.want, before, field_manager=field_manager):
        return
    if dry_run and outcome.namespace in new_namespaces:
        outcome.method, outcome.after = "create", target.want
        return
    after = cluster.apply(
        target.resource, target.want, field_manager=field_manager, force=force, dry_run=dry_run
    )
    if before is None:
        outcome.method = "create"
    elif _diff.content(before) != _diff.content(after):
        outcome.method = "update"
    outcome.before, outcome.after = before, after


def _stage(kind: str) -> int:
    """The order of kinds: what others need comes first, what interferes with others last."""
    if kind in _FIRST:
        return _FIRST[kind]
    if kind in _EARLY:
        return 2
    return 4 if kind in _LATE else 3


def _planned_kinds(definitions: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], bool]:
    """(apiVersion, kind) to whether it is namespaced, for each version the CRDs among the definitions serve."""
    kinds: dict[tuple[str, str], bool] = {}
    for obj in definitions:
        if obj["kind"] != "CustomResourceDefinition":
            continue
        spec = obj.get("spec") or {}
        for version in spec.get("versions") or []:
            api_version = f"{spec.get('group')}/{version.get('name')}"
            kinds[(api_version, str((spec.get("names") or {}).get("kind")))] = (
                spec.get("scope") == "Namespaced"
            )
    return kinds


def _wait_established(cluster: Cluster, crds: Sequence[Outcome], progress: Progress) -> None:
    """Wait until the API server serves new CustomResourceDefinitions."""
    names = {crd.name for crd in crds if not crd.error}
    if not names:
        return
    waiter = Waiter(progress)
    follower = waiter.follow(cluster, CRDS)

    def evaluate() -> Verdict:
        missing = [
            f"{name} is not Established"
            for name in sorted(names)
            if condition(follower.get(name), "Established").get("status") != "True"
        ]
        return Verdict(not missing, missing)

    waiter.until(evaluate, timeout=_ESTABLISHED_SECONDS, what=f"{cluster.name}: CustomResourceDefinitions")


def in_parallel(work: Callable[[Any], Any], items: Sequence[Any], *, workers: int = WORKERS) -> list[Any]:
    """`work` on every item in a worker pool, results in order; the first exception is raised."""
    with ThreadPoolExecutor(max_workers=workers) as pool:
        return list(pool.map(work, items))


def planned(obj: Mapping[str, Any], namespace: str | None = None) -> Outcome:
    """The forecast for an object whose cluster does not exist yet."""
    metadata = obj["metadata"]
    return Outcome(
        obj["apiVersion"],
        obj["kind"],
        metadata.get("namespace") or namespace,
        metadata["name"],
        method="create",
        after=obj,
    )
