# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Go template needs to know (private to kubestellar.core). Pure functions.

Templates are those of Go's text/template with its own functions and `missingkey=error`, over a map of strings. They
are read here, not run:

- a key that is looked up in every case (`{{.name}}`, `{{.name | printf "%q"}}`, the condition of an `if`, what a
  `range` or `with` is about) is needed;
- one that is looked up only inside an `if`, `with` or `range`, behind the first argument of `and` and `or`, or in a value
  that may or may not be the map, may be needed;
- what Go refuses to parse, or cannot run whatever the values are, is an error, as far as it is noticed here: an
  unknown function, an unclosed action, `{{.a-b}}`, `{{.a.b}}`. What is noticed is an error in Go too;
- `{{index . "name"}}` needs nothing, since Go returns an empty string for a missing key there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Union

OPEN, CLOSE = "{{", "}}"
_LONGEST = 2**20
_MOST_ACTIONS = 20_000
_MOST_TOKENS = 5_000

_SPACE = " \t\r\n"
_FUNCTIONS = frozenset(
    {
        *("and", "call", "eq", "ge", "gt", "html", "index", "js", "le", "len", "lt", "ne", "not", "or"),
        *("print", "printf", "println", "slice", "urlquery"),
    }
)
_KEYWORDS = frozenset(
    {"block", "break", "continue", "define", "else", "end", "if", "range", "template", "with"}
)
_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+)
      | (?P<string>"(?:[^"\\\n]|\\.)*"|`[^`]*`)
      | (?P<char>'(?:[^'\\\n]|\\.)+')
      | (?P<variable>\$[A-Za-z0-9_]*)
      | (?P<field>\.[A-Za-z_][A-Za-z0-9_]*)
      | (?P<number>[+-]?\.?[0-9][0-9A-Za-z_.]*(?:(?<=[eEpP])[+-][0-9_]+i?)?)
      | (?P<dot>\.)
      | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<assign>:?=)
      | (?P<mark>[|(),])
    """,
    re.VERBOSE,
)


@dataclass(frozen=True)
class Template:
    """What is known of one template.

    :ivar needs: keys that are looked up whatever happens.
    :ivar may_need: further keys that are looked up under a condition.
    :ivar error: why it can never be expanded; empty if it can.
    :ivar parts: texts and, at odd places, keys, of a template that has nothing else; None for any other.
    """

    needs: frozenset[str] = frozenset()
    may_need: frozenset[str] = frozenset()
    error: str = ""
    parts: tuple[str, ...] | None = None

    def expand(self, values: Mapping[str, str]) -> str | None:
        """The text for some values, if that can be said: of a template of plain keys that are all there."""
        if self.parts is None or not self.needs <= values.keys():
            return None
        return "".join(values[part] if number % 2 else part for number, part in enumerate(self.parts))


@lru_cache(maxsize=4096)
def parse(text: str) -> Template:
    """Read one template."""
    if len(text) > _LONGEST or text.count(OPEN) > _MOST_ACTIONS:
        return Template()  # left to KubeStellar
    try:
        return _Parser(text).template()
    except _Refused as refused:
        return Template(error=str(refused))
    except (RecursionError, _TooMuch):
        return Template()


class _TooMuch(Exception):
    """More than is worth to be judged: it is left to KubeStellar."""


class _Refused(Exception):
    """What Go would say against a template."""


# -- text and actions -----------------------------------------------------------------------------------------------


def _pieces(text: str) -> Iterator[tuple[bool, str]]:
    """(whether it is an action, its text), with spaces trimmed as `{{-` and `-}}` say, and without comments."""
    position, trim = 0, False
    while True:
        start = text.find(OPEN, position)
        outside = text[position:] if start < 0 else text[position:start]
        if trim:
            outside = outside.lstrip(_SPACE)
        if start < 0:
            yield False, outside
            return
        inner = start + len(OPEN)
        if text[inner : inner + 1] == "-" and text[inner + 1 : inner + 2] in tuple(_SPACE):
            outside, inner = outside.rstrip(_SPACE), inner + 2
        yield False, outside
        if text.startswith("/*", inner):
            position, trim = _end_of_comment(text, inner)
            continue
        end = _end_of_action(text, inner)
        trim = not text.startswith(CLOSE, end)
        yield True, text[inner:end]
        position = end + len(CLOSE) + 2 * trim


def _end_of_comment(text: str, start: int) -> tuple[int, bool]:
    """Where the text goes on behind a comment, and whether its spaces are trimmed."""
    end = text.find("*/", start) + 2
    if end < 2:
        raise _Refused("unclosed comment")
    if text.startswith(CLOSE, end):
        return end + len(CLOSE), False
    if text[end : end + 1] in tuple(_SPACE) and text.startswith(f"-{CLOSE}", end + 1):
        return end + 2 + len(CLOSE), True
    raise _Refused("comment ends before closing delimiter")


def _end_of_action(text: str, start: int) -> int:
    """Where an action ends: at `}}`, or at the space of ` -}}`."""
    position = start
    while position < len(text):
        if text.startswith(CLOSE, position):
            return position
        if text[position] in _SPACE and text.startswith(f"-{CLOSE}", position + 1):
            return position
        quoted = re.compile(r"""`[^`]*`|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'""").match(text, position)
        if quoted is None and text[position] in "\"'`":
            raise _Refused("unterminated quoted string")
        position = quoted.end() if quoted else position + 1
    raise _Refused("unclosed action")


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str


