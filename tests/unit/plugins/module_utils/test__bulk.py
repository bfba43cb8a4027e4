# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bulk
from ansible_collections.kubestellar.core.plugins.module_utils._errors import ApiError
from ansible_collections.kubestellar.core.plugins.module_utils._resources import CONFIG_MAPS


class Refusing:
    """A cluster in which nothing may be deleted."""

    def delete(self, *_rest: Any, **_more: Any) -> bool:
        raise ApiError("wds1: cannot delete ConfigMap n/a.", status=403, hint="Remove the rule.")


def test_what_cannot_be_deleted_is_told_with_what_to_do():
    found = [(CONFIG_MAPS, {"metadata": {"name": "a", "namespace": "n", "uid": "u"}})]
    (outcome,) = _bulk.delete_all(Refusing(), found)
    assert (outcome.method, outcome.error) == (
        "none",
        "wds1: cannot delete ConfigMap n/a. Remove the rule.",
    )
