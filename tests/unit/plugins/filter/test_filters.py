# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.kubestellar.core.plugins.filter.embedded_agents import (
    embedded_agents,
    status_sync_seconds,
)
from ansible_collections.kubestellar.core.plugins.filter.hub_connection import hub_connection
from ansible_collections.kubestellar.core.plugins.filter.hub_limits import hub_limits
from ansible_collections.kubestellar.core.plugins.filter.wec_batches import wec_batches
from ansible_collections.kubestellar.core.plugins.filter.wec_connections import wec_connections
from ansible_collections.kubestellar.core.plugins.filter.wec_klusterlets import wec_klusterlets
from ansible_collections.kubestellar.core.plugins.filter.wec_local_clusters import wec_local_clusters
from ansible_collections.kubestellar.core.plugins.filter.workload_downsync import workload_downsync

HOSTVARS = {
    "hub": {},
    "hub2": {"hub_itses": [{"name": "a"}, {"name": "b"}]},
    "c1": {"wec_hub": "hub", "wec_labels": {"x": "y"}},
    "c2": {"wec_hub": "hub", "wec_name": "second"},
    "c3": {"wec_hub": "hub2", "wec_its": "b"},
    "c4": {},
    "c5": {"wec_hub": "hub2"},
    "c6": {"wec_hub": "nowhere"},
}


def test_wecs_of_one_hub_and_its_are_one_batch():
    batches = wec_batches(["c1", "c3", "c2"], HOSTVARS, ["hub", "hub2"])
    assert [(b["hub"], b["its"], [c["name"] for c in b["clusters"]]) for b in batches] == [
        ("hub", "its1", ["c1", "second"]),
        ("hub2", "b", ["c3"]),
    ]
    described = {"name": "c1", "labels": {"x": "y"}, "annotations": {}, "properties": {}}
    assert batches[0]["clusters"][0]["managed_cluster"] == described
    assert wec_batches(["c4"], HOSTVARS, ["hub"])[0]["hub"] == "hub"


def test_of_a_wec_that_the_hub_tells_of_only_what_is_said_is_described():
    """Else a run with the inventory plugin alone would take away the labels by which workload is placed."""
    found = {"kubestellar_uid": "u", "kubestellar_labels": {"a": "b"}, "wec_provider": "registered"}
    hostvars = {"hub": {}, "c1": found, "c2": {**found, "wec_labels": {}, "wec_properties": {"p": "q"}}}
    (batch,) = wec_batches(["c1", "c2"], hostvars, ["hub"])
    assert [cluster["managed_cluster"] for cluster in batch["clusters"]] == [
        {"name": "c1"},
        {"name": "c2", "labels": {}, "properties": {"p": "q"}},
    ]
    assert batch["provider"] == "registered"


def test_what_one_host_says_for_itself_is_not_said_for_others_of_its_batch():
    """Nobody is removed by force because another cluster is gone; a guard or a patience of one holds for its batch."""
    hostvars = {
        "hub": {},
        "gone": {"wec_force": "true", "wec_state": "absent"},
        "left": {"wec_state": "absent", "wec_last_copies": "refuse", "wec_wait_timeout": 20},
        "slow": {"wec_state": "absent", "wec_force": False, "wec_wait_timeout": "600"},
    }
    found = wec_batches(["gone", "left", "slow"], hostvars, ["hub"])
    told = [[b["force"], b["last_copies"], b["wait_timeout"], len(b["clusters"])] for b in found]
    assert told == [[True, "", 0, 1], [False, "refuse", 600, 2]]


@pytest.mark.parametrize(
    ("host", "words"), [("c4", "wec_hub is not set"), ("c5", "wec_its is not set"), ("c6", "nowhere")]
)
def test_a_wec_whose_hub_or_its_is_unclear_is_refused(host, words):
    with pytest.raises(AnsibleFilterError, match=words):
        wec_batches([host], HOSTVARS, ["hub", "hub2"])


def test_hub_connection_of_an_embedded_hub_is_its_stack(monkeypatch):
    monkeypatch.setenv("KUBESTELLAR_HOME", "/srv/ks")
    assert hub_connection({"inventory_hostname": "hub"}) == {
        "kubeconfig": "/srv/ks/stacks/kubestellar/kubeconfig",
        "context": "hub",
    }
    variables = {
        "inventory_hostname": "hub",
        "hub_name": "h",
        "kubestellar_home": "/x",
        "kubestellar_stack": "s",
    }
    assert hub_connection(variables) == {"kubeconfig": "/x/stacks/s/kubeconfig", "context": "h"}


