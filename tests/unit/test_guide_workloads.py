# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide to workloads: its examples are legal, its numbers and names are those of the code."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.kubestellar.core.plugins.module_utils.workload import applyset, manage, names, prune
from ansible_collections.kubestellar.core.plugins.modules import workload

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "docsite" / "rst" / "guide_workloads.rst").read_text(encoding="utf-8")


def examples() -> list[Any]:
    """The YAML of the guide."""
    found = re.findall(r"(?m)^ *\.\. code-block:: yaml\n\n((?: +.*\n|\n)+)", GUIDE)
    return [yaml.safe_load(textwrap.dedent(text)) for text in found]


def entry() -> dict[str, Any]:
    """What an entry of hub_workloads may have."""
    content = yaml.safe_load((ROOT / "roles" / "hub" / "meta" / "argument_specs.yml").read_text())
    return dict(content["argument_specs"]["main"]["options"]["hub_workloads"]["options"])


@pytest.mark.parametrize("example", [e for e in examples() if "hub_workloads" in e])
def test_an_example_of_the_inventory_is_legal(example):
    for given in example["hub_workloads"]:
        result = ArgumentSpecValidator(entry()).validate(given)
        assert result.error_messages == []


def test_the_labels_and_annotations_are_those_of_the_code():
    rows = re.findall(r"(?m)^   \* - (parent|member)\n     - ``([^`]+)``", GUIDE)
    aset = applyset.ApplySet("x", "y")
    metadata = aset.parent(applyset.Scope())["metadata"]
    assert sorted(name for where, name in rows if where == "parent") == sorted(
        [*metadata["labels"], *metadata["annotations"]]
    )
    assert {name for where, name in rows if where == "member"} == {applyset.PART_OF, names.WORKLOAD_LABEL}
    assert f"``{applyset.ApplySet('<name>', 'y').name}``" in GUIDE
    assert f"``{workload.SPEC['applyset_namespace']['default']}``" in GUIDE


def test_the_numbers_are_those_of_the_code():
    assert f"up to {manage.MOST_TRIED} objects" in GUIDE
    assert "A fifth of the objects may go, but always ten" in GUIDE
    assert str(prune.DEFAULT_LIMIT) == "20%" and prune.ALWAYS_ALLOWED == 10


def test_every_option_that_the_guide_names_is_one():
    options = {
        "prune_limit",
        "prune",
        "recreate",
        "foreign_contents",
        "applyset_namespace",
        "force_conflicts",
        "state",
    }
    for name in options:
        assert re.search(rf"``{name}\b", GUIDE), name
        assert name in workload.SPEC
