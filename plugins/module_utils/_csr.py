# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which certificate requests let a WEC in (private to kubestellar.core). Pure functions.

An approved request becomes a credential of the hub, so a request is approved only if all of it is what an OCM
agent asks for when it joins: who sent it, what the API object says, and what the PEM inside says. A name or a
label alone proves nothing (ocm: pkg/registration/register/csr/approve_reconciler.go;
clusteradm: pkg/cmd/accept/exec.go).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bounds
from ansible_collections.kubestellar.core.plugins.module_utils._errors import KubestellarError, plain

CLUSTER_LABEL = "open-cluster-management.io/cluster-name"
ADDON_LABEL = "open-cluster-management.io/addon-name"
SIGNER = "kubernetes.io/kube-apiserver-client"
SUBJECT_PREFIX = "system:open-cluster-management:"
CLUSTERS_GROUP = "system:open-cluster-management:managed-clusters"
BOOTSTRAP_ACCOUNT = "system:serviceaccount:open-cluster-management:agent-registration-bootstrap"
BOOTSTRAP_ACCOUNT_GROUP = "system:serviceaccounts:open-cluster-management"
BOOTSTRAP_TOKEN_PREFIX = "system:bootstrap:"
BOOTSTRAP_TOKEN_GROUP = "system:bootstrappers:managedcluster"
MOST_REQUESTS = 10
"""An agent makes no new request while this many exist for its cluster (ocm: register/csr/csr.go)."""

MOST_SECONDS = 366 * 24 * 3600
LEAST_RSA_BITS, RSA_EXPONENT = 2048, 65537
CURVES = ("secp256r1", "secp384r1", "secp521r1")

_LONGEST_REQUEST = 64 * 2**10
_USAGES = {"digital signature", "key encipherment", "client auth"}
_AGENT_ID = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$")
_PEM = re.compile(
    r"\s*-----BEGIN CERTIFICATE REQUEST-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END CERTIFICATE REQUEST-----\s*"
)


@dataclass(frozen=True)
class Verdict:
    """What to do with one request.

    :ivar decision: `approve`; `ignore` (not a pending join request of this WEC, nothing to do); or `refuse`
        (claims to be one and is not what an agent sends).
    :ivar reason: why, as a clause for a message.
    :ivar common_name: the subject's CN, where it was read.
    """

    decision: str
    reason: str
    common_name: str = ""


@dataclass(frozen=True)
class Choice:
    """What the requests for one WEC come to.

    :ivar approve: requests to approve now, newest first.
    :ivar approved: names of requests that are approved already and are what an agent sends.
    :ivar refused: (name, reason) of the others that claim to be from this WEC.
    """

    approve: Sequence[Mapping[str, Any]] = ()
    approved: Sequence[str] = ()
    refused: Sequence[tuple[str, str]] = field(default_factory=tuple)


def judge(csr: Mapping[str, Any], wec: str) -> Verdict:
    """Decide on one CertificateSigningRequest as a request of `wec` to join.

    :raises KubestellarError: the library cryptography is missing.
    """
    metadata = csr.get("metadata") or {}
    labels = metadata.get("labels") or {}
    if labels.get(CLUSTER_LABEL) != wec:
        return Verdict("ignore", "it is not labelled as a request of this cluster")
    if ADDON_LABEL in labels:
        return Verdict("ignore", "it is a request of an add-on")
    if metadata.get("deletionTimestamp"):
        return Verdict("ignore", "it is being deleted")
    state = _state(csr)
    if state in ("Denied", "Failed"):
        return Verdict("ignore", f"it is {state.lower()}")
    verdict = _examine(csr.get("spec") or {}, wec)
    if verdict.decision == "approve" and state == "Approved":
        return Verdict("ignore", "it is approved already", verdict.common_name)
    return verdict


