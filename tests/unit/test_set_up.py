# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The browser of the tests, which the set-up brings where it can."""

from __future__ import annotations

import os
import shutil

import pytest
from ansible_collections.kubestellar.core.tools import setup


@pytest.mark.parametrize(
    ("sets", "programs", "user", "expected"),
    [
        (["runtime", "test"], {"apt-get"}, 0, True),
        (["runtime"], {"apt-get"}, 0, False),
        (["runtime", "test"], {"apt-get", "chromium"}, 0, False),
        (["runtime", "test"], {"apt-get", "google-chrome"}, 0, False),
        (["runtime", "test"], {"apt-get"}, 1000, False),
        (["runtime", "test"], {"dnf"}, 0, False),
    ],
)
def test_a_browser_is_installed_for_tests_by_root_on_debian_where_there_is_none(
    monkeypatch, sets, programs, user, expected
):
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}" if name in programs else None)
    monkeypatch.setattr(os, "geteuid", lambda: user)
    assert setup._lacks_browser(sets) is expected


def test_the_browser_is_installed_before_the_tests_can_need_it_and_nothing_else_is(monkeypatch):
    commands = []
    monkeypatch.setattr(setup, "_run", lambda command, _failure, _environment: commands.append(command))
    setup._install_browser()
    assert [command[0] for command in commands] == ["apt-get", "apt-get"]
    assert commands[0][-1] == "update" and commands[1][-1] == "chromium"
    assert {"install", "--yes", "--no-install-recommends"} < set(commands[1])
