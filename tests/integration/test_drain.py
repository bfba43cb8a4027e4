# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters leave and come back: drained, evacuated, detached and deleted, while others go on untouched."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import signal
import subprocess
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import KubestellarError
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    APPLIED_MANIFEST_WORKS,
    BINDING_POLICIES,
    CONFIG_MAPS,
    DEPLOYMENTS,
    MANAGED_CLUSTERS,
    MANIFEST_WORKS,
    NAMESPACES,
)
from ansible_collections.kubestellar.core.plugins.module_utils._wait import condition
from ansible_collections.kubestellar.core.plugins.module_utils._workstatus import ORIGIN_WDS_LABEL
from ansible_collections.kubestellar.core.plugins.module_utils.embedded import kwok
from ansible_collections.kubestellar.core.plugins.module_utils.embedded.supervisor import Supervisor
from ansible_collections.kubestellar.core.plugins.module_utils.placement import templates
from ansible_collections.kubestellar.core.plugins.module_utils.wecs import parking
from ansible_collections.kubestellar.core.tests.waiting import eventually

from .running import Running, assert_ok, kill_group, recap, silent

SHOP = "shop"


@pytest.fixture
def clusters(stack, call) -> Callable[..., dict[str, Any]]:
    """Run managed_cluster for the ITS of the stack. What changes nothing, refusals too, writes nothing."""

    def run(**parameters: Any) -> dict[str, Any]:
        before = stack.mark()
        result = call("managed_cluster", its="its1", **parameters)
        if not result.get("changed"):
            assert stack.writes_since(before) == []
        return dict(result)

    return run


@pytest.fixture
def inside(stack) -> Callable[..., list[dict[str, Any]]]:
    """The option `clusters` with connections."""
    return lambda *names: [{"name": name, "kubeconfig": stack.kubeconfig, "context": name} for name in names]


@pytest.fixture(autouse=True)
def serving(stack, clusters) -> Iterator[None]:
    """The shop runs in both clusters, before and after; what a test has done to them is undone by the product itself."""
    eventually(lambda: settled(stack))
    yield
    assert not clusters(names=["cluster1", "cluster2"]).get("failed")
    eventually(lambda: settled(stack))


def label(stack: Running, name: str, **labels: str | None) -> None:
    """Label a cluster as somebody who does not use the collection; None takes a label away."""
    stack.cluster("its1").patch(MANAGED_CLUSTERS, name, None, {"metadata": {"labels": labels}})


def labels(stack: Running, name: str) -> dict[str, str]:
    return dict(stack.cluster("its1").get(MANAGED_CLUSTERS, name)["metadata"].get("labels") or {})


def placed(stack: Running) -> set[str]:
    """The clusters that have the shop, seen in themselves."""
    return {
        name
        for name in ("cluster1", "cluster2")
        if (stack.cluster(name).get(NAMESPACES, SHOP) or {}).get("status", {}).get("phase") == "Active"
    }


def settled(stack: Running) -> bool:
    """Whether both clusters have the shop, and nothing is on its way out."""
    works = stack.cluster("its1").list(MANIFEST_WORKS, label_selector=ORIGIN_WDS_LABEL).items
    applied = {
        work["metadata"]["namespace"]
        for work in works
        if condition(work, "Applied").get("observedGeneration") == work["metadata"]["generation"]
    }
    leaving = [work for work in works if work["metadata"].get("deletionTimestamp")]
    return not leaving and applied == placed(stack) == {"cluster1", "cluster2"}


def uid(stack: Running, name: str) -> str:
    return str(stack.cluster(name).get(NAMESPACES, SHOP)["metadata"]["uid"])


