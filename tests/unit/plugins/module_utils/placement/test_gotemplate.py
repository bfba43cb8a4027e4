# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What templates need: each case was tried with Go's text/template and missingkey=error."""

from __future__ import annotations

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils.placement import gotemplate


@pytest.mark.parametrize(
    ("text", "needs", "may_need"),
    [
        ("no template }}", "", ""),
        ("{{.name}}", "name", ""),
        ("{{ .name }} and {{- .other -}} x", "name other", ""),
        ('{{ .name | printf "%q" }}', "name", ""),
        ('{{ printf "%s-%s" .a .b }}', "a b", ""),
        ("{{ print (print .a) .b }}", "a b", ""),
        ("{{$.name}}", "name", ""),
        ("{{(.).name}}", "", "name"),
        ("{{if .a}}{{.b}}{{else}}{{.c}}{{end}}", "a", "b c"),
        ("{{if .a}}x{{else if .b}}y{{end}}", "a", "b"),
        ("{{if and .a .b}}x{{end}}", "a", "b"),
        ("{{if or .a .b .c}}x{{end}}", "a", "b c"),
        ("{{if eq .a .b}}x{{end}}", "a b", ""),
        ("{{with .a}}{{.}}{{end}}", "a", ""),
        ("{{with .a}}{{$.b}}{{else}}{{.c}}{{end}}", "a", "b c"),
        ("{{range .a}}{{.b}}{{break}}{{end}}", "a", "b"),
        ("{{range $k, $v := .}}{{$k}}{{$v}}{{end}}", "", ""),
        ("{{$x := .a}}{{$x}}", "a", ""),
        ("{{$x := .}}{{$x.a}}", "", "a"),
        ('{{index . "a"}}', "", ""),
        ('{{"{{.a}}"}} {{`{{.b}}`}}', "", ""),
        ("{{/* {{.a}} */}}{{.b}}", "b", ""),
        ('{{define "T"}}{{.a}}{{end}}{{template "T" .}}', "a", ""),
        ('{{define "T"}}{{.a}}{{end}}', "", ""),
        ('{{block "T" .}}{{.a}}{{end}}', "a", ""),
        ('{{define "T"}}{{.a}}{{end}}{{template "T" .b}}', "b", "a"),
        ("{{if .a}}{{if .b}}{{.a}}{{end}}{{end}}", "a", "b"),
        ("{{.a |}}", "a", ""),
    ],
)
def test_what_is_needed_and_what_may_be(text, needs, may_need):
    template = gotemplate.parse(text)
    assert template.error == ""
    assert template.needs == frozenset(needs.split())
    assert template.may_need == frozenset(may_need.split())


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("{{.name", "unclosed action"),
        ("{{ /* a */ }}", "unexpected"),
        ("{{/* a }}", "unclosed comment"),
        ("{{.foo-bar}}", "bad character"),
        ("{{.a.b}}", "has no field 'b'"),
        ("{{ .Values.image }}", "has no field 'image'"),
        ("{{ default .a .b }}", "function 'default' is not defined"),
        ("{{ $labels.x }}", "undefined variable"),
        ("{{if .a}}x", "{{end}} is missing"),
        ("x{{end}}", "unexpected {{end}}"),
        ("{{else}}", "unexpected {{else}}"),
        ("{{}}", "missing value"),
        ("{{.a ..b}}", "unexpected"),
        ('{{ "x }}', "unterminated"),
        ("{{(.a}}", "unclosed parenthesis"),
        ("{{.a)}}", "unexpected"),
        ('{{ .a | "x" }}', "non executable"),
        ('{{template "T" .}}', "is not defined"),
        ("{{break}}", "outside {{range}}"),
        ("{{nil .a}}", "no function"),
        ("{{$a, $b := .x}}", "too many declarations"),
        ('{{if .a}}{{define "T"}}{{end}}{{end}}', "unexpected {{define}}"),
    ],
)
def test_what_go_refuses(text, word):
    assert word in gotemplate.parse(text).error


@pytest.mark.parametrize("text", ["{{if .a}}{{.a.b}}{{end}}", '{{if .a}}{{template "T"}}{{end}}'])
def test_what_fails_only_when_it_is_run_is_no_error(text):
    assert gotemplate.parse(text).error == ""


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("{{.a}}", {"a": "1"}, "1"),
        ("x {{- .a -}} y {{ .b }}", {"a": "1", "b": ""}, "x1y "),
        ("{{/* c */}}plain", {}, "plain"),
        ("{{.a}}", {"b": "1"}, None),
        ("{{.a | print}}", {"a": "1"}, None),
        ("{{if .a}}x{{end}}", {"a": "1"}, None),
        ("{{.a", {"a": "1"}, None),
    ],
)
def test_plain_templates_are_expanded_and_others_are_not(text, values, expected):
    assert gotemplate.parse(text).expand(values) == expected
