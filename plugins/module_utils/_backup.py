# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a space cannot be rebuilt, and how it is kept (private to kubestellar.core).

A WDS holds the objects that people put there, BindingPolicies, CustomTransforms and StatusCollectors. An ITS holds
what people said of its ManagedClusters, and their properties. All else is made again by Kubernetes, KubeFlex, OCM and
KubeStellar. All functions but `read` are pure.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bulk
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster, label
from ansible_collections.kubestellar.core.plugins.module_utils._errors import KubestellarError, NotFound
from ansible_collections.kubestellar.core.plugins.module_utils._managed_cluster import PROPERTIES_NAMESPACE
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    CONFIG_MAPS,
    MANAGED_CLUSTERS,
    NAMESPACES,
    SECRETS,
    Resource,
)
from ansible_collections.kubestellar.core.plugins.module_utils._wait import condition

ROLES = ("its", "wds")

_KUBESTELLAR = "control.kubestellar.io"
_KUBEFLEX = "tenancy.kflex.kubestellar.org"
_OCM = "open-cluster-management.io"
_OCM_NAMESPACE = "open-cluster-management"
_API_SERVICES = Resource("apiregistration.k8s.io", "v1", "apiservices", "APIService", False)

_SKIPPED_GROUPS = frozenset(
    {
        "apiregistration.k8s.io",
        "authentication.k8s.io",
        "authorization.k8s.io",
        "coordination.k8s.io",
        "discovery.k8s.io",
        "events.k8s.io",
        "flowcontrol.apiserver.k8s.io",
        "internal.apiserver.k8s.io",
        "metrics.k8s.io",
        "custom.metrics.k8s.io",
        "external.metrics.k8s.io",
        _KUBEFLEX,
    }
)
"""Settings of the API server itself, what it computes, and what lives for a moment. KubeStellar delivers none of it."""

_SKIPPED = frozenset(
    {
        ("", "bindings"),
        ("", "componentstatuses"),
        ("", "endpoints"),
        ("", "events"),
        ("", "nodes"),
        ("apps", "controllerrevisions"),
        ("certificates.k8s.io", "certificatesigningrequests"),
        ("networking.k8s.io", "ipaddresses"),
        ("resource.k8s.io", "resourceslices"),
        ("storage.k8s.io", "csinodes"),
        ("storage.k8s.io", "csistoragecapacities"),
        ("storage.k8s.io", "volumeattachments"),
        (_KUBESTELLAR, "bindings"),
        (_KUBESTELLAR, "combinedstatuses"),
        (_KUBESTELLAR, "workstatuses"),
    }
)
"""(group, plural) of what controllers make."""

_BUILT_IN_NAMESPACES = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})
_SYSTEM_NAMESPACES = _BUILT_IN_NAMESPACES - {"default"}
_SYSTEM_MANAGERS = frozenset(
    {
        "cloud-controller-manager",
        "k3s",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "kubeadm",
        "kubelet",
        "kwok",
    }
)
"""Who writes into system namespaces without being asked; what anybody else wrote there is the user's."""

_MADE_BY_KUBERNETES = frozenset(
    {
        ("configmaps", "kube-root-ca.crt"),
        ("clusterrolebindings", "kubeflex-clusterrolebinding"),
        ("servicecidrs", "kubernetes"),
    }
)
"""(plural, name), wherever it is. KubeFlex makes the binding in a cluster that it adopts (kubeflex: pkg/reconcilers/external)."""

_SERVER_METADATA = frozenset(
    {
        "creationTimestamp",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "finalizers",
        "generateName",
        "generation",
        "managedFields",
        "ownerReferences",
        "resourceVersion",
        "selfLink",
        "uid",
    }
)
"""What the server or controllers decide. UIDs are others in a fresh space: an owner by its old UID would be looked for
in vain, and its dependent be collected as garbage."""

_CONTROLLER_KEYS = frozenset(
    {
        "control-plane.alpha.kubernetes.io/leader",
        "deployment.kubernetes.io/revision",
        "kubernetes.io/metadata.name",
        "kubernetes.io/service-account.uid",
        "managed-by.kubestellar.io/multiwecstatus",
        "managed-by.kubestellar.io/singletonstatus",
    }
)
"""Keys of labels and annotations that controllers write by themselves."""

_ADDON_KEYS = "feature.open-cluster-management.io/"
"""Prefix of labels that the hub writes on ManagedClusters, for their add-ons (ocm: pkg/registration/hub/addon)."""

_OCM_TAINTS = frozenset(
    {"cluster.open-cluster-management.io/unavailable", "cluster.open-cluster-management.io/unreachable"}
)
_JOB_LABELS = (
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name",
    "controller-uid",
    "job-name",
)
_TOKEN = "kubernetes.io/service-account-token"

