# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options to manifests, and one sentence per mistake."""

from __future__ import annotations

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput
from ansible_collections.kubestellar.core.plugins.module_utils.placement import policy


def params(**given):
    return {**dict.fromkeys(policy.POLICY_SPEC), "name": "shop", **given}


def clause(**given):
    return {**dict.fromkeys(policy.CLAUSE_SPEC), **given}


def problems(**given):
    with pytest.raises(InvalidInput) as caught:
        policy.manifest(params(**given))
    assert caught.value.message.startswith("BindingPolicy ")
    return caught.value.details["problems"]


def test_every_option_arrives_in_the_manifest():
    selector = {
        "match_labels": {"a": "b"},
        "match_expressions": [{"key": "k", "operator": "In", "values": ["v"]}],
    }
    api = {"matchLabels": {"a": "b"}, "matchExpressions": [{"key": "k", "operator": "In", "values": ["v"]}]}
    result = policy.manifest(
        params(
            cluster_selectors=[selector],
            downsync=[
                clause(
                    api_group="apps",
                    resources=["deployments"],
                    namespaces=["shop"],
                    namespace_selectors=[selector],
                    object_names=["web"],
                    object_selectors=[selector],
                    create_only=True,
                    status_collectors=["c"],
                    want_singleton_reported_state=False,
                    want_multi_wec_reported_state=True,
                )
            ],
            labels={"team": "retail"},
            annotations={"note": "any text, even : this"},
        )
    )
    assert result == {
        "apiVersion": "control.kubestellar.io/v1alpha1",
        "kind": "BindingPolicy",
        "metadata": {
            "name": "shop",
            "labels": {"team": "retail"},
            "annotations": {"note": "any text, even : this"},
        },
        "spec": {
            "clusterSelectors": [api],
            "downsync": [
                {
                    "apiGroup": "apps",
                    "resources": ["deployments"],
                    "namespaces": ["shop"],
                    "namespaceSelectors": [api],
                    "objectNames": ["web"],
                    "objectSelectors": [api],
                    "createOnly": True,
                    "statusCollectors": ["c"],
                    "wantSingletonReportedState": False,
                    "wantMultiWECReportedState": True,
                }
            ],
        },
    }


def test_left_out_options_are_left_out():
    assert policy.manifest(params(cluster_selectors=[], downsync=None))["spec"] == {"clusterSelectors": []}
    exists = {"match_labels": None, "match_expressions": [{"key": "k", "operator": "Exists", "values": None}]}
    spec = policy.manifest(params(cluster_selectors=[exists, dict.fromkeys(exists)]))["spec"]
    assert spec == {"clusterSelectors": [{"matchExpressions": [{"key": "k", "operator": "Exists"}]}, {}]}


def test_the_core_group_is_a_selector():
    assert policy.manifest(params(downsync=[clause(api_group="")]))["spec"]["downsync"] == [{"apiGroup": ""}]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"name": "x" * 64}, "64 characters"),
        ({"name": "Shop"}, "not allowed"),
        ({"name": "shop-"}, "not allowed"),
        ({"labels": {"bad key": "v"}}, "'bad key' is not a legal key"),
        ({"labels": {"/x": "v"}}, "not a legal key"),
        ({"labels": {"a/b/c": "v"}}, "not a legal key"),
        ({"labels": {"k": "x" * 64}}, "not a legal label value"),
        ({"labels": {"k": True}}, "the value of k is a boolean; put it in quotes"),
        ({"labels": {1: "v"}}, "the key 1 is a number"),
        ({"annotations": {"k": 1}}, "the value of k is a number; put it in quotes"),
        ({"cluster_selectors": [{"match_labels": {"a": "not ok!"}}]}, "clusterSelectors[0].matchLabels"),
        (
            {"cluster_selectors": [{"match_expressions": [{"key": "k", "operator": "In"}]}]},
            "the operator In needs values",
        ),
        (
            {
                "cluster_selectors": [
                    {"match_expressions": [{"key": "k", "operator": "Exists", "values": ["v"]}]}
                ]
            },
            "the operator Exists takes no values",
        ),
        (
            {
                "cluster_selectors": [
                    {"match_expressions": [{"key": "k", "operator": "Equals", "values": ["v"]}]}
                ]
            },
            "'Equals' is not an operator",
        ),
        (
            {"cluster_selectors": [{"match_expressions": [{"key": "k!", "operator": "Exists"}]}]},
            "'k!' is not a legal key",
        ),
        ({"downsync": [clause()]}, "downsync[0] has no selector"),
        ({"downsync": [clause(create_only=True)]}, "downsync[0] has no selector"),
        ({"downsync": [clause(resources=[])]}, "downsync[0] has no selector"),
        ({"downsync": [clause(api_group="*")]}, "'*' is not special here"),
        ({"downsync": [clause(api_group="apps/v1")]}, "has a version"),
        (
            {"downsync": [clause(api_group="coordination.k8s.io")]},
            "never delivers objects of coordination.k8s.io",
        ),
        ({"downsync": [clause(api_group="", resources=["nodes"])]}, "never delivers nodes"),
        ({"downsync": [clause(resources=["Deployment"])]}, "lower-case plural"),
        ({"downsync": [clause(resources=["deployments.apps"])]}, "lower-case plural"),
        ({"downsync": [clause(resources=[1])]}, "is a number"),
    ],
)
def test_a_mistake_gets_one_sentence(given, sentence):
    found = problems(**{"downsync": [clause(resources=["*"])], **given})
    assert len(found) == 1
    assert sentence in found[0]
    assert found[0].endswith((".", ".').", "'."))


