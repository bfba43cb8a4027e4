# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of a kustomization, as `kustomize build` or `kubectl kustomize` builds it (private to kubestellar.core).

No plugins, no charts, no files outside the folder of a kustomization: these are kustomize's own defaults. What it would fetch from
elsewhere is another matter: it takes whatever stands there at the time (kustomize: api/internal/loader/fileloader.go,
api/internal/git/repospec.go). So that is refused unless it is allowed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
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
from ansible_collections.kubestellar.core.plugins.module_utils.workload import files, pieces
from ansible_collections.kubestellar.core.plugins.module_utils.workload.pieces import Piece

FILES = pieces.KUSTOMIZATIONS
OLDEST = (4, 5)
"""What kubectl 1.25 has in it; older ones fail on kustomizations of today."""

_SECONDS = 120
_NAMES = ("kustomize", "kubectl")
_VERSIONS = {
    "build": r"^(?:\{Version:kustomize/)?v?(\d+\.\d+)",
    "kustomize": r"(?m)^Kustomize Version: v?(\d+\.\d+)",
}
"""Subcommand to what finds the version: of kustomize itself, of the one in kubectl."""
_FOLDERS = ("resources", "bases", "components")
_LISTS = (
    *_FOLDERS,
    *("crds", "configurations", "generators", "transformers", "validators", "patchesStrategicMerge"),
)
_INNER = (
    *(("patches", "path"), ("patchesJson6902", "path"), ("replacements", "path")),
    *(("configMapGenerator", key) for key in ("files", "envs", "env")),
    *(("secretGenerator", key) for key in ("files", "envs", "env")),
)
_PLUGINS = ("generators", "transformers", "validators")
_OF_PLUGINS = ("files", "envs", "env", "path", "paths")
"""Where the plugins that kustomize has built in name what they read."""
_REMOTE = re.compile(
    r"^(?:[^=/]*=)?[A-Za-z][\w+.-]*://|^(?:git::|gh:|github\.com[/:])|^[\w.-]+@[\w.-]+:|[?&]ref="
)
_NOWHERE = "http://127.0.0.1:9"
"""A proxy that is not there: port 9 is for discarding."""


def references(content: Mapping[str, Any]) -> Iterator[str]:
    """Whatever a kustomization names that is not in a file beside it. It may name more than is looked at here: see `environment`."""
    for text in _paths(content):
        if _REMOTE.search(text):
            yield text


def _paths(content: Mapping[str, Any]) -> Iterator[str]:
    for key in _LISTS:
        yield from _texts(content.get(key))
    openapi = content.get("openapi")
    yield from _texts(openapi.get("path") if isinstance(openapi, Mapping) else None)
    for key, inner in _INNER:
        entries = content.get(key)
        for entry in entries if isinstance(entries, list) else []:
            yield from _texts(entry.get(inner) if isinstance(entry, Mapping) else None)


def _texts(value: Any) -> Iterator[str]:
    for text in value if isinstance(value, list) else [value]:
        if isinstance(text, str) and "\n" not in text:
            yield text


def remote(folder: Path) -> Iterator[tuple[Path, str]]:
    """What the kustomization in a folder, and those that it is built on, would fetch: pairs of file and reference.

    :raises InvalidInput: there is no kustomization, or it cannot be read.
    """
    seen: set[tuple[Path, bool]] = set()
    waiting = [(folder, False)]
    while waiting:
        below, of_plugins = waiting.pop()
        place = below.resolve()
        try:
            file = next((place / name for name in FILES if (place / name).is_file()), None)
        except OSError as error:
            raise files.unreadable("kustomize", str(place), error) from error
        if file is None and not seen:
            raise InvalidInput(
                f"kustomize: {folder} has no {FILES[0]}.", hint="Name the folder in which it is."
            )
        if file is None or (place, of_plugins) in seen:
            continue
        seen.add((place, of_plugins))
        try:
            documents = yaml_documents(file.read_bytes(), str(file))
        except OSError as error:
            raise InvalidInput(f"kustomize: {file} cannot be read: {error.strerror}.") from error
        for _number, content in documents:
            for reference in references(content):
                yield file, reference
            for key in (*_FOLDERS, *_PLUGINS):
                inner = of_plugins or key in _PLUGINS
                named = (place / text for text in _texts(content.get(key)) if not _REMOTE.search(text))
                waiting += [(path, inner) for path in named if path.is_dir()]
            for configuration in _configurations(place, content, of_plugins):
                for key in _OF_PLUGINS:
                    yield from (
                        (file, text) for text in _texts(configuration.get(key)) if _REMOTE.search(text)
                    )


