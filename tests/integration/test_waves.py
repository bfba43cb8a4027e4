# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A workload that goes to six clusters in three waves, seen in the clusters themselves."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    BINDING_POLICIES,
    DEPLOYMENTS,
    NODES,
)
from ansible_collections.kubestellar.core.plugins.module_utils.embedded import kwok
from ansible_collections.kubestellar.core.tests.waiting import eventually

from .running import Running, assert_ok, kill_group, recap, silent

RINGS = {
    "canary": ("cluster1", "cluster2"),
    "town": ("cluster3", "cluster4"),
    "rest": ("cluster5", "cluster6"),
}
EVERYWHERE = {name for names in RINGS.values() for name in names}
MORE = EVERYWHERE - {"cluster1", "cluster2"}


def by_ring(ring: str) -> dict[str, Any]:
    """A wave."""
    return {"name": ring, "cluster_selectors": [{"match_labels": {"ring": ring}}]}


def workload(*waves: dict[str, Any]) -> dict[str, Any]:
    """An entry of `hub_workloads`: one Deployment, wave by wave."""
    labels = {"app": "api"}
    container = {"name": "api", "image": "registry.example.com/api:1"}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "api", "namespace": "rings"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "rings"}}
    return {
        "name": "rings",
        "source": {"definitions": [namespace, deployment]},
        "placement": {"waves": list(waves)},
    }


def handling(*waves: dict[str, Any], timeout: int = 120, **changed: Any) -> tuple[str, ...]:
    """The arguments with which `workloads.yml` handles the workload alone."""
    variables = {"hub_workloads": [{**workload(*waves), **changed}], "workload_wait_timeout": timeout}
    return ("-e", json.dumps(variables))


