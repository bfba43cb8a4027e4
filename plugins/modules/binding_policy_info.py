#!/usr/bin/python
# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: binding_policy_info
version_added: "0.1.0"
short_description: Read BindingPolicies and what they deliver, or preview one that does not exist
description:
  - Reads the BindingPolicies of a Workload Description Space (WDS), what KubeStellar made of each, how its delivery is going, and
    who else delivers the same objects.
  - With O(definition), or O(cluster_selectors) and O(downsync), also computes what such a policy would select and what would go wrong,
    without writing anything.
  - With O(offline), computes the same from files, for one policy or many. No API server is asked, and no credentials are needed.
author:
  - kubestellar.core contributors (@kubestellar)
extends_documentation_fragment:
  - kubestellar.core._auth
  - kubestellar.core._auth.wds
  - kubestellar.core._auth.its
  - kubestellar.core._attributes
  - kubestellar.core._attributes.info_module
  - kubestellar.core._attributes.action_group
options:
  name:
    description:
      - Name of the policy to read, or to preview. All policies are read if it is left out. A policy that does not exist is not in the result.
    type: str
  label_selectors:
    description:
      - Only policies that match all of these selectors, each in the form of C(kubectl get -l).
    type: list
    elements: str
    default: []
  definition:
    description:
      - The whole BindingPolicy to preview, as a manifest.
    type: dict
  cluster_selectors:
    description:
      - The clusters of the policy to preview, as in M(kubestellar.core.binding_policy).
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
      - The objects of the policy to preview, as in M(kubestellar.core.binding_policy).
    type: list
    elements: dict
    suboptions: &clause
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
  api_groups:
    description:
      - The API groups that the controller-manager of the WDS is limited to. It is looked up in its Deployment in the hosting
        cluster if there is one, so this is needed only where it runs otherwise. All groups if it is left out there.
    type: list
    elements: str
  offline:
    description:
      - Preview from files instead of API servers. The options of the connection are not used then, and nothing is read but these files, and
        what O(offline.workloads) fetches.
      - The policies are those of O(offline.policies), the one that the options beside describe, and every BindingPolicy among the
        manifests. Each knows what the others deliver.
      - The kinds of Kubernetes are known, others by their CustomResourceDefinition, if it is among the manifests. Where it is not, plural
        and scope are guessed, with a warning. The plural follows the rules of English (C(widgets), C(policies), C(gateways),
        C(meshes)); such an object is namespaced if its manifest names a namespace.
      - A WDS also holds what nobody describes. Of that, the Namespaces that every cluster has, the ConfigMap C(kube-root-ca.crt) and the
        ServiceAccount C(default) in every Namespace, and KubeStellar's own definitions are taken into account. The rest, such as
        system roles, is not seen.
    type: dict
    suboptions:
      src: &src
        description: Files with manifests that are in the WDS, or folders of such files.
        type: list
        elements: path
      definitions: &definitions
        description: More of them, as a list of mappings, one mapping, or YAML text.
        type: raw
      workloads: &workloads
        description: Manifests as M(kubestellar.core.workload) applies them, in this order, each with the label C(kubestellar.core/workload).
        type: list
        elements: dict
        suboptions:
          name:
            description: Name of the workload.
            type: str
            required: true
          wds:
            description: The WDS that it is in. O(wds), or the first of O(offline.wdses), or V(wds1), if it is left out.
            type: str
          src: *src
          definitions: *definitions
          template:
            description: Jinja templates, as in M(kubestellar.core.workload).
            type: list
            elements: raw
          kustomize:
            description: Folders with kustomizations, as in M(kubestellar.core.workload).
            type: list
            elements: path
          kustomize_remote:
            description: Whether kustomizations may fetch what they name from elsewhere.
            type: bool
          kustomize_binary:
            description: Path of C(kustomize) or C(kubectl).
            type: path
          helm:
            description: Helm charts, with the suboptions that M(kubestellar.core.workload) has for them.
            type: list
            elements: dict
          helm_binary:
            description: Path of C(helm).
            type: path
          archives:
            description: Archives to fetch, with the suboptions that M(kubestellar.core.workload) has for them.
            type: list
            elements: dict
          namespace:
            description: Namespace for namespaced objects that name none.
            type: str
          labels:
            description: Labels to add to every object.
            type: dict
      policies: &policies
        description: The policies to preview.
        type: list
        elements: dict
        suboptions:
          name:
            description: Name of the policy. It may be left out if O(offline.policies[].definition) has it.
            type: str
          wds:
            description: The WDS that it is in. O(wds), or the first of O(offline.wdses), or V(wds1), if it is left out.
            type: str
          state:
            description: V(absent) for a policy that is to be removed. It is shown if it was there before.
            type: str
            choices: [present, absent]
            default: present
          definition:
            description: The whole policy, as a manifest.
            type: dict
          cluster_selectors:
            description: Its clusters, as in M(kubestellar.core.binding_policy).
            type: list
            elements: dict
            suboptions: *selector
          downsync:
            description: Its objects, as in M(kubestellar.core.binding_policy).
            type: list
            elements: dict
            suboptions: *clause
          waves:
            description: Whether the clusters are taken wave by wave, which a change of the objects is not. A warning says so.
            type: bool
            default: false
          guards:
            description: How far it may go, as in M(kubestellar.core.binding_policy). The task does not fail; see RV(refusals).
            type: dict
            suboptions:
              min_clusters:
                description: The least clusters that may be selected, as a number or as a percentage of all clusters.
                type: str
              max_clusters:
                description: The most clusters that may be selected, as a number or as a percentage of all clusters.
                type: str
              max_objects:
                description: The most objects that may be selected, as a number or as a percentage of what was delivered before.
                type: str
              max_removed_clusters:
                description: The most clusters that may be left, as a number or as a percentage of those before.
                type: str
              max_removed_objects:
                description: The most objects that may be withdrawn, as a number or as a percentage of those before.
                type: str
              cluster_scoped:
                description: What is done about cluster-scoped objects other than the Namespaces of selected objects.
                type: str
                choices: [allow, warn, refuse]
                default: warn
              missing_properties:
                description: What is done if a template needs a property that a selected cluster lacks, or cannot be expanded.
                type: str
                choices: [allow, refuse]
                default: refuse
              existing_objects:
                description: What is done if a cluster has an object already that is to be delivered. Offline, nothing is known of that.
                type: str
                choices: [adopt, refuse]
                default: refuse
              foreign_contents:
                description: What is done if a Namespace or CustomResourceDefinition leaves in which other policies deliver objects.
                type: str
                choices: [delete, refuse]
                default: refuse
      clusters: &clusters
        description: The clusters. If neither this nor O(offline.clusters_src) is given, only objects are looked at.
        type: list
        elements: dict
        suboptions:
          name:
            description: Name of the ManagedCluster.
            type: str
            required: true
          its:
            description: The ITS that it is registered in. It matters if O(offline.wdses) deliver through several.
            type: str
          labels:
            description: Its labels.
            type: dict
          annotations:
            description: Its annotations.
            type: dict
          properties:
            description: Its properties for the expansion of templates.
            type: dict
      clusters_src: &clusters_src
        description: >-
          Files with more of them, or folders of such files: a list C(clusters) with the same keys, the result of
          M(kubestellar.core.managed_cluster_info), or manifests of ManagedClusters and of the ConfigMaps with their properties.
        type: list
        elements: path
      wdses:
        description: The WDSes, if there are several, or if one of them is special.
        type: list
        elements: dict
        suboptions:
          name:
            description: Name of the WDS.
            type: str
            required: true
          type:
            description: Type of its ControlPlane, such as V(host), where a policy for everything means the whole hosting cluster.
            type: str
          its:
            description: The ITS that it delivers through. The only one if it is left out.
            type: str
          api_groups:
            description: The API groups that its controller-manager is limited to. O(api_groups) if it is left out.
            type: list
            elements: str
      title:
        description: What RV(text) and RV(markdown) are about, such as the name of the hub.
        type: str
        default: ""
      before:
        description:
          - An earlier state to compare with, so that it is shown what is added and what is removed. What is left out of it is as it is now.
          - A policy that was there before and is not any more counts as removed.
        type: dict
        suboptions:
          report:
            description: A JSON file with the C(previews) of an earlier run, instead of everything else.
            type: path
          src: *src
          definitions: *definitions
          workloads: *workloads
          policies: *policies
          clusters: *clusters
          clusters_src: *clusters_src
