# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Previews as text, as data and as Markdown; whatever names are in them."""

from __future__ import annotations

import json

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._grid import WIDTH
from ansible_collections.kubestellar.core.plugins.module_utils.placement import report
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

HOSTILE = [
    "a|b",
    "a\\|b",
    "`",
    "``x``",
    "a`b",
    "<script>alert(1)</script>",
    "</details><img src=x>",
    "@somebody",
    "https://evil.example/?a=b",
    "![x](https://evil.example/x.png)",
    "[x](javascript:alert(1))",
    "a\n\n# heading",
    "\x1b[2J",
    "\u202etxt.exe",
    "{{ lookup('pipe', 'id') }}",
    "&#124;&lt;",
    "**bold**",
    " | --- | ",
    "x" * 5000,
]


def obj(name, kind="ConfigMap", namespace="shop", **more):
    return {
        "group": "",
        "version": "v1",
        "resource": f"{kind.lower()}s",
        "kind": kind,
        "namespace": namespace,
        "name": name,
        "create_only": False,
        "status_collectors": [],
        "want_singleton_reported_state": False,
        "want_multi_wec_reported_state": False,
        **more,
    }


def entry(name="shop", wds="wds1", state="present", refused=(), **preview):
    empty = (
        *("clusters", "clusters_added", "clusters_removed", "objects"),
        *("objects_added", "objects_removed", "objects_changed", "warnings"),
    )
    whole = {**{key: [] for key in empty}, **preview}
    return {"name": name, "wds": wds, "state": state, "preview": whole, "refused": list(refused)}


def trouble(message, code="no-object", hint="Do something."):
    return {"code": code, "message": message, "hint": hint}


A, B, C = obj("a"), obj("b", create_only=True, status_collectors=["s"]), obj("c", "Job")
NEW = entry(
    clusters=["c1", "c2"],
    clusters_added=["c1", "c2"],
    objects=[A, B],
    objects_added=[A, B],
    warnings=[trouble("Something is wrong.")],
)
CHANGED = entry(
    clusters=["c1", "c2"],
    clusters_added=["c2"],
    clusters_removed=["c3"],
    objects=[A, B],
    objects_added=[B],
    objects_changed=[A],
    objects_removed=[{**C, "last_copy": True}],
)
GONE = entry("old", state="absent", clusters_removed=["c1"], objects_removed=[{**A, "last_copy": False}])


# -- numbers ---------------------------------------------------------------------------------------------------------


def test_cells_are_objects_that_are_kept_added_and_removed():
    assert report.cells(CHANGED["preview"]) == {
        "c1": report.Cell(kept=1, added=1, removed=1),
        "c2": report.Cell(added=2),
        "c3": report.Cell(removed=2),
    }
    assert report.cells(GONE["preview"]) == {"c1": report.Cell(removed=1)}


@pytest.mark.parametrize(
    ("cell", "compared", "expected"),
    [
        (report.Cell(added=3), False, "3"),
        (report.Cell(added=3), True, "+3"),
        (report.Cell(kept=4, added=2, removed=1), True, "4 +2 -1"),
        (report.Cell(removed=1), True, "-1"),
        (report.Cell(kept=4), True, "4"),
        (report.Cell(), True, "0"),
    ],
)
def test_a_cell_is_written_short(cell, compared, expected):
    assert cell.text(compared) == expected


def test_the_summary_counts_what_is_there_once():
    assert report.summary([NEW, CHANGED, GONE]) == {
        "policies": 3,
        "clusters": 2,
        "objects": 2,
        "placements": 8,
        "placements_added": 7,
        "placements_removed": 4,
        "warnings": 1,
        "refused": 0,
    }
    other = {**NEW, "wds": "wds2"}
    assert report.summary([NEW, other])["objects"] == 4


def test_the_data_survive_json():
    data = report.data("hub", [NEW], compared=True)
    assert json.loads(json.dumps(data)) == data
    assert sorted(data) == ["compared", "previews", "summary", "title"]


