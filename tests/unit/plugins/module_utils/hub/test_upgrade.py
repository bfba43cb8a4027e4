# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an upgrade looks at. The upgrade itself is in tests/integration/test_chart_upgrade.py, against real controllers."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._client import Listing
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, KubestellarError
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    CONTROL_PLANES,
    DEPLOYMENTS,
    JOBS,
    POST_CREATE_HOOKS,
)
from ansible_collections.kubestellar.core.plugins.module_utils.hub import controllers, ready, upgrade


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


# -- the order of an upgrade, with a cluster that is only a dictionary ----------------------------------------------


class Hosting:
    """A hosting cluster in which the hooks of a WDS have run; `log` has every write."""

    name = "hub"

    def __init__(self, images="i:2"):
        self.log: list[str] = []
        self.objects: dict[Any, dict[str, Any]] = {}
        names = (controllers.MANAGER_HOOK, controllers.TRANSPORT_HOOK)
        self.put(
            CONTROL_PLANES,
            "wds1",
            spec={"postCreateHooks": [{"hookName": name} for name in names]},
            status={"postCreateHooks": dict.fromkeys(names, True)},
        )
        for deployment, hook in controllers.HOOK_OF.items():
            template = self.deployment(deployment, images)
            self.put(POST_CREATE_HOOKS, hook, spec={"templates": [template]})
            self.put(DEPLOYMENTS, deployment, "wds1-system", **self.deployment(deployment, "i:1"))

    @staticmethod
    def deployment(name, image):
        pod = {"containers": [{"name": name, "image": image}]}
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name},
            "spec": {"replicas": 1, "selector": {"matchLabels": {"a": name}}, "template": {"spec": pod}},
        }

    def put(self, resource, key, namespace=None, **content):
        metadata = {"name": key, "namespace": namespace, "uid": str(len(self.log)), "resourceVersion": "1"}
        self.objects[(resource, namespace, key)] = {**content, "metadata": metadata}

    def resource(self, _api_version, _kind):
        """As discovery tells it."""
        return dataclasses.replace(DEPLOYMENTS, verbs=frozenset({"get"}))

    def get(self, resource, name, namespace=None):
        return copy.deepcopy(self.objects.get((resource, namespace, name)))

    def list(self, resource, namespace=None, **_selectors):
        found = [obj for key, obj in self.objects.items() if key[0] == resource]
        return Listing(copy.deepcopy(found), "1")

    def apply(self, resource, obj, *, dry_run=False, **_options):
        if dry_run:
            live = self.objects[(resource, obj["metadata"]["namespace"], obj["metadata"]["name"])]
            return {**live, "spec": obj["spec"]}
        self.log.append(f"apply {obj['kind']}")
        self.put(resource, obj["metadata"]["name"], obj["metadata"]["namespace"], data=obj["data"])
        return obj

    def patch(self, resource, name, namespace, body, **_options):
        live = self.objects[(resource, namespace, name)]
        if resource == DEPLOYMENTS:
            live["spec"].update(body["spec"])
            self.log.append(f"scale {name} {body['spec']['replicas']}")
        elif resource == CONTROL_PLANES:
            for hook, value in body["status"]["postCreateHooks"].items():
                live["status"]["postCreateHooks"].pop(hook)
                self.log.append(f"entry {hook} {value}")
        else:
            live["data"].update(body["data"])
            self.log.append("settled")
        return live

    def delete(self, resource, name, namespace, **_options):
        self.log.append(f"delete {resource.kind} {name}")
        return self.objects.pop((resource, namespace, name), None) is not None


@pytest.fixture
def upgraded(monkeypatch):
    """Run an upgrade of the one WDS; KubeFlex and the waiting for it are simulated."""

    def run(hosting, *, fail_at=""):
        def wait(_hosting, spaces, *_settings, **_options):
            (space,) = spaces
            hosting.log.append(f"wait {' '.join(space.only) or 'all'}")
            if fail_at in space.only:
                raise KubestellarError("hub: Pod x: No node takes it.", hint="Add capacity.")
            done = hosting.objects[(CONTROL_PLANES, None, "wds1")]["status"]["postCreateHooks"]
            for deployment, hook in controllers.HOOK_OF.items():
                if hook not in done:
                    done[hook] = True
                    (template,) = hosting.objects[(POST_CREATE_HOOKS, None, hook)]["spec"]["templates"]
                    hosting.put(DEPLOYMENTS, deployment, "wds1-system", **copy.deepcopy(template))
            return ready.Result([], [], [])

        monkeypatch.setattr(upgrade.ready, "bring_about", wait)
        plans = upgrade.plan(hosting, [ready.Space("wds1", "wds", "its1")])
        waits = ready.Settings({}, True, ready.NONE, True, 1, 1)
        settings = upgrade.Settings(waits, 0, "The way back: go.")
        monkeypatch.setattr(upgrade, "_is_made", lambda _resource, _live: True)
        upgrade.bring_about(hosting, plans, settings, Progress(None))
        return plans

    return run


MANAGER, TRANSPORT = controllers.MANAGER, controllers.TRANSPORT
REST = [
    "settled",
    f"delete Deployment {TRANSPORT}",
    f"entry {controllers.TRANSPORT_HOOK} None",
    f"wait {controllers.TRANSPORT_HOOK}",
    "wait all",
    "delete ConfigMap kubestellar-core-upgrade",
]


def test_the_transport_controller_is_stopped_first_and_started_last(upgraded):
    hosting = Hosting()
    upgraded(hosting)
    assert hosting.log == [
        "apply ConfigMap",
        f"scale {TRANSPORT} 0",
        f"delete Deployment {MANAGER}",
        f"entry {controllers.MANAGER_HOOK} None",
        f"wait {controllers.MANAGER_HOOK}",
        *REST,
    ]
    hosting.log.clear()
    assert not upgraded(hosting)[0].pending and hosting.log == []


def test_what_was_interrupted_goes_on_where_it_stopped(upgraded):
    hosting = Hosting()
    with pytest.raises(KubestellarError) as caught:
        upgraded(hosting, fail_at=controllers.MANAGER_HOOK)
    assert caught.value.message == (
        "hub: the upgrade stopped at the hook kubestellar-controller of wds1: Pod x: No node takes it."
    )
    assert caught.value.hint == (
        "Add capacity. Then run the upgrade again, which goes on there. The way back: go."
    )
    assert caught.value.details["changed"] is True
    hosting.log.clear()
    upgraded(hosting)
    assert hosting.log == [f"wait {controllers.MANAGER_HOOK}", *REST]


def test_only_what_has_changed_runs_again(upgraded):
    hosting = Hosting("i:1")
    assert not upgraded(hosting)[0].pending
    changed = hosting.objects[(POST_CREATE_HOOKS, None, controllers.TRANSPORT_HOOK)]
    changed["spec"]["templates"] = [hosting.deployment(TRANSPORT, "i:2")]
    upgraded(hosting)
    assert hosting.log == [*REST[1:-1], REST[-1]]