@contextlib.contextmanager
def untouched(stack: Running, killed: str, *names: str) -> Iterator[None]:
    """The shop of these clusters is not deleted meanwhile, not even to come back.

    Unless the API server of the ITS was killed and KubeStellar's controller-manager with it: 0.30.0 dies when a WorkStatus was
    deleted meanwhile (kubestellar: pkg/status/status-controller.go, objNotInThisWDS), and its successor begins with incomplete
    Bindings. Then the shop must come back.
    """

    def state() -> tuple[dict[str, str], float]:
        uids = {name: uid(stack, name) for name in names}
        return uids, Supervisor(stack.stack).starts()["controller-manager-wds1"]

    uids, started = state()
    yield
    eventually(lambda: set(names) <= placed(stack))
    after, started_again = state()
    assert after == uids or (killed == "its1" and started_again != started)


@contextlib.contextmanager
def load(stack: Running) -> Iterator[list[str]]:
    """The shop grows all the while. Gives the names of its new ConfigMaps, which are gone in the end.

    Slower and slower, since KubeStellar writes all objects of a policy again for each.
    """
    wds, names, stop = stack.cluster("wds1"), [], threading.Event()
    wds.user_agent = "load"  # its writes are not those of the collection

    def grow() -> None:
        while not stop.wait(3 + len(names) / 5):
            name = f"load{len(names)}"
            meta = {"name": name, "namespace": SHOP, "labels": {"kubestellar.core/workload": SHOP}}
            wds.create(CONFIG_MAPS, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})
            names.append(name)

    growing = threading.Thread(target=grow)
    growing.start()
    try:
        yield names
    finally:
        stop.set()
        growing.join()
        for name in names:
            wds.delete(CONFIG_MAPS, name, SHOP)


def wait_delivered(stack: Running, names: Iterable[str], *clusters: str) -> None:
    """Wait until each of the clusters has these ConfigMaps of the shop, and fail if it does not get them."""
    everything = set(names)
    for cluster in clusters:
        there = stack.cluster(cluster)
        eventually(
            lambda there=there: (
                everything <= {obj["metadata"]["name"] for obj in there.list(CONFIG_MAPS, SHOP).items}
            ),
            180,
        )


@pytest.fixture
def by_others(stack) -> Iterator[None]:
    """Somebody else has labelled cluster1."""
    label(stack, "cluster1", **{"by.others/tier": "gold"})
    yield
    label(stack, "cluster1", **{"by.others/tier": None})


def test_a_drained_cluster_is_empty_and_gets_back_exactly_what_it_had(stack, clusters, inside, by_others):
    its = stack.cluster("its1")
    before, staying = labels(stack, "cluster1"), uid(stack, "cluster2")
    result = clusters(clusters=inside("cluster1"), state="drained")
    (entry,) = result["clusters"]
    assert result["changed"] and entry["parked"] == {"location-group": "edge"}
    assert entry["policies"] == ["wds1: BindingPolicy shop"] and entry["last_copies"] == []
    assert "parked-labels" in result["diff"][0]["after"]
    assert stack.cluster("cluster1").get(NAMESPACES, SHOP) is None
    assert placed(stack) == {"cluster2"} and uid(stack, "cluster2") == staying
    assert labels(stack, "cluster1") == {key: v for key, v in before.items() if key != "location-group"}
    assert clusters(names=["cluster1"], state="drained")["changed"] is False
    assert clusters(names=["cluster1"])["changed"] is True
    assert labels(stack, "cluster1") == before
    managed = its.get(MANAGED_CLUSTERS, "cluster1")
    assert not parking.is_drained(managed)
    assert clusters(names=["cluster1"])["changed"] is False
    eventually(lambda: placed(stack) == {"cluster1", "cluster2"})
    assert uid(stack, "cluster2") == staying


