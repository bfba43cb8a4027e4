# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way from the hosting cluster to a space."""

from __future__ import annotations

import base64
from types import SimpleNamespace

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _space
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    InvalidInput,
    KubestellarError,
    NotFound,
)
from ansible_collections.kubestellar.core.plugins.module_utils._resources import CONTROL_PLANES
from ansible_collections.kubestellar.core.plugins.module_utils._yaml import dump_yaml

HOST = "https://" + "kubernetes.default.svc"


def kubeconfig(server):
    return {
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }


def plane(kind):
    reference = {
        "namespace": "its1-system",
        "name": "s",
        "key": "kubeconfig",
        "inClusterKey": "kubeconfig-incluster",
    }
    return {"metadata": {"name": "its1"}, "spec": {"type": kind}, "status": {"secretRef": reference}}


@pytest.fixture
def hosting(monkeypatch):
    """A hosting cluster whose Secret is in `data`."""
    cluster = Cluster.from_kubeconfig(kubeconfig("https://hub.test"), "x", name="hub")
    cluster.data = {}
    monkeypatch.setattr(cluster, "get", lambda *_names: {"data": cluster.data})
    return cluster


def put(hosting, key, server):
    hosting.data[key] = base64.b64encode(dump_yaml(kubeconfig(server)).encode()).decode()


def test_a_space_of_type_host_is_reached_as_the_hosting_cluster_is(hosting):
    put(hosting, "kubeconfig-incluster", HOST)
    found = _space.connect_to(hosting, plane("host"), in_cluster=False)
    assert (found.name, found.server, hosting.name) == ("its1", "https://hub.test", "hub")
    assert _space.connect_to(hosting, plane("host"), in_cluster=True).server == HOST


def test_an_address_that_somebody_added_for_it_is_used(hosting):
    put(hosting, "kubeconfig-incluster", HOST)
    put(hosting, "kubeconfig", "https://outside.test")
    assert _space.connect_to(hosting, plane("host"), in_cluster=False).server == "https://outside.test"


def test_another_type_with_that_address_is_not_the_hosting_cluster(hosting):
    put(hosting, "kubeconfig-incluster", HOST)
    assert _space.connect_to(hosting, plane("external"), in_cluster=False).server == HOST


def test_without_its_key_a_space_has_no_kubeconfig_yet(hosting):
    for kind in ("host", "k8s"):
        with pytest.raises(KubestellarError, match="its1 has no kubeconfig yet"):
            _space.connect_to(hosting, plane(kind), in_cluster=False)


# -- several spaces at once ------------------------------------------------------------------------------------------


def control_plane(name, role="wds", **metadata):
    labels = {_space.CP_TYPE_LABEL: role} if role else {}
    return {**plane("external"), "metadata": {"name": name, "labels": labels, **metadata}}


@pytest.fixture
def planes(hosting, monkeypatch):
    """The ControlPlanes of the hosting cluster by name; the Secret of each leads to its own server."""
    found = {}

    def get(resource, name, _namespace=None):
        return found.get(name) if resource == CONTROL_PLANES else {"data": hosting.data}

    put(hosting, "kubeconfig", "https://space.test")
    monkeypatch.setattr(hosting, "get", get)
    monkeypatch.setattr(hosting, "list", lambda _resource: SimpleNamespace(items=list(found.values())))
    return found


def test_without_names_all_spaces_of_the_hub_are_meant(hosting, planes):
    planes |= {
        "its1": control_plane("its1", "its"),
        "wds1": control_plane("wds1"),
        "x": control_plane("x", ""),
    }
    chosen = _space.choose(None, lambda: hosting)
    assert [(role, cluster.name, cluster.server) for role, cluster in chosen] == [
        ("its", "its1", "https://space.test"),
        ("wds", "wds1", "https://space.test"),
    ]


def test_a_named_space_has_the_role_that_it_is_given_or_that_its_label_says(hosting, planes):
    planes |= {"its1": control_plane("its1", "its"), "x": control_plane("x", "")}
    chosen = _space.choose([{"name": "its1"}, {"name": "x", "role": "wds"}], lambda: hosting)
    assert [(role, cluster.name) for role, cluster in chosen] == [("its", "its1"), ("wds", "x")]
    with pytest.raises(InvalidInput, match="Whether x is an ITS or a WDS is not known"):
        _space.choose([{"name": "x"}], lambda: hosting)
    with pytest.raises(InvalidInput, match="The space its1 is named twice"):
        _space.choose([{"name": "its1"}, {"name": "its1"}], lambda: hosting)
    with pytest.raises(NotFound, match="there is no ControlPlane other"):
        _space.choose([{"name": "other"}], lambda: hosting)


def test_a_space_that_is_being_deleted_or_no_space_at_all_is_not_taken_for_an_empty_one(hosting, planes):
    with pytest.raises(KubestellarError, match="there is no space"):
        _space.choose(None, lambda: hosting)
    planes["wds1"] = control_plane("wds1", deletionTimestamp="t")
    with pytest.raises(KubestellarError, match="the ControlPlane wds1 is being deleted"):
        _space.choose(None, lambda: hosting)


def test_a_space_with_a_connection_of_its_own_needs_no_hosting_cluster(tmp_path):
    path = tmp_path / "kubeconfig"
    path.write_text(dump_yaml(kubeconfig("https://direct.test")))
    entry = {"name": "wds1", "role": "wds", "kubeconfig": str(path), "context": "x"}
    ((role, cluster),) = _space.choose([entry], lambda: pytest.fail("connected"))
    assert (role, cluster.name, cluster.server) == ("wds", "wds1", "https://direct.test")
