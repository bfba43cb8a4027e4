# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each check on facts that trigger it, each of them one change away from facts that do not."""

from __future__ import annotations

import base64
import copy
import datetime
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _csr
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    BINDINGS,
    MANAGED_CLUSTERS,
    MANIFEST_WORKS,
    WDS_KINDS,
    WORK_STATUSES,
    Resource,
)
from ansible_collections.kubestellar.core.plugins.module_utils.doctor import checks, report
from ansible_collections.kubestellar.core.plugins.module_utils.doctor.catalogue import (
    CATALOGUE,
    PLACEMENT,
    SEVERITIES,
)
from ansible_collections.kubestellar.core.plugins.module_utils.doctor.facts import (
    Credential,
    Facts,
    Hub,
    Its,
    Reading,
    Secret,
    Space,
    Wds,
    role_of,
)
from ansible_collections.kubestellar.core.plugins.module_utils.placement import (
    catalogue as placement_catalogue,
)
from ansible_collections.kubestellar.core.plugins.module_utils.placement import snapshot
from ansible_collections.kubestellar.core.plugins.module_utils.placement.facts import Facts as PlacementFacts
from ansible_collections.kubestellar.core.plugins.module_utils.placement.facts import Target
from ansible_collections.kubestellar.core.plugins.module_utils.placement.resolution import Candidate
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = 1_800_000_000.0
SERVED = frozenset((one.group, one.plural) for one in (MANAGED_CLUSTERS, MANIFEST_WORKS, WORK_STATUSES))
KINDS = {
    ("", "configmaps"): "ConfigMap",
    ("", "namespaces"): "Namespace",
    **{(kind.group, kind.plural): kind.kind for kind in WDS_KINDS},
}
SPEC = {
    "clusterSelectors": [{"matchLabels": {"group": "edge"}}],
    "downsync": [{"objectSelectors": [{"matchLabels": {"app": "shop"}}]}],
}


def at(seconds: float) -> str:
    """The time so many seconds ago."""
    return datetime.datetime.fromtimestamp(NOW - seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def fields(seconds: float, subresource: str = "") -> dict[str, Any]:
    return {"manager": "x", "time": at(seconds), "subresource": subresource}


def plane(name: str, role: str) -> dict[str, Any]:
    return {
        "metadata": {
            "name": name,
            "labels": {"kflex.kubestellar.io/cptype": role},
            "generation": 1,
            "creationTimestamp": at(1000),
        },
        "spec": {
            "type": "external",
            "postCreateHooks": [{"hookName": f"hook-{role}"}],
            "globalVars": {"ITSName": "its1"},
        },
        "status": {
            "observedGeneration": 1,
            "conditions": [
                {"type": "Ready", "status": "True", "reason": "Available"},
                {"type": "Synced", "status": "True", "reason": "ReconcileSuccess"},
            ],
            "postCreateHooks": {f"hook-{role}": True},
            "secretRef": {
                "name": "admin-kubeconfig",
                "namespace": f"{name}-system",
                "key": "kubeconfig",
                "inClusterKey": "kubeconfig-incluster",
            },
        },
    }


def wec(name: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": {"group": "edge"}},
        "spec": {"hubAcceptsClient": True, "leaseDurationSeconds": 60},
        "status": {
            "conditions": [
                {"type": kind, "status": "True", "reason": kind}
                for kind in (
                    "HubAcceptedManagedCluster",
                    "ManagedClusterJoined",
                    "ManagedClusterConditionAvailable",
                    "ManagedClusterConditionClockSynced",
                )
            ]
        },
    }


def lease(name: str) -> dict[str, Any]:
    return {
        "metadata": {"name": "managed-cluster-lease", "namespace": name},
        "spec": {"renewTime": at(30)},
    }


def policy() -> dict[str, Any]:
    return {
        "metadata": {
            "name": "shop",
            "generation": 2,
            "finalizers": [checks.POLICY_FINALIZER],
            "managedFields": [fields(500)],
        },
        "spec": copy.deepcopy(SPEC),
        "status": {"observedGeneration": 2},
    }


def binding() -> dict[str, Any]:
    entry = {"group": "", "version": "v1", "resource": "configmaps", "namespace": "default", "name": "menu"}
    return {
        "metadata": {"name": "shop", "uid": "b1", "generation": 3, "managedFields": [fields(400)]},
        "spec": {
            "workload": {"namespaceScope": [{**entry, "resourceVersion": "7"}]},
            "destinations": [{"clusterId": "cluster1"}],
        },
        "status": {"observedGeneration": 3},
    }


def work() -> dict[str, Any]:
    meta = {
        "group": "",
        "version": "v1",
        "kind": "ConfigMap",
        "resource": "configmaps",
        "namespace": "default",
        "name": "menu",
    }
    return {
        "metadata": {
            "name": "b1-wds1-o1",
            "namespace": "cluster1",
            "uid": "w1",
            "generation": 1,
            "labels": {
                "transport.kubestellar.io/originOwnerReferenceBindingKey": "shop",
                "transport.kubestellar.io/originWdsName": "wds1",
            },
            "annotations": {"transport.kubestellar.io/originOwnerReferenceBindingGeneration": "3"},
            "managedFields": [fields(300), fields(200, "status")],
        },
        "spec": {
            "workload": {
                "manifests": [
                    {
                        "apiVersion": "v1",
                        "kind": "ConfigMap",
                        "metadata": {"namespace": "default", "name": "menu"},
                    }
                ]
            }
        },
        "status": {
            "conditions": [{"type": "Applied", "status": "True", "observedGeneration": 1}],
            "resourceStatus": {
                "manifests": [
                    {"resourceMeta": meta, "conditions": [{"type": "Applied", "status": "True"}]},
                ]
            },
        },
    }


def old_work() -> dict[str, Any]:
    """What an earlier Binding has left."""
    text = json.dumps(work()).replace("b1-wds1-o1", "b0-wds1-o0").replace('"w1"', '"w0"')
    return dict(json.loads(text.replace('"menu"', '"prices"')))


def request(name: str, username: str = _csr.BOOTSTRAP_ACCOUNT) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": {_csr.CLUSTER_LABEL: "cluster1"}},
        "spec": {"signerName": _csr.SIGNER, "username": username},
    }