def test_what_an_agent_has_overlooked_is_withdrawn_too(stack, clusters, inside):
    """It holds the object of a ManifestWork that is gone, and would for an hour."""
    there = stack.cluster("cluster1")

    def hold(hub: str, agent: str) -> dict[str, str]:
        """What an agent has applied for a hub. Returns the reference of an owner."""
        work = f"{uuid.uuid4()}-wds1-{uuid.uuid4()}"
        kind = {"apiVersion": APPLIED_MANIFEST_WORKS.api_version, "kind": APPLIED_MANIFEST_WORKS.kind}
        finalizers = ["cluster.open-cluster-management.io/applied-manifest-work-cleanup"]
        metadata = {"name": f"{hub}-{work}", "finalizers": finalizers}
        spec = {"hubHash": hub, "agentID": agent, "manifestWorkName": work}
        made = there.create(APPLIED_MANIFEST_WORKS, {**kind, "metadata": metadata, "spec": spec})["metadata"]
        return {**kind, "name": made["name"], "uid": made["uid"]}

    address = stack.cluster("its1").server
    owner = hold(hashlib.sha256(address.encode()).hexdigest(), "cluster1")
    mine, others = owner["name"], hold("0" * 64, "somebody")["name"]
    named = {"name": "overlooked", "namespace": "default"}
    metadata = {**named, "ownerReferences": [owner]}
    config_map = there.create(CONFIG_MAPS, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
    entry = {"group": "", "version": "v1", "resource": "configmaps", **named}
    status = {"appliedResources": [{**entry, "uid": config_map["metadata"]["uid"]}]}
    there.patch(APPLIED_MANIFEST_WORKS, mine, None, {"status": status}, subresource="status")
    try:
        eventually(lambda: there.get(APPLIED_MANIFEST_WORKS, mine)["status"].get("evictionStartTime"))
        result = clusters(clusters=inside("cluster1"), state="drained")
        assert f"AppliedManifestWork {mine}" in str(result["diff"])
        assert there.get(CONFIG_MAPS, "overlooked", "default") is None
        assert there.get(APPLIED_MANIFEST_WORKS, mine) is None
        assert there.get(APPLIED_MANIFEST_WORKS, others) is not None
        assert clusters(clusters=inside("cluster1"), state="drained")["changed"] is False
    finally:
        there.patch(APPLIED_MANIFEST_WORKS, others, None, {"metadata": {"finalizers": None}})
        there.delete(APPLIED_MANIFEST_WORKS, others)


def test_what_a_drain_may_not_do_is_refused_before_the_first_write(stack, clusters):
    def refused(**parameters: Any) -> str:
        result = clusters(names=["cluster1", "cluster2"], state="drained", **parameters)
        assert result["failed"] and placed(stack) == {"cluster1", "cluster2"}
        return str(result["msg"])

    edge = {"name": "edge", "count": 1, "clusters": ["cluster1", "cluster2"]}
    assert "of edge only 0 clusters would stay available (none), and 1 must" in refused(keep_available=[edge])
    assert "2 clusters of 2 would be drained (cluster1, cluster2), more than 50%" in refused(
        max_drained="50%"
    )
    message = refused(last_copies="refuse")
    assert "the last copies" in message and "wds1: BindingPolicy shop" in message
    result = clusters(names=["nobody"], state="drained")
    assert "there is no ManagedCluster nobody" in result["msg"]
    assert "max_drained is 'many'" in clusters(names=["cluster1"], state="drained", max_drained="many")["msg"]
    assert "unreachable_for has a meaning" in clusters(names=["cluster1"], unreachable_for=5)["msg"]


def test_a_label_by_which_a_policy_selects_is_a_property_of_its_templates_too(stack, clusters, inside):
    """KubeStellar withdraws a policy everywhere if one of its clusters lacks a property, and lists a drained one a moment longer."""
    its, wds, tier = stack.cluster("its1"), stack.cluster("wds1"), {"kubestellar.core/workload": "tiers"}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "tiers", "labels": tier}}
    metadata = {
        "name": "tier",
        "namespace": "tiers",
        "labels": tier,
        "annotations": {templates.ANNOTATION: "true"},
    }
    policy = {
        "apiVersion": BINDING_POLICIES.api_version,
        "kind": BINDING_POLICIES.kind,
        "metadata": {"name": "tiers"},
        "spec": {
            "clusterSelectors": [{"matchLabels": {"tier": "gold"}}],
            "downsync": [{"objectSelectors": [{"matchLabels": tier}]}],
        },
    }

    def found(name: str) -> dict[str, Any]:
        return stack.cluster(name).get(CONFIG_MAPS, "tier", "tiers") or {"metadata": {}}

    def described(name: str, **more: str) -> dict[str, Any]:
        return clusters(clusters=[{"name": name, "labels": {**before[name], **more}}])

    names = ("cluster1", "cluster2")
    before = {name: labels(stack, name) for name in names}
    assert all(described(name, tier="gold")["changed"] for name in names)
    wds.create(NAMESPACES, namespace)
    wds.create(
        CONFIG_MAPS,
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"tier": "{{.tier}}"}},
    )
    wds.create(BINDING_POLICIES, policy)
    try:
        eventually(lambda: all(found(name).get("data") == {"tier": "gold"} for name in names))
        staying = found("cluster2")["metadata"]["uid"]
        assert clusters(clusters=inside("cluster1"), state="drained")["changed"]
        assert found("cluster1")["metadata"] == {} and found("cluster2")["metadata"]["uid"] == staying
        assert clusters(names=["cluster1"])["changed"]
        eventually(lambda: found("cluster1").get("data") == {"tier": "gold"})
        assert found("cluster2")["metadata"]["uid"] == staying
        annotations = its.get(MANAGED_CLUSTERS, "cluster1")["metadata"].get("annotations") or {}
        assert not {"tier", parking.DETAILS, parking.ANNOTATION} & set(annotations)
        assert "would lack properties: tier for wds1: BindingPolicy tiers" in described("cluster1")["msg"]
    finally:
        wds.delete(BINDING_POLICIES, "tiers")
        eventually(lambda: not any(found(name)["metadata"] for name in names))
        wds.delete(NAMESPACES, "tiers")
        for name in names:
            label(stack, name, tier=None)


