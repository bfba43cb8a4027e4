# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is read is read within bounds, or refused in one sentence. Nothing here is quick by chance: what is not linear does not end."""

from __future__ import annotations

import base64
import contextlib
import gzip
import io
import json
import tarfile
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.filter.wec_keep_available import wec_keep_available
from ansible_collections.kubestellar.core.plugins.module_utils import (
    _bounds,
    _credentials,
    _csr,
    _delivery,
    _diff,
    _untrusted,
)
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, KubestellarError
from ansible_collections.kubestellar.core.plugins.module_utils.backup import archive as backups
from ansible_collections.kubestellar.core.plugins.module_utils.hub import chart, release
from ansible_collections.kubestellar.core.plugins.module_utils.klusterlet import objects
from ansible_collections.kubestellar.core.plugins.module_utils.placement import (
    cel,
    gotemplate,
    jsonpath,
    kinds,
    waits,
)
from ansible_collections.kubestellar.core.plugins.module_utils.status import combined
from ansible_collections.kubestellar.core.plugins.module_utils.wecs import parking
from ansible_collections.kubestellar.core.plugins.module_utils.workload import archives
from hypothesis import given
from hypothesis import strategies as st

HUGE = "9" * 5000
ODD_JSON = [
    "[" * 200_000,
    '{"a":' * 300 + "1" + "}" * 300,
    '"\\ud83d"',
    '{"\\ude00": 1}',
    HUGE,
    "",
    "NaN",
    "[]",
    "7",
    "null",
    "\x00",
]
ODD_NUMBERS = [
    "3e9876543",
    "1e-9876543",
    HUGE,
    f"{HUGE}Mi",
    f"1e{HUGE}",
    "²",
    "٣",
    "0b_",
    "1e999999999999",
    "",
    "-",
    "Ei",
    "1E",
    "1e",
]


@pytest.mark.parametrize("text", ODD_JSON)
def test_odd_json_is_a_value_error_for_all_who_read_it(text):
    with contextlib.suppress(ValueError):
        _bounds.json_value(text)
    with contextlib.suppress(KubestellarError):
        parking.parked({"metadata": {"name": "a", "annotations": {parking.ANNOTATION: text}}})
    with contextlib.suppress(InvalidInput):
        objects.pull_secret(text)
    claims = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    _credentials.of_token(f"a.{claims}.b")
    _credentials.account_of(f"a.{claims}.b")
    combined._number(text)
    packed = base64.b64encode(base64.b64encode(gzip.compress(text.encode()))).decode()
    with pytest.raises(KubestellarError):
        release.revision({"metadata": {"name": "a", "namespace": "b"}, "data": {"release": packed}})


@pytest.mark.parametrize("text", ODD_NUMBERS)
def test_odd_numbers_are_no_numbers(text):
    _diff.quantity(text)
    _diff._equal(text, "3")
    _diff._equal("1", text)
    assert _bounds.whole(text) == 0
    kinds._rank(f"v{text}")
    kinds._rank(f"v1beta{text}")
    waits._older(text, "3")
    release.is_older(f"1.2.{text}", "1.2.3")
    release.is_older(f"1.2.3-{text}", "1.2.3-4")
    cel.problems(f"obj.spec.replicas == {text}")
    _delivery._epoch(text)
    _csr._age_key({"metadata": {"resourceVersion": text}})
    with contextlib.suppress(Exception):
        jsonpath.parse(f'$["\\u{{{text}}}"]')
    with pytest.raises(Exception, match="g"):
        wec_keep_available({"g": text}, {"g": []}, {})


def test_amounts_within_reason_are_compared():
    for one, other in (("1e3", "1k"), ("1000m", "1"), ("1Ei", f"{2**60}")):
        assert _diff.quantity(one) is not None
        assert _diff.quantity(one) == _diff.quantity(other)


# -- archives --------------------------------------------------------------------------------------------------------


def long_name(kind: bytes, size: int) -> bytes:
    """An archive whose entry has a header of its own for a name, of zeros."""
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = kind, size
    return info.tobuf(tarfile.USTAR_FORMAT) + bytes(size) + tarfile.TarInfo("a/Chart.yaml").tobuf()


