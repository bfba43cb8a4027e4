# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is different about a hub on OpenShift (private to kubestellar.core).

KubeFlex makes Routes there instead of Ingresses and leaves out the user and group ids that security context constraints do not let it
set (kubeflex: pkg/reconcilers/{shared/route.go,vcluster/chart.go}, chart/templates/postgresql.yaml).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import ApiError, InvalidInput, plain
from ansible_collections.kubestellar.core.plugins.module_utils._resources import Resource

GROUPS = ("project.openshift.io", "route.openshift.io", "security.openshift.io")
"""What an OpenShift serves and a hub needs: `kflex` knows it by the first, spaces get Routes, Pods pass constraints."""
ITS_TYPE = "host"
"""The type of an ITS that names none: on OpenShift, spaces of type `vcluster` are fragile."""

_VERSIONS = Resource("config.openshift.io", "v1", "clusterversions", "ClusterVersion", False)


def problems(wdses: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """What cannot work, as pairs of a sentence and a remedy.

    A WDS of type `host` is the hosting cluster itself, whose controller-manager watches every kind that it serves: on OpenShift hundreds
    (kubestellar#1697, #1916).
    """
    for wds in wdses:
        if wds.get("type") == "host" and not wds.get("api_groups"):
            yield (
                f"hub_wdses: {plain(wds.get('name'), 80)} is of type host and names no api_groups.",
                "Set api_groups to the groups of what is to be placed, such as ['', apps, batch]: OpenShift has hundreds of kinds.",
            )


def warnings(itses: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What works on some clusters only."""
    for its in itses:
        if its.get("type") == "vcluster":
            yield (
                f"hub_itses: {plain(its.get('name'), 80)} is of type vcluster. Its release is old and often kept from running by the "
                "policies of an OpenShift cluster (kubeflex#596, #203). Prefer the types host and external."
            )


def check(cluster: Cluster) -> str:
    """See that this is an OpenShift; its version, empty if that may not be read.

    :raises InvalidInput: it is none.
    """
    served = {resource.group for resource in cluster.resources()}
    missing = [group for group in GROUPS if group not in served]
    if missing:
        raise InvalidInput(
            f"{cluster.name}: {cluster.server} serves no {', '.join(missing)}, so it is no OpenShift that a hub can run on.",
            hint="Correct the connection, or set hub_provider to existing. On an OpenShift, see whether its API services are available.",
        )
    try:
        version = cluster.get(_VERSIONS, "version") or {}
    except ApiError:
        return ""
    return plain(((version.get("status") or {}).get("desired") or {}).get("version") or "", 40)
