# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a hub has and no inventory lists is named, with the way to remove it."""

from __future__ import annotations

from typing import Any

from ansible_collections.kubestellar.core.plugins.filter.hub_unlisted import hub_unlisted


def policy(name: str, workload: str = "", wds: str = "wds1") -> dict[str, Any]:
    return {"name": name, "workload": workload, "wds": wds}


FOUND = {
    "policies": [
        policy("shop", "shop"),
        policy("shop", "shop", "wds2"),
        policy("greeting", "greeting"),
        policy("shop-in-turin", "shop"),
        policy("by-hand"),
    ],
    "clusters": [{"name": "cluster1"}, {"name": "cluster2"}],
}


def listed(*entries: dict[str, Any], clusters: tuple[str, ...] = ("cluster1", "cluster2")) -> dict[str, Any]:
    return {
        "workloads": list(entries),
        "clusters": [{"name": name, "its": "its1"} for name in clusters],
        "wds": "wds1",
        "its": "its1",
    }


def test_an_entry_that_replaced_the_list_leaves_the_shop_unlisted():
    found = hub_unlisted(FOUND, listed({"name": "greeting"}))
    assert found["workloads"] == ["shop (wds1)", "shop (wds2)"]
    assert found["policies"] == ["shop-in-turin (wds1)", "by-hand (wds1)"]
    workloads, policies = found["lines"]
    assert "2 workloads of the hub, not in hub_workloads: shop (wds1), shop (wds2)." in workloads
    assert "state: absent and run workloads.yml" in workloads
    assert "module binding_policy with state: absent" in policies


def test_what_is_listed_is_not_named():
    entries = ({"name": "shop"}, {"name": "shop", "wds": "wds2"}, {"name": "greeting", "state": "absent"})
    assert hub_unlisted(FOUND, listed(*entries))["workloads"] == []
    assert hub_unlisted(FOUND, listed(*entries))["policies"] == ["by-hand (wds1)"]


def test_a_cluster_that_is_listed_nowhere_or_in_another_its_is_named():
    for more in ([], [{"name": "cluster2", "its": "its2"}]):
        where = listed(clusters=("cluster1",))
        where["clusters"] += more
        found = hub_unlisted(FOUND, where)
        assert found["clusters"] == ["cluster2"]
        assert (
            "not in kubestellar_wecs: cluster2." in found["lines"][-1]
            and "wec_state: absent" in found["lines"][-1]
        )


def test_of_what_nothing_is_listed_nothing_is_said():
    assert hub_unlisted(FOUND, {}) == {"workloads": [], "policies": [], "clusters": [], "lines": []}
    assert hub_unlisted({}, listed())["lines"] == []
