# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Spaces beside the core chart that are adopted clusters, and the renewal of their credentials.

The cluster that is adopted is the hosting cluster's own API server, by the kubeconfig of an administrator: it has OCM's kinds, as
an OCM hub that was there before.
"""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _resources, _space
from ansible_collections.kubestellar.core.plugins.module_utils._yaml import load_yaml
from ansible_collections.kubestellar.core.tests.waiting import eventually

from .chart_hub import Begin, Hub, encoded
from .running import assert_ok

WDS2_SECRET = ("admin-kubeconfig", "wds2-system")
CONTROLLERS = ("kubestellar-controller-manager", "transport-controller")


def spaces(hub: Hub, *wdses: str) -> dict[str, Any]:
    """An ITS that is the hosting cluster, one that is an OCM hub already, and external WDSes, whose tokens live ten minutes."""
    admin = {"type": "external", "kubeconfig": hub.running.kubeconfig, "context": "hub"}
    return {
        "hub_itses": [{"name": "its1", "type": "host"}, {"name": "its2", "install_ocm": False, **admin}],
        "hub_wdses": [
            {"name": name, "its": "its2", "token_expiration_seconds": 600, **admin} for name in wdses
        ],
    }


@pytest.fixture
def adopted(hub: Hub, begin: Begin) -> Hub:
    """The hub with its spaces; what KubeStellar's controller-manager would put into a WDS is there, since it is only simulated."""

    def make() -> None:
        hub.define_kinds()
        assert_ok(hub.run("hub", **spaces(hub, "wds2")))

    begin("adopted", make)
    return hub


def kubeconfig_of_wds2(hub: Hub) -> dict[str, Any]:
    """What the controllers get."""
    data = hub.cluster.get(_resources.SECRETS, *WDS2_SECRET)["data"]
    (content,) = load_yaml(base64.b64decode(data["kubeconfig-incluster"]), "the kubeconfig")
    return content


def token_of_wds2(hub: Hub) -> str:
    return str(kubeconfig_of_wds2(hub)["users"][0]["user"]["token"])


def works(hub: Hub) -> bool:
    """Whether the space is reached with what its Secret says."""
    return _space.connect(hub.cluster, "wds2").get(_resources.NAMESPACES, "kube-system") is not None


def pods_of_wds2(hub: Hub) -> set[str]:
    return {pod["metadata"]["name"] for pod in hub.cluster.list(_resources.PODS, "wds2-system").items}


def test_a_check_run_before_the_hub_is_there_forecasts_the_adoptions_and_writes_nothing(hub):
    mark = hub.mark()
    counters = assert_ok(hub.run("hub", "--check", "--diff", **spaces(hub, "wds2")))
    assert counters["hub"]["changed"] == 3  # the Secret for its2, the chart, wds2
    assert hub.writes(mark) == [] and hub.planes() == []


def test_an_external_wds_and_an_existing_ocm_hub_are_adopted_and_bound(adopted):
    its2, wds2 = (adopted.cluster.get(_resources.CONTROL_PLANES, name) for name in ("its2", "wds2"))
    assert its2["spec"]["type"] == wds2["spec"]["type"] == "external"
    assert its2["status"]["postCreateHooks"] == {"install-status-addon": True}
    assert wds2["status"]["postCreateHooks"] == {"kubestellar-controller": True, "transport-controller": True}
    assert wds2["metadata"]["labels"]["kflex.kubestellar.io/cptype"] == "wds"
    transport = adopted.arguments_of("wds2", "transport-controller")
    assert transport[:2] == ["--control-plane-name", "its2"]
    assert "--wds-kubeconfig=/etc/kube/wds/kubeconfig-incluster" in transport
    manager = adopted.arguments_of("wds2", "kubestellar-controller-manager")
    assert {"--its-name=its2", "--wds-name=wds2", "--wds-qps=500"} <= set(manager)
    left = adopted.cluster.list(_resources.SECRETS, label_selector="kubestellar.core/bootstrap-of").items
    assert left == [] and works(adopted)


def test_a_second_run_sends_no_write(adopted):
    mark = adopted.mark()
    done = adopted.run("hub", **spaces(adopted, "wds2"))
    assert assert_ok(done)["hub"]["changed"] == 0
    assert adopted.writes(mark) == []


def test_what_is_not_due_is_not_renewed(adopted, module):
    mark = adopted.mark()
    made = credentials(adopted, module, renew_before=60)
    assert made["changed"] is False and made["restarted"] == [] and adopted.writes(mark) == []
    expires = {entry["space"]: entry["expires"] for entry in made["objects"]}
    assert expires["its1"] == "" and expires["its2"] > expires["wds2"] > ""


