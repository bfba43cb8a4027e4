# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From options to what clusters get, and what is refused before the first request."""

from __future__ import annotations

import base64
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    InvalidInput,
    KubestellarError,
    PreflightFailed,
)
from ansible_collections.kubestellar.core.plugins.module_utils.klusterlet import chart, objects, wishes
from ansible_collections.kubestellar.core.plugins.module_utils.klusterlet.wishes import Place


def params(*clusters: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The options of the module."""
    return {
        "clusters": [{"kubeconfig": "/k", **cluster} for cluster in clusters]
        or [{"name": "c", "kubeconfig": "/k"}],
        "mode": "Singleton",
        "namespace": None,
        "management_kubeconfig": None,
        "parallel": 4,
        "agent_limits": None,
        "feature_gates": None,
        "certificate_seconds": None,
        "status_sync_interval": None,
        **more,
    }


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (params({"name": "a.b"}), "'a.b' is not a legal cluster name"),
        (params({"name": "a"}, {"name": "a"}), "a is named twice"),
        (params({"name": "a", "kubeconfig": None}), "a: there is no connection"),
        (params({"name": "a", "endpoint": "http://x"}), "a: endpoint is 'http://x'"),
        (params({"name": "a", "endpoint": "https://x:y"}), "a: endpoint is 'https://x:y'"),
        (params({"name": "a", "external_server_urls": ["x"]}), "a: external_server_urls is 'x'"),
        (params({"name": "a", "cluster_annotations": {"team": "x"}}), "a: cluster_annotations: team does not begin"),
        (params(clusters=[]), "clusters is empty"),
        (params(parallel=0), "parallel is 0"),
        (params(namespace="agents"), "begins with open-cluster-management-"),
        (params(namespace="open-cluster-management-" + "x" * 40), "longer than 57 letters"),
        (params(mode="Hosted"), "management_kubeconfig is not set"),
        (params(management_kubeconfig="/m"), "has no meaning for the mode Singleton"),
        (
            params({"name": "a"}, {"name": "b"}, mode="Hosted", management_kubeconfig="/m", namespace="open-cluster-management-x"),
            "namespace is set for several clusters",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(given: dict[str, Any], message: str):
    with pytest.raises(InvalidInput, match=message):
        wishes.wishes_of(given)


def test_only_a_check_run_plans_a_cluster():
    given = params({"name": "a", "kubeconfig": None, "planned": True})
    (wish,), _place = wishes.wishes_of(given, check_mode=True)
    assert wish.planned
    with pytest.raises(InvalidInput):
        wishes.wishes_of(given)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"agent_limits": {"qps": 0}}, "agent_limits: qps is 0"),
        ({"certificate_seconds": 60}, "certificate_seconds is 60"),
        ({"feature_gates": {"work": {"X": "yes"}}}, "feature_gates: work: X is 'yes'"),
    ],
)
def test_what_ocm_would_refuse_is_refused(more: dict[str, Any], message: str):
    with pytest.raises(InvalidInput, match=message):
        wishes.spec_of(params(**more))


def test_a_klusterlet_has_what_was_asked_for_and_nothing_empty():
    assert wishes.spec_of(params()) == {}
    given = params(
        {"name": "c", "cluster_annotations": {"agent.open-cluster-management.io/a": 1}, "external_server_urls": ["https://c:6443"]},
        agent_limits={"qps": 500, "burst": 1000},
        feature_gates={"registration": {"ClusterClaim": False}, "work": {"RawFeedbackJsonString": True}},
        certificate_seconds=7200,
        status_sync_interval="10s",
    )  # fmt: skip
    (wish,), place = wishes.wishes_of(given)
    rendered = {
        "resourceRequirement": {"type": "Default"},
        "registrationConfiguration": {"x": 1},
        "clusterName": "every",
    }
    spec = objects.klusterlet(place, "c", rendered, wishes.spec_of(given), wish.spec)["spec"]
    assert spec == {
        "clusterName": "c",
        "namespace": "open-cluster-management-agent",
        "deployOption": {"mode": "Singleton"},
        "resourceRequirement": {"type": "Default"},
        "externalServerURLs": [{"url": "https://c:6443"}],
        "registrationConfiguration": {
            "x": 1,
            "kubeAPIQPS": 500,
            "kubeAPIBurst": 1000,
            "clientCertExpirationSeconds": 7200,
            "clusterAnnotations": {"agent.open-cluster-management.io/a": "1"},
            "featureGates": [{"feature": "ClusterClaim", "mode": "Disable"}],
        },
        "workConfiguration": {
            "kubeAPIQPS": 500,
            "kubeAPIBurst": 1000,
            "hubKubeAPIQPS": 500,
            "hubKubeAPIBurst": 1000,
            "statusSyncInterval": "10s",
            "featureGates": [{"feature": "RawFeedbackJsonString", "mode": "Enable"}],
        },
    }


@pytest.mark.parametrize(
    ("mode", "name", "namespace", "agents_in", "agents"),
    [
        ("Singleton", "klusterlet", "open-cluster-management-agent", "open-cluster-management-agent", ("klusterlet-agent",)),
        (
            "Default",
            "klusterlet",
            "open-cluster-management-agent",
            "open-cluster-management-agent",
            ("klusterlet-registration-agent", "klusterlet-work-agent"),
        ),
        (
            "Hosted",
            "klusterlet-c",
            "open-cluster-management-c",
            "klusterlet-c",
            ("klusterlet-c-registration-agent", "klusterlet-c-work-agent"),
        ),
    ],
)  # fmt: skip
def test_names_are_those_of_ocm(
    mode: str, name: str, namespace: str, agents_in: str, agents: tuple[str, ...]
):
    place = Place(mode)
    assert (place.klusterlet("c"), place.namespace("c"), place.agent_namespace("c"), place.agents("c")) == (
        name,
        namespace,
        agents_in,
        agents,
    )


def test_a_pull_secret_is_a_docker_configuration():
    text = json.dumps({"auths": {"registry.example.com": {"auth": "eA=="}}})
    made = objects.pull_secret(text)
    assert base64.b64decode(made["data"][".dockerconfigjson"]).decode() == text
    for wrong in ("x", "[]", "{}", '{"auths": 1}'):
        with pytest.raises(InvalidInput, match="not a Docker configuration"):
            objects.pull_secret(wrong)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"clusterName": "other", "deployOption": {"mode": "Singleton"}}, "registers it as other, not as c"),
        ({"clusterName": "c", "deployOption": {"mode": "Default"}}, "mode Default, which cannot be changed to Singleton"),
        ({"clusterName": "c"}, "mode Default, which cannot be changed"),
    ],
)  # fmt: skip
def test_a_klusterlet_of_somebody_else_is_refused(spec: dict[str, Any], message: str):
    with pytest.raises(InvalidInput, match=message):
        objects.check_live({"metadata": {"name": "klusterlet"}, "spec": spec}, Place(), "c")


def test_our_own_klusterlet_is_taken():
    spec = {"clusterName": "c", "deployOption": {"mode": "Singleton"}}
    objects.check_live({"metadata": {"name": "klusterlet"}, "spec": spec}, Place(), "c")


# -- the chart ---------------------------------------------------------------------------------------------------------

RENDERED = """\
kind: CustomResourceDefinition
apiVersion: apiextensions.k8s.io/v1
metadata: {name: klusterlets.operator.open-cluster-management.io}
---
kind: Deployment
apiVersion: apps/v1
metadata: {name: klusterlet, namespace: open-cluster-management}
---
kind: Klusterlet
apiVersion: operator.open-cluster-management.io/v1
metadata: {name: klusterlet}
spec: {workImagePullSpec: x}
"""


def test_the_klusterlet_of_the_chart_is_a_pattern_only():
    found = chart.parse(RENDERED, "x")
    assert [obj["kind"] for obj in found.objects] == ["CustomResourceDefinition", "Deployment"]
    assert found.spec == {"workImagePullSpec": "x"}
    with pytest.raises(InvalidInput, match="has no klusterlet operator"):
        chart.parse("kind: ConfigMap\napiVersion: v1\nmetadata: {name: x}\n", "x")


def test_values_of_options_win_and_credentials_are_refused():
    more = {
        "images": {"tag": "x", "imagePullPolicy": "Always"},
        "klusterlet": {"mode": "Hosted"},
        "replicaCount": 2,
    }
    found = chart.values("registry.example.com/ocm", "v1.0.0", more)
    assert found["images"] == {
        "registry": "registry.example.com/ocm",
        "tag": "v1.0.0",
        "imagePullPolicy": "Always",
    }
    assert found["klusterlet"]["mode"] == "Singleton" and found["replicaCount"] == 2
    assert more["images"]["tag"] == "x"
    with pytest.raises(InvalidInput, match="one credential to every cluster"):
        chart.values("r", "t", {"bootstrapHubKubeConfig": "x"})


def test_where_the_chart_is_decides_what_helm_is_told(tmp_path: Path):
    assert chart.Source().arguments == ["klusterlet", "--version", "1.0.0", "--repo", chart.REPOSITORY]
    assert chart.Source("oci://registry.example.com/klusterlet").arguments == [
        "oci://registry.example.com/klusterlet",
        "--version",
        "1.0.0",
    ]
    assert chart.Source(str(tmp_path)).arguments == [str(tmp_path)]


def program(folder: Path, body: str) -> str:
    """A program that stands for helm."""
    path = folder / "helm"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_helm_gets_no_cluster_and_its_values_by_standard_input(tmp_path: Path):
    (tmp_path / "rendered").write_text(RENDERED)
    helm = program(
        tmp_path,
        f'echo "$@" > {tmp_path}/argv; env > {tmp_path}/env; cat > {tmp_path}/stdin; cat {tmp_path}/rendered',
    )
    environ = {**os.environ, "KUBECONFIG": "/users", "K8S_AUTH_API_KEY": "secret"}
    chart.render(chart.Source(str(tmp_path), program=helm), {"a": 1}, environ)
    assert (tmp_path / "argv").read_text().split() == [
        "template", "klusterlet", str(tmp_path), "--include-crds", "--values", "-", "--namespace", "open-cluster-management",
    ]  # fmt: skip
    assert json.loads((tmp_path / "stdin").read_text()) == {"a": 1}
    told = (tmp_path / "env").read_text()
    assert "KUBECONFIG=/dev/null\n" in told and "secret" not in told


def test_helm_that_fails_or_is_not_there_is_told(tmp_path: Path):
    helm = program(tmp_path, "cat > /dev/null; echo 'Error: no such chart' >&2; exit 1")
    with pytest.raises(KubestellarError, match="Error: no such chart"):
        chart.render(chart.Source("x", program=helm), {}, os.environ)
    with pytest.raises(PreflightFailed, match="helm is not found at /none"):
        chart.render(chart.Source(program="/none"), {}, os.environ)
