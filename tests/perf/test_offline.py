# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a preview of 10,000 manifests in files and 1,000 clusters costs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.kubestellar.core.plugins.module_utils.placement import offline, report
from ansible_collections.kubestellar.core.plugins.module_utils.workload import files

from .measuring import Budget, Results, Steps, scaled

OBJECTS, CLUSTERS, POLICIES, FILES = scaled(10_000, 200), scaled(1_000, 20), 20, scaled(100, 4)
PREVIEWS = Budget("offline preview, previews of all policies, CPU", 2)
WHOLE = Budget("offline preview, all but reading YAML, CPU", None)


def deployment(number: int) -> dict[str, Any]:
    """A manifest of a usual size."""
    labels = {"app": f"app{number}", "group": f"group{number % POLICIES}"}
    container = {
        "name": "main",
        "image": f"registry.example/app{number}:1.0",
        "ports": [{"name": "http", "containerPort": 8080}],
        "env": [{"name": f"SETTING{n}", "value": str(n)} for n in range(5)],
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": f"app{number}", "namespace": "shop", "labels": labels},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": labels["app"]}},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def test_offline_preview_of_many_files(tmp_path: Path, results: Results) -> None:
    """Each step. Reading is YAML's time, and is shown beside the rest."""
    manifests = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}]
    manifests += [deployment(number) for number in range(OBJECTS - 1)]
    for number in range(FILES):
        text = yaml.dump_all(manifests[number::FILES], Dumper=yaml.CSafeDumper)
        (tmp_path / f"{number:03}.yml").write_text(text)
    policies = [
        {
            "name": f"policy{number}",
            "cluster_selectors": [{"match_labels": {"stage": f"stage{number % 2}"}}],
            "downsync": [{"object_selectors": [{"match_labels": {"group": f"group{number}"}}]}],
        }
        for number in range(POLICIES)
    ]
    clusters = [
        {"name": f"cluster{number}", "labels": {"stage": f"stage{number % 2}"}} for number in range(CLUSTERS)
    ]
    options = {"policies": policies, "clusters": clusters}
    steps = Steps()
    read = steps.take("read", lambda: files.read(str(tmp_path)), lambda r: f"{len(r)} manifests")
    definitions = [piece.definition for piece in read]
    scene = steps.take(
        "scene",
        lambda: offline.scene({**options, "definitions": definitions}),
        lambda s: f"{len(s.contents['wds1'].candidates)} candidates",
    )
    found = steps.take("previews", lambda: offline.previews(scene), lambda f: f"{len(f)} policies")
    text = steps.take("text", lambda: report.text("hub", found), lambda t: f"{len(t)} lines")
    steps.take("Markdown", lambda: report.markdown("hub", found), lambda m: f"{len(m)} characters")
    steps.take(
        "JSON",
        lambda: json.dumps(report.data("hub", found, compared=False)),
        lambda j: f"{len(j)} characters",
    )
    assert sum(len(entry["preview"]["objects"]) for entry in found) == OBJECTS - 1
    assert text[0] == f"placement on hub: {POLICIES} policies, {CLUSTERS} clusters, {OBJECTS - 1} objects"
    results.details(
        f"offline preview of {OBJECTS} manifests in {FILES} files × {CLUSTERS} clusters, {POLICIES} policies",
        *steps.lines,
    )
    results.figure(PREVIEWS, steps.seconds["previews"])
    results.figure(WHOLE, sum(steps.seconds.values()) - steps.seconds["read"])
