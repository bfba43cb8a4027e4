# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: wec_local_clusters
version_added: "0.1.0"
author:
  - kubestellar.core contributors (@kubestellar)
short_description: The clusters of kind or k3d of a batch of WECs
description:
  - Turns a batch of P(kubestellar.core.wec_batches#filter) into what M(kubestellar.core.local_cluster) is to make, from the variables of the WECs.
  - Clusters of k3d are put into the container network of a hub in containers, so that they reach it. Those of kind are all in one.
positional: _input, hostvars
options:
  _input:
    description: The batch.
    type: dict
    required: true
  hostvars:
    description: The variables of all hosts, that is C(hostvars).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show the clusters that would be made
  ansible.builtin.debug:
    msg: "{{ item | kubestellar.core.wec_local_clusters(hostvars) }}"
  loop: "{{ ansible_play_batch | kubestellar.core.wec_batches(hostvars, groups['kubestellar_hubs']) }}"
"""

RETURN = r"""
_value:
  description: >-
    One entry per cluster, with C(host), C(name), C(kubeconfig), C(nodes) and C(network), and what C(wec_cluster) says of C(image), C(program) and
    C(engine).
  type: list
  elements: dict
"""

import os
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.kubestellar.core.plugins.filter.hub_connection import home_of
from ansible_collections.kubestellar.core.plugins.module_utils.local import tools


def wec_local_clusters(batch: Mapping[str, Any], hostvars: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One entry per cluster of the batch."""
    found = []
    for cluster in batch["clusters"]:
        variables = hostvars[cluster["host"]]
        found.append(
            {
                "network": _network(batch, hostvars),
                **(variables.get("wec_cluster") or {}),
                "host": cluster["host"],
                "name": cluster["name"],
                "nodes": cluster["nodes"],
                "kubeconfig": tools.kubeconfig_path(home_of(variables), batch["provider"], cluster["name"]),
            }
        )
    return found


def _network(batch: Mapping[str, Any], hostvars: Mapping[str, Any]) -> str:
    """The container network of the hub, for clusters of k3d; empty if it is in none (k3d: pkg/types, `DefaultObjectNamePrefix`)."""
    hub = hostvars[batch["hub"]]
    tool = hub.get("hub_provider")
    if batch["provider"] != tools.K3D or tool not in tools.TOOLS:
        return ""
    if tool == tools.KIND:
        return os.environ.get("KIND_EXPERIMENTAL_DOCKER_NETWORK") or tools.KIND
    return f"{tools.K3D}-{hub.get('hub_name') or batch['hub']}"


class FilterModule:
    """Provides the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"wec_local_clusters": wec_local_clusters}
