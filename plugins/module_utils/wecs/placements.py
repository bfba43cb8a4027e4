# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Bindings list which WECs, while that changes (private to kubestellar.core)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._resources import BINDINGS
from ansible_collections.kubestellar.core.plugins.module_utils._wait import Waiter
from ansible_collections.kubestellar.core.plugins.module_utils.placement import resolution


class Placements:
    """The Bindings of some WDSes, followed by a waiter."""

    def __init__(self, waiter: Waiter, wdses: Sequence[Cluster]) -> None:
        self._bindings = {wds.name: waiter.follow(wds, BINDINGS, keep=_destinations) for wds in wdses}

    def by_cluster(self) -> dict[str, list[str]]:
        """Cluster to what lists it, such as `wds1: Binding shop`; a cluster that nothing lists has an empty list."""
        placed: dict[str, list[str]] = defaultdict(list)
        for wds, follower in self._bindings.items():
            for (_namespace, name), binding in follower.objects().items():
                for cluster in binding["clusters"]:
                    placed[cluster].append(binding_label(wds, name))
        return placed


def binding_label(wds: str, name: str) -> str:
    """A Binding for a sentence."""
    return f"{wds}: Binding {name}"


def _destinations(binding: dict[str, Any]) -> dict[str, Any]:
    return {"clusters": resolution.destinations(binding)}
