# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A diagnosis for programs and for people (private to kubestellar.core). Pure functions."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._grid import WIDTH
from ansible_collections.kubestellar.core.plugins.module_utils.doctor.catalogue import SEVERITIES
from ansible_collections.kubestellar.core.plugins.module_utils.doctor.checks import Diagnosis
from ansible_collections.kubestellar.core.plugins.module_utils.doctor.facts import ITS, WDS, Facts
from ansible_collections.kubestellar.core.plugins.module_utils.doctor.lines import (
    LONGEST,
    of_findings,
    wrapped,
)
from ansible_collections.kubestellar.core.plugins.module_utils.placement.catalogue import count, names
from ansible_collections.kubestellar.core.plugins.module_utils.placement.report import shown


def forecast() -> dict[str, Any]:
    """What the module returns in check mode for a hub that an earlier task of the same run would create."""
    numbers = ("errors", "warnings", "infos", "checks", "checks_not_run", "spaces", "wecs", "policies")
    return {
        "changed": False,
        "findings": [],
        "checked": [],
        "summary": dict.fromkeys(numbers, 0),
        "table": ["the hub does not exist yet"],
    }


def result(facts: Facts, diagnosis: Diagnosis) -> dict[str, Any]:
    """What the module returns."""
    findings = diagnosis.findings
    return {
        "changed": False,
        "findings": [
            {
                "id": item.id,
                "severity": item.severity,
                "where": shown(item.where, LONGEST),
                "evidence": shown(item.evidence, LONGEST),
                "hint": shown(item.hint, LONGEST),
            }
            for item in findings
        ],
        "checked": [dict(entry) for entry in diagnosis.checked],
        "summary": summary(facts, diagnosis),
        "table": table(facts, diagnosis),
    }


def summary(facts: Facts, diagnosis: Diagnosis) -> dict[str, int]:
    """Numbers: findings by severity, checks, and what they were about."""
    numbers = Counter(item.severity for item in diagnosis.findings)
    itses = [space.its for space in facts.of_role(ITS) if space.its is not None]
    wdses = [space.wds for space in facts.of_role(WDS) if space.wds is not None]
    return {
        "errors": numbers["error"],
        "warnings": numbers["warning"],
        "infos": numbers["info"],
        "checks": len(diagnosis.checked),
        "checks_not_run": sum(not entry["ran"] for entry in diagnosis.checked),
        "spaces": len(facts.spaces),
        "wecs": sum(
            facts.looked_at(str(item["metadata"]["name"])) for its in itses for item in its.clusters.items
        ),
        "policies": sum(len(wds.policies.items) for wds in wdses),
    }


def table(facts: Facts, diagnosis: Diagnosis) -> list[str]:
    """Lines of at most 120 columns, the worst first; many findings of one kind are cut, and it says so."""
    numbers = summary(facts, diagnosis)
    told = ", ".join(count(numbers[f"{severity}s"], severity) for severity in SEVERITIES)
    subjects = ", ".join(
        count(numbers[key], noun)
        for key, noun in (("spaces", "space"), ("wecs", "WEC"), ("policies", "policy"))
    )
    ran = numbers["checks"] - numbers["checks_not_run"]
    lines = [
        f"hub {shown(facts.hub.name, 60)}: {told}",
        f"  looked at {subjects} with {count(ran, 'check')}",
    ]
    undone = [str(entry["id"]) for entry in diagnosis.checked if not entry["ran"]]
    if undone:
        lines += wrapped("  ! ", f"{count(undone, 'check')} could not run: {names(undone)}")
    lines += of_findings(diagnosis.findings)
    return [line[:WIDTH].rstrip() for line in lines]
