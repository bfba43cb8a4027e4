# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide to the inventory plugin, and the inventory that it starts from: what they say is what the code does."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.kubestellar.core.plugins.module_utils import _auth
from ansible_collections.kubestellar.core.plugins.module_utils.fleet.facts import FACTS
from ansible_collections.kubestellar.core.plugins.module_utils.wecs import registered
from ansible_collections.kubestellar.core.plugins.plugin_utils import _wecs

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "docsite" / "rst" / "guide_inventory.rst").read_text(encoding="utf-8")
FLEET = ROOT / "inventories" / "fleet"


def examples() -> list[Any]:
    """The YAML of the guide."""
    found = re.findall(r"(?m)^\.\. code-block:: yaml\n\n((?:   .*\n|\n)+)", GUIDE)
    return [yaml.safe_load(textwrap.dedent(text)) for text in found]


def rows(title: str) -> dict[str, str]:
    """The table under a title: first cell to second."""
    chapter = re.split(r"(?m)^[^\n]+\n-{3,}$", GUIDE.partition(f"{title}\n---")[2])[0]
    return dict(re.findall(r"(?m)^   \* - ``([^`]+)``\n     - (.+)$", chapter))


def source() -> dict[str, Any]:
    return dict(yaml.safe_load((FLEET / "wecs.kubestellar.yml").read_text()))


def test_the_variables_are_those_of_the_plugin():
    assert rows("Variables") == FACTS


def test_the_groups_are_those_of_the_plugin():
    made = {f"{_wecs.ITS}<its>", f"{_wecs.SET}<cluster set>", f"{_wecs.LABEL}<key>_<value>"}
    assert set(rows("Groups")) == {*_wecs.ALWAYS, *made}


def test_the_first_example_is_the_inventory_to_start_from():
    assert examples()[0] == source()
    params = _wecs.parameters(source(), (), str(FLEET))
    hub = yaml.safe_load((FLEET / "group_vars" / "kubestellar_hubs.yml").read_text())
    assert hub["hub_kubeconfig"] == params["kubeconfig"]
    assert hub["hub_context"] == params["context"]
    assert sorted(path.name for path in FLEET.glob("*.yml")) == ["hosts.yml", "wecs.kubestellar.yml"]


def test_what_is_commented_out_in_the_inventory_is_right():
    text = (FLEET / "wecs.kubestellar.yml").read_text()
    options = "\n".join(line[2:] for line in text.splitlines() if re.match(r"# ( |[a-z_]+:|$)", line))
    content = yaml.safe_load(options)
    assert set(content) == {"label_groups", "connections"}
    _wecs.parameters({**source(), **content}, (), str(FLEET))


def test_every_option_of_its_own_is_in_the_guide():
    shown = {key for example in examples() for key in example} | set(re.findall(r"``([a-z_]+)[:`]", GUIDE))
    assert set(_wecs.SPEC) - {"label_selectors"} <= shown


def test_the_credential_type_sets_what_is_read():
    inputs, injectors = (example for example in examples() if "plugin" not in example)
    names = {name for names in _auth._ENVIRONMENT.values() for name in names}
    assert set(injectors["env"]) <= names
    fields = [field["id"] for field in inputs["fields"]]
    assert inputs["required"] == fields and all(f"{{{{ {field} }}}}" in str(injectors) for field in fields)
    assert injectors["env"]["K8S_AUTH_KUBECONFIG"] == "{{ tower.filename.kubeconfig }}"
    environment = dict.fromkeys(injectors["env"], "x")
    assert _auth.resolve({}, environment, in_cluster=False).source == "environment"


def test_the_rights_are_those_that_are_used():
    rights = " ".join(GUIDE.partition("Rights\n---")[2].split())
    for word in (
        "ControlPlanes",
        "Secrets",
        "ManagedClusters",
        "Leases",
        f"``{registered.PROPERTIES_NAMESPACE}``",
    ):
        assert word in rights


def test_the_names_are_those_of_the_plugin():
    params = _wecs.parameters({"host_name": "{name}.second", "plugin": "x"}, (), "/")
    assert any(example.get("host_name") == params["host_name"] for example in examples())
    wecs = [{"kubestellar_cluster": "cluster1", "kubestellar_its": its} for its in ("its1", "its2")]
    assert "cluster1.its2" in _wecs.host_names(wecs, "{name}", []) and "``cluster1.its2``" in GUIDE
    for name in _wecs._TAKEN:
        assert f"``{name}``" in GUIDE
