# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""1,000 objects in a real WDS: first apply, unchanged, 1 % changed, a tenth pruned.

Beside `workload` are, in the same run and with the same objects, one `kubernetes.core.k8s` with all of them, one for each of them
in a loop (50 of them, the rest by calculation), and `kubectl apply --server-side`, for the pruning with `--applyset`. With
`kubernetes.core.k8s` the objects to delete must be known and are given.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from ansible_collections.kubestellar.core.plugins.module_utils import _bulk
from ansible_collections.kubestellar.core.plugins.module_utils._resources import CONFIG_MAPS, NAMESPACES

from ..integration.running import Running, alone
from .measuring import Budget, Cost, Results, cost, median, scaled

APPS, ROUNDS, LOOPED = scaled(200, 20), scaled(3, 1), scaled(50, 3)
TIMES = {
    "first apply": Budget("workload, first apply, times faster than k8s", 2.5, "×", at_least=True),
    "unchanged": Budget("workload, unchanged, times faster than k8s", 5, "×", at_least=True),
}
LOOP = Budget("workload, first apply, times faster than a loop", 100, "×", at_least=True)
KUBECTL = Budget("workload, the slowest step of the module beside kubectl", 1, "×")
MEMORY = Budget("workload, the module alone, memory", 300, "MB")
PLACE = "bench"
"""One Namespace for all, since kubectl wants the parent of an ApplySet in that of its members."""

STEPS = ("first apply", "unchanged", "1 % changed", "a tenth pruned")


class Step(NamedTuple):
    """A command, its environment, and what is written to it."""

    command: Sequence[str]
    environment: Mapping[str, str]
    stdin: str = ""


def _app(number: int, image: str = "1.0") -> list[dict[str, Any]]:
    """Five objects: three ConfigMaps, a Deployment and a Service."""
    labels = {"app": f"app{number}"}

    def head(api_version: str, kind: str, name: str) -> dict[str, Any]:
        metadata = {"name": name, "namespace": PLACE, "labels": labels}
        return {"apiVersion": api_version, "kind": kind, "metadata": metadata}

    container = {
        "name": "main",
        "image": f"registry.example/app{number}:{image}",
        "ports": [{"containerPort": 8080}],
        "env": [{"name": f"KEY{n}", "value": "x" * 20} for n in range(5)],
        "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}},
    }
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    data = {f"key{n}": "x" * 100 for n in range(10)}
    return [
        *({**head("v1", "ConfigMap", f"app{number}-{n}"), "data": data} for n in range(3)),
        {
            **head("apps/v1", "Deployment", f"app{number}"),
            "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template},
        },
        {
            **head("v1", "Service", f"app{number}"),
            "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": 8080}]},
        },
    ]


def _objects(changed: int = 0) -> list[dict[str, Any]]:
    """All objects. :param changed: how many Deployments have another image."""
    return [obj for number in range(APPS) for obj in _app(number, "2.0" if number < changed else "1.0")]


