# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Renders the templates of a workload and finds its files, then runs the module and shows its progress; see modules/workload.py."""

from __future__ import annotations

from ansible_collections.kubestellar.core.plugins.plugin_utils._sources import ActionWithSources


class ActionModule(ActionWithSources):
    """See the module's docstring."""
