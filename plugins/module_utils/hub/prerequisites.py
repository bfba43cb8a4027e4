# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a hub needs and what a cluster has, and the sentences about what it lacks (private to kubestellar.core). Pure functions.

What would be the same trouble later has the id and the sentences that it has then, in `hub.troubles` and `doctor.catalogue`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, plain
from ansible_collections.kubestellar.core.plugins.module_utils.doctor import catalogue as diagnosis
from ansible_collections.kubestellar.core.plugins.module_utils.doctor.catalogue import (
    ERROR,
    WARNING,
    Finding,
    Trouble,
)
from ansible_collections.kubestellar.core.plugins.module_utils.doctor.facts import Reading
from ansible_collections.kubestellar.core.plugins.module_utils.hub import troubles, values
from ansible_collections.kubestellar.core.plugins.module_utils.placement.catalogue import phrase

KUBEFLEX_NAMESPACE, KUBEFLEX_MANAGER = "kubeflex-system", "kubeflex-controller-manager"
DATABASE = "postgres-postgresql-0"
"""The Pod that the KubeFlex manager waits for (kubeflex: chart/templates/operator.yaml, wait-postgresql)."""
INGRESS_CLASS = "nginx"
"""Of every Ingress that KubeFlex makes (kubeflex: pkg/reconcilers/shared/ingress.go)."""
PASSTHROUGH = "--enable-ssl-passthrough"
OLDEST, NEWEST = (1, 29), (1, 32)
"""Kubernetes: what KubeStellar's guide asks for (of kubectl), and what the tests of this collection run on."""
OLDEST_HELM, NEWEST_HELM = 3, 3
DOMAIN, EXTERNAL_PORT, HOST_CONTAINER = "localtest.me", 9443, "kubeflex-control-plane"
"""The core chart's own values (kubeflex: chart/values.yaml)."""
ROUTES, OPENSHIFT = "route.openshift.io", "project.openshift.io"

OUTSIDE = ("k8s", "vcluster")
"""Types with an API server of their own in the hosting cluster, reached through an Ingress or a Route."""
_RBAC, _TENANCY = "rbac.authorization.k8s.io", "tenancy.kflex.kubestellar.org"

HOOKS = ("its-hub-init", "install-status-addon", "kubestellar-controller", "transport-controller")
CLUSTER_ROLES = ("kubeflex-manager-role", "kubeflex-metrics-reader", "kubeflex-proxy-role")
CLUSTER_ROLE_BINDINGS = (
    "kubeflex-manager-rolebinding",
    "kubeflex-proxy-rolebinding",
    "kubeflex-manager-cluster-admin-rolebinding",
)
"""What the core chart and its sub-chart make that is not in a namespace (templates of both)."""

