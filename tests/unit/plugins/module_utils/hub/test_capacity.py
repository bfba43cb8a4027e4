# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is left on nodes, and whether a hub fits there."""

from __future__ import annotations

from decimal import Decimal

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils.hub import capacity

MEBI = 2**20


def node(name="n1", cpu="2", memory="4Gi", pods="110", *, ready="True", **spec):
    return {
        "metadata": {"name": name},
        "spec": spec,
        "status": {
            "allocatable": {"cpu": cpu, "memory": memory, "pods": pods},
            "conditions": [{"type": "Ready", "status": ready}],
        },
    }


def container(cpu=None, memory=None, **more):
    requests = {key: value for key, value in (("cpu", cpu), ("memory", memory)) if value}
    return {"name": "c", "resources": {"requests": requests}, **more}


def pod(*containers, on="n1", phase="Running", init=(), **spec):
    return {
        "spec": {"nodeName": on, "containers": list(containers), "initContainers": list(init), **spec},
        "status": {"phase": phase},
    }


@pytest.mark.parametrize(
    ("one", "millis", "mebibytes"),
    [
        (pod(), 0, 0),
        (pod({"name": "c"}), 0, 0),
        (pod(container("250m", "64Mi"), container("1", "1Gi")), 1250, 1088),
        (pod(container("100m", "10Mi"), init=[container("1", "5Mi"), container("2", "20Mi")]), 2000, 20),
        (pod(container("100m"), init=[container("300m", restartPolicy="Always")]), 400, 0),
        (pod(container("100m"), init=[container("300m", restartPolicy="Always"), container("500m")]), 800, 0),
        (pod(container("100m", "10Mi"), overhead={"cpu": "50m", "memory": "6Mi"}), 150, 16),
    ],
)
def test_what_the_scheduler_reserves_for_a_pod(one, millis, mebibytes):
    assert capacity.requests(one) == (Decimal(millis) / 1000, mebibytes * MEBI)


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (node(), ""),
        (node(unschedulable=True), "is cordoned"),
        (node(ready="Unknown"), "is not ready"),
        (node(taints=[{"key": "a", "effect": "PreferNoSchedule"}]), ""),
        (node(taints=[{"key": "b", "effect": "NoSchedule"}]), "has the taint b"),
        ({"metadata": {"name": "new"}}, "is not ready"),
    ],
)
def test_why_a_node_takes_no_pods(one, reason):
    assert capacity.unusable(one) == reason


def test_what_is_left_does_not_count_ended_pods_and_other_nodes():
    pods = [
        pod(container("500m", "1Gi")),
        pod(container("500m", "1Gi"), phase="Succeeded"),
        pod(container("500m", "1Gi"), on="n2"),
        pod(container("500m", "1Gi"), on=None, phase="Pending"),
    ]
    (left,) = capacity.rooms([node(), node("n2", unschedulable=True)], pods)
    assert left == capacity.Room("n1", Decimal("1.5"), Decimal(3 * 1024 * MEBI), 109)


K8S = capacity.of_space("wds1", "wds", "k8s", ocm=False)


@pytest.mark.parametrize(
    ("nodes", "reason"),
    [
        ([node()], ""),
        ([], ""),
        (
            [node(cpu="400m"), node("n2", cpu="300m")],
            "0.72 CPUs are requested and 0.70 CPUs are left on the 2 nodes",
        ),
        (
            [node(memory="500Mi")],
            "506 MiB of memory are requested and 500 MiB of memory are left on the 1 node",
        ),
        ([node(pods="3")], "4 Pods are to be made and 3 more are allowed"),
        (
            [node(cpu="400m"), node("n2", cpu="400m")],
            "wds1: kube-apiserver requests 0.51 CPUs and 314 MiB of memory, which no node has left",
        ),
    ],
)
def test_a_shortage_is_told_only_if_it_is_certain(nodes, reason):
    found = capacity.shortage(K8S, capacity.rooms(nodes, []))
    assert (reason in found) if reason else not found


def test_a_node_that_has_given_away_too_much_takes_nothing_from_the_others():
    pods = [pod(container("5"), on="n2")]
    assert not capacity.shortage(K8S, capacity.rooms([node(cpu="1"), node("n2")], pods))


@pytest.mark.parametrize(
    ("kind", "role", "ocm", "millis", "mebibytes"),
    [
        ("k8s", "wds", False, 721, 506),
        ("host", "wds", False, 15, 128),
        ("external", "its", True, 0, 0),
        ("host", "its", False, 0, 0),
        ("host", "its", True, 12, 96),
        ("vcluster", "its", True, 222, 416),
    ],
)
def test_what_a_space_requests(kind, role, ocm, millis, mebibytes):
    loads = capacity.of_space("s", role, kind, ocm=ocm)
    assert sum(load.cpu for load in loads) == Decimal(millis) / 1000
    assert sum(load.memory for load in loads) == mebibytes * MEBI


def test_kubeflex_without_its_database_requests_less():
    assert len(capacity.of_kubeflex(postgresql=True)) == 2
    assert [load.name for load in capacity.of_kubeflex(postgresql=False)] == ["kubeflex-controller-manager"]
