# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hub by the core chart, one step at a time (see `chart_hub.py`)."""

from __future__ import annotations

import re
import textwrap
import threading
from typing import Any

import pytest
import yaml
from ansible_collections.kubestellar.core.plugins.module_utils import _control_plane, _resources
from ansible_collections.kubestellar.core.plugins.module_utils.hub import release, steps, values

from .chart_hub import Hub
from .running import CHECKOUT, assert_ok

GUIDE = CHECKOUT / "docs" / "docsite" / "rst" / "guide_hub.rst"
MANAGER = (_resources.DEPLOYMENTS, "kubeflex-controller-manager", "kubeflex-system")
HOOKS = {"its-hub-init", "install-status-addon", "kubestellar-controller", "transport-controller"}


def take(hub: Hub, *names: str, **variables: Any) -> int:
    """Take these steps; how many tasks have changed something."""
    done = hub.run("hub", hub_method="steps", hub_steps=list(names), **variables)
    return assert_ok(done)["hub"]["changed"]


def newest(hub: Hub) -> dict[str, Any]:
    """The newest revision of the release; empty without one."""
    revisions = release.read(hub.cluster, "ks-core", "default")
    return revisions[-1].result() if revisions else {}


def hooks(hub: Hub) -> set[str]:
    """Names of the PostCreateHooks."""
    return {hook["metadata"]["name"] for hook in hub.cluster.list(_resources.POST_CREATE_HOOKS).items}


def done_hooks(hub: Hub, space: str) -> dict[str, bool]:
    """The hooks of a space that are done."""
    found = hub.cluster.get(_resources.CONTROL_PLANES, space)
    return dict((found or {}).get("status", {}).get("postCreateHooks") or {})


def leaves(content: dict[str, Any], *above: str) -> set[str]:
    """The dotted names of all values."""
    found: set[str] = set()
    for key, value in content.items():
        found |= (
            leaves(value, *above, key) if isinstance(value, dict) and value else {".".join([*above, key])}
        )
    return found


def test_every_value_of_the_chart_has_a_variable(anywhere):
    chart = anywhere.folder / "core-chart"
    own = yaml.safe_load((chart / "values.yaml").read_text())
    kubeflex = yaml.safe_load((chart / "charts" / "kubeflex-operator" / "values.yaml").read_text())
    ours = {place for places in values._PLAIN.values() for place in places.values()}
    ours |= {place for places in values._LIMITS.values() for place in places}
    ours |= {"InstallPCHs", "ITSes", "WDSes", "argocd.applications", "status_controller"}
    assert leaves(own) | leaves(kubeflex, "kubeflex-operator") <= ours


def test_a_step_that_is_too_early_names_the_first_one_and_writes_nothing(hub, module):
    mark = hub.mark()
    failed = hub.run("hub", hub_method="steps", hub_steps=["its"])
    output = " ".join(failed.stdout.split())
    assert failed.returncode != 0
    assert "hub: the step its needs KubeFlex" in output and "Run the step kubeflex first." in output
    spaces = {"itses": [{"name": "its1"}], "wdses": [{"name": "wds1"}]}
    for step, first in (("ocm", "its"), ("controllers", "wds")):
        made = module("hub_ready", **hub.connection, **spaces, steps=[step])
        assert made["failed"] and f"hub: the step {step} needs the " in made["msg"]
        assert made["hint"] == f"Run the step {first} first."
    assert hub.writes(mark) == [] and hub.planes() == []


def test_a_check_run_of_all_steps_forecasts_each_and_writes_nothing(hub):
    mark = hub.mark()
    assert assert_ok(hub.run("hub", "--check", hub_method="steps"))["hub"]["changed"] == 4
    assert hub.writes(mark) == []


@pytest.mark.core
def test_a_hub_comes_in_three_runs_of_some_steps_each(hub):
    assert take(hub, "kubeflex", "hooks") == 2
    assert hooks(hub) >= HOOKS and hub.planes() == []
    assert newest(hub)["steps"] == ["kubeflex", "hooks"]
    assert take(hub, "its", "ocm", "status_addon") >= 1
    assert_its_is_ready(hub)
    assert take(hub, "wds", "controllers") >= 2
    assert_complete(hub)


