# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a program costs, what it may cost, and how both are shown."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ansible_collections.kubestellar.core.plugins.module_utils._resources import Resource

from ..integration.running import CHECKOUT

SIZES = ("full", "small")
size = SIZES[0]
"""What `--size` says; set before the benchmarks are imported."""
HEADINGS = ("benchmark", "measured", "budget", "holds")


def scaled(full: int, small: int) -> int:
    """A number that depends on the size of the benchmarks."""
    return full if size == "full" else small


class Budget(NamedTuple):
    """What a benchmark measures, and what it may be at full size.

    :ivar limit: None where nothing is promised.
    :ivar at_least: the figure must not be below the limit; else, not above it.
    """

    what: str
    limit: float | None
    unit: str = "s"
    at_least: bool = False

    def row(self, figure: float) -> tuple[str, str, str, str]:
        """A line under `HEADINGS`."""
        measured = f"{figure:.2f} {self.unit}"
        if self.limit is None:
            return self.what, measured, "none", "-"
        holds = figure >= self.limit if self.at_least else figure <= self.limit
        sign = ">=" if self.at_least else "<="
        verdict = ("yes" if holds else "NO") if size == "full" else "-"
        return self.what, measured, f"{sign} {self.limit:g} {self.unit}", verdict


class Results:
    """What a benchmark has found: figures for the table of all benchmarks, and lines of its own."""

    def __init__(self, properties: list[tuple[str, object]]) -> None:
        self._properties = properties

    def figure(self, budget: Budget, figure: float) -> None:
        """Put a figure beside its budget."""
        self._properties.append(("figure", budget.row(figure)))

    def details(self, *lines: str) -> None:
        """Show these lines as they are."""
        self._properties += [("detail", line) for line in lines]


def table(rows: Iterable[Sequence[str]]) -> list[str]:
    """Rows in columns, under their headings."""
    rows = [HEADINGS, *rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


class Steps:
    """CPU seconds of this process, step by step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.lines: list[str] = []

    def take(self, what: str, work: Callable[[], Any], said: Callable[[Any], str]) -> Any:
        """The result of a step. :param said: what its line says of it."""
        start = time.process_time()
        result = work()
        self.seconds[what] = time.process_time() - start
        self.lines.append(f"  {what:<16} {self.seconds[what]:6.2f} s   {said(result)}")
        return result


class Cost(NamedTuple):
    """Seconds by the clock, seconds of CPU and MB of the largest process, with all that it started."""

    wall: float
    cpu: float
    memory: float

    def __str__(self) -> str:
        """The end of a line in a table."""
        return f"{self.wall:6.2f} s   CPU {self.cpu:6.2f} s   {self.memory:5.0f} MB"


_MEASURE = """\
import json, resource, subprocess, sys, time
start = time.perf_counter()
code = subprocess.call(sys.argv[2:])
wall, used = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1], "w") as stream:
    json.dump([wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024], stream)
sys.exit(code)
"""
"""In between, since Linux says of a process that it was as large as the one that has started it, and tests may be large."""


def cost(command: Sequence[str], environment: Mapping[str, str], stdin: str = "") -> tuple[Cost, str]:
    """What a command costs that succeeds, and what it prints."""
    with tempfile.NamedTemporaryFile("r") as found:
        done = subprocess.run(
            [sys.executable, "-IS", "-c", _MEASURE, found.name, *command],
            cwd=CHECKOUT,
            env=environment,
            input=stdin,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-3000:]
        return Cost(*json.load(found)), done.stdout


def median(runs: Iterable[Cost]) -> Cost:
    """The median of each number."""
    return Cost(*(statistics.median(values) for values in zip(*runs, strict=True)))


def machine() -> float:
    """CPU seconds that all processes of this machine have used."""
    user, nice, system, _idle, _wait, interrupts, soft, _stolen = (
        int(value) for value in Path("/proc/stat").read_text().split()[1:9]
    )
    return (user + nice + system + interrupts + soft) / os.sysconf("SC_CLK_TCK")


def typed(resource: Resource, obj: Mapping[str, Any]) -> dict[str, Any]:
    """The object with what says its type."""
    return {"apiVersion": resource.api_version, "kind": resource.kind, **obj}
