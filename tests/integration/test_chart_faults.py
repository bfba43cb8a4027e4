# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps a hub by the core chart from getting ready, and what the wait for it says and does."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _client, _resources
from ansible_collections.kubestellar.core.plugins.module_utils.embedded import kwok, processes
from ansible_collections.kubestellar.core.plugins.module_utils.hub import ready
from ansible_collections.kubestellar.core.tests.waiting import eventually

from .chart_hub import Hub, container, pods_get
from .running import assert_ok

HOOK_VARIABLES = {"ITSSecretName": "admin-kubeconfig", "ITSSecretKey": "kubeconfig-incluster"}
HOOKS = [{"name": name, "vars": HOOK_VARIABLES} for name in ("its-hub-init", "install-status-addon")]


WEBHOOKS = _client.Resource(
    "admissionregistration.k8s.io",
    "v1",
    "validatingwebhookconfigurations",
    "ValidatingWebhookConfiguration",
    False,
)


@contextlib.contextmanager
def webhook(hub: Hub, namespace: str, group: str, plural: str) -> Iterator[None]:
    """Nothing of this kind can be created in the namespace, since the webhook that is asked does not answer."""
    rule = {"apiGroups": [group], "apiVersions": ["*"], "operations": ["CREATE"], "resources": [plural]}
    entry = {
        "name": "gate.example.com",
        "clientConfig": {"url": "https://127.0.0.1:9/gate"},
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "rules": [rule],
        "failurePolicy": "Fail",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "timeoutSeconds": 2,
    }
    hub.cluster.create(
        WEBHOOKS,
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": "gate"},
            "webhooks": [entry],
        },
    )
    yield
    hub.cluster.delete(WEBHOOKS, "gate", None)


# -- before the hub is there -------------------------------------------------------------------------------------------


def releases(hub: Hub) -> list[dict[str, Any]]:
    """The Secrets of Helm's revisions."""
    return hub.cluster.list(_resources.SECRETS, "default", label_selector="owner=helm,name=ks-core").items


@contextlib.contextmanager
def helm_is_killed(hub: Hub) -> Iterator[None]:
    """The helm of a run that goes on meanwhile is killed as soon as its release is pending."""

    def work() -> None:
        eventually(
            lambda: any(one["metadata"]["labels"]["status"] == "pending-install" for one in releases(hub))
        )
        found = subprocess.run(
            ["pgrep", "-f", f"^{hub.running.stack.bin}/helm .*ks-core"],
            capture_output=True,
            text=True,
            check=True,
        )
        for pid in found.stdout.split():
            os.kill(int(pid), signal.SIGKILL)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    yield
    thread.join(timeout=10)


def age(hub: Hub) -> None:
    """As if the killed helm had begun long ago."""
    for one in releases(hub):
        name, labels = one["metadata"]["name"], {"createdAt": "1000000", "modifiedAt": "1000000"}
        hub.cluster.patch(_resources.SECRETS, name, "default", {"metadata": {"labels": labels}})


def test_a_webhook_that_refuses_what_the_chart_makes_is_named(hub):
    with webhook(hub, "kubeflex-system", "apps", "deployments"):
        done = hub.run("hub")
    assert done.returncode != 0
    output = " ".join(done.stdout.split())
    assert "the core chart could not be installed" in output and 'failed calling webhook "gate.' in output


def test_half_an_installation_is_removed(hub):
    with helm_is_killed(hub):
        assert hub.run("hub").returncode != 0
    done = hub.run("teardown")
    assert done.returncode != 0 and "another helm is at work, or has died" in " ".join(done.stdout.split())
    age(hub)
    assert_ok(hub.run("teardown"))
    assert releases(hub) == [] and hub.planes() == []
    assert hub.cluster.get(_resources.DEPLOYMENTS, "kubeflex-controller-manager", "kubeflex-system") is None


def test_an_installation_whose_helm_was_killed_is_completed_by_a_later_run(hub):
    with helm_is_killed(hub):
        assert hub.run("hub").returncode != 0
    age(hub)
    assert_ok(hub.run("hub"))
    mark = hub.mark()
    assert assert_ok(hub.run("hub"))["hub"]["changed"] == 0
    assert hub.writes(mark) == []


# -- while it is waited for ----------------------------------------------------------------------------------------------


@pytest.fixture
def no_room(installed: Hub) -> Callable[[], None]:
    """No node takes a Pod, so that tests decide the status of Pods; calling it ends that."""

    def set_unschedulable(value: bool | None) -> None:
        for number in (1, 2):
            installed.cluster.patch(
                _resources.NODES, f"hub-node-{number}", None, {"spec": {"unschedulable": value}}
            )

    set_unschedulable(True)
    return lambda: set_unschedulable(None)


@pytest.fixture
def new_its(installed: Hub, module) -> dict[str, Any]:
    """A further ITS, made but not waited for: the options of hub_ready for it alone."""
    options = {**installed.connection, "name": "its9", "role": "its"}
    module("control_plane", **options, type="host", hooks=HOOKS, wait=False)
    return {**installed.connection, "itses": [{"name": "its9"}], "wait_timeout": 200, "patience": 5}


