# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What others wrote, read within bounds (private to kubestellar.core). Pure functions.

Whatever a text holds, reading it takes time and memory in proportion to its size, and its value can be walked by
recursion, sent, and shown.
"""

from __future__ import annotations

import json
import re
import tarfile
import zlib
from collections.abc import Iterator
from typing import Any

DEEPEST = 200
"""Collections inside each other. Objects of Kubernetes have some 40 at most."""
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_WHOLE = re.compile(r"[0-9]{1,18}")


def json_value(text: str | bytes) -> Any:
    """The value of a JSON text.

    :raises ValueError: it is none, or one out of bounds: nested deeper than `DEEPEST`, or with half a surrogate pair. Nothing of the
        text is in the message.
    """
    try:
        if isinstance(text, bytes):
            text = text.decode(json.detect_encoding(text))
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg} at line {error.lineno}, column {error.colno}") from None
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    check_value(value, escapes=bool(_SURROGATE.search(text)))
    return value


_TOO_DEEP = f"it is nested deeper than {DEEPEST} levels"


def check_value(value: Any, *, escapes: bool = True) -> None:
    """:param escapes: whether its texts may have half surrogate pairs, which no UTF-8 has.

    :raises ValueError: it is nested too deeply, or has a text that cannot be encoded.
    """
    level = [value]
    for _depth in range(DEEPEST + 1):
        level = [
            item
            for one in level
            if isinstance(one, (dict, list))
            for item in (one.values() if isinstance(one, dict) else one)
            if isinstance(item, (dict, list))
        ]
        if not level:
            break
    else:
        raise ValueError(_TOO_DEEP)
    if escapes:
        try:
            json.dumps(value, ensure_ascii=False, default=str).encode()
        except UnicodeEncodeError:
            raise ValueError("it has text that is not valid Unicode (half a surrogate pair)") from None


class TooLarge(ValueError):
    """More bytes than may be."""


def inflated(packed: bytes, largest: int) -> bytes:
    """What is in a gzip file; what is none, as it is. All that is read of an archive is then no longer than that, its headers too.

    :raises TooLarge: more than `largest` bytes.
    :raises EOFError, zlib.error: it is damaged.
    """
    parts: list[bytes] = []
    total = 0
    is_packed = packed.startswith(b"\x1f\x8b")
    while is_packed and packed:
        inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
        parts.append(inflater.decompress(packed, largest + 1 - total))
        total += len(parts[-1])
        if total > largest:
            break
        if not inflater.eof:
            raise EOFError("it ends too early")
        packed = inflater.unused_data.lstrip(b"\0")
    content = b"".join(parts) if is_packed else packed
    if len(content) > largest:
        raise TooLarge(f"it is larger than {largest // 2**20} MiB")
    return content


def members(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """The entries of an archive.

    :raises tarfile.TarError: a header leads back, so that they would never end.
    """
    position = -1
    for member in archive:
        if member.size < 0 or member.offset <= position:
            raise tarfile.ReadError("a header has a size below nothing")
        position = member.offset
        yield member


def whole(text: object, default: int = 0) -> int:
    """The number that decimal digits stand for; `default` for any other text, and for more than 18 digits."""
    return int(str(text)) if _WHOLE.fullmatch(str(text)) else default