def choose(csrs: Iterable[Mapping[str, Any]], wec: str) -> Choice:
    """Decide on all requests for one WEC together.

    Requests that would each be approved but come from different requesters, or from different agents, are all refused: which of
    them is the WEC cannot be told by them. An agent that restarted may have left older ones of its own, which have the same
    subject.
    """
    good: list[tuple[Mapping[str, Any], Verdict]] = []
    approved: list[str] = []
    refused: list[tuple[str, str]] = []
    for csr in csrs:
        verdict = judge(csr, wec)
        name = str((csr.get("metadata") or {}).get("name"))
        if verdict.decision == "approve":
            good.append((csr, verdict))
        elif verdict.decision == "refuse":
            refused.append((name, verdict.reason))
        elif verdict.common_name and _state(csr) == "Approved":
            approved.append(name)
    requesters = sorted({str(csr["spec"].get("username")) for csr, _verdict in good})
    agents = sorted({verdict.common_name.rpartition(":")[2] for _csr, verdict in good})
    for kind, found in (("requesters", requesters), ("agents", agents)):
        if len(found) > 1:
            reason = (
                f"requests from {len(found)} {kind} wait for this cluster ({plain(', '.join(found), 200)}); delete those that are "
                "not of its agent (kubectl delete csr)"
            )
            refused += [(str(csr["metadata"]["name"]), reason) for csr, _verdict in good]
            good = []
    good.sort(key=lambda pair: _age_key(pair[0]), reverse=True)
    return Choice([csr for csr, _verdict in good], sorted(approved), sorted(refused))


def approval(csr: Mapping[str, Any], message: str) -> dict[str, Any]:
    """The body for PUT .../approval. It keeps the resourceVersion, so a request that changed is not approved."""
    status = dict(csr.get("status") or {})
    condition = {
        "type": "Approved",
        "status": "True",
        "reason": "KubestellarCoreAccepted",
        "message": message,
    }
    status["conditions"] = [*(status.get("conditions") or []), condition]
    return {**csr, "status": status}


def _state(csr: Mapping[str, Any]) -> str:
    """`Denied`, `Failed`, `Approved` or `Pending`."""
    status = csr.get("status") or {}
    types = {str(condition.get("type")) for condition in status.get("conditions") or []}
    for state in ("Denied", "Failed", "Approved"):
        if state in types:
            return state
    return "Approved" if status.get("certificate") else "Pending"


def _age_key(csr: Mapping[str, Any]) -> tuple[str, int, str]:
    """Sorts by age; the resource version decides within one second."""
    metadata = csr.get("metadata") or {}
    version = str(metadata.get("resourceVersion") or "0")
    return (
        str(metadata.get("creationTimestamp") or ""),
        _bounds.whole(version),
        str(metadata.get("name")),
    )


def _examine(spec: Mapping[str, Any], wec: str) -> Verdict:
    """Judge the immutable part: requester, signer, usages and PEM. `approve` means: all of it is right."""
    if spec.get("signerName") != SIGNER:
        return Verdict("refuse", f"its signer is {plain(spec.get('signerName'), 100)}, not {SIGNER}")
    subject, problem = _subject(str(spec.get("request") or ""))
    if subject is None:
        return Verdict("refuse", problem)
    common_name = subject.common_name
    username = str(spec.get("username") or "")
    identity = f"{SUBJECT_PREFIX}{wec}"
    if not common_name.startswith(f"{identity}:") or not _AGENT_ID.fullmatch(
        common_name[len(identity) + 1 :]
    ):
        return Verdict(
            "refuse", f"its subject's common name is {plain(common_name, 120)!r}, not {identity}:<agent>"
        )
    if identity not in subject.organizations:
        return Verdict("refuse", f"its subject lacks the organization {identity}")
    foreign = sorted(set(subject.organizations) - {identity, CLUSTERS_GROUP})
    if foreign:
        return Verdict("refuse", f"its subject asks for the further organization {plain(foreign[0], 120)!r}")
    if subject.others:
        return Verdict("refuse", f"its subject has the further attribute {subject.others[0]}")
    usages = set(spec.get("usages") or [])
    if "client auth" not in usages or usages - _USAGES:
        return Verdict("refuse", f"its usages are {plain(', '.join(sorted(usages)) or 'none', 120)}")
    if username == common_name:
        return Verdict("ignore", "it is a renewal, which the hub approves itself")
    problem = _requester_problem(username, [str(group) for group in spec.get("groups") or []])
    seconds = spec.get("expirationSeconds")
    if not problem and seconds is not None and not 0 < seconds <= MOST_SECONDS:
        problem = f"it asks for a certificate of {plain(seconds, 30)} s, more than a year"
    if problem:
        return Verdict("refuse", problem)
    return Verdict("approve", "it is what an agent sends to join", common_name)