@dataclass
class Site:
    """A hub to break; `facts` is what would be read of it."""

    hub: Hub = field(
        default_factory=lambda: Hub(
            "hub",
            hooks=Reading(
                [
                    {
                        "metadata": {
                            "name": f"hook-{role}",
                            "labels": {"kflex.kubestellar.io/cptype": role},
                        }
                    }
                    for role in ("its", "wds")
                ]
            ),
        )
    )
    planes: dict[str, dict[str, Any]] = field(
        default_factory=lambda: {"its1": plane("its1", "its"), "wds1": plane("wds1", "wds")}
    )
    secrets: dict[str, Secret | None] = field(
        default_factory=lambda: {
            name: Secret(
                frozenset({"kubeconfig", "kubeconfig-incluster"}),
                [Credential("token", NOW + 300 * 86400, NOW - 65 * 86400)],
            )
            for name in ("its1", "wds1")
        }
    )
    troubles: dict[str, tuple[str, bool]] = field(default_factory=dict)
    served: frozenset[tuple[str, str]] = SERVED
    wecs: list[dict[str, Any]] = field(default_factory=lambda: [wec("cluster1")])
    leases: list[dict[str, Any]] = field(default_factory=lambda: [lease("cluster1")])
    requests: Reading = field(default_factory=Reading)
    addons: list[dict[str, Any]] = field(default_factory=list)
    servers: list[str] = field(default_factory=lambda: ["https://its.test", "https://wds.test"])
    works: list[dict[str, Any]] = field(default_factory=lambda: [work()])
    kinds: dict[tuple[str, str], str] = field(default_factory=lambda: dict(KINDS))
    policy: dict[str, Any] = field(default_factory=policy)
    binding: dict[str, Any] = field(default_factory=binding)
    invalid: dict[str, list[str]] = field(default_factory=dict)
    menu: dict[str, Any] = field(
        default_factory=lambda: {
            "name": "menu",
            "namespace": "default",
            "labels": {"app": "shop"},
            "resourceVersion": "7",
        }
    )
    placement: dict[str, Any] = field(default_factory=dict)
    namespaces: list[dict[str, Any]] = field(default_factory=list)
    only: frozenset[str] | None = None

    def facts(self) -> Facts:
        its = Its(
            self.served,
            clusters=Reading(self.wecs),
            leases=Reading(self.leases),
            requests=self.requests,
            works=Reading(self.works),
            addons=Reading(self.addons),
        )
        placement = PlacementFacts(
            wds="wds1",
            candidates=[
                Candidate(
                    Resource("", "v1", "configmaps", "ConfigMap", True, frozenset({"list", "watch"})),
                    self.menu,
                )
            ],
            namespaces={"default": {}},
            targets=[Target("cluster1", {"group": "edge"})],
            current=snapshot.delivery_of("wds1", self.binding),
            kinds=self.kinds,
        )
        wds = Wds(
            frozenset(self.kinds),
            self.kinds,
            policies=Reading([self.policy]),
            bindings=Reading([self.binding]),
            namespaces=Reading(self.namespaces),
            placements={} if self.invalid else {"shop": replace(placement, **self.placement)},
            invalid=self.invalid,
        )
        spaces = []
        for name, item in self.planes.items():
            trouble, refused = self.troubles.get(name, ("", False))
            role = role_of(item, self.hub.hooks.items)
            spaces.append(
                Space(
                    item,
                    role,
                    self.secrets.get(name),
                    trouble=trouble,
                    refused=refused,
                    server=self.servers[role == "wds"],
                    its=its if role == "its" and not trouble else None,
                    wds=wds if role == "wds" and not trouble else None,
                )
            )
        hub = replace(
            self.hub, control_planes=replace(self.hub.control_planes, items=list(self.planes.values()))
        )
        return Facts(hub, [] if hub.trouble else spaces, NOW, self.only)


