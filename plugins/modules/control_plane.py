#!/usr/bin/python
# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: control_plane
version_added: "0.1.0"
short_description: Manage the spaces of a hub
description:
  - Creates, adopts and removes spaces (ITSes and WDSes) as KubeFlex ControlPlanes in the hosting cluster, one or many in one call.
  - With O(type=external) an existing cluster is adopted. Its kubeconfig goes into a Secret that KubeFlex reads once and deletes.
    Then the kubeconfig that KubeFlex made is also stored under the key that C(status.secretRef) names, where KubeFlex leaves it out.
    That is not done for a space with hooks that is not waited for, since its controllers run in the hosting cluster.
  - A run that was interrupted at any point is completed by the next one.
author:
  - kubestellar.core contributors (@kubestellar)
extends_documentation_fragment:
  - kubestellar.core._auth
  - kubestellar.core._attributes
  - kubestellar.core._attributes.action_group
options:
  name:
    description:
      - Name of the space. Give this or O(spaces).
    type: str
  spaces:
    description:
      - Several spaces. What an entry leaves out is taken from the option of the same name.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the space.
        type: str
        required: true
      role:
        description: See O(role).
        type: str
        choices: [its, wds]
      type:
        description: See O(type).
        type: str
        choices: [external, host, k8s, vcluster]
      hooks:
        description: See O(hooks).
        type: list
        elements: dict
        suboptions:
          name:
            description: Name of the PostCreateHook.
            type: str
            required: true
          vars:
            description: Variables of the hook.
            type: dict
            default: {}
      bootstrap_kubeconfig:
        description: See O(bootstrap_kubeconfig).
        type: path
      bootstrap_context:
        description: See O(bootstrap_context).
        type: str
      bootstrap_secret:
        description: See O(bootstrap_secret).
        type: dict
        suboptions:
          name:
            description: Name of the Secret, by default the name of the space with C(-bootstrap).
            type: str
          namespace:
            description: Namespace of the Secret, by default O(bootstrap_namespace).
            type: str
          key:
            description: Key of the kubeconfig in the Secret, by default C(kubeconfig-incluster).
            type: str
      token_expiration_seconds:
        description: See O(token_expiration_seconds).
        type: int
      its:
        description:
          - The ITS of a WDS. It belongs to the controllers, not to the ControlPlane, and has no effect here.
            It is accepted so that a list from the inventory can be given as it is.
        type: str
      api_groups:
        description:
          - The API groups of a WDS. As with O(spaces[].its) it has no effect here.
        type: list
        elements: str
  role:
    description:
      - What the space is for, V(its) (inventory and transport) or V(wds) (workload description). Required unless each space names its own,
        and with O(state=present) only.
    type: str
    choices: [its, wds]
  type:
    description:
      - Type of the ControlPlane. It cannot be changed later.
    type: str
    choices: [external, host, k8s, vcluster]
    default: external
  hooks:
    description:
      - PostCreateHooks of the ControlPlane. With hooks, KubeFlex sets the label C(kflex.kubestellar.io/cptype) when they are done,
        and readiness includes them. Without, this module sets the label from O(role).
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the PostCreateHook.
        type: str
        required: true
      vars:
        description: Variables of the hook.
        type: dict
        default: {}
  bootstrap_kubeconfig:
    description:
      - File with the kubeconfig of an administrator of the cluster to adopt, for O(type=external). Its server address must be reachable from
        the KubeFlex manager. It is needed until the cluster is adopted.
    type: path
  bootstrap_kubeconfig_content:
    description:
      - The same as YAML text, instead of a file. Only with O(name).
    type: str
  bootstrap_context:
    description:
      - The context in the bootstrap kubeconfig. If it is left out, the context with the name of the space, or else the only one.
    type: str
  bootstrap_namespace:
    description:
      - Namespace of the hosting cluster for the bootstrap Secret, which is called C(<name>-bootstrap). It is created if it is missing.
    type: str
    default: kubeflex-system
  bootstrap_secret:
    description:
      - Another name, namespace or key of the bootstrap Secret. Without a bootstrap kubeconfig, the Secret must be there until the
        cluster is adopted.
    type: dict
    suboptions:
      name:
        description: Name of the Secret, by default the name of the space with C(-bootstrap).
        type: str
      namespace:
        description: Namespace of the Secret, by default O(bootstrap_namespace).
        type: str
      key:
        description: Key of the kubeconfig in the Secret, by default C(kubeconfig-incluster).
        type: str
  bootstrap_only:
    description:
      - Whether only the bootstrap Secret is written, until the cluster is adopted, and no ControlPlane. That is for ControlPlanes that
        somebody else makes, such as the core chart.
    type: bool
    default: false
  token_expiration_seconds:
    description:
      - Life of the token that KubeFlex asks the adopted cluster for, whose API server may shorten it. KubeFlex asks for a year if it is
        left out. M(kubestellar.core.space_credentials) renews it.
    type: int
  annotations:
    description:
      - Annotations of the ControlPlanes.
    type: dict
    default: {}
  state:
    description:
      - V(present) creates or adopts the spaces; V(absent) deletes them. An adopted cluster itself stays.
    type: str
    choices: [present, absent]
    default: present
  wait:
    description:
      - Whether to wait until the spaces are ready, or gone with their namespaces.
      - Without waiting, a later run completes the Secret of an adopted space.
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds to wait, for all spaces together.
    type: int
    default: 300
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
"""

EXAMPLES = r"""
- name: Adopt a cluster as an ITS
  kubestellar.core.control_plane:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    name: its1
    role: its
    type: external
    bootstrap_kubeconfig: /etc/kubestellar/its1.kubeconfig

