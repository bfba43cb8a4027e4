# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the options of the modules `klusterlet` and `klusterlet_info` ask for (private to kubestellar.core). Pure functions.

Names and limits are those of ocm: the API type Klusterlet (api: operator/v1/types_klusterlet.go) and pkg/operator/helpers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.kubestellar.core.plugins.module_utils import _metadata
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, plain

SINGLETON, DEFAULT, HOSTED = "Singleton", "Default", "Hosted"
MODES = (SINGLETON, DEFAULT, HOSTED)
OPERATOR_NAMESPACE, OPERATOR = "open-cluster-management", "klusterlet"
AGENT_NAMESPACE = "open-cluster-management-agent"
ADDON_NAMESPACE = "open-cluster-management-agent-addon"
BOOTSTRAP_SECRET, HUB_SECRET = "bootstrap-hub-kubeconfig", "hub-kubeconfig-secret"
EXTERNAL_SECRET = "external-managed-kubeconfig"
PULL_SECRET = "open-cluster-management-image-pull-credentials"
ANNOTATION_PREFIX = "agent.open-cluster-management.io"
"""Only annotations with this prefix get from a Klusterlet to its ManagedCluster."""
SHORTEST_CERTIFICATE = 3600
"""Seconds; the agent refuses a shorter life (ocm: pkg/registration/register/csr/options.go)."""

_NAMESPACE_PREFIX = "open-cluster-management-"
_LONGEST_NAMESPACE = 57

CLUSTERS_SPEC: dict[str, Any] = {
    "clusters": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "kubeconfig": {"type": "path"},
            "context": {"type": "str"},
            "host": {"type": "str"},
            "api_key": {"type": "str", "no_log": True},
            "ca_cert": {"type": "path"},
            "endpoint": {"type": "str"},
            "host_container": {"type": "str"},
            "is_hub": {"type": "bool", "default": False},
            "cluster_annotations": {"type": "dict"},
            "external_server_urls": {"type": "list", "elements": "str"},
            "planned": {"type": "bool", "default": False},
        },
    },
    "namespace": {"type": "str"},
    "mode": {"type": "str", "choices": list(MODES), "default": SINGLETON},
    "management_kubeconfig": {"type": "path"},
    "management_context": {"type": "str"},
    "change_hub": {"type": "bool", "default": False},
    "parallel": {"type": "int", "default": 16},
}
"""Which clusters, where their Klusterlets are, and how many at once: the options that both modules have."""


@dataclass(frozen=True)
class Wish:
    """One cluster and its place.

    :ivar connection: the options that name it, for `_auth.resolve`.
    :ivar endpoint: URL of the hub for its Pods; empty for the one that is found.
    :ivar host_container: the container that runs the hub's API server, for a cluster in containers of the same network.
    :ivar is_hub: whether it is meant to be the hosting cluster, or the ITS, itself.
    :ivar planned: in check mode, whether an earlier task would make it.
    :ivar annotations: for its ManagedCluster. :ivar urls: of its API server, as it is reached from outside.
    :ivar error: why it cannot be asked for like this; empty if it can.
    """

    name: str
    connection: Mapping[str, Any] = field(repr=False)
    endpoint: str = ""
    host_container: str = ""
    is_hub: bool = False
    planned: bool = False
    annotations: Mapping[str, str] = field(default_factory=dict)
    urls: tuple[str, ...] = ()
    error: str = ""

    @property
    def spec(self) -> dict[str, Any]:
        """The part of its Klusterlet's spec that it alone has."""
        return _set(
            externalServerURLs=[{"url": url} for url in self.urls],
            registrationConfiguration=_set(clusterAnnotations=dict(self.annotations)),
        )


