#!/usr/bin/python
# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: workload_info
version_added: "0.1.0"
short_description: Show what runs where, and if not, why
description:
  - Joins Bindings, ManifestWorks, WorkStatuses and ManagedClusters into one answer per object and cluster, whether it is
    selected, delivered and applied, its health, a message and its age.
  - Reads each kind of object once, and changes nothing.
author:
  - kubestellar.core contributors (@kubestellar)
extends_documentation_fragment:
  - kubestellar.core._auth
  - kubestellar.core._auth.wds
  - kubestellar.core._auth.its
  - kubestellar.core._attributes
  - kubestellar.core._attributes.action_group
options:
  wdses:
    description:
      - Names of several WDSes that deliver through the same ITS, instead of O(wds).
    type: list
    elements: str
  policy:
    description:
      - Names of BindingPolicies to show. All if this and O(name) are left out.
    type: list
    elements: str
  name:
    description:
      - Name of a workload. Shows the policies with the label C(kubestellar.core/workload) of this value.
    type: str
attributes:
  check_mode:
    support: full
    details: It changes nothing in any mode.
  diff_mode:
    support: N/A
    details: It changes nothing.
  idempotent:
    support: N/A
    details: It changes nothing.
notes:
  - With O(wds_kubeconfig), give O(wds) too if the context is not named like the WDS. ManifestWorks carry its name.
seealso:
  - module: kubestellar.core.binding_policy
"""

EXAMPLES = r"""
- name: See how the shop is doing
  kubestellar.core.workload_info:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    wds: wds1
    its: its1
    name: shop
  register: shop

- name: Show it
  ansible.builtin.debug:
    msg: "{{ shop.table | join('\n') }}"
"""

RETURN = r"""
objects:
  description: The selected objects, and those that are still delivered though no longer selected.
  returned: always
  type: list
  elements: dict
  contains:
    wds:
      description: The WDS it is described in.
      type: str
    group:
      description: API group, empty for the core group.
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
    policies:
      description: The BindingPolicies that select it.
      type: list
      elements: str
    clusters:
      description: Where it is.
      type: list
      elements: dict
      contains:
        name:
          description: Name of the cluster.
          type: str
        selected:
          description: Whether it is to be there.
          type: bool
        delivered:
          description: Whether its present version is in the cluster's mailbox in the ITS.
          type: bool
        applied:
          description: Whether the cluster's agent has applied it.
          type: bool
        health:
          description: >-
            V(healthy), V(progressing) or V(failed), by kind; V(stale) if the cluster is not available, so that nothing
            newer is known; V(removing) if it is no longer selected.
          type: str
        message:
          description: What is lacking.
          type: str
        age:
          description: Seconds since its status last changed; -1 if unknown.
          type: int
clusters:
  description: The clusters that are registered in the ITS, sorted.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the cluster.
      type: str
    accepted:
      description: Whether the hub accepts it.
      type: bool
    joined:
      description: Whether its agent has registered.
      type: bool
    available:
      description: Whether the hub hears of it.
      type: bool
    reason:
      description: Why it is available or not, in one word.
      type: str
    labels:
      description: Its labels.
      type: dict
    placements:
      description: Number of objects that are to be there.
      type: int
    healthy:
      description: Number of these that are healthy there.
      type: int
policies:
  description: The BindingPolicies, sorted.
  returned: always
  type: list
  elements: dict
  contains:
    wds:
      description: The WDS it is in.
      type: str
    name:
      description: Name of the policy.
      type: str
    workload:
      description: The workload it belongs to, or empty.
      type: str
    current:
      description: Whether KubeStellar has processed the policy as it is now.
      type: bool
    errors:
      description: What KubeStellar reports against it.
      type: list
      elements: str
    clusters:
      description: Names of the clusters that it selects.
      type: list
      elements: str
    objects:
      description: Number of objects that it selects.
      type: int
