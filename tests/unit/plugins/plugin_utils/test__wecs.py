# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From WECs to hosts and groups."""

from __future__ import annotations

import pytest
from ansible.plugins.inventory import to_safe_group_name
from ansible_collections.kubestellar.core.plugins.module_utils._auth import Auth
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput
from ansible_collections.kubestellar.core.plugins.module_utils.fleet import facts
from ansible_collections.kubestellar.core.plugins.plugin_utils import _wecs


def wec(name, its="its1", *, labels=None, **changes):
    told = facts.describe(
        {"metadata": {"name": name, "uid": f"{its}-{name}", "labels": labels}}, its, None, {}, 0
    )
    told |= {"kubestellar_accepted": True, "kubestellar_available": True, "kubestellar_unreachable": False}
    return told | {f"kubestellar_{key}": value for key, value in changes.items()}


def params(**config):
    return _wecs.parameters({"kubeconfig": "/k", **config}, (), "/srv/site")


def plan(*wecs, **config):
    return _wecs.plan(wecs, params(**config), to_safe_group_name)


# -- options ---------------------------------------------------------------------------------------------------------


def test_paths_count_from_the_folder_of_the_file_except_those_for_playbooks():
    found = params(
        kubeconfig="hub.kubeconfig:/etc/b",
        itses=[{"name": "its1", "kubeconfig": "../its1"}, {"name": "its2"}],
        connections={"c*": {"kubeconfig": "edge.kubeconfig"}},
    )
    assert found["kubeconfig"] == "/srv/site/hub.kubeconfig:/etc/b"
    assert [entry["kubeconfig"] for entry in found["itses"]] == ["/srv/site/../its1", None]
    assert found["connections"] == {"c*": {"kubeconfig": "edge.kubeconfig"}}
    assert params(kubeconfig={"clusters": []})["kubeconfig"] == {"clusters": []}
    assert params(kubeconfig=["a", "/b"])["kubeconfig"] == ["/srv/site/a", "/b"]


def test_what_is_left_out_has_its_default():
    found = params()
    assert (found["itses"], found["leases"], found["host_name"], found["label_groups"]) == (
        None,
        True,
        "{name}",
        ["*"],
    )


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"lable_groups": []}, "The option lable_groups is not known. Did you mean label_groups?"),
        ({"xyzzy": 1}, "The option xyzzy is not known. Remove it"),
        ({"kubeconfig": ""}, "The option kubeconfig is written and has no value."),
        ({"context": None}, "The option context is written and has no value."),
        ({"itses": ["its1"]}, "itses: each entry is a mapping. Write: - name: its1."),
        (
            {"itses": [{"name": "a", "kubeconfig": ""}]},
            "itses: the kubeconfig of a is written and has no value. Give it one",
        ),
        ({"itses": []}, "itses is empty, so there is nothing to read."),
        ({"itses": [{"kubeconfig": "/k"}]}, "missing required arguments: name found in itses"),
        ({"itses": [{"name": "a", "contxt": "b"}]}, "itses.contxt"),
        ({"itses": [{"name": "a", "context": "b"}]}, "itses: a has a context and no kubeconfig."),
        ({"leases": "perhaps"}, "leases"),
        (
            {"host_name": "{its}"},
            "host_name is '{its}', which is the same for all clusters. It needs {name} in it.",
        ),
        ({"connections": ["a"]}, "connections: the option has not the right form."),
        ({"connections": {"a": {"context": "b"}}}, "connections: a has not the right form."),
        ({"connections": {"a": {"kubeconfig": "b", "token": "c"}}}, "connections: a has not the right form."),
    ],
)
def test_a_mistake_in_the_file_is_told_in_one_sentence(config, words):
    with pytest.raises(InvalidInput) as caught:
        params(**config)
    assert words in caught.value.result()["msg"]


def test_the_options_of_ansible_are_left_to_ansible():
    assert "keyed_groups" not in _wecs.parameters({"plugin": "x", "keyed_groups": 1}, ("keyed_groups",), "/")


