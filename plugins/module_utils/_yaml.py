# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML and JSON as Kubernetes reads them (private to kubestellar.core). Pure functions.

Kubernetes: apimachinery pkg/util/yaml/decoder.go, sigs.k8s.io/yaml, goyaml.v2/resolve.go.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from ansible_collections.kubestellar.core.plugins.module_utils import _bounds
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    InvalidInput,
    KubestellarError,
    plain,
)

_NO_TAGS = ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:value")
_FLOAT = "tag:yaml.org,2002:float"
_INT = "tag:yaml.org,2002:int"
_TEXT = "tag:yaml.org,2002:str"
_MERGE = "tag:yaml.org,2002:merge"
_NUMBERS = {
    _FLOAT: re.compile(
        r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?$|[-+]?[0-9]+[eE][-+]?[0-9]+$|[-+]?\.(inf|Inf|INF)$|\.(nan|NaN|NAN)$"
    ),
    _INT: re.compile(
        r"[-+]?(0[bB]_*[01][01_]*|0[xX]_*[0-9a-fA-F][0-9a-fA-F_]*|0[oO]_*[0-7][0-7_]*|0[0-7_]*|[1-9][0-9_]*)$"
    ),
}
_MARKER = re.compile(r"(?m)^(?=---(?:[ \t\r]|$))")
_MARKS = re.compile(r"(?:\A|(?<=[\r\n]))\ufeff+")
"""Byte order marks: at the beginning, and where files were joined."""
_LONGEST_NUMBER = 1000
"""Digits of an integer."""
LARGEST = 64 * 2**20
"""Characters of a text."""
_MOST_COPIES = 10
_FREE = 1_000_000
_DEEP_BLOCK = re.compile(rf"[ \t?:-]{{{_bounds.DEEPEST}}}")
_JINJA = re.compile(r"\{\{|\{%")
_TYPES = {str: "text", bool: "true or false", int: "a number", float: "a number", list: "a list"}

