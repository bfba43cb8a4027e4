# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: workload_offline
version_added: "0.1.0"
author:
  - kubestellar.core contributors (@kubestellar)
short_description: Write workloads as what can be previewed without any cluster
description:
  - Turns entries of C(hub_workloads) into the suboptions C(workloads) and C(policies) of the option C(offline) of
    M(kubestellar.core.binding_policy_info), the way the role C(workload) applies and places them.
  - An entry with the state C(absent) has a policy that is to be absent, and no objects.
positional: _input
options:
  _input:
    description: The entries, each with C(name) and, if needed, C(wds), C(source), C(placement), C(guards), C(labels) and C(state).
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: See where the workloads would go
  kubestellar.core.binding_policy_info:
    offline: "{{ hub_workloads | kubestellar.core.workload_offline | combine({'clusters_src': ['files/clusters.yml']}) }}"
"""

RETURN = r"""
_value:
  description: A mapping with C(workloads) and C(policies).
  type: dict
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.kubestellar.core.plugins.filter.workload_downsync import workload_downsync
from ansible_collections.kubestellar.core.plugins.module_utils.workload.sources import SOURCES_SPEC


def workload_offline(entries: Sequence[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """`workloads` and `policies` for entries of `hub_workloads`."""
    absent = [(entry.get("state") or "present") == "absent" for entry in entries]
    return {
        "workloads": [_workload(entry) for entry, gone in zip(entries, absent, strict=True) if not gone],
        "policies": [_policy(entry, gone) for entry, gone in zip(entries, absent, strict=True)],
    }


def _workload(entry: Mapping[str, Any]) -> dict[str, Any]:
    source = entry.get("source") or {}
    given = {key: source.get(key) for key in (*SOURCES_SPEC, "namespace")}
    given |= {"name": entry["name"], "wds": entry.get("wds"), "labels": entry.get("labels")}
    return {key: value for key, value in given.items() if value is not None}


def _policy(entry: Mapping[str, Any], gone: bool) -> dict[str, Any]:
    named = {key: entry[key] for key in ("name", "wds") if entry.get(key)}
    if gone:
        return {**named, "state": "absent"}
    placement = entry.get("placement") or {}
    return {
        **named,
        "cluster_selectors": _selectors(placement),
        "downsync": workload_downsync(entry["name"], placement.get("modulations") or []),
        "guards": entry.get("guards") or {},
        **({"waves": True} if placement.get("waves") else {}),
    }


def _selectors(placement: Mapping[str, Any]) -> list[Any]:
    """All clusters, those of every wave together."""
    waves = placement.get("waves") or []
    return list(placement.get("cluster_selectors") or []) + [
        selector for wave in waves for selector in wave.get("cluster_selectors") or []
    ]


class FilterModule:
    """Provides the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"workload_offline": workload_offline}
