# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._resources import CONFIG_MAPS, NAMESPACES
from ansible_collections.kubestellar.core.plugins.module_utils.placement import snapshot
from ansible_collections.kubestellar.core.plugins.module_utils.placement.kinds import Kinds
from ansible_collections.kubestellar.core.plugins.module_utils.placement.resolution import (
    Candidate,
    ObjectKey,
)


def planned(kind, name, namespace=None, **labels):
    metadata = {"name": name, "labels": labels, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata}


def test_planned_objects_count_as_if_they_were_there():
    there = Candidate(
        CONFIG_MAPS, {"name": "a", "namespace": "shop", "labels": {"old": "1"}, "resourceVersion": "7"}
    )
    coming = [
        planned("Namespace", "shop", team="x"),
        planned("ConfigMap", "a", "shop", new="2"),
        planned("ConfigMap", "b", "shop"),
    ]
    candidates, namespaces = snapshot._with_planned([there], {"other": {}}, snapshot._keyed(coming, {}))
    found = {candidate.key: candidate.metadata for candidate in candidates}
    assert found[ObjectKey("", "configmaps", "shop", "a")] == {
        **there.metadata,
        "labels": {"new": "2"},  # what a label did is withdrawn with it
    }
    assert ObjectKey("", "configmaps", "shop", "b") in found
    assert ObjectKey("", NAMESPACES.plural, "", "shop") in found
    assert namespaces == {"other": {}, "shop": {"team": "x"}}


@pytest.mark.parametrize(
    ("coming", "several"),
    [
        ([], ["v2", "v1"]),
        (["v1"], None),  # the way out of two versions, which must not be refused for them
        (["v1", "v2"], ("v2", "v1")),
    ],
)
def test_what_a_coming_definition_serves_counts_and_not_what_is_served_now(coming, several):
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "wicks.example.com"},
        "spec": {
            "group": "example.com",
            "names": {"kind": "Wick", "plural": "wicks"},
            "versions": [{"name": name, "served": True} for name in coming],
        },
    }
    now = {("example.com", "wicks"): ["v2", "v1"], ("other.example.com", "x"): ["v1", "v2"]}
    found = snapshot._versions(now, Kinds([definition] if coming else []))
    assert found.get(("example.com", "wicks")) == several
    assert found["other.example.com", "x"] == ["v1", "v2"]


def test_nothing_planned_changes_nothing():
    there = Candidate(CONFIG_MAPS, {"name": "a", "namespace": "shop"})
    assert snapshot._with_planned([there], {"n": {"a": "b"}}, {}) == ([there], {"n": {"a": "b"}})


def test_planned_objects_that_are_to_go_do_not_count():
    stays = Candidate(CONFIG_MAPS, {"name": "stays", "namespace": "n"})
    goes = Candidate(CONFIG_MAPS, {"name": "goes", "namespace": "n"})
    planned = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": dict(goes.metadata), "state": "absent"}
    going = snapshot._keyed([planned, planned], {})
    assert snapshot._with_planned([stays, goes], {}, going) == ([stays], {})
