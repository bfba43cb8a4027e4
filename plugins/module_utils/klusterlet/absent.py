# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One cluster loses its Klusterlet, then the operator, its namespaces and its kinds (private to kubestellar.core).

The order is that of OCM: a Klusterlet has a finalizer that only a live operator takes away (ocm:
pkg/operator/operators/klusterlet/controllers/klusterletcontroller/klusterlet_cleanup_controller.go). It also deletes the
namespaces of agents and add-ons, and leaves the AppliedManifestWorks, which own the workload.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bulk
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import NotFound, Refused
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    APPLIED_MANIFEST_WORKS,
    CLUSTER_CLAIMS,
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    CRDS,
    DEPLOYMENTS,
    KLUSTERLETS,
    NAMESPACES,
    SECRETS,
    SERVICE_ACCOUNTS,
    Resource,
)
from ansible_collections.kubestellar.core.plugins.module_utils._wait import Verdict, Waiter
from ansible_collections.kubestellar.core.plugins.module_utils.klusterlet import objects
from ansible_collections.kubestellar.core.plugins.module_utils.klusterlet.fleet import Journal, Member
from ansible_collections.kubestellar.core.plugins.module_utils.klusterlet.wishes import (
    ADDON_NAMESPACE,
    OPERATOR,
    OPERATOR_NAMESPACE,
    PULL_SECRET,
    Place,
)
from ansible_collections.kubestellar.core.plugins.module_utils.placement import catalogue

_OPERATOR_OBJECTS: tuple[tuple[Resource, str, str | None], ...] = (
    (DEPLOYMENTS, OPERATOR, OPERATOR_NAMESPACE),
    (SERVICE_ACCOUNTS, OPERATOR, OPERATOR_NAMESPACE),
    (SECRETS, PULL_SECRET, OPERATOR_NAMESPACE),
    (CLUSTER_ROLE_BINDINGS, OPERATOR, None),
    (CLUSTER_ROLES, OPERATOR, None),
)
"""What the chart makes for the operator (ocm: deploy/klusterlet/chart/klusterlet/templates)."""
_KINDS = (APPLIED_MANIFEST_WORKS, CLUSTER_CLAIMS, KLUSTERLETS)
_NOT_OURS = "default"


@dataclass(frozen=True)
class Removal:
    """How to remove.

    :ivar operator: whether operator, namespaces and kinds go too, where nothing else needs them.
    :ivar force: whether the workload that was delivered may stay behind without anybody who looks after it.
    """

    place: Place
    operator: bool = True
    force: bool = False
    timeout: float = 300.0
    dry_run: bool = False


def check(member: Member, removal: Removal) -> None:
    """See that it is the cluster that is meant, and that nothing delivered is left that the agent should have removed.

    :raises InvalidInput: it is registered under another name.
    :raises Refused: something delivered is left.
    """
    if member.cluster is None or member.live is None:
        return
    objects.check_name(member.live, member.name)
    left = _works(member.cluster, str(member.live["metadata"].get("uid") or ""))
    if left and not removal.force:
        raise Refused(
            f"{member.name}: {catalogue.count(left, 'AppliedManifestWork')} of its hub "
            f"{'is' if len(left) == 1 else 'are'} still there ({catalogue.names(left)}): without its agent, what was delivered "
            "stays behind.",
            hint="Take the cluster out of the policies and detach it first (wec_state drained, then absent); if what was delivered "
            "may stay, set force.",
            refused=left,
        )


def remove(member: Member, removal: Removal, journal: Journal) -> None:
    """Remove what is there, each step when the one before it is done.

    :raises KubestellarError: something cannot be deleted.
    :raises WaitTimeout: a finalizer stays, naming what would take it away.
    """
    home, cluster, place = member.home, member.cluster, removal.place
    if home is None or cluster is None:
        return
    # The one that is there may have been given another namespace.
    given = str(((member.live or {}).get("spec") or {}).get("namespace") or place.given)
    namespaces = {ADDON_NAMESPACE} if not member.others and not place.hosted else set()
    namespaces |= set() if place.hosted else {Place(place.mode, given).agent_namespace(member.name)}
    if member.live is not None:
        _klusterlet(member, home, removal, journal)
    _delete(member, home, removal, _namespaces(home, namespaces))
    # In the mode Hosted, or where there are several, operator and kinds serve other clusters.
    if removal.operator and not member.others and not place.hosted:
        _delete(member, home, removal, list(_operator(home)))
        if not _shared(home):
            namespaces.add(OPERATOR_NAMESPACE)
            _delete(member, home, removal, _namespaces(home, {OPERATOR_NAMESPACE}))
        _delete(member, home, removal, list(_kinds(home, removal)))
    if not removal.dry_run:
        _gone(home, NAMESPACES, namespaces, removal)
        member.look_again(place)
    if member.changed:
        journal.tell(member.name, "would be removed" if removal.dry_run else "removed")


