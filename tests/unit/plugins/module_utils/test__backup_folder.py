# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of a backup: what is written is read again, and nothing else is."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _backup, _backup_folder
from ansible_collections.kubestellar.core.plugins.module_utils._backup import Content
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    CONFIG_MAPS,
    MANAGED_CLUSTERS,
    SECRETS,
)
from hypothesis import given
from hypothesis import strategies as st

OWNERS = [{"manager": "kubectl", "operation": "Update", "apiVersion": "v1", "fieldsV1": {"f:data": {}}}]


def config_map(name: str, **data: str):
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "shop"},
        "data": data,
    }


def content(name: str = "wds1", role: str = "wds", objects=None) -> Content:
    kept = [config_map("a", x="1"), config_map("b", x="yes")] if objects is None else objects
    return Content(
        name,
        role,
        [(CONFIG_MAPS, obj) for obj in kept],
        {_backup.identity(obj): OWNERS for obj in kept},
        kubernetes="v1.34.4",
    )


def its() -> Content:
    cluster = {
        "apiVersion": MANAGED_CLUSTERS.api_version,
        "kind": "ManagedCluster",
        "metadata": {"name": "c1"},
        "spec": {"hubAcceptsClient": True},
    }
    return Content("its1", "its", [(MANAGED_CLUSTERS, cluster)], {})


@pytest.fixture
def folder(tmp_path) -> Path:
    target = tmp_path / "deep" / "backup"
    _backup_folder.write(target, _backup_folder.files([content(), its()], secrets=True, exclude=["x"]))
    return target


def test_what_was_written_is_read(folder):
    its1, wds1 = _backup_folder.read(folder)
    assert (its1.name, its1.role, its1.objects[0]["kind"]) == ("its1", "its", "ManagedCluster")
    assert wds1.objects == [config_map("a", x="1"), config_map("b", x="yes")]
    assert wds1.managers[("", "ConfigMap", "shop", "a")] == OWNERS
    assert (wds1.secrets, wds1.exclude, wds1.left_out) == (True, ["x"], [])
    assert [space.name for space in _backup_folder.read(folder, ["wds1"])] == ["wds1"]


def test_it_is_private_and_nothing_is_left_beside_it(folder):
    modes = {path.stat().st_mode & 0o777 for path in (folder, *folder.rglob("*")) if path.is_dir()}
    assert modes == {0o700}
    assert {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()} == {0o600}
    assert list(folder.parent.iterdir()) == [folder]


def test_only_differences_count(folder):
    wanted = _backup_folder.files([its(), content()], secrets=True, exclude=["x"])
    assert not _backup_folder.differs(folder, wanted)
    assert _backup_folder.differs(folder, _backup_folder.files([content()], secrets=True))
    (folder / "index.yml").chmod(0o644)
    assert _backup_folder.differs(folder, wanted)


def test_a_smaller_backup_leaves_no_file_of_the_earlier(folder):
    _backup_folder.write(folder, _backup_folder.files([its()], secrets=True))
    assert not (folder / "wds1").exists()
    assert [space.name for space in _backup_folder.read(folder)] == ["its1"]


@pytest.mark.parametrize("name", [".git/config", "notes.txt", "wds1/README", "wds1/deep/x.yml"])
def test_a_folder_with_something_else_in_it_is_refused(folder, name):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("mine")
    with pytest.raises(InvalidInput, match="would be lost"):
        _backup_folder.differs(folder, {})
    assert (folder / name).read_text() == "mine"


def test_a_folder_without_a_backup_is_refused_unless_empty(tmp_path):
    assert _backup_folder.differs(tmp_path, {"index.yml": b""})
    (tmp_path / "mine.yml").write_text("x")
    with pytest.raises(InvalidInput, match="not empty"):
        _backup_folder.differs(tmp_path, {})


def test_an_interrupted_exchange_is_healed(folder):
    previous = folder.parent / ".backup.previous"
    folder.rename(previous)
    with pytest.raises(InvalidInput, match="no backup") as caught:
        _backup_folder.read(folder)
    assert "rename it" in caught.value.hint
    _backup_folder.heal(folder)
    assert len(_backup_folder.read(folder)) == 2
    previous.mkdir()
    _backup_folder.heal(folder)
    assert not previous.exists() and len(_backup_folder.read(folder)) == 2


def test_a_write_that_fails_keeps_the_earlier_backup(folder, monkeypatch):
    original = Path.rename

    def rename(self, target):
        if Path(target) == folder and "previous" not in self.name:
            raise OSError(28, "No space left on device")
        return original(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(Exception, match="No space left"):
        _backup_folder.write(folder, {"index.yml": b"x"})
    monkeypatch.undo()
    assert len(_backup_folder.read(folder)) == 2
    assert list(folder.parent.iterdir()) == [folder]


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda text: text.replace("format: 1", "format: 2"), "has the format 2"),
        (
            lambda text: text.replace("wds1/configmaps.yml", "../configmaps.yml"),
            "is called ../configmaps.yml",
        ),
        (lambda text: text.replace("role: wds", "role: hub"), "role hub"),
        (lambda text: text.replace("objects: 2", "objects: 3"), "2 objects, and 3 by its index"),
        (lambda text: "spaces: [", "not valid YAML"),
        (lambda text: "format: 1\n", "no index"),
    ],
)
def test_a_wrong_index_is_refused(folder, edit, words):
    index = folder / "index.yml"
    index.write_text(edit(index.read_text()))
    with pytest.raises(InvalidInput, match=words):
        _backup_folder.read(folder)


def test_an_unknown_space_is_named_with_those_there_are(folder):
    with pytest.raises(InvalidInput, match="no space wds9") as caught:
        _backup_folder.read(folder, ["wds9"])
    assert "its1, wds1" in caught.value.hint


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(
    [
        "yes",
        "0123",
        "1e3",
        "2026-01-01",
        "~",
        "a: b",
        "\n\n x\n",
        " lead",
        "#",
        "\x85",
        "\u2028",
        "\ufeff",
        "\U0001f600",
    ]
)


@given(st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), TEXTS, max_size=4), st.randoms())
def test_any_text_survives_and_the_order_of_spaces_does_not_matter(data, shuffle: random.Random):
    contents = [content(objects=[config_map("a", **data)]), its(), content("wds2", objects=[])]
    files = _backup_folder.files(contents, secrets=True)
    shuffle.shuffle(contents)
    assert _backup_folder.files(contents, secrets=True) == files
    with tempfile.TemporaryDirectory() as parent:
        _backup_folder.write(Path(parent, "b"), files)
        assert _backup_folder.read(Path(parent, "b"), ["wds1"])[0].objects == [config_map("a", **data)]


def test_names_of_secrets_that_were_left_out_are_in_the_index(tmp_path):
    without = content()
    without.left_out = ["shop/till"]
    _backup_folder.write(tmp_path / "b", _backup_folder.files([without], secrets=False))
    (saved,) = _backup_folder.read(tmp_path / "b")
    assert (saved.secrets, saved.left_out) == (False, ["shop/till"])


def test_files_are_named_like_resources():
    assert _backup.file_name(SECRETS) == "secrets.yml"
    assert _backup.file_name(MANAGED_CLUSTERS) == "managedclusters.cluster.open-cluster-management.io.yml"
