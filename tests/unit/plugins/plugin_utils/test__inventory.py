# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible_collections.kubestellar.core.plugins.module_utils.fleet.facts import FACTS
from ansible_collections.kubestellar.core.plugins.plugin_utils import _inventory

ROLES = Path(__file__).parents[4] / "roles"
SPECS = {
    path.parent.parent.name: yaml.load(path.read_text(), Loader=yaml.CSafeLoader)["argument_specs"][
        "main"
    ].get("options", {})
    for path in ROLES.glob("*/meta/argument_specs.yml")
}


def problems(hubs=None, wecs=None):
    hubs = {"hub": {}} if hubs is None else hubs
    wecs = {"cluster1": {}, "cluster2": {}} if wecs is None else wecs
    groups = {"kubestellar_hubs": list(hubs), "kubestellar_wecs": list(wecs)}
    return _inventory.problems(groups, {**wecs, **hubs}, SPECS)


def test_a_sound_inventory_has_no_problem():
    assert problems() == []
    assert (
        problems(
            {
                "hub": {
                    "hub_itses": [{"name": "its1"}, {"name": "its2"}],
                    "hub_wdses": [{"name": "wds1", "its": "its1"}, {"name": "wds2", "its": "its2"}],
                    "hub_workloads": [{"name": "shop", "wds": "wds1", "source": {"src": ["a"]}}],
                    "kubestellar_stack": "other",
                }
            },
            {
                "cluster1": {"wec_its": "its1", "wec_labels": {"a": "b"}, "wec_nodes": "2"},
                "c2": {"wec_its": "its2"},
            },
        )
        == []
    )


def test_what_the_inventory_plugin_tells_is_no_mistake():
    told = dict.fromkeys(FACTS, "x")
    assert (
        problems(
            wecs={"cluster1": {**told, "wec_provider": "registered", "wec_name": "c1", "wec_its": "its1"}}
        )
        == []
    )


