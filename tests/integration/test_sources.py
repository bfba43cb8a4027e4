# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every source of a workload with the real programs, applied to a real WDS; and the workload of the guide."""

from __future__ import annotations

import hashlib
import io
import json
import re
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.kubestellar.core.plugins.module_utils import _resources
from ansible_collections.kubestellar.core.plugins.module_utils.workload import sources
from ansible_collections.kubestellar.core.tests import https

from .chart_hub import Hub
from .running import CHECKOUT, Running, assert_ok, recap

GUIDE = (CHECKOUT / "docs" / "docsite" / "rst" / "guide_workloads.rst").read_text(encoding="utf-8")
FILES = {
    name: re.sub(r"(?m)^   ", "", text)
    for name, text in re.findall(
        r"(?m)^\.\. code-block:: yaml(?:\+jinja)?\n   :caption: (\S+)\n\n((?:   .*\n|\n)+)", GUIDE
    )
}
"""The files of the guide by their names."""
CATALOGUE = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "catalogue"}, "data": {"a": "b"}}
_TASK = """\
    - ansible.builtin.include_role:
        name: kubestellar.core.workload
        tasks_from: apply
      vars:
        workload_name: "{{ hub_workloads[0].name }}"
        workload_source: "{{ hub_workloads[0].source }}"
"""
APPLY = f"""\
- hosts: kubestellar_hubs
  gather_facts: false
  tasks:
{_TASK}"""


# And then with its parent elsewhere: that is another set, which does not take the objects over.
AGAIN = f"{APPLY}{_TASK}        workload_applyset_namespace: default\n"


def archive() -> bytes:
    """The archive of the guide."""
    stream, content = io.BytesIO(), json.dumps(CATALOGUE).encode()
    with tarfile.open(fileobj=stream, mode="w:gz") as packed:
        info = tarfile.TarInfo("catalogue-1.0/manifests/catalogue.json")
        info.size = len(content)
        packed.addfile(info, io.BytesIO(content))
    return stream.getvalue()


