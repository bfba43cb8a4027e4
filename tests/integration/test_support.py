# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A support bundle of the real stack: what is in it, that no secret of the stack is, and that nothing was written."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    CONFIG_MAPS,
    EVENTS,
    MANIFEST_WORKS,
    NAMESPACES,
    PODS,
    SECRETS,
    SERVICE_ACCOUNTS,
    Resource,
)
from ansible_collections.kubestellar.core.tests.waiting import eventually

from .running import CONTEXTS, Running, assert_ok

SECRET = ("key", "password", "secret", "token")
PLANTED = "planted-Secret-0123456789"
AGENTS = "open-cluster-management-agent"


def contents(path: str | Path) -> dict[str, str]:
    """The files in an archive, below its folder."""
    with tarfile.open(path, "r:gz") as archive:
        found = {}
        for entry in archive:
            assert entry.isfile() and entry.name.startswith("support/") and entry.mode == 0o600
            stream = archive.extractfile(entry)
            assert stream is not None
            found[entry.name.removeprefix("support/")] = stream.read().decode()
    return found


def audited(running: Running) -> dict[str, int]:
    """How long the audit logs are; they have writes only."""
    return running.mark()


def written_since(running: Running, mark: dict[str, int]) -> list[str]:
    """What kubectl or the collection has written anywhere since a mark."""
    found = []
    for context in CONTEXTS:
        for event in running.audit(context, mark[context]):
            if event.get("userAgent", "").startswith(("kubectl", "oc/", "kubestellar.core")):
                found.append(f"{context}: {event['verb']} {event['requestURI']}")
    return found


def credentials_of(text: str) -> set[str]:
    """The credentials in a kubeconfig, those in files too."""
    found = set()
    for entry in (yaml.safe_load(text) or {}).get("users") or []:
        user = entry.get("user") or {}
        found |= {str(user[key]) for key in ("token", "password", "client-key-data") if user.get(key)}
        if user.get("client-key"):
            with contextlib.suppress(FileNotFoundError):
                found.add(Path(user["client-key"]).read_text())
    return found


def secrets_of(running: Running) -> set[str]:
    """Every secret of the stack: in Secrets of all clusters, in its kubeconfigs, and private keys in its folder."""
    values = credentials_of(Path(running.kubeconfig).read_text())
    for context in CONTEXTS:
        for secret in running.cluster(context).list(SECRETS).items:
            for key, encoded in (secret.get("data") or {}).items():
                value = base64.b64decode(encoded).decode(errors="replace")
                if "kubeconfig" in key:
                    values |= credentials_of(value)
                elif any(word in key for word in SECRET):
                    values.add(value)
    for path in running.stack.folder.rglob("*.key"):
        values.add(path.read_text())
    pieces = set()
    for value in values:
        decoded = ""
        with contextlib.suppress(ValueError):
            decoded = base64.b64decode(value, validate=True).decode(errors="replace")
        for text in (value, decoded):
            if "PRIVATE KEY" in text:
                pieces |= {line for line in text.splitlines() if len(line) > 20 and not line.startswith("-")}
        pieces |= {value.strip(), base64.b64encode(value.encode()).decode()}
    return {piece for piece in pieces if len(piece) >= 8}


@contextlib.contextmanager
def there(running: Running, context: str, *objects: tuple[Resource, dict[str, Any]]) -> Iterator[None]:
    """These objects for a while."""
    cluster = running.cluster(context)
    made = []
    try:
        for resource, obj in objects:
            cluster.create(resource, {"apiVersion": resource.api_version, "kind": resource.kind, **obj})
            made.append((resource, obj["metadata"]["name"], obj["metadata"].get("namespace")))
        yield
    finally:
        for resource, name, namespace in reversed(made):
            cluster.delete(resource, name, namespace)
            eventually(lambda: cluster.get(resource, name, namespace) is None)  # noqa: B023 (waited for within)