def _configurations(place: Path, content: Mapping[str, Any], of_plugins: bool) -> Iterator[Mapping[str, Any]]:
    """Those of plugins, from files beside a kustomization or written into it.

    :param of_plugins: the kustomization itself is taken for plugins, so that its resources are such configurations.
    """
    for key in (*_PLUGINS, *(("resources",) if of_plugins else ())):
        entries = content.get(key)
        for text in entries if isinstance(entries, list) else []:
            if not isinstance(text, str):
                continue
            path = place / text if "\n" not in text else None
            if path is not None and not path.is_file():
                continue
            try:
                data = text.encode() if path is None else path.read_bytes()
            except OSError as error:
                raise InvalidInput(f"kustomize: {path} cannot be read: {error.strerror}.") from error
            yield from (document for _number, document in yaml_documents(data, str(path or place)))


def check(folder: str, *, allow_remote: bool) -> Path:
    """The folder, if it holds a kustomization that is allowed.

    :raises InvalidInput: it does not.
    """
    path = _place(folder)
    if "://" in folder:
        raise InvalidInput(
            f"kustomize: {plain(re.sub('//[^/@]*@', '//', folder), 200)} is a URL.",
            hint="Name it among the resources of a kustomization of yours, and set kustomize_remote to true.",
        )
    if not files.is_folder(str(path), "kustomize"):
        raise InvalidInput(f"kustomize: {folder} is a file.", hint="Name the folder in which it is.")
    for file, reference in remote(path):
        if not allow_remote:
            raise InvalidInput(
                f"kustomize: {file} takes {plain(re.sub('//[^/@]*@', '//', reference), 200)} from elsewhere.",
                hint="Put a copy beside it, or set kustomize_remote to true if whoever can change that may change the workload.",
            )
    return path


def _place(folder: str) -> Path:
    return Path(os.path.abspath(os.path.expanduser(folder)))


def environment(environ: Mapping[str, str], *, allow_remote: bool) -> dict[str, str]:
    """The environment of the program: no clusters, and no way to the network unless that is allowed.

    A second wall behind `check`, for what a kustomization names in ways that are not looked at there.
    """
    values = {**tools.environment(environ, os.devnull), "KUBECTL_KUBERC": "false", "GIT_TERMINAL_PROMPT": "0"}
    if allow_remote:
        return values
    values = {key: value for key, value in values.items() if not key.lower().endswith("_proxy")}
    return {
        **values,
        "HTTP_PROXY": _NOWHERE,
        "HTTPS_PROXY": _NOWHERE,
        "GIT_ALLOW_PROTOCOL": "none",
    }


def find(given: str | None, environ: Mapping[str, str]) -> list[str]:
    """The command that builds a folder: program and subcommand.

    :raises PreflightFailed: there is neither kustomize nor kubectl.
    :raises KubestellarError: it is none of them, or too old.
    """
    path = program.find(given or "", _NAMES, environ)
    if path is None:
        what = (
            f"The program {given} is not found" if given else "Neither kustomize nor kubectl is on the PATH"
        )
        raise PreflightFailed(
            f"{what}, and the workload has a kustomization.",
            hint="Install one of them where this module runs, or set kustomize_binary to its path.",
        )
    subcommand = "build" if os.path.basename(path).startswith("kustomize") else "kustomize"
    done = program.run(
        [path, "version"] if subcommand == "build" else [path, "version", "--client"],
        environment(environ, allow_remote=False),
        seconds=_SECONDS,
        what=f"{path} has not said its version",
    )
    program.check_version(path, done, _VERSIONS[subcommand], OLDEST, "kustomize")
    return [path, subcommand]


def build(command: list[str], folder: str, environ: Mapping[str, str], *, allow_remote: bool) -> list[Piece]:
    """The objects of a kustomization.

    :param command: from `find`.
    :param folder: one that `check` has let pass.
    :raises KubestellarError: the program fails, with the end of what it says.
    """
    done = program.run(
        [*command, str(_place(folder))],
        environment(environ, allow_remote=allow_remote),
        seconds=_SECONDS,
        what=f"kustomize has not built {folder}",
        hint="Is what it fetches reachable?" if allow_remote else "",
    )
    if done.code:
        complaint = done.complaint
        hint = "Correct the kustomization."
        if "--enable-helm" in complaint:
            hint = "Charts in kustomizations are not rendered; use the option helm for the chart."
        elif _NOWHERE.removeprefix("http://") in complaint or "transport" in complaint:
            hint = "Nothing is fetched from elsewhere unless kustomize_remote is true."
        raise KubestellarError(f"kustomize cannot build {folder}: {complaint}.", hint=hint)
    return pieces.of_text(done.output, f"kustomization {folder}")
