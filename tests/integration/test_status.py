# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports of a real hub, opened in a real browser, and following it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.kubestellar.core.tests import browser as browsers
from ansible_collections.kubestellar.core.tests.waiting import eventually

from .running import Running, assert_ok

NAME = "followed"
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAME}}
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": NAME},
    "spec": {
        "replicas": 1,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "registry.example/web:1"}]},
        },
    },
}
COLLECTOR = {
    "select": [
        {"name": "cluster", "def": "inventory.name"},
        {"name": "available", "def": "returned.status.availableReplicas"},
    ],
    "limit": 10,
}


@pytest.fixture
def ask(stack: Running, module) -> Any:
    """A module with the connection to the hub of the stack."""

    def run(module_name: str, /, **more: Any) -> dict[str, Any]:
        return dict(
            module(module_name, **{"kubeconfig": stack.kubeconfig, "context": "hub", "wds": "wds1", **more})
        )

    return run


@pytest.fixture
def placed(ask) -> Iterator[None]:
    """A Deployment whose status is collected, on its way to both clusters; gone in the end."""
    steps = (
        ("workload", {"name": NAME, "definitions": [NAMESPACE, DEPLOYMENT]}),
        ("status_collector", {"name": NAME, "wait": False, **COLLECTOR}),
        (
            "binding_policy",
            {
                "name": NAME,
                "its": "its1",
                "cluster_selectors": [{"match_labels": {"location-group": "edge"}}],
                "downsync": [
                    {
                        "object_selectors": [{"match_labels": {"kubestellar.core/workload": NAME}}],
                        "status_collectors": [NAME],
                    }
                ],
                "wait": "none",
            },
        ),
    )
    try:
        for name, parameters in steps:
            made = ask(name, **parameters)
            assert not made.get("failed"), made
        yield
    finally:
        for name, parameters in reversed(steps):
            kept = {key: value for key, value in parameters.items() if key in ("name", "its")}
            gone = ask(name, **kept, state="absent")
            assert not gone.get("failed"), gone


@pytest.mark.core
def test_the_playbook_follows_writes_and_shows(stack: Running, tmp_path: Path) -> None:
    """All of it in one run: following ends at once where all is well, and the page of a real hub draws itself."""
    before = stack.mark()
    extra = {
        "status_follow": True,
        "status_report_dest": str(tmp_path / "reports"),
        "status_report_formats": ["html", "json", "prometheus"],
    }
    done = stack.playbook("status", "-e", json.dumps(extra))
    assert_ok(done)
    assert stack.writes_since(before) == []
    assert re.search(r"\[hub\] \d\d:\d\d:\d\d all is healthy: 12 of 12 placements healthy", done.stdout)
    made = {path.suffix: path for path in (tmp_path / "reports").iterdir()}
    assert {path.name for path in made.values()} == {"hub.html", "hub.json", "hub.prom"}
    assert all(str(path) in done.stdout for path in made.values())
    content = json.loads(made[".json"].read_text())
    assert content["summary"]["healthy"] == content["summary"]["placements"] == 12
    assert [space["name"] for space in content["spaces"]] == ["its1", "wds1"]
    numbers = made[".prom"].read_text().splitlines()
    assert [line for line in numbers if not re.fullmatch(r'# .*|\w+\{(?:\w+="[^"]*",?)+\} \d+', line)] == []
    assert 'kubestellar_cluster_available{hub="hub",its="its1",cluster="cluster2"} 1' in numbers
    (tmp_path / "browser").mkdir()
    with browsers.started(tmp_path / "browser") as browser:
        browser.look(390, 844)
        browser.open(made[".html"])
        browser.drawn()
        assert browser.complaints == [] and browser.requests == [made[".html"].as_uri()]
        clusters = (
            "[...document.querySelectorAll('#picture [data-cluster]')].map((node) => node.dataset.cluster)"
        )
        assert browser.value(clusters) == ["cluster1", "cluster2"]
        states = "[...document.querySelectorAll('#rows .cell')].map((cell) => cell.textContent)"
        assert browser.value(states) == ["healthy"] * 12


@pytest.mark.core
def test_a_delivery_is_followed_until_it_is_healthy_and_what_is_collected_is_shown(
    stack: Running, ask, placed: None
) -> None:
    result = ask("status_follow", its="its1", policy=[NAME], duration=180)
    assert result["healthy"] is True and result["changed"] is False, result
    assert any(line.startswith("policy followed in wds1:") for line in result["changes"])
    last = [line for line in result["changes"] if "Deployment followed/web" in line]
    assert last and last[-1].endswith("healthy"), result["changes"]
    assert result["summary"]["healthy"] == result["summary"]["placements"] == 4

    def collected() -> dict[str, Any]:
        return ask("workload_info", its="its1", policy=[NAME])

    rows = [["cluster1", 1], ["cluster2", 1]]
    eventually(lambda: any(sorted(map(list, one["rows"])) == rows for one in collected()["combined"]))
    found = collected()
    assert [(one["name"], one["policies"]) for one in found["collectors"]] == [(NAME, [NAME])]
    (table,) = (one for one in found["combined"] if one["kind"] == "Deployment")
    assert (table["collector"], table["columns"]) == (NAME, ["cluster", "available"])
    assert "  followed of Deployment followed/web" in found["table"]


def test_following_ends_in_time_and_bad_input_before_the_first_request(
    stack: Running, ask, tmp_path: Path
) -> None:
    ended = ask("status_follow", its="its1", until="duration", duration=2)
    assert (ended["healthy"], ended["changes"]) == (True, []) and ended["followed"] >= 2
    never = ask("status_follow", its="its1", duration=0)
    assert never["failed"] and "duration is 0" in never["msg"]
    unknown = ask("status_follow", its="its1", policy=["nothing"], duration=5)
    assert unknown["failed"] and "no BindingPolicy nothing" in unknown["msg"]
    checked = ask("status_report", its="its1", dest=str(tmp_path / "new"), _check=True)
    assert checked["changed"] and not (tmp_path / "new").exists() and checked["sizes"]["html"] > 10_000
    elsewhere = ask("status_report", its="its1", dest=str(tmp_path), basename="../x")
    assert elsewhere["failed"] and "no name for a file" in elsewhere["msg"]


def test_what_the_inventory_does_not_list_is_named_and_a_workload_is_found_without_a_label(
    stack: Running, ask, placed: None
) -> None:
    """As after an entry that has replaced the list: the shop and a cluster are in no list any more."""
    empty = json.dumps({"hub_workloads": [{"name": "greeting"}]})
    done = stack.playbook("status", "-e", empty)
    assert_ok(done)
    assert "1 workload of the hub, not in hub_workloads: shop (wds1)." in done.stdout
    assert f"1 BindingPolicy of others: {NAME} (wds1)." in done.stdout
    assert "not in kubestellar_wecs" not in done.stdout
    found = ask("workload_info", its="its1", name=NAME)
    assert [policy["name"] for policy in found["policies"]] == [NAME] and found["objects"]
    nowhere = ask("workload_info", its="its1", name="nothing")
    assert "No BindingPolicy in wds1 places the workload nothing" in str(nowhere["warnings"])
