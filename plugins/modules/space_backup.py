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
  - Writes what people have put into the spaces of a hub to files, for M(kubestellar.core.space_restore) to bring into a fresh hub. Only reads from
    the hub.
  - Of a WDS these are the workload objects of every kind, BindingPolicies, CustomTransforms and StatusCollectors. What Kubernetes, KubeFlex and
    KubeStellar make is left out, such as Bindings, CombinedStatuses, C(kube-root-ca.crt), Events, Leases, the ServiceAccount C(default) as it comes, and
    built-in roles. In C(kube-system), C(kube-public) and C(kube-node-lease), only what somebody else than Kubernetes wrote is kept.
  - Of an ITS these are the ManagedClusters with labels, annotations, taints and whether they are accepted, their properties (the ConfigMaps
    in C(customization-properties)), and ManagedClusterSets with their bindings. ManifestWorks are made again by the restored policies.
  - Left out of each object are C(status), the metadata that belongs to one server (C(uid), C(resourceVersion), C(managedFields) and so on), C(finalizers) and
    C(ownerReferences), since controllers set theirs again and owners have other UIDs in a fresh hub, and what the server has filled in for this space
    alone (addresses of Services, selectors of Jobs, contents of token Secrets).
  - Left out and counted are objects that a controller owns, since it makes them again, and objects that are being deleted.
  - What the policies of a WDS came to is recorded, for the restore to compare with. Nothing is made from it.
  - If anything that belongs in the backup cannot be read, the module fails and the earlier backup stays. There is never a part of a backup.
  - Kinds are read one after the other, not all at one moment. Change nothing in the hub meanwhile. What the backup shows to be inconsistent is a warning.
author:
  - kubestellar.core contributors (@kubestellar)
extends_documentation_fragment:
  - kubestellar.core._auth
  - kubestellar.core._auth.spaces
  - kubestellar.core._attributes
  - kubestellar.core._attributes.action_group
options:
  dir:
    description:
      - The folder of the backup, which is made if it is not there. It gets an archive for each space, named after the space with C(.tar.gz).
      - In an archive, C(manifest.json) says what it is made of, with counts and checksums, and C(objects/) has one file of YAML documents for each kind.
      - Archives have the mode 0600, since the Secrets of the workload are in them, in plain base64. They are not encrypted. Encrypt them before they
        leave the machine.
    type: path
    required: true
  exclude_namespaces:
    description:
      - Namespaces of WDSes of which nothing is kept. Needed for a WDS of the type V(host), where all that runs on the hosting cluster is in the WDS.
    type: list
    elements: str
    default: []
  allow_shrink:
    description:
      - Whether an archive may be replaced by one with less than half of its objects. If not, nothing is written. A space that was lost and made anew is
        empty, and a backup that is made every night must not take that for the truth.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details:
      - Whole Secrets are among what is written.
  idempotent:
    support: full
    details:
      - An archive is written only if something else than the time would differ.
"""

EXAMPLES = r"""
- name: Back up all spaces of the hub
  kubestellar.core.space_backup:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    dir: /var/backups/kubestellar/hub

- name: Back up one WDS on the hosting cluster, without what else runs there
  kubestellar.core.space_backup:
    kubeconfig: /etc/kubestellar/hub.kubeconfig
    context: hub
    spaces:
      - name: wds1
    dir: /var/backups/kubestellar/hub
    exclude_namespaces:
      - ingress-nginx
      - monitoring
"""

RETURN = r"""
dir:
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
    archive:
      description: Path of its archive.
      type: str
    changed:
      description: Whether the archive was, or in check mode would be, written.
      type: bool
    kubernetes:
      description: Version of its API server.
      type: str
    objects:
      description: Number of objects.
      type: int
    kinds:
      description: Number of objects by kind.
      type: dict
      sample: {"BindingPolicy": 10, "ConfigMap": 414}
    left_out:
      description:
        - Number of objects that are left out, by reason. V(built_in) is made again by the hub, V(controlled) by the controller that owns it, V(deleting) is
          on its way out, V(excluded) is in a namespace of O(exclude_namespaces).
      type: dict
      sample: {"built_in": 72, "controlled": 0, "deleting": 0, "excluded": 0}
    unsettled:
      description: Policies whose last change KubeStellar had not seen. A restore does not compare their placement.
      type: list
      elements: str
    unkept:
      description: Policy to the objects that it delivers and that are not in the backup and not made again. A restored hub withdraws them.
      type: dict
