# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A workload as an ApplySet: what is pruned, what is refused, and what bad days leave behind."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from ansible_collections.kubestellar.core.plugins.module_utils import _yaml
from ansible_collections.kubestellar.core.plugins.module_utils._client import FIELD_MANAGER
from ansible_collections.kubestellar.core.plugins.module_utils._errors import ApiError, NotFound
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    CONFIG_MAPS,
    CRDS,
    DEPLOYMENTS,
    NAMESPACES,
    SECRETS,
    Resource,
)
from ansible_collections.kubestellar.core.plugins.module_utils.workload.applyset import (
    KINDS,
    PART_OF,
    TOOLING,
    ApplySet,
    GroupKind,
    Scope,
)
from ansible_collections.kubestellar.core.tests.waiting import eventually

from . import real_manifests, relay
from .relay import BUSY, CONFLICT, CUT, LOSE, Fault
from .running import assert_ok

PLACE = "bulk"
PROBE, OTHER = ApplySet("probe", "kube-system"), ApplySet("other", "kube-system")
BESIDE = ApplySet("probe", PLACE)
"""With its parent beside its members, which is what kubectl wants of a parent that has a Namespace."""
API_SERVICES = Resource("apiregistration.k8s.io", "v1", "apiservices", "APIService", False)
GADGETS = Resource("example.com", "v1", "gadgets", "Gadget", True)


def config_map(name: str, place: str = PLACE, **data: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": place},
        "data": {"colour": "blue", **data},
    }


def config_maps(number: int) -> list[dict[str, Any]]:
    return [config_map(f"c{n}") for n in range(number)]


def secret(name: str) -> dict[str, Any]:
    return {**config_map(name), "kind": "Secret", "data": {"a": "Yg=="}}


def namespace(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def gadget(name: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "example.com/v1",
        "kind": "Gadget",
        "metadata": {"name": name, "namespace": PLACE},
        "spec": {"size": 1, **spec},
    }


def deployment(name: str, app: str) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": PLACE},
        "spec": {
            "selector": {"matchLabels": {"app": app}},
            "template": {
                "metadata": {"labels": {"app": app}},
                "spec": {"containers": [{"name": "main", "image": "registry.example/app:1"}]},
            },
        },
    }


DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "gadgets.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"kind": "Gadget", "plural": "gadgets", "singular": "gadget"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {"type": "object", "properties": {"size": {"type": "integer"}}}
                        },
                    }
                },
            }
        ],
    },
}


@pytest.fixture(scope="module")
def wds(stack) -> Iterator[Any]:
    """The WDS, with a Namespace that is of no workload."""
    client = stack.cluster("wds1")
    client.apply(NAMESPACES, namespace(PLACE), field_manager="somebody")
    yield client
    client.delete(NAMESPACES, PLACE)
    eventually(lambda: client.get(NAMESPACES, PLACE) is None)


@pytest.fixture
def apply(stack, call, module, wds) -> Iterator[Callable[..., dict[str, Any]]]:
    """Apply a workload, `probe` if none is named; removed in the end, with what else is in its Namespace."""

    def run(*definitions: dict[str, Any], name: str = "probe", **options: Any) -> dict[str, Any]:
        return call("workload", wds="wds1", name=name, definitions=list(definitions), **options)

    yield run
    for aset in (PROBE, OTHER, BESIDE):
        # Without its parent it is searched for in all kinds, which takes a second. Only `probe` is ever without.
        if aset is PROBE or wds.get(CONFIG_MAPS, aset.name, aset.namespace):
            where = {"kubeconfig": stack.kubeconfig, "context": "hub", "wds": "wds1", "name": aset.workload}
            place = {"applyset_namespace": aset.namespace, "foreign_contents": "delete"}
            gone = module("workload", state="absent", **where, **place)
            assert gone.get("failed") is not True, gone["msg"]
            assert wds.get(CONFIG_MAPS, aset.name, aset.namespace) is None
    for resource in (CONFIG_MAPS, SECRETS, DEPLOYMENTS):
        for name in names(wds, resource):
            wds.delete(resource, name, PLACE)


