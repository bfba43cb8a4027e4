# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is built for the embedded stack, under which key it lies, and what of it is there (private to kubestellar.core).

A module set is a folder with go.mod, go.sum and tools.go. Programs of one set share the compilation of their
libraries. The two sets cannot be one: OCM 1.0.0 and KubeStellar 0.30.0 do not compile with client-go later than 0.32
(github.com/openshift/client-go needs structured-merge-diff v4), and kwok 0.8.0 not with one earlier than 0.36.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput
from ansible_collections.kubestellar.core.plugins.module_utils.embedded.home import write_file

RECIPE = 1
"""To be raised when the same pins are to give other artifacts, for example after a change of what is extracted."""
COMPILE_FLAGS = ("-trimpath", "-gcflags=all=-dwarf=false")
LINK_FLAGS = "-s -w"
_PIN_FILES = ("go.mod", "go.sum", "tools.go")
_KUBERNETES = "k8s.io/kubernetes"
_KUBEFLEX = "github.com/kubestellar/kubeflex"
_KUBESTELLAR = "github.com/kubestellar/kubestellar"
_OCM = "open-cluster-management.io/ocm"
VERSION_NAMES = {
    "kubernetes": _KUBERNETES,
    "etcd": "go.etcd.io/etcd/server/v3",
    "kwok": "sigs.k8s.io/kwok",
    "helm": "helm.sh/helm/v3",
    "kubestellar": _KUBESTELLAR,
    "kubeflex": _KUBEFLEX,
    "ocm": _OCM,
}
"""Name of each product to its module, whose version in go.mod is the product's."""


@dataclass(frozen=True)
class Program:
    """One binary: the name of its file, and the path of its Go package."""

    name: str
    package: str


@dataclass(frozen=True)
class ModuleSet:
    """Programs that are built with the same libraries; `name` is that of its folder in `sources`."""

    name: str
    programs: tuple[Program, ...]


@dataclass(frozen=True)
class Extract:
    """Files that are copied out of a module: those of `folder` that match `pattern`, or all of it if that is empty."""

    target: str
    module_set: str
    module: str
    folder: str
    pattern: str = ""


SETS = (
    ModuleSet(
        "kubernetes",
        (
            Program("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"),
            Program("kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager"),
            Program("kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler"),
            Program("kubectl", "k8s.io/kubernetes/cmd/kubectl"),
            Program("etcd", "go.etcd.io/etcd/server/v3"),
            Program("kwok", "sigs.k8s.io/kwok/cmd/kwok"),
            Program("kwokctl", "sigs.k8s.io/kwok/cmd/kwokctl"),
            Program("helm", "helm.sh/helm/v3/cmd/helm"),
        ),
    ),
    ModuleSet(
        "kubestellar",
        (
            Program("registration", "open-cluster-management.io/ocm/cmd/registration"),
            Program("registration-operator", "open-cluster-management.io/ocm/cmd/registration-operator"),
            Program("kubeflex-manager", "github.com/kubestellar/kubeflex/cmd/manager"),
            Program("controller-manager", "github.com/kubestellar/kubestellar/cmd/controller-manager"),
            Program(
                "ocm-transport-controller",
                "github.com/kubestellar/kubestellar/pkg/transport/ocm-transport-controller",
            ),
        ),
    ),
)
EXTRACTS = (
    Extract("crds/kubeflex", "kubestellar", _KUBEFLEX, "config/crd/bases", "*.yaml"),
    Extract("crds/kubestellar", "kubestellar", _KUBESTELLAR, "config/crd/bases", "control.*.yaml"),
    Extract("crds/ocm-hub", "kubestellar", _OCM, "manifests/cluster-manager/hub", "*.crd.yaml"),
    Extract("crds/ocm-wec", "kubestellar", _OCM, "manifests/klusterlet/managed", "*.crd.yaml"),
    Extract("charts/core-chart", "kubestellar", _KUBESTELLAR, "core-chart"),
    Extract("charts/kubeflex", "kubestellar", _KUBEFLEX, "chart"),
    Extract(
        "charts/cluster-manager", "kubestellar", _OCM, "deploy/cluster-manager/chart/cluster-manager"
    ),
    Extract("charts/klusterlet", "kubestellar", _OCM, "deploy/klusterlet/chart/klusterlet"),
)


