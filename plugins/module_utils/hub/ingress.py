# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Ingress controller through which spaces are reached from outside (private to kubestellar.core).

KubeFlex makes an Ingress of class `nginx` for a space, and the API server of the space ends TLS itself (kubeflex:
pkg/reconcilers/shared/ingress.go). So ingress-nginx must pass TLS through, which it does not by default (ingress-nginx:
docs/user-guide/tls.md, SSL passthrough).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bulk, _health
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, WaitTimeout, plain
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    DEPLOYMENTS,
    INGRESS_CLASSES,
    PODS,
)
from ansible_collections.kubestellar.core.plugins.module_utils._wait import Verdict, Waiter
from ansible_collections.kubestellar.core.plugins.module_utils.hub import troubles

CONTROLLER = "k8s.io/ingress-nginx"
ARGUMENT = "--enable-ssl-passthrough"


@dataclass(frozen=True)
class Place:
    """Where the controller is."""

    ingress_class: str
    namespace: str
    deployment: str


@dataclass
class Result:
    """What came of it. `outcome` is the change of the Deployment, None if there was none; `missing` what is still lacking."""

    outcome: _bulk.Outcome | None = None
    missing: list[str] = field(default_factory=list)
    waited: float = 0.0


def bring_about(cluster: Cluster, place: Place, progress: Progress, *, timeout: float) -> Result:
    """Wait until the controller runs and passes TLS through; add its argument if it is not there.

    :raises InvalidInput: the class belongs to another controller, or the Deployment is not that of ingress-nginx.
    :raises WaitTimeout: naming what is lacking, and what keeps its Pods from running.
    """
    result = Result()
    waiter = Waiter(progress)
    classes = waiter.follow(cluster, INGRESS_CLASSES, field_selector=f"metadata.name={place.ingress_class}")
    deployments = waiter.follow(
        cluster, DEPLOYMENTS, place.namespace, field_selector=f"metadata.name={place.deployment}"
    )

    def evaluate() -> Verdict:
        deployment = deployments.get(place.deployment, place.namespace)
        if deployment is not None and result.outcome is None:
            result.outcome = _repair(cluster, place, deployment, dry_run=False)
            if result.outcome is not None:
                progress.line(f"{place.deployment}: gets {ARGUMENT}")
        found = lacking(cluster.name, place, classes.get(place.ingress_class), deployment)
        return Verdict(not found, found)

    what = f"{cluster.name}: ingress-nginx with SSL passthrough"
    begin = time.monotonic()
    try:
        waiter.until(evaluate, timeout=timeout, what=what, hint="Is the chart of ingress-nginx installed?")
    except WaitTimeout as error:
        found = _diagnose(cluster, place)
        if found is not None:
            error.message = f"{error.message} {found.where}: {found.message}"
            error.hint = found.hint
        raise
    result.waited = round(time.monotonic() - begin, 1)
    return result


def forecast(cluster: Cluster, place: Place) -> Result:
    """What `bring_about` would change in what is there now. Nothing is waited for.

    :raises InvalidInput: as `bring_about`.
    """
    deployment = cluster.get(DEPLOYMENTS, place.deployment, place.namespace)
    ingress_class = cluster.get(INGRESS_CLASSES, place.ingress_class)
    outcome = _repair(cluster, place, deployment, dry_run=True) if deployment is not None else None
    return Result(outcome, lacking(cluster.name, place, ingress_class, deployment))


def lacking(
    cluster: str,
    place: Place,
    ingress_class: Mapping[str, Any] | None,
    deployment: Mapping[str, Any] | None,
) -> list[str]:
    """What is lacking, one line each; empty if all is well.

    :raises InvalidInput: the class belongs to another controller.
    """
    return list(_lacking(cluster, place, ingress_class, deployment))


def _lacking(
    cluster: str,
    place: Place,
    ingress_class: Mapping[str, Any] | None,
    deployment: Mapping[str, Any] | None,
) -> Iterator[str]:
    if ingress_class is None:
        yield f"the IngressClass {place.ingress_class} does not exist"
    else:
        controller = (ingress_class.get("spec") or {}).get("controller")
        if controller != CONTROLLER:
            raise InvalidInput(
                f"{cluster}: the IngressClass {place.ingress_class} belongs to {plain(controller, 80)}, not to {CONTROLLER}.",
                hint="KubeFlex needs ingress-nginx there: remove the other controller, or rename its class.",
            )
    where = f"{place.namespace}/{place.deployment}"
    if deployment is None:
        yield f"the Deployment {where} does not exist"
        return
    index, container = controller_of(cluster, where, deployment)
    if not passes_through(container.get("args") or []):
        yield f"container {index} of the Deployment {where} has no {ARGUMENT}"
        return
    if lack := _health.deployment_lack(deployment):
        yield f"{place.deployment}: {lack}"


def controller_of(cluster: str, where: str, deployment: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
    """The container of the Ingress controller and its index: the one named so, else the only one.

    :raises InvalidInput: that cannot be said.
    """
    template = (deployment.get("spec") or {}).get("template") or {}
    containers = (template.get("spec") or {}).get("containers") or []
    for index, container in enumerate(containers):
        if container.get("name") == "controller" or len(containers) == 1:
            return index, container
    raise InvalidInput(
        f"{cluster}: the Deployment {where} has no container named controller.",
        hint="Is it that of ingress-nginx? Correct deployment and namespace.",
    )


def passes_through(arguments: Sequence[str]) -> bool:
    """Whether a controller with these arguments passes TLS through. The last one counts, as for every Go program."""
    said = [argument for argument in arguments if argument.partition("=")[0] == ARGUMENT]
    return bool(said) and (said[-1].partition("=")[2] or "true").lower() in ("true", "t", "1")


def with_passthrough(arguments: Sequence[str]) -> list[str]:
    """The arguments so that TLS is passed through."""
    if passes_through(arguments):
        return list(arguments)
    return [*(argument for argument in arguments if argument.partition("=")[0] != ARGUMENT), ARGUMENT]


def _repair(
    cluster: Cluster, place: Place, deployment: Mapping[str, Any], *, dry_run: bool
) -> _bulk.Outcome | None:
    """Give the controller its argument; None if it has it. Whoever changes the Deployment meanwhile makes this fail, not lose."""
    where = f"{place.namespace}/{place.deployment}"
    index, container = controller_of(cluster.name, where, deployment)
    has = container.get("args")
    if passes_through(has or []):
        return None
    path = f"/spec/template/spec/containers/{index}"
    body = [
        {"op": "test", "path": f"{path}/name", "value": container.get("name")},
        *([{"op": "test", "path": f"{path}/args", "value": has}] if has else []),
        {"op": "add", "path": f"{path}/args", "value": with_passthrough(has or [])},
    ]
    after = cluster.patch(DEPLOYMENTS, place.deployment, place.namespace, body, kind="json", dry_run=dry_run)
    return _bulk.Outcome(
        DEPLOYMENTS.api_version,
        DEPLOYMENTS.kind,
        place.namespace,
        place.deployment,
        method="update",
        before=deployment,
        after=after,
    )


def _diagnose(cluster: Cluster, place: Place) -> troubles.Finding | None:
    """The first trouble of the Pods there."""
    for pod in cluster.list(PODS, place.namespace).items:
        for found in troubles.pod_troubles(pod):
            return found
    return None
