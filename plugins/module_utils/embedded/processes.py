# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The processes of a stack, found by the marker in their environment (private to kubestellar.core).

The marker finds exactly what we started, whoever its parent is now and whatever pid files say.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.kubestellar.core.plugins.module_utils._errors import KubestellarError
from ansible_collections.kubestellar.core.plugins.module_utils.embedded.home import MARKER, Stack

_PROC = Path("/proc")
_GRACE_SECONDS = 3.0
_KILL_SECONDS = 10.0


@dataclass(frozen=True)
class Process:
    """A running process. :param started: clock ticks after boot, which tells it from a later one of the same pid."""

    pid: int
    started: str
    command: tuple[str, ...]

    @property
    def text(self) -> str:
        """Its command line."""
        return " ".join(self.command)


def of_stack(stack: Stack) -> list[Process]:
    """All processes that carry the marker of this stack, except this one and zombies."""
    wanted = f"{MARKER}={stack.folder}".encode()
    found = []
    for entry in _PROC.iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if wanted not in (entry / "environ").read_bytes().split(b"\0"):
                continue
            process = read(int(entry.name))
        except OSError:
            continue  # ended meanwhile, or another user's
        if process is not None:
            found.append(process)
    return found


def read(pid: int) -> Process | None:
    """The process of a pid, or None if there is none or it is a zombie."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
        command = (_PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    if fields[0] == "Z" or not command:
        return None
    return Process(
        pid, fields[19], tuple(part.decode(errors="replace") for part in command.rstrip(b"\0").split(b"\0"))
    )


def stop(processes: Sequence[Process], grace: float = _GRACE_SECONDS) -> None:
    """End processes: SIGTERM, and SIGKILL for those that are left after `grace` seconds.

    :raises KubestellarError: one survives even that.
    """
    _signal(processes, signal.SIGTERM)
    left = _wait_gone(processes, grace)
    _signal(left, signal.SIGKILL)
    left = _wait_gone(left, _KILL_SECONDS)
    if left:
        raise KubestellarError(
            f"The process {left[0].pid} ({left[0].text[:80]}) does not end, not even by SIGKILL."
        )


def is_same(process: Process) -> bool:
    """Whether the process still runs, and is not another one with its pid."""
    now = read(process.pid)
    return now is not None and now.started == process.started


def _signal(processes: Sequence[Process], number: signal.Signals) -> None:
    for process in processes:
        if is_same(process):
            try:
                os.kill(process.pid, number)
            except ProcessLookupError:
                continue


def _wait_gone(processes: Sequence[Process], seconds: float) -> list[Process]:
    deadline = time.monotonic() + seconds
    left = [process for process in processes if is_same(process)]
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = [process for process in left if is_same(process)]
    return left


def holder(port: int) -> Process | None:
    """The process that listens on a TCP port, if we may see it."""
    inodes = _listening(lambda listening: listening == port)
    if not inodes:
        return None
    for entry in _PROC.iterdir():
        if not entry.name.isdigit():
            continue
        if inodes.intersection(_links(entry / "fd")):
            return read(int(entry.name))
    return None


def _links(folder: Path) -> Iterator[str]:
    """What the links of a folder point to, as far as they can be read and are still there."""
    with contextlib.suppress(OSError):
        for link in folder.iterdir():
            with contextlib.suppress(OSError):
                yield os.readlink(link)


def _listening(wanted: Callable[[int], bool]) -> set[str]:
    """Socket links (`socket:[inode]`) of the TCP listeners on the wanted ports."""
    found = set()
    for table in ("tcp", "tcp6"):
        try:
            lines = (_PROC / "net" / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == "0A" and wanted(int(fields[1].rpartition(":")[2], 16)):
                found.add(f"socket:[{fields[9]}]")
    return found
