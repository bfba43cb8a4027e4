# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Collecting what a support bundle is made of (private to kubestellar.core).

A cluster that does not answer, a kind that is refused, a log that is not there: each is noted where it would have been, and
holds nothing else up. Nothing is written to a cluster, and nothing here is redacted yet: `bundle` does that.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from ansible_collections.kubestellar.core.plugins.module_utils import _bounds, _bulk, _space
from ansible_collections.kubestellar.core.plugins.module_utils._client import (
    MOST_PAGES,
    Cluster,
    list_problem,
)
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    InvalidInput,
    KubestellarError,
    plain,
)
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    CONTROL_PLANES,
    PODS,
    POST_CREATE_HOOKS,
)
from ansible_collections.kubestellar.core.plugins.module_utils._yaml import dump_yaml
from ansible_collections.kubestellar.core.plugins.module_utils.doctor.facts import role_of
from ansible_collections.kubestellar.core.plugins.module_utils.hub import release
from ansible_collections.kubestellar.core.plugins.module_utils.support import plan, redact
from ansible_collections.kubestellar.core.plugins.module_utils.support.program import Answer, Program

COLLECTED, EMPTY, CUT, NOT_SERVED, FAILED = "collected", "empty", "cut", "not served", "failed"
"""What became of a piece. `cut`: there is more than the limit of bytes lets in."""

CLUSTERS_AT_ONCE = 4
_ANSWERS_AT_ONCE = 3
_ROLES = {plan.HOSTING: "hosting cluster", plan.SPACE: "space", plan.STACK: "processes of stack"}
_PAGE = 200
_PROBE_SECONDS = 10.0
_HOSTING_SECONDS = 5.0
_LARGER = 4
"""JSON with managedFields is some times as large as what is left of it."""

_LEGAL = re.compile(r"^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$")


@dataclass(frozen=True)
class Limits:
    """How much is collected.

    :ivar lines: of each log.
    :ivar since: only log lines of Pods that are not older, such as `2h`; empty for all.
    :ivar size: bytes of each file of the bundle.
    :ivar seconds: for each cluster.
    """

    lines: int = 500
    since: str = ""
    size: int = 2_000_000
    seconds: float = 120.0


@dataclass(frozen=True)
class Place:
    """A cluster to collect from.

    :ivar role: see `plan.wants`.
    :ivar cluster: None if it cannot be used, and then `trouble` says why.
    :ivar spaces: for the hosting cluster, names of its ControlPlanes.
    """

    role: str
    name: str
    cluster: Cluster | None = None
    trouble: str = ""
    spaces: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """`hosting cluster hub`, `ITS its1`, `WEC cluster1`."""
        return f"{_ROLES.get(self.role, self.role.upper())} {plain(self.name, 80)}"

    @property
    def server(self) -> str:
        """URL of its API server; empty if it is not known."""
        return self.cluster.server if self.cluster else ""


@dataclass(frozen=True)
class Piece:
    """What was, or was not, collected: one list, or one log.

    :ivar what: such as `deployments.apps in kubeflex-system`, `log of kubeflex-system/manager-0 (manager)`.
    :ivar path: below the folder of the cluster, without a suffix for lists.
    :ivar reason: why it is not whole.
    """

    what: str
    path: str
    state: str
    reason: str = ""
    items: Sequence[Mapping[str, Any]] = ()
    text: str = ""
    want: plan.Want | None = None


@dataclass(frozen=True)
class Harvest:
    """Everything of one cluster.

    :ivar trouble: why nothing could be had; empty if something could.
    :ivar version: of its API server.
    :ivar credentials: with which it was read; they must be in no file.
    """

    place: Place
    trouble: str = ""
    version: str = ""
    credentials: Sequence[str] = field(default=(), repr=False)
    pieces: Sequence[Piece] = field(default_factory=list)


# -- where to collect ---------------------------------------------------------------------------------------------------


def places(hosting: Cluster, wecs: Iterable[Mapping[str, Any]]) -> list[Place]:
    """The hosting cluster, its spaces, and the WECs, in this order. A cluster that cannot be used says why.

    :param wecs: `{name, kubeconfig, context}` of each.
    """
    found = [Place(plan.HOSTING, hosting.name, hosting)]
    try:
        hosting.version(timeout=_HOSTING_SECONDS, attempts=2)
        planes = hosting.list(CONTROL_PLANES).items
    except KubestellarError as error:
        # The program may say more, and it collects what else there is.
        found = [replace(found[0], trouble=error.message.rstrip("."))]
        planes = []
    try:
        hooks = hosting.list(POST_CREATE_HOOKS).items if planes else []
    except KubestellarError:
        hooks = []  # a role that no label says is not known then
    names = tuple(sorted(str(plane["metadata"]["name"]) for plane in planes))
    found[0] = replace(found[0], spaces=names)
    found += sorted(
        _bulk.in_parallel(lambda plane: _space_of(hosting, plane, role_of(plane, hooks)), planes),
        key=lambda place: place.name,
    )
    return found + wecs_of(wecs)