def test_another_way_to_clusters_has_another_fingerprint_and_secrets_have_none():
    base = {"source": "options", "host": "https://a.example", "api_key": "t"}
    first = _wecs.fingerprint(Auth(**base), params())
    assert first == _wecs.fingerprint(Auth(**{**base, "api_key": "other"}), params())
    others = [
        _wecs.fingerprint(Auth(**{**base, "host": "https://b.example"}), params()),
        _wecs.fingerprint(Auth(**{**base, "source": "environment"}), params()),
        _wecs.fingerprint(Auth(**{**base, "impersonate_user": "me"}), params()),
        _wecs.fingerprint(Auth(source="options", kubeconfig="/k", context="a"), params()),
        _wecs.fingerprint(Auth(source="options", kubeconfig="/k", context="b"), params()),
        _wecs.fingerprint(Auth(source="options", kubeconfig={"clusters": ["a"], "users": [1]}), params()),
        _wecs.fingerprint(Auth(source="options", kubeconfig={"clusters": ["b"], "users": [1]}), params()),
        _wecs.fingerprint(None, params(itses=[{"name": "its1", "kubeconfig": "/k"}])),
        _wecs.fingerprint(Auth(**base), params(label_selectors=["a=b"])),
        _wecs.fingerprint(Auth(**base), params(leases=False)),
    ]
    assert len({first, *others}) == len(others) + 1
    with_user = _wecs.fingerprint(
        Auth(source="options", kubeconfig={"clusters": ["a"], "users": [2]}), params()
    )
    assert with_user in others


# -- hosts -----------------------------------------------------------------------------------------------------------


def test_a_name_in_two_itses_is_two_hosts_and_the_others_keep_their_names():
    made = plan(wec("c1"), wec("c2"), wec("c1", "its2"), wec("all"))
    assert {host: found["kubestellar_its"] for host, found in made.hosts.items()} == {
        "c1.its1": "its1",
        "c2": "its1",
        "c1.its2": "its2",
        "all.its1": "its1",
    }
    (doubt,) = made.doubts
    assert doubt == "c1: in more than one ITS, so the host of each has the ITS in its name, as c1.its1."
    assert made.groups["kubestellar_its_its2"] == ["c1.its2"]


def test_hosts_can_be_called_otherwise():
    assert list(plan(wec("c1"), wec("c1", "its2"), host_name="{its}-{name}.hub2").hosts) == [
        "its1-c1.hub2",
        "its2-c1.hub2",
    ]


def test_what_would_be_one_host_is_refused():
    with pytest.raises(InvalidInput) as caught:
        plan(wec("c1"), wec("c1", "its2"), wec("c1.its2", "its3"))
    assert caught.value.message == (
        "The cluster c1.its2 of the ITS its3 and the cluster c1 of the ITS its2 would both be the host c1.its2."
    )


def test_no_cluster_is_no_mistake():
    made = plan()
    assert made.hosts == {} and made.doubts == [] and made.collisions == []
    assert made.groups == {name: [] for name in _wecs.ALWAYS}


# -- groups ----------------------------------------------------------------------------------------------------------


def test_groups_by_label_set_and_its():
    labels = {"location-group": "edge", "example.com/tier": "1.5", "empty": "", facts.CLUSTER_SET: "blue-1"}
    made = plan(wec("c1", labels=labels, cluster_set="blue-1"), wec("c2"))
    mine = {name for name, hosts in made.groups.items() if hosts == ["c1"]}
    assert mine == {
        "kubestellar_set_blue_1",
        "kubestellar_label_location_group_edge",
        "kubestellar_label_example_com_tier_1_5",
        "kubestellar_label_empty",
    }
    assert made.groups["kubestellar_wecs"] == made.groups["kubestellar_its_its1"] == ["c1", "c2"]