notes:
  - With O(wds_kubeconfig), give O(wds) too if the context is not named like the WDS. ManifestWorks carry its name.
  - Without an ITS nothing is known of clusters and of delivery.
  - Without a connection to the hosting cluster nothing is known of other WDSes.
seealso:
  - module: kubestellar.core.binding_policy
  - module: kubestellar.core.workload_info
"""

EXAMPLES = r"""
- name: See what a policy would do
  kubestellar.core.binding_policy_info:
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
  register: shop

- name: Show where it would go, and what would go wrong
  ansible.builtin.debug:
    msg:
      clusters: "{{ shop.preview.clusters }}"
      warnings: "{{ shop.preview.warnings | map(attribute='message') }}"

- name: See the same without any cluster, from files
  kubestellar.core.binding_policy_info:
    name: shop
    cluster_selectors:
      - match_labels:
          location-group: edge
    downsync:
      - object_selectors:
          - match_labels:
              kubestellar.core/workload: shop
    offline:
      workloads:
        - name: shop
          src: [files/shop]
      clusters_src: [files/clusters.yml]
  register: shop

- name: See what a change does to all policies of a repository, beside a checkout of the state before
  kubestellar.core.binding_policy_info:
    offline:
      src: [manifests]
      clusters_src: [clusters]
      before:
        src: [../before/manifests]
        clusters_src: [../before/clusters]
  register: change

- name: Read all policies and how they are doing
  kubestellar.core.binding_policy_info:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    wds: wds1
    its: its1
  register: all
