# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading what the prerequisites of a hub are judged by (private to kubestellar.core).

Two rounds of parallel requests: what says which spaces are new, then only what the checks that apply look at. What cannot be
read is noted, and never taken for empty. Nothing is written: rights are asked for by SelfSubjectAccessReviews, which no API
server stores, and which are sent as dry runs so that an audit log says so.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bulk
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    KubestellarError,
    NotFound,
    plain,
)
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    CONTROL_PLANES,
    CRDS,
    DAEMON_SETS,
    DEPLOYMENTS,
    INGRESS_CLASSES,
    NAMESPACES,
    NODES,
    PODS,
    POST_CREATE_HOOKS,
    SECRETS,
    STORAGE_CLASSES,
    Resource,
)
from ansible_collections.kubestellar.core.plugins.module_utils.doctor.facts import Reading
from ansible_collections.kubestellar.core.plugins.module_utils.hub import preflight, prerequisites
from ansible_collections.kubestellar.core.plugins.module_utils.hub.preflight import Check
from ansible_collections.kubestellar.core.plugins.module_utils.hub.prerequisites import (
    Address,
    Case,
    Facts,
    Program,
    Right,
    Wanted,
)
from ansible_collections.kubestellar.core.plugins.module_utils.local import program as programs

_PROBE_SECONDS, _PROBES = 5.0, 2
_NAME_SECONDS, _CONNECT_SECONDS = 3.0, 2.0
_HELM_SECONDS = 20.0
_AT_ONCE = 8
_DEFINITION = "controlplanes.tenancy.kflex.kubestellar.org"

# Reading to resource, whether metadata is enough, and a field selector.
_LISTS: dict[str, tuple[Resource, bool, str]] = {
    "namespaces": (NAMESPACES, True, ""),
    "nodes": (NODES, False, ""),
    "pods": (PODS, False, "status.phase!=Succeeded,status.phase!=Failed"),
    "storage_classes": (STORAGE_CLASSES, True, ""),
    "ingress_classes": (INGRESS_CLASSES, True, ""),
    "deployments": (DEPLOYMENTS, False, ""),
    "daemon_sets": (DAEMON_SETS, False, ""),
    "cluster_roles": (CLUSTER_ROLES, True, ""),
    "cluster_role_bindings": (CLUSTER_ROLE_BINDINGS, True, ""),
    "hooks": (POST_CREATE_HOOKS, True, ""),
}


def survey(hosting: Cluster, wish: Wanted, checks: Sequence[Check], helm: str = "") -> Case:
    """Read what the checks look at.

    :param helm: path of the program; the first one on the PATH if it is empty.
    """
    try:
        version = hosting.version(timeout=_PROBE_SECONDS, attempts=_PROBES)
    except KubestellarError as error:
        return Case(wish, Facts(hosting.name, hosting.server, trouble=error.message.rstrip(".")))
    facts = Facts(hosting.name, hosting.server, version=plain(version, 60))
    uses_helm = any("helm" in check.needs for check in checks)
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        program = pool.submit(find_helm, helm) if uses_helm else None
        first: dict[str, Callable[[], Reading]] = {
            "planes": partial(_listed, hosting, CONTROL_PLANES, metadata_only=True),
            "manager": partial(
                _one, hosting, DEPLOYMENTS, prerequisites.KUBEFLEX_MANAGER, prerequisites.KUBEFLEX_NAMESPACE
            ),
        }
        facts = replace(facts, **_read(pool, {key: first[key] for key in preflight.needed(checks)}))
        case = Case(wish, facts)
        needs = preflight.needed(checks, case)
        second: dict[str, Callable[[], Reading]] = {
            key: partial(_listed, hosting, resource, metadata_only=brief, field_selector=fields)
            for key, (resource, brief, fields) in _LISTS.items()
        }
        second["groups"] = partial(_groups, hosting)
        second["definition"] = partial(_one, hosting, CRDS, _DEFINITION)
        second["database"] = partial(
            _one, hosting, PODS, prerequisites.DATABASE, prerequisites.KUBEFLEX_NAMESPACE
        )
        addresses = pool.submit(_addresses, case) if "addresses" in needs else None
        facts = replace(facts, **_read(pool, {key: job for key, job in second.items() if key in needs}))
        if "rights" in needs:
            facts = _with_rights(facts, hosting, prerequisites.rights(wish))
        if "secrets" in needs:
            facts = _with_secrets(facts, hosting, case)
        return Case(
            wish,
            replace(
                facts,
                helm=program.result() if program else Program(),
                addresses=addresses.result() if addresses else (),
            ),
        )


def _read(pool: ThreadPoolExecutor, jobs: dict[str, Callable[[], Reading]]) -> dict[str, Any]:
    futures = {key: pool.submit(job) for key, job in jobs.items()}
    return {key: future.result() for key, future in futures.items()}


def _listed(
    cluster: Cluster, resource: Resource, *, metadata_only: bool = False, field_selector: str = ""
) -> Reading:
    try:
        return Reading(
            cluster.list(resource, metadata_only=metadata_only, field_selector=field_selector).items
        )
    except NotFound:
        return Reading(served=False)
    except KubestellarError as error:
        return Reading(error=error.message.rstrip("."))


