# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A hub on OpenShift: what is refused and warned about. With an API server: tests/integration/test_providers.py."""

from __future__ import annotations

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._errors import ApiError, InvalidInput
from ansible_collections.kubestellar.core.plugins.module_utils._resources import Resource
from ansible_collections.kubestellar.core.plugins.module_utils.hub import openshift


class Served:
    """A cluster that serves groups, and says its version."""

    name, server = "hub", "https://api.example.com:6443"

    def __init__(self, *groups, version=None):
        self._groups, self._version = groups, version

    def resources(self):
        return [Resource(group, "v1", "things", "Thing", True) for group in self._groups]

    def get(self, resource, name):
        if isinstance(self._version, Exception):
            raise self._version
        return self._version


def test_a_cluster_that_is_no_openshift_is_named_with_what_it_lacks():
    with pytest.raises(InvalidInput) as caught:
        openshift.check(Served("apps", "project.openshift.io"))
    assert (
        "hub: https://api.example.com:6443 serves no route.openshift.io, security.openshift.io"
        in caught.value.message
    )
    assert "hub_provider to existing" in caught.value.hint


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        ({"status": {"desired": {"version": "4.19.3"}}}, "4.19.3"),
        (None, ""),
        (ApiError("no", status=403), ""),
    ],
)
def test_the_version_is_told_if_it_may_be_read(answer, version):
    assert openshift.check(Served(*openshift.GROUPS, version=answer)) == version


def test_a_wds_that_is_the_cluster_itself_must_name_its_api_groups():
    wdses = [
        {"name": "wds1"},
        {"name": "wds2", "type": "host", "api_groups": ["apps"]},
        {"name": "wds3", "type": "host"},
    ]
    ((message, hint),) = openshift.problems(wdses)
    assert "wds3" in message and "api_groups" in hint


def test_a_vcluster_is_warned_about():
    (text,) = openshift.warnings(
        [{"name": "its1"}, {"name": "its2", "type": "vcluster"}, {"name": "x", "type": "host"}]
    )
    assert "its2" in text and "host" in text
