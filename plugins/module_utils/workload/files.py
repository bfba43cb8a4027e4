# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects in files and folders (private to kubestellar.core)."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator

from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, plain
from ansible_collections.kubestellar.core.plugins.module_utils.workload import pieces
from ansible_collections.kubestellar.core.plugins.module_utils.workload.pieces import SUFFIXES, Piece

_OTHER_SOURCES = {"Chart.yaml": "helm", **dict.fromkeys(pieces.KUSTOMIZATIONS, "kustomize")}
"""Files to the source that their folder is for."""
_PACKED = (b"PK\x03\x04", b"\x1f\x8b")
"""How archives of zip begin, and whatever gzip has packed."""
_CHART = "If it is a template of a Helm chart, name the chart under helm instead."
_TEMPLATE = "If it is a Jinja template, name it under template instead."


def read(source: str, suffixes: tuple[str, ...] = SUFFIXES) -> list[Piece]:
    """The objects of a file, or of all manifests in a folder.

    :raises InvalidInput: it is not there, or a part of it cannot be read.
    """
    found: list[Piece] = []
    for path in manifests(os.path.expanduser(source), suffixes):
        try:
            with open(path, "rb") as stream:
                content = stream.read()
        except OSError as error:
            raise unreadable("src", path, error) from error
        if content.startswith(_PACKED):
            raise InvalidInput(
                f"src: {_shown(path)} is an archive.", hint="Unpack it, or name it under archives instead."
            )
        found += pieces.of_text(content, path, hint=_CHART if pieces.GO.search(content) else _TEMPLATE)
    return found


def manifests(source: str, suffixes: tuple[str, ...] = SUFFIXES, option: str = "src") -> list[str]:
    """A file, or the manifests in a folder, in a stable order. Hidden files and folders are left out.

    :raises InvalidInput: there are none, or a part of them cannot be looked at: whatever is left out would be pruned.
    """
    if not is_folder(source, option):
        _check_file(source, suffixes, option)
        return [source]
    found = sorted(_below(source, suffixes, option, ()))
    if not found:
        listed = f"{', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"
        raise InvalidInput(f"{option}: the folder {source} holds no {listed} file.")
    return found


def _below(
    folder: str, suffixes: tuple[str, ...], option: str, above: tuple[tuple[int, int], ...]
) -> Iterator[str]:
    """The manifests in a folder. :param above: device and number of the folders that it is in."""
    try:
        status = os.stat(folder)
        names = os.listdir(folder)
    except OSError as error:
        raise unreadable(option, folder, error) from error
    here = (status.st_dev, status.st_ino)
    if here in above:
        raise InvalidInput(
            f"{option}: {_shown(folder)} leads back to a folder that it is in.", hint="Remove the link."
        )
    for name, instead in _OTHER_SOURCES.items() if option == "src" else ():
        if name in names:
            raise InvalidInput(
                f"src: the folder {_shown(folder)} has {name}, so it is no folder of manifests.",
                hint=f"Name it under {instead} instead, or leave the file out.",
            )
    for name in names:
        path = os.path.join(folder, name)
        if name.startswith("."):
            continue
        if is_folder(path, option):
            yield from _below(path, suffixes, option, (*above, here))
        elif pieces.is_named(name, suffixes) or pieces.is_template(name):
            _check_file(path, suffixes, option)
            yield path


def is_folder(path: str, option: str) -> bool:
    """Whether it is a folder. :raises InvalidInput: it is not there, or that cannot be known."""
    try:
        return stat.S_ISDIR(os.stat(path).st_mode)
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not os.path.islink(path):
            raise missing(option, path) from error
        raise unreadable(option, path, error) from error


def missing(option: str, path: str, more: str = "") -> InvalidInput:
    """The error for what does not exist. :param more: a sentence on where it was looked for."""
    hint = "Correct the path."
    if "://" in path:
        hint = "Nothing is fetched for it: name an archive with a checksum under archives, or fetch the file before."
    elif any(mark in path for mark in "*?["):
        hint = "Patterns are not expanded: name the folder, or each file."
    shown = plain(re.sub(r"//[^/@]*@", "//", _shown(path)), 200)
    return InvalidInput(f"{option}: {shown} does not exist.{f' {more}' if more else ''}", hint=hint)


def _check_file(path: str, suffixes: tuple[str, ...], option: str) -> None:
    """:raises InvalidInput: it is no usual file, or a template where none is rendered."""
    shown = _shown(path)
    if shown != plain(path, 200):
        raise InvalidInput(f"{option}: the name of {shown} is not UTF-8.", hint="Rename it.")
    if not os.path.isfile(path):
        raise InvalidInput(
            f"{option}: {shown} is neither a file nor a folder.", hint="Move it elsewhere, or name a file."
        )
    if pieces.is_template(path) and not pieces.is_named(path, suffixes):
        raise InvalidInput(
            f"{option}: {shown} is a template, which {option} does not render.", hint=_TEMPLATE
        )


def unreadable(option: str, path: str, error: OSError) -> InvalidInput:
    """The error for what cannot be read, a link that leads nowhere too."""
    target = f", a link to {_shown(os.readlink(path))}," if os.path.islink(path) else ""
    return InvalidInput(
        f"{option}: {_shown(path)}{target} cannot be read: {error.strerror}.",
        hint="Let this user read it, or take it out: what is not looked at would be pruned.",
    )


def _shown(path: str) -> str:
    """A path for messages, also one that is not UTF-8."""
    return plain(os.fsencode(path).decode(errors="backslashreplace"), 200)
