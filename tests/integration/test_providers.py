# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The providers kind, k3d and openshift in front of a real API server, with real Helm.

No container engine is needed: what kind, k3d and docker would do is done by `tests/recorder.py`, and the cluster that they print the
kubeconfig of is the one of the chart's tests. OpenShift's API groups are CustomResourceDefinitions. The chart of ingress-nginx is
one of ours that makes what the real one makes.
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.kubestellar.core.plugins.module_utils import _bulk, _resources
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.tests import recorder

from .chart_hub import Hub
from .running import assert_ok, recap

PORT = 29443
STEP = """\
- name: One step of the role
  hosts: kubestellar_hubs
  gather_facts: false
  tasks:
    - name: Check the inventory
      kubestellar.core.inventory_check:

    - name: Step
      ansible.builtin.include_role:
        name: kubestellar.core.hub
        tasks_from: "{{ step }}"
"""
INGRESS_CHART = """\
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata:
  name: nginx
spec:
  controller: k8s.io/ingress-nginx
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}-controller
  namespace: {{ .Release.Namespace }}
spec:
  selector:
    matchLabels: {app: ingress-nginx}
  strategy: {{- toYaml .Values.controller.updateStrategy | nindent 4 }}
  template:
    metadata:
      labels: {app: ingress-nginx}
    spec:
      nodeSelector: {{- toYaml .Values.controller.nodeSelector | nindent 8 }}
      containers:
        - name: controller
          image: registry.example.com/ingress-nginx/controller
          args:
            - /nginx-ingress-controller
            {{- range $key, $value := .Values.controller.extraArgs }}
            - --{{ $key }}={{ $value }}
            {{- end }}
          ports:
            - name: https
              containerPort: 443
              {{- if .Values.controller.hostPort.enabled }}
              hostPort: 443
              {{- end }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}-controller
  namespace: {{ .Release.Namespace }}
spec:
  type: {{ .Values.controller.service.type }}
  selector: {app: ingress-nginx}
  ports:
    - name: https
      port: 443
"""
INGRESS_VALUES = """\
controller:
  extraArgs: {}
  hostPort: {enabled: false}
  nodeSelector: {}
  updateStrategy: {}
"""


