# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A workload as an ApplySet."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, Refused
from ansible_collections.kubestellar.core.plugins.module_utils.workload import applyset
from ansible_collections.kubestellar.core.plugins.module_utils.workload.applyset import (
    ApplySet,
    GroupKind,
    Scope,
)

ROOT = Path(__file__).parents[5]
SHOP = ApplySet("shop", "kube-system")
DEPLOYMENT, CONFIG_MAP = GroupKind("Deployment", "apps"), GroupKind("ConfigMap")
SCOPE = Scope(frozenset({DEPLOYMENT, CONFIG_MAP}), frozenset({"b", "a"}))


def test_the_id_is_a_label_value_and_the_hash_that_the_specification_asks_for():
    # printf 'kubestellar-workload-shop.kube-system.ConfigMap.' | sha256sum | xxd -r -p | base64 | tr '/+' '_-' | tr -d =
    assert SHOP.id == "applyset-orI-bBfghMmaRRuw7-PQwtM-njWgsY3-M6VwOb5wP9o-v1"
    assert re.fullmatch(r"[A-Za-z0-9][-A-Za-z0-9_.]{0,61}[A-Za-z0-9]", SHOP.id)
    assert ApplySet("shop", "default").id != SHOP.id


def test_a_parent_says_what_it_was_told():
    parent = SHOP.parent(SCOPE)
    annotations = parent["metadata"]["annotations"]
    assert annotations["applyset.kubernetes.io/contains-group-kinds"] == "ConfigMap,Deployment.apps"
    assert annotations["applyset.kubernetes.io/additional-namespaces"] == "a,b"
    assert parent["metadata"]["labels"] == {"applyset.kubernetes.io/id": SHOP.id}
    assert SHOP.scope(parent) == SCOPE
    assert SHOP.scope(SHOP.parent(Scope())) == Scope()


def test_the_namespace_of_the_parent_is_no_additional_one():
    scope = Scope(frozenset({CONFIG_MAP}), frozenset({"kube-system", "a"}))
    annotations = SHOP.parent(scope)["metadata"]["annotations"]
    assert annotations["applyset.kubernetes.io/additional-namespaces"] == "a"


def test_the_tooling_has_the_version_of_the_collection():
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"]
    tooling = SHOP.parent(Scope())["metadata"]["annotations"]["applyset.kubernetes.io/tooling"]
    assert tooling == f"kubestellar.core/v{version}"


@pytest.mark.parametrize(
    ("labels", "annotations", "words"),
    [
        (
            {},
            {"applyset.kubernetes.io/tooling": None},
            ["not the parent of an ApplySet", "applyset_namespace"],
        ),
        ({}, {"applyset.kubernetes.io/tooling": "kubectl/v1.34.4"}, ["of the tool kubectl/v1.34.4"]),
        ({}, {"applyset.kubernetes.io/tooling": "kubestellar.core.fork/v1"}, ["kubestellar.core.fork/v1"]),
        ({"applyset.kubernetes.io/id": "applyset-x-v1"}, {}, ["applyset-x-v1", "copy"]),
        ({}, {"applyset.kubernetes.io/contains-group-kinds": None}, ["contains-group-kinds", "Delete it"]),
    ],
)
def test_a_parent_that_is_not_ours_is_refused(labels, annotations, words):
    parent = SHOP.parent(SCOPE)
    parent["metadata"]["labels"] |= labels
    for key, value in annotations.items():
        parent["metadata"]["annotations"][key] = value
        if value is None:
            del parent["metadata"]["annotations"][key]
    with pytest.raises(Refused) as caught:
        SHOP.scope(parent)
    told = f"{caught.value.message} {caught.value.hint}"
    assert all(word in told for word in ["kube-system/kubestellar-workload-shop", *words])


def test_a_parent_of_another_version_of_the_collection_is_ours():
    parent = SHOP.parent(SCOPE)
    parent["metadata"]["annotations"]["applyset.kubernetes.io/tooling"] = "kubestellar.core/v9.9.9"
    assert SHOP.scope(parent) == SCOPE


@pytest.mark.parametrize("kind", [DEPLOYMENT, CONFIG_MAP, GroupKind("Widget", "a.b.example")])
def test_a_kind_is_the_same_after_being_written_and_read(kind):
    assert GroupKind.parse(str(kind)) == kind


@pytest.mark.parametrize(
    ("namespace", "labels"),
    [
        ("Not a name", {}),
        ("a.b", {}),
        ("default", {applyset.PART_OF: "x"}),
        ("default", {applyset.PARENT_ID: "x"}),
    ],
)
def test_what_would_make_another_set_is_refused(namespace, labels):
    with pytest.raises(InvalidInput):
        applyset.check(namespace, labels)


def test_the_scope_of_members_leaves_versions_out():
    members = [("apps/v1", "Deployment", "a"), ("apps/v1beta1", "Deployment", "b"), ("v1", "Namespace", None)]
    assert applyset.scope_of(members) == Scope(
        frozenset({DEPLOYMENT, GroupKind("Namespace")}), frozenset({"a", "b"})
    )
