# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The expressions of a StatusCollector, as far as they can be judged before they are sent (private to kubestellar.core).

Pure functions. KubeStellar evaluates CEL with the standard functions and macros, no extension, and four roots
(kubestellar: pkg/status/cel-evaluator.go). The grammar is cel-go's (parser/gen/CEL.g4). Types are not judged here:
the controller reports them, see `status.errors`. Whatever is refused here, KubeStellar refuses too, with one
exception, `endless`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ansible_collections.kubestellar.core.plugins.module_utils._errors import plain

ROOTS = ("inventory", "obj", "propagation", "returned")
"""What an expression can refer to."""

_ROOT_FIELDS = {
    "inventory": ("name",),
    "propagation": ("lastReturnedUpdateTimestamp",),
    "returned": ("status",),
}
_TYPES = ("bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint")
_PROTOBUF = "google"
_CONVERSIONS = (
    "bool", "bytes", "double", "duration", "dyn", "int", "string", "timestamp", "type", "uint",
)  # fmt: skip
_GLOBAL_FUNCTIONS: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(_CONVERSIONS, (1,)),
    "has": (1,),
    "matches": (2,),
    "size": (1,),
}
_MACROS: dict[str, tuple[int, ...]] = {
    "all": (2,),
    "exists": (2,),
    "exists_one": (2,),
    "filter": (2,),
    "map": (2, 3),
}
_DATES = (
    "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getFullYear", "getHours",
    "getMilliseconds", "getMinutes", "getMonth", "getSeconds",
)  # fmt: skip
_METHODS: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(_DATES, (0, 1)),
    **dict.fromkeys(("contains", "endsWith", "matches", "startsWith"), (1,)),
    **_MACROS,
    "size": (0,),
}
_RESERVED = frozenset(
    {
        "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "namespace",
        "package", "return", "var", "void", "while",
    }
)  # fmt: skip
_OPERATORS = frozenset({"<", "<=", ">", ">=", "==", "!=", "in", "*", "/", "%", "+", "-", "&&", "||"})
_DEEPEST = 80
_LONGEST = 100_000
"""Characters that cel-go takes (parser/options.go)."""
_LONGEST_NUMBER = 100
_LARGEST_INT, _LARGEST_UINT = 2**63 - 1, 2**64 - 1

_ESCAPE = r"""\\(?:[abfnrtv"'\\?`]|[0-3][0-7]{2}|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})"""
_TOKEN = re.compile(
    rf"""
    (?P<skip> [\t\ \r\n\f]+ | //[^\n]* )
  | (?P<bytes> [bB] )? (?:
        (?P<raw> [rR](?: \"{{3}}[\s\S]*?\"{{3}} | '{{3}}[\s\S]*?'{{3}} | "[^"\n\r]*" | '[^'\n\r]*' ) )
      | (?P<text> \"{{3}}(?:{_ESCAPE}|[^\\])*?\"{{3}} | '{{3}}(?:{_ESCAPE}|[^\\])*?'{{3}}
          | "(?:{_ESCAPE}|[^\\"\n\r])*" | '(?:{_ESCAPE}|[^\\'\n\r])*' ) )
  | (?P<float> [0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)? | [0-9]+[eE][+-]?[0-9]+ | \.[0-9]+(?:[eE][+-]?[0-9]+)? )
  | (?P<uint> (?: 0x[0-9a-fA-F]+ | [0-9]+ )[uU] )
  | (?P<int> 0x[0-9a-fA-F]+ | [0-9]+ )
  | (?P<name> [A-Za-z_][A-Za-z0-9_]* )
  | (?P<sign> == | != | <= | >= | && | \|\| | [-+*/%<>!?:.,()\[\]{{}}] )
    """,
    re.VERBOSE,
)


class _TooDeep(Exception):
    """Nested so deeply that the judgement is left to KubeStellar."""


@dataclass(frozen=True)
class _Token:
    """:ivar kind: `name`, `sign`, `literal`, `string` (a literal too) or `end`. :ivar number: of its first character."""

    kind: str
    text: str
    number: int


@dataclass(frozen=True)
class _Suffix:
    """What follows a value: `.name`, `.name(arguments)` or `[arguments]`."""

    name: str
    arguments: Sequence[_Node] | None
    number: int


