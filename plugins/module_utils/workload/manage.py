# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a workload about in a WDS, or remove it (private to kubestellar.core).

The order makes every interruption harmless: all checks and dry runs, then the parent says where members may be, then they
are applied, then what is not wanted any more is deleted, and only then the parent says less. A run that ends in between
leaves a parent that says too much, and the next run goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bulk, _diff, _metadata, _refusals
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster, label_of
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    ApiError,
    Conflict,
    KubestellarError,
)
from ansible_collections.kubestellar.core.plugins.module_utils._limit import Limit
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils._resources import CONFIG_MAPS, CRDS, NAMESPACES
from ansible_collections.kubestellar.core.plugins.module_utils.placement.catalogue import count, names
from ansible_collections.kubestellar.core.plugins.module_utils.workload import members, prune, schemas
from ansible_collections.kubestellar.core.plugins.module_utils.workload.applyset import (
    ApplySet,
    GroupKind,
    Scope,
    scope_of,
)

MOST_TRIED = 250
"""How many objects are tried by a dry run before the first write: each costs from a half to two thirds of what writing it costs."""


@dataclass(frozen=True)
class Wish:
    """What is wanted of the objects of a workload.

    :ivar namespace: for namespaced objects that name none; or one for each object.
    :ivar sources: where each object comes from.
    :ivar prune: whether members that are not wanted any more are deleted.
    :ivar limit: how many of them at most; None for the default.
    :ivar recreate: whether an object is deleted and created again where it cannot be changed.
    :ivar contents: whether Namespaces and definitions may be deleted with what others have in them.
    """

    namespace: str | Sequence[str | None] | None = None
    sources: Sequence[str] = ()
    force: bool = False
    prune: bool = True
    limit: Limit | None = None
    recreate: bool = False
    contents: bool = False


@dataclass
class Done:
    """What was done, or in check mode would be.

    :ivar objects: the wanted objects, in their order.
    :ivar pruned: what was deleted.
    :ivar kept: what would have been, but says that it is to be kept.
    :ivar parent: the ConfigMap that is the parent of the set.
    :ivar warnings: sentences for people.
    """

    objects: list[_bulk.Outcome] = field(default_factory=list)
    pruned: list[_bulk.Outcome] = field(default_factory=list)
    kept: list[_bulk.Outcome] = field(default_factory=list)
    parent: _bulk.Outcome | None = None
    warnings: list[str] = field(default_factory=list)

    @property
    def outcomes(self) -> list[_bulk.Outcome]:
        """Everything that may have been written, the parent last."""
        return [*self.objects, *self.pruned, *([self.parent] if self.parent else [])]


