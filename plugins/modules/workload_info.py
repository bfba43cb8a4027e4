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
    selected, delivered and applied, its health, a message and its age. Adds what StatusCollectors have collected.
  - Reads each kind of object once, and changes nothing.
author:
  - kubestellar.core contributors (@kubestellar)
extends_documentation_fragment:
  - kubestellar.core._auth
  - kubestellar.core._auth.wds
  - kubestellar.core._auth.its
  - kubestellar.core._status
  - kubestellar.core._attributes
  - kubestellar.core._attributes.action_group
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
seealso:
  - module: kubestellar.core.binding_policy
  - module: kubestellar.core.status_report
  - module: kubestellar.core.status_follow
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
    since:
      description: Since when that is so, as the ITS says it.
      type: str
    placements:
      description: Number of objects that are to be there.
      type: int
    healthy:
      description: Number of these that are healthy there.
      type: int
    progressing:
      description: Number of these that are not delivered, applied or ready yet.
      type: int
    failed:
      description: Number of these that the cluster refused, or that have failed there.
      type: int
    stale:
      description: Number of these of which nothing newer is known, since the cluster is not available.
      type: int
    removing:
      description: Number of objects that are still there though no longer selected.
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
    placements:
      description: Number of its placements (objects × clusters), with those that are being removed.
      type: int
    healthy:
      description: Number of these that are healthy.
      type: int
    progressing:
      description: Number of these that are not delivered, applied or ready yet.
      type: int
    failed:
      description: Number of these that the cluster refused, or that have failed.
      type: int
    stale:
      description: Number of these of which nothing newer is known, since the cluster is not available.
      type: int
    removing:
      description: Number of those that are still delivered though no longer selected.
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
collectors:
  description: The StatusCollectors, sorted. Those that the policies use, if O(policy) or O(name) is given.
  returned: always
  type: list
  elements: dict
  contains:
    wds:
      description: The WDS it is in.
      type: str
    name:
      description: Name of the collector.
      type: str
    filter:
      description: The expression that says which clusters count, or empty.
      type: str
    columns:
      description: What it collects, a line for each column.
      type: list
      elements: str
    limit:
      description: The largest number of rows.
      type: int
    policies:
      description: The BindingPolicies that use it.
      type: list
      elements: str
    errors:
      description: What KubeStellar reports against it.
      type: list
      elements: str
combined:
  description: What StatusCollectors have collected (CombinedStatus), an entry for each object and collector.
  returned: always
  type: list
  elements: dict
  contains:
    wds:
      description: The WDS it is in.
      type: str
    policy:
      description: The BindingPolicy that asks for it.
      type: str
    group:
      description: API group of the object, empty for the core group.
      type: str
    kind:
      description: Kind of the object.
      type: str
    namespace:
      description: Namespace of the object, empty for cluster-scoped objects.
      type: str
    name:
      description: Name of the object.
      type: str
    collector:
      description: Name of the StatusCollector.
      type: str
    columns:
      description: Names of the columns.
      type: list
      elements: str
    rows:
      description: Lists of values in the order of the columns. A value is a text, a number, a truth value, a structure, or V(null).
      type: list
      elements: list
    errors:
      description: The first errors in evaluating it.
      type: list
      elements: str
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

from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._module import Context, run
from ansible_collections.kubestellar.core.plugins.module_utils.status import model, read, table

SPEC: dict[str, Any] = dict(read.QUESTION_SPEC)


def work(context: Context) -> dict[str, Any]:
    """Read, join, and count."""
    view = read.view(context)
    if lack := model.unplaced(read.question(context.params), view):
        context.warn(lack)
    return {
        "changed": False,
        "objects": model.objects(view),
        "clusters": model.clusters(view),
        "policies": view.policies,
        "spaces": view.spaces,
        "collectors": view.collectors,
        "combined": view.combined,
        "summary": model.summary(view),
        "unhealthy": model.unhealthy(view),
        "table": table.lines(view),
    }


def main() -> None:
    """Entry point."""
    run(SPEC, work, **read.MODULE_ARGUMENTS)


if __name__ == "__main__":
    main()
