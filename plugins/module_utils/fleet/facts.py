# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an inventory tells of a WEC, as plain JSON (private to kubestellar.core). Pure functions.

Nothing of it is secret: of a ManagedCluster the API server's address is taken without its CA, and of the annotations not
the copy of the whole object that `kubectl apply` leaves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._wait import condition
from ansible_collections.kubestellar.core.plugins.module_utils.wecs import registered

CLUSTER_SET = "cluster.open-cluster-management.io/clusterset"
"""The label that says which ManagedClusterSet a cluster is in (ocm: api/cluster/v1beta2)."""
_COPY = "kubectl.kubernetes.io/last-applied-configuration"

FACTS: Mapping[str, str] = {
    "kubestellar_cluster": "name of the ManagedCluster",
    "kubestellar_its": "name of the ITS it is registered in",
    "kubestellar_uid": "UID of the ManagedCluster",
    "kubestellar_accepted": "whether the hub accepts it",
    "kubestellar_joined": "whether its agent has come back with its certificate",
    "kubestellar_available": "whether it is available, with a fresh Lease",
    "kubestellar_unreachable": "whether it is not available because nothing is heard of it",
    "kubestellar_reason": "why it is not available, empty if it is",
    "kubestellar_labels": "its labels",
    "kubestellar_annotations": "its annotations",
    "kubestellar_claims": "the cluster claims that its agent reports",
    "kubestellar_properties": "its properties for template expansion",
    "kubestellar_conditions": "by type, each with status, reason and message",
    "kubestellar_taints": "its taints, for OCM placements; KubeStellar does not look at them",
    "kubestellar_cluster_set": "its ManagedClusterSet, empty if it is in none",
    "kubestellar_version": "Kubernetes version that its agent reports",
    "kubestellar_address": "URL of its API server as it says it itself, empty if it does not",
    "kubestellar_created": "time at which it was registered",
    "kubestellar_deleting": "whether it is being deleted",
}
"""Host variables of the inventory plugin and their meanings. Values are untrusted text, and none is a role variable."""


def describe(
    managed: dict[str, Any], its: str, renewed: str | None, properties: Mapping[str, str], now: float
) -> dict[str, Any]:
    """One WEC: the keys of `FACTS`.

    :param managed: the ManagedCluster.
    :param renewed: time at which its agent renewed its Lease last; None if it never has, or if Leases do not count.
    :param properties: the data of its ConfigMap for template expansion.
    :param now: seconds since the epoch.
    """
    metadata, spec = managed["metadata"], managed.get("spec") or {}
    status = managed.get("status") or {}
    labels = dict(metadata.get("labels") or {})
    annotations = dict(metadata.get("annotations") or {})
    annotations.pop(_COPY, None)
    lease = {"spec": {"renewTime": renewed}} if renewed else None
    reason = registered.unavailable_because(managed, lease, now)
    said = condition(managed, "ManagedClusterConditionAvailable").get("status")
    addresses = [str(client.get("url") or "") for client in spec.get("managedClusterClientConfigs") or []]
    return {
        "kubestellar_cluster": metadata["name"],
        "kubestellar_its": its,
        "kubestellar_uid": str(metadata.get("uid") or ""),
        "kubestellar_accepted": registered.is_accepted(managed),
        "kubestellar_joined": registered.is_joined(managed),
        "kubestellar_available": not reason,
        "kubestellar_unreachable": bool(reason) and said != "False",
        "kubestellar_reason": reason,
        "kubestellar_labels": labels,
        "kubestellar_annotations": annotations,
        "kubestellar_claims": {
            str(claim.get("name")): str(claim.get("value")) for claim in status.get("clusterClaims") or []
        },
        "kubestellar_properties": dict(properties),
        "kubestellar_conditions": {
            str(found.get("type")): {
                key: str(found.get(key) or "") for key in ("status", "reason", "message")
            }
            for found in status.get("conditions") or []
        },
        "kubestellar_taints": [dict(taint) for taint in spec.get("taints") or []],
        "kubestellar_cluster_set": str(labels.get(CLUSTER_SET) or ""),
        "kubestellar_version": str((status.get("version") or {}).get("kubernetes") or ""),
        "kubestellar_address": addresses[0] if addresses else "",
        "kubestellar_created": str(metadata.get("creationTimestamp") or ""),
        "kubestellar_deleting": bool(metadata.get("deletionTimestamp")),
    }
