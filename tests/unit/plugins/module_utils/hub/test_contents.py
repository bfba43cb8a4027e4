# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps a hub from being removed. With a real cluster it is in tests/integration/test_chart.py."""

from __future__ import annotations

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _control_plane, _space
from ansible_collections.kubestellar.core.plugins.module_utils._client import Listing
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    ApiError,
    KubestellarError,
    NotFound,
    Refused,
)
from ansible_collections.kubestellar.core.plugins.module_utils.hub import contents

SPACES = [("its1", "its"), ("wds1", "wds")]


class Inside:
    """A space: the names of what is in it, or an error, or no answer at all (None)."""

    def __init__(self, holds):
        self.holds = holds
        self.server = "https://space.example.com"

    def ready(self):
        return self.holds is not None

    def list(self, _resource):
        if isinstance(self.holds, Exception):
            raise self.holds
        return Listing([{"metadata": {"name": name}} for name in self.holds], "1")


class Hosting:
    name = "hub"


@pytest.fixture
def look(monkeypatch):
    def call(**holds):
        planes = {
            name: {"metadata": {"name": name}, "status": {"secretRef": {"name": "s"}}} for name in holds
        }
        planes["half"] = {"metadata": {"name": "half"}}

        def connect_to(_hosting, plane):
            inside = holds[plane["metadata"]["name"]]
            if isinstance(inside, KubestellarError) and not isinstance(inside, ApiError):
                raise inside
            return Inside(inside)

        monkeypatch.setattr(_control_plane, "read_all", lambda _hosting: planes)
        monkeypatch.setattr(_space, "connect_to", connect_to)
        return contents.look(Hosting(), [*SPACES, ("half", "wds"), ("absent", "its")])

    return call


def test_an_empty_hub_may_go(look):
    found = look(its1=[], wds1=NotFound("no such kind", status=404, reason="NotFound"))
    assert [(one.space, one.found, one.trouble) for one in found] == [("its1", [], ""), ("wds1", [], "")]
    contents.check(Hosting(), found, unknown=False)


def test_what_is_there_is_named(look):
    found = look(its1=["edge2", "edge1"], wds1=["web"])
    with pytest.raises(Refused) as caught:
        contents.check(Hosting(), found, unknown=True)
    assert "its1 has the clusters edge1, edge2; wds1 has the policies web. Nothing" in caught.value.message
    assert "hub_remove_contents" in caught.value.hint
    assert caught.value.details["refused"] == ["its1", "wds1"]


@pytest.mark.parametrize(
    ("holds", "words"),
    [
        (None, "its API server does not answer at https://space.example.com"),
        (ApiError("hub: cannot list: no (HTTP 403).", status=403, reason="Forbidden"), "cannot list"),
        (KubestellarError("hub: the ControlPlane its1 has no kubeconfig yet."), "no kubeconfig yet"),
    ],
)
def test_what_cannot_be_looked_at_is_not_empty(look, holds, words):
    found = look(its1=holds, wds1=[])
    with pytest.raises(Refused, match=words):
        contents.check(Hosting(), found, unknown=False)
    contents.check(Hosting(), found, unknown=True)


def test_without_kubeflex_there_is_nothing(monkeypatch):
    def read_all(_hosting):
        raise NotFound("no such kind", status=404, reason="NotFound")

    monkeypatch.setattr(_control_plane, "read_all", read_all)
    assert contents.look(Hosting(), SPACES) == []
