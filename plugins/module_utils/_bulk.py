# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many objects in one cluster (private to kubestellar.core).

`apply_all` lists what is there once per kind, compares, and sends only what differs, by server-side apply in
a worker pool, Namespaces and CustomResourceDefinitions first. `delete_all` goes the other way. A `Batch` is `apply_all` in its
steps, for those who have something to look at in between.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _answers, _diff, _refusals, _texts
from ansible_collections.kubestellar.core.plugins.module_utils._client import (
    FIELD_MANAGER,
    Cluster,
    label,
)
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    ApiError,
    InvalidInput,
    KubestellarError,
    NotFound,
    WaitTimeout,
    plain,
)
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils._resources import CRDS, NAMESPACES, Resource
from ansible_collections.kubestellar.core.plugins.module_utils._wait import Verdict, Waiter
from ansible_collections.kubestellar.core.plugins.module_utils._yaml import type_name

WORKERS = 4
"""Threads for requests: more do not help, the API server is the bound (design.md section 8)."""

_ESTABLISHED_SECONDS = 60.0
_DISCOVERY_SECONDS = 0.3
_GONE_SECONDS = 60.0
_NOTICED_SECONDS = 10.0
_LARGE = 100_000
"""Characters of a CustomResourceDefinition that nobody has written by hand."""
_ANY_NAMESPACE = "default"
_OF_THE_OBJECT = (400, 422)
"""Answers that are about the object and nothing around it."""
_MOST_PROBLEMS = 20
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
LATE = {
    "APIService",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "MutatingWebhookConfiguration",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
}
"""Kinds by which requests for other objects fail: they come last and go first."""
_KNOWN = {("v1", "Namespace"): NAMESPACES, ("apiextensions.k8s.io/v1", "CustomResourceDefinition"): CRDS}


@dataclass
class Outcome:
    """What happened to one object.

    :ivar method: `none`, `create`, `update`, `recreate` or `delete`.
    :ivar error: why it failed; empty when it did not.
    :ivar failure: the error behind that, if there is one.
    :ivar source: where its definition comes from, as messages name it; empty if that is not said.
    :ivar before, after: the object on both sides, for the diff; None where it is not there.
    """

    api_version: str
    kind: str
    namespace: str | None
    name: str
    method: str = "none"
    error: str = ""
    failure: KubestellarError | None = field(default=None, repr=False)
    source: str = ""
    before: Mapping[str, Any] | None = field(default=None, repr=False)
    after: Mapping[str, Any] | None = field(default=None, repr=False)

    @property
    def changed(self) -> bool:
        """Whether something was, or in check mode would be, written."""
        return self.method != "none"

    def fail(self, error: KubestellarError) -> None:
        """Note why it failed."""
        self.failure = error
        self.error = f"{error.message} {error.hint}" if error.hint else error.message

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
        if self.source:
            entry["source"] = self.source
        if self.error:
            entry["error"] = self.error
        return entry

    def diff(self, cluster: str) -> dict[str, str]:
        """The entry of `diff` in a module's result."""
        return _diff.entry(self.before, self.after, f"{cluster}: {self.label}")


def check_definitions(
    definitions: Iterable[Any],
    where: str,
    *,
    origins: Sequence[str] = (),
    namespaces: Sequence[str | None] = (),
) -> list[dict[str, Any]]:
    """The definitions, if each is an object with a name and none is there twice.

    :param where: what the message calls them together, for example `definitions`.
    :param origins: where each of them comes from; they are counted if it is not said.
    :param namespaces: the namespace of each that names none.
    :raises InvalidInput: naming those that are wrong.
    """
    objects: list[dict[str, Any]] = []
    problems: list[InvalidInput] = []
    seen: dict[tuple[str, str, str, str], tuple[str, dict[str, Any]]] = {}
    for number, definition in enumerate(definitions):
        place = origins[number] if origins else f"entry {number + 1}"
        try:
            identity = _identity(definition, where, place, namespaces[number] if namespaces else None)
            objects.append(_diff.wanted(definition))
            if identity in seen:
                raise _twice(definition, where, seen[identity], (place, objects[-1]))
        except InvalidInput as problem:
            problems.append(problem)
        else:
            seen[identity] = place, objects[-1]
    _raise_all(problems)
    return objects


