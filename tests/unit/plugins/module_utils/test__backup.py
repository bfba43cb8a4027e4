# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept of a space, and how. The rest is in tests/integration/test_backup.py."""

from __future__ import annotations

import copy
from types import SimpleNamespace

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _backup, _diff
from ansible_collections.kubestellar.core.plugins.module_utils._backup import Surroundings
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


def own(resource: Resource, *arguments, around=None, **more) -> bool:
    return _backup.is_own(
        resource, obj(resource, *arguments, **more), around or _backup.surroundings([], [], [])
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
        (CONFIG_MAPS, "going", "shop", {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}),
        (CONFIG_MAPS, "made", "shop", {"metadata": {"ownerReferences": [{"kind": "X", "controller": True}]}}),
        (
            CONFIG_MAPS,
            "extension-apiserver-authentication",
            "kube-system",
            {"metadata": {"managedFields": [{"manager": "kube-apiserver"}]}},
        ),
    ],
)
def test_what_is_made_again_is_not_kept(resource, name, namespace, more):
    assert not own(resource, name, namespace, **copy.deepcopy(more))


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
    assert own(resource, name, namespace, **copy.deepcopy(more))


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
    assert [r for r in [*kept, *made, readable_only] if _backup.is_kept(r, Surroundings())] == kept


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
    around = _backup.surroundings(namespaces, [CONTROL_PLANES, MANAGED_CLUSTERS], ["ingress"])
    left = {item["metadata"]["name"] for item in namespaces} - around.excluded
    assert left == {"shop"}
    assert around.ocm_hub
    assert not _backup.is_kept(MANAGED_CLUSTERS, around)
    assert not own(CRDS, "x", spec={"group": "work.open-cluster-management.io"}, around=around)
    assert not own(NAMESPACES, "c1", around=around)
    assert not own(CONFIG_MAPS, "x", "c1", around=around)
    plain = _backup.surroundings(namespaces, [CONFIG_MAPS], [])
    assert plain.excluded == {"kubestellar-report"} and not plain.ocm_hub


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
    assert list(_backup.stripped(live).items()) == [
        ("apiVersion", "v1"),
        ("kind", "ConfigMap"),
        ("metadata", {"labels": {"a": "2", "z": "1"}, "name": "store", "namespace": "shop"}),
        ("data", {"a": "1", "b": "2"}),
    ]
    assert list(_backup.stripped(live)["metadata"]["labels"]) == ["a", "z"]
    assert live == before


def test_addresses_of_a_service_are_those_of_its_space():
    spec = {
        "clusterIP": "10.0.0.1",
        "clusterIPs": ["10.0.0.1"],
        "ipFamilies": ["IPv4"],
        "ports": [{"port": 1}],
    }
    assert _backup.stripped(obj(SERVICES, "s", "n", spec=spec))["spec"] == {"ports": [{"port": 1}]}
    headless = {"clusterIP": "None", "clusterIPs": ["None"]}
    assert _backup.stripped(obj(SERVICES, "s", "n", spec=headless))["spec"] == headless


def test_a_job_gets_a_selector_of_its_own_again():
    generated = {"batch.kubernetes.io/controller-uid": "u", "controller-uid": "u", "job-name": "j"}
    spec = {
        "selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": "u"}},
        "template": {"metadata": {"labels": {**generated, "app": "x"}}},
    }
    live = obj(JOBS, "j", "n", spec=spec, metadata={"labels": generated})
    assert _backup.stripped(live) == obj(
        JOBS, "j", "n", spec={"template": {"metadata": {"labels": {"app": "x"}}}}
    )
    manual = {**spec, "manualSelector": True}
    assert _backup.stripped(obj(JOBS, "j", "n", spec=manual))["spec"] == manual


def test_a_token_is_made_anew():
    annotations = {"kubernetes.io/service-account.name": "sa", "kubernetes.io/service-account.uid": "u"}
    live = obj(SECRETS, "t", "n", metadata={"annotations": annotations}, data={"token": "x"})
    live["type"] = "kubernetes.io/service-account-token"
    kept = _backup.stripped(live)
    assert "data" not in kept
    assert kept["metadata"]["annotations"] == {"kubernetes.io/service-account.name": "sa"}
    live["type"] = "Opaque"
    assert _backup.stripped(live)["data"] == {"token": "x"}


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
    assert _backup.stripped(live) == obj(
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
    kept = _backup.stripped(live)
    assert _backup.stripped(kept) == kept
    shuffled = {key: live[key] for key in reversed(live)}
    assert list(_backup.stripped(shuffled).items()) == list(kept.items())
    assert "status" not in kept and not set(kept["metadata"]) & _backup._SERVER_METADATA
    assert _diff.covers(kept, live)
    assert _backup.identity(kept) == _backup.identity(live)


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
    (entry,) = _backup.owners(live, _backup.stripped(live))
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
    assert _backup.owners(live, _backup.stripped(live))[0]["fieldsV1"] == fields


# -- reading ---------------------------------------------------------------------------------------------------------


class FakeCluster:
    """A WDS whose answers cannot be had from a real one at will."""

    name = "wds1"

    def __init__(self, answers):
        self.answers = answers

    def request(self, *_arguments, **_more):
        return {"gitVersion": "v1"}

    def resources(self, *, refresh=False):
        return [Resource(r.group, r.version, r.plural, r.kind, r.namespaced, VERBS) for r in self.answers]

    def list(self, resource, namespace=None, **_more):
        items = next((v for r, v in self.answers.items() if r.plural == resource.plural), [])
        if isinstance(items, Exception):
            raise items
        return SimpleNamespace(items=items)


def test_a_kind_that_is_gone_in_the_middle_is_not_taken_for_empty():
    gone = NotFound("wds1: cannot list configmaps", status=404)
    with pytest.raises(NotFound, match="configmaps.core cannot be listed"):
        _backup.read(FakeCluster({CONFIG_MAPS: gone, NAMESPACES: []}), "wds")


def test_an_extension_server_that_is_away_is_not_taken_for_empty():
    service = {
        "metadata": {"name": "v1.shop.example.com"},
        "spec": {"group": "shop.example.com", "service": {"name": "x"}},
        "status": {"conditions": [{"type": "Available", "status": "False"}]},
    }
    with pytest.raises(KubestellarError, match=r"APIService v1\.shop\.example\.com is not available"):
        _backup.read(FakeCluster({API_SERVICES: [service], NAMESPACES: []}), "wds")
    service["spec"]["group"] = "metrics.k8s.io"
    assert _backup.read(FakeCluster({API_SERVICES: [service], NAMESPACES: []}), "wds").objects == []


def test_objects_are_in_an_order_of_their_own():
    items = [obj(CONFIG_MAPS, name, "n", data={}) for name in "cab"]
    content = _backup.read(FakeCluster({NAMESPACES: [obj(NAMESPACES, "n")], CONFIG_MAPS: items}), "wds")
    assert [kept["metadata"]["name"] for _resource, kept in content.objects] == ["a", "b", "c", "n"]