@pytest.fixture(scope="module")
def planted(stack: Running) -> Iterator[Running]:
    """The stack with secrets where they are easily forgotten, a Pod that cannot start, and an event about it."""
    kubeconfig = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "x", "cluster": {"server": "https://x.example"}}],
        "users": [{"name": "x", "user": {"token": PLANTED}}],
    }
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "probe", "namespace": "default"},
        "stringData": {"x": PLANTED},
    }
    work = {
        "metadata": {"name": "probe", "namespace": "cluster1"},
        "spec": {"workload": {"manifests": [secret]}},
    }
    config = {
        "metadata": {"name": "probe", "namespace": "its1-system"},
        "data": {"kubeconfig": yaml.safe_dump(kubeconfig), "domain": "localtest.me"},
    }
    pod = {
        "metadata": {"name": "probe", "namespace": AGENTS},
        "spec": {
            "schedulingGates": [{"name": "kubestellar.core/probe"}],
            "containers": [{"name": "c", "image": "i.example/c", "env": [{"name": "A", "value": PLANTED}]}],
        },
    }
    event = {
        "metadata": {"name": "probe", "namespace": AGENTS},
        "type": "Warning",
        "reason": "Failed",
        "message": f"no such host, tried with password={PLANTED}",
        "lastTimestamp": "2026-01-01T00:00:00Z",
        "involvedObject": {"kind": "Pod", "namespace": AGENTS, "name": "probe"},
    }
    wec = stack.cluster("cluster1")
    own = [] if wec.get(NAMESPACES, AGENTS) else [(NAMESPACES, {"metadata": {"name": AGENTS}})]
    with (
        there(stack, "hub", (CONFIG_MAPS, config)),
        there(stack, "its1", (MANIFEST_WORKS, work)),
        there(stack, "cluster1", *own, (EVENTS, event)),
        there(stack, "cluster1", (PODS, pod)),
    ):
        yield stack


