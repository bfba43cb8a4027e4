# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which credentials are due and which controllers are stale. The renewal itself is in tests/integration/test_chart_spaces.py."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._client import Listing
from ansible_collections.kubestellar.core.plugins.module_utils._errors import ApiError, KubestellarError
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    CONTROL_PLANES,
    DEPLOYMENTS,
    PODS,
    SECRETS,
)
from ansible_collections.kubestellar.core.plugins.module_utils._yaml import dump_yaml, load_yaml
from ansible_collections.kubestellar.core.plugins.module_utils.hub import renewal
from ansible_collections.kubestellar.core.plugins.module_utils.hub.ready import Space

DAY = 86400


def jwt(left: float, **claims: Any) -> str:
    content = {"sub": "system:serviceaccount:kube-system:kubeflex", "iat": 1000, **claims}
    content["exp"] = time.time() + left
    text = base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")
    return f"e30.{text}.c2ln"


def encoded(content: Any) -> str:
    text = content if isinstance(content, str) else dump_yaml(content)
    return base64.b64encode(text.encode()).decode()


def kubeconfig(token: str, server: str = "https://wds2.example.com") -> dict[str, Any]:
    return {
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"token": token}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }


def plane(name: str, kind: str, **spec: Any) -> dict[str, Any]:
    reference = {
        "namespace": f"{name}-system",
        "name": "admin-kubeconfig",
        "key": "kubeconfig",
        "inClusterKey": "kubeconfig-incluster",
    }
    return {
        "metadata": {"name": name},
        "spec": {"type": kind, **spec},
        "status": {"secretRef": reference},
    }


