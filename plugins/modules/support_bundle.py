#!/usr/bin/python
# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: support_bundle
version_added: "0.1.0"
short_description: Collect objects, events and logs of a hub and its clusters in one archive
description:
  - Collects from the hosting cluster, from every space that it has a ControlPlane for, and from workload execution clusters
    (WECs), what is needed to find out afterwards what was wrong, and writes it into one archive with an index.
  - It reads by the Python library C(openshift-client), which runs C(oc) or C(kubectl). It changes nothing in any cluster.
  - Secrets are redacted. Of a Secret there are its keys with the sizes of their values, of an environment variable its name. Tokens,
    private keys, passwords and kubeconfigs in other objects and in logs are replaced, by their form and by the values that were met.
  - A cluster that does not answer, and a kind or a log that cannot be read, is an entry of the index, with the reason. The module
    fails if nothing came from the hosting cluster; even then it writes what else could be had.
  - The findings of M(kubestellar.core.doctor) are in the archive, too.
author:
  - kubestellar.core contributors (@kubestellar)
extends_documentation_fragment:
  - kubestellar.core._auth
  - kubestellar.core._attributes
  - kubestellar.core._attributes.action_group
requirements:
  - cryptography
  - openshift-client
  - C(oc) or C(kubectl) where the module runs
options:
  dest:
    description:
      - Where the archive is written, with mode 0600.
      - A name that ends in C(.tar.gz) or C(.tgz) is that of the file, which is replaced if it is there. Anything else is a folder, which is made
        if it is not there; the file in it is called after the hub and the time.
    type: path
    required: true
  wecs:
    description:
      - The WECs to collect from, with their connections. The hub has none of its own to a WEC.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: What the WEC is called in the archive.
        type: str
        required: true
      kubeconfig:
        description: Path of a kubeconfig. Without it, the WEC is in the index as one that could not be reached.
        type: path
      context:
        description: Context in it. Needed if there are several.
        type: str
  log_lines:
    description: The last lines of each log to collect.
    type: int
    default: 500
  since:
    description: Collect only lines of the logs of Pods that are not older than this, such as V(2h) or V(1h30m).
    type: str
  limit_bytes:
    description:
      - The most bytes of each file in the archive. Of a list the first objects are kept, of a log its end, and the index says how many.
      - In an ITS with thousands of ManifestWorks this is what bounds the archive.
    type: int
    default: 2000000
  timeout:
    description: Seconds for each cluster. What has not come by then is missing, and named.
    type: int
    default: 120
  program:
    description: Name or path of C(oc) or C(kubectl). If it is left out, C(oc) and then C(kubectl) are looked for in E(PATH).
    type: path
  stack_folder:
    description: Folder of an embedded stack, of whose processes the logs are collected, too.
    type: path
attributes:
  check_mode:
    support: full
    details:
      - It says what would be collected from where, and where it would be written.
  diff_mode:
    support: none
  idempotent:
    support: none
    details:
      - Each run makes a new archive.
notes:
  - Look into the archive before you give it to somebody. What is secret by its meaning alone, such as a name, cannot be known here.
"""

EXAMPLES = r"""
- name: Collect from the hub and its spaces
  kubestellar.core.support_bundle:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    dest: /var/tmp/support
  register: support

- name: Show what is in it and what is not
  ansible.builtin.debug:
    msg: "{{ support.table | join('\n') }}"

- name: Collect from a WEC as well, the last two hours only
  kubestellar.core.support_bundle:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    dest: /var/tmp/support/hub.tar.gz
    since: 2h
    log_lines: 2000
    wecs:
      - name: cluster1
        kubeconfig: /etc/kubestellar/cluster1.kubeconfig
        context: cluster1
"""

RETURN = r"""
path:
  description: The archive, also where it would be in check mode.
  returned: always
  type: str
  sample: /var/tmp/support/kubestellar-support-hub-20261125T030000Z.tar.gz
size:
  description: Its size in bytes. V(0) in check mode.
  returned: always
  type: int
summary:
  description: Numbers of what is in it, all V(0) in check mode.
  returned: always
  type: dict
  contains:
    clusters:
      description: Clusters to collect from, the hosting cluster and the spaces among them.
      type: int
    clusters_missing:
      description: Those of which nothing could be had.
      type: int
    objects:
      description: Objects, events among them.
      type: int
    events:
      description: Events.
      type: int
    logs:
      description: Logs of containers and processes.
      type: int
    failed:
      description: Lists and logs that could not be read.
      type: int
    cut:
      description: Lists and logs that are not whole, by O(limit_bytes) or since the cluster stopped answering.
      type: int
    not_served:
      description: Lists of kinds that the cluster does not know.
      type: int
    redacted:
      description: Places where something secret was replaced.
      type: int
missing:
  description: What was to be collected and is not, or not whole.
  returned: always
  type: list
  elements: dict
  contains:
    cluster:
      description: Role and name of the cluster, such as V(WEC cluster2).
      type: str
    what:
      description: What is missing there, V(everything) if the cluster could not be reached.
      type: str
    reason:
      description: Why.
      type: str
planned:
  description: In check mode, what would be collected. Else empty.
  returned: always
  type: list
  elements: dict
  contains:
    cluster:
      description: Role and name of the cluster.
      type: str
    trouble:
      description: Why it cannot be used, as far as that is known now. Empty if nothing is known against it.
      type: str
    kinds:
      description: The lists that would be read, such as V(deployments.apps in kubeflex-system).
      type: list
      elements: str
table:
  description: The same as text, one element for each line.
  returned: always
  type: list
  elements: str
"""

from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._module import Context, run
from ansible_collections.kubestellar.core.plugins.module_utils.support import make

SPEC: dict[str, Any] = {
    "dest": {"type": "path", "required": True},
    "wecs": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "kubeconfig": {"type": "path"},
            "context": {"type": "str"},
        },
    },
    "log_lines": {"type": "int", "default": 500},
    "since": {"type": "str"},
    "limit_bytes": {"type": "int", "default": 2_000_000},
    "timeout": {"type": "int", "default": 120},
    "program": {"type": "path"},
    "stack_folder": {"type": "path"},
}


def work(context: Context) -> dict[str, Any]:
    """Collect, or say what would be collected."""
    order = make.Order.of(context.params)
    if context.check_mode:
        return make.forecast(None if context.planned else context.hosting(), order)
    return make.make(context.hosting(), order, context.tmpdir, context.progress)


def main() -> None:
    """Entry point."""
    run(SPEC, work)


if __name__ == "__main__":
    main()
