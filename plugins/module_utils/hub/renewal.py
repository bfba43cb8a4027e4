# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Renewing the credentials of spaces before they expire (private to kubestellar.core).

KubeFlex asks an adopted cluster once for a token, and never again: while the Secret with the kubeconfig is there, it does
nothing (kubeflex: pkg/reconcilers/external/kubeconfig.go). Here the token that is still good asks for its successor, which is
put into the Secret. Where it is good no more, the Secret is deleted and KubeFlex adopts the cluster anew, for which it needs
an administrator's kubeconfig.

The token of a space of type `host` is that of a Secret of its ServiceAccount and does not expire; but KubeFlex copies it once,
so that a later one is not used (kubeflex: pkg/reconcilers/host/secret.go).

The controllers of a WDS read the kubeconfigs of their two spaces once, at their start. So those that were ready before the
last change of a Secret are restarted, whoever changed it; a run that was interrupted is thereby completed by the next.
"""

from __future__ import annotations

import base64
import binascii
import copy
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import (
    _bulk,
    _control_plane,
    _credentials,
    _health,
    _space,
)
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._control_plane import (
    ADMIN_SECRET,
    IN_CLUSTER_KEY,
    KEY,
    NUDGE_ANNOTATION,
    Wish,
)
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    ApiError,
    InvalidInput,
    KubestellarError,
    plain,
)
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    CONTROL_PLANES,
    DEPLOYMENTS,
    PODS,
    SECRETS,
    SERVICE_ACCOUNTS,
)
from ansible_collections.kubestellar.core.plugins.module_utils._untrusted import well_formed
from ansible_collections.kubestellar.core.plugins.module_utils._wait import Verdict, Waiter
from ansible_collections.kubestellar.core.plugins.module_utils._yaml import dump_yaml, load_yaml
from ansible_collections.kubestellar.core.plugins.module_utils.hub import controllers
from ansible_collections.kubestellar.core.plugins.module_utils.hub.ready import Space

RESTART_ANNOTATION = "kubestellar.core/credentials-of"
"""In the Pod template of a controller: when the kubeconfigs that it must have read were written."""

ACCOUNT = ("kube-system", "kubeflex")
"""The ServiceAccount that KubeFlex makes in an adopted cluster."""
LIFE_SECONDS = 365 * 86400
"""The life that KubeFlex asks for where the ControlPlane names none."""

_REACH_SECONDS = 10.0
_READ_ONCE = 2
_SECRET_KEYS = (IN_CLUSTER_KEY, KEY)


@dataclass(frozen=True)
class Admin:
    """How to adopt a space's cluster anew. :ivar kubeconfig: reads it, see `_control_plane.read_bootstrap`."""

    space: str
    kubeconfig: Callable[[], Mapping[str, Any]] = field(repr=False)


@dataclass(frozen=True)
class Settings:
    """What is due and how to go on.

    :ivar renew_before: seconds before its end at which a credential is renewed.
    :ivar deployments: whether the controllers are Deployments of the hosting cluster; else nothing is restarted.
    :ivar bootstrap_namespace: for the bootstrap Secret of a cluster that is adopted anew.
    """

    renew_before: float
    deployments: bool
    bootstrap_namespace: str
    timeout: float
    dry_run: bool


@dataclass
class Report:
    """What is known of the credentials of one space, and what was done.

    :ivar expires: when they end, in seconds since the epoch; 0 for never or unknown.
    :ivar written: when its Secret was last changed, as Kubernetes writes times.
    :ivar reason: why it was renewed, or why it was not although it should have been.
    """

    name: str
    type: str
    secret: str = ADMIN_SECRET
    expires: float = 0.0
    written: str = ""
    method: str = "none"
    reason: str = ""
    outcomes: list[_bulk.Outcome] = field(default_factory=list)

    def result(self) -> dict[str, Any]:
        """The entry of `objects`."""
        return {
            "kind": "Secret",
            "namespace": f"{self.name}-system",
            "name": self.secret,
            "space": self.name,
            "type": self.type,
            "expires": rfc3339(self.expires) if self.expires else "",
            "written": self.written,
            "method": self.method,
            "changed": self.method != "none",
            "reason": self.reason,
        }