CATALOGUE: dict[str, Trouble] = {
    "kubernetes-old": Trouble(
        ERROR,
        "It is Kubernetes {version}, and KubeStellar needs {oldest} or newer.",
        "Upgrade it, or use another hosting cluster.",
    ),
    "kubernetes-untested": Trouble(
        WARNING,
        "It is Kubernetes {version}, and this collection is tested with none newer than {newest}.",
        "Try it with a hub that nobody depends on.",
    ),
    "helm-missing": Trouble(
        ERROR,
        "The program helm cannot be used where Ansible runs: {reason:text}.",
        "Install helm {oldest}, or name it in hub_helm.",
    ),
    "helm-old": Trouble(
        ERROR,
        "It is helm {version}, and the core chart needs helm {oldest}.",
        "Install helm {oldest}, or name it in hub_helm.",
    ),
    "helm-untested": Trouble(
        WARNING,
        "It is helm {version}, and this collection is tested with none newer than helm {newest}.",
        "Name a helm {newest} in hub_helm, or try it with a hub that nobody depends on.",
    ),
    "right-missing": Trouble(
        ERROR,
        "The credentials lack the {verbs:form right|rights} to {verbs:names} {resource}.",
        "Use those of a cluster administrator, or grant {verbs:form this right|these rights}.",
    ),
    "right-unproven": Trouble(
        WARNING,
        "The credentials lack the {verbs:form right|rights} to {verbs:names} {resource}: the API server then refuses the roles "
        "of KubeFlex unless the credentials hold every right in them.",
        "Use those of a cluster administrator, or grant {verbs:form this right|these rights}.",
    ),
    "ingress-class-missing": Trouble(
        ERROR,
        "It does not exist ({others}), so the {spaces:form space|spaces} {spaces:names} cannot be reached from outside.",
        "Install the Ingress controller ingress-nginx with SSL passthrough; on OpenShift, set hub_kubeflex.openshift.",
    ),
    "passthrough-unproven": Trouble(
        WARNING,
        "{reason:text}, so it cannot be told whether the {spaces:form space|spaces} {spaces:names} will be reached from outside.",
        "Start ingress-nginx with --enable-ssl-passthrough.",
    ),
    "openshift-missing": Trouble(
        ERROR,
        "The API group {group} is not served, so this is no OpenShift cluster, for which hub_kubeflex.openshift is set.",
        "Remove hub_kubeflex.openshift, or name the right hosting cluster.",
    ),
    "openshift-unset": Trouble(
        WARNING,
        "The API group {group} is served, so this is an OpenShift cluster, and hub_kubeflex.openshift is not set: the "
        "{spaces:form space|spaces} {spaces:names} would get Ingresses instead of Routes.",
        "Set hub_kubeflex.openshift.",
    ),
    "address-unresolved": Trouble(
        WARNING,
        "The name {host} is not resolved here: {reason:text}.",
        "Let {wildcard} lead to the Ingress controller, or set hub_kubeflex.domain. WECs and programs outside use this name.",
    ),
    "address-unreachable": Trouble(
        WARNING,
        "Nothing answers from here at {host}, port {port}: {reason:text}.",
        "Let the port lead to the Ingress controller, or set hub_kubeflex.external_port. From the side of the WECs it cannot be "
        "looked at; they need it too.",
    ),
    "address-loopback": Trouble(
        WARNING,
        "Its address {address} means, for each machine and container, itself: WECs elsewhere cannot reach it there.",
        "{instead:text}",
    ),
    "node-missing": Trouble(
        ERROR,
        "No node takes Pods: {reason:text}.",
        "Add a node, or make one ready and schedulable (kubectl uncordon) and without taints.",
    ),
    "kubeflex-old": Trouble(
        ERROR,
        "It is of an older KubeFlex: it lacks {fields:names} in spec, which the API server would then drop without a word. Helm "
        "does not upgrade it.",
        "Apply the definitions of the KubeFlex that the chart brings, or remove the old KubeFlex with them first.",
    ),
    "object-foreign": Trouble(
        ERROR,
        "It belongs to {owner}, and the chart makes one of this name: helm refuses that.",
        "Is this hub there under another name (hub_chart_release, hub_chart_namespace)? If KubeFlex or the hooks are to be shared, "
        "set hub_kubeflex.install or hub_hooks to false; else remove it.",
    ),
    "database-missing": Trouble(
        ERROR,
        "It does not exist, and the KubeFlex manager does not start without it, while hub_kubeflex.postgresql is false.",
        "Install PostgreSQL there under this name, or leave hub_kubeflex.postgresql out.",
    ),
    "namespace-deleting": Trouble(
        ERROR,
        "It is being deleted since {time}, and nothing can be created in it.",
        "Wait until it is gone, then run again; if it stays, its status says what it waits for.",
    ),
    "namespace-taken": Trouble(
        WARNING,
        "It is there already and no ControlPlane owns it: the space {space} would use what is in it, such as a Secret "
        "admin-kubeconfig, and leave it behind when it goes.",
        "Delete it if it is left over, or give the space another name.",
    ),
    "name-reserved": Trouble(
        ERROR,
        "Its namespace would be {namespace}, which is not for spaces.",
        "Give the space another name.",
    ),
    "bootstrap-secret-missing": Trouble(
        ERROR,
        "It {reason}, and the space {space} of type external is adopted with the kubeconfig in it.",
        "Create it, or correct bootstrap_secret of this space in hub_itses.",
    ),
    **{
        name: Trouble(severity, diagnosis.CATALOGUE[name].evidence, diagnosis.CATALOGUE[name].hint)
        for name, severity in (("hub-unreachable", ERROR), ("not-read", WARNING), ("kubeflex-missing", ERROR))
    },
    **{
        name: Trouble(ERROR, *troubles.TROUBLES[name])
        for name in ("volume-missing", "pod-unschedulable", "pod-refused")
    },
}


