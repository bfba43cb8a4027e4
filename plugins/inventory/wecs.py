# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: wecs
version_added: "0.1.0"
author:
  - kubestellar.core contributors (@kubestellar)
short_description: The clusters that are registered with a KubeStellar hub
description:
  - Makes a host of each workload execution cluster (WEC) that is registered in the ITSes of a hub.
  - It only reads. Lists are read once for each ITS, so that the number of requests depends neither on the number of clusters nor on
    that of groups.
  - A source is a file whose name ends in C(.kubestellar.yml) or C(.kubestellar.yaml).
  - What cannot be read is an error, and never an inventory without clusters. Set C(any_unparsed_is_failed) in the section C(inventory)
    of C(ansible.cfg), else Ansible only warns about it; AWX sets it itself.
extends_documentation_fragment:
  - kubestellar.core._auth
  - constructed
  - inventory_cache
requirements:
  - The Python library C(kubernetes) where Ansible runs.
options:
  plugin:
    description: What the file is for.
    type: str
    required: true
    choices: [kubestellar.core.wecs]
  itses:
    description:
      - The ITSes whose clusters are read. If it is left out, all ITSes of the hub, which are the ControlPlanes with the label
        C(kflex.kubestellar.io/cptype=its).
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the ITS, a ControlPlane of the hosting cluster. With O(itses[].kubeconfig) any name.
        type: str
        required: true
      kubeconfig:
        description: Kubeconfig that leads straight to the ITS, instead of the connection to the hosting cluster.
        type: path
      context:
        description: The context in O(itses[].kubeconfig). It may be left out only if there is exactly one.
        type: str
  label_selectors:
    description:
      - Only clusters that match all of these selectors, each in the form of C(kubectl get -l).
    type: list
    elements: str
    default: []
  leases:
    description:
      - Whether a cluster whose Lease is stale counts as unreachable, whatever its ManagedCluster says. Needs the right to list Leases.
    type: bool
    default: true
  hub:
    description:
      - Inventory name of the hub, for the variable C(wec_hub). Needed only where there are several in the group C(kubestellar_hubs).
    type: str
  host_name:
    description:
      - How hosts are called. C({name}) stands for the name of the cluster and has to be in it, C({its}) for that of its ITS.
      - A name that is in several ITSes, or that Ansible has a group of (C(all), C(ungrouped)), gets a dot and its ITS behind it, and the
        same in another ITS too.
    type: str
    default: "{name}"
  label_groups:
    description:
      - Labels that make groups, by shell patterns of their keys. Those that match one with C(!) in front do not. Patterns with C(!) alone
        mean all others.
      - The label of cluster sets makes groups of its own.
    type: list
    elements: str
    default: ["*"]
  connections:
    description:
      - Ways to clusters, for playbooks that work in them; the hub knows none. The key is the name of a host or a shell pattern, the value a
        mapping with C(kubeconfig) and C(context). The first pattern that matches counts, and a name goes before patterns.
      - C(context) may be left out where contexts have the names of the clusters.
      - They become the variables C(wec_kubeconfig) and C(wec_context) as they are written. A path has to be good where playbooks run; a
        template, such as one with C(inventory_dir) or the lookup C(env), is resolved there.
    type: dict
    default: {}
notes:
  - Relative paths of O(kubeconfig), O(itses[].kubeconfig), O(ca_cert), O(client_cert) and O(client_key) count from the folder of the file.
    Ansible takes each file in a folder of an inventory for a source, so they are better kept elsewhere.
    Options except O(connections) may be templates that use C(inventory_dir) and extra variables.
  - All hosts are in C(kubestellar_wecs), and in C(kubestellar_available) or C(kubestellar_unavailable), of which C(kubestellar_unreachable)
    is a part; in C(kubestellar_accepted) or C(kubestellar_not_accepted); those that are not accepted and that no source before this one lists
    in C(kubestellar_wecs) are in C(kubestellar_strangers), which M(kubestellar.core.managed_cluster) can accept and C(wecs.yml) leaves alone;
    in C(kubestellar_its_<its>); in C(kubestellar_set_<cluster set>) and, for each label, C(kubestellar_label_<key>_<value>). What is no
    letter or digit becomes an underscore. If different labels make the same group that way, a warning says so; with O(strict) it is an error.
  - A cluster with the name of a host that a source before this one lists, but not in C(kubestellar_wecs), or of C(localhost), is left out with a warning.
  - Labels, annotations, claims and the rest are the host variables C(kubestellar_labels), C(kubestellar_annotations), C(kubestellar_claims)
    and so on; the guide lists them. They are text of others and are never templated.
  - Hosts have C(wec_name), C(wec_its) and C(wec_provider=registered), so that the playbooks of this collection take them for what they are.
    C(ansible_connection) is C(local). Variables in C(group_vars) and C(host_vars) go before these, and hosts that the inventory has already
    keep theirs.
  - In AWX, the name of the file has to be typed in as the source of the inventory, since it is not among those that are suggested. The
    credential is one of a custom type that sets E(K8S_AUTH_KUBECONFIG) and E(K8S_AUTH_CONTEXT); the guide has it. No option then names a
    connection.
