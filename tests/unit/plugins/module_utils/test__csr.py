# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which certificate requests let a WEC in: every request here is a real one, made and signed by cryptography."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _csr
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(65537, 2048)
SHORT_KEY, ODD_KEY = rsa.generate_private_key(65537, 1024), rsa.generate_private_key(3, 2048)
RARE_KEY = ec.generate_private_key(ec.SECP256K1())
IDENTITY = "system:open-cluster-management:wec1"
COMMON = f"{IDENTITY}:agent1"
CLUSTERS = "system:open-cluster-management:managed-clusters"
TOKEN_GROUPS = ["system:bootstrappers", "system:bootstrappers:managedcluster", "system:authenticated"]
ACCOUNT_GROUPS = [
    "system:serviceaccounts",
    "system:serviceaccounts:open-cluster-management",
    "system:authenticated",
]


def der(
    common: str | list[str] = COMMON,
    organizations: tuple[str, ...] = (IDENTITY, CLUSTERS),
    extra: tuple[tuple[Any, str], ...] = (),
    names: tuple[str, ...] = (),
    key: Any = KEY,
) -> bytes:
    commons = [common] if isinstance(common, str) else common
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, value) for value in organizations]
    attributes += [x509.NameAttribute(oid, value) for oid, value in extra]
    attributes += [x509.NameAttribute(NameOID.COMMON_NAME, value, _validate=False) for value in commons]
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(attributes))
    if names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False
        )
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def pem(content: bytes, kind: str = "CERTIFICATE REQUEST") -> str:
    return f"-----BEGIN {kind}-----\n{base64.encodebytes(content).decode()}-----END {kind}-----\n"


def encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def request(text: str | None = None, *, name: str = "wec1-abcde", **changes: Any) -> dict[str, Any]:
    """A good request of wec1 with some things changed."""
    spec = {
        "signerName": "kubernetes.io/kube-apiserver-client",
        "username": "system:serviceaccount:open-cluster-management:agent-registration-bootstrap",
        "groups": ACCOUNT_GROUPS,
        "usages": ["digital signature", "key encipherment", "client auth"],
        "request": encode(pem(der()) if text is None else text),
    }
    metadata: dict[str, Any] = {
        "name": name,
        "labels": {"open-cluster-management.io/cluster-name": "wec1"},
        "creationTimestamp": "2026-11-23T08:00:00Z",
        "resourceVersion": "10",
    }
    status: dict[str, Any] = {}
    for key, value in changes.items():
        if key in spec or key == "expirationSeconds":
            spec[key] = value
        elif key == "conditions":
            status["conditions"] = [{"type": kind, "status": "True"} for kind in value]
        elif key == "certificate":
            status["certificate"] = value
        else:
            metadata[key] = value
    return {"metadata": metadata, "spec": spec, "status": status}


def tampered() -> bytes:
    """A request whose subject was replaced after it was signed: wec2 became wec1."""
    content = der(
        "system:open-cluster-management:wec2:agent1", ("system:open-cluster-management:wec2", CLUSTERS)
    )
    return content.replace(b"management:wec2", b"management:wec1")


