# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the objects of a workload come from (private to kubestellar.core)."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.kubestellar.core.plugins.module_utils import _diff
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, plain
from ansible_collections.kubestellar.core.plugins.module_utils.workload import (
    archives,
    files,
    helm,
    kustomize,
    pieces,
)
from ansible_collections.kubestellar.core.plugins.module_utils.workload.pieces import (
    Material,
    Piece,
)

SOURCES_SPEC: dict[str, Any] = {
    "definitions": {"type": "raw"},
    "src": {"type": "list", "elements": "path", "default": []},
    "template": {"type": "list", "elements": "raw", "default": []},
    "kustomize": {"type": "list", "elements": "path", "default": []},
    "kustomize_remote": {"type": "bool", "default": False},
    "kustomize_binary": {"type": "path"},
    "helm": {"type": "list", "elements": "dict", "default": [], "options": helm.HELM_SPEC},
    "helm_binary": {"type": "path"},
    "archives": {"type": "list", "elements": "dict", "default": [], "options": archives.ARCHIVE_SPEC},
}
"""The options that say where objects come from."""

NESTED_SPEC: dict[str, Any] = {
    name: {key: value for key, value in option.items() if key not in ("default", "options")}
    for name, option in SOURCES_SPEC.items()
}
"""The same as suboptions, where what is in them is not looked at before `read`."""

_HIDDEN = "********"


