# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bringing a backup into the spaces of a hub (private to kubestellar.core).

The order is made for a fresh hub whose WECs have not joined yet. Properties and accepted, labelled ManagedClusters
come first, then all that policies select, then what changes it on its way, and the policies last. So each policy is
resolved once, to what it was, and its ManifestWorks wait for the agents. An agent that joins makes their
AppliedManifestWorks further owners of the objects that are already in its WEC. The AppliedManifestWorks of the earlier
hub are evicted an hour later (`--appliedmanifestwork-eviction-grace-period`); an object that has another owner of this
kind then stays (ocm: pkg/work/spoke/controllers/finalizercontroller, pkg/work/helper, DeleteAppliedResources).

Nothing is ever deleted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bulk, _diff
from ansible_collections.kubestellar.core.plugins.module_utils._bulk import Outcome
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster, label
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    Conflict,
    KubestellarError,
    Refused,
    WaitTimeout,
    plain,
)
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    BINDING_POLICIES,
    BINDINGS,
    CRDS,
    CUSTOM_TRANSFORMS,
    MANAGED_CLUSTERS,
    NAMESPACES,
    STATUS_COLLECTORS,
)
from ansible_collections.kubestellar.core.plugins.module_utils._wait import Verdict, Waiter, condition
from ansible_collections.kubestellar.core.plugins.module_utils.backup import model
from ansible_collections.kubestellar.core.plugins.module_utils.backup.archive import Saved
from ansible_collections.kubestellar.core.plugins.module_utils.backup.model import Identity
from ansible_collections.kubestellar.core.plugins.module_utils.wecs.registered import PROPERTIES_NAMESPACE

MANAGER = "kubestellar.core-restore"
"""Field manager of the apply, until the fields are given back to their owners. What it still owns was interrupted."""

_OWN = (BINDING_POLICIES, CUSTOM_TRANSFORMS, STATUS_COLLECTORS)
_KUBESTELLAR = BINDING_POLICIES.group
_STAGES = 5
_CONFLICTS = 5
_MOST_NAMED = 5


def stage(role: str, obj: Mapping[str, Any]) -> int:
    """When an object of a space is restored, see above."""
    group, kind, _namespace, _name = model.identity(obj)
    if role == "its":
        return 1 if kind == MANAGED_CLUSTERS.kind else 0
    if group != _KUBESTELLAR:
        return 2
    return 4 if kind == "BindingPolicy" else 3


@dataclass
class Job:
    """One space on its way.

    :ivar found: identity to object, stripped, as the space has it now.
    :ivar deleting: the objects that the space is about to lose.
    :ivar interrupted: the objects whose owners are still to be put right.
    """

    saved: Saved
    cluster: Cluster
    found: dict[Identity, dict[str, Any]] = field(default_factory=dict, repr=False)
    deleting: set[Identity] = field(default_factory=set, repr=False)
    interrupted: set[Identity] = field(default_factory=set, repr=False)
    outcomes: list[Outcome] = field(default_factory=list, repr=False)

    @property
    def name(self) -> str:
        """Name of the space."""
        return self.saved.name

    def beside(self) -> list[str]:
        """What the space holds and the backup does not."""
        kept = {model.identity(obj) for obj in self.saved.objects}
        return [_label(key) for key in sorted(self.found) if key not in kept]

    def contradictions(self) -> list[str]:
        """The objects that are there with another content, each with the first field that differs."""
        result = []
        for obj in self.saved.objects:
            key = model.identity(obj)
            place = contradiction(obj, self.found.get(key) or {})
            if place:
                result.append(f"{_label(key)} ({plain(place, 120)})")
        return result


def _label(key: Identity) -> str:
    _group, kind, namespace, name = key
    return label(kind, name, namespace or None)


def contradiction(want: Any, live: Any, place: str = "") -> str:
    """The first field that both sides have with other values, as `spec.replicas`; empty if there is none.

    What only one side has is no contradiction: an interrupted restore may not have brought it yet, and what others have
    added stays.
    """
    if isinstance(want, Mapping) and isinstance(live, Mapping):
        for key in want:
            if key in live:
                found = contradiction(want[key], live[key], f"{place}.{key}" if place else str(key))
                if found:
                    return found
        return ""
    return "" if _diff.covers(want, live) else place


