# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets out of objects and logs (private to kubestellar.core). Pure functions.

Three ways at once, since each alone has holes: by place (data of Secrets, values of environment variables), by form (private
keys, tokens, `password=`), and by value, for the secrets that were met while the bundle was collected. What is doubtful goes.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bounds
from ansible_collections.kubestellar.core.plugins.module_utils._errors import without_user_info

SHORTEST = 8
"""A secret that is shorter is not looked for by its value: it would be found in words."""

_SUSPECT = re.compile(
    r"(?i)-----|eyJ|:[0-9*]+:|\$[a-z0-9]+\$|sk-|sig=|npm_|@|requirepass|identified|[a-z0-9+/_-]{20}|~|gh[a-z]_|glpat|xox|akia|\.[a-z0-9]{16}|"
    r"bearer|auth|://|pass|pwd|token|secret|key|credential|docker"
)
"""Without any of this there is nothing to look at more closely, as in most texts."""
_MARK = re.compile(r"\[redacted:([a-z]+)")
_MOST_LAYERS = 4

_BEGIN_KEY = r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
_END_KEY = r"-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
_KEY = re.compile(rf"{_BEGIN_KEY}.*?(?:{_END_KEY}|\Z)", re.DOTALL)
_REST_OF_KEY = re.compile(_END_KEY)
_BREAK = re.compile(r"(\r?\n|(?:\\+r)?\\+n)")
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_BASE64_ANY = re.compile(r"[A-Za-z0-9+/=]+")
_SHORTEST_REST = 16
_LONGEST_NAME = 400
_LONGEST_KEY = 20_000
_SHORTEST_KEY_LINE = 48

