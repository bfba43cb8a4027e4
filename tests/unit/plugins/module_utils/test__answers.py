# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What API servers really say, and what is made of it."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _answers, _client
from ansible_collections.kubestellar.core.plugins.module_utils._auth import Auth
from ansible_collections.kubestellar.core.plugins.module_utils._errors import ApiError

RIGHT = "The credentials lack this right"


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (
            'configmaps is forbidden: User "a" cannot list resource "configmaps" in API group "" at the cluster scope',
            RIGHT,
        ),
        ('forbidden: User "a" cannot get path "/api"', RIGHT),
        ('forbidden: User "system:anonymous" cannot get path "/apis"', "a token or certificate is missing"),
        ("", RIGHT),
        ("<html>Access denied by proxy</html>", "something on the way"),
        (
            'roles "r" is forbidden: user "a" is attempting to grant RBAC permissions not currently held:\n{APIGroups:[]}',
            "escalate and bind",
        ),
        (
            'configmaps "a" is forbidden: unable to create new content in namespace x because it is being terminated',
            "Wait until the Namespace is gone",
        ),
        (
            'pods "p" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false',
            "pod-security.kubernetes.io/enforce",
        ),
        (
            'pods "p" is forbidden: exceeded quota: q, requested: pods=1, used: pods=3, limited: pods=3',
            "ResourceQuota",
        ),
        ('pods "p" is forbidden: failed quota: q: must specify limits.cpu for: c', "requests and limits"),
        ('pods "p" is forbidden: maximum cpu usage per Container is 1, but limit is 2', "LimitRange"),
        (
            'pods "p" is forbidden: error looking up service account n/s: serviceaccount "s" not found',
            "ServiceAccount",
        ),
        ('pods "p" is forbidden: no PriorityClass with name high was found', "PriorityClass"),
        ('pods "p" is forbidden: pod rejected: RuntimeClass "kata" not found', "RuntimeClass"),
        (
            'admission webhook "policy.example.com" denied the request: no latest tags',
            "the rule that says so",
        ),
        (
            "pods \"p\" is forbidden: ValidatingAdmissionPolicy 'a' with binding 'b' denied request: no latest tags",
            "the rule that says so",
        ),
        ('namespaces "default" is forbidden: this namespace may not be deleted', "not the credentials"),
    ],
)
def test_a_403_is_told_by_what_the_server_says(message, words):
    said = _answers.hint(403, message)
    assert words in said and (words == RIGHT or RIGHT not in said or "something on the way" in said)


@pytest.mark.parametrize(
    ("status", "message", "words"),
    [
        (401, "Unauthorized", "a token may have expired"),
        (404, 'namespaces "shop" not found', "Add the Namespace to the objects"),
        (409, 'object is being deleted: configmaps "a" already exists', "metadata.finalizers"),
        (422, "metadata.name: Invalid value", ""),
    ],
)
def test_what_can_be_done_is_told_where_it_is_known(status, message, words):
    said = _answers.hint(status, message)
    assert words in said and bool(said) == bool(words)


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (
            "failed to create typed patch object (n/c; v1, Kind=ConfigMap): .data.pin: expected string, got &value.X{Value:424242}",
            "failed to create typed patch object (n/c; v1, Kind=ConfigMap): .data.pin: takes text and has something else",
        ),
        (
            'errors:\n  .data.a: expected string, got &value.X{Value:map[x:{"horse"}]}\n  .spec: expected map, got &value.X{Value:"horse, 1"}',
            "errors:\n  .data.a: takes text and has something else\n  .spec: takes a mapping and has something else",
        ),
        (".spec.fresh: field not declared in schema", ".spec.fresh: field not declared in schema"),
    ],
)
def test_a_field_of_another_type_is_told_without_its_value(message, told):
    assert _answers.worded(message) == told


WEBHOOK = 'failed calling webhook "h.example.com": failed to call webhook: Post "https://h.example:443/v": %s'


@pytest.mark.parametrize(
    ("message", "attempts"),
    [
        (".data.a: failed to create typed patch object (n/c; v1, Kind=ConfigMap): x", 1),
        ('Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte 4', 1),
        ("unable to parse quantity's suffix", 1),
        ("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'", 1),
        ('parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse', 1),
        (WEBHOOK % 'service "h" not found', 1),
        (WEBHOOK % 'no endpoints available for service "h"', 3),
        ("etcdserver: leader changed", 7),
        ("context deadline exceeded", 7),
    ],
)
def test_only_what_may_pass_is_tried_again(monkeypatch, message, attempts):
    cluster = _client.Cluster.from_auth(Auth(source="options", host="https://127.0.0.1:9"), name="wds1")
    sent: list[str] = []

    def answer(method: str, *rest: Any, **more: Any) -> SimpleNamespace:
        sent.append(method)
        status = {"kind": "Status", "message": message, "reason": "InternalError", "code": 500}
        return SimpleNamespace(
            status=500,
            headers={},
            read=lambda *_arguments, **_more: json.dumps(status).encode(),
            release_conn=lambda: None,
        )

    monkeypatch.setattr(cluster, "_send", answer)
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    with pytest.raises(ApiError) as caught:
        cluster.request("PATCH", "/x", content_type="application/apply-patch+yaml")
    assert len(sent) == attempts
    assert ("a WDS runs no Pods" in caught.value.hint) == ("webhook" in message)


SERVED = {
    ("policy/v1", "PodDisruptionBudget"),
    ("apps/v1", "Deployment"),
    ("v1", "Service"),
    ("v1", "ConfigMap"),
}


@pytest.mark.parametrize(
    ("api_version", "kind", "words"),
    [
        ("policy/v1beta1", "PodDisruptionBudget", "Write apiVersion: policy/v1, and"),
        ("extensions/v1beta1", "Deployment", "Write apiVersion: apps/v1, and"),
        ("v1", "configMap", "Write kind: ConfigMap."),
        ("policy/v1beta1", "PodSecurityPolicy", "This version of Kubernetes does not have it"),
        ("serving.knative.dev/v1", "Service", "Is its CustomResourceDefinition applied"),
        ("example.com/v1", "Gadget", "Is its CustomResourceDefinition applied"),
    ],
)
def test_a_kind_that_is_not_served_is_told_with_what_is(api_version, kind, words):
    assert words in _client._alike(api_version, kind, SERVED)
