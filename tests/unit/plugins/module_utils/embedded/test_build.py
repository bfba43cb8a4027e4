# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    KubestellarError,
    PreflightFailed,
)
from ansible_collections.kubestellar.core.plugins.module_utils._progress import FILE_NAME, Progress
from ansible_collections.kubestellar.core.plugins.module_utils.embedded import build

SOURCES = Path(__file__).parents[5] / "roles" / "embedded" / "files" / "go"
FAKE_GO = """#!/bin/sh
# Stands in for a Go toolchain: a real build takes minutes and is what the demo proves.
case "$1" in
version) echo "go version go1.26.8 linux/amd64" ;;
build)
  [ -e "$FAKE_FAIL" ] && { echo "go: downloading example.org/m v1" >&2; echo "disk is full" >&2; exit 1; }
  while [ $# -gt 0 ]; do [ "$1" = -o ] && { shift; out=$1; }; last="$last $1"; shift; done
  for package in $last; do
    case "$package" in
    */v3) name=$(basename $(dirname $package)) ;;
    *.*/*) name=$(basename $package) ;;
    *) continue ;;
    esac
    echo "$package" >&2
    echo "program $name" > "$out$name"
  done ;;
list)
  case "$*" in *.*/*) ;; *) echo "{\\"Path\\": \\"main\\", \\"Main\\": true}" ;; esac
  for module in "$@"; do
    case "$module" in
    *.*/*) echo "{\\"Path\\": \\"$module\\", \\"Version\\": \\"v1.2.3\\", \\"Dir\\": \\"$FAKE_MODULES/$module\\"}" ;;
    esac
  done ;;
esac
"""


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A home, a fake Go, and a module cache with the folders that are extracted."""
    go = tmp_path / "go"
    go.write_text(FAKE_GO)
    go.chmod(0o755)
    modules = tmp_path / "modules"
    for _target, _set, module, folder, pattern in build._EXTRACTS:
        source = modules / module / folder
        source.mkdir(parents=True, exist_ok=True)
        (source / pattern.replace("**", "Chart.yaml").replace("*", "thing")).write_text("x")
    monkeypatch.setenv("GO", str(go))
    monkeypatch.setenv("FAKE_MODULES", str(modules))
    monkeypatch.setenv("FAKE_FAIL", str(tmp_path / "fail"))
    monkeypatch.setattr(build, "_available_memory", lambda: 100_000)
    monkeypatch.setattr(build, "DISK_FREE", 1)
    return tmp_path / "home"


def test_everything_is_built_once_and_extracted(machine, tmp_path):
    log = tmp_path / "log"
    log.mkdir()
    made, built = build.ensure(machine, SOURCES, Progress(str(log)))
    assert built == [binary.name for binary in build.all_binaries()]
    assert all((made.bin / name).exists() for name in built)
    assert (made.charts / "core-chart" / "Chart.yaml").exists()
    assert list((made.crds / "ocm-hub").iterdir())
    assert made.manifest()["versions"]["github.com/kubestellar/kubeflex"] == "v1.2.3"
    assert not (made.folder / "staging").exists()
    lines = (log / FILE_NAME).read_text().splitlines()
    assert sum(" built (" in line for line in lines) == len(built)
    assert build.ensure(machine, SOURCES, Progress(None)) == (made, [])


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_text("half")])
def test_a_lost_or_damaged_program_is_built_again(machine, damage):
    made, _built = build.ensure(machine, SOURCES, Progress(None))
    damage(made.bin / "kwok")
    assert made.missing() == ["kwok"]
    assert build.ensure(machine, SOURCES, Progress(None))[1] == ["kwok"]
    assert made.missing() == []


def test_a_failed_build_says_why_and_leaves_nothing_that_counts(machine, tmp_path):
    (tmp_path / "fail").touch()
    with pytest.raises(KubestellarError, match="compiling (kubestellar|kwok) failed: disk is full"):
        build.ensure(machine, SOURCES, Progress(None))
    assert len(build.artifacts(machine, SOURCES).missing()) == len(build.all_binaries())
    (tmp_path / "fail").unlink()
    assert build.ensure(machine, SOURCES, Progress(None))[0].missing() == []


def test_the_key_depends_on_every_pin(tmp_path):
    copy = tmp_path / "go"
    shutil.copytree(SOURCES, copy)
    key = build.artifacts(tmp_path, copy).key
    assert key == build.artifacts(tmp_path, SOURCES).key
    with open(copy / "kwok" / "go.sum", "a") as stream:
        stream.write("x")
    assert build.artifacts(tmp_path, copy).key != key
    (copy / "kwok" / "go.sum").unlink()
    with pytest.raises(PreflightFailed, match="go.sum"):
        build.artifacts(tmp_path, copy)


def test_all_that_is_lacking_is_said_at_once_before_anything_is_done(machine, monkeypatch):
    monkeypatch.setattr(build, "_available_memory", lambda: 10)
    monkeypatch.setattr(build, "DISK_FREE", 10**12)
    with pytest.raises(PreflightFailed) as caught:
        build.ensure(machine, SOURCES, Progress(None))
    assert "free disk" in str(caught.value) and "free memory" in str(caught.value)
    assert not (machine / "artifacts").exists()


@pytest.mark.parametrize(
    ("package", "name"),
    [("go.etcd.io/etcd/server/v3", "server"), ("k8s.io/kubernetes/cmd/kubectl", "kubectl")],
)
def test_executable_is_the_name_that_go_gives(package, name):
    assert build.executable(package) == name


def test_the_pins_name_every_program_and_no_other():
    for module_set in build.SETS:
        tools = (SOURCES / module_set.name / "tools.go").read_text()
        for binary in module_set.binaries:
            assert f'_ "{binary.package}"' in tools
        assert build.wanted_go(SOURCES) >= (1, 24)
    assert build.module_version(SOURCES / "kubestellar", "k8s.io/kubernetes").startswith("v1.")


def test_no_setting_of_the_user_changes_the_build(tmp_path, monkeypatch):
    monkeypatch.setenv("GOFLAGS", "-mod=mod")
    monkeypatch.setenv("CGO_ENABLED", "1")
    environment = build.go_environment(tmp_path)
    assert "GOFLAGS" not in environment
    assert (environment["CGO_ENABLED"], environment["GOTOOLCHAIN"], environment["GOENV"]) == (
        "0",
        "local",
        "off",
    )


def test_go_caches_lie_in_the_home_of_a_user_without_one(tmp_path, monkeypatch):
    for name in ("HOME", "GOCACHE", "GOMODCACHE"):
        monkeypatch.delenv(name, raising=False)
    assert build.go_environment(tmp_path)["GOCACHE"].startswith(str(tmp_path))


def test_programs_can_be_run(machine):
    made, _built = build.ensure(machine, SOURCES, Progress(None))
    assert os.path.isdir(made.bin)
    assert stat.S_IMODE((made.folder / "manifest.json").stat().st_mode) == 0o644
