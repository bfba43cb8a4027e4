# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: workload_downsync
version_added: "0.1.0"
author:
  - kubestellar.core contributors (@kubestellar)
short_description: Write the downsync clauses that select one workload
description:
  - Writes the C(downsync) of a BindingPolicy that selects every object of one workload, by the label that
    M(kubestellar.core.workload) puts on them, with further clauses for the modulations of some of them.
  - KubeStellar joins the modulations of all clauses that match an object, so each modulation needs its own clause only.
positional: _input, modulations
options:
  _input:
    description: Name of the workload.
    type: str
    required: true
  modulations:
    description:
      - "Clauses as in M(kubestellar.core.binding_policy), such as C({resources: [jobs], create_only: true})."
      - Each is limited to the objects of the workload.
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: Place the shop, and create its Jobs only once
  kubestellar.core.binding_policy:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    wds: wds1
    name: shop
    cluster_selectors:
      - match_labels:
          location-group: edge
    downsync: "{{ 'shop' | kubestellar.core.workload_downsync([{'resources': ['jobs'], 'create_only': true}]) }}"
"""

RETURN = r"""
_value:
  description: The clauses.
  type: list
  elements: dict
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils.workload.names import WORKLOAD_LABEL


def workload_downsync(name: str, modulations: Sequence[Mapping[str, Any]] = ()) -> list[dict[str, Any]]:
    """The clause for the whole workload, then one per modulation, each limited to its objects."""
    mine = [{"match_labels": {WORKLOAD_LABEL: name}}]
    return [{"object_selectors": mine}] + [{**clause, "object_selectors": mine} for clause in modulations]


class FilterModule:
    """Provides the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"workload_downsync": workload_downsync}
