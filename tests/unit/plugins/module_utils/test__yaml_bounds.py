# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML and JSON that would crash who reads them, or take all memory."""

from __future__ import annotations

import contextlib
import json

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _yaml
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput
from hypothesis import given
from hypothesis import strategies as st


def chained(first: str, more: str) -> str:
    """Nine aliases of the one before, eight times over."""
    lines = [f"a0: &a0 {first}"]
    for number in range(1, 9):
        lines.append(f"a{number}: &a{number} {more.format(','.join([f'*a{number - 1}'] * 9))}")
    return "\n".join(lines)


BOMBS = {
    "aliases": chained("[x, x]", "[{}]"),
    "merges": chained("{x: 1}", "{{<<: [{}]}}"),
    "wide": f"a: &a {{{','.join(f'k{n}: 1' for n in range(2000))}}}\nb: {{<<: [{','.join(['*a'] * 2000)}]}}",
    "long": f"a: &a {'x' * 10_000}\nb: [{','.join(['*a'] * 10_000)}]",
    "in itself": "a: &a [*a]",
    "mapping in itself": "a: &a {b: *a}",
    "merged with itself": "a: &a {<<: *a}",
    "brackets": f"a: {'[' * 2000}{']' * 2000}",
    "many brackets": "[" * 100_000,
    "braces": "{a: " * 50_000,
    "dashes": "- " * 100_000,
    "marks": "? " * 50_000,
    "columns": "".join(" " * depth + "a:\n" for depth in range(400)),
    "old line ends": "\r".join(" " * depth + "a:" for depth in range(400)),
    "JSON": '{"a":' * 50_000,
    "whole JSON": '{"a":' * 300 + "1" + "}" * 300,
    "half a pair": '{"a": "\\ud83d"}',
    "half a pair as a key": '{"\\ude00": 1}',
    "half a pair in YAML": 'a: "\\ud83d"',
    "a surrogate": "a: \ud83d",
    "no number": "a: !!int x",
    "no digits": 'a: !!int ""',
    "no float": "a: !!float x",
    "no truth": "a: !!bool x",
    "no date": "a: !!timestamp x",
    "a program": "a: !!python/object/apply:os.system [x]",
    "control": "a: \0",
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS.keys())
def test_what_is_out_of_bounds_is_one_sentence_that_quotes_nothing(text):
    with pytest.raises(InvalidInput, match=r"^x ") as caught:
        _yaml.load_yaml(text, "x")
    assert len(caught.value.message) < 200


@pytest.mark.parametrize(
    "text", ["a: 1" + "0" * 5000, '{"a": 1' + "0" * 5000 + "}", "a: 0x" + "f" * 5000, "a: 0b_"]
)
def test_what_python_cannot_count_is_text(text):
    (found,) = _yaml.load_yaml(text, "x")
    assert isinstance(found["a"], str)


def test_aliases_as_people_write_them_are_read():
    text = "a: &a {image: x, env: [1, 2]}\n" + "\n".join(f"b{n}: {{<<: *a, n: {n}}}" for n in range(500))
    (found,) = _yaml.load_yaml(text, "x")
    assert found["b499"] == {"image": "x", "env": [1, 2], "n": 499}


@pytest.mark.parametrize(
    "secret",
    ["*hunter2", "&hunter2 &hunter3", "[hunter2", "@hunter2", "%hunter2", "'hunter2", "{hunter2: }}"],
)
@pytest.mark.parametrize("with_c", [True, False])
def test_what_is_wrong_is_said_without_the_line(monkeypatch, secret, with_c):
    if not with_c:
        loader = type(
            "L", (_yaml.yaml.SafeLoader,), {"yaml_implicit_resolvers": _yaml.LOADER.yaml_implicit_resolvers}
        )
        monkeypatch.setattr(_yaml, "LOADER", loader)
    with pytest.raises(InvalidInput) as caught:
        _yaml.load_yaml(f"password: {secret}", "x")
    assert "hunter" not in caught.value.message


@given(st.text(st.sampled_from("ab:-?*&![]{}<>|\"'\\ \n#%,01x"), max_size=60))
def test_any_text_is_read_or_refused(text):
    with contextlib.suppress(InvalidInput):
        json.dumps(_yaml.load_yaml(text, "x"))
