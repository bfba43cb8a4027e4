# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module doctor on the real stack: nothing on a healthy one; each break gives exactly its findings, and is repaired.

Programs are stopped, Secrets, ManagedClusters and policies are broken for real. Jobs, Pods and Deployments of the hub are
made with the status that a kubelet would give them, since the stack has none of its own.
"""

from __future__ import annotations

import base64
import contextlib
import copy
import datetime
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from ansible_collections.kubestellar.core.plugins.module_utils import _csr
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    BINDING_POLICIES,
    BINDINGS,
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    CONFIG_MAPS,
    CONTROL_PLANES,
    CSRS,
    LEASES,
    MANAGED_CLUSTERS,
    MANIFEST_WORKS,
    NAMESPACES,
    SECRETS,
    SERVICE_ACCOUNTS,
    Resource,
)
from ansible_collections.kubestellar.core.plugins.module_utils.doctor import checks
from ansible_collections.kubestellar.core.tests.waiting import eventually
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from .running import stopped

JOBS = Resource("batch", "v1", "jobs", "Job", True)
PODS = Resource("", "v1", "pods", "Pod", True)
ADDONS = Resource(
    "addon.open-cluster-management.io", "v1alpha1", "managedclusteraddons", "ManagedClusterAddOn", True
)
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment", True)
HOOKS = Resource("tenancy.kflex.kubestellar.org", "v1alpha1", "postcreatehooks", "PostCreateHook", False)
ITS_SECRET = ("admin-kubeconfig", "its1-system")
Found = set[tuple[str, str]]


@pytest.fixture
def doctor(stack, module) -> Callable[..., dict[str, Any]]:
    """Run the module on the hub of the stack, and see that it writes nothing."""

    def run(**parameters: Any) -> dict[str, Any]:
        before = stack.mark()
        result = module("doctor", **{"kubeconfig": stack.kubeconfig, "context": "hub", **parameters})
        assert stack.writes_since(before) == []
        return result

    return run


@pytest.fixture
def hub(stack) -> Cluster:
    return stack.cluster("hub")


@pytest.fixture
def its(stack) -> Cluster:
    return stack.cluster("its1")


@pytest.fixture
def wds(stack) -> Cluster:
    return stack.cluster("wds1")


@pytest.fixture
def at_once(monkeypatch) -> None:
    """Nothing is given time to settle."""
    monkeypatch.setattr(checks, "SETTLE_SECONDS", -1.0)


def found(result: dict[str, Any]) -> Found:
    assert not result.get("failed"), result
    return {(item["id"], item["where"]) for item in result["findings"]}


def until(
    doctor: Callable[..., dict[str, Any]], expected: Found, seconds: float = 180, **parameters: Any
) -> None:
    """Wait until exactly these findings are there: controllers take their time, the doctor does not wait.

    After a restart of its controller-manager a policy loses objects for a moment, and the work agent tries longer and longer
    apart to create them again in Namespaces that are still on their way out: 48 s were seen.
    """
    deadline = time.monotonic() + seconds
    while (seen := found(doctor(**parameters))) != expected:
        assert time.monotonic() < deadline, f"{seen} is not {expected}"
        time.sleep(0.5)


@contextlib.contextmanager
def there(cluster: Cluster, resource: Resource, *objects: dict[str, Any]) -> Iterator[None]:
    """These objects for a while."""
    try:
        for obj in objects:
            status = obj.pop("status", None)
            cluster.create(resource, {"apiVersion": resource.api_version, "kind": resource.kind, **obj})
            if status is not None:
                metadata = obj["metadata"]
                cluster.patch(
                    resource,
                    metadata["name"],
                    metadata.get("namespace"),
                    {"status": status},
                    subresource="status",
                )
        yield
    finally:
        for obj in reversed(objects):
            name, namespace = obj["metadata"]["name"], obj["metadata"].get("namespace")
            cluster.delete(resource, name, namespace)
            eventually(lambda: cluster.get(resource, name, namespace) is None)  # noqa: B023 (waited for within)


# -- healthy, and nothing to look at ------------------------------------------------------------------------------------


def test_a_healthy_hub_has_no_finding_and_everything_was_looked_for(doctor):
    until(doctor, set())  # what earlier tests have removed may still be on its way out
    result = doctor()
    assert result["findings"] == [] and result["changed"] is False
    assert [entry["id"] for entry in result["checked"] if not entry["ran"] or entry["lacking"]] == []
    assert result["summary"] == {
        **dict.fromkeys(("errors", "warnings", "infos", "checks_not_run"), 0),
        "checks": len(result["checked"]),
        "spaces": 2,
        "wecs": 2,
        "policies": 1,
    }
    assert result["table"][0] == "hub hub: 0 errors, 0 warnings, 0 infos"


def test_a_hub_that_does_not_answer_is_a_finding_and_no_check_ran(doctor):
    result = doctor(kubeconfig=None, context=None, host="https://127.0.0.1:1", api_key="none")
    assert found(result) == {("hub-unreachable", "hosting cluster")}
    assert [entry["id"] for entry in result["checked"] if entry["ran"]] == ["hub-unreachable"]


def test_a_cluster_without_kubeflex_is_no_hub(doctor):
    assert found(doctor(context="its1")) == {("kubeflex-missing", "its1")}


def test_only_what_is_asked_for_is_read(stack, doctor):
    before = stack.mark()["its1"]
    result = doctor(checks=["csr-many"])
    assert [entry["id"] for entry in result["checked"]] == ["csr-many"] and result["findings"] == []
    listed = {
        event["objectRef"]["resource"]
        for event in stack.audit("its1", before)
        if event.get("userAgent") == "kubestellar.core" and event["verb"] == "list" and "objectRef" in event
    }
    assert listed <= {"certificatesigningrequests"}


def test_an_unknown_check_is_refused(doctor):
    result = doctor(checks=["wec-unavailble"])
    assert result["failed"] and "wec-unavailable" in result["hint"]


def test_a_name_that_no_its_knows_is_a_finding(doctor):
    result = doctor(wecs=["cluster1", "nobody"])
    assert found(result) == {("wec-unknown", "hub")}
    assert result["summary"]["wecs"] == 1


def test_what_may_not_be_read_is_a_finding(stack, hub, doctor):
    account = {"metadata": {"name": "probe", "namespace": "default"}}
    rules = [
        {
            "apiGroups": ["tenancy.kflex.kubestellar.org"],
            "resources": ["controlplanes", "postcreatehooks"],
            "verbs": ["list"],
        },
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]},
        {
            "apiGroups": ["apps", "batch"],
            "resources": ["deployments", "statefulsets", "jobs"],
            "verbs": ["list"],
        },
    ]
    binding = {
        "metadata": {"name": "probe"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "probe"},
        "subjects": [{"kind": "ServiceAccount", "name": "probe", "namespace": "default"}],
    }
    with (
        there(hub, SERVICE_ACCOUNTS, account),
        there(hub, CLUSTER_ROLES, {"metadata": {"name": "probe"}, "rules": rules}),
        there(hub, CLUSTER_ROLE_BINDINGS, binding),
    ):
        token = hub.request(
            "POST",
            SERVICE_ACCOUNTS.path("default", "probe", "token"),
            body={"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}},
        )["status"]["token"]
        authority = stack.stack.folder / "probe-ca.pem"
        authority.write_bytes(hub.authority() or b"")
        result = doctor(kubeconfig=None, context=None, host=hub.server, api_key=token, ca_cert=str(authority))
        authority.unlink()
    assert found(result) == {("not-read", "hosting cluster")}
    assert "list pods" in result["findings"][0]["evidence"] and "403" in result["findings"][0]["evidence"]
    checked = {entry["id"]: entry for entry in result["checked"]}
    assert not checked["pod-image"]["ran"] and checked["pod-image"]["lacking"]
    assert checked["job-failed"]["ran"]


# -- Secrets and spaces -------------------------------------------------------------------------------------------------


def encoded(content: Any) -> str:
    return base64.b64encode(yaml.safe_dump(content).encode()).decode()


def jwt(expires: float, issued: float) -> str:
    parts = [{"alg": "none"}, {"exp": int(expires), "iat": int(issued)}]
    texts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*texts, "c2lnbmF0dXJl"])


@pytest.fixture
def its_secret(hub) -> Iterator[Callable[..., None]]:
    """Replace keys in the Secret of its1 (None removes one); all is put back."""
    original = hub.get(SECRETS, *ITS_SECRET)["data"]
    assert set(original) == {"kubeconfig", "kubeconfig-incluster"}

    def put(**data: str | None) -> None:
        values = {key.replace("_", "-"): value for key, value in data.items()}
        hub.patch(SECRETS, *ITS_SECRET, {"data": values})

    yield put
    hub.patch(SECRETS, *ITS_SECRET, {"data": original})


@pytest.fixture
def its_kubeconfig(hub) -> dict[str, Any]:
    data = hub.get(SECRETS, *ITS_SECRET)["data"]["kubeconfig"]
    return dict(yaml.safe_load(base64.b64decode(data)))


PLANE = "hub: ControlPlane its1"


def test_the_key_that_kubeflex_leaves_out_is_missed(doctor, its_secret):
    its_secret(kubeconfig=None)
    result = doctor()
    assert found(result) == {("secret-key-missing", PLANE)}
    assert result["findings"][0]["severity"] == "warning"
    its_secret(kubeconfig_incluster=None)
    result = doctor()
    assert found(result) == {("secret-key-missing", PLANE)}
    assert result["findings"][0]["severity"] == "error"
    checked = {entry["id"]: entry for entry in result["checked"]}
    assert not checked["wec-unavailable"]["ran"] and checked["wec-unavailable"]["lacking"]


def test_a_space_that_does_not_answer_is_named_and_the_rest_is_looked_at(doctor, its_secret, its_kubeconfig):
    its_kubeconfig["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    its_secret(kubeconfig=encoded(its_kubeconfig))
    result = doctor()
    assert found(result) == {("space-unreachable", PLANE)}
    assert "127.0.0.1:1" in result["findings"][0]["evidence"]
    checked = {entry["id"]: entry["ran"] for entry in result["checked"]}
    assert not checked["wec-unavailable"] and checked["policy-behind"] and checked["no-object"]
    # Asked for the clusters alone, it must not say that they are well.
    assert found(doctor(checks=["wec-unavailable"])) == {("not-read", "its1")}


def test_an_expired_token_is_told_without_being_shown(doctor, its_secret, its_kubeconfig):
    now = time.time()
    token = jwt(now - 3 * 86400, now - 33 * 86400)
    its_kubeconfig["users"][0]["user"] = {"token": token}
    its_secret(kubeconfig=encoded(its_kubeconfig))
    result = doctor()
    assert found(result) == {("credential-expired", PLANE), ("space-refused", PLANE)}
    assert "3 days ago" in str(result["findings"]) and token not in json.dumps(result)


def certificate(days: float) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "probe")])
    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=300))
        .not_valid_after(now + datetime.timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    return base64.b64encode(built.public_bytes(serialization.Encoding.PEM)).decode()


@pytest.mark.parametrize(
    ("key", "made", "words"),
    [
        ("token", lambda: jwt(time.time() + 9.5 * 86400, time.time() - 300 * 86400), "token in the Secret"),
        ("client-certificate-data", lambda: certificate(9.5), "client certificate in the Secret"),
    ],
)
def test_a_credential_that_will_expire_soon_is_told(doctor, its_secret, its_kubeconfig, key, made, words):
    its_kubeconfig["users"][0]["user"] = {key: made()}
    its_secret(kubeconfig_incluster=encoded(its_kubeconfig))
    result = doctor()
    assert found(result) == {("credential-expiring", PLANE)}
    assert words in result["findings"][0]["evidence"] and "in 9 days" in result["findings"][0]["evidence"]


def test_a_kubeconfig_that_cannot_be_read_is_told_without_being_shown(doctor, its_secret):
    its_secret(kubeconfig=base64.b64encode(b"users: [{token: secretsecret").decode())
    result = doctor()
    assert found(result) == {("credential-unread", PLANE), ("space-unreachable", PLANE)}
    assert "secretsecret" not in json.dumps(result)


# -- ControlPlanes and hooks ----------------------------------------------------------------------------------------------


PROBE = "hub: ControlPlane probe"


def control_plane(**spec: Any) -> dict[str, Any]:
    reference = {"name": "nothing", "namespace": "default", "inClusterKey": "kubeconfig"}
    return {
        "metadata": {"name": "probe"},
        "spec": {"type": "external", "backend": "shared", "bootstrapSecretRef": reference, **spec},
    }


def test_a_control_plane_that_cannot_be_made_and_its_hooks(hub, doctor, at_once):
    hook = {
        "metadata": {"name": "probe-hook"},
        "spec": {"templates": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "probe"}}]},
    }
    named = [{"hookName": "probe-hook"}, {"hookName": "nowhere"}]
    with there(hub, HOOKS, hook), there(hub, CONTROL_PLANES, control_plane(postCreateHooks=named)):
        expected = {"control-plane-not-ready", "secret-missing", "hook-missing", "hook-not-done"}
        until(doctor, {(name, PROBE) for name in expected})
        told = {item["id"]: item["evidence"] for item in doctor()["findings"]}
        assert "nowhere" in told["hook-missing"] and "probe-hook" in told["hook-not-done"]
        assert "nothing" in told["control-plane-not-ready"]


def test_a_stuck_kubeflex_manager(stack, hub, doctor, at_once):
    with stopped(stack, "kubeflex-manager"):
        with there(hub, CONTROL_PLANES, control_plane()):
            assert found(doctor()) == {("control-plane-unseen", PROBE), ("secret-missing", PROBE)}
        plane = hub.get(CONTROL_PLANES, "its1")
        changed = copy.deepcopy(plane["status"]["conditions"])
        for condition in changed:
            if condition["type"] == "Synced":
                condition |= {"status": "False", "reason": "ReconcileError", "message": "probing"}
        hub.patch(CONTROL_PLANES, "its1", None, {"status": {"conditions": changed}}, subresource="status")
        result = doctor()
        assert found(result) == {("control-plane-not-synced", PLANE)}
        assert "probing" in result["findings"][0]["evidence"]
        hub.patch(
            CONTROL_PLANES,
            "its1",
            None,
            {"status": {"conditions": plane["status"]["conditions"]}},
            subresource="status",
        )
    assert found(doctor()) == set()


def test_spaces_that_are_not_what_they_are_for(stack, module, doctor):
    names = ["its2", "wds2"]
    try:
        made = module(
            "control_plane",
            kubeconfig=stack.kubeconfig,
            context="hub",
            bootstrap_kubeconfig=stack.kubeconfig,
            spaces=[{"name": name, "role": name[:3], "bootstrap_context": "hub"} for name in names],
        )
        assert made.get("failed") is not True, made
        assert found(doctor()) == {
            ("workstatus-missing", "its2"),
            ("ocm-missing", "its2"),
            ("wds-definitions-missing", "wds2"),
        }
    finally:
        module(
            "control_plane",
            kubeconfig=stack.kubeconfig,
            context="hub",
            spaces=[{"name": name} for name in names],
            state="absent",
        )


# -- Jobs, Pods, Deployments ----------------------------------------------------------------------------------------------


NAMESPACE = "its1-system"
CONTAINER = {"name": "main", "image": "registry.example.com/probe:1"}


def test_what_does_not_run_in_the_hub_is_found_and_gone_with_its_cause(hub, doctor):
    """One of each kind; tests/unit/plugins/module_utils/doctor/test_checks.py has all that a kubelet says of Pods."""
    labels = {"app": "probe"}
    template = {"spec": {"containers": [CONTAINER], "restartPolicy": "Never"}}
    conditions = [
        {"type": kind, "status": "True", "reason": "BackoffLimitExceeded", "message": "too often"}
        for kind in ("FailureTarget", "Failed")
    ]
    job = {
        "metadata": {"name": "its-hub-init", "namespace": NAMESPACE},
        "spec": {"managedBy": "example.com/nobody", "template": template, "backoffLimit": 1},
        "status": {"startTime": "2026-01-01T00:00:00Z", "conditions": conditions, "failed": 2},
    }
    waiting = {"reason": "ImagePullBackOff", "message": "no such image"}
    container = {
        "name": "main",
        "image": CONTAINER["image"],
        "imageID": "",
        "ready": False,
        "restartCount": 0,
        "state": {"waiting": waiting},
    }
    pod = {
        "metadata": {"name": "probe", "namespace": NAMESPACE},
        "spec": {
            "containers": [CONTAINER],
            "schedulerName": "nobody",
            "automountServiceAccountToken": False,
        },
        "status": {"containerStatuses": [container]},
    }
    deployment = {
        "metadata": {"name": "probe", "namespace": NAMESPACE},
        "spec": {
            "paused": True,
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [CONTAINER]}},
        },
    }
    with there(hub, JOBS, job), there(hub, PODS, pod), there(hub, DEPLOYMENTS, deployment):
        result = doctor()
        assert found(result) == {
            ("job-failed", "hub: Job its1-system/its-hub-init"),
            ("pod-image", "hub: Pod its1-system/probe"),
            ("deployment-not-ready", "hub: Deployment its1-system/probe"),
        }
        told = {item["id"]: item["evidence"] for item in result["findings"]}
        assert "BackoffLimitExceeded: too often" in told["job-failed"]
        assert "no such image" in told["pod-image"]
    assert found(doctor()) == set()


# -- WECs -----------------------------------------------------------------------------------------------------------------


WEC = "its1: ManagedCluster probe"


def managed_cluster(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "probe"}, "spec": {"hubAcceptsClient": False, **spec}}


@pytest.fixture
def wec(its) -> Iterator[None]:
    """A ManagedCluster that is not accepted."""
    with there(its, MANAGED_CLUSTERS, managed_cluster()):
        yield
    if its.get(NAMESPACES, "probe"):
        its.delete(NAMESPACES, "probe")
        eventually(lambda: its.get(NAMESPACES, "probe") is None)


def set_conditions(its: Cluster, **statuses: str) -> None:
    known = {
        c["type"]: c for c in (its.get(MANAGED_CLUSTERS, "probe").get("status") or {}).get("conditions") or []
    }
    for kind, status in statuses.items():
        known[kind] = {
            "type": kind,
            "status": status,
            "reason": "Probing",
            "message": "it is probed",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
    its.patch(
        MANAGED_CLUSTERS, "probe", None, {"status": {"conditions": [*known.values()]}}, subresource="status"
    )


def test_a_cluster_on_its_way_to_the_hub(stack, its, doctor, wec):
    assert found(doctor()) == {("wec-not-accepted", WEC)}
    its.patch(MANAGED_CLUSTERS, "probe", None, {"spec": {"hubAcceptsClient": True}})
    assert found(doctor()) == {("wec-not-joined", WEC)}
    # The hub would correct what is written by hand.
    eventually(lambda: its.get(NAMESPACES, "probe"))
    with stopped(stack, "ocm-hub"):
        set_conditions(its, ManagedClusterJoined="True", ManagedClusterConditionAvailable="Unknown")
        result = doctor()
        assert found(result) == {("wec-unavailable", WEC)}
        assert "Probing" in result["findings"][0]["evidence"]
        assert found(doctor(wecs=["cluster1"])) == set()
        set_conditions(its, ManagedClusterConditionAvailable="True")
        old = {"renewTime": "2026-01-01T00:00:00.000000Z"}
        lease = {"metadata": {"name": "managed-cluster-lease", "namespace": "probe"}, "spec": old}
        its.delete(LEASES, "managed-cluster-lease", "probe")
        # The hub had tainted it while it was not available, and is not there to take that back.
        its.patch(MANAGED_CLUSTERS, "probe", None, {"spec": {"taints": None}})
        with there(its, LEASES, lease):
            assert found(doctor()) == {("wec-lease", WEC)}
        assert found(doctor()) == set()
        set_conditions(its, ManagedClusterConditionClockSynced="False")
        assert found(doctor()) == {("wec-clock", WEC)}
        set_conditions(its, ManagedClusterConditionClockSynced="True")
        taint = {"key": "maintenance", "value": "", "effect": "NoSelect"}
        its.patch(MANAGED_CLUSTERS, "probe", None, {"spec": {"taints": [taint]}})
        assert found(doctor()) == {("wec-tainted", WEC)}


def test_a_status_add_on_that_does_not_report(its, doctor):
    addon = {
        "metadata": {"name": "addon-status", "namespace": "cluster1"},
        "spec": {},
    }
    with there(its, ADDONS, addon):
        assert found(doctor()) == {("addon-unavailable", "its1: ManagedCluster cluster1")}


def test_a_cluster_whose_deletion_is_held_up(its, doctor, at_once):
    probe = managed_cluster()
    probe["metadata"]["finalizers"] = ["example.com/probe"]
    with there(its, MANAGED_CLUSTERS, probe):
        its.delete(MANAGED_CLUSTERS, "probe")
        until(doctor, {("wec-deleting", WEC)})
        assert "example.com/probe" in doctor()["findings"][0]["evidence"]
        its.patch(MANAGED_CLUSTERS, "probe", None, {"metadata": {"finalizers": None}})


def request(name: str) -> dict[str, Any]:
    """What an agent of the cluster `probe` asks for."""
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "system:open-cluster-management:probe"),
            x509.NameAttribute(NameOID.COMMON_NAME, "system:open-cluster-management:probe:agent1"),
        ]
    )
    key = ec.generate_private_key(ec.SECP256R1())
    pem = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return {
        "metadata": {"name": name, "labels": {_csr.CLUSTER_LABEL: "probe"}},
        "spec": {
            "request": base64.b64encode(pem.public_bytes(serialization.Encoding.PEM)).decode(),
            "signerName": _csr.SIGNER,
            "usages": ["digital signature", "key encipherment", "client auth"],
        },
    }


def test_certificate_requests(stack, module, its, doctor, wec):
    made = module("join_credentials", kubeconfig=stack.kubeconfig, context="hub", its="its1")
    agent = Cluster.from_kubeconfig(yaml.safe_load(made["kubeconfig"]), name="agent")
    agent.create(CSRS, {"apiVersion": CSRS.api_version, "kind": CSRS.kind, **request("probe-1")})
    try:
        result = doctor()
        assert found(result) == {("wec-not-accepted", WEC), ("csr-pending", WEC)}
        assert "probe-1" in result["findings"][1]["evidence"]
        with there(its, CSRS, request("probe-forged")):
            refused = {("wec-not-accepted", WEC), ("csr-pending", WEC), ("csr-refused", WEC)}
            assert found(doctor()) == refused
            with there(its, CSRS, *(request(f"probe-{n}") for n in range(2, 10))):
                assert found(doctor()) == {*refused, ("csr-many", WEC)}
    finally:
        its.delete(CSRS, "probe-1")


# -- policies and deliveries ------------------------------------------------------------------------------------------------


POLICY = "wds1: BindingPolicy probe"


def policy(**clause: Any) -> dict[str, Any]:
    """A policy for what has the label probe, to both clusters."""
    return {
        "metadata": {"name": "probe"},
        "spec": {
            "clusterSelectors": [{"matchLabels": {"location-group": "edge"}}],
            "downsync": [{"objectSelectors": [{"matchLabels": {"probe": "yes"}}], **clause}],
        },
    }


def config_map(name: str = "probe", **metadata: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "probe", "labels": {"probe": "yes"}, **metadata},
        "data": {"colour": "blue"},
    }


def namespace(**labels: str) -> dict[str, Any]:
    return {"metadata": {"name": "probe", "labels": labels}}


@contextlib.contextmanager
def placed(wds: Cluster, its: Cluster, *policies: dict[str, Any], **labels: str) -> Iterator[None]:
    """The Namespace `probe` with these labels, and policies; in the end nothing is left of them anywhere."""
    with there(wds, NAMESPACES, namespace(**labels)):
        try:
            with there(wds, BINDING_POLICIES, *policies):
                yield
        finally:
            for obj in policies:
                gone(wds, its, obj["metadata"]["name"])


def gone(wds: Cluster, its: Cluster, name: str) -> None:
    """Wait until a policy that was deleted has left everything."""
    selector = f"transport.kubestellar.io/originOwnerReferenceBindingKey={name}"
    eventually(lambda: wds.get(BINDING_POLICIES, name) is None and wds.get(BINDINGS, name) is None)
    eventually(lambda: not its.list(MANIFEST_WORKS, label_selector=selector).items)


def test_a_policy_without_a_controller_manager(stack, wds, its, doctor, at_once):
    obj = {"apiVersion": BINDING_POLICIES.api_version, "kind": BINDING_POLICIES.kind, **policy()}
    with there(wds, NAMESPACES, namespace(probe="yes")), there(wds, CONFIG_MAPS, config_map()):
        try:
            with stopped(stack, "controller-manager"):
                wds.create(BINDING_POLICIES, obj)
                assert found(doctor()) == {("policy-unprocessed", POLICY)}
            until(doctor, set())
            with stopped(stack, "controller-manager"):
                wds.patch(BINDING_POLICIES, "probe", None, {"spec": policy(createOnly=True)["spec"]})
                assert found(doctor()) == {("policy-behind", POLICY)}
            until(doctor, set())
        finally:
            wds.delete(BINDING_POLICIES, "probe")
            gone(wds, its, "probe")


def test_a_policy_without_a_transport_controller(stack, wds, its, doctor, at_once):
    labels = {
        "transport.kubestellar.io/originOwnerReferenceBindingKey": "ghost",
        "transport.kubestellar.io/originWdsName": "wds1",
    }
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ghost"}}
    ghost = {
        "metadata": {"name": "ghost", "namespace": "cluster1", "labels": labels},
        "spec": {"workload": {"manifests": [manifest]}},
    }
    behind = {("binding-unread", POLICY), ("delivery-behind", POLICY)}
    with placed(wds, its, policy(), probe="yes"), there(wds, CONFIG_MAPS, config_map()):
        until(doctor, set())
        with stopped(stack, "transport-controller"):
            wds.patch(CONFIG_MAPS, "probe", "probe", {"data": {"colour": "red"}})
            until(doctor, behind)
            told = {item["id"]: item["evidence"] for item in doctor()["findings"]}
            assert "cluster1, cluster2" in told["delivery-behind"]
            told = {item["id"]: item["evidence"] for item in doctor(wecs=["cluster1"])["findings"]}
            assert "cluster2" not in told["delivery-behind"]
            with there(its, MANIFEST_WORKS, ghost):
                assert found(doctor()) == {*behind, ("work-left-over", "wds1: BindingPolicy ghost")}
        until(doctor, set())


def test_an_object_that_the_clusters_refuse(wds, its, doctor, at_once):
    with placed(wds, its, policy()), there(wds, CONFIG_MAPS, config_map()):
        until(doctor, {("namespace-missing", POLICY), ("work-not-applied", POLICY)})
        told = {item["id"]: item["evidence"] for item in doctor()["findings"]}
        assert "cluster1, cluster2" in told["work-not-applied"]
        assert 'namespaces "probe" not found' in told["work-not-applied"]


def test_a_template_that_lacks_a_property(wds, its, doctor):
    template = config_map(annotations={"control.kubestellar.io/expand-templates": "true"})
    template["data"] = {"x": "{{.nobodyHasThis}}"}
    with placed(wds, its, policy(), probe="yes"), there(wds, CONFIG_MAPS, template):
        until(doctor, {("template-property-missing", POLICY), ("policy-errors", POLICY)})


def test_a_status_of_one_cluster_asked_for_two(wds, its, doctor):
    asking = policy(wantSingletonReportedState=True)
    with placed(wds, its, asking, probe="yes"), there(wds, CONFIG_MAPS, config_map()):
        until(doctor, {("singleton-clusters", POLICY), ("policy-errors", POLICY)})


def test_a_policy_that_cannot_be_evaluated(wds, its, doctor):
    broken = policy()
    broken["spec"]["clusterSelectors"] = [{"matchLabels": {"not a key": "x"}}]
    with placed(wds, its, broken):
        result = doctor(checks=["policy-invalid"])
        assert found(result) == {("policy-invalid", POLICY)}
        assert "not a key" in result["findings"][0]["evidence"]


def test_an_object_that_is_too_large(wds, its, doctor):
    large = config_map()
    large["data"] = {"x": "x" * 600_000}
    with placed(wds, its, policy(), probe="yes"), there(wds, CONFIG_MAPS, large):
        until(doctor, {("object-too-large", POLICY)})


def test_a_policy_for_nothing(wds, its, doctor):
    nothing = policy()
    nothing["spec"]["clusterSelectors"] = [{"matchLabels": {"location-group": "moon"}}]
    with placed(wds, its, nothing):
        assert found(doctor()) == {("no-cluster", POLICY), ("no-object", POLICY)}


def test_two_policies_that_deliver_the_same_in_different_ways(wds, its, doctor):
    other = policy(createOnly=True)
    other["metadata"]["name"] = "probe2"
    with placed(wds, its, policy(), other, probe="yes"), there(wds, CONFIG_MAPS, config_map()):
        until(doctor, {("shared-create-only", POLICY), ("shared-create-only", f"{POLICY}2")})


# -- the playbook -----------------------------------------------------------------------------------------------------------


@pytest.mark.core
def test_the_playbook_shows_writes_and_fails_as_it_is_told(stack, its, tmp_path):
    done = stack.playbook("doctor", "-e", f"doctor_output={tmp_path}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "hub hub: 0 errors, 0 warnings, 0 infos" in done.stdout
    assert json.loads((tmp_path / "hub.json").read_text())["findings"] == []
    probe = {"metadata": {"name": "probe"}, "spec": {"hubAcceptsClient": False}}
    with there(its, MANAGED_CLUSTERS, probe):
        done = stack.playbook("doctor", "-e", f"doctor_output={tmp_path}")
        assert done.returncode != 0 and "hub is not well: 1 error, 0 warnings." in done.stdout
        (entry,) = json.loads((tmp_path / "hub.json").read_text())["findings"]
        assert (entry["id"], entry["where"]) == ("wec-not-accepted", WEC)
        text = (tmp_path / "hub.txt").read_text()
        assert f"error    {WEC}  [wec-not-accepted]" in text
        again = stack.playbook("doctor", "-e", "doctor_fail_on=never", "--check")
        assert again.returncode == 0 and WEC in again.stdout
