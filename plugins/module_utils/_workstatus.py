# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WorkStatus objects: names, content and differences (private to kubestellar.core). Pure functions.

A WorkStatus in namespace `<wec>` of the ITS is the copy of one delivered object's status. Who makes them is
the status add-on of KubeStellar (ocm-status-addon: pkg/agent) or our stand-in, `embedded/status_agent.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

ORIGIN_WDS_LABEL = "transport.kubestellar.io/originWdsName"
ORIGIN_BINDING_LABEL = "transport.kubestellar.io/originOwnerReferenceBindingKey"
SINGLETON_LABEL = "managed-by.kubestellar.io/singletonstatus"
GENERATION_ANNOTATION = "kubestellar.core/generation"
"""`metadata.generation` of the object in the WEC, for which the status may or may not speak yet."""

EXCLUDED = frozenset(
    {
        ("", "configmaps"),
        ("", "secrets"),
        ("", "serviceaccounts"),
        ("rbac.authorization.k8s.io", "clusterrolebindings"),
        ("rbac.authorization.k8s.io", "clusterroles"),
        ("rbac.authorization.k8s.io", "rolebindings"),
        ("rbac.authorization.k8s.io", "roles"),
    }
)
"""(group, resource) that never get a WorkStatus."""

_MANAGED_PREFIXES = ("transport.kubestellar.io", "managed-by.kubestellar.io")
_LONGEST_NAME = 253
_NOT_IN_NAMES = re.compile(r"[^a-z0-9.-]")


@dataclass(frozen=True)
class Source:
    """One resource of a WEC in the version it is applied in, with the objects delivered there.

    :ivar objects: as kept by `keep_object`.
    """

    group: str
    version: str
    resource: str
    kind: str
    objects: Iterable[Mapping[str, Any]] = field(default_factory=tuple)


def applied_resources(applied_works: Iterable[Mapping[str, Any]]) -> set[tuple[str, str, str]]:
    """(group, version, resource) of everything delivered, without the kinds that get no WorkStatus."""
    found = set()
    for work in applied_works:
        for entry in (work.get("status") or {}).get("appliedResources") or []:
            group, resource = str(entry.get("group") or ""), str(entry.get("resource") or "")
            if (group, resource) not in EXCLUDED:
                found.add((group, str(entry.get("version") or ""), resource))
    return found


def keep_applied_work(work: Mapping[str, Any]) -> dict[str, Any]:
    """What matters of an AppliedManifestWork."""
    metadata = work["metadata"]
    status = work.get("status") or {}
    return {
        "metadata": {"name": metadata["name"], "uid": metadata["uid"]},
        "spec": {"manifestWorkName": (work.get("spec") or {}).get("manifestWorkName")},
        "status": {"appliedResources": status.get("appliedResources") or []},
    }


def keep_manifest_work(work: Mapping[str, Any]) -> dict[str, Any] | None:
    """What matters of a ManifestWork; None if KubeStellar did not make it."""
    metadata = work["metadata"]
    labels = metadata.get("labels") or {}
    if not any(key.startswith(_MANAGED_PREFIXES) for key in labels):
        return None
    return {"metadata": {"name": metadata["name"], "uid": metadata["uid"], "labels": labels}}


def keep_object(obj: Mapping[str, Any]) -> dict[str, Any] | None:
    """What matters of an object in the WEC; None if the work agent did not apply it."""
    metadata = obj["metadata"]
    owners = [
        {"name": owner["name"], "uid": owner["uid"]}
        for owner in metadata.get("ownerReferences") or []
        if owner.get("kind") == "AppliedManifestWork"
    ]
    if not owners:
        return None
    kept: dict[str, Any] = {
        "name": metadata["name"],
        "namespace": metadata.get("namespace") or "",
        "uid": metadata["uid"],
        "generation": metadata.get("generation"),
        "owners": owners,
    }
    if SINGLETON_LABEL in (metadata.get("labels") or {}):
        kept["singleton"] = metadata["labels"][SINGLETON_LABEL]
    return {"metadata": kept, "status": obj.get("status") or {}}


def keep_work_status(work_status: Mapping[str, Any]) -> dict[str, Any]:
    """What matters of a WorkStatus."""
    metadata = work_status["metadata"]
    keys = ("name", "namespace", "uid", "resourceVersion", "labels", "annotations", "ownerReferences")
    return {
        "metadata": {key: metadata[key] for key in keys if key in metadata},
        "spec": work_status.get("spec") or {},
        "status": work_status.get("status") or {},
    }


def name_of(applied_work_uid: str, source: Source, namespace: str, name: str) -> str:
    """The name that the add-on gives: AppliedManifestWork UID, group and version, kind, namespace, name."""
    version = f"{source.group}{source.version}".lower().replace("/", "")
    text = f"{applied_work_uid}-{version}-{source.kind.lower()}-{namespace}-{name}"
    return _NOT_IN_NAMES.sub("-", text)[:_LONGEST_NAME].rstrip("-.")


def desired(
    wec: str,
    applied_works: Iterable[Mapping[str, Any]],
    manifest_works: Mapping[str, Mapping[str, Any]],
    sources: Iterable[Source],
) -> dict[str, dict[str, Any]]:
    """The WorkStatuses there should be, by name, each with its status.

    An object that several ManifestWorks of one WDS deliver gets one WorkStatus, since KubeStellar takes two
    for two clusters (kubestellar: pkg/status/singletonstatus.go).

    :param manifest_works: those of the WEC's namespace in the ITS that KubeStellar made, by name.
    """
    works = {work["metadata"]["uid"]: work for work in applied_works}
    versions = {
        (uid, entry.get("group") or "", entry["resource"], entry.get("namespace") or "", entry["name"]): entry
        for uid, work in works.items()
        for entry in work["status"]["appliedResources"]
    }
    result: dict[str, dict[str, Any]] = {}
    taken: set[tuple[str, str]] = set()
    for source in sources:
        for obj in source.objects:
            metadata = obj["metadata"]
            for owner in metadata["owners"]:
                applied_work = works.get(owner["uid"])
                if applied_work is None:
                    continue
                manifest_work = manifest_works.get(applied_work["spec"]["manifestWorkName"])
                if manifest_work is None:
                    continue
                key = (owner["uid"], source.group, source.resource, metadata["namespace"], metadata["name"])
                if versions.get(key, {}).get("version", source.version) != source.version:
                    continue
                origin = (metadata["uid"], str(manifest_work["metadata"]["labels"].get(ORIGIN_WDS_LABEL)))
                if origin in taken:
                    continue
                taken.add(origin)
                work_status = _work_status(wec, source, obj, owner["uid"], manifest_work)
                result[work_status["metadata"]["name"]] = work_status
    return result


def _work_status(
    wec: str,
    source: Source,
    obj: Mapping[str, Any],
    applied_work_uid: str,
    manifest_work: Mapping[str, Any],
) -> dict[str, Any]:
    metadata = obj["metadata"]
    labels = dict(manifest_work["metadata"]["labels"])
    if "singleton" in metadata:
        labels[SINGLETON_LABEL] = metadata["singleton"]
    annotations = {}
    if metadata["generation"] is not None:
        annotations[GENERATION_ANNOTATION] = str(metadata["generation"])
    return {
        "apiVersion": "control.kubestellar.io/v1alpha1",
        "kind": "WorkStatus",
        "metadata": {
            "name": name_of(applied_work_uid, source, metadata["namespace"], metadata["name"]),
            "namespace": wec,
            "labels": labels,
            "annotations": annotations,
            "ownerReferences": [
                {
                    "apiVersion": "work.open-cluster-management.io/v1",
                    "kind": "ManifestWork",
                    "name": manifest_work["metadata"]["name"],
                    "uid": manifest_work["metadata"]["uid"],
                    "controller": True,
                }
            ],
        },
        "spec": {
            "sourceRef": {
                "group": source.group,
                "version": source.version,
                "resource": source.resource,
                "kind": source.kind,
                "name": metadata["name"],
                "namespace": metadata["namespace"],
            }
        },
        "status": obj["status"],
    }


def differences(want: Mapping[str, Any], have: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """What to write to turn `have` into `want`: a merge patch (empty if none), and whether the status differs.

    Labels and annotations of others stay.
    """
    patch: dict[str, Any] = {}
    mine, theirs = want["metadata"], have["metadata"]
    for field_name in ("labels", "annotations"):
        wanted, present = mine[field_name], theirs.get(field_name) or {}
        changed: dict[str, Any] = {key: value for key, value in wanted.items() if present.get(key) != value}
        changed.update(
            {
                key: None
                for key in (SINGLETON_LABEL, GENERATION_ANNOTATION)
                if key in present and key not in wanted
            }
        )
        if changed:
            patch.setdefault("metadata", {})[field_name] = changed
    owners = [owner.get("uid") for owner in theirs.get("ownerReferences") or []]
    if owners != [owner["uid"] for owner in mine["ownerReferences"]]:
        patch.setdefault("metadata", {})["ownerReferences"] = mine["ownerReferences"]
    if (have.get("spec") or {}).get("sourceRef") != want["spec"]["sourceRef"]:
        patch["spec"] = want["spec"]
    return patch, (have.get("status") or {}) != want["status"]
