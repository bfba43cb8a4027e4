# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    InvalidInput,
    KubestellarError,
    PreflightFailed,
)
from ansible_collections.kubestellar.core.plugins.module_utils._files import write_file
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils.embedded import (
    clusters,
    controllers,
    keeper,
    kwok,
    library,
    ports,
    preflight,
    processes,
    programs,
    supervisor,
    teardown,
)
from ansible_collections.kubestellar.core.plugins.module_utils.embedded.home import (
    MARKER,
    Stack,
    State,
)


@pytest.fixture
def stack(tmp_path):
    return Stack.of(str(tmp_path), "t")


def around(stack):
    numbers = {}
    return programs.Surroundings(
        stack,
        Path("/bin-folder"),
        lambda purpose: numbers.setdefault(purpose, 20000 + len(numbers)),
        lambda cluster: f"<{cluster}>",
        "/python",
        "abc",
    )


@pytest.mark.parametrize("name", ["", "Upper", "a b", "-a", "a-", "x" * 31, "../x"])
def test_illegal_stack_names_are_refused(name, tmp_path):
    with pytest.raises(InvalidInput, match="not allowed"):
        Stack.of(str(tmp_path), name)


def test_state_is_remembered_and_a_damaged_file_is_never_nothing(stack):
    state = State.load(stack)
    state.ports["a"] = 1
    state.clusters["hub"] = {"role": "hosting", "binaries": "/b"}
    state.save()
    assert State.load(stack).ports == {"a": 1}
    state.path.write_text("{")
    with pytest.raises(KubestellarError, match="cannot be read"):
        State.load(stack)


def test_write_file_is_private_and_tells_whether_it_changed(tmp_path):
    path = tmp_path / "a" / "b"
    assert write_file(path, "x") is True
    assert write_file(path, "x") is False
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    assert write_file(path, "x") is True
    assert [entry.name for entry in path.parent.iterdir()] == ["b"]


@pytest.mark.parametrize(
    ("spec", "name", "parts"),
    [
        ({"program": "keeper"}, "keeper", ["/python", "-m", ".embedded.keeper"]),
        (
            {"program": "kubeflex_manager", "hub": "hub"},
            "kubeflex-manager",
            ["kubeflex-manager", "--metrics-bind-address=127.0.0.1:"],
        ),
        (
            {"program": "ocm_hub", "its": "its1"},
            "ocm-hub-its1",
            ["controller", "--disable-leader-election", "--listen=127.0.0.1:"],
        ),
        (
            {
                "program": "controller_manager",
                "hub": "hub",
                "its": "its1",
                "wds": "wds1",
                "qps": 7,
                "burst": 9,
                "api_groups": ["apps", ""],
            },
            "controller-manager-wds1",
            ["--its-name=its1", "--wds-name=wds1", "--its-qps=7", "--wds-burst=9", "--api-groups=apps,"],
        ),
        (
            {"program": "controller_manager", "hub": "hub", "its": "its1", "wds": "wds1", "api_groups": [""]},
            "controller-manager-wds1",
            ["--api-groups=,"],
        ),
        (
            {"program": "transport_controller", "its": "its1", "wds": "wds1"},
            "transport-controller-wds1",
            ["--max-num-wrapped=1", "--transport-qps=5", "--wds-name=wds1"],
        ),
        (
            {"program": "ocm_agent", "wec": "c1", "qps": 500, "status_sync_interval": "20s"},
            "ocm-agent-c1",
            [
                "agent",
                "--spoke-cluster-name=c1",
                "--hub-kube-api-qps=500",
                "--kube-api-burst=100",
                "--status-sync-interval=20s",
            ],
        ),
        (
            {"program": "status_agent", "its": "its1", "wec": "c1"},
            "status-agent",
            ["/run/kubeconfigs ", "--wec=its1/c1"],
        ),
    ],
)
def test_command_lines(stack, spec, name, parts):
    program = programs.program(spec, around(stack))
    text = " ".join(program.command)
    assert program.name == programs.name_of(spec) == name
    assert all(part in text for part in parts), text
    assert "0.0.0.0" not in text and text.count("bind-address") == text.count("bind-address=127.0.0.1:")
    for path, content in program.files.items():
        assert f"--config={path}" in program.command
        cluster = spec.get("wec") or spec["its"]
        assert json.loads(content)["servingInfo"] == {
            "certFile": f"{stack.cluster(cluster)}/pki/admin.crt",
            "keyFile": f"{stack.cluster(cluster)}/pki/admin.key",
        }
    assert bool(program.files) is (spec["program"] in ("ocm_hub", "ocm_agent"))


