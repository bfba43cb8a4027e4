# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bringing the clusters of a stack up, all at once (private to kubestellar.core)."""

from __future__ import annotations

import base64
import os
import platform
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bulk
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, KubestellarError
from ansible_collections.kubestellar.core.plugins.module_utils._files import write_file
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils._yaml import dump_yaml, load_yaml
from ansible_collections.kubestellar.core.plugins.module_utils.embedded import kwok, ports, preflight
from ansible_collections.kubestellar.core.plugins.module_utils.embedded.home import (
    Stack,
    State,
    write_link,
)
from ansible_collections.kubestellar.core.plugins.module_utils.workload import files, pieces

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
"""What the kernel calls a machine, and what Kubernetes does."""
_STARTERS = 3
_READY_SECONDS = 90.0


@dataclass
class Result:
    """What happened to one cluster.

    :ivar method: `none` (it was healthy), `create`, or `update` (started, repaired, given other binaries).
    :ivar reason: why it was not `none`.
    :ivar manifests: outcomes of the manifests applied to it.
    """

    name: str
    method: str = "none"
    reason: str = ""
    server: str = ""
    manifests: list[_bulk.Outcome] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Whether anything was, or in check mode would be, done."""
        return self.method != "none" or any(outcome.changed for outcome in self.manifests)

    def result(self) -> dict[str, Any]:
        """The entry of `objects` in the module's result."""
        return {
            "kind": "Cluster",
            "name": self.name,
            "method": self.method if self.method != "none" or not self.changed else "update",
            "changed": self.changed,
            "reason": self.reason,
            "server": self.server,
            "context": self.name,
        }


def absent(stack: Stack, names: Sequence[str], progress: Progress, *, check_mode: bool) -> list[Result]:
    """Stop these WECs and delete their folders and ports; results in order.

    :raises InvalidInput: one of them is a cluster of the hub.
    """
    known = State.load(stack).clusters
    for name in names:
        role = (known.get(name) or {}).get("role", "wec")
        if role != "wec":
            raise InvalidInput(
                f"{name}: this cluster is of the hub ({role}), and is not deleted alone.",
                hint="Delete the whole stack (kubestellar.core.teardown).",
            )
    results = [
        Result(name, "delete" if name in known or stack.cluster(name).exists() else "none") for name in names
    ]
    gone = [result.name for result in results if result.method != "none"]
    if check_mode or not gone:
        return results
    with stack.locked(progress), stack.starting(progress):
        state = State.load(stack)
        for name in gone:
            # First forgotten, so that the keeper does not start it again.
            state.clusters.pop(name, None)
            for purpose in [purpose for purpose in state.ports if purpose.startswith(f"{name}/")]:
                del state.ports[purpose]
        state.save()
        with ThreadPoolExecutor(_STARTERS) as pool:
            list(pool.map(lambda name: kwok.remove(stack, name), gone))
        for name in gone:
            (stack.run / "kubeconfigs" / name).unlink(missing_ok=True)
        write_merged(stack, state)
    progress.line(f"deleted {', '.join(gone)}")
    return results


def inspect(stack: Stack, state: State, wanted: kwok.Wanted, binaries: Path) -> Result:
    """What would have to be done for one cluster. Reads only.

    :raises KubestellarError: the cluster of a hub that is to be a WEC too has nothing that could run Pods.
    """
    folder = stack.cluster(wanted.name)
    known = state.clusters.get(wanted.name) or {}
    if known.get("role", "wec") != "wec" and wanted.has_nodes and not known.get("nodes"):
        raise KubestellarError(
            f"{wanted.name}: this cluster was made without nodes, so it cannot be a WEC.",
            hint="Delete the stack (kubestellar.core.teardown) and set it up again with the hub in kubestellar_wecs.",
        )
    if wanted.name not in state.clusters or not (folder / "kwok.yaml").exists():
        half = folder.exists()
        return Result(
            wanted.name, "create", "an earlier attempt was interrupted" if half else "it does not exist"
        )
    running = kwok.components(stack, wanted.name)
    dead = [component for component in wanted.components if component not in running]
    if dead:
        return Result(wanted.name, "update", f"{', '.join(dead)} not running")
    if state.clusters[wanted.name].get("binaries") != str(binaries):
        return Result(wanted.name, "update", "it runs other binaries")
    client = connect(stack, wanted.name)
    if not client.ready():
        return Result(wanted.name, "update", "its API server is not ready")
    return Result(wanted.name, server=client.server)


