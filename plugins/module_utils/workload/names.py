# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a workload is called, and by what its objects are known (private to kubestellar.core). Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _metadata
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput

WORKLOAD_LABEL = "kubestellar.core/workload"
"""Label on every object of a workload, by which its BindingPolicy selects it and removal finds it."""


def check_name(name: str) -> None:
    """:raises InvalidInput: the name of a workload is no DNS label."""
    if not _metadata.is_dns_label(name):
        raise InvalidInput(
            f"The workload name {name!r} is not allowed.",
            hint="Use at most 63 lower-case letters, digits and dashes, beginning and ending with a letter or digit.",
        )


def labelled(objects: Sequence[Mapping[str, Any]], labels: Mapping[str, str]) -> list[dict[str, Any]]:
    """The objects with `labels` added; these win over labels of the same key."""
    return [
        {
            **obj,
            "metadata": {
                **obj["metadata"],
                "labels": {**(obj["metadata"].get("labels") or {}), **labels},
            },
        }
        for obj in objects
    ]