@pytest.fixture(scope="module")
def project(stack: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The files of the guide, and the archive of its workload on a server of the loopback: `variables.yml` says all of it."""
    folder, packed = tmp_path_factory.mktemp("project"), archive()
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "apply.yml").write_text(APPLY)
    (folder / "again.yml").write_text(AGAIN)
    with https.serving(folder, {"/catalogue-1.0.tar.gz": packed}) as site:
        variables = yaml.safe_load(FILES["group_vars/kubestellar_hubs.yml"])
        source = variables["hub_workloads"][0]["source"]
        (entry,) = source["archives"]
        entry |= {
            "url": entry["url"].replace("https://downloads.example.com", site.url),
            "checksum": f"sha256:{hashlib.sha256(packed).hexdigest()}",
            "ca_path": str(site.authority),
        }
        source |= {
            "helm_binary": str(stack.stack.bin / "helm"),
            "kustomize_binary": str(stack.stack.bin / "kubectl"),
        }
        (folder / "variables.yml").write_text(yaml.safe_dump(variables))
        yield folder


def run(stack: Running, playbook: str | Path, project: Path, *extra: str) -> subprocess.CompletedProcess[str]:
    """A playbook with the variables of the project, of the checkout by its name or any by its path, run in the project."""
    variables = f"@{project / 'variables.yml'}"
    return stack.playbook(playbook, "-e", variables, *extra, timeout=200, folder=project)


@pytest.fixture
def removed(stack: Running, module: Callable[..., dict[str, Any]]) -> Iterator[list[str]]:
    """Names of workloads that are removed from the WDS in the end."""
    names: list[str] = []
    yield names
    for name in names:
        gone = module(
            "workload", kubeconfig=stack.kubeconfig, context="hub", wds="wds1", name=name, state="absent"
        )
        assert not gone.get("failed"), gone


def test_the_workload_of_the_guide_is_previewed_as_it_says(stack, project):
    assert_ok(run(stack, "preview", project, "-e", f"preview_output={project}"))
    (output,) = re.findall(r"(?m)^\.\. code-block:: text\n\n((?:   .*\n|\n)+)", GUIDE)
    expected = re.sub(r"(?m)^   ", "", output).strip("\n")
    assert (project / "hub.txt").read_text().strip("\n") == expected


@pytest.mark.core
def test_the_workload_of_the_guide_is_applied_from_all_its_sources_stays_and_is_removed(
    stack, project, removed
):
    removed.append("kiosk")
    done = run(stack, project / "apply.yml", project)
    assert assert_ok(done)["hub"]["changed"] == 1
    wds = stack.cluster("wds1")
    found = {item["metadata"]["name"]: item for item in wds.list(_resources.CONFIG_MAPS, "kiosk").items}
    site = next(name for name in found if name.startswith("site-"))
    data = {
        "paper": {"size": "A5"},
        "hours": {"open": "08:00-20:00"},
        site: {"kind": "edge"},
        "kiosk-greeting": {"words": "hello"},
        "catalogue": {"a": "b"},
    }
    for name, content in data.items():
        assert found[name]["data"] == content, name
        assert found[name]["metadata"]["labels"]["kubestellar.core/workload"] == "kiosk"
        assert str(project) not in json.dumps(found[name])
    assert wds.get(wds.resource("batch/v1", "Job"), "kiosk-migrate", "kiosk") is None
    mark = stack.mark()
    again = run(stack, project / "again.yml", project)
    counters = recap(again.stdout)["hub"]
    assert (counters["changed"], counters["failed"]) == (0, 1), again.stdout
    assert "belong to another set" in again.stdout
    assert stack.writes_since(mark) == []
    leaving = yaml.safe_load((project / "variables.yml").read_text())["hub_workloads"][0] | {
        "state": "absent"
    }
    gone = run(stack, "workloads", project, "-e", json.dumps({"hub_workloads": [leaving]}))
    assert assert_ok(gone)["hub"]["changed"] == 1
    assert wds.get(_resources.NAMESPACES, "kiosk") is None


def test_an_undefined_variable_and_an_object_that_is_there_twice_are_told_before_any_write(
    stack, module, project
):
    mark = stack.mark()
    given = yaml.safe_load((project / "variables.yml").read_text())
    source = given["hub_workloads"][0]["source"]
    template = project / "templates" / "town.yml.j2"
    template.write_text("a: {{ town }}")
    source["template"] = [str(template)]
    done = run(stack, project / "apply.yml", project, "-e", json.dumps(given))
    assert recap(done.stdout)["hub"]["failed"] == 1
    assert f"The template {template} uses the variable town, which is not defined." in " ".join(
        done.stdout.split()
    )
    source["template"] = [{"path": "paper.yml.j2", "content": FILES["files/kiosk/paper.yml"]}]
    result = module(
        "workload", kubeconfig=stack.kubeconfig, context="hub", wds="wds1", name="kiosk", **source
    )
    assert result["msg"].startswith(
        f"workload kiosk: ConfigMap paper is there twice, in {project}/files/kiosk/paper.yml and in template paper.yml.j2."
    )
    assert stack.writes_since(mark) == []


def test_the_core_chart_is_applied_with_its_definitions_first_and_its_hooks_are_told(
    stack, call, removed, tmp_path
):
    """KubeStellar's own chart, whose ControlPlanes need definitions that another source has."""
    removed.append("core")
    chart = Hub(stack, tmp_path).lay_down_chart()
    kubeflex = next((stack.stack.bin.resolve().parent / "crds").glob("*kubeflex*"))
    given = {
        "wds": "wds1",
        "name": "core",
        "namespace": "core",
        "definitions": {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "core"}},
        "src": [str(kubeflex)],
        "helm": [{"chart": str(chart), "values": {"WDSes": [{"name": "wds9"}], "ITSes": [{"name": "its9"}]}}],
        "helm_binary": str(stack.stack.bin / "helm"),
    }
    result = call("workload", **given)
    assert not result.get("failed"), result
    entries = {(entry["kind"], entry["name"]): entry for entry in result["objects"]}
    plane = entries["ControlPlane", "wds9"]
    assert plane["method"] == "create"
    assert plane["source"] == f"chart {chart} as core, core-chart/templates/controlplanes/wds.yaml"
    assert ("Job", "core-delete-cps") not in entries
    events = {hook["name"]: hook["events"] for hook in result["hooks"]}
    assert events["core-delete-cps"] == ["pre-delete"] and events["core-install-postgresql"] == [
        "post-install"
    ]
    assert not any(hook["included"] for hook in result["hooks"])
    again = call("workload", **given)
    assert again["changed"] is False, [e for e in again["objects"] if e["changed"]]
    assert again["hooks"] == result["hooks"]


