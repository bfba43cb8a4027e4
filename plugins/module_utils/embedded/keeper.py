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
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils.embedded import kwok, processes
from ansible_collections.kubestellar.core.plugins.module_utils.embedded.home import Stack, State

_INTERVAL_SECONDS = 2.0


class Keeper:
    """Knows the processes of the clusters, so that a look at them is cheap while all is well."""

    def __init__(self, stack: Stack, binaries: Path) -> None:
        self._stack = stack
        self._binaries = binaries
        self._known: dict[str, dict[str, processes.Process]] = {}

    def check(self) -> list[str]:
        """Start what is dead now; lines about it."""
        log = []
        for name, cluster in State.load(self._stack).clusters.items():
            if not (self._stack.cluster(name) / "kwok.yaml").exists():
                continue  # its folder is lost: only a run can make it anew
            wanted = set(kwok.Wanted(name, cluster["role"], cluster.get("nodes", 0)).components)
            dead = self._dead(name, wanted)
            if dead:
                log.append(f"{name}: {', '.join(dead)} not running: starting")
                try:
                    with self._stack.starting(Progress(None)):
                        if self._dead(name, wanted):  # a run may have started it meanwhile
                            kwok.start(self._stack, name, self._binaries)
                except KubestellarError as error:
                    log.append(error.message)
        return log

    def _dead(self, name: str, wanted: set[str]) -> list[str]:
        """The components that do not run. All processes of the machine are read only if one is missing."""
        known = self._known.get(name, {})
        if not wanted <= {component for component, process in known.items() if processes.is_same(process)}:
            self._known[name] = known = kwok.components(self._stack, name)
        return sorted(wanted - set(known))


def main(arguments: list[str]) -> None:
    """Check every two seconds until killed."""
    keeper = Keeper(Stack.of(arguments[0], arguments[1]), Path(arguments[2]))
    while True:
        for line in keeper.check():
            sys.stderr.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S')} {line}\n")
        sys.stderr.flush()
        time.sleep(_INTERVAL_SECONDS)


if __name__ == "__main__":
    main(sys.argv[1:])
