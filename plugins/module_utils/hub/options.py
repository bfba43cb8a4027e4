# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that say what a hub is made of (private to kubestellar.core). They are documented in doc_fragments/_hub.py."""

from __future__ import annotations

from typing import Any

_TEXT: dict[str, Any] = {"type": "str"}
_ADOPTED: dict[str, Any] = {
    "kubeconfig": {"type": "path"},
    "context": _TEXT,
    "bootstrap_secret": {
        "type": "dict",
        "no_log": False,
        "options": {"name": _TEXT, "namespace": _TEXT, "key": {"type": "str", "no_log": False}},
    },
}
_SPACE: dict[str, Any] = {"name": {"type": "str", "required": True}, "type": _TEXT, **_ADOPTED}

SPACES_SPEC: dict[str, Any] = {
    "itses": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {**_SPACE, "install_ocm": {"type": "bool", "default": True}},
    },
    "wdses": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            **_SPACE,
            "its": _TEXT,
            "api_groups": {"type": "list", "elements": "str"},
            "token_expiration_seconds": {"type": "int", "no_log": False},
        },
    },
}
"""`itses` and `wdses`, as a list from the inventory has them."""

LIMITS_SPEC: dict[str, Any] = {
    "limits": {
        "type": "dict",
        "default": {},
        "options": {
            key: {"type": "int"} for key in ("controller_qps", "controller_burst", "agent_qps", "agent_burst")
        },
    },
}
"""`limits`, as the filter `hub_limits` gives them."""
