# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guards let a change pass or refuse it, with numbers and names."""

from __future__ import annotations

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, Refused
from ansible_collections.kubestellar.core.plugins.module_utils._resources import Resource
from ansible_collections.kubestellar.core.plugins.module_utils.placement import guards, templates
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
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap", True, VERBS)
NAMESPACES = Resource("", "v1", "namespaces", "Namespace", False, VERBS)
ROLES = Resource("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", False, VERBS)


def note(number):
    return Candidate(CONFIG_MAPS, {"name": f"n{number}", "namespace": "default", "resourceVersion": "1"})


def facts(objects=3, clusters=10, now=None, now_objects=0, extra=(), **more):
    """A WDS with some ConfigMaps, some clusters, and what the policy delivers now."""
    keys = [ObjectKey("", "configmaps", "default", f"n{number}") for number in range(now_objects)]
    current = Delivery("wds1", "p", {k: Selected(k, "1", Modulation()) for k in keys}, frozenset(now or ()))
    return Facts(
        "wds1",
        [*(note(number) for number in range(objects)), *extra],
        {},
        [Target(f"edge{number}", {"n": str(number)}) for number in range(clusters)],
        current=current,
        **more,
    )


def spec(*numbers):
    values = [str(number) for number in numbers]
    selector = {"matchExpressions": [{"key": "n", "operator": "In", "values": values}]}
    return {"clusterSelectors": [selector] if values else [], "downsync": [{"resources": ["*"]}]}


def check(options, seen):
    guards.check(seen, guards.parse(options), "wds1: BindingPolicy p")


def refusals(options, seen):
    with pytest.raises(Refused) as caught:
        check(options, seen)
    assert caught.value.message.startswith("wds1: BindingPolicy p is refused and nothing was changed: ")
    assert caught.value.details["preview"] == seen.result()
    return {item["code"]: item["message"] for item in caught.value.details["refused"]}


MOVED = preview(spec(1, 2, 3), facts(now=["edge2", "edge8", "edge9"], now_objects=5))


@pytest.mark.parametrize(
    ("options", "passes"),
    [
        ({}, True),
        (None, True),
        ({"min_clusters": "3"}, True),
        ({"min_clusters": "4"}, False),
        ({"min_clusters": "30%"}, True),
        ({"min_clusters": "31%"}, False),
        ({"max_clusters": 3}, True),
        ({"max_clusters": 2}, False),
        ({"max_clusters": "30%"}, True),
        ({"max_clusters": "29%"}, False),
        ({"max_objects": "3"}, True),
        ({"max_objects": "2"}, False),
        ({"max_objects": "60%"}, True),
        ({"max_objects": "59%"}, False),
        ({"max_removed_clusters": "2"}, True),
        ({"max_removed_clusters": "1"}, False),
        ({"max_removed_clusters": "67%"}, True),
        ({"max_removed_clusters": "66%"}, False),
        ({"max_removed_objects": "2"}, True),
        ({"max_removed_objects": "1"}, False),
        ({"max_removed_objects": "40%"}, True),
        ({"max_removed_objects": "39%"}, False),
        ({"max_removed_objects": "0"}, False),
        ({"max_removed_objects": ""}, True),
        ({"max_removed_objects": None}, True),
    ],
)
def test_a_limit_holds_exactly(options, passes):
    if passes:
        check(options, MOVED)
    else:
        (name,) = options
        assert list(refusals(options, MOVED)) == [f"guard-{name.replace('_', '-')}"]


def test_all_that_is_exceeded_is_told_with_numbers_and_names():
    options = {
        "min_clusters": 5,
        "max_clusters": 2,
        "max_objects": "2",
        "max_removed_clusters": "20%",
        "max_removed_objects": 0,
    }
    assert refusals(options, MOVED) == {
        "guard-min-clusters": "3 clusters would be selected, fewer than min_clusters (5): edge1, edge2, edge3.",
        "guard-max-clusters": "3 clusters would be selected, more than max_clusters (2): edge1, edge2, edge3.",
        "guard-max-objects": "3 objects would be selected, more than max_objects (2): ConfigMap default/n0, "
        "ConfigMap default/n1, ConfigMap default/n2.",
        "guard-max-removed-clusters": "The workload would leave 2 clusters of 3, more than max_removed_clusters (20%): "
        "edge8, edge9.",
        "guard-max-removed-objects": "2 objects of 5 would be withdrawn, more than max_removed_objects (0): "
        "ConfigMap default/n3, ConfigMap default/n4.",
    }
    with pytest.raises(Refused, match=r"\(4 more below refused\)"):
        check(options, MOVED)


