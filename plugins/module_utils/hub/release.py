# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Helm release of the core chart, as Helm's own Secrets tell it (private to kubestellar.core).

Helm keeps each revision of a release in a Secret `sh.helm.release.v1.<release>.v<revision>` of its namespace: base64 of
gzipped JSON (helm: pkg/storage/driver/{secrets,util}.go). An upgrade deletes what the deployed revision has and the new one
has not, and it refuses to start while a revision is pending, also if the helm that began it is long dead.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bulk, _control_plane
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster, load_yaml
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    InvalidInput,
    KubestellarError,
    NotFound,
    Refused,
    plain,
)
from ansible_collections.kubestellar.core.plugins.module_utils._resources import CONTROL_PLANES, SECRETS

PENDING = ("pending-install", "pending-upgrade", "pending-rollback")
ANNOTATION = "kubestellar.core/release"
"""On spaces that are made beside a release, with its `<namespace>/<name>`."""

_RELEASE_NAME, _RELEASE_NAMESPACE = "meta.helm.sh/release-name", "meta.helm.sh/release-namespace"
_LARGEST = 64 * 2**20


@dataclass(frozen=True)
class Revision:
    """One revision of a release.

    :ivar modified: time of its last change, in seconds since the epoch.
    :ivar control_planes: names of the ControlPlanes in its manifest.
    """

    secret: Mapping[str, Any] = field(repr=False)
    number: int
    status: str
    chart: str
    version: str
    modified: float
    control_planes: tuple[str, ...] = ()

    def result(self) -> dict[str, Any]:
        """What results tell about it."""
        return {
            "revision": self.number,
            "status": self.status,
            "chart": self.chart,
            "version": self.version,
            "control_planes": list(self.control_planes),
        }


@dataclass(frozen=True)
class Result:
    """`release`: the newest revision that stays, or None. `healed`: the revisions that were forgotten.

    `dropped`: spaces of the release that are not listed any more; `orphans`: those beside it.
    """

    release: Revision | None
    healed: list[_bulk.Outcome]
    dropped: list[str]
    orphans: list[str] = field(default_factory=list)


def check(
    hosting: Cluster,
    name: str,
    namespace: str,
    spaces: Sequence[Mapping[str, Any]],
    *,
    beside: Sequence[str] = (),
    allow_removal: bool,
    stale_after: float,
    now: float,
    dry_run: bool,
) -> Result:
    """See that an upgrade of the release to these spaces does what is meant, and that helm will start it.

    :param spaces: every ControlPlane of the new values, `{name, type}`.
    :param beside: names of the external spaces that are made beside the release.
    :param stale_after: seconds after which a pending revision is taken for that of a helm that is dead.
    :raises Refused: the upgrade would delete ControlPlanes.
    :raises InvalidInput: a space is there with another type, or belongs to somebody else.
    :raises KubestellarError: another helm is at work.
    """
    revisions = read(hosting, name, namespace)
    live = _control_planes(hosting)
    for space in spaces:
        _check_possible(hosting, live.get(space["name"]), space, name, namespace)
    for space_name in beside:
        _check_beside(hosting, live.get(space_name), space_name)
    wanted = {space["name"] for space in spaces}
    has = sorted({plane for revision in _bases(revisions) for plane in revision.control_planes})
    dropped = [plane for plane in has if plane in live and plane not in wanted]
    if dropped and not allow_removal:
        raise Refused(
            f"{hosting.name}: the release {name} has the ControlPlanes {', '.join(dropped)}, which are not listed any more: "
            "the upgrade would delete them with everything in them.",
            hint="List them in hub_itses or hub_wdses; if they are to go, set hub_remove_spaces.",
            refused=dropped,
        )
    pending = [revision for revision in revisions if revision.status in PENDING]
    fresh = [revision for revision in pending if now - revision.modified < stale_after]
    if fresh:
        raise KubestellarError(
            f"{hosting.name}: the release {name} is {fresh[-1].status} since {now - fresh[-1].modified:.0f} s: another helm is "
            "at work, or has died.",
            hint=f"Let it finish; what stays so for {stale_after:.0f} s is repaired by the next run.",
        )
    healed = _bulk.delete_all(hosting, [(SECRETS, dict(r.secret)) for r in pending], dry_run=dry_run)
    _bulk.raise_failures(healed, hosting.name, "delete")
    left = [revision for revision in revisions if revision not in pending]
    orphans = sorted(
        plane
        for plane, found in live.items()
        if (found["metadata"].get("annotations") or {}).get(ANNOTATION) == f"{namespace}/{name}"
        and plane not in beside
    )
    return Result(left[-1] if left else None, healed, dropped, orphans)


def read(hosting: Cluster, name: str, namespace: str) -> list[Revision]:
    """The revisions of a release that Helm remembers, oldest first."""
    listing = hosting.list(SECRETS, namespace, label_selector=f"owner=helm,name={name}")
    return sorted((revision(secret) for secret in listing.items), key=lambda found: found.number)


