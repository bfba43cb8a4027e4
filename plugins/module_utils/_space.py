# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the hosting cluster to a space (private to kubestellar.core)."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.kubestellar.core.plugins.module_utils._auth import resolve
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    InvalidInput,
    KubestellarError,
    NotFound,
    plain,
)
from ansible_collections.kubestellar.core.plugins.module_utils._resources import CONTROL_PLANES, SECRETS
from ansible_collections.kubestellar.core.plugins.module_utils._untrusted import well_formed
from ansible_collections.kubestellar.core.plugins.module_utils._yaml import load_yaml

CP_TYPE_LABEL = "kflex.kubestellar.io/cptype"
_HOST_SERVER = "kubernetes.default.svc"
"""The server that KubeFlex writes for a space of type `host` (kubeflex: pkg/reconcilers/host/secret.go)."""

_A = {"its": "an ITS", "wds": "a WDS"}

WAY_SPEC: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "kubeconfig": {"type": "path"},
    "context": {"type": "str"},
}
"""One space whose role is known, and perhaps a way to it of its own."""
SPACES_SPEC: dict[str, Any] = {
    "spaces": {
        "type": "list",
        "elements": "dict",
        "options": {**WAY_SPEC, "role": {"type": "str", "choices": ["its", "wds"]}},
    }
}
"""The option of modules that work on several spaces at once; see `choose`."""


def hosting_cluster(params: Mapping[str, Any]) -> Cluster:
    """The hosting cluster that the connection options name.

    :param params: with the keys of `AUTH_SPEC` and `expected_server`.
    :raises InvalidInput: they name none, or another one than expected.
    """
    cluster = Cluster.from_auth(resolve(params), name=params.get("context") or "hosting cluster")
    expected = params.get("expected_server")
    if expected and cluster.server != expected.rstrip("/"):
        raise InvalidInput(
            f"{cluster.name}: the connection leads to {cluster.server}, not to the expected {expected}.",
            hint="Nothing was read or changed; check kubeconfig, context and the K8S_AUTH_* environment.",
        )
    return cluster


def connect(hosting: Cluster, space: str, *, in_cluster: bool | None = None) -> Cluster:
    """The cluster of a ControlPlane, by the kubeconfig in its Secret.

    :param space: name of the ControlPlane.
    :param in_cluster: whether we run as a pod of the hosting cluster, which decides the address; looked up when None.
    :raises NotFound: no such ControlPlane.
    :raises KubestellarError: it has no usable Secret yet.
    """
    return connect_to(hosting, read(hosting, space), in_cluster=in_cluster)


def read(hosting: Cluster, space: str) -> dict[str, Any]:
    """A ControlPlane.

    :raises NotFound: there is none.
    """
    control_plane = hosting.get(CONTROL_PLANES, space)
    if control_plane is None:
        raise NotFound(
            f"{hosting.name}: there is no ControlPlane {space}.",
            status=404,
            reason="NotFound",
            hint="Create it (kubestellar.core.hub), or name an existing space.",
        )
    return control_plane


def connect_to(
    hosting: Cluster, control_plane: Mapping[str, Any], *, in_cluster: bool | None = None
) -> Cluster:
    """As `connect`, for a ControlPlane that was read already.

    A space of type `host` is the hosting cluster itself. KubeFlex writes only the address inside it, so from outside it is
    reached as the hosting cluster is, unless somebody added the other key.
    """
    space = str(control_plane["metadata"]["name"])
    if in_cluster is None:
        in_cluster = "KUBERNETES_SERVICE_HOST" in os.environ
    kubeconfig = secret_kubeconfig(hosting, control_plane, in_cluster=in_cluster)
    if not in_cluster and (control_plane.get("spec") or {}).get("type") == "host":
        clusters = (kubeconfig or {}).get("clusters") or []
        if [_host((entry.get("cluster") or {}).get("server")) for entry in clusters] == [_HOST_SERVER]:
            return hosting.renamed(space)
    if kubeconfig is None:
        raise KubestellarError(
            f"{hosting.name}: the ControlPlane {space} has no kubeconfig yet.",
            hint="Wait until it is Ready, or look at its conditions and at the KubeFlex manager.",
        )
    return Cluster.from_secret(kubeconfig, name=space)


def _host(server: object) -> str | None:
    try:
        return urlsplit(str(server)).hostname
    except ValueError:
        return None


