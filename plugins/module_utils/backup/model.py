# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a space cannot be rebuilt, and how it is kept (private to kubestellar.core).

A WDS holds the objects that people put there, BindingPolicies, CustomTransforms and StatusCollectors. An ITS holds
what people said of its ManagedClusters, their properties and cluster sets. All else is made again by Kubernetes,
KubeFlex, OCM and KubeStellar. What the Bindings of a WDS said is recorded beside it, so that a restore can be compared
with it. All functions but `read` are pure.
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
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    BINDING_POLICIES,
    BINDINGS,
    CONFIG_MAPS,
    MANAGED_CLUSTERS,
    NAMESPACES,
    Resource,
)
from ansible_collections.kubestellar.core.plugins.module_utils._wait import condition
from ansible_collections.kubestellar.core.plugins.module_utils.placement import resolution
from ansible_collections.kubestellar.core.plugins.module_utils.wecs.registered import PROPERTIES_NAMESPACE

ROLES = ("its", "wds")

_KUBESTELLAR = "control.kubestellar.io"
_KUBEFLEX = "tenancy.kflex.kubestellar.org"
_OCM = "open-cluster-management.io"
_OCM_NAMESPACE = "open-cluster-management"
_CLUSTER_GROUP = "cluster.open-cluster-management.io"
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

_MADE_BY_OCM = frozenset(
    {
        ("managedclustersets", "", "default"),
        ("managedclustersets", "", "global"),
        ("managedclustersetbindings", _OCM_NAMESPACE, "global"),
    }
)
"""(plural, namespace, name): sets of the gate DefaultClusterSet, and the binding of the status add-on."""

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

_OCM_TAINTS = frozenset({f"{_CLUSTER_GROUP}/unavailable", f"{_CLUSTER_GROUP}/unreachable"})
_JOB_LABELS = (
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name",
    "controller-uid",
    "job-name",
)
_TOKEN = "kubernetes.io/service-account-token"

Identity = tuple[str, str, str, str]
"""API group, kind, namespace (empty for cluster-scoped), name."""


BUILT_IN, CONTROLLED, DELETING, EXCLUDED = "built_in", "controlled", "deleting", "excluded"
REASONS = (BUILT_IN, CONTROLLED, DELETING, EXCLUDED)
"""Why an object is left out: made again by the hub or its API server; by the controller that owns it; on its way out; in a
Namespace that the user names."""


@dataclass
class Content:
    """What was read of one space.

    :ivar objects: (resource, object as it is kept), in the order in which they are kept.
    :ivar managers: who owns which of the kept fields, see `owners`.
    :ivar left_out: reason to the objects that are left out for it, as (resource, namespace, name).
    :ivar placement: what the policies of a WDS came to, see `placement`.
    :ivar unkept: policy to the objects that it delivers and that are neither kept nor made again.
    :ivar versions: plural and group of each list to its resource version.
    :ivar kubernetes: version of its API server.
    :ivar exclude: the Namespaces that the user leaves out.
    """

    name: str
    role: str
    exclude: list[str] = field(default_factory=list)
    objects: list[tuple[Resource, dict[str, Any]]] = field(default_factory=list, repr=False)
    managers: dict[Identity, list[dict[str, Any]]] = field(default_factory=dict, repr=False)
    left_out: dict[str, list[tuple[Resource, str, str]]] = field(default_factory=dict, repr=False)
    placement: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)
    unkept: dict[str, list[str]] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict, repr=False)
    kubernetes: str = ""

    def counts(self) -> dict[str, int]:
        """How many objects are left out for each reason."""
        return {reason: len(self.left_out.get(reason, [])) for reason in REASONS}


@dataclass(frozen=True)
class Surroundings:
    """What else the API server of a WDS is, which decides what there is the user's own.

    :ivar machinery: Namespaces of the hub itself, of which nothing is kept.
    :ivar excluded: Namespaces that the user leaves out.
    :ivar ocm_hub: whether it is an ITS too, so that OCM's kinds there are not workload.
    """

    machinery: frozenset[str] = frozenset()
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
    machinery = {"kubestellar-report"}
    for name, metadata in names.items():
        owners = metadata.get("ownerReferences") or []
        if hosting and (name == "kubeflex-system" or any(o.get("kind") == "ControlPlane" for o in owners)):
            machinery.add(name)
        if ocm_hub and (
            name in (_OCM_NAMESPACE, PROPERTIES_NAMESPACE)
            or name.startswith(f"{_OCM_NAMESPACE}-")
            or f"{_OCM}/cluster-name" in (metadata.get("labels") or {})
        ):
            machinery.add(name)
    return Surroundings(frozenset(machinery), frozenset(exclude), ocm_hub)


def is_kept(resource: Resource, around: Surroundings) -> bool:
    """Whether a resource of a WDS can hold objects that are the user's own."""
    if resource.group in _SKIPPED_GROUPS or (resource.group, resource.plural) in _SKIPPED:
        return False
    if around.ocm_hub and _is_of_ocm(resource.group):
        return False
    return {"list", "create", "patch"} <= resource.verbs