def goarch(machine: str = "") -> str:
    """Go's name of the processor.

    :raises InvalidInput: a processor that nothing is known of.
    """
    machine = machine or platform.machine()
    names = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
    if machine.lower() not in names:
        raise InvalidInput(
            f"The embedded stack cannot be built for the processor {machine}.",
            hint=f"Use a machine with one of: {', '.join(names)}.",
        )
    return names[machine.lower()]


@dataclass(frozen=True)
class Pins:
    """What decides about the artifacts.

    :ivar key: short digest of the pins, the recipe, the flags and the processor.
    :ivar versions: product to version with its `v`, such as `{"kubernetes": "v1.36.3"}`.
    :ivar go: the least Go version that all sets accept.
    """

    sources: Path
    key: str
    versions: dict[str, str]
    go: tuple[int, ...]

    @classmethod
    def read(cls, sources: Path) -> Pins:
        """Read the sets in `sources`.

        :raises InvalidInput: a file is missing or unreadable.
        """
        digest = hashlib.sha256(
            json.dumps([RECIPE, COMPILE_FLAGS, LINK_FLAGS, goarch(), repr(SETS), repr(EXTRACTS)]).encode()
        )
        modules: dict[str, str] = {}
        go: tuple[int, ...] = ()
        for module_set in SETS:
            for name in _PIN_FILES:
                path = sources / module_set.name / name
                try:
                    content = path.read_bytes()
                except OSError as error:
                    raise InvalidInput(
                        f"The Go pins of the embedded stack cannot be read: {path}: {error.strerror}.",
                        hint="sources must be the folder files/go of the role embedded.",
                    ) from error
                digest.update(f"{module_set.name}/{name} {len(content)}\n".encode() + content)
                if name == "go.mod":
                    text = content.decode("utf-8", "replace")
                    modules.update(re.findall(r"^\s*(?:require\s+)?(\S+)\s+(v\d\S*)(?:\s*//.*)?$", text, re.M))
                    match = re.search(r"^go\s+(\S+)", text, re.M)
                    go = max(go, numbers(match[1]) if match else ())
        versions = {name: modules.get(module, "") for name, module in VERSION_NAMES.items()}
        return cls(sources, digest.hexdigest()[:12], versions, go)

    def link_flags(self) -> str:
        """The value of `-ldflags`: no symbols, and the versions that programs tell.

        Without them a Kubernetes program says v0.0.0 (k8s.io/component-base/version), and helm takes the cluster
        of `helm template` for an old one (helm.sh/helm/v3: Makefile).
        """
        kubernetes = self.versions["kubernetes"]
        major, minor = (*numbers(kubernetes), 0, 0)[:2]
        values = {"helm.sh/helm/v3/internal/version.version": self.versions["helm"]}
        values[f"{_OCM}/pkg/version.versionFromGit"] = self.versions["ocm"]
        values["main.Version"] = self.versions["kubestellar"]
        for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version"):
            values[f"{package}.gitVersion"] = kubernetes
            values[f"{package}.gitMajor"], values[f"{package}.gitMinor"] = str(major), str(minor)
        for package in ("lint/rules", "chartutil"):
            values[f"helm.sh/helm/v3/pkg/{package}.k8sVersionMajor"] = str(major)
            values[f"helm.sh/helm/v3/pkg/{package}.k8sVersionMinor"] = str(minor)
        return " ".join([LINK_FLAGS, *(f"-X {name}={value}" for name, value in sorted(values.items()))])


def numbers(version: str) -> tuple[int, ...]:
    """The numbers of a version such as `v1.36.3`, `go1.26.8`, `1.27rc1` or `devel go1.28-abc`; empty if there are none."""
    match = re.search(r"(?:^|go|v)(\d+(?:\.\d+)*)", version)
    return tuple(int(part) for part in match[1].split(".")) if match else ()


@dataclass
class Record:
    """What `manifest.json` says of one file: enough to see that it is still the one that was built."""

    size: int
    mtime_ns: int
    sha256: str = ""
    seconds: float = 0.0

    @classmethod
    def of(cls, path: Path, *, seconds: float = 0.0, digest: bool = True) -> Record:
        """:raises FileNotFoundError: there is no such file."""
        found = path.stat()
        return cls(found.st_size, found.st_mtime_ns, sha256(path) if digest else "", seconds)


