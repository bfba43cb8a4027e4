# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sources in the guide to workloads: its tables, options and numbers are those of the code. Its example runs in tests/integration/test_sources.py."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.kubestellar.core.plugins.module_utils.workload import (
    archives,
    helm,
    kustomize,
    sources,
)
from ansible_collections.kubestellar.core.plugins.plugin_utils import _inventory

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "docsite" / "rst" / "guide_workloads.rst").read_text(encoding="utf-8")
MODIFIERS = {"kustomize_remote", "kustomize_binary", "helm_binary"}
"""Options that go with a source."""


def section(title: str) -> str:
    """What stands under a title, with the titles below it."""
    rest = PAGE.partition(f"\n{title}\n---")[2]
    return re.split(r"(?m)^[^\n]+\n-{3,}$", rest)[0]


def specs() -> dict[str, Any]:
    """The options of every role's main entry point."""
    return {
        path.parent.parent.name: yaml.load(path.read_text(), Loader=yaml.CSafeLoader)["argument_specs"][
            "main"
        ].get("options", {})
        for path in (ROOT / "roles").glob("*/meta/argument_specs.yml")
    }


def test_the_sources_of_the_guide_are_those_of_the_code():
    rows = re.findall(r"(?m)^   \* - ``(\w+)``$", section("Sources"))
    assert set(rows) == set(sources.SOURCES_SPEC) - MODIFIERS
    assert all(f"``{name}``" in section("Sources") for name in MODIFIERS)


def test_the_workload_with_all_sources_is_sound():
    (text,) = re.findall(
        r"(?m)^   :caption: group_vars/kubestellar_hubs.yml\n\n((?:   .*\n|\n)+)", section("Sources")
    )
    variables = yaml.safe_load(re.sub(r"(?m)^   ", "", text))
    (entry,) = variables["hub_workloads"]
    assert set(entry["source"]) == {*sources.SOURCES_SPEC, "namespace"} - MODIFIERS
    hosts = {"hub": variables, "wec": {}}
    groups = {"kubestellar_hubs": ["hub"], "kubestellar_wecs": ["wec"]}
    assert _inventory.problems(groups, hosts, specs()) == []
    entry["source"]["helm"][0]["valeus"] = {}
    (problem,) = _inventory.problems(groups, hosts, specs())
    assert "valeus" in problem and "hub_workloads" in problem


def test_the_numbers_and_options_of_the_guide_are_those_of_the_code():
    text = " ".join(section("Sources").split())
    assert f"``helm`` {'.'.join(map(str, helm.OLDEST))} or newer" in text
    assert f"kustomize {'.'.join(map(str, kustomize.OLDEST))} or newer" in text
    assert f"up to {archives.LARGEST // 2**20} MiB" in text
    for name in ("kube_version", "api_versions", "include_crds", "registry_config", "ca_path", "repository"):
        assert name in helm.HELM_SPEC and f"``{name}``" in text


def test_a_role_takes_the_sources_of_the_module():
    for role, options in (
        ("workload", specs()["workload"]["workload_source"]["options"]),
        ("hub", specs()["hub"]["hub_workloads"]["options"]["source"]["options"]),
    ):
        assert set(options) == {*sources.SOURCES_SPEC, "namespace"}, role
        for name in ("helm", "archives"):
            inner = {
                key: {k: v for k, v in option.items() if k != "description"}
                for key, option in options[name]["options"].items()
            }
            assert inner == sources.SOURCES_SPEC[name]["options"], (role, name)
    tasks = yaml.safe_load((ROOT / "roles" / "workload" / "tasks" / "apply.yml").read_text())
    (task,) = (entry["kubestellar.core.workload"] for entry in tasks if "kubestellar.core.workload" in entry)
    assert {*sources.SOURCES_SPEC, "namespace"} <= set(task)
