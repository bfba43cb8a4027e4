# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What cannot be right of one cluster is its own error where the others go on."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput
from ansible_collections.kubestellar.core.plugins.module_utils.klusterlet import wishes
from ansible_collections.kubestellar.core.plugins.module_utils.wecs import wanted

COMMON = {"names": None, "labels": None, "annotations": None, "properties": None}
PLACE = {"mode": "Singleton", "namespace": "", "parallel": 4, "management_kubeconfig": None}
GOOD = {"name": "good", "kubeconfig": "/k", "context": "good"}


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"labels": {"city": "Rua Augusta 1"}}, "the value 'Rua Augusta 1' of city is not allowed"),
        ({"labels": {"shift": 3}}, "the value of shift is the number 3, no text"),
        ({"labels": {"a b": "c"}}, "the key 'a b' is not allowed"),
        ({"labels": {"x": "y" * 64}}, "is not allowed"),
        ({"annotations": {"x": True}}, "the value of x is true, no text"),
        ({"properties": {"..": "x"}}, "the key '..' is not allowed"),
        ({"name": "Not.A.Name"}, "it has a dot"),
    ],
)
def test_a_bad_label_annotation_property_or_name_is_the_error_of_its_cluster(bad: dict[str, Any], words: str):
    params = {**COMMON, "clusters": [{"name": "bad", **bad}, {"name": "good", "labels": {"a": "b"}}]}
    with pytest.raises(InvalidInput):
        wanted.wishes_of(params)
    one, other = wanted.wishes_of({**params, "strict": False})
    assert words in one.error and one.error.count("\n") == 0
    assert (other.error, other.labels) == ("", {"a": "b"})


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"cluster_annotations": {"mine": "x"}}, "does not begin with agent.open-cluster-management.io"),
        ({"external_server_urls": ["ftp://x"]}, "external_server_urls"),
        ({"endpoint": "http://x"}, "endpoint is"),
        ({"kubeconfig": "", "context": ""}, "there is no connection to this cluster"),
        ({"name": "Bad"}, "is not a legal cluster name"),
    ],
)
def test_what_a_klusterlet_cannot_have_is_the_error_of_its_cluster(bad: dict[str, Any], words: str):
    params = {**PLACE, "clusters": [{**GOOD, "name": "bad", **bad}, GOOD]}
    with pytest.raises(InvalidInput):
        wishes.wishes_of(params)
    (one, other), _place = wishes.wishes_of({**params, "strict": False})
    assert words in one.error and not other.error


def test_a_cluster_that_is_named_twice_is_nobodys_own_error():
    for strict in (True, False):
        with pytest.raises(InvalidInput, match="named twice"):
            wanted.wishes_of({**COMMON, "names": ["a", "a"], "strict": strict})