def sha256(path: Path) -> str:
    """The digest of a file, in hexadecimal digits."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@dataclass
class Store:
    """The folder of one key, and its `manifest.json`.

    :ivar programs: name to record of each finished program.
    :ivar files: path relative to `folder` to record of each extracted file; empty until all are extracted.
    :ivar facts: what else is told about the build: Go's version, seconds, CPU seconds.
    """

    folder: Path
    pins: Pins
    programs: dict[str, Record] = field(default_factory=dict)
    files: dict[str, Record] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def load(cls, home: Path, pins: Pins) -> Store:
        """What is there. A manifest that cannot be understood counts as absent: everything can be built anew."""
        store = cls(home / "artifacts" / pins.key, pins)
        try:
            content = json.loads((store.folder / "manifest.json").read_text(encoding="utf-8"))
            programs = {name: Record(**entry) for name, entry in content["programs"].items()}
            files = {name: Record(**entry) for name, entry in content["files"].items()}
            facts = dict(content["facts"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return store
        store.programs, store.files, store.facts = programs, files, facts
        return store

    def save(self) -> None:
        """Write `manifest.json` atomically."""
        content = {
            "key": self.pins.key,
            "recipe": RECIPE,
            "versions": self.pins.versions,
            "facts": self.facts,
            "programs": {name: vars(record) for name, record in sorted(self.programs.items())},
            "files": {name: vars(record) for name, record in sorted(self.files.items())},
        }
        write_file(self.folder / "manifest.json", json.dumps(content, indent=1) + "\n", 0o644)

    @property
    def bin(self) -> Path:
        """Folder of the programs."""
        return self.folder / "bin"

    @property
    def scratch(self) -> Path:
        """Folder for what is not finished. It is on the same file system, so finished files can be moved."""
        return self.folder / ".scratch"

    def has(self, program: str) -> bool:
        """Whether the program is there as it was built. Its content is read only if its time has changed."""
        record = self.programs.get(program)
        path = self.bin / program
        if record is None or not os.access(path, os.X_OK):
            return False
        return _matches(path, record)

    def has_files(self) -> bool:
        """Whether everything extracted is there."""
        with contextlib.suppress(OSError):
            return bool(self.files) and all(
                (self.folder / name).stat().st_size == record.size for name, record in self.files.items()
            )
        return False

    def missing(self) -> list[tuple[ModuleSet, Program]]:
        """The programs that must be built, in the order of `SETS`."""
        return [(group, program) for group in SETS for program in group.programs if not self.has(program.name)]

    def finish(self, program: str, built: Path, seconds: float) -> None:
        """Move a program that has just been built into place and remember it."""
        self.bin.mkdir(parents=True, exist_ok=True)
        built.chmod(0o755)
        record = Record.of(built, seconds=round(seconds, 1))
        os.replace(built, self.bin / program)
        self.programs[program] = record
        self.save()

    def extract(self, module_folder: Mapping[tuple[str, str], Path]) -> None:
        """Copy CRDs and charts out of the modules, each folder replaced as a whole.

        :param module_folder: set and module to the module's folder in Go's cache.
        :raises InvalidInput: a module has not what it should have.
        """
        files: dict[str, Record] = {}
        for extract in EXTRACTS:
            source = module_folder[(extract.module_set, extract.module)] / extract.folder
            target = self.folder / extract.target
            fresh = self.scratch / extract.target
            for path in _files(source, extract.pattern):
                copy = fresh / path.relative_to(source)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)
                name = f"{extract.target}/{path.relative_to(source).as_posix()}"
                files[name] = Record.of(copy, digest=False)
            if not fresh.is_dir():
                raise InvalidInput(
                    f"The module {extract.module} has no {extract.pattern or 'files'} in {extract.folder}.",
                    hint="The pins and EXTRACTS in artifacts.py do not fit each other.",
                )
            if target.exists():
                shutil.rmtree(target)
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(fresh, target)
        self.files = files
        self.save()


def _files(folder: Path, pattern: str) -> Iterator[Path]:
    """The files of an extract, sorted."""
    return (path for path in sorted(folder.glob(pattern) if pattern else folder.rglob("*")) if path.is_file())


def _matches(path: Path, record: Record) -> bool:
    """Whether the file is the recorded one."""
    try:
        found = path.stat()
        if found.st_size != record.size:
            return False
        return found.st_mtime_ns == record.mtime_ns or sha256(path) == record.sha256
    except OSError:
        return False
