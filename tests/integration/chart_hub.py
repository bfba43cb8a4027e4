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
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3
import yaml
from ansible_collections.kubestellar.core.plugins.module_utils import _resources
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils.embedded import clusters, kwok, processes
from ansible_collections.kubestellar.core.plugins.module_utils.embedded.home import State
from ansible_collections.kubestellar.core.plugins.module_utils.embedded.supervisor import Supervisor
from ansible_collections.kubestellar.core.tests.waiting import eventually

from .running import CHECKOUT, Running, assert_ok

HOSTING = CHECKOUT / "tests" / "integration" / "chart" / "hosting.yml"
ONE = {"hub_itses": [{"name": "its1", "type": "host"}], "hub_wdses": [{"name": "wds1"}]}
BARE = "bare"
"""The state of a hosting cluster with the KubeFlex manager and nothing of the chart."""
_OWN = ("kube-apiserver/", "kube-controller-manager/", "kube-scheduler/", "kwok", "kubeflex-manager/")
"""Who writes to the hosting cluster unasked, as a user agent begins."""
_PASSING = (b"/registry/events/", b"/registry/leases/", b"/registry/masterleases/")
"""What belongs to no state."""
_AT_ONCE = 100
_LONG_LOG = 10_000_000

Begin = Callable[[str, Callable[[], object]], None]
"""How a fixture begins with a state of its own name, which is made on its first use."""


class Hosting:
    """The hosting cluster, and what its etcd held in states that it can go back to."""

    def __init__(self, running: Running) -> None:
        self.running = running
        self.state = ""
        self._mark = 0

    @property
    def states(self) -> set[str]:
        """The states that it can go back to."""
        return {path.stem for path in self._folder.glob("*.json")}

    def set_up(self) -> None:
        """Run the cluster and the KubeFlex manager, from what a session before this one has kept on."""
        kept = self.states
        for name in kept - {BARE}:
            self._path(name).unlink()
        assert_ok(self.running.run(self.running.arguments(HOSTING), timeout=900))
        if BARE in kept:
            self._load(BARE)
        self.save(BARE)

    def save(self, name: str) -> None:
        """Be able to go back to what is there now."""
        self._folder.mkdir(exist_ok=True)
        self._path(name).write_text(json.dumps(self._held()))
        self._is(name)

    def bring_to(self, name: str) -> None:
        """Be in this state: it is restored, unless nothing was written since it was."""
        if self.state != name or self._written():
            self._load(name)

    def _load(self, name: str) -> None:
        """Give etcd back what it held, while nothing runs that would answer to the changes."""
        stack, control = self.running.stack, Supervisor(self.running.stack)
        (manager,) = (program for program in control.states() or {} if program.startswith("kubeflex-manager"))
        wanted, server = json.loads(self._path(name).read_text()), control._rpc().supervisor
        with stack.starting(Progress(None)):
            server.stopProcess(manager, True)
            running = kwok.components(stack, "hub")
            log = stack.cluster("hub") / "logs" / "audit.log"
            # Before the API server begins another one, and what `mark` says is wrong.
            worn = log.stat().st_size > _LONG_LOG
            keep = {"etcd"} if worn else {"etcd", "kube-apiserver"}
            processes.stop([process for part, process in running.items() if part not in keep], grace=0)
            if worn:
                log.unlink()
            eventually(lambda: self._give_back(wanted), every=0)
            kwok.start(stack, "hub", stack.bin.resolve())
            clusters.wait_ready(stack, "hub")
        server.startProcess(manager, False)
        self._is(name)

    def _give_back(self, wanted: Mapping[str, str]) -> bool:
        """Put what differs, delete what is too much; whether there was nothing of it."""
        held = self._held()
        changes: list[dict[str, Any]] = [
            {"requestPut": {"key": key, "value": value}}
            for key, value in wanted.items()
            if held.get(key) != value
        ]
        changes += [{"requestDeleteRange": {"key": key}} for key in held.keys() - wanted.keys()]
        for first in range(0, len(changes), _AT_ONCE):
            self._ask("txn", {"success": changes[first : first + _AT_ONCE]})
        return not changes

    def _held(self) -> dict[str, str]:
        """All keys with their values, encoded."""
        found = self._ask("range", {"key": encoded(b"/registry/"), "range_end": encoded(b"/registry0")})
        return {
            entry["key"]: entry["value"]
            for entry in found["kvs"]
            if not base64.b64decode(entry["key"]).startswith(_PASSING)
        }

    def _ask(self, what: str, body: dict[str, Any]) -> dict[str, Any]:
        """Ask etcd."""
        port = State.load(self.running.stack).ports["hub/etcd"]
        url = f"http://127.0.0.1:{port}/v3/kv/{what}"
        answer = urllib3.PoolManager().request("POST", url, body=json.dumps(body), retries=False)
        assert answer.status == 200, answer.data
        return dict(json.loads(answer.data))

    def _is(self, name: str) -> None:
        self.state, self._mark = name, self.running.audited("hub")

    def _written(self) -> bool:
        """Whether anybody has written who does not do so unasked."""
        return any(
            not event.get("userAgent", "").startswith(_OWN) and "dryRun=All" not in event["requestURI"]
            for event in self.running.audit("hub", self._mark)
        )

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"

    @property
    def _folder(self) -> Path:
        return self.running.stack.folder / "states"


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
