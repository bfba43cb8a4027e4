# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the options that say of clusters what a hub does not know."""

from __future__ import annotations


class ModuleDocFragment:
    """How clusters are reached (WECS_SPEC in module_utils/placement/inside.py), and how they would be described."""

    DOCUMENTATION = r"""
options:
  wecs:
    description:
      - How clusters are reached, by their names. Where something is to arrive there or to leave, it is looked at whether that would overwrite
        or delete what others have there, which the hub does not know. Nothing is written there.
      - A cluster that does not answer, or is not listed, is not looked at. What other policies deliver is known in any case.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the ManagedCluster.
        type: str
        required: true
      kubeconfig:
        description: Path of a kubeconfig. Without it, the cluster is not looked at.
        type: path
      context:
        description: Context in it. Its current context if it is left out.
        type: str
"""

    PLANNED = r"""
options:
  planned_clusters:
    description:
      - Clusters as an earlier task of the same check mode run would describe them, each with C(name), C(labels), C(annotations) and
        C(properties), as RV(kubestellar.core.managed_cluster#module:planned). It has no effect outside check mode.
    type: list
    elements: dict
"""
