# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A workload as an ApplySet: who belongs to it, and where what belongs to it has to be looked for.

Private to kubestellar.core. Pure functions. The specification is KEP-3659 (kubernetes/enhancements:
keps/sig-cli/3659-kubectl-apply-prune), kubectl's own implementation is kubectl: pkg/cmd/apply/applyset.go.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _metadata
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, Refused, plain
from ansible_collections.kubestellar.core.plugins.module_utils._resources import Resource

PART_OF = "applyset.kubernetes.io/part-of"
"""Label on every member; its value is that of `PARENT_ID` on the parent."""

PARENT_ID = "applyset.kubernetes.io/id"
TOOLING = "applyset.kubernetes.io/tooling"
KINDS = "applyset.kubernetes.io/contains-group-kinds"
NAMESPACES = "applyset.kubernetes.io/additional-namespaces"

TOOL = "kubestellar.core"
VERSION = "0.1.0"
"""Version of this collection."""


@dataclass(frozen=True, order=True)
class GroupKind:
    """A kind whatever its version, in text `Deployment.apps`, or `ConfigMap` in the core group."""

    kind: str
    group: str = ""

    def __str__(self) -> str:
        return f"{self.kind}.{self.group}" if self.group else self.kind

    @classmethod
    def of(cls, resource: Resource) -> GroupKind:
        """The kind of a resource."""
        return cls(resource.kind, resource.group)

    @classmethod
    def of_object(cls, api_version: str, kind: str) -> GroupKind:
        """The kind of an object."""
        return cls(kind, api_version.rpartition("/")[0])

    @classmethod
    def parse(cls, text: str) -> GroupKind:
        """The kind that a text stands for."""
        kind, _dot, group = text.strip().partition(".")
        return cls(kind, group)


@dataclass(frozen=True)
class Scope:
    """What a parent says about its members. :ivar namespaces: those of its namespaced members."""

    kinds: frozenset[GroupKind] = frozenset()
    namespaces: frozenset[str] = frozenset()

    def __or__(self, other: Scope) -> Scope:
        return Scope(self.kinds | other.kinds, self.namespaces | other.namespaces)


@dataclass(frozen=True)
class ApplySet:
    """The set that a workload is.

    :ivar workload: name of the workload.
    :ivar namespace: where the parent, a ConfigMap, is.
    """

    workload: str
    namespace: str

    @property
    def name(self) -> str:
        """Name of the parent."""
        return f"kubestellar-workload-{self.workload}"

    @property
    def id(self) -> str:
        """The value of `PART_OF`: a hash of the parent's name, namespace, kind and (empty) group."""
        text = f"{self.name}.{self.namespace}.ConfigMap."
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
        return f"applyset-{digest}-v1"

    @property
    def label(self) -> str:
        """The parent, for messages."""
        return f"ConfigMap {self.namespace}/{self.name}"

    def parent(self, scope: Scope) -> dict[str, Any]:
        """The parent for members of a scope."""
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": self.name,
                "namespace": self.namespace,
                "labels": {PARENT_ID: self.id},
                "annotations": {
                    TOOLING: f"{TOOL}/v{VERSION}",
                    KINDS: ",".join(sorted(str(kind) for kind in scope.kinds)),
                    NAMESPACES: ",".join(sorted(scope.namespaces - {self.namespace})),
                },
            },
        }

    def scope(self, parent: Mapping[str, Any]) -> Scope:
        """What a live parent says.

        :raises Refused: it is the parent of another tool, or of another set, or of none.
        """
        metadata = parent.get("metadata") or {}
        labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
        tooling = annotations.get(TOOLING)
        hint = f"Give the workload another name, or set applyset_namespace (in an inventory workload_applyset_namespace); this leaves {self.label} alone."
        if tooling is None:
            raise Refused(f"{self.label} is there already and is not the parent of an ApplySet.", hint=hint)
        if tooling.rpartition("/")[0] != TOOL:
            raise Refused(f"{self.label} is an ApplySet of the tool {plain(tooling, 80)}.", hint=hint)
        if labels.get(PARENT_ID) != self.id:
            raise Refused(
                f"{self.label} has the label {PARENT_ID}={plain(labels.get(PARENT_ID), 80)}, not {self.id}.",
                hint="It may be a copy of another one. Delete it; it is made anew.",
            )
        if KINDS not in annotations:
            raise Refused(
                f"{self.label} lacks the annotation {KINDS}, so where to look for its members is not known.",
                hint="Delete it; all kinds are then searched, and it is made anew.",
            )
        return Scope(
            frozenset(GroupKind.parse(text) for text in annotations[KINDS].split(",") if text.strip()),
            frozenset(text.strip() for text in annotations.get(NAMESPACES, "").split(",") if text.strip()),
        )


def check(namespace: str, labels: Mapping[str, str]) -> None:
    """:raises InvalidInput: the namespace of the parent is no name, or a label is one of the set's own."""
    if not _metadata.is_dns_label(namespace):
        raise InvalidInput(
            f"applyset_namespace is {plain(namespace, 80)!r}, which is no name of a Namespace."
        )
    for label in labels:
        if label in (PART_OF, PARENT_ID):
            raise InvalidInput(f"labels has {label}, which the module sets itself.", hint="Take it out.")


def scope_of(members: Iterable[tuple[str, str, str | None]]) -> Scope:
    """The scope of members, each as apiVersion, kind and namespace."""
    found = list(members)
    return Scope(
        frozenset(GroupKind.of_object(api_version, kind) for api_version, kind, _namespace in found),
        frozenset(namespace for _api_version, _kind, namespace in found if namespace),
    )
