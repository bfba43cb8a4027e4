#!/usr/bin/python
# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: status_collector
version_added: "0.1.0"
short_description: Manage a StatusCollector, which says how status of many clusters is gathered
description:
  - Creates, changes or deletes one StatusCollector in a Workload Description Space (WDS), by server-side apply.
    Labels, annotations and fields of others stay.
  - A policy names it in O(kubestellar.core.binding_policy#module:downsync[].status_collectors). KubeStellar then keeps
    one CombinedStatus for each object of the clause, in the namespace of the object, or in C(kubestellar-report).
  - Checks the collector before it is sent, since KubeStellar's API accepts nearly any text. Syntax, names and functions of
    expressions are checked, not their types.
  - Expressions are written in the Common Expression Language (CEL), with its standard functions and macros. They can use
    C(inventory.name), the name of the cluster; C(obj), the object in the WDS; C(returned.status), its status in the cluster;
    and C(propagation.lastReturnedUpdateTimestamp).
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
      - Name of the collector. It may be left out if O(definition) has it.
    type: str
  state:
    description:
      - V(present) applies the collector as given; a field that is left out is removed if this module set it before.
      - V(absent) deletes it.
    type: str
    choices: [present, absent]
    default: present
  filter:
    description:
      - Which clusters count, an expression that gives a boolean. All that have returned a status if left out.
    type: str
  select:
    description:
      - Columns, with one row for each cluster. It excludes O(group_by) and O(combined_fields).
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the column.
        type: str
        required: true
      def:
        description: Its value, an expression.
        type: str
        required: true
  combined_fields:
    description:
      - Columns whose values are computed over the clusters, with one row for each group.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the column.
        type: str
        required: true
      type:
        description: What is computed. V(COUNT) is the number of clusters.
        type: str
        choices: [COUNT, SUM, AVG, MIN, MAX]
        required: true
      subject:
        description: Over what it is computed, an expression that gives a number. V(COUNT) takes none, the others need one.
        type: str
  group_by:
    description:
      - What makes a group of clusters for O(combined_fields). They are one group if it is left out.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the column.
        type: str
        required: true
      def:
        description: Its value, an expression. Clusters with equal values are one group.
        type: str
        required: true
  limit:
    description:
      - The largest number of rows. KubeStellar's API wants it for every collector, so it is needed unless O(definition) is given.
        KubeStellar 0.30 does not apply it.
    type: int
  definition:
    description:
      - The whole StatusCollector as a manifest, instead of O(filter), O(select), O(combined_fields), O(group_by) and O(limit).
    type: dict
  labels:
    description:
      - Labels of the collector. Labels of others stay.
    type: dict
  annotations:
    description:
      - Annotations of the collector. Annotations of others stay.
    type: dict
  force_conflicts:
    description:
      - Whether fields that another field manager owns are taken over. If not, the module fails and names owner and fields.
    type: bool
    default: false
  wait:
    description:
      - Whether to see if KubeStellar complains about the collector, and then to fail with its sentence. It does not use a
        collector that it complains about.
      - KubeStellar never says that it has taken a collector. So no complaint within O(wait_timeout) after a change counts as
        consent, also if no controller is running. Without a change there is no wait.
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds to wait for a complaint.
    type: int
    default: 3
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
  - module: kubestellar.core.custom_transform
"""

EXAMPLES = r"""
- name: See how many replicas run in each cluster
  kubestellar.core.status_collector:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    wds: wds1
    name: replicas
    select:
      - name: cluster
        def: inventory.name
      - name: ready
        def: "has(returned.status.readyReplicas) ? returned.status.readyReplicas : 0"
    limit: 100

- name: Count the clusters by whether the Deployment is complete there
  kubestellar.core.status_collector:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    wds: wds1
    name: completeness
    filter: has(returned.status.readyReplicas)
    group_by:
      - name: complete
        def: returned.status.readyReplicas == obj.spec.replicas
    combined_fields:
      - name: clusters
        type: COUNT
      - name: replicas
        type: SUM
        subject: returned.status.readyReplicas
    limit: 2

- name: Deliver the shop, and collect its status
  kubestellar.core.binding_policy:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    wds: wds1
    name: shop
    cluster_selectors:
      - match_labels:
          location-group: edge
    downsync:
      - api_group: apps
        resources: [deployments]
        namespaces: [shop]
        status_collectors: [replicas, completeness]
"""

RETURN = r"""
object:
  description: The StatusCollector as it is after the task, or in check mode would be. Empty when it is absent.
  returned: always
  type: dict
method:
  description: What was done, or in check mode would be done.
  returned: always
  type: str
  sample: create
waited:
  description: Seconds waited.
  returned: always
  type: float
errors:
  description: What KubeStellar says against the collector, one sentence each.
  returned: when it complains
  type: list
  elements: str
problems:
  description: What is wrong with the collector, one sentence each.
  returned: when it is invalid
  type: list
  elements: str
diff:
  description: Both sides of the manifest.
  returned: in diff mode
  type: list
  elements: dict
"""

from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _one_object
from ansible_collections.kubestellar.core.plugins.module_utils._errors import KubestellarError
from ansible_collections.kubestellar.core.plugins.module_utils._module import Context, run
from ansible_collections.kubestellar.core.plugins.module_utils._resources import STATUS_COLLECTORS
from ansible_collections.kubestellar.core.plugins.module_utils.placement import collectors, verdicts
from ansible_collections.kubestellar.core.plugins.module_utils.placement.collectors import FIELDS

SPEC: dict[str, Any] = {
    **collectors.COLLECTOR_SPEC,
    **_one_object.APPLY_SPEC,
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 3},
}


def work(context: Context) -> dict[str, Any]:
    """Apply or delete the collector, then hear what the controller says."""
    if context.params["state"] == "absent":
        outcome = _one_object.absent(context, STATUS_COLLECTORS)
        return {**_one_object.result(context, STATUS_COLLECTORS, outcome), "waited": 0.0}
    collector = collectors.manifest(context.params)
    outcome = _one_object.present(context, STATUS_COLLECTORS, collector)
    for doubt in collectors.doubts(collector):
        context.warn(f"StatusCollector {collector['metadata']['name']}: {doubt}")
    result = {**_one_object.result(context, STATUS_COLLECTORS, outcome), "waited": 0.0}
    if outcome.after is None or not context.params["wait"] or (context.check_mode and outcome.changed):
        return result
    said = verdicts.Said(outcome.after)
    if outcome.changed:
        timeout = context.params["wait_timeout"]
        said = verdicts.of_collector(context.wds(), outcome.before, outcome.after, timeout, context.progress)
        result["object"] = _one_object.shown(said.live)
        result["waited"] = round(said.seconds, 1)
    if said.errors:
        raise KubestellarError(
            f"{context.wds().name}: KubeStellar does not take StatusCollector {collector['metadata']['name']}: "
            f"{said.errors[0]}",
            hint="It is in the WDS, but not used until it is corrected.",
            **result,
            errors=said.errors,
        )
    return result


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
