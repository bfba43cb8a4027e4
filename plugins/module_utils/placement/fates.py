# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of an object on its way to the clusters, seen from its content (private to kubestellar.core). Pure functions.

KubeStellar removes fields before it sends an object (kubestellar: pkg/transport/generic/filtering), OCM's agent applies some kinds
only partly (ocm: pkg/work/spoke/apply), and a WDS is an API server in which no Pod runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._resources import CRDS
from ansible_collections.kubestellar.core.plugins.module_utils.placement.resolution import ObjectKey

Fates = Mapping[str, tuple[str, ...]]
"""Code of the catalogue to the fields, or names, that it is about."""

_PRESERVE = "control.kubestellar.io/preserve"
_HOOKS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")


def of_object(obj: Mapping[str, Any], dropped: Iterable[str] = (), altered: Iterable[str] = ()) -> Fates:
    """What becomes of one object.

    :param obj: as it is described, with `apiVersion`, `kind` and `metadata`: what an API server completes is nobody's wish.
    :param dropped: labels and annotations that are removed from it now, such as `label shift`.
    :param altered: its fields beside metadata and status that change now.
    """
    found: dict[str, tuple[str, ...]] = {}
    for code, rule in _RULES.items():
        fields = tuple(rule(obj))
        if fields:
            found[code] = fields
    kept = _PARTLY.get((str(obj.get("apiVersion")), str(obj.get("kind"))), frozenset()) & {*altered}
    if kept:
        found["partly-updated"] = tuple(sorted(kept))
    stays = tuple(sorted(dropped))
    if stays:
        found["labels-stay"] = stays
    return found


def of_all(objects: Mapping[ObjectKey, Mapping[str, Any]]) -> dict[ObjectKey, Fates]:
    """What becomes of objects that are delivered together, of those only that something becomes of.

    Each may have `described`, `dropped` and `altered`, see `_bulk.Target.planned`.
    """
    found = {
        key: dict(of_object(obj.get("described") or obj, obj.get("dropped") or (), obj.get("altered") or ()))
        for key, obj in objects.items()
    }
    objects = {key: obj.get("described") or obj for key, obj in objects.items()}
    targets = {
        (str(target.get("kind")), key.namespace, str(target.get("name")))
        for key, obj in objects.items()
        if obj.get("kind") == "HorizontalPodAutoscaler"
        for target in [_mapping(_spec(obj).get("scaleTargetRef"))]
    }
    for key, obj in objects.items():
        if (str(obj.get("kind")), key.namespace, key.name) in targets and "replicas" not in _spec(obj):
            found[key]["replicas-autoscaled"] = ("spec.replicas",)
    return {key: fates for key, fates in found.items() if fates}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _spec(obj: Mapping[str, Any]) -> Mapping[str, Any]:
    return _mapping(obj.get("spec"))


def _mappings(values: Any) -> list[Mapping[str, Any]]:
    return [value for value in values if isinstance(value, Mapping)] if isinstance(values, list) else []


def _is(obj: Mapping[str, Any], api_version: str, *kinds: str) -> bool:
    return obj.get("apiVersion") == api_version and obj.get("kind") in kinds


def _job_update(obj: Mapping[str, Any]) -> Iterator[str]:
    if _is(obj, "batch/v1", "Job"):
        yield "spec.selector"


def _job_ttl(obj: Mapping[str, Any]) -> Iterator[str]:
    if _is(obj, "batch/v1", "Job") and _spec(obj).get("ttlSecondsAfterFinished") is not None:
        yield "spec.ttlSecondsAfterFinished"


def _job_suspend(obj: Mapping[str, Any]) -> Iterator[str]:
    if _is(obj, "batch/v1", "Job") and _spec(obj).get("suspend") is True:
        yield "spec.suspend"


def _service_fields(obj: Mapping[str, Any]) -> Iterator[str]:
    if not _is(obj, "v1", "Service"):
        return
    spec = _spec(obj)
    usual = {
        "sessionAffinity": "None",
        "externalTrafficPolicy": "Cluster",
        "internalTrafficPolicy": "Cluster",
    }
    for field in (
        "externalTrafficPolicy",
        "internalTrafficPolicy",
        "ipFamilies",
        "ipFamilyPolicy",
        "sessionAffinity",
    ):
        if spec.get(field) not in (None, usual.get(field)):
            yield f"spec.{field}"
    if spec.get("clusterIP") not in (None, "", "None"):
        yield "spec.clusterIP"
    kept = _mapping(_mapping(obj.get("metadata")).get("annotations")).get(_PRESERVE) == "nodeport"
    if not kept and any(port.get("nodePort") for port in _mappings(spec.get("ports"))):
        yield "spec.ports[].nodePort"


def _volume_claim(obj: Mapping[str, Any]) -> Iterator[str]:
    if _is(obj, "v1", "PersistentVolume") and _spec(obj).get("claimRef"):
        yield "spec.claimRef"


def _owner_references(obj: Mapping[str, Any]) -> Iterator[str]:
    if _mapping(obj.get("metadata")).get("ownerReferences"):
        yield "metadata.ownerReferences"


def _acts_on_wds(obj: Mapping[str, Any]) -> Iterator[str]:
    spec = _spec(obj)
    if obj.get("kind") in _HOOKS:
        if any("service" in _mapping(hook.get("clientConfig")) for hook in _mappings(obj.get("webhooks"))):
            yield "webhooks[].clientConfig.service"
    elif obj.get("kind") == "APIService" and spec.get("service"):
        yield "spec.service"
    elif obj.get("kind") == CRDS.kind and _mapping(spec.get("conversion")).get("strategy") == "Webhook":
        yield "spec.conversion"


def _claim_update(obj: Mapping[str, Any]) -> Iterator[str]:
    if _is(obj, "v1", "PersistentVolumeClaim"):
        yield from (f"spec.{key}" for key in ("storageClassName", "volumeName") if key not in _spec(obj))


_PARTLY: Mapping[tuple[str, str], frozenset[str]] = {
    ("v1", "ConfigMap"): frozenset({"immutable"}),
    ("v1", "Pod"): frozenset({"spec"}),
    ("v1", "Secret"): frozenset({"immutable"}),
    ("v1", "ServiceAccount"): frozenset({"automountServiceAccountToken", "imagePullSecrets", "secrets"}),
}
"""(apiVersion, kind) to what OCM's agent leaves as it is once the object is there: of these kinds it does not write the whole
(library-go: pkg/operator/resource/resourceapply/core.go). The others it replaces."""
_RULES: dict[str, Callable[[Mapping[str, Any]], Iterator[str]]] = {
    "job-update": _job_update,
    "job-ttl": _job_ttl,
    "job-suspend": _job_suspend,
    "service-fields": _service_fields,
    "volume-claim": _volume_claim,
    "owner-references": _owner_references,
    "acts-on-wds": _acts_on_wds,
    "claim-update": _claim_update,
}
ONCE = frozenset({"job-update", "claim-update", "volume-claim", "partly-updated", "labels-stay"})
"""What does not matter for an object that is delivered only once (create_only)."""
LATER = frozenset({"partly-updated", "labels-stay"})
"""What matters only for an object that is delivered already."""
CODES = (*_RULES, "partly-updated", "labels-stay", "replicas-autoscaled")
