# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people and other workloads have in a cluster is neither overwritten nor deleted without being asked for."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    CLUSTER_ROLES,
    CONFIG_MAPS,
    NAMESPACES,
    SECRETS,
)
from ansible_collections.kubestellar.core.plugins.module_utils.workload.names import WORKLOAD_LABEL
from ansible_collections.kubestellar.core.tests.waiting import eventually

from .running import Running

LISBON = [{"match_labels": {"city": "lisbon"}}]


def obj(kind: str, name: str, place: str = "", **fields: Any) -> dict[str, Any]:
    version = "rbac.authorization.k8s.io/v1" if kind == "ClusterRole" else "v1"
    metadata = {"name": name, **({"namespace": place} if place else {})}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **fields}


HARBOR = obj("Namespace", "harbor")
TIDES = obj("ConfigMap", "tides", "harbor", data={"high": "6:00"})
MASTER = obj(
    "ClusterRole", "port-master", rules=[{"apiGroups": [""], "resources": ["services"], "verbs": ["get"]}]
)


class Quay:
    """Workloads on cluster1, which is looked into."""

    def __init__(self, stack: Running, module: Callable[..., dict[str, Any]]) -> None:
        self.stack, self._module = stack, module
        self.cluster = stack.cluster("cluster1")
        self.way = {"kubeconfig": stack.kubeconfig, "context": "hub", "its": "its1", "wds": "wds1"}
        self.wecs = [{"name": "cluster1", "kubeconfig": stack.kubeconfig, "context": "cluster1"}]

    def _policy(self, name: str) -> dict[str, Any]:
        downsync = [{"object_selectors": [{"match_labels": {WORKLOAD_LABEL: name}}]}]
        return {"cluster_selectors": LISBON, "downsync": downsync, "wait": "applied"}

    def describe(self, *objects: Any, name: str = "harbor", check: bool = False, **guards: str) -> Any:
        placement = {**self._policy(name), "guards": guards}
        more = {"definitions": list(objects), "placement": placement, "wecs": self.wecs}
        return self._module("workload", _check=check, **self.way, name=name, **more)

    def place(self, name: str = "harbor", check: bool = False, **guards: str) -> dict[str, Any]:
        more = {"guards": guards, "wecs": self.wecs, "wait_timeout": 120}
        return self._module(
            "binding_policy", _check=check, **self.way, name=name, **self._policy(name), **more
        )

    def deploy(self, *objects: Any, name: str = "harbor", **guards: str) -> None:
        for result in (self.describe(*objects, name=name, **guards), self.place(name, **guards)):
            assert not result.get("failed"), result

    def withdraw(self, name: str = "harbor", check: bool = False, **guards: str) -> dict[str, Any]:
        return self._module(
            "binding_policy",
            _check=check,
            **self.way,
            name=name,
            state="absent",
            guards=guards,
            wecs=self.wecs,
        )

    def remove(self, name: str = "harbor", check: bool = False, **options: Any) -> dict[str, Any]:
        return self._module("workload", _check=check, **self.way, name=name, state="absent", **options)

    def by_hand(self, *objects: dict[str, Any]) -> None:
        for one in objects:
            resource = self.cluster.resource(one["apiVersion"], one["kind"])
            self.cluster.apply(resource, one, field_manager="somebody")

    def refuses(self, attempt: Callable[..., dict[str, Any]], *words: str) -> None:
        """Check mode and the run refuse alike, and neither writes anything, nor is anything withdrawn."""
        mark = self.stack.mark()
        for check in (True, False):
            result = attempt(check=check)
            assert result.get("failed"), result
            assert all(word in result["msg"] for word in words), result["msg"]
        assert self.stack.writes_since(mark) == []
        assert self.cluster.get(NAMESPACES, "harbor")["status"]["phase"] == "Active"


@pytest.fixture
def quay(stack: Running, module: Callable[..., dict[str, Any]]) -> Iterator[Quay]:
    made = Quay(stack, module)
    yield made
    for name in ("harbor", "pier"):
        for result in (
            made.withdraw(name, foreign_contents="delete"),
            made.remove(name, foreign_contents="delete"),
        ):
            assert not result.get("failed"), result
    made.cluster.delete(NAMESPACES, "harbor")
    made.cluster.delete(CLUSTER_ROLES, "port-master")
    eventually(lambda: made.cluster.get(NAMESPACES, "harbor") is None)


@pytest.mark.core
def test_what_a_cluster_has_is_taken_over_and_deleted_only_on_request(quay: Quay):
    ledger = obj("ConfigMap", "ledger", "harbor", data={"page": "1"})
    quay.by_hand(HARBOR, obj("Secret", "key", "harbor"), ledger, {**TIDES, "data": {"high": "7:30"}}, MASTER)
    whole = (HARBOR, TIDES, MASTER)
    quay.refuses(
        lambda check: quay.describe(*whole, check=check),
        "ClusterRole port-master",
        "harbor/tides",
        "Namespace harbor",
        "existing_objects",
    )
    assert quay.cluster.get(CONFIG_MAPS, "tides", "harbor")["data"] == {"high": "7:30"}
    quay.deploy(*whole, existing_objects="adopt")
    assert quay.cluster.get(CONFIG_MAPS, "tides", "harbor")["data"] == TIDES["data"]
    # Neither the policy nor a shorter workload takes the ledger and the key along.
    words = (
        "Namespace harbor would be deleted in cluster1 with 2 objects",
        "harbor/ledger",
        "Secret harbor/key",
    )
    quay.refuses(lambda check: quay.withdraw(check=check), *words)
    # Another workload in the Namespace is known without looking.
    quay.deploy(obj("ConfigMap", "ropes", "harbor", data={"a": "b"}), name="pier")
    quay.wecs = []
    quay.refuses(lambda check: quay.withdraw(check=check), "Namespace harbor", "ConfigMap harbor/ropes")
    assert quay.cluster.get(SECRETS, "key", "harbor") and quay.cluster.get(CONFIG_MAPS, "ropes", "harbor")


@pytest.mark.parametrize("order", list(itertools.permutations(("harbor", "pier", "person"))), ids="-".join)
def test_whoever_leaves_a_shared_namespace_first_takes_nothing_of_the_others_along(quay: Quay, order):
    """Two workloads and a person have objects in one Namespace, which one of the workloads brought."""
    own = {"harbor": "tides", "pier": "ropes", "person": "ledger"}
    quay.deploy(HARBOR, TIDES)
    quay.deploy(obj("ConfigMap", "ropes", "harbor", data={"a": "b"}), name="pier")
    quay.by_hand(obj("ConfigMap", "ledger", "harbor", data={"page": "1"}))
    left = set(order)
    for name in order:
        if name == "person":
            quay.cluster.delete(CONFIG_MAPS, "ledger", "harbor")
        elif name == "harbor" and left != {"harbor"}:
            quay.refuses(lambda check: quay.withdraw("harbor", check=check), "Namespace harbor")
            # Only its Namespace holds it; without that, what is its own may go.
            quay.deploy(HARBOR)
        else:
            for result in (quay.withdraw(name), quay.remove(name)):
                assert not result.get("failed"), result
        left.discard(name)
        for other in left:
            assert quay.cluster.get(CONFIG_MAPS, own[other], "harbor"), (name, other)
