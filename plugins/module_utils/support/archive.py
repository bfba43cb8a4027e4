# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that a support bundle is (private to kubestellar.core)."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import re
import tarfile
import tempfile
import time
from collections.abc import Mapping

from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    InvalidInput,
    KubestellarError,
    plain,
)
from ansible_collections.kubestellar.core.plugins.module_utils.support.bundle import ROOT

_SUFFIXES = (".tar.gz", ".tgz")


def target(dest: str, hub: str, made: float) -> str:
    """The path of the file: `dest` itself if it ends as an archive does, else a new file in this folder.

    :raises InvalidInput: it cannot be written there.
    """
    path = os.path.abspath(os.path.expanduser(dest))
    if os.path.isdir(path) or not path.endswith(_SUFFIXES):
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(made))
        name = re.sub(r"[^A-Za-z0-9-]+", "-", hub).strip("-")[:60] or "hub"
        path = os.path.join(path, f"kubestellar-support-{name}-{stamp}.tar.gz")
    folder = os.path.dirname(path)
    there = folder
    while not os.path.exists(there):
        there = os.path.dirname(there)
    if not os.path.isdir(there) or not os.access(there, os.W_OK | os.X_OK):
        raise InvalidInput(
            f"The support bundle cannot be written to {plain(folder, 300)}: {plain(there, 300)} is no folder that can be written to.",
            hint="Set dest to a folder, or to a file that ends in .tar.gz.",
        )
    return path


def write(path: str, files: Mapping[str, bytes], made: float) -> int:
    """Write the archive, readable for its owner only, at once and whole; its size.

    Names and their order depend on the content alone, and so do the bytes, but for the time.

    :raises KubestellarError: it cannot be written.
    """
    folder = os.path.dirname(path)
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=".kubestellar-support-")
        try:
            with open(descriptor, "wb") as stream:
                with gzip.GzipFile("", "wb", fileobj=stream, mtime=int(made)) as packed:
                    _pack(packed, files, int(made))
                size = stream.tell()
            os.chmod(temporary, 0o600)
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
            raise
    except OSError as error:
        raise KubestellarError(
            f"The support bundle {plain(path, 300)} cannot be written: {error.strerror}.",
            hint="Set dest to a folder with space that can be written to.",
        ) from error
    return size


def _pack(stream: gzip.GzipFile, files: Mapping[str, bytes], made: int) -> None:
    """The index first: it is what people look for, and what a program can stop after."""
    order = sorted(files, key=lambda name: (not name.startswith("index"), name))
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in order:
            entry = tarfile.TarInfo(f"{ROOT}/{name}")
            entry.size, entry.mode, entry.mtime = len(files[name]), 0o600, made
            archive.addfile(entry, io.BytesIO(files[name]))