def test_a_removal_obeys_what_is_about_removing():
    seen = preview(None, facts(0, now=["edge1"], now_objects=2))
    check({"min_clusters": 5, "max_removed_clusters": 1, "max_removed_objects": "100%"}, seen)
    assert list(refusals({"max_removed_clusters": 0, "max_removed_objects": "50%"}, seen)) == [
        "guard-max-removed-clusters",
        "guard-max-removed-objects",
    ]


def test_an_emptied_selection_is_caught_by_what_leaves():
    seen = preview(spec(), facts(now=["edge1", "edge2"], now_objects=3))
    assert list(refusals({"max_removed_clusters": "99%"}, seen)) == ["guard-max-removed-clusters"]


def test_percentages_of_a_policy_that_delivers_nothing_yet_do_not_stop_it():
    seen = preview(spec(1), facts())
    check({"max_objects": "1%", "max_removed_clusters": "0%", "max_removed_objects": "0%"}, seen)


@pytest.mark.parametrize("value", ["", "3", "20%", 0, "150%"])
def test_what_a_limit_can_be(value):
    guards.parse({"max_objects": value})


@pytest.mark.parametrize("value", ["-1", "3.5", "20 %", "a", "%", "3 clusters", "1e3", "²"])
def test_what_a_limit_cannot_be(value):
    with pytest.raises(InvalidInput, match="guards.max_objects"):
        guards.parse({"max_objects": value})


ROLE = Candidate(ROLES, {"name": "reader"})
SYSTEM = Candidate(NAMESPACES, {"name": "kube-system"})
OWN = Candidate(NAMESPACES, {"name": "shop"})
INSIDE = Candidate(CONFIG_MAPS, {"name": "x", "namespace": "shop"})


@pytest.mark.parametrize(
    ("choice", "extra", "refused", "warned"),
    [
        ("allow", [ROLE], False, []),
        ("warn", [ROLE], False, ["cluster-scoped"]),
        (None, [ROLE], False, ["cluster-scoped"]),
        ("refuse", [ROLE], True, ["cluster-scoped"]),
        ("allow", [SYSTEM], False, ["system-object"]),
        ("refuse", [SYSTEM], True, ["system-object"]),
        ("refuse", [OWN, INSIDE], False, []),
        ("refuse", [OWN], True, ["cluster-scoped"]),
    ],
)
def test_cluster_scoped_objects_are_allowed_warned_of_or_refused(choice, extra, refused, warned):
    seen = preview(spec(1), facts(extra=extra))
    given = {"cluster_scoped": choice}
    assert [item["code"] for item in guards.shown(seen, guards.parse(given))] == warned
    if refused:
        assert list(refusals(given, seen)) == ["guard-cluster-scoped"]
    else:
        check(given, seen)


@pytest.mark.parametrize(
    ("text", "code"), [("{{.store}}", "template-property-missing"), ("{{.a-b}}", "template-invalid")]
)
def test_a_template_that_would_take_everything_away_is_refused_unless_allowed(text, code):
    key = note(0).key
    content = {"metadata": {"annotations": {templates.ANNOTATION: "true"}}, "data": {"x": text}}
    seen = preview(spec(1, 2), facts(contents={key: content}))
    assert list(refusals({}, seen)) == [code]
    assert list(refusals({"missing_properties": "refuse"}, seen)) == [code]
    check({"missing_properties": "allow"}, seen)
    check({}, preview(spec(), facts(contents={key: content})))


@given(st.integers(0, 30), st.integers(0, 200), st.integers(0, 30))
def test_a_percentage_is_compared_without_rounding(value, percent, whole):
    limit = guards.Limit(percent, True)
    assert limit.below(value, whole) is (value * 100 > percent * whole)
    assert limit.above(value, whole) is (value * 100 < percent * whole)
    assert not (limit.below(value, whole) and limit.above(value, whole))