def test_a_job_that_fails_is_run_again_once_and_then_named(installed, no_room, new_its, module):
    ended = {"terminated": {"exitCode": 7, "reason": "Error", "message": "no such host"}}
    status = {"phase": "Failed", "containerStatuses": [container("c", ended)]}
    with pods_get(installed, "its9-system", status):
        made = module("hub_ready", **new_its)
    assert made["failed"] and made["changed"]
    assert re.search(
        r"hub: Job its9-system/(its-hub-init|install-status-addon): It has failed for good", made["msg"]
    )
    assert "container c ended with exit code 7: no such host" in made["msg"]
    assert "delete the Job" in made["msg"]
    assert made["repairs"] and all("deleted the Job its9-system/" in text for text in made["repairs"])
    no_room()
    made = module("hub_ready", **new_its)
    assert not made.get("failed"), (made["msg"], made["repairs"], made["missing"], made["findings"])
    assert made["repairs"] and made["objects"][0]["ready"]
    assert module("hub_ready", **new_its)["changed"] is False


def test_among_several_itses_kubeflex_itself_makes_controllers_right_that_are_not_there_yet(
    installed, no_room, module
):
    """A transport controller as the chart makes it would never get ready, and its Deployment is KubeFlex's until it is."""
    secret = {"WDSSecretName": "admin-kubeconfig", "WDSSecretKey": "kubeconfig-incluster"}
    hooks = [
        {"name": "kubestellar-controller", "vars": {"APIGroups": "", "ITSName": ""}},
        {"name": "transport-controller", "vars": {**secret, "ITSName": ""}},
    ]
    spaces = [
        {"name": "its7", "role": "its", "type": "host"},
        {"name": "wds7", "role": "wds", "type": "host", "hooks": hooks},
    ]
    module("control_plane", **installed.connection, spaces=spaces, wait=False)
    seen: list[list[str]] = []

    def let_it_run_when_it_is_right() -> None:
        eventually(
            lambda: (
                installed.cluster.get(_resources.DEPLOYMENTS, "transport-controller", "wds7-system")
                is not None
            )
        )
        eventually(
            lambda: (
                installed.arguments_of("wds7", "transport-controller")[:2] == ["--control-plane-name", "its7"]
            )
        )
        seen.append(installed.arguments_of("wds7", "kubestellar-controller-manager"))
        no_room()

    thread = threading.Thread(target=let_it_run_when_it_is_right, daemon=True)
    thread.start()
    options = {
        **installed.connection,
        "itses": [{"name": "its1"}, {"name": "its7", "install_ocm": False}],
        "wdses": [{"name": "wds7", "its": "its7"}],
        "limits": {"controller_qps": 900, "controller_burst": 1800},
        "verify": "none",
        "patience": 100,
    }
    made = module("hub_ready", **options, _diff=True)
    assert not made.get("failed"), made["msg"]
    thread.join(timeout=10)
    assert "--its-name=its7" in seen[0]
    assert any("PostCreateHook transport-controller" in entry["before_header"] for entry in made["diff"])
    assert made["its_name_bug"] is False
    for deployment in ("transport-controller", "kubestellar-controller-manager"):
        assert "--wds-qps=900" in installed.arguments_of("wds7", deployment)
    assert module("hub_ready", **options)["changed"] is False


def test_an_image_that_cannot_be_pulled_ends_the_wait_before_its_time_is_over(
    installed, no_room, new_its, module
):
    state = {"waiting": {"reason": "ImagePullBackOff", "message": "denied: no such repository"}}
    status = {"containerStatuses": [container("its-hub-init-clusteradm", state)]}
    with pods_get(installed, "its9-system", status):
        begin = time.monotonic()
        made = module("hub_ready", **new_its)
        took = time.monotonic() - begin
    assert made["failed"] and took < new_its["wait_timeout"]
    assert "Pod its9-system/" in made["msg"] and "denied: no such repository" in made["msg"]
    assert "registry access" in made["hint"]
    assert {finding["id"] for finding in made["findings"]} == {"pod-image"}


def test_a_hook_that_does_not_exist_ends_the_wait_at_once(installed, module):
    options = {**installed.connection, "name": "its8", "role": "its"}
    module("control_plane", **options, type="host", hooks=[{"name": "misspelt", "vars": {}}], wait=False)
    made = module("hub_ready", **installed.connection, itses=[{"name": "its8"}], patience=3, wait_timeout=60)
    assert made["failed"]
    assert "ControlPlane its8: It names the PostCreateHook misspelt, which does not exist" in made["msg"]


def test_a_webhook_that_refuses_what_a_hook_makes_ends_the_wait_with_its_name(installed, module):
    options = {**installed.connection, "name": "its6", "role": "its"}
    wait = {**installed.connection, "itses": [{"name": "its6"}], "patience": 5, "wait_timeout": 120}
    with webhook(installed, "its6-system", "batch", "jobs"):
        module("control_plane", **options, type="host", hooks=HOOKS, wait=False)
        made = module("hub_ready", **wait)
    assert made["failed"]
    assert "ControlPlane its6: KubeFlex cannot make its objects" in made["msg"]
    assert 'failed calling webhook "gate.example.com"' in made["msg"]
    made = module("hub_ready", **wait)
    assert not made.get("failed"), made["msg"]


