# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of a Helm chart, as `helm template` renders them (private to kubestellar.core).

helm asks no cluster, knows nothing of the user's repositories, plugins and credentials, and leaves nothing behind.
What it prints: helm: pkg/cmd/template.go, pkg/action/action.go (`# Source:` before each object), pkg/release/v1/hook.go.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    InvalidInput,
    KubestellarError,
    PreflightFailed,
    plain,
)
from ansible_collections.kubestellar.core.plugins.module_utils._yaml import yaml_documents
from ansible_collections.kubestellar.core.plugins.module_utils.local import program, tools
from ansible_collections.kubestellar.core.plugins.module_utils.workload import pieces
from ansible_collections.kubestellar.core.plugins.module_utils.workload.pieces import Piece

HELM_SPEC: dict[str, Any] = {
    "chart": {"type": "str", "required": True},
    "repository": {"type": "str"},
    "version": {"type": "str"},
    "release_name": {"type": "str"},
    "namespace": {"type": "str"},
    "values": {"type": "dict"},
    "values_files": {"type": "list", "elements": "path"},
    "hooks": {"type": "str", "choices": ["skip", "include"], "default": "skip"},
    "include_crds": {"type": "bool", "default": True},
    "kube_version": {"type": "str"},
    "api_versions": {"type": "list", "elements": "str"},
    "ca_path": {"type": "path"},
    "registry_config": {"type": "path"},
}
"""The suboptions of `helm`."""

OLDEST = (3, 8)
"""The first version that reads charts from OCI registries without being asked to by an experiment."""

HOOK = "helm.sh/hook"
WEIGHT = "helm.sh/hook-weight"
TESTS = frozenset({"test", "test-success", "test-failure"})
"""Hooks that `helm test` runs; nothing else ever does."""

_SECONDS = 120
_VERSION = r"^v?(\d+(?:\.\d+)+)"
_SOURCE = re.compile(r"(?m)^---\n# Source: (.+)\n")
_OCI = re.compile(r"^oci://[\w.:-]+/[\w./-]+(?::[\w.+-]+)?(?:@sha256:[0-9a-f]{64})?$")
_REPOSITORY = re.compile(r"^https://[\w.-]+(?::\d+)?(?:/[\w./~-]*)?$")
_NAME = re.compile(r"^[A-Za-z0-9][\w.-]*$")
_RELEASE = re.compile(r"^[a-z0-9]([a-z0-9-]{0,51}[a-z0-9])?$")
_KUBE = re.compile(r"^v?\d+\.\d+(\.\d+)?[\w.+-]*$")


def location(chart: Mapping[str, Any]) -> list[str]:
    """The arguments that tell helm where the chart is.

    :raises InvalidInput: it is neither a path nor an OCI reference nor a name in a repository, or its version is left to chance.
    """
    reference, version = str(chart["chart"]), chart.get("version")
    path = os.path.abspath(os.path.expanduser(reference))
    if chart.get("repository"):
        if not _NAME.match(reference) or not _REPOSITORY.match(str(chart["repository"])):
            shown = plain(re.sub(r"//[^/]*@", "//", str(chart["repository"])), 120)
            raise InvalidInput(
                f"helm: {plain(reference, 120)} of {shown} is no chart in a repository.",
                hint="Give the URL of the repository, which begins with https:// and has no credentials in it, and only the name of the chart.",
            )
        place = [reference, "--repo", str(chart["repository"])]
    elif reference.startswith("oci://"):
        if not _OCI.match(reference):
            raise InvalidInput(
                f"helm: {plain(reference, 200)} is no OCI reference.",
                hint="Write it as oci://registry.example.com/charts/name.",
            )
        place = [reference]
    elif os.path.exists(path):
        return [path]
    else:
        raise InvalidInput(
            f"helm: there is no chart {plain(reference, 200)}.",
            hint="An archive at a URL is fetched before; or name its repository and the chart."
            if "://" in reference
            else "Name a folder with Chart.yaml, an archive of helm package, or an OCI reference; or set repository.",
        )
    if not version and "@sha256:" not in reference:
        raise InvalidInput(
            f"helm: the chart {plain(reference, 200)} has no version, so each run would take the newest.",
            hint="Set version.",
        )
    return [*place, "--version", str(version)] if version else place


