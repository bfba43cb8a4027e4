# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the machine must have before anything is started (private to kubestellar.core).

All that is missing is said in one message.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from ansible_collections.kubestellar.core.plugins.module_utils._errors import PreflightFailed
from ansible_collections.kubestellar.core.plugins.module_utils.embedded import kwok, ports, processes
from ansible_collections.kubestellar.core.plugins.module_utils.embedded.home import Stack, State

MEMORY_PER_CLUSTER = 500
"""MiB that a cluster with its share of the controllers takes."""
DISK_FREE = 1024
"""MiB of disk that a stack may take, mostly logs and etcd."""
INOTIFY_PER_CLUSTER = 9
"""Instances of inotify that the programs of a cluster hold, with its share of the controllers."""
_LONGEST_SOCKET = 100


def clusters(
    stack: Stack, state: State, wanted: Mapping[str, kwok.Wanted], methods: Mapping[str, str], binaries: Path
) -> None:
    """Check for the clusters that are to be created or started.

    :param methods: name of each such cluster to `create` or `update`.
    :raises PreflightFailed: with everything that is missing.
    """
    problems = machine(stack, binaries)
    problems += memory(len(methods))
    problems += inotify(len(methods))
    for name in methods:
        running = kwok.components(stack, name)
        for purpose in kwok.purposes(wanted[name]).values():
            component = purpose.partition("/")[2].replace("etcd-peer", "etcd")
            if component not in running:
                try:
                    _check_port(stack, state, purpose, methods[name])
                except PreflightFailed as failed:
                    problems.append(str(failed.result()["msg"]))
    fail(problems)


def _check_port(stack: Stack, state: State, purpose: str, method: str) -> None:
    """The port of a component that does not run; a cluster that does not exist yet can take another one."""
    if method == "create":
        number = state.ports.get(purpose)
        holder = processes.holder(number) if number and not ports.is_free(number) else None
        if holder is None or holder.pid not in {process.pid for process in processes.of_stack(stack)}:
            ports.renew_if_taken(state, purpose)
        return
    ports.check_free(state, purpose)


def fail(problems: list[str]) -> None:
    """:raises PreflightFailed: there are problems."""
    if problems:
        raise PreflightFailed("Nothing has been started. " + " ".join(problems), problems=problems)


def machine(stack: Stack, binaries: Path, environ: Mapping[str, str] | None = None) -> list[str]:
    """What is wrong with the machine, whatever is to be started."""
    problems = []
    if not sys.platform.startswith("linux"):
        problems.append("The embedded provider needs Linux.")
    if not (binaries / "kwokctl").exists():
        problems.append(
            f"The programs are not built: {binaries} has no kwokctl. Run the entry point build first."
        )
    if importlib.util.find_spec("supervisor") is None:
        problems.append("The Python library supervisor is missing. Install it: pip install supervisor.")
    if len(str(stack.socket)) > _LONGEST_SOCKET:
        problems.append(
            f"The path {stack.socket} is longer than a socket's may be ({_LONGEST_SOCKET}). "
            "Set KUBESTELLAR_HOME to a shorter path."
        )
    problems += proxy(os.environ if environ is None else environ)
    problems += _disk(stack)
    return problems


def proxy(environ: Mapping[str, str]) -> list[str]:
    """Whether a proxy variable would swallow requests to 127.0.0.1."""
    names = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
    name = next((name for name in names if environ.get(name)), None)
    exceptions = (environ.get("NO_PROXY") or environ.get("no_proxy") or "").replace(" ", "").split(",")
    if name is None or {"127.0.0.1", "127.0.0.0/8", "*"} & set(exceptions):
        return []
    return [f"{name} would send requests for 127.0.0.1 to the proxy. Add 127.0.0.1,localhost to NO_PROXY."]


def inotify(count: int, proc: Path = Path("/proc")) -> list[str]:
    """Whether this user may have the instances of inotify for `count` more clusters."""
    try:
        most = int((proc / "sys/fs/inotify/max_user_instances").read_text())
    except (OSError, ValueError):
        return []
    held, needed = sum(_inotify_instances(proc)), count * INOTIFY_PER_CLUSTER
    if held + needed <= most:
        return []
    limit = max(512, 2 * (held + needed))
    problem = (
        f"{count} clusters need {needed} instances of inotify, and {held} of the {most} of this user are taken. "
        f"Stop something, or raise the limit: sudo sysctl fs.inotify.max_user_instances={limit}."
    )
    return [problem]


def _inotify_instances(proc: Path) -> Iterator[int]:
    """How many each process of this user holds."""
    for folder in proc.glob("[0-9]*"):
        try:
            if folder.stat().st_uid == os.geteuid():
                yield sum(
                    os.readlink(entry.path) == "anon_inode:inotify" for entry in os.scandir(folder / "fd")
                )
        except OSError:
            continue  # it has ended


def memory(count: int, meminfo: Path = Path("/proc/meminfo")) -> list[str]:
    """Whether there is memory for `count` more clusters."""
    available = next(
        int(line.split()[1]) // 1024
        for line in meminfo.read_text().splitlines()
        if line.startswith("MemAvailable:")
    )
    needed = count * MEMORY_PER_CLUSTER
    if available >= needed:
        return []
    return [
        f"{count} clusters need {needed} MiB of free memory, and {available} MiB are free. Stop something."
    ]


def _disk(stack: Stack) -> list[str]:
    """Whether the folder can be written and its disk has room."""
    folder = next(path for path in (stack.folder, *stack.folder.parents) if path.exists())
    if folder.stat().st_uid != os.getuid() and not os.access(folder, os.W_OK):
        return [f"{folder} belongs to another user. Set KUBESTELLAR_HOME to a folder of your own."]
    free = shutil.disk_usage(folder).free // 2**20
    if free < DISK_FREE:
        return [
            f"A stack needs {DISK_FREE} MiB of free disk, and {folder} has {free}. Make room or set KUBESTELLAR_HOME."
        ]
    return []
