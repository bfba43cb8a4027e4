# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hub is lost, a fresh one at another address gets the backup, and the workload clusters join it: nothing that runs in
them is touched.

On a stack of its own with two WDSes, 100 objects and more, and 10 policies. The hosting cluster, the ITS and the WDSes are deleted with
their data; the workload clusters and the agents in them go on.
"""

from __future__ import annotations

import base64
import json
import os
import re
import stat
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.kubestellar.core.plugins.module_utils import _bulk
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    APPLIED_MANIFEST_WORKS,
    BINDING_POLICIES,
    BINDINGS,
    CLUSTER_ROLE_BINDINGS,
    CONFIG_MAPS,
    MANAGED_CLUSTERS,
    MANIFEST_WORKS,
    PODS,
    SERVICE_ACCOUNTS,
)
from ansible_collections.kubestellar.core.plugins.module_utils._wait import condition
from ansible_collections.kubestellar.core.plugins.module_utils._workstatus import (
    ORIGIN_BINDING_LABEL,
    ORIGIN_WDS_LABEL,
)
from ansible_collections.kubestellar.core.plugins.module_utils._yaml import dump_yaml
from ansible_collections.kubestellar.core.plugins.module_utils.backup import model
from ansible_collections.kubestellar.core.plugins.module_utils.embedded import kwok, supervisor
from ansible_collections.kubestellar.core.plugins.module_utils.embedded.home import State
from ansible_collections.kubestellar.core.tests.waiting import eventually

from .running import CHECKOUT, INVENTORY, Running, assert_ok, destroy, make_stack

WDSES = ("wds1", "wds2")
WECS = ("cluster1", "cluster2")
SPACES = ("its1", *WDSES)
WORKLOADS = yaml.safe_load((INVENTORY / "group_vars" / "kubestellar_hubs.yml").read_text())["hub_workloads"]
TWO_WDSES = (
    "-e",
    json.dumps(
        {
            "hub_wdses": [{"name": name} for name in WDSES],
            "hub_workloads": [{**workload, "wds": "wds1"} for workload in WORKLOADS],
        }
    ),
)
COMMANDS = re.findall(
    r"ansible-playbook -i inventory kubestellar\.core\.(\w+)(.*)",
    (CHECKOUT / "docs" / "docsite" / "rst" / "guide_backup.rst").read_text(encoding="utf-8"),
)
"""The commands of the guide: playbook and arguments."""
TEAM = "team.example.com/name"
TEAMS = 9
"""Policies beside that of the shop; they take turns between the WDSes."""
EVERYWHERE = {"location-group": "edge"}
TARGETS = ({"city": "lisbon"}, {"city": "lisbon"}, {"city": "turin"}, {"tier": "gold"})


def meta(name: str, namespace: str, team: int, **annotations: str) -> dict[str, Any]:
    found: dict[str, Any] = {"name": name, "labels": {TEAM: f"team{team}"}}
    if namespace:
        found["namespace"] = namespace
    if annotations:
        found["annotations"] = {key.replace("_", "/"): value for key, value in annotations.items()}
    return found


def team_objects(team: int) -> list[dict[str, Any]]:
    """What one team has in its WDS: 55 objects of many kinds."""
    space = f"team{team}"
    container = {"name": "main", "image": "example.com/till:1", "ports": [{"containerPort": 80}]}
    template = {"metadata": {"labels": {"app": "till"}}, "spec": {"containers": [container]}}
    job = {"spec": {"containers": [container], "restartPolicy": "Never"}}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"}
    expand = {"control.kubestellar.io_expand-templates": "true"}
    here: list[tuple[str, str, str, dict[str, Any]]] = [
        ("v1", "ServiceAccount", "till", {}),
        ("v1", "Secret", "till", {"data": {"password": base64.b64encode(b"horse").decode()}}),
        ("v1", "Service", "till", {"spec": {"selector": {"app": "till"}, "ports": [{"port": 80}]}}),
        (
            "apps/v1",
            "Deployment",
            "till",
            {"spec": {"replicas": 2, "selector": {"matchLabels": {"app": "till"}}, "template": template}},
        ),
        ("batch/v1", "Job", "import", {"spec": {"template": job}}),
        (
            "rbac.authorization.k8s.io/v1",
            "Role",
            "reader",
            {"rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}]},
        ),
        (
            "rbac.authorization.k8s.io/v1",
            "RoleBinding",
            "reader",
            {"roleRef": role, "subjects": [{"kind": "ServiceAccount", "name": "till", "namespace": space}]},
        ),
        *(("v1", "ConfigMap", f"item-{number}", {"data": {"price": str(number)}}) for number in range(8)),
    ]
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": meta(space, "", team)},
        *(
            {"apiVersion": version, "kind": kind, "metadata": meta(name, space, team), **body}
            for version, kind, name, body in here
        ),
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": meta("store", space, team, **expand),
            "data": {"name": "{{.storeName}} of {{.clusterName}}", "time": "08:00", "yes": "no\n\n two"},
        },
    ]


def policy(team: int) -> dict[str, Any]:
    selector = {"objectSelectors": [{"matchLabels": {TEAM: f"team{team}"}}]}
    return {
        "apiVersion": "control.kubestellar.io/v1alpha1",
        "kind": "BindingPolicy",
        "metadata": {"name": f"team{team}", "labels": {"made-by": "hand"}},
        "spec": {
            "clusterSelectors": [{"matchLabels": TARGETS[team % len(TARGETS)] if team else EVERYWHERE}],
            "downsync": [
                selector,
                {**selector, "resources": ["jobs"], "createOnly": True},
                {**selector, "resources": ["deployments"], "statusCollectors": ["replicas"]},
            ],
        },
    }


def extras() -> list[dict[str, Any]]:
    """A definition with an object, a collector and a transform."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    kubestellar = "control.kubestellar.io/v1alpha1"
    return [
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": meta("shelves.shop.example.com", "", 0),
            "spec": {
                "group": "shop.example.com",
                "names": {"kind": "Shelf", "plural": "shelves"},
                "scope": "Namespaced",
                "versions": [version],
            },
        },
        {
            "apiVersion": "shop.example.com/v1",
            "kind": "Shelf",
            "metadata": meta("top", "team0", 0),
            "spec": {"boards": 3},
        },
        {
            "apiVersion": kubestellar,
            "kind": "StatusCollector",
            "metadata": {"name": "replicas"},
            "spec": {"limit": 10, "select": [{"name": "wec", "def": "inventory.name"}]},
        },
        {
            "apiVersion": kubestellar,
            "kind": "CustomTransform",
            "metadata": {"name": "no-prices"},
            "spec": {"apiGroup": "shop.example.com", "resource": "shelves", "remove": ["$.spec.colour"]},
        },
    ]


