# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hub by KubeStellar's core chart on an existing cluster: real chart, helm, API server and KubeFlex manager.

Only what runs inside Pods is simulated. So the API servers of spaces of type `k8s` are not there; those of type `host` are the
hosting cluster itself.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
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
