# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: hub_chart_values
version_added: "0.1.0"
author:
  - kubestellar.core contributors (@kubestellar)
short_description: The values of KubeStellar's core chart
description:
  - Makes the values for the core chart from the variables of the role C(hub). What is not set is left to the chart.
  - The ITS of a WDS is never among them, since the chart's own value for it breaks the transport controller (kubestellar#3192);
    M(kubestellar.core.hub_ready) binds each WDS to its ITS.
positional: _input, extra
options:
  _input:
    description:
      - The settings, each under the name of the variable without C(hub_), such as C(itses), C(wdses), C(limits), C(versions),
        C(verbosity), C(kubeflex), C(transport), C(status_agent), C(argocd) and C(hooks).
    type: dict
    required: true
  extra:
    description:
      - Values of the chart that are merged over the computed ones.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Show the values for one ITS and one WDS
  ansible.builtin.debug:
    msg: "{{ {'itses': [{'name': 'its1', 'type': 'host'}], 'wdses': [{'name': 'wds1'}]} | kubestellar.core.hub_chart_values }}"
"""

RETURN = r"""
_value:
  description: The values, for C(release_values) of M(kubernetes.core.helm).
  type: dict
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput
from ansible_collections.kubestellar.core.plugins.module_utils.hub import values


def hub_chart_values(settings: Mapping[str, Any], extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """See the documentation. :raises AnsibleFilterError: with the sentence of the `InvalidInput`."""
    try:
        return values.chart_values(settings, extra)
    except InvalidInput as error:
        raise AnsibleFilterError(f"{error.message} {error.hint}".strip()) from error


class FilterModule:
    """Provides the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"hub_chart_values": hub_chart_values}
