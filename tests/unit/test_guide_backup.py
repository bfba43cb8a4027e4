# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide to backup and restore. Its commands are run by tests/integration/test_backup.py."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from ansible_collections.kubestellar.core.plugins.module_utils.backup import archive, model
from ansible_collections.kubestellar.core.plugins.modules import space_backup, space_restore

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "docsite" / "rst" / "guide_backup.rst").read_text(encoding="utf-8")
PLAYBOOKS = {
    name: (ROOT / "playbooks" / f"{name}.yml").read_text(encoding="utf-8") for name in ("backup", "restore")
}


def test_the_reasons_of_the_guide_are_those_of_the_code():
    assert tuple(re.findall(r"(?m)^   \* - ``([a-z_]+)``$", GUIDE)) == model.REASONS
    documented = yaml.safe_load(space_backup.RETURN)["spaces"]["contains"]["left_out"]
    assert set(re.findall(r"V\((\w+)\)", " ".join(documented["description"]))) == set(model.REASONS)
    assert set(documented["sample"]) == set(model.REASONS)


def test_the_variables_of_the_guide_are_those_of_the_playbooks():
    known = set(re.findall(r"\b((?:backup|restore)_[a-z_]+)\b(?= \|)", "".join(PLAYBOOKS.values())))
    named = set(re.findall(r"\b((?:backup|restore)_[a-z_]+)\b", GUIDE))
    assert named == known and len(known) == 5


def test_the_files_and_results_that_the_guide_names_are_those_of_the_code():
    assert f"``{archive.MANIFEST}``" in GUIDE
    returned = yaml.safe_load(space_backup.RETURN)["spaces"]["contains"]
    assert {"unsettled", "left_out"} <= set(returned) and "``unsettled``" in GUIDE
    assert (
        "placement" in yaml.safe_load(space_restore.RETURN)
        and "``placement`` in the result is ``same``" in GUIDE
    )


def test_the_commands_of_a_restore_are_in_the_order_that_keeps_the_workload():
    """Restored before the clusters join; the integration test runs them as they are here."""
    restore = GUIDE.partition("\nRestore\n---")[2]
    commands = re.findall(r"ansible-playbook -i inventory kubestellar\.core\.(\w+)", restore)
    assert commands == ["hub", "restore", "wecs", "site"]
