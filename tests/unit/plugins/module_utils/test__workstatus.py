# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which WorkStatuses there should be, and what to write."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _workstatus
from ansible_collections.kubestellar.core.plugins.module_utils._workstatus import Source

LABELS = {
    "transport.kubestellar.io/originWdsName": "wds1",
    "transport.kubestellar.io/originOwnerReferenceBindingKey": "shop",
}


def only(found):
    """The one value of a mapping."""
    assert len(found) == 1
    return next(iter(found.values()))


def applied_work(name="hash-mw1", uid="amw1", manifest_work="mw1", resources=None):
    entry = {"group": "apps", "version": "v1", "resource": "deployments", "namespace": "shop", "name": "web"}
    return _workstatus.keep_applied_work(
        {
            "metadata": {"name": name, "uid": uid, "managedFields": []},
            "spec": {"manifestWorkName": manifest_work, "hubHash": "hash"},
            "status": {"appliedResources": [entry] if resources is None else resources},
        }
    )


def manifest_work(name="mw1", labels=None):
    return _workstatus.keep_manifest_work(
        {
            "metadata": {"name": name, "uid": f"uid-{name}", "labels": LABELS if labels is None else labels},
            "spec": {},
        }
    )


def deployment(owners=("amw1",), labels=None, **status):
    return _workstatus.keep_object(
        {
            "metadata": {
                "name": "web",
                "namespace": "shop",
                "uid": "object-uid",
                "generation": 4,
                "labels": labels or {},
                "ownerReferences": [
                    {"kind": "AppliedManifestWork", "name": f"hash-{o}", "uid": o} for o in owners
                ],
            },
            "spec": {"replicas": 1},
            "status": status,
        }
    )


def source(*objects, version="v1"):
    return Source("apps", version, "deployments", "Deployment", objects)


def desired(objects, applied=None, manifests=None):
    manifests = [manifest_work()] if manifests is None else manifests
    return _workstatus.desired(
        "cluster1",
        [applied_work()] if applied is None else applied,
        {work["metadata"]["name"]: work for work in manifests},
        [source(*objects)],
    )


def test_a_work_status_is_as_the_add_on_makes_it():
    found = only(desired([deployment(replicas=1)]))
    assert found["metadata"] == {
        "name": "amw1-appsv1-deployment-shop-web",
        "namespace": "cluster1",
        "labels": LABELS,
        "annotations": {"kubestellar.core/generation": "4"},
        "ownerReferences": [
            {
                "apiVersion": "work.open-cluster-management.io/v1",
                "kind": "ManifestWork",
                "name": "mw1",
                "uid": "uid-mw1",
                "controller": True,
            }
        ],
    }
    assert found["spec"]["sourceRef"] == {
        "group": "apps",
        "version": "v1",
        "resource": "deployments",
        "kind": "Deployment",
        "name": "web",
        "namespace": "shop",
    }
    assert found["status"] == {"replicas": 1}


@pytest.mark.parametrize(
    ("uid", "group", "kind", "namespace", "name", "expected"),
    [
        (
            "u",
            "apps",
            "Deployment",
            "nginx",
            "nginx-deployment",
            "u-appsv1-deployment-nginx-nginx-deployment",
        ),
        ("u", "", "Namespace", "", "shop", "u-v1-namespace--shop"),
        ("u", "networking.k8s.io", "Ingress", "a", "b", "u-networking.k8s.iov1-ingress-a-b"),
        ("u", "", "Service", "a", "x" * 300, "u-v1-service-a-" + "x" * 238),
        ("u", "example.org", "Thing", "", "system:Odd", "u-example.orgv1-thing--system--dd"),
    ],
)
def test_names_follow_the_add_on(uid, group, kind, namespace, name, expected):
    found = _workstatus.name_of(uid, Source(group, "v1", "any", kind), namespace, name)
    assert found == expected
    assert len(found) <= 253


def test_the_singleton_marker_of_the_object_travels():
    found = only(desired([deployment(labels={_workstatus.SINGLETON_LABEL: "true", "other": "x"})]))
    assert found["metadata"]["labels"] == {**LABELS, _workstatus.SINGLETON_LABEL: "true"}


def test_what_kubestellar_did_not_deliver_gets_none():
    assert manifest_work(labels={"app": "x"}) is None
    assert deployment(owners=()) is None
    assert desired([deployment()], manifests=[]) == {}
    assert desired([deployment(owners=("unknown",))]) == {}


def test_excluded_kinds_are_not_followed():
    entries = [
        {"group": "", "version": "v1", "resource": "configmaps", "name": "a"},
        {"group": "", "version": "v1", "resource": "secrets", "name": "a"},
        {"group": "rbac.authorization.k8s.io", "version": "v1", "resource": "roles", "name": "a"},
        {"group": "", "version": "v1", "resource": "services", "name": "a"},
    ]
    assert _workstatus.applied_resources([applied_work(resources=entries)]) == {("", "v1", "services")}


def test_two_policies_of_one_wds_share_a_work_status():
    works = [applied_work(), applied_work("hash-mw2", "amw2", "mw2")]
    manifests = [manifest_work(), manifest_work("mw2")]
    found = desired([deployment(owners=("amw1", "amw2"))], works, manifests)
    assert list(found) == ["amw1-appsv1-deployment-shop-web"]


def test_two_wdses_get_one_each():
    works = [applied_work(), applied_work("hash-mw2", "amw2", "mw2")]
    other = manifest_work("mw2", {**LABELS, "transport.kubestellar.io/originWdsName": "wds2"})
    found = desired([deployment(owners=("amw1", "amw2"))], works, [manifest_work(), other])
    assert len(found) == 2


def test_the_version_that_was_applied_counts():
    sources = [source(deployment(), version="v1beta1"), source(deployment(), version="v1")]
    found = _workstatus.desired("cluster1", [applied_work()], {"mw1": manifest_work()}, sources)
    assert [item["spec"]["sourceRef"]["version"] for item in found.values()] == ["v1"]


@pytest.mark.parametrize(
    ("change", "patch", "status"),
    [
        (lambda have: None, {}, False),
        (lambda have: have["metadata"]["labels"].update(foreign="x"), {}, False),
        (lambda have: have["status"].update(replicas=2), {}, True),
        (
            lambda have: have["metadata"]["annotations"].update({_workstatus.GENERATION_ANNOTATION: "3"}),
            {"metadata": {"annotations": {_workstatus.GENERATION_ANNOTATION: "4"}}},
            False,
        ),
        (
            lambda have: have["metadata"]["labels"].update({_workstatus.SINGLETON_LABEL: "true"}),
            {"metadata": {"labels": {_workstatus.SINGLETON_LABEL: None}}},
            False,
        ),
    ],
)
def test_only_differences_are_written(change, patch, status):
    want = only(desired([deployment(replicas=1)]))
    have = copy.deepcopy(want)
    change(have)
    assert _workstatus.differences(want, have) == (patch, status)


def test_an_owner_that_was_made_anew_is_corrected():
    want = only(desired([deployment()]))
    have = copy.deepcopy(want)
    have["metadata"]["ownerReferences"][0]["uid"] = "old"
    patch, _status = _workstatus.differences(want, have)
    assert patch == {"metadata": {"ownerReferences": want["metadata"]["ownerReferences"]}}
