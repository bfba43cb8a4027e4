# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running the hooks of spaces again that a newer chart has changed (private to kubestellar.core).

A hook is run again by deleting its entry in `status.postCreateHooks`. KubeFlex then applies its objects, without force and as
the field manager `kubeflex` (kubeflex: pkg/reconcilers/shared/postcreate_hook.go). What it could not apply is deleted before:
Jobs, whose Pods cannot be changed, and Deployments, whose arguments belong to `hub_ready` too.

A controller-manager that starts writes Bindings before it has seen all objects. A transport controller that runs meanwhile
would withdraw from the WECs what is not in them yet. So it is stopped before, and started when the Bindings are again what
they were; what they were is in a ConfigMap, for a run that comes after one that was interrupted.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import (
    _bounds,
    _bulk,
    _control_plane,
    _diff,
    _health,
    _space,
)
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster, label
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    ApiError,
    Conflict,
    KubestellarError,
    NotFound,
    plain,
)
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    BINDINGS,
    CONFIG_MAPS,
    CONTROL_PLANES,
    DEPLOYMENTS,
    JOBS,
    PODS,
    POST_CREATE_HOOKS,
    Resource,
)
from ansible_collections.kubestellar.core.plugins.module_utils._wait import Verdict, Waiter
from ansible_collections.kubestellar.core.plugins.module_utils._yaml import load_yaml
from ansible_collections.kubestellar.core.plugins.module_utils.hub import controllers, hooks, ready
from ansible_collections.kubestellar.core.plugins.module_utils.placement import catalogue, resolution

STATE = "kubestellar-core-upgrade"
"""Name of the ConfigMap in the namespace of a WDS whose upgrade is not finished."""

_KUBEFLEX = "kubeflex"
_ANEW = (JOBS, DEPLOYMENTS)
_KNOWN = {(resource.api_version, resource.kind): resource for resource in _ANEW}
_NUDGE_SECONDS = 5.0
_LOOK_SECONDS = 1.0
_ATTEMPTS = 8
_UNPROCESSABLE = 422
_BAD_REQUEST = 400


@dataclass(frozen=True)
class Change:
    """An object that a hook would make, and as it is. :ivar live: None if it is not there."""

    resource: Resource
    want: Mapping[str, Any] = field(repr=False)
    live: Mapping[str, Any] | None = field(repr=False)

    @property
    def label(self) -> str:
        """`Job its1-system/its-hub-init`."""
        metadata = self.want["metadata"]
        return label(self.resource.kind, str(metadata["name"]), metadata.get("namespace"))


@dataclass(frozen=True)
class Run:
    """A hook that must run again. :ivar objects: all that it makes."""

    hook: str
    changes: Sequence[Change]
    objects: Sequence[tuple[Resource, Mapping[str, Any]]] = field(repr=False)

    def result(self) -> dict[str, Any]:
        """The entry of `hooks` in a module's result."""
        return {
            "name": self.hook,
            "objects": [change.label for change in self.changes],
            "images": [
                {"object": change.label, **image}
                for change in self.changes
                for image in hooks.image_changes(change.want, change.live)
            ],
        }


@dataclass(frozen=True)
class Plan:
    """What is to be done for a space.

    :ivar state: the ConfigMap of an upgrade that was interrupted.
    :ivar unknown: why nothing can be said of a hook, one sentence each.
    """

    space: ready.Space
    plane: Mapping[str, Any] = field(repr=False)
    runs: Sequence[Run] = ()
    state: Mapping[str, Any] | None = field(default=None, repr=False)
    unknown: Sequence[str] = ()

    @property
    def pending(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.runs) or self.state is not None

    def runs_again(self, hook: str) -> bool:
        """Whether a hook is among those that run again."""
        return any(run.hook == hook for run in self.runs)

    def result(self) -> dict[str, Any]:
        """The entry of `objects` in a module's result."""
        return {
            "kind": CONTROL_PLANES.kind,
            "namespace": "",
            "name": self.space.name,
            "role": self.space.role,
            "hooks": [run.result() for run in self.runs],
            "resumed": self.state is not None,
            "method": "update" if self.pending else "none",
            "changed": self.pending,
        }

    def diff(self, cluster: str) -> Iterator[dict[str, str]]:
        """The entries of `diff` in a module's result."""
        for run in self.runs:
            for change in run.changes:
                yield _diff.entry(
                    None if change.live is None else hooks.shown(change.live),
                    hooks.shown(change.want),
                    f"{cluster}: {self.space.name}: hook {run.hook}: {change.label}",
                )


