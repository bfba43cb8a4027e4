# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide to placement: its outputs are what its inventories lead to, its tables are those of the code."""

from __future__ import annotations

import difflib
import importlib
import re
from dataclasses import replace
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
import yaml
from ansible_collections.kubestellar.core.plugins.filter.hub_clusters import hub_clusters
from ansible_collections.kubestellar.core.plugins.filter.workload_offline import workload_offline
from ansible_collections.kubestellar.core.plugins.module_utils._errors import Refused
from ansible_collections.kubestellar.core.plugins.module_utils.placement import (
    apply,
    catalogue,
    guards,
    offline,
    policy,
    preview,
    report,
)

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "docsite" / "rst" / "guide_placement.rst").read_text(encoding="utf-8")
INVENTORY = ROOT / "inventories" / "embedded"


def blocks(language: str) -> list[str]:
    """The code blocks of the page in a language, without their indentation."""
    found = re.findall(rf"(?m)^\.\. code-block:: {re.escape(language)}\n\n((?:   .*\n|\n)+)", PAGE)
    return [re.sub(r"(?m)^   ", "", block).strip("\n") for block in found]


def table(heading: str) -> list[list[str]]:
    """The rows below the head of the list-table in a section, each cell in one line."""
    section = re.split(rf"(?m)^{heading}\n-+\n", PAGE)[1]
    section = re.split(r"(?m)^.*\n-+\n", section)[0]
    rows_only = re.match(r"(?:(?:   .*)?\n)*", section.partition(".. list-table::")[2])
    lines = re.split(r"(?m)^   \* - ", rows_only.group() if rows_only else "")[1:]
    rows = [[" ".join(cell.split()) for cell in re.split(r"(?m)^     - ", line)] for line in lines]
    return rows[1:]


@pytest.fixture(scope="module")
def hosts() -> dict[str, Any]:
    """The WECs of the demo."""
    content = yaml.safe_load((INVENTORY / "hosts.yml").read_text())
    return dict(content["kubestellar_wecs"]["hosts"])


def options(hub: dict[str, Any], hosts: dict[str, Any]) -> dict[str, Any]:
    """The option `offline` of a hub's variables and its WECs."""
    text = yaml.safe_dump(hub["hub_workloads"]).replace("{{ inventory_dir }}", str(INVENTORY))
    clusters = hub_clusters(list(hosts), {**hosts, "hub": {}}, ["hub"], "hub")
    return {**workload_offline(yaml.safe_load(text)), "clusters": clusters}


def test_the_outputs_are_those_of_the_inventories(hosts):
    demo = yaml.safe_load((INVENTORY / "group_vars" / "kubestellar_hubs.yml").read_text())
    more, guarded, narrowed = (yaml.safe_load(block) for block in blocks("yaml"))
    outputs = blocks("text")
    now = offline.scene(options(demo, hosts))
    assert outputs[0].splitlines() == report.text("hub", offline.previews(now))
    all_hosts = {**hosts, **more["kubestellar_wecs"]["hosts"]}
    before = offline.Earlier(offline.deliveries(now), now.kinds())
    for hub, output in ((guarded, outputs[1]), (narrowed, outputs[2])):
        found = offline.previews(offline.scene(options(hub, all_hosts)), before)
        assert output.splitlines() == report.text("hub", found, compared=True)
    assert len(outputs) == 5


def test_the_output_of_the_module_is_that_of_its_policy(hosts):
    demo = yaml.safe_load((INVENTORY / "group_vars" / "kubestellar_hubs.yml").read_text())
    now = offline.scene(options(demo, hosts))
    (task,) = yaml.safe_load(blocks("yaml+jinja")[0])
    given = task["kubestellar.core.binding_policy"]
    spec = policy.to_spec(given["cluster_selectors"], given["downsync"])
    facts = replace(now.facts("wds1"), current=offline.deliveries(now)["wds1", "shop"], kinds=now.kinds())
    seen = preview.preview(spec, facts)
    change = apply.placement_diff(seen, "wds1: placement of BindingPolicy shop")
    lines = difflib.unified_diff(
        change["before"].splitlines(),
        change["after"].splitlines(),
        f"before: {change['before_header']}",
        f"after: {change['after_header']}",
        lineterm="",
    )
    assert blocks("text")[3].splitlines() == list(lines)
    guards.check(seen, guards.parse(given["guards"]), "x")
    limits = guards.parse({**given["guards"], "max_removed_clusters": "20%"})
    with pytest.raises(Refused) as caught:
        guards.check(seen, limits, "wds1: BindingPolicy shop")
    assert " ".join(blocks("text")[4].split()) == caught.value.result()["msg"]


def test_tasks_have_options_that_there_are():
    tasks = [task for block in blocks("yaml+jinja") for task in yaml.safe_load(block)]
    assert len(tasks) == 4
    for task in tasks:
        if "ansible.builtin.include_role" in task:
            role = task["ansible.builtin.include_role"]["name"].rpartition(".")[2]
            specs = yaml.safe_load((ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text())
            check_options(task["vars"], specs["argument_specs"]["main"]["options"])
        for key, arguments in task.items():
            if key.startswith("kubestellar.core."):
                name = key.removeprefix("kubestellar.core.")
                spec = importlib.import_module(
                    f"ansible_collections.kubestellar.core.plugins.modules.{name}"
                ).SPEC
                connection: dict[str, Any] = {"kubeconfig": {}, "context": {}, "wds": {}, "its": {}}
                check_options(arguments, {**spec, **connection})


def check_options(arguments: dict[str, Any], spec: dict[str, Any]) -> None:
    assert set(arguments) <= set(spec)
    for name, value in arguments.items():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict) and "options" in spec[name]:
                check_options(item, spec[name]["options"])


def test_the_guards_are_all_guards():
    assert [code.strip("`") for code, _text in table("Guards")] == list(guards.GUARDS_SPEC)


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


def test_the_warnings_are_those_of_the_catalogue():
    """In its order and its words. What is expected is what belongs into the page."""
    rows = [[code.strip("`"), *rest] for code, *rest in table("Warnings")]
    assert rows == [
        [code, told(entry.message), told(entry.hint)] for code, entry in catalogue.CATALOGUE.items()
    ]


def test_the_comment_is_as_long_as_it_says():
    assert f"at most {report.LONGEST_MARKDOWN} characters" in " ".join(PAGE.split())
