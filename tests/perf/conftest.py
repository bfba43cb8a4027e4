# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Benchmarks, at full size or at one that only shows that they run: `--size`.

They end in one table. A budget that does not hold is shown there and fails nothing; an error or a wrong result does.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Literal

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _bulk
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    BINDING_POLICIES,
    MANAGED_CLUSTERS,
    MANIFEST_WORKS,
)

from ..integration.running import Running, assert_ok, destroy, make_stack
from ..waiting import eventually
from . import measuring
from .measuring import Results


def pytest_addoption(parser: pytest.Parser) -> None:
    """The only place that says how large the benchmarks are."""
    parser.addoption(
        "--size",
        choices=measuring.SIZES,
        default=measuring.SIZES[0],
        help="size of the benchmarks; budgets are for the full one",
    )


def pytest_configure(config: pytest.Config) -> None:
    """The size is known before the benchmarks are imported."""
    measuring.size = config.getoption("size", measuring.SIZES[0])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Details of each benchmark, then the table of all."""
    reports = [report for key in ("passed", "failed") for report in terminalreporter.getreports(key)]
    found = [each for report in reports if report.when == "call" for each in report.user_properties]
    if found:
        terminalreporter.section(f"benchmarks, size {measuring.size}")
        for key, line in found:
            if key == "detail":
                terminalreporter.write_line(str(line))
        terminalreporter.write_line("")
        rows = [row for key, row in found if key == "figure"]
        for line in measuring.table(rows):
            terminalreporter.write_line(line)


@pytest.fixture
def results(request: pytest.FixtureRequest) -> Results:
    """Where a benchmark puts what it has found."""
    return Results(request.node.user_properties)


def _scope(fixture_name: str, config: pytest.Config) -> Literal["function", "session"]:
    """At full size each benchmark has a hub of its own, so that none pays for what another has left."""
    return "function" if measuring.size == "full" else "session"


@pytest.fixture(scope=_scope)
def bare(worker_id: str) -> Iterator[Running]:
    """A hub without clusters."""
    running = make_stack(f"{os.environ.get('KUBESTELLAR_TEST_STACK', 'test')}-bench-{worker_id}")
    try:
        assert_ok(running.playbook("hub", timeout=1500))
        yield running
    finally:
        destroy(running)


@pytest.fixture
def stack(bare: Running) -> Iterator[Running]:
    """The hub, without the clusters and policies of benchmarks before."""
    yield bare
    if measuring.size == "full":
        return
    wds, its = bare.cluster("wds1"), bare.cluster("its1")
    for cluster, resource in ((wds, BINDING_POLICIES), (its, MANAGED_CLUSTERS)):
        found = cluster.list(resource, metadata_only=True).items
        _bulk.delete_all(cluster, [(resource, item) for item in found])
    eventually(lambda: not its.list(MANIFEST_WORKS, metadata_only=True).items)
    eventually(lambda: not its.list(MANAGED_CLUSTERS, metadata_only=True).items)
