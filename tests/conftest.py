# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which process a test runs, and when: tests that share clusters run in one, and those that take longest begin."""

from __future__ import annotations

from pathlib import Path

import pytest

HOSTING = "hosting"
"""The fixture of the hosting cluster that all tests of hubs by the core chart share."""
STACK = "stack"
"""The fixture of the embedded stack that all other tests of a process share."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Define the options of these tests."""
    parser.addoption(
        "--one-stack",
        action="store_true",
        help="All tests of the shared stack run in one process: where few are selected, a second stack costs more than it saves.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Let pytest-split store durations only in the process that has those of all workers; register what comes first."""
    if hasattr(config, "workerinput"):
        config.option.store_durations = False
    config.pluginmanager.register(Grouping())


class Grouping:
    """Names the group of each test for `--dist loadgroup`, before xdist looks. A group runs in one process."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Mark each test."""
        sharing = _sharing(items) if config.getoption("one_stack") else set()
        for item in items:
            if HOSTING in _fixtures(item):
                item.add_marker(pytest.mark.xdist_group("chart"))
            elif item.get_closest_marker("xdist_group") is None:
                item.add_marker(pytest.mark.xdist_group(STACK if item.path in sharing else item.path.stem))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the longest groups; where stacks are many, those last that need the shared one, which costs as long as it is there."""
    if config.getoption("one_stack"):
        first = ["chart", STACK]
        items.sort(key=lambda item: first.index(_name(item)) if _name(item) in first else len(first))
    else:
        sharing = _sharing(items)
        items.sort(key=lambda item: (_name(item) != "chart", item.path in sharing))


def _fixtures(item: pytest.Item) -> set[str]:
    return set(getattr(item, "fixturenames", ()))


def _sharing(items: list[pytest.Item]) -> set[Path]:
    """The files with tests that need the shared stack."""
    return {item.path for item in items if STACK in _fixtures(item)}


def _name(item: pytest.Item) -> str:
    """The group that `Grouping` has named."""
    mark = item.get_closest_marker("xdist_group")
    assert mark is not None
    return str(mark.args[0])
