# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is still in a hub that is to be removed (private to kubestellar.core)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ansible_collections.kubestellar.core.plugins.module_utils import _bulk, _control_plane, _space
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    KubestellarError,
    NotFound,
    Refused,
    plain,
)
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    BINDING_POLICIES,
    MANAGED_CLUSTERS,
    Resource,
)
from ansible_collections.kubestellar.core.plugins.module_utils.placement.catalogue import names

_HOLDS: dict[str, tuple[Resource, str]] = {
    "its": (MANAGED_CLUSTERS, "the clusters"),
    "wds": (BINDING_POLICIES, "the policies"),
}
"""Role of a space to what must be gone before it."""


@dataclass(frozen=True)
class Contents:
    """What is in a space. :ivar trouble: why it could not be looked at, as a clause; empty if it was."""

    space: str
    role: str
    found: list[str] = field(default_factory=list)
    trouble: str = ""

    @property
    def clause(self) -> str:
        """For a sentence."""
        if self.trouble:
            return f"what is in {self.space} cannot be said ({self.trouble})"
        return f"{self.space} has {_HOLDS[self.role][1]} {names(self.found)}"


def look(hosting: Cluster, spaces: Sequence[tuple[str, str]]) -> list[Contents]:
    """What is in each of these spaces that is there.

    :param spaces: pairs of name and role. One whose kubeconfig was never made, as in half an installation, has nothing in it.
    """
    try:
        live = _control_plane.read_all(hosting)
    except NotFound:
        return []  # without KubeFlex there are no spaces

    def work(space: tuple[str, str]) -> Contents:
        name, role = space
        try:
            cluster = _space.connect_to(hosting, live[name])
            if not cluster.ready():
                return Contents(
                    name, role, trouble=f"its API server does not answer at {plain(cluster.server, 120)}"
                )
            items = cluster.list(_HOLDS[role][0]).items
        except NotFound:
            return Contents(name, role)  # the kind is not served
        except KubestellarError as error:
            return Contents(name, role, trouble=plain(error.message.rstrip("."), 200))
        return Contents(name, role, sorted(str(item["metadata"]["name"]) for item in items))

    there = [space for space in spaces if ((live.get(space[0]) or {}).get("status") or {}).get("secretRef")]
    return _bulk.in_parallel(work, there)


def check(hosting: Cluster, found: Sequence[Contents], *, unknown: bool) -> None:
    """See that nothing is lost that is still in use.

    :param unknown: whether a space that cannot be looked at may be removed.
    :raises Refused: naming what is there.
    """
    held = [one for one in found if one.found or (one.trouble and not unknown)]
    if held:
        raise Refused(
            f"{hosting.name}: the hub is still in use: {'; '.join(one.clause for one in held)}. Nothing has been removed.",
            hint="Take the workloads and clusters out first; if all of it is to go with the hub, set hub_remove_contents.",
            refused=[one.space for one in held],
        )