@dataclass(frozen=True)
class _Node:
    """A value with what follows it.

    :ivar kind: `name`, `call`, `string`, `literal`, `message`, `group` (of other values, in any way), or `dotted`
        (a group of one name that had a dot before it).
    :ivar operators: between the parts of a group, if it is a chain of operators.
    """

    kind: str
    text: str
    number: int
    parts: Sequence[_Node] = ()
    operators: Sequence[str] = ()
    suffixes: Sequence[_Suffix] = ()


@dataclass
class _Findings:
    """What a walk through an expression collects.

    :ivar reads: paths below a root, such as ("returned", "status", "replicas").
    :ivar tested: paths that are the subject of has() or of `in`.
    """

    problems: list[str] = field(default_factory=list)
    reads: list[tuple[str, ...]] = field(default_factory=list)
    tested: list[tuple[str, ...]] = field(default_factory=list)


def problems(expression: str) -> list[str]:
    """Why KubeStellar would not take an expression, one clause per finding; empty if nothing is known against it."""
    if not expression.strip():
        return ["it is empty"]
    try:
        found = list(_findings(expression).problems)
    except _TooDeep:
        found = []
    except ValueError as error:
        return [str(error)]
    root = endless(expression)
    if root:
        found.append(
            f"KubeStellar would never finish with it, because a longer word holds {root!r}; write that word in two "
            f"""parts, as in x["{root[0]}" + "{root[1:]}ect"] for x.{root}ect"""
        )
    return found


def doubts(expression: str, guard: str = "") -> list[str]:
    """What will probably go wrong when an expression that is legal is evaluated, one clause per finding.

    :param guard: an expression that is evaluated before and must hold: the filter.
    """
    try:
        findings = _findings(expression)
        tested = findings.tested + (_findings(guard).tested if guard else [])
    except (_TooDeep, ValueError):
        return []
    found: list[str] = []
    for path in findings.reads:
        known = _ROOT_FIELDS.get(path[0])
        if known and len(path) > 1 and path[1] not in known and path[:2] not in tested:
            found.append(f"{path[0]} has no {plain(path[1], 80)}, only {', '.join(known)}")
    status = ("returned", "status")
    safe = {path[2] for path in tested if path[:2] == status and len(path) > 2}
    fields = {path[2] for path in findings.reads if path[:2] == status and len(path) > 2}
    for name in sorted(fields - safe):
        shown = f"returned.status.{plain(name, 80)}"
        found.append(f"{shown} is read without has({shown}), but is missing until a cluster has reported it")
    return found


def endless(expression: str) -> str:
    """The root with which KubeStellar 0.30 would loop forever over an expression, or "".

    It looks for each root as a whole word. After an occurrence inside a longer word it goes on from a position that is
    relative to the last one, but takes it for an absolute one, and so can come back to where it was
    (kubestellar: pkg/status/combinedstatus-resolution.go, objectIsQueried). The whole status controller then hangs.
    """
    text = expression[:_LONGEST].encode("utf-8", "replace")
    for root in ROOTS:
        word, start, seen = root.encode(), 0, set()
        while start not in seen:
            seen.add(start)
            found = text[start:].find(word)
            if found < 0 or _is_whole(text, found, len(word)):
                break
            start = found + len(word)
        else:
            return root
    return ""


def _is_whole(text: bytes, start: int, length: int) -> bool:
    """Whether neither neighbour is a letter or digit; each byte counts as a character of Latin-1, as in KubeStellar."""
    neighbours = text[max(0, start - 1) : start] + text[start + length : start + length + 1]
    return not any(character.isalpha() or character.isdecimal() for character in neighbours.decode("latin-1"))


def _findings(expression: str) -> _Findings:
    """:raises ValueError, _TooDeep: see `_Parser`."""
    if len(expression) > _LONGEST:
        raise _TooDeep
    findings = _Findings()
    _walk(_Parser(expression).parse(), frozenset(), findings)
    return findings


# -- grammar ----------------------------------------------------------------------------------------------------


