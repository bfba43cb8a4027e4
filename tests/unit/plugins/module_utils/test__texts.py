# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is described reaches the server as it is, or is refused with object and field."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _bulk, _diff, _texts, _yaml
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput
from hypothesis import given
from hypothesis import strategies as st


def wanted(text: str) -> dict[str, Any]:
    """The object that is sent for a YAML text, with a head of its own if that has none."""
    ((_number, document),) = _yaml.yaml_documents(text, "x")
    head = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}
    (obj,) = _bulk.check_definitions([{**head, **document}], "shop", origins=["a.yml"])
    return obj


def refusal(text: str) -> str:
    """The sentence and the hint that such a text is refused with."""
    with pytest.raises(InvalidInput) as caught:
        wanted(text)
    return f"{caught.value.message} {caught.value.hint}"


DEPLOYMENT = "apiVersion: apps/v1\nkind: Deployment\nspec: {template: {spec: %s, metadata: %s}}"


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("data: {a: no}", "data.a takes text and is false. Put it in quotes"),
        ("data: {a: 1e3}", "data.a takes text and is the number 1000.0"),
        ("data: {a: 0644}", "data.a takes text and is the number 420"),
        ("data: {a: [b]}", "data.a takes text and is a list. Write it as text, in quotes or after a |"),
        ("data: {a: {b: c}}", "data.a takes text and is a mapping"),
        ("data: {a: }", 'data.a takes text and is nothing. Write "" for an empty text, or remove it'),
        ("binaryData: {a: 1}", "binaryData.a takes text"),
        ("metadata: {name: c, labels: {a: off}}", "metadata.labels.a takes text and is false"),
        ("metadata: {name: c, annotations: {a: 3}}", "metadata.annotations.a takes text and is the number 3"),
        ("metadata: {name: c, annotations: {a: }}", "metadata.annotations.a takes text and is nothing"),
        (
            "kind: Example\napiVersion: example.com/v1\nmetadata: {name: c, labels: {a: 1}}",
            "metadata.labels.a",
        ),
        (DEPLOYMENT % ("{}", "{labels: {a: 1}}"), "spec.template.metadata.labels.a"),
        (DEPLOYMENT % ("{}", "{annotations: {a: true}}"), "spec.template.metadata.annotations.a"),
        ("kind: Service\nspec: {selector: {app: }}", "spec.selector.app takes text and is nothing"),
        (
            "{kind: StorageClass, apiVersion: storage.k8s.io/v1, parameters: {a: yes}}",
            "parameters.a takes text",
        ),
        (DEPLOYMENT % ("{nodeSelector: {a: yes}}", "{}"), "spec.template.spec.nodeSelector.a"),
        (DEPLOYMENT % ("{containers: [{args: [a, 1]}]}", "{}"), "spec.template.spec.containers[0].args[1]"),
        (DEPLOYMENT % ("{containers: [{env: [{name: a, value: 1}]}]}", "{}"), "containers[0].env[0].value"),
        (
            "kind: X\napiVersion: apps/v1\nspec: {selector: {matchLabels: {a: no}}}",
            "spec.selector.matchLabels.a",
        ),
        (
            "{kind: NetworkPolicy, apiVersion: networking.k8s.io/v1, spec: {podSelector: {matchExpressions: [{key: a, operator: In, values: [se, no]}]}}}",
            "spec.podSelector.matchExpressions[0].values[1] takes text and is false",
        ),
    ],
)
def test_what_is_no_text_where_text_belongs_is_refused_with_object_and_field(text, field):
    said = refusal(text)
    assert said.startswith("shop: ") and "(a.yml): " in said and field in said


@pytest.mark.parametrize("field", ["stringData", "data"])
@pytest.mark.parametrize("value", ["off", "1e3", "424242", "[horse]", "{horse: 1}", ""])
def test_of_a_secret_the_field_is_told_and_not_the_value(field, value):
    said = refusal(f"kind: Secret\n{field}: {{pin: {value}}}")
    assert f"Secret c (a.yml): {field}.pin takes text" in said
    assert not any(word in said for word in ("424242", "horse", "1000", "off"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "kind: Secret\ndata: {a: aGk}",
            "data.a is not base64. Encode it, or write it as text under stringData",
        ),
        ("kind: Secret\ndata: {a: 'hi there'}", "data.a is not base64"),
        ("binaryData: {a: '!'}", "binaryData.a is not base64. Encode it, or write it as text under data"),
    ],
)
def test_what_is_no_base64_is_refused_before_the_server_sees_it(text, words):
    assert words in refusal(text)


