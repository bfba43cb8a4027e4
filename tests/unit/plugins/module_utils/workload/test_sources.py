# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    InvalidInput,
    KubestellarError,
    PreflightFailed,
)
from ansible_collections.kubestellar.core.plugins.module_utils.workload import sources

SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"p": "horse"}}
PLAIN = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"p": "blue"}}
NOWHERE = {"PATH": "/nowhere"}


def note(name: str, **more: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **more}}


def read(namespace: str | None = None, **given: Any) -> sources.Material:
    return sources.read(given, "workload shop", name="shop", namespace=namespace, environ=NOWHERE)


def refusal(**given: Any) -> str:
    """The one sentence and the hint that the sources are refused with."""
    with pytest.raises(KubestellarError) as caught:
        read(**given)
    return f"{caught.value.message} {caught.value.hint}"


# -- what comes out --------------------------------------------------------------------------------------------------


def test_objects_come_in_the_order_of_the_options_each_with_its_place(tmp_path: Path):
    (tmp_path / "b.yaml").write_text(f"---\n{json.dumps(note('b1'))}\n---\n---\n{json.dumps(note('b2'))}\n")
    (tmp_path / "a.json").write_text(json.dumps(note("a")))
    (tmp_path / "c.yml").write_text(
        json.dumps({"apiVersion": "v1", "kind": "List", "items": [note("c1"), note("c2")]})
    )
    (tmp_path / "notes.txt").write_text("no manifest")
    template = {"path": "t.yml.j2", "content": json.dumps(note("t"))}
    held = read(definitions=[note("d1"), json.dumps(note("d2"))], src=[str(tmp_path)], template=[template])
    assert [obj["metadata"]["name"] for obj in held.objects] == ["d1", "d2", "a", "b1", "b2", "c1", "c2", "t"]
    assert held.origins == [
        "definitions entry 1",
        "definitions entry 2",
        f"{tmp_path}/a.json",
        f"{tmp_path}/b.yaml document 1",
        f"{tmp_path}/b.yaml document 3",
        f"{tmp_path}/c.yml item 1",
        f"{tmp_path}/c.yml item 2",
        "template t.yml.j2",
    ]
    assert not any("document" in json.dumps(obj) or "definitions" in json.dumps(obj) for obj in held.objects)


@pytest.mark.parametrize(
    "definitions",
    [PLAIN, [PLAIN], json.dumps(PLAIN), {"apiVersion": "v1", "kind": "ConfigMapList", "items": [PLAIN]}],
)
def test_definitions_may_be_a_mapping_a_list_text_or_a_list_of_kubernetes(definitions):
    assert read(definitions=definitions).objects == [PLAIN]


def test_empty_documents_and_lists_are_nothing(tmp_path: Path):
    (tmp_path / "a.yml").write_text("---\n# nothing\n---\nkind: List\nitems: []\n")
    assert read(definitions=[], src=[str(tmp_path)]).objects == []


# -- what is refused -------------------------------------------------------------------------------------------------


def test_an_object_of_two_sources_is_refused_with_both_places(tmp_path: Path):
    (tmp_path / "a.yml").write_text(f"{json.dumps(note('x'))}\n---\n{json.dumps(note('c'))}")
    said = refusal(definitions=[note("c")], src=[str(tmp_path)])
    assert said == (
        f"workload shop: ConfigMap c is there twice, in definitions entry 1 and in {tmp_path}/a.yml document 2. "
        "Keep one of them."
    )


def test_an_object_that_two_sources_describe_differently_is_told_so():
    assert "is there twice and differs, in definitions entry 1 and in definitions entry 2" in refusal(
        definitions=[note("c"), PLAIN]
    )


