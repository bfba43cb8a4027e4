# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: hub_clusters
version_added: "0.1.0"
author:
  - kubestellar.core contributors (@kubestellar)
short_description: The clusters that the inventory registers with one hub
description:
  - Reads from the variables of the WECs what their ManagedClusters will be, without asking any cluster. Hosts of the inventory plugin
    P(kubestellar.core.wecs#inventory) are taken as the hub has them.
  - It is for the preview of placements, by the option C(offline) of M(kubestellar.core.binding_policy_info).
positional: _input, hostvars, hubs, hub
options:
  _input:
    description: Inventory names of the WECs.
    type: list
    elements: str
    required: true
  hostvars:
    description: The variables of all hosts, that is C(hostvars).
    type: dict
    required: true
  hubs:
    description: Inventory names of the hubs, that is C(groups['kubestellar_hubs']).
    type: list
    elements: str
    required: true
  hub:
    description: Inventory name of the hub.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show what the hub will know of its clusters
  ansible.builtin.debug:
    msg: >-
      {{ groups['kubestellar_wecs'] | kubestellar.core.hub_clusters(hostvars, groups['kubestellar_hubs'], 'hub') }}
"""

RETURN = r"""
_value:
  description: >-
    One entry per WEC of the hub, with the keys C(name), C(its), C(labels), C(annotations) and C(properties). One that is to be drained or absent has
    no C(labels).
  type: list
  elements: dict
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.kubestellar.core.plugins.filter.wec_batches import wec_batches


def hub_clusters(
    hosts: Sequence[str], hostvars: Mapping[str, Any], hubs: Sequence[str], hub: str
) -> list[dict[str, Any]]:
    """The WECs of a hub as ManagedClusters, each with its ITS. One that is to be drained or absent has no label that would select it.

    :raises AnsibleFilterError: it is not clear where a WEC belongs, see `wec_batches`.
    """
    return [
        {
            "its": batch["its"],
            **_described(hostvars[cluster["host"]], cluster["managed_cluster"]),
            **({} if batch["state"] == "present" else {"labels": {}}),
        }
        for batch in wec_batches(hosts, hostvars, hubs)
        if batch["hub"] == hub
        for cluster in batch["clusters"]
    ]


def _described(variables: Mapping[str, Any], managed_cluster: Mapping[str, Any]) -> dict[str, Any]:
    """A cluster as the hub has it, if the inventory plugin tells, with what the inventory says over that."""
    live = {key: variables.get(f"kubestellar_{key}") or {} for key in ("labels", "annotations", "properties")}
    return {
        "name": managed_cluster["name"],
        **{key: {**known, **managed_cluster.get(key, {})} for key, known in live.items()},
    }


class FilterModule:
    """Provides the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"hub_clusters": hub_clusters}
