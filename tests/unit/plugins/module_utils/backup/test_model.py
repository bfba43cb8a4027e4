# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept of a space, and how. The rest is in tests/integration/testmodel.py."""

from __future__ import annotations

import copy
from types import SimpleNamespace

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _diff
from ansible_collections.kubestellar.core.plugins.module_utils._errors import KubestellarError, NotFound
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    BINDING_POLICIES,
    BINDINGS,
    CLUSTER_ROLES,
    CONFIG_MAPS,
    CONTROL_PLANES,
    CRDS,
    MANAGED_CLUSTERS,
    NAMESPACES,
    SECRETS,
    SERVICE_ACCOUNTS,
    Resource,
)
from ansible_collections.kubestellar.core.plugins.module_utils.backup import model
from ansible_collections.kubestellar.core.plugins.module_utils.backup.model import Surroundings
from hypothesis import given
from hypothesis import strategies as st

SERVICES = Resource("", "v1", "services", "Service", True)
JOBS = Resource("batch", "v1", "jobs", "Job", True)
PRIORITY_CLASSES = Resource("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", False)
API_SERVICES = Resource("apiregistration.k8s.io", "v1", "apiservices", "APIService", False)
VERBS = frozenset({"list", "create", "patch", "delete", "watch"})


def obj(resource: Resource, name: str, namespace: str = "", **more):
    metadata = {"name": name, **({"namespace": namespace} if namespace else {}), **more.pop("metadata", {})}
    return {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata, **more}


def why(resource: Resource, *arguments, around=None, **more) -> str:
    return model.why_left_out(
        resource, obj(resource, *arguments, **more), around or model.surroundings([], [], [])
    )