def negative() -> bytes:
    """An archive with an entry that leads back to itself."""
    header = bytearray(tarfile.TarInfo("folder/").tobuf())
    header[156:157] = tarfile.DIRTYPE
    header[124:136] = b"\xff" * 10 + b"\xfc\x00"
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) * 4


ARCHIVES: dict[str, Callable[[], bytes]] = {
    "a long GNU name": lambda: gzip.compress(long_name(tarfile.GNUTYPE_LONGNAME, 3 * 2**20), 9),
    "a long GNU link": lambda: gzip.compress(long_name(tarfile.GNUTYPE_LONGLINK, 3 * 2**20), 9),
    "a long pax header": lambda: gzip.compress(long_name(tarfile.XHDTYPE, 3 * 2**20), 9),
    "a long global header": lambda: gzip.compress(long_name(tarfile.XGLTYPE, 3 * 2**20), 9),
    "zeros": lambda: gzip.compress(bytes(3 * 2**20), 9),
    "many members": lambda: gzip.compress(bytes(2**20)) * 3,
    "a size below nothing": negative,
    "a packed size below nothing": lambda: gzip.compress(negative()),
    "half of it": lambda: gzip.compress(long_name(tarfile.GNUTYPE_LONGNAME, 512))[:40],
    "nothing": lambda: b"",
    "text": lambda: b"hello",
}


@pytest.mark.parametrize("made", ARCHIVES.values(), ids=ARCHIVES.keys())
def test_no_header_of_an_archive_takes_more_memory_than_the_archive_may(tmp_path, monkeypatch, made):
    for module, name in (
        (backups, "_LARGEST"),
        (chart, "_LARGEST"),
        (archives, "LARGEST"),
        (release, "_LARGEST"),
    ):
        monkeypatch.setattr(module, name, 2**20)
    packed = made()
    path = tmp_path / "chart.tgz"
    path.write_bytes(packed)
    readers: list[Callable[[], Any]] = [
        lambda: backups.unpacked(packed, "x"),
        lambda: chart.read(path),
        lambda: archives.unpack(packed, "x"),
        lambda: release.chart_version(str(path), ""),
    ]
    for read in readers:
        tracemalloc.start()
        try:
            read()
        except InvalidInput:
            pass
        finally:
            _now, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert peak < 16 * 2**20


def test_an_archive_of_archives_is_an_archive():
    assert _bounds.inflated(gzip.compress(b"a") + gzip.compress(b"b"), 10) == b"ab"
    assert _bounds.inflated(b"plain", 10) == b"plain"
    with pytest.raises(_bounds.TooLarge):
        _bounds.inflated(gzip.compress(b"x" * 11), 10)


# -- languages -------------------------------------------------------------------------------------------------------


def test_templates_that_call_each_other_are_read_once():
    """Each calls the next one twice: 2 to the power of 400 calls."""
    text = "".join(
        f'{{{{define "t{n}"}}}}{{{{.k{n}}}}}{{{{template "t{n + 1}" .}}}}{{{{template "t{n + 1}" .}}}}{{{{end}}}}'
        for n in range(400)
    )
    found = gotemplate.parse(f'{text}{{{{define "t400"}}}}{{{{.last}}}}{{{{end}}}}{{{{template "t0" .}}}}')
    assert {"k0", "k30", "last"} <= found.needs and not found.error


TEMPLATES = {
    "a long chain": "".join(
        f'{{{{define "t{n}"}}}}{{{{template "t{n + 1}" .}}}}{{{{end}}}}' for n in range(3000)
    )
    + '{{template "t0" .}}',
    "ifs": "{{if .a}}" * 3000 + "{{end}}" * 3000,
    "parentheses": "{{" + "(" * 3000 + ".a" + ")" * 3000 + "}}",
    "many parentheses": "{{print " + "(.a) " * 100_000 + "}}",
    "quotes": "{{" + "`" * 10_001 + "}}",
    "itself": '{{define "a"}}{{template "a" .}}{{end}}{{template "a" .}}',
    "else ifs": "{{if .a}}" + "{{else if .b}}" * 3000 + "{{end}}",
    "open": "{{" * 10_000,
}


