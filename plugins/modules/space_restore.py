#!/usr/bin/python
# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: space_restore
version_added: "0.1.0"
short_description: Restore the spaces of a hub from a backup
description:
  - Brings a backup of M(kubestellar.core.space_backup) into the spaces of a fresh hub, which must have spaces of the same names.
    Without O(spaces), all spaces of the backup are restored. What they are for is in the backup. Nothing is ever deleted.
  - Restore before the workload clusters (WECs) join. Their ManagedClusters are created, accepted, labelled and with their properties, so that the
    ManifestWorks wait for the agents. Certificate requests of the agents still have to be approved (M(kubestellar.core.managed_cluster)).
    What runs in the WECs is then taken over as it is.
  - An agent that is connected to a hub evicts what the hub does not deliver an hour later, by default. So if WECs have joined a fresh hub before the
    restore, it has to be complete within that hour.
  - The order is properties, ManagedClusters, CustomResourceDefinitions and Namespaces, other objects, CustomTransforms and StatusCollectors,
    BindingPolicies. If something fails, later steps do not begin.
  - Objects are applied by server-side apply. Then the owners of fields are set to those of the backup, so that inventories and manifests
    act on the restored objects as they did on the old ones. What is there already is left alone, so an interrupted restore is completed by
    the next.
  - In the end the Bindings are compared with those of the backup. Where they do not become the same, the module fails and says what differs.
author:
  - kubestellar.core contributors (@kubestellar)
extends_documentation_fragment:
  - kubestellar.core._auth
  - kubestellar.core._auth.spaces
  - kubestellar.core._attributes
  - kubestellar.core._attributes.action_group
options:
  dir:
    description:
      - The folder of the backup. Every archive must be as it was written, which is checked before the first request.
    type: path
    required: true
  overwrite:
    description:
      - Whether the backup wins over objects that are there with another content. If not, the restore is refused before anything is
        written, and they are named.
      - What such an object has beside the content of the backup stays, and so does every object that is not in the backup.
    type: bool
    default: false
  verify:
    description:
      - Whether to wait until each policy is placed as it was, and to fail where it is not.
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds to wait until KubeStellar's kinds are there in a new WDS, and seconds to wait for the placement.
    type: int
    default: 120
attributes:
  check_mode:
    support: full
    details:
      - The placement is not compared.
  diff_mode:
    support: full
  idempotent:
    support: full
"""

EXAMPLES = r"""
- name: Restore all spaces
  kubestellar.core.space_restore:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    dir: /var/backups/kubestellar/hub

- name: Bring lost objects of one WDS back beside what is there
  kubestellar.core.space_restore:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    dir: /var/backups/kubestellar/hub
    spaces:
      - name: wds1
    verify: false
"""

RETURN = r"""
objects:
  description: One entry per object of the backup, in the order in which they are restored.
  returned: always
  type: list
  elements: dict
  contains:
    space:
      description: Name of the space.
      type: str
    api_version:
      description: API group and version.
      type: str
    kind:
      description: Kind of the object.
      type: str
    namespace:
      description: Namespace, empty for cluster-scoped objects.
      type: str
    name:
      description: Name of the object.
      type: str
    method:
      description: What was done, or in check mode would be done.
      type: str
      sample: create
    changed:
      description: Whether RV(objects[].method) is anything but V(none).
      type: bool
    error:
      description: Why this object failed.
      returned: on failure of this object
      type: str
summary:
  description: Number of objects by space and method.
  returned: always
  type: dict
  sample: {"its1": {"create": 4}, "wds1": {"create": 255, "none": 2}}
beside:
  description: Space to the objects that it holds and the backup does not. They stay.
  returned: always
  type: dict
placement:
  description:
    - Whether each policy is placed as it was when the backup was made, V(same) or V(different). V(unknown) in check mode, without O(verify), and
      for a backup without policies.
  returned: always
  type: str
  sample: same
differences:
  description: The policies that are not placed as they were.
  returned: always
  type: list
  elements: dict
  contains:
    space:
      description: Name of the WDS.
      type: str
    policy:
      description: Name of the BindingPolicy.
      type: str
    bound:
      description: Whether it has a Binding.
      type: bool
    clusters_missing:
      description: Clusters that it went to and now does not.
      type: list
      elements: str
    clusters_added:
      description: Clusters that it did not go to and now does.
      type: list
      elements: str
    objects_missing:
      description: Objects that it delivered and now does not, such as C(deployments.apps shop/web).
      type: list
      elements: str
    objects_added:
      description: Objects that it did not deliver and now does.
      type: list
      elements: str
    objects_changed:
      description: Objects that it delivers in another way, for example created only.
      type: list
      elements: str