def findings(site: Site, ids: list[str] | None = None) -> set[str]:
    return {item.id for item in checks.diagnose(site.facts(), ids).findings}


def pod(site: Site, name: str = "probe", **status: Any) -> None:
    item = {"metadata": {"name": name, "namespace": "its1-system"}, "status": status}
    site.hub = replace(site.hub, pods=Reading([item]))


def container(site: Site, state: dict[str, Any], name: str = "main", **more: Any) -> None:
    pod(site, containerStatuses=[{"name": name, "image": "i", "state": state, **more}])


def condition(item: dict[str, Any], kind: str, **changes: Any) -> None:
    next(c for c in item["status"]["conditions"] if c["type"] == kind).update(changes)


def deployment(site: Site, replicas: int, ready: int) -> None:
    item = {
        "metadata": {"name": "d", "namespace": "wds1-system"},
        "spec": {"replicas": replicas},
        "status": {"readyReplicas": ready},
    }
    site.hub = replace(site.hub, deployments=Reading([item]))


def two_itses(site: Site) -> None:
    """A second ITS, nothing delivered, and a WDS that says nothing."""
    site.planes["its0"] = plane("its0", "its")
    site.secrets["its0"] = site.secrets["its1"]
    for item in site.planes.values():
        item["spec"]["globalVars"] = {}
    site.works = []


def break_up(site: Site, **changes: Any) -> None:
    for key, value in changes.items():
        setattr(site, key, value)


def a_day(days: float, issued: float = -335) -> Secret:
    keys = frozenset({"kubeconfig", "kubeconfig-incluster"})
    return Secret(keys, [Credential("token", NOW + days * 86400, NOW + issued * 86400)])


