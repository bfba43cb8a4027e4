# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module's `main()` is made of (private to kubestellar.core)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.kubestellar.core.plugins.module_utils import _space, _texts
from ansible_collections.kubestellar.core.plugins.module_utils._auth import (
    AUTH_SPEC,
    GUARD_SPEC,
    space_spec,
)
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    InvalidInput,
    KubestellarError,
)
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress

_SECRET_KEYS = (
    "token",
    "password",
    "client-key-data",
    "client-certificate-data",
    "id-token",
    "refresh-token",
)


_SECRET_NAME = re.compile(
    r"(?i)(?:password|passwd|passphrase|token|secret|api_?key|private_?key|credentials?)$"
)
_MASK = "********"
_SHORTEST = 6
"""What is shorter is in other words too, and masking it there would spoil them."""
_UNLOGGED = frozenset({"archives", "definition", "definitions", "helm", "offline", "template"})


_MISFIT = re.compile(r"^dictionary requested|we were unable to convert to|in the sub parameter field")
"""How Ansible says that an option is of another shape."""


class _Module(AnsibleModule):
    """An AnsibleModule that names the option where Ansible's own message about a wrong type does not."""

    params: dict[str, Any]

    def _load_params(self) -> None:
        super()._load_params()
        self._given = dict(self.params)  # what is of a wrong type is gone when the failure is told
        # Before anything is judged: a message about one option shows the others.
        self.no_log_values = set(_secrets(self.params)) | set(_unlogged(self.argument_spec, self.params))
        self._judged = False

    def _log_invocation(self) -> None:
        """Ansible writes the options to the system's log: without the secrets of a kubeconfig that is given as a mapping.

        And without options that are whole objects, or what these are made from.
        """
        given: dict[str, Any] = self.params
        self.params = {key: value for key, value in given.items() if key not in _UNLOGGED}
        super()._log_invocation()
        self.params = given

    def judged(self) -> None:
        """From now on failures show the options: all are known."""
        self._judged = True

    def check_texts(self, spec: Mapping[str, Any]) -> None:
        """:raises InvalidInput: an option that takes text was given something else, and has been made a text of."""
        for problem in _texts.option_problems(spec, self._given):
            raise InvalidInput(problem)

    def fail_json(self, msg: str, **details: Any) -> None:
        """Leave with a failure."""
        if _MISFIT.search(msg):
            shapes = _texts.shape_problems(self.argument_spec, self._given)
            msg = next((problem for _name, problem in shapes), msg)
        if not getattr(self, "_judged", True):
            # What is not known to be an option may be a secret all the same.
            details.setdefault("invocation", {"module_args": sorted(map(str, self._given))})
        details.setdefault("invocation", {"module_args": _shown(self.params)})
        super().fail_json(msg, **details)

    def exit_json(self, **result: Any) -> None:
        """Leave with a result."""
        result.setdefault("invocation", {"module_args": _shown(self.params)})
        super().exit_json(**result)


class Context:
    """What the work of a module gets: its parameters, its mode, its clusters.

    :ivar planned: the option `connection_planned` in check mode: the cluster would be created by an earlier
        task of the same run, so the module forecasts without connecting.
    """

    def __init__(self, module: AnsibleModule) -> None:
        self.params: dict[str, Any] = module.params
        self.check_mode: bool = module.check_mode
        self.diff_mode: bool = module._diff  # noqa: SLF001 (there is no public name)
        self.planned: bool = module.check_mode and bool(module.params.get("connection_planned"))
        self.progress = Progress(module.tmpdir)
        self.tmpdir: str = module.tmpdir
        self._module = module
        self._clusters: dict[str, Cluster] = {}

    def warn(self, text: str) -> None:
        """Show a warning with the result."""
        self._module.warn(text)

    def hosting(self) -> Cluster:
        """The hosting cluster that the connection options name."""
        if "hosting" not in self._clusters:
            self._clusters["hosting"] = _space.hosting_cluster(self.params)
        return self._clusters["hosting"]

    def its(self) -> Cluster:
        """The ITS of the options `its` or `its_kubeconfig`."""
        return self._space("its")

    def wds(self) -> Cluster:
        """The WDS of the options `wds` or `wds_kubeconfig`."""
        return self._space("wds")

    def _space(self, role: str) -> Cluster:
        if role in self._clusters:
            return self._clusters[role]
        name, kubeconfig = self.params.get(role), self.params.get(f"{role}_kubeconfig")
        if kubeconfig:
            context = self.params.get(f"{role}_context")
            cluster = Cluster.from_kubeconfig(kubeconfig, context, name=name or context or role)
        elif name:
            cluster = _space.connect(self.hosting(), name)
        else:
            raise InvalidInput(
                f"No {role.upper()} is named.", hint=f"Set {role}, or {role}_kubeconfig and {role}_context."
            )
        self._clusters[role] = cluster
        return cluster


