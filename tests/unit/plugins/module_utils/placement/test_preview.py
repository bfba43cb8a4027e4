# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a policy would do, beside what it delivers now."""

from __future__ import annotations

import random

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._resources import Resource
from ansible_collections.kubestellar.core.plugins.module_utils.placement.facts import Delivery, Facts, Target
from ansible_collections.kubestellar.core.plugins.module_utils.placement.preview import preview
from ansible_collections.kubestellar.core.plugins.module_utils.placement.resolution import (
    Candidate,
    Modulation,
    ObjectKey,
    Selected,
)
from hypothesis import given
from hypothesis import strategies as st

VERBS = frozenset({"list", "watch"})
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment", True, VERBS)
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap", True, VERBS)
LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease", True, VERBS)
CRDS = Resource(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", False, VERBS
)
EVERYWHERE = {"clusterSelectors": [{}], "downsync": [{"resources": ["*"]}]}


def candidate(resource, name, namespace="shop", **metadata):
    own = {"namespace": namespace} if resource.namespaced else {}
    return Candidate(resource, {"name": name, "resourceVersion": "7", **own, **metadata})


def delivery(keys, clusters, modulation=None, policy="p"):
    chosen = modulation or Modulation()
    return Delivery(
        "wds1", policy, {key: Selected(key, "7", chosen, "v1") for key in keys}, frozenset(clusters)
    )


WEB = candidate(DEPLOYMENTS, "web", labels={"app": "web"})
NOTE = candidate(CONFIG_MAPS, "note")
EDGE1, EDGE2 = Target("edge1", {"group": "edge"}), Target("edge2", {"group": "edge", "city": "turin"})


def facts(candidates=(WEB, NOTE), targets=(EDGE2, EDGE1), **more):
    return Facts("wds1", candidates, {}, targets, **more)


def test_the_result_has_all_that_is_documented():
    spec = {
        "clusterSelectors": [{"matchLabels": {"city": "turin"}}],
        "downsync": [
            {"resources": ["deployments"], "createOnly": True, "statusCollectors": ["b", "a"]},
            {"objectSelectors": [{"matchLabels": {"app": "web"}}], "wantMultiWECReportedState": True},
        ],
    }
    result = preview(
        spec, facts(kinds={("", "configmaps"): "ConfigMap"}, current=delivery([NOTE.key], ["edge1"]))
    ).result()
    codes = [item["code"] for item in result.pop("warnings")]
    web = {
        "group": "apps",
        "version": "v1",
        "resource": "deployments",
        "kind": "Deployment",
        "namespace": "shop",
        "name": "web",
        "create_only": True,
        "status_collectors": ["a", "b"],
        "want_singleton_reported_state": False,
        "want_multi_wec_reported_state": True,
    }
    note = {
        **web,
        "group": "",
        "resource": "configmaps",
        "kind": "ConfigMap",
        "name": "note",
        "create_only": False,
        "status_collectors": [],
        "want_multi_wec_reported_state": False,
        "last_copy": True,
    }
    assert result == {
        "clusters": ["edge2"],
        "clusters_added": ["edge2"],
        "clusters_removed": ["edge1"],
        "objects": [web],
        "objects_added": [web],
        "objects_removed": [note],
        "objects_changed": [],
    }
    assert codes == ["last-copy", "clusters-replaced", "namespace-missing"]


def test_clusters_and_objects_are_sorted():
    seen = preview(EVERYWHERE, facts([WEB, NOTE, candidate(CONFIG_MAPS, "note", "a")]))
    assert seen.clusters == ["edge1", "edge2"]
    assert list(seen.objects) == [
        ObjectKey("", "configmaps", "a", "note"),
        ObjectKey("", "configmaps", "shop", "note"),
        ObjectKey("apps", "deployments", "shop", "web"),
    ]


def test_an_object_with_other_settings_is_changed_neither_added_nor_removed():
    current = delivery([WEB.key, NOTE.key], ["edge1", "edge2"])
    spec = {
        **EVERYWHERE,
        "downsync": [{"resources": ["*"]}, {"resources": ["deployments"], "createOnly": True}],
    }
    seen = preview(spec, facts(current=current))
    assert (seen.objects_added, seen.objects_removed, seen.objects_changed) == ([], [], [WEB.key])
    assert seen.changes and not preview(EVERYWHERE, facts(current=current)).changes


def test_a_removal_takes_all_away_and_warns_of_nothing_else():
    current = delivery([WEB.key, NOTE.key], ["edge1"])
    elsewhere = delivery([NOTE.key], ["edge2"], policy="other")
    seen = preview(None, facts((), current=current, others=[elsewhere]))
    assert seen.clusters == [] and seen.clusters_removed == ["edge1"]
    assert seen.objects_removed == [NOTE.key, WEB.key]
    assert seen.last_copies == {WEB.key}
    assert [item["code"] for item in seen.warnings] == ["last-copy"]
    entries = {entry["name"]: entry for entry in seen.result()["objects_removed"]}
    assert (entries["web"]["last_copy"], entries["note"]["last_copy"]) == (True, False)
    assert entries["web"]["kind"] == "deployments"  # nothing tells the kind here


