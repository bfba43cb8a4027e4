#!/usr/bin/python
# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: embedded_process
version_added: "0.1.0"
short_description: Run the controllers and agents of an embedded stack
description:
  - Runs the controllers and agents of KubeStellar, KubeFlex and OCM as supervised processes of this machine.
  - What runs with the right command line is left alone; what changed is restarted; whatever ends is started again.
    All listeners are on 127.0.0.1.
author:
  - kubestellar.core contributors (@kubestellar)
extends_documentation_fragment:
  - kubestellar.core._embedded
  - kubestellar.core._attributes
options:
  binaries:
    description:
      - Folder with the programs, as returned by M(kubestellar.core.embedded_build). Needed for O(state=present).
    type: path
  state:
    description:
      - Whether the processes run. V(absent) also deletes the credentials of an agent.
    type: str
    choices: [present, absent]
    default: present
  processes:
    description:
      - The processes. Others of the stack are not touched.
    type: list
    elements: dict
    required: true
    suboptions:
      program:
        description:
          - What runs.
        type: str
        choices: [keeper, kubeflex_manager, ocm_hub, controller_manager, transport_controller, ocm_agent, status_agent]
        required: true
      hub:
        description:
          - The hosting cluster, for V(kubeflex_manager) and V(controller_manager).
        type: str
      its:
        description:
          - The ITS, for all but V(kubeflex_manager) and V(ocm_agent).
        type: str
      wds:
        description:
          - The WDS, for V(controller_manager) and V(transport_controller).
        type: str
      wec:
        description:
          - The WEC, for V(ocm_agent) and V(status_agent). One status agent serves all WECs of a stack, and is started again
            when one of them comes or goes.
        type: str
      api_groups:
        description:
          - API groups whose objects can be placed, for V(controller_manager).
        type: list
        elements: str
      qps:
        description:
          - Requests a second that the process may send to each API server.
        type: int
      burst:
        description:
          - Burst that goes with O(processes[].qps).
        type: int
      status_sync_interval:
        description:
          - How often an V(ocm_agent) looks at what was delivered, such as V(10s). OCM's own default if it is left out.
        type: str
      bootstrap_file:
        description:
          - File with the kubeconfig that an V(ocm_agent) joins with. It is deleted once the agent has it.
            Without such a file the agent keeps what it has.
        type: path
  not_older_than:
    description:
      - A time such as V(2026-11-25T10:00:00Z). Processes that were started before it are restarted, for example since a credential
        that they have read is newer.
    type: str
  wait_timeout:
    description:
      - Seconds to wait until the processes run and answer.
    type: int
    default: 120
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
"""

EXAMPLES = r"""
- name: Run the KubeFlex manager
  kubestellar.core.embedded_process:
    stack: kubestellar
    binaries: "{{ programs.bin }}"
    processes:
      - program: kubeflex_manager
        hub: hub
"""

RETURN = r"""
objects:
  description: One entry per process.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the process, also of its log.
      type: str
    method:
      description: C(none), C(create), C(update) when it was restarted, or C(delete).
      type: str
"""

from datetime import datetime
from pathlib import Path
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, plain
from ansible_collections.kubestellar.core.plugins.module_utils._module import Context, run
from ansible_collections.kubestellar.core.plugins.module_utils.embedded import controllers, programs
from ansible_collections.kubestellar.core.plugins.module_utils.embedded.home import STACK_SPEC, Stack

SPEC: dict[str, Any] = {
    **STACK_SPEC,
    "binaries": {"type": "path"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "processes": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "program": {"type": "str", "choices": list(programs.KINDS), "required": True},
            "hub": {"type": "str"},
            "its": {"type": "str"},
            "wds": {"type": "str"},
            "wec": {"type": "str"},
            "api_groups": {"type": "list", "elements": "str"},
            "qps": {"type": "int"},
            "burst": {"type": "int"},
            "status_sync_interval": {"type": "str"},
            "bootstrap_file": {"type": "path"},
        },
    },
    "not_older_than": {"type": "str"},
    "wait_timeout": {"type": "int", "default": 120},
}


def work(context: Context) -> dict[str, Any]:
    """Start or stop the processes."""
    params = context.params
    stack = Stack.of(params["home"], params["stack"])
    try:
        since = datetime.fromisoformat(params["not_older_than"] or "1970-01-01T00:00:00Z").timestamp()
    except ValueError as error:
        raise InvalidInput(
            f"not_older_than is {plain(params['not_older_than'], 40)!r}, which is no time.",
            hint="Write it as 2026-11-25T10:00:00Z.",
        ) from error
    if params["state"] == "absent":
        results = controllers.absent(
            stack, params["processes"], context.progress, check_mode=context.check_mode
        )
    else:
        results = controllers.present(
            stack,
            params["processes"],
            Path(params["binaries"]),
            context.progress,
            timeout=params["wait_timeout"],
            check_mode=context.check_mode,
            since=since,
        )
    return {
        "changed": any(result.method != "none" for result in results),
        "objects": [result.result() for result in results],
    }


def main() -> None:
    """Entry point."""
    run(SPEC, work, connection=False, required_if=[("state", "present", ["binaries"])])


if __name__ == "__main__":
    main()