def as_in_the_guide(running: Running, playbook: str, folder: Path, *extra: str) -> int:
    """Run a command of the guide, for this stack and folder; how many tasks have changed something."""
    (arguments,) = {rest for name, rest in COMMANDS if name == playbook}
    arguments = arguments.replace("/var/backups/kubestellar", str(folder)).split()
    counters = assert_ok(running.playbook(playbook, *arguments, *TWO_WDSES, *extra))
    return sum(values["changed"] for values in counters.values())


def apply(cluster: Cluster, objects: list[dict[str, Any]]) -> None:
    """As somebody who does not use the collection."""
    outcomes = _bulk.apply_all(cluster, _bulk.check_definitions(objects, "test"), field_manager="kubectl")
    _bulk.raise_failures(outcomes, cluster.name)


@pytest.fixture(scope="module")
def fleet() -> Iterator[Running]:
    """The stack with its workload delivered."""
    running = make_stack(os.environ.get("KUBESTELLAR_TEST_STACK", "test") + "-backup")
    assert_ok(running.playbook("site", *TWO_WDSES, timeout=1500))
    # A label that the inventory does not know, as somebody sets it by hand.
    running.cluster("its1").patch(
        MANAGED_CLUSTERS,
        "cluster2",
        None,
        {"metadata": {"labels": {"tier": "gold"}}},
        field_manager="kubectl-label",
    )
    for number, wds in enumerate(WDSES):
        teams = [team for team in range(TEAMS) if team % 2 == number]
        objects = [obj for team in teams for obj in team_objects(team)]
        apply(running.cluster(wds), [*objects, *(extras() if number == 0 else extras()[2:])])
        apply(running.cluster(wds), [policy(team) for team in teams])
    eventually(lambda: len(placement(running)) == TEAMS + 1 and delivered(running))
    yield running
    if "KUBESTELLAR_TEST_KEEP" not in os.environ:
        destroy(running)


