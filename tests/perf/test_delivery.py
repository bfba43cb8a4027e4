# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long 300 objects take to two WECs, with the limits of the collection and with those that upstream's programs have by
default. Shown, not asserted: `make bench`.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from ..integration.running import alone, assert_ok, destroy, make_stack
from .measuring import Cost, cost

OBJECTS = 300
UPSTREAM = {"controller_qps": 5, "controller_burst": 10, "agent_qps": 50, "agent_burst": 100}
"""Defaults of KubeStellar 0.30.0 (cmd/controller-manager, pkg/transport/generic/cmd) and of OCM 1.0.0 (pkg/common/options)."""


def definitions() -> list[dict[str, Any]]:
    """A Namespace with ConfigMaps."""
    config_maps = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": f"object{number}", "namespace": "bench"},
            "data": {"key": "value"},
        }
        for number in range(OBJECTS - 1)
    ]
    return [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "bench"}}, *config_maps]


def delivered(name: str, **variables: Any) -> Cost:
    """What it costs to place the objects and to see them applied, on a stack of its own."""
    running = make_stack(name)
    try:
        extra = json.dumps({"hub_workloads": [], **variables})
        assert_ok(running.playbook("site", "-e", extra, timeout=1500))
        where = {"kubeconfig": running.kubeconfig, "context": "hub", "wds": "wds1"}
        environment = running.python_environment()
        cost(
            alone("workload"),
            environment,
            json.dumps({**where, "name": "bench", "definitions": definitions()}),
        )
        policy = {
            **where,
            "its": "its1",
            "name": "bench",
            "cluster_selectors": [{"match_labels": {"location-group": "edge"}}],
            "downsync": [{"object_selectors": [{"match_labels": {"kubestellar.core/workload": "bench"}}]}],
            "wait": "applied",
            "wait_timeout": 1200,
        }
        took, output = cost(alone("binding_policy"), environment, json.dumps(policy))
        assert json.loads(output)["summary"]["placements"] == 2 * OBJECTS
        return took
    finally:
        destroy(running)


def test_delivery_to_two_clusters(capsys: pytest.CaptureFixture[str]) -> None:
    """Ours, then upstream's."""
    ours = delivered("bench-ours")
    theirs = delivered("bench-theirs", hub_limits=UPSTREAM)
    lines = [
        "",
        f"{OBJECTS} objects to 2 WECs, until all are applied (budget 20 times faster)",
        f"  upstream's limits {theirs}",
        f"  ours              {ours}   {theirs.wall / ours.wall:.1f} times faster",
        "",
    ]
    with capsys.disabled():
        sys.stdout.write("\n".join(lines))