def secret(name: str, **data: str) -> dict[str, Any]:
    return {
        "metadata": {
            "name": "admin-kubeconfig",
            "namespace": f"{name}-system",
            "uid": "1",
            "resourceVersion": "7",
            "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "data": data,
    }


class Hosting:
    """A hosting cluster of objects by kind; it remembers its patches."""

    name = "hub"

    def __init__(self, planes, secrets=(), deployments=(), pods=()):
        self.lists = {CONTROL_PLANES: list(planes), SECRETS: list(secrets)}
        self.lists |= {DEPLOYMENTS: list(deployments), PODS: list(pods)}
        self.patches: list[tuple[str, dict[str, Any]]] = []

    def list(self, resource, namespace=None, *, label_selector=""):
        assert resource != PODS or label_selector == "name=x"
        wanted = [o for o in self.lists[resource] if o["metadata"].get("namespace") == namespace]
        return Listing(wanted, "1")

    def get(self, resource, name, namespace=None):
        for found in self.lists[resource]:
            if (found["metadata"]["name"], found["metadata"].get("namespace")) == (name, namespace):
                return found
        return None

    def patch(self, resource, name, namespace, body, *, dry_run=False):
        if not dry_run:
            self.patches.append((f"{resource.kind} {namespace}/{name}", body))
        found = dict(self.get(resource, name, namespace) or {})
        if "data" in body:
            found["data"] = {**found["data"], **body["data"]}
        return found


def renew(hosting, *spaces, admins=(), dry_run=False, renew_before=30 * DAY):
    settings = renewal.Settings(renew_before, True, "kubeflex-system", 1, dry_run)
    return renewal.renew(hosting, spaces, list(admins), settings, Progress(None))


@pytest.fixture
def adopted(monkeypatch):
    """The adopted cluster: what it answers to a request, and what it was asked."""
    asked: list[tuple[str, str, str]] = []
    answers: dict[str, Any] = {"POST": {"status": {"token": jwt(300 * DAY)}}, "GET": {}}

    class Adopted:
        def __init__(self, token):
            self.token = token

        def request(self, method, path, **_options):
            asked.append((method, path, self.token))
            if isinstance(answers[method], Exception):
                raise answers[method]
            return answers[method]

        def version(self, **_options):
            return str(self.request("GET", "/version"))

    def connect(content, *, name):
        return Adopted(content["users"][0]["user"]["token"])

    monkeypatch.setattr(renewal.Cluster, "from_secret", staticmethod(connect))
    return answers, asked


WDS2 = Space("wds2", "wds", "its1")


def test_a_token_that_lasts_is_left_alone(adopted):
    secrets = [secret("wds2", **{"kubeconfig-incluster": encoded(kubeconfig(jwt(31 * DAY)))})]
    hosting = Hosting([plane("wds2", "external")], secrets)
    made = renew(hosting, WDS2)
    assert not made.changed and hosting.patches == []
    assert made.reports[0].result()["expires"].startswith("20")
    assert [method for method, _path, _token in adopted[1]] == ["GET"]


def test_a_token_that_ends_soon_gets_a_successor_in_every_kubeconfig(adopted):
    _answers, asked = adopted
    old = jwt(5 * DAY)
    data = {
        "kubeconfig-incluster": encoded(kubeconfig(old, "https://inside.example.com")),
        "kubeconfig": encoded(kubeconfig(old, "https://outside.example.com")),
        "other": "x",
    }
    hosting = Hosting([plane("wds2", "external", tokenExpirationSeconds=600)], [secret("wds2", **data)])
    made = renew(hosting, WDS2)
    ((what, body),) = hosting.patches
    assert what == "Secret wds2-system/admin-kubeconfig" and made.changed
    assert body["metadata"] == {"resourceVersion": "7"}
    new = _answers["POST"]["status"]["token"]
    for key, server in (("kubeconfig-incluster", "inside"), ("kubeconfig", "outside")):
        (content,) = load_yaml(base64.b64decode(body["data"][key]), key)
        assert content == kubeconfig(new, f"https://{server}.example.com")
    assert set(body["data"]) == {"kubeconfig-incluster", "kubeconfig"}
    path = "/api/v1/namespaces/kube-system/serviceaccounts/kubeflex"
    assert asked[-2:] == [("POST", f"{path}/token", old), ("GET", path, new)]
    result = made.details()
    assert result["objects"][0]["reason"] == "its token ends in 5 d"
    assert new not in json.dumps(result) and old not in json.dumps(result)


def test_in_check_mode_no_token_is_asked_for(adopted):
    secrets = [secret("wds2", **{"kubeconfig-incluster": encoded(kubeconfig(jwt(60)))})]
    hosting = Hosting([plane("wds2", "external")], secrets)
    made = renew(hosting, WDS2, dry_run=True)
    assert made.changed and hosting.patches == []
    assert [method for method, _path, _token in adopted[1]] == ["GET"]
    (diff,) = [one.diff("hub") for one in made.outcomes]
    assert "********" in diff["before"] and "users" not in diff["before"] + diff["after"]


def test_a_life_that_is_always_due_is_warned_of(adopted):
    adopted[0]["POST"] = {"status": {"token": jwt(600, iat=time.time())}}
    secrets = [secret("wds2", **{"kubeconfig-incluster": encoded(kubeconfig(jwt(60)))})]
    made = renew(Hosting([plane("wds2", "external")], secrets), WDS2)
    (warning,) = made.warnings
    assert "wds2: its API server gives tokens for 600 s" in warning and "by every run" in warning


@pytest.mark.parametrize(
    ("left", "answer", "words"),
    [
        (-3 * DAY, {}, "the token of the space wds2 expired 3 d ago and cannot be renewed by itself"),
        (
            300 * DAY,
            ApiError("Unauthorized", status=401),
            "the token of the space wds2 is refused by its API server and cannot be renewed by itself",
        ),
    ],
)
def test_a_token_that_is_no_good_needs_an_administrator(adopted, left, answer, words):
    adopted[0]["GET"] = answer
    good = secret("its1", **{"kubeconfig-incluster": encoded(kubeconfig("for ever"))})
    bad = secret("wds2", **{"kubeconfig-incluster": encoded(kubeconfig(jwt(left)))})
    hosting = Hosting([plane("its1", "host"), plane("wds2", "external")], [good, bad])
    with pytest.raises(KubestellarError) as caught:
        renew(hosting, Space("its1", "its"), WDS2)
    assert words in caught.value.message and "kubeconfig of an administrator" in caught.value.hint
    assert [one["space"] for one in caught.value.details["objects"]] == ["its1", "wds2"]
    assert hosting.patches == []


def test_why_a_successor_was_not_given_is_said(adopted):
    adopted[0]["POST"] = ApiError("wds2: cannot request a token: forbidden.", status=403)
    secrets = [secret("wds2", **{"kubeconfig-incluster": encoded(kubeconfig(jwt(60)))})]
    with pytest.raises(KubestellarError, match="renewed by itself: wds2: cannot request a token: forbidden"):
        renew(Hosting([plane("wds2", "external")], secrets), WDS2)


def test_a_host_space_takes_over_the_token_of_its_account(adopted):
    account = {
        "metadata": {"name": "its1", "namespace": "its1-system"},
        "data": {"token": encoded("second")},
    }
    mine = secret("its1", **{"kubeconfig-incluster": encoded(kubeconfig("first"))})
    hosting = Hosting([plane("its1", "host")], [mine, account])
    made = renew(hosting, Space("its1", "its"))
    assert made.changed and "has another token" in made.reports[0].reason
    (content,) = load_yaml(base64.b64decode(hosting.patches[0][1]["data"]["kubeconfig-incluster"]), "k")
    assert content == kubeconfig("second")
    account["data"]["token"] = encoded("first")
    assert not renew(hosting, Space("its1", "its")).changed


@pytest.mark.parametrize(("left", "fails"), [(DAY, False), (-DAY, True)])
def test_what_kubeflex_alone_can_renew_is_told(left, fails):
    mine = secret("its1", **{"kubeconfig-incluster": encoded(kubeconfig(jwt(left)))})
    hosting = Hosting([plane("its1", "vcluster")], [mine])
    words = "the credentials of the space its1 of type vcluster"
    if fails:
        with pytest.raises(KubestellarError, match=words) as caught:
            renew(hosting, Space("its1", "its"))
        assert "StatefulSet its1-system/vcluster" in caught.value.hint
        return
    made = renew(hosting, Space("its1", "its"))
    assert not made.changed and words in made.warnings[0]


def test_a_secret_that_is_no_kubeconfig_is_not_quoted(adopted):
    mine = secret("wds2", **{"kubeconfig-incluster": encoded("{token: hunter2")})
    with pytest.raises(KubestellarError, match="is not valid YAML") as caught:
        renew(Hosting([plane("wds2", "external")], [mine]), WDS2)
    assert "hunter2" not in json.dumps(caught.value.result())


def test_a_space_that_does_not_exist_is_named():
    with pytest.raises(KubestellarError, match="there is no ControlPlane wds2"):
        renew(Hosting([]), WDS2)


# -- controllers -----------------------------------------------------------------------------------------------------

OLD, WRITTEN, NEW = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"


def pod(created: str, *started: str, ready: str = "") -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": "True", "lastTransitionTime": ready}] if ready else []
    states = [{"state": {"running": {"startedAt": at}} if at else {"waiting": {}}} for at in started]
    return {
        "metadata": {"name": "p", "namespace": "wds2-system", "creationTimestamp": created},
        "status": {"conditions": conditions, "containerStatuses": states},
    }


@pytest.mark.parametrize(
    ("pods", "stale"),
    [
        ([pod(OLD, OLD)], True),
        ([pod(OLD)], True),
        ([pod(OLD, NEW)], False),
        ([pod(NEW)], False),
        ([pod(NEW, NEW), pod(OLD, OLD)], True),
        ([pod(WRITTEN, WRITTEN)], False),
        ([pod(OLD, NEW, OLD)], True),
        ([pod(OLD, "", NEW)], True),
        # The node was away for a while, and the container is the same.
        ([pod(OLD, OLD, ready=NEW)], True),
        ([], False),
    ],
)
def test_a_controller_is_stale_if_it_was_started_before_the_kubeconfig_was_written(pods, stale):
    assert renewal.is_stale(pods, WRITTEN) is stale


def test_when_a_secret_was_written_is_what_its_writers_say():
    written = secret("wds2")
    written["metadata"]["managedFields"] = [
        {"manager": "manager", "time": OLD, "fieldsV1": {"f:data": {}}},
        {"manager": "kubestellar.core", "time": WRITTEN, "fieldsV1": {"f:data": {}}},
        {"manager": "labeller", "time": NEW, "fieldsV1": {"f:metadata": {}}},
    ]
    assert renewal.written_at(written) == WRITTEN
    assert renewal.written_at(secret("wds2")) == OLD


def test_the_kubeconfigs_of_a_wds_are_its_own_and_that_of_its_its():
    assert renewal.stamp_of(WDS2, {"its1": NEW, "wds2": OLD, "wds9": "2027"}) == NEW
    assert renewal.stamp_of(WDS2, {"wds9": NEW}) == ""


def test_stale_controllers_are_restarted_manager_first_and_only_once(adopted, monkeypatch):
    waited = []
    monkeypatch.setattr(renewal, "_wait_restarted", lambda _hosting, name, *_rest: waited.append(name))
    mine = secret("wds2", **{"kubeconfig-incluster": encoded(kubeconfig(jwt(60 * DAY)))})
    mine["metadata"]["managedFields"] = [{"time": WRITTEN, "fieldsV1": {"f:data": {}}}]
    deployments = [
        {
            "metadata": {"name": name, "namespace": "wds2-system"},
            "spec": {"selector": {"matchLabels": {"name": "x"}}, "template": {"metadata": {}}},
        }
        for name in ("transport-controller", "kubestellar-controller-manager")
    ]
    hosting = Hosting([plane("wds2", "external")], [mine], deployments, [pod(OLD, OLD)])
    assert renew(hosting, WDS2, dry_run=True).changed and hosting.patches == []
    made = renew(hosting, WDS2)
    order = ["kubestellar-controller-manager", "transport-controller"]
    assert made.details()["restarted"] == [f"wds2-system/{name}" for name in order] and waited == order
    annotations = {renewal.RESTART_ANNOTATION: WRITTEN}
    assert [body for _what, body in hosting.patches] == [
        {"spec": {"template": {"metadata": {"annotations": annotations}}}}
    ] * 2
    for deployment in deployments:
        deployment["spec"]["template"]["metadata"]["annotations"] = annotations
    again = renew(hosting, WDS2)
    assert not again.changed and len(hosting.patches) == 2 and waited == order * 2
    hosting.lists[PODS] = [pod(NEW, NEW)]
    assert not renew(hosting, WDS2).changed and waited == order * 2
