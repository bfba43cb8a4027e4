# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a diagnosis of a fleet costs, from the first request to the table. Shown, not asserted: `make bench`.

The answers are as large as those of API servers, and come from a process beside this one.
"""

from __future__ import annotations

import base64
import datetime
import json
import multiprocessing
import resource
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster, dump_yaml
from ansible_collections.kubestellar.core.plugins.module_utils.doctor import checks, read, report

WECS, OBJECTS, POLICIES = 100, 100, 20

NOW = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
OLD = "2026-01-01T00:00:00Z"
KUBESTELLAR = ("bindingpolicies", "bindings", "combinedstatuses", "customtransforms", "statuscollectors")


def managed(status: bool = False) -> list[dict[str, Any]]:
    """managedFields of about the size that real ones have."""
    fields = {f"f:field{n}": {"f:inner": {}, "f:other": {}} for n in range(10)}
    entry = {"manager": "m", "operation": "Update", "time": OLD, "fieldsV1": fields}
    return [entry, *([{**entry, "subresource": "status"}] if status else [])]


def conditions(*types: str) -> list[dict[str, Any]]:
    return [
        {"type": t, "status": "True", "reason": "Available", "message": "it is so", "observedGeneration": 1}
        for t in types
    ]


def secret(name: str, port: int) -> dict[str, Any]:
    content = {
        "clusters": [{"name": "x", "cluster": {"server": f"http://127.0.0.1:{port}/{name}"}}],
        "users": [{"name": "x", "user": {"token": "opaque"}}],
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
        "current-context": "x",
    }
    text = base64.b64encode(dump_yaml(content).encode()).decode()
    return {
        "metadata": {"name": "admin-kubeconfig"},
        "data": {"kubeconfig": text, "kubeconfig-incluster": text},
    }


def control_plane(name: str) -> dict[str, Any]:
    reference = {
        "name": "admin-kubeconfig",
        "namespace": f"{name}-system",
        "key": "kubeconfig",
        "inClusterKey": "kubeconfig-incluster",
    }
    return {
        "metadata": {
            "name": name,
            "generation": 1,
            "creationTimestamp": OLD,
            "labels": {"kflex.kubestellar.io/cptype": name[:3]},
        },
        "spec": {"type": "external"},
        "status": {
            "conditions": conditions("Ready", "Synced"),
            "observedGeneration": 1,
            "secretRef": reference,
        },
    }


def wec(name: str) -> dict[str, Any]:
    kinds = ("HubAcceptedManagedCluster", "ManagedClusterJoined", "ManagedClusterConditionAvailable")
    return {
        "metadata": {"name": name, "labels": {"group": "edge"}, "managedFields": managed(True)},
        "spec": {"hubAcceptsClient": True},
        "status": {"conditions": conditions(*kinds)},
    }


def work(cluster: str, number: int) -> dict[str, Any]:
    name = f"object{number}"
    policy = f"policy{number % POLICIES}"
    manifest = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "default", "labels": {"app": policy}},
        "data": {f"key{n}": "value" * 10 for n in range(10)},
    }
    meta = {
        "group": "",
        "version": "v1",
        "kind": "ConfigMap",
        "resource": "configmaps",
        "namespace": "default",
        "name": name,
    }
    return {
        "metadata": {
            "name": f"uid-{policy}-wds1-{number}",
            "namespace": cluster,
            "uid": f"{cluster}-{number}",
            "generation": 1,
            "labels": {
                "transport.kubestellar.io/originOwnerReferenceBindingKey": policy,
                "transport.kubestellar.io/originWdsName": "wds1",
            },
            "annotations": {"transport.kubestellar.io/originOwnerReferenceBindingGeneration": "1"},
            "managedFields": managed(True),
        },
        "spec": {"workload": {"manifests": [manifest]}},
        "status": {
            "conditions": conditions("Applied", "Available"),
            "resourceStatus": {"manifests": [{"resourceMeta": meta, "conditions": conditions("Applied")}]},
        },
    }


def policy(name: str) -> dict[str, Any]:
    return {
        "metadata": {
            "name": name,
            "generation": 1,
            "finalizers": [checks.POLICY_FINALIZER],
            "managedFields": managed(),
        },
        "spec": {
            "clusterSelectors": [{"matchLabels": {"group": "edge"}}],
            "downsync": [{"objectSelectors": [{"matchLabels": {"app": name}}]}],
        },
        "status": {"observedGeneration": 1},
    }


def binding(number: int, names: list[str]) -> dict[str, Any]:
    entries = [
        {
            "group": "",
            "version": "v1",
            "resource": "configmaps",
            "namespace": "default",
            "name": f"object{n}",
            "resourceVersion": "1",
        }
        for n in range(number, OBJECTS, POLICIES)
    ]
    return {
        "metadata": {
            "name": f"policy{number}",
            "uid": f"uid-policy{number}",
            "generation": 1,
            "managedFields": managed(),
        },
        "spec": {
            "workload": {"namespaceScope": entries},
            "destinations": [{"clusterId": name} for name in names],
        },
        "status": {"observedGeneration": 1},
    }


def discovery(*resources: tuple[str, str, str, str, bool]) -> dict[str, Any]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for group, _version, plural, kind, namespaced in resources:
        scope = "Namespaced" if namespaced else "Cluster"
        groups.setdefault(group, []).append(
            {
                "resource": plural,
                "responseKind": {"kind": kind},
                "scope": scope,
                "verbs": ["list", "watch", "get"],
            }
        )
    versions = {group: version for group, version, *_rest in resources}
    return {
        "kind": "APIGroupDiscoveryList",
        "items": [
            {"metadata": {"name": group}, "versions": [{"version": versions[group], "resources": found}]}
            for group, found in groups.items()
        ],
    }


def answers(port: int) -> dict[str, bytes]:
    """Path to what is answered, for the three API servers."""
    names = [f"cluster{n:03}" for n in range(WECS)]
    control = [
        ("control.kubestellar.io", "v1alpha1", plural, plural.title(), False) for plural in KUBESTELLAR
    ]
    work_status = ("control.kubestellar.io", "v1alpha1", "workstatuses", "WorkStatus", True)
    ocm = [
        ("cluster.open-cluster-management.io", "v1", "managedclusters", "ManagedCluster", False),
        ("work.open-cluster-management.io", "v1", "manifestworks", "ManifestWork", True),
    ]
    core = ("", "v1", "configmaps", "ConfigMap", True)
    objects = [
        {
            "metadata": {
                "name": f"object{n}",
                "namespace": "default",
                "resourceVersion": "1",
                "uid": str(n),
                "labels": {"app": f"policy{n % POLICIES}"},
            }
        }
        for n in range(OBJECTS)
    ]
    leases = [
        {"metadata": {"name": "managed-cluster-lease", "namespace": n}, "spec": {"renewTime": NOW}}
        for n in names
    ]
    flex, group = (
        "/hub/apis/tenancy.kflex.kubestellar.org/v1alpha1",
        "/wds1/apis/control.kubestellar.io/v1alpha1",
    )
    lists: dict[str, list[dict[str, Any]]] = {
        f"{flex}/controlplanes": [control_plane("its1"), control_plane("wds1")],
        "/its1/apis/cluster.open-cluster-management.io/v1/managedclusters": [wec(name) for name in names],
        "/its1/apis/coordination.k8s.io/v1/leases": leases,
        "/its1/apis/work.open-cluster-management.io/v1/manifestworks": [
            work(name, number) for name in names for number in range(OBJECTS)
        ],
        f"{group}/bindingpolicies": [policy(f"policy{n}") for n in range(POLICIES)],
        f"{group}/bindings": [binding(n, names) for n in range(POLICIES)],
        "/wds1/api/v1/configmaps": objects,
    }
    whole: dict[str, Any] = {path: {"items": items, "metadata": {}} for path, items in lists.items()}
    for name, known in (("hub", []), ("its1", [*ocm, work_status]), ("wds1", control)):
        whole[f"/{name}/version"] = {}
        whole[f"/{name}/api"] = discovery(core)
        whole[f"/{name}/apis"] = discovery(*known)
    for name in ("its1", "wds1"):
        whole[f"/hub/api/v1/namespaces/{name}-system/secrets/admin-kubeconfig"] = secret(name, port)
    return {path: json.dumps(answer).encode() for path, answer in whole.items()}


def serve(pipe: Any) -> None:
    """The body of the process beside."""
    known: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = known.get(self.path.partition("?")[0], b'{"items": [], "metadata": {}}')
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    known.update(answers(server.server_port))
    pipe.send((server.server_port, sum(map(len, known.values()))))
    server.serve_forever()


@pytest.fixture
def server() -> Iterator[tuple[int, int]]:
    """Port, and bytes of all answers."""
    context = multiprocessing.get_context("spawn" if sys.platform != "linux" else "fork")
    mine, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    yield mine.recv()
    process.terminate()
    process.join()


def test_diagnosis_of_a_fleet(server: tuple[int, int], capsys: pytest.CaptureFixture[str]) -> None:
    """Reading and judging apart, in seconds of the clock and of this process."""
    port, size = server
    content = {
        "clusters": [{"name": "x", "cluster": {"server": f"http://127.0.0.1:{port}/hub"}}],
        "users": [{"name": "x", "user": {"token": "opaque"}}],
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
    }
    clock, cpu = [time.perf_counter()], [time.process_time()]

    def lap() -> None:
        clock.append(time.perf_counter())
        cpu.append(time.process_time())

    hosting = Cluster.from_kubeconfig(content, name="hub")
    facts = read.read(hosting, checks.needed(checks.CHECKS), None)
    lap()
    diagnosis = checks.diagnose(facts)
    result = report.result(facts, diagnosis)
    lap()
    assert diagnosis.findings == [], result["table"][:20]
    assert result["summary"]["wecs"] == WECS and result["summary"]["policies"] == POLICIES
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    title = (
        f"doctor: {WECS} WECs, {POLICIES} policies, {WECS * OBJECTS} ManifestWorks, {size / 1e6:.0f} MB of answers "
        "(budget 10 s)"
    )
    lines = [
        f"  {what:<8} {clock[n + 1] - clock[n]:6.2f} s, {cpu[n + 1] - cpu[n]:6.2f} s CPU"
        for n, what in enumerate(("reading", "judging"))
    ]
    lines.append(f"  process  {memory:6.0f} MB  with the test itself")
    with capsys.disabled():
        sys.stdout.write("\n".join(["", title, *lines, ""]))