def test_a_program_is_another_one_when_a_cluster_of_it_was_made_anew(stack):
    spec = {"program": "transport_controller", "its": "i", "wds": "w"}
    assert programs.program(spec, around(stack)).environment == {"KUBESTELLAR_CLUSTERS": "<i>-<w>"}
    assert "KUBESTELLAR_CLUSTERS" not in programs.program({"program": "keeper"}, around(stack)).environment


def test_one_status_agent_serves_all_wecs_of_a_stack_each_in_its_own_its(stack):
    def spec(its, wec):
        return {"program": "status_agent", "its": its, "wec": wec}

    (first,) = controllers._united([spec("i", "a"), spec("i", "b")], {})
    assert first["serves"] == {"a": "i", "b": "i"}
    known = {"status-agent": supervisor.describe(programs.program(first, around(stack)))}
    (moved,) = controllers._united([spec("j", "b")], known)
    program = programs.program(moved, around(stack))
    assert program.command[-2:] == ("--wec=i/a", "--wec=j/b")
    assert program.environment["KUBESTELLAR_CLUSTERS"] == "<a>-<b>-<i>-<j>"
    assert controllers._remaining([spec("j", "b"), spec("i", "c")], known) == {"status-agent": {"a": "i"}}
    assert controllers._remaining([spec("i", "a"), spec("i", "b")], known) == {"status-agent": {}}
    assert controllers._remaining([spec("i", "a")], {}) == {}
    results = controllers.absent(stack, [spec("i", "a")], Progress(None), check_mode=True)
    assert [result.method for result in results] == ["none"]
    state = State.load(stack)
    state.programs = known
    state.save()
    for wecs, method in (
        (["c"], "none"),
        (["a"], "update"),
        (["a", "b"], "delete"),
        (["b", "c", "a"], "delete"),
    ):
        leaving = [spec("i", wec) for wec in wecs]
        results = controllers.absent(stack, leaving, Progress(None), check_mode=True)
        assert [(result.name, result.method) for result in results] == [("status-agent", method)]


def test_the_controller_manager_is_killed_for_it_ignores_sigterm(stack):
    spec = {"program": "controller_manager", "hub": "h", "its": "i", "wds": "w"}
    assert programs.program(spec, around(stack)).stop_signal == "KILL"


@pytest.mark.parametrize(
    "spec", [{"program": "nothing"}, {"program": "ocm_hub"}, {"program": "ocm_agent", "wec": ""}]
)
def test_a_program_that_is_unknown_or_lacks_its_cluster_is_refused(stack, spec):
    with pytest.raises(InvalidInput, match="processes:"):
        programs.program(spec, around(stack))


def test_a_space_runs_no_workload_and_only_a_cluster_with_nodes_has_a_scheduler(stack):
    state = State(stack.folder / "stack.json")
    kinds = (
        ("hosting", 0, False),
        ("hosting", 2, True),
        ("its", 0, False),
        ("wds", 0, False),
        ("wec", 0, True),
    )
    for role, nodes, scheduler in kinds:
        cluster = kwok.Wanted("c", role, nodes)
        config = kwok.configuration(stack, state, cluster, Path("/b"))
        arguments = {
            patch["name"]: {arg["key"]: arg["value"] for arg in patch["extraArgs"]}
            for patch in config["componentsPatches"]
        }
        settings = {
            patch["name"]: {setting["name"]: setting["value"] for setting in patch["extraEnvs"]}
            for patch in config["componentsPatches"]
        }
        assert settings["kube-controller-manager"] == {"GOMAXPROCS": "1"}
        assert settings["kube-apiserver"] == (
            {"GOMAXPROCS": "1"} if role == "wec" else {"GOGC": "200"} if role in ("its", "wds") else {}
        )
        assert set(settings) == set(cluster.components)
        controllers = arguments["kube-controller-manager"].get("controllers", "*")
        assert ("kube-scheduler" in config["options"]["components"]) is scheduler
        assert ("deployment" not in controllers and "garbage-collector" in controllers) == (
            role in ("its", "wds")
        )
        assert config["options"]["bindAddress"] == "127.0.0.1"
        assert len(set(kwok.purposes(cluster).values())) == len(kwok.purposes(cluster))


