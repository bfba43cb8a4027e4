# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random policies and a world for them, and the comparison of two answers to the same question (pure).

The question is what a BindingPolicy places where. One answer is the Binding that KubeStellar's controller-manager
writes, the other is ours (`placement.resolution`). `test_differential.py` asks the controller.

- The world is some ninety objects of all sorts beside those that Kubernetes makes itself, in namespaces with and
  without labels, and a dozen ManagedClusters. Labels are drawn anew for each round, evenly: what matters is spread.
- Policies come from hypothesis, with a seed: every field absent, empty, `*`, a hit, a miss, or mixed.
- A `Resolver` answers from a `World` as it was listed. `WRONG` are resolvers that each misread one rule of
  contract 5.2 or 5.3; a comparison that does not see the difference for each of them is worth nothing.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import hypothesis
from ansible_collections.kubestellar.core.plugins.module_utils.placement import resolution
from ansible_collections.kubestellar.core.plugins.module_utils.placement.resolution import (
    Candidate,
    Modulation,
    ObjectKey,
    Selected,
)
from hypothesis import strategies as st

Spec = Mapping[str, Any]

# -- the world ----------------------------------------------------------------------------------------------------

LABELS: Mapping[str, Sequence[str]] = {
    "env": ("prod", "test", ""),
    "tier": ("web", "db"),
    "Zone": ("a", "A"),
    "differential.example/region": ("eu", "us-1", "eu_west.2"),
    "app.kubernetes.io/name": ("shop", "v1.2-rc_3"),
    "x" * 63: ("y" * 63, ""),
}
"""What labels are drawn from: key to values. No policy of the shared stack selects by one of these."""

NAMESPACES = ("alpha", "beta", "gamma", "bare")
UNLABELLED = ("bare", "plain")
"""Objects of these names never get labels of ours."""

ODD = "odd:Name of+every*kind_"
"""What RBAC objects may be called."""

FLEET = tuple(f"fleet-{number:02}" for number in range(1, 13))
GROUP = "differential.example"
COPIES = "copies.example"
"""Its resources have the names of others: of some that are delivered, and of some that never are."""

LEAVING = "leaving"
"""A ConfigMap that waits for a finalizer: it is selected until it is gone."""


def _thing(
    api_version: str, kind: str, name: str, namespace: str | None = None, **body: Any
) -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **body}


def _crd(
    group: str, plural: str, kind: str, versions: Mapping[str, bool], *, namespaced: bool
) -> dict[str, Any]:
    """A CustomResourceDefinition. :param versions: name to whether it is served; the last one is stored."""
    names = {"plural": plural, "singular": plural.removesuffix("s"), "kind": kind}
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return _thing(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        f"{plural}.{group}",
        spec={
            "group": group,
            "names": names,
            "scope": "Namespaced" if namespaced else "Cluster",
            "versions": [
                {"name": name, "served": served, "storage": name == list(versions)[-1], "schema": schema}
                for name, served in versions.items()
            ],
        },
    )


_POD = {
    "metadata": {"labels": {"differential": "pod"}},
    "spec": {"containers": [{"name": "main", "image": "differential.example/main"}]},
}
_WORKLOAD = {"selector": {"matchLabels": {"differential": "pod"}}, "template": _POD}
_RUN_ONCE = {"template": {"spec": {**_POD["spec"], "restartPolicy": "Never"}}}
_RBAC = "rbac.authorization.k8s.io"
_PORTS = [{"name": "main", "port": 80, "protocol": "TCP"}]


def _in_namespaces() -> Iterable[dict[str, Any]]:
    """Objects whose names come back in other kinds and namespaces."""
    for namespace in NAMESPACES:
        yield _thing("v1", "Namespace", namespace)
        yield _thing("v1", "ConfigMap", "web", namespace, data={"a": "1"})
        yield _thing("v1", "Secret", "web", namespace, stringData={"a": "1"})
        yield _thing("apps/v1", "Deployment", "web", namespace, spec=_WORKLOAD)
        yield _thing(f"{GROUP}/v1", "Widget", "web", namespace)
    for namespace in ("alpha", "beta"):
        yield _thing("v1", "Service", "web", namespace, spec={"ports": _PORTS})
        yield _thing("v1", "ServiceAccount", "robot", namespace)
        yield _thing("v1", "ConfigMap", "plain", namespace)
        yield _thing(f"{_RBAC}/v1", "Role", ODD, namespace, rules=[])
        yield _thing(f"{COPIES}/v1", "Deployment", "web", namespace)
        yield _thing(f"{COPIES}/v1", "Event", "web", namespace)
        yield _thing(f"{GROUP}/v1beta1", "Relic", "relic", namespace)


