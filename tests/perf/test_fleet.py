# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What it costs to let a fleet in: 500 WECs that wait in a real ITS, in one task, beside a loop over kubernetes.core. Shown, not
asserted: `make bench`.

The clusters have no agents, so that what is measured is the hub's side: their requests are written by this file.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.kubestellar.core.plugins.module_utils import _bulk
from ansible_collections.kubestellar.core.plugins.module_utils._auth import Auth
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._resources import CSRS, MANAGED_CLUSTERS
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ..integration.running import CHECKOUT, Running, assert_ok, destroy, make_stack

FLEET, LOOP = 500, 10
ACCOUNT = "system:serviceaccount:open-cluster-management:agent-registration-bootstrap"
ALONE = """\
import json, sys
from ansible.module_utils.testing import patch_module_args
from ansible_collections.kubestellar.core.plugins.modules import managed_cluster
with patch_module_args(json.load(sys.stdin)):
    managed_cluster.main()
"""


@pytest.fixture(scope="module")
def stack() -> Iterator[Running]:
    """A hub of its own."""
    running = make_stack("bench-fleet")
    assert_ok(running.playbook("hub", timeout=1500))
    yield running
    destroy(running)


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


def measured(
    command: Sequence[str], environment: dict[str, str], stdin: str = ""
) -> tuple[float, float, float, str]:
    """Seconds, CPU seconds, MB at most, and what a command has printed."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=CHECKOUT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(stdin)
    process.stdin.close()
    output = process.stdout.read()
    _pid, _status, used = os.wait4(process.pid, 0)
    return time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, output


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


def test_a_fleet_is_let_in(stack: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One task for 500, and a loop for a few."""
    names = [f"edge{number}" for number in range(FLEET)]
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
    environment = {**stack.environment(), "PYTHONPATH": str(CHECKOUT / ".venv" / "collections")}
    wall, cpu, memory, output = measured([sys.executable, "-c", ALONE], environment, json.dumps(arguments))
    clusters = json.loads(output)["clusters"]
    assert sum(len(entry["approved"]) for entry in clusters) == FLEET
    assert all(entry["accepted"] for entry in clusters)
    again, _cpu, _memory, output = measured([sys.executable, "-c", ALONE], environment, json.dumps(arguments))
    assert json.loads(output)["changed"] is False
    few = [f"loop{number}" for number in range(LOOP)]
    ask(stack, few)
    play = {"hosts": "localhost", "gather_facts": False, "tasks": tasks_of_a_loop(stack, few)}
    (tmp_path / "loop.yml").write_text(yaml.safe_dump([play]))
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", "-c", "local"]
    loop, _cpu, _memory, output = measured([*command, str(tmp_path / "loop.yml")], stack.environment())
    assert "failed=0" in output, output
    lines = [
        f"{FLEET} clusters accepted, labelled and given properties in one task (budget 10 s, 300 MB)",
        f"  managed_cluster      {wall:6.2f} s   CPU {cpu:6.2f} s   {memory:5.0f} MB",
        f"  the same again       {again:6.2f} s   no write",
        f"  kubernetes.core      {loop * FLEET / LOOP:6.0f} s   from a loop over {LOOP} that took {loop:.1f} s, without any check",
    ]
    with capsys.disabled():
        sys.stdout.write("\n".join(["", *lines, ""]))
