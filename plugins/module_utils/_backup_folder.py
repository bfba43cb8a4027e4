# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of a backup (private to kubestellar.core).

One folder for each space, in it one file of YAML documents for each kind, and `managers.jsonl` with who owns which
fields. `index.yml` counts and checks them. Nothing in it depends on the time or on the order of answers, so that a
folder under version control shows what has changed. Secrets may be in it: files are 0600, folders 0700.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _backup, _bulk
from ansible_collections.kubestellar.core.plugins.module_utils._backup import Content, Identity
from ansible_collections.kubestellar.core.plugins.module_utils._client import dump_yaml, label, load_yaml
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    InvalidInput,
    KubestellarError,
    plain,
)

INDEX = "index.yml"
FORMAT = 1

_MANAGERS = "managers.jsonl"
_PATH = re.compile(r"[a-z0-9][-a-z0-9]*/[a-z0-9][-a-z0-9.]*\.(yml|jsonl)")
_PREVIOUS = ".{}.previous"


@dataclass
class Saved:
    """One space of a backup, as read from its files.

    :ivar secrets: whether Secrets were kept.
    :ivar exclude: Namespaces that were left out.
    :ivar left_out: the Secrets that were not, as `namespace/name`.
    """

    name: str
    role: str
    secrets: bool
    exclude: list[str] = field(default_factory=list)
    objects: list[dict[str, Any]] = field(default_factory=list, repr=False)
    managers: dict[Identity, list[dict[str, Any]]] = field(default_factory=dict, repr=False)
    left_out: list[str] = field(default_factory=list)


# -- writing ------------------------------------------------------------------------------------------------


def files(contents: Sequence[Content], *, secrets: bool, exclude: Sequence[str] = ()) -> dict[str, bytes]:
    """Path within the folder to content, for the whole backup. Pure.

    :raises KubestellarError: an object that YAML does not give back as it is.
    """
    result: dict[str, bytes] = {}
    index: dict[str, Any] = {
        "format": FORMAT,
        "secrets": "include" if secrets else "exclude",
        "namespaces_left_out": sorted(exclude),
        "spaces": [],
    }
    for content in sorted(contents, key=lambda content: (content.role, content.name)):
        made: dict[str, tuple[str, int, bytes]] = {}
        by_file: dict[str, list[dict[str, Any]]] = {}
        for resource, obj in content.objects:
            by_file.setdefault(_backup.file_name(resource), []).append(obj)
        for name, objects in by_file.items():
            text = "".join(f"---\n{_document(obj, content.name)}" for obj in objects)
            made[name] = (f"{objects[0]['apiVersion']} {objects[0]['kind']}", len(objects), text.encode())
        if content.managers:
            lines = [_line(identity, entries) for identity, entries in sorted(content.managers.items())]
            made[_MANAGERS] = ("field managers", len(lines), "".join(lines).encode())
        result.update({f"{content.name}/{name}": data for name, (_what, _count, data) in made.items()})
        index["spaces"].append(
            {
                "name": content.name,
                "role": content.role,
                "kubernetes": content.kubernetes,
                "objects": len(content.objects),
                "secrets_left_out": content.left_out,
                "files": [
                    {
                        "path": f"{content.name}/{name}",
                        "holds": what,
                        "count": count,
                        "sha256": hashlib.sha256(data).hexdigest(),
                    }
                    for name, (what, count, data) in sorted(made.items())
                ],
            }
        )
    result[INDEX] = dump_yaml(index).encode()
    return result


def _document(obj: Mapping[str, Any], space: str) -> str:
    text = dump_yaml(dict(obj))
    if load_yaml(text, space) != [obj]:
        metadata = obj["metadata"]
        what = label(str(obj["kind"]), metadata["name"], metadata.get("namespace"))
        raise KubestellarError(f"{space}: {what} cannot be written as YAML without loss.")
    return text


