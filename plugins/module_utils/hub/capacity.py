# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the nodes of a hosting cluster have room for a hub (private to kubestellar.core). Pure functions.

What is compared are requests, as the scheduler does. What Pods really take is more, and is not looked at.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._diff import quantity
from ansible_collections.kubestellar.core.plugins.module_utils._wait import condition

_MEBI = Decimal(2**20)
_TAINTS = ("NoSchedule", "NoExecute")


@dataclass(frozen=True)
class Load:
    """A Pod that will be made. :ivar cpu: requested CPUs. :ivar memory: requested bytes."""

    name: str
    cpu: Decimal
    memory: Decimal


@dataclass(frozen=True)
class Room:
    """What is left on a node. :ivar pods: how many more Pods it takes."""

    node: str
    cpu: Decimal
    memory: Decimal
    pods: int


def _load(name: str, millis: int, mebibytes: int) -> Load:
    return Load(name, Decimal(millis) / 1000, Decimal(mebibytes) * _MEBI)


def of_kubeflex(*, postgresql: bool) -> list[Load]:
    """KubeFlex itself (kubeflex: chart/templates/operator.yaml), and PostgreSQL (bitnami's chart 13.1.5, primary.resources)."""
    loads = [_load("kubeflex-controller-manager", 15, 128)]
    return [*loads, _load("postgres-postgresql-0", 250, 256)] if postgresql else loads


def of_space(name: str, role: str, kind: str, *, ocm: bool) -> list[Load]:
    """The Pods of a space, with what its hooks run.

    Sources: kubeflex: pkg/reconcilers/k8s/deployment.go; vcluster: charts/k3s/values.yaml; kubestellar:
    core-chart/templates/postcreatehooks; ocm: manifests/cluster-manager/management (one replica of each). Containers that
    request nothing count as Pods only.
    """
    loads = []
    if kind == "k8s":
        loads += [
            _load(f"{name}: kube-apiserver", 506, 314),
            _load(f"{name}: kube-controller-manager", 200, 64),
        ]
    elif kind == "vcluster":
        loads += [_load(f"{name}: vcluster", 210, 320), _load(f"{name}: coredns", 0, 0)]
    if role == "wds":
        loads += [
            _load(f"{name}: kubestellar-controller-manager", 15, 128),
            _load(f"{name}: transport-controller", 0, 0),
        ]
    elif ocm and kind != "external":
        parts = (
            "cluster-manager",
            "registration",
            "registration-webhook",
            "work-webhook",
            "placement",
            "addon-manager",
        )
        loads += [_load(f"{name}: {part}", 2, 16) for part in parts]
    return loads


def unusable(node: Mapping[str, Any]) -> str:
    """Why a node takes no Pods, as a clause without its subject; empty if it takes some."""
    spec = node.get("spec") or {}
    if spec.get("unschedulable"):
        return "is cordoned"
    if condition(dict(node), "Ready").get("status") != "True":
        return "is not ready"
    taints = [taint for taint in spec.get("taints") or [] if taint.get("effect") in _TAINTS]
    return f"has the taint {taints[0].get('key')}" if taints else ""


