# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a PostCreateHook makes, and whether that is there already."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils.hub import hooks

INIT = [
    "--control-plane-label-selector",
    "kflex.kubestellar.io/cptype=its",
    "--control-plane-name",
    "{{.ITSName}}",
]
FLAGS = ["--wds-name={{.ControlPlaneName}}", "--wds-qps=5", "-v=2"]


def deployment(name="transport-controller", image="transport:1", args=None, init=None):
    args = FLAGS if args is None else args
    init = INIT if init is None else init
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": 1,
            "template": {
                "spec": {
                    "initContainers": [{"name": "get-its-kubeconfig", "image": "get:1", "args": init}],
                    "containers": [{"name": name, "image": image, "args": args}],
                }
            },
        },
    }


def hook(*templates, name="transport-controller", **defaults):
    return {
        "metadata": {"name": name},
        "spec": {
            "templates": list(templates),
            "defaultVars": [{"name": key, "value": value} for key, value in defaults.items()],
        },
    }


def plane(*names, done=True, variables=None, **global_variables):
    uses = [{"hookName": name, "vars": variables or {}} for name in names]
    return {
        "metadata": {"name": "wds1"},
        "spec": {"postCreateHooks": uses, "globalVars": global_variables},
        "status": {"postCreateHooks": dict.fromkeys(names, done)},
    }


def test_variables_are_expanded_the_strongest_first_and_missing_ones_as_go_does():
    texts = {
        "a": "{{.A}}",
        "b": "{{.B}}",
        "c": "{{ .C }}!",
        "d": "{{.HookName}} of {{.Namespace}}",
        "e": "{{.E}}",
    }
    found = hook(
        {"kind": "X", "metadata": {"name": "x"}, "data": {**texts, "n": [1, True]}}, A="1", B="1", C="1"
    )
    used = plane("transport-controller", variables={"C": "3", "Namespace": "mine"}, B="2", C="2")
    (made,) = hooks.made(found, used)
    assert made["data"] == {
        "a": "1",
        "b": "2",
        "c": "3!",
        "d": "transport-controller of wds1-system",
        "e": "<no value>",
        "n": [1, True],
    }


@pytest.mark.parametrize("text", ["{{if .A}}x{{end}}", "{{.A | printf `%s`}}", "{{.A"])
def test_of_a_template_with_more_than_variables_nothing_is_said(text):
    with pytest.raises(hooks.Unclear, match="PostCreateHook mine .* has more than variables"):
        hooks.made(hook({"data": {"a": text}}, name="mine"), plane("mine", A="1"))


def test_the_hook_that_writes_bindings_is_first_and_the_one_that_reads_them_last():
    names = ("transport-controller", "b", "kubestellar-controller", "a")
    assert hooks.ordered(plane(*names)) == ["kubestellar-controller", "b", "a", "transport-controller"]


def test_objects_are_placed_as_kubeflex_does():
    obj = {
        "kind": "ClusterRole",
        "metadata": {
            "name": "x",
            "creationTimestamp": None,
            "labels": {"app.kubernetes.io/managed-by": "me"},
        },
    }
    assert hooks.placed(obj, "wds1", namespaced=True)["metadata"] == {
        "name": "x",
        "namespace": "wds1-system",
        "labels": {"app.kubernetes.io/managed-by": "me"},
    }
    assert hooks.placed(obj, "wds1", namespaced=False)["metadata"] == {
        "name": "x",
        "labels": {"app.kubernetes.io/managed-by": "Helm"},
        "annotations": {"meta.helm.sh/release-namespace": "wds1-system"},
    }


BOUND = deployment(
    args=["--wds-name=wds1", "--wds-qps=500", "-v=2", "--wds-burst=1000", "--transport-qps=500"],
    init=["--control-plane-name", "its1"],
)


def test_arguments_that_are_set_elsewhere_are_no_reason_to_run_a_hook_again():
    (want,) = hooks.made(hook(deployment()), plane("transport-controller", ITSName=""))
    before = copy.deepcopy(want)
    adapted = hooks.adapted(want, BOUND)
    assert adapted == BOUND and want == before


def test_another_argument_stays_a_difference():
    (want,) = hooks.made(hook(deployment(args=[*FLAGS[:-1], "-v=4"])), plane("transport-controller"))
    container = hooks.adapted(want, BOUND)["spec"]["template"]["spec"]["containers"][0]
    assert container["args"] == ["--wds-name=wds1", "--wds-qps=5", "-v=4"]


def test_arguments_of_other_deployments_are_compared_as_they_are():
    want, live = deployment("mine", args=["--wds-qps=5"]), deployment("mine", args=["--wds-qps=9"])
    assert hooks.adapted(want, live) == want


def test_images_that_become_others_are_told():
    want = deployment(image="transport:2")
    assert hooks.image_changes(want, BOUND) == [
        {"container": "transport-controller", "before": "transport:1", "after": "transport:2"}
    ]
    assert [change["before"] for change in hooks.image_changes(want, None)] == ["", ""]
    assert hooks.image_changes({"kind": "ClusterRole", "metadata": {}, "rules": []}, None) == []


def test_a_diff_shows_images_and_arguments_and_the_whole_of_other_objects():
    assert hooks.shown(BOUND)["containers"]["transport-controller"] == {
        "image": "transport:1",
        "args": ["--wds-name=wds1", "-v=2"],
    }
    role = {
        "kind": "Role",
        "apiVersion": "v1",
        "metadata": {"name": "x", "uid": "1"},
        "rules": [{"verbs": ["get"]}],
    }
    assert hooks.shown(role) == {**role, "metadata": {"name": "x"}}


@pytest.mark.parametrize(
    ("image", "done", "there", "outdated"),
    [
        ("transport:2", True, True, ["transport-controller"]),
        ("transport:1", True, True, []),
        ("transport:2", False, True, []),  # it is about to run
        ("transport:2", True, False, []),
    ],
)
def test_a_hook_is_outdated_if_it_is_done_and_would_make_other_images(image, done, there, outdated):
    known = {
        "transport-controller": hook(deployment(image=image)),
        "odd": hook({"a": "{{if .A}}"}, name="odd"),
    }
    objects = {("Deployment", "transport-controller"): BOUND} if there else {}
    used = plane("odd", "transport-controller", "missing", done=done)
    assert hooks.outdated(used, known, objects) == outdated