def wecs_of(wecs: Iterable[Mapping[str, Any]]) -> list[Place]:
    """The WECs, by name. :param wecs: see `places`."""
    return [_wec(entry) for entry in sorted(wecs, key=lambda entry: str(entry["name"]))]


def _space_of(hosting: Cluster, plane: Mapping[str, Any], role: str) -> Place:
    name = str(plane["metadata"]["name"])
    role = role if role in ("its", "wds") else plan.SPACE
    try:
        return Place(role, name, _space.connect_to(hosting, plane))
    except (InvalidInput, ValueError):
        # What the parser says could quote the Secret.
        return Place(role, name, trouble="the kubeconfig in its Secret is not valid")
    except KubestellarError as error:
        return Place(role, name, trouble=error.message.rstrip("."))


def _wec(entry: Mapping[str, Any]) -> Place:
    name = str(entry["name"])
    if not entry.get("kubeconfig"):
        return Place(plan.WEC, name, trouble="no connection to it is given")
    try:
        return Place(
            plan.WEC, name, Cluster.from_kubeconfig(entry["kubeconfig"], entry.get("context"), name=name)
        )
    except KubestellarError as error:
        return Place(plan.WEC, name, trouble=error.message.rstrip("."))


# -- collecting ---------------------------------------------------------------------------------------------------------


def collect(place: Place, program: str, folder: str, limits: Limits) -> Harvest:
    """Everything of one cluster that can be had in its time.

    :param program: path of `oc` or `kubectl`.
    :param folder: a private folder for the kubeconfig.
    """
    if place.cluster is None:
        return Harvest(place, trouble=place.trouble)
    try:
        kubeconfig = place.cluster.kubeconfig()
    except KubestellarError as error:
        return Harvest(place, trouble=error.message.rstrip("."))
    running = Program(program, kubeconfig, folder, time.monotonic() + limits.seconds)
    try:
        probe = running.raw("/version", seconds=_PROBE_SECONDS)
        credentials = tuple(redact.kubeconfig_values(dump_yaml(kubeconfig)))
        if probe.error:
            return Harvest(place, trouble=probe.error, credentials=credentials)
        return Harvest(place, "", _version(probe.text), credentials, _pieces(place, running, limits))
    finally:
        running.close()


def _version(text: str) -> str:
    try:
        return plain(_bounds.json_value(text)["gitVersion"], 40)
    except (ValueError, KeyError, TypeError):
        return "unknown"


def _pieces(place: Place, program: Program, limits: Limits) -> list[Piece]:
    def lists_of(wants: Sequence[plan.Want]) -> list[Piece]:
        return _bulk.in_parallel(lambda want: _list(program, want, limits), wants, workers=_ANSWERS_AT_ONCE)

    lists = lists_of(plan.wants(place.role, place.spaces))
    klusterlets = [item for piece in lists if piece.what == plan.KLUSTERLETS for item in piece.items]
    lists += lists_of(plan.agents_elsewhere(klusterlets))
    pods = [pod for piece in lists if piece.want and piece.want.resource is PODS for pod in piece.items]
    logs = _bulk.in_parallel(
        lambda one: _log(program, one, limits), list(_containers(pods)), workers=_ANSWERS_AT_ONCE
    )
    return [*lists, *logs]


def _list(program: Program, want: plan.Want, limits: Limits) -> Piece:
    """One list, page by page until it is all there or as large as it may be."""
    path = f"objects/{want.name}/{want.namespace or 'all'}"
    items: list[dict[str, Any]] = []
    size, token, state, reason = 0, "", EMPTY, ""
    for _number in range(MOST_PAGES):
        query = {
            "limit": _PAGE,
            "labelSelector": want.label_selector,
            "fieldSelector": want.field_selector,
            "continue": token,
        }
        url = want.resource.path(want.namespace or None)
        answer = program.raw(f"{url}?{urlencode({key: value for key, value in query.items() if value})}")
        page, told = _page(answer)
        if told:
            state = (NOT_SERVED if answer.absent else FAILED) if not items else CUT
            reason = "the API server does not know this kind" if answer.absent else told
            break
        for item in page.get("items") or []:
            items.append({**item, "apiVersion": want.resource.api_version, "kind": want.resource.kind})
        size += len(answer.text)
        metadata = page.get("metadata") or {}
        before, token = token, str(metadata.get("continue") or "")
        if not token:
            state = COLLECTED if items else EMPTY
            break
        if token == before:
            state, reason = CUT, "the list has no end"
            break
        if size > limits.size * _LARGER:
            state = CUT
            reason = f"{metadata.get('remainingItemCount') or 'some'} more are left out by the limit of {limits.size} bytes"
            break
    if want.releases:
        items = [_release(item) for item in items]
    return Piece(want.label, path, state, reason, items=items, want=want)


