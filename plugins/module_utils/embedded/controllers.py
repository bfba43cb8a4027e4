# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controllers and agents of a stack as one set (private to kubestellar.core)."""

from __future__ import annotations

import base64
import hashlib
import shutil
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bulk
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    ApiError,
    ConnectionFailed,
    WaitTimeout,
)
from ansible_collections.kubestellar.core.plugins.module_utils._files import write_file
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils._resources import SECRETS, WDS_KINDS
from ansible_collections.kubestellar.core.plugins.module_utils.embedded import (
    library,
    ports,
    preflight,
    processes,
    programs,
    supervisor,
)
from ansible_collections.kubestellar.core.plugins.module_utils.embedded.home import Stack, State

KEEPER = {"program": "keeper"}


@dataclass
class Result:
    """What happened to one program. :ivar method: `none`, `create`, `update` (restarted) or `delete`."""

    name: str
    method: str = "none"

    def result(self) -> dict[str, Any]:
        """The entry of `objects` in the module's result."""
        return {"kind": "Process", "name": self.name, "method": self.method, "changed": self.method != "none"}


def present(
    stack: Stack,
    specs: Sequence[Mapping[str, Any]],
    binaries: Path,
    progress: Progress,
    *,
    timeout: float,
    check_mode: bool,
    since: float = 0.0,
) -> list[Result]:
    """Make the programs run, beside the others of the stack; the keeper always belongs to them.

    The file `bootstrap_file` of a spec is what an OCM agent joins with: it goes where the agent reads it, into its
    folder and as a Secret into the WEC, and is then deleted.

    :param since: what was started before this time, in seconds since the epoch, is restarted.
    :raises WaitTimeout: a program does not run, or does not answer, after `timeout` seconds.
    """
    files = library.sources()
    if check_mode:
        state = State.load(stack)
        specs = _united([KEEPER, *specs], state.programs)
        return [
            Result(name, method) for name, method in _methods(stack, state, specs, binaries, files, since)
        ]
    with stack.locked(progress):
        state = State.load(stack)
        specs = _united([KEEPER, *specs], state.programs)
        control = supervisor.Supervisor(stack)
        states = control.states()
        if states is None:
            preflight.fail(preflight.machine(stack, binaries))
            processes.stop(supervisor.orphans(stack))
        _take_ports(state, specs, states or {})
        results = [
            Result(name, method) for name, method in _methods(stack, state, specs, binaries, files, since)
        ]
        _hand_over_bootstrap(stack, specs)
        if any(result.method != "none" for result in results):
            library.install(files, stack.lib)
            for program in _programs(stack, state, specs, binaries, files):
                state.programs[program.name] = supervisor.describe(program)
                for path, text in program.files.items():
                    write_file(path, text)
            state.save()
            control.bring_about(state.programs)
            control.restart(_older(control, [result.name for result in results], since))
        _wait(stack, control, state, specs, timeout, progress)
        for result in results:
            if result.method != "none":
                progress.line(f"{result.name}: {'started' if result.method == 'create' else 'restarted'}")
    return results


def absent(
    stack: Stack, specs: Sequence[Mapping[str, Any]], progress: Progress, *, check_mode: bool
) -> list[Result]:
    """Stop the programs and forget them, with their ports and credentials. The status agent goes on for other WECs."""
    names = {programs.name_of(spec): spec for spec in specs}
    known = State.load(stack).programs
    remaining = _remaining(specs, known)
    results = [
        Result(name, _leaving(known[name].get("serves"), remaining[name]) if name in known else "none")
        for name in names
    ]
    if check_mode or not any(result.method != "none" for result in results):
        return results
    files = library.sources()
    with stack.locked(progress):
        state = State.load(stack)
        remaining = _remaining(specs, state.programs)
        for name, spec in names.items():
            if serves := remaining.get(name):
                library.install(files, stack.lib)
                (program,) = _programs(stack, state, [{**spec, "serves": serves}], Path(), files)
                state.programs[name] = supervisor.describe(program)
            else:
                for purpose in state.programs.pop(name, {}).get("listeners", ()):
                    state.ports.pop(purpose, None)
            if spec.get("program") == "ocm_agent" and spec.get("wec"):
                shutil.rmtree(stack.agents / str(spec["wec"]), ignore_errors=True)
        supervisor.Supervisor(stack).bring_about(state.programs)
        state.save()
    return results


def _united(
    specs: Sequence[Mapping[str, Any]], known: Mapping[str, Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """The entries, with one status agent for all WECs that it serves and those that are named."""
    united: dict[str, Mapping[str, Any]] = {}
    for spec in specs:
        name = programs.name_of(spec)
        if spec["program"] == "status_agent" and spec.get("wec") and spec.get("its"):
            serves = (united.get(name) or known.get(name) or {}).get("serves") or {}
            spec = {**spec, "serves": {**serves, spec["wec"]: spec["its"]}}
        united[name] = spec
    return list(united.values())


def _remaining(
    specs: Sequence[Mapping[str, Any]], known: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, str]]:
    """For each of these programs that is known: what it serves without these WECs. If that is nothing, it goes too."""
    remaining: dict[str, dict[str, str]] = {}
    for spec in specs:
        name = programs.name_of(spec)
        if name in known:
            serves = remaining.get(name, known[name].get("serves") or {})
            remaining[name] = {wec: its for wec, its in serves.items() if wec != spec.get("wec")}
    return remaining


def _leaving(before: Mapping[str, str] | None, after: Mapping[str, str]) -> str:
    """What is done to a known program that serves only this from now on."""
    if not after:
        return "delete"
    return "none" if after == before else "update"


def _programs(
    stack: Stack, state: State, specs: Sequence[Mapping[str, Any]], binaries: Path, files: dict[str, str]
) -> list[programs.Program]:
    def port(purpose: str) -> int:
        return ports.port(state, purpose)

    def identity(cluster: str) -> str:
        path = stack.run / "kubeconfigs" / cluster
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16] if path.is_file() else "none"

    around = programs.Surroundings(stack, binaries, port, identity, sys.executable, library.digest(files))
    return [programs.program(spec, around) for spec in specs]


