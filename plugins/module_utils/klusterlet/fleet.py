# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many clusters at once: what each is, and that it is the one that is meant (private to kubestellar.core).

A cluster that fails does not stop the others; `raise_failures` names it in the end.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _auth, _bulk
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    InvalidInput,
    KubestellarError,
    NotFound,
    plain,
)
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    KLUSTERLETS,
    MANAGED_CLUSTERS,
    NAMESPACES,
    SECRETS,
)
from ansible_collections.kubestellar.core.plugins.module_utils._wait import condition
from ansible_collections.kubestellar.core.plugins.module_utils.klusterlet import hub as hubs
from ansible_collections.kubestellar.core.plugins.module_utils.klusterlet import objects
from ansible_collections.kubestellar.core.plugins.module_utils.klusterlet.hub import Hub, Known, Membership
from ansible_collections.kubestellar.core.plugins.module_utils.klusterlet.wishes import (
    BOOTSTRAP_SECRET,
    HUB_SECRET,
    Place,
    Wish,
)
from ansible_collections.kubestellar.core.plugins.module_utils.placement import catalogue

_REACH_ATTEMPTS = 3
_REACH_SECONDS = 10.0
_MOST_MESSAGES = 20
CONDITIONS = ("Applied", "Available", "HubConnectionDegraded", "ValidFeatureGates")


class Journal:
    """Progress lines of many clusters, each with its name, from many threads. What was said last is not said again."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._lock = threading.Lock()
        self._last: dict[str, str] = {}

    def tell(self, name: str, text: str) -> None:
        """Say what has changed of a cluster."""
        with self._lock:
            if self._last.get(name) != text:
                self._last[name] = text
                self._progress.line(f"{name}: {text} ({self._progress.seconds:.0f} s)")


@dataclass
class Member:
    """One cluster in one run.

    :ivar cluster: its connection; None if it is only planned or could not be reached.
    :ivar home: where its Klusterlet is: the cluster itself, or the management cluster.
    :ivar uid: of its namespace kube-system, by which clusters are told apart.
    :ivar live: its Klusterlet; None if it has none. `others`: names of further Klusterlets there.
    :ivar expected: the hub as it is to know it; None if that is not known.
    :ivar need: why it needs a bootstrap credential, as a clause; empty if it does not.
    :ivar rejoin: whether the hub has no record of it although it has joined.
    :ivar credential: whether it has got a bootstrap credential.
    """

    wish: Wish
    cluster: Cluster | None = None
    home: Cluster | None = None
    uid: str = ""
    live: dict[str, Any] | None = field(default=None, repr=False)
    others: tuple[str, ...] = ()
    membership: Membership = field(default_factory=Membership)
    expected: Known | None = None
    need: str = ""
    rejoin: bool = False
    credential: bool = False
    outcomes: list[_bulk.Outcome] = field(default_factory=list, repr=False)
    warnings: list[str] = field(default_factory=list)
    waited: float = 0.0
    error: str = ""
    hint: str = ""
    findings: list[dict[str, str]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Its name in messages and on the hub."""
        return self.wish.name

    @property
    def changed(self) -> bool:
        """Whether anything was, or in check mode would be, written."""
        return any(outcome.changed for outcome in self.outcomes)

    def fail(self, error: KubestellarError) -> None:
        """Note what went wrong."""
        self.error, self.hint = error.message, error.hint
        self.findings = list(error.details.get("findings") or [])

    def look_again(self, place: Place) -> None:
        """Read what its Klusterlet and Secrets are now."""
        if self.home is None:
            return
        found = klusterlets(self.home)
        self.live = found.get(place.klusterlet(self.name))
        self.others = tuple(sorted(set(found) - {place.klusterlet(self.name)}))
        namespace = place.agent_namespace(self.name)
        self.membership = hubs.membership_of(
            self.home.get(SECRETS, HUB_SECRET, namespace), self.home.get(SECRETS, BOOTSTRAP_SECRET, namespace)
        )

    def result(self, place: Place, now: float) -> dict[str, Any]:
        """Its entry in a module's result."""
        methods = {outcome.method for outcome in self.outcomes if outcome.changed}
        entry: dict[str, Any] = {
            "name": self.name,
            "server": self.cluster.server if self.cluster else "",
            "klusterlet": place.klusterlet(self.name),
            "namespace": place.namespace(self.name),
            "hub": self.expected.server if self.expected else "",
            "joined": self.membership.fresh(now),
            "bootstrap_needed": bool(self.need),
            "bootstrap_reason": self.need,
            "bootstrap_written": self.credential,
            "failed": bool(self.error),
            "changed": self.changed,
            "method": methods.pop() if len(methods) == 1 else "update" if methods else "none",
            "conditions": [
                {key: plain(found.get(key) or "") for key in ("type", "status", "reason", "message")}
                for kind in CONDITIONS
                if (found := condition(self.live, kind))
            ],
        }
        if self.error:
            entry |= {"error": self.error, "hint": self.hint}
        if self.findings:
            entry["findings"] = self.findings
        return entry


