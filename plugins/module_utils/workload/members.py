# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of a workload in its WDS (private to kubestellar.core)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bulk, _diff
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster, label
from ansible_collections.kubestellar.core.plugins.module_utils._errors import NotFound
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils._resources import CRDS, Resource
from ansible_collections.kubestellar.core.plugins.module_utils._wait import Verdict, Waiter
from ansible_collections.kubestellar.core.plugins.module_utils.workload.names import WORKLOAD_LABEL


def live(wds: Cluster, name: str) -> list[tuple[Resource, dict[str, Any]]]:
    """The objects in the WDS that we applied for a workload: pairs of resource and metadata.

    The label alone is not enough: controllers copy a Service's labels to its Endpoints.
    """

    def listed(resource: Resource) -> list[tuple[Resource, dict[str, Any]]]:
        try:
            listing = wds.list(resource, label_selector=f"{WORKLOAD_LABEL}={name}", metadata_only=True)
        except NotFound:
            return []  # the CRD went away between discovery and here, and its objects with it
        return [(resource, item) for item in listing.items if _diff.applied_by(item)]

    listable = [resource for resource in wds.resources() if {"list", "delete"} <= resource.verbs]
    return [pair for pairs in _bulk.in_parallel(listed, listable) for pair in pairs]


def wait_gone(
    wds: Cluster,
    deleted: Sequence[tuple[Resource, Mapping[str, Any]]],
    timeout: float,
    progress: Progress,
) -> float:
    """Wait until the objects, by UID, are no longer there; seconds waited."""
    # With a definition all its objects go, and then nobody can list them any more.
    definitions = {obj["metadata"]["name"] for resource, obj in deleted if resource.kind == CRDS.kind}
    deleted = [
        (resource, obj)
        for resource, obj in deleted
        if f"{resource.plural}.{resource.group}" not in definitions
    ]
    waiter = Waiter(progress)
    followers = {resource: waiter.follow(wds, resource) for resource in {pair[0] for pair in deleted}}
    labels = {
        obj["metadata"]["uid"]: label(
            resource.kind, obj["metadata"]["name"], obj["metadata"].get("namespace")
        )
        for resource, obj in deleted
    }

    def evaluate() -> Verdict:
        present = {
            obj["metadata"]["uid"] for follower in followers.values() for obj in follower.objects().values()
        }
        missing = [f"{text} is still there" for uid, text in labels.items() if uid in present]
        return Verdict(not missing, missing)

    return waiter.until(
        evaluate,
        timeout=timeout,
        what=f"{wds.name}: removal",
        hint="Look at metadata.finalizers of what is left.",
    )
