# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: wec_keep_available
version_added: "0.1.0"
author:
  - kubestellar.core contributors (@kubestellar)
short_description: How many clusters of inventory groups must stay available
description:
  - Turns the variable C(wec_keep_available) into the option C(keep_available) of M(kubestellar.core.managed_cluster).
positional: _input, groups, hostvars
options:
  _input:
    description: Inventory group to number of clusters.
    type: dict
    required: true
  groups:
    description: The hosts of all groups, that is C(groups).
    type: dict
    required: true
  hostvars:
    description: The variables of all hosts, that is C(hostvars).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show which clusters count
  ansible.builtin.debug:
    msg: "{{ {'edge': 2} | kubestellar.core.wec_keep_available(groups, hostvars) }}"
"""

RETURN = r"""
_value:
  description: One entry per group, with the keys C(name), C(count) and C(clusters).
  type: list
  elements: dict
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.kubestellar.core.plugins.module_utils import _bounds


def wec_keep_available(
    wanted: Mapping[str, Any], groups: Mapping[str, Sequence[str]], hostvars: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """One entry per group.

    :raises AnsibleFilterError: a group does not exist, or has fewer clusters than must stay available.
    """
    entries = []
    for group, number in wanted.items():
        if group not in groups:
            raise AnsibleFilterError(
                f"wec_keep_available names {group}, which is no group of the inventory. Correct the name."
            )
        clusters = [str(hostvars[host].get("wec_name") or host) for host in groups[group]]
        if not 0 <= _bounds.whole(number, -1) <= len(clusters):
            raise AnsibleFilterError(
                f"wec_keep_available: {number} of {group} cannot stay available, it has {len(clusters)} clusters. "
                "Give a number up to that."
            )
        entries.append({"name": group, "count": int(number), "clusters": clusters})
    return entries


class FilterModule:
    """Provides the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"wec_keep_available": wec_keep_available}