def arguments(chart: Mapping[str, Any], release: str, namespace: str, kube_version: str) -> list[str]:
    """The arguments of `helm`. The values are to come on standard input.

    :param kube_version: for a chart that names none; empty for helm's own.
    :raises InvalidInput: a name, a version or a file that cannot be right.
    """
    if not _RELEASE.match(release):
        raise InvalidInput(
            f"helm: {plain(release, 80)!r} is no name for a release.",
            hint="Set release_name to at most 53 lower-case letters, digits and dashes.",
        )
    command = ["template", release, *location(chart), "--namespace", namespace]
    files = [("values_files", file) for file in chart.get("values_files") or []]
    files += [(key, str(chart[key])) for key in ("ca_path", "registry_config") if chart.get(key)]
    for key, file in files:
        content = _content(key, file)
        if key == "values_files":
            _check_values(content, file)
            command += ["--values", os.path.abspath(os.path.expanduser(file))]
    command += ["--values", "-"]
    if chart.get("include_crds", True):
        command.append("--include-crds")
    kube_version = chart.get("kube_version") or kube_version
    if kube_version:
        if not _KUBE.match(kube_version):
            raise InvalidInput(
                f"helm: {plain(kube_version, 80)!r} is no version of Kubernetes.", hint="Write it as 1.32.0."
            )
        command += ["--kube-version", kube_version]
    for version in chart.get("api_versions") or []:
        command.append(f"--api-versions={version}")
    if chart.get("ca_path"):
        command += ["--ca-file", os.path.abspath(chart["ca_path"])]
    return command


def _content(option: str, file: str) -> bytes:
    """:raises InvalidInput: the file cannot be read."""
    try:
        with open(os.path.expanduser(file), "rb") as stream:
            return stream.read()
    except FileNotFoundError:
        raise InvalidInput(f"helm: {option}: {file} does not exist.") from None
    except OSError as error:
        raise InvalidInput(f"helm: {option}: {file} cannot be read: {error.strerror}.") from error


def _check_values(content: bytes, file: str) -> None:
    """:raises InvalidInput: helm would not look at a part of these values."""
    documents = yaml_documents(content, f"helm: values_files: {file}")
    if len(documents) > 1:
        raise InvalidInput(
            f"helm: values_files: {file} has {len(documents)} documents, of which helm reads the first.",
            hint="Make a file of each, or remove the line --- between them.",
        )


def environment(
    environ: Mapping[str, str], folder: Path, registry_config: str | None = None
) -> dict[str, str]:
    """The environment of helm: without anything of the user's, with folders of its own.

    :param folder: private and empty.
    :param registry_config: file with the credentials for OCI registries; none if it is left out.
    """
    values = {
        key: value
        for key, value in tools.environment(environ, os.devnull).items()
        if not key.startswith("HELM_")
    }
    for part in ("cache", "config", "data"):
        values[f"HELM_{part.upper()}_HOME"] = str(folder / part)
    values["HELM_REGISTRY_CONFIG"] = (
        os.path.abspath(registry_config) if registry_config else str(folder / "registry.json")
    )
    # What helm falls back to where its own file has no credential.
    values["DOCKER_CONFIG"] = str(folder / "docker")
    return values


def find(given: str | None, environ: Mapping[str, str], folder: Path) -> str:
    """The program helm, new enough.

    :raises PreflightFailed: it is not there.
    :raises KubestellarError: it is no helm, or too old.
    """
    path = program.find(given or "", ("helm",), environ)
    if path is None:
        raise PreflightFailed(
            f"The program helm is not found {f'at {given}' if given else 'on the PATH'}, and the workload has a chart.",
            hint=f"Install helm {'.'.join(map(str, OLDEST))} or newer where this module runs, or set helm_binary to its path.",
        )
    done = program.run(
        [path, "version", "--template", "{{ .Version }}"],
        environment(environ, folder),
        seconds=_SECONDS,
        what=f"{path} has not said its version",
    )
    program.check_version(path, done, _VERSION, OLDEST, "helm")
    return path


