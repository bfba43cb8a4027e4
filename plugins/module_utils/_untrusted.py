# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubeconfigs that come from an API server: whoever can write there must not run programs or read files here."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, plain

_CLUSTER = ("server", "certificate-authority-data")
_USER = ("client-certificate-data", "client-key-data", "token")
_TEXTS = {
    *(
        "server",
        "proxy-url",
        "tls-server-name",
        "certificate-authority",
        "certificate-authority-data",
        "cluster",
        "user",
    ),
    *("client-certificate", "client-certificate-data", "client-key", "client-key-data", "token", "tokenFile"),
    *("username", "password", "as"),
}
_IGNORED = ("extensions", "namespace")
"""What says nothing about the connection."""


def inline(kubeconfig: object, where: str) -> dict[str, Any]:
    """The current context of a kubeconfig with exactly what a connection may take from a cluster: address, CA and credentials, inline.

    `exec` and `auth-provider` would run programs here, paths would read files, a proxy or an unverified server would get
    the credentials.

    :param where: the space that it is for, as messages begin.
    :raises InvalidInput: it has anything else, an address without TLS, or is no kubeconfig; nothing of its content is shown.
    """
    content = kubeconfig if isinstance(kubeconfig, Mapping) else {}
    context = _entry(content, "contexts", content.get("current-context"))
    cluster = _entry(content, "clusters", (context or {}).get("cluster"))
    user = _entry(content, "users", (context or {}).get("user"))
    if context is None or cluster is None or user is None:
        raise InvalidInput(
            f"{where}: the kubeconfig in its Secret has no current context with a cluster and a user.",
            hint=_HINT,
        )
    for kind, entry, allowed in (("cluster", cluster, _CLUSTER), ("user", user, _USER)):
        for key, value in entry.items():
            if value and key not in (*allowed, *_IGNORED):
                raise InvalidInput(
                    f"{where}: the kubeconfig in its Secret has {kind}.{plain(key, 60)}, which is not taken from a cluster.",
                    hint=_HINT,
                )
            if value and key in allowed and not isinstance(value, str):
                raise InvalidInput(
                    f"{where}: {kind}.{key} of the kubeconfig in its Secret is no text.", hint=_HINT
                )
    if not _is_safe(str(cluster.get("server") or "")):
        raise InvalidInput(
            f"{where}: the address in the kubeconfig in its Secret is not one of TLS (https).", hint=_HINT
        )
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": "space", "cluster": {key: cluster[key] for key in _CLUSTER if cluster.get(key)}}
        ],
        "users": [{"name": "space", "user": {key: user[key] for key in _USER if user.get(key)}}],
        "contexts": [{"name": "space", "context": {"cluster": "space", "user": "space"}}],
        "current-context": "space",
    }


_HINT = "Put a kubeconfig there that has an https address, certificate-authority-data, and a token or client certificate and key as data."


def well_formed(content: object, where: str) -> Mapping[str, Any]:
    """What is to be a kubeconfig, if everything in it is where it belongs. Nothing of its content is shown.

    :param where: what messages call it.
    :raises InvalidInput: it is something else.
    """
    if not isinstance(content, Mapping):
        raise InvalidInput(f"{where} is not a kubeconfig.")
    for kind in ("clusters", "users", "contexts"):
        entries = content.get(kind) or []
        inner = kind.removesuffix("s")
        if not isinstance(entries, list) or not all(
            isinstance(entry, Mapping)
            and isinstance(entry.get("name"), str)
            and isinstance(entry.get(inner) or {}, Mapping)
            for entry in entries
        ):
            raise InvalidInput(
                f"{where} is not a kubeconfig: {kind} is no list of entries with a name and a {inner}.",
                hint="kubectl config view shows what one looks like.",
            )
        for entry in entries:
            for key, value in (entry.get(inner) or {}).items():
                if key in _TEXTS and not isinstance(value, (str, type(None))):
                    raise InvalidInput(f"{where} is not a kubeconfig: {key} of one of its {kind} is no text.")
    return content


def _entry(content: Mapping[str, Any], kind: str, name: object) -> Mapping[str, Any] | None:
    """What the entry of this name holds."""
    entries = content.get(kind)
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, Mapping) and name and entry.get("name") == name:
            held = entry.get(kind.removesuffix("s"))
            return held if isinstance(held, Mapping) else {}
    return None


def _is_safe(server: str) -> bool:
    """Whether credentials may be sent there: by TLS, or to this machine."""
    try:
        parts = urlsplit(server)
        host = parts.hostname or ""
    except ValueError:
        return False
    if "@" in parts.netloc or not host:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))


def is_loopback(host: str) -> bool:
    """Whether an address is one of this machine, which no name proves."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