spaces:
  description: The ControlPlanes of the hosting cluster, if the connection leads there.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the space.
      type: str
    role:
      description: V(its), V(wds), or empty.
      type: str
    type:
      description: Type of the ControlPlane.
      type: str
    ready:
      description: Whether it is ready.
      type: bool
summary:
  description: Numbers of clusters, objects and placements (objects × clusters), and of placements by health.
  returned: always
  type: dict
  sample: {"clusters": 2, "objects": 6, "placements": 12, "healthy": 12, "progressing": 0, "failed": 0, "stale": 0, "removing": 0}
unhealthy:
  description: The first 100 placements that are not healthy, one line each.
  returned: always
  type: list
  elements: str
table:
  description: All of it as lines of text, at most 120 columns wide.
  returned: always
  type: list
  elements: str
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import (
    _delivery,
    _space,
    _table,
    _wait,
)
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, NotFound, plain
from ansible_collections.kubestellar.core.plugins.module_utils._health import HEALTHY
from ansible_collections.kubestellar.core.plugins.module_utils._module import Context, run
from ansible_collections.kubestellar.core.plugins.module_utils._resources import CONTROL_PLANES
from ansible_collections.kubestellar.core.plugins.module_utils.placement import resolution
from ansible_collections.kubestellar.core.plugins.module_utils.workload.names import WORKLOAD_LABEL

SPEC: dict[str, Any] = {
    "wdses": {"type": "list", "elements": "str"},
    "policy": {"type": "list", "elements": "str"},
    "name": {"type": "str"},
}

_MOST_UNHEALTHY = 100


def work(context: Context) -> dict[str, Any]:
    """Read, join, and count."""
    if context.planned:
        return _result("", [], [], [], [], ["the hub does not exist yet: an earlier task would create it"])
    its, spaces = context.its(), _wdses(context)
    facts = _delivery.read(its, spaces)
    policies: list[dict[str, Any]] = []
    rows: list[_delivery.Row] = []
    for one in facts:
        chosen = _chosen(one, context.params["policy"], context.params["name"])
        policies += [_policy(one, policy) for policy in one.policies if policy["metadata"]["name"] in chosen]
        rows += _delivery.join(_restricted(one, chosen, context), lambda work: time.time() - work.applied_at)
    _refuse_unknown(context.params["policy"], policies, list(spaces))
    control_planes = [] if context.params["its_kubeconfig"] else _spaces(context.hosting())
    hub = "" if context.params["its_kubeconfig"] else context.hosting().name
    clusters = sorted(facts[0].clusters, key=lambda cluster: cluster.name)
    return _result(hub, control_planes, clusters, policies, rows, [])


def _wdses(context: Context) -> dict[str, Cluster]:
    names = context.params["wdses"]
    if not names:
        wds = context.wds()
        return {str(context.params["wds"] or wds.name): wds}
    return {name: _space.connect(context.hosting(), name) for name in names}


def _chosen(facts: _delivery.Facts, policy: Sequence[str] | None, workload: str | None) -> set[str]:
    """Names of the policies that are asked for."""
    return {
        item["metadata"]["name"]
        for item in facts.policies
        if (policy is None or item["metadata"]["name"] in policy)
        and (workload is None or (item["metadata"].get("labels") or {}).get(WORKLOAD_LABEL) == workload)
    }


def _restricted(facts: _delivery.Facts, chosen: set[str], context: Context) -> _delivery.Facts:
    """The facts of these policies; what no policy selects any more belongs to the answer to "everything"."""
    if context.params["policy"] is None and context.params["name"] is None:
        return facts
    names = chosen | set(context.params["policy"] or ())
    return _delivery.Facts(
        wds=facts.wds,
        bindings=[item for item in facts.bindings if item["metadata"]["name"] in names],
        works=[item for item in facts.works if item.binding in names],
        returned=facts.returned,
        clusters=facts.clusters,
        kinds=facts.kinds,
    )


