# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""API resources: what discovery tells, and the ones that need no discovery (private to kubestellar.core)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, plain


@dataclass(frozen=True)
class Resource:
    """One API resource in one version.

    :param plural: name in the URL, for example `deployments`.
    :param verbs: what the server allows; empty for the constants below.
    """

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool
    verbs: frozenset[str] = frozenset()

    @property
    def api_version(self) -> str:
        """`apps/v1`, or `v1` for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(
        self, namespace: str | None = None, name: str | None = None, subresource: str | None = None
    ) -> str:
        """The URL path of the collection, or of one object or its subresource.

        :raises InvalidInput: a part is none, so that the path would be that of something else; see `url_path`.
        """
        parts = ["apis", self.group, self.version] if self.group else ["api", self.version]
        if self.namespaced and (namespace or name is not None):
            parts += ["namespaces", namespace or ""]
        parts.append(self.plural)
        parts += [part for part in (name, subresource) if part is not None]
        return url_path(*parts)

    def object_path(self, namespace: str | None, name: str, subresource: str | None = None) -> str:
        """The same of one object, never of the collection."""
        return self.path(namespace, "" if name is None else name, subresource)


def url_path(*parts: str) -> str:
    """A path on an API server. Each part stays one: `.` and `..` would be the path of something else, a collection even.

    :raises InvalidInput: a part that no object of Kubernetes can have as its name (kubernetes:
        staging/src/k8s.io/apimachinery/pkg/api/validation/path/name.go).
    """
    for part in parts:
        if not is_segment(part):
            raise InvalidInput(
                f"{plain(repr(part), 120)} cannot be the name of an object, a kind or a namespace."
            )
    return "/" + "/".join(quote(part, safe="") for part in parts)


def is_segment(part: object) -> bool:
    """Whether a value can be one part of a path."""
    if not isinstance(part, str) or part in ("", ".", "..") or "/" in part or "%" in part:
        return False
    return part.isprintable() and len(part) <= _LONGEST_PART


_LONGEST_PART = 1024


NAMESPACES = Resource("", "v1", "namespaces", "Namespace", False)
NODES = Resource("", "v1", "nodes", "Node", False)
SECRETS = Resource("", "v1", "secrets", "Secret", True)
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap", True)
SERVICES = Resource("", "v1", "services", "Service", True)
SERVICE_ACCOUNTS = Resource("", "v1", "serviceaccounts", "ServiceAccount", True)
PODS = Resource("", "v1", "pods", "Pod", True)
EVENTS = Resource("", "v1", "events", "Event", True)
CLAIMS = Resource("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", True)
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment", True)
DAEMON_SETS = Resource("apps", "v1", "daemonsets", "DaemonSet", True)
JOBS = Resource("batch", "v1", "jobs", "Job", True)
STORAGE_CLASSES = Resource("storage.k8s.io", "v1", "storageclasses", "StorageClass", False)
INGRESS_CLASSES = Resource("networking.k8s.io", "v1", "ingressclasses", "IngressClass", False)
CRDS = Resource("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", False)
CSRS = Resource("certificates.k8s.io", "v1", "certificatesigningrequests", "CertificateSigningRequest", False)
LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease", True)
CLUSTER_ROLES = Resource("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", False)
CLUSTER_ROLE_BINDINGS = Resource(
    "rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", False
)

CONTROL_PLANES = Resource("tenancy.kflex.kubestellar.org", "v1alpha1", "controlplanes", "ControlPlane", False)
POST_CREATE_HOOKS = Resource(
    "tenancy.kflex.kubestellar.org", "v1alpha1", "postcreatehooks", "PostCreateHook", False
)
BINDING_POLICIES = Resource("control.kubestellar.io", "v1alpha1", "bindingpolicies", "BindingPolicy", False)
BINDINGS = Resource("control.kubestellar.io", "v1alpha1", "bindings", "Binding", False)
WORK_STATUSES = Resource("control.kubestellar.io", "v1alpha1", "workstatuses", "WorkStatus", True)
CUSTOM_TRANSFORMS = Resource(
    "control.kubestellar.io", "v1alpha1", "customtransforms", "CustomTransform", False
)
STATUS_COLLECTORS = Resource(
    "control.kubestellar.io", "v1alpha1", "statuscollectors", "StatusCollector", False
)
COMBINED_STATUSES = Resource("control.kubestellar.io", "v1alpha1", "combinedstatuses", "CombinedStatus", True)
WDS_KINDS = (BINDING_POLICIES, BINDINGS, COMBINED_STATUSES, CUSTOM_TRANSFORMS, STATUS_COLLECTORS)
"""What a controller-manager defines in its WDS when it starts (kubestellar: pkg/crd/files)."""
MANAGED_CLUSTERS = Resource(
    "cluster.open-cluster-management.io", "v1", "managedclusters", "ManagedCluster", False
)
MANIFEST_WORKS = Resource("work.open-cluster-management.io", "v1", "manifestworks", "ManifestWork", True)
APPLIED_MANIFEST_WORKS = Resource(
    "work.open-cluster-management.io", "v1", "appliedmanifestworks", "AppliedManifestWork", False
)
CLUSTER_CLAIMS = Resource(
    "cluster.open-cluster-management.io", "v1alpha1", "clusterclaims", "ClusterClaim", False
)
KLUSTERLETS = Resource("operator.open-cluster-management.io", "v1", "klusterlets", "Klusterlet", False)
