# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A hub by KubeStellar's core chart on an existing cluster, for tests: real chart, helm, API server and KubeFlex manager.

Only what runs inside Pods is simulated. So the API servers of spaces of type `k8s` are not there; those of type `host` are the
hosting cluster itself.

There is one hosting cluster for all tests of a session. Before a test, it goes back to the state that the test begins with, unless
nothing was written since it was in it.
"""

from __future__ import annotations

import base64
import contextlib
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.kubestellar.core.plugins.module_utils import _resources
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils.embedded import clusters, kwok, processes
from ansible_collections.kubestellar.core.plugins.module_utils.embedded.supervisor import Supervisor
from ansible_collections.kubestellar.core.tests.waiting import eventually

from .running import CHECKOUT, Running, assert_ok

HOSTING = CHECKOUT / "tests" / "integration" / "chart" / "hosting.yml"
ONE = {"hub_itses": [{"name": "its1", "type": "host"}], "hub_wdses": [{"name": "wds1"}]}
BARE = "bare"
"""The state of a hosting cluster with the KubeFlex manager and nothing of the chart."""
_OWN = ("kube-apiserver/", "kube-controller-manager/", "kube-scheduler/", "kwok", "kubeflex-manager/")
"""Who writes to the hosting cluster unasked, as a user agent begins."""
_MANAGER = "kubeflex-manager"

Begin = Callable[[str, Callable[[], object]], None]
"""How a fixture begins with a state of its own name, which is made on its first use."""


class Hosting:
    """The hosting cluster, and copies of what its etcd held, by the name of the state."""

    def __init__(self, running: Running) -> None:
        self.running = running
        self.state = ""
        self._mark = 0

    @property
    def states(self) -> set[str]:
        """The states that it can go back to."""
        return {folder.name for folder in self._saved.glob("*")}

    def set_up(self) -> None:
        """Run the cluster and the KubeFlex manager, from what a session before this one has kept on."""
        for name in self.states - {BARE}:
            shutil.rmtree(self._saved / name)
        if self.states:
            self._load(BARE)
        assert_ok(self.running.run(self.running.arguments(HOSTING), timeout=900))
        self.save(BARE)

    def save(self, name: str) -> None:
        """Be able to go back to what is there now."""

        def copy() -> None:
            shutil.rmtree(self._saved / name, ignore_errors=True)
            self._saved.mkdir(exist_ok=True)
            _copy(self._data, self._saved / name)

        self._while_stopped(copy)
        self._is(name)

    def bring_to(self, name: str) -> None:
        """Be in this state: it is restored, unless nothing was written since it was."""
        if self.state != name or self._written():
            self._load(name)

    def _load(self, name: str) -> None:
        def copy() -> None:
            shutil.rmtree(self._data)
            _copy(self._saved / name, self._data)

        self._while_stopped(copy)
        self._is(name)

    def _is(self, name: str) -> None:
        self.state, self._mark = name, self.running.audited("hub")

    def _written(self) -> bool:
        """Whether anybody has written who does not do so unasked."""
        return any(
            not event.get("userAgent", "").startswith(_OWN) and "dryRun=All" not in event["requestURI"]
            for event in self.running.audit("hub", self._mark)
        )

    def _while_stopped(self, work: Callable[[], None]) -> None:
        """Do something while neither the cluster nor what watches it runs: what they know of it may be wrong afterwards."""
        stack = self.running.stack
        supervisor = Supervisor(stack)._rpc().supervisor
        with stack.starting(Progress(None)):
            (program,) = (name for name in Supervisor(stack).states() or {} if name.startswith(_MANAGER))
            supervisor.stopProcess(program, True)
            # Without grace: what they have written is in the page cache, and nobody waits for more of it.
            processes.stop(list(kwok.components(stack, "hub").values()), grace=0)
            work()
            # From here on, marks count anew.
            (stack.cluster("hub") / "logs" / "audit.log").unlink(missing_ok=True)
            kwok.start(stack, "hub", stack.bin.resolve())
            clusters.wait_ready(stack, "hub")
        supervisor.startProcess(program, True)
        eventually((stack.cluster("hub") / "logs" / "audit.log").exists)

    @property
    def _data(self) -> Path:
        return self.running.stack.cluster("hub") / "etcd"

    @property
    def _saved(self) -> Path:
        return self.running.stack.folder / "states"


def _copy(source: Path, target: Path) -> None:
    """A copy of a folder. Most of what etcd keeps is room for later, and no copy of `shutil` leaves it out."""
    subprocess.run(["cp", "-a", "--sparse=always", str(source), str(target)], check=True)


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

    def define_kinds(self) -> None:
        """What KubeStellar's controller-manager, which is only simulated, would define in a WDS, without its schemas."""
        for kind in _resources.WDS_KINDS:
            schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
            served = {
                "name": kind.version,
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": schema},
            }
            definition = {
                "apiVersion": _resources.CRDS.api_version,
                "kind": _resources.CRDS.kind,
                "metadata": {"name": f"{kind.plural}.{kind.group}"},
                "spec": {
                    "group": kind.group,
                    "names": {"plural": kind.plural, "kind": kind.kind},
                    "scope": "Namespaced" if kind.namespaced else "Cluster",
                    "versions": [served],
                },
            }
            self.cluster.apply(_resources.CRDS, definition)

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

    def run(self, playbook: str | Path, *extra: str, **variables: Any) -> subprocess.CompletedProcess[str]:
        """Run a playbook on this hub: one of the checkout by its name, or any by its path."""
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
        return self._start(self.running.arguments(playbook, *extra, inventory=inventory))

    def lay_down_chart(self) -> Path:
        """Make a copy of the core chart with the chart that it depends on in it; its folder."""
        charts = self.running.stack.bin.resolve().parent / "charts"
        chart = self.folder / "core-chart"
        shutil.copytree(charts / "core-chart", chart)
        shutil.copytree(charts / "kubeflex-operator", chart / "charts" / "kubeflex-operator")
        self.set_version("0.30.0")
        return chart

    def set_version(self, version: str, **values: Any) -> None:
        """Make the chart one of this version. :param values: defaults of the chart that are others in it."""
        chart = self.folder / "core-chart"
        content = yaml.safe_load((chart / "Chart.yaml").read_text())
        kubeflex = yaml.safe_load((chart / "charts" / "kubeflex-operator" / "Chart.yaml").read_text())
        (dependency,) = (entry for entry in content["dependencies"] if entry["name"] == "kubeflex-operator")
        content["dependencies"] = [{**dependency, "version": kubeflex["version"]}]
        content["version"] = content["appVersion"] = version
        (chart / "Chart.yaml").write_text(yaml.safe_dump(content))
        defaults = yaml.safe_load((chart / "values.yaml").read_text())
        (chart / "values.yaml").write_text(yaml.safe_dump({**defaults, **values}))

    def _start(self, arguments: list[str]) -> subprocess.CompletedProcess[str]:
        return self.running.run(arguments, timeout=900)

    def writes(self, since: int) -> list[str]:
        """The writes of helm and the collection since a mark, from the audit log."""
        return [
            f"{event['verb']} {event['requestURI']}"
            for event in self.running.audit("hub", since)
            if event.get("userAgent", "").startswith(("kubestellar.core", "Helm"))
            and "dryRun=All" not in event["requestURI"]
        ]

    def mark(self) -> int:
        """How far the cluster's audit log is now, for `writes`."""
        return self.running.audited("hub")

    def arguments_of(self, wds: str, deployment: str) -> list[str]:
        """All arguments of the containers of a controller, those of init containers first."""
        found = self.cluster.get(_resources.DEPLOYMENTS, deployment, f"{wds}-system")
        pod = found["spec"]["template"]["spec"]
        containers = [*(pod.get("initContainers") or []), *pod["containers"]]
        return [argument for container in containers for argument in container.get("args") or []]


def encoded(data: bytes) -> str:
    """Base64 as text."""
    return base64.b64encode(data).decode()


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
