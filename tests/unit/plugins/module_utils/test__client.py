# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _client
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput


def test_what_looks_like_a_date_is_a_string_as_in_kubernetes():
    (obj,) = _client.load_yaml("a: 2026-01-01\nb: 2026-01-01T00:00:00Z\nc: 1\nd: yes", "x")
    assert obj == {"a": "2026-01-01", "b": "2026-01-01T00:00:00Z", "c": 1, "d": True}


def test_documents_and_lists_are_flattened_and_empty_ones_left_out():
    text = "kind: A\n---\n---\nkind: ThingList\nitems: [{kind: B}, {kind: C}]"
    assert [obj["kind"] for obj in _client.load_yaml(text, "x")] == ["A", "B", "C"]


@pytest.mark.parametrize(("text", "words"), [("a: [", "x is not valid YAML"), ("- 1", "x holds a list")])
def test_what_is_no_manifest_is_refused_with_its_source(text, words):
    with pytest.raises(InvalidInput, match=words):
        _client.load_yaml(text, "x")