@pytest.fixture(scope="module")
def rings(stack: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The stack with four more clusters, and each in its ring."""
    source = tmp_path_factory.mktemp("rings") / "more.yml"

    def run(state: str) -> None:
        hosts: dict[str, Any] = {
            name: {"wec_labels": {"ring": ring}, "wec_state": state if name in MORE else "present"}
            for ring, names in RINGS.items()
            for name in names
        }
        for name, city in (("cluster1", "lisbon"), ("cluster2", "turin")):
            hosts[name]["wec_labels"] |= {"location-group": "edge", "city": city}
        source.write_text(yaml.safe_dump({"kubestellar_wecs": {"hosts": hosts}}))
        assert_ok(stack.playbook("wecs", "-i", str(source), timeout=600))

    try:
        run("present")
        yield stack
    finally:
        run("absent")
        assert_ok(stack.playbook("wecs"))


@pytest.fixture
def gone(stack: Running, module: Callable[..., dict[str, Any]]) -> Iterator[None]:
    """The workload is gone in the end."""
    yield
    wds = {"kubeconfig": stack.kubeconfig, "context": "hub", "wds": "wds1", "name": "rings"}
    for name, more in (("binding_policy", {"its": "its1"}), ("workload", {})):
        result = module(name, **wds, **more, state="absent")
        assert not result.get("failed"), result


@pytest.fixture
def deploy(rings: Running, gone: None) -> Callable[..., tuple[str, ...]]:
    """The arguments with which `workloads.yml` takes the workload from ring to ring."""
    return lambda timeout=120: handling(*map(by_ring, RINGS), timeout=timeout)


def running(stack: Running) -> set[str]:
    """The clusters that have the Deployment."""
    return {name for name in EVERYWHERE if stack.cluster(name).get(DEPLOYMENTS, "api", "rings")}


def cordon(stack: Running, name: str, on: bool) -> None:
    """Let no Pod be scheduled in a cluster."""
    cluster = stack.cluster(name)
    for node in cluster.list(NODES).items:
        cluster.patch(NODES, node["metadata"]["name"], None, {"spec": {"unschedulable": on or None}})


@pytest.mark.core
def test_a_first_wave_that_breaks_stops_the_other_and_the_next_run_goes_on(stack: Running, gone: None):
    """In the two clusters of the inventory, in which the Deployment is looked for itself."""
    waves = [
        {"name": city, "cluster_selectors": [{"match_labels": {"city": city}}]}
        for city in ("lisbon", "turin")
    ]
    there = {name: stack.cluster(name) for name in ("cluster1", "cluster2")}
    cordon(stack, "cluster1", True)
    try:
        done = stack.playbook("workloads", *handling(*waves, timeout=6))
        assert recap(done.stdout)["hub"]["failed"] == 1
        assert "wave 1 of 2 (lisbon) stopped" in done.stdout and "not begun: turin" in done.stdout
        assert "cluster1: Deployment rings/api" in done.stdout
        assert there["cluster2"].get(DEPLOYMENTS, "api", "rings") is None
    finally:
        cordon(stack, "cluster1", False)
    done = stack.playbook("workloads", *handling(*waves))
    assert_ok(done)
    assert "wave 1 of 2 (lisbon): healthy on 1 cluster" in done.stdout
    for cluster in there.values():
        assert cluster.get(DEPLOYMENTS, "api", "rings")["status"]["availableReplicas"] == 1


def test_a_change_of_the_objects_is_said_to_be_in_no_wave(stack: Running, gone: None):
    """All clusters have it at once, which no line of a wave may deny; the same if waves come after everybody has the workload."""
    everybody = {"cluster_selectors": [{"match_labels": {"location-group": "edge"}}]}
    assert_ok(stack.playbook("workloads", *handling(placement=everybody)))
    waves = [
        {"name": "lisbon", "cluster_selectors": [{"match_labels": {"city": "lisbon"}}]},
        {"name": "everybody", **everybody},
    ]
    source = workload()["source"]
    pod = source["definitions"][1]["spec"]["template"]["spec"]
    pod["containers"][0]["image"] = "registry.example.com/api:2"
    done = stack.playbook("workloads", *handling(*waves, source=source))
    assert_ok(done)
    said = " ".join((done.stdout + done.stderr).split())
    assert "what changes in its objects reaches cluster1, cluster2 at once" in said
    for wave in ("wave 1 of 2 (lisbon)", "wave 2 of 2 (everybody)"):
        assert f"{wave}: healthy on 1 cluster, which had the workload before and was not held back" in said


def test_a_wave_that_breaks_stops_the_rest(rings: Running, deploy):
    cordon(rings, "cluster3", True)
    try:
        done = rings.playbook("workloads", *deploy(timeout=20))
        assert recap(done.stdout)["hub"]["failed"] == 1
        assert "wave 1 of 3 (canary): healthy on 2 clusters" in done.stdout
        assert "wave 2 of 3 (town) stopped" in done.stdout and "not begun: rest" in done.stdout
        assert "cluster3: Deployment rings/api" in done.stdout
        assert running(rings) == EVERYWHERE - set(RINGS["rest"])
    finally:
        cordon(rings, "cluster3", False)
    uids = {name: uid(rings, name) for name in running(rings)}
    mark = rings.audited("wds1")
    assert_ok(rings.playbook("workloads", *deploy()))
    assert running(rings) == EVERYWHERE
    assert {name: uid(rings, name) for name in uids} == uids
    # It went on where it was: one write, for the last wave.
    assert [event["verb"] for event in rings.writes("wds1", mark)] == ["patch"]
    mark = rings.mark(*MORE)
    assert assert_ok(rings.playbook("workloads", *deploy()))["hub"]["changed"] == 0
    assert rings.writes_since(mark) == []


def uid(stack: Running, name: str) -> str:
    return str(stack.cluster(name).get(DEPLOYMENTS, "api", "rings")["metadata"]["uid"])


def waves_begun(stack: Running) -> int:
    """How many waves the policy selects."""
    policy = stack.cluster("wds1").get(BINDING_POLICIES, "rings") or {}
    return len((policy.get("spec") or {}).get("clusterSelectors") or [])


def generations(stack: Running) -> dict[str, int]:
    """The generation of each cluster's Deployment: 1 if it was applied once."""
    return {
        name: stack.cluster(name).get(DEPLOYMENTS, "api", "rings")["metadata"]["generation"]
        for name in running(stack)
    }


def test_a_killed_rollout_is_completed_by_the_next_run(rings: Running, deploy):
    for wave in (1, 2):
        playbook = rings.start_playbook("workloads", *deploy())
        eventually(lambda wave=wave: waves_begun(rings) >= wave)
        kill_group(playbook, signal.SIGKILL)
        assert waves_begun(rings) < len(RINGS)
    assert_ok(rings.playbook("workloads", *deploy()))
    assert generations(rings) == dict.fromkeys(EVERYWHERE, 1)
    assert assert_ok(rings.playbook("workloads", *deploy()))["hub"]["changed"] == 0


@pytest.mark.parametrize("killed", ["wds1", "cluster3"])
def test_a_rollout_in_which_an_api_server_is_killed_is_completed_by_the_next_run(
    rings: Running, deploy, killed
):
    """In the middle of the second wave, to which cluster3 belongs."""
    playbook = rings.start_playbook("workloads", *deploy())
    eventually(lambda: waves_begun(rings) == 2)
    os.kill(kwok.components(rings.stack, killed)["kube-apiserver"].pid, signal.SIGKILL)
    playbook.communicate(timeout=400)
    eventually(rings.cluster(killed).ready)
    assert_ok(rings.playbook("workloads", *deploy()))
    assert generations(rings) == dict.fromkeys(EVERYWHERE, 1)
    assert assert_ok(rings.playbook("workloads", *deploy()))["hub"]["changed"] == 0


def test_a_cluster_that_dies_in_its_wave_does_not_stop_the_rest_and_catches_up(rings: Running, deploy):
    """Its wave is held until it is missed, by a Pod that cannot be scheduled in it."""
    arguments = (*deploy(), "-e", "workload_max_offline=1")
    cordon(rings, "cluster3", True)
    try:
        playbook = rings.start_playbook("workloads", *arguments)
        eventually(lambda: "cluster3" in running(rings))
        with silent(rings, "cluster3"):
            output, _nothing = playbook.communicate(timeout=400)
            assert playbook.returncode == 0, output
            assert "cluster3 was not waited for: " in output
            assert generations(rings) == dict.fromkeys(EVERYWHERE, 1)
    finally:
        cordon(rings, "cluster3", False)
    before = {name: uid(rings, name) for name in EVERYWHERE}
    done = rings.playbook("workloads", *arguments)
    assert assert_ok(done)["hub"]["changed"] == 0
    assert "was not waited for" not in done.stdout
    assert {name: uid(rings, name) for name in EVERYWHERE} == before
    assert generations(rings) == dict.fromkeys(EVERYWHERE, 1)


def test_a_wave_without_a_cluster_is_refused_before_anything_is_written(rings: Running, deploy, module):
    waves = [{"name": "nowhere", "cluster_selectors": [{"match_labels": {"ring": "none"}}]}]
    connection = {"kubeconfig": rings.kubeconfig, "context": "hub", "wds": "wds1", "its": "its1"}
    mark = rings.mark()
    clause = {"object_selectors": [{"match_labels": {"kubestellar.core/workload": "rings"}}]}
    result = module("binding_policy", **connection, name="rings", waves=waves, downsync=[clause])
    assert result["failed"] and "the wave nowhere selects no cluster" in result["msg"]
    result = module(
        "binding_policy", **connection, name="rings", waves=waves, downsync=[clause], wait="bound"
    )
    assert result["failed"] and "a wave would not be waited for" in result["msg"]
    assert rings.writes_since(mark) == []