def _klusterlet(member: Member, home: Cluster, removal: Removal, journal: Journal) -> None:
    """Delete the Klusterlet and wait until its operator has let it go."""
    live = member.live or {}
    name = live["metadata"]["name"]
    _delete(member, home, removal, [(KLUSTERLETS, live)])
    if removal.dry_run:
        return
    journal.tell(member.name, f"waiting until the operator has removed what belongs to the Klusterlet {name}")
    operator = home.get(DEPLOYMENTS, OPERATOR, OPERATOR_NAMESPACE)
    runs = bool(((operator or {}).get("status") or {}).get("availableReplicas"))
    if removal.force and not runs and home.get(KLUSTERLETS, name) is not None:
        home.patch(KLUSTERLETS, name, None, {"metadata": {"finalizers": None}})
    _gone(
        home,
        KLUSTERLETS,
        {name},
        removal,
        ""
        if runs
        else f"The Deployment {OPERATOR_NAMESPACE}/{OPERATOR}, which would let it go, does not run. ",
    )


def _gone(home: Cluster, resource: Resource, names: set[str], removal: Removal, why: str = "") -> None:
    """:raises WaitTimeout: one of them stays."""
    if not names:
        return
    waiter = Waiter(Progress(None))
    follower = waiter.follow(home, resource)

    def evaluate() -> Verdict:
        left = [f"{resource.kind} {name} is still there" for name in sorted(names) if follower.get(name)]
        return Verdict(not left, left)

    waiter.until(
        evaluate,
        timeout=removal.timeout,
        what=f"{home.name}: removal of {catalogue.names(sorted(names))}",
        hint=f"{why}Look at its finalizers and at the log of the operator; force takes those of a Klusterlet away where no operator runs.",
    )


def _delete(
    member: Member, home: Cluster, removal: Removal, found: list[tuple[Resource, Mapping[str, Any]]]
) -> None:
    outcomes = _bulk.delete_all(home, found, dry_run=removal.dry_run)
    member.outcomes += outcomes
    _bulk.raise_failures(outcomes, home.name, "delete")


def _namespaces(home: Cluster, names: set[str]) -> list[tuple[Resource, Mapping[str, Any]]]:
    found = [home.get(NAMESPACES, name) for name in sorted(names)]
    return [
        (NAMESPACES, live)
        for live in found
        if live is not None and not live["metadata"].get("deletionTimestamp")
    ]


def _operator(home: Cluster) -> Iterator[tuple[Resource, Mapping[str, Any]]]:
    for resource, name, namespace in _OPERATOR_OBJECTS:
        live = home.get(resource, name, namespace)
        if live is not None:
            yield resource, live


def _shared(home: Cluster) -> bool:
    """Whether something else is in the operator's namespace, such as OCM's hub and its account for joining."""
    for resource, mine in ((DEPLOYMENTS, {OPERATOR}), (SERVICE_ACCOUNTS, {OPERATOR, _NOT_OURS})):
        try:
            items = home.list(resource, OPERATOR_NAMESPACE, metadata_only=True).items
        except NotFound:
            continue
        if {item["metadata"]["name"] for item in items} - mine:
            return True
    return False


def _kinds(home: Cluster, removal: Removal) -> Iterator[tuple[Resource, Mapping[str, Any]]]:
    """The CustomResourceDefinitions of which there are no objects; deleting one would delete its objects."""
    for resource in _KINDS:
        try:
            count = len(home.list(resource, metadata_only=True).items)
        except NotFound:
            continue
        if resource is KLUSTERLETS and removal.dry_run:
            count = 0  # by then it is gone
        crd = home.get(CRDS, f"{resource.plural}.{resource.group}")
        if not count and crd is not None:
            yield CRDS, crd


def _works(cluster: Cluster, uid: str) -> list[str]:
    """The names of the AppliedManifestWorks of a Klusterlet. One without an agent is counted too."""
    try:
        items = cluster.list(APPLIED_MANIFEST_WORKS).items
    except NotFound:
        return []
    return sorted(
        str(item["metadata"]["name"])
        for item in items
        if str((item.get("spec") or {}).get("agentID") or uid) == uid
    )