def _older(control: supervisor.Supervisor, names: Sequence[str], since: float) -> list[str]:
    """Those of the programs that run since before a time; the keeper has nothing that grows old."""
    starts = control.starts() if since else {}
    keeper = programs.name_of(KEEPER)
    return [name for name in names if name != keeper and 0 < starts.get(name, 0) < since]


def _methods(
    stack: Stack,
    state: State,
    specs: Sequence[Mapping[str, Any]],
    binaries: Path,
    files: dict[str, str],
    since: float = 0.0,
) -> list[tuple[str, str]]:
    """For each program what is to be done, from what is remembered and what runs."""
    control = supervisor.Supervisor(stack)
    states = control.states() or {}
    older = _older(control, [programs.name_of(spec) for spec in specs], since)
    methods = []
    for program in _programs(stack, state, specs, binaries, files):
        known = state.programs.get(program.name)
        if known is None:
            method = "create"
        elif (
            known != supervisor.describe(program)
            or states.get(program.name)
            not in (
                "RUNNING",
                "STARTING",
                "BACKOFF",
            )
            or program.name in older
        ):
            method = "update"
        else:
            method = "none"
        methods.append((program.name, method))
    return methods


def _take_ports(state: State, specs: Sequence[Mapping[str, Any]], states: Mapping[str, str]) -> None:
    """Free ports for what does not run: nobody else knows the addresses of controllers, so they may change."""
    running = {name for name, value in states.items() if value == "RUNNING"}
    for spec in specs:
        name = programs.name_of(spec)
        for purpose in state.programs.get(name, {}).get("listeners", ()):
            if name not in running:
                ports.renew_if_taken(state, purpose)


def _hand_over_bootstrap(stack: Stack, specs: Sequence[Mapping[str, Any]]) -> None:
    """Give the credentials to join with to the agents, which want a file and a Secret (ocm: pkg/registration/spoke)."""
    for spec in specs:
        path = Path(spec.get("bootstrap_file") or "")
        if not path.is_file():
            continue
        wec, content = str(spec["wec"]), path.read_text(encoding="utf-8")
        # What an earlier registration left would be used instead of the new credential.
        shutil.rmtree(stack.agents / wec / "hub", ignore_errors=True)
        (stack.agents / wec / "hub").mkdir(parents=True, mode=0o700)
        write_file(stack.agents / wec / "bootstrap-kubeconfig", content)
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "bootstrap-hub-kubeconfig", "namespace": programs.AGENT_NAMESPACE},
            "data": {"kubeconfig": base64.b64encode(content.encode()).decode()},
        }
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": programs.AGENT_NAMESPACE}}
        cluster = _cluster(stack, wec)
        cluster.delete(SECRETS, "hub-kubeconfig-secret", programs.AGENT_NAMESPACE)
        _bulk.raise_failures(_bulk.apply_all(cluster, [namespace, secret], force=True), wec)
        path.unlink()


def _wait(
    stack: Stack,
    control: supervisor.Supervisor,
    state: State,
    specs: Sequence[Mapping[str, Any]],
    timeout: float,
    progress: Progress,
) -> None:
    """Wait until the programs run, answer at their address if they have one, and serve what they define in a WDS."""
    names = [programs.name_of(spec) for spec in specs]
    wdses = [_cluster(stack, str(spec["wds"])) for spec in specs if spec["program"] == "controller_manager"]
    deadline = time.monotonic() + timeout
    while True:
        missing = supervisor.failures(stack, control.states() or {}, names)
        if not missing:
            addresses = {name: state.ports.get(state.programs[name]["ready"]) for name in names}
            missing = [
                f"{name} does not answer yet"
                for name, port in addresses.items()
                if port and not _answers(port)
            ]
        if not missing:
            missing = [text for wds in wdses for text in _not_served(wds)]
        if not missing:
            return
        if time.monotonic() > deadline:
            raise WaitTimeout(
                f"{len(missing)} of {len(names)} processes do not work after {timeout:.0f} s: {'; '.join(missing[:5])}.",
                hint=f"See the logs in {stack.logs}.",
                missing=missing,
            )
        progress.waiting(f"waiting for {missing[0].partition(':')[0]}")
        time.sleep(0.1)


def _cluster(stack: Stack, name: str) -> Cluster:
    return Cluster.from_kubeconfig(str(stack.run / "kubeconfigs" / name), name, name=name)


def _not_served(wds: Cluster) -> list[str]:
    """What the controller-manager of a WDS has still to define in it: it does so only after it answers."""
    try:
        lacking = wds.unserved(WDS_KINDS)
    except (ApiError, ConnectionFailed) as error:
        return [error.message]
    names = ", ".join(resource.kind for resource in lacking)
    return [f"controller-manager-{wds.name}: {wds.name} does not serve {names} yet"] if names else []


def _answers(port: int) -> bool:
    """Whether something listens on 127.0.0.1:port."""
    try:
        with socket.create_connection((ports.LOOPBACK, port), timeout=1.0):
            return True
    except OSError:
        return False
