# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _delivery
from ansible_collections.kubestellar.core.plugins.module_utils.placement.leftovers import (
    SECONDS,
    Leftovers,
    unaccounted,
)

KINDS = {("", "configmaps"): "ConfigMap"}
BINDING = {
    "spec": {
        "destinations": [{"clusterId": "east"}],
        "workload": {
            "namespaceScope": [
                {"group": "", "version": "v1", "resource": "configmaps", "namespace": "shop", "name": "stays"}
            ]
        },
    }
}


def work(cluster: str, name: str, *, kind: str = "ConfigMap", deleting: bool = False) -> _delivery.Work:
    manifest = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": "shop"}}
    metadata: dict[str, Any] = {"name": f"w-{name}", "namespace": cluster, "uid": f"{cluster}-{name}"}
    if deleting:
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    return _delivery.parse_work({"metadata": metadata, "spec": {"workload": {"manifests": [manifest]}}})


def test_what_the_binding_has_is_accounted_for_and_so_is_what_goes():
    works = [
        work("east", "stays"),
        work("east", "leaves", deleting=True),
        work("east", "unknown", kind="Stall"),
        work("east", "left"),
        work("west", "stays"),
    ]
    found = unaccounted(works, BINDING, KINDS)
    assert [(one.cluster, one.name) for one in found] == [("east", "w-left"), ("west", "w-stays")]
    assert len(unaccounted(works, {}, {})) == 4


class Its:
    def __init__(self) -> None:
        self.deleted: list[tuple[str, str, str]] = []

    def delete(self, _resource: object, name: str, namespace: str, *, uid: str) -> None:
        self.deleted.append((namespace, name, uid))


def test_kubestellar_has_its_time_then_it_is_reported_or_removed():
    for remove in (False, True):
        its, now = Its(), [100.0]
        left = Leftovers(lambda its=its: its, remove=remove, clock=lambda now=now: now[0])  # type: ignore[misc]
        one = [work("west", "stays")]
        assert left.look(one) == ["west still has ConfigMap shop/stays"] and left.found == []
        now[0] += SECONDS
        assert bool(left.look(one)) is remove
        assert left.look(one) == (["west still has ConfigMap shop/stays"] if remove else [])
        assert left.found == [("west", "ConfigMap shop/stays")]
        assert its.deleted == ([("west", "w-stays", "west-stays")] if remove else [])