@pytest.fixture(autouse=True)
def settled(fleet) -> None:
    """Nothing is under way when a test begins."""
    eventually(lambda: len(placement(fleet)) == TEAMS + 1 and delivered(fleet))


# -- looking ---------------------------------------------------------------------------------------------------------


def placement(running: Running) -> dict[str, Any]:
    """Policy to where its objects go: the Bindings of all WDSes, without resource versions."""
    found = {}
    for wds in WDSES:
        for binding in running.cluster(wds).list(BINDINGS).items:
            workload = binding["spec"].get("workload") or {}
            objects = [
                {key: value for key, value in entry.items() if key != "resourceVersion"}
                for scope in ("clusterScope", "namespaceScope")
                for entry in workload.get(scope) or []
            ]
            found[f"{wds}/{binding['metadata']['name']}"] = {
                "clusters": [entry["clusterId"] for entry in binding["spec"].get("destinations") or []],
                "objects": sorted(objects, key=json.dumps),
            }
    return found


def delivered(running: Running) -> bool:
    """Whether all that is placed has been applied."""
    counts: dict[tuple[str, str], int] = {}
    for work in running.cluster("its1").list(MANIFEST_WORKS).items:
        labels = work["metadata"].get("labels") or {}
        if ORIGIN_WDS_LABEL in labels and condition(work, "Applied").get("status") == "True":
            key = (
                f"{labels[ORIGIN_WDS_LABEL]}/{labels[ORIGIN_BINDING_LABEL]}",
                work["metadata"]["namespace"],
            )
            counts[key] = counts.get(key, 0) + 1
    return counts == {
        (name, cluster): len(entry["objects"])
        for name, entry in placement(running).items()
        for cluster in entry["clusters"]
    }


def running_there(running: Running) -> dict[tuple[str, ...], tuple[Any, ...]]:
    """All that was delivered to the workload clusters, and their Pods: what it is, and the very object it is."""
    found: dict[tuple[str, ...], tuple[Any, ...]] = {}
    for wec in WECS:
        cluster = running.cluster(wec)
        applied = {
            (entry["group"], entry["version"], entry["resource"])
            for work in cluster.list(APPLIED_MANIFEST_WORKS).items
            for entry in (work.get("status") or {}).get("appliedResources") or []
        }
        for resource in cluster.resources(refresh=True):
            if (resource.group, resource.version, resource.plural) not in applied:
                continue
            for item in cluster.list(resource).items:
                metadata = item["metadata"]
                if metadata.get("ownerReferences"):
                    key = (wec, resource.plural, metadata.get("namespace") or "", metadata["name"])
                    content = json.dumps(model.stripped(item), sort_keys=True)
                    found[key] = (metadata["uid"], metadata.get("generation"), content)
        for pod in cluster.list(PODS).items:
            metadata = pod["metadata"]
            found[(wec, "pods", metadata["namespace"], metadata["name"])] = (metadata["uid"], None, "")
    return found


def lengths(running: Running) -> dict[str, int]:
    return {wec: running.mark()[wec] for wec in WECS}


def creations_and_deletions(running: Running, since: dict[str, int]) -> list[str]:
    """Such requests in the workload clusters, whoever sent them, without those for the records of agents."""
    found = []
    for wec in WECS:
        for event in running.audit(wec, since[wec]):
            reference = event.get("objectRef") or {}
            records = reference.get("resource") in (
                "appliedmanifestworks",
                "events",
                "leases",
                "subjectaccessreviews",
            )
            agents = reference.get("namespace", "").startswith("open-cluster-management")
            sent = event["verb"] in ("create", "delete", "deletecollection")
            if sent and not records and not agents and event["responseStatus"].get("code", 0) < 400:
                found.append(f"{wec}: {event['userAgent'].split()[0]} {event['verb']} {event['requestURI']}")
    return found


def old_works(running: Running) -> dict[str, set[str]]:
    return {
        wec: {item["metadata"]["name"] for item in running.cluster(wec).list(APPLIED_MANIFEST_WORKS).items}
        for wec in WECS
    }


