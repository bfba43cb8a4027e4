# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who asks to join, and is let in or not: real requests, signed, sent to a real ITS by whoever they say, judged in one task.

One of each kind; tests/unit/plugins/module_utils/test__csr.py has every way to be wrong.
"""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _bulk
from ansible_collections.kubestellar.core.plugins.module_utils._auth import Auth
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import ApiError
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    CSRS,
    MANAGED_CLUSTERS,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from .running import alone

pytestmark = pytest.mark.core

CLUSTERS = "system:open-cluster-management:managed-clusters"
ACCOUNT = "system:serviceaccount:open-cluster-management:agent-registration-bootstrap"
ACCOUNT_GROUPS = ("system:serviceaccounts:open-cluster-management", "system:authenticated")
TOKEN, TOKEN_GROUPS = (
    "system:bootstrap:ocmhub",
    ("system:bootstrappers:managedcluster", "system:authenticated"),
)
SIGNER = "kubernetes.io/kube-apiserver-client"
KEY = ec.generate_private_key(ec.SECP256R1())


def identity(wec: str) -> str:
    return f"system:open-cluster-management:{wec}"


@dataclass(frozen=True)
class Request:
    """One certificate request; `{id}` in a text stands for the cluster's group."""

    organizations: Sequence[str] = ("{id}", CLUSTERS)
    user: str = ACCOUNT
    groups: Sequence[str] = ACCOUNT_GROUPS
    signer: str = SIGNER
    state: str = ""
    agent: str = "agent1"

    def pem(self, wec: str) -> bytes:
        """Signed with its own key."""
        attributes = [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, name.format(id=identity(wec)))
            for name in self.organizations
        ]
        attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, f"{identity(wec)}:{self.agent}"))
        builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(attributes))
        return builder.sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@dataclass(frozen=True)
class Case:
    """A cluster that asks to join. :ivar reason: why it is not let in; empty if it is."""

    what: str
    requests: Sequence[Request]
    reason: str = ""
    approved: int = 1


def good(what: str, *requests: Request, approved: int = 1) -> Case:
    return Case(what, requests, approved=approved)


def bad(what: str, reason: str, *requests: Request) -> Case:
    return Case(what, requests, reason, 0)


REQUEST = Request()
BY_TOKEN = replace(REQUEST, user=TOKEN, groups=TOKEN_GROUPS)
NOTHING = "no certificate request of an agent has come yet"
CASES = [
    good("a service account asks", REQUEST),
    good("an impostor beside it", REQUEST, replace(REQUEST, user="mallory")),
    # Approved by somebody before: it is accepted on the strength of that, and nothing is approved again.
    good("approved already", replace(REQUEST, state="Approved"), approved=0),
    bad("a user", "requester is 'mallory'", replace(REQUEST, user="mallory", groups=())),
    bad(
        "another cluster's group too",
        "further organization 'system:open-cluster-management:cluster1'",
        replace(REQUEST, organizations=("{id}", identity("cluster1"))),
    ),
    bad("another signer", "signer is example.com/signer", replace(REQUEST, signer="example.com/signer")),
    bad("renewed before it was ever accepted", NOTHING, replace(REQUEST, user="{id}:agent1")),
    bad("two requesters", "2 requesters", REQUEST, BY_TOKEN),
    bad(
        "two agents",
        "2 agents wait for this cluster (agent1, agent2)",
        REQUEST,
        replace(REQUEST, agent="agent2"),
    ),
]


def names() -> list[str]:
    return [f"csr-{number}" for number in range(len(CASES))]


@pytest.fixture(scope="module")
def outcome(stack) -> Iterator[dict[str, Any]]:
    """What one task says of all of them."""
    its = stack.cluster("its1")
    everybody = list(zip(names(), CASES, strict=True))

    def ask(pair: tuple[str, Case]) -> None:
        wec, case = pair
        managed = {
            "apiVersion": MANAGED_CLUSTERS.api_version,
            "kind": MANAGED_CLUSTERS.kind,
            "metadata": {"name": wec},
            "spec": {"hubAcceptsClient": False},
        }
        its.create(MANAGED_CLUSTERS, managed)
        for number, request in enumerate(case.requests):
            send(stack.kubeconfig, its, wec, f"{wec}-{number}", request)

    # Everybody may ask; who it was stands in the request, and that is the point.
    rbac = "rbac.authorization.k8s.io"
    role = {"apiGroup": rbac, "kind": "ClusterRole", "name": "csr-test"}
    rule = {"apiGroups": [CSRS.group], "resources": [CSRS.plural], "verbs": ["create"]}
    subject = {"apiGroup": rbac, "kind": "Group", "name": "system:authenticated"}
    meta = {"apiVersion": f"{rbac}/v1", "metadata": {"name": "csr-test"}}
    its.create(CLUSTER_ROLES, {**meta, "kind": "ClusterRole", "rules": [rule]})
    its.create(
        CLUSTER_ROLE_BINDINGS,
        {**meta, "kind": "ClusterRoleBinding", "roleRef": role, "subjects": [subject]},
    )
    try:
        _bulk.in_parallel(ask, everybody, workers=8)
        yield judge(stack)
    finally:
        gone = judge(stack, state="absent")
        assert not gone.get("failed"), gone
        its.delete(CLUSTER_ROLE_BINDINGS, "csr-test")
        its.delete(CLUSTER_ROLES, "csr-test")
        for csr in its.list(CSRS).items:
            if csr["metadata"]["name"].startswith("csr-"):
                its.delete(CSRS, csr["metadata"]["name"])


