# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an inventory becomes what is previewed without any cluster."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_collections.kubestellar.core.plugins.filter.hub_clusters import hub_clusters
from ansible_collections.kubestellar.core.plugins.filter.workload_downsync import workload_downsync
from ansible_collections.kubestellar.core.plugins.filter.workload_offline import workload_offline
from ansible_collections.kubestellar.core.plugins.module_utils.placement import offline

HOSTVARS = {
    "hub": {},
    "hub2": {"hub_itses": [{"name": "a"}, {"name": "b"}]},
    "c1": {"wec_hub": "hub", "wec_labels": {"x": "y"}, "wec_properties": {"p": "q"}},
    "c2": {"wec_hub": "hub2", "wec_its": "b", "wec_name": "second", "wec_annotations": {"n": "a"}},
    "c3": {},
}


def test_the_clusters_of_a_hub_are_its_wecs_with_all_that_is_said_of_them():
    empty = {"labels": {}, "annotations": {}, "properties": {}}
    hosts, hubs = ["c1", "c2"], ["hub", "hub2"]
    assert hub_clusters(hosts, HOSTVARS, hubs, "hub") == [
        {**empty, "name": "c1", "its": "its1", "labels": {"x": "y"}, "properties": {"p": "q"}}
    ]
    assert hub_clusters(hosts, HOSTVARS, hubs, "hub2") == [
        {**empty, "name": "second", "its": "b", "annotations": {"n": "a"}}
    ]
    assert hub_clusters([], HOSTVARS, hubs, "hub") == []


def test_a_cluster_that_the_hub_tells_of_is_taken_as_the_hub_has_it():
    live = {
        "kubestellar_uid": "u",
        "kubestellar_labels": {"a": "b", "x": "old"},
        "kubestellar_properties": {"p": "q"},
    }
    hostvars = {"hub": {}, "c1": {**live, "wec_labels": {"x": "y"}}}
    assert hub_clusters(["c1"], hostvars, ["hub"], "hub") == [
        {
            "its": "its1",
            "name": "c1",
            "labels": {"a": "b", "x": "y"},
            "annotations": {},
            "properties": {"p": "q"},
        }
    ]


@pytest.mark.parametrize("state", ["drained", "absent"])
def test_a_cluster_that_is_to_be_without_workload_is_selected_by_no_label(state):
    """Else a preview would claim that the workload stays there."""
    hostvars = {
        "hub": {},
        "c1": {"wec_labels": {"x": "y"}, "wec_state": state, "kubestellar_labels": {"a": "b"}},
    }
    (one,) = hub_clusters(["c1"], hostvars, ["hub"], "hub")
    assert one["labels"] == {} and one["name"] == "c1"


def test_a_cluster_whose_hub_is_not_clear_is_refused():
    with pytest.raises(AnsibleFilterError, match="c3: wec_hub is not set"):
        hub_clusters(["c3"], HOSTVARS, ["hub", "hub2"], "hub")


def test_a_workload_is_previewed_from_all_its_sources():
    source = {
        "template": ["t.yml.j2"],
        "kustomize": ["k"],
        "kustomize_remote": True,
        "helm": [{"chart": "c"}],
        "helm_binary": "/opt/helm",
        "archives": [{"url": "https://downloads.example.com/a.tgz", "checksum": "sha256:0"}],
    }
    (workload,) = workload_offline([{"name": "shop", "source": source}])["workloads"]
    assert workload == {"name": "shop", **source}


def test_workloads_are_applied_and_placed_as_the_role_does():
    modulations = [{"resources": ["jobs"], "create_only": True}]
    entry = {
        "name": "shop",
        "wds": "wds2",
        "source": {"src": ["files/shop"], "namespace": "shop"},
        "placement": {"cluster_selectors": [{"match_labels": {"a": "b"}}], "modulations": modulations},
        "guards": {"max_clusters": 3},
        "labels": {"team": "x"},
    }
    assert workload_offline([entry]) == {
        "workloads": [
            {
                "name": "shop",
                "wds": "wds2",
                "src": ["files/shop"],
                "namespace": "shop",
                "labels": {"team": "x"},
            }
        ],
        "policies": [
            {
                "name": "shop",
                "wds": "wds2",
                "cluster_selectors": [{"match_labels": {"a": "b"}}],
                "downsync": workload_downsync("shop", modulations),
                "guards": {"max_clusters": 3},
            }
        ],
    }


def test_an_absent_workload_has_a_policy_that_is_to_be_absent():
    assert workload_offline([{"name": "shop", "state": "absent"}]) == {
        "workloads": [],
        "policies": [{"name": "shop", "state": "absent"}],
    }


def test_what_is_written_are_suboptions_of_the_module():
    given = workload_offline([{"name": "shop"}, {"name": "old", "state": "absent"}])
    for part, entries in given.items():
        known = offline.OFFLINE_SPEC[part]["options"]
        assert all(set(entry) <= set(known) for entry in entries)
    (cluster,) = hub_clusters(["c1"], HOSTVARS, ["hub"], "hub")
    assert set(cluster) == set(offline.OFFLINE_SPEC["clusters"]["options"])


def test_adopted_spaces_are_previewed_without_the_way_to_them():
    role = Path(__file__).parents[4] / "roles" / "workload"
    variables = yaml.safe_load((role / "vars" / "main.yml").read_text())
    specs = yaml.load((role / "meta" / "argument_specs.yml").read_text(), Loader=yaml.CSafeLoader)[
        "argument_specs"
    ]
    space = {"name": "wds1", "type": "external", "its": "its1", "kubeconfig": "/x", "context": "y"}
    assert "options" not in specs["preview"]["options"]["workload_spaces"]
    given = {"workload_spaces": [space], "__workload_space_items": variables["__workload_space_items"]}
    given["__workload_space_items"] = trust_as_template(given["__workload_space_items"])
    wanted = trust_as_template(variables["__workload_offline"]["wdses"])
    assert Templar(DataLoader(), given).template(wanted) == [
        {"name": "wds1", "type": "external", "its": "its1"}
    ]