@dataclass
class Result:
    """`reports` of all spaces, `restarted` Deployments as `<namespace>/<name>`."""

    reports: list[Report]
    restarted: list[_bulk.Outcome] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Whether anything was, or in check mode would be, written."""
        return any(outcome.changed for outcome in self.outcomes)

    @property
    def outcomes(self) -> list[_bulk.Outcome]:
        """Every write."""
        return [outcome for report in self.reports for outcome in report.outcomes] + self.restarted

    def details(self) -> dict[str, Any]:
        """The keys of the result of the module."""
        return {
            "changed": self.changed,
            "objects": [report.result() for report in self.reports],
            "restarted": [f"{one.namespace}/{one.name}" for one in self.restarted if one.changed],
            "written": max((report.written for report in self.reports), default=""),
        }


def renew(
    hosting: Cluster,
    spaces: Sequence[Space],
    admins: Sequence[Admin],
    settings: Settings,
    progress: Progress,
) -> Result:
    """Renew what is due, and restart the controllers that still have what was before.

    A space that cannot be renewed does not keep the others from it.

    :param spaces: those of the hub; of a WDS also its ITS.
    :raises KubestellarError: naming the spaces whose credentials have expired, or cannot be renewed although that is due.
    """
    live = _control_plane.read_all(hosting)
    missing = [space.name for space in spaces if space.name not in live]
    if missing:
        raise InvalidInput(
            f"{hosting.name}: there is no ControlPlane {', '.join(missing)}.",
            hint="Create it (kubestellar.core.hub), or take it out of the list.",
        )
    by_name = {admin.space: admin for admin in admins}
    result = Result([])
    failures: dict[str, KubestellarError] = {}
    for space in spaces:
        work = _Renewal(hosting, live[space.name], by_name.get(space.name), settings, progress)
        result.reports.append(work.report)
        try:
            work.run()
        except KubestellarError as error:
            work.report.reason = error.message
            failures[space.name] = error
        result.warnings += work.warnings
    written = {report.name: report.written for report in result.reports if report.type in _RENEWED}
    renewed = {report.name for report in result.reports if report.method != "none"}
    if settings.deployments:
        try:
            result.restarted = _restart(hosting, spaces, written, renewed, settings, progress)
        except KubestellarError as error:
            error.details.update({**result.details(), "changed": True})
            raise
    if failures:
        first, *others = failures
        also = f" The same goes for {', '.join(others)}; see objects." if others else ""
        raise KubestellarError(
            f"{failures[first].message}{also}", hint=failures[first].hint, **result.details()
        )
    return result


_RENEWED = ("external", "host")


class _Renewal:
    """The work on one space."""

    def __init__(
        self,
        hosting: Cluster,
        control_plane: Mapping[str, Any],
        admin: Admin | None,
        settings: Settings,
        progress: Progress,
    ) -> None:
        self._hosting = hosting
        self._plane = control_plane
        self._admin = admin
        self._settings = settings
        self._progress = progress
        self._name = str(control_plane["metadata"]["name"])
        self._namespace = f"{self._name}-system"
        self.report = Report(self._name, str((control_plane.get("spec") or {}).get("type") or ""))
        self.warnings: list[str] = []

    def run(self) -> None:
        """Look at the credentials, and renew them if that is due.

        :raises KubestellarError: it is due and cannot be done.
        """
        secret = _space.read_secret(self._hosting, self._plane)
        if secret is None:
            if self.report.type == "external" and self._admin is not None:
                self._adopt_anew(None, "its Secret is gone")
                return
            raise KubestellarError(
                f"{self._hosting.name}: the space {self._name} has no Secret with a kubeconfig.",
                hint="Wait until it is Ready, or adopt it anew with an administrator's kubeconfig.",
            )
        self.report.secret, self.report.written = str(secret["metadata"]["name"]), written_at(secret)
        found = ends(secret, self._plane)
        unread = [one for one in found if one.error]
        if unread:
            self.warnings.append(
                f"{self._name}: when its {unread[0].what} expires cannot be told: {unread[0].error}."
            )
        self.report.expires = min((one.expires for one in found if not one.error), default=0.0)
        if self.report.type == "host":
            self._copy_host_token(secret)
            return
        left = self.report.expires - time.time() if self.report.expires else float("inf")
        due = left < self._settings.renew_before
        if self.report.type != "external":
            if due:
                self._cannot(
                    f"the credentials of the space {self._name} of type {self.report.type} {_when(left)}",
                    left,
                )
            return
        kubeconfig = self._parsed(lambda: _space.kubeconfig_of(secret, self._plane))
        refused = left > 0 and self._is_refused(kubeconfig)
        if due or refused:
            why = "is refused by its API server" if refused else _when(left)
            self._renew_external(secret, kubeconfig, why, good=left > 0 and not refused)

    def _parsed(self, read: Callable[[], Mapping[str, Any] | None]) -> Mapping[str, Any]:
        """:raises KubestellarError: it is no kubeconfig; what the parser says could quote the Secret."""
        try:
            return read() or {}
        except (InvalidInput, ValueError, IndexError):
            text = f"{self._hosting.name}: the kubeconfig in the Secret of the space {self._name} is not valid YAML."
        raise KubestellarError(text, hint="Put a right one there, or let the space be adopted anew.")

    def _is_refused(self, kubeconfig: Mapping[str, Any]) -> bool:
        """Whether the API server is there and does not take the credentials."""
        try:
            Cluster.from_secret(kubeconfig, name=self._name).version(timeout=_REACH_SECONDS, attempts=1)
        except ApiError as error:
            return error.status == 401
        except KubestellarError:
            return False
        return False

    def _renew_external(
        self, secret: Mapping[str, Any], kubeconfig: Mapping[str, Any], why: str, *, good: bool
    ) -> None:
        old = _credentials.token_of(kubeconfig)
        trouble: KubestellarError | None = None
        if old and good:
            if self._settings.dry_run:
                self._planned(secret, f"its token {why}")
                return
            try:
                new = self._successor(kubeconfig, old)
            except KubestellarError as error:
                trouble = error
            else:
                self._put(secret, new, f"its token {why}")
                return
        if self._admin is not None:
            self._adopt_anew(secret, f"its credentials {why}")
            return
        because = f": {trouble.message.rstrip('.')}" if trouble else ""
        what = "token" if old else "client certificate"
        raise KubestellarError(
            f"{self._hosting.name}: the {what} of the space {self._name} {why} and cannot be renewed by itself{because}.",
            hint="Give the kubeconfig of an administrator of the adopted cluster (kubeconfig and context of the space in "
            "hub_itses or hub_wdses) and run renew.yml again.",
        )

    def _successor(self, kubeconfig: Mapping[str, Any], token: str) -> str:
        """A new token from the adopted cluster, seen to work there.

        :raises KubestellarError: it gives none, or one that ends no later.
        """
        space = Cluster.from_secret(kubeconfig, name=self._name)
        namespace, name = _credentials.account_of(token) or ACCOUNT
        life = int((self._plane.get("spec") or {}).get("tokenExpirationSeconds") or LIFE_SECONDS)
        answer = space.request(
            "POST",
            SERVICE_ACCOUNTS.path(namespace, name, "token"),
            body={
                "apiVersion": "authentication.k8s.io/v1",
                "kind": "TokenRequest",
                "spec": {"expirationSeconds": life},
            },
            action=f"request a token of ServiceAccount {namespace}/{name}",
            kind="TokenRequest",
            timeout=_REACH_SECONDS,
            attempts=_READ_ONCE,
            repeatable=True,
        )
        new = str((answer.get("status") or {}).get("token") or "")
        if not new:
            raise KubestellarError(f"{self._name}: the API server returned no token.")
        later = _credentials.of_token(new)
        if later is not None and not later.error:
            if later.expires <= self.report.expires:
                raise KubestellarError(f"{self._name}: its API server gives no token that ends later.")
            if later.expires - time.time() < self._settings.renew_before:
                self.warnings.append(
                    f"{self._name}: its API server gives tokens for {later.expires - later.issued:.0f} s, which is less than "
                    "renew_before: it is renewed by every run, and runs must be closer together than that."
                )
        Cluster.from_secret(_credentials.with_token(kubeconfig, new), name=self._name).request(
            "GET",
            SERVICE_ACCOUNTS.path(namespace, name),
            action="use the new token",
            kind=SERVICE_ACCOUNTS.kind,
            timeout=_REACH_SECONDS,
            attempts=_READ_ONCE,
        )
        return new

    def _copy_host_token(self, secret: Mapping[str, Any]) -> None:
        """Put the token of the ServiceAccount's Secret into the kubeconfig if it is another."""
        account = self._hosting.get(SECRETS, self._name, self._namespace)
        data = (account or {}).get("data") or {}
        try:
            token = base64.b64decode(data.get("token") or "").decode()
        except (binascii.Error, ValueError):
            token = ""
        kubeconfig = self._parsed(lambda: _space.kubeconfig_of(secret, self._plane, in_cluster=True))
        if token and token != _credentials.token_of(kubeconfig):
            reason = f"the Secret {self._namespace}/{self._name} has another token"
            if self._settings.dry_run:
                self._planned(secret, reason)
            else:
                self._put(secret, token, reason)
            return
        left = self.report.expires - time.time()
        if self.report.expires and left < self._settings.renew_before:
            self._cannot(f"the token of the space {self._name} of type host {_when(left)}", left)

    def _cannot(self, what: str, left: float) -> None:
        """Say that something is due that we cannot do. :raises KubestellarError: it has expired."""
        hint = {
            "vcluster": f"Restart the StatefulSet {self._namespace}/vcluster, which renews them, then run renew.yml again.",
            "host": f"Delete the Secrets {self._name} and {ADMIN_SECRET} in {self._namespace}: KubeFlex makes them anew.",
        }.get(self.report.type, "KubeFlex does not renew them: recreate the space in time.")
        self.report.reason = f"{what}; this is not renewed from here"
        if left <= 0:
            raise KubestellarError(
                f"{self._hosting.name}: {what} and cannot be renewed from here.", hint=hint
            )
        self.warnings.append(f"{what}. {hint}")

    def _planned(self, secret: Mapping[str, Any], reason: str) -> None:
        """The forecast of `_put`."""
        after = copy.deepcopy(dict(secret))
        after["data"] = {
            key: "bmV3" if key in _SECRET_KEYS else value for key, value in after["data"].items()
        }
        self._done(secret, after, reason)

    def _put(self, secret: Mapping[str, Any], token: str, reason: str) -> None:
        """Write the token into each kubeconfig of the Secret. Nothing else in it changes."""
        data: dict[str, str] = {}
        for key in _SECRET_KEYS:
            encoded = (secret.get("data") or {}).get(key)
            if encoded:
                kubeconfig = self._parsed(partial(_decoded, encoded))
                text = dump_yaml(_credentials.with_token(kubeconfig, token))
                data[key] = base64.b64encode(text.encode()).decode()
        # A merge patch: an apply would give up, and so remove, what an earlier one has put beside.
        after = self._hosting.patch(
            SECRETS,
            str(secret["metadata"]["name"]),
            self._namespace,
            {"metadata": {"resourceVersion": secret["metadata"]["resourceVersion"]}, "data": data},
        )
        self.report.written = written_at(after)
        found = _credentials.of_token(token)
        self.report.expires = found.expires if found is not None and not found.error else 0.0
        self._done(secret, after, reason)
        self._progress.line(f"{self._name}: renewed, since {reason}")

    def _done(self, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, reason: str) -> None:
        self.report.method, self.report.reason = "update", reason
        # A diff masks what says that it is a Secret.
        sides = [None if side is None else {**side, "kind": "Secret"} for side in (before, after)]
        self.report.outcomes.append(
            _bulk.Outcome(
                "v1",
                "Secret",
                self._namespace,
                self.report.secret,
                "update",
                before=sides[0],
                after=sides[1],
            )
        )

    def _adopt_anew(self, secret: Mapping[str, Any] | None, reason: str) -> None:
        """Let KubeFlex adopt the cluster again: bootstrap Secret, then no kubeconfig, then KubeFlex makes both right.

        :raises WaitTimeout: KubeFlex does not, with what it says.
        """
        if self._admin is None:
            return
        kubeconfig = self._admin.kubeconfig()
        if self._settings.dry_run:
            self._done(secret, None if secret is None else {**secret, "data": {}}, reason)
            return
        reference = _control_plane.Reference.of((self._plane.get("spec") or {}).get("bootstrapSecretRef"))
        wish = Wish(self._name, "", "external", reference=reference)
        want = _control_plane.bootstrap_secret(wish, self._settings.bootstrap_namespace, kubeconfig)
        _bulk.raise_failures(_bulk.apply_all(self._hosting, [want], force=True), self._hosting.name)
        if secret is not None:
            self._hosting.delete(
                SECRETS, str(secret["metadata"]["name"]), self._namespace, uid=secret["metadata"]["uid"]
            )
        stamp = {NUDGE_ANNOTATION: rfc3339(time.time())}
        self._hosting.patch(CONTROL_PLANES, self._name, None, {"metadata": {"annotations": stamp}})
        made = self._wait_adopted(str(((secret or {}).get("metadata") or {}).get("uid") or ""))
        before = (secret or {}).get("data") or {}
        hooks = (self._plane.get("spec") or {}).get("postCreateHooks")
        if not hooks or (before.get(KEY) and before.get(KEY) == before.get(IN_CLUSTER_KEY)):
            made = self._hosting.patch(
                SECRETS, ADMIN_SECRET, self._namespace, {"data": {KEY: made["data"][IN_CLUSTER_KEY]}}
            )
        self.report.written = written_at(made)
        self.report.expires = min(
            (one.expires for one in ends(made, self._plane) if not one.error), default=0.0
        )
        self._done(secret, made, reason)
        self._progress.line(f"{self._name}: adopted anew, since {reason}")

    def _wait_adopted(self, old_uid: str) -> dict[str, Any]:
        waiter = Waiter(self._progress)
        secrets = waiter.follow(self._hosting, SECRETS, self._namespace)
        planes = waiter.follow(self._hosting, CONTROL_PLANES)

        def made() -> dict[str, Any] | None:
            found = secrets.get(ADMIN_SECRET, self._namespace)
            return found if found is not None and found["metadata"]["uid"] != old_uid else None

        def evaluate() -> Verdict:
            said = _control_plane.lacking(self._name, planes.get(self._name))
            return Verdict(made() is not None, [said or f"{self._name}: there is no new kubeconfig"])

        waiter.until(
            evaluate,
            timeout=self._settings.timeout,
            what=f"{self._hosting.name}: {self._name} adopted anew",
            hint="Is the given kubeconfig that of an administrator, and its server reached from the KubeFlex manager?",
        )
        return made() or {}


