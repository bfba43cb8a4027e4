# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting until a hub is ready, however it was set up (private to kubestellar.core).

The conditions are those of KubeStellar's own scripts (kubestellar: scripts, test/e2e/common/setup-kubestellar.sh): the
ControlPlanes with their hooks and Jobs, the controllers of each WDS, then what must be inside each space. What can be seen to
keep them from coming ends the wait with its cause; what is known to pass when it is done again is done again, once.

Each condition belongs to one of the steps to a hub (`steps.STEPS`), so that one can wait for a step alone.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bulk, _control_plane, _health, _space
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    ApiError,
    Conflict,
    ConnectionFailed,
    InvalidInput,
    KubestellarError,
    NotFound,
    WaitTimeout,
    plain,
)
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    CLAIMS,
    CONTROL_PLANES,
    DEPLOYMENTS,
    EVENTS,
    JOBS,
    NAMESPACES,
    PODS,
    POST_CREATE_HOOKS,
    SECRETS,
    STORAGE_CLASSES,
    WDS_KINDS,
    WORK_STATUSES,
    Resource,
)
from ansible_collections.kubestellar.core.plugins.module_utils._wait import Verdict, Waiter, condition
from ansible_collections.kubestellar.core.plugins.module_utils.hub import controllers, hooks, steps, troubles
from ansible_collections.kubestellar.core.plugins.module_utils.hub.steps import (
    KUBEFLEX_MANAGER,
    KUBEFLEX_NAMESPACE,
    STEPS,
)
from ansible_collections.kubestellar.core.plugins.module_utils.hub.troubles import Finding
from ansible_collections.kubestellar.core.plugins.module_utils.hub.values import api_groups_text
from ansible_collections.kubestellar.core.plugins.module_utils.placement import catalogue

REQUIRED, REACHABLE, NONE = "required", "reachable", "none"
POSTGRES_SECRET, _DATABASE_JOB = "postgres-postgresql", "-install-postgresql"

_OCM_NAMESPACE, _OCM_DEPLOYMENT = "open-cluster-management-hub", "cluster-manager-registration-controller"
_PROPERTIES = "customization-properties"
_LOOK_SECONDS = 2.0
_ASK_SECONDS = 10.0
"""How long the answers of the API server to questions in a dry run hold."""
_STUCK_SECONDS = 60.0
_REACH_SECONDS = 5.0
_REMIND_SECONDS = 60.0
_CALM_SECONDS = 3.0
_MOST_PATCHES = 3
_STEPS_OF = {
    "its": {steps.ITS, steps.OCM, steps.STATUS_ADDON, steps.CONTROLLERS},
    "wds": {steps.WDS, steps.CONTROLLERS},
}
"""Role of a space to the steps that have conditions in it."""
_WATCHING = (steps.OCM, steps.STATUS_ADDON, steps.CONTROLLERS)
"""Steps that make no space, so that there is nothing to wait for without one."""
_AFTER_ITS = {"pod-crash-loop", "pod-not-starting"}
"""Troubles of a WDS's controllers that pass when its ITS is ready: they end and start again until then."""


@dataclass(frozen=True)
class Space:
    """A space that must be ready.

    :ivar role: `its` or `wds`.
    :ivar its: the ITS of a WDS.
    :ivar api_groups: of a WDS, as the flag takes them.
    :ivar ocm: whether the hook of an ITS installs OCM.
    :ivar only: hooks of which alone it is waited for, with the controllers that they make; all, and the space itself, if empty.
    """

    name: str
    role: str
    its: str = ""
    api_groups: str = ""
    ocm: bool = True
    only: tuple[str, ...] = ()

    def concerns(self, hook: str) -> bool:
        """Whether it is waited for a hook."""
        return not self.only or hook in self.only

    @property
    def namespace(self) -> str:
        """Its namespace in the hosting cluster."""
        return f"{self.name}-system"


@dataclass(frozen=True)
class Settings:
    """How to wait.

    :ivar limits: `qps` and `burst` for the controllers; nothing that is not there is set.
    :ivar deployments: whether the controllers are Deployments of the hosting cluster; else they are processes elsewhere.
    :ivar verify: what is done about a space whose API server does not answer: `required` waits for it, `reachable` gives
        up looking inside, `none` never looks.
    :ivar steps: the steps whose conditions are waited for, of `STEPS`; of the hooks there are none, since Helm makes them.
    :ivar repair: whether what is known to pass is done again.
    :ivar patience: seconds that a trouble that may pass by itself must last to end the wait.
    """

    limits: Mapping[str, int]
    deployments: bool
    verify: str
    repair: bool
    patience: float
    timeout: float
    steps: Collection[str] = STEPS