@dataclass(frozen=True)
class Place:
    """Where Klusterlets and their agents are. :ivar given: the namespace that was asked for; empty for the usual one."""

    mode: str = SINGLETON
    given: str = ""

    @property
    def hosted(self) -> bool:
        """Whether agents run on a management cluster."""
        return self.mode == HOSTED

    def klusterlet(self, cluster: str) -> str:
        """Name of the Klusterlet; the chart's name (ocm: deploy/klusterlet/chart/klusterlet/templates/_helpers.tpl)."""
        return f"klusterlet-{cluster}" if self.hosted else "klusterlet"

    def namespace(self, cluster: str) -> str:
        """The namespace on the managed cluster, `spec.namespace` of the Klusterlet."""
        return self.given or (f"{_NAMESPACE_PREFIX}{cluster}" if self.hosted else AGENT_NAMESPACE)

    def agent_namespace(self, cluster: str) -> str:
        """Where the agents and their Secrets are (ocm: pkg/operator/helpers, `AgentNamespace`)."""
        return self.klusterlet(cluster) if self.hosted else self.namespace(cluster)

    def agents(self, cluster: str) -> tuple[str, ...]:
        """The Deployments that the operator makes, the one that registers first."""
        name = self.klusterlet(cluster)
        if self.mode == SINGLETON:
            return (f"{name}-agent",)
        return f"{name}-registration-agent", f"{name}-work-agent"


def wishes_of(params: Mapping[str, Any], *, check_mode: bool = False) -> tuple[list[Wish], Place]:
    """The clusters of the options, and their place. Only in check mode can one be planned.

    :raises InvalidInput: nothing is asked for, a cluster is named twice, or the place cannot be; with `strict`, also a name, an
        address or a namespace that cannot be, which otherwise is the `error` of its cluster.
    """
    place = Place(params["mode"], params["namespace"] or "")
    found: dict[str, Wish] = {}
    if not params["clusters"]:
        raise InvalidInput("clusters is empty.", hint="Name a cluster.")
    if params["parallel"] < 1:
        raise InvalidInput(f"parallel is {params['parallel']}.", hint="Use 1 or more.")
    for entry in params["clusters"]:
        name = entry["name"]
        if name in found:
            raise InvalidInput(f"clusters: {plain(name, 80)} is named twice.", hint="Keep one of them.")
        try:
            found[name] = _wish(entry, place, check_mode=check_mode)
        except InvalidInput as error:
            if params.get("strict", True):
                raise
            found[name] = Wish(name, {}, error=f"{error.message} {error.hint}".strip())
    _check_mode(params)
    return list(found.values()), place


def _wish(entry: Mapping[str, Any], place: Place, *, check_mode: bool) -> Wish:
    """One cluster.

    :raises InvalidInput: something of it that cannot be.
    """
    name = entry["name"]
    if not _metadata.is_dns_label(name):
        raise InvalidInput(
            f"clusters: {plain(repr(name), 80)} is not a legal cluster name.",
            hint="Use at most 63 lower-case letters, digits and dashes, without dots.",
        )
    if entry.get("endpoint"):
        check_url(entry["endpoint"], f"{name}: endpoint")
    keys = ("kubeconfig", "context", "host", "api_key", "ca_cert")
    connection = {key: entry[key] for key in keys if entry.get(key)}
    planned = check_mode and bool(entry.get("planned"))
    if not connection and not planned:
        raise InvalidInput(
            f"{name}: there is no connection to this cluster.",
            hint="Set kubeconfig and context, or host and api_key (wec_kubeconfig and so on in an inventory).",
        )
    wish = Wish(
        name,
        connection,
        (entry.get("endpoint") or "").rstrip("/"),
        entry.get("host_container") or "",
        bool(entry.get("is_hub")),
        planned,
        _annotations(entry.get("cluster_annotations"), name),
        tuple(entry.get("external_server_urls") or ()),
    )
    for url in wish.urls:
        check_url(url, f"{name}: external_server_urls")
    _check_namespace(place, name)
    return wish


def check_url(url: str, where: str) -> None:
    """:raises InvalidInput: it is not the URL of an API server."""
    try:
        parts = urlsplit(url)
        sound = parts.scheme == "https" and parts.hostname and not parts.query and not parts.fragment
        sound = sound and not parts.username and (parts.port is None or parts.port > 0)
    except ValueError:
        sound = False
    if not sound:
        raise InvalidInput(
            f"{where} is {plain(repr(url), 120)}, which is not the URL of an API server.",
            hint="Write https://<host>:<port>.",
        )


