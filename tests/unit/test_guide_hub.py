# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide to hubs on a cluster of one's own, and the inventory that it starts from."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import yaml
from ansible_collections.kubestellar.core.plugins.module_utils.hub import ready, renewal, troubles
from ansible_collections.kubestellar.core.plugins.modules import hub_ready, space_credentials
from ansible_collections.kubestellar.core.plugins.plugin_utils import _inventory

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "docsite" / "rst" / "guide_hub.rst").read_text()
INVENTORY = ROOT / "inventories" / "existing"


def test_the_troubles_of_the_guide_are_those_of_the_code():
    assert set(re.findall(r"(?m)^   \* - ``([a-z-]+)``$", GUIDE)) == set(troubles.TROUBLES)


def test_every_trouble_that_the_guide_names_is_looked_for():
    source = inspect.getsource(troubles)
    for trouble in troubles.TROUBLES:
        assert source.count(f'"{trouble}"') >= 2, trouble


def test_the_numbers_of_the_guide_are_those_of_the_code():
    assert f"``patience`` seconds ({hub_ready.SPEC['patience']['default']})" in GUIDE
    assert ready._STUCK_SECONDS == 60 and "for a minute is restarted once" in " ".join(GUIDE.split())


def test_the_guide_names_the_time_and_the_account_of_renewals():
    before = space_credentials.SPEC["renew_before"]["default"]
    defaults = yaml.safe_load((ROOT / "roles" / "hub" / "defaults" / "main.yml").read_text())
    assert before == defaults["hub_renew_before"] == 30 * 86400
    text = " ".join(GUIDE.split())
    assert f"``hub_renew_before`` seconds ({before}, thirty days)" in text
    assert (
        f"the ServiceAccount ``{'/'.join(renewal.ACCOUNT)}``" in text and renewal.LIFE_SECONDS == 365 * 86400
    )


def test_the_inventory_for_an_existing_cluster_is_sound():
    specs = {
        path.parent.parent.name: yaml.safe_load(path.read_text())["argument_specs"]["main"].get("options", {})
        for path in (ROOT / "roles").glob("*/meta/argument_specs.yml")
    }
    hosts = yaml.safe_load((INVENTORY / "hosts.yml").read_text())
    variables = yaml.safe_load((INVENTORY / "group_vars" / "kubestellar_hubs.yml").read_text())
    groups = {group: list(content["hosts"]) for group, content in hosts.items()}
    assert groups == {"kubestellar_hubs": ["hub"]}
    assert _inventory.problems(groups, {"hub": variables}, specs) == []
    commented = re.findall(
        r"(?m)^ *# (\w+):", (INVENTORY / "group_vars" / "kubestellar_hubs.yml").read_text()
    )
    known = (
        set(specs["hub"])
        | set(specs["hub"]["hub_kubeflex"]["options"])
        | set(specs["hub"]["hub_wdses"]["options"])
        | {"verbosity", "default"}
    )
    assert set(commented) <= known, commented
