# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables as lines of text (private to kubestellar.core). Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ansible_collections.kubestellar.core.plugins.module_utils._errors import plain

WIDTH = 120
"""Characters of the widest line of a result that is for people."""
GAP = "  "
MOST_ROWS = 50


def grid(
    head: Sequence[str], body: Sequence[Sequence[str]], clean: Callable[[object, int], str] = plain
) -> Iterator[str]:
    """Columns as wide as their widest cell, indented; a long table is cut, and says so. Nothing without a body.

    :param clean: makes untrusted text one line of at most so many characters.
    """
    if not body:
        return
    shown = [[clean(cell, WIDTH) for cell in line] for line in [head, *body[:MOST_ROWS]]]
    columns = max(len(line) for line in shown)
    shown = [[*line, *[""] * (columns - len(line))] for line in shown]
    widths = [max(len(line[column]) for line in shown) for column in range(columns)]
    for line in shown:
        yield GAP + GAP.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
    if len(body) > MOST_ROWS:
        yield f"{GAP}and {len(body) - MOST_ROWS} more"
