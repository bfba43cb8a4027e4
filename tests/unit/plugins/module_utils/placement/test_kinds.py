# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a kind without an API server."""

from __future__ import annotations

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _resources
from ansible_collections.kubestellar.core.plugins.module_utils._resources import Resource
from ansible_collections.kubestellar.core.plugins.module_utils.placement import kinds
from ansible_collections.kubestellar.core.plugins.module_utils.placement.policy import (
    EXCLUDED_GROUPS,
    EXCLUDED_RESOURCES,
)
from ansible_collections.kubestellar.core.plugins.module_utils.placement.warnings import (
    AGENT_RIGHTS,
    AGGREGATED,
)


def manifest(api_version, kind, **metadata):
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x", **metadata}}


def definition(versions=("v1",), scope="Namespaced", plural="oxen", kind="Ox", **more):
    served = [{"name": name, "served": True} for name in versions]
    spec = {
        "group": "farm.example",
        "scope": scope,
        "names": {"plural": plural, "kind": kind},
        "versions": served,
        **more,
    }
    return {**manifest("apiextensions.k8s.io/v1", "CustomResourceDefinition"), "spec": spec}


def summary(known):
    one = known.resource
    return one.plural, one.version, one.namespaced, known.definition, known.guessed


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (manifest("v1", "ConfigMap"), ("configmaps", "v1", True)),
        (manifest("v1", "Namespace"), ("namespaces", "v1", False)),
        (manifest("v1", "Endpoints"), ("endpoints", "v1", True)),
        (manifest("apps/v1", "Deployment"), ("deployments", "v1", True)),
        (manifest("networking.k8s.io/v1", "Ingress"), ("ingresses", "v1", True)),
        (manifest("networking.k8s.io/v1", "NetworkPolicy"), ("networkpolicies", "v1", True)),
        (manifest("storage.k8s.io/v1", "StorageClass"), ("storageclasses", "v1", False)),
        (manifest("autoscaling/v1", "HorizontalPodAutoscaler"), ("horizontalpodautoscalers", "v2", True)),
        (manifest("resource.k8s.io/v1beta1", "ResourceClaim"), ("resourceclaims", "v1", True)),
        (manifest("scheduling.k8s.io/v1alpha2", "Workload"), ("workloads", "v1alpha2", True)),
        (
            manifest("control.kubestellar.io/v1alpha1", "BindingPolicy"),
            ("bindingpolicies", "v1alpha1", False),
        ),
    ],
)
def test_kinds_of_kubernetes_are_known_in_their_preferred_version(given, expected):
    assert summary(kinds.Kinds([]).of(given)) == (*expected, "", False)


def test_the_table_has_everything_that_the_rest_of_the_code_names():
    """Plurals are made by rule, so a slip of the rule would show here."""
    known = {(one.group, one.plural): one for one in kinds.built_in()}
    brought = {("monitoring.coreos.com", "servicemonitors"), ("oauth.openshift.io", "oauthclients")}
    assert AGENT_RIGHTS - brought <= known.keys()
    assert known.keys() >= AGGREGATED and known.keys() >= EXCLUDED_RESOURCES
    assert {group for group, _plural in known} >= EXCLUDED_GROUPS
    for one in vars(_resources).values():
        if isinstance(one, Resource) and not one.group.endswith(
            ("kubestellar.org", "open-cluster-management.io")
        ):
            mine = known[one.group, one.plural]
            assert (mine.kind, mine.namespaced, mine.version) == (one.kind, one.namespaced, one.version)


@pytest.mark.parametrize(
    ("versions", "preferred"),
    [
        (["v1beta1", "v1", "v1alpha1"], "v1"),
        (["v1beta2", "v1beta10", "v2alpha1"], "v1beta10"),
        (["v1", "v2", "v10"], "v10"),
        (["latest", "v1alpha1"], "v1alpha1"),
        (["blue", "red"], "red"),
    ],
)
def test_a_definition_tells_plural_scope_and_preferred_version(versions, preferred):
    known = kinds.Kinds([definition(versions)]).of(manifest("farm.example/v1beta1", "Ox"))
    assert summary(known) == ("oxen", preferred, True, "oxen.farm.example", False)
    assert (
        not kinds.Kinds([definition(scope="Cluster")])
        .of(manifest("farm.example/v1", "Ox"))
        .resource.namespaced
    )


def test_a_version_that_is_not_served_is_not_preferred():
    versions = [{"name": "v2", "served": False}, {"name": "v1"}]
    given = definition()
    given["spec"]["versions"] = versions
    known = kinds.Kinds([given]).of(manifest("farm.example/v1", "Ox"))
    assert known.resource.version == "v1"


@pytest.mark.parametrize(
    "broken",
    [
        {"spec": None},
        {"spec": {"group": "farm.example"}},
        {"spec": {"names": {"kind": "Ox", "plural": "oxen"}, "versions": [{"name": "v1"}]}},
        {"spec": {"group": "farm.example", "names": {"kind": "Ox", "plural": "oxen"}, "versions": []}},
        {"kind": "Definition"},
        {"apiVersion": "example.com/v1"},
    ],
)
def test_an_incomplete_definition_tells_nothing(broken):
    given = kinds.Kinds([{**definition(), **broken}])
    assert given.custom == {}
    assert given.of(manifest("farm.example/v1", "Ox")).guessed


def test_definitions_are_listed_by_what_they_bring():
    assert kinds.Kinds([definition()]).custom == {("farm.example", "oxen"): "oxen.farm.example"}


@pytest.mark.parametrize(
    ("kind", "plural"),
    [
        ("Widget", "widgets"),
        ("Policy", "policies"),
        ("Gateway", "gateways"),
        ("Mesh", "meshes"),
        ("Box", "boxes"),
        ("Prometheus", "prometheuses"),
        ("Branch", "branches"),
        ("Y", "ys"),
    ],
)
def test_other_kinds_are_guessed(kind, plural):
    known = kinds.Kinds([]).of(manifest("example.com/v1", kind, namespace="shop"))
    assert summary(known) == (plural, "v1", True, f"{plural}.example.com", True)
    assert not kinds.Kinds([]).of(manifest("example.com/v1", kind)).resource.namespaced


def test_a_kind_that_a_group_of_kubernetes_lacks_has_no_definition():
    assert summary(kinds.Kinds([]).of(manifest("apps/v1", "Deploymnt", namespace="x"))) == (
        "deploymnts",
        "v1",
        True,
        "",
        True,
    )