_JWT = re.compile(r"eyJ[\w=-]{6,}(?:\.[\w=-]*){0,4}")
_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{20,}={0,2}")
_TEXT = re.compile(r"[ -~\n]{8}")
"""What random bytes do not have."""
_FORMS = re.compile(
    r"sha256~[\w-]{20,}"  # OpenShift's tokens
    r"|gh[a-z]_\w{20,}|github_pat_\w{20,}|npm_\w{20,}|hf_\w{20,}|dop_v1_\w{20,}|pypi-[\w-]{20,}|glc_[\w=]{20,}|shpat_\w{20,}"
    r"|sk-[\w-]{20,}|sk_(?:live|test)_\w{10,}|AIza[\w-]{20,}|ya29\.[\w-]{10,}|SG\.[\w-]{10,}\.[\w-]{10,}|hv[sb]\.[\w-]{20,}"
    r"|AGE-SECRET-KEY-1[A-Z0-9]{20,}|ASIA[A-Z0-9]{16}|xapp-[\w-]{10,}|gl[a-z]{2,5}-[\w-]{20,}|glpat-[\w-]{20,}|xox[a-z]-[\w-]{10,}|AKIA[A-Z0-9]{16}"
    # Bootstrap tokens of Kubernetes: six and sixteen characters (kubernetes: cluster-bootstrap/token/api).
    r"|(?<![\w.-])[a-z0-9]{6}\.[a-z0-9]{16}(?!\w|-|\.\w)"
)
_OTHER = re.compile(
    r"\$(?:apr1|2[abxy]|1|5|6|y|argon2id?)\$[\w./$+=,-]+|\{S?SHA\}[\w+/=]{20,}"  # hashes of passwords
    r"|(?<=hooks\.slack\.com/services/)[\w/]+"
)
_BEARER = re.compile(
    r"(?i)\b((?:bearer|basic)[\s\"'\\]+)(?!tokens?\b|auth|realm|[a-z]{1,15}\b(?![=+/]|\.\w)|\[redacted:)([^\s\"'\\,;\]})]+)"
)
_HEADER = re.compile(
    r"(?i)(authorization[\"'\\]*\s*[:=]\s*[\"'\\\[]*)(?!\[redacted:|[\"'\\\]])([^\"'\\\r\n\]]+)"
)
_USER_INFO = re.compile(
    r"(?<![\w.-])[\w.-]{1,64}:[^\s@/]{1,256}@(?=\w{2,8}\()"
)  # of a database: name:password@tcp(host)
_HINTS = (
    *(
        "pass",
        "pwd",
        "token",
        "secret",
        "key",
        "cred",
        "auth",
        "bearer",
        "basic",
        "docker",
        "cookie",
        "connection",
        "webhook",
    ),
    *("pw", "psk", "pin", "sig=", "signature", "identified", "-u ", "--user"),
)
_WORDS = (
    r"(?<![a-z])pass(?:code)?|(?<=db)pass|(?<=user)pass|(?<=smtp)pass|(?<=admin)pass|(?<=root)pass|(?<![a-z])(?:pw|psk|pin)|"
    r"passwords?|passwd|passphrase|pwd|account[_-]?keys?|shared[_-]?access[_-]?keys?|encryption[_-]?keys?|signing[_-]?keys?|"
    r"master[_-]?keys?|session[_-]?keys?|ssh[_-]?keys?|auth[_-]?keys?|connection[_-]?strings?|(?:set-)?cookies?|(?<![a-z])sig|"
    r"x-amz-signature|webhook[_-]?urls?|client[_-]?secrets?|requirepass|masterauth|license[_-]?keys?|tokens?|secrets?|"
    r"api[_-]?keys?|access[_-]?keys?|access[_-]?key[_-]?id|secret[_-]?keys?|"
    r"private[_-]?keys?|client[_-]?keys?|client[_-]?key[_-]?data|key[_-]data|credentials?|authorization|\.?dockerconfigjson"
)
_PAIR = re.compile(
    rf"(?i)((?:{_WORDS})[\"'\\\])}}]*[ \t]*(?::=|=>|[:=]|%3[ad])[ \t]*)(?!\[redacted:)"
    r"(\\+\"(?:.*?)\\+\"|\"(?:[^\"\\\r\n]|\\.)*\"?|'[^'\r\n]*'?|[^\s,;&\"'\\{}\[\]|>][^\s,;&\"'\\]*)"
)
_PHRASE = re.compile(
    r"(?i)((?:passwords?|passwd|passphrase|pwd)[ \t]*[:=][ \t]*)(?!\[redacted:)([^\s\"'\\{}\[\]|>][^\r\n\"'\\]*)"
)
_SPACED = re.compile(
    rf"(?i)((?<![\w.-])--?[\w.-]*(?:{_WORDS})|\brequirepass|\bmasterauth|\blogin[ \t]+\S+[ \t]+password|\bidentified by|\bsshpass -p"
    r"|(?:^|\s)(?:-u|--user|--proxy-user))[ \t]+(?!\[redacted:|--?[a-z])('[^'\r\n]*'?|\"[^\"\r\n]*\"?|[^\s'\"]+)"
)
_FLAG = re.compile(rf"(?i)--?[\w.-]*(?:{_WORDS})|-u|--user|--proxy-user")
_ELEMENT = re.compile(rf"(?i)(<[\w:.-]*(?:{_WORDS})(?:\s[^<>]*)?>)(?!\[redacted:)([^<]+)(?=<)")
_ATTRIBUTE = re.compile(rf"(?i)((?:name|key)=[\"'][\w.-]*(?:{_WORDS})[\"']\s+value=[\"'])([^\"']+)")
_PGPASS = re.compile(r"(?m)^([\w.*-]+:(?:[0-9]+|\*):[\w*-]+:[\w*-]+:)([^\s:]\S*)$")
_BLOCK = re.compile(
    rf"(?i)^([ \t]*(?:-[ \t]+)*)[\"']?[\w.-]*(?:{_WORDS})[\"']?[ \t]*:[ \t]*(?:[|>][-+0-9]*[ \t]*(?:#.*)?)?$"
)
_SECRET_WORD = re.compile(rf"(?i)(?:{_WORDS}|^auth)$")
_NAMES_A_KEY = ("ITSSecretKey", "WDSSecretKey")
"""Variables of PostCreateHooks: the name of a key in a Secret, not its value (kubestellar: core-chart)."""

_KEYS_OF_KUBECONFIG = tuple(
    re.compile(rf"(?:^|[\s\"'\\{{,]){key}[\"'\\]*\s*:") for key in ("client-key-data", "clusters", "users")
)
_A_SECRET = re.compile(r"(?:^|[\s\"'\\{,])kind[\"'\\]*\s*:\s*[\"'\\]*Secret(?![\w-])")
_DATA = re.compile(r"^(?P<before>.*?)(?:data|stringData):\s*$")
_FLOW = re.compile(r"((?:^|\s)(?:data|stringData):\s+)(?!\[redacted:)\S.*")
_WINDOW = 80
_LAST_APPLIED = ("last-applied-configuration", "rio.cattle.io/applied", "kapp.k14s.io/original")
_PUBLIC = (
    "ca.crt",
    "ca-bundle.crt",
    "tls.crt",
    "namespace",
    "cluster-name",
    "agent-name",
    "username",
    "release",
)


