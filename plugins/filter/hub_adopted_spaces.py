# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: hub_adopted_spaces
version_added: "0.1.0"
author:
  - kubestellar.core contributors (@kubestellar)
short_description: The spaces of a hub that are adopted clusters
description:
  - Picks the spaces of type C(external) out of those of a hub by the core chart, each as an entry of O(kubestellar.core.control_plane#module:spaces).
  - The chart cannot make a WDS of this type. Its entry has the hooks of the chart, so that M(kubestellar.core.control_plane) can make it.
  - The chart makes an ITS of this type, but not the Secret that it needs for it. Its entry has what this Secret is made from.
positional: _input, wdses
options:
  _input:
    description: The ITSes, as in C(hub_itses).
    type: list
    elements: dict
    required: true
  wdses:
    description: The WDSes, as in C(hub_wdses).
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Show the adopted spaces
  ansible.builtin.debug:
    msg: >-
      {{ [{'name': 'its1'}] | kubestellar.core.hub_adopted_spaces([{'name': 'wds2', 'type': 'external', 'kubeconfig': 'wds2.kubeconfig'}]) }}
"""

RETURN = r"""
_value:
  description: A mapping with the lists C(itses) and C(wdses).
  type: dict
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput
from ansible_collections.kubestellar.core.plugins.module_utils.hub import values


def hub_adopted_spaces(
    itses: Sequence[Mapping[str, Any]], wdses: Sequence[Mapping[str, Any]]
) -> dict[str, list[dict[str, Any]]]:
    """See the documentation. :raises AnsibleFilterError: with the sentence of the `InvalidInput`."""
    try:
        return values.adopted(itses, wdses)
    except InvalidInput as error:
        raise AnsibleFilterError(f"{error.message} {error.hint}".strip()) from error


class FilterModule:
    """Provides the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"hub_adopted_spaces": hub_adopted_spaces}
