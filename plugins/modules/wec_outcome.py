#!/usr/bin/python
# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: wec_outcome
version_added: "0.1.0"
short_description: Say of each workload cluster what a task for many has done to it
description:
  - A task for all clusters of a batch runs for its first host. This module takes its result apart, and lets the task of each host be changed,
    show a difference, and fail by what was done to its own cluster.
  - The role P(kubestellar.core.wec#role) uses it. It reads and changes nothing anywhere.
author:
  - kubestellar.core contributors (@kubestellar)
extends_documentation_fragment:
  - kubestellar.core._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  known:
    description: The result of this module for earlier tasks.
    type: dict
    default: {}
  clusters:
    description: The clusters of the task, each with C(host) and C(name).
    type: list
    elements: dict
    default: []
  outcome:
    description: The result of the task, such as that of M(kubestellar.core.managed_cluster) with O(kubestellar.core.managed_cluster#module:strict=false).
    type: dict
    default: {}
  host:
    description: Says what was done to the cluster of this host, instead of noting an O(outcome).
    type: str
"""

EXAMPLES = r"""
- name: Accept all clusters at once
  kubestellar.core.managed_cluster:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    its: its1
    names: [cluster1, cluster2]
    strict: false
  register: accepted
  changed_when: false
  run_once: true

- name: Take the result apart
  kubestellar.core.wec_outcome:
    clusters:
      - host: lisbon
        name: cluster1
      - host: turin
        name: cluster2
    outcome: "{{ accepted }}"
  register: outcomes
  run_once: true

- name: Say it of each
  kubestellar.core.wec_outcome:
    known: "{{ outcomes }}"
    host: "{{ inventory_hostname }}"
"""

RETURN = r"""
hosts:
  description: Host to C(changed), C(error) and C(diff), of those to which something was done.
  returned: without O(host)
  type: dict
failed_hosts:
  description: The hosts whose clusters have failed.
  returned: without O(host)
  type: list
  elements: str
diff:
  description: The differences that concern the cluster of the host.
  returned: with O(host), if there are any
  type: list
  elements: dict
"""

from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._module import Context, run
from ansible_collections.kubestellar.core.plugins.module_utils.wecs import outcomes

SPEC: dict[str, Any] = outcomes.SPEC


def work(context: Context) -> dict[str, Any]:
    """See `outcomes.work`."""
    return outcomes.work(context.params)


def main() -> None:
    """Entry point. The action plugin of the same name does the same without a process of its own."""
    run(SPEC, work, connection=False)


if __name__ == "__main__":
    main()
