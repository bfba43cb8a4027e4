# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WECs taken out of an ITS (private to kubestellar.core)."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bulk, _csr
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    KubestellarError,
    NotFound,
    WaitTimeout,
    plain,
)
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    CONFIG_MAPS,
    CSRS,
    MANAGED_CLUSTERS,
    MANIFEST_WORKS,
    NAMESPACES,
    Resource,
)
from ansible_collections.kubestellar.core.plugins.module_utils._wait import (
    Verdict,
    Waiter,
    condition,
)
from ansible_collections.kubestellar.core.plugins.module_utils._workstatus import ORIGIN_WDS_LABEL
from ansible_collections.kubestellar.core.plugins.module_utils.placement.catalogue import names
from ansible_collections.kubestellar.core.plugins.module_utils.wecs.member import WORKERS, Member, Noting
from ansible_collections.kubestellar.core.plugins.module_utils.wecs.placements import Placements
from ansible_collections.kubestellar.core.plugins.module_utils.wecs.registered import State, read_state
from ansible_collections.kubestellar.core.plugins.module_utils.wecs.wanted import Wish

_MANAGED_CLUSTER_ADDONS = Resource(
    "addon.open-cluster-management.io", "v1alpha1", "managedclusteraddons", "ManagedClusterAddOn", True
)


