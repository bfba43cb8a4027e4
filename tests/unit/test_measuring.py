# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What benchmarks say of their budgets, and of the programs that they measure."""

from __future__ import annotations

import os
import sys

import pytest

from ..perf import measuring
from ..perf.measuring import Budget, cost, table


@pytest.mark.parametrize(
    ("at_least", "figure", "budget", "verdict"),
    [
        (False, 1.99, "<= 2 ×", "yes"),
        (False, 2, "<= 2 ×", "yes"),
        (False, 2.01, "<= 2 ×", "NO"),
        (True, 1.99, ">= 2 ×", "NO"),
        (True, 2, ">= 2 ×", "yes"),
        (True, 2.01, ">= 2 ×", "yes"),
    ],
)
def test_a_budget_holds_on_its_side_of_the_limit_at_full_size_only(
    monkeypatch: pytest.MonkeyPatch, at_least: bool, figure: float, budget: str, verdict: str
) -> None:
    limited = Budget("thing", 2, "×", at_least)
    monkeypatch.setattr(measuring, "size", "full")
    assert limited.row(figure) == ("thing", f"{figure:.2f} ×", budget, verdict)
    monkeypatch.setattr(measuring, "size", "small")
    assert limited.row(figure) == ("thing", f"{figure:.2f} ×", budget, "-")


def test_a_figure_without_a_budget_holds_nothing() -> None:
    assert Budget("thing", None).row(1) == ("thing", "1.00 s", "none", "-")


def test_the_table_has_its_columns_under_their_headings() -> None:
    assert table([("a long name of a thing", "1.00 s", "<= 2 s", "yes")]) == [
        "benchmark               measured  budget  holds",
        "a long name of a thing  1.00 s    <= 2 s  yes",
    ]


def test_the_memory_of_a_program_is_not_that_of_the_process_that_measures_it() -> None:
    ballast = b"x" * 200_000_000
    small, output = cost([sys.executable, "-c", "print(input())"], os.environ, "it is read")
    large, _output = cost([sys.executable, "-c", "bytearray(300_000_000)"], os.environ)
    assert output == "it is read\n"
    assert small.memory < len(ballast) / 2**20 < 280 < large.memory


def test_a_program_that_fails_has_no_cost() -> None:
    with pytest.raises(AssertionError, match="it is broken"):
        cost([sys.executable, "-c", "print('it is broken'); raise SystemExit(3)"], os.environ)