def _tokens(expression: str) -> Iterator[_Token]:
    """:raises ValueError: a character that begins nothing, or a literal out of range."""
    position, before = 0, ""
    while position < len(expression):
        match = _TOKEN.match(expression, position)
        if match is None:
            raise ValueError(_no_token(expression, position))
        kind, text, number = str(match.lastgroup), match.group(), position + 1
        position = match.end()
        if kind == "skip":
            continue
        if match.group("text") or match.group("raw"):
            _check_escapes(match, number)
            yield _Token("string", text, number)
        elif kind in ("float", "uint", "int"):
            _check_range(kind, text, number, negative=before == "-")
            yield _Token("literal", text, number)
        elif text in ("true", "false", "null"):
            yield _Token("literal", text, number)
        else:
            yield _Token("sign" if text == "in" else kind, text, number)
        before = text
    yield _Token("end", "", len(expression) + 1)


def _no_token(expression: str, position: int) -> str:
    character = expression[position]
    if character in "\"'":
        return (
            f"the quote at character {position + 1} is not closed, or holds an illegal escape or a line break"
        )
    return f"character {position + 1}, {plain(character) or character!r}, is not allowed there"


def _check_escapes(match: re.Match[str], number: int) -> None:
    text = match.group("text") or ""
    for escape in re.findall(_ESCAPE, text):
        if escape[1] in "uU" and (match.group("bytes") or int(escape[2:], 16) > 0x10FFFF):
            raise ValueError(f"the quote at character {number} holds the illegal escape {escape}")


def _check_range(kind: str, text: str, number: int, *, negative: bool) -> None:
    if kind == "float":
        legal = float(text) != float("inf")
    else:
        if len(text) > _LONGEST_NUMBER:
            raise ValueError(f"the number at character {number} is too long")
        value = int(text.rstrip("uU"), 16 if text.startswith("0x") else 10)
        largest = _LARGEST_UINT if kind == "uint" else _LARGEST_INT
        legal = value <= largest + (negative and kind == "int")
    if not legal:
        raise ValueError(f"the number at character {number} is too large")


