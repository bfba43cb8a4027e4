# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of objects that do not go."""

from __future__ import annotations

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils.workload import members

DISCOVERY = {
    "type": "NamespaceDeletionDiscoveryFailure",
    "status": "True",
    "reason": "DiscoveryFailed",
    "message": "unable to retrieve gauges.example.com/v1beta1",
}
REMAINING = {"type": "NamespaceContentRemaining", "status": "True", "message": "2 widgets remain"}


@pytest.mark.parametrize(
    ("finalizers", "conditions", "text"),
    [
        ([], [], ""),
        (["example.com/audit"], [], " (finalizers: example.com/audit)"),
        (
            [],
            [REMAINING, DISCOVERY],
            " (NamespaceDeletionDiscoveryFailure: unable to retrieve gauges.example.com/v1beta1)",
        ),
        (
            ["a"],
            [{**DISCOVERY, "status": "False"}, REMAINING],
            " (finalizers: a; NamespaceContentRemaining: 2 widgets remain)",
        ),
        ([], [{**DISCOVERY, "message": ""}], " (NamespaceDeletionDiscoveryFailure: DiscoveryFailed)"),
    ],
)
def test_the_cause_is_named(finalizers, conditions, text):
    obj = {"metadata": {"finalizers": finalizers}, "status": {"conditions": conditions}}
    assert members.held_by(obj) == text