def _check_namespace(place: Place, cluster: str) -> None:
    namespace = place.namespace(cluster)
    legal = namespace.startswith(_NAMESPACE_PREFIX) and _metadata.is_dns_label(
        namespace[:_LONGEST_NAMESPACE].rstrip("-")
    )
    if not legal:
        raise InvalidInput(
            f"namespace is {plain(repr(namespace), 80)}, but OCM wants one that begins with {_NAMESPACE_PREFIX}.",
            hint="Correct it, or leave it out.",
        )
    if len(namespace) > _LONGEST_NAMESPACE:
        raise InvalidInput(
            f"{cluster}: the namespace {namespace} is longer than {_LONGEST_NAMESPACE} letters, which OCM allows.",
            hint="Set a shorter namespace.",
        )


def _check_mode(params: Mapping[str, Any]) -> None:
    hosted = params["mode"] == HOSTED
    if hosted and not params["management_kubeconfig"]:
        raise InvalidInput(
            "mode is Hosted and management_kubeconfig is not set.",
            hint="Name the cluster that the agents run on with management_kubeconfig and management_context.",
        )
    if hosted and params["namespace"] and len(params["clusters"]) > 1:
        raise InvalidInput(
            "mode is Hosted and namespace is set for several clusters.",
            hint="Leave namespace out, so that each gets its own.",
        )
    if not hosted and params["management_kubeconfig"]:
        raise InvalidInput(
            f"management_kubeconfig has no meaning for the mode {params['mode']}.",
            hint="Leave it out, or set mode to Hosted.",
        )


def _annotations(given: Mapping[str, Any] | None, cluster: str) -> dict[str, str]:
    """:raises InvalidInput: OCM would drop one."""
    foreign = [key for key in given or {} if not str(key).startswith(ANNOTATION_PREFIX)]
    if foreign:
        raise InvalidInput(
            f"{cluster}: cluster_annotations: {plain(foreign[0], 80)} does not begin with {ANNOTATION_PREFIX}, so OCM drops it.",
            hint="Set other annotations of the ManagedCluster with managed_cluster (wec_annotations in an inventory).",
        )
    return {str(key): str(value) for key, value in sorted((given or {}).items())}


def gates(given: Mapping[str, Any] | None, where: str) -> list[dict[str, str]]:
    """Feature gates of a mapping from name to whether it is on, as a Klusterlet takes them.

    :raises InvalidInput: a value is neither true nor false.
    """
    found = []
    for name, value in sorted((given or {}).items()):
        if not isinstance(value, bool):
            raise InvalidInput(
                f"{where}: {plain(name, 80)} is {plain(repr(value), 40)}, which is neither true nor false."
            )
        found.append({"feature": str(name), "mode": "Enable" if value else "Disable"})
    return found


def spec_of(params: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a Klusterlet's spec that is the same for all clusters.

    :raises InvalidInput: what OCM would drop or refuse.
    """
    limits = params["agent_limits"] or {}
    qps, burst = limits.get("qps"), limits.get("burst")
    for key, value in (("qps", qps), ("burst", burst)):
        if value is not None and value < 1:
            raise InvalidInput(f"agent_limits: {key} is {value}.", hint="Use 1 or more, or leave it out.")
    expiration = params["certificate_seconds"]
    if expiration and expiration < SHORTEST_CERTIFICATE:
        raise InvalidInput(
            f"certificate_seconds is {expiration}, but OCM wants {SHORTEST_CERTIFICATE} at least.",
            hint="Leave it out for what the hub gives.",
        )
    feature_gates = params["feature_gates"] or {}
    registration = _set(
        kubeAPIQPS=qps,
        kubeAPIBurst=burst,
        clientCertExpirationSeconds=expiration or None,
        featureGates=gates(feature_gates.get("registration"), "feature_gates: registration"),
    )
    work = _set(
        kubeAPIQPS=qps,
        kubeAPIBurst=burst,
        hubKubeAPIQPS=qps,
        hubKubeAPIBurst=burst,
        statusSyncInterval=params["status_sync_interval"],
        featureGates=gates(feature_gates.get("work"), "feature_gates: work"),
    )
    return _set(registrationConfiguration=registration, workConfiguration=work)


def _set(**values: Any) -> dict[str, Any]:
    """Those that have a value."""
    return {key: value for key, value in values.items() if value not in (None, "", [], {})}
