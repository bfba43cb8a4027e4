# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The archives of a backup, one for each space (private to kubestellar.core).

`<space>.tar.gz` holds

- `manifest.json`: what it is, when and of what it was made, counts and checksums;
- `objects/<plural>.<group>.yml`: the objects of one kind as YAML documents, as they would be applied;
- `managers.jsonl`: who owns which fields of them, one object a line;
- `placement.json`, for a WDS: what its policies came to, to compare a restore with. Nothing is made from it.

Secrets of the workload are among the objects, in plain base64: archives are 0600.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import json
import os
import re
import stat
import tarfile
import tempfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bounds, _bulk
from ansible_collections.kubestellar.core.plugins.module_utils._client import label
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    InvalidInput,
    KubestellarError,
    plain,
)
from ansible_collections.kubestellar.core.plugins.module_utils._yaml import dump_yaml, load_yaml
from ansible_collections.kubestellar.core.plugins.module_utils.backup import model
from ansible_collections.kubestellar.core.plugins.module_utils.backup.model import Content, Identity

FORMAT = 1
SUFFIX = ".tar.gz"
MANIFEST = "manifest.json"
MANAGERS = "managers.jsonl"
PLACEMENT = "placement.json"

_OBJECTS = re.compile(r"objects/[a-z0-9][-a-z0-9.]*\.yml")
_SPACE = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_LARGEST = 1 << 30
"""Bytes of all files of an archive together, unpacked: what does not fit into memory is no backup of ours."""
_OF_THE_MOMENT = ("taken", "resource_versions")
"""Keys of the manifest that differ although the space has not changed."""
_DAMAGED = "Take another copy of it, or make a new backup; archives are not meant to be edited."


@dataclass
class Saved:
    """One space of a backup, as read from its archive.

    :ivar objects: as they are applied, see `_bulk.check_definitions`.
    :ivar exclude: the Namespaces that were left out.
    :ivar managers: as in `Content`.
    :ivar placement: as in `Content`; empty for an ITS.
    """

    name: str
    role: str
    taken: str
    exclude: list[str] = field(default_factory=list)
    objects: list[dict[str, Any]] = field(default_factory=list, repr=False)
    managers: dict[Identity, list[dict[str, Any]]] = field(default_factory=dict, repr=False)
    placement: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)


# -- what is in it ------------------------------------------------------------------------------------------


def path_of(folder: Path, space: str) -> Path:
    """The archive of a space.

    :raises InvalidInput: the name of the space makes no file name.
    """
    if not _SPACE.fullmatch(space):
        raise InvalidInput(f"The name of the space {plain(space, 80)} makes no file name.")
    return folder / f"{space}{SUFFIX}"


def files(content: Content, *, hub: str, taken: str) -> dict[str, bytes]:
    """Name within the archive to content, the manifest first. Pure.

    :param hub: what the hosting cluster is called.
    :param taken: the time, in UTC.
    :raises KubestellarError: an object that YAML does not give back as it is.
    """
    made: dict[str, bytes] = {}
    listed: list[dict[str, Any]] = []

    def add(name: str, holds: str, count: int, data: bytes) -> None:
        made[name] = data
        listed.append(
            {"path": name, "holds": holds, "count": count, "sha256": hashlib.sha256(data).hexdigest()}
        )

    by_file: dict[str, list[dict[str, Any]]] = {}
    for resource, obj in content.objects:
        by_file.setdefault(f"objects/{model.file_name(resource)}", []).append(obj)
    for name, objects in sorted(by_file.items()):
        text = "".join(f"---\n{_document(obj, content.name)}" for obj in objects)
        add(name, f"{objects[0]['apiVersion']} {objects[0]['kind']}", len(objects), text.encode())
    lines = [_line(identity, entries) for identity, entries in sorted(content.managers.items())]
    add(MANAGERS, "field managers", len(lines), "".join(lines).encode())
    if content.role == "wds":
        text = json.dumps(content.placement, indent=1, sort_keys=True)
        add(PLACEMENT, "placement", len(content.placement), text.encode())
    manifest = {
        "format": FORMAT,
        "space": content.name,
        "role": content.role,
        "hub": hub,
        "kubernetes": content.kubernetes,
        "taken": taken,
        "objects": len(content.objects),
        "left_out": content.counts(),
        "namespaces_left_out": content.exclude,
        "files": listed,
        "resource_versions": dict(sorted(content.versions.items())),
    }
    return {MANIFEST: json.dumps(manifest, indent=1).encode(), **made}


