# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The WECs of a hub, read with a number of requests that does not depend on theirs (private to kubestellar.core)."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bulk, _space
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._resources import CONFIG_MAPS, LEASES
from ansible_collections.kubestellar.core.plugins.module_utils.fleet.facts import describe
from ansible_collections.kubestellar.core.plugins.module_utils.wecs import registered


def read(
    params: Mapping[str, Any],
    itses: Sequence[Mapping[str, Any]] | None,
    *,
    label_selector: str = "",
    leases: bool = True,
) -> list[dict[str, Any]]:
    """The WECs of all ITSes, as `facts.describe` gives them, in the order of ITSes and names.

    :param params: the connection to the hosting cluster; not used if each ITS has one of its own.
    :param itses: `name`, and `kubeconfig` and `context` of one that is addressed directly; all of the hub if None.
    :param leases: whether a WEC whose Lease is stale counts as unreachable.
    :raises KubestellarError: anything cannot be read. Nothing is never taken for an answer.
    """
    hosting = functools.cache(lambda: _space.hosting_cluster(params))
    spaces = [its for _role, its in _space.choose(itses, hosting, only="its")]
    fleets = _bulk.in_parallel(lambda its: read_its(its, label_selector, leases=leases), spaces)
    return [wec for fleet in fleets for wec in fleet]


def read_its(its: Cluster, label_selector: str, *, leases: bool) -> list[dict[str, Any]]:
    """The WECs of one ITS by name. The lists are read beside each other, each once."""
    reads: list[Callable[[], Any]] = [lambda: _managed(its, label_selector), lambda: _properties(its)]
    if leases:
        reads.append(lambda: _renewals(its))
    managed, properties, *renewals = _bulk.in_parallel(lambda call: call(), reads)
    renewed: dict[str, str] = renewals[0] if renewals else {}
    now = time.time()
    return [
        describe(item, its.name, renewed.get(name), properties.get(name, {}), now)
        for name, item in sorted(managed.items())
    ]


def _managed(its: Cluster, label_selector: str) -> dict[str, dict[str, Any]]:
    """WEC to its ManagedCluster, without what field managers own: that is half of it, and tells an inventory nothing."""
    found = {}
    for page in registered.managed_pages(its, label_selector=label_selector):
        for item in page:
            item["metadata"].pop("managedFields", None)
            found[item["metadata"]["name"]] = item
    return found


def _properties(its: Cluster) -> dict[str, dict[str, str]]:
    """WEC to its properties for template expansion."""
    namespace = registered.PROPERTIES_NAMESPACE
    return {
        item["metadata"]["name"]: item.get("data") or {}
        for page in its.pages(CONFIG_MAPS, namespace)
        for item in page.items
    }


def _renewals(its: Cluster) -> dict[str, str]:
    """WEC to the time at which its Lease was renewed."""
    selector = f"metadata.name={registered.LEASE}"
    return {
        item["metadata"]["namespace"]: str((item.get("spec") or {}).get("renewTime") or "")
        for page in its.pages(LEASES, field_selector=selector)
        for item in page.items
    }
