# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide to hubs on a cluster of one's own, and the inventory that it starts from."""

from __future__ import annotations

import inspect
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.vars.manager import VariableManager
from ansible_collections.kubestellar.core.plugins.module_utils import _control_plane
from ansible_collections.kubestellar.core.plugins.module_utils.hub import (
    capacity,
    ingress,
    openshift,
    preflight,
    prerequisites,
    ready,
    renewal,
    steps,
    troubles,
    upgrade,
    values,
)
from ansible_collections.kubestellar.core.plugins.module_utils.local import tools
from ansible_collections.kubestellar.core.plugins.modules import hub_ready, hub_upgrade, space_credentials
from ansible_collections.kubestellar.core.plugins.plugin_utils import _inventory

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "docsite" / "rst" / "guide_hub.rst").read_text()
DEFAULTS = yaml.safe_load((ROOT / "roles" / "hub" / "defaults" / "main.yml").read_text())


def chapter(title: str) -> str:
    """What stands under a title, up to the next one."""
    rest = GUIDE.partition(f"{title}\n---")[2]
    return re.split(r"(?m)^[^\n]+\n-{3,}$", rest)[0]


def table(title: str) -> list[str]:
    """The first column of the table under a title."""
    return re.findall(r"(?m)^   \* - ``([a-z_-]+)``$", chapter(title))


def examples() -> list[Any]:
    """The YAML of the guide."""
    found = re.findall(r"(?m)^\.\. code-block:: yaml\n\n((?:   .*\n|\n)+)", GUIDE)
    return [yaml.safe_load(textwrap.dedent(text)) for text in found]


def specs() -> dict[str, Any]:
    """The options of every role's main entry point."""
    return {
        path.parent.parent.name: yaml.load(path.read_text(), Loader=yaml.CSafeLoader)["argument_specs"][
            "main"
        ].get("options", {})
        for path in (ROOT / "roles").glob("*/meta/argument_specs.yml")
    }


def test_the_troubles_of_the_guide_are_those_of_the_code():
    assert set(table("When it does not get ready")) == set(troubles.TROUBLES)


def test_the_steps_of_the_guide_are_those_of_the_code():
    assert tuple(table("One step at a time")) == steps.STEPS
    text = " ".join(GUIDE.split())
    for key, step in values._STEP_OF.items():
        assert re.search(rf"``{key}``[^.;]* to ``{step}``", text), key
    assert f"annotation ``{_control_plane.NUDGE_ANNOTATION}``" in text


def test_the_variables_of_a_hub_by_steps_in_the_guide_are_sound():
    found = [example for example in examples() if isinstance(example, dict)]
    hosts = [example.get("kubestellar_hubs", {"hosts": {"hub": example}})["hosts"] for example in found]
    assert len(hosts) >= 6
    for variables in hosts:
        assert _inventory.problems({"kubestellar_hubs": list(variables)}, variables, specs()) == []


def test_the_prerequisites_of_the_guide_are_those_of_the_code():
    rows = re.findall(r"(?m)^   \* - ``([a-z-]+)``\n     - (\w+)$", chapter("What is checked first"))
    assert rows == [(name, prerequisites.CATALOGUE[name].severity) for name in preflight.IDS]
    oldest, newest = (".".join(map(str, version)) for version in (prerequisites.OLDEST, prerequisites.NEWEST))
    assert f"older than Kubernetes {oldest}." in GUIDE and f"newer than {newest}, with which" in GUIDE


def test_the_requests_of_the_guide_are_those_of_the_code():
    spaces = {
        "KubeFlex": capacity.of_kubeflex(postgresql=False),
        "its PostgreSQL": capacity.of_kubeflex(postgresql=True)[1:],
        "the API server of a space of type k8s": capacity.of_space("s", "its", "k8s", ocm=False),
        "the API server of a space of type vcluster": capacity.of_space("s", "its", "vcluster", ocm=False),
        "the controllers of a WDS": capacity.of_space("s", "wds", "host", ocm=False),
        "OCM in an ITS": capacity.of_space("s", "its", "host", ocm=True),
    }
    rows = re.findall(
        r"(?m)^   \* - (.+)\n     - ([\d.]+)\n     - (\d+) MiB$", chapter("What is checked first")
    )
    assert rows == [
        (what, f"{sum(load.cpu for load in loads):.3f}", f"{sum(load.memory for load in loads) / 2**20:.0f}")
        for what, loads in spaces.items()
    ]