def bring_up(
    stack: Stack,
    wanted: Sequence[kwok.Wanted],
    manifests: Mapping[str, Sequence[str]],
    binaries: Path,
    progress: Progress,
    *,
    check_mode: bool,
) -> list[Result]:
    """Make the clusters run and hold their nodes and manifests; results in order.

    :param manifests: cluster to files and folders with objects.
    :raises PreflightFailed: the machine lacks something; nothing was started.
    """
    if check_mode:
        return _forecast(stack, wanted, manifests, binaries)
    with stack.locked(progress):
        state = State.load(stack)
        results = [inspect(stack, state, cluster, binaries) for cluster in wanted]
        todo = [result for result in results if result.method != "none"]
        if todo:
            preflight.clusters(
                stack, state, {c.name: c for c in wanted}, {r.name: r.method for r in todo}, binaries
            )
        if todo:
            with stack.starting(progress):
                _start_all(stack, state, wanted, results, binaries, progress)
        with ThreadPoolExecutor(_STARTERS) as pool:
            furnished = [
                pool.submit(_furnish, stack, cluster, result, manifests, check_mode)
                for cluster, result in zip(wanted, results, strict=True)
            ]
        for future in furnished:
            future.result()
        write_merged(stack, state)
        write_link(stack.bin, binaries)
    for result in results:
        _bulk.raise_failures(result.manifests, result.name)
    return results


def _forecast(
    stack: Stack, wanted: Sequence[kwok.Wanted], manifests: Mapping[str, Sequence[str]], binaries: Path
) -> list[Result]:
    """The results of a run, without changing anything."""
    state = State.load(stack)
    results = [inspect(stack, state, cluster, binaries) for cluster in wanted]
    for cluster, result in zip(wanted, results, strict=True):
        if result.method == "none":
            _furnish(stack, cluster, result, manifests, True)
    return results


def _start_all(
    stack: Stack,
    state: State,
    wanted: Sequence[kwok.Wanted],
    results: Sequence[Result],
    binaries: Path,
    progress: Progress,
) -> None:
    lock = threading.Lock()
    for cluster in wanted:
        for purpose in kwok.purposes(cluster).values():
            ports.port(state, purpose)
    state.save()

    def work(pair: tuple[kwok.Wanted, Result]) -> None:
        cluster, result = pair
        begin = time.monotonic()
        if result.method == "create":
            kwok.create(stack, state, cluster, binaries)
        else:
            if state.clusters[cluster.name].get("binaries") != str(binaries) or result.reason.endswith(
                "not ready"
            ):
                kwok.stop(stack, cluster.name)
                kwok.use_binaries(stack, cluster.name, binaries)
            kwok.start(stack, cluster.name, binaries)
        result.server = wait_ready(stack, cluster.name).server
        with lock:
            # A hub that is a WEC too stays what it was made as.
            role = cluster.role if result.method == "create" else state.clusters[cluster.name]["role"]
            state.clusters[cluster.name] = {
                "role": role,
                "nodes": cluster.nodes,
                "binaries": str(binaries),
            }
            state.save()
            done = "created" if result.method == "create" else "repaired"
            progress.line(
                f"cluster {cluster.name}: {done} in {time.monotonic() - begin:.1f} s ({result.reason})"
            )

    pairs = [pair for pair in zip(wanted, results, strict=True) if pair[1].method != "none"]
    with ThreadPoolExecutor(_STARTERS) as pool:
        list(pool.map(work, pairs))