def test_a_hub_without_nodes_cannot_become_a_wec(stack):
    state = State.load(stack)
    state.clusters["hub"] = {"role": "hosting", "nodes": 0, "binaries": "/b"}
    with pytest.raises(KubestellarError, match="hub: this cluster was made without nodes") as caught:
        clusters.inspect(stack, state, kwok.Wanted("hub", "wec", 1), Path("/b"))
    assert "kubestellar.core.teardown" in caught.value.hint
    state.clusters["hub"]["nodes"] = 1
    assert clusters.inspect(stack, state, kwok.Wanted("hub", "wec", 1), Path("/b")).method == "create"


def test_the_environment_of_the_stack_is_marked_and_knows_no_proxy_and_no_credentials(stack, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy")
    monkeypatch.setenv("K8S_AUTH_API_KEY", "secret")
    monkeypatch.setenv("KUBECONFIG", "/own")
    environment = kwok.environment(stack)
    assert environment[MARKER] == str(stack.folder)
    assert "HTTPS_PROXY" not in environment and "K8S_AUTH_API_KEY" not in environment
    assert environment["KUBECONFIG"].startswith(str(stack.folder))
    assert environment["TMPDIR"].startswith(str(stack.folder))


def test_a_port_is_remembered_and_a_taken_one_is_named_with_its_holder(stack):
    state = State(stack.folder / "stack.json")
    number = ports.port(state, "x/kube-apiserver")
    assert ports.port(state, "x/kube-apiserver") == number
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", number))
        taken.listen()
        with pytest.raises(
            PreflightFailed, match=rf"port {number} of x/kube-apiserver is taken by the process {os.getpid()}"
        ):
            ports.check_free(state, "x/kube-apiserver")
        assert ports.renew_if_taken(state, "x/kube-apiserver") != number
    ports.check_free(state, "x/kube-apiserver")


@pytest.mark.parametrize(
    ("environ", "fine"),
    [
        ({}, True),
        ({"HTTPS_PROXY": "http://p"}, False),
        ({"https_proxy": "http://p", "no_proxy": "example.org"}, False),
        ({"https_proxy": "http://p", "no_proxy": "example.org, 127.0.0.1"}, True),
        ({"HTTP_PROXY": "http://p", "NO_PROXY": "127.0.0.0/8"}, True),
    ],
)
def test_a_proxy_that_would_swallow_loopback_is_found(environ, fine):
    assert (preflight.proxy(environ) == []) is fine


def test_missing_memory_is_said_in_figures(tmp_path):
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 1 kB\nMemAvailable: 1048576 kB\n")
    assert preflight.memory(2, meminfo) == []
    assert "5 clusters need 2500 MiB of free memory, and 1024 MiB are free" in preflight.memory(5, meminfo)[0]


def test_everything_wrong_with_the_machine_is_one_message(tmp_path):
    stack = Stack.of(str(tmp_path / ("x" * 100)), "t")
    problems = preflight.machine(stack, tmp_path, {"HTTPS_PROXY": "http://p"})
    assert [
        word
        for word in ("not built", "longer than a socket", "HTTPS_PROXY")
        if not any(word in p for p in problems)
    ] == []
    with pytest.raises(PreflightFailed, match="Nothing has been started"):
        preflight.fail(problems)


def test_processes_are_found_by_their_marker_and_ended_even_if_they_ignore_sigterm(stack):
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    child = subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, MARKER: str(stack.folder)}, stdout=subprocess.PIPE
    )
    child.stdout.readline()
    other = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"], env={**os.environ, MARKER: "/else"}
    )
    try:
        found = processes.of_stack(stack)
        assert [process.pid for process in found] == [child.pid]
        processes.stop(found, grace=0.2)
        assert child.wait(timeout=5) == -9
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_stale_pid_files_are_forgotten(stack):
    folder = stack.cluster("c") / "pids"
    folder.mkdir(parents=True)
    (folder / "etcd.pid").write_text(str(os.getpid()))
    (folder / "kube-apiserver.pid").write_text("not a number")
    kwok.forget_stale_pids(stack, "c")
    assert list(folder.iterdir()) == []


def test_supervisor_configuration_escapes_what_it_would_expand(stack):
    entry = {"command": ["/p", "--x=50%(y)s", "a b"], "environment": {"E": "100%"}, "stop_signal": "TERM"}
    text = supervisor.configuration(stack, {"one": entry})
    assert "command=/p '--x=50%%(y)s' 'a b'" in text
    assert 'environment=E="100%%"' in text
    assert "inet_http_server" not in text


