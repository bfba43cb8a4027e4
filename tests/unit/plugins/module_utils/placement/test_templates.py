# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects as the transport sends them, and the properties of clusters."""

from __future__ import annotations

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils.placement import templates
from ansible_collections.kubestellar.core.plugins.module_utils.placement.facts import Target


def test_properties_come_from_labels_annotations_and_the_config_map_in_this_order():
    target = Target(
        "edge1",
        labels={"a": "label", "b": "label", "c": "label", "not-one": "x", "kubernetes.io/os": "x"},
        annotations={"b": "annotation", "c": "annotation"},
        properties={"c": "property", "_d": "property", "1e": "x", "type": "x"},
    )
    assert templates.properties(target) == {
        "clusterName": "edge1",
        "a": "label",
        "b": "annotation",
        "c": "property",
        "_d": "property",
    }


def test_the_cluster_name_can_be_overridden():
    assert templates.properties(Target("edge1", {"clusterName": "other"}))["clusterName"] == "other"


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        (None, False),
        ({}, False),
        ({templates.ANNOTATION: "true"}, True),
        ({templates.ANNOTATION: "True"}, False),
    ],
)
def test_expansion_is_asked_for_by_one_very_value(annotations, expected):
    assert templates.wants_expansion({"annotations": annotations}) is expected


def test_what_the_transport_removes_is_neither_expanded_nor_counted():
    last_applied = "kubectl.kubernetes.io/last-applied-configuration"
    obj = {
        "kind": "ConfigMap",
        "metadata": {
            "name": "a",
            "uid": "{{.no}}",
            "resourceVersion": "1",
            "managedFields": [{}],
            "annotations": {last_applied: "{{.no}}", "note": "{{.note}}"},
        },
        "data": {"list": ["x", "{{.item}}"], "plain": "x"},
        "status": {"text": "{{.no}}"},
    }
    assert dict(templates.strings(templates.cleaned(obj))) == {
        ".metadata.annotations.note": "{{.note}}",
        ".data.list[1]": "{{.item}}",
    }
    assert obj["metadata"]["annotations"][last_applied]
    bare = {"kind": "ConfigMap", "metadata": {"name": "a"}}
    assert templates.size({**bare, "status": {"a": "b" * 1000}}) == len(
        '{"kind":"ConfigMap","metadata":{"name":"a"}}\n'
    )


def test_sizes_are_those_of_go():
    def data(text):
        return templates.size({"metadata": {}, "data": text})

    assert data("&") - data("a") == 5  # \u0026
    assert data("é") - data("a") == 1
    assert data("\n") - data("a") == 1
