# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide to hubs on a cluster of one's own, and the inventory that it starts from."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
import yaml
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.vars.manager import VariableManager
from ansible_collections.kubestellar.core.plugins.module_utils.hub import ingress, openshift, ready, troubles
from ansible_collections.kubestellar.core.plugins.module_utils.local import tools
from ansible_collections.kubestellar.core.plugins.modules import hub_ready
from ansible_collections.kubestellar.core.plugins.plugin_utils import _inventory

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "docsite" / "rst" / "guide_hub.rst").read_text()


def test_the_troubles_of_the_guide_are_those_of_the_code():
    assert set(re.findall(r"(?m)^   \* - ``([a-z-]+)``$", GUIDE)) == set(troubles.TROUBLES)


def test_every_trouble_that_the_guide_names_is_looked_for():
    source = inspect.getsource(troubles)
    for trouble in troubles.TROUBLES:
        assert source.count(f'"{trouble}"') >= 2, trouble


def test_the_numbers_of_the_guide_are_those_of_the_code():
    assert f"``patience`` seconds ({hub_ready.SPEC['patience']['default']})" in GUIDE
    assert ready._STUCK_SECONDS == 60 and "for a minute is restarted once" in " ".join(GUIDE.split())


@pytest.mark.parametrize("inventory", ["existing", "kind", "openshift"])
def test_the_inventories_to_start_from_are_sound(inventory):
    specs = {
        path.parent.parent.name: yaml.safe_load(path.read_text())["argument_specs"]["main"].get("options", {})
        for path in (ROOT / "roles").glob("*/meta/argument_specs.yml")
    }
    folder = ROOT / "inventories" / inventory
    hosts = yaml.safe_load((folder / "hosts.yml").read_text())
    text = (folder / "group_vars" / "kubestellar_hubs.yml").read_text()
    variables = yaml.safe_load(text)
    groups = {group: list(content["hosts"]) for group, content in hosts.items()}
    assert groups == {"kubestellar_hubs": ["hub"]}
    assert variables["hub_provider"] == inventory
    assert _inventory.problems(groups, {"hub": variables}, specs) == []
    commented = re.findall(r"(?m)^ *# +(\w+):(?= |$)", text)
    inner = {"api_groups", "verbosity", "default"}
    for option in ("hub_kubeflex", "hub_cluster", "hub_argocd"):
        inner |= set(specs["hub"][option]["options"])
    assert set(commented) <= set(specs["hub"]) | inner, commented


@pytest.mark.parametrize("inventory", sorted(path.name for path in (ROOT / "inventories").iterdir()))
def test_every_inventory_is_one_for_ansible(inventory):
    """What its templates need is there, and its clusters are in the groups."""
    loader = DataLoader()
    made = InventoryManager(loader=loader, sources=[str(ROOT / "inventories" / inventory)])
    hubs = made.get_groups_dict()["kubestellar_hubs"]
    variables = VariableManager(loader=loader, inventory=made)
    for hub in hubs:
        found = variables.get_vars(host=made.get_host(hub))
        assert found["ansible_connection"] == "local"
    assert hubs


def test_the_guide_names_the_oldest_programs_and_the_groups_of_the_code():
    for tool, oldest in tools.OLDEST.items():
        assert f"``{tool}`` {'.'.join(map(str, oldest))}" in " ".join(GUIDE.split())
    for group in openshift.GROUPS:
        assert f"``{group}``" in GUIDE
    assert tools.kubeconfig_path("~/.kubestellar", "kind", "hub").replace(str(Path.home()), "~") in GUIDE


def test_a_local_cluster_lets_its_ingress_controller_pass_tls_through():
    """In kind on the only node that has the port, which two Pods of an update cannot have at once."""
    values = yaml.safe_load((ROOT / "roles" / "hub" / "vars" / "main.yml").read_text())[
        "__hub_ingress_values"
    ]
    assert set(values) == set(tools.TOOLS)
    for tool in tools.TOOLS:
        (argument,) = (
            f"--{name}={value}"
            for name, value in values[tool]["controller"]["extraArgs"].items()
            if name.startswith("enable")
        )
        assert ingress.passes_through([argument])
    kind = values["kind"]["controller"]
    labels = tools.kind_config(tools.Wanted("kind", "hub", port=9443))["nodes"][0]["labels"]
    assert kind["nodeSelector"] == labels and kind["hostPort"]["enabled"]
    assert kind["updateStrategy"]["rollingUpdate"]["maxUnavailable"] == 1
