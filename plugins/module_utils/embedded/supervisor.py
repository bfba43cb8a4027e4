# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controllers and agents under supervisord (private to kubestellar.core)."""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._errors import KubestellarError, plain
from ansible_collections.kubestellar.core.plugins.module_utils._files import write_file
from ansible_collections.kubestellar.core.plugins.module_utils.embedded import kwok, processes
from ansible_collections.kubestellar.core.plugins.module_utils.embedded.home import Stack
from ansible_collections.kubestellar.core.plugins.module_utils.embedded.programs import Program

IMPORT_ERROR: str | None
"""Why supervisor cannot be used; None when it can."""
try:
    from supervisor.xmlrpc import SupervisorTransport

    IMPORT_ERROR = None
except ImportError as error:
    IMPORT_ERROR = str(error)

_UP_SECONDS = 20.0
_RPC_ERRORS = (OSError, xmlrpc.client.Error, ConnectionError)
_RUNNING = ("RUNNING", "STARTING", "BACKOFF")


def configuration(stack: Stack, programs: Mapping[str, Mapping[str, Any]]) -> str:
    """supervisord.conf: restart whatever ends, for ever; logs of bounded size; no listener but a private socket.

    :param programs: name to the fields of `Program` that matter here: command, environment, stop_signal.
    """
    sections = [
        "; Written by kubestellar.core; changes here are lost.",
        "[unix_http_server]",
        f"file={_escape(str(stack.socket))}",
        "chmod=0600",
        "[supervisord]",
        f"logfile={_escape(str(stack.logs / 'supervisord.log'))}",
        "logfile_maxbytes=1MB",
        "logfile_backups=1",
        f"pidfile={_escape(str(stack.run / 'supervisord.pid'))}",
        f"childlogdir={_escape(str(stack.logs))}",
        "umask=077",
        "[rpcinterface:supervisor]",
        "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
    ]
    for name in sorted(programs):
        entry = programs[name]
        environment = ",".join(
            f'{key}="{_escape(value)}"' for key, value in sorted(entry["environment"].items())
        )
        sections += [
            f"[program:{name}]",
            f"command={_escape(shlex.join(entry['command']))}",
            *([f"environment={environment}"] if environment else []),
            "autorestart=true",
            "startsecs=1",
            # Agents exit on purpose when they lose their hub; giving up on them would need a person.
            "startretries=1000000",
            f"stopsignal={entry['stop_signal']}",
            "stopwaitsecs=3",
            "killasgroup=true",
            "redirect_stderr=true",
            f"stdout_logfile={_escape(str(stack.logs / f'{name}.log'))}",
            "stdout_logfile_maxbytes=5MB",
            "stdout_logfile_backups=1",
        ]
    return "\n".join(sections) + "\n"


def _escape(text: str) -> str:
    """`text` with what supervisor would expand, %(name)s, made literal."""
    return text.replace("%", "%%")


class Supervisor:
    """The supervisord of one stack, by its private socket."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._conf = stack.run / "supervisord.conf"

    def states(self) -> dict[str, str] | None:
        """Program to state name (`RUNNING`, `BACKOFF`, ...); None if supervisord does not answer."""
        try:
            return {info["name"]: info["statename"] for info in self._rpc().supervisor.getAllProcessInfo()}
        except _RPC_ERRORS:
            return None

    def starts(self) -> dict[str, float]:
        """Program to when it was last started, in seconds since the epoch; empty if supervisord does not answer."""
        try:
            return {info["name"]: float(info["start"]) for info in self._rpc().supervisor.getAllProcessInfo()}
        except _RPC_ERRORS:
            return {}

    def restart(self, names: Sequence[str]) -> None:
        """Stop these programs and start them again."""
        for name in names:
            server = self._rpc().supervisor
            server.stopProcessGroup(name, True)
            server.startProcess(name, False)

    def bring_about(self, programs: Mapping[str, Mapping[str, Any]]) -> None:
        """Run exactly these programs: start, restart what changed, remove what is not named; leave the rest alone.

        :raises KubestellarError: supervisord does not come up.
        """
        self._stack.logs.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_file(self._conf, configuration(self._stack, programs))
        if self.states() is None:
            self._start()
            return
        server = self._rpc().supervisor
        added, changed, removed = server.reloadConfig()[0]
        for name in (*removed, *changed):
            server.stopProcessGroup(name, True)
            server.removeProcessGroup(name)
        for name in (*changed, *added):
            server.addProcessGroup(name)
        for name, state in (self.states() or {}).items():
            if name in programs and state not in _RUNNING:
                server.startProcess(name, False)

    def _start(self) -> None:
        """Start supervisord, after ending what an earlier one that was killed has left behind."""
        processes.stop(orphans(self._stack))
        self._stack.socket.unlink(missing_ok=True)
        log = self._stack.logs / "supervisord.out"
        with open(log, "ab") as stream:
            subprocess.Popen(
                [sys.executable, "-m", "supervisor.supervisord", "--nodaemon", "-c", str(self._conf)],
                env=kwok.environment(self._stack),
                cwd=self._stack.run,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + _UP_SECONDS
        while time.monotonic() < deadline:
            if self.states() is not None:
                return
            time.sleep(0.05)
        raise KubestellarError(f"The supervisor does not start: {kwok.last_lines(log)}", hint=f"See {log}.")

    def _rpc(self) -> Any:
        if IMPORT_ERROR is not None:
            raise KubestellarError(
                f"The Python library supervisor cannot be used: {IMPORT_ERROR}.",
                hint="Install it for the Python that runs Ansible: pip install supervisor.",
            )
        transport = SupervisorTransport(None, None, f"unix://{self._stack.socket}")
        return xmlrpc.client.ServerProxy("http://127.0.0.1", transport)


def orphans(stack: Stack) -> list[processes.Process]:
    """The processes of the stack that belong to no cluster: supervisord and what it has started."""
    clusters = str(stack.clusters)
    return [process for process in processes.of_stack(stack) if not process.command[0].startswith(clusters)]


def describe(program: Program) -> dict[str, Any]:
    """The fields of a program that are remembered and compared."""
    return {
        "command": list(program.command),
        "environment": dict(program.environment),
        "stop_signal": program.stop_signal,
        "listeners": list(program.listeners),
        "ready": program.ready,
        "serves": dict(program.serves),
    }


def failures(stack: Stack, states: Mapping[str, str], names: Sequence[str]) -> list[str]:
    """One sentence for each named program that does not run, with the end of its log."""
    return [
        f"{name} is {states.get(name, 'unknown').lower()}: {plain(kwok.last_lines(stack.logs / f'{name}.log', 2), 300)}"
        for name in names
        if states.get(name) != "RUNNING"
    ]
