# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps a hub from getting ready, seen in the objects as Kubernetes writes them."""

from __future__ import annotations

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils.hub import troubles


def pod(name="p", status=None, owner=None, **spec):
    metadata = {"name": name, "namespace": "its1-system"}
    if owner:
        metadata["ownerReferences"] = [{"kind": owner[0], "name": owner[1], "controller": True}]
    return {"metadata": metadata, "spec": spec, "status": status or {}}


def waiting(reason, message="", name="c", restarts=0, **more):
    state = {"waiting": {"reason": reason, "message": message}}
    return {"name": name, "image": "i:1", "state": state, "restartCount": restarts, **more}


def claim(storage_class=None, phase="Pending"):
    return {
        "metadata": {"name": "data", "namespace": "n"},
        "spec": {"storageClassName": storage_class} if storage_class else {},
        "status": {"phase": phase},
    }


def storage_class(name, *, default=False):
    annotations = {"storageclass.kubernetes.io/is-default-class": "true"} if default else {}
    return {"metadata": {"name": name, "annotations": annotations}}


def event(reason, kind, name, message):
    return {
        "reason": reason,
        "message": message,
        "involvedObject": {"kind": kind, "name": name, "namespace": "n"},
    }


def test_a_failed_job_tells_how_its_containers_ended():
    job = {
        "metadata": {"name": "its-hub-init", "namespace": "its1-system"},
        "status": {
            "conditions": [
                {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "too often"}
            ]
        },
    }
    ended = {
        "containerStatuses": [{"name": "c", "state": {"terminated": {"exitCode": 3, "reason": "Error"}}}]
    }
    mine, other = pod(status=ended, owner=("Job", "its-hub-init")), pod(status=ended, owner=("Job", "other"))
    found = troubles.job_failure(job, [mine, other])
    assert found.id == "job-failed" and found.sure and found.where == "Job its1-system/its-hub-init"
    assert "too often; container c ended with exit code 3: Error" in found.message
    assert troubles.job_failure({**job, "status": {}}) is None


@pytest.mark.parametrize("kind", ["containerStatuses", "initContainerStatuses"])
@pytest.mark.parametrize(
    ("reason", "sure"), [("ImagePullBackOff", False), ("ErrImagePull", False), ("InvalidImageName", True)]
)
def test_an_image_that_cannot_be_pulled_is_named(kind, reason, sure):
    (found,) = troubles.pod_troubles(pod(status={"phase": "Pending", kind: [waiting(reason, "denied")]}))
    assert (found.id, found.sure) == ("pod-image", sure)
    assert "i:1" in found.message and "denied" in found.message and "registry" in found.hint


def test_some_restarts_are_no_crash_loop():
    for restarts, ids in ((2, []), (3, ["pod-crash-loop"])):
        container = waiting(
            "CrashLoopBackOff",
            restarts=restarts,
            lastState={"terminated": {"exitCode": 1, "reason": "Error"}},
        )
        found = list(troubles.pod_troubles(pod(status={"containerStatuses": [container]})))
        assert [entry.id for entry in found] == ids
    assert "exit code 1 (Error)" in found[0].message and "3 times" in found[0].message


def test_a_container_without_its_secret_cannot_be_started():
    container = waiting("CreateContainerConfigError", "couldn't find key x in Secret n/s")
    (found,) = troubles.pod_troubles(pod(status={"containerStatuses": [container]}))
    assert found.id == "pod-not-starting" and "key x" in found.message


def test_an_unschedulable_pod_is_one_unless_its_volume_is_the_cause():
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/2 nodes"}
    found = pod(status={"phase": "Pending", "conditions": [condition]})
    assert [entry.id for entry in troubles.pod_troubles(found)] == ["pod-unschedulable"]
    assert list(troubles.pod_troubles(found, volume_pending=True)) == []


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_pod_that_has_ended_has_no_trouble(phase):
    assert (
        list(
            troubles.pod_troubles(
                pod(status={"phase": phase, "containerStatuses": [waiting("ErrImagePull")]})
            )
        )
        == []
    )


