# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What discovery would say of the kinds in manifests, where there is no API server to ask (private to kubestellar.core).

Pure functions. Kinds of Kubernetes and KubeStellar are in a table; those of CustomResourceDefinitions are as these say. Any
other is guessed: its plural by the rules of English, and namespaced if the manifest names a namespace.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._resources import CRDS, Resource

_VERBS = frozenset({"list", "watch"})
_TABLE = {
    # group: (namespaced kinds, cluster-scoped kinds), of Kubernetes 1.36 as far as their objects are stored.
    "": (
        """ConfigMap Endpoints Event LimitRange PersistentVolumeClaim Pod PodTemplate ReplicationController
        ResourceQuota Secret Service ServiceAccount""",
        "Namespace Node PersistentVolume",
    ),
    "admissionregistration.k8s.io": (
        "",
        """MutatingAdmissionPolicy MutatingAdmissionPolicyBinding MutatingWebhookConfiguration
        ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration""",
    ),
    "apiextensions.k8s.io": ("", "CustomResourceDefinition"),
    "apiregistration.k8s.io": ("", "APIService"),
    "apps": ("ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet", ""),
    "autoscaling": ("HorizontalPodAutoscaler", ""),
    "batch": ("CronJob Job", ""),
    "certificates.k8s.io": ("PodCertificateRequest", "CertificateSigningRequest ClusterTrustBundle"),
    "control.kubestellar.io": (
        "CombinedStatus WorkStatus",
        "Binding BindingPolicy CustomTransform StatusCollector",
    ),
    "coordination.k8s.io": ("Lease LeaseCandidate", ""),
    "discovery.k8s.io": ("EndpointSlice", ""),
    "events.k8s.io": ("Event", ""),
    "flowcontrol.apiserver.k8s.io": ("", "FlowSchema PriorityLevelConfiguration"),
    "networking.k8s.io": ("Ingress NetworkPolicy", "IPAddress IngressClass ServiceCIDR"),
    "node.k8s.io": ("", "RuntimeClass"),
    "policy": ("PodDisruptionBudget", ""),
    "rbac.authorization.k8s.io": ("Role RoleBinding", "ClusterRole ClusterRoleBinding"),
    "resource.k8s.io": (
        "ResourceClaim ResourceClaimTemplate",
        "DeviceClass DeviceTaintRule ResourcePoolStatusRequest ResourceSlice",
    ),
    "scheduling.k8s.io": ("PodGroup Workload", "PriorityClass"),
    "storage.k8s.io": (
        "CSIStorageCapacity",
        "CSIDriver CSINode StorageClass VolumeAttachment VolumeAttributesClass",
    ),
    "storagemigration.k8s.io": ("", "StorageVersionMigration"),
}
_PREFERRED = {"autoscaling": "v2", "control.kubestellar.io": "v1alpha1"}
_PREVIEWS = frozenset(
    {
        "ClusterTrustBundle",
        "DeviceTaintRule",
        "LeaseCandidate",
        "PodCertificateRequest",
        "PodGroup",
        "ResourcePoolStatusRequest",
        "StorageVersionMigration",
        "Workload",
    }
)
"""Kinds without a stable version: which one is served depends on the release, so the manifest's is taken."""

_VERSION = re.compile(r"v([1-9][0-9]{0,17})(?:(alpha|beta)([1-9][0-9]{0,17}))?")


@dataclass(frozen=True)
class Known:
    """What is known of a kind.

    :ivar definition: the CustomResourceDefinition that brings it, or probably would; empty if none does.
    :ivar guessed: whether plural and scope are guesses.
    :ivar versions: all that are served, the preferred one first, where a definition says.
    """

    resource: Resource
    definition: str = ""
    guessed: bool = False
    versions: tuple[str, ...] = ()