def mark(what: str, size: int | None = None) -> str:
    """What stands where a secret was: `[redacted:token]`, `[redacted:value:12-bytes]`."""
    return f"[redacted:{what}]" if size is None else f"[redacted:{what}:{size}-bytes]"


def count(text: str) -> int:
    """How many secrets were taken out of a text."""
    return len(_MARK.findall(text))


@dataclass(frozen=True)
class Redactor:
    """Takes secrets out.

    :ivar known: secrets that are looked for by their value, the longest first (see `known_values`).
    """

    known: tuple[str, ...] = ()

    @classmethod
    def of(cls, values: Iterable[str]) -> Redactor:
        """:param values: secrets as text."""
        found = {value for value in values if len(value) >= SHORTEST and "[redacted:" not in value}
        encoded = {base64.b64encode(value.encode()).decode() for value in found}
        return cls(tuple(sorted(found | encoded, key=lambda value: (-len(value), value))))

    def text(self, text: str) -> str:
        """A text without secrets: one value, or a log of many lines."""
        for value in self.known:
            if value in text:
                text = text.replace(value, mark("known"))
        if not _is_hinted(text) and not _SUSPECT.search(text):
            return text
        text = _KEY.sub(mark("key"), text)
        if _REST_OF_KEY.search(text):
            text = _without_rest_of_key(text)
        if _A_SECRET.search(text):
            text = _without_manifest(text)
        text = _JWT.sub(mark("token"), text)
        text = _ENCODED.sub(self._encoded({}), text)
        text = _FORMS.sub(mark("token"), text)
        text = _OTHER.sub(mark("token"), without_user_info(text, mark("password")))
        text = _USER_INFO.sub(f"{mark('password')}@", text)
        text = _PGPASS.sub(rf"\1{mark('password')}", text)
        text = _without_blocks(text)
        return "\n".join(_named(line) if _is_hinted(line) else line for line in text.split("\n"))

    def value(self, text: str) -> str:
        """One text of an object: as `text`, but a kubeconfig or the manifest of a Secret in it goes as a whole."""
        if len(text) >= SHORTEST and _is_kubeconfig(text):
            return mark("kubeconfig", len(text.encode()))
        if len(text) >= SHORTEST and _A_SECRET.search(text):
            return mark("secret", len(text.encode()))
        inner = _inner(text)
        if inner is not None:
            redacted = self.object(inner)
            if redacted != inner:
                return json.dumps(redacted, ensure_ascii=False)
        return self.text(text)

    def object(self, value: Any, *, wrapped: bool = False) -> Any:
        """An object of Kubernetes, or a part of one, without secrets and without managedFields.

        :param wrapped: it is the workload of somebody else, so that values of ConfigMaps are none of our business.
        """
        if isinstance(value, Mapping):
            return self._mapping(value, wrapped=wrapped)
        if isinstance(value, list):
            flags = [False, *(isinstance(item, str) and bool(_FLAG.fullmatch(item)) for item in value)]
            return [
                mark("value")
                if after and isinstance(item, str) and not item.startswith("--")
                else self.object(item, wrapped=wrapped)
                for after, item in zip(flags, value, strict=False)
            ]
        return self.value(value) if isinstance(value, str) else value

    def _mapping(self, value: Mapping[str, Any], *, wrapped: bool) -> dict[str, Any]:
        kind = value.get("kind")
        found: dict[str, Any] = {}
        for key, item in value.items():
            name = self.text(str(key))
            if key == "managedFields":
                continue
            if key == "env" and isinstance(item, list):
                found[name] = [self._variable(one) for one in item]
            elif str(key).endswith(_LAST_APPLIED):
                found[name] = mark("applied")
            elif key == "binaryData" or (kind == "Secret" and key in ("data", "stringData")):
                found[name] = self._sizes(item, encoded=key != "stringData")
            elif kind == "ConfigMap" and wrapped and key == "data":
                found[name] = self._sizes(item, encoded=False)
            elif kind == "SecretList" and key == "items" and isinstance(item, list):
                found[name] = [
                    self.object({"kind": "Secret", **one}) for one in item if isinstance(one, Mapping)
                ]
            elif isinstance(item, (str, bytes)) and item and _is_secret(str(key)):
                found[name] = mark("value", len(item))
            elif isinstance(item, (int, float)) and not isinstance(item, bool) and _is_private(str(key)):
                found[name] = mark("value")
            elif isinstance(item, list) and _is_secret(str(key)):
                found[name] = [mark("value") if isinstance(one, str) else self.object(one) for one in item]
            else:
                found[name] = self.object(item, wrapped=wrapped or key == "manifests")
        return found

    def _variable(self, variable: Any) -> Any:
        """One environment variable of a container: its name, and where its value comes from."""
        found = self.object(variable)
        if isinstance(found, dict) and found.get("value"):
            found["value"] = mark("variable")
        return found if isinstance(found, dict) else mark("variable")

    def _sizes(self, data: Any, *, encoded: bool) -> Any:
        """Keys with the sizes of their values."""
        if not isinstance(data, Mapping):
            return mark("value")
        return {
            self.text(str(key)): mark("value", _size(item, encoded=encoded)) for key, item in data.items()
        }

    def _encoded(self, seen: dict[str, bool]) -> Callable[[re.Match[str]], str]:
        """What to put in place of what may be base64. :param seen: remembers, since logs repeat themselves."""

        def replacement(found: re.Match[str]) -> str:
            encoded = found.group()
            if encoded not in seen:
                seen[encoded] = self._hides(encoded)
            return mark("encoded") if seen[encoded] else encoded

        return replacement

    def _hides(self, encoded: str, layers: int = _MOST_LAYERS) -> bool:
        """Whether the base64 of a secret is in there. It need not begin where the text begins: `path/LS0t...`."""
        for start in range(4):
            decoded = _decoded(encoded[start:])
            if decoded is None:
                continue
            if (
                any(known in decoded for known in self.known)
                or _JWT.search(decoded)
                or "PRIVATE KEY" in decoded
            ):
                return True
            if _is_kubeconfig(decoded) or _A_SECRET.search(decoded) or _FORMS.search(decoded):
                return True
            if _is_hinted(decoded) and (_BEARER.search(decoded) or _PAIR.search(decoded)):
                return True
            if layers and any(self._hides(inner.group(), layers - 1) for inner in _ENCODED.finditer(decoded)):
                return True
        return False


