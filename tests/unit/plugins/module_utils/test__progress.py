# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._progress import FILE_NAME, Progress


@pytest.fixture
def shown(tmp_path):
    """A progress with a clock to be set (`shown.now`), and the lines it has shown (`shown()`)."""

    class Shown:
        now = 0.0

        def __init__(self):
            self.progress = Progress(str(tmp_path), clock=lambda: self.now)

        def at(self, now, text):
            self.now = now
            self.progress.waiting(text)

        def __call__(self):
            return (tmp_path / FILE_NAME).read_text().splitlines()

    return Shown()


def test_a_wait_is_shown_when_it_changes_but_not_faster_than_people_read(shown):
    for now, text in [(0, "a"), (1, "b"), (2, "c"), (4, "d")]:
        shown.at(now, text)
    assert shown() == ["a (0 s)", "d (4 s)"]


def test_an_unchanged_wait_is_shown_twice_a_minute(shown):
    for now in range(0, 62, 2):
        shown.at(now, "a")
    assert shown() == ["a (0 s)", "a (30 s)", "a (60 s)"]


def test_a_long_or_hostile_text_is_one_line_that_keeps_its_time(shown):
    shown.at(5, "x\x1b[2J\ny" + "z" * 500)
    (line,) = shown()
    assert line.startswith("x [2J y") and line.endswith("… (5 s)") and len(line) <= 240


def test_without_a_folder_nothing_is_written(tmp_path):
    Progress(None).line("a")
    assert list(tmp_path.iterdir()) == []
