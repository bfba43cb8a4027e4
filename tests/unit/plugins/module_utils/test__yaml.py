# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _yaml
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput
from hypothesis import given
from hypothesis import strategies as st


def test_what_looks_like_a_date_is_a_string_as_in_kubernetes():
    (obj,) = _yaml.load_yaml("a: 2026-01-01\nb: 2026-01-01T00:00:00Z\nc: 1\nd: yes", "x")
    assert obj == {"a": "2026-01-01", "b": "2026-01-01T00:00:00Z", "c": 1, "d": True}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("=", "="),
        ("22:22", "22:22"),
        ("1:30.5", "1:30.5"),
        ("1e3", 1000.0),
        ("1.5E-1", 0.15),
        (".5", 0.5),
        ("-7", -7),
        ("0x1f", 31),
        ("0644", 420),
        ("08", "08"),
        ("1.2.3", "1.2.3"),
        ("+", "+"),
        (".", "."),
        ("1e", "1e"),
        ("2026-01-01", "2026-01-01"),
        ("on", True),
    ],
)
def test_scalars_are_what_kubernetes_takes_them_for(text, value):
    (obj,) = _yaml.load_yaml(f"a: [{text}]", "x")
    assert obj == {"a": [value]} and type(obj["a"][0]) is type(value)
    # What is written comes back as it was, the text as text too.
    assert _yaml.load_yaml(_yaml.dump_yaml({"a": [value, text]}), "x") == [{"a": [value, text]}]


@pytest.mark.parametrize(
    "text", ['{"a": "=", "b": [1e3, null, "x\\u00e9"]}', '{a: =, b: [1e3, ~, "x\\u00e9"]}']
)
def test_json_is_read_as_yaml_is(text):
    for form in (text, text.encode()):
        assert _yaml.load_yaml(form, "x") == [{"a": "=", "b": [1000.0, None, "xé"]}]


def test_of_a_key_that_is_there_twice_the_last_one_counts_as_with_helm():
    """KubeStellar's own chart has one (core-chart/templates)."""
    for text in ("a: 1\na: 2", '{"a": 1, "a": 2}'):
        assert _yaml.load_yaml(text, "x") == [{"a": 2}]


def test_a_mapping_may_be_merged_with_others_and_have_their_keys():
    (obj,) = _yaml.load_yaml("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}", "x")
    assert obj["b"] == {"x": 1, "y": 3}


def test_documents_and_lists_are_flattened_and_empty_ones_left_out():
    text = "kind: A\n---\n---\nkind: ThingList\nitems: [{kind: B}, {kind: C}]"
    assert [obj["kind"] for obj in _yaml.load_yaml(text, "x")] == ["A", "B", "C"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", "x is not valid YAML"),
        ("- 1", "x holds a list"),
    ],
)
def test_what_is_no_manifest_is_refused_with_its_source(text, words):
    with pytest.raises(InvalidInput, match=words):
        _yaml.load_yaml(text, "x")


# -- keys that are there twice -------------------------------------------------------------------------------------------

TWO = """apiVersion: v1
kind: ConfigMap
metadata: {name: a}
apiVersion: v1
kind: ConfigMap
metadata: {name: b}
"""


def refusal(text: str, **more: str) -> str:
    """The sentence and the hint that a text is refused with."""
    with pytest.raises(InvalidInput) as caught:
        _yaml.yaml_documents(text, "x", **more)
    return f"{caught.value.message} {caught.value.hint}"


@pytest.mark.parametrize("before", ["", "---\n", "# shop\n---\nkind: A\n---\n"])
def test_two_objects_without_a_line_between_them_are_refused_with_the_lines(before):
    first = before.count("\n") + 3
    assert refusal(before + TWO) == (
        f"x: ConfigMap a: metadata is there twice, in lines {first} and {first + 3}, so these may be two objects. "
        "Put a line --- between them, or remove one."
    )


@pytest.mark.parametrize("twice", ["inner", "refuse"])
@pytest.mark.parametrize("text", [TWO, '{"kind": "A", "metadata": {"name": "a"}, "metadata": {"name": "b"}}'])
def test_two_objects_in_one_are_refused_even_where_inner_keys_may_be_there_twice(text, twice):
    assert "metadata is there twice" in refusal(text, twice=twice)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("data: {a: 1, a: 2}", "data.a"),
        ("spec:\n  list:\n  - b: 1\n  - {c: {d: 1, d: null}}", "spec.list[1].c.d"),
        ('{"data": {"a": "1",\n "a": "2"}}', "data.a"),
        ("a: {x: {y: 1}, x: {y: 1}}", "a.x"),
        ('a: {"x": 1, x: 2}', "a.x"),
        ('a: {x: "1", x: 1}', "a.x"),
        ("a: &a {x: 1}\nb: {<<: *a, y: 1, y: 2}", "b.y"),
    ],
)
def test_a_key_that_is_there_twice_is_refused_at_any_depth(text, path):
    assert f"{path} is there twice, in lines" in refusal(text)
    assert "Keep one of them." in refusal(f"--- {{}}\n---\n{text}")


