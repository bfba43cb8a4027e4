# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects in an archive that is fetched from elsewhere (private to kubestellar.core).

What is not exactly what the checksum says is not even opened. Nothing is unpacked into files: the manifests are read in memory, up to a
size, so neither links nor paths that lead elsewhere do anything.
"""

from __future__ import annotations

import hashlib
import io
import posixpath
import re
import ssl
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from ansible_collections.kubestellar.core.plugins.module_utils import _bounds
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    ConnectionFailed,
    InvalidInput,
    KubestellarError,
    plain,
)
from ansible_collections.kubestellar.core.plugins.module_utils.workload import pieces
from ansible_collections.kubestellar.core.plugins.module_utils.workload.pieces import Piece

ARCHIVE_SPEC: dict[str, Any] = {
    "url": {"type": "str", "required": True},
    "checksum": {"type": "str", "required": True},
    "path": {"type": "str"},
    "ca_path": {"type": "path"},
    "url_username": {"type": "str"},
    "url_password": {"type": "str", "no_log": True},
}
"""The suboptions of `archives`."""

LARGEST = 64 * 2**20
"""Bytes of an archive, and of what is in it."""
MOST = 20_000
"""Entries of an archive."""

_SECONDS = 60
_CHECKSUM = re.compile(r"^sha256:([0-9a-fA-F]{64})$")


def check(archive: Mapping[str, Any]) -> str:
    """What messages call the archive.

    :raises InvalidInput: it is not fetched over TLS, or its checksum is none.
    """
    try:
        parts = urlsplit(str(archive["url"]))
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = None, None, None
    if parts is None or parts.scheme != "https" or not host or parts.username or parts.password:
        raise InvalidInput(
            f"archives: {_shown(str(archive['url']))} is no URL of an archive.",
            hint="It begins with https://, and has no credentials in it; use url_username and url_password for them.",
        )
    shown = plain(f"https://{host}{f':{port}' if port else ''}{parts.path}", 200)
    if not _CHECKSUM.match(str(archive["checksum"])):
        raise InvalidInput(
            f"archives: the checksum of {shown} is none.",
            hint="Write it as sha256: and 64 hexadecimal digits, as sha256sum prints them.",
        )
    return shown


def _shown(url: str) -> str:
    """A URL for messages, without what may be a credential."""
    return plain(re.sub(r"//[^/]*@", "//", url.partition("?")[0]), 200)


def fetch(archive: Mapping[str, Any]) -> bytes:
    """The archive, if it is the one of the checksum.

    :raises InvalidInput: see `check`.
    :raises ConnectionFailed: no answer, or none that can be trusted.
    :raises KubestellarError: it is another one, or too large.
    """
    from ansible.module_utils.urls import open_url  # takes a good part of the time in which a module starts

    shown = check(archive)
    try:
        with open_url(
            archive["url"],
            timeout=_SECONDS,
            validate_certs=True,
            ca_path=archive.get("ca_path"),
            url_username=archive.get("url_username"),
            url_password=archive.get("url_password"),
            force_basic_auth=bool(archive.get("url_username")),
            use_netrc=False,
            # A login is for this server and for nobody that it leads to.
            follow_redirects="none" if archive.get("url_username") else "safe",
        ) as answer:
            if not str(answer.geturl()).startswith("https://"):
                raise ConnectionFailed(f"archives: {shown} leads to a place without TLS.")
            packed = bytes(answer.read(LARGEST + 1))
    except HTTPError as error:
        raise ConnectionFailed(
            f"archives: {shown} cannot be fetched: {error.code} {plain(error.reason, 100)}.",
            hint="Correct url, or give url_username and url_password.",
        ) from error
    except (URLError, ssl.SSLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise ConnectionFailed(
            f"archives: {shown} cannot be fetched: {plain(reason, 200)}.",
            hint="If it has a certificate of an authority of yours, set ca_path.",
        ) from error
    if len(packed) > LARGEST:
        raise KubestellarError(f"archives: {shown} is larger than {LARGEST // 2**20} MiB.")
    found, wanted = hashlib.sha256(packed).hexdigest(), str(archive["checksum"]).partition(":")[2].lower()
    if found != wanted:
        raise KubestellarError(
            f"archives: {shown} has the checksum sha256:{found}, not sha256:{wanted}. Nothing of it has been used.",
            hint="If it was changed on purpose, review it and correct checksum.",
        )
    return packed


def read(packed: bytes, archive: Mapping[str, Any]) -> list[Piece]:
    """The objects in the archive, below the path that is asked for.

    :raises InvalidInput: it is no archive, a hostile one, or has no manifests there.
    """
    shown = check(archive)
    wanted = _clean(str(archive.get("path") or ""), f"archives: path of {shown}")
    files = unpack(packed, shown)
    chosen = select(files, wanted)
    if not chosen:
        where = f"below {plain(wanted, 120)} " if wanted else ""
        raise InvalidInput(
            f"archives: {shown} has no .yml, .yaml or .json file {where}in it.", hint="Correct path."
        )
    found: list[Piece] = []
    for name in chosen:
        content = files[name]
        if isinstance(content, Link):
            raise InvalidInput(
                f"archives: {shown}: {plain(name, 120)} is a link, and links are not followed.",
                hint="Set path so that it is left out, or name what it leads to.",
            )
        if pieces.is_template(name):
            raise InvalidInput(
                f"archives: {shown}: {plain(name, 120)} is a template, which is not rendered.",
                hint="Set path so that it is left out, or unpack the archive and use template.",
            )
        found += pieces.of_text(content, f"{shown}, {plain(name, 200)}")
    return found


def select(files: Mapping[str, bytes | Link], path: str) -> list[str]:
    """The names of the manifests at or below a path, and of their templates and links to more of them, none of which is hidden.

    The one folder in which all is may be left out of the path.
    """
    tops = {name.partition("/")[0] for name in files}
    places = [path, *(f"{top}/{path}" for top in tops if len(tops) == 1 and path)]
    for place in places:
        if place and place in files:
            return [place]
        below = f"{place}/" if place else ""
        chosen = sorted(
            name
            for name in files
            if name.startswith(below)
            and not pieces.is_hidden(name.removeprefix(below))
            and (pieces.is_named(name) or pieces.is_template(name) or _is_folder(files, name))
        )
        if chosen:
            return chosen
    return []


def _is_folder(files: Mapping[str, bytes | Link], name: str) -> bool:
    """Whether it is a link to a folder, or to what cannot be known."""
    link = files[name]
    if not isinstance(link, Link):
        return False
    target = posixpath.normpath(posixpath.join(posixpath.dirname(name), link.target))
    return target not in files or isinstance(files[target], Link)


@dataclass(frozen=True)
class Link:
    """A link in an archive, or something else that is no file. :ivar target: as the archive has it."""

    target: str = ""


def unpack(packed: bytes, shown: str) -> dict[str, bytes | Link]:
    """The files of an archive, name to content.

    :raises InvalidInput: it is neither a tar archive nor a zip archive, it is too large, or it holds a path that leads out of it.
    """
    try:
        if packed.startswith(b"PK"):
            return _zip(packed, shown)
        try:
            content = _bounds.inflated(packed, LARGEST)
        except _bounds.TooLarge:
            raise _too_large(shown) from None
        return _tar(content, shown)
    except (
        *(tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError),
        *(OSError, RuntimeError, NotImplementedError, UnicodeDecodeError, ValueError),
    ) as error:
        raise InvalidInput(
            f"archives: {shown} is no archive that can be read: {plain(error, 120) or type(error).__name__}.",
            hint="There are .tar.gz, .tgz, .tar and .zip.",
        ) from error


def _tar(content: bytes, shown: str) -> dict[str, bytes | Link]:
    files: dict[str, bytes | Link] = {}
    total = 0
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
        for count, member in enumerate(_bounds.members(archive), start=1):
            if member.isdir():
                continue
            total += member.size  # of a sparse file, what it would be
            if total > LARGEST or count > MOST:
                raise _too_large(shown)
            name = _clean(member.name, f"archives: {shown}")
            _check_new(name, files, shown)
            opened = archive.extractfile(member) if member.isreg() else None
            files[name] = opened.read() if opened is not None else Link(member.linkname)
    return files


def _zip(content: bytes, shown: str) -> dict[str, bytes | Link]:
    files: dict[str, bytes | Link] = {}
    total = 0
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if len(archive.infolist()) > MOST:
            raise _too_large(shown)
        for member in archive.infolist():
            if member.is_dir():
                continue
            name = _clean(member.filename, f"archives: {shown}")
            _check_new(name, files, shown)
            mode = stat.S_IFMT(member.external_attr >> 16)
            with archive.open(member) as opened:
                data = opened.read(LARGEST + 1 - total)
            files[name] = data if mode in (0, stat.S_IFREG) else Link(data.decode(errors="replace"))
            total += len(data)
            if total > LARGEST:
                raise _too_large(shown)
    return files


def _check_new(name: str, files: Mapping[str, Any], shown: str) -> None:
    """:raises InvalidInput: the archive has two files of this name."""
    if name in files:
        raise InvalidInput(
            f"archives: {shown} holds {plain(name, 120)} twice.", hint="Use an archive that holds it once."
        )


def _too_large(shown: str) -> InvalidInput:
    return InvalidInput(
        f"archives: {shown} holds more than {LARGEST // 2**20} MiB or {MOST} files.",
        hint="Use an archive with the manifests only.",
    )


def _clean(name: str, where: str) -> str:
    """A path inside an archive, without `.` and doubled slashes.

    :raises InvalidInput: it leads out of the archive.
    """
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name:
        raise InvalidInput(f"{where}: the path {plain(name, 120)} leads out of the archive.")
    return "" if str(path) == "." else str(path)
