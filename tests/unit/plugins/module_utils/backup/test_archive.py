# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing and reading the archives of a backup, and what is not taken for one."""

from __future__ import annotations

import gzip
import io
import json
import stat
import tarfile
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, KubestellarError
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    BINDING_POLICIES,
    CONFIG_MAPS,
    DEPLOYMENTS,
    MANAGED_CLUSTERS,
    SECRETS,
)
from ansible_collections.kubestellar.core.plugins.module_utils.backup import archive, model
from ansible_collections.kubestellar.core.plugins.module_utils.backup.model import Content
from hypothesis import given
from hypothesis import strategies as st

MANAGERS = [{"manager": "kubectl", "operation": "Update", "apiVersion": "v1", "fieldsV1": {"f:data": {}}}]


def content(name: str = "wds1", role: str = "wds") -> Content:
    resources = [CONFIG_MAPS, DEPLOYMENTS, SECRETS, BINDING_POLICIES] if role == "wds" else [MANAGED_CLUSTERS]
    made = Content(name, role, kubernetes="v1.34.4", versions={"configmaps": "7"})
    for resource in resources:
        for number in range(2):
            metadata: dict[str, Any] = {"name": f"n{number}"}
            if resource.namespaced:
                metadata["namespace"] = "shop"
            obj = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata}
            obj["data" if resource in (CONFIG_MAPS, SECRETS) else "spec"] = {"yes": "no", "time": "08:00"}
            if resource == SECRETS:
                obj["data"] = {"yes": "bm8="}
            made.objects.append((resource, obj))
            made.managers[model.identity(obj)] = MANAGERS
    if role == "wds":
        made.placement = {"shop": {"settled": True, "clusters": ["c1"], "objects": []}}
    return made


def files(made: Content, taken: str = "2026-01-01T00:00:00Z") -> dict[str, bytes]:
    return archive.files(made, hub="hub", taken=taken)


def write(folder: Path, *contents: Content, **more: str) -> None:
    archive.write(
        {archive.path_of(folder, made.name): archive.packed(files(made, **more)) for made in contents}
    )


def test_what_is_written_is_read_again(tmp_path):
    folder = tmp_path / "a" / "b"
    write(folder, content(), content("its1", "its"))
    its, wds = archive.read(folder)
    assert (its.name, its.role, its.placement, wds.name) == ("its1", "its", {}, "wds1")
    assert wds.objects == [
        obj for _resource, obj in sorted(content().objects, key=lambda pair: pair[0].plural)
    ]
    assert wds.managers == content().managers and wds.placement == content().placement
    assert [space.name for space in archive.read(folder, ["its1"])] == ["its1"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert sorted(path.name for path in folder.iterdir()) == ["its1.tar.gz", "wds1.tar.gz"]


def test_the_manifest_says_what_it_is_made_of():
    manifest = json.loads(files(content())[archive.MANIFEST])
    assert manifest["format"] == archive.FORMAT
    assert (manifest["space"], manifest["role"], manifest["hub"], manifest["kubernetes"]) == (
        "wds1",
        "wds",
        "hub",
        "v1.34.4",
    )
    assert (manifest["objects"], manifest["resource_versions"]) == (8, {"configmaps": "7"})
    assert [(entry["path"], entry["holds"], entry["count"]) for entry in manifest["files"]] == [
        (
            "objects/bindingpolicies.control.kubestellar.io.yml",
            "control.kubestellar.io/v1alpha1 BindingPolicy",
            2,
        ),
        ("objects/configmaps.yml", "v1 ConfigMap", 2),
        ("objects/deployments.apps.yml", "apps/v1 Deployment", 2),
        ("objects/secrets.yml", "v1 Secret", 2),
        ("managers.jsonl", "field managers", 8),
        ("placement.json", "placement", 1),
    ]


def test_the_same_content_makes_the_same_bytes_and_differs_only_where_objects_do(tmp_path):
    path = archive.path_of(tmp_path, "wds1")
    assert archive.packed(files(content())) == archive.packed(files(content()))
    assert archive.differs(path, files(content()))
    write(tmp_path, content())
    later = content()
    later.versions = {"configmaps": "8"}
    assert not archive.differs(path, files(later, taken="2027-01-01T00:00:00Z"))
    later.objects[0][1]["data"]["yes"] = "maybe"
    assert archive.differs(path, files(later))
    path.chmod(0o640)
    assert archive.differs(path, files(content()))
    path.write_bytes(b"damaged")
    path.chmod(0o600)
    assert archive.differs(path, files(content()))


def test_what_is_no_file_is_not_replaced(tmp_path):
    path = archive.path_of(tmp_path, "wds1")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InvalidInput, match="is not a file"):
        archive.differs(path, files(content()))


