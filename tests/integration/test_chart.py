# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hub by KubeStellar's core chart on an existing cluster, from nothing to nothing (see `chart_hub.py`)."""

from __future__ import annotations

import base64
import gzip
import json

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _resources
from ansible_collections.kubestellar.core.tests.waiting import eventually

from .chart_hub import encoded
from .running import assert_ok


@pytest.mark.core
def test_a_check_run_before_the_hub_is_there_forecasts_it_and_writes_nothing(hub):
    mark = hub.mark()
    assert assert_ok(hub.run("hub", "--check"))["hub"]["changed"] == 1
    assert hub.writes(mark) == [] and hub.planes() == []


@pytest.mark.core
def test_the_chart_gives_a_ready_hub_with_its_wds_bound(installed):
    its, wds = (installed.cluster.get(_resources.CONTROL_PLANES, name) for name in ("its1", "wds1"))
    assert its["status"]["postCreateHooks"] == {"its-hub-init": True, "install-status-addon": True}
    assert wds["status"]["postCreateHooks"] == {"kubestellar-controller": True, "transport-controller": True}
    transport = installed.arguments_of("wds1", "transport-controller")
    assert transport[:2] == ["--control-plane-name", "its1"]
    assert "--control-plane-label-selector" not in transport
    assert "--wds-qps=500" in transport and "--transport-burst=1000" in transport
    manager = installed.arguments_of("wds1", "kubestellar-controller-manager")
    for argument in ("--its-name=its1", "--wds-name=wds1", "--wds-qps=500", "--its-burst=1000"):
        assert argument in manager


@pytest.mark.core
def test_a_second_run_changes_nothing_and_sends_no_write(installed):
    mark = installed.mark()
    counters = assert_ok(installed.run("hub"))
    assert counters["hub"]["changed"] == 0
    assert installed.writes(mark) == []


def test_a_check_run_on_the_hub_forecasts_nothing_and_writes_nothing(installed):
    mark = installed.mark()
    counters = assert_ok(installed.run("hub", "--check", "--diff"))
    assert counters["hub"]["changed"] == 0
    assert installed.writes(mark) == []


def test_a_space_that_cannot_be_reached_is_said_to_be_unverified(installed, module):
    made = module(
        "hub_ready",
        **installed.connection,
        itses=[{"name": "its1"}],
        wdses=[{"name": "wds1"}],
        verify="reachable",
    )
    its, wds = made["objects"]
    assert (its["verified"], its["reason"]) == (True, "")
    assert wds["ready"] and not wds["verified"]
    assert "does not answer at https://" in wds["reason"] and "wds1.localtest.me:9443" in wds["reason"]
    assert "wds1 was not looked into" in str(made["warnings"])
    assert made["its_name_bug"] is True and made["changed"] is False


def test_what_is_lacking_inside_a_space_is_named_when_the_time_is_over(installed, module):
    wanted = {"itses": [{"name": "its1"}], "wdses": [{"name": "wds1"}], "wait_timeout": 5}
    made = module("hub_ready", **installed.connection, **wanted)
    (missing,) = made["missing"]
    assert made["failed"] and missing.startswith("wds1: its API server does not answer at https://")


def test_other_limits_and_api_groups_reach_what_is_there(installed):
    change = {
        "hub_limits": {
            "controller_qps": 700,
            "controller_burst": 1400,
            "agent_qps": 500,
            "agent_burst": 1000,
        },
        "hub_wdses": [{"name": "wds1", "api_groups": ["", "apps"]}],
    }
    assert assert_ok(installed.run("hub", **change))["hub"]["changed"] == 2
    manager = installed.arguments_of("wds1", "kubestellar-controller-manager")
    assert "--wds-qps=700" in manager and "--api-groups=,apps" in manager
    assert "--transport-qps=700" in installed.arguments_of("wds1", "transport-controller")
    assert_ok(installed.run("hub"))
    assert "--api-groups=" in installed.arguments_of("wds1", "kubestellar-controller-manager")


TWO = {
    "hub_itses": [{"name": "its1", "type": "host"}, {"name": "its2", "type": "host"}],
    "hub_wdses": [{"name": "wds1", "its": "its1"}, {"name": "wds2", "its": "its2"}],
}