@dataclass(frozen=True)
class Settings:
    """How to upgrade.

    :ivar waits: how to wait for each hook and each space.
    :ivar settle: seconds for which the Bindings of a WDS must be what they were before its transport controller starts.
    :ivar way_back: a sentence for those who do not want to go on.
    """

    waits: ready.Settings
    settle: float
    way_back: str


def read_hooks(text: str) -> dict[str, Mapping[str, Any]]:
    """The PostCreateHooks by name in the manifests of a chart, as `helm template` prints them."""
    return {
        str(document["metadata"]["name"]): document
        for document in load_yaml(text, "the manifests of the chart")
        if document.get("kind") == POST_CREATE_HOOKS.kind
    }


# -- what is to be done ----------------------------------------------------------------------------------------------


def plan(
    hosting: Cluster, spaces: Sequence[ready.Space], known: Mapping[str, Mapping[str, Any]] | None = None
) -> list[Plan]:
    """Which hooks must run again, for each space that is there. Asks the API server by dry run; writes nothing.

    :param known: PostCreateHooks by name that count instead of those of the cluster.
    :raises NotFound: there is no KubeFlex.
    """
    planes = _control_plane.read_all(hosting)
    live = {hook["metadata"]["name"]: hook for hook in hosting.list(POST_CREATE_HOOKS).items}
    found = {**live, **(known or {})}
    return [_plan(hosting, space, planes[space.name], found) for space in spaces if space.name in planes]


def _plan(
    hosting: Cluster, space: ready.Space, plane: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]]
) -> Plan:
    done = (plane.get("status") or {}).get("postCreateHooks") or {}
    runs: list[Run] = []
    unknown: list[str] = []
    for name in hooks.ordered(plane):
        if name not in known:
            continue  # that is for `hub_ready` to say
        try:
            objects = _objects(hosting, known[name], plane)
            changes = [
                change
                for change in _bulk.in_parallel(lambda pair: _change(hosting, *pair), objects)
                if change is not None
            ]
        except ApiError as error:
            if error.status not in (_BAD_REQUEST, 404):
                raise
            unknown.append(f"{space.name}: hook {name}: {error.message}")
            continue
        except hooks.Unclear as error:
            unknown.append(f"{space.name}: {error.message}")
            continue
        if not done.get(name):
            # KubeFlex is about to run it, and can make everything but what it cannot change.
            changes = [change for change in changes if change.live is not None and change.resource in _ANEW]
        if changes:
            runs.append(Run(name, changes, objects))
    state = hosting.get(CONFIG_MAPS, STATE, space.namespace) if space.role == "wds" else None
    return Plan(space, plane, runs, state, unknown)


def _objects(
    hosting: Cluster, hook: Mapping[str, Any], plane: Mapping[str, Any]
) -> list[tuple[Resource, dict[str, Any]]]:
    result = []
    for obj in hooks.made(hook, plane):
        kind = str(obj.get("apiVersion")), str(obj.get("kind"))
        # Those of discovery have verbs and are not equal to the constants.
        resource = _KNOWN.get(kind) or hosting.resource(*kind)
        want = hooks.placed(obj, str(plane["metadata"]["name"]), namespaced=resource.namespaced)
        result.append((resource, _diff.wanted(want)))
    return result


def _change(hosting: Cluster, resource: Resource, want: Mapping[str, Any]) -> Change | None:
    """Whether KubeFlex would make an object otherwise than it is. The API server says so, by dry run."""
    metadata = want["metadata"]
    live = hosting.get(resource, metadata["name"], metadata.get("namespace"))
    if live is None:
        return Change(resource, want, None)
    try:
        after = hosting.apply(
            resource, hooks.adapted(want, live), field_manager=_KUBEFLEX, force=True, dry_run=True
        )
    except ApiError as error:
        if error.status == _UNPROCESSABLE or hooks.image_changes(want, live):  # such as the Pods of a Job
            return Change(resource, want, live)
        raise
    return Change(resource, want, live) if _diff.content(after) != _diff.content(live) else None


