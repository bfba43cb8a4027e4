# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One cluster gets OCM's operator, its Klusterlet and, if it needs one, a bootstrap credential (private to kubestellar.core).

The operator makes the agents and tells of them in the conditions of the Klusterlet (ocm:
pkg/operator/operators/klusterlet/controllers). Whether the hub can be reached is asked by it as well, from inside the cluster.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bulk, _health
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    ApiError,
    ConnectionFailed,
    InvalidInput,
    KubestellarError,
    NotFound,
    WaitTimeout,
    plain,
)
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    DEPLOYMENTS,
    EVENTS,
    KLUSTERLETS,
    PODS,
    SECRETS,
)
from ansible_collections.kubestellar.core.plugins.module_utils._wait import Verdict, Waiter, condition
from ansible_collections.kubestellar.core.plugins.module_utils.hub import troubles
from ansible_collections.kubestellar.core.plugins.module_utils.hub.troubles import Finding
from ansible_collections.kubestellar.core.plugins.module_utils.klusterlet import objects
from ansible_collections.kubestellar.core.plugins.module_utils.klusterlet.chart import Rendered
from ansible_collections.kubestellar.core.plugins.module_utils.klusterlet.fleet import Journal, Member
from ansible_collections.kubestellar.core.plugins.module_utils.klusterlet.hub import Bootstrap
from ansible_collections.kubestellar.core.plugins.module_utils.klusterlet.wishes import (
    BOOTSTRAP_SECRET,
    HUB_SECRET,
    OPERATOR,
    OPERATOR_NAMESPACE,
    Place,
)

_APPLY_WORKERS = 2
_LOOK_SECONDS = 2.0
_OPERATOR_SECONDS = 30.0
"""How often the operator asks the hub whether a credential is good."""
_SETTLE_SECONDS = _OPERATOR_SECONDS + 5.0
"""How long the operator may take to look at a credential that takes the place of another, since its answer may stay the same: if it
is looking at the former one just then, it looks again after its interval (ocm: pkg/operator/operators/klusterlet/controllers/ssarcontroller).
"""
_PLANNED = "planned in check mode"
_FRESH_CREDENTIAL = "Make a fresh credential with join_credentials, and see whether the ITS is the right one."
_HUB_TROUBLES = {
    "BootstrapSecretMissing": "Give a credential to join with.",
    "BootstrapSecretError": "Is the hub's address reachable from its Pods? If not, set endpoint (wec_hub_endpoint).",
    "BootstrapSecretUnauthorized": _FRESH_CREDENTIAL,
}
"""Reasons of the condition HubConnectionDegraded that keep a cluster from joining, and what to do (ocm: ssarcontroller)."""
_REFUSED = re.compile(r"Unauthorized|provide credentials|forbidden", re.IGNORECASE)
_CAUSE = re.compile(rf'{BOOTSTRAP_SECRET}"(?: to apiserver [^ ]+)?: ([^\n]+)')


@dataclass(frozen=True)
class Plan:
    """What clusters get.

    :ivar rendered: the chart; empty without `operator`.
    :ivar spec: the part of the Klusterlets that is the same for all.
    :ivar pull: the Secret to pull images with; None for none.
    :ivar bootstrap: the credential; None if none is given.
    :ivar patience: seconds that a trouble that may pass by itself must last to end the wait.
    """

    place: Place
    operator: bool
    rendered: Rendered = field(default_factory=Rendered)
    spec: Mapping[str, Any] = field(default_factory=dict)
    pull: Mapping[str, Any] | None = field(default=None, repr=False)
    bootstrap: Bootstrap | None = field(default=None, repr=False)
    force_conflicts: bool = False
    wait: bool = True
    timeout: float = 300.0
    patience: float = 20.0
    dry_run: bool = False


def check_needs(members: Sequence[Member], plan: Plan) -> None:
    """See that every cluster that needs a credential gets one; before the first write."""
    for member in members:
        if member.error or not (member.need or member.wish.planned):
            continue
        if plan.bootstrap is None and not plan.dry_run:
            member.fail(
                InvalidInput(
                    f"{member.name}: it needs a credential to join with ({member.need}), and none is given.",
                    hint="Give bootstrap_kubeconfig, as join_credentials makes it.",
                )
            )