@pytest.fixture
def apply_with(stack, module, wds, tmp_path) -> Callable[..., dict[str, Any]]:
    """Apply the workload `probe` through a relay with faults."""

    def run(*faults: Fault, definitions: list[dict[str, Any]], **options: Any) -> dict[str, Any]:
        with relay.before(wds) as between:
            between.faults += faults
            path = tmp_path / "relay.kubeconfig"
            path.write_text(json.dumps(between.kubeconfig()))
            given = {"wds": "wds1", "wds_kubeconfig": str(path), "wds_context": "relay", **options}
            result = module("workload", name="probe", definitions=definitions, **given)
            result["requests"] = list(between.requests)
        assert all(fault.hits for fault in faults), faults
        return result

    return run


def parent(wds: Any, aset: ApplySet = PROBE) -> dict[str, str]:
    """The annotations of a parent."""
    return dict(wds.get(CONFIG_MAPS, aset.name, aset.namespace)["metadata"]["annotations"])


def listed(entries: list[dict[str, Any]], method: str) -> list[str]:
    return sorted(entry["name"] for entry in entries if entry["method"] == method)


def names(wds: Any, resource: Resource = CONFIG_MAPS) -> set[str]:
    found = {item["metadata"]["name"] for item in wds.list(resource, PLACE).items}
    return found - {"kube-root-ca.crt"}


def refused(result: dict[str, Any], *words: str) -> None:
    assert result.get("failed"), result
    assert all(word in result["msg"] for word in words), result["msg"]
    assert "\n" not in result["msg"] and not result.get("changed")


# -- the set ----------------------------------------------------------------------------------------------------------------