def judge(stack: Any, **parameters: Any) -> dict[str, Any]:
    """The module in a process of its own, since fixtures of a module cannot use those of a function."""
    arguments = {
        "kubeconfig": stack.kubeconfig,
        "context": "hub",
        "its": "its1",
        "names": names(),
        "wait": False,
        "strict": False,
        **parameters,
    }
    done = subprocess.run(
        alone("managed_cluster"),
        input=json.dumps(arguments),
        env=stack.python_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    return dict(json.loads(done.stdout))


def send(kubeconfig: str, its: Cluster, wec: str, name: str, request: Request) -> None:
    """Create a request as its requester, and bring it to its state."""
    user = request.user.format(id=identity(wec))
    sender = Cluster.from_auth(
        Auth(
            source="kubeconfig",
            kubeconfig=kubeconfig,
            context="its1",
            impersonate_user=user,
            impersonate_groups=tuple(request.groups),
        ),
        name="its1",
    )
    made = sender.create(
        CSRS,
        {
            "apiVersion": CSRS.api_version,
            "kind": CSRS.kind,
            "metadata": {"name": name, "labels": {"open-cluster-management.io/cluster-name": wec}},
            "spec": {
                "request": base64.b64encode(request.pem(wec)).decode(),
                "signerName": request.signer,
                "usages": ["digital signature", "key encipherment", "client auth"],
            },
        },
    )
    assert made["spec"]["username"] == user
    if request.state:
        entry = {"type": request.state, "status": "True", "reason": "Test", "message": "by somebody"}
        its.update(CSRS, {**made, "status": {"conditions": [entry]}}, subresource="approval")


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case.what for case in CASES])
def test_each_is_decided_right(stack, outcome, number):
    case, wec = CASES[number], names()[number]
    its = stack.cluster("its1")
    entry: Mapping[str, Any] = outcome["clusters"][number]
    assert len(entry["approved"]) == case.approved, entry
    accepted = its.get(MANAGED_CLUSTERS, wec)["spec"]["hubAcceptsClient"]
    assert accepted is (not case.reason) and entry["accepted"] is accepted, entry
    if case.reason:
        assert entry["failed"] and case.reason in entry["error"], entry
    states = {}
    for position, request in enumerate(case.requests):
        live = its.get(CSRS, f"{wec}-{position}")
        states[position] = {c["type"] for c in (live.get("status") or {}).get("conditions") or []} - {
            request.state
        }
    assert sum(found == {"Approved"} for found in states.values()) == case.approved, states


def test_an_available_cluster_is_not_joined_again_while_another_is(stack, outcome):
    """The credentials to join with are the same for all, so whoever has one may ask in the name of any cluster."""
    its = stack.cluster("its1")
    send(stack.kubeconfig, its, "cluster1", "csr-again", replace(REQUEST, agent="evil"))
    result = judge(stack, names=["cluster1", names()[0]], rejoin=[names()[0]])
    assert not (its.get(CSRS, "csr-again").get("status") or {}).get("conditions"), result
    assert "csr-again" in str(result["warnings"]) and not result["clusters"][0]["changed"], result


def test_a_request_that_is_none_does_not_get_past_the_api_server(stack):
    """What cannot be parsed is refused there, so that nobody else needs to judge it."""
    its = stack.cluster("its1")
    masters = replace(REQUEST, organizations=("{id}", "system:masters"))
    for text in (b"hello", REQUEST.pem("x")[:-40], b"", masters.pem("x")):
        spec = {
            "request": base64.b64encode(text).decode(),
            "signerName": SIGNER,
            "usages": ["client auth"],
        }
        body = {
            "apiVersion": CSRS.api_version,
            "kind": CSRS.kind,
            "metadata": {"name": "csr-none"},
            "spec": spec,
        }
        with pytest.raises(ApiError):
            its.create(CSRS, body)
