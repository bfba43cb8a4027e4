# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a kustomization may name, and how the program is run. The real one is in the integration tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, KubestellarError
from ansible_collections.kubestellar.core.plugins.module_utils.workload import kustomize, sources

URL = "https://example.com/all.yaml"


def folder(place: Path, content: Any, name: str = "kustomization.yaml") -> Path:
    place.mkdir(parents=True, exist_ok=True)
    (place / name).write_text(yaml.safe_dump(content))
    return place


@pytest.mark.parametrize(
    "content",
    [
        {"resources": ["a.yaml", URL]},
        {"resources": ["github.com/example/base?ref=v1"]},
        {"resources": ["git@example.com:example/base.git"]},
        {"resources": ["ssh://git@example.com/base"]},
        {"resources": ["git::https://example.com/base"]},
        {"resources": ["example.com/base.git?ref=main"]},
        {"bases": [URL]},
        {"components": [URL]},
        {"crds": [URL]},
        {"transformers": [URL]},
        {"generators": [URL]},
        {"patchesStrategicMerge": [URL]},
        {"openapi": {"path": URL}},
        {"patches": [{"path": URL}]},
        {"replacements": [{"path": URL}]},
        {"configMapGenerator": [{"name": "c", "files": [f"key={URL}"]}]},
        {"secretGenerator": [{"name": "c", "envs": [URL]}]},
    ],
)
def test_what_would_be_fetched_is_found(content):
    assert len(list(kustomize.references(content))) == 1


@pytest.mark.parametrize(
    "content",
    [
        {"resources": ["a.yaml", "../base", "./c"], "components": ["../d"]},
        {"configMapGenerator": [{"name": "c", "literals": [f"url={URL}"], "files": ["a=b/c.txt"]}]},
        {"commonAnnotations": {"docs": URL}},
        {"patches": [{"patch": f"- op: add\n  path: /data/url\n  value: {URL}\n"}]},
        {"patchesStrategicMerge": [f"apiVersion: v1\nkind: ConfigMap\ndata: {{a: '{URL}'}}\n"]},
        {"images": [{"name": "till", "newName": "registry.example.com/till"}]},
        {"resources": None, "patches": "none", "configMapGenerator": ["none"]},
    ],
)
def test_what_is_beside_it_is_not_fetched(content):
    assert list(kustomize.references(content)) == []


def test_what_a_kustomization_is_built_on_is_looked_at_too(tmp_path: Path):
    top = folder(tmp_path / "overlays" / "edge", {"resources": ["../../base", "../../base"]})
    base = folder(
        tmp_path / "base", {"components": ["../more"], "resources": ["../overlays/edge"]}, "Kustomization"
    )
    more = folder(tmp_path / "more", {"resources": ["https://user:horse@example.com/x"]}, "kustomization.yml")
    assert base.is_dir()
    with pytest.raises(InvalidInput) as caught:
        kustomize.check(str(top), allow_remote=False)
    assert f"{more}/kustomization.yml takes https://example.com/x from elsewhere" in caught.value.message
    assert "kustomize_remote" in caught.value.hint
    assert kustomize.check(str(top), allow_remote=True) == top


GENERATOR = {"apiVersion": "builtin", "kind": "ConfigMapGenerator", "metadata": {"name": "g"}}
PLUGIN_TEXTS = [
    {"files": ["k=http://127.0.0.1:1/x"]},
    {"envs": [URL]},
    {"env": URL},
    {"path": URL},
    {"paths": [URL]},
]


@pytest.mark.parametrize("told", PLUGIN_TEXTS)
@pytest.mark.parametrize("key", ["generators", "transformers", "validators"])
@pytest.mark.parametrize("way", ["file", "inline", "folder"])
def test_what_a_plugin_of_kustomize_would_fetch_is_found(tmp_path: Path, told, key, way):
    text = yaml.safe_dump({**GENERATOR, **told})
    (tmp_path / "g.yaml").write_text(text)
    folder(tmp_path / "below", {"resources": ["g.yaml"]})
    (tmp_path / "below" / "g.yaml").write_text(text)
    folder(tmp_path, {key: [{"file": "g.yaml", "inline": text, "folder": "below"}[way]]})
    with pytest.raises(InvalidInput, match="from elsewhere"):
        kustomize.check(str(tmp_path), allow_remote=False)
    assert kustomize.check(str(tmp_path), allow_remote=True) == tmp_path


