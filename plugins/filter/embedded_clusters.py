# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: embedded_clusters
version_added: "0.1.0"
author:
  - kubestellar.core contributors (@kubestellar)
short_description: Describe clusters of one role for an embedded stack
description:
  - Writes the entries of C(clusters) of M(kubestellar.core.embedded_cluster) for clusters of one role.
positional: _input, role, manifests
options:
  _input:
    description: The clusters, each a mapping with C(name), and C(nodes) if it has any.
    type: list
    elements: dict
    required: true
  role:
    description: What they are for.
    type: str
    choices: [hosting, its, wds, wec]
    required: true
  manifests:
    description: Files and folders with objects that each of them must hold.
    type: list
    elements: path
    default: []
"""

EXAMPLES = r"""
- name: Show what two spaces would be
  ansible.builtin.debug:
    msg: "{{ [{'name': 'wds1'}, {'name': 'wds2'}] | kubestellar.core.embedded_clusters('wds') }}"
"""

RETURN = r"""
_value:
  description: The entries.
  type: list
  elements: dict
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any


def embedded_clusters(
    clusters: Sequence[Mapping[str, Any]], role: str, manifests: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """One entry per cluster: `{name, role, nodes, manifests}`."""
    return [
        {
            "name": cluster["name"],
            "role": role,
            "nodes": cluster.get("nodes", 0),
            "manifests": list(manifests),
        }
        for cluster in clusters
    ]


class FilterModule:
    """Provides the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"embedded_clusters": embedded_clusters}
