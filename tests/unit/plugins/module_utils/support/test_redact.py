# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret that was planted anywhere survives; what is no secret does."""

from __future__ import annotations

import base64
import json
import string
from typing import Any

import pytest
import yaml
from ansible_collections.kubestellar.core.plugins.module_utils.support import redact
from ansible_collections.kubestellar.core.plugins.module_utils.support.redact import Redactor
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import assume, settings
from hypothesis import given as given_any
from hypothesis import strategies as st

PLAIN = Redactor()
WORDS = st.text("abcdefghij klmnopqrstuvwxyz0123456789.,:=-/\"'{}[]\n", max_size=60)
OPAQUE = st.text(string.ascii_letters + string.digits + "!#$%_-", min_size=12, max_size=60)
"""What people and programs make passwords of, without blanks and quotes."""
TOKEN = st.text(string.ascii_letters + string.digits + "_-", min_size=20, max_size=80)


def given(*strategies: Any, **named: Any) -> Any:
    """Examples without a time for each: they are many and the machine may be busy."""
    return lambda test: settings(deadline=None, max_examples=60)(given_any(*strategies, **named)(test))


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def b64url(data: str) -> str:
    return base64.urlsafe_b64encode(data.encode()).decode().rstrip("=")


def pem(key: Any) -> str:
    return str(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        ).decode()
    )


KEYS = [pem(ec.generate_private_key(ec.SECP256R1())), pem(rsa.generate_private_key(65537, 2048))]
JWTS = st.builds(
    lambda subject, signature: ".".join(
        [b64url('{"alg":"RS256","kid":"x"}'), b64url(json.dumps({"sub": subject})), b64url(signature)]
    ),
    st.text(string.ascii_letters, min_size=8, max_size=30),
    st.text(string.ascii_letters, min_size=24, max_size=60),
)


def survives(secret: str, redacted: Any) -> bool:
    """Whether the secret, or its base64, is still there."""
    text = redacted if isinstance(redacted, str) else json.dumps(redacted, ensure_ascii=False)
    return secret in text or b64(secret) in text or json.dumps(secret)[1:-1] in text


def key_survives(key: str, redacted: Any) -> bool:
    """Whether a line of a private key is still there, or a good part of its base64."""
    text = redacted if isinstance(redacted, str) else json.dumps(redacted)
    encoded = b64(key)
    lines = [line for line in key.splitlines() if line and not line.startswith("-")]
    return any(line in text for line in lines) or encoded[40:100] in text


def nested(inner: Any, path: list[str]) -> Any:
    for name in path:
        inner = [inner, 1] if name == "[]" else {name: inner, "other": "kept"}
    return inner


PATHS = st.lists(st.sampled_from(["[]", "spec", "manifests", "template", "status", "rawData"]), max_size=5)


# -- by place -----------------------------------------------------------------------------------------------------------


@given(st.dictionaries(st.from_regex(r"[a-z][a-z.]{0,10}", fullmatch=True), OPAQUE, min_size=1), PATHS)
def test_values_of_a_secret_go_wherever_it_is_and_its_keys_and_their_sizes_stay(data, path):
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "x",
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": json.dumps({"data": data})},
        },
        "data": {key: b64(value) for key, value in data.items()},
        "stringData": data,
    }
    found = PLAIN.object(nested(secret, path))
    for value in data.values():
        assert not survives(value, found)
    text = json.dumps(found)
    for key, value in data.items():
        assert f'"{key}": "[redacted:value:{len(value)}-bytes]"' in text


@given(OPAQUE, OPAQUE, PATHS)
def test_values_of_environment_variables_go_and_where_they_come_from_stays(first, second, path):
    container = {
        "name": "c",
        "args": ["--v=2", f"--token={second}", "--context=wds1"],
        "env": [
            {"name": "A", "value": first},
            {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        ],
    }
    found = PLAIN.object(nested({"containers": [container]}, path))
    assert not survives(first, found) and not survives(second, found)
    text = json.dumps(found)
    assert '{"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}' in text
    assert '"--v=2"' in text and '"--context=wds1"' in text


@given(OPAQUE, OPAQUE)
def test_a_manifest_work_shows_what_it_has_and_not_what_is_in_it(secret, setting):
    work = {
        "kind": "ManifestWork",
        "spec": {
            "workload": {
                "manifests": [
                    {"kind": "Secret", "metadata": {"name": "s"}, "data": {"x": b64(secret)}},
                    {"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"x": setting}},
                    {"kind": "Deployment", "spec": {"replicas": 3}},
                ]
            }
        },
    }
    found = PLAIN.object(work)
    assert not survives(secret, found) and not survives(setting, found)
    manifests = found["spec"]["workload"]["manifests"]
    assert [one["kind"] for one in manifests] == ["Secret", "ConfigMap", "Deployment"]
    assert manifests[2]["spec"] == {"replicas": 3} and manifests[1]["metadata"] == {"name": "c"}


@pytest.mark.parametrize("as_text", [yaml.safe_dump, json.dumps])
@given(token=OPAQUE, key=st.sampled_from(KEYS), password=OPAQUE)
def test_a_config_map_with_a_kubeconfig_is_redacted_and_one_without_is_not(as_text, token, key, password):
    kubeconfig = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "a", "cluster": {"server": "https://a.example"}}],
        "users": [{"name": "a", "user": {"token": token, "client-key-data": b64(key), "password": password}}],
    }
    found = PLAIN.object(
        {"kind": "ConfigMap", "data": {"kubeconfig": as_text(kubeconfig), "domain": "localtest.me"}}
    )
    assert not any(survives(one, found) for one in (token, password)) and not key_survives(key, found)
    assert found["data"]["domain"] == "localtest.me"


