# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who asks to join, and is let in or not: real requests, signed, sent to a real ITS by whoever they say, judged in one task."""

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
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from .running import alone

CLUSTERS = "system:open-cluster-management:managed-clusters"
ACCOUNT = "system:serviceaccount:open-cluster-management:agent-registration-bootstrap"
ACCOUNT_GROUPS = ("system:serviceaccounts:open-cluster-management", "system:authenticated")
TOKEN, TOKEN_GROUPS = (
    "system:bootstrap:ocmhub",
    ("system:bootstrappers:managedcluster", "system:authenticated"),
)
SIGNER = "kubernetes.io/kube-apiserver-client"
KEY = ec.generate_private_key(ec.SECP256R1())
LARGE_KEY = rsa.generate_private_key(65537, 2048)


def identity(wec: str) -> str:
    return f"system:open-cluster-management:{wec}"


@dataclass(frozen=True)
class Request:
    """One certificate request; `{wec}` in a text stands for the cluster."""

    common: Sequence[str] = ("{id}:agent1",)
    organizations: Sequence[str] = ("{id}", CLUSTERS)
    units: Sequence[str] = ()
    hosts: Sequence[str] = ()
    key: Any = KEY
    user: str = ACCOUNT
    groups: Sequence[str] = ACCOUNT_GROUPS
    signer: str = SIGNER
    usages: Sequence[str] = ("digital signature", "key encipherment", "client auth")
    label: str | None = "{wec}"
    state: str = ""

    def pem(self, wec: str) -> bytes:
        """Signed with its own key."""

        def texts(values: Sequence[str]) -> list[str]:
            return [value.format(wec=wec, id=identity(wec)) for value in values]

        attributes = [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, text) for text in texts(self.organizations)
        ]
        attributes += [
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, text) for text in texts(self.units)
        ]
        attributes += [
            x509.NameAttribute(NameOID.COMMON_NAME, text, _validate=False) for text in texts(self.common)
        ]
        builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(attributes))
        if self.hosts:
            names = x509.SubjectAlternativeName([x509.DNSName(name) for name in self.hosts])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@dataclass(frozen=True)
class Case:
    """A cluster that asks to join. :ivar reason: why it is not let in; empty if it is."""

    what: str
    requests: Sequence[Request]
    reason: str = ""
    approved: int = 1
    accepted: bool = False
    wec: str = ""


def good(what: str, *requests: Request, **more: Any) -> Case:
    return Case(what, requests, **more)


def bad(what: str, reason: str, *requests: Request, **more: Any) -> Case:
    return Case(what, requests, reason, 0, **more)