def definitions(member: Member, plan: Plan) -> list[dict[str, Any]]:
    """What a cluster is to have, apart from what the management cluster has for all."""
    place, name = plan.place, member.name
    wanted: list[dict[str, Any]] = []
    if not place.hosted:
        wanted += operator_definitions(plan)
    wanted.append(objects.namespace(place.agent_namespace(name)))
    if text := bootstrap_text(member, plan):
        wanted.append(objects.bootstrap_secret(place, name, text))
    if place.hosted and member.cluster is not None:
        wanted.append(objects.external_secret(place, name, member.cluster.kubeconfig()))
    wanted.append(objects.klusterlet(place, name, plan.rendered.spec, plan.spec, member.wish.spec))
    return _bulk.check_definitions(wanted, "the klusterlet")


def operator_definitions(plan: Plan) -> list[dict[str, Any]]:
    """The operator and its namespace."""
    if not plan.operator:
        return []
    pull = [dict(plan.pull)] if plan.pull is not None else []
    return [objects.namespace(OPERATOR_NAMESPACE), *pull, *map(dict, plan.rendered.objects)]


def bootstrap_text(member: Member, plan: Plan) -> str:
    """The bootstrap kubeconfig for a cluster; empty if it needs none."""
    if not member.need and not member.wish.planned:
        return ""
    if plan.bootstrap is None:
        return _PLANNED
    server = member.expected.server if member.expected else plan.bootstrap.known.server
    return plan.bootstrap.text_for(server)


def bring_about(member: Member, plan: Plan, journal: Journal) -> None:
    """Write what differs, and wait until the agents run.

    :raises KubestellarError: something cannot be written, or keeps them from running, with cause and remedy.
    :raises WaitTimeout: naming what did not come.
    """
    wanted = definitions(member, plan)
    member.credential = bool(bootstrap_text(member, plan))
    if member.home is None:  # only planned
        member.outcomes = [_bulk.planned(obj) for obj in wanted]
        return
    if plan.dry_run and plan.place.hosted and plan.operator and not _serves(member.home):
        member.outcomes = [_bulk.planned(obj) for obj in wanted]  # the operator is only planned too
        return
    apply(member, member.home, wanted, plan)
    if member.rejoin and member.need:
        _forget(member, member.home, plan)
    if member.changed:
        verb = "would be written" if plan.dry_run else "written"
        journal.tell(member.name, f"{sum(outcome.changed for outcome in member.outcomes)} objects {verb}")
    if plan.wait and not plan.dry_run:
        _wait(member, member.home, plan, journal)
    if not plan.dry_run:
        member.look_again(plan.place)


def apply(member: Member, home: Cluster, wanted: Sequence[Mapping[str, Any]], plan: Plan) -> None:
    """Apply objects, and note what was written.

    :raises KubestellarError: naming those that could not be.
    """
    if not plan.operator:
        check_kind(home)
    outcomes = _bulk.apply_all(
        home, wanted, force=plan.force_conflicts, dry_run=plan.dry_run, workers=_APPLY_WORKERS
    )
    member.outcomes += outcomes
    try:
        _bulk.raise_failures(outcomes, home.name)
    except KubestellarError as error:
        if any("conflict" in outcome.error for outcome in outcomes):
            error.hint = (
                "Another tool has made it, such as clusteradm or Helm: set operator to false (wec_klusterlet_operator) to leave the "
                "operator as it is, or force_conflicts to take it over."
            )
        raise


def check_kind(home: Cluster) -> None:
    """:raises InvalidInput: there are no Klusterlets, since the operator is not installed."""
    try:
        home.list(KLUSTERLETS)
    except NotFound as error:
        raise InvalidInput(
            f"{home.name}: there is no kind Klusterlet, so the operator is not installed.",
            hint="Set operator to true (wec_klusterlet_operator), or install it first.",
        ) from error


