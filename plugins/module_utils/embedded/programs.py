# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command lines of controllers and agents (private to kubestellar.core). Pure functions.

Flags from kubestellar: cmd/controller-manager and pkg/transport/generic/cmd, kubeflex: cmd/manager/main.go,
ocm: pkg/cmd (library-go command wrapper). Every listener is on 127.0.0.1 and on a port of its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput
from ansible_collections.kubestellar.core.plugins.module_utils.embedded import kwok
from ansible_collections.kubestellar.core.plugins.module_utils.embedded.home import Stack

AGENT_NAMESPACE = "open-cluster-management-agent"
HUB_NAMESPACE = "open-cluster-management-hub"
_NAMED_BY = {
    "ocm_hub": "its",
    "controller_manager": "wds",
    "transport_controller": "wds",
    "ocm_agent": "wec",
}
_PACKAGE = "ansible_collections.kubestellar.core.plugins.module_utils.embedded"


@dataclass(frozen=True)
class Surroundings:
    """What a command line is made from.

    :param port: purpose of a listener to its port.
    :param identity: cluster to what changes when it is made anew, with other certificates; that restarts its programs.
    :param python: interpreter for our own agents.
    :param library: digest of the Python of our own agents; a new one restarts them.
    """

    stack: Stack
    binaries: Path
    port: Callable[[str], int]
    identity: Callable[[str], str]
    python: str
    library: str


@dataclass(frozen=True)
class Program:
    """A supervised program.

    :ivar listeners: purposes of its ports.
    :ivar ready: purpose of the listener that answers once it works; empty if none does.
    :ivar serves: the WECs that it serves to their ITS, of a program that can serve several.
    :ivar files: what it reads, beside its command line: path to contents. None of them is a secret.
    """

    name: str
    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    stop_signal: str = "TERM"
    listeners: tuple[str, ...] = ()
    ready: str = ""
    serves: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[Path, str] = field(default_factory=dict)


def program(spec: Mapping[str, Any], around: Surroundings) -> Program:
    """The program of one entry of the option `processes`; `serves` are all WECs of a status agent, to their ITS.

    :raises InvalidInput: an unknown program, or one whose cluster is not named.
    """
    kind = spec.get("program")
    if kind not in _PROGRAMS:
        raise InvalidInput(
            f"processes: there is no program {kind!r}.", hint=f"Use one of: {', '.join(_PROGRAMS)}."
        )
    needs, build = _PROGRAMS[kind]
    missing = [key for key in needs if not spec.get(key)]
    if missing:
        raise InvalidInput(f"processes: {kind} needs {' and '.join(missing)}.")
    made = build(spec, around)
    clusters = sorted({*made.serves, *made.serves.values()}) or [str(spec[key]) for key in needs]
    identities = [around.identity(cluster) for cluster in clusters]
    if not identities:
        return made
    return replace(made, environment={**made.environment, "KUBESTELLAR_CLUSTERS": "-".join(identities)})


def name_of(spec: Mapping[str, Any]) -> str:
    """The supervisor's name of an entry, for example `transport-controller-wds1`."""
    kind = str(spec.get("program"))
    key = _NAMED_BY.get(kind)
    return kind.replace("_", "-") + (f"-{spec.get(key)}" if key else "")


def _address(around: Surroundings, purpose: str) -> str:
    return f"127.0.0.1:{around.port(purpose)}"


def _listeners(around: Surroundings, name: str, *kinds: str) -> tuple[list[str], tuple[str, ...]]:
    """The flags `--<kind>-bind-address` and the purposes of their ports."""
    purposes = tuple(f"{name}/{kind}" for kind in kinds)
    flags = [f"--{kind}-bind-address={_address(around, p)}" for kind, p in zip(kinds, purposes, strict=True)]
    return flags, purposes


def _kubeconfig(around: Surroundings, cluster: str) -> str:
    return str(around.stack.run / "kubeconfigs" / cluster)


def _serving(around: Surroundings, cluster: str) -> dict[Path, str]:
    """The configuration file of one of OCM's programs: it serves with the certificate of its cluster.

    Without one it makes two RSA keys whenever it starts, for an agent two fifths of what it spends on joining
    (openshift/library-go: pkg/controller/controllercmd/cmd.go).
    """
    pki = around.stack.cluster(cluster) / "pki"
    config = {
        "apiVersion": "operator.openshift.io/v1alpha1",
        "kind": "GenericOperatorConfig",
        "servingInfo": {"certFile": str(pki / "admin.crt"), "keyFile": str(pki / "admin.key")},
    }
    return {around.stack.run / f"serving-{cluster}.yml": json.dumps(config)}


def _keeper(spec: Mapping[str, Any], around: Surroundings) -> Program:
    return Program(
        name_of(spec),
        (
            around.python,
            "-m",
            f"{_PACKAGE}.keeper",
            str(around.stack.home),
            around.stack.name,
            str(around.binaries),
        ),
        _library(around),
    )


def _kubeflex_manager(spec: Mapping[str, Any], around: Surroundings) -> Program:
    name = name_of(spec)
    flags, purposes = _listeners(around, name, "metrics", "health-probe")
    return Program(
        name,
        (str(around.binaries / "kubeflex-manager"), *flags),
        {
            "KUBECONFIG": _kubeconfig(around, spec["hub"]),
            "HELM_CONFIG_HOME": str(around.stack.run / "helm"),
            "HELM_CACHE_HOME": str(around.stack.run / "helm"),
        },
        listeners=purposes,
        ready=purposes[1],
    )


