# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read for the prerequisites of a hub. The real thing is in tests/integration/test_preflight.py."""

from __future__ import annotations

import socket
import threading

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._client import Listing
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    ApiError,
    ConnectionFailed,
    NotFound,
)
from ansible_collections.kubestellar.core.plugins.module_utils.hub import preflight, prerequisites, survey
from ansible_collections.kubestellar.core.plugins.module_utils.hub.prerequisites import Space, Wanted


@pytest.fixture
def program(tmp_path):
    """Make a program of some shell lines; its path."""

    def make(text):
        path = tmp_path / "helm"
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return str(path)

    return make


def test_helm_says_its_version_and_sees_no_kubeconfig_of_the_user(program, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", "/etc/kubernetes/admin.conf")
    found = survey.find_helm(program('[ "$KUBECONFIG" = /dev/null ] && echo "v3.16.4 $*"'))
    assert found == prerequisites.Program("v3.16.4 version --template {{.Version}}")


def test_a_helm_that_does_not_work_is_told_with_its_own_words(program, tmp_path, monkeypatch):
    assert "ended with 3: no such flag" in survey.find_helm(program("echo no such flag >&2; exit 3")).error
    assert "is not there, or no program" in survey.find_helm(str(tmp_path / "none")).error
    (tmp_path / "text").write_text("x")
    (tmp_path / "text").chmod(0o755)
    assert "cannot be run" in survey.find_helm(str(tmp_path / "text")).error
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert survey.find_helm().error == "it is not on the PATH"


def test_a_helm_that_hangs_is_left(program, monkeypatch):
    monkeypatch.setattr(survey, "_HELM_SECONDS", 0.2)
    assert "has not told its version" in survey.find_helm(program("exec sleep 30")).error


def test_a_name_is_resolved_and_something_answers_there():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        found = survey.resolve("wds1", "127.0.0.1", port)
        assert (found.addresses, found.unresolved) == (("127.0.0.1",), "")
        assert survey.connect(found.addresses, port) == ""
    assert survey.connect(found.addresses, port) == "127.0.0.1: Connection refused"


def test_a_name_that_is_not_resolved_in_time_is_told(monkeypatch):
    free = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_arguments, **_options: free.wait(30) and [])
    assert survey.resolve("wds1", "wds1.x", 1, seconds=0.1).unresolved == "no answer in 0 s"
    free.set()


def test_a_name_that_does_not_exist_is_told(monkeypatch):
    def fail(*_arguments, **_options):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    assert survey.resolve("wds1", "wds1.x", 1).unresolved == "Name or service not known"


class Hosting:
    """A hosting cluster that answers from tables and remembers what it was asked."""

    name, server = "hub", "https://hub.example.com:6443"

    def __init__(self, lists=None, objects=None, allowed=("*",), fail=()):
        self.lists, self.objects, self.allowed, self.fail = lists or {}, objects or {}, allowed, fail
        self.asked = []

    def list(self, resource, namespace=None, *, metadata_only=False, field_selector=""):
        self.asked.append(resource.plural)
        if resource.plural in self.fail:
            raise ApiError("hub: cannot list: forbidden (HTTP 403).", status=403)
        if resource.plural not in self.lists:
            raise NotFound("hub: not served.", status=404)
        return Listing(self.lists[resource.plural], "1")

    def get(self, resource, name, namespace=None):
        self.asked.append(f"{resource.plural}/{name}")
        return self.objects.get(name)

    def version(self, **_options):
        if "version" in self.fail:
            raise ConnectionFailed("hub: cannot read its version: no answer.")
        return "v1.31.0"

    def request(self, method, path, *, body=None, query=None, **_options):
        if path == "/apis":
            return {"groups": [{"name": "apps"}]}
        assert (method, query) == ("POST", {"dryRun": "All"})
        attributes = body["spec"]["resourceAttributes"]
        self.asked.append(f"{attributes['verb']} {attributes['resource']}")
        return {"status": {"allowed": attributes["verb"] in self.allowed}}


HOST = Wanted((Space("its1", "its", "host", ocm=True),))


def surveyed(hosting, wish=HOST, skip=()):
    return survey.survey(hosting, wish, preflight.chosen(skip), "/nonexistent/helm").facts


def test_only_what_the_checks_look_at_is_read():
    there = Hosting({"controlplanes": [{"metadata": {"name": "its1"}}]})
    there.objects["kubeflex-controller-manager"] = {"status": {"readyReplicas": 1}}
    surveyed(there, skip=["namespace-deleting", "object-foreign"])
    assert sorted(there.asked) == [
        "* *",
        "controlplanes",
        "deployments/kubeflex-controller-manager",
    ]


def test_a_new_space_of_type_host_needs_no_ingress():
    empty = Hosting()
    facts = surveyed(empty)
    assert not facts.planes.served and facts.version == "v1.31.0"
    assert {"nodes", "pods", "storageclasses"} <= set(empty.asked)
    assert not {"ingressclasses", "daemonsets", "deployments"} & set(empty.asked)
    assert facts.addresses == []


def test_an_administrator_is_asked_once_and_others_for_each_right():
    assert (surveyed(Hosting()).denied, surveyed(Hosting()).asked) == ((), 1)
    facts = surveyed(Hosting(allowed=("get", "list", "watch", "create")))
    assert {right.verb for right in facts.denied} == {"patch", "update", "delete", "escalate", "bind"}
    assert facts.asked == len(prerequisites.rights(HOST))


def test_what_cannot_be_read_is_an_error_of_its_own():
    facts = surveyed(Hosting(fail=["nodes"]))
    assert facts.nodes.error == "hub: cannot list: forbidden (HTTP 403)"
    assert surveyed(Hosting(fail=["version"])).trouble == "hub: cannot read its version: no answer"


def test_only_the_keys_of_a_bootstrap_secret_are_kept():
    external = Space("its1", "its", "external", bootstrap=("default", "its1-bootstrap", "k"))
    hosting = Hosting(objects={"its1-bootstrap": {"data": {"k": "c2VjcmV0", "empty": ""}}})
    facts = surveyed(hosting, Wanted((external,)))
    assert facts.keys == {
        ("default", "its1-bootstrap"): frozenset({"k"}),
        ("its1-system", "admin-kubeconfig"): None,
    }
    assert "c2VjcmV0" not in repr(facts)
