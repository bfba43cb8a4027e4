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
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, KubestellarError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def test_what_looks_like_a_date_is_a_string_as_in_kubernetes():
    (obj,) = _client.load_yaml("a: 2026-01-01\nb: 2026-01-01T00:00:00Z\nc: 1\nd: yes", "x")
    assert obj == {"a": "2026-01-01", "b": "2026-01-01T00:00:00Z", "c": 1, "d": True}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("=", "="),
        ("22:22", "22:22"),
        ("1:30.5", "1:30.5"),
        ("1e3", 1000.0),
        ("1.5E-1", 0.15),
        (".5", 0.5),
        ("-7", -7),
        ("0x1f", 31),
        ("0644", 420),
        ("08", "08"),
        ("1.2.3", "1.2.3"),
        ("+", "+"),
        (".", "."),
        ("1e", "1e"),
        ("2026-01-01", "2026-01-01"),
        ("on", True),
    ],
)
def test_scalars_are_what_kubernetes_takes_them_for(text, value):
    (obj,) = _client.load_yaml(f"a: [{text}]", "x")
    assert obj == {"a": [value]} and type(obj["a"][0]) is type(value)
    # What is written comes back as it was, the text as text too.
    assert _client.load_yaml(_client.dump_yaml({"a": [value, text]}), "x") == [{"a": [value, text]}]


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


@pytest.mark.parametrize(
    "text", ['{"a": "=", "b": [1e3, null, "x\\u00e9"]}', '{a: =, b: [1e3, ~, "x\\u00e9"]}']
)
def test_json_is_read_as_yaml_is(text):
    for given in (text, text.encode()):
        assert _client.load_yaml(given, "x") == [{"a": "=", "b": [1000.0, None, "xé"]}]


def test_of_a_key_that_is_there_twice_the_last_one_counts_as_with_helm():
    """KubeStellar's own chart has one (core-chart/templates)."""
    for text in ("a: 1\na: 2", '{"a": 1, "a": 2}'):
        assert _client.load_yaml(text, "x") == [{"a": 2}]


def test_a_mapping_may_be_merged_with_others_and_have_their_keys():
    (obj,) = _client.load_yaml("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}", "x")
    assert obj["b"] == {"x": 1, "y": 3}


def test_documents_and_lists_are_flattened_and_empty_ones_left_out():
    text = "kind: A\n---\n---\nkind: ThingList\nitems: [{kind: B}, {kind: C}]"
    assert [obj["kind"] for obj in _client.load_yaml(text, "x")] == ["A", "B", "C"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", "x is not valid YAML"),
        ("- 1", "x holds a list"),
    ],
)
def test_what_is_no_manifest_is_refused_with_its_source(text, words):
    with pytest.raises(InvalidInput, match=words):
        _client.load_yaml(text, "x")


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
