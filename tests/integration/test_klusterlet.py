# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real clusters join the real stack: OCM's own chart rendered by helm, OCM's own operator, its own agent.

Of the two further clusters of the stack, only what runs inside Pods is simulated. Beside the simulated Pods of operator and agent run
their programs: the operator looks at the cluster itself, and the agent joins with what the operator and the module have written there.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
import yaml
from ansible_collections.kubestellar.core.plugins.module_utils import _resources
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils.embedded.ports import is_free
from ansible_collections.kubestellar.core.tests import recorder
from ansible_collections.kubestellar.core.tests.waiting import eventually

from .running import Running, assert_ok
from .test_providers import admin_token, whole

NAMESPACE, ADDONS, OPERATORS = (
    "open-cluster-management-agent",
    "open-cluster-management-agent-addon",
    "open-cluster-management",
)
AGENT = "klusterlet-agent"
REAL = ("edge1", "edge2")

Result = TypeVar("Result")


def secret(cluster: Cluster, name: str) -> dict[str, str]:
    """The data of a Secret of the agent, as text; empty if it is not there."""
    found = cluster.get(_resources.SECRETS, name, NAMESPACE) or {}
    return {key: base64.b64decode(value).decode() for key, value in (found.get("data") or {}).items()}


def deployed_arguments(cluster: Cluster) -> list[str]:
    """The command line of the agent that the operator has deployed; empty if it has not."""
    found = cluster.get(_resources.DEPLOYMENTS, AGENT, NAMESPACE)
    return list(found["spec"]["template"]["spec"]["containers"][0]["args"]) if found else []


def left_of_ocm(cluster: Cluster) -> list[str]:
    """The Namespaces and definitions of OCM in a cluster."""
    spaces = [name for name in (NAMESPACE, ADDONS, OPERATORS) if cluster.get(_resources.NAMESPACES, name)]
    kinds = [crd["metadata"]["name"] for crd in cluster.list(_resources.CRDS).items]
    return [*spaces, *(name for name in kinds if "open-cluster-management" in name)]


@dataclass
class Programs:
    """OCM's operator and agents, run as what the simulated Pods stand for."""

    stack: Running
    folder: Path
    running: dict[tuple[str, str], subprocess.Popen[bytes]] = field(default_factory=dict)
    port: int = 24100

    def ensure(self, name: str) -> None:
        """Run both for a cluster that has joined."""
        if ("klusterlet", name) not in self.running:
            self.operator(name)
        if ("agent", name) not in self.running:
            self.agent(name)

    def operator(self, name: str) -> subprocess.Popen[bytes]:
        """OCM's klusterlet operator on a cluster, once that has a Klusterlet."""
        cluster = self.stack.cluster(name)
        eventually(lambda: cluster.get(_resources.KLUSTERLETS, "klusterlet") is not None)
        return self._start(name, "klusterlet", f"--namespace={OPERATORS}")

    def agent(self, name: str) -> subprocess.Popen[bytes]:
        """The agent, with the arguments and Secrets with which the operator has deployed it."""
        cluster, folder = self.stack.cluster(name), self.folder / name
        shutil.rmtree(folder, ignore_errors=True)  # as a new Pod
        eventually(lambda: bool(deployed_arguments(cluster) and secret(cluster, "bootstrap-hub-kubeconfig")))
        (folder / "bootstrap").mkdir(parents=True, exist_ok=True)
        for key, text in secret(cluster, "bootstrap-hub-kubeconfig").items():
            (folder / "bootstrap" / key).write_text(text)
        mine = [
            text.replace("/spoke/", f"{folder}/")
            for text in deployed_arguments(cluster)
            if not text.startswith(("/registration-operator", "agent"))
        ]
        directory = f"--hub-kubeconfig-dir={folder / 'hub-kubeconfig'}"
        return self._start(name, "agent", f"--namespace={NAMESPACE}", directory, *mine)

    def _start(self, name: str, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        while not is_free(self.port):
            self.port += 1
        command = [
            str(self.stack.stack.bin / "registration-operator"),
            program,
            f"--kubeconfig={self.stack.stack.run / 'kubeconfigs' / name}",
            "--disable-leader-election",
            f"--listen=127.0.0.1:{self.port}",
            *arguments,
        ]
        self.port += 1
        with open(self.folder / f"{program}-{name}.log", "ab") as log:
            started = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=self.folder
            )
        self.running[program, name] = started
        return started

    def stop(self, *keys: tuple[str, str]) -> None:
        """End some of them, or all. :param keys: program and cluster."""
        for key in keys or tuple(self.running):
            program = self.running.pop(key)
            program.kill()
            program.wait(timeout=30)


