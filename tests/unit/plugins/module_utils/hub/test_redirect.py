# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The copy of a chart with the images of another registry. The real chart is in tests/integration/test_chart_registry.py."""

from __future__ import annotations

import base64
import json
import re

import pytest
import yaml
from ansible_collections.kubestellar.core.plugins.module_utils.hub import redirect
from ansible_collections.kubestellar.core.plugins.module_utils.hub.registry import Registry
from hypothesis import given
from hypothesis import strategies as st

from .test_registry import REFERENCES, REGISTRIES

MIRROR = "r.example.com/mirror"
ONE = Registry.of(MIRROR)
HOOK = """\
{{- if .Values.InstallPCHs }}
kind: PostCreateHook
spec:
  templates:
  - kind: Job
    spec:
      template:
        spec:
          initContainers:
          - name: wait
            image: quay.io/kubestellar/kubectl:{{.Values.KUBECTL_VERSION}}
          containers:
          - name: status
            image: quay.io/kubestellar/helm:{{.Values.HELM_VERSION}}
            args:
            - upgrade
            - oci://ghcr.io/kubestellar/ocm-status-addon-chart
            - --version
            - v{{.Values.OCM_STATUS_ADDON_VERSION}}
          volumes:
          - name: kubeconfig
          restartPolicy: Never
      backoffLimit: 1
{{- end }}
"""
INIT = """\
          containers:
          - image: quay.io/kubestellar/clusteradm:{{.Values.CLUSTERADM_VERSION}}
            args:
            - init
            - --wait
"""
POSTGRESQL = """\
        args:
          - upgrade
          - oci://quay.io/kubestellar/charts/postgresql
          - --version
          - 13.1.5
"""


def made(text: str, name: str = "templates/a.yaml", registry: Registry = ONE) -> str:
    """One file of a chart, changed; and changed again it is the same."""
    once = redirect.redirected({name: text.encode()}, registry)
    again = redirect.redirected(once.files, registry)
    assert again.files == once.files
    return once.files[name].decode()


def plain_yaml(text: str) -> dict:
    """A template as YAML, with its variables as they are."""
    return dict(yaml.safe_load(re.sub(r"(?m)^\{\{.*\n", "", text)))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("image: quay.io/a/b:1", f"image: {MIRROR}/a/b:1"),
        ("- image: 'quay.io/a/b:1'", f"- image: '{MIRROR}/a/b:1'"),
        ('image: "a/b:1" # why', f'image: "{MIRROR}/a/b:1" # why'),
        ("image: bash", f"image: {MIRROR}/library/bash"),
        (
            "image: quay.io/a/b:{{ .Values.X | default 1 }}",
            f"image: {MIRROR}/a/b:{{{{ .Values.X | default 1 }}}}",
        ),
        ('{"image":  "quay.io/a/b@sha256:00"}', f'{{"image":  "{MIRROR}/a/b@sha256:00"}}'),
        ("- --set=image=ghcr.io/a/b:1", f"- --set=image={MIRROR}/a/b:1"),
        ("- oci://quay.io/a/b", f"- oci://{MIRROR}/a/b"),
        ('- "oci://private.example.com:5000/a/b"', f'- "oci://{MIRROR}/a/b"'),
        ("image: {{ .Values.image }}", "image: {{ .Values.image }}"),
        ("image: <placeholder>", "image: <placeholder>"),
        ("image:\n  repository: a/b", "image:\n  repository: a/b"),
        ("imagePullPolicy: Always", "imagePullPolicy: Always"),
        ("# see https://quay.io/repository/a/b", "# see https://quay.io/repository/a/b"),
        ("name: myquay.io/a", "name: myquay.io/a"),
    ],
)
def test_references_in_templates(before, after):
    assert made(f"{before}\n") == f"{after}\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("image:\n  repository: quay.io/a/b\n  tag: ''", f"image:\n  repository: {MIRROR}/a/b\n  tag: ''"),
        ("x:\n- repository: 'a/b' # c\n  tag: 1", f"x:\n- repository: '{MIRROR}/a/b' # c\n  tag: 1"),
        ("registry: docker.io\nrepository: a/b\ntag: 1", f"registry: {MIRROR}\nrepository: a/b\ntag: 1"),
        ("repository: some/thing", "repository: some/thing"),
        ("image: some", "image: some"),
        ("image: public.ecr.aws/a/b:1", f"image: {MIRROR}/a/b:1"),
        ("a: [", "a: ["),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_references_in_values(before, after, end):
    text = f"{before}\n".replace("\n", end)
    assert made(text, "charts/sub/values.yaml") == f"{after}\n".replace("\n", end)


@pytest.mark.parametrize(
    "name", ["Chart.yaml", "README.md", "templates/NOTES.txt", "crds/a.yaml", "values.schema.json"]
)
def test_other_files_stay_as_they_are(name):
    assert made("image: quay.io/a/b:1\nrepository: oci://quay.io/a\n", name).startswith(
        "image: quay.io/a/b:1"
    )


def test_what_is_no_text_stays_as_it_is():
    files = {"templates/a.yaml": b"\xff\xfe image: quay.io/a/b:1\n", "files/logo.png": b"\x00\xff"}
    changed = redirect.redirected(files, ONE).files
    assert changed["templates/a.yaml"] == f"\udcff\udcfe image: {MIRROR}/a/b:1\n".encode(
        errors="surrogateescape"
    )
    assert changed["files/logo.png"] == b"\x00\xff"