"""

RETURN = r"""
policies:
  description: The policies, by name. Empty in check mode while the hub does not exist.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the policy.
      type: str
    wds:
      description: The WDS it is in.
      type: str
    manifest:
      description: The policy, without its status.
      type: dict
    observed:
      description: Whether KubeStellar has processed the policy as it is now.
      type: bool
    errors:
      description: What KubeStellar reports against it.
      type: list
      elements: str
    clusters:
      description: Names of the clusters in its Binding, sorted.
      type: list
      elements: str
    objects:
      description: The objects in its Binding, sorted, each as in RV(preview.objects).
      type: list
      elements: dict
    delivered:
      description: >-
        Number of clusters, objects, and placements (objects × clusters) by health. Empty without an ITS, and while KubeStellar
        has not processed the policy.
      type: dict
      sample: {"clusters": 2, "objects": 6, "placements": 12, "healthy": 12, "progressing": 0, "failed": 0, "stale": 0, "removing": 0}
    shared:
      description: Other policies that deliver some of its objects to some of its clusters, by WDS and name.
      type: list
      elements: dict
      contains:
        wds:
          description: The WDS of the other policy.
          type: str
        policy:
          description: Its name.
          type: str
        clusters:
          description: Names of the clusters that both deliver to.
          type: list
          elements: str
        objects:
          description: The objects that both deliver, such as V(Deployment shop/web).
          type: list
          elements: str
unread:
  description: What could not be read, one sentence each; RV(policies[].shared) may lack something then.
  returned: always
  type: list
  elements: str
preview:
  description: What the policy would select, and what would change. Sorted. With O(offline), without an earlier state everything is added.
  returned: when a policy to preview is given
  type: dict
  contains: &preview
    clusters:
      description: Names of the clusters that it selects. Empty without an ITS.
      type: list
      elements: str
    clusters_added:
      description: Names of the clusters among them that a policy of this name does not deliver to now.
      type: list
      elements: str
    clusters_removed:
      description: Names of the clusters that a policy of this name delivers to now, and would leave.
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
      description: The objects among them that a policy of this name does not deliver now.
      type: list
      elements: dict
      contains: *object
    objects_removed:
      description: >-
        The objects that a policy of this name delivers now, and would not any more. Each also has C(last_copy), whether it would
        then be in no cluster at all.
      type: list
      elements: dict
      contains: *object
    objects_changed:
      description: The objects that stay but would be delivered otherwise, such as with create_only.
      type: list
      elements: dict
      contains: *object
    warnings:
      description: What would go wrong.
      type: list
      elements: dict
      contains:
        code:
          description: Name of the trouble, which stays the same, such as V(namespace-missing).
          type: str
        message:
          description: One sentence with numbers and names.
          type: str
        hint:
          description: What to try.
          type: str
previews:
  description: One entry for each policy, in the order given, then those that are no longer there.
  returned: with O(offline)
  type: list
  elements: dict
  contains:
    name:
      description: Name of the policy.
      type: str
    wds:
      description: The WDS that it is in.
      type: str
    state:
      description: V(absent) if it is removed.
      type: str
      sample: present
    preview:
      description: What it selects, and what changes.
      type: dict
      contains: *preview
    refused:
      description: Why its guards would refuse it, one entry for each reason, with C(code), C(message) and C(hint).
      type: list
      elements: dict
refusals:
  description: All reasons for which guards would refuse something, one line each with WDS and policy.
  returned: with O(offline)
  type: list
  elements: str
title:
  description: The suboption O(offline.title).
  returned: with O(offline)
  type: str
compared:
  description: Whether there was an earlier state to compare with.
  returned: with O(offline)
  type: bool
summary:
  description: Numbers over all RV(previews). A placement is one object in one cluster.
  returned: with O(offline)
  type: dict
  sample: {"policies": 1, "clusters": 2, "objects": 6, "placements": 12, "placements_added": 12, "placements_removed": 0, "warnings": 0, "refused": 0}
text:
  description: All of it for people, as lines of at most 120 columns.
  returned: with O(offline)
  type: list
  elements: str
markdown:
  description: All of it for a pull request, at most 60000 characters. Names are in code spans, so they are never links, mentions or HTML.
  returned: with O(offline)
  type: str
problems:
  description: What is wrong with the policy to preview, one sentence each.
  returned: when it is invalid
  type: list
  elements: str
"""

from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._module import Context, run
from ansible_collections.kubestellar.core.plugins.module_utils.placement import observe, offline, policy

SPEC: dict[str, Any] = {
    **{key: policy.POLICY_SPEC[key] for key in ("name", "definition", "cluster_selectors", "downsync")},
    "label_selectors": {"type": "list", "elements": "str", "default": []},
    "api_groups": {"type": "list", "elements": "str"},
    "offline": {"type": "dict", "options": offline.OFFLINE_SPEC},
}


def work(context: Context) -> dict[str, Any]:
    """Preview from files, or read from API servers."""
    return offline.work(context) if context.params["offline"] is not None else observe.work(context)


def main() -> None:
    """Entry point."""
    run(
        SPEC,
        work,
        spaces=("wds", "its"),
        mutually_exclusive=[("definition", "cluster_selectors"), ("definition", "downsync")],
        required_by={"cluster_selectors": ("name",), "downsync": ("name",)},
    )


if __name__ == "__main__":
    main()
