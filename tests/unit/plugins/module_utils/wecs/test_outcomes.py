# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each host gets the credit and the blame for its own cluster."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils.wecs import outcomes

CLUSTERS = [{"host": host, "name": name} for host, name in (("h1", "c1"), ("h2", "edge-c1"), ("h3", "c3"))]


def note(*results: dict[str, Any]) -> dict[str, Any]:
    """What is known after tasks with these results."""
    known: dict[str, Any] = {}
    for result in results:
        known = outcomes.work({"known": known, "clusters": CLUSTERS, "outcome": result})
    return known


@pytest.mark.parametrize(
    ("result", "hosts"),
    [
        ({"clusters": [{"name": "c1", "changed": False}, {"name": "c3", "changed": True}]}, ["h3"]),
        ({"objects": [{"name": "c1", "method": "none"}, {"name": "edge-c1", "method": "create"}]}, ["h2"]),
        ({"objects": [{"name": "ocm-agent-c1", "method": "create"}]}, ["h1"]),
        ({"objects": [{"name": "ocm-agent-edge-c1", "method": "create"}]}, ["h2"]),
        ({"objects": [{"name": "controller-manager-wds1", "method": "create"}]}, []),
        ({"changed_clusters": ["c1", "c3"]}, ["h1", "h3"]),
        ({"changed": True, "clusters": []}, []),
        ({}, []),
    ],
)
def test_a_change_is_that_of_its_cluster(result, hosts):
    assert sorted(note(result)["hosts"]) == hosts
    for host in ("h1", "h2", "h3"):
        assert outcomes.work({"known": note(result), "host": host})["changed"] is (host in hosts)


def test_a_failure_is_that_of_its_cluster_and_stays():
    broken = {"failed_clusters": ["c3"], "failures": ["c3: no."]}
    known = note(broken, {"clusters": [{"name": "c1", "changed": True}]})
    assert known["failed_hosts"] == ["h3"]
    assert outcomes.work({"known": known, "host": "h3"}) == {
        "changed": False,
        "failed": True,
        "msg": "c3: no.",
    }
    assert outcomes.work({"known": known, "host": "h1"}) == {"changed": True}


def test_a_difference_is_shown_with_the_host_whose_cluster_it_is_of():
    diff = [{"before": "", "after": name, "cluster": name} for name in ("c1", "c3")]
    result = {"clusters": [{"name": "c1", "changed": True}, {"name": "c3", "changed": True}], "diff": diff}
    known = note(result, {**result, "diff": diff[1:]})
    assert outcomes.work({"known": known, "host": "h1"})["diff"] == diff[:1]
    assert outcomes.work({"known": known, "host": "h3"})["diff"] == [diff[1], diff[1]]
    assert "diff" not in outcomes.work({"known": known, "host": "h2"})


def test_a_run_begins_with_nothing():
    assert outcomes.work({}) == {"changed": False, "hosts": {}, "failed_hosts": []}
