#!/usr/bin/python
# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: managed_cluster_info
version_added: "0.1.0"
short_description: Read the workload clusters of an ITS
description:
  - Reads the workload execution clusters (WECs) that are registered in an ITS, with their state, labels, annotations and properties.
  - The number of requests does not depend on the number of clusters.
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
      - Names of the clusters to read. All if it is left out. A name that is not registered is not in the result.
    type: list
    elements: str
  label_selectors:
    description:
      - Only clusters that match all of these selectors, each in the form of C(kubectl get -l).
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
"""

EXAMPLES = r"""
- name: Read the clusters at the edge
  kubestellar.core.managed_cluster_info:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    its: its1
    label_selectors:
      - location-group=edge
  register: edge
"""

RETURN = r"""
managed_clusters:
  description: The clusters, by name. Empty in check mode while the ITS does not exist.
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
      description: Whether its agent has come back with its certificate.
      type: bool
    available:
      description: Whether it is available, with a fresh Lease.
      type: bool
    available_reason:
      description: Why it is not available; empty if it is.
      type: str
    labels:
      description: Labels of the ManagedCluster.
      type: dict
    annotations:
      description: Annotations of the ManagedCluster.
      type: dict
    properties:
      description: Values for template expansion.
      type: dict
    claims:
      description: Cluster claims that the agent reports.
      type: dict
    version:
      description: Kubernetes version that the agent reports.
      type: str
    conditions:
      description: Its conditions, each with C(type), C(status), C(reason) and C(message).
      type: list
      elements: dict
    taints:
      description: Its taints, for OCM placements. KubeStellar does not look at them.
      type: list
      elements: dict
    lease_age:
      description: Seconds since the agent renewed its Lease, null if it never has.
      type: float
    requests:
      description: Pending certificate requests in its name, each with C(name), C(decision) (V(approve) or V(refuse)) and C(reason).
      type: list
      elements: dict
    created:
      description: Time at which it was registered.
      type: str
    deleting:
      description: Whether it is being deleted.
      type: bool
"""

import time
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._module import Context, run
from ansible_collections.kubestellar.core.plugins.module_utils.wecs import registered

SPEC: dict[str, Any] = {
    "names": {"type": "list", "elements": "str"},
    "label_selectors": {"type": "list", "elements": "str", "default": []},
}


def work(context: Context) -> dict[str, Any]:
    """Read the clusters."""
    params = context.params
    if context.planned:
        return {"changed": False, "managed_clusters": []}
    state = registered.read_state(context.its(), label_selector=",".join(params["label_selectors"]))
    now = time.time()
    return {
        "changed": False,
        "managed_clusters": [
            registered.describe(state, name, now)
            for name in sorted(state.managed)
            if params["names"] is None or name in params["names"]
        ],
    }


def main() -> None:
    """Entry point."""
    run(SPEC, work, spaces=("its",))


if __name__ == "__main__":
    main()