def test_hub_connection_of_another_hub_is_what_the_inventory_says():
    assert hub_connection({"hub_provider": "existing", "hub_kubeconfig": "/k", "hub_context": ""}) == {
        "kubeconfig": "/k"
    }


@pytest.mark.parametrize("tool", ["kind", "k3d"])
def test_hub_connection_of_a_local_cluster_is_our_own_kubeconfig(monkeypatch, tool):
    monkeypatch.setenv("KUBESTELLAR_HOME", "/srv/ks")
    variables = {"inventory_hostname": "hub", "hub_provider": tool, "hub_kubeconfig": "/never"}
    assert hub_connection(variables) == {
        "kubeconfig": f"/srv/ks/clusters/{tool}-hub/kubeconfig",
        "context": f"{tool}-hub",
    }
    assert hub_connection({**variables, "hub_name": "h"})["context"] == f"{tool}-h"


@pytest.mark.parametrize("provider", ["existing", "openshift"])
def test_hub_connection_by_a_token_is_a_kubeconfig_that_verifies_the_server(provider):
    variables = {
        "inventory_hostname": "hub",
        "hub_provider": provider,
        "hub_host": "api.example.com:6443",
        "hub_api_key": "t",
        "hub_ca_cert": "/etc/ca.crt",
    }
    made = hub_connection(variables)
    assert made["context"] == "hub"
    assert made["kubeconfig"]["clusters"][0]["cluster"] == {
        "server": "https://api.example.com:6443",
        "certificate-authority": "/etc/ca.crt",
    }
    assert made["kubeconfig"]["users"] == [{"name": "hub", "user": {"token": "t"}}]
    alone = hub_connection({**variables, "hub_ca_cert": "", "hub_host": "https://api.example.com"})
    assert alone["kubeconfig"]["clusters"][0]["cluster"] == {"server": "https://api.example.com"}


@pytest.mark.parametrize(("wecs", "qps"), [(0, 500), (10, 500), (11, 550), (500, 2000)])
def test_hub_limits_grow_with_the_fleet_within_bounds(wecs, qps):
    assert hub_limits(wecs) == {
        "controller_qps": qps,
        "controller_burst": 2 * qps,
        "agent_qps": 500,
        "agent_burst": 1000,
    }


@pytest.mark.parametrize(
    ("wecs", "seconds"),
    [(0, 5), (4, 5), (5, 10), (8, 10), (9, 20), (16, 20), (17, 40), (32, 40), (33, 60), (1000, 60)],
)
def test_agents_look_less_often_in_steps_the_more_of_them_share_a_machine(wecs, seconds):
    assert status_sync_seconds(wecs) == seconds
    agent, status = embedded_agents([{"name": "c1"}], "i", hub_limits(wecs), "/run", wecs)
    assert agent["status_sync_interval"] == f"{seconds}s"
    assert "status_sync_interval" not in status


def test_workload_downsync_limits_every_clause_to_the_workload():
    mine = [{"match_labels": {"kubestellar.core/workload": "shop"}}]
    assert workload_downsync("shop", [{"resources": ["jobs"], "create_only": True}]) == [
        {"object_selectors": mine},
        {"resources": ["jobs"], "create_only": True, "object_selectors": mine},
    ]


def test_connections_to_wecs_are_those_of_their_stack_or_of_the_inventory():
    hostvars = {
        "hub": {"inventory_hostname": "hub", "kubestellar_home": "/x", "kubestellar_stack": "s"},
        "hub2": {"inventory_hostname": "hub2", "hub_provider": "existing"},
        "c1": {"wec_hub": "hub", "wec_name": "first"},
        "c2": {"wec_hub": "hub2", "wec_provider": "existing", "wec_kubeconfig": "/k", "wec_context": "c"},
        "c3": {"wec_hub": "hub2", "wec_provider": "existing"},
    }
    hosts, hubs = ["c1", "c2", "c3"], ["hub", "hub2"]
    assert wec_connections(hosts, hostvars, hubs, "hub") == [
        {"name": "first", "kubeconfig": "/x/stacks/s/kubeconfig", "context": "first"}
    ]
    assert wec_connections(hosts, hostvars, hubs, "hub2") == [
        {"name": "c2", "kubeconfig": "/k", "context": "c"},
        {"name": "c3"},
    ]


