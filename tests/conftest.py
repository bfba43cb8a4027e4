# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which process a test runs, and when: tests that share clusters run in one, and those that take longest begin.

The groups of pytest-xdist's own `--dist loadgroup` are lost with pytest 9.2, which keeps ids of tests elsewhere.
"""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

CHART = re.compile(r"test_(chart\w*|preflight|providers)")
"""The files whose tests share the hosting cluster of hubs by the core chart (fixture `hosting`)."""
CLUSTERS = {"hosting", "stack"}
"""The fixtures of clusters that the tests of a process share."""


def pytest_configure(config: pytest.Config) -> None:
    """Let pytest-split store durations only in the process that has those of all workers."""
    if hasattr(config, "workerinput"):
        config.option.store_durations = False


class Scheduling(LoadScopeScheduling):
    """Gives files to processes, and files that share clusters to the same."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling | None:
    """Take ours with `--dist loadscope`."""
    return Scheduling(config, log) if config.getvalue("dist") == "loadscope" else None


def group(nodeid: str) -> str:
    """What a test shares a process with."""
    path = PurePath(nodeid.partition("::")[0])
    if path.parent.name == "suites":
        return nodeid
    if path.parent.name == "perf":
        return "benchmarks"
    own = path.parent.name == "integration" and CHART.fullmatch(path.stem)
    return "chart" if own else str(path)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the longest groups. Files of the shared stack come last: once it is there it takes something from the others."""
    fixtures = {
        item: CLUSTERS.intersection(getattr(item, "fixturenames", ()))
        for item in items
        if item.path.parent.name == "integration"
    }
    groups = {item: group(item.nodeid) for item in items}
    for item in fixtures:
        if "hosting" in fixtures[item] and groups[item] != "chart":
            raise pytest.UsageError(
                f"CHART in tests/conftest.py lacks {item.path.name}, which needs the fixture hosting."
            )
    sharing = {item.path for item in fixtures if "stack" in fixtures[item]}
    items.sort(key=lambda item: (groups[item] != "chart", item.path in sharing))
