#!/usr/bin/python
# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: join_credentials
version_added: "0.1.0"
short_description: Make a short-lived kubeconfig with which clusters join an ITS
description:
  - Requests a token of the ServiceAccount C(open-cluster-management/agent-registration-bootstrap) of an ITS, and puts it into a kubeconfig
    for the agents of workload execution clusters (WECs). Such a kubeconfig can only ask to join; M(kubestellar.core.managed_cluster) decides.
  - The namespace, the account, its role and its binding are created if they are missing.
  - The CA in the kubeconfig is the one by which this module itself verifies the ITS. It is never fetched without verification.
  - Each run makes a new token, so call it only when some cluster is not joined yet.
author:
  - kubestellar.core contributors (@kubestellar)
extends_documentation_fragment:
  - kubestellar.core._auth
  - kubestellar.core._auth.its
  - kubestellar.core._attributes
  - kubestellar.core._attributes.action_group
notes:
  - Use O(dest), so that the token never travels through Ansible, or set C(no_log=true) on the task. Ansible shows registered results at higher
    verbosity, and a module cannot mark a return value as secret.
options:
  ttl:
    description:
      - Seconds for which the token is valid, at least 600. The API server may shorten it. A cluster that has joined does not need it any more.
    type: int
    default: 3600
  endpoint:
    description:
      - URL of the ITS as the agents reach it. If it is left out, the address by which this module reaches it.
      - The certificate of the API server must be valid for this address.
    type: str
  dest:
    description:
      - Files to write the kubeconfig to, with mode 0600. Each is written whole or not at all. The kubeconfig is then not returned.
    type: list
    elements: path
    default: []
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: The diff covers the account and its rights, never the token.
  idempotent:
    support: none
    details: Each run requests a new token.
"""

EXAMPLES = r"""
- name: Write a bootstrap kubeconfig for the agents
  kubestellar.core.join_credentials:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    its: its1
    dest:
      - /var/lib/kubestellar/cluster1/bootstrap.kubeconfig

- name: Keep a bootstrap kubeconfig in a variable
  kubestellar.core.join_credentials:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    its: its1
    endpoint: https://its1.example.com:6443
    ttl: 1200
  register: credentials
  no_log: true
"""

RETURN = r"""
kubeconfig:
  description: The kubeconfig as YAML text. It contains a token.
  returned: when O(dest) is empty and not in check mode
  type: str
server:
  description: The address in the kubeconfig.
  returned: always
  type: str
expires:
  description: Time at which the token ends, RFC 3339.
  returned: not in check mode
  type: str
objects:
  description: What was created for the account, its role and its binding.
  returned: always
  type: list
  elements: dict
method:
  description: Always V(create), each run requests a token.
  returned: always
  type: str
diff:
  description: Both sides of every changed object.
  returned: in diff mode
  type: list
  elements: dict
"""

from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bulk, _join
from ansible_collections.kubestellar.core.plugins.module_utils._module import Context, run

SPEC: dict[str, Any] = {
    "ttl": {"type": "int", "default": 3600},
    "endpoint": {"type": "str"},
    "dest": {"type": "list", "elements": "path", "default": []},
}


def work(context: Context) -> dict[str, Any]:
    """Ensure the account, request a token, hand out the kubeconfig."""
    params = context.params
    _join.check(params["ttl"], params["endpoint"], params["dest"])
    result: dict[str, Any] = {"changed": True, "method": "create", "server": params["endpoint"] or ""}
    if context.planned:
        outcomes = [_bulk.planned(obj) for obj in _join.manifests()]
    else:
        its = context.its()
        authority = its.authority()
        outcomes = _join.ensure(its, dry_run=context.check_mode)
        result["server"] = params["endpoint"] or its.server
        if not context.check_mode:
            token, result["expires"] = _join.mint(its, params["ttl"])
            text = _join.kubeconfig(result["server"], authority, token)
            for path in params["dest"]:
                _join.write_secret_file(path, text)
            if not params["dest"]:
                result["kubeconfig"] = text
    result["objects"] = [outcome.result() for outcome in outcomes]
    if context.diff_mode:
        name = str(params["its"] or params["its_context"] or "ITS")
        result["diff"] = [outcome.diff(name) for outcome in outcomes if outcome.changed]
    return result


def main() -> None:
    """Entry point."""
    run(SPEC, work, spaces=("its",))


if __name__ == "__main__":
    main()
