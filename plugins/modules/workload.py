#!/usr/bin/python
# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: workload
version_added: "0.1.0"
short_description: Manage the objects of a workload in a WDS
description:
  - Makes a Workload Description Space (WDS) hold a named set of objects, in one call.
  - Lists what is there once per kind, compares, and sends only what differs by server-side apply.
    Fields that other managers or defaults set do not count as changes.
  - Namespaces and CustomResourceDefinitions are applied first; the resources of a new definition follow when it is established.
  - Everything is checked before the first write. Whatever the WDS would refuse is named, and then nothing is written.
  - The workload is an ApplySet as C(kubectl) has them. Its parent is the ConfigMap C(kubestellar-workload-<name>), which says of which kinds
    it has objects. What is not among the objects any more is pruned.
  - The objects come from any number of sources, in the order of the options below. Lists of kind C(List) are taken apart, and empty
    documents left out. An object that is there twice is refused, with both places.
  - Relative paths are looked for as by other tasks, in the folders C(files) and C(templates) of the role and beside the playbook. If
    the module does not run on the controller, paths other than those of O(template) are paths over there.
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
      - Name of the workload. Every object gets the label C(kubestellar.core/workload) with this value, and the label
        C(applyset.kubernetes.io/part-of) of the set. Both are delivered to the WECs too, where they do no harm.
      - An object is of one workload only. If another one has it already, that is refused.
    type: str
    required: true
  state:
    description:
      - V(present) applies the objects; V(absent) deletes every object in the WDS that carries the label of this workload, except for what
        says that it is to be kept.
    type: str
    choices: [present, absent]
    default: present
  definitions:
    description:
      - The objects, as a list of mappings, one mapping, or YAML text.
    type: raw
  src:
    description:
      - Files with objects, or folders of such files (V(.yml), V(.yaml), V(.json), with subfolders). What is hidden in a folder is left out;
        what cannot be read is refused, since it would be pruned.
      - A relative path is looked for, also in a folder C(files), beside the playbook and role of yours that runs, beside the inventory, and in the
        folder from which Ansible is run.
    type: list
    elements: path
    default: []
  template:
    description:
      - Jinja templates of files with objects, or folders of such templates (also with V(.j2) at the end of their names).
      - They are rendered on the controller with the variables of the task, as M(ansible.builtin.template) does it.
    type: list
    elements: raw
    default: []
  kustomize:
    description:
      - Folders with a kustomization, to be built by C(kustomize) or C(kubectl). Plugins and charts in it do not work.
    type: list
    elements: path
    default: []
  kustomize_remote:
    description:
      - Whether kustomizations may fetch what they name from elsewhere. Whoever can change that can then change the workload, since nothing
        checks it. If not, such a kustomization is refused.
    type: bool
    default: false
  kustomize_binary:
    description:
      - Path of C(kustomize) or C(kubectl). The first of them on the PATH if it is left out.
    type: path
  helm:
    description:
      - Helm charts, to be rendered by C(helm). There is no release in any cluster, so C(helm list) does not know of them.
      - No cluster is asked while a chart is rendered, so its C(lookup) finds nothing. Set the values that it would make up by chance, such
        as passwords, else each run changes them.
    type: list
    elements: dict
    default: []
    suboptions:
      chart:
        description: A folder or an archive, an OCI reference, or a name in O(helm[].repository).
        type: str
        required: true
      repository:
        description: URL of a repository of charts.
        type: str
      version:
        description: Version of the chart. It is needed for all that is not a folder or an archive, and does not have a digest.
        type: str
      release_name:
        description: Name of the release. The name of the workload if it is left out, which only one chart may do.
        type: str
      namespace:
        description: >-
          Namespace of the release, and of namespaced objects that name none. O(namespace) if it is left out. The Namespace itself is not
          among the objects of a chart; add it.
        type: str
      values:
        description: Values of the chart. They win over those of files.
        type: dict
      values_files:
        description: Files with values, each of which wins over those before it.
        type: list
        elements: path
      hooks:
        description:
          - What to do with hooks. They are for the moments of a release, and there is none, so V(skip) only tells of them in RV(hooks).
          - V(include) makes them usual objects of the workload, without an order among them. Tests are left out in any case.
        type: str
        choices: [skip, include]
        default: skip
      include_crds:
        description: Whether the CustomResourceDefinitions in the folder C(crds) of the chart are objects of the workload.
        type: bool
        default: true
      kube_version:
        description: >-
          Version of Kubernetes that the chart is rendered for. That of the WDS if it is left out; without a cluster, that of C(helm). The
          clusters that the objects go to may have others.
        type: str
      api_versions:
        description: >-
          Further API versions that the chart is told of, such as V(monitoring.coreos.com/v1). What the WDS serves is not asked, so that a
          second run gives the same as the first.
        type: list
        elements: str
      ca_path:
        description: File with the certificates of authorities for the registry or repository.
        type: path
      registry_config:
        description: File with credentials for OCI registries, as C(helm registry login) writes it. That of the user is not used.
        type: path
  helm_binary:
    description:
      - Path of C(helm). The one on the PATH if it is left out.
    type: path
  archives:
    description:
      - Archives with objects (V(.tar.gz), V(.tgz), V(.tar), V(.zip)), fetched at every run. One that does not have its checksum is refused.
      - It is read without being unpacked, up to 64 MiB. Links in it are not followed.
    type: list
    elements: dict
    default: []
    suboptions:
      url:
        description: Where it is. Only C(https) is allowed.
        type: str
        required: true
      checksum:
        description: Its checksum, as V(sha256:) and what C(sha256sum) prints.
        type: str
        required: true
      path:
        description: A file in it, or a folder with files. The one folder in which all of an archive is may be left out. All if it is left out.
        type: str
      ca_path:
        description: File with the certificates of authorities that the server may have its own from.
        type: path
      url_username:
        description: User name for the server, which must not lead elsewhere then.
        type: str
      url_password:
        description: Password for the server.
        type: str
  namespace:
    description:
      - Namespace for namespaced objects that name none.
    type: str
  labels:
    description:
      - Labels to add to every object.
    type: dict
    default: {}
  force_conflicts:
    description:
      - Whether fields that another field manager owns are taken over. If not, such an object fails and the owner is named.
    type: bool
    default: false
  prune:
    description:
      - Whether objects are deleted that an earlier run applied for this workload and that are not among its objects any more.
      - Nothing is pruned as long as an object fails, or a kind of which the workload may have objects cannot be listed.
      - An object with the annotation C(helm.sh/resource-policy=keep) is not deleted, here and by O(state=absent); RV(kept) names it.
    type: bool
    default: true
  prune_limit:
    description:
      - The most objects that may be pruned, as a number or as a percentage of the objects that the workload has now. If there are more,
        the run is refused before the first write, since a source may be incomplete.
      - If it is left out, a fifth of the objects may be pruned, but always ten.
    type: str
  recreate:
    description:
      - What is done with an object that differs in a field that cannot be changed. V(never) refuses it, V(allowed) deletes it
        and creates it again. In the WECs it is then deleted and created again too.
      - Namespaces and CustomResourceDefinitions are never recreated.
    type: str
    choices: [never, allowed]
    default: never
  foreign_contents:
    description:
      - What is done if a Namespace or CustomResourceDefinition is to be deleted, by O(prune) or O(state=absent), and others have objects in it,
        which would go too. V(refuse) refuses the run before the first write, V(delete) deletes it with them.
      - What Kubernetes and its controllers make by themselves does not count.
    type: str
    choices: [refuse, delete]
    default: refuse
  applyset_namespace:
    description:
      - Namespace of the ConfigMap that is the parent of the set. It carries no label that a placement of the workload selects.
      - Changing it makes another set, to which the objects do not belong.
    type: str
    default: kube-system
  placement:
    description:
      - How the workload is going to be placed by later tasks. Objects are delivered as soon as they are in the WDS, so what these tasks would
        refuse is refused here, before anything is written.
      - Its keys are C(cluster_selectors), C(waves), C(downsync), C(guards), C(api_groups) and C(wait), as the options of
        M(kubestellar.core.binding_policy), and C(status_collectors) and C(transforms), lists of the options of
        M(kubestellar.core.status_collector) and M(kubestellar.core.custom_transform).
      - All other policies of the WDS that deliver what is changed are judged in any case, by the guards that they were last written with.
        Templates are compared with the properties of clusters if the ITS is given, by O(its) or O(its_kubeconfig).
    type: dict
  wait_timeout:
    description:
      - Seconds to wait until deleted objects are gone, for O(state=absent).
    type: int
    default: 120
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
"""

EXAMPLES = r"""
- name: Describe the shop in wds1
  kubestellar.core.workload:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    wds: wds1
    name: shop
    src:
      - files/shop
    labels:
      team: retail