def revision(secret: Mapping[str, Any]) -> Revision:
    """A revision from its Secret.

    :raises KubestellarError: it is not what Helm writes.
    """
    where = f"Secret {secret['metadata'].get('namespace')}/{secret['metadata'].get('name')}"
    labels = secret["metadata"].get("labels") or {}
    try:
        packed = base64.b64decode(base64.b64decode((secret.get("data") or {})["release"]))
        content = json.loads(_unpacked(packed))
        chart = (content.get("chart") or {}).get("metadata") or {}
        manifest = str(content.get("manifest") or "")
        return Revision(
            secret=secret,
            number=int(labels.get("version") or content["version"]),
            status=str(labels.get("status") or (content.get("info") or {}).get("status") or ""),
            chart=str(chart.get("name") or ""),
            version=str(chart.get("version") or ""),
            modified=_modified(secret),
            control_planes=tuple(
                str(document["metadata"]["name"])
                for document in load_yaml(manifest, where)
                if document.get("kind") == CONTROL_PLANES.kind
            ),
        )
    except (KeyError, TypeError, ValueError, binascii.Error, zlib.error, InvalidInput) as error:
        raise KubestellarError(
            f"The {where} is not a Helm release that can be read: {plain(error, 200)}.",
            hint="Which ControlPlanes an upgrade would delete cannot be said; nothing was changed.",
        ) from error


def _unpacked(packed: bytes) -> bytes:
    if not packed.startswith(b"\x1f\x8b"):
        return packed
    opened = zlib.decompressobj(16 + zlib.MAX_WBITS)
    content = opened.decompress(packed, _LARGEST)
    if opened.unconsumed_tail:
        raise ValueError(f"it is larger than {_LARGEST} bytes")
    return content


def _modified(secret: Mapping[str, Any]) -> float:
    labels = secret["metadata"].get("labels") or {}
    if labels.get("modifiedAt") or labels.get("createdAt"):
        return float(labels.get("modifiedAt") or labels["createdAt"])
    return datetime.fromisoformat(str(secret["metadata"]["creationTimestamp"])).timestamp()


def _bases(revisions: Sequence[Revision]) -> list[Revision]:
    """What Helm compares the new revision with: the deployed one; and the newest, which may have been begun since."""
    alive = [found for found in revisions if found.status not in ("superseded", "uninstalled")]
    deployed = [found for found in alive if found.status == "deployed"]
    return [*deployed[-1:], *[found for found in alive[-1:] if found.status != "deployed"]]


def _control_planes(hosting: Cluster) -> dict[str, dict[str, Any]]:
    """The ControlPlanes that are there. Where the kind is not served there are none, since nothing could hold them."""
    try:
        return _control_plane.read_all(hosting)
    except NotFound:
        return {}


def _check_live(hosting: Cluster, live: Mapping[str, Any], name: str, wanted: str | None) -> None:
    """:raises KubestellarError: it is of another type, or on its way out."""
    there = (live.get("spec") or {}).get("type")
    if wanted and there != wanted:
        raise InvalidInput(
            f"{hosting.name}: the ControlPlane {name} is of type {plain(there, 40)} and cannot become {wanted}.",
            hint="Correct its type in the inventory, or remove it first.",
        )
    if live["metadata"].get("deletionTimestamp"):
        raise KubestellarError(
            f"{hosting.name}: the ControlPlane {name} is being deleted.",
            hint="Wait until it is gone, then run again; if it stays, is the KubeFlex manager running?",
        )


def _check_beside(hosting: Cluster, live: Mapping[str, Any] | None, name: str) -> None:
    """A space that is made beside the release must not be in one."""
    if live is None:
        return
    _check_live(hosting, live, name, "external")
    annotations = live["metadata"].get("annotations") or {}
    if annotations.get(_RELEASE_NAME):
        raise InvalidInput(
            f"{hosting.name}: the ControlPlane {name} is there already and belongs to the release "
            f"{plain(annotations.get(_RELEASE_NAMESPACE), 80)}/{plain(annotations[_RELEASE_NAME], 80)}.",
            hint="Give the space another name.",
        )


def _check_possible(
    hosting: Cluster,
    live: Mapping[str, Any] | None,
    space: Mapping[str, Any],
    release: str,
    namespace: str,
) -> None:
    if live is None:
        return
    name = space["name"]
    _check_live(hosting, live, name, space.get("type"))
    annotations = live["metadata"].get("annotations") or {}
    owner = annotations.get(_RELEASE_NAMESPACE), annotations.get(_RELEASE_NAME)
    if owner != (namespace, release):
        of = f"the release {plain(owner[0], 80)}/{plain(owner[1], 80)}" if owner[1] else "no Helm release"
        raise InvalidInput(
            f"{hosting.name}: the ControlPlane {name} is there already and belongs to {of}, not to {namespace}/{release}.",
            hint="Correct hub_chart_release and hub_chart_namespace, or give the space another name.",
        )
