# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide to support bundles: what it lists is what is collected, its commands and outputs are those of the code."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import yaml
from ansible_collections.kubestellar.core.plugins.module_utils.support import archive, bundle, collect, plan
from ansible_collections.kubestellar.core.plugins.modules import support_bundle

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "docsite" / "rst" / "guide_support.rst").read_text(encoding="utf-8")
SPECS = yaml.safe_load((ROOT / "roles" / "status" / "meta" / "argument_specs.yml").read_text())
(PLAY,) = yaml.safe_load((ROOT / "playbooks" / "support.yml").read_text())
FILE = "kubestellar-support-hub-20261125T030000Z.tar.gz"
MADE = 1795575600.0  # 2026-11-25 03:00:00 UTC


def blocks(language: str) -> list[str]:
    """The code blocks of the page in a language, without their indentation."""
    found = re.findall(rf"(?m)^\.\. code-block:: {language}\n\n((?:   .*\n|\n)+)", PAGE)
    return [re.sub(r"(?m)^   ", "", block).strip("\n") for block in found]


def table(heading: str) -> list[list[str]]:
    """The rows below the head of the list-table in a section, without markup."""
    section = re.split(rf"(?m)^{heading}\n-+\n", PAGE)[1]
    section = re.split(r"(?m)^.*\n-+\n", section)[0].partition(".. list-table::")[2]
    rows_only = re.match(r"(?:(?:   .*)?\n)*", section)
    lines = re.split(r"(?m)^   \* - ", rows_only.group() if rows_only else "")[1:]
    rows = [[" ".join(cell.split()) for cell in re.split(r"(?m)^     - ", line)] for line in lines]
    return [[cell.replace("`", "") for cell in row] for row in rows[1:]]


def told(role: str) -> str:
    """What is collected of a role, in the words of the guide."""
    wants = plan.wants(role)
    alone = [want.name.partition(".")[0] for want in wants if not want.namespace]
    namespaces = list(dict.fromkeys(want.namespace for want in wants if want.namespace))
    inside = list(dict.fromkeys(want.name.partition(".")[0] for want in wants if want.namespace))
    if not inside:
        return f"{', '.join(alone)}."
    if role == plan.HOSTING:
        namespaces.append("the namespace of each space")
    where = f"{', '.join(namespaces[:-1])} and {namespaces[-1]}"
    return f"{', '.join(alone)}; in {where} {', '.join(inside)}."


def test_what_is_in_it_is_what_is_collected():
    rows = dict(table("What is in it"))
    assert rows["hosting"] == told(plan.HOSTING)
    assert rows["spaces/<name> of a WDS"] == told("wds")
    assert rows["spaces/<name> of an ITS"] == told("its")
    assert rows["wecs/<name>"] == told(plan.WEC)
    assert set(rows) == {
        "doctor",
        "stack",
        "hosting",
        "spaces/<name> of a WDS",
        "spaces/<name> of an ITS",
        "wecs/<name>",
    }


def test_the_folders_are_those_of_the_archive():
    for role, name, expected in (
        (plan.HOSTING, "hub", "hosting"),
        ("its", "its1", "spaces/its1"),
        (plan.WEC, "cluster1", "wecs/cluster1"),
        (plan.STACK, "kubestellar", "stack"),
    ):
        assert bundle.folder(collect.Harvest(collect.Place(role, name))) == expected
        assert expected.partition("/")[0] in " ".join(row[0] for row in table("What is in it"))


def test_the_variables_are_those_of_the_playbook_with_the_defaults_of_role_and_module():
    handed = PLAY["tasks"][0]["vars"]
    options = SPECS["argument_specs"]["support"]["options"]
    for variable, default, _meaning in table("How much"):
        assert variable in handed[f"status_{variable}"]
        expected = options[f"status_{variable}"]["default"]
        assert str(expected) == ("" if default == "all" else default)
        own = support_bundle.SPEC[variable.removeprefix("support_")].get("default")
        assert own == (expected or None)
    named = set(re.findall(r"\bsupport_[a-z_]+", PAGE)) - {"support_bundle"}
    used = set(re.findall(r"(?<!status_)\bsupport_[a-z_]+", str(handed)))
    assert named == used


def test_the_play_uses_options_of_the_role():
    (play,) = yaml.safe_load(blocks("yaml")[0])
    (task,) = play["tasks"]
    assert set(task["vars"]) <= set(
        SPECS["argument_specs"][task["ansible.builtin.include_role"]["tasks_from"]]["options"]
    )
    for connection in task["vars"]["status_support_connections"]:
        assert set(connection) <= set(support_bundle.SPEC["wecs"]["options"])


def test_the_output_is_that_of_the_code():
    refused = "The connection to the server 127.0.0.1:41247 was refused"
    built = bundle.Bundle(
        {},
        [],
        [],
        {"objects": 215, "logs": 31, "clusters": 5, "clusters_missing": 1, "redacted": 64},
        [{"cluster": "WEC cluster2", "what": "everything", "reason": refused}],
    )
    path = f"/srv/site/kubestellar-support/{FILE}"
    assert "\n".join(bundle.table("hub", built, path, 58_123)) == blocks("text")[0]


def test_the_commands_unpack_what_is_written(tmp_path):
    assert archive.target(str(tmp_path), "hub", MADE) == str(tmp_path / FILE)
    archive.write(str(tmp_path / FILE), {"index.md": b"# first\n", "hosting/x": b""}, MADE)
    unpack, read = blocks("shell")[1].splitlines()
    assert read.startswith("less ")
    done = subprocess.run(
        ["bash", "-c", f"{unpack}\n{read.replace('less', 'cat', 1)}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "# first\n"