def _furnish(
    stack: Stack,
    cluster: kwok.Wanted,
    result: Result,
    manifests: Mapping[str, Sequence[str]],
    check_mode: bool,
) -> None:
    """Nodes and manifests of one running cluster."""
    found = [piece for path in manifests.get(cluster.name) or () for piece in files.read(path)]
    found = [pieces.Piece(node, "nodes") for node in nodes(cluster)] + found
    objects = pieces.checked(found, f"manifests of {cluster.name}").objects
    if objects:
        client = connect(stack, cluster.name)
        result.manifests = _bulk.apply_all(client, objects, force=True, dry_run=check_mode)


def connect(stack: Stack, name: str) -> Cluster:
    """The cluster by the kubeconfig that kwokctl wrote for it."""
    return Cluster.from_kubeconfig(str(stack.cluster(name) / "kubeconfig.yaml"), f"kwok-{name}", name=name)


def wait_ready(stack: Stack, cluster: str) -> Cluster:
    """Wait until the API server says it is ready, and return a client for it.

    :raises KubestellarError: it does not in time; with the end of the log of what is missing.
    """
    deadline = time.monotonic() + _READY_SECONDS
    client: Cluster | None = None
    while time.monotonic() < deadline:
        if client is None and (stack.cluster(cluster) / "kubeconfig.yaml").exists():
            client = connect(stack, cluster)
        if client is not None and client.ready():
            return client
        time.sleep(0.1)
    dead = sorted(set(os.listdir(stack.cluster(cluster) / "bin")) - set(kwok.components(stack, cluster)))
    suspect = dead[0] if dead else "kube-apiserver"
    log = stack.cluster(cluster) / "logs" / f"{suspect}.log"
    raise KubestellarError(
        f"{cluster}: the API server is not ready after {_READY_SECONDS:.0f} s"
        f"{f' and {suspect} does not run' if dead else ''}: {kwok.last_lines(log)}",
        hint=f"See {log}.",
    )


def nodes(cluster: kwok.Wanted) -> list[dict[str, Any]]:
    """The Node objects of a cluster; kwok makes them Ready."""
    return [
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": f"{cluster.name}-node-{number}",
                "annotations": {"kwok.x-k8s.io/node": "fake"},
                "labels": {
                    "kubernetes.io/hostname": f"{cluster.name}-node-{number}",
                    "kubernetes.io/os": "linux",
                    # Pods may ask for it, and real nodes all have it.
                    "kubernetes.io/arch": _ARCHITECTURES.get(platform.machine(), platform.machine()),
                    "type": "kwok",
                },
            },
        }
        for number in range(1, cluster.nodes + 1)
    ]


def write_merged(stack: Stack, state: State) -> None:
    """The merged kubeconfig of all clusters, and one file for each, which the controllers read.

    A cluster whose folder is lost is left out until its turn to be made anew.
    """
    names = [name for name in sorted(state.clusters) if (stack.cluster(name) / "kubeconfig.yaml").exists()]
    hosting = [name for name in names if state.clusters[name]["role"] == "hosting"]
    entries = {name: _kubeconfig_entry(stack, name) for name in names}
    write_file(stack.kubeconfig, _kubeconfig(entries, hosting[0] if hosting else ""))
    for name, entry in entries.items():
        write_file(stack.run / "kubeconfigs" / name, _kubeconfig({name: entry}, name))


def _kubeconfig(entries: Mapping[str, tuple[dict[str, Any], dict[str, Any]]], current: str) -> str:
    """A kubeconfig with a context for each entry (cluster and user), named like it."""
    return dump_yaml(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": cluster} for name, (cluster, _user) in entries.items()],
            "users": [{"name": name, "user": user} for name, (_cluster, user) in entries.items()],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}} for name in entries],
            "current-context": current,
        }
    )


def _kubeconfig_entry(stack: Stack, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Cluster and user of one cluster, with all credentials inside."""
    pki = stack.cluster(name) / "pki"
    path = stack.cluster(name) / "kubeconfig.yaml"
    content = load_yaml(path.read_text(encoding="utf-8"), str(path))[0]
    cluster = {
        "server": content["clusters"][0]["cluster"]["server"],
        "certificate-authority-data": _encoded(pki / "ca.crt"),
    }
    user = {
        "client-certificate-data": _encoded(pki / "admin.crt"),
        "client-key-data": _encoded(pki / "admin.key"),
    }
    return cluster, user


def _encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
