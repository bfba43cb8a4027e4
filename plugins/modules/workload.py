#!/usr/bin/python
# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: workload
version_added: "0.1.0"
short_description: Manage the objects of a workload in a WDS
description:
  - Makes a Workload Description Space (WDS) hold a named set of objects, in one call.
  - Lists what is there once per kind, compares, and sends only what differs by server-side apply.
    Fields that other managers or defaults set do not count as changes.
  - Namespaces and CustomResourceDefinitions are applied first; the resources of a new definition follow when it is established.
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
      - Name of the workload. Every object gets the label C(kubestellar.core/workload) with this value.
    type: str
    required: true
  state:
    description:
      - V(present) applies the objects; V(absent) deletes every object in the WDS that carries the label of this workload.
    type: str
    choices: [present, absent]
    default: present
  definitions:
    description:
      - The objects, as a list of mappings, one mapping, or YAML text.
    type: raw
  src:
    description:
      - Files with objects, or folders of such files (V(.yml), V(.yaml), V(.json), with subfolders).
    type: list
    elements: path
    default: []
  namespace:
    description:
      - Namespace for namespaced objects that name none.
    type: str
  labels:
    description:
      - Labels to add to every object.
    type: dict
    default: {}
  force_conflicts:
    description:
      - Whether fields that another field manager owns are taken over. If not, such an object fails and the owner is named.
    type: bool
    default: false
  wait_timeout:
    description:
      - Seconds to wait until deleted objects are gone, for O(state=absent).
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
- name: Describe the shop in wds1
  kubestellar.core.workload:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    wds: wds1
    name: shop
    src:
      - files/shop
    labels:
      team: retail

- name: Remove the shop from wds1
  kubestellar.core.workload:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    wds: wds1
    name: shop
    state: absent
"""

RETURN = r"""
objects:
  description: One entry per object, in the order given; for O(state=absent) one per deleted object.
  returned: always
  type: list
  elements: dict
  contains:
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
  description: Number of objects by method.
  returned: always
  type: dict
  sample: {"create": 2, "none": 4}
planned:
  description: The objects that would be created or changed, each with C(apiVersion), C(kind) and C(metadata), for previews of placement.
  returned: in check mode
  type: list
  elements: dict
diff:
  description: Both sides of every changed object, with the values of Secrets masked.
  returned: in diff mode
  type: list
  elements: dict
"""

from collections import Counter
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bulk
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput
from ansible_collections.kubestellar.core.plugins.module_utils._module import Context, run
from ansible_collections.kubestellar.core.plugins.module_utils.workload import members, names, sources

SPEC: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "definitions": {"type": "raw"},
    "src": {"type": "list", "elements": "path", "default": []},
    "namespace": {"type": "str"},
    "labels": {"type": "dict", "default": {}},
    "force_conflicts": {"type": "bool", "default": False},
    "wait_timeout": {"type": "int", "default": 120},
}


def work(context: Context) -> dict[str, Any]:
    """Apply or delete the workload."""
    names.check_name(context.params["name"])
    outcomes, cluster = _present(context) if context.params["state"] == "present" else _absent(context)
    result: dict[str, Any] = {
        "changed": any(outcome.changed for outcome in outcomes),
        "objects": [outcome.result() for outcome in outcomes],
        "summary": dict(Counter(outcome.method for outcome in outcomes)),
    }
    if context.check_mode and context.params["state"] == "present":
        result["planned"] = [_identified(outcome) for outcome in outcomes if outcome.changed]
    if context.diff_mode:
        result["diff"] = [outcome.diff(cluster) for outcome in outcomes if outcome.changed]
    _bulk.raise_failures(outcomes, cluster, context.params["state"], **result)
    return result


def _present(context: Context) -> tuple[list[_bulk.Outcome], str]:
    params = context.params
    read = sources.read(params["definitions"], params["src"])
    params["definitions"] = sources.shown(params["definitions"])
    given = _bulk.check_definitions(read, f"workload {params['name']}")
    if not given:
        raise InvalidInput(
            f"The workload {params['name']} has no objects.",
            hint="Give definitions or src, or remove the workload with state=absent.",
        )
    labels = {**params["labels"], names.WORKLOAD_LABEL: params["name"]}
    objects = _bulk.check_definitions(names.labelled(given, labels), "labels")
    if context.planned:
        return [_bulk.planned(obj, params["namespace"]) for obj in objects], str(params["wds"])
    wds = context.wds()
    outcomes = _bulk.apply_all(
        wds,
        objects,
        namespace=params["namespace"],
        force=params["force_conflicts"],
        dry_run=context.check_mode,
        progress=context.progress,
    )
    return outcomes, wds.name


def _identified(outcome: _bulk.Outcome) -> dict[str, Any]:
    """What decides where an object is placed."""
    metadata: dict[str, Any] = {"name": outcome.name}
    if outcome.namespace:
        metadata["namespace"] = outcome.namespace
    metadata["labels"] = dict(((outcome.after or {}).get("metadata") or {}).get("labels") or {})
    return {"apiVersion": outcome.api_version, "kind": outcome.kind, "metadata": metadata}


def _absent(context: Context) -> tuple[list[_bulk.Outcome], str]:
    if context.planned:
        return [], str(context.params["wds"])
    wds = context.wds()
    found = members.live(wds, context.params["name"])
    outcomes = _bulk.delete_all(wds, found, dry_run=context.check_mode)
    if found and not context.check_mode and not any(outcome.error for outcome in outcomes):
        members.wait_gone(wds, found, context.params["wait_timeout"], context.progress)
    return outcomes, wds.name


def main() -> None:
    """Entry point."""
    run(SPEC, work, spaces=("wds",))


if __name__ == "__main__":
    main()
