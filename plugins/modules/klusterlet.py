#!/usr/bin/python
# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: klusterlet
version_added: "0.1.0"
short_description: Give clusters OCM's operator and agents, with which they join a hub
description:
  - Installs OCM's klusterlet operator on many clusters at once, with a Klusterlet and, where a cluster needs it, the credential to join
    an ITS with; and waits until the agents run. C(clusteradm) is not needed.
  - The operator comes from OCM's klusterlet chart, which helm renders once for all clusters; it is then applied to each.
  - A cluster needs a credential while it has no certificate that is good, if the address or the authority of its hub changes, or if the hub
    has no record of it any more. Any other is left alone, also if a credential is given.
  - Afterwards, M(kubestellar.core.managed_cluster) accepts the clusters. It cannot be waited for here that they are available.
  - A cluster is refused if it is the hub and does not say so, if it belongs to another hub or is registered under another name, and if
    two entries lead to the same cluster.
author:
  - kubestellar.core contributors (@kubestellar)
extends_documentation_fragment:
  - kubestellar.core._auth
  - kubestellar.core._auth.its
  - kubestellar.core._klusterlet
  - kubestellar.core._attributes
  - kubestellar.core._attributes.action_group
requirements:
  - cryptography
  - helm, unless O(operator=false)
notes:
  - The options O(kubeconfig), O(its) and so on lead to the hub. With O(its) or O(its_kubeconfig), this module sees that no cluster is the hub,
    and finds the address for each. Without them, the bootstrap kubeconfig says what the hub is.
options:
  state:
    description:
      - With V(absent), the Klusterlet is deleted and waited for, then the operator, its namespaces, and the kinds of which there are no objects.
        What is used by anything else stays.
    type: str
    choices: [present, absent]
    default: present
  bootstrap_kubeconfig:
    description:
      - File with the kubeconfig to join with, as M(kubestellar.core.join_credentials) writes it. Nobody else may read it.
        It is not read in check mode if it does not exist.
    type: path
  bootstrap_content:
    description:
      - The kubeconfig to join with, instead of O(bootstrap_kubeconfig).
    type: str
  operator:
    description:
      - Whether the operator is installed, and removed with O(state=absent). Else it must be there.
    type: bool
    default: true
  chart_ref:
    description:
      - The klusterlet chart. A folder, an archive, an OCI reference, or its name in O(chart_repo).
    type: str
    default: klusterlet
  chart_repo:
    description:
      - URL of a Helm repository, for a O(chart_ref) that is a name.
    type: str
    default: https://open-cluster-management.io/helm-charts
  chart_version:
    description:
      - Version of the chart. That of a folder or archive is in it.
    type: str
    default: 1.0.0
  chart_values:
    description:
      - Values of the chart that no option has, such as C(nodeSelector) or C(klusterlet.nodePlacement).
    type: dict
    default: {}
  helm:
    description:
      - Path of helm. By default the first one on the PATH.
    type: path
  image_registry:
    description:
      - Where OCM's images are, without a slash at the end.
    type: str
    default: quay.io/open-cluster-management
  image_tag:
    description:
      - Tag of OCM's images.
    type: str
    default: v1.0.0
  image_pull_secret:
    description:
      - File with a Docker configuration to pull the images with. The operator copies it to the namespaces of agents and add-ons.
    type: path
  agent_limits:
    description:
      - Client-side rate limits of the agents, towards their own cluster and towards the hub. Upstream's are 50 and 100.
    type: dict
    suboptions:
      qps:
        description:
          - Requests per second.
        type: int
      burst:
        description:
          - Requests at once.
        type: int
  feature_gates:
    description:
      - Feature gates of the agents, each V(true) or V(false).
    type: dict
    suboptions:
      registration:
        description:
          - Gates of registration.
        type: dict
      work:
        description:
          - Gates of work.
        type: dict
  certificate_seconds:
    description:
      - Life of the client certificate of the agent, at least 3600. Left out or 0, what the hub gives.
    type: int
  status_sync_interval:
    description:
      - How often the agent looks at what was delivered, such as V(10s).
    type: str
  force_conflicts:
    description:
      - Whether fields are taken over from other tools, such as C(clusteradm) or Helm.
    type: bool
    default: false
  force:
    description:
      - With O(state=absent), whether the Klusterlet goes although what was delivered is still there, which then stays behind; and whether its
        finalizers are taken away where no operator runs.
    type: bool
    default: false
  strict:
    description:
      - Whether the module fails if a cluster does. Else that is told in the result, so that the others can be gone on with.
    type: bool
    default: true
  wait:
    description:
      - Whether to wait until the operator and the agents run and the agents get to the hub.
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds to wait for each cluster.
    type: int
    default: 300
  patience:
    description:
      - Seconds for which a trouble that may pass by itself, such as an image that cannot be pulled, must last to end the wait.
    type: int
    default: 20
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
"""

EXAMPLES = r"""
- name: Write a credential to join with
  kubestellar.core.join_credentials:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    its: its1
    dest:
      - /run/kubestellar/bootstrap.kubeconfig

