# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters of kind and k3d, with programs that stand for them: what they are told, and what follows from their answers."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    InvalidInput,
    KubestellarError,
    PreflightFailed,
    WaitTimeout,
)
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils.local import clusters, tools
from ansible_collections.kubestellar.core.tests import recorder

SECRET = "very-secret"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The URL of something that says that it is ready."""

    class Ready(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_arguments: Any) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Ready)
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.server_port}"
    listening.shutdown()


class Machine:
    """A machine with our stand-ins on its PATH, and a user who has a kubeconfig and credentials."""

    def __init__(self, folder: Path, server: str) -> None:
        self.folder = folder / "recorder"
        self.binaries = recorder.install(self.folder, "kind", "k3d", "docker")
        self.kubeconfig = folder / "home" / "clusters" / "ours" / "kubeconfig"
        self.users = folder / "user" / "config"
        self.users.parent.mkdir()
        self.users.write_text("the user's own")
        self.environ = {
            "PATH": str(self.binaries),
            "HOME": str(folder / "user"),
            "KUBECONFIG": str(self.users),
            "K8S_AUTH_API_KEY": SECRET,
            "ANSIBLE_VAULT_PASSWORD_FILE": SECRET,
        }
        self.print_kubeconfig(server)

    def print_kubeconfig(self, server: str, authority: str = "") -> None:
        """What the tools print from now on."""
        cluster = {"server": server, **({"certificate-authority-data": authority} if authority else {})}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": cluster}],
            "users": [{"name": "u", "user": {"token": SECRET}}],
            "contexts": [{"name": "CONTEXT", "context": {"cluster": "c", "user": "u"}}],
        }
        (self.folder / "kubeconfig").write_text(json.dumps(content))

    def local(self, wanted: tools.Wanted, *, dry_run: bool = False, **settings: Any) -> clusters.Local:
        values: dict[str, Any] = {
            "kubeconfig": self.kubeconfig,
            "program": "",
            "engine": "",
            "timeout": 30,
            "dry_run": dry_run,
            "environ": self.environ,
        }
        return clusters.Local(wanted, clusters.Settings(**{**values, **settings}), Progress(None))

    def commands(self) -> list[str]:
        """The command lines that say something else than what is read each time; forgets them."""
        found = recorder.commands(self.folder)
        (self.folder / "calls.jsonl").unlink(missing_ok=True)
        reads = (
            "version",
            "list -o json",
            "get clusters",
            "get nodes",
            "inspect",
            "get kubeconfig",
            "kubeconfig get",
        )
        return [command for command in found if not any(read in command for read in reads)]

    def state(self) -> dict[str, Any]:
        path = self.folder / "state.json"
        return json.loads(path.read_text()) if path.exists() else {}

    def stop(self) -> None:
        """Stop all clusters."""
        text = (self.folder / "state.json").read_text()
        text = text.replace('"running": true', '"running": false').replace(
            '"Running": true', '"Running": false'
        )
        (self.folder / "state.json").write_text(text)


@pytest.fixture
def machine(tmp_path, server) -> Machine:
    return Machine(tmp_path, server)


KIND = tools.Wanted("kind", "hub", port=19443)
K3D = tools.Wanted("k3d", "hub", port=19443)
BOTH = pytest.mark.parametrize("wanted", [KIND, K3D], ids=["kind", "k3d"])


def ours(machine: Machine) -> str:
    return str(machine.kubeconfig)


def test_kind_is_told_to_make_the_cluster_with_the_port_and_our_kubeconfig(machine):
    made = machine.local(dataclasses.replace(KIND, image="kindest/node:v1", nodes=3)).present()
    (create,) = [call for call in recorder.calls(machine.folder) if call["argv"][1] == "create"]
    folder = machine.kubeconfig.parent
    assert create["argv"] == [
        *["kind", "create", "cluster", "--name", "hub", "--config", str(folder / "kind.yml")],
        *["--kubeconfig", ours(machine), "--wait", "30s", "--image", "kindest/node:v1"],
    ]
    assert create["config"] == {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "name": "hub",
        "networking": {"apiServerAddress": "127.0.0.1"},
        "nodes": [
            {
                "role": "control-plane",
                "labels": {"ingress-ready": "true"},
                "extraPortMappings": [
                    {"containerPort": 443, "hostPort": 19443, "listenAddress": "127.0.0.1", "protocol": "TCP"}
                ],
            },
            {"role": "worker"},
            {"role": "worker"},
        ],
    }
    assert (made.decision.method, made.changed) == ("create", True)
    assert create["env"]["KIND_EXPERIMENTAL_PROVIDER"] == "docker"


def test_k3d_is_told_to_make_the_cluster_with_the_port_and_no_kubeconfig_of_the_user(machine):
    made = machine.local(
        dataclasses.replace(K3D, nodes=2, image="rancher/k3s:v1", network="k3d-other")
    ).present()
    (command,) = machine.commands()
    assert command == (
        "k3d cluster create hub --servers 1 --agents 1 --api-port 127.0.0.1:random "
        "--port 127.0.0.1:19443:443@loadbalancer --k3s-arg --disable=traefik@server:* "
        "--kubeconfig-update-default=false --kubeconfig-switch-context=false --wait --timeout 30s "
        "--image rancher/k3s:v1 --network k3d-other"
    )
    assert made.decision.method == "create"


def test_a_cluster_without_a_port_gets_none(machine):
    machine.local(tools.Wanted("k3d", "wec")).present()
    assert "--port" not in machine.commands()[0] and "traefik" not in machine.commands()
    assert tools.kind_config(tools.Wanted("kind", "wec"))["nodes"] == [{"role": "control-plane"}]


@BOTH
def test_programs_get_our_kubeconfig_only_and_no_secret(machine, wanted):
    for absent in (False, True):
        local = machine.local(wanted)
        local.absent() if absent else local.present()
    calls = recorder.calls(machine.folder)
    assert len(calls) > 6
    for call in calls:
        assert call["env"]["KUBECONFIG"] == ours(machine)
        assert SECRET not in json.dumps(call)
        assert str(machine.users) not in " ".join(call["argv"])
    assert machine.users.read_text() == "the user's own"


@BOTH
def test_the_kubeconfig_is_readable_by_its_owner_only_and_a_second_run_writes_nothing(machine, wanted):
    machine.local(wanted).present()
    assert machine.kubeconfig.stat().st_mode & 0o777 == 0o600
    assert machine.kubeconfig.parent.stat().st_mode & 0o777 == 0o700
    content = machine.kubeconfig.read_text()
    assert tools.contexts(json.loads(content)) == [wanted.context]
    assert len(machine.commands()) == 1
    before = machine.kubeconfig.stat().st_mtime_ns
    made = machine.local(wanted).present()
    assert (made.decision.method, made.changed) == ("none", False)
    assert machine.commands() == [] and machine.kubeconfig.stat().st_mtime_ns == before
    assert not list(machine.kubeconfig.parent.glob("*.begun"))


@BOTH
def test_a_stopped_cluster_is_started(machine, wanted):
    machine.local(wanted).present()
    machine.stop()
    machine.commands()
    made = machine.local(wanted, dry_run=True).present()
    assert (made.decision.method, machine.commands()) == ("update", [])
    made = machine.local(wanted).present()
    assert (made.decision.method, made.decision.reason) == ("update", "it is stopped")
    start = {"kind": "docker start hub-control-plane", "k3d": "k3d cluster start hub --wait --timeout 30s"}
    assert machine.commands() == [start[wanted.tool]]


@BOTH
def test_a_cluster_without_the_port_is_named_with_the_remedy_and_left_alone(machine, wanted):
    machine.local(wanted).present()
    machine.commands()
    with pytest.raises(InvalidInput) as caught:
        machine.local(dataclasses.replace(wanted, port=20443)).present()
    assert f"The {wanted.tool} cluster hub has 127.0.0.1:19443" in caught.value.message
    assert "not 127.0.0.1:20443" in caught.value.message
    assert "delete cluster --name hub" in caught.value.hint or "cluster delete hub" in caught.value.hint
    with pytest.raises(InvalidInput, match="0.0.0.0:19443"):
        machine.local(dataclasses.replace(wanted, address="0.0.0.0")).present()
    assert machine.commands() == [] and machine.state()


@BOTH
@pytest.mark.parametrize("absent", [False, True])
def test_a_cluster_of_somebody_else_is_neither_used_nor_deleted(machine, wanted, absent):
    machine.local(wanted).present()
    machine.kubeconfig.unlink()
    machine.commands()
    local = machine.local(wanted)
    with pytest.raises(InvalidInput, match="not made by this collection") as caught:
        local.absent() if absent else local.present()
    assert str(machine.kubeconfig) in caught.value.message and caught.value.hint
    assert machine.commands() == [] and machine.state()


@BOTH
def test_a_cluster_that_took_the_name_of_ours_is_somebody_elses(machine, wanted, server):
    machine.print_kubeconfig(server, "T3Vycw==")
    machine.local(wanted).present()
    machine.print_kubeconfig(server, "VGhlaXJz")
    with pytest.raises(InvalidInput, match="not made by this collection"):
        machine.local(wanted).absent()


@BOTH
def test_a_cluster_that_an_interrupted_run_left_half_made_is_made_anew(machine, wanted):
    machine.local(wanted).present()
    machine.kubeconfig.unlink()
    machine.kubeconfig.with_name("kubeconfig.begun").touch()
    machine.commands()
    made = machine.local(wanted, dry_run=True).present()
    assert (made.decision.method, machine.commands()) == ("create", [])
    made = machine.local(wanted).present()
    assert made.decision.reason == "an interrupted run has left it half-made"
    assert [command.split()[1:3] for command in machine.commands()] == (
        [["delete", "cluster"], ["create", "cluster"]]
        if wanted.tool == "kind"
        else [["cluster", "delete"], ["cluster", "create"]]
    )
    assert machine.local(wanted).present().decision.method == "none"


@BOTH
def test_a_failed_making_leaves_the_marker_so_that_the_next_run_goes_on(machine, wanted):
    fail = machine.folder / "fail"
    fail.write_text({"kind": "kind create", "k3d": "k3d cluster create"}[wanted.tool])
    with pytest.raises(KubestellarError) as caught:
        machine.local(wanted).present()
    assert "failed with exit code 1: ERROR: the recorder was told to fail" in caught.value.message
    assert "container engine" in caught.value.hint
    fail.unlink()
    assert machine.local(wanted).present().decision.method == "create"


def test_a_failed_listing_is_never_taken_for_no_cluster(machine):
    (machine.folder / "fail").write_text("kind get clusters")
    for what in ("present", "absent"):
        with pytest.raises(KubestellarError, match="kind get clusters failed"):
            getattr(machine.local(KIND), what)()
    assert machine.commands() == []
    with pytest.raises(KubestellarError, match="cannot be read"):
        tools.exists("k3d", "hub", "WARN: something")


@BOTH
def test_check_mode_runs_only_what_reads(machine, wanted):
    made = machine.local(wanted, dry_run=True).present()
    assert (made.decision.method, made.server) == ("create", "")
    assert machine.commands() == [] and not machine.kubeconfig.parent.exists()
    machine.local(wanted).present()
    machine.commands()
    assert machine.local(wanted, dry_run=True).absent().decision.method == "delete"
    assert machine.commands() == [] and machine.kubeconfig.exists()


@BOTH
def test_a_deleted_cluster_is_gone_with_our_files(machine, wanted):
    machine.local(wanted).present()
    machine.commands()
    assert machine.local(wanted).absent().decision.method == "delete"
    delete = {
        "kind": f"kind delete cluster --name hub --kubeconfig {machine.kubeconfig}",
        "k3d": "k3d cluster delete hub",
    }
    assert machine.commands() == [delete[wanted.tool]]
    assert machine.state() == {} and not machine.kubeconfig.parent.exists()
    assert machine.local(wanted).absent().decision.method == "none"
    assert machine.commands() == []


def test_a_lost_entry_of_the_kubeconfig_is_written_again(machine, server):
    machine.local(KIND).present()
    machine.print_kubeconfig(server.replace("127.0.0.1", "localhost"))
    assert machine.local(KIND, dry_run=True).present().decision.method == "update"
    made = machine.local(KIND).present()
    assert (made.decision.method, "localhost" in machine.kubeconfig.read_text()) == ("update", True)


def test_the_kubeconfig_of_the_user_is_refused(machine):
    for path in (machine.users, Path("~/.kube/config").expanduser()):
        with pytest.raises(InvalidInput, match="is the kubeconfig of the user"):
            machine.local(KIND, kubeconfig=path)
    other = machine.kubeconfig.with_name("other")
    other.parent.mkdir(parents=True)
    other.write_text(json.dumps({"contexts": [{"name": "production"}]}))
    with pytest.raises(InvalidInput, match="has the context production"):
        machine.local(KIND, kubeconfig=other)
    assert recorder.calls(machine.folder) == []


@pytest.mark.parametrize(
    ("tool", "text", "words"),
    [
        ("kind", "kind v0.19.0 go1.20.4 linux/amd64", "kind 0.19.0, which is too old"),
        ("k3d", "k3d version v5.6.3\nk3s version v1.28.8-k3s1 (default)", "k3d 5.6.3, which is too old"),
        ("kind", "something else 9.9", "does not say its version"),
    ],
)
def test_a_program_that_is_too_old_is_named(machine, tool, text, words):
    (machine.folder / "version").write_text(text)
    with pytest.raises(KubestellarError, match=words) as caught:
        machine.local(tools.Wanted(tool, "hub"))
    oldest = {"kind": "0.20", "k3d": "5.7.4"}[tool]
    assert f"{oldest} or newer" in caught.value.hint


@pytest.mark.parametrize(
    "version", ["kind v0.20.0 go1.20.4 linux/amd64", "kind v1.0.0-alpha+1f3 go1.24 linux/arm64"]
)
def test_newer_programs_will_do(version):
    assert tools.check_version("kind", "/usr/bin/kind", version)


def test_a_program_that_is_not_there_is_named(machine):
    (machine.binaries / "docker").unlink()
    with pytest.raises(PreflightFailed, match="No container engine is found"):
        machine.local(KIND)
    with pytest.raises(PreflightFailed, match="The program podman is not found on the PATH"):
        machine.local(KIND, engine="podman")
    (machine.binaries / "kind").unlink()
    with pytest.raises(PreflightFailed, match="The program kind is not found on the PATH.") as caught:
        machine.local(KIND)
    assert "Install kind 0.20 or newer" in caught.value.hint
    with pytest.raises(PreflightFailed, match="The program k3d is not found at /nowhere/k3d"):
        machine.local(K3D, program="/nowhere/k3d")


def test_a_taken_port_is_named_before_anything_is_made(machine, server):
    port = int(server.rpartition(":")[2])
    with pytest.raises(PreflightFailed, match=f"the port {port} of this machine is taken"):
        machine.local(dataclasses.replace(KIND, port=port)).present()
    assert machine.commands() == []


def test_a_program_that_does_not_end_is_ended(machine):
    (machine.folder / "slow").write_text("20")
    local = clusters.Local.__new__(clusters.Local)
    local._wanted, local._progress, local._held = KIND, Progress(None), -1
    local._program, local._environment = str(machine.binaries / "kind"), dict(machine.environ)
    with pytest.raises(WaitTimeout, match="kind get clusters has not ended in 1 s"):
        local._run(["get", "clusters"], timeout=1)


def test_two_runs_do_not_make_the_same_cluster_at_once(machine):
    """The lock of the first one lasts as long as the program that it has started."""
    marker = machine.kubeconfig.with_name("kubeconfig.begun")
    marker.parent.mkdir(parents=True)
    code = "import fcntl, sys; f = open(sys.argv[1], 'a'); fcntl.flock(f, fcntl.LOCK_EX); print('held', flush=True); sys.stdin.read()"
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(marker)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with other:
        assert other.stdout and other.stdout.readline() == "held\n"
        with pytest.raises(KubestellarError, match="is being made or deleted by another run"):
            machine.local(KIND).present()
        other.communicate("")
    assert machine.commands() == []
    assert machine.local(KIND).present().decision.method == "create"


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (tools.Wanted("kind", "Hub"), "'Hub' is no name"),
        (tools.Wanted("k3d", "h" * 33), "is no name for a k3d cluster"),
        (tools.Wanted("kind", "--help"), "is no name"),
        (tools.Wanted("kind", "hub", port=70000), "70000 does not exist"),
        (tools.Wanted("kind", "hub", nodes=0), "0 nodes are none"),
        (tools.Wanted("kind", "hub", network="n"), "one network"),
    ],
)
def test_what_cannot_be_is_refused_before_any_program_runs(machine, wanted, words):
    with pytest.raises(InvalidInput, match=words):
        machine.local(wanted)
    assert recorder.calls(machine.folder) == []


def test_the_answer_of_other_engines_is_understood():
    """nerdctl has no PortBindings, and a stopped container of docker has no Ports."""
    ports = {"443/tcp": [{"HostIp": "127.0.0.1", "HostPort": "9443"}, {"HostIp": "", "HostPort": "1"}]}
    answer = [{"Name": "hub-control-plane", "State": {"Running": True}, "NetworkSettings": {"Ports": ports}}]
    found = tools.engine_found(json.dumps(answer))
    assert found == tools.Found(True, (("127.0.0.1", 9443), ("0.0.0.0", 1)), ("hub-control-plane",))
    with pytest.raises(KubestellarError, match="cannot be read"):
        tools.engine_found("{}")
    assert tools.engine_found("[]").running is False
