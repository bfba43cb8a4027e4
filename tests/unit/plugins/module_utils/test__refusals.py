# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What API servers mean when they refuse an object: their own words, as seen from Kubernetes 1.34."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _refusals
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import ApiError, Conflict


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("there is no conflict", []),
        (
            'Apply failed with 1 conflict: conflict with "kubectl" using control.kubestellar.io/v1alpha1: .spec.downsync (HTTP 409).',
            [("kubectl", ".spec.downsync")],
        ),
        (
            (
                'Apply failed with 3 conflicts: conflicts with "kubectl edit" using v1: - .spec.clusterSelectors - .spec.downsync '
                'conflicts with "x" with subresource "status" using v1 at 2026-01-01T00:00:00Z: - .metadata.labels.a'
            ),
            [
                ("kubectl edit", ".spec.clusterSelectors"),
                ("kubectl edit", ".spec.downsync"),
                ("x", ".metadata.labels.a"),
            ],
        ),
    ],
)
def test_conflicts_are_read_from_what_the_server_says(message, expected):
    assert [(item["manager"], item["field"]) for item in _refusals.conflicts(message)] == expected


def test_a_conflict_is_told_by_owner_and_field():
    error = Conflict('x: conflict with "kubectl" using v1: .data.a', status=409, reason="Conflict")
    told = _refusals.explain(error, "wds1: ConfigMap a/b")
    assert (
        told.message == "wds1: ConfigMap a/b has other owners of what would be changed: kubectl owns .data.a."
    )
    assert "force_conflicts" in told.hint


FIXED = "Invalid value: {}: field is immutable"


@pytest.mark.parametrize(
    ("status", "causes", "fields"),
    [
        (422, [("spec.selector", FIXED)], ["spec.selector"]),
        (422, [("data", "Forbidden: field is immutable when `immutable` is set")], ["data"]),
        (
            422,
            [
                (
                    "spec",
                    "Forbidden: updates to statefulset spec for fields other than 'replicas' are forbidden",
                )
            ],
            ["spec"],
        ),
        (
            422,
            [("spec.clusterIPs[0]", 'Invalid value: ["10.0.0.1"]: may not change once set')],
            ["spec.clusterIPs[0]"],
        ),
        (422, [("roleRef", "Invalid value: {}: cannot change roleRef")], ["roleRef"]),
        (422, [("value", "Forbidden: may not be changed in an update.")], ["value"]),
        (
            422,
            [("", "Forbidden: pod updates may not change fields other than `spec.containers[*].image`")],
            ["something"],
        ),
        # What is wrong beside it would be wrong with a new object too.
        (422, [("spec.selector", FIXED), ("spec.replicas", "must be greater than or equal to 0")], []),
        (422, [("spec.replicas", "must be greater than or equal to 0")], []),
        (403, [("spec.selector", FIXED)], []),
    ],
)
def test_only_what_cannot_be_changed_is_a_reason_to_recreate(status, causes, fields):
    error = ApiError("x", status=status, reason="Invalid")
    error.causes = tuple(causes)
    assert _refusals.immutable(error) == fields


@pytest.mark.parametrize(
    ("message", "fields"), [("spec: field is immutable", ["something"]), ("spec is wrong", [])]
)
def test_a_refusal_without_causes_is_read_by_its_message(message, fields):
    assert _refusals.immutable(ApiError(message, status=422)) == fields


@pytest.mark.parametrize(
    "value", ['core.PodTemplateSpec{Image:"a: b"}', "core.PodTemplateSpec{" + "x: y, " * 500 + "}"]
)
def test_what_cannot_be_changed_is_seen_behind_a_value_of_any_length(value):
    cause = f"Invalid value: {value}: field is immutable"
    answer = {
        "message": f'Job.batch "j" is invalid: spec.template: {cause}',
        "details": {"causes": [{"field": "spec.template", "message": cause}]},
    }
    error = Cluster._refusal(SimpleNamespace(name="wds1"), "apply Job a/j", 422, json.dumps(answer).encode())
    assert _refusals.immutable(error) == ["spec.template"]
    assert len(error.message) < 200 and error.message.endswith("field is immutable (HTTP 422).")