- name: Let two clusters ask to join
  kubestellar.core.klusterlet:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    its: its1
    bootstrap_kubeconfig: /run/kubestellar/bootstrap.kubeconfig
    clusters:
      - name: lisbon
        kubeconfig: /etc/kubestellar/lisbon.kubeconfig
        context: lisbon
      - name: turin
        host: https://turin.example.com:6443
        api_key: "{{ turin_token }}"
        ca_cert: /etc/kubestellar/turin.crt

- name: Take the images from a registry of the site
  kubestellar.core.klusterlet:
    bootstrap_kubeconfig: /run/kubestellar/bootstrap.kubeconfig
    chart_ref: /srv/charts/klusterlet-1.0.0.tgz
    image_registry: registry.example.com/open-cluster-management
    image_pull_secret: /etc/kubestellar/registry.json
    clusters:
      - name: lisbon
        kubeconfig: /etc/kubestellar/lisbon.kubeconfig
        endpoint: https://its1.example.com:9443

- name: Remove operator and agents from a cluster that was detached
  kubestellar.core.klusterlet:
    state: absent
    clusters:
      - name: lisbon
        kubeconfig: /etc/kubestellar/lisbon.kubeconfig
"""

RETURN = r"""
clusters:
  description: One entry per cluster.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the cluster.
      type: str
    server:
      description: URL of its API server.
      type: str
    klusterlet:
      description: Name of its Klusterlet.
      type: str
    namespace:
      description: Namespace of its agents.
      type: str
    hub:
      description: URL by which its Pods reach the hub, empty if that is not known.
      type: str
    joined:
      description: Whether it has a certificate of a hub that has not expired.
      type: bool
    bootstrap_needed:
      description: Whether it needed a credential to join with when it was looked at.
      type: bool
    bootstrap_reason:
      description: Why.
      type: str
    bootstrap_written:
      description: Whether it has got one.
      type: bool
    changed:
      description: Whether anything was written there.
      type: bool
    method:
      description: C(none), C(create), C(update) or C(delete).
      type: str
    failed:
      description: Whether something went wrong with it.
      type: bool
    conditions:
      description: What its operator says of it, each with C(type), C(status), C(reason) and C(message).
      type: list
      elements: dict
    error:
      description: What went wrong.
      returned: then
      type: str
    hint:
      description: What to do about it.
      returned: then
      type: str
    findings:
      description: What keeps its agents from running, each with C(id), C(where), C(message) and C(hint).
      returned: then
      type: list
      elements: dict
failed_clusters:
  description: The names of the clusters that something went wrong with.
  returned: always
  type: list
  elements: str
failures:
  description: One sentence for each of them, with the remedy.
  returned: always
  type: list
  elements: str
waited:
  description: Seconds waited, for the slowest cluster.
  returned: always
  type: float
diff:
  description: Both sides of every changed object, with the name of its C(cluster). Values of Secrets are masked.
  returned: in diff mode
  type: list
  elements: dict
