# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What comes with a policy in the same run counts as there."""

from __future__ import annotations

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils.placement import intentions
from ansible_collections.kubestellar.core.plugins.module_utils.placement.facts import Facts

INTENDED = intentions.read(
    "shop",
    {
        "cluster_selectors": [{}],
        "downsync": [{"resources": ["deployments"], "status_collectors": ["toll"]}],
        "status_collectors": [
            {"name": "toll", "limit": 5, "select": [{"name": "wec", "def": "inventory.name"}]}
        ],
        "transforms": [
            {"name": "scaled", "api_group": "apps", "resource": "deployments", "remove": ["$.spec.replicas"]}
        ],
    },
)


@pytest.mark.parametrize(
    ("live", "then"),
    [(frozenset({"other"}), {"other", "toll"}), (frozenset(), {"toll"}), (None, None)],
)
def test_collectors_of_the_same_run_are_there_and_unknown_ones_stay_unknown(live, then):
    assert INTENDED.facts(Facts("wds1", (), {}, (), collectors=live)).collectors == then


def test_a_transform_of_the_same_run_silences_what_it_mends_and_makes_nothing_stale():
    (transform,) = INTENDED.facts(Facts("wds1", (), {}, ())).transforms
    assert (transform.group, transform.resource, transform.changed_at) == ("apps", "deployments", 0.0)