- name: Let go of a third of the shop, and change what can only be made anew
  kubestellar.core.workload:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    wds: wds1
    name: shop
    src:
      - files/shop
    labels:
      team: retail
    prune_limit: 40%
    recreate: allowed

- name: Describe one from a chart, a kustomization, a template and an archive
  kubestellar.core.workload:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    wds: wds1
    name: shop
    namespace: shop
    definitions:
      apiVersion: v1
      kind: Namespace
      metadata:
        name: shop
    template: [shop.yml.j2]
    kustomize: [overlays/edge]
    helm:
      - chart: oci://registry.example.com/charts/till
        version: 1.4.0
        values:
          replicas: 2
    archives:
      - url: https://downloads.example.com/catalogue-1.0.tar.gz
        checksum: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
        path: manifests

- name: Remove the shop from wds1
  kubestellar.core.workload:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    wds: wds1
    name: shop
    state: absent
"""

RETURN = r"""
objects:
  description: One entry per object, in the order given; for O(state=absent) one per deleted object.
  returned: always
  type: list
  elements: dict
  contains:
    api_version:
      description: API group and version.
      type: str
    kind:
      description: Kind of the object.
      type: str
    namespace:
      description: Namespace, empty for cluster-scoped objects.
      type: str
    name:
      description: Name of the object.
      type: str
    method:
      description: >-
        What was done, or in check mode would be done. One of V(none), V(create), V(update), V(recreate) and V(delete).
      type: str
      sample: create
    changed:
      description: Whether RV(objects[].method) is anything but V(none).
      type: bool
    source:
      description: Where it comes from, such as a file and the number of the document in it.
      returned: for O(state=present)
      type: str
    error:
      description: Why this object failed.
      returned: on failure of this object
      type: str