@given(
    OPAQUE, st.sampled_from(["password", "token", "client-key-data", "apiKey", "clientSecret", "auth"]), PATHS
)
def test_fields_that_are_called_a_secret_go(value, name, path):
    assert not survives(value, PLAIN.object(nested({name: value}, path)))


@given(OPAQUE)
def test_the_manifest_of_a_secret_in_a_text_goes(value):
    secret = {"apiVersion": "v1", "kind": "Secret", "data": {"x": b64(value)}, "stringData": {"y": value}}
    for text in (yaml.safe_dump(secret), json.dumps(secret), json.dumps({"a": json.dumps(secret)})):
        assert not survives(value, PLAIN.object({"annotations": {"applied": text}}))
        for line in (f"12:00 applying {text}", f"before\n{text}\nafter"):
            assert not survives(value, PLAIN.text(line))


def test_managed_fields_go_and_all_else_stays():
    obj = {
        "metadata": {
            "name": "x",
            "managedFields": [{"manager": "m"}],
            "uid": "8f2e6f0e-1d2c-4b59-9a53-0123456789ab",
        },
        "spec": {"secretName": "s", "tokenExpirationSeconds": 5, "automountServiceAccountToken": True},
        "status": {"secretRef": {"name": "admin-kubeconfig", "key": "kubeconfig"}},
        "vars": {"ITSSecretName": "admin-kubeconfig", "ITSSecretKey": "kubeconfig-incluster"},
        "command": ["/manager", "--kubeconfig=/etc/kubeconfig", "--zap-log-level=info"],
        "message": 'Secret "admin-kubeconfig" not found in namespace its1-system',
    }
    kept = json.loads(json.dumps(obj))
    del kept["metadata"]["managedFields"]
    assert PLAIN.object(obj) == kept


# -- by form ------------------------------------------------------------------------------------------------------------


@given(
    WORDS,
    st.sampled_from(KEYS),
    WORDS,
    st.sampled_from(["\n", "\\n", "\r\n", "\n2026-01-01T00:00:00.123456789Z "]),
)
def test_no_line_of_a_private_key_is_left_in_a_log(before, key, after, newline):
    written = key.replace("\n", newline)
    assert not key_survives(key, PLAIN.text(f"{before} {written} {after}"))
    assert not key_survives(key, PLAIN.text(f'{{"key":"{written}","x":"{after}"}}'))
    assert not key_survives(key, PLAIN.text(f"{before} {b64(key)} {after}"))
    assert not key_survives(key, PLAIN.text(f"data: /a/b/{b64(b64(key))}"))


@given(st.sampled_from(KEYS), st.data(), st.sampled_from(["\n", "\n2026-01-01T00:00:00.123456789Z "]))
def test_a_private_key_that_a_log_has_a_part_of_goes_too(key, data, newline):
    lines = key.strip().split("\n")
    first = data.draw(st.integers(1, len(lines) - 2))
    began = PLAIN.text(newline.join(lines[first:]) + "\nI0101 starting the controller")
    assert not key_survives(key, began) and "starting the controller" in began
    ended = PLAIN.text("I0101 a line\n" + newline.join(lines[:first]))
    assert not key_survives(key, ended) and "I0101 a line" in ended


@given(WORDS, JWTS, WORDS)
def test_no_token_is_left_in_a_log(before, token, after):
    for written in (token, b64(token), f'"{token}"', f"x={token}&y=1", token[:-10]):
        redacted = PLAIN.text(f"{before}{written} {after}")
        assert token.split(".")[2][:14] not in redacted and token.split(".")[1] not in redacted
        assert not survives(token, redacted)


