# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hub as a cluster is to know it: its address for Pods, and whether a cluster needs a bootstrap credential (private to kubestellar.core).

An agent compares server, proxy and authority in its two kubeconfigs and joins again when they differ (ocm:
pkg/registration/register/common.go). So a cluster is left alone while its certificate is good and for the right hub.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.kubestellar.core.plugins.module_utils import _credentials, _space
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, plain
from ansible_collections.kubestellar.core.plugins.module_utils._resources import SERVICES
from ansible_collections.kubestellar.core.plugins.module_utils._untrusted import well_formed
from ansible_collections.kubestellar.core.plugins.module_utils._yaml import dump_yaml, load_yaml
from ansible_collections.kubestellar.core.plugins.module_utils.klusterlet.wishes import (
    BOOTSTRAP_SECRET,
    Wish,
)

_CONTAINER_API_PORT = 6443
"""Where the API server listens in a container of kind and k3d."""
_LOCAL_NAMES = (".localhost", ".localtest.me")
_CLUSTER_NAMES = re.compile(
    r"\.svc(\.cluster\.local)?$|^kubernetes(\.default)?$|^vcluster\.[a-z0-9-]+-system$"
)
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)


@dataclass(frozen=True)
class Known:
    """A hub in a kubeconfig.

    :ivar server: its URL.
    :ivar authority: PEM of its authority; empty for the authorities of the system.
    :ivar proxy: URL of a proxy.
    """

    server: str
    authority: str = field(default="", repr=False)
    proxy: str = ""

    def same_server(self, other: Known) -> bool:
        """Whether both are at one address."""
        return self.server == other.server and self.proxy == other.proxy

    def same_authority(self, other: Known) -> bool:
        """Whether both have the same certificates."""
        return _certificates(self.authority) == _certificates(other.authority)

    def same(self, other: Known) -> bool:
        """Whether an agent would take them for the same hub."""
        return self.same_server(other) and self.same_authority(other)

    def may_be(self, other: Known) -> bool:
        """Whether it can be one hub that has got another address or another authority, but not both."""
        return self.same_server(other) or (self.same_authority(other) and bool(_certificates(self.authority)))


@dataclass(frozen=True)
class Bootstrap:
    """A kubeconfig that agents join with. :ivar content: it holds a token."""

    known: Known
    content: Mapping[str, Any] = field(repr=False)

    def text_for(self, server: str) -> str:
        """It as YAML, for another address of the same hub."""
        content = dict(self.content)
        content["clusters"] = [
            {**entry, "cluster": {**(entry.get("cluster") or {}), "server": server}}
            for entry in content["clusters"]
        ]
        return dump_yaml(content)


def bootstrap_of(text: str, where: str) -> Bootstrap:
    """A bootstrap kubeconfig.

    :param where: what messages call it.
    :raises InvalidInput: agents could not use it, or would not verify the hub.
    """
    documents = load_yaml(text, where)
    content = well_formed(documents[0] if len(documents) == 1 else None, where)
    known = known_of(content)
    if known is None or len(content.get("clusters") or []) != 1:
        raise InvalidInput(
            f"{where} is not a kubeconfig with one cluster and a current context.",
            hint="Make it with join_credentials.",
        )
    (entry,) = content["clusters"]
    cluster = entry.get("cluster") or {}
    if cluster.get("insecure-skip-tls-verify"):
        raise InvalidInput(f"{where} does not verify the hub.", hint="Give the authority of the hub in it.")
    if cluster.get("certificate-authority"):
        raise InvalidInput(
            f"{where} names a file for the authority of the hub, which is not on the cluster.",
            hint="Put it in as certificate-authority-data.",
        )
    if not _credentials.token_of(content):
        raise InvalidInput(f"{where} has no token.", hint="Make it with join_credentials.")
    return Bootstrap(known, content)


