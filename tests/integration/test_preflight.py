# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The prerequisites of a hub on a real API server: none lacking on a fit cluster; each break gives exactly its finding."""

from __future__ import annotations

import contextlib
import json
import re
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _resources
from ansible_collections.kubestellar.core.tests.waiting import eventually

from .chart_hub import ONE, Hub
from .running import CHECKOUT, assert_ok

NODES = ("hub-node-1", "hub-node-2")
DEFAULT = "storageclass.kubernetes.io/is-default-class"


@pytest.fixture
def preflight(hub: Hub, module) -> Callable[..., dict[str, Any]]:
    """Run the module for the hub of the tests; other options may be given."""

    def call(**options: Any) -> dict[str, Any]:
        usual = {
            **hub.connection,
            "itses": ONE["hub_itses"],
            "wdses": ONE["hub_wdses"],
            "helm": str(hub.running.stack.bin / "helm"),
        }
        return module("hub_preflight", **{**usual, **options})

    return call


def errors(made: dict[str, Any]) -> set[str]:
    """The ids of what is wrong."""
    return {entry["id"] for entry in made["checks"] if entry["state"] == "error"}


@contextlib.contextmanager
def patched(
    hub: Hub,
    resource: _resources.Resource,
    name: str,
    broken: Any,
    whole: Any,
    subresource: str | None = None,
) -> Iterator[None]:
    """An object that is changed for a while."""
    hub.cluster.patch(resource, name, None, broken, subresource=subresource)
    try:
        yield
    finally:
        hub.cluster.patch(resource, name, None, whole, subresource=subresource)


@contextlib.contextmanager
def cordoned(hub: Hub) -> Iterator[None]:
    """No node takes Pods."""
    with contextlib.ExitStack() as stack:
        for name in NODES:
            change = ({"spec": {"unschedulable": value}} for value in (True, None))
            stack.enter_context(patched(hub, _resources.NODES, name, *change))
        yield


@contextlib.contextmanager
def small(hub: Hub) -> Iterator[None]:
    """The nodes have little room."""
    with contextlib.ExitStack() as stack:
        for name in NODES:
            before = hub.cluster.get(_resources.NODES, name)["status"]["allocatable"]["cpu"]
            change = ({"status": {"allocatable": {"cpu": value}}} for value in ("100m", before))
            stack.enter_context(patched(hub, _resources.NODES, name, *change, subresource="status"))
        yield


@contextlib.contextmanager
def without_default_class(hub: Hub) -> Iterator[None]:
    """No StorageClass is the default."""
    change = ({"metadata": {"annotations": {DEFAULT: value}}} for value in ("false", "true"))
    with patched(hub, _resources.STORAGE_CLASSES, "standard", *change):
        yield


@contextlib.contextmanager
def without_ingress_class(hub: Hub) -> Iterator[None]:
    """There is no IngressClass."""
    found = hub.cluster.get(_resources.INGRESS_CLASSES, "nginx")
    hub.cluster.delete(_resources.INGRESS_CLASSES, "nginx")
    try:
        yield
    finally:
        metadata = {"name": "nginx"}
        hub.cluster.create(_resources.INGRESS_CLASSES, {**found, "metadata": metadata})


@contextlib.contextmanager
def namespace_on_its_way_out(hub: Hub) -> Iterator[None]:
    """The namespace of a space that is not there is being deleted, and does not go."""
    name, held = "wds1-system", {"name": "held", "namespace": "wds1-system"}
    hub.cluster.create(
        _resources.NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    )
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {**held, "finalizers": ["example.com/held"]},
    }
    hub.cluster.create(_resources.CONFIG_MAPS, config)
    hub.cluster.delete(_resources.NAMESPACES, name)
    try:
        yield
    finally:
        hub.cluster.patch(_resources.CONFIG_MAPS, "held", name, {"metadata": {"finalizers": None}})
        eventually(lambda: hub.cluster.get(_resources.NAMESPACES, name) is None)


def test_a_fit_cluster_lacks_nothing_and_nothing_is_written(hub, preflight):
    mark = hub.mark()
    made = preflight()
    assert not made.get("failed") and errors(made) == set(), made["table"]
    entries = {entry["id"]: entry for entry in made["checks"]}
    found = {name for name, entry in entries.items() if entry["state"] == "warning"}
    # How names are resolved depends on the machine; the cluster is at a loopback address.
    assert "address-loopback" in found
    assert found <= {"address-loopback", "address-unresolved", "address-unreachable"}
    assert entries["pod-unschedulable"]["state"] == entries["volume-missing"]["state"] == "ok"
    assert entries["right-missing"]["message"] == "The credentials have every right."
    events = hub.running.audit("hub", mark)
    ours = [event for event in events if event["userAgent"].startswith("kubestellar.core")]
    assert len(ours) < 25
    # The question for rights is a create of something that is never stored, and as a dry run besides.
    asked = [event for event in ours if event["verb"] not in ("get", "list")]
    assert {event["objectRef"]["resource"] for event in asked} == {"selfsubjectaccessreviews"}
    assert all("dryRun=All" in event["requestURI"] for event in asked) and len(asked) == 1
    assert hub.writes(mark) == []


