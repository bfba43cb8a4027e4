# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kind and k3d are told and what they answer (private to kubestellar.core). Pure functions.

Commands and answers: kind: pkg/cmd/kind, pkg/apis/config/v1alpha4; k3d: cmd/cluster, pkg/types. What a hub needs of such a
cluster: kubestellar: scripts/create-kind-cluster-with-SSL-passthrough.sh, scripts/create-kubestellar-demo-env.sh.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bounds
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    InvalidInput,
    KubestellarError,
    plain,
)

KIND, K3D = "kind", "k3d"
TOOLS = (KIND, K3D)
ENGINES = ("docker", "podman", "nerdctl")
"""The container engines that kind knows."""
OLDEST: dict[str, tuple[int, ...]] = {KIND: (0, 20), K3D: (5, 7, 4)}
"""The versions that KubeStellar asks for (kubestellar: scripts/check_pre_req.sh)."""
LOOPBACK, INGRESS_PORT = "127.0.0.1", 9443
"""Where the Ingress controller of a hub is reached: KubeFlex's own default is port 9443 of localtest.me, which is 127.0.0.1."""

VERSION_COMMAND = ("version",)

_CONTAINER_PORT = 443
_LONGEST_NAME = {KIND: 49, K3D: 32}
_NAME = re.compile(r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")


@dataclass(frozen=True)
class Wanted:
    """A cluster as it is wanted.

    :ivar tool: `kind` or `k3d`.
    :ivar port: port of this machine that leads to port 443 of the cluster; None for none.
    :ivar address: address of this machine that it is bound to.
    :ivar image: image of the nodes, empty for the tool's own. It counts only when the cluster is made, as `nodes` does.
    :ivar network: container network, for k3d; empty for one of its own.
    """

    tool: str
    name: str
    port: int | None = None
    address: str = LOOPBACK
    image: str = ""
    nodes: int = 1
    network: str = ""

    @property
    def context(self) -> str:
        """The context that the tool writes into a kubeconfig."""
        return context_of(self.tool, self.name)

    @property
    def label(self) -> str:
        """What messages call it."""
        return f"the {self.tool} cluster {self.name}"

    @property
    def title(self) -> str:
        """What messages call it that begin with it."""
        return f"The {self.tool} cluster {self.name}"


@dataclass(frozen=True)
class Found:
    """A cluster as it is.

    :ivar running: whether all its containers run.
    :ivar bindings: address and port of this machine for each binding of its port 443.
    :ivar containers: their names.
    """

    running: bool
    bindings: tuple[tuple[str, int], ...] = ()
    containers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Decision:
    """What is to be done: `none`, `create`, `update` (start) or `delete`; and why."""

    method: str
    reason: str = ""


# -- names -----------------------------------------------------------------------------------------------------------


def context_of(tool: str, name: str) -> str:
    """The context of a cluster in its kubeconfig."""
    return f"{tool}-{name}"


def host_container(tool: str, name: str) -> str:
    """The container that runs the API server, which is KubeFlex's `hostContainer`."""
    return f"{name}-control-plane" if tool == KIND else f"k3d-{name}-server-0"


def kubeconfig_path(home: str, tool: str, name: str) -> str:
    """Our own kubeconfig of a cluster. :param home: `$KUBESTELLAR_HOME`."""
    return os.path.join(os.path.abspath(os.path.expanduser(home)), "clusters", f"{tool}-{name}", "kubeconfig")


def check(wanted: Wanted) -> None:
    """:raises InvalidInput: such a cluster cannot be."""
    longest = _LONGEST_NAME[wanted.tool]
    if not _NAME.match(wanted.name) or len(wanted.name) > longest:
        raise InvalidInput(
            f"{plain(wanted.name, 80)!r} is no name for a {wanted.tool} cluster.",
            hint=f"Use at most {longest} lower-case letters, digits and dashes.",
        )
    if wanted.port is not None and not 0 < wanted.port < 65536:
        raise InvalidInput(f"{wanted.title}: the port {wanted.port} does not exist.", hint="Use 1 to 65535.")
    if wanted.nodes < 1:
        raise InvalidInput(f"{wanted.title}: {wanted.nodes} nodes are none.", hint="Set nodes to 1 or more.")
    if wanted.network and wanted.tool == KIND:
        raise InvalidInput(
            f"{wanted.title}: kind puts all its clusters into one network, so network cannot be set.",
            hint="Leave network out.",
        )


# -- commands --------------------------------------------------------------------------------------------------------


def list_command(tool: str) -> list[str]:
    """Prints which clusters there are, for `exists`."""
    return ["get", "clusters"] if tool == KIND else ["cluster", "list", "-o", "json"]


def create_command(wanted: Wanted, config: str, kubeconfig: str, timeout: int) -> list[str]:
    """Makes the cluster and waits until its API server answers.

    :param config: file with `kind_config`; k3d needs none.
    """
    if wanted.tool == KIND:
        command = ["create", "cluster", "--name", wanted.name, "--config", config]
        command += ["--kubeconfig", kubeconfig, "--wait", f"{timeout}s"]
        return [*command, "--image", wanted.image] if wanted.image else command
    command = ["cluster", "create", wanted.name, "--servers", "1", "--agents", str(wanted.nodes - 1)]
    command += ["--api-port", f"{LOOPBACK}:random"]
    if wanted.port is not None:
        command += ["--port", f"{wanted.address}:{wanted.port}:{_CONTAINER_PORT}@loadbalancer"]
        command += ["--k3s-arg", "--disable=traefik@server:*"]
    command += ["--kubeconfig-update-default=false", "--kubeconfig-switch-context=false"]
    command += ["--wait", "--timeout", f"{timeout}s"]
    command += ["--image", wanted.image] if wanted.image else []
    return [*command, "--network", wanted.network] if wanted.network else command


def kubeconfig_command(tool: str, name: str) -> list[str]:
    """Prints the kubeconfig."""
    return ["get", "kubeconfig", "--name", name] if tool == KIND else ["kubeconfig", "get", name]


def delete_command(tool: str, name: str, kubeconfig: str) -> list[str]:
    """Deletes the cluster, and its entry in the kubeconfig."""
    if tool == KIND:
        return ["delete", "cluster", "--name", name, "--kubeconfig", kubeconfig]
    return ["cluster", "delete", name]


def kind_config(wanted: Wanted) -> dict[str, Any]:
    """The configuration of a kind cluster. Its API server listens on the loopback only."""
    node: dict[str, Any] = {"role": "control-plane"}
    if wanted.port is not None:
        # The label is where the Ingress controller goes, since only this container has the port.
        node["labels"] = {"ingress-ready": "true"}
        node["extraPortMappings"] = [
            {
                "containerPort": _CONTAINER_PORT,
                "hostPort": wanted.port,
                "listenAddress": wanted.address,
                "protocol": "TCP",
            }
        ]
    return {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "name": wanted.name,
        "networking": {"apiServerAddress": LOOPBACK},
        "nodes": [node, *({"role": "worker"} for _number in range(wanted.nodes - 1))],
    }


def environment(environ: Mapping[str, str], kubeconfig: str, engine: str = "") -> dict[str, str]:
    """The environment of the programs: no credentials for clusters, and no kubeconfig but ours."""
    values = {key: value for key, value in environ.items() if not key.startswith(("ANSIBLE_", "K8S_AUTH_"))}
    values["KUBECONFIG"] = kubeconfig
    if engine:
        values["KIND_EXPERIMENTAL_PROVIDER"] = engine
    return values


# -- answers ---------------------------------------------------------------------------------------------------------


def check_version(tool: str, program: str, output: str) -> str:
    """The version in what `version` printed, such as `kind v0.23.0 go1.21.10 linux/amd64` or `k3d version v5.7.4`.

    :raises KubestellarError: there is none, or it is too old.
    """
    match = re.search(rf"(?m)^{tool}\s(?:version\s)?v?(\d+(?:\.\d+)+)", output)
    oldest = ".".join(map(str, OLDEST[tool]))
    if match is None:
        raise KubestellarError(
            f"{program} does not say its version: {plain(output, 120) or 'no output'}.",
            hint=f"Is it {tool}? Version {oldest} or newer is needed.",
        )
    if tuple(map(int, match.group(1).split("."))) < OLDEST[tool]:
        raise KubestellarError(
            f"{program} is {tool} {match.group(1)}, which is too old.",
            hint=f"Install {tool} {oldest} or newer, or name another program.",
        )
    return match.group(1)


def exists(tool: str, name: str, output: str) -> bool:
    """Whether a cluster is among those that `list_command` printed.

    :raises KubestellarError: that cannot be said.
    """
    if tool == KIND:
        return name in (line.strip() for line in output.splitlines())
    return _k3d_cluster(name, output) is not None


def k3d_found(name: str, output: str) -> Found:
    """The containers of a k3d cluster, from `k3d cluster list -o json`."""
    cluster = _k3d_cluster(name, output) or {}
    nodes = [
        node for node in cluster.get("nodes") or [] if node.get("role") in ("server", "agent", "loadbalancer")
    ]
    states = [bool((node.get("State") or {}).get("Running")) for node in nodes]
    return Found(
        running=bool(states) and all(states),
        bindings=tuple(binding for node in nodes for binding in _bindings([node.get("portMappings")])),
        containers=tuple(str(node.get("name")) for node in nodes),
    )


def engine_found(output: str) -> Found:
    """The containers of a kind cluster, from what `docker inspect`, or its like, says of them.

    :raises KubestellarError: it says nothing of the kind.
    """
    containers = _json(output, "the container engine")
    states = [bool((container.get("State") or {}).get("Running")) for container in containers]
    places = [
        place
        for container in containers
        for place in (
            # The first stays when the container is stopped, but not every engine has it.
            (container.get("HostConfig") or {}).get("PortBindings"),
            (container.get("NetworkSettings") or {}).get("Ports"),
        )
    ]
    return Found(
        running=bool(states) and all(states),
        bindings=tuple(dict.fromkeys(_bindings(places))),
        containers=tuple(str(container.get("Name") or "").lstrip("/") for container in containers),
    )


def _k3d_cluster(name: str, output: str) -> dict[str, Any] | None:
    for cluster in _json(output, "k3d"):
        if cluster.get("name") == name:
            return cluster
    return None


def _json(output: str, source: str) -> list[dict[str, Any]]:
    try:
        found = _bounds.json_value(output)
        if found is None:  # what Go makes of an empty list
            return []
        if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
            raise ValueError("no list of objects")
    except ValueError as error:
        raise KubestellarError(
            f"The answer of {source} cannot be read: {plain(error, 120)}.",
            hint="Nothing was changed. Is the program the right one, and recent enough?",
        ) from error
    return found


def _bindings(places: Iterable[Any]) -> Iterable[tuple[str, int]]:
    """The bindings of port 443 in mappings such as `{"443/tcp": [{"HostIp": "127.0.0.1", "HostPort": "9443"}]}`."""
    for place in places:
        for binding in (place or {}).get(f"{_CONTAINER_PORT}/tcp") or []:
            port = str(binding.get("HostPort") or "")
            if _bounds.whole(port, -1) >= 0:
                yield str(binding.get("HostIp") or "0.0.0.0"), int(port)  # noqa: S104 (it is what others have bound)


# -- decisions -------------------------------------------------------------------------------------------------------


def decide_present(
    wanted: Wanted, found: Found | None, *, ours: bool, begun: bool, kubeconfig: str
) -> Decision:
    """What makes the cluster be there.

    :param found: None if there is no such cluster.
    :param ours: whether we have made it: our kubeconfig of it is there.
    :param begun: whether we have begun to make it and not ended.
    :raises InvalidInput: it is somebody else's, or lacks what cannot be added.
    """
    if found is None:
        return Decision("create", "it does not exist")
    if begun:
        return Decision("create", "an interrupted run has left it half-made")
    if not ours:
        raise InvalidInput(
            f"{wanted.title} is there already, and was not made by this collection: {kubeconfig} does not exist.",
            hint=f"Give the hub's cluster another name, use this one by the provider existing, or delete it: {_by_hand(wanted)}.",
        )
    if wanted.port is not None and not _is_bound(wanted, found.bindings):
        has = ", ".join(f"{address}:{port}" for address, port in found.bindings) or "no port"
        raise InvalidInput(
            f"{wanted.title} has {has} of this machine for its Ingress controller, not {wanted.address}:{wanted.port}, "
            "and ports cannot be added to a cluster.",
            hint=f"Correct the port, or delete the cluster with everything in it and run again: {_by_hand(wanted)}.",
        )
    return Decision("none") if found.running else Decision("update", "it is stopped")


def decide_absent(
    wanted: Wanted, found: Found | None, *, ours: bool, begun: bool, kubeconfig: str
) -> Decision:
    """What makes the cluster be gone. Parameters and errors as for `decide_present`."""
    if found is None:
        return Decision("delete", "only its kubeconfig is left") if ours or begun else Decision("none")
    if not ours and not begun:
        raise InvalidInput(
            f"{wanted.title} was not made by this collection: {kubeconfig} does not exist. It is not deleted.",
            hint=f"If it is to go, delete it yourself: {_by_hand(wanted)}.",
        )
    return Decision("delete", "it exists")


def check_path(path: str, environ: Mapping[str, str]) -> None:
    """See that the file is not the user's own, before it is read.

    :raises InvalidInput: it is.
    """
    users = [os.path.expanduser("~/.kube/config"), *environ.get("KUBECONFIG", "").split(os.pathsep)]
    if os.path.realpath(path) in {os.path.realpath(name) for name in users if name}:
        raise InvalidInput(
            f"{path} is the kubeconfig of the user, which is never changed.",
            hint="Name a file that is for this cluster alone.",
        )


def check_content(path: str, content: Mapping[str, Any] | None, wanted: Wanted) -> None:
    """See that the file is for this cluster alone.

    :param content: what is in the file, None if it does not exist.
    :raises InvalidInput: it has other clusters in it.
    """
    others = [context for context in contexts(content) if context != wanted.context]
    if others:
        raise InvalidInput(
            f"{path} has the context {plain(others[0], 80)}, so it is not for {wanted.label} alone.",
            hint="Name a file that is for this cluster alone.",
        )


def authority(kubeconfig: Mapping[str, Any] | None) -> str:
    """The certificate authority in a kubeconfig of one cluster, by which clusters of one name are told apart; empty if there is none."""
    for entry in (kubeconfig or {}).get("clusters") or []:
        return str((entry.get("cluster") or {}).get("certificate-authority-data") or "")
    return ""


def contexts(kubeconfig: Mapping[str, Any] | None) -> list[str]:
    """The contexts of a kubeconfig."""
    return [str(entry.get("name")) for entry in (kubeconfig or {}).get("contexts") or []]


def _is_bound(wanted: Wanted, bindings: Iterable[tuple[str, int]]) -> bool:
    return any(binding == (wanted.address, wanted.port) for binding in bindings)


def _by_hand(wanted: Wanted) -> str:
    return (
        f"kind delete cluster --name {wanted.name}"
        if wanted.tool == KIND
        else f"k3d cluster delete {wanted.name}"
    )