def read_bootstrap(path: str) -> Bootstrap:
    """A bootstrap kubeconfig from a file of this machine.

    :raises InvalidInput: it cannot be read, others can read it too, or it is of no use.
    """
    try:
        with open(path, encoding="utf-8") as stream:
            mode = stat.S_IMODE(os.fstat(stream.fileno()).st_mode)
            text = stream.read()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"bootstrap_kubeconfig: {path} cannot be read: {plain(error, 120)}.") from error
    if mode & 0o077:
        raise InvalidInput(
            f"bootstrap_kubeconfig: {path} has a token in it and others may read it (mode {mode:04o}).",
            hint=f"chmod 600 {path}",
        )
    return bootstrap_of(text, f"bootstrap_kubeconfig: {path}")


def known_of(content: Mapping[str, Any] | None) -> Known | None:
    """The hub in the current context of a kubeconfig; None if there is none that agents would find."""
    try:
        contexts = {
            entry["name"]: entry.get("context") or {} for entry in (content or {}).get("contexts") or []
        }
        clusters = {
            entry["name"]: entry.get("cluster") or {} for entry in (content or {}).get("clusters") or []
        }
        cluster = clusters[contexts[(content or {}).get("current-context")]["cluster"]]
        data = base64.b64decode(cluster.get("certificate-authority-data") or "").decode()
        return Known(str(cluster["server"]).rstrip("/"), data, str(cluster.get("proxy-url") or ""))
    except (AttributeError, KeyError, TypeError, ValueError, binascii.Error):
        return None


def _certificates(pem: str) -> frozenset[str]:
    return frozenset("".join(body.split()) for body in _PEM.findall(pem))


# -- addresses ---------------------------------------------------------------------------------------------------------


def unreachable(server: str) -> str:
    """Why Pods of another cluster cannot reach an address, as a clause; empty if they may."""
    host = (urlsplit(server).hostname or "").rstrip(".")
    if host == "localhost" or host.endswith(_LOCAL_NAMES) or host == _LOCAL_NAMES[1][1:]:
        return f"{host} is the loopback of whoever asks"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        if _CLUSTER_NAMES.search(host):
            return f"{host} is a name inside the hub's own cluster"
        return ""
    if address.is_loopback or address.is_unspecified:
        return f"{host} is the loopback of whoever asks"
    return ""


@dataclass(frozen=True)
class Hub:
    """The ITS as it is reached in each way.

    :ivar outside: URL by which it is reached from here.
    :ivar inside: URL in the hosting cluster; empty if there is none.
    :ivar port: port of it on the containers of the hosting cluster; 0 if there is none.
    :ivar uids: what `uid_of` says of the hosting cluster and of the ITS.
    :ivar spaces: what it says of the WDSes that deliver through the ITS, to their names.
    """

    outside: str
    authority: str = field(default="", repr=False)
    inside: str = ""
    port: int = 0
    uids: frozenset[str] = frozenset()
    spaces: Mapping[str, str] = field(default_factory=dict)

    def address_for(self, wish: Wish) -> str:
        """The URL of the hub for the Pods of a cluster."""
        if wish.endpoint:
            return wish.endpoint
        if wish.is_hub and self.inside:
            return self.inside
        if wish.host_container and self.port and unreachable(self.outside):
            return f"https://{wish.host_container}:{self.port}"
        return self.outside


def look(hosting: Cluster | None, its: Cluster, name: str, uids: frozenset[str]) -> Hub:
    """How an ITS is reached.

    :param hosting: the hosting cluster; None if the ITS is reached by a kubeconfig of its own.
    :param name: the ControlPlane of the ITS.
    """
    authority = (its.authority() or b"").decode()
    if hosting is None or not name:
        return Hub(its.server, authority, uids=uids)
    plane = _space.read(hosting, name)
    kind = (plane.get("spec") or {}).get("type")
    inner = known_of(_space.secret_kubeconfig(hosting, plane, in_cluster=True))
    port = 0
    if kind == "host":
        port = _CONTAINER_API_PORT
    elif kind != "external":
        port = node_port(hosting.list(SERVICES, f"{name}-system").items)
    # With another authority, such as that of an OpenShift, the address inside needs another kubeconfig.
    outside = Known(its.server, authority)
    inside = inner.server if inner and kind != "external" and inner.same_authority(outside) else ""
    return Hub(its.server, authority, inside, port, uids)