refused:
  description: By space, the objects that are there with another content, each with the first field that differs.
  returned: when the restore is refused for them
  type: dict
diff:
  description: Both sides of every changed object, with the values of Secrets masked.
  returned: in diff mode
  type: list
  elements: dict
"""

from collections import Counter
from pathlib import Path
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bulk, _space
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, KubestellarError
from ansible_collections.kubestellar.core.plugins.module_utils._module import Context, run
from ansible_collections.kubestellar.core.plugins.module_utils._wait import summary
from ansible_collections.kubestellar.core.plugins.module_utils.backup import archive, restore
from ansible_collections.kubestellar.core.plugins.module_utils.placement import catalogue

SPEC: dict[str, Any] = {
    **_space.SPACES_SPEC,
    "dir": {"type": "path", "required": True},
    "overwrite": {"type": "bool", "default": False},
    "verify": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 120},
}


def work(context: Context) -> dict[str, Any]:
    """Check the backup, look at the spaces, restore what is not there, compare the placement."""
    params = context.params
    if not params["dir"]:
        raise InvalidInput("No folder is named for the backup.", hint="Set dir.")
    entries = params["spaces"]
    names = None if entries is None else [entry["name"] for entry in entries]
    saved = archive.read(Path(params["dir"]), names)
    if context.planned:
        outcomes = {space.name: [_bulk.planned(obj) for obj in space.objects] for space in saved}
        return _result(context, outcomes)
    given = {entry["name"]: entry for entry in entries or []}
    wanted = [{**given.get(space.name, {}), "name": space.name, "role": space.role} for space in saved]
    clusters = [cluster for _role, cluster in _space.choose(wanted, context.hosting)]
    jobs = restore.jobs(
        list(zip(saved, clusters, strict=True)),
        timeout=params["wait_timeout"],
        progress=context.progress,
        dry_run=context.check_mode,
    )
    restore.refuse(jobs, overwrite=params["overwrite"])
    restore.restore(jobs, force=params["overwrite"], dry_run=context.check_mode, progress=context.progress)
    result = _result(context, {job.name: job.outcomes for job in jobs})
    result["beside"] = {job.name: job.beside() for job in jobs if job.beside()}
    for name, labels in result["beside"].items():
        context.warn(f"{name} also holds what is not in the backup: {catalogue.names(labels)}.")
    if params["verify"] and not context.check_mode:
        _verify(context, jobs, result)
    return result


def _verify(context: Context, jobs: list[restore.Job], result: dict[str, Any]) -> None:
    """:raises KubestellarError: the placement is another one."""
    recorded = [placed for job in jobs for placed in job.saved.placement.values()]
    unsettled = [
        f"{job.name}/{policy}"
        for job in jobs
        for policy, placed in job.saved.placement.items()
        if not placed["settled"]
    ]
    if unsettled:
        context.warn(f"The backup does not say what these policies came to: {catalogue.names(unsettled)}.")
    if len(unsettled) == len(recorded):
        return
    found = restore.compare(jobs, timeout=context.params["wait_timeout"], progress=context.progress)
    result["differences"] = found
    result["placement"] = "different" if found else "same"
    if found:
        raise KubestellarError(
            f"Everything is restored, but the placement is another than that of the backup: "
            f"{summary([restore.phrase(entry) for entry in found], 5)}.",
            hint="Do not let WECs join before this is understood: what a policy lacks is withdrawn from them. Does the space "
            "hold objects or clusters of others, do its controllers run? Set verify to false to go on as it is.",
            **result,
        )


def _result(context: Context, outcomes: dict[str, list[_bulk.Outcome]]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "changed": any(outcome.changed for made in outcomes.values() for outcome in made),
        "objects": [
            {"space": name, **outcome.result()} for name, made in outcomes.items() for outcome in made
        ],
        "summary": {
            name: dict(Counter(outcome.method for outcome in made)) for name, made in outcomes.items()
        },
        "beside": {},
        "placement": "unknown",
        "differences": [],
    }
    if context.diff_mode:
        result["diff"] = [
            outcome.diff(name) for name, made in outcomes.items() for outcome in made if outcome.changed
        ]
    return result


def main() -> None:
    """Entry point."""
    run(SPEC, work)


if __name__ == "__main__":
    main()
