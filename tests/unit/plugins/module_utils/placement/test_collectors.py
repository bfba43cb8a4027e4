# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options to StatusCollectors, and one sentence per mistake."""

from __future__ import annotations

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput
from ansible_collections.kubestellar.core.plugins.module_utils.placement import collectors

NAME = {"name": "cluster", "def": "inventory.name"}


def params(**given):
    return {**dict.fromkeys(collectors.COLLECTOR_SPEC), "name": "c", **given}


def problems(**given):
    with pytest.raises(InvalidInput) as caught:
        collectors.manifest(params(**given))
    assert caught.value.message.startswith("StatusCollector ")
    return caught.value.details["problems"]


def whole(spec, **metadata):
    return {
        "apiVersion": "control.kubestellar.io/v1alpha1",
        "kind": "StatusCollector",
        "metadata": {"name": "c", **metadata},
        "spec": spec,
    }


def test_every_option_arrives_in_the_manifest():
    result = collectors.manifest(
        params(
            filter="has(returned.status.ready)",
            group_by=[NAME],
            combined_fields=[
                {"name": "n", "type": "COUNT", "subject": None},
                {"name": "sum", "type": "SUM", "subject": "returned.status.ready"},
            ],
            limit=7,
            labels={"team": "retail"},
            annotations={"note": "any: text"},
        )
    )
    assert result == whole(
        {
            "filter": "has(returned.status.ready)",
            "groupBy": [NAME],
            "combinedFields": [
                {"name": "n", "type": "COUNT"},
                {"name": "sum", "type": "SUM", "subject": "returned.status.ready"},
            ],
            "limit": 7,
        },
        labels={"team": "retail"},
        annotations={"note": "any: text"},
    )


def test_a_select_and_a_limit_of_nothing_are_enough():
    assert collectors.manifest(params(select=[NAME], limit=0)) == whole({"select": [NAME], "limit": 0})


def test_a_definition_is_taken_as_it_is():
    given = whole({"select": [NAME], "limit": 1, "filter": None}, labels={"a": "b"})
    result = collectors.manifest(params(definition={**given, "status": {"errors": []}}, labels={"c": "d"}))
    assert result == {**given, "metadata": {"name": "c", "labels": {"a": "b", "c": "d"}}}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"select": [NAME]}, "limit is needed"),
        ({"select": [NAME], "limit": -1}, "limit is -1; the least is 0"),
        ({"select": [NAME], "limit": 2**63}, "limit is 9223372036854775808"),
        ({"limit": 1}, "it collects nothing"),
        ({"select": [], "limit": 1}, "it collects nothing"),
        ({"select": [NAME], "group_by": [{**NAME, "name": "b"}], "limit": 1}, "select excludes groupBy"),
        (
            {"select": [NAME], "combined_fields": [{"name": "n", "type": "COUNT"}], "limit": 1},
            "select excludes groupBy and combinedFields",
        ),
        ({"group_by": [NAME], "limit": 1}, "groupBy needs combinedFields"),
        ({"select": [NAME, NAME], "limit": 1}, "select[1].name: 'cluster' is the name of another column"),
        (
            {"group_by": [NAME], "combined_fields": [{"name": "cluster", "type": "COUNT"}], "limit": 1},
            "combinedFields[0].name: 'cluster' is the name of another column",
        ),
        ({"select": [{**NAME, "name": ""}], "limit": 1}, "select[0].name is empty"),
        ({"select": [{**NAME, "name": "a\nb"}], "limit": 1}, "control character"),
        ({"select": [{**NAME, "def": ""}], "limit": 1}, "select[0].def: it is empty"),
        (
            {"select": [{**NAME, "def": "foo.x"}], "limit": 1},
            "select[0].def: character 1 begins the unknown name foo",
        ),
        (
            {"select": [NAME], "filter": "True", "limit": 1},
            "filter: character 1 begins the unknown name True; write true",
        ),
        (
            {"combined_fields": [{"name": "n", "type": "COUNT", "subject": "1"}], "limit": 1},
            "combinedFields[0] has a subject, but COUNT",
        ),
        (
            {"combined_fields": [{"name": "n", "type": "AVG"}], "limit": 1},
            "combinedFields[0] needs a subject",
        ),
        (
            {"combined_fields": [{"name": "n", "type": "MAX", "subject": "("}], "limit": 1},
            "combinedFields[0].subject: it ends",
        ),
        ({"select": [NAME], "limit": 1, "name": "C"}, "the name 'C' is not allowed"),
        ({"select": [NAME], "limit": 1, "name": "c" * 254}, "254 characters, of at most 253"),
        (
            {"select": [NAME], "limit": 1, "labels": {"a": "b c"}},
            "labels: the value of a, 'b c', is not a legal",
        ),
        (
            {"select": [NAME], "limit": 1, "annotations": {"a b": "c"}},
            "annotations: 'a b' is not a legal key",
        ),
        ({"select": [NAME], "limit": 1, "annotations": {"a": 1}}, "annotations: the value of a is a number"),
    ],
)
def test_a_mistake_in_options_is_told(given, words):
    found = problems(**given)
    assert any(words in text for text in found), found


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ([], "spec is a list, not a mapping"),
        ({"limit": "20", "select": [NAME]}, "limit is a string"),
        ({"limit": True, "select": [NAME]}, "limit is a boolean"),
        ({"limit": 1, "select": NAME}, "select is a mapping, not a list"),
        ({"limit": 1, "select": ["a"]}, "select[0] is a string"),
        ({"limit": 1, "select": [{"name": "a"}]}, "select[0] needs def"),
        ({"limit": 1, "select": [{"name": 1, "def": "1"}]}, "select[0].name is a number"),
        (
            {"limit": 1, "select": [{"name": "a", "def": True}]},
            "select[0].def is a boolean, not an expression in quotes",
        ),
        ({"limit": 1, "select": [{**NAME, "type": "SUM"}]}, "select[0] has no field 'type'"),
        (
            {"limit": 1, "combinedFields": [{"name": "n", "type": "MEDIAN"}]},
            "'MEDIAN', not one of COUNT, SUM",
        ),
        ({"limit": 1, "select": [NAME], "group_by": []}, "spec has no field 'group_by'"),
        ({"limit": 1, "select": [NAME], "filter": True}, "filter is a boolean"),
    ],
)
def test_a_mistake_in_a_definition_is_told(spec, words):
    found = problems(definition=whole(spec))
    assert any(words in text for text in found), found


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        (
            {"kind": "Binding", "apiVersion": "v1"},
            "a Binding of v1, not a StatusCollector of control.kubestellar.io",
        ),
        ({**whole({}), "metadata": {"name": "d"}}, "is named d, but the option name says c"),
    ],
)
def test_another_object_is_refused(definition, words):
    with pytest.raises(InvalidInput) as caught:
        collectors.manifest(params(definition=definition))
    assert words in caught.value.message


def test_doubts_name_the_column_and_know_the_filter():
    spec = {
        "combinedFields": [{"name": "n", "type": "SUM", "subject": "returned.status.ready"}],
        "groupBy": [{"name": "g", "def": "returned.status.phase"}],
        "limit": 1,
    }
    assert [text.split(":")[0] for text in collectors.doubts(whole(spec))] == [
        "groupBy g",
        "combinedFields n",
    ]
    guarded = {**spec, "filter": "has(returned.status.ready) && returned.status.other > 1"}
    assert [text.split(":")[0] for text in collectors.doubts(whole(guarded))] == ["filter", "groupBy g"]