def test_references_inside_of_base64():
    inner = "spec:\n  containers:\n  - image: quay.io/kubestellar/helm:3.14.0\n    args: [oci://quay.io/kubestellar/crds]\n"
    secret = f"data:\n  hooks.yaml: {base64.b64encode(inner.encode()).decode()}\n  other: {'A' * 80}\nkind: Secret\n"
    changed = yaml.safe_load(made(secret))
    assert base64.b64decode(changed["data"]["hooks.yaml"]).decode() == inner.replace("quay.io", MIRROR)
    assert changed["data"]["other"] == "A" * 80


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_clusteradm_gets_the_registry_of_ocm(end):
    changed = made(INIT.replace("\n", end))
    expected = ["init", f"--image-registry={MIRROR}/open-cluster-management", "--wait"]
    assert (
        yaml.safe_load(changed.replace("{{.Values.CLUSTERADM_VERSION}}", "1"))["containers"][0]["args"]
        == expected
    )
    assert changed.count(end) == changed.count("\n")
    others = Registry.of("", {"ghcr.io": MIRROR})
    assert made(INIT, registry=others) == INIT


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_postgresql_gets_the_registry(end):
    changed = made(POSTGRESQL.replace("\n", end))
    assert yaml.safe_load(changed)["args"] == [
        "upgrade",
        f"oci://{MIRROR}/kubestellar/charts/postgresql",
        "--set",
        f"global.imageRegistry={MIRROR}",
        "--version",
        "13.1.5",
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_job_of_the_status_addon_changes_the_images_after_helm(end):
    changed = made(HOOK.replace("\n", end))
    assert changed.count(end) == changed.count("\n")
    pod = plain_yaml(changed.replace("\r", ""))["spec"]["templates"][0]["spec"]["template"]["spec"]
    assert [container["name"] for container in pod["initContainers"]] == ["wait", "status"]
    (step,) = pod["containers"]
    assert step["name"] == redirect.STEP
    assert step["image"] == f"{MIRROR}/kubestellar/kubectl:{{{{.Values.KUBECTL_VERSION}}}}"
    assert step["args"][:2] == ["patch", "deployment/addon-status-controller"]
    addon = f"{MIRROR}/kubestellar/ocm-status-addon:{{{{.Values.OCM_STATUS_ADDON_VERSION}}}}"
    patch = json.loads(step["args"][-1])["spec"]["template"]["spec"]
    assert patch["containers"] == [
        {
            "name": "status-controller",
            "image": addon,
            "env": [{"name": "STATUS_ADDDON_IMAGE_NAME", "value": addon}],
        }
    ]
    assert patch["initContainers"] == [{"name": "create-crd", "image": step["image"]}]
    assert "volumes" in pod and pod["restartPolicy"] == "Never"


def test_the_job_of_the_status_addon_may_have_no_other_init_container():
    alone = re.sub(r"(?s)          initContainers:.*?(?=          containers:)", "", HOOK)
    pod = plain_yaml(made(alone))["spec"]["templates"][0]["spec"]["template"]["spec"]
    assert [container["name"] for container in pod["initContainers"]] == ["status"]
    assert [container["name"] for container in pod["containers"]] == [redirect.STEP]


def test_a_chart_that_is_not_as_known_is_told():
    strange = {
        "templates/a.yaml": INIT.replace("- init", "- prepare").encode(),
        "templates/b.yaml": b"args: [upgrade, oci://ghcr.io/kubestellar/ocm-status-addon-chart]\n",
        "templates/c.yaml": HOOK.encode(),
    }
    told = redirect.redirected(strange, ONE).unreached
    assert [sentence.split()[0] for sentence in told] == ["templates/a.yaml", "templates/b.yaml"]
    assert "takes OCM's images from quay.io/open-cluster-management" in told[0]
    assert redirect.redirected(strange, Registry.of("")).unreached == []


def test_without_a_registry_the_chart_stays_as_it_is():
    files = {"templates/a.yaml": HOOK.encode(), "values.yaml": b"image: quay.io/a/b:1\n"}
    same = redirect.redirected(files, Registry.of(""))
    assert same.files == files and same.references == {}


LINES = st.tuples(
    st.sampled_from(
        ["image: {}", "- image: '{}'", '"image": "{}"', "- {}", "- --a={}", "- oci://{}", "# {}", "x: {}"]
    ),
    REFERENCES,
).map(lambda pair: pair[0].format(pair[1]))


@given(
    REGISTRIES,
    st.lists(LINES, max_size=8).map("\n".join),
    st.sampled_from(["templates/a.yaml", "values.yaml"]),
)
def test_doing_it_twice_is_doing_it_once(registry, text, name):
    made(text, name, registry)


@given(st.lists(LINES, max_size=8).map("\n".join))
def test_every_reference_that_was_found_is_in_the_registry(text):
    for source, target in redirect.redirected({"templates/a.yaml": text.encode()}, ONE).references.items():
        assert target.removeprefix("oci://").startswith(f"{MIRROR}/"), source


def test_the_digest_tells_contents_apart():
    a, b = "templates/a", "charts/sub/values.yaml"
    digests = {redirect.digest(files) for files in ({}, {a: b"1"}, {a: b"2"}, {b: b"1"}, {a: b"", b: b""})}
    assert len(digests) == 5
    assert redirect.digest({a: b"1", b: b"2"}) == redirect.digest({b: b"2", a: b"1", "LICENSE": b"3"})
