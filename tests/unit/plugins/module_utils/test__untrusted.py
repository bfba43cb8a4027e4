# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a kubeconfig from a cluster may say."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput
from ansible_collections.kubestellar.core.plugins.module_utils._untrusted import inline

SECRET = "c2VjcmV0LWtleQ=="


def kubeconfig(cluster: dict[str, Any] | None = None, user: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "wds1",
        "clusters": [
            {"name": "other", "cluster": {"server": "https://other.example.com"}},
            {"name": "c", "cluster": {"server": "https://wds1.example.com:9443", **(cluster or {})}},
        ],
        "users": [{"name": "u", "user": {"client-key-data": SECRET, "token": "t", **(user or {})}}],
        "contexts": [{"name": "wds1", "context": {"cluster": "c", "user": "u", "namespace": "default"}}],
    }


def test_address_authority_and_credentials_of_the_current_context_are_taken():
    taken = inline(kubeconfig({"certificate-authority-data": "Q0E=", "extensions": [{"name": "x"}]}), "wds1")
    assert [entry["cluster"] for entry in taken["clusters"]] == [
        {"server": "https://wds1.example.com:9443", "certificate-authority-data": "Q0E="}
    ]
    assert [entry["user"] for entry in taken["users"]] == [{"client-key-data": SECRET, "token": "t"}]
    assert len(taken["contexts"]) == 1


@pytest.mark.parametrize(
    ("cluster", "user", "named"),
    [
        ({}, {"exec": {"command": "sh", "args": ["-c", "id"]}}, "user.exec"),
        ({}, {"auth-provider": {"name": "oidc"}}, "user.auth-provider"),
        ({}, {"tokenFile": "/etc/shadow"}, "user.tokenFile"),
        ({}, {"client-certificate": "/etc/cert"}, "user.client-certificate"),
        ({}, {"client-key": "/etc/key"}, "user.client-key"),
        ({}, {"username": "admin", "password": "p"}, "user.username"),
        ({}, {"as": "system:admin"}, "user.as"),
        ({"certificate-authority": "/etc/passwd"}, {}, "cluster.certificate-authority"),
        ({"insecure-skip-tls-verify": True}, {}, "cluster.insecure-skip-tls-verify"),
        ({"proxy-url": "http://proxy.example.com"}, {}, "cluster.proxy-url"),
        ({"tls-server-name": "another"}, {}, "cluster.tls-server-name"),
        ({"future-field": 1}, {}, "cluster.future-field"),
        ({"server": ["https://a"]}, {}, "cluster.server"),
        ({}, {"token": {"a": 1}}, "user.token"),
    ],
)
def test_anything_else_is_refused_by_name_before_anything_is_run_or_read(cluster, user, named):
    with pytest.raises(InvalidInput) as caught:
        Cluster.from_secret(kubeconfig(cluster, user), name="wds1")
    assert str(caught.value).startswith("wds1: ") and named in str(caught.value)
    assert SECRET not in str(caught.value) and "sh" not in caught.value.message.split()


@pytest.mark.parametrize(
    ("server", "safe"),
    [
        ("https://hub.example.com:443", True),
        ("http://127.0.0.1:8080", True),
        ("http://[::1]:8080", True),
        ("http://hub.example.com:8080", False),
        ("http://localhost.example.com", False),
        ("https://user:secret@hub.example.com", False),
        ("file:///etc/passwd", False),
        ("https://[::1", False),
        ("", False),
    ],
)
def test_credentials_go_by_tls_or_stay_on_this_machine(server, safe):
    if safe:
        assert inline(kubeconfig({"server": server}), "wds1")["clusters"][0]["cluster"]["server"] == server
        return
    with pytest.raises(InvalidInput, match="is not one of TLS") as caught:
        inline(kubeconfig({"server": server}), "wds1")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("broken", ["contexts", "clusters", "users", "current-context"])
def test_what_is_no_kubeconfig_is_one_sentence(broken):
    for value in (None, "text", [], [None], {"a": 1}, 7):
        content: dict[str, Any] = {**copy.deepcopy(kubeconfig()), broken: value}
        with pytest.raises(InvalidInput, match="no current context"):
            inline(content, "wds1")
    for content in (None, "text", [kubeconfig()]):
        with pytest.raises(InvalidInput, match="no current context"):
            inline(content, "wds1")
