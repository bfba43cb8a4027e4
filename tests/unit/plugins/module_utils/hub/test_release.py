# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Helm's release of the core chart, and what is refused before an upgrade. The real thing is in tests/integration/test_chart.py."""

from __future__ import annotations

import base64
import dataclasses
import gzip
import json
import re
import tarfile

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._client import Listing
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    InvalidInput,
    KubestellarError,
    NotFound,
    PreflightFailed,
    Refused,
)
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    CONTROL_PLANES,
    DEPLOYMENTS,
    POST_CREATE_HOOKS,
    SECRETS,
)
from ansible_collections.kubestellar.core.plugins.module_utils.hub import release

NOW = 1_000_000.0


def secret(number=1, status="deployed", planes=("its1", "wds1"), age=3600, *, packed=True, values=None):
    manifest = "---\n# Source: x\n".join(
        f"apiVersion: tenancy.kflex.kubestellar.org/v1alpha1\nkind: ControlPlane\nmetadata:\n  name: {name}\n"
        for name in planes
    )
    content = json.dumps(
        {
            "version": number,
            "info": {"status": status},
            "chart": {"metadata": {"name": "core-chart", "version": "0.30.0"}},
            "config": values,
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
    """A hosting cluster that only reads and deletes."""

    name = "hub"
    manager, hooks = True, ()

    def __init__(self, secrets, planes=None):
        self.secrets, self.planes, self.deleted = secrets, planes, []

    def get(self, resource, name, namespace=None):
        assert (resource, name, namespace) == (DEPLOYMENTS, "kubeflex-controller-manager", "kubeflex-system")
        return {} if self.manager else None

    def list(self, resource, namespace=None, *, label_selector=""):
        if resource == POST_CREATE_HOOKS:
            return Listing([{"metadata": {"name": name}} for name in self.hooks], "1")
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


def check(
    hosting,
    spaces=(("its1", "host"), ("wds1", "k8s")),
    *,
    allow_removal=False,
    heal=True,
    dry_run=False,
    upgrade=None,
    **want,
):
    values = {
        key: [{"name": name, "type": kind} for name, kind in spaces if name.startswith(role)]
        for key, role in (("ITSes", "its"), ("WDSes", "wds"))
    }
    return release.check(
        hosting,
        "ks-core",
        "default",
        release.Wanted(values, **want),
        allow_removal=allow_removal,
        heal=heal,
        stale_after=900,
        now=NOW,
        dry_run=dry_run,
        upgrade=upgrade,
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
        "steps": ["kubeflex", "hooks"],
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


def test_before_a_removal_a_pending_revision_is_kept_to_tell_what_there_is_to_remove():
    hosting = Hosting([secret(1, "pending-install")], BOTH)
    found = check(hosting, [], allow_removal=True, heal=False)
    assert hosting.deleted == [] and found.healed == [] and found.release.status == "pending-install"


# -- a step alone ----------------------------------------------------------------------------------------------------

ITS = [{"name": "its1", "type": "host"}]
WDS = [{"name": "wds1", "type": "k8s"}]


def test_a_step_keeps_what_the_release_has_of_the_others():
    has = {"InstallPCHs": False, "ITSes": ITS, "WDSes": [{"name": "wds9"}]}
    hosting = Hosting([secret(planes=("its1", "wds9"), values=has)], [plane("its1"), plane("wds9", "k8s")])
    found = check(hosting, [("its1", "host"), ("its2", "host")], steps=["kubeflex"])
    assert found.values == has and found.dropped == []
    hosting.hooks = ("kubestellar-controller", "transport-controller")
    with pytest.raises(Refused) as caught:
        check(hosting, steps=["wds"])
    assert caught.value.details["refused"] == ["wds9"]


def test_the_first_step_makes_its_own_part_alone():
    found = check(Hosting([]), steps=["kubeflex"])
    assert found.values == {"InstallPCHs": False, "ITSes": [], "WDSes": []}


def test_what_a_dead_helm_was_to_make_counts_as_there():
    pending = secret(2, "pending-upgrade", ("its1",), values={"ITSes": ITS})
    found = check(Hosting([secret(1, planes=()), pending], BOTH[:1]), steps=["kubeflex"])
    assert found.values == {"ITSes": ITS} and found.dropped == []


def test_an_uninstalled_release_has_nothing():
    kept = secret(1, "uninstalled", ("its1",), values={"ITSes": ITS})
    assert check(Hosting([kept]), steps=["kubeflex"]).values["ITSes"] == []


@pytest.mark.parametrize(
    ("step", "manager", "hooks", "words"),
    [
        ("hooks", False, (), "step hooks needs KubeFlex .* which is not there. *Run the step kubeflex first"),
        ("its", True, (), "step its needs the PostCreateHooks .*Run the step hooks first"),
        (
            "its",
            True,
            ("its-hub-init",),
            "the PostCreateHook install-status-addon, which is not .*the step hooks first",
        ),
        (
            "wds",
            True,
            ("kubestellar-controller", "transport-controller"),
            "the ITS its1, .*Run the step its first",
        ),
    ],
)
def test_a_step_that_is_too_early_names_the_one_to_run_first(step, manager, hooks, words):
    hosting = Hosting([secret(1, "pending-install", ())], [])
    hosting.manager, hosting.hooks = manager, hooks
    with pytest.raises(PreflightFailed) as caught:
        check(hosting, steps=[step])
    assert re.search(words, f"{caught.value.message} {caught.value.hint}")
    assert hosting.deleted == []


def test_in_a_check_run_earlier_steps_count_as_done():
    hosting = Hosting([], [])
    hosting.manager = False
    found = check(hosting, steps=["wds"], done=["kubeflex", "hooks", "its"], dry_run=True)
    assert found.values == {"ITSes": ITS, "WDSes": WDS}


def test_all_at_once_need_nothing():
    hosting = Hosting([], [])
    hosting.manager = False
    assert check(hosting).values == {"ITSes": ITS, "WDSes": WDS}


def test_a_part_that_the_release_is_told_not_to_make_must_be_there():
    hosting = Hosting([], [])
    hosting.manager = False
    values = {"kubeflex-operator": {"install": False}, "ITSes": ITS, "WDSes": []}
    with pytest.raises(PreflightFailed, match="needs KubeFlex") as caught:
        release.check(
            hosting,
            "ks-core",
            "default",
            release.Wanted(values),
            allow_removal=False,
            stale_after=900,
            now=NOW,
            dry_run=False,
        )
    assert "hub_kubeflex.install" in caught.value.hint


# -- upgrades --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "older"),
    [
        ("0.29.0", "0.30.0", True),
        ("0.9.0", "0.30.0", True),
        ("0.30.0", "0.30.0", False),
        ("v0.30.0", "0.30.0+build.7", False),
        ("0.30.1", "0.30.0", False),
        ("0.30.0-rc1", "0.30.0", True),
        ("0.30.0-rc.2", "0.30.0-rc.10", True),
        ("0.30.0-1", "0.30.0-alpha", True),
        ("0.30.0-rc", "0.30.0-rc.1", True),
        ("latest", "0.30.0", False),
    ],
)
def test_versions_are_ordered_as_semantic_versions(one, other, older):
    assert release.is_older(one, other) is older
    assert not release.is_older(other, one) or not older


def test_the_version_before_is_the_last_other_one():
    found = release.revision(secret())
    versions = [
        ("0.28.0", "superseded"),
        ("0.29.0", "superseded"),
        ("0.29.5", "failed"),
        ("0.30.0", "deployed"),
    ]
    history = [dataclasses.replace(found, version=version, status=status) for version, status in versions]
    assert release.previous_version(history) == "0.29.0"
    assert release.previous_version(history, "0.31.0") == "0.30.0"
    assert release.previous_version(history[-1:]) == release.previous_version([]) == ""


def test_the_version_of_a_chart_is_in_its_folder_or_file(tmp_path):
    folder = tmp_path / "core-chart"
    (folder / "charts" / "sub").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("name: core-chart\nversion: 0.31.0\n")
    (folder / "charts" / "sub" / "Chart.yaml").write_text("version: 9.9.9\n")
    assert release.chart_version(str(folder), "0.30.0") == "0.31.0"
    archive = tmp_path / "core-chart-0.31.0.tgz"
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(folder / "charts", "core-chart/charts")
        packed.add(folder / "Chart.yaml", "core-chart/Chart.yaml")
    assert release.chart_version(str(archive), "0.30.0") == "0.31.0"
    assert release.chart_version("oci://registry.example.com/core-chart", "0.30.0") == "0.30.0"
    (folder / "Chart.yaml").write_text("name: core-chart\n")
    archive.write_text("nothing")
    for reference in (folder, archive, tmp_path):
        with pytest.raises(InvalidInput, match="cannot be read"):
            release.chart_version(str(reference), "0.30.0")


@pytest.mark.parametrize(
    ("secrets", "version", "allow", "words"),
    [
        ([], "0.31.0", False, "there is no release ks-core that could be upgraded"),
        ([secret(1, "uninstalled")], "0.31.0", False, "there is no release"),
        ([secret()], "0.29.0", False, "is at version 0.30.0, and 0.29.0 is older"),
        ([secret()], "0.29.0", True, ""),
        ([secret()], "0.30.0", False, ""),
        ([secret(1, "superseded"), secret(2, "failed")], "0.31.0", False, ""),
    ],
)
def test_what_is_no_upgrade_is_refused(secrets, version, allow, words):
    upgrade = release.Upgrade(version, allow)
    if words:
        with pytest.raises(Refused, match=words):
            check(Hosting(secrets, BOTH), upgrade=upgrade)
    else:
        check(Hosting(secrets, BOTH), upgrade=upgrade)


def beside(name, kind="external", owner=None, **metadata):
    made = plane(name, kind, owner, **metadata)
    made["metadata"]["annotations"] |= {release.ANNOTATION: "default/ks-core"}
    return made


def check_beside(live, names):
    return release.check(
        Hosting([secret()], [*BOTH, *live]),
        "ks-core",
        "default",
        release.Wanted({"ITSes": [{"name": "its1"}], "WDSes": [{"name": "wds1"}]}),
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
