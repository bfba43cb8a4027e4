# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much longer twelve WECs take to join than four, with real API servers and agents.

Making the clusters is measured apart, since each is an API server that this machine has to start, and what they go on with after
they answer belongs to it. They join by the playbook that users run, `wecs.yml`.
"""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path

import yaml

from ..integration.running import Running, assert_ok
from .measuring import Budget, Results, machine, scaled

FEW, MANY = scaled(4, 1), scaled(12, 2)
ROUNDS = scaled(2, 1)
"""Of both, by turns: one alone says little on a machine whose speed changes from minute to minute."""
BUSY = 0.4
"""Share of the machine's CPU time below which the clusters are at rest."""
REST = scaled(60, 3)
"""Seconds to wait for that at most."""
TIMES = Budget(f"join, {MANY} WECs beside {FEW}", 1.5, "×")
READY = re.compile(r"^ *\[\w+\] (wec\d+ +ready after +[\d.]+ s)$", re.MULTILINE)


def inventory(count: int) -> dict[str, object]:
    """A hub and this many WECs."""
    wecs = {f"wec{number}": {"wec_labels": {"location-group": "edge"}} for number in range(1, count + 1)}
    return {
        "all": {
            "vars": {"ansible_connection": "local", "ansible_python_interpreter": sys.executable},
            "children": {"kubestellar_hubs": {"hosts": {"hub": {}}}, "kubestellar_wecs": {"hosts": wecs}},
        }
    }


def making() -> list[dict[str, object]]:
    """A playbook that makes the clusters and does nothing else."""
    role = {"name": "kubestellar.core.wec", "tasks_from": "infrastructure"}
    tasks = [{"ansible.builtin.include_role": role}]
    return [{"hosts": "kubestellar_wecs", "gather_facts": False, "tasks": tasks}]


def timed(running: Running, playbook: str | Path, folder: Path, *extra: str) -> tuple[float, str]:
    """Seconds that a playbook takes with the inventory of the folder, and its output."""
    start = time.perf_counter()
    command = running.arguments(playbook, *extra, inventory=folder / "inventory.yml")
    done = running.run(command, timeout=1500)
    assert_ok(done)
    return time.perf_counter() - start, done.stdout


def rest() -> None:
    """Wait until the clusters are at rest, but not for ever."""
    deadline = time.monotonic() + REST
    while time.monotonic() < deadline:
        before, start = machine(), time.monotonic()
        time.sleep(3)
        if machine() - before < BUSY * (time.monotonic() - start) * (os.cpu_count() or 1):
            return


def joined(running: Running, count: int, folder: Path) -> tuple[float, float, list[str]]:
    """Seconds for making and for joining so many WECs, which then leave, and the table of the run."""
    folder.mkdir()
    (folder / "inventory.yml").write_text(yaml.safe_dump(inventory(count)))
    (folder / "create.yml").write_text(yaml.safe_dump(making()))
    made, _output = timed(running, folder / "create.yml", folder)
    rest()
    took, output = timed(running, "wecs", folder)
    timed(running, "wecs", folder, "-e", "wec_state=absent")
    return made, took, READY.findall(output)


def test_many_join_at_once(stack: Running, tmp_path: Path, results: Results) -> None:
    """Few, then many, by turns, at the same hub."""
    sums = {FEW: 0.0, MANY: 0.0}
    table: list[str] = []
    for number in range(ROUNDS):
        for count in (FEW, MANY):
            made, took, table = joined(stack, count, tmp_path / f"{number}-{count}")
            assert len(table) == count
            sums[count] += took
            results.details(f"make {count:2} clusters {made:6.1f} s, let them join {took:6.1f} s")
    results.details(*(f"  {line}" for line in table))
    results.figure(TIMES, sums[MANY] / sums[FEW])
