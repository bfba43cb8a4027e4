#!/usr/bin/python
# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: managed_cluster
version_added: "0.1.0"
short_description: Accept, describe and detach workload clusters
description:
  - Accepts workload execution clusters (WECs) into an ITS, gives them labels, annotations and properties, and waits until they are available.
    One call handles any number of clusters at once. One that fails does not stop the others; the module fails at the end and names it.
  - A certificate request is approved only if it is what an agent with bootstrap credentials sends for exactly this cluster. The label, the signer,
    the requester and its groups, the usages and the subject, organizations and signature inside the request itself are checked.
    All others are refused and reported with the reason. A name alone is never enough.
  - Labels, annotations and properties are applied by server-side apply. Those of other field managers stay;
    those that this module had set and that are no longer listed are removed.
  - Properties are written before labels, since a label may at once select the cluster for a workload that is expanded with them.
    Properties that are no longer listed are removed after the labels are written.
author:
  - kubestellar.core contributors (@kubestellar)
extends_documentation_fragment:
  - kubestellar.core._auth
  - kubestellar.core._auth.its
  - kubestellar.core._attributes
  - kubestellar.core._attributes.action_group
requirements:
  - cryptography
options:
  names:
    description:
      - Names of the clusters. Give this or O(clusters).
    type: list
    elements: str
  clusters:
    description:
      - The clusters with what is particular to each. It is merged over the options of the same name.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the cluster.
        type: str
        required: true
      labels:
        description: See O(labels).
        type: dict
      annotations:
        description: See O(annotations).
        type: dict
      properties:
        description: See O(properties).
        type: dict
  labels:
    description:
      - Labels of the ManagedClusters, by which policies select them. If neither this nor the cluster's own are given, labels stay as they are.
    type: dict
  annotations:
    description:
      - Annotations of the ManagedClusters. As with O(labels), they stay as they are if none are given.
    type: dict
  properties:
    description:
      - Values for template expansion, kept in the ConfigMap C(customization-properties/<cluster>). Templates can only name keys that are Go identifiers.
        As with O(labels), they stay as they are if none are given.
    type: dict
  state:
    description:
      - V(accepted) lets the clusters in and describes them.
      - V(absent) detaches them. The ManagedCluster, its namespace in the ITS, its certificate requests and its properties are deleted. It is refused while
        workload is still placed there. The agent must be running, and is to be removed afterwards.
    type: str
    choices: [accepted, absent]
    default: accepted
  rejoin:
    description:
      - Whether to approve a new request to join of a cluster that is connected, because its agent was set up anew.
        If not, such a request is left waiting and reported in a warning.
    type: bool
    default: false
  force:
    description:
      - For O(state=absent) of clusters that are gone for good. Removes the finalizers that only their agents would remove, and reports what is abandoned.
        Workload on a cluster that comes back is then left alone there.
    type: bool
    default: false
  force_conflicts:
    description:
      - Whether labels, annotations and properties that another field manager set to another value are taken over. If not, that cluster fails and the owner
        is named.
    type: bool
    default: false
  wait:
    description:
      - Whether to wait until agents have asked to join, have come back with their certificates, and are available; or until everything is gone.
      - Without waiting, what can be done now is done, and a cluster that cannot be accepted yet fails.
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds to wait, for all clusters together.
    type: int
    default: 300
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
"""

EXAMPLES = r"""
- name: Accept two clusters
  kubestellar.core.managed_cluster:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    its: its1
    labels:
      location-group: edge
    clusters:
      - name: cluster1
        labels:
          city: lisbon
        properties:
          storeName: Lisbon, Rua Augusta
      - name: cluster2
        labels:
          city: turin

- name: Detach a cluster whose machines were scrapped
  kubestellar.core.managed_cluster:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    its: its1
    names: [cluster2]
    state: absent
    force: true