def known_values(secret: Mapping[str, Any]) -> Iterator[str]:
    """The secrets in a Secret that can be looked for by their value.

    Not what is public (certificates, names), nor what is too short or too plain to be told from words.
    """
    for key, encoded in (secret.get("data") or {}).items():
        if key in _PUBLIC:
            continue
        value = _decoded(str(encoded))
        if value is None:
            continue
        yield from kubeconfig_values(value)
        if "\n" not in value.strip() and (_is_secret(str(key)) or _is_random(value.strip())):
            yield value.strip()


def kubeconfig_values(text: str) -> Iterator[str]:
    """The credentials in the text of a kubeconfig."""
    pattern = r"(?m)(?:^|[\s{,\"])(?:token|password|client-key-data|id-token|refresh-token)\"?:\s*[\"']?([^\s\"',}]+)"
    for found in re.finditer(pattern, text):
        yield found.group(1)
        decoded = _decoded(found.group(1))
        if decoded is not None and "\n" not in decoded.strip() and "\ufffd" not in decoded:
            yield decoded.strip()


def _is_hinted(text: str) -> bool:
    """Whether there is the name of anything that may be secret."""
    lower = text.lower()
    return any(hint in lower for hint in _HINTS)


def _named(line: str) -> str:
    """A line without what follows the name of a secret."""
    line = _ELEMENT.sub(rf"\1{mark('value')}", line)
    line = _ATTRIBUTE.sub(rf"\1{mark('value')}", line)
    line = _SPACED.sub(rf"\1 {mark('value')}", line)
    line = _HEADER.sub(rf"\1{mark('header')}", line)
    line = _BEARER.sub(rf"\1{mark('token')}", line)
    line = _PHRASE.sub(rf"\1{mark('password')}", line)
    return _PAIR.sub(rf"\1{mark('value')}", line)


def _is_secret(key: str) -> bool:
    """Whether a field of this name has a secret as its text."""
    return key not in _NAMES_A_KEY and bool(_SECRET_WORD.search(key))


def _is_private(key: str) -> bool:
    """Whether a number under this name is a secret."""
    return bool(re.search(r"(?i)pass(?:word|code)?$|(?:^|[_.-])pin$", key))