def test_a_workload_is_an_applyset_as_kubectl_knows_it(stack, apply, call, wds, tmp_path):
    aset, place = BESIDE, {"applyset_namespace": PLACE}
    assert apply(config_map("a"), config_map("b"), secret("s"), **place)["applyset"]["method"] == "create"
    live = wds.get(CONFIG_MAPS, aset.name, PLACE)["metadata"]
    assert live["labels"] == {"applyset.kubernetes.io/id": aset.id}
    assert wds.get(SECRETS, "s", PLACE)["metadata"]["labels"][PART_OF] == aset.id
    path = tmp_path / "a.yml"
    path.write_text(yaml.safe_dump(config_map("a")))

    def kubectl() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                str(stack.stack.bin / "kubectl"),
                f"--kubeconfig={stack.kubeconfig}",
                "--context=wds1",
                f"--namespace={PLACE}",
                "apply",
                "--server-side",
                "--force-conflicts",
                "--prune",
                f"--applyset=configmap/{aset.name}",
                f"--filename={path}",
            ],
            env={**os.environ, "KUBECTL_APPLYSET": "true"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def hand_over(tooling: str) -> None:
        wds.patch(CONFIG_MAPS, aset.name, PLACE, {"metadata": {"annotations": {TOOLING: tooling}}})

    done = kubectl()
    assert done.returncode != 0 and 'tooling "kubestellar.core"' in done.stderr, done.stderr
    assert names(wds) == {"a", "b", aset.name}
    hand_over("kubectl/v1.34.4")
    refused(apply(config_map("a"), **place), aset.name, "kubectl/v1.34.4")
    done = kubectl()
    assert done.returncode == 0, done.stderr
    assert names(wds) == {"a", aset.name} and names(wds, SECRETS) == set(), (
        "kubectl finds members by the parent"
    )
    hand_over(live["annotations"][TOOLING])
    assert listed(
        call("workload", wds="wds1", name="probe", state="absent", **place)["objects"], "delete"
    ) == ["a"]
    assert names(wds) == set()


@pytest.mark.core
def test_what_is_not_wanted_any_more_is_pruned_unless_told_otherwise(apply, wds):
    apply(config_map("a"), config_map("b"), secret("s"))
    assert parent(wds)["applyset.kubernetes.io/additional-namespaces"] == PLACE
    kept = apply(config_map("a"), prune=False)
    assert kept["changed"] is False and names(wds, SECRETS) == {"s"}
    assert parent(wds)[KINDS] == "ConfigMap,Secret"
    done = apply(config_map("a"), config_map("c"))
    assert listed(done["pruned"], "delete") == ["b", "s"] and listed(done["objects"], "create") == ["c"]
    assert done["summary"] == {"none": 1, "create": 1, "delete": 2}
    assert names(wds) == {"a", "c"} and parent(wds)[KINDS] == "ConfigMap"
    assert {"bulk/b", "bulk/s"} <= {
        entry["before_header"].rpartition(" ")[2] for entry in done["diff"] if not entry["after"]
    }
    assert apply(config_map("a"), config_map("c"))["changed"] is False


KEEP = {"helm.sh/resource-policy": "keep"}


def kept(name: str) -> dict[str, Any]:
    obj = config_map(name)
    obj["metadata"]["annotations"] = KEEP
    return obj


@pytest.mark.core
def test_neither_what_cannot_be_looked_at_nor_what_is_to_be_kept_is_pruned(stack, call, apply, wds, tmp_path):
    folder = tmp_path / "shop"
    (folder / "more").mkdir(parents=True)
    for path, obj in {"a": config_map("a"), "more/b": config_map("b"), "k": kept("k")}.items():
        (folder / f"{path}.yml").write_text(json.dumps(obj))

    def run(**options: Any) -> dict[str, Any]:
        return dict(call("workload", wds="wds1", name="probe", **options))

    assert listed(run(src=[str(folder)])["objects"], "create") == ["a", "b", "k"]
    mark = stack.mark()
    (folder / "more").rename(tmp_path / "elsewhere")
    (folder / "more").symlink_to("nowhere")
    refused(run(src=[str(folder)]), "more, a link to nowhere, cannot be read")
    (folder / "more").unlink()
    (folder / "b.yml.j2").write_text("")
    refused(run(src=[str(folder)]), "b.yml.j2 is a template")
    (folder / "b.yml.j2").unlink()
    refused(
        run(definitions="".join(map(_yaml.dump_yaml, (config_map("b"), config_map("a"))))), "is there twice"
    )
    assert stack.writes_since(mark) == [] and names(wds) == {"a", "b", "k"}
    (folder / "k.yml").unlink()
    done = run(src=[str(folder)])
    assert listed(done["pruned"], "delete") == ["b"] and listed(done["kept"], "none") == ["k"]
    again = run(src=[str(folder)])
    assert again["changed"] is False and listed(again["kept"], "none") == ["k"]
    gone = run(state="absent")
    assert listed(gone["objects"], "delete") == ["a"] and listed(gone["kept"], "none") == ["k"]
    assert names(wds) == {"k"} and parent(wds)[KINDS] == "ConfigMap"
    assert run(state="absent")["changed"] is False
    wds.patch(CONFIG_MAPS, "k", PLACE, {"metadata": {"annotations": dict.fromkeys(KEEP)}})
    assert listed(run(state="absent")["objects"], "delete") == ["k"]


def test_an_undeployed_workload_leaves_in_the_clusters_what_is_to_be_kept(stack, wds):
    clusters = [stack.cluster(name) for name in ("cluster1", "cluster2")]
    selectors = [{"match_labels": {"location-group": "edge"}}]
    source = {"definitions": [namespace("till"), kept("k"), config_map("c")], "namespace": "till"}
    for obj in source["definitions"][1:]:
        del obj["metadata"]["namespace"]

    def run(**entry: Any) -> None:
        given = {"hub_workloads": [{"name": "till", **entry}], "workload_wait": "applied"}
        assert_ok(stack.playbook("workloads", "-e", json.dumps(given)))

    run(source=source, placement={"cluster_selectors": selectors})
    run(state="absent")
    eventually(lambda: not any(cluster.get(CONFIG_MAPS, "c", "till") for cluster in clusters))
    assert all(cluster.get(CONFIG_MAPS, "k", "till") for cluster in clusters)
    wds.patch(CONFIG_MAPS, "k", "till", {"metadata": {"annotations": dict.fromkeys(KEEP)}})
    run(state="absent")
    assert wds.get(NAMESPACES, "till") is None
    eventually(lambda: not any(cluster.get(NAMESPACES, "till") for cluster in clusters))


def test_what_others_made_is_never_pruned(apply, wds):
    """Neither what carries our labels by hand, nor what a controller copied them to."""
    apply(config_map("a"))
    labels = wds.get(CONFIG_MAPS, "a", PLACE)["metadata"]["labels"]
    theirs = config_map("theirs")
    theirs["metadata"]["labels"] = labels
    wds.apply(CONFIG_MAPS, theirs, field_manager="somebody")
    assert apply(config_map("a"))["changed"] is False
    assert names(wds) == {"a", "theirs"}


def test_a_second_run_lists_each_kind_once(apply, apply_with, wds):
    wanted = [config_map("a"), secret("s")]
    apply(*wanted)
    done = apply_with(definitions=wanted)
    assert done["changed"] is False
    lists = [line for line in done["requests"] if not line.startswith("GET /api/v1/namespaces/kube-system")]
    assert sorted(lists) == ["GET /api", "GET /api/v1/configmaps", "GET /api/v1/secrets", "GET /apis"]


@pytest.mark.parametrize(
    ("left", "limit", "allowed"),
    [
        (20, None, True),
        pytest.param(9, None, False, marks=pytest.mark.core),
        (9, "55%", True),
        (19, "0", False),
        (0, "100%", False),
    ],
    ids=["ten always", "more than a fifth", "a higher limit", "none", "an empty source"],
)
def test_more_than_the_limit_is_refused_before_the_first_write(apply, wds, left, limit, allowed):
    apply(*config_maps(20))
    result = apply(*config_maps(left), prune_limit=limit)
    if allowed:
        assert len(names(wds)) == left and result.get("failed") is not True
    else:
        refused(result, "probe", f"{20 - left} of 20 objects" if left else "no objects")
        assert len(names(wds)) == 20


def test_one_object_in_two_workloads_is_refused_until_it_is_handed_over(apply, wds):
    apply(config_map("a"), config_map("b"))
    refused(
        apply(config_map("c"), config_map("a"), name="other"),
        "workload other",
        "ConfigMap bulk/a",
        "workload probe",
    )
    assert "c" not in names(wds)
    uid = wds.get(CONFIG_MAPS, "a", PLACE)["metadata"]["uid"]
    wds.patch(
        CONFIG_MAPS, "a", PLACE, {"metadata": {"labels": {PART_OF: None, "kubestellar.core/workload": None}}}
    )
    assert apply(config_map("b"))["changed"] is False
    assert listed(apply(config_map("a"), name="other")["objects"], "update") == ["a"]
    assert wds.get(CONFIG_MAPS, "a", PLACE)["metadata"]["uid"] == uid


@pytest.mark.parametrize("state", ["present", "absent"])
def test_a_workload_without_a_parent_is_found_in_all_kinds(apply, call, wds, state):
    """As an older version of the collection left it."""
    for resource, obj in ((CONFIG_MAPS, config_map("a")), (SECRETS, secret("s"))):
        obj["metadata"]["labels"] = {"kubestellar.core/workload": "probe"}
        wds.apply(resource, obj, field_manager=FIELD_MANAGER)
    if state == "present":
        done = apply(config_map("a"))
        assert listed(done["objects"], "update") == ["a"] and listed(done["pruned"], "delete") == ["s"]
        assert parent(wds)[KINDS] == "ConfigMap"
    else:
        done = call("workload", wds="wds1", name="probe", state="absent")
        assert listed(done["objects"], "delete") == ["a", "s"]


# -- bad days ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "words", "left"),
    [
        (Fault(CONFLICT, "PATCH", "/configmaps/b", 9), ["1 of 2 objects", "ConfigMap bulk/b"], {"s"}),
        pytest.param(
            Fault(CONFLICT, "DELETE", "/secrets/s", 9),
            ["1 of 1 objects", "Secret bulk/s"],
            {"s"},
            marks=pytest.mark.core,
        ),
        (Fault(CONFLICT, "PATCH", f"/{PROBE.name}", 9), [PROBE.name], set()),
    ],
    ids=["before anything is pruned", "while pruning", "after pruning"],
)
def test_an_interrupted_run_loses_track_of_nothing(apply, apply_with, wds, fault, words, left):
    apply(config_map("a"), secret("s"))
    wanted = [config_map("a"), config_map("b")]
    result = apply_with(fault, definitions=wanted)
    assert result["failed"] and all(word in result["msg"] for word in words), result["msg"]
    assert parent(wds)[KINDS] == "ConfigMap,Secret" and names(wds, SECRETS) == left
    assert apply(*wanted)["changed"] is True
    assert names(wds) == {"a", "b"} and names(wds, SECRETS) == set() and parent(wds)[KINDS] == "ConfigMap"


