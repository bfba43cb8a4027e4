# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the options that say what of a hub is asked for."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of QUESTION_SPEC in module_utils/status/read.py."""

    DOCUMENTATION = r"""
options:
  wdses:
    description:
      - Names of several WDSes that deliver through the same ITS, instead of O(wds).
    type: list
    elements: str
  policy:
    description:
      - Names of BindingPolicies to show. All if this and O(name) are left out.
    type: list
    elements: str
  name:
    description:
      - Name of a workload. Shows the policies that have the label C(kubestellar.core/workload) of this value, as the role
        P(kubestellar.core.workload#role) makes them, that select objects by this label, or that have this name. If there are none, a warning says so.
    type: str
notes:
  - With O(wds_kubeconfig), give O(wds) too if the context is not named like the WDS. ManifestWorks carry its name.
"""
