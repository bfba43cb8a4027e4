# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which labels are parked, what loses its last copy, and what a drain must leave."""

from __future__ import annotations

import json

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._errors import KubestellarError
from ansible_collections.kubestellar.core.plugins.module_utils._limit import Limit
from ansible_collections.kubestellar.core.plugins.module_utils.placement.resolution import ObjectKey
from ansible_collections.kubestellar.core.plugins.module_utils.wecs import parking
from hypothesis import given
from hypothesis import strategies as st


def policy(name="shop", selectors=(), clusters=(), objects=(), wds="wds1"):
    keys = frozenset(ObjectKey("", "configmaps", "shop", name) for name in objects)
    return parking.Policy(wds, name, list(selectors), frozenset(clusters), keys)


def needs(key, operator="In", *values):
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


def managed(labels=None, annotations=None):
    return {
        "metadata": {
            "name": "cluster1",
            "uid": "u",
            "resourceVersion": "7",
            "labels": labels or {},
            "annotations": annotations or {},
        }
    }


LABELS = {"group": "edge", "city": "turin", "vendor": "k3s"}


@pytest.mark.parametrize(
    ("selectors", "taken"),
    [
        ([], set()),
        ([{"matchLabels": {"group": "edge"}}], {"group"}),
        # Another value selects it after a change of this label.
        ([{"matchLabels": {"group": "core"}}], {"group"}),
        ([needs("city", "In", "turin"), {"matchLabels": {"group": "edge"}}], {"group", "city"}),
        ([needs("vendor", "Exists")], {"vendor"}),
        ([needs("vendor", "NotIn", "k3s")], set()),
        ([needs("elsewhere", "Exists")], set()),
    ],
)
def test_labels_by_which_policies_select_are_taken(selectors, taken):
    assert set(parking.selecting_labels(LABELS, [policy(selectors=selectors)])) == taken


_KEYS = st.sampled_from(["a", "b", "c"])
_VALUES = st.sampled_from(["1", "2"])
_SELECTOR = st.builds(
    lambda labels, key, values: {
        "matchLabels": labels,
        "matchExpressions": [{"key": key, "operator": "In", "values": values}],
    },
    st.dictionaries(_KEYS, _VALUES, max_size=2),
    _KEYS,
    st.lists(_VALUES, min_size=1),
)


@given(st.dictionaries(_KEYS, _VALUES), st.lists(_SELECTOR, max_size=3))
def test_without_them_no_policy_that_asks_for_labels_selects_the_cluster(labels, selectors):
    placed = policy(selectors=selectors)
    taken = parking.selecting_labels(labels, [placed])
    assert not placed.selects({key: value for key, value in labels.items() if key not in taken})


def test_parking_and_restoring_are_one_write_each_and_come_out_even():
    patch = parking.parking_patch(managed({**LABELS, "to-go": "edge"}), {"to-go": "edge"}, None)
    assert patch["metadata"]["labels"] == {"to-go": None}
    assert (patch["metadata"]["uid"], patch["metadata"]["resourceVersion"]) == ("u", "7")
    text = patch["metadata"]["annotations"][parking.ANNOTATION]
    drained = managed(LABELS, {parking.ANNOTATION: text})
    assert parking.is_drained(drained) and parking.parked(drained) == {"to-go": "edge"}
    back = parking.restoring_patch(drained, None)
    assert back["metadata"]["labels"] == {"to-go": "edge"}
    assert back["metadata"]["annotations"] == {parking.ANNOTATION: None}


def after(patch, before):
    """An object after a merge patch of its labels and annotations."""
    found = managed()
    for key in ("labels", "annotations"):
        merged = {**before["metadata"][key], **patch["metadata"].get(key, {})}
        found["metadata"][key] = {name: value for name, value in merged.items() if value is not None}
    return found


def details(obj):
    return json.loads(obj["metadata"]["annotations"][parking.DETAILS])


def test_a_label_that_templates_can_name_stays_their_property_until_it_is_back():
    before = managed({"group": "edge", "by/them": "x", "city": "turin"}, {"city": "milan", "theirs": "kept"})
    drained = after(parking.parking_patch(before, before["metadata"]["labels"], None), before)
    assert details(drained)["properties"] == ["group"]
    annotations = {
        key: value for key, value in drained["metadata"]["annotations"].items() if "kubestellar" not in key
    }
    assert annotations == {"city": "milan", "theirs": "kept", "group": "edge"}
    more = {"vendor": "k3s"}
    drained["metadata"]["labels"] = more
    again = after(parking.parking_patch(drained, more, parking.parked(drained)), drained)
    assert details(again)["properties"] == ["group", "vendor"]
    back = after(parking.restoring_patch(again, None), again)
    assert back["metadata"]["annotations"] == before["metadata"]["annotations"]
    assert back["metadata"]["labels"] == {**before["metadata"]["labels"], **more}


