# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Collecting with the real library and a stand-in for kubectl: containers and their logs are what an embedded stack has not."""

from __future__ import annotations

import json
import os
import stat
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.kubestellar.core.plugins.module_utils._bulk import in_parallel
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import PreflightFailed
from ansible_collections.kubestellar.core.plugins.module_utils.support import collect, plan, program
from ansible_collections.kubestellar.core.plugins.module_utils.support.collect import Limits, Piece, Place

TOKEN = "a-token-of-the-connection"
KUBECONFIG = {
    "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
    "users": [{"name": "u", "user": {"token": TOKEN}}],
    "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
}
STAND_IN = """\
#!{python}
import json, os, sys, time
arguments = sys.argv[1:]
answers = json.load(open({answers!r}))
kubeconfig = next(one.partition("=")[2] for one in arguments if one.startswith("--kubeconfig="))
with open({calls!r}, "a") as stream:
    status = os.stat(kubeconfig)
    seen = {{"arguments": arguments, "environment": dict(os.environ), "mode": status.st_mode & 0o777, "content": open(kubeconfig).read()}}
    stream.write(json.dumps(seen) + "\\n")
if "--raw" in arguments:
    key = arguments[arguments.index("--raw") + 1]
    key = key if key in answers else key.partition("?")[0]
else:
    words = dict(one.lstrip("-").partition("=")[::2] for one in arguments if one.startswith("-"))
    key = f"{{words['namespace']}}/{{arguments[-1]}}/{{words['container']}}" + ("/previous" if "previous" in words else "")
answer = answers.get(key, {{"error": "Error from server (NotFound): the server could not find the requested resource"}})
time.sleep(answer.get("seconds", 0))
sys.stderr.write(answer.get("error", ""))
sys.stdout.write(answer.get("text", ""))
sys.exit(1 if "error" in answer else 0)
"""


@dataclass
class StandIn:
    """A program that answers as it is told.

    :ivar answers: path of the request, or `<namespace>/<pod>/<container>`, to `{text, error, seconds}`.
    """

    folder: Path
    answers: dict[str, dict[str, Any]]

    @property
    def path(self) -> str:
        """The program."""
        script = self.folder / "kubectl"
        answers, calls = self.folder / "answers.json", self.folder / "calls"
        answers.write_text(json.dumps(self.answers))
        script.write_text(STAND_IN.format(python=sys.executable, answers=str(answers), calls=str(calls)))
        script.chmod(0o755)
        return str(script)

    def calls(self) -> list[dict[str, Any]]:
        """What it was called with."""
        return [json.loads(line) for line in (self.folder / "calls").read_text().splitlines()]

    def collect(self, role: str = "wds", **limits: Any) -> collect.Harvest:
        """Everything of one cluster, as `make` does it."""
        place = Place(role, "x", Cluster.from_kubeconfig(KUBECONFIG, name="x"))
        private = self.folder / "private"
        private.mkdir(mode=0o700)
        with program.environment(str(private)):
            (harvest,) = in_parallel(
                lambda one: collect.collect(one, self.path, str(private), Limits(**limits)), [place]
            )
        assert not [name for name in os.listdir(private) if name.startswith("kubeconfig")]
        return harvest


@pytest.fixture
def stand_in(tmp_path: Path) -> StandIn:
    return StandIn(tmp_path, {"/version": {"text": '{"gitVersion": "v1.34.4"}'}})


def page(*names: str, more: str = "", **fields: Any) -> dict[str, str]:
    items = [{"metadata": {"name": name}, **fields} for name in names]
    metadata = {"continue": more, "remainingItemCount": 7} if more else {}
    return {"text": json.dumps({"kind": "List", "metadata": metadata, "items": items})}


def piece(harvest: collect.Harvest, what: str) -> Piece:
    (found,) = (one for one in harvest.pieces if one.what.startswith(what))
    return found


BINDINGS = "/apis/control.kubestellar.io/v1alpha1/bindings"


# -- the program --------------------------------------------------------------------------------------------------------