def choose(
    entries: Sequence[Mapping[str, Any]] | None, hosting: Callable[[], Cluster], *, only: str | None = None
) -> list[tuple[str, Cluster]]:
    """Role and cluster of each space of the option `spaces`; of all spaces of the hub if it is None.

    :param hosting: connects to the hosting cluster; not called if each entry has a connection of its own.
    :param only: `its` or `wds`: all are to be of this role, and entries need not say so.
    :raises InvalidInput: a name is there twice, or a role is not known, or another one.
    :raises KubestellarError: the hub has no spaces, or not one of these.
    """
    known: dict[str, dict[str, Any]] = {}
    if entries is None:
        for item in hosting().list(CONTROL_PLANES).items:
            if role(item) is not None and only in (None, role(item)):
                known[item["metadata"]["name"]] = item
        if not known:
            what, label = (only.upper(), f"{CP_TYPE_LABEL}={only}") if only else ("space", CP_TYPE_LABEL)
            raise KubestellarError(
                f"{hosting().name}: there is no {what}: no ControlPlane has the label {label}.",
                hint="Set up the hub first (kubestellar.core.hub), or name the spaces.",
            )
        entries = [{"name": name} for name in known]
    chosen: dict[str, tuple[str, Cluster]] = {}
    for entry in entries:
        name, wanted = entry["name"], entry.get("role") or only
        if name in chosen:
            raise InvalidInput(f"The space {plain(name, 80)} is named twice.", hint="Keep one of them.")
        if entry.get("kubeconfig"):
            cluster = Cluster.from_kubeconfig(entry["kubeconfig"], entry.get("context"), name=name)
        else:
            control_plane = known.get(name) or read(hosting(), name)
            if control_plane["metadata"].get("deletionTimestamp"):
                raise KubestellarError(
                    f"{hosting().name}: the ControlPlane {name} is being deleted, and what is in it with it.",
                    hint="Name the other spaces, or wait until it is gone.",
                )
            actual = role(control_plane)
            if only is not None and actual not in (None, only):
                raise InvalidInput(
                    f"{hosting().name}: the ControlPlane {name} is {_A[str(actual)]}, not {_A[only]}.",
                    hint=f"Name {_A[only]}.",
                )
            wanted = wanted or actual
            cluster = connect_to(hosting(), control_plane)
        if wanted is None:
            raise InvalidInput(
                f"Whether {plain(name, 80)} is an ITS or a WDS is not known.", hint="Set its role."
            )
        chosen[name] = (wanted, cluster)
    return list(chosen.values())


def role(control_plane: Mapping[str, Any]) -> str | None:
    """`its` or `wds`, or None if its label does not say."""
    value = ((control_plane.get("metadata") or {}).get("labels") or {}).get(CP_TYPE_LABEL)
    return value if value in ("its", "wds") else None


def secret_kubeconfig(
    hosting: Cluster, control_plane: Mapping[str, Any], *, in_cluster: bool | None = None
) -> dict[str, Any] | None:
    """The kubeconfig (as a mapping) in the Secret that a ControlPlane names, or None while it is not there.

    `status.secretRef.key` names a key that the Secret of a `host` or `external` space lacks, so the in-cluster
    key is the fallback (kubeflex: pkg/reconcilers/external).
    """
    return kubeconfig_of(read_secret(hosting, control_plane), control_plane, in_cluster=in_cluster)


def read_secret(hosting: Cluster, control_plane: Mapping[str, Any]) -> dict[str, Any] | None:
    """The Secret that a ControlPlane names, or None while it names none or it is not there."""
    reference = (control_plane.get("status") or {}).get("secretRef") or {}
    if not reference.get("name"):
        return None
    return hosting.get(SECRETS, reference["name"], reference.get("namespace"))


def kubeconfig_of(
    secret: Mapping[str, Any] | None, control_plane: Mapping[str, Any], *, in_cluster: bool | None = None
) -> dict[str, Any] | None:
    """The kubeconfig in a Secret; see `secret_kubeconfig`."""
    if in_cluster is None:
        in_cluster = "KUBERNETES_SERVICE_HOST" in os.environ
    reference = (control_plane.get("status") or {}).get("secretRef") or {}
    data = (secret or {}).get("data") or {}
    keys = [reference.get("key"), reference.get("inClusterKey")]
    if in_cluster:
        keys.reverse()
    encoded = next((data[key] for key in keys if key and data.get(key)), None)
    if encoded is None:
        return None
    name = (control_plane.get("metadata") or {}).get("name")
    where = f"the kubeconfig of ControlPlane {name}"
    try:
        text = base64.b64decode(encoded)
    except (TypeError, ValueError):
        raise InvalidInput(f"{where} is not base64.", hint="Let the space be adopted anew.") from None
    documents = load_yaml(text, where)
    return dict(well_formed(documents[0], where)) if documents else None
