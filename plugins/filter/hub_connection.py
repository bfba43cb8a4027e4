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
  - For the provider C(embedded) that is the kubeconfig of its stack; for C(kind) and C(k3d) the one that
    M(kubestellar.core.local_cluster) writes; for all others what C(hub_kubeconfig) and C(hub_context) say, or a kubeconfig made of
    C(hub_host), C(hub_api_key) and C(hub_ca_cert). An empty result leaves the decision to the environment (C(K8S_AUTH_*)) or to the
    service account of the pod.
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
  description: A mapping with C(kubeconfig), a path or the content, and C(context), each only if it is known.
  type: dict
"""

import os
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils.local import tools


def hub_connection(variables: Mapping[str, Any]) -> dict[str, Any]:
    """`kubeconfig` and `context` of a hub, as far as its inventory variables tell."""
    provider = variables.get("hub_provider") or "embedded"
    home = home_of(variables)
    if provider == "embedded":
        stack = variables.get("kubestellar_stack") or "kubestellar"
        folder = os.path.join(os.path.abspath(os.path.expanduser(home)), "stacks", stack)
        return {"kubeconfig": os.path.join(folder, "kubeconfig"), "context": _name(variables)}
    if provider in tools.TOOLS:
        return {
            "kubeconfig": tools.kubeconfig_path(home, provider, _name(variables)),
            "context": tools.context_of(provider, _name(variables)),
        }
    if variables.get("hub_host"):
        return {"kubeconfig": _kubeconfig(variables), "context": _name(variables)}
    return {
        option: variables[f"hub_{option}"]
        for option in ("kubeconfig", "context")
        if variables.get(f"hub_{option}")
    }


def home_of(variables: Mapping[str, Any]) -> str:
    """Where this collection keeps its own files."""
    return str(variables.get("kubestellar_home") or os.environ.get("KUBESTELLAR_HOME") or "~/.kubestellar")


def _name(variables: Mapping[str, Any]) -> str:
    return str(variables.get("hub_name") or variables["inventory_hostname"])


def _kubeconfig(variables: Mapping[str, Any]) -> dict[str, Any]:
    """A kubeconfig for a server and a token, whose certificate is verified always: by the system's authorities if none is given."""
    name, server = _name(variables), str(variables["hub_host"])
    cluster = {"server": server if "://" in server else f"https://{server}"}
    if variables.get("hub_ca_cert"):
        cluster["certificate-authority"] = os.path.abspath(os.path.expanduser(variables["hub_ca_cert"]))
    user = {"token": variables["hub_api_key"]} if variables.get("hub_api_key") else {}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
    }


class FilterModule:
    """Provides the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"hub_connection": hub_connection}
