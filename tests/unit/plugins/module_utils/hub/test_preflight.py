# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The prerequisites of a hub: each check with a cluster that has what it needs, and with one that has not."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, PreflightFailed
from ansible_collections.kubestellar.core.plugins.module_utils.doctor import catalogue as diagnosis
from ansible_collections.kubestellar.core.plugins.module_utils.doctor.facts import Reading
from ansible_collections.kubestellar.core.plugins.module_utils.hub import preflight, prerequisites, troubles
from ansible_collections.kubestellar.core.plugins.module_utils.hub.prerequisites import (
    Address,
    Case,
    Facts,
    Program,
    Right,
    Space,
    Wanted,
)

ROOT = Path(__file__).parents[5]


def named(name, namespace=None, annotations=None, labels=None, **more):
    metadata = {"name": name, "annotations": annotations or {}, "labels": labels or {}}
    if namespace:
        metadata["namespace"] = namespace
    return {"metadata": {**metadata, **more.pop("metadata", {})}, **more}


def items(*found):
    return Reading(list(found))


def workload(*arguments, name="ingress-nginx-controller"):
    spec = {"template": {"spec": {"containers": [{"args": list(arguments)}]}}}
    return named(name, "ingress-nginx", spec=spec)


def definition(*fields):
    schema = {"properties": {"spec": {"properties": {key: {} for key in fields}}}}
    versions = [{"name": "v1alpha1", "schema": {"openAPIV3Schema": schema}}]
    return named("controlplanes.tenancy.kflex.kubestellar.org", spec={"versions": versions})


def node(name="n1", cpu="4", **spec):
    allocatable = {"cpu": cpu, "memory": "8Gi", "pods": "110"}
    conditions = [{"type": "Ready", "status": "True"}]
    return {
        "metadata": {"name": name},
        "spec": spec,
        "status": {"allocatable": allocatable, "conditions": conditions},
    }


OURS = {"meta.helm.sh/release-name": "ks-core", "meta.helm.sh/release-namespace": "default"}
THEIRS = {"meta.helm.sh/release-name": "kflex", "meta.helm.sh/release-namespace": "kubeflex-system"}
DEFAULT = {"storageclass.kubernetes.io/is-default-class": "true"}
FIELDS = ("type", "globalVars", "postCreateHooks", "waitForPostCreateHooks")
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
ITS, WDS = Space("its1", "its", "vcluster", ocm=True), Space("wds1", "wds", "k8s")
ITS_HOST = Space("its1", "its", "host", ocm=True)
ITS_EXTERNAL = Space(
    "its1", "its", "external", bootstrap=("default", "its1-bootstrap", "kubeconfig-incluster")
)
HUB = Wanted((ITS, WDS))
MANAGER = named("kubeflex-controller-manager", "kubeflex-system", OURS, status={"readyReplicas": 1})
REACHED = tuple(Address(name, f"{name}.localtest.me", ("192.0.2.1",)) for name in ("its1", "wds1"))

FIT = Facts(
    "hub",
    "https://hub.example.com:6443",
    version="v1.31.2+k3s1",
    helm=Program("v3.16.4"),
    groups=items({"name": "apps"}),
    namespaces=items(named("default"), named("kube-system")),
    definition=items(definition(*FIELDS)),
    nodes=items(node()),
    storage_classes=items(named("slow"), named("fast", annotations=DEFAULT)),
    ingress_classes=items(named("nginx")),
    deployments=items(workload("--enable-ssl-passthrough")),
    cluster_roles=items(named("admin"), named("kubeflex-manager-role", annotations=OURS)),
    asked=1,
    addresses=REACHED,
)
"""A cluster that lacks nothing."""


def judged(facts, wish=HUB, skip=()):
    return preflight.judge(Case(wish, facts), preflight.chosen(skip))


def ids(outcome):
    return {finding.id for finding in outcome.findings}


