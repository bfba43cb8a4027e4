# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A program that reads files and prints objects, such as helm (private to kubestellar.core).

It runs by a list of arguments, never through a shell, and gets what is secret on its standard input.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    KubestellarError,
    PreflightFailed,
    WaitTimeout,
    plain,
)


@dataclass(frozen=True)
class Done:
    """How a program has ended."""

    code: int
    output: str
    errors: str

    @property
    def complaint(self) -> str:
        """The end of what it has said, as a clause for a message."""
        return complaint(self.errors or self.output)


def complaint(text: str) -> str:
    """The end of what a program has said, as a clause for a message."""
    lines = [line for line in text.splitlines() if line.strip()]
    return plain(" | ".join(lines[-3:]), 400).rstrip(".") or "it says nothing"


def find(given: str, names: Sequence[str], environ: Mapping[str, str]) -> str | None:
    """The absolute path of a program; None if it is not there.

    :param given: a name or a path; empty for the first of `names` that is on the PATH.
    """
    for name in [os.path.expanduser(given)] if given else names:
        path = shutil.which(name, path=environ.get("PATH"))
        if path:
            return os.path.abspath(path)
    return None


def run(
    command: Sequence[str],
    environ: Mapping[str, str],
    *,
    seconds: float,
    what: str,
    hint: str = "",
    stdin: str = "",
) -> Done:
    """Run a program to its end.

    :param what: what it does, to be followed by `in 5 s`, such as `helm has not rendered the chart`.
    :param hint: what to try if that takes too long.
    :raises PreflightFailed: it cannot be run.
    :raises WaitTimeout: it has not ended in time; it is killed.
    """
    try:
        done = subprocess.run(
            command,
            env=dict(environ),
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except OSError as error:
        raise PreflightFailed(
            f"{command[0]} cannot be run: {error.strerror}.", hint="Name another program."
        ) from error
    except subprocess.TimeoutExpired as error:
        raise WaitTimeout(f"{what} in {seconds:.0f} s.", hint=hint) from error
    return Done(done.returncode, done.stdout, done.stderr)


def check_version(program: str, done: Done, pattern: str, oldest: tuple[int, ...], what: str) -> None:
    """See that a program is what it should be, and new enough.

    :param done: how it has ended when it was asked for its version.
    :param pattern: finds the version, as its one group.
    :raises KubestellarError: it is not.
    """
    match = re.search(pattern, done.output) if done.code == 0 else None
    wanted = f"{what} {'.'.join(map(str, oldest))} or newer"
    if match is None:
        raise KubestellarError(
            f"{program} does not say a version of {what}: {done.complaint}.", hint=f"Name {wanted}."
        )
    if tuple(map(int, match.group(1).split("."))) < oldest:
        raise KubestellarError(
            f"{program} is {what} {match.group(1)}, which is too old.",
            hint=f"Install {wanted}, or name another program.",
        )