_IMPORT_ERROR: ImportError | None = None
try:
    import yaml

    # The C versions are ten times faster.
    class LOADER(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        """Scalars as Kubernetes reads them: dates and `=` are text, `22:22` is no number in base 60, and `1e3` is one."""

        yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {
            first: [(tag, _NUMBERS.get(tag, pattern)) for tag, pattern in pairs if tag not in _NO_TAGS]
            for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }

    class _DUMPER(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
        """Quotes what any reader may take for something else than text, `1e3` and `0o7` too."""

    for _tag, _pattern in _NUMBERS.items():
        _DUMPER.add_implicit_resolver(_tag, _pattern, list("-+.0123456789"))

    def _integer(loader: Any, node: Any) -> Any:
        text = str(loader.construct_scalar(node)).replace("_", "").lower()
        octal = re.fullmatch(r"([-+]?)0([0-7]+)", text)
        if len(text) > _LONGEST_NUMBER:  # Python would not print it: no number for Kubernetes either
            return str(node.value)
        return int(f"{octal[1]}0o{octal[2]}" if octal else text, 0)

    def _binary(loader: Any, node: Any) -> str:
        try:
            return bytes(loader.construct_yaml_binary(node)).decode()
        except UnicodeDecodeError:
            raise yaml.constructor.ConstructorError(
                None, None, "found !!binary that is no text, which JSON cannot say", node.start_mark
            ) from None

    LOADER.add_constructor(_INT, _integer)
    LOADER.add_constructor("tag:yaml.org,2002:binary", _binary)
except ImportError as error:
    _IMPORT_ERROR = error


def load_yaml(text: str | bytes, source: str) -> list[dict[str, Any]]:
    """All objects of a YAML or JSON text: documents, and the items of lists. Of a key that is there twice the last one counts.

    :param source: file name or option for the message.
    :raises InvalidInput: not YAML, or a document that is no mapping.
    """
    objects: list[dict[str, Any]] = []
    for _number, document in yaml_documents(text, source, twice="last"):
        items = list_items(document)
        objects.extend([document] if items is None else items)
    return objects


def list_items(document: Mapping[str, Any]) -> list[Any] | None:
    """The objects of a list of kind `List` or the like; None if it is none."""
    items = document.get("items")
    return items if isinstance(items, list) and str(document.get("kind", "")).endswith("List") else None


def yaml_documents(
    text: str | bytes, source: str, *, twice: str = "refuse", hint: str = ""
) -> list[tuple[int, dict[str, Any]]]:
    """The documents of a YAML or JSON text that are not empty, each with its number.

    :param twice: what becomes of a key that is there twice: `refuse`, unless both say the same; `last`, the last one counts;
        `inner`, the last one counts as with helm, but not at the top of a document, where it is of another object.
    :param hint: what to do if it is a Jinja template.
    :raises InvalidInput: see `load_yaml`.
    """
    require()
    if len(text) > LARGEST:
        raise InvalidInput(
            f"{source} is larger than {LARGEST // 2**20} MiB.", hint="Divide it into several texts."
        )
    try:
        whole = _MARKS.sub("", _decoded(text))
        documents = list(_documents(whole, source, twice, hint if _JINJA.search(whole) else ""))
        for document in documents:
            _check_value(document, whole, source)
    except UnicodeError as error:
        raise InvalidInput(
            f"{source} is not UTF-8 text: {plain(error, 120)}.", hint="Save it as UTF-8."
        ) from error
    for document in documents:
        if document is not None and not isinstance(document, dict):
            raise InvalidInput(
                f"{source} holds {type_name(document)} where an object was expected.",
                hint=_VAULT_HINT if _is_encrypted(document) else "",
            )
    return [(number, document) for number, document in enumerate(documents, start=1) if document is not None]


def dump_yaml(data: Any) -> str:
    """`data` as block YAML in its own key order."""
    require()
    return str(yaml.dump(data, Dumper=_DUMPER, sort_keys=False, default_flow_style=False, allow_unicode=True))


def type_name(value: Any) -> str:
    """The type of a value as writers of YAML know it."""
    if value is None:
        return "nothing"
    return next((name for kind, name in _TYPES.items() if isinstance(value, kind)), "a mapping")


def require() -> None:
    """:raises KubestellarError: PyYAML cannot be imported."""
    if _IMPORT_ERROR is not None:
        raise unusable(_IMPORT_ERROR)


def unusable(error: ImportError) -> KubestellarError:
    """The error for a library that cannot be imported."""
    return KubestellarError(
        f"The Python library kubernetes cannot be used: {plain(error)}.",
        hint="Install it for the Python that runs this module: pip install kubernetes.",
    )


# -- from text to documents ----------------------------------------------------------------------------------------------

_VAULT = "$ANSIBLE_VAULT;"
_VAULT_HINT = "It is encrypted with Ansible Vault, which only the source template decrypts."


def _is_encrypted(document: Any) -> bool:
    return isinstance(document, str) and document.startswith(_VAULT)


class _TwiceInJson(ValueError):
    """A key that is there twice."""


def _decoded(text: str | bytes) -> str:
    """:raises UnicodeError: neither UTF-8 nor UTF-16 with its mark."""
    if isinstance(text, str):
        text.encode()
        return text
    utf16 = text.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return text.decode("utf-16" if utf16 else "utf-8")


def _documents(text: str, source: str, twice: str, hint: str) -> Iterator[Any]:
    # Where a document may be JSON, or several objects of JSON one after the other, each is looked at by itself, with its lines.
    parts = [text]
    if re.search(r"(?m)^\s*(?:---\s*)?\{", text) and not re.search(r"(?m)^%", text):
        parts = _MARKER.split(text)
    line = 0
    for part in parts:
        objects = _json(part, twice)
        if objects is None:
            yield from _yaml(part, line, source, twice, hint)
        else:
            yield from objects
        line += part.count("\n")


def _json(text: str, twice: str) -> list[Any] | None:
    """The objects of JSON in a document; None if it is none, or YAML is to say what is wrong with it."""

    def paired(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise _TwiceInJson
        return found

    text = text.removeprefix("---").lstrip()
    if not text.startswith("{"):
        return None
    # JSON is YAML too, and read thirty times faster as what it is.
    decoder = json.JSONDecoder(object_pairs_hook=None if twice == "last" else paired)
    objects = []
    try:
        while text:
            value, end = decoder.raw_decode(text)
            objects.append(value)
            text = text[end:].lstrip()
    except (ValueError, RecursionError):
        return None
    return objects


def _yaml(text: str, line: int, source: str, twice: str, hint: str) -> Iterator[Any]:
    """The documents of YAML. :param line: how many are before it."""
    _check_depth(text, line, source, hint)
    aliases = "*" in text
    loader = LOADER(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            if aliases:
                _check_aliases(node, source)
            if twice != "last":
                _check_keys(node, line, source, inner=twice == "refuse")
            yield loader.construct_document(node)
    except yaml.YAMLError as error:
        raise _invalid(error, line, source, hint) from error
    except (LookupError, TypeError, AttributeError, OverflowError, ValueError) as error:
        if isinstance(error, UnicodeError):
            raise
        # A tag that its value does not fit, such as `!!int x`; what the constructor says would quote it.
        raise InvalidInput(f"{source} is not valid YAML: a value is not what its tag says.") from None
    finally:
        loader.dispose()


def _check_value(document: Any, text: str, source: str) -> None:
    """:raises InvalidInput: what no object of Kubernetes can have, and what could not be sent or shown."""
    try:
        _bounds.check_value(document, escapes="\\u" in text)
    except ValueError as error:
        raise InvalidInput(f"{source} cannot be used: {error}.", hint="Correct it there.") from None


def _check_depth(text: str, line: int, source: str, hint: str) -> None:
    """What is nested deeply enough crashes the parser's C. Events come one by one, but cost half as much as reading does, so
    they are looked at only where a text could be that deep.

    :raises InvalidInput: it is too deep.
    """
    if text.count("[") + text.count("{") <= _bounds.DEEPEST and not _DEEP_BLOCK.search(text):
        return
    depth = 0
    try:
        for event in yaml.parse(text, Loader=LOADER):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            if depth > _bounds.DEEPEST:
                raise InvalidInput(
                    f"{source} is nested deeper than {_bounds.DEEPEST} levels{_place(event.start_mark, line)}."
                )
    except yaml.YAMLError as error:
        raise _invalid(error, line, source, hint) from error


def _place(mark: Any, line: int) -> str:
    return f" (line {mark.line + 1 + line})" if mark is not None else ""


def _check_aliases(root: Any, source: str) -> None:
    """:raises InvalidInput: aliases stand for far more than is written, or a value for itself."""
    sizes: dict[int, int] = {}
    open_nodes: set[int] = set()
    written = 0
    waiting = [(root, False)]
    while waiting:
        node, done = waiting.pop()
        if id(node) in sizes:
            continue
        children = _children(node)
        if done or not children:
            own = 1 + (len(node.value) if isinstance(node, yaml.ScalarNode) else 0)
            written += own
            sizes[id(node)] = own + sum(sizes[id(child)] for child in children)
            open_nodes.discard(id(node))
            if sizes[id(node)] > _FREE + _MOST_COPIES * written:
                raise InvalidInput(
                    f"{source} has aliases that stand for far more than is written.",
                    hint="Write less with aliases.",
                )
            continue
        if id(node) in open_nodes:
            raise InvalidInput(f"{source} has a value that contains itself.", hint="Remove that alias.")
        open_nodes.add(id(node))
        waiting.append((node, True))
        waiting += [(child, False) for child in children]


def _children(node: Any) -> list[Any]:
    if isinstance(node, yaml.MappingNode):
        return [child for pair in node.value for child in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _check_keys(root: Any, line: int, source: str, *, inner: bool) -> None:
    """Make keys texts.

    :param inner: whether keys that are there twice are refused below the top of the document too.
    :raises InvalidInput: a key that is there twice, or cannot be a text without becoming another.
    """
    waiting, seen = [(root, "")], set()
    while waiting:
        node, path = waiting.pop()
        if id(node) in seen or isinstance(node, yaml.ScalarNode):
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += [(item, f"{path}[{number}]") for number, item in enumerate(node.value)]
            continue
        known: dict[str, tuple[Any, Any]] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue  # the constructor refuses it
            below = f"{path}.{key.value}".lstrip(".")
            if key.tag not in (_TEXT, _MERGE):
                _make_text(key, line, f"{source}: {_named(root)}{plain(path, 200)}")
            waiting.append((value, below))
            first = known.setdefault(key.value, (key, value))
            judged = key.tag != _MERGE and (inner or node is root)
            if judged and first[0] is not key and not _same(first[1], value):
                lines = [one.start_mark.line + 1 + line for one in (first[0], key)]
                raise _twice(f"{source}: {_named(root)}{plain(below, 200)}", lines)


def _make_text(key: Any, line: int, what: str) -> None:
    """Let a key be text that is a number as it is written. :raises InvalidInput: it is something else."""
    if key.tag != _INT or not re.fullmatch(r"0|[1-9][0-9]*", key.value):
        what = what.rstrip(": ")
        raise InvalidInput(
            f"{what}: the key {plain(key.value, 80) or 'of nothing'} in line {key.start_mark.line + 1 + line} is no text.",
            hint="Put it in quotes.",
        )
    key.tag = _TEXT


def _same(one: Any, other: Any) -> bool:
    """Whether two nodes say the same, so that nothing is lost."""
    scalars = isinstance(one, yaml.ScalarNode) and isinstance(other, yaml.ScalarNode)
    return scalars and (one.tag, one.value) == (other.tag, other.value)


def _twice(what: str, lines: list[int]) -> InvalidInput:
    told = f"{what} is there twice, in lines {lines[0]} and {lines[1]}"
    if what.rpartition(" ")[2] in ("apiVersion", "kind", "metadata", "spec", "data"):
        return InvalidInput(
            f"{told}, so these may be two objects.", hint="Put a line --- between them, or remove one."
        )
    return InvalidInput(f"{told}.", hint="Keep one of them.")


def _named(root: Any) -> str:
    """Kind and name of the object of a node, if it has them."""

    def child(node: Any, name: str) -> Any:
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        return next((value for key, value in pairs if key.value == name), None)

    kind, name = child(root, "kind"), child(child(root, "metadata"), "name")
    texts = [str(node.value) for node in (kind, name) if isinstance(node, yaml.ScalarNode)]
    return f"{plain(' '.join(texts), 200)}: " if texts else ""


def _invalid(error: Any, line: int, source: str, hint: str) -> InvalidInput:
    """What cannot be read as YAML, and what may be the cause."""
    problem = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read")
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    where = _place(mark, line)
    problem = re.sub(r"(alias|anchor) '[^']*'", r"\1", problem)  # it may be a password that is not in quotes
    if "'!vault'" in problem:
        hint = "Ansible Vault is not read here: write the object under definitions, where variables are decrypted."
    return InvalidInput(f"{source} is not valid YAML: {plain(problem, 300)}{where}.", hint=hint)
