# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A limit of an option: a number or a percentage (private to kubestellar.core). Pure functions.

It is compared without rounding: with 3 clusters now, "20%" allows none to be removed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, plain

_LIMIT = re.compile(r"([0-9]{1,9})(%?)")


@dataclass(frozen=True)
class Limit:
    """One limit. :ivar percent: whether `number` is one."""

    number: int
    percent: bool

    def __str__(self) -> str:
        return f"{self.number}%" if self.percent else str(self.number)

    def below(self, value: int, whole: int) -> bool:
        """Whether the limit is less than a value, of a whole that percentages are taken of."""
        return self.number * whole < value * 100 if self.percent else self.number < value

    def above(self, value: int, whole: int) -> bool:
        """Whether the limit is more than a value."""
        return self.number * whole > value * 100 if self.percent else self.number > value


def parse(name: str, value: str | None) -> Limit | None:
    """A limit as an option has it; None if it is not set.

    :param name: of the option, for the message.
    :raises InvalidInput: it is neither a number nor a percentage.
    """
    text = "" if value is None else str(value).strip()
    if not text:
        return None
    match = _LIMIT.fullmatch(text)
    if match is None:
        raise InvalidInput(
            f"{name} is {plain(text, 80)!r}, neither a number nor a percentage.",
            hint='Write it like 3 or "20%".',
        )
    return Limit(int(match.group(1)), bool(match.group(2)))
