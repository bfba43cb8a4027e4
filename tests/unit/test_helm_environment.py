# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where role hub runs helm, the environment takes a named connection nowhere else."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.kubernetes.core.plugins.module_utils import helm, helm_args_common

ROLE = Path(__file__).parents[2] / "roles" / "hub"
VARS = yaml.safe_load((ROLE / "vars" / "main.yml").read_text())


@pytest.mark.parametrize("module", [helm, helm_args_common])
def test_whatever_the_modules_of_helm_read_of_a_connection_is_silenced(module):
    read = set(re.findall(r"\b(?:K8S_AUTH|HELM_KUBE)[A-Z_]+\b", inspect.getsource(module)))
    # Helm's module takes no context beside a CA, even if either is empty: with both, from wherever, it ends.
    assert read and read - {"K8S_AUTH_CONTEXT", "K8S_AUTH_SSL_CA_CERT"} <= VARS["__hub_helm_silenced"].keys()


def test_helm_never_runs_without_it():
    calls = []

    def look(tasks: list[dict[str, Any]], around: object) -> None:
        for task in tasks:
            given = task.get("environment", around)
            for key in ("block", "rescue", "always"):
                look(task.get(key) or [], given)
            if any(name.startswith("kubernetes.core.helm") for name in task):
                calls.append((task["name"], given))

    for path in sorted((ROLE / "tasks").rglob("*.yml")):
        look(yaml.safe_load(path.read_text()) or [], None)
    assert calls and {given for _name, given in calls} == {"{{ __hub_helm_environment }}"}, calls