@dataclass(frozen=True)
class View:
    """What the clusters are looked at with.

    :ivar hub: the hub, if a connection to it is given.
    :ivar registered: the ManagedClusters of the hub; None if they are not known.
    :ivar fallback: the hub in the bootstrap kubeconfig, where no connection is given.
    :ivar management: the management cluster, for the mode Hosted.
    """

    place: Place
    hub: Hub | None = None
    registered: frozenset[str] | None = None
    fallback: Known | None = None
    management: Cluster | None = None
    change_hub: bool = False


def each(members: Sequence[Member], work: Callable[[Member], None], parallel: int) -> None:
    """Do something with every cluster that has not failed, many at once; what fails is noted there."""

    def one(member: Member) -> None:
        try:
            work(member)
        except KubestellarError as error:
            member.fail(error)

    _bulk.in_parallel(one, [member for member in members if not member.error], workers=parallel)


def look(wishes: Sequence[Wish], view: View, parallel: int) -> list[Member]:
    """What the clusters are. One that cannot be reached, or is not the one that is meant, has an `error`."""
    members = [Member(wish, error=wish.error) for wish in wishes]
    each(members, lambda member: _look(member, view), parallel)
    guard(members, view.hub, view.fallback)
    return members


def _look(member: Member, view: View) -> None:
    wish = member.wish
    if wish.planned:
        return
    auth = _auth.resolve(dict(wish.connection), {}, in_cluster=False)
    member.cluster = Cluster.from_auth(auth, name=wish.name)
    member.uid = uid_of(member.cluster)
    member.home = member.cluster
    if view.place.hosted and view.management is not None:
        member.home = view.management.renamed(wish.name)
    member.look_again(view.place)


def uid_of(cluster: Cluster) -> str:
    """What tells clusters apart that are reached in several ways: the UID of the namespace kube-system.

    :raises KubestellarError: it cannot be reached, or not be read.
    """
    found = cluster.request(
        "GET",
        NAMESPACES.path(name="kube-system"),
        action="read the Namespace kube-system",
        attempts=_REACH_ATTEMPTS,
        timeout=_REACH_SECONDS,
        kind="Namespace",
    )
    uid = (found.get("metadata") or {}).get("uid")
    if not isinstance(uid, str) or not uid:
        raise KubestellarError(f"{cluster.name}: its Namespace kube-system has no UID.")
    return uid


def klusterlets(cluster: Cluster) -> dict[str, dict[str, Any]]:
    """The Klusterlets of a cluster by name. Where the kind is not served there are none, since nothing could hold them."""
    try:
        return {item["metadata"]["name"]: item for item in cluster.list(KLUSTERLETS).items}
    except NotFound:
        return {}


