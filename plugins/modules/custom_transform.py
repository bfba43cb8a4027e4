#!/usr/bin/python
# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: custom_transform
version_added: "0.1.0"
short_description: Manage a CustomTransform, which removes fields from objects on their way to the clusters
description:
  - Creates, changes or deletes one CustomTransform in a Workload Description Space (WDS), by server-side apply.
    Labels, annotations and fields of others stay.
  - It is for all objects of one resource that any policy of the WDS delivers.
  - Checks the transform before it is sent, since KubeStellar's API accepts any text as a path, and later leaves out the paths
    that it does not understand.
  - Warns if another CustomTransform is for the same resource. KubeStellar then applies both, and warns too.
  - Warns if objects of the resource have been delivered already. KubeStellar does not send them again because a transform
    has changed or is gone, so they stay in the clusters as they are. It sends all objects of a policy again when one of them
    changes in the WDS, if only by an annotation.
author:
  - kubestellar.core contributors (@kubestellar)
extends_documentation_fragment:
  - kubestellar.core._auth
  - kubestellar.core._auth.wds
  - kubestellar.core._attributes
  - kubestellar.core._attributes.action_group
options:
  name:
    description:
      - Name of the transform. It may be left out if O(definition) has it.
    type: str
  state:
    description:
      - V(present) applies the transform as given; a field that is left out is removed if this module set it before.
      - V(absent) deletes it.
    type: str
    choices: [present, absent]
    default: present
  api_group:
    description:
      - The API group of the objects, without a version; V("") is the core group. It is needed unless O(definition) is given.
    type: str
  resource:
    description:
      - The objects' lower-case plural name, such as V(deployments). It is needed unless O(definition) is given.
    type: str
  remove:
    description:
      - What is removed, as paths. Their order means nothing. A path that an object does not have is passed over.
      - KubeStellar takes only a small part of JSONPath, a C($) for the object and then one member after the other, each as
        C(.name) or C(["name"]). There is no way into a list, and no C(*).
    type: list
    elements: str
  definition:
    description:
      - The whole CustomTransform as a manifest, instead of O(api_group), O(resource) and O(remove).
    type: dict
  labels:
    description:
      - Labels of the transform. Labels of others stay.
    type: dict
  annotations:
    description:
      - Annotations of the transform. Annotations of others stay.
    type: dict
  force_conflicts:
    description:
      - Whether fields that another field manager owns are taken over. If not, the module fails and names owner and fields.
    type: bool
    default: false
  wait:
    description:
      - Whether to wait until KubeStellar has read the transform, to fail with its errors, and to show its warnings.
      - It reads a transform when a policy delivers objects that it is for. As long as none does there is no wait.
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds to wait.
    type: int
    default: 60
attributes:
  check_mode:
    support: full
    details: Asks the API server by dry run. There is nothing to wait for then.
  diff_mode:
    support: full
  idempotent:
    support: full
seealso:
  - module: kubestellar.core.binding_policy
  - module: kubestellar.core.status_collector
"""

EXAMPLES = r"""
- name: Let each cluster scale the Deployments itself
  kubestellar.core.custom_transform:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    wds: wds1
    name: no-replicas
    api_group: apps
    resource: deployments
    remove:
      - $.spec.replicas
      - $.metadata.annotations["deployment.kubernetes.io/revision"]

- name: Deliver Services without their address, from a manifest
  kubestellar.core.custom_transform:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    wds: wds1
    definition:
      apiVersion: control.kubestellar.io/v1alpha1
      kind: CustomTransform
      metadata:
        name: no-address
      spec:
        apiGroup: ""
        resource: services
        remove:
          - $.spec.loadBalancerIP

- name: Deliver Deployments whole again
  kubestellar.core.custom_transform:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    wds: wds1
    name: no-replicas
    state: absent
"""

RETURN = r"""
object:
  description: The CustomTransform as it is after the task, or in check mode would be. Empty when it is absent.
  returned: always
  type: dict
method:
  description: What was done, or in check mode would be done.
  returned: always
  type: str
  sample: create
observed:
  description: Whether KubeStellar has read the transform as it is now.
  returned: when O(state=present)
  type: bool
policies:
  description:
    - Names of the policies that deliver objects that the transform is for, or was for before, sorted.
    - It is read only when the transform has changed or has not been observed.
  returned: when it was read
  type: list
  elements: str
waited:
  description: Seconds waited.
  returned: always
  type: float
errors:
  description: What KubeStellar says against the transform, one sentence each. It applies the rest.
  returned: when it complains
  type: list
  elements: str
missing:
  description: What was lacking when the time was up, one line each.
  returned: when the wait timed out
  type: list
  elements: str
problems:
  description: What is wrong with the transform, one sentence each.
  returned: when it is invalid
  type: list
  elements: str
diff:
  description: Both sides of the manifest.
  returned: in diff mode
  type: list
  elements: dict
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _one_object
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    ApiError,
    KubestellarError,
    WaitTimeout,
)
from ansible_collections.kubestellar.core.plugins.module_utils._module import Context, run
from ansible_collections.kubestellar.core.plugins.module_utils._one_object import Outcome
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    BINDINGS,
    CUSTOM_TRANSFORMS,
    Resource,
)
from ansible_collections.kubestellar.core.plugins.module_utils.placement import (
    catalogue,
    transforms,
    verdicts,
)
from ansible_collections.kubestellar.core.plugins.module_utils.placement.transforms import FIELDS