def test_refusals_name_the_policy():
    refused = entry(refused=[trouble("3 clusters would be selected.", "guard-max-clusters")])
    assert report.refusals([NEW, refused]) == [
        "shop in wds1: 3 clusters would be selected. Do something. [guard-max-clusters]"
    ]


# -- text ------------------------------------------------------------------------------------------------------------


def test_the_text_of_a_state_is_a_table_and_lists():
    assert report.text("hub", [NEW]) == [
        "placement on hub: 1 policy, 2 clusters, 2 objects",
        "  objects of    c1  c2",
        "  shop in wds1  2   2",
        "",
        "shop in wds1: 2 objects to 2 clusters",
        "  on c1, c2",
        "    ConfigMap shop/a",
        "    ConfigMap shop/b  create_only, status collector s",
        "  ! Something is wrong. [no-object]",
        "    Do something.",
    ]


def test_the_text_of_a_change_shows_first_what_leaves():
    assert report.text("", [CHANGED, GONE], compared=True) == [
        "placement: 2 policies, 2 clusters, 2 objects",
        "  objects of    c1       c2  c3",
        "  shop in wds1  1 +1 -1  +2  -2",
        "  old in wds1   -1",
        "",
        "shop in wds1: 2 objects to 2 clusters; 1 cluster more, 1 cluster less, 1 object more, 1 object less, 1 object delivered",
        "otherwise",
        "  - on c3",
        "  + on c2",
        "  on c1",
        "    - Job shop/c        the last copy",
        "    + ConfigMap shop/b  create_only, status collector s",
        "    ~ ConfigMap shop/a",
        "",
        "old in wds1: removed, 1 object from 1 cluster",
        "  - on c1",
        "    - ConfigMap shop/a",
    ]


def test_what_is_refused_is_not_told_twice():
    item = trouble("Something is wrong.")
    lines = report.text("hub", [entry(warnings=[item, trouble("And more.")], refused=[item])])
    assert [line for line in lines if "!" in line] == [
        "  ! REFUSED: Something is wrong. [no-object]",
        "  ! And more. [no-object]",
    ]


def test_a_fleet_is_numbers_and_cut_lists():
    names = [f"cluster{number:04}" for number in range(1000)]
    objects = [obj(f"o{number}") for number in range(200)]
    lines = report.text("hub", [entry(clusters=names, clusters_added=names, objects=objects)], compared=True)
    assert all(len(line) <= WIDTH for line in lines)
    assert lines[1:3] == [
        "  policy        clusters  objects  + clusters  - clusters  + objects  - objects",
        "  shop in wds1  1000      200      1000        0           0          0",
    ]
    assert any(line.endswith("and 950 more") for line in lines)
    assert "    and 150 more" in lines


@pytest.mark.parametrize("name", HOSTILE)
def test_text_stays_lines_of_text(name):
    lines = report.text(name, [hostile(name)], compared=True)
    assert all(len(line) <= WIDTH and line.isprintable() for line in lines)


# -- Markdown --------------------------------------------------------------------------------------------------------


def hostile(name):
    """A preview in which everything that is text is hostile."""
    one = obj(name, name, name, status_collectors=[name], last_copy=True)
    return entry(
        name,
        name,
        clusters=[name],
        clusters_added=[name],
        clusters_removed=["z" + name],
        objects=[one],
        objects_added=[one],
        objects_removed=[{**one, "group": "x"}],
        warnings=[trouble(name, hint=name)],
        refused=[trouble("y" + name, hint=name)],
    )


def rendered(text):
    """(kinds of tokens, texts in code, HTML) as a reader of GitHub's Markdown gets it."""
    kinds, codes, html = set(), [], []
    for token in MarkdownIt("commonmark", {"html": True}).enable("table").parse(text):
        kinds.add(token.type)
        if token.type.startswith("html"):
            html += token.content.split()
        for child in token.children or []:
            kinds.add(child.type)
            if child.type == "code_inline":
                codes.append(child.content)
            elif child.type.startswith("html"):
                html.append(child.content)
            elif child.type == "text":
                assert not set(child.content) & set("<>@[]!`{}\\"), child.content
    return kinds, codes, html


