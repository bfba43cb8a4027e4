# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters made by kwokctl: a real etcd, API server and controller manager each (private to kubestellar.core).

Nothing here needs the API of a cluster (see `clusters.py`), so that the keeper stays small.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._errors import KubestellarError, plain
from ansible_collections.kubestellar.core.plugins.module_utils._files import write_file
from ansible_collections.kubestellar.core.plugins.module_utils.embedded import ports, processes
from ansible_collections.kubestellar.core.plugins.module_utils.embedded.home import (
    MARKER,
    Stack,
    State,
    write_link,
)

ROLES = ("hosting", "its", "wds", "wec")

# What a KubeFlex control plane of type k8s runs (kubeflex: pkg/reconcilers/k8s): no workload controllers, so that a
# Deployment in a WDS makes no Pods.
SPACE_CONTROLLERS = (
    "certificatesigningrequest-approving-controller,certificatesigningrequest-cleaner-controller,"
    "certificatesigningrequest-signing-controller,namespace-controller,root-ca-certificate-publisher-controller,"
    "serviceaccount-controller,serviceaccount-token-controller,bootstrap-signer-controller,token-cleaner-controller,"
    "garbage-collector-controller,persistentvolume-protection-controller,persistentvolumeclaim-protection-controller"
)
_BINARIES = {
    "etcd": "etcd",
    "kube-apiserver": "kube-apiserver",
    "kube-controller-manager": "kube-controller-manager",
    "kube-scheduler": "kube-scheduler",
    "kwok-controller": "kwok",
}
_AUDIT_POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: None
    verbs: [get, list, watch]
  - level: None
    resources:
      - group: coordination.k8s.io
        resources: [leases]
      - group: ""
        resources: [events]
      - group: events.k8s.io
        resources: [events]
  - level: Metadata
"""
_COMMAND_SECONDS = 120.0
_BUSY_ROLES, _BUSY_GOGC = ("its", "wds"), "200"
"""All WECs and workload go through these API servers; with 50, a fifth of their CPU time under load is collecting garbage."""

ONE_THREAD = {"GOMAXPROCS": "1"}
"""For what mostly waits, since half of what that costs is one thread that wakes another."""


@dataclass(frozen=True)
class Wanted:
    """A cluster as it is wanted.

    :param role: one of `ROLES`; decides which controllers run.
    :param nodes: number of simulated nodes.
    """

    name: str
    role: str
    nodes: int = 0

    @property
    def components(self) -> tuple[str, ...]:
        """The processes of this cluster. Only a cluster with nodes needs a scheduler and kwok."""
        base = ("etcd", "kube-apiserver", "kube-controller-manager")
        return (*base, "kube-scheduler", "kwok-controller") if self.has_nodes else base

    @property
    def has_nodes(self) -> bool:
        """Whether Pods can run there: in every WEC, and in a hosting cluster that is given nodes for a hub's Pods."""
        return self.role == "wec" or self.nodes > 0


def environment(stack: Stack) -> dict[str, str]:
    """The environment of everything we start: marked, and with no proxy between us and 127.0.0.1."""
    values = {
        key: value
        for key, value in os.environ.items()
        if key.lower() not in ("http_proxy", "https_proxy", "all_proxy")
        and not key.startswith(("ANSIBLE_", "K8S_AUTH_"))
    }
    values |= {
        MARKER: str(stack.folder),
        "KWOK_WORKDIR": str(stack.clusters),
        "KUBECONFIG": str(stack.run / "kwokctl.kubeconfig"),
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "HOME": str(stack.run),
        # Agents keep keys in temporary files, which must go with the stack also when they are killed.
        "TMPDIR": str(stack.run),
        # Go programs keep up to twice their live memory by default; most of these have memory to save, not time.
        "GOGC": "50",
    }
    return values


def purposes(cluster: Wanted) -> dict[str, str]:
    """The listeners of a cluster: kwokctl option to purpose of the port."""
    names = {
        "kubeApiserverPort": "kube-apiserver",
        "etcdPort": "etcd",
        "etcdPeerPort": "etcd-peer",
        "kubeControllerManagerPort": "kube-controller-manager",
    }
    if cluster.has_nodes:
        names |= {"kubeSchedulerPort": "kube-scheduler", "kwokControllerPort": "kwok-controller"}
    return {option: f"{cluster.name}/{name}" for option, name in names.items()}