REAL = {
    "hub": {"inventory_hostname": "hub", "hub_provider": "kind", "hub_name": "center", "kubestellar_home": "/x"},
    "a": {
        "wec_provider": "existing",
        "wec_kubeconfig": "/k",
        "wec_context": "c",
        "wec_klusterlet_mode": "Default",
        "wec_klusterlet_namespace": "",
        "wec_klusterlet_cluster_annotations": {"agent.open-cluster-management.io/a": "b"},
    },
    "b": {"wec_provider": "existing", "wec_host": "https://b:6443", "wec_api_key": "t", "wec_klusterlet_mode": "Default"},
    "c": {"wec_provider": "existing", "wec_kubeconfig": "/k2", "wec_hub_endpoint": "https://its:1", "wec_change_hub": True},
    "d": {"wec_provider": "kind", "kubestellar_home": "/x", "wec_name": "edge", "wec_cluster": {"image": "i"}},
    "e": {"wec_provider": "k3d", "kubestellar_home": "/x", "wec_nodes": 2},
}  # fmt: skip


def real_batches(*hosts):
    return wec_batches(hosts, REAL, ["hub"])


def test_wecs_with_other_klusterlets_are_in_a_batch_of_their_own():
    found = real_batches("a", "b", "c", "d")
    assert [[cluster["name"] for cluster in batch["clusters"]] for batch in found] == [
        ["a", "b"],
        ["c"],
        ["edge"],
    ]
    assert [batch["klusterlet"] for batch in found] == [{"mode": "Default"}, {"change_hub": True}, {}]


def test_klusterlets_are_reached_as_the_inventory_says():
    (ab, c, d, e) = (
        wec_klusterlets(batch, REAL, ["edge"]) for batch in real_batches("a", "b", "c", "d", "e")
    )
    assert ab == [
        {
            "name": "a",
            "kubeconfig": "/k",
            "context": "c",
            "cluster_annotations": {"agent.open-cluster-management.io/a": "b"},
        },
        {"name": "b", "host": "https://b:6443", "api_key": "t"},
    ]
    assert c == [{"name": "c", "kubeconfig": "/k2", "endpoint": "https://its:1"}]
    container = {"host_container": "center-control-plane"}
    place = "/x/clusters/kind-edge/kubeconfig"
    assert d == [{"name": "edge", "kubeconfig": place, "context": "kind-edge", "planned": True, **container}]
    assert e == [{"name": "e", "kubeconfig": "/x/clusters/k3d-e/kubeconfig", "context": "k3d-e", **container}]


def test_a_hub_that_is_a_wec_is_reached_as_the_hub_is():
    by_file = {
        "inventory_hostname": "hub",
        "hub_provider": "existing",
        "hub_kubeconfig": "/k",
        "hub_context": "h",
    }
    by_host = {
        "inventory_hostname": "hub",
        "hub_provider": "openshift",
        "hub_host": "https://h",
        "hub_api_key": "t",
    }
    wec = {"wec_provider": "existing"}
    (batch,) = wec_batches(["hub"], {"hub": {**by_file, **wec}}, ["hub"])
    assert wec_klusterlets(batch, {"hub": {**by_file, **wec}}) == [
        {"name": "hub", "kubeconfig": "/k", "context": "h", "is_hub": True}
    ]
    assert wec_klusterlets(batch, {"hub": {**by_host, **wec}}) == [
        {"name": "hub", "host": "https://h", "api_key": "t", "is_hub": True}
    ]
    # Another host that is reached in the same way is a mistake, which the module finds.
    hosts = {"hub": by_file, "w": {**wec, "wec_kubeconfig": "/k", "wec_context": "h"}}
    (batch,) = wec_batches(["w"], hosts, ["hub"])
    assert "is_hub" not in wec_klusterlets(batch, hosts)[0]


def test_clusters_of_k3d_are_in_the_network_of_the_hub():
    (d, e) = real_batches("d", "e")
    assert wec_local_clusters(d, REAL) == [
        {
            "network": "",
            "image": "i",
            "host": "d",
            "name": "edge",
            "nodes": 1,
            "kubeconfig": "/x/clusters/kind-edge/kubeconfig",
        }
    ]
    (found,) = wec_local_clusters(e, REAL)
    assert (found["network"], found["nodes"]) == ("kind", 2)
    k3d = {**REAL, "hub": {**REAL["hub"], "hub_provider": "k3d"}}
    assert wec_local_clusters(e, k3d)[0]["network"] == "k3d-center"
    own = {**REAL, "e": {**REAL["e"], "wec_cluster": {"network": "mine"}}}
    assert wec_local_clusters(e, own)[0]["network"] == "mine"
    assert wec_local_clusters(e, {**REAL, "hub": {"hub_provider": "existing"}})[0]["network"] == ""
