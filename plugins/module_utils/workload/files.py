# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects in files and folders (private to kubestellar.core)."""

from __future__ import annotations

import os

from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput
from ansible_collections.kubestellar.core.plugins.module_utils.workload import pieces
from ansible_collections.kubestellar.core.plugins.module_utils.workload.pieces import SUFFIXES, Piece


def read(source: str, suffixes: tuple[str, ...] = SUFFIXES) -> list[Piece]:
    """The objects of a file, or of all manifests in a folder.

    :raises InvalidInput: it is not there, or not readable.
    """
    found: list[Piece] = []
    for path in manifests(os.path.expanduser(source), suffixes):
        try:
            with open(path, "rb") as stream:
                found += pieces.of_text(stream.read(), path)
        except OSError as error:
            raise InvalidInput(f"src: {path} cannot be read: {error.strerror}.") from error
    return found


def manifests(source: str, suffixes: tuple[str, ...] = SUFFIXES, option: str = "src") -> list[str]:
    """A file, or the manifests in a folder, in a stable order.

    :raises InvalidInput: there are none.
    """
    if not os.path.isdir(source):
        if not os.path.exists(source):
            raise InvalidInput(f"{option}: {source} does not exist.")
        return [source]
    found = [
        os.path.join(folder, name)
        for folder, _folders, names in os.walk(source)
        for name in names
        if name.endswith(suffixes) and not name.startswith(".")
    ]
    if not found:
        listed = f"{', '.join(suffixes[:-1])} or {suffixes[-1]}"
        raise InvalidInput(f"{option}: the folder {source} holds no {listed} file.")
    return sorted(found)
