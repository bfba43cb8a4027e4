# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When KubeFlex is told to look at a ControlPlane again. That it helps is in tests/integration/test_chart_steps.py."""

from __future__ import annotations

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _control_plane
from ansible_collections.kubestellar.core.plugins.module_utils._errors import NotFound
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    DEPLOYMENTS,
    JOBS,
    POST_CREATE_HOOKS,
)


def template(kind, name):
    return {"kind": kind, "metadata": {"name": name}}


HOOKS = {
    "job": [template("Role", "r"), template("Job", "{{.HookName}}")],
    "two": [template("Deployment", "{{ .ControlPlaneName }}-a"), template("Deployment", "b")],
    "roles": [template("Role", "r")],
    "set": [template("Deployment", "b"), template("StatefulSet", "s")],
    "odd": [template("Job", "{{.Other}}")],
}


def plane(*hooks, done=(), reason="WaitingForPostCreateHooks", **metadata):
    return {
        "metadata": {"name": "its1", "generation": 1, **metadata},
        "spec": {"postCreateHooks": [{"hookName": name} for name in hooks]},
        "status": {
            "observedGeneration": 1,
            "secretRef": {"name": "s"},
            "postCreateHooks": dict.fromkeys(done, True),
            "conditions": [{"type": "Ready", "status": str(reason == "Available"), "reason": reason}],
        },
    }


def objects(*jobs, **deployments):
    """The Jobs that are complete, and the Deployments with their ready replicas."""

    def entry(name, status):
        return ("its1-system", name), {"metadata": {"name": name}, "spec": {"replicas": 1}, "status": status}

    return {
        POST_CREATE_HOOKS: {
            ("", name): {"metadata": {"name": name}, "spec": {"templates": templates}}
            for name, templates in HOOKS.items()
        },
        JOBS: dict(entry(name, {"succeeded": 1}) for name in jobs),
        DEPLOYMENTS: dict(
            entry(name.replace("_", "-"), {"readyReplicas": n}) for name, n in deployments.items()
        ),
    }


@pytest.mark.parametrize(
    ("found", "there", "behind"),
    [
        (plane("job"), objects("job"), True),
        (plane("job"), objects(), False),
        (plane("job", "two"), objects("job"), True),
        (plane("job", "two", done=["job"]), objects("job"), False),
        (plane("two"), objects(its1_a=1, b=1), True),
        (plane("two"), objects(its1_a=1, b=0), False),
        (plane("two"), objects(its1_a=1), False),
        # Done, but changed since, so that KubeFlex waits for it again.
        (plane("two", done=["two"]), objects(its1_a=1, b=1), True),
        (plane("two", done=["two"]), objects(its1_a=1, b=2), False),
        (plane("two", done=["two"], reason="Unavailable"), objects(its1_a=1, b=1), False),
        (plane("job", done=["job"], reason="Available"), objects("job"), False),
        (plane("job", deletionTimestamp="t"), objects("job"), False),
        # What cannot be told.
        (plane(), objects("job"), False),
        (plane("roles"), objects(), False),
        (plane("set"), objects(b=1), False),
        (plane("odd"), objects("job"), False),
        (plane("missing"), objects("job"), False),
        (plane("job"), {}, False),
    ],
)
def test_kubeflex_is_behind_when_more_is_ready_than_it_has_seen(found, there, behind):
    assert _control_plane.is_behind(found, there) is behind


class Hosting:
    """A hosting cluster that counts patches."""

    def __init__(self, error=None):
        self.patches, self.error = [], error

    def patch(self, _resource, name, namespace, body):
        assert namespace is None
        if self.error:
            raise self.error
        self.patches.append((name, *body["metadata"]["annotations"]))
        return {"metadata": {"name": name}}


def test_the_pause_between_nudges_of_a_space_doubles_up_to_half_a_minute(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(_control_plane.time, "monotonic", lambda: now[0])
    hosting, nudges = Hosting(), _control_plane.Nudges()
    times = []
    for second in range(130):
        now[0] = 100.0 + second
        if nudges.nudge(hosting, "its1"):
            times.append(second)
    assert times == [0, 2, 6, 14, 30, 60, 90, 120]
    assert nudges.nudge(hosting, "its2")
    assert set(hosting.patches) == {(name, "kubestellar.core/nudged") for name in ("its1", "its2")}


def test_a_space_that_is_gone_is_not_nudged():
    assert _control_plane.Nudges().nudge(Hosting(NotFound("gone", status=404)), "its1") is None


@pytest.mark.parametrize(
    ("found", "up"),
    [
        (plane("job"), True),
        (plane("job", reason="Available"), True),
        (plane("job", reason="Unavailable"), False),
        (plane("job", deletionTimestamp="t"), False),
        ({"metadata": {"name": "its1"}}, False),
    ],
)
def test_a_space_is_up_while_only_its_hooks_are_waited_for(found, up):
    assert _control_plane.is_up(found) is up


@pytest.mark.parametrize(
    ("changed", "ready"),
    [
        ({}, True),
        ({"deletionTimestamp": "2026-01-01T00:00:00Z"}, False),
        ({"generation": 2}, False),
        ({"reason": "WaitingForPostCreateHooks"}, False),
    ],
)
def test_a_plane_is_ready_for_what_it_is_now_and_not_while_it_goes(changed, ready):
    assert _control_plane.is_ready(plane(**{"reason": "Available", **changed})) is ready


def test_a_plane_without_a_secret_or_none_at_all_is_not_ready():
    bare = plane(reason="Available")
    del bare["status"]["secretRef"]
    assert not _control_plane.is_ready(bare) and not _control_plane.is_ready(None)
