# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pure parts of what binding_policy does."""

from __future__ import annotations

import pytest
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