CASES: dict[str, Callable[[Site], Any]] = {
    "not-read": lambda s: break_up(s, requests=Reading(error="its1: cannot list")),
    "hub-unreachable": lambda s: break_up(s, hub=Hub("hub", "no answer")),
    "wec-unknown": lambda s: break_up(s, only=frozenset({"cluster1", "nobody"})),
    "kubeflex-missing": lambda s: break_up(
        s, planes={}, hub=Hub("hub", control_planes=Reading(served=False), hooks=Reading(served=False))
    ),
    "role-missing": lambda s: s.planes.pop("wds1"),
    "control-plane-unseen": lambda s: s.planes["its1"]["status"].pop("conditions"),
    "control-plane-not-ready": lambda s: condition(
        s.planes["its1"], "Ready", status="False", reason="Creating"
    ),
    "control-plane-not-synced": lambda s: condition(s.planes["its1"], "Synced", status="False"),
    "secret-missing": lambda s: break_up(
        s, secrets={"its1": a_day(300)}, troubles={"wds1": ("it has no kubeconfig", False)}
    ),
    "secret-key-missing": lambda s: s.secrets.update(its1=Secret(frozenset({"kubeconfig-incluster"}))),
    "space-unreachable": lambda s: s.troubles.update(its1=("no answer", False)),
    "space-refused": lambda s: s.troubles.update(its1=("401", True)),
    "credential-expired": lambda s: s.secrets.update(its1=a_day(-1)),
    "credential-expiring": lambda s: s.secrets.update(its1=a_day(29)),
    "credential-unread": lambda s: s.secrets.update(
        its1=Secret(a_day(1).keys, [Credential("token", error="no JWT")])
    ),
    "hook-missing": lambda s: s.planes["its1"]["spec"].update(postCreateHooks=[{"hookName": "nowhere"}]),
    "hook-not-done": lambda s: s.planes["its1"]["status"].update(postCreateHooks={"hook-its": False}),
    "job-failed": lambda s: break_up(
        s,
        hub=replace(
            s.hub,
            jobs=Reading(
                [
                    {
                        "metadata": {"name": "j", "namespace": "its1-system"},
                        "status": {"conditions": [{"type": "Failed", "status": "True", "reason": "Backoff"}]},
                    }
                ]
            ),
        ),
    ),
    "pod-image": lambda s: container(s, {"waiting": {"reason": "ErrImagePull", "message": "x"}}),
    "pod-crash-loop": lambda s: container(
        s,
        {"waiting": {"reason": "CrashLoopBackOff"}},
        restartCount=3,
        lastState={"terminated": {"exitCode": 2}},
    ),
    "pod-not-starting": lambda s: container(s, {"waiting": {"reason": "CreateContainerConfigError"}}),
    "pod-unschedulable": lambda s: pod(
        s, conditions=[{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]
    ),
    "transport-init": lambda s: pod(
        s,
        "transport-controller-7",
        initContainerStatuses=[
            {
                "name": "get-its-kubeconfig",
                "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}},
            }
        ],
    ),
    "deployment-not-ready": lambda s: deployment(s, 2, 1),
    "deployment-scaled-down": lambda s: deployment(s, 0, 0),
    "workstatus-missing": lambda s: break_up(
        s, served=SERVED - {(WORK_STATUSES.group, WORK_STATUSES.plural)}
    ),
    "ocm-missing": lambda s: break_up(s, served=SERVED - {(MANIFEST_WORKS.group, MANIFEST_WORKS.plural)}),
    "no-wec": lambda s: break_up(s, wecs=[]),
    "wec-not-accepted": lambda s: s.wecs[0]["spec"].update(hubAcceptsClient=False),
    "wec-not-joined": lambda s: condition(s.wecs[0], "ManagedClusterJoined", status="False"),
    "wec-unavailable": lambda s: condition(
        s.wecs[0], "ManagedClusterConditionAvailable", status="Unknown", reason="LeaseUpdateStopped"
    ),
    "wec-lease": lambda s: s.leases[0]["spec"].update(renewTime=at(301)),
    "wec-clock": lambda s: condition(s.wecs[0], "ManagedClusterConditionClockSynced", status="False"),
    "wec-tainted": lambda s: s.wecs[0]["spec"].update(taints=[{"key": "x", "effect": "NoSelect"}]),
    "addon-unavailable": lambda s: s.addons.append(
        {
            "metadata": {"name": "addon-status", "namespace": "cluster1"},
            "status": {"conditions": [{"type": "Available", "status": "Unknown", "reason": "Lease"}]},
        }
    ),
    "wec-deleting": lambda s: s.wecs[0]["metadata"].update(deletionTimestamp=at(100), finalizers=["f"]),
    "csr-refused": lambda s: break_up(s, requests=Reading([request("r", "somebody")])),
    "its-missing": lambda s: s.planes["wds1"]["spec"].update(globalVars={"ITSName": "its9"}),
    "its-unknown": two_itses,
    "space-shared": lambda s: (
        break_up(s, servers=["https://same.test"] * 2),
        s.policy["spec"]["downsync"][0].update(wantSingletonReportedState=True),
    ),
    "wds-definitions-missing": lambda s: s.kinds.pop((BINDINGS.group, "bindings")),
    "policy-invalid": lambda s: s.invalid.update(shop=["clusterSelectors[0] is wrong."]),
    "policy-unprocessed": lambda s: s.policy["metadata"].update(finalizers=[]),
    "policy-behind": lambda s: s.policy["status"].update(observedGeneration=1),
    "policy-errors": lambda s: s.policy["status"].update(errors=["it went wrong"]),
    "binding-unread": lambda s: s.binding["status"].update(observedGeneration=2),
    "delivery-behind": lambda s: s.works[0]["metadata"]["annotations"].update(
        {"transport.kubestellar.io/originOwnerReferenceBindingGeneration": "2"}
    ),
    "work-not-applied": lambda s: condition(s.works[0], "Applied", status="False", message="no right"),
    "work-bundled": lambda s: s.works[0]["spec"]["workload"]["manifests"].append(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}}
    ),
    "namespace-held": lambda s: s.namespaces.append(
        {"metadata": {"name": "gauge", "deletionTimestamp": at(300)}, "status": {}}
    ),
    "work-left-over": lambda s: s.works.append(old_work()),
    # The checks of previews are tested where they are; here only that they are told.
    "facts-incomplete": lambda s: s.placement.update(unread=["no"]),
    "everything-on-host": lambda s: (
        s.policy["spec"].update(downsync=[{"resources": ["*"]}]),
        s.placement.update(wds_type="host"),
    ),
    "no-object": lambda s: s.menu.update(labels={}),
    "no-cluster": lambda s: s.placement.update(targets=[Target("cluster1", {})]),
}
EXTRA = {
    "work-bundled": {"work-bundled", "work-left-over"},
    "no-object": {"no-object", "last-copy"},
    "no-cluster": {"no-cluster", "last-copy"},
}
"""What comes with a trouble."""