def _serves(home: Cluster) -> bool:
    try:
        check_kind(home)
    except InvalidInput:
        return False
    return True


def _forget(member: Member, home: Cluster, plan: Plan) -> None:
    """Make the agents join anew although their certificate is good, since the hub has forgotten the cluster.

    They keep a copy of it in their Pods, so these go as well.
    """
    namespace = plan.place.agent_namespace(member.name)
    found = [
        (resource, obj)
        for resource, obj in (
            (SECRETS, home.get(SECRETS, HUB_SECRET, namespace)),
            *((PODS, pod) for pod in _agent_pods(home, plan.place, member.name)),
        )
        if obj is not None
    ]
    deleted = _bulk.delete_all(home, found, dry_run=plan.dry_run)
    member.outcomes += deleted
    _bulk.raise_failures(deleted, home.name, "delete")


def _agent_pods(home: Cluster, place: Place, name: str) -> list[dict[str, Any]]:
    """The Pods of the agents: those whose ReplicaSet is named for one of their Deployments."""
    prefixes = tuple(f"{agent}-" for agent in place.agents(name))
    return [
        pod
        for pod in home.list(PODS, place.agent_namespace(name)).items
        if troubles.owner(pod)[0] == "ReplicaSet" and troubles.owner(pod)[1].startswith(prefixes)
    ]


# -- waiting -----------------------------------------------------------------------------------------------------------


@dataclass
class _Watch:
    """One wait."""

    member: Member
    home: Cluster
    plan: Plan
    journal: Journal
    joined: bool
    findings: list[Finding] = field(default_factory=list)
    since: dict[tuple[str, str], float] = field(default_factory=dict)
    hub_since: float | None = None
    looked: float = float("-inf")


def _wait(member: Member, home: Cluster, plan: Plan, journal: Journal) -> None:
    place, name = plan.place, member.name
    waiter = Waiter(Progress(None))
    # One that has to join gets no further before it is accepted.
    watch = _Watch(member, home, plan, journal, joined=not member.need and not member.rejoin)
    settled = time.monotonic() + _SETTLE_SECONDS
    planes = waiter.follow(home, KLUSTERLETS, field_selector=f"metadata.name={place.klusterlet(name)}")
    agents = waiter.follow(home, DEPLOYMENTS, place.agent_namespace(name))
    operators = waiter.follow(home, DEPLOYMENTS, OPERATOR_NAMESPACE) if plan.operator else None

    def evaluate() -> Verdict:
        deployments = {key[1]: found for key, found in agents.objects().items()}
        if operators is not None:
            deployments |= {key[1]: found for key, found in operators.objects().items() if key[1] == OPERATOR}
        live = planes.get(place.klusterlet(name))
        lacks = lacking(live, deployments, plan, name, joined=watch.joined)
        if member.credential and live is not None:
            tried = bool(condition(live, "HubConnectionDegraded"))
            if not tried or (member.live is not None and time.monotonic() < settled):
                lacks.append("the operator has not tried the credential yet")
        journal.tell(name, "its agents run" if not lacks else f"waiting: {lacks[0]}")
        if lacks:
            _judge(watch, live)
        return Verdict(not lacks, lacks, again=_LOOK_SECONDS)

    try:
        member.waited = round(
            waiter.until(
                evaluate,
                timeout=plan.timeout,
                what=f"{name}: klusterlet",
                hint="Run again when the cause is removed, or with a longer time-out if it only needs time.",
            ),
            1,
        )
    except WaitTimeout as error:
        troubles.tell_first(error, watch.findings)
        error.details["findings"] = [finding.result() for finding in watch.findings]
        raise


