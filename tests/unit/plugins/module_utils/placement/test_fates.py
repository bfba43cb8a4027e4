# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of objects on their way, seen from their content."""

from __future__ import annotations

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils.placement import catalogue, fates
from ansible_collections.kubestellar.core.plugins.module_utils.placement.resolution import ObjectKey
from hypothesis import given
from hypothesis import strategies as st


def obj(api_version, kind, **fields):
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": "x", **fields.pop("metadata", {})},
        **fields,
    }


def job(**spec):
    return obj("batch/v1", "Job", spec=spec)


def service(**spec):
    return obj("v1", "Service", spec=spec)


HOOK = {"name": "h.example.com", "clientConfig": {"service": {"name": "hook", "namespace": "hunt"}}}
BY_URL = {"name": "h.example.com", "clientConfig": {"url": "https://hook.example.com"}}


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (obj("v1", "ConfigMap", data={"suspend": "true"}), {}),
        (job(), {"job-update": ("spec.selector",)}),
        (
            job(ttlSecondsAfterFinished=0, suspend=True),
            {
                "job-update": ("spec.selector",),
                "job-ttl": ("spec.ttlSecondsAfterFinished",),
                "job-suspend": ("spec.suspend",),
            },
        ),
        (job(suspend=False), {"job-update": ("spec.selector",)}),
        (obj("batch/v1", "CronJob", spec={"suspend": True}), {}),
        (service(ports=[{"port": 80}], type="ClusterIP"), {}),
        (service(clusterIP="None", sessionAffinity="None", externalTrafficPolicy="Cluster"), {}),
        (
            service(
                ports=[{"port": 80, "nodePort": 30080}], sessionAffinity="ClientIP", clusterIP="10.0.0.9"
            ),
            {"service-fields": ("spec.sessionAffinity", "spec.clusterIP", "spec.ports[].nodePort")},
        ),
        (
            {
                **service(ports=[{"port": 80, "nodePort": 30080}]),
                "metadata": {"annotations": {"control.kubestellar.io/preserve": "nodeport"}},
            },
            {},
        ),
        (
            service(externalTrafficPolicy="Local", internalTrafficPolicy="Local", ipFamilies=["IPv6"]),
            {
                "service-fields": (
                    "spec.externalTrafficPolicy",
                    "spec.internalTrafficPolicy",
                    "spec.ipFamilies",
                )
            },
        ),
        (
            obj("v1", "PersistentVolume", spec={"claimRef": {"name": "data"}}),
            {"volume-claim": ("spec.claimRef",)},
        ),
        (obj("v1", "PersistentVolume", spec={}), {}),
        (
            obj("v1", "ConfigMap", metadata={"ownerReferences": [{"name": "gone"}]}),
            {"owner-references": ("metadata.ownerReferences",)},
        ),
        (
            obj("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", webhooks=[HOOK]),
            {"acts-on-wds": ("webhooks[].clientConfig.service",)},
        ),
        (obj("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", webhooks=[BY_URL]), {}),
        (
            obj("apiregistration.k8s.io/v1", "APIService", spec={"service": {"name": "s"}}),
            {"acts-on-wds": ("spec.service",)},
        ),
        (obj("apiregistration.k8s.io/v1", "APIService", spec={"service": None}), {}),
        (
            obj(
                "apiextensions.k8s.io/v1",
                "CustomResourceDefinition",
                spec={"conversion": {"strategy": "Webhook"}},
            ),
            {"acts-on-wds": ("spec.conversion",)},
        ),
        (
            obj(
                "apiextensions.k8s.io/v1",
                "CustomResourceDefinition",
                spec={"conversion": {"strategy": "None"}},
            ),
            {},
        ),
        (
            obj("v1", "PersistentVolumeClaim", spec={"accessModes": ["ReadWriteOnce"]}),
            {"claim-update": ("spec.storageClassName", "spec.volumeName")},
        ),
        (obj("v1", "PersistentVolumeClaim", spec={"storageClassName": "", "volumeName": "wharf-nfs"}), {}),
        (
            obj("v1", "ServiceAccount", imagePullSecrets=[{"name": "a"}], automountServiceAccountToken=False),
            {},
        ),
    ],
)
def test_what_becomes_of_an_object(one, expected):
    assert fates.of_object(one) == expected