def test_healthy_facts_give_no_finding():
    diagnosis = checks.diagnose(Site().facts())
    assert diagnosis.findings == []
    assert [entry["id"] for entry in diagnosis.checked if not entry["ran"] or entry["lacking"]] == []


@pytest.mark.parametrize("trouble", CASES)
def test_a_check_finds_its_trouble_and_nothing_else(trouble):
    site = Site()
    CASES[trouble](site)
    assert findings(site) == EXTRA.get(trouble, {trouble})
    if trouble != "not-read":
        assert trouble in findings(site, [trouble])


@pytest.mark.parametrize("status", ["False", "Unknown"])
def test_what_an_agent_has_applied_and_does_not_find_any_more_is_told(status):
    site = Site()
    (manifest,) = site.works[0]["status"]["resourceStatus"]["manifests"]
    manifest["conditions"].append({"type": "Available", "status": status, "message": "not available"})
    (found,) = checks.diagnose(site.facts()).findings
    assert found.id == "work-not-applied"
    assert "not there any more: not available" in found.evidence and "cluster1" in found.evidence


def test_every_id_has_a_case_a_check_and_an_entry():
    assert set(checks.IDS) == set(CATALOGUE) | set(PLACEMENT)
    assert len(set(checks.IDS)) == len(checks.IDS)
    elsewhere = {"csr-pending", "csr-many"}  # they need a real request
    assert set(CATALOGUE) <= set(CASES) | elsewhere
    assert set(PLACEMENT) <= set(placement_catalogue.CATALOGUE)
    assert not set(CATALOGUE) & set(placement_catalogue.CATALOGUE)
    assert {entry.severity for entry in CATALOGUE.values()} == set(SEVERITIES)


def test_every_list_that_a_check_needs_is_a_field_of_the_facts():
    known = {"hub": Hub("x"), "its": Its(), "wds": Wds()}
    for need in checks.needed(checks.CHECKS):
        role, _dot, key = need.partition(".")
        assert need == "hub.secrets" or hasattr(known[role], key), need


# -- what runs in the hub, as an API server shows it -------------------------------------------------------------------


