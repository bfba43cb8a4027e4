# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: hub_limits
version_added: "0.1.0"
author:
  - kubestellar.core contributors (@kubestellar)
short_description: Client rate limits for a fleet
description:
  - Computes how many requests a second KubeStellar's controllers and OCM's agents may send, from the number of WECs.
  - The defaults of these programs (5 requests a second) make KubeStellar some twenty times slower than it can be.
  - Controllers get 50 requests a second for each WEC, at least 500 and at most 2000; agents, each of which serves one WEC,
    always get 500. The burst is twice the rate.
positional: _input
options:
  _input:
    description: Number of WECs of the hub.
    type: int
    required: true
"""

EXAMPLES = r"""
- name: Show the limits for thirty clusters
  ansible.builtin.debug:
    msg: "{{ 30 | kubestellar.core.hub_limits }}"
"""

RETURN = r"""
_value:
  description: A mapping with C(controller_qps), C(controller_burst), C(agent_qps) and C(agent_burst).
  type: dict
"""

from collections.abc import Callable
from typing import Any

PER_WEC = 50
LOWEST = 500
HIGHEST = 2000


def hub_limits(wecs: int) -> dict[str, int]:
    """Requests a second and bursts for a fleet of `wecs` clusters."""
    controllers = min(max(LOWEST, PER_WEC * int(wecs)), HIGHEST)
    return {
        "controller_qps": controllers,
        "controller_burst": 2 * controllers,
        "agent_qps": LOWEST,
        "agent_burst": 2 * LOWEST,
    }


class FilterModule:
    """Provides the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"hub_limits": hub_limits}
