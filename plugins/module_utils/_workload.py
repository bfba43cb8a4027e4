# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A workload: a named set of objects in one WDS (private to kubestellar.core)."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bulk, _diff, _metadata
from ansible_collections.kubestellar.core.plugins.module_utils._client import (
    Cluster,
    label,
    load_yaml,
)
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    InvalidInput,
    NotFound,
)
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    CRDS,
    Resource,
)
from ansible_collections.kubestellar.core.plugins.module_utils._wait import (
    Verdict,
    Waiter,
)

WORKLOAD_LABEL = "kubestellar.core/workload"
"""Label on every object of a workload, by which its BindingPolicy selects it and removal finds it."""

_SUFFIXES = (".yml", ".yaml", ".json")


def check_name(name: str) -> None:
    """:raises InvalidInput: the name of a workload is no DNS label."""
    if not _metadata.is_dns_label(name):
        raise InvalidInput(
            f"The workload name {name!r} is not allowed.",
            hint="Use at most 63 lower-case letters, digits and dashes, beginning and ending with a letter or digit.",
        )


def read(definitions: Any, sources: Sequence[str]) -> list[Any]:
    """All objects of the options `definitions` (list, mapping or YAML text) and `src` (files and folders).

    :raises InvalidInput: nothing to read, or not readable.
    """
    objects: list[Any] = []
    if isinstance(definitions, str):
        objects += load_yaml(definitions, "definitions")
    elif isinstance(definitions, Mapping):
        objects.append(definitions)
    elif definitions is not None:
        if not isinstance(definitions, (list, tuple)):
            raise InvalidInput(f"definitions is a {type(definitions).__name__}; a list of objects is needed.")
        for item in definitions:
            objects += load_yaml(item, "definitions") if isinstance(item, str) else [item]
    for source in sources:
        for path in _files(os.path.expanduser(source)):
            try:
                with open(path, "rb") as stream:
                    objects += load_yaml(stream.read(), path)
            except OSError as error:
                raise InvalidInput(f"src: {path} cannot be read: {error.strerror}.") from error
    return objects


def shown(definitions: Any) -> Any:
    """The option `definitions` as results may repeat it (`invocation`, at higher verbosity): without values of Secrets."""
    if isinstance(definitions, Mapping):
        return _diff.redact({}, definitions)[1]
    if isinstance(definitions, (list, tuple)):
        return [shown(item) for item in definitions]
    if isinstance(definitions, str) and "Secret" in definitions:
        return "******** (text with a Secret)"
    return definitions


def _files(source: str) -> list[str]:
    """The manifests of one source, in a stable order."""
    if not os.path.isdir(source):
        if not os.path.exists(source):
            raise InvalidInput(f"src: {source} does not exist.")
        return [source]
    found = [
        os.path.join(folder, name)
        for folder, _folders, names in os.walk(source)
        for name in names
        if name.endswith(_SUFFIXES) and not name.startswith(".")
    ]
    if not found:
        raise InvalidInput(f"src: the folder {source} holds no .yml, .yaml or .json file.")
    return sorted(found)


def labelled(objects: Sequence[Mapping[str, Any]], labels: Mapping[str, str]) -> list[dict[str, Any]]:
    """The objects with `labels` added; these win over labels of the same key."""
    return [
        {
            **obj,
            "metadata": {
                **obj["metadata"],
                "labels": {**(obj["metadata"].get("labels") or {}), **labels},
            },
        }
        for obj in objects
    ]


def members(wds: Cluster, name: str) -> list[tuple[Resource, dict[str, Any]]]:
    """The objects in the WDS that we applied for a workload: pairs of resource and metadata.

    The label alone is not enough: controllers copy a Service's labels to its Endpoints.
    """

    def listed(resource: Resource) -> list[tuple[Resource, dict[str, Any]]]:
        try:
            listing = wds.list(resource, label_selector=f"{WORKLOAD_LABEL}={name}", metadata_only=True)
        except NotFound:
            return []  # the CRD went away between discovery and here, and its objects with it
        return [(resource, item) for item in listing.items if _diff.applied_by(item)]

    listable = [resource for resource in wds.resources() if {"list", "delete"} <= resource.verbs]
    return [pair for pairs in _bulk.in_parallel(listed, listable) for pair in pairs]


def wait_gone(
    wds: Cluster,
    deleted: Sequence[tuple[Resource, Mapping[str, Any]]],
    timeout: float,
    progress: Progress,
) -> float:
    """Wait until the objects, by UID, are no longer there; seconds waited."""
    # With a definition all its objects go, and then nobody can list them any more.
    definitions = {obj["metadata"]["name"] for resource, obj in deleted if resource.kind == CRDS.kind}
    deleted = [
        (resource, obj)
        for resource, obj in deleted
        if f"{resource.plural}.{resource.group}" not in definitions
    ]
    waiter = Waiter(progress)
    followers = {resource: waiter.follow(wds, resource) for resource in {pair[0] for pair in deleted}}
    labels = {
        obj["metadata"]["uid"]: label(
            resource.kind, obj["metadata"]["name"], obj["metadata"].get("namespace")
        )
        for resource, obj in deleted
    }

    def evaluate() -> Verdict:
        present = {
            obj["metadata"]["uid"] for follower in followers.values() for obj in follower.objects().values()
        }
        missing = [f"{text} is still there" for uid, text in labels.items() if uid in present]
        return Verdict(not missing, missing)

    return waiter.until(
        evaluate,
        timeout=timeout,
        what=f"{wds.name}: removal",
        hint="Look at metadata.finalizers of what is left.",
    )