@given(WORDS, OPAQUE)
def test_what_follows_the_name_of_a_secret_goes(before, value):
    assume(value not in before)
    for written in (
        f"Authorization: Bearer {value}",
        f"authorization:[Bearer {value}]",
        f'"Authorization": "Basic {b64(value)}"',
        f"-H 'Authorization: bearer {value}'",
        f"password={value}",
        f"PASSWORD: {value}",
        f'{{"password":"{value}"}}',
        f'{{\\"token\\":\\"{value}\\"}}',
        f"--token={value} --v=2",
        f"token: {value}",
        f"client_secret='{value}'",
        f"api-key = {value}",
        f"https://admin:{value}@example.com/path",
        f"client-key-data: {b64(value)}",
    ):
        assert not survives(value, PLAIN.text(f"{before}\n{written} and on")), written


@pytest.mark.parametrize(
    "token", ["sha256~" + "a1B2" * 10, "abcdef.0123456789abcdef", "ghp_" + "a1B2" * 9, "AKIAIOSFODNN7EXAMPLE"]
)
def test_tokens_with_a_form_of_their_own_go(token):
    assert token not in PLAIN.text(f"with {token}.") and token not in PLAIN.text(f"x {b64('to: ' + token)} y")


@given(WORDS, st.sampled_from(KEYS), JWTS, OPAQUE)
def test_what_is_redacted_is_redacted(words, key, token, value):
    once = PLAIN.text(f"{words} {key} {token} password={value}, Bearer {value} {words}")
    assert PLAIN.text(once) == once
    assert redact.count(once) >= 2


@pytest.mark.parametrize(
    "line",
    [
        "E1125 1 authentication.go:74] Unable to authenticate the request: invalid bearer token",
        'I1125 reconciling controlplane="its1" namespace="its1-system" secretName="admin-kubeconfig"',
        "GET https://127.0.0.1:6443/api/v1/namespaces/its1-system/pods?limit=500 200 OK in 3 milliseconds",
        "pulling image ghcr.io/kubestellar/kubestellar/controller-manager:0.30.0@sha256:"
        + "0123456789abcdef" * 4,
        'Failed to apply manifest: namespaces "bakery" not found',
        "-----BEGIN CERTIFICATE REQUEST-----",
        "open-cluster-management.io/aggregate-to-work=true kubernetes.default.svc.cluster.local",
        "Not creating status controller yet because WorkStatus is not defined in the ITS",
    ],
)
def test_what_a_log_says_of_its_trouble_stays(line):
    assert PLAIN.text(line) == line


# -- by value -----------------------------------------------------------------------------------------------------------


@given(WORDS, TOKEN, WORDS)
def test_a_secret_that_was_met_goes_wherever_it_is(before, value, after):
    assume(value not in before + after)
    redactor = Redactor.of([value])
    for written in (value, b64(value), f"x{value}y", b64(f"a: {value}"), b64(b64(f"bc {value} d"))):
        assert not survives(value, redactor.text(f"{before}{written}{after}"))
        assert not survives(value, redactor.object({"a": [{"b": f"{before}{written}"}]}))


def test_the_values_that_are_known_are_those_that_are_secret():
    values = {
        "token": "abcdefgh1234",
        "ca.crt": "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----",
        "namespace": "its1-system",
        "cluster-name": "cluster1",
        "postgres-password": "hunter2hunter2",
        "anything": "Zm9vYmFy-1234567890",
        "words": "a few words",
        "short": "x1",
        "config": 'users: [{"user": {"token": "inner-token-1", "client-key-data": "aW5uZXIta2V5"}}]',
    }
    secret = {"data": {key: b64(value) for key, value in values.items()}}
    known = set(redact.known_values(secret))
    assert known == {
        "abcdefgh1234",
        "hunter2hunter2",
        "Zm9vYmFy-1234567890",
        "inner-token-1",
        "aW5uZXIta2V5",
        "inner-key",
    }
    assert Redactor.of(["short"]).known == ()


def test_a_log_of_many_lines_is_redacted_in_no_time():
    line = "2026-01-01T00:00:00Z I0101 1 controller.go:1] reconciling key=its1-system/x uid=8f2e6f0e-1d2c-4b59-9a53-0123456789ab\n"
    assert "key" in PLAIN.text(line * 20_000)
    for attack in (
        "a" * 200_000,
        '"' * 50_000,
        "kind: Secret\n" * 3000,
        "password=" * 20_000,
        "eyJ" * 50_000,
    ):
        PLAIN.text(attack)
