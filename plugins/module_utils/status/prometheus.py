# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a hub for Prometheus: the text of a textfile collector (private to kubestellar.core). Pure functions.

There are series for each space, cluster and policy, none for each object.
The format is version 0.0.4 of the text format of Prometheus.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _delivery
from ansible_collections.kubestellar.core.plugins.module_utils._errors import plain
from ansible_collections.kubestellar.core.plugins.module_utils.doctor.catalogue import SEVERITIES
from ansible_collections.kubestellar.core.plugins.module_utils.status import model, warnings
from ansible_collections.kubestellar.core.plugins.module_utils.status.model import View


@dataclass(frozen=True)
class Metric:
    """One metric. All are gauges. :ivar labels: beside `hub`, which all have."""

    name: str
    help: str
    labels: tuple[str, ...] = ()


METRICS = (
    Metric("kubestellar_status_timestamp_seconds", "When the hub was read, in seconds since the epoch."),
    Metric("kubestellar_space_ready", "Whether the ControlPlane of a space is ready.", ("space", "role")),
    Metric(
        "kubestellar_cluster_available", "Whether the hub hears of a registered cluster.", ("its", "cluster")
    ),
    Metric(
        "kubestellar_cluster_placements",
        "Objects that are, or are to be, in a cluster, by state.",
        ("its", "cluster", "state"),
    ),
    Metric(
        "kubestellar_workload_current",
        "Whether KubeStellar has processed a BindingPolicy as it is now.",
        ("wds", "policy", "workload"),
    ),
    Metric(
        "kubestellar_workload_clusters",
        "Clusters that a BindingPolicy selects.",
        ("wds", "policy", "workload"),
    ),
    Metric(
        "kubestellar_workload_objects", "Objects that a BindingPolicy selects.", ("wds", "policy", "workload")
    ),
    Metric(
        "kubestellar_workload_placements",
        "Objects × clusters of a BindingPolicy, by state.",
        ("wds", "policy", "workload", "state"),
    ),
    Metric("kubestellar_warnings", "What of the hub needs attention, by severity.", ("severity",)),
)
"""All metrics, in the order in which they are written and documented."""


def text(view: View) -> str:
    """The content of a `.prom` file."""
    samples = dict(_samples(view))
    lines = []
    for metric in METRICS:
        lines += [f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} gauge"]
        for values, number in samples.get(metric.name, ()):
            pairs = zip(("hub", *metric.labels), (view.hub, *values), strict=True)
            labels = ",".join(f'{name}="{_escaped(value)}"' for name, value in pairs)
            lines.append(f"{metric.name}{{{labels}}} {number}")
    return "\n".join([*lines, ""])


def _escaped(value: object) -> str:
    """A label value: backslash, quote and newline are escaped, other control characters gone."""
    return plain(value).replace("\\", "\\\\").replace('"', '\\"')


def _samples(view: View) -> Iterator[tuple[str, Iterable[tuple[tuple[Any, ...], int]]]]:
    """Name of a metric to its samples: values of its labels, and the number."""
    yield "kubestellar_status_timestamp_seconds", [((), int(view.taken))]
    yield (
        "kubestellar_space_ready",
        [((space["name"], space["role"]), int(space["ready"])) for space in view.spaces],
    )
    clusters = model.clusters(view)
    yield (
        "kubestellar_cluster_available",
        [((view.its, cluster["name"]), int(cluster["available"])) for cluster in clusters],
    )
    yield (
        "kubestellar_cluster_placements",
        [
            ((view.its, cluster["name"], state), cluster[state])
            for cluster in clusters
            for state in _delivery.STATES
        ],
    )
    keys = [(policy["wds"], policy["name"], policy["workload"]) for policy in view.policies]
    yield (
        "kubestellar_workload_current",
        [(key, int(policy["current"])) for key, policy in zip(keys, view.policies, strict=True)],
    )
    yield (
        "kubestellar_workload_clusters",
        [(key, len(policy["clusters"])) for key, policy in zip(keys, view.policies, strict=True)],
    )
    yield (
        "kubestellar_workload_objects",
        [(key, policy["objects"]) for key, policy in zip(keys, view.policies, strict=True)],
    )
    yield (
        "kubestellar_workload_placements",
        [
            ((*key, state), policy[state])
            for key, policy in zip(keys, view.policies, strict=True)
            for state in _delivery.STATES
        ],
    )
    found = [warned.severity for warned in warnings.of_view(view)]
    yield "kubestellar_warnings", [((severity,), found.count(severity)) for severity in SEVERITIES]