def jobs(
    pairs: Sequence[tuple[Saved, Cluster]], *, timeout: float, progress: Progress, dry_run: bool
) -> list[Job]:
    """The spaces with what they hold now.

    :param timeout: seconds to wait for KubeStellar's kinds, which its controllers bring into a new WDS.
    :raises KubestellarError: something could not be read.
    """
    found = [Job(saved, cluster) for saved, cluster in pairs]
    for job in found:
        if not dry_run:
            _wait_for_kinds(job, timeout, progress)
        content = model.read(job.cluster, job.saved.role, exclude=job.saved.exclude)
        job.found = {model.identity(obj): obj for _resource, obj in content.objects}
        job.deleting = {
            (resource.group, resource.kind, namespace, name)
            for resource, namespace, name in content.left_out.get(model.DELETING, [])
        }
        job.interrupted = {
            key
            for key, entries in content.managers.items()
            if any(entry["manager"] == MANAGER for entry in entries)
        }
        _read_other_versions(job)
        progress.line(f"{job.name}: {len(job.found)} objects there, {len(job.saved.objects)} in the backup")
    return found


def _read_other_versions(job: Job) -> None:
    """Look at objects in the version that the backup has them in, where this server prefers another."""

    def work(obj: Mapping[str, Any]) -> None:
        key = model.identity(obj)
        _group, kind, namespace, name = key
        live = job.cluster.get(job.cluster.resource(obj["apiVersion"], kind), name, namespace or None)
        if live is None:
            job.found.pop(key, None)
        else:
            live["apiVersion"], live["kind"] = obj["apiVersion"], kind
            job.found[key] = model.stripped(live)

    _bulk.in_parallel(
        work,
        [
            obj
            for obj in job.saved.objects
            if (live := job.found.get(model.identity(obj))) is not None
            and live["apiVersion"] != obj["apiVersion"]
        ],
    )


def _wait_for_kinds(job: Job, timeout: float, progress: Progress) -> None:
    kinds = {kind for group, kind, _ns, _n in map(model.identity, job.saved.objects) if group == _KUBESTELLAR}
    if not kinds:
        return
    names = sorted(f"{own.plural}.{own.group}" for own in _OWN if own.kind in kinds)
    waiter = Waiter(progress)
    follower = waiter.follow(job.cluster, CRDS)

    def evaluate() -> Verdict:
        missing = [
            f"{name} is not there"
            for name in names
            if condition(follower.get(name), "Established").get("status") != "True"
        ]
        return Verdict(not missing, missing)

    waiter.until(
        evaluate,
        timeout=timeout,
        what=f"{job.name}: KubeStellar's kinds",
        hint="Its controller-manager brings them: is the hub set up completely (kubestellar.core.hub)?",
    )


def refuse(found: Sequence[Job], *, overwrite: bool) -> None:
    """Stop before the first write.

    :raises Refused: objects of the backup are there with another content, and they are not to be overwritten.
    :raises KubestellarError: objects of the backup are about to vanish.
    """
    for job in found:
        kept = [model.identity(obj) for obj in job.saved.objects]
        going = [_label(key) for key in kept if key in job.deleting]
        if going:
            raise KubestellarError(
                f"{job.name}: {_named(going)} {'is' if len(going) == 1 else 'are'} being deleted there. Nothing has been "
                "restored.",
                hint="Run again when the deletion is over.",
            )
    refused = {job.name: lines for job in found if (lines := job.contradictions())}
    if not refused or overwrite:
        return
    sentences = "; ".join(f"{name}: {_named(lines)}" for name, lines in refused.items())
    one = sum(map(len, refused.values())) == 1
    raise Refused(
        f"{sentences} {'is' if one else 'are'} there with another content than in the backup. Nothing has been restored.",
        hint="Is this the right hub, and a fresh one? Set overwrite to let the backup win.",
        refused=refused,
    )


