# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide to the doctor: its tables are those of the code, and its outputs have the form and the words of the code."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import yaml
from ansible_collections.kubestellar.core.plugins.module_utils.doctor import checks
from ansible_collections.kubestellar.core.plugins.module_utils.doctor.catalogue import CATALOGUE, PLACEMENT
from ansible_collections.kubestellar.core.plugins.module_utils.placement import catalogue
from ansible_collections.kubestellar.core.plugins.modules import doctor

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "docsite" / "rst" / "guide_doctor.rst").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The code blocks of the page in a language, without their indentation."""
    found = re.findall(rf"(?m)^\.\. code-block:: {language}\n\n((?:   .*\n|\n)+)", PAGE)
    return [re.sub(r"(?m)^   ", "", block).strip("\n") for block in found]


def table(heading: str) -> list[list[str]]:
    """The rows below the head of the list-table in a section, each cell in one line, as it is shown."""
    section = re.split(rf"(?m)^{heading}\n-+\n", PAGE)[1]
    section = re.split(r"(?m)^.*\n-+\n", section)[0]
    rows_only = re.match(r"(?:(?:   .*)?\n)*", section.partition(".. list-table::")[2])
    lines = re.split(r"(?m)^   \* - ", rows_only.group() if rows_only else "")[1:]
    rows = [[" ".join(cell.split()) for cell in re.split(r"(?m)^     - ", line)] for line in lines]
    return [[cell.replace("\\*", "*").strip("`") for cell in row] for row in rows[1:]]


def told(template: str) -> str:
    """A sentence of the catalogue for many, with … for names and numbers."""
    result = ""
    for text, name, spec, _conversion in Formatter().parse(template):
        result += text
        if name is None:
            continue
        if spec and spec.startswith("form "):
            result += spec.removeprefix("form ").split("|")[1]
        elif spec and spec.startswith("count "):
            result += "… " + catalogue.count(2, spec.removeprefix("count ")).removeprefix("2 ")
        else:
            result += "…"
    return result


def test_the_findings_are_those_of_the_catalogue():
    """In its order and its words. What is expected is what belongs into the page."""
    assert table("Findings") == [
        [name, entry.severity, told(entry.evidence), told(entry.hint)] for name, entry in CATALOGUE.items()
    ]


def test_the_findings_of_placements_are_those_of_previews():
    assert table("Findings of placements") == [list(pair) for pair in PLACEMENT.items()]


def test_the_outputs_have_ids_and_severities_of_the_catalogue_and_its_width():
    healthy, ill = blocks("text")
    assert healthy.endswith(f"with {len(checks.IDS) - 1} checks")
    found = re.findall(r"(?m)^(\w+) +(\S.*)  \[([\w-]+)\]$", ill)
    assert len(found) == ill.count("->") >= 3
    for severity, _where, name in found:
        usual = CATALOGUE[name].severity if name in CATALOGUE else PLACEMENT[name]
        assert severity == usual or name == "secret-key-missing"
    assert max(map(len, ill.splitlines())) <= 120


def test_the_ids_in_examples_exist():
    plays = [play for block in blocks("yaml") for play in yaml.safe_load(block)]
    lists = [task["vars"]["status_doctor_checks"] for play in plays for task in play["tasks"]]
    for task in yaml.safe_load(doctor.EXAMPLES):
        lists.append((task.get("kubestellar.core.doctor") or {}).get("checks") or [])
    for chosen in lists:
        assert set(chosen) <= set(checks.IDS)


def test_the_time_to_settle_is_what_it_says():
    assert f"within the last {checks.SETTLE_SECONDS:.0f} seconds" in " ".join(PAGE.split())
