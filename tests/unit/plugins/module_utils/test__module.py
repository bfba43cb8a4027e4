# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json

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