# -- what is wanted --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Space:
    """A space of the inventory.

    :ivar role: `its` or `wds`.
    :ivar ocm: whether OCM is installed in an ITS.
    :ivar bootstrap: namespace, name and key of the Secret that a space of type `external` is adopted with; empty if it is
        made of a kubeconfig that is given.
    """

    name: str
    role: str
    type: str
    ocm: bool = False
    bootstrap: tuple[str, str, str] = ("", "", "")

    @property
    def namespace(self) -> str:
        """Its namespace in the hosting cluster."""
        return f"{self.name}-system"


@dataclass(frozen=True)
class Wanted:
    """A hub that is to be there.

    :ivar install: whether KubeFlex is installed with it.
    :ivar postgresql: whether KubeFlex installs its database.
    :ivar hooks: whether the PostCreateHooks are installed with it.
    """

    spaces: tuple[Space, ...]
    release: str = "ks-core"
    namespace: str = "default"
    install: bool = True
    postgresql: bool = True
    openshift: bool = False
    hooks: bool = True
    domain: str = DOMAIN
    port: int = EXTERNAL_PORT
    host_container: str = HOST_CONTAINER


def wanted(
    settings: Mapping[str, Any], extra: Mapping[str, Any] | None, release: str, namespace: str
) -> Wanted:
    """What the variables of role `hub` ask for.

    :param settings: `itses`, `wdses`, `kubeflex` and `hooks`, as for `values.chart_values`.
    :param extra: values of the chart itself, which win, as they do in the chart.
    :param release: the Helm release, and `namespace` its namespace.
    :raises InvalidInput: a space that the chart cannot create, or a value that is none.
    """
    made = values.chart_values(settings, extra)
    kubeflex = made.get("kubeflex-operator") or {}
    given = {space["name"] for space in settings.get("itses") or [] if space.get("kubeconfig")}
    spaces = [_space(space, "its", namespace) for space in made.get("ITSes") or []]
    spaces = [replace(space, bootstrap=("", "", "")) if space.name in given else space for space in spaces]
    spaces += [_space(space, "wds", namespace) for space in made.get("WDSes") or []]
    return Wanted(
        tuple(spaces),
        release,
        namespace,
        install=_true(kubeflex.get("install"), default=True),
        postgresql=_true(kubeflex.get("installPostgreSQL"), default=True),
        openshift=_true(kubeflex.get("isOpenShift"), default=False),
        hooks=_true(made.get("InstallPCHs"), default=True),
        domain=str(kubeflex.get("domain") or DOMAIN),
        port=_port(kubeflex.get("externalPort") or EXTERNAL_PORT),
        host_container=str(kubeflex.get("hostContainer") or HOST_CONTAINER),
    )


def _space(space: Mapping[str, Any], role: str, namespace: str) -> Space:
    if not isinstance(space, Mapping) or not space.get("name"):
        raise InvalidInput(
            f"hub_chart_values: {plain(space, 80)} among the {role.upper()}es is no space with a name.",
            hint="Leave the spaces to hub_itses and hub_wdses, or correct it.",
        )
    name = str(space["name"])
    kind = space.get("type") or (values.ITS_TYPES if role == "its" else values.WDS_TYPES)[0]
    ocm = role == "its" and space.get("install_clusteradm", True) is not False
    return Space(name, role, str(kind), ocm, _bootstrap(name, space.get("bootstrapSecret"), namespace))


