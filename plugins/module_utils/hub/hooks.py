# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a PostCreateHook makes of a ControlPlane (private to kubestellar.core). Pure functions.

KubeFlex expands the templates of a hook as Go templates and applies what comes of it, once: it never looks again at a hook
whose entry in `status.postCreateHooks` is there (kubeflex: pkg/reconcilers/shared/postcreate_hook.go). So a newer chart
changes the hooks and not what they have made.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._control_plane import hook_names
from ansible_collections.kubestellar.core.plugins.module_utils._errors import KubestellarError, plain
from ansible_collections.kubestellar.core.plugins.module_utils.hub import controllers
from ansible_collections.kubestellar.core.plugins.module_utils.placement import gotemplate

NO_VALUE = "<no value>"
"""What Go's text/template writes for a variable that is not there."""


class Unclear(KubestellarError):
    """What a hook makes cannot be said."""


_FIRST, _LAST = (controllers.MANAGER_HOOK,), (controllers.TRANSPORT_HOOK,)
_MANAGED_BY, _RELEASE_NAMESPACE = "app.kubernetes.io/managed-by", "meta.helm.sh/release-namespace"


def ordered(control_plane: Mapping[str, Any]) -> list[str]:
    """The hooks of a ControlPlane in the order in which they are run again.

    KubeStellar's controllers come as they depend on each other: the one that writes Bindings first, the one that reads them
    last.
    """
    names = hook_names(control_plane)
    return [
        *(name for name in names if name in _FIRST),
        *(name for name in names if name not in (*_FIRST, *_LAST)),
        *(name for name in names if name in _LAST),
    ]


def variables(hook: Mapping[str, Any], control_plane: Mapping[str, Any]) -> dict[str, str]:
    """The variables of a hook for a ControlPlane, the weakest first: defaults, global ones, its own, those of KubeFlex."""
    spec, name = control_plane.get("spec") or {}, control_plane["metadata"]["name"]
    hook_name = hook["metadata"]["name"]
    uses = [use for use in spec.get("postCreateHooks") or [] if use.get("hookName") == hook_name]
    found: dict[str, Any] = {
        entry["name"]: entry.get("value") for entry in (hook.get("spec") or {}).get("defaultVars") or []
    }
    found.update(spec.get("globalVars") or {})
    found.update((uses[0].get("vars") if uses else None) or {})
    found.update(Namespace=f"{name}-system", ControlPlaneName=name, HookName=hook_name)
    return {key: str(value) for key, value in found.items()}


