# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the objects of a workload come from (private to kubestellar.core)."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _diff
from ansible_collections.kubestellar.core.plugins.module_utils._client import load_yaml
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput

_SUFFIXES = (".yml", ".yaml", ".json")


def read(definitions: Any, sources: Sequence[str]) -> list[Any]:
    """All objects of the options `definitions` (list, mapping or YAML text) and `src` (files and folders).

    :raises InvalidInput: nothing to read, or not readable.
    """
    objects: list[Any] = []
    if isinstance(definitions, str):
        objects += load_yaml(definitions, "definitions")
    elif isinstance(definitions, Mapping):
        objects.append(definitions)
    elif definitions is not None:
        if not isinstance(definitions, (list, tuple)):
            raise InvalidInput(f"definitions is a {type(definitions).__name__}; a list of objects is needed.")
        for item in definitions:
            objects += load_yaml(item, "definitions") if isinstance(item, str) else [item]
    for source in sources:
        for path in _files(os.path.expanduser(source)):
            try:
                with open(path, "rb") as stream:
                    objects += load_yaml(stream.read(), path)
            except OSError as error:
                raise InvalidInput(f"src: {path} cannot be read: {error.strerror}.") from error
    return objects


def shown(definitions: Any) -> Any:
    """The option `definitions` as results may repeat it (`invocation`, at higher verbosity): without values of Secrets."""
    if isinstance(definitions, Mapping):
        return _diff.redact({}, definitions)[1]
    if isinstance(definitions, (list, tuple)):
        return [shown(item) for item in definitions]
    if isinstance(definitions, str) and "Secret" in definitions:
        return "******** (text with a Secret)"
    return definitions


def _files(source: str) -> list[str]:
    """The manifests of one source, in a stable order."""
    if not os.path.isdir(source):
        if not os.path.exists(source):
            raise InvalidInput(f"src: {source} does not exist.")
        return [source]
    found = [
        os.path.join(folder, name)
        for folder, _folders, names in os.walk(source)
        for name in names
        if name.endswith(_SUFFIXES) and not name.startswith(".")
    ]
    if not found:
        raise InvalidInput(f"src: the folder {source} holds no .yml, .yaml or .json file.")
    return sorted(found)
