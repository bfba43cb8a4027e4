# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only the controller can do for the sources of a workload (private to kubestellar.core).

It finds files where tasks find them, and renders templates with the variables of the task.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import Any, NoReturn

from ansible.errors import AnsibleActionFail, AnsibleError, AnsibleUndefinedVariable
from ansible.module_utils.common.validation import check_type_list
from ansible.template import trust_as_template
from ansible_collections.kubestellar.core.plugins.action import embedded_build
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, plain
from ansible_collections.kubestellar.core.plugins.module_utils._texts import QUOTE
from ansible_collections.kubestellar.core.plugins.module_utils._yaml import type_name
from ansible_collections.kubestellar.core.plugins.module_utils.workload import files
from ansible_collections.kubestellar.core.plugins.module_utils.workload.pieces import GO, JINJA, SUFFIXES
from ansible_collections.kubestellar.core.plugins.plugin_utils import _places

TEMPLATES = (*SUFFIXES, *(f"{suffix}{jinja}" for suffix in SUFFIXES for jinja in JINJA))
"""How the names of templates in a folder end."""

_RAW = "put what another program is to read between {% raw %} and {% endraw %}"
_ELSEWHERE = re.compile(r"[^/]*:|[^./][^/]*\.")
"""How what may be on another machine begins, and a path seldom does."""
_UNDEFINED = re.compile(r"'([^']+)' is undefined")


class ActionWithSources(embedded_build.ActionModule):
    """An action plugin whose module has sources of workloads among its options."""

    _variables: Mapping[str, Any]

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the module of the task with its sources resolved.

        :raises AnsibleActionFail: a template that is not there, or cannot be rendered.
        """
        self._variables = task_vars or {}
        self._task.args = self.with_sources(self._task.args)
        return super().run(tmp, task_vars)

    def with_sources(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The options of the module with all sources among them resolved. What is to be removed needs none."""
        return dict(arguments) if arguments.get("state") == "absent" else self.resolved(arguments)

    def resolved(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The options with templates rendered, and with the paths of what is found in the folders that a task looks into.

        :raises AnsibleActionFail: a template that is not there, or cannot be rendered.
        """
        found = dict(given)
        for key in ("src", "kustomize"):
            if found.get(key):
                found[key] = [self._path(path, key) for path in _listed(found[key], key)]
        if isinstance(found.get("helm"), list):
            found["helm"] = [self._chart(chart) for chart in found["helm"]]
        if found.get("template"):
            found["template"] = [
                one for entry in _templates_of(found["template"]) for one in self._templates(entry)
            ]
        return found

    def _chart(self, chart: Any) -> Any:
        if not isinstance(chart, Mapping):
            return chart
        found = dict(chart)
        reference = found.get("chart")
        if isinstance(reference, str) and not found.get("repository") and "://" not in reference:
            found["chart"] = self._path(reference, "chart")
        if found.get("values_files"):
            found["values_files"] = [
                self._path(path, "values_files") for path in _listed(found["values_files"], "values_files")
            ]
        return found

    def _path(self, path: Any, option: str) -> Any:
        """The absolute path of what is found in one of the folders of the user.

        :raises AnsibleActionFail: it is in none of them.
        """
        here = self._connection.transport == "local"  # what runs elsewhere has files of its own
        if not isinstance(path, str) or not here or os.path.isabs(path) or path.startswith("~"):
            return path
        found = _places.find(path, "files", self._folders)
        if not found and (option in ("src", "values_files") or not _ELSEWHERE.match(path)):
            self._refuse_missing(option, path)
        return found or path

    @property
    def _folders(self) -> list[str]:
        return _places.folders(self._task.get_search_path(), str(self._loader.get_basedir()), self._variables)

    def _refuse_missing(self, option: str, path: str) -> NoReturn:
        looked = ", ".join(plain(folder, 200) for folder in self._folders)
        gone = files.missing(option, path, f"It is looked for in {looked}.")
        raise AnsibleActionFail(f"{gone.message} {gone.hint}")

    def _templates(self, entry: Any) -> list[dict[str, str]]:
        """A template, or all of a folder, each with its path and what it is rendered to."""
        if isinstance(entry, Mapping):  # rendered before
            return [dict(entry)]
        path = os.path.expanduser(str(entry))
        place = _places.find(path, "templates", self._folders)
        if not place:
            self._refuse_missing("template", path)
        try:
            paths = files.manifests(place, TEMPLATES, "template")
        except InvalidInput as error:
            raise AnsibleActionFail(f"{error.message} {error.hint}".rstrip()) from None
        return [{"path": path, "content": self._rendered(path)} for path in paths]

    def _rendered(self, path: str) -> str:
        folders = [*self._folders, os.path.dirname(path)]
        search = [place for folder in folders for place in (os.path.join(folder, "templates"), folder)]
        try:
            source = self._loader.get_text_file_contents(path)
        except AnsibleError as error:
            raise AnsibleActionFail(
                f"The template {path} cannot be read: {plain(error, 300).rstrip('.')}."
            ) from None
        templar = self._templar.copy_with_new_env(searchpath=search, available_variables=self._variables)
        try:
            text = templar.template(
                trust_as_template(source),
                escape_backslashes=False,
                overrides={"trim_blocks": True},
            )
        except AnsibleUndefinedVariable as error:
            name = _UNDEFINED.search(str(error))
            said = (
                f"uses the variable {name.group(1)}, which is not defined"
                if name
                else f"uses something that is not defined: {plain(error, 200).rstrip('.')}"
            )
            raise AnsibleActionFail(
                f"The template {path} {said}. Define it for {self._host}, give it a default in the template, or {_RAW}."
            ) from None
        except AnsibleError as error:
            foreign = GO.search(source.encode())
            hint = f" If it is of a chart, name the chart under helm; else {_RAW}." if foreign else ""
            raise AnsibleActionFail(
                f"The template {path} cannot be rendered: {plain(error, 300).rstrip('.')}.{hint}"
            ) from None
        return str(text) if isinstance(text, str) else json.dumps(text)

    @property
    def _host(self) -> str:
        return str(self._variables.get("inventory_hostname", "the host"))


def _templates_of(value: Any) -> list[Any]:
    """The templates of the option, some of which may have been rendered before."""
    if isinstance(value, list) and any(isinstance(entry, Mapping) for entry in value):
        return value
    return _listed(value, "template")


def _listed(value: Any, option: str) -> list[Any]:
    """A list as Ansible takes it from an option: also a text with commas."""
    try:
        found = list(check_type_list(value))
    except TypeError:
        found = [value]
    for item in found:
        if not isinstance(item, str):
            raise AnsibleActionFail(
                f"{option} is a list of paths, and has {type_name(item)} in it. {QUOTE if not isinstance(item, (list, Mapping)) else ''}".rstrip()
            )
    return found
