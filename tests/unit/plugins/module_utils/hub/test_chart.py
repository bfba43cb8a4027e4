# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a chart from folders and archives, and back."""

from __future__ import annotations

import io
import stat
import tarfile
from pathlib import Path

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput
from ansible_collections.kubestellar.core.plugins.module_utils.hub import chart

SUB = {"Chart.yaml": b"name: sub\n", "values.yaml": b"a: 1\n"}
FILES = {"Chart.yaml": b"name: core-chart\n", "templates/a.yaml": b"kind: A\n"}
WHOLE = {
    **FILES,
    "charts/sub-1.0.0/Chart.yaml": SUB["Chart.yaml"],
    "charts/sub-1.0.0/values.yaml": SUB["values.yaml"],
}


def packed(files: dict[str, bytes], folder: str = "chart", kind: bytes = tarfile.REGTYPE) -> bytes:
    """An archive of these files."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"{folder}/{name}" if folder else name)
            member.type, member.size = kind, len(content) if kind == tarfile.REGTYPE else 0
            member.linkname = "/etc/passwd"
            archive.addfile(member, io.BytesIO(content))
    return target.getvalue()


@pytest.fixture
def folder(tmp_path) -> Path:
    made = tmp_path / "core-chart"
    chart.write({**FILES, "charts/sub-1.0.0.tgz": packed(SUB, "sub")}, made)
    return made


def test_a_folder_an_archive_and_what_helm_pull_leaves_are_the_same(folder, tmp_path):
    assert chart.read(folder) == WHOLE
    archive = tmp_path / "pulled" / "core-chart-0.30.0.tgz"
    archive.parent.mkdir()
    archive.write_bytes(packed({**FILES, "charts/sub-1.0.0.tgz": packed(SUB, "sub")}))
    assert chart.read(archive) == WHOLE
    assert chart.read(archive.parent) == WHOLE


def test_a_copy_replaces_what_was_there_and_is_private(folder, tmp_path):
    copy = tmp_path / "work" / "copy"
    chart.write({"old": b"1", "Chart.yaml": b""}, copy)
    chart.write(chart.read(folder), copy)
    assert chart.read(copy) == WHOLE
    assert stat.S_IMODE(copy.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in copy.rglob("*") if path.is_file()} == {0o600}
    assert [path.name for path in copy.parent.iterdir()] == ["copy"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "There is no chart at"),
        (b"no archive", "is no archive of a chart"),
        (packed(FILES)[:-40], "is no archive of a chart"),
        (packed({"values.yaml": b""}), "it has no Chart.yaml"),
        (packed(FILES, ""), "it holds Chart.yaml"),
        (packed({"../../evil": b"x"}), "it holds chart/../../evil"),
        (packed({"evil": b"x"}, "/etc"), "it holds /etc/evil"),
        (packed(FILES, kind=tarfile.SYMTYPE), "it has no Chart.yaml"),
    ],
)
def test_what_is_no_chart_is_refused(tmp_path, content, words):
    archive = tmp_path / "a.tgz"
    if content is not None:
        archive.write_bytes(content)
    with pytest.raises(InvalidInput, match=words):
        chart.read(archive)


def test_a_folder_without_a_chart_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="has no Chart.yaml"):
        chart.read(tmp_path)


def test_an_archive_that_grows_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(chart, "_LARGEST", 1000)
    (tmp_path / "a.tgz").write_bytes(packed({**FILES, "big": b"0" * 1001}))
    with pytest.raises(InvalidInput, match="it is larger than"):
        chart.read(tmp_path / "a.tgz")