def credentials(hub: Hub, module: Any, *, admin: bool = False, **options: Any) -> dict[str, Any]:
    listed = spaces(hub, "wds2")
    itses, wdses = listed["hub_itses"], listed["hub_wdses"]
    if not admin:
        for space in [*itses, *wdses]:
            space.pop("kubeconfig", None)
    return dict(module("space_credentials", **hub.connection, itses=itses, wdses=wdses, **options))


@pytest.mark.core
def test_a_token_that_ends_soon_is_renewed_and_the_controllers_restarted(adopted, module):
    variables = {**spaces(adopted, "wds2"), "hub_renew_before": 3600}
    mark, before, pods = adopted.mark(), token_of_wds2(adopted), pods_of_wds2(adopted)
    assert assert_ok(adopted.run("renew", "--check", **variables))["hub"]["changed"] == 1
    assert adopted.writes(mark) == []
    time.sleep(1)  # Kubernetes counts the ends of tokens in seconds
    done = adopted.run("renew", "--diff", **variables)
    assert assert_ok(done)["hub"]["changed"] == 1
    writes = [line for line in adopted.writes(mark) if "/token" not in line]
    assert [line.partition("?")[0] for line in writes] == [
        "patch /api/v1/namespaces/wds2-system/secrets/admin-kubeconfig",
        *(f"patch /apis/apps/v1/namespaces/wds2-system/deployments/{name}" for name in CONTROLLERS),
    ]
    after = token_of_wds2(adopted)
    assert after != before and works(adopted)
    assert before not in done.stdout and after not in done.stdout
    assert "which is less than renew_before" in " ".join(done.stdout.split()) + " ".join(done.stderr.split())
    eventually(lambda: not pods & pods_of_wds2(adopted))
    mark = adopted.mark()
    made = credentials(adopted, module, renew_before=60)
    assert made["changed"] is False and adopted.writes(mark) == []


def test_a_further_wds_does_not_touch_the_first_which_goes_only_if_that_is_meant(adopted):
    mark = adopted.mark()
    assert_ok(adopted.run("hub", **spaces(adopted, "wds2", "wds3")))
    assert adopted.arguments_of("wds3", "transport-controller")[:2] == ["--control-plane-name", "its2"]
    assert [line for line in adopted.writes(mark) if "wds2" in line] == []

    # The first one is not listed any more.
    left = spaces(adopted, "wds3")
    done = adopted.run("hub", **left)
    assert assert_ok(done)["hub"]["changed"] == 0
    output = " ".join((done.stdout + done.stderr).split())
    assert "the space wds2 of type external is not listed any more and stays" in output
    assert_ok(adopted.run("hub", **left, hub_remove_spaces=True))
    assert adopted.planes() == ["its1", "its2", "wds3"]
    assert adopted.cluster.get(_resources.NAMESPACES, "wds2-system") is None


def test_a_token_that_has_expired_needs_an_administrator_and_then_is_good_again(adopted, module):
    content = kubeconfig_of_wds2(adopted)
    claims = {"sub": "system:serviceaccount:kube-system:kubeflex", "iat": 1, "exp": int(time.time()) - 7200}
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    content["users"][0]["user"]["token"] = f"e30.{payload}.c2ln"
    data = {"kubeconfig-incluster": encoded(json.dumps(content).encode())}
    adopted.cluster.patch(_resources.SECRETS, *WDS2_SECRET, {"data": data})
    made = credentials(adopted, module, renew_before=60)
    assert made["failed"]
    assert made["msg"].startswith(
        "hub: the token of the space wds2 expired 2 h ago and cannot be renewed by itself."
    )
    assert "Give the kubeconfig of an administrator" in made["hint"]
    made = credentials(adopted, module, admin=True, renew_before=60)
    assert not made.get("failed"), made["msg"]
    assert made["restarted"] == [f"wds2-system/{name}" for name in CONTROLLERS]
    (renewed,) = (entry for entry in made["objects"] if entry["changed"])
    assert (renewed["space"], renewed["reason"]) == ("wds2", "its credentials expired 2 h ago")
    assert works(adopted)
    assert credentials(adopted, module, admin=True, renew_before=60)["changed"] is False


def test_an_adoption_without_a_kubeconfig_and_without_a_secret_is_one_sentence(adopted):
    mark = adopted.mark()
    listed = spaces(adopted, "wds2")
    listed["hub_wdses"].append({"name": "wds5", "type": "external", "its": "its1"})
    done = adopted.run("hub", **listed)
    assert done.returncode != 0 and adopted.writes(mark) == []
    output = " ".join(done.stdout.split())
    assert "the space wds5 of type external does not exist yet" in output
    assert "no kubeconfig and no Secret default/wds5-bootstrap" in output


def test_the_hub_is_removed_with_what_is_beside_it(adopted):
    assert_ok(adopted.run("teardown", **spaces(adopted)))
    assert adopted.planes() == []
    assert adopted.cluster.list(_resources.SECRETS, "default", label_selector="owner=helm").items == []
