# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WECs as they are wanted: what the options say, checked (private to kubestellar.core). Pure functions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _metadata, _texts
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    InvalidInput,
    plain,
)

_PROPERTY_KEY = re.compile(r"^[-._A-Za-z0-9]{1,253}$")
_IDENTIFIER = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")


@dataclass(frozen=True)
class Wish:
    """One WEC as it is wanted. None: leave as it is; an empty mapping: remove what we had set.

    :ivar error: why it cannot be wanted like this; empty if it can.
    """

    name: str
    labels: Mapping[str, str] | None = None
    annotations: Mapping[str, str] | None = None
    properties: Mapping[str, str] | None = None
    error: str = ""


def check_name(name: Any) -> None:
    """:raises InvalidInput: the name of a WEC is no DNS label of at most 63 characters."""
    if isinstance(name, str) and _metadata.is_dns_label(name):
        return
    reason = "it has a dot, which OCM agents refuse" if "." in str(name) else "it is no DNS label"
    raise InvalidInput(
        f"The cluster name {plain(name, 80)!r} is not allowed: {reason}.",
        hint="Use at most 63 lower-case letters, digits and dashes, beginning and ending with a letter or digit.",
    )


def wishes_of(params: Mapping[str, Any]) -> list[Wish]:
    """The WECs that the options of the module describe: `names` or `clusters`, with the common maps merged under.

    :raises InvalidInput: a name that is there twice; with `strict`, also an illegal name, key or value, which otherwise is the
        `error` of its WEC.
    """
    entries = (
        [{"name": name} for name in params["names"]] if params["names"] is not None else params["clusters"]
    )
    wishes: dict[str, Wish] = {}
    for entry in entries or []:
        name = entry["name"]
        if name in wishes:
            raise InvalidInput(f"The cluster {plain(name, 80)} is named twice.", hint="Keep one of them.")
        try:
            wishes[name] = _wish(entry, params)
        except InvalidInput as error:
            if params.get("strict", True):
                raise
            wishes[name] = Wish(name, error=f"{error.message} {error.hint}".strip())
    return list(wishes.values())


def _wish(entry: Mapping[str, Any], common: Mapping[str, Any]) -> Wish:
    """One WEC.

    :raises InvalidInput: an illegal name, key or value.
    """
    name = entry["name"]
    check_name(name)
    maps: dict[str, dict[str, str] | None] = {}
    for key, check_pair in _PAIR_CHECKS.items():
        given = [source for source in (common[key], entry.get(key)) if source is not None]
        maps[key] = {k: v for source in given for k, v in source.items()} if given else None
        for pair_key, value in (maps[key] or {}).items():
            check_pair(pair_key, value, f"{name}: {key}")
    return Wish(name, maps["labels"], maps["annotations"], maps["properties"])


def unseen_properties(wishes: Iterable[Wish]) -> list[str]:
    """Property keys that templates cannot name because they are no Go identifiers."""
    return sorted({key for wish in wishes for key in wish.properties or {} if not _IDENTIFIER.fullmatch(key)})


def _check_text(key: Any, value: Any, where: str) -> None:
    if not isinstance(key, str):
        raise InvalidInput(f"{where}: the key {_texts.shown(key)} is no text.", hint=_texts.QUOTE)
    if not isinstance(value, str):
        raise InvalidInput(
            f"{where}: the value of {plain(key)} is {_texts.shown(value)}, no text.", hint=_texts.hint(value)
        )


def _check_key(key: str, where: str) -> None:
    if not _metadata.is_key(key):
        raise InvalidInput(
            f"{where}: the key {plain(key, 80)!r} is not allowed.",
            hint="A key is up to 63 letters, digits, dashes, dots and underscores, and may have a DNS name and a slash "
            "in front.",
        )


def _check_label(key: Any, value: Any, where: str) -> None:
    _check_text(key, value, where)
    _check_key(key, where)
    if not _metadata.is_label_value(value):
        raise InvalidInput(
            f"{where}: the value {plain(value, 80)!r} of {key} is not allowed.",
            hint="A label's value is up to 63 letters, digits, dashes, dots and underscores, beginning and ending with "
            "a letter or digit. Longer text belongs in annotations or properties.",
        )


def _check_annotation(key: Any, value: Any, where: str) -> None:
    _check_text(key, value, where)
    _check_key(key, where)


def _check_property(key: Any, value: Any, where: str) -> None:
    _check_text(key, value, where)
    if not _PROPERTY_KEY.fullmatch(key) or key in (".", "..") or key.startswith(".."):
        raise InvalidInput(
            f"{where}: the key {plain(key, 80)!r} is not allowed.",
            hint="Use letters, digits and underscores, so that templates can name it.",
        )


_PAIR_CHECKS: dict[str, Callable[[Any, Any, str], None]] = {
    "labels": _check_label,
    "annotations": _check_annotation,
    "properties": _check_property,
}