def _is_of_ocm(group: str) -> bool:
    return group.endswith(_OCM) or group == "multicluster.x-k8s.io"


def why_left_out(resource: Resource, obj: Mapping[str, Any], around: Surroundings) -> str:
    """One of `REASONS`, or nothing for an object of a WDS that people put there and that will not come back by itself."""
    metadata = obj["metadata"]
    name, namespace = str(metadata["name"]), str(metadata.get("namespace") or "")
    place = name if (resource.group, resource.kind) == ("", "Namespace") else namespace
    if place in around.excluded:
        return EXCLUDED
    if place in around.machinery or _is_built_in(resource, obj, around):
        return BUILT_IN
    if metadata.get("deletionTimestamp"):
        return DELETING
    if any(owner.get("controller") for owner in metadata.get("ownerReferences") or []):
        return CONTROLLED
    return ""


def _is_built_in(resource: Resource, obj: Mapping[str, Any], around: Surroundings) -> bool:
    metadata = obj["metadata"]
    name, namespace = str(metadata["name"]), str(metadata.get("namespace") or "")
    if (resource.plural, name) in _MADE_BY_KUBERNETES:
        return True
    if namespace in _SYSTEM_NAMESPACES and not _written_by_people(metadata):
        return True
    if resource.group == "rbac.authorization.k8s.io":
        return "kubernetes.io/bootstrapping" in (metadata.get("labels") or {}) or name.startswith("system:")
    if resource.kind == "PriorityClass":
        return name.startswith("system-")
    if resource.kind == "CustomResourceDefinition":
        group = str((obj.get("spec") or {}).get("group"))
        return group in (_KUBESTELLAR, _KUBEFLEX) or (around.ocm_hub and _is_of_ocm(group))
    if (resource.kind, namespace, name) in (
        ("Service", "default", "kubernetes"),
        ("ServiceAccount", "kube-system", "kubeflex"),
    ):
        return True
    if (resource.kind == "Namespace" and name in _BUILT_IN_NAMESPACES) or (
        resource.kind == "ServiceAccount" and name == "default"
    ):
        return _is_bare(stripped(obj))
    return False


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


# -- where it goes ------------------------------------------------------------------------------------------


