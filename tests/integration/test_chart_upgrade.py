# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A hub by the core chart taken to another version by upgrade.yml (see `chart_hub.py`)."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _resources
from ansible_collections.kubestellar.core.plugins.module_utils.hub import upgrade
from ansible_collections.kubestellar.core.tests.waiting import eventually

from .chart_hub import Begin, Hub
from .running import assert_ok

OLD = {
    "KUBESTELLAR_VERSION": "0.29.0",
    "CLUSTERADM_VERSION": "0.10.1",
    "OCM_STATUS_ADDON_VERSION": "0.2.0-rc16",
}
NEW = {
    "KUBESTELLAR_VERSION": "0.30.0",
    "CLUSTERADM_VERSION": "1.0.0",
    "OCM_STATUS_ADDON_VERSION": "0.2.0-rc17",
}
SETTLE = 2
# The WDS is the hosting cluster itself, so that it can be looked into.
SPACES: dict[str, Any] = {
    "hub_wdses": [{"name": "wds1", "type": "host"}],
    "hub_verify": "required",
    "hub_upgrade_settle": SETTLE,
}
HOOKS = {
    "its1": ["its-hub-init", "install-status-addon"],
    "wds1": ["kubestellar-controller", "transport-controller"],
}
OBJECTS = [
    {"group": "apps", "resource": "deployments", "version": "v1", "namespace": "shop", "name": name}
    for name in ("web", "cart", "mail")
]


def _list_in_binding(hub: Hub, objects: list[dict[str, str]]) -> None:
    spec = {"workload": {"namespaceScope": objects}, "destinations": [{"clusterId": "cluster1"}]}
    binding = {
        "apiVersion": "control.kubestellar.io/v1alpha1",
        "kind": "Binding",
        "metadata": {"name": "shop"},
        "spec": spec,
    }
    hub.cluster.apply(_resources.BINDINGS, binding, field_manager="test", force=True)


@pytest.fixture
def old(hub: Hub, begin: Begin) -> Hub:
    """A hub of version 0.29.0, and beside it the chart of 0.30.0."""

    def make() -> None:
        hub.define_kinds()
        hub.set_version("0.29.0", **OLD)
        assert_ok(hub.run("hub", **SPACES))
        eventually(lambda: hub.cluster.get(_resources.CRDS, "bindings.control.kubestellar.io") is not None)
        _list_in_binding(hub, OBJECTS)

    begin("old", make)
    hub.set_version("0.30.0", **NEW)
    return hub