class Removal:
    """Detaches WECs from one ITS (contract 6.5, steps on the hub).

    :param force: for clusters that are gone for good: finalizers of what is left in their namespace are removed.
    :param wdses: the WDSes that deliver through this ITS, as far as they matter: what the hub keeps of a cluster is deleted only
        when no Binding lists it.
    """

    def __init__(
        self,
        its: Cluster,
        clusters: Sequence[str],
        *,
        force: bool,
        wdses: Sequence[Cluster] = (),
        dry_run: bool,
        progress: Progress,
    ) -> None:
        self._its = its
        self._force = force
        self._wdses = wdses
        self._dry_run = dry_run
        self._progress = progress
        self.members = [Member(Wish(name)) for name in clusters]

    def run(self, *, wait: bool, timeout: float) -> list[Member]:
        """Do all of it. What went wrong with a cluster is in its `error`.

        :raises KubestellarError: nothing could be read.
        """
        state = read_state(self._its)
        mine = {member.name for member in self.members}
        namespaces = {
            item["metadata"]["name"]: item
            for item in self._its.list(
                NAMESPACES, label_selector=_csr.CLUSTER_LABEL, metadata_only=True
            ).items
            if item["metadata"]["name"] in mine
        }
        works = self._works()
        for member in self.members:
            member.managed = state.managed.get(member.name)
            self._check_empty(member, works.get(member.name, []))
        self._each(self._delete_managed)
        if self._force:
            self._each(lambda member: self._strip(member, works.get(member.name, [])))
        if wait and not self._dry_run:
            self._wait_gone(MANAGED_CLUSTERS, lambda member: member.managed, timeout)
        if self._wdses and not self._dry_run:
            self._wait_unlisted(timeout)
        self._each(lambda member: self._delete_rest(member, state, namespaces.get(member.name)))
        if wait and not self._dry_run:
            self._wait_gone(NAMESPACES, lambda member: namespaces.get(member.name), timeout)
        for member in self.members:
            if not member.error and not self._dry_run:
                member.managed = None
        return self.members

    def _works(self) -> dict[str, list[dict[str, Any]]]:
        """ManifestWorks by namespace, metadata only."""
        grouped: dict[str, list[dict[str, Any]]] = {}
        for item in self._its.list(MANIFEST_WORKS, metadata_only=True).items:
            grouped.setdefault(item["metadata"]["namespace"], []).append(item)
        return grouped

    def _each(self, work: Callable[[Member], None]) -> None:
        """`work` on every cluster that has not failed, in parallel."""

        def guarded(member: Member) -> None:
            with Noting(member):
                work(member)

        going = [member for member in self.members if not member.error]
        with ThreadPoolExecutor(max_workers=WORKERS) as pool:
            list(pool.map(guarded, going))

    def _check_empty(self, member: Member, works: Sequence[Mapping[str, Any]]) -> None:
        placed = sorted(
            {
                str((work["metadata"].get("labels") or {}).get(ORIGIN_WDS_LABEL))
                for work in works
                if ORIGIN_WDS_LABEL in (work["metadata"].get("labels") or {})
            }
        )
        if placed and not self._force:
            member.error = (
                f"{self._its.name}: {member.name} still has workload of {', '.join(placed)}. Remove the labels that "
                "select it or change the policies, and wait; or set force for a cluster that is gone for good."
            )

    def _delete_managed(self, member: Member) -> None:
        managed = member.managed
        if managed is None:
            return
        member.note("delete", self._its.name, f"ManagedCluster {member.name}", managed, None)
        if not managed["metadata"].get("deletionTimestamp"):
            self._its.delete(
                MANAGED_CLUSTERS, member.name, uid=managed["metadata"].get("uid"), dry_run=self._dry_run
            )

    def _strip(self, member: Member, works: Sequence[Mapping[str, Any]]) -> None:
        """Remove finalizers that only a living agent would remove, and note what is abandoned with it."""
        addons: Sequence[Mapping[str, Any]] = []
        with contextlib.suppress(NotFound):  # without the add-on API there are none
            addons = self._its.list(_MANAGED_CLUSTER_ADDONS, member.name, metadata_only=True).items
        for resource, items in ((MANIFEST_WORKS, works), (_MANAGED_CLUSTER_ADDONS, addons)):
            for item in items:
                name = item["metadata"]["name"]
                self._its.delete(resource, name, member.name, dry_run=self._dry_run)
                if item["metadata"].get("finalizers"):
                    released = {"metadata": {"finalizers": None}}
                    try:
                        self._its.patch(resource, name, member.name, released, dry_run=self._dry_run)
                    except NotFound:
                        continue
                member.abandoned.append(f"{resource.kind} {name}")

    def _delete_rest(self, member: Member, state: State, namespace: Mapping[str, Any] | None) -> None:
        """The mailbox namespace, certificate requests and properties, which OCM leaves behind."""
        items: list[tuple[Resource, Mapping[str, Any]]] = [
            (CSRS, csr) for csr in state.requests.get(member.name, [])
        ]
        if namespace is not None:
            items.append((NAMESPACES, namespace))
        if member.name in state.properties:
            items.append((CONFIG_MAPS, state.properties[member.name]))
        outcomes = _bulk.delete_all(self._its, items, dry_run=self._dry_run)
        for outcome in outcomes:
            if outcome.error:
                raise KubestellarError(outcome.error)
            if outcome.changed:
                member.method = "delete"
                member.diffs.append(partial(outcome.diff, self._its.name))

    def _wait_unlisted(self, timeout: float) -> None:
        """Wait until no Binding lists the clusters.

        KubeStellar would withdraw the workload of a policy from all clusters if one of them lacked its properties (kubestellar:
        pkg/transport/generic/generic_transport_controller.go).
        """
        going = {member.name: member for member in self.members if not member.error}
        waiter = Waiter(self._progress)
        placements = Placements(waiter, self._wdses)
        left: dict[str, str] = {}

        def evaluate() -> Verdict:
            placed = placements.by_cluster()
            left.clear()
            left.update({name: f"{names(placed[name])} still lists it" for name in going if placed[name]})
            return Verdict(not left, [f"{name}: {text}" for name, text in left.items()])

        try:
            waiter.until(
                evaluate, timeout=timeout, what=f"{self._its.name}: removed clusters out of every Binding"
            )
        except WaitTimeout:
            for name, text in left.items():
                going[name].error = (
                    f"{self._its.name}: the properties and the namespace of {name} are kept, since {text}. Is the controller-manager "
                    "of that WDS running? Run it again then."
                )

    def _wait_gone(
        self,
        resource: Resource,
        known: Callable[[Member], Mapping[str, Any] | None],
        timeout: float,
    ) -> None:
        """Wait until the known objects, by UID, are gone; those that are not, fail."""
        going = {m.name: m for m in self.members if not m.error and known(m) is not None}
        if not going:
            return
        uids = {name: (known(m) or {})["metadata"].get("uid") for name, m in going.items()}
        waiter = Waiter(self._progress)
        follower = waiter.follow(self._its, resource)
        left: dict[str, str] = {}

        def evaluate() -> Verdict:
            left.clear()
            for name in going:
                obj = follower.get(name)
                if obj is not None and obj["metadata"].get("uid") == uids[name]:
                    left[name] = _holding(obj)
            return Verdict(not left, [f"{name}: {text}" for name, text in left.items()])

        start = time.monotonic()
        try:
            waiter.until(evaluate, timeout=timeout, what=f"{self._its.name}: {resource.plural} removed")
        except WaitTimeout:
            for name, text in left.items():
                going[name].error = (
                    f"{self._its.name}: {resource.kind} {name} is still there after "
                    f"{time.monotonic() - start:.0f} s: {text}. Is its agent running? If the cluster is gone for "
                    "good, set force."
                )
        for member in going.values():
            member.seconds += time.monotonic() - start


def abandonments(members: Sequence[Member]) -> list[str]:
    """What was given up with clusters that are gone for good, as warnings."""
    return [
        f"{member.name} was not waited for, and this is abandoned: {names(member.abandoned)}. If the cluster comes back, what was "
        "delivered to it still runs there."
        for member in members
        if member.abandoned
    ]


def _holding(obj: Mapping[str, Any]) -> str:
    """What keeps an object that is being deleted: its finalizers, and OCM's condition `Deleting`."""
    finalizers = ", ".join((obj.get("metadata") or {}).get("finalizers") or []) or "none"
    found = condition(dict(obj), "Deleting")
    told = f"; {found.get('reason')}: {found.get('message')}" if found else ""
    return plain(f"finalizers {finalizers}{told}", 300)
