# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Follows the state of a hub by watches, and says what changes (private to kubestellar.core).

All lists are read once; after that each event of a watch leads to one new view, made of what is known then.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.kubestellar.core.plugins.module_utils import _delivery
from ansible_collections.kubestellar.core.plugins.module_utils._errors import WaitTimeout, plain
from ansible_collections.kubestellar.core.plugins.module_utils._health import HEALTHY
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    BINDING_POLICIES,
    BINDINGS,
    CONTROL_PLANES,
    MANAGED_CLUSTERS,
    MANIFEST_WORKS,
    WORK_STATUSES,
)
from ansible_collections.kubestellar.core.plugins.module_utils._wait import Follower, Verdict, Waiter
from ansible_collections.kubestellar.core.plugins.module_utils._workstatus import ORIGIN_WDS_LABEL
from ansible_collections.kubestellar.core.plugins.module_utils.placement import catalogue
from ansible_collections.kubestellar.core.plugins.module_utils.status import model, read
from ansible_collections.kubestellar.core.plugins.module_utils.status.model import Part, Question, View

UNTIL = ("healthy", "duration")

_MOST_CHANGES = 500
_MOST_LINES = 12


@dataclass
class Followed:
    """What following has come to.

    :ivar view: the last view.
    :ivar healthy: whether all was healthy in it.
    :ivar changes: what was said, one line for each change, without the first and the last line.
    """

    view: View
    healthy: bool
    seconds: float
    changes: list[str] = field(default_factory=list)


def follow(
    where: read.Sources, question: Question, progress: Progress, *, duration: float, until: str
) -> Followed:
    """Say what changes, for at most `duration` seconds.

    :param until: one of `UNTIL`: end when all is healthy, or only when the time is up.
    :raises WaitTimeout: nothing could be read in that time.
    :raises InvalidInput: a policy is asked for by name and is nowhere.
    """
    return _Follow(where, question, progress, until == "healthy").run(duration)


# -- comparing -----------------------------------------------------------------------------------------------

State = dict[tuple[str, ...], tuple[str, str]]
"""What is said of a thing (kind of thing, cluster or space, name): a word, and why."""


def states(view: View) -> State:
    """What of a view is followed."""
    found: State = {}
    for wec in view.clusters:
        word = "available" if wec.online else "not available"
        found[("cluster", wec.name, "")] = (word, "" if wec.online else wec.reason)
    for policy in view.policies:
        word = "processed" if policy["current"] else "not processed yet"
        found[("policy", policy["wds"], policy["name"])] = (word, "; ".join(policy["errors"]))
    for row in view.rows:
        for cell in row.cells.values():
            found[("object", cell.cluster, f"{row.wds}/{row.label}")] = (cell.health, cell.message)
    return found


def changes(before: Mapping[tuple[str, ...], tuple[str, str]], after: State) -> list[str]:
    """One line for each change; objects that change alike are one."""
    lines = []
    alike: dict[tuple[str, str, str], list[tuple[str, str]]] = {}
    for key in [
        *(key for key in after if before.get(key) != after[key]),
        *(k for k in before if k not in after),
    ]:
        old, (new, why) = before.get(key, ("", ""))[0], after.get(key, ("gone", ""))
        if key[0] == "object":
            alike.setdefault((old, new, why), []).append((key[1], key[2].partition("/")[2]))
        else:
            what = f"cluster {key[1]}" if key[0] == "cluster" else f"policy {key[2]} in {key[1]}"
            lines.append(f"{what}: {_step(old, new, why)}")
    lines += [f"{_placed(places)}: {_step(*step)}" for step, places in alike.items()]
    return [plain(line) for line in lines]


def _step(old: str, new: str, why: str) -> str:
    told = new if old in ("", new) else f"{old} → {new}"
    return f"{told} ({why})" if why else told


def _placed(places: Sequence[tuple[str, str]]) -> str:
    objects = list(dict.fromkeys(label for _cluster, label in places))
    clusters = sorted({cluster for cluster, _label in places})
    return f"{catalogue.names(objects, 2)} in {catalogue.names(clusters, 3)}"


def counted(view: View) -> str:
    """`11 of 12 placements healthy, 1 failed`."""
    numbers = model.summary(view)
    if not numbers["placements"]:
        return "no workload is placed"
    rest = [f"{numbers[state]} {state}" for state in _delivery.STATES if state != HEALTHY and numbers[state]]
    return ", ".join([f"{numbers[HEALTHY]} of {numbers['placements']} placements healthy", *rest])