def lacking(
    live: Mapping[str, Any] | None,
    deployments: Mapping[str, Mapping[str, Any]],
    plan: Plan,
    name: str,
    *,
    joined: bool,
) -> list[str]:
    """What keeps the agents of a cluster from running, as clauses, the causes first.

    :param live: the Klusterlet.
    :param deployments: those of the operator and of the agents, by name.
    :param joined: whether the cluster has a certificate; the work agent of the mode Default runs only then.
    """
    found: list[str] = []
    if plan.operator:
        found += _unhealthy(deployments.get(OPERATOR), f"{OPERATOR_NAMESPACE}/{OPERATOR}")
    if live is None:
        return [*found, "its Klusterlet does not exist"]
    generation, status = live["metadata"].get("generation"), live.get("status") or {}
    applied = condition(dict(live), "Applied")
    if applied.get("status") == "False":
        found.append(f"the operator cannot apply it: {plain(troubles.said(applied), 300)}")
    elif applied.get("status") != "True" or status.get("observedGeneration") != generation:
        found.append("the operator has not applied it yet")
    agents = plan.place.agents(name)
    awaited = agents if joined else agents[:1]
    for agent in awaited:
        found += _unhealthy(deployments.get(agent), f"{plan.place.agent_namespace(name)}/{agent}")
    available = condition(dict(live), "Available")
    all_run = tuple(awaited) == agents
    if all_run and (
        available.get("status") != "True" or available.get("observedGeneration") not in (None, generation)
    ):
        found.append(f"it is not Available: {plain(troubles.said(available), 300)}")
    told, _hint = hub_trouble(live)
    return [*found, told] if told else found


def hub_trouble(live: Mapping[str, Any]) -> tuple[str, str]:
    """What keeps a cluster from the hub, as the operator sees it from inside, and what to do; empty while it only waits to be accepted."""
    degraded = condition(dict(live), "HubConnectionDegraded")
    reasons = [reason for reason in str(degraded.get("reason") or "").split(",") if reason in _HUB_TROUBLES]
    if degraded.get("status") != "True" or not reasons:
        return "", ""
    message = str(degraded.get("message") or "")
    # What was tried is long, and the cause is at its end.
    cause = _CAUSE.search(message)
    told = cause.group(1) if cause else message
    hint = _FRESH_CREDENTIAL if cause and _REFUSED.search(told) else _HUB_TROUBLES[reasons[0]]
    return f"it does not get to the hub: {reasons[0]}: {plain(told, 300)}", hint


def _unhealthy(deployment: Mapping[str, Any] | None, label: str) -> Iterator[str]:
    if deployment is None:
        yield f"the Deployment {label} does not exist"
    elif lack := _health.deployment_lack(deployment):
        yield f"the Deployment {label}: {lack}"


def _judge(watch: _Watch, live: Mapping[str, Any] | None) -> None:
    """End the wait for what has lasted.

    :raises KubestellarError: naming the trouble that waiting does not help against.
    """
    now = time.monotonic()
    if now - watch.looked < _LOOK_SECONDS:
        return
    watch.looked = now
    try:
        watch.findings = list(_findings(watch.home, watch.plan, watch.member.name))
    except ConnectionFailed:
        return
    except ApiError as error:
        if error.status < 500 and error.status != 429:
            raise
        return
    patience = watch.plan.patience
    present = {finding.key for finding in watch.findings}
    watch.since = {key: since for key, since in watch.since.items() if key in present}
    for finding in watch.findings:
        if finding.sure or now - watch.since.setdefault(finding.key, now) >= patience:
            raise KubestellarError(
                f"{watch.member.name}: {finding.where}: {finding.message}",
                hint=finding.hint,
                findings=[found.result() for found in watch.findings],
            )
    told, hint = hub_trouble(live) if live is not None else ("", "")
    watch.hub_since = (watch.hub_since or now) if told else None
    if watch.hub_since is not None and now - watch.hub_since >= patience + _OPERATOR_SECONDS:
        raise KubestellarError(f"{watch.member.name}: {told}.", hint=hint)


def _findings(home: Cluster, plan: Plan, name: str) -> Iterator[Finding]:
    namespaces = [plan.place.agent_namespace(name)]
    for namespace in [OPERATOR_NAMESPACE, *namespaces] if plan.operator else namespaces:
        pods = home.list(PODS, namespace).items
        events = home.list(EVENTS, namespace).items
        for pod in pods:
            yield from troubles.pod_troubles(pod)
        yield from troubles.failed_mounts(pods, events)
        if not pods:
            yield from troubles.refused_pods(events)
