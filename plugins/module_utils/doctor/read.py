# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the facts of a diagnosis (private to kubestellar.core).

One client for each cluster; each resource is listed once for each cluster or namespace, in parallel, and only if a chosen
check needs it. What cannot be read is noted where it would have been, and never taken for empty. Nothing is written.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import (
    _bulk,
    _csr,
    _space,
)
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._credentials import credentials
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    ApiError,
    InvalidInput,
    KubestellarError,
    NotFound,
)
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    BINDING_POLICIES,
    BINDINGS,
    CONTROL_PLANES,
    CSRS,
    DEPLOYMENTS,
    JOBS,
    LEASES,
    MANAGED_CLUSTERS,
    MANIFEST_WORKS,
    NAMESPACES,
    PODS,
    POST_CREATE_HOOKS,
    Resource,
)
from ansible_collections.kubestellar.core.plugins.module_utils._workstatus import ORIGIN_WDS_LABEL
from ansible_collections.kubestellar.core.plugins.module_utils.doctor.facts import (
    ITS,
    UNWANTED,
    WDS,
    Facts,
    Hub,
    Its,
    Reading,
    Secret,
    Space,
    Wds,
    role_of,
)
from ansible_collections.kubestellar.core.plugins.module_utils.placement import policy, snapshot
from ansible_collections.kubestellar.core.plugins.module_utils.wecs import registered

KUBEFLEX_NAMESPACE = "kubeflex-system"
OCM_NAMESPACES = ("open-cluster-management", "open-cluster-management-hub")
"""Where an ITS has its operator and controllers, if they run in it."""

_STATEFUL_SETS = Resource("apps", "v1", "statefulsets", "StatefulSet", True)
_ADDONS = Resource(
    "addon.open-cluster-management.io", "v1alpha1", "managedclusteraddons", "ManagedClusterAddOn", True
)
_SPACES_AT_ONCE = 8
_LISTS_AT_ONCE = 4
_PROBE_SECONDS = 3.0
_PROBES = 2


@dataclass(frozen=True)
class _Open:
    """A space with the client for it; None if it cannot be used."""

    space: Space
    cluster: Cluster | None


def read(hosting: Cluster, wanted: frozenset[str], wecs: Iterable[str] | None) -> Facts:
    """A hub with everything in it that is wanted.

    :param wanted: what checks need, such as `hub.pods`, `its.leases`.
    :param wecs: the only WECs to look at; None for all.
    """
    return _Reader(hosting, wanted).facts(None if wecs is None else frozenset(wecs))


