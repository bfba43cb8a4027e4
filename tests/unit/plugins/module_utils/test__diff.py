# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import copy
from decimal import Decimal

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _diff

DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "shop", "labels": {"a": "b"}},
    "spec": {
        "replicas": 2,
        "template": {
            "spec": {
                "containers": [
                    {
                        "name": "web",
                        "image": "web:1",
                        "ports": [{"containerPort": 80}],
                        "args": ["-v", "1"],
                        "resources": {"limits": {"cpu": "1000m", "memory": "1Gi"}},
                        "emptyDirLike": {},
                    }
                ]
            }
        },
    },
}
PORT_KEY = 'k:{"containerPort":80,"protocol":"TCP"}'
OWNED = {
    "f:metadata": {"f:labels": {"f:a": {}}},
    "f:spec": {
        "f:replicas": {},
        "f:template": {
            "f:spec": {
                "f:containers": {
                    'k:{"name":"web"}': {
                        ".": {},
                        "f:name": {},
                        "f:image": {},
                        "f:ports": {PORT_KEY: {".": {}, "f:containerPort": {}, "f:protocol": {}}},
                        "f:args": {},
                        "f:resources": {"f:limits": {"f:cpu": {}, "f:memory": {}}},
                        "f:emptyDirLike": {},
                    }
                }
            }
        },
    },
}


def live(change=lambda obj: None, owned=None):
    owned = OWNED if owned is None else owned
    obj = copy.deepcopy(DEPLOYMENT)
    obj["metadata"].update(
        uid="u",
        resourceVersion="7",
        managedFields=[
            {
                "manager": "kubestellar.core",
                "operation": "Apply",
                "apiVersion": "apps/v1",
                "fieldsV1": copy.deepcopy(owned),
            }
        ],
    )
    container = obj["spec"]["template"]["spec"]["containers"][0]
    container["ports"][0]["protocol"] = "TCP"
    container["imagePullPolicy"] = "IfNotPresent"
    container["resources"]["limits"]["cpu"] = "1"
    obj["spec"]["revisionHistoryLimit"] = 10
    obj["status"] = {"replicas": 2}
    change(obj)
    return obj


def container_of(obj):
    return obj["spec"]["template"]["spec"]["containers"][0]


def test_defaults_foreign_fields_and_other_spellings_are_no_difference():
    def foreign(obj):
        obj["metadata"]["labels"]["foreign"] = "x"
        obj["metadata"]["finalizers"] = ["other/one"]
        obj["spec"]["template"]["spec"]["containers"].append({"name": "sidecar", "image": "injected"})

    assert _diff.satisfied(DEPLOYMENT, live())
    assert _diff.satisfied(DEPLOYMENT, live(foreign))


def test_what_is_empty_and_owned_is_no_difference_where_the_server_does_not_store_it():
    want, there = copy.deepcopy(DEPLOYMENT), live()
    want["spec"]["paused"] = False
    assert not _diff.satisfied(want, there)  # it was never applied
    there["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"]["f:paused"] = {}
    assert _diff.satisfied(want, there)
    assert not _diff.satisfied(want, {**there, "spec": {**there["spec"], "paused": True}})
    want["spec"]["paused"] = True
    assert not _diff.satisfied(want, there)


@pytest.mark.parametrize(
    "change",
    [
        lambda obj: obj["spec"].update(replicas=3),
        lambda obj: obj["spec"].update(replicas="2"),
        lambda obj: obj["metadata"]["labels"].clear(),
        lambda obj: container_of(obj).update(image="web:2"),
        lambda obj: container_of(obj).update(args=["-v"]),
        lambda obj: container_of(obj).update(args=["-v", "1", "2"]),
        lambda obj: container_of(obj)["resources"]["limits"].update(memory="1G"),
        lambda obj: obj["spec"]["template"]["spec"].update(containers=[]),
    ],
)
def test_a_drifted_field_is_a_difference(change):
    assert not _diff.satisfied(DEPLOYMENT, live(change))