# -- following -----------------------------------------------------------------------------------------------


class _Follow:
    """See `follow`."""

    def __init__(self, where: read.Sources, question: Question, progress: Progress, early: bool) -> None:
        self._where, self._question, self._progress, self._early = where, question, progress, early
        self._control_planes = read.served(where.hosting, CONTROL_PLANES)
        self._kinds = {name: _delivery.kinds(wds) for name, wds in where.wdses.items()}
        self._waiter = Waiter(Progress(None))
        self._clusters = self._waiter.follow(where.its, MANAGED_CLUSTERS, keep=_delivery.parse_cluster)
        self._works = self._waiter.follow(
            where.its,
            MANIFEST_WORKS,
            label_selector=ORIGIN_WDS_LABEL,
            keep=_delivery.parse_work,
        )
        self._statuses = self._waiter.follow(where.its, WORK_STATUSES, keep=_delivery.parse_returned)
        self._spaces = {
            name: (self._waiter.follow(wds, BINDING_POLICIES), self._waiter.follow(wds, BINDINGS))
            for name, wds in where.wdses.items()
        }
        self._view: View | None = None
        self._known: State = {}
        self._trouble = ""
        self._changes: list[str] = []

    def run(self, duration: float) -> Followed:
        """Follow until the end."""
        try:
            seconds = self._waiter.until(
                self._evaluate,
                timeout=duration,
                what=f"{self._where.its.name}: a first look at the state",
                hint="Is the hub complete? See what is wrong with kubestellar.core.doctor.",
            )
        except WaitTimeout:
            if self._view is None:
                raise
            seconds = duration
        view = self._view or self._look()
        healthy = model.is_healthy(view)
        end = "all is healthy" if healthy and self._early else f"the {duration:.0f} s are over"
        self._say(f"{end}: {counted(view)}")
        return Followed(view, healthy, seconds, self._changes)

    def _evaluate(self) -> Verdict:
        self._tell_trouble()
        first = self._view is None
        view = self._look()
        if first:
            model.refuse_unknown(self._question, view)
        self._tell(view, first=first)
        self._view = view
        settled = all(cell.settled for row in view.rows for cell in row.cells.values())
        return Verdict(self._early and model.is_healthy(view), again=5.0 if settled else 0.5)

    def _look(self) -> View:
        clusters, works, returned = (
            list(follower.objects().values()) for follower in (self._clusters, self._works, self._statuses)
        )
        parts = [
            Part(
                _delivery.Facts(
                    wds=name,
                    bindings=list(bindings.objects().values()),
                    works=works,
                    returned=returned,
                    clusters=clusters,
                    kinds=self._kinds[name],
                    policies=sorted(
                        policies.objects().values(), key=lambda item: str(item["metadata"]["name"])
                    ),
                )
            )
            for name, (policies, bindings) in self._spaces.items()
        ]
        return model.compose(
            parts,
            self._question,
            hub=self._where.hub,
            its=self._where.its_name,
            taken=time.time(),
            control_planes=self._control_planes,
        )

    def _tell(self, view: View, *, first: bool) -> None:
        now = states(view)
        if first:
            self._say(counted(view))
            now_wrong = {key: state for key, state in now.items() if state[0] not in _WELL}
            lines = changes({}, now_wrong)
        else:
            lines = changes(self._known, now)
            self._changes += lines[: _MOST_CHANGES - len(self._changes)]
        for line in lines[:_MOST_LINES]:
            self._say(line)
        if len(lines) > _MOST_LINES:
            self._say(f"and {len(lines) - _MOST_LINES} other changes: {counted(view)}")
        self._known = now

    def _tell_trouble(self) -> None:
        """Say when the connection is lost, and when it is there again."""
        followers = (self._clusters, self._works, self._statuses, *self._followers_of_spaces())
        trouble = next((follower.trouble for follower in followers if follower.trouble), "")
        if trouble != self._trouble:
            self._say(trouble or "connected again")
        self._trouble = trouble

    def _followers_of_spaces(self) -> Iterator[Follower]:
        for pair in self._spaces.values():
            yield from pair

    def _say(self, text: str) -> None:
        self._progress.line(f"{time.strftime('%H:%M:%S')} {text}")


_WELL = (HEALTHY, "available", "processed")