class _Reader:
    def __init__(self, hosting: Cluster, wanted: frozenset[str]) -> None:
        self._hosting = hosting
        self._wanted = wanted

    def facts(self, wecs: frozenset[str] | None) -> Facts:
        """See `read`."""
        hosting = self._hosting
        trouble, _refused = _reach(hosting)
        if trouble:
            return Facts(Hub(hosting.name, trouble), (), time.time(), wecs)
        planes, hooks = _bulk.in_parallel(
            lambda resource: _listed(hosting, resource), [CONTROL_PLANES, POST_CREATE_HOOKS]
        )
        opened = _bulk.in_parallel(
            lambda item: self._open(item, role_of(item, hooks.items)), planes.items, workers=_SPACES_AT_ONCE
        )
        namespaces = [KUBEFLEX_NAMESPACE, *(one.space.namespace for one in opened)]
        hub, *spaces = _bulk.in_parallel(
            lambda job: job(),
            [
                lambda: self._hub(planes, hooks, namespaces),
                *((lambda one=one: self._inside(one)) for one in opened),
            ],
            workers=_SPACES_AT_ONCE,
        )
        facts = Facts(hub, spaces, time.time(), wecs)
        if "wds.placements" not in self._wanted:
            return facts
        clusters = {one.space.name: one.cluster for one in opened}
        placed = _bulk.in_parallel(
            lambda space: self._placed(facts, space, clusters), spaces, workers=_SPACES_AT_ONCE
        )
        return replace(facts, spaces=placed)

    # -- the hosting cluster ------------------------------------------------------------------------------------------

    def _hub(self, planes: Reading, hooks: Reading, namespaces: Sequence[str]) -> Hub:
        resources = {
            "deployments": DEPLOYMENTS,
            "stateful_sets": _STATEFUL_SETS,
            "jobs": JOBS,
            "pods": PODS,
        }
        lists = self._lists("hub", self._hosting, {key: (one, namespaces) for key, one in resources.items()})
        return Hub(self._hosting.name, control_planes=planes, hooks=hooks, **lists)

    def _lists(
        self, role: str, cluster: Cluster, resources: Mapping[str, tuple[Resource, Sequence[str]]]
    ) -> dict[str, Any]:
        """Those of the lists that are wanted, each a `Reading` over some namespaces."""
        jobs = [
            (key, resource, namespace)
            for key, (resource, namespaces) in resources.items()
            if f"{role}.{key}" in self._wanted
            for namespace in namespaces
        ]
        answers = _bulk.in_parallel(
            lambda job: _listed(cluster, job[1], job[2]), jobs, workers=_LISTS_AT_ONCE
        )
        found: dict[str, Any] = {}
        for (key, _resource, _namespace), answer in zip(jobs, answers, strict=True):
            found[key] = _joined(found.get(key, UNWANTED), answer)
        return found

    # -- spaces -------------------------------------------------------------------------------------------------------

    def _open(self, control_plane: Mapping[str, Any], role: str) -> _Open:
        """A space with what its Secret says, and the client that its Secret leads to."""
        space = Space(control_plane, role)
        try:
            secret = _space.read_secret(self._hosting, control_plane)
        except KubestellarError as error:
            told = _sentence(error)
            return _Open(replace(space, secret_error=told, trouble=told), None)
        if secret is None:
            return _Open(replace(space, trouble="it has no kubeconfig"), None)
        space = replace(space, secret=_secret(secret, control_plane))
        if space.type == "host":
            space = replace(space, server=self._hosting.server)
            return _Open(space, self._hosting)  # the address in its Secret is for Pods of the hosting cluster
        try:
            kubeconfig = _space.kubeconfig_of(secret, control_plane)
        except (InvalidInput, ValueError):
            # What the parser says could quote the Secret.
            return _Open(replace(space, trouble="the kubeconfig in its Secret is not valid YAML"), None)
        if kubeconfig is None:
            return _Open(replace(space, trouble="its Secret has no kubeconfig"), None)
        try:
            cluster = Cluster.from_secret(kubeconfig, name=space.name)
        except KubestellarError as error:
            return _Open(replace(space, trouble=_sentence(error)), None)
        trouble, refused = _reach(cluster)
        if trouble:
            return _Open(replace(space, trouble=trouble, refused=refused), None)
        return _Open(replace(space, server=cluster.server), cluster)

    def _inside(self, opened: _Open) -> Space:
        """The space with what its API server says."""
        space, cluster = opened.space, opened.cluster
        if cluster is None:
            return space
        kinds = {(one.group, one.plural): one.kind for one in cluster.resources()}
        if space.role == ITS:
            return replace(space, its=self._its(cluster, frozenset(kinds)))
        if space.role == WDS:
            lists = self._lists(
                WDS,
                cluster,
                {
                    "policies": (BINDING_POLICIES, [""]),
                    "bindings": (BINDINGS, [""]),
                    "namespaces": (NAMESPACES, [""]),
                },
            )
            return replace(space, wds=Wds(frozenset(kinds), kinds, **lists))
        return space

    def _its(self, cluster: Cluster, served: frozenset[tuple[str, str]]) -> Its:
        jobs: dict[str, Callable[[], Reading]] = {
            "clusters": lambda: _listed(cluster, MANAGED_CLUSTERS),
            "leases": lambda: _listed(cluster, LEASES, field_selector=f"metadata.name={registered.LEASE}"),
            "requests": lambda: _listed(cluster, CSRS, label_selector=_csr.CLUSTER_LABEL),
            "works": lambda: _listed(cluster, MANIFEST_WORKS, label_selector=ORIGIN_WDS_LABEL),
            "addons": lambda: _listed(cluster, _ADDONS),
        }
        keys = [key for key in jobs if f"its.{key}" in self._wanted]
        answers = _bulk.in_parallel(lambda key: jobs[key](), keys, workers=_LISTS_AT_ONCE)
        inside = self._lists(
            ITS,
            cluster,
            {"deployments": (DEPLOYMENTS, OCM_NAMESPACES), "pods": (PODS, OCM_NAMESPACES)},
        )
        return Its(served, **dict(zip(keys, answers, strict=True)), **inside)

    def _placed(self, facts: Facts, space: Space, clusters: Mapping[str, Cluster | None]) -> Space:
        """A WDS with what a preview of each of its policies needs."""
        wds, cluster = space.wds, clusters[space.name]
        if wds is None or cluster is None or wds.policies.error or not wds.policies.items:
            return space
        invalid = {
            str(item["metadata"]["name"]): problems
            for item in wds.policies.items
            if (problems := _problems(item))
        }
        specs = {
            str(item["metadata"]["name"]): item.get("spec") or {}
            for item in wds.policies.items
            if item["metadata"]["name"] not in invalid
        }
        its = facts.its_of(space)
        manager = next(
            (
                item
                for item in facts.hub.deployments.items
                if item["metadata"]["name"] == snapshot.MANAGER
                and item["metadata"]["namespace"] == space.namespace
            ),
            None,
        )
        sources = snapshot.Sources(
            wds=cluster,
            wds_name=space.name,
            its=clusters.get(its.name) if its else None,
            api_groups=snapshot.groups_of(manager),
        )
        try:
            read_all = snapshot.read_all(sources, specs) if specs else {}
        except KubestellarError as error:
            return replace(space, wds=replace(wds, invalid=invalid, placements_error=_sentence(error)))
        placements = {name: replace(one, wds_type=space.type) for name, one in read_all.items()}
        return replace(space, wds=replace(wds, placements=placements, invalid=invalid))


