# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manifests that others publish, out of Go modules: `manifests/go.mod` names their versions, `go.sum` verifies them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import yaml
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils._yaml import load_yaml
from ansible_collections.kubestellar.core.plugins.module_utils.embedded import build

from .running import CHECKOUT, Running

_MODULES = Path(__file__).parent / "manifests"
_SOURCES = CHECKOUT / "roles" / "embedded" / "files" / "go"
_FILES = {
    "github.com/argoproj/argo-cd/v3": ["manifests/install.yaml"],
    # One of its definitions has one and a half megabytes.
    "github.com/prometheus-operator/prometheus-operator": [
        "example/prometheus-operator-crd-full/*_alertmanagerconfigs.yaml",
        "example/prometheus-operator-crd-full/*_[p]ro[bm]*[es]s.yaml",
        "example/prometheus-operator-crd-full/*_servicemonitors.yaml",
        "example/rbac/prometheus-operator/*.yaml",
    ],
    "github.com/tektoncd/pipeline": [
        "config/100-namespace/*.yaml",
        "config/300-crds/*.yaml",
        "config/*.yaml",
    ],
    # Without its objects of kinds that another module defines.
    "knative.dev/serving": [
        "config/core/[12]*.yaml",
        "config/core/*/*.yaml",
    ],
    "sigs.k8s.io/gateway-api": ["config/crd/experimental/gateway*.yaml", "examples/standard/**/*.yaml"],
}


def published(running: Running) -> dict[str, list[Path]]:
    """Module to its manifests, downloaded into the module cache if they are not there yet."""
    home = running.stack.home
    environment = build.go_environment(home)
    go = build.find_go(home, _SOURCES, Progress(None))
    pinned = re.findall(r"(?m)^\t(\S+) (v\S+)$", (_MODULES / "go.mod").read_text())
    done = subprocess.run(
        [go, "mod", "download", "-json", *(f"{module}@{version}" for module, version in pinned)],
        cwd=_MODULES,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    folders = re.findall(r'"Path": "([^"]+)"[^}]*?"Dir": "([^"]+)"', done.stdout)
    assert sorted(module for module, _folder in folders) == sorted(_FILES)
    found = {
        module: sorted({path for pattern in _FILES[module] for path in Path(folder).glob(pattern)})
        for module, folder in folders
    }
    assert all(found.values()), found
    return {module: _without_repetitions(paths) for module, paths in found.items()}


def _without_repetitions(paths: list[Path]) -> list[Path]:
    """The files without those that have an object of an earlier one again, as examples do."""
    seen: set[tuple[str, str, str]] = set()
    result = []
    for path in paths:
        objects = load_yaml(path.read_bytes(), str(path))
        mine = {(o["kind"], o["metadata"].get("namespace", ""), o["metadata"]["name"]) for o in objects}
        if not mine & seen:
            result.append(path)
            seen |= mine
    return result


def chart(running: Running, folder: Path) -> list[Path]:
    """KubeStellar's own chart, rendered by helm, and the definitions of KubeFlex that it needs."""
    charts = running.stack.bin.resolve().parent / "charts"
    shutil.copytree(charts / "core-chart", folder / "core-chart")
    shutil.copytree(charts / "kubeflex-operator", folder / "core-chart" / "charts" / "kubeflex-operator")
    path = folder / "core-chart" / "Chart.yaml"
    content = yaml.safe_load(path.read_text())
    content["dependencies"] = [
        {**entry, "version": ">=0.0.0-0"}
        for entry in content["dependencies"]
        if entry["name"] == "kubeflex-operator"
    ]
    path.write_text(yaml.safe_dump(content))
    values = {"ITSes": [{"name": "its1"}], "WDSes": [{"name": "wds1"}]}
    done = subprocess.run(
        [
            str(running.stack.bin / "helm"),
            "template",
            "core",
            str(path.parent),
            "--include-crds",
            "--namespace",
            "kubestellar",
            *(
                part
                for name, value in values.items()
                for part in ("--set-json", f"{name}={json.dumps(value)}")
            ),
        ],
        env={**running.environment(), "HELM_CACHE_HOME": str(folder / "cache")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rendered = folder / "rendered.yaml"
    rendered.write_text(done.stdout)
    return [rendered, *sorted((charts.parent / "crds" / "kubeflex").glob("*.yaml"))]