"""

RETURN = r"""
clusters:
  description: One entry per cluster, in the order given. Also on failure.
  returned: always
  type: list
  elements: dict
  contains:
    kind:
      description: Always C(ManagedCluster).
      type: str
    name:
      description: Name of the cluster.
      type: str
    namespace:
      description: Always empty, a ManagedCluster is cluster-scoped.
      type: str
    method:
      description: What was done, or in check mode would be done. V(create) in check mode is for a cluster whose agent has not asked yet.
      type: str
      sample: update
    changed:
      description: Whether RV(clusters[].method) is anything but V(none).
      type: bool
    accepted:
      description: Whether the hub accepts it.
      type: bool
    joined:
      description: Whether its agent has come back with its certificate.
      type: bool
    available:
      description: Whether it is available, with a fresh Lease.
      type: bool
    available_reason:
      description: Why it is not available; empty if it is.
      type: str
    approved:
      description: Names of the certificate requests that were approved.
      type: list
      elements: str
    refused:
      description: Certificate requests that claim to be from this cluster and were refused, each with C(name) and C(reason).
      type: list
      elements: dict
    seconds:
      description: Seconds until it was done; 0 if nothing was to be done.
      type: float
    failed:
      description: Whether this cluster failed.
      type: bool
    error:
      description: Why it failed.
      returned: on failure of this cluster
      type: str
    abandoned:
      description: Objects whose finalizers were removed by O(force).
      returned: if there are any
      type: list
      elements: str
failed_clusters:
  description: Names of the clusters that failed.
  returned: on failure
  type: list
  elements: str
diff:
  description: Both sides of every changed object.
  returned: in diff mode
  type: list
  elements: dict
"""

import time
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _managed_cluster
from ansible_collections.kubestellar.core.plugins.module_utils._module import Context, run

_MAPS: dict[str, Any] = {
    "labels": {"type": "dict"},
    "annotations": {"type": "dict"},
    "properties": {"type": "dict"},
}
SPEC: dict[str, Any] = {
    "names": {"type": "list", "elements": "str"},
    "clusters": {
        "type": "list",
        "elements": "dict",
        "options": {"name": {"type": "str", "required": True}, **_MAPS},
    },
    **_MAPS,
    "state": {"type": "str", "choices": ["accepted", "absent"], "default": "accepted"},
    "rejoin": {"type": "bool", "default": False},
    "force": {"type": "bool", "default": False},
    "force_conflicts": {"type": "bool", "default": False},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 300},
}


def work(context: Context) -> dict[str, Any]:
    """Accept or detach the clusters."""
    params = context.params
    wishes = _managed_cluster.wishes_of(params)
    cluster = str(params["its"] or params["its_context"] or "ITS")
    if params["state"] == "absent":
        members = _absent(context, [wish.name for wish in wishes])
    else:
        members = _accepted(context, wishes)
    now = time.time()
    result: dict[str, Any] = {
        "changed": any(member.method != "none" for member in members),
        "clusters": [member.result(now) for member in members],
    }
    if context.diff_mode:
        result["diff"] = [entry for member in members for entry in member.diffs]
    _managed_cluster.raise_failures(members, cluster, **result)
    return result


def _accepted(context: Context, wishes: list[_managed_cluster.Wish]) -> list[_managed_cluster.Member]:
    params = context.params
    unseen = _managed_cluster.unseen_properties(wishes)
    if unseen:
        context.warn(
            f"Templates cannot name these properties, which are no Go identifiers: {', '.join(unseen)}."
        )
    if context.planned:
        return _managed_cluster.forecast(wishes)
    if not wishes:
        return []
    members = _managed_cluster.Acceptance(
        context.its(),
        wishes,
        rejoin=params["rejoin"],
        force_conflicts=params["force_conflicts"],
        dry_run=context.check_mode,
        progress=context.progress,
    ).run(wait=params["wait"], timeout=params["wait_timeout"])
    for line in _managed_cluster.warnings(members):
        context.warn(line)
    return members


def _absent(context: Context, names: list[str]) -> list[_managed_cluster.Member]:
    if context.planned or not names:
        return [_managed_cluster.Member(_managed_cluster.Wish(name)) for name in names]
    return _managed_cluster.Removal(
        context.its(),
        names,
        force=context.params["force"],
        dry_run=context.check_mode,
        progress=context.progress,
    ).run(wait=context.params["wait"], timeout=context.params["wait_timeout"])


def main() -> None:
    """Entry point."""
    run(
        SPEC,
        work,
        spaces=("its",),
        mutually_exclusive=[("names", "clusters")],
        required_one_of=[("names", "clusters")],
    )


if __name__ == "__main__":
    main()
