#!/usr/bin/python
# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: space_backup
version_added: "0.1.0"
short_description: Back up what cannot be rebuilt of the spaces of a hub
description:
  - Writes what people have put into the spaces of a hub to files, for M(kubestellar.core.space_restore) to bring into a fresh hub.
  - Of a WDS these are the workload objects, BindingPolicies, CustomTransforms and StatusCollectors. What Kubernetes, KubeFlex and KubeStellar make
    is left out, such as Bindings, CombinedStatuses, C(kube-root-ca.crt) and built-in roles. In C(kube-system), C(kube-public) and
    C(kube-node-lease), only what somebody else than Kubernetes wrote is kept.
  - Of an ITS these are the ManagedClusters with labels, annotations, taints and whether they are accepted, and their properties
    (the ConfigMaps in C(customization-properties)). ManifestWorks are made again by the restored policies.
  - Left out of each object are C(status), the metadata that belongs to one server (C(uid), C(resourceVersion), C(managedFields) and so on),
    C(finalizers), C(ownerReferences), and what the server has filled in for this space alone (addresses of Services, selectors of Jobs, contents of
    token Secrets). Objects that a controller owns or that are being deleted are left out.
  - If anything that belongs into the backup cannot be read, the module fails and the earlier backup stays. There is never a part of a backup.
author:
  - kubestellar.core contributors (@kubestellar)
extends_documentation_fragment:
  - kubestellar.core._auth
  - kubestellar.core._auth.spaces
  - kubestellar.core._attributes
  - kubestellar.core._attributes.action_group
options:
  folder:
    description:
      - The folder of the backup, for nothing else. It is replaced as a whole by a rename, so it may lie within a git repository but not be its top.
      - It gets a folder for each space, in it one file of YAML documents for each kind and C(managers.jsonl) with the owners of fields. C(index.yml) holds
        counts, versions and checksums.
      - Files have the mode 0600 and folders 0700, since Secrets may be in them, in plain base64. Encrypt the folder before it leaves the machine.
    type: path
    required: true
  secrets:
    description:
      - Whether Secrets are kept. With V(exclude) their names are in the index, and they must be brought back in another way before the WECs join the
        fresh hub, or KubeStellar no longer delivers them and they vanish from the WECs.
    type: str
    choices: [include, exclude]
    default: include
  exclude_namespaces:
    description:
      - Namespaces of WDSes of which nothing is kept. Needed for a WDS of the type V(host), where all that runs on the hosting cluster is in the WDS.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details:
      - The files are made for git, which shows differences better.
  idempotent:
    support: full
    details:
      - Files change only where objects do.
"""

EXAMPLES = r"""
- name: Back up all spaces of the hub
  kubestellar.core.space_backup:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    folder: /var/backups/kubestellar/hub

- name: Back up one WDS without Secrets into a folder of a git repository
  kubestellar.core.space_backup:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    spaces:
      - name: wds1
    folder: /srv/fleet/backup
    secrets: exclude
"""

RETURN = r"""
folder:
  description: The folder of the backup.
  returned: always
  type: str
spaces:
  description: One entry per space, ITSes first.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the space.
      type: str
    role:
      description: What it is for.
      type: str
    kubernetes:
      description: Version of its API server.
      type: str
    objects:
      description: Number of objects.
      type: int
    secrets_left_out:
      description: The Secrets that were left out, as namespace and name with a slash.
      type: list
      elements: str
files:
  description: The files of the backup, within the folder.
  returned: always
  type: list
  elements: str
"""

from pathlib import Path
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _backup, _backup_folder, _space
from ansible_collections.kubestellar.core.plugins.module_utils._module import Context, run

SPEC: dict[str, Any] = {
    **_space.SPACES_SPEC,
    "folder": {"type": "path", "required": True},
    "secrets": {"type": "str", "choices": ["include", "exclude"], "default": "include", "no_log": False},
    "exclude_namespaces": {"type": "list", "elements": "str", "default": []},
}


def work(context: Context) -> dict[str, Any]:
    """Read the spaces, then write what differs."""
    params = context.params
    folder = Path(params["folder"])
    result: dict[str, Any] = {"changed": context.planned, "folder": str(folder), "spaces": [], "files": []}
    if context.planned:
        return result
    secrets = params["secrets"] == "include"
    contents = []
    for role, cluster in _space.choose(params["spaces"], context.hosting):
        contents.append(_backup.read(cluster, role, secrets=secrets, exclude=params["exclude_namespaces"]))
        context.progress.line(f"{cluster.name}: {len(contents[-1].objects)} objects read")
    files = _backup_folder.files(contents, secrets=secrets, exclude=params["exclude_namespaces"])
    if not context.check_mode:
        _backup_folder.heal(folder)
    result["changed"] = _backup_folder.differs(folder, files)
    if result["changed"] and not context.check_mode:
        _backup_folder.write(folder, files)
    result["files"] = sorted(files)
    result["spaces"] = [
        {
            "name": content.name,
            "role": content.role,
            "kubernetes": content.kubernetes,
            "objects": len(content.objects),
            "secrets_left_out": content.left_out,
        }
        for content in sorted(contents, key=lambda content: (content.role, content.name))
    ]
    return result


def main() -> None:
    """Entry point."""
    run(SPEC, work)


if __name__ == "__main__":
    main()
