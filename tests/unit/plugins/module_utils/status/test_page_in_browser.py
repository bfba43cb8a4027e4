# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page in a real Chromium: it draws itself, does what it is told, and nothing that names and messages tell it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils.status import page
from ansible_collections.kubestellar.core.tests import browser as browsers
from ansible_collections.kubestellar.core.tests import views
from ansible_collections.kubestellar.core.tests.browser import Browser

OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
ROWS = "[...document.querySelectorAll('#rows tbody tr, #rows .row')].map((row) => row.querySelector('bdi').textContent)"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browsers.started(tmp_path_factory.mktemp("browser")) as started:
        yield started


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    made = {"small": views.small(), "hostile": views.hostile(), "large": views.large(150, 100)}
    for name, view in made.items():
        (folder / f"{name}.html").write_text(page.text(view), encoding="utf-8")
    return {name: folder / f"{name}.html" for name in made}


def type_into(browser: Browser, field: str, text: str) -> None:
    """Fill a field as a user does, and wait for what it does."""
    browser.value(
        f"(() => {{ const field = document.getElementById('{field}'); field.value = {text!r};"
        " field.dispatchEvent(new Event('input')); return new Promise((done) => setTimeout(done, 200)); })()"
    )


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390], ids=["desktop", "phone"])
@pytest.mark.parametrize("name", ["small", "hostile", "large"])
def test_the_page_draws_itself_without_a_complaint(browser, files, name, width, dark):
    browser.look(width, 844, dark=dark)
    browser.open(files[name])
    browser.drawn()
    assert browser.complaints == []
    assert browser.requests == [files[name].as_uri()]
    assert browser.value("document.querySelectorAll('#picture svg .node').length") >= 4
    assert browser.value("document.querySelectorAll('#rows .cell, #rows .strip').length") > 0
    assert browser.value(OVERFLOW) <= 0, "the page scrolls sideways"
    background = browser.value("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(14, 19, 27)") is dark
    assert browser.value("document.documentElement.classList.contains('scripted')")


def test_names_and_messages_are_shown_and_never_run(browser, files):
    browser.look()
    browser.open(files["hostile"])
    browser.drawn()
    title = browser.value("document.title")
    assert title == "<script>document.title='run'</script> · KubeStellar"
    assert browser.value("document.querySelectorAll('img, iframe, object, a, main script').length") == 0
    shown = browser.value(ROWS)
    assert "Deployment shop/<script>document.title='run'</script>" in shown
    assert "Deployment shop/{{ lookup('pipe', 'id') }}{% for x in y %}" in shown
    assert "Deployment shop/one two three" in shown
    browser.value("document.querySelector('#rows .strip').focus()")
    browser.press("ArrowRight")
    assert "selected: yes" in browser.value("document.getElementById('detail').textContent")
    assert browser.complaints == []


def test_markup_and_code_made_at_run_time_are_forbidden(browser, files):
    """Also to ourselves: what would be a mistake of the script is refused by the page's policy."""
    browser.look()
    browser.open(files["small"])
    browser.drawn()
    attempts = (
        "document.body.insertAdjacentHTML('beforeend', '<b id=made>x</b>')",
        "new Function('document.title = 1')()",
        "document.body.setAttribute('onclick', 'document.title = 1')",
        "document.body.append(Object.assign(document.createElement('img'), {src: 'https://kubestellar.io/x.png'}))",
    )
    for number, attempt in enumerate(attempts, 1):
        browser.value(f"(() => {{ try {{ {attempt} }} catch (error) {{ return String(error) }} }})()")
        assert len(browser.complaints) == number, browser.complaints
    assert browser.value("document.getElementById('made') === null && document.title === 'hub · KubeStellar'")


def test_the_matrix_is_filtered_by_text_and_by_state(browser, files):
    browser.look()
    browser.open(files["small"])
    browser.drawn()
    assert browser.value(ROWS)[0] == "Deployment shop/till", "the worst comes first"
    assert len(browser.value(ROWS)) == 7
    type_into(browser, "objects", "deployment SHOP")
    assert browser.value(ROWS) == ["Deployment shop/till", "Deployment shop/store"]
    type_into(browser, "clusters", "city=turin")
    heads = "[...document.querySelectorAll('#rows th[scope=col] bdi')].map((head) => head.textContent)"
    assert browser.value(heads) == ["turin-1"]
    type_into(browser, "objects", "")
    type_into(browser, "clusters", "")
    browser.value("document.querySelector('.chip.progressing').click()")
    assert browser.value(ROWS) == ["Deployment shop/store"]
    assert browser.value(heads) == ["lisbon-2"]
    assert browser.value("document.querySelector('.chip.progressing').getAttribute('aria-pressed')") == "true"
    browser.value("document.querySelector('#rows .cell').click()")
    detail = browser.value("document.getElementById('detail').textContent")
    assert "Deployment shop/store in lisbon-2" in detail and "1 of 2 replicas available" in detail
    type_into(browser, "objects", "nothing of this name")
    assert "nothing fits" in browser.value("document.getElementById('found').textContent")


def test_a_cluster_of_the_picture_chooses_its_column(browser, files):
    browser.look()
    browser.open(files["small"])
    browser.drawn()
    browser.value(
        "document.querySelector('#picture [data-cluster=\"lisbon-2\"] rect').dispatchEvent(new MouseEvent('click', {bubbles: true}))"
    )
    assert browser.value("document.getElementById('clusters').value") == "lisbon-2"
    label = browser.value("document.querySelector('#picture > svg').getAttribute('aria-label')")
    assert label == (
        "Hub hub, workload spaces wds1, inventory spaces its1, 4 clusters (1 failed, 1 stale, 1 progressing, 1 healthy)"
    )


def test_rows_are_made_when_they_come_into_sight(browser, files):
    browser.look()
    browser.open(files["large"])
    browser.drawn()
    made = browser.value("document.querySelectorAll('#rows .row').length")
    assert 40 <= made < 100
    assert "of 60" in browser.value("document.getElementById('more').textContent")
    browser.value("document.getElementById('more').click()")
    browser.value("document.getElementById('more').click()")
    assert browser.value("document.querySelectorAll('#rows .row').length") == 100
    assert browser.value("document.getElementById('more').hidden") is True


def test_the_arrow_keys_read_the_clusters_of_a_row(browser, files):
    browser.look()
    browser.open(files["large"])
    browser.drawn()
    browser.value("document.querySelector('#rows .strip').focus()")
    for key in ("Home", "ArrowRight", "ArrowRight"):
        browser.press(key)
    assert "in store-0002 " in browser.value("document.getElementById('detail').textContent")
    browser.press("End")
    assert "in store-0149 " in browser.value("document.getElementById('detail').textContent")
    assert "Arrow keys" in browser.value("document.activeElement.getAttribute('aria-label')")


def test_an_old_page_says_that_it_is_old(browser, files):
    browser.look()
    browser.open(files["small"])
    browser.drawn()
    old = browser.value(f"Date.now() / 1000 - {views.TAKEN}")
    hidden = browser.value("document.getElementById('banner').hidden")
    assert hidden is (old < 900)


def test_without_javascript_numbers_warnings_and_tables_are_there(browser, files):
    browser.look(390, 844, scripts=False)
    browser.open(files["small"])
    browser.look(390, 844)
    text = browser.value("document.body.innerText")
    assert "19 of 28 placements healthy" in text and "Deployment shop/till has failed in turin-1" in text
    assert "The picture needs JavaScript." in text and "city=lisbon" in text
    assert browser.value("document.querySelector('.tools').offsetParent === null")