def _of_one_namespace() -> Iterable[dict[str, Any]]:
    """One object of each further namespaced kind, among them those that are never delivered."""
    space = "gamma"
    role = {"apiGroup": _RBAC, "kind": "Role", "name": "reader"}
    leaving = _thing("v1", "ConfigMap", LEAVING, space)
    leaving["metadata"]["finalizers"] = [f"{GROUP}/hold"]
    yield leaving
    yield _thing("v1", "LimitRange", "web", space, spec={"limits": []})
    yield _thing("v1", "ResourceQuota", "web", space, spec={"hard": {"count/unknown.example": "1"}})
    yield _thing("v1", "PodTemplate", "web", space, template=_POD)
    yield _thing("v1", "Pod", "web", space, spec={**_POD["spec"], "automountServiceAccountToken": False})
    yield _thing(
        "v1",
        "ReplicationController",
        "web",
        space,
        spec={"selector": {"differential": "pod"}, "template": _POD},
    )
    yield _thing(
        "v1",
        "PersistentVolumeClaim",
        "web",
        space,
        spec={"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}},
    )
    yield _thing("v1", "Endpoints", "never", space)
    yield _thing(
        "v1", "Event", "never", space, involvedObject={"kind": "Pod", "name": "web", "namespace": space}
    )
    yield _thing("apps/v1", "StatefulSet", "web", space, spec={**_WORKLOAD, "serviceName": "web"})
    yield _thing("apps/v1", "DaemonSet", "web", space, spec=_WORKLOAD)
    yield _thing("apps/v1", "ReplicaSet", "web", space, spec=_WORKLOAD)
    yield _thing("apps/v1", "ControllerRevision", "web", space, revision=1, data={"a": 1})
    yield _thing("batch/v1", "Job", "once", space, spec=_RUN_ONCE)
    yield _thing(
        "batch/v1",
        "CronJob",
        "nightly",
        space,
        spec={"schedule": "0 3 * * *", "jobTemplate": {"spec": _RUN_ONCE}},
    )
    yield _thing(
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        "web",
        space,
        spec={
            "maxReplicas": 2,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        },
    )
    yield _thing("policy/v1", "PodDisruptionBudget", "web", space, spec={"maxUnavailable": 1})
    yield _thing("networking.k8s.io/v1", "NetworkPolicy", "web", space, spec={"podSelector": {}})
    yield _thing(
        "networking.k8s.io/v1",
        "Ingress",
        "web",
        space,
        spec={"defaultBackend": {"resource": {"kind": "X", "name": "x"}}},
    )
    yield _thing(f"{_RBAC}/v1", "Role", "reader", space, rules=[])
    yield _thing(f"{_RBAC}/v1", "RoleBinding", "reader", space, roleRef=role, subjects=[])
    yield _thing("coordination.k8s.io/v1", "Lease", "never", space)
    yield _thing(
        "discovery.k8s.io/v1", "EndpointSlice", "never", space, addressType="IPv4", endpoints=[], ports=[]
    )
    yield _thing("storage.k8s.io/v1", "CSIStorageCapacity", "never", space, storageClassName="fast")


def _cluster_scoped() -> Iterable[dict[str, Any]]:
    role = {"apiGroup": _RBAC, "kind": "ClusterRole", "name": "web"}
    for name in ("web", "*", ODD):
        yield _thing(f"{_RBAC}/v1", "ClusterRole", name, rules=[])
    yield _thing(f"{_RBAC}/v1", "ClusterRoleBinding", "web", roleRef=role, subjects=[])
    yield _thing(
        "v1",
        "PersistentVolume",
        "web",
        spec={
            "capacity": {"storage": "1Mi"},
            "accessModes": ["ReadWriteOnce"],
            "hostPath": {"path": "/none"},
        },
    )
    yield _thing("v1", "Node", "never")
    yield _thing("storage.k8s.io/v1", "StorageClass", "fast", provisioner="differential.example/none")
    yield _thing("storage.k8s.io/v1", "CSIDriver", "plain", spec={"attachRequired": False})
    yield _thing("storage.k8s.io/v1", "CSINode", "never", spec={"drivers": []})
    yield _thing(
        "networking.k8s.io/v1", "IngressClass", "web", spec={"controller": "differential.example/none"}
    )
    yield _thing("scheduling.k8s.io/v1", "PriorityClass", "web", value=1)
    yield _thing("node.k8s.io/v1", "RuntimeClass", "web", handler="none")
    for kind in ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"):
        yield _thing("admissionregistration.k8s.io/v1", kind, "web", webhooks=[])
    for name in ("web", "plain"):
        yield _thing(f"{GROUP}/v1", "Region", name)
        yield _thing(f"{COPIES}/v1", "Node", name)


def definitions() -> list[dict[str, Any]]:
    """The objects of the WDS, without labels; CustomResourceDefinitions with those that use them."""
    return [
        _crd(GROUP, "widgets", "Widget", {"v1": True}, namespaced=True),
        _crd(GROUP, "regions", "Region", {"v1alpha1": False, "v1": True}, namespaced=False),
        _crd(GROUP, "relics", "Relic", {"v1": False, "v1beta1": True}, namespaced=True),
        # Served in two versions, but without objects: see the test of its own for what objects do.
        _crd(GROUP, "pairs", "Pair", {"v1beta1": True, "v1": True}, namespaced=True),
        _crd(COPIES, "deployments", "Deployment", {"v1": True}, namespaced=True),
        _crd(COPIES, "events", "Event", {"v1": True}, namespaced=True),
        _crd(COPIES, "nodes", "Node", {"v1": True}, namespaced=False),
        *_in_namespaces(),
        *_of_one_namespace(),
        *_cluster_scoped(),
    ]


def latecomers() -> list[dict[str, Any]]:
    """Objects, and a definition, that come after the controller has read discovery: in the second round."""
    return [
        _crd(GROUP, "latecomers", "Latecomer", {"v1alpha1": True}, namespaced=True),
        _thing(f"{GROUP}/v1alpha1", "Latecomer", "web", "alpha"),
        _thing(f"{GROUP}/v1alpha1", "Latecomer", "late", "bare"),
        _thing("v1", "Namespace", "late"),
        _thing("v1", "ConfigMap", "late", "late"),
    ]


def labelled(objects: Iterable[Mapping[str, Any]], numbers: random.Random) -> list[dict[str, Any]]:
    """The objects with newly drawn labels."""
    result = []
    for obj in objects:
        metadata = {**obj["metadata"], "labels": _draw_labels(obj["metadata"]["name"], numbers)}
        result.append({**obj, "metadata": metadata})
    return result


def _draw_labels(name: str, numbers: random.Random) -> dict[str, str]:
    # The numbers are drawn in any case, so that one object does not change the labels of the next.
    labels = {key: numbers.choice(values) for key, values in LABELS.items() if numbers.random() < 0.45}
    return {} if name in UNLABELLED else labels


def fleet() -> list[dict[str, Any]]:
    """ManagedClusters that never join, without labels; `labelled` gives them some."""
    return [
        _thing(
            "cluster.open-cluster-management.io/v1", "ManagedCluster", name, spec={"hubAcceptsClient": False}
        )
        for name in FLEET
    ]


def twins() -> list[dict[str, Any]]:
    """A definition that is served in two versions, an object of it, and an ordinary one beside it."""
    return [
        _crd(GROUP, "twins", "Twin", {"v1": True, "v2": True}, namespaced=True),
        _thing(f"{GROUP}/v1", "Twin", "both", "alpha"),
        beside("alpha"),
    ]


def beside(namespace: str) -> dict[str, Any]:
    """An ordinary object that the policy for the twins selects too."""
    return _thing("v1", "ConfigMap", "beside", namespace)


# -- policies -----------------------------------------------------------------------------------------------------


class Anchor(NamedTuple):
    """An object as a clause may name it: what a clause is drawn around, so that not all of them match nothing."""

    group: str
    resource: str
    namespace: str
    name: str


ANCHORS = (
    *(Anchor("", "configmaps", namespace, "web") for namespace in NAMESPACES),
    *(Anchor("apps", "deployments", namespace, "web") for namespace in NAMESPACES),
    *(Anchor(GROUP, "widgets", namespace, "web") for namespace in NAMESPACES),
    *(Anchor("", "namespaces", "", namespace) for namespace in NAMESPACES),
    Anchor("", "secrets", "beta", "web"),
    Anchor("", "services", "alpha", "web"),
    Anchor("", "configmaps", "gamma", LEAVING),
    Anchor("", "configmaps", "kube-system", "kube-root-ca.crt"),
    Anchor("", "serviceaccounts", "default", "default"),
    Anchor("", "persistentvolumes", "", "web"),
    Anchor("", "nodes", "", "never"),
    Anchor("", "events", "gamma", "never"),
    Anchor("", "endpoints", "gamma", "never"),
    Anchor("autoscaling", "horizontalpodautoscalers", "gamma", "web"),
    Anchor("batch", "jobs", "gamma", "once"),
    Anchor("coordination.k8s.io", "leases", "gamma", "never"),
    Anchor("control.kubestellar.io", "bindingpolicies", "", "case-000"),
    Anchor("apiextensions.k8s.io", "customresourcedefinitions", "", f"widgets.{GROUP}"),
    Anchor("apiextensions.k8s.io", "customresourcedefinitions", "", "bindings.control.kubestellar.io"),
    Anchor(_RBAC, "clusterroles", "", ODD),
    Anchor(_RBAC, "clusterroles", "", "cluster-admin"),
    Anchor(_RBAC, "roles", "alpha", ODD),
    Anchor("storage.k8s.io", "storageclasses", "", "fast"),
    Anchor("storage.k8s.io", "csinodes", "", "never"),
    Anchor(GROUP, "regions", "", "plain"),
    Anchor(GROUP, "relics", "alpha", "relic"),
    Anchor(GROUP, "pairs", "alpha", "web"),
    Anchor(GROUP, "latecomers", "alpha", "web"),
    Anchor("", "configmaps", "late", "late"),
    Anchor(COPIES, "deployments", "beta", "web"),
    Anchor(COPIES, "events", "alpha", "web"),
    Anchor(COPIES, "nodes", "", "web"),
)

_NAMES = tuple(tuple(sorted({anchor[position] for anchor in ANCHORS})) for position in range(4))


class _Draw:
    """Draws the parts of a policy."""

    def __init__(self, numbers: random.Random) -> None:
        self._numbers = numbers

    def spec(self) -> dict[str, Any]:
        spec: dict[str, Any] = {}
        shape = self._one(*("some",) * 8, "absent", "empty")
        if shape != "absent":
            spec["clusterSelectors"] = self._some(self._selector, 1, 3) if shape == "some" else []
        shape = self._one(*("some",) * 18, "absent", "empty")
        if shape != "absent":
            spec["downsync"] = self._clauses() if shape == "some" else []
        return spec

    def _one(self, *values: Any) -> Any:
        return self._numbers.choice(values)

    def _some(self, draw: Callable[[], Any], least: int, most: int) -> list[Any]:
        return [draw() for _number in range(self._numbers.randint(least, most))]

    def _clauses(self) -> list[dict[str, Any]]:
        if self._one(True, *(False,) * 14):
            return [*self._pair(), *self._some(self._clause, 0, 1)]
        # Clauses around one object meet in it, others hardly ever do.
        anchor = self._one(self._one(*ANCHORS), None)
        return self._some(lambda: self._clause(anchor), 1, 4)

    def _pair(self) -> list[dict[str, Any]]:
        """Two clauses that need the labels of a Namespace, for an object that has none: a corner too far off."""
        anchor = self._one(*(anchor for anchor in ANCHORS if not anchor.namespace))
        without = {"key": self._one(*LABELS), "operator": self._one("DoesNotExist", "NotIn", "Exists")}
        if without["operator"] == "NotIn":
            without["values"] = ["none"]
        return [
            {"resources": [anchor.resource], "namespaceSelectors": [{"matchLabels": {"env": "prod"}}]},
            {"objectNames": [anchor.name], "namespaceSelectors": [{"matchExpressions": [without]}]},
        ]

    def _clause(self, anchor: Anchor | None = None) -> dict[str, Any]:
        anchor = anchor or self._one(*ANCHORS)
        clause: dict[str, Any] = {}
        shape = self._one(*("hit",) * 6, *("absent",) * 8, "core", "star", "miss")
        if shape == "miss":
            clause["apiGroup"] = self._one("apps", GROUP, COPIES, "no.such.group", "v1", "apps/v1")
        elif shape != "absent":
            clause["apiGroup"] = {"hit": anchor.group, "core": "", "star": "*"}[shape]
        for field, position in (("resources", 1), ("namespaces", 2), ("objectNames", 3)):
            _put(clause, field, self._names(anchor[position], _NAMES[position]))
        if self._one(True, False, False):
            clause["objectSelectors"] = self._some(self._selector, 0, 3)
        if self._one(True, False, False):
            clause["namespaceSelectors"] = self._some(lambda: self._selector(namespaces=True), 0, 3)
        named = [clause.get(field) or ["*"] for field in ("resources", "namespaces", "objectNames")]
        free = not any(clause.get(field) for field in ("apiGroup", "objectSelectors", "namespaceSelectors"))
        if free and all("*" in names for names in named):
            # It takes everything. (The API server also takes a clause with empty lists alone, but the controller does
            # not: see the test of its own.) Once in a while that is a case worth having.
            clause["resources"] = self._one(*([anchor.resource],) * 5, ["*"])
        _put(clause, "createOnly", self._one(None, None, False, True))
        _put(clause, "wantSingletonReportedState", self._one(None, None, None, False, True))
        _put(clause, "wantMultiWECReportedState", self._one(None, None, None, False, True))
        # For each object with collectors the controller makes a CombinedStatus, which has the object's name as a label
        # value. It tries for ever where that is not legal, so ask for few, and for none with such a name.
        names = clause.get("objectNames") or ["*"]
        if not {"*", "", ODD} & set(names) and self._one(True, False):
            clause["statusCollectors"] = self._some(lambda: self._one("latest", "count", "of-none"), 0, 3)
        return clause

    def _names(self, hit: str, others: Sequence[str]) -> list[str] | None:
        shape = self._one(*("hit",) * 10, *("absent",) * 12, "star", "empty", "mixed", "mixed", "miss")
        if shape in ("absent", "empty", "star"):
            return {"absent": None, "empty": [], "star": ["*"]}[shape]
        values = self._some(lambda: self._one(*others), 0, 2)
        if shape == "hit":
            return [*values, hit]
        if shape == "mixed":
            return [*values, self._one("*", "*", "", "no-such-name")]
        return ["no-such-name", *values]

    def _selector(self, *, namespaces: bool = False) -> dict[str, Any]:
        # For cluster-scoped objects the empty one is the only namespace selector that makes a difference.
        empty = ("empty", "no labels", "no expressions") * (2 if namespaces else 1)
        shape = self._one(*("labels",) * 10, *("expressions",) * 18, *("both",) * 6, *empty)
        labels: dict[str, Sequence[str]] = {**LABELS, "kubernetes.io/bootstrapping": ("rbac-defaults",)}
        if namespaces:
            labels["kubernetes.io/metadata.name"] = ("alpha", "bare", "kube-system")
        selector: dict[str, Any] = {}
        if shape in ("labels", "both", "no labels"):
            keys = self._some(lambda: self._one(*labels), 1, 2) if shape != "no labels" else ()
            selector["matchLabels"] = {key: self._one(*labels[key]) for key in keys}
        if shape in ("expressions", "both", "no expressions"):
            few = (1, 2) if shape != "no expressions" else (0, 0)
            selector["matchExpressions"] = self._some(lambda: self._expression(labels), *few)
        return selector

    def _expression(self, labels: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        key, operator = self._one(*labels), self._one("In", "NotIn", "Exists", "DoesNotExist")
        expression: dict[str, Any] = {"key": key, "operator": operator}
        if operator in ("In", "NotIn"):
            values = self._some(lambda: self._one(*labels[key], "none"), 1, 3)
            if values.count("") > 2:
                values.pop()  # the controller would list clusters with a query that no API server can read
            expression["values"] = values
        elif self._one(True, False):
            expression["values"] = []
        return expression


def policies() -> st.SearchStrategy[dict[str, Any]]:
    """Specs of BindingPolicies that the API server accepts and the controller can evaluate.

    Drawn evenly: hypothesis by itself comes back to variations of what it has drawn, which costs half of the cases.
    """
    return st.randoms(use_true_random=True).map(lambda numbers: _Draw(numbers).spec())


def _put(clause: dict[str, Any], field: str, value: Any) -> None:
    if value is not None:
        clause[field] = value


def cases(count: int, seed: int) -> list[dict[str, Any]]:
    """`count` different specs, the same ones for the same seed."""
    drawn: dict[str, dict[str, Any]] = {}

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=count + count // 10 + 10,  # some small ones come twice
        phases=[hypothesis.Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(policies())
    def collect(spec: dict[str, Any]) -> None:
        drawn.setdefault(json.dumps(spec, sort_keys=True), spec)

    collect()
    assert len(drawn) >= count, f"hypothesis gave {len(drawn)} of {count} policies"
    return list(drawn.values())[:count]


# -- the two answers ----------------------------------------------------------------------------------------------


class Bound(NamedTuple):
    """One object in a placement, with everything that a Binding says of it."""

    version: str
    resource_version: str
    create_only: bool
    status_collectors: tuple[str, ...]
    singleton: bool
    multi_wec: bool


@dataclass(frozen=True)
class Placement:
    """An answer: the sorted names of the clusters, and the objects."""

    clusters: tuple[str, ...]
    objects: Mapping[ObjectKey, Bound]


@dataclass(frozen=True)
class World:
    """What there was when the controller answered.

    :ivar candidates: every object that can be delivered.
    :ivar never: objects of the excluded groups and resources.
    :ivar namespaces: labels of each Namespace.
    :ivar managed_clusters: all ManagedClusters.
    """

    candidates: Sequence[Candidate]
    never: Sequence[Candidate]
    namespaces: Mapping[str, Mapping[str, str]]
    managed_clusters: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Answer:
    """One case with the controller's answer.

    :ivar number: position among the cases of its seed.
    """

    number: int
    spec: Spec
    world: World
    placement: Placement


@dataclass(frozen=True)
class Resolver:
    """Something that says what a policy places: by default, what the modules use."""

    clusters: Callable[[Spec, Sequence[Mapping[str, Any]]], list[str]] = resolution.clusters
    objects: Callable[
        [Spec, Sequence[Candidate], Mapping[str, Mapping[str, str]]], dict[ObjectKey, Selected]
    ] = resolution.objects

    def answer(self, spec: Spec, world: World) -> Placement:
        """Its answer from what there was."""
        selected = self.objects(spec, world.candidates, world.namespaces)
        return Placement(
            tuple(self.clusters(spec, world.managed_clusters)),
            {
                key: Bound(
                    found.version,
                    found.resource_version,
                    found.modulation.create_only,
                    tuple(sorted(found.modulation.status_collectors)),
                    found.modulation.singleton,
                    found.modulation.multi_wec,
                )
                for key, found in selected.items()
            },
        )


def placed(binding: Mapping[str, Any] | None) -> Placement:
    """The controller's answer; without a Binding, nothing. (`resolution.bound` is under test too, so it is not used.)"""
    spec = (binding or {}).get("spec") or {}
    workload = spec.get("workload") or {}
    objects = {}
    for entry in (*(workload.get("clusterScope") or ()), *(workload.get("namespaceScope") or ())):
        key = ObjectKey(entry["group"], entry["resource"], entry.get("namespace", ""), entry["name"])
        objects[key] = Bound(
            entry["version"],
            entry["resourceVersion"],
            entry.get("createOnly", False),
            tuple(entry.get("statusCollectors", ())),
            entry.get("wantSingletonReportedState", False),
            entry.get("wantMultiWECReportedState", False),
        )
    return Placement(tuple(entry["clusterId"] for entry in spec.get("destinations") or ()), objects)


def differences(ours: Placement, theirs: Placement) -> list[str]:
    """One line for each thing that the two answers disagree on; none if they are the same."""
    lines = []
    if ours.clusters != theirs.clusters:
        lines.append(f"clusters: ours {list(ours.clusters)}, the controller's {list(theirs.clusters)}")
    for key in sorted(ours.objects.keys() | theirs.objects.keys()):
        mine, other = ours.objects.get(key), theirs.objects.get(key)
        if other is None:
            lines.append(f"only ours: {_text(key)}")
        elif mine is None:
            lines.append(f"only the controller's: {_text(key)}")
        elif mine != other:
            lines.append(f"{_text(key)}: ours {mine}, the controller's {other}")
    return lines


def _text(key: ObjectKey) -> str:
    return f"{key.resource}.{key.group or 'core'} {key.namespace or '-'}/{key.name}"


def disagreements(answers: Iterable[Answer], resolver: Resolver) -> Iterable[tuple[Answer, list[str]]]:
    """The cases that a resolver answers otherwise than the controller, with the differences."""
    for answer in answers:
        lines = differences(resolver.answer(answer.spec, answer.world), answer.placement)
        if lines:
            yield answer, lines


# -- resolvers that are wrong -------------------------------------------------------------------------------------

_NEVER = {"key": "differential.example/never", "operator": "Exists"}


def _rewritten(rewrite: Callable[[Spec], Spec]) -> Resolver:
    """A resolver that takes a policy for another one."""
    return Resolver(
        lambda spec, managed: resolution.clusters(rewrite(spec), managed),
        lambda spec, candidates, namespaces: resolution.objects(rewrite(spec), candidates, namespaces),
    )


def _clause_wise(rewrite: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> Resolver:
    return _rewritten(lambda spec: {**spec, "downsync": [rewrite(c) for c in spec.get("downsync") or ()]})


def _list_wise(rewrite: Callable[[list[Any]], list[Any]]) -> Resolver:
    """Lists of selectors are rewritten, in clauses and for clusters."""

    def clause(old: Mapping[str, Any]) -> dict[str, Any]:
        fields = ("objectSelectors", "namespaceSelectors")
        return {**old, **{field: rewrite(old[field]) for field in fields if field in old}}

    def spec(old: Spec) -> dict[str, Any]:
        new: dict[str, Any] = {**old, "downsync": [clause(c) for c in old.get("downsync") or ()]}
        if "clusterSelectors" in old:
            new["clusterSelectors"] = rewrite(old["clusterSelectors"])
        return new

    return _rewritten(spec)


def _expression_wise(rewrite: Callable[[Mapping[str, Any]], list[dict[str, Any]]]) -> Resolver:
    def selector(old: Mapping[str, Any]) -> dict[str, Any]:
        expressions = old.get("matchExpressions") or ()
        return {**old, "matchExpressions": [new for one in expressions for new in rewrite(one)]}

    return _list_wise(lambda selectors: [selector(old) for old in selectors])


def _name_wise(rewrite: Callable[[list[str]], list[str]]) -> Resolver:
    fields = ("resources", "namespaces", "objectNames")
    return _clause_wise(
        lambda clause: {**clause, **{field: rewrite(clause[field]) for field in fields if field in clause}}
    )


def _with_key(expression: Mapping[str, Any]) -> list[dict[str, Any]]:
    there = {"key": expression["key"], "operator": "Exists"}
    return [dict(expression), there] if expression["operator"] == "NotIn" else [dict(expression)]


def _of_value(expression: Mapping[str, Any]) -> list[dict[str, Any]]:
    full = {"key": expression["key"], "operator": "NotIn", "values": [""]}
    return [dict(expression), full] if expression["operator"] == "Exists" else [dict(expression)]


def _first_value(expression: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{**expression, "values": list(expression.get("values") or ())[:1]}]


def _joined(selectors: list[Any]) -> list[Any]:
    labels = {key: value for s in selectors for key, value in (s.get("matchLabels") or {}).items()}
    expressions = [e for s in selectors for e in s.get("matchExpressions") or ()]
    return [{"matchLabels": labels, "matchExpressions": expressions}] if selectors else []


def _hollow(selector: Mapping[str, Any]) -> bool:
    return not selector.get("matchLabels") and not selector.get("matchExpressions")


def _without_wildcard_namespaces(clause: Mapping[str, Any]) -> Mapping[str, Any]:
    """`{}` among namespace selectors is taken to need a Namespace as the others do."""
    selectors = clause.get("namespaceSelectors")
    if not selectors:
        return clause
    named = {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "Exists"}]}
    return {**clause, "namespaceSelectors": [named if _hollow(s) else s for s in selectors]}


def _apart(spec: Spec, candidates: Any, namespaces: Any) -> dict[ObjectKey, Selected]:
    """Each clause is taken by itself, so that each that needs a Namespace which is not there fails."""
    found: dict[ObjectKey, Selected] = {}
    for clause in spec.get("downsync") or ():
        for key, new in resolution.objects({"downsync": [clause]}, candidates, namespaces).items():
            found[key] = (
                replace(new, modulation=new.modulation | found[key].modulation) if key in found else new
            )
    return found


def _one_by_one(order: Callable[[list[Any]], list[Any]]) -> Resolver:
    """The modulation is that of one clause, the one that comes last in this order."""

    def objects(spec: Spec, candidates: Any, namespaces: Any) -> dict[ObjectKey, Selected]:
        found: dict[ObjectKey, Selected] = {}
        for clause in order(list(spec.get("downsync") or ())):
            found |= resolution.objects({"downsync": [clause]}, candidates, namespaces)
        return found

    return Resolver(objects=objects)


def _all_modulations(spec: Spec, candidates: Any, namespaces: Any) -> dict[ObjectKey, Selected]:
    total = Modulation()
    for clause in spec.get("downsync") or ():
        total |= Modulation(
            bool(clause.get("createOnly")),
            frozenset(clause.get("statusCollectors") or ()),
            bool(clause.get("wantSingletonReportedState")),
            bool(clause.get("wantMultiWECReportedState")),
        )
    found = resolution.objects(spec, candidates, namespaces)
    return {key: replace(selected, modulation=total) for key, selected in found.items()}


def _namespaceless_hold(spec: Spec, candidates: Any, namespaces: Any) -> dict[ObjectKey, Selected]:
    """Namespace selectors are taken to hold for cluster-scoped objects."""
    blind = [{**clause, "namespaceSelectors": []} for clause in spec.get("downsync") or ()]
    wide = [candidate for candidate in candidates if not candidate.key.namespace]
    return resolution.objects(spec, candidates, namespaces) | resolution.objects(
        {"downsync": blind}, wide, namespaces
    )


def _on(keep: Callable[[Candidate], bool]) -> Resolver:
    return Resolver(
        objects=lambda spec, candidates, namespaces: resolution.objects(
            spec, [candidate for candidate in candidates if keep(candidate)], namespaces
        )
    )


@dataclass(frozen=True)
class _Otherwise(Resolver):
    """A resolver that takes the world for another one."""

    world: Callable[[World], World] = lambda world: world

    def answer(self, spec: Spec, world: World) -> Placement:
        return super().answer(spec, self.world(world))


def _older_versions(world: World) -> World:
    candidates = [
        replace(candidate, resource=replace(candidate.resource, version="v1"))
        if candidate.resource.group == "autoscaling"
        else candidate
        for candidate in world.candidates
    ]
    return replace(world, candidates=candidates)


WRONG: Mapping[str, Resolver] = {
    "NotIn does not match an absent key": _expression_wise(_with_key),
    "Exists does not match an empty value": _expression_wise(_of_value),
    "In and NotIn know one value": _expression_wise(_first_value),
    "DoesNotExist is ignored": _expression_wise(
        lambda e: [dict(e)] if e["operator"] != "DoesNotExist" else []
    ),
    "matchExpressions are ignored": _expression_wise(lambda e: []),
    "matchLabels are ignored": _list_wise(lambda selectors: [{**s, "matchLabels": {}} for s in selectors]),
    "all selectors of a list must hold": _list_wise(_joined),
    "only the first selector of a list counts": _list_wise(lambda selectors: selectors[:1]),
    "an empty selector matches nothing": _list_wise(
        lambda selectors: [{"matchExpressions": [_NEVER]} if _hollow(s) else s for s in selectors]
    ),
    "an empty list of selectors matches nothing": _list_wise(
        lambda selectors: selectors or [{"matchExpressions": [_NEVER]}]
    ),
    "no cluster selectors are all clusters": _rewritten(
        lambda spec: {**spec, "clusterSelectors": spec.get("clusterSelectors") or [{}]}
    ),
    "an empty list of names matches nothing": _name_wise(lambda names: names or ["no-such-name"]),
    "* is a name": _name_wise(lambda names: [name.replace("*", "no-such-name") for name in names]),
    "a list with * and names is the names": _name_wise(
        lambda names: [name for name in names if name != "*"] or names
    ),
    "the empty namespace is nothing": _name_wise(lambda names: [name or "no-such-name" for name in names]),
    "the core group is any group": _clause_wise(
        lambda clause: {key: value for key, value in clause.items() if key != "apiGroup" or value}
    ),
    "no group is the core group": _clause_wise(lambda clause: {"apiGroup": "", **clause}),
    "the group * is any group": _clause_wise(
        lambda clause: {key: value for key, value in clause.items() if (key, value) != ("apiGroup", "*")}
    ),
    "{} among namespace selectors needs a namespace": _clause_wise(_without_wildcard_namespaces),
    "namespace selectors hold for cluster-scoped objects": Resolver(objects=_namespaceless_hold),
    "a second clause cannot hold by the labels of no namespace": Resolver(objects=_apart),
    "namespaces have no labels": Resolver(
        objects=lambda spec, candidates, namespaces: resolution.objects(
            spec, candidates, {name: {} for name in namespaces}
        )
    ),
    "the first clause is all": _rewritten(
        lambda spec: {**spec, "downsync": list(spec.get("downsync") or ())[:1]}
    ),
    "the first clause that matches modulates": _one_by_one(lambda clauses: clauses[::-1]),
    "the last clause that matches modulates": _one_by_one(lambda clauses: clauses),
    "clauses that do not match modulate": Resolver(objects=_all_modulations),
    "cluster-scoped objects are left out": _on(lambda candidate: candidate.resource.namespaced),
    "objects that are being deleted are left out": _on(
        lambda candidate: "deletionTimestamp" not in candidate.metadata
    ),
    "system objects are left out": _on(lambda candidate: not candidate.key.name.startswith("system:")),
    "custom resources are left out": _on(lambda candidate: not candidate.key.group.endswith(".example")),
    "excluded groups and resources are candidates": _Otherwise(
        world=lambda world: replace(world, candidates=[*world.candidates, *world.never])
    ),
    "versions are not the preferred ones": _Otherwise(world=_older_versions),
    "the newest objects have not been seen": _Otherwise(
        world=lambda world: replace(
            world, candidates=[c for c in world.candidates if c.resource.plural != "latecomers"]
        )
    ),
}
"""What it gets wrong, to the resolver that does."""
