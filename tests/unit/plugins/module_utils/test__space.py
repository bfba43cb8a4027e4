# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way from the hosting cluster to a space."""

from __future__ import annotations

import base64

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _space
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster, dump_yaml
from ansible_collections.kubestellar.core.plugins.module_utils._errors import KubestellarError

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