@pytest.mark.parametrize(
    "change",
    [
        lambda want: want["spec"].pop("replicas"),
        lambda want: want["metadata"].pop("labels"),
        lambda want: container_of(want).pop("args"),
        lambda want: container_of(want).pop("ports"),
        lambda want: want["spec"].update(paused=True),
        lambda want: container_of(want)["ports"].append({"containerPort": 81}),
    ],
)
def test_a_field_no_longer_or_newly_wanted_is_a_difference(change):
    want = copy.deepcopy(DEPLOYMENT)
    change(want)
    assert not _diff.satisfied(want, live())


def test_an_object_of_which_nothing_is_wanted_is_right_as_it_is():
    want = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    assert _diff.satisfied(want, {**want, "metadata": {"name": "shop", "labels": {"others": "own"}}})
    # What we applied in another version is still to be given up.
    ours = {"manager": _diff.FIELD_MANAGER, "operation": "Apply", "apiVersion": "v0", "fieldsV1": OWNED}
    assert not _diff.satisfied(want, {**want, "metadata": {"name": "shop", "managedFields": [ours]}})


def test_an_object_that_others_made_is_not_ours_yet():
    assert not _diff.satisfied(DEPLOYMENT, live(lambda obj: obj["metadata"].update(managedFields=[])))
    assert not _diff.applied_by(live(lambda obj: obj["metadata"].update(managedFields=[])))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1000m", Decimal(1)),
        ("1Gi", Decimal(2**30)),
        ("1e3", Decimal(1000)),
        ("0.5", Decimal("0.5")),
        ("x", None),
        ("", None),
    ],
)
def test_quantity(text, number):
    assert _diff.quantity(text) == number


def test_a_version_is_no_quantity():
    want = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"v": "1.10"}}
    there = copy.deepcopy(want)
    there["data"]["v"] = "1.1"
    there["metadata"]["managedFields"] = [
        {
            "manager": "kubestellar.core",
            "operation": "Apply",
            "apiVersion": "v1",
            "fieldsV1": {"f:data": {"f:v": {}}},
        }
    ]
    assert not _diff.satisfied(want, there)


def test_wanted_drops_what_the_server_owns_and_encodes_secret_text():
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", "creationTimestamp": None, "resourceVersion": "1", "uid": "u"},
        "stringData": {"password": "hunter2"},
        "status": {},
    }
    assert _diff.wanted(secret) == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s"},
        "data": {"password": "aHVudGVyMg=="},
    }


def test_diff_masks_secrets_and_marks_what_differs():
    before = {"kind": "Secret", "data": {"same": "YQ==", "old": "Yg==", "changed": "Yw=="}}
    after = {"kind": "Secret", "data": {"same": "YQ==", "new": "ZA==", "changed": "ZQ=="}}
    shown = _diff.entry(before, after, "c: Secret s")
    assert not any(
        value in shown["before"] + shown["after"] for value in ("YQ==", "Yg==", "Yw==", "ZA==", "ZQ==")
    )
    assert (
        "changed: '******** (before)'" in shown["before"] and "changed: '******** (after)'" in shown["after"]
    )
    assert "same: '********'" in shown["before"] and "same: '********'" in shown["after"]
    assert before["data"]["old"] == "Yg=="


def applied(want, there, **fields):
    """Whether nothing is to be sent where we have applied `fields` and `there` is what is stored."""
    mine = {"manager": _diff.FIELD_MANAGER, "operation": "Apply", "apiVersion": want["apiVersion"]}
    metadata = {"name": "x", "managedFields": [{**mine, "fieldsV1": fields}]}
    return _diff.satisfied({**want, "metadata": {"name": "x"}}, {**there, "metadata": metadata})


def of_kind(api_version, kind, **body):
    return {"apiVersion": api_version, "kind": kind, **body}


