# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide to the status of a hub: its tables, variables and outputs are those of the code, and its picture is there."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import yaml
from ansible_collections.kubestellar.core.plugins.module_utils import _delivery
from ansible_collections.kubestellar.core.plugins.module_utils.status import export, files, follow, prometheus
from ansible_collections.kubestellar.core.plugins.modules import status_follow, status_report
from ansible_collections.kubestellar.core.tests import views

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "docsite" / "rst"
PAGE = (FOLDER / "guide_status.rst").read_text(encoding="utf-8")
OPTIONS = yaml.safe_load((ROOT / "roles" / "status" / "meta" / "argument_specs.yml").read_text())[
    "argument_specs"
]["main"]["options"]
DEFAULTS = yaml.safe_load((ROOT / "roles" / "status" / "defaults" / "main.yml").read_text())


def table(first: str) -> list[list[str]]:
    """The rows of the list-table whose head begins with a word."""
    _before, _found, rest = PAGE.partition(f"   * - {first}\n")
    rest = re.split(r"\n(?! )\S", rest)[0]
    rows = re.split(r"(?m)^   \* - ", rest)[1:]
    return [[" ".join(cell.split()) for cell in re.split(r"(?m)^     - ", row)] for row in rows]


def blocks(language: str) -> list[str]:
    found = re.findall(rf"(?m)^\.\. code-block:: {language}\n\n((?:   .*\n|\n)+)", PAGE)
    return [re.sub(r"(?m)^   ", "", block).strip("\n") for block in found]


def test_the_states_are_those_of_the_code():
    assert [row[0].strip("`") for row in table("State")] == list(_delivery.STATES)


def test_the_metrics_are_those_of_the_code():
    assert table("Metric") == [
        [f"``{metric.name}``", ", ".join(f"``{name}``" for name in ("hub", *metric.labels)), metric.help]
        for metric in prometheus.METRICS
    ]


def test_the_keys_of_the_json_export_are_those_of_the_code():
    listed = " ".join(PAGE.partition("under the keys ")[2].partition(". What")[0].split())
    assert re.findall(r"``(\w+)``", listed) == list(export.data(views.small()))


def test_the_commands_use_variables_of_the_role_and_what_they_take():
    commands = [block for block in blocks("shell") if "-e " in block]
    assert len(commands) == 3
    given: dict[str, object] = {}
    for command in commands:
        _command, _e, extra = command.partition(" -e ")
        value = yaml.safe_load(
            extra.strip("'").replace("=", ": ", 1) if "{" not in extra else extra.strip("'")
        )
        given |= value
    assert set(given) == {"status_report_dest", "status_report_formats", "status_follow"}
    assert set(given) <= set(OPTIONS)
    assert set(given["status_report_formats"]) <= set(files.FORMATS)
    (play,) = yaml.safe_load(blocks("yaml")[0])
    assert set(play["roles"][0]) - {"role"} <= set(OPTIONS)


def test_the_defaults_of_role_module_and_guide_are_the_same():
    assert f"``status_follow_duration`` seconds ({DEFAULTS['status_follow_duration']})" in PAGE
    assert status_follow.SPEC["duration"]["default"] == DEFAULTS["status_follow_duration"]
    assert status_follow.SPEC["until"]["default"] == DEFAULTS["status_follow_until"]
    assert "``-e status_follow_until=duration``" in PAGE and "duration" in follow.UNTIL
    assert status_report.SPEC["formats"]["default"] == DEFAULTS["status_report_formats"]
    for variable, choices in (
        ("status_report_formats", list(files.FORMATS)),
        ("status_follow_until", list(follow.UNTIL)),
    ):
        assert OPTIONS[variable]["choices"] == choices


def test_the_lines_of_following_are_those_of_the_code():
    key = ("object", "cluster{}", "wds1/Deployment shop/till")
    slow, well = ("progressing", "1 of 2 replicas available"), ("healthy", "")
    where = [(key[0], key[1].format(number), key[2]) for number in (1, 2)]
    (text,) = blocks("text")
    shown = [line.partition(" ")[2] for line in text.splitlines()]
    assert shown[1:2] == follow.changes({}, dict.fromkeys(where, slow))
    assert shown[2:3] == follow.changes(dict.fromkeys(where, slow), dict.fromkeys(where, well))


def test_the_picture_is_there_and_small():
    name = re.findall(r"(?m)^\.\. image:: (\S+)$", PAGE)
    assert name == ["images/status_report.png"]
    content = (FOLDER / name[0]).read_bytes()
    width, height = struct.unpack(">II", content[16:24])
    assert content.startswith(b"\x89PNG\r\n\x1a\n") and len(content) < 200_000
    assert 1000 <= width <= 2000 and 800 <= height <= 2600