def test_every_trouble_that_the_guide_names_is_looked_for():
    source = inspect.getsource(troubles)
    for trouble in troubles.TROUBLES:
        assert source.count(f'"{trouble}"') >= 2, trouble


def test_the_numbers_of_the_guide_are_those_of_the_code():
    assert f"``patience`` seconds ({hub_ready.SPEC['patience']['default']})" in GUIDE
    settle = hub_upgrade.SPEC["settle"]["default"]
    assert settle == DEFAULTS["hub_upgrade_settle"]
    assert f"``hub_upgrade_settle`` seconds ({settle})" in " ".join(GUIDE.split())
    assert ready._STUCK_SECONDS == 60 and "for a minute is restarted once" in " ".join(GUIDE.split())


def test_the_upgrade_of_the_guide_is_that_of_the_code():
    assert f"ConfigMap ``{upgrade.STATE}``" in GUIDE
    names = set(
        re.findall(r"kubestellar\.core\.(\w+)", " ".join(re.findall(r"(?m)^   ansible-playbook .*$", GUIDE)))
    )
    assert names == {"hub", "images", "renew", "upgrade", "teardown"}
    assert all((ROOT / "playbooks" / f"{name}.yml").is_file() for name in names)
    for variable in ("hub_chart_version", "hub_versions", "hub_allow_downgrade"):
        assert f"``{variable}``" in GUIDE and variable in DEFAULTS


def test_the_guide_names_the_time_and_the_account_of_renewals():
    before = space_credentials.SPEC["renew_before"]["default"]
    assert before == DEFAULTS["hub_renew_before"] == 30 * 86400
    text = " ".join(GUIDE.split())
    assert f"``hub_renew_before`` seconds ({before}, thirty days)" in text
    assert (
        f"the ServiceAccount ``{'/'.join(renewal.ACCOUNT)}``" in text and renewal.LIFE_SECONDS == 365 * 86400
    )


@pytest.mark.parametrize("inventory", ["existing", "kind", "openshift"])
def test_the_inventories_to_start_from_are_sound(inventory):
    folder = ROOT / "inventories" / inventory
    hosts = yaml.safe_load((folder / "hosts.yml").read_text())
    text = (folder / "group_vars" / "kubestellar_hubs.yml").read_text()
    variables = yaml.safe_load(text)
    groups = {group: list(content["hosts"]) for group, content in hosts.items()}
    assert groups["kubestellar_hubs"] == ["hub"] and groups["kubestellar_wecs"]
    more = (folder / "group_vars" / "kubestellar_wecs.yml").read_text()
    shared = yaml.safe_load(more)
    assert variables["hub_provider"] == shared["wec_provider"] == inventory
    wecs = {host: {**shared, **own} for host, own in hosts["kubestellar_wecs"]["hosts"].items()}
    assert _inventory.problems(groups, {"hub": variables, **wecs}, specs()) == []
    inner = {"api_groups", "verbosity", "default"}
    for option in ("hub_kubeflex", "hub_cluster", "hub_argocd", "hub_wdses"):
        inner |= set(specs()["hub"][option]["options"])
    for role, written in (("hub", text), ("wec", more)):
        commented = re.findall(r"(?m)^ *# +(\w+):(?= |$)", written)
        inner |= set(specs()["wec"]["wec_cluster"]["options"])
        assert set(commented) <= set(specs()[role]) | inner, commented


@pytest.mark.parametrize("inventory", sorted(path.name for path in (ROOT / "inventories").iterdir()))
def test_every_inventory_is_one_for_ansible(inventory):
    """What its templates need is there, and its clusters are in the groups. Sources that ask clusters are tested elsewhere."""
    loader = DataLoader()
    made = InventoryManager(loader=loader, sources=[str(ROOT / "inventories" / inventory / "hosts.yml")])
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