# -- reading ---------------------------------------------------------------------------------------------------------


def ends(secret: Mapping[str, Any], control_plane: Mapping[str, Any]) -> list[_credentials.Credential]:
    """The credentials in the kubeconfigs of a space's Secret that expire, or cannot be read."""
    data = secret.get("data") or {}
    reference = (control_plane.get("status") or {}).get("secretRef") or {}
    texts = {data[key] for key in (reference.get("key"), reference.get("inClusterKey")) if data.get(key)}
    found = {credential for text in texts for credential in _credentials.credentials(text)}
    return sorted(found, key=lambda one: (one.what, one.expires))


def _decoded(encoded: str) -> Mapping[str, Any]:
    return well_formed(load_yaml(base64.b64decode(encoded), "the kubeconfig")[0], "the kubeconfig")


def written_at(secret: Mapping[str, Any]) -> str:
    """When the data of a Secret were last changed, as the API server has noted for each writer.

    Not when it was created: whoever renews a kubeconfig changes the same Secret.
    """
    metadata = secret.get("metadata") or {}
    times = [
        str(entry.get("time") or "")
        for entry in metadata.get("managedFields") or []
        if "f:data" in (entry.get("fieldsV1") or {})
    ]
    return max([*times, str(metadata.get("creationTimestamp") or "")])


