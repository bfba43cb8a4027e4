# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What it costs to let a fleet in: 500 WECs that wait in a real ITS, in one task, beside a loop over kubernetes.core.

The clusters have no agents, so that what is measured is the hub's side: their requests are written by this file.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.kubestellar.core.plugins.module_utils import _bulk
from ansible_collections.kubestellar.core.plugins.module_utils._auth import Auth
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._resources import CSRS, MANAGED_CLUSTERS
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ..integration.running import Running, alone
from .measuring import Budget, Results, cost, scaled

FLEET, LOOP = scaled(500, 10), scaled(10, 2)
TIME = Budget("fleet let in, one task", 10)
MEMORY = Budget("fleet let in, one task, memory", 300, "MB")
ACCOUNT = "system:serviceaccount:open-cluster-management:agent-registration-bootstrap"


def pem(wec: str) -> str:
    """A request to join, as an agent makes it."""
    identity = f"system:open-cluster-management:{wec}"
    groups = (identity, "system:open-cluster-management:managed-clusters")
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, text) for text in groups]
    attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, f"{identity}:agent1"))
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(attributes))
    made = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return base64.b64encode(made.public_bytes(serialization.Encoding.PEM)).decode()


def ask(running: Running, names: Sequence[str]) -> None:
    """Let these clusters ask to join."""
    its = running.cluster("its1")
    auth = Auth(
        source="kubeconfig",
        kubeconfig=running.kubeconfig,
        context="its1",
        impersonate_user=ACCOUNT,
        impersonate_groups=("system:serviceaccounts:open-cluster-management", "system:masters"),
    )
    agent = Cluster.from_auth(auth, name="its1")

    def one(name: str) -> None:
        managed = {"apiVersion": MANAGED_CLUSTERS.api_version, "kind": MANAGED_CLUSTERS.kind}
        its.create(
            MANAGED_CLUSTERS, {**managed, "metadata": {"name": name}, "spec": {"hubAcceptsClient": False}}
        )
        request = {
            "apiVersion": CSRS.api_version,
            "kind": CSRS.kind,
            "metadata": {
                "name": f"{name}-request",
                "labels": {"open-cluster-management.io/cluster-name": name},
            },
            "spec": {
                "request": pem(name),
                "signerName": "kubernetes.io/kube-apiserver-client",
                "usages": ["digital signature", "key encipherment", "client auth"],
            },
        }
        agent.create(CSRS, request)

    _bulk.in_parallel(one, names, workers=8)


def tasks_of_a_loop(running: Running, names: Sequence[str]) -> list[dict[str, Any]]:
    """The same with kubernetes.core: no check of any request, only what is written."""
    common = {"kubeconfig": running.kubeconfig, "context": "its1"}
    managed = {
        "apiVersion": MANAGED_CLUSTERS.api_version,
        "kind": MANAGED_CLUSTERS.kind,
        "metadata": {"name": "{{ item }}", "labels": {"group": "edge"}},
        "spec": {"hubAcceptsClient": True},
    }
    properties = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "{{ item }}", "namespace": "customization-properties"},
        "data": {"store": "{{ item }}"},
    }
    kubectl = [str(running.stack.bin / "kubectl"), "--kubeconfig", running.kubeconfig, "--context", "its1"]
    return [
        {
            "name": "Approve",
            "ansible.builtin.command": {"argv": [*kubectl, "certificate", "approve", "{{ item }}-request"]},
            "changed_when": True,
            "loop": list(names),
        },
        {"name": "Accept", "kubernetes.core.k8s": {**common, "definition": managed}, "loop": list(names)},
        {
            "name": "Describe",
            "kubernetes.core.k8s": {**common, "definition": properties},
            "loop": list(names),
        },
    ]


def test_a_fleet_is_let_in(stack: Running, tmp_path: Path, results: Results) -> None:
    """One task for all, and a loop for a few."""
    names = [f"fleet{number}" for number in range(FLEET)]
    ask(stack, names)
    arguments = {
        "kubeconfig": stack.kubeconfig,
        "context": "hub",
        "its": "its1",
        "labels": {"group": "edge"},
        "clusters": [{"name": name, "properties": {"store": name}} for name in names],
        "wait": False,
        "strict": False,
    }
    ours = (alone("managed_cluster"), stack.python_environment(), json.dumps(arguments))
    first, output = cost(*ours)
    clusters = json.loads(output)["clusters"]
    assert sum(len(entry["approved"]) for entry in clusters) == FLEET
    assert all(entry["accepted"] for entry in clusters)
    again, output = cost(*ours)
    assert json.loads(output)["changed"] is False
    few = [f"loop{number}" for number in range(LOOP)]
    ask(stack, few)
    play = {"hosts": "localhost", "gather_facts": False, "tasks": tasks_of_a_loop(stack, few)}
    (tmp_path / "loop.yml").write_text(yaml.safe_dump([play]))
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", "-c", "local"]
    command += ["-e", f"ansible_python_interpreter={sys.executable}"]
    loop, output = cost([*command, str(tmp_path / "loop.yml")], stack.environment())
    assert "failed=0" in output, output
    results.details(
        f"{FLEET} clusters accepted, labelled and given properties in one task",
        f"  managed_cluster      {first}",
        f"  the same again       {again}   no write",
        f"  kubernetes.core      {loop.wall * FLEET / LOOP:6.0f} s   from a loop over {LOOP} that took {loop.wall:.1f} s, without any check",
    )
    results.figure(TIME, first.wall)
    results.figure(MEMORY, first.memory)