def render(
    helm: str,
    chart: Mapping[str, Any],
    environ: Mapping[str, str],
    folder: Path,
    *,
    release: str,
    namespace: str,
    kube_version: str = "",
) -> str:
    """The chart as helm prints it.

    :param helm: from `find`.
    :param chart: as `HELM_SPEC`; its values go to helm on standard input.
    :raises InvalidInput: see `arguments`.
    :raises KubestellarError: helm fails, with the end of what it says.
    """
    reference = plain(chart["chart"], 200)
    done = program.run(
        [helm, *arguments(chart, release, namespace, kube_version)],
        environment(environ, folder, chart.get("registry_config")),
        seconds=_SECONDS,
        what=f"helm has not rendered the chart {reference}",
        hint="Is its registry reachable? A folder or an archive needs none.",
        stdin=json.dumps(chart.get("values") or {}),
    )
    if done.code:
        remote = "://" in reference or chart.get("repository")
        raise KubestellarError(
            f"helm cannot render the chart {reference}: {done.complaint}.",
            hint="Correct its place, version or values; a private registry needs registry_config, an own authority ca_path."
            if remote
            else "Correct the chart or its values; charts that it depends on must lie in its folder charts.",
        )
    return done.output


def parse(
    text: str, chart: Mapping[str, Any], release: str, namespace: str = ""
) -> tuple[list[Piece], list[dict[str, Any]]]:
    """The objects in what helm printed, and the hooks. A test is never an object, another hook only if that is wanted.

    :raises InvalidInput: it is not YAML.
    """
    origin = f"chart {plain(chart['chart'], 200)} as {release}"
    found: list[Piece] = []
    hooks: list[dict[str, Any]] = []
    before, *parts = _SOURCE.split(text)
    for source, content in zip(["", *parts[::2]], [before, *parts[1::2]], strict=True):
        where = f"{origin}, {source.strip()}" if source else origin
        for piece in pieces.of_text(content, where, namespace, twice="inner"):
            entry = hook(piece, included=chart.get("hooks") == "include")
            if entry is not None:
                hooks.append(entry)
            if entry is None or entry["included"]:
                found.append(piece)
    return found, hooks


def hook(piece: Piece, *, included: bool) -> dict[str, Any] | None:
    """The entry of `hooks` in a module's result; None for what is no hook.

    :param included: whether hooks are part of the workload.
    """
    metadata = piece.definition.get("metadata") if isinstance(piece.definition, Mapping) else None
    annotations = metadata.get("annotations") if isinstance(metadata, Mapping) else None
    if not isinstance(metadata, Mapping) or not isinstance(annotations, Mapping) or HOOK not in annotations:
        return None
    events = [event.strip() for event in str(annotations[HOOK]).split(",") if event.strip()]
    weight = str(annotations.get(WEIGHT) or 0)
    return {
        "kind": str(piece.definition.get("kind") or ""),
        "namespace": str(metadata.get("namespace") or piece.namespace),
        "name": str(metadata.get("name") or ""),
        "events": events,
        "weight": int(weight) if re.fullmatch(r"-?\d+", weight) else 0,
        "source": piece.origin,
        "included": included and not TESTS & set(events),
    }


def names(charts: Sequence[Mapping[str, Any]], workload: str) -> list[str]:
    """The name of the release of each chart: its own, or that of the workload.

    :raises InvalidInput: two charts without a name of their own would get the same.
    """
    unnamed = [chart for chart in charts if not chart.get("release_name")]
    if len(unnamed) > 1:
        raise InvalidInput(
            f"helm: {len(unnamed)} charts have no release_name, and would all be called {plain(workload, 80)}.",
            hint="Set release_name for all but one.",
        )
    return [str(chart.get("release_name") or workload) for chart in charts]
