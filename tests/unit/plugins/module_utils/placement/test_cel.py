# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Expressions of a StatusCollector: what is known against them. Compared with KubeStellar in tests/integration."""

from __future__ import annotations

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils.placement import cel

GOOD = r"""
inventory.name
obj
.obj.metadata.name
returned.status
propagation.lastReturnedUpdateTimestamp > timestamp("2026-01-01T00:00:00Z") - duration("5m")
obj.metadata.namespace == "shop"
obj["metadata"]['labels']["a/b"]
obj.spec.containers[0].image
has(obj.metadata.labels)
has((obj.metadata.labels))
has(!!obj.a)
has(returned.status.ready) ? returned.status.ready : 0
"ready" in returned.status ? returned.status.ready : 0
obj.spec.containers.exists(c, c.name == "web" && has(c.image))
obj.spec.containers.all(c, c.image.startsWith("registry.example/") || c.image.matches("^a.*"))
obj.spec.list.map(x, x * 2)
obj.spec.list.map(x, x > 1, x * 2).filter(y, y != 4).exists_one(z, z in [1, 2, 3,])
obj.spec.list.map(obj, obj + 1)
obj.spec.list.all((x), true)
size(obj.spec.list) + obj.spec.list.size()
type(obj) == map || type(1) == int || type(null) == null_type
int("1") + int(2.5) + int(3u) - -1
!true || !!false || !-1 == - - 1
true ? false ? 1 : 2 : 3
true ? 1 : false ? 2 : 3
true ? (false ? 1 : 2) : 3
[1, 0x1F, 2u, 0xAu, 1.5, .5, 1e5, 1.5E-3, -9223372036854775808, 18446744073709551615u]
[] == [,]
{} == {,}
{"a": 1, 'b': {"c": [1]},}
"\a\b\f\n\r\t\v\"\'\\\?\`\x41\X41\101\u00e9\U0001F600"
r"\q\"
b"\x41" == br'\q'
'''a "quoted" 'word' '''
google.protobuf.Duration{seconds: 60} == duration("60s")
timestamp("2026-01-01T00:00:00Z").getFullYear("Europe/Lisbon")
dyn(1) == 1 // a comment
"a" < "b" == true
""".strip().split("\n")  # fmt: skip


@pytest.mark.parametrize("expression", [line for line in GOOD if line != "true ? false ? 1 : 2 : 3"])
def test_nothing_is_known_against_what_cel_allows(expression):
    assert cel.problems(expression) == []


def test_lines_may_be_broken():
    assert cel.problems('\n"""a\nb""" // c\n\t+ "d"\r\n') == []


