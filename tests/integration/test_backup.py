# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hub is lost, a fresh one gets the backup, and the workload clusters join it: nothing that runs in them is touched.

On a stack of its own with two WDSes, 500 objects and 10 policies. The hosting cluster, the ITS and the WDSes are deleted with their data;
the workload clusters and the agents in them go on.
"""

from __future__ import annotations

import base64
import functools
import json
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.kubestellar.core.plugins.module_utils import _backup, _bulk
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    APPLIED_MANIFEST_WORKS,
    BINDING_POLICIES,
    BINDINGS,
    CONFIG_MAPS,
    MANAGED_CLUSTERS,
    MANIFEST_WORKS,
    SECRETS,
    SERVICE_ACCOUNTS,
    Resource,
)
from ansible_collections.kubestellar.core.plugins.module_utils._wait import condition
from ansible_collections.kubestellar.core.plugins.module_utils._workstatus import (
    ORIGIN_BINDING_LABEL,
    ORIGIN_WDS_LABEL,
)
from ansible_collections.kubestellar.core.plugins.module_utils.embedded import kwok, supervisor, teardown
from ansible_collections.kubestellar.core.plugins.module_utils.embedded.home import State

from .conftest import INVENTORY, Running, assert_ok, make_stack
from .test_faults import wait_for

WDSES = ("wds1", "wds2")
WECS = ("cluster1", "cluster2")
HUB_SIDE = ("hub", "its1", *WDSES)
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
PODS = Resource("", "v1", "pods", "Pod", True)
TEAM = "team.example.com/name"
TEAMS = 9
"""Policies beside that of the shop; they take turns between the WDSes."""
TARGETS = (
    {"location-group": "edge"},
    {"city": "lisbon"},
    {"city": "turin"},
    {"tier": "gold"},
)


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
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": meta(space, "", team)},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta("till", space, team)},
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": meta("till", space, team),
            "data": {"password": base64.b64encode(b"horse").decode()},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": meta("till", space, team),
            "spec": {"selector": {"app": "till"}, "ports": [{"port": 80}]},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": meta("till", space, team),
            "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "till"}}, "template": template},
        },
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": meta("import", space, team),
            "spec": {"template": job},
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role",
            "metadata": meta("reader", space, team),
            "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}],
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": meta("reader", space, team),
            "roleRef": role,
            "subjects": [{"kind": "ServiceAccount", "name": "till", "namespace": space}],
        },
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": meta("store", space, team, **expand),
            "data": {"name": "{{.storeName}} of {{.clusterName}}", "time": "08:00", "yes": "no\n\n two"},
        },
        *(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": meta(f"item-{number}", space, team),
                "data": {"price": str(number)},
            }
            for number in range(46)
        ),
    ]


def policy(team: int) -> dict[str, Any]:
    selector = {"objectSelectors": [{"matchLabels": {TEAM: f"team{team}"}}]}
    return {
        "apiVersion": "control.kubestellar.io/v1alpha1",
        "kind": "BindingPolicy",
        "metadata": {"name": f"team{team}", "labels": {"made-by": "hand"}},
        "spec": {
            "clusterSelectors": [{"matchLabels": TARGETS[team % len(TARGETS)]}],
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
    return [
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": meta("shelves.shop.example.com", "", 0),
            "spec": {
                "group": "shop.example.com",
                "names": {"kind": "Shelf", "plural": "shelves"},
                "scope": "Namespaced",
                "versions": [
                    {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
                ],
            },
        },
        {
            "apiVersion": "shop.example.com/v1",
            "kind": "Shelf",
            "metadata": meta("top", "team0", 0),
            "spec": {"boards": 3},
        },
        {
            "apiVersion": "control.kubestellar.io/v1alpha1",
            "kind": "StatusCollector",
            "metadata": {"name": "replicas"},
            "spec": {"limit": 10, "select": [{"name": "wec", "def": "inventory.name"}]},
        },
        {
            "apiVersion": "control.kubestellar.io/v1alpha1",
            "kind": "CustomTransform",
            "metadata": {"name": "no-prices"},
            "spec": {"apiGroup": "shop.example.com", "resource": "shelves", "remove": ["$.spec.colour"]},
        },
    ]


def apply(cluster: Cluster, objects: list[dict[str, Any]]) -> None:
    """As somebody who does not use the collection."""
    outcomes = _bulk.apply_all(cluster, _bulk.check_definitions(objects, "test"), field_manager="kubectl")
    _bulk.raise_failures(outcomes, cluster.name)


@pytest.fixture(scope="module")
def fleet() -> Iterator[Running]:
    """The stack with its workload delivered."""
    running = make_stack("backup")
    try:
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
            cluster = running.cluster(wds)
            teams = [team for team in range(TEAMS) if team % 2 == number]
            objects = [obj for team in teams for obj in team_objects(team)]
            apply(cluster, [*objects, *(extras() if number == 0 else extras()[2:])])
            apply(cluster, [policy(team) for team in teams])
        wait_for(lambda: len(placement(running)) == TEAMS + 1 and delivered(running), 180)
        yield running
    finally:
        if "KUBESTELLAR_TEST_KEEP" not in os.environ:
            teardown.absent(running.stack, Progress(None), check_mode=False)


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


def deliveries(placed: dict[str, Any]) -> set[tuple[str, str, int]]:
    """Policy, cluster and number of ManifestWorks that a placement must have."""
    return {
        (name, cluster, len(entry["objects"]))
        for name, entry in placed.items()
        for cluster in entry["clusters"]
    }


def delivered(running: Running) -> bool:
    """Whether all that is placed has been applied."""
    counts: dict[tuple[str, str], int] = {}
    for work in running.cluster("its1").list(MANIFEST_WORKS).items:
        labels = work["metadata"].get("labels") or {}
        if ORIGIN_WDS_LABEL in labels and condition(work, "Applied").get("status") == "True":
            name = f"{labels[ORIGIN_WDS_LABEL]}/{labels[ORIGIN_BINDING_LABEL]}"
            key = (name, work["metadata"]["namespace"])
            counts[key] = counts.get(key, 0) + 1
    return {(*key, count) for key, count in counts.items()} == deliveries(placement(running))


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
            if (resource.group, resource.version, resource.plural) not in applied and resource != PODS:
                continue
            for item in cluster.list(resource).items:
                metadata = item["metadata"]
                owners = [entry["kind"] for entry in metadata.get("ownerReferences") or []]
                if owners and "Lease" not in owners:
                    key = (wec, resource.plural, metadata.get("namespace") or "", metadata["name"])
                    content = json.dumps(_backup.stripped(item), sort_keys=True)
                    found[key] = (metadata["uid"], metadata.get("generation"), content)
        for pod in cluster.list(PODS).items:
            metadata = pod["metadata"]
            found[(wec, "pods", metadata["namespace"], metadata["name"])] = (metadata["uid"], None, "")
    return found


def requests(running: Running, wec: str, since: int, verbs: tuple[str, ...]) -> list[str]:
    """The requests of the work agent in the audit log of a workload cluster, without those for its own records."""
    lines = (running.stack.cluster(wec) / "logs" / "audit.log").read_text().splitlines()
    found = []
    for line in lines[since:]:
        event = json.loads(line)
        reference = event.get("objectRef") or {}
        ours = reference.get("resource") in (
            "appliedmanifestworks",
            "events",
            "leases",
            "subjectaccessreviews",
        )
        own = reference.get("namespace", "").startswith("open-cluster-management")
        if event["verb"] in verbs and not ours and not own and event["responseStatus"].get("code", 0) < 400:
            found.append(f"{event['userAgent'].split()[0]} {event['verb']} {event['requestURI']}")
    return found


def lose_the_hub(running: Running, *, moved: bool) -> None:
    """Delete hosting cluster, ITS and WDSes with their data. The agents in the workload clusters go on.

    :param moved: the next hub has other addresses.
    """
    stack = running.stack
    with stack.locked(Progress(None)):
        state = State.load(stack)
        state.programs = {
            name: program
            for name, program in state.programs.items()
            if name == "keeper" or name.startswith("ocm-agent")
        }
        supervisor.Supervisor(stack).bring_about(state.programs)
        for name in HUB_SIDE:
            del state.clusters[name]
            for purpose in [purpose for purpose in state.ports if purpose.startswith(f"{name}/")]:
                if moved:
                    del state.ports[purpose]
        state.save()
        with stack.starting(Progress(None)):
            for name in HUB_SIDE:
                kwok.remove(stack, name)


def old_works(running: Running) -> dict[str, set[str]]:
    return {
        wec: {item["metadata"]["name"] for item in running.cluster(wec).list(APPLIED_MANIFEST_WORKS).items}
        for wec in WECS
    }


def patch_status(cluster: Cluster, body: dict[str, Any], name: str) -> None:
    cluster.patch(APPLIED_MANIFEST_WORKS, name, None, body, subresource="status")


def let_an_hour_pass(running: Running, works: dict[str, set[str]]) -> None:
    """Let the agents evict what the earlier hub had delivered, as they do an hour after joining another one."""
    for wec, names in works.items():
        cluster = running.cluster(wec)

        def marked(cluster: Cluster = cluster, names: set[str] = names) -> bool:
            items = cluster.list(APPLIED_MANIFEST_WORKS).items
            mine = [item for item in items if item["metadata"]["name"] in names]
            return all((item.get("status") or {}).get("evictionStartTime") for item in mine)

        wait_for(marked)
        long_ago = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 7200))
        body = {"status": {"evictionStartTime": long_ago}}
        age = functools.partial(patch_status, cluster, body)
        _bulk.in_parallel(age, sorted(names))
    wait_for(lambda: not any(old_works(running)[wec] & works[wec] for wec in WECS), 120)


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_backup_is_private_complete_and_changes_only_with_the_hub(fleet, tmp_path):
    assert sum(len(entry["objects"]) for entry in placement(fleet).values()) >= 500
    to = ("-e", f"backup_folder={tmp_path}", *TWO_WDSES)
    mark = fleet.mark()
    forecast = assert_ok(fleet.playbook("backup", *to, "--check"))
    assert forecast["hub"]["changed"] == 1
    assert not (tmp_path / "hub").exists()
    assert assert_ok(fleet.playbook("backup", *to))["hub"]["changed"] == 1
    first = content(tmp_path / "hub")
    assert assert_ok(fleet.playbook("backup", *to))["hub"]["changed"] == 0
    assert fleet.writes_since(mark) == []
    for path in (tmp_path / "hub", *(tmp_path / "hub").rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    index = yaml.safe_load(first["index.yml"])
    assert [space["name"] for space in index["spaces"]] == ["its1", "wds1", "wds2"]
    kept = [
        obj
        for path, data in first.items()
        if path.startswith("wds") and path.endswith(".yml")
        for obj in yaml.safe_load_all(data)
    ]
    policies = [obj for obj in kept if obj["kind"] == "BindingPolicy"]
    assert len(policies) == TEAMS + 1
    assert {obj["kind"] for obj in kept} == {
        *(obj["kind"] for obj in [*team_objects(0), *extras()]),
        "BindingPolicy",
    }
    assert {obj["metadata"]["name"] for obj in kept if obj["kind"] == "Namespace"} == {
        "shop",
        *(f"team{team}" for team in range(TEAMS)),
    }
    # Each object that goes anywhere is in it, and nothing else but what serves it on the way.
    places = {
        (entry["group"], entry["resource"], entry.get("namespace", ""), entry["name"])
        for policy_placed in placement(fleet).values()
        for entry in policy_placed["objects"]
    }
    assert len(places) == len(kept) - len(policies) - 4  # two collectors, two transforms
    clusters = {
        obj["metadata"]["name"]: obj
        for obj in yaml.safe_load_all(first["its1/managedclusters.cluster.open-cluster-management.io.yml"])
    }
    assert clusters["cluster2"]["metadata"]["labels"]["tier"] == "gold"
    assert clusters["cluster2"]["spec"]["hubAcceptsClient"] is True


@pytest.mark.parametrize("moved", [False, True], ids=["at the same address", "at another address"])
def test_a_fresh_hub_takes_over_what_runs_in_the_workload_clusters(fleet, tmp_path, moved):
    to = ("-e", f"backup_folder={tmp_path}", *TWO_WDSES)
    assert_ok(fleet.playbook("backup", *to))
    saved, placed, there = content(tmp_path / "hub"), placement(fleet), running_there(fleet)
    works, address = old_works(fleet), fleet.cluster("its1").server
    assert len(there) > 500
    audited = {
        wec: len((fleet.stack.cluster(wec) / "logs" / "audit.log").read_text().splitlines()) for wec in WECS
    }

    lose_the_hub(fleet, moved=moved)
    assert_ok(fleet.playbook("hub", *TWO_WDSES))
    assert (fleet.cluster("its1").server != address) == moved
    assert placement(fleet) == {}
    mark = fleet.mark()
    assert assert_ok(fleet.playbook("restore", *to, "--check", "--diff"))["hub"]["changed"] == 1
    assert fleet.writes_since(mark) == []
    assert assert_ok(fleet.playbook("restore", *to))["hub"]["changed"] == 1
    mark = fleet.mark()
    assert assert_ok(fleet.playbook("restore", *to))["hub"]["changed"] == 0
    assert fleet.writes_since(mark) == []
    wait_for(lambda: placement(fleet) == placed)
    assert_ok(fleet.playbook("wecs", *TWO_WDSES))
    wait_for(lambda: delivered(fleet), 180)

    assert placement(fleet) == placed
    assert running_there(fleet) == there
    for wec in WECS:
        assert requests(fleet, wec, audited[wec], ("create", "delete", "deletecollection")) == []
    # The inventory finds everything as it left it, and a backup of this hub is the same to the byte.
    mark = fleet.mark()
    assert sum(values["changed"] for values in assert_ok(fleet.playbook("site", *TWO_WDSES)).values()) == 0
    # The definitions of OCM are the embedded provider's business, not that of the restore.
    assert [line for line in fleet.writes_since(mark) if "customresourcedefinitions" not in line] == []
    assert_ok(fleet.playbook("backup", *to))
    assert content(tmp_path / "hub") == saved

    let_an_hour_pass(fleet, works)
    assert running_there(fleet) == there
    for wec in WECS:
        assert requests(fleet, wec, audited[wec], ("create", "delete", "deletecollection")) == []


def test_what_was_taken_over_obeys_the_fresh_hub(fleet):
    wds = fleet.cluster("wds1")
    before = fleet.cluster("cluster1").get(CONFIG_MAPS, "item-1", "team0")
    changed = {"metadata": {"labels": {TEAM: "team0"}}, "data": {"price": "7"}}
    wds.patch(CONFIG_MAPS, "item-1", "team0", changed, field_manager="kubectl-edit")

    def arrived() -> bool:
        live = fleet.cluster("cluster1").get(CONFIG_MAPS, "item-1", "team0")
        return live["data"]["price"] == "7" and live["metadata"]["uid"] == before["metadata"]["uid"]

    wait_for(arrived)
    wds.delete(BINDING_POLICIES, "team8")
    wait_for(lambda: fleet.cluster("cluster1").get(CONFIG_MAPS, "item-1", "team8") is None)


def connection(running: Running) -> dict[str, Any]:
    return {"kubeconfig": running.kubeconfig, "context": "hub"}


def test_a_space_with_objects_of_others_is_refused_and_merged_when_told(fleet, tmp_path, module):
    folder = str(tmp_path / "b")
    made = module("space_backup", **connection(fleet), folder=folder, spaces=[{"name": "wds2"}])
    assert [space["name"] for space in made["spaces"]] == ["wds2"]
    wds = fleet.cluster("wds2")
    extra = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "later", "namespace": "default"}}
    apply(wds, [extra])
    wds.delete(CONFIG_MAPS, "item-3", "team1")
    mark = fleet.mark()
    refused = module("space_restore", **connection(fleet), folder=folder)
    assert refused["failed"]
    assert (
        "wds2" in refused["msg"] and "ConfigMap default/later" in refused["msg"] and "merge" in refused["msg"]
    )
    assert refused["refused"] == {"wds2": ["ConfigMap default/later"]}
    assert fleet.writes_since(mark) == []
    merged = module("space_restore", **connection(fleet), folder=folder, merge=True)
    assert [entry["name"] for entry in merged["objects"] if entry["changed"]] == ["item-3"]
    assert merged["summary"]["wds2"]["create"] == 1
    assert wds.get(CONFIG_MAPS, "later", "default") is not None
    managers = {
        entry["manager"] for entry in wds.get(CONFIG_MAPS, "item-3", "team1")["metadata"]["managedFields"]
    }
    assert managers == {"kubectl"}
    assert not module("space_restore", **connection(fleet), folder=folder, merge=True)["changed"]
    wds.delete(CONFIG_MAPS, "later", "default")


def test_an_edited_object_conflicts_and_is_named(fleet, tmp_path, module):
    folder = str(tmp_path / "b")
    module("space_backup", **connection(fleet), folder=folder, spaces=[{"name": "wds2"}])
    wds = fleet.cluster("wds2")
    wds.patch(CONFIG_MAPS, "item-4", "team1", {"data": {"price": "9"}}, field_manager="kubectl-edit")
    failed = module("space_restore", **connection(fleet), folder=folder)
    assert failed["failed"] and "ConfigMap team1/item-4" in failed["msg"] and "kubectl-edit" in failed["msg"]
    forced = module("space_restore", **connection(fleet), folder=folder, force_conflicts=True)
    assert [entry["name"] for entry in forced["objects"] if entry["changed"]] == ["item-4"]
    assert wds.get(CONFIG_MAPS, "item-4", "team1")["data"]["price"] == "4"


def test_secrets_can_be_left_out_and_are_asked_for(fleet, tmp_path, module):
    folder = tmp_path / "b"
    made = module(
        "space_backup", **connection(fleet), folder=str(folder), spaces=[{"name": "wds2"}], secrets="exclude"
    )
    (space,) = made["spaces"]
    assert space["secrets_left_out"] == [f"team{team}/till" for team in range(1, TEAMS, 2)]
    assert base64.b64encode(b"horse") not in b"".join(content(folder).values())
    assert "warnings" not in module("space_restore", **connection(fleet), folder=str(folder))
    wds = fleet.cluster("wds2")
    secret = wds.get(SECRETS, "till", "team1")
    wds.delete(SECRETS, "till", "team1")
    done = module("space_restore", **connection(fleet), folder=str(folder))
    assert not done["changed"]
    assert "team1/till" in str(done["warnings"])
    apply(wds, [_backup.stripped(secret)])


def test_a_backup_that_cannot_read_everything_fails_and_keeps_the_earlier(fleet, tmp_path, module):
    folder = tmp_path / "b"
    module("space_backup", **connection(fleet), folder=str(folder), spaces=[{"name": "wds2"}])
    before = content(folder)
    limited = limited_kubeconfig(fleet.cluster("wds2"), tmp_path / "viewer")
    failed = module(
        "space_backup",
        folder=str(folder),
        spaces=[{"name": "wds2", "role": "wds", "kubeconfig": str(limited)}],
    )
    assert failed["failed"] and "wds2: cannot list" in failed["msg"] and "403" in failed["msg"]
    assert content(folder) == before
    assert list(tmp_path.glob(".b.*")) == []


def limited_kubeconfig(wds: Cluster, path: Path) -> Path:
    """Credentials of a ServiceAccount that may read, but no Secrets."""
    wds.create(SERVICE_ACCOUNTS, {**account(), "kind": "ServiceAccount", "apiVersion": "v1"})
    wds.apply(
        Resource("rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", False),
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
    path.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [
                    {"name": "c", "cluster": {"server": wds.server, "certificate-authority-data": authority}}
                ],
                "users": [{"name": "u", "user": {"token": token}}],
                "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            }
        )
    )
    return path


def account() -> dict[str, Any]:
    return {"metadata": {"name": "viewer", "namespace": "default"}}


def test_a_damaged_backup_is_not_restored(fleet, tmp_path, module):
    folder = tmp_path / "b"
    module("space_backup", **connection(fleet), folder=str(folder), spaces=[{"name": "wds2"}])
    damages: list[tuple[Callable[[Path], Any], str]] = [
        (lambda copy: (copy / "wds2" / "configmaps.yml").open("a").write("\n# a comment\n"), "checksum"),
        (lambda copy: (copy / "wds2" / "secrets.yml").unlink(), "wds2/secrets.yml is missing"),
        (lambda copy: (copy / "wds2" / "pods.yml").write_text("---\n"), "wds2/pods.yml is not in its index"),
        (lambda copy: (copy / "index.yml").unlink(), "no index.yml"),
    ]
    for number, (damage, words) in enumerate(damages):
        copy = tmp_path / f"copy{number}"
        shutil.copytree(folder, copy)
        damage(copy)
        failed = module("space_restore", **connection(fleet), folder=str(copy))
        assert failed["failed"] and words in failed["msg"], failed["msg"]
