# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a policy has left behind: ManifestWorks that its Binding does not account for (private to kubestellar.core).

KubeStellar removes what leaves a Binding, but not in every case (kubestellar#3569, kubestellar#2586). What is on its way out
does not count; nor does what it may still be about to remove, for a few seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _delivery
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster, label
from ansible_collections.kubestellar.core.plugins.module_utils._resources import MANIFEST_WORKS
from ansible_collections.kubestellar.core.plugins.module_utils.placement import resolution

SECONDS = 10.0
"""How long KubeStellar has to remove something before it counts as left behind."""


def unaccounted(
    works: Iterable[_delivery.Work], binding: Mapping[str, Any], kinds: Mapping[tuple[str, str], str]
) -> list[_delivery.Work]:
    """The ManifestWorks in a cluster, or with objects only, that the Binding does not have and nobody deletes.

    :param binding: empty if there is none.
    :param kinds: (group, plural) to kind. An object of a kind that is not there is taken for accounted for.
    """
    clusters = set(resolution.destinations(binding))
    bound = {
        (key.group, kinds.get((key.group, key.resource)), key.namespace, key.name)
        for key in resolution.bound(binding)
    }
    known = {(group, kind) for (group, _plural), kind in kinds.items()}

    def is_left(work: _delivery.Work) -> bool:
        if work.deleting:
            return False
        return work.cluster not in clusters or all(
            (item.group, item.kind) in known
            and (item.group, item.kind, item.namespace, item.name) not in bound
            for item in work.items
        )

    return [work for work in works if is_left(work)]


class Leftovers:
    """Waits for KubeStellar to remove what is unaccounted for, then removes it, or tells of it.

    :param its: makes the client for the ITS, which not every task needs.
    :param remove: whether to.
    :ivar found: cluster and object, of what was left behind.
    """

    def __init__(
        self, its: Callable[[], Cluster], *, remove: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._its, self._remove, self._clock = its, remove, clock
        self._since: dict[str, float] = {}
        self._deleted: set[str] = set()
        self.found: list[tuple[str, str]] = []

    def look(self, works: Iterable[_delivery.Work]) -> list[str]:
        """What there is still to wait for, one line each. :param works: see `unaccounted`."""
        lines = []
        for work in works:
            since = self._since.setdefault(work.uid, self._clock())
            names = [label(item.kind, item.name, item.namespace) for item in work.items]
            if self._clock() - since < SECONDS or work.uid in self._deleted:
                lines += [f"{work.cluster} still has {name}" for name in names]
                continue
            pairs = [(work.cluster, name) for name in names]
            self.found += [pair for pair in pairs if pair not in self.found]
            if self._remove:
                self._its().delete(MANIFEST_WORKS, work.name, work.cluster, uid=work.uid)
                self._deleted.add(work.uid)
                lines += [f"{work.cluster} still has {name}" for name in names]
        return lines
