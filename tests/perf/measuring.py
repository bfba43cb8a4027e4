# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a program costs, and what is written by hand where no agent runs."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.kubestellar.core.plugins.module_utils._resources import Resource

from ..integration.running import CHECKOUT


class Cost(NamedTuple):
    """Seconds by the clock, seconds of CPU and MB of the largest process, with all that it started."""

    wall: float
    cpu: float
    memory: float

    def __str__(self) -> str:
        """The end of a line in a table."""
        return f"{self.wall:6.2f} s   CPU {self.cpu:6.2f} s   {self.memory:5.0f} MB"


def cost(command: Sequence[str], environment: Mapping[str, str], stdin: str = "") -> tuple[Cost, str]:
    """What a command costs that succeeds, and what it prints."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=CHECKOUT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(stdin)
    process.stdin.close()
    output = process.stdout.read()
    _pid, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, output[-3000:]
    wall = time.perf_counter() - start
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024), output


def median(runs: Iterable[Cost]) -> Cost:
    """The median of each number."""
    return Cost(*(statistics.median(values) for values in zip(*runs, strict=True)))


def typed(resource: Resource, obj: Mapping[str, Any]) -> dict[str, Any]:
    """The object with what says its type."""
    return {"apiVersion": resource.api_version, "kind": resource.kind, **obj}
