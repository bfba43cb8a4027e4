# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The values of the core chart."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput
from ansible_collections.kubestellar.core.plugins.module_utils.hub import values
from hypothesis import given
from hypothesis import strategies as st

ROLE = Path(__file__).parents[5] / "roles" / "hub"
OPTIONS = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text())["argument_specs"]["main"][
    "options"
]


def test_spaces_alone_leave_everything_else_to_the_chart():
    assert values.chart_values({"itses": [{"name": "its1"}], "wdses": [{"name": "wds1"}]}) == {
        "ITSes": [{"name": "its1", "type": "vcluster"}],
        "WDSes": [{"name": "wds1", "type": "k8s"}],
    }


def test_every_typed_setting_has_its_place():
    made = values.chart_values(
        {
            "versions": {"kubestellar": "0.30.0", "get_kubeconfig": "0.29.0"},
            "verbosity": {"default": 4, "kubeflex": 3, "status_agent": 5},
            "kubeflex": {"openshift": True, "external_port": 8443, "postgresql": False, "domain": None},
            "transport": {"max_size_wrapped": 400000},
            "argocd": {
                "install": True,
                "applications": [{"name": "shop", "repo_url": "r", "destination_wds": "wds1"}],
            },
            "limits": {"controller_qps": 500, "controller_burst": 1000, "agent_qps": 100},
            "hooks": False,
        }
    )
    assert made["KUBESTELLAR_VERSION"] == "0.30.0" and made["KFLEX_GET_KUBECONFIG"] == "0.29.0"
    assert made["verbosity"] == {"default": 4}
    assert made["kubeflex-operator"] == {
        "isOpenShift": True,
        "externalPort": 8443,
        "installPostgreSQL": False,
        "verbosity": 3,
    }
    assert made["transport_controller"] == {
        "max_size_wrapped": 400000,
        "transport_qps": 500,
        "wds_qps": 500,
        "transport_burst": 1000,
        "wds_burst": 1000,
    }
    assert made["status_agent"] == {"v": 5, "hub_qps": 100, "local_qps": 100}
    assert made["argocd"]["applications"] == [{"name": "shop", "repoURL": "r", "destinationWDS": "wds1"}]
    assert made["InstallPCHs"] is False


@pytest.mark.parametrize("setting", sorted(values._PLAIN))
def test_every_option_of_the_role_is_a_value_of_the_chart(setting):
    known = set(values._PLAIN[setting]) | ({"applications"} if setting == "argocd" else set())
    assert set(OPTIONS[f"hub_{setting}"]["options"]) == known


def test_the_types_of_the_role_are_those_that_a_method_can_make():
    for variable, types in (("hub_itses", values.ITS_TYPES), ("hub_wdses", values.WDS_TYPES)):
        assert set(OPTIONS[variable]["options"]["type"]["choices"]) == {*types, "external"}


def test_an_adopted_its_names_its_secret_and_others_do_not():
    secret = {"name": "s", "namespace": "", "key": None}
    made = values.chart_values(
        {
            "itses": [
                {"name": "a", "type": "external", "bootstrap_secret": secret, "install_ocm": False},
                {"name": "b", "type": "host", "bootstrap_secret": secret},
            ]
        }
    )
    assert made["ITSes"] == [
        {"name": "a", "type": "external", "install_clusteradm": False, "bootstrapSecret": {"name": "s"}},
        {"name": "b", "type": "host"},
    ]


@pytest.mark.parametrize(
    ("groups", "text"), [(None, ""), ([], ""), (["apps", ""], "apps,"), ([""], ","), (["apps"], "apps")]
)
def test_api_groups_are_written_without_spaces_and_the_core_group_is_the_empty_one(groups, text):
    assert values.api_groups_text(groups) == text
    made = values.chart_values({"wdses": [{"name": "w", "api_groups": groups}]})["WDSes"][0]
    assert made.get("APIGroups", "") == text


def test_the_its_of_a_wds_is_never_a_value():
    made = values.chart_values({"wdses": [{"name": "w", "its": "i"}]})
    assert "ITSName" not in made["WDSes"][0]
    with pytest.raises(InvalidInput, match="kubestellar#3192"):
        values.chart_values({}, {"WDSes": [{"name": "w", "ITSName": "i"}]})