@pytest.mark.parametrize(
    ("kind", "altered", "kept"),
    [
        ("ServiceAccount", ["automountServiceAccountToken", "imagePullSecrets"], True),
        ("ServiceAccount", ["secrets"], True),
        ("ServiceAccount", [], False),
        ("Pod", ["spec"], True),
        ("ConfigMap", ["immutable"], True),
        ("ConfigMap", ["binaryData", "data"], False),
        ("Secret", ["immutable"], True),
        ("Secret", ["data", "type"], False),
        ("Service", ["spec"], False),
    ],
)
def test_agents_leave_some_fields_of_some_kinds_as_they_are(kind, altered, kept):
    expected = {"partly-updated": tuple(altered)} if kept else {}
    found = fates.of_object(obj("v1", kind), altered=altered)
    assert {code: fields for code, fields in found.items() if code == "partly-updated"} == expected


def test_what_a_server_completes_is_nobodys_wish():
    described = {
        ObjectKey("", "services", "shop", "web"): service(ports=[{"port": 80}], type="NodePort"),
        ObjectKey("apps", "deployments", "shop", "web"): obj("apps/v1", "Deployment", spec={}),
        ObjectKey("autoscaling", "horizontalpodautoscalers", "shop", "web"): obj(
            "autoscaling/v2",
            "HorizontalPodAutoscaler",
            spec={"scaleTargetRef": {"kind": "Deployment", "name": "web"}},
        ),
    }
    completed = {
        "clusterIP": "10.0.0.9",
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "replicas": 1,
    }
    answers = {
        key: {**one, "spec": {**one["spec"], **completed}, "described": one} for key, one in described.items()
    }
    found = fates.of_all(answers)
    assert found == fates.of_all(described)
    assert [key.resource for key in found] == ["deployments"]


def test_what_is_taken_off_an_object_stays_in_the_clusters():
    assert fates.of_object(obj("v1", "ConfigMap"), ["label shift", "annotation example.com/owner"]) == {
        "labels-stay": ("annotation example.com/owner", "label shift")
    }


def test_an_autoscaler_and_a_default_of_one_replica_fight():
    def key(resource, name):
        return ObjectKey("apps", resource, "shop", name)

    target = {"scaleTargetRef": {"kind": "Deployment", "name": "web"}}
    objects = {
        key("deployments", "web"): obj("apps/v1", "Deployment", spec={}),
        key("deployments", "other"): obj("apps/v1", "Deployment", spec={}),
        key("horizontalpodautoscalers", "web"): obj("autoscaling/v2", "HorizontalPodAutoscaler", spec=target),
    }
    assert fates.of_all(objects) == {key("deployments", "web"): {"replicas-autoscaled": ("spec.replicas",)}}
    objects[key("deployments", "web")]["spec"]["replicas"] = 3
    assert fates.of_all(objects) == {}


def test_each_code_is_told():
    assert set(fates.CODES) <= catalogue.CATALOGUE.keys() and set(fates.CODES) >= fates.ONCE | fates.LATER


KINDS = [
    ("batch/v1", "Job"),
    ("v1", "Service"),
    ("v1", "PersistentVolume"),
    ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"),
    ("apiregistration.k8s.io/v1", "APIService"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
]
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["service", "ports", "clientConfig", "conversion", "scaleTargetRef", "claimRef"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(st.sampled_from(KINDS), ANY, ANY)
def test_no_content_is_too_odd(kind, spec, webhooks):
    found = {ObjectKey("", "x", "n", "x"): obj(*kind, spec=spec, webhooks=webhooks)}
    assert isinstance(fates.of_all(found), dict)