def placement(
    policies: Iterable[Mapping[str, Any]], bindings: Iterable[Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Policy to what its Binding lists: `settled`, `clusters` and `objects`, each in order.

    Versions are left out: those of objects belong to one server, those of kinds may be others on another one. A policy is
    not settled if the controller-manager has not seen its last change, or has made no Binding yet.
    """
    found = {str(binding["metadata"]["name"]): binding for binding in bindings}
    result = {}
    for policy in sorted(policies, key=lambda policy: str(policy["metadata"]["name"])):
        metadata, status = policy["metadata"], policy.get("status") or {}
        binding = found.get(str(metadata["name"]))
        result[str(metadata["name"])] = {
            "settled": binding is not None and status.get("observedGeneration") == metadata.get("generation"),
            **delivery(binding or {}),
        }
    return result


def delivery(binding: Mapping[str, Any]) -> dict[str, Any]:
    """`clusters` and `objects` of one Binding."""
    return {
        "clusters": sorted(resolution.destinations(binding)),
        "objects": [
            {
                **key._asdict(),
                "create_only": selected.modulation.create_only,
                "status_collectors": sorted(selected.modulation.status_collectors),
                "singleton": selected.modulation.singleton,
                "multi_wec": selected.modulation.multi_wec,
            }
            for key, selected in sorted(resolution.bound(binding).items())
        ],
    }


def unkept(content: Content) -> dict[str, list[str]]:
    """Policy to the objects that it delivers and a restored hub would not, because nothing brings them there."""
    kept = {_key(resource, obj["metadata"]) for resource, obj in content.objects}
    again = {
        (resource.group, resource.plural, namespace, name)
        for resource, namespace, name in content.left_out.get(BUILT_IN, [])
    }
    result = {}
    for policy, placed in content.placement.items():
        lacking = [
            place_name(entry)
            for entry in placed["objects"]
            if (entry["group"], entry["resource"], entry["namespace"], entry["name"]) not in kept | again
        ]
        if lacking:
            result[policy] = lacking
    return result


def place_name(entry: Mapping[str, Any]) -> str:
    """`deployments.apps shop/web`, as placements name objects."""
    kind = f"{entry['resource']}.{entry['group']}" if entry["group"] else str(entry["resource"])
    return label(kind, str(entry["name"]), str(entry["namespace"]) or None)


def _key(resource: Resource, metadata: Mapping[str, Any]) -> tuple[str, str, str, str]:
    return resource.group, resource.plural, str(metadata.get("namespace") or ""), str(metadata["name"])


# -- reading ------------------------------------------------------------------------------------------------


def read(cluster: Cluster, role: str, *, exclude: Sequence[str] = ()) -> Content:
    """What of a space cannot be rebuilt. Kinds are listed in parallel, each page by page; Bindings last.

    :param exclude: Namespaces of a WDS to leave out.
    :raises KubestellarError: anything that may hold such objects could not be read: a part is never taken for the whole.
    """
    content = Content(cluster.name, role, sorted(exclude))
    content.kubernetes = cluster.version()
    if role == "its":
        _read_its(cluster, content)
    else:
        _read_wds(cluster, content)
    content.objects.sort(key=lambda pair: order(*pair))
    for entries in content.left_out.values():
        entries.sort(key=lambda entry: (entry[0].plural, entry[1], entry[2]))
    return content


def _read_wds(cluster: Cluster, content: Content) -> None:
    resources = cluster.resources(refresh=True)
    _check_aggregated(cluster)
    around = surroundings(cluster.list(NAMESPACES, metadata_only=True).items, resources, content.exclude)
    kept = [resource for resource in resources if is_kept(resource, around)]
    policies: list[dict[str, Any]] = []
    for resource, items in _listed(cluster, content, [(resource, None) for resource in kept]):
        for item in items:
            _sort_in(content, resource, item, why_left_out(resource, item, around))
        if (resource.group, resource.plural) == (BINDING_POLICIES.group, BINDING_POLICIES.plural):
            policies = [item for item in items if not item["metadata"].get("deletionTimestamp")]
    if any((resource.group, resource.plural) == (BINDINGS.group, BINDINGS.plural) for resource in resources):
        ((_resource, bindings),) = _listed(cluster, content, [(BINDINGS, None)])
        content.placement = placement(policies, bindings)
        content.unkept = unkept(content)


def _read_its(cluster: Cluster, content: Content) -> None:
    served = {(resource.group, resource.plural): resource for resource in cluster.resources(refresh=True)}
    sets = [
        served[(_CLUSTER_GROUP, plural)]
        for plural in ("managedclustersets", "managedclustersetbindings")
        if (_CLUSTER_GROUP, plural) in served
    ]
    wanted: list[tuple[Resource, str | None]] = [
        (MANAGED_CLUSTERS, None),
        (CONFIG_MAPS, PROPERTIES_NAMESPACE),
        *((resource, None) for resource in sets),
    ]
    places = set()
    for resource, items in _listed(cluster, content, wanted):
        for item in items:
            metadata = item["metadata"]
            namespace = str(metadata.get("namespace") or "")
            built_in = (resource.plural, namespace, metadata["name"]) in _MADE_BY_OCM or (
                (resource.plural, metadata["name"]) in _MADE_BY_KUBERNETES
            )
            reason = BUILT_IN if built_in else DELETING if metadata.get("deletionTimestamp") else ""
            _sort_in(content, resource, item, reason)
            if not reason and namespace not in ("", PROPERTIES_NAMESPACE):
                places.add(namespace)
    if places:
        # Only what a ManagedClusterSetBinding lies in, unless OCM or Kubernetes makes it.
        around = surroundings(
            cluster.list(NAMESPACES, metadata_only=True).items, list(served.values()), _BUILT_IN_NAMESPACES
        )
        for item in cluster.list(NAMESPACES).items:
            name = item["metadata"]["name"]
            if name in places and name not in around.machinery | around.excluded:
                _sort_in(
                    content, NAMESPACES, item, DELETING if item["metadata"].get("deletionTimestamp") else ""
                )


def _sort_in(content: Content, resource: Resource, item: Mapping[str, Any], reason: str) -> None:
    metadata = item["metadata"]
    if reason:
        content.left_out.setdefault(reason, []).append(
            (resource, str(metadata.get("namespace") or ""), str(metadata["name"]))
        )
        return
    obj = stripped(item)
    content.objects.append((resource, obj))
    content.managers[identity(obj)] = owners(item, obj)


def _listed(
    cluster: Cluster, content: Content, wanted: Sequence[tuple[Resource, str | None]]
) -> list[tuple[Resource, list[dict[str, Any]]]]:
    def work(pair: tuple[Resource, str | None]) -> tuple[Resource, list[dict[str, Any]]]:
        resource, namespace = pair
        try:
            listing = cluster.list(resource, namespace)
        except NotFound as error:
            raise NotFound(
                f"{cluster.name}: {resource.plural}.{resource.group or 'core'} cannot be listed, so what is there is "
                "not known.",
                status=404,
                reason=error.reason,
                hint="Is this the right space, and its hub complete? Run again if a definition was just deleted.",
            ) from error
        content.versions[_plain_name(resource)] = listing.resource_version
        return resource, listing.items

    return list(_bulk.in_parallel(work, wanted))


def _plain_name(resource: Resource) -> str:
    return f"{resource.plural}.{resource.group}" if resource.group else resource.plural


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
    name = _plain_name(resource)
    if not re.fullmatch(r"[a-z0-9][-a-z0-9.]*", name):
        raise KubestellarError(f"The resource {name!r} makes no file name.")
    return f"{name}.yml"