def _requester_problem(username: str, groups: Sequence[str]) -> str:
    """Why the sender is not an agent with bootstrap credentials; empty if it is one."""
    if username == BOOTSTRAP_ACCOUNT:
        needed, usual = BOOTSTRAP_ACCOUNT_GROUP, "system:serviceaccounts"
    elif username.startswith(BOOTSTRAP_TOKEN_PREFIX) and len(username) > len(BOOTSTRAP_TOKEN_PREFIX):
        needed, usual = BOOTSTRAP_TOKEN_GROUP, "system:bootstrappers"
    else:
        return f"its requester is {plain(username, 120)!r}, not a bootstrap identity"
    if needed not in groups:
        return f"its requester is not in the group {needed}"
    further = sorted(set(groups) - {needed, usual, "system:authenticated"})
    return f"its requester is in the further group {plain(further[0], 120)!r}" if further else ""


@dataclass(frozen=True)
class _Subject:
    common_name: str
    organizations: tuple[str, ...]
    others: tuple[str, ...]


def _subject(request: str) -> tuple[_Subject | None, str]:
    """The subject of `spec.request` (base64 of one PEM block), or None and why it cannot be read."""
    # Imported only where a request waits: most runs find none, and the import takes longer than all else here.
    try:
        from cryptography import x509
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.x509.oid import NameOID
    except ImportError as error:
        raise KubestellarError(
            f"The Python library cryptography cannot be used: {plain(error)}.",
            hint="Install it for the Python that runs this module: pip install cryptography.",
        ) from error
    if len(request) > _LONGEST_REQUEST:
        return None, "its request is larger than any that an agent sends"
    try:
        text = base64.b64decode(request, validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return None, "its request is not the base64 of a PEM text"
    match = _PEM.fullmatch(text)
    if match is None:
        # One block and nothing beside it: the signer must not see another request than this code.
        return None, "its request is not exactly one PEM block of type CERTIFICATE REQUEST"
    try:
        parsed = x509.load_der_x509_csr(base64.b64decode("".join(match.group(1).split()), validate=True))
        if not parsed.is_signature_valid:
            return None, "its request is not signed with its own key"
        if len(parsed.extensions):
            return None, f"its request asks for the extension {parsed.extensions[0].oid.dotted_string}"
        attributes = [(attribute.oid, attribute.value) for attribute in parsed.subject]
        weakness = _weakness(parsed.public_key())
    except (binascii.Error, ValueError, TypeError, UnsupportedAlgorithm) as error:
        return None, f"its request cannot be parsed ({plain(error, 80)})"
    if weakness:
        return None, weakness
    names = [str(value) for oid, value in attributes if oid == NameOID.COMMON_NAME]
    if len(names) != 1:
        return None, f"its subject has {len(names)} common names"
    known = (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)
    return (
        _Subject(
            names[0],
            tuple(str(value) for oid, value in attributes if oid == NameOID.ORGANIZATION_NAME),
            tuple(oid.dotted_string for oid, _value in attributes if oid not in known),
        ),
        "",
    )


def _weakness(key: Any) -> str:
    """Why nobody should be let in by a key; empty if it is a good one. Go's agents make keys of ECDSA P-256 (ocm: register/csr/csr.go)."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if isinstance(key, rsa.RSAPublicKey):
        exponent = key.public_numbers().e
        if key.key_size < LEAST_RSA_BITS:
            return f"its RSA key has {key.key_size} bits, fewer than {LEAST_RSA_BITS}"
        return (
            ""
            if exponent == RSA_EXPONENT
            else f"its RSA key has the exponent {plain(exponent, 30)}, not {RSA_EXPONENT}"
        )
    if isinstance(key, ec.EllipticCurvePublicKey):
        curve = key.curve.name
        return (
            ""
            if curve in CURVES
            else f"its key is of the curve {plain(curve, 40)}, not one of {', '.join(CURVES)}"
        )
    return "" if isinstance(key, ed25519.Ed25519PublicKey) else "its key is neither of ECDSA, RSA nor Ed25519"
