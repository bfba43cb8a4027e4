# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What modules refuse before they ask anybody: one sentence, in check mode and without, and no request at all."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable
from typing import Any

import ansible.module_utils._internal
import pytest
import urllib3
from ansible.module_utils.testing import patch_module_args

Run = Callable[..., dict[str, Any]]
HUB = {"host": "https://127.0.0.1:9", "api_key": "none"}
LISBON = [{"match_labels": {"city": "lisbon"}}]
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "probe"}}
CONFIG_MAP = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "settings", "namespace": "probe"},
    "data": {"colour": "blue"},
}
SELECT = [{"name": "cluster", "def": "inventory.name"}]
COUNT = [{"name": "clusters", "type": "COUNT"}]
TRANSFORM = {"api_group": "batch", "resource": "cronjobs", "remove": ["$.spec.suspend"]}
RIGHT: dict[str, dict[str, Any]] = {
    "binding_policy": {
        "wds": "wds1",
        "its": "its1",
        "name": "probe",
        "cluster_selectors": LISBON,
        "downsync": [{"object_selectors": [{"match_labels": {"app": "probe"}}]}],
    },
    "status_collector": {"wds": "wds1", "name": "probe", "select": SELECT, "limit": 20},
    "custom_transform": {"wds": "wds1", "name": "probe", **TRANSFORM},
    "workload": {"wds": "wds1", "name": "probe", "definitions": [NAMESPACE, CONFIG_MAP]},
    "control_plane": {"name": "wds9", "role": "wds", "type": "host"},
    "join_credentials": {"its": "its1"},
    "managed_cluster": {"its": "its1", "names": ["cluster2"]},
}
"""Options that are right; a mistake is a change of them, and None takes one away."""

MISTAKES: list[tuple[str, dict[str, Any], list[str]]] = [
    # binding_policy
    (
        "binding_policy",
        {"cluster_selectors": [{"match_expressions": [{"key": "a", "operator": "In", "values": []}]}]},
        ["needs values"],
    ),
    (
        "binding_policy",
        {
            "cluster_selectors": [
                {"match_expressions": [{"key": "a", "operator": "In", "values": ["se", False]}]}
            ]
        },
        ["cluster_selectors[0].match_expressions[0].values[1] takes text and is false", "quotes"],
    ),
    ("binding_policy", {"downsync": [{"object_names": [1.1]}]}, ["downsync[0].object_names[0]", "1.1"]),
    ("binding_policy", {"cluster_selectors": [{"match_labels": {"a b": "c"}}]}, ["legal key"]),
    ("binding_policy", {"cluster_selectors": [{"match_labels": {"a": "b c"}}]}, ["legal label value"]),
    (
        "binding_policy",
        {"cluster_selectors": [{"match_expressions": [{"key": "a", "operator": "Near"}]}]},
        ["Near"],
    ),
    ("binding_policy", {"downsync": [{"create_only": True}]}, ["no selector"]),
    ("binding_policy", {"downsync": [{"resources": ["Deployment"]}]}, ["matches nothing"]),
    ("binding_policy", {"downsync": [{"api_group": "apps/v1"}]}, ["has a version"]),
    ("binding_policy", {"downsync": [{"api_group": "coordination.k8s.io"}]}, ["never delivers"]),
    ("binding_policy", {"name": "x" * 64}, ["63"]),
    ("binding_policy", {"name": "Bad_Name"}, ["not allowed"]),
    ("binding_policy", {"downsync": ["configmaps"]}, ["downsync[0] is text, where a mapping belongs"]),
    ("binding_policy", {"cluster_selectors": "edge"}, ["cluster_selectors is"]),
    (
        "binding_policy",
        {"cluster_selectors": None, "downsync": None, "definition": {"kind": "BindingPolicy"}},
        ["definition is a"],
    ),
    ("binding_policy", {"guards": {"max_clusters": "some"}}, ["neither a number nor a percentage"]),
    ("binding_policy", {"guards": {"max_clusters": "3"}, "its": None}, ["needs the ITS"]),
    ("binding_policy", {"wait": "bound", "its": None}, ["needs the ITS"]),
    # ... as a survey of AWX hands them on
    ("binding_policy", {"downsync": "[{'resources': 'configmaps'}]"}, ["downsync"]),
    ("binding_policy", {"downsync": "configmaps, secrets"}, ["downsync"]),
    ("binding_policy", {"cluster_selectors": "{'match_labels': 'edge'}"}, ["cluster_selectors"]),
    ("binding_policy", {"labels": ["a"]}, ["labels"]),
    ("binding_policy", {"guards": "3"}, ["guards"]),
    ("binding_policy", {"wait_timeout": "soon"}, ["wait_timeout"]),
    ("binding_policy", {"wait": True}, ["wait"]),
    # status_collector
    ("status_collector", {"limit": None}, ["limit is needed"]),
    ("status_collector", {"limit": -1}, ["limit is -1"]),
    ("status_collector", {"select": None, "limit": 1}, ["it collects nothing"]),
    ("status_collector", {"combined_fields": COUNT}, ["select excludes"]),
    ("status_collector", {"filter": "inventry.name == 'a'"}, ["unknown name inventry"]),
    ("status_collector", {"filter": True}, ["filter takes text and is true", "quotes"]),
    (
        "status_collector",
        {"select": None, "combined_fields": [{"name": "a", "type": "sum"}]},
        ["value of type must be one of"],
    ),
    ("status_collector", {"limit": "many"}, ["cannot be converted to an int"]),
    ("status_collector", {"definition": {}, "select": None}, ["definition|limit"]),
    (
        "status_collector",
        {"definition": {}, "select": None, "limit": None},
        ["definition is a None of None"],
    ),
    # custom_transform
    ("custom_transform", {"api_group": None, "remove": None}, ["apiGroup is needed"]),
    ("custom_transform", {"api_group": "batch/v1", "remove": None}, ["has a version"]),
    ("custom_transform", {"remove": "$.spec.containers[*].image"}, ["character 19 is '*'"]),
    ("custom_transform", {"remove": ["$.spec.suspend", "$"]}, ["it names the whole object"]),
    ("custom_transform", {"labels": {"a b": "c"}}, ["'a b' is not a legal key"]),
    ("custom_transform", {"name": "No"}, ["the name 'No' is not allowed"]),
    # workload
    (
        "workload",
        {"definitions": [{"kind": "ConfigMap", "metadata": {"name": "x"}}]},
        ["entry 1", "apiVersion"],
    ),
    (
        "workload",
        {"definitions": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}}]},
        ["entry 1", "metadata.name"],
    ),
    ("workload", {"definitions": ["just text"]}, ["holds text where an object"]),
    ("workload", {"definitions": 5}, ["definitions is a int"]),
    ("workload", {"definitions": "a: ["}, ["not valid YAML"]),
    (
        "workload",
        {"definitions": [CONFIG_MAP, CONFIG_MAP]},
        ["ConfigMap probe/settings is there twice", "in definitions entry 1 and in definitions entry 2"],
    ),
    (
        "workload",
        {
            "definitions": [
                {**CONFIG_MAP, "metadata": {"name": "x", "namespace": "probe", "labels": {"n": 1}}}
            ]
        },
        ["metadata.labels.n takes text and is the number 1", "quotes"],
    ),
    ("workload", {"definitions": []}, ["no objects"]),
    ("workload", {"helm": {"chart": "a"}}, ["helm is a mapping, where a list of mappings belongs"]),
    ("workload", {"helm": "values: horse"}, ["helm is text, where a list of mappings belongs"]),
    ("workload", {"archives": [5]}, ["archives[0] is the number 5, where a mapping belongs"]),
    ("workload", {"namespace": False}, ["namespace takes text and is false", "quotes"]),
    ("workload", {"name": 8080}, ["name takes text and is the number 8080"]),
    ("workload", {"src": [True]}, ["src[0] takes text and is true"]),
    ("workload", {"helm": [{"chart": "oci://a.example.com/b", "version": 1.1}]}, ["helm[0].version", "1.1"]),
    ("workload", {"labels": {"a": True}}, ["metadata.labels.a takes text and is true"]),
    # control_plane
    ("control_plane", {"name": "Bad_Name"}, ["Bad_Name", "not allowed"]),
    ("control_plane", {"name": "x" * 57}, ["-system"]),
    ("control_plane", {"role": None}, ["no role"]),
    (
        "control_plane",
        {"name": None, "spaces": [{"name": "a"}, {"name": "a"}], "role": "its"},
        ["a is named twice"],
    ),
    # join_credentials
    ("join_credentials", {"ttl": 10}, ["ttl is 10"]),
    ("join_credentials", {"endpoint": "http://x"}, ["endpoint"]),
    ("join_credentials", {"dest": ["/"]}, ["/ is a folder"]),
    # managed_cluster
    ("managed_cluster", {"names": ["a.b"]}, ["a.b", "dot"]),
    ("managed_cluster", {"names": ["a", "a"]}, ["a is named twice"]),
    ("managed_cluster", {"labels": {"x": "no spaces allowed"}}, ["cluster2", "labels", "not allowed"]),
    ("managed_cluster", {"labels": {"x": 1}}, ["cluster2", "quotes"]),
    ("managed_cluster", {"properties": {"a/b": "c"}}, ["cluster2", "properties", "a/b"]),
]


