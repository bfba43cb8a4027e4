# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters to adopt: what their ControlPlanes and bootstrap Secrets say. Adoption itself is in tests/integration."""

from __future__ import annotations

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _control_plane
from ansible_collections.kubestellar.core.plugins.module_utils._control_plane import Reference, Wish
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, NotFound
from ansible_collections.kubestellar.core.plugins.module_utils._resources import CONTROL_PLANES

KUBECONFIG = {"clusters": [], "users": []}


class Hosting:
    """A hosting cluster without KubeFlex: objects by namespace and name, and what was applied."""

    name = "hub"

    def __init__(self, **secrets):
        self.secrets, self.applied = secrets, []

    def list(self, resource, **_options):
        assert resource == CONTROL_PLANES
        raise NotFound("no such kind", status=404)

    def get(self, resource, name, namespace=None):
        if resource.kind == "Namespace":
            return {"metadata": {"name": name}} if name == "default" else None
        return self.secrets.get(f"{namespace}_{name}".replace("-", "_"))

    def apply(self, _resource, want, *, dry_run):
        if not dry_run:
            self.applied.append(want)
        return want


def prepare(hosting, *wishes, dry_run=False):
    return _control_plane.prepare(hosting, wishes, bootstrap_namespace="default", dry_run=dry_run)


def test_a_control_plane_names_its_bootstrap_secret_and_the_life_of_its_token():
    made = _control_plane.manifest(Wish("wds2", "wds", "external"), "default")
    assert made["spec"] == {
        "type": "external",
        "backend": "shared",
        "bootstrapSecretRef": {
            "name": "wds2-bootstrap",
            "namespace": "default",
            "inClusterKey": "kubeconfig-incluster",
        },
    }
    assert "annotations" not in made["metadata"]
    wish = Wish(
        "wds2",
        "wds",
        "external",
        reference=Reference("s", "", "k"),
        token_seconds=600,
        annotations={"a": "b"},
    )
    made = _control_plane.manifest(wish, "default")
    assert made["spec"]["bootstrapSecretRef"] == {"name": "s", "namespace": "default", "inClusterKey": "k"}
    assert made["spec"]["tokenExpirationSeconds"] == 600 and made["metadata"]["annotations"] == {"a": "b"}
    secret = _control_plane.bootstrap_secret(wish, "default", KUBECONFIG)
    assert (secret["metadata"]["name"], list(secret["data"])) == ("s", ["k"])


@pytest.mark.parametrize("seconds", [599, 2**32 + 1])
def test_a_life_that_no_api_server_gives_is_refused(seconds):
    with pytest.raises(InvalidInput, match=f"wds2: token_expiration_seconds is {seconds}"):
        _control_plane.check_token_seconds("wds2", seconds)
    assert _control_plane.check_token_seconds("wds2", 600) == 600


def test_a_secret_is_made_before_kubeflex_is_there_and_not_in_check_mode():
    wish = Wish("its2", "its", "external", bootstrap=lambda: KUBECONFIG, reference=Reference(namespace="new"))
    hosting = Hosting()
    assert prepare(hosting, wish, dry_run=True).changed and hosting.applied == []
    made = prepare(hosting, wish)
    assert [entry["name"] for entry in made.objects] == ["its2"] and made.changed
    assert [one["kind"] for one in hosting.applied] == ["Namespace", "Secret"]
    assert hosting.applied[1]["metadata"]["namespace"] == "new"


def test_an_adopted_cluster_needs_nothing_any_more():
    def gone():
        raise AssertionError("the file need not be there")

    hosting = Hosting(its2_system_admin_kubeconfig={"metadata": {}})
    assert not prepare(hosting, Wish("its2", "its", "external", bootstrap=gone)).changed


def test_a_secret_of_somebody_else_must_be_there_with_its_key():
    wish = Wish("its2", "its", "external")
    with pytest.raises(InvalidInput, match="no kubeconfig and no Secret default/its2-bootstrap") as caught:
        prepare(Hosting(), wish)
    assert "kubeconfig of the space" in caught.value.hint
    with pytest.raises(
        InvalidInput, match="the Secret default/its2-bootstrap.*lacks the key kubeconfig-incl"
    ):
        prepare(Hosting(default_its2_bootstrap={"data": {"config": "eA=="}}), wish)
    there = Hosting(default_its2_bootstrap={"data": {"kubeconfig-incluster": "eA=="}})
    assert not prepare(there, wish).changed and there.applied == []