def archives(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def inside(folder: Path, space: str) -> dict[str, bytes]:
    """The files of an archive, read as anybody would."""
    with tarfile.open(folder / f"{space}.tar.gz") as archive:
        return {entry.name: archive.extractfile(entry).read() for entry in archive}  # type: ignore[union-attr]


def lasting(folder: Path) -> dict[str, dict[str, bytes]]:
    """The contents of a backup without its manifests."""
    return {
        space: {name: data for name, data in inside(folder, space).items() if name != "manifest.json"}
        for space in SPACES
    }


# -- acting ----------------------------------------------------------------------------------------------------------


def lose_the_hub(running: Running) -> None:
    """Delete hosting cluster, ITS and WDSes with their data. The agents go on, and the next hub has other addresses."""
    stack = running.stack
    gone = ("hub", *SPACES)
    with stack.locked(Progress(None)):
        state = State.load(stack)
        state.programs = {
            name: program
            for name, program in state.programs.items()
            if name == "keeper" or name.startswith("ocm-agent")
        }
        supervisor.Supervisor(stack).bring_about(state.programs)
        for name in gone:
            del state.clusters[name]
            for purpose in [purpose for purpose in state.ports if purpose.startswith(f"{name}/")]:
                del state.ports[purpose]
        state.save()
        with stack.starting(Progress(None)):
            for name in gone:
                kwok.remove(stack, name)


def let_an_hour_pass(running: Running, works: dict[str, set[str]]) -> None:
    """Let the agents evict what the earlier hub had delivered, as they do an hour after joining another one."""
    for wec, names in works.items():
        cluster = running.cluster(wec)

        def marked(cluster: Cluster = cluster, names: set[str] = names) -> bool:
            items = cluster.list(APPLIED_MANIFEST_WORKS).items
            mine = [item for item in items if item["metadata"]["name"] in names]
            return all((item.get("status") or {}).get("evictionStartTime") for item in mine)

        eventually(marked)
        long_ago = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 7200))
        body = {"status": {"evictionStartTime": long_ago}}
        _bulk.in_parallel(
            lambda name, cluster=cluster, body=body: cluster.patch(
                APPLIED_MANIFEST_WORKS, name, None, body, subresource="status"
            ),
            sorted(names),
        )
    eventually(lambda: not any(old_works(running)[wec] & works[wec] for wec in WECS))


# -- the tests -----------------------------------------------------------------------------------------------------


def test_a_backup_is_private_complete_and_changes_only_with_the_hub(fleet, tmp_path):
    assert sum(len(entry["objects"]) for entry in placement(fleet).values()) >= 100
    folder = tmp_path / "hub"
    mark = fleet.mark("wds2")
    assert as_in_the_guide(fleet, "backup", tmp_path, "--check") == 1
    assert not folder.exists()
    assert as_in_the_guide(fleet, "backup", tmp_path) == 1
    first = archives(folder)
    assert as_in_the_guide(fleet, "backup", tmp_path) == 0
    assert archives(folder) == first
    assert fleet.writes_since(mark) == []
    assert sorted(first) == sorted(f"{space}.tar.gz" for space in SPACES)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}

    files = {space: inside(folder, space) for space in SPACES}
    manifest = json.loads(files["wds1"]["manifest.json"])
    assert (manifest["space"], manifest["role"], manifest["hub"]) == ("wds1", "wds", "hub")
    assert manifest["left_out"]["controlled"] == manifest["left_out"]["deleting"] == 0
    kept = [
        obj
        for wds in WDSES
        for name, data in files[wds].items()
        if name.startswith("objects/")
        for obj in yaml.safe_load_all(data)
    ]
    policies = [obj for obj in kept if obj["kind"] == "BindingPolicy"]
    assert len(policies) == TEAMS + 1
    assert {obj["kind"] for obj in kept} == {
        *(obj["kind"] for obj in [*team_objects(0), *extras()]),
        "BindingPolicy",
    }
    namespaces = {obj["metadata"]["name"] for obj in kept if obj["kind"] == "Namespace"}
    assert namespaces == {"shop", *(f"team{team}" for team in range(TEAMS))}
    # Each object that goes anywhere is in it, and nothing else but what serves it on the way.
    places = {
        (entry["group"], entry["resource"], entry.get("namespace", ""), entry["name"])
        for placed in placement(fleet).values()
        for entry in placed["objects"]
    }
    serving = 5  # two collectors, two transforms, and the parent of the shop as an ApplySet
    assert len(places) == len(kept) - len(policies) - serving
    recorded = [entry for wds in WDSES for entry in json.loads(files[wds]["placement.json"]).values()]
    assert len(recorded) == TEAMS + 1 and all(entry["settled"] for entry in recorded)
    clusters = {
        obj["metadata"]["name"]: obj
        for obj in yaml.safe_load_all(
            files["its1"]["objects/managedclusters.cluster.open-cluster-management.io.yml"]
        )
    }
    assert clusters["cluster2"]["metadata"]["labels"]["tier"] == "gold"
    assert clusters["cluster2"]["spec"]["hubAcceptsClient"] is True