# -- which objects ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("resource", "name", "namespace", "more"),
    [
        (CONFIG_MAPS, "kube-root-ca.crt", "shop", {}),
        (SERVICE_ACCOUNTS, "default", "shop", {"metadata": {"uid": "u"}}),
        (SERVICE_ACCOUNTS, "kubeflex", "kube-system", {"metadata": {"managedFields": [{"manager": "x"}]}}),
        (SERVICES, "kubernetes", "default", {"spec": {}}),
        (NAMESPACES, "default", "", {"metadata": {"labels": {"kubernetes.io/metadata.name": "default"}}}),
        (NAMESPACES, "kube-system", "", {"spec": {"finalizers": ["kubernetes"]}}),
        (NAMESPACES, "kubestellar-report", "", {}),
        (CONFIG_MAPS, "any", "kubestellar-report", {}),
        (
            CLUSTER_ROLES,
            "view",
            "",
            {"metadata": {"labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}}},
        ),
        (CLUSTER_ROLES, "system:node", "", {}),
        (PRIORITY_CLASSES, "system-node-critical", "", {}),
        (CRDS, "bindings.control.kubestellar.io", "", {"spec": {"group": "control.kubestellar.io"}}),
        (SERVICE_ACCOUNTS, "default", "shop", {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}),
        (
            CONFIG_MAPS,
            "extension-apiserver-authentication",
            "kube-system",
            {"metadata": {"managedFields": [{"manager": "kube-apiserver"}]}},
        ),
    ],
)
def test_what_is_made_again_is_not_kept(resource, name, namespace, more):
    assert why(resource, name, namespace, **copy.deepcopy(more)) == model.BUILT_IN


@pytest.mark.parametrize(
    ("resource", "name", "namespace", "more"),
    [
        (CONFIG_MAPS, "store", "default", {}),
        (SERVICE_ACCOUNTS, "default", "shop", {"imagePullSecrets": [{"name": "registry"}]}),
        (NAMESPACES, "default", "", {"metadata": {"labels": {"team": "shop"}}}),
        (CLUSTER_ROLES, "reader", "", {"rules": []}),
        (PRIORITY_CLASSES, "high", "", {}),
        (CRDS, "shelves.shop.example.com", "", {"spec": {"group": "shop.example.com"}}),
        # Somebody sends it to the WECs: not kept, it would vanish from there.
        (CRDS, "placements.x", "", {"spec": {"group": "cluster.open-cluster-management.io"}}),
        (CONFIG_MAPS, "dns", "kube-system", {"metadata": {"managedFields": [{"manager": "kubectl"}]}}),
        (CONFIG_MAPS, "owned", "shop", {"metadata": {"ownerReferences": [{"kind": "X"}]}}),
    ],
)
def test_what_people_made_is_kept(resource, name, namespace, more):
    assert why(resource, name, namespace, **copy.deepcopy(more)) == ""


def test_what_is_left_out_has_a_reason():
    going = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
    made = {"ownerReferences": [{"kind": "X", "controller": True}]}
    around = model.surroundings([], [], ["monitoring"])
    assert why(CONFIG_MAPS, "going", "shop", metadata=going) == model.DELETING
    assert why(CONFIG_MAPS, "made", "shop", metadata=made) == model.CONTROLLED
    assert why(CONFIG_MAPS, "x", "monitoring", around=around) == model.EXCLUDED
    assert why(NAMESPACES, "monitoring", around=around) == model.EXCLUDED


def test_kinds_that_controllers_write_are_not_kept():
    kept = [
        Resource(r.group, r.version, r.plural, r.kind, r.namespaced, VERBS)
        for r in (CONFIG_MAPS, SECRETS, BINDING_POLICIES, CRDS)
    ]
    made = [
        Resource(r.group, r.version, r.plural, r.kind, r.namespaced, VERBS)
        for r in (
            BINDINGS,
            CONTROL_PLANES,
            API_SERVICES,
            Resource("", "v1", "events", "Event", True),
            Resource("coordination.k8s.io", "v1", "leases", "Lease", True),
            Resource("control.kubestellar.io", "v1alpha1", "combinedstatuses", "CombinedStatus", True),
        )
    ]
    readable_only = Resource("x.example.com", "v1", "reports", "Report", True, frozenset({"list"}))
    assert [r for r in [*kept, *made, readable_only] if model.is_kept(r, Surroundings())] == kept


def test_a_wds_that_is_the_hosting_cluster_and_the_its_keeps_their_machinery_out():
    namespaces = [
        obj(NAMESPACES, "shop"),
        obj(NAMESPACES, "kubeflex-system"),
        obj(NAMESPACES, "wds1-system", metadata={"ownerReferences": [{"kind": "ControlPlane"}]}),
        obj(NAMESPACES, "open-cluster-management"),
        obj(NAMESPACES, "open-cluster-management-hub"),
        obj(NAMESPACES, "customization-properties"),
        obj(NAMESPACES, "c1", metadata={"labels": {"open-cluster-management.io/cluster-name": "c1"}}),
        obj(NAMESPACES, "ingress"),
    ]
    around = model.surroundings(namespaces, [CONTROL_PLANES, MANAGED_CLUSTERS], ["ingress"])
    left = {item["metadata"]["name"] for item in namespaces} - around.machinery
    assert left == {"shop", "ingress"} and around.excluded == {"ingress"}
    assert around.ocm_hub
    assert not model.is_kept(MANAGED_CLUSTERS, around)
    assert why(CRDS, "x", spec={"group": "work.open-cluster-management.io"}, around=around) == model.BUILT_IN
    assert why(NAMESPACES, "c1", around=around) == model.BUILT_IN
    assert why(CONFIG_MAPS, "x", "c1", around=around) == model.BUILT_IN
    plain = model.surroundings(namespaces, [CONFIG_MAPS], [])
    assert plain.machinery == {"kubestellar-report"} and not plain.ocm_hub


# -- how it is kept --------------------------------------------------------------------------------------------------


def test_what_belongs_to_one_server_is_stripped():
    live = obj(
        CONFIG_MAPS,
        "store",
        "shop",
        data={"b": "2", "a": "1"},
        status={"x": 1},
        metadata={
            "uid": "u",
            "resourceVersion": "1",
            "generation": 2,
            "creationTimestamp": "t",
            "managedFields": [],
            "finalizers": ["f"],
            "ownerReferences": [{"uid": "o"}],
            "labels": {"z": "1", "a": "2", "managed-by.kubestellar.io/singletonstatus": "true"},
            "annotations": {"deployment.kubernetes.io/revision": "3"},
        },
    )
    before = copy.deepcopy(live)
    assert list(model.stripped(live).items()) == [
        ("apiVersion", "v1"),
        ("kind", "ConfigMap"),
        ("metadata", {"labels": {"a": "2", "z": "1"}, "name": "store", "namespace": "shop"}),
        ("data", {"a": "1", "b": "2"}),
    ]
    assert list(model.stripped(live)["metadata"]["labels"]) == ["a", "z"]
    assert live == before


def test_addresses_of_a_service_are_those_of_its_space():
    spec = {
        "clusterIP": "10.0.0.1",
        "clusterIPs": ["10.0.0.1"],
        "ipFamilies": ["IPv4"],
        "ports": [{"port": 1}],
    }
    assert model.stripped(obj(SERVICES, "s", "n", spec=spec))["spec"] == {"ports": [{"port": 1}]}
    headless = {"clusterIP": "None", "clusterIPs": ["None"]}
    assert model.stripped(obj(SERVICES, "s", "n", spec=headless))["spec"] == headless


def test_a_job_gets_a_selector_of_its_own_again():
    generated = {"batch.kubernetes.io/controller-uid": "u", "controller-uid": "u", "job-name": "j"}
    spec = {
        "selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": "u"}},
        "template": {"metadata": {"labels": {**generated, "app": "x"}}},
    }
    live = obj(JOBS, "j", "n", spec=spec, metadata={"labels": generated})
    assert model.stripped(live) == obj(
        JOBS, "j", "n", spec={"template": {"metadata": {"labels": {"app": "x"}}}}
    )
    manual = {**spec, "manualSelector": True}
    assert model.stripped(obj(JOBS, "j", "n", spec=manual))["spec"] == manual


