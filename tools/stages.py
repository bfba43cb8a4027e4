# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs commands and sums up: `python tools/stages.py [--jobs N] name='command' ...`.

All of them run, whatever became of those before; the exit code is 1 if any has failed. With more than one at a time, the
output of each is shown when it has ended.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

INTERRUPTED = (130, -2)


@dataclass(frozen=True)
class Result:
    """What became of a stage."""

    name: str
    seconds: float
    code: int

    @property
    def outcome(self) -> str:
        """The word for it."""
        return "FAILED" if self.code else "passed"


def main(arguments: Sequence[str]) -> int:
    """Run the stages, each given as `name=shell command`. Return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=1, help="how many run at a time")
    parser.add_argument("stages", nargs="+", metavar="name=command")
    options = parser.parse_args(arguments)
    stages = [stage.partition("=")[::2] for stage in options.stages]
    start = time.monotonic()
    results = _one_by_one(stages) if options.jobs == 1 else _together(stages, options.jobs)
    table = ", ".join(f"{result.name} {result.outcome} ({result.seconds:.0f} s)" for result in results)
    failed = any(result.code for result in results)
    _say(f"=== {'FAILED' if failed else 'passed'} in {time.monotonic() - start:.0f} s: {table}")
    return 1 if failed else 0


def _one_by_one(stages: Sequence[tuple[str, str]]) -> list[Result]:
    results: list[Result] = []
    for name, command in stages:
        _say(f"=== {name}")
        start = time.monotonic()
        code = subprocess.run(command, shell=True, check=False).returncode
        results.append(Result(name, time.monotonic() - start, code))
        _say(f"=== {name}: {results[-1].outcome} in {results[-1].seconds:.0f} s")
        if code in INTERRUPTED:
            break
    return results


def _together(stages: Sequence[tuple[str, str]], jobs: int) -> list[Result]:
    def run(stage: tuple[str, str]) -> Result:
        name, command = stage
        start = time.monotonic()
        done = subprocess.run(
            command,
            shell=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        result = Result(name, time.monotonic() - start, done.returncode)
        _say(f"=== {name}\n{done.stdout}=== {name}: {result.outcome} in {result.seconds:.0f} s")
        return result

    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(run, stages))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