@pytest.mark.parametrize(
    ("hubs", "wecs", "words"),
    [
        ({}, {}, ["have no hosts"]),
        ({}, {"cluster1": {}}, ["cluster1", "no hub to register with", "kubestellar_hubs"]),
        (
            {"hub": {"hub_wdss": []}},
            None,
            ["hub: the variable hub_wdss is not known", "Did you mean hub_wdses?"],
        ),
        (None, {"c1": {"wec_lables": {}}}, ["c1: the variable wec_lables", "wec_labels"]),
        (
            None,
            {"c1": {"wec_provider": "existing"}},
            ["c1: wec_provider is existing and it is not said how", "Set wec_kubeconfig and wec_context"],
        ),
        (
            None,
            {"c1": {"wec_provider": "existing", "wec_context": "x", "wec_host": "h"}},
            ["c1: wec_host and wec_context name the cluster in two ways"],
        ),
        (
            {"hub": {"wec_provider": "openshift", "wec_context": "x"}},
            {"hub": {}},
            ["hub: wec_context is set and wec_kubeconfig is not", "Set wec_kubeconfig"],
        ),
        (
            None,
            {"c1": {"wec_provider": "kind", "wec_kubeconfig": "/k"}},
            ["c1: wec_kubeconfig has no meaning for the provider kind", "set wec_provider to existing"],
        ),
        (
            {"hub": {"hub_provider": "k3d"}},
            {"c1": {"wec_provider": "kind"}},
            [
                "c1: a cluster of kind is in another container network than the hub hub of k3d",
                "wec_hub_endpoint",
            ],
        ),
        (
            None,
            {"c1": {"wec_provider": "kind", "wec_hub_endpoint": "its1:6443"}},
            ["c1: wec_hub_endpoint is 'its1:6443'", "https://<host>:<port>"],
        ),
        (
            {"hub": {"hub_provider": "existing", "hub_method": "processes"}},
            None,
            ["hub_method processes is none of the provider existing", "Set it to chart or steps."],
        ),
        ({"hub": {"hub_method": "chart"}}, None, ["none of the provider embedded", "Set it to processes."]),
        ({"hub": {"hub_method": "steps"}}, None, ["none of the provider embedded", "Set it to processes."]),
        (
            {"hub": {"hub_itses": [{"name": "its1", "type": "host"}]}},
            None,
            ["hub_itses: its1 is of type host", "Use external."],
        ),
        (
            {"hub": {"hub_wdses": [{"name": "wds1", "type": "k8s"}]}},
            None,
            ["hub_wdses: wds1 is of type k8s", "Use external."],
        ),
        (
            {"hub": {"hub_wdses": [{"name": "wds1", "kubeconfig": "k"}]}},
            None,
            ["hub_wdses: wds1 has kubeconfig", "embedded makes the cluster", "Remove kubeconfig."],
        ),
        (
            {"hub": {"hub_provider": "existing", "hub_itses": [{"name": "its1", "context": "c"}]}},
            None,
            ["hub_itses: its1 has context", "external only", "Set type to external"],
        ),
        (
            {"hub": {"hub_registry": "https://registry.example.com"}},
            None,
            ["hub: hub_registry is 'https://registry.example.com'", "without https://"],
        ),
        ({"hub": {"hub_registries": {"quay.io": 1}}}, None, ["hub: hub_registries: that of quay.io is 1"]),
        (
            {"hub": {"hub_provider": "kind", "hub_kubeconfig": "/k"}},
            {},
            ["hub: hub_kubeconfig has no meaning for the provider kind", "hub_provider to existing"],
        ),
        (
            {"hub": {"hub_provider": "k3d", "hub_name": "h" * 40}},
            {},
            ["hub: hub_name", "is no name for a k3d cluster", "at most 32"],
        ),
        (
            {"hub": {"hub_provider": "openshift", "hub_host": "h", "hub_context": "c"}},
            {},
            ["hub: hub_host and hub_context name the hosting cluster in two ways", "Remove one"],
        ),
        (
            {"hub": {"hub_provider": "existing", "hub_api_key": "t"}},
            {},
            ["hub: hub_api_key is set and hub_host is not", "Set hub_host"],
        ),
        (
            {"hub": {"hub_provider": "openshift", "hub_wdses": [{"name": "wds1", "type": "host"}]}},
            {},
            ["hub: hub_wdses: wds1 is of type host and names no api_groups", "Set api_groups"],
        ),
        ({"hub": {"hub_provider": "kind", "hub_cluster": {"prot": 1}}}, {}, ["hub", "prot", "hub_cluster"]),
        ({"hub": {"kubestellar_stak": "x"}}, None, ["kubestellar_stak", "kubestellar_stack"]),
        (None, {"c1": {"wec_labels": "edge"}}, ["c1", "wec_labels", "README of the role wec"]),
        (None, {"c1": {"wec_nodes": "many"}}, ["c1", "wec_nodes"]),
        ({"hub": {"hub_provider": "cloud"}}, None, ["hub", "hub_provider", "embedded"]),
        ({"hub": {"hub_wdses": [{"its": "its1"}]}}, None, ["hub", "name", "hub_wdses"]),
        ({"hub": {"hub_workloads": [{"name": "a", "place": {}}]}}, None, ["hub", "place", "hub_workloads"]),
        (
            {"hub": {"hub_workloads": [{"name": "a", "source": "files/shop"}]}},
            None,
            ["hub: hub_workloads[a].source is text, where a mapping belongs", "source: {src: [files/shop]}"],
        ),
        (
            {"hub": {"hub_workloads": [{"name": "a", "source": {"src": {"files": "shop"}}}]}},
            None,
            ["hub_workloads[a].source.src is a mapping, where a list belongs"],
        ),
        (
            {"hub": {"hub_workloads": [{"name": "a", "source": {"namespace": False}}]}},
            None,
            ["hub_workloads[a].source.namespace takes text and is false", "quotes"],
        ),
        (None, {"Cluster_1": {}}, ["Cluster_1", "wec_name", "not a legal cluster name"]),
        (None, {"a.b": {}}, ["a.b", "without dots"]),
        (None, {"a" * 64: {}}, ["at most 63"]),
        (None, {"c1": {}, "c2": {"wec_name": "c1"}}, ["c2", "the WEC c1", "Set wec_name"]),
        (None, {"its1": {}}, ["its1", "a space in hub_itses of hub"]),
        (None, {"c1": {"wec_name": "hub"}}, ["c1", "the hub hub"]),
        (None, {"c1": {"wec_hub": "hubb"}}, ["c1", "wec_hub is hubb", "hub"]),
        (
            {"hub": {"hub_provider": "existing"}, "hub2": {"hub_provider": "existing"}},
            {},
            ["hub2: the hubs hub, hub2 are reached by what the environment says", "hub_kubeconfig"],
        ),
        (
            {
                name: {"hub_provider": "openshift", "hub_host": "https://one.example.com:6443"}
                for name in ("hub", "hub2")
            },
            {},
            ["hub2: the hubs hub, hub2 are reached in the same way"],
        ),
        (
            {
                "hub": {
                    "hub_workloads": [
                        {"name": "a", "placement": {"cluster_selectors": [{"matchLabels": {}}]}}
                    ]
                }
            },
            {},
            ["hub: workload a: placement", "matchLabels"],
        ),
        (
            {"hub": {"hub_workloads": [{"name": "a", "guards": {"max_objects": "some"}}]}},
            {},
            ["max_objects", "neither a number nor a percentage"],
        ),
        ({"hub": {}, "hub2": {}}, {"c1": {}}, ["c1", "wec_hub is not set", "hub, hub2"]),
        (None, {"c1": {"wec_its": "its9"}}, ["c1", "wec_its is its9", "its1"]),
        (
            {"hub": {"hub_itses": [{"name": "a"}, {"name": "b"}]}},
            {"c1": {}},
            ["hub_wdses", "wec_its is not set"][1:],
        ),
        ({"hub": {"hub_wdses": [{"name": "wds1", "its": "x"}]}}, None, ["hub", "wds1 uses the ITS x"]),
        ({"hub": {"hub_itses": [{"name": "s"}], "hub_wdses": [{"name": "s"}]}}, {}, ["hub_wdses names s"]),
        ({"hub": {"hub_workloads": [{"name": "a"}, {"name": "a"}]}}, None, ["names a twice"]),
        ({"hub": {"hub_workloads": [{"name": "a", "wds": "w"}]}}, None, ["goes to the WDS w"]),
        ({"hub": {"hub_workloads": [{"name": "A b"}]}}, None, ["hub_workloads: the name"]),
    ],
)
def test_each_mistake_is_one_sentence_with_host_variable_and_remedy(hubs, wecs, words):
    found = problems(hubs, wecs)
    assert any(all(word in sentence for word in words) for sentence in found), found