def test_labels_of_ours_are_known_when_they_come_back():
    before = managed({"group": "edge", "city": "turin"})
    entry = {"manager": "kubestellar.core", "operation": "Apply", "fieldsV1": {"f:metadata": {}}}
    entry["fieldsV1"]["f:metadata"]["f:labels"] = {"f:group": {}}
    before["metadata"]["managedFields"] = [entry]
    drained = after(parking.parking_patch(before, before["metadata"]["labels"], None), before)
    assert details(drained)["ours"] == ["group"]
    assert parking.parked_of_ours(drained) == {"group": "edge"}
    assert parking.returning(drained, None) == {"group": "edge", "city": "turin"}
    # It has left the inventory meanwhile; the other is somebody else's.
    assert parking.returning(drained, {"shift": "night"}) == {"city": "turin"}
    assert parking.returning(drained, {"group": "core"}) == {"group": "edge", "city": "turin"}
    assert parking.restoring_patch(drained, {"group": "core"})["metadata"]["labels"] == {"city": "turin"}


@pytest.mark.parametrize(
    "text", ["[1, {", "[]", '{"ours": 1, "properties": ["group"]}', '{"properties": {}}']
)
def test_details_that_were_tampered_with_take_nothing_along(text):
    drained = managed({}, {parking.ANNOTATION: "{}", parking.DETAILS: text, "group": "edge"})
    patch = parking.restoring_patch(drained, None)
    assert patch["metadata"]["annotations"] == dict.fromkeys([parking.ANNOTATION, parking.DETAILS])
    assert parking.parked_of_ours(drained) == {}


def test_a_cluster_that_no_policy_selects_is_drained_too_and_once_only():
    patch = parking.parking_patch(managed(LABELS), {}, None)
    assert (
        patch["metadata"]["annotations"] == {parking.ANNOTATION: "{}"} and "labels" not in patch["metadata"]
    )
    assert parking.parking_patch(managed(LABELS), {}, {}) is None


def test_a_label_that_came_back_meanwhile_is_parked_beside_the_others():
    patch = parking.parking_patch(managed(LABELS), {"city": "turin"}, {"group": "edge"})
    assert json.loads(patch["metadata"]["annotations"][parking.ANNOTATION]) == {
        "city": "turin",
        "group": "edge",
    }


def test_what_is_set_by_now_counts_more_than_what_was_parked():
    text = json.dumps({"city": "turin", "group": "edge", "old": "1"})
    back = parking.restoring_patch(managed({"city": "milan"}, {parking.ANNOTATION: text}), {"group": "core"})
    assert back["metadata"]["labels"] == {"old": "1"}


@pytest.mark.parametrize("text", ["", "[]", '{"a": 1}', "{{ x }}"])
def test_an_annotation_that_was_tampered_with_is_named(text):
    with pytest.raises(KubestellarError, match="cluster1: the annotation kubestellar.core/parked-labels"):
        parking.parked(managed({}, {parking.ANNOTATION: text}))


def test_last_copies_are_those_that_no_other_policy_delivers_elsewhere():
    alone = policy("alone", clusters={"a"}, objects={"x", "y"})
    both = policy("both", clusters={"a", "b"}, objects={"y", "z"})
    elsewhere = policy("alone", clusters={"b"}, objects={"x"}, wds="wds2")
    lost = parking.last_copies([alone, both, elsewhere], {"a"})
    assert lost == {"wds1: BindingPolicy alone": ["configmaps shop/x"]}
    assert set(parking.last_copies([alone, both], {"a", "b"})) == {alone.label, both.label}
    assert parking.last_copies([alone, both], {"c"}) == {}


def test_a_binding_whose_policy_is_gone_still_delivers():
    binding = {
        "metadata": {"name": "ghost"},
        "spec": {
            "destinations": [{"clusterId": "a"}],
            "workload": {"clusterScope": [{"group": "", "resource": "namespaces", "name": "n"}]},
        },
    }
    (found,) = parking.policies_of("wds1", [], [binding])
    assert found.clusters == {"a"} and found.objects == {ObjectKey("", "namespaces", "", "n")}
    assert not found.selects({"group": "edge"})


FLEET = parking.Fleet(frozenset("abc"), frozenset("d"), frozenset("abcde"))


@pytest.mark.parametrize(
    ("leaving", "keep", "most", "words"),
    [
        ("a", [parking.Keep("edge", 2)], None, []),
        (
            "ab",
            [parking.Keep("edge", 2)],
            None,
            ["of edge only 1 cluster would stay available (c), and 2 must"],
        ),
        ("a", [parking.Keep("edge", 1, frozenset("ab"))], None, []),
        ("ab", [parking.Keep("edge", 1, frozenset("ab"))], None, ["of edge only 0 clusters"]),
        # Another group than that of the clusters that go is not this drain's business.
        ("a", [parking.Keep("edge", 5, frozenset("bc"))], None, []),
        # One that is drained, or down, serves nobody.
        ("d", [parking.Keep("edge", 3)], None, []),
        ("e", [parking.Keep("edge", 3)], None, []),
        ("a", [], Limit(2, False), []),
        ("ab", [], Limit(2, False), ["3 clusters of 5 would be drained (a, b, d), more than 2"]),
        ("a", [], Limit(40, True), []),
        ("a", [], Limit(39, True), ["more than 39%"]),
        ("d", [], Limit(0, False), []),
    ],
)
def test_what_a_drain_must_leave(leaving, keep, most, words):
    found = parking.broken_guards(FLEET, set(leaving), keep, most)
    assert len(found) == len(words) and all(word in text for word, text in zip(words, found, strict=True))
