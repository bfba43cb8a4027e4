# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whoever may write into the hub, or has a credential to join with, gets nothing else by it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _space
from ansible_collections.kubestellar.core.plugins.module_utils._resources import CONTROL_PLANES, SECRETS
from ansible_collections.kubestellar.core.plugins.module_utils._yaml import load_yaml

from .running import CHECKOUT, Running

pytestmark = pytest.mark.core


@pytest.fixture
def marker(stack: Running, tmp_path: Path) -> Iterator[Path]:
    """What the kubeconfig in the Secret of wds1 makes, for anybody who runs what it says."""
    hub, made = stack.cluster("hub"), tmp_path / "it-ran"
    plane = hub.get(CONTROL_PLANES, "wds1")
    secret = _space.read_secret(hub, plane)
    assert secret is not None
    name, namespace = secret["metadata"]["name"], secret["metadata"]["namespace"]

    def write(data: dict[str, str]) -> None:
        hub.patch(SECRETS, name, namespace, {"data": data}, field_manager="somebody")

    def changed(text: str) -> str:
        (content,) = load_yaml(base64.b64decode(text), "the kubeconfig")
        program = {"command": "sh", "args": ["-c", f"touch {made}"], "interactiveMode": "Never"}
        user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", **program}}
        content["users"] = [{**entry, "user": user} for entry in content["users"]]
        return base64.b64encode(json.dumps(content).encode()).decode()

    before = {key: value for key, value in secret["data"].items() if "kubeconfig" in key}
    assert before
    write({key: changed(value) for key, value in before.items()})
    try:
        yield made
    finally:
        write(before)
        # Also who owns what, else the next run of the role would write it again.
        owners = {
            "op": "replace",
            "path": "/metadata/managedFields",
            "value": secret["metadata"]["managedFields"],
        }
        hub.patch(SECRETS, name, namespace, [owners], kind="json", field_manager="somebody")


def test_a_kubeconfig_in_a_secret_of_the_hub_runs_nothing(
    stack: Running, module: Callable[..., dict[str, Any]], marker: Path, tmp_path: Path
):
    way = {"kubeconfig": stack.kubeconfig, "context": "hub"}
    asked = {
        "binding_policy_info": {"wds": "wds1", "its": "its1"},
        "workload_info": {},
        "doctor": {},
        "managed_cluster": {"its": "its1", "names": ["cluster1"], "labels": {"new": "label"}},
        "space_credentials": {},
        "space_backup": {"dir": str(tmp_path / "backup")},
    }
    for name, options in asked.items():
        told = module(name, _check=name == "managed_cluster", **way, **options)
        assert not marker.exists(), name
        assert told.get("failed") or "user.exec" in str(told), (name, told)
    source = tmp_path / "wecs.kubestellar.yml"
    source.write_text(
        f"plugin: kubestellar.core.wecs\nkubeconfig: {stack.kubeconfig}\ncontext: hub\nitses: [{{name: wds1}}]\n"
    )
    stack.run(["ansible-inventory", "-i", str(source), "--list", "--playbook-dir", str(CHECKOUT)])
    assert not marker.exists()