class Workload:
    """One workload in one WDS.

    :param dry_run: only ask the server.
    :param judge: gets what is to be written or deleted, each object as it will be, those that go with `state` `absent`, before
        the first write; what it raises stops everything.
    """

    def __init__(
        self,
        wds: Cluster,
        aset: ApplySet,
        *,
        dry_run: bool,
        progress: Progress,
        judge: Callable[[Sequence[Mapping[str, Any]]], None] = lambda _planned: None,
    ) -> None:
        self._wds = wds
        self._aset = aset
        self._dry_run = dry_run
        self._progress = progress
        self._judge = judge
        try:
            self._parent = wds.get(CONFIG_MAPS, aset.name, aset.namespace)
        except ApiError as error:
            if error.status == 403:
                error.hint = (
                    "Set applyset_namespace, in an inventory workload_applyset_namespace, to a Namespace in which the credentials have "
                    "this right."
                )
            raise
        self._known = aset.scope(self._parent) if self._parent is not None else None
        self._written = _bulk.Outcome("v1", CONFIG_MAPS.kind, aset.namespace, aset.name, before=self._parent)
        self.done = Done(parent=self._written)

    def apply(self, objects: Sequence[Mapping[str, Any]], wish: Wish) -> None:
        """Apply the objects and prune. What happens is in `done`, also if this raises.

        :param objects: from `_bulk.check_definitions`, labelled.
        :raises InvalidInput: a namespaced object without a namespace; before the first write.
        :raises Refused: another set has some of the objects, or more would be deleted than may be; before the first write.
        :raises KubestellarError: objects failed; `done` says which ones, and what was done with the others.
        """
        done, aset = self.done, self._aset
        batch = _bulk.Batch(
            self._wds, objects, namespace=wish.namespace, sources=wish.sources, progress=self._progress
        )
        done.objects = batch.outcomes
        batch.read(members.selector(aset))
        wanted = {
            (GroupKind.of_object(outcome.api_version, outcome.kind), outcome.namespace or "", outcome.name)
            for outcome in done.objects
        }
        others = members.read(self._wds, aset, self._known, others_than={kind for kind, *_rest in wanted})
        others.unread |= {GroupKind.of(resource): reason for resource, reason in batch.unlisted.items()}
        found = members.ours([*batch.members, *others.found], aset)
        prune.check_claims(
            self._wds.name,
            aset,
            prune.claims(
                aset, [(target.outcome.label, target.before) for target in batch.targets if target.before]
            ),
        )
        gone = self._leaving(batch, wanted, found, others, wish)
        for target in batch.targets:
            if target.before is not None and not target.outcome.error:
                target.outcome.error = _metadata.departure(
                    self._wds.name, target.outcome.label, target.before
                )
        first, gone = _first(gone)
        batch.unhooked = self._webhooks(first)
        batch.attempt(most=MOST_TRIED, force=wish.force, recreate=wish.recreate)
        self._explain(batch)
        self._check_schemas(batch)
        self._check_tried()
        self._judge([*(t.planned() for t in batch.targets if t.differs), *_leaves([*first, *gone])])
        if self._dry_run:
            batch.forecast()
        scope = scope_of((o.api_version, o.kind, o.namespace) for o in done.objects)
        leaving = {obj["metadata"]["uid"] for _resource, obj in [*first, *gone]}
        staying = [pair for pair in found if pair[1]["metadata"]["uid"] not in leaving]
        final = scope | _scope_of_found(staying) | Scope(frozenset(others.unread))
        if others.unread and self._known is not None:
            final |= Scope(namespaces=self._known.namespaces)
        wide = final | _scope_of_found([*first, *gone]) | (self._known or Scope())
        if not self._dry_run:
            self._write_parent(wide)
        done.pruned = _bulk.delete_all(self._wds, first, dry_run=self._dry_run)
        _bulk.raise_failures(done.pruned, self._wds.name, "prune")
        if not self._dry_run:
            batch.apply(force=wish.force, recreate=wish.recreate)
            self._explain(batch)
            _bulk.raise_failures(done.objects, self._wds.name)
        done.pruned += _bulk.delete_all(self._wds, gone, dry_run=self._dry_run)
        _bulk.raise_failures(done.pruned, self._wds.name, "prune")
        self._write_parent(final)

    def _explain(self, batch: _bulk.Batch) -> None:
        """Say what can be done about refusals where there is a choice."""
        for target in batch.targets:
            outcome, error = target.outcome, target.outcome.failure
            what = f"{self._wds.name}: {outcome.label}"
            if isinstance(error, Conflict) and _refusals.conflicts(error.message):
                outcome.fail(_refusals.explain(error, what))
            elif isinstance(error, ApiError) and target.before is not None:
                fields = _refusals.immutable(error)
                if fields:
                    outcome.fail(_immutable(f"{what} cannot be changed in {names(fields)}", outcome.kind))

    def _check_schemas(self, batch: _bulk.Batch) -> None:
        """Note in the outcomes what is wrong with objects that the server has not tried."""
        unseen = [
            target
            for target in batch.targets
            if target.differs and not target.tried and (target.elsewhere or not target.outcome.error)
        ]
        if not unseen:
            return
        found = schemas.read(self._wds, {target.outcome.api_version for target in unseen})
        for target in batch.targets:
            if target.resource == CRDS and target.differs:
                found.add_definition(target.want)
        for target in unseen:
            problems = found.problems(target.want)
            if problems:
                target.outcome.error = f"{self._wds.name}: {target.outcome.label}: {'; '.join(problems)}."

    def _check_tried(self) -> None:
        """:raises KubestellarError: the server refuses some of the objects; nothing has been written."""
        failed = [outcome for outcome in self.done.objects if outcome.error]
        if not failed:
            return
        for outcome in self.done.objects:
            outcome.method = "none"
        raise KubestellarError(
            f"{self._wds.name}: {len(failed)} of {count(len(self.done.objects), 'object')} of the workload {self._aset.workload} "
            f"cannot be applied, so nothing has been written: {_bulk.reasons(failed)}"
        )

    def _leaving(
        self,
        batch: _bulk.Batch,
        wanted: set[prune.Identity],
        found: Sequence[members.Found],
        others: members.Members,
        wish: Wish,
    ) -> list[members.Found]:
        """What is to be pruned, checked; nothing as long as something could not be looked at."""
        if others.gone:
            self.done.warnings.append(
                f"{self._wds.name}: {names([str(kind) for kind in others.gone])} is not served any more and nothing defines it: "
                f"what the workload {self._aset.workload} had of it is gone."
            )
        if others.unread:
            listed = "; ".join(f"{kind}: {reason}" for kind, reason in sorted(others.unread.items()))
            self.done.warnings.append(
                f"{self._wds.name}: nothing is pruned from the workload {self._aset.workload} in this run, since it may have objects "
                f"of kinds that cannot be looked at: {listed}"
            )
            return []
        if not wish.prune:
            return []
        uids = {target.before["metadata"]["uid"] for target in batch.targets if target.before is not None}
        gone = self._without_kept(prune.leaving(found, wanted, uids))
        alive = [obj for _resource, obj in found if not obj["metadata"].get("deletionTimestamp")]
        prune.check_limit(self._wds.name, self._aset, gone, len(alive), wish.limit)
        if not wish.contents:
            prune.check_contents(self._wds.name, self._aset, prune.contents(self._wds, gone, sorted(wanted)))
        return gone

    def _webhooks(self, found: Sequence[members.Found]) -> frozenset[str]:
        """The webhooks of live configurations, of which only the metadata may have been read."""
        whole = [
            obj if "webhooks" in obj else self._wds.get(resource, obj["metadata"]["name"]) or {}
            for resource, obj in found
            if resource.kind.endswith("WebhookConfiguration")
        ]
        return frozenset(str(hook.get("name")) for obj in whole for hook in obj.get("webhooks") or [])

    def _without_kept(self, found: Sequence[members.Found]) -> list[members.Found]:
        """Those that may be deleted. The others are noted, and stay members."""
        kept = prune.kept(found)
        self.done.kept = [
            _bulk.Outcome(
                resource.api_version,
                resource.kind,
                obj["metadata"].get("namespace"),
                obj["metadata"]["name"],
            )
            for resource, obj in kept
        ]
        if kept:
            self.done.warnings.append(
                f"{self._wds.name}: kept of the workload {self._aset.workload}, as the annotation {prune.KEEP} says: "
                f"{names([label_of(*pair) for pair in kept])}. Remove the annotation there to let go of it."
            )
        uids = {obj["metadata"]["uid"] for _resource, obj in kept}
        return [pair for pair in found if pair[1]["metadata"]["uid"] not in uids]

    def remove(self, *, contents: bool, timeout: float) -> None:
        """Delete all members that are not to be kept, wait until they are gone, and delete the parent if none is left.

        :param contents: as in `Wish`.
        :param timeout: seconds to wait.
        :raises Refused: others have objects in what would be deleted; before the first write.
        :raises KubestellarError: some kinds cannot be looked at, or objects could not be deleted.
        :raises WaitTimeout: some are still there.
        """
        read = members.read(self._wds, self._aset, self._known)
        if read.unread:
            listed = "; ".join(f"{kind}: {reason}" for kind, reason in sorted(read.unread.items()))
            raise KubestellarError(
                f"{self._wds.name}: the workload {self._aset.workload} cannot be removed, since it may have objects of kinds that "
                f"cannot be looked at: {listed}",
                hint="Nothing has been deleted. Repair what serves these kinds, or delete its definition, and run this again.",
            )
        gone = self._without_kept(read.found)
        if not contents:
            prune.check_contents(self._wds.name, self._aset, prune.contents(self._wds, gone))
        self._judge(list(_leaves(gone)))
        deleted = _bulk.delete_all(self._wds, gone, dry_run=self._dry_run)
        self.done.objects = deleted
        _bulk.raise_failures(deleted, self._wds.name, "absent")
        if gone and not self._dry_run:
            members.wait_gone(self._wds, gone, timeout, self._progress)
        if self.done.kept:
            self._write_parent(scope_of((o.api_version, o.kind, o.namespace) for o in self.done.kept))
        else:
            self._delete_parent()

    def _says(self, scope: Scope) -> bool:
        """Whether the parent says just this already."""
        return self._parent is not None and _diff.satisfied(self._aset.parent(scope), self._parent)

    def _write_parent(self, scope: Scope) -> None:
        """Let the parent say this; in check mode, note what it would say in the end."""
        outcome = self._written
        if self._says(scope):
            return
        want = self._aset.parent(scope)
        if self._dry_run:
            after: Mapping[str, Any] = want
        else:
            # Whatever somebody else has written there, it says what is true.
            after = self._parent = self._wds.apply(CONFIG_MAPS, want, force=True)
        outcome.method = "create" if outcome.before is None else "update"
        outcome.after = after

    def _delete_parent(self) -> None:
        outcome = self._written
        if self._parent is None:
            return
        if not self._dry_run:
            self._wds.delete(
                CONFIG_MAPS, outcome.name, outcome.namespace, uid=self._parent["metadata"]["uid"]
            )
        outcome.method = "delete"


def _first(gone: Sequence[members.Found]) -> tuple[list[members.Found], list[members.Found]]:
    """What has to be deleted before anything is sent, since requests for other objects can fail by it, and the others."""
    first = [pair for pair in gone if pair[0].kind in _bulk.LATE]
    return first, [pair for pair in gone if pair[0].kind not in _bulk.LATE]


def _leaves(gone: Sequence[members.Found]) -> Iterator[dict[str, Any]]:
    """What is to be deleted, as `Workload` tells it."""
    for resource, obj in gone:
        identity = {key: obj["metadata"].get(key) for key in ("name", "namespace")}
        yield {
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "metadata": identity,
            "state": "absent",
        }


def _immutable(what: str, kind: str) -> KubestellarError:
    if kind in (NAMESPACES.kind, CRDS.kind):
        return KubestellarError(
            f"{what}.",
            hint="It is not recreated, since everything in it would go with it: give it another name.",
        )
    return KubestellarError(
        f"{what}: it would have to be deleted and created again.",
        hint="Set recreate=allowed for that, or take the change back.",
    )


def _scope_of_found(found: Sequence[members.Found]) -> Scope:
    return scope_of(
        (resource.api_version, resource.kind, obj["metadata"].get("namespace")) for resource, obj in found
    )
