# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an inventory tells of a ManagedCluster."""

from __future__ import annotations

import json

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils.fleet import facts

NOW = 1_795_662_000.0  # 2026-11-26 03:00:00 UTC


def managed(name="c1", *, available="True", **metadata):
    conditions = [
        {
            "type": "ManagedClusterJoined",
            "status": "True",
            "reason": "Joined",
            "message": "it has",
            "lastTransitionTime": "t",
        }
    ]
    if available is not None:
        conditions.append(
            {
                "type": "ManagedClusterConditionAvailable",
                "status": available,
                "reason": "Why",
                "message": "because",
            }
        )
    return {
        "metadata": {
            "name": name,
            "uid": f"uid-{name}",
            "creationTimestamp": "2026-11-01T00:00:00Z",
            **metadata,
        },
        "spec": {
            "hubAcceptsClient": True,
            "leaseDurationSeconds": 60,
            "managedClusterClientConfigs": [{"url": "https://c1.example:6443", "caBundle": "c2VjcmV0"}],
            "taints": [{"key": "a", "effect": "NoSelect"}],
        },
        "status": {
            "conditions": conditions,
            "version": {"kubernetes": "v1.32.2"},
            "clusterClaims": [{"name": "id.k8s.io", "value": "x"}],
        },
    }


def describe(obj, renewed=None, properties=None):
    return facts.describe(obj, "its1", renewed, properties or {}, NOW)


def test_everything_that_is_told_is_documented_and_plain_json():
    told = describe(managed(labels={"a/b": "c"}, annotations={"n": "m"}), properties={"p": "q"})
    assert list(told) == list(facts.FACTS)
    assert json.loads(json.dumps(told)) == told
    assert told["kubestellar_labels"] == {"a/b": "c"} and told["kubestellar_annotations"] == {"n": "m"}
    assert told["kubestellar_claims"] == {"id.k8s.io": "x"} and told["kubestellar_properties"] == {"p": "q"}
    assert told["kubestellar_conditions"]["ManagedClusterJoined"] == {
        "status": "True",
        "reason": "Joined",
        "message": "it has",
    }
    assert (told["kubestellar_address"], told["kubestellar_version"]) == (
        "https://c1.example:6443",
        "v1.32.2",
    )
    assert told["kubestellar_taints"] == [{"key": "a", "effect": "NoSelect"}]


def test_the_copy_of_an_object_and_its_ca_are_not_told():
    told = describe(managed(annotations={"kubectl.kubernetes.io/last-applied-configuration": "{}", "n": "m"}))
    assert told["kubestellar_annotations"] == {"n": "m"}
    assert "c2VjcmV0" not in json.dumps(told)


@pytest.mark.parametrize(
    ("available", "renewed", "expected"),
    [
        ("True", None, (True, False, "")),
        ("True", "2026-11-26T02:59:00.000000Z", (True, False, "")),
        ("True", "2026-11-26T02:00:00.000000Z", (False, True, "its Lease was last renewed 3600 s ago")),
        ("False", "2026-11-26T02:59:00.000000Z", (False, False, "Why: because")),
        ("Unknown", None, (False, True, "Why: because")),
        (None, None, (False, True, "the hub has not heard of it yet")),
    ],
)
def test_a_cluster_is_available_or_says_no_or_is_silent(available, renewed, expected):
    told = describe(managed(available=available), renewed)
    keys = ("kubestellar_available", "kubestellar_unreachable", "kubestellar_reason")
    assert tuple(told[key] for key in keys) == expected


def test_a_cluster_of_which_nothing_is_known_yet_is_told_too():
    told = describe({"metadata": {"name": "new"}})
    assert (
        not told["kubestellar_accepted"]
        and not told["kubestellar_joined"]
        and told["kubestellar_unreachable"]
    )
    assert told["kubestellar_labels"] == {} and told["kubestellar_conditions"] == {}
    assert told["kubestellar_cluster_set"] == told["kubestellar_address"] == ""


def test_the_cluster_set_is_that_of_the_label():
    assert describe(managed(labels={facts.CLUSTER_SET: "blue"}))["kubestellar_cluster_set"] == "blue"