def _refuse_unknown(
    wanted: Sequence[str] | None, policies: Sequence[Mapping[str, Any]], wdses: Sequence[str]
) -> None:
    """A policy that is asked for by name and is nowhere is a mistake, not an empty answer."""
    unknown = sorted(set(wanted or ()) - {policy["name"] for policy in policies})
    if unknown:
        raise InvalidInput(
            f"There is no BindingPolicy {', '.join(unknown)} in {', '.join(wdses)}.",
            hint="See kubectl get bindingpolicies, or leave policy out.",
        )


def _policy(facts: _delivery.Facts, policy: Mapping[str, Any]) -> dict[str, Any]:
    metadata, status = policy["metadata"], policy.get("status") or {}
    binding = next((b for b in facts.bindings if b["metadata"]["name"] == metadata["name"]), {})
    return {
        "wds": facts.wds,
        "name": metadata["name"],
        "workload": (metadata.get("labels") or {}).get(WORKLOAD_LABEL, ""),
        "current": bool(binding) and status.get("observedGeneration") == metadata.get("generation"),
        "errors": [plain(error) for error in status.get("errors") or []],
        "clusters": sorted(resolution.destinations(binding)),
        "objects": len(resolution.bound(binding)),
    }


def _spaces(hosting: Cluster) -> list[dict[str, Any]]:
    try:
        items = hosting.list(CONTROL_PLANES).items
    except NotFound:
        return []
    return [
        {
            "name": item["metadata"]["name"],
            "role": (item["metadata"].get("labels") or {}).get(_space.CP_TYPE_LABEL, ""),
            "type": plain((item.get("spec") or {}).get("type") or ""),
            "ready": _wait.condition(item, "Ready").get("status") == "True",
        }
        for item in items
    ]


def _result(
    hub: str,
    spaces: list[dict[str, Any]],
    wecs: Sequence[_delivery.Wec],
    policies: list[dict[str, Any]],
    rows: Sequence[_delivery.Row],
    table: list[str],
) -> dict[str, Any]:
    clusters = [_cluster(wec, rows) for wec in wecs]
    names = [name for policy in policies for name in policy["clusters"]]
    unhealthy = [
        plain(f"{cell.cluster}: {row.label}: {cell.health}{': ' if cell.message else ''}{cell.message}")
        for row in rows
        for cell in row.cells.values()
        if cell.health != HEALTHY
    ]
    return {
        "changed": False,
        "objects": [_object(row) for row in rows],
        "clusters": clusters,
        "policies": policies,
        "spaces": spaces,
        "summary": _delivery.summary(rows, names),
        "unhealthy": unhealthy[:_MOST_UNHEALTHY],
        "table": table or _table.render(hub, spaces, clusters, policies, rows),
    }


def _cluster(wec: _delivery.Wec, rows: Sequence[_delivery.Row]) -> dict[str, Any]:
    cells = [row.cells[wec.name] for row in rows if wec.name in row.cells]
    return {
        **wec.result(),
        "placements": sum(cell.selected for cell in cells),
        "healthy": sum(cell.health == HEALTHY for cell in cells),
    }


def _object(row: _delivery.Row) -> dict[str, Any]:
    now = time.time()
    return {
        "wds": row.wds,
        "group": row.key.group,
        "kind": row.kind,
        "namespace": row.key.namespace,
        "name": row.key.name,
        "policies": row.policies,
        "clusters": [
            {
                "name": cell.cluster,
                "selected": cell.selected,
                "delivered": cell.delivered,
                "applied": cell.applied,
                "health": cell.health,
                "message": cell.message,
                "age": max(0, int(now - cell.since)) if cell.since else -1,
            }
            for _name, cell in sorted(row.cells.items())
        ],
    }


def main() -> None:
    """Entry point."""
    run(
        SPEC,
        work,
        spaces=("wds", "its"),
        mutually_exclusive=[("wdses", "wds"), ("wdses", "wds_kubeconfig")],
    )


if __name__ == "__main__":
    main()
