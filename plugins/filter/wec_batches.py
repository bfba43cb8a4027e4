# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: wec_batches
version_added: "0.1.0"
author:
  - kubestellar.core contributors (@kubestellar)
short_description: Group WECs by the ITS they register in
description:
  - Turns the hosts of a play into one batch per hub and ITS, so that a role works on all WECs of a batch in one task.
  - Reads the role variables of C(wec) that the inventory sets on each host.
positional: _input, hostvars, hubs
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
"""

EXAMPLES = r"""
- name: Show what would be joined where
  ansible.builtin.debug:
    msg: "{{ ansible_play_batch | kubestellar.core.wec_batches(hostvars, groups['kubestellar_hubs']) }}"
"""

RETURN = r"""
_value:
  description:
    - One entry per hub, ITS, provider, state and C(wec_force), with the keys C(hub), C(its), C(provider), C(state), C(force),
      C(last_copies), C(wait_timeout), C(klusterlet) and C(clusters).
    - C(last_copies) is V(refuse) if one of the clusters says so, else empty; C(wait_timeout) is the longest that one asks for, or 0.
    - C(klusterlet) has what the variables C(wec_klusterlet_*) say, without that prefix. Clusters that differ in these are in entries of their own.
  type: list
  elements: dict
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.module_utils.parsing.convert_bool import boolean

DEFAULT_ITS = "its1"
STATES = ("present", "drained", "absent")
_DESCRIBED = ("labels", "annotations", "properties")

_KLUSTERLET = "wec_klusterlet_"
_WITHOUT_KLUSTERLET = ("embedded", "registered")
_OF_ONE_CLUSTER = ("cluster_annotations", "external_server_urls")
_BESIDE = ("join_ttl", "change_hub")


def wec_batches(
    hosts: Sequence[str], hostvars: Mapping[str, Any], hubs: Sequence[str]
) -> list[dict[str, Any]]:
    """One batch per (hub, ITS, provider, state, force, settings) of the hosts, each with its clusters in the order of the inventory.

    A task for a whole batch is run for its first host, so that what other hosts say for themselves has to be in the batch.

    A cluster is `{host, name, nodes, managed_cluster}`; the last is its entry for the module `managed_cluster`. What that
    lacks is left as it is.

    :raises AnsibleFilterError: a host names no hub and there is not exactly one, or names one that does not exist; or
        its state is none.
    """
    batches: dict[tuple[str, str, str, str, bool, str], dict[str, Any]] = {}
    for host in hosts:
        variables = hostvars[host]
        hub = _hub(host, variables, hubs)
        its = variables.get("wec_its") or _only_its(host, hub, hostvars)
        provider = variables.get("wec_provider") or "embedded"
        state = variables.get("wec_state") or "present"
        if state not in STATES:
            raise AnsibleFilterError(f"{host}: wec_state is {state}. Set it to one of: {', '.join(STATES)}.")
        name = variables.get("wec_name") or host
        described = {key: variables.get(f"wec_{key}") or {} for key in _DESCRIBED}
        if "kubestellar_uid" in variables:
            # The inventory plugin tells what the hub has: nothing of it is to go only because no other source says it too.
            described = {key: value for key, value in described.items() if f"wec_{key}" in variables}
        mine = _klusterlet(variables) if provider not in _WITHOUT_KLUSTERLET else {}
        force = boolean(variables.get("wec_force") or False, strict=False)
        batch = batches.setdefault(
            (hub, its, provider, state, force, json.dumps(mine, sort_keys=True, default=str)),
            {
                "hub": hub,
                "its": its,
                "provider": provider,
                "state": state,
                "force": force,
                "last_copies": "",
                "wait_timeout": 0,
                "klusterlet": mine,
                "clusters": [],
            },
        )
        if variables.get("wec_last_copies") == "refuse":
            batch["last_copies"] = "refuse"
        batch["wait_timeout"] = max(batch["wait_timeout"], int(variables.get("wec_wait_timeout") or 0))
        batch["clusters"].append(
            {
                "host": host,
                "name": name,
                "nodes": int(variables.get("wec_nodes") or 1),
                "managed_cluster": {"name": name, **described},
            }
        )
    return list(batches.values())


def _klusterlet(variables: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of the Klusterlets of all clusters that say the same; what is empty counts as not said."""
    given = {
        name.removeprefix(_KLUSTERLET): variables[name] for name in variables if name.startswith(_KLUSTERLET)
    }
    given |= {name: variables.get(f"wec_{name}") for name in _BESIDE}
    return {
        name: value
        for name, value in given.items()
        if name not in _OF_ONE_CLUSTER and value not in (None, "", {}, [])
    }


def _hub(host: str, variables: Mapping[str, Any], hubs: Sequence[str]) -> str:
    """The hub a WEC registers with: `wec_hub`, or the only one."""
    hub = variables.get("wec_hub")
    if hub and hub not in hubs:
        raise AnsibleFilterError(
            f"{host}: wec_hub is {hub}, which is not a host of the group kubestellar_hubs. Name one of: {', '.join(hubs)}."
        )
    if hub:
        return str(hub)
    if len(hubs) != 1:
        raise AnsibleFilterError(
            f"{host}: wec_hub is not set and the group kubestellar_hubs has {len(hubs)} hosts. Set wec_hub to one hub."
        )
    return hubs[0]


def _only_its(host: str, hub: str, hostvars: Mapping[str, Any]) -> str:
    """The name of the hub's only ITS."""
    variables = hostvars.get(hub, {})
    names = [its["name"] for its in variables.get("hub_itses") or [{"name": DEFAULT_ITS}]]
    if len(names) != 1:
        raise AnsibleFilterError(
            f"{host}: wec_its is not set and the hub {hub} has {len(names)} ITSes. Set wec_its to one of: {', '.join(names)}."
        )
    return str(names[0])


class FilterModule:
    """Provides the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"wec_batches": wec_batches}