def made(hook: Mapping[str, Any], control_plane: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The objects that a hook makes for a ControlPlane, without namespaces.

    :raises Unclear: a template has more than variables.
    """
    values = variables(hook, control_plane)
    return [
        _expanded(template, values, hook["metadata"]["name"])
        for template in (hook.get("spec") or {}).get("templates") or []
    ]


def _expanded(value: Any, values: Mapping[str, str], hook: str) -> Any:
    if isinstance(value, Mapping):
        return {key: _expanded(entry, values, hook) for key, entry in value.items()}
    if isinstance(value, list):
        return [_expanded(entry, values, hook) for entry in value]
    if not isinstance(value, str) or gotemplate.OPEN not in value:
        return value
    parts = gotemplate.parse(value).parts
    if parts is None:
        raise Unclear(
            f"What the PostCreateHook {plain(hook, 80)} makes cannot be said: {plain(value, 120)} has more than variables."
        )
    return "".join(values.get(part, NO_VALUE) if number % 2 else part for number, part in enumerate(parts))


def placed(obj: Mapping[str, Any], space: str, *, namespaced: bool) -> dict[str, Any]:
    """The object where and how KubeFlex applies it: in the namespace of the space, or with marks by which it is deleted."""
    result = copy.deepcopy(dict(obj))
    metadata = {key: value for key, value in (result.get("metadata") or {}).items() if value is not None}
    if namespaced:
        metadata["namespace"] = f"{space}-system"
    else:
        metadata.pop("namespace", None)
        metadata["labels"] = {**(metadata.get("labels") or {}), _MANAGED_BY: "Helm"}
        metadata["annotations"] = {
            **(metadata.get("annotations") or {}),
            _RELEASE_NAMESPACE: f"{space}-system",
        }
    result["metadata"] = metadata
    return result


def adapted(want: Mapping[str, Any], live: Mapping[str, Any]) -> dict[str, Any]:
    """`want` with the arguments of `live` where the two differ only in those that `hub_ready` sets."""
    result = copy.deepcopy(dict(want))
    if not _is_controller(want):
        return result
    theirs = {entry.get("name"): entry for entry in _containers(live)}
    for container in _containers(result):
        there = theirs.get(container.get("name")) or {}
        if "args" in there and controllers.unbound(container.get("args") or []) == controllers.unbound(
            there["args"]
        ):
            container["args"] = there["args"]
    return result


def shown(obj: Mapping[str, Any]) -> dict[str, Any]:
    """What a diff shows of an object: of one that makes Pods images and arguments, without those that `hub_ready` sets."""
    metadata = obj.get("metadata") or {}
    leading = {
        "apiVersion": obj.get("apiVersion"),
        "kind": obj.get("kind"),
        "metadata": {key: metadata[key] for key in ("name", "namespace") if key in metadata},
    }
    containers = list(_containers(obj))
    if not containers:
        rest = {key: value for key, value in obj.items() if key not in (*leading, "status")}
        return {**leading, **rest}
    told = {}
    for container in containers:
        arguments = [str(argument) for argument in container.get("args") or []]
        told[str(container.get("name"))] = {
            "image": container.get("image"),
            "args": controllers.unbound(arguments) if _is_controller(obj) else arguments,
        }
    return {**leading, "replicas": (obj.get("spec") or {}).get("replicas"), "containers": told}


def images(obj: Mapping[str, Any]) -> dict[str, str]:
    """Container to image; empty for an object that makes no Pods."""
    return {str(entry.get("name")): str(entry.get("image")) for entry in _containers(obj)}


def image_changes(want: Mapping[str, Any], live: Mapping[str, Any] | None) -> list[dict[str, str]]:
    """The containers whose image would become another: `container`, `before` and `after`, empty where there is none."""
    before, after = images(live or {}), images(want)
    return [
        {"container": name, "before": before.get(name, ""), "after": after.get(name, "")}
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


def outdated(
    control_plane: Mapping[str, Any],
    hooks: Mapping[str, Mapping[str, Any]],
    objects: Mapping[tuple[str, str], Mapping[str, Any]],
) -> list[str]:
    """The hooks that are done and would now make other images than those that are there.

    :param hooks: PostCreateHooks by name.
    :param objects: Deployments and Jobs that are there, by kind and name, of the namespace of the space.
    """
    done = (control_plane.get("status") or {}).get("postCreateHooks") or {}
    found = []
    for name in hook_names(control_plane):
        if name not in hooks or not done.get(name):
            continue
        try:
            wanted = made(hooks[name], control_plane)
        except Unclear:
            continue
        for want in wanted:
            live = objects.get((str(want.get("kind")), str((want.get("metadata") or {}).get("name"))))
            if live is not None and image_changes(want, live):
                found.append(name)
                break
    return found


def _is_controller(obj: Mapping[str, Any]) -> bool:
    return obj.get("kind") == "Deployment" and (obj.get("metadata") or {}).get("name") in controllers.HOOK_OF


def _containers(obj: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The containers of the Pods that an object makes, those of init containers first."""
    template = (obj.get("spec") or {}).get("template")
    pod = (template.get("spec") if isinstance(template, Mapping) else None) or {}
    groups: Sequence[Any] = (pod.get("initContainers") or [], pod.get("containers") or [])
    for group in groups:
        yield from group
