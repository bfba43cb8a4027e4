# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects as the transport sends them: what is removed, what is expanded, how large they are (private to kubestellar.core).

Pure functions. KubeStellar expands each string with `{{` of an object that has the annotation, over the properties of
each cluster (kubestellar: pkg/customize, pkg/transport/generic).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils.placement.facts import Target
from ansible_collections.kubestellar.core.plugins.module_utils.placement.gotemplate import OPEN

ANNOTATION = "control.kubestellar.io/expand-templates"
SIZE_LIMIT = 512_000
"""Bytes of the largest object that the transport takes by default (kubestellar: pkg/transport/generic/cmd)."""

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_REMOVED_METADATA = (
    "managedFields",
    "finalizers",
    "generation",
    "ownerReferences",
    "selfLink",
    "resourceVersion",
    "uid",
    "generateName",
)
_KEYWORDS = frozenset(
    {
        *("break", "case", "chan", "const", "continue", "default", "defer", "else", "fallthrough", "for"),
        *("func", "go", "goto", "if", "import", "interface", "map", "package", "range", "return", "select"),
        *("struct", "switch", "type", "var"),
    }
)
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def properties(target: Target) -> dict[str, str]:
    """What templates see of a cluster: only keys that are identifiers of Go, the ConfigMap before annotations before labels."""
    result = {"clusterName": target.name}
    for source in (target.labels, target.annotations, target.properties):
        result.update((key, value) for key, value in source.items() if is_property(key))
    return result


def is_property(key: str) -> bool:
    """Whether a template can name a key: an identifier of Go, and none of its keywords."""
    return _IDENTIFIER.fullmatch(key) is not None and key not in _KEYWORDS


def wants_expansion(metadata: Mapping[str, Any]) -> bool:
    """Whether an object asks for expansion."""
    return bool((metadata.get("annotations") or {}).get(ANNOTATION) == "true")


def cleaned(obj: Mapping[str, Any]) -> dict[str, Any]:
    """An object without what the transport removes from every object before it expands and wraps it."""
    result = {key: value for key, value in obj.items() if key != "status"}
    metadata = {
        key: value for key, value in (obj.get("metadata") or {}).items() if key not in _REMOVED_METADATA
    }
    if _LAST_APPLIED in (metadata.get("annotations") or {}):
        metadata["annotations"] = {
            key: value for key, value in metadata["annotations"].items() if key != _LAST_APPLIED
        }
    result["metadata"] = metadata
    return result


def size(obj: Mapping[str, Any]) -> int:
    """Bytes of an object as the transport counts them: compact JSON, in which Go writes `<`, `>` and `&` as six bytes."""
    text = json.dumps(cleaned(obj), separators=(",", ":"), ensure_ascii=False)
    longer = 5 * sum(text.count(character) for character in "<>&")
    return len(text.encode("utf-8", "surrogatepass")) + longer + 1


def strings(obj: Any) -> Iterator[tuple[str, str]]:
    """(path, text) of every string value with a template in it, such as `.data.name`."""
    return ((path, text) for path, text in leaves(obj) if OPEN in text)


def leaves(obj: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """(path, text) of every string value."""
    if isinstance(obj, str):
        yield path, obj
    elif isinstance(obj, Mapping):
        for key, value in obj.items():
            yield from leaves(value, f"{path}.{key}")
    elif isinstance(obj, list):
        for number, value in enumerate(obj):
            yield from leaves(value, f"{path}[{number}]")
