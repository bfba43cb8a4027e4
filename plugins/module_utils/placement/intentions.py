# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a workload is going to be placed, told to the task that writes its objects (private to kubestellar.core).

Objects are delivered as soon as they are in the WDS. So all that is wrong with their placement has to be found before, also
what only a later task would send.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.kubestellar.core.plugins.module_utils import _texts
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, plain
from ansible_collections.kubestellar.core.plugins.module_utils.placement import (
    apply,
    collectors,
    guards,
    policy,
    transforms,
    waits,
    waves,
)
from ansible_collections.kubestellar.core.plugins.module_utils.placement.facts import Transform
from ansible_collections.kubestellar.core.plugins.module_utils.placement.foresight import Intended

SPEC: dict[str, Any] = {
    "cluster_selectors": policy.POLICY_SPEC["cluster_selectors"],
    "downsync": policy.POLICY_SPEC["downsync"],
    "waves": {"type": "list", "elements": "dict", "options": waves.WAVES_SPEC},
    "guards": {"type": "dict", "options": guards.GUARDS_SPEC},
    "api_groups": {"type": "list", "elements": "str"},
    "wait": {"type": "str", "choices": list(waits.LEVELS)},
    "status_collectors": {"type": "list", "elements": "dict", "options": collectors.COLLECTOR_SPEC},
    "transforms": {"type": "list", "elements": "dict", "options": transforms.TRANSFORM_SPEC},
}
"""The keys of the option `placement` of the module workload: options of the modules that write it."""


def read(name: str, given: Mapping[str, Any]) -> Intended:
    """The policy of a workload as it is going to be written.

    :param name: of the workload, and of its policy.
    :param given: the option `placement`.
    :raises InvalidInput: a later task would refuse it.
    """
    where = f"workload {name}: placement"
    shapes = (problem for _name, problem in _texts.shape_problems(SPEC, given))
    for problem in (*shapes, *_texts.option_problems(SPEC, given)):
        raise InvalidInput(f"{where}: {problem}")
    checked = ArgumentSpecValidator(SPEC, mutually_exclusive=[("waves", "cluster_selectors")]).validate(
        {key: value for key, value in given.items() if value is not None}
    )
    if checked.error_messages:
        raise InvalidInput(f"{where}: {plain(checked.error_messages[0], 500).rstrip('.')}.")
    options: dict[str, Any] = checked.validated_parameters
    written = {
        key: [manifest(entry) for entry in options[key] or []]
        for key, manifest in (
            ("status_collectors", collectors.manifest),
            ("transforms", transforms.manifest),
        )
    }
    limits = guards.parse(options["guards"])
    groups = waves.parse(options["waves"] or [])
    want = apply.wanted({**options, "name": name}, groups)
    subjects = [transforms.subject(one) for one in written["transforms"]]
    return Intended(
        name,
        want["spec"],
        limits,
        options["wait"] in waits.DELIVERED,
        frozenset(str(one["metadata"]["name"]) for one in written["status_collectors"]),
        [Transform("", group, resource, 0.0) for group, resource in subjects],
    )