def test_a_chart_is_rendered_for_the_version_of_the_wds(stack, module, tmp_path):
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text("{apiVersion: v2, name: told, version: 1.0.0}")
    (tmp_path / "templates" / "a.yaml").write_text(
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: told}, data: {v: {{ .Capabilities.KubeVersion.Version | quote }}}}"
    )
    given = {
        "wds": "wds1",
        "name": "told",
        "namespace": "default",
        "helm": [{"chart": str(tmp_path)}],
        "helm_binary": str(stack.stack.bin / "helm"),
    }
    connection = {"kubeconfig": stack.kubeconfig, "context": "hub"}
    result = module("workload", _check=True, _diff=True, **connection, **given)
    assert f"v: {stack.cluster('wds1').version()}" in result["diff"][0]["after"]


def packed_chart() -> bytes:
    """A chart as `helm package` packs it."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as packed:
        for name, text in {
            "Chart.yaml": "{apiVersion: v2, name: far, version: 1.0.0}",
            "templates/a.yaml": "{apiVersion: v1, kind: ConfigMap, metadata: {name: {{ .Release.Name }}}}",
        }.items():
            info = tarfile.TarInfo(f"far/{name}")
            info.size = len(text)
            packed.addfile(info, io.BytesIO(text.encode()))
    return stream.getvalue()


def test_a_chart_comes_from_a_repository_and_from_an_oci_registry(stack, tmp_path):
    """helm takes a registry on the loopback for one without TLS."""
    chart, config = packed_chart(), b"{}"
    index = {
        "apiVersion": "v1",
        "entries": {"far": [{"name": "far", "version": "1.0.0", "urls": ["far-1.0.0.tgz"]}]},
    }
    parts = {
        f"sha256:{hashlib.sha256(part).hexdigest()}": (part, f"application/vnd.cncf.helm.{name}")
        for part, name in ((config, "config.v1+json"), (chart, "chart.content.v1.tar+gzip"))
    }
    described = [
        {"mediaType": kind, "digest": digest, "size": len(part)} for digest, (part, kind) in parts.items()
    ]
    kind = "application/vnd.oci.image.manifest.v1+json"
    manifest = json.dumps(
        {"schemaVersion": 2, "mediaType": kind, "config": described[0], "layers": described[1:]}
    ).encode()
    digest = f"sha256:{hashlib.sha256(manifest).hexdigest()}"
    named = [f"/v2/charts/far/manifests/{name}" for name in ("1.0.0", digest)]
    blobs = {f"/v2/charts/far/blobs/{name}": part for name, (part, _kind) in parts.items()}
    repository = {"/index.yaml": json.dumps(index).encode(), "/far-1.0.0.tgz": chart}
    with (
        https.serving(tmp_path, repository) as site,
        https.serving(
            tmp_path, {**dict.fromkeys(named, manifest), **blobs}, tls=False, types=dict.fromkeys(named, kind)
        ) as registry,
    ):
        place = f"oci://{registry.url.partition('//')[2]}/charts/far"
        charts = [
            {"chart": "far", "repository": site.url, "version": "1.0.0", "ca_path": str(site.authority)},
            {"chart": place, "version": "1.0.0", "release_name": "tagged"},
            {"chart": f"{place}@{digest}", "release_name": "pinned"},
        ]
        given = {"helm": charts, "helm_binary": str(stack.stack.bin / "helm")}
        held = sources.read(given, "workload near", name="near", namespace="default")
    assert [obj["metadata"]["name"] for obj in held.objects] == ["near", "tagged", "pinned"]
    assert held.origins[1] == f"chart {place} as tagged, far/templates/a.yaml"


def test_a_kustomization_that_fetches_has_no_way_to_the_network_without_leave(stack, module, tmp_path):
    """Neither one that says so, nor one whose generator does."""
    given = {
        "wds": "wds1",
        "name": "fetched",
        "kustomize": [str(tmp_path)],
        "kustomize_binary": str(stack.stack.bin / "kubectl"),
        "kubeconfig": stack.kubeconfig,
        "context": "hub",
    }
    url = "https://downloads.example.com/all.yaml"
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump({"resources": [url]}))
    assert f"takes {url} from elsewhere" in module("workload", **given)["msg"]
    generator = {
        "apiVersion": "builtin",
        "kind": "ConfigMapGenerator",
        "metadata": {"name": "m"},
        "files": [url],
    }
    (tmp_path / "generator.yaml").write_text(yaml.safe_dump(generator))
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump({"generators": ["generator.yaml"]}))
    told = module("workload", **given)["msg"]
    assert "connection refused" in told and "Nothing is fetched from elsewhere" in told
