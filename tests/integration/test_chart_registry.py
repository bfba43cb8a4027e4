# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A hub whose images come from a registry of the site: the real charts, rendered by the real helm, and installed (see `chart_hub.py`)."""

from __future__ import annotations

import base64
import contextlib
import functools
import gzip
import http.server
import json
import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.kubestellar.core.plugins.module_utils import _resources
from ansible_collections.kubestellar.core.plugins.module_utils._resources import Resource
from ansible_collections.kubestellar.core.plugins.module_utils.hub import images, redirect
from ansible_collections.kubestellar.core.plugins.module_utils.hub.registry import OCM

from .chart_hub import Begin, Hub
from .running import assert_ok

MIRROR = "registry.example.com:5000/mirror"
SITE = {
    "hub_registry": MIRROR,
    "hub_wdses": [{"name": "wds1", "type": "host"}],
    # The controllers are simulated, so in a space of type host there is nothing to look into.
    "hub_verify": "none",
}
MANAGER = "ghcr.io/kubestellar/kubeflex/manager:0.9.3"
JOBS = Resource("batch", "v1", "jobs", "Job", True)
HOOKS = Resource("tenancy.kflex.kubestellar.org", "v1alpha1", "postcreatehooks", "PostCreateHook", False)

WORLD = {
    "kubeflex-operator": {"isOpenShift": True, "installPostgreSQL": True},
    "ITSes": [{"name": "a"}],
    "WDSes": [{"name": "b"}],
}
CHART_IMAGES = {
    MANAGER,
    "ghcr.io/kubestellar/kubestellar/controller-manager:0.30.0",
    "ghcr.io/kubestellar/kubestellar/kflex-get-kubeconfig:0.30.0",
    "ghcr.io/kubestellar/kubestellar/ocm-transport-controller:0.30.0",
    "quay.io/brancz/kube-rbac-proxy:v0.19.1",
    "quay.io/brancz/kube-rbac-proxy:v0.20.2",
    "quay.io/kubestellar/clusteradm:1.0.0",
    "quay.io/kubestellar/helm:3.14.0",
    "quay.io/kubestellar/helm:3.16.4",
    "quay.io/kubestellar/kubectl:1.30.14",
    "quay.io/kubestellar/kubectl:1.32.13",
}
CHART_CHARTS = {
    "ghcr.io/kubestellar/ocm-status-addon-chart:v0.2.0-rc17",
    "quay.io/kubestellar/charts/postgresql:13.1.5",
    "quay.io/kubestellar/openshift-crds:0.1.0",
}
"""What the charts of the pinned versions have. An image that a new version adds makes these tests fail: is its place known?"""


def texts(value: Any) -> Iterator[tuple[str, str]]:
    """Every text in an object with its key, also of what is encoded in it."""
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, str):
                yield key, item
                with contextlib.suppress(ValueError, yaml.YAMLError):
                    yield from texts(list(yaml.safe_load_all(base64.b64decode(item, validate=True).decode())))
            else:
                yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, str):
                yield "", item
            else:
                yield from texts(item)


def images_in(value: Any) -> set[str]:
    """The value of every key `image`."""
    return {text for key, text in texts(value) if key == "image"}


def strangers(value: Any) -> list[str]:
    """What is not of the registry: images, and anything that names a public registry."""
    public = re.compile(
        r"(?<!//)\b(?:ghcr|quay|docker)\.io/|oci://(?!registry\.example\.com:5000/mirror/)|\bregistry\.k8s\.io/"
    )
    return sorted(
        text
        for key, text in texts(value)
        # What the tests themselves put into the cluster is no part of the chart.
        if not text.endswith(":simulated")
        and ((key == "image" and not text.startswith(f"{MIRROR}/")) or public.search(text))
    )


