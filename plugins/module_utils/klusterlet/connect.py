# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the options of a module to what clusters are looked at with (private to kubestellar.core)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bulk, _space
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import KubestellarError
from ansible_collections.kubestellar.core.plugins.module_utils._module import Context
from ansible_collections.kubestellar.core.plugins.module_utils._resources import CONTROL_PLANES
from ansible_collections.kubestellar.core.plugins.module_utils.klusterlet import fleet
from ansible_collections.kubestellar.core.plugins.module_utils.klusterlet import hub as hubs
from ansible_collections.kubestellar.core.plugins.module_utils.klusterlet.hub import Known
from ansible_collections.kubestellar.core.plugins.module_utils.klusterlet.wishes import Place
from ansible_collections.kubestellar.core.plugins.module_utils.placement.snapshot import delivers_through

MANAGEMENT = "management cluster"


def view_of(
    context: Context, place: Place, fallback: Known | None = None, *, registered: bool = True
) -> fleet.View:
    """What clusters are looked at with.

    The hub is looked at only if the options name its ITS.

    :param fallback: the hub in the bootstrap kubeconfig.
    :param registered: whether it matters which clusters the hub knows.
    """
    params = context.params
    management = None
    if place.hosted:
        management = Cluster.from_kubeconfig(
            params["management_kubeconfig"], params["management_context"], name=MANAGEMENT
        )
    if context.planned or not (params["its"] or params["its_kubeconfig"]):
        return fleet.View(place, fallback=fallback, management=management, change_hub=params["change_hub"])
    its = context.its()
    hosting = None if params["its_kubeconfig"] else context.hosting()
    uids = frozenset(fleet.uid_of(cluster) for cluster in (hosting, its) if cluster is not None)
    return fleet.View(
        place,
        hub=replace(
            hubs.look(hosting, its, params["its"] or "", uids), spaces=_wdses(hosting, its, params["its"])
        ),
        registered=fleet.registered(its) if registered else None,
        fallback=fallback,
        management=management,
        change_hub=params["change_hub"],
    )


def _wdses(hosting: Cluster | None, its: Cluster, name: str) -> dict[str, str]:
    """UID to name of the WDSes that deliver through an ITS, as far as they answer: one that does not is no WEC that does."""
    if hosting is None:
        return {}

    def look(plane: Mapping[str, Any]) -> tuple[str, str]:
        try:
            if not delivers_through(plane, its, name):
                return "", ""
            return fleet.uid_of(_space.connect_to(hosting, plane)), str(plane["metadata"]["name"])
        except KubestellarError:
            return "", ""

    wdses = [plane for plane in hosting.list(CONTROL_PLANES).items if _space.role(plane) == "wds"]
    return {uid: wds for uid, wds in _bulk.in_parallel(look, wdses) if uid}