@dataclass(frozen=True)
class Machine:
    """A hub's cluster that kind and k3d claim to have made."""

    hub: Hub
    folder: Path

    @property
    def home(self) -> Path:
        """$KUBESTELLAR_HOME for our kubeconfigs."""
        return self.folder / "home"

    def kubeconfig(self, tool: str) -> Path:
        """Our own kubeconfig."""
        return self.home / "clusters" / f"{tool}-hub" / "kubeconfig"

    def run(
        self, playbook: str, *extra: str, step: str = "infrastructure", **variables: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a playbook on the hub, `step` being the entry point that the playbook `step` runs."""
        path = str(self.folder / "step") if playbook == "step" else playbook
        nothing = {"hub_kubeconfig": "", "hub_context": ""}
        arguments = ("-e", f"kubestellar_home={self.home}", "-e", f"step={step}", *extra)
        return self.hub.run(path, *arguments, **{**nothing, **variables})

    def local(self, tool: str) -> dict[str, Any]:
        """The variables for kind or k3d."""
        return {
            "hub_provider": tool,
            "hub_cluster": {"port": PORT},
            "hub_ingress_chart_ref": str(self.folder / "ingress-nginx"),
        }

    def calls(self) -> list[dict[str, Any]]:
        """The calls since the last time."""
        found = recorder.calls(self.folder)
        (self.folder / "calls.jsonl").unlink(missing_ok=True)
        return found

    def writes(self) -> list[str]:
        """The command lines since the last time that change something."""
        return [
            " ".join(call["argv"])
            for call in self.calls()
            if any(word in call["argv"] for word in ("create", "start", "delete"))
        ]


def whole(path: str, context: str) -> dict[str, Any]:
    """One context of a kubeconfig, named CONTEXT, with its certificates in it."""
    content = yaml.safe_load(Path(path).read_text())

    def entry(kind: str, name: str) -> dict[str, Any]:
        (found,) = (item for item in content[f"{kind}s"] if item["name"] == name)
        return dict(found)

    chosen = entry("context", context)
    names = chosen["context"]
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [entry("cluster", names["cluster"])],
        "users": [entry("user", names["user"])],
        "contexts": [{**chosen, "name": "CONTEXT"}],
    }


@pytest.fixture
def machine(hub: Hub, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """The cluster, with programs that stand for kind, k3d and docker first on the PATH."""
    folder = tmp_path_factory.mktemp("machine")
    binaries = recorder.install(folder, "kind", "k3d", "docker")
    (folder / "kubeconfig").write_text(json.dumps(whole(hub.running.kubeconfig, "hub")))
    (folder / "step.yml").write_text(STEP)
    chart = folder / "ingress-nginx"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: ingress-nginx\nversion: 4.12.1\n")
    (chart / "values.yaml").write_text(INGRESS_VALUES)
    (chart / "templates" / "all.yaml").write_text(INGRESS_CHART)
    # What such a cluster comes without.
    hub.cluster.delete(_resources.DEPLOYMENTS, "ingress-nginx-controller", "ingress-nginx")
    hub.cluster.delete(_resources.INGRESS_CLASSES, "nginx", None)
    # As kind would do.
    label = {"metadata": {"labels": {"ingress-ready": "true"}}}
    hub.cluster.patch(_resources.NODES, "hub-node-1", None, label)
    monkeypatch.setenv("PATH", f"{binaries}{os.pathsep}{os.environ['PATH']}")
    # What a user may have in the environment must not matter: it leads nowhere.
    monkeypatch.setenv("KUBECONFIG", str(folder / "users"))
    monkeypatch.setenv("K8S_AUTH_HOST", "https://127.0.0.1:1")
    monkeypatch.setenv("K8S_AUTH_API_KEY", "wrong-cluster")
    return Machine(hub, folder)


@pytest.mark.core
def test_a_hub_in_kind_from_nothing_to_nothing(machine: Machine):
    cluster, variables = machine.hub.cluster, machine.local("kind")
    mark = machine.hub.mark()
    counters = assert_ok(machine.run("hub", "--check", **variables))["hub"]
    assert counters["changed"] == 1 and not machine.home.exists()
    assert machine.writes() == [] and machine.hub.writes(mark) == []

    assert_ok(machine.run("step", **variables))
    calls = machine.calls()
    (create,) = (call for call in calls if "create" in call["argv"])
    (mapping,) = create["config"]["nodes"][0]["extraPortMappings"]
    assert (mapping["listenAddress"], mapping["hostPort"], mapping["containerPort"]) == (
        "127.0.0.1",
        PORT,
        443,
    )
    kubeconfig = machine.kubeconfig("kind")
    assert kubeconfig.stat().st_mode & 0o777 == 0o600
    secrets = [*yaml.safe_load(kubeconfig.read_text())["users"][0]["user"].values(), "wrong-cluster"]
    for call in calls:
        assert call["env"]["KUBECONFIG"] == str(kubeconfig)
        assert not any(secret in json.dumps(call) for secret in secrets)
    assert not (machine.folder / "users").exists()
    controller = cluster.get(_resources.DEPLOYMENTS, "ingress-nginx-controller", "ingress-nginx")
    (container,) = controller["spec"]["template"]["spec"]["containers"]
    assert "--enable-ssl-passthrough=true" in container["args"] and container["ports"][0]["hostPort"] == 443
    assert controller["status"]["readyReplicas"] == 1

    assert_ok(machine.run("teardown", **variables))
    assert machine.writes() == [f"kind delete cluster --name hub --kubeconfig {kubeconfig}"]
    assert not kubeconfig.parent.exists()


def test_a_cluster_in_kind_is_left_alone_put_right_and_not_made_anew(machine: Machine, module):
    cluster, variables = machine.hub.cluster, machine.local("kind")
    assert_ok(machine.run("step", **variables))
    machine.calls()
    mark = machine.hub.mark()
    assert assert_ok(machine.run("step", **variables))["hub"]["changed"] == 0
    assert machine.hub.writes(mark) == [] and machine.writes() == []

    controller = cluster.get(_resources.DEPLOYMENTS, "ingress-nginx-controller", "ingress-nginx")
    (container,) = controller["spec"]["template"]["spec"]["containers"]
    arguments = [argument for argument in container["args"] if "passthrough" not in argument]
    path = "/spec/template/spec/containers/0/args"
    patch = [{"op": "replace", "path": path, "value": arguments}]
    cluster.patch(_resources.DEPLOYMENTS, "ingress-nginx-controller", "ingress-nginx", patch, kind="json")
    connection = {**machine.hub.connection, "wait_timeout": 60}
    made = module("hub_ingress", **connection, _check=True, _diff=True)
    assert made["changed"] and made["missing"]
    before, after = made["diff"][0]["before"], made["diff"][0]["after"]
    assert "--enable-ssl-passthrough" in after and "--enable-ssl-passthrough" not in before
    made = module("hub_ingress", **connection)
    assert (made["method"], made["missing"]) == ("update", [])
    assert module("hub_ingress", **connection)["changed"] is False

    machine.calls()
    done = machine.run("step", **{**variables, "hub_cluster": {"port": PORT + 1}})
    assert recap(done.stdout)["hub"]["failed"] == 1 and "kind delete cluster --name hub" in done.stdout
    assert machine.writes() == []


def test_a_hub_in_k3d_has_its_ingress_controller_behind_the_load_balancer(machine: Machine):
    variables = machine.local("k3d")
    assert_ok(machine.run("step", **variables))
    (create,) = machine.writes()
    assert create.startswith("k3d cluster create hub --servers 1 --agents 0 --api-port 127.0.0.1:random")
    assert f"--port 127.0.0.1:{PORT}:443@loadbalancer" in create
    service = _resources.Resource("", "v1", "services", "Service", True)
    found = machine.hub.cluster.get(service, "ingress-nginx-controller", "ingress-nginx")
    assert found["spec"]["type"] == "LoadBalancer"
    assert_ok(machine.run("step", step="absent", **variables))
    assert machine.writes() == ["k3d cluster delete hub"]


def test_a_cluster_that_cannot_be_made_does_not_keep_the_others(machine: Machine, tmp_path: Path):
    wecs = {"vars": {"wec_provider": "kind", "wec_hub": "hub"}, "hosts": {"east": {}, "west": {}}}
    (tmp_path / "wecs.yml").write_text(json.dumps({"kubestellar_wecs": wecs}))
    playbook = tmp_path / "create.yml"
    playbook.write_text(STEP.replace("kubestellar_hubs", "kubestellar_wecs").replace("core.hub", "core.wec"))
    arguments = ("-i", str(tmp_path / "wecs.yml"), "-e", f"kubestellar_home={machine.home}", "-e")
    (machine.folder / "fail").write_text("kind create cluster --name east")
    done = machine.hub.run(playbook, *arguments, "step=infrastructure")
    counters = recap(done.stdout)
    assert (counters["east"]["failed"], counters["west"]["failed"]) == (1, 0), done.stdout
    assert "told to fail" in done.stdout and "no such" not in done.stdout
    assert [line.split(" --config")[0] for line in machine.writes()] == [
        "kind create cluster --name east",
        "kind create cluster --name west",
    ]

    (machine.folder / "fail").unlink()
    assert_ok(machine.hub.run(playbook, *arguments, "step=infrastructure"))
    assert "kind create cluster --name east" in "".join(machine.writes())


def admin_token(cluster: Cluster) -> str:
    """A token of an account of its own that may do everything in a cluster."""
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "admin", "namespace": "default"},
    }
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "test-admin"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": "admin", "namespace": "default"}],
    }
    _bulk.raise_failures(_bulk.apply_all(cluster, [account, binding]), cluster.name)
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    path = _resources.SERVICE_ACCOUNTS.path("default", "admin", "token")
    return str(cluster.request("POST", path, body=request)["status"]["token"])


@pytest.fixture
def openshift(machine: Machine, tmp_path: Path) -> dict[str, Any]:
    """The variables of a hub that is reached by URL, token and authority."""
    cluster = machine.hub.cluster
    authority = tmp_path / "ca.crt"
    authority.write_bytes(cluster.authority() or b"")
    return {
        "hub_provider": "openshift",
        "hub_host": cluster.server,
        "hub_api_key": admin_token(cluster),
        "hub_ca_cert": str(authority),
    }


def crd(group: str, plural: str, kind: str) -> dict[str, Any]:
    """A CustomResourceDefinition that takes anything."""
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.{group}",
            "annotations": {"api-approved.kubernetes.io": "unapproved, for a test"},
        },
        "spec": {
            "group": group,
            "scope": "Cluster",
            "names": {"plural": plural, "kind": kind},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }


def be_openshift(cluster: Cluster) -> None:
    """The API groups of OpenShift, and its version."""
    kinds = [
        crd("route.openshift.io", "routes", "Route"),
        crd("project.openshift.io", "projects", "Project"),
        crd("security.openshift.io", "securitycontextconstraints", "SecurityContextConstraints"),
        crd("config.openshift.io", "clusterversions", "ClusterVersion"),
    ]
    version = {
        "apiVersion": "config.openshift.io/v1",
        "kind": "ClusterVersion",
        "metadata": {"name": "version"},
    }
    _bulk.raise_failures(_bulk.apply_all(cluster, [*kinds, version]), cluster.name)
    resource = _resources.Resource("config.openshift.io", "v1", "clusterversions", "ClusterVersion", False)
    cluster.patch(resource, "version", None, {"status": {"desired": {"version": "4.19.3"}}})


@pytest.mark.core
def test_an_openshift_is_told_from_other_clusters_and_what_does_not_fit_it_is_named(
    machine: Machine, openshift, module
):
    done = machine.run("step", **openshift)
    assert done.returncode and "so it is no OpenShift that a hub can run on" in " ".join(done.stdout.split())
    assert openshift["hub_api_key"] not in done.stdout

    be_openshift(machine.hub.cluster)
    itses = [{"name": "its1", "type": "vcluster"}]
    made = module("hub_openshift", **machine.hub.connection, itses=itses, wdses=[{"name": "wds1"}])
    assert made["version"] == "4.19.3" and "its1 is of type vcluster" in str(made["warnings"])
    done = machine.run("step", **openshift, hub_wdses=[{"name": "wds1", "type": "host"}])
    assert done.returncode and "wds1 is of type host and names no api_groups" in " ".join(done.stdout.split())


def test_a_hub_on_openshift_by_a_token(machine: Machine, openshift):
    cluster = machine.hub.cluster
    be_openshift(cluster)
    spaces = {
        "hub_itses": [{"name": "its1"}],
        "hub_wdses": [{"name": "wds1", "type": "host", "api_groups": ["", "apps"]}],
        "hub_kubeflex": {"postgresql": False},
        # Its Pods, which wait for the database, are only simulated.
        "hub_preflight_skip": ["database-missing"],
        # KubeStellar's controller, which brings its kinds to a WDS, is only simulated.
        "hub_verify": "none",
    }
    done = machine.run("hub", "-vvv", **openshift, **spaces)
    assert_ok(done)
    assert openshift["hub_api_key"] not in done.stdout + done.stderr
    settings = cluster.get(_resources.CONFIG_MAPS, "kubeflex-config", "kubeflex-system")
    assert settings["data"]["isOpenShift"] == "true"
    its = cluster.get(_resources.CONTROL_PLANES, "its1")
    assert its["spec"]["type"] == "host"
    assert "--api-groups=,apps" in machine.hub.arguments_of("wds1", "kubestellar-controller-manager")
    mark = machine.hub.mark()
    assert assert_ok(machine.run("hub", **openshift, **spaces))["hub"]["changed"] == 0
    assert machine.hub.writes(mark) == []
