# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What API servers mean when they refuse an object (private to kubestellar.core). Pure functions."""

from __future__ import annotations

import re

from ansible_collections.kubestellar.core.plugins.module_utils._errors import ApiError, Conflict
from ansible_collections.kubestellar.core.plugins.module_utils.placement.catalogue import names

_IMMUTABLE = re.compile(
    r"immutable|may not (be )?changed?\b|cannot change\b|updates to .+ (are|is) forbidden|updates may not change",
    re.IGNORECASE,
)
"""How Kubernetes words it (kubernetes: pkg/apis/*/validation/validation.go)."""


def conflicts(message: str) -> list[dict[str, str]]:
    """Managers and fields in what an API server says against a server-side apply.

    One conflict is `conflict with "kubectl" using v1: .spec.x`; several are `conflicts with "kubectl" using v1:` and then
    `- .spec.x` for each (kubernetes: staging/src/k8s.io/apimachinery/pkg/util/managedfields/internal/conflict.go).
    """
    found = []
    for part in re.split(r"conflicts? with ", message)[1:]:
        owner = re.match(r'"([^"]+)"', part)
        for field in re.findall(r"(?:(?<=: )|(?<=- ))\.[^ ]+", part):
            found.append({"manager": owner.group(1) if owner else "another manager", "field": field})
    return found


def explain(error: Conflict, what: str) -> Conflict:
    """A conflict of field managers, told by owner and field; `details["conflicts"]` lists them.

    :param what: the object, with its cluster.
    """
    found = conflicts(error.message)
    if found:
        owners: dict[str, list[str]] = {}
        for item in found:
            owners.setdefault(item["manager"], []).append(item["field"])
        told = "; ".join(f"{owner} owns {names(fields)}" for owner, fields in sorted(owners.items()))
        error.message = f"{what} has other owners of what would be changed: {told}."
        error.details["conflicts"] = found
    error.hint = "Set force_conflicts to take these fields over, or leave them to their owner."
    return error


def immutable(error: ApiError) -> list[str]:
    """The fields that cannot be changed, if that is the only thing that the server has against the object.

    :returns: their paths, or `something` where the server names none; empty if there is any other reason.
    """
    if error.status != 422:
        return []
    if not error.causes:
        return ["something"] if _IMMUTABLE.search(error.message) else []
    if not all(_IMMUTABLE.search(message) for _field, message in error.causes):
        return []
    return list(dict.fromkeys(field or "something" for field, _message in error.causes))
