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
import io
import math
import os
import re
import tarfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bounds, _bulk, _control_plane
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    InvalidInput,
    KubestellarError,
    NotFound,
    Refused,
    plain,
)
from ansible_collections.kubestellar.core.plugins.module_utils._resources import CONTROL_PLANES, SECRETS
from ansible_collections.kubestellar.core.plugins.module_utils._yaml import load_yaml
from ansible_collections.kubestellar.core.plugins.module_utils.hub import steps
from ansible_collections.kubestellar.core.plugins.module_utils.hub.values import (
    RELEASE_STEPS,
    of_steps,
    spaces_of,
    steps_of,
)

PENDING = ("pending-install", "pending-upgrade", "pending-rollback")
ANNOTATION = "kubestellar.core/release"
"""On spaces that are made beside a release, with its `<namespace>/<name>`."""

_RELEASE_NAME, _RELEASE_NAMESPACE = "meta.helm.sh/release-name", "meta.helm.sh/release-namespace"
_LARGEST = 64 * 2**20
_CHART_FILE = "Chart.yaml"
_NUMBER = re.compile(r"[0-9]{1,18}")
_VERSION = re.compile(r"v?([0-9]{1,18}\.[0-9]{1,18}\.[0-9]{1,18})(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?")


@dataclass(frozen=True)
class Revision:
    """One revision of a release.

    :ivar modified: time of its last change, in seconds since the epoch.
    :ivar control_planes: names of the ControlPlanes in its manifest.
    :ivar values: the values it was given, which may hold secrets.
    """

    secret: Mapping[str, Any] = field(repr=False)
    number: int
    status: str
    chart: str
    version: str
    modified: float
    control_planes: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def result(self) -> dict[str, Any]:
        """What results tell about it."""
        return {
            "revision": self.number,
            "status": self.status,
            "chart": self.chart,
            "version": self.version,
            "control_planes": list(self.control_planes),
            "steps": steps_of(self.values),
        }


@dataclass(frozen=True)
class Result:
    """`release`: the newest revision that stays, or None. `healed`: the revisions that were forgotten. `values`: for Helm.

    `dropped`: spaces of the release that are not listed any more; `orphans`: those beside it.

    :ivar previous: the last version of the chart other than that of `release`, or than that of the upgrade; empty if Helm
        remembers none.
    """

    release: Revision | None
    healed: list[_bulk.Outcome]
    dropped: list[str]
    values: dict[str, Any]
    previous: str = ""
    orphans: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Wanted:
    """What a release is to become.

    :ivar values: those of the whole hub, see `values.chart_values`.
    :ivar steps: which of `values.RELEASE_STEPS` it is to get of them; of the others it keeps what it has.
    :ivar done: further ones that count as done, because this is a check run and they would have been by now.
    """

    values: Mapping[str, Any]
    steps: Sequence[str] = RELEASE_STEPS
    done: Sequence[str] = ()


@dataclass(frozen=True)
class Upgrade:
    """What an upgrade is to lead to. :ivar version: that of the chart; empty if it is not known."""

    version: str
    allow_downgrade: bool = False


def check(
    hosting: Cluster,
    name: str,
    namespace: str,
    want: Wanted,
    *,
    beside: Sequence[str] = (),
    allow_removal: bool,
    heal: bool = True,
    stale_after: float,
    now: float,
    dry_run: bool,
    upgrade: Upgrade | None = None,
) -> Result:
    """See that an upgrade of the release does what is meant, and that helm will start it.

    :param beside: names of the external spaces that are made beside the release.
    :param heal: whether what a dead helm left pending is forgotten; a removal needs it, to know what there is to remove.
    :param stale_after: seconds after which a pending revision is taken for that of a helm that is dead.
    :param upgrade: what must be an upgrade of a release that is there.
    :raises Refused: the upgrade would delete ControlPlanes, or it is none.
    :raises InvalidInput: a space is there with another type, or belongs to somebody else.
    :raises PreflightFailed: a step is too early, naming the one to run first.
    :raises KubestellarError: another helm is at work.
    """
    revisions = read(hosting, name, namespace)
    if upgrade is not None:
        _check_upgrade(hosting, name, revisions, upgrade)
    # Also one that a dead helm left pending: what it was to get may be there.
    last = revisions[-1] if revisions and revisions[-1].status != "uninstalled" else None
    values = of_steps(want.values, [*want.steps, *want.done], last.values if last else None)
    spaces = spaces_of(values)
    _check_order(hosting, want)
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
    forgotten = pending if heal else []
    healed = _bulk.delete_all(hosting, [(SECRETS, dict(r.secret)) for r in forgotten], dry_run=dry_run)
    _bulk.raise_failures(healed, hosting.name, "delete")
    left = [revision for revision in revisions if revision not in forgotten]
    previous = previous_version(left, upgrade.version if upgrade else "")
    orphans = sorted(
        plane
        for plane, found in live.items()
        if (found["metadata"].get("annotations") or {}).get(ANNOTATION) == f"{namespace}/{name}"
        and plane not in beside
    )
    return Result(left[-1] if left else None, healed, dropped, values, previous, orphans)


