# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Health by kind."""

from __future__ import annotations

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._health import (
    assess,
    deployment_lack,
    relevant_spec,
)

H, P, F = "healthy", "progressing", "failed"
ROLLED_OUT = {
    "observedGeneration": 3,
    "replicas": 2,
    "updatedReplicas": 2,
    "readyReplicas": 2,
    "availableReplicas": 2,
}


def conditions(*pairs, **more):
    return {"conditions": [{"type": kind, "status": status, **more} for kind, status in pairs]}


@pytest.mark.parametrize(
    ("group", "kind", "spec", "status", "state", "message"),
    [
        ("apps", "Deployment", {"replicas": 2}, {}, P, "no status yet"),
        ("apps", "Deployment", {"replicas": 2}, ROLLED_OUT, H, ""),
        ("apps", "Deployment", {"replicas": 3}, ROLLED_OUT, P, "2 of 3 replicas updated"),
        (
            "apps",
            "Deployment",
            {"replicas": 2},
            {**ROLLED_OUT, "updatedReplicas": 1},
            P,
            "1 of 2 replicas updated",
        ),
        (
            "apps",
            "Deployment",
            {"replicas": 2},
            {**ROLLED_OUT, "replicas": 3},
            P,
            "1 old replicas still there",
        ),
        (
            "apps",
            "Deployment",
            {"replicas": 2},
            {**ROLLED_OUT, "availableReplicas": 1},
            P,
            "1 of 2 replicas available",
        ),
        ("apps", "Deployment", {"replicas": 0}, {"observedGeneration": 1}, H, ""),
        ("apps", "Deployment", {}, ROLLED_OUT, H, ""),
        (
            "apps",
            "Deployment",
            {"replicas": 2},
            {
                **ROLLED_OUT,
                **conditions(("Progressing", "False"), reason="ProgressDeadlineExceeded", message="too late"),
            },
            F,
            "too late",
        ),
        (
            "apps",
            "Deployment",
            {},
            {**ROLLED_OUT, **conditions(("ReplicaFailure", "True"), message="quota")},
            F,
            "quota",
        ),
        ("apps", "ReplicaSet", {"replicas": 2}, ROLLED_OUT, H, ""),
        ("apps", "ReplicaSet", {"replicas": 3}, ROLLED_OUT, P, "2 of 3 replicas available"),
        (
            "apps",
            "StatefulSet",
            {"replicas": 2},
            {**ROLLED_OUT, "currentRevision": "a", "updateRevision": "a"},
            H,
            "",
        ),
        (
            "apps",
            "StatefulSet",
            {"replicas": 2},
            {**ROLLED_OUT, "updatedReplicas": 1, "currentRevision": "a", "updateRevision": "b"},
            P,
            "1 of 2 replicas updated",
        ),
        ("apps", "StatefulSet", {"replicas": 3}, ROLLED_OUT, P, "2 of 3 replicas ready"),
        (
            "apps",
            "StatefulSet",
            {"replicas": 2, "updateStrategy": {"rollingUpdate": {"partition": 1}}},
            {**ROLLED_OUT, "updatedReplicas": 1, "currentRevision": "a", "updateRevision": "b"},
            H,
            "",
        ),
        (
            "apps",
            "StatefulSet",
            {"replicas": 2, "updateStrategy": {"type": "OnDelete"}},
            {**ROLLED_OUT, "currentRevision": "a", "updateRevision": "b"},
            H,
            "",
        ),
        (
            "apps",
            "DaemonSet",
            {},
            {
                "observedGeneration": 1,
                "desiredNumberScheduled": 2,
                "updatedNumberScheduled": 2,
                "numberAvailable": 1,
            },
            P,
            "1 of 2 Pods available",
        ),
        (
            "apps",
            "DaemonSet",
            {},
            {
                "observedGeneration": 1,
                "desiredNumberScheduled": 2,
                "updatedNumberScheduled": 1,
                "numberAvailable": 2,
            },
            P,
            "1 of 2 Pods updated",
        ),
        (
            "apps",
            "DaemonSet",
            {},
            {"observedGeneration": 1, "desiredNumberScheduled": 0},
            H,
            "no node takes it",
        ),
        ("batch", "Job", {}, {"active": 1}, P, "1 Pods active, 0 succeeded"),
        ("batch", "Job", {}, conditions(("SuccessCriteriaMet", "True"), ("Complete", "True")), H, ""),
        ("batch", "Job", {}, conditions(("Failed", "True"), message="backoff limit"), F, "backoff limit"),
        ("batch", "Job", {}, conditions(("Suspended", "True")), P, "suspended"),
        ("batch", "CronJob", {}, {}, H, ""),
        ("", "Pod", {}, {}, P, "no status yet"),
        ("", "Pod", {}, {"phase": "Running", **conditions(("Ready", "True"))}, H, ""),
        ("", "Pod", {}, {"phase": "Running", **conditions(("Ready", "False"))}, P, "Running"),
        ("", "Pod", {}, {"phase": "Succeeded"}, H, ""),
        ("", "Pod", {}, {"phase": "Failed", "reason": "Evicted"}, F, "Evicted"),
        (
            "",
            "Pod",
            {},
            {
                "phase": "Pending",
                "containerStatuses": [{"name": "c", "state": {"waiting": {"reason": "ErrImagePull"}}}],
            },
            P,
            "container c: ErrImagePull",
        ),
        (
            "",
            "Pod",
            {},
            {"phase": "Pending", **conditions(("PodScheduled", "False"), message="no node fits")},
            P,
            "no node fits",
        ),
        ("", "PersistentVolumeClaim", {}, {"phase": "Bound"}, H, ""),
        ("", "PersistentVolumeClaim", {}, {"phase": "Pending"}, P, "Pending"),
        ("", "PersistentVolumeClaim", {}, {"phase": "Lost"}, F, "its volume is lost"),
        ("", "PersistentVolume", {}, {"phase": "Available"}, H, ""),
        ("", "PersistentVolume", {}, {"phase": "Failed"}, F, "failed"),
        ("", "Service", {"type": "ClusterIP"}, {"loadBalancer": {}}, H, ""),
        (
            "",
            "Service",
            {"type": "LoadBalancer"},
            {"loadBalancer": {}},
            P,
            "no address from the load balancer yet",
        ),
        ("", "Service", {"type": "LoadBalancer"}, {"loadBalancer": {"ingress": [{"ip": "::1"}]}}, H, ""),
        ("", "Namespace", {}, {"phase": "Active"}, H, ""),
        ("", "Namespace", {}, {"phase": "Terminating"}, F, "being deleted"),
        ("apiextensions.k8s.io", "CustomResourceDefinition", {}, conditions(("Established", "True")), H, ""),
        ("apiextensions.k8s.io", "CustomResourceDefinition", {}, {}, P, "not established yet"),
        (
            "apiextensions.k8s.io",
            "CustomResourceDefinition",
            {},
            conditions(("NamesAccepted", "False"), message="taken"),
            F,
            "taken",
        ),
        ("example.org", "Thing", {}, {}, H, ""),
        ("example.org", "Thing", {}, conditions(("Ready", "False"), message="not yet"), P, "not yet"),
        ("example.org", "Thing", {}, conditions(("Ready", "True")), H, ""),
        ("example.org", "Thing", {}, conditions(("Ready", "True"), ("Stalled", "True")), F, "stalled"),
        ("example.org", "Thing", {}, conditions(("Reconciling", "True")), P, "reconciling"),
        ("example.org", "Thing", {}, {"conditions": "odd"}, H, ""),
        ("example.org", "Thing", {}, {"conditions": ["odd", {"type": "Ready", "status": "True"}]}, H, ""),
    ],
)
def test_health_by_kind(group, kind, spec, status, state, message):
    health = assess(group, kind, spec, status)
    assert (health.state, health.message) == (state, message)


