#!/usr/bin/python
# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: status_report
version_added: "0.1.0"
short_description: Write what runs where to files, for people and for programs
description:
  - Reads a hub as M(kubestellar.core.workload_info) does, and writes what it has found as an HTML page, as JSON, and as text for the
    textfile collector of Prometheus.
  - The HTML page is one file that needs nothing else. It has a picture of hub, spaces and clusters, warnings, tables of workloads
    and clusters, the matrix of objects and clusters with filters, and what StatusCollectors have collected.
  - Each file is written at once and whole, with mode 0644. Nothing is changed in any cluster.
author:
  - kubestellar.core contributors (@kubestellar)
extends_documentation_fragment:
  - kubestellar.core._auth
  - kubestellar.core._auth.wds
  - kubestellar.core._auth.its
  - kubestellar.core._status
  - kubestellar.core._attributes
  - kubestellar.core._attributes.action_group
options:
  dest:
    description:
      - Folder for the files, which is made with mode 0755 if it is not there.
    type: path
    required: true
  basename:
    description:
      - Name of the files without their endings, which are C(.html), C(.json) and C(.prom).
    type: str
    default: status
  formats:
    description:
      - What to write.
    type: list
    elements: str
    choices: [html, json, prometheus]
    default: [html]
attributes:
  check_mode:
    support: full
    details: It reads the hub and writes no file.
  diff_mode:
    support: partial
    details: Of the text for Prometheus, which is small. Of the others, that there is a new one.
  idempotent:
    support: none
    details: Each reading has its own time, so that the files differ.
notes:
  - Whoever can read the files learns names, labels and messages of objects and clusters. There is nothing of a Secret in them but its name.
seealso:
  - module: kubestellar.core.workload_info
  - module: kubestellar.core.status_follow
"""

EXAMPLES = r"""
- name: Write a page for people, and numbers for Prometheus
  kubestellar.core.status_report:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    wds: wds1
    its: its1
    dest: /var/www/kubestellar
    basename: hub
    formats: [html, prometheus]
  register: report

- name: Say where it is
  ansible.builtin.debug:
    var: report.paths.html
"""

RETURN = r"""
paths:
  description: The files by format, also those that would be written in check mode.
  returned: always
  type: dict
  sample: {"html": "/var/www/kubestellar/hub.html", "prometheus": "/var/www/kubestellar/hub.prom"}
sizes:
  description: Their sizes in bytes, by format. Empty if the hub does not exist yet.
  returned: always
  type: dict
  sample: {"html": 48210, "prometheus": 5120}
summary:
  description: Numbers of clusters, objects and placements (objects × clusters), and of placements by health.
  returned: always
  type: dict
  sample: {"clusters": 2, "objects": 6, "placements": 12, "healthy": 12, "progressing": 0, "failed": 0, "stale": 0, "removing": 0}
warnings_found:
  description: Numbers of warnings in the report, by severity.
  returned: always
  type: dict
  sample: {"error": 0, "warning": 1, "info": 0}
"""

from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._module import Context, run
from ansible_collections.kubestellar.core.plugins.module_utils.doctor.catalogue import SEVERITIES
from ansible_collections.kubestellar.core.plugins.module_utils.status import (
    files,
    model,
    read,
    warnings,
)

SPEC: dict[str, Any] = {
    **read.QUESTION_SPEC,
    "dest": {"type": "path", "required": True},
    "basename": {"type": "str", "default": "status"},
    "formats": {"type": "list", "elements": "str", "choices": list(files.FORMATS), "default": ["html"]},
}


def work(context: Context) -> dict[str, Any]:
    """Read, and write the files."""
    formats = context.params["formats"]
    paths = files.targets(context.params["dest"], context.params["basename"], formats)
    view = read.view(context)
    if lack := model.unplaced(read.question(context.params), view):
        context.warn(lack)
    contents = {} if view.planned else files.contents(view, formats)
    before = {name: files.present(paths[name]) for name in contents}
    found = [warned.severity for warned in warnings.of_view(view)]
    result = {
        "changed": view.planned or before != contents,
        "paths": {name: str(path) for name, path in paths.items()},
        "sizes": {name: len(content.encode()) for name, content in contents.items()},
        "summary": model.summary(view),
        "warnings_found": {severity: found.count(severity) for severity in SEVERITIES},
    }
    if context.diff_mode:
        result["diff"] = [_diff(str(paths[name]), name, before[name], contents[name]) for name in contents]
    if not context.check_mode:
        files.write({paths[name]: content for name, content in contents.items()})
    return result


def _diff(path: str, name: str, before: str, after: str) -> dict[str, str]:
    """The difference of a file for people."""
    if name != "prometheus":
        before, after = ("a report\n" if before else "", "a new report\n")
    return {"before_header": path, "after_header": path, "before": before, "after": after}


def main() -> None:
    """Entry point."""
    run(SPEC, work, **read.MODULE_ARGUMENTS)


if __name__ == "__main__":
    main()
