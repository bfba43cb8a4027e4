# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Python of our own agents, copied into the stack (private to kubestellar.core).

A module runs from a temporary archive that is gone when it ends, and a checkout can move; the agents must
outlive both. So the sources that this module itself has imported are written to the stack's `lib`.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from ansible_collections.kubestellar.core.plugins.module_utils._errors import KubestellarError
from ansible_collections.kubestellar.core.plugins.module_utils._files import write_file
from ansible_collections.kubestellar.core.plugins.module_utils.embedded import keeper, status_agent

_PREFIX = "ansible_collections.kubestellar.core.plugins.module_utils."
AGENTS = (keeper, status_agent)
"""Imported so that Ansible packs them, and all they import, into the archive of the module."""


def sources() -> dict[str, str]:
    """Relative file name to source, for the agents and everything of the collection that they import."""
    found = {}
    for name, module in sorted(sys.modules.items()):
        spec = getattr(module, "__spec__", None)
        if not name.startswith(_PREFIX) or spec is None or spec.submodule_search_locations:
            continue
        source = spec.loader.get_source(name) if spec.loader is not None else None
        if source is None:
            raise KubestellarError(f"The source of {name} cannot be read, so the agents cannot be started.")
        found[name.replace(".", "/") + ".py"] = source
    return found


def digest(files: dict[str, str]) -> str:
    """A short name for one version of the sources."""
    summary = hashlib.sha256()
    for name, source in sorted(files.items()):
        summary.update(f"{name}\0{source}\0".encode())
    return summary.hexdigest()[:16]


def install(files: dict[str, str], folder: Path) -> None:
    """Make the folder hold the sources; only what differs is written."""
    for name, source in files.items():
        write_file(folder / name, source)