def check(hosting: Cluster, plans: Sequence[Plan], verify: str) -> list[str]:
    """See before the first write that the hooks can run. Sentences about what cannot be looked after.

    :raises KubestellarError: KubeFlex could not apply an object, or a WDS whose Bindings matter cannot be reached.
    """
    warnings: list[str] = []
    for one in plans:
        for run in one.runs:
            for change in run.changes:
                if change.live is not None and change.resource not in _ANEW:
                    _check_applicable(hosting, one.space, run.hook, change)
        if not one.runs_again(controllers.MANAGER_HOOK):
            continue
        _wds, reason = _reach(hosting, one.plane, verify)
        if reason and verify == ready.REQUIRED:
            raise KubestellarError(
                f"{hosting.name}: {one.space.name}: {reason}, so that its Bindings cannot be watched over.",
                hint="Run from where it can be reached, or set hub_verify to reachable.",
            )
        if reason and verify == ready.REACHABLE:
            warnings.append(f"{one.space.name}: its Bindings are not compared: {reason}.")
    return warnings


def _check_applicable(hosting: Cluster, space: ready.Space, hook: str, change: Change) -> None:
    try:
        hosting.apply(change.resource, change.want, field_manager=_KUBEFLEX, dry_run=True)
    except ApiError as error:
        raise KubestellarError(
            f"{hosting.name}: KubeFlex could not run the hook {hook} of {space.name} again: {change.label}: "
            f"{plain(error.message, 300)}",
            hint=f"Delete {change.label}, which the hook makes anew, then run again.",
        ) from error


def _reach(hosting: Cluster, plane: Mapping[str, Any], verify: str) -> tuple[Cluster | None, str]:
    """A space, or why it cannot be looked into."""
    if verify == ready.NONE:
        return None, ""
    try:
        cluster = _space.connect_to(hosting, plane)
    except KubestellarError as error:
        return None, plain(error.message, 200)
    if not cluster.ready():
        return None, f"its API server does not answer at {plain(cluster.server, 120)}"
    return cluster, ""


# -- Bindings --------------------------------------------------------------------------------------------------------


