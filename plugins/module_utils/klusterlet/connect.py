# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the options of a module to what clusters are looked at with (private to kubestellar.core)."""

from __future__ import annotations

from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._module import Context
from ansible_collections.kubestellar.core.plugins.module_utils.klusterlet import fleet
from ansible_collections.kubestellar.core.plugins.module_utils.klusterlet import hub as hubs
from ansible_collections.kubestellar.core.plugins.module_utils.klusterlet.hub import Known
from ansible_collections.kubestellar.core.plugins.module_utils.klusterlet.wishes import Place

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
        hub=hubs.look(hosting, its, params["its"] or "", uids),
        registered=fleet.registered(its) if registered else None,
        fallback=fallback,
        management=management,
        change_hub=params["change_hub"],
    )