def assert_its_is_ready(hub: Hub) -> None:
    """The ITS is ready, and alone."""
    assert done_hooks(hub, "its1") == {"its-hub-init": True, "install-status-addon": True}
    its = hub.cluster.get(_resources.CONTROL_PLANES, "its1")
    assert _control_plane.is_ready(its)
    assert hub.planes() == ["its1"]


def assert_complete(hub: Hub) -> None:
    """There is the WDS with its controllers too."""
    assert hub.planes() == ["its1", "wds1"]
    assert done_hooks(hub, "wds1") == {"kubestellar-controller": True, "transport-controller": True}
    assert hub.arguments_of("wds1", "transport-controller")[:2] == ["--control-plane-name", "its1"]
    assert "--wds-qps=500" in hub.arguments_of("wds1", "kubestellar-controller-manager")
    assert newest(hub)["steps"] == ["kubeflex", "hooks", "its", "wds"]


def test_a_hub_comes_step_by_step_and_each_leaves_alone_what_belongs_to_others(hub):
    assert take(hub, "kubeflex") == 1
    assert hub.cluster.get(*MANAGER) is not None
    assert hooks(hub) & HOOKS == set() and hub.planes() == []
    assert newest(hub)["steps"] == ["kubeflex"]

    # The playbook of the guide goes on with the hooks.
    (text,) = re.findall(r"(?m)^   - name: Two steps of a hub\n(?:   .*\n)+", GUIDE.read_text())
    playbook = hub.folder / "two_steps.yml"
    playbook.write_text(textwrap.dedent(text))
    assert assert_ok(hub.run(playbook, hub_method="steps"))["hub"]["changed"] == 1
    assert hooks(hub) >= HOOKS and hub.planes() == []
    assert newest(hub)["steps"] == ["kubeflex", "hooks"]

    # The spaces of other steps are not made.
    mark = hub.mark()
    failed = hub.run("hub", hub_method="steps", hub_steps=["wds"])
    assert "the step wds needs the ITS its1, which is not there. Run the step its first." in " ".join(
        failed.stdout.split()
    )
    assert hub.writes(mark) == []
    assert take(hub, "its") >= 1
    assert hub.planes() == ["its1"]

    # OCM and the status add-on are waited for.
    take(hub, "ocm")
    assert done_hooks(hub, "its1")["its-hub-init"]
    take(hub, "status_addon")
    assert_its_is_ready(hub)

    assert take(hub, "wds") >= 1
    assert hub.planes() == ["its1", "wds1"]
    assert take(hub, "controllers") == 1
    assert_complete(hub)

    # The chart and the steps find nothing left to do after each other.
    before, mark = newest(hub), hub.mark()
    assert assert_ok(hub.run("hub"))["hub"]["changed"] == 0
    assert take(hub, *steps.STEPS) == 0
    assert hub.writes(mark) == []
    assert newest(hub) == before and before["status"] == "deployed"

    # Neither does a step if others would have something to do.
    mark = hub.mark()
    other = {
        "hub_wdses": [{"name": "wds2"}],
        "hub_kubeflex": {"domain": "example.com"},
        "hub_remove_spaces": True,
    }
    assert take(hub, "its", "ocm", "status_addon", **other) == 0
    assert hub.writes(mark) == [] and hub.planes() == ["its1", "wds1"]


def test_kubeflex_is_told_that_a_hook_is_ready(installed, module):
    """By itself it looks every 30 seconds. Nodes are closed until we wait, so that the Job gets ready while we do."""

    def close(nodes: bool | None) -> None:
        for number in (1, 2):
            installed.cluster.patch(
                _resources.NODES, f"hub-node-{number}", None, {"spec": {"unschedulable": nodes}}
            )

    variables = {"ITSSecretName": "admin-kubeconfig", "ITSSecretKey": "kubeconfig-incluster"}
    its9 = {
        **installed.connection,
        "name": "its9",
        "role": "its",
        "type": "host",
        "hooks": [{"name": "its-hub-init", "vars": variables}],
    }
    close(True)
    module("control_plane", **its9, wait=False)
    threading.Timer(5, close, [None]).start()
    made = module("control_plane", **its9, wait_timeout=120, _diff=True)
    assert made["ready"] and made["method"] == "update"
    assert all(_control_plane.NUDGE_ANNOTATION in entry["after"] for entry in made["diff"])
    assert module("control_plane", **its9)["changed"] is False
