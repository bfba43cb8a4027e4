# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: playbook_hosts
version_added: "0.1.0"
author:
  - kubestellar.core contributors (@kubestellar)
short_description: The hosts of a play, which must be some
description:
  - For the keyword C(hosts) of a play. Ansible skips a play without hosts and reports success; this filter fails instead, and says which
    group or name is not there. It holds with C(--limit) too, since it looks at the whole inventory.
  - With C(--syntax-check) and where tasks or tags are only listed, no inventory is needed.
positional: _input, group, pattern
options:
  _input:
    description: The hosts of all groups, that is C(groups).
    type: dict
    required: true
  group:
    description: The group that the play works on.
    type: str
    required: true
  pattern:
    description: Which hosts of the group, as a name, a group or a pattern. Each part of it must match something. All of the group if it is left out.
    type: str
  limit:
    description: What C(--limit) is, that is C(ansible_limit). It must leave some of the hosts that O(pattern) names.
    type: str
    default: ""
  also:
    description: Further groups that must exist, though perhaps without hosts.
    type: list
    elements: str
    default: []
  empty:
    description: Whether the group may have no hosts.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Do something with each hub
  hosts: "{{ groups | kubestellar.core.playbook_hosts('kubestellar_hubs') }}"
  gather_facts: false
  tasks:
    - name: Say its name
      ansible.builtin.debug:
        var: inventory_hostname
"""

RETURN = r"""
_value:
  description: The name of the group; the hosts that match if there is a pattern.
  type: raw
"""

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible import context
from ansible.errors import AnsibleFilterError
from ansible.inventory.manager import InventoryManager, split_host_pattern
from ansible.parsing.dataloader import DataLoader
from ansible_collections.kubestellar.core.plugins.module_utils._errors import plain
from ansible_collections.kubestellar.core.plugins.module_utils.placement.catalogue import names
from ansible_collections.kubestellar.core.plugins.plugin_utils._wecs import STRANGERS

_WITHOUT_INVENTORY = ("syntax", "listtasks", "listtags")


def playbook_hosts(
    groups: Mapping[str, Sequence[str]],
    group: str,
    pattern: str | None = None,
    *,
    limit: str = "",
    also: Iterable[str] = (),
    empty: bool = False,
) -> str | list[str]:
    """The hosts of a play.

    :raises AnsibleFilterError: there are none.
    """
    if any(context.CLIARGS.get(option) for option in _WITHOUT_INVENTORY):
        return pattern or group
    for name in (group, *also):
        if name not in groups:
            near = difflib.get_close_matches(name, groups, n=1)
            remedy = (
                f"Did you mean {name} by {near[0]}?"
                if near
                else "Is it the right inventory (-i)? Add the group."
            )
            raise AnsibleFilterError(f"The inventory has no group {name}, so nothing was done. {remedy}")
    if not groups[group] and not empty:
        raise AnsibleFilterError(
            f"The group {group} of the inventory has no hosts, so nothing was done. Is it the right inventory (-i)? Add the hosts."
        )
    return group if pattern is None else _matching(groups, group, str(pattern), str(limit))


def _matching(groups: Mapping[str, Sequence[str]], group: str, pattern: str, limit: str) -> list[str]:
    """The hosts of a group that a pattern matches."""
    if not pattern.strip():
        raise AnsibleFilterError(
            f"No host of {group} is named. Name the clusters: a host, a group or a pattern. There is no default."
        )
    inventory = InventoryManager(DataLoader(), sources=None, parse=False)
    for name, hosts in groups.items():
        inventory.add_group(name)
        for host in hosts:
            inventory.add_host(host, group=name)
    for part in split_host_pattern(pattern):
        if not inventory.get_hosts(part.lstrip("!&")):
            near = difflib.get_close_matches(part.lstrip("!&"), [*groups, *groups.get("all", ())], n=1)
            raise AnsibleFilterError(
                f"{plain(part, 80)} is no host, group or pattern that matches any host of the inventory, so nothing was done. "
                f"{f'Did you mean {near[0]}?' if near else 'Correct it.'}"
            )
    found = [host.name for host in inventory.get_hosts(pattern)]
    foreign = [host for host in found if host not in groups[group]]
    if foreign or not found:
        text = f"{names(foreign)}, not in {group}" if foreign else "no host"
        raise AnsibleFilterError(
            f"{plain(pattern, 80)} matches {text}, so nothing was done. Name hosts of the group {group}."
        )
    inventory.subset(limit or None)
    if not inventory.get_hosts(pattern):
        raise AnsibleFilterError(
            f"--limit {plain(limit, 80)} leaves none of {plain(pattern, 80)}, so nothing was done. Leave it out, or name other hosts."
        )
    if set(found) <= set(groups.get(STRANGERS, ())):
        raise AnsibleFilterError(
            f"{plain(pattern, 80)} matches only clusters that the hub has not accepted, so nothing was done. List them in {group} first."
        )
    return found


class FilterModule:
    """Provides the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"playbook_hosts": playbook_hosts}