def template(hub: Hub, chart: Path, values: dict[str, Any]) -> list[dict[str, Any]]:
    """A chart as the real helm renders it."""
    command = [str(hub.running.stack.bin / "helm"), "template", "ks-core", str(chart), "--values", "-"]
    done = subprocess.run(
        command, input=yaml.safe_dump(values), capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


@pytest.fixture
def published(anywhere: Hub) -> Hub:
    """KubeFlex's chart as it is published: in its repository the image of the manager is a placeholder."""
    operator = anywhere.folder / "core-chart" / "charts" / "kubeflex-operator" / "templates" / "operator.yaml"
    text = operator.read_text()
    assert text.count("<placeholder>") == 1
    operator.write_text(text.replace("<placeholder>", MANAGER))
    return anywhere


@pytest.fixture
def mirrored(hub: Hub, published: Hub, begin: Begin) -> Hub:
    """The hub, installed from the registry."""
    begin("mirrored", lambda: assert_ok(published.run("hub", **SITE)))
    return published


# -- the charts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("openshift", [False, True])
def test_the_copy_of_the_chart_names_no_other_registry(published, module, tmp_path, openshift):
    source, copy = published.folder / "core-chart", tmp_path / "copy"
    made = module("hub_chart", src=str(source), dest=str(copy), registry=MIRROR)
    values = {**WORLD, "kubeflex-operator": {"isOpenShift": openshift}}
    before, after = template(published, source, values), template(published, copy, values)
    assert strangers(before) and strangers(after) == []
    assert made["unreached"] == [] and made["changed"] is False
    assert [(d["kind"], d["metadata"]["name"]) for d in after] == [
        (d["kind"], d["metadata"]["name"]) for d in before
    ]
    again = module("hub_chart", src=str(copy), dest=str(tmp_path / "again"), registry=MIRROR, _check=True)
    assert again["digest"] == made["digest"]


def test_the_charts_have_exactly_the_images_that_are_known(published):
    documents = template(published, published.folder / "core-chart", WORLD)
    assert images_in(documents) == CHART_IMAGES
    charts = {text for _key, text in texts(documents) if text.startswith("oci://")}
    assert charts == {f"oci://{chart.rpartition(':')[0]}" for chart in CHART_CHARTS}


def test_ocm_has_exactly_the_images_that_the_table_has(published):
    charts = published.running.stack.bin.resolve().parent / "charts"
    named = set()
    for chart in ("cluster-manager", "klusterlet"):
        helpers = "".join(path.read_text() for path in (charts / chart).rglob("_helpers.tpl"))
        named |= set(re.findall(r'printf "%s/([\w-]+):%s" \.Values\.images\.registry', helpers))
        (values,) = (charts / chart).rglob("values.yaml")
        assert yaml.safe_load(values.read_text())["images"]["registry"] == OCM
    table = {entry.source for entry in images._BROUGHT["kubestellar/clusteradm"]}
    assert table == {f"{OCM}/{name}:v{{version}}" for name in named}


@pytest.mark.core
def test_the_list_has_every_image_with_its_place_in_the_registry(published, tmp_path):
    output = tmp_path / "images"
    wanted = {**SITE, "hub_wdses": [{"name": "wds1"}], "hub_images_output": str(output)}
    mark = published.mark()
    counters = assert_ok(published.run("images", **wanted))
    listed = json.loads((output / "hub.json").read_text())
    sources = {entry["source"] for entry in listed["images"]}
    assert sources > CHART_IMAGES
    agents = "https://open-cluster-management.io/helm-charts klusterlet 1.0.0"
    assert {entry["source"] for entry in listed["charts"]} == {*CHART_CHARTS, agents}
    for source in (
        f"{OCM}/work:v1.0.0",
        "registry.k8s.io/kube-apiserver:v1.29.9",
        "ghcr.io/kubestellar/ocm-status-addon:0.2.0-rc17",
    ):
        assert source in sources
    copies = dict(line.split() for line in (output / "hub.copies").read_text().splitlines())
    assert set(copies) == sources | CHART_CHARTS
    assert copies["quay.io/kubestellar/helm:3.16.4"] == f"{MIRROR}/kubestellar/helm:3.16.4"
    assert "wds1: KubeFlex pulls" in (output / "hub.txt").read_text()
    assert counters["hub"]["changed"] == 2 and published.writes(mark) == []
    assert assert_ok(published.run("images", **wanted))["hub"]["changed"] == 0


# -- the hub -------------------------------------------------------------------------------------------------------------


def test_a_registry_that_is_none_is_refused_before_anything_is_started(published):
    mark = published.mark()
    done = published.run("hub", **{**SITE, "hub_registry": "https://registry.example.com"})
    assert done.returncode != 0
    output = " ".join(done.stdout.split())
    assert "hub: hub_registry is" in output and "which is not a registry. Write host, port" in output
    assert published.writes(mark) == []


def test_everything_in_the_cluster_is_of_the_registry(mirrored):
    cluster = mirrored.cluster
    for resource in (_resources.DEPLOYMENTS, _resources.PODS, JOBS, HOOKS):
        objects = [
            obj for obj in cluster.list(resource).items if obj["metadata"].get("namespace") != "kube-system"
        ]
        assert objects, resource.plural
        assert {
            name: found for obj in objects if (found := strangers(obj)) for name in [obj["metadata"]["name"]]
        } == {}
    controllers = cluster.get(_resources.DEPLOYMENTS, "kubestellar-controller-manager", "wds1-system")
    assert f"{MIRROR}/kubestellar/kubestellar/controller-manager:0.30.0" in images_in(controllers)
    init = cluster.get(JOBS, "its-hub-init", "its1-system")["spec"]["template"]["spec"]["containers"][0][
        "args"
    ]
    assert init[:2] == ["init", f"--image-registry={MIRROR}/open-cluster-management"]


def test_the_release_with_its_hooks_is_of_the_registry(mirrored):
    (secret,) = mirrored.cluster.list(
        _resources.SECRETS, "default", label_selector="owner=helm,name=ks-core"
    ).items
    release = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(secret["data"]["release"]))))
    hooks = [yaml.safe_load(hook["manifest"]) for hook in release["hooks"]]
    assert len(hooks) >= 3
    assert strangers([*hooks, *yaml.safe_load_all(release["manifest"])]) == []
    assert release["config"]["kubestellarCore"]["registry"] == MIRROR
    assert "global.imageRegistry=registry.example.com:5000/mirror" in {text for _key, text in texts(hooks)}


