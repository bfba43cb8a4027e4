# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much longer twelve WECs take to join than four, with real API servers and agents. Shown, not asserted: `make bench`.

Making the clusters is measured apart, since each is an API server that this machine has to start, and what they go on with after
they answer belongs to it. They join by the playbook that users run, `wecs.yml`.
"""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

import pytest
import yaml

from ..integration.running import Running, assert_ok, destroy, make_stack

FEW, MANY = 4, 12
ROUNDS = 2
"""Of both, by turns: one alone says little on a machine whose speed changes from minute to minute."""
BUSY = 0.4
"""Share of the machine's CPU time below which the clusters are at rest."""
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


def timed(running: Running, playbook: str | Path, folder: Path) -> tuple[float, str]:
    """Seconds that a playbook takes with the inventory of the folder, and its output."""
    start = time.perf_counter()
    command = running.arguments(playbook, inventory=folder / "inventory.yml")
    done = running.run(command, timeout=1500)
    assert_ok(done)
    return time.perf_counter() - start, done.stdout


def rest(seconds: float = 60) -> None:
    """Wait until the clusters are at rest, but not longer than this."""

    def spent() -> tuple[int, int]:
        values = [int(value) for value in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        return sum(values), values[3] + values[4]

    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        before = spent()
        time.sleep(3)
        total, idle = (after - value for after, value in zip(spent(), before, strict=True))
        if total - idle < BUSY * total:
            return


def joined(count: int, folder: Path) -> tuple[float, float, list[str]]:
    """Seconds for making and for joining so many WECs, and the table of the run."""
    folder.mkdir()
    (folder / "inventory.yml").write_text(yaml.safe_dump(inventory(count)))
    (folder / "create.yml").write_text(yaml.safe_dump(making()))
    running = make_stack(f"bench-join{count}")
    try:
        timed(running, "hub", folder)
        made, _output = timed(running, folder / "create.yml", folder)
        rest()
        took, output = timed(running, "wecs", folder)
        return made, took, READY.findall(output)
    finally:
        destroy(running)


def test_many_join_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Four, then twelve, each with a hub of its own."""
    lines, sums = ["", f"{MANY} WECs join beside {FEW} (budget 1.5 times)"], {FEW: 0.0, MANY: 0.0}
    table: list[str] = []
    for number in range(ROUNDS):
        for count in (FEW, MANY):
            made, took, table = joined(count, tmp_path / f"{number}-{count}")
            assert len(table) == count
            sums[count] += took
            lines.append(f"  make {count:2} clusters {made:6.1f} s, let them join {took:6.1f} s")
    lines += [f"  {sums[MANY] / sums[FEW]:.2f} times", *(f"    {line}" for line in table), ""]
    with capsys.disabled():
        sys.stdout.write("\n".join(lines))