def test_what_is_wrong_with_a_variable_of_all_hosts_is_told_once():
    given = {"hub_workloads": [{"name": "a", "source": "files/shop"}]}
    (sentence,) = problems({"hub": given}, {f"c{number}": given for number in range(6)})
    assert sentence.startswith("hub, c0, c1, c2, c3 and 2 more hosts: hub_workloads[a].source is text")


def test_a_hub_may_be_a_wec_of_itself_under_its_own_name():
    assert problems({"hub": {}}, {"hub": {}}) == []


EXISTING = {"hub_provider": "existing", "hub_kubeconfig": "k", "hub_context": "hub"}


@pytest.mark.parametrize(
    "wds",
    [
        {"name": "wds1", "type": "host"},
        {"name": "wds1", "type": "external", "kubeconfig": "k", "context": "hub"},
    ],
)
def test_a_wec_on_the_api_server_of_its_own_wds_is_refused(wds):
    (sentence,) = problems({"hub": {**EXISTING, "hub_wdses": [wds]}}, {"hub": {}})
    assert sentence.startswith(f"hub: this WEC is the cluster of the WDS wds1 of type {wds['type']}:")
    assert "its policy would delete it" in sentence and "Use a WDS of type k8s" in sentence


@pytest.mark.parametrize(
    "variables",
    [
        {"hub_wdses": [{"name": "wds1", "type": "k8s"}]},
        {"hub_wdses": [{"name": "wds1", "type": "external", "kubeconfig": "other", "context": "hub"}]},
        {
            "hub_itses": [{"name": "a"}, {"name": "b"}],
            "hub_wdses": [{"name": "w", "type": "host", "its": "b"}],
        },
    ],
)
def test_a_hub_that_is_a_wec_of_another_api_server_or_its_is_allowed_with_a_warning(variables):
    hosts = {"hub": {**EXISTING, **variables, "wec_its": "a" if "hub_itses" in variables else ""}}
    assert problems(hosts, {"hub": {}}) == []
    groups = {"kubestellar_hubs": ["hub"], "kubestellar_wecs": ["hub"]}
    (sentence,) = _inventory.warnings(groups, hosts)
    assert "this WEC is the hosting cluster of the hub hub" in sentence


