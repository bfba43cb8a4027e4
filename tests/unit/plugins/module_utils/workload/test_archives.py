# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives, also hostile ones, and how one is fetched, from a server with TLS on the loopback."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import stat
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    ConnectionFailed,
    InvalidInput,
    KubestellarError,
)
from ansible_collections.kubestellar.core.plugins.module_utils.workload import archives
from ansible_collections.kubestellar.core.tests import https

URL = "https://downloads.example.com:8443/shop-1.0.tar.gz"
SHOWN = "https://downloads.example.com:8443/shop-1.0.tar.gz"
SUM = f"sha256:{'a' * 64}"


def manifest(name: str) -> bytes:
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}).encode()


FILES = {
    "shop-1.0/README.md": b"text",
    "shop-1.0/deploy/a.yaml": manifest("a") + b"\n---\n" + manifest("a2"),
    "shop-1.0/deploy/sub/b.yml": manifest("b"),
    "shop-1.0/other/c.json": manifest("c"),
    "shop-1.0/other/.hidden.yml": manifest("hidden"),
}


def tar(files: dict[str, bytes], *members: tarfile.TarInfo, compressed: bool = True) -> bytes:
    """The same bytes whenever it is asked: what is served and what is compared with it may be made in two seconds."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for info in members:
            archive.addfile(info)
    return gzip.compress(stream.getvalue(), mtime=0) if compressed else stream.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def read(packed: bytes, **more: Any) -> list[str]:
    """The names of the objects."""
    given = {"url": URL, "checksum": SUM, **more}
    return [piece.definition["metadata"]["name"] for piece in archives.read(packed, given)]


def refusal(packed: bytes, **more: Any) -> str:
    with pytest.raises(InvalidInput) as caught:
        read(packed, **more)
    assert SHOWN in caught.value.message
    return caught.value.message


# -- what is in it ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pack", [tar, lambda files: tar(files, compressed=False), zipped])
@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("", ["a", "a2", "b", "c"]),
        ("deploy", ["a", "a2", "b"]),
        ("./deploy/", ["a", "a2", "b"]),
        ("shop-1.0/deploy/sub", ["b"]),
        ("other/c.json", ["c"]),
        ("shop-1.0/other/.hidden.yml", ["hidden"]),
    ],
)
def test_the_manifests_at_a_path_are_read(pack, path, names):
    assert read(pack(FILES), path=path) == names


def test_an_object_knows_its_file_and_document():
    found = archives.read(tar(FILES), {"url": f"{URL}?token=horse", "checksum": SUM, "path": "deploy"})
    assert [piece.origin for piece in found] == [
        f"{SHOWN}, shop-1.0/deploy/a.yaml document 1",
        f"{SHOWN}, shop-1.0/deploy/a.yaml document 2",
        f"{SHOWN}, shop-1.0/deploy/sub/b.yml",
    ]


def test_the_top_folder_is_not_left_out_where_there_are_two():
    assert "has no .yml, .yaml or .json file below deploy" in refusal(
        tar({**FILES, "x/deploy/a.txt": b""}), path="deploy"
    )


def test_links_elsewhere_in_an_archive_do_not_matter():
    members = [link("shop-1.0/docs/LICENSE.yml", "/etc/passwd"), link("shop-1.0/docs/all", "..")]
    assert read(tar(FILES, *members), path="deploy") == ["a", "a2", "b"]


def test_hidden_files_and_folders_of_an_archive_are_left_out():
    hidden = {"shop-1.0/.github/x.yml": b"{", "shop-1.0/deploy/.old/y.yml": b"{"}
    assert read(tar({**FILES, **hidden})) == ["a", "a2", "b", "c"]


@pytest.mark.parametrize("target", ["../other", "/srv/deploy", "../../../elsewhere", "loop"])
def test_a_link_to_a_folder_of_an_archive_is_refused_since_it_is_not_looked_at(target):
    packed = tar(FILES, link("shop-1.0/deploy/more", target), link("shop-1.0/deploy/loop", "more"))
    assert "is a link, and links are not followed" in refusal(packed, path="deploy")


def test_a_link_to_a_file_that_is_no_manifest_does_not_matter():
    packed = tar(FILES, link("shop-1.0/deploy/NOTES", "../README.md"))
    assert read(packed, path="deploy") == ["a", "a2", "b"]


def test_a_template_in_an_archive_is_refused():
    packed = tar({**FILES, "shop-1.0/deploy/d.yml.j2": b"a: {{ b }}"})
    assert "shop-1.0/deploy/d.yml.j2 is a template, which is not rendered" in refusal(packed)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("pack", ["tar", "zip"])
def test_an_archive_with_two_files_of_one_name_is_refused(pack):
    name = "shop-1.0/deploy/a.yaml"
    if pack == "tar":
        packed = tar(FILES, tarfile.TarInfo(f"./{name}"))
    else:
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            for _time in range(2):
                archive.writestr(name, manifest("a"))
        packed = stream.getvalue()
    assert f"holds {name} twice" in refusal(packed)


# -- what is hostile -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_a_link_in_the_place_of_a_manifest_is_refused(kind):
    packed = tar(FILES, link("shop-1.0/deploy/z.yaml", "/etc/passwd", kind))
    assert "shop-1.0/deploy/z.yaml is a link" in refusal(packed, path="deploy")


def test_a_link_in_a_zip_archive_is_refused():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        info = zipfile.ZipInfo("a.yaml")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    assert "a.yaml is a link" in refusal(stream.getvalue())


@pytest.mark.parametrize("pack", [tar, zipped])
@pytest.mark.parametrize("name", ["../a.yaml", "shop/../../a.yaml", "/etc/a.yaml", "shop\\..\\a.yaml"])
def test_a_path_that_leads_out_is_refused(pack, name):
    assert "leads out of the archive" in refusal(pack({name: manifest("a")}))


def test_a_path_that_is_asked_for_does_not_lead_out_either():
    with pytest.raises(InvalidInput, match="path of .* leads out of the archive"):
        read(tar(FILES), path="../deploy")


@pytest.mark.parametrize("pack", [tar, lambda files: tar(files, compressed=False), zipped])
def test_an_archive_that_is_too_large_is_refused(pack, monkeypatch):
    monkeypatch.setattr(archives, "LARGEST", 2**20)
    assert "holds more than 1 MiB" in refusal(pack({"a.yaml": bytes(2**20), "b.yaml": b"1"}))


def test_a_file_that_says_it_is_small_is_not_believed(monkeypatch):
    """The size in the directory of a zip archive is what its maker has written there."""
    monkeypatch.setattr(archives, "LARGEST", 2**20)
    packed = zipped({"a.yaml": bytes(2**21)})
    said = (2**21).to_bytes(4, "little")
    assert packed.count(said) == 2
    with pytest.raises(InvalidInput):
        read(packed.replace(said, (10).to_bytes(4, "little")))


def test_what_unfolds_without_end_is_not_unfolded(monkeypatch):
    monkeypatch.setattr(archives, "LARGEST", 2**20)
    folded = gzip.compress(bytes(2**24))
    assert len(folded) < 2**16
    assert "holds more than 1 MiB" in refusal(folded)
    assert "holds more than 1 MiB" in refusal(gzip.compress(bytes(2**19)) * 3)


def test_a_sparse_file_counts_as_what_it_would_be():
    info = tarfile.TarInfo("a.yaml")
    info.size = 2**40
    header = info.tobuf(tarfile.GNU_FORMAT)
    assert "holds more than 64 MiB" in refusal(header + bytes(1024))


def test_an_archive_of_many_files_is_refused(monkeypatch):
    monkeypatch.setattr(archives, "MOST", 3)
    for pack in (tar, zipped):
        assert "or 3 files" in refusal(pack(FILES))


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"text",
        b"PK\3\4",
        tar(FILES)[:-40],
        gzip.compress(b"text", mtime=0),
        zipped(FILES)[:-40],
        zlib.compress(b"text"),
    ],
)
def test_what_is_no_archive_is_refused(packed):
    assert "is no archive that can be read" in refusal(packed)


def test_an_archive_without_manifests_is_refused():
    assert "has no .yml, .yaml or .json file in it" in refusal(tar({"a.txt": b""}))


# -- where it is -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://downloads.example.com/a.tgz",
        "file:///etc/passwd",
        "ftp://downloads.example.com/a.tgz",
        "https://user:horse@downloads.example.com/a.tgz",
        "https:///a.tgz",
        "https://[a.tgz",
        "a.tgz",
    ],
)
def test_an_archive_comes_over_tls_and_its_url_holds_no_credentials(url):
    with pytest.raises(InvalidInput) as caught:
        archives.check({"url": url, "checksum": SUM})
    assert "is no URL of an archive" in caught.value.message and "horse" not in caught.value.message


@pytest.mark.parametrize("checksum", ["", "a" * 64, "md5:abc", f"sha256:{'a' * 63}", f"sha256:{'g' * 64}"])
def test_an_archive_has_a_checksum_that_is_one(checksum):
    with pytest.raises(InvalidInput, match="is none"):
        archives.check({"url": URL, "checksum": checksum})


# -- fetching it -----------------------------------------------------------------------------------------------------


def summed(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site with an archive and a way that leads to one without TLS."""
    folder, files = tmp_path_factory.mktemp("site"), {"/a.tgz": tar(FILES)}
    with https.serving(folder, files, tls=False) as plain:
        redirects = {"/moved.tgz": "/a.tgz", "/plain.tgz": f"{plain.url}/a.tgz"}
        with https.serving(folder, files, redirects=redirects) as running:
            yield running


