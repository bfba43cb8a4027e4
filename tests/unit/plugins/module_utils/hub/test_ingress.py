# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is lacking of ingress-nginx. The wait and the repair are in tests/integration/test_providers.py."""

from __future__ import annotations

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput
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
