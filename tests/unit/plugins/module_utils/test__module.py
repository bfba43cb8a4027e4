# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.kubestellar.core.plugins.module_utils import _module


def test_the_token_of_a_kubeconfig_is_neither_logged_nor_in_the_result(monkeypatch, capsys):
    logged: list[str] = []
    monkeypatch.setattr(
        _module._Module, "log", lambda _module, text, log_args=None: logged.append(f"{text} {log_args}")
    )
    kubeconfig = {"users": [{"name": "u", "user": {"token": "very-secret"}}], "contexts": [{"name": "there"}]}
    with patch_module_args({"kubeconfig": kubeconfig}), pytest.raises(SystemExit):
        _module.run({}, lambda context: {"changed": False, "seen": str(context.params["kubeconfig"])})
    answer = json.loads(capsys.readouterr().out)
    assert "there" in logged[0] and "there" in answer["seen"]
    assert "very-secret" not in "".join(logged) + json.dumps(answer)


def test_objects_and_what_makes_them_are_not_logged_but_there_for_the_module(monkeypatch, capsys):
    logged: list[str] = []
    monkeypatch.setattr(
        _module._Module, "log", lambda _module, text, log_args=None: logged.append(f"{text} {log_args}")
    )
    spec = {
        "definitions": {"type": "raw"},
        "helm": {"type": "list", "elements": "dict"},
        "name": {"type": "str"},
    }
    given = {"definitions": ["horse"], "helm": [{"values": "horse"}], "name": "shop"}
    with patch_module_args(given), pytest.raises(SystemExit):
        _module.run(spec, lambda context: {"seen": [context.params[key] for key in given]})
    assert json.loads(capsys.readouterr().out)["seen"] == list(given.values())
    assert "shop" in logged[0] and "horse" not in logged[0]


SECRET = "hunter2-424242"
SPEC: dict[str, Any] = {
    "definitions": {"type": "list", "elements": "dict"},
    "api_key": {"type": "str", "no_log": True},
    "helm": {"type": "list", "elements": "dict", "options": {"values": {"type": "dict", "no_log": True}}},
    "kubeconfig": {"type": "raw", "no_log": False},
    "host": {"type": "str"},
    "proxy": {"type": "str"},
    "state": {"type": "str", "choices": ["present"]},
}
OBJECT = {"kind": "Secret", "metadata": {"name": "a"}, "data": {"pin": SECRET}, "stringData": {"pin": SECRET}}


@pytest.mark.parametrize(
    "given",
    [
        {"definitions": [OBJECT]},
        {"definitions": [{"kind": "List", "items": [OBJECT]}]},
        {"definitions": OBJECT},
        {"definition": {"spec": {"manifests": [OBJECT]}}},
        {"api_key": SECRET},
        {"api_key": [SECRET]},
        {"api_kye": SECRET},
        {"apikey": SECRET, "tokne": SECRET},
        {"helm": [{"values": {"a": {"b": [SECRET]}}}]},
        {"helm": {"values": {"a": SECRET}}},
        {"kubeconfig": {"users": [{"name": "u", "user": {"token": SECRET, "password": SECRET}}]}},
        {"host": f"https://me:{SECRET}@hub.example"},
        {"proxy": f"http://me:{SECRET}@proxy.example:3128"},
    ],
)
@pytest.mark.parametrize("also", [{"misspelt": 1}, {"state": "absent"}, {"state": ["x"]}, {}])
def test_no_secret_is_in_a_failure_or_result_whatever_else_is_wrong(monkeypatch, capsys, given, also):
    logged: list[str] = []
    monkeypatch.setattr(
        _module._Module, "log", lambda _module, text, log_args=None: logged.append(f"{text} {log_args}")
    )
    with patch_module_args({**given, **also}), pytest.raises(SystemExit):
        _module.run(SPEC, lambda context: {"seen": str(context.params)}, connection=False)
    shown = capsys.readouterr().out
    assert json.loads(shown) and SECRET not in shown + "".join(logged)


def test_short_data_of_a_secret_is_not_shown_and_no_word_is_spoilt(capsys):
    secret = {"kind": "Secret", "data": {"a": "abc"}}
    with patch_module_args({"definitions": [secret]}), pytest.raises(SystemExit):
        _module.run(SPEC, lambda _context: {"name": "abc-web"}, connection=False)
    answer = json.loads(capsys.readouterr().out)
    assert (
        answer["name"] == "abc-web"
        and answer["invocation"]["module_args"]["definitions"][0]["data"] == "********"
    )