def test_a_policy_that_selects_by_the_lack_of_a_label_is_named(stack, clusters):
    wds = stack.cluster("wds1")
    selector = {"matchExpressions": [{"key": "retired", "operator": "DoesNotExist"}]}
    policy = {
        "apiVersion": BINDING_POLICIES.api_version,
        "kind": BINDING_POLICIES.kind,
        "metadata": {"name": "everywhere"},
        "spec": {"clusterSelectors": [selector], "downsync": [{"objectNames": ["nothing"]}]},
    }
    wds.create(BINDING_POLICIES, policy)
    try:
        result = clusters(names=["cluster1"], state="drained")
    finally:
        wds.delete(BINDING_POLICIES, "everywhere")
    assert "wds1: BindingPolicy everywhere would select it without its labels too" in result["msg"]
    assert "location-group" in labels(stack, "cluster1")


def test_a_cluster_that_does_not_answer_is_evacuated_and_comes_back_empty(stack, clusters, module):
    """While workload goes on to be delivered to the other."""
    its, staying = stack.cluster("its1"), uid(stack, "cluster2")
    with load(stack) as names, silent(stack, "cluster1"):
        assert clusters(state="drained", unreachable_for=3600)["clusters"] == []
        refused = clusters(state="drained", unreachable_for=5, max_drained=0)
        assert "more than 0" in refused["msg"]
        result = clusters(state="drained", unreachable_for=5, max_drained=1)
        (entry,) = result["clusters"]
        assert entry["name"] == "cluster1" and entry["left"] > 0
        assert "cluster1 did not answer" in str(result["warnings"])
        assert placed(stack) == {"cluster1", "cluster2"}
        assert clusters(state="drained", unreachable_for=5)["changed"] is False
        # It gets nothing back before it is heard of again.
        connection = {"kubeconfig": stack.kubeconfig, "context": "hub", "its": "its1"}
        held = module("managed_cluster", **connection, names=["cluster1"], wait=False)
        assert held["failed"] and "it is drained" in held["msg"]
        wait_delivered(stack, names, "cluster2")
    eventually(lambda: placed(stack) == {"cluster2"})
    eventually(lambda: not its.list(MANIFEST_WORKS, "cluster1", label_selector=ORIGIN_WDS_LABEL).items)
    assert uid(stack, "cluster2") == staying