@pytest.mark.parametrize("text", TEMPLATES.values(), ids=TEMPLATES.keys())
def test_any_template_is_read_or_left_to_others(text):
    gotemplate.parse(text)


EXPRESSIONS = {
    "a sum": "1" + "+1" * 30_000,
    "a long sum": "1" + "+1" * 300_000,
    "brackets": "(" * 5000 + "1" + ")" * 5000,
    "lists": "[" * 5000,
    "signs": "!" * 50_000 + "a",
    "members": "obj" + ".a" * 40_000,
    "roots": "objx" * 20_000,
    "quotes": '"""' + "'" * 50_000,
    "a number": "obj.a == " + HUGE,
    "choices": "a ? b : " * 5000 + "c",
}


@pytest.mark.parametrize("text", EXPRESSIONS.values(), ids=EXPRESSIONS.keys())
def test_any_expression_is_judged_or_left_to_others(text):
    cel.problems(text)
    cel.doubts(text, text)


@pytest.mark.parametrize(
    "text",
    [
        '$["' + "\\n" * 200_000 + '"]',
        '$["' + "\\u{0041}" * 50_000 + '"]',
        '$["\\u{' + "0" * 200_000 + '41}"]',
        "$" + ".a" * 100_000,
    ],
)
def test_any_path_is_read(text):
    with contextlib.suppress(ValueError):
        jsonpath.parse(text)


ALPHABET = st.text(st.sampled_from("{}$.-+\"'\\`()[]|=:,!?<>&*%#@ \n09axndefilsrtowhgu"), max_size=80)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("\ud83d"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "contexts",
                    "clusters",
                    "users",
                    "name",
                    "context",
                    "cluster",
                    "user",
                    "current-context",
                    "server",
                    "token",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(ALPHABET)
def test_any_text_is_a_template_a_path_an_expression_or_none(text):
    gotemplate.parse(text)
    gotemplate.parse("{{" + text + "}}")
    cel.problems(text)
    cel.doubts(text)
    with contextlib.suppress(ValueError):
        jsonpath.parse("$" + text)


@given(JSON)
def test_anything_is_a_kubeconfig_or_one_sentence(content):
    for read in (lambda: _untrusted.inline(content, "x"), lambda: _untrusted.well_formed(content, "x")):
        with contextlib.suppress(InvalidInput):
            read()


@given(JSON)
def test_any_json_is_read_back_or_refused(value):
    with contextlib.suppress(ValueError):
        text = json.dumps(value)
        json.dumps(_bounds.json_value(text), ensure_ascii=False).encode()


@given(st.binary(max_size=300), st.integers(0, 1024))
def test_any_bytes_are_an_archive_or_none(data, position):
    sound = io.BytesIO()
    with tarfile.open(fileobj=sound, mode="w") as archive:
        info = tarfile.TarInfo("a/Chart.yaml")
        info.size = 2
        archive.addfile(info, io.BytesIO(b"{}"))
    content = bytearray(sound.getvalue()[:2048])
    content[position : position + len(data)] = data
    for packed in (bytes(content), gzip.compress(bytes(content)), data):
        with contextlib.suppress(InvalidInput):
            archives.unpack(packed, "x")
        with contextlib.suppress(InvalidInput):
            backups.unpacked(packed, "x")
        with contextlib.suppress(InvalidInput):
            chart._archive(packed, "x")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_certificate_or_none(data):
    encoded = base64.b64encode(data).decode()
    body = base64.encodebytes(data).decode()
    pem = f"-----BEGIN CERTIFICATE REQUEST-----\n{body}-----END CERTIFICATE REQUEST-----\n"
    _credentials.of_certificate(encoded)
    _credentials.credentials(encoded)
    assert _csr._subject(encoded)[0] is None
    assert _csr._subject(base64.b64encode(pem.encode()).decode())[0] is None
    assert _csr._subject("A" * 2**20)[0] is None
