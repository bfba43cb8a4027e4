# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection option family, resolved as a whole (private to kubestellar.core).

Either the task names the connection, and then the environment contributes nothing, or the environment
does, or the pod this runs in. The user's default kubeconfig is never read, and a context is never guessed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput

AUTH_SPEC: dict[str, dict[str, Any]] = {
    "kubeconfig": {"type": "raw", "no_log": False},
    "context": {"type": "str"},
    "host": {"type": "str"},
    "api_key": {"type": "str", "no_log": True},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "ca_cert": {"type": "path", "aliases": ["ssl_ca_cert"]},
    "client_cert": {"type": "path", "aliases": ["cert_file"]},
    "client_key": {"type": "path", "aliases": ["key_file"], "no_log": False},
    "validate_certs": {"type": "bool", "aliases": ["verify_ssl"]},
    "proxy": {"type": "str"},
    "no_proxy": {"type": "str"},
    "proxy_headers": {
        "type": "dict",
        "options": {
            "proxy_basic_auth": {"type": "str", "no_log": True},
            "basic_auth": {"type": "str", "no_log": True},
            "user_agent": {"type": "str"},
        },
    },
    "persist_config": {"type": "bool"},
    "impersonate_user": {"type": "str"},
    "impersonate_groups": {"type": "list", "elements": "str"},
}
"""Connection to the hosting cluster; names as in kubernetes.core. Documented in doc_fragments/_auth.py."""

GUARD_SPEC: dict[str, dict[str, Any]] = {
    "expected_server": {"type": "str"},
    "connection_planned": {"type": "bool", "default": False},
}
"""Protection against the wrong cluster, and forecasts for a cluster that does not exist yet."""


def space_spec(role: str) -> dict[str, dict[str, Any]]:
    """The options that name a space. :param role: `its` or `wds`."""
    return {
        role: {"type": "str"},
        f"{role}_kubeconfig": {"type": "path"},
        f"{role}_context": {"type": "str"},
    }


_ENVIRONMENT = {
    "kubeconfig": ("K8S_AUTH_KUBECONFIG",),
    "context": ("K8S_AUTH_CONTEXT",),
    "host": ("K8S_AUTH_HOST",),
    "api_key": ("K8S_AUTH_API_KEY",),
    "username": ("K8S_AUTH_USERNAME",),
    "password": ("K8S_AUTH_PASSWORD",),
    "ca_cert": ("K8S_AUTH_CA_CERT", "K8S_AUTH_SSL_CA_CERT"),
    "client_cert": ("K8S_AUTH_CLIENT_CERT", "K8S_AUTH_CERT_FILE"),
    "client_key": ("K8S_AUTH_CLIENT_KEY", "K8S_AUTH_KEY_FILE"),
    "validate_certs": ("K8S_AUTH_VALIDATE_CERTS", "K8S_AUTH_VERIFY_SSL"),
    "proxy": ("K8S_AUTH_PROXY",),
    "no_proxy": ("K8S_AUTH_NO_PROXY",),
    "impersonate_user": ("K8S_AUTH_IMPERSONATE_USER",),
    "impersonate_groups": ("K8S_AUTH_IMPERSONATE_GROUPS",),
}

_PROXY_HEADERS = "K8S_AUTH_PROXY_HEADERS_"
_BY_HOST = ("host", "api_key", "username", "password", "client_cert", "client_key", "ca_cert")
_BY_KUBECONFIG = ("kubeconfig", "context")
_IN_CLUSTER_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token"


@dataclass(frozen=True)
class Auth:
    """One resolved way to an API server.

    :param source: `options`, `environment` or `in-cluster`; used in messages.
    :param kubeconfig: a path, several paths joined by `:`, or the content as a mapping.
    """

    source: str
    kubeconfig: str | Mapping[str, Any] | None = None
    context: str | None = None
    host: str | None = None
    api_key: str | None = field(default=None, repr=False)
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_cert: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    validate_certs: bool = True
    proxy: str | None = None
    no_proxy: str | None = None
    proxy_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    impersonate_user: str | None = None
    impersonate_groups: tuple[str, ...] = ()


