# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The arguments of a WDS's two controllers as the core chart cannot set them (private to kubestellar.core). Pure functions.

The chart has no limits for the controller-manager, and its value for the ITS of a WDS breaks the transport controller
(kubestellar#3192): the init container then gets a label selector and a name, and `kflex-get-kubeconfig` refuses both at once.

KubeFlex applies the objects of a PostCreateHook again and again until they are ready, without force (kubeflex:
pkg/reconcilers/shared/postcreate_hook.go). So Deployments are changed only when their hook is done: before, KubeFlex would
meet our field manager and never finish. Where a Deployment cannot get ready as the chart makes it, because there are
several ITSes, the hook and the variables of the ControlPlane are changed instead, and KubeFlex makes it right by itself.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MANAGER, TRANSPORT = "kubestellar-controller-manager", "transport-controller"
MANAGER_HOOK, TRANSPORT_HOOK = "kubestellar-controller", "transport-controller"
HOOK_OF = {MANAGER: MANAGER_HOOK, TRANSPORT: TRANSPORT_HOOK}
"""Deployment in `<wds>-system` to the PostCreateHook that makes it."""

_CONTAINER = {MANAGER: "manager", TRANSPORT: "transport-controller"}
_INIT_CONTAINER = "get-its-kubeconfig"
_NAME, _SELECTOR = "--control-plane-name", "--control-plane-label-selector"
_ITS_VARIABLE = "{{.ITSName}}"
_OURS = frozenset(
    {
        *(_NAME, _SELECTOR, "--its-name", "--api-groups"),
        *(f"--{side}-{key}" for side in ("its", "wds", "transport") for key in ("qps", "burst")),
    }
)
"""Every argument that is set here, in whatever program."""


@dataclass(frozen=True)
class Binding:
    """What the controllers of a WDS are to be told.

    :ivar its: name of its ITS.
    :ivar api_groups: as the flag takes them; empty for all.
    :ivar limits: `qps` and `burst` for each API server, as far as they are set.
    """

    wds: str
    its: str
    api_groups: str = ""
    limits: Mapping[str, int] = field(default_factory=dict)


def wanted(name: str, deployment: Mapping[str, Any], binding: Binding) -> dict[str, Any] | None:
    """A server-side apply patch for the Deployment `name`, or None if its arguments are right already.

    Arguments that are not ours stay, in their order. Containers that are not there are not invented.
    """
    pod = ((deployment.get("spec") or {}).get("template") or {}).get("spec") or {}
    if name == MANAGER:
        flags = {
            "its-name": binding.its,
            "api-groups": binding.api_groups,
            **_limits(binding, ("its", "wds")),
        }
    else:
        flags = _limits(binding, ("transport", "wds"))
    pods: dict[str, list[dict[str, Any]]] = {}
    changed = False
    for kind, container in (("containers", _CONTAINER[name]), ("initContainers", _INIT_CONTAINER)):
        for found in pod.get(kind) or []:
            if found.get("name") == container:
                before = [str(argument) for argument in found.get("args") or []]
                after = with_flags(before, flags) if kind == "containers" else bound(before, binding.its)
                # Also what is right already: an apply gives up what it leaves out, and that would be removed.
                pods[kind] = [{"name": container, "args": after}]
                changed = changed or after != before
    if not changed:
        return None
    metadata = deployment["metadata"]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": metadata["name"], "namespace": metadata["namespace"]},
        "spec": {"template": {"spec": pods}},
    }


def _limits(binding: Binding, sides: Sequence[str]) -> dict[str, str]:
    return {f"{side}-{key}": str(value) for side in sides for key, value in sorted(binding.limits.items())}


def with_flags(arguments: Sequence[str], flags: Mapping[str, str]) -> list[str]:
    """`arguments` with each flag as `--name=value`, in its place or at the end.

    A flag that is not there and would be empty is not added: for an argument of these programs both mean the same.
    """
    result: list[str] = []
    left = dict(flags)
    skip = False
    for position, argument in enumerate(arguments):
        if skip:
            skip = False
            continue
        name = argument.partition("=")[0].removeprefix("--") if argument.startswith("--") else ""
        if name not in flags:
            result.append(argument)
            continue
        following = arguments[position + 1] if position + 1 < len(arguments) else "-"
        skip = "=" not in argument and not following.startswith("-")
        if name in left:
            result.append(f"--{name}={left.pop(name)}")
    return result + [f"--{name}={value}" for name, value in left.items() if value]


