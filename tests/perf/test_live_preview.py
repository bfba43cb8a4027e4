# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A preview of 10,000 objects in a real WDS and 1,000 ManagedClusters in a real ITS.

Beside it is what people do without it: one `kubernetes.core.k8s_info` for each selector of the policy. That only lists;
whether the policy would then do what is meant, it does not say.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.kubestellar.core.plugins.module_utils import _bulk
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    MANAGED_CLUSTERS,
    NAMESPACES,
    Resource,
)

from ..integration.running import Running, alone
from .measuring import Budget, Cost, Results, cost, median, scaled, typed

OBJECTS, CLUSTERS, TEAMS, ROUNDS = scaled(10_000, 100), scaled(1_000, 10), scaled(50, 5), scaled(3, 1)
TIME = Budget("live preview, the module alone", None)
RATIO = Budget("live preview, times faster than k8s_info", None, "×")
MEMORY = Budget("live preview, the module alone, memory", 300, "MB")

CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap", True)
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment", True)
MINE = {"bench": "yes"}
SELECTED: dict[str, tuple[str, dict[str, str]]] = {
    "namespaces": ("v1", MINE),
    "configmaps": ("v1", MINE),
    "deployments": ("apps/v1", MINE),
}
KINDS = {"namespaces": "Namespace", "configmaps": "ConfigMap", "deployments": "Deployment"}


@pytest.fixture
def full(stack: Running) -> Running:
    """A hub with much in it."""
    wds, its = stack.cluster("wds1"), stack.cluster("its1")
    _create(wds, NAMESPACES, [_meta(f"team{number}") for number in range(TEAMS)])
    _create(wds, CONFIG_MAPS, [_config_map(number) for number in range(0, OBJECTS, 2)])
    _create(wds, DEPLOYMENTS, [_deployment(number) for number in range(1, OBJECTS, 2)])
    _create(its, MANAGED_CLUSTERS, [_cluster(number) for number in range(CLUSTERS)])
    return stack


def _create(cluster: Cluster, resource: Resource, objects: Sequence[dict[str, Any]]) -> None:
    _bulk.in_parallel(lambda obj: cluster.create(resource, typed(resource, obj)), objects)


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
        "metadata": {"name": f"preview{number}", "labels": {"stage": "production" if number % 2 else "test"}},
        "spec": {"hubAcceptsClient": False},
    }


def _playbook(path: Path, tasks: Sequence[dict[str, Any]]) -> list[str]:
    variables = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    play = {"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": list(tasks)}
    path.write_text(yaml.safe_dump([play]))
    return [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", str(path)]


def test_preview_from_a_real_space(full: Running, tmp_path: Path, results: Results) -> None:
    """The module alone, then a playbook with it and one with the naive way by turns."""
    arguments = {
        "kubeconfig": full.kubeconfig,
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
                "kubernetes.core.k8s_info": {"kubeconfig": full.kubeconfig, **query},
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
    commands = {
        "the module alone": (
            alone("binding_policy_info"),
            full.python_environment(),
            json.dumps(arguments),
        ),
        "playbook, preview": (ours, full.environment(), ""),
        "playbook, k8s_info": (naive, full.environment(), ""),
    }
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for _round in range(ROUNDS):
        for name, command in commands.items():
            costs[name].append(cost(*command)[0])
    middle = {name: median(runs) for name, runs in costs.items()}
    lines = [f"  {name:<20} {found}" for name, found in middle.items()]
    mine, theirs = middle["playbook, preview"], middle["playbook, k8s_info"]
    results.details(
        f"preview of {OBJECTS} objects in a real WDS × {CLUSTERS} clusters, medians of {ROUNDS} turns",
        *lines,
        f"  k8s_info takes {theirs.memory / mine.memory:.1f} times the memory",
    )
    results.figure(TIME, middle["the module alone"].wall)
    results.figure(RATIO, theirs.wall / mine.wall)
    results.figure(MEMORY, middle["the module alone"].memory)
