# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A preview of 10,000 objects in a real WDS and 1,000 ManagedClusters in a real ITS. Shown, not asserted: `make bench`.

Beside it is what people do without it: one `kubernetes.core.k8s_info` for each selector of the policy. That only lists;
whether the policy would then do what is meant, it does not say.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from ansible_collections.kubestellar.core.plugins.module_utils import _bulk
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    MANAGED_CLUSTERS,
    NAMESPACES,
    Resource,
)

from ..integration.running import CHECKOUT, Running, assert_ok, destroy, make_stack

OBJECTS, CLUSTERS, TEAMS, ROUNDS = 10_000, 1_000, 50, 3

CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap", True)
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment", True)
MINE = {"bench": "yes"}
SELECTED: dict[str, tuple[str, dict[str, str]]] = {
    "namespaces": ("v1", MINE),
    "configmaps": ("v1", MINE),
    "deployments": ("apps/v1", MINE),
}
KINDS = {"namespaces": "Namespace", "configmaps": "ConfigMap", "deployments": "Deployment"}
ALONE = """\
import json, sys
from ansible.module_utils.testing import patch_module_args
from ansible_collections.kubestellar.core.plugins.modules import binding_policy_info
with patch_module_args(json.loads(sys.argv[1])):
    binding_policy_info.main()
"""


class Cost(NamedTuple):
    """Seconds by the clock, seconds of CPU and MB of the largest process, with all that it started."""

    wall: float
    cpu: float
    memory: float


@pytest.fixture(scope="module")
def stack() -> Iterator[Running]:
    """A hub of its own, with much in it."""
    running = make_stack("bench")
    assert_ok(running.playbook("hub", timeout=1500))
    wds, its = running.cluster("wds1"), running.cluster("its1")
    _create(wds, NAMESPACES, [_meta(f"team{number}") for number in range(TEAMS)])
    _create(wds, CONFIG_MAPS, [_config_map(number) for number in range(0, OBJECTS, 2)])
    _create(wds, DEPLOYMENTS, [_deployment(number) for number in range(1, OBJECTS, 2)])
    _create(its, MANAGED_CLUSTERS, [_cluster(number) for number in range(CLUSTERS)])
    yield running
    destroy(running)


def _create(cluster: Cluster, resource: Resource, objects: Sequence[dict[str, Any]]) -> None:
    typed = [{"apiVersion": resource.api_version, "kind": resource.kind, **obj} for obj in objects]
    _bulk.in_parallel(lambda obj: cluster.create(resource, obj), typed)


def _meta(name: str, **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": MINE, **more}}


def _config_map(number: int) -> dict[str, Any]:
    data = {f"key{n}": "x" * 100 for n in range(10)}
    return {**_meta(f"object{number}", namespace=f"team{number % TEAMS}"), "data": data}


def _deployment(number: int) -> dict[str, Any]:
    labels = {"app": f"app{number}"}
    container = {"name": "main", "image": f"registry.example/app{number}:1.0"}
    return {
        **_meta(f"object{number}", namespace=f"team{number % TEAMS}"),
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def _cluster(number: int) -> dict[str, Any]:
    return {
        "metadata": {"name": f"edge{number}", "labels": {"stage": "production" if number % 2 else "test"}},
        "spec": {"hubAcceptsClient": False},
    }


def _cost(command: Sequence[str], environment: dict[str, str]) -> Cost:
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    output = process.stdout.read()
    _pid, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, output[-3000:]
    return Cost(time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def _playbook(path: Path, tasks: Sequence[dict[str, Any]]) -> list[str]:
    variables = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    play = {"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": list(tasks)}
    path.write_text(yaml.safe_dump([play]))
    return [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", str(path)]


def test_preview_from_a_real_space(
    stack: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The module alone, then a playbook with it and one with the naive way by turns."""
    arguments = {
        "kubeconfig": stack.kubeconfig,
        "context": "hub",
        "wds": "wds1",
        "its": "its1",
        "name": "bench",
        "cluster_selectors": [{"match_labels": {"stage": "production"}}],
        "downsync": [
            {"resources": [resource], "object_selectors": [{"match_labels": labels}]}
            for resource, (_version, labels) in SELECTED.items()
        ],
    }
    queries = [
        {"context": "wds1", "api_version": version, "kind": KINDS[resource], "label_selectors": ["bench=yes"]}
        for resource, (version, _labels) in SELECTED.items()
    ]
    queries.append(
        {
            "context": "its1",
            "api_version": MANAGED_CLUSTERS.api_version,
            "kind": "ManagedCluster",
            "label_selectors": ["stage=production"],
        }
    )
    count = OBJECTS + TEAMS
    that = f"p.preview.objects | length == {count} and p.preview.clusters | length == {CLUSTERS // 2}"
    ours = _playbook(
        tmp_path / "ours.yml",
        [
            {"kubestellar.core.binding_policy_info": arguments, "register": "p", "no_log": True},
            {"ansible.builtin.assert": {"that": that}},
        ],
    )
    naive = _playbook(
        tmp_path / "naive.yml",
        [
            {
                "kubernetes.core.k8s_info": {"kubeconfig": stack.kubeconfig, **query},
                "register": f"p{number}",
                "no_log": True,
            }
            for number, query in enumerate(queries)
        ]
        + [
            {
                "ansible.builtin.assert": {
                    "that": f"(p0.resources + p1.resources + p2.resources) | length == {count}"
                }
            }
        ],
    )
    environment = {**stack.environment(), "PYTHONPATH": str(CHECKOUT / ".venv" / "collections")}
    alone = [sys.executable, "-c", ALONE, json.dumps(arguments)]
    costs: dict[str, list[Cost]] = {"the module alone": [], "playbook, preview": [], "playbook, k8s_info": []}
    for _round in range(ROUNDS):
        for name, command in zip(costs, (alone, ours, naive), strict=True):
            costs[name].append(_cost(command, environment if command is alone else stack.environment()))
    middle = {
        name: Cost(*(statistics.median(values) for values in zip(*runs, strict=True)))
        for name, runs in costs.items()
    }
    lines = [
        f"  {name:<20} {c.wall:6.2f} s   CPU {c.cpu:6.2f} s   {c.memory:5.0f} MB"
        for name, c in middle.items()
    ]
    mine, theirs = middle["playbook, preview"], middle["playbook, k8s_info"]
    lines.append(
        f"  k8s_info takes {theirs.wall / mine.wall:.1f} times as long, {theirs.memory / mine.memory:.1f} times the memory"
    )
    with capsys.disabled():
        title = f"preview of {OBJECTS} objects in a real WDS × {CLUSTERS} clusters, medians of {ROUNDS} turns"
        sys.stdout.write("\n".join(["", title, *lines, ""]))
