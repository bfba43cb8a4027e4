# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a delivered object does what it is for, by its kind (private to kubestellar.core). Pure functions.

The rules follow `kubectl rollout status` (kubernetes: staging/src/k8s.io/kubectl/pkg/polymorphichelpers) and
kstatus (cli-utils: pkg/kstatus/status) where these judge the same kind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._errors import plain

HEALTHY, PROGRESSING, FAILED = "healthy", "progressing", "failed"

_CORE = ""


@dataclass(frozen=True)
class Health:
    """A judgement.

    :ivar state: `healthy`, `progressing` or `failed`.
    :ivar message: what is lacking, for people.
    :ivar final: whether waiting cannot help.
    """

    state: str
    message: str = ""
    final: bool = False


OK = Health(HEALTHY)


def assess(
    group: str,
    kind: str,
    spec: Mapping[str, Any],
    status: Mapping[str, Any],
    generation: int | None = None,
) -> Health:
    """The health of one object in a cluster.

    :param spec: the part of the delivered `spec` that `relevant_spec` keeps; empty if the cluster may differ.
    :param status: its status there; empty if it has none.
    :param generation: its `metadata.generation` there, if known; a status that speaks for an older one is not
        taken for an answer.
    """
    observed = status.get("observedGeneration")
    if generation is not None and isinstance(observed, int) and observed < generation:
        return _waiting("its controller has not seen the new generation yet")
    rule = _RULES.get((group, kind))
    return rule(spec, status) if rule else _by_conditions(status, generation)


def deployment_lack(deployment: Mapping[str, Any]) -> str:
    """What a Deployment that is to run lacks, as a clause; empty if nothing."""
    spec, status = deployment.get("spec") or {}, deployment.get("status") or {}
    health = assess("apps", "Deployment", spec, status, deployment["metadata"].get("generation"))
    if health.state == HEALTHY:
        return "" if status.get("readyReplicas") else "it is scaled to 0"
    return plain(health.message or health.state, 200)


