# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cluster says of a delivered object is what is told of it."""

from __future__ import annotations

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _delivery, _metadata
from ansible_collections.kubestellar.core.plugins.module_utils._errors import KubestellarError

UID = "11111111-1111-1111-1111-111111111111"
REFERENCE = {
    "group": "",
    "kind": "ConfigMap",
    "resource": "configmaps",
    "namespace": "shop",
    "name": "prices",
}


def cell(*conditions: tuple[str, str], observed: int = 1) -> _delivery.Cell:
    """The one object of a policy in its one cluster. :param conditions: of the manifest, with type and status."""
    said = [{"type": kind, "status": status, "message": f"about {kind}"} for kind, status in conditions]
    work = {
        "metadata": {
            "name": f"{UID}-wds1-2",
            "namespace": "c1",
            "uid": "w",
            "generation": 1,
            "labels": {
                "transport.kubestellar.io/originOwnerReferenceBindingKey": "p",
                "transport.kubestellar.io/originWdsName": "wds1",
            },
            "annotations": {_delivery.GENERATION_KEY: "1"},
        },
        "spec": {
            "workload": {
                "manifests": [
                    {
                        "apiVersion": "v1",
                        "kind": "ConfigMap",
                        "metadata": {"name": "prices", "namespace": "shop"},
                    }
                ]
            }
        },
        "status": {
            "conditions": [{"type": "Applied", "status": "True", "observedGeneration": observed}],
            "resourceStatus": {"manifests": [{"resourceMeta": REFERENCE, "conditions": said}]},
        },
    }
    objects = [{"resource": "configmaps", "namespace": "shop", "name": "prices", "version": "v1"}]
    binding = {
        "metadata": {"name": "p", "uid": UID, "generation": 1},
        "spec": {"workload": {"namespaceScope": objects}, "destinations": [{"clusterId": "c1"}]},
    }
    managed = {
        "metadata": {"name": "c1"},
        "spec": {"hubAcceptsClient": True},
        "status": {"conditions": [{"type": "ManagedClusterConditionAvailable", "status": "True"}]},
    }
    facts = _delivery.Facts(
        "wds1",
        [binding],
        [_delivery.parse_work(work)],
        [],
        [_delivery.parse_cluster(managed)],
        {("", "configmaps"): "ConfigMap"},
    )
    (row,) = _delivery.join(facts, lambda _work: 100.0)
    return row.cells["c1"]


@pytest.mark.parametrize(
    ("conditions", "applied", "words"),
    [
        ([("Applied", "True"), ("Available", "True")], True, ""),
        ([("Applied", "True")], True, ""),
        ([("Applied", "True"), ("Available", "False")], False, "not there any more: about Available"),
        ([("Applied", "True"), ("Available", "Unknown")], False, "not there any more: about Available"),
        ([("Applied", "False"), ("Available", "True")], False, "not applied: about Applied"),
        ([], False, "not applied yet"),
    ],
)
def test_each_manifest_is_judged_by_what_the_agent_says_of_it(conditions, applied, words):
    found = cell(*conditions)
    assert (found.applied, found.message) == (applied, words)
    assert (found.health == "healthy") == (not words)


def test_what_was_applied_of_an_older_generation_does_not_count():
    found = cell(("Applied", "True"), ("Available", "True"), observed=0)
    assert not found.applied


def test_what_is_being_deleted_is_named_with_what_holds_it():
    gone = {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["example.com/audit"]}}
    with pytest.raises(KubestellarError) as caught:
        _metadata.check_stays("wds1", "BindingPolicy p", gone)
    assert caught.value.message == (
        "wds1: BindingPolicy p is being deleted since 2026-01-01T00:00:00Z (finalizers: example.com/audit). When it is gone, "
        "run this again."
    )
    for stays in (None, {}, {"metadata": {"finalizers": ["a"]}}):
        _metadata.check_stays("wds1", "BindingPolicy p", stays)
