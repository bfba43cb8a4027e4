# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the state of a hub: each kind of object once, all in parallel (private to kubestellar.core)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bulk, _delivery, _space
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import NotFound
from ansible_collections.kubestellar.core.plugins.module_utils._module import Context
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    COMBINED_STATUSES,
    CONTROL_PLANES,
    STATUS_COLLECTORS,
    Resource,
)
from ansible_collections.kubestellar.core.plugins.module_utils.status import model
from ansible_collections.kubestellar.core.plugins.module_utils.status.model import Part, Question, View

QUESTION_SPEC: dict[str, Any] = {
    "wdses": {"type": "list", "elements": "str"},
    "policy": {"type": "list", "elements": "str"},
    "name": {"type": "str"},
}
"""The options that say what of a hub is asked for."""

MODULE_ARGUMENTS: dict[str, Any] = {
    "spaces": ("wds", "its"),
    "mutually_exclusive": [("wdses", "wds"), ("wdses", "wds_kubeconfig")],
}
"""What goes with them into `_module.run`."""


@dataclass(frozen=True)
class Sources:
    """Where the state of a hub is read.

    :ivar hosting: the hosting cluster; None if the ITS is addressed directly.
    :ivar wdses: name of each WDS, as its transport controller knows it, to its API server.
    """

    hosting: Cluster | None
    its: Cluster
    its_name: str
    wdses: Mapping[str, Cluster]

    @property
    def hub(self) -> str:
        """What the hosting cluster is called."""
        return self.hosting.name if self.hosting else ""


def sources(context: Context) -> Sources:
    """The clusters that the options of a module name."""
    direct = bool(context.params["its_kubeconfig"])
    its = context.its()
    names = context.params["wdses"]
    if names:
        wdses = {name: _space.connect(context.hosting(), name) for name in names}
    else:
        wds = context.wds()
        wdses = {str(context.params["wds"] or wds.name): wds}
    hosting = None if direct else context.hosting()
    return Sources(hosting, its, str(context.params["its"] or its.name), wdses)


def question(params: Mapping[str, Any]) -> Question:
    """What the options of a module ask for."""
    names = params["policy"]
    return Question(None if names is None else frozenset(names), params["name"])


def view(context: Context) -> View:
    """The state of the hub that a module's options name.

    :raises ApiError, ConnectionFailed: something could not be read; then nothing can be said.
    :raises InvalidInput: a policy is asked for by name and is nowhere.
    """
    if context.planned:
        return View(taken=time.time(), planned=True)
    return view_of(sources(context), question(context.params))


def view_of(where: Sources, asked: Question) -> View:
    """See `view`."""
    spaces = list(where.wdses.values())
    jobs: list[Callable[[], Any]] = [
        lambda: _delivery.read(where.its, where.wdses),
        lambda: served(where.hosting, CONTROL_PLANES),
        *((lambda wds=wds: served(wds, STATUS_COLLECTORS)) for wds in spaces),
        *((lambda wds=wds: served(wds, COMBINED_STATUSES)) for wds in spaces),
    ]
    facts, control_planes, *rest = _bulk.in_parallel(lambda job: job(), jobs)
    collectors, combined = rest[: len(spaces)], rest[len(spaces) :]
    view = model.compose(
        [Part(*one) for one in zip(facts, collectors, combined, strict=True)],
        asked,
        hub=where.hub,
        its=where.its_name,
        taken=time.time(),
        control_planes=control_planes,
    )
    model.refuse_unknown(asked, view)
    return view


def served(cluster: Cluster | None, resource: Resource) -> list[dict[str, Any]]:
    """The objects of a resource; none where it is not served, as in a hub that is being set up."""
    try:
        return cluster.list(resource).items if cluster else []
    except NotFound:
        return []
