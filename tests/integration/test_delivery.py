# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What KubeStellar does not do by itself: deliver again, remove what it has left behind, go on without who is away."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    BINDING_POLICIES,
    CONFIG_MAPS,
    MANIFEST_WORKS,
    NAMESPACES,
)
from ansible_collections.kubestellar.core.plugins.module_utils._workstatus import (
    ORIGIN_BINDING_LABEL,
    ORIGIN_WDS_LABEL,
)
from ansible_collections.kubestellar.core.tests.waiting import eventually

from .running import Running, alone, silent, stopped

TEMPLATE = {"control.kubestellar.io/expand-templates": "true"}
CLAUSE = {"object_selectors": [{"match_labels": {"kubestellar.core/workload": "signs"}}]}
EDGE = [{"match_labels": {"location-group": "edge"}}]
BOTH = ("cluster1", "cluster2")


def config_map(name: str, text: str, **metadata: Any) -> dict[str, Any]:
    meta = {"name": name, "namespace": "signs", **metadata}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"text": text}}


def signs(plain: str = "open") -> list[dict[str, Any]]:
    """What is described: a sign that reads otherwise in each cluster, and one that does not."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "signs"}}
    return [namespace, config_map("name", "{{.storeName}}", annotations=TEMPLATE), config_map("plain", plain)]


@pytest.fixture(scope="module")
def removed(stack: Running) -> Iterator[None]:
    """The signs are removed after the last test: that takes a cluster longer than all else here."""
    yield
    for name, options in {"binding_policy": {"its": "its1", "leftovers": "remove"}, "workload": {}}.items():
        given = {"kubeconfig": stack.kubeconfig, "context": "hub", "wds": "wds1", "name": "signs", **options}
        done = subprocess.run(
            alone(name),
            input=json.dumps({**given, "state": "absent"}),
            env=stack.python_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    eventually(lambda: not any(stack.cluster(name).get(NAMESPACES, "signs") for name in BOTH))


@pytest.fixture
def place(stack: Running, call, module, removed) -> Callable[..., dict[str, Any]]:
    """Run binding_policy on two signs, which say what they say at first."""
    connection = {"kubeconfig": stack.kubeconfig, "context": "hub"}
    where = {"wds": "wds1", "its": "its1", "name": "signs"}
    wanted = {"cluster_selectors": EDGE, "downsync": [CLAUSE], "wait": "applied"}
    for done in (
        module("workload", **connection, wds="wds1", name="signs", definitions=signs()),
        module("binding_policy", **connection, **where, **wanted, redeliver=True, leftovers="remove"),
    ):
        assert not done.get("failed"), done
    eventually(lambda: (sign(stack), sign(stack, "plain")) == ("Lisbon, Rua Augusta", "open"))

    def run(**parameters: Any) -> dict[str, Any]:
        return dict(call("binding_policy", **where, **wanted, **parameters))

    return run


def sign(stack: Running, name: str = "name") -> str:
    return str(
        ((stack.cluster("cluster1").get(CONFIG_MAPS, name, "signs") or {}).get("data") or {}).get("text")
    )


@pytest.mark.core
def test_a_changed_property_is_delivered_on_request(stack: Running, place, call):
    its = stack.cluster("its1")
    assert not place()["changed"]
    before = its.get(CONFIG_MAPS, "cluster1", "customization-properties")["data"]
    one = {"its": "its1", "names": ["cluster1"]}
    try:
        call("managed_cluster", **one, properties={**before, "storeName": "Lisbon, Alfama"})
        result = place()
        assert not result["changed"] and "stale-property" in str(result["warnings"])
        assert sign(stack) == "Lisbon, Rua Augusta"

        result = place(redeliver=True)
        assert result["changed"] and result["redelivered"] == ["ConfigMap signs/name"]
        eventually(lambda: sign(stack) == "Lisbon, Alfama")
        assert place(redeliver=True)["changed"] is False
    finally:
        call("managed_cluster", **one, properties=before)
    assert place(redeliver=True)["changed"] is True


def test_a_changed_transform_is_delivered_on_request(stack: Running, place, call):
    transform = {"wds": "wds1", "name": "closed", "api_group": "", "resource": "configmaps"}
    try:
        call("custom_transform", **transform, remove=["$.data.text"])
        assert place(redeliver=True)["changed"] is True
        eventually(lambda: sign(stack, "plain") == "None")
        assert place(redeliver=True)["changed"] is False
    finally:
        call("custom_transform", wds="wds1", name="closed", state="absent")


@pytest.mark.core
def test_what_is_removed_and_deployed_again_at_once_is_delivered(stack: Running, place, call):
    """The new Namespace is delivered onto the old one, which is still being deleted, and goes with it."""
    clusters = [stack.cluster(name) for name in ("cluster1", "cluster2")]
    place()
    old = {cluster.name: cluster.get(NAMESPACES, "signs")["metadata"]["uid"] for cluster in clusters}
    call("binding_policy", wds="wds1", its="its1", name="signs", state="absent", wait="none")
    eventually(lambda: stack.cluster("wds1").get(BINDING_POLICIES, "signs") is None)
    place(wait_timeout=60)

    def delivered() -> bool:
        return all(
            namespace["metadata"]["uid"] != old[cluster.name]
            and cluster.get(CONFIG_MAPS, "name", "signs")
            and cluster.get(CONFIG_MAPS, "plain", "signs")
            for cluster in clusters
            if (namespace := cluster.get(NAMESPACES, "signs") or {"metadata": {"uid": old[cluster.name]}})
        )

    eventually(delivered, 60)  # where nobody looks soon, it takes longer


def test_what_is_left_behind_is_reported_and_on_request_removed(stack: Running, place, module):
    """A ManifestWork of the policy that its Binding does not have, as of an object that was selected once."""
    its = stack.cluster("its1")
    (known,) = (
        work
        for work in its.list(MANIFEST_WORKS, "cluster1", label_selector=f"{ORIGIN_BINDING_LABEL}=signs").items
        if work["spec"]["workload"]["manifests"][0]["metadata"]["name"] == "plain"
    )
    old = config_map("old", "closed")
    labels = {key: known["metadata"]["labels"][key] for key in (ORIGIN_BINDING_LABEL, ORIGIN_WDS_LABEL)}
    left = {
        "apiVersion": MANIFEST_WORKS.api_version,
        "kind": MANIFEST_WORKS.kind,
        "metadata": {"name": "left-behind", "namespace": "cluster1", "labels": labels},
        "spec": {**known["spec"], "workload": {"manifests": [old]}},
    }
    with stopped(stack, "transport-controller"):  # it would see to it
        its.create(MANIFEST_WORKS, left)
        eventually(lambda: sign(stack, "old") == "closed")
        connection = {
            "kubeconfig": stack.kubeconfig,
            "context": "hub",
            "wds": "wds1",
            "its": "its1",
            "name": "signs",
        }
        wanted = {"cluster_selectors": EDGE, "downsync": [CLAUSE], "wait": "applied"}
        result = module("binding_policy", **connection, **wanted)
        assert result["leftovers"] == [{"cluster": "cluster1", "object": "ConfigMap signs/old"}]
        assert (
            not result["changed"]
            and "left-behind" not in result
            and "ConfigMap signs/old is still in cluster1" in str(result["warnings"])
        )
        result = module("binding_policy", **connection, **wanted, leftovers="remove")
        assert result["changed"] and result["leftovers"]
        eventually(lambda: sign(stack, "old") == "None")
        result = module("binding_policy", **connection, **wanted, leftovers="remove")
        assert (result["changed"], result["leftovers"]) == (False, [])


@pytest.mark.core
def test_a_cluster_that_is_away_is_named_apart_and_catches_up(stack: Running, place, call, module):
    with silent(stack, "cluster1"):
        connection = {"kubeconfig": stack.kubeconfig, "context": "hub", "wds": "wds1"}
        assert module("workload", **connection, name="signs", definitions=signs("closed for repairs"))[
            "changed"
        ]
        wanted = {
            **connection,
            "its": "its1",
            "name": "signs",
            "cluster_selectors": EDGE,
            "downsync": [CLAUSE],
        }
        result = module("binding_policy", **wanted, wait="applied", wait_timeout=8)
        assert result["failed"] and "cluster1: " in str(result["missing"])
        result = module("binding_policy", **wanted, wait="applied", max_offline="50%")
        assert result["offline"] == ["cluster1"] and "cluster1 was not waited for" in str(result["warnings"])
        there = stack.cluster("cluster2").get(CONFIG_MAPS, "plain", "signs")
        assert there["data"]["text"] == "closed for repairs"
        assert sign(stack, "plain") == "open"
    eventually(lambda: sign(stack, "plain") == "closed for repairs")
    assert place()["offline"] == []
    assert stack.cluster("cluster1").get(NAMESPACES, "signs")
