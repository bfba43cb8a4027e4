# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a diagnosis of a fleet costs: 100 WECs in a real ITS, with what KubeStellar itself delivers to them.

The clusters have no agents: what those would report is written by this file.
"""

from __future__ import annotations

import datetime
import json
import time
from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _bulk
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    BINDING_POLICIES,
    CONFIG_MAPS,
    LEASES,
    MANAGED_CLUSTERS,
    MANIFEST_WORKS,
    NAMESPACES,
)

from ..integration.running import Running, alone
from .measuring import Budget, Results, cost, median, scaled, typed

WECS, OBJECTS, POLICIES, ROUNDS = scaled(100, 5), scaled(60, 6), scaled(20, 3), scaled(3, 1)
NAMES = [f"doctor{number}" for number in range(WECS)]
TIME = Budget("doctor, the module alone", 10)
MEMORY = Budget("doctor, the module alone, memory", 300, "MB")


def conditions(*types: str) -> dict[str, Any]:
    """A status in which all is well."""
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    good = {"status": "True", "reason": "Fine", "message": "it is so", "lastTransitionTime": now}
    return {"conditions": [{**good, "type": kind} for kind in types]}


@pytest.fixture
def fleet(stack: Running) -> Running:
    """A hub with a fleet that gets all that is placed."""
    its, wds = stack.cluster("its1"), stack.cluster("wds1")

    def register(name: str) -> None:
        its.create(NAMESPACES, typed(NAMESPACES, {"metadata": {"name": name}}))
        cluster = {
            "metadata": {"name": name, "labels": {"group": "edge"}},
            "spec": {"hubAcceptsClient": True},
        }
        its.create(MANAGED_CLUSTERS, typed(MANAGED_CLUSTERS, cluster))

    _bulk.in_parallel(register, NAMES)
    beat(stack)
    for number in range(OBJECTS):
        labels = {"app": f"policy{number % POLICIES}"}
        meta = {"name": f"object{number}", "namespace": "default", "labels": labels}
        data = {f"key{n}": "value" * 10 for n in range(10)}
        wds.create(CONFIG_MAPS, typed(CONFIG_MAPS, {"metadata": meta, "data": data}))
    for number in range(POLICIES):
        spec = {
            "clusterSelectors": [{"matchLabels": {"group": "edge"}}],
            "downsync": [{"objectSelectors": [{"matchLabels": {"app": f"policy{number}"}}]}],
        }
        policy = {"metadata": {"name": f"policy{number}"}, "spec": spec}
        wds.create(BINDING_POLICIES, typed(BINDING_POLICIES, policy))
    report_works(stack)
    return stack


def beat(running: Running) -> None:
    """The sign of life of every agent, and what it says of its cluster; the hub says the contrary when it has heard nothing for minutes."""
    its = running.cluster("its1")
    kinds = ("HubAcceptedManagedCluster", "ManagedClusterJoined", "ManagedClusterConditionAvailable")
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.000000Z")

    def renew(name: str) -> None:
        meta = {"name": "managed-cluster-lease", "namespace": name}
        its.apply(LEASES, typed(LEASES, {"metadata": meta, "spec": {"renewTime": now}}), force=True)
        its.patch(MANAGED_CLUSTERS, name, None, {"status": conditions(*kinds)}, subresource="status")

    _bulk.in_parallel(renew, NAMES)


def report_works(running: Running) -> None:
    """Wait until everything is delivered, and report it as applied."""
    its = running.cluster("its1")
    wanted = WECS * OBJECTS
    deadline, beaten = time.monotonic() + 600, time.monotonic()
    while len(works := its.list(MANIFEST_WORKS, metadata_only=True).items) < wanted:
        assert time.monotonic() < deadline, f"{len(works)} of {wanted} ManifestWorks"
        if time.monotonic() - beaten > 60:
            beat(running)
            beaten = time.monotonic()
        time.sleep(1)
    works = its.list(MANIFEST_WORKS).items

    def report(work: dict[str, Any]) -> None:
        meta = work["metadata"]
        (manifest,) = work["spec"]["workload"]["manifests"]
        found = conditions("Applied", "Available")
        kind, named = manifest["kind"], manifest["metadata"]
        about = {
            "group": "",
            "version": "v1",
            "kind": kind,
            "resource": f"{kind.lower()}s",
            "name": named["name"],
            "namespace": named.get("namespace", ""),
            "ordinal": 0,
        }
        found["conditions"] = [
            {**one, "observedGeneration": meta["generation"]} for one in found["conditions"]
        ]
        found["resourceStatus"] = {
            "manifests": [
                {"resourceMeta": about, "conditions": found["conditions"][:1], "statusFeedback": {}}
            ]
        }
        its.patch(MANIFEST_WORKS, meta["name"], meta["namespace"], {"status": found}, subresource="status")

    _bulk.in_parallel(report, works)


def test_diagnosis_of_a_fleet(fleet: Running, results: Results) -> None:
    """The module alone, in a process of its own, from its start to its table."""
    arguments = {"kubeconfig": fleet.kubeconfig, "context": "hub"}
    runs = []
    for _round in range(ROUNDS):
        beat(fleet)
        took, output = cost(alone("doctor"), fleet.python_environment(), json.dumps(arguments))
        result = json.loads(output)
        assert result["findings"] == [], result["table"][:20]
        assert result["summary"]["wecs"] == WECS and result["summary"]["policies"] == POLICIES
        runs.append(took)
    title = f"doctor: {WECS} WECs of a real ITS, {POLICIES} policies, {WECS * OBJECTS} ManifestWorks"
    results.details(title, *(f"  {took}" for took in runs))
    results.figure(TIME, median(runs).wall)
    results.figure(MEMORY, median(runs).memory)