_END = _Token("end", "end of action")


def _tokens(action: str) -> list[_Token]:
    """The tokens of one action. Spaces count, since they part the arguments of a function."""
    tokens: list[_Token] = []
    position = 0
    while position < len(action):
        match = _TOKEN.match(action, position)
        if match is None:
            raise _Refused(f"unexpected {action[position]!r} in an action")
        kind, position = str(match.lastgroup), match.end()
        following = action[position : position + 1]
        if kind in ("field", "variable", "word", "dot") and following and following not in f"{_SPACE}.,|:()":
            raise _Refused(f"bad character {following!r} behind {match.group()!r}")
        tokens.append(_Token(kind, match.group()))
        if len(tokens) > _MOST_TOKENS:
            raise _TooMuch
    return tokens


# -- structure ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Lookup:
    """A key that is looked up. :ivar base: `.`, `$`, or empty where it is not known in what."""

    base: str
    names: tuple[str, ...]
    perhaps: bool = False


@dataclass(frozen=True)
class _Failure:
    """Something that fails if it is run."""

    reason: str
    perhaps: bool = False


# Not with `|`, which pylint takes for an operation.
_Item = Union[_Lookup, _Failure]  # noqa: UP007


@dataclass
class _Node:
    """Something that is run: `items` always, then each of `branches` perhaps, or a template by its name.

    :ivar branches: with, for each, whether `.` is still what it was.
    :ivar call: name of a template, and whether it gets `.` as a whole.
    """

    items: list[_Item] = field(default_factory=list)
    branches: list[tuple[list[_Node], bool]] = field(default_factory=list)
    call: tuple[str, bool] | None = None