def _bootstrap(name: str, secret: Mapping[str, Any] | None, namespace: str) -> tuple[str, str, str]:
    given = secret or {}
    return (
        str(given.get("namespace") or namespace),
        str(given.get("name") or f"{name}-bootstrap"),
        str(given.get("key") or "kubeconfig-incluster"),
    )


def _port(value: Any) -> int:
    text = str(value)
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise InvalidInput(
            f"The external port of KubeFlex is {plain(text, 40)}, which is no port.",
            hint="Set hub_kubeflex.external_port to a number up to 65535.",
        )
    return int(text)


def _true(value: Any, *, default: bool) -> bool:
    """A value of the chart, which compares some as text."""
    return default if value is None else str(value).lower() in ("true", "yes", "1")


# -- rights ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Right:
    """One question of a SelfSubjectAccessReview. :ivar sure: whether nothing else can stand in for it."""

    verb: str
    group: str
    resource: str
    namespace: str = ""
    name: str = ""
    sure: bool = True

    def attributes(self) -> dict[str, str]:
        """`resourceAttributes` of the review."""
        pairs = {
            "verb": self.verb,
            "group": self.group,
            "resource": self.resource,
            "namespace": self.namespace,
            "name": self.name,
        }
        return {key: value for key, value in pairs.items() if value}

    @property
    def label(self) -> str:
        """The resource for people, such as `secrets in the namespace default`."""
        text = f"{self.resource}.{self.group}" if self.group else self.resource
        text += f" {self.name}" if self.name else ""
        return f"{text} in the namespace {self.namespace}" if self.namespace else text


EVERYTHING = Right("*", "*", "*")
"""What a cluster administrator has; then no other question is asked."""

_WRITE = ("get", "create", "patch", "delete")


def rights(wish: Wanted) -> list[Right]:
    """What the credentials must be allowed to do for a hub: by helm, and by this collection while it waits and repairs."""
    asked: list[tuple[str, str, Sequence[str], str]] = [
        ("", "namespaces", ("get", "list", "create"), ""),
        (_TENANCY, "controlplanes", (*_WRITE, "list", "watch"), ""),
        ("", "secrets", ("get",), ""),
        ("", "pods", ("list", "delete"), ""),
        ("", "events", ("list",), ""),
        ("", "persistentvolumeclaims", ("list",), ""),
        ("apps", "deployments", ("list", "watch", "patch"), ""),
        ("batch", "jobs", ("list", "watch", "delete"), ""),
        ("", "secrets", ("list", "create", "update", "delete"), wish.namespace),
        ("batch", "jobs", ("create",), KUBEFLEX_NAMESPACE),
    ]
    if wish.hooks:
        asked.append((_TENANCY, "postcreatehooks", (*_WRITE, "list"), ""))
    if wish.install:
        asked.append(("apiextensions.k8s.io", "customresourcedefinitions", ("get", "create"), ""))
        asked += [(_RBAC, resource, _WRITE, "") for resource in ("clusterroles", "clusterrolebindings")]
        asked += [(_RBAC, resource, _WRITE, KUBEFLEX_NAMESPACE) for resource in ("roles", "rolebindings")]
        asked += [
            ("", resource, _WRITE, KUBEFLEX_NAMESPACE)
            for resource in ("configmaps", "secrets", "serviceaccounts", "services")
        ]
        asked.append(("apps", "deployments", _WRITE, KUBEFLEX_NAMESPACE))
    found = [Right(verb, group, resource, place) for group, resource, verbs, place in asked for verb in verbs]
    if wish.install:
        found += [Right(verb, _RBAC, "clusterroles", sure=False) for verb in ("escalate", "bind")]
    if any(space.type == "host" for space in wish.spaces):
        # KubeFlex then becomes a cluster administrator; nobody who has every right could be here.
        found.append(Right("bind", _RBAC, "clusterroles", name="cluster-admin"))
    return list(dict.fromkeys(found))


