# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands for kind, k3d and docker in tests: remembers how it was called, and answers as they do.

`install` puts it into a folder under these names. Whatever a call leaves behind is in the folder beside:
`calls.jsonl` (arguments, environment and the configuration file of each call) and `state.json` (the clusters).
`kubeconfig` there is what it prints for every cluster, with the context `CONTEXT`. A file `fail` there, with the beginning of a command
line, makes that command fail; `version` is what `version` prints. It runs with any Python, by itself.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

VERSIONS = {
    "kind": "kind v0.23.0 go1.21.10 linux/amd64",
    "k3d": "k3d version v5.7.4\nk3s version v1.30.4-k3s1 (default)",
}


def install(folder: Path, *programs: str) -> Path:
    """Put the programs into `folder/bin`; the path of that."""
    binaries = folder / "bin"
    binaries.mkdir(parents=True)
    for program in programs:
        path = binaries / program
        path.write_text(f"#!{sys.executable} -IS\n{Path(__file__).read_text()}")
        path.chmod(0o700)
    return binaries


def calls(folder: Path) -> list[dict[str, Any]]:
    """Every call so far: `argv` (with the program's name first), `env` and `config`."""
    path = folder / "calls.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def commands(folder: Path) -> list[str]:
    """The command lines so far."""
    return [" ".join(call["argv"]) for call in calls(folder)]


def option(arguments: list[str], name: str, default: str = "") -> str:
    return arguments[arguments.index(name) + 1] if name in arguments else default


def main() -> int:
    program, arguments = Path(sys.argv[0]).name, sys.argv[1:]
    folder = Path(sys.argv[0]).parent.parent
    config = option(arguments, "--config")
    call = {
        "argv": [program, *arguments],
        "env": dict(os.environ),
        "config": json.loads(Path(config).read_text()) if config else None,
    }
    with open(folder / "calls.jsonl", "a") as stream:
        stream.write(json.dumps(call) + "\n")
    if (folder / "fail").exists() and " ".join(call["argv"]).startswith((folder / "fail").read_text()):
        sys.stderr.write("ERROR: the recorder was told to fail\n")
        return 1
    state_file = folder / "state.json"
    state = json.loads(state_file.read_text()) if state_file.exists() else {}
    answer = {"kind": kind, "k3d": k3d, "docker": docker}[program](folder, arguments, state, call)
    state_file.write_text(json.dumps(state))
    if (folder / "slow").exists():
        time.sleep(float((folder / "slow").read_text()))
    sys.stdout.write(answer)
    return 0


def kubeconfig(folder: Path, context: str) -> str:
    return (folder / "kubeconfig").read_text().replace("CONTEXT", context)


def kind(folder: Path, arguments: list[str], state: dict[str, Any], call: dict[str, Any]) -> str:
    name = option(arguments, "--name")
    match arguments[:2]:
        case ["version"]:
            return (folder / "version").read_text() if (folder / "version").exists() else VERSIONS["kind"]
        case ["get", "clusters"]:
            if not state:
                sys.stderr.write("No kind clusters found.\n")
            return "".join(f"{cluster}\n" for cluster in state)
        case ["get", "nodes"]:
            return "".join(f"{container}\n" for container in state[name]["containers"])
        case ["get", "kubeconfig"]:
            return kubeconfig(folder, f"kind-{name}")
        case ["create", "cluster"]:
            nodes = call["config"]["nodes"]
            workers = [f"{name}-worker{number or ''}" for number in range(len(nodes) - 1)]
            state[name] = {
                "running": True,
                "containers": [f"{name}-control-plane", *workers],
                "ports": nodes[0].get("extraPortMappings", []),
            }
            Path(option(arguments, "--kubeconfig")).write_text(kubeconfig(folder, f"kind-{name}"))
        case ["delete", "cluster"]:
            state.pop(name, None)
        case _:
            raise SystemExit(f"kind: unknown command {arguments}")
    return ""


def docker(folder: Path, arguments: list[str], state: dict[str, Any], call: dict[str, Any]) -> str:
    for cluster in state.values():
        if cluster["containers"] != arguments[1:]:
            continue
        if arguments[0] == "start":
            cluster["running"] = True
            return "\n".join(arguments[1:])
        if arguments[0] == "inspect":
            bindings: dict[str, Any] = {"6443/tcp": [{"HostIp": "127.0.0.1", "HostPort": "34567"}]}
            for port in cluster["ports"]:
                host = {"HostIp": port["listenAddress"], "HostPort": str(port["hostPort"])}
                bindings[f"{port['containerPort']}/tcp"] = [host]
            return json.dumps(
                [
                    {
                        "Name": f"/{container}",
                        "State": {"Running": cluster["running"]},
                        "HostConfig": {"PortBindings": {} if "worker" in container else bindings},
                    }
                    for container in arguments[1:]
                ]
            )
    raise SystemExit(f"docker: no such containers: {arguments}")


def k3d(folder: Path, arguments: list[str], state: dict[str, Any], call: dict[str, Any]) -> str:
    name = arguments[2] if len(arguments) > 2 else ""
    match arguments[:2]:
        case ["version"]:
            return (folder / "version").read_text() if (folder / "version").exists() else VERSIONS["k3d"]
        case ["cluster", "list"]:
            return json.dumps([{"name": cluster, **content} for cluster, content in state.items()])
        case ["kubeconfig", "get"]:
            return kubeconfig(folder, f"k3d-{name}")
        case ["cluster", "create"]:
            mapping: dict[str, Any] = {}
            if "--port" in arguments:
                address, port, inner = option(arguments, "--port").partition("@")[0].split(":")
                mapping = {f"{inner}/tcp": [{"HostIp": address, "HostPort": port}]}
            roles = {"server-0": "server", "serverlb": "loadbalancer"}
            state[name] = {
                "nodes": [
                    {
                        "name": f"k3d-{name}-{suffix}",
                        "role": role,
                        "State": {"Running": True},
                        "portMappings": mapping if role == "loadbalancer" else {},
                    }
                    for suffix, role in roles.items()
                ]
            }
        case ["cluster", "start"]:
            for node in state[name]["nodes"]:
                node["State"]["Running"] = True
        case ["cluster", "delete"]:
            state.pop(name, None)
        case _:
            raise SystemExit(f"k3d: unknown command {arguments}")
    return ""


if __name__ == "__main__":
    sys.exit(main())