@pytest.mark.parametrize(
    "text", ["a: {x: 1, x: 1}", '{"a": {"x": 1, "x": 1}}', "a: {x: 1}\na: &a {x: 1}"][:2]
)
def test_what_says_the_same_twice_loses_nothing(text):
    assert _yaml.yaml_documents(text, "x") == [(1, {"a": {"x": 1}})]


def test_a_key_may_be_merged_and_written():
    ((_number, document),) = _yaml.yaml_documents("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}", "x")
    assert document["b"] == {"x": 1, "y": 3}


# -- what kubectl takes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0o644", 420),
        ("-0o17", -15),
        ("0O17", 15),
        ("0X1F", 31),
        ("0b101", 5),
        ("1_000", 1000),
        ("0b_", "0b_"),
        ("0x", "0x"),
        ("0o8", "0o8"),
        ("9" * 5000, "9" * 5000),
        ("!!binary aGVsbG8=", "hello"),
    ],
)
def test_numbers_and_binary_are_what_kubectl_takes_them_for(text, value):
    ((_number, document),) = _yaml.yaml_documents(f"a: {text}", "x")
    assert document == {"a": value} and type(document["a"]) is type(value)


def test_binary_that_is_no_text_is_refused_with_its_line():
    assert "!!binary that is no text, which JSON cannot say (line 2)" in refusal("\na: !!binary /w==")


@pytest.mark.parametrize(
    "text",
    [
        '{"kind": "A"}{"kind": "B"}\n{"kind": "C"}',
        '{"kind": "A"}\n{"kind": "B"}\n---\nkind: C\n',
        'kind: A\n---\n{"kind": "B"} {"kind": "C"}',
        '---\n{"kind": "A"}\n---\n\ufeff{"kind": "B"}\n---\nkind: C',
        "\ufeffkind: A\n---\n\ufeffkind: B\n\ufeff---\nkind: C",
        "kind: A\n...\n---\nkind: B\n---\nkind: C",
        "%YAML 1.1\n---\nkind: A\n---\n{kind: B}\n--- {kind: C}",
    ],
)
@pytest.mark.parametrize("encoding", ["", "utf-8", "utf-8-sig", "utf-16"])
def test_joined_documents_are_read_one_by_one(text, encoding):
    form = text.encode(encoding) if encoding else text
    assert [doc["kind"] for _number, doc in _yaml.yaml_documents(form, "x")] == ["A", "B", "C"]


def test_a_mark_inside_of_a_text_stays():
    assert _yaml.yaml_documents('a: "b\ufeffc"', "x") == [(1, {"a": "b\ufeffc"})]


@pytest.mark.parametrize("odd", [b"a: \xe9", "a: '\ud83d'"])
def test_what_is_not_unicode_is_refused(odd):
    with pytest.raises(InvalidInput, match="x is not UTF-8 text"):
        _yaml.yaml_documents(odd, "x")


@pytest.mark.parametrize("key", ["no", "1.10", "~", "0644", "1_0", "0x10", "+1"])
def test_a_key_that_would_become_another_is_refused(key):
    assert "is no text. Put it in quotes." in refusal(f"data:\n  a: b\n  {key}: c")
    assert _yaml.yaml_documents(f'data: {{"{key}": c}}', "x") == [(1, {"data": {key: "c"}})]


def test_a_key_that_is_a_number_as_it_is_written_is_a_text():
    assert _yaml.yaml_documents("data: {8080: a, 0: b}", "x") == [(1, {"data": {"8080": "a", "0": "b"}})]


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=8) | st.sampled_from(
    [
        "no",
        "1e3",
        "0o7",
        "0644",
        "~",
        "<<",
        "=",
        "---",
        "{",
        "22:22",
        "2026-01-01",
        "\ufeffa",
        "- a",
        "a: b",
        " ",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(TEXTS, VALUES, max_size=3), min_size=1, max_size=3))
def test_what_is_written_as_yaml_or_json_is_read_as_it_was(objects):
    for text in (
        "---\n".join(map(_yaml.dump_yaml, objects)),
        "\n".join(map(json.dumps, objects)),
        "\n---\n".join(json.dumps(obj, ensure_ascii=False, indent=1) for obj in objects),
    ):
        for twice in ("refuse", "last"):
            assert [obj for _number, obj in _yaml.yaml_documents(text, "x", twice=twice)] == objects