BREAKS = {
    "volume-missing": without_default_class,
    "ingress-class-missing": without_ingress_class,
    "node-missing": cordoned,
    "pod-unschedulable": small,
    "namespace-deleting": namespace_on_its_way_out,
}


def test_what_a_cluster_lacks_is_told_and_nothing_else(hub, preflight, subtests):
    for name, broken in BREAKS.items():
        with subtests.test(name):
            with broken(hub):
                made = preflight()
                assert made["failed"] and errors(made) == {name}, made["table"]
                assert f"[{name}]" in made["msg"] and "nothing has been changed" in made["msg"]
                assert not preflight(skip=[name]).get("failed")
            assert errors(preflight()) == set()


@pytest.fixture
def reader(hub: Hub, tmp_path: Path) -> dict[str, Any]:
    """The connection of a service account that may read everything, and change nothing."""
    name, group = "preflight-reader", "rbac.authorization.k8s.io"
    role = {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name},
        "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list"]}],
    }
    subject = {"kind": "ServiceAccount", "name": name, "namespace": "default"}
    binding = {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": name},
        "subjects": [subject],
    }
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": name, "namespace": "default"},
    }
    hub.cluster.create(_resources.SERVICE_ACCOUNTS, account)
    hub.cluster.create(_resources.CLUSTER_ROLES, role)
    hub.cluster.create(_resources.CLUSTER_ROLE_BINDINGS, binding)
    token = hub.cluster.request(
        "POST",
        _resources.SERVICE_ACCOUNTS.path("default", name, "token"),
        body={"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}},
    )["status"]["token"]
    authority = tmp_path / "ca.crt"
    authority.write_bytes(hub.cluster.authority() or b"")
    return {
        "kubeconfig": None,
        "context": None,
        "host": hub.cluster.server,
        "api_key": token,
        "ca_cert": str(authority),
    }


def test_rights_that_the_credentials_lack_are_named(preflight, reader):
    made = preflight(**reader)
    assert made["failed"] and errors(made) == {"right-missing"}, made["table"]
    told = [entry["message"] for entry in made["checks"] if entry["id"] == "right-missing"]
    assert any("lack the right to create namespaces." in text for text in told)
    assert any(
        "lack the right to bind clusterroles.rbac.authorization.k8s.io cluster-admin." in text
        for text in told
    )
    assert any(
        "lack the rights to create, update, delete secrets in the namespace default." in text for text in told
    )
    (unproven,) = (entry for entry in made["checks"] if entry["id"] == "right-unproven")
    assert unproven["state"] == "warning" and "escalate, bind" in unproven["message"]
    assert reader["api_key"] not in json.dumps(made)


def test_the_play_of_the_guide_shows_what_may_not_work_and_writes_nothing(hub, tmp_path):
    guide = (CHECKOUT / "docs" / "docsite" / "rst" / "guide_hub.rst").read_text()
    found = re.findall(r"code-block:: yaml\n\n((?:   .+\n)+)", guide)
    (play,) = (text for text in found if "tasks_from: preflight" in text)
    (tmp_path / "play.yml").write_text(textwrap.dedent(play))
    mark = hub.mark()
    done = hub.run(str(tmp_path / "play"))
    assert assert_ok(done)["hub"]["changed"] == 0
    assert "prerequisites of hub: 0 errors, " in done.stdout and "[address-loopback]" in done.stdout
    assert hub.writes(mark) == []


@pytest.mark.core
def test_hub_yml_tells_everything_that_is_lacking_before_the_first_write(hub):
    mark = hub.mark()
    with cordoned(hub), without_default_class(hub), without_ingress_class(hub):
        done = hub.run("hub")
        written = hub.writes(mark)
    assert done.returncode != 0
    output = " ".join(done.stdout.split())
    assert "hub: 3 prerequisites are not met, and nothing has been changed." in output
    for name in ("node-missing", "volume-missing", "ingress-class-missing"):
        assert f"[{name}]" in output
    # What the test itself has changed comes by the same client.
    own = ("/nodes/hub-node-", "/storageclasses/standard", "/ingressclasses")
    assert [line for line in written if not any(part in line for part in own)] == []
    assert hub.cluster.list(_resources.SECRETS, "default", label_selector="owner=helm").items == []


def test_a_hub_that_is_there_is_not_held_up_by_what_it_uses_itself(installed, preflight):
    mark = installed.mark()
    with (
        cordoned(installed),
        small(installed),
        without_default_class(installed),
        without_ingress_class(installed),
    ):
        made = preflight()
    assert not made.get("failed") and made["summary"]["error"] == made["summary"]["warning"] == 0, made[
        "table"
    ]
    events = installed.running.audit("hub", mark)
    reads = [
        event
        for event in events
        if event["userAgent"].startswith("kubestellar.core")
        and event["verb"] not in ("patch", "delete", "create")
    ]
    # Two nodes are read by the test itself.
    assert len(reads) <= 12, [event["requestURI"] for event in reads]