@pytest.fixture
def maintenance(stack, tmp_path) -> tuple[str, ...]:
    """The arguments of a maintenance with a look into each cluster, and into the other one, in between."""
    kubectl = f"kubectl --kubeconfig {stack.kubeconfig} --context"
    other = "{{ groups.kubestellar_wecs | difference([inventory_hostname]) | first }}"
    tasks = [
        {
            "name": "Look at the clusters",
            "ansible.builtin.command": command,
            "register": name,
            "changed_when": False,
            "environment": {"PATH": f"{stack.stack.bin}:/usr/bin:/bin"},
        }
        for name, command in (
            ("seen", f"{kubectl} {{{{ inventory_hostname }}}} get ns"),
            (
                "others",
                f"{kubectl} {other} get deployment -n {SHOP} -o jsonpath={{.items[*].status.availableReplicas}}",
            ),
        )
    ]
    told = {"that": ["'shop' not in seen.stdout", "others.stdout | int > 0"]}
    (tmp_path / "tasks.yml").write_text(
        yaml.safe_dump([*tasks, {"name": "One is empty, the other serves", "ansible.builtin.assert": told}])
    )
    return ("-e", f"drain_tasks={tmp_path}/tasks.yml")


@pytest.mark.core
def test_a_maintenance_takes_one_cluster_after_the_other(stack, maintenance):
    keep = json.dumps({"drain_hosts": "kubestellar_wecs", "wec_keep_available": {"kubestellar_wecs": 1}})
    done = stack.playbook("drain", *maintenance, "-e", keep)
    counters = assert_ok(done)
    assert {name: counters[name]["changed"] for name in counters} == {"cluster1": 2, "cluster2": 2}
    assert done.stdout.count("TASK [Look at the clusters]") == 4
    assert settled(stack)
    assert {labels(stack, name)["location-group"] for name in ("cluster1", "cluster2")} == {"edge"}


def test_a_cluster_is_not_drained_while_its_workload_is_not_healthy_in_another(stack, clusters, module):
    """And one whose workload does not come back is not in service again."""
    wds = stack.cluster("wds1")
    metadata = {"name": "stuck", "namespace": SHOP, "labels": {"kubestellar.core/workload": SHOP}}
    pod = {
        "nodeSelector": {"no": "where"},
        "containers": [{"name": "c", "image": "registry.k8s.io/pause:3.10"}],
    }
    labelled = {"app": "stuck"}
    template = {"metadata": {"labels": labelled}, "spec": pod}
    spec = {"selector": {"matchLabels": labelled}, "template": template}
    wds.create(
        DEPLOYMENTS, {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}
    )
    try:
        before = labels(stack, "cluster1")
        there = stack.cluster("cluster2")
        eventually(lambda: there.get(DEPLOYMENTS, "stuck", SHOP))
        patience = {"require_healthy": True, "wait_timeout": 8}
        refused = clusters(names=["cluster1"], state="drained", **patience)
        assert "cluster1 is not drained, and nothing was changed" in refused["msg"]
        assert "cluster2: Deployment shop/stuck" in refused["msg"] and labels(stack, "cluster1") == before
        assert clusters(names=["cluster1", "cluster2"], state="drained", require_healthy=True)["changed"]
        connection = {"kubeconfig": stack.kubeconfig, "context": "hub", "its": "its1"}
        back = module("managed_cluster", **connection, names=["cluster1"], **patience)
        assert "cluster1 is in service, but its workload is not healthy there" in back["msg"]
    finally:
        wds.delete(DEPLOYMENTS, "stuck", SHOP)


