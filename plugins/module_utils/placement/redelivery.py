# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects delivered again for changes that KubeStellar does not notice (private to kubestellar.core).

Neither a changed property of a cluster nor a changed CustomTransform makes the transport controller write ManifestWorks anew.
A changed object does, and then for all objects of its Binding (kubestellar: pkg/transport/generic/generic_transport_controller.go),
so one annotation on one of them is enough.
"""

from __future__ import annotations

import datetime

from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils.placement import warnings
from ansible_collections.kubestellar.core.plugins.module_utils.placement.facts import Placement
from ansible_collections.kubestellar.core.plugins.module_utils.placement.resolution import ObjectKey

ANNOTATION = "kubestellar.core/delivered-again"
"""When an object was last touched to be delivered again. It has a field manager of its own, so that no apply removes it."""
FIELD_MANAGER = "kubestellar.core-redelivery"
CODES = ("stale-property", "stale-transform")
"""The warnings for which it is done."""


def stale(placement: Placement) -> list[ObjectKey]:
    """The objects that would be delivered otherwise today, sorted. It needs facts of delivery, see `snapshot`."""
    keys = set(warnings.stale_by_property(placement))
    for of_transform in warnings.stale_by_transform(placement).values():
        keys.update(of_transform)
    return sorted(keys)


def deliver_again(wds: Cluster, placement: Placement, *, dry_run: bool) -> list[ObjectKey]:
    """Touch one of the stale objects, if there are any; all that are stale."""
    keys = stale(placement)
    if keys:
        first = keys[0]
        (resource,) = (r for r in wds.resources() if (r.group, r.plural) == (first.group, first.resource))
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        body = {"metadata": {"annotations": {ANNOTATION: now}}}
        wds.patch(
            resource, first.name, first.namespace or None, body, field_manager=FIELD_MANAGER, dry_run=dry_run
        )
    return keys