def _check_order(hosting: Cluster, want: Wanted) -> None:
    """:raises PreflightFailed: a step is too early."""
    itses = [its for its in want.values.get("ITSes") or [] if isinstance(its, Mapping)]
    makes = [step for step in want.steps if step in steps_of(want.values)]
    steps.check_order(
        hosting,
        makes,
        [str(its.get("name")) for its in itses],
        [],
        ocm=any(its.get("install_clusteradm") is not False for its in itses),
        done=want.done,
        idle=[step for step in want.steps if step not in makes],
    )


def _check_upgrade(hosting: Cluster, name: str, revisions: Sequence[Revision], upgrade: Upgrade) -> None:
    alive = [found for found in _bases(revisions) if found.status not in PENDING]
    if not alive:
        raise Refused(
            f"{hosting.name}: there is no release {name} that could be upgraded.",
            hint="Install the hub first (kubestellar.core.hub), or correct hub_chart_release and hub_chart_namespace.",
            refused=[name],
        )
    there = alive[-1].version
    if is_older(upgrade.version, there) and not upgrade.allow_downgrade:
        raise Refused(
            f"{hosting.name}: the release {name} is at version {plain(there, 40)}, and {plain(upgrade.version, 40)} is older.",
            hint="Correct hub_chart_version; if the older one is meant, set hub_allow_downgrade.",
            refused=[name],
        )


def previous_version(revisions: Sequence[Revision], version: str = "") -> str:
    """The last version of the chart that was deployed and is another than `version`; empty if there is none.

    :param version: that of the newest revision, if it is empty.
    """
    current = version or (revisions[-1].version if revisions else "")
    done = [found.version for found in revisions if found.status in ("deployed", "superseded")]
    return next((found for found in reversed(done) if found != current), "")


def chart_version(reference: str, version: str) -> str:
    """The version of a chart: that of a folder or file is in it, any other is the one that is asked for.

    :raises InvalidInput: the folder or file is no chart.
    """
    try:
        if os.path.isdir(reference):
            with open(os.path.join(reference, _CHART_FILE), encoding="utf-8") as stream:
                text = stream.read(_LARGEST)
        elif os.path.isfile(reference):
            text = _packed_chart(reference)
        else:
            return version
        (content,) = load_yaml(text, f"{_CHART_FILE} of {reference}")
        return str(content["version"])
    except (OSError, EOFError, KeyError, TypeError, ValueError, tarfile.TarError, zlib.error) as error:
        raise InvalidInput(
            f"The chart {plain(reference, 200)} cannot be read: {plain(error, 200)}.",
            hint="Correct hub_chart_ref.",
        ) from error


def _packed_chart(path: str) -> str:
    with open(path, "rb") as stream:
        content = _bounds.inflated(stream.read(_LARGEST), _LARGEST)
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
        for member in _bounds.members(archive):
            # `core-chart/Chart.yaml`; those of the charts inside are deeper.
            if member.isfile() and member.name.count("/") == 1 and member.name.endswith(f"/{_CHART_FILE}"):
                opened = archive.extractfile(member)
                return opened.read(_LARGEST).decode() if opened else ""
    raise ValueError(f"there is no {_CHART_FILE} in it")


def is_older(version: str, than: str) -> bool:
    """Whether a version comes before another, as Semantic Versioning orders them. One that cannot be read is not older."""
    mine, theirs = _precedence(version), _precedence(than)
    return mine is not None and theirs is not None and mine < theirs


def _precedence(version: str) -> tuple[tuple[int, ...], bool, tuple[tuple[bool, int, str], ...]] | None:
    match = _VERSION.fullmatch(version.strip())
    if match is None:
        return None
    numbers = tuple(map(int, match.group(1).split(".")))
    marks = match.group(2).split(".") if match.group(2) else []
    ordered = tuple((False, int(mark), "") if _NUMBER.fullmatch(mark) else (True, 0, mark) for mark in marks)
    return numbers, not marks, ordered


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
        content = _bounds.json_value(_unpacked(packed))
        chart = (content.get("chart") or {}).get("metadata") or {}
        manifest = str(content.get("manifest") or "")
        return Revision(
            secret=secret,
            number=_bounds.whole(labels.get("version") or content["version"]),
            status=str(labels.get("status") or (content.get("info") or {}).get("status") or ""),
            chart=str(chart.get("name") or ""),
            version=str(chart.get("version") or ""),
            modified=_modified(secret),
            values=dict(content.get("config") or {}),
            control_planes=tuple(
                str(document["metadata"]["name"])
                for document in load_yaml(manifest, where)
                if document.get("kind") == CONTROL_PLANES.kind
            ),
        )
    except (
        *(
            AttributeError,
            KeyError,
            OverflowError,
            TypeError,
            ValueError,
            binascii.Error,
            zlib.error,
            InvalidInput,
        ),
    ) as error:
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
        told = float(labels.get("modifiedAt") or labels["createdAt"])
        if not math.isfinite(told):
            raise ValueError("its time is none")
        return told
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