def status_of(name: str, state: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What a kubelet says of a container."""
    status = {"name": name, "image": "registry.example.com/probe:1", "imageID": "", "ready": False}
    return {**status, "restartCount": 0, "state": state, **more}


def waiting(reason: str, message: str, **more: Any) -> dict[str, Any]:
    return status_of("main", {"waiting": {"reason": reason, "message": message}}, **more)


ENDED = {
    "exitCode": 1,
    "reason": "Error",
    "startedAt": "2026-01-01T00:00:00Z",
    "finishedAt": "2026-01-01T00:00:00Z",
}
PODS: dict[str, tuple[dict[str, Any], str]] = {
    "pod-image": (
        {"containerStatuses": [waiting("ImagePullBackOff", "no such image")]},
        "no such image",
    ),
    "pod-crash-loop": (
        {
            "containerStatuses": [
                waiting("CrashLoopBackOff", "back-off", restartCount=7, lastState={"terminated": ENDED})
            ]
        },
        "7",
    ),
    "pod-not-starting": (
        {"containerStatuses": [waiting("CreateContainerConfigError", "secret x not found")]},
        "secret x not found",
    ),
    "pod-unschedulable": (
        {
            "conditions": [
                {
                    "type": "PodScheduled",
                    "status": "False",
                    "reason": "Unschedulable",
                    "message": "0/1 nodes are available",
                }
            ]
        },
        "0/1 nodes are available",
    ),
    "transport-init": (
        {"initContainerStatuses": [status_of("get-its-kubeconfig", {"terminated": ENDED})]},
        "get-its-kubeconfig",
    ),
}


@pytest.mark.parametrize("trouble", PODS)
def test_a_pod_that_does_not_come_up_is_named_with_what_its_kubelet_says(trouble):
    status, words = PODS[trouble]
    name = "transport-controller-1234-abcd" if trouble == "transport-init" else "probe"
    container = {"name": "main", "image": "registry.example.com/probe:1"}
    init = [{**container, "name": "get-its-kubeconfig"}] if trouble == "transport-init" else []
    item = {
        "metadata": {"name": name, "namespace": "its1-system"},
        "spec": {"containers": [container], "initContainers": init},
        "status": {"phase": "Pending", **status},
    }
    site = Site()
    site.hub = replace(site.hub, pods=Reading([item]))
    (seen,) = checks.diagnose(site.facts()).findings
    assert (seen.id, seen.where) == (trouble, f"hub: Pod its1-system/{name}")
    assert words in seen.evidence


@pytest.mark.parametrize(
    ("replicas", "trouble"), [(1, "deployment-not-ready"), (0, "deployment-scaled-down")]
)
def test_a_deployment_that_does_not_run_is_named(replicas, trouble):
    """Without a status: no controller has seen it."""
    item = {
        "metadata": {"name": "probe", "namespace": "its1-system"},
        "spec": {"paused": True, "replicas": replicas},
    }
    site = Site()
    site.hub = replace(site.hub, deployments=Reading([item]))
    (seen,) = checks.diagnose(site.facts()).findings
    assert (seen.id, seen.where) == (trouble, "hub: Deployment its1-system/probe")


def test_a_job_that_has_failed_is_named_with_its_reason():
    conditions = [
        {"type": kind, "status": "True", "reason": "BackoffLimitExceeded", "message": "too often"}
        for kind in ("FailureTarget", "Failed")
    ]
    item = {
        "metadata": {"name": "its-hub-init", "namespace": "its1-system"},
        "spec": {"backoffLimit": 1},
        "status": {"startTime": "2026-01-01T00:00:00Z", "conditions": conditions, "failed": 2},
    }
    site = Site()
    site.hub = replace(site.hub, jobs=Reading([item]))
    (seen,) = checks.diagnose(site.facts()).findings
    assert (seen.id, seen.where) == ("job-failed", "hub: Job its1-system/its-hub-init")
    assert "BackoffLimitExceeded: too often" in seen.evidence


# -- time to settle -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trouble", "what"),
    [
        ("policy-unprocessed", "policy"),
        ("policy-behind", "policy"),
        ("binding-unread", "binding"),
        ("delivery-behind", "binding"),
        ("work-not-applied", "binding"),
    ],
)
def test_what_was_written_a_moment_ago_is_given_time(trouble, what):
    site = Site()
    CASES[trouble](site)
    getattr(site, what)["metadata"]["managedFields"] = [fields(20)]
    assert findings(site) == set()


@pytest.mark.parametrize("trouble", ["control-plane-unseen", "hook-not-done"])
def test_a_new_control_plane_is_given_time(trouble):
    site = Site()
    CASES[trouble](site)
    site.planes["its1"]["metadata"]["creationTimestamp"] = at(20)
    assert trouble not in findings(site)


# -- what follows from another trouble --------------------------------------------------------------------------------------


def test_a_cluster_that_is_away_has_one_finding_and_its_deliveries_none():
    site = Site()
    CASES["wec-unavailable"](site)
    CASES["delivery-behind"](site)
    assert findings(site) == {"wec-unavailable"}


def test_a_cluster_that_is_not_accepted_is_not_also_said_to_be_unavailable():
    site = Site()
    CASES["wec-not-accepted"](site)
    CASES["wec-not-joined"](site)
    CASES["wec-unavailable"](site)
    assert findings(site) == {"wec-not-accepted"}


def test_taints_of_ocm_for_a_cluster_that_is_away_are_no_finding():
    site = Site()
    CASES["wec-unavailable"](site)
    CASES["wec-tainted"](site)
    assert findings(site) == {"wec-unavailable"}


def test_other_clusters_than_those_that_are_named_are_left_out():
    site = Site(only=frozenset({"cluster1"}))
    site.wecs.append({**wec("cluster2"), "spec": {}})
    assert findings(site) == set()
    site.only = frozenset({"cluster2"})
    assert findings(site) == {"wec-not-accepted"}


# -- Secrets ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "controllers", "severity"),
    [
        ({"kubeconfig-incluster"}, False, "warning"),
        ({"kubeconfig-incluster"}, True, None),
        (set(), True, "error"),
        ({"kubeconfig"}, True, "error"),
    ],
)
def test_a_missing_key_is_as_bad_as_who_needs_it(keys, controllers, severity):
    site = Site()
    site.secrets["its1"] = Secret(frozenset(keys))
    if controllers:
        item = {
            "metadata": {"name": snapshot.MANAGER, "namespace": "wds1-system"},
            "spec": {},
            "status": {"readyReplicas": 1},
        }
        site.hub = replace(site.hub, deployments=Reading([item]))
    told = [(item.id, item.severity) for item in checks.diagnose(site.facts()).findings]
    assert told == ([("secret-key-missing", severity)] if severity else [])


@pytest.mark.parametrize(("days", "issued", "told"), [(29, -335, True), (31, -335, False), (2, -1, False)])
def test_a_credential_is_near_its_end_by_days_and_by_its_own_life(days, issued, told):
    site = Site()
    site.secrets["its1"] = a_day(days, issued)
    assert (findings(site) == {"credential-expiring"}) is told


# -- certificate requests -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def joining() -> dict[str, Any]:
    """A request as an agent of cluster1 sends it."""
    identity = "system:open-cluster-management:cluster1"
    names = [(NameOID.ORGANIZATION_NAME, identity), (NameOID.COMMON_NAME, f"{identity}:agent")]
    subject = x509.Name([x509.NameAttribute(*pair) for pair in names])
    key = ec.generate_private_key(ec.SECP256R1())
    pem = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    item = request("joining")
    item["spec"] |= {
        "request": base64.b64encode(pem.public_bytes(serialization.Encoding.PEM)).decode(),
        "usages": ["client auth"],
        "groups": [_csr.BOOTSTRAP_ACCOUNT_GROUP],
    }
    return item


def test_a_request_that_waits_is_told_and_so_are_too_many_whatever_they_are(joining):
    site = Site(requests=Reading([joining]))
    assert findings(site) == {"csr-pending"}
    denied = {"status": {"conditions": [{"type": "Denied", "status": "True"}]}}
    old = [{**joining, "metadata": {**joining["metadata"], "name": f"old{n}"}, **denied} for n in range(9)]
    site.requests = Reading(old)
    assert findings(site) == set()
    site.requests = Reading([joining, *old])
    assert findings(site) == {"csr-pending", "csr-many"}


def test_a_cluster_that_never_asked_for_a_certificate_is_told_so(joining):
    site = Site()
    CASES["wec-not-accepted"](site)
    (item,) = checks.diagnose(site.facts()).findings
    assert item.evidence == "The hub has not accepted it, and it has not asked for a certificate."
    site.requests = Reading([joining])
    told = {item.id: item.evidence for item in checks.diagnose(site.facts()).findings}
    assert told["wec-not-accepted"] == "The hub has not accepted it."


# -- what could not be read ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["control_planes", "hooks", "deployments", "stateful_sets", "jobs", "pods"])
def test_a_list_of_the_hub_that_could_not_be_read_is_a_finding(key):
    site = Site()
    site.hub = replace(site.hub, **{key: replace(getattr(site.hub, key), error=f"hub: cannot list {key}")})
    seen = checks.diagnose(site.facts())
    assert [(item.id, item.where) for item in seen.findings] == [("not-read", "hub")]
    assert key in seen.findings[0].evidence
    assert any(entry["lacking"] for entry in seen.checked)


def test_a_space_that_is_away_is_no_finding_of_each_check_but_stands_with_each():
    site = Site()
    CASES["space-unreachable"](site)
    checked = {entry["id"]: entry for entry in checks.diagnose(site.facts()).checked}
    assert checked["wec-unavailable"] == {
        "id": "wec-unavailable",
        "ran": False,
        "lacking": ["its1: no answer"],
    }
    assert checked["policy-behind"] == {"id": "policy-behind", "ran": True, "lacking": []}
    assert checked["agent-rights"] == {"id": "agent-rights", "ran": True, "lacking": ["its1: no answer"]}
    assert findings(site, ["wec-unavailable"]) == {"not-read"}


def test_without_a_wds_its_checks_have_not_run():
    site = Site()
    site.planes.pop("wds1")
    checked = {entry["id"]: entry for entry in checks.diagnose(site.facts()).checked}
    assert not checked["policy-errors"]["ran"] and checked["policy-errors"]["lacking"] == [
        "hub: there is no WDS"
    ]


# -- the rest -----------------------------------------------------------------------------------------------------------------


def test_unknown_ids_are_refused_with_the_nearest():
    with pytest.raises(InvalidInput, match=r"no check pod-imge") as caught:
        checks.chosen(["pod-imge"])
    assert "pod-image" in caught.value.hint


def test_only_what_the_chosen_checks_need_is_read():
    assert checks.needed(checks.chosen(["job-failed"])) == {"hub.jobs"}
    assert "wds.placements" in checks.needed(checks.chosen(["no-object"]))


def test_a_pod_that_has_ended_is_nobodys_trouble():
    site = Site()
    pod(site, phase="Failed", conditions=[{"type": "PodScheduled", "status": "False"}])
    assert findings(site) == set()


def test_the_role_of_a_control_plane_comes_from_its_hooks_until_it_has_the_label():
    item = plane("its9", "its")
    del item["metadata"]["labels"]
    hooks = [{"metadata": {"name": "hook-its", "labels": {"kflex.kubestellar.io/cptype": "its"}}}]
    assert role_of(item, hooks) == "its" and role_of(item, []) == ""


def test_a_wds_delivers_through_the_its_that_is_named_or_alone_or_has_its_works():
    site = Site()
    two_itses(site)
    facts = site.facts()
    wds = facts.of_role("wds")[0]
    assert facts.its_of(wds) is None
    site.planes["wds1"]["spec"]["postCreateHooks"][0]["vars"] = {"ITSName": "its0"}
    facts = site.facts()
    named = facts.its_of(facts.of_role("wds")[0])
    assert named is not None and named.name == "its0"
    site.works = [work()]
    site.planes["wds1"]["spec"]["postCreateHooks"][0]["vars"] = {}
    assert site.facts().its_of(site.facts().of_role("wds")[0]) is not None


# -- the report ---------------------------------------------------------------------------------------------------------------


def test_a_report_of_many_findings_is_short_and_made_plain():
    site = Site()
    site.wecs = [{**wec(f"cluster{number:02}"), "spec": {}} for number in range(30)]
    condition(site.planes["its1"], "Synced", status="False", message="evil\x1b[31m\u202e\ntext " + "x " * 900)
    facts = site.facts()
    diagnosis = checks.diagnose(facts)
    lines = report.table(facts, diagnosis)
    assert lines[0] == "hub hub: 30 errors, 1 warning, 0 infos"
    assert lines[1] == "  looked at 2 spaces, 30 WECs, 1 policy with 78 checks"
    assert sum("[wec-not-accepted]" in line for line in lines) == 11
    assert "and 20 more [wec-not-accepted]" in lines
    assert max(map(len, lines)) <= 120
    assert all(character.isprintable() for line in lines for character in line)
    result = report.result(facts, diagnosis)
    assert result["summary"]["errors"] == 30 and result["findings"][-1]["id"] == "control-plane-not-synced"
    assert "\x1b" not in str(result["findings"]) and "\u202e" not in str(result["findings"])


def test_the_worst_is_told_first_and_what_did_not_run_is_named():
    site = Site()
    CASES["space-unreachable"](site)
    CASES["no-object"](site)
    facts = site.facts()
    lines = report.table(facts, checks.diagnose(facts))
    severities = [line.split()[0] for line in lines if line.endswith("]") and not line.startswith(" ")]
    assert severities == sorted(severities, key=SEVERITIES.index)
    assert any("could not run" in line for line in lines)


def test_the_forecast_has_all_that_a_result_has():
    facts = Site().facts()
    result, forecast = report.result(facts, checks.diagnose(facts)), report.forecast()
    assert result.keys() == forecast.keys() and result["summary"].keys() == forecast["summary"].keys()
