# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress lines from a running module (private to kubestellar.core).

A module cannot print while it runs. It appends lines to a file in its own temporary folder, and the
action plugin `kubestellar.core.embedded_build`, which knows that folder, shows them as they come. Where the
action plugin cannot read it (async, a remote connection) the lines are merely not shown.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from ansible_collections.kubestellar.core.plugins.module_utils._errors import plain

_LONGEST = 240
FILE_NAME = "kubestellar-progress"
"""Name of the file inside the module's temporary folder; shared with plugins/action/embedded_build.py."""


class Progress:
    """A writer of progress lines.

    :param folder: the module's temporary folder, or None to drop all lines.
    :param every: seconds after which `waiting` repeats an unchanged line.
    :param calm: seconds for which it stays silent after any line, since states can change faster than people read.
    """

    def __init__(
        self,
        folder: str | None,
        *,
        every: float = 30.0,
        calm: float = 3.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = os.path.join(folder, FILE_NAME) if folder else None
        self._every = every
        self._calm = calm
        self._clock = clock
        self._start = clock()
        self._last_line = ""
        self._last_time = float("-inf")

    @property
    def seconds(self) -> float:
        """Seconds since this object was made."""
        return self._clock() - self._start

    def line(self, text: str) -> None:
        """Show one line now. Control characters are removed: the text may stem from an API answer."""
        self._last_line, self._last_time = text, self._clock()
        if self._path is None:
            return
        with open(self._path, "a", encoding="utf-8") as stream:
            stream.write(plain(text, _LONGEST) + "\n")

    def waiting(self, text: str) -> None:
        """Show a wait's state with the seconds so far: soon when the text changed, else twice a minute."""
        if self._clock() - self._last_time < (self._every if text == self._last_line else self._calm):
            return
        self.line(f"{plain(text, _LONGEST - 10)} ({self.seconds:.0f} s)")
        self._last_line = text