def run(
    spec: Mapping[str, Any],
    work: Callable[[Context], dict[str, Any]],
    *,
    connection: bool = True,
    spaces: Sequence[str] = (),
    **module_arguments: Any,
) -> None:
    """Build the AnsibleModule, do the work, and leave with its result or with one sentence.

    :param spec: the module's own options.
    :param work: gets the context, returns the result.
    :param connection: whether the connection option family belongs to the module.
    :param spaces: `its`, `wds` or both: the options that name them are added.
    """
    arguments: dict[str, Any] = dict(spec)
    if connection:
        arguments = {**AUTH_SPEC, **GUARD_SPEC, **arguments}
    for role in spaces:
        arguments = {**space_spec(role), **arguments}
    module = _Module(argument_spec=arguments, supports_check_mode=True, **module_arguments)
    module.judged()
    try:
        module.check_texts(spec)
        result = work(Context(module))
    except KubestellarError as error:
        module.fail_json(**error.result())
    else:
        module.exit_json(**result)


def _secrets(value: Any, key: str = "") -> Iterator[str]:
    """Every text in the options that is a secret by its place: credentials, data of Secrets, passwords in URLs."""
    if isinstance(value, Mapping):
        of_secret = value.get("kind") == "Secret"
        for name, item in value.items():
            if of_secret and name in ("data", "stringData"):
                yield from _texts_in(item)
            yield from _secrets(item, str(name))
    elif isinstance(value, list):
        for item in value:
            yield from _secrets(item, key)
    elif isinstance(value, str) and value:
        if key in _SECRET_KEYS or _SECRET_NAME.search(key):
            yield value
        if "@" in value and ("://" in value or key == "host"):
            user_info = value.rpartition("@")[0].rpartition("://")[2]
            yield from (part for part in (user_info, *user_info.split(":", 1)[1:]) if part)


def _shown(value: Any) -> Any:
    """Options as a result shows them: data of Secrets are not among them, however short they are."""
    if isinstance(value, Mapping):
        secret = value.get("kind") == "Secret"
        return {
            key: _MASK if item and secret and key in ("data", "stringData") else _shown(item)
            for key, item in value.items()
        }
    return [_shown(item) for item in value] if isinstance(value, list) else value


def _unlogged(spec: Mapping[str, Any], given: Any) -> Iterator[str]:
    """Every text in an option that is not to be logged, whatever its type."""
    for name, option in spec.items() if isinstance(given, Mapping) else ():
        for key in (name, *(option.get("aliases") or ())):
            if key not in given:
                continue
            if option.get("no_log"):
                yield from _texts_in(given[key])
            values = given[key] if isinstance(given[key], list) else [given[key]]
            for value in values if "options" in option else ():
                yield from _unlogged(option["options"], value)


def _texts_in(value: Any) -> Iterator[str]:
    """Every text and number in a value that can be told from words."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _texts_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts_in(item)
    elif value is not None and not isinstance(value, bool) and len(str(value)) >= _SHORTEST:
        yield str(value)