def test_a_status_of_an_older_generation_is_no_answer():
    assert assess("apps", "Deployment", {"replicas": 2}, ROLLED_OUT, generation=4).state == P
    assert assess("apps", "Deployment", {"replicas": 2}, ROLLED_OUT, generation=3).state == H
    old = conditions(("Ready", "True"), observedGeneration=1)
    assert assess("example.org", "Thing", {}, old, generation=2).state == P


def test_only_what_cannot_recover_is_final():
    assert assess("batch", "Job", {}, conditions(("Failed", "True"))).final
    assert assess("", "Pod", {}, {"phase": "Failed"}).final
    assert not assess("", "PersistentVolumeClaim", {}, {"phase": "Lost"}).final


def test_only_the_relevant_part_of_a_spec_is_kept():
    spec = {"replicas": 2, "template": {"spec": {}}, "updateStrategy": {"type": "OnDelete"}}
    assert relevant_spec("apps", "StatefulSet", spec) == {
        "replicas": 2,
        "updateStrategy": {"type": "OnDelete"},
    }
    assert relevant_spec("example.org", "Thing", spec) == {}


@pytest.mark.parametrize(
    ("spec", "status", "words"),
    [
        (
            {"replicas": 1},
            {
                "observedGeneration": 1,
                "replicas": 1,
                "updatedReplicas": 1,
                "availableReplicas": 1,
                "readyReplicas": 1,
            },
            "",
        ),
        ({"replicas": 0}, {"observedGeneration": 1}, "it is scaled to 0"),
        ({"replicas": 1}, {"observedGeneration": 1}, "0 of 1 replicas updated"),
        ({"replicas": 1}, {}, "no status yet"),
    ],
)
def test_a_deployment_must_run_to_count(spec, status, words):
    found = {"metadata": {"generation": 1}, "spec": spec, "status": status}
    assert deployment_lack(found) == words