Identity = tuple[str, str, str, str]
"""API group, kind, namespace (empty for cluster-scoped), name."""


@dataclass
class Content:
    """What was read of one space.

    :ivar objects: (resource, object as it is kept), in the order in which they are kept.
    :ivar managers: who owns which of the kept fields, see `owners`.
    :ivar left_out: the Secrets that were left out on request, as `namespace/name`.
    :ivar kubernetes: version of its API server.
    """

    name: str
    role: str
    objects: list[tuple[Resource, dict[str, Any]]] = field(default_factory=list, repr=False)
    managers: dict[Identity, list[dict[str, Any]]] = field(default_factory=dict, repr=False)
    left_out: list[str] = field(default_factory=list)
    kubernetes: str = ""


@dataclass(frozen=True)
class Surroundings:
    """What else the API server of a WDS is, which decides what there is the user's own.

    :ivar excluded: Namespaces of which nothing is kept.
    :ivar ocm_hub: whether it is an ITS too, so that OCM's kinds there are not workload.
    """

    excluded: frozenset[str] = frozenset()
    ocm_hub: bool = False


def identity(obj: Mapping[str, Any]) -> Identity:
    """Which object it is, whatever version of its group is used."""
    metadata = obj["metadata"]
    group = str(obj["apiVersion"]).rpartition("/")[0]
    return group, str(obj["kind"]), str(metadata.get("namespace") or ""), str(metadata["name"])


def surroundings(
    namespaces: Iterable[Mapping[str, Any]], resources: Iterable[Resource], exclude: Iterable[str]
) -> Surroundings:
    """See `Surroundings`.

    :param namespaces: all of the WDS.
    :param exclude: Namespaces that the user names.
    """
    groups = {(resource.group, resource.plural) for resource in resources}
    names = {item["metadata"]["name"]: item["metadata"] for item in namespaces}
    hosting = (_KUBEFLEX, "controlplanes") in groups
    ocm_hub = (MANAGED_CLUSTERS.group, MANAGED_CLUSTERS.plural) in groups and _OCM_NAMESPACE in names
    excluded = {"kubestellar-report", *exclude}
    for name, metadata in names.items():
        owners = metadata.get("ownerReferences") or []
        if hosting and (name == "kubeflex-system" or any(o.get("kind") == "ControlPlane" for o in owners)):
            excluded.add(name)
        if ocm_hub and (
            name in (_OCM_NAMESPACE, PROPERTIES_NAMESPACE)
            or name.startswith(f"{_OCM_NAMESPACE}-")
            or f"{_OCM}/cluster-name" in (metadata.get("labels") or {})
        ):
            excluded.add(name)
    return Surroundings(frozenset(excluded), ocm_hub)


def is_kept(resource: Resource, around: Surroundings) -> bool:
    """Whether a resource of a WDS can hold objects that are the user's own."""
    if resource.group in _SKIPPED_GROUPS or (resource.group, resource.plural) in _SKIPPED:
        return False
    if around.ocm_hub and _is_of_ocm(resource.group):
        return False
    return {"list", "create", "patch"} <= resource.verbs


def _is_of_ocm(group: str) -> bool:
    return group.endswith(_OCM) or group == "multicluster.x-k8s.io"


def is_own(resource: Resource, obj: Mapping[str, Any], around: Surroundings) -> bool:
    """Whether an object of a WDS was put there by people, and will not come back by itself."""
    metadata = obj["metadata"]
    name, namespace = str(metadata["name"]), str(metadata.get("namespace") or "")
    place = name if resource == NAMESPACES or resource.kind == "Namespace" else namespace
    if metadata.get("deletionTimestamp") or place in around.excluded:
        return False
    if any(owner.get("controller") for owner in metadata.get("ownerReferences") or []):
        return False
    if (resource.plural, name) in _MADE_BY_KUBERNETES:
        return False
    if namespace in _SYSTEM_NAMESPACES and not _written_by_people(metadata):
        return False
    labels = metadata.get("labels") or {}
    if resource.group == "rbac.authorization.k8s.io":
        return "kubernetes.io/bootstrapping" not in labels and not name.startswith("system:")
    if resource.kind == "PriorityClass":
        return not name.startswith("system-")
    if resource.kind == "CustomResourceDefinition":
        group = str((obj.get("spec") or {}).get("group"))
        return group not in (_KUBESTELLAR, _KUBEFLEX) and not (around.ocm_hub and _is_of_ocm(group))
    if (resource.kind, namespace, name) in (
        ("Service", "default", "kubernetes"),
        ("ServiceAccount", "kube-system", "kubeflex"),
    ):
        return False
    if (resource.kind == "Namespace" and name in _BUILT_IN_NAMESPACES) or (
        resource.kind == "ServiceAccount" and name == "default"
    ):
        return not _is_bare(stripped(obj))
    return True


