# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of all images and charts. The real chart is in tests/integration/test_chart_registry.py."""

from __future__ import annotations

import base64

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.kubestellar.core.plugins.filter.hub_images import hub_images
from ansible_collections.kubestellar.core.plugins.filter.hub_redirected import hub_redirected
from ansible_collections.kubestellar.core.plugins.module_utils.hub import images, values

INNER = (
    "kind: PostCreateHook\nspec: {containers: [{image: quay.io/kubestellar/helm:3.14.0, "
    "args: [oci://quay.io/kubestellar/openshift-crds, --version, 0.1.0]}]}"
)
RENDERED = f"""\
kind: Deployment
metadata: {{name: kubeflex-controller-manager}}
spec:
  containers:
  - {{name: manager, image: "ghcr.io/kubestellar/kubeflex/manager:0.9.9"}}
  - {{name: other, image: "<placeholder>"}}
---
kind: PostCreateHook
metadata: {{name: its-hub-init}}
spec:
  templates:
  - spec:
      containers:
      - {{image: "quay.io/kubestellar/clusteradm:1.0.0", args: [init]}}
---
kind: PostCreateHook
metadata: {{name: install-status-addon}}
spec:
  templates:
  - spec:
      containers:
      - image: quay.io/kubestellar/helm:3.16.4
        args: [upgrade, oci://ghcr.io/kubestellar/ocm-status-addon-chart, --version, v0.2.0-rc17]
---
kind: Job
metadata: {{name: install-postgresql}}
spec:
  containers:
  - image: quay.io/kubestellar/helm:3.16.4
    args: [upgrade, oci://quay.io/kubestellar/charts/postgresql, --version, 13.1.5]
---
kind: Secret
metadata: {{name: postcreate-hooks}}
data:
  hooks.yaml: {base64.b64encode(INNER.encode()).decode()}
  other: bm8gaW1hZ2U6IFs=
"""
SPACES = [
    {"name": "its1", "type": "host"},
    {"name": "wds1", "type": "k8s"},
    {"name": "its2", "type": "vcluster"},
]
MIRROR = "r.example.com/mirror"


def listed(**settings: object) -> dict:
    return hub_images(RENDERED, {"spaces": [], **settings})


def sources(made: dict, kind: str = "images") -> list[str]:
    return [entry["source"] for entry in made[kind]]


def test_images_of_the_chart_and_what_they_bring():
    assert sources(listed()) == [
        "ghcr.io/kubestellar/kubeflex/manager:0.9.9",
        "ghcr.io/kubestellar/ocm-status-addon:0.2.0-rc17",
        "quay.io/kubestellar/clusteradm:1.0.0",
        "quay.io/kubestellar/helm:3.14.0",
        "quay.io/kubestellar/helm:3.16.4",
        "quay.io/kubestellar/kubectl:1.29.3",
        "quay.io/kubestellar/postgresql:16.0.0-debian-11-r13",
        "quay.io/open-cluster-management/addon-manager:v1.0.0",
        "quay.io/open-cluster-management/placement:v1.0.0",
        "quay.io/open-cluster-management/registration-operator:v1.0.0",
        "quay.io/open-cluster-management/registration:v1.0.0",
        "quay.io/open-cluster-management/work:v1.0.0",
    ]
    assert sources(
        listed(chart_ref="oci://ghcr.io/kubestellar/kubestellar/core-chart", chart_version="0.30.0"), "charts"
    ) == [
        "ghcr.io/kubestellar/kubestellar/core-chart:0.30.0",
        "ghcr.io/kubestellar/ocm-status-addon-chart:v0.2.0-rc17",
        "https://open-cluster-management.io/helm-charts klusterlet 1.0.0",
        "quay.io/kubestellar/charts/postgresql:13.1.5",
        "quay.io/kubestellar/openshift-crds:0.1.0",
    ]
    assert "core-chart" not in str(listed(chart_ref="/srv/core-chart")["charts"])


