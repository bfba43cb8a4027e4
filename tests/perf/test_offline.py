# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a preview of 10,000 manifests in files and 1,000 clusters costs. Shown, not asserted: `make bench`."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.kubestellar.core.plugins.module_utils.placement import offline, report
from ansible_collections.kubestellar.core.plugins.module_utils.workload import files

OBJECTS, CLUSTERS, POLICIES, FILES = 10_000, 1_000, 20, 100


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


def test_offline_preview_of_many_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each step, in CPU seconds of this process. Reading is YAML's time, and is shown beside the rest."""
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
    rows: list[tuple[str, float, str]] = []

    def measured(what: str, work: Callable[[], Any], said: Callable[[Any], str]) -> Any:
        start = time.process_time()
        result = work()
        rows.append((what, time.process_time() - start, said(result)))
        return result

    read = measured("read", lambda: files.read(str(tmp_path)), lambda r: f"{len(r)} manifests")
    scene = measured(
        "scene",
        lambda: offline.scene({**options, "definitions": read}),
        lambda s: f"{len(s.contents['wds1'].candidates)} candidates",
    )
    found = measured("previews", lambda: offline.previews(scene), lambda f: f"{len(f)} policies")
    text = measured("text", lambda: report.text("hub", found), lambda t: f"{len(t)} lines")
    measured("Markdown", lambda: report.markdown("hub", found), lambda m: f"{len(m)} characters")
    measured(
        "JSON",
        lambda: json.dumps(report.data("hub", found, compared=False)),
        lambda j: f"{len(j)} characters",
    )
    assert sum(len(entry["preview"]["objects"]) for entry in found) == OBJECTS - 1
    assert text[0] == f"placement on hub: {POLICIES} policies, {CLUSTERS} clusters, {OBJECTS - 1} objects"
    lines = [f"  {what:<10} {seconds:6.2f} s   {said}" for what, seconds, said in rows]
    total = sum(seconds for what, seconds, _said in rows if what != "read")
    lines.append(f"  {'but read':<10} {total:6.2f} s")
    with capsys.disabled():
        title = f"offline preview of {OBJECTS} manifests in {FILES} files × {CLUSTERS} clusters, {POLICIES} policies"
        sys.stdout.write("\n".join(["", title, *lines, ""]))