def test_a_wec_that_is_reached_as_its_hub_is_not_taken_for_meant():
    """The module refuses it by the UID of the cluster; the inventory does not pass it over with a warning."""
    hosts = {"hub": EXISTING, "w": {"wec_provider": "existing", "wec_kubeconfig": "k", "wec_context": "hub"}}
    assert _inventory.warnings({"kubestellar_hubs": ["hub"], "kubestellar_wecs": ["w"]}, hosts) == []


def test_one_cluster_is_not_two_wecs_of_different_kinds():
    """What one task sees together, the module refuses; what no task sees together is refused before anything begins."""
    embedded = {"hub": {"kubestellar_home": "/x", "kubestellar_stack": "s"}}
    again = {
        "wec_provider": "existing",
        "wec_kubeconfig": "/x/./stacks/s/kubeconfig",
        "wec_context": "cluster1",
    }
    (sentence,) = problems(embedded, {"cluster1": {}, "again": again})
    assert sentence.startswith("again: its connection leads to the same cluster as that of cluster1.")
    assert problems(embedded, {"cluster1": {}, "other": {**again, "wec_context": "cluster2"}}) == []
    url = {"wec_provider": "existing", "wec_host": "https://a:6443/"}
    (sentence,) = problems(
        wecs={"a": url, "b": {**url, "wec_provider": "openshift", "wec_host": "https://A:6443"}}
    )
    assert sentence.startswith("b: its connection leads to the same cluster as that of a.")
    assert problems(wecs={"a": url, "b": url}) == []
    assert problems(wecs={"a": {"wec_provider": "registered"}, "b": {"wec_provider": "registered"}}) == []


@pytest.mark.parametrize("tool", ["kind", "k3d"])
def test_a_tool_makes_one_cluster_of_a_name(tool):
    hub, other = (
        {"hub_provider": tool},
        {"hub_provider": "existing", "hub_kubeconfig": "k", "hub_context": "c"},
    )
    one = {"wec_provider": tool, "wec_hub": "hub"}
    (sentence,) = problems({"hub": hub}, {"w": {**one, "wec_name": "hub"}})
    assert sentence.startswith(
        f"w: {tool} makes one cluster of the name hub, and that is the one of hub too."
    )
    twins = {"a": {**one, "wec_name": "c"}, "b": {**one, "wec_name": "c", "wec_hub": "other"}}
    (sentence,) = problems({"hub": hub, "other": other}, twins)
    assert sentence.startswith(f"b: {tool} makes one cluster of the name c, and that is the one of a too.")
    assert problems({"hub": hub}, {"hub": one}) == []


def test_a_hosting_cluster_that_is_its_and_wds_at_once_is_warned_of():
    variables = {
        "hub_itses": [{"name": "its1", "type": "host"}],
        "hub_wdses": [{"name": "w", "type": "host"}],
    }
    (sentence,) = _inventory.warnings({"kubestellar_hubs": ["hub"]}, {"hub": variables})
    assert sentence.startswith("hub: the ITS its1 and the WDS w are both the hosting cluster")
    assert _inventory.warnings({"kubestellar_hubs": ["hub"]}, {"hub": {}}) == []


def test_hosts_that_would_be_logged_in_to_are_told():
    hosts = {"hub": ["hub_provider"], "cluster1": [], "far": ["ansible_host"], "here": ["ansible_connection"]}
    said = _inventory.machine_warning(hosts, "ssh")
    assert (
        said.startswith("hub and 1 more: ansible_connection is not set")
        and "ansible_connection: local" in said
    )
    assert _inventory.machine_warning(hosts, "local") == ""
    assert _inventory.machine_warning({"here": ["ansible_connection"]}, "ssh") == ""