def test_groups_by_state():
    made = plan(
        wec("good"),
        wec("bad", available=False),
        wec("silent", available=False, unreachable=True),
        wec("new", available=False, unreachable=True, accepted=False),
    )
    assert made.groups["kubestellar_available"] == ["good"]
    assert made.groups["kubestellar_unavailable"] == ["bad"]
    assert made.groups["kubestellar_unreachable"] == ["silent", "new"]
    assert made.children == {"kubestellar_unavailable": ["kubestellar_unreachable"]}
    assert made.groups["kubestellar_accepted"] == ["good", "bad", "silent"]
    assert made.groups["kubestellar_not_accepted"] == made.groups["kubestellar_strangers"] == ["new"]


def test_who_is_listed_is_no_stranger():
    made = _wecs.plan([wec("new", accepted=False)], params(), to_safe_group_name, {"new"})
    assert made.groups["kubestellar_not_accepted"] == ["new"] and made.groups["kubestellar_strangers"] == []


def test_a_cluster_that_calls_itself_like_another_host_is_left_out_and_named():
    made = _wecs.plan(
        [wec("webserver1", accepted=False), wec("c1")], params(), to_safe_group_name, set(), {"webserver1"}
    )
    assert list(made.hosts) == ["c1"] and made.groups["kubestellar_wecs"] == ["c1"]
    (told,) = made.doubts
    assert "The cluster webserver1 of the ITS its1 is left out" in told and "kubestellar_wecs" in told


@pytest.mark.parametrize(
    ("patterns", "taken"),
    [
        (["*"], {"a", "b.example/c", "d"}),
        ([], set()),
        (["a", "b.example/*"], {"a", "b.example/c"}),
        (["!a"], {"b.example/c", "d"}),
        (["*", "!b.*"], {"a", "d"}),
    ],
)
def test_labels_make_groups_by_their_keys(patterns, taken):
    made = plan(wec("c1", labels={"a": "1", "b.example/c": "1", "d": "1"}), label_groups=patterns)
    assert {name for name in made.groups if name.startswith(_wecs.LABEL)} == {
        f"{_wecs.LABEL}{to_safe_group_name(key)}_1" for key in taken
    }


def test_different_labels_in_one_group_are_told():
    made = plan(wec("c1", labels={"a.b": "c", "a-b": "c"}), wec("c2", labels={"a": "b_c"}))
    assert made.groups["kubestellar_label_a_b_c"] == ["c1", "c2"]
    (told,) = made.collisions
    assert (
        told
        == "The group kubestellar_label_a_b_c holds the label a.b=c and the label a-b=c and the label a=b_c."
    )


def test_a_label_that_is_rather_an_identifier_is_told_unless_it_makes_no_groups():
    wecs = [wec(f"c{number}", labels={"id": str(number), "half": str(number // 2)}) for number in range(250)]
    (told,) = plan(*wecs).doubts
    assert told.startswith("The label id has 250 values on 250 clusters") and '"!id"' in told
    assert plan(*wecs, label_groups=["!id"]).doubts == []


def test_the_variables_of_groups_keep_playbooks_from_making_clusters():
    assert plan(wec("c1"), hub="hub").variables == {
        "kubestellar_its_its1": {
            "ansible_connection": "local",
            "wec_provider": "registered",
            "wec_hub": "hub",
        }
    }
    assert "wec_hub" not in plan(wec("c1")).variables["kubestellar_its_its1"]
    assert _wecs.own_variables(wec("c1")) == {"wec_name": "c1", "wec_its": "its1"}


# -- ways to clusters --------------------------------------------------------------------------------------------------


def test_a_name_goes_before_patterns_and_these_by_their_order():
    made = plan(
        *(wec(name) for name in ("edge1", "edge2", "core1", "other")),
        connections={
            "edge*": {"kubeconfig": "/edge"},
            "*1": {"kubeconfig": "/one", "context": "x"},
            "edge2": {"kubeconfig": "/two"},
            "nobody": {"kubeconfig": "/n"},
        },
    )
    assert made.connections == {
        "edge1": {"kubeconfig": "/edge", "context": "edge1"},
        "edge2": {"kubeconfig": "/two", "context": "edge2"},
        "core1": {"kubeconfig": "/one", "context": "x"},
    }
    assert made.doubts == ["connections: no host matches nobody."]