pruned:
  description: One entry per object that was deleted, or in check mode would be, since it is not among the objects any more; as in RV(objects).
  returned: always
  type: list
  elements: dict
kept:
  description: >-
    One entry per object that would have been deleted, but has the annotation C(helm.sh/resource-policy=keep), or holds such an object; as in
    RV(objects). It stays a member of the workload.
  returned: always
  type: list
  elements: dict
applyset:
  description: The ConfigMap that is the parent of the set.
  returned: unless the hub is only planned
  type: dict
  contains:
    namespace:
      description: Its namespace.
      type: str
    name:
      description: Its name.
      type: str
    method:
      description: What was done with it, or in check mode would be.
      type: str
    changed:
      description: Whether RV(applyset.method) is anything but V(none).
      type: bool
summary:
  description: Number of objects by method, with those that were pruned.
  returned: always
  type: dict
  sample: {"create": 2, "none": 4}
hooks:
  description: The hooks of the charts in O(helm), also those that are no objects of the workload.
  returned: if there are any
  type: list
  elements: dict
  contains:
    kind:
      description: Kind of the object.
      type: str
    namespace:
      description: Namespace, if the chart names one.
      type: str
    name:
      description: Name of the object.
      type: str
    events:
      description: The moments of a release that it is for.
      type: list
      elements: str
      sample: [pre-install, pre-upgrade]
    weight:
      description: Its place among the hooks of the same moment.
      type: int
    source:
      description: The chart and the template that it comes from.
      type: str
    included:
      description: Whether it is an object of the workload.
      type: bool