def bound(arguments: Sequence[str], its: str) -> list[str]:
    """The arguments of `kflex-get-kubeconfig` for one ITS by name, without any selector."""
    result: list[str] = []
    skip = False
    for argument in arguments:
        if skip:
            skip = False
            continue
        if argument.partition("=")[0] in (_NAME, _SELECTOR):
            skip = "=" not in argument
            continue
        result.append(argument)
    return [_NAME, its, *result]


def unbound(arguments: Sequence[str]) -> list[str]:
    """The arguments of any container of these programs without those that are set here."""
    result: list[str] = []
    skip = False
    for position, argument in enumerate(arguments):
        if skip:
            skip = False
            continue
        name = argument.partition("=")[0]
        if name in _OURS:
            following = arguments[position + 1] if position + 1 < len(arguments) else "-"
            skip = "=" not in argument and not following.startswith("-")
            continue
        result.append(argument)
    return result


# -- before the hook is done -----------------------------------------------------------------------------------------


def has_bug(hook: Mapping[str, Any] | None) -> bool | None:
    """Whether a PostCreateHook `transport-controller` gives a selector beside the name (kubestellar#3192).

    None if the hook has no such init container, so that nothing can be said.
    """
    found = None
    for template in ((hook or {}).get("spec") or {}).get("templates") or []:
        for container in _init_containers(template):
            arguments = [str(argument) for argument in container.get("args") or []]
            found = any(argument.partition("=")[0] == _SELECTOR for argument in arguments)
    return found


def repaired_hook(hook: Mapping[str, Any]) -> dict[str, Any] | None:
    """A merge patch that makes the hook select the ITS by the name in its variable `ITSName`; None if it does so already."""
    if not has_bug(hook):
        return None
    templates = copy.deepcopy(list(hook["spec"]["templates"]))
    for template in templates:
        for container in _init_containers(template):
            container["args"] = bound([str(argument) for argument in container["args"]], _ITS_VARIABLE)
    return {
        "metadata": {"resourceVersion": hook["metadata"]["resourceVersion"]},
        "spec": {"templates": templates},
    }


def bound_hooks(control_plane: Mapping[str, Any], its: str) -> dict[str, Any] | None:
    """A merge patch that gives the two hooks of a WDS the variable `ITSName`; None if they have it."""
    hooks = copy.deepcopy(list((control_plane.get("spec") or {}).get("postCreateHooks") or []))
    for hook in hooks:
        if hook.get("hookName") in HOOK_OF.values():
            hook["vars"] = {**(hook.get("vars") or {}), "ITSName": its}
    if json.dumps(hooks) == json.dumps(control_plane["spec"].get("postCreateHooks") or []):
        return None
    return {
        "metadata": {"resourceVersion": control_plane["metadata"]["resourceVersion"]},
        "spec": {"postCreateHooks": hooks},
    }


def names_its(control_plane: Mapping[str, Any]) -> bool:
    """Whether the variables of a WDS give its transport controller the name of an ITS."""
    spec = control_plane.get("spec") or {}
    sources = [spec.get("globalVars") or {}]
    sources += [
        hook.get("vars") or {}
        for hook in spec.get("postCreateHooks") or []
        if hook.get("hookName") == TRANSPORT_HOOK
    ]
    return any(source.get("ITSName") for source in sources)


def _init_containers(template: Any) -> list[dict[str, Any]]:
    """The containers of a hook's template that fetch the kubeconfig of an ITS."""
    if not isinstance(template, Mapping) or template.get("kind") != "Deployment":
        return []
    pod = ((template.get("spec") or {}).get("template") or {}).get("spec") or {}
    return [entry for entry in pod.get("initContainers") or [] if entry.get("name") == _INIT_CONTAINER]