@dataclass
class Result:
    """What came of it. `repairs` are sentences; `outcomes` the objects that were written.

    :ivar outdated: space to its hooks that are done and would now make other images.
    """

    spaces: list[dict[str, Any]]
    repairs: list[str]
    outcomes: list[_bulk.Outcome]
    bug: bool | None = None
    waited: float = 0.0
    outdated: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        """Whether anything was, or in check mode would be, written."""
        return any(outcome.changed for outcome in self.outcomes)


def spaces_of(itses: Sequence[Mapping[str, Any]], wdses: Sequence[Mapping[str, Any]]) -> list[Space]:
    """The spaces of two lists, ITSes first; `its` of a WDS is the only one if it names none.

    :raises InvalidInput: an illegal name, or a WDS whose ITS is not clear.
    """
    _control_plane.check_names([space["name"] for space in [*itses, *wdses]])
    names = [its["name"] for its in itses]
    found = [Space(its["name"], "its", ocm=its.get("install_ocm") is not False) for its in itses]
    for wds in wdses:
        its = wds.get("its") or (names[0] if len(names) == 1 else "")
        if not its:
            raise InvalidInput(
                f"The WDS {wds['name']} names no ITS and there are {len(names)}.", hint="Set its of this WDS."
            )
        found.append(Space(wds["name"], "wds", its, api_groups_text(wds.get("api_groups"))))
    return found


def bring_about(
    hosting: Cluster,
    spaces: Sequence[Space],
    settings: Settings,
    progress: Progress,
    *,
    each_look: Callable[[_Objects], None] | None = None,
) -> Result:
    """Wait until the spaces are ready; bind the controllers of each WDS on the way.

    :param each_look: gets the objects at each look.
    :raises PreflightFailed: a step is too early, naming the one to run first.
    :raises KubestellarError: something keeps them from it, with cause and remedy, and `findings` in its details.
    :raises WaitTimeout: naming each condition that did not come.
    """
    steps.check_order(
        hosting,
        [step for step in settings.steps if step in _WATCHING],
        [space.name for space in spaces if space.role == "its"],
        [space.name for space in spaces if space.role == "wds"],
        ocm=any(space.ocm for space in spaces),
        done=settings.steps,
    )
    work = _Work(hosting, spaces, settings, progress, dry_run=False)
    waiter = Waiter(Progress(None))
    ours = {space.namespace for space in spaces} | {KUBEFLEX_NAMESPACE}
    followers = {CONTROL_PLANES: waiter.follow(hosting, CONTROL_PLANES)}
    if settings.deployments:
        keep = partial(_of_namespaces, ours)
        followers[POST_CREATE_HOOKS] = waiter.follow(hosting, POST_CREATE_HOOKS)
        followers[DEPLOYMENTS] = waiter.follow(hosting, DEPLOYMENTS, keep=keep)
        followers[JOBS] = waiter.follow(hosting, JOBS, keep=keep)

    def evaluate() -> Verdict:
        try:
            objects = {resource: found.objects() for resource, found in followers.items()}
            lacks = work.look(objects)
            if each_look:
                each_look(objects)
        except (ApiError, ConnectionFailed) as error:
            if isinstance(error, ApiError) and error.status < 500:
                raise
            lacks = [error.message]  # the API server may come back
        return Verdict(not lacks, lacks, again=_LOOK_SECONDS)

    try:
        waited = waiter.until(
            evaluate,
            timeout=settings.timeout,
            what=f"{hosting.name}: hub ready",
            hint="Run again when the cause is removed, or with a longer time-out if it only needs time.",
        )
    except WaitTimeout as error:
        troubles.tell_first(error, work.findings)
        error.details.update(work.details())
        raise
    except KubestellarError as error:
        error.details.update(work.details())
        raise
    return work.result(round(waited, 1))


def forecast(hosting: Cluster, spaces: Sequence[Space], settings: Settings, progress: Progress) -> Result:
    """What `bring_about` would change in the objects that are there now. Nothing is waited for."""
    work = _Work(hosting, spaces, settings, progress, dry_run=True)
    objects: dict[Resource, dict[tuple[str, str], dict[str, Any]]] = {}
    kinds = (CONTROL_PLANES, POST_CREATE_HOOKS, DEPLOYMENTS) if settings.deployments else (CONTROL_PLANES,)
    for resource in kinds:
        try:
            items = hosting.list(resource).items
        except NotFound:
            items = []  # KubeFlex comes with the chart, which a check run does not install
        objects[resource] = {
            (item["metadata"].get("namespace") or "", item["metadata"]["name"]): item for item in items
        }
    work.adjust(objects)
    return work.result(0.0)


def _of_namespaces(namespaces: set[str], obj: dict[str, Any]) -> dict[str, Any] | None:
    return obj if obj["metadata"].get("namespace") in namespaces else None