def test_what_is_nested_too_deeply_is_left_to_kubestellar():
    assert cel.problems("(" * 200 + "1" + ")" * 200) == []
    assert cel.problems("[" * 2000) == []
    assert cel.problems("-" * 2000 + "1" + " + 1" * 2000) == []
    assert cel.problems("obj" + ".a" * 2000) == []


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("", ["it is empty"]),
        (" \n", ["it is empty"]),
        ("// nothing", ["it ends where a value must follow"]),
        ("(1", ["it ends where ) must follow"]),
        ("1)", ["character 2 is ')'"]),
        ("[1", ["it ends where , must follow"]),
        ("[1,,2]", ["character 4 is ','"]),
        ('{"a"}', ["character 5 is '}', where : must be"]),
        ("obj[1", ["it ends where ] must follow"]),
        ("obj.", ["it ends where a name must follow"]),
        ("obj..a", ["character 5 is '.'"]),
        ("obj.in", ["character 5 is 'in', where a name must be"]),
        ('"a', ["the quote at character 1 is not closed"]),
        ("obj.a == 'b", ["the quote at character 10"]),
        ('"a\nb"', ["the quote at character 1", "line break"]),
        (r'"\q"', ["the quote at character 1", "illegal escape"]),
        (r'"\x4"', ["illegal escape"]),
        (r'"\U00110000"', ["illegal escape \\U00110000"]),
        (r'b"\u0041"', ["illegal escape \\u0041"]),
        ("obj.a = 1", ["character 7", "'='", "not allowed"]),
        ("obj.a & 1", ["character 7"]),
        ("obj.größe", ["character 7"]),
        ("1 +", ["it ends where a value must follow"]),
        ("* 1", ["character 1 is '*', where a value must be"]),
        ("obj obj", ["character 5 is 'obj', where an operator or the end must be"]),
        ("-!true", ["character 2 is '!'"]),
        ("true ? false ? 1 : 2 : 3", ["character 14 is ?"]),
        ("9223372036854775808", ["character 1 is too large"]),
        ("1 - 9223372036854775809", ["character 5 is too large"]),
        ("18446744073709551616u", ["too large"]),
        ("1e999", ["too large"]),
        ("obj.?a", ["character 5 is ?, but optional values are not supported"]),
        ('obj[?"a"]', ["optional values are not supported"]),
        ("[?obj.a]", ["optional values are not supported"]),
        (
            "foo",
            ["character 1 begins the unknown name foo", "there are inventory, obj, propagation, returned"],
        ),
        ("Obj.a == foo.b", ["unknown name Obj"]),
        ("True", ["unknown name True; write true"]),
        ("size", ["unknown name size, which is a function"]),
        ("google", ["unknown name google"]),
        ("namespace", ["character 1 is namespace, which has another meaning"]),
        ("obj.list.exists(c, c.a == d.a)", ["character 27 begins the unknown name d"]),
        ("obj.list.exists(c, true) && c.a", ["character 29 begins the unknown name c"]),
        ("obj.list.all(c.a, true)", ["first argument is not a simple name"]),
        ("obj.list.all(!c, true)", ["first argument is not a simple name"]),
        ("obj.list.all(c)", ["character 9 begins .all() with 1 argument instead of 2"]),
        ("obj.list.map(c, 1, 2, 3)", ["with 4 arguments instead of 2 or 3"]),
        ("all(obj.list, true)", ["unknown function all(), which must follow a value"]),
        ("has(obj)", ["has() of something that is not a field"]),
        ('has(obj["a"])', ["has() of something that is not a field"]),
        ("has(!obj.a)", ["has() of something that is not a field"]),
        ("has(foo.a)", ["unknown name foo"]),
        ("has(obj.a, 1)", ["has() with 2 arguments instead of 1"]),
        (".has(obj.a)", ["character 2 is has"]),
        ("size()", ["size() with 0 arguments instead of 1"]),
        ("obj.size(1)", [".size() with 1 argument instead of 0"]),
        ("obj.int()", ["unknown function .int(); write int(x)"]),
        ("'A'.lowerAscii()", ["unknown function .lowerAscii()"]),
        ("math.greatest(1, 2)", ["unknown name math"]),
        ("startsWith('a', 'b')", ["unknown function startsWith(), which must follow a value"]),
        ("getHours(timestamp('a'))", ["must follow a value"]),
        ("Foo{a: 1}", ["unknown type Foo"]),
        ("obj{}", ["unknown type obj"]),
        ("google.protobuf.Duration{seconds}", ["where : must be"]),
    ],
)
def test_what_kubestellar_would_not_take_is_told(expression, words):
    found = " | ".join(cel.problems(expression))
    assert all(word in found for word in words), found


def test_every_unknown_name_is_told():
    found = cel.problems("foo.a + bar.b + obj.c.baz()")
    assert ["foo" in found[0], "bar" in found[1], "baz" in found[2], len(found)] == [True, True, True, 3]


@pytest.mark.parametrize(
    ("expression", "root"),
    [
        ("has(returned.status.objectRef) ? returned.status.objectRef : 'x'", "obj"),
        ("returned.status.objects == obj.spec.objects", "obj"),
        ("size(obj.a) == returned.status.objects", ""),
        ("returned.status.objects == 1", ""),
        ("obj.object == obj.objects", ""),
        ("obj_.a + obj.b", ""),
    ],
)
def test_what_kubestellar_would_never_finish_with_is_refused(expression, root):
    assert cel.endless(expression) == root
    assert any("never finish" in problem for problem in cel.problems(expression)) == bool(root)


def test_the_advice_against_an_endless_loop_works():
    advised = 'has(returned.status.objectRef) ? returned.status["o" + "bjectRef"] : "x"'
    assert cel.problems(advised) == []


@pytest.mark.parametrize(
    ("expression", "guard", "words"),
    [
        ("returned.status", "", []),
        ("has(returned.status)", "", []),
        ("returned.status.ready", "", ["returned.status.ready is read without has(returned.status.ready)"]),
        ("returned['status'].ready.x", "", ["returned.status.ready is read"]),
        ("has(returned.status.ready) ? returned.status.ready : 0", "", []),
        ("has(returned.status.ready) ? returned.status.other : 0", "", ["returned.status.other is read"]),
        ("has(returned.status.a.b) ? returned.status.a.b : 0", "", []),
        ("'ready' in returned.status ? returned.status.ready : 0", "", []),
        ("returned.status.ready", "has(returned.status.ready)", []),
        ("returned.status.ready", "has(obj.ready)", ["returned.status.ready is read"]),
        ("obj.list.map(returned, returned.status.ready)", "", []),
        ("inventory.name + inventory.labels", "", ["inventory has no labels, only name"]),
        ("returned.state", "", ["returned has no state, only status"]),
        ("propagation.time", "", ["propagation has no time"]),
        ("foo(", "", []),
    ],
)
def test_what_will_probably_fail_is_doubted(expression, guard, words):
    found = cel.doubts(expression, guard)
    assert len(found) == len(words) and all(word in text for word, text in zip(words, found, strict=True))
