# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A refusal comes before the first write: nothing of the change is in the WDS, and nothing has left a cluster."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    CONFIG_MAPS,
    MANAGED_CLUSTERS,
    NAMESPACES,
)
from ansible_collections.kubestellar.core.plugins.module_utils.workload.names import WORKLOAD_LABEL
from ansible_collections.kubestellar.core.tests.waiting import eventually

from .running import Running

EDGE, LISBON = [{"match_labels": {"location-group": "edge"}}], [{"match_labels": {"city": "lisbon"}}]
BROKEN = "High on {{ $labels.instance }}"
SITE = "{{ .clusterName }}"
PAGES = 4


def namespace() -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "lamp"}}


def page(name: str, template: bool = False, **data: str) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "namespace": "lamp"}
    if template:
        metadata["annotations"] = {"control.kubestellar.io/expand-templates": "true"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data or {"a": "b"}}


def alerts(**more: str) -> dict[str, Any]:
    return page("alerts", True, site=SITE, **more)


def pages(number: int) -> list[dict[str, Any]]:
    return [namespace(), alerts(), *(page(f"p{n}") for n in range(number))]


def definition(*versions: str) -> dict[str, Any]:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "wicks.lamp.example.com"},
        "spec": {
            "group": "lamp.example.com",
            "scope": "Namespaced",
            "names": {"kind": "Wick", "plural": "wicks", "singular": "wick"},
            "versions": [
                {"name": name, "served": True, "storage": number == 0, "schema": schema}
                for number, name in enumerate(versions)
            ],
        },
    }


WICK = {
    "apiVersion": "lamp.example.com/v1",
    "kind": "Wick",
    "metadata": {"name": "w", "namespace": "lamp"},
}


class Lamp:
    """A workload that is placed by its own policy, by the modules and in the way of the role."""

    def __init__(self, stack: Running, module: Callable[..., dict[str, Any]]) -> None:
        self.stack, self._module = stack, module
        self.way = {"kubeconfig": stack.kubeconfig, "context": "hub", "its": "its1", "wds": "wds1"}
        selectors = [{"match_labels": {WORKLOAD_LABEL: "lamp"}}, {"match_labels": {"shared-with": "lamp"}}]
        self.downsync = [{"object_selectors": selectors}]

    def describe(self, objects: list[dict[str, Any]], *, check: bool = False, **placement: Any) -> Any:
        """Module workload, which is told the placement."""
        whole = {"cluster_selectors": EDGE, "downsync": self.downsync, "wait": "healthy", **placement}
        return self._module(
            "workload", _check=check, **self.way, name="lamp", definitions=objects, placement=whole
        )

    def place(self, *, check: bool = False, **placement: Any) -> dict[str, Any]:
        """Module binding_policy."""
        whole = {"cluster_selectors": EDGE, "wait": "healthy", "wait_timeout": 120, **placement}
        return self._module(
            "binding_policy", _check=check, **self.way, name="lamp", downsync=self.downsync, **whole
        )

    def label(self, cluster: str, *, check: bool = False, **labels: str) -> dict[str, Any]:
        """Module managed_cluster."""
        way = {key: value for key, value in self.way.items() if key != "wds"}
        cities = {"cluster1": "lisbon", "cluster2": "turin"}
        own = {"location-group": "edge", "city": cities[cluster], **labels}
        return self._module(
            "managed_cluster",
            _check=check,
            **way,
            clusters=[{"name": cluster, "labels": {k: v for k, v in own.items() if v}}],
        )

    def withdraw(self) -> None:
        """Remove all of it."""
        for name in ("binding_policy", "workload"):
            result = self._module(name, **self.way, name="lamp", state="absent")
            assert not result.get("failed"), result

    def refuses(self, attempt: Callable[..., dict[str, Any]], words: list[str]) -> None:
        """Check mode and the run refuse alike, and neither writes or withdraws anything."""
        mark = self.stack.mark()
        for check in (True, False):
            result = attempt(check=check)
            assert result.get("failed"), (check, result)
            assert all(word in result["msg"] for word in words), (check, result["msg"])
        assert self.stack.writes_since(mark) == []
        gone = [
            event["requestURI"]
            for cluster in ("cluster1", "cluster2")
            for event in self.stack.audit(cluster, mark[cluster])
            if event["verb"] == "delete" and "/lamp" in event["requestURI"]
        ]
        assert gone == []