def read(
    given: Mapping[str, Any],
    where: str,
    *,
    name: str = "workload",
    namespace: str | None = None,
    kube_version: Callable[[], str] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Material:
    """All objects of the sources, in the order of the options, each checked.

    :param given: the options of `SOURCES_SPEC`.
    :param where: what messages call the whole.
    :param name: of the workload, and of the release of a chart that has no other.
    :param namespace: for namespaced objects that name none.
    :param kube_version: asked for the version of Kubernetes that charts are rendered for; helm's own if it is left out.
    :param environ: the environment, for tests.
    :raises InvalidInput: nothing to read, not readable, no object, or an object that is there twice.
    :raises KubestellarError: a program is missing or fails, an archive is not to be had or another one.
    """
    options = _validated(given, where)
    environ = os.environ if environ is None else environ
    found = _inline(options["definitions"])
    for source in options["src"] or []:
        found += files.read(source)
    for template in options["template"] or []:
        found += _rendered(template)
    found += _kustomizations(options, environ)
    charts, hooks = _charts(options, name, namespace, kube_version, environ)
    found += charts
    for archive in options["archives"] or []:
        found += archives.read(archives.fetch(archive), archive)
    return pieces.checked(found, where, namespace, hooks)


def take(params: MutableMapping[str, Any]) -> dict[str, Any]:
    """The sources among options, which then have only what results may repeat of them (`invocation`, at higher verbosity)."""
    taken = {key: params[key] for key in SOURCES_SPEC if key in params}
    for key, show in _SHOWN.items():
        if params.get(key):
            params[key] = show(params[key])
    return taken


def shown(definitions: Any) -> Any:
    """The option `definitions` as results may repeat it: without values of Secrets."""
    if isinstance(definitions, Mapping):
        return _diff.redact({}, definitions)[1]
    if isinstance(definitions, (list, tuple)):
        return [shown(item) for item in definitions]
    if isinstance(definitions, str) and "Secret" in definitions:
        return f"{_HIDDEN} (text with a Secret)"
    return definitions


# -- one kind of source after the other ----------------------------------------------------------------------------------


def _validated(given: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The options with their defaults. The objects themselves, which may be many, are not looked at."""
    named = {
        key: value
        for key, value in given.items()
        if key in SOURCES_SPEC and key != "definitions" and value is not None
    }
    spec = {key: option for key, option in SOURCES_SPEC.items() if key != "definitions"}
    for key in ("helm", "archives"):
        value = named.get(key, [])
        if not isinstance(value, list) or not all(isinstance(entry, Mapping) for entry in value):
            raise InvalidInput(f"{where}: {key} is a list of mappings.", hint="See the module workload.")
    result = ArgumentSpecValidator(spec).validate(named)
    if result.error_messages:
        raise InvalidInput(
            f"{where}: {plain(result.error_messages[0]).rstrip('.')}.", hint="See the module workload."
        )
    return {**result.validated_parameters, "definitions": given.get("definitions")}


def _inline(definitions: Any) -> list[Piece]:
    if definitions is None:
        return []
    if isinstance(definitions, str):
        return pieces.of_text(definitions, "definitions")
    if isinstance(definitions, Mapping):
        return list(pieces.of_object(definitions, "definitions"))
    if not isinstance(definitions, (list, tuple)):
        raise InvalidInput(f"definitions is a {type(definitions).__name__}; a list of objects is needed.")
    found: list[Piece] = []
    for number, item in enumerate(definitions, start=1):
        origin = f"definitions entry {number}"
        found += pieces.of_text(item, origin) if isinstance(item, str) else pieces.of_object(item, origin)
    return found


def _rendered(template: Any) -> list[Piece]:
    """The objects of a template that the action plugin has rendered: `path` and `content`."""
    if not isinstance(template, Mapping) or not {"path", "content"} <= set(template):
        raise InvalidInput(
            f"template: {plain(template, 120)} has not been rendered.",
            hint="Templates are for tasks of a playbook; elsewhere, render it first and give the text as definitions.",
        )
    return pieces.of_text(template["content"], f"template {template['path']}")


def _kustomizations(options: Mapping[str, Any], environ: Mapping[str, str]) -> list[Piece]:
    folders, allow = options["kustomize"] or [], options["kustomize_remote"]
    for folder in folders:
        kustomize.check(folder, allow_remote=allow)
    command = kustomize.find(options["kustomize_binary"], environ) if folders else []
    return [
        piece for folder in folders for piece in kustomize.build(command, folder, environ, allow_remote=allow)
    ]


def _charts(
    options: Mapping[str, Any],
    name: str,
    namespace: str | None,
    kube_version: Callable[[], str] | None,
    environ: Mapping[str, str],
) -> tuple[list[Piece], list[dict[str, Any]]]:
    """The objects of the charts, and their hooks."""
    charts: Sequence[Mapping[str, Any]] = options["helm"] or []
    found: list[Piece] = []
    hooks: list[dict[str, Any]] = []
    if not charts:
        return found, hooks
    releases = helm.names(charts, name)
    with tempfile.TemporaryDirectory(prefix="kubestellar-helm-") as folder:
        program = helm.find(options["helm_binary"], environ, Path(folder))
        for chart, release in zip(charts, releases, strict=True):
            asked = kube_version() if kube_version and not chart.get("kube_version") else ""
            text = helm.render(
                program,
                chart,
                environ,
                Path(folder),
                release=release,
                namespace=chart.get("namespace") or namespace or "default",
                kube_version=asked,
            )
            objects, more = helm.parse(text, chart, release, chart.get("namespace") or "")
            found += objects
            hooks += more
    return found, hooks


# -- what results may repeat ---------------------------------------------------------------------------------------------


def _shown_templates(templates: Any) -> Any:
    entries = templates if isinstance(templates, list) else [templates]
    return [entry.get("path") if isinstance(entry, Mapping) else entry for entry in entries]


def _without(*keys: str) -> Callable[[Any], Any]:
    """Entries of a list with other values for these keys."""

    def show(entries: Any) -> Any:
        if not isinstance(entries, list):
            return _HIDDEN
        return [
            {key: _HIDDEN if key in keys and value else value for key, value in entry.items()}
            if isinstance(entry, Mapping)
            else _HIDDEN
            for entry in entries
        ]

    return show


_SHOWN: dict[str, Callable[[Any], Any]] = {
    "definitions": shown,
    "template": _shown_templates,
    "helm": _without("values"),
    "archives": _without("url_password"),
}
