# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can keep a hub from getting ready, recognised from its objects (private to kubestellar.core). Pure functions.

Both the wait for a hub and the diagnosis of one (`doctor.checks`) recognise them here, and tell them in these words.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _control_plane
from ansible_collections.kubestellar.core.plugins.module_utils._errors import KubestellarError
from ansible_collections.kubestellar.core.plugins.module_utils._wait import condition
from ansible_collections.kubestellar.core.plugins.module_utils.placement.catalogue import phrase

# Id to what is the matter and what to do; both are templates as in `placement.catalogue`. Ids are never renamed.
TROUBLES: dict[str, tuple[str, str]] = {
    "hook-missing": (
        "It names the {hooks:form PostCreateHook|PostCreateHooks} {hooks:names}, which {hooks:form does|do} not exist.",
        "Create {hooks:form it|them} (the core chart does with InstallPCHs), or correct the ControlPlane.",
    ),
    "job-failed": (
        "It has failed for good ({reason:text}).",
        "Remove the cause, then delete the Job: KubeFlex makes it anew while its hook is not done.",
    ),
    "pod-image": (
        "The image {image} of container {container} cannot be had: {reason:text}.",
        "Check name, tag and registry access of the nodes; anonymous pulls from ghcr.io fail while logged in with old credentials.",
    ),
    "pod-crash-loop": (
        "The container {container} ends again and again, {restarts:count time} so far, last with {reason:text}.",
        "Read its log: kubectl logs --previous.",
    ),
    "pod-not-starting": (
        "The container {container} cannot be started: {reason:text}.",
        "Correct what the message names, such as a Secret or ConfigMap that is not there.",
    ),
    "pod-unschedulable": (
        "No node takes it: {reason:text}.",
        "Add capacity, or a default storage class if it waits for a volume.",
    ),
    "pod-refused": (
        "Its Pods cannot be created: {reason:text}.",
        "Correct what the message names, such as a quota, a pod security level, a security context constraint or a webhook.",
    ),
    "volume-missing": (
        "It gets no volume: {reason:text}.",
        "Install a storage provisioner and mark one StorageClass as default, or name one in the chart's values.",
    ),
    "secret-key-missing": (
        "The Secret {secret} lacks {keys:names}, where status.secretRef says the kubeconfig is.",
        "Let the module control_plane copy the kubeconfig to this key (type external); else delete the Secret: KubeFlex makes it anew.",
    ),
    "objects-refused": (
        "KubeFlex cannot make its objects: {reason:text}.",
        "Correct what the message names, such as an admission webhook, a quota or a right; KubeFlex tries again by itself.",
    ),
    "space-refused": (
        "Its API server refuses the credentials of its Secret, so nothing in it could be looked at: {reason:text}.",
        "Run renew.yml, with the kubeconfig of an administrator of the adopted cluster in hub_itses or hub_wdses.",
    ),
}

_IMAGE_REASONS = {
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "ImageInspectError",
    "RegistryUnavailable",
    "SignatureValidationFailed",
}
_START_REASONS = {
    "CreateContainerConfigError",
    "CreateContainerError",
    "PostStartHookError",
    "PreCreateHookError",
    "PreStartHookError",
    "RunContainerError",
}
_REFUSAL = re.compile(r"admission webhook|failed calling webhook|is forbidden|is invalid|exceeded quota")
_NO_DRY_RUN = "does not support dry run"
_RESTARTS = 3
"""Fewer restarts are no loop: controllers end on purpose while what they need is not there yet."""


@dataclass(frozen=True)
class Finding:
    """One trouble of one object.

    :ivar where: kind, namespace and name, such as `Job its1-system/its-hub-init`.
    :ivar sure: whether waiting cannot help, so that it need not last before it counts.
    """

    id: str
    where: str
    message: str
    hint: str
    sure: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """What makes it the same finding at a later look; numbers in the message change."""
        return self.id, self.where

    def result(self) -> dict[str, str]:
        """The entry of `findings` in a module's result."""
        return {"id": self.id, "where": self.where, "message": self.message, "hint": self.hint}


def finding(trouble: str, where: str, *, sure: bool = False, **facts: Any) -> Finding:
    """The finding of a trouble. :param facts: the fields of its sentences."""
    message, hint = TROUBLES[trouble]
    return Finding(trouble, where, phrase(message, facts), phrase(hint, facts), sure)