def configuration(stack: Stack, state: State, cluster: Wanted, binaries: Path) -> dict[str, Any]:
    """The KwokctlConfiguration of a cluster (kwok: pkg/apis/config/v1alpha1/kwokctl_configuration_types.go)."""
    folder = stack.cluster(cluster.name)
    manager = {
        "cluster-signing-cert-file": str(folder / "pki" / "ca.crt"),
        "cluster-signing-key-file": str(folder / "pki" / "ca.key"),
        "leader-elect": "false",
    }
    if cluster.role in ("its", "wds"):
        manager["controllers"] = SPACE_CONTROLLERS
    patches = {
        "kube-controller-manager": manager,
        "kube-scheduler": {"leader-elect": "false"},
        "kwok-controller": {},
        "kube-apiserver": {"audit-log-maxsize": "20", "audit-log-maxbackup": "1"},
        # What a killed process wrote is safe in the page cache; only a power failure could lose it.
        "etcd": {"unsafe-no-fsync": "true"},
    }
    binary_options = {
        "etcdBinary": "etcd",
        "kubeApiserverBinary": "kube-apiserver",
        "kubeControllerManagerBinary": "kube-controller-manager",
        "kubeSchedulerBinary": "kube-scheduler",
        "kubectlBinary": "kubectl",
        "kwokControllerBinary": "kwok",
    }
    return {
        "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
        "kind": "KwokctlConfiguration",
        "options": {
            "runtime": "binary",
            "bindAddress": ports.LOOPBACK,
            "kubeAuthorization": True,
            "kubeAdmission": True,
            "kubeAuditPolicy": str(stack.run / "audit-policy.yml"),
            "components": list(cluster.components),
            # A kwok that was killed is a stranger when it comes back: it waits for the end of its own lease, and until
            # then no Pod of the node runs or goes. kwokctl multiplies this by its heartbeatFactor, 5.
            "nodeLeaseDurationSeconds": 2,
            **{option: str(binaries / name) for option, name in binary_options.items()},
            **{option: ports.port(state, purpose) for option, purpose in purposes(cluster).items()},
        },
        "componentsPatches": [
            {
                "name": name,
                "extraArgs": [{"key": key, "value": value} for key, value in sorted(arguments.items())],
                "extraEnvs": [
                    {"name": key, "value": value} for key, value in _settings(cluster.role, name).items()
                ],
            }
            for name, arguments in patches.items()
            if name in cluster.components
        ],
    }


def _settings(role: str, component: str) -> dict[str, str]:
    """The environment of a component beside `environment`."""
    if role == "wec" or component not in ("etcd", "kube-apiserver"):
        return ONE_THREAD
    return {"GOGC": _BUSY_GOGC} if component == "kube-apiserver" and role in _BUSY_ROLES else {}


def components(stack: Stack, name: str) -> dict[str, processes.Process]:
    """The running processes of a cluster by component, known by their executable in the cluster's folder."""
    prefix = str(stack.cluster(name) / "bin") + os.sep
    return {
        process.command[0][len(prefix) :]: process
        for process in processes.of_stack(stack)
        if process.command[0].startswith(prefix)
    }


def create(stack: Stack, state: State, cluster: Wanted, binaries: Path) -> None:
    """Create and start a cluster, over whatever an interrupted attempt left of it."""
    remove(stack, cluster.name)
    write_file(stack.run / "audit-policy.yml", _AUDIT_POLICY)
    config = stack.run / f"kwok-{cluster.name}.yml"
    write_file(config, json.dumps(configuration(stack, state, cluster, binaries), indent=1))
    _kwokctl(
        stack,
        binaries,
        "create",
        "cluster",
        "--name",
        cluster.name,
        "--config",
        str(config),
        "--timeout",
        "2m",
    )


def start(stack: Stack, cluster: str, binaries: Path) -> None:
    """Start what does not run of an existing cluster."""
    forget_stale_pids(stack, cluster)
    _kwokctl(stack, binaries, "start", "cluster", "--name", cluster)


def use_binaries(stack: Stack, cluster: str, binaries: Path) -> None:
    """Let the components of a stopped cluster be the given binaries."""
    folder = stack.cluster(cluster) / "bin"
    for link in list(folder.iterdir()):
        write_link(link, binaries / _BINARIES[link.name])


def stop(stack: Stack, cluster: str) -> None:
    """Stop all components of a cluster."""
    processes.stop(list(components(stack, cluster).values()))


def remove(stack: Stack, cluster: str) -> None:
    """Stop a cluster and delete its folder; nothing happens if there is none."""
    stop(stack, cluster)
    shutil.rmtree(stack.cluster(cluster), ignore_errors=True)


def forget_stale_pids(stack: Stack, cluster: str) -> None:
    """Delete pid files that name no component of this cluster: kwokctl trusts them, also after a reboot."""
    running = {process.pid for process in components(stack, cluster).values()}
    for path in (stack.cluster(cluster) / "pids").glob("*.pid"):
        try:
            pid = int(path.read_text().strip() or 0)
        except (OSError, ValueError):
            pid = 0
        if pid not in running:
            path.unlink(missing_ok=True)


def last_lines(log: Path, count: int = 3) -> str:
    """The end of a log as one line for a message."""
    try:
        with open(log, "rb") as stream:
            stream.seek(max(0, log.stat().st_size - 4096))
            lines = stream.read().decode(errors="replace").strip().splitlines()
    except OSError:
        return "there is no log"
    return plain(" | ".join(lines[-count:]), 600)


def _kwokctl(stack: Stack, binaries: Path, *arguments: str) -> None:
    """:raises KubestellarError: kwokctl failed; with the end of its output."""
    command = [str(binaries / "kwokctl"), *arguments]
    stack.run.mkdir(parents=True, exist_ok=True, mode=0o700)
    log = stack.logs / "kwokctl.log"
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with open(log, "ab") as stream:
            done = subprocess.run(
                command,
                env=environment(stack),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                timeout=_COMMAND_SECONDS,
                check=False,
                start_new_session=True,
            )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise KubestellarError(
            f"kwokctl {' '.join(arguments[:4])} failed: {plain(error)}.", hint=f"See {log}."
        ) from error
    if done.returncode != 0:
        raise KubestellarError(
            f"kwokctl {' '.join(arguments[:4])} failed: {last_lines(log)}", hint=f"See {log}; then run again."
        )