# -- what is there ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Program:
    """A program where Ansible runs. :ivar error: why it cannot be used; empty if it can."""

    version: str = ""
    error: str = ""


@dataclass(frozen=True)
class Address:
    """A name and port as seen from here.

    :ivar addresses: what the name is resolved to.
    :ivar unresolved, unreachable: why not; empty if it was.
    """

    space: str
    host: str
    addresses: tuple[str, ...] = ()
    unresolved: str = ""
    unreachable: str = ""


@dataclass(frozen=True)
class Facts:
    """A hosting cluster as far as it was read. Lists that no check needs are empty.

    :ivar trouble: why it cannot be used at all; empty if it can.
    :ivar version: `gitVersion` of the API server.
    :ivar groups: a Reading whose items are the API groups.
    :ivar manager, database: Readings with the Deployment of the KubeFlex manager and the Pod of its database, if they are there.
    :ivar definition: a Reading with the CustomResourceDefinition of ControlPlanes, if it is there.
    :ivar keys: namespace and name of a Secret to the keys that have a value; None for a Secret that is not there.
    :ivar denied: the rights that the credentials lack.
    :ivar asked: how many they were asked for; 1 if that was the right to everything.
    """

    cluster: str
    server: str = ""
    trouble: str = ""
    version: str = ""
    helm: Program = field(default_factory=Program)
    groups: Reading = field(default_factory=Reading)
    planes: Reading = field(default_factory=Reading)
    namespaces: Reading = field(default_factory=Reading)
    manager: Reading = field(default_factory=Reading)
    database: Reading = field(default_factory=Reading)
    definition: Reading = field(default_factory=Reading)
    nodes: Reading = field(default_factory=Reading)
    pods: Reading = field(default_factory=Reading)
    storage_classes: Reading = field(default_factory=Reading)
    ingress_classes: Reading = field(default_factory=Reading)
    deployments: Reading = field(default_factory=Reading)
    daemon_sets: Reading = field(default_factory=Reading)
    cluster_roles: Reading = field(default_factory=Reading)
    cluster_role_bindings: Reading = field(default_factory=Reading)
    hooks: Reading = field(default_factory=Reading)
    rights: Reading = field(default_factory=Reading)
    denied: Sequence[Right] = ()
    asked: int = 0
    secrets: Reading = field(default_factory=Reading)
    keys: Mapping[tuple[str, str], frozenset[str] | None] = field(default_factory=dict)
    addresses: Sequence[Address] = ()


@dataclass(frozen=True)
class Case:
    """What is wanted beside what is there."""

    wish: Wanted
    facts: Facts

    @cached_property
    def new(self) -> list[Space]:
        """The spaces that are not there yet."""
        there = {item["metadata"]["name"] for item in self.facts.planes.items}
        return [space for space in self.wish.spaces if space.name not in there]

    @property
    def new_outside(self) -> list[str]:
        """Names of those that are to be reached through an Ingress or a Route."""
        return [space.name for space in self.new if space.type in OUTSIDE]

    @property
    def kubeflex_runs(self) -> bool:
        """Whether the manager is ready, for which it needs its database."""
        return any((item.get("status") or {}).get("readyReplicas") for item in self.facts.manager.items)

    @property
    def kubeflex_new(self) -> bool:
        """Whether KubeFlex is still to be started."""
        return self.wish.install and not self.kubeflex_runs

    def where(self, kind: str = "", name: str = "") -> str:
        """Cluster and object, such as `hub: Namespace its1-system`."""
        return ": ".join(part for part in (self.facts.cluster, f"{kind} {name}".strip()) if part)

    def found(self, trouble: str, where: str, *, severity: str = "", **facts: Any) -> Finding:
        """A finding of the catalogue."""
        entry = CATALOGUE[trouble]
        return Finding(
            trouble,
            severity or entry.severity,
            where,
            phrase(entry.evidence, facts),
            phrase(entry.hint, facts),
        )