CASES: list[tuple[str, dict[str, Any], str, str]] = [
    ("a service account's first request", request(), "approve", ""),
    (
        "a bootstrap token's first request",
        request(username="system:bootstrap:ocmhub", groups=TOKEN_GROUPS),
        "approve",
        "",
    ),
    ("without the optional common group", request(pem(der(organizations=(IDENTITY,)))), "approve", ""),
    (
        "organizations the other way round",
        request(pem(der(organizations=(CLUSTERS, IDENTITY)))),
        "approve",
        "",
    ),
    ("an organization twice", request(pem(der(organizations=(IDENTITY, IDENTITY, CLUSTERS)))), "approve", ""),
    ("an RSA key", request(pem(der(key=RSA_KEY))), "approve", ""),
    ("an agent id of 63 letters", request(pem(der(f"{IDENTITY}:{'a' * 63}"))), "approve", ""),
    ("an agent id with dots and dashes", request(pem(der(f"{IDENTITY}:a.b-c_D9"))), "approve", ""),
    (
        "without the usage key encipherment",
        request(usages=["digital signature", "client auth"]),
        "approve",
        "",
    ),
    ("CRLF line ends", request(pem(der()).replace("\n", "\r\n")), "approve", ""),
    ("no label", request(labels={}), "ignore", "not labelled"),
    ("label of another cluster", request(labels={_csr.CLUSTER_LABEL: "wec2"}), "ignore", "not labelled"),
    (
        "an add-on's request",
        request(labels={_csr.CLUSTER_LABEL: "wec1", _csr.ADDON_LABEL: "addon-status"}),
        "ignore",
        "add-on",
    ),
    ("approved already", request(conditions=["Approved"]), "ignore", "approved already"),
    ("signed already", request(certificate="LS0="), "ignore", "approved already"),
    ("denied", request(conditions=["Denied"]), "ignore", "denied"),
    ("failed", request(conditions=["Approved", "Failed"]), "ignore", "failed"),
    ("approved and denied", request(conditions=["Approved", "Denied"]), "ignore", "denied"),
    ("being deleted", request(deletionTimestamp="2026-11-23T09:00:00Z"), "ignore", "being deleted"),
    (
        "a renewal",
        request(username=COMMON, groups=[IDENTITY, CLUSTERS, "system:authenticated"]),
        "ignore",
        "renewal",
    ),
    ("foreign signer", request(signerName="example.com/signer"), "refuse", "signer is example.com/signer"),
    ("kubelet signer", request(signerName="kubernetes.io/kube-apiserver-client-kubelet"), "refuse", "signer"),
    ("no signer", request(signerName=None), "refuse", "signer"),
    ("a user as requester", request(username="mallory"), "refuse", "requester is 'mallory'"),
    (
        "an administrator as requester",
        request(username="kubernetes-admin"),
        "refuse",
        "requester is 'kubernetes-admin'",
    ),
    ("no requester", request(username=""), "refuse", "requester"),
    ("an empty token id", request(username="system:bootstrap:", groups=TOKEN_GROUPS), "refuse", "requester"),
    (
        "another service account of the namespace",
        request(username="system:serviceaccount:open-cluster-management:other"),
        "refuse",
        "requester",
    ),
    (
        "the account's name in another namespace",
        request(username="system:serviceaccount:default:agent-registration-bootstrap"),
        "refuse",
        "requester",
    ),
    (
        "longer name than the account's",
        request(username=f"{_csr.BOOTSTRAP_ACCOUNT}-2"),
        "refuse",
        "requester",
    ),
    (
        "another cluster's agent",
        request(username="system:open-cluster-management:wec2:agent1"),
        "refuse",
        "requester",
    ),
    ("account without its group", request(groups=["system:authenticated"]), "refuse", "not in the group"),
    ("account with the tokens' group", request(groups=TOKEN_GROUPS), "refuse", "not in the group"),
    (
        "token without its group",
        request(username="system:bootstrap:ocmhub", groups=["system:bootstrappers"]),
        "refuse",
        "not in the group",
    ),
    (
        "token with the account's groups",
        request(username="system:bootstrap:ocmhub", groups=ACCOUNT_GROUPS),
        "refuse",
        "not in the group",
    ),
    ("groups missing", request(groups=None), "refuse", "not in the group"),
    (
        "a group beside those of the account",
        request(groups=[*ACCOUNT_GROUPS, "system:masters"]),
        "refuse",
        "further group 'system:masters'",
    ),
    (
        "a group beside those of the token",
        request(username="system:bootstrap:ocmhub", groups=[*TOKEN_GROUPS, "ops"]),
        "refuse",
        "further group 'ops'",
    ),
    ("a month", request(expirationSeconds=30 * 86400), "approve", ""),
    ("ten years", request(expirationSeconds=3650 * 86400), "refuse", "more than a year"),
    ("no time at all", request(expirationSeconds=0), "refuse", "more than a year"),
    ("a short RSA key", request(pem(der(key=SHORT_KEY))), "refuse", "1024 bits, fewer than 2048"),
    ("a small exponent", request(pem(der(key=ODD_KEY))), "refuse", "the exponent 3, not 65537"),
    ("a rare curve", request(pem(der(key=RARE_KEY))), "refuse", "the curve secp256k1"),
    (
        "subject of another cluster",
        request(pem(der("system:open-cluster-management:wec2:a", ("system:open-cluster-management:wec2",)))),
        "refuse",
        "common name",
    ),
    (
        "subject of a cluster whose name begins the same",
        request(pem(der("system:open-cluster-management:wec10:a", (IDENTITY, CLUSTERS)))),
        "refuse",
        "common name",
    ),
    ("no agent id", request(pem(der(f"{IDENTITY}:"))), "refuse", "common name"),
    ("no colon after the cluster", request(pem(der(IDENTITY))), "refuse", "common name"),
    ("a colon in the agent id", request(pem(der(f"{IDENTITY}:a:b"))), "refuse", "common name"),
    ("a line feed in the agent id", request(pem(der(f"{IDENTITY}:a\n"))), "refuse", "common name"),
    ("an administrator's common name", request(pem(der("system:admin"))), "refuse", "common name"),
    (
        "letters that look the same",
        request(pem(der("system:open-cluster-management:we\u04411:agent1"))),
        "refuse",
        "common name",
    ),
    ("two common names", request(pem(der([COMMON, "system:admin"]))), "refuse", "2 common names"),
    ("no common name", request(pem(der([]))), "refuse", "0 common names"),
    (
        "system:masters as a further organization",
        request(pem(der(organizations=(IDENTITY, CLUSTERS, "system:masters")))),
        "refuse",
        "further organization 'system:masters'",
    ),
    (
        "the group of nodes as a further organization",
        request(pem(der(organizations=(IDENTITY, "system:nodes")))),
        "refuse",
        "further organization 'system:nodes'",
    ),
    (
        "another cluster as a further organization",
        request(pem(der(organizations=(IDENTITY, "system:open-cluster-management:wec2")))),
        "refuse",
        "further organization 'system:open-cluster-management:wec2'",
    ),
    (
        "only the common group",
        request(pem(der(organizations=(CLUSTERS,)))),
        "refuse",
        "lacks the organization",
    ),
    ("no organization", request(pem(der(organizations=()))), "refuse", "lacks the organization"),
    (
        "an organizational unit",
        request(pem(der(extra=((NameOID.ORGANIZATIONAL_UNIT_NAME, "x"),)))),
        "refuse",
        "further attribute",
    ),
    ("a host name", request(pem(der(names=("its1.example.com",)))), "refuse", "extension"),
    ("server usage", request(usages=["client auth", "server auth"]), "refuse", "usages"),
    ("no client usage", request(usages=["digital signature"]), "refuse", "usages are digital signature"),
    ("a changed subject", request(pem(tampered())), "refuse", "not signed with its own key"),
    ("not base64", request(request="%%%"), "refuse", "base64"),
    ("no request", request(request=""), "refuse", "PEM block"),
    ("not PEM", request("hello"), "refuse", "PEM block"),
    ("a certificate", request(pem(der(), "CERTIFICATE")), "refuse", "PEM block"),
    ("the old PEM type", request(pem(der(), "NEW CERTIFICATE REQUEST")), "refuse", "PEM block"),
    ("two blocks", request(pem(der()) + pem(der("system:admin"))), "refuse", "exactly one PEM block"),
    ("another block in front", request(pem(b"x", "CERTIFICATE") + pem(der())), "refuse", "PEM block"),
    ("text in front", request("hello\n" + pem(der())), "refuse", "PEM block"),
    (
        "PEM headers",
        request(pem(der()).replace("-----\n", "-----\nProc-Type: 4\n\n", 1)),
        "refuse",
        "PEM block",
    ),
    ("broken DER", request(pem(der()[:-9])), "refuse", "cannot be parsed"),
    ("bytes behind the DER", request(pem(der() + b"\0\0")), "refuse", "cannot be parsed"),
]