def rfc3339(seconds: float) -> str:
    """A time as Kubernetes writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _when(left: float) -> str:
    """When it ends, as a predicate."""
    seconds = abs(left)
    text = f"{seconds / 86400:.0f} d" if seconds >= 2 * 86400 else f"{seconds / 3600:.0f} h"
    text = text if seconds >= 2 * 3600 else f"{seconds / 60:.0f} min"
    return f"ends in {text}" if left > 0 else f"expired {text} ago"


# -- restarting ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Stale:
    """A controller whose Pods are older than a kubeconfig that they use."""

    deployment: Mapping[str, Any]
    stamp: str


def stamp_of(space: Space, written: Mapping[str, str]) -> str:
    """When the kubeconfigs that the controllers of a WDS use were last written; empty if none of them is renewed here."""
    return max((written.get(name) or "" for name in (space.name, space.its)), default="")


def is_stale(pods: Iterable[Mapping[str, Any]], stamp: str) -> bool:
    """Whether one of the Pods has read its kubeconfigs before they were written. Kubernetes' times sort as texts.

    A controller reads them after its container was started. One that does not run has done so after its Pod was created; that is
    also said of one that still waits for its ITS, since it may as well be one that has lost it. Readiness says nothing: it comes
    and goes with that of the node.
    """
    return any(_read_at(pod) < stamp for pod in pods)


def _read_at(pod: Mapping[str, Any]) -> str:
    states = [one.get("state") or {} for one in (pod.get("status") or {}).get("containerStatuses") or []]
    since = [str((state.get("running") or {}).get("startedAt") or "") for state in states]
    return min(since) if all(since) and since else str(pod["metadata"].get("creationTimestamp") or "")


def _restart(
    hosting: Cluster,
    spaces: Sequence[Space],
    written: Mapping[str, str],
    renewed: set[str],
    settings: Settings,
    progress: Progress,
) -> list[_bulk.Outcome]:
    """Restart the stale controllers: first all controller-managers, then all transport controllers.

    In this order a transport controller meets the Bindings of a manager that works.

    :raises WaitTimeout: naming what does not come up.
    """
    stamps = {
        space.namespace: stamp
        for space in spaces
        if space.role == "wds" and (stamp := stamp_of(space, written))
    }
    planned = {space.namespace for space in spaces if settings.dry_run and {space.name, space.its} & renewed}
    outcomes: list[_bulk.Outcome] = []
    for name in (controllers.MANAGER, controllers.TRANSPORT):
        waiting: list[str] = []
        for namespace, stamp in stamps.items():
            deployment = hosting.get(DEPLOYMENTS, name, namespace)
            if deployment is None:
                continue
            labels = ((deployment.get("spec") or {}).get("selector") or {}).get("matchLabels") or {}
            selector = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
            pods = hosting.list(PODS, namespace, label_selector=selector).items if selector else []
            if namespace in planned or is_stale(pods, stamp):
                outcomes += _annotate(
                    hosting, deployment, stamp, planned=namespace in planned, dry_run=settings.dry_run
                )
                waiting.append(namespace)
        if waiting and not settings.dry_run:
            _wait_restarted(hosting, name, waiting, settings.timeout, progress)
    return outcomes


def _annotate(
    hosting: Cluster, deployment: Mapping[str, Any], stamp: str, *, planned: bool, dry_run: bool
) -> list[_bulk.Outcome]:
    """Change the Pod template, which restarts the Pods; nothing if that was done before and they are only late."""
    template = ((deployment.get("spec") or {}).get("template") or {}).get("metadata") or {}
    if (template.get("annotations") or {}).get(RESTART_ANNOTATION) == stamp and not planned:
        return []
    metadata = deployment["metadata"]
    stamp = rfc3339(time.time()) if planned else stamp
    patch = {"spec": {"template": {"metadata": {"annotations": {RESTART_ANNOTATION: stamp}}}}}
    after = hosting.patch(DEPLOYMENTS, metadata["name"], metadata["namespace"], patch, dry_run=dry_run)
    return [
        _bulk.Outcome(
            "apps/v1",
            "Deployment",
            metadata["namespace"],
            metadata["name"],
            "update",
            before=deployment,
            after=after,
        )
    ]


def _wait_restarted(
    hosting: Cluster, name: str, namespaces: Sequence[str], timeout: float, progress: Progress
) -> None:
    waiter = Waiter(progress)
    deployments = waiter.follow(hosting, DEPLOYMENTS, field_selector=f"metadata.name={name}")

    def lacks(namespace: str) -> str:
        found = deployments.get(name, namespace)
        if found is None:
            return f"{namespace}/{name} is gone"
        health = _health.assess(
            "apps",
            "Deployment",
            found.get("spec") or {},
            found.get("status") or {},
            found["metadata"].get("generation"),
        )
        return "" if health.state == _health.HEALTHY else f"{namespace}/{name}: {plain(health.message, 120)}"

    def evaluate() -> Verdict:
        missing = [text for namespace in namespaces if (text := lacks(namespace))]
        return Verdict(not missing, missing)

    waiter.until(
        evaluate,
        timeout=timeout,
        what=f"{hosting.name}: {name} restarted with the new credentials",
        hint="Look at the Pods of this Deployment; run again when the cause is removed.",
    )
