# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `make e2e` says of a run of KubeStellar's suite, of which a script stands for the binary."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils.embedded.home import Stack
from ansible_collections.kubestellar.core.tools import e2e

SPECS = [e2e.Spec("WEC", title, "passed", 1.0, "") for title in ("first", "second")]


def entry(title: str, state: str, kind: str = "It") -> dict[str, Any]:
    """A node of a report of Ginkgo."""
    failed = state not in ("passed", "skipped")
    return {
        "ContainerHierarchyTexts": ["WEC"],
        "LeafNodeType": kind,
        "LeafNodeText": title,
        "State": state,
        "RunTime": 1_500_000_000,
        "Failure": {"Message": "too late", "Location": {"FileName": "/go/wec.go", "LineNumber": 7}}
        if failed
        else {},
    }


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Let the suite end with these states and this status, and return the exit code."""
    monkeypatch.setattr(e2e, "ROOT", tmp_path)
    monkeypatch.setattr(e2e, "CACHE", tmp_path)

    def call(nodes: list[dict[str, Any]] | None, code: int) -> int:
        result, binary = tmp_path / "result.json", tmp_path / "suite"
        result.write_text(json.dumps([{"SpecReports": nodes}]))
        copy = f"cp {result} {tmp_path / 'report.json'}\n" if nodes is not None else ""
        binary.write_text(f"#!/bin/sh\n{copy}exit {code}\n")
        binary.chmod(0o700)
        return e2e.run(binary, SPECS, Stack.of(str(tmp_path), "e2e"), [], e2e.Console("e2e"))

    return call


@pytest.mark.parametrize(
    ("first", "second", "code", "expected"),
    [
        ("passed", "passed", 0, 0),
        ("passed", "failed", 1, 1),
        ("timedout", "skipped", 1, 1),
        ("passed", "skipped", 0, 1),
        ("passed", "pending", 0, 1),
        ("passed", "passed", 1, 1),
    ],
)
def test_only_a_run_in_which_every_spec_passed_succeeds(run, first, second, code, expected):
    assert run([entry("first", first), entry("second", second)], code) == expected


def test_each_spec_that_did_not_pass_is_told_with_its_reason(run, capsys):
    run([entry("", "failed", "BeforeSuite"), entry("first", "timedout"), entry("second", "skipped")], 1)
    told = capsys.readouterr().out
    assert "FAILED     1.5 s  WEC first: wec.go:7: too late\n" in told
    assert "second: not run\n" in told
    assert "0 passed, 2 failed, 1 skipped" in told
    assert "Not all of 2 specs have passed." in told


def test_a_suite_that_ends_without_a_report_fails(run):
    with pytest.raises(e2e.Failed, match="status 3 and no report"):
        run(None, 3)
