# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restarts dead components of a stack's clusters (private to kubestellar.core).

    python -m ansible_collections.kubestellar.core.plugins.module_utils.embedded.keeper HOME STACK BINARIES

kwokctl starts the components of a cluster but does not watch them. This small process, itself supervised,
does. Only clusters that have been ready once are kept: one that is being created or removed is left alone.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from ansible_collections.kubestellar.core.plugins.module_utils._errors import KubestellarError
from ansible_collections.kubestellar.core.plugins.module_utils.embedded import kwok
from ansible_collections.kubestellar.core.plugins.module_utils.embedded.home import Stack, State

_INTERVAL_SECONDS = 2.0


def check(stack: Stack, binaries: Path, log: list[str]) -> None:
    """Start what is dead now; lines about it go to `log`."""
    for name, known in State.load(stack).clusters.items():
        if known.get("stopped"):
            continue
        wanted = set(kwok.Wanted(name, known["role"]).components)
        dead = sorted(wanted - set(kwok.components(stack, name)))
        if dead:
            log.append(f"{name}: {', '.join(dead)} not running: starting")
            try:
                kwok.start(stack, name, binaries)
            except KubestellarError as error:
                log.append(error.message)


def main(arguments: list[str]) -> None:
    """Check every two seconds until killed."""
    stack, binaries = Stack.of(arguments[0], arguments[1]), Path(arguments[2])
    while True:
        log: list[str] = []
        check(stack, binaries, log)
        for line in log:
            sys.stderr.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S')} {line}\n")
        sys.stderr.flush()
        time.sleep(_INTERVAL_SECONDS)


if __name__ == "__main__":
    main(sys.argv[1:])