REQUEST = Request()
BY_TOKEN = replace(REQUEST, user=TOKEN, groups=TOKEN_GROUPS)
NOTHING = "no certificate request of an agent has come yet"
CASES = [
    # Good ones.
    good("a service account asks", REQUEST),
    good("a bootstrap token asks", BY_TOKEN),
    good("without the common group", replace(REQUEST, organizations=("{id}",))),
    good("the groups in another order", replace(REQUEST, organizations=(CLUSTERS, "{id}"))),
    good("with an RSA key", replace(REQUEST, key=LARGE_KEY)),
    good(
        "an agent id of 63 letters", replace(REQUEST, common=("{id}:" + "a" * 63,), organizations=("{id}",))
    ),
    good("an agent that was restarted", REQUEST, replace(REQUEST, key=LARGE_KEY), approved=2),
    good("an impostor beside it", REQUEST, replace(REQUEST, user="mallory")),
    good("a denied one before", replace(REQUEST, state="Denied"), replace(REQUEST, key=LARGE_KEY)),
    good("the longest name", REQUEST, wec="csr-" + "x" * 59),
    good("a name of digits", REQUEST, wec="20261126"),
    good("a stale one of another agent", replace(REQUEST, common=("{id}:old",)), REQUEST),
    # Approved by somebody before: it is accepted on the strength of that, and nothing is approved again.
    good("approved already", replace(REQUEST, state="Approved"), approved=0),
    # Forged requesters.
    bad("a user", "requester is 'mallory'", replace(REQUEST, user="mallory", groups=())),
    bad("an administrator", "requester is 'kubernetes-admin'", replace(REQUEST, user="kubernetes-admin")),
    bad("another account of the namespace", "requester", replace(REQUEST, user=ACCOUNT + "-2")),
    bad(
        "the account's name elsewhere",
        "requester",
        replace(REQUEST, user="system:serviceaccount:default:agent-registration-bootstrap"),
    ),
    bad("another cluster's agent", "requester", replace(REQUEST, user=identity("cluster1") + ":agent1")),
    bad("a token without its group", "not in the group", replace(BY_TOKEN, groups=ACCOUNT_GROUPS)),
    bad("a token of no name", "requester", replace(BY_TOKEN, user="system:bootstrap:")),
    # Forged subjects.
    bad("another cluster's name", "common name", replace(REQUEST, common=(identity("cluster1") + ":a",))),
    bad("a name that begins the same", "common name", replace(REQUEST, common=("{id}2:a",))),
    bad("no agent", "common name", replace(REQUEST, common=("{id}:",))),
    bad("an administrator's name", "common name", replace(REQUEST, common=("system:admin",))),
    bad("a line feed in the agent's name", "common name", replace(REQUEST, common=("{id}:a\n",))),
    bad(
        "letters that look the same",
        "common name",
        replace(REQUEST, common=("system:open-cluster-management:\u0441sr:a",)),
    ),
    bad("two names", "2 common names", replace(REQUEST, common=("{id}:a", "system:admin"))),
    bad("no name", "0 common names", replace(REQUEST, common=())),
    bad(
        "a group of nodes too",
        "further organization 'system:nodes'",
        replace(REQUEST, organizations=("{id}", "system:nodes")),
    ),
    bad(
        "another cluster's group too",
        "further org",
        replace(REQUEST, organizations=("{id}", identity("cluster1"))),
    ),
    bad("only the common group", "lacks the organization", replace(REQUEST, organizations=(CLUSTERS,))),
    bad("no group", "lacks the organization", replace(REQUEST, organizations=())),
    bad("a unit", "further attribute", replace(REQUEST, units=("ops",))),
    bad("a host name", "extension", replace(REQUEST, hosts=("its1.example.com",))),
    # For another purpose.
    bad("another signer", "signer is example.com/signer", replace(REQUEST, signer="example.com/signer")),
    bad("a server's certificate", "usages", replace(REQUEST, usages=("client auth", "server auth"))),
    bad("no client's certificate", "usages", replace(REQUEST, usages=("digital signature",))),
    # Not for this cluster, or not open any more.
    bad("without a label", NOTHING, replace(REQUEST, label=None)),
    bad("labelled as another cluster", NOTHING, replace(REQUEST, label="csr-somebody")),
    bad("denied", NOTHING, replace(REQUEST, state="Denied")),
    bad("renewed before it was ever accepted", NOTHING, replace(REQUEST, user="{id}:agent1")),
    # Two who would each be good.
    bad("two requesters", "2 requesters", REQUEST, BY_TOKEN),
]


def names() -> list[str]:
    return [case.wec or f"csr-{number}" for number, case in enumerate(CASES)]


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
            "spec": {"hubAcceptsClient": case.accepted},
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
    texts = {"wec": wec, "id": identity(wec)}
    labels = (
        {}
        if request.label is None
        else {"open-cluster-management.io/cluster-name": request.label.format(**texts)}
    )
    sender = Cluster.from_auth(
        Auth(
            source="kubeconfig",
            kubeconfig=kubeconfig,
            context="its1",
            impersonate_user=request.user.format(**texts),
            impersonate_groups=tuple(request.groups),
        ),
        name="its1",
    )
    made = sender.create(
        CSRS,
        {
            "apiVersion": CSRS.api_version,
            "kind": CSRS.kind,
            "metadata": {"name": name, "labels": labels},
            "spec": {
                "request": base64.b64encode(request.pem(wec)).decode(),
                "signerName": request.signer,
                "usages": list(request.usages),
            },
        },
    )
    assert made["spec"]["username"] == request.user.format(**texts)
    if request.state:
        entry = {"type": request.state, "status": "True", "reason": "Test", "message": "by somebody"}
        its.update(CSRS, {**made, "status": {"conditions": [entry]}}, subresource="approval")


def test_there_are_forty(outcome):
    assert len(CASES) >= 40 and len(outcome["clusters"]) == len(CASES)


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
