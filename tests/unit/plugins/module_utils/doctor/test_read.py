# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kubeconfig of a space says of its credentials."""

from __future__ import annotations

import base64
import datetime
import json
from typing import Any

import pytest
import yaml
from ansible_collections.kubestellar.core.plugins.module_utils.doctor.facts import Credential
from ansible_collections.kubestellar.core.plugins.module_utils.doctor.read import credentials
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def kubeconfig(**user: Any) -> str:
    content = {"kind": "Config", "users": [{"name": "x", "user": user}]}
    return base64.b64encode(yaml.safe_dump(content).encode()).decode()


def jwt(claims: Any) -> str:
    text = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{text}.c2ln"


@pytest.mark.parametrize("padding", range(4))
def test_a_token_says_when_it_expires(padding):
    token = jwt({"exp": 2000, "iat": 1000, "x": "y" * padding})
    assert credentials(kubeconfig(token=token)) == [Credential("token", 2000.0, 1000.0)]


@pytest.mark.parametrize("token", ["opaque", jwt({"sub": "for ever"}), "a.b"])
def test_a_token_that_does_not_expire_is_nothing_to_tell(token):
    assert credentials(kubeconfig(token=token)) == []


@pytest.mark.parametrize("token", ["a.b.c", jwt([1]), jwt({"exp": "soon"}), jwt(None)])
def test_a_token_that_cannot_be_read_is_told_without_being_quoted(token):
    (found,) = credentials(kubeconfig(token=token))
    assert found.what == "token" and found.error and token not in found.error


def test_a_client_certificate_says_when_it_expires():
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")]),
    )
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=10))
        .sign(key, hashes.SHA256())
    )
    text = base64.b64encode(built.public_bytes(serialization.Encoding.PEM)).decode()
    (found,) = credentials(kubeconfig(**{"client-certificate-data": text}))
    assert found == Credential("client certificate", start.timestamp() + 864000, start.timestamp())


@pytest.mark.parametrize("text", ["!", base64.b64encode(b"no PEM").decode()])
def test_a_client_certificate_that_cannot_be_read_is_told(text):
    (found,) = credentials(kubeconfig(**{"client-certificate-data": text}))
    assert found.what == "client certificate" and found.error


@pytest.mark.parametrize("text", [b"users: [", b"- 1", b"users: [1]", b"\xff"])
def test_a_kubeconfig_that_cannot_be_read_is_told(text):
    assert [one.what for one in credentials(base64.b64encode(text).decode())] == ["kubeconfig"]
