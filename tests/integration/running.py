# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real embedded stack for tests: its place, its clusters, and how to run playbooks and modules against it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._resources import LEASES, MANAGED_CLUSTERS
from ansible_collections.kubestellar.core.plugins.module_utils._wait import condition
from ansible_collections.kubestellar.core.plugins.module_utils.embedded import processes
from ansible_collections.kubestellar.core.plugins.module_utils.embedded.home import Stack
from ansible_collections.kubestellar.core.plugins.module_utils.embedded.supervisor import Supervisor
from ansible_collections.kubestellar.core.plugins.module_utils.wecs.registered import LEASE
from ansible_collections.kubestellar.core.tests.waiting import eventually

CHECKOUT = Path(__file__).parents[2]
INVENTORY = CHECKOUT / "inventories" / "embedded"
_ALONE = """\
import json, sys
from ansible.module_utils.testing import patch_module_args
from ansible_collections.kubestellar.core.plugins.modules import {module}
with patch_module_args(json.load(sys.stdin)):
    {module}.main()
"""
CONTEXTS = ("hub", "its1", "wds1", "cluster1", "cluster2")


@dataclass(frozen=True)
class Running:
    """A stack for tests: its place, its clusters, and how to run playbooks and modules against it."""

    stack: Stack

    @property
    def kubeconfig(self) -> str:
        """Path of the merged kubeconfig."""
        return str(self.stack.kubeconfig)

    def cluster(self, context: str) -> Cluster:
        """A client for one of the clusters."""
        return Cluster.from_kubeconfig(self.kubeconfig, context, name=context)

    def arguments(self, playbook: str | Path, *extra: str, inventory: Path = INVENTORY) -> list[str]:
        """The command line of a playbook for this stack: one of the checkout by its name, or any by its path."""
        own = CHECKOUT / "playbooks" / f"{playbook}.yml"
        return [
            str(Path(sys.executable).parent / "ansible-playbook"),
            "-i",
            str(inventory),
            str(playbook if isinstance(playbook, Path) else own),
            "-e",
            f"kubestellar_stack={self.stack.name}",
            "-e",
            f"kubestellar_home={self.stack.home}",
            *extra,
        ]

    def environment(self) -> dict[str, str]:
        """The environment of a playbook run."""
        return {**os.environ, "ANSIBLE_FORCE_COLOR": "0", "ANSIBLE_NOCOLOR": "1"}

    def python_environment(self) -> dict[str, str]:
        """The environment of a Python that finds the collection, for `alone`."""
        return {**self.environment(), "PYTHONPATH": str(CHECKOUT / ".venv" / "collections")}

    def playbook(
        self, name: str | Path, *extra: str, timeout: float = 400, folder: Path = CHECKOUT
    ) -> subprocess.CompletedProcess[str]:
        """Run a playbook to its end, see `arguments` and `run`."""
        return self.run(self.arguments(name, *extra), timeout=timeout, folder=folder)

    def run(
        self, command: Sequence[str], *, timeout: float = 400, folder: Path = CHECKOUT, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in a folder to its end. :param environment: beside that of a playbook."""
        return subprocess.run(
            command,
            cwd=folder,
            env={**self.environment(), **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def start_playbook(self, name: str, *extra: str) -> subprocess.Popen[str]:
        """Start a playbook in a process group of its own, to be interrupted."""
        return subprocess.Popen(
            self.arguments(name, *extra),
            cwd=CHECKOUT,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def audit(self, context: str, since: int = 0) -> list[dict[str, Any]]:
        """The events in the audit log of a cluster. :param since: from `audited`; only those after it."""
        with open(self._audit_log(context), "rb") as stream:
            stream.seek(max(0, since - 1))
            text = stream.read()
        # Neither a line that was half written then, nor one that is now.
        lines = text.split(b"\n")[bool(since) : -1]
        return [json.loads(line) for line in lines]

    def audited(self, context: str) -> int:
        """How far the audit log of a cluster is now."""
        return self._audit_log(context).stat().st_size

    def _audit_log(self, context: str) -> Path:
        return self.stack.cluster(context) / "logs" / "audit.log"

    def writes(self, context: str, since: int = 0) -> list[dict[str, Any]]:
        """The write requests of the collection in the audit log of a cluster, after `since`, see `audit`.

        A dry run is in the log too, but writes nothing.
        """
        return [
            event
            for event in self.audit(context, since)
            if event.get("userAgent", "").startswith("kubestellar.core")
            and "dryRun=All" not in event["requestURI"]
        ]

    def mark(self, *more: str) -> dict[str, int]:
        """How far each audit log is now, for `writes_since`. :param more: clusters beside the usual ones."""
        return {context: self.audited(context) for context in (*CONTEXTS, *more)}

    def writes_since(self, mark: dict[str, int]) -> list[str]:
        """What the collection has written anywhere since a mark, one line per request."""
        return [
            f"{context}: {event['verb']} {event['requestURI']}"
            for context in mark
            for event in self.writes(context, mark[context])
        ]


def alone(module: str) -> list[str]:
    """The command line of a module in a process of its own. It reads its arguments as JSON from standard input."""
    return [sys.executable, "-c", _ALONE.format(module=module)]


def recap(output: str) -> dict[str, dict[str, int]]:
    """Host to the counters of a play recap."""
    counters = {}
    for line in output.partition("PLAY RECAP")[2].splitlines():
        host, colon, rest = line.partition(" : ")
        if colon:
            counters[host.strip()] = {
                key: int(value) for key, value in (pair.split("=") for pair in rest.split())
            }
    return counters


def assert_ok(done: subprocess.CompletedProcess[str]) -> dict[str, dict[str, int]]:
    """The recap of a playbook that has succeeded."""
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    return recap(done.stdout)


def make_stack(name: str) -> Running:
    """A stack of this name in the user's home of the embedded provider, where the programs are built once."""
    return Running(Stack.of(os.environ.get("KUBESTELLAR_HOME", ""), name))


def destroy(running: Running) -> None:
    """Delete a stack and see that nothing of it is left."""
    assert_ok(running.playbook("teardown"))
    assert not running.stack.folder.exists()
    assert processes.of_stack(running.stack) == []


def kill_group(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """Signal a playbook and everything it has started itself, and wait for its end."""
    os.killpg(process.pid, number)
    process.wait(timeout=60)


@contextlib.contextmanager
def stopped(running: Running, *programs: str) -> Iterator[None]:
    """These programs of the stack do not run for a while."""
    control = Supervisor(running.stack)
    server = control._rpc().supervisor
    names = [name for name in control.states() or {} if name.startswith(programs)]
    assert len(names) >= len(programs), control.states()
    for name in names:
        server.stopProcess(name, True)
    try:
        yield
    finally:
        for name in names:
            server.startProcess(name, True)


@contextlib.contextmanager
def silent(running: Running, name: str) -> Iterator[None]:
    """The agent of a cluster does not run, and has not been heard of for ten minutes."""
    its, server = running.cluster("its1"), Supervisor(running.stack)._rpc().supervisor
    agent = f"ocm-agent-{name}"

    def said() -> str | None:
        return condition(its.get(MANAGED_CLUSTERS, name), "ManagedClusterConditionAvailable").get("status")

    server.stopProcess(agent, True)
    try:
        long_ago = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(time.time() - 600))
        its.patch(LEASES, LEASE, name, {"spec": {"renewTime": long_ago}})
        eventually(lambda: said() == "Unknown")
        yield
    finally:
        server.startProcess(agent, True)
        eventually(lambda: said() == "True")