def _controller_manager(spec: Mapping[str, Any], around: Surroundings) -> Program:
    name = name_of(spec)
    flags, purposes = _listeners(around, name, "metrics", "health-probe", "pprof")
    qps, burst = spec.get("qps") or 5, spec.get("burst") or 10
    limits = [
        f"--{side}-{key}={value}"
        for side in ("its", "wds")
        for key, value in (("qps", qps), ("burst", burst))
    ]
    # An empty value would mean all groups; the core group alone has to be said twice.
    groups = ",".join(spec.get("api_groups") or []) or ("," if spec.get("api_groups") else "")
    return Program(
        name,
        (
            str(around.binaries / "controller-manager"),
            f"--its-name={spec['its']}",
            f"--wds-name={spec['wds']}",
            *([f"--api-groups={groups}"] if groups else []),
            *limits,
            *flags,
        ),
        {"KUBECONFIG": _kubeconfig(around, spec["hub"])},
        # It stops working on SIGTERM but keeps running and keeps its ports.
        stop_signal="KILL",
        listeners=purposes,
        ready=purposes[1],
    )


def _transport_controller(spec: Mapping[str, Any], around: Surroundings) -> Program:
    name = name_of(spec)
    flags, purposes = _listeners(around, name, "metrics", "pprof", "health-probe")
    qps, burst = spec.get("qps") or 5, spec.get("burst") or 10
    limits = [
        f"--{side}-{key}={value}"
        for side in ("transport", "wds")
        for key, value in (("qps", qps), ("burst", burst))
    ]
    return Program(
        name,
        (
            str(around.binaries / "ocm-transport-controller"),
            f"--wds-kubeconfig={_kubeconfig(around, spec['wds'])}",
            f"--transport-kubeconfig={_kubeconfig(around, spec['its'])}",
            f"--wds-name={spec['wds']}",
            "--max-num-wrapped=1",
            *limits,
            *flags,
        ),
        listeners=purposes,
        ready=purposes[0],
    )


def _ocm_hub(spec: Mapping[str, Any], around: Surroundings) -> Program:
    name = name_of(spec)
    purposes = (f"{name}/https",)
    files = _serving(around, spec["its"])
    return Program(
        name,
        (
            str(around.binaries / "registration"),
            "controller",
            *(f"--config={path}" for path in files),
            f"--kubeconfig={_kubeconfig(around, spec['its'])}",
            f"--namespace={HUB_NAMESPACE}",
            "--disable-leader-election",
            f"--listen={_address(around, purposes[0])}",
            "--feature-gates=DefaultClusterSet=true",
            "--enabled-registration-drivers=csr",
        ),
        listeners=purposes,
        ready=purposes[0],
        files=files,
    )


def _ocm_agent(spec: Mapping[str, Any], around: Surroundings) -> Program:
    name, wec = name_of(spec), spec["wec"]
    purposes = (f"{name}/https",)
    folder = around.stack.agents / wec
    qps, burst = spec.get("qps") or 50, spec.get("burst") or 100
    interval = spec.get("status_sync_interval")
    files = _serving(around, wec)
    return Program(
        name,
        (
            str(around.binaries / "registration-operator"),
            "agent",
            *(f"--config={path}" for path in files),
            f"--kubeconfig={_kubeconfig(around, wec)}",
            f"--namespace={AGENT_NAMESPACE}",
            "--disable-leader-election",
            f"--listen={_address(around, purposes[0])}",
            f"--spoke-cluster-name={wec}",
            f"--agent-id={wec}",
            f"--bootstrap-kubeconfig={folder / 'bootstrap-kubeconfig'}",
            f"--hub-kubeconfig-dir={folder / 'hub'}",
            "--workload-source-driver=kube",
            f"--workload-source-config={folder / 'hub' / 'kubeconfig'}",
            *([f"--status-sync-interval={interval}"] if interval else []),
            f"--hub-kube-api-qps={qps}",
            f"--hub-kube-api-burst={burst}",
            f"--kube-api-qps={qps}",
            f"--kube-api-burst={burst}",
        ),
        kwok.ONE_THREAD,
        listeners=purposes,
        files=files,
    )


def _status_agent(spec: Mapping[str, Any], around: Surroundings) -> Program:
    serves = dict(spec.get("serves") or {spec["wec"]: spec["its"]})
    return Program(
        name_of(spec),
        (
            around.python,
            "-m",
            f"{_PACKAGE}.status_agent",
            f"--kubeconfigs={around.stack.run / 'kubeconfigs'}",
            *(f"--wec={its}/{wec}" for wec, its in sorted(serves.items())),
        ),
        _library(around),
        serves=serves,
    )


def _library(around: Surroundings) -> dict[str, str]:
    """The environment of a program of ours."""
    return {
        "PYTHONPATH": str(around.stack.lib),
        "PYTHONDONTWRITEBYTECODE": "1",
        "KUBESTELLAR_LIBRARY": around.library,
    }


_PROGRAMS: dict[str, tuple[tuple[str, ...], Callable[[Mapping[str, Any], Surroundings], Program]]] = {
    "keeper": ((), _keeper),
    "kubeflex_manager": (("hub",), _kubeflex_manager),
    "ocm_hub": (("its",), _ocm_hub),
    "controller_manager": (("hub", "its", "wds"), _controller_manager),
    "transport_controller": (("its", "wds"), _transport_controller),
    "ocm_agent": (("wec",), _ocm_agent),
    "status_agent": (("its", "wec"), _status_agent),
}
KINDS = tuple(_PROGRAMS)
"""What the option `program` can be."""
