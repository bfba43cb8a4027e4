# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Spaces as KubeFlex ControlPlanes (private to kubestellar.core).

The order for a space of type `external` matters, and each step is decided from what is there, so that a run
that was killed anywhere converges on the next: bootstrap Secret, ControlPlane, Ready, key `kubeconfig`.
"""

from __future__ import annotations

import base64
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bulk, _diff, _join, _space
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    InvalidInput,
    KubestellarError,
    NotFound,
    WaitTimeout,
    plain,
)
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    CONTROL_PLANES,
    DEPLOYMENTS,
    JOBS,
    NAMESPACES,
    POST_CREATE_HOOKS,
    SECRETS,
    Resource,
)
from ansible_collections.kubestellar.core.plugins.module_utils._space import CP_TYPE_LABEL
from ansible_collections.kubestellar.core.plugins.module_utils._untrusted import well_formed
from ansible_collections.kubestellar.core.plugins.module_utils._wait import (
    Follower,
    Verdict,
    Waiter,
    condition,
)
from ansible_collections.kubestellar.core.plugins.module_utils._yaml import dump_yaml, load_yaml

TYPES = ("external", "host", "k8s", "vcluster")
ROLES = ("its", "wds")
ADMIN_SECRET = "admin-kubeconfig"
KEY = "kubeconfig"
IN_CLUSTER_KEY = "kubeconfig-incluster"
BOOTSTRAP_LABEL = "kubestellar.core/bootstrap-of"
NUDGE_ANNOTATION = "kubestellar.core/nudged"
"""Its value is the time at which KubeFlex was to look at a ControlPlane again. It means nothing; the event wakes KubeFlex."""

_CONTENT = "bootstrap_kubeconfig_content"
_LONGEST_NAME = 63 - len("-system")
_NUDGE_SECONDS, _REQUEUE_SECONDS = 2.0, 30.0
_VARIABLE = re.compile(r"\{\{ *\.(\w+) *\}\}")
_NAME = re.compile(r"^[a-z]([-a-z0-9]*[a-z0-9])?$")


@dataclass(frozen=True)
class Reference:
    """Where the kubeconfig of a cluster to adopt is. What is empty is decided by whoever makes the Secret."""

    name: str = ""
    namespace: str = ""
    key: str = ""

    @classmethod
    def of(cls, option: Mapping[str, Any] | None) -> Reference:
        """From an option with these keys."""
        return cls(**{key: str((option or {}).get(key) or "") for key in ("name", "namespace", "key")})

    @property
    def label(self) -> str:
        """Such as `default/wds2-bootstrap`, for messages."""
        return f"{plain(self.namespace, 80)}/{plain(self.name, 80)}"


@dataclass(frozen=True)
class Wish:
    """One ControlPlane as it is wanted.

    :ivar hooks: (name, vars) of its PostCreateHooks.
    :ivar bootstrap: reads the kubeconfig of the cluster to adopt (see `one_context`); None if none is given. It
        is read only when the cluster is not adopted yet, since afterwards the file need not be there.
    :ivar reference: the bootstrap Secret, as far as it is named.
    :ivar token_seconds: life of the token that KubeFlex asks for; None leaves it to KubeFlex.
    """

    name: str
    role: str
    type: str
    hooks: tuple[tuple[str, Mapping[str, str]], ...] = ()
    bootstrap: Callable[[], Mapping[str, Any]] | None = field(default=None, repr=False)
    reference: Reference = Reference()
    token_seconds: int | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def namespace(self) -> str:
        """The namespace that KubeFlex makes for it."""
        return f"{self.name}-system"

    def secret(self, namespace: str) -> Reference:
        """Its bootstrap Secret, by default in `namespace` and called as `kflex adopt` does."""
        return Reference(
            self.reference.name or f"{self.name}-bootstrap",
            self.reference.namespace or namespace,
            self.reference.key or IN_CLUSTER_KEY,
        )


def check_name(name: str) -> None:
    """:raises InvalidInput: KubeFlex could not make namespace and host name of this."""
    if not isinstance(name, str) or not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        raise InvalidInput(
            f"The space name {plain(name, 80)!r} is not allowed.",
            hint=f"Use at most {_LONGEST_NAME} lower-case letters, digits and dashes, beginning with a letter "
            "and ending with a letter or digit: its namespace is called <name>-system.",
        )


def check_names(names: Sequence[str]) -> None:
    """:raises InvalidInput: an illegal name, or one that is there twice."""
    for name in names:
        check_name(name)
    twice = sorted({name for name in names if list(names).count(name) > 1})
    if twice:
        raise InvalidInput(f"The space {twice[0]} is named twice.", hint="Keep one of them.")


def manifest(wish: Wish, bootstrap_namespace: str) -> dict[str, Any]:
    """The ControlPlane object.

    Without hooks nobody else sets the role's label; with hooks KubeFlex copies it from them when they are
    done, and nobody may find the space by it earlier (kubeflex: pkg/reconcilers/shared/postcreate_hook.go).
    """
    spec: dict[str, Any] = {"type": wish.type, "backend": "shared"}
    metadata: dict[str, Any] = {"name": wish.name}
    if wish.annotations:
        metadata["annotations"] = dict(wish.annotations)
    if wish.type == "external":
        secret = wish.secret(bootstrap_namespace)
        spec["bootstrapSecretRef"] = {
            "name": secret.name,
            "namespace": secret.namespace,
            "inClusterKey": secret.key,
        }
        if wish.token_seconds is not None:
            spec["tokenExpirationSeconds"] = wish.token_seconds
    if wish.hooks:
        spec["waitForPostCreateHooks"] = True
        spec["postCreateHooks"] = [
            {"hookName": name, "vars": dict(variables)} if variables else {"hookName": name}
            for name, variables in wish.hooks
        ]
    else:
        metadata["labels"] = {CP_TYPE_LABEL: wish.role}
    return {
        "apiVersion": CONTROL_PLANES.api_version,
        "kind": CONTROL_PLANES.kind,
        "metadata": metadata,
        "spec": spec,
    }


def bootstrap_secret(wish: Wish, namespace: str, kubeconfig: Mapping[str, Any]) -> dict[str, Any]:
    """The Secret with which KubeFlex adopts a cluster; KubeFlex deletes it when it has."""
    text = dump_yaml(dict(kubeconfig))
    secret = wish.secret(namespace)
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": secret.name,
            "namespace": secret.namespace,
            "labels": {BOOTSTRAP_LABEL: wish.name},
        },
        "type": "Opaque",
        "data": {secret.key: base64.b64encode(text.encode()).decode()},
    }


def one_context(
    content: Mapping[str, Any], context: str | None, where: str, folder: str | None
) -> dict[str, Any]:
    """A kubeconfig with one context of `content` only, its files put inside, and that context current.

    :param context: None if there is exactly one.
    :param where: what the message calls the kubeconfig.
    :param folder: what relative file names refer to; None if files cannot be meant.
    :raises InvalidInput: no such context, or credentials that another machine could not use.
    """
    contexts = _named(content, "contexts", "context")
    if context is None:
        if len(contexts) != 1:
            raise InvalidInput(
                f"{where} has {len(contexts)} contexts and none is named.", hint="Set bootstrap_context."
            )
        context = next(iter(contexts))
    if context not in contexts:
        raise InvalidInput(
            f"{where} has no context {context!r}.", hint=f"It has: {plain(', '.join(sorted(contexts)))}."
        )
    chosen = contexts[context]
    cluster = _named(content, "clusters", "cluster").get(str(chosen.get("cluster")))
    user = _named(content, "users", "user").get(str(chosen.get("user")))
    if cluster is None or user is None or not cluster.get("server"):
        raise InvalidInput(f"{where}: the context {context} has no cluster with a server, or no user.")
    cluster = _inlined(cluster, ("certificate-authority",), where, folder)
    user = _inlined(user, ("client-certificate", "client-key", "token"), where, folder)
    if not user.get("token") and not user.get("client-key-data"):
        raise InvalidInput(
            f"{where}: the user of context {context} has neither a token nor a client certificate.",
            hint="KubeFlex cannot run credential programs: give a kubeconfig with one of the two.",
        )
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": context, "cluster": cluster}],
        "users": [{"name": context, "user": user}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
        "current-context": context,
    }


def read_bootstrap(
    path: str | None, text: str | None, context: str | None, *, fallback: str
) -> dict[str, Any]:
    """The kubeconfig of a cluster to adopt, from a file or from YAML text.

    :param fallback: the context to take if `context` is not given and there are several.

    :raises InvalidInput: it cannot be read or does not have the context.
    """
    if text:
        documents = load_yaml(text, _CONTENT)
        if len(documents) != 1:
            raise InvalidInput(f"{_CONTENT} is not one kubeconfig.")
        content = well_formed(documents[0], _CONTENT)
        return one_context(content, context or _default_context(content, fallback), _CONTENT, None)
    path = path or ""
    try:
        with open(path, "rb") as stream:
            documents = load_yaml(stream.read(), path)
    except OSError as error:
        raise InvalidInput(f"The bootstrap kubeconfig {path} cannot be read: {error.strerror}.") from error
    if len(documents) != 1:
        raise InvalidInput(f"{path} is not a kubeconfig.")
    content = well_formed(documents[0], path)
    context = context or _default_context(content, fallback)
    return one_context(content, context, path, os.path.dirname(os.path.abspath(path)))


def _default_context(content: Mapping[str, Any], name: str) -> str | None:
    """The context called like the space where there are several; never the current one."""
    contexts = _named(content, "contexts", "context")
    return name if len(contexts) > 1 else None


def _named(content: Mapping[str, Any], key: str, inner: str) -> dict[str, dict[str, Any]]:
    return {
        str(entry.get("name")): dict(entry.get(inner) or {})
        for entry in content.get(key) or []
        if isinstance(entry, Mapping)
    }


def _inlined(
    values: Mapping[str, Any], names: Sequence[str], where: str, folder: str | None
) -> dict[str, Any]:
    """`values` with the content of the files that it names by `<name>` (a token's by `tokenFile`)."""
    result = dict(values)
    for name in names:
        file_key, data_key = ("tokenFile", "token") if name == "token" else (name, f"{name}-data")
        path = result.pop(file_key, None)
        if not path or result.get(data_key):
            continue
        if folder is None:
            raise InvalidInput(f"{where} names the file {path}.", hint="Put its content inside.")
        try:
            with open(os.path.join(folder, str(path)), "rb") as stream:
                data = stream.read()
        except OSError as error:
            raise InvalidInput(f"{where}: {path} cannot be read: {error.strerror}.") from error
        result[data_key] = data.decode().strip() if name == "token" else base64.b64encode(data).decode()
    return result


def names_of(params: Mapping[str, Any]) -> list[str]:
    """The names in the options `name` or `spaces`.

    :raises InvalidInput: illegal, or there twice.
    """
    names = [params["name"]] if params["name"] else [space["name"] for space in params["spaces"]]
    check_names(names)
    return names


def wishes_of(params: Mapping[str, Any]) -> list[Wish]:
    """The spaces that the options of the module describe.

    :raises InvalidInput: a space without a role, or with options that its type does not have.
    """
    spaces = [{"name": params["name"]}] if params["name"] else params["spaces"]
    wishes = []
    for space in spaces:
        name = space["name"]
        chosen = {
            key: space.get(key) or params[key]
            for key in (
                "role",
                "type",
                "hooks",
                "bootstrap_context",
                "bootstrap_secret",
                "token_expiration_seconds",
            )
        }
        path, text = space.get("bootstrap_kubeconfig") or params["bootstrap_kubeconfig"], params[_CONTENT]
        if not chosen["role"]:
            raise InvalidInput(f"The space {name} has no role.", hint="Set role to its or wds.")
        bootstrap = None
        if path or text:
            bootstrap = partial(read_bootstrap, path, text, chosen["bootstrap_context"], fallback=name)
        if chosen["type"] != "external" and (space.get("bootstrap_kubeconfig") or text):
            raise InvalidInput(
                f"The space {name} of type {chosen['type']} is created, not adopted.",
                hint="Leave bootstrap_kubeconfig out, or set type to external.",
            )
        hooks = tuple((hook["name"], _texts(hook["vars"], name, hook["name"])) for hook in chosen["hooks"])
        wishes.append(
            Wish(
                name,
                chosen["role"],
                chosen["type"],
                hooks,
                bootstrap,
                Reference.of(chosen["bootstrap_secret"]),
                check_token_seconds(name, chosen["token_expiration_seconds"]),
                params["annotations"],
            )
        )
    for key, value in params["annotations"].items():
        if not isinstance(value, str):
            raise InvalidInput(
                f"The annotation {plain(key)} is a {type(value).__name__}, not a string.",
                hint=f'Write it in quotes: "{plain(value)}".',
            )
    return wishes


def check_token_seconds(name: str, seconds: int | None) -> int | None:
    """:raises InvalidInput: a life that no API server gives a token (kubernetes: pkg/apis/authentication/validation)."""
    if seconds is not None and not _join.SHORTEST_TTL <= seconds <= _join.LONGEST_TTL:
        raise InvalidInput(
            f"The space {name}: token_expiration_seconds is {seconds}, but API servers issue tokens for "
            f"{_join.SHORTEST_TTL} seconds at least and {_join.LONGEST_TTL} at most."
        )
    return seconds


def _texts(values: Mapping[str, Any], space: str, hook: str) -> dict[str, str]:
    for key, value in values.items():
        if not isinstance(value, str):
            raise InvalidInput(
                f"The space {space}: the variable {plain(key)} of hook {plain(hook)} is a "
                f"{type(value).__name__}, not a string.",
                hint=f'Write it in quotes: "{plain(value)}".',
            )
    return dict(values)


# -- reading ------------------------------------------------------------------------------------------------


def summary(control_plane: Mapping[str, Any]) -> dict[str, Any]:
    """What results tell about a ControlPlane: name, role, type, ready, conditions, secret_ref, hooks."""
    metadata, status = control_plane.get("metadata") or {}, control_plane.get("status") or {}
    reference = status.get("secretRef") or {}
    return {
        "name": str(metadata.get("name") or ""),
        "role": str((metadata.get("labels") or {}).get(CP_TYPE_LABEL) or ""),
        "type": str((control_plane.get("spec") or {}).get("type") or ""),
        "ready": is_ready(control_plane),
        "conditions": [
            {key: str(found.get(key) or "") for key in ("type", "status", "reason", "message")}
            for found in status.get("conditions") or []
        ],
        "secret_ref": {
            "namespace": str(reference.get("namespace") or ""),
            "name": str(reference.get("name") or ""),
            "key": str(reference.get("key") or ""),
            "in_cluster_key": str(reference.get("inClusterKey") or ""),
        }
        if reference
        else {},
        "hooks": {str(name): bool(done) for name, done in (status.get("postCreateHooks") or {}).items()},
    }


def is_ready(control_plane: Mapping[str, Any] | None) -> bool:
    """Ready for its current generation, with a Secret: what `kflex-get-kubeconfig` calls usable."""
    if control_plane is None or (control_plane.get("metadata") or {}).get("deletionTimestamp"):
        return False
    status = control_plane.get("status") or {}
    found = condition(dict(control_plane), "Ready")
    seen = int(status.get("observedGeneration") or 0)
    return (
        found.get("status") == "True"
        and found.get("reason") == "Available"
        and bool(status.get("secretRef"))
        and seen >= int((control_plane.get("metadata") or {}).get("generation") or 0)
    )


def is_up(control_plane: Mapping[str, Any]) -> bool:
    """Whether its API server runs and its kubeconfig is there, also while KubeFlex waits for its hooks.

    Only then KubeFlex gives that reason (kubeflex: internal/controller/controlplane_controller.go).
    """
    if (control_plane.get("metadata") or {}).get("deletionTimestamp"):
        return False
    waits = condition(dict(control_plane), "Ready").get("reason") == "WaitingForPostCreateHooks"
    return is_ready(control_plane) or (waits and bool((control_plane.get("status") or {}).get("secretRef")))


# -- hooks --------------------------------------------------------------------------------------------------


def hook_names(control_plane: Mapping[str, Any]) -> list[str]:
    """The PostCreateHooks of a ControlPlane."""
    hooks = (control_plane.get("spec") or {}).get("postCreateHooks") or []
    return [str(hook.get("hookName")) for hook in hooks if hook.get("hookName")]


def is_behind(
    control_plane: Mapping[str, Any],
    objects: Mapping[Resource, Mapping[tuple[str, str], Mapping[str, Any]]],
) -> bool:
    """Whether the hooks of a ControlPlane have more ready than KubeFlex has seen.

    It gets no event when a Job or Deployment of a hook gets ready, and looks every 30 s (kubeflex:
    internal/controller/controlplane_controller.go).

    :param objects: the PostCreateHooks, Jobs and Deployments, each (namespace, name) to object.
    """
    names = hook_names(control_plane)
    if not names or is_ready(control_plane) or control_plane["metadata"].get("deletionTimestamp"):
        return False
    done = (control_plane.get("status") or {}).get("postCreateHooks") or {}
    pending = [name for name in names if not done.get(name)]

    def is_made(name: str) -> bool:
        return _is_made(objects.get(POST_CREATE_HOOKS, {}).get(("", name)), control_plane, objects)

    return any(map(is_made, pending)) if pending else is_up(control_plane) and all(map(is_made, names))


def _is_made(
    hook: Mapping[str, Any] | None,
    control_plane: Mapping[str, Any],
    objects: Mapping[Resource, Mapping[tuple[str, str], Mapping[str, Any]]],
) -> bool:
    """Whether all that a hook makes is ready, as KubeFlex judges it (kubeflex: pkg/reconcilers/shared/postcreate_hook.go).

    False where it cannot be told: without a Job or Deployment, or with kinds that are not looked at here.
    """
    if hook is None:
        return False
    space, name = str(control_plane["metadata"]["name"]), str(hook["metadata"]["name"])
    namespace = f"{space}-system"
    variables = {"HookName": name, "ControlPlaneName": space, "Namespace": namespace}
    made = []
    for template in (hook.get("spec") or {}).get("templates") or []:
        kind = template.get("kind")
        if kind in ("StatefulSet", "DaemonSet", "Pod", "CustomResourceDefinition"):
            return False
        finished = _FINISHED.get(kind)
        if finished is not None:
            text = str((template.get("metadata") or {}).get("name"))
            key = namespace, _VARIABLE.sub(lambda match: variables.get(match[1], match[0]), text)
            found = objects.get(finished[0], {}).get(key)
            made.append(found is not None and finished[1](found))
    return bool(made) and all(made)


def _is_complete(job: Mapping[str, Any]) -> bool:
    return int((job.get("status") or {}).get("succeeded") or 0) > 0


def _is_running(deployment: Mapping[str, Any]) -> bool:
    wanted = (deployment.get("spec") or {}).get("replicas")
    ready = int((deployment.get("status") or {}).get("readyReplicas") or 0)
    return ready == (1 if wanted is None else int(wanted))


_FINISHED = {JOBS.kind: (JOBS, _is_complete), DEPLOYMENTS.kind: (DEPLOYMENTS, _is_running)}


@dataclass
class Nudges:
    """When KubeFlex was last told to look at each ControlPlane again.

    What it has overlooked it may overlook again, when its own view is late or it meets an error; so the pause doubles, up to the
    time after which it would look by itself.
    """

    _last: dict[str, tuple[float, float]] = field(default_factory=dict)

    def nudge(self, hosting: Cluster, name: str) -> dict[str, Any] | None:
        """Change an annotation, so that KubeFlex gets an event; the ControlPlane as it is then. None if it was done just now."""
        now = time.monotonic()
        last, pause = self._last.get(name, (float("-inf"), _NUDGE_SECONDS / 2))
        if now - last < pause:
            return None
        self._last[name] = now, min(2 * pause, _REQUEUE_SECONDS)
        value = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        try:
            return hosting.patch(
                CONTROL_PLANES, name, None, {"metadata": {"annotations": {NUDGE_ANNOTATION: value}}}
            )
        except NotFound:
            return None  # it was deleted meanwhile


def lacking(name: str, control_plane: Mapping[str, Any] | None) -> str:
    """Why a space is not ready, as a clause for messages; empty when it is."""
    if control_plane is None:
        return f"{name} does not exist"
    if (control_plane.get("metadata") or {}).get("deletionTimestamp"):
        return f"{name} is being deleted"
    if is_ready(control_plane):
        return ""
    clauses = []
    for kind in ("Ready", "Synced"):
        found = condition(dict(control_plane), kind)
        if found and found.get("status") != "True":
            text = plain(": ".join(str(found[key]) for key in ("reason", "message") if found.get(key)), 200)
            clauses.append(f"{kind} is {found.get('status')} ({text})")
    hooks = [
        h
        for h, done in ((control_plane.get("status") or {}).get("postCreateHooks") or {}).items()
        if not done
    ]
    if hooks:
        clauses.append(f"hooks not done: {', '.join(sorted(hooks))}")
    return f"{name}: " + ("; ".join(clauses) or "the KubeFlex manager has not looked at it yet")


def read_info(hosting: Cluster, names: Sequence[str] | None, role: str | None) -> list[dict[str, Any]]:
    """`summary` with `server` of the chosen ControlPlanes, by name."""
    found = []
    for name, control_plane in sorted(read_all(hosting).items()):
        told = summary(control_plane)
        if (names is not None and name not in names) or (role and told["role"] != role):
            continue
        kubeconfig = _space.secret_kubeconfig(hosting, control_plane)
        found.append({**told, "server": _server(kubeconfig)})
    return found


def _server(kubeconfig: Mapping[str, Any] | None) -> str:
    """The server of the current context of a kubeconfig; empty without one."""
    if not kubeconfig:
        return ""
    context = _named(kubeconfig, "contexts", "context").get(str(kubeconfig.get("current-context"))) or {}
    cluster = _named(kubeconfig, "clusters", "cluster").get(str(context.get("cluster"))) or {}
    return str(cluster.get("server") or "")


def read_all(hosting: Cluster) -> dict[str, dict[str, Any]]:
    """All ControlPlanes by name.

    :raises NotFound: KubeFlex is not installed; never taken for "there are none".
    """
    try:
        listing = hosting.list(CONTROL_PLANES)
    except NotFound as error:
        raise NotFound(
            f"{hosting.name}: the kind ControlPlane is not served, so KubeFlex is not installed here.",
            status=404,
            reason="KindNotServed",
            hint="Install KubeFlex first (role hub, entry point kubeflex), or name the right hosting cluster.",
        ) from error
    return {item["metadata"]["name"]: item for item in listing.items}


# -- making -------------------------------------------------------------------------------------------------


@dataclass
class _Member:
    """One wish on its way, with every write so far."""

    wish: Wish
    live: dict[str, Any] | None
    admin: dict[str, Any] | None = None
    outcomes: list[_bulk.Outcome] = field(default_factory=list)

    def result(self) -> dict[str, Any]:
        """The entry of `objects`."""
        own = next((o.method for o in self.outcomes if o.kind == CONTROL_PLANES.kind and o.changed), "none")
        method = own if own != "none" else ("update" if any(o.changed for o in self.outcomes) else "none")
        told = summary(self.live or {})
        return {
            **told,
            "name": self.wish.name,
            "role": self.wish.role,
            "type": self.wish.type,
            "namespace": "",
            "kind": CONTROL_PLANES.kind,
            "method": method,
            "changed": method != "none",
        }


@dataclass(frozen=True)
class Result:
    """`objects` as in `_Member.result`, and one diff entry per write."""

    objects: list[dict[str, Any]]
    diffs: list[dict[str, str]]
    waited: float = 0.0

    @property
    def changed(self) -> bool:
        """Whether anything was, or in check mode would be, written."""
        return bool(self.diffs)


def forecast(wishes: Sequence[Wish], bootstrap_namespace: str) -> Result:
    """What would be created in a hosting cluster that does not exist yet."""
    members = [
        _Member(wish, None, outcomes=[_bulk.planned(manifest(wish, bootstrap_namespace))]) for wish in wishes
    ]
    return _result(members, "planned")


def bring_about(
    hosting: Cluster,
    wishes: Sequence[Wish],
    *,
    bootstrap_namespace: str,
    wait: bool,
    timeout: float,
    dry_run: bool,
    progress: Progress,
) -> Result:
    """Create or adopt the spaces; wait until they are ready.

    :param timeout: seconds for all of them together.
    :raises InvalidInput: another type than wanted is there, or a cluster to adopt is not named; nothing was written.
    :raises WaitTimeout: naming each space that is not ready, and why.
    """
    live = read_all(hosting)
    members = [_Member(wish, live.get(wish.name)) for wish in wishes]
    for member in members:
        _check_possible(hosting, member)
    external = [member for member in members if member.wish.type == "external"]
    for member in external:
        member.admin = hosting.get(SECRETS, ADMIN_SECRET, member.wish.namespace)
    adopting = [member for member in external if member.admin is None]
    kubeconfigs = _kubeconfigs(hosting, adopting, bootstrap_namespace)
    _write_bootstrap_secrets(hosting, adopting, kubeconfigs, bootstrap_namespace, dry_run)
    for member in members:
        _write_control_plane(hosting, member, bootstrap_namespace, dry_run)
    waited = 0.0
    if wait and not dry_run:
        try:
            waited = _wait_ready(hosting, members, timeout, progress)
        except WaitTimeout as error:
            made = _result(members, hosting.name, timeout)
            error.details.update(changed=made.changed, objects=made.objects)
            raise
    for member in external:
        if wait or not member.wish.hooks:
            _complete_admin_secret(hosting, member, dry_run)
    if any(member.live for member in external):
        _drop_stale_bootstraps(hosting, external, bootstrap_namespace, dry_run)
    return _result(members, hosting.name, waited)


def prepare(hosting: Cluster, wishes: Sequence[Wish], *, bootstrap_namespace: str, dry_run: bool) -> Result:
    """The bootstrap Secrets of spaces that are not adopted yet, and no more: somebody else makes their ControlPlanes.

    :raises InvalidInput: a space has neither a kubeconfig nor a Secret; nothing was written.
    """
    try:
        live = read_all(hosting)
    except NotFound:
        live = {}  # KubeFlex comes with the ControlPlanes
    members = [_Member(wish, live.get(wish.name)) for wish in wishes]
    for member in members:
        member.admin = hosting.get(SECRETS, ADMIN_SECRET, member.wish.namespace)
    adopting = [member for member in members if member.admin is None]
    kubeconfigs = _kubeconfigs(hosting, adopting, bootstrap_namespace)
    _write_bootstrap_secrets(hosting, adopting, kubeconfigs, bootstrap_namespace, dry_run)
    if any(member.live for member in members):
        _drop_stale_bootstraps(hosting, members, bootstrap_namespace, dry_run)
    return _result(members, hosting.name)


def _check_possible(hosting: Cluster, member: _Member) -> None:
    """:raises InvalidInput, KubestellarError: what is there stands in the way."""
    if member.live is None:
        return
    there = (member.live.get("spec") or {}).get("type")
    if there != member.wish.type:
        raise InvalidInput(
            f"{hosting.name}: the ControlPlane {member.wish.name} is of type {plain(there, 40)} and cannot "
            f"become {member.wish.type}.",
            hint="Use another name, or remove it first (state=absent).",
        )
    if member.live["metadata"].get("deletionTimestamp"):
        raise KubestellarError(
            f"{hosting.name}: the ControlPlane {member.wish.name} is being deleted.",
            hint="Wait until it is gone, then run again; if it stays, is the KubeFlex manager running?",
        )


def _apply(
    hosting: Cluster, want: Mapping[str, Any], live: Mapping[str, Any] | None, dry_run: bool
) -> _bulk.Outcome:
    """Server-side apply of one object if it differs, and what that came to."""
    resource = {r.kind: r for r in (CONTROL_PLANES, NAMESPACES, SECRETS)}[want["kind"]]
    metadata = want["metadata"]
    outcome = _bulk.Outcome(want["apiVersion"], want["kind"], metadata.get("namespace"), metadata["name"])
    if live is not None and _diff.satisfied(want, live):
        return outcome
    after = hosting.apply(resource, want, dry_run=dry_run)
    outcome.before, outcome.after = live, after
    if live is None:
        outcome.method = "create"
    elif _diff.content(live) != _diff.content(after):
        outcome.method = "update"
    return outcome


def _kubeconfigs(
    hosting: Cluster, members: Sequence[_Member], namespace: str
) -> dict[str, Mapping[str, Any]]:
    """The kubeconfig of each cluster to adopt for which one is given; for the others their Secret must be there.

    :raises InvalidInput: there is neither, or the kubeconfig cannot be used; nothing was written.
    """
    found: dict[str, Mapping[str, Any]] = {}
    for member in members:
        wish, secret = member.wish, member.wish.secret(namespace)
        if wish.bootstrap is not None:
            found[wish.name] = wish.bootstrap()
            continue
        live = hosting.get(SECRETS, secret.name, secret.namespace)
        if live is None:
            raise InvalidInput(
                f"{hosting.name}: the space {wish.name} of type external does not exist yet, and no "
                f"cluster to adopt is given: there is no kubeconfig and no Secret {secret.label}.",
                hint="Set bootstrap_kubeconfig (in the inventory: kubeconfig of the space), or create the Secret.",
            )
        if not (live.get("data") or {}).get(secret.key):
            raise InvalidInput(
                f"{hosting.name}: the Secret {secret.label}, with which the space {wish.name} is to be adopted, lacks "
                f"the key {plain(secret.key, 80)}.",
                hint="Put the kubeconfig of an administrator of the cluster there, or name another key.",
            )
    return found


def _write_bootstrap_secrets(
    hosting: Cluster,
    members: Sequence[_Member],
    kubeconfigs: Mapping[str, Mapping[str, Any]],
    namespace: str,
    dry_run: bool,
) -> None:
    """The Secrets before the ControlPlanes: KubeFlex retries a missing one ever more slowly."""
    writing = [member for member in members if member.wish.name in kubeconfigs]
    new_namespaces: set[str] = set()
    for member in writing:
        where = member.wish.secret(namespace).namespace
        if where in new_namespaces or hosting.get(NAMESPACES, where) is not None:
            continue
        new_namespaces.add(where)
        made = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": where}}
        member.outcomes.append(_apply(hosting, made, None, dry_run))
    for member in writing:
        want = bootstrap_secret(member.wish, namespace, kubeconfigs[member.wish.name])
        metadata: dict[str, Any] = want["metadata"]
        if metadata["namespace"] in new_namespaces and dry_run:
            member.outcomes.append(_bulk.planned(want))
            continue
        live = hosting.get(SECRETS, metadata["name"], metadata["namespace"])
        member.outcomes.append(_apply(hosting, want, live, dry_run))


def _write_control_plane(hosting: Cluster, member: _Member, namespace: str, dry_run: bool) -> None:
    outcome = _apply(hosting, manifest(member.wish, namespace), member.live, dry_run)
    member.outcomes.append(outcome)
    rewritten = any(o.kind == "Secret" and o.changed for o in member.outcomes)
    if rewritten and member.live is not None and not dry_run:
        # The manager may have failed on the missing Secret and be waiting for minutes: an event wakes it.
        Nudges().nudge(hosting, member.wish.name)
    if outcome.after is not None and not dry_run:
        member.live = dict(outcome.after)


def _wait_ready(hosting: Cluster, members: Sequence[_Member], timeout: float, progress: Progress) -> float:
    if all(is_ready(member.live) for member in members):
        return 0.0
    waiter = Waiter(progress)
    follower = waiter.follow(hosting, CONTROL_PLANES)
    names = [member.wish.name for member in members]
    made: dict[Resource, Follower] = {}
    if any(member.wish.hooks for member in members):
        for resource in (POST_CREATE_HOOKS, JOBS, DEPLOYMENTS):
            made[resource] = waiter.follow(hosting, resource, required=False)
    nudges = Nudges()

    def evaluate() -> Verdict:
        objects = {resource: found.objects() for resource, found in made.items()}
        for member in members if made else ():
            live = follower.get(member.wish.name)
            if live is not None and is_behind(live, objects):
                _nudge(hosting, member, live, nudges)
        missing = [text for text in (lacking(name, follower.get(name)) for name in names) if text]
        return Verdict(not missing, missing)

    waited = waiter.until(
        evaluate,
        timeout=timeout,
        what=f"{hosting.name}: spaces Ready",
        hint=f"Look at the log of the KubeFlex manager and at: kubectl --context {hosting.name} describe "
        f"controlplanes {' '.join(names)}",
    )
    for member in members:
        member.live = follower.get(member.wish.name) or member.live
    return waited


def _nudge(hosting: Cluster, member: _Member, live: dict[str, Any], nudges: Nudges) -> None:
    after = nudges.nudge(hosting, member.wish.name)
    if after is not None:
        outcome = _bulk.Outcome(CONTROL_PLANES.api_version, CONTROL_PLANES.kind, None, member.wish.name)
        outcome.method, outcome.before, outcome.after = "update", live, after
        member.outcomes.append(outcome)


def _complete_admin_secret(hosting: Cluster, member: _Member, dry_run: bool) -> None:
    """Add the key that `status.secretRef` names and KubeFlex leaves out.

    Without it, controllers outside the hosting cluster find no kubeconfig
    (kubeflex: pkg/reconcilers/external/kubeconfig.go).
    """
    if member.admin is None and dry_run:
        return
    if member.admin is None:
        member.admin = hosting.get(SECRETS, ADMIN_SECRET, member.wish.namespace)
    data = (member.admin or {}).get("data") or {}
    if member.admin is None or not data.get(IN_CLUSTER_KEY):
        return
    ours = _diff.applied_by(member.admin)
    if data.get(KEY) == data[IN_CLUSTER_KEY] or (data.get(KEY) and not ours):
        return
    want = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": ADMIN_SECRET, "namespace": member.wish.namespace},
        "data": {KEY: data[IN_CLUSTER_KEY]},
    }
    member.outcomes.append(_apply(hosting, want, member.admin, dry_run))