def _line(identity: Identity, entries: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps({"object": identity, "managers": entries}, sort_keys=True, separators=(",", ":")) + "\n"


def differs(folder: Path, wanted: Mapping[str, bytes]) -> bool:
    """Whether the folder is not exactly this, with private modes.

    :raises InvalidInput: it holds something that is no part of a backup, which would be lost.
    """
    if not folder.exists():
        return True
    if not folder.is_dir():
        raise InvalidInput(f"{folder} is no folder.", hint="Give a folder of its own to each backup.")
    there = _listing(folder)
    if there and INDEX not in there:
        raise InvalidInput(
            f"The folder {folder} is not empty and holds no backup: there is no {INDEX}.",
            hint="Give a folder of its own to each backup.",
        )
    foreign = sorted(path for path in there if path != INDEX and not _PATH.fullmatch(path))
    if foreign:
        raise InvalidInput(
            f"The folder {folder} holds {plain(foreign[0], 200)}, which is no part of a backup and would be lost.",
            hint="Move it out. The folder may lie within a git repository, but not be its top.",
        )
    if set(there) != set(wanted) or _modes(folder):
        return True
    return any((folder / path).read_bytes() != data for path, data in wanted.items())


def _listing(folder: Path) -> list[str]:
    """All files and links below the folder."""
    return [
        str(Path(parent, name).relative_to(folder))
        for parent, folders, names in os.walk(folder)
        for name in [*names, *(name for name in folders if Path(parent, name).is_symlink())]
    ]


def _modes(folder: Path) -> list[Path]:
    """What others than the owner may read or change."""
    return [path for path in (folder, *folder.rglob("*")) if path.lstat().st_mode & 0o077]


def write(folder: Path, wanted: Mapping[str, bytes]) -> None:
    """Put the backup in the place of the folder: complete or not at all.

    A run that is killed between the two renames leaves the earlier backup beside the folder; see `heal`.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    previous = folder.parent / _PREVIOUS.format(folder.name)
    try:
        for path, data in wanted.items():
            target = temporary / path
            target.parent.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
        if folder.exists():
            folder.rename(previous)
        temporary.rename(folder)
    except OSError as error:
        raise KubestellarError(
            f"The backup cannot be written to {folder}: {error.strerror}.", hint="The earlier one is kept."
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        heal(folder)


def heal(folder: Path) -> None:
    """Bring the earlier backup back, or delete it, after a run that was killed or failed."""
    previous = folder.parent / _PREVIOUS.format(folder.name)
    if previous.exists():
        if folder.exists():
            shutil.rmtree(previous)
        else:
            previous.rename(folder)


# -- reading ------------------------------------------------------------------------------------------------


def read(folder: Path, names: Sequence[str] | None = None) -> list[Saved]:
    """The spaces of a backup, ITSes first.

    :param names: only these; all if None.
    :raises InvalidInput: no backup, not complete, changed since it was written, or without one of the spaces.
    """
    index = _index(folder)
    listed = {str(entry["path"]) for space in index["spaces"] for entry in space["files"]}
    there = set(_listing(folder)) - {INDEX}
    for path in sorted(listed ^ there):
        what = "is not in its index" if path in there else "is missing"
        raise InvalidInput(
            f"The backup {folder} is not as it was written: {plain(path, 200)} {what}.", hint=_DAMAGED
        )
    spaces = {str(space["name"]): space for space in index["spaces"]}
    for name in names or ():
        if name not in spaces:
            raise InvalidInput(
                f"The backup {folder} holds no space {plain(name, 80)}.",
                hint=f"It holds: {', '.join(sorted(spaces)) or 'none'}.",
            )
    saved = [_space(folder, space, index) for name, space in spaces.items() if names is None or name in names]
    return sorted(saved, key=lambda space: (_backup.ROLES.index(space.role), space.name))


_DAMAGED = "Take another copy of it, or make a new backup; files of a backup are not meant to be edited."


def _index(folder: Path) -> dict[str, Any]:
    path = folder / INDEX
    if not path.is_file():
        previous = folder.parent / _PREVIOUS.format(folder.name)
        hint = f"A backup that was interrupted has left {previous}: rename it." if previous.exists() else ""
        raise InvalidInput(f"There is no backup in {folder}: it has no {INDEX}.", hint=hint)
    (index,) = load_yaml(_bytes(path), str(path)) or [{}]
    if index.get("format") != FORMAT:
        raise InvalidInput(
            f"The backup {folder} has the format {plain(index.get('format'), 20)}; this release reads {FORMAT}."
        )
    try:
        for space in index["spaces"]:
            if space["role"] not in _backup.ROLES:
                raise ValueError(f"a space has the role {space['role']}")
            for entry in space["files"]:
                if not _PATH.fullmatch(entry["path"]) or entry["path"].split("/")[0] != space["name"]:
                    raise ValueError(f"a file of {space['name']} is called {entry['path']}")
            if not isinstance(space["secrets_left_out"], list):
                raise TypeError("secrets_left_out is no list")
        if index["secrets"] not in ("include", "exclude"):
            raise ValueError("secrets is neither include nor exclude")
        if not isinstance(index["namespaces_left_out"], list):
            raise TypeError("namespaces_left_out is no list")
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput(f"{path} is no index of a backup: {plain(error, 200)}.", hint=_DAMAGED) from error
    return index


def _space(folder: Path, space: Mapping[str, Any], index: Mapping[str, Any]) -> Saved:
    saved = Saved(
        str(space["name"]),
        str(space["role"]),
        secrets=index["secrets"] == "include",
        exclude=list(index["namespaces_left_out"]),
        left_out=list(space["secrets_left_out"]),
    )
    for entry in space["files"]:
        path = folder / entry["path"]
        data = _bytes(path)
        if hashlib.sha256(data).hexdigest() != entry.get("sha256"):
            raise InvalidInput(
                f"The backup {folder} is not as it was written: the checksum of {entry['path']} differs.",
                hint=_DAMAGED,
            )
        if path.name == _MANAGERS:
            for line in data.decode().splitlines():
                found = json.loads(line)
                group, kind, namespace, name = found["object"]
                saved.managers[(group, kind, namespace, name)] = found["managers"]
        else:
            saved.objects += _bulk.check_definitions(load_yaml(data, str(path)), str(path))
    if len(saved.objects) != space.get("objects"):
        raise InvalidInput(
            f"The backup {folder} is not as it was written: {saved.name} has {len(saved.objects)} objects, "
            f"and {plain(space.get('objects'), 20)} by its index.",
            hint=_DAMAGED,
        )
    return saved


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.") from error
