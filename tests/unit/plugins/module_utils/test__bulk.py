# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of an object before it is written."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _bulk
from ansible_collections.kubestellar.core.plugins.module_utils._errors import ApiError, InvalidInput
from ansible_collections.kubestellar.core.plugins.module_utils._resources import CONFIG_MAPS, Resource
from ansible_collections.kubestellar.core.plugins.module_utils.placement import fates

ACCOUNT = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "oven", "namespace": "mill"}}
OLD = {**ACCOUNT, "imagePullSecrets": [{"name": "pull-old"}], "automountServiceAccountToken": True}


def planned(want, before, foreseen):
    outcome = _bulk.Outcome("v1", "ServiceAccount", "mill", "oven")
    return _bulk.Target(want, None, outcome, before=before, foreseen=foreseen).planned()


def of(obj):
    return fates.of_object(obj["described"], obj.get("dropped", ()), obj.get("altered", ()))


@pytest.mark.parametrize("tried", [True, False])
@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({"imagePullSecrets": [{"name": "pull-new"}]}, ("imagePullSecrets",)),
        ({"automountServiceAccountToken": False}, ("automountServiceAccountToken",)),
        ({"metadata": {**ACCOUNT["metadata"], "labels": {"aisle": "4"}}}, ()),
    ],
)
def test_only_what_changes_and_stays_in_the_clusters_is_foretold(change, kept, tried):
    want = {**OLD, **change}
    found = of(planned(want, OLD, want if tried else None))
    assert found == ({"partly-updated": kept} if kept else {})


def test_a_field_that_is_gone_from_the_description_stays_in_the_clusters_too():
    after = {key: value for key, value in OLD.items() if key != "imagePullSecrets"}
    assert of(planned(after, OLD, after)) == {"partly-updated": ("imagePullSecrets",)}


def test_what_the_server_completes_of_a_new_object_is_not_described():
    answer = {**ACCOUNT, "secrets": [{"name": "made"}]}
    assert planned(ACCOUNT, None, answer) == {**answer, "described": ACCOUNT}


class Refusing:
    """A cluster in which nothing may be deleted."""

    def delete(self, *_rest: Any, **_more: Any) -> bool:
        raise ApiError("wds1: cannot delete ConfigMap n/a.", status=403, hint="Remove the rule.")


def test_what_cannot_be_deleted_is_told_with_what_to_do():
    found = [(CONFIG_MAPS, {"metadata": {"name": "a", "namespace": "n", "uid": "u"}})]
    (outcome,) = _bulk.delete_all(Refusing(), found)
    assert (outcome.method, outcome.error) == (
        "none",
        "wds1: cannot delete ConfigMap n/a. Remove the rule.",
    )


ROLES = Resource("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", namespaced=False)
WDS = SimpleNamespace(name="wds1", resource=lambda _api_version, _kind: ROLES)


def cluster_role(namespace, **fields):
    metadata = {"name": "r", "namespace": namespace}
    return {"apiVersion": ROLES.api_version, "kind": ROLES.kind, "metadata": metadata, **fields}


@pytest.mark.parametrize("of_all", [None, "other"])
def test_what_is_cluster_scoped_has_no_namespace_whatever_it_says(of_all):
    given = cluster_role("shop")
    (target,) = _bulk.Batch(WDS, [given], namespace=of_all).targets
    assert target.want["metadata"] == {"name": "r"} and target.outcome.namespace is None
    assert given == cluster_role("shop")


def test_what_is_cluster_scoped_is_not_told_apart_by_a_namespace():
    with pytest.raises(InvalidInput, match="ClusterRole r is there twice and differs, in one and in two"):
        _bulk.Batch(WDS, [cluster_role("a"), cluster_role("b", rules=[])], sources=["one", "two"])
