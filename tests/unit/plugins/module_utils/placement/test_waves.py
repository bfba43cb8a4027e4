# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, Refused
from ansible_collections.kubestellar.core.plugins.module_utils.placement import waves
from ansible_collections.kubestellar.core.plugins.module_utils.placement.facts import Target
from hypothesis import given
from hypothesis import strategies as st


def selector(value: str) -> dict[str, dict[str, str]]:
    return {"matchLabels": {"group": value}}


def entry(name: str, *values: str) -> dict[str, object]:
    return {"name": name, "cluster_selectors": [{"match_labels": {"group": value}} for value in values]}


THREE = waves.parse([entry("first", "a"), entry("town", "b", "c"), entry("rest", "d")])


def test_a_new_policy_takes_one_wave_after_the_other():
    assert waves.steps(THREE, []) == [
        (1, [selector("a")]),
        (2, [selector("a"), selector("b"), selector("c")]),
        (3, [selector(value) for value in "abcd"]),
    ]


def test_an_interrupted_run_goes_on_with_the_wave_that_it_was_in():
    reached = [selector(value) for value in "abc"]
    assert [number for number, _selectors in waves.steps(THREE, reached)] == [2, 3]
    assert waves.steps(THREE, reached)[0][1] == reached


def test_what_is_done_is_never_narrowed_again():
    whole = [selector(value) for value in "abcd"]
    assert waves.steps(THREE, whole) == [(3, whole)]


def test_what_is_in_no_wave_any_more_leaves_with_the_last():
    steps = waves.steps(THREE, [selector("old")])
    assert [selector("old") in selectors for _number, selectors in steps] == [True, True, False]


@given(st.lists(st.sampled_from("abcdefg"), unique=True))
def test_the_policy_never_gets_narrower_before_the_last_wave(live):
    before = [selector(value) for value in live]
    for _number, selectors in waves.steps(THREE, before)[:-1]:
        assert all(one in selectors for one in before)
        before = selectors
    assert waves.steps(THREE, before)[-1][1] == waves.whole(THREE)


def test_a_cluster_belongs_to_the_first_wave_that_selects_it():
    targets = [Target("one", {"group": "a"}), Target("two", {"group": "d"}), Target("away", {"group": "z"})]
    assert waves.members([*THREE, *waves.parse([entry("again", "a", "d")])], targets) == [
        ["one"],
        [],
        ["two"],
        [],
    ]


def test_a_wave_without_a_cluster_is_refused():
    with pytest.raises(Refused, match="the wave town selects no cluster"):
        waves.check_members(THREE, [["one"], [], ["two"]], "wds1: BindingPolicy shop")


def test_names_are_unique_and_selectors_needed():
    with pytest.raises(InvalidInput, match="first is there twice"):
        waves.parse([entry("first", "a"), entry("first", "b")])
    with pytest.raises(InvalidInput, match="first has no cluster_selectors"):
        waves.parse([entry("first")])


CLUSTERS = [["a"], ["b", "c"], ["d"]]


def test_a_failure_names_what_was_not_begun():
    assert waves.stopped(THREE, CLUSTERS, 2, "x is not there.", set()) == (
        "wave 2 of 3 (town) stopped: x is not there. The waves after it were not begun: rest."
    )
    states = [one["state"] for one in waves.report(THREE, CLUSTERS, 2, set(), failed=True)]
    assert states == ["done", "failed", "waiting"]


def test_a_failure_says_which_clusters_of_later_waves_have_the_workload_all_the_same():
    """They got the change at once, so that they are in danger too."""
    message = waves.stopped(THREE, CLUSTERS, 1, "x is not there.", {"c", "d"})
    assert message.endswith(
        "Of their clusters, c, d had the workload before, with all that has changed in it."
    )


@pytest.mark.parametrize(
    ("before", "told"),
    [
        ((), "wave 2 of 3 (town): healthy on 2 clusters (6 s)"),
        (("a", "d"), "wave 2 of 3 (town): healthy on 2 clusters (6 s)"),
        (
            ("b",),
            "wave 2 of 3 (town): healthy on 2 clusters, of which b had the workload before and was not held back (6 s)",
        ),
        (
            ("b", "c"),
            "wave 2 of 3 (town): healthy on 2 clusters, which had the workload before and were not held back (6 s)",
        ),
    ],
)
def test_a_line_claims_nothing_of_clusters_that_had_the_workload_before(before, told):
    assert waves.line(THREE, CLUSTERS, 2, "healthy", 6, before) == told
    assert waves.report(THREE, CLUSTERS, 2, before)[1]["before"] == [
        name for name in ("b", "c") if name in before
    ]
