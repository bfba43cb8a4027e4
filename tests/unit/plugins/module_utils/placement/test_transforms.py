# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options to CustomTransforms, one sentence per mistake, and whom a transform concerns."""

from __future__ import annotations

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput
from ansible_collections.kubestellar.core.plugins.module_utils.placement import transforms

GOOD = {"api_group": "apps", "resource": "deployments", "remove": ["$.spec.replicas"]}


def params(**given):
    return {**dict.fromkeys(transforms.TRANSFORM_SPEC), "name": "t", **given}


def whole(spec, name="t"):
    return {
        "apiVersion": "control.kubestellar.io/v1alpha1",
        "kind": "CustomTransform",
        "metadata": {"name": name},
        "spec": spec,
    }


def transform(name="t", group="apps", resource="deployments", *remove):
    return whole({"apiGroup": group, "resource": resource, "remove": list(remove)}, name)


def binding(name, objects, clusters=("cluster1",), **metadata):
    """A Binding with objects as (group, plural, namespace, name)."""
    entries = [dict(zip(("group", "resource", "namespace", "name"), item, strict=True)) for item in objects]
    return {
        "metadata": {"name": name, **metadata},
        "spec": {
            "workload": {"namespaceScope": entries},
            "destinations": [{"clusterId": cluster} for cluster in clusters],
        },
    }


def problems(**given):
    with pytest.raises(InvalidInput) as caught:
        transforms.manifest(params(**given))
    assert caught.value.message.startswith("CustomTransform ")
    return caught.value.details["problems"]


def test_every_option_arrives_in_the_manifest():
    assert transforms.manifest(params(**GOOD)) == transform("t", "apps", "deployments", "$.spec.replicas")
    core = transforms.manifest(params(api_group="", resource="services"))
    assert core == whole({"apiGroup": "", "resource": "services"})
    assert transforms.manifest(params(name=None, definition=core)) == core


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"api_group": None}, "apiGroup is needed"),
        ({"api_group": "apps/v1"}, "'apps/v1' has a version"),
        ({"api_group": "Apps"}, "'Apps' is no API group"),
        ({"api_group": "*"}, "'*' is no API group"),
        ({"api_group": "coordination.k8s.io"}, "KubeStellar never delivers objects of coordination.k8s.io"),
        ({"resource": None}, "resource is needed"),
        ({"resource": "Deployment"}, "resource: 'Deployment' matches nothing"),
        ({"resource": "deployments/status"}, "'deployments/status' matches nothing"),
        ({"resource": "*"}, "'*' matches nothing"),
        ({"api_group": "", "resource": "events"}, "KubeStellar never delivers events"),
        ({"remove": ["$"]}, "remove[0], $: it names the whole object"),
        ({"remove": ["$.a", "$.a[0]"]}, "remove[1], $.a[0]: character 5 is '0'"),
        ({"remove": [""]}, "remove[0], : it is empty"),
        ({"remove": ["$.kind"]}, "no object can be delivered without its kind"),
        ({"remove": ["$.metadata"]}, "without its metadata"),
        ({"remove": ['$["metadata"]["name"]']}, "without its metadata.name"),
        ({"name": ""}, "a name is needed"),
    ],
)
def test_a_mistake_in_options_is_told(given, words):
    found = problems(**{**GOOD, **given})
    assert any(words in text for text in found), found


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("x", "spec is a string"),
        ({"apiGroup": 1, "resource": "pods"}, "apiGroup is a number"),
        ({"apiGroup": "", "resource": ["pods"]}, "resource is a list"),
        ({"apiGroup": "", "resource": "pods", "remove": "$.a"}, "remove is a string, not a list"),
        ({"apiGroup": "", "resource": "pods", "remove": [1]}, "remove[0] is a number"),
        ({"apiGroup": "", "resource": "pods", "api_group": ""}, "spec has no field 'api_group'"),
    ],
)
def test_a_mistake_in_a_definition_is_told(spec, words):
    found = problems(definition=whole(spec))
    assert any(words in text for text in found), found


def test_paths_are_sent_in_the_order_that_is_there():
    live = transform("t", "apps", "deployments", "$.b", "$.a")
    want = transform("t", "apps", "deployments", "$.a", "$.b", "$.a")
    assert transforms.in_order_of(want, live)["spec"]["remove"] == ["$.b", "$.a"]
    other = transform("t", "apps", "deployments", "$.a", "$.c")
    assert transforms.in_order_of(other, live) == other
    assert transforms.in_order_of(want, None) == want


def test_others_for_the_same_objects_are_found():
    listed = [
        transform("t"),
        transform("z"),
        transform("b"),
        transform("other-group", "batch"),
        transform("other-resource", "apps", "daemonsets"),
    ]
    assert transforms.others(transform("t"), listed) == ["b", "z"]


def test_what_a_transform_does_is_compared_without_order():
    one, two = transform("t", "apps", "x", "$.a", "$.b"), transform("t", "apps", "x", "$.b", "$.a")
    assert transforms.effects(one) == transforms.effects(two)
    assert transforms.effects(one) ^ transforms.effects(None) == {("apps", "x", "$.a"), ("apps", "x", "$.b")}
    assert transforms.effects(whole({"apiGroup": "", "resource": "x"})) == set()


def test_the_bindings_that_a_transform_concerns_are_found():
    till, pay = ("apps", "deployments", "shop", "till"), ("apps", "deployments", "shop", "pay")
    bindings = [
        binding("z", [till, ("", "configmaps", "shop", "c")]),
        binding("a", [pay, till], clusters=()),
        binding("config", [("", "configmaps", "shop", "c")]),
        binding("going", [till], deletionTimestamp="2026-01-01T00:00:00Z"),
    ]
    found = transforms.concerned([("apps", "deployments")], bindings)
    assert {name: [tuple(key) for key in keys] for name, keys in found.items()} == {
        "a": [pay, till],
        "z": [till],
    }
    assert list(found) == ["a", "z"]
    assert [tuple(key) for key in transforms.delivered(found, bindings)] == [till]