@pytest.fixture(scope="module")
def connections(stack: Running, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    """One WEC as it is, and one whose API server does not answer."""
    away = yaml.safe_load(Path(stack.kubeconfig).read_text())
    for cluster in away["clusters"]:
        cluster["cluster"]["server"] = "https://127.0.0.1:1"
    path = tmp_path_factory.mktemp("away") / "kubeconfig"
    path.write_text(yaml.safe_dump(away))
    path.chmod(0o600)
    return [
        {"name": "cluster1", "kubeconfig": stack.kubeconfig, "context": "cluster1"},
        {"name": "cluster2", "kubeconfig": str(path), "context": "cluster2"},
    ]


@pytest.fixture(scope="module")
def made(
    planted: Running, connections: list[dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str, list[str]]:
    """A bundle by the playbook: its path, what the playbook has shown, and what was written to clusters meanwhile."""
    folder = tmp_path_factory.mktemp("support") / "new"
    variables = json.dumps({"support_dest": str(folder), "status_support_connections": connections})
    mark = audited(planted)
    done = planted.playbook("support", "-e", variables)
    written = written_since(planted, mark)
    assert_ok(done)
    (path,) = folder.iterdir()
    return path, done.stdout, written


@pytest.mark.core
def test_the_bundle_has_what_its_index_says_and_is_for_its_owner_only(made):
    path, shown, _written = made
    assert re.fullmatch(r"kubestellar-support-hub-\d{8}T\d{6}Z\.tar\.gz", path.name) and str(path) in shown
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    files = contents(path)
    assert list(files)[:2] == ["index.json", "index.md"]
    index = json.loads(files["index.json"])
    assert [(one["role"], one["name"], bool(one["trouble"])) for one in index["clusters"]] == [
        ("hosting", "hub", False),
        ("its", "its1", False),
        ("wds", "wds1", False),
        ("wec", "cluster1", False),
        ("wec", "cluster2", True),
        ("stack", path_of_stack(index), False),
    ]
    listed = {entry["path"] for entry in index["entries"] if entry["path"]}
    tables = {name for name in files if "/events/" in name and name.endswith(".txt")}
    assert set(files) == listed | tables | {"index.json", "index.md", "doctor/findings.json"}
    for entry in index["entries"]:
        if entry["path"].endswith(".yml"):
            assert len(list(yaml.safe_load_all(files[entry["path"]]))) == entry["count"] > 0
    assert index["summary"]["objects"] > 20 and index["summary"]["redacted"] > 20


def path_of_stack(index: dict[str, Any]) -> str:
    return str(index["clusters"][-1]["name"])


@pytest.mark.core
def test_objects_of_every_cluster_are_in_it(made):
    files = contents(made[0])
    for path, name in (
        ("hosting/objects/controlplanes.tenancy.kflex.kubestellar.org/all.yml", "its1"),
        ("hosting/objects/secrets/its1-system.yml", "admin-kubeconfig"),
        ("spaces/wds1/objects/bindingpolicies.control.kubestellar.io/all.yml", "shop"),
        ("spaces/wds1/objects/bindings.control.kubestellar.io/all.yml", "shop"),
        ("spaces/its1/objects/managedclusters.cluster.open-cluster-management.io/all.yml", "cluster2"),
        ("spaces/its1/objects/manifestworks.work.open-cluster-management.io/all.yml", "probe"),
        ("spaces/its1/objects/certificatesigningrequests.certificates.k8s.io/all.yml", ""),
        ("wecs/cluster1/objects/appliedmanifestworks.work.open-cluster-management.io/all.yml", ""),
        (f"wecs/cluster1/objects/pods/{AGENTS}.yml", "probe"),
    ):
        names = [item["metadata"]["name"] for item in yaml.safe_load_all(files[path])]
        assert names and (not name or name in names), path
    (secret,) = (
        item
        for item in yaml.safe_load_all(files["hosting/objects/secrets/its1-system.yml"])
        if item["metadata"]["name"] == "admin-kubeconfig"
    )
    assert re.fullmatch(r"\[redacted:value:\d+-bytes\]", secret["data"]["kubeconfig-incluster"])
    (config,) = (
        item
        for item in yaml.safe_load_all(files["hosting/objects/configmaps/its1-system.yml"])
        if item["metadata"]["name"] == "probe"
    )
    assert config["data"]["domain"] == "localtest.me" and "redacted" in config["data"]["kubeconfig"]
    assert (
        "no such host, tried with password=[redacted:password]"
        in files[f"wecs/cluster1/objects/events/{AGENTS}.txt"]
    )
    assert json.loads(files["doctor/findings.json"])["summary"]["spaces"] == 2


@pytest.mark.core
def test_logs_of_the_processes_are_in_it(made):
    files = contents(made[0])
    logs = {name: text for name, text in files.items() if name.startswith("stack/")}
    assert any("/logs/" in name and "wds1" in name for name in logs), sorted(logs)
    assert any(name.startswith("stack/clusters/hub/kube-apiserver") for name in logs), sorted(logs)
    assert not any("audit" in name for name in logs)
    assert max(text.count("\n") for text in logs.values()) <= 500


@pytest.mark.core
def test_what_is_missing_is_named_first(made):
    path, shown, _written = made
    files = contents(path)
    (away,) = (one for one in json.loads(files["index.json"])["missing"] if one["cluster"] == "WEC cluster2")
    assert away["what"] == "everything" and "refused" in away["reason"]
    assert "! WEC cluster2: everything: " in shown
    page = files["index.md"]
    assert "**WEC cluster2**: everything" in page
    assert f"{AGENTS}/probe" in page.partition("## Pods that are not well")[2].partition("\n## ")[0]
    assert "no such host" in page.partition("## Warnings")[2].partition("\n## ")[0]


@pytest.mark.core
def test_no_secret_of_the_stack_is_in_it(planted, made):
    everything = "\n".join(f"{name}\n{text}" for name, text in contents(made[0]).items())
    secrets = secrets_of(planted)
    assert len(secrets) > 10
    for secret in {*secrets, PLANTED, base64.b64encode(PLANTED.encode()).decode()}:
        assert secret not in everything, f"{secret[:6]}…"
        assert secret not in made[1]
    assert "PRIVATE KEY-----" not in everything


@pytest.mark.core
def test_nothing_was_written_to_any_cluster(made):
    assert made[2] == []


@pytest.fixture
def bundle(planted: Running, module: Any, tmp_path: Path) -> Any:
    """Run the module on the hub of the stack."""

    def run(**parameters: Any) -> dict[str, Any]:
        before = os.environ.copy()
        given = {
            "kubeconfig": planted.kubeconfig,
            "context": "hub",
            "dest": str(tmp_path / "made"),
            "program": str(planted.stack.bin / "kubectl"),
            **parameters,
        }
        result = module("support_bundle", **given)
        assert os.environ == before
        return dict(result)

    return run


def test_check_mode_says_what_it_would_collect_and_writes_nothing(bundle, connections, tmp_path):
    result = bundle(_check=True, wecs=connections)
    assert result["changed"] and result["path"].startswith(str(tmp_path / "made")) and result["size"] == 0
    assert not (tmp_path / "made").exists()
    assert [one["cluster"] for one in result["planned"]] == [
        "hosting cluster hub",
        "ITS its1",
        "WDS wds1",
        "WEC cluster1",
        "WEC cluster2",
    ]
    assert "deployments.apps in wds1-system" in result["planned"][0]["kinds"]


def test_a_hosting_cluster_that_does_not_answer_is_a_failure_and_the_rest_is_there(
    planted, bundle, connections
):
    result = bundle(
        kubeconfig=None,
        context=None,
        host="https://127.0.0.1:1",
        api_key=PLANTED,
        wecs=connections[:1],
        stack_folder=str(planted.stack.folder),
    )
    assert result["failed"] and "nothing could be collected from the hosting cluster" in result["msg"]
    assert result["path"] in result["msg"]
    files = contents(result["path"])
    assert PLANTED not in str(files)
    assert {name.partition("/")[0] for name in files} >= {"wecs", "stack", "index.md"}


def test_what_is_refused_is_named_and_no_failure(planted, bundle, tmp_path):
    hub = planted.cluster("hub")
    account = {"metadata": {"name": "probe", "namespace": "default"}}
    rules = [
        {"apiGroups": ["tenancy.kflex.kubestellar.org"], "resources": ["controlplanes"], "verbs": ["list"]}
    ]
    binding = {
        "metadata": {"name": "probe"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "probe"},
        "subjects": [{"kind": "ServiceAccount", "name": "probe", "namespace": "default"}],
    }
    with there(
        planted,
        "hub",
        (SERVICE_ACCOUNTS, account),
        (CLUSTER_ROLES, {"metadata": {"name": "probe"}, "rules": rules}),
        (CLUSTER_ROLE_BINDINGS, binding),
    ):
        token = hub.request(
            "POST",
            SERVICE_ACCOUNTS.path("default", "probe", "token"),
            body={"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}},
        )["status"]["token"]
        authority = tmp_path / "ca.pem"
        authority.write_bytes(hub.authority() or b"")
        result = bundle(kubeconfig=None, context=None, host=hub.server, api_key=token, ca_cert=str(authority))
    assert not result.get("failed"), result
    refused = [one for one in result["missing"] if "forbidden" in one["reason"]]
    assert any("deployments.apps in kubeflex-system" in one["what"] for one in refused)
    files = contents(result["path"])
    assert "hosting/objects/controlplanes.tenancy.kflex.kubestellar.org/all.yml" in files
    assert token not in str(files)
