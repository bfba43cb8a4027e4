# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cluster is to know of its hub, and whether it needs a credential."""

from __future__ import annotations

import base64
import datetime
from typing import Any

import pytest
import yaml
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput
from ansible_collections.kubestellar.core.plugins.module_utils._join import kubeconfig
from ansible_collections.kubestellar.core.plugins.module_utils.klusterlet import hub as hubs
from ansible_collections.kubestellar.core.plugins.module_utils.klusterlet.hub import Hub, Known, Membership
from ansible_collections.kubestellar.core.plugins.module_utils.klusterlet.wishes import Wish
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = 1_800_000_000.0
HOUR = 3600.0


def certificate(ends: float) -> str:
    """A PEM certificate that ends then."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "agent")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.datetime.fromtimestamp(NOW - HOUR, datetime.UTC))
        .not_valid_after(datetime.datetime.fromtimestamp(ends, datetime.UTC))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()


CA, OTHER_CA = certificate(NOW + 100 * HOUR), certificate(NOW + 100 * HOUR)
SERVER, OTHER = "https://its1.example.com:9443", "https://its9.example.com:9443"
INSIDE, LOCAL = "https://" + "vcluster.its1-system", "https://" + "its1.localtest.me:9443"
EXPECTED = Known(SERVER, CA)


def encoded(**data: str) -> dict[str, Any]:
    """A Secret."""
    return {"data": {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}}


def secrets(
    *, server: str = SERVER, authority: str = CA, ends: float = NOW + HOUR, name: str = "edge1"
) -> Membership:
    """What a cluster has that has joined."""
    text = kubeconfig(server, authority.encode(), "t")
    joined = {"kubeconfig": text, "tls.crt": certificate(ends), "tls.key": "k", "cluster-name": name}
    return hubs.membership_of(encoded(**joined), encoded(kubeconfig=text))


def test_a_cluster_with_a_good_certificate_for_the_right_hub_needs_nothing():
    assert hubs.need(secrets(), EXPECTED, "edge1", NOW) == ""
    assert hubs.need(secrets(), None, "edge1", NOW) == ""
    # How a certificate is wrapped does not matter.
    assert hubs.need(secrets(), Known(SERVER, "x\n" + CA.replace("\n", "\r\n")), "edge1", NOW) == ""


@pytest.mark.parametrize(
    ("member", "expected", "reason"),
    [
        (hubs.membership_of(None, None), EXPECTED, "it has not joined"),
        (
            hubs.membership_of(None, encoded(kubeconfig=kubeconfig(SERVER, None, "t"))),
            EXPECTED,
            "it has not joined",
        ),
        (hubs.membership_of(encoded(kubeconfig="x: ["), None), EXPECTED, "it has not joined"),
        (secrets(ends=NOW - 1), EXPECTED, "its certificate has expired"),
        (secrets(name="edge7"), EXPECTED, "it has joined as edge7"),
        (secrets(server=OTHER), EXPECTED, f"the address of its hub is {OTHER}, not {SERVER}"),
        (secrets(authority=OTHER_CA), EXPECTED, "the certificate authority of its hub is another one"),
        (
            Membership("edge1", EXPECTED, None, NOW + HOUR),
            EXPECTED,
            "the Secret bootstrap-hub-kubeconfig is not there",
        ),
    ],
)
def test_a_cluster_needs_a_credential(member: Membership, expected: Known, reason: str):
    assert hubs.need(member, expected, "edge1", NOW) == reason


def test_a_cluster_that_the_hub_has_forgotten_needs_a_credential():
    assert hubs.need(secrets(), EXPECTED, "edge1", NOW, rejoin=True) == "the hub has no record of it any more"


def test_another_hub_has_another_address_and_another_authority():
    assert hubs.other_hub(secrets(server=OTHER, authority=OTHER_CA), EXPECTED, NOW) == OTHER
    assert hubs.other_hub(secrets(server=OTHER), EXPECTED, NOW) == ""
    assert hubs.other_hub(secrets(authority=OTHER_CA), EXPECTED, NOW) == ""
    assert hubs.other_hub(secrets(server=OTHER, authority=OTHER_CA), None, NOW) == ""
    assert hubs.other_hub(hubs.membership_of(None, None), EXPECTED, NOW) == ""
    # Authorities of the system say nothing about whose hub it is.
    public = hubs.membership_of(None, encoded(kubeconfig=kubeconfig(OTHER, None, "t")))
    assert hubs.other_hub(public, Known(SERVER), NOW) == OTHER


@pytest.mark.parametrize(
    ("host", "reachable"),
    [
        ("127.0.0.1:6443", False),
        ("127.9.9.9:6443", False),
        ("[::1]:6443", False),
        ("0.0.0.0:6443", False),
        ("localhost:6443", False),
        ("its1.localtest.me:9443", False),
        ("localtest.me:9443", False),
        ("kubernetes.default.svc", False),
        ("its1.its1-system.svc.cluster.local", False),
        ("vcluster.its1-system", False),
        ("its1.example.com:9443", True),
        ("10.0.0.7:6443", True),
        ("hub-control-plane:31234", True),
    ],
)
def test_addresses_that_lead_to_the_loopback_or_into_the_hub_cannot_be_reached(host: str, reachable: bool):
    assert (hubs.unreachable(f"https://{host}") == "") is reachable


def test_the_address_of_the_hub_is_the_nearest_that_works():
    hub = Hub(LOCAL, CA, INSIDE, 31234)
    assert hub.address_for(Wish("c", {})) == LOCAL
    assert hub.address_for(Wish("c", {}, is_hub=True)) == INSIDE
    inside = Wish("c", {}, host_container="hub-control-plane")
    assert hub.address_for(inside) == "https://hub-control-plane:31234"
    assert hub.address_for(Wish("c", {}, SERVER, "hub-control-plane", is_hub=True)) == SERVER
    assert Hub(SERVER, CA, "", 31234).address_for(inside) == SERVER
    assert Hub("https://127.0.0.1:1", CA).address_for(inside) == "https://127.0.0.1:1"


def test_the_port_of_the_nodes_is_that_of_the_api_server():
    other = {"spec": {"type": "ClusterIP", "ports": [{"port": 443}]}}
    metrics = {"spec": {"type": "NodePort", "ports": [{"port": 9090, "nodePort": 30000}]}}
    api = {"spec": {"type": "NodePort", "ports": [{"port": 443, "nodePort": 31234}]}}
    assert hubs.node_port([other, metrics, api]) == 31234
    assert hubs.node_port([other, metrics]) == 0


def test_a_bootstrap_kubeconfig_gets_the_address_for_each_cluster_and_keeps_the_rest():
    bootstrap = hubs.bootstrap_of(kubeconfig(SERVER, CA.encode(), "secret-token"), "file")
    assert bootstrap.known == EXPECTED and "secret-token" not in repr(bootstrap)
    before = yaml.safe_load(kubeconfig(SERVER, CA.encode(), "secret-token"))
    after = yaml.safe_load(bootstrap.text_for(OTHER))
    assert after["clusters"][0]["cluster"].pop("server") == OTHER
    assert before["clusters"][0]["cluster"].pop("server") == SERVER
    assert after == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"current-context": "none"}, "not a kubeconfig with one cluster"),
        ({"users": []}, "has no token"),
        (
            {"clusters": [{"name": "hub", "cluster": {"server": SERVER, "insecure-skip-tls-verify": True}}]},
            "does not verify",
        ),
        (
            {"clusters": [{"name": "hub", "cluster": {"server": SERVER, "certificate-authority": "/ca"}}]},
            "names a file",
        ),
    ],
)
def test_a_bootstrap_kubeconfig_that_agents_could_not_use_is_refused(change: dict[str, Any], message: str):
    content = {**yaml.safe_load(kubeconfig(SERVER, CA.encode(), "t")), **change}
    with pytest.raises(InvalidInput, match=message):
        hubs.bootstrap_of(yaml.safe_dump(content), "file")


def test_a_bootstrap_kubeconfig_that_others_can_read_is_refused(tmp_path):
    path = tmp_path / "bootstrap"
    path.write_text(kubeconfig(SERVER, CA.encode(), "t"))
    path.chmod(0o644)
    with pytest.raises(InvalidInput, match="others may read it \\(mode 0644\\)") as caught:
        hubs.read_bootstrap(str(path))
    assert caught.value.hint == f"chmod 600 {path}"
    path.chmod(0o600)
    assert hubs.read_bootstrap(str(path)).known == EXPECTED
    with pytest.raises(InvalidInput, match="cannot be read"):
        hubs.read_bootstrap(str(tmp_path / "none"))
