# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One WEC on its way, and what became of it (private to kubestellar.core)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _csr, _diff
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    KubestellarError,
)
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    MANAGED_CLUSTERS,
)
from ansible_collections.kubestellar.core.plugins.module_utils.placement.facts import Target
from ansible_collections.kubestellar.core.plugins.module_utils.wecs.registered import (
    is_accepted,
    is_joined,
    unavailable_because,
)
from ansible_collections.kubestellar.core.plugins.module_utils.wecs.wanted import Wish

WORKERS = 8

_MOST_TIMES = 30


@dataclass(eq=False)
class Member:
    """One WEC on its way.

    :ivar uid: of the ManagedCluster that the notes below are about; they are void for another one.
    :ivar refused_since: monotonic time of the first refused request with no good one beside it.
    :ivar planned: as it is to be described.
    :ivar diffs: of its writes, each made only when it is to be shown.
    """

    wish: Wish
    managed: dict[str, Any] | None = None
    lease: dict[str, Any] | None = None
    choice: _csr.Choice = field(default_factory=_csr.Choice)
    uid: str = ""
    accepted: bool = False
    described: bool = False
    approved: list[str] = field(default_factory=list)
    renewed_before: str | None = None
    refused_since: float | None = None
    missing: str = ""
    had_to_wait: bool = False
    error: str = ""
    done: bool = False
    seconds: float = 0.0
    method: str = "none"
    diffs: list[Callable[[], dict[str, str]]] = field(default_factory=list)
    abandoned: list[str] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)
    planned: Target | None = None

    @property
    def name(self) -> str:
        """Name of the WEC."""
        return self.wish.name

    def note(
        self,
        method: str,
        cluster: str,
        what: str,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any] | None,
    ) -> None:
        """Remember a write. :param what: the object, as the header of the diff names it."""
        self.method = method
        self.diffs.append(partial(_diff.entry, before, after, f"{cluster}: {what}"))

    def result(self, now: float) -> dict[str, Any]:
        """The entry of `clusters`."""
        reason = unavailable_because(self.managed, self.lease, now)
        entry: dict[str, Any] = {
            "name": self.name,
            "namespace": "",
            "kind": MANAGED_CLUSTERS.kind,
            "method": self.method,
            "changed": self.method != "none",
            "accepted": is_accepted(self.managed) or self.accepted,
            "joined": is_joined(self.managed),
            "available": self.managed is not None and not reason,
            "available_reason": reason,
            "approved": list(self.approved),
            "refused": [{"name": name, "reason": why} for name, why in self.choice.refused],
            "seconds": round(self.seconds, 1),
            "failed": bool(self.error),
        }
        if self.error:
            entry["error"] = self.error
        if self.abandoned:
            entry["abandoned"] = self.abandoned
        return {**entry, **self.details}


class Noting:
    """Turns an error of one cluster into its `error`, so that the others go on."""

    def __init__(self, member: Member) -> None:
        self._member = member

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, KubestellarError):
            return False
        self._member.error = f"{error.message} {error.hint}".strip()
        self._member.done = True
        return True


def times(members: Iterable[Member]) -> list[str]:
    """How long those took that had to be waited for: a table of the clusters, or of a large fleet in one line."""
    took = sorted((m.seconds, m.name) for m in members if m.had_to_wait and m.done and not m.error)
    if len(took) > _MOST_TIMES:
        half, (longest, last) = took[len(took) // 2][0], took[-1]
        counted = f"{len(took)} clusters are ready: the first after {took[0][0]:.0f} s"
        return [f"{counted}, half of them after {half:.0f} s, {last} as the last after {longest:.0f} s"]
    widest = max((len(name) for _seconds, name in took), default=0)
    return [f"{name:{widest}}  ready after {seconds:5.1f} s" for seconds, name in took]


def forecast(wishes: Sequence[Wish]) -> list[Member]:
    """What would happen in an ITS that does not exist yet: every cluster would join and be accepted."""
    return [Member(wish, method="create", diffs=[partial(joining_diff, wish, "planned")]) for wish in wishes]


def joining_diff(wish: Wish, cluster: str) -> dict[str, str]:
    """The diff of a cluster whose agent has not asked yet."""
    metadata = {
        "name": wish.name,
        "labels": dict(wish.labels or {}),
        "annotations": dict(wish.annotations or {}),
    }
    after = {
        "apiVersion": MANAGED_CLUSTERS.api_version,
        "kind": MANAGED_CLUSTERS.kind,
        "metadata": {key: value for key, value in metadata.items() if value},
        "spec": {"hubAcceptsClient": True},
    }
    return _diff.entry(None, after, f"{cluster}: ManagedCluster {wish.name}")


def warnings(members: Sequence[Member]) -> list[str]:
    """Requests that claim to be from a WEC and were left alone although the WEC itself is fine."""
    lines = []
    for member in members:
        if member.error:
            continue
        for csr in member.choice.approve:
            name = csr["metadata"]["name"]
            if name not in member.approved and is_joined(member.managed):
                lines.append(
                    f"{member.name}: the request {name} to join waits although the cluster is connected; it was not "
                    "approved. If its agent was set up anew, name it in rejoin; else delete the request."
                )
        lines += [
            f"{member.name}: the request {name} was refused: {reason}."
            for name, reason in member.choice.refused
        ]
    return lines


def raise_failures(members: Sequence[Member], cluster: str, **details: Any) -> None:
    """Raise one error that names every cluster that failed and why, if any did.

    :param details: the keys of the failed result, such as `clusters`.
    """
    failed = [member for member in members if member.error]
    if not failed:
        return
    if len(failed) == len(members) == 1:
        raise KubestellarError(failed[0].error, **details)
    names = ", ".join(member.name for member in failed[:20])
    more = f" and {len(failed) - 20} more" if len(failed) > 20 else ""
    raise KubestellarError(
        f"{cluster}: {len(failed)} of {len(members)} clusters failed: {names}{more}. "
        + " ".join(member.error for member in failed[:3]),
        **details,
    )
