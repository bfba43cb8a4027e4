# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which clusters and objects a policy selects: the rules of the contract, 5.2 and 5.3."""

from __future__ import annotations

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._client import Listing
from ansible_collections.kubestellar.core.plugins.module_utils._resources import Resource
from ansible_collections.kubestellar.core.plugins.module_utils.placement import resolution
from ansible_collections.kubestellar.core.plugins.module_utils.placement.resolution import (
    Candidate,
    Modulation,
    ObjectKey,
)

VERBS = frozenset({"list", "watch", "get"})
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment", True, VERBS)
NAMESPACES = Resource("", "v1", "namespaces", "Namespace", False, VERBS)
ROLES = Resource("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", False, VERBS)
LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease", True, VERBS)
EVENTS = Resource("", "v1", "events", "Event", True, VERBS)
REVIEWS = Resource("", "v1", "reviews", "Review", True, frozenset({"create"}))


def expression(key, operator, *values):
    return {
        "matchExpressions": [
            {"key": key, "operator": operator, **({"values": list(values)} if values else {})}
        ]
    }


@pytest.mark.parametrize(
    ("selector", "labels", "expected"),
    [
        ({}, {}, True),
        ({"matchLabels": {"a": "1"}}, {"a": "1", "b": "2"}, True),
        ({"matchLabels": {"a": "1"}}, {"a": "2"}, False),
        ({"matchLabels": {"a": ""}}, {}, False),
        ({"matchLabels": {"a": "1"}, **expression("b", "Exists")}, {"a": "1"}, False),
        (expression("a", "In", "1", "2"), {"a": "2"}, True),
        (expression("a", "In", "1"), {}, False),
        (expression("a", "NotIn", "1"), {}, True),
        (expression("a", "NotIn", "1"), {"a": "1"}, False),
        (expression("a", "NotIn", "1"), {"a": "2"}, True),
        (expression("a", "Exists"), {"a": ""}, True),
        (expression("a", "DoesNotExist"), {"a": ""}, False),
        (expression("a", "DoesNotExist"), {}, True),
    ],
)
def test_label_selectors_match_as_in_kubernetes(selector, labels, expected):
    assert resolution.matches(selector, labels) is expected


@pytest.mark.parametrize(
    ("selectors", "expected"),
    [
        (None, []),
        ([], []),
        ([{}], ["a", "b"]),
        ([{"matchLabels": {"g": "edge"}}], ["b"]),
        ([{"matchLabels": {"g": "edge"}}, expression("g", "DoesNotExist")], ["a", "b"]),
    ],
)
def test_clusters_are_the_union_of_the_selectors(selectors, expected):
    managed = [{"metadata": {"name": "b", "labels": {"g": "edge"}}}, {"metadata": {"name": "a"}}]
    assert resolution.clusters({"clusterSelectors": selectors}, managed) == expected


def selected(clause, resource=DEPLOYMENTS, namespaces=None, **metadata):
    namespace = {"namespace": "shop"} if resource.namespaced else {}
    candidate = Candidate(resource, {"name": "web", "resourceVersion": "7", **namespace, **metadata})
    return resolution.objects({"downsync": [clause]}, [candidate], namespaces or {})


@pytest.mark.parametrize(
    ("clause", "resource", "expected"),
    [
        ({"apiGroup": "apps"}, DEPLOYMENTS, True),
        ({"apiGroup": ""}, DEPLOYMENTS, False),
        ({"apiGroup": "*"}, DEPLOYMENTS, False),
        ({"resources": ["deployments"]}, DEPLOYMENTS, True),
        ({"resources": ["*"]}, ROLES, True),
        ({"resources": ["Deployments"]}, DEPLOYMENTS, False),
        ({"resources": []}, DEPLOYMENTS, True),
        ({"namespaces": ["shop"]}, DEPLOYMENTS, True),
        ({"namespaces": ["shop"]}, ROLES, False),
        ({"namespaces": [""]}, ROLES, True),
        ({"namespaces": ["*"]}, ROLES, True),
        ({"objectNames": ["web"]}, DEPLOYMENTS, True),
        ({"objectNames": ["we"]}, DEPLOYMENTS, False),
        (
            {"objectSelectors": [{"matchLabels": {"x": "y"}}, {"matchLabels": {"app": "web"}}]},
            DEPLOYMENTS,
            True,
        ),
        ({"objectSelectors": [{"matchLabels": {"x": "y"}}]}, DEPLOYMENTS, False),
        ({"objectSelectors": [{}]}, DEPLOYMENTS, True),
        ({"namespaceSelectors": [{"matchLabels": {"env": "prod"}}]}, DEPLOYMENTS, True),
        ({"namespaceSelectors": [{"matchLabels": {"env": "test"}}]}, DEPLOYMENTS, False),
        ({"namespaceSelectors": [{"matchLabels": {"env": "prod"}}]}, ROLES, False),
        ({"namespaceSelectors": [{"matchLabels": {"env": "test"}}, {}]}, ROLES, True),
        ({"apiGroup": "apps", "resources": ["statefulsets"]}, DEPLOYMENTS, False),
    ],
)
def test_a_clause_holds_if_all_its_fields_do(clause, resource, expected):
    namespaces = {"shop": {"env": "prod"}}
    assert bool(selected(clause, resource, namespaces, labels={"app": "web"})) is expected


def test_a_namespace_that_is_not_there_fails_its_selectors():
    assert not selected({"namespaceSelectors": [expression("env", "DoesNotExist")]})


