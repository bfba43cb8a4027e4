# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a policy may withdraw with what others have, and which guards stay with it."""

from __future__ import annotations

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, Refused
from ansible_collections.kubestellar.core.plugins.module_utils._resources import CRDS, NAMESPACES, Resource
from ansible_collections.kubestellar.core.plugins.module_utils.placement import guards, inside, intentions
from ansible_collections.kubestellar.core.plugins.module_utils.placement.facts import Delivery, Facts, Target
from ansible_collections.kubestellar.core.plugins.module_utils.placement.preview import preview
from ansible_collections.kubestellar.core.plugins.module_utils.placement.resolution import (
    Candidate,
    Modulation,
    ObjectKey,
    Selected,
)

VERBS = frozenset({"list", "watch"})
HARBOR = ObjectKey("", NAMESPACES.plural, "", "harbor")
TIDES, LEDGER = (ObjectKey("", "configmaps", "harbor", name) for name in ("tides", "ledger"))
DEFINITION = ObjectKey(CRDS.group, CRDS.plural, "", "buoys.sea.example.com")
BUOY = ObjectKey("sea.example.com", "buoys", "elsewhere", "b1")
EVERYWHERE = {"clusterSelectors": [{}], "downsync": [{"resources": ["*"]}]}
LISBON = {**EVERYWHERE, "clusterSelectors": [{"matchLabels": {"city": "lisbon"}}]}
TARGETS = [Target("c1", {"city": "lisbon"}), Target("c2", {"city": "turin"})]


def delivery(keys, clusters, policy="p"):
    return Delivery(
        "wds1", policy, {key: Selected(key, "1", Modulation()) for key in keys}, frozenset(clusters)
    )


def candidate(key):
    resource = Resource(key.group, "v1", key.resource, key.resource, bool(key.namespace), VERBS)
    own = {"namespace": key.namespace} if key.namespace else {}
    return Candidate(resource, {"name": key.name, "resourceVersion": "1", **own})


def refusals(spec, *others, keep=(), found=None, options=None):
    """Codes and messages for a policy that delivers Namespace, definition and one object to both clusters now."""
    facts = Facts(
        "wds1",
        [candidate(key) for key in keep],
        {},
        TARGETS,
        current=delivery([HARBOR, DEFINITION, TIDES], ["c1", "c2"]),
        others=others,
        custom={("sea.example.com", "buoys"): DEFINITION.name},
    )
    try:
        guards.check(preview(spec, facts), guards.parse(options), "p", found=found)
    except Refused as error:
        return {item["message"] for item in error.details["refused"]}
    return set()


ALL = [HARBOR, DEFINITION, TIDES]


@pytest.mark.parametrize(
    ("spec", "keep", "others", "where"),
    [
        (None, [], [], None),
        (EVERYWHERE, ALL, [delivery([LEDGER], ["c1"], "q")], None),
        (None, [], [delivery([LEDGER], ["c1"], "q")], "c1"),
        (None, [], [delivery([LEDGER], ["c3"], "q")], None),
        (None, [], [delivery([LEDGER, HARBOR], ["c1"], "q")], None),
        (None, [], [delivery([LEDGER], ["c1"], "q"), delivery([HARBOR], ["c1"], "r")], None),
        (None, [], [delivery([LEDGER], ["c1", "c2"], "q"), delivery([HARBOR], ["c1"], "r")], "c2"),
        (EVERYWHERE, [DEFINITION, TIDES], [delivery([LEDGER], ["c2"], "q")], "c2"),
        (LISBON, ALL, [delivery([LEDGER], ["c1"], "q")], None),
        (LISBON, ALL, [delivery([LEDGER], ["c2"], "q")], "c2"),
    ],
)
def test_a_namespace_does_not_take_along_what_another_policy_delivers(spec, keep, others, where):
    told = refusals(spec, *others, keep=keep)
    if where is None:
        assert told == set()
    else:
        assert told == {
            f"namespaces harbor would be deleted in {where} with 1 object of others: configmaps harbor/ledger."
        }
        assert refusals(spec, *others, keep=keep, options={"foreign_contents": "delete"}) == set()


def test_a_definition_does_not_take_along_what_another_policy_delivers():
    (told,) = refusals(None, delivery([BUOY], ["c2"], "q"))
    assert told.startswith(
        "customresourcedefinitions buoys.sea.example.com would be deleted in c2 with 1 object"
    )


def test_what_is_seen_in_the_clusters_is_told_with_them():
    found = inside.Found(existing={TIDES: ["c2"]}, contents={HARBOR: {"Secret harbor/key": ["c1", "c2"]}})
    told = refusals(None, found=found)
    existing, contents = sorted(told)
    assert existing == (
        "1 object is in c2 already, from elsewhere: configmaps harbor/tides. It would be overwritten there, and deleted "
        "with the workload."
    )
    assert (
        contents == "namespaces harbor would be deleted in c1, c2 with 1 object of others: Secret harbor/key."
    )
    options = {"foreign_contents": "delete", "existing_objects": "adopt"}
    assert refusals(None, found=found, options=options) == set()


