#!/usr/bin/python
# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: binding_policy
version_added: "0.1.0"
short_description: Manage a BindingPolicy, which says what is delivered to which clusters
description:
  - Creates, changes or deletes one BindingPolicy in a Workload Description Space (WDS), by server-side apply.
    Labels, annotations, finalizers and fields of others stay.
  - Checks the policy before it is sent, since KubeStellar's API accepts selectors that it cannot evaluate, and one such
    policy stops others from being evaluated.
  - Computes beforehand which clusters and objects are selected, what is added, what is removed and what will go wrong
    (RV(preview)), in check mode too, and refuses a change that goes further than its O(guards) allow before anything is written.
  - Waits until the placement is resolved, delivered, or healthy in every selected cluster.
author:
  - kubestellar.core contributors (@kubestellar)
extends_documentation_fragment:
  - kubestellar.core._auth
  - kubestellar.core._auth.wds
  - kubestellar.core._auth.its
  - kubestellar.core._clusters
  - kubestellar.core._clusters.planned
  - kubestellar.core._attributes
  - kubestellar.core._attributes.action_group
options:
  name:
    description:
      - Name of the policy, at most 63 characters. It may be left out if O(definition) has it.
    type: str
  state:
    description:
      - V(present) applies the policy as given; a field that is left out is removed if this module set it before.
      - V(absent) deletes it. What it delivered is then removed from the clusters.
    type: str
    choices: [present, absent]
    default: present
  cluster_selectors:
    description:
      - Which clusters, as label selectors for the ManagedClusters of the ITS. A cluster that matches any of them is selected.
        An empty selector V({}) selects all; an empty list selects none.
    type: list
    elements: dict
    suboptions: &selector
      match_labels:
        description: Labels with these values must be there.
        type: dict
      match_expressions:
        description: Further requirements, all of which must hold.
        type: list
        elements: dict
        suboptions:
          key:
            description: Key of the label.
            type: str
            required: true
          operator:
            description: How the label is judged. V(NotIn) also holds where there is no such label.
            type: str
            choices: [In, NotIn, Exists, DoesNotExist]
            required: true
          values:
            description: The values for V(In) and V(NotIn).
            type: list
            elements: str
  downsync:
    description:
      - Which objects, as clauses. An object that matches any clause is selected. In a clause, everything given must hold.
    type: list
    elements: dict
    suboptions:
      api_group:
        description: The API group; V("") is the core group. All groups if left out.
        type: str
      resources:
        description: Lower-case plural names, such as V(deployments), or V(*) for any.
        type: list
        elements: str
      namespaces:
        description: Namespaces by name, or V(*) for any. If left out, cluster-scoped objects match too.
        type: list
        elements: str
      namespace_selectors:
        description: Namespaces by label. An empty selector V({}) holds for cluster-scoped objects too.
        type: list
        elements: dict
        suboptions: *selector
      object_names:
        description: Names of objects, or V(*) for any.
        type: list
        elements: str
      object_selectors:
        description: Objects by label. One of the selectors must match.
        type: list
        elements: dict
        suboptions: *selector
      create_only:
        description: Whether the objects are created in the clusters and then never updated.
        type: bool
      status_collectors:
        description: Names of StatusCollectors to evaluate for the objects.
        type: list
        elements: str
      want_singleton_reported_state:
        description: Whether the status of the objects is copied back to the WDS. Exactly one cluster must be selected.
        type: bool
      want_multi_wec_reported_state:
        description: Whether the status of Deployments, ReplicaSets and DaemonSets is aggregated in the WDS over several clusters.
        type: bool
  waves:
    description:
      - Groups of clusters, instead of O(cluster_selectors). The policy is widened by one group after the other, each only when everything is
        O(wait=applied) or O(wait=healthy) in those before it. V(healthy) is the default of O(wait) then.
      - The first wave in which something does not get there in O(wait_timeout) seconds fails the task, and those after it are not begun.
        The next run goes on from there. A policy that has reached all of its waves is not narrowed again.
      - Waves hold back clusters that do not have the workload yet, and nothing else. The objects in the WDS are the same for all clusters, so a
        change of them reaches all clusters that have the workload at once; see O(objects_changed).
      - What the policy selects beside its waves leaves with the last of them.
      - A wave that has no cluster of its own is refused, since nothing would be tried in it.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the wave, for messages.
        type: str
        required: true
      cluster_selectors:
        description: Which clusters it adds, as in O(cluster_selectors).
        type: list
        elements: dict
        required: true
        suboptions: *selector
  definition:
    description:
      - The whole BindingPolicy as a manifest, instead of O(cluster_selectors) and O(downsync).
    type: dict
  labels:
    description:
      - Labels of the policy itself. Labels of others stay.
    type: dict
  annotations:
    description:
      - Annotations of the policy itself. Annotations of others stay.
    type: dict
  guards:
    description:
      - How far the task may go. A change that goes further is refused before the first write, in check mode too, with the
        numbers and the names in RV(refused) and the whole RV(preview).
      - They stay with the policy, in its annotation C(kubestellar.core/guards), and hold for M(kubestellar.core.workload) when it changes
        objects that the policy delivers, and for M(kubestellar.core.managed_cluster) when it changes labels that it selects by.
      - A limit is a number, or a percentage such as V(20%). Percentages are compared without rounding, so with three clusters
        V(20%) of them is none.
      - A policy that delivers now and would select no cluster any more is refused, unless O(guards.min_clusters) is set, and one that would
        select no object any more, unless O(guards.max_removed_objects) is.
      - Those about clusters need the ITS, except O(guards.max_removed_clusters) with O(state=absent).
    type: dict
    suboptions:
      min_clusters:
        description:
          - The least clusters that may be selected, as a number or as a percentage of all registered clusters.
            It does not hold for O(state=absent).
        type: str
      max_clusters:
        description:
          - The most clusters that may be selected, as a number or as a percentage of all registered clusters.
        type: str
      max_objects:
        description:
          - The most objects that may be selected, as a number or as a percentage of what the policy delivers now, such as V(150%).
            A percentage does not limit a policy that delivers nothing yet.
        type: str
      max_removed_clusters:
        description:
          - The most clusters that the workload may leave, as a number or as a percentage of those that it is delivered to now.
        type: str
      max_removed_objects:
        description:
          - The most objects that may be withdrawn, as a number or as a percentage of what the policy delivers now.
        type: str
      cluster_scoped:
        description:
          - What is done about cluster-scoped objects. V(warn) warns, V(refuse) refuses, V(allow) says nothing. Namespaces that hold
            selected objects do not count. System objects, such as the Namespace C(kube-system), are warned of in any case.
        type: str
        choices: [allow, warn, refuse]
        default: warn
      missing_properties:
        description:
          - What is done if a template needs a property that a selected cluster lacks, or cannot be expanded at all.
            KubeStellar then removes everything that the policy delivers from all of its clusters, so V(refuse) is the default.
            V(allow) only warns.
          - Needed is what a template looks up in every case, such as C({{.name}}) or the condition of an C(if). What is looked up
            only under a condition earns a warning.
        type: str
        choices: [allow, refuse]
        default: refuse
      existing_objects:
        description:
          - What is done if a cluster of O(wecs) has an object already that is to be delivered there, and that KubeStellar has not delivered.
            OCM's agent would overwrite it, and delete it when the workload leaves, so V(refuse) is the default. V(adopt) lets it do that.
        type: str
        choices: [adopt, refuse]
        default: refuse
      foreign_contents:
        description:
          - What is done if a Namespace or CustomResourceDefinition is to be withdrawn from a cluster where others have objects in it, which are
            deleted with it. What other policies deliver counts, and in clusters of O(wecs) everything that is not of this policy.
        type: str
        choices: [delete, refuse]
        default: refuse
  api_groups:
    description:
      - The API groups that the controller-manager of the WDS is limited to. It is looked up in its Deployment in the hosting
        cluster if there is one, so this is needed only where it runs otherwise. All groups if it is left out there.
    type: list
    elements: str
  objects_changed:
    description:
      - Whether the objects that the policy selects have just been changed. With O(waves), a warning then names the clusters that got the change
        at once, since they had the workload before. The role P(kubestellar.core.workload#role) sets it.
    type: bool
    default: false
  planned_objects:
    description:
      - Objects that an earlier task of the same check mode run would create, label or delete, as
        RV(kubestellar.core.workload#module:planned), so that the preview counts them. It has no effect outside check mode.
    type: list
    elements: dict
  redeliver:
    description:
      - Whether objects are delivered again that were delivered with older properties of a cluster, or before a CustomTransform was changed.
        KubeStellar does not do so by itself. One of the objects in the WDS then gets the annotation C(kubestellar.core/delivered-again).
      - Without it there is a warning. It needs the ITS.
    type: bool
    default: false
  force_conflicts:
    description:
      - Whether fields that another field manager owns are taken over. If not, the module fails and names owner and fields.
    type: bool
    default: false
  wait:
    description:
      - What to wait for. All but V(none) need the ITS, O(its) or O(its_kubeconfig).
      - V(bound) - the Binding shows what the policy selects now, in clusters and objects, each in its present version.
      - V(applied) - and every object is applied in every selected cluster.
      - V(healthy) - and does there what it is for, judged by kind from the returned status of the new generation. A policy
        that selects no cluster or no object is not healthy but an error.
      - If it is left out, O(state=present) waits for nothing. O(state=absent) then waits, if the ITS is given, until
        nothing is left in the clusters, and so it does for every value but V(none).
    type: str
    choices: [none, bound, applied, healthy]
  wait_timeout:
    description:
      - Seconds to wait.
    type: int
    default: 300
  max_offline:
    description:
      - How many of the selected clusters may be offline when a wait for V(applied) or V(healthy) ends, as a number or as a percentage such as V(10%).
        They are not waited for, since nothing is known of them, and are named in RV(offline) and in a warning. None if it is left out.
      - In O(waves), one cluster of each wave must answer all the same.
    type: str
  leftovers:
    description:
      - What is done about objects that a policy has left behind in clusters, which KubeStellar does in rare cases when its selectors change.
        They are looked for at the end of a wait for V(applied) or V(healthy), and when a policy is removed, as ManifestWorks that the Binding
        does not account for and that KubeStellar does not remove within ten seconds.
      - V(report) names them in RV(leftovers) and in a warning. V(remove) deletes their ManifestWorks, and so the objects.
    type: str
    choices: [report, remove]
    default: report
attributes:
  check_mode:
    support: full
    details: Asks the API server by dry run. There is nothing to wait for then.
  diff_mode:
    support: full
  idempotent:
    support: full
notes:
  - With O(wds_kubeconfig), give O(wds) too if the context is not named like the WDS. ManifestWorks carry its name.
  - Without an ITS the clusters are not known, and the preview is one of objects only.
  - Without a connection to the hosting cluster the preview does not know what other WDSes deliver.
  - For the preview, workload objects are listed as metadata only. Whole objects are read for templates, and for ConfigMaps,
    CustomResourceDefinitions and custom resources (100 at most), of which the size is checked. Secrets are never read.
seealso:
  - module: kubestellar.core.binding_policy_info
  - module: kubestellar.core.workload
  - module: kubestellar.core.workload_info
"""

EXAMPLES = r"""
- name: Deliver the shop to the edge and wait until it runs there
  kubestellar.core.binding_policy:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    wds: wds1
    its: its1
    name: shop
    cluster_selectors:
      - match_labels:
          location-group: edge
    downsync:
      - object_selectors:
          - match_labels:
              kubestellar.core/workload: shop
    wait: healthy

- name: See what a new placement would do, without doing it
  kubestellar.core.binding_policy:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    wds: wds1
    its: its1
    name: shop
    cluster_selectors:
      - match_labels:
          city: lisbon
    downsync:
      - object_selectors:
          - match_labels:
              kubestellar.core/workload: shop
  check_mode: true
  diff: true
  register: plan

- name: Do it, but never to more than three clusters, and never withdraw it from more than a fifth of them
  kubestellar.core.binding_policy:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    wds: wds1
    its: its1
    name: shop
    cluster_selectors:
      - match_labels:
          city: lisbon
    downsync:
      - object_selectors:
          - match_labels:
              kubestellar.core/workload: shop
    guards:
      min_clusters: 1
      max_clusters: 3
      max_removed_clusters: 20%
      max_removed_objects: 0

- name: Begin with one shop, go on with the town, and then with everybody, as long as all is well
  kubestellar.core.binding_policy:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    wds: wds1
    its: its1
    name: shop
    waves:
      - name: first
        cluster_selectors:
          - match_labels:
              name: cluster1
      - name: town
        cluster_selectors:
          - match_labels:
              city: lisbon
      - name: everybody
        cluster_selectors:
          - match_labels:
              location-group: edge
    downsync:
      - object_selectors:
          - match_labels:
              kubestellar.core/workload: shop
    wait: healthy
    wait_timeout: 600

- name: Create Jobs once, and never update them
  kubestellar.core.binding_policy:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    wds: wds1
    name: imports
    cluster_selectors:
      - match_expressions:
          - key: location-group
            operator: In
            values: [edge, branch]
    downsync:
      - api_group: batch
        resources: [jobs]
        namespaces: [shop]
        create_only: true

- name: Withdraw the shop, and wait until it is gone from the clusters
  kubestellar.core.binding_policy:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    wds: wds1
    its: its1
    name: shop
    state: absent
"""

RETURN = r"""
object:
  description: The BindingPolicy as it is after the task, or in check mode would be. Empty when it is absent.
  returned: always
  type: dict
method:
  description: What was done, or in check mode would be done.
  returned: always
  type: str
  sample: create
preview:
  description: What the policy selects, and what changes by the task. Sorted.
  returned: unless the hub is only planned
  type: dict
  contains: &preview
    clusters:
      description: Names of the clusters that it selects. Empty without an ITS.
      type: list
      elements: str
    clusters_added:
      description: Names of the clusters among them that it is not delivered to now.
      type: list
      elements: str
    clusters_removed:
      description: Names of the clusters that it is delivered to now, and would leave.
      type: list
      elements: str
    objects:
      description: The objects that it selects, with what the clauses that match each of them say together.
      type: list
      elements: dict
      contains: &object
        group:
          description: API group, empty for the core group.
          type: str
        version:
          description: Version of the API.
          type: str
        resource:
          description: Lower-case plural name of the kind.
          type: str
        kind:
          description: The kind.
          type: str
        namespace:
          description: Namespace, empty for cluster-scoped objects.
          type: str
        name:
          description: Name of the object.
          type: str
        create_only:
          description: Whether it is created and never updated.
          type: bool
        status_collectors:
          description: Names of the StatusCollectors to evaluate for it.
          type: list
          elements: str
        want_singleton_reported_state:
          description: Whether its status is copied back from one cluster.
          type: bool
        want_multi_wec_reported_state:
          description: Whether its status is aggregated from several clusters.
          type: bool
    objects_added:
      description: The objects among them that are not delivered now.
      type: list
      elements: dict
      contains: *object
    objects_removed:
      description: >-
        The objects that are delivered now, and would not be any more. Each also has C(last_copy), whether it would then be in no
        cluster at all.
      type: list
      elements: dict
      contains: *object
    objects_changed:
      description: The objects that stay but are delivered otherwise, such as with create_only.
      type: list
      elements: dict
      contains: *object
    warnings:
      description: What will go wrong. The first five are also shown as warnings of the task.
      type: list
      elements: dict
      contains: &warning
        code:
          description: Name of the trouble, which stays the same, such as V(namespace-missing).
          type: str
        message:
          description: One sentence with numbers and names.
          type: str
        hint:
          description: What to try.
          type: str
refused:
  description: Why the guards refuse the change, one entry for each reason.
  returned: when they do
  type: list
  elements: dict
  contains: *warning
conflicts:
  description: Fields that other field managers own, each with C(manager) and C(field).
  returned: when the API server refuses the policy for them
  type: list
  elements: dict
binding:
  description: What the policy was resolved to.
  returned: when a wait has ended
  type: dict
  contains:
    generation:
      description: Generation of the Binding, which its ManifestWorks carry. Null if nothing is selected, for which there is no Binding.
      type: int
    clusters:
      description: Names of the selected clusters, sorted.
      type: list
      elements: str
    objects:
      description: The selected objects, sorted; each with C(group), C(resource), C(namespace) and C(name).
      type: list
      elements: dict
redelivered:
  description: The objects that were delivered again, or in check mode would be.
  returned: with O(redeliver), unless the hub is only planned
  type: list
  elements: str
waves:
  description: The waves in their order, also on failure.
  returned: with O(waves), unless the hub is only planned
  type: list
  elements: dict
  contains:
    name:
      description: Name of the wave.
      type: str
    clusters:
      description: The clusters that it adds, sorted.
      type: list
      elements: str
    before:
      description: Those of them that had the workload before, so that nothing was held back there.
      type: list
      elements: str
    state:
      description: V(done), V(failed), or V(waiting) if it was not begun.
      type: str
summary:
  description: Number of clusters, objects, and placements (objects × clusters) by health.
  returned: when a wait for V(applied) or V(healthy) has ended
  type: dict
  sample: {"clusters": 2, "objects": 6, "placements": 12, "healthy": 12, "progressing": 0, "failed": 0, "stale": 0, "removing": 0}
leftovers:
  description: What the policy has left behind, each with C(cluster) and C(object). See O(leftovers).
  returned: when a wait has ended
  type: list
  elements: dict
offline:
  description: Names of the clusters that were not waited for, see O(max_offline).
  returned: when a wait has ended
  type: list
  elements: str
waited:
  description: Seconds waited.
  returned: always
  type: float
missing:
  description: What was lacking when the time was up, one line each.
  returned: when the wait timed out
  type: list
  elements: str
problems:
  description: What is wrong with the policy, one sentence each.
  returned: when it is invalid
  type: list
  elements: str
diff:
  description: Both sides of the manifest, and both sides of the placement, clusters and objects. Each if it changes.
  returned: in diff mode
  type: list
  elements: dict
"""

from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._module import run
from ansible_collections.kubestellar.core.plugins.module_utils.placement import (
    apply,
    guards,
    inside,
    policy,
    waits,
    waves,
)

SPEC: dict[str, Any] = {
    **policy.POLICY_SPEC,
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "waves": {"type": "list", "elements": "dict", "options": waves.WAVES_SPEC},
    "guards": {"type": "dict", "options": guards.GUARDS_SPEC},
    "api_groups": {"type": "list", "elements": "str"},
    "objects_changed": {"type": "bool", "default": False},
    "planned_objects": {"type": "list", "elements": "dict"},
    **apply.PLANNED_SPEC,
    **inside.WECS_SPEC,
    "redeliver": {"type": "bool", "default": False},
    "force_conflicts": {"type": "bool", "default": False},
    "wait": {"type": "str", "choices": list(waits.LEVELS)},
    "wait_timeout": {"type": "int", "default": 300},
    "max_offline": {"type": "str"},
    "leftovers": {"type": "str", "choices": ["report", "remove"], "default": "report"},
}


def main() -> None:
    """Entry point."""
    run(
        SPEC,
        apply.work,
        spaces=("wds", "its"),
        required_one_of=[("name", "definition")],
        mutually_exclusive=[
            ("definition", "cluster_selectors"),
            ("definition", "downsync"),
            ("waves", "cluster_selectors", "definition"),
        ],
        required_if=[("state", "present", ("definition", "cluster_selectors", "waves", "downsync"), True)],
    )


if __name__ == "__main__":
    main()
