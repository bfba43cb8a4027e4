# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Order, refusal and ownership of a restore. The rest is in tests/integration/test_backup.py."""

from __future__ import annotations

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _restore
from ansible_collections.kubestellar.core.plugins.module_utils._backup_folder import Saved
from ansible_collections.kubestellar.core.plugins.module_utils._errors import Refused
from ansible_collections.kubestellar.core.plugins.module_utils._restore import Job


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
    assert [_restore.stage(role, item) for role, item in IN_ORDER] == list(range(_restore._STAGES))
    assert _restore.stage("wds", obj(KUBESTELLAR, "StatusCollector")) == 3
    # Another group's kind of the same name is workload.
    assert _restore.stage("wds", obj("shop.example.com/v1", "BindingPolicy")) == 2


def job(found, saved=(), **more) -> Job:
    objects = {("", "ConfigMap", "n", name): obj("v1", "ConfigMap", name, "n") for name in saved}
    here = {key: {} for key in found}
    return Job(
        Saved("wds1", "wds", more.pop("secrets", True), objects=list(objects.values()), **more), None, here
    )


def test_a_space_with_foreign_objects_is_refused_and_they_are_named():
    found = [("", "ConfigMap", "n", name) for name in "abcdefgh"]
    with pytest.raises(Refused) as caught:
        _restore.refuse_foreign([job(found, saved=["a"])])
    assert "wds1: ConfigMap n/b, ConfigMap n/c" in caught.value.message
    assert "and 2 more are not in the backup" in caught.value.message
    assert "merge" in caught.value.hint
    assert caught.value.details["refused"] == {"wds1": [f"ConfigMap n/{name}" for name in "bcdefgh"]}


def test_a_restored_space_and_an_empty_one_are_not_refused():
    _restore.refuse_foreign([job([]), job([("", "ConfigMap", "n", "a")], saved=["a", "b"])])


def test_secrets_are_foreign_only_if_the_backup_has_secrets():
    found = [("", "Secret", "n", "s")]
    assert job(found).foreign() == ["Secret n/s"]
    assert job(found, secrets=False).foreign() == []


def test_secrets_that_are_still_lacking_are_told():
    assert job([("", "Secret", "n", "s")], secrets=False, left_out=["n/s", "n/t"]).lacking_secrets() == [
        "n/t"
    ]


def entry(manager, fields, operation="Apply"):
    return {"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsV1": fields}


def test_fields_are_given_back_to_their_owners():
    live = [
        entry(_restore.MANAGER, {"f:data": {"f:a": {}, "f:b": {}}}),
        entry("hub", {"f:metadata": {"f:finalizers": {}}}, "Update"),
        entry("kubectl", {"f:data": {"f:c": {}}}),
    ]
    recorded = [entry("kubectl", {"f:data": {"f:a": {}}}), entry("kubestellar.core", {"f:data": {"f:b": {}}})]
    assert _restore.given_back(live, recorded) == [
        live[1],
        entry("kubectl", {"f:data": {"f:c": {}, "f:a": {}}}),
        recorded[1],
    ]