def _playbook(path: Path, task: dict[str, Any]) -> list[str]:
    variables = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    play = {"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": [task]}
    path.write_text(yaml.safe_dump([play]))
    return [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", str(path)]


def _steps(stack: Running, folder: Path) -> dict[str, list[Step]]:
    """The steps of each way."""
    everything = _objects()
    files = {
        "all": everything,
        "changed": _objects(len(everything) // 100),
        "less": everything[len(everything) // 10 :],
        "gone": everything[: len(everything) // 10],
    }
    paths = {}
    for name, objects in files.items():
        path = folder / f"{name}.json"
        path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
        paths[name] = str(path)
    order = [paths["all"], paths["all"], paths["changed"], paths["less"]]
    environment = stack.environment()
    where = {"kubeconfig": stack.kubeconfig, "context": "hub", "wds": "wds1", "name": "bench"}
    theirs = {"kubeconfig": stack.kubeconfig, "context": "wds1"}
    kubectl = [str(stack.stack.bin / "kubectl"), f"--kubeconfig={stack.kubeconfig}", "--context=wds1"]
    apply = [*kubectl, "apply", "--server-side", "--force-conflicts"]
    applyset = [*apply, "--prune", "--applyset=configmap/bench", f"--namespace={PLACE}"]
    with_applyset = {**environment, "KUBECTL_APPLYSET": "true"}
    return {
        "workload, the module alone": [
            Step(alone("workload"), stack.python_environment(), json.dumps({**where, "src": [src]}))
            for src in order
        ],
        "kubectl apply --server-side": [
            *(Step([*apply, f"--filename={src}"], environment) for src in order[:3]),
            Step([*applyset, f"--filename={paths['less']}"], with_applyset),
        ],
        "workload, playbook": [
            Step(
                _playbook(
                    folder / f"ours{number}.yml", {"kubestellar.core.workload": {**where, "src": [src]}}
                ),
                environment,
            )
            for number, src in enumerate(order)
        ],
        "kubernetes.core.k8s, playbook": [
            Step(
                _playbook(
                    folder / f"theirs{number}.yml",
                    {
                        "kubernetes.core.k8s": {
                            **theirs,
                            "src": src if number < len(order) - 1 else paths["gone"],
                            "state": "present" if number < len(order) - 1 else "absent",
                        }
                    },
                ),
                environment,
            )
            for number, src in enumerate(order)
        ],
    }


def _clean(stack: Running) -> None:
    """Delete all objects of the benchmark, and parents of ApplySets."""
    wds = stack.cluster("wds1")
    for resource in wds.resources():
        if resource.kind in ("ConfigMap", "Deployment", "Service") and "list" in resource.verbs:
            found = wds.list(resource, label_selector="app", metadata_only=True).items
            _bulk.delete_all(wds, [(resource, item) for item in found])
    wds.delete(CONFIG_MAPS, "kubestellar-workload-bench", "kube-system")
    wds.delete(CONFIG_MAPS, "bench", PLACE)


def _looped(stack: Running, folder: Path) -> list[float]:
    """Seconds for all objects in a loop, first and unchanged: from what some of them take more than one of them."""
    objects = _objects()
    seconds = []
    commands = []
    for number in (1, LOOPED):
        task = {
            "kubernetes.core.k8s": {
                "kubeconfig": stack.kubeconfig,
                "context": "wds1",
                "definition": "{{ item }}",
            },
            "loop": objects[:number],
            "loop_control": {"label": "{{ item.metadata.name }}"},
        }
        commands.append(_playbook(folder / f"loop{number}.yml", task))
    for _turn in range(2):
        one, some = (cost(command, stack.environment())[0].wall for command in commands)
        seconds.append(one + (some - one) / (LOOPED - 1) * (len(objects) - 1))
    return seconds


def test_workload_of_a_thousand_objects(stack: Running, tmp_path: Path, results: Results) -> None:
    """Each way by turns, from an empty WDS."""
    place = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": PLACE}}
    stack.cluster("wds1").apply(NAMESPACES, place, field_manager="bench")
    ways = _steps(stack, tmp_path)
    costs: dict[str, list[list[Cost]]] = {name: [[] for _step in STEPS] for name in ways}
    for _round in range(ROUNDS):
        for name, steps in ways.items():
            _clean(stack)
            for number, step in enumerate(steps):
                if name.startswith("kubectl") and number == len(steps) - 1:
                    # kubectl prunes what it has applied with this very option before; that is not measured.
                    cost([*step.command[:-1], steps[0].command[-1]], step.environment)
                took, output = cost(*step)
                costs[name][number].append(took)
                if name == "workload, the module alone":
                    assert json.loads(output)["changed"] is (STEPS[number] != "unchanged")
    _clean(stack)
    looped = _looped(stack, tmp_path)
    _clean(stack)
    middle = {name: [median(runs) for runs in found] for name, found in costs.items()}
    module, kubectl, ours, theirs = middle.values()
    results.details(f"{len(_objects())} objects in a real WDS, medians of {ROUNDS} turns")
    for number, title in enumerate(STEPS):
        results.details(f"  {title}", *(f"    {name:<32} {found[number]}" for name, found in middle.items()))
        if number < len(looped):
            line = f"{'kubernetes.core.k8s in a loop':<32} {looped[number]:6.0f} s   calculated from {LOOPED}"
            results.details(f"    {line}")
        if title in TIMES:
            results.figure(TIMES[title], theirs[number].wall / ours[number].wall)
    results.figure(LOOP, looped[0] / ours[0].wall)
    pairs = zip(module, kubectl, strict=True)
    results.figure(KUBECTL, max(mine.wall / other.wall for mine, other in pairs))
    results.figure(MEMORY, max(found.memory for found in module))