def test_two_wdses_are_bound_each_to_its_own_its_and_go_only_if_that_is_meant(installed):
    before = installed.cluster.get(_resources.DEPLOYMENTS, "transport-controller", "wds1-system")
    assert_ok(installed.run("hub", **TWO))
    for wds, its in (("wds1", "its1"), ("wds2", "its2")):
        transport = installed.arguments_of(wds, "transport-controller")
        assert transport[:2] == ["--control-plane-name", its]
        assert "--control-plane-label-selector" not in transport
        assert f"--its-name={its}" in installed.arguments_of(wds, "kubestellar-controller-manager")
    after = installed.cluster.get(_resources.DEPLOYMENTS, "transport-controller", "wds1-system")
    assert after["metadata"]["generation"] == before["metadata"]["generation"]
    mark = installed.mark()
    assert assert_ok(installed.run("hub", **TWO))["hub"]["changed"] == 0
    assert installed.writes(mark) == []

    # Those that are not listed any more.
    done = installed.run("hub")
    assert done.returncode != 0
    output = " ".join(done.stdout.split())
    assert "the release ks-core has the ControlPlanes its2, wds2" in output and "hub_remove_spaces" in output
    assert installed.writes(mark) == []
    assert_ok(installed.run("hub", hub_remove_spaces=True))
    eventually(lambda: sorted(installed.planes()) == ["its1", "wds1"])


def test_a_release_that_a_dead_helm_left_pending_is_repaired(installed):
    releases = installed.cluster.list(
        _resources.SECRETS, "default", label_selector="owner=helm,name=ks-core"
    ).items
    last = max(releases, key=lambda secret: int(secret["metadata"]["labels"]["version"]))
    number = int(last["metadata"]["labels"]["version"]) + 1
    content = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(last["data"]["release"]))))
    content["version"], content["info"]["status"] = number, "pending-upgrade"
    labels = {
        **last["metadata"]["labels"],
        "version": str(number),
        "status": "pending-upgrade",
        "createdAt": "1000000",
    }
    pending = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": f"sh.helm.release.v1.ks-core.v{number}",
            "namespace": "default",
            "labels": labels,
        },
        "type": last["type"],
        "data": {"release": encoded(base64.b64encode(gzip.compress(json.dumps(content).encode())))},
    }
    pending["metadata"]["labels"].pop("modifiedAt", None)
    installed.cluster.create(_resources.SECRETS, pending)
    change = {"hub_verbosity": {"default": 3}}
    assert assert_ok(installed.run("hub", "--check", **change))["hub"]["changed"] == 2
    assert assert_ok(installed.run("hub", **change))["hub"]["changed"] == 2
    assert assert_ok(installed.run("hub", **change))["hub"]["changed"] == 0


# -- the end ---------------------------------------------------------------------------------------------------------


def test_a_hub_with_a_cluster_in_it_is_not_removed(installed):
    cluster = {
        "apiVersion": "cluster.open-cluster-management.io/v1",
        "kind": "ManagedCluster",
        "metadata": {"name": "edge1"},
        "spec": {"hubAcceptsClient": False},
    }
    installed.cluster.create(_resources.MANAGED_CLUSTERS, cluster)
    mark = installed.mark()
    done = installed.run("teardown")
    assert done.returncode != 0
    assert "the hub is still in use: its1 has the clusters edge1. Nothing has been removed." in " ".join(
        done.stdout.split()
    )
    assert installed.writes(mark) == []


@pytest.mark.core
def test_the_hub_is_removed_and_removing_it_again_changes_nothing(installed):
    assert_ok(installed.run("teardown"))
    assert installed.planes() == []
    releases = installed.cluster.list(_resources.SECRETS, "default", label_selector="owner=helm")
    assert releases.items == []
    assert (
        installed.cluster.get(_resources.DEPLOYMENTS, "kubeflex-controller-manager", "kubeflex-system")
        is None
    )
    for name in ("its1-system", "wds1-system"):
        assert installed.cluster.get(_resources.NAMESPACES, name) is None
    counters = assert_ok(installed.run("teardown"))
    assert counters["hub"]["changed"] == 0
