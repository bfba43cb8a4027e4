# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What modules for one object of the WDS have in common: manifests, metadata, results. The rest is in tests/integration."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _metadata, _one_object
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput
from ansible_collections.kubestellar.core.plugins.module_utils._one_object import Outcome
from ansible_collections.kubestellar.core.plugins.module_utils._resources import BINDING_POLICIES

HEAD = {"apiVersion": "control.kubestellar.io/v1alpha1", "kind": "BindingPolicy"}


def params(**given):
    return {**dict.fromkeys(_metadata.IDENTITY_SPEC), **given}


def problems(**metadata):
    return list(_metadata.metadata_problems({"name": "a", **metadata}))


def test_options_make_a_manifest():
    assert _metadata.manifest(params(name="a"), BINDING_POLICIES, {"x": 1}) == {
        **HEAD,
        "metadata": {"name": "a"},
        "spec": {"x": 1},
    }


def test_options_add_to_the_metadata_of_a_definition():
    definition = {**HEAD, "metadata": {"name": "a", "labels": {"k": "theirs", "l": "1"}}, "status": {"x": 1}}
    given = params(definition=definition, labels={"k": "ours"}, annotations={"n": "1"})
    assert _metadata.manifest(given, BINDING_POLICIES, {}) == {
        **HEAD,
        "metadata": {"name": "a", "labels": {"k": "ours", "l": "1"}, "annotations": {"n": "1"}},
        "spec": {},
    }
    assert definition["metadata"] == {"name": "a", "labels": {"k": "theirs", "l": "1"}}


@pytest.mark.parametrize("metadata", [None, "x", {}])
def test_the_option_names_a_definition_that_has_no_name(metadata):
    definition = {**HEAD, "metadata": metadata}
    made = _metadata.manifest(params(name="a", definition=definition), BINDING_POLICIES, {})
    assert made["metadata"] == {"name": "a"}
    assert _metadata.given_name(params(name="a", definition=definition), BINDING_POLICIES) == "a"


def test_an_object_without_a_name_cannot_be_deleted():
    with pytest.raises(InvalidInput, match=r"The BindingPolicy has no name\."):
        _metadata.given_name(params(definition={"metadata": "x"}), BINDING_POLICIES)


@pytest.mark.parametrize("name", ["a", "a.b-c.0", "x" * 253, "0"])
def test_legal_names(name):
    assert problems(name=name) == []


@pytest.mark.parametrize("name", ["A", "a_b", "-a", "a-", "a..b", "a b", "ä", "a\n", ".a"])
def test_illegal_names(name):
    assert len(problems(name=name)) == 1 and "is not allowed" in problems(name=name)[0]


def test_the_longest_name_can_be_set():
    assert problems(name="x" * 254) == ["the name has 254 characters, of at most 253."]
    assert list(_metadata.metadata_problems({"name": "x" * 64}, 63)) == [
        "the name has 64 characters, of at most 63."
    ]
    assert problems(name=None) == problems(name="") == problems(name=1) == ["a name is needed."]


@pytest.mark.parametrize(
    ("labels", "count"),
    [
        ({"a": "", "a.b/c_d": "X.y-0", "b": "x" * 63}, 0),
        ({"a": "x" * 64}, 1),
        ({"a": "-"}, 1),
        ({"a": "b\n"}, 1),
        ({"a": 1}, 1),
        ({"a": None}, 1),
        ({1: "a"}, 1),
        ({"": "a"}, 1),
        ({"/a": "b"}, 1),
        ({"A/b": "c"}, 1),
        ({"a/b/c": "d"}, 1),
        ({"x" * 64: "a"}, 1),
        ({"a b": "c d"}, 2),
    ],
)  # fmt: skip
def test_labels(labels, count):
    assert len(problems(labels=labels)) == count


def test_annotations_are_free_in_their_values():
    assert problems(annotations={"a": "any text\n" * 1000, "b/c": ""}) == []
    assert len(problems(annotations={"a": True, "-": "x"})) == 2
    assert problems(labels=["a"], annotations="a") == [
        "labels is a list, not a mapping.",
        "annotations is a string, not a mapping.",
    ]


def test_all_problems_are_told_and_the_first_one_is_the_message():
    obj = {**HEAD, "metadata": {"name": "a"}}
    _metadata.refuse(BINDING_POLICIES, obj, [])
    with pytest.raises(InvalidInput) as caught:
        _metadata.refuse(BINDING_POLICIES, obj, iter(["one.", "two.", "three."]))
    assert caught.value.message == "BindingPolicy a: one. (2 more below problems)"
    assert caught.value.details["problems"] == ["one.", "two.", "three."]


def test_a_result_has_no_managed_fields_and_a_diff_only_in_diff_mode():
    before = {**HEAD, "metadata": {"name": "a", "managedFields": [1]}, "spec": {"x": 1}}
    after = {**before, "spec": {"x": 2}}
    context = SimpleNamespace(diff_mode=True, params={"wds": "wds1", "wds_context": None})
    found = _one_object.result(context, BINDING_POLICIES, Outcome("update", before, after))
    assert found["object"] == {**HEAD, "metadata": {"name": "a"}, "spec": {"x": 2}}
    assert found["diff"][0]["before_header"] == "wds1: BindingPolicy a"
    assert (found["changed"], found["method"]) == (True, "update")
    context.diff_mode = False
    assert _one_object.result(context, BINDING_POLICIES, Outcome("none", before, None)) == {
        "changed": False,
        "method": "none",
        "object": {},
    }