"""

import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _space
from ansible_collections.kubestellar.core.plugins.module_utils._client import label
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, Refused
from ansible_collections.kubestellar.core.plugins.module_utils._module import Context, run
from ansible_collections.kubestellar.core.plugins.module_utils.backup import archive, model
from ansible_collections.kubestellar.core.plugins.module_utils.placement import catalogue

SPEC: dict[str, Any] = {
    **_space.SPACES_SPEC,
    "dir": {"type": "path", "required": True},
    "exclude_namespaces": {"type": "list", "elements": "str", "default": []},
    "allow_shrink": {"type": "bool", "default": False},
}


def work(context: Context) -> dict[str, Any]:
    """Read all spaces, then write the archives that differ."""
    params = context.params
    if not params["dir"]:
        raise InvalidInput("No folder is named for the backup.", hint="Set dir.")
    folder = Path(params["dir"])
    result: dict[str, Any] = {"changed": context.planned, "dir": str(folder), "spaces": []}
    if context.planned:
        return result
    entries = params["spaces"]
    hub = context.hosting().name if entries is None or not all(e["kubeconfig"] for e in entries) else ""
    taken = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    contents = []
    for role, cluster in _space.choose(entries, context.hosting):
        contents.append(model.read(cluster, role, exclude=params["exclude_namespaces"]))
        context.progress.line(f"{cluster.name}: {len(contents[-1].objects)} objects read")
    contents.sort(key=lambda content: (model.ROLES.index(content.role), content.name))
    made = {
        archive.path_of(folder, content.name): archive.files(content, hub=hub, taken=taken)
        for content in contents
    }
    differing = [path for path, files in made.items() if archive.differs(path, files)]
    if not params["allow_shrink"]:
        _refuse_to_shrink({path: made[path] for path in differing})
    if differing and not context.check_mode:
        archive.write({path: archive.packed(made[path]) for path in differing})
    for path, content in zip(made, contents, strict=True):
        result["spaces"].append({**_entry(content), "archive": str(path), "changed": path in differing})
        _warn(context, content)
    result["changed"] = bool(differing)
    return result


def _refuse_to_shrink(made: Mapping[Path, Mapping[str, bytes]]) -> None:
    """:raises Refused: a space has lost most of what its earlier archive holds."""
    lost = {path: numbers for path, files in made.items() if (numbers := archive.shrunk(path, files))}
    if lost:
        spaces = ", ".join(
            f"{path} ({after} objects instead of {before})" for path, (before, after) in lost.items()
        )
        raise Refused(
            f"The backup would leave less than half of {spaces}. Nothing has been written.",
            hint="Has the space been lost? Then restore it. If this is meant, set allow_shrink, or name another folder.",
        )


def _entry(content: model.Content) -> dict[str, Any]:
    return {
        "name": content.name,
        "role": content.role,
        "kubernetes": content.kubernetes,
        "objects": len(content.objects),
        "kinds": dict(sorted(Counter(obj["kind"] for _resource, obj in content.objects).items())),
        "left_out": content.counts(),
        "unsettled": _unsettled(content),
        "unkept": content.unkept,
    }


def _unsettled(content: model.Content) -> list[str]:
    return [policy for policy, placed in content.placement.items() if not placed["settled"]]


def _warn(context: Context, content: model.Content) -> None:
    going = content.left_out.get(model.DELETING, [])
    if going:
        named = catalogue.names(
            [label(resource.kind, name, namespace or None) for resource, namespace, name in going]
        )
        context.warn(f"{content.name}: being deleted, and so not in the backup: {named}.")
    for policy, lacking in content.unkept.items():
        context.warn(
            f"{content.name}: the policy {catalogue.names([policy])} delivers {catalogue.names(lacking)}, which "
            f"{'is' if len(lacking) == 1 else 'are'} not in the backup: a restored hub withdraws "
            f"{'it' if len(lacking) == 1 else 'them'}."
        )
    if _unsettled(content):
        context.warn(
            f"{content.name}: KubeStellar has not yet seen the last change of {catalogue.names(_unsettled(content))}. A "
            "restore cannot tell whether their placement is the same. Run again when it has."
        )


def main() -> None:
    """Entry point."""
    run(SPEC, work)


if __name__ == "__main__":
    main()
