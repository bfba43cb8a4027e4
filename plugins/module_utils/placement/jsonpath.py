# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The paths that a CustomTransform removes (private to kubestellar.core). Pure functions.

KubeStellar calls them JSONPath, but takes only `$` followed by members, each as `.name` or `["name"]`: no index,
no `*`, no filter, no single quotes, no space (kubestellar: pkg/jsonpath/lexer.go). What stands in quotes is read as
a JavaScript string (goja: parser/lexer.go).
"""

from __future__ import annotations

from ansible_collections.kubestellar.core.plugins.module_utils._errors import plain

_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_OCTAL = "01234567"
_HEXADECIMAL = "0123456789abcdefABCDEF"
_HIGHEST = 0x10FFFF
_LINE_ENDS = ("\u2028", "\u2029")


def parse(path: str) -> tuple[str, ...]:
    """The members that a path goes through; none for `$`, the whole object.

    :raises ValueError: KubeStellar would not take it. The message is a clause that says where and why, with
        characters counted from 1.
    """
    if not path:
        raise ValueError("it is empty")
    if path[0] != "$":
        raise ValueError("it does not begin with $")
    members: list[str] = []
    position = 1
    while position < len(path):
        if path[position] == ".":
            end = _name_end(path, position + 1)
            members.append(path[position + 1 : end])
        elif path[position] == "[":
            end = _string_end(path, position + 1)
            members.append(_unescaped(path[position + 2 : end - 1], position + 3))
            if path[end : end + 1] != "]":
                raise ValueError(f"character {end + 1} is {_shown(path, end)}, where ] must be")
            end += 1
        else:
            raise ValueError(
                f'character {position + 1} is {_shown(path, position)}, where .name or ["name"] must be'
            )
        position = end
    return tuple(members)


def _name_end(path: str, start: int) -> int:
    """The position after the name that begins at `start`."""
    if start >= len(path) or not _in_name(path[start]) or path[start] in "0123456789":
        raise ValueError(
            f"character {start + 1} is {_shown(path, start)}, where a name must begin (with a letter or _; "
            'else write it as ["name"])'
        )
    end = start
    while end < len(path) and _in_name(path[end]):
        end += 1
    return end


def _in_name(character: str) -> bool:
    return character == "_" or character >= "\x80" or character.isalnum()


def _string_end(path: str, start: int) -> int:
    """The position after the closing quote of the string that begins at `start`."""
    if path[start : start + 1] != '"':
        raise ValueError(f'character {start + 1} is {_shown(path, start)}, where " must be')
    position = start + 1
    while position < len(path):
        if path[position] == '"':
            return position + 1
        position += 2 if path[position] == "\\" else 1
    raise ValueError(f"the quote at character {start + 1} is not closed")


def _unescaped(text: str, first: int) -> str:
    """What a JavaScript string stands for. :param first: number of the first character, for messages."""
    result: list[str] = []
    position = 0
    while position < len(text):
        character = text[position]
        if character in "\r\n":
            raise ValueError(f"character {first + position} is a line break inside quotes")
        if character != "\\":
            result.append(character)
            position += 1
            continue
        end = text.find("}", position) + 1 if text.startswith("u{", position + 1) else 0
        value, length = _escape(text[position + 1 : max(end, position + 8)], first + position)
        result.append(value)
        position += 1 + length
    return "".join(result)


def _escape(rest: str, number: int) -> tuple[str, int]:
    """What the escape before `rest` stands for, and how much of `rest` belongs to it."""
    kind = rest[0]
    if kind in _ESCAPES:
        return _ESCAPES[kind], 1
    if kind in "xu":
        return _code_point(rest, number)
    if kind in _OCTAL:
        length = 1
        while length < 3 and rest[length : length + 1] in tuple(_OCTAL):
            length += 1
        return chr(int(rest[:length], 8)), length
    if kind == "\r" and rest[1:2] == "\n":
        return "", 2
    if kind in "\r\n" or kind in _LINE_ENDS:
        return "", 1
    return kind, 1


def _code_point(rest: str, number: int) -> tuple[str, int]:
    """A character by its hexadecimal code: `xhh`, `uhhhh` or `u{h}`."""
    braced = rest.startswith("u{")
    if braced:
        digits, closed, _after = rest[2:].partition("}")
        length = 2 + len(digits) + 1
    else:
        length = 3 if rest[0] == "x" else 5
        digits, closed = rest[1:length], "}" if len(rest) >= length else ""
    legal = bool(closed and digits) and all(digit in _HEXADECIMAL for digit in digits)
    # The very last code point in braces makes KubeStellar's transport controller crash, and again at each restart.
    if not legal or int(digits, 16) > (_HIGHEST - 1 if braced else _HIGHEST):
        raise ValueError(f"character {number} begins an illegal escape")
    return chr(int(digits, 16)), length


def _shown(path: str, position: int) -> str:
    """A character for a message."""
    if position >= len(path):
        return "missing"
    return repr(plain(path[position]) or path[position])
