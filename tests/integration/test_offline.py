# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The preview from files says what the preview from the API servers says: on the shop, in the WDS that has it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.kubestellar.core.plugins.filter.hub_clusters import hub_clusters
from ansible_collections.kubestellar.core.plugins.filter.workload_offline import workload_offline
from ansible_collections.kubestellar.core.plugins.module_utils._resources import CRDS
from ansible_collections.kubestellar.core.plugins.module_utils.placement import kinds, resolution

from .running import INVENTORY

EDGE = [{"match_labels": {"location-group": "edge"}}]
SHOP = [{"match_labels": {"kubestellar.core/workload": "shop"}}]
CLAUSES = {
    "by label": [{"object_selectors": SHOP}],
    "with settings": [
        {"object_selectors": SHOP},
        {"object_selectors": SHOP, "resources": ["jobs"], "create_only": True},
        {"object_selectors": SHOP, "api_group": "apps", "want_singleton_reported_state": True},
    ],
    "by Namespace": [{"namespaces": ["shop"]}],
    "by the label of the Namespace": [
        {"namespace_selectors": [{"match_labels": {"kubernetes.io/metadata.name": "shop"}}]}
    ],
    "by name": [{"object_names": ["till", "store", "shop"]}],
    "by kind": [{"resources": ["deployments", "jobs", "namespaces"], "object_selectors": SHOP}],
    "core group only": [{"api_group": "", "namespaces": ["shop"]}],
    "all Namespaces": [
        {"api_group": "", "resources": ["namespaces"], "object_names": ["shop", "kube-system"]}
    ],
    "the default Namespace": [{"namespaces": ["default"]}],
    "nothing": [{"namespaces": ["elsewhere"]}],
}


@pytest.fixture(scope="module")
def inventory() -> dict[str, Any]:
    """The option `offline` of the inventory that the stack was made from, as the playbook makes it."""
    content = yaml.safe_load((INVENTORY / "hosts.yml").read_text())
    hub = yaml.safe_load((INVENTORY / "group_vars" / "kubestellar_hubs.yml").read_text())
    text = yaml.safe_dump(hub["hub_workloads"]).replace("{{ inventory_dir }}", str(INVENTORY))
    hosts = content["kubestellar_wecs"]["hosts"]
    clusters = hub_clusters(list(hosts), {**hosts, "hub": {}}, ["hub"], "hub")
    return {**workload_offline(yaml.safe_load(text)), "clusters": clusters}


def test_the_table_of_kinds_is_what_a_wds_serves(stack):
    wds = stack.cluster("wds1")
    custom = {item["spec"]["group"] for item in wds.list(CRDS).items}
    table = {(one.group, one.plural): one for one in kinds.built_in()}
    served = [one for one in wds.resources() if {"list", "watch"} <= one.verbs]
    assert len(served) > 40
    for one in served:
        if one.group in custom and one.group != "control.kubestellar.io":
            continue
        mine = table[one.group, one.plural]
        assert (mine.kind, mine.namespaced) == (one.kind, one.namespaced), one
        assert mine.version in ("", one.version), one
        assert resolution.deliverable(one) == resolution.deliverable(mine)


@pytest.mark.parametrize(
    "clauses",
    [
        pytest.param(clauses, id=name, marks=pytest.mark.core if name == "with settings" else ())
        for name, clauses in CLAUSES.items()
    ],
)
def test_files_and_api_servers_lead_to_the_same_placement(stack, module, inventory, clauses):
    policy = {"name": "offline-compared", "cluster_selectors": EDGE, "downsync": clauses}
    connection = {"kubeconfig": stack.kubeconfig, "context": "hub", "wds": "wds1", "its": "its1"}
    mark = stack.mark()
    online = module("binding_policy_info", **connection, **policy)
    offline = module("binding_policy_info", **policy, offline=inventory)
    for result in (online, offline):
        assert not result.get("failed"), result
    assert stack.writes_since(mark) == []
    for key in (
        "clusters",
        "clusters_added",
        "clusters_removed",
        "objects",
        "objects_added",
        "objects_removed",
    ):
        assert offline["preview"][key] == online["preview"][key], key
    assert told(offline) == told(online)


def told(result: dict[str, Any]) -> list[dict[str, str]]:
    """The warnings, without the state of clusters, which no file knows."""
    silent = {"cluster-unavailable", "cluster-not-accepted"}
    return [item for item in result["preview"]["warnings"] if item["code"] not in silent]


@pytest.mark.core
def test_what_files_say_of_the_shop_is_what_is_delivered(stack, module, inventory):
    """Beside the Binding that the real controller has made of the policy of the demo."""
    connection = {"kubeconfig": stack.kubeconfig, "context": "hub", "wds": "wds1", "its": "its1"}
    online = module("binding_policy_info", **connection, name="shop")
    offline = module("binding_policy_info", offline=inventory)
    (bound,), (seen,) = online["policies"], offline["previews"]
    assert seen["preview"]["clusters"] == bound["clusters"]
    assert seen["preview"]["objects"] == bound["objects"]
    assert seen["preview"]["warnings"] == [] and seen["refused"] == []
