# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A play that has no hosts fails, and says what is not there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
import pytest
from ansible import context
from ansible.errors import AnsibleFilterError
from ansible.parsing.dataloader import DataLoader
from ansible_collections.kubestellar.core.plugins.filter.playbook_hosts import playbook_hosts

PLAYBOOKS = Path(__file__).parents[4] / "playbooks"
HUBS, WECS = "kubestellar_hubs", "kubestellar_wecs"
GROUPS = {
    "all": ["hub", "c1", "c2", "c3"],
    HUBS: ["hub"],
    WECS: ["c1", "c2", "c3"],
    "edge": ["c1", "c2"],
    "empty": [],
    "kubestellar_strangers": ["c3"],
}


@pytest.fixture(autouse=True)
def arguments(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    given: dict[str, Any] = {}
    monkeypatch.setattr(context, "CLIARGS", given)
    return given


def test_a_group_that_has_hosts_is_the_pattern_of_the_play():
    assert playbook_hosts(GROUPS, HUBS) == HUBS
    assert playbook_hosts(GROUPS, "empty", empty=True) == "empty"


@pytest.mark.parametrize(
    ("groups", "more", "message"),
    [
        ({}, {}, "no group kubestellar_hubs, so nothing was done. Is it the right inventory"),
        ({"kubestellar_hub": ["h"]}, {}, "Did you mean kubestellar_hubs by kubestellar_hub?"),
        ({HUBS: []}, {}, "The group kubestellar_hubs of the inventory has no hosts"),
        ({HUBS: ["h"]}, {"also": [WECS]}, "no group kubestellar_wecs"),
    ],
)
def test_a_group_that_is_missing_or_empty_is_a_failure(groups, more, message):
    with pytest.raises(AnsibleFilterError, match=message.replace("?", r"\?").replace("(", r"\(")):
        playbook_hosts(groups, HUBS, **more)


@pytest.mark.parametrize(
    ("pattern", "hosts"),
    [
        ("c1", ["c1"]),
        ("edge", ["c1", "c2"]),
        ("c*", ["c1", "c2", "c3"]),
        ("edge:!c1", ["c2"]),
        ("c2,c1", ["c2", "c1"]),
    ],
)
def test_a_pattern_is_its_hosts(pattern, hosts):
    assert sorted(playbook_hosts(GROUPS, WECS, pattern)) == sorted(hosts)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("", "Name the clusters"),
        (" ", "Name the clusters"),
        ("edgy", "edgy is no host, group or pattern.*Did you mean edge"),
        ("c1,c9", "c9 is no host"),
        ("edge:!edgy", "edgy is no host"),
        ("empty", "empty is no host, group or pattern that matches any host"),
        ("edge:!edge", "matches no host"),
        ("all", "matches hub, not in kubestellar_wecs"),
        ("c3", "only clusters that the hub has not accepted"),
    ],
)
def test_a_pattern_that_means_nobody_or_somebody_else_is_a_failure(pattern, message):
    with pytest.raises(AnsibleFilterError, match=message):
        playbook_hosts(GROUPS, WECS, pattern)


def test_a_limit_that_leaves_nobody_is_a_failure():
    assert playbook_hosts(GROUPS, WECS, "edge", limit="c1") == ["c1", "c2"]
    with pytest.raises(AnsibleFilterError, match="--limit c3 leaves none of edge"):
        playbook_hosts(GROUPS, WECS, "edge", limit="c3")


@pytest.mark.parametrize("option", ["syntax", "listtasks", "listtags"])
def test_what_needs_no_inventory_goes_without(arguments, option):
    arguments[option] = True
    assert playbook_hosts({}, HUBS) == HUBS and playbook_hosts({}, WECS, "c1") == "c1"


def plays(path: Path, variables: dict[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """The plays of a playbook and of those that it imports, each with its variables."""
    found = []
    for play in DataLoader().load_from_file(str(path)):
        own = {**variables, **play.get("vars", {})}
        imported = play.get("ansible.builtin.import_playbook")
        found += plays(path.parent / imported, own) if imported else [(play, own)]
    return found


@pytest.mark.parametrize("path", sorted(PLAYBOOKS.rglob("*.yml")), ids=lambda path: path.stem)
@pytest.mark.parametrize("lacking", [HUBS, WECS, "both"])
def test_a_playbook_fails_without_the_groups_that_it_works_on(path, lacking):
    groups = {name: hosts for name, hosts in GROUPS.items() if name != lacking and lacking != "both"}
    of_wecs = path.stem in ("wecs", "drain", "site")
    of_hubs = path.stem not in ("wecs", "drain")
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)
    environment.filters["kubestellar.core.playbook_hosts"] = playbook_hosts

    def run(groups: dict[str, list[str]]) -> None:
        for play, own in plays(path, {"groups": groups, "drain_hosts": "c1"}):
            assert environment.from_string(play["hosts"]).render(own)

    run(GROUPS)
    if lacking == "both" or (lacking == HUBS and of_hubs) or (lacking == WECS and of_wecs):
        with pytest.raises(AnsibleFilterError, match="so nothing was done"):
            run(groups)
    else:
        run(groups)