- name: Adopt two clusters, each by the context of its name
  kubestellar.core.control_plane:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    bootstrap_kubeconfig: /etc/kubestellar/spaces.kubeconfig
    spaces:
      - name: its1
        role: its
      - name: wds1
        role: wds
        its: its1

- name: Adopt a cluster as a WDS beside those of the core chart, with the hooks of the chart
  kubestellar.core.control_plane:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    name: wds3
    role: wds
    type: external
    bootstrap_kubeconfig: /etc/kubestellar/wds3.kubeconfig
    hooks:
      - name: kubestellar-controller
        vars:
          APIGroups: ""
          ITSName: its1
      - name: transport-controller
        vars:
          WDSSecretName: admin-kubeconfig
          WDSSecretKey: kubeconfig-incluster
          ITSName: its1
    wait: false

- name: Create a WDS with KubeStellar's hook
  kubestellar.core.control_plane:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    name: wds2
    role: wds
    type: k8s
    hooks:
      - name: wds
        vars:
          ITSName: its1
"""

RETURN = r"""
object:
  description: The space of O(name), as in RV(objects).
  returned: with O(name)
  type: dict
objects:
  description: The spaces, in the order given.
  returned: always
  type: list
  elements: dict
  contains:
    kind:
      description: Always C(ControlPlane).
      type: str
    name:
      description: Name of the space.
      type: str
    namespace:
      description: Always empty, a ControlPlane is cluster-scoped.
      type: str
    role:
      description: What it is for.
      type: str
    type:
      description: Type of the ControlPlane.
      type: str
    ready:
      description: Whether it is ready. In check mode, whether it is now.
      type: bool
    hooks:
      description: Hook name to whether it is done.
      type: dict
    conditions:
      description: Conditions last seen, each with C(type), C(status), C(reason) and C(message).
      type: list
      elements: dict
    secret_ref:
      description: The Secret with its kubeconfig (C(namespace), C(name), C(key), C(in_cluster_key)), empty until there is one.
      type: dict
    method:
      description: What was done, or in check mode would be done.
      type: str
      sample: create
    changed:
      description: Whether RV(objects[].method) is anything but V(none).
      type: bool
method:
  description: Same as in RV(object).
  returned: with O(name)
  type: str
ready:
  description: Same as in RV(object).
  returned: with O(name)
  type: bool
