# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Free ports on the loopback interface, remembered by purpose (private to kubestellar.core)."""

from __future__ import annotations

import random
import socket

from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    KubestellarError,
    PreflightFailed,
)
from ansible_collections.kubestellar.core.plugins.module_utils.embedded import processes
from ansible_collections.kubestellar.core.plugins.module_utils.embedded.home import State

LOOPBACK = "127.0.0.1"
# Below the range that Linux takes for outgoing connections, so that none of those is in the way after a restart.
_LOWEST, _HIGHEST = 20000, 32000


def is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1:port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def port(state: State, purpose: str) -> int:
    """The port remembered for a purpose, or a free one that is remembered from now on (the caller saves).

    :raises KubestellarError: no free port was found.
    """
    if purpose not in state.ports:
        taken = set(state.ports.values())
        for candidate in random.sample(range(_LOWEST, _HIGHEST), 200):
            if candidate not in taken and is_free(candidate):
                state.ports[purpose] = candidate
                break
        else:
            raise KubestellarError(f"No free port between {_LOWEST} and {_HIGHEST} was found for {purpose}.")
    return state.ports[purpose]


def check_free(state: State, purpose: str) -> None:
    """Make sure that the port of something that does not run is free.

    :raises PreflightFailed: another process has taken it.
    """
    number = state.ports.get(purpose)
    if number is None or is_free(number):
        return
    holder = processes.holder(number)
    by = f"the process {holder.pid} ({holder.text[:80]})" if holder else "another process"
    raise PreflightFailed(
        f"The port {number} of {purpose} is taken by {by}.",
        hint="Stop that process and run again, or delete the stack and set it up again on other ports.",
    )


def renew_if_taken(state: State, purpose: str) -> int:
    """The port of something that does not run and that no one else knows; another one if it is taken now."""
    if purpose in state.ports and not is_free(state.ports[purpose]):
        del state.ports[purpose]
    return port(state, purpose)
