# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for conditions by watch (private to kubestellar.core).

A `Follower` keeps the objects of one resource as they are now. `wait_until` evaluates a condition each time
something has changed, and ends in a `WaitTimeout` that says who lacks what.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster, Expired
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    ApiError,
    ConnectionFailed,
    NotFound,
    WaitTimeout,
)
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils._resources import Resource

_WATCH_SECONDS = 240.0
_RETRY_SECONDS = 1.0
_SETTLE_SECONDS = 0.05
_FIRST_ANSWER_SECONDS = 10
"""What a first answer may take before it is worth a line."""
_LONGEST_PAUSE = 1.0
"""Looks at many objects take a fifth of the time, but none is later than this."""


@dataclass(frozen=True)
class Verdict:
    """What an evaluation found. Not done: `missing` has one line per thing that is still lacking.

    :param again: seconds after which to evaluate anew although no event came.
    """

    done: bool
    missing: Sequence[str] = field(default_factory=tuple)
    again: float = 5.0


class Follower:
    """Keeps the objects of one resource (in one namespace, or all) current in a background thread.

    Lists, watches from there, lists again when the version expired, and reconnects for as long as it runs;
    the last trouble is in `trouble`. A resource that is not served yet is an empty, unsynced set.

    :param keep: what to remember of each object; None for an object that does not matter. Done once for each event, and not at
        each look, it is the place to parse them.
    """

    def __init__(
        self,
        cluster: Cluster,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
        notify: Callable[[], None] = lambda: None,
        keep: Callable[[dict[str, Any]], Any] = lambda obj: obj,
    ) -> None:
        self._keep = keep
        self.cluster = cluster
        self.resource = resource
        self.trouble = ""
        self.synced = False
        self._scope = namespace
        self._label_selector = label_selector
        self._field_selector = field_selector
        self._notify = notify
        self._objects: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"follow-{resource.plural}", daemon=True)

    def start(self) -> Follower:
        """Begin to follow; returns itself."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop at the next event; does not wait for it."""
        self._stopped.set()

    def objects(self) -> dict[tuple[str, str], Any]:
        """A snapshot: (namespace, name) to object, or to what is kept of it."""
        with self._lock:
            return dict(self._objects)

    def get(self, name: str, namespace: str = "") -> Any:
        """One object of the snapshot, or None."""
        with self._lock:
            return self._objects.get((namespace, name))

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                version = self._relist()
                while not self._stopped.is_set():
                    version = self._follow(version)
            except Expired:
                continue
            except (ConnectionFailed, ApiError) as error:
                self.trouble = error.message
                if isinstance(error, NotFound):
                    self.synced = False
                self._notify()
                self._stopped.wait(_RETRY_SECONDS)

    def _relist(self) -> str:
        listing = self.cluster.list(
            self.resource,
            self._scope,
            label_selector=self._label_selector,
            field_selector=self._field_selector,
        )
        kept = [(_key(item), self._keep(item)) for item in listing.items]
        with self._lock:
            self._objects = {key: item for key, item in kept if item is not None}
        self.synced, self.trouble = True, ""
        self._notify()
        return listing.resource_version

    def _follow(self, version: str) -> str:
        for event in self.cluster.watch(
            self.resource,
            self._scope,
            resource_version=version,
            label_selector=self._label_selector,
            field_selector=self._field_selector,
            timeout=_WATCH_SECONDS,
        ):
            version = str((event.object.get("metadata") or {}).get("resourceVersion") or version)
            if event.type == "BOOKMARK":
                continue
            kept = None if event.type == "DELETED" else self._keep(event.object)
            with self._lock:
                known = self._objects.pop(_key(event.object), None)
                if kept is not None:
                    self._objects[_key(event.object)] = kept
            if kept is not None or known is not None:
                self._notify()
            if self._stopped.is_set():
                break
        else:
            # A server that closes each watch at once must not be asked without pause.
            self._stopped.wait(0.1)
        return version


class Waiter:
    """Several followers and one condition over them."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._changed = threading.Event()
        self._followers: list[Follower] = []
        self._helpers: list[Follower] = []

    def follow(
        self,
        cluster: Cluster,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
        keep: Callable[[dict[str, Any]], Any] = lambda obj: obj,
        required: bool = True,
    ) -> Follower:
        """A started follower whose events wake `until`.

        :param keep: as for `Follower`.
        :param required: whether nothing can be said without it; else the wait goes on if it cannot be read.
        """
        follower = Follower(
            cluster,
            resource,
            namespace,
            label_selector=label_selector,
            field_selector=field_selector,
            notify=self._changed.set,
            keep=keep,
        ).start()
        (self._followers if required else self._helpers).append(follower)
        return follower

    def until(self, evaluate: Callable[[], Verdict], *, timeout: float, what: str, hint: str = "") -> float:
        """Wait until `evaluate` is done; seconds waited.

        :param what: completes "waiting for ..." in progress lines and "... did not come" in the error.
        :raises WaitTimeout: after `timeout` seconds, with `missing` as last evaluated.
        """
        start = time.monotonic()
        try:
            while True:
                self._changed.clear()
                began = time.monotonic()
                verdict = Verdict(False, ["no answer from the API server yet"])
                synced = all(follower.synced for follower in self._followers)
                if synced:
                    verdict = evaluate()
                if verdict.done:
                    return time.monotonic() - start
                waited = time.monotonic() - start
                looked = time.monotonic() - began
                missing = list(verdict.missing) + [f.trouble for f in self._followers if f.trouble]
                if waited >= timeout:
                    raise WaitTimeout(
                        f"{what}: not reached after {waited:.0f} s: {summary(missing, 5)}.",
                        hint=hint,
                        missing=missing,
                    )
                if synced or waited >= _FIRST_ANSWER_SECONDS:
                    self._progress.waiting(f"waiting for {what}: {summary(missing, 2)}")
                self._changed.wait(min(verdict.again, timeout - waited))
                # Events come in swarms, and the machine may be that of the API server.
                time.sleep(min(max(_SETTLE_SECONDS, 4 * looked), _LONGEST_PAUSE))
        finally:
            for follower in (*self._followers, *self._helpers):
                follower.stop()


def summary(lines: Sequence[str], most: int) -> str:
    """The first `most` lines and how many more there are."""
    if not lines:
        return "nothing known"
    shown = "; ".join(lines[:most])
    return shown if len(lines) <= most else f"{shown}; and {len(lines) - most} more"


def condition(obj: dict[str, Any] | None, kind: str) -> dict[str, Any]:
    """The status condition of a type, or an empty mapping."""
    for found in ((obj or {}).get("status") or {}).get("conditions") or []:
        if found.get("type") == kind:
            return dict(found)
    return {}


def _key(obj: dict[str, Any]) -> tuple[str, str]:
    metadata = obj.get("metadata") or {}
    return str(metadata.get("namespace") or ""), str(metadata.get("name") or "")
