# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths of a CustomTransform: what KubeStellar takes, and what it means. Compared with it in tests/integration."""

from __future__ import annotations

import re

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils.placement import jsonpath


@pytest.mark.parametrize(
    ("path", "members"),
    [
        ("$", ()),
        ("$.a", ("a",)),
        ("$.spec.replicas", ("spec", "replicas")),
        ("$._a1.B_2", ("_a1", "B_2")),
        ("$.größe", ("größe",)),
        ("$.½", ("½",)),
        ('$["a"]', ("a",)),
        ('$.metadata.annotations["example.com/a-b"]', ("metadata", "annotations", "example.com/a-b")),
        ('$["a"].b["c"]["d"]', ("a", "b", "c", "d")),
        ('$[""]', ("",)),
        ('$["]"]', ("]",)),
        ('$["\'"]', ("'",)),
        (r'$["\""]', ('"',)),
        (r'$["\\"]', ("\\",)),
        (r'$["\b\f\n\r\t\v"]', ("\b\f\n\r\t\v",)),
        (r'$["\x41\u0042\u{43}\u{000044}"]', ("ABCD",)),
        (r'$["\u{10FFFE}"]', ("\U0010fffe",)),
        (r'$["\101\0\08\1\777"]', ("A\x00\x008\x01\u01ff",)),
        (r'$["\q\8\é"]', ("q8é",)),
        ('$["a\\\nb\\\r\nc\\\rd\\\u2028e"]', ("abcde",)),
        ('$["a\u2028b"]', ("a\u2028b",)),
        ('$["use strict"]', ("use strict",)),
    ],
)
def test_what_a_path_goes_through(path, members):
    assert jsonpath.parse(path) == members


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("", "it is empty"),
        ("spec", "does not begin with $"),
        (" $.a", "does not begin with $"),
        ("$a", "character 2 is 'a'"),
        ("$ .a", "character 2 is ' '"),
        ("$.", "character 3 is missing"),
        ("$.a.", "character 5 is missing"),
        ("$..a", "character 3 is '.'"),
        ("$.*", "character 3 is '*'"),
        ("$.0a", "character 3 is '0'"),
        ("$.a-b", "character 4 is '-', where .name or"),
        ("$.a ", "character 4 is ' '"),
        ("$.a\x7f", "character 4 is '\\x7f'"),
        ("$[", 'character 3 is missing, where " must be'),
        ("$[0]", "character 3 is '0'"),
        ("$.spec.containers[*].image", "character 19 is '*'"),
        ("$['a']", 'character 3 is "\'", where " must be'),
        ('$["a]', "the quote at character 3 is not closed"),
        ('$["a\\"]', "the quote at character 3 is not closed"),
        ('$["a"', "character 6 is missing, where ] must be"),
        ('$["a" ]', "character 6 is ' ', where ] must be"),
        ('$["a"]]', "character 7 is ']'"),
        ('$["a\nb"]', "character 5 is a line break"),
        (r'$["\x4"]', "character 4 begins an illegal escape"),
        (r'$["a\u00g0"]', "character 5 begins an illegal escape"),
        (r'$["\u{}"]', "illegal escape"),
        (r'$["\u{41"]', "illegal escape"),
        (r'$["\u{110000}"]', "illegal escape"),
        # KubeStellar's parser panics here.
        (r'$["\u{10FFFF}"]', "illegal escape"),
        ("$?(@.a == 'b')", "character 2 is '?'"),
    ],
)
def test_what_is_no_path_is_told_with_the_character(path, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        jsonpath.parse(path)