def _named(lines: Sequence[str]) -> str:
    more = f" and {len(lines) - _MOST_NAMED} more" if len(lines) > _MOST_NAMED else ""
    return f"{', '.join(lines[:_MOST_NAMED])}{more}"


def restore(found: Sequence[Job], *, force: bool, dry_run: bool, progress: Progress) -> None:
    """Apply what is not there, stage by stage over all spaces; what happened is in the `outcomes` of each job.

    :raises KubestellarError: objects failed; later stages have not begun, so nothing is placed with a part missing.
    """
    for number in range(_STAGES):
        for job in found:
            wanted = [obj for obj in job.saved.objects if stage(job.saved.role, obj) == number]
            if not wanted:
                continue
            outcomes = _apply(job, wanted, force, dry_run, progress)
            job.outcomes += outcomes
            changed = sum(outcome.changed for outcome in outcomes)
            if changed:
                progress.line(f"{job.name}: {changed} of {len(outcomes)} objects {_phrase(wanted)} restored")
        for job in found:
            _bulk.raise_failures(job.outcomes, job.name, "restore", objects=results(found))


# -- is it the same -----------------------------------------------------------------------------------------


def differences(
    space: str, recorded: Mapping[str, Mapping[str, Any]], now: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The policies whose placement is not as recorded, each with what is lacking and what is added. Pure.

    :param recorded: policy to placement, see `model.placement`; those that were not settled are not compared.
    :param now: policy to `model.delivery` of its Binding.
    """
    result = []
    for policy, placed in sorted(recorded.items()):
        if not placed["settled"]:
            continue
        found = now.get(policy) or {"clusters": [], "objects": []}
        wanted, there = _by_name(placed["objects"]), _by_name(found["objects"])
        entry = {
            "clusters_missing": sorted(set(placed["clusters"]) - set(found["clusters"])),
            "clusters_added": sorted(set(found["clusters"]) - set(placed["clusters"])),
            "objects_missing": sorted(wanted.keys() - there.keys()),
            "objects_added": sorted(there.keys() - wanted.keys()),
            "objects_changed": sorted(n for n in wanted.keys() & there.keys() if wanted[n] != there[n]),
        }
        if policy not in now or any(entry.values()):
            result.append({"space": space, "policy": policy, "bound": policy in now, **entry})
    return result


def _by_name(objects: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {model.place_name(entry): entry for entry in objects}


_ASPECTS = {
    "clusters_missing": "lacks the cluster",
    "clusters_added": "also goes to the cluster",
    "objects_missing": "lacks",
    "objects_added": "also delivers",
    "objects_changed": "delivers in another way",
}


def phrase(difference: Mapping[str, Any]) -> str:
    """`wds1/shop lacks the cluster c1; also delivers configmaps shop/x`."""
    parts = [
        f"{words} {_named([plain(name, 120) for name in difference[key]])}"
        for key, words in _ASPECTS.items()
        if difference[key]
    ]
    where = f"{difference['space']}/{plain(difference['policy'], 120)}"
    return f"{where} {'; '.join(parts) if difference['bound'] else 'has no Binding'}"


def compare(found: Sequence[Job], *, timeout: float, progress: Progress) -> list[dict[str, Any]]:
    """What differs from the recorded placement once it is the same, or after `timeout` seconds."""
    waiter = Waiter(progress)
    followers = [
        (job, waiter.follow(job.cluster, BINDINGS, keep=model.delivery))
        for job in found
        if any(placed["settled"] for placed in job.saved.placement.values())
    ]
    last: list[dict[str, Any]] = []

    def evaluate() -> Verdict:
        last[:] = [
            entry
            for job, follower in followers
            for entry in differences(
                job.name,
                job.saved.placement,
                {name: placed for (_namespace, name), placed in follower.objects().items()},
            )
        ]
        return Verdict(not last, [phrase(entry) for entry in last])

    try:
        waiter.until(evaluate, timeout=timeout, what="the placement of the backup")
    except WaitTimeout:
        if not last:
            raise  # no answer from an API server
    return last


# -- one object ---------------------------------------------------------------------------------------------


def _phrase(wanted: Sequence[Mapping[str, Any]]) -> str:
    kinds = sorted({str(obj["kind"]) for obj in wanted})
    return f"of {len(kinds)} kinds" if len(kinds) > 1 else f"of the kind {kinds[0]}"


def results(found: Sequence[Job]) -> list[dict[str, Any]]:
    """The entries of `objects` in the module's result."""
    return [{"space": job.name, **outcome.result()} for job in found for outcome in job.outcomes]


def _apply(
    job: Job, wanted: Sequence[dict[str, Any]], force: bool, dry_run: bool, progress: Progress
) -> list[Outcome]:
    outcomes = {model.identity(obj): _unchanged(obj) for obj in wanted}
    todo = [obj for obj in wanted if not _diff.covers(obj, job.found.get(model.identity(obj)) or {})]
    if any(obj["metadata"].get("namespace") == PROPERTIES_NAMESPACE for obj in todo):
        _properties_namespace(job.cluster, todo, dry_run)
    applied = _bulk.apply_all(
        job.cluster, todo, force=force, dry_run=dry_run, field_manager=MANAGER, progress=progress
    )
    outcomes.update({model.identity(obj): outcome for obj, outcome in zip(todo, applied, strict=False)})
    if not dry_run:
        pending = [
            (key, outcome)
            for key, outcome in outcomes.items()
            if not outcome.error and (outcome.after is not None or key in job.interrupted)
        ]

        def hand_over(pair: tuple[Identity, Outcome]) -> None:
            key, outcome = pair
            try:
                _hand_over(job.cluster, outcome, job.saved.managers.get(key) or [])
            except KubestellarError as error:
                outcome.error = error.message

        _bulk.in_parallel(hand_over, pending)
    return [outcomes[model.identity(obj)] for obj in wanted]


def _unchanged(obj: Mapping[str, Any]) -> Outcome:
    metadata = obj["metadata"]
    return Outcome(obj["apiVersion"], obj["kind"], metadata.get("namespace"), metadata["name"])


def _properties_namespace(its: Cluster, todo: list[dict[str, Any]], dry_run: bool) -> None:
    """The Namespace of the properties, which is in no backup: the transport controller makes it too, but maybe later."""
    if its.get(NAMESPACES, PROPERTIES_NAMESPACE) is not None:
        return
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": PROPERTIES_NAMESPACE}}
    if dry_run:
        todo.append(namespace)  # for the forecast of what is in it
    else:
        its.apply(NAMESPACES, namespace)


def _hand_over(cluster: Cluster, outcome: Outcome, recorded: Sequence[Mapping[str, Any]]) -> None:
    """Give the fields of one object back to those who owned them when the backup was made.

    :raises KubestellarError: it keeps changing, or the server refuses.
    """
    resource = cluster.resource(outcome.api_version, outcome.kind)
    live = outcome.after
    for _attempt in range(_CONFLICTS):
        if live is None:
            live = cluster.get(resource, outcome.name, outcome.namespace)
        if live is None:
            return
        entries = list((live.get("metadata") or {}).get("managedFields") or [])
        if not any(entry.get("manager") == MANAGER for entry in entries):
            return
        merged = given_back(entries, recorded)
        if not merged:
            return
        body = {"metadata": {"resourceVersion": live["metadata"]["resourceVersion"], "managedFields": merged}}
        try:
            cluster.patch(resource, outcome.name, outcome.namespace, body, field_manager=MANAGER)
        except Conflict:
            live = None
            continue
        return
    raise KubestellarError(f"{cluster.name}: {outcome.label} keeps changing.", hint="Run again.")


def given_back(
    entries: Sequence[Mapping[str, Any]], recorded: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The managedFields with the entry of the restore replaced by those of the backup. Pure."""
    result = {model.manager_key(entry): dict(entry) for entry in entries if entry.get("manager") != MANAGER}
    for entry in recorded:
        known = result.setdefault(model.manager_key(entry), {**entry, "fieldsV1": {}})
        known["fieldsV1"] = _united(known["fieldsV1"], entry["fieldsV1"])
    return list(result.values())


def _united(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _united(one.get(key) or {}, other.get(key) or {})
        for key in (*one, *(k for k in other if k not in one))
    }