def test_a_namespace_that_is_not_there_fails_only_the_first_clause_that_asks_for_it():
    def asks(name, operator):
        return {"namespaceSelectors": [expression("env", operator)], "statusCollectors": [name]}

    candidate = Candidate(DEPLOYMENTS, {"name": "web", "namespace": "shop"})
    clauses = [asks("a", "DoesNotExist"), asks("b", "DoesNotExist"), asks("c", "Exists")]
    (found,) = resolution.objects({"downsync": clauses}, [candidate], {}).values()
    assert found.modulation.status_collectors == {"b"}
    elsewhere = {**asks("a", "DoesNotExist"), "namespaces": ["other"]}
    assert not resolution.objects({"downsync": [elsewhere, *clauses[:1]]}, [candidate], {})


def test_api_groups_limit_what_is_delivered_and_listed_but_not_the_labels_of_namespaces():
    wds = FakeWds(
        {"namespaces": [{"name": "shop", "labels": {"env": "prod"}}], "deployments": [{"name": "web"}]}
    )
    spec = {"downsync": [{"namespaceSelectors": [{"matchLabels": {"env": "prod"}}]}]}
    candidates, namespaces = resolution.read(wds, spec, api_groups=["apps"])
    assert namespaces == {"shop": {"env": "prod"}}
    assert [candidate.resource.plural for candidate in candidates] == ["deployments"]
    candidates, _namespaces = resolution.read(wds, spec, api_groups=[""])
    assert [candidate.resource.plural for candidate in candidates] == ["namespaces"]


def test_modulations_of_all_matching_clauses_are_joined():
    candidate = Candidate(DEPLOYMENTS, {"name": "web", "namespace": "shop", "resourceVersion": "7"})
    clauses = [
        {"resources": ["deployments"], "createOnly": True, "statusCollectors": ["a"]},
        {"resources": ["*"], "wantSingletonReportedState": True, "statusCollectors": ["b"]},
        {"resources": ["jobs"], "wantMultiWECReportedState": True},
    ]
    (found,) = resolution.objects({"downsync": clauses}, [candidate], {}).values()
    assert found.modulation == Modulation(True, frozenset({"a", "b"}), True, False)
    assert found.resource_version == "7"


def test_a_binding_lists_objects_of_both_scopes():
    binding = {
        "spec": {
            "destinations": [{"clusterId": "c1"}],
            "workload": {
                "clusterScope": [
                    {"group": "", "resource": "namespaces", "name": "shop", "resourceVersion": "1"}
                ],
                "namespaceScope": [
                    {
                        "group": "apps",
                        "resource": "deployments",
                        "namespace": "shop",
                        "name": "web",
                        "createOnly": True,
                    }
                ],
            },
        }
    }
    found = resolution.bound(binding)
    assert set(found) == {
        ObjectKey("", "namespaces", "", "shop"),
        ObjectKey("apps", "deployments", "shop", "web"),
    }
    assert found[ObjectKey("apps", "deployments", "shop", "web")].modulation.create_only
    assert resolution.destinations(binding) == ["c1"]
    assert resolution.destinations({"spec": {}}) == []


class FakeWds:
    def __init__(self, objects):
        self.asked = []
        self._objects = objects

    def resources(self, *, refresh=False):
        return [NAMESPACES, DEPLOYMENTS, ROLES, LEASES, EVENTS, REVIEWS]

    def list(self, resource, *, label_selector="", metadata_only=False):
        assert metadata_only
        self.asked.append((resource.plural, label_selector))
        return Listing([{"metadata": item} for item in self._objects.get(resource.plural, [])], "1")


@pytest.mark.parametrize(
    ("clauses", "asked"),
    [
        ([{"resources": ["deployments"]}], {("deployments", "")}),
        ([{"objectSelectors": [{"matchLabels": {"a": "b"}}], "apiGroup": "apps"}], {("deployments", "a=b")}),
        (
            [{"objectSelectors": [{"matchLabels": {"a": "b"}}]}, {"resources": ["clusterroles"]}],
            {("namespaces", "a=b"), ("deployments", "a=b"), ("clusterroles", "")},
        ),
        ([{"namespaces": ["shop"]}], {("deployments", "")}),
        (
            [{"resources": ["deployments"], "namespaceSelectors": [{"matchLabels": {"env": "prod"}}]}],
            {("deployments", ""), ("namespaces", "")},
        ),
        ([{"apiGroup": "none"}], set()),
    ],
)
def test_only_what_can_match_is_listed_once(clauses, asked):
    wds = FakeWds({})
    resolution.read(wds, {"downsync": clauses})
    assert set(wds.asked) == asked
    assert len(wds.asked) == len(asked)


def test_namespaces_listed_for_their_labels_are_told_apart():
    wds = FakeWds(
        {"namespaces": [{"name": "shop", "labels": {"env": "prod"}}], "deployments": [{"name": "web"}]}
    )
    candidates, namespaces = resolution.read(
        wds,
        {
            "downsync": [
                {"resources": ["deployments"], "namespaceSelectors": [{"matchLabels": {"env": "prod"}}]}
            ]
        },
    )
    assert namespaces == {"shop": {"env": "prod"}}
    assert {candidate.resource.plural for candidate in candidates} == {"namespaces", "deployments"}


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        ({}, ""),
        ({"matchLabels": {"a": "1", "b": ""}}, "a=1,b="),
        (expression("a", "In", "1", "2"), "a in (1,2)"),
        (expression("a", "NotIn", "1"), "a notin (1)"),
        (expression("a", "In", "b", "a", "", "b"), "a in (,a,b)"),
        (expression("a", "Exists"), "a"),
        (expression("a", "DoesNotExist"), "!a"),
    ],
)
def test_a_selector_becomes_a_query(selector, text):
    assert resolution.selector_text(selector) == text
