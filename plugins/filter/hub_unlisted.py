# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: hub_unlisted
version_added: "0.1.0"
author:
  - kubestellar.core contributors (@kubestellar)
short_description: What a hub has and the inventory does not list
description:
  - Compares what M(kubestellar.core.workload_info) has found with the inventory. What is only gone from an inventory stays where it is,
    since a playbook removes what is listed as absent and nothing else.
positional: _input, listed
options:
  _input:
    description: The result of M(kubestellar.core.workload_info).
    type: dict
    required: true
  listed:
    description: >-
      What the inventory lists, as C(workloads), entries of C(hub_workloads); C(clusters), a result of
      P(kubestellar.core.hub_clusters#filter); C(wds), the WDS of entries that name none; and C(its), the ITS that was looked at.
      Without C(workloads) or C(clusters), nothing is said of these.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show what is not listed
  ansible.builtin.debug:
    msg: "{{ (shop | kubestellar.core.hub_unlisted({'workloads': hub_workloads, 'wds': 'wds1'})).lines | join('\n') }}"
"""

RETURN = r"""
_value:
  description: C(workloads), C(policies) and C(clusters), lists of names, and C(lines), sentences with what to do.
  type: dict
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._errors import plain
from ansible_collections.kubestellar.core.plugins.module_utils.placement.catalogue import count, names


def hub_unlisted(found: Mapping[str, Any], listed: Mapping[str, Any]) -> dict[str, list[str]]:
    """Names of what is not listed, and sentences about it.

    A policy that carries no name of a workload was made by something else than the role.
    """
    workloads: list[str] = []
    policies: list[str] = []
    if listed.get("workloads") is not None:
        known = {(entry.get("wds") or listed.get("wds"), entry["name"]) for entry in listed["workloads"]}
        for policy in found.get("policies") or []:
            if (policy["wds"], policy["name"]) not in known and (
                policy["wds"],
                policy["workload"],
            ) not in known:
                of_ours = policy["workload"] == policy["name"]
                (workloads if of_ours else policies).append(f"{plain(policy['name'], 60)} ({policy['wds']})")
    clusters: list[str] = []
    if listed.get("clusters") is not None:
        its = listed.get("its")
        mine = {entry["name"] for entry in listed["clusters"] if not its or entry.get("its") in (None, its)}
        clusters = [cluster["name"] for cluster in found.get("clusters") or [] if cluster["name"] not in mine]
    return {
        "workloads": workloads,
        "policies": policies,
        "clusters": clusters,
        "lines": _lines(workloads, policies, clusters),
    }


def _lines(workloads: list[str], policies: list[str], clusters: list[str]) -> list[str]:
    lines = []
    if workloads:
        lines.append(
            f"! {count(workloads, 'workload')} of the hub, not in hub_workloads: {names(workloads)}. Left alone; to remove one, give it an "
            "entry with state: absent and run workloads.yml."
        )
    if policies:
        lines.append(
            f"! {count(policies, 'BindingPolicy')} of others: {names(policies)}. Left alone; to remove one, use the module binding_policy "
            "with state: absent."
        )
    if clusters:
        lines.append(
            f"! {count(clusters, 'cluster')} of the hub, not in kubestellar_wecs: {names(clusters)}. Left alone; to detach one, add it with "
            "wec_provider: registered and wec_state: absent and run wecs.yml."
        )
    return lines


class FilterModule:
    """Provides the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"hub_unlisted": hub_unlisted}
