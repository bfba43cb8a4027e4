# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The example playbooks, the scenarios of KubeStellar's guide, all of them in one run each time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    COMBINED_STATUSES,
    CONFIG_MAPS,
    DEPLOYMENTS,
    JOBS,
    NAMESPACES,
    Resource,
)
from ansible_collections.kubestellar.core.tests.waiting import eventually

from .running import CHECKOUT, Running, assert_ok

EXAMPLES = sorted((CHECKOUT / "playbooks" / "examples").glob("*.yml"))
STATEFUL_SETS = Resource("apps", "v1", "statefulsets", "StatefulSet", True)
STALLS = Resource("market.example.com", "v1", "stalls", "Stall", True)
CLUSTERS = ("cluster1", "cluster2")
OWN = {"greeter", "nginx", "market", "singleton", "greeting", "once", "elastic", "counted"}
"""The Namespaces of the examples."""


@pytest.fixture
def run(stack: Running, tmp_path: Path) -> Iterator[Callable[..., tuple[dict[str, int], str]]]:
    """Run all examples; the counters of the hub, and what was shown."""
    everything = tmp_path / "examples.yml"
    everything.write_text(json.dumps([{"ansible.builtin.import_playbook": str(path)} for path in EXAMPLES]))

    def do(**variables: Any) -> tuple[dict[str, int], str]:
        extra = json.dumps({"status_notes": [], **variables})
        done = stack.playbook(everything, "-e", extra, timeout=600)
        return assert_ok(done)["hub"], done.stdout

    yield do
    if OWN & namespaces(stack, "wds1"):
        do(example_state="absent")


def namespaces(stack: Running, name: str) -> set[str]:
    return {item["metadata"]["name"] for item in stack.cluster(name).list(NAMESPACES).items}


def test_every_example_does_what_it_says(stack: Running, run):
    wds = stack.cluster("wds1")
    _counters, output = run()
    for name in CLUSTERS:
        there = stack.cluster(name)
        assert there.get(DEPLOYMENTS, "nginx", "nginx")["status"]["availableReplicas"] == 1
        assert there.get(STALLS, "cheese", "market")["spec"] == {"goods": "cheese"}
        assert there.get(JOBS, "import", "once")
        assert there.get(CONFIG_MAPS, "greeter", "greeter")["data"]["text"] == "Good evening"
    sign = stack.cluster("cluster1").get(CONFIG_MAPS, "sign", "greeting")
    assert sign["data"]["text"] == "Welcome to Lisbon, Rua Augusta, which is cluster1"
    assert stack.cluster("cluster2").get(DEPLOYMENTS, "counter", "singleton") is None
    eventually(
        lambda: wds.get(DEPLOYMENTS, "counter", "singleton").get("status", {}).get("availableReplicas") == 1
    )
    eventually(lambda: len(results(stack)) == 2 and len(results(stack)["per-cluster"]) == 2)
    assert {row[0]["string"] for row in results(stack)["per-cluster"]} == set(CLUSTERS)
    eventually(lambda: [float(cell["float"]) for cell in results(stack)["in-total"][0]] == [2, 2])
    stack.cluster("cluster1").patch(STATEFUL_SETS, "web", "elastic", {"spec": {"replicas": 3}})

    mark = stack.mark()
    counters, output = run()
    assert counters["changed"] == 0 and stack.writes_since(mark) == [], output
    assert stack.cluster("cluster1").get(STATEFUL_SETS, "web", "elastic")["spec"]["replicas"] == 3

    run(example_state="absent")
    assert not any(OWN & namespaces(stack, name) for name in (*CLUSTERS, "wds1"))


def results(stack: Running) -> dict[str, list[list[dict[str, Any]]]]:
    """Collector to its rows of cells, of the only CombinedStatus."""
    items = stack.cluster("wds1").list(COMBINED_STATUSES, "counted").items
    return {
        result["name"]: [row["columns"] for row in result.get("rows") or []]
        for item in items
        for result in item.get("results") or []
    }
