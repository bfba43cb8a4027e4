# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may leave a workload, and with whom."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _limit
from ansible_collections.kubestellar.core.plugins.module_utils._errors import Refused
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    CONFIG_MAPS,
    CRDS,
    NAMESPACES,
    SECRETS,
    SERVICE_ACCOUNTS,
    Resource,
)
from ansible_collections.kubestellar.core.plugins.module_utils.workload import members, prune
from ansible_collections.kubestellar.core.plugins.module_utils.workload.applyset import (
    PART_OF,
    ApplySet,
    GroupKind,
)
from ansible_collections.kubestellar.core.plugins.module_utils.workload.names import WORKLOAD_LABEL

SHOP = ApplySet("shop", "kube-system")
OURS = {"manager": "kubestellar.core", "operation": "Apply"}
ENDPOINTS = Resource("", "v1", "endpoints", "Endpoints", True)
EVENTS = Resource("events.k8s.io", "v1", "events", "Event", True)


def live(name: str, **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "a", "uid": f"uid-{name}", **metadata}}


def member(name: str, part_of: str = SHOP.id, **metadata: Any) -> members.Found:
    return CONFIG_MAPS, live(name, labels={PART_OF: part_of}, managedFields=[OURS], **metadata)


def names(found: list[members.Found]) -> list[str]:
    return [obj["metadata"]["name"] for _resource, obj in found]


def keeping(name: str, value: str = "keep") -> dict[str, Any]:
    return live(name, annotations={prune.KEEP: value})


@pytest.mark.parametrize(
    ("value", "stays"), [("keep", True), (" Keep ", True), ("delete", False), ("", False)]
)
def test_what_says_that_it_is_to_be_kept_stays(value, stays):
    found = [(SECRETS, keeping("a", value)), (SECRETS, live("b"))]
    assert names(prune.kept(found)) == (["a"] if stays else [])


def test_what_holds_something_that_stays_stays_too():
    gadgets = Resource("example.com", "v1", "gadgets", "Gadget", True)
    found = [
        (NAMESPACES, live("a", namespace=None)),
        (NAMESPACES, live("other", namespace=None)),
        (CRDS, live("gadgets.example.com", namespace=None)),
        (CRDS, live("gadgets.example.org", namespace=None)),
        (gadgets, keeping("kept")),
        (gadgets, live("left")),
    ]
    assert names(prune.kept(found)) == ["a", "gadgets.example.com", "kept"]
    assert prune.kept(found[:4]) == []


def test_ours_is_what_we_applied_for_this_set_each_once():
    copied = (ENDPOINTS, live("copied", labels={PART_OF: SHOP.id}))
    twice = (Resource("other", "v1", "configmaps", "ConfigMap", True), member("x")[1])
    found = [
        member("x"),
        member("older", part_of=""),
        member("other", part_of="applyset-y-v1"),
        copied,
        twice,
    ]
    assert names(members.ours(found, SHOP)) == ["x", "older"]


def test_leaving_is_what_is_not_wanted_by_name_nor_by_uid_nor_going_already():
    found = [member("z"), member("kept"), member("same"), member("going", deletionTimestamp="t"), member("b")]
    wanted = {(GroupKind("ConfigMap"), "a", "kept")}
    assert names(prune.leaving(found, wanted, {"uid-same"})) == ["b", "z"]


@pytest.mark.parametrize(
    ("gone", "whole", "limit", "refused"),
    [
        (10, 11, None, False),
        (11, 55, None, False),
        (11, 54, None, True),
        (0, 0, None, False),
        (3, 100, "2", True),
        (2, 100, "2", False),
        (0, 100, "0", False),
        (1, 100, "0%", True),
        (11, 100, "10%", True),
        (100, 100, "100%", False),
    ],
)
def test_the_limit_is_a_number_or_a_share_and_by_default_a_fifth_but_always_ten(gone, whole, limit, refused):
    found = [member(f"m{number}") for number in range(gone)]
    parsed = _limit.parse("prune_limit", limit)
    if not refused:
        prune.check_limit("wds1", SHOP, found, whole, parsed)
        return
    with pytest.raises(Refused) as caught:
        prune.check_limit("wds1", SHOP, found, whole, parsed)
    told = f"{caught.value.message} {caught.value.hint}"
    assert all(
        word in told
        for word in (
            "wds1",
            f"{gone} of {whole} objects",
            "shop",
            "ConfigMap a/m0",
            limit or "20% or 10",
            "prune_limit",
        )
    )


@pytest.mark.parametrize(
    ("labels", "other"),
    [
        ({}, None),
        (None, None),
        ({WORKLOAD_LABEL: "shop", PART_OF: SHOP.id}, None),
        ({WORKLOAD_LABEL: "shop"}, None),
        ({WORKLOAD_LABEL: "bank"}, "the workload bank"),
        ({WORKLOAD_LABEL: "bank", PART_OF: "applyset-y-v1"}, "the workload bank"),
        ({PART_OF: "applyset-y-v1"}, "the ApplySet applyset-y-v1"),
        ({WORKLOAD_LABEL: "shop", PART_OF: "applyset-y-v1"}, "the ApplySet applyset-y-v1"),
    ],
)
def test_an_object_of_another_set_is_refused_with_the_names_of_both(labels, other):
    found = prune.claims(SHOP, [("ConfigMap a/x", live("x", labels=labels))])
    assert found == ([("ConfigMap a/x", other)] if other else [])
    if other is None:
        prune.check_claims("wds1", SHOP, found)
        return
    with pytest.raises(Refused) as caught:
        prune.check_claims("wds1", SHOP, found)
    assert all(word in caught.value.message for word in ("wds1", "shop", "ConfigMap a/x", other))
    assert WORKLOAD_LABEL in caught.value.hint


@pytest.mark.parametrize(
    ("resource", "obj", "expected"),
    [
        (CONFIG_MAPS, live("kube-root-ca.crt"), True),
        (SERVICE_ACCOUNTS, live("default"), True),
        (SERVICE_ACCOUNTS, live("builder-of-ours"), False),
        (CONFIG_MAPS, live("default"), False),
        (ENDPOINTS, live("x"), True),
        (EVENTS, live("x"), True),
        (SECRETS, live("x", annotations={"kubernetes.io/service-account.name": "default"}), True),
        (CONFIG_MAPS, live("x", ownerReferences=[{"controller": True}]), True),
        (CONFIG_MAPS, live("x", ownerReferences=[{"kind": "Deployment"}]), False),
        (SECRETS, live("x"), False),
    ],
)
def test_what_controllers_make_in_a_namespace_is_missed_by_nobody(resource, obj, expected):
    assert prune.comes_by_itself(resource, obj) is expected


def test_a_namespace_is_refused_with_what_is_in_it():
    found = {"Namespace a": [f"ConfigMap a/c{number}" for number in range(7)], "Namespace b": ["Secret b/s"]}
    with pytest.raises(Refused) as caught:
        prune.check_contents("wds1", SHOP, found)
    assert "Namespace a would be deleted with 7 objects" in caught.value.message
    assert "ConfigMap a/c0" in caught.value.message and "1 other" in caught.value.message
    assert "foreign_contents=delete" in caught.value.hint and len(caught.value.details["refused"]) == 2
    prune.check_contents("wds1", SHOP, {})
