# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps to a hub, one at a time, and their order (private to kubestellar.core).

They are those of KubeStellar's guide (kubestellar: docs/content/direct/get-started.md and core-chart.md). The first four that are
of the core chart, see `values.of_steps`, are made by Helm; what the others stand for is begun by KubeFlex as soon as the space
is there, so they wait for it, look at it, and do what the chart cannot.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import NotFound, PreflightFailed
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    CONTROL_PLANES,
    DEPLOYMENTS,
    POST_CREATE_HOOKS,
    Resource,
)
from ansible_collections.kubestellar.core.plugins.module_utils.hub import controllers
from ansible_collections.kubestellar.core.plugins.module_utils.placement.catalogue import phrase

KUBEFLEX, HOOKS, ITS, OCM = "kubeflex", "hooks", "its", "ocm"
STATUS_ADDON, WDS, CONTROLLERS = "status_addon", "wds", "controllers"
STEPS = (KUBEFLEX, HOOKS, ITS, OCM, STATUS_ADDON, WDS, CONTROLLERS)
"""All steps, in the order in which they can be done."""

KUBEFLEX_NAMESPACE, KUBEFLEX_MANAGER = "kubeflex-system", "kubeflex-controller-manager"
OCM_HOOK, STATUS_ADDON_HOOK = "its-hub-init", "install-status-addon"

_IDLE = {
    KUBEFLEX: "Set hub_kubeflex.install, or install KubeFlex another way first.",
    HOOKS: "Set hub_hooks, or run the release that has them first.",
}
"""What to do where a step is told not to make what the next one needs."""


def step_of_hook(hook: str, role: str) -> str:
    """The step that a PostCreateHook of a space belongs to. One that is not KubeStellar's comes last for its space.

    :param role: `its` or `wds`.
    """
    if role == WDS:
        return CONTROLLERS
    return OCM if hook == OCM_HOOK else STATUS_ADDON


@dataclass(frozen=True)
class Need:
    """Something that a step finds there.

    :ivar maker: the step that makes it.
    :ivar what: a template that says what it is, for the field `names`.
    """

    maker: str
    resource: Resource
    names: tuple[str, ...]
    what: str


def needs(step: str, itses: Sequence[str], wdses: Sequence[str], *, ocm: bool) -> Iterator[Need]:
    """What must be there before a step, in the order in which it is made.

    :param itses: names of the ITSes, and `wdses` of the WDSes.
    :param ocm: whether a hook installs OCM in one of the ITSes.
    """
    if step in (HOOKS, ITS, WDS):
        yield Need(KUBEFLEX, DEPLOYMENTS, (KUBEFLEX_MANAGER,), "KubeFlex (the Deployment {names:names})")
    if step in (ITS, WDS):
        hooks = (
            (*((OCM_HOOK,) if ocm else ()), STATUS_ADDON_HOOK)
            if step == ITS
            else tuple(controllers.HOOK_OF.values())
        )
        what = "the {names:form PostCreateHook|PostCreateHooks} {names:names}"
        yield Need(HOOKS, POST_CREATE_HOOKS, hooks, what)
    if step in (OCM, STATUS_ADDON, WDS):
        yield Need(ITS, CONTROL_PLANES, tuple(itses), "the {names:form ITS|ITSes} {names:names}")
    if step == CONTROLLERS:
        yield Need(WDS, CONTROL_PLANES, tuple(wdses), "the {names:form WDS|WDSes} {names:names}")


def check_order(
    hosting: Cluster,
    steps: Collection[str],
    itses: Sequence[str],
    wdses: Sequence[str],
    *,
    ocm: bool,
    done: Collection[str] = (),
    idle: Collection[str] = (),
) -> None:
    """See that nothing is done too early. Reads only what these steps need and do not make themselves.

    :param steps: what is to be done now, all together.
    :param done: steps that count as done, whatever is there.
    :param idle: steps that are to be done now and are told to make nothing.
    :raises PreflightFailed: naming the step to run first.
    """
    for step in [step for step in STEPS if step in steps]:
        for need in needs(step, itses, wdses, ocm=ocm):
            if need.maker in steps or need.maker in done:
                continue
            there = _present(hosting, need)
            lacking = [name for name in need.names if name not in there]
            if lacking:
                what = phrase(f"{need.what}, which {{names:form is|are}} not there", {"names": lacking})
                raise PreflightFailed(
                    f"{hosting.name}: the step {step} needs {what}.",
                    hint=_IDLE[need.maker] if need.maker in idle else f"Run the step {need.maker} first.",
                )


def _present(hosting: Cluster, need: Need) -> set[str]:
    """Names of what is there. A kind that is not served has no objects."""
    if need.resource == DEPLOYMENTS:
        return {n for n in need.names if hosting.get(DEPLOYMENTS, n, KUBEFLEX_NAMESPACE) is not None}
    try:
        return {item["metadata"]["name"] for item in hosting.list(need.resource).items}
    except NotFound:
        return set()
