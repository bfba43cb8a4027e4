# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a Helm chart: from a folder or an archive, with its sub-charts unpacked, and back into a folder (private to kubestellar.core)."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
import tempfile
import zlib
from pathlib import Path, PurePosixPath

from ansible_collections.kubestellar.core.plugins.module_utils import _bounds
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, plain

_ARCHIVES = (".tgz", ".tar.gz")
_LARGEST = 64 * 2**20
_DEEPEST = 4


def read(source: Path) -> dict[str, bytes]:
    """The files of a chart, path inside the chart to content, sub-charts unpacked.

    :param source: a folder, an archive, or a folder in which there is nothing but one of these (what `helm pull` leaves).
    :raises InvalidInput: there is no chart, or it is not one that can be read.
    """
    try:
        return _unpacked(_read(source), str(source))
    except OSError as error:
        raise InvalidInput(f"The chart {source} cannot be read: {plain(error)}.") from error


def write(files: dict[str, bytes], folder: Path) -> None:
    """Put a chart into a folder of its own, readable by nobody else. What was there before is replaced as a whole."""
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        for name, content in files.items():
            path = staging / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(0o600)
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(staging, folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _read(source: Path) -> dict[str, bytes]:
    if source.is_file():
        return _archive(source.read_bytes(), str(source))
    if not source.is_dir():
        raise InvalidInput(
            f"There is no chart at {source}.",
            hint="Name a folder with Chart.yaml, an archive of helm package, or an OCI reference.",
        )
    if not (source / "Chart.yaml").is_file():
        inside = [
            entry
            for entry in sorted(source.iterdir())
            if _is_archive(entry.name) or (entry / "Chart.yaml").is_file()
        ]
        if len(inside) != 1:
            raise InvalidInput(
                f"{source} is no chart: it has no Chart.yaml.", hint="Name the folder in which Chart.yaml is."
            )
        return _read(inside[0])
    return {
        path.relative_to(source).as_posix(): path.read_bytes()
        for path in sorted(source.rglob("*"))
        if path.is_file()
    }


def _is_archive(name: str) -> bool:
    return name.endswith(_ARCHIVES)


def _unpacked(files: dict[str, bytes], where: str, depth: int = 0) -> dict[str, bytes]:
    """The same with every archive in `charts` replaced by its files."""
    result: dict[str, bytes] = {}
    for name, content in files.items():
        path = PurePosixPath(name)
        if path.parent == PurePosixPath("charts") and _is_archive(name) and depth < _DEEPEST:
            inner = _unpacked(_archive(content, f"{where}: {name}"), where, depth + 1)
            result.update(
                {
                    f"charts/{path.name.removesuffix('.gz').removesuffix('.tar').removesuffix('.tgz')}/{key}": value
                    for key, value in inner.items()
                }
            )
        else:
            result[name] = content
    return result


def _archive(packed: bytes, where: str) -> dict[str, bytes]:
    """The files of an archive, without its one folder.

    Nothing is extracted by tarfile, so neither links nor paths that lead elsewhere matter.
    """
    files: dict[str, bytes] = {}
    total = 0
    try:
        content = _bounds.inflated(packed, _LARGEST)
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
            for member in _bounds.members(archive):
                path = PurePosixPath(member.name)
                opened = archive.extractfile(member) if member.isfile() else None
                if opened is None:
                    continue
                if path.is_absolute() or ".." in path.parts or len(path.parts) < 2:
                    raise InvalidInput(f"{where} is no chart: it holds {plain(member.name, 120)}.")
                total += member.size
                if total > _LARGEST:
                    raise InvalidInput(f"{where} is no chart: it is larger than {_LARGEST // 2**20} MiB.")
                files["/".join(path.parts[1:])] = opened.read()
    except (tarfile.TarError, EOFError, zlib.error, OSError, ValueError) as error:
        raise InvalidInput(f"{where} is no archive of a chart: {plain(error)}.") from error
    if "Chart.yaml" not in files:
        raise InvalidInput(f"{where} is no chart: it has no Chart.yaml.")
    return files
