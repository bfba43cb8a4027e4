# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which clusters of a policy are asked for their properties before they are described anew."""

from __future__ import annotations

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils.placement.facts import Target
from ansible_collections.kubestellar.core.plugins.module_utils.wecs import expansion

GOLD = {"tier": "gold"}
STORE = {"store": "Faro"}


@pytest.mark.parametrize(
    ("before", "after", "asked"),
    [
        ((GOLD, {}), (GOLD, {}), False),
        (({}, {}), (GOLD, {}), True),
        ((GOLD, STORE), (GOLD, {}), True),
        # It is listed for some seconds more, and templates may name the label.
        ((GOLD, {}), ({}, {}), True),
        ((GOLD, STORE), ({}, {}), True),
        ((GOLD, {}), ({}, GOLD), False),
        (({}, STORE), ({}, {}), False),
    ],
)
def test_clusters_that_come_and_clusters_that_lose_a_property_are_asked(before, after, asked):
    spec = {"clusterSelectors": [{"matchLabels": GOLD}]}
    now, then = ({"c1": Target("c1", labels, {}, properties)} for labels, properties in (before, after))
    assert expansion._concerned(spec, now, then) == (["c1"] if asked else [])
