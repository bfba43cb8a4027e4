# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is lacking of ingress-nginx, and how it is repaired. With an API server: tests/integration/test_providers.py."""

from __future__ import annotations

import copy
import queue

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._client import Event, Listing
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, WaitTimeout
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    DEPLOYMENTS,
    INGRESS_CLASSES,
    PODS,
)
from ansible_collections.kubestellar.core.plugins.module_utils.hub import ingress

PLACE = ingress.Place("nginx", "ingress-nginx", "ingress-nginx-controller")
CLASS = {"metadata": {"name": "nginx"}, "spec": {"controller": "k8s.io/ingress-nginx"}}


def deployment(*arguments, ready=1, names=("controller",)):
    containers = [{"name": name, "args": ["/nginx-ingress-controller", *arguments]} for name in names]
    condition = {"type": "Available", "status": "True" if ready else "False"}
    return {
        "metadata": {"name": "ingress-nginx-controller", "generation": 1},
        "spec": {"replicas": 1, "template": {"spec": {"containers": containers}}},
        "status": {
            "observedGeneration": 1,
            "replicas": 1,
            "updatedReplicas": 1,
            "readyReplicas": ready,
            "availableReplicas": ready,
            "conditions": [condition],
        },
    }


@pytest.mark.parametrize(
    ("arguments", "passes", "after"),
    [
        ([], False, ["--enable-ssl-passthrough"]),
        (["--a=b"], False, ["--a=b", "--enable-ssl-passthrough"]),
        (["--enable-ssl-passthrough"], True, ["--enable-ssl-passthrough"]),
        (["--enable-ssl-passthrough=true", "--z"], True, ["--enable-ssl-passthrough=true", "--z"]),
        (["--enable-ssl-passthrough=false", "--z"], False, ["--z", "--enable-ssl-passthrough"]),
        (["--enable-ssl-passthrough", "--enable-ssl-passthrough=false"], False, ["--enable-ssl-passthrough"]),
        (
            ["--enable-ssl-passthrough-later"],
            False,
            ["--enable-ssl-passthrough-later", "--enable-ssl-passthrough"],
        ),
    ],
)
def test_the_argument_is_known_in_every_spelling_and_added_once(arguments, passes, after):
    assert ingress.passes_through(arguments) is passes
    assert ingress.with_passthrough(arguments) == after
    assert ingress.passes_through(after) and ingress.with_passthrough(after) == after


def test_nothing_is_lacking_of_a_controller_that_passes_through():
    assert ingress.lacking("hub", PLACE, CLASS, deployment("--enable-ssl-passthrough")) == []


@pytest.mark.parametrize(
    ("ingress_class", "found", "words"),
    [
        (None, deployment("--enable-ssl-passthrough"), "IngressClass nginx does not exist"),
        (CLASS, None, "Deployment ingress-nginx/ingress-nginx-controller does not exist"),
        (CLASS, deployment(), "has no --enable-ssl-passthrough"),
        (CLASS, deployment("--enable-ssl-passthrough", ready=0), "ingress-nginx-controller: "),
    ],
)
def test_what_is_lacking_is_named(ingress_class, found, words):
    (line,) = ingress.lacking("hub", PLACE, ingress_class, found)
    assert words in line


def test_a_class_of_another_controller_is_refused():
    other = {"metadata": {"name": "nginx"}, "spec": {"controller": "nginx.org/ingress-controller"}}
    with pytest.raises(InvalidInput, match=r"belongs to nginx.org/ingress-controller") as caught:
        ingress.lacking("hub", PLACE, other, None)
    assert caught.value.hint


def test_the_container_is_the_one_named_controller_or_the_only_one():
    assert ingress.controller_of("hub", "w", deployment(names=("sidecar", "controller")))[0] == 1
    assert ingress.controller_of("hub", "w", deployment(names=("any",)))[0] == 0
    for names in ((), ("a", "b")):
        with pytest.raises(InvalidInput, match="no container named controller"):
            ingress.controller_of("hub", "w", deployment(names=names))


class Kept:
    """A cluster that holds objects and tells their changes, as far as the controller's wait needs it."""

    name = "hub"

    def __init__(self, found, ingress_class="nginx", pods=()):
        # The usual one by its name, another as it is, or None.
        usual = CLASS if ingress_class == "nginx" else ingress_class
        self.objects = {DEPLOYMENTS: found, INGRESS_CLASSES: usual}
        self.pods = list(pods)
        self.patches = []
        self._events = queue.Queue()

    def list(self, resource, namespace=None, *, label_selector="", field_selector="", metadata_only=False):
        if resource == PODS:
            return Listing(self.pods, "1")
        found = self.objects[resource]
        assert field_selector == f"metadata.name={PLACE.deployment if resource == DEPLOYMENTS else 'nginx'}"
        return Listing([copy.deepcopy(found)] if found else [], "1")

    def get(self, resource, name, namespace=None):
        return self.objects[resource]

    def watch(self, resource, namespace=None, **_options):
        while resource == DEPLOYMENTS:
            try:
                yield Event("MODIFIED", self._events.get(timeout=0.2))
            except queue.Empty:
                return

    def patch(self, resource, name, namespace, body, *, kind, dry_run):
        self.patches.append((body, dry_run))
        after = copy.deepcopy(self.objects[resource])
        container = after["spec"]["template"]["spec"]["containers"][0]
        for step in body:
            key = step["path"].rpartition("/")[2]
            if step["op"] == "test":
                assert container[key] == step["value"]
            else:
                container[key] = step["value"]
        if not dry_run:
            self.objects[resource] = after
            self._events.put(copy.deepcopy(after))
        return after


def named(found):
    return {**found, "metadata": {**found["metadata"], "namespace": PLACE.namespace}}


def test_a_controller_without_the_argument_gets_it_once_and_is_waited_for():
    cluster = Kept(named(deployment("--a=b")))
    made = ingress.bring_about(cluster, PLACE, Progress(None), timeout=20)
    ((body, dry_run),) = cluster.patches
    assert (
        body[-1]["value"] == ["/nginx-ingress-controller", "--a=b", "--enable-ssl-passthrough"]
        and not dry_run
    )
    assert made.outcome.changed and "--enable-ssl-passthrough" in made.outcome.diff("hub")["after"]
    again = ingress.bring_about(cluster, PLACE, Progress(None), timeout=20)
    assert again.outcome is None and len(cluster.patches) == 1


def test_in_check_mode_the_api_server_is_asked_and_nothing_waited_for():
    cluster = Kept(named(deployment(ready=0)), ingress_class=None)
    made = ingress.forecast(cluster, PLACE)
    assert [dry_run for _body, dry_run in cluster.patches] == [True]
    assert made.outcome.method == "update" and len(made.missing) == 2
    assert ingress.forecast(Kept(None), PLACE).outcome is None


def test_a_controller_that_does_not_come_up_is_told_with_the_trouble_of_its_pod():
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "denied"}}
    pod = {
        "metadata": {"name": "p", "namespace": PLACE.namespace},
        "spec": {"containers": [{"name": "controller", "image": "registry.example.com/i"}]},
        "status": {"phase": "Pending", "containerStatuses": [{"name": "controller", "state": waiting}]},
    }
    cluster = Kept(named(deployment("--enable-ssl-passthrough", ready=0)), pods=[pod])
    with pytest.raises(WaitTimeout) as caught:
        ingress.bring_about(cluster, PLACE, Progress(None), timeout=1)
    assert "Pod ingress-nginx/p: The image registry.example.com/i" in caught.value.message
    assert "registry access" in caught.value.hint