def _written_by_people(metadata: Mapping[str, Any]) -> bool:
    return any(
        entry.get("manager") not in _SYSTEM_MANAGERS and not entry.get("subresource")
        for entry in metadata.get("managedFields") or []
    )


def _is_bare(obj: Mapping[str, Any]) -> bool:
    """Whether a stripped object is as Kubernetes makes it: nothing but its name."""
    return set(obj) == {"apiVersion", "kind", "metadata"} and set(obj["metadata"]) <= {"name", "namespace"}


# -- how it is kept -----------------------------------------------------------------------------------------


def stripped(obj: Mapping[str, Any]) -> dict[str, Any]:
    """A live object as it is kept: what people decide, in an order of its own.

    Beside status and server metadata, what the server of this very space has filled in goes: addresses of Services,
    generated selectors of Jobs, contents of token Secrets.
    """
    result = copy.deepcopy({key: value for key, value in obj.items() if key != "status"})
    metadata = {
        key: value
        for key, value in (result.get("metadata") or {}).items()
        if key not in _SERVER_METADATA and value not in (None, "")
    }
    managed_cluster = result["kind"] == MANAGED_CLUSTERS.kind
    for key in ("labels", "annotations"):
        kept = {
            name: value
            for name, value in (metadata.pop(key, None) or {}).items()
            if name not in _CONTROLLER_KEYS and not (managed_cluster and name.startswith(_ADDON_KEYS))
        }
        if kept:
            metadata[key] = kept
    result["metadata"] = metadata
    particular = _PARTICULAR.get((str(result["apiVersion"]).partition("/")[0], str(result["kind"])))
    if particular is not None:
        particular(result)
    leading = {key: result.pop(key) for key in ("apiVersion", "kind", "metadata")}
    return {key: _sorted(value) for key, value in (*leading.items(), *sorted(result.items()))}


def _sorted(value: Any) -> Any:
    """Mappings in the order of their keys, so that a backup differs only where objects do."""
    if isinstance(value, Mapping):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


def _strip_namespace(obj: dict[str, Any]) -> None:
    obj.pop("spec", None)  # only its finalizers


def _strip_service(obj: dict[str, Any]) -> None:
    spec = obj.get("spec") or {}
    if spec.get("clusterIP") != "None":
        spec.pop("clusterIP", None)
        spec.pop("clusterIPs", None)
    spec.pop("ipFamilies", None)


def _strip_job(obj: dict[str, Any]) -> None:
    spec = obj.get("spec") or {}
    if spec.get("manualSelector"):
        return
    spec.pop("selector", None)
    for metadata in (obj["metadata"], (spec.get("template") or {}).get("metadata") or {}):
        labels = metadata.get("labels") or {}
        for name in _JOB_LABELS:
            labels.pop(name, None)
        if not labels:
            metadata.pop("labels", None)


def _strip_secret(obj: dict[str, Any]) -> None:
    if obj.get("type") == _TOKEN:
        obj.pop("data", None)


def _strip_service_account(obj: dict[str, Any]) -> None:
    obj.pop("secrets", None)  # old clusters list the tokens that they made


def _strip_pod(obj: dict[str, Any]) -> None:
    (obj.get("spec") or {}).pop("nodeName", None)


def _strip_managed_cluster(obj: dict[str, Any]) -> None:
    # What the agent wrote stays: it writes that only when it creates the object (ocm: pkg/registration/spoke/registration).
    spec = dict(obj.get("spec") or {})
    taints = [
        {key: value for key, value in taint.items() if key != "timeAdded"}
        for taint in spec.pop("taints", None) or []
        if taint.get("key") not in _OCM_TAINTS
    ]
    if taints:
        spec["taints"] = taints
    obj["spec"] = spec


_PARTICULAR = {
    ("v1", "Namespace"): _strip_namespace,
    ("v1", "Pod"): _strip_pod,
    ("v1", "Secret"): _strip_secret,
    ("v1", "Service"): _strip_service,
    ("v1", "ServiceAccount"): _strip_service_account,
    ("batch", "Job"): _strip_job,
    (MANAGED_CLUSTERS.group, MANAGED_CLUSTERS.kind): _strip_managed_cluster,
}
"""(group, or `v1` for the core group; kind) to what else is taken out."""


