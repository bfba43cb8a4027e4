# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the embedded provider keeps things, and what it remembers of a stack (private to kubestellar.core)."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, KubestellarError
from ansible_collections.kubestellar.core.plugins.module_utils._files import write_file
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress

DEFAULT_HOME = "~/.kubestellar"
MARKER = "KUBESTELLAR_STACK"
"""Environment variable that every process of a stack carries; its value is the folder of the stack."""
STACK_SPEC: dict[str, dict[str, Any]] = {
    "home": {"type": "path", "default": DEFAULT_HOME},
    "stack": {"type": "str", "default": "kubestellar"},
}
"""The options that name a stack. Documented in doc_fragments/_embedded.py."""

_STACK_NAME = re.compile(r"^[a-z0-9]([-a-z0-9]{0,28}[a-z0-9])?$")
_LOCK_SECONDS = 900.0


@dataclass(frozen=True)
class Stack:
    """The folders of one stack.

    :param home: `$KUBESTELLAR_HOME`, absolute.
    """

    home: Path
    name: str

    @classmethod
    def of(cls, home: str, name: str) -> Stack:
        """:raises InvalidInput: the name is not allowed."""
        if not _STACK_NAME.match(name):
            raise InvalidInput(
                f"The stack name {name!r} is not allowed.",
                hint="Set kubestellar_stack to at most 30 lower-case letters, digits and dashes.",
            )
        return cls(Path(os.path.abspath(os.path.expanduser(home or DEFAULT_HOME))), name)

    @property
    def folder(self) -> Path:
        """Everything of this stack, and nothing else."""
        return self.home / "stacks" / self.name

    @property
    def kubeconfig(self) -> Path:
        """The merged kubeconfig."""
        return self.folder / "kubeconfig"

    @property
    def bin(self) -> Path:
        """A link to the programs that the stack runs, for people: kubectl is among them."""
        return self.folder / "bin"

    @property
    def clusters(self) -> Path:
        """KWOK_WORKDIR of kwokctl."""
        return self.folder / "kwok"

    @property
    def run(self) -> Path:
        """Configuration files, socket and pid of the supervisor."""
        return self.folder / "run"

    @property
    def logs(self) -> Path:
        """Logs of the controllers and agents."""
        return self.folder / "logs"

    @property
    def agents(self) -> Path:
        """One folder per WEC with the credentials of its agent."""
        return self.folder / "agents"

    @property
    def lib(self) -> Path:
        """The Python of our own agents."""
        return self.folder / "lib"

    @property
    def socket(self) -> Path:
        """The supervisor's control socket."""
        return self.run / "supervisor.sock"

    def cluster(self, name: str) -> Path:
        """The folder that kwokctl keeps for one cluster."""
        return self.clusters / "clusters" / name

    def locked(self, progress: Progress) -> contextlib.AbstractContextManager[None]:
        """Hold the stack: only one run changes it at a time. The lock goes with the process that holds it.

        :raises KubestellarError: another run held it for too long.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self._held(self.folder.parent / f".{self.name}.lock", progress)

    def starting(self, progress: Progress) -> contextlib.AbstractContextManager[None]:
        """Hold the clusters' components: a run and the keeper must not start the same ones at once.

        :raises KubestellarError: another process held them for too long.
        """
        self.run.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self._held(self.run / "clusters.lock", progress)

    @contextlib.contextmanager
    def _held(self, path: Path, progress: Progress) -> Iterator[None]:
        with open(path, "a+", encoding="ascii") as stream:
            deadline = time.monotonic() + _LOCK_SECONDS
            while True:
                try:
                    fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError as error:
                    if time.monotonic() > deadline:
                        raise KubestellarError(
                            f"The stack {self.name} is being changed by another run for {_LOCK_SECONDS:.0f} s.",
                            hint=f"Wait for it or stop it; it holds {path}.",
                        ) from error
                    progress.waiting(f"waiting for another run that changes the stack {self.name}")
                    time.sleep(0.5)
            yield


@dataclass
class State:
    """What is remembered of a stack, in `stack.json`.

    :ivar ports: purpose, such as `its1/kube-apiserver`, to port.
    :ivar clusters: name of each cluster that has been ready once to `{role, nodes, artifacts}`.
    :ivar programs: name of each supervised program to its description (see `programs.py`).
    """

    path: Path
    ports: dict[str, int] = field(default_factory=dict)
    clusters: dict[str, dict[str, Any]] = field(default_factory=dict)
    programs: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def load(cls, stack: Stack) -> State:
        """What the last run remembered; empty for a new stack.

        :raises KubestellarError: the file is there but cannot be read: never taken for "nothing".
        """
        path = stack.folder / "stack.json"
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            return cls(path, dict(content["ports"]), dict(content["clusters"]), dict(content["programs"]))
        except FileNotFoundError:
            return cls(path)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise KubestellarError(
                f"The state of the stack {stack.name} cannot be read: {path}: {error}.",
                hint="Delete the stack (playbook kubestellar.core.teardown) and set it up again.",
            ) from error

    def save(self) -> None:
        """Write atomically, if anything changed."""
        content = {"ports": self.ports, "clusters": self.clusters, "programs": self.programs}
        write_file(self.path, json.dumps(content, indent=1, sort_keys=True) + "\n")


def write_link(path: Path, target: Path) -> None:
    """Make `path` a link to `target`, atomically."""
    if path.is_symlink() and path.readlink() == target:
        return
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    temporary.replace(path)
