# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The arguments of a WDS's controllers, before and after their hooks are done."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils.hub import controllers
from ansible_collections.kubestellar.core.plugins.module_utils.hub.controllers import Binding

SELECTOR = ["--control-plane-label-selector", "kflex.kubestellar.io/cptype=its"]
STOCK = [*SELECTOR, "--control-plane-name", "", "--output-file", "/etc/kube/its/kubeconfig"]
BOUND = ["--control-plane-name", "its2", "--output-file", "/etc/kube/its/kubeconfig"]
BINDING = Binding("wds1", "its2", "apps,", {"qps": 500, "burst": 1000})


def deployment(name, args, init=None):
    container = {"kubestellar-controller-manager": "manager"}.get(name, name)
    pod = {"containers": [{"name": "kube-rbac-proxy", "args": ["--v=0"]}, {"name": container, "args": args}]}
    if init is not None:
        pod["initContainers"] = [{"name": "get-its-kubeconfig", "args": init}]
    return {
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "wds1-system"},
        "spec": {"template": {"spec": pod}},
    }


def hook(init):
    template = deployment("transport-controller", ["--wds-name=x"], init)
    return {
        "metadata": {"name": "transport-controller", "resourceVersion": "7"},
        "spec": {"templates": [{"kind": "ClusterRole"}, template]},
    }


def test_the_transport_controller_gets_its_its_by_name_and_its_limits():
    found = deployment("transport-controller", ["--wds-name=wds1", "--wds-qps=5", "-v=2"], STOCK)
    before = copy.deepcopy(found)
    patch = controllers.wanted("transport-controller", found, BINDING)
    assert found == before
    pod = patch["spec"]["template"]["spec"]
    assert pod["initContainers"] == [{"name": "get-its-kubeconfig", "args": BOUND}]
    (container,) = pod["containers"]
    assert container["args"] == [
        "--wds-name=wds1",
        "--wds-qps=500",
        "-v=2",
        "--transport-burst=1000",
        "--transport-qps=500",
        "--wds-burst=1000",
    ]


def test_the_controller_manager_gets_its_its_api_groups_and_limits():
    found = deployment("kubestellar-controller-manager", ["--wds-name=wds1", "--its-name=", "--api-groups="])
    patch = controllers.wanted("kubestellar-controller-manager", found, BINDING)
    (container,) = patch["spec"]["template"]["spec"]["containers"]
    assert container["name"] == "manager"
    assert container["args"][:3] == ["--wds-name=wds1", "--its-name=its2", "--api-groups=apps,"]
    assert {"--its-qps=500", "--wds-qps=500", "--its-burst=1000", "--wds-burst=1000"} == set(
        container["args"][3:]
    )


@pytest.mark.parametrize("name", sorted(controllers.HOOK_OF))
def test_what_is_right_already_is_not_written_again(name):
    found = deployment(name, ["--wds-name=wds1"], STOCK if name == "transport-controller" else None)
    patch = controllers.wanted(name, found, BINDING)
    pod = found["spec"]["template"]["spec"]
    for kind, entries in patch["spec"]["template"]["spec"].items():
        for entry in entries:
            next(c for c in pod[kind] if c["name"] == entry["name"])["args"] = entry["args"]
    assert controllers.wanted(name, found, BINDING) is None


def test_a_patch_also_holds_what_is_right_already_so_that_it_stays_ours():
    found = deployment("transport-controller", ["--wds-qps=5"], BOUND)
    pod = controllers.wanted("transport-controller", found, BINDING)["spec"]["template"]["spec"]
    assert pod["initContainers"] == [{"name": "get-its-kubeconfig", "args": BOUND}]


def test_without_limits_those_that_are_there_stay():
    found = deployment("transport-controller", ["--wds-qps=77"], BOUND)
    assert controllers.wanted("transport-controller", found, Binding("wds1", "its2")) is None


