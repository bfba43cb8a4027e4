# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds what is missing of the programs of the embedded stack: `.venv/bin/python tools/programs.py`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

# Once: Ansible refuses packages of collections that are in two places.
if (collections := str(Path(__file__).resolve().parent.parent / ".venv" / "collections")) not in sys.path:
    sys.path.insert(0, collections)

from ansible_collections.kubestellar.core.plugins.module_utils._errors import KubestellarError
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils.embedded import build
from ansible_collections.kubestellar.core.plugins.module_utils.embedded.home import Stack

SOURCES = Path(__file__).resolve().parent.parent / "roles" / "embedded" / "files" / "go"


class Console(Progress):
    """Progress lines on standard output."""

    def __init__(self, name: str) -> None:
        super().__init__(None)
        self._name = name

    def line(self, text: str) -> None:
        """Show one line now."""
        super().line(text)
        sys.stdout.write(f"[{self._name}] {text}\n")
        sys.stdout.flush()


def main() -> int:
    """Build. Return the exit code."""
    try:
        build.ensure(
            Stack.of(os.environ.get("KUBESTELLAR_HOME", ""), "programs").home, SOURCES, Console("programs")
        )
    except KubestellarError as error:
        sys.stdout.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