def test_the_guards_stay_with_the_policy():
    options = {
        "max_objects": "4",
        "cluster_scoped": "warn",
        "foreign_contents": "delete",
        "min_clusters": None,
    }
    kept = guards.annotation(options)
    assert kept == '{"foreign_contents": "delete", "max_objects": "4"}'
    policy = {"metadata": {"annotations": {guards.ANNOTATION: kept}}}
    assert guards.recorded(policy) == guards.parse(options)
    assert guards.annotation({"cluster_scoped": "warn"}) == "" == guards.annotation(None)


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"max_objects": "some"}', '{"max_objects": 4}', "null", "7"]
)
def test_what_is_no_guards_in_a_policy_guards_nothing(text):
    assert guards.recorded({"metadata": {"annotations": {guards.ANNOTATION: text}}}) == guards.parse(None)


MISTAKES = [
    ({"cluster_selectors": [{"matchLabels": {"a": "b"}}]}, "matchLabels"),
    ({"waves": [{"name": "a"}]}, "cluster_selectors"),
    ({"cluster_selectors": [], "waves": []}, "mutually exclusive"),
    ({"guards": {"max_objects": "some"}}, "neither a number nor a percentage"),
    ({"guards": {"most": "4"}}, "most"),
    ({"downsync": [{"resources": ["Deployment"]}]}, "matches nothing"),
    (
        {"transforms": [{"name": "t", "api_group": "batch", "resource": "jobs", "remove": ["$"]}]},
        "whole object",
    ),
    ({"status_collectors": [{"name": "s", "limit": 1}]}, "collects nothing"),
    ({"wait": "long"}, "wait"),
    (
        {
            "cluster_selectors": [
                {"match_expressions": [{"key": "a", "operator": "In", "values": ["se", False]}]}
            ]
        },
        "placement: cluster_selectors[0].match_expressions[0].values[1] takes text and is false. Put it in quotes",
    ),
    ({"downsync": [{"namespaces": [8080]}]}, "downsync[0].namespaces[0] takes text and is the number 8080"),
    (
        {"cluster_selectors": {"match_labels": {}}},
        "cluster_selectors is a mapping, where a list of mappings belongs",
    ),
    ({"cluster_selectors": ["edge"]}, "cluster_selectors[0] is text, where a mapping belongs"),
    ({"waves": "first"}, "waves is text, where a list of mappings belongs"),
]


@pytest.mark.parametrize(("given", "word"), MISTAKES)
def test_what_a_later_task_would_refuse_is_refused_by_the_first(given, word):
    with pytest.raises(InvalidInput) as caught:
        intentions.read("shop", {"downsync": [{"resources": ["pods"]}], **given})
    assert word in caught.value.message


def test_a_placement_is_read_as_it_will_be_written():
    found = intentions.read(
        "shop",
        {
            "waves": [{"name": "a", "cluster_selectors": [{"match_labels": {"ring": "1"}}]}],
            "downsync": [{"resources": ["pods"], "create_only": False}],
            "guards": {"max_objects": 3},
            "wait": "applied",
            "cluster_selectors": None,
        },
    )
    assert found.spec == {
        "clusterSelectors": [{"matchLabels": {"ring": "1"}}],
        "downsync": [{"resources": ["pods"]}],
    }
    assert found.delivered and set(found.guards.limits) == {"max_objects"}


@pytest.mark.parametrize(
    ("spec", "keep", "allowing", "words"),
    [
        (
            {**LISBON, "clusterSelectors": [{"matchLabels": {"ctiy": "lisbon"}}]},
            ALL,
            {"min_clusters": "0"},
            "No cluster",
        ),
        (
            {**EVERYWHERE, "downsync": [{"resources": ["pods"]}]},
            ALL,
            {"max_removed_objects": "100%"},
            "No object",
        ),
        (EVERYWHERE, [], {"max_removed_objects": "100%"}, "No object"),
    ],
)
def test_a_slip_of_the_pen_takes_nothing_away_from_everywhere(spec, keep, allowing, words):
    def check(options, **more):
        facts = Facts("wds1", [candidate(key) for key in keep], {}, TARGETS, **more)
        seen, limits = preview(spec, facts), guards.parse(options)
        guards.check(seen, limits, "p", codes=guards.vanishing(seen, limits))

    delivered = {"current": delivery(ALL, ["c1", "c2"])}
    with pytest.raises(Refused, match=words):
        check({}, **delivered)
    check(allowing, **delivered)
    check({})  # nothing is delivered yet


class _Away:
    """A cluster that does not answer."""

    def ready(self, _seconds):
        return False


def test_clusters_that_do_not_answer_are_told_and_so_are_those_beyond_the_most(monkeypatch):
    monkeypatch.setattr(inside, "MOST_VISITED", 1)
    facts = Facts("wds1", [candidate(TIDES)], {}, TARGETS)
    found = inside.look(preview(EVERYWHERE, facts), {"c1": _Away, "c2": _Away, "c3": _Away})
    assert (found.existing, found.contents) == ({}, {})
    assert found.unseen == {
        "c1": "c1: the cluster does not answer",
        "c2": "1 clusters are looked into at most for one change",
    }