def test_a_real_supervisor_starts_changes_and_removes_programs(stack):
    def entry(*command):
        return {"command": list(command), "environment": {}, "stop_signal": "TERM"}

    def wait_running():
        deadline = time.monotonic() + 10
        while set((control.states() or {}).values()) != {"RUNNING"} and time.monotonic() < deadline:
            time.sleep(0.1)

    control = supervisor.Supervisor(stack)
    try:
        control.bring_about({"a": entry("sleep", "100"), "b": entry("sleep", "200")})
        wait_running()
        before = {process.text: process.pid for process in processes.of_stack(stack)}
        control.bring_about(
            {"a": entry("sleep", "100"), "b": entry("sleep", "300"), "c": entry("sleep", "400")}
        )
        wait_running()
        after = {process.text: process.pid for process in processes.of_stack(stack)}
        assert after["sleep 100"] == before["sleep 100"]
        assert "sleep 200" not in after and {"sleep 300", "sleep 400"} <= set(after)
        starts = control.starts()
        assert controllers._older(control, ["a", "b"], starts["a"]) == []
        assert "a" in controllers._older(control, ["a", "b"], starts["a"] + 0.5)
        control.restart(["a"])
        wait_running()
        again = {process.text: process.pid for process in processes.of_stack(stack)}
        assert again["sleep 100"] != after["sleep 100"] and again["sleep 300"] == after["sleep 300"]
    finally:
        assert teardown.absent(stack, Progress(None), check_mode=False)["processes"] >= 1
    assert processes.of_stack(stack) == [] and not stack.folder.exists()
    assert teardown.absent(stack, Progress(None), check_mode=False) == {"processes": 0, "folder": False}


def test_the_library_holds_all_that_the_agents_import_and_runs_without_the_checkout(tmp_path):
    files = library.sources()
    library.install(files, tmp_path)
    assert any(name.endswith("embedded/status_agent.py") for name in files)
    for agent in ("keeper", "status_agent"):
        code = f"import ansible_collections.kubestellar.core.plugins.module_utils.embedded.{agent} as m; print(m.__file__)"
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONPATH": str(tmp_path)},
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout.startswith(str(tmp_path)), done.stderr
    assert library.digest(files) != library.digest({**files, "x": ""})
    assert json.dumps(sorted(files))


def test_the_keeper_starts_what_is_dead_and_looks_cheaply_at_what_is_well(stack, monkeypatch):
    folder = stack.cluster("hub") / "bin"
    folder.mkdir(parents=True)
    (folder.parent / "kwok.yaml").touch()
    environment = {**os.environ, MARKER: str(stack.folder)}
    started = []

    def start(stack_, name, binaries):
        for component in kwok.Wanted(name, "hosting").components:
            if component not in kwok.components(stack_, name):
                program = folder / component
                if not program.exists():
                    program.symlink_to("/bin/sleep")
                started.append(subprocess.Popen([str(program), "60"], env=environment))

    monkeypatch.setattr(kwok, "start", start)
    state = State.load(stack)
    state.clusters["hub"] = {"role": "hosting", "binaries": "/b"}
    state.clusters["lost"] = {"role": "wec", "binaries": "/b"}
    state.save()
    look = keeper.Keeper(stack, Path("/b"))
    try:
        assert look.check() == ["hub: etcd, kube-apiserver, kube-controller-manager not running: starting"]
        assert look.check() == []
        monkeypatch.setattr(processes, "of_stack", lambda _stack: pytest.fail("all processes were read"))
        assert look.check() == []
        monkeypatch.undo()
        monkeypatch.setattr(kwok, "start", start)
        started[0].kill()
        started[0].wait()
        assert look.check() == ["hub: etcd not running: starting"]
    finally:
        for process in started:
            process.kill()
            process.wait()


def test_the_instances_of_inotify_that_a_user_may_have_are_counted(tmp_path):
    limit = tmp_path / "sys" / "fs" / "inotify" / "max_user_instances"
    limit.parent.mkdir(parents=True)
    for process, targets in {
        "1": ["anon_inode:inotify"] * 3,
        "2": ["anon_inode:inotify", "/dev/null"],
        "self": [],
    }.items():
        (tmp_path / process / "fd").mkdir(parents=True)
        for number, target in enumerate(targets):
            (tmp_path / process / "fd" / str(number)).symlink_to(target)
    limit.write_text("22\n")
    assert preflight.inotify(2, tmp_path) == []
    limit.write_text("21\n")
    (problem,) = preflight.inotify(2, tmp_path)
    assert "2 clusters need 18 instances of inotify, and 4 of the 21" in problem
    assert "sudo sysctl fs.inotify.max_user_instances=512" in problem
    assert preflight.inotify(2, tmp_path / "nowhere") == []