def tell_first(error: KubestellarError, findings: Sequence[Finding]) -> None:
    """Let an error say what stands behind it: the first of what was found."""
    if findings:
        first = findings[0]
        error.message, error.hint = f"{error.message} {first.where}: {first.message}", first.hint


def missing_hooks(control_plane: Mapping[str, Any], hooks: Collection[str]) -> Iterator[Finding]:
    """The PostCreateHooks that a ControlPlane names and that are not there."""
    done = (control_plane.get("status") or {}).get("postCreateHooks") or {}
    lacking = [
        name for name in _control_plane.hook_names(control_plane) if name not in hooks and not done.get(name)
    ]
    if lacking:
        yield finding("hook-missing", f"ControlPlane {control_plane['metadata']['name']}", hooks=lacking)


def job_failure(job: Mapping[str, Any], pods: Sequence[Mapping[str, Any]] = ()) -> Finding | None:
    """Whether a Job has failed for good, with how its containers ended.

    :param pods: the Pods of its namespace.
    """
    failed = condition(dict(job), "Failed")
    if failed.get("status") != "True":
        return None
    name, reason = job["metadata"]["name"], said(failed)
    ends = [text for pod in pods if owner(pod) == ("Job", name) for text in _ends(pod)]
    if ends:
        reason = f"{reason}; {ends[-1]}"
    return finding("job-failed", _where("Job", job), sure=True, reason=reason)


def _ends(pod: Mapping[str, Any]) -> Iterator[str]:
    """How the containers of a Pod ended that did not end well."""
    for container in containers(pod):
        ended = (container.get("state") or {}).get("terminated") or {}
        if ended.get("exitCode"):
            why = ended.get("message") or ended.get("reason") or "no reason given"
            yield f"container {container.get('name')} ended with exit code {ended['exitCode']}: {why}"


def pod_troubles(pod: Mapping[str, Any], *, volume_pending: bool = False) -> Iterator[Finding]:
    """What keeps the containers of a Pod from running.

    :param volume_pending: whether a claim of its namespace waits for a volume, which then is the finding.
    """
    status = pod.get("status") or {}
    where = _where("Pod", pod)
    if (pod.get("metadata") or {}).get("deletionTimestamp") or status.get("phase") in ("Succeeded", "Failed"):
        return
    found = False
    for container in containers(pod):
        waiting = (container.get("state") or {}).get("waiting") or {}
        reason, name = waiting.get("reason"), container.get("name")
        if reason in _IMAGE_REASONS:
            found = True
            image = container.get("image") or _image(pod, str(name))
            never = reason in ("InvalidImageName", "ErrImageNeverPull")
            yield finding("pod-image", where, sure=never, image=image, container=name, reason=said(waiting))
        elif reason in _START_REASONS:
            found = True
            yield finding("pod-not-starting", where, container=name, reason=said(waiting))
        elif reason == "CrashLoopBackOff" and int(container.get("restartCount") or 0) >= _RESTARTS:
            found = True
            last = (container.get("lastState") or {}).get("terminated") or {}
            end = f"exit code {last.get('exitCode', 'unknown')}"
            why = last.get("message") or last.get("reason")
            yield finding(
                "pod-crash-loop",
                where,
                container=name,
                restarts=int(container["restartCount"]),
                reason=f"{end} ({why})" if why else end,
            )
    scheduled = condition(dict(pod), "PodScheduled")
    if not found and scheduled.get("status") == "False" and not volume_pending:
        yield finding("pod-unschedulable", where, reason=said(scheduled))


