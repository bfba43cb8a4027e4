# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory plugin with 5,000 ManagedClusters in a real ITS.

Beside it are Ansible's own floor, which is the same hosts, variables and groups in a JSON file, and what an inventory costs that
asks for each group: one list with a label selector for each, as stolostron's plugin does. That one is ours, and does no more than
these requests.

The clusters have no agents, and the controllers of the hub do not run: what those would write is written by this file.
"""

from __future__ import annotations

import datetime
import json
import statistics
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _bulk
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    CONFIG_MAPS,
    LEASES,
    MANAGED_CLUSTERS,
    NAMESPACES,
    SERVICE_ACCOUNTS,
)
from ansible_collections.kubestellar.core.plugins.module_utils.wecs import registered

from ..integration.running import Running, stopped
from ..waiting import eventually
from .measuring import Budget, Cost, Results, cost, median, scaled, typed

CLUSTERS, REGIONS, ROUNDS = scaled(5_000, 50), 50, scaled(3, 1)
RATIO = Budget("inventory, times a static JSON file", 1.4, "×")
PLUGIN = Budget("inventory, of it the plugin", 1)
MEMORY = Budget("inventory, memory of the plugin alone", 300, "MB")
NAMES = [f"edge{number:04}" for number in range(CLUSTERS)]
CONDITIONS = (
    "HubAcceptedManagedCluster",
    "ManagedClusterJoined",
    "ManagedClusterConditionAvailable",
    "ManagedClusterConditionClockSynced",
)
PARTS = """\
import json, sys, time
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader, inventory_loader
init_plugin_loader()
plugin = type(inventory_loader.get("kubestellar.core.wecs"))
parts = {}
def timed(name):
    inner = getattr(plugin, name)
    def call(*arguments, **named):
        start = time.perf_counter(), time.process_time()
        try:
            return inner(*arguments, **named)
        finally:
            parts[name] = time.perf_counter() - start[0], time.process_time() - start[1]
    setattr(plugin, name, call)
for name in ("parse", "_fetch", "_populate"):
    timed(name)
made = InventoryManager(DataLoader(), [sys.argv[1]])
print(json.dumps({"hosts": len(made.hosts), "groups": len(made.groups), **parts}))
"""
BY_GROUP = """\
import sys, time
from ansible.plugins.loader import init_plugin_loader
init_plugin_loader()
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._resources import MANAGED_CLUSTERS
its = Cluster.from_kubeconfig(sys.argv[1], "its1", name="its1")
hosts = {}
for selector in sys.argv[2:]:
    for item in its.list(MANAGED_CLUSTERS, label_selector=selector).items:
        hosts[item["metadata"]["name"]] = item
