# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Integration tests run against a real embedded stack of their own: one for each worker of pytest-xdist."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import ansible.module_utils._internal
import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.kubestellar.core.tests.waiting import eventually

from .chart_hub import BARE, Begin, Hosting, Hub
from .running import Running, assert_ok, destroy, make_stack
from .traces import traces


def _worker() -> str:
    """The number of this worker of pytest-xdist, empty for the first or only one."""
    return os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw").removeprefix("0")


@pytest.fixture(scope="session")
def set_up() -> Iterator[tuple[Running, str]]:
    """The stack that all tests of a worker share, and all that site.yml said when it set it up."""
    name = os.environ.get("KUBESTELLAR_TEST_STACK", "test")
    running = make_stack(f"{name}{_worker()}")
    done = running.playbook("site", "-vvv", "--diff", timeout=1500)
    assert_ok(done)
    yield running, done.stdout + done.stderr
    if "KUBESTELLAR_TEST_KEEP" not in os.environ:
        destroy(running)


@pytest.fixture(scope="session")
def stack(set_up: tuple[Running, str]) -> Running:
    """The stack that all tests of a worker share; they clean up after themselves."""
    return set_up[0]


@pytest.fixture(scope="module", autouse=True)
def left_as_found(request: pytest.FixtureRequest) -> Iterator[None]:
    """A file of tests leaves nothing in the stack that others use after it."""
    tests = [item for item in request.session.items if item.path == request.path]
    if not any("stack" in getattr(item, "fixturenames", ()) for item in tests):
        yield
        return
    running = request.getfixturevalue("stack")
    before = traces(running)
    yield
    with contextlib.suppress(AssertionError):
        eventually(lambda: traces(running) == before)
    after = traces(running)
    left = [
        *(f"left {one}" for one in sorted(after - before)),
        *(f"lost {one}" for one in sorted(before - after)),
    ]
    assert not left, f"{request.path.name} has {', '.join(left)}."


@pytest.fixture
def module(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., dict[str, Any]]:
    """Run a module of the collection in this process: `module("workload", name=..., _check=True)` returns its result."""

    # Other tests import what only controllers have; a module would then show its warnings itself.
    monkeypatch.setattr(ansible.module_utils._internal, "is_controller", False)

    def call(name: str, /, *, _check: bool = False, _diff: bool = False, **parameters: Any) -> dict[str, Any]:
        code = importlib.import_module(f"ansible_collections.kubestellar.core.plugins.modules.{name}")
        arguments = {**parameters, "_ansible_check_mode": _check, "_ansible_diff": _diff}
        capfd.readouterr()
        with patch_module_args(arguments), pytest.raises(SystemExit):
            code.main()
        return dict(json.loads(capfd.readouterr().out))

    return call


@pytest.fixture
def call(stack: Running, module: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Run a module on the hub of the stack, in check mode first: it must forecast what then happens, and write nothing."""

    def run(name: str, /, **parameters: Any) -> dict[str, Any]:
        parameters = {"kubeconfig": stack.kubeconfig, "context": "hub", **parameters}
        before = stack.mark()
        forecast = module(name, _check=True, _diff=True, **parameters)
        assert stack.writes_since(before) == []
        result = module(name, _diff=True, **parameters)
        assert forecast.get("failed", False) == result.get("failed", False), (forecast, result)
        assert forecast.get("changed") == result.get("changed"), (forecast, result)
        if result.get("changed") is False and not result.get("failed"):
            assert stack.writes_since(before) == []
        return result

    return run


@pytest.fixture(scope="session")
def hosting() -> Iterator[Hosting]:
    """The hosting cluster of all hubs by the core chart."""
    name = os.environ.get("KUBESTELLAR_TEST_STACK", "test") + f"-chart{_worker()}"
    made = Hosting(make_stack(name))
    made.set_up()
    yield made
    if "KUBESTELLAR_TEST_KEEP" not in os.environ:
        destroy(made.running)


@pytest.fixture
def hub(hosting: Hosting, anywhere: Hub, request: pytest.FixtureRequest) -> Hub:
    """An existing cluster for a hub with one ITS and one WDS, and a chart.

    There is nothing of the chart in it, unless the test has a fixture that begins with a state that is saved already.
    """
    (state, *_more) = [*hosting.states.intersection(request.fixturenames), BARE]
    hosting.bring_to(state)
    return anywhere


@pytest.fixture
def anywhere(hosting: Hosting, tmp_path_factory: pytest.TempPathFactory) -> Hub:
    """A chart beside the cluster, whatever is in that, for a test that only reads."""
    made = Hub(hosting.running, tmp_path_factory.mktemp("chart"))
    made.lay_down_chart()
    return made


@pytest.fixture
def begin(hosting: Hosting) -> Begin:
    """Begin with a state that is made on its first use: `begin("adopted", make)` in the fixture of this name, which needs `hub`."""

    def bring_about(name: str, make: Callable[[], object]) -> None:
        if hosting.state != name:
            make()
            hosting.save(name)

    return bring_about


@pytest.fixture
def installed(hub: Hub, begin: Begin) -> Hub:
    """The same with the chart installed by hub.yml."""
    begin("installed", lambda: assert_ok(hub.run("hub")))
    return hub
