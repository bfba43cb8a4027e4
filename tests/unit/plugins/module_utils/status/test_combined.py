# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What StatusCollectors have collected, as tables."""

from __future__ import annotations

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils.status import combined
from ansible_collections.kubestellar.core.tests import views


@pytest.mark.parametrize(
    ("union", "expected", "shown"),
    [
        ({"type": "String", "string": "a\nb\x1b[2J"}, "a b [2J", "a b [2J"),
        ({"type": "String"}, "", ""),
        ({"type": "Number", "float": "3"}, 3, "3"),
        ({"type": "Number", "float": "0.25"}, 0.25, "0.25"),
        ({"type": "Number", "float": "NaN"}, "NaN", "NaN"),
        ({"type": "Number", "float": "x\n"}, "x", "x"),
        ({"type": "Number"}, "None", "None"),
        ({"type": "Bool", "bool": True}, True, "true"),
        ({"type": "Bool"}, False, "false"),
        ({"type": "Null"}, None, "-"),
        ({"type": "Object", "object": {"b": 1, "a": "\n"}}, {"b": 1, "a": "\n"}, '{"a": "\\n", "b": 1}'),
        ({"type": "Array", "array": [1, "x"]}, [1, "x"], '[1, "x"]'),
        ({"type": "Surprise"}, None, "-"),
        ("no mapping", None, "-"),
    ],
)
def test_a_typed_value_is_what_it_says(union, expected, shown):
    assert combined.value(union) == expected
    assert combined.shown(combined.value(union)) == shown


def test_results_of_other_policies_are_left_out_and_the_rest_is_sorted():
    objects = [
        views.combined_status("shop", "Deployment", "shop", name, "replicas", ["cluster"], [["c1"]])
        for name in ("till", "store")
    ]
    objects.append(views.combined_status("other", "Deployment", "shop", "x", "replicas", ["cluster"], []))
    tables = combined.tables("wds1", objects, views.KINDS, {"shop"})
    assert [(table["name"], table["kind"], table["rows"]) for table in tables] == [
        ("store", "Deployment", [["c1"]]),
        ("till", "Deployment", [["c1"]]),
    ]


def test_errors_name_cluster_and_column():
    (obj,) = [views.combined_status("shop", "Namespace", "", "shop", "phase", ["phase"], [])]
    obj["results"][0] |= {
        "rowErrors": [
            {"wec": {"clusterId": "c1"}, "columnName": "phase", "error": "no such key: phase"},
            {"wec": {"clusterId": "c2"}, "columnName": "", "error": "no such key: phase"},
        ],
        "aggregationErrors": [{"columnName": "sum", "error": "not a number"}],
    }
    (table,) = combined.tables("wds1", [obj], views.KINDS, {"shop"})
    assert (table["namespace"], table["kind"]) == ("", "Namespace")
    assert table["errors"] == [
        "c1: phase: no such key: phase",
        "c2: filter: no such key: phase",
        "sum: not a number",
    ]


def test_a_collector_tells_its_columns_and_who_uses_it():
    collector = {
        "metadata": {"name": "sums"},
        "spec": {
            "filter": "obj.spec.paused == false",
            "groupBy": [{"name": "city", "def": "inventory.name"}],
            "combinedFields": [
                {"name": "n", "type": "COUNT"},
                {"name": "sum", "type": "SUM", "subject": "x"},
            ],
            "limit": 5,
        },
        "status": {"errors": ["bad\nexpression"]},
    }
    binding = views.binding("shop", [("Deployment", "shop", "till")], ["c1"], ["sums"])
    assert combined.collectors("wds1", [collector], [binding]) == [
        {
            "wds": "wds1",
            "name": "sums",
            "filter": "obj.spec.paused == false",
            "columns": ["city = inventory.name", "n = COUNT()", "sum = SUM(x)"],
            "limit": 5,
            "policies": ["shop"],
            "errors": ["bad expression"],
        }
    ]