def test_nothing_is_applied_before_the_parent_says_where(apply, apply_with, wds):
    apply(config_map("a"))
    wanted = [config_map("a"), secret("s")]
    assert apply_with(Fault(CONFLICT, "PATCH", f"/{PROBE.name}", 9), definitions=wanted)["failed"]
    assert names(wds, SECRETS) == set()
    result = apply_with(Fault(CONFLICT, "PATCH", "/secrets/s", 99), definitions=wanted)
    assert result["failed"] and names(wds, SECRETS) == set()
    assert listed(apply(*wanted)["objects"], "create") == ["s"]


@pytest.mark.core
def test_a_failed_read_deletes_nothing_and_says_so(apply, apply_with, wds):
    apply(config_map("a"), secret("s"))
    # Nor does it write: whether a policy may deliver the change cannot be said.
    result = apply_with(Fault(CONFLICT, "GET", "/secrets", 9), definitions=[config_map("a", colour="red")])
    refused(result, "secrets")
    assert wds.get(CONFIG_MAPS, "a", PLACE)["data"]["colour"] == "blue"
    assert names(wds, SECRETS) == {"s"} and parent(wds)[KINDS] == "ConfigMap,Secret"
    removal = apply_with(Fault(CONFLICT, "GET", "/secrets", 9), definitions=[], state="absent")
    refused(removal, "probe", "cannot be removed", "Secret")
    assert names(wds) == {"a"}
    assert listed(apply(config_map("a", colour="red"))["pruned"], "delete") == ["s"]


