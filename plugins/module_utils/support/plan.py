# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a support bundle has of each cluster (private to kubestellar.core). Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _resources
from ansible_collections.kubestellar.core.plugins.module_utils._resources import Resource
from ansible_collections.kubestellar.core.plugins.module_utils.doctor.facts import ITS, WDS
from ansible_collections.kubestellar.core.plugins.module_utils.doctor.read import (
    KUBEFLEX_NAMESPACE,
    OCM_NAMESPACES,
)

HOSTING, SPACE, WEC, STACK = "hosting", "space", "wec", "stack"
"""Roles beside `its` and `wds`; `space` is a ControlPlane of which nothing says its role, `stack` the processes of this machine."""

AGENT_NAMESPACES = (
    "open-cluster-management",
    "open-cluster-management-agent",
    "open-cluster-management-agent-addon",
)
"""Where a WEC has the operator and the agents (ocm: manifests/klusterlet; a Klusterlet may name another one)."""

_STATEFUL_SETS = Resource("apps", "v1", "statefulsets", "StatefulSet", True)
_OCM = "open-cluster-management.io"
_ADDONS = Resource(f"addon.{_OCM}", "v1alpha1", "managedclusteraddons", "ManagedClusterAddOn", True)
_KLUSTERLETS = Resource(f"operator.{_OCM}", "v1", "klusterlets", "Klusterlet", False)
KLUSTERLETS = f"klusterlets.operator.{_OCM}"
"""Label of the list of Klusterlets, which say where the agents are."""

_INSIDE = (
    _resources.DEPLOYMENTS,
    _STATEFUL_SETS,
    _resources.JOBS,
    _resources.PODS,
    _resources.CLAIMS,
    _resources.CONFIG_MAPS,
    _resources.SECRETS,
    _resources.EVENTS,
)
"""What is collected of a namespace in which something of KubeStellar runs."""

_NOT_HELM = "type!=helm.sh/release.v1"
_OF_HELM = "owner=helm"


@dataclass(frozen=True)
class Want:
    """One list.

    :ivar namespace: empty for all, and for what has none.
    :ivar releases: whether these are the Secrets of Helm, of which only what they say of the release is kept.
    """

    resource: Resource
    namespace: str = ""
    label_selector: str = ""
    field_selector: str = ""
    releases: bool = False

    @property
    def name(self) -> str:
        """`deployments.apps`, or `helm-releases`."""
        if self.releases:
            return "helm-releases"
        group = self.resource.group
        return f"{self.resource.plural}.{group}" if group else self.resource.plural

    @property
    def label(self) -> str:
        """`deployments.apps in kubeflex-system`."""
        return f"{self.name} in {self.namespace}" if self.namespace else self.name


def wants(role: str, spaces: Sequence[str] = ()) -> list[Want]:
    """What is collected of a cluster.

    :param role: `hosting`, `its`, `wds`, `space` or `wec`.
    :param spaces: for the hosting cluster, names of its ControlPlanes.
    """
    releases = Want(_resources.SECRETS, label_selector=_OF_HELM, releases=True)
    if role == HOSTING:
        namespaces = [KUBEFLEX_NAMESPACE, *(f"{name}-system" for name in spaces)]
        return [
            Want(_resources.CONTROL_PLANES),
            Want(_resources.POST_CREATE_HOOKS),
            *_of(namespaces),
            releases,
        ]
    if role == WDS:
        return [Want(kind) for kind in _resources.WDS_KINDS]
    if role == ITS:
        kinds = (
            _resources.MANAGED_CLUSTERS,
            _resources.MANIFEST_WORKS,
            _resources.WORK_STATUSES,
            _ADDONS,
            _resources.CSRS,
        )
        return [*(Want(kind) for kind in kinds), *_of(OCM_NAMESPACES), releases]
    if role == WEC:
        return [Want(_KLUSTERLETS), Want(_resources.APPLIED_MANIFEST_WORKS), *_of(AGENT_NAMESPACES)]
    return [Want(_resources.NAMESPACES)]


def agents_elsewhere(klusterlets: Iterable[Mapping[str, Any]]) -> list[Want]:
    """What is collected of a WEC where its Klusterlets name other namespaces than the usual."""
    named = {str((one.get("spec") or {}).get("namespace") or AGENT_NAMESPACES[1]) for one in klusterlets}
    return list(
        _of([name for own in sorted(named) for name in (own, f"{own}-addon") if name not in AGENT_NAMESPACES])
    )


def _of(namespaces: Sequence[str]) -> Iterator[Want]:
    for namespace in namespaces:
        for resource in _INSIDE:
            selector = _NOT_HELM if resource is _resources.SECRETS else ""
            yield Want(resource, namespace, field_selector=selector)
