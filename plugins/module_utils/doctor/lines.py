# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings as lines of text, at most 120 columns wide (private to kubestellar.core). Pure functions."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence

from ansible_collections.kubestellar.core.plugins.module_utils._grid import WIDTH
from ansible_collections.kubestellar.core.plugins.module_utils.doctor.catalogue import Finding
from ansible_collections.kubestellar.core.plugins.module_utils.placement.report import shown

LONGEST = 1000
"""Characters of a sentence."""
_MOST_OF_AN_ID = 10


def of_findings(findings: Sequence[Finding]) -> Iterator[str]:
    """Place and id, what is the matter and what to try for each, in the order given; many of one kind are cut."""
    numbers: Counter[str] = Counter()
    totals = Counter(item.id for item in findings)
    for item in findings:
        numbers[item.id] += 1
        if numbers[item.id] > _MOST_OF_AN_ID:
            continue
        yield ""
        yield f"{item.severity:<7}  {shown(item.where, WIDTH)}  [{item.id}]"
        yield from wrapped("  ", shown(item.evidence, LONGEST))
        yield from wrapped("  -> ", shown(item.hint, LONGEST))
    cut = {name: total - _MOST_OF_AN_ID for name, total in totals.items() if total > _MOST_OF_AN_ID}
    for name, more in cut.items():
        yield ""
        yield f"and {more} more [{name}]"


def wrapped(prefix: str, told: str) -> list[str]:
    """A sentence after a prefix, in as many lines as it needs."""
    return textwrap.wrap(
        told,
        WIDTH,
        initial_indent=prefix,
        subsequent_indent=" " * len(prefix),
        break_on_hyphens=False,
    )