seealso:
  - module: kubestellar.core.managed_cluster_info
"""

EXAMPLES = r"""
# All clusters of a hub. A file such as inventory/wecs.kubestellar.yml, beside inventory/hosts.yml with the hub.
plugin: kubestellar.core.wecs
kubeconfig: /etc/kubestellar/hub.kubeconfig
context: hub

---
# In AWX, with a credential that sets K8S_AUTH_KUBECONFIG and K8S_AUTH_CONTEXT.
plugin: kubestellar.core.wecs

---
# One ITS directly, without its hub, and only a part of its clusters.
plugin: kubestellar.core.wecs
itses:
  - name: its1
    kubeconfig: /etc/kubestellar/its1.kubeconfig
    context: its1
label_selectors:
  - location-group=edge

---
# Groups and variables of one's own, ways to the clusters, and a cache.
plugin: kubestellar.core.wecs
host: https://hub.example.com:6443
api_key: "{{ lookup('ansible.builtin.env', 'HUB_TOKEN') }}"
ca_cert: /etc/kubestellar/hub-ca.crt
label_groups:
  - "location-*"
  - "!location-id"
keyed_groups:
  - prefix: kubernetes
    key: kubestellar_version
groups:
  old: kubestellar_version is version('v1.30', '<')
compose:
  city: kubestellar_properties.city | default('unknown')
