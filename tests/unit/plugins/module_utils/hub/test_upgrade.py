# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an upgrade looks at. The upgrade itself is in tests/integration/test_chart_upgrade.py, against real controllers."""

from __future__ import annotations

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput
from ansible_collections.kubestellar.core.plugins.module_utils._resources import JOBS
from ansible_collections.kubestellar.core.plugins.module_utils.hub import ready, upgrade


def binding(name="shop", objects=("a", "b"), clusters=("c1", "c2"), version="1"):
    return {
        "metadata": {"name": name},
        "spec": {
            "workload": {
                "clusterScope": [{"group": "", "resource": "namespaces", "version": "v1", "name": "shop"}],
                "namespaceScope": [
                    {
                        "group": "apps",
                        "resource": "deployments",
                        "version": "v1",
                        "namespace": "shop",
                        "name": entry,
                        "resourceVersion": version,
                    }
                    for entry in objects
                ],
            },
            "destinations": [{"clusterId": name} for name in clusters],
        },
    }


BEFORE = upgrade.recorded([binding()])


def test_what_is_recorded_of_a_binding_is_small_and_does_not_depend_on_order_or_versions():
    assert BEFORE["shop"]["objects"] == 3 and BEFORE["shop"]["clusters"] == 2
    assert upgrade.recorded([binding(objects=("b", "a"), clusters=("c2", "c1"), version="2")]) == BEFORE
    assert len(str(BEFORE)) < 150


@pytest.mark.parametrize(
    ("now", "clauses"),
    [
        ([binding()], []),
        ([binding(), binding("new")], []),
        ([], ["the Binding shop is not there"]),
        (
            [binding(objects=("a",))],
            ["the Binding shop lists 2 objects and 2 clusters, where it listed 3 and 2, or others"],
        ),
        (
            [binding(objects=("a", "x"))],
            ["the Binding shop lists 3 objects and 2 clusters, where it listed 3 and 2, or others"],
        ),
        (
            [binding(clusters=())],
            ["the Binding shop lists 3 objects and 0 clusters, where it listed 3 and 2, or others"],
        ),
    ],
)
def test_bindings_that_are_not_what_they_were_are_named(now, clauses):
    assert upgrade.departed(BEFORE, upgrade.recorded(now)) == clauses


def test_a_binding_without_anything_can_be_recorded():
    assert upgrade.recorded([{"metadata": {"name": "x"}}])["x"]["objects"] == 0


def test_the_hooks_are_found_in_what_helm_prints():
    text = "---\n# Source: x\nkind: Job\nmetadata: {name: j}\n---\nkind: PostCreateHook\nmetadata: {name: h}\n---\n"
    assert list(upgrade.read_hooks(text)) == ["h"]
    with pytest.raises(InvalidInput, match="the manifests of the chart is not valid YAML"):
        upgrade.read_hooks("a: {")


def _plan(runs=(), state=None):
    return upgrade.Plan(ready.Space("its1", "its"), {"metadata": {"name": "its1"}}, runs, state)


def test_a_plan_tells_hooks_objects_and_images():
    pod = {"template": {"spec": {"containers": [{"name": "c", "image": "i:2"}]}}}
    want = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "j", "namespace": "its1-system"},
        "spec": pod,
    }
    live = {**want, "spec": {"template": {"spec": {"containers": [{"name": "c", "image": "i:1"}]}}}}
    plan = _plan([upgrade.Run("h", [upgrade.Change(JOBS, want, live)], [(JOBS, want)])])
    told = plan.result()
    assert told["changed"] and told["method"] == "update"
    assert told["hooks"] == [
        {
            "name": "h",
            "objects": ["Job its1-system/j"],
            "images": [{"object": "Job its1-system/j", "container": "c", "before": "i:1", "after": "i:2"}],
        }
    ]
    (entry,) = plan.diff("hub")
    assert entry["before_header"] == "hub: its1: hook h: Job its1-system/j"
    assert "image: i:1" in entry["before"] and "image: i:2" in entry["after"]


def test_a_space_of_which_everything_is_as_it_must_be_is_left_alone():
    assert not _plan().pending and _plan().result()["method"] == "none"
    assert _plan(state={"data": {}}).result()["resumed"]