@pytest.mark.parametrize(("what", "csr", "decision", "reason"), CASES, ids=[case[0] for case in CASES])
def test_judge_decides_each_request(what: str, csr: dict[str, Any], decision: str, reason: str) -> None:
    verdict = _csr.judge(csr, "wec1")
    assert verdict.decision == decision, verdict.reason
    assert reason in verdict.reason


def test_judge_does_not_depend_on_the_name_of_the_request() -> None:
    assert _csr.judge(request(name="anything"), "wec1").decision == "approve"
    assert _csr.judge(request(name="wec2-abcde"), "wec2").decision == "ignore"


@pytest.mark.filterwarnings("ignore:Attribute's length")  # agents and API servers do not mind
@pytest.mark.parametrize("wec", ["csr-" + "x" * 59, "20261126"], ids=["the longest", "digits"])
def test_judge_takes_every_name_of_a_cluster(wec: str) -> None:
    identity = f"system:open-cluster-management:{wec}"
    asked = pem(der(f"{identity}:agent1", (identity, CLUSTERS)))
    verdict = _csr.judge(request(asked, labels={_csr.CLUSTER_LABEL: wec}), wec)
    assert (verdict.decision, verdict.common_name) == ("approve", f"{identity}:agent1"), verdict.reason


def test_choose_one_good_request_approves_it() -> None:
    choice = _csr.choose([request()], "wec1")
    assert [csr["metadata"]["name"] for csr in choice.approve] == ["wec1-abcde"]
    assert not choice.refused