SPEC: dict[str, Any] = {
    **transforms.TRANSFORM_SPEC,
    **_one_object.APPLY_SPEC,
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 60},
}


def work(context: Context) -> dict[str, Any]:
    """Apply or delete the transform, tell what it does not do, then hear what the controller says."""
    if context.params["state"] == "absent":
        outcome = _one_object.absent(context, CUSTOM_TRANSFORMS)
    else:
        outcome = _one_object.present(
            context, CUSTOM_TRANSFORMS, transforms.manifest(context.params), adapt=transforms.in_order_of
        )
    result = {**_one_object.result(context, CUSTOM_TRANSFORMS, outcome), "waited": 0.0}
    after = outcome.after
    if after is not None:
        result["observed"] = verdicts.is_observed(after) and not (context.check_mode and outcome.changed)
    if context.planned:
        return result
    if after is not None:
        _warn_of_others(context, after)
    readers: Sequence[str] = ()
    if outcome.changed or (after is not None and not result["observed"]):
        readers = _tell_policies(context, outcome, result)
    if after is not None and context.params["wait"] and not (context.check_mode and outcome.changed):
        _hear(context, after, readers, result)
    return result


def _listed(context: Context, resource: Resource, purpose: str) -> Sequence[Mapping[str, Any]]:
    """All objects of a resource, for advice: credentials without this right do without the advice."""
    try:
        return context.wds().list(resource).items
    except ApiError as error:
        context.warn(f"{error.message} So {purpose} is not known.")
        return []


def _warn_of_others(context: Context, after: Mapping[str, Any]) -> None:
    listed = _listed(context, CUSTOM_TRANSFORMS, "whether there is another transform for the same objects")
    others = transforms.others(after, listed)
    if others:
        group, resource = transforms.subject(after)
        context.warn(
            f"CustomTransform {after['metadata']['name']} is not the only one for {resource}"
            f"{f'.{group}' if group else ''}: there is {catalogue.names(others)} too. KubeStellar removes what "
            "any of them names. Put it all into one."
        )


def _tell_policies(context: Context, outcome: Outcome, result: dict[str, Any]) -> list[str]:
    """Add `policies` to the result, and warn of what is not delivered anew, or cannot be delivered at all.

    Returns the policies that make KubeStellar read the transform as it is now.
    """
    bindings = _listed(context, BINDINGS, "which policies deliver objects of this resource")
    versions = [version for version in (outcome.before, outcome.after) if version is not None]
    result["policies"] = list(transforms.concerned(map(transforms.subject, versions), bindings))
    effects = transforms.effects(outcome.before) ^ transforms.effects(outcome.after)
    stale = transforms.delivered(transforms.concerned({effect[:2] for effect in effects}, bindings), bindings)
    if stale:
        trouble = catalogue.warning(
            "stale-transform",
            transform=versions[0]["metadata"]["name"],
            objects=[
                f"{key.resource} {f'{key.namespace}/' if key.namespace else ''}{key.name}" for key in stale
            ],
        )
        context.warn(f"{trouble['message']} {trouble['hint']}")
    if outcome.after is None:
        return []
    group, plural = transforms.subject(outcome.after)
    readers = list(transforms.concerned([(group, plural)], bindings))
    served = context.wds().resources() if not readers else []
    if not readers and not any(found.group == group and found.plural == plural for found in served):
        context.warn(
            f"{context.wds().name} has no resource {plural}{f'.{group}' if group else ''}, so this transform "
            "does nothing. Are resource (lower-case plural) and api_group right?"
        )
    return readers


def _hear(context: Context, after: Mapping[str, Any], readers: Sequence[str], result: dict[str, Any]) -> None:
    """Wait for the controller if a policy makes it read the transform; fail with its errors, show its warnings."""
    said = verdicts.Said(after)
    if readers and not said.observed:
        timeout = context.params["wait_timeout"]
        try:
            said = verdicts.of_transform(context.wds(), after, readers, timeout, context.progress)
        except WaitTimeout as error:
            if result["changed"]:
                error.details.update(result)
                raise
            # The controller never reads anew what another manager has merely put into another order.
            context.warn(error.message)
        result.update(
            object=_one_object.shown(said.live), observed=said.observed, waited=round(said.seconds, 1)
        )
    for warning in said.warnings:
        context.warn(f"KubeStellar about CustomTransform {said.live['metadata']['name']}: {warning}")
    if said.errors and said.observed:
        raise KubestellarError(
            f"{context.wds().name}: KubeStellar does not take all of CustomTransform "
            f"{said.live['metadata']['name']}: {said.errors[0]}.",
            hint="It is in the WDS, and the rest of it is used.",
            **result,
            errors=said.errors,
        )


def main() -> None:
    """Entry point."""
    run(
        SPEC,
        work,
        spaces=("wds",),
        required_one_of=[("name", "definition")],
        mutually_exclusive=[("definition", option) for option in FIELDS],
    )


if __name__ == "__main__":
    main()
