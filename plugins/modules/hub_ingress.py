#!/usr/bin/python
# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: hub_ingress
version_added: "0.1.0"
short_description: See that ingress-nginx passes TLS through
description:
  - KubeFlex lets spaces be reached through Ingresses of class C(nginx), behind which the API server of the space ends TLS itself.
    So the controller must run with C(--enable-ssl-passthrough).
  - Waits until the IngressClass is there and the controller runs with this argument, which is added to its Deployment if it lacks it.
    That is the only thing that this module writes. The controller itself is installed by its chart.
  - In check mode nothing is waited for; what is lacking is in RV(missing).
author:
  - kubestellar.core contributors (@kubestellar)
extends_documentation_fragment:
  - kubestellar.core._auth
  - kubestellar.core._attributes
  - kubestellar.core._attributes.action_group
options:
  ingress_class:
    description:
      - Name of the IngressClass.
    type: str
    default: nginx
  namespace:
    description:
      - Namespace of the controller.
    type: str
    default: ingress-nginx
  deployment:
    description:
      - Deployment of the controller.
    type: str
    default: ingress-nginx-controller
  wait_timeout:
    description:
      - Seconds to wait until the controller runs.
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
- name: See that ingress-nginx passes TLS through
  kubestellar.core.hub_ingress:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
"""

RETURN = r"""
method:
  description: V(update) if the argument was, or in check mode would be, added; else V(none).
  returned: always
  type: str
missing:
  description: What is lacking still, one line each; empty except in check mode and on failure.
  returned: always
  type: list
  elements: str
waited:
  description: Seconds waited.
  returned: always
  type: float
diff:
  description: Both sides of the Deployment, if it was changed.
  returned: in diff mode
  type: list
  elements: dict
"""

from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._module import Context, run
from ansible_collections.kubestellar.core.plugins.module_utils.hub import ingress

SPEC: dict[str, Any] = {
    "ingress_class": {"type": "str", "default": "nginx"},
    "namespace": {"type": "str", "default": "ingress-nginx"},
    "deployment": {"type": "str", "default": "ingress-nginx-controller"},
    "wait_timeout": {"type": "int", "default": 300},
}


def work(context: Context) -> dict[str, Any]:
    """Wait for the controller."""
    params = context.params
    place = ingress.Place(params["ingress_class"], params["namespace"], params["deployment"])
    if context.planned:
        return {
            "changed": False,
            "method": "none",
            "missing": ["the cluster does not exist yet"],
            "waited": 0.0,
        }
    cluster = context.hosting()
    made = (
        ingress.forecast(cluster, place)
        if context.check_mode
        else ingress.bring_about(cluster, place, context.progress, timeout=params["wait_timeout"])
    )
    result: dict[str, Any] = {
        "changed": made.outcome is not None,
        "method": made.outcome.method if made.outcome else "none",
        "missing": made.missing,
        "waited": made.waited,
    }
    if context.diff_mode:
        result["diff"] = [made.outcome.diff(cluster.name)] if made.outcome else []
    return result


def main() -> None:
    """Entry point."""
    run(SPEC, work)


if __name__ == "__main__":
    main()