def test_a_token_is_made_anew():
    annotations = {"kubernetes.io/service-account.name": "sa", "kubernetes.io/service-account.uid": "u"}
    live = obj(SECRETS, "t", "n", metadata={"annotations": annotations}, data={"token": "x"})
    live["type"] = "kubernetes.io/service-account-token"
    kept = model.stripped(live)
    assert "data" not in kept
    assert kept["metadata"]["annotations"] == {"kubernetes.io/service-account.name": "sa"}
    live["type"] = "Opaque"
    assert model.stripped(live)["data"] == {"token": "x"}


def test_of_a_managed_cluster_what_people_and_the_agent_wrote_once_is_kept():
    gone = {"key": "cluster.open-cluster-management.io/unreachable", "effect": "NoSelect"}
    taint = {"key": "gpu", "effect": "NoSelect"}
    live = obj(
        MANAGED_CLUSTERS,
        "c1",
        metadata={
            "labels": {"city": "lisbon", "feature.open-cluster-management.io/addon-x": "available"},
            "annotations": {"agent.open-cluster-management.io/x": "y"},
        },
        spec={
            "hubAcceptsClient": True,
            "leaseDurationSeconds": 60,
            "managedClusterClientConfigs": [{"url": "x"}],
            "taints": [gone, {**taint, "timeAdded": "t"}],
        },
    )
    assert model.stripped(live) == obj(
        MANAGED_CLUSTERS,
        "c1",
        metadata={
            "labels": {"city": "lisbon"},
            "annotations": {"agent.open-cluster-management.io/x": "y"},
        },
        spec={
            "hubAcceptsClient": True,
            "leaseDurationSeconds": 60,
            "managedClusterClientConfigs": [{"url": "x"}],
            "taints": [taint],
        },
    )


SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
KEYS = st.sampled_from(["name", "uid", "labels", "finalizers", "managedFields", "custom"])
STRINGS = st.dictionaries(
    st.sampled_from(["a", "b", "deployment.kubernetes.io/revision", "kubernetes.io/metadata.name"]),
    st.text(max_size=3),
)
OBJECTS = st.builds(
    lambda resource, body, labels, extra: {
        **body,
        **obj(resource, "n", "s", metadata={"labels": labels, **extra}),
    },
    st.sampled_from([CONFIG_MAPS, SECRETS, JOBS, CRDS, BINDING_POLICIES]),
    st.dictionaries(st.sampled_from(["data", "type", "status", "other"]), VALUES, max_size=3),
    STRINGS,
    st.dictionaries(
        st.sampled_from(["uid", "resourceVersion", "finalizers", "generation"]), VALUES, max_size=3
    ),
)


@given(OBJECTS)
def test_stripping_again_changes_nothing_and_the_order_of_keys_does_not_matter(live):
    kept = model.stripped(live)
    assert model.stripped(kept) == kept
    shuffled = {key: live[key] for key in reversed(live)}
    assert list(model.stripped(shuffled).items()) == list(kept.items())
    assert "status" not in kept and not set(kept["metadata"]) & model._SERVER_METADATA
    assert _diff.covers(kept, live)
    assert model.identity(kept) == model.identity(live)


# -- owners of fields ------------------------------------------------------------------------------------------------