def recorded(bindings: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """What Bindings list: by name the numbers of objects and clusters, and a digest of which."""
    result = {}
    for binding in bindings:
        objects = sorted(
            [key.group, key.resource, key.namespace, key.name] for key in resolution.bound(binding)
        )
        clusters = sorted(resolution.destinations(binding))
        digest = hashlib.sha256(json.dumps([objects, clusters]).encode()).hexdigest()
        result[str(binding["metadata"]["name"])] = {
            "objects": len(objects),
            "clusters": len(clusters),
            "digest": digest,
        }
    return result


def departed(before: Mapping[str, Mapping[str, Any]], now: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The Bindings that are not what they were, one clause each. New ones do no harm."""
    clauses = []
    for name, was in sorted(before.items()):
        found = now.get(name)
        if found is None:
            clauses.append(f"the Binding {name} is not there")
        elif found["digest"] != was["digest"]:
            clauses.append(
                f"the Binding {name} lists {found['objects']} objects and {found['clusters']} clusters, "
                f"where it listed {was['objects']} and {was['clusters']}, or others"
            )
    return clauses


# -- doing it --------------------------------------------------------------------------------------------------------


@dataclass
class Result:
    """What was done. `repairs` as of `ready.Result`."""

    repairs: list[str]
    waited: float


def bring_about(hosting: Cluster, plans: Sequence[Plan], settings: Settings, progress: Progress) -> Result:
    """Run the hooks again, one space after the other. What was done stays done when one fails.

    :raises KubestellarError: it stopped; names space and hook, the cause, and the way back.
    """
    begin = time.monotonic()
    result = Result([], 0.0)
    finished: list[str] = []
    for one in plans:
        if not one.pending:
            continue
        work = _Upgrade(hosting, one, settings, progress, result.repairs)
        try:
            work.run()
        except KubestellarError as error:
            cause = error.message.removeprefix(f"{hosting.name}: ")
            said = f" Upgraded before: {catalogue.names(finished)}." if finished else ""
            error.message = (
                f"{hosting.name}: the upgrade stopped at {work.at} of {one.space.name}: {cause}{said}"
            )
            error.hint = (
                f"{error.hint} Then run the upgrade again, which goes on there. {settings.way_back}".strip()
            )
            error.details.update(changed=work.wrote or bool(finished))
            raise
        finished.append(one.space.name)
    result.waited = round(time.monotonic() - begin, 1)
    return result


@dataclass
class _Upgrade:
    """The upgrade of one space.

    :ivar at: what is worked on, for messages.
    :ivar wrote: whether anything was written.
    """

    hosting: Cluster
    plan: Plan
    settings: Settings
    progress: Progress
    repairs: list[str]
    at: str = "the preparation"
    wrote: bool = False
    _nudged: float = field(default_factory=time.monotonic)

    def run(self) -> None:
        """Upgrade it.

        :raises KubestellarError: it cannot be finished.
        """
        space = self.plan.space
        self.progress.line(f"{space.name}: upgrade")
        held = space.role == "wds" and self._is_held()
        if held:
            self._hold_transport()
        for run in self.plan.runs:
            if run.hook == controllers.TRANSPORT_HOOK:
                continue
            self._run_again(run)
        if held:
            if not self.plan.runs_again(controllers.MANAGER_HOOK):
                self.at = f"the hook {controllers.MANAGER_HOOK}"  # it was interrupted in the middle of it
                self._wait(space, (controllers.MANAGER_HOOK,))
            self._settle()
        transport = next((run for run in self.plan.runs if run.hook == controllers.TRANSPORT_HOOK), None)
        if transport is not None:
            self._run_again(transport)
        elif self.plan.state is not None or held:
            self._release_transport()
        self.at = "the last look"
        self._wait(space, ())
        self._verify()
        self._forget()

    # -- a hook --------------------------------------------------------------------------------------------------

    def _run_again(self, run: Run) -> None:
        self.at = f"the hook {run.hook}"
        self.progress.line(f"{self.plan.space.name}: the hook {run.hook} runs again")
        self._delete([pair for pair in run.objects if pair[0] in _ANEW])
        self._enter(run.hook, None)
        self._wait(self.plan.space, (run.hook,), run)

    def _delete(self, objects: Sequence[tuple[Resource, Mapping[str, Any]]]) -> None:
        """Delete with all Pods, and see that they are gone."""
        gone: list[tuple[Resource, str, str]] = []
        for resource, want in objects:
            name, namespace = want["metadata"]["name"], want["metadata"]["namespace"]
            live = self.hosting.get(resource, name, namespace)
            if live is None:
                continue
            self.hosting.delete(
                resource, name, namespace, propagation="Foreground", uid=live["metadata"]["uid"]
            )
            self.wrote = True
            gone.append((resource, name, str(live["metadata"]["uid"])))

        def evaluate() -> Verdict:
            left = [
                f"{label(resource.kind, name, self.plan.space.namespace)} is being deleted"
                for resource, name, uid in gone
                if ((self._get(resource, name) or {}).get("metadata") or {}).get("uid") == uid
            ]
            return Verdict(not left, left, again=0.3)

        if gone:
            self._until(
                evaluate, "old Pods gone", "Look for finalizers, and for a node that does not answer."
            )

    def _enter(self, hook: str, value: bool | None) -> None:
        """Set the entry of a hook in the status of the ControlPlane, or delete it."""
        name = self.plan.space.name
        for _attempt in range(_ATTEMPTS):
            plane = self._plane()
            entries = (plane.get("status") or {}).get("postCreateHooks") or {}
            if entries.get(hook) == value:
                return
            patch = {
                "metadata": {"resourceVersion": plane["metadata"]["resourceVersion"]},
                "status": {"postCreateHooks": {hook: value}},
            }
            try:
                self.hosting.patch(CONTROL_PLANES, name, None, patch, subresource="status")
            except Conflict:
                continue  # KubeFlex wrote meanwhile
            self.wrote = True
            return
        raise KubestellarError(
            f"The status of the ControlPlane {name} changes faster than it can be written.",
            hint="See the log of the KubeFlex manager.",
        )

    def _wait(self, space: ready.Space, only: tuple[str, ...], run: Run | None = None) -> None:
        made = ready.bring_about(
            self.hosting,
            [replace(space, only=only)],
            self.settings.waits,
            self.progress,
            each_look=(lambda objects: self._nudge(run, objects)) if run else None,
        )
        self.repairs += made.repairs
        self.wrote = self.wrote or made.changed

    def _nudge(
        self, run: Run, objects: Mapping[Resource, Mapping[tuple[str, str], Mapping[str, Any]]]
    ) -> None:
        """Let KubeFlex look again when all is made: by itself it does so every 30 seconds.

        It does at every change of the ControlPlane, and puts this field right at once.
        """
        space = self.plan.space
        plane = objects[CONTROL_PLANES].get(("", space.name)) or {}
        if ((plane.get("status") or {}).get("postCreateHooks") or {}).get(run.hook):
            return
        for resource, want in run.objects:
            if resource in _ANEW:
                live = objects[resource].get((space.namespace, want["metadata"]["name"]))
                if live is None or not _is_made(resource, live):
                    return
        if time.monotonic() - self._nudged >= _NUDGE_SECONDS:
            self._nudged = time.monotonic()
            self.hosting.patch(
                CONTROL_PLANES, space.name, None, {"status": {"observedGeneration": 0}}, subresource="status"
            )

    # -- the transport controller --------------------------------------------------------------------------------

    def _is_held(self) -> bool:
        """Whether the transport controller must not run until the Bindings are right."""
        if self.plan.runs_again(controllers.MANAGER_HOOK):
            return True
        return self.plan.state is not None and not _settled(self.plan.state)

    def _hold_transport(self) -> None:
        self.at = "the transport controller"
        if self.plan.state is None or _settled(self.plan.state):
            self._record()
        # KubeFlex leaves it alone only while its hook counts as done.
        if controllers.TRANSPORT_HOOK in hooks.ordered(self.plan.plane):
            self._enter(controllers.TRANSPORT_HOOK, True)
        namespace = self.plan.space.namespace

        def evaluate() -> Verdict:
            deployment = self._get(DEPLOYMENTS, controllers.TRANSPORT)
            if deployment is None:
                return Verdict(True)
            if (deployment.get("spec") or {}).get("replicas") != 0:
                self._scale(0)
            labels = ((deployment.get("spec") or {}).get("selector") or {}).get("matchLabels") or {}
            selector = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
            pods = self.hosting.list(PODS, namespace, label_selector=selector, metadata_only=True).items
            left = [f"the Pod {pod['metadata']['name']} has not ended" for pod in pods]
            return Verdict(not left, left, again=0.5)

        self.progress.line(f"{self.plan.space.name}: the transport controller is stopped")
        self._until(
            evaluate,
            "transport controller stopped",
            "Look for a node that does not answer, and delete its Pod.",
        )

    def _record(self) -> None:
        """Keep what the Bindings list, and how many transport controllers there are."""
        wds, _reason = _reach(self.hosting, self._plane(), self.settings.waits.verify)
        bindings: dict[str, Any] = {}
        if wds is not None:
            try:
                bindings = recorded(wds.list(BINDINGS).items)
            except NotFound:
                bindings = {}  # the controller-manager has never run
        deployment = self._get(DEPLOYMENTS, controllers.TRANSPORT)
        replicas = int(((deployment or {}).get("spec") or {}).get("replicas") or 1)
        definition = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": STATE, "namespace": self.plan.space.namespace},
            "data": {"bindings": json.dumps(bindings), "replicas": str(replicas), "settled": "false"},
        }
        self.hosting.apply(CONFIG_MAPS, definition, force=True)
        self.wrote = True

    def _state(self) -> dict[str, str]:
        return dict((self._get(CONFIG_MAPS, STATE) or {}).get("data") or {})

    def _settle(self) -> None:
        """Wait until the Bindings have been what they were for a while."""
        self.at = "the Bindings"
        state = self._state()
        try:
            before = _bounds.json_value(state.get("bindings") or "{}")
        except ValueError:
            before = {}
        wds, reason = _reach(self.hosting, self._plane(), self.settings.waits.verify)
        if reason and self.settings.waits.verify == ready.REQUIRED:
            raise KubestellarError(
                f"{self.plan.space.name}: {reason}.", hint="See that it is reached from here."
            )
        if wds is not None and not before:
            self._mark_settled()
            return
        since: float | None = None

        def evaluate() -> Verdict:
            nonlocal since
            lacks: list[str] = []
            manager = self._get(DEPLOYMENTS, controllers.MANAGER)
            if manager is None or not _is_made(DEPLOYMENTS, manager):
                lacks.append(f"{controllers.MANAGER} does not run")
            elif wds is not None:
                lacks += departed(before, recorded(wds.list(BINDINGS).items))
            now = time.monotonic()
            since = None if lacks else (since or now)
            if since is not None and now - since < self.settings.settle:
                lacks.append(f"all is as it was, but not for {self.settings.settle:.0f} s yet")
            return Verdict(not lacks, lacks, again=_LOOK_SECONDS)

        self._until(
            evaluate,
            "Bindings as they were",
            "See the log of the controller-manager. If they are meant to be others, delete the ConfigMap "
            f"{self.plan.space.namespace}/{STATE}.",
        )
        self._mark_settled()

    def _mark_settled(self) -> None:
        self.hosting.patch(CONFIG_MAPS, STATE, self.plan.space.namespace, {"data": {"settled": "true"}})
        self.wrote = True

    def _release_transport(self) -> None:
        self.at = "the transport controller"
        deployment = self._get(DEPLOYMENTS, controllers.TRANSPORT)
        if deployment is None:
            self._enter(controllers.TRANSPORT_HOOK, None)  # its hook makes it
        elif (deployment.get("spec") or {}).get("replicas") == 0:
            text = self._state().get("replicas") or "1"
            self._scale(_bounds.whole(text, 1))

    def _scale(self, replicas: int) -> None:
        self.hosting.patch(
            DEPLOYMENTS,
            controllers.TRANSPORT,
            self.plan.space.namespace,
            {"spec": {"replicas": replicas}},
        )
        self.wrote = True

    # -- the end -------------------------------------------------------------------------------------------------

    def _verify(self) -> None:
        """See that the objects are now what the hooks make."""
        after = plan(self.hosting, [self.plan.space])
        names = [change.label for one in after for run in one.runs for change in run.changes]
        if names:
            raise KubestellarError(
                f"the hooks have run, and these objects are others again: {catalogue.names(names)}.",
                hint="Find out who else writes them, such as a GitOps controller.",
            )

    def _forget(self) -> None:
        if self.plan.space.role == "wds" and self.hosting.delete(
            CONFIG_MAPS, STATE, self.plan.space.namespace
        ):
            self.wrote = True

    def _plane(self) -> dict[str, Any]:
        plane = self.hosting.get(CONTROL_PLANES, self.plan.space.name)
        if plane is None:
            raise KubestellarError(
                f"the ControlPlane {self.plan.space.name} is gone.", hint="Find out who deleted it."
            )
        return plane

    def _get(self, resource: Resource, name: str) -> dict[str, Any] | None:
        return self.hosting.get(resource, name, self.plan.space.namespace)

    def _until(self, evaluate: Callable[[], Verdict], what: str, hint: str) -> None:
        Waiter(self.progress).until(
            evaluate,
            timeout=self.settings.waits.timeout,
            what=f"{self.hosting.name}: {self.plan.space.name}: {what}",
            hint=hint,
        )


def _settled(state: Mapping[str, Any]) -> bool:
    return (state.get("data") or {}).get("settled") == "true"


def _is_made(resource: Resource, live: Mapping[str, Any]) -> bool:
    """Whether KubeFlex would call it ready."""
    status = live.get("status") or {}
    if resource == JOBS:
        return bool(status.get("succeeded"))
    spec, generation = live.get("spec") or {}, live["metadata"].get("generation")
    return _health.assess("apps", "Deployment", spec, status, generation).state == _health.HEALTHY
