# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils.workload import sources

SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"p": "horse"}}
PLAIN = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"p": "blue"}}


@pytest.mark.parametrize(
    "definitions", [SECRET, [SECRET, PLAIN], "kind: Secret\nstringData: {p: horse}", [str(SECRET)]]
)
def test_values_of_secrets_are_not_repeated(definitions):
    assert "horse" not in str(sources.shown(definitions))


def test_everything_else_is_repeated_as_given():
    assert sources.shown([PLAIN, "kind: ConfigMap"]) == [PLAIN, "kind: ConfigMap"]
    assert sources.shown(None) is None
