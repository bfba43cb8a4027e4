# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: hub_connection
version_added: "0.1.0"
author:
  - kubestellar.core contributors (@kubestellar)
short_description: The connection to a hub's hosting cluster
description:
  - Reads from the variables of a hub how its hosting cluster is reached, for the connection options of the modules.
  - For the provider C(embedded) that is the kubeconfig of its stack; for all others what C(hub_kubeconfig) and C(hub_context)
    say. An empty result leaves the decision to the environment (C(K8S_AUTH_*)) or to the service account of the pod.
positional: _input
options:
  _input:
    description: The variables of the hub, for example C(hostvars['hub']).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Read the spaces of the hub
  kubestellar.core.control_plane_info:
    kubeconfig: "{{ (hostvars['hub'] | kubestellar.core.hub_connection).kubeconfig | default(omit) }}"
    context: "{{ (hostvars['hub'] | kubestellar.core.hub_connection).context | default(omit) }}"
"""

RETURN = r"""
_value:
  description: A mapping with C(kubeconfig) and C(context), each only if it is known.
  type: dict
"""

import os
from collections.abc import Callable, Mapping
from typing import Any


def hub_connection(variables: Mapping[str, Any]) -> dict[str, str]:
    """`kubeconfig` and `context` of a hub, as far as its inventory variables tell."""
    connection: dict[str, str] = {}
    if (variables.get("hub_provider") or "embedded") == "embedded":
        home = variables.get("kubestellar_home") or os.environ.get("KUBESTELLAR_HOME") or "~/.kubestellar"
        stack = variables.get("kubestellar_stack") or "kubestellar"
        connection["kubeconfig"] = os.path.join(
            os.path.abspath(os.path.expanduser(home)), "stacks", stack, "kubeconfig"
        )
        connection["context"] = variables.get("hub_name") or variables["inventory_hostname"]
        return connection
    for option in ("kubeconfig", "context"):
        value = variables.get(f"hub_{option}")
        if value:
            connection[option] = value
    return connection


class FilterModule:
    """Provides the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"hub_connection": hub_connection}
