# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the report of 500 clusters × 200 objects costs, and how long a browser takes for it."""

from __future__ import annotations

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
from .measuring import Budget, Results, Steps, scaled

CLUSTERS, OBJECTS, RUNS = scaled(500, 50), scaled(200, 40), scaled(5, 1)
MADE = Budget("report, joined and written as HTML, CPU", None)
DRAWN = Budget("report, drawn on a desktop", None)


def test_report_of_a_hundred_thousand_placements(
    tmp_path: Path, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Joining and each format in CPU seconds of this process; the page from its opening until it is drawn, by its own clock."""
    steps, drawn = Steps(), {}
    compose = model.compose

    def joined(*parts: Any, **others: Any) -> model.View:
        made: model.View = steps.take(
            "join",
            partial(compose, *parts, **others),
            lambda view: f"{model.summary(view)['placements']} placements",
        )
        return made

    monkeypatch.setattr(model, "compose", joined)
    view = views.large(CLUSTERS, OBJECTS)
    text = steps.take("HTML", lambda: page.text(view), lambda made: f"{len(made) / 1e6:.2f} MB")
    steps.take("JSON", lambda: export.text(view), lambda made: f"{len(made) / 1e6:.2f} MB")
    steps.take("Prometheus", lambda: prometheus.text(view), lambda made: f"{made.count(chr(10))} lines")
    steps.take("table", lambda: table.lines(view), lambda made: f"{len(made)} lines")
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
            drawn[what] = times[RUNS // 2] / 1000
            steps.lines.append(
                f"  drawn on {what:<8} {drawn[what]:5.2f} s   from {times[0]} to {times[-1]} ms"
            )
        assert started.value("document.querySelectorAll('#rows .strip').length") >= 40
        assert started.complaints == []
    results.details(f"report of {CLUSTERS} clusters × {OBJECTS} objects", *steps.lines)
    results.figure(MADE, steps.seconds["join"] + steps.seconds["HTML"])
    results.figure(DRAWN, drawn["desktop"])