@pytest.mark.parametrize(
    "fault",
    [
        Fault(BUSY, "PATCH", "/configmaps/", 3),
        Fault(BUSY, "DELETE", "/secrets/s"),
        Fault(LOSE, "PATCH", "/configmaps/b"),
        Fault(LOSE, "DELETE", "/secrets/s"),
        Fault(CUT, "GET", "/secrets"),
    ],
    ids=lambda fault: f"{fault.kind} {fault.method}",
)
def test_what_passes_is_waited_for(apply, apply_with, wds, fault):
    apply(config_map("a"), secret("s"))
    done = apply_with(fault, definitions=[config_map("a"), config_map("b")])
    assert done.get("failed") is not True, done
    assert names(wds) == {"a", "b"} and names(wds, SECRETS) == set()
    assert apply(config_map("a"), config_map("b"))["changed"] is False


@pytest.fixture
def defined(wds) -> Iterator[None]:
    """Gadgets are defined by somebody else."""
    wds.apply(CRDS, DEFINITION, field_manager="somebody")
    eventually(lambda: ("example.com/v1", "Gadget") in wds.kinds(refresh=True))
    yield
    wds.delete(CRDS, DEFINITION["metadata"]["name"])
    eventually(lambda: ("example.com/v1", "Gadget") not in wds.kinds(refresh=True))


def test_a_kind_that_is_not_served_for_now_keeps_its_objects(apply, call, wds, defined):
    apply(config_map("a"), config_map("b"), gadget("g"))

    def serve(served: bool) -> None:
        versions = [{**DEFINITION["spec"]["versions"][0], "served": served}]
        wds.patch(CRDS, DEFINITION["metadata"]["name"], None, {"spec": {"versions": versions}})
        eventually(lambda: (("example.com/v1", "Gadget") in wds.kinds(refresh=True)) is served)

    serve(False)
    done = apply(config_map("a"))
    assert done["changed"] is False and "Gadget.example.com" in str(done["warnings"])
    assert names(wds) == {"a", "b"} and parent(wds)[KINDS] == "ConfigMap,Gadget.example.com"
    refused(call("workload", wds="wds1", name="probe", state="absent"), "Gadget.example.com")
    serve(True)
    assert listed(apply(config_map("a"))["pruned"], "delete") == ["b", "g"]


def test_a_kind_whose_definition_has_gone_is_forgotten(apply, wds):
    """So is one of an aggregated API, but not while that only does not answer."""
    apply(config_map("a"))
    kinds = frozenset({GroupKind("ConfigMap"), GroupKind("Thing", "down.example")})
    wds.apply(CONFIG_MAPS, PROBE.parent(Scope(kinds, frozenset({PLACE}))), force=True)
    down = {"group": "down.example", "version": "v1", "groupPriorityMinimum": 1000, "versionPriority": 15}
    service = {"namespace": PLACE, "name": "nobody"}
    wds.apply(
        API_SERVICES,
        {
            "apiVersion": API_SERVICES.api_version,
            "kind": API_SERVICES.kind,
            "metadata": {"name": "v1.down.example"},
            "spec": {**down, "service": service, "insecureSkipTLSVerify": True},
        },
        field_manager="somebody",
    )
    try:
        done = apply(config_map("a"))
        assert done["changed"] is False and "Thing.down.example: its aggregated API" in str(done["warnings"])
    finally:
        wds.delete(API_SERVICES, "v1.down.example")
    done = apply(config_map("a"))
    assert "nothing defines it" in str(done["warnings"]) and parent(wds)[KINDS] == "ConfigMap"
    assert apply(config_map("a"))["changed"] is False