def test_an_api_server_that_is_away_longer_than_a_request_waits_is_waited_for(
    installed, no_room, new_its, module, monkeypatch
):
    timeout, away = 3.0, 10.0
    server = kwok.components(installed.running.stack, "hub")["kube-apiserver"]

    def work() -> None:
        time.sleep(3)
        os.kill(server.pid, signal.SIGSTOP)
        time.sleep(away)
        os.kill(server.pid, signal.SIGCONT)
        eventually(installed.cluster.ready)
        no_room()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    monkeypatch.setitem(_client.Cluster.request.__kwdefaults__, "timeout", timeout)
    made = module("hub_ready", **{**new_its, "patience": 120})
    thread.join(timeout=60)
    assert not made.get("failed"), (made["msg"], made["missing"], made["findings"])
    assert made["waited"] > away and made["objects"][0]["ready"] and made["repairs"] == []
    assert module("hub_ready", **new_its)["changed"] is False


@pytest.fixture
def stuck(installed: Hub) -> Iterator[processes.Process]:
    """A KubeFlex manager that does nothing any more."""
    (manager,) = (
        one for one in processes.of_stack(installed.running.stack) if "kubeflex-manager" in one.command[0]
    )
    os.kill(manager.pid, signal.SIGSTOP)
    yield manager
    os.kill(manager.pid, signal.SIGCONT)


def test_a_kubeflex_manager_that_is_stuck_is_restarted(installed, stuck, new_its, module, monkeypatch):
    monkeypatch.setattr(ready, "_STUCK_SECONDS", 3)

    def pods() -> set[str]:
        items = installed.cluster.list(_resources.PODS, "kubeflex-system").items
        return {pod["metadata"]["uid"] for pod in items}

    before = pods()

    def work() -> None:
        """The Pod is simulated, so that its program restarts is what this stands for."""
        eventually(lambda: bool(before - pods()))
        os.kill(stuck.pid, signal.SIGCONT)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    made = module("hub_ready", **new_its)
    thread.join(timeout=10)
    assert not made.get("failed"), made["msg"]
    assert made["repairs"] == [
        "restarted the KubeFlex manager, which had not looked at its9 for 3 s",
    ]
    assert module("hub_ready", **new_its)["changed"] is False


def test_a_secret_without_its_key_is_named_and_made_anew_as_the_message_says(installed, new_its, module):
    assert not module("hub_ready", **new_its).get("failed")
    secret = ("admin-kubeconfig", "its9-system")
    data = dict.fromkeys(installed.cluster.get(_resources.SECRETS, *secret)["data"])
    installed.cluster.patch(_resources.SECRETS, *secret, {"data": data})
    made = module("hub_ready", **new_its)
    assert made["failed"]
    assert "ControlPlane its9: The Secret its9-system/admin-kubeconfig lacks" in made["msg"]
    assert "delete the Secret" in made["hint"]
    installed.cluster.delete(_resources.SECRETS, *secret)
    made = module("hub_ready", **new_its)
    assert not made.get("failed"), (made["msg"], made["missing"])


def test_credentials_that_a_space_does_not_take_any_more_are_named(installed, new_its, module):
    assert not module("hub_ready", **new_its).get("failed")
    kubeconfig = {
        "current-context": "its9",
        "contexts": [{"name": "its9", "context": {"cluster": "its9", "user": "its9"}}],
        "clusters": [
            {
                "name": "its9",
                "cluster": {
                    "server": installed.cluster.server,
                    "certificate-authority-data": base64.b64encode(
                        installed.cluster.authority() or b""
                    ).decode(),
                },
            }
        ],
        "users": [{"name": "its9", "user": {"token": expired_token(installed)}}],
    }
    secret = ("admin-kubeconfig", "its9-system")
    data = {"kubeconfig": base64.b64encode(json.dumps(kubeconfig).encode()).decode()}
    installed.cluster.patch(_resources.SECRETS, *secret, {"data": data})
    made = module("hub_ready", **new_its)
    assert made["failed"]
    assert "ControlPlane its9: Its API server refuses the credentials of its Secret" in made["msg"]
    installed.cluster.patch(_resources.SECRETS, *secret, {"data": {"kubeconfig": None}})
    assert module("hub_ready", **new_its)["changed"] is False


def expired_token(hub: Hub) -> str:
    """A token that was good once: of a ServiceAccount that is gone."""
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "gone", "namespace": "default"},
    }
    hub.cluster.create(_resources.SERVICE_ACCOUNTS, account)
    made = hub.cluster.request(
        "POST",
        "/api/v1/namespaces/default/serviceaccounts/gone/token",
        body={"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}},
    )
    hub.cluster.delete(_resources.SERVICE_ACCOUNTS, "gone", "default")
    return str(made["status"]["token"])