@pytest.mark.parametrize(
    ("arguments", "flags", "expected"),
    [
        (["--a", "1", "--b=2"], {"a": "3"}, ["--a=3", "--b=2"]),
        (["--a=1", "--a=2"], {"a": "3"}, ["--a=3"]),
        (["--a", "--b=2"], {"a": "3"}, ["--a=3", "--b=2"]),
        (["-v=2"], {"a": "3", "c": ""}, ["-v=2", "--a=3"]),
        (["--a=1"], {"a": ""}, ["--a="]),
        (["plain"], {}, ["plain"]),
    ],
)
def test_flags_are_set_in_their_place(arguments, flags, expected):
    assert controllers.with_flags(arguments, flags) == expected


@pytest.mark.parametrize(
    "arguments",
    [
        STOCK,
        ["--control-plane-label-selector=a=b", "--control-plane-name=its1", *STOCK[-2:]],
        BOUND,
    ],
)
def test_an_its_is_named_without_a_selector(arguments):
    assert controllers.bound(arguments, "its2") == BOUND


def test_the_bug_is_seen_in_the_hook_and_its_absence_too():
    assert controllers.has_bug(hook(STOCK)) is True
    assert controllers.has_bug(hook(BOUND)) is False
    assert controllers.has_bug(hook(None)) is None
    assert controllers.has_bug(None) is None


def test_the_hook_is_repaired_once_and_only_where_it_is_wrong():
    broken = hook(STOCK)
    patch = controllers.repaired_hook(broken)
    assert patch["metadata"] == {"resourceVersion": "7"}
    templates = patch["spec"]["templates"]
    assert templates[0] == {"kind": "ClusterRole"}
    init = templates[1]["spec"]["template"]["spec"]["initContainers"][0]["args"]
    assert init == ["--control-plane-name", "{{.ITSName}}", *BOUND[2:]]
    assert controllers.repaired_hook({**broken, "spec": {"templates": templates}}) is None


def test_the_hooks_of_a_control_plane_get_the_name_of_the_its():
    plane = {
        "metadata": {"name": "wds1", "resourceVersion": "3"},
        "spec": {
            "postCreateHooks": [
                {"hookName": "kubestellar-controller", "vars": {"APIGroups": ""}},
                {"hookName": "transport-controller"},
                {"hookName": "mine"},
            ]
        },
    }
    patch = controllers.bound_hooks(plane, "its2")
    hooks = patch["spec"]["postCreateHooks"]
    assert hooks == [
        {"hookName": "kubestellar-controller", "vars": {"APIGroups": "", "ITSName": "its2"}},
        {"hookName": "transport-controller", "vars": {"ITSName": "its2"}},
        {"hookName": "mine"},
    ]
    assert controllers.bound_hooks({**plane, "spec": patch["spec"]}, "its2") is None


@pytest.mark.parametrize(
    ("arguments", "left"),
    [
        (STOCK, STOCK[-2:]),
        (BOUND, BOUND[-2:]),
        (
            ["--its-name=a", "--api-groups=", "--wds-name=w", "--its-qps", "5", "-v=2"],
            ["--wds-name=w", "-v=2"],
        ),
        (["--wds-qps", "--leader-elect", "--transport-burst=1"], ["--leader-elect"]),
        ([], []),
    ],
)
def test_what_is_set_here_can_be_left_out_of_arguments(arguments, left):
    assert controllers.unbound(arguments) == left


def test_a_wds_may_name_its_its_in_either_place():
    def plane(**spec):
        return {"metadata": {"name": "wds1"}, "spec": spec}

    assert controllers.names_its(
        plane(postCreateHooks=[{"hookName": "transport-controller", "vars": {"ITSName": "a"}}])
    )
    assert controllers.names_its(plane(globalVars={"ITSName": "a"}))
    # As the chart makes it for an only ITS.
    hooks = [
        {"hookName": "transport-controller"},
        {"hookName": "kubestellar-controller", "vars": {"ITSName": "a"}},
    ]
    assert not controllers.names_its(plane(globalVars={"ITSName": ""}, postCreateHooks=hooks))
