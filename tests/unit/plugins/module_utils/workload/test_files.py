# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing in a folder is passed over: what is not looked at would be pruned."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput
from ansible_collections.kubestellar.core.plugins.module_utils.workload import files


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with manifests, one of them in a folder in it."""
    (tmp_path / "shop" / "more").mkdir(parents=True)
    (tmp_path / "shop" / "a.yml").write_text("kind: A")
    (tmp_path / "shop" / "more" / "b.YAML").write_text("kind: B")
    return tmp_path / "shop"


def kinds(folder: Path) -> list[str]:
    return [piece.definition["kind"] for piece in files.read(str(folder))]


def test_hidden_files_and_folders_are_left_out_wherever_the_folder_is(tmp_path):
    shop = tmp_path / ".ansible" / "shop"
    (shop / ".git").mkdir(parents=True)
    for name in ("a.yml", ".b.yml", ".git/c.yml"):
        (shop / name).write_text(f"kind: {name}")
    assert kinds(shop) == ["a.yml"]


def test_links_are_followed_as_a_volume_of_a_config_map_has_them(shop):
    (shop / "..data").mkdir()
    (shop / "..data" / "c.yml").write_text("kind: C")
    (shop / "c.yml").symlink_to("..data/c.yml")
    (shop.parent / "other").mkdir()
    (shop.parent / "other" / "d.yml").write_text("kind: D")
    (shop / "linked").symlink_to("../other")
    assert kinds(shop) == ["A", "C", "D", "B"]


def dangling(shop: Path) -> None:
    (shop / "gone.yml").symlink_to("nowhere")


def dangling_folder(shop: Path) -> None:
    (shop / "gone").symlink_to("../volume")


def in_a_circle(shop: Path) -> None:
    (shop / "more" / "self").symlink_to("self")


def leading_back(shop: Path) -> None:
    (shop / "more" / "up").symlink_to("..")


def pipe(shop: Path) -> None:
    os.mkfifo(shop / "more" / "p.yml")


def template(shop: Path) -> None:
    (shop / "more" / "c.yaml.j2").write_text("kind: C")


def other_template(shop: Path) -> None:
    (shop / "c.json.jinja2").write_text("{}")


def chart(shop: Path) -> None:
    (shop / "Chart.yaml").write_text("apiVersion: v2")
    (shop / "0.yaml").write_text("a: {{ .Values.a }}")


def kustomization(shop: Path) -> None:
    (shop / "more" / "kustomization.yaml").write_text("resources: [b.YAML]")


def archive(shop: Path) -> None:
    (shop / "c.yml").write_bytes(gzip.compress(b"kind: C"))


def latin(shop: Path) -> None:
    Path(os.fsdecode(bytes(shop / "more") + b"/caf\xe9.yml")).write_text("kind: C")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (dangling, ["gone.yml, a link to nowhere, cannot be read: No such file or directory"]),
        (dangling_folder, ["gone, a link to ../volume, cannot be read", "would be pruned"]),
        (in_a_circle, ["more/self, a link to self, cannot be read: Too many levels of symbolic links"]),
        (leading_back, ["more/up leads back to a folder that it is in", "Remove the link"]),
        (pipe, ["more/p.yml is neither a file nor a folder"]),
        (template, ["more/c.yaml.j2 is a template, which src does not render", "name it under template"]),
        (other_template, ["c.json.jinja2 is a template"]),
        (chart, ["has Chart.yaml, so it is no folder of manifests", "Name it under helm instead"]),
        (
            kustomization,
            ["more has kustomization.yaml", "Name it under kustomize instead, or leave the file out"],
        ),
        (archive, ["c.yml is an archive", "name it under archives instead"]),
        (latin, ["caf\\xe9.yml is not UTF-8", "Rename it"]),
    ],
)
def test_what_cannot_be_looked_at_is_refused_by_its_name(
    shop: Path, spoil: Callable[[Path], None], words: list[str]
):
    spoil(shop)
    with pytest.raises(InvalidInput) as caught:
        files.read(str(shop))
    said = f"{caught.value.message} {caught.value.hint}"
    assert said.startswith("src: ") and all(word in said for word in words), said


@pytest.mark.parametrize("function", ["listdir", "stat"])
def test_a_folder_that_this_user_may_not_read_is_refused(shop, monkeypatch, function):
    real = getattr(os, function)

    def forbidden(path: str) -> object:
        if str(path).endswith("more"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, function, forbidden)
    with pytest.raises(InvalidInput) as caught:
        files.read(str(shop))
    assert caught.value.message == f"src: {shop}/more cannot be read: Permission denied."


def test_a_template_that_is_named_itself_is_refused_too(shop):
    (shop / "c.yml.j2").write_text("kind: C")
    with pytest.raises(InvalidInput, match="is a template"):
        files.read(str(shop / "c.yml.j2"))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("/nowhere/a.yml", "src: /nowhere/a.yml does not exist. Correct the path."),
        (
            "https://me:horse@example.com/a.yml",
            "src: https://example.com/a.yml does not exist. Nothing is fetched for it",
        ),
        ("/nowhere/*.yml", "Patterns are not expanded: name the folder, or each file."),
    ],
)
def test_what_does_not_exist_is_told_with_what_to_do(source, words):
    with pytest.raises(InvalidInput) as caught:
        files.read(source)
    said = f"{caught.value.message} {caught.value.hint}"
    assert said.startswith("src: ") and words in said and "horse" not in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "a: {{ app }}",
            ["is not valid YAML: found unhashable key (line 1)", "name it under template instead"],
        ),
        ("a: {{ app }}-x\n", ["is not valid YAML", "name it under template instead"]),
        ("a: {{ .Values.a }}", ["is not valid YAML", "name the chart under helm instead"]),
        ("a: {{- $x }}", ["is not valid YAML", "name the chart under helm instead"]),
        ("{% if a %}\nb: c\n{% endif %}", ["is not valid YAML", "name it under template instead"]),
        (
            "$ANSIBLE_VAULT;1.1;AES256\n3439\n",
            ["holds text where an object", "only the source template decrypts"],
        ),
        (
            "a: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  3439\n",
            ["(line 1)", "write the object under definitions"],
        ),
        ("- kind: A", ["holds a list where an object was expected"]),
    ],
)
def test_what_cannot_be_read_as_objects_is_told_with_its_cause(tmp_path, text, words):
    (tmp_path / "a.yml").write_text(text)
    with pytest.raises(InvalidInput) as caught:
        files.read(str(tmp_path))
    said = f"{caught.value.message} {caught.value.hint}"
    assert said.startswith(f"{tmp_path}/a.yml ") and all(word in said for word in words), said