def test_a_policy_that_is_not_there_has_nothing_to_remove():
    result = preview(None, facts(())).result()
    assert not any(result.values())


def test_without_an_its_only_objects_are_told():
    seen = preview(
        EVERYWHERE, facts(targets=(), clusters_known=False, current=delivery([WEB.key], ["edge1"]))
    )
    assert (seen.clusters, seen.clusters_added, seen.clusters_removed) == ([], [], [])
    assert seen.objects_added == [NOTE.key]
    assert [item["code"] for item in seen.warnings] == ["clusters-unknown"]


@pytest.mark.parametrize(
    ("groups", "names"),
    [
        (None, {"web", "note", "c"}),
        ([], {"web", "note", "c"}),
        (["apps"], {"web", "c"}),
        ([""], {"note", "c"}),
    ],
)
def test_the_groups_of_the_controller_are_obeyed_and_definitions_always_go(groups, names):
    seen = preview(EVERYWHERE, facts([WEB, NOTE, candidate(CRDS, "c")], api_groups=groups))
    assert {key.name for key in seen.objects} == names


def test_what_kubestellar_never_delivers_is_left_out_even_if_a_file_has_it():
    assert preview(EVERYWHERE, facts([candidate(LEASES, "lock")])).objects == {}


def test_hits_are_counted_for_each_clause():
    spec = {
        **EVERYWHERE,
        "downsync": [{"resources": ["*"]}, {"resources": ["deployments"]}, {"apiGroup": "batch"}],
    }
    assert preview(spec, facts()).placement.hits == [2, 1, 0]


# -- laws -------------------------------------------------------------------------------------------------------------

CLAUSES = st.lists(
    st.fixed_dictionaries(
        {"resources": st.sampled_from([["*"], ["deployments"], ["configmaps"], ["jobs"]])},
        optional={
            "createOnly": st.booleans(),
            "statusCollectors": st.lists(st.sampled_from("abc"), max_size=2),
            "wantSingletonReportedState": st.booleans(),
            "wantMultiWECReportedState": st.booleans(),
            "objectNames": st.sampled_from([["web"], ["note", "web"], ["*"]]),
            "namespaces": st.sampled_from([["shop"], ["other"], ["*"]]),
            "objectSelectors": st.sampled_from([[{}], [{"matchLabels": {"app": "web"}}]]),
        },
    ),
    max_size=4,
)


def resolved(clauses):
    return dict(preview({"clusterSelectors": [{}], "downsync": clauses}, facts()).objects)


@given(CLAUSES, CLAUSES)
def test_two_lists_of_clauses_together_select_and_say_what_each_does(first, second):
    alone, other, both = resolved(first), resolved(second), resolved(first + second)
    assert both.keys() == alone.keys() | other.keys()
    for key, selected in both.items():
        parts = [found[key].modulation for found in (alone, other) if key in found]
        merged = parts[0] if len(parts) == 1 else parts[0] | parts[1]
        assert selected.modulation == merged


@given(CLAUSES, st.randoms(use_true_random=False))
def test_the_order_of_clauses_candidates_and_clusters_does_not_matter(clauses, chance: random.Random):
    mixed = list(clauses)
    chance.shuffle(mixed)
    one = preview({"clusterSelectors": [{}], "downsync": clauses}, facts())
    two = preview({"clusterSelectors": [{}], "downsync": mixed}, facts([NOTE, WEB], [EDGE1, EDGE2]))
    first, second = one.result(), two.result()
    # Only the numbers of clauses may differ.
    assert {**first, "warnings": 0} == {**second, "warnings": 0}


@given(CLAUSES, CLAUSES)
def test_added_removed_and_kept_objects_account_for_all(before, after):
    now = resolved(before)
    current = Delivery("wds1", "p", now, frozenset({"edge1", "edge2"}))
    seen = preview({"clusterSelectors": [{}], "downsync": after}, facts(current=current))
    kept = now.keys() & seen.objects.keys()
    assert set(seen.objects_added) == seen.objects.keys() - kept
    assert set(seen.objects_removed) == now.keys() - kept
    assert set(seen.objects_changed) == {key for key in kept if now[key] != seen.objects[key]}
    assert preview({"clusterSelectors": [{}], "downsync": before}, facts(current=current)).changes is False


@given(
    st.lists(
        st.builds(
            Modulation, st.booleans(), st.frozensets(st.sampled_from("abc")), st.booleans(), st.booleans()
        ),
        min_size=1,
    )
)
def test_joining_modulations_has_no_order_and_says_nothing_twice(parts):
    def joined(items):
        result = Modulation()
        for item in items:
            result |= item
        return result

    assert joined(parts) == joined(reversed(parts)) == joined(parts + parts)
