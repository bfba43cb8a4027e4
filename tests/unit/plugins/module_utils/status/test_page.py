# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page as text: what is in it, that it is whole without JavaScript, and that nothing in it can get out of its place."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _delivery
from ansible_collections.kubestellar.core.plugins.module_utils.status import page, script, style
from ansible_collections.kubestellar.core.plugins.module_utils.status.model import View
from ansible_collections.kubestellar.core.tests import views
from hypothesis import given
from hypothesis import strategies as st


class Outline(HTMLParser):
    """Elements with their attributes, and the text of each kind of element."""

    VOID = frozenset({"meta", "link", "input", "path", "use", "rect"})

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(text)
        assert self._open == [], "an element is not closed"

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open:
            self.texts.setdefault(self._open[-1], []).append(data)


def rows_of(data: dict) -> dict[tuple[str, str], tuple[str, str]]:
    """(object, cluster) to state and message, out of the data of a page."""
    found = {}
    for label, _wds, _policies, runs, _ages in data["rows"]:
        numbers = [
            number for number, often in zip(runs[::2], runs[1::2], strict=True) for _one in range(often)
        ]
        assert len(numbers) == len(data["clusters"])
        for number, cluster in zip(numbers, data["clusters"], strict=True):
            if number:
                state, _selected, _delivered, _applied, message = data["cells"][number]
                found[label, cluster[0]] = (data["states"][state], data["messages"][message])
    return found


@pytest.mark.parametrize("view", [views.small(), views.large(40, 20)], ids=["small", "large"])
def test_the_data_has_each_cell(view):
    expected = {
        (row.label, cell.cluster): (cell.health, cell.message)
        for row in view.rows
        for cell in row.cells.values()
    }
    assert rows_of(page.data(view)) == expected


def test_the_data_has_the_age_of_each_cell_in_minutes():
    data = page.data(views.small())
    (till,) = (row for row in data["rows"] if row[0] == "Deployment shop/till")
    assert till[4] == [1, 4]
    (catalogue,) = (row for row in data["rows"] if row[0] == "ConfigMap shop/catalogue")
    assert catalogue[4] == [2, 4]


def test_a_hundred_thousand_cells_are_a_small_file():
    view = views.large(100, 50)
    assert len(page.text(view)) < 250_000
    data = page.data(view)
    assert len(data["cells"]) < 40 and len(data["messages"]) < 20


def test_the_page_can_be_read_without_javascript():
    outline = Outline(page.text(views.small()))
    text = " ".join(
        part for tag in ("bdi", "b", "td", "th", "span", "p", "time") for part in outline.texts[tag]
    )
    for expected in (
        "19 of 28 placements healthy",
        "26 November 2026, 07:30:00 UTC",
        "vienna-1 is not available (ManagedClusterLeaseUpdateStopped), so what is known of it is stale.",
        'Deployment shop/till has failed in turin-1: Back-off pulling image "shop/till:2.1".',
        "not available (ManagedClusterLeaseUpdateStopped)",
        "city=vienna, location-group=edge",
        "cluster = inventory.name; available = returned.status.availableReplicas",
    ):
        assert expected in text
    assert len(outline.texts["caption"]) >= 2


def test_nothing_of_the_page_comes_from_elsewhere():
    text = page.text(views.small())
    for _tag, attributes in Outline(text).elements:
        for name in ("src", "href", "action", "srcset", "poster", "data"):
            assert str(attributes.get(name, "#")).startswith(("#", "data:,")), attributes
    assert "@import" not in style.STYLE and "url(" not in style.STYLE


def test_the_policy_allows_the_two_blocks_of_the_page_and_no_others():
    outline = Outline(page.text(views.hostile()))
    (policy,) = (
        a["content"] for _tag, a in outline.elements if a.get("http-equiv") == "Content-Security-Policy"
    )
    blocks = {"style": outline.texts["style"], "script": [outline.texts["script"][-1]]}
    for kind, (content,) in blocks.items():
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}';" in policy
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy
    assert "require-trusted-types-for 'script'" in policy


def test_the_script_makes_no_markup_of_texts_and_code_of_none():
    for way in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "Function(",
        "setTimeout('",
    ):
        assert way not in script.SCRIPT
    assert not re.search(r"setAttribute\('(on|style|href)", script.SCRIPT)


def test_hostile_text_stays_text():
    text = page.text(views.hostile())
    harmless = Outline(page.text(views.small()))
    outline = Outline(text)
    assert {tag for tag, _attributes in outline.elements} <= {
        tag for tag, _attributes in harmless.elements
    } | {"details", "summary"}
    assert sum(tag == "script" for tag, _attributes in outline.elements) == 2
    assert not any(name.startswith("on") for _tag, attributes in outline.elements for name in attributes)
    named = " ".join(outline.texts["bdi"])
    assert "<script>document.title='run'</script>" in named
    assert "{{ lookup('pipe', 'id') }}{% for x in y %}" in named and "&amp;&lt;" in named
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]", text)


@given(st.text(max_size=40))
def test_any_text_survives_in_a_script_element(text):
    packed = page.embedded({"text": [text]})
    assert json.loads(packed) == {"text": [text]}
    assert packed.isascii() and not re.search(r"[<>&]", packed)


def test_a_cluster_that_is_selected_and_not_registered_is_in_the_matrix():
    view = views.small()
    cell = _delivery.Cell("gone", True, False, False, "stale", "there is no ManagedCluster of this name")
    view.rows[0].cells["gone"] = cell
    data = page.data(view)
    assert rows_of(data)[view.rows[0].label, "gone"] == ("stale", "there is no ManagedCluster of this name")
    (gone,) = (cluster for cluster in data["clusters"] if cluster[0] == "gone")
    assert gone[1:3] == ["stale", "not registered"] and data["registered"] == 4


def test_many_clusters_are_folded_and_many_warnings_too():
    view = views.large(60, 20)
    assert "<summary>All 60 clusters</summary>" in page.text(view)
    assert "<summary>All" not in page.text(views.small())
    hostile = Outline(page.text(views.hostile()))
    assert any(re.fullmatch(r"\d+ more", text) for text in hostile.texts["summary"])


def test_an_empty_hub_and_one_that_does_not_exist_yet_are_pages_too():
    Outline(page.text(View(taken=views.TAKEN, its="its1")))
    assert "The hub does not exist yet" in page.text(View(taken=views.TAKEN, planned=True))


def test_each_state_has_a_mark_of_its_own():
    assert set(_delivery.STATES) <= set(page.SHAPES)
    assert len(set(page.SHAPES.values())) == len(page.SHAPES)
