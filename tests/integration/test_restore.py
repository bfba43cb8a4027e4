# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A backup brings back what somebody has deleted and changed in a hub that is still there, see test_backup.py for a lost one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    BINDING_POLICIES,
    CONFIG_MAPS,
    NAMESPACES,
)
from ansible_collections.kubestellar.core.tests.waiting import eventually

from .running import Running, assert_ok

NAME = "kept"
LABELS = {"example.com/kept": "yes"}


@pytest.fixture
def kept(stack: Running) -> Iterator[None]:
    """A Namespace with three ConfigMaps that somebody has placed by hand in both clusters; gone in the end."""
    wds = stack.cluster("wds1")
    policy = {
        "clusterSelectors": [{"matchLabels": {"location-group": "edge"}}],
        "downsync": [{"objectSelectors": [{"matchLabels": LABELS}]}],
    }
    try:
        wds.create(NAMESPACES, described("v1", "Namespace", NAME))
        for number in range(3):
            config_map = described("v1", "ConfigMap", f"item-{number}", data={"price": str(number)})
            config_map["metadata"]["namespace"] = NAME
            wds.create(CONFIG_MAPS, config_map)
        wds.create(
            BINDING_POLICIES, described("control.kubestellar.io/v1alpha1", "BindingPolicy", NAME, spec=policy)
        )
        eventually(lambda: delivered(stack) == {0, 1, 2})
        yield
    finally:
        wds.delete(BINDING_POLICIES, NAME)
        eventually(lambda: not delivered(stack))
        wds.delete(NAMESPACES, NAME)


def described(version: str, kind: str, name: str, **content: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "labels": LABELS}, **content}


def delivered(stack: Running) -> set[int]:
    """The ConfigMaps that both clusters have as they were written, by number."""
    found = []
    for name in ("cluster1", "cluster2"):
        items = stack.cluster(name).list(CONFIG_MAPS, NAME, label_selector="example.com/kept").items
        found.append({(item["metadata"]["name"], item["data"]["price"]) for item in items})
    return {number for number in range(3) if all((f"item-{number}", str(number)) in there for there in found)}


@pytest.mark.core
def test_a_backup_brings_back_what_was_deleted_and_changed(stack: Running, kept: None, tmp_path) -> None:
    wds = stack.cluster("wds1")
    folder, wins = ("-e", f"backup_dir={tmp_path}"), ("-e", json.dumps({"restore_overwrite": True}))
    before = stack.mark()
    assert assert_ok(stack.playbook("backup", *folder))["hub"]["changed"] == 1
    assert stack.writes_since(before) == []
    archives = {path: path.stat().st_mode & 0o777 for path in (tmp_path / "hub").iterdir()}
    assert {path.name for path in archives} == {"its1.tar.gz", "wds1.tar.gz"}
    assert set(archives.values()) == {0o600}

    wds.delete(BINDING_POLICIES, NAME)
    wds.delete(CONFIG_MAPS, "item-0", NAME)
    wds.patch(CONFIG_MAPS, "item-1", NAME, {"data": {"price": "9"}}, field_manager="kubectl-edit")
    eventually(lambda: not delivered(stack))
    assert assert_ok(stack.playbook("restore", *folder, *wins))["hub"]["changed"] == 1
    prices = {item["metadata"]["name"]: item["data"] for item in wds.list(CONFIG_MAPS, NAME).items}
    assert {f"item-{number}": {"price": str(number)} for number in range(3)}.items() <= prices.items()
    eventually(lambda: delivered(stack) == {0, 1, 2})

    before = stack.mark()
    assert assert_ok(stack.playbook("restore", *folder, *wins))["hub"]["changed"] == 0
    assert stack.writes_since(before) == []