class Asked(BaseException):
    """No code of ours catches it."""


@pytest.fixture
def asked(monkeypatch) -> list[str]:
    """The requests that were about to be sent; none is."""
    found: list[str] = []

    def refuse(_pool: Any, method: str, url: str, **_arguments: Any) -> None:
        found.append(f"{method} {url}")
        raise Asked(found[-1])

    monkeypatch.setattr(urllib3.HTTPConnectionPool, "urlopen", refuse)
    return found


@pytest.fixture
def run(asked, capfd, monkeypatch) -> Run:
    """Run a module with the right options and some changes."""
    # Other tests import what only controllers have; a module would then show its warnings itself.
    monkeypatch.setattr(ansible.module_utils._internal, "is_controller", False)

    def call(name: str, changes: dict[str, Any], *, check: bool) -> dict[str, Any]:
        code = importlib.import_module(f"ansible_collections.kubestellar.core.plugins.modules.{name}")
        given = {key: value for key, value in (RIGHT[name] | changes).items() if value is not None}
        capfd.readouterr()
        with patch_module_args({**HUB, **given, "_ansible_check_mode": check}), pytest.raises(SystemExit):
            code.main()
        return dict(json.loads(capfd.readouterr().out))

    return call


@pytest.mark.parametrize("check", [True, False], ids=["check", "real"])
@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_is_asked_for(run, asked, name, check):
    """So that nothing but the mistake keeps the others from asking."""
    with pytest.raises(Asked):
        run(name, {}, check=check)
    assert asked


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    MISTAKES,
    ids=[f"{name}: {re.sub(r'[^a-zA-Z0-9 ]', '', words[-1])}" for name, _changes, words in MISTAKES],
)
def test_a_mistake_is_one_sentence_and_nobody_is_asked(run, asked, name, changes, words):
    told = set()
    for check in (True, False):
        result = run(name, changes, check=check)
        message = result["msg"]
        assert result["failed"] and all(word in message for word in words), message
        assert "\n" not in message and "Traceback" not in str(result)
        assert not result.get("changed")
        told.add(message)
    assert len(told) == 1 and asked == []
