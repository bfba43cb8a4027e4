# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a hub as JSON, for programs (private to kubestellar.core). Pure functions."""

from __future__ import annotations

import json
import time
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils.status import model, warnings
from ansible_collections.kubestellar.core.plugins.module_utils.status.model import View

FORMAT = 1
"""Grows when a key changes its meaning or goes; new keys may come at any time."""


def data(view: View) -> dict[str, Any]:
    """All that is known, with the keys of `workload_info`."""
    return {
        "format": FORMAT,
        "taken": moment(view.taken),
        "hub": view.hub,
        "its": view.its,
        "wdses": list(view.wdses),
        "summary": model.summary(view),
        "warnings": [warned.result() for warned in warnings.of_view(view)],
        "spaces": view.spaces,
        "clusters": model.clusters(view),
        "policies": view.policies,
        "objects": model.objects(view),
        "collectors": view.collectors,
        "combined": view.combined,
    }


def text(view: View) -> str:
    """The content of a `.json` file: one line for each object, so that it can be read and compared."""
    content = data(view)
    parts = []
    for key, value in content.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            lines = ",\n  ".join(json.dumps(entry, separators=(",", ":")) for entry in value)
            parts.append(f'"{key}": [\n  {lines}\n ]')
        else:
            parts.append(f'"{key}": {json.dumps(value)}')
    return "{\n " + ",\n ".join(parts) + "\n}\n"


def moment(seconds: float) -> str:
    """A time as RFC 3339 in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