def rooms(nodes: Iterable[Mapping[str, Any]], pods: Iterable[Mapping[str, Any]]) -> list[Room]:
    """What is left on each node that takes Pods.

    :param pods: all Pods; those that have ended take nothing.
    """
    usable = [node for node in nodes if not unusable(node)]
    taken: dict[str, list[tuple[Decimal, Decimal]]] = defaultdict(list)
    for pod in pods:
        if (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed"):
            taken[str((pod.get("spec") or {}).get("nodeName") or "")].append(requests(pod))
    found = []
    for node in usable:
        name = str(node["metadata"]["name"])
        allocatable = (node.get("status") or {}).get("allocatable") or {}
        mine = taken[name]
        found.append(
            Room(
                name,
                _number(allocatable.get("cpu")) - sum((cpu for cpu, _memory in mine), Decimal(0)),
                _number(allocatable.get("memory")) - sum((memory for _cpu, memory in mine), Decimal(0)),
                int(_number(allocatable.get("pods"))) - len(mine),
            )
        )
    return found


def requests(pod: Mapping[str, Any]) -> tuple[Decimal, Decimal]:
    """CPUs and bytes that the scheduler reserves for a Pod.

    Init containers run one after the other, beside those that stay (kubernetes: pkg/api/v1/resource/helpers.go).
    """
    spec = pod.get("spec") or {}
    totals = []
    for resource in ("cpu", "memory"):
        steady = sum((_request(one, resource) for one in spec.get("containers") or []), Decimal(0))
        staying = highest = Decimal(0)
        for one in spec.get("initContainers") or []:
            if one.get("restartPolicy") == "Always":
                staying += _request(one, resource)
                highest = max(highest, staying)
            else:
                highest = max(highest, staying + _request(one, resource))
        overhead = _number((spec.get("overhead") or {}).get(resource))
        totals.append(max(steady + staying, highest) + overhead)
    return totals[0], totals[1]


def _request(container: Mapping[str, Any], resource: str) -> Decimal:
    return _number(((container.get("resources") or {}).get("requests") or {}).get(resource))


def _number(value: Any) -> Decimal:
    """A quantity of the API; 0 for none."""
    return (quantity(str(value)) if value is not None else None) or Decimal(0)


def shortage(loads: Sequence[Load], left: Sequence[Room]) -> str:
    """Why the loads cannot all be placed, as far as that is certain; empty if it is not.

    Certain is a sum that is larger than all that is left, and a Pod that fits on no node alone.
    """
    if not left:
        return ""  # that no node takes Pods is a trouble of its own
    cpu, memory, pods = _left(left)
    short = []
    if sum(load.cpu for load in loads) > cpu:
        short.append(
            f"{_cpus(sum((load.cpu for load in loads), Decimal(0)))} are requested and {_cpus(cpu)} are left"
        )
    if sum(load.memory for load in loads) > memory:
        wanted = sum((load.memory for load in loads), Decimal(0))
        short.append(f"{_mebibytes(wanted)} are requested and {_mebibytes(memory)} are left")
    if len(loads) > pods:
        short.append(f"{len(loads)} Pods are to be made and {pods} more are allowed")
    if not short:
        short = [
            f"{load.name} requests {_cpus(load.cpu)} and {_mebibytes(load.memory)}, which no node has left"
            for load in loads
            if not any(room.pods > 0 and room.cpu >= load.cpu and room.memory >= load.memory for room in left)
        ][:1]
    number = f"{len(left)} node{'' if len(left) == 1 else 's'}"
    return f"{', '.join(short)} on the {number} that take Pods" if short else ""


def told(loads: Sequence[Load], left: Sequence[Room]) -> str:
    """What is needed and what there is, as a sentence."""
    cpu, memory, _pods = _left(left)
    wanted = sum((load.cpu for load in loads), Decimal(0)), sum((load.memory for load in loads), Decimal(0))
    return (
        f"At least {_cpus(wanted[0])} and {_mebibytes(wanted[1])} are requested by {len(loads)} Pods; {_cpus(cpu)} and "
        f"{_mebibytes(memory)} are left."
    )


def _left(left: Sequence[Room]) -> tuple[Decimal, Decimal, int]:
    """What all nodes have left together; one that has less than nothing takes nothing from the others."""
    zero = Decimal(0)
    return (
        sum((max(room.cpu, zero) for room in left), zero),
        sum((max(room.memory, zero) for room in left), zero),
        sum(max(room.pods, 0) for room in left),
    )


def _cpus(value: Decimal | int) -> str:
    return f"{Decimal(value):.2f} CPUs"


def _mebibytes(value: Decimal | int) -> str:
    return f"{Decimal(value) / _MEBI:.0f} MiB of memory"
