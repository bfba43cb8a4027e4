# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: wec_connections
version_added: "0.1.0"
author:
  - kubestellar.core contributors (@kubestellar)
short_description: The connections to the WECs of one hub
description:
  - Reads from the variables of the WECs how each of them is reached, for the option C(wecs) of M(kubestellar.core.support_bundle).
  - For the provider C(embedded) that is the kubeconfig of the stack of its hub; for C(kind) and C(k3d) the one that
    M(kubestellar.core.local_cluster) writes; for all others what C(wec_kubeconfig) and C(wec_context) say. A WEC without either has its
    name only.
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
- name: Show how the clusters are reached
  ansible.builtin.debug:
    msg: >-
      {{ groups['kubestellar_wecs'] | kubestellar.core.wec_connections(hostvars, groups['kubestellar_hubs'], 'hub') }}
"""

RETURN = r"""
_value:
  description: One entry per WEC of the hub, with C(name), and C(kubeconfig) and C(context) as far as they are known.
  type: list
  elements: dict
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.kubestellar.core.plugins.filter.hub_connection import home_of, hub_connection
from ansible_collections.kubestellar.core.plugins.filter.wec_batches import wec_batches
from ansible_collections.kubestellar.core.plugins.module_utils.local import tools


def wec_connections(
    hosts: Sequence[str], hostvars: Mapping[str, Any], hubs: Sequence[str], hub: str
) -> list[dict[str, str]]:
    """The WECs of a hub, each with its connection.

    :raises AnsibleFilterError: it is not clear where a WEC belongs, see `wec_batches`.
    """
    return [
        {"name": cluster["name"], **connection(hostvars, hub, batch["provider"], cluster)}
        for batch in wec_batches(hosts, hostvars, hubs)
        if batch["hub"] == hub
        for cluster in batch["clusters"]
    ]


def connection(
    hostvars: Mapping[str, Any], hub: str, provider: str, cluster: Mapping[str, Any]
) -> dict[str, str]:
    """`kubeconfig` and `context` of a WEC, as far as they are known.

    :param cluster: as `wec_batches` gives it.
    """
    if provider == "embedded":
        return {"kubeconfig": hub_connection(hostvars[hub])["kubeconfig"], "context": cluster["name"]}
    variables = hostvars[cluster["host"]]
    if provider in tools.TOOLS:
        return {
            "kubeconfig": tools.kubeconfig_path(home_of(variables), provider, cluster["name"]),
            "context": tools.context_of(provider, cluster["name"]),
        }
    given = {option: variables.get(f"wec_{option}") for option in ("kubeconfig", "context")}
    return {option: value for option, value in given.items() if value}


class FilterModule:
    """Provides the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"wec_connections": wec_connections}
