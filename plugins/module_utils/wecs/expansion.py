# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a WEC has the properties that its workload will ask for (private to kubestellar.core).

One cluster that lacks one is enough to withdraw a policy's workload from all of its clusters: the transport controller deletes
everything of a Binding in which a template cannot be expanded (kubestellar: pkg/transport/generic/generic_transport_controller.go).
So it is looked at before a label selects the cluster.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import NotFound
from ansible_collections.kubestellar.core.plugins.module_utils._resources import BINDING_POLICIES
from ansible_collections.kubestellar.core.plugins.module_utils.placement import (
    preview,
    resolution,
    snapshot,
    templates,
    warnings,
)
from ansible_collections.kubestellar.core.plugins.module_utils.placement.catalogue import names
from ansible_collections.kubestellar.core.plugins.module_utils.placement.facts import Target


def lacking(
    wdses: Sequence[Cluster], before: Mapping[str, Target], after: Mapping[str, Target]
) -> dict[str, str]:
    """Cluster to what it would newly lack for the policies that will select it or do so now, as a clause.

    A Binding lists a cluster for some seconds after its labels do not select it any more.

    :param before: the clusters as they are, by name.
    :param after: the clusters as they are to be.
    :raises KubestellarError: a WDS cannot be read.
    """
    found: dict[str, list[str]] = defaultdict(list)
    for wds in wdses:
        try:
            policies = wds.list(BINDING_POLICIES).items
        except NotFound:
            continue  # its controller-manager has never run
        specs = {str(item["metadata"]["name"]): item.get("spec") or {} for item in policies}
        concerned = {name: hit for name, spec in specs.items() if (hit := _concerned(spec, before, after))}
        if not concerned:
            continue
        facts = snapshot.read_all(snapshot.Sources(wds, wds.name), {name: specs[name] for name in concerned})
        for name, selected in concerned.items():
            placement = preview.place(specs[name], facts[name])
            needs = {
                key for _object, needed, _may, _errors in warnings.template_needs(placement) for key in needed
            }
            for cluster in selected:
                missing = needs.difference(templates.properties(after[cluster]))
                if missing:
                    found[cluster].append(f"{names(sorted(missing))} for {wds.name}: BindingPolicy {name}")
    return {cluster: "; ".join(texts) for cluster, texts in found.items()}


def _concerned(
    spec: Mapping[str, object], before: Mapping[str, Target], after: Mapping[str, Target]
) -> list[str]:
    """The clusters that a policy selects anew, and those of its clusters, of now or then, that lose a property."""
    selected = set(resolution.clusters_of(spec, {name: target.labels for name, target in after.items()}))
    known = set(resolution.clusters_of(spec, {name: target.labels for name, target in before.items()}))

    def loses(name: str) -> bool:
        return bool(templates.properties(before[name]).keys() - templates.properties(after[name]).keys())

    return sorted(selected - known | {name for name in selected | known if loses(name)})