def owners(live: Mapping[str, Any], kept: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Who owns which fields of what is kept of an object: its managedFields without times, in an order of their own.

    With these a restored object behaves towards its writers as the old one: an inventory or a manifest from which a
    label was removed removes the label, and one that never had it leaves it alone.
    """
    entries = []
    for entry in live["metadata"].get("managedFields") or []:
        fields = _pruned(entry.get("fieldsV1") or {}, kept)
        if not entry.get("subresource") and entry.get("manager") and fields:
            entries.append(
                {
                    "manager": entry["manager"],
                    "operation": entry.get("operation"),
                    "apiVersion": entry.get("apiVersion"),
                    "fieldsType": "FieldsV1",
                    "fieldsV1": fields,
                }
            )
    return sorted(entries, key=manager_key)


def manager_key(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """What the server tells entries of managedFields apart by."""
    return tuple(str(entry.get(key) or "") for key in ("manager", "operation", "apiVersion", "subresource"))


def _pruned(fields: Mapping[str, Any], value: Any) -> dict[str, Any]:
    """Owned fields without those that are not kept."""
    result = {}
    for key in sorted(fields):
        if not key.startswith("f:"):
            result[key] = fields[key]
        elif isinstance(value, Mapping) and key[2:] in value:
            inner = fields[key]
            pruned = _pruned(inner, value[key[2:]])
            if pruned or not inner:
                result[key] = pruned
    return {} if set(result) <= {"."} and set(fields) - {"."} else result


def order(resource: Resource, obj: Mapping[str, Any]) -> tuple[str, ...]:
    """By what objects are sorted within a space."""
    metadata = obj["metadata"]
    return resource.plural, resource.group, str(metadata.get("namespace") or ""), str(metadata["name"])


# -- reading ------------------------------------------------------------------------------------------------


def read(cluster: Cluster, role: str, *, secrets: bool = True, exclude: Sequence[str] = ()) -> Content:
    """What of a space cannot be rebuilt. Kinds are listed in parallel, each page by page.

    :param secrets: whether Secrets are kept.
    :param exclude: Namespaces of a WDS to leave out.
    :raises KubestellarError: anything that may hold such objects could not be read: a part is never taken for the whole.
    """
    content = Content(cluster.name, role)
    content.kubernetes = str(
        cluster.request("GET", "/version", action="read the version").get("gitVersion") or ""
    )
    around = Surroundings()
    if role == "its":
        listed = _listed(cluster, [(MANAGED_CLUSTERS, None), (CONFIG_MAPS, PROPERTIES_NAMESPACE)])
    else:
        resources = cluster.resources(refresh=True)
        _check_aggregated(cluster)
        around = surroundings(cluster.list(NAMESPACES, metadata_only=True).items, resources, exclude)
        kept = [resource for resource in resources if is_kept(resource, around)]
        listed = _listed(cluster, [(resource, None) for resource in kept])
    for resource, items in listed:
        for item in items:
            if is_own(resource, item, around):
                _keep(content, resource, item, secrets)
    content.objects.sort(key=lambda pair: order(*pair))
    content.left_out.sort()
    return content


def _keep(content: Content, resource: Resource, item: Mapping[str, Any], secrets: bool) -> None:
    if not secrets and (resource.group, resource.plural) == (SECRETS.group, SECRETS.plural):
        content.left_out.append(f"{item['metadata']['namespace']}/{item['metadata']['name']}")
        return
    obj = stripped(item)
    content.objects.append((resource, obj))
    content.managers[identity(obj)] = owners(item, obj)


def _listed(
    cluster: Cluster, wanted: Sequence[tuple[Resource, str | None]]
) -> list[tuple[Resource, list[dict[str, Any]]]]:
    def work(pair: tuple[Resource, str | None]) -> tuple[Resource, list[dict[str, Any]]]:
        resource, namespace = pair
        try:
            return resource, cluster.list(resource, namespace).items
        except NotFound as error:
            raise NotFound(
                f"{cluster.name}: {resource.plural}.{resource.group or 'core'} cannot be listed, so what is there is "
                "not known.",
                status=404,
                reason=error.reason,
                hint="Is this the right space, and its hub complete? Run again if a definition was just deleted.",
            ) from error

    return list(_bulk.in_parallel(work, wanted))


def _check_aggregated(cluster: Cluster) -> None:
    """:raises KubestellarError: an extension API server is away: discovery would just not tell of its kinds."""
    for item in cluster.list(_API_SERVICES).items:
        spec = item.get("spec") or {}
        if not spec.get("service") or spec.get("group") in _SKIPPED_GROUPS:
            continue
        if condition(item, "Available").get("status") != "True":
            raise KubestellarError(
                f"{cluster.name}: the {label('APIService', item['metadata']['name'])} is not available, so its objects "
                "cannot be read.",
                hint="Repair the extension API server behind it, or delete the APIService.",
            )


def file_name(resource: Resource) -> str:
    """The file for the objects of one kind, such as `deployments.apps.yml`."""
    name = f"{resource.plural}.{resource.group}" if resource.group else resource.plural
    if not re.fullmatch(r"[a-z0-9][-a-z0-9.]*", name):
        raise KubestellarError(f"The resource {name!r} makes no file name.")
    return f"{name}.yml"