def _identity(definition: Any, where: str, place: str, namespace: str | None) -> tuple[str, str, str, str]:
    """Group, kind, namespace and name of a definition.

    :raises InvalidInput: what is wrong with it.
    """
    if not isinstance(definition, Mapping):
        raise InvalidInput(f"{where}: {place} is {type_name(definition)}, not an object.")
    for key in ("apiVersion", "kind"):
        value = definition.get(key)
        if value is not None and not isinstance(value, str):
            raise InvalidInput(
                f"{where}: {place} has {key} that is {_texts.shown(value)}, no text.", hint=_texts.hint(value)
            )
        if not value:
            raise InvalidInput(f"{where}: {place} has no {key}.")
    kind = definition["kind"]
    metadata = _named(definition.get("metadata"), f"{where}: {place}, a {plain(kind)},")
    _texts.check_object(definition, f"{where}: {label(kind, metadata['name'])} ({place})")
    group = definition["apiVersion"].rpartition("/")[0]
    return group, kind, str(metadata.get("namespace") or namespace or ""), metadata["name"]


def _named(metadata: Any, what: str) -> Mapping[str, Any]:
    """The metadata of a definition. :raises InvalidInput: it says no name, or not as it should."""
    found: Mapping[str, Any] = metadata if isinstance(metadata, Mapping) else {}
    if not found.get("name") and found.get("generateName"):
        raise InvalidInput(
            f"{what} has generateName, with which each run would make another object.",
            hint="Set metadata.name instead.",
        )
    for key in ("name", "namespace"):
        value = found.get(key)
        if value is not None and not isinstance(value, str):
            raise InvalidInput(
                f"{what} has a metadata.{key} that is {_texts.shown(value)}, no text.",
                hint=_texts.hint(value),
            )
    if not found.get("name"):
        raise InvalidInput(f"{what} has no metadata.name.")
    for key in ("labels", "annotations"):
        if not isinstance(found.get(key) or {}, Mapping):
            raise InvalidInput(f"{what} has metadata.{key} that is {type_name(found[key])}, not a mapping.")
    return found


def _twice(
    definition: Mapping[str, Any],
    where: str,
    first: tuple[str, dict[str, Any]],
    second: tuple[str, dict[str, Any]],
) -> InvalidInput:
    """The problem that an object is there twice. :param first, second: place and object."""
    metadata = definition["metadata"]
    differs = "" if first[1] == second[1] else " and differs"
    return InvalidInput(
        f"{where}: {label(definition['kind'], metadata['name'], metadata.get('namespace'))} is there twice{differs}, in "
        f"{first[0]} and in {second[0]}.",
        hint="Keep one of them.",
    )