planned:
  description: >-
    The objects that would be created or changed, each with C(apiVersion), C(kind) and C(metadata), for previews of placement. Those that
    would be pruned have C(state=absent) too.
  returned: in check mode
  type: list
  elements: dict
diff:
  description: Both sides of every changed object, with the values of Secrets masked.
  returned: in diff mode
  type: list
  elements: dict
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bulk, _limit
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    ApiError,
    InvalidInput,
    KubestellarError,
)
from ansible_collections.kubestellar.core.plugins.module_utils._module import Context, run
from ansible_collections.kubestellar.core.plugins.module_utils._resources import BINDING_POLICIES
from ansible_collections.kubestellar.core.plugins.module_utils.placement import (
    apply,
    fates,
    foresight,
    inside,
    intentions,
)
from ansible_collections.kubestellar.core.plugins.module_utils.placement.preview import Preview
from ansible_collections.kubestellar.core.plugins.module_utils.workload import (
    applyset,
    manage,
    names,
    sources,
)
from ansible_collections.kubestellar.core.plugins.module_utils.workload.pieces import Material

SPEC: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    **sources.SOURCES_SPEC,
    "namespace": {"type": "str"},
    "labels": {"type": "dict", "default": {}},
    "force_conflicts": {"type": "bool", "default": False},
    "prune": {"type": "bool", "default": True},
    "prune_limit": {"type": "str"},
    "recreate": {"type": "str", "choices": ["never", "allowed"], "default": "never"},
    "foreign_contents": {"type": "str", "choices": ["refuse", "delete"], "default": "refuse"},
    "applyset_namespace": {"type": "str", "default": "kube-system"},
    "placement": {"type": "dict"},
    **apply.PLANNED_SPEC,
    **inside.WECS_SPEC,
    "wait_timeout": {"type": "int", "default": 120},
}


def work(context: Context) -> dict[str, Any]:
    """Apply or delete the workload."""
    params = context.params
    present = params["state"] == "present"
    names.check_name(params["name"])
    applyset.check(params["applyset_namespace"], params["labels"])
    aset = applyset.ApplySet(params["name"], params["applyset_namespace"])
    given = sources.take(params)
    intended = (
        intentions.read(params["name"], params["placement"]) if present and params["placement"] else None
    )
    held = _held(context, given) if present else Material()
    wish = manage.Wish(
        namespace=held.namespaces,
        sources=held.origins,
        force=params["force_conflicts"],
        prune=params["prune"],
        limit=_limit.parse("prune_limit", params["prune_limit"]),
        recreate=params["recreate"] == "allowed",
        contents=params["foreign_contents"] == "delete",
    )
    objects = _labelled(held, params, aset)
    hooks = {"hooks": list(held.hooks)} if held.hooks else {}
    if context.planned:
        planned = [_bulk.planned(obj, own) for obj, own in zip(objects, held.namespaces, strict=True)]
        return {**_result(context, manage.Done(planned), str(params["wds"])), **hooks}
    wds = context.wds()
    workload = manage.Workload(
        wds,
        aset,
        dry_run=context.check_mode,
        progress=context.progress,
        judge=lambda planned: _judge(context, planned, intended),
    )
    try:
        if present:
            workload.apply(objects, wish)
        else:
            workload.remove(contents=wish.contents, timeout=params["wait_timeout"])
    except KubestellarError as error:
        error.details = {**_result(context, workload.done, wds.name), **hooks, **error.details}
        raise
    finally:
        for text in workload.done.warnings:
            context.warn(text)
    return {**_result(context, workload.done, wds.name), **hooks}


def _held(context: Context, given: Mapping[str, Any]) -> Material:
    """The objects of the sources. Charts are rendered for the version of the WDS, unless it is only planned."""
    params = context.params
    held = sources.read(
        given,
        f"workload {params['name']}",
        name=params["name"],
        namespace=params["namespace"],
        kube_version=None if context.planned else lambda: context.wds().version(),
    )
    if not held.objects:
        raise InvalidInput(
            f"The workload {params['name']} has no objects.",
            hint="Give definitions, src or another source, or remove the workload with state=absent.",
        )
    return held