@pytest.mark.parametrize(
    ("asked", "stored", "same"),
    [
        (1, "1", True),
        (0.5, "500m", True),
        ("2.0", "2", True),
        ("1024Mi", "1Gi", True),
        (1, "2", False),
        (1, "1m", False),
        ("1G", "1Gi", False),
        (True, "1", False),
    ],
)
@pytest.mark.parametrize(
    "place", [("limits", "cpu"), ("hard", "pods"), ("emptyDir", "sizeLimit"), ("target", "value")]
)
def test_an_amount_is_the_same_however_it_is_written(place, asked, stored, same):
    outer, inner = place
    want, there = (
        of_kind("apps/v1", "Deployment", spec={outer: {inner: amount}}) for amount in (asked, stored)
    )
    assert applied(want, there, **{"f:spec": {f"f:{outer}": {f"f:{inner}": {}}}}) is same
    listed, stored_list = ({**one, "spec": {"a": [one["spec"]]}} for one in (want, there))
    assert applied(listed, stored_list, **{"f:spec": {"f:a": {}}}) is same


@pytest.mark.parametrize(
    ("api_version", "kind", "field", "asked", "stored"),
    [
        ("v1", "ConfigMap", "data", "1024Mi", "1Gi"),
        ("v1", "ConfigMap", "data", "1000m", "1"),
        ("v1", "Service", "ports", 80, "80"),
        ("apps/v1", "Deployment", "nodeSelector", "1k", "1000"),
        ("example.com/v1", "Widget", "limits", 1, "1"),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition", "default", "1024Mi", "1Gi"),
        ("control.kubestellar.io/v1alpha1", "BindingPolicy", "limits", "1024Mi", "1Gi"),
        ("example.com/v1", "Widget", "limits", "1024Mi", "1Gi"),
    ],
)
def test_what_only_looks_like_the_same_amount_is_a_difference(api_version, kind, field, asked, stored):
    want, there = (of_kind(api_version, kind, **{field: {"cpu": value}}) for value in (asked, stored))
    assert not applied(want, there, **{f"f:{field}": {"f:cpu": {}}})


@pytest.mark.parametrize(
    ("kind", "field"), [("Secret", "data"), ("ConfigMap", "binaryData"), ("Service", "caBundle")]
)
def test_base64_in_lines_is_the_same(kind, field):
    def value(text):
        return of_kind("v1", kind, **{field: text if field == "caBundle" else {"a": text}})

    owned = {f"f:{field}": {} if field == "caBundle" else {"f:a": {}}}
    assert applied(value("aGVs\nbG8=\n"), value("aGVsbG8="), **owned)
    assert not applied(value("aGVs\nbG9v\n"), value("aGVsbG8="), **owned)


@pytest.mark.parametrize("order", [1, -1])
def test_the_default_of_a_key_is_told_from_another_value_of_it(order):
    ports = [{"port": 53}, {"port": 53, "protocol": "UDP"}][::order]
    stored = [{"protocol": "TCP", **port} for port in ports]
    fields = {
        f'k:{{"port":53,"protocol":"{name}"}}': {".": {}, "f:port": {}, "f:protocol": {}}
        for name in ("UDP", "TCP")
    }
    want, there = (of_kind("v1", "Service", spec={"ports": value}) for value in (ports, stored))
    assert applied(want, there, **{"f:spec": {"f:ports": fields}})
    there["spec"]["ports"][0]["port"] = 54
    assert not applied(want, there, **{"f:spec": {"f:ports": fields}})


def test_what_is_neither_wanted_nor_there_is_not_to_be_removed():
    fields = {"f:spec": {"f:type": {}, "f:rollingUpdate": {}}}
    want = of_kind("apps/v1", "Deployment", spec={"type": "Recreate"})
    assert applied(want, want, **fields)
    assert not applied(
        want, of_kind("apps/v1", "Deployment", spec={"type": "Recreate", "rollingUpdate": {"a": 1}}), **fields
    )