def _raise_all(problems: Sequence[InvalidInput]) -> None:
    """:raises InvalidInput: there are problems: one as it is, several one after the other."""
    if not problems:
        return
    if len(problems) == 1:
        raise problems[0]
    told = " ".join(problem.message for problem in problems[:_MOST_PROBLEMS])
    more = len(problems) - _MOST_PROBLEMS
    raise InvalidInput(f"{told} And {more} more." if more > 0 else told, hint=problems[0].hint)


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
    :raises InvalidInput: a namespaced object without a namespace; before the first write.
    """
    batch = Batch(
        cluster,
        definitions,
        namespace=namespace,
        field_manager=field_manager,
        workers=workers,
        progress=progress,
    )
    batch.read()
    if dry_run:
        batch.attempt(most=len(batch.targets), force=force)
        return batch.forecast()
    return batch.apply(force=force)


class Batch:
    """Definitions beside what a cluster holds of them.

    :ivar targets: one for each definition, in their order.
    :ivar members: what `read` found by the selector, as pairs of resource and live object.
    :ivar unlisted: resources that may not be listed in all Namespaces, with the reason: of these `members` has nothing.
    :ivar unhooked: webhooks that are going to be removed before anything is sent.
    """

    def __init__(
        self,
        cluster: Cluster,
        definitions: Sequence[Mapping[str, Any]],
        *,
        namespace: str | Sequence[str | None] | None = None,
        sources: Sequence[str] = (),
        field_manager: str = FIELD_MANAGER,
        workers: int = WORKERS,
        progress: Progress | None = None,
    ) -> None:
        """Resolve kinds and namespaces; discovery is the only request.

        :param namespace: for namespaced objects that name none; or one for each definition.
        :param sources: where each definition comes from, for messages and results.
        :raises InvalidInput: a namespaced object without a namespace.
        """
        self._cluster = cluster
        self._field_manager = field_manager
        self._workers = workers
        self._progress = progress or Progress(None)
        planned = _planned_kinds(definitions)
        self.targets: list[Target] = []
        problems: list[InvalidInput] = []
        given = (
            [namespace] * len(definitions) if namespace is None or isinstance(namespace, str) else namespace
        )
        for number, obj in enumerate(definitions):
            source = sources[number] if sources else ""
            try:
                self.targets.append(_target(cluster, obj, given[number], planned, source))
            except InvalidInput as problem:
                problems.append(problem)
        problems += _repeated(cluster.name, self.targets)
        _raise_all(problems)
        self.members: list[tuple[Resource, dict[str, Any]]] = []
        self.unlisted: dict[Resource, str] = {}
        self._new_namespaces: set[str] = set()
        self.unhooked: frozenset[str] = frozenset()

    @property
    def outcomes(self) -> list[Outcome]:
        """What happened to each definition, in their order."""
        return [target.outcome for target in self.targets]

    def read(self, selector: str = "") -> None:
        """List what is there and compare.

        :param selector: label selector that finds most of the objects: all objects that have it are listed, and only
            where a definition is not among them, a second request looks for it by name.
        """
        by_resource: dict[Resource, list[Target]] = defaultdict(list)
        for target in self.targets:
            resource = target.resource or self._in_another_version(target.outcome)
            if resource is not None:
                by_resource[resource].append(target)
        with ThreadPoolExecutor(max_workers=self._workers) as pool:
            found = pool.map(lambda item: self._find(item[0], item[1], selector), by_resource.items())
            for resource, members in zip(by_resource, found, strict=True):
                self.members += [(resource, item) for item in members]
        for target in self.targets:
            before = target.before
            if target.outcome.error or before is None:
                continue
            target.differs = target.resource is None or not _diff.satisfied(
                target.want, before, field_manager=self._field_manager
            )
        self._new_namespaces = {
            target.outcome.name
            for target in self.targets
            if target.resource == NAMESPACES and target.before is None and not target.outcome.error
        }

    def _in_another_version(self, outcome: Outcome) -> Resource | None:
        """Where an object is found whose version is yet to be served."""
        group = outcome.api_version.rpartition("/")[0]
        served = (one for one in self._cluster.resources() if (one.group, one.kind) == (group, outcome.kind))
        return next(served, None) if group and not outcome.error else None

    def _find(self, resource: Resource, targets: list[Target], selector: str) -> list[dict[str, Any]]:
        """Give the targets of one resource their live objects; what the selector found."""
        members: list[dict[str, Any]] = []
        if selector:
            try:
                members = self._cluster.list(resource, label_selector=selector).items
            except ApiError as error:
                if error.status != 403:
                    raise
                self.unlisted[resource] = error.message
            _assign(targets, members)
            targets = [target for target in targets if target.before is None]
        names = {target.outcome.name for target in targets}
        namespaces = {target.outcome.namespace for target in targets}
        if targets:
            _assign(
                targets,
                self._cluster.list(
                    resource,
                    next(iter(namespaces)) if len(namespaces) == 1 else None,
                    field_selector=f"metadata.name={next(iter(names))}" if len(names) == 1 else "",
                ).items,
            )
        return members

    def attempt(self, *, most: int, force: bool = False, recreate: bool = False) -> None:
        """Let the server try what differs without writing.

        What it refuses has `Outcome.error` afterwards. What turns out to change nothing is not sent later. An object of a new
        Namespace is tried in one that exists. What needs something that comes with it cannot be tried.

        :param most: how many at most. What is there already comes first: only there are other owners and fields that
            cannot be changed. Of each kind some are tried rather than all of one. New CustomResourceDefinitions are left out
            if they are large: to try one costs as much as to write it, a second for a megabyte.
        """
        anew = self._defined_anew()
        candidates = [
            target
            for target in self.targets
            if target.differs
            and not target.outcome.error
            and target.resource is not None
            and (target.outcome.api_version, target.outcome.kind) not in anew
            and not (target.before is None and target.resource == CRDS and _is_large(target.want))
        ]
        turns: Counter[tuple[str, str]] = Counter()
        turn: dict[int, int] = {}
        for target in candidates:
            kind = target.outcome.api_version, target.outcome.kind
            turn[id(target)] = turns[kind]
            turns[kind] += 1
        candidates.sort(key=lambda target: (target.before is None, turn[id(target)]))

        def attempt(target: Target) -> None:
            if target.resource is None:
                return
            if target.outcome.namespace in self._new_namespaces:
                self._try_elsewhere(target, target.resource)
                return
            try:
                after = self._sent(target, target.resource, force=force, recreate=recreate, dry_run=True)
            except ApiError as error:
                if not self._comes_with(error, target):
                    raise
                target.tried = False
                return
            target.foreseen = after
            if (
                target.before is not None
                and after is not None
                and _diff.unchanged(target.before, after, self._field_manager)
            ):
                target.differs = False

        self._each(attempt, candidates[:most], "tried")

    def _defined_anew(self) -> set[tuple[str, str]]:
        """(apiVersion, kind) whose definition is among what differs, so that the server would judge by the old one."""
        definitions = (target.want for target in self.targets if target.resource == CRDS and target.differs)
        return {kind for definition in definitions for kind, _version in versions(definition)}

    def _try_elsewhere(self, target: Target, resource: Resource) -> None:
        """Try an object in a Namespace that exists. Only what is wrong with the object itself counts there."""
        metadata = {**target.want["metadata"], "namespace": _ANY_NAMESPACE}
        try:
            self._cluster.create(resource, {**target.want, "metadata": metadata}, dry_run=True, strict=True)
        except ApiError as error:
            if error.status in _OF_THE_OBJECT:
                target.elsewhere = True
                there = label(resource.kind, target.outcome.name, _ANY_NAMESPACE)
                error.message = error.message.replace(there, target.outcome.label)
                raise

    def _comes_with(self, error: ApiError, target: Target) -> bool:
        """Whether this passes: the server lacks what is to be created in the same run, or asks a webhook that is to be removed."""
        if _answers.webhook(error.message) in self.unhooked:
            return True
        if error.status not in (403, 404):
            return False
        words = set(re.split(r"[^a-z0-9.-]+", error.message.lower()))
        return any(
            one is not target and one.before is None and one.outcome.name in words for one in self.targets
        )

    def forecast(self) -> list[Outcome]:
        """What `apply` would do, by what `attempt` has found; outcomes in the order of the definitions."""
        for target in self.targets:
            outcome = target.outcome
            if not target.differs or outcome.error:
                continue
            outcome.before, outcome.after = target.before, target.foreseen or target.want
            if target.before is None:
                outcome.method = "create"
            elif target.foreseen is None:
                outcome.method = "recreate" if target.tried else "update"
            elif _diff.content(target.before) != _diff.content(target.foreseen):
                outcome.method = "update"
        return self.outcomes

    def apply(self, *, force: bool = False, recreate: bool = False) -> list[Outcome]:
        """Send what differs, in the order of kinds; outcomes in the order of the definitions.

        :param recreate: delete and create what has fields that cannot be changed, but no Namespaces and definitions.
        """

        def work(target: Target) -> None:
            self._bring_about(target, force, recreate)

        stages: dict[int, list[Target]] = defaultdict(list)
        for target in self.targets:
            if target.differs and not target.outcome.error:
                stages[_stage(target.outcome.kind)].append(target)
        for stage in sorted(stages):
            self._each(work, stages[stage], "sent")
            if stage == _FIRST["CustomResourceDefinition"]:
                self._wait_served([target.outcome for target in stages[stage]])
            else:
                self._send_again(work, stages[stage])
        return self.outcomes

    def _send_again(self, work: Callable[[Target], None], targets: Sequence[Target]) -> None:
        """Give the server a moment to hear of what came just before, where it has refused something for lack of that."""

        def lacking() -> list[Target]:
            failed = [(target, target.outcome.failure) for target in targets]
            return [
                target
                for target, error in failed
                if isinstance(error, ApiError) and self._comes_with(error, target)
            ]

        def evaluate() -> Verdict:
            again = lacking()
            for target in again:
                target.outcome.failure, target.outcome.error = None, ""
            self._each(work, again, "sent")
            return Verdict(not lacking(), (), again=_DISCOVERY_SECONDS)

        if lacking():
            with contextlib.suppress(WaitTimeout):  # each has its own error
                Waiter(Progress(None)).until(evaluate, timeout=_NOTICED_SECONDS, what=self._cluster.name)

    def _each(self, work: Callable[[Target], None], targets: Sequence[Target], verb: str) -> None:
        """Work on targets in parallel. What goes wrong is told in their outcomes."""

        def guarded(target: Target) -> None:
            try:
                work(target)
            except KubestellarError as error:
                target.outcome.fail(error)

        with ThreadPoolExecutor(max_workers=self._workers) as pool:
            for done, _finished in enumerate(pool.map(guarded, targets), start=1):
                if done % 100 == 0:
                    self._progress.line(
                        f"{done} of {len(targets)} objects {verb} ({self._progress.seconds:.0f} s)"
                    )

    def _bring_about(self, target: Target, force: bool, recreate: bool) -> None:
        """Bring one object about, and note what happened in its outcome."""
        outcome = target.outcome
        resource = target.resource
        if resource is None:
            target.resource = resource = self._cluster.resource(outcome.api_version, outcome.kind)
            target.before = self._cluster.get(resource, outcome.name, outcome.namespace)
        before = target.before
        after = self._sent(target, resource, force=force, recreate=recreate, dry_run=False)
        if after is None:
            after = target.want
            if before is not None:
                after = self._recreated(target, resource, str(before["metadata"]["uid"]), force)
            outcome.method = "recreate"
        elif before is None:
            outcome.method = "create"
        elif _diff.content(before) != _diff.content(after):
            outcome.method = "update"
        outcome.before, outcome.after = before, after

    def _sent(
        self, target: Target, resource: Resource, *, force: bool, recreate: bool, dry_run: bool
    ) -> dict[str, Any] | None:
        """The object as the server has it after an apply; None if it can only be recreated, and may be."""
        target.tried = True
        try:
            return self._cluster.apply(
                resource,
                target.want,
                field_manager=self._field_manager,
                force=force,
                dry_run=dry_run,
            )
        except ApiError as error:
            lasting = resource.kind in _FIRST or target.before is None
            if lasting or not recreate or not _refusals.immutable(error):
                raise
            return None

    def _recreated(self, target: Target, resource: Resource, uid: str, force: bool) -> dict[str, Any]:
        """Delete an object, wait until it is gone, and create it anew."""
        outcome = target.outcome
        self._cluster.delete(resource, outcome.name, outcome.namespace, uid=uid)
        outcome.method, outcome.before = "recreate", target.before  # also if it comes to no more than this
        waiter = Waiter(Progress(None))
        follower = waiter.follow(
            self._cluster, resource, outcome.namespace, field_selector=f"metadata.name={outcome.name}"
        )

        def evaluate() -> Verdict:
            there = follower.get(outcome.name, outcome.namespace or "")
            gone = there is None or there["metadata"]["uid"] != uid
            return Verdict(gone, () if gone else (f"{outcome.label} is still there",))

        waiter.until(
            evaluate,
            timeout=_GONE_SECONDS,
            what=f"{self._cluster.name}: {outcome.label} is to be created again",
            hint="Look at its metadata.finalizers. When it is gone, run this again: it is then created.",
        )
        return self._cluster.apply(resource, target.want, field_manager=self._field_manager, force=force)

    def _wait_served(self, crds: Sequence[Outcome]) -> None:
        """Wait until the API server serves what new CustomResourceDefinitions define."""
        wanted: set[tuple[str, str]] = set()
        for crd in crds:
            if crd.changed and not crd.error:
                wanted |= _defined(crd.after or {})
        if not wanted:
            return

        def evaluate() -> Verdict:
            lacking = sorted(wanted - self._cluster.kinds(refresh=True))
            missing = [f"{kind} of {version} is not served" for version, kind in lacking]
            return Verdict(not missing, missing, again=_DISCOVERY_SECONDS)

        # Not by watch: definitions have a megabyte each, and what counts is that their kinds are served.
        Waiter(self._progress).until(
            evaluate,
            timeout=_ESTABLISHED_SECONDS,
            what=f"{self._cluster.name}: CustomResourceDefinitions",
            hint="Look at their conditions. When they are Established, run this again.",
        )


def _defined(crd: Mapping[str, Any]) -> set[tuple[str, str]]:
    """(apiVersion, kind) of everything that a CustomResourceDefinition lets be served."""
    return {kind for kind, version in versions(crd) if version.get("served")}


def versions(crd: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], Mapping[str, Any]]]:
    """The versions of a CustomResourceDefinition, each with the (apiVersion, kind) that it stands for."""
    spec = crd.get("spec") or {}
    kind = str((spec.get("names") or {}).get("kind"))
    for version in spec.get("versions") or []:
        yield (f"{spec.get('group')}/{version.get('name')}", kind), version


def _is_large(obj: Mapping[str, Any]) -> bool:
    return len(json.dumps(obj, default=str)) > _LARGE


def _assign(targets: Sequence[Target], objects: Sequence[dict[str, Any]]) -> None:
    """Give targets of one resource their live objects."""
    found = {(str(obj["metadata"].get("namespace") or ""), obj["metadata"]["name"]): obj for obj in objects}
    for target in targets:
        target.before = found.get((target.outcome.namespace or "", target.outcome.name))


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
            outcome.fail(error)
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
    raise KubestellarError(
        f"{cluster}: {len(failed)} of {len(outcomes)} objects could not be handled ({verb}): {reasons(failed)}",
        **details,
    )


def reasons(failed: Sequence[Outcome]) -> str:
    """The objects that failed, why the first of them did, and where that comes from."""
    first = failed[0]
    source = f" It is from {first.source}." if first.source else ""
    return f"{names(failed)}. First reason: {first.error}{source}"


def names(outcomes: Sequence[Outcome]) -> str:
    """The objects, for a message; `objects` in the result has them all."""
    shown = ", ".join(outcome.label for outcome in outcomes[:20])
    return shown if len(outcomes) <= 20 else f"{shown} and {len(outcomes) - 20} more"


NOTES = ("described", "dropped", "altered")
"""What stands beside the fields of an object that `Target.planned` tells, and is not part of it."""


@dataclass
class Target:
    """One definition on its way.

    :ivar resource: None while its CustomResourceDefinition is only planned.
    :ivar before: the live object.
    :ivar differs: whether something is to be sent.
    :ivar tried: whether the server has seen it in a dry run.
    :ivar foreseen: what it then answered.
    :ivar elsewhere: whether what is wrong was found in another Namespace.
    """

    want: dict[str, Any]
    resource: Resource | None
    outcome: Outcome
    before: dict[str, Any] | None = None
    differs: bool = True
    tried: bool = False
    foreseen: dict[str, Any] | None = None
    elsewhere: bool = False

    def planned(self) -> dict[str, Any]:
        """The object as it will be, by what the server answered, else by what is known here.

        Beside it stand `NOTES`: `described` is the object without what the server completes, `dropped` the labels and annotations that
        it loses, such as `label shift`, and `altered` its fields beside metadata and status that change.
        """
        if self.before is None:
            return {**(self.foreseen or self.want), "described": self.want}
        ours = {key: _diff.owned(self.before, "metadata", key) for key in ("labels", "annotations")}
        mine, theirs = self.want["metadata"], self.before["metadata"]
        dropped = [
            f"{key.removesuffix('s')} {name}"
            for key, owned in ours.items()
            for name in owned
            if name not in (mine.get(key) or {})
        ]
        after = self.foreseen or {**self.before, **self.want}
        altered = sorted(
            key
            for key in {*self.before, *after} - {"apiVersion", "kind", "metadata", "status"}
            if self.before.get(key) != after.get(key)
        )
        notes = {"described": self.want, "dropped": dropped, "altered": altered}
        if self.foreseen is not None:
            return {**self.foreseen, **notes}
        merged = {
            key: _diff.after(theirs.get(key) or {}, owned, mine.get(key) or {}) for key, owned in ours.items()
        }
        return {**self.want, "metadata": {**mine, **merged}, **notes}


def _target(
    cluster: Cluster,
    obj: Mapping[str, Any],
    namespace: str | None,
    planned_kinds: Mapping[tuple[str, str], bool],
    source: str,
) -> Target:
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
            namespaced, error = bool(metadata.get("namespace")), f"{not_served.message} {not_served.hint}"
    named = f"{label(kind, metadata['name'])} ({source})" if source else label(kind, metadata["name"])
    if namespaced and not metadata.get("namespace"):
        if not namespace:
            raise InvalidInput(
                f"{cluster.name}: {named} names no namespace.",
                hint="Set metadata.namespace, or the option namespace for all such objects.",
            )
        metadata["namespace"] = namespace
    elif not namespaced:
        metadata.pop("namespace", None)  # as kubectl does: charts name one everywhere
    outcome = Outcome(
        api_version, kind, metadata.get("namespace"), metadata["name"], error=error, source=source
    )
    return Target(want, resource, outcome)


def _repeated(cluster: str, targets: Sequence[Target]) -> Iterator[InvalidInput]:
    """Problems with cluster-scoped objects that only their namespaces told apart."""
    seen: dict[tuple[str, str, str | None, str], Target] = {}
    for target in targets:
        outcome = target.outcome
        group = outcome.api_version.rpartition("/")[0]
        first = seen.setdefault((group, outcome.kind, outcome.namespace, outcome.name), target)
        if first is not target:
            sources = [one.outcome.source or "the definitions" for one in (first, target)]
            yield _twice(target.want, cluster, (sources[0], first.want), (sources[1], target.want))


def _stage(kind: str) -> int:
    """The order of kinds: what others need comes first, what interferes with others last."""
    if kind in _FIRST:
        return _FIRST[kind]
    if kind in _EARLY:
        return 2
    return 4 if kind in LATE else 3


def _planned_kinds(definitions: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], bool]:
    """(apiVersion, kind) to whether it is namespaced, for each version the CRDs among the definitions serve."""
    return {
        kind: (obj.get("spec") or {}).get("scope") == "Namespaced"
        for obj in definitions
        if obj["kind"] == CRDS.kind
        for kind, _version in versions(obj)
    }


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
