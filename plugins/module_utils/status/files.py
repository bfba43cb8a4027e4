# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the reports of a hub to files (private to kubestellar.core)."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    InvalidInput,
    KubestellarError,
    plain,
)
from ansible_collections.kubestellar.core.plugins.module_utils._files import write_file
from ansible_collections.kubestellar.core.plugins.module_utils.status import export, page, prometheus
from ansible_collections.kubestellar.core.plugins.module_utils.status.model import View

FORMATS: dict[str, tuple[str, Callable[[View], str]]] = {
    "html": (".html", page.text),
    "json": (".json", export.text),
    "prometheus": (".prom", prometheus.text),
}
"""Format to the ending of its file and what writes it."""

_BASENAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
_HINT = "Set dest to a folder that can be written to."


def targets(dest: str, basename: str, formats: Sequence[str]) -> dict[str, Path]:
    """Format to the file that is written for it.

    :raises InvalidInput: it cannot be written there.
    """
    if not _BASENAME.fullmatch(basename):
        raise InvalidInput(
            f"basename is {plain(basename, 120)!r}, which is no name for a file.",
            hint="Use letters, digits, dots, dashes and underscores.",
        )
    folder = Path(os.path.abspath(os.path.expanduser(dest)))
    there = folder
    while not there.exists():
        there = there.parent
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise InvalidInput(
            f"The report cannot be written to {plain(folder, 300)}: {plain(there, 300)} is no folder that can be written to.",
            hint=_HINT,
        )
    return {name: folder / f"{basename}{FORMATS[name][0]}" for name in dict.fromkeys(formats)}


def contents(view: View, formats: Sequence[str]) -> dict[str, str]:
    """Format to the content of its file."""
    return {name: FORMATS[name][1](view) for name in dict.fromkeys(formats)}


def present(path: Path) -> str:
    """What a file holds; empty if there is none or nobody can read it."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def write(files: Mapping[Path, str]) -> None:
    """Write each file at once and whole, readable for everybody, in a folder that is made if it is not there.

    :raises KubestellarError: one cannot be written.
    """
    for path, content in files.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
            write_file(path, content, 0o644)
        except OSError as error:
            raise KubestellarError(
                f"The report {plain(path, 300)} cannot be written: {error.strerror}.", hint=_HINT
            ) from error