def _is_random(value: str) -> bool:
    """Whether a value looks made by a machine: long, no blanks, letters and digits."""
    return (
        len(value) >= 16
        and not re.search(r"\s", value)
        and bool(re.search(r"[A-Za-z]", value) and re.search(r"[0-9]", value))
        and "CERTIFICATE" not in value
    )


def _size(item: Any, *, encoded: bool) -> int:
    if not isinstance(item, str):
        return len(str(item))
    if encoded:
        try:
            return len(base64.b64decode(item))
        except (ValueError, binascii.Error):
            pass
    return len(item.encode())


def _decoded(encoded: str) -> str | None:
    """What base64 (either alphabet, with or without padding) stands for; None if it is none."""
    text = encoded.strip().rstrip("=").replace("-", "+").replace("_", "/")
    text = text[: len(text) - (len(text) % 4 == 1)]
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4)).decode("utf-8", errors="replace")
    except (ValueError, binascii.Error):
        return None


def _without_rest_of_key(text: str) -> str:
    """A log may begin in the middle of a private key: the base64 before its end goes with it."""
    parts: list[str] = []
    position = 0
    for end in _REST_OF_KEY.finditer(text):
        far = max(position, end.start() - _LONGEST_KEY)
        pieces = _BREAK.split(text[far : end.start()])
        words = pieces[-1].split(" ")
        while words and len(words[-1]) >= _SHORTEST_REST and _BASE64_ANY.fullmatch(words[-1]):
            words.pop()
        pieces[-1] = " ".join(words)
        number = len(pieces) - 3
        shortest = 1  # the last line of a key is as long as it happens to be, and so is the first one that was kept of it
        while number >= 0 and _is_key_line(pieces[number], 1 if number + far == 0 else shortest):
            pieces[number] = ""
            number -= 2
            shortest = _SHORTEST_KEY_LINE
        parts += [text[position:far], "".join(pieces), mark("key")]
        position = end.end()
    return "".join([*parts, text[position:]])


def _without_blocks(text: str) -> str:
    """YAML without the lines below the name of a secret: `password: |`."""
    if ":" not in text or "\n" not in text:
        return text
    lines = text.split("\n")
    depth = -1  # of the name that we are below
    for number, line in enumerate(lines):
        inside = len(line) - len(line.lstrip(" \t"))
        if depth >= 0 and (not line.strip() or inside > depth):
            lines[number] = line[:inside] + mark("value") if line.strip() else line
            continue
        found = _BLOCK.match(line) if len(line) < _LONGEST_NAME else None
        depth = len(found.group(1)) if found else -1
    return "\n".join(lines)


def _is_kubeconfig(text: str) -> bool:
    key, clusters, users = (bool(pattern.search(text)) for pattern in _KEYS_OF_KUBECONFIG)
    return key or (clusters and users)


def _inner(text: str) -> Any:
    """The object or list in a text of JSON; None if it is none."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return _bounds.json_value(text)
    except ValueError:
        return None


def _is_key_line(line: str, shortest: int) -> bool:
    """Whether a line, perhaps after a time, ends with base64 of at least this length."""
    words = line.split()
    return bool(words) and len(words[-1]) >= shortest and bool(_BASE64.fullmatch(words[-1].strip("\"'")))


def _without_manifest(text: str) -> str:
    """A log may have the manifest of a Secret: in one line as JSON, or as YAML, where the values of its data go."""
    lines = text.split("\n")
    near: set[int] = set()
    for number, line in enumerate(lines):
        if not _A_SECRET.search(line):
            continue
        if re.search(r"(?:data|stringData)[\"'\\]*\s*:", line):
            lines[number] = mark("secret", len(line.encode()))
        near.update(range(number - _WINDOW, number + _WINDOW))
    column: int | None = None  # of the `data:` that we are below; a time may stand before it
    keys: int | None = None  # the column of the keys in it
    for number, line in enumerate(lines):
        if column is not None and (not line.strip() or line[column : column + 1] in (" ", "\t")):
            depth = len(line) - len(line[column:].lstrip())
            keys = depth if keys is None else keys
            name = re.match(r"[\w.-]+:", line[depth:]) if depth == keys else None
            if line[column:].strip():
                lines[number] = line[:depth] + (name.group() + " " if name else "") + mark("value")
            continue
        if number in near:
            lines[number] = _FLOW.sub(rf"\1{mark('value')}", line)
        found = _DATA.match(line)
        column, keys = (found.end("before"), None) if found and number in near else (None, None)
    return "\n".join(lines)