@pytest.mark.parametrize(
    ("requests", "words"),
    [
        ("{memory: 1Gb}", "spec.template.spec.containers[0].resources.requests.memory is '1Gb', no quantity"),
        ("{cpu: half}", "resources.requests.cpu is 'half'"),
        ("{cpu: }", "resources.requests.cpu is nothing, no quantity"),
        ("{memory: 1 Gi}", "Write it as 500m, 2, 512Mi or 1G"),
    ],
)
def test_what_is_no_quantity_is_refused_with_its_field(requests, words):
    spec = f"{{containers: [{{resources: {{requests: {requests}}}}}]}}"
    assert words in refusal(DEPLOYMENT % (spec, "{}"))


@pytest.mark.parametrize(
    "text",
    [
        DEPLOYMENT
        % ("{containers: [{resources: {limits: {cpu: 1, memory: 1.5Gi, x: 1e3, y: 500m}}}]}", "{}"),
        "{kind: PersistentVolumeClaim, spec: {selector: {matchLabels: {a: b}}, resources: {requests: {storage: 1Gi}}}}",
        "kind: LimitRange\nspec: {limits: [{type: Container, default: {cpu: 1}}]}",
        "kind: ResourceQuota\nspec: {hard: {pods: 3, requests.memory: 1Gi}}",
        "kind: Example\napiVersion: example.com/v1\nspec: {requests: {a: many}}",
    ],
)
def test_quantities_are_what_kubernetes_takes_for_some(text):
    assert wanted(text)


@pytest.mark.parametrize("text", ["aGk=", '"aGVs\\nbG8=\\n"', '""'])
def test_base64_may_be_broken_into_lines(text):
    assert wanted(f"kind: Secret\ndata: {{a: {text}}}")


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ("{name: 8080}", "has a metadata.name that is the number 8080, no text. Put it in quotes"),
        ("{name: no}", "has a metadata.name that is false, no text"),
        ("{name: [a]}", "has a metadata.name that is a list"),
        (
            "{generateName: a-}",
            "has generateName, with which each run would make another object. Set metadata.name",
        ),
        ("{}", "has no metadata.name"),
        ("[a]", "has no metadata.name"),
        ("{name: a, namespace: no}", "has a metadata.namespace that is false, no text"),
        ("{name: a, labels: [b]}", "has metadata.labels that is a list, not a mapping"),
    ],
)
def test_a_name_that_is_none_is_told_as_what_it_is(metadata, words):
    assert f"shop: a.yml, a ConfigMap, {words}" in refusal(f"metadata: {metadata}")


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ("apiVersion: 1", "a.yml has apiVersion that is the number 1, no text. Put it in quotes"),
        ("kind: no", "a.yml has kind that is false, no text"),
        ("kind: ", "a.yml has no kind"),
    ],
)
def test_a_kind_that_is_none_is_told_as_what_it_is(head, words):
    assert words in refusal(head)


def test_what_looks_like_text_of_a_built_in_kind_is_free_in_a_custom_resource():
    spec = {"values": {"nodeSelector": {"gpu": True}, "args": [1], "redis": None}, "limit": None}
    crd = {"properties": {"nodeSelector": {"type": "object", "default": True}}}
    for api_version, kind, described in (
        ("example.com/v1", "Release", spec),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition", crd),
    ):
        obj = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}, "spec": described}
        assert _bulk.check_definitions([obj], "x")[0]["spec"] == described


@pytest.mark.parametrize(
    ("api_version", "kind", "kept"),
    [
        ("example.com/v1", "Release", True),
        ("gateway.networking.k8s.io/v1", "Gateway", True),
        ("v1", "Pod", False),
        ("apps/v1", "Deployment", False),
        ("apps/v1", "ControllerRevision", True),
        ("networking.k8s.io/v1", "Ingress", False),
        ("control.kubestellar.io/v1alpha1", "BindingPolicy", False),
    ],
)
def test_null_is_dropped_only_where_it_is_nothing(api_version, kind, kept):
    obj = {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": "a", "labels": None},
        "spec": {"a": {"b": None}},
    }
    result = _diff.wanted(obj)
    assert result["spec"] == {"a": {"b": None}} if kept else {"a": {}}
    assert result["metadata"] == {"name": "a"}