def _listed(
    cluster: Cluster,
    resource: Resource,
    namespace: str = "",
    *,
    label_selector: str = "",
    field_selector: str = "",
) -> Reading:
    try:
        items = cluster.list(
            resource, namespace or None, label_selector=label_selector, field_selector=field_selector
        ).items
    except NotFound:
        return Reading(served=False)
    except KubestellarError as error:
        return Reading(error=_sentence(error))
    return Reading(items)


def _joined(first: Reading, second: Reading) -> Reading:
    """Two lists as one; the first error is kept, since the second is mostly the same."""
    return Reading([*first.items, *second.items], first.served and second.served, first.error or second.error)


def _reach(cluster: Cluster) -> tuple[str, bool]:
    """Why an API server cannot be used, empty if it can; and whether it answers and refuses the credentials.

    It has a short time only: one that is away must not hold up what is said of the others.
    """
    try:
        cluster.version(timeout=_PROBE_SECONDS, attempts=_PROBES)
        cluster.resources()
    except ApiError as error:
        return _sentence(error), error.status in (401, 403)
    except KubestellarError as error:
        return _sentence(error), False
    return "", False


def _sentence(error: KubestellarError) -> str:
    """The sentence of an error, to be put into another one."""
    return error.message.rstrip(".")


def _problems(item: Mapping[str, Any]) -> list[str]:
    """What is wrong with a policy, one sentence each."""
    try:
        policy.check({"metadata": {"name": item["metadata"]["name"]}, "spec": item.get("spec") or {}})
    except InvalidInput as error:
        return list(error.details.get("problems") or [error.message])
    return []


# -- Secrets ----------------------------------------------------------------------------------------------------------


def _secret(secret: Mapping[str, Any], control_plane: Mapping[str, Any]) -> Secret:
    """What matters of the Secret of a space; what is in it goes no further than here."""
    data = secret.get("data") or {}
    reference = (control_plane.get("status") or {}).get("secretRef") or {}
    texts = {data[key] for key in (reference.get("key"), reference.get("inClusterKey")) if data.get(key)}
    found = {credential for text in texts for credential in credentials(text)}
    return Secret(
        frozenset(key for key, value in data.items() if value),
        sorted(found, key=lambda one: (one.what, one.expires)),
    )