def test_a_second_run_changes_nothing_and_sends_no_write(mirrored):
    mark = mirrored.mark()
    assert assert_ok(mirrored.run("hub", **SITE))["hub"]["changed"] == 0
    assert mirrored.writes(mark) == []


def test_the_job_of_the_status_addon_gives_its_deployment_the_images_of_the_registry(mirrored):
    """What its chart installs, as in ocm-status-addon: chart/templates/operator.yaml; and the very command of the Job."""
    cluster, namespace = mirrored.cluster, "open-cluster-management"
    if cluster.get(_resources.NAMESPACES, namespace) is None:
        cluster.create(
            _resources.NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        )
    upstream = "ghcr.io/kubestellar/ocm-status-addon:0.2.0-rc17"
    environment = [{"name": "STATUS_ADDDON_IMAGE_NAME", "value": upstream}]
    pod = {
        "containers": [
            {"name": "status-controller", "image": upstream, "args": ["controller"], "env": environment}
        ],
        "initContainers": [
            {"name": "create-crd", "image": "quay.io/kubestellar/kubectl:1.29.3", "command": ["sh"]}
        ],
    }
    labels = {"app": "status-controller"}
    cluster.create(
        _resources.DEPLOYMENTS,
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "addon-status-controller", "namespace": namespace},
            "spec": {
                "replicas": 0,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": pod},
            },
        },
    )
    job = cluster.get(JOBS, "install-status-addon", "its1-system")["spec"]["template"]["spec"]
    assert job["initContainers"][-1]["name"] == "status"
    (step,) = job["containers"]
    assert step["name"] == redirect.STEP
    command = [
        str(mirrored.running.stack.bin / "kubectl"),
        "--kubeconfig",
        mirrored.running.kubeconfig,
        "--context",
        "hub",
    ]
    subprocess.run([*command, *step["args"]], check=True, capture_output=True, timeout=60)
    made = cluster.get(_resources.DEPLOYMENTS, "addon-status-controller", namespace)
    assert strangers(made["spec"]) == []
    (container,) = made["spec"]["template"]["spec"]["containers"]
    addon = f"{MIRROR}/kubestellar/ocm-status-addon:0.2.0-rc17"
    assert (container["image"], container["args"]) == (addon, ["controller"])
    assert container["env"] == [{"name": "STATUS_ADDDON_IMAGE_NAME", "value": addon}]


def test_a_chart_that_has_to_be_fetched_is_copied_too(mirrored, tmp_path):
    chart = mirrored.folder / "core-chart"
    subprocess.run(
        [str(mirrored.running.stack.bin / "helm"), "package", str(chart), "--destination", str(tmp_path)],
        check=True,
        capture_output=True,
        timeout=60,
    )
    serve = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/core-chart-0.30.0.tgz"
        mark = mirrored.mark()
        done = mirrored.run("hub", "--check", "--diff", **SITE, hub_chart_ref=url)
        server.shutdown()
    assert assert_ok(done)["hub"]["changed"] == 0
    assert mirrored.writes(mark) == []
