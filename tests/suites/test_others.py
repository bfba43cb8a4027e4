# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The suites of others: each is one test, so that shards and reports count it like any other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ..integration.running import CHECKOUT

BIN = Path(sys.executable).parent


def run(*command: str | Path, timeout: float = 2400) -> None:
    """Run a suite in the checkout; its output is the reason if it fails."""
    done = subprocess.run(
        command,
        cwd=CHECKOUT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-12000:]


def test_ansible_test_finds_nothing():
    run(sys.executable, "tools/sanity.py")


def test_every_scenario_of_molecule_passes():
    run(BIN / "molecule", "test", "--all")


def test_kubestellars_own_suite_passes_on_the_embedded_stack():
    run(sys.executable, "tools/e2e.py")
