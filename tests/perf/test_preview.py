# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a preview of 10,000 objects and 1,000 clusters costs, without any API server. Shown, not asserted: `make bench`."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._resources import Resource
from ansible_collections.kubestellar.core.plugins.module_utils.placement import templates
from ansible_collections.kubestellar.core.plugins.module_utils.placement.facts import Delivery, Facts, Target
from ansible_collections.kubestellar.core.plugins.module_utils.placement.preview import preview
from ansible_collections.kubestellar.core.plugins.module_utils.placement.resolution import (
    Candidate,
    Modulation,
    Selected,
)

OBJECTS, CLUSTERS, POLICIES = 10_000, 1_000, 20

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


def test_preview_of_a_large_fleet(capsys: pytest.CaptureFixture[str]) -> None:
    """Each part, in CPU seconds of this process."""
    rows: list[tuple[str, float, str]] = []

    def measured(what: str, work: Callable[[], Any], said: Callable[[Any], str]) -> Any:
        start = time.process_time()
        result = work()
        rows.append((what, time.process_time() - start, said(result)))
        return result

    facts = fleet()
    seen = measured("preview", lambda: preview(_SPEC, facts), lambda p: f"{len(p.warnings)} warnings")
    result = measured(
        "result", seen.result, lambda r: f"{len(r['objects'])} objects × {len(r['clusters'])} clusters"
    )
    gone = measured(
        "removal", lambda: preview(None, facts), lambda p: f"{len(p.objects_removed)} objects leave"
    )
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    assert (len(result["objects"]), len(result["clusters"])) == (OBJECTS, CLUSTERS)
    assert len(gone.objects_removed) == OBJECTS // POLICIES
    title = (
        f"preview of {OBJECTS} objects × {CLUSTERS} clusters, {POLICIES} policies (budget 2 s CPU, 300 MB)"
    )
    lines = [f"  {what:<10} {seconds:6.2f} s   {said}" for what, seconds, said in rows]
    lines.append(f"  {'process':<10} {memory:6.0f} MB  with the facts and the test itself")
    with capsys.disabled():
        sys.stdout.write("\n".join(["", title, *lines, ""]))