def test_all_mistakes_are_named_at_once():
    found = problems(name="A", cluster_selectors=[{"match_labels": {"a": "b c"}}], downsync=[clause()])
    assert len(found) == 3


def definition(**given):
    return {
        "apiVersion": "control.kubestellar.io/v1alpha1",
        "kind": "BindingPolicy",
        "metadata": {"name": "shop"},
        "spec": {"downsync": [{"resources": ["*"]}]},
        **given,
    }


def test_a_definition_is_taken_as_it_is_without_its_status():
    given = definition(status={"observedGeneration": 1})
    assert policy.manifest(params(name=None, definition=given)) == definition()
    assert given["status"]


def test_a_definition_without_a_name_takes_the_option():
    result = policy.manifest(params(definition=definition(metadata={"labels": {"a": "b"}})))
    assert result["metadata"] == {"name": "shop", "labels": {"a": "b"}}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"kind": "Binding"}, "not a BindingPolicy"),
        ({"apiVersion": "v1"}, "not a BindingPolicy"),
        ({"metadata": {"name": "other"}}, "the option name says shop"),
        ({"spec": []}, "spec is a list, not a mapping"),
        ({"spec": {"cluster_selectors": []}}, "spec has no field 'cluster_selectors'"),
        ({"spec": {"clusterSelectors": {}}}, "clusterSelectors is a mapping, not a list"),
        ({"spec": {"clusterSelectors": ["edge"]}}, "clusterSelectors[0] is a string, not a label selector"),
        ({"spec": {"clusterSelectors": [{"labels": {}}]}}, "has no field 'labels'"),
        ({"spec": {"clusterSelectors": [{"matchExpressions": {}}]}}, "is a mapping, not a list"),
        ({"spec": {"clusterSelectors": [{"matchExpressions": ["x"]}]}}, "is a string, not a mapping"),
        ({"spec": {"downsync": "all"}}, "downsync is a string, not a list of clauses"),
        ({"spec": {"downsync": ["all"]}}, "downsync[0] is a string, not a clause"),
        ({"spec": {"downsync": [{"resources": "pods"}]}}, "resources is a string, not a list"),
        ({"spec": {"downsync": [{"resources": ["pods"], "createOnly": "yes"}]}}, "not true or false"),
        ({"spec": {"downsync": [{"resources": ["pods"], "creatOnly": True}]}}, "has no field 'creatOnly'"),
        ({"spec": {"downsync": [{"apiGroup": 1}]}}, "apiGroup is a number"),
        ({"metadata": {"name": "shop", "labels": "a=b"}}, "labels is a string, not a mapping"),
    ],
)
def test_a_wrong_definition_gets_one_sentence(given, sentence):
    with pytest.raises(InvalidInput) as caught:
        policy.manifest(params(definition=definition(**given)))
    assert sentence in caught.value.message
    assert len(caught.value.details.get("problems", [1])) == 1


@pytest.mark.parametrize(("values", "refused"), [(["", ""], False), (["", "a", "", ""], True)])
def test_values_that_the_controller_cannot_list_with_are_refused(values, refused):
    expression = {"key": "a", "operator": "In", "values": values}
    found = list(policy.selector_problems({"matchExpressions": [expression]}, "x"))
    assert any("more than twice" in line for line in found) is refused