def test_the_program_gets_a_private_kubeconfig_and_nothing_of_the_user(stand_in, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", "/of/the/user")
    monkeypatch.setenv("OPENSHIFT_CLIENT_PYTHON_DEFAULT_API_SERVER", "https://wrong.example")
    monkeypatch.setenv("OPENSHIFT_CLIENT_PYTHON_DEFAULT_PROJECT", "wrong")
    monkeypatch.setenv("OPENSHIFT_CLIENT_PYTHON_DEFAULT_SKIP_TLS_VERIFY", "true")
    before = dict(os.environ)
    stand_in.collect()
    assert dict(os.environ) == before
    for call in stand_in.calls():
        assert call["mode"] == 0o600
        (context,) = yaml.safe_load(call["content"])["contexts"]
        assert yaml.safe_load(call["content"])["current-context"] == context["name"]
        assert yaml.safe_load(call["content"])["users"][0]["user"] == {"token": TOKEN}
        assert TOKEN not in str(call["arguments"]) and "wrong" not in str(call["arguments"])
        assert "skip-tls" not in str(call["arguments"])
        assert call["arguments"][0] in ("get", "logs")
        environment = call["environment"]
        assert environment["KUBECONFIG"] == os.devnull
        assert not [name for name in environment if name.startswith("OPENSHIFT_CLIENT")]
        assert environment["KUBECACHEDIR"].startswith(str(stand_in.folder))


def test_the_kubeconfig_is_gone_also_when_collecting_breaks(stand_in, monkeypatch):
    monkeypatch.setattr(collect, "_pieces", lambda *_arguments: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        stand_in.collect()
    assert [name for name in os.listdir(stand_in.folder / "private") if name.startswith("kubeconfig")] == []


def test_a_missing_library_is_named_with_its_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "openshift_client", None)
    with pytest.raises(PreflightFailed, match="openshift-client") as caught:
        program.find(None)
    assert "pip install openshift-client" in caught.value.hint


def test_a_missing_program_is_named_with_its_remedy(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PreflightFailed, match="Neither oc nor kubectl can be found in PATH") as caught:
        program.find(None)
    assert "set program to its path" in caught.value.hint
    with pytest.raises(PreflightFailed, match="The program /no/kubectl cannot be found"):
        program.find("/no/kubectl")


def test_oc_is_taken_before_kubectl(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("kubectl", "oc"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
        assert program.find(None) == str(tmp_path / name)


# -- lists --------------------------------------------------------------------------------------------------------------


def test_a_list_is_read_page_by_page_and_its_items_have_a_kind(stand_in):
    stand_in.answers[f"{BINDINGS}?limit=200"] = page("a", "b", more="t+/")
    stand_in.answers[f"{BINDINGS}?limit=200&continue=t%2B%2F"] = page("c")
    found = piece(stand_in.collect(), "bindings")
    assert found.state == collect.COLLECTED
    assert [(item["kind"], item["metadata"]["name"]) for item in found.items] == [
        ("Binding", name) for name in "abc"
    ]


def test_a_list_ends_at_its_limit_and_says_what_is_left_out(stand_in):
    stand_in.answers[BINDINGS] = page("a", more="t", data="x" * 1000)
    found = piece(stand_in.collect(size=200), "bindings")
    assert (found.state, len(found.items)) == (collect.CUT, 1)
    assert found.reason == "7 more are left out by the limit of 200 bytes"


def test_what_was_read_before_an_error_is_kept(stand_in):
    stand_in.answers[f"{BINDINGS}?limit=200"] = page("a", more="t")
    stand_in.answers[f"{BINDINGS}?limit=200&continue=t"] = {"error": "Error from server (Expired): too old"}
    found = piece(stand_in.collect(), "bindings")
    assert (found.state, found.reason, len(found.items)) == (collect.CUT, "too old", 1)


def test_what_is_refused_or_not_there_is_told_apart(stand_in):
    stand_in.answers[BINDINGS] = {"error": "Error from server (Forbidden): bindings is forbidden: no right"}
    stand_in.answers["/apis/control.kubestellar.io/v1alpha1/bindingpolicies"] = {"text": "{"}
    harvest = stand_in.collect()
    assert harvest.version == "v1.34.4" and harvest.trouble == ""
    refused, absent, broken = (piece(harvest, name) for name in ("bindings.", "customtransforms", "bindingp"))
    assert (refused.state, refused.reason) == (collect.FAILED, "bindings is forbidden: no right")
    assert (absent.state, absent.items) == (collect.NOT_SERVED, [])
    assert (broken.state, broken.reason) == (collect.FAILED, "the answer is not JSON")


def test_a_cluster_that_does_not_answer_is_left_alone(stand_in):
    stand_in.answers["/version"] = {
        "error": "The connection to the server x was refused - did you specify the right host or port?\n"
    }
    harvest = stand_in.collect()
    assert (harvest.trouble, list(harvest.pieces)) == ("The connection to the server x was refused", [])
    assert len(stand_in.calls()) == 1


def test_the_time_of_a_cluster_ends(stand_in):
    stand_in.answers[BINDINGS] = {"seconds": 60, **page()}
    before = time.monotonic()
    found = piece(stand_in.collect(seconds=3.0), "bindings")
    assert time.monotonic() - before < 30
    assert (found.state, found.reason) == (collect.FAILED, program.OVER)


def test_the_agents_of_a_wec_are_also_found_where_its_klusterlet_says(stand_in):
    stand_in.answers["/apis/operator.open-cluster-management.io/v1/klusterlets"] = page(
        "k", spec={"namespace": "open-cluster-management-blue"}
    )
    asked = [one.what for one in stand_in.collect(plan.WEC).pieces]
    for namespace in (
        "open-cluster-management-agent",
        "open-cluster-management-blue",
        "open-cluster-management-blue-addon",
    ):
        assert f"pods in {namespace}" in asked


# -- logs ---------------------------------------------------------------------------------------------------------------


def pods(*containers: dict[str, Any], name: str = "p") -> dict[str, str]:
    """A list with one Pod with containers of these states."""
    pod = {
        "metadata": {"name": name, "namespace": "kubeflex-system"},
        "spec": {
            "initContainers": [{"name": "init"}],
            "containers": [{"name": one["name"]} for one in containers],
        },
        "status": {
            "initContainerStatuses": [{"name": "init", "state": {"terminated": {"exitCode": 0}}}],
            "containerStatuses": list(containers),
        },
    }
    return {"text": json.dumps({"kind": "PodList", "metadata": {}, "items": [pod]})}


@pytest.fixture
def logs(stand_in: StandIn) -> Callable[..., dict[str, Piece]]:
    """Path to log of a hosting cluster with these Pods in kubeflex-system."""

    def of(answer: dict[str, str], **limits: Any) -> dict[str, Piece]:
        stand_in.answers["/api/v1/namespaces/kubeflex-system/pods"] = answer
        return {
            one.path or one.what: one
            for one in stand_in.collect(plan.HOSTING, **limits).pieces
            if "log of" in one.what
        }

    return of


def test_logs_of_all_containers_are_collected_and_of_restarted_ones_those_before(stand_in, logs):
    stand_in.answers |= {
        "kubeflex-system/p/init": {"text": "1\n"},
        "kubeflex-system/p/c": {"text": "2\n"},
        "kubeflex-system/p/c/previous": {"text": "3\n"},
    }
    found = logs(
        pods(
            {"name": "c", "restartCount": 4, "state": {"waiting": {"reason": "CrashLoopBackOff"}}},
            {"name": "d", "restartCount": 0, "state": {"waiting": {"reason": "ImagePullBackOff"}}},
        ),
        lines=7,
        since="2h",
    )
    folder = "logs/kubeflex-system/p"
    assert {path: (one.state, one.text) for path, one in found.items()} == {
        f"{folder}/init.log": (collect.COLLECTED, "1\n"),
        f"{folder}/c.log": (collect.COLLECTED, "2\n"),
        f"{folder}/c.previous.log": (collect.COLLECTED, "3\n"),
        f"{folder}/d.log": (collect.EMPTY, ""),
    }
    assert found[f"{folder}/d.log"].reason == "the container has not started: ImagePullBackOff"
    (call,) = (one["arguments"] for one in stand_in.calls() if "--previous" in one["arguments"])
    assert {"--tail=7", "--since=2h", "--timestamps", "--container=c", "--namespace=kubeflex-system"} <= set(
        call
    )


def test_a_log_that_cannot_be_read_is_named(logs):
    found = logs(pods({"name": "c", "state": {"running": {}}}))
    assert {one.state for one in found.values()} == {collect.FAILED}


def test_a_name_that_would_be_an_option_or_a_path_is_not_used(stand_in, logs):
    found = logs(pods({"name": "c", "state": {"running": {}}}, name="--kubeconfig=../x"))
    assert {(one.state, one.path) for one in found.values()} == {(collect.FAILED, "")}
    assert [one for one in stand_in.calls() if one["arguments"][0] == "logs"] == []


# -- processes ----------------------------------------------------------------------------------------------------------


def test_logs_of_processes_end_where_they_end_and_begin_with_a_whole_line(tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "wds1-manager.log").write_text("".join(f"line {number}\n" for number in range(100)))
    (tmp_path / "kwok" / "clusters" / "hub" / "logs").mkdir(parents=True)
    (tmp_path / "kwok" / "clusters" / "hub" / "logs" / "etcd.log").write_text("x\n")
    (tmp_path / "kwok" / "clusters" / "hub" / "logs" / "audit.log").write_text("secret\n")
    harvest = collect.processes(str(tmp_path), Limits(lines=3))
    assert {one.path: one.text for one in harvest.pieces} == {
        "logs/wds1-manager.log": "line 97\nline 98\nline 99\n",
        "clusters/hub/etcd.log": "x\n",
    }
    cut = collect.processes(str(tmp_path), Limits(lines=1000, size=20))
    assert cut.pieces[0].text == "line 98\nline 99\n"


def test_a_stack_without_logs_is_named(tmp_path):
    assert "there are no logs" in collect.processes(str(tmp_path), Limits()).trouble


def test_the_folder_for_the_program_is_for_the_owner_only(stand_in):
    stand_in.collect()
    assert stat.S_IMODE((stand_in.folder / "private").stat().st_mode) == 0o700