def test_choose_two_requesters_refuses_both() -> None:
    choice = _csr.choose(
        [request(), request(name="second", username="system:bootstrap:ocmhub", groups=TOKEN_GROUPS)], "wec1"
    )
    assert not choice.approve
    assert not choice.approved
    assert [name for name, _reason in choice.refused] == ["second", "wec1-abcde"]
    assert "2 requesters" in choice.refused[0][1]


def test_choose_impostor_beside_the_agent_approves_only_the_agent() -> None:
    choice = _csr.choose([request(name="bad", username="mallory"), request()], "wec1")
    assert [csr["metadata"]["name"] for csr in choice.approve] == ["wec1-abcde"]
    assert choice.refused == [("bad", "its requester is 'mallory', not a bootstrap identity")]


def test_choose_denied_request_does_not_stand_against_a_new_one() -> None:
    choice = _csr.choose(
        [request(name="denied", conditions=["Denied"]), request(pem(der(key=RSA_KEY)))], "wec1"
    )
    assert [csr["metadata"]["name"] for csr in choice.approve] == ["wec1-abcde"]
    assert not choice.approved and not choice.refused


def test_choose_restarted_agent_approves_all_its_requests_newest_first() -> None:
    older = request(name="older", creationTimestamp="2026-11-23T07:00:00Z")
    same_second = request(name="newer", resourceVersion="9999")
    choice = _csr.choose([older, request(pem(der(key=RSA_KEY))), same_second], "wec1")
    assert [csr["metadata"]["name"] for csr in choice.approve] == ["newer", "wec1-abcde", "older"]


def test_choose_two_agents_refuses_both_whoever_came_last() -> None:
    for created in ("2026-11-23T07:00:00Z", "2026-11-23T09:00:00Z"):
        other = request(pem(der(f"{IDENTITY}:agent0")), name="other", creationTimestamp=created)
        choice = _csr.choose([other, request()], "wec1")
        assert not choice.approve
        assert [name for name, _reason in choice.refused] == ["other", "wec1-abcde"]
        assert "2 agents wait for this cluster (agent0, agent1); delete those" in choice.refused[0][1]


def test_choose_tells_good_requests_that_are_approved() -> None:
    forged = request(name="forged", username="mallory", conditions=["Approved"])
    choice = _csr.choose([request(conditions=["Approved"]), forged], "wec1")
    assert choice.approved == ["wec1-abcde"]
    assert not choice.approve


def test_approval_keeps_the_resource_version_and_former_conditions() -> None:
    body = _csr.approval(request(), "Accepted")
    assert body["metadata"]["resourceVersion"] == "10"
    assert body["status"]["conditions"][-1]["type"] == "Approved"
    assert body["status"]["conditions"][-1]["status"] == "True"
    assert "conditions" not in request()["status"]