_Objects = Mapping[Resource, Mapping[tuple[str, str], dict[str, Any]]]


@dataclass(frozen=True)
class Lack:
    """A condition that has not come.

    :ivar step: the step that it belongs to.
    :ivar key: stays the same while it lacks.
    :ivar text: a clause for people.
    """

    step: str
    key: str
    text: str


@dataclass
class _Inside:
    """What is known of the inside of a space."""

    done: bool = False
    verified: bool = False
    reason: str = ""
    cluster: Cluster | None = None
    silent_since: float | None = None
    refused: bool = False


@dataclass
class _Work:
    """One wait: what was seen, done and said so far."""

    hosting: Cluster
    spaces: Sequence[Space]
    settings: Settings
    progress: Progress
    dry_run: bool
    repairs: list[str] = field(default_factory=list)
    outcomes: list[_bulk.Outcome] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    lacking: dict[str, str] = field(default_factory=dict)
    _objects: _Objects = field(default_factory=dict)
    _since: dict[tuple[str, str], float] = field(default_factory=dict)
    _told: dict[str, tuple[float, float]] = field(default_factory=dict)
    _inside: dict[str, _Inside] = field(default_factory=dict)
    _repaired: set[str] = field(default_factory=set)
    _patched: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    _unseen: dict[str, float] = field(default_factory=dict)
    _asked: dict[str, tuple[float, Finding | None]] = field(default_factory=dict)
    _diagnosed: float = float("-inf")
    _no_database: bool = False
    _nudges: _control_plane.Nudges = field(default_factory=_control_plane.Nudges)

    # -- one look ----------------------------------------------------------------------------------------------------

    def look(self, objects: _Objects) -> list[str]:
        """What is lacking now; empty when all is well.

        :raises KubestellarError: something is found that keeps it from coming.
        """
        self._objects = objects
        self.adjust(objects)
        manager = list(self._kubeflex()) if self.settings.deployments else []
        found = list(manager)
        per_space: dict[str, list[Lack]] = {}
        for space in self.spaces:
            per_space[space.name] = list(self._space(space))
            found += per_space[space.name]
        lacks = {lack.key: lack.text for lack in found if lack.step in self.settings.steps}
        unready = {name for name, mine in per_space.items() if mine}
        awaited = {
            name for name, mine in per_space.items() if any(lack.step in self.settings.steps for lack in mine)
        }
        self._nudge(awaited)
        if self._no_database and awaited:
            lacks["kubeflex/database"] = (
                f"the Secret {KUBEFLEX_NAMESPACE}/{POSTGRES_SECRET} does not exist, which spaces of type k8s need"
            )
        self.lacking = lacks
        self._tell(lacks)
        if not lacks or not self.settings.deployments:
            self.findings = []
        elif time.monotonic() - self._diagnosed >= _LOOK_SECONDS:
            # Not at every event: objects change faster than their troubles.
            self._diagnosed = time.monotonic()
            self.findings = self._diagnose(awaited, unready, no_manager=bool(manager))
        self._judge()
        return list(lacks.values())

    def _kubeflex(self) -> Iterator[Lack]:
        manager = self._deployment(KUBEFLEX_NAMESPACE, KUBEFLEX_MANAGER)
        if manager is None:
            text = f"the Deployment {KUBEFLEX_NAMESPACE}/{KUBEFLEX_MANAGER} does not exist"
            yield Lack(steps.KUBEFLEX, "kubeflex", text)
        elif health := _health.deployment_lack(manager):
            yield Lack(steps.KUBEFLEX, "kubeflex", f"{KUBEFLEX_MANAGER}: {health}")
        for job in self._jobs(KUBEFLEX_NAMESPACE):
            # Helm deletes it when it is complete.
            name = job["metadata"]["name"]
            if name.endswith(_DATABASE_JOB) and not _complete(job) and self._has_no_database():
                yield Lack(steps.KUBEFLEX, "kubeflex/database", f"the Job {name} is not complete")

    def _space(self, space: Space) -> Iterator[Lack]:
        """What a space lacks for any step outside, and inside for those that are waited for."""
        if not _STEPS_OF[space.role] & set(self.settings.steps):
            return
        plane = self._plane(space.name)
        if plane is None:
            yield Lack(space.role, f"{space.name}/exists", f"{space.name} does not exist")
            return
        outside = list(self._outside(space, plane))
        yield from outside
        if not any(lack.step in self.settings.steps for lack in outside):
            yield from self._within(space, plane)

    def _outside(self, space: Space, plane: Mapping[str, Any]) -> Iterator[Lack]:
        name = space.name
        deployments = self.settings.deployments
        # The last step of a role is over when the space is ready: KubeFlex waits for all hooks to say so.
        last = steps.CONTROLLERS if space.role == "wds" else steps.STATUS_ADDON
        done = (plane.get("status") or {}).get("postCreateHooks") or {}
        if deployments:
            for hook in _control_plane.hook_names(plane):
                if space.concerns(hook) and not done.get(hook):
                    text = f"{name}: the hook {hook} is not done{self._job_state(space, hook)}"
                    yield Lack(steps.step_of_hook(hook, space.role), f"{name}/hook/{hook}", text)
            for job in self._jobs(space.namespace):
                # Those of hooks are spoken for by their hook, which stays done when its Job is deleted later.
                if job["metadata"]["name"] == "update-cluster-info" and not _complete(job):
                    text = f"{name}: the Job update-cluster-info is not complete"
                    yield Lack(space.role, f"{name}/job", text)
        if not space.only and not _control_plane.is_ready(plane):
            up = deployments and _control_plane.is_up(plane)
            yield Lack(last if up else space.role, f"{name}/ready", _control_plane.lacking(name, plane))
        if space.role == "wds" and deployments:
            for controller, hook in controllers.HOOK_OF.items():
                if space.concerns(hook) and (text := self._controller(space, controller)):
                    yield Lack(steps.CONTROLLERS, f"{name}/{controller}", f"{name}: {text}")

    def _controller(self, space: Space, name: str) -> str:
        """What a controller of a WDS lacks; empty if nothing."""
        deployment = self._deployment(space.namespace, name)
        if deployment is None:
            return f"the Deployment {name} does not exist"
        if self._is_stale(deployment):
            return f"{name} gets its new arguments"
        health = _health.deployment_lack(deployment)
        return f"{name}: {health}" if health else ""

    def _job_state(self, space: Space, hook: str) -> str:
        for job in self._jobs(space.namespace):
            if job["metadata"]["name"] == hook:
                health = _health.assess("batch", "Job", job.get("spec") or {}, job.get("status") or {})
                return f" (its Job: {plain(health.message, 120)})" if health.message else ""
        return ""

    # -- inside a space ----------------------------------------------------------------------------------------------

    def _within(self, space: Space, plane: Mapping[str, Any]) -> Iterator[Lack]:
        inside = self._inside.setdefault(space.name, _Inside())
        if self.settings.verify == NONE:
            inside.done, inside.reason = True, "not looked at, as asked for"
        waited = _STEPS_OF[space.role] & set(self.settings.steps)
        if inside.done or not waited:
            return
        # What keeps us from looking is in the way of whatever we wait for in it.
        step = min(waited, key=steps.STEPS.index)
        key = f"{space.name}/inside"
        if inside.cluster is None:
            try:
                inside.cluster = _space.connect_to(self.hosting, plane)
            except ConnectionFailed:
                raise
            except KubestellarError as error:
                yield Lack(step, key, f"{space.name}: {plain(error.message, 200)}")
                return
        status = inside.cluster.readiness()
        inside.refused = status in (401, 403)
        if inside.refused:
            # Its Secret may be renewed meanwhile.
            yield Lack(step, key, f"{space.name}: its API server refuses the credentials of its Secret")
            inside.cluster = None
            return
        if status != 200:
            if text := self._silent(inside, inside.cluster):
                yield Lack(step, key, f"{space.name}: {text}")
            return
        inside.silent_since = None
        try:
            missing = [
                Lack(found, f"{key}/{text}", f"{space.name}: {text}")
                for found, text in self._contents(space, inside.cluster)
            ]
        except (ApiError, ConnectionFailed) as error:
            text = plain(error.message, 200)  # it may only be starting
            missing = [Lack(step, f"{key}/{text}", f"{space.name}: {text}")]
        yield from missing
        if not missing:
            inside.done, inside.verified = True, True

    def _silent(self, inside: _Inside, cluster: Cluster) -> str:
        """That an API server does not answer; empty once it is given up, where that is allowed."""
        now = time.monotonic()
        inside.silent_since = inside.silent_since or now
        text = f"its API server does not answer at {plain(cluster.server, 120)}"
        if self.settings.verify == REACHABLE and now - inside.silent_since >= _REACH_SECONDS:
            inside.done, inside.reason = True, text
            return ""
        return text

    def _contents(self, space: Space, cluster: Cluster) -> Iterator[tuple[str, str]]:
        """What must be inside a space for the steps that are waited for, and is not: step and clause."""
        waited = self.settings.steps
        kinds = WDS_KINDS if space.role == "wds" else (WORK_STATUSES,)
        step = steps.CONTROLLERS if space.role == "wds" else steps.STATUS_ADDON
        if step in waited:
            # Not their definitions: what is established may be served a little later.
            for lacking in cluster.unserved(kinds):
                yield step, f"{lacking.kind} of {lacking.api_version} is not served"
        if space.role == "wds":
            return
        # The transport controller of a WDS makes it.
        has_wds = any(other.its == space.name for other in self.spaces)
        if steps.CONTROLLERS in waited and has_wds and cluster.get(NAMESPACES, _PROPERTIES) is None:
            yield steps.CONTROLLERS, f"the namespace {_PROPERTIES} does not exist"
        if steps.OCM in waited and self.settings.deployments and space.ocm:
            deployment = cluster.get(DEPLOYMENTS, _OCM_DEPLOYMENT, _OCM_NAMESPACE)
            if deployment is None:
                yield steps.OCM, f"the Deployment {_OCM_NAMESPACE}/{_OCM_DEPLOYMENT} does not exist"
            elif health := _health.deployment_lack(deployment):
                yield steps.OCM, f"{_OCM_DEPLOYMENT}: {health}"

    # -- binding -----------------------------------------------------------------------------------------------------

    def adjust(self, objects: _Objects) -> None:
        """Give the controllers of each WDS their arguments, as far as their objects are there."""
        self._objects = objects
        if not self.settings.deployments or steps.CONTROLLERS not in self.settings.steps:
            return
        for space in self.spaces:
            plane = self._plane(space.name)
            if space.role != "wds" or plane is None or plane["metadata"].get("deletionTimestamp"):
                continue
            binding = controllers.Binding(space.name, space.its, space.api_groups, self.settings.limits)
            done = (plane.get("status") or {}).get("postCreateHooks") or {}
            for name, hook in controllers.HOOK_OF.items():
                deployment = self._deployment(space.namespace, name)
                if not space.concerns(hook) or deployment is None or self._is_stale(deployment):
                    continue
                if done.get(hook):
                    self._patch(name, deployment, binding)
            if self._needs_name(plane) and not all(done.get(hook) for hook in controllers.HOOK_OF.values()):
                self._name_its(space, plane)

    def _patch(self, name: str, deployment: dict[str, Any], binding: controllers.Binding) -> None:
        want = controllers.wanted(name, deployment, binding)
        if want is None:
            return
        metadata = deployment["metadata"]
        generations = self._patched.setdefault((metadata["namespace"], name), [])
        if len(generations) >= _MOST_PATCHES:
            raise KubestellarError(
                f"{self.hosting.name}: the arguments of the Deployment {metadata['namespace']}/{name} were set "
                f"{_MOST_PATCHES} times and are others again.",
                hint="Find out who else writes them, such as a GitOps controller.",
            )
        # By force, since KubeFlex owns them; it does not apply them again, as its hook is done.
        after = self.hosting.apply(DEPLOYMENTS, want, force=True, dry_run=self.dry_run)
        generations.append(int(after["metadata"]["generation"]))
        self._wrote("update", DEPLOYMENTS, deployment, after)
        if not self.dry_run:
            self.progress.line(f"{binding.wds}: {name} is bound to {binding.its}")

    def _is_stale(self, deployment: Mapping[str, Any]) -> bool:
        """Whether we know of a newer generation than the one seen."""
        metadata = deployment["metadata"]
        known = self._patched.get((metadata["namespace"], metadata["name"]), [0])[-1]
        return not self.dry_run and int(metadata.get("generation") or 0) < known

    def _name_its(self, space: Space, plane: dict[str, Any]) -> None:
        """Let KubeFlex itself make the controllers for one ITS, where they could not find it among several."""
        hook = self._objects[POST_CREATE_HOOKS].get(("", controllers.TRANSPORT_HOOK))
        changes: list[tuple[Resource, dict[str, Any], dict[str, Any] | None]] = []
        if hook is not None:
            changes.append((POST_CREATE_HOOKS, hook, controllers.repaired_hook(hook)))
        changes.append((CONTROL_PLANES, plane, controllers.bound_hooks(plane, space.its)))
        for resource, before, patch in changes:
            if patch is None:
                continue
            try:
                after = self.hosting.patch(
                    resource, before["metadata"]["name"], None, patch, dry_run=self.dry_run
                )
            except Conflict:
                return  # it changed meanwhile: the next look sees it as it is now
            self._wrote("update", resource, before, after)

    def _needs_name(self, plane: Mapping[str, Any]) -> bool:
        """Whether the hooks of a WDS must name its ITS: there are several, or one of the two does so already."""
        hook = self._objects[POST_CREATE_HOOKS].get(("", controllers.TRANSPORT_HOOK))
        return self._several_itses() or controllers.has_bug(hook) is False or controllers.names_its(plane)

    def _several_itses(self) -> bool:
        live = {
            name
            for (_namespace, name), plane in self._objects[CONTROL_PLANES].items()
            if (plane["metadata"].get("labels") or {}).get(_space.CP_TYPE_LABEL) == "its"
        }
        return len(live | {space.name for space in self.spaces if space.role == "its"}) > 1

    def _wrote(
        self, method: str, resource: Resource, before: Mapping[str, Any], after: Mapping[str, Any] | None
    ) -> None:
        metadata = before["metadata"]
        self.outcomes.append(
            _bulk.Outcome(
                resource.api_version,
                resource.kind,
                metadata.get("namespace"),
                metadata["name"],
                method,
                before=before,
                after=after,
            )
        )

    # -- troubles ----------------------------------------------------------------------------------------------------

    def _diagnose(
        self, awaited: Collection[str], unready: Collection[str], *, no_manager: bool
    ) -> list[Finding]:
        """What can be seen in the namespaces of what is lacking, the causes first.

        :param awaited: the spaces that lack something that is waited for, and `unready` those that lack anything.
        """
        found: list[Finding] = []
        known = {name for _namespace, name in self._objects[POST_CREATE_HOOKS]}
        namespaces = {space.namespace: space for space in self.spaces if space.name in awaited}
        self._no_database = self._lacks_postgres(namespaces.values())
        if no_manager or self._no_database:
            found += self._in_namespace(KUBEFLEX_NAMESPACE)
        for namespace, space in namespaces.items():
            plane = self._plane(space.name)
            if plane is None:
                continue
            found += troubles.missing_hooks(plane, known)
            refused = self._refused(space, plane)
            found += [refused] if refused else []
            reference = (plane.get("status") or {}).get("secretRef") or {}
            if reference.get("name"):
                secret = self.hosting.get(SECRETS, reference["name"], reference.get("namespace"))
                key = troubles.secret_trouble(plane, secret)
                found += [key] if key else []
            if self._inside.get(space.name, _Inside()).refused:
                found.append(troubles.refused_credentials(space.name))
            mine = self._in_namespace(namespace)
            if space.role == "wds" and space.its in unready:
                mine = [finding for finding in mine if finding.id not in _AFTER_ITS]
            found += mine
        return found

    def _refused(self, space: Space, plane: Mapping[str, Any]) -> Finding | None:
        """What the API server refuses KubeFlex of the space.

        What it refuses of a hook stands in the log of KubeFlex only (kubeflex: internal/controller/controlplane_controller.go),
        so the same is asked for, in a dry run.
        """
        synced = condition(dict(plane), "Synced")
        if synced.get("status") == "False":
            return troubles.refused_objects(space.name, str(synced.get("message") or ""))
        done = (plane.get("status") or {}).get("postCreateHooks") or {}
        pending = [name for name in _control_plane.hook_names(plane) if not done.get(name)]
        if not pending:
            return None
        asked, found = self._asked.get(space.name, (float("-inf"), None))
        if time.monotonic() - asked >= _ASK_SECONDS:
            found = self._refused_of_hooks(space, plane, pending)
            self._asked[space.name] = (time.monotonic(), found)
        return found

    def _refused_of_hooks(
        self, space: Space, plane: Mapping[str, Any], pending: Sequence[str]
    ) -> Finding | None:
        for hook in (self._objects[POST_CREATE_HOOKS].get(("", name)) for name in pending):
            for resource, want in _made(hook, plane):
                if (space.namespace, want["metadata"]["name"]) not in self._objects[resource]:
                    try:
                        self.hosting.apply(resource, want, dry_run=True)
                    except ApiError as error:
                        if found := troubles.refused_objects(space.name, error.message):
                            return found
        return None

    def _lacks_postgres(self, spaces: Iterable[Space]) -> bool:
        """Whether one of these is of type k8s and the database for it is not there."""
        types = {(self._plane(space.name) or {}).get("spec", {}).get("type") for space in spaces}
        return "k8s" in types and self._has_no_database()

    def _has_no_database(self) -> bool:
        return self.hosting.get(SECRETS, POSTGRES_SECRET, KUBEFLEX_NAMESPACE) is None

    def _in_namespace(self, namespace: str) -> list[Finding]:
        pods = self.hosting.list(PODS, namespace).items
        events = sorted(self.hosting.list(EVENTS, namespace).items, key=_event_time)
        claims = self.hosting.list(CLAIMS, namespace).items
        pending = [claim for claim in claims if (claim.get("status") or {}).get("phase") == "Pending"]
        found: list[Finding] = []
        for job in self._jobs(namespace):
            failure = troubles.job_failure(job, pods)
            found += [failure] if failure else []
        classes = self.hosting.list(STORAGE_CLASSES).items if pending else []
        volumes = [
            trouble for claim in pending if (trouble := troubles.claim_trouble(claim, classes, events))
        ]
        found += volumes
        for pod in pods:
            found += troubles.pod_troubles(pod, volume_pending=bool(volumes))
        found += troubles.failed_mounts(pods, events)
        short = {
            f"ReplicaSet {namespace}/{name}"
            for name in _owners_without_pods(self._objects[DEPLOYMENTS], namespace, events)
        }
        jobs = {
            f"Job {namespace}/{job['metadata']['name']}"
            for job in self._jobs(namespace)
            if not _complete(job) and not (job.get("status") or {}).get("active")
        }
        found += [finding for finding in troubles.refused_pods(events) if finding.where in short | jobs]
        return found

    def _judge(self) -> None:
        """Repair, or end the wait, for what has lasted.

        :raises KubestellarError: naming the first trouble that waiting does not help against.
        """
        now = time.monotonic()
        present = {finding.key for finding in self.findings}
        self._since = {key: since for key, since in self._since.items() if key in present}
        lasting = []
        for finding in self.findings:
            since = self._since.setdefault(finding.key, now)
            if (finding.sure or now - since >= self.settings.patience) and not self._repair(finding):
                lasting.append(finding)
        self._wake_manager(now)
        if lasting:
            first = lasting[0]
            others = {finding.where for finding in lasting[1:]} - {first.where}
            more = f" Also: {catalogue.names(sorted(others))}." if others else ""
            raise KubestellarError(
                f"{self.hosting.name}: {first.where}: {first.message}{more}", hint=first.hint
            )

    def _repair(self, finding: Finding) -> bool:
        """Delete the failed Job of a hook, once, so that KubeFlex makes it anew. Whether there is reason to wait on."""
        if finding.id != "job-failed":
            return False
        namespace, name = finding.where.removeprefix("Job ").split("/")
        job = self._objects[JOBS].get((namespace, name))
        space = next((space for space in self.spaces if space.namespace == namespace), None)
        plane = self._plane(space.name) if space else None
        if job is None or job["metadata"]["uid"] in self._repaired or not troubles.job_failure(job):
            return True  # it is on its way out, or runs again already
        if not self.settings.repair or plane is None or name not in _control_plane.hook_names(plane):
            return False
        if f"{namespace}/{name}" in self._repaired:
            return False
        deleted = self.hosting.delete(JOBS, name, namespace, uid=job["metadata"]["uid"])
        self._repaired |= {job["metadata"]["uid"], f"{namespace}/{name}"}
        if deleted:
            self._wrote("delete", JOBS, job, None)
            self._report(
                f"deleted the Job {namespace}/{name}, so that KubeFlex runs it again: {finding.message}"
            )
        return True

    def _nudge(self, names: Collection[str]) -> None:
        """Have KubeFlex look again at those of these spaces whose hooks have more ready than it has seen."""
        if not self.settings.deployments:
            return
        for name in names:
            plane = self._plane(name)
            if plane is None or not _control_plane.is_behind(plane, self._objects):
                continue
            after = self._nudges.nudge(self.hosting, name)
            if after is not None:
                self._wrote("update", CONTROL_PLANES, plane, after)

    def _wake_manager(self, now: float) -> None:
        """Restart a KubeFlex manager that runs and has not looked at a ControlPlane (kubeflex#311)."""
        unseen = [
            space.name
            for space in self.spaces
            if (plane := self._plane(space.name)) is not None
            and not (plane.get("status") or {}).get("conditions")
        ]
        self._unseen = {name: self._unseen.get(name, now) for name in unseen}
        stuck = [name for name, since in self._unseen.items() if now - since >= _STUCK_SECONDS]
        manager = (
            self._deployment(KUBEFLEX_NAMESPACE, KUBEFLEX_MANAGER) if self.settings.deployments else None
        )
        if not stuck or manager is None or _health.deployment_lack(manager) or not self.settings.repair:
            return
        if KUBEFLEX_MANAGER in self._repaired:
            return
        labels = ((manager.get("spec") or {}).get("selector") or {}).get("matchLabels") or {}
        selector = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
        pods = self.hosting.list(PODS, KUBEFLEX_NAMESPACE, label_selector=selector).items if selector else []
        for pod in pods:
            if self.hosting.delete(
                PODS, pod["metadata"]["name"], KUBEFLEX_NAMESPACE, uid=pod["metadata"]["uid"]
            ):
                self._wrote("delete", PODS, pod, None)
        self._repaired.add(KUBEFLEX_MANAGER)
        if pods:
            self._report(
                f"restarted the KubeFlex manager, which had not looked at {catalogue.names(stuck)} for "
                f"{_STUCK_SECONDS:.0f} s"
            )

    def _report(self, text: str) -> None:
        self.repairs.append(plain(text))
        self.progress.line(text)

    # -- telling -----------------------------------------------------------------------------------------------------

    def _tell(self, lacks: Mapping[str, str]) -> None:
        """One line for each condition that is waited for, again each minute, and one when it has come."""
        now = self.progress.seconds
        for key, text in lacks.items():
            since, told = self._told.get(key, (now, now - _REMIND_SECONDS + _CALM_SECONDS))
            if now - told >= _REMIND_SECONDS:
                self.progress.line(f"waiting, {now:.0f} s: {text}")
                told = now
            self._told[key] = since, told
        for key in [key for key in self._told if key not in lacks]:
            since, _told = self._told.pop(key)
            if now - since >= _CALM_SECONDS:
                self.progress.line(f"{key.replace('/', ' ')}: done after {now - since:.0f} s")

    def details(self) -> dict[str, Any]:
        """Further keys of a failed result."""
        made = self.result(0.0)
        return {
            "changed": made.changed,
            "objects": made.spaces,
            "repairs": made.repairs,
            "findings": [finding.result() for finding in self.findings],
            "missing": list(self.lacking.values()),
        }

    def result(self, waited: float) -> Result:
        """The result as of now."""
        bug = controllers.has_bug(
            self._objects.get(POST_CREATE_HOOKS, {}).get(("", controllers.TRANSPORT_HOOK))
        )
        entries = [self._entry(space) for space in self.spaces]
        return Result(entries, self.repairs, self.outcomes, bug, waited, dict(self._outdated()))

    def _outdated(self) -> Iterator[tuple[str, list[str]]]:
        """The spaces that still run what other hooks have made, such as those of an older chart."""
        known = {name: hook for (_none, name), hook in self._objects.get(POST_CREATE_HOOKS, {}).items()}
        for space in self.spaces:
            there = {
                (resource.kind, name): obj
                for resource in (DEPLOYMENTS, JOBS)
                for (namespace, name), obj in self._objects.get(resource, {}).items()
                if namespace == space.namespace
            }
            if found := hooks.outdated(self._plane(space.name) or {}, known, there):
                yield space.name, found

    def _entry(self, space: Space) -> dict[str, Any]:
        plane = self._plane(space.name)
        inside = self._inside.get(space.name, _Inside())
        told = _control_plane.summary(plane or {})
        names = {("", space.name)} | {(space.namespace, name) for name in controllers.HOOK_OF}
        changed = any(
            outcome.changed and (outcome.namespace or "", outcome.name) in names for outcome in self.outcomes
        )
        entry = {
            "kind": CONTROL_PLANES.kind,
            "namespace": "",
            "name": space.name,
            "role": space.role,
            "type": told["type"],
            "ready": told["ready"],
            "hooks": told["hooks"],
            "verified": inside.verified,
            "reason": inside.reason,
            "method": "update" if changed else "none",
            "changed": changed,
        }
        return {**entry, "its": space.its} if space.role == "wds" else entry

    def _plane(self, name: str) -> dict[str, Any] | None:
        return self._objects[CONTROL_PLANES].get(("", name))

    def _deployment(self, namespace: str, name: str) -> dict[str, Any] | None:
        return self._objects[DEPLOYMENTS].get((namespace, name))

    def _jobs(self, namespace: str) -> list[dict[str, Any]]:
        return [job for key, job in sorted(self._objects[JOBS].items()) if key[0] == namespace]