@pytest.fixture
def lamp(stack: Running, module: Callable[..., dict[str, Any]]) -> Iterator[Lamp]:
    """The workload with four pages, healthy on both clusters."""
    made = Lamp(stack, module)
    try:
        for result in (made.describe(pages(PAGES)), made.place()):
            assert not result.get("failed"), result
        yield made
    finally:
        made.withdraw()


@pytest.mark.core
def test_what_is_refused_is_neither_written_nor_withdrawn(lamp: Lamp):
    def to(objects: list[dict[str, Any]], **placement: Any) -> Callable[..., dict[str, Any]]:
        return lambda check: lamp.describe(objects, check=check, **placement)

    broken = [namespace(), alerts(rule=BROKEN), *pages(PAGES)[2:]]
    lamp.refuses(to(broken), ["BindingPolicy lamp is refused", "ConfigMap lamp/alerts", ".data.rule"])
    lamp.refuses(to(pages(PAGES + 3), guards={"max_objects": "8"}), ["max_objects (8)"])
    lamp.refuses(to(pages(PAGES - 2), guards={"max_removed_objects": "1"}), ["max_removed_objects (1)"])
    lamp.refuses(
        to(pages(PAGES + 1), cluster_selectors=[{"match_labels": {"locaton-group": "edge"}}]), ["No cluster"]
    )
    lamp.refuses(
        to(pages(PAGES + 1), cluster_selectors=[{"matchLabels": {"location-group": "edge"}}]),
        ["workload lamp: placement", "matchLabels"],
    )
    lamp.refuses(to([*pages(PAGES), page("large", x="y" * 600_000)]), ["ConfigMap lamp/large is larger than"])
    lamp.refuses(to([*pages(PAGES), definition("v1", "v2"), WICK]), ["served in several versions"])
    lamp.refuses(
        to(
            pages(PAGES + 1),
            transforms=[{"name": "t", "api_group": "batch", "resource": "jobs", "remove": ["$"]}],
        ),
        ["names the whole object"],
    )
    # What a workload without a word about placement changes is judged by the guards that the policy was written with.
    kept = lamp.place(guards={"max_objects": "6", "max_removed_objects": "1"})
    assert kept["changed"], kept
    lamp.refuses(
        lambda check: lamp._module(
            "workload", _check=check, **lamp.way, name="lamp", definitions=pages(PAGES + 3)
        ),
        ["BindingPolicy lamp is refused", "max_objects (6)"],
    )
    # Objects of another workload that the policy takes along are judged too.
    other = page("guest", True, rule=BROKEN)
    other["metadata"]["labels"] = {"shared-with": "lamp"}
    lamp.refuses(
        lambda check: lamp._module("workload", _check=check, **lamp.way, name="guest", definitions=[other]),
        ["BindingPolicy lamp is refused", "ConfigMap lamp/guest"],
    )


@pytest.mark.core
def test_labels_of_clusters_are_bound_by_the_guards_of_policies(lamp: Lamp):
    assert lamp.place(cluster_selectors=LISBON, guards={"max_clusters": "1"})["changed"]
    eventually(lambda: lamp.stack.cluster("cluster2").get(NAMESPACES, "lamp") is None)
    lamp.refuses(
        lambda check: lamp.label("cluster2", city="lisbon", check=check),
        ["cluster2", "BindingPolicy lamp is refused", "max_clusters (1)"],
    )
    lamp.refuses(
        lambda check: lamp.label("cluster1", city="porto", check=check),
        ["cluster1", "No cluster is selected"],
    )
    untouched = lamp.stack.cluster("its1").get(MANAGED_CLUSTERS, "cluster1")
    assert untouched and untouched["metadata"]["labels"]["city"] == "lisbon"
    assert lamp.place(cluster_selectors=LISBON, guards={"max_clusters": "2"})["changed"]
    try:
        assert lamp.label("cluster2", city="lisbon")["changed"]
        eventually(lambda: lamp.stack.cluster("cluster2").get(CONFIG_MAPS, "p1", "lamp"))
    finally:
        assert lamp.label("cluster2")["changed"]


