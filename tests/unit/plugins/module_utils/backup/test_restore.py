# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Order, refusal and ownership of a restore. The rest is in tests/integration/test_backup.py."""

from __future__ import annotations

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._errors import KubestellarError, Refused
from ansible_collections.kubestellar.core.plugins.module_utils.backup import restore
from ansible_collections.kubestellar.core.plugins.module_utils.backup.archive import Saved
from ansible_collections.kubestellar.core.plugins.module_utils.backup.restore import Job


def obj(api_version: str, kind: str, name: str = "x", namespace: str = ""):
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata}


KUBESTELLAR = "control.kubestellar.io/v1alpha1"
IN_ORDER = [
    ("its", obj("v1", "ConfigMap", "c1", "customization-properties")),
    ("its", obj("cluster.open-cluster-management.io/v1", "ManagedCluster")),
    ("wds", obj("apps/v1", "Deployment", namespace="shop")),
    ("wds", obj(KUBESTELLAR, "CustomTransform")),
    ("wds", obj(KUBESTELLAR, "BindingPolicy")),
]


def test_properties_come_before_labels_and_policies_last():
    assert [restore.stage(role, item) for role, item in IN_ORDER] == list(range(restore._STAGES))
    assert restore.stage("wds", obj(KUBESTELLAR, "StatusCollector")) == 3
    # Another group's kind of the same name is workload.
    assert restore.stage("wds", obj("shop.example.com/v1", "BindingPolicy")) == 2


def job(saved, found=(), deleting=()) -> Job:
    objects = [{**obj("v1", "ConfigMap", name, "n"), "data": data} for name, data in dict(saved).items()]
    here = {
        ("", "ConfigMap", "n", name): {**obj("v1", "ConfigMap", name, "n"), "data": data}
        for name, data in dict(found).items()
    }
    going = {("", "ConfigMap", "n", name) for name in deleting}
    return Job(Saved("wds1", "wds", "t", objects=objects), None, here, going)  # type: ignore[arg-type]


def test_objects_with_another_content_are_refused_and_named_with_the_field():
    other = {name: {"x": "2"} for name in "abcdefg"}
    found = [job({name: {"x": "1"} for name in "abcdefg"}, other)]
    with pytest.raises(Refused) as caught:
        restore.refuse(found, overwrite=False)
    assert "wds1: ConfigMap n/a (data.x), ConfigMap n/b (data.x)" in caught.value.message
    assert "and 2 more are there with another content" in caught.value.message
    assert "overwrite" in caught.value.hint
    assert caught.value.details["refused"] == {"wds1": [f"ConfigMap n/{name} (data.x)" for name in "abcdefg"]}
    restore.refuse(found, overwrite=True)


def test_what_only_one_side_has_is_no_reason_to_refuse():
    found = [
        job({"a": {"x": "1"}}),
        job({"a": {"x": "1"}}, {"a": {}, "foreign": {}}),
        job({"a": {"x": "1"}}, {"a": {"x": "1", "y": "2"}}),
    ]
    restore.refuse(found, overwrite=False)
    assert [one.beside() for one in found] == [[], ["ConfigMap n/foreign"], []]


@pytest.mark.parametrize(
    ("want", "live", "place"),
    [
        ({"spec": {"replicas": 1}}, {"spec": {"replicas": 2}}, "spec.replicas"),
        ({"spec": {"items": [1, 2]}}, {"spec": {"items": [1]}}, "spec.items"),
        ({"spec": {"items": [{"a": 1}]}}, {"spec": {"items": [{"a": 1, "b": 2}]}}, ""),
        # Both sides are as an API server has written them, which writes equal amounts alike.
        ({"spec": {"cpu": "1000m"}}, {"spec": {"cpu": "1"}}, "spec.cpu"),
        ({"spec": {}}, {"spec": {"x": 1}}, ""),
        ({"spec": None}, {}, ""),
        ({"a": {"b": 1}}, {"a": 1}, "a"),
    ],
)
def test_the_first_contradiction_is_found(want, live, place):
    assert restore.contradiction(want, live) == place


def test_what_is_being_deleted_is_waited_for_even_if_the_backup_is_to_win():
    with pytest.raises(KubestellarError, match="wds1: ConfigMap n/a is being deleted there"):
        restore.refuse([job({"a": {}, "b": {}}, {"b": {}}, deleting=["a", "other"])], overwrite=True)


# -- is it the same --------------------------------------------------------------------------------------------------


def thing(name: str, **more):
    return {
        "group": "",
        "resource": "configmaps",
        "namespace": "n",
        "name": name,
        "create_only": False,
        **more,
    }


def placed(clusters, *objects, **more):
    return {"settled": True, "clusters": clusters, "objects": list(objects), **more}


def test_an_equal_placement_has_no_differences_and_an_unsettled_one_is_not_compared():
    recorded = {"a": placed(["c1"], thing("x")), "b": placed(["c1"], settled=False)}
    assert (
        restore.differences("wds1", recorded, {"a": placed(["c1"], thing("x")), "other": placed(["c9"])})
        == []
    )


def test_each_difference_of_a_placement_is_named():
    recorded = {"a": placed(["c1", "c2"], thing("x"), thing("y"), thing("z")), "b": placed([])}
    now = {"a": placed(["c2", "c3"], thing("y", create_only=True), thing("z"), thing("w"))}
    first, second = restore.differences("wds1", recorded, now)
    assert first == {
        "space": "wds1",
        "policy": "a",
        "bound": True,
        "clusters_missing": ["c1"],
        "clusters_added": ["c3"],
        "objects_missing": ["configmaps n/x"],
        "objects_added": ["configmaps n/w"],
        "objects_changed": ["configmaps n/y"],
    }
    assert restore.phrase(first) == (
        "wds1/a lacks the cluster c1; also goes to the cluster c3; lacks configmaps n/x; also delivers configmaps n/w; "
        "delivers in another way configmaps n/y"
    )
    assert restore.phrase(second) == "wds1/b has no Binding"


# -- owners of fields ------------------------------------------------------------------------------------------------


def entry(manager, fields, operation="Apply"):
    return {"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsV1": fields}


def test_fields_are_given_back_to_their_owners():
    live = [
        entry(restore.MANAGER, {"f:data": {"f:a": {}, "f:b": {}}}),
        entry("hub", {"f:metadata": {"f:finalizers": {}}}, "Update"),
        entry("kubectl", {"f:data": {"f:c": {}}}),
    ]
    recorded = [entry("kubectl", {"f:data": {"f:a": {}}}), entry("kubestellar.core", {"f:data": {"f:b": {}}})]
    assert restore.given_back(live, recorded) == [
        live[1],
        entry("kubectl", {"f:data": {"f:c": {}, "f:a": {}}}),
        recorded[1],
    ]