def test_who_pulls_and_who_uses_an_image():
    by_source = {entry["source"]: entry for entry in listed()["images"]}
    assert by_source["quay.io/kubestellar/helm:3.16.4"]["used_by"] == [
        "Job install-postgresql",
        "PostCreateHook install-status-addon",
    ]
    assert by_source["quay.io/kubestellar/helm:3.16.4"]["pulled_by"] == ["hosting cluster"]
    assert by_source["quay.io/open-cluster-management/work:v1.0.0"]["pulled_by"] == ["ITS", "WEC"]
    assert by_source["quay.io/open-cluster-management/placement:v1.0.0"]["pulled_by"] == ["ITS"]
    assert by_source["ghcr.io/kubestellar/ocm-status-addon:0.2.0-rc17"]["pulled_by"] == ["ITS", "WEC"]


def test_types_of_spaces_have_images_that_the_registry_does_not_reach():
    made = listed(spaces=SPACES, registry=MIRROR)
    missed = [entry["source"] for entry in made["images"] + made["charts"] if not entry["reached"]]
    assert missed == [
        "docker.io/coredns/coredns:1.10.1",
        "docker.io/rancher/k3s:v1.27.2-k3s1",
        "docker.io/rancher/kine:v0.11.4",
        "ghcr.io/kubestellar/kubeflex/cmupdate:0.9.9",
        "ghcr.io/loft-sh/vcluster:0.16.4",
        "registry.k8s.io/kube-apiserver:v1.29.9",
        "registry.k8s.io/kube-controller-manager:v1.29.9",
        "https://charts.loft.sh vcluster 0.16.4",
    ]
    k8s, vcluster = made["unreached"]
    assert k8s.startswith("wds1: ") and "a mirror for docker.io and registry.k8s.io" in k8s
    assert (
        vcluster.startswith("its2: ")
        and "https://charts.loft.sh" in vcluster
        and "host or external" in vcluster
    )
    assert any(line.startswith("image (!)  docker.io/rancher/kine:v0.11.4") for line in made["table"])
    assert listed(spaces=SPACES)["unreached"] == []
    assert not any("(!)" in line for line in listed(spaces=SPACES)["table"])


def test_every_type_of_space_that_the_chart_makes_is_known():
    assert {*values.ITS_TYPES, *values.WDS_TYPES} == {*images._BUILT_IN, "host", "external"}


def test_the_copies_have_both_ends_and_leave_out_what_cannot_be_copied():
    copies = listed(spaces=SPACES, registry=MIRROR)["copies"]
    assert f"docker.io/rancher/kine:v0.11.4 {MIRROR}/rancher/kine:v0.11.4" in copies
    assert (
        f"quay.io/kubestellar/charts/postgresql:13.1.5 {MIRROR}/kubestellar/charts/postgresql:13.1.5"
        in copies
    )
    assert copies == sorted(copies) and not any(
        "loft.sh" in line.split()[0] for line in copies if "https" in line
    )
    assert all(len(line.split()) == 2 for line in copies)
    assert not any("kubectl:1.29.3" in line for line in copies)
    assert listed()["copies"] == []
    only = listed(registries={"ghcr.io": "r.example.com/ghcr"})["copies"]
    assert only and all(line.startswith("ghcr.io/") for line in only)


def test_two_images_that_would_become_one_are_refused():
    rendered = "spec: {containers: [{image: quay.io/a/b:1}, {image: ghcr.io/a/b:1}]}\n"
    with pytest.raises(
        AnsibleFilterError,
        match=r"ghcr.io/a/b:1 and quay.io/a/b:1 would both be r.example.com/mirror/a/b:1. .*hub_registries",
    ):
        hub_images(rendered, {"registry": MIRROR})
    assert (
        len(
            hub_images(rendered, {"registry": MIRROR, "registries": {"quay.io": "r.example.com/quay"}})[
                "copies"
            ]
        )
        == 2
    )


def test_input_that_cannot_be_right_is_refused():
    with pytest.raises(AnsibleFilterError, match="The rendered core chart is not valid YAML"):
        hub_images("a: [", {})
    with pytest.raises(AnsibleFilterError, match="hub_registry is 'x', which is not a registry"):
        hub_redirected("a", "x")


def test_the_klusterlet_takes_the_images_of_ocm_from_the_same_place():
    assert hub_redirected("quay.io/open-cluster-management", MIRROR) == f"{MIRROR}/open-cluster-management"
    assert hub_redirected("quay.io/open-cluster-management") == "quay.io/open-cluster-management"
