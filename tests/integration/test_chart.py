# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hub by KubeStellar's core chart on an existing cluster: real chart, helm, API server and KubeFlex manager.

Only what runs inside Pods is simulated. So the API servers of spaces of type `k8s` are not there; those of type `host` are the
hosting cluster itself.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.kubestellar.core.plugins.module_utils import _resources
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster

from .conftest import CHECKOUT, Running, assert_ok, destroy, make_stack

HOSTING = CHECKOUT / "tests" / "integration" / "chart" / "hosting.yml"
ONE = {"hub_itses": [{"name": "its1", "type": "host"}], "hub_wdses": [{"name": "wds1"}]}


@dataclass(frozen=True)
class Hub:
    """An existing cluster with a chart beside it, and an inventory that names both."""

    running: Running
    folder: Path

    @property
    def cluster(self) -> Cluster:
        """A client for the cluster."""
        return self.running.cluster("hub")

    @property
    def connection(self) -> dict[str, str]:
        """The connection options of modules."""
        return {"kubeconfig": self.running.kubeconfig, "context": "hub"}

    def planes(self) -> list[str]:
        """Names of the ControlPlanes."""
        return [plane["metadata"]["name"] for plane in self.cluster.list(_resources.CONTROL_PLANES).items]

    def variables(self, **more: Any) -> dict[str, Any]:
        """The variables of the hub."""
        return {
            "hub_provider": "existing",
            "hub_kubeconfig": self.running.kubeconfig,
            "hub_context": "hub",
            "hub_chart_ref": str(self.folder / "core-chart"),
            "hub_helm": str(self.running.stack.bin / "helm"),
            "hub_verify": "reachable",
            "hub_wait_timeout": 240,
            **ONE,
            **more,
        }

    def run(self, playbook: str, *extra: str, **variables: Any) -> subprocess.CompletedProcess[str]:
        """Run a playbook of the checkout on this hub."""
        inventory = self.folder / "hosts.yml"
        inventory.write_text(
            yaml.safe_dump(
                {
                    "all": {
                        "vars": {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
                    },
                    "kubestellar_hubs": {"hosts": {"hub": self.variables(**variables)}},
                }
            )
        )
        arguments = self.running.arguments(playbook, *extra)
        arguments[arguments.index("-i") + 1] = str(inventory)
        return self._start(arguments)

    def set_up(self) -> None:
        """Run the cluster and the KubeFlex manager, and lay the chart down."""
        arguments = self.running.arguments("hub")
        arguments[3] = str(HOSTING)
        assert_ok(self._start(arguments))
        charts = self.running.stack.bin.resolve().parent / "charts"
        chart = self.folder / "core-chart"
        shutil.copytree(charts / "core-chart", chart)
        shutil.copytree(charts / "kubeflex-operator", chart / "charts" / "kubeflex-operator")
        content = yaml.safe_load((chart / "Chart.yaml").read_text())
        kubeflex = yaml.safe_load((chart / "charts" / "kubeflex-operator" / "Chart.yaml").read_text())
        (dependency,) = (entry for entry in content["dependencies"] if entry["name"] == "kubeflex-operator")
        content["dependencies"] = [{**dependency, "version": kubeflex["version"]}]
        content["version"] = content["appVersion"] = "0.30.0"
        (chart / "Chart.yaml").write_text(yaml.safe_dump(content))

    def _start(self, arguments: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            arguments,
            cwd=CHECKOUT,
            env=self.running.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )

    def writes(self, since: int) -> list[str]:
        """The writes of helm and the collection since a mark, from the audit log."""
        lines = self.audit_log()[since:]
        events = [json.loads(line) for line in lines]
        return [
            f"{event['verb']} {event['requestURI']}"
            for event in events
            if event.get("userAgent", "").startswith(("kubestellar.core", "Helm"))
            and "dryRun=All" not in event["requestURI"]
        ]

    def audit_log(self) -> list[str]:
        """The lines of the cluster's audit log."""
        return (self.running.stack.cluster("hub") / "logs" / "audit.log").read_text().splitlines()

    def arguments_of(self, wds: str, deployment: str) -> list[str]:
        """All arguments of the containers of a controller, those of init containers first."""
        found = self.cluster.get(_resources.DEPLOYMENTS, deployment, f"{wds}-system")
        pod = found["spec"]["template"]["spec"]
        containers = [*(pod.get("initContainers") or []), *pod["containers"]]
        return [argument for container in containers for argument in container.get("args") or []]


def wait_for(condition: Callable[[], bool], seconds: float = 90) -> None:
    """Fail unless the condition comes true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.3)


def encoded(data: bytes) -> str:
    """Base64 as text."""
    return base64.b64encode(data).decode()


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub with one ITS and one WDS, set up by hub.yml."""
    name = os.environ.get("KUBESTELLAR_TEST_STACK", "test") + "-chart"
    made = Hub(make_stack(name), tmp_path_factory.mktemp("chart"))
    made.set_up()
    yield made
    if "KUBESTELLAR_TEST_KEEP" not in os.environ:
        destroy(made.running)


@pytest.fixture(scope="module")
def installed(hub: Hub) -> Hub:
    """The same with the chart installed."""
    done = hub.run("hub")
    assert_ok(done)
    return hub


def test_a_check_run_before_the_hub_is_there_forecasts_it_and_writes_nothing(hub):
    mark = len(hub.audit_log())
    assert assert_ok(hub.run("hub", "--check"))["hub"]["changed"] == 1
    assert hub.writes(mark) == [] and hub.planes() == []


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


def test_a_second_run_changes_nothing_and_sends_no_write(installed):
    mark = len(installed.audit_log())
    counters = assert_ok(installed.run("hub"))
    assert counters["hub"]["changed"] == 0
    assert installed.writes(mark) == []


def test_a_check_run_on_the_hub_forecasts_nothing_and_writes_nothing(installed):
    mark = len(installed.audit_log())
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
    assert assert_ok(installed.run("hub", **change))["hub"]["changed"] == 0
    assert_ok(installed.run("hub"))
    assert "--api-groups=" in installed.arguments_of("wds1", "kubestellar-controller-manager")


TWO = {
    "hub_itses": [{"name": "its1", "type": "host"}, {"name": "its2", "type": "host"}],
    "hub_wdses": [{"name": "wds1", "its": "its1"}, {"name": "wds2", "its": "its2"}],
}


def test_two_wdses_are_bound_each_to_its_own_its_and_nothing_else_is_touched(installed):
    before = installed.cluster.get(_resources.DEPLOYMENTS, "transport-controller", "wds1-system")
    assert_ok(installed.run("hub", **TWO))
    for wds, its in (("wds1", "its1"), ("wds2", "its2")):
        transport = installed.arguments_of(wds, "transport-controller")
        assert transport[:2] == ["--control-plane-name", its]
        assert "--control-plane-label-selector" not in transport
        assert f"--its-name={its}" in installed.arguments_of(wds, "kubestellar-controller-manager")
    after = installed.cluster.get(_resources.DEPLOYMENTS, "transport-controller", "wds1-system")
    assert after["metadata"]["generation"] == before["metadata"]["generation"]
    mark = len(installed.audit_log())
    assert assert_ok(installed.run("hub", **TWO))["hub"]["changed"] == 0
    assert installed.writes(mark) == []


def test_a_space_that_is_no_longer_listed_is_deleted_only_if_that_is_meant(installed):
    mark = len(installed.audit_log())
    done = installed.run("hub")
    assert done.returncode != 0
    output = " ".join(done.stdout.split())
    assert "the release ks-core has the ControlPlanes its2, wds2" in output and "hub_remove_spaces" in output
    assert installed.writes(mark) == []
    assert_ok(installed.run("hub", hub_remove_spaces=True))
    wait_for(lambda: sorted(installed.planes()) == ["its1", "wds1"])


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


# -- faults ----------------------------------------------------------------------------------------------------------

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


@contextlib.contextmanager
def pods_get(hub: Hub, namespace: str, status: dict[str, Any]) -> Iterator[None]:
    """Whatever Pod of the namespace waits for a node gets this status."""
    stopped = threading.Event()

    def work() -> None:
        while not stopped.wait(0.3):
            for pod in hub.cluster.list(_resources.PODS, namespace).items:
                now = pod["status"]
                if (now.get("phase"), now.get("containerStatuses")) == ("Pending", None):
                    name = pod["metadata"]["name"]
                    hub.cluster.patch(
                        _resources.PODS, name, namespace, {"status": status}, subresource="status"
                    )

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def container(name: str, state: dict[str, Any]) -> dict[str, Any]:
    """A container's status."""
    return {"name": name, "image": "i", "imageID": "", "ready": False, "restartCount": 0, "state": state}


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


# -- the end ---------------------------------------------------------------------------------------------------------


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