# -- what takes others along --------------------------------------------------------------------------------------------------


def test_a_namespace_with_objects_of_others_is_not_deleted_unless_that_is_allowed(apply, call, wds):
    apply(namespace("bulk2"), config_map("a"), config_map("in", place="bulk2"))
    wds.apply(CONFIG_MAPS, config_map("theirs", place="bulk2"), field_manager="somebody")
    left = [config_map("a")]
    refused(apply(*left), "Namespace bulk2", "1 object", "ConfigMap bulk2/theirs", "foreign_contents=delete")
    removal = call("workload", wds="wds1", name="probe", state="absent")
    refused(removal, "Namespace bulk2", "ConfigMap bulk2/theirs")
    refused(
        apply(*left, config_map("in", place="bulk2")), "Namespace bulk2", "2 objects", "ConfigMap bulk2/in"
    )
    done = apply(*left, foreign_contents="delete")
    assert listed(done["pruned"], "delete") == ["bulk2", "in"]
    eventually(lambda: wds.get(NAMESPACES, "bulk2") is None)
    assert apply(*left)["changed"] is False


def test_a_definition_with_resources_of_others_is_not_deleted_unless_that_is_allowed(apply, wds):
    apply(DEFINITION, gadget("ours"), config_map("a"))
    wds.apply(GADGETS, gadget("theirs"), field_manager="somebody")
    refused(apply(config_map("a")), "gadgets.example.com", "1 object", "Gadget bulk/theirs")
    refused(apply(config_map("a"), gadget("ours")), "gadgets.example.com", "2 objects", "Gadget bulk/ours")
    wds.delete(GADGETS, "theirs", PLACE)
    assert listed(apply(config_map("a"))["pruned"], "delete") == ["gadgets.example.com", "ours"]
    eventually(lambda: wds.get(CRDS, "gadgets.example.com") is None)
    assert apply(config_map("a"))["changed"] is False


# -- what is new, and what comes with it ---------------------------------------------------------------------------------------


def in_new(kind: str, version: str, name: str, **fields: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "fresh"}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **fields}


def pod(labels: dict[str, str], **container: Any) -> dict[str, Any]:
    containers = [{"name": "c", "image": "registry.example.com/app:1", **container}]
    return {"metadata": {"labels": labels}, "spec": {"containers": containers, "restartPolicy": "Always"}}


def of_deployment(template: dict[str, Any]) -> dict[str, Any]:
    return in_new(
        "Deployment", "apps/v1", "web", spec={"selector": {"matchLabels": {"app": "a"}}, "template": template}
    )


PORT = [{"port": 99999}]
NO_SCHEDULE = {"schedule": "every morning", "jobTemplate": {"spec": {"template": pod({})}}}
WRONG = {
    "selector": (of_deployment(pod({"app": "b"})), "selector"),
    "service name": (in_new("Service", "v1", "Cart_Svc", spec={"ports": [{"port": 80}]}), "Cart_Svc"),
    "port": (in_new("Service", "v1", "cart", spec={"ports": PORT}), "port"),
    "schedule": (in_new("CronJob", "batch/v1", "report", spec=NO_SCHEDULE), "schedule"),
    "env": (of_deployment(pod({"app": "a"}, env=[{"name": "1=", "value": "2"}])), "env"),
    "request": (
        of_deployment(
            pod({"app": "a"}, resources={"limits": {"memory": "1Gi"}, "requests": {"memory": "2Gi"}})
        ),
        "memory limit",
    ),
    "data key": (in_new("ConfigMap", "v1", "settings", data={"a b": "c"}), "a b"),
}


@pytest.mark.parametrize("case", list(WRONG))
def test_what_is_new_in_a_new_namespace_is_tried_before_that_is_made(apply, wds, stack, case):
    wrong, word = WRONG[case]
    mark = stack.mark()
    refused(
        apply(namespace("fresh"), in_new("ConfigMap", "v1", "fine"), wrong), "nothing has been written", word
    )
    assert stack.writes_since(mark) == [] and wds.get(NAMESPACES, "fresh") is None