@pytest.fixture(scope="module")
def programs(stack: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    """Two clusters of the stack that have nothing of OCM."""
    folder = tmp_path_factory.mktemp("klusterlet")
    made = Programs(stack, folder)
    clusters = [{"name": name, "role": "wec", "nodes": 1} for name in REAL]
    of_stack = {"home": str(stack.stack.home), "stack": stack.stack.name, "clusters": clusters}
    connection = {"kubeconfig": stack.kubeconfig, "context": "hub", "its": "its1"}
    tasks(
        stack,
        folder,
        {"kubestellar.core.embedded_cluster": {**of_stack, "binaries": str(stack.stack.bin.resolve())}},
    )
    try:
        yield made
    finally:
        made.stop()
        tasks(
            stack,
            folder,
            {
                "kubestellar.core.managed_cluster": {
                    **connection,
                    "names": REAL,
                    "state": "absent",
                    "force": True,
                }
            },
            {"kubestellar.core.embedded_cluster": {**of_stack, "state": "absent"}},
        )


def tasks(stack: Running, folder: Path, *entries: dict[str, Any]) -> None:
    """Run these tasks on the hub of the stack."""
    play = folder / "tasks.yml"
    play.write_text(
        yaml.safe_dump([{"hosts": "kubestellar_hubs", "gather_facts": False, "tasks": list(entries)}])
    )
    assert_ok(stack.playbook(play, timeout=300))


@dataclass
class Site:
    """An inventory with real clusters beside the embedded hub, and how it is run."""

    programs: Programs
    folder: Path
    variables: dict[str, Any]

    def run(
        self,
        *extra: str,
        playbook: str = "wecs",
        environment: dict[str, str] | None = None,
        **wecs: dict[str, Any],
    ) -> subprocess.CompletedProcess[str]:
        """Run a playbook for some WECs. :param wecs: name to further variables."""
        path = self.folder / "hosts.yml"
        hosts = {name: {**self.variables, **variables} for name, variables in wecs.items()}
        path.write_text(
            yaml.safe_dump(
                {
                    "all": {
                        "vars": {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
                    },
                    "kubestellar_hubs": {"hosts": {"hub": {}}},
                    "kubestellar_wecs": {"hosts": hosts},
                }
            )
        )
        stack = self.programs.stack
        return stack.run(stack.arguments(playbook, *extra, inventory=path), **(environment or {}))


@pytest.fixture
def site(programs: Programs, tmp_path: Path) -> Site:
    """The inventory. The hub is on the loopback, where the agents of these tests are too, and Pods would not be."""
    stack = programs.stack
    charts = stack.stack.bin.resolve().parent / "charts" / "klusterlet" / "klusterlet"
    return Site(
        programs,
        tmp_path,
        {
            "wec_provider": "existing",
            "wec_kubeconfig": stack.kubeconfig,
            "wec_hub_endpoint": stack.cluster("its1").server,
            "wec_klusterlet_chart_ref": str(charts),
            "wec_klusterlet_helm": str(stack.stack.bin / "helm"),
            "wec_wait_timeout": 120,
        },
    )


def empty(programs: Programs, module: Callable[..., dict[str, Any]], *names: str) -> None:
    """Let clusters have nothing of OCM, and the hub not know them."""
    stack = programs.stack
    connection = {"kubeconfig": stack.kubeconfig, "context": "hub", "its": "its1"}
    for name in names:
        cluster = stack.cluster(name)
        if left_of_ocm(cluster):
            # Only the operator lets a Klusterlet go.
            there = cluster.get(_resources.KLUSTERLETS, "klusterlet") is not None
            if there and ("klusterlet", name) not in programs.running:
                programs.operator(name)
            entry = {"name": name, "kubeconfig": stack.kubeconfig, "context": name}
            made = module("klusterlet", clusters=[entry], state="absent")
            assert not made.get("failed"), made
        for key in tuple(programs.running):
            if key[1] == name:
                programs.stop(key)
    made = module("managed_cluster", **connection, names=names, state="absent", force=True)
    assert not made.get("failed"), made


def be_members(
    programs: Programs, site: Site, module: Callable[..., dict[str, Any]], *names: str
) -> dict[str, dict[str, Any]]:
    """Let clusters be of the hub, with operator and agent at work; their hosts in the inventory."""
    its = programs.stack.cluster("its1")
    wecs = {name: {"wec_context": name, "wec_labels": {"kind": "real"}} for name in names}
    clusters = {name: programs.stack.cluster(name) for name in names}
    strange = [
        name
        for name in names
        if its.get(_resources.MANAGED_CLUSTERS, name) is None
        or not secret(clusters[name], "hub-kubeconfig-secret").get("tls.crt")
    ]
    if strange:
        empty(programs, module, *strange)
        joining = _in_background(lambda: site.run(**{name: wecs[name] for name in strange}))
        for name in strange:
            programs.operator(name)
        for name in strange:
            programs.agent(name)
        assert_ok(joining())
    for name in names:
        programs.ensure(name)
        eventually(
            lambda cluster=clusters[name]: bool(secret(cluster, "hub-kubeconfig-secret").get("tls.crt"))
        )
    return wecs


def said(done: subprocess.CompletedProcess[str]) -> str:
    """The output in one line."""
    return " ".join((done.stdout + done.stderr).split())


@pytest.mark.core
def test_a_real_cluster_joins_beside_one_that_is_lost_and_one_that_leads_elsewhere(
    programs: Programs, site: Site, module: Callable[..., dict[str, Any]]
):
    empty(programs, module, *REAL)
    stack = programs.stack
    its, edge1 = stack.cluster("its1"), stack.cluster("edge1")
    wecs = {name: {"wec_context": name, "wec_labels": {"kind": "real"}} for name in REAL}

    # Beforehand, nothing is written, and what would be is said.
    mark = stack.mark(*REAL)
    done = site.run("--check", "--diff", **wecs)
    assert_ok(done)
    assert "kind: Klusterlet" in done.stdout and stack.writes_since(mark) == []

    # A cluster that cannot be reached does not stop the others; one that leads elsewhere is not touched.
    lost = {"wec_kubeconfig": str(site.folder / "lost.kubeconfig"), "wec_context": "lost"}
    content = whole(stack.kubeconfig, "edge1")
    content["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    content["contexts"][0]["name"] = "lost"
    Path(lost["wec_kubeconfig"]).write_text(json.dumps(content))
    wrong = {f"on-{name}": {"wec_context": name} for name in ("hub", "its1", "wds1")}
    started = time.monotonic()
    joining = _in_background(lambda: site.run(edge1=wecs["edge1"], lost=lost, **wrong))
    programs.operator("edge1")
    programs.agent("edge1")
    done = joining()
    assert done.returncode, done.stdout
    text = said(done)
    assert "lost: cannot read the Namespace kube-system: no answer" in text
    assert "on-hub: its connection leads to the hub itself" in text
    assert "on-its1: its connection leads to the hub itself" in text
    assert "on-wds1: its connection leads to wds1, a WDS of the hub" in text
    assert its.get(_resources.MANAGED_CLUSTERS, "edge1")["metadata"]["labels"]["kind"] == "real"
    assert its.get(_resources.MANAGED_CLUSTERS, "lost") is None
    for name in ("hub", "its1", "wds1"):
        assert stack.cluster(name).get(_resources.NAMESPACES, NAMESPACE) is None
    assert time.monotonic() - started < 150
    token = yaml.safe_load(secret(edge1, "bootstrap-hub-kubeconfig")["kubeconfig"])["users"][0]["user"][
        "token"
    ]
    assert token not in done.stdout + done.stderr
    limits = [argument for argument in deployed_arguments(edge1) if "kube-api" in argument]
    assert sorted(limits) == [
        "--hub-kube-api-burst=1000",
        "--hub-kube-api-qps=500",
        "--kube-api-burst=1000",
        "--kube-api-qps=500",
    ]


def test_real_clusters_stay_as_they_are_and_leave(
    programs: Programs, site: Site, module: Callable[..., dict[str, Any]]
):
    stack, edge1 = programs.stack, programs.stack.cluster("edge1")
    wecs = be_members(programs, site, module, *REAL)

    # A further run writes nothing anywhere.
    mark = stack.mark(*REAL)
    assert assert_ok(site.run(**wecs))["edge1"]["changed"] == 0
    assert stack.writes_since(mark) == []

    # Neither does another name, another mode, or one cluster that is named twice.
    for other, sentence in (
        ({"edge9": {"wec_context": "edge1"}}, "registers it as edge1, not as edge9"),
        (
            {"edge1": {**wecs["edge1"], "wec_klusterlet_mode": "Default"}},
            "has the mode Singleton, which cannot be changed",
        ),
        (
            {"edge1": wecs["edge1"], "twin": {"wec_context": "edge1"}},
            "leads to the same cluster as that of twin",
        ),
        (
            {"edge1": {**wecs["edge1"], "wec_hub_endpoint": ""}},
            "its Pods cannot reach the hub at https://127.0.0.1",
        ),
    ):
        done = site.run(**other)
        assert done.returncode and sentence in said(done), done.stdout
    # Another hub has another address and another authority.
    bootstrap = _bootstrap(stack, site.folder / "other", "cluster1")
    entry = {"name": "edge1", "kubeconfig": stack.kubeconfig, "context": "edge1"}
    chart = {
        "chart_ref": site.variables["wec_klusterlet_chart_ref"],
        "helm": site.variables["wec_klusterlet_helm"],
    }
    server = stack.cluster("cluster1").server
    refused = module(
        "klusterlet", clusters=[{**entry, "endpoint": server}], bootstrap_kubeconfig=bootstrap, **chart
    )
    assert refused["failed"] and "it belongs to the hub at" in refused["msg"]
    assert stack.writes_since(mark) == []

    # It is not removed while something delivered is there.
    work = {
        "apiVersion": "work.open-cluster-management.io/v1",
        "kind": "AppliedManifestWork",
        "metadata": {"name": "delivered"},
        "spec": {
            "hubHash": "x",
            "manifestWorkName": "x",
            "agentID": edge1.get(_resources.KLUSTERLETS, "klusterlet")["metadata"]["uid"],
        },
    }
    edge1.create(_resources.APPLIED_MANIFEST_WORKS, work)
    refused = module("klusterlet", clusters=[entry], state="absent")
    assert "1 AppliedManifestWork of its hub is still there (delivered)" in refused["msg"]
    edge1.delete(_resources.APPLIED_MANIFEST_WORKS, "delivered")

    # Removed, it has nothing of OCM any more, and can come back.
    programs.stop(("agent", "edge1"))
    mark = stack.mark(*REAL)
    forecast = module("klusterlet", clusters=[entry], state="absent", _check=True, _diff=True)
    assert forecast["changed"] and stack.writes_since(mark) == []
    gone = module("klusterlet", clusters=[entry], state="absent", _diff=True)
    assert gone["clusters"][0]["method"] == "delete", gone
    assert left_of_ocm(edge1) == []
    assert module("klusterlet", clusters=[entry], state="absent")["changed"] is False


def _in_background(work: Callable[[], Result]) -> Callable[[], Result]:
    """Start something; its end is waited for by the result."""
    future = ThreadPoolExecutor(max_workers=1).submit(work)
    return lambda: future.result(timeout=420)


def _bootstrap(stack: Running, path: Path, context: str) -> str:
    """A private file with a bootstrap kubeconfig for one of the clusters."""
    content = whole(stack.kubeconfig, context)
    content["users"][0]["user"] = {"token": "none-that-counts"}
    content["current-context"] = "CONTEXT"
    path.write_text(json.dumps(content))
    path.chmod(0o600)
    return str(path)


def test_a_cluster_that_the_hub_has_forgotten_joins_again(
    programs: Programs, site: Site, module: Callable[..., dict[str, Any]]
):
    stack = programs.stack
    its, edge2 = stack.cluster("its1"), stack.cluster("edge2")
    wecs = be_members(programs, site, module, "edge2")
    before = secret(edge2, "hub-kubeconfig-secret")["tls.crt"]
    its.delete(_resources.MANAGED_CLUSTERS, "edge2")
    eventually(lambda: its.get(_resources.MANAGED_CLUSTERS, "edge2") is None)
    pods = {pod["metadata"]["uid"] for pod in edge2.list(_resources.PODS, NAMESPACE).items}
    joining = _in_background(lambda: site.run(**wecs))
    # The agent ends on a new credential; in its Pod is nothing of the old one.
    programs.running.pop(("agent", "edge2")).wait(timeout=120)
    programs.agent("edge2")
    assert_ok(joining())
    assert its.get(_resources.MANAGED_CLUSTERS, "edge2") is not None
    assert secret(edge2, "hub-kubeconfig-secret")["tls.crt"] != before
    assert not pods & {pod["metadata"]["uid"] for pod in edge2.list(_resources.PODS, NAMESPACE).items}


def test_with_two_agents_that_for_work_is_not_waited_for_before_the_cluster_is_accepted(
    programs: Programs, site: Site, module: Callable[..., dict[str, Any]], tmp_path: Path
):
    empty(programs, module, "edge1")
    stack, edge1 = programs.stack, programs.stack.cluster("edge1")
    connection = {"kubeconfig": stack.kubeconfig, "context": "hub", "its": "its1"}
    path = str(tmp_path / "bootstrap")
    made = module("join_credentials", **connection, dest=[path])
    entry = {"name": "edge3", "kubeconfig": stack.kubeconfig, "context": "edge1", "endpoint": made["server"]}
    variables = {
        "clusters": [entry],
        "mode": "Default",
        "bootstrap_kubeconfig": path,
        "chart_ref": site.variables["wec_klusterlet_chart_ref"],
        "helm": site.variables["wec_klusterlet_helm"],
        "image_registry": "registry.example.com/ocm",
        "wait_timeout": 90,
    }
    working = _in_background(lambda: module("klusterlet", **connection, **variables))
    programs.operator("edge1")
    done = working()
    assert not done.get("failed") and done["clusters"][0]["bootstrap_written"], done
    agents = {
        found["metadata"]["name"]: found for found in edge1.list(_resources.DEPLOYMENTS, NAMESPACE).items
    }
    assert agents["klusterlet-registration-agent"]["status"]["readyReplicas"] == 1
    assert agents["klusterlet-work-agent"]["spec"]["replicas"] == 0
    image = agents["klusterlet-registration-agent"]["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image == "registry.example.com/ocm/registration:v1.0.0"
    # A credential that the hub does not take is found out from inside the cluster.
    variables["bootstrap_kubeconfig"] = _bootstrap(stack, tmp_path / "wrong", "its1")
    done = module("klusterlet", **connection, **{**variables, "patience": 0})
    assert done.get("failed"), done
    assert "it does not get to the hub: " in done["msg"] and "join_credentials" in done["msg"], done["msg"]
    gone = module("klusterlet", clusters=[entry], state="absent", mode="Default")
    assert gone["changed"] and edge1.get(_resources.NAMESPACES, OPERATORS) is None


def test_clusters_of_other_providers_join_in_the_same_way(
    programs: Programs, site: Site, module: Callable[..., dict[str, Any]], tmp_path: Path
):
    stack = programs.stack
    cluster = stack.cluster("edge2")
    be_members(programs, site, module, "edge2")
    binaries = recorder.install(tmp_path, "kind", "k3d", "docker")
    (tmp_path / "kubeconfig").write_text(json.dumps(whole(stack.kubeconfig, "edge2")))
    environment = {
        "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
        # What a user may have in the environment must not matter: it leads nowhere.
        "KUBECONFIG": str(tmp_path / "users"),
        "K8S_AUTH_HOST": "https://127.0.0.1:1",
        "K8S_AUTH_API_KEY": "wrong-cluster",
    }
    nothing = {"wec_kubeconfig": "", "wec_context": "", "wec_labels": {"kind": "real"}}
    home = ("-e", f"kubestellar_home={stack.stack.home}")
    ours = stack.stack.home / "clusters"
    for tool in ("kind", "k3d"):
        mark = stack.mark(*REAL)
        kubeconfig = ours / f"{tool}-edge2" / "kubeconfig"
        variables = {**nothing, "wec_provider": tool}
        try:
            done = site.run("--check", *home, environment=environment, edge2=variables)
            assert assert_ok(done)["edge2"]["changed"] > 0
            assert (
                not any("create" in line for line in recorder.commands(tmp_path)) and not kubeconfig.exists()
            )
            done = site.run(*home, environment=environment, edge2=variables)
            assert assert_ok(done)["edge2"]["changed"] == 1
            assert any(
                line.startswith(f"{tool} ") and "create" in line for line in recorder.commands(tmp_path)
            )
            assert kubeconfig.stat().st_mode & 0o777 == 0o600
            done = site.run(*home, environment=environment, edge2=variables)
            assert assert_ok(done)["edge2"]["changed"] == 0
            assert stack.writes_since(mark) == []
        finally:
            shutil.rmtree(kubeconfig.parent, ignore_errors=True)
            (tmp_path / "calls.jsonl").unlink(missing_ok=True)
            (tmp_path / "state.json").unlink(missing_ok=True)

    token = admin_token(cluster)
    (tmp_path / "ca.crt").write_bytes(cluster.authority() or b"")
    openshift = {
        **nothing,
        "wec_provider": "openshift",
        "wec_host": cluster.server,
        "wec_api_key": token,
        "wec_ca_cert": str(tmp_path / "ca.crt"),
    }
    mark = stack.mark(*REAL)
    done = site.run("-vvv", environment=environment, edge2=openshift)
    assert assert_ok(done)["edge2"]["changed"] == 0
    assert token not in done.stdout + done.stderr and stack.writes_since(mark) == []


def test_a_cluster_that_leaves_takes_operator_and_agents_along(
    programs: Programs, site: Site, module: Callable[..., dict[str, Any]]
):
    stack = programs.stack
    its, edge2 = stack.cluster("its1"), stack.cluster("edge2")
    be_members(programs, site, module, "edge2")
    assert its.get(_resources.MANAGED_CLUSTERS, "edge2") is not None
    leaving = {"edge2": {"wec_context": "edge2", "wec_state": "absent"}}
    mark = stack.mark(*REAL)
    assert assert_ok(site.run("--check", **leaving))["edge2"]["changed"] > 0
    assert stack.writes_since(mark) == []
    assert_ok(site.run(**leaving))
    assert its.get(_resources.MANAGED_CLUSTERS, "edge2") is None and left_of_ocm(edge2) == []
    programs.stop(*(key for key in tuple(programs.running) if key[1] == "edge2"))
    mark = stack.mark(*REAL)
    assert assert_ok(site.run(**leaving))["edge2"]["changed"] == 0
    assert stack.writes_since(mark) == []