def _made(
    hook: Mapping[str, Any] | None, plane: Mapping[str, Any]
) -> Iterator[tuple[Resource, dict[str, Any]]]:
    """The Deployments and Jobs of a hook, as KubeFlex applies them; nothing where that cannot be said."""
    known = {resource.kind: resource for resource in (DEPLOYMENTS, JOBS)}
    with contextlib.suppress(hooks.Unclear):
        for want in hooks.made(hook, plane) if hook else ():
            if resource := known.get(str(want.get("kind"))):
                yield resource, hooks.placed(want, plane["metadata"]["name"], namespaced=True)


def _complete(job: Mapping[str, Any]) -> bool:
    return condition(dict(job), "Complete").get("status") == "True"


def _event_time(event: Mapping[str, Any]) -> str:
    metadata = event.get("metadata") or {}
    return str(
        event.get("lastTimestamp") or event.get("eventTime") or metadata.get("creationTimestamp") or ""
    )


def _owners_without_pods(
    deployments: Mapping[tuple[str, str], Mapping[str, Any]],
    namespace: str,
    events: Sequence[Mapping[str, Any]],
) -> Iterator[str]:
    """The ReplicaSets with refused Pods whose Deployment cannot make its replicas now; old events stay for an hour."""
    short = [
        name
        for (where, name), deployment in deployments.items()
        if where == namespace and condition(dict(deployment), "ReplicaFailure").get("status") == "True"
    ]
    for event in events:
        name = str((event.get("involvedObject") or {}).get("name"))
        if any(name.startswith(f"{deployment}-") for deployment in short):
            yield name
