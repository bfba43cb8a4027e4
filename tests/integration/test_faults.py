# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is killed, whenever: the next run converges. Each case ends in a run that changes nothing."""

from __future__ import annotations

import contextlib
import os
import signal

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils.embedded import (
    kwok,
    processes,
    supervisor,
    teardown,
)
from ansible_collections.kubestellar.core.tests.waiting import eventually

from .running import Running, assert_ok, destroy, kill_group, make_stack


def assert_converges(running: Running) -> None:
    """One more run repairs everything, the one after it has nothing to do."""
    assert_ok(running.playbook("site"))
    counters = assert_ok(running.playbook("site"))
    assert sum(values["changed"] for values in counters.values()) == 0


def kill(found: list[processes.Process]) -> None:
    for process in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)


def kill_all(running: Running) -> None:
    """Kill every process of a stack, also those that others start meanwhile."""

    def none_left() -> bool:
        found = processes.of_stack(running.stack)
        kill(found)
        return not found

    eventually(none_left)


@pytest.mark.parametrize("component", ["etcd", "kube-apiserver", "kube-controller-manager"])
def test_a_killed_component_of_a_cluster_comes_back_by_itself(stack, component):
    running = kwok.components(stack.stack, "its1")
    os.kill(running[component].pid, signal.SIGKILL)
    eventually(lambda: component in kwok.components(stack.stack, "its1"))
    eventually(stack.cluster("its1").ready)


@pytest.mark.core
def test_every_controller_comes_back_by_itself(stack):
    def controllers() -> list[processes.Process]:
        found = supervisor.orphans(stack.stack)
        return [process for process in found if "supervisor.supervisord" not in process.text]

    # The keeper may still have a kwokctl running, for what an earlier test has killed.
    eventually(lambda: len(controllers()) == 8)
    killed = controllers()
    kill(killed)
    eventually(lambda: len(controllers()) == 8)
    assert not set(killed) & set(controllers())
    control = supervisor.Supervisor(stack.stack)
    eventually(lambda: set((control.states() or {"": ""}).values()) == {"RUNNING"})
    # What a controller undid when it started anew, such as KubeFlex with a Secret, one run repairs.
    assert_converges(stack)


def test_a_killed_supervisor_is_in_nobodys_way_and_a_cluster_whose_folder_is_lost_joins_again(stack):
    kill([p for p in supervisor.orphans(stack.stack) if "supervisor.supervisord" in p.text])
    kwok.remove(stack.stack, "cluster2")
    assert_converges(stack)
    assert len([p for p in supervisor.orphans(stack.stack) if "ocm-transport-controller" in p.text]) == 1


def test_a_reboot_is_survived_and_its_stale_pid_files_are_not_believed(stack):
    kill_all(stack)
    # Some of the numbers belong to others by now.
    for path in [*stack.stack.clusters.glob("clusters/*/pids/*.pid")][::2]:
        path.write_text(str(os.getpid()))
    assert_converges(stack)


# Each is waited for, not timed: clusters coming up, spaces being adopted, agents joining, the workload on its way.
MOMENTS = {
    "clusters": (signal.SIGKILL, lambda running: running.stack.cluster("its1").exists()),
    "spaces": (signal.SIGINT, lambda running: (running.stack.logs / "kubeflex-manager.log").exists()),
    "joining": (signal.SIGKILL, lambda running: (running.stack.run / "bootstrap").exists()),
    "workload": (signal.SIGINT, lambda running: (running.stack.logs / "status-agent.log").exists()),
}


def test_a_playbook_interrupted_again_and_again_is_completed_by_the_next(stack):
    running = make_stack("interrupted")
    try:
        for number, moment in MOMENTS.values():
            playbook = running.start_playbook("site")
            eventually(lambda: moment(running), 120)  # noqa: B023 (waited for within the loop)
            kill_group(playbook, number)
        assert_converges(running)
    finally:
        teardown.absent(running.stack, Progress(None), check_mode=False)
    assert processes.of_stack(running.stack) == []


def test_teardown_works_on_a_half_started_stack_and_again_on_nothing(stack):
    running = make_stack("half")
    playbook = running.start_playbook("site")
    eventually(lambda: running.stack.cluster("its1").exists())
    kill_group(playbook, signal.SIGKILL)
    destroy(running)
    counters = assert_ok(running.playbook("teardown"))
    assert counters["hub"]["changed"] == 0