def _document(obj: Mapping[str, Any], space: str) -> str:
    text = dump_yaml(dict(obj))
    if load_yaml(text, space) != [obj]:
        metadata = obj["metadata"]
        what = label(str(obj["kind"]), metadata["name"], metadata.get("namespace"))
        raise KubestellarError(f"{space}: {what} cannot be written as YAML without loss.")
    return text


def _line(identity: Identity, entries: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps({"object": identity, "managers": entries}, sort_keys=True, separators=(",", ":")) + "\n"


def packed(made: Mapping[str, bytes]) -> bytes:
    """The archive: the same bytes for the same files."""
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", filename="", mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name, data in made.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o600
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def unpacked(data: bytes, source: str) -> dict[str, bytes]:
    """Name to content. Nothing is written anywhere.

    :param source: file name for the message.
    :raises InvalidInput: no such archive, or one that holds anything but these files.
    """
    made: dict[str, bytes] = {}
    size = 0
    try:
        content = _bounds.inflated(data, _LARGEST)
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
            for entry in _bounds.members(archive):
                known = entry.name in (MANIFEST, MANAGERS, PLACEMENT) or _OBJECTS.fullmatch(entry.name)
                size += entry.size
                stream = archive.extractfile(entry) if entry.isreg() else None
                if stream is None or not known or entry.name in made or size > _LARGEST:
                    raise InvalidInput(
                        f"{source} is no archive of a backup: it holds {plain(entry.name, 120)}.",
                        hint=_DAMAGED,
                    )
                made[entry.name] = stream.read()
    except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError) as error:
        raise InvalidInput(
            f"{source} cannot be read as an archive of a backup: {plain(error, 200)}.", hint=_DAMAGED
        ) from error
    return made


# -- writing ------------------------------------------------------------------------------------------------


def differs(path: Path, made: Mapping[str, bytes]) -> bool:
    """Whether the archive is not there, is damaged, may be read by others, or holds something else than these files.

    :raises InvalidInput: something that is no file is in its place.
    """
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return True
    if not stat.S_ISREG(mode):
        raise InvalidInput(f"{path} is not a file.", hint="Give a folder of its own to each hub.")
    if mode & 0o077:
        return True
    try:
        there = checked(_bytes(path), str(path))
    except InvalidInput:
        return True
    return _lasting(there) != _lasting(json.loads(made[MANIFEST]))


def shrunk(path: Path, made: Mapping[str, bytes]) -> tuple[int, int] | None:
    """Number of objects before and after, if these files would leave less than half of what a sound archive holds."""
    try:
        before = checked(_bytes(path), str(path))["objects"]
    except InvalidInput:
        return None
    after = json.loads(made[MANIFEST])["objects"]
    return (before, after) if 2 * after < before else None


def _lasting(manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in manifest.items() if key not in _OF_THE_MOMENT}