@given(st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), st.text(st.characters(codec="utf-8"))))
def test_text_of_a_secret_is_what_was_written(data):
    obj = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "stringData": data}
    (result,) = _bulk.check_definitions([obj], "x")
    assert {key: base64.b64decode(value).decode() for key, value in result["data"].items()} == data


SPEC = {
    "name": {"type": "str"},
    "max_clusters": {"type": "str"},
    "names": {"type": "list", "elements": "str"},
    "flag": {"type": "bool"},
    "one": {"type": "dict", "options": {"path": {"type": "path"}}},
    "many": {"type": "list", "elements": "dict", "options": {"values": {"type": "list", "elements": "str"}}},
}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {
                "name": "a",
                "max_clusters": 3,
                "names": ["b"],
                "flag": True,
                "one": {"path": "/"},
                "many": None,
            },
            [],
        ),
        ({"name": False}, ["name takes text and is false."]),
        ({"name": 8}, ["name takes text and is the number 8."]),
        ({"max_clusters": True}, ["max_clusters takes text and is true."]),
        ({"names": ["a", 1.1]}, ["names[1] takes text and is the number 1.1."]),
        ({"names": 5}, ["names takes text and is the number 5."]),
        ({"one": {"path": 1}}, ["one.path takes text and is the number 1."]),
        ({"many": [{}, {"values": ["se", False]}]}, ["many[1].values[1] takes text and is false."]),
        ({"many": "text", "one": ["odd"]}, []),
        ({"names": [["a"]]}, ["names[0] takes text and is a list. Write a text there."]),
        ({"name": {"a": "b"}}, ["name takes text and is a mapping. Write a text there."]),
    ],
)
def test_an_option_that_takes_text_takes_nothing_else(options, said):
    assert [problem.partition(" Put")[0] for problem in _texts.option_problems(SPEC, options)] == said


SHAPES = {
    "source": {"type": "dict", "options": {"src": {"type": "list", "elements": "path"}}},
    "workloads": {"type": "list", "elements": "dict", "options": {"source": {"type": "dict"}}},
}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"source": {"src": ["a"]}, "workloads": [{"source": {}}]}, []),
        ({"source": "a=b", "workloads": None}, []),
        ({"source": '{"src": ["a"]}'}, []),
        ({"source": {"src": "a,b"}}, []),
        ({"source": "files/shop"}, ["source is text, where a mapping belongs."]),
        ({"source": ["files/shop"]}, ["source is a list, where a mapping belongs."]),
        ({"source": {"src": {"a": "b"}}}, ["source.src is a mapping, where a list belongs."]),
        ({"workloads": "[{}]"}, ["workloads is text, where a list of mappings belongs."]),
        ({"workloads": {"name": "a"}}, ["workloads is a mapping, where a list of mappings belongs."]),
        ({"workloads": [{}, "a"]}, ["workloads[1] is text, where a mapping belongs."]),
        (
            {"workloads": [{"name": "a", "source": 5}, {"source": False}]},
            [
                "workloads[a].source is the number 5, where a mapping belongs.",
                "workloads[1].source is false, where a mapping belongs.",
            ],
        ),
    ],
)
def test_what_has_another_shape_is_told_once_and_by_its_path(options, said):
    assert [problem for _name, problem in _texts.shape_problems(SHAPES, options)] == said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"definitions": [{"data": {"a": "b"}}], "n": 1}, ""),
        (
            {"definitions": [{"data": {"a": "b", False: "c"}}]},
            "definitions[0].data: the key false is no text.",
        ),
        ({"helm": [{"values": {8080: "c"}}]}, "helm[0].values: the key the number 8080 is no text."),
        ({None: 1}, "The task: the key nothing is no text."),
        ({"a": [{"b": datetime(2026, 1, 2)}]}, "a[0].b: 2026-01-02 00:00:00 is a time, no text."),
    ],
)
def test_what_json_would_make_something_else_of_is_found(arguments, said):
    assert _texts.unfit(arguments) == said