def test_a_definition_and_its_objects_change_in_one_run(apply, wds):
    def defined(*versions: str, **fields: str) -> dict[str, Any]:
        spec = {
            "type": "object",
            "properties": {"size": {"type": "integer"}, **{f: {"type": "string"} for f in fields}},
        }
        schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
        served = [
            {"name": name, "served": True, "storage": name == versions[-1], "schema": schema}
            for name in versions
        ]
        return {**DEFINITION, "spec": {**DEFINITION["spec"], "versions": served}}

    assert listed(apply(defined("v1"), gadget("g"))["objects"], "create") == ["g", "gadgets.example.com"]
    # A field that only the coming definition knows, and one that it does not know either.
    done = apply(defined("v1", fresh=""), gadget("g", fresh="yes"))
    assert listed(done["objects"], "update") == ["g", "gadgets.example.com"]
    refused(apply(defined("v1", fresh=""), gadget("g", fresh="yes", stale="no")), "stale")
    # Objects that move to a version which comes with them are changed, not made.
    moved = {**gadget("g", fresh="no"), "apiVersion": "example.com/v2"}
    done = apply(defined("v1", "v2", fresh=""), moved)
    assert listed(done["objects"], "update") == ["g", "gadgets.example.com"]
    assert apply(defined("v1", "v2", fresh=""), moved)["changed"] is False


def test_what_an_object_refers_to_may_come_with_it(apply, wds):
    urgent = {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": "urgent"},
        "value": 9,
    }
    single = pod({"app": "a"})["spec"] | {"priorityClassName": "urgent"}
    alone = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "alone", "namespace": PLACE},
        "spec": {**single, "automountServiceAccountToken": False},
    }
    refused(apply(alone), "urgent")
    assert listed(apply(alone, urgent)["objects"], "create") == ["alone", "urgent"]


# -- what the server refuses --------------------------------------------------------------------------------------------------


def test_bad_input_is_named_as_a_whole_and_nothing_is_written(apply, wds):
    bad = [
        {**config_map("unknown-field"), "dta": {}},
        {**config_map("unknown-kind"), "kind": "Thing"},
        # In a Namespace that is only planned, so that the server cannot try it.
        {**deployment("wrong-type", "x"), "metadata": {"name": "wrong-type", "namespace": "bulk3"}},
        gadget("against-its-definition", size="big"),
    ]
    bad[2]["spec"]["replicas"] = "two"
    result = apply(config_map("good"), namespace("bulk3"), DEFINITION, *bad)
    refused(result, "4 of 7 objects", "nothing has been written", *(obj["metadata"]["name"] for obj in bad))
    errors = {entry["name"]: entry["error"] for entry in result["objects"] if "error" in entry}
    assert len(errors) == 4
    for name, word in {
        "unknown-field": "dta",
        "unknown-kind": "not served",
        "wrong-type": ".spec.replicas is 'two', not an integer",
        "against-its-definition": ".spec.size is 'big'",
    }.items():
        assert word in errors[name]
    assert names(wds) == set() and wds.get(CONFIG_MAPS, PROBE.name, PROBE.namespace) is None


@pytest.mark.parametrize(
    ("obj", "words"),
    [
        ({**secret("s"), "data": {"a": "no base64"}}, "illegal base64"),
        ({**config_map("c"), "data": {"pin": 424242}}, ".data.pin: takes text and has something else"),
        (
            {
                "apiVersion": "v1",
                "kind": "ResourceQuota",
                "metadata": {"name": "q", "namespace": PLACE},
                "spec": {"hard": {"memory": "1Gb"}},
            },
            "quantit",
        ),
        (
            {
                "apiVersion": "coordination.k8s.io/v1",
                "kind": "Lease",
                "metadata": {"name": "l", "namespace": PLACE},
                "spec": {"renewTime": "yesterday"},
            },
            "parsing time",
        ),
    ],
    ids=["base64", "text", "quantity", "time"],
)
def test_what_a_server_cannot_read_is_sent_once(wds, monkeypatch, obj, words):
    def slept(_seconds: float) -> None:
        pytest.fail("it was to be tried again")

    monkeypatch.setattr(time, "sleep", slept)
    with pytest.raises(ApiError) as caught:
        wds.apply(wds.resource(obj["apiVersion"], obj["kind"]), obj, dry_run=True)
    assert words in caught.value.message and "424242" not in caught.value.message