hooks:
  description: Same as in RV(object).
  returned: with O(name)
  type: dict
waited:
  description: Seconds waited.
  returned: always
  type: float
diff:
  description: Both sides of every changed object, with the values of Secrets masked.
  returned: in diff mode
  type: list
  elements: dict
"""

from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _control_plane
from ansible_collections.kubestellar.core.plugins.module_utils._module import Context, run

_SECRET: dict[str, Any] = {
    "type": "dict",
    "options": {
        "name": {"type": "str"},
        "namespace": {"type": "str"},
        "key": {"type": "str", "no_log": False},
    },
    "no_log": False,
}
_HOOKS: dict[str, Any] = {
    "type": "list",
    "elements": "dict",
    "options": {"name": {"type": "str", "required": True}, "vars": {"type": "dict", "default": {}}},
}
SPEC: dict[str, Any] = {
    "name": {"type": "str"},
    "spaces": {
        "type": "list",
        "elements": "dict",
        "options": {
            "name": {"type": "str", "required": True},
            "role": {"type": "str", "choices": list(_control_plane.ROLES)},
            "type": {"type": "str", "choices": list(_control_plane.TYPES)},
            "hooks": _HOOKS,
            "bootstrap_kubeconfig": {"type": "path"},
            "bootstrap_context": {"type": "str"},
            "bootstrap_secret": _SECRET,
            "token_expiration_seconds": {"type": "int", "no_log": False},
            "its": {"type": "str"},
            "api_groups": {"type": "list", "elements": "str"},
        },
    },
    "role": {"type": "str", "choices": list(_control_plane.ROLES)},
    "type": {"type": "str", "choices": list(_control_plane.TYPES), "default": "external"},
    "hooks": {**_HOOKS, "default": []},
    "bootstrap_kubeconfig": {"type": "path"},
    "bootstrap_kubeconfig_content": {"type": "str", "no_log": True},
    "bootstrap_context": {"type": "str"},
    "bootstrap_namespace": {"type": "str", "default": "kubeflex-system"},
    "bootstrap_secret": _SECRET,
    "bootstrap_only": {"type": "bool", "default": False},
    "token_expiration_seconds": {"type": "int", "no_log": False},
    "annotations": {"type": "dict", "default": {}},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 300},
}


def work(context: Context) -> dict[str, Any]:
    """Create, adopt or remove the spaces."""
    params = context.params
    names = _control_plane.names_of(params)
    arguments = {
        "bootstrap_namespace": params["bootstrap_namespace"],
        "wait": params["wait"],
        "timeout": params["wait_timeout"],
        "dry_run": context.check_mode,
        "progress": context.progress,
    }
    if params["state"] == "absent":
        if context.planned:
            made = _control_plane.Result([], [])
        else:
            made = _control_plane.remove(context.hosting(), names, **arguments)
    else:
        wishes = _control_plane.wishes_of(params)
        if params["bootstrap_only"]:
            made = _control_plane.prepare(
                context.hosting(),
                wishes,
                bootstrap_namespace=params["bootstrap_namespace"],
                dry_run=context.check_mode,
            )
        elif context.planned:
            made = _control_plane.forecast(wishes, params["bootstrap_namespace"])
        else:
            made = _control_plane.bring_about(context.hosting(), wishes, **arguments)
    result: dict[str, Any] = {
        "changed": made.changed,
        "objects": made.objects,
        "waited": made.waited,
    }
    if params["name"] and made.objects:
        single = made.objects[0]
        result.update(object=single, method=single["method"], ready=single["ready"], hooks=single["hooks"])
    if context.diff_mode:
        result["diff"] = made.diffs
    return result


def main() -> None:
    """Entry point."""
    run(
        SPEC,
        work,
        mutually_exclusive=[
            ("name", "spaces"),
            ("spaces", "bootstrap_kubeconfig_content"),
            ("bootstrap_kubeconfig", "bootstrap_kubeconfig_content"),
        ],
        required_one_of=[("name", "spaces")],
    )


if __name__ == "__main__":
    main()