def test_a_fit_cluster_has_no_finding_and_every_check_is_told():
    outcome = judged(FIT)
    assert outcome.findings == []
    entries = {entry["id"]: entry for entry in outcome.checks()}
    assert set(entries) == set(preflight.IDS)
    assert entries["kubernetes-old"]["message"] == "It is Kubernetes v1.31.2+k3s1."
    assert "cannot be seen from here" in entries["address-unreachable"]["message"]
    assert entries["pod-unschedulable"]["message"].startswith("At least 1.21 CPUs and 1306 MiB")
    assert entries["right-missing"]["message"] == "The credentials have every right."
    assert all(entry["state"] in ("ok", "skipped") and not entry["hint"] for entry in entries.values())
    outcome.fail("warning")


BAD = {
    "kubernetes-old": [
        ({"version": "v1.28.9"}, HUB, "hub: It is Kubernetes v1.28.9, and KubeStellar needs 1.29 or newer.")
    ],
    "kubernetes-untested": [
        ({"version": "v1.99.0-rc.1"}, HUB, "tested with none newer than 1.32"),
        ({"version": ""}, HUB, "of an unknown version"),
    ],
    "helm-missing": [
        (
            {"helm": Program(error="it is not on the PATH")},
            HUB,
            "helm cannot be used where Ansible runs: it is not on the PATH.",
        ),
        ({"helm": Program("swordfish")}, HUB, "it calls itself swordfish"),
    ],
    "helm-old": [({"helm": Program("v2.17.0")}, HUB, "It is helm v2.17.0, and the core chart needs helm 3.")],
    "helm-untested": [({"helm": Program("v4.0.1")}, HUB, "It is helm v4.0.1")],
    "right-missing": [
        (
            {"denied": [Right("create", "", "namespaces"), Right("list", "", "namespaces")], "asked": 40},
            HUB,
            "hub: The credentials lack the rights to create, list namespaces.",
        ),
        (
            {"denied": [Right("get", "", "secrets", "default")], "asked": 40},
            HUB,
            "the right to get secrets in the namespace default.",
        ),
    ],
    "right-unproven": [
        (
            {
                "denied": [Right("escalate", "rbac.authorization.k8s.io", "clusterroles", sure=False)],
                "asked": 40,
            },
            HUB,
            "to escalate clusterroles.rbac.authorization.k8s.io: the API server then refuses",
        )
    ],
    "volume-missing": [
        (
            {"storage_classes": items()},
            HUB,
            "hub: PersistentVolumeClaim its1-system/data-vcluster-0: It gets no volume: it names no StorageClass, and there is none.",
        ),
        (
            {"storage_classes": items(named("slow"))},
            Wanted((ITS_HOST,)),
            "kubeflex-system/data-postgres-postgresql-0: It gets no volume: it names no StorageClass, and of slow none is the default.",
        ),
        (
            {"storage_classes": items(), "manager": items(MANAGER)},
            Wanted((ITS,)),
            "its1-system/data-vcluster-0",
        ),
    ],
    "ingress-class-missing": [
        (
            {"ingress_classes": items()},
            HUB,
            "hub: IngressClass nginx: It does not exist (there is none), so the spaces its1, wds1 cannot",
        ),
        (
            {"ingress_classes": items(named("traefik"))},
            Wanted((WDS,)),
            "(there is traefik), so the space wds1 cannot",
        ),
    ],
    "passthrough-unproven": [
        (
            {"deployments": items()},
            HUB,
            "No Deployment or DaemonSet has the argument --enable-ssl-passthrough",
        ),
        (
            {"deployments": items(workload("--enable-ssl-passthrough=false"))},
            HUB,
            "No Deployment or DaemonSet",
        ),
        (
            {"deployments": items(workload("--controller-class=k8s.io/ingress-nginx"))},
            HUB,
            "The Deployment ingress-nginx/ingress-nginx-controller runs without --enable-ssl-passthrough",
        ),
    ],
    "openshift-missing": [({}, replace(HUB, openshift=True), "route.openshift.io is not served")],
    "openshift-unset": [
        ({"groups": items({"name": "project.openshift.io"})}, HUB, "hub_kubeflex.openshift is not set")
    ],
    "address-unresolved": [
        (
            {"addresses": [Address("wds1", "wds1.localtest.me", unresolved="Name or service not known")]},
            HUB,
            "hub: ControlPlane wds1: The name wds1.localtest.me is not resolved here: Name or service not known.",
        )
    ],
    "address-unreachable": [
        (
            {"addresses": [replace(one, unreachable="192.0.2.1: Connection refused") for one in REACHED]},
            HUB,
            "Nothing answers from here at its1.localtest.me, port 9443: 192.0.2.1: Connection refused.",
        )
    ],
    "address-loopback": [
        (
            {"addresses": [replace(REACHED[0], addresses=("127.0.0.1", "::1"))]},
            HUB,
            "hub: ControlPlane its1: Its address its1.localtest.me (127.0.0.1) means",
        ),
        (
            {"server": "https://127.0.0.1:6443"},
            Wanted((ITS_HOST, WDS)),
            "Its address https://127.0.0.1:6443 means",
        ),
    ],
    "node-missing": [
        ({"nodes": items()}, HUB, "No node takes Pods: there is none."),
        (
            {
                "nodes": items(
                    node(unschedulable=True), node("n2", taints=[{"key": "t", "effect": "NoSchedule"}])
                )
            },
            HUB,
            "n1 is cordoned; n2 has the taint t.",
        ),
    ],
    "pod-unschedulable": [
        (
            {"nodes": items(node(cpu="1"))},
            HUB,
            "No node takes it: 1.21 CPUs are requested and 1.00 CPUs are left",
        )
    ],
    "pod-refused": [
        (
            {"namespaces": items(named("kubeflex-system", labels=RESTRICTED))},
            HUB,
            "hub: Namespace kubeflex-system: Its Pods cannot be created: the label pod-security.kubernetes.io/enforce is restricted",
        )
    ],
    "kubeflex-missing": [
        ({"planes": Reading(served=False)}, replace(HUB, install=False), "KubeFlex is not installed here")
    ],
    "kubeflex-old": [
        (
            {"definition": items(definition("type", "globalVars"))},
            HUB,
            "it lacks postCreateHooks, waitForPostCreateHooks in spec",
        )
    ],
    "object-foreign": [
        (
            {"cluster_roles": items(named("kubeflex-manager-role", annotations=THEIRS))},
            HUB,
            "hub: ClusterRole kubeflex-manager-role: It belongs to the release kubeflex-system/kflex",
        ),
        (
            {"hooks": items(named("its-hub-init"))},
            HUB,
            "PostCreateHook its-hub-init: It belongs to no Helm release",
        ),
        (
            {
                "manager": items(
                    named(
                        "kubeflex-controller-manager", "kubeflex-system", THEIRS, status={"readyReplicas": 1}
                    )
                )
            },
            HUB,
            "Deployment kubeflex-system/kubeflex-controller-manager",
        ),
        (
            {"cluster_role_bindings": items(named("kubeflex-manager-cluster-admin-rolebinding"))},
            Wanted((ITS_HOST,)),
            "ClusterRoleBinding kubeflex-manager-cluster-admin-rolebinding",
        ),
    ],
    "database-missing": [
        (
            {},
            replace(HUB, postgresql=False),
            "hub: Pod kubeflex-system/postgres-postgresql-0: It does not exist",
        )
    ],
    "namespace-deleting": [
        (
            {
                "namespaces": items(
                    named("wds1-system", metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"})
                )
            },
            HUB,
            "hub: Namespace wds1-system: It is being deleted since 2026-01-01T00:00:00Z",
        )
    ],
    "namespace-taken": [
        ({"namespaces": items(named("its1-system"))}, HUB, "no ControlPlane owns it: the space its1 would")
    ],
    "name-reserved": [({}, Wanted((Space("kube", "its", "host"),)), "Its namespace would be kube-system")],
    "bootstrap-secret-missing": [
        (
            {"keys": {("default", "its1-bootstrap"): None, ("its1-system", "admin-kubeconfig"): None}},
            Wanted((ITS_EXTERNAL,)),
            "hub: Secret default/its1-bootstrap: It does not exist, and the space its1",
        ),
        (
            {"keys": {("default", "its1-bootstrap"): frozenset({"config"})}},
            Wanted((ITS_EXTERNAL,)),
            "It has no key kubeconfig-incluster",
        ),
    ],
}


def test_every_check_has_a_bad_case_here():
    assert set(BAD) == set(preflight.IDS)


@pytest.mark.parametrize(
    ("name", "change", "wish", "message"),
    [(name, *case) for name, cases in BAD.items() for case in cases],
)
def test_what_a_cluster_lacks_is_the_only_finding_and_names_object_and_remedy(name, change, wish, message):
    outcome = judged(replace(FIT, **change), wish)
    assert ids(outcome) == {name}, [finding.evidence for finding in outcome.findings]
    told = [entry for entry in outcome.checks() if entry["id"] == name]
    assert any(message in entry["message"] for entry in told), told
    assert all(entry["hint"] and entry["state"] == prerequisites.CATALOGUE[name].severity for entry in told)
    assert not ids(judged(replace(FIT, **change), wish, skip=[name]))
    assert name in "\n".join(outcome.table()) and all(len(line) <= 120 for line in outcome.table())


GOOD = {
    "an older minor of what is tested": ({"version": "v1.29.0"}, HUB),
    "no StorageClass where nothing new needs one": (
        {"storage_classes": items(), "manager": items(MANAGER)},
        Wanted((ITS_HOST, WDS)),
    ),
    "no StorageClass where KubeFlex is there": ({"storage_classes": items()}, Wanted((WDS,), install=False)),
    "no IngressClass for host spaces": (
        {"ingress_classes": items(), "deployments": items()},
        Wanted((ITS_HOST,)),
    ),
    "no IngressClass on OpenShift": (
        {"ingress_classes": items(), "groups": items({"name": "route.openshift.io"}), "addresses": ()},
        replace(HUB, openshift=True),
    ),
    "a DaemonSet that hands TLS through": (
        {"deployments": items(), "daemon_sets": items(workload("--enable-ssl-passthrough=true"))},
        HUB,
    ),
    "a WDS at a loopback address": (
        {"addresses": [replace(REACHED[1], addresses=("127.0.0.1",))]},
        Wanted((WDS,)),
    ),
    "an Ingress controller that a shell starts": (
        {"deployments": items(workload("exec /nginx --v=2 --enable-ssl-passthrough"))},
        HUB,
    ),
    "one usable node of two": ({"nodes": items(node(unschedulable=True), node("n2"))}, HUB),
    "another strict namespace": ({"namespaces": items(named("shop", labels=RESTRICTED))}, HUB),
    "another namespace that goes": (
        {"namespaces": items(named("shop", metadata={"deletionTimestamp": "x"}))},
        HUB,
    ),
    "no database where KubeFlex runs": ({"manager": items(MANAGER)}, replace(HUB, postgresql=False)),
    "a database that is there": (
        {"database": items(named("postgres-postgresql-0"))},
        replace(HUB, postgresql=False),
    ),
    "objects of a KubeFlex that is shared": (
        {"cluster_roles": items(named("kubeflex-manager-role", annotations=THEIRS))},
        replace(HUB, install=False),
    ),
    "a binding that this hub does not make": (
        {"cluster_role_bindings": items(named("kubeflex-manager-cluster-admin-rolebinding"))},
        HUB,
    ),
    "a bootstrap Secret": (
        {"keys": {("default", "its1-bootstrap"): frozenset({"kubeconfig-incluster"})}},
        Wanted((ITS_EXTERNAL,)),
    ),
    "a space that is adopted already": (
        {
            "keys": {
                ("default", "its1-bootstrap"): None,
                ("its1-system", "admin-kubeconfig"): frozenset({"kubeconfig-incluster"}),
            }
        },
        Wanted((ITS_EXTERNAL,)),
    ),
    "two ITSes of type host": ({}, Wanted((ITS_HOST, replace(ITS_HOST, name="its2")))),
}


@pytest.mark.parametrize(("change", "wish"), GOOD.values(), ids=GOOD)
def test_what_is_not_needed_is_not_missed(change, wish):
    assert ids(judged(replace(FIT, **change), wish)) == set()


def test_what_clusters_in_containers_use_instead_is_told():
    facts = replace(FIT, addresses=[replace(REACHED[0], addresses=("127.0.0.1",))])
    (finding,) = judged(facts).findings
    assert (
        "https://kubeflex-control-plane with the node port of the Service vcluster-nodeport in its1-system"
        in finding.hint
    )
    assert not finding.hint.endswith("…")


def test_a_hub_that_is_there_lacks_nothing_that_it_uses_itself():
    """No volume, Ingress, node, room or address is looked at any more."""
    bare = Facts(
        "hub",
        version="v1.32.0",
        helm=Program("v3.16.4"),
        planes=items(named("its1"), named("wds1")),
        manager=items(MANAGER),
        namespaces=items(named("its1-system"), named("wds1-system")),
        nodes=items(node(unschedulable=True)),
    )
    assert judged(bare).findings == []
    needs = preflight.needed(preflight.chosen([]), Case(HUB, bare))
    assert needs == {"helm", "rights", "namespaces", "cluster_roles", "cluster_role_bindings", "hooks"}


def test_only_the_new_space_of_a_hub_that_is_there_needs_room():
    facts = replace(FIT, planes=items(named("its1")), manager=items(MANAGER), nodes=items(node(cpu="800m")))
    assert ids(judged(facts)) == set()
    assert ids(judged(replace(facts, planes=items()))) == {"pod-unschedulable"}


def test_what_cannot_be_read_is_told_and_never_taken_for_missing():
    facts = replace(FIT, storage_classes=Reading(error="hub: cannot list storageclasses: forbidden"))
    outcome = judged(facts)
    (finding,) = outcome.findings
    assert (finding.id, finding.severity, finding.where) == ("not-read", "warning", "hub: storage classes")
    entry = next(entry for entry in outcome.checks() if entry["id"] == "volume-missing")
    assert entry["state"] == "skipped" and entry["message"] == "Storage_classes could not be read."


def test_a_cluster_that_cannot_be_used_is_one_finding():
    outcome = judged(Facts("hub", trouble="hub: cannot read its version: no answer"))
    assert ids(outcome) == {"hub-unreachable"}
    assert outcome.numbers() == {"error": 1, "warning": 0, "ok": 0, "skipped": len(preflight.IDS)}


def test_a_failure_has_every_error_in_one_message_and_warnings_only_if_that_is_wanted():
    facts = replace(FIT, version="v1.20.0", nodes=items(), deployments=items())
    outcome = judged(facts)
    with pytest.raises(PreflightFailed) as caught:
        outcome.fail("error")
    message = caught.value.message
    assert message.startswith("hub: 2 prerequisites are not met, and nothing has been changed. (1) hub:")
    assert "[kubernetes-old]" in message and "[node-missing]" in message and "passthrough" not in message
    assert caught.value.details["summary"]["error"] == 2 and caught.value.details["table"]
    with pytest.raises(PreflightFailed, match="3 prerequisites.*passthrough-unproven"):
        outcome.fail("warning")
    outcome.fail("never")
    judged(replace(FIT, deployments=items())).fail("error")


def test_a_check_that_does_not_exist_cannot_be_left_out():
    with pytest.raises(InvalidInput, match="There is no check volume-mising to leave out") as caught:
        preflight.chosen(["volume-mising"])
    assert caught.value.hint == "Did you mean volume-missing?"


def test_what_is_left_out_is_not_read_and_is_told():
    checks = preflight.chosen(["right-missing", "right-unproven"])
    assert "rights" not in preflight.needed(checks, Case(HUB, FIT))
    entry = next(
        entry for entry in judged(FIT, skip=["right-missing"]).checks() if entry["id"] == "right-missing"
    )
    assert entry["state"] == "skipped"


# -- what is wanted --------------------------------------------------------------------------------------------------

SETTINGS = {
    "itses": [{"name": "its1", "type": None, "install_ocm": True}, {"name": "its2", "type": "external"}],
    "wdses": [{"name": "wds1"}],
    "kubeflex": {"postgresql": False, "external_port": 443, "domain": None},
    "hooks": True,
}


def test_the_variables_of_the_role_say_what_is_wanted():
    wish = prerequisites.wanted(SETTINGS, None, "ks-core", "ks")
    assert [(space.name, space.role, space.type, space.ocm) for space in wish.spaces] == [
        ("its1", "its", "vcluster", True),
        ("its2", "its", "external", True),
        ("wds1", "wds", "k8s", False),
    ]
    assert wish.spaces[1].bootstrap == ("ks", "its2-bootstrap", "kubeconfig-incluster")
    assert (wish.install, wish.postgresql, wish.openshift, wish.hooks) == (True, False, False, True)
    assert (wish.domain, wish.port, wish.release) == ("localtest.me", 443, "ks-core")


def test_values_of_the_chart_itself_win():
    extra = {
        "kubeflex-operator": {"isOpenShift": "true", "domain": "x.example.com"},
        "InstallPCHs": False,
        "WDSes": [],
    }
    wish = prerequisites.wanted(SETTINGS, extra, "r", "n")
    assert wish.openshift and wish.domain == "x.example.com" and not wish.hooks
    assert [space.name for space in wish.spaces] == ["its1", "its2"]


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"kubeflex-operator": {"externalPort": "https"}}, "The external port of KubeFlex is https"),
        ({"kubeflex-operator": {"externalPort": 70000}}, "is 70000, which is no port"),
        ({"ITSes": [{"type": "host"}]}, "among the ITSes is no space with a name"),
    ],
)
def test_a_value_that_is_none_is_named(extra, message):
    with pytest.raises(InvalidInput, match=message):
        prerequisites.wanted(SETTINGS, extra, "r", "n")