def built_in() -> Iterable[Resource]:
    """All kinds of the table, those without a stable version with an empty one."""
    for group, scopes in _TABLE.items():
        for namespaced, kinds in zip((True, False), scopes, strict=True):
            for kind in kinds.split():
                version = "" if kind in _PREVIEWS else _PREFERRED.get(group, "v1")
                yield Resource(group, version, plural(kind), kind, namespaced, _VERBS)


class Kinds:
    """The kinds that can be told apart once the CustomResourceDefinitions among some manifests are known."""

    def __init__(self, manifests: Iterable[Mapping[str, Any]]) -> None:
        self._custom = {
            (known.resource.group, known.resource.kind): known
            for manifest in manifests
            if (known := _defined(manifest)) is not None
        }

    @property
    def custom(self) -> dict[tuple[str, str], str]:
        """(group, plural) of all custom resources, to the name of the definition."""
        return {(k.resource.group, k.resource.plural): k.definition for k in self._custom.values()}

    @property
    def versions(self) -> dict[tuple[str, str], tuple[str, ...]]:
        """(group, plural) of the custom resources that are served in several versions, to these."""
        return {
            (k.resource.group, k.resource.plural): k.versions
            for k in self._custom.values()
            if len(k.versions) > 1
        }

    def of(self, manifest: Mapping[str, Any]) -> Known:
        """The kind of a manifest that has `apiVersion`, `kind` and `metadata`."""
        group, _slash, version = manifest["apiVersion"].rpartition("/")
        kind = manifest["kind"]
        resource = _BUILT_IN.get((group, kind))
        if resource is not None:
            return Known(resource if resource.version else _in_version(resource, version))
        if (group, kind) in self._custom:
            return self._custom[group, kind]
        namespaced = bool(manifest["metadata"].get("namespace"))
        guess = Resource(group, version, plural(kind), kind, namespaced, _VERBS)
        # Groups of Kubernetes itself have no definitions: there, the kind is newer than the table, or misspelt.
        return Known(guess, "" if group in _TABLE else f"{guess.plural}.{group}", guessed=True)


def plural(kind: str) -> str:
    """The lower-case plural of a kind: policies, ingresses, gateways, widgets."""
    word = kind.lower()
    if word.endswith("endpoints"):
        return word
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return f"{word}es"
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return f"{word[:-1]}ies"
    return f"{word}s"


def _in_version(resource: Resource, version: str) -> Resource:
    return Resource(resource.group, version, resource.plural, resource.kind, resource.namespaced, _VERBS)


def _defined(manifest: Mapping[str, Any]) -> Known | None:
    """The kind that a CustomResourceDefinition brings; None for anything else, and for one that is not complete."""
    if manifest.get("kind") != CRDS.kind or not str(manifest.get("apiVersion")).startswith(f"{CRDS.group}/"):
        return None
    spec = manifest.get("spec")
    names = spec.get("names") if isinstance(spec, Mapping) else None
    if not isinstance(spec, Mapping) or not isinstance(names, Mapping):
        return None
    group, kind, name = spec.get("group"), names.get("kind"), names.get("plural")
    versions = [v for v in spec.get("versions") or [] if isinstance(v, Mapping) and v.get("served", True)]
    if not all(isinstance(text, str) and text for text in (group, kind, name)) or not versions:
        return None
    served = sorted((str(v.get("name") or "") for v in versions), key=_rank, reverse=True)
    return Known(
        Resource(str(group), served[0], str(name), str(kind), spec.get("scope") == "Namespaced", _VERBS),
        f"{name}.{group}",
        versions=tuple(served),
    )


def _rank(version: str) -> tuple[int, int, int, str]:
    """Kubernetes' order of versions: stable before beta before alpha, then by number; others last, by name."""
    match = _VERSION.fullmatch(version)
    if match is None:
        return (0, 0, 0, version)
    stage = {None: 3, "beta": 2, "alpha": 1}[match.group(2)]
    return (stage, int(match.group(1)), int(match.group(3) or 0), "")


_BUILT_IN = {(resource.group, resource.kind): resource for resource in built_in()}