def test_a_backup_that_cannot_be_written_keeps_all_earlier_archives(tmp_path):
    write(tmp_path, content(), content("its1", "its"))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    later = files(content(), taken="2027-01-01T00:00:00Z")
    (tmp_path / "file").write_text("")
    with pytest.raises(KubestellarError, match="cannot be written"):
        archive.write(
            {tmp_path / "wds1.tar.gz": archive.packed(later), tmp_path / "file" / "its1.tar.gz": b"x"}
        )
    (tmp_path / "file").unlink()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_space_that_has_lost_most_of_its_objects_is_noticed(tmp_path):
    path = archive.path_of(tmp_path, "wds1")
    assert archive.shrunk(path, files(content())) is None
    write(tmp_path, content())
    smaller = content()
    smaller.objects = smaller.objects[:4]
    assert archive.shrunk(path, files(smaller)) is None
    smaller.objects = smaller.objects[:3]
    assert archive.shrunk(path, files(smaller)) == (8, 3)
    path.write_bytes(b"damaged")
    assert archive.shrunk(path, files(smaller)) is None


@pytest.mark.parametrize("name", ["..", "a/b", "", ".hidden", "A"])
def test_a_space_whose_name_makes_no_file_name_is_refused(tmp_path, name):
    with pytest.raises(InvalidInput):
        archive.path_of(tmp_path, name)


# -- what is not taken for a backup ----------------------------------------------------------------------------------


def manifest_with(made: dict[str, bytes], **changes: Any) -> dict[str, bytes]:
    manifest = {**json.loads(made[archive.MANIFEST]), **changes}
    return {**made, archive.MANIFEST: json.dumps(manifest).encode()}


def without(made: dict[str, bytes], name: str) -> dict[str, bytes]:
    return {key: data for key, data in made.items() if key != name}


DAMAGES: dict[str, Any] = {
    "checksum of objects/configmaps.yml differs": lambda made: {
        **made,
        "objects/configmaps.yml": made["objects/configmaps.yml"] + b"# more\n",
    },
    "objects/secrets.yml is missing": lambda made: without(made, "objects/secrets.yml"),
    "objects/pods.yml is not in its manifest": lambda made: {**made, "objects/pods.yml": b""},
    "it has no manifest.json": lambda made: without(made, archive.MANIFEST),
    "has the format 2; this release reads 1": lambda made: manifest_with(made, format=2),
    "the role is hub": lambda made: manifest_with(made, role="hub"),
    "is none: 'space'": lambda made: {
        **made,
        archive.MANIFEST: json.dumps(without(json.loads(made[archive.MANIFEST]), "space")).encode(),
    },
    "is the backup of the space wds9": lambda made: manifest_with(made, space="wds9"),
    "it has 8 objects, and 9 by its manifest": lambda made: manifest_with(made, objects=9),
    "it holds ../evil": lambda made: {**made, "../evil": b""},
    "it holds objects/../x.yml": lambda made: {**made, "objects/../x.yml": b""},
}


@pytest.mark.parametrize("message", DAMAGES)
def test_a_damaged_archive_is_refused(tmp_path, message):
    path = archive.path_of(tmp_path, "wds1")
    path.write_bytes(archive.packed(DAMAGES[message](files(content()))))
    with pytest.raises(InvalidInput) as caught:
        archive.read(tmp_path)
    assert message in caught.value.message


@pytest.mark.parametrize("kept", [0, 10, 400])
def test_an_archive_that_is_cut_off_is_refused(tmp_path, kept):
    data = archive.packed(files(content()))
    assert len(data) > 400
    archive.path_of(tmp_path, "wds1").write_bytes(data[:kept])
    with pytest.raises(InvalidInput, match="cannot be read as an archive of a backup"):
        archive.read(tmp_path)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE])
def test_links_and_the_like_are_refused(tmp_path, kind):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as made:
        entry = tarfile.TarInfo(archive.MANIFEST)
        entry.type, entry.linkname = kind, "/etc/passwd"
        made.addfile(entry)
    archive.path_of(tmp_path, "wds1").write_bytes(gzip.compress(buffer.getvalue()))
    with pytest.raises(InvalidInput, match=r"it holds manifest\.json"):
        archive.read(tmp_path)


def test_an_archive_that_would_not_fit_into_memory_is_refused(tmp_path, monkeypatch):
    write(tmp_path, content())
    monkeypatch.setattr(archive, "_LARGEST", 100)
    with pytest.raises(InvalidInput, match="cannot be read as an archive of a backup: it is larger than"):
        archive.read(tmp_path)


def test_a_folder_without_a_backup_is_told(tmp_path):
    with pytest.raises(InvalidInput, match="There is no folder"):
        archive.read(tmp_path / "x")
    with pytest.raises(InvalidInput, match="There is no backup in"):
        archive.read(tmp_path)
    write(tmp_path, content())
    with pytest.raises(InvalidInput, match="holds no space wds2") as caught:
        archive.read(tmp_path, ["wds2"])
    assert caught.value.hint == "It holds: wds1."


TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)


@given(
    st.dictionaries(TEXTS, st.none() | st.booleans() | st.integers() | TEXTS | st.lists(TEXTS, max_size=2))
)
def test_what_an_object_says_comes_back_from_its_archive(data):
    made = Content("wds1", "wds")
    obj = {"apiVersion": "v1", "kind": "Thing", "metadata": {"name": "n"}, "spec": data}
    made.objects = [(CONFIG_MAPS, obj)]
    (read,) = archive.saved_space(archive.packed(files(made)), "x", "wds1").objects
    assert read["spec"] == {key: value for key, value in data.items() if value is not None}