print(len(hosts))
"""


def labels(number: int) -> dict[str, str]:
    return {
        "location-group": "edge" if number % 3 else "core",
        "stage": "production" if number % 2 else "test",
        "example.com/region": f"region-{number % REGIONS}",
        "vendor": "Kubernetes",
        "cluster.open-cluster-management.io/clusterset": "default",
    }


SELECTORS = sorted({f"{key}={value}" for number in range(CLUSTERS) for key, value in labels(number).items()})


@pytest.fixture
def fleet(stack: Running) -> Iterator[Running]:
    """A hub with a fleet, and with no controllers beside it."""
    with stopped(stack, ""):
        fill(stack)
        yield stack


def fill(running: Running) -> None:
    """Register the clusters, and wait until nobody works on their namespaces any more."""
    its = running.cluster("its1")
    now = datetime.datetime.now(datetime.UTC)
    status = {
        "conditions": [
            {
                "type": kind,
                "status": "True",
                "reason": kind,
                "message": "As the hub and the agent of the cluster say it, in some words.",
                "lastTransitionTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            }
            for kind in CONDITIONS
        ],
        "version": {"kubernetes": "v1.32.2"},
        "capacity": {"cpu": "16", "memory": "64Gi"},
        "allocatable": {"cpu": "15", "memory": "60Gi"},
    }

    def register(number: int) -> None:
        name = NAMES[number]
        meta = {
            "name": name,
            "labels": labels(number),
            "annotations": {"example.com/owner": f"team{number % 20}"},
        }
        clients = [{"url": f"https://{name}.example.com:6443", "caBundle": "Y2VydGlmaWNhdGUh" * 60}]
        spec = {
            "hubAcceptsClient": True,
            "leaseDurationSeconds": 86400,
            "managedClusterClientConfigs": clients,
        }
        claims = [{"name": f"claim{n}.example.com", "value": f"value {n} of {name}"} for n in range(5)]
        its.create(NAMESPACES, typed(NAMESPACES, {"metadata": {"name": name}}))
        its.create(MANAGED_CLUSTERS, typed(MANAGED_CLUSTERS, {"metadata": meta, "spec": spec}))
        whole = {"status": {**status, "clusterClaims": claims}}
        its.patch(MANAGED_CLUSTERS, name, None, whole, subresource="status")
        lease = {
            "metadata": {"name": registered.LEASE, "namespace": name},
            "spec": {"leaseDurationSeconds": 60, "renewTime": now.strftime("%Y-%m-%dT%H:%M:%S.000000Z")},
        }
        its.create(LEASES, typed(LEASES, lease))
        properties = {"name": name, "namespace": registered.PROPERTIES_NAMESPACE}
        data = {"storeName": f"Store {number}", "storeHours": "08:00-20:00"}
        its.create(CONFIG_MAPS, typed(CONFIG_MAPS, {"metadata": properties, "data": data}))

    if its.get(NAMESPACES, registered.PROPERTIES_NAMESPACE) is None:
        its.create(NAMESPACES, typed(NAMESPACES, {"metadata": {"name": registered.PROPERTIES_NAMESPACE}}))
    _bulk.in_parallel(register, range(CLUSTERS))
    eventually(
        lambda: len(its.list(SERVICE_ACCOUNTS, metadata_only=True).items) >= CLUSTERS, 900, every=scaled(5, 1)
    )


def unmarked(value: Any) -> Any:
    """What `ansible-inventory` has marked as no template, as a plain string."""
    if isinstance(value, dict):
        if set(value) == {"__ansible_unsafe"}:
            return value["__ansible_unsafe"]
        return {key: unmarked(item) for key, item in value.items()}
    return [unmarked(item) for item in value] if isinstance(value, list) else value


def static(exported: Mapping[str, Any]) -> dict[str, Any]:
    """The same inventory as a file that lists everything."""
    groups: dict[str, Any] = {}
    for name, content in exported.items():
        if name not in ("_meta", "all"):
            groups[name] = {
                "hosts": dict.fromkeys(content.get("hosts", [])),
                "children": dict.fromkeys(content.get("children", [])),
                "vars": unmarked(content.get("vars", {})),
            }
    groups["kubestellar_wecs"]["hosts"] = unmarked(exported["_meta"]["hostvars"])
    return {"all": {"children": groups}}


def test_inventory_of_a_fleet(fleet: Running, tmp_path: Path, results: Results) -> None:
    """The whole command by turns, then the parts of the plugin, then the requests of the other way."""
    program = str(Path(sys.executable).parent / "ansible-inventory")
    environment = {key: value for key, value in fleet.environment().items() if not key.startswith("K8S_AUTH")}
    ours = tmp_path / "wecs.kubestellar.yml"
    config = {"plugin": "kubestellar.core.wecs", "kubeconfig": fleet.kubeconfig, "context": "hub"}
    ours.write_text(json.dumps(config))
    cached = tmp_path / "cached.kubestellar.yml"
    cache = {
        "cache": True,
        "cache_plugin": "ansible.builtin.jsonfile",
        "cache_connection": str(tmp_path / "cache"),
    }
    cached.write_text(json.dumps({**config, **cache}))
    exported = tmp_path / "exported.json"
    for source in (ours, cached):
        cost([program, "-i", str(source), "--list", "--export", "--output", str(exported)], environment)
    content = json.loads(exported.read_text())
    assert (
        len(content["kubestellar_wecs"]["hosts"])
        == len(content["kubestellar_available"]["hosts"])
        == CLUSTERS
    )
    listed = tmp_path / "static.json"
    listed.write_text(json.dumps(static(content)))
    sources = {"plugin": ours, "plugin, cached": cached, "static JSON file": listed}
    costs: dict[str, list[Cost]] = {name: [] for name in sources}
    sizes = {}
    for _round in range(ROUNDS):
        for name, source in sources.items():
            output = tmp_path / "output.json"
            command = [program, "-i", str(source), "--list", "--output", str(output)]
            costs[name].append(cost(command, environment)[0])
            found = json.loads(output.read_text())
            sizes[name] = {
                group: len(value.get("hosts", [])) for group, value in found.items() if group != "_meta"
            }
    assert sizes["plugin"] == sizes["plugin, cached"] == sizes["static JSON file"]
    runs = [cost([sys.executable, "-c", PARTS, str(ours)], environment) for _round in range(ROUNDS)]
    costs["plugin, no output"] = [run[0] for run in runs]
    parts = [json.loads(run[1]) for run in runs]
    other = [sys.executable, "-c", BY_GROUP, fleet.kubeconfig, *SELECTORS]
    costs[f"{len(SELECTORS)} lists by group"] = [cost(other, environment)[0]]
    middle = {name: median(runs) for name, runs in costs.items()}
    lines = [f"  {name:<22} {found}" for name, found in middle.items()]
    for title, name in {
        "of it the plugin": "parse",
        "  reading": "_fetch",
        "  filling": "_populate",
    }.items():
        wall, cpu = (statistics.median(run[name][index] for run in parts) for index in (0, 1))
        lines.append(f"  {title:<22} {wall:6.2f} s   CPU {cpu:6.2f} s")
    ratio = middle["plugin"].wall / middle["static JSON file"].wall
    title = f"inventory of {CLUSTERS} clusters in a real ITS, {parts[0]['groups']} groups, medians of {ROUNDS} turns"
    results.details(title, *lines)
    results.figure(RATIO, ratio)
    results.figure(PLUGIN, statistics.median(run["parse"][0] for run in parts))
    results.figure(MEMORY, middle["plugin, no output"].memory)
