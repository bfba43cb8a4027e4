# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Notes on the controller what was done to each WEC, without a process of its own for it; see modules/wec_outcome.py."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.kubestellar.core.plugins.module_utils.wecs import outcomes


class ActionModule(ActionBase):
    """See the module's docstring."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """See `outcomes.work`."""
        super().run(tmp, task_vars)
        _checked, arguments = self.validate_argument_spec(argument_spec=outcomes.SPEC)
        return outcomes.work(arguments)