def containers(pod: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The states of the containers of a Pod, those of init containers first."""
    status = pod.get("status") or {}
    return [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]


def _image(pod: Mapping[str, Any], container: str) -> str:
    spec = pod.get("spec") or {}
    for entry in [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]:
        if entry.get("name") == container:
            return str(entry.get("image"))
    return "unknown"


def claim_trouble(
    claim: Mapping[str, Any], classes: Sequence[Mapping[str, Any]], events: Sequence[Mapping[str, Any]]
) -> Finding | None:
    """Why a PersistentVolumeClaim has no volume.

    :param classes: the StorageClasses.
    :param events: the events of its namespace.
    """
    if (claim.get("status") or {}).get("phase") != "Pending":
        return None
    wanted = (claim.get("spec") or {}).get("storageClassName")
    names = [entry["metadata"]["name"] for entry in classes]
    lacking = no_default(classes)
    where = _where("PersistentVolumeClaim", claim)
    if wanted and wanted not in names:
        return finding("volume-missing", where, reason=f"there is no StorageClass {wanted}")
    if wanted is None and lacking:
        return finding("volume-missing", where, reason=f"it names no StorageClass, and {lacking}")
    messages = [
        str(event.get("message"))
        for event in events
        if event.get("reason") == "ProvisioningFailed"
        and (event.get("involvedObject") or {}).get("name") == claim["metadata"]["name"]
    ]
    return finding("volume-missing", where, reason=messages[-1]) if messages else None


def no_default(classes: Sequence[Mapping[str, Any]]) -> str:
    """Why a claim that names no StorageClass gets none, as a clause; empty if one is the default."""
    if any(
        (entry["metadata"].get("annotations") or {}).get("storageclass.kubernetes.io/is-default-class")
        == "true"
        for entry in classes
    ):
        return ""
    names = sorted(entry["metadata"]["name"] for entry in classes)
    return f"of {', '.join(names)} none is the default" if names else "there is none"


def refused_pods(events: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """Owners whose Pods the API server refuses: a quota, a pod security level, a webhook."""
    last: dict[str, str] = {}
    for event in events:
        if event.get("reason") == "FailedCreate":
            subject = event.get("involvedObject") or {}
            where = f"{subject.get('kind')} {subject.get('namespace')}/{subject.get('name')}"
            last[where] = str(event.get("message"))
    for where, message in last.items():
        yield finding("pod-refused", where, reason=message)


def failed_mounts(
    pods: Sequence[Mapping[str, Any]], events: Sequence[Mapping[str, Any]]
) -> Iterator[Finding]:
    """Pods that wait for a volume that cannot be mounted, such as a Secret without the key that is wanted."""
    waiting = {
        pod["metadata"]["name"]: pod
        for pod in pods
        if (pod.get("status") or {}).get("phase") == "Pending" and (pod.get("spec") or {}).get("nodeName")
    }
    last: dict[str, str] = {}
    for event in events:
        name = (event.get("involvedObject") or {}).get("name")
        if event.get("reason") == "FailedMount" and name in waiting:
            last[str(name)] = str(event.get("message"))
    for name, message in last.items():
        container = str(((waiting[name].get("spec") or {}).get("containers") or [{}])[0].get("name"))
        yield finding("pod-not-starting", _where("Pod", waiting[name]), container=container, reason=message)


def secret_trouble(control_plane: Mapping[str, Any], secret: Mapping[str, Any] | None) -> Finding | None:
    """Whether the Secret of a space lacks every key that its status names. :param secret: None if it is not there."""
    reference = (control_plane.get("status") or {}).get("secretRef") or {}
    keys = [key for key in (reference.get("key"), reference.get("inClusterKey")) if key]
    if secret is None or not keys or any((secret.get("data") or {}).get(key) for key in keys):
        return None
    return finding(
        "secret-key-missing",
        f"ControlPlane {control_plane['metadata']['name']}",
        secret=f"{reference.get('namespace')}/{reference.get('name')}",
        keys=keys,
    )


def refused_objects(space: str, message: str) -> Finding | None:
    """What the API server refuses KubeFlex, which tries again for ever (kubeflex: pkg/reconcilers/shared).

    :param message: an error. Others than refusals pass by themselves, such as a Secret that is not there yet.
    """
    if not _REFUSAL.search(message) or _NO_DRY_RUN in message:
        return None
    return finding("objects-refused", f"ControlPlane {space}", reason=message)


def refused_credentials(space: str) -> Finding:
    """An API server that answers, and does not take the credentials in the Secret of the space."""
    reason = "a token or certificate in it may have expired"
    return finding("space-refused", f"ControlPlane {space}", reason=reason)


def owner(obj: Mapping[str, Any]) -> tuple[str, str]:
    """Kind and name of the controller of an object; empty without one."""
    for reference in (obj.get("metadata") or {}).get("ownerReferences") or []:
        if reference.get("controller"):
            return str(reference.get("kind")), str(reference.get("name"))
    return "", ""


def said(entry: Mapping[str, Any]) -> str:
    """Reason and message of a condition or of a container's state."""
    return ": ".join(str(entry[key]) for key in ("reason", "message") if entry.get(key)) or "no reason given"


def _where(kind: str, obj: Mapping[str, Any]) -> str:
    metadata = obj.get("metadata") or {}
    namespace = metadata.get("namespace")
    return f"{kind} {namespace}/{metadata.get('name')}" if namespace else f"{kind} {metadata.get('name')}"
