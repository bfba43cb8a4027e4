#!/usr/bin/python
# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: hub_openshift
version_added: "0.1.0"
short_description: See that a hub can run on an OpenShift cluster
description:
  - Looks whether the cluster serves the API groups of OpenShift that a hub needs. A cluster that does not is refused.
  - A WDS of type C(host) that names no API groups is refused, since its controller would watch hundreds of kinds.
  - An ITS of type C(vcluster) is warned about, since it is kept from running on many OpenShift clusters.
  - It changes nothing.
author:
  - kubestellar.core contributors (@kubestellar)
extends_documentation_fragment:
  - kubestellar.core._auth
  - kubestellar.core._hub
  - kubestellar.core._attributes
  - kubestellar.core._attributes.action_group
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
"""

EXAMPLES = r"""
- name: See that the cluster is an OpenShift
  kubestellar.core.hub_openshift:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    itses:
      - name: its1
        type: host
"""

RETURN = r"""
version:
  description: Version of OpenShift, empty if it may not be read.
  returned: always
  type: str
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput
from ansible_collections.kubestellar.core.plugins.module_utils._module import Context, run
from ansible_collections.kubestellar.core.plugins.module_utils.hub import openshift
from ansible_collections.kubestellar.core.plugins.module_utils.hub.options import SPACES_SPEC


def work(context: Context) -> dict[str, Any]:
    """Look at the cluster."""
    itses: Sequence[Mapping[str, Any]] = context.params["itses"]
    for message, hint in openshift.problems(context.params["wdses"]):
        raise InvalidInput(message, hint=hint)
    version = "" if context.planned else openshift.check(context.hosting())
    for text in openshift.warnings(itses):
        context.warn(text)
    return {"changed": False, "version": version}


def main() -> None:
    """Entry point."""
    run(SPACES_SPEC, work)


if __name__ == "__main__":
    main()