def test_a_fresh_hub_takes_over_what_runs_in_the_workload_clusters(fleet, tmp_path):
    as_in_the_guide(fleet, "backup", tmp_path)
    saved, placed, there = lasting(tmp_path / "hub"), placement(fleet), running_there(fleet)
    works, address, audited = old_works(fleet), fleet.cluster("its1").server, lengths(fleet)
    assert len(there) > 100

    lose_the_hub(fleet)
    as_in_the_guide(fleet, "hub", tmp_path)
    assert fleet.cluster("its1").server != address
    assert placement(fleet) == {}
    refused = fleet.playbook("backup", "-e", f"backup_dir={tmp_path}", *TWO_WDSES)
    assert refused.returncode and "The backup would leave less than half of" in refused.stdout
    assert lasting(tmp_path / "hub") == saved
    mark = fleet.mark("wds2")
    check = ("-e", f"backup_dir={tmp_path}", *TWO_WDSES, "--check", "--diff")
    forecast = fleet.playbook("restore", *check)
    assert assert_ok(forecast)["hub"]["changed"] == 1
    assert "+kind: BindingPolicy" in forecast.stdout
    assert base64.b64encode(b"horse").decode() not in forecast.stdout
    assert fleet.writes_since(mark) == []
    assert as_in_the_guide(fleet, "restore", tmp_path) == 1
    assert placement(fleet) == placed
    mark = fleet.mark("wds2")
    assert as_in_the_guide(fleet, "restore", tmp_path) == 0
    assert fleet.writes_since(mark) == []
    as_in_the_guide(fleet, "wecs", tmp_path)
    eventually(lambda: delivered(fleet))

    assert placement(fleet) == placed
    assert running_there(fleet) == there
    assert creations_and_deletions(fleet, audited) == []
    # The inventory finds everything as it left it, and a backup of this hub is the same.
    assert as_in_the_guide(fleet, "site", tmp_path) == 0
    as_in_the_guide(fleet, "backup", tmp_path)
    assert lasting(tmp_path / "hub") == saved

    let_an_hour_pass(fleet, works)
    assert running_there(fleet) == there
    assert creations_and_deletions(fleet, audited) == []
    what_was_taken_over_obeys_the_fresh_hub(fleet)


def what_was_taken_over_obeys_the_fresh_hub(fleet: Running) -> None:
    wds, wec = fleet.cluster("wds1"), fleet.cluster("cluster1")
    before = wec.get(CONFIG_MAPS, "item-1", "team0")
    (item,) = (obj for obj in team_objects(0) if obj["metadata"]["name"] == "item-1")
    apply(wds, [{**item, "data": {"price": "7"}}])
    wds.delete(BINDING_POLICIES, "team8")

    def arrived() -> bool:
        live = wec.get(CONFIG_MAPS, "item-1", "team0")
        return live["data"]["price"] == "7" and live["metadata"]["uid"] == before["metadata"]["uid"]

    eventually(arrived)
    eventually(lambda: wec.get(CONFIG_MAPS, "item-1", "team8") is None)
    apply(wds, [item, policy(8)])


# -- refusals --------------------------------------------------------------------------------------------------------


@pytest.fixture
def saved(fleet, tmp_path, module) -> dict[str, Any]:
    """A backup of wds2 and the arguments to restore it."""
    arguments = {"kubeconfig": fleet.kubeconfig, "context": "hub", "dir": str(tmp_path / "b")}
    made = module("space_backup", **arguments, spaces=[{"name": "wds2"}])
    (space,) = made["spaces"]
    assert (space["name"], space["changed"], space["unsettled"], space["unkept"]) == ("wds2", True, [], {})
    return arguments


