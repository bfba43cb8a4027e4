#!/usr/bin/python
# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: hub_chart
version_added: "0.1.0"
short_description: Make a copy of the core chart with the images of another registry
description:
  - Writes a copy of KubeStellar's core chart and its sub-charts in which all images, and the charts that its Jobs install, are those of
    a registry of yours.
  - It reaches the hooks, the images of OCM that C(clusteradm) installs, PostgreSQL, and the status add-on with its agents in the WECs.
    The chart has no values for these, so the text of its templates is changed.
  - C(host/path:tag) becomes C(registry/path:tag). An image without a host is one of C(docker.io).
  - The same chart and registry always give the same copy. It is a work file for M(kubernetes.core.helm) and nothing that is managed, so
    it is written in check mode too, and never counts as a change.
  - What KubeFlex itself pulls for spaces of the types C(k8s) and C(vcluster) cannot be redirected. A warning says what to do.
author:
  - kubestellar.core contributors (@kubestellar)
extends_documentation_fragment:
  - kubestellar.core._attributes
options:
  src:
    description:
      - The chart, as a folder, an archive, or a folder in which there is nothing but one of these.
    type: path
    required: true
  dest:
    description:
      - Folder for the copy. It is replaced as a whole.
    type: path
    required: true
  registry:
    description:
      - The registry, as host with port and folder if it has them, for example V(registry.example.com:5000/mirror).
    type: str
    default: ""
  registries:
    description:
      - Registries for single hosts, as a mapping of the upstream host to its registry. All others have O(registry), or stay.
    type: dict
    default: {}
  spaces:
    description:
      - The spaces of the hub, to warn about those whose images cannot be redirected.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the space.
        type: str
        required: true
      type:
        description: Type of its ControlPlane.
        type: str
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
"""

EXAMPLES = r"""
- name: Make a copy of the chart for a site without a way to the internet
  kubestellar.core.hub_chart:
    src: /srv/charts/core-chart-0.30.0.tgz
    dest: /run/kubestellar/core-chart
    registry: registry.example.com/mirror
"""

RETURN = r"""
path:
  description: The folder of the copy.
  returned: always
  type: str
digest:
  description: A short name for templates and values of the copy.
  returned: always
  type: str
marker:
  description:
    - A value for the release, which names registry and content of the chart. It has no effect in the chart. M(kubernetes.core.helm) compares
      version and values only, and upgrades the release when this value changes.
  returned: always
  type: dict
references:
  description: Every reference to an image or a chart that was found, without the tag if a template makes it, to what it has become.
  returned: always
  type: dict
unreached:
  description: A sentence for each thing that is still taken from upstream. They are shown as warnings too.
  returned: always
  type: list
  elements: str
"""

from pathlib import Path
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._module import Context, run
from ansible_collections.kubestellar.core.plugins.module_utils.hub import chart, images, redirect
from ansible_collections.kubestellar.core.plugins.module_utils.hub.registry import Registry

SPEC: dict[str, Any] = {
    "src": {"type": "path", "required": True},
    "dest": {"type": "path", "required": True},
    "registry": {"type": "str", "default": ""},
    "registries": {"type": "dict", "default": {}},
    "spaces": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {"name": {"type": "str", "required": True}, "type": {"type": "str"}},
    },
}


def work(context: Context) -> dict[str, Any]:
    """Write the copy."""
    params = context.params
    registry = Registry.of(params["registry"], params["registries"])
    made = redirect.redirected(chart.read(Path(params["src"])), registry)
    unreached = [*made.unreached, *images.unreached(params["spaces"], registry)]
    for sentence in unreached:
        context.warn(sentence)
    chart.write(made.files, Path(params["dest"]))
    digest = redirect.digest(made.files)
    marker = {"registry": registry.default, "registries": dict(registry.hosts), "chart": digest}
    return {
        "changed": False,
        "path": params["dest"],
        "digest": digest,
        "marker": {"kubestellarCore": {key: value for key, value in marker.items() if value}},
        "references": made.references,
        "unreached": unreached,
    }


def main() -> None:
    """Entry point."""
    run(SPEC, work, connection=False)


if __name__ == "__main__":
    main()
