# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pure parts of what binding_policy does."""

from __future__ import annotations

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _one_object
from ansible_collections.kubestellar.core.plugins.module_utils.placement import apply


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, {}),
        (None, None),
        ({"clusterSelectors": [], "downsync": []}, {}),
        ({"clusterSelectors": [{}]}, {"clusterSelectors": [{}]}),
        ({"clusterSelectors": [{"matchLabels": {}}]}, {"clusterSelectors": [{}]}),
        (
            {"downsync": [{"apiGroup": "", "createOnly": False, "resources": [], "objectSelectors": [{}]}]},
            {"downsync": [{"apiGroup": "", "objectSelectors": [{}]}]},
        ),
        (
            {"downsync": [{"createOnly": True, "resources": ["*"]}]},
            {"downsync": [{"createOnly": True, "resources": ["*"]}]},
        ),
        (
            {"clusterSelectors": [{"matchExpressions": [{"key": "a", "operator": "Exists", "values": []}]}]},
            {"clusterSelectors": [{"matchExpressions": [{"key": "a", "operator": "Exists"}]}]},
        ),
    ],
)
def test_what_the_controller_drops_is_not_sent(spec, expected):
    assert apply.bare(spec) == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("there is no conflict", []),
        (
            'Apply failed with 1 conflict: conflict with "kubectl" using control.kubestellar.io/v1alpha1: .spec.downsync (HTTP 409).',
            [("kubectl", ".spec.downsync")],
        ),
        (
            (
                'Apply failed with 3 conflicts: conflicts with "kubectl edit" using v1: - .spec.clusterSelectors - .spec.downsync '
                'conflicts with "x" with subresource "status" using v1 at 2026-01-01T00:00:00Z: - .metadata.labels.a'
            ),
            [
                ("kubectl edit", ".spec.clusterSelectors"),
                ("kubectl edit", ".spec.downsync"),
                ("x", ".metadata.labels.a"),
            ],
        ),
    ],
)
def test_conflicts_are_read_from_what_the_server_says(message, expected):
    assert [(item["manager"], item["field"]) for item in _one_object.conflicts(message)] == expected
