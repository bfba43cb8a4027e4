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
    Without O(spaces), all spaces of the backup are restored. What they are for is in the backup.
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
author:
  - kubestellar.core contributors (@kubestellar)
extends_documentation_fragment:
  - kubestellar.core._auth
  - kubestellar.core._auth.spaces
  - kubestellar.core._attributes
  - kubestellar.core._attributes.action_group
options:
  folder:
    description:
      - The folder of the backup. Every file must be as it was written, which is checked before the first request.
    type: path
    required: true
  merge:
    description:
      - Whether to restore into spaces that hold objects of which the backup knows nothing. They stay as they are.
        If not, such a space is refused before anything is written.
    type: bool
    default: false
  force_conflicts:
    description:
      - Whether fields that another field manager set to another value are taken over. If not, such an object fails and the owner is named.
    type: bool
    default: false
  wait_timeout:
    description:
      - Seconds to wait until KubeStellar's kinds are there in a new WDS.
    type: int
    default: 120
attributes:
  check_mode:
    support: full
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
    folder: /var/backups/kubestellar/hub

- name: Bring lost objects of one WDS back beside what is there
  kubestellar.core.space_restore:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    folder: /var/backups/kubestellar/hub
    spaces:
      - name: wds1
    merge: true
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
refused:
  description: By space, the objects that are there and not in the backup.
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

from ansible_collections.kubestellar.core.plugins.module_utils import (
    _backup_folder,
    _bulk,
    _restore,
    _space,
)
from ansible_collections.kubestellar.core.plugins.module_utils._module import Context, run

SPEC: dict[str, Any] = {
    **_space.SPACES_SPEC,
    "folder": {"type": "path", "required": True},
    "merge": {"type": "bool", "default": False},
    "force_conflicts": {"type": "bool", "default": False},
    "wait_timeout": {"type": "int", "default": 120},
}


def work(context: Context) -> dict[str, Any]:
    """Check the backup, look at the spaces, then restore what differs."""
    params = context.params
    entries = params["spaces"]
    names = None if entries is None else [entry["name"] for entry in entries]
    saved = _backup_folder.read(Path(params["folder"]), names)
    if context.planned:
        outcomes = {space.name: [_bulk.planned(obj) for obj in space.objects] for space in saved}
    else:
        given = {entry["name"]: entry for entry in entries or []}
        wanted = [{**given.get(space.name, {}), "name": space.name, "role": space.role} for space in saved]
        clusters = [cluster for _role, cluster in _space.choose(wanted, context.hosting)]
        jobs = _restore.jobs(
            list(zip(saved, clusters, strict=True)),
            timeout=params["wait_timeout"],
            progress=context.progress,
            dry_run=context.check_mode,
        )
        if not params["merge"]:
            _restore.refuse_foreign(jobs)
        _restore.restore(
            jobs, force=params["force_conflicts"], dry_run=context.check_mode, progress=context.progress
        )
        for job in jobs:
            lacking = job.lacking_secrets()
            if lacking:
                context.warn(
                    f"{job.name}: {len(lacking)} Secrets were left out of the backup and are not there: "
                    f"{', '.join(lacking[:10])}{' and others' if len(lacking) > 10 else ''}. Bring them back before the "
                    "WECs join, or they vanish from there an hour later."
                )
        outcomes = {job.name: job.outcomes for job in jobs}
    result: dict[str, Any] = {
        "changed": any(outcome.changed for made in outcomes.values() for outcome in made),
        "objects": [
            {"space": name, **outcome.result()} for name, made in outcomes.items() for outcome in made
        ],
        "summary": {
            name: dict(Counter(outcome.method for outcome in made)) for name, made in outcomes.items()
        },
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
