# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bootstrap credentials with which agents join an ITS (private to kubestellar.core)."""

from __future__ import annotations

import base64
import os
import tempfile
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.kubestellar.core.plugins.module_utils import _bulk, _diff
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, KubestellarError
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    NAMESPACES,
    SERVICE_ACCOUNTS,
)
from ansible_collections.kubestellar.core.plugins.module_utils._yaml import dump_yaml

NAMESPACE = "open-cluster-management"
ACCOUNT = "agent-registration-bootstrap"
SHORTEST_TTL = 600
"""Seconds; the API server refuses shorter tokens (kubernetes: pkg/apis/authentication/validation)."""
LONGEST_TTL = 1 << 32
"""Seconds; the API server refuses longer ones."""

_RBAC = "rbac.authorization.k8s.io"
_ROLE = "open-cluster-management:bootstrap"


def manifests() -> list[dict[str, Any]]:
    """What an ITS needs so that agents can ask to join: namespace, account, role and binding.

    Same names and rights as OCM's chart makes (ocm: deploy/cluster-manager/chart/cluster-manager/templates).
    """
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": ACCOUNT, "namespace": NAMESPACE},
        },
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "ClusterRole",
            "metadata": {"name": _ROLE},
            "rules": [
                _rule("", "configmaps", "get"),
                _rule("certificates.k8s.io", "certificatesigningrequests", "create", "get", "list", "watch"),
                _rule(
                    "cluster.open-cluster-management.io", "managedclusters", "get", "create", "list", "watch"
                ),
                _rule("cluster.open-cluster-management.io", "managedclustersets/join", "create"),
            ],
        },
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": f"{_ROLE}:agent-registration"},
            "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": _ROLE},
            "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": NAMESPACE}],
        },
    ]


def _rule(group: str, resource: str, *verbs: str) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": [resource], "verbs": list(verbs)}


def ensure(its: Cluster, *, dry_run: bool) -> list[_bulk.Outcome]:
    """Create what of `manifests` is missing and repair what is ours; what OCM's chart made is left as it is.

    :raises KubestellarError: naming what could not be applied.
    """
    resources = (NAMESPACES, SERVICE_ACCOUNTS, CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS)
    wanted: list[dict[str, Any]] = []
    for resource, obj in zip(resources, manifests(), strict=True):
        live = its.get(resource, obj["metadata"]["name"], obj["metadata"].get("namespace"))
        if live is None or (_diff.applied_by(live) and not _diff.satisfied(_diff.wanted(obj), live)):
            wanted.append(obj)
    if not wanted:
        return []
    outcomes = _bulk.apply_all(its, wanted, dry_run=dry_run)
    _bulk.raise_failures(outcomes, its.name)
    return outcomes


def mint(its: Cluster, ttl: int) -> tuple[str, str]:
    """A token of the bootstrap account: (token, time it expires). The server may shorten its life."""
    answer = its.request(
        "POST",
        SERVICE_ACCOUNTS.path(NAMESPACE, ACCOUNT, "token"),
        body={
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": ttl},
        },
        action=f"request a token of ServiceAccount {NAMESPACE}/{ACCOUNT}",
        kind="TokenRequest",
        repeatable=True,
    )
    status = answer.get("status") or {}
    if not status.get("token"):
        raise KubestellarError(
            f"{its.name}: the API server returned no token for ServiceAccount {NAMESPACE}/{ACCOUNT}."
        )
    return str(status["token"]), str(status.get("expirationTimestamp") or "")


def check(ttl: int, endpoint: str | None, dest: Sequence[str]) -> None:
    """:raises InvalidInput: a life or an address that no API server takes, or a folder in place of a file."""
    if not SHORTEST_TTL <= ttl <= LONGEST_TTL:
        raise InvalidInput(
            f"ttl is {ttl}, but API servers issue tokens for {SHORTEST_TTL} seconds at least and "
            f"{LONGEST_TTL} at most."
        )
    if endpoint:
        parts = urlsplit(endpoint)
        if parts.scheme != "https" or not parts.hostname or parts.query or parts.fragment or parts.username:
            raise InvalidInput(
                f"endpoint {endpoint!r} is not the URL of an API server.", hint="Write https://<host>:<port>."
            )
    for path in dest:
        if os.path.isdir(path):
            raise InvalidInput(f"dest: {path} is a folder.", hint="Name a file.")


def kubeconfig(server: str, authority: bytes | None, token: str) -> str:
    """A kubeconfig for agents, as YAML: one context, the hub's CA, a bearer token. TLS is always verified.

    :param authority: PEM of the CA; None for a server with a publicly trusted certificate.
    """
    cluster: dict[str, Any] = {"server": server}
    if authority:
        cluster["certificate-authority-data"] = base64.b64encode(authority).decode()
    return dump_yaml(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "hub", "cluster": cluster}],
            "users": [{"name": "bootstrap", "user": {"token": token}}],
            "contexts": [
                {
                    "name": "bootstrap",
                    "context": {"cluster": "hub", "user": "bootstrap", "namespace": "default"},
                }
            ],
            "current-context": "bootstrap",
        }
    )


def write_secret_file(path: str, text: str) -> None:
    """Put `text` into a file that only its owner can read, whole or not at all. A missing folder is made, private too.

    :raises InvalidInput: the folder cannot be made, or does not take it.
    """
    folder = os.path.dirname(os.path.abspath(path))
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=".kubestellar-")  # mkstemp makes it 0600
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(text)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise InvalidInput(f"dest: {path} cannot be written: {error.strerror}.") from error