"""

import os
import time
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, plain
from ansible_collections.kubestellar.core.plugins.module_utils._module import Context, run
from ansible_collections.kubestellar.core.plugins.module_utils.klusterlet import (
    absent,
    chart,
    fleet,
    objects,
    present,
    wishes,
)
from ansible_collections.kubestellar.core.plugins.module_utils.klusterlet import hub as hubs
from ansible_collections.kubestellar.core.plugins.module_utils.klusterlet.connect import view_of

SPEC: dict[str, Any] = {
    **wishes.CLUSTERS_SPEC,
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "bootstrap_kubeconfig": {"type": "path", "no_log": False},
    "bootstrap_content": {"type": "str", "no_log": True},
    "operator": {"type": "bool", "default": True},
    "chart_ref": {"type": "str", "default": chart.CHART},
    "chart_repo": {"type": "str", "default": chart.REPOSITORY},
    "chart_version": {"type": "str", "default": chart.VERSION},
    "chart_values": {"type": "dict", "default": {}},
    "helm": {"type": "path"},
    "image_registry": {"type": "str", "default": "quay.io/open-cluster-management"},
    "image_tag": {"type": "str", "default": chart.IMAGE_TAG},
    "image_pull_secret": {"type": "path", "no_log": False},
    "agent_limits": {"type": "dict", "options": {"qps": {"type": "int"}, "burst": {"type": "int"}}},
    "feature_gates": {
        "type": "dict",
        "options": {"registration": {"type": "dict"}, "work": {"type": "dict"}},
    },
    "certificate_seconds": {"type": "int"},
    "status_sync_interval": {"type": "str"},
    "force_conflicts": {"type": "bool", "default": False},
    "force": {"type": "bool", "default": False},
    "strict": {"type": "bool", "default": True},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 300},
    "patience": {"type": "int", "default": 20},
}


def work(context: Context) -> dict[str, Any]:
    """Bring the clusters about, or take them down."""
    params = context.params
    wanted, place = wishes.wishes_of(params, check_mode=context.check_mode)
    now = time.time()
    if params["state"] == "absent":
        members = _absent(context, wanted, place)
    else:
        members = _present(context, wanted, place, now)
    failed = [member for member in members if member.error]
    result: dict[str, Any] = {
        "changed": any(member.changed for member in members),
        "clusters": [member.result(place, now) for member in members],
        "failed_clusters": [member.name for member in failed],
        "failures": [f"{member.error} {member.hint}".strip() for member in failed],
        "waited": max(member.waited for member in members),
    }
    if context.diff_mode:
        result["diff"] = [
            {**outcome.diff(member.name), "cluster": member.name}
            for member in members
            for outcome in member.outcomes
            if outcome.changed and not outcome.error
        ]
    for member in members:
        for text in member.warnings:
            context.warn(text)
    if params["strict"]:
        verb = "removed from" if params["state"] == "absent" else "set up"
        fleet.raise_failures(members, verb, result)
    return result


def _present(
    context: Context, wanted: list[wishes.Wish], place: wishes.Place, now: float
) -> list[fleet.Member]:
    params = context.params
    spec, bootstrap = wishes.spec_of(params), _bootstrap(context)
    images = chart.images(params["image_registry"], params["image_tag"])
    plan = present.Plan(
        place=place,
        operator=params["operator"],
        rendered=_rendered(params) if params["operator"] else chart.Rendered((), images),
        spec=spec,
        pull=_pull_secret(params["image_pull_secret"]),
        bootstrap=bootstrap,
        force_conflicts=params["force_conflicts"],
        wait=params["wait"],
        timeout=params["wait_timeout"],
        patience=params["patience"],
        dry_run=context.check_mode,
    )
    view = view_of(context, place, bootstrap.known if bootstrap else None)
    members = fleet.look(wanted, view, params["parallel"])
    fleet.each(members, lambda member: fleet.judge(member, view, now), parallel=1)
    present.check_needs(members, plan)
    journal = fleet.Journal(context.progress)
    for member in members:
        if member.error:
            journal.tell(member.name, member.error)
    if view.management is not None and plan.operator:
        # All share one operator.
        shared = fleet.Member(members[0].wish, home=view.management)
        present.apply(shared, view.management, present.operator_definitions(plan), plan)
        members[0].outcomes += shared.outcomes
    fleet.each(members, lambda member: present.bring_about(member, plan, journal), params["parallel"])
    return members


def _absent(context: Context, wanted: list[wishes.Wish], place: wishes.Place) -> list[fleet.Member]:
    params = context.params
    removal = absent.Removal(
        place=place,
        operator=params["operator"],
        force=params["force"],
        timeout=params["wait_timeout"],
        dry_run=context.check_mode,
    )
    members = fleet.look(wanted, view_of(context, place, registered=False), params["parallel"])
    fleet.each(members, lambda member: absent.check(member, removal), params["parallel"])
    journal = fleet.Journal(context.progress)
    fleet.each(members, lambda member: absent.remove(member, removal, journal), params["parallel"])
    return members


def _rendered(params: dict[str, Any]) -> chart.Rendered:
    source = chart.Source(
        params["chart_ref"], params["chart_repo"], params["chart_version"], params["helm"] or ""
    )
    given = chart.values(params["image_registry"], params["image_tag"], params["chart_values"])
    return chart.render(source, given, os.environ)


def _bootstrap(context: Context) -> hubs.Bootstrap | None:
    path, content = context.params["bootstrap_kubeconfig"], context.params["bootstrap_content"]
    if content:
        return hubs.bootstrap_of(content, "bootstrap_content")
    if not path or (context.check_mode and not os.path.exists(path)):
        return None
    return hubs.read_bootstrap(path)


def _pull_secret(path: str | None) -> dict[str, Any] | None:
    if not path:
        return None
    try:
        with open(path, encoding="utf-8") as stream:
            return objects.pull_secret(stream.read())
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"image_pull_secret: {path} cannot be read: {plain(error, 120)}.") from error


def main() -> None:
    """Entry point."""
    run(SPEC, work, spaces=("its",), mutually_exclusive=[("bootstrap_kubeconfig", "bootstrap_content")])


if __name__ == "__main__":
    main()
