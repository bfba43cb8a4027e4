# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Helm's release of the core chart, and what is refused before an upgrade. The real thing is in tests/integration/test_chart.py."""

from __future__ import annotations

import base64
import gzip
import json

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._client import Listing
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    InvalidInput,
    KubestellarError,
    NotFound,
    Refused,
)
from ansible_collections.kubestellar.core.plugins.module_utils._resources import CONTROL_PLANES, SECRETS
from ansible_collections.kubestellar.core.plugins.module_utils.hub import release

NOW = 1_000_000.0


def secret(number=1, status="deployed", planes=("its1", "wds1"), age=3600, *, packed=True):
    manifest = "---\n# Source: x\n".join(
        f"apiVersion: tenancy.kflex.kubestellar.org/v1alpha1\nkind: ControlPlane\nmetadata:\n  name: {name}\n"
        for name in planes
    )
    content = json.dumps(
        {
            "version": number,
            "info": {"status": status},
            "chart": {"metadata": {"name": "core-chart", "version": "0.30.0"}},
            "manifest": f"{manifest}---\n---\nkind: Secret\nmetadata:\n  name: s\n",
        }
    ).encode()
    data = base64.b64encode(gzip.compress(content) if packed else content)
    return {
        "metadata": {
            "name": f"sh.helm.release.v1.ks-core.v{number}",
            "namespace": "default",
            "uid": str(number),
            "labels": {
                "owner": "helm",
                "name": "ks-core",
                "status": status,
                "version": str(number),
                "createdAt": str(NOW - age),
            },
        },
        "data": {"release": base64.b64encode(data).decode()},
    }


def plane(name, kind="host", owner="ks-core", **metadata):
    annotations = (
        {"meta.helm.sh/release-name": owner, "meta.helm.sh/release-namespace": "default"} if owner else {}
    )
    return {"metadata": {"name": name, "annotations": annotations, **metadata}, "spec": {"type": kind}}


class Hosting:
    """A hosting cluster that only lists and deletes."""

    name = "hub"

    def __init__(self, secrets, planes=None):
        self.secrets, self.planes, self.deleted = secrets, planes, []

    def list(self, resource, namespace=None, *, label_selector=""):
        if resource == SECRETS:
            assert (namespace, label_selector) == ("default", "owner=helm,name=ks-core")
            return Listing(self.secrets, "1")
        assert resource == CONTROL_PLANES
        if self.planes is None:
            raise NotFound("no such kind", status=404)
        return Listing(self.planes, "1")

    def delete(self, _resource, name, _namespace, *, uid):
        self.deleted.append((name, uid))
        return True


BOTH = [plane("its1"), plane("wds1", "k8s")]


def check(hosting, spaces=(("its1", "host"), ("wds1", "k8s")), *, allow_removal=False, dry_run=False):
    return release.check(
        hosting,
        "ks-core",
        "default",
        [{"name": name, "type": kind} for name, kind in spaces],
        allow_removal=allow_removal,
        stale_after=900,
        now=NOW,
        dry_run=dry_run,
    )


@pytest.mark.parametrize("packed", [True, False])
def test_a_release_is_read_as_helm_writes_it(packed):
    found = check(Hosting([secret(packed=packed)], BOTH)).release
    assert found.result() == {
        "revision": 1,
        "status": "deployed",
        "chart": "core-chart",
        "version": "0.30.0",
        "control_planes": ["its1", "wds1"],
    }


def test_without_a_release_and_without_kubeflex_there_is_nothing_to_lose():
    assert check(Hosting([])).release is None


def test_an_upgrade_that_would_delete_a_space_is_refused():
    with pytest.raises(Refused, match="wds1.*would delete") as caught:
        check(Hosting([secret()], BOTH), [("its1", "host")])
    assert caught.value.details["refused"] == ["wds1"] and "hub_remove_spaces" in caught.value.hint
    assert check(Hosting([secret()], BOTH), [("its1", "host")], allow_removal=True).dropped == ["wds1"]


