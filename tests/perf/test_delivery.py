# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long 300 objects take to two WECs, with the limits of the collection and with those that upstream's programs have by
default.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ansible_collections.kubestellar.core.plugins.filter.hub_limits import hub_limits
from ansible_collections.kubestellar.core.plugins.module_utils.embedded import processes

from ..integration.running import Running, alone, assert_ok
from .measuring import Budget, Cost, Results, cost, machine, scaled

OBJECTS = scaled(300, 10)
FASTER = Budget("delivery to 2 WECs, times faster than with upstream's limits", 20, "×", at_least=True)
SHARE = Budget("delivery to 2 WECs, the collection's part of the CPU", 5, "%")
UPSTREAM = {"controller_qps": 5, "controller_burst": 10, "agent_qps": 50, "agent_burst": 100}
"""Defaults of KubeStellar 0.30.0 (cmd/controller-manager, pkg/transport/generic/cmd) and of OCM 1.0.0 (pkg/common/options)."""


def definitions(namespace: str) -> list[dict[str, Any]]:
    """A Namespace with ConfigMaps."""
    config_maps = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": f"object{number}", "namespace": namespace},
            "data": {"key": "value"},
        }
        for number in range(OBJECTS - 1)
    ]
    return [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}, *config_maps]


def rates(running: Running) -> set[str]:
    """Requests a second that the controllers and the agents may send, as their command lines say it."""
    commands = [process.command for process in processes.of_stack(running.stack)]
    return {
        flag for command in commands for flag in command if flag.startswith(("--wds-qps=", "--kube-api-qps="))
    }


def delivered(running: Running, limits: Mapping[str, int], **variables: Any) -> tuple[Cost, float]:
    """What it costs to place the objects and to see them applied, and the part of what the machine then did."""
    name = f"bench{limits['agent_qps']}"
    assert_ok(running.playbook("site", "-e", json.dumps({"hub_workloads": [], **variables}), timeout=1500))
    assert rates(running) == {
        f"--wds-qps={limits['controller_qps']}",
        f"--kube-api-qps={limits['agent_qps']}",
    }
    where = {"kubeconfig": running.kubeconfig, "context": "hub", "wds": "wds1", "name": name}
    environment = running.python_environment()
    cost(alone("workload"), environment, json.dumps({**where, "definitions": definitions(name)}))
    policy = {
        **where,
        "its": "its1",
        "cluster_selectors": [{"match_labels": {"location-group": "edge"}}],
        "downsync": [{"object_selectors": [{"match_labels": {"kubestellar.core/workload": name}}]}],
        "wait": "applied",
        "wait_timeout": 1200,
    }
    before = machine()
    took, output = cost(alone("binding_policy"), environment, json.dumps(policy))
    busy = machine() - before
    assert json.loads(output)["summary"]["placements"] == 2 * OBJECTS
    absent = {**where, "state": "absent", "leftovers": "remove", "wait_timeout": 1200}
    cost(alone("binding_policy"), environment, json.dumps(absent))
    return took, 100 * took.cpu / busy


def test_delivery_to_two_clusters(stack: Running, results: Results) -> None:
    """Upstream's limits, then ours, which the hub keeps."""
    theirs, _share = delivered(stack, UPSTREAM, hub_limits=UPSTREAM)
    ours, share = delivered(stack, hub_limits(2))
    assert_ok(stack.playbook("wecs", "-e", "wec_state=absent"))
    results.details(
        f"{OBJECTS} objects to 2 WECs, until all are applied",
        f"  upstream's limits {theirs}",
        f"  ours              {ours}",
    )
    results.figure(FASTER, theirs.wall / ours.wall)
    results.figure(SHARE, share)
