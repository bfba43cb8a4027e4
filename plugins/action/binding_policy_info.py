# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Renders the templates of the workloads to preview and finds their files, then runs the module; see modules/binding_policy_info.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.kubestellar.core.plugins.plugin_utils._sources import ActionWithSources


class ActionModule(ActionWithSources):
    """See the module's docstring."""

    def with_sources(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The options with the sources of all workloads of `offline` resolved."""
        offline = arguments.get("offline")
        return {
            **arguments,
            **({"offline": self._offline(offline)} if isinstance(offline, Mapping) else {}),
        }

    def _offline(self, offline: Mapping[str, Any]) -> dict[str, Any]:
        found = dict(offline)
        if isinstance(found.get("workloads"), list):
            found["workloads"] = [
                self.resolved(entry) if isinstance(entry, Mapping) else entry for entry in found["workloads"]
            ]
        if isinstance(found.get("before"), Mapping):
            found["before"] = self._offline(found["before"])
        return found