def relevant_spec(group: str, kind: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a manifest's `spec` that `assess` needs."""
    if (group, kind) not in _RULES:
        return {}
    return {key: spec[key] for key in ("replicas", "type", "updateStrategy") if key in spec}


def _waiting(message: str) -> Health:
    return Health(PROGRESSING, message)


def _failed(message: str, *, final: bool = False) -> Health:
    return Health(FAILED, message, final)


def _condition(status: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    conditions = status.get("conditions")
    for condition in conditions if isinstance(conditions, list) else []:
        if isinstance(condition, Mapping) and condition.get("type") == kind:
            return condition
    return {}


def _is(status: Mapping[str, Any], kind: str, value: str = "True") -> bool:
    return _condition(status, kind).get("status") == value


def _why(status: Mapping[str, Any], kind: str, otherwise: str) -> str:
    condition = _condition(status, kind)
    return str(condition.get("message") or condition.get("reason") or otherwise)


def _count(status: Mapping[str, Any], key: str) -> int:
    value = status.get(key)
    return value if isinstance(value, int) else 0


def _wanted(spec: Mapping[str, Any], status: Mapping[str, Any]) -> int:
    """Replicas to expect: the manifest's, or what the cluster has if a transform leaves the number to it."""
    value = spec.get("replicas")
    return value if isinstance(value, int) else _count(status, "replicas")


def _deployment(spec: Mapping[str, Any], status: Mapping[str, Any]) -> Health:
    if not status.get("observedGeneration"):
        return _waiting("no status yet")
    progress = _condition(status, "Progressing")
    if progress.get("reason") == "ProgressDeadlineExceeded":
        return _failed(str(progress.get("message") or "progress deadline exceeded"))
    if _is(status, "ReplicaFailure"):
        return _failed(_why(status, "ReplicaFailure", "Pods cannot be created"))
    wanted, updated = _wanted(spec, status), _count(status, "updatedReplicas")
    if updated < wanted:
        return _waiting(f"{updated} of {wanted} replicas updated")
    if _count(status, "replicas") > updated:
        return _waiting(f"{_count(status, 'replicas') - updated} old replicas still there")
    available = _count(status, "availableReplicas")
    if available < max(wanted, updated):
        return _waiting(f"{available} of {max(wanted, updated)} replicas available")
    return OK


def _replica_set(spec: Mapping[str, Any], status: Mapping[str, Any]) -> Health:
    if not status.get("observedGeneration"):
        return _waiting("no status yet")
    if _is(status, "ReplicaFailure"):
        return _failed(_why(status, "ReplicaFailure", "Pods cannot be created"))
    wanted, available = _wanted(spec, status), _count(status, "availableReplicas")
    return OK if available >= wanted else _waiting(f"{available} of {wanted} replicas available")


def _stateful_set(spec: Mapping[str, Any], status: Mapping[str, Any]) -> Health:
    if not status.get("observedGeneration"):
        return _waiting("no status yet")
    wanted, ready = _wanted(spec, status), _count(status, "readyReplicas")
    if ready < wanted:
        return _waiting(f"{ready} of {wanted} replicas ready")
    strategy = spec.get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return OK
    partition = (strategy.get("rollingUpdate") or {}).get("partition") or 0
    if partition:
        updated = _count(status, "updatedReplicas")
        expected = max(0, wanted - int(partition))
        return OK if updated >= expected else _waiting(f"{updated} of {expected} replicas updated")
    if status.get("updateRevision") != status.get("currentRevision"):
        return _waiting(f"{_count(status, 'updatedReplicas')} of {wanted} replicas updated")
    return OK


def _daemon_set(spec: Mapping[str, Any], status: Mapping[str, Any]) -> Health:
    if not status.get("observedGeneration"):
        return _waiting("no status yet")
    wanted = _count(status, "desiredNumberScheduled")
    updated, available = _count(status, "updatedNumberScheduled"), _count(status, "numberAvailable")
    if updated < wanted and (spec.get("updateStrategy") or {}).get("type") != "OnDelete":
        return _waiting(f"{updated} of {wanted} Pods updated")
    if available < wanted:
        return _waiting(f"{available} of {wanted} Pods available")
    return OK if wanted else Health(HEALTHY, "no node takes it")


def _job(_spec: Mapping[str, Any], status: Mapping[str, Any]) -> Health:
    if _is(status, "Complete"):
        return OK
    if _is(status, "Failed"):
        return _failed(_why(status, "Failed", "failed"), final=True)
    if _is(status, "Suspended"):
        return _waiting("suspended")
    return _waiting(f"{_count(status, 'active')} Pods active, {_count(status, 'succeeded')} succeeded")


def _pod(_spec: Mapping[str, Any], status: Mapping[str, Any]) -> Health:
    phase = status.get("phase")
    if phase == "Succeeded":
        return OK
    if phase == "Failed":
        return _failed(str(status.get("message") or status.get("reason") or "failed"), final=True)
    if phase == "Running" and _is(status, "Ready"):
        return OK
    for container in status.get("containerStatuses") or []:
        waiting = (container.get("state") or {}).get("waiting") or {}
        if waiting.get("reason"):
            return _waiting(f"container {container.get('name')}: {waiting['reason']}")
    if _is(status, "PodScheduled", "False"):
        return _waiting(_why(status, "PodScheduled", "not scheduled"))
    return _waiting(str(phase or "no status yet"))


def _claim(_spec: Mapping[str, Any], status: Mapping[str, Any]) -> Health:
    phase = status.get("phase")
    if phase == "Bound":
        return OK
    return _failed("its volume is lost") if phase == "Lost" else _waiting(str(phase or "no status yet"))


def _volume(_spec: Mapping[str, Any], status: Mapping[str, Any]) -> Health:
    phase = status.get("phase")
    if phase in ("Available", "Bound", "Released"):
        return OK
    if phase == "Failed":
        return _failed(str(status.get("message") or "failed"))
    return _waiting(str(phase or "no status yet"))


def _definition(_spec: Mapping[str, Any], status: Mapping[str, Any]) -> Health:
    if _is(status, "NamesAccepted", "False"):
        return _failed(_why(status, "NamesAccepted", "its names are taken"))
    return OK if _is(status, "Established") else _waiting(_why(status, "Established", "not established yet"))


def _service(spec: Mapping[str, Any], status: Mapping[str, Any]) -> Health:
    if spec.get("type") == "LoadBalancer" and not (status.get("loadBalancer") or {}).get("ingress"):
        return _waiting("no address from the load balancer yet")
    return OK


def _namespace(_spec: Mapping[str, Any], status: Mapping[str, Any]) -> Health:
    phase = status.get("phase")
    if phase == "Active":
        return OK
    return _failed("being deleted") if phase == "Terminating" else _waiting("no status yet")


def _by_conditions(status: Mapping[str, Any], generation: int | None) -> Health:
    """Any other kind: its own conditions, where they are of the usual types; without such it is healthy."""
    for kind in ("Stalled", "Degraded", "Failed"):
        if _is(status, kind):
            return _failed(_why(status, kind, kind.lower()))
    if _is(status, "Reconciling"):
        return _waiting(_why(status, "Reconciling", "reconciling"))
    for kind in ("Ready", "Available", "Healthy", "Established", "Succeeded", "Programmed"):
        condition = _condition(status, kind)
        if not condition:
            continue
        observed = condition.get("observedGeneration")
        if generation is not None and isinstance(observed, int) and observed < generation:
            return _waiting(f"condition {kind} speaks for an older generation")
        return (
            OK if condition.get("status") == "True" else _waiting(_why(status, kind, f"{kind} is not True"))
        )
    return OK


_RULES: dict[tuple[str, str], Callable[[Mapping[str, Any], Mapping[str, Any]], Health]] = {
    ("apps", "Deployment"): _deployment,
    ("apps", "ReplicaSet"): _replica_set,
    ("apps", "StatefulSet"): _stateful_set,
    ("apps", "DaemonSet"): _daemon_set,
    ("batch", "Job"): _job,
    (_CORE, "ReplicationController"): _replica_set,
    (_CORE, "Pod"): _pod,
    (_CORE, "PersistentVolumeClaim"): _claim,
    (_CORE, "PersistentVolume"): _volume,
    (_CORE, "Service"): _service,
    (_CORE, "Namespace"): _namespace,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _definition,
}
