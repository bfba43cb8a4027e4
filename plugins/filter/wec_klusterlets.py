# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: wec_klusterlets
version_added: "0.1.0"
author:
  - kubestellar.core contributors (@kubestellar)
short_description: The entries of a batch of WECs for the module klusterlet
description:
  - Turns a batch of P(kubestellar.core.wec_batches#filter) into the option C(clusters) of M(kubestellar.core.klusterlet), from the variables
    of the WECs and of their hub.
  - A WEC that is the same host as the hub is reached as the hub is, if it has no connection of its own.
positional: _input, hostvars, planned
options:
  _input:
    description: The batch.
    type: dict
    required: true
  hostvars:
    description: The variables of all hosts, that is C(hostvars).
    type: dict
    required: true
  planned:
    description: Names of clusters that a check run would make.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Show how the clusters of each batch are reached
  ansible.builtin.debug:
    msg: "{{ item | kubestellar.core.wec_klusterlets(hostvars) | map(attribute='name') }}"
  loop: "{{ ansible_play_batch | kubestellar.core.wec_batches(hostvars, groups['kubestellar_hubs']) }}"
"""

RETURN = r"""
_value:
  description: One entry per cluster.
  type: list
  elements: dict
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.kubestellar.core.plugins.filter.hub_connection import hub_connection
from ansible_collections.kubestellar.core.plugins.filter.wec_connections import connection
from ansible_collections.kubestellar.core.plugins.module_utils.local import tools

_BY_HOST = ("host", "api_key", "ca_cert")


def wec_klusterlets(
    batch: Mapping[str, Any], hostvars: Mapping[str, Any], planned: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """One entry per cluster of the batch, with what is known of it."""
    return [_entry(batch, cluster, hostvars, planned) for cluster in batch["clusters"]]


def _entry(
    batch: Mapping[str, Any], cluster: Mapping[str, Any], hostvars: Mapping[str, Any], planned: Sequence[str]
) -> dict[str, Any]:
    variables, hub, name = hostvars[cluster["host"]], hostvars[batch["hub"]], cluster["name"]
    reached = _reached(batch, cluster, hostvars)
    of_hub = _by_host(hub, "hub_") or hub_connection(hub)
    is_hub = cluster["host"] == batch["hub"]
    entry = {
        "name": name,
        **(of_hub if is_hub and not reached else reached),
        "is_hub": is_hub,
        "planned": name in planned,
        "endpoint": variables.get("wec_hub_endpoint"),
        "host_container": _container(batch["provider"], hub, batch["hub"]),
        "cluster_annotations": variables.get("wec_klusterlet_cluster_annotations"),
        "external_server_urls": variables.get("wec_klusterlet_external_server_urls"),
    }
    return {key: value for key, value in entry.items() if value not in (None, "", [], {}, False)}


def _reached(
    batch: Mapping[str, Any], cluster: Mapping[str, Any], hostvars: Mapping[str, Any]
) -> dict[str, Any]:
    return _by_host(hostvars[cluster["host"]], "wec_") or connection(
        hostvars, batch["hub"], batch["provider"], cluster
    )


def _by_host(variables: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """URL, token and authority; empty where a kubeconfig counts."""
    if not variables.get(f"{prefix}host"):
        return {}
    return {key: variables[f"{prefix}{key}"] for key in _BY_HOST if variables.get(f"{prefix}{key}")}


def _container(provider: str, hub: Mapping[str, Any], host: str) -> str:
    """The container of the hub's API server, for a WEC in containers of the same machine."""
    if provider not in tools.TOOLS:
        return ""
    tool = hub.get("hub_provider")
    if tool in tools.TOOLS:
        return tools.host_container(tool, str(hub.get("hub_name") or host))
    return str((hub.get("hub_kubeflex") or {}).get("host_container") or "")


class FilterModule:
    """Provides the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"wec_klusterlets": wec_klusterlets}