def _judge(
    context: Context, planned: Sequence[Mapping[str, Any]], intended: foresight.Intended | None
) -> None:
    """See `foresight.judge_objects`. A policy that is there as intended is left to the task that writes it.

    :param planned: what differs, as it will be.
    """
    params = context.params
    if not planned and (intended is None or _placed(context.wds(), intended)):
        return
    groups = (params["placement"] or {}).get("api_groups")
    # Whoever removes a workload has removed its policy before, or is to wait for what that leaves behind.
    leaving = [params["name"]] if params["state"] == "absent" else []
    wecs = inside.connections(params["wecs"])
    try:
        seen = foresight.judge_objects(
            apply.sources(context, groups, planned), intended, leaving=leaving, wecs=wecs
        )
    except ApiError as error:
        if error.status != 403 or intended is not None:
            raise
        context.warn(
            f"What becomes of the policies that deliver these objects was not looked at, since the credentials may not read all "
            f"of {context.wds().name}: {error.message}"
        )
        return
    if seen is not None:
        _tell(context, seen)


def _tell(context: Context, seen: Preview) -> None:
    """Warn of what only the content of objects shows; the task that writes the policy tells the rest."""
    codes = {*fates.CODES, "never-delivered", *(["collector-missing"] if context.check_mode else [])}
    for item in [one for one in seen.warnings if one["code"] in codes][: apply.MOST_WARNINGS]:
        context.warn(f"workload {context.params['name']}: {item['message']} {item['hint']} [{item['code']}]")


def _placed(wds: Cluster, intended: foresight.Intended) -> bool:
    live = wds.get(BINDING_POLICIES, intended.name)
    stays = live is not None and not live["metadata"].get("deletionTimestamp")
    return stays and apply.bare((live or {}).get("spec")) == intended.spec


def _labelled(held: Material, params: Mapping[str, Any], aset: applyset.ApplySet) -> list[dict[str, Any]]:
    """The objects with the labels of the workload."""
    labels = {
        **params["labels"],
        names.WORKLOAD_LABEL: params["name"],
        applyset.PART_OF: aset.id,
    }
    return _bulk.check_definitions(names.labelled(held.objects, labels), "labels")


def _result(context: Context, done: manage.Done, cluster: str) -> dict[str, Any]:
    """The documented result."""
    outcomes = done.outcomes
    members = [*done.objects, *done.pruned]
    result: dict[str, Any] = {
        "changed": any(outcome.changed for outcome in outcomes),
        "objects": [outcome.result() for outcome in done.objects],
        "pruned": [outcome.result() for outcome in done.pruned],
        "kept": [outcome.result() for outcome in done.kept],
        "summary": dict(Counter(outcome.method for outcome in members)),
    }
    if done.parent is not None:
        result["applyset"] = {
            key: value
            for key, value in done.parent.result().items()
            if key in ("name", "namespace", "method", "changed")
        }
    if context.check_mode and context.params["state"] == "present":
        result["planned"] = [
            *(_identified(outcome) for outcome in done.objects if outcome.changed),
            *({**_identified(outcome), "state": "absent"} for outcome in done.pruned),
        ]
    if context.diff_mode:
        result["diff"] = [outcome.diff(cluster) for outcome in outcomes if outcome.changed]
    return result


def _identified(outcome: _bulk.Outcome) -> dict[str, Any]:
    """What decides where an object is placed."""
    metadata: dict[str, Any] = {"name": outcome.name}
    if outcome.namespace:
        metadata["namespace"] = outcome.namespace
    metadata["labels"] = dict(((outcome.after or {}).get("metadata") or {}).get("labels") or {})
    return {"apiVersion": outcome.api_version, "kind": outcome.kind, "metadata": metadata}


def main() -> None:
    """Entry point."""
    run(SPEC, work, spaces=("wds", "its"))


if __name__ == "__main__":
    main()