@pytest.mark.parametrize("path", ["/a.tgz", "/moved.tgz"])
def test_an_archive_with_its_checksum_is_taken(site, path):
    given = {"url": site.url + path, "checksum": summed(tar(FILES)), "ca_path": str(site.authority)}
    assert archives.fetch(given) == tar(FILES)
    assert archives.fetch({**given, "checksum": given["checksum"].upper().replace("SHA", "sha")})


def test_another_archive_than_that_of_the_checksum_is_not_taken(site):
    with pytest.raises(KubestellarError) as caught:
        archives.fetch({"url": f"{site.url}/a.tgz", "checksum": SUM, "ca_path": str(site.authority)})
    assert f"{site.url}/a.tgz has the checksum {summed(tar(FILES))}, not {SUM}" in caught.value.message
    assert "Nothing of it has been used" in caught.value.message


def test_a_server_that_nobody_vouches_for_is_not_asked(site):
    before = list(site.asked)
    with pytest.raises(ConnectionFailed) as caught:
        archives.fetch({"url": f"{site.url}/a.tgz", "checksum": summed(tar(FILES))})
    assert "certificate verify failed" in caught.value.message.lower() and "ca_path" in caught.value.hint
    assert site.asked == before


@pytest.mark.parametrize(
    ("path", "words"), [("/none.tgz", "404"), ("/plain.tgz", "leads to a place without TLS")]
)
def test_what_is_not_to_be_had_is_told(site, path, words):
    with pytest.raises(ConnectionFailed, match=words):
        archives.fetch({"url": site.url + path, "checksum": SUM, "ca_path": str(site.authority)})


def test_what_is_too_large_is_not_read_to_its_end(site, monkeypatch):
    monkeypatch.setattr(archives, "LARGEST", 10)
    with pytest.raises(KubestellarError, match="is larger than"):
        archives.fetch({"url": f"{site.url}/a.tgz", "checksum": SUM, "ca_path": str(site.authority)})


def test_a_server_may_ask_for_a_login(tmp_path: Path):
    redirects = {"/moved.tgz": "/a.tgz"}
    with https.serving(tmp_path, {"/a.tgz": b"x"}, login="user:horse", redirects=redirects) as site:
        given = {"url": f"{site.url}/a.tgz", "checksum": summed(b"x"), "ca_path": str(site.authority)}
        assert archives.fetch({**given, "url_username": "user", "url_password": "horse"}) == b"x"
        moved = {**given, "url": f"{site.url}/moved.tgz", "url_username": "user", "url_password": "horse"}
        with pytest.raises(ConnectionFailed, match="302"):  # a login is not carried elsewhere
            archives.fetch(moved)
        with pytest.raises(ConnectionFailed) as caught:
            archives.fetch({**given, "url_username": "user", "url_password": "donkey"})
    assert "401" in caught.value.message and "donkey" not in str(caught.value.result())