def node_port(services: list[dict[str, Any]]) -> int:
    """The port of the nodes that leads to an API server, of the Services of a space's namespace; 0 if none does.

    KubeFlex makes `vcluster-nodeport` for it (kubeflex: pkg/reconcilers/vcluster/service.go).
    """
    for service in services:
        spec = service.get("spec") or {}
        if spec.get("type") != "NodePort":
            continue
        for port in spec.get("ports") or []:
            if port.get("port") == 443 and port.get("nodePort"):
                return int(port["nodePort"])
    return 0


# -- whether a cluster needs a credential ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Membership:
    """What the Secrets of a cluster say.

    :ivar cluster_name: the name under which it has joined; empty if it has not.
    :ivar joined: the hub that it has a certificate for; None without.
    :ivar bootstrap: the hub that it is to join with its bootstrap credential; None without.
    :ivar expires: when the certificate ends, in seconds since the epoch; 0 without.
    """

    cluster_name: str = ""
    joined: Known | None = None
    bootstrap: Known | None = None
    expires: float = 0.0

    def fresh(self, now: float) -> bool:
        """Whether the agent can go on with what it has."""
        return self.joined is not None and self.expires > now


def membership_of(
    hub_secret: Mapping[str, Any] | None, bootstrap_secret: Mapping[str, Any] | None
) -> Membership:
    """What the Secrets `hub-kubeconfig-secret` and `bootstrap-hub-kubeconfig` say; None for one that is not there."""
    data = (hub_secret or {}).get("data") or {}
    joined, expires = _kubeconfig_in(data), 0.0
    if data.get("tls.crt") and data.get("tls.key"):
        found = _credentials.of_certificate(str(data["tls.crt"]))
        expires = 0.0 if found.error else found.expires
    return Membership(
        _decoded(data.get("cluster-name")),
        joined if expires else None,
        _kubeconfig_in((bootstrap_secret or {}).get("data") or {}),
        expires,
    )


def _kubeconfig_in(data: Mapping[str, Any]) -> Known | None:
    text = _decoded(data.get("kubeconfig"))
    if not text:
        return None
    try:
        documents = load_yaml(text, "the kubeconfig in a Secret")
    except InvalidInput:
        return None
    return known_of(documents[0]) if documents else None


def _decoded(value: Any) -> str:
    try:
        return base64.b64decode(str(value or "")).decode()
    except (ValueError, binascii.Error):
        return ""


def need(member: Membership, expected: Known | None, name: str, now: float, *, rejoin: bool = False) -> str:
    """Why a cluster needs a new bootstrap credential, as a clause; empty if it does not.

    :param expected: the hub as the cluster is to know it; None if that is not known.
    :param rejoin: whether the hub has no record of the cluster any more.
    """
    if member.joined is None:
        return "it has not joined"
    if not member.fresh(now):
        return "its certificate has expired"
    if member.cluster_name and member.cluster_name != name:
        return f"it has joined as {plain(member.cluster_name, 80)}"
    if member.bootstrap is None:
        return f"the Secret {BOOTSTRAP_SECRET} is not there"
    if expected is not None:
        for known in (member.joined, member.bootstrap):
            if not known.same_server(expected):
                return (
                    f"the address of its hub is {plain(known.server, 120)}, not {plain(expected.server, 120)}"
                )
            if not known.same_authority(expected):
                return "the certificate authority of its hub is another one"
    return "the hub has no record of it any more" if rejoin else ""


def other_hub(member: Membership, expected: Known | None, now: float) -> str:
    """The URL of the hub that a cluster belongs to, if that is another one than expected; else empty."""
    if expected is None:
        return ""
    known = member.joined if member.fresh(now) else member.bootstrap
    return "" if known is None or known.may_be(expected) else known.server