def _one(cluster: Cluster, resource: Resource, name: str, namespace: str | None = None) -> Reading:
    try:
        found = cluster.get(resource, name, namespace)
    except KubestellarError as error:
        return Reading(error=error.message.rstrip("."))
    return Reading([] if found is None else [found])


def _groups(cluster: Cluster) -> Reading:
    try:
        answer = cluster.request("GET", "/apis", action="read the API groups", kind="APIGroupList")
        return Reading(answer.get("groups") or [])
    except KubestellarError as error:
        return Reading(error=error.message.rstrip("."))


# -- rights and Secrets ----------------------------------------------------------------------------------------------


def _with_rights(facts: Facts, cluster: Cluster, wanted: Sequence[Right]) -> Facts:
    """The rights that the credentials lack. An administrator is asked once."""
    try:
        if _allowed(cluster, prerequisites.EVERYTHING):
            return replace(facts, asked=1)
        answers = _bulk.in_parallel(partial(_allowed, cluster), wanted, workers=_AT_ONCE)
    except KubestellarError as error:
        return replace(facts, rights=Reading(error=error.message.rstrip(".")))
    denied = [right for right, allowed in zip(wanted, answers, strict=True) if not allowed]
    return replace(facts, denied=denied, asked=len(wanted))


def _allowed(cluster: Cluster, right: Right) -> bool:
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": right.attributes()},
    }
    answer = cluster.request(
        "POST",
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        body=review,
        query={"dryRun": "All"},
        action="ask for the rights of the credentials",
        kind="SelfSubjectAccessReview",
        repeatable=True,
    )
    return (answer.get("status") or {}).get("allowed") is True


def _with_secrets(facts: Facts, cluster: Cluster, case: Case) -> Facts:
    """Which keys the Secrets have that spaces are adopted with. What is in them goes no further than here."""
    places = set()
    for space in case.new:
        if space.type == "external" and any(space.bootstrap):
            places |= {space.bootstrap[:2], (space.namespace, "admin-kubeconfig")}
    keys: dict[tuple[str, str], frozenset[str] | None] = {}
    for namespace, name in sorted(places):
        found = _one(cluster, SECRETS, name, namespace)
        if found.error:
            return replace(facts, secrets=found)
        data = (found.items[0].get("data") or {}) if found.items else None
        keys[(namespace, name)] = (
            None if data is None else frozenset(key for key, value in data.items() if value)
        )
    return replace(facts, keys=keys)


# -- where Ansible runs ----------------------------------------------------------------------------------------------


def find_helm(path: str = "") -> Program:
    """The program helm and what version it says it is."""
    found = programs.find(path, ("helm",), os.environ)
    if found is None:
        return Program(error=f"{path} is not there, or no program" if path else "it is not on the PATH")
    try:
        done = programs.run(
            [found, "version", "--template", "{{.Version}}"],
            {**os.environ, "KUBECONFIG": os.devnull},
            seconds=_HELM_SECONDS,
            what=f"{found} has not told its version",
        )
    except KubestellarError as error:
        return Program(error=error.message.rstrip("."))
    if done.code:
        return Program(error=f"{found} version ended with {done.code}: {plain(done.errors, 200)}")
    return Program(version=plain(done.output, 60))


def _addresses(case: Case) -> list[Address]:
    """How the new spaces that will have an address of their own are seen from here."""
    if case.wish.openshift:
        return []  # the router gives them theirs
    spaces = case.new_outside
    found = _bulk.in_parallel(
        lambda name: resolve(name, f"{name}.{case.wish.domain}", case.wish.port), spaces, workers=_AT_ONCE
    )
    reached: dict[tuple[str, ...], str] = {}
    for address in found:
        if address.addresses and address.addresses not in reached:
            reached[address.addresses] = connect(address.addresses, case.wish.port)
    return [replace(address, unreachable=reached.get(address.addresses, "")) for address in found]


def resolve(space: str, host: str, port: int, seconds: float = _NAME_SECONDS) -> Address:
    """What a name is resolved to. The resolver takes no time-out, so it is left behind if it takes longer."""
    answers: list[Address] = []

    def work() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.append(Address(space, host, tuple(dict.fromkeys(str(entry[4][0]) for entry in found))))
        except (OSError, UnicodeError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else error
            answers.append(Address(space, host, unresolved=plain(reason, 120)))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds)
    return answers[0] if answers else Address(space, host, unresolved=f"no answer in {seconds:.0f} s")


def connect(addresses: Sequence[str], port: int, seconds: float = _CONNECT_SECONDS) -> str:
    """Why nothing answers at any of the addresses; empty if something does."""
    reason = ""
    for address in addresses[:2]:
        try:
            with socket.create_connection((address, port), seconds):
                return ""
        except OSError as error:
            reason = reason or f"{address}: {plain(error.strerror or error, 120)}"
    return reason