@pytest.mark.parametrize(
    ("wanted", "classes", "words"),
    [
        (None, [], "it names no StorageClass, and there is none"),
        (None, [storage_class("a"), storage_class("b")], "of a, b none is the default"),
        ("fast", [storage_class("a", default=True)], "there is no StorageClass fast"),
    ],
)
def test_a_claim_without_storage_says_what_is_missing(wanted, classes, words):
    found = troubles.claim_trouble(claim(wanted), classes, [])
    assert found.id == "volume-missing" and words in found.message


def test_a_claim_with_storage_is_fine_until_its_provisioner_complains():
    classes = [storage_class("a", default=True)]
    assert troubles.claim_trouble(claim(), classes, []) is None
    assert troubles.claim_trouble(claim(phase="Bound"), [], []) is None
    failed = event("ProvisioningFailed", "PersistentVolumeClaim", "data", "quota exceeded")
    assert "quota exceeded" in troubles.claim_trouble(claim(), classes, [failed]).message


def test_refused_pods_are_told_once_with_the_last_reason():
    events = [
        event("FailedCreate", "Job", "j", "first"),
        event("FailedCreate", "Job", "j", "denied by webhook"),
        event("Other", "Job", "x", "no"),
    ]
    (found,) = troubles.refused_pods(events)
    assert (found.id, found.where) == ("pod-refused", "Job n/j") and "denied by webhook" in found.message


def test_a_missing_secret_key_shows_in_the_mounts_of_a_pod():
    waiting_pod = pod(status={"phase": "Pending"}, nodeName="node", containers=[{"name": "c"}])
    events = [event("FailedMount", "Pod", "p", "references non-existent secret key: config-incluster")]
    (found,) = troubles.failed_mounts([waiting_pod], events)
    assert found.id == "pod-not-starting" and "config-incluster" in found.message
    assert list(troubles.failed_mounts([pod(status={"phase": "Running"})], events)) == []


def test_a_secret_without_any_of_its_keys_is_found():
    plane = {
        "metadata": {"name": "its1"},
        "status": {
            "secretRef": {"namespace": "n", "name": "s", "key": "config", "inClusterKey": "config-incluster"}
        },
    }
    assert troubles.secret_trouble(plane, {"data": {"config": "eA=="}}) is None
    assert troubles.secret_trouble(plane, None) is None
    found = troubles.secret_trouble(plane, {"data": {}})
    assert found.id == "secret-key-missing" and "n/s lacks config, config-incluster" in found.message


def test_hooks_that_do_not_exist_are_named_unless_they_are_done():
    plane = {
        "metadata": {"name": "its1"},
        "spec": {"postCreateHooks": [{"hookName": "a"}, {"hookName": "b"}, {"hookName": "c"}]},
        "status": {"postCreateHooks": {"c": True}},
    }
    (found,) = troubles.missing_hooks(plane, {"a"})
    assert found.where == "ControlPlane its1" and "PostCreateHook b" in found.message
    assert list(troubles.missing_hooks(plane, {"a", "b"})) == []


@pytest.mark.parametrize(
    ("message", "refused"),
    [
        ('permanent error applying hook x: admission webhook "w" denied the request: no', True),
        ('Internal error occurred: failed calling webhook "w": connection refused', True),
        ('jobs.batch "x" is forbidden: exceeded quota: q', True),
        ('Job.batch "x" is invalid: spec: Required value', True),
        ('secrets "vc-vcluster" not found', False),
        ('admission webhook "w" does not support dry run', False),
        ("", False),
    ],
)
def test_what_the_api_server_refuses_kubeflex_is_told_from_what_passes(message, refused):
    found = troubles.refused_objects("its1", message)
    assert (found is not None) is refused
    if found:
        assert found.where == "ControlPlane its1" and message in found.message and not found.sure