def test_a_maintenance_that_would_leave_too_few_or_names_nobody_is_refused(stack, maintenance):
    before = labels(stack, "cluster2")
    keep = json.dumps({"drain_hosts": "cluster2", "wec_keep_available": {"kubestellar_wecs": 2}})
    done = stack.playbook("drain", *maintenance, "-e", keep)
    assert done.returncode != 0 and "of kubestellar_wecs only 1 cluster would stay available" in done.stdout
    assert labels(stack, "cluster2") == before
    done = stack.playbook("drain")
    assert done.returncode != 0 and "Name the clusters" in done.stdout + done.stderr


@pytest.mark.core
def test_the_evacuation_playbook_empties_what_is_silent_and_nothing_else(stack):
    staying = uid(stack, "cluster2")
    with silent(stack, "cluster1"):
        arguments = ("-e", json.dumps({"wec_evacuate_after": 5, "wec_max_drained": 1}))
        assert assert_ok(stack.playbook("evacuate", *arguments))["hub"]["changed"] == 1
    eventually(lambda: placed(stack) == {"cluster2"})
    assert uid(stack, "cluster2") == staying
    # It is back, and nobody else is silent.
    assert assert_ok(stack.playbook("evacuate"))["hub"]["changed"] == 0


def is_drained(its: Cluster, name: str) -> bool | None:
    """Whether a cluster is drained; None while nobody answers that."""
    with contextlib.suppress(KubestellarError):
        return parking.is_drained(its.get(MANAGED_CLUSTERS, name))
    return None


def kill(stack: Running, what: str, playbook: subprocess.Popen[str]) -> None:
    """Kill the playbook, or the API server of a cluster; then the playbook ends as it may, and the server is back."""
    if what == "playbook":
        kill_group(playbook, signal.SIGKILL)
        return
    os.kill(kwok.components(stack.stack, what)["kube-apiserver"].pid, signal.SIGKILL)
    playbook.communicate(timeout=400)
    eventually(stack.cluster(what).ready)


@pytest.mark.parametrize("killed", ["playbook", "its1", "cluster1"])
def test_a_maintenance_in_which_something_is_killed_is_completed_by_the_next_run(stack, killed):
    """At each step of it, while workload goes on to be delivered."""
    its = stack.cluster("its1")
    with untouched(stack, killed, "cluster2"), load(stack) as names:
        for restore in (False, True):
            arguments = ("drain", "-e", "drain_hosts=cluster1", "-e", json.dumps({"drain_restore": restore}))
            playbook = stack.start_playbook(*arguments)
            eventually(lambda restore=restore: is_drained(its, "cluster1") is not restore)
            kill(stack, killed, playbook)
            assert_ok(stack.playbook(*arguments))
            assert is_drained(its, "cluster1") is not restore
            assert restore or stack.cluster("cluster1").get(NAMESPACES, SHOP) is None
        wait_delivered(stack, names, "cluster1", "cluster2")


@pytest.mark.parametrize("killed", ["playbook", "its1"])
def test_an_evacuation_in_which_something_is_killed_is_completed_by_the_next_run(stack, killed):
    """While workload goes on to be delivered to the other."""
    its = stack.cluster("its1")
    arguments = ("-e", json.dumps({"wec_evacuate_after": 5, "wec_max_drained": 1}))
    with untouched(stack, killed, "cluster2"), load(stack) as names, silent(stack, "cluster1"):
        playbook = stack.start_playbook("evacuate", *arguments)
        eventually(lambda: is_drained(its, "cluster1"))
        kill(stack, killed, playbook)
        assert_ok(stack.playbook("evacuate", *arguments))
        assert is_drained(its, "cluster1") and placed(stack) == {"cluster1", "cluster2"}
        assert assert_ok(stack.playbook("evacuate", *arguments))["hub"]["changed"] == 0
        wait_delivered(stack, names, "cluster2")
    eventually(lambda: placed(stack) == {"cluster2"})


