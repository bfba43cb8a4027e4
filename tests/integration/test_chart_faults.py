# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps a hub by the core chart from getting ready, and what the wait for it says and does."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _resources

from .chart_hub import Hub, container, pods_get, wait_for

HOOK_VARIABLES = {"ITSSecretName": "admin-kubeconfig", "ITSSecretKey": "kubeconfig-incluster"}
HOOKS = [{"name": name, "vars": HOOK_VARIABLES} for name in ("its-hub-init", "install-status-addon")]


@pytest.fixture
def no_room(installed: Hub) -> Iterator[Callable[[], None]]:
    """No node takes a Pod, so that tests decide the status of Pods; calling it ends that."""

    def set_unschedulable(value: bool | None) -> None:
        for number in (1, 2):
            installed.cluster.patch(
                _resources.NODES, f"hub-node-{number}", None, {"spec": {"unschedulable": value}}
            )

    set_unschedulable(True)
    yield lambda: set_unschedulable(None)
    set_unschedulable(None)


@pytest.fixture
def new_its(installed: Hub, module) -> Iterator[dict[str, Any]]:
    """A further ITS, made but not waited for: the options of hub_ready for it alone."""
    options = {**installed.connection, "name": "its9", "role": "its"}
    module("control_plane", **options, type="host", hooks=HOOKS, wait=False)
    yield {**installed.connection, "itses": [{"name": "its9"}], "wait_timeout": 200, "patience": 5}
    module("control_plane", **installed.connection, name="its9", state="absent")
    wait_for(lambda: installed.cluster.get(_resources.NAMESPACES, "its9-system") is None)


def test_a_job_that_fails_is_run_again_once_and_then_named(installed, no_room, new_its, module):
    ended = {"terminated": {"exitCode": 7, "reason": "Error", "message": "no such host"}}
    status = {"phase": "Failed", "containerStatuses": [container("c", ended)]}
    with pods_get(installed, "its9-system", status):
        made = module("hub_ready", **new_its)
    assert made["failed"] and made["changed"]
    assert re.search(
        r"hub: Job its9-system/(its-hub-init|install-status-addon): It has failed for good", made["msg"]
    )
    assert "container c ended with exit code 7: no such host" in made["msg"]
    assert "delete the Job" in made["msg"]
    assert made["repairs"] and all("deleted the Job its9-system/" in text for text in made["repairs"])
    no_room()
    made = module("hub_ready", **new_its)
    assert not made.get("failed"), (made["msg"], made["repairs"], made["missing"], made["findings"])
    assert made["repairs"] and made["objects"][0]["ready"]
    assert module("hub_ready", **new_its)["changed"] is False


def test_among_several_itses_kubeflex_itself_makes_controllers_right_that_are_not_there_yet(
    installed, no_room, module
):
    """A transport controller as the chart makes it would never get ready, and its Deployment is KubeFlex's until it is."""
    secret = {"WDSSecretName": "admin-kubeconfig", "WDSSecretKey": "kubeconfig-incluster"}
    hooks = [
        {"name": "kubestellar-controller", "vars": {"APIGroups": "", "ITSName": ""}},
        {"name": "transport-controller", "vars": {**secret, "ITSName": ""}},
    ]
    spaces = [
        {"name": "its7", "role": "its", "type": "host"},
        {"name": "wds7", "role": "wds", "type": "host", "hooks": hooks},
    ]
    module("control_plane", **installed.connection, spaces=spaces, wait=False)
    seen: list[list[str]] = []

    def let_it_run_when_it_is_right() -> None:
        wait_for(
            lambda: (
                installed.cluster.get(_resources.DEPLOYMENTS, "transport-controller", "wds7-system")
                is not None
            )
        )
        wait_for(
            lambda: (
                installed.arguments_of("wds7", "transport-controller")[:2] == ["--control-plane-name", "its7"]
            )
        )
        seen.append(installed.arguments_of("wds7", "kubestellar-controller-manager"))
        no_room()

    thread = threading.Thread(target=let_it_run_when_it_is_right, daemon=True)
    thread.start()
    try:
        options = {
            **installed.connection,
            "itses": [{"name": "its1"}, {"name": "its7", "install_ocm": False}],
            "wdses": [{"name": "wds7", "its": "its7"}],
            "limits": {"controller_qps": 900, "controller_burst": 1800},
            "verify": "none",
            "patience": 100,
        }
        made = module("hub_ready", **options, _diff=True)
        assert not made.get("failed"), made["msg"]
        thread.join(timeout=10)
        assert "--its-name=its7" in seen[0]
        assert any("PostCreateHook transport-controller" in entry["before_header"] for entry in made["diff"])
        assert made["its_name_bug"] is False
        for deployment in ("transport-controller", "kubestellar-controller-manager"):
            assert "--wds-qps=900" in installed.arguments_of("wds7", deployment)
        assert module("hub_ready", **options)["changed"] is False
    finally:
        no_room()
        module("control_plane", **installed.connection, spaces=spaces, state="absent")


def test_an_image_that_cannot_be_pulled_ends_the_wait_within_seconds(installed, no_room, new_its, module):
    state = {"waiting": {"reason": "ImagePullBackOff", "message": "denied: no such repository"}}
    status = {"containerStatuses": [container("its-hub-init-clusteradm", state)]}
    with pods_get(installed, "its9-system", status):
        begin = time.monotonic()
        made = module("hub_ready", **new_its)
        took = time.monotonic() - begin
    assert made["failed"] and took < 40
    assert "Pod its9-system/" in made["msg"] and "denied: no such repository" in made["msg"]
    assert "registry access" in made["hint"]
    assert {finding["id"] for finding in made["findings"]} == {"pod-image"}


def test_a_hook_that_does_not_exist_ends_the_wait_at_once(installed, module):
    options = {**installed.connection, "name": "its8", "role": "its"}
    module("control_plane", **options, type="host", hooks=[{"name": "misspelt", "vars": {}}], wait=False)
    try:
        made = module(
            "hub_ready", **installed.connection, itses=[{"name": "its8"}], patience=3, wait_timeout=60
        )
        assert made["failed"]
        assert "ControlPlane its8: It names the PostCreateHook misspelt, which does not exist" in made["msg"]
    finally:
        module("control_plane", **options, state="absent")