def test_owners_are_kept_without_times_and_without_what_is_stripped():
    live = obj(
        CONFIG_MAPS,
        "store",
        "shop",
        data={"a": "1"},
        metadata={
            "labels": {"x": "1"},
            "finalizers": ["f"],
            "managedFields": [
                {
                    "manager": "kubectl",
                    "operation": "Update",
                    "apiVersion": "v1",
                    "time": "t",
                    "fieldsType": "FieldsV1",
                    "fieldsV1": {
                        "f:metadata": {"f:labels": {".": {}, "f:x": {}, "f:gone": {}}, "f:finalizers": {}},
                        "f:data": {".": {}, "f:a": {}},
                    },
                },
                {
                    "manager": "controller",
                    "operation": "Update",
                    "fieldsV1": {"f:metadata": {"f:finalizers": {}}},
                },
                {"manager": "status", "subresource": "status", "fieldsV1": {"f:data": {}}},
            ],
        },
    )
    (entry,) = model.owners(live, model.stripped(live))
    assert entry == {
        "manager": "kubectl",
        "operation": "Update",
        "apiVersion": "v1",
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:data": {".": {}, "f:a": {}}, "f:metadata": {"f:labels": {".": {}, "f:x": {}}}},
    }


def test_owned_items_of_lists_are_kept():
    fields = {"f:spec": {"f:ports": {".": {}, 'k:{"port":1}': {".": {}, "f:port": {}}}}}
    live = obj(
        SERVICES,
        "s",
        "n",
        spec={"ports": [{"port": 1}]},
        metadata={"managedFields": [{"manager": "m", "operation": "Apply", "fieldsV1": fields}]},
    )
    assert model.owners(live, model.stripped(live))[0]["fieldsV1"] == fields


# -- where it goes ---------------------------------------------------------------------------------------------------


def binding(name: str, clusters: list[str], *objects: tuple[str, str, str], **more):
    return obj(
        BINDINGS,
        name,
        spec={
            "destinations": [{"clusterId": cluster} for cluster in clusters],
            "workload": {
                "namespaceScope": [
                    {
                        "group": "",
                        "version": "v1",
                        "resource": resource,
                        "namespace": namespace,
                        "name": n,
                        "resourceVersion": "7",
                        **more,
                    }
                    for resource, namespace, n in objects
                ]
            },
        },
    )


def policy(name: str, observed: int = 1):
    return obj(
        BINDING_POLICIES,
        name,
        spec={},
        metadata={"generation": 1},
        status={"observedGeneration": observed},
    )


def test_a_placement_is_what_the_binding_lists_without_versions():
    bindings = [
        binding("shop", ["c2", "c1"], ("secrets", "n", "s"), ("configmaps", "n", "a"), createOnly=True)
    ]
    found = model.placement([policy("shop")], bindings)["shop"]
    assert (found["settled"], found["clusters"]) == (True, ["c1", "c2"])
    assert [model.place_name(entry) for entry in found["objects"]] == ["configmaps n/a", "secrets n/s"]
    assert found["objects"][0] == {
        "group": "",
        "resource": "configmaps",
        "namespace": "n",
        "name": "a",
        "create_only": True,
        "status_collectors": [],
        "singleton": False,
        "multi_wec": False,
    }


def test_a_policy_that_is_not_resolved_yet_is_not_settled():
    found = model.placement(
        [policy("old", 0), policy("new"), policy("done")], [binding("old", []), binding("done", [])]
    )
    assert {name: placed["settled"] for name, placed in found.items()} == {
        "done": True,
        "new": False,
        "old": False,
    }


def test_what_is_delivered_and_would_not_come_back_is_named():
    content = model.Content("wds1", "wds")
    content.objects = [(CONFIG_MAPS, obj(CONFIG_MAPS, "kept", "n"))]
    content.left_out = {
        model.BUILT_IN: [(CONFIG_MAPS, "n", "kube-root-ca.crt")],
        model.CONTROLLED: [(CONFIG_MAPS, "n", "made")],
    }
    placed = [("configmaps", "n", name) for name in ("kept", "kube-root-ca.crt", "made", "gone")]
    content.placement = model.placement(
        [policy("all"), policy("some")], [binding("all", ["c1"], *placed), binding("some", ["c1"], placed[0])]
    )
    assert model.unkept(content) == {"all": ["configmaps n/gone", "configmaps n/made"]}


# -- reading ---------------------------------------------------------------------------------------------------------


class FakeCluster:
    """A WDS whose answers cannot be had from a real one at will."""

    name = "wds1"

    def __init__(self, answers):
        self.answers = answers

    def version(self):
        return "v1"

    def resources(self, *, refresh=False):
        return [Resource(r.group, r.version, r.plural, r.kind, r.namespaced, VERBS) for r in self.answers]

    def list(self, resource, namespace=None, **_more):
        items = next((v for r, v in self.answers.items() if r.plural == resource.plural), [])
        if isinstance(items, Exception):
            raise items
        return SimpleNamespace(items=copy.deepcopy(items), resource_version="7")