def third_cluster(stack: Running, folder: Path) -> Callable[..., tuple[str, ...]]:
    """To the arguments of playbook `wecs` for a third cluster, in a state and with further variables."""
    source = folder / "more.yml"

    def arguments(state: str, **variables: Any) -> tuple[str, ...]:
        host = {
            "wec_labels": {"location-group": "edge"},
            "wec_properties": {"storeName": "Faro", "storeHours": "10:00-18:00"},
            "wec_state": state,
            **variables,
        }
        source.write_text(yaml.safe_dump({"kubestellar_wecs": {"hosts": {"cluster3": host}}}))
        return ("wecs", "-i", str(source))

    return arguments


def has_left(stack: Running, name: str) -> bool:
    """Whether nothing of a cluster is left in its ITS."""
    its = stack.cluster("its1")
    kept = [its.get(MANAGED_CLUSTERS, name), its.get(NAMESPACES, name)]
    kept.append(its.get(CONFIG_MAPS, name, "customization-properties"))
    return not any(kept)


@pytest.mark.parametrize("killed", ["playbook", "its1"])
def test_a_cluster_that_is_gone_for_good_is_removed_by_force_and_replaced(stack, tmp_path, killed):
    """While workload goes on to be delivered to the others, and something is killed in the middle."""
    its = stack.cluster("its1")
    arguments = third_cluster(stack, tmp_path)
    with untouched(stack, killed, "cluster1", "cluster2"), load(stack) as names:
        assert_ok(stack.playbook(*arguments("present")))
        eventually(lambda: stack.cluster("cluster3").get(NAMESPACES, SHOP))
        first = its.get(MANAGED_CLUSTERS, "cluster3")["metadata"]["uid"]
        Supervisor(stack.stack)._rpc().supervisor.stopProcess("ocm-agent-cluster3", True)
        kwok.remove(stack.stack, "cluster3")

        def is_leaving() -> bool:
            with contextlib.suppress(KubestellarError):
                live = its.get(MANAGED_CLUSTERS, "cluster3")
                return live is None or "deletionTimestamp" in live["metadata"]
            return False

        told = stack.playbook(*arguments("absent", wec_force=True), "--check")
        assert "this is abandoned: ManifestWork" in told.stderr and assert_ok(told)
        playbook = stack.start_playbook(*arguments("absent", wec_force=True))
        eventually(is_leaving)
        kill(stack, killed, playbook)
        assert_ok(stack.playbook(*arguments("absent", wec_force=True)))
        assert has_left(stack, "cluster3")
        again = assert_ok(stack.playbook(*arguments("absent", wec_force=True)))
        assert sum(values["changed"] for values in again.values()) == 0
        assert_ok(stack.playbook(*arguments("present")))
        assert its.get(MANAGED_CLUSTERS, "cluster3")["metadata"]["uid"] != first
        wait_delivered(stack, names, "cluster1", "cluster2", "cluster3")
    assert_ok(stack.playbook(*arguments("absent")))
    assert has_left(stack, "cluster3")


def test_a_cluster_is_created_drained_and_deleted_beside_the_others(stack, tmp_path):
    arguments = third_cluster(stack, tmp_path)

    def run(state: str, *extra: str) -> dict[str, dict[str, int]]:
        return assert_ok(stack.playbook(*arguments(state), *extra))

    its, before = stack.cluster("its1"), {name: uid(stack, name) for name in ("cluster1", "cluster2")}
    with load(stack):
        run("present")
        eventually(lambda: stack.cluster("cluster3").get(NAMESPACES, SHOP))
        run("drained")
        assert stack.cluster("cluster3").get(NAMESPACES, SHOP) is None
    assert sum(values["changed"] for values in run("absent", "--check").values()) > 0
    assert its.get(MANAGED_CLUSTERS, "cluster3") is not None
    run("absent")
    assert has_left(stack, "cluster3")
    assert not stack.stack.cluster("cluster3").exists() and "cluster3" not in (
        stack.stack.kubeconfig.read_text()
    )
    assert sum(values["changed"] for values in run("absent").values()) == 0
    assert {name: uid(stack, name) for name in before} == before


