# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Charts, beside a program in the place of helm that writes down what it is told. The real one is in the integration tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, KubestellarError
from ansible_collections.kubestellar.core.plugins.module_utils.workload import helm, sources

PRINTED = """\
---
# Source: till/crds/widget.yaml
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: widgets.example.com
---
# Source: till/templates/all.yaml
apiVersion: v1
kind: ConfigMap
metadata:
  name: words
data:
  text: |
    ---
    # Source: not/one.yaml
---
# Source: till/templates/all.yaml

---
# Source: till/templates/test.yaml
apiVersion: v1
kind: Pod
metadata:
  name: probe
  annotations:
    "helm.sh/hook": test
---
# Source: till/templates/hook.yaml
apiVersion: batch/v1
kind: Job
metadata:
  name: migrate
  namespace: other
  annotations:
    "helm.sh/hook": pre-install, pre-upgrade
    "helm.sh/hook-weight": "-5"
"""
REPOSITORY = "https://charts.example.com"


def program(folder: Path, script: str, name: str = "helm") -> str:
    """A program that does this for `template`, and is helm 3.17 for `version`."""
    path = folder / name
    path.write_text(f'#!/bin/sh\n[ "$1" = version ] && echo v3.17.0 && exit 0\n{script}\n')
    path.chmod(0o755)
    return str(path)


def rendered(**chart: Any) -> tuple[list[Any], list[dict[str, Any]]]:
    return helm.parse(PRINTED, {"chart": "charts/till", **chart}, "shop", chart.get("namespace", ""))


# -- what it prints --------------------------------------------------------------------------------------------------


def test_objects_know_their_template_and_the_namespace_of_the_release():
    found, _hooks = rendered(namespace="shop-ns")
    assert [(piece.definition["metadata"]["name"], piece.origin) for piece in found] == [
        ("widgets.example.com", "chart charts/till as shop, till/crds/widget.yaml"),
        ("words", "chart charts/till as shop, till/templates/all.yaml"),
    ]
    assert {piece.namespace for piece in found} == {"shop-ns"}
    assert "# Source: not/one.yaml" in found[1].definition["data"]["text"]


def test_a_key_that_is_twice_in_a_template_counts_the_last_time_as_for_helm():
    text = "---\n# Source: till/templates/a.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: b, name: a}\n"
    ((piece,), _hooks) = helm.parse(text, {"chart": "c"}, "shop")
    assert piece.definition["metadata"]["name"] == "a"


def test_two_objects_of_a_chart_without_a_line_between_them_are_refused():
    text = "---\n# Source: till/templates/a.yaml\nkind: Role\nmetadata: {name: a}\nkind: RoleBinding\nmetadata: {name: b}\n"
    with pytest.raises(InvalidInput) as caught:
        helm.parse(text, {"chart": "c"}, "shop")
    assert "till/templates/a.yaml: Role a: kind is there twice" in caught.value.message


def test_what_a_chart_prints_before_its_first_template_is_an_object_too():
    ((piece,), _hooks) = helm.parse("kind: ConfigMap\nmetadata: {name: a}\n", {"chart": "c"}, "shop")
    assert piece.definition["metadata"]["name"] == "a"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\na: 2\n", "a is there twice, in lines 1 and 2"),
        ("a: 1\n---\nb: 2\n", "has 2 documents, of which helm reads the first"),
        ("$ANSIBLE_VAULT;1.1;AES256\n3439\n", "holds text where an object was expected"),
    ],
)
def test_values_that_helm_would_not_look_at_are_refused(tmp_path, text, words):
    (tmp_path / "values.yaml").write_text(text)
    (tmp_path / "Chart.yaml").write_text("")
    chart = {"chart": str(tmp_path), "values_files": [str(tmp_path / "values.yaml")]}
    with pytest.raises(InvalidInput) as caught:
        helm.arguments(chart, "shop", "shop", "")
    assert words in caught.value.message


def test_hooks_are_reported_and_left_out():
    found, hooks = rendered()
    assert not {"probe", "migrate"} & {piece.definition["metadata"]["name"] for piece in found}
    assert hooks == [
        {
            "kind": "Pod",
            "namespace": "",
            "name": "probe",
            "events": ["test"],
            "weight": 0,
            "source": "chart charts/till as shop, till/templates/test.yaml",
            "included": False,
        },
        {
            "kind": "Job",
            "namespace": "other",
            "name": "migrate",
            "events": ["pre-install", "pre-upgrade"],
            "weight": -5,
            "source": "chart charts/till as shop, till/templates/hook.yaml",
            "included": False,
        },
    ]


def test_hooks_that_are_wanted_are_objects_but_tests_never_are():
    found, hooks = rendered(hooks="include")
    assert [piece.definition["metadata"]["name"] for piece in found] == [
        "widgets.example.com",
        "words",
        "migrate",
    ]
    assert [entry["included"] for entry in hooks] == [False, True]


# -- what it is told -------------------------------------------------------------------------------------------------