def write(archives: Mapping[Path, bytes]) -> None:
    """Put archives in the place of earlier ones: each complete or not at all, and none before all are on the disk.

    :raises KubestellarError: they cannot be written; the earlier ones are kept.
    """
    temporary: dict[Path, Path] = {}
    try:
        for path, data in archives.items():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # mkstemp makes it 0600.
            descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
            temporary[path] = Path(name)
            with open(descriptor, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
        for path, made in temporary.items():
            made.replace(path)
    except OSError as error:
        raise KubestellarError(
            f"The backup cannot be written to {error.filename or next(iter(archives)).parent}: {error.strerror}.",
            hint="Make room, or name another folder; the earlier backup is kept.",
        ) from error
    finally:
        for made in temporary.values():
            with contextlib.suppress(OSError):
                made.unlink(missing_ok=True)


# -- reading ------------------------------------------------------------------------------------------------


def read(folder: Path, names: Sequence[str] | None = None) -> list[Saved]:
    """The spaces of a backup, ITSes first.

    :param names: only these; all whose archives are in the folder if None.
    :raises InvalidInput: no backup, changed since it was written, or without one of the spaces.
    """
    if not folder.is_dir():
        raise InvalidInput(f"There is no folder {folder}.", hint="Name the folder of the backup.")
    there = sorted(
        path.name.removesuffix(SUFFIX) for path in folder.glob(f"*{SUFFIX}") if path.name[0] != "."
    )
    for name in names or ():
        if name not in there:
            raise InvalidInput(
                f"The backup {folder} holds no space {plain(name, 80)}.",
                hint=f"It holds: {plain(', '.join(there)) or 'none'}.",
            )
    if not there:
        raise InvalidInput(
            f"There is no backup in {folder}: no file ends in {SUFFIX}.", hint="Name its folder."
        )
    saved = [
        saved_space(_bytes(path), str(path), name)
        for name, path in ((name, folder / f"{name}{SUFFIX}") for name in there)
        if names is None or name in names
    ]
    return sorted(saved, key=lambda space: (model.ROLES.index(space.role), space.name))


def checked(data: bytes, source: str) -> dict[str, Any]:
    """The manifest of an archive, if all of it is as it was written.

    :raises InvalidInput: it is not.
    """
    return _checked(data, source)[0]


def _checked(data: bytes, source: str) -> tuple[dict[str, Any], dict[str, bytes]]:
    made = unpacked(data, source)
    manifest = _manifest(made, source)
    listed = {entry["path"]: entry for entry in manifest["files"]}
    for name in sorted(set(listed) ^ (set(made) - {MANIFEST})):
        what = "is missing" if name in listed else "is not in its manifest"
        raise InvalidInput(f"{source} is not as it was written: {plain(name, 120)} {what}.", hint=_DAMAGED)
    for name, entry in listed.items():
        if hashlib.sha256(made[name]).hexdigest() != entry["sha256"]:
            raise InvalidInput(
                f"{source} is not as it was written: the checksum of {plain(name, 120)} differs.",
                hint=_DAMAGED,
            )
    return manifest, made


def _manifest(made: Mapping[str, bytes], source: str) -> dict[str, Any]:
    if MANIFEST not in made:
        raise InvalidInput(f"{source} is no archive of a backup: it has no {MANIFEST}.", hint=_DAMAGED)
    try:
        manifest = _bounds.json_value(made[MANIFEST])
        if manifest["format"] != FORMAT:
            raise InvalidInput(
                f"{source} has the format {plain(manifest['format'], 20)}; this release reads {FORMAT}."
            )
        if manifest["role"] not in model.ROLES:
            raise ValueError(f"the role is {manifest['role']}")
        for key, kind in (
            ("space", str),
            ("taken", str),
            ("objects", int),
            ("files", list),
            ("namespaces_left_out", list),
        ):
            if not isinstance(manifest[key], kind):
                raise TypeError(f"{key} is a {type(manifest[key]).__name__}")
        for entry in manifest["files"]:
            if not all(isinstance(entry[key], str) for key in ("path", "sha256")):
                raise TypeError("a file has no path or no checksum")
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput(
            f"The {MANIFEST} of {source} is none: {plain(error, 200)}.", hint=_DAMAGED
        ) from error
    return dict(manifest)


def saved_space(data: bytes, source: str, name: str) -> Saved:
    """One space of a backup.

    :param name: the space that the name of the file says.
    :raises InvalidInput: it is not as it was written, or that of another space.
    """
    manifest, made = _checked(data, source)
    if manifest["space"] != name:
        raise InvalidInput(
            f"{source} is the backup of the space {plain(manifest['space'], 80)}.",
            hint=f"Name it after its space: {plain(manifest['space'], 80)}{SUFFIX}.",
        )
    saved = Saved(name, manifest["role"], plain(manifest["taken"], 40), manifest["namespaces_left_out"])
    definitions: list[dict[str, Any]] = []
    for path, text in made.items():
        if path.startswith("objects/"):
            definitions += load_yaml(text, f"{source}: {path}")
    saved.objects = _bulk.check_definitions(definitions, source)
    try:
        for line in made.get(MANAGERS, b"").decode().splitlines():
            found = _bounds.json_value(line)
            group, kind, namespace, object_name = found["object"]
            saved.managers[(group, kind, namespace, object_name)] = found["managers"]
        saved.placement = dict(_bounds.json_value(made[PLACEMENT])) if PLACEMENT in made else {}
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput(
            f"{source} is no archive of a backup: {plain(error, 200)}.", hint=_DAMAGED
        ) from error
    if len(saved.objects) != manifest["objects"]:
        raise InvalidInput(
            f"{source} is not as it was written: it has {len(saved.objects)} objects, and {manifest['objects']} by its "
            f"{MANIFEST}.",
            hint=_DAMAGED,
        )
    return saved


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.") from error
