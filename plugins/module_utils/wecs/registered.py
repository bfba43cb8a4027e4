# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WECs as they are: ManagedClusters of an ITS with what belongs to them (private to kubestellar.core)."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bulk, _csr
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    NotFound,
    plain,
)
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    CONFIG_MAPS,
    CSRS,
    LEASES,
    MANAGED_CLUSTERS,
)
from ansible_collections.kubestellar.core.plugins.module_utils._wait import (
    condition,
)

PROPERTIES_NAMESPACE = "customization-properties"
"""Namespace of the ConfigMaps for template expansion, one per WEC; KubeStellar's transport controller makes it too."""
LEASE = "managed-cluster-lease"

_LEASE_FACTOR = 5
"""The hub calls a cluster unknown after this many lease durations (ocm: pkg/registration/hub/lease)."""


@dataclass
class State:
    """The ITS as it was listed: by name of the WEC."""

    managed: dict[str, dict[str, Any]]
    requests: dict[str, list[dict[str, Any]]]
    leases: dict[str, dict[str, Any]]
    properties: dict[str, dict[str, Any]]


def read_state(its: Cluster, *, label_selector: str = "") -> State:
    """List ManagedClusters, certificate requests, Leases and property ConfigMaps, once each.

    :param label_selector: only ManagedClusters that match.
    :raises NotFound: the cluster is no OCM hub; never taken for "there are none".
    """
    managed = [item for page in managed_pages(its, label_selector=label_selector) for item in page]
    lists: list[list[dict[str, Any]]] = _bulk.in_parallel(
        lambda call: call().items,
        [
            lambda: its.list(CSRS, label_selector=_csr.CLUSTER_LABEL),
            lambda: its.list(LEASES, field_selector=f"metadata.name={LEASE}"),
            lambda: its.list(CONFIG_MAPS, PROPERTIES_NAMESPACE),
        ],
    )
    csrs, leases, properties = lists
    return State(
        {item["metadata"]["name"]: item for item in managed},
        group_requests(csrs),
        {item["metadata"]["namespace"]: item for item in leases},
        {item["metadata"]["name"]: item for item in properties},
    )


def managed_pages(its: Cluster, *, label_selector: str = "") -> Iterator[list[dict[str, Any]]]:
    """The ManagedClusters of an ITS, page by page.

    :raises NotFound: the cluster is no OCM hub; never taken for "there are none".
    """
    try:
        for page in its.pages(MANAGED_CLUSTERS, label_selector=label_selector):
            yield page.items
    except NotFound as error:
        raise NotFound(
            f"{its.name}: the kind ManagedCluster is not served, so this is no OCM hub.",
            status=404,
            reason="KindNotServed",
            hint="Is this the right space, and is its OCM hub installed?",
        ) from error


def group_requests(csrs: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Certificate requests by the WEC that their label names."""
    grouped: dict[str, list[dict[str, Any]]] = {}
    for csr in csrs:
        wec = str((csr["metadata"].get("labels") or {}).get(_csr.CLUSTER_LABEL) or "")
        grouped.setdefault(wec, []).append(csr)
    return grouped


def is_accepted(managed: Mapping[str, Any] | None) -> bool:
    """Whether `spec.hubAcceptsClient` is true."""
    return bool(((managed or {}).get("spec") or {}).get("hubAcceptsClient"))


def is_joined(managed: dict[str, Any] | None) -> bool:
    """Whether the agent has come back with its certificate."""
    return condition(managed, "ManagedClusterJoined").get("status") == "True"


def unavailable_because(managed: dict[str, Any] | None, lease: Mapping[str, Any] | None, now: float) -> str:
    """Why a WEC is not available: its condition, or a Lease that stopped; empty when it is.

    The condition alone may be old: it stays True when the hub's registration controller is down.

    :param now: seconds since the epoch.
    """
    if managed is None:
        return "it is not registered"
    found = condition(managed, "ManagedClusterConditionAvailable")
    if found.get("status") != "True":
        if not found:
            return "the hub has not heard of it yet"
        return (
            plain(": ".join(str(found.get(k)) for k in ("reason", "message") if found.get(k)), 200)
            or "no reason"
        )
    age = lease_age(lease, now)
    if age is not None and age > longest_silence(managed):
        return f"its Lease was last renewed {age:.0f} s ago"
    return ""


def longest_silence(managed: Mapping[str, Any] | None) -> float:
    """Seconds without a renewed Lease after which a WEC counts as unreachable."""
    duration = ((managed or {}).get("spec") or {}).get("leaseDurationSeconds") or 60
    return float(_LEASE_FACTOR * int(duration))


def lease_age(lease: Mapping[str, Any] | None, now: float) -> float | None:
    """Seconds since the agent renewed its Lease, or None if there is none; never negative."""
    return seconds_since(((lease or {}).get("spec") or {}).get("renewTime"), now)


def seconds_since(text: Any, now: float) -> float | None:
    """Seconds from a time as API servers write it, never negative; None if there is none or it cannot be read."""
    if not text:
        return None
    try:
        then = datetime.datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return None
    return max(0.0, now - then.timestamp())


def describe(state: State, name: str, now: float) -> dict[str, Any]:
    """One entry of `managed_clusters`, as managed_cluster_info returns it."""
    managed = state.managed[name]
    metadata, status = managed.get("metadata") or {}, managed.get("status") or {}
    lease = state.leases.get(name)
    reason = unavailable_because(managed, lease, now)
    age = lease_age(lease, now)
    choice = _csr.choose(state.requests.get(name, []), name)
    return {
        "name": name,
        "accepted": is_accepted(managed),
        "joined": is_joined(managed),
        "available": not reason,
        "available_reason": reason,
        "labels": dict(metadata.get("labels") or {}),
        "annotations": dict(metadata.get("annotations") or {}),
        "properties": dict((state.properties.get(name) or {}).get("data") or {}),
        "claims": {
            str(claim.get("name")): str(claim.get("value")) for claim in status.get("clusterClaims") or []
        },
        "version": str((status.get("version") or {}).get("kubernetes") or ""),
        "conditions": [
            {key: str(found.get(key) or "") for key in ("type", "status", "reason", "message")}
            for found in status.get("conditions") or []
        ],
        "taints": [dict(taint) for taint in (managed.get("spec") or {}).get("taints") or []],
        "lease_age": None if age is None else round(age, 1),
        "requests": [
            {"name": csr["metadata"]["name"], "decision": "approve", "reason": "it waits for approval"}
            for csr in choice.approve
        ]
        + [{"name": csr, "decision": "refuse", "reason": reason} for csr, reason in choice.refused],
        "created": str(metadata.get("creationTimestamp") or ""),
        "deleting": bool(metadata.get("deletionTimestamp")),
    }