def test_a_label_that_would_take_the_workload_from_everybody_is_not_written(stack, clusters):
    """KubeStellar withdraws a policy everywhere if one of its clusters lacks a property."""
    its = stack.cluster("its1")
    config_map = its.get(CONFIG_MAPS, "cluster2", "customization-properties")
    assert clusters(names=["cluster2"], state="drained")["changed"]
    its.patch(CONFIG_MAPS, "cluster2", "customization-properties", {"data": {"storeHours": None}})
    staying = uid(stack, "cluster1")
    result = clusters(names=["cluster2"])
    words = "would lack properties: storeHours for wds1: BindingPolicy shop"
    assert words in result["msg"]
    assert "location-group" not in labels(stack, "cluster2")
    assert clusters(clusters=[{"name": "cluster2", "properties": config_map["data"]}])["changed"]
    assert labels(stack, "cluster2")["location-group"] == "edge" and uid(stack, "cluster1") == staying
    eventually(lambda: settled(stack))
    fewer = {"storeName": config_map["data"]["storeName"]}
    assert words in clusters(clusters=[{"name": "cluster2", "properties": fewer}])["msg"]
    assert its.get(CONFIG_MAPS, "cluster2", "customization-properties")["data"] == config_map["data"]


def test_one_cluster_that_fails_does_not_stop_the_others(stack, tmp_path):
    source = tmp_path / "bad.yml"
    # Its own labels were set by somebody else, and nobody said that they may be taken over.
    stack.cluster("its1").apply(
        MANAGED_CLUSTERS,
        {
            "apiVersion": MANAGED_CLUSTERS.api_version,
            "kind": MANAGED_CLUSTERS.kind,
            "metadata": {"name": "cluster1", "labels": {"owner": "somebody"}},
        },
        field_manager="somebody",
    )
    hosts = {
        "cluster1": {"wec_labels": {"location-group": "edge", "owner": "me"}},
        "cluster2": {"wec_labels": {"location-group": "edge", "city": "turin", "shift": "night"}},
    }
    source.write_text(yaml.safe_dump({"kubestellar_wecs": {"hosts": hosts}}))
    try:
        arguments = stack.arguments("wecs", "-i", str(source))
        done = stack.run([*arguments, "--diff"], ANSIBLE_SHOW_CUSTOM_STATS="true")
        assert done.returncode == 2 and labels(stack, "cluster2")["shift"] == "night"
        # One that cannot have such a label stops nobody either.
        hosts["cluster1"]["wec_labels"] = {"location-group": "edge", "city": "Rua Augusta 1"}
        hosts["cluster2"]["wec_labels"]["shift"] = "day"
        source.write_text(yaml.safe_dump({"kubestellar_wecs": {"hosts": hosts}}))
        illegal = stack.run(arguments)
        assert illegal.returncode == 2 and labels(stack, "cluster2")["shift"] == "day"
    finally:
        label(stack, "cluster1", owner=None)
        label(stack, "cluster2", shift=None)
    assert "somebody" in done.stdout and "shift: night" in done.stdout
    assert "cluster1: labels: the value 'Rua Augusta 1' of city is not allowed" in illegal.stdout
    for counters in (recap(done.stdout), recap(illegal.stdout)):
        # Each has the credit and the blame for itself.
        assert [counters[name]["failed"] for name in ("cluster1", "cluster2")] == [1, 0]
        assert [counters[name]["changed"] for name in ("cluster1", "cluster2")] == [0, 1]
    # The next job of a workflow gets the names.
    assert re.search(r"kubestellar_failed_wecs\W+cluster1\b", done.stdout.partition("CUSTOM STATS")[2])
