# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a preview of 10,000 objects and 1,000 clusters costs, without any API server."""

from __future__ import annotations

import os
import sys
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._resources import Resource
from ansible_collections.kubestellar.core.plugins.module_utils.placement import templates
from ansible_collections.kubestellar.core.plugins.module_utils.placement.facts import Delivery, Facts, Target
from ansible_collections.kubestellar.core.plugins.module_utils.placement.preview import preview
from ansible_collections.kubestellar.core.plugins.module_utils.placement.resolution import (
    Candidate,
    Modulation,
    Selected,
)

from ..integration.running import CHECKOUT
from . import measuring
from .measuring import Budget, Results, Steps, cost, scaled

OBJECTS, CLUSTERS, POLICIES = scaled(10_000, 400), scaled(1_000, 40), 20
PREVIEW = Budget("preview, without API servers, CPU", 2)
MEMORY = Budget("preview, without API servers, memory with the facts", 300, "MB")
_ALONE = """\
from ansible_collections.kubestellar.core.tests.perf import measuring
measuring.size = "{size}"
from ansible_collections.kubestellar.core.tests.perf import test_preview
test_preview.preview(test_preview._SPEC, test_preview.fleet()).result()
"""
"""Without what other benchmarks have left in this process."""

_VERBS = frozenset({"list", "watch"})
_DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment", True, _VERBS)
_CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap", True, _VERBS)
_SPEC: dict[str, Any] = {
    "clusterSelectors": [{"matchLabels": {"stage": "production"}}],
    "downsync": [
        {"objectSelectors": [{"matchExpressions": [{"key": "app", "operator": "Exists"}]}]},
        {"resources": ["deployments"], "createOnly": True, "wantMultiWECReportedState": True},
        {"resources": ["configmaps"], "statusCollectors": ["state"]},
    ],
}


def fleet() -> Facts:
    """A WDS full of objects, a fleet, a policy that delivers a part, and others that deliver the same to other clusters."""
    candidates = [
        Candidate(
            _DEPLOYMENTS if number % 2 else _CONFIG_MAPS,
            {
                "name": f"object{number}",
                "namespace": f"team{number % 50}",
                "resourceVersion": str(number),
                "labels": {"app": f"app{number % 100}"},
            },
        )
        for number in range(OBJECTS)
    ]
    deliveries = [
        Delivery(
            "wds1",
            f"policy{policy}",
            {c.key: Selected(c.key, "1", Modulation(), "v1") for c in candidates[policy::POLICIES]},
            frozenset(f"cluster{number}" for number in range(policy, CLUSTERS, POLICIES)),
        )
        for policy in range(POLICIES)
    ]
    expanded = {"annotations": {templates.ANNOTATION: "true"}}
    return Facts(
        wds="wds1",
        candidates=candidates,
        namespaces={},
        targets=[
            Target(f"cluster{number}", {"stage": "production"}, properties={"site": str(number)})
            for number in range(CLUSTERS)
        ],
        current=deliveries[0],
        others=deliveries[1:],
        contents={
            c.key: {"metadata": expanded, "data": {"x": "{{.site}}-{{.clusterName}}"}}
            for c in candidates[:200]
        },
    )


def test_preview_of_a_large_fleet(results: Results) -> None:
    """Each part."""
    steps = Steps()
    facts = fleet()
    seen = steps.take("preview", lambda: preview(_SPEC, facts), lambda p: f"{len(p.warnings)} warnings")
    result = steps.take(
        "result", seen.result, lambda r: f"{len(r['objects'])} objects × {len(r['clusters'])} clusters"
    )
    gone = steps.take(
        "removal", lambda: preview(None, facts), lambda p: f"{len(p.objects_removed)} objects leave"
    )
    assert (len(result["objects"]), len(result["clusters"])) == (OBJECTS, CLUSTERS)
    assert len(gone.objects_removed) == OBJECTS // POLICIES
    results.details(f"preview of {OBJECTS} objects × {CLUSTERS} clusters, {POLICIES} policies", *steps.lines)
    results.figure(PREVIEW, steps.seconds["preview"])
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT / ".venv" / "collections")}
    alone = _ALONE.format(size=measuring.size)
    results.figure(MEMORY, cost([sys.executable, "-c", alone], environment)[0].memory)