def test_the_playbooks_refuse_what_the_modules_refuse(stack: Running, lamp: Lamp, tmp_path):
    """The same by the inventory: workloads.yml and wecs.yml, in check mode and for real."""

    def entry(objects: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        placement = {"cluster_selectors": EDGE}
        return {"name": "lamp", "source": {"definitions": objects}, "placement": placement, **more}

    def refused(
        playbook: str, words: list[str], workload: dict[str, Any] | None = None, **hosts: Any
    ) -> None:
        source = tmp_path / "more.yml"
        hub = {"hub_workloads": [workload]} if workload else {}
        groups = {
            "kubestellar_hubs": {"hosts": {"hub": hub}},
            "kubestellar_wecs": {"hosts": {name: {"wec_labels": labels} for name, labels in hosts.items()}},
        }
        source.write_text(json.dumps(groups))
        mark = stack.mark()
        for more in (["--check"], []):
            done = stack.playbook(playbook, "-i", str(source), *more)
            output = " ".join((done.stdout + done.stderr).split())
            assert done.returncode != 0 and all(word in output for word in words), output[-3000:]
        assert stack.writes_since(mark) == []

    broken = page("alerts", True, rule="High on {{ '{{' }} $labels.instance {{ '}}' }}")
    refused(
        "workloads",
        ["BindingPolicy lamp is refused", ".data.rule"],
        entry([namespace(), broken, *pages(2)[2:]]),
    )
    camel = entry(_plain(PAGES)) | {
        "placement": {"cluster_selectors": [{"matchLabels": {"location-group": "edge"}}]}
    }
    refused("site", ["nothing has been started", "workload lamp: placement", "matchLabels"], camel)
    assert lamp.place(cluster_selectors=LISBON, guards={"max_clusters": "1"})["changed"]
    both = {name: {"location-group": "edge", "city": "lisbon"} for name in ("cluster1", "cluster2")}
    refused("wecs", ["max_clusters (1)", "cluster2"], **both)


def _plain(number: int) -> list[dict[str, Any]]:
    return [namespace(), *(page(f"p{n}") for n in range(number))]


def test_two_hundred_changes_are_refused_alike_and_before_anything_is_written(stack: Running, module):
    """Random workloads, policies and guards: what check mode says holds, and a refusal leaves everything as it was."""
    seed = random.randrange(1 << 30)
    chance = random.Random(seed)
    lamp = Lamp(stack, module)
    refused = 0
    try:
        for number in range(200):
            objects = [namespace(), *(page(f"p{n}", n=str(chance.randrange(3))) for n in _some(chance, 5))]
            if chance.random() < 0.3:
                objects.append(alerts(**({"rule": BROKEN} if chance.random() < 0.4 else {})))
            limits = (
                "max_objects",
                "max_removed_objects",
                "max_clusters",
                "min_clusters",
                "max_removed_clusters",
            )
            placement: dict[str, Any] = {
                "cluster_selectors": chance.choice(
                    [EDGE, EDGE, LISBON, [{"match_labels": {"city": "oslo"}}]]
                ),
                "guards": {name: str(chance.randrange(7)) for name in limits if chance.random() < 0.25},
                "wait": chance.choice(["none", "bound", "healthy"]),
            }
            where = (seed, number, placement)
            mark = stack.mark()
            forecast = lamp.describe(objects, check=True, **placement)
            assert stack.writes_since(mark) == [], where
            result = lamp.describe(objects, **placement)
            assert forecast.get("failed", False) == result.get("failed", False), (where, forecast, result)
            if result.get("failed"):
                refused += 1
                assert stack.writes_since(mark) == [], where
                assert forecast["msg"] == result["msg"], where
            else:
                assert forecast["changed"] == result["changed"], where
                # Against what is delivered once these objects are there: their policy has been judged already.
                placed = lamp.place(**{**placement, "wait": chance.choice(["bound", placement["wait"]])})
                assert not placed.get("failed"), (where, placed)
        assert 40 < refused < 160, (seed, refused)
    finally:
        lamp.withdraw()


def _some(chance: random.Random, most: int) -> list[int]:
    return sorted(chance.sample(range(most), chance.randrange(1, most + 1)))