def test_a_space_that_is_gone_already_is_not_deleted():
    assert check(Hosting([secret()], BOTH[:1]), [("its1", "host")]).dropped == []


def test_what_counts_is_the_deployed_revision_and_one_begun_since():
    old, failed = secret(1, "superseded", ("x",)), secret(3, "failed", ("its1", "its2"))
    hosting = Hosting([failed, old, secret(2)], [*BOTH, plane("its2"), plane("x")])
    with pytest.raises(Refused) as caught:
        check(hosting, [("its1", "host")])
    assert caught.value.details["refused"] == ["its2", "wds1"]


@pytest.mark.parametrize(
    ("live", "words"),
    [
        (plane("its1", "vcluster"), "is of type vcluster and cannot become host"),
        (plane("its1", owner=None), "belongs to no Helm release"),
        (plane("its1", owner="other"), "belongs to the release default/other"),
    ],
)
def test_a_space_that_is_another_than_is_meant_is_refused(live, words):
    with pytest.raises(InvalidInput, match=words):
        check(Hosting([secret()], [live]), [("its1", "host")], allow_removal=True)


def test_a_space_that_is_being_deleted_is_not_written_over():
    with pytest.raises(KubestellarError, match="being deleted"):
        check(
            Hosting([secret()], [plane("its1", deletionTimestamp="t")]),
            [("its1", "host")],
            allow_removal=True,
        )


@pytest.mark.parametrize("status", release.PENDING)
def test_a_helm_at_work_is_left_alone_and_a_dead_one_forgotten(status):
    with pytest.raises(KubestellarError, match=f"is {status} since 60 s"):
        check(Hosting([secret(1), secret(2, status, age=60)], BOTH))
    hosting = Hosting([secret(1), secret(2, status)], BOTH)
    found = check(hosting)
    assert hosting.deleted == [("sh.helm.release.v1.ks-core.v2", "2")]
    assert [outcome.method for outcome in found.healed] == ["delete"] and found.release.number == 1
    hosting = Hosting([secret(1, status)], BOTH)
    assert check(hosting, dry_run=True).release is None and hosting.deleted == []


@pytest.mark.parametrize("data", [{}, {"release": "!"}, {"release": base64.b64encode(b"e30=").decode()[:-3]}])
def test_a_release_that_cannot_be_read_is_no_empty_one(data):
    with pytest.raises(KubestellarError, match="not a Helm release that can be read"):
        check(Hosting([{**secret(), "data": data}], BOTH))


def beside(name, kind="external", owner=None, **metadata):
    made = plane(name, kind, owner, **metadata)
    made["metadata"]["annotations"] |= {release.ANNOTATION: "default/ks-core"}
    return made


def check_beside(live, names):
    return release.check(
        Hosting([secret()], [*BOTH, *live]),
        "ks-core",
        "default",
        [{"name": "its1"}, {"name": "wds1"}],
        beside=names,
        allow_removal=False,
        stale_after=900,
        now=NOW,
        dry_run=False,
    )


def test_an_external_space_beside_the_release_that_is_not_listed_any_more_is_named():
    other = plane("wds9", "external", None)
    other["metadata"]["annotations"] = {release.ANNOTATION: "default/another"}
    found = check_beside([beside("wds2"), beside("wds3"), other], ["wds3", "wds4"])
    assert (found.orphans, found.dropped) == (["wds2"], [])


@pytest.mark.parametrize(
    ("live", "words"),
    [
        (beside("wds2", "host"), "is of type host and cannot become external"),
        (beside("wds2", owner="other"), "belongs to the release default/other"),
        (beside("wds2", deletionTimestamp="now"), "is being deleted"),
    ],
)
def test_an_external_space_that_cannot_be_made_is_refused(live, words):
    with pytest.raises(KubestellarError, match=words):
        check_beside([live], ["wds2"])
