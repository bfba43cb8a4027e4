# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose a token is, and its place in a kubeconfig. When credentials end is in doctor/test_read.py."""

from __future__ import annotations

import base64
import copy
import json
from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _credentials

KUBECONFIG = {
    "users": [{"name": "a", "user": {"token": "old"}}, {"name": "b", "user": {"token": "other"}}],
    "contexts": [
        {"name": "x", "context": {"user": "b", "cluster": "c"}},
        {"name": "y", "context": {"user": "a", "cluster": "c"}},
    ],
    "clusters": [{"name": "c", "cluster": {"server": "https://its1.example.com"}}],
    "current-context": "y",
}


def jwt(claims: Any) -> str:
    text = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{text}.c2ln"


def test_a_token_names_its_account():
    found = _credentials.account_of(jwt({"sub": "system:serviceaccount:kube-system:kubeflex"}))
    assert found == ("kube-system", "kubeflex")


@pytest.mark.parametrize(
    "token",
    [
        "",
        "opaque",
        "a.b.c",
        jwt([1]),
        jwt({}),
        jwt({"sub": "alice"}),
        jwt({"sub": "system:serviceaccount:x"}),
    ],
)
def test_a_token_that_names_none_is_of_nobody(token):
    assert _credentials.account_of(token) is None


def test_only_the_token_of_the_current_context_is_replaced():
    before = copy.deepcopy(KUBECONFIG)
    changed = _credentials.with_token(KUBECONFIG, "new")
    assert before == KUBECONFIG
    assert _credentials.token_of(KUBECONFIG) == "old" and _credentials.token_of(changed) == "new"
    assert changed["users"][1] == KUBECONFIG["users"][1]
    assert {**changed, "users": []} == {**KUBECONFIG, "users": []}


@pytest.mark.parametrize("broken", [{}, {**KUBECONFIG, "users": [{"name": "a", "user": None}]}])
def test_a_kubeconfig_without_a_user_has_no_token(broken):
    assert _credentials.token_of(broken) == ""
    assert _credentials.with_token(broken, "new") == broken