def _page(answer: Answer) -> tuple[dict[str, Any], str]:
    """A page of a list, and why it is none."""
    if answer.error:
        return {}, answer.error
    try:
        page = _bounds.json_value(answer.text)
    except ValueError:
        return {}, "the answer is not JSON"
    problem = list_problem(page) if isinstance(page, dict) else "no list of objects"
    return ({}, f"the answer is {problem}") if problem else (page, "")


def _release(secret: Mapping[str, Any]) -> dict[str, Any]:
    """What a Secret of Helm says of a release, without its values and manifest."""
    metadata = secret["metadata"]
    labels = metadata.get("labels") or {}
    told: dict[str, Any] = {
        "namespace": str(metadata.get("namespace") or ""),
        "release": str(labels.get("name") or ""),
        "revision": str(labels.get("version") or ""),
        "status": str(labels.get("status") or ""),
        "written": str(metadata.get("creationTimestamp") or ""),
    }
    try:
        revision = release.revision(secret)
    except KubestellarError:
        return {**told, "chart": "it is not a Helm release that can be read"}
    return {**told, **revision.result()}


# -- logs ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Container:
    """A container of which there may be a log.

    :ivar previous: the one before it was restarted is meant.
    :ivar waiting: why it has not started; empty if it has.
    """

    namespace: str
    pod: str
    name: str
    previous: bool = False
    waiting: str = ""


def _containers(pods: Iterable[Mapping[str, Any]]) -> Iterator[_Container]:
    for pod in pods:
        metadata, spec, status = (pod.get(key) or {} for key in ("metadata", "spec", "status"))
        namespace, name = str(metadata.get("namespace")), str(metadata.get("name"))
        kinds = ("initContainer", "container", "ephemeralContainer")
        states = {str(one.get("name")): one for kind in kinds for one in status.get(f"{kind}Statuses") or []}
        for kind in kinds:
            for container in spec.get(f"{kind}s") or []:
                one = _Container(namespace, name, str(container.get("name")))
                state = states.get(one.name) or {}
                restarted = int(state.get("restartCount") or 0) > 0
                waiting = (state.get("state") or {}).get("waiting")
                if (waiting or not state) and not restarted:
                    yield replace(one, waiting=str((waiting or {}).get("reason") or "it was not started"))
                    continue
                yield one
                if restarted:
                    yield replace(one, previous=True)


def _log(program: Program, container: _Container, limits: Limits) -> Piece:
    suffix = ".previous" if container.previous else ""
    what = f"{'previous ' if container.previous else ''}log of {container.namespace}/{container.pod} ({container.name})"
    path = f"logs/{container.namespace}/{container.pod}/{container.name}{suffix}.log"
    if not all(map(_LEGAL.match, (container.namespace, container.pod, container.name))):
        return Piece(plain(what, 200), "", FAILED, "its name is not one that Kubernetes allows")
    if container.waiting:
        return Piece(what, path, EMPTY, f"the container has not started: {plain(container.waiting, 100)}")
    # The server cuts a log behind, where the news are: so it may send more than what is kept.
    arguments = [f"--tail={limits.lines}", "--timestamps", f"--limit-bytes={limits.size * _LARGER}"]
    if limits.since:
        arguments.append(f"--since={limits.since}")
    if container.previous:
        arguments.append("--previous")
    answer = program.logs(container.namespace, container.pod, container.name, arguments)
    if answer.error:
        return Piece(what, path, FAILED, answer.error)
    return Piece(what, path, COLLECTED if answer.text.strip() else EMPTY, text=answer.text)


def processes(stack: str, limits: Limits) -> Harvest:
    """The logs of the processes of an embedded stack: those of its controllers and agents, and those of its clusters.

    Not the audit logs of API servers.

    :param stack: folder of the stack (see `embedded.home.Stack`).
    """
    place = Place(plan.STACK, os.path.basename(stack.rstrip("/")))
    folders = [(Path(stack, "logs"), "logs")]
    clusters = Path(stack, "kwok", "clusters")
    if clusters.is_dir():
        folders += [(one / "logs", f"clusters/{one.name}") for one in sorted(clusters.iterdir())]
    pieces = []
    for folder, name in folders:
        for path in sorted([*folder.glob("*.log"), *folder.glob("*.out")]):
            if path.name.startswith("audit"):
                continue
            pieces.append(_tail(path, f"{name}/{path.name}", limits))
    if not pieces:
        return Harvest(place, trouble=f"there are no logs in {stack}")
    return Harvest(place, pieces=pieces)


def _tail(path: Path, name: str, limits: Limits) -> Piece:
    """The last lines of a file."""
    what = f"log {name}"
    try:
        with open(path, "rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - limits.size))
            data = stream.read(limits.size)
    except OSError as error:
        return Piece(what, name, FAILED, f"it cannot be read: {error.strerror}")
    text = data.decode("utf-8", errors="replace")
    if size > limits.size:
        text = text.partition("\n")[2]  # not half a line: half a token would not be known for one
    lines = text.splitlines(keepends=True)[-limits.lines :] if limits.lines else []
    return Piece(what, name, COLLECTED if lines else EMPTY, text="".join(lines))
