# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests may leave behind in the stack that they share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    BINDING_POLICIES,
    CONFIG_MAPS,
    MANAGED_CLUSTERS,
    MANIFEST_WORKS,
    NAMESPACES,
)
from ansible_collections.kubestellar.core.plugins.module_utils._wait import condition
from ansible_collections.kubestellar.core.plugins.module_utils._workstatus import (
    ORIGIN_BINDING_LABEL,
    ORIGIN_WDS_LABEL,
)
from ansible_collections.kubestellar.core.plugins.module_utils.wecs.registered import PROPERTIES_NAMESPACE

from .running import Running


def traces(running: Running) -> set[str]:
    """Policies and Namespaces of the WDS, and clusters, deliveries and properties of the ITS: a text for each."""
    wds, its = running.cluster("wds1"), running.cluster("its1")
    found = {f"BindingPolicy {_name(policy)} in wds1" for policy in wds.list(BINDING_POLICIES).items}
    for namespace in wds.list(NAMESPACES).items:
        phase = (namespace.get("status") or {}).get("phase")
        found.add(f"Namespace {_name(namespace)} in wds1 ({phase})")
    for managed in its.list(MANAGED_CLUSTERS).items:
        found |= set(_of_cluster(managed))
    for work in its.list(MANIFEST_WORKS).items:
        labels = work["metadata"].get("labels") or {}
        origin = [labels[key] for key in (ORIGIN_WDS_LABEL, ORIGIN_BINDING_LABEL) if key in labels]
        name = f"of {'/'.join(origin)}" if origin else _name(work)
        found.add(f"ManifestWork {name} in {work['metadata']['namespace']}")
    for properties in its.list(CONFIG_MAPS, PROPERTIES_NAMESPACE).items:
        found.add(f"the properties {_name(properties)}: {properties.get('data')}")
    return found


def _name(item: dict[str, Any]) -> str:
    return str(item["metadata"]["name"])


def _of_cluster(managed: dict[str, Any]) -> Iterator[str]:
    name, metadata = f"ManagedCluster {_name(managed)}", managed["metadata"]
    available = condition(managed, "ManagedClusterConditionAvailable").get("status")
    yield f"{name} (available: {available}, taints: {managed['spec'].get('taints')})"
    for kind in ("labels", "annotations"):
        for key, value in (metadata.get(kind) or {}).items():
            yield f"{kind[:-1]} {key}={value} of {name}"