FORBIDDEN = {"link_open", "image", "html_inline", "fence", "code_block", "blockquote_open", "hr"}


def check_harmless(text, name):
    kinds, codes, html = rendered(text)
    assert not kinds & FORBIDDEN
    assert html == ["<details><summary>2", "objects</summary>", "</details>"]
    table = report.shown(name, 500).replace("\\", "%5C").replace("|", "%7C")
    if table:
        # As often as it is given: in the head of a policy, a row, a list of objects.
        assert sum(table.strip() in code for code in codes) >= 10


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("compared", [True, False])
def test_hostile_names_are_text_in_code(name, compared):
    text = report.markdown(name, [hostile(name)], compared=True)
    check_harmless(text, name)
    assert len([line for line in text.splitlines() if line.startswith("| ")]) == 3 + 4


@given(st.text(alphabet=st.one_of(st.sampled_from("`|\\<>&@#*_[]()!~-:\n\r\t {}%."), st.characters())))
def test_any_name_is_text_in_code(name):
    check_harmless(report.markdown(name, [hostile(name)], compared=True), name)


@given(st.text())
def test_code_is_read_as_it_was(text):
    line = report.shown(text)
    _kinds, codes, _html = rendered("x " + report.code(text))
    assert codes == ([line] if line else [])


def test_the_markdown_of_a_state():
    assert report.markdown("hub", [NEW]).splitlines() == [
        "## Placement on `hub`",
        "",
        "1 policy, 2 clusters, 2 objects.",
        "",
        "| objects of | `c1` | `c2` |",
        "| --- | ---: | ---: |",
        "| `shop` in `wds1` | 2 | 2 |",
        "",
        "### `shop` in `wds1`: 2 objects to 2 clusters",
        "",
        "- **no-object:** `Something is wrong.` `Do something.`",
        "",
        "<details><summary>2 objects</summary>",
        "",
        "| kind | namespace | name | delivered with |",
        "| --- | --- | --- | --- |",
        "| `ConfigMap` | `shop` | `a` |  |",
        "| `ConfigMap` | `shop` | `b` | `create_only, status collector s` |",
        "",
        "</details>",
        "",
    ]


def test_the_markdown_of_a_change_marks_what_changes():
    text = report.markdown("hub", [CHANGED], compared=True)
    assert "2 objects; 3 placements more, 3 less." in text
    assert "| `shop` in `wds1` | 1 +1 -1 | +2 | -2 |" in text
    assert "Leaves `c3`." in text and "Comes to `c2`." in text
    assert "| `-` | `Job` | `shop` | `c` | `the last copy` |" in text
    assert "| `+` | `ConfigMap` | `shop` | `b` |" in text
    assert "| `~` | `ConfigMap` | `shop` | `a` |" in text


def test_refusals_are_counted_above():
    text = report.markdown("hub", [entry(refused=[trouble("Too much.", "guard-max-clusters")])])
    assert "**1 refusal by guards**" in text and "- **REFUSED: guard-max-clusters:** `Too much.`" in text


@pytest.mark.parametrize(("policies", "objects"), [(1, 10_000), (40, 1_000), (300, 300)])
def test_markdown_fits_into_a_comment_and_says_what_it_leaves_out(policies, objects):
    clusters = [f"cluster{number}" for number in range(1000)]
    many = [obj(f"object-with-a-name-{number}") for number in range(objects)]
    found = [
        entry(f"policy{number}", clusters=clusters, objects=many, warnings=[trouble("x" * 900)])
        for number in range(policies)
    ]
    text = report.markdown("hub", found)
    assert len(text) <= report.LONGEST_MARKDOWN + 100
    assert text.count("<details>") == text.count("</details>")
    assert "more than a comment can hold" in text or "9800 more" in text
    _kinds, _codes, html = rendered(text)
    assert all("details>" in part or "summary>" in part or part.startswith("<details>") for part in html)


def test_no_policy_is_no_table():
    assert report.text("hub", []) == ["placement on hub: 0 policies, 0 clusters, 0 objects"]
    assert "|" not in report.markdown("hub", [])
