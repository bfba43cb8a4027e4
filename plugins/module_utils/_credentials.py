# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kubeconfigs say of their own credentials: whose they are and when they end (private to kubestellar.core). Pure functions.

Signatures are not looked at: only the API server knows whether a token is right.
"""

from __future__ import annotations

import base64
import binascii
import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bounds
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, plain
from ansible_collections.kubestellar.core.plugins.module_utils._untrusted import well_formed
from ansible_collections.kubestellar.core.plugins.module_utils._yaml import load_yaml

TOKEN, CERTIFICATE = "token", "client certificate"
_ACCOUNT = "system:serviceaccount:"


@dataclass(frozen=True)
class Credential:
    """One credential of a kubeconfig. Times in seconds since the epoch.

    :ivar what: `token` or `client certificate`.
    :ivar issued: 0 if it does not say.
    :ivar error: why it could not be read; empty if it was.
    """

    what: str
    expires: float = 0.0
    issued: float = 0.0
    error: str = ""


def credentials(encoded: str) -> list[Credential]:
    """The credentials in the base64 of a kubeconfig that say when they expire, and those that should and do not."""
    try:
        documents = load_yaml(base64.b64decode(encoded), "the kubeconfig")
        users = [
            entry.get("user") or {}
            for one in documents
            for entry in well_formed(one, "the kubeconfig").get("users") or []
        ]
    except (InvalidInput, TypeError, ValueError):
        return [Credential("kubeconfig", error="it is not valid YAML")]
    found = []
    for user in users:
        if user.get("token"):
            found.append(of_token(str(user["token"])))
        if user.get("client-certificate-data"):
            found.append(of_certificate(str(user["client-certificate-data"])))
    return [credential for credential in found if credential is not None]


def of_token(token: str) -> Credential | None:
    """When a JWT expires. None for one that does not, and for a token that is no JWT."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = _claims(parts[1])
        expires, issued = claims.get("exp"), claims.get("iat") or 0
        return None if expires is None else Credential(TOKEN, float(expires), float(issued))
    except (AttributeError, OverflowError, TypeError, ValueError):
        return Credential(TOKEN, error="it looks like a JWT and is none")


def account_of(token: str) -> tuple[str, str] | None:
    """Namespace and name of the ServiceAccount of a token; None if it does not name one."""
    parts = token.split(".")
    try:
        subject = str(_claims(parts[1]).get("sub")) if len(parts) == 3 else ""
    except (AttributeError, TypeError, ValueError):
        return None
    namespace, _colon, name = subject.removeprefix(_ACCOUNT).partition(":")
    return (namespace, name) if subject.startswith(_ACCOUNT) and namespace and name else None


def of_certificate(encoded: str) -> Credential:
    """When a client certificate, the base64 of its PEM, expires."""
    try:
        from cryptography import x509
    except ImportError as error:
        return Credential(
            CERTIFICATE, error=f"the Python library cryptography cannot be used: {plain(error, 100)}"
        )
    try:
        certificate = x509.load_pem_x509_certificate(base64.b64decode(encoded))
    except (binascii.Error, ValueError):
        return Credential(CERTIFICATE, error="it is not the base64 of a PEM certificate")
    return Credential(
        CERTIFICATE,
        certificate.not_valid_after_utc.timestamp(),
        certificate.not_valid_before_utc.timestamp(),
    )


def token_of(kubeconfig: Mapping[str, Any]) -> str:
    """The token of the current context of a kubeconfig; empty if its user has none."""
    return str((_user(kubeconfig) or {}).get("token") or "")


def with_token(kubeconfig: Mapping[str, Any], token: str) -> dict[str, Any]:
    """The kubeconfig with another token for the user of its current context."""
    changed = copy.deepcopy(dict(kubeconfig))
    user = _user(changed)
    if user is not None:
        user["token"] = token
    return changed


def _user(kubeconfig: Mapping[str, Any]) -> dict[str, Any] | None:
    """The user of the current context, as it is in the kubeconfig."""
    contexts = {entry.get("name"): entry.get("context") or {} for entry in kubeconfig.get("contexts") or []}
    name = contexts.get(kubeconfig.get("current-context"), {}).get("user")
    for entry in kubeconfig.get("users") or []:
        user = entry.get("user")
        if entry.get("name") == name and isinstance(user, dict):
            return user
    return None


def _claims(part: str) -> Any:
    return _bounds.json_value(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
