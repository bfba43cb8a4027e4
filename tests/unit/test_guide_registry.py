# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the guide to hubs says about a site without a way to the internet."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from ansible_collections.kubestellar.core.plugins.module_utils.hub.registry import Registry

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "docsite" / "rst" / "guide_hub.rst").read_text()
SECTION = GUIDE.partition("A site without a way to the internet\n---")[2].partition(
    "When it does not get ready\n---"
)[0]
ROLE = ROOT / "roles" / "hub"


def blocks(kind: str) -> list[str]:
    """The code blocks of the section."""
    found = re.findall(rf"(?m)^\.\. code-block:: {kind}\n\n((?:   .*\n|\n)+)", SECTION)
    return [re.sub(r"(?m)^   ", "", block) for block in found]


def test_the_rule_of_the_guide_is_that_of_the_code():
    one, hosts = (yaml.safe_load(block) for block in blocks("yaml"))
    rows = re.findall(r"   \* - ``(\S+)``\n     - ``(\S+)``", SECTION)
    assert len(rows) == 3
    for source, target in rows:
        assert Registry.of(one["hub_registry"]).target(source) == target
    assert Registry.of("", hosts["hub_registries"]).target("quay.io/a/b") == "registry.example.com/quay/a/b"


def test_the_variables_and_files_of_the_guide_are_those_of_the_role():
    known = set(yaml.safe_load((ROLE / "defaults" / "main.yml").read_text()))
    assert set(re.findall(r"hub_[a-z_]+", re.sub(r"module`|kubestellar\.core\.\w+", "", SECTION))) <= known
    command, copying = blocks("shell")
    folder = re.search(r"hub_images_output=(\S+)", command)[1]
    (writing,) = (
        task
        for task in yaml.safe_load((ROLE / "tasks" / "images.yml").read_text())
        if "ansible.builtin.copy" in task
    )
    assert f"{folder}/hub.copies" in copying and "copies" in writing["vars"]["__hub_files"]