class _Parser:
    """Recursive descent.

    :raises ValueError: a syntax error, as a clause with the character's number.
    :raises _TooDeep: see there.
    """

    def __init__(self, expression: str) -> None:
        self._tokens = list(_tokens(expression))
        self._next = 0
        self._depth = 0

    def parse(self) -> _Node:
        """The whole text."""
        result = self._expression()
        if self._peek().kind != "end":
            raise self._unexpected("an operator or the end")
        return result

    def _peek(self, ahead: int = 0) -> _Token:
        return self._tokens[min(self._next + ahead, len(self._tokens) - 1)]

    def _take(self) -> _Token:
        token = self._peek()
        self._next += 1
        return token

    def _is_sign(self, text: str, ahead: int = 0) -> bool:
        token = self._peek(ahead)
        return token.kind == "sign" and token.text == text

    def _accept(self, text: str) -> bool:
        if self._is_sign(text):
            self._next += 1
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._accept(text):
            raise self._unexpected(text)

    def _unexpected(self, wanted: str) -> ValueError:
        token = self._peek()
        if token.kind == "end":
            return ValueError(f"it ends where {wanted} must follow")
        if token.text == "?":
            return ValueError(f"character {token.number} is ?, but optional values are not supported")
        return ValueError(f"character {token.number} is {plain(token.text, 40)!r}, where {wanted} must be")

    def _expression(self) -> _Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _TooDeep
        number = self._peek().number
        result = self._chain()
        if self._accept("?"):
            then = self._chain()
            self._expect(":")
            result = _Node("group", "", number, (result, then, self._expression()))
        self._depth -= 1
        return result

    def _chain(self) -> _Node:
        """Values with operators between them; which binds stronger does not matter here."""
        number = self._peek().number
        parts, operators = [self._unary()], []
        while self._peek().kind == "sign" and self._peek().text in _OPERATORS:
            operators.append(self._take().text)
            parts.append(self._unary())
        return parts[0] if not operators else _Node("group", "", number, parts, operators)

    def _unary(self) -> _Node:
        number, signs = self._peek().number, 0
        if self._is_sign("!"):
            while self._accept("!"):
                signs += 1
            if (
                self._is_sign("-")
                and self._peek(1).kind == "literal"
                and self._peek(1).text[0] in ".0123456789"
            ):
                self._next += 1
        else:
            while self._accept("-"):
                signs += 1
        member = self._member()
        # An even number of signs is left out by cel-go: has(!!a.b) is has(a.b).
        return member if signs % 2 == 0 else _Node("group", "", number, (member,))

    def _member(self) -> _Node:
        bare = self._peek().kind == "name" or self._is_sign(".")
        base = self._primary()
        suffixes = list(base.suffixes)
        while True:
            number = self._peek().number
            if self._accept("."):
                name = self._name()
                called = self._accept("(")
                suffixes.append(_Suffix(name, self._list(")") if called else None, number))
            elif self._accept("["):
                index = self._expression()
                self._expect("]")
                suffixes.append(_Suffix("", (index,), number))
            elif self._is_sign("{") and bare and all(suffix.arguments is None for suffix in suffixes):
                self._next += 1
                name = ".".join([base.text, *(suffix.name for suffix in suffixes)])
                base, suffixes, bare = _Node("message", name, base.number, self._fields()), [], False
            else:
                break
        return _Node(base.kind, base.text, base.number, base.parts, base.operators, tuple(suffixes))

    def _name(self) -> str:
        if self._peek().kind != "name":
            raise self._unexpected("a name")
        return self._take().text

    def _primary(self) -> _Node:
        token = self._peek()
        if token.kind in ("literal", "string"):
            self._next += 1
            return _Node(token.kind, token.text, token.number)
        if self._accept("("):
            inner = self._expression()
            self._expect(")")
            # Brackets around a single value change nothing: has((a.b)) is has(a.b).
            return inner if not inner.operators else _Node("group", "", token.number, (inner,))
        if self._accept("["):
            return _Node("group", "", token.number, self._list("]", trailing=True))
        if self._accept("{"):
            return _Node("group", "", token.number, self._entries())
        return self._named()

    def _named(self) -> _Node:
        """A name, a call of a function, or either with a dot before it, which makes them no subject of macros."""
        dotted = self._accept(".")
        if self._peek().kind != "name":
            raise self._unexpected("a value")
        name = self._take()
        if name.text in _RESERVED or (dotted and name.text == "has"):
            raise ValueError(f"character {name.number} is {name.text}, which has another meaning")
        if self._accept("("):
            return _Node("call", name.text, name.number, self._list(")"))
        result = _Node("name", name.text, name.number)
        return _Node("dotted", "", name.number, (result,)) if dotted and name.text != _PROTOBUF else result

    def _list(self, end: str, *, trailing: bool = False) -> list[_Node]:
        """Expressions with commas between them, up to `end`."""
        items: list[_Node] = []
        while not self._accept(end):
            if items:
                self._expect(",")
                if trailing and self._accept(end):
                    break
            elif trailing and self._is_sign(",") and self._is_sign(end, 1):
                self._next += 2
                break
            items.append(self._expression())
        return items

    def _entries(self) -> list[_Node]:
        """Pairs of a map, as a flat list."""
        items: list[_Node] = []
        while not self._accept("}"):
            if items:
                self._expect(",")
                if self._accept("}"):
                    break
            elif self._is_sign(",") and self._is_sign("}", 1):
                self._next += 2
                break
            items.append(self._expression())
            self._expect(":")
            items.append(self._expression())
        return items

    def _fields(self) -> list[_Node]:
        """Values of a message."""
        items: list[_Node] = []
        while not self._accept("}"):
            if items:
                self._expect(",")
                if self._accept("}"):
                    break
            elif self._is_sign(",") and self._is_sign("}", 1):
                self._next += 2
                break
            self._name()
            self._expect(":")
            items.append(self._expression())
        return items


# -- names ------------------------------------------------------------------------------------------------------


def _walk(node: _Node, variables: frozenset[str], findings: _Findings) -> None:
    """Judge all names in a tree. :param variables: those that macros around it have introduced."""
    if node.kind == "call":
        _walk_call(node, variables, findings)
    elif node.kind == "name":
        _check_name(node, variables, findings)
    elif node.kind == "message" and not node.text.startswith(f"{_PROTOBUF}."):
        findings.problems.append(f"character {node.number} begins the unknown type {plain(node.text, 80)}")
    if node.kind in ("dotted", "group", "message"):
        for part in node.parts:
            _walk(part, variables, findings)
    for position, operator in enumerate(node.operators):
        key, path = node.parts[position], _path(node.parts[position + 1], variables)
        if operator == "in" and key.kind == "string" and path:
            findings.tested.append((*path, _content(key.text)))
    for suffix in node.suffixes:
        _walk_suffix(suffix, variables, findings)


