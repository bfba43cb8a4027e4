#!/usr/bin/python
# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: embedded_stack
version_added: "0.1.0"
short_description: Delete an embedded stack
description:
  - Stops every process of an embedded stack and deletes its folder, whatever state it is in.
    Built programs stay, since other stacks share them.
author:
  - kubestellar.core contributors (@kubestellar)
extends_documentation_fragment:
  - kubestellar.core._embedded
  - kubestellar.core._attributes
options:
  state:
    description:
      - The only state is V(absent). M(kubestellar.core.embedded_cluster) and M(kubestellar.core.embedded_process) make a stack.
    type: str
    choices: [absent]
    required: true
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
"""

EXAMPLES = r"""
- name: Delete the stack
  kubestellar.core.embedded_stack:
    stack: kubestellar
    state: absent
"""

RETURN = r"""
processes:
  description: Number of processes that ran.
  returned: always
  type: int
folder:
  description: Whether the stack had a folder.
  returned: always
  type: bool
"""

from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._module import Context, run
from ansible_collections.kubestellar.core.plugins.module_utils.embedded import teardown
from ansible_collections.kubestellar.core.plugins.module_utils.embedded.home import STACK_SPEC, Stack

SPEC: dict[str, Any] = {**STACK_SPEC, "state": {"type": "str", "choices": ["absent"], "required": True}}


def work(context: Context) -> dict[str, Any]:
    """Delete the stack."""
    stack = Stack.of(context.params["home"], context.params["stack"])
    found = teardown.absent(stack, context.progress, check_mode=context.check_mode)
    return {"changed": bool(found["processes"] or found["folder"]), **found}


def main() -> None:
    """Entry point."""
    run(SPEC, work, connection=False)


if __name__ == "__main__":
    main()
