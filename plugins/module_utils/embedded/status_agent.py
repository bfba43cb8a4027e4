# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
r"""Returns the status of delivered objects from WECs to their ITSes, as WorkStatus objects.

Stands in for the status add-on where that cannot run (KubeStellar: ocm-status-addon), as a plain process. One serves all WECs of a
stack, since one for each would spend more on starting Python than on its work:

    python -m ansible_collections.kubestellar.core.plugins.module_utils.embedded.status_agent \
        --kubeconfigs FOLDER --wec its1/cluster1 --wec its1/cluster2

It watches, and writes only differences. It ends on SIGTERM, and with status 1 and a sentence on anything
that it cannot go on from, for a supervisor to start it again.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _workstatus
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    ApiError,
    InvalidInput,
    KubestellarError,
    NotFound,
    plain,
)
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    APPLIED_MANIFEST_WORKS,
    MANIFEST_WORKS,
    WORK_STATUSES,
    Resource,
    url_path,
)
from ansible_collections.kubestellar.core.plugins.module_utils._wait import Follower

_USER_AGENT = "kubestellar-status-agent"
_WRITERS = 4
_BATCH_SECONDS = 0.05
_FIRST_RETRY = 1.0
_LONGEST_RETRY = 30.0


def log(text: str) -> None:
    """One line to stderr, with the time."""
    sys.stderr.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S')} {plain(text, 2000)}\n")
    sys.stderr.flush()


class Agent:
    """Keeps the WorkStatuses of one WEC equal to the objects delivered there.

    :param wec: name of the cluster, which is its namespace in the ITS.
    :param interval: seconds after which everything is compared again without an event.
    """

    def __init__(self, its: Cluster, wec_cluster: Cluster, wec: str, interval: float) -> None:
        self._its = its
        self._cluster = wec_cluster
        self._wec = wec
        self._interval = interval
        self._changed = threading.Event()
        self._applied_works = self._follow(wec_cluster, APPLIED_MANIFEST_WORKS, _workstatus.keep_applied_work)
        self._manifest_works = self._follow(its, MANIFEST_WORKS, _workstatus.keep_manifest_work, wec)
        self._work_statuses = self._follow(its, WORK_STATUSES, _workstatus.keep_work_status, wec)
        self._sources: dict[tuple[str, str, str], Follower] = {}
        self._unserved: set[tuple[str, str]] = set()
        self._kinds: dict[tuple[str, str], dict[str, tuple[str, bool]]] = {}
        self._written: dict[str, dict[str, Any] | None] = {}
        self._troubles: dict[str, str] = {}

    def _follow(
        self,
        cluster: Cluster,
        resource: Resource,
        keep: Callable[[dict[str, Any]], dict[str, Any] | None],
        namespace: str | None = None,
    ) -> Follower:
        return Follower(cluster, resource, namespace, notify=self._changed.set, keep=keep)

    def run(self) -> None:
        """Work for ever."""
        for follower in (self._applied_works, self._manifest_works, self._work_statuses):
            follower.start()
        retry = _FIRST_RETRY
        while True:
            self._changed.clear()
            try:
                complete = self.reconcile()
            except KubestellarError as error:
                log(error.message)
                complete = False
            retry = _FIRST_RETRY if complete else min(retry * 2, _LONGEST_RETRY)
            self._changed.wait(self._interval if complete else retry)
            time.sleep(_BATCH_SECONDS)

    def reconcile(self) -> bool:
        """Compare and write once; whether all went well.

        Nothing is removed on the word of a list that could not be read.
        """
        followers = (self._applied_works, self._manifest_works, self._work_statuses)
        self._report_troubles([*followers, *self._sources.values()])
        if not all(follower.synced for follower in followers):
            return True
        applied_works = list(self._applied_works.objects().values())
        complete = self._follow_sources(_workstatus.applied_resources(applied_works))
        sources = [
            _workstatus.Source(*key, kind=follower.resource.kind, objects=follower.objects().values())
            for key, follower in sorted(self._sources.items())
            if follower.synced
        ]
        wanted = _workstatus.desired(
            self._wec,
            applied_works,
            {name: work for (_namespace, name), work in self._manifest_works.objects().items()},
            sources,
        )
        present = self._present()
        unread = {
            key[:1] + key[2:] for key, follower in self._sources.items() if not follower.synced
        } | self._unserved
        jobs: list[Callable[[], None]] = []
        for name, want in wanted.items():
            jobs += self._write(name, want, present.get(name))
        for name, have in present.items():
            reference = have["spec"].get("sourceRef") or {}
            if name not in wanted and (reference.get("group"), reference.get("resource")) not in unread:
                jobs.append(lambda name=name, have=have: self._delete(name, have))  # type: ignore[misc]
        return _in_parallel(jobs) and complete

    def _present(self) -> dict[str, dict[str, Any]]:
        """The WorkStatuses as followed, with our own writes that the watch has not brought back yet."""
        present = {name: obj for (_namespace, name), obj in self._work_statuses.objects().items()}
        for name, mine in list(self._written.items()):
            seen = present.get(name)
            if mine is None:
                if seen is None:
                    del self._written[name]
                else:
                    del present[name]
            elif seen is not None and _version(seen) >= _version(mine):
                del self._written[name]
            else:
                present[name] = mine
        return present

    def _follow_sources(self, needed: set[tuple[str, str, str]]) -> bool:
        """Follow exactly the needed (group, version, resource); whether each is served."""
        for key in set(self._sources) - needed:
            log(f"{self._wec}: no longer watching {'/'.join(key)}")
            self._sources.pop(key).stop()
        self._unserved = set()
        for key in sorted(needed - set(self._sources)):
            group, version, plural = key
            kind, namespaced = self._kind(group, version, plural)
            if not kind:
                self._unserved.add((group, plural))
                continue
            log(f"{self._wec}: watching {'/'.join(key)}")
            resource = Resource(group, version, plural, kind, namespaced)
            self._sources[key] = self._follow(self._cluster, resource, _workstatus.keep_object).start()
        return not self._unserved

    def _kind(self, group: str, version: str, plural: str) -> tuple[str, bool]:
        """Kind of a resource and whether it is namespaced; an empty kind if it is not served."""
        known = self._kinds.get((group, version), {})
        if plural not in known:
            try:
                path = url_path(*(("apis", group, version) if group else ("api", version)))
                answer = self._cluster.request(
                    "GET", path, action=f"read the kinds of {path}", kind="APIResourceList"
                )
            except (NotFound, InvalidInput):
                answer = {}
            known = {
                entry["name"]: (entry["kind"], bool(entry.get("namespaced")))
                for entry in answer.get("resources") or []
            }
            self._kinds[(group, version)] = known
        return known.get(plural, ("", False))

    def _report_troubles(self, followers: Iterable[Follower]) -> None:
        """Log what has changed in the followers' troubles, and when one is over."""
        current = {
            f"{follower.cluster.name} {follower.resource.plural}": follower.trouble for follower in followers
        }
        for what, trouble in current.items():
            before = self._troubles.get(what, "")
            if trouble and not before:
                log(trouble)
            elif before and not trouble:
                log(f"{what}: reading again")
        self._troubles = current

    def _write(
        self, name: str, want: dict[str, Any], have: dict[str, Any] | None
    ) -> list[Callable[[], None]]:
        """The job that brings one WorkStatus up to date, or none."""
        if have is None:
            return [lambda: self._create(name, want)]
        patch, status_differs = _workstatus.differences(want, have)
        if patch or status_differs:
            return [lambda: self._update(name, want, patch, status_differs)]
        return []

    def _create(self, name: str, want: dict[str, Any]) -> None:
        try:
            answer = self._its.create(WORK_STATUSES, {k: v for k, v in want.items() if k != "status"})
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise
            return  # made in between: the watch brings it, and it is compared then
        log(f"{self._wec}: created WorkStatus {name}")
        self._written[name] = _workstatus.keep_work_status(answer)
        if want["status"]:
            self._update(name, want, {}, True)

    def _update(self, name: str, want: dict[str, Any], patch: dict[str, Any], status_differs: bool) -> None:
        try:
            if patch:
                answer = self._its.patch(WORK_STATUSES, name, self._wec, patch)
                log(f"{self._wec}: changed {', '.join(_fields(patch))} of WorkStatus {name}")
                self._written[name] = _workstatus.keep_work_status(answer)
            if status_differs:
                body = [{"op": "add", "path": "/status", "value": want["status"]}]
                answer = self._its.patch(
                    WORK_STATUSES, name, self._wec, body, kind="json", subresource="status"
                )
                log(f"{self._wec}: updated status of WorkStatus {name}")
                self._written[name] = _workstatus.keep_work_status(answer)
        except NotFound:
            self._written.pop(name, None)

    def _delete(self, name: str, have: dict[str, Any]) -> None:
        try:
            self._its.delete(WORK_STATUSES, name, self._wec, uid=have["metadata"]["uid"])
        except ApiError as error:
            if error.status != 409:
                raise
            return  # another object of this name by now: the watch brings it
        log(f"{self._wec}: deleted WorkStatus {name}")
        self._written[name] = None


