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
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _backup, _bulk, _diff
from ansible_collections.kubestellar.core.plugins.module_utils._backup import Identity
from ansible_collections.kubestellar.core.plugins.module_utils._backup_folder import Saved
from ansible_collections.kubestellar.core.plugins.module_utils._bulk import Outcome
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster, label
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    Conflict,
    KubestellarError,
    Refused,
)
from ansible_collections.kubestellar.core.plugins.module_utils._managed_cluster import PROPERTIES_NAMESPACE
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    CRDS,
    MANAGED_CLUSTERS,
    NAMESPACES,
)
from ansible_collections.kubestellar.core.plugins.module_utils._wait import Verdict, Waiter, condition

MANAGER = "kubestellar.core-restore"
"""Field manager of the apply, until the fields are given back to their owners. What it still owns was interrupted."""

_PLURALS = {
    "BindingPolicy": "bindingpolicies",
    "CustomTransform": "customtransforms",
    "StatusCollector": "statuscollectors",
}
_KUBESTELLAR = "control.kubestellar.io"
_STAGES = 5
_CONFLICTS = 5
_MOST_NAMED = 5


def stage(role: str, obj: Mapping[str, Any]) -> int:
    """When an object of a space is restored, see above."""
    group, kind, _namespace, _name = _backup.identity(obj)
    if role == "its":
        return 1 if kind == MANAGED_CLUSTERS.kind else 0
    if group != _KUBESTELLAR:
        return 2
    return 4 if kind == "BindingPolicy" else 3


@dataclass
class Job:
    """One space on its way.

    :ivar found: identity to object, stripped, as the space has it now.
    :ivar interrupted: the objects whose owners are still to be put right.
    """

    saved: Saved
    cluster: Cluster
    found: dict[Identity, dict[str, Any]] = field(default_factory=dict, repr=False)
    interrupted: set[Identity] = field(default_factory=set, repr=False)
    outcomes: list[Outcome] = field(default_factory=list, repr=False)

    @property
    def name(self) -> str:
        """Name of the space."""
        return self.saved.name

    def foreign(self) -> list[str]:
        """What the space holds and the backup does not."""
        kept = {_backup.identity(obj) for obj in self.saved.objects}
        return [
            label(kind, name, namespace or None)
            for group, kind, namespace, name in sorted(self.found)
            if (group, kind, namespace, name) not in kept
            and (self.saved.secrets or (group, kind) != ("", "Secret"))
        ]

    def lacking_secrets(self) -> list[str]:
        """The Secrets that the backup left out and the space does not have."""
        return [
            name
            for name in self.saved.left_out
            if ("", "Secret", *name.partition("/")[::2]) not in self.found
        ]


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
        content = _backup.read(job.cluster, job.saved.role, exclude=job.saved.exclude)
        job.found = {_backup.identity(obj): obj for _resource, obj in content.objects}
        job.interrupted = {
            key
            for key, entries in content.managers.items()
            if any(entry["manager"] == MANAGER for entry in entries)
        }
    return found


def _wait_for_kinds(job: Job, timeout: float, progress: Progress) -> None:
    kinds = {
        kind for group, kind, _ns, _n in map(_backup.identity, job.saved.objects) if group == _KUBESTELLAR
    }
    if not kinds:
        return
    names = sorted(f"{_PLURALS[kind]}.{_KUBESTELLAR}" for kind in kinds & set(_PLURALS))
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
        hint="Its controller-manager brings them: is the hub set up completely (playbooks/hub.yml)?",
    )


def refuse_foreign(found: Sequence[Job]) -> None:
    """:raises Refused: a space holds what is not in the backup; nothing has been written."""
    refused = {job.name: job.foreign() for job in found if job.foreign()}
    if not refused:
        return
    sentences = []
    for name, foreign in refused.items():
        more = f" and {len(foreign) - _MOST_NAMED} more" if len(foreign) > _MOST_NAMED else ""
        sentences.append(f"{name}: {', '.join(foreign[:_MOST_NAMED])}{more}")
    raise Refused(
        f"Not a fresh hub: {'; '.join(sentences)} {'is' if sum(map(len, refused.values())) == 1 else 'are'} not in the "
        "backup.",
        hint="Is this the right hub? Set merge to restore beside what is there.",
        refused=refused,
    )


def restore(found: Sequence[Job], *, force: bool, dry_run: bool, progress: Progress) -> None:
    """Apply what differs, stage by stage over all spaces; what happened is in the `outcomes` of each job.

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


def _phrase(wanted: Sequence[Mapping[str, Any]]) -> str:
    kinds = sorted({str(obj["kind"]) for obj in wanted})
    return f"of {len(kinds)} kinds" if len(kinds) > 1 else f"of the kind {kinds[0]}"


def results(found: Sequence[Job]) -> list[dict[str, Any]]:
    """The entries of `objects` in the module's result."""
    return [{"space": job.name, **outcome.result()} for job in found for outcome in job.outcomes]


def _apply(
    job: Job, wanted: Sequence[dict[str, Any]], force: bool, dry_run: bool, progress: Progress
) -> list[Outcome]:
    outcomes = {_backup.identity(obj): _unchanged(obj) for obj in wanted}
    todo = [obj for obj in wanted if not _diff.covers(obj, job.found.get(_backup.identity(obj)) or {})]
    if job.saved.role == "its" and any(obj["metadata"].get("namespace") for obj in todo):
        _properties_namespace(job.cluster, todo, dry_run)
    applied = _bulk.apply_all(
        job.cluster, todo, force=force, dry_run=dry_run, field_manager=MANAGER, progress=progress
    )
    outcomes.update({_backup.identity(obj): outcome for obj, outcome in zip(todo, applied, strict=False)})
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
    return [outcomes[_backup.identity(obj)] for obj in wanted]


def _unchanged(obj: Mapping[str, Any]) -> Outcome:
    metadata = obj["metadata"]
    return Outcome(obj["apiVersion"], obj["kind"], metadata.get("namespace"), metadata["name"])


def _properties_namespace(its: Cluster, todo: list[dict[str, Any]], dry_run: bool) -> None:
    """The Namespace of the properties: the transport controller makes it too, but maybe later."""
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
    result = {_backup.manager_key(entry): dict(entry) for entry in entries if entry.get("manager") != MANAGER}
    for entry in recorded:
        known = result.setdefault(_backup.manager_key(entry), {**entry, "fieldsV1": {}})
        known["fieldsV1"] = _united(known["fieldsV1"], entry["fieldsV1"])
    return list(result.values())


def _united(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _united(one.get(key) or {}, other.get(key) or {})
        for key in (*one, *(k for k in other if k not in one))
    }
