# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of a stack (private to kubestellar.core)."""

from __future__ import annotations

import shutil

from ansible_collections.kubestellar.core.plugins.module_utils._errors import KubestellarError
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils.embedded import processes, supervisor
from ansible_collections.kubestellar.core.plugins.module_utils.embedded.home import Stack


def absent(stack: Stack, progress: Progress, *, check_mode: bool) -> dict[str, int | bool]:
    """Stop every process of the stack and delete its folder. Needs neither its state nor its programs.

    Returns how many `processes` were stopped, and whether there was a `folder`.

    :raises KubestellarError: something cannot be stopped or deleted.
    """
    running = processes.of_stack(stack)
    found: dict[str, int | bool] = {"processes": len(running), "folder": stack.folder.exists()}
    if check_mode or not (running or stack.folder.exists()):
        return found
    with stack.locked(progress):
        # Whatever restarts others comes first; a second look finds what was started in between. Without grace, since nothing
        # that they would write is kept.
        for _attempt in range(3):
            running = processes.of_stack(stack)
            if not running:
                break
            progress.line(f"stopping {len(running)} processes")
            processes.stop(supervisor.orphans(stack), grace=0)
            processes.stop(processes.of_stack(stack), grace=0)
        try:
            shutil.rmtree(stack.folder)
        except OSError as error:
            raise KubestellarError(
                f"{stack.folder} cannot be deleted: {error.strerror}.", hint="Delete it by hand."
            ) from error
    (stack.folder.parent / f".{stack.name}.lock").unlink(missing_ok=True)
    return found