def _fields(patch: dict[str, Any]) -> list[str]:
    return [*(patch.get("metadata") or {}), *(key for key in patch if key != "metadata")]


def _version(obj: dict[str, Any]) -> int:
    """The resourceVersion as a number: comparable within one resource (Kubernetes API concepts)."""
    return int(obj["metadata"]["resourceVersion"])


def _in_parallel(jobs: Sequence[Callable[[], None]]) -> bool:
    """Run jobs in a few daemon threads, which do not hold up SIGTERM; whether all went well."""
    queue, lock, failed = iter(jobs), threading.Lock(), threading.Event()

    def work() -> None:
        while True:
            with lock:
                job = next(queue, None)
            if job is None:
                return
            try:
                job()
            except KubestellarError as error:
                log(error.message)
                failed.set()

    threads = [threading.Thread(target=work, daemon=True) for _number in range(min(_WRITERS, len(jobs)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return not failed.is_set()


def _die(arguments: threading.ExceptHookArgs) -> None:
    """A thread that ends on a surprise would leave the agent blind: end loudly, to be started again."""
    text = "".join(
        traceback.format_exception(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)
    )
    log(f"giving up after a programming error: {text}")
    os.kill(os.getpid(), signal.SIGUSR1)


def _exit(status: int) -> Callable[[int, Any], None]:
    def handler(_number: int, _frame: Any) -> None:
        log("stopped")
        raise SystemExit(status)

    return handler


def _serve(kubeconfigs: Path, its: str, wec: str, interval: float) -> None:
    """Work for one WEC for ever. That its connection cannot be used stops none of the others."""
    while True:
        try:
            hub, cluster = (
                Cluster.from_kubeconfig(kubeconfigs / name, name, name=name) for name in (its, wec)
            )
        except KubestellarError as error:
            log(str(error.result()["msg"]))
            time.sleep(_LONGEST_RETRY)
            continue
        hub.user_agent = cluster.user_agent = _USER_AGENT
        log(f"{wec}: returning status to {its} at {hub.server}")
        Agent(hub, cluster, wec, interval).run()


def main(argv: Sequence[str] | None = None) -> None:
    """Run the agent; it ends by a signal. :param argv: arguments without the program name."""
    parser = argparse.ArgumentParser(
        prog="status_agent", description="Returns status from WECs to their ITS."
    )
    parser.add_argument(
        "--kubeconfigs", type=Path, required=True, help="folder with a kubeconfig for each cluster"
    )
    parser.add_argument(
        "--wec",
        action="append",
        required=True,
        metavar="ITS/WEC",
        help="a cluster and where it is registered",
    )
    parser.add_argument("--interval", type=float, default=60.0, help="seconds between full comparisons")
    options = parser.parse_args(argv)
    signal.signal(signal.SIGTERM, _exit(0))
    signal.signal(signal.SIGINT, _exit(0))
    signal.signal(signal.SIGUSR1, _exit(1))
    threading.excepthook = _die
    for pair in options.wec:
        its, _slash, wec = pair.partition("/")
        arguments = (options.kubeconfigs, its, wec, options.interval)
        threading.Thread(target=_serve, args=arguments, name=wec, daemon=True).start()
    while True:
        signal.pause()


if __name__ == "__main__":
    main()
