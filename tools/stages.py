# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs commands one after the other and sums up: `python tools/stages.py name='command' ...`.

All of them run, whatever became of those before; the exit code is 1 if any has failed.
"""

from __future__ import annotations

import subprocess
import sys
import time


def main(arguments: list[str]) -> int:
    """Run the stages, each given as `name=shell command`. Return the exit code."""
    results: list[tuple[str, float, int]] = []
    for argument in arguments:
        name, _equals, command = argument.partition("=")
        _say(f"=== {name}")
        start = time.monotonic()
        code = subprocess.run(command, shell=True, check=False).returncode
        seconds = time.monotonic() - start
        results.append((name, seconds, code))
        _say(f"=== {name}: {_outcome(code)} in {seconds:.0f} s")
        if code in (130, -2):
            break
    failed = [name for name, _seconds, code in results if code]
    table = ", ".join(f"{name} {_outcome(code)} ({seconds:.0f} s)" for name, seconds, code in results)
    total = sum(seconds for _name, seconds, _code in results)
    _say(f"=== {'FAILED' if failed else 'passed'} in {total:.0f} s: {table}")
    return 1 if failed else 0


def _outcome(code: int) -> str:
    return "FAILED" if code else "passed"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