def test_free_values_are_merged_over_and_change_nothing_that_was_given():
    settings = {"verbosity": {"default": 2, "transport": 3}, "itses": [{"name": "its1"}]}
    extra = {"verbosity": {"default": 6}, "ITSes": [{"name": "x", "type": "host"}], "new": 1}
    made = values.chart_values(settings, extra)
    assert made["verbosity"] == {"default": 6, "transport": 3}
    assert made["ITSes"] == [{"name": "x", "type": "host"}] and made["new"] == 1
    assert settings["verbosity"]["default"] == 2 and extra["verbosity"] == {"default": 6}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"itses": [{"name": "a", "type": "k8s"}]}, "hub_itses.*a of type k8s"),
        ({"wdses": [{"name": "a", "type": "vcluster"}]}, "hub_wdses.*a of type vcluster"),
    ],
)
def test_a_type_that_the_chart_cannot_make_is_refused(settings, words):
    with pytest.raises(InvalidInput, match=words):
        values.chart_values(settings)


def test_more_than_one_object_in_a_manifestwork_is_refused():
    with pytest.raises(InvalidInput, match="kubestellar#2511"):
        values.chart_values({"transport": {"max_num_wrapped": 5}})


# -- steps -----------------------------------------------------------------------------------------------------------

VALUES = st.fixed_dictionaries(
    {"InstallPCHs": st.just(True)},
    optional={
        "kubeflex-operator": st.just({"domain": "d"}),
        "ITSes": st.lists(st.fixed_dictionaries({"name": st.sampled_from(["its1", "its2"])})),
        "WDSes": st.lists(st.fixed_dictionaries({"name": st.sampled_from(["wds1", "wds2"])})),
        "argocd": st.just({"install": True}),
        "KUBESTELLAR_VERSION": st.sampled_from(["1", "2"]),
        "something": st.integers(0, 3),
    },
)
ORDERS = st.permutations(values.RELEASE_STEPS)


@given(VALUES, ORDERS, st.lists(st.sampled_from(values.RELEASE_STEPS)), st.none() | VALUES)
def test_steps_in_any_order_end_in_the_release_of_the_chart(wanted, order, again, has):
    for step in [*again, *order]:
        has = values.of_steps(wanted, [step], has)
    assert has == wanted
    for step in values.RELEASE_STEPS:
        assert values.of_steps(wanted, [step], has) == wanted
    assert values.of_steps(wanted, values.RELEASE_STEPS, None) == wanted


@given(VALUES, VALUES, st.sets(st.sampled_from(values.RELEASE_STEPS)))
def test_a_step_leaves_alone_what_belongs_to_the_others(wanted, has, steps):
    made = values.of_steps(wanted, steps, has)
    others = set(values.RELEASE_STEPS) - steps
    assert values.of_steps(has, others, made) == made
    assert values.of_steps(made, steps, has) == made
    assert made == values.of_steps(has, others, values.of_steps(wanted, values.RELEASE_STEPS, has))


@given(VALUES, ORDERS)
def test_the_release_has_the_steps_that_were_made(wanted, order):
    has = None
    made = []
    for step in order:
        has = values.of_steps(wanted, [step], has)
        made.append(step)
        empty = {step for step, key in (("its", "ITSes"), ("wds", "WDSes")) if not wanted.get(key)}
        assert set(values.steps_of(has)) == set(made) - empty
    assert values.steps_of(None) == []


def test_the_spaces_of_values_are_both_lists_with_the_types_that_are_given():
    made = values.spaces_of({"ITSes": [{"name": "i"}], "WDSes": [{"name": "w", "type": "host"}, "odd"]})
    assert made == [{"name": "i", "type": None}, {"name": "w", "type": "host"}]
    assert values.spaces_of({"ITSes": None}) == []


