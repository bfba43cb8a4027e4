# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks the whole inventory before anything is started; see modules/inventory_check.py."""

from __future__ import annotations

import os
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.module_utils.common.yaml import yaml_load
from ansible.plugins.action import ActionBase
from ansible_collections.kubestellar.core.plugins.module_utils._errors import plain
from ansible_collections.kubestellar.core.plugins.module_utils.fleet.facts import FACTS
from ansible_collections.kubestellar.core.plugins.plugin_utils import _inventory

_ROLES = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(__file__))), "roles")


class ActionModule(ActionBase):
    """Runs on the controller: only there are all hosts known."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Fail with every mistake of the inventory; change nothing."""
        super().run(tmp, task_vars)
        variables = task_vars or {}
        groups = variables["groups"]
        specs = _specs()
        prefixes = (*(f"{role}_" for role in specs), "kubestellar_")
        found: list[str] = []
        hosts = {
            host: self._values(host, prefixes, variables, found)
            for group in (_inventory.HUBS, _inventory.WECS)
            for host in groups.get(group) or []
        }
        found = found or _inventory.problems(groups, hosts, specs)
        if found:
            raise AnsibleActionFail(
                "The inventory cannot be used; nothing has been started. " + " ".join(found),
                result={"problems": found},
            )
        result: dict[str, Any] = {"changed": False, "problems": []}
        names = {host: variables["hostvars"].raw_get(host) for host in hosts}
        login = _inventory.machine_warning(names, str(self._task.connection))
        warnings = [*([login] if login else []), *_inventory.warnings(groups, hosts)]
        return {**result, "warnings": warnings} if warnings else result

    def _values(
        self, host: str, prefixes: tuple[str, ...], variables: dict[str, Any], found: list[str]
    ) -> dict[str, Any]:
        """The variables of a host that are ours, computed as its own tasks would; what cannot be is a problem."""
        shared = {
            name: variables[name]
            for name in ("groups", "hostvars", "ansible_play_hosts", "ansible_play_batch")
            if name in variables
        }
        raw = {**variables["hostvars"].raw_get(host), **shared}
        templar = self._templar.copy_with_new_env(available_variables=raw)
        values = {}
        for name in sorted(raw):
            if not name.startswith(prefixes) or name in FACTS:
                continue
            try:
                values[name] = templar.template(raw[name])
            except AnsibleError as error:
                found.append(
                    f"{host}: the variable {name} cannot be computed: {plain(error, 200)}. Correct its template."
                )
        return values


def _specs() -> dict[str, dict[str, Any]]:
    """The options of every role's main entry point."""
    specs: dict[str, dict[str, Any]] = {}
    for role in sorted(os.listdir(_ROLES)):
        path = os.path.join(_ROLES, role, "meta", "argument_specs.yml")
        if os.path.exists(path):
            with open(path, encoding="utf-8") as stream:
                specs[role] = yaml_load(stream)["argument_specs"]["main"].get("options") or {}
    return specs
