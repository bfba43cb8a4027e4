# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What KubeStellar's controllers say of a StatusCollector or a CustomTransform (private to kubestellar.core).

A CustomTransform tells which generation it was read at (`status.observedGeneration`), once a Binding has an object of
its resource. A StatusCollector tells nothing of that kind: the controller leaves its `observedGeneration` at 0, and
writes the status only to complain, or to take a complaint back (kubestellar: pkg/status/statuscollector.go). So
for it, silence is consent, and the wait is for as long as a complaint may take.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    KubestellarError,
    WaitTimeout,
    plain,
)
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    CUSTOM_TRANSFORMS,
    STATUS_COLLECTORS,
    Resource,
)
from ansible_collections.kubestellar.core.plugins.module_utils._wait import Follower, Verdict, Waiter
from ansible_collections.kubestellar.core.plugins.module_utils.placement import catalogue

_LONGEST_SENTENCE = 1000


@dataclass(frozen=True)
class Said:
    """What a status says.

    :ivar live: the object that has it.
    :ivar seconds: waited for it.
    """

    live: Mapping[str, Any]
    seconds: float = 0.0

    @property
    def errors(self) -> list[str]:
        """`status.errors`, each made plain."""
        return _sentences(self.live, "errors")

    @property
    def warnings(self) -> list[str]:
        """`status.warnings`, each made plain."""
        return _sentences(self.live, "warnings")

    @property
    def observed(self) -> bool:
        """Whether it is about the object as it is; never so for a StatusCollector."""
        return is_observed(self.live)


def _sentences(obj: Mapping[str, Any] | None, field: str) -> list[str]:
    return [plain(item, _LONGEST_SENTENCE) for item in ((obj or {}).get("status") or {}).get(field) or []]


def is_observed(obj: Mapping[str, Any]) -> bool:
    """Whether `status.observedGeneration` is the object's generation."""
    generation = obj["metadata"].get("generation")
    return generation is not None and (obj.get("status") or {}).get("observedGeneration") == generation


def of_collector(
    wds: Cluster,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any],
    timeout: float,
    progress: Progress,
) -> Said:
    """Wait until the errors differ from those before, or the time is up, which is no failure.

    :param after: the collector as it was just applied.
    """
    name, known = after["metadata"]["name"], _sentences(before, "errors")
    waiter = Waiter(progress)
    follower = _follow(waiter, wds, STATUS_COLLECTORS, name)

    def evaluate() -> Verdict:
        live = follower.get(name)
        changed = live is None or _sentences(live, "errors") != known
        return Verdict(changed, ["no complaint so far"])

    try:
        seconds = waiter.until(
            evaluate, timeout=timeout, what=f"{wds.name}: a complaint about StatusCollector {name}"
        )
    except WaitTimeout:
        seconds = timeout
    return Said(_read(wds, STATUS_COLLECTORS, name), seconds)


def of_transform(
    wds: Cluster, after: Mapping[str, Any], policies: Sequence[str], timeout: float, progress: Progress
) -> Said:
    """Wait until the transport controller has read the transform as it is.

    :param policies: those that deliver objects that it is for; without one, it is never read.
    :raises WaitTimeout: not in time.
    """
    name = after["metadata"]["name"]
    waiter = Waiter(progress)
    follower = _follow(waiter, wds, CUSTOM_TRANSFORMS, name)

    def evaluate() -> Verdict:
        live = follower.get(name)
        if live is None or is_observed(live):
            return Verdict(True)
        observed = (live.get("status") or {}).get("observedGeneration", "none")
        return Verdict(
            False, [f"generation {live['metadata'].get('generation')} is not observed yet, but {observed}"]
        )

    seconds = waiter.until(
        evaluate,
        timeout=timeout,
        what=f"{wds.name}: KubeStellar's reading of CustomTransform {name}",
        hint="Is the transport controller running? It reads the transform when it handles the policies "
        f"{catalogue.names(policies)}; look at their status and at its log.",
    )
    return Said(_read(wds, CUSTOM_TRANSFORMS, name), seconds)


def _follow(waiter: Waiter, wds: Cluster, resource: Resource, name: str) -> Follower:
    return waiter.follow(wds, resource, field_selector=f"metadata.name={name}")


def _read(wds: Cluster, resource: Resource, name: str) -> Mapping[str, Any]:
    live = wds.get(resource, name)
    if live is None:
        raise KubestellarError(f"{wds.name}: {resource.kind} {name} was deleted while it was waited for.")
    return live
