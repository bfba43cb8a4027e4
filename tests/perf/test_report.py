# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the report of 500 clusters × 200 objects costs, and how long a browser takes for it. Shown, not asserted: `make bench`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils.status import (
    export,
    model,
    page,
    prometheus,
    table,
)

from .. import browser, views

CLUSTERS, OBJECTS, RUNS = 500, 200, 5


def test_report_of_a_hundred_thousand_placements(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Joining and each format in CPU seconds of this process; the page from its opening until it is drawn, by its own clock."""
    rows: list[str] = []
    compose = model.compose

    def measured(what: str, work: Callable[[], Any], said: Callable[[Any], str]) -> Any:
        start = time.process_time()
        result = work()
        rows.append(f"  {what:<16} {time.process_time() - start:6.2f} s   {said(result)}")
        return result

    def joined(*parts: Any, **others: Any) -> model.View:
        return measured(
            "join",
            partial(compose, *parts, **others),
            lambda view: f"{model.summary(view)['placements']} placements",
        )

    monkeypatch.setattr(model, "compose", joined)
    view = views.large(CLUSTERS, OBJECTS)
    text = measured("HTML", lambda: page.text(view), lambda made: f"{len(made) / 1e6:.2f} MB")
    measured("JSON", lambda: export.text(view), lambda made: f"{len(made) / 1e6:.2f} MB")
    measured("Prometheus", lambda: prometheus.text(view), lambda made: f"{made.count(chr(10))} lines")
    measured("table", lambda: table.lines(view), lambda made: f"{len(made)} lines")
    path = tmp_path / "large.html"
    path.write_text(text, encoding="utf-8")
    with browser.started(tmp_path) as started:
        for what, width in (("desktop", 1280), ("phone", 390)):
            times = []
            for _run in range(RUNS):
                started.look(width, 844)
                started.open(path)
                times.append(started.drawn())
            times.sort()
            rows.append(
                f"  drawn on {what:<8} {times[RUNS // 2] / 1000:5.2f} s   from {times[0]} to {times[-1]} ms"
            )
        assert started.value("document.querySelectorAll('#rows .strip').length") >= 40
        assert started.complaints == []
    with capsys.disabled():
        title = f"report of {CLUSTERS} clusters × {OBJECTS} objects"
        sys.stdout.write("\n".join(["", title, *rows, ""]))
