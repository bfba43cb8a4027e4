# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: embedded_controllers
version_added: "0.1.0"
author:
  - kubestellar.core contributors (@kubestellar)
short_description: Describe the controllers of spaces for an embedded stack
description:
  - Writes the entries of C(processes) of M(kubestellar.core.embedded_process) for the controllers of each space, which are the
    OCM hub of an ITS, or KubeStellar's two controllers of a WDS.
positional: _input, role, hub, its, limits
options:
  _input:
    description: The spaces, each a mapping with C(name), and for a WDS C(its) and C(api_groups) if they are set.
    type: list
    elements: dict
    required: true
  role:
    description: What the spaces are.
    type: str
    choices: [its, wds]
    required: true
  hub:
    description: Name of the hosting cluster.
    type: str
    required: true
  its:
    description: The ITS of a WDS that names none.
    type: str
    required: true
  limits:
    description: The client rate limits, as from the filter C(kubestellar.core.hub_limits).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show the controllers of one WDS
  ansible.builtin.debug:
    msg: "{{ [{'name': 'wds1'}] | kubestellar.core.embedded_controllers('wds', 'hub', 'its1', 2 | kubestellar.core.hub_limits) }}"
"""

RETURN = r"""
_value:
  description: The entries, one for each ITS or two for each WDS.
  type: list
  elements: dict
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any


def embedded_controllers(
    spaces: Sequence[Mapping[str, Any]], role: str, hub: str, its: str, limits: Mapping[str, int]
) -> list[dict[str, Any]]:
    """The OCM hub of each ITS, or the controller-manager and the transport controller of each WDS."""
    if role == "its":
        return [{"program": "ocm_hub", "its": space["name"]} for space in spaces]
    entries: list[dict[str, Any]] = []
    for wds in spaces:
        common = {
            "hub": hub,
            "its": wds.get("its") or its,
            "wds": wds["name"],
            "qps": limits["controller_qps"],
            "burst": limits["controller_burst"],
        }
        groups = {"api_groups": wds["api_groups"]} if wds.get("api_groups") else {}
        entries.append({"program": "controller_manager", **common, **groups})
        entries.append({"program": "transport_controller", **common})
    return entries


class FilterModule:
    """Provides the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"embedded_controllers": embedded_controllers}