# -- rights ----------------------------------------------------------------------------------------------------------


def test_rights_follow_from_what_is_wanted():
    bind = Right("bind", "rbac.authorization.k8s.io", "clusterroles", name="cluster-admin")
    escalate = Right("escalate", "rbac.authorization.k8s.io", "clusterroles", sure=False)
    hosted, shared = (
        prerequisites.rights(Wanted((ITS_HOST,))),
        prerequisites.rights(Wanted((WDS,), install=False, hooks=False)),
    )
    assert {bind, escalate} <= set(hosted)
    assert not {bind, escalate} & set(shared)
    assert Right("create", "tenancy.kflex.kubestellar.org", "controlplanes") in shared
    assert not any(right.resource == "postcreatehooks" for right in shared)
    assert Right("create", "", "secrets", "default") in shared
    assert Right("create", "", "secrets", "ks") in prerequisites.rights(Wanted((WDS,), namespace="ks"))
    assert len(hosted) == len(set(hosted))
    assert bind.attributes() == {
        "verb": "bind",
        "group": "rbac.authorization.k8s.io",
        "resource": "clusterroles",
        "name": "cluster-admin",
    }


# -- what the sentences and numbers agree with ------------------------------------------------------------------------


def test_the_same_trouble_has_the_same_sentences_everywhere():
    later = {name: text for name, text in troubles.TROUBLES.items() if name in prerequisites.CATALOGUE}
    assert set(later) == {"volume-missing", "pod-unschedulable", "pod-refused"}
    for name, sentences in later.items():
        trouble = prerequisites.CATALOGUE[name]
        assert (trouble.evidence, trouble.hint) == sentences
    for name in set(diagnosis.CATALOGUE) & set(prerequisites.CATALOGUE):
        ours, theirs = prerequisites.CATALOGUE[name], diagnosis.CATALOGUE[name]
        assert (ours.evidence, ours.hint) == (theirs.evidence, theirs.hint)


def test_every_id_of_the_catalogue_can_be_found():
    assert set(preflight.IDS) | {"hub-unreachable", "not-read"} == set(prerequisites.CATALOGUE)


def test_the_newest_version_is_the_one_that_tests_run_on():
    modules = (ROOT / "roles" / "embedded" / "files" / "go" / "kubestellar" / "go.mod").read_text()
    found = re.search(r"k8s\.io/kubernetes v(\S+)", modules)
    assert preflight.version_of(found.group(1)) == prerequisites.NEWEST


def test_the_role_hands_every_variable_over():
    task = yaml.safe_load((ROOT / "roles" / "hub" / "tasks" / "preflight.yml").read_text())[0]
    handed = str(task["kubestellar.core.hub_preflight"])
    for variable in (
        "hub_itses",
        "hub_wdses",
        "hub_kubeflex",
        "hub_chart_values",
        "hub_preflight_skip",
        "hub_helm",
    ):
        assert variable in handed
