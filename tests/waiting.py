# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How tests wait: for a condition, never for a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")


def eventually(condition: Callable[[], Value], seconds: float = 180, every: float = 0.2) -> Value:
    """The first true value of the condition; the test fails if there is none in time.

    :param seconds: a ceiling, not an expectation: what takes seconds on an idle machine takes minutes on a busy one.
    :param every: seconds from one look to the next; more where a look costs much.
    """
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, (
            f"not true within {seconds:.0f} s: the condition is still {value!r}"
        )
        time.sleep(every)
    return value