def resolve(
    params: Mapping[str, Any], environ: Mapping[str, str] | None = None, *, in_cluster: bool | None = None
) -> Auth:
    """Decide which connection a task means.

    :param params: module parameters with the keys of `AUTH_SPEC`.
    :param environ: the environment; `os.environ` when None.
    :param in_cluster: whether a service account is mounted; looked up when None.
    :raises InvalidInput: nothing names a connection, or two ways are mixed.
    """
    environ = os.environ if environ is None else environ
    options = [key for key in AUTH_SPEC if key != "persist_config"]  # nothing is ever written to a kubeconfig
    given = {key: params.get(key) for key in options if params.get(key) not in (None, "", [], {})}
    if given:
        return _build("options", given)
    given = _from_environment(environ)
    if given:
        return _build("environment", given)
    if in_cluster is None:
        in_cluster = "KUBERNETES_SERVICE_HOST" in os.environ and os.path.exists(_IN_CLUSTER_TOKEN)
    if in_cluster:
        return Auth(source="in-cluster")
    raise InvalidInput(
        "No connection to the hosting cluster is given.",
        hint="Set kubeconfig and context, or host and api_key; the default kubeconfig of the user is never read.",
    )


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """The K8S_AUTH_* variables that are set, under the names of the options."""
    given: dict[str, Any] = {}
    for key, names in _ENVIRONMENT.items():
        value: Any = next((environ[name] for name in names if environ.get(name)), None)
        if value is None:
            continue
        if key == "validate_certs":
            value = _environment_bool(value)
        elif key == "impersonate_groups":
            value = [group.strip() for group in value.split(",") if group.strip()]
        given[key] = value
    headers = {
        key: environ[_PROXY_HEADERS + key.upper()]
        for key in AUTH_SPEC["proxy_headers"]["options"]
        if environ.get(_PROXY_HEADERS + key.upper())
    }
    return {**given, "proxy_headers": headers} if headers else given


def _environment_bool(text: str) -> bool:
    """True or False for what people write in environments; a typo must not turn verification off."""
    lowered = text.strip().lower()
    if lowered in ("1", "true", "yes", "on"):
        return True
    if lowered in ("0", "false", "no", "off"):
        return False
    raise InvalidInput(f"K8S_AUTH_VERIFY_SSL is {text!r}, which is neither true nor false.")


def _build(source: str, given: dict[str, Any]) -> Auth:
    """An `Auth` of what one source gives, refused unless it is one whole way to a server."""
    where = "the options" if source == "options" else "the environment (K8S_AUTH_*)"
    by_host = [key for key in _BY_HOST if key in given]
    by_kubeconfig = [key for key in _BY_KUBECONFIG if key in given]
    if by_host and by_kubeconfig:
        raise InvalidInput(
            f"The connection in {where} mixes {', '.join(by_kubeconfig)} with {', '.join(by_host)}.",
            hint="Name the cluster one way: kubeconfig and context, or host with its credentials.",
        )
    if by_kubeconfig and "kubeconfig" not in given:
        raise InvalidInput(
            f"The connection in {where} names a context but no kubeconfig.", hint="Set kubeconfig."
        )
    if by_host and "host" not in given:
        raise InvalidInput(
            f"The connection in {where} sets {', '.join(by_host)} but no host.", hint="Set host."
        )
    if not by_host and not by_kubeconfig:
        raise InvalidInput(
            f"The connection in {where} sets {', '.join(sorted(given))} but names no cluster.",
            hint="Set kubeconfig and context, or host and api_key.",
        )
    kubeconfig = given.get("kubeconfig")
    if kubeconfig is not None and not isinstance(kubeconfig, Mapping):
        kubeconfig = os.pathsep.join(os.path.expanduser(path) for path in _paths(kubeconfig))
    special = ("kubeconfig", "impersonate_groups", "proxy_headers")
    values = {key: value for key, value in given.items() if key not in special}
    return Auth(
        source=source,
        kubeconfig=kubeconfig,
        proxy_headers={key: value for key, value in (given.get("proxy_headers") or {}).items() if value},
        impersonate_groups=tuple(given.get("impersonate_groups") or ()),
        **values,
    )


def _paths(kubeconfig: Any) -> list[str]:
    """The file names in a kubeconfig option: a string, or a list of strings."""
    if isinstance(kubeconfig, str):
        return [part for part in kubeconfig.split(os.pathsep) if part]
    if isinstance(kubeconfig, (list, tuple)) and all(isinstance(part, str) for part in kubeconfig):
        return list(kubeconfig)
    raise InvalidInput(
        "kubeconfig must be a path, a list of paths or the content of a kubeconfig as a mapping."
    )