def guard(members: Sequence[Member], hub: Hub | None, known: Known | None = None) -> None:
    """See that each cluster is there once, and none is the hub unless it is meant to be.

    :param known: the hub in the bootstrap kubeconfig, where nothing more is known of it.
    """
    same: dict[str, list[Member]] = defaultdict(list)
    for member in members:
        if member.uid:
            same[member.uid].append(member)
    for found in same.values():
        if len(found) > 1:
            names = [member.name for member in found]
            for member in found:
                others = catalogue.names([name for name in names if name != member.name])
                member.fail(
                    InvalidInput(
                        f"{member.name}: its connection leads to the same cluster as that of {others}.",
                        hint="Correct one of the connections (wec_kubeconfig, wec_context).",
                    )
                )
    for member in members:
        if member.error or not member.uid:
            continue
        is_hub = hub is not None and member.uid in hub.uids
        if hub is None and known is not None and member.cluster is not None:
            is_hub = member.cluster.server.rstrip("/") == known.server
        if hub is not None and member.uid in hub.spaces and not is_hub:
            member.fail(
                InvalidInput(
                    f"{member.name}: its connection leads to {hub.spaces[member.uid]}, a WDS of the hub, where the sources of the "
                    "workload are.",
                    hint="Correct the connection (wec_kubeconfig, wec_context).",
                )
            )
        elif is_hub and not member.wish.is_hub:
            member.fail(
                InvalidInput(
                    f"{member.name}: its connection leads to the hub itself.",
                    hint="Correct the connection; if the hub is to be a WEC too, say so with is_hub (in an inventory, put the "
                    "hub's host into kubestellar_wecs as well).",
                )
            )
        elif hub is not None and member.wish.is_hub and hub.uids and not is_hub:
            member.fail(
                InvalidInput(
                    f"{member.name}: it is said to be the hub itself, and its connection leads to another cluster.",
                    hint="Correct the connection, or is_hub.",
                )
            )


def judge(member: Member, view: View, now: float) -> None:
    """Decide what the cluster needs.

    :raises InvalidInput: it belongs to another hub or has another name there, or its Pods could not reach the hub.
    """
    wish, place = member.wish, view.place
    member.expected = expected_of(wish, view)
    if member.live is not None:
        objects.check_live(member.live, place, wish.name)
    if not place.hosted and member.others:
        raise InvalidInput(
            f"{wish.name}: it has the {catalogue.count(member.others, 'Klusterlet')} {catalogue.names(member.others)} already.",
            hint="A cluster has one. Remove the other, or use the mode Hosted.",
        )
    if (other := hubs.other_hub(member.membership, member.expected, now)) and not view.change_hub:
        raise InvalidInput(
            f"{wish.name}: it belongs to the hub at {plain(other, 120)}, with another authority than the one at "
            f"{plain(member.expected.server if member.expected else '', 120)}.",
            hint="Is it the right cluster? If it is to change its hub, detach it from the old one and set change_hub "
            "(wec_change_hub).",
        )
    _check_address(member)
    joined = member.membership.joined is not None
    member.rejoin = joined and view.registered is not None and wish.name not in view.registered
    member.need = hubs.need(member.membership, member.expected, wish.name, now, rejoin=member.rejoin)


def expected_of(wish: Wish, view: View) -> Known | None:
    """The hub as a cluster is to know it; None if neither a connection nor a credential tells."""
    if view.hub is not None:
        return Known(view.hub.address_for(wish), view.hub.authority)
    if view.fallback is not None:
        return Known(wish.endpoint or view.fallback.server, view.fallback.authority, view.fallback.proxy)
    return None


def _check_address(member: Member) -> None:
    wish, expected = member.wish, member.expected
    reason = hubs.unreachable(expected.server) if expected else ""
    if not reason or expected is None or (wish.is_hub and not wish.endpoint):
        return
    sentence = f"{wish.name}: its Pods cannot reach the hub at {plain(expected.server, 120)}: {reason}."
    if not wish.endpoint:
        raise InvalidInput(
            sentence,
            hint="Set the URL of the ITS as Pods of this cluster reach it: endpoint (wec_hub_endpoint).",
        )
    member.warnings.append(f"{sentence} It is used since it was asked for.")


def registered(its: Cluster) -> frozenset[str]:
    """The names of the ManagedClusters of an ITS."""
    return frozenset(
        item["metadata"]["name"] for item in its.list(MANAGED_CLUSTERS, metadata_only=True).items
    )


def raise_failures(members: Sequence[Member], verb: str, details: Mapping[str, Any]) -> None:
    """Raise one error that names every cluster that failed and why, if any did.

    :param verb: completes "could not be".
    :param details: further keys of the failed result.
    """
    failed = [member for member in members if member.error]
    if not failed:
        return
    told = [f"{member.error} {member.hint}".strip() for member in failed[:_MOST_MESSAGES]]
    more = [f"And {len(failed) - _MOST_MESSAGES} more."] if len(failed) > _MOST_MESSAGES else []
    raise KubestellarError(
        f"{len(failed)} of {catalogue.count(members, 'cluster')} could not be {verb}: "
        f"{catalogue.names([member.name for member in failed])}. {' '.join([*told, *more])}",
        **details,
    )