def test_plugins_that_fetch_nothing_are_taken(tmp_path: Path):
    told = {"files": ["k=a.txt"], "literals": [f"home={URL}"], "annotations": {"home": URL}}
    folder(tmp_path, {"generators": [yaml.safe_dump({**GENERATOR, **told})]})
    assert kustomize.check(str(tmp_path), allow_remote=False) == tmp_path


@pytest.mark.parametrize(
    ("name", "words"), [("nowhere", "does not exist"), (".", "has no kustomization.yaml")]
)
def test_a_folder_without_a_kustomization_is_refused(tmp_path: Path, name, words):
    with pytest.raises(InvalidInput, match=words):
        kustomize.check(str(tmp_path / name), allow_remote=False)


def test_without_leave_there_is_no_way_to_the_network():
    environ = {
        "PATH": "/bin",
        "https_proxy": "http://proxy.example.com",
        "NO_PROXY": "*",
        "KUBECONFIG": "/users",
    }
    closed = kustomize.environment(environ, allow_remote=False)
    assert closed["HTTPS_PROXY"] == closed["HTTP_PROXY"] == "http://127.0.0.1:9"
    assert closed["GIT_ALLOW_PROTOCOL"] == "none" and "NO_PROXY" not in closed and "https_proxy" not in closed
    opened = kustomize.environment(environ, allow_remote=True)
    assert opened["https_proxy"] == environ["https_proxy"] and "HTTPS_PROXY" not in opened
    assert closed["KUBECONFIG"] == opened["KUBECONFIG"] == "/dev/null"


@pytest.mark.parametrize(
    ("name", "said", "expected"),
    [
        ("kustomize", "v5.5.0", "build"),
        ("kustomize", "{Version:kustomize/v4.5.7 GitCommit:x}", "build"),
        ("kustomize-5.4.1", "v5.4.1", "build"),
        ("kubectl", "Client Version: v1.32.13\nKustomize Version: v5.5.0", "kustomize"),
    ],
)
def test_the_program_is_run_as_it_wants_to_be(tmp_path: Path, name, said, expected):
    path = tmp_path / name
    path.write_text(f"#!/bin/sh\ncat <<'EOF'\n{said}\nEOF\n")
    path.chmod(0o755)
    assert kustomize.find(str(path), {"PATH": "/usr/bin:/bin"}) == [str(path), expected]


@pytest.mark.parametrize(
    ("name", "said", "words"),
    [
        ("kustomize", "v3.9.0", "is kustomize 3.9, which is too old"),
        ("kubectl", "Client Version: v1.20.0", "does not say a version of kustomize"),
    ],
)
def test_a_program_that_cannot_be_used_is_told(tmp_path: Path, name, said, words):
    path = tmp_path / name
    path.write_text(f"#!/bin/sh\necho '{said}'\n")
    path.chmod(0o755)
    with pytest.raises(KubestellarError, match=words):
        kustomize.find(str(path), {"PATH": "/usr/bin:/bin"})


def test_what_the_program_complains_about_is_told_with_what_to_do(tmp_path: Path):
    place = folder(tmp_path / "k", {"resources": []})
    path = tmp_path / "kustomize"
    path.write_text(
        "#!/bin/sh\n[ $1 = version ] && echo v5.5.0 && exit 0\necho 'Error: must specify --enable-helm' >&2\nexit 1\n"
    )
    path.chmod(0o755)
    given = {"kustomize": [str(place)], "kustomize_binary": str(path)}
    with pytest.raises(KubestellarError) as caught:
        sources.read(given, "workload shop", environ={"PATH": "/usr/bin:/bin"})
    assert f"kustomize cannot build {place}: Error: must specify --enable-helm." == caught.value.message
    assert "use the option helm" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("kustomization.yaml", "is a file. Name the folder in which it is."),
        ("nowhere", "does not exist. Correct the path."),
        ("o*", "Patterns are not expanded"),
        (
            "https://example.com/x",
            "https://example.com/x is a URL. Name it among the resources of a kustomization of yours",
        ),
    ],
)
def test_what_is_no_folder_is_told_with_what_to_do(tmp_path, name, words):
    (tmp_path / "kustomization.yaml").write_text("")
    with pytest.raises(InvalidInput) as caught:
        kustomize.check(name if "://" in name else str(tmp_path / name), allow_remote=True)
    assert words in f"{caught.value.message} {caught.value.hint}"