def test_null_reaches_a_custom_resource_as_it_is(apply, wds):
    definition = copy.deepcopy(DEFINITION)
    schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    schema["properties"]["spec"] = {
        "type": "object",
        "required": ["limit"],
        "properties": {
            "limit": {"type": "integer", "nullable": True},
            "values": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        },
    }
    given = {"limit": None, "values": {"redis": None, "a": [None], "b": {"c": None}}}
    wanted = [definition, {**gadget("g"), "spec": given}]
    assert not apply(*wanted).get("failed")
    assert wds.get(GADGETS, "g", PLACE)["spec"] == given
    assert apply(*wanted)["changed"] is False
    apply(config_map("c"), prune_limit="100%", foreign_contents="delete")


def test_what_cannot_be_changed_is_recreated_only_if_that_is_allowed(apply, wds):
    fixed = {**config_map("fixed"), "immutable": True}
    before = [deployment("web", "one"), fixed, config_map("a")]
    after = [deployment("web", "two"), {**fixed, "data": {"colour": "red"}}, config_map("a", colour="red")]
    apply(*before)
    uids = {name: wds.get(CONFIG_MAPS, name, PLACE)["metadata"]["uid"] for name in ("fixed", "a")}
    result = apply(*after)
    refused(result, "2 of 3 objects", "Deployment bulk/web", "spec.selector", "recreate=allowed")
    assert wds.get(CONFIG_MAPS, "a", PLACE)["data"]["colour"] == "blue"
    done = apply(*after, recreate="allowed")
    assert listed(done["objects"], "recreate") == ["fixed", "web"] and listed(done["objects"], "update") == [
        "a"
    ]
    assert wds.get(CONFIG_MAPS, "fixed", PLACE)["metadata"]["uid"] != uids["fixed"]
    assert wds.get(CONFIG_MAPS, "a", PLACE)["metadata"]["uid"] == uids["a"]
    assert wds.get(DEPLOYMENTS, "web", PLACE)["spec"]["selector"]["matchLabels"] == {"app": "two"}
    assert apply(*after)["changed"] is False


def test_what_is_wrong_anyway_is_not_recreated(apply, wds):
    apply(deployment("web", "one"))
    wrong = deployment("web", "two")
    wrong["spec"]["replicas"] = -1
    refused(apply(wrong, recreate="allowed"), "Deployment bulk/web", "must be greater than or equal to 0")
    assert wds.get(DEPLOYMENTS, "web", PLACE)["spec"]["selector"]["matchLabels"] == {"app": "one"}


# -- manifests that were not made for this --------------------------------------------------------------------------------------


def test_published_manifests_are_applied_left_alone_and_pruned_completely(stack, apply, call, wds, tmp_path):
    """Hundreds of objects, with definitions of more than a megabyte."""
    found = real_manifests.published(stack)
    found["kubestellar"] = real_manifests.chart(stack, tmp_path)
    spaces = [namespace(name) for name in ("real", "kubestellar")]
    options = {"src": [str(path) for paths in found.values() for path in paths], "namespace": "real"}
    made = apply(*spaces, **options)
    assert made.get("failed") is not True, made["msg"]
    assert set(made["summary"]) == {"create"} and made["summary"]["create"] > 250
    again = apply(*spaces, **options)
    assert again["changed"] is False, [entry for entry in again["objects"] if entry["changed"]]
    gone = apply(spaces[0], prune_limit="100%")
    assert gone.get("failed") is not True, gone["msg"]
    assert len(gone["pruned"]) == len(made["objects"]) - 1
    # Namespaces and definitions take a moment to go.
    eventually(lambda: members_of(wds) == {"Namespace real"})


def members_of(wds: Any) -> set[str]:
    """What carries the label of the workload `probe`, of all kinds that are served."""
    found = set()
    for resource in wds.resources(refresh=True):
        if {"list", "delete"} <= resource.verbs:
            with contextlib.suppress(NotFound):
                items = wds.list(resource, label_selector=f"{PART_OF}={PROBE.id}", metadata_only=True).items
                found |= {f"{resource.kind} {item['metadata']['name']}" for item in items}
    return found