@contextlib.contextmanager
def _meanwhile(work: Callable[[], None]) -> Iterator[None]:
    """Do something while a playbook runs; a failure of it fails the test."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        future = pool.submit(work)
        yield
        future.result(timeout=60)


def _set_room(hub: Hub, room: bool) -> None:
    """Whether nodes take Pods."""
    for number in (1, 2):
        patch = {"spec": {"unschedulable": None if room else True}}
        hub.cluster.patch(_resources.NODES, f"hub-node-{number}", None, patch)


def _image(hub: Hub, resource: _resources.Resource, name: str, namespace: str) -> str:
    """The image of the last container that an object makes; empty if it is not there."""
    found = hub.cluster.get(resource, name, namespace)
    return str(found["spec"]["template"]["spec"]["containers"][-1]["image"]) if found else ""


def _jobs(hub: Hub) -> dict[str, str]:
    return {
        job["metadata"]["name"]: job["metadata"]["uid"]
        for job in hub.cluster.list(_resources.JOBS, "its1-system").items
    }


def _transports(hub: Hub) -> list[str]:
    selector = "name=transport-controller"
    pods = hub.cluster.list(_resources.PODS, "wds1-system", label_selector=selector).items
    return [pod["metadata"]["name"] for pod in pods]


def _config_maps(hub: Hub) -> list[str]:
    return [
        found["metadata"]["name"] for found in hub.cluster.list(_resources.CONFIG_MAPS, "wds1-system").items
    ]


def _upgrade_with_late_bindings(hub: Hub, after: Callable[[], bool]) -> None:
    """Run the upgrade while, from a condition on, Bindings are incomplete for longer than they must be right: nothing is delivered."""
    seen: list[list[str]] = []

    def write_incomplete_bindings_for_a_while() -> None:
        eventually(after)
        _list_in_binding(hub, OBJECTS[:1])
        namespace = "wds1-system"
        eventually(
            lambda: (
                (hub.cluster.get(_resources.DEPLOYMENTS, "kubestellar-controller-manager", namespace) or {})
                .get("status", {})
                .get("readyReplicas")
                == 1
                and _image(hub, _resources.DEPLOYMENTS, "kubestellar-controller-manager", namespace).endswith(
                    ":0.30.0"
                )
            )
        )
        for _look in range(SETTLE + 3):
            seen.append(_transports(hub))
            time.sleep(1)
        _list_in_binding(hub, OBJECTS)

    with _meanwhile(write_incomplete_bindings_for_a_while):
        assert_ok(hub.run("upgrade", **SPACES))
    assert seen == [[]] * (SETTLE + 3)


def _assert_new(hub: Hub) -> None:
    """Both controllers are of the new version, bound and at work, and every hook is done."""
    assert len(_transports(hub)) == 1
    assert upgrade.STATE not in _config_maps(hub)
    for name in ("kubestellar-controller-manager", "transport-controller"):
        assert _image(hub, _resources.DEPLOYMENTS, name, "wds1-system").endswith(":0.30.0")
    transport = hub.arguments_of("wds1", "transport-controller")
    assert transport[:2] == ["--control-plane-name", "its1"] and "--wds-qps=500" in transport
    manager = hub.arguments_of("wds1", "kubestellar-controller-manager")
    assert {"--its-name=its1", "--wds-name=wds1", "--its-burst=1000"} <= set(manager)
    for name, hooks in HOOKS.items():
        plane = hub.cluster.get(_resources.CONTROL_PLANES, name)
        assert plane["status"]["postCreateHooks"] == dict.fromkeys(hooks, True)


@pytest.mark.core
def test_an_upgrade_delivers_only_when_bindings_are_what_they_were(old):
    jobs = _jobs(old)
    _upgrade_with_late_bindings(old, lambda: upgrade.STATE in _config_maps(old))
    assert _jobs(old).keys() == jobs.keys() and not set(_jobs(old).values()) & set(jobs.values())
    _assert_new(old)


def test_a_check_run_tells_which_hooks_would_run_again_and_writes_nothing(old):
    mark = old.mark()
    done = old.run("upgrade", "--check", "--diff", **SPACES)
    assert assert_ok(done)["hub"]["changed"] == 2  # the release and the hooks
    for space, hooks in HOOKS.items():
        for hook in hooks:
            assert f"hub: {space}: hook {hook}: " in done.stdout, hook
    for line in (
        "-    image: quay.io/kubestellar/clusteradm:0.10.1",
        "+    image: quay.io/kubestellar/clusteradm:1.0.0",
        "-    image: ghcr.io/kubestellar/kubestellar/controller-manager:0.29.0",
        "+    image: ghcr.io/kubestellar/kubestellar/controller-manager:0.30.0",
    ):
        assert line in done.stdout, line
    assert old.writes(mark) == []


def test_an_upgrade_that_cannot_go_on_says_where_why_and_the_way_back_and_the_next_run_goes_on(old, module):
    jobs = _jobs(old)

    def fill_nodes_after_the_first_space() -> None:
        eventually(lambda: upgrade.STATE in _config_maps(old))
        _set_room(old, False)

    with _meanwhile(fill_nodes_after_the_first_space):
        done = old.run("upgrade", **SPACES)
    output = " ".join(done.stdout.split())
    assert done.returncode != 0
    assert "hub: the upgrade stopped at the hook kubestellar-controller of wds1: Pod wds1-system/" in output
    assert "No node takes it" in output and "Upgraded before: its1." in output
    assert "run the upgrade again, which goes on there" in output
    assert "set hub_chart_version back to 0.29.0 and hub_allow_downgrade to true" in output
    # The first space is done, its Jobs have run anew; nothing is delivered from the second one.
    assert _jobs(old).keys() == jobs.keys() and not set(_jobs(old).values()) & set(jobs.values())
    image = _image(old, _resources.JOBS, "its-hub-init", "its1-system")
    assert image == "quay.io/kubestellar/clusteradm:1.0.0"
    assert _transports(old) == []
    told = module(
        "hub_ready",
        **old.connection,
        _check=True,
        itses=[{"name": "its1"}],
        wdses=[{"name": "wds1"}],
    )
    (warning,) = [text for text in told["warnings"] if "another version of the chart" in str(text)]
    assert "wds1" in str(warning) and "transport-controller" in str(warning) and "upgrade.yml" in str(warning)

    _set_room(old, True)

    # The next run goes on.
    jobs = _jobs(old)
    _upgrade_with_late_bindings(old, lambda: True)
    assert _jobs(old) == jobs
    _assert_new(old)

    # Again there is nothing to do.
    mark = old.mark()
    assert assert_ok(old.run("upgrade", **SPACES))["hub"]["changed"] == 0
    assert old.writes(mark) == []

    # An older chart is refused before anything is written.
    old.set_version("0.29.0", **OLD)
    mark = old.mark()
    done = old.run("upgrade", **SPACES)
    output = " ".join(done.stdout.split())
    assert done.returncode != 0
    assert "the release ks-core is at version 0.30.0, and 0.29.0 is older" in output
    assert "hub_allow_downgrade" in output
    assert old.writes(mark) == []
