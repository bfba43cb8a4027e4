# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module and shows its progress lines while it works.

It serves every module that builds or waits: `meta/runtime.yml` routes the others to it. It has the name of one
of them because an action plugin needs a module of its name for documentation (ansible-test, action-plugin-docs).
It changes nothing about a module: same options, same result, check mode, diff mode and `async` as without it.
"""

from __future__ import annotations

import os
import threading
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.kubestellar.core.plugins.module_utils._progress import FILE_NAME
from ansible_collections.kubestellar.core.plugins.module_utils._texts import QUOTE, unfit

display = Display()

_POLL_SECONDS = 0.2


class ActionModule(ActionBase):
    """See the module's docstring."""

    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the module of the task.

        Its lines are shown if it runs on this machine, in the foreground, and if the task may be logged.
        """
        if problem := unfit(self._task.args):
            raise AnsibleActionFail(f"{problem} {QUOTE}")
        super().run(tmp, task_vars)
        wrap_async = bool(self._task.async_val) and not self._connection.has_native_async
        if wrap_async or self._task.no_log or self._connection.transport != "local":
            return dict(self._execute_module(task_vars=task_vars, wrap_async=wrap_async))
        if not self._connection._shell.tmpdir:
            self._make_tmp_path()
        stop = threading.Event()
        path = os.path.join(self._connection._shell.tmpdir, FILE_NAME)
        host = str((task_vars or {}).get("inventory_hostname", "localhost"))
        follower = threading.Thread(target=_follow, args=(path, host, stop), daemon=True)
        follower.start()
        try:
            return dict(self._execute_module(task_vars=task_vars))
        finally:
            stop.set()
            follower.join(timeout=5)
            self._remove_tmp_path(self._connection._shell.tmpdir)


def _follow(path: str, host: str, stop: threading.Event) -> None:
    """Show each line appended to `path` until `stop` is set and the rest is read."""
    offset = 0
    while True:
        last = stop.wait(_POLL_SECONDS)
        try:
            with open(path, encoding="utf-8") as stream:
                stream.seek(offset)
                for text in iter(stream.readline, ""):
                    if not text.endswith("\n"):
                        break
                    display.display(f"    [{host}] {text.rstrip()}")
                    offset = stream.tell()
        except FileNotFoundError:
            pass
        if last:
            return
