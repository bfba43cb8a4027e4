# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether workload serves where a maintenance is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _delivery
from ansible_collections.kubestellar.core.plugins.module_utils.wecs import serving
from ansible_collections.kubestellar.core.tests import views

OBJECTS = [("Namespace", "", "shop"), ("Deployment", "shop", "till")]
EDGE = {"location-group": "edge"}


def health(
    states: dict[str, Any] | None = None,
    *,
    listed: tuple[str, ...] = ("c1", "c2", "c3"),
    lost: tuple[str, ...] = (),
    counted: tuple[str, ...] = ("c2", "c3"),
    **policy: Any,
) -> serving.Health:
    """The shop on three clusters that are labelled for it. :param states: cluster to the status of its Deployment."""
    managed = [
        views.managed_cluster(name, available=name not in lost, labels=EDGE) for name in ("c1", "c2", "c3")
    ]
    shop = views.policy("shop", **policy)
    shop["spec"] = {"clusterSelectors": [{"matchLabels": EDGE}]}
    statuses = {**dict.fromkeys(listed, views.WELL), **(states or {})}
    facts = _delivery.Facts(
        "wds1",
        [views.binding("shop", OBJECTS, listed)],
        [views.work("shop", name, [views.item(*one) for one in OBJECTS]) for name in listed],
        [
            views.returned(name, kind, space, other, statuses[name] if space else {"phase": "Active"})
            for name in listed
            for kind, space, other in OBJECTS
        ],
        [_delivery.parse_cluster(item) for item in managed],
        views.KINDS,
        [shop],
    )
    found = serving.Health()
    serving.assess(facts, managed, counted.__contains__, lambda _work: 60.0, found)
    return found


def test_what_is_healthy_in_the_clusters_that_count_lacks_nothing():
    assert health().lines == []
    assert health({"c1": views.broken("no image")}).lines == []


def test_what_is_not_healthy_there_is_named_with_its_cluster():
    assert health({"c2": views.SLOW}).lines == ["c2: Deployment shop/till: 1 of 2 replicas available"]
    assert "no image" in health({"c3": views.broken("no image")}).lines[0]


def test_a_cluster_that_has_its_labels_again_is_not_healthy_before_the_binding_lists_it():
    """Else the next one is drained in the seconds that KubeStellar needs."""
    assert health(listed=("c1", "c3")).lines == ["c2: wds1: BindingPolicy shop is not processed yet"]
    assert len(health(observed=0).lines) == 2


def test_what_kubestellar_reports_against_a_policy_is_told():
    assert health(errors=["no property"]).lines[0] == "c2: wds1: BindingPolicy shop: no property"


def test_a_cluster_that_does_not_answer_is_named_apart():
    found = health(lost=("c3",))
    assert found.lines == [] and list(found.offline) == ["c3"]


def test_a_job_that_has_failed_for_good_is_not_waited_for():
    found, managed = serving.Health(), [views.managed_cluster("c2", labels=EDGE)]
    job = [("Job", "shop", "import")]
    policy = views.policy("shop")
    policy["spec"] = {"clusterSelectors": [{"matchLabels": EDGE}]}
    failed = {"conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}]}
    facts = _delivery.Facts(
        "wds1",
        [views.binding("shop", job, ["c2"])],
        [views.work("shop", "c2", [views.item(*job[0])])],
        [replace(views.returned("c2", *job[0], failed), generation=1)],
        [_delivery.parse_cluster(managed[0])],
        views.KINDS,
        [policy],
    )
    serving.assess(facts, managed, lambda _name: True, lambda _work: 60.0, found)
    assert found.final and "Job shop/import" in found.lines[0]


@pytest.mark.parametrize("wdses", [[], [type("Wds", (), {"name": "other"})()]])
def test_without_a_policy_that_is_concerned_nothing_is_waited_for(wdses):
    found = serving.wait_healthy(
        None,  # type: ignore[arg-type]
        wdses,
        [serving.parking.Policy("wds1", "shop")],
        lambda _name: True,
        what="x",
        timeout=1,
        progress=None,  # type: ignore[arg-type]
    )
    assert found.lines == []
