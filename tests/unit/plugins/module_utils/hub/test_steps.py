# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps to a hub and their order. What a step that is too early says is in test_release.py, too."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible_collections.kubestellar.core.plugins.module_utils._client import Listing
from ansible_collections.kubestellar.core.plugins.module_utils._errors import NotFound, PreflightFailed
from ansible_collections.kubestellar.core.plugins.module_utils.hub import steps, values

ROLE = Path(__file__).parents[5] / "roles" / "hub"
SPECS = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text())["argument_specs"]


class Hosting:
    """A hosting cluster that has these ControlPlanes; None if it does not know the kind."""

    name = "hub"

    def __init__(self, planes):
        self.planes, self.reads = planes, 0

    def list(self, _resource):
        self.reads += 1
        if self.planes is None:
            raise NotFound("no such kind", status=404)
        return Listing([{"metadata": {"name": name}} for name in self.planes], "1")


def check(hosting, *wanted, **more):
    steps.check_order(hosting, wanted, ["its1", "its2"], ["wds1"], ocm=True, **more)


def test_a_step_needs_only_what_earlier_ones_make():
    for place, step in enumerate(steps.STEPS):
        makers = {need.maker for need in steps.needs(step, ["i"], ["w"], ocm=True)}
        assert makers <= set(steps.STEPS[:place])


def test_without_ocm_its_hook_is_not_needed():
    hooks = {name for need in steps.needs("its", ["i"], [], ocm=False) for name in need.names}
    assert "install-status-addon" in hooks and "its-hub-init" not in hooks


@pytest.mark.parametrize(
    ("planes", "step", "words"),
    [
        (None, "ocm", "the ITSes its1, its2, which are not there"),
        (["its1"], "status_addon", "the ITS its2, which is not there"),
        (["its1", "its2"], "controllers", "the WDS wds1, which is not there"),
    ],
)
def test_what_watches_a_space_is_refused_without_one(planes, step, words):
    with pytest.raises(PreflightFailed, match=words) as caught:
        check(Hosting(planes), step)
    assert caught.value.hint == f"Run the step {'wds' if step == 'controllers' else 'its'} first."


def test_what_is_there_or_made_now_or_counts_as_done_is_not_asked_for():
    check(Hosting(["its1", "its2"]), "ocm")
    for hosting, wanted, done in (
        (Hosting(None), steps.STEPS, ()),
        (Hosting(None), ("controllers",), ("wds",)),
    ):
        check(hosting, *wanted, done=done)
        assert hosting.reads == 0


@pytest.mark.parametrize(
    ("hook", "role", "step"),
    [
        ("its-hub-init", "its", "ocm"),
        ("install-status-addon", "its", "status_addon"),
        ("transport-controller", "wds", "controllers"),
        ("own", "its", "status_addon"),
        ("its-hub-init", "wds", "controllers"),
    ],
)
def test_every_hook_belongs_to_a_step(hook, role, step):
    assert steps.step_of_hook(hook, role) == step


def test_the_role_knows_the_same_steps():
    variables = yaml.safe_load((ROLE / "vars" / "main.yml").read_text())
    assert tuple(variables["__hub_all_steps"]) == steps.STEPS
    assert tuple(variables["__hub_release_all"]) == values.RELEASE_STEPS
    assert variables["__hub_ready_all"] == [step for step in steps.STEPS if step != steps.HOOKS]
    option = SPECS["main"]["options"]["hub_steps"]
    assert tuple(option["choices"]) == tuple(option["default"]) == steps.STEPS
    for step in steps.STEPS:
        assert step in SPECS and (ROLE / "tasks" / f"{step}.yml").exists()
