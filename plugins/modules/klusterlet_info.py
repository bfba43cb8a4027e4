#!/usr/bin/python
# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: klusterlet_info
version_added: "0.1.0"
short_description: See which clusters have joined a hub, from their side
description:
  - Reads the Klusterlets of many clusters and the Secrets of their agents, and says which need a credential to join with, and why.
  - Says for each cluster by which address its Pods reach the hub.
  - A cluster that is not the one that is meant is refused, as by M(kubestellar.core.klusterlet). The others are told in the result.
author:
  - kubestellar.core contributors (@kubestellar)
extends_documentation_fragment:
  - kubestellar.core._auth
  - kubestellar.core._auth.its
  - kubestellar.core._klusterlet
  - kubestellar.core._attributes
  - kubestellar.core._attributes.action_group
requirements:
  - cryptography
options:
  strict:
    description:
      - Whether the module fails if a cluster cannot be reached or is refused. Else that is told in the entry of the cluster.
    type: bool
    default: true
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
"""

EXAMPLES = r"""
- name: See which clusters have joined
  kubestellar.core.klusterlet_info:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    its: its1
    clusters:
      - name: lisbon
        kubeconfig: /etc/kubestellar/lisbon.kubeconfig
        context: lisbon
  register: known
"""

RETURN = r"""
clusters:
  description: One entry per cluster.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the cluster.
      type: str
    server:
      description: URL of its API server.
      type: str
    klusterlet:
      description: Name of its Klusterlet.
      type: str
    namespace:
      description: Namespace of its agents.
      type: str
    hub:
      description: URL by which its Pods reach the hub, empty if that is not known.
      type: str
    joined:
      description: Whether it has a certificate of a hub that has not expired.
      type: bool
    bootstrap_needed:
      description: Whether it needs a credential to join with.
      type: bool
    bootstrap_reason:
      description: Why.
      type: str
    failed:
      description: Whether something went wrong with it.
      type: bool
    conditions:
      description: What its operator says of it, each with C(type), C(status), C(reason) and C(message).
      type: list
      elements: dict
    error:
      description: Why it could not be looked at, or was refused.
      returned: then
      type: str
unjoined:
  description: The names of those that need a credential to join with.
  returned: always
  type: list
  elements: str
failed_clusters:
  description: The names of those that could not be looked at, or were refused.
  returned: always
  type: list
  elements: str
"""

import time
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._module import Context, run
from ansible_collections.kubestellar.core.plugins.module_utils.klusterlet import fleet, wishes
from ansible_collections.kubestellar.core.plugins.module_utils.klusterlet.connect import view_of

SPEC: dict[str, Any] = {**wishes.CLUSTERS_SPEC, "strict": {"type": "bool", "default": True}}


def work(context: Context) -> dict[str, Any]:
    """Look at the clusters."""
    wanted, place = wishes.wishes_of(context.params, check_mode=context.check_mode)
    now = time.time()
    view = view_of(context, place)
    members = fleet.look(wanted, view, context.params["parallel"])
    fleet.each(members, lambda member: fleet.judge(member, view, now), parallel=1)
    for member in members:
        for text in member.warnings:
            context.warn(text)
    result = {
        "changed": False,
        "clusters": [member.result(place, now) for member in members],
        "unjoined": [member.name for member in members if member.need and not member.error],
        "failed_clusters": [member.name for member in members if member.error],
    }
    if context.params["strict"]:
        fleet.raise_failures(members, "looked at", result)
    return result


def main() -> None:
    """Entry point."""
    run(SPEC, work, spaces=("its",))


if __name__ == "__main__":
    main()