def _drop_stale_bootstraps(
    hosting: Cluster, members: Sequence[_Member], namespace: str, dry_run: bool
) -> None:
    """Delete our bootstrap Secrets that KubeFlex would now leave for ever: it was killed before it could."""
    listing = hosting.list(SECRETS, label_selector=BOOTSTRAP_LABEL, metadata_only=True)
    for item in listing.items:
        namespace = item["metadata"].get("namespace") or namespace
        owner = (item["metadata"].get("labels") or {}).get(BOOTSTRAP_LABEL)
        member = next((m for m in members if m.wish.name == owner), None)
        if member is None or member.admin is None or not is_ready(member.live):
            continue
        outcome = _bulk.Outcome("v1", "Secret", namespace, item["metadata"]["name"], before=item)
        if dry_run or hosting.delete(
            SECRETS, item["metadata"]["name"], namespace, uid=item["metadata"].get("uid")
        ):
            # KubeFlex deletes it by itself within moments, so it is a change only if it had been left over.
            left_over = not any(o.kind == "Secret" and o.changed for o in member.outcomes)
            outcome.method = "delete" if left_over else "none"
        member.outcomes.append(outcome)


def remove(
    hosting: Cluster,
    names: Sequence[str],
    *,
    bootstrap_namespace: str,
    wait: bool,
    timeout: float,
    dry_run: bool,
    progress: Progress,
) -> Result:
    """Delete the spaces and our bootstrap Secrets; wait until their namespaces are gone too.

    :raises WaitTimeout: naming what is still there and which finalizers hold it.
    """
    try:
        live = read_all(hosting)
    except NotFound:
        live = {}  # where the kind is not served, nothing is left of any
    objects: list[dict[str, Any]] = []
    outcomes: list[_bulk.Outcome] = []
    for name in names:
        control_plane = live.get(name)
        reference = Reference.of(((control_plane or {}).get("spec") or {}).get("bootstrapSecretRef"))
        place = Wish(name, "", "external", reference=reference).secret(bootstrap_namespace)
        secret = hosting.get(SECRETS, place.name, place.namespace)
        if secret is not None and (secret["metadata"].get("labels") or {}).get(BOOTSTRAP_LABEL) == name:
            outcomes += _bulk.delete_all(hosting, [(SECRETS, secret)], dry_run=dry_run)
        deleted: list[_bulk.Outcome] = []
        if control_plane is not None and not control_plane["metadata"].get("deletionTimestamp"):
            deleted = _bulk.delete_all(hosting, [(CONTROL_PLANES, control_plane)], dry_run=dry_run)
            outcomes += deleted
        method = "delete" if any(outcome.changed for outcome in deleted) else "none"
        told = summary(control_plane or {})
        told["ready"] = told["ready"] and dry_run
        objects.append(
            {
                **told,
                "name": name,
                "namespace": "",
                "kind": "ControlPlane",
                "method": method,
                "changed": method != "none",
            }
        )
    _bulk.raise_failures(outcomes, hosting.name, "delete", objects=objects)
    waited = 0.0
    present = [name for name in names if name in live]
    if present and wait and not dry_run:
        waited = _wait_gone(hosting, present, timeout, progress)
    return Result(objects, [o.diff(hosting.name) for o in outcomes if o.changed], round(waited, 1))


def _wait_gone(hosting: Cluster, names: Sequence[str], timeout: float, progress: Progress) -> float:
    waiter = Waiter(progress)
    planes, namespaces = waiter.follow(hosting, CONTROL_PLANES), waiter.follow(hosting, NAMESPACES)

    def evaluate() -> Verdict:
        left = [("ControlPlane", name, planes.get(name)) for name in names]
        left += [("Namespace", f"{name}-system", namespaces.get(f"{name}-system")) for name in names]
        missing = []
        for kind, name, obj in left:
            if obj is not None:
                finalizers = ", ".join(obj["metadata"].get("finalizers") or []) or "none"
                missing.append(f"{kind} {name} is still there (finalizers: {plain(finalizers, 120)})")
        return Verdict(not missing, missing)

    return waiter.until(
        evaluate,
        timeout=timeout,
        what=f"{hosting.name}: spaces removed",
        hint="Only a running KubeFlex manager removes the finalizer of a ControlPlane.",
    )


def _result(members: Sequence[_Member], cluster: str, waited: float = 0.0) -> Result:
    return Result(
        [member.result() for member in members],
        [outcome.diff(cluster) for member in members for outcome in member.outcomes if outcome.changed],
        round(waited, 1),
    )
