# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a hub must have. The waiting itself is in tests/integration/test_chart.py, against real controllers."""

from __future__ import annotations

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    CONTROL_PLANES,
    DEPLOYMENTS,
    JOBS,
)
from ansible_collections.kubestellar.core.plugins.module_utils.hub import ready
from ansible_collections.kubestellar.core.plugins.module_utils.hub.steps import STEPS
from ansible_collections.kubestellar.core.plugins.modules import hub_ready


def test_the_only_its_is_that_of_every_wds():
    its, wds = ready.spaces_of([{"name": "its1"}], [{"name": "wds1", "api_groups": ["", "apps"]}])
    assert (its.role, its.ocm, its.namespace) == ("its", True, "its1-system")
    assert (wds.its, wds.api_groups) == ("its1", ",apps")


def test_an_adopted_ocm_hub_is_not_waited_for():
    (its,) = ready.spaces_of([{"name": "its1", "install_ocm": False}], [])
    assert its.ocm is False


@pytest.mark.parametrize(
    ("itses", "wdses", "words"),
    [
        (["a", "b"], [{"name": "w"}], "The WDS w names no ITS and there are 2"),
        ([], [{"name": "w"}], "there are 0"),
        (["a"], [{"name": "a"}], "The space a is named twice"),
        (["A"], [], "not allowed"),
    ],
)
def test_spaces_that_cannot_be_meant_are_refused(itses, wdses, words):
    with pytest.raises(InvalidInput, match=words):
        ready.spaces_of([{"name": name} for name in itses], wdses)


def test_a_replica_set_counts_as_refused_only_while_its_deployment_lacks_replicas():
    events = [{"involvedObject": {"name": "web-5d4"}}, {"involvedObject": {"name": "old-1"}}]
    failing = {"status": {"conditions": [{"type": "ReplicaFailure", "status": "True"}]}}
    deployments = {("n", "web"): failing, ("n", "old"): {"status": {}}, ("other", "old"): failing}
    assert list(ready._owners_without_pods(deployments, "n", events)) == ["web-5d4"]


# -- the step of each condition --------------------------------------------------------------------------------------

ITS, WDS = ready.spaces_of([{"name": "its1"}], [{"name": "wds1"}])
HOOKS = {"its": ("its-hub-init", "install-status-addon"), "wds": ("kubestellar-controller", "own-hook")}


def plane(space, reason, done=()):
    return {
        "metadata": {"name": space.name, "generation": 1},
        "spec": {"type": "host", "postCreateHooks": [{"hookName": name} for name in HOOKS[space.role]]},
        "status": {
            "observedGeneration": 1,
            "secretRef": {"name": "s"},
            "postCreateHooks": dict.fromkeys(done, True),
            "conditions": [
                {"type": "Ready", "status": str(reason == "Available"), "reason": reason},
            ],
        },
    }


def lacks(space, found, steps=STEPS, *, deployments=True):
    settings = ready.Settings({}, deployments, ready.NONE, True, 0, 0, steps)
    work = ready._Work(None, [ITS, WDS], settings, Progress(None), dry_run=True)
    planes = {("", space.name): found} if found else {}
    work._objects = {CONTROL_PLANES: planes, JOBS: {}, DEPLOYMENTS: {}}
    return [(lack.step, lack.key) for lack in work._space(space)]


@pytest.mark.parametrize(
    ("space", "found", "expected"),
    [
        (ITS, None, [("its", "its1/exists")]),
        (WDS, None, [("wds", "wds1/exists")]),
        (
            ITS,
            plane(ITS, "Unavailable"),
            [
                ("ocm", "its1/hook/its-hub-init"),
                ("status_addon", "its1/hook/install-status-addon"),
                ("its", "its1/ready"),
            ],
        ),
        (
            ITS,
            plane(ITS, "WaitingForPostCreateHooks", ["its-hub-init"]),
            [("status_addon", "its1/hook/install-status-addon"), ("status_addon", "its1/ready")],
        ),
        (ITS, plane(ITS, "Available", HOOKS["its"]), []),
        (
            WDS,
            plane(WDS, "WaitingForPostCreateHooks", ["kubestellar-controller"]),
            [
                ("controllers", "wds1/hook/own-hook"),
                ("controllers", "wds1/ready"),
                ("controllers", "wds1/kubestellar-controller-manager"),
                ("controllers", "wds1/transport-controller"),
            ],
        ),
    ],
)
def test_every_condition_belongs_to_a_step(space, found, expected):
    assert lacks(space, found) == expected


def test_a_space_counts_for_the_steps_that_it_has_conditions_of():
    assert lacks(ITS, None, ["wds"]) == [] and lacks(WDS, None, ["its", "ocm"]) == []
    assert lacks(ITS, None, ["controllers"]) == [("its", "its1/exists")]


def test_processes_have_no_hooks_to_wait_for():
    assert lacks(ITS, plane(ITS, "WaitingForPostCreateHooks"), deployments=False) == [("its", "its1/ready")]


def test_the_steps_to_wait_for_are_those_of_the_hub_but_the_hooks():
    assert hub_ready.SPEC["steps"]["choices"] == [step for step in STEPS if step != "hooks"]