def test_an_external_wds_is_not_among_the_values_of_the_chart_and_gets_the_hooks_of_the_chart():
    wdses = [
        {"name": "wds1"},
        {
            "name": "wds2",
            "type": "external",
            "kubeconfig": "k",
            "context": "c",
            "api_groups": ["", "apps"],
            "token_expiration_seconds": 600,
        },
    ]
    itses = [{"name": "its1"}, {"name": "its2", "type": "external", "kubeconfig": "i"}]
    made = values.chart_values({"itses": itses, "wdses": wdses})
    assert [space["name"] for space in made["WDSes"]] == ["wds1"]
    assert made["ITSes"][1] == {"name": "its2", "type": "external"}
    with pytest.raises(InvalidInput, match="wds2 names no ITS and there are 2"):
        values.adopted(itses, wdses)
    wdses[1]["its"] = "its2"
    found = values.adopted(itses, wdses)
    assert found["itses"] == [
        {"name": "its2", "role": "its", "type": "external", "bootstrap_kubeconfig": "i"}
    ]
    (wds,) = found["wdses"]
    assert (wds["bootstrap_kubeconfig"], wds["bootstrap_context"]) == ("k", "c")
    assert wds["token_expiration_seconds"] == 600
    manager, transport = wds["hooks"]
    assert manager == {
        "name": "kubestellar-controller",
        "vars": {"APIGroups": ",apps", "ITSName": "its2"},
    }
    assert transport["vars"] == {
        "WDSSecretName": "admin-kubeconfig",
        "WDSSecretKey": "kubeconfig-incluster",
        "ITSName": "its2",
    }


@pytest.mark.parametrize("key", ["kubeconfig", "context", "bootstrap_secret", "token_expiration_seconds"])
def test_what_belongs_to_adopted_clusters_is_refused_elsewhere(key):
    with pytest.raises(
        InvalidInput, match=f"hub_wdses: wds1 has {key}, which is for spaces of type external"
    ):
        values.adopted([{"name": "its1"}], [{"name": "wds1", key: "x"}])


SPACES = {"itses": [{"name": "its1"}], "wdses": [{"name": "wds1"}]}


@pytest.mark.parametrize(("tool", "container"), [("kind", "h-control-plane"), ("k3d", "k3d-h-server-0")])
def test_kubeflex_is_told_how_spaces_are_reached_in_a_local_cluster(tool, container):
    settings = {**SPACES, "provider": tool, "cluster": {"name": "h", "port": 20443}}
    assert values.chart_values(settings)["kubeflex-operator"] == {
        "domain": "localtest.me",
        "externalPort": 20443,
        "hostContainer": container,
    }
    settings["kubeflex"] = {"domain": "hub.example.com", "external_port": None}
    assert values.chart_values(settings)["kubeflex-operator"]["domain"] == "hub.example.com"
    assert values.chart_values(settings)["kubeflex-operator"]["externalPort"] == 20443
    assert values.chart_values(settings)["ITSes"] == [{"name": "its1", "type": "vcluster"}]


def test_on_openshift_there_are_routes_and_an_its_is_the_cluster_itself_unless_it_says_otherwise():
    settings = {**SPACES, "provider": "openshift", "cluster": {"name": "h", "port": 9443}}
    assert values.chart_values(settings) == {
        "kubeflex-operator": {"isOpenShift": True},
        "ITSes": [{"name": "its1", "type": "host"}],
        "WDSes": [{"name": "wds1", "type": "k8s"}],
    }
    settings |= {"itses": [{"name": "its1", "type": "vcluster"}], "argocd": {"install": True}}
    made = values.chart_values(settings)
    assert made["ITSes"] == [{"name": "its1", "type": "vcluster"}]
    assert made["argocd"] == {"install": True, "openshift": {"enabled": True}}
    assert values.chart_values({**settings, "argocd": {"install": False}})["argocd"] == {"install": False}


def test_on_openshift_a_host_wds_without_api_groups_is_refused():
    settings = {"itses": [], "wdses": [{"name": "wds2", "type": "host"}], "provider": "openshift"}
    with pytest.raises(InvalidInput, match="wds2 is of type host and names no api_groups"):
        values.chart_values(settings)
    settings["wdses"] = [{"name": "wds2", "type": "host", "api_groups": ["apps", ""]}]
    assert values.chart_values(settings)["WDSes"] == [{"name": "wds2", "type": "host", "APIGroups": "apps,"}]


def test_the_other_providers_decide_nothing():
    assert values.chart_values(
        {**SPACES, "provider": "existing", "cluster": {"name": "h", "port": 9443}}
    ) == (values.chart_values(SPACES))
