# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where relative paths of a user are looked for (private to kubestellar.core).

A task finds files beside its playbook and role. With a playbook of the collection both are in the collection, and the files are in the user's
project, beside the inventory or in the folder from which Ansible is run.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

_ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
_OURS = tuple(os.path.join(_ROOT, name) for name in ("playbooks", "roles"))


def folders(search_path: Iterable[str], basedir: str, variables: Mapping[str, Any]) -> list[str]:
    """The folders to look into, in their order.

    :param search_path: those of the task.
    :param basedir: that of the playbook.
    :param variables: of the task.
    """
    own = [path for path in [*search_path, basedir] if not _is_ours(path)]
    here = variables.get("inventory_dir")
    sources = [str(source) for source in variables.get("ansible_inventory_sources") or []]
    project = [*([str(here)] if here else []), *(_folder(source) for source in sources if "," not in source)]
    found = [*own, *project, os.getcwd()]
    return list(dict.fromkeys(os.path.abspath(path) for path in found))


def find(path: str, kind: str, places: Iterable[str]) -> str | None:
    """The absolute path of what is in one of the folders, or in a folder `kind` in it; None if it is nowhere."""
    for place in places:
        for candidate in (os.path.join(place, kind, path), os.path.join(place, path)):
            if os.path.lexists(candidate):
                return os.path.normpath(candidate)
    return None


def _is_ours(path: str) -> bool:
    real = os.path.realpath(path)
    return any(os.path.commonpath([real, folder]) == folder for folder in _OURS)


def _folder(source: str) -> str:
    return source if os.path.isdir(source) else os.path.dirname(source)