connections:
  cluster1:
    kubeconfig: /etc/kubestellar/cluster1.kubeconfig
    context: admin
  "edge-*":
    kubeconfig: "{{ inventory_dir }}/../edge.kubeconfig"
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: /var/cache/ansible/kubestellar
"""

import functools
import json
import os
from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleError, AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable, to_safe_group_name
from ansible.template import trust_as_template
from ansible_collections.kubestellar.core.plugins.module_utils import _auth
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    InvalidInput,
    KubestellarError,
    plain,
)
from ansible_collections.kubestellar.core.plugins.module_utils.fleet import read
from ansible_collections.kubestellar.core.plugins.plugin_utils import _wecs

SUFFIXES = (".kubestellar.yml", ".kubestellar.yaml")
_FORM = 1
"""Of what is in the cache. An entry of another form is read anew."""
_INTERPRETER = "{{ ansible_playbook_python }}"


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """Reads, then plans, then fills the inventory. Only the first asks clusters."""

    NAME = "kubestellar.core.wecs"

    def verify_file(self, path: str) -> bool:
        """Whether a file is a source of this plugin, by its name."""
        return bool(super().verify_file(path)) and path.endswith(SUFFIXES)

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Fill the inventory from a source file.

        :raises AnsibleError: the file is wrong, or something cannot be read. Then nothing has been added, unless it is an
            expression of the user that is wrong.
        """
        super().parse(inventory, loader, path, cache)
        try:
            params = self._parameters(self._read_config_data(path), path)
            wecs = self._read(params, path, cache)
            listed, others = self._hosts_of_others(inventory)
            self._populate(_wecs.plan(wecs, params, self._sanitize_group_name, listed, others))
        except KubestellarError as error:
            raise AnsibleParserError(str(error.result()["msg"])) from None  # its cause would be told twice

    @staticmethod
    def _hosts_of_others(inventory: Any) -> tuple[set[str], set[str]]:
        """The hosts of other sources that are WECs, and those that are something else."""
        known = {name for name, host in inventory.hosts.items() if "kubestellar_uid" not in host.vars}
        group = inventory.groups.get(_wecs.WECS)
        listed = known & {host.name for host in group.get_hosts()} if group else set()
        return listed, (known | {"localhost"}) - listed

    def _parameters(self, config: Mapping[str, Any], path: str) -> dict[str, Any]:
        """The options that are not Ansible's own, checked; templates are resolved, except those for playbooks."""
        folder = os.path.dirname(os.path.abspath(path))
        self.templar.available_variables = {
            "inventory_dir": folder,
            "inventory_file": path,
            **(self._vars or {}),
        }
        resolved = {}
        for key, value in config.items():
            if key == "connections" or key in self._ansibles():
                resolved[key] = value
                continue
            try:
                resolved[key] = self.templar.template(value)
            except AnsibleError as error:
                raise InvalidInput(
                    f"The option {plain(key, 80)} cannot be computed: {plain(error, 200)}."
                ) from error
        return _wecs.parameters(resolved, self._ansibles(), folder)

    def _ansibles(self) -> set[str]:
        """The options of caches and constructed groups."""
        return set(self._options) - {*_auth.AUTH_SPEC, *_auth.GUARD_SPEC, *_wecs.SPEC, "plugin"}

    # -- reading ----------------------------------------------------------------------------------------------

    def _read(self, params: Mapping[str, Any], path: str, cache: bool) -> list[dict[str, Any]]:
        """All WECs, from the cache if that is wanted and has them, else from the clusters."""
        if not self.get_option("cache"):
            return self._fetch(params)
        direct = all(entry.get("kubeconfig") for entry in params["itses"] or [{}])
        auth = None if direct else _auth.resolve(params)
        key = f"{self.get_cache_key(path)}_{_wecs.fingerprint(auth, params)}"
        known = self.cache.get(key) if cache else None
        if isinstance(known, Mapping) and known.get("form") == _FORM:
            return list(json.loads(known["wecs"]))
        wecs = self._fetch(params)
        # One text: a cache copies, compares and checks each value of what it is given, for thousands of clusters longer than all else.
        self.cache[key] = {"form": _FORM, "wecs": json.dumps(wecs)}
        return wecs

    def _fetch(self, params: Mapping[str, Any]) -> list[dict[str, Any]]:
        """All WECs as the clusters have them now."""
        selector = ",".join(params["label_selectors"])
        return read.read(params, params["itses"], label_selector=selector, leases=params["leases"])

    # -- filling ----------------------------------------------------------------------------------------------

    def _populate(self, plan: _wecs.Plan) -> None:
        """Add hosts, groups and variables. What could fail has been done before."""
        if plan.collisions and self.get_option("strict"):
            raise InvalidInput(" ".join(plan.collisions), hint="Leave a label out by label_groups.")
        for sentence in [*plan.doubts, *plan.collisions]:
            self.display.warning(sentence)
        self._refuse_strangers(plan)
        self._add_groups(plan)
        self._add_hosts(plan)
        self._construct(plan)

    def _add_groups(self, plan: _wecs.Plan) -> None:
        """All groups with their variables; a parent gets its children before these get hosts, which is faster."""
        for group in plan.groups:
            self.inventory.add_group(group)
        for parent, children in plan.children.items():
            for child in children:
                self.inventory.add_child(parent, child)
        for group, variables in plan.variables.items():
            ours = {**variables, "ansible_python_interpreter": _INTERPRETER}
            for name, value in ours.items():
                # AWX keeps what is not marked as ours in a form that says so. The hub is the user's word.
                self.inventory.set_variable(
                    group, name, value if name == "wec_hub" else trust_as_template(value)
                )

    def _add_hosts(self, plan: _wecs.Plan) -> None:
        """All hosts with their variables, and into their groups. What a host has already of another source stays."""
        hosts = {}
        for name, wec in plan.hosts.items():
            self.inventory.add_host(name)
            hosts[name] = host = self.inventory.hosts[name]
            # Without the detour by set_variable, which copies and marks each value; these are plain, and nobody trusts them.
            host.vars = {**_wecs.own_variables(wec), **host.vars, **wec}
        for name, connection in plan.connections.items():
            for key, value in connection.items():
                hosts[name].vars.setdefault(f"wec_{key}", value)
        for group, members in plan.groups.items():
            add = self.inventory.groups[group].add_host
            for name in members:
                add(hosts[name])

    def _refuse_strangers(self, plan: _wecs.Plan) -> None:
        """:raises InvalidInput: another source has a host of the same name that is another cluster."""
        for name, wec in plan.hosts.items():
            known = self.inventory.hosts.get(name)
            if (
                known is not None
                and known.vars.get("kubestellar_uid", wec["kubestellar_uid"]) != wec["kubestellar_uid"]
            ):
                raise InvalidInput(
                    f"The host {plain(name, 80)} of another source is another cluster, of the ITS "
                    f"{plain(known.vars.get('kubestellar_its'), 80)}.",
                    hint="Set host_name in one of the files, for example to {name}.hub2.",
                )

    def _construct(self, plan: _wecs.Plan) -> None:
        """Variables and groups of the user's own expressions."""
        compose, groups, keyed = (self.get_option(name) for name in ("compose", "groups", "keyed_groups"))
        if not (compose or groups or keyed):
            return
        strict = self.get_option("strict")
        for name, wec in plan.hosts.items():
            host = self.inventory.hosts[name]
            common = plan.variables[_wecs.ITS + self._sanitize_group_name(wec["kubestellar_its"])]
            own = {"inventory_hostname": name, **common}
            self._set_composite_vars(compose, {**own, **host.get_vars()}, name, strict=strict)
            variables = {**own, **host.get_vars()}
            self._add_host_to_composed_groups(groups, variables, name, strict=strict, fetch_hostvars=False)
            self._add_host_to_keyed_groups(keyed, variables, name, strict=strict, fetch_hostvars=False)

    _sanitize_group_name = staticmethod(functools.cache(to_safe_group_name))
