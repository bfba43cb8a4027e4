# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects with the place that each comes from (private to kubestellar.core). Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bulk
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, plain
from ansible_collections.kubestellar.core.plugins.module_utils._yaml import list_items, yaml_documents

SUFFIXES = (".yml", ".yaml", ".json")
"""How the names of files with objects end."""
JINJA = (".j2", ".jinja", ".jinja2")
"""How the names of their templates go on."""


GO = re.compile(rb"\{\{-?\s*[.$]")
"""What Go has in its templates, and Jinja has not."""
KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
"""Names of the file that a kustomization is."""


def is_named(name: str, suffixes: tuple[str, ...] = SUFFIXES) -> bool:
    """Whether the name of a file ends like this, in letters of any case."""
    return name.lower().endswith(suffixes)


def is_template(name: str) -> bool:
    """Whether the name of a file is that of a template of objects."""
    stem, dot, suffix = name.lower().rpartition(".")
    return f"{dot}{suffix}" in JINJA and is_named(stem)


def is_hidden(path: str) -> bool:
    """Whether a path has a part whose name begins with a dot."""
    return any(part.startswith(".") for part in path.split("/"))


@dataclass(frozen=True)
class Piece:
    """One object of a source. Nothing of this gets into the object.

    :ivar definition: the object, not yet checked.
    :ivar origin: the place that messages name, such as `files/shop.yml document 2`.
    :ivar namespace: for a namespaced object that names none; empty for that of the workload.
    """

    definition: Any
    origin: str
    namespace: str = ""


@dataclass(frozen=True)
class Material:
    """What the sources of a workload hold.

    :ivar objects: checked, in the order given.
    :ivar origins: where each of them comes from.
    :ivar namespaces: the namespace of each that names none.
    :ivar hooks: the hooks of Helm charts, see `helm.hook`.
    """

    objects: Sequence[dict[str, Any]] = ()
    origins: Sequence[str] = ()
    namespaces: Sequence[str | None] = ()
    hooks: Sequence[Mapping[str, Any]] = ()


def of_text(
    text: str | bytes, origin: str, namespace: str = "", *, twice: str = "refuse", hint: str = ""
) -> list[Piece]:
    """The objects in YAML or JSON: all documents that are not empty, lists expanded.

    :param twice, hint: as for `yaml_documents`.
    :raises InvalidInput: not YAML, or a document that is no mapping.
    """
    documents = yaml_documents(text, origin, twice=twice, hint=hint)
    several = len(documents) > 1
    return [
        piece
        for number, document in documents
        for piece in of_object(document, f"{origin} document {number}" if several else origin, namespace)
    ]


def of_object(definition: Any, origin: str, namespace: str = "") -> Iterator[Piece]:
    """An object, or those in it if it is a list of kind `List` or the like."""
    items = list_items(definition) if isinstance(definition, Mapping) else None
    if items is None:
        yield Piece(definition, origin, namespace)
        return
    kind = str(definition["kind"]).removesuffix("List")
    for number, item in enumerate(items, start=1):
        if kind and isinstance(item, Mapping) and not item.get("kind"):  # as a server lists them
            item = {"apiVersion": definition.get("apiVersion"), "kind": kind, **item}
        yield from of_object(item, f"{origin} item {number}", namespace)


def checked(
    pieces: Sequence[Piece],
    where: str,
    namespace: str | None = None,
    hooks: Sequence[Mapping[str, Any]] = (),
) -> Material:
    """The objects, if each is one with a name and none is there twice.

    :param where: what they belong to, for messages.
    :param namespace: for those that name none, and whose source has none.
    :raises InvalidInput: naming the places of what is wrong.
    """
    for piece in pieces:
        _check_manifest(piece, where)
    origins = [piece.origin for piece in pieces]
    namespaces = [piece.namespace or namespace for piece in pieces]
    objects = _bulk.check_definitions(
        [piece.definition for piece in pieces], where, origins=origins, namespaces=namespaces
    )
    return Material(objects, origins, namespaces, hooks)


def _check_manifest(piece: Piece, where: str) -> None:
    """:raises InvalidInput: it is the file of something else than objects, and another source is for it."""
    definition = piece.definition
    if not isinstance(definition, Mapping):
        return
    if isinstance(definition.get("sops"), Mapping):
        raise InvalidInput(
            f"{where}: {plain(piece.origin, 200)} is encrypted with SOPS, which is not read here.",
            hint="Decrypt it before, or give the object as definitions from a variable that is decrypted.",
        )
    missing = [key for key in ("apiVersion", "kind") if not definition.get(key)]
    name = piece.origin.partition(" document ")[0].rpartition("/")[2]
    kustomization = str(definition.get("apiVersion") or "").startswith("kustomize.config.k8s.io/")
    if name in KUSTOMIZATIONS or kustomization:
        hint = "Name its folder under kustomize instead, or leave the file out."
    elif missing and (name.startswith("values") or name in ("Chart.yaml", "Chart.lock")):
        hint = "If it is of a chart, name the chart under helm instead; or leave the file out."
    elif missing:
        hint = "" if name.startswith("definitions") else "If it is no manifest, leave the file out."
    else:
        return
    what = f"has no {' and no '.join(missing)}" if missing else "is a kustomization"
    raise InvalidInput(f"{where}: {plain(piece.origin, 200)} {what}.", hint=hint)