def test_the_namespace_that_an_object_will_get_counts():
    assert "is there twice" in refusal(namespace="n", definitions=[note("c"), note("c", namespace="n")])
    assert len(read("n", definitions=[note("c"), note("c", namespace="m")]).objects) == 2


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"src": ["/nowhere/a.yml"]}, ["src: /nowhere/a.yml does not exist"]),
        (
            {"definitions": [{"kind": "ConfigMap"}]},
            ["definitions entry 1 has no apiVersion. "],
        ),
        ({"definitions": ["text"]}, ["definitions entry 1 holds text"]),
        ({"definitions": 3}, ["definitions is a int"]),
        ({"template": ["t.yml.j2"]}, ["t.yml.j2 has not been rendered", "tasks of a playbook"]),
        ({"helm": [{"chart": "c", "valeus": {}}]}, ["helm.valeus", "Supported parameters include"]),
        ({"helm": ["c"]}, ["helm is a list of mappings"]),
        ({"archives": "c"}, ["archives is a list of mappings"]),
        ({"archives": [{"url": "https://a.example.com/b.tgz"}]}, ["checksum"]),
    ],
)
def test_what_cannot_be_right_is_refused_with_its_place(given, words):
    said = refusal(**given)
    assert all(word in said for word in words), said


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        (
            "kustomization.yaml",
            "resources: [a.yml]",
            ["has no apiVersion and no kind", "under kustomize instead"],
        ),
        (
            "k.yaml",
            "{apiVersion: kustomize.config.k8s.io/v1beta1, kind: Kustomization}",
            ["k.yaml is a kustomization", "under kustomize instead"],
        ),
        ("values.yaml", "replicas: 2", ["has no apiVersion and no kind", "under helm instead"]),
        ("dashboard.json", '{"panels": []}', ["has no apiVersion and no kind", "leave the file out"]),
    ],
)
def test_a_file_that_is_no_manifest_is_told_with_what_is_for_it(tmp_path, name, text, words):
    (tmp_path / name).write_text(text)
    said = refusal(src=[str(tmp_path / name)])
    assert said.startswith(f"workload shop: {tmp_path}/{name} ") and all(word in said for word in words), said


def test_lists_are_taken_apart_however_deep_and_as_servers_give_them():
    inner = {"apiVersion": "v1", "kind": "ConfigMapList", "items": [{"metadata": {"name": "a"}}]}
    held = read(definitions={"apiVersion": "v1", "kind": "List", "items": [inner, note("b")]})
    assert held.objects == [note("a"), note("b")]
    assert held.origins == ["definitions item 1 item 1", "definitions item 2"]


def test_a_value_of_a_label_is_refused_with_the_place_of_the_object(tmp_path: Path):
    (tmp_path / "a.yml").write_text(json.dumps(note("c", labels={"a": 1})))
    said = refusal(src=[str(tmp_path)])
    assert f"ConfigMap c ({tmp_path}/a.yml): metadata.labels.a takes text and is the number 1" in said


def test_a_folder_without_manifests_is_refused(tmp_path: Path):
    assert "holds no .yml, .yaml or .json file" in refusal(src=[str(tmp_path)])


def test_a_missing_program_is_named_with_its_option(tmp_path: Path):
    (tmp_path / "kustomization.yaml").write_text("resources: []")
    with pytest.raises(PreflightFailed) as caught:
        read(kustomize=[str(tmp_path)])
    assert "Neither kustomize nor kubectl is on the PATH" in caught.value.message
    assert "kustomize_binary" in caught.value.hint
    with pytest.raises(PreflightFailed) as caught:
        read(helm=[{"chart": str(tmp_path)}])
    assert "helm is not found on the PATH" in caught.value.message and "helm_binary" in caught.value.hint


# -- what results may repeat -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "definitions", [SECRET, [SECRET, PLAIN], "kind: Secret\nstringData: {p: horse}", [str(SECRET)]]
)
def test_values_of_secrets_are_not_repeated(definitions):
    assert "horse" not in str(sources.shown(definitions))


def test_everything_else_is_repeated_as_given():
    assert sources.shown([PLAIN, "kind: ConfigMap"]) == [PLAIN, "kind: ConfigMap"]
    assert sources.shown(None) is None


def test_what_makes_objects_is_taken_and_what_may_be_secret_in_it_is_not_repeated():
    given = {
        "definitions": [SECRET],
        "src": ["a"],
        "template": [{"path": "t", "content": "kind: Secret\nstringData: {p: horse}"}],
        "helm": [{"chart": "c", "values": {"password": "horse"}}],
        "archives": [{"url": "https://a.example.com/b.tgz", "url_password": "horse"}],
        "name": "shop",
    }
    params = dict(given)
    taken = sources.take(params)
    assert {**taken, "name": "shop"} == given
    assert "horse" not in str(params)
    assert params["template"] == ["t"] and params["src"] == ["a"] and params["helm"][0]["chart"] == "c"


def test_options_of_a_wrong_type_are_not_repeated():
    params = {"helm": "values: horse", "archives": ["horse"]}
    sources.take(params)
    assert "horse" not in str(params)


def test_suboptions_are_the_options_without_what_is_in_them():
    assert set(sources.NESTED_SPEC) == set(sources.SOURCES_SPEC)
    assert not any({"default", "options"} & set(option) for option in sources.NESTED_SPEC.values())


def test_an_invalid_option_is_an_error_of_input():
    with pytest.raises(InvalidInput):
        read(kustomize_remote="perhaps")
