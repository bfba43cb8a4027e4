# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One code, one sentence and one hint for each trouble."""

from __future__ import annotations

import re
from string import Formatter

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils.placement import catalogue

CODES = sorted(catalogue.CATALOGUE)
NUMBERS = {"registered", "number", "limit", "before"}


def fields(template):
    return {
        (name, spec) for _text, name, spec, _conversion in Formatter().parse(template) if name is not None
    }


def values(code, size):
    """One value for each field of an entry, lists with `size` elements."""
    entry = catalogue.CATALOGUE[code]
    result = {}
    for name, spec in fields(entry.message) | fields(entry.hint):
        if name in NUMBERS:
            result[name] = size
        elif spec:
            result[name] = [f"{name}{number}" for number in range(size)]
        else:
            result.setdefault(name, "something")
    return result


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("size", [0, 1, 2, 9])
def test_every_entry_makes_whole_sentences(code, size):
    item = catalogue.warning(code, **values(code, size))
    assert sorted(item) == ["code", "hint", "message"]
    assert item["code"] == code
    for text in (item["message"], item["hint"]):
        assert text.endswith(".") and "{" not in text and "|" not in text and "  " not in text
    assert item["message"][0].isupper() or re.match(r"[a-z]+0|none|\d|[a-z]+\d|something", item["message"])


@pytest.mark.parametrize("code", CODES)
def test_codes_are_kebab_case(code):
    assert re.fullmatch(r"[a-z]+(-[a-z]+)+", code)


def test_a_field_that_is_not_given_is_an_error():
    with pytest.raises(KeyError):
        catalogue.warning("no-cluster")


@pytest.mark.parametrize(
    ("given", "most", "expected"),
    [
        ([], 3, "none"),
        (["a"], 3, "a"),
        (["a", "b", "c"], 3, "a, b, c"),
        (["a", "b", "c", "d"], 3, "a, b, c, d"),
        (["a", "b", "c", "d", "e"], 3, "a, b, c and 2 more"),
        ({"x": 1, "y": 2}, 3, "x, y"),
        (["a\nb", "x" * 500], 3, "a b, " + "x" * 119 + "…"),
    ],
)
def test_lists_of_names_are_cut(given, most, expected):
    assert catalogue.names(given, most) == expected


@pytest.mark.parametrize(
    ("number", "noun", "expected"),
    [
        (0, "cluster", "0 clusters"),
        (1, "cluster", "1 cluster"),
        (["a", "b"], "cluster", "2 clusters"),
        (2, "property", "2 properties"),
        (2, "policy", "2 policies"),
        (1, "property", "1 property"),
    ],
)
def test_numbers_agree_with_their_noun(number, noun, expected):
    assert catalogue.count(number, noun) == expected


def test_what_comes_from_outside_is_made_plain():
    item = catalogue.warning("template-invalid", object="ConfigMap a\x1b[31m", path=".data", reason="x\ny{}")
    assert "\x1b" not in item["message"] and "\n" not in item["message"] and "x y{}" in item["message"]


def test_nouns_agree_with_their_numbers():
    assert [catalogue.count(number, "status") for number in (0, 1, 2)] == [
        "0 statuses",
        "1 status",
        "2 statuses",
    ]
    assert [catalogue.count(number, "property") for number in (1, 2)] == ["1 property", "2 properties"]
