# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: embedded_agents
version_added: "0.1.0"
author:
  - kubestellar.core contributors (@kubestellar)
short_description: Describe the agents of WECs for an embedded stack
description:
  - Writes the entries of C(processes) of M(kubestellar.core.embedded_process) for the OCM agent and the status agent of each WEC.
  - A Namespace that is delivered while an earlier one of its name is still being deleted goes with that one, and the OCM agent notices
    only when it next looks at what it has delivered. With up to 4 WECs, it does so every 5 seconds. The WECs share one machine, so
    the interval doubles when their number exceeds 4, 8, 16 and 32, up to 60 seconds. Agents are restarted then, and only then.
positional: _input, its, limits, bootstrap, wecs
options:
  _input:
    description: The WECs, each a mapping with C(name).
    type: list
    elements: dict
    required: true
  its:
    description: The ITS they register in.
    type: str
    required: true
  limits:
    description: The client rate limits, as from the filter C(kubestellar.core.hub_limits).
    type: dict
    required: true
  bootstrap:
    description: Folder with a file for each agent that has to join, named like its WEC, with the kubeconfig it joins with.
    type: path
    required: true
  wecs:
    description: Number of WECs on the machine.
    type: int
    required: true
"""

EXAMPLES = r"""
- name: Show the agents of one WEC
  ansible.builtin.debug:
    msg: "{{ [{'name': 'cluster1'}] | kubestellar.core.embedded_agents('its1', 1 | kubestellar.core.hub_limits, '/run/bootstrap', 1) }}"
"""

RETURN = r"""
_value:
  description: The entries, two for each WEC.
  type: list
  elements: dict
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

FEW = 4
SHORTEST = 5
LONGEST = 60


def status_sync_seconds(wecs: int) -> int:
    """How often an OCM agent looks at what it has delivered, where `wecs` clusters share a machine.

    Each look is a request for each object. The steps are coarse because each of them restarts all agents.
    """
    seconds, enough = SHORTEST, FEW
    while enough < wecs and seconds < LONGEST:
        seconds, enough = 2 * seconds, 2 * enough
    return min(seconds, LONGEST)


def embedded_agents(
    clusters: Sequence[Mapping[str, Any]], its: str, limits: Mapping[str, int], bootstrap: str, wecs: int
) -> list[dict[str, Any]]:
    """The OCM agent and the status agent of each WEC."""
    entries: list[dict[str, Any]] = []
    rate = {"qps": limits["agent_qps"], "burst": limits["agent_burst"]}
    interval = f"{status_sync_seconds(int(wecs))}s"
    for cluster in clusters:
        wec = {"its": its, "wec": cluster["name"]}
        entries.append(
            {
                "program": "ocm_agent",
                **wec,
                **rate,
                "status_sync_interval": interval,
                "bootstrap_file": f"{bootstrap}/{cluster['name']}",
            }
        )
        entries.append({"program": "status_agent", **wec})
    return entries


class FilterModule:
    """Provides the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"embedded_agents": embedded_agents}
