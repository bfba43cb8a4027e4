# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
import datetime
from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _client
from ansible_collections.kubestellar.core.plugins.module_utils._auth import Auth
from ansible_collections.kubestellar.core.plugins.module_utils._errors import KubestellarError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("7", 7),
        ("0.5", 0.5),
        ("-3", 0),
        ("soon", 0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
    ],
)
def test_a_server_says_when_to_come_again(header, seconds):
    assert _client._retry_after(header) == seconds


# -- a connection as a kubeconfig -----------------------------------------------------------------------------------------


def as_kubeconfig(**auth: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Cluster and user of the kubeconfig of a connection, which has one context, and that is current."""
    content = _client.Cluster.from_auth(Auth(source="options", **auth), name="x").kubeconfig()
    assert content["contexts"] == [{"name": "x", "context": {"cluster": "x", "user": "x"}}]
    assert content["current-context"] == "x"
    return content["clusters"][0]["cluster"], content["users"][0]["user"]


@pytest.mark.parametrize(
    ("auth", "user"),
    [
        ({"api_key": "t"}, {"token": "t"}),
        ({"username": "u", "password": "p:q"}, {"username": "u", "password": "p:q"}),
        (
            {"api_key": "t", "impersonate_user": "me", "impersonate_groups": ("a", "b")},
            {"token": "t", "as": "me", "as-groups": ["a", "b"]},
        ),
    ],
)
def test_a_connection_by_host_is_a_kubeconfig_with_its_credentials(auth, user):
    assert as_kubeconfig(host="https://a.example:6443", **auth) == (
        {"server": "https://a.example:6443"},
        user,
    )


def test_verification_and_proxy_of_a_connection_are_in_its_kubeconfig():
    cluster, _user = as_kubeconfig(
        host="https://a.example", api_key="t", validate_certs=False, proxy="http://p.example:3128"
    )
    assert cluster == {
        "server": "https://a.example",
        "insecure-skip-tls-verify": True,
        "proxy-url": "http://p.example:3128",
    }
    bypassed, _user = as_kubeconfig(
        host="https://a.example", api_key="t", proxy="http://p.example:3128", no_proxy="a.example"
    )
    assert bypassed == {"server": "https://a.example"}
    with pytest.raises(KubestellarError, match="proxy_headers"):
        as_kubeconfig(
            host="https://a.example", proxy="http://p.example:3128", proxy_headers={"user_agent": "x"}
        )


def test_the_kubeconfig_of_a_kubeconfig_has_one_context_of_it():
    content = {
        "clusters": [{"name": "c", "cluster": {"server": "https://a.example"}}, {"name": "d", "cluster": {}}],
        "users": [{"name": "u", "user": {"token": "t"}}, {"name": "v", "user": {"token": "other"}}],
        "contexts": [
            {"name": "one", "context": {"cluster": "c", "user": "u"}},
            {"name": "two", "context": {"cluster": "d", "user": "v"}},
        ],
    }
    assert as_kubeconfig(kubeconfig=content, context="one") == (
        {"server": "https://a.example"},
        {"token": "t"},
    )


def test_certificates_of_a_connection_are_inside_its_kubeconfig(tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + datetime.timedelta(days=1))
    pem = serialization.Encoding.PEM
    certificate = builder.sign(key, hashes.SHA256()).public_bytes(pem)
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "crt").write_bytes(certificate)
    (tmp_path / "key").write_bytes(private)
    cluster, user = as_kubeconfig(
        host="https://a.example",
        ca_cert=str(tmp_path / "crt"),
        client_cert=str(tmp_path / "crt"),
        client_key=str(tmp_path / "key"),
    )
    assert base64.b64decode(cluster["certificate-authority-data"]) == certificate
    assert base64.b64decode(user["client-certificate-data"]) == certificate
    assert base64.b64decode(user["client-key-data"]) == private