class _Parser:
    """Recursive descent over the pieces of one template."""

    def __init__(self, text: str) -> None:
        self._pieces = list(_pieces(text))
        self._position = 0
        self._defined: dict[str, list[_Node]] = {}
        self._parts: list[str] | None = [""]
        self._loops = 0
        self._depth = 0
        self._walked: set[tuple[str, bool, bool]] = set()
        self.variables = ["$"]

    def template(self) -> Template:
        """Read it to its end."""
        nodes, stop = self._list()
        if stop is not None:
            raise _Refused(f"unexpected {{{{{stop}}}}}")
        needs: set[str] = set()
        may_need: set[str] = set()
        self._walk(nodes, (True, True), needs, may_need, certain=True, inside=())
        parts = None if self._parts is None else tuple(self._parts)
        return Template(frozenset(needs), frozenset(may_need - needs), parts=parts)

    def _list(self) -> tuple[list[_Node], str | None]:
        """The nodes up to an `end` or `else`, which is returned as a whole, or up to the end of the text."""
        nodes: list[_Node] = []
        while self._position < len(self._pieces):
            is_action, text = self._pieces[self._position]
            self._position += 1
            if not is_action:
                if self._parts is not None:
                    self._parts[-1] += text
                continue
            first = re.match(r"[ \t\r\n]*([A-Za-z_][A-Za-z0-9_]*)(?![A-Za-z0-9_])", text)
            keyword = first.group(1) if first else ""
            tokens = _tokens(text)
            if keyword in ("end", "else"):
                return nodes, text.strip(_SPACE)
            if keyword in _KEYWORDS:
                self._parts = None
                nodes.append(self._keyword(keyword, tokens))
            else:
                nodes.append(_Node(_Pipeline(self, tokens).whole()))
                self._note(tokens)
        return nodes, None

    def _note(self, tokens: list[_Token]) -> None:
        """Keep the parts of a template as long as it has nothing but keys."""
        words = [token for token in tokens if token.kind != "space"]
        if self._parts is not None and len(words) == 1 and words[0].kind == "field":
            self._parts += [words[0].text[1:], ""]
        else:
            self._parts = None

    def _keyword(self, keyword: str, tokens: list[_Token]) -> _Node:
        rest = tokens[1:] if tokens[0].kind != "space" else tokens[2:]
        words = [token for token in rest if token.kind != "space"]
        if keyword in ("if", "with", "range"):
            return self._branching(keyword, rest)
        if keyword in ("break", "continue"):
            if words or not self._loops:
                raise _Refused(f"{{{{{keyword}}}}} outside {{{{range}}}}")
            return _Node()
        if not words or words[0].kind != "string":
            raise _Refused(f"missing name in {{{{{keyword}}}}}")
        name = words[0].text[1:-1]
        arguments = rest[rest.index(words[0]) + 1 :]
        if keyword == "define":
            if self._depth or len(words) > 1:
                raise _Refused("unexpected {{define}}")
            self._body(name)
            return _Node()
        items = _Pipeline(self, arguments).whole() if len(words) > 1 or keyword == "block" else []
        if keyword == "block":
            self._body(name)
        return _Node(items, call=(name, [token.text for token in words[1:]] in (["."], ["$"])))

    def _body(self, name: str) -> None:
        """The body of `define` and `block`, where `$` is what it is called with."""
        outside = self.variables, self._loops
        self.variables, self._loops = ["$"], 0
        self._depth += 1
        nodes, stop = self._list()
        self._depth -= 1
        self._expect_end(stop)
        self.variables, self._loops = outside
        self._defined.setdefault(name, []).extend(nodes)

    def _branching(self, keyword: str, pipeline: list[_Token]) -> _Node:
        scope = len(self.variables)
        words = [token.text for token in pipeline if token.kind != "space"]
        node = _Node(_Pipeline(self, pipeline, most_variables=2 if keyword == "range" else 1).whole())
        self._depth += 1
        self._loops += keyword == "range"
        body, stop = self._list()
        self._loops -= keyword == "range"
        node.branches.append((body, keyword == "if" or (keyword == "with" and words in (["."], ["$"]))))
        chained = re.fullmatch(rf"else[ \t\r\n]+{keyword}(?![A-Za-z0-9_])(.*)", stop or "", re.DOTALL)
        if chained and keyword != "range":
            # The `end` of the second closes the first too.
            node.branches.append(([self._branching(keyword, _tokens(chained.group(1)))], True))
        else:
            if stop == "else":
                otherwise, stop = self._list()
                node.branches.append((otherwise, True))
            self._expect_end(stop)
        self._depth -= 1
        del self.variables[scope:]
        return node

    def _expect_end(self, stop: str | None) -> None:
        if stop != "end":
            raise _Refused("{{end}} is missing" if stop is None else f"unexpected {{{{{stop}}}}}")

    # -- what is needed ---------------------------------------------------------------------------------------------

    def _walk(
        self,
        nodes: list[_Node],
        is_map: tuple[bool, bool],
        needs: set[str],
        may_need: set[str],
        *,
        certain: bool,
        inside: tuple[str, ...],
    ) -> None:
        """Collect the keys. :param is_map: whether `.` and `$` certainly are the map."""
        for node in nodes:
            for item in node.items:
                sure = certain and not item.perhaps
                if isinstance(item, _Failure):
                    if sure:
                        raise _Refused(item.reason)
                    continue
                if not item.names:
                    continue
                sure = sure and item.base != "" and is_map[item.base == "$"]
                (needs if sure else may_need).add(item.names[0])
                if sure and len(item.names) > 1:
                    raise _Refused(f"{item.names[0]!r} is a string and has no field {item.names[1]!r}")
            if node.call is not None and node.call[0] not in inside:
                name, whole = node.call
                if name in self._defined:
                    whole = whole and all(is_map)
                    if (name, whole, certain) in self._walked:
                        continue  # it looks up the same as the last time
                    self._walked.add((name, whole, certain))
                    self._walk(
                        self._defined[name],
                        (whole, whole),
                        needs,
                        may_need,
                        certain=certain,
                        inside=(*inside, name),
                    )
                elif certain:
                    raise _Refused(f"template {name!r} is not defined")
            for body, same in node.branches:
                self._walk(
                    body, (is_map[0] and same, is_map[1]), needs, may_need, certain=False, inside=inside
                )


