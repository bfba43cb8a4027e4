#!/usr/bin/python
# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: doctor
version_added: "0.1.0"
short_description: Say what is wrong with a hub, its spaces and its clusters
description:
  - Looks at the hosting cluster, at every ITS and WDS that it has a ControlPlane for, at the registered workload execution
    clusters (WECs), and at what is delivered to them, and says what does not work, why, and what to try.
  - It only reads. A WEC is judged by what its ITS knows of it, so no connection to a WEC is needed.
  - What cannot be read is a finding too, and is never taken for healthy. The module itself fails only if its options are wrong.
author:
  - kubestellar.core contributors (@kubestellar)
extends_documentation_fragment:
  - kubestellar.core._auth
  - kubestellar.core._attributes
  - kubestellar.core._attributes.action_group
requirements:
  - cryptography
options:
  checks:
    description:
      - Ids of the findings to look for, as in RV(findings[].id). All if it is left out. Only what these need is read.
    type: list
    elements: str
  wecs:
    description:
      - Names of the WECs to look at. All if it is left out. The spaces and policies are looked at all the same.
    type: list
    elements: str
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
"""

EXAMPLES = r"""
- name: Look at everything
  kubestellar.core.doctor:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
  register: doctor

- name: Show what was found
  ansible.builtin.debug:
    msg: "{{ doctor.table | join('\n') }}"

- name: Stop before a change if a cluster that it is for is away
  kubestellar.core.doctor:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    checks: [wec-not-accepted, wec-not-joined, wec-unavailable, wec-lease, wec-unknown]
    wecs: [cluster1, cluster2]
  register: clusters
  failed_when: clusters is failed or clusters.summary.errors > 0
"""

RETURN = r"""
findings:
  description: What is wrong, the worst first, then by place. Empty in check mode while the hub does not exist.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: Name of the trouble, which stays the same, such as V(wec-unavailable). That of a placement is the one that previews have.
      type: str
    severity:
      description: V(error) for what does not work or cannot be judged, V(warning) for what soon or perhaps will not, V(info) for the rest.
      type: str
    where:
      description: "Cluster and object, such as V(its1: ManagedCluster cluster1)."
      type: str
    evidence:
      description: What is the matter, in one sentence.
      type: str
    hint:
      description: What to try.
      type: str
  sample:
    - id: wec-not-accepted
      severity: error
      where: "its1: ManagedCluster cluster3"
      evidence: The hub has not accepted it.
      hint: Accept it (kubestellar.core.wecs, or the module managed_cluster).
checked:
  description: What was looked for.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: Id of the finding.
      type: str
    ran:
      description: Whether there was anything to look at that could be read.
      type: bool
    lacking:
      description: What could not be looked at, and why, one line each.
      type: list
      elements: str
summary:
  description: Numbers of findings by severity, of checks, and of what was looked at.
  returned: always
  type: dict
  sample:
    {"errors": 0, "warnings": 0, "infos": 0, "checks": 74, "checks_not_run": 0, "spaces": 2, "wecs": 2, "policies": 1}
table:
  description: All findings as text, at most 120 columns wide, one element for each line.
  returned: always
  type: list
  elements: str
"""

from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._module import Context, run
from ansible_collections.kubestellar.core.plugins.module_utils.doctor import checks, read, report

SPEC: dict[str, Any] = {
    "checks": {"type": "list", "elements": "str"},
    "wecs": {"type": "list", "elements": "str"},
}


def work(context: Context) -> dict[str, Any]:
    """Read the hub, judge it, tell it."""
    ids = context.params["checks"]
    wanted = checks.needed(checks.chosen(ids))
    if context.planned:
        return report.forecast()
    facts = read.read(context.hosting(), wanted, context.params["wecs"])
    return report.result(facts, checks.diagnose(facts, ids))


def main() -> None:
    """Entry point."""
    run(SPEC, work)


if __name__ == "__main__":
    main()