def test_a_kind_that_is_gone_in_the_middle_is_not_taken_for_empty():
    gone = NotFound("wds1: cannot list configmaps", status=404)
    with pytest.raises(NotFound, match="configmaps.core cannot be listed"):
        model.read(FakeCluster({CONFIG_MAPS: gone, NAMESPACES: []}), "wds")


def test_an_extension_server_that_is_away_is_not_taken_for_empty():
    service = {
        "metadata": {"name": "v1.shop.example.com"},
        "spec": {"group": "shop.example.com", "service": {"name": "x"}},
        "status": {"conditions": [{"type": "Available", "status": "False"}]},
    }
    with pytest.raises(KubestellarError, match=r"APIService v1\.shop\.example\.com is not available"):
        model.read(FakeCluster({API_SERVICES: [service], NAMESPACES: []}), "wds")
    service["spec"]["group"] = "metrics.k8s.io"
    assert model.read(FakeCluster({API_SERVICES: [service], NAMESPACES: []}), "wds").objects == []


def test_objects_are_in_an_order_of_their_own():
    items = [obj(CONFIG_MAPS, name, "n", data={}) for name in "cab"]
    content = model.read(FakeCluster({NAMESPACES: [obj(NAMESPACES, "n")], CONFIG_MAPS: items}), "wds")
    assert [kept["metadata"]["name"] for _resource, kept in content.objects] == ["a", "b", "c", "n"]


def test_an_object_on_its_way_out_is_counted_and_a_policy_is_not_recorded():
    going = {"deletionTimestamp": "t"}
    answers = {
        NAMESPACES: [obj(NAMESPACES, "n")],
        CONFIG_MAPS: [obj(CONFIG_MAPS, "a", "n", metadata=going), obj(CONFIG_MAPS, "kube-root-ca.crt", "n")],
        BINDING_POLICIES: [policy("stays"), obj(BINDING_POLICIES, "goes", metadata=going)],
        BINDINGS: [binding("stays", ["c1"]), binding("goes", ["c1"])],
    }
    content = model.read(FakeCluster(answers), "wds")
    assert content.counts() == {"built_in": 1, "controlled": 0, "deleting": 2, "excluded": 0}
    assert list(content.placement) == ["stays"]
    assert content.versions["configmaps"] == "7" and "bindings.control.kubestellar.io" in content.versions


SETS = Resource(
    "cluster.open-cluster-management.io", "v1beta2", "managedclustersets", "ManagedClusterSet", False
)
SET_BINDINGS = Resource(SETS.group, "v1beta2", "managedclustersetbindings", "ManagedClusterSetBinding", True)


def test_of_an_its_clusters_properties_and_sets_are_kept():
    answers = {
        MANAGED_CLUSTERS: [
            obj(MANAGED_CLUSTERS, "c1", spec={}),
            obj(MANAGED_CLUSTERS, "c2", spec={}, metadata={"deletionTimestamp": "t"}),
        ],
        CONFIG_MAPS: [
            obj(CONFIG_MAPS, name, "customization-properties", data={}) for name in ("c1", "kube-root-ca.crt")
        ],
        SETS: [obj(SETS, name, spec={}) for name in ("default", "global", "ours")],
        SET_BINDINGS: [
            obj(SET_BINDINGS, "global", "open-cluster-management", spec={}),
            obj(SET_BINDINGS, "ours", "fleet", spec={}),
            obj(SET_BINDINGS, "ours", "default", spec={}),
        ],
        NAMESPACES: [
            obj(NAMESPACES, name) for name in ("default", "fleet", "open-cluster-management", "other")
        ],
    }
    content = model.read(FakeCluster(answers), "its")
    assert [
        (resource.kind, kept["metadata"].get("namespace"), kept["metadata"]["name"])
        for resource, kept in content.objects
    ] == [
        ("ConfigMap", "customization-properties", "c1"),
        ("ManagedCluster", None, "c1"),
        ("ManagedClusterSetBinding", "default", "ours"),
        ("ManagedClusterSetBinding", "fleet", "ours"),
        ("ManagedClusterSet", None, "ours"),
        ("Namespace", None, "fleet"),
    ]
    assert content.counts()["deleting"] == 1 and content.placement == {}