class _Pipeline:
    """One pipeline: commands with bars between them, after the variables that it declares."""

    def __init__(self, parser: _Parser, tokens: list[_Token], most_variables: int = 1) -> None:
        self._parser = parser
        self._tokens = tokens
        self._at = 0
        self._most_variables = most_variables

    def whole(self) -> list[_Item]:
        """All of it. :raises _Refused: it is none, or something is left over."""
        items = self._pipeline(self._most_variables)
        if self._peek() is not _END:
            raise _Refused(f"unexpected {self._peek().text!r} in an action")
        return items

    def _peek(self, ahead: int = 0) -> _Token:
        return self._tokens[self._at + ahead] if self._at + ahead < len(self._tokens) else _END

    def _next(self) -> _Token:
        token = self._peek()
        self._at += 1
        return token

    def _skip_space(self) -> _Token:
        while self._peek().kind == "space":
            self._at += 1
        return self._peek()

    def _pipeline(self, most_variables: int) -> list[_Item]:
        self._parser.variables += self._declared(most_variables)
        items: list[_Item] = []
        stage = 1
        while True:
            found, kind = self._command()
            if stage > 1 and kind == "constant":
                raise _Refused(f"non executable command in pipeline stage {stage}")
            items += found
            if self._peek().text != "|" or self._peek().kind != "mark":
                break
            self._at += 1
            stage += 1
            if (token := self._skip_space()) is _END or token.text == ")":
                break  # Go does not mind a bar with nothing behind it
        return items

    def _declared(self, most: int) -> list[str]:
        """The variables in front of `:=` or `=`; Go's parser takes both for a declaration."""
        self._skip_space()
        rest = self._tokens[self._at :]
        for number, token in enumerate(rest):
            if token.kind in ("variable", "space") or (token.kind == "mark" and token.text == ","):
                continue
            if token.kind != "assign":
                return []
            names = [t.text for t in rest[:number] if t.kind == "variable"]
            commas = sum(t.kind == "mark" for t in rest[:number])
            if not names or len(names) > most or commas != len(names) - 1:
                raise _Refused("too many declarations")
            self._at += number + 1
            return names
        return []

    def _command(self) -> tuple[list[_Item], str]:
        """One command: what it looks up, and the kind of its first operand."""
        operands: list[list[_Item]] = []
        kinds: list[str] = []
        short = False
        while (token := self._skip_space()) is not _END and token.text not in ("|", ")"):
            short = short or (not operands and token.kind == "word" and token.text in ("and", "or"))
            items, kind = self._operand()
            operands.append(items)
            kinds.append(kind)
            token = self._peek()
            if token is not _END and token.kind != "space" and token.text not in ("|", ")"):
                raise _Refused(f"unexpected {token.text!r} in an action")
        if not operands:
            raise _Refused("missing value for command")
        result = [
            item if number < 2 or not short else _perhaps(item)
            for number, items in enumerate(operands)
            for item in items
        ]
        if kinds[0] == "constant" and len(kinds) > 1:
            result.insert(0, _Failure("an argument is given to what is no function"))
        return result, kinds[0]

    def _operand(self) -> tuple[list[_Item], str]:
        """One operand: what it looks up, and whether it is a constant, for which the dot counts too."""
        token = self._next()
        if token.kind == "field":
            return [_Lookup(".", (token.text[1:], *self._fields()))], "field"
        if token.kind == "variable":
            if token.text not in self._parser.variables:
                raise _Refused(f"undefined variable {token.text!r}")
            return [_Lookup("$" if token.text == "$" else "", self._fields())], "variable"
        if token.kind == "mark" and token.text == "(":
            items = self._pipeline(1)
            if self._next().text != ")":
                raise _Refused("unclosed parenthesis")
            fields = self._fields()
            return [*items, _Lookup("", fields)], "pipeline"
        if token.kind == "word" and token.text in _FUNCTIONS:
            return [_Lookup("", self._fields())], "function"
        if token.kind == "word" and token.text not in ("true", "false", "nil"):
            raise _Refused(f"function {token.text!r} is not defined")
        if token.kind not in ("word", "dot", "string", "char", "number"):
            raise _Refused(f"unexpected {token.text!r} in an action")
        return [], "constant"

    def _fields(self) -> tuple[str, ...]:
        """The fields that follow without a space: `.a.b`."""
        names: list[str] = []
        while self._peek().kind == "field":
            names.append(self._next().text[1:])
        return tuple(names)


def _perhaps(item: _Item) -> _Item:
    if isinstance(item, _Failure):
        return _Failure(item.reason, perhaps=True)
    return _Lookup(item.base, item.names, perhaps=True)