def test_helm_gets_the_values_on_standard_input_and_nothing_of_the_user(tmp_path: Path, monkeypatch):
    (tmp_path / "printed").write_text(PRINTED)
    (tmp_path / "more.yml").write_text("{}")
    script = (
        f'echo "$@" > {tmp_path}/argv; env > {tmp_path}/env; cat > {tmp_path}/stdin; cat {tmp_path}/printed'
    )
    environ = {
        "PATH": "/usr/bin:/bin",
        "HOME": "/home/user",
        "KUBECONFIG": "/users",
        "HELM_REGISTRY_CONFIG": "/users",
        "HELM_PLUGINS": "/users",
        "DOCKER_CONFIG": "/users",
        "K8S_AUTH_API_KEY": "horse",
    }
    chart = {
        "chart": str(tmp_path),
        "values": {"password": "horse"},
        "values_files": [str(tmp_path / "more.yml")],
        "api_versions": ["a/v1", "b/v1/C"],
    }
    held = sources.read(
        {"helm": [chart], "helm_binary": program(tmp_path, script)},
        "workload shop",
        name="shop",
        namespace="ns",
        kube_version=lambda: "v1.32.13",
        environ=environ,
    )
    assert len(held.objects) == 2 and len(held.hooks) == 2 and set(held.namespaces) == {"ns"}
    assert (tmp_path / "argv").read_text().split() == [
        "template", "shop", str(tmp_path), "--namespace", "ns", "--values", str(tmp_path / "more.yml"), "--values", "-",
        "--include-crds", "--kube-version", "v1.32.13", "--api-versions=a/v1", "--api-versions=b/v1/C",
    ]  # fmt: skip
    assert json.loads((tmp_path / "stdin").read_text()) == {"password": "horse"}
    told = (tmp_path / "env").read_text()
    assert "horse" not in told and "/users" not in told and "KUBECONFIG=/dev/null" in told
    folders = [line.partition("=")[2] for line in told.splitlines() if line.startswith(("HELM_", "DOCKER_"))]
    assert len(folders) == 5 and not any(Path(folder).exists() for folder in folders)


@pytest.mark.parametrize(
    ("chart", "expected"),
    [
        (
            {"chart": "oci://registry.example.com:5000/charts/till", "version": "1.0.0"},
            ["oci://registry.example.com:5000/charts/till", "--version", "1.0.0"],
        ),
        (
            {"chart": f"oci://registry.example.com/till@sha256:{'0' * 64}"},
            [f"oci://registry.example.com/till@sha256:{'0' * 64}"],
        ),
        (
            {"chart": "till", "repository": REPOSITORY, "version": "1"},
            ["till", "--repo", REPOSITORY, "--version", "1"],
        ),
    ],
)
def test_where_a_chart_is(chart, expected):
    assert helm.location(chart) == expected


@pytest.mark.parametrize(
    ("chart", "words"),
    [
        ({"chart": "nowhere/till"}, "there is no chart nowhere/till"),
        ({"chart": "--post-renderer=x"}, "there is no chart"),
        ({"chart": "oci://registry.example.com/till"}, "has no version, so each run would take the newest"),
        ({"chart": "till", "repository": REPOSITORY}, "has no version"),
        ({"chart": "oci://nothing", "version": "1"}, "is no OCI reference"),
        (
            {"chart": "till", "repository": "http://charts.example.com", "version": "1"},
            "is no chart in a repository",
        ),
        (
            {"chart": "till", "repository": "https://user:horse@charts.example.com", "version": "1"},
            "till of https://charts.example.com is no chart in a repository",
        ),
        ({"chart": "--debug", "repository": REPOSITORY, "version": "1"}, "is no chart in a repository"),
        ({"chart": "/", "kube_version": "new"}, "is no version of Kubernetes"),
        ({"chart": "/", "values_files": ["/nowhere.yml"]}, "values_files: /nowhere.yml does not exist"),
        ({"chart": "/", "registry_config": "/nowhere"}, "registry_config: /nowhere does not exist"),
    ],
)
def test_a_chart_that_cannot_be_right_is_refused(chart, words):
    with pytest.raises(InvalidInput) as caught:
        helm.arguments(chart, "shop", "ns", "")
    assert words in caught.value.message


@pytest.mark.parametrize("name", ["--debug", "Shop", "a" * 54, ""])
def test_a_release_has_a_legal_name(name):
    with pytest.raises(InvalidInput, match="is no name for a release"):
        helm.arguments({"chart": "/"}, name, "ns", "")


def test_only_one_chart_has_the_name_of_the_workload():
    assert helm.names([{"chart": "a"}, {"chart": "b", "release_name": "b"}], "shop") == ["shop", "b"]
    with pytest.raises(InvalidInput, match="2 charts have no release_name"):
        helm.names([{"chart": "a"}, {"chart": "b"}], "shop")


# -- when it fails ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "words"),
    [("v3.7.2", "is helm 3.7.2, which is too old"), ("hello", "does not say a version of helm: hello")],
)
def test_a_helm_that_cannot_be_used_is_told(tmp_path: Path, said, words):
    path = tmp_path / "helm"
    path.write_text(f"#!/bin/sh\necho {said}\n")
    path.chmod(0o755)
    with pytest.raises(KubestellarError) as caught:
        helm.find(str(path), {"PATH": "/bin"}, tmp_path)
    assert words in caught.value.message and "helm 3.8 or newer" in caught.value.hint


def test_what_helm_complains_about_is_told_without_values(tmp_path: Path):
    path = program(tmp_path, "cat > /dev/null; echo 'Error: execution error: no image is named' >&2; exit 1")
    given = {"helm": [{"chart": str(tmp_path), "values": {"a": "horse"}}], "helm_binary": path}
    with pytest.raises(KubestellarError) as caught:
        sources.read(given, "workload shop", environ={"PATH": "/usr/bin:/bin"})
    assert (
        f"helm cannot render the chart {tmp_path}: Error: execution error: no image is named."
        == caught.value.message
    )
    assert "horse" not in str(caught.value.result())