def test_what_is_there_with_another_content_is_refused_unless_the_backup_is_to_win(fleet, saved, module):
    wds = fleet.cluster("wds2")
    apply(
        wds,
        [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "later", "namespace": "default"}}],
    )
    wds.delete(CONFIG_MAPS, "item-3", "team1")
    wds.patch(CONFIG_MAPS, "item-4", "team1", {"data": {"price": "9"}}, field_manager="kubectl-edit")
    mark = fleet.mark("wds2")
    refused = module("space_restore", **saved)
    assert (
        refused["failed"]
        and "wds2: ConfigMap team1/item-4 (data.price) is there with another content" in refused["msg"]
    )
    assert refused["refused"] == {"wds2": ["ConfigMap team1/item-4 (data.price)"]}
    assert fleet.writes_since(mark) == []
    done = module("space_restore", **saved, overwrite=True)
    methods = {entry["name"]: entry["method"] for entry in done["objects"] if entry["changed"]}
    assert methods == {"item-3": "create", "item-4": "update"}
    assert done["placement"] == "same" and done["beside"] == {"wds2": ["ConfigMap default/later"]}
    item = wds.get(CONFIG_MAPS, "item-3", "team1")
    assert {entry["manager"] for entry in item["metadata"]["managedFields"]} == {"kubectl"}
    assert wds.get(CONFIG_MAPS, "later", "default") is not None
    assert not module("space_restore", **saved)["changed"]
    wds.delete(CONFIG_MAPS, "later", "default")


def test_another_placement_is_named(fleet, saved, module):
    its = fleet.cluster("its1")
    its.patch(MANAGED_CLUSTERS, "cluster2", None, {"metadata": {"labels": {"tier": "silver"}}})
    try:
        eventually(
            lambda: all(not placement(fleet)[f"wds2/{name}"]["clusters"] for name in ("team3", "team7"))
        )
        failed = module("space_restore", **saved, wait_timeout=6)
    finally:
        its.patch(MANAGED_CLUSTERS, "cluster2", None, {"metadata": {"labels": {"tier": "gold"}}})
    assert failed["failed"] and failed["placement"] == "different"
    assert [entry["policy"] for entry in failed["differences"]] == ["team3", "team7"]
    assert "wds2/team3 lacks the cluster cluster2" in failed["msg"]
    assert not module("space_restore", **saved)["changed"]


def test_a_backup_that_cannot_read_everything_fails_and_keeps_the_earlier(fleet, saved, tmp_path, module):
    before, wds = archives(tmp_path / "b"), fleet.cluster("wds2")
    try:
        limited = limited_kubeconfig(wds, tmp_path / "viewer")
        space = {"name": "wds2", "role": "wds", "kubeconfig": str(limited)}
        failed = module("space_backup", dir=saved["dir"], spaces=[space])
    finally:
        wds.delete(CLUSTER_ROLE_BINDINGS, "viewer")
        wds.delete(SERVICE_ACCOUNTS, "viewer", "default")
    assert failed["failed"] and "wds2: cannot list" in failed["msg"] and "403" in failed["msg"]
    assert archives(tmp_path / "b") == before


def limited_kubeconfig(wds: Cluster, path: Path) -> Path:
    """Credentials of a ServiceAccount that may read, but no Secrets."""
    account = {"metadata": {"name": "viewer", "namespace": "default"}}
    wds.create(SERVICE_ACCOUNTS, {"apiVersion": "v1", "kind": "ServiceAccount", **account})
    wds.apply(
        CLUSTER_ROLE_BINDINGS,
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "viewer"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
            "subjects": [{"kind": "ServiceAccount", "name": "viewer", "namespace": "default"}],
        },
    )
    token = wds.request(
        "POST",
        SERVICE_ACCOUNTS.path("default", "viewer", "token"),
        body={"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}},
    )["status"]["token"]
    authority = base64.b64encode(wds.authority() or b"").decode()
    entry = {"name": "c", "cluster": {"server": wds.server, "certificate-authority-data": authority}}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [entry],
        "users": [{"name": "u", "user": {"token": token}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    }
    path.write_text(dump_yaml(content))
    return path