def _check_name(node: _Node, variables: frozenset[str], findings: _Findings) -> None:
    path = _path(node, variables)
    if path:
        findings.reads.append(path)
    elif not (node.text in variables or node.text in _TYPES or (node.text == _PROTOBUF and node.suffixes)):
        hint = _advice(node.text)
        findings.problems.append(f"character {node.number} begins the unknown name {node.text}{hint}")


def _advice(name: str) -> str:
    if name.lower() in ("true", "false", "null"):
        return f"; write {name.lower()}"
    if name in _GLOBAL_FUNCTIONS or name in _METHODS:
        return ", which is a function; call it with brackets"
    return f"; there are {', '.join(ROOTS)}"


def _walk_call(node: _Node, variables: frozenset[str], findings: _Findings) -> None:
    arities = _GLOBAL_FUNCTIONS.get(node.text)
    where = f"character {node.number} begins"
    if arities is None:
        method = f", which must follow a value, as in x.{node.text}()" if node.text in _METHODS else ""
        findings.problems.append(f"{where} the unknown function {node.text}(){method}")
    elif len(node.parts) not in arities:
        findings.problems.append(f"{where} {node.text}() with {_arguments(len(node.parts), arities)}")
    elif node.text == "has":
        subject = node.parts[0]
        if not (subject.suffixes and subject.suffixes[-1].arguments is None):
            findings.problems.append(f"{where} has() of something that is not a field, as in has(x.y)")
            return
        path = _path(subject, variables)
        if path:
            findings.tested.append(path)
        operand = _Node(
            subject.kind,
            subject.text,
            subject.number,
            subject.parts,
            subject.operators,
            subject.suffixes[:-1],
        )
        _walk(operand, variables, findings)
        return
    for part in node.parts:
        _walk(part, variables, findings)


def _walk_suffix(suffix: _Suffix, variables: frozenset[str], findings: _Findings) -> None:
    arguments = suffix.arguments
    if arguments is None:
        return
    if suffix.name:
        arities = _METHODS.get(suffix.name)
        where = f"character {suffix.number} begins"
        if arities is None:
            bare = f"; write {suffix.name}(x)" if suffix.name in _GLOBAL_FUNCTIONS else ""
            findings.problems.append(f"{where} the unknown function .{suffix.name}(){bare}")
        elif len(arguments) not in arities:
            findings.problems.append(f"{where} .{suffix.name}() with {_arguments(len(arguments), arities)}")
        elif suffix.name in _MACROS:
            variable = arguments[0]
            if variable.kind not in ("name", "dotted") or variable.suffixes:
                findings.problems.append(
                    f"{where} .{suffix.name}(), whose first argument is not a simple name"
                )
                return
            variables, arguments = variables | {variable.text}, arguments[1:]
    for argument in arguments:
        _walk(argument, variables, findings)


def _arguments(given: int, arities: Sequence[int]) -> str:
    return f"{given} argument{'' if given == 1 else 's'} instead of {' or '.join(str(n) for n in arities)}"


def _path(node: _Node, variables: frozenset[str]) -> tuple[str, ...]:
    """The fields that a value is reached by, from its root on, as far as they are known; () if its root is none of ours."""
    if node.kind != "name" or node.text not in ROOTS or node.text in variables:
        return ()
    path = [node.text]
    for suffix in node.suffixes:
        if suffix.arguments is None:
            path.append(suffix.name)
        elif not suffix.name and suffix.arguments[0].kind == "string" and not suffix.arguments[0].suffixes:
            path.append(_content(suffix.arguments[0].text))
        else:
            break
    return tuple(path)


def _content(literal: str) -> str:
    """What a string literal holds, well enough to compare names of fields."""
    text = literal.lstrip("bBrR")
    width = 3 if len(text) >= 6 and text[:3] in ('"""', "'''") else 1
    return text[width:-width]
