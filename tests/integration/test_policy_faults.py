# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""binding_policy on a bad day: each trouble ends in success or in one sentence, and never in half a change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _client
from ansible_collections.kubestellar.core.plugins.module_utils._resources import BINDING_POLICIES, BINDINGS
from ansible_collections.kubestellar.core.tests.waiting import eventually

from . import relay
from .relay import AWAY, BUSY, CONFLICT, CUT, LOSE, Fault

POLICY = "bp-fault"
LISBON = [{"match_labels": {"city": "lisbon"}}]
CLAUSES = [{"resources": ["configmaps"], "object_names": ["bp-none"]}]


@pytest.fixture
def wds(stack) -> Iterator[Any]:
    """The WDS; the policies of a test go with it."""
    client = stack.cluster("wds1")
    yield client

    def left() -> list[str]:
        found = [i["metadata"]["name"] for kind in kinds for i in client.list(kind).items]
        return [name for name in found if name.startswith("bp-")]

    kinds = [BINDING_POLICIES, BINDINGS]
    for name in left():
        client.delete(BINDING_POLICIES, name)
    eventually(lambda: not left())


@pytest.fixture
def apply(stack, module, wds, tmp_path):
    """Run binding_policy through a relay with faults, or over another connection to the WDS."""

    def run(*faults: Fault, connection: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
        own = {"its_kubeconfig": stack.kubeconfig, "its_context": "its1", "cluster_selectors": LISBON}
        given = {"name": POLICY, "downsync": CLAUSES, "wds": "wds1", **own, **options}
        if connection is not None:
            return module("binding_policy", **given, **connection)
        with relay.before(wds) as between:
            between.faults += faults
            path = tmp_path / "relay.kubeconfig"
            path.write_text(json.dumps(between.kubeconfig()))
            result = module("binding_policy", **given, wds_kubeconfig=str(path), wds_context="relay")
        assert all(fault.hits for fault in faults), faults
        return result

    return run


def sentence(result: dict[str, Any], *words: str) -> None:
    """A failure that is one sentence, and says what to do."""
    assert result.get("failed"), result
    assert all(word in result["msg"] for word in words), result["msg"]
    assert "Traceback" not in str(result) and "\n" not in result["msg"]


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param([Fault(CUT, "GET", "/configmaps")], id="a list is cut off"),
        pytest.param([Fault(CUT, "GET", "/apis")], id="discovery is cut off"),
        pytest.param([Fault(LOSE, "PATCH", "/bindingpolicies/")], id="the answer to the write is lost"),
        pytest.param([Fault(BUSY, "PATCH", "/bindingpolicies/", 2)], id="busy twice"),
        pytest.param([Fault(BUSY, "GET", "/configmaps")], id="busy for a list"),
        pytest.param([Fault(AWAY, "GET", "/bindings")], id="away for a moment"),
    ],
)
def test_what_passes_is_waited_for(apply, wds, faults):
    done = apply(*faults, wait="bound", wait_timeout=60)
    assert done.get("failed") is not True, done
    assert wds.get(BINDING_POLICIES, POLICY)["spec"] == done["object"]["spec"]
    assert apply()["changed"] is False


def test_a_write_that_others_keep_winning_is_one_sentence_and_the_next_run_goes_on(apply, wds):
    sentence(apply(Fault(CONFLICT, "PATCH", "/bindingpolicies/", 99)), POLICY, "the object has been modified")
    assert wds.get(BINDING_POLICIES, POLICY) is None
    assert apply()["changed"] is True


def test_a_server_that_is_gone_is_one_sentence(apply, stack, wds, tmp_path, monkeypatch):
    monkeypatch.setattr(_client, "_LONGEST_PAUSE", 0.25)
    with relay.before(wds) as between:
        kubeconfig = between.kubeconfig()
    path = tmp_path / "gone.kubeconfig"
    path.write_text(json.dumps(kubeconfig))
    result = apply(connection={"wds_kubeconfig": str(path), "wds_context": "relay"})
    sentence(result, "wds1", "no answer from http://127.0.0.1:")


def test_a_token_that_is_not_accepted_any_more_is_one_sentence(apply, wds, tmp_path):
    ca = wds._configuration.ssl_ca_cert
    kubeconfig = relay.Relay(wds.server).kubeconfig()
    kubeconfig["clusters"][0]["cluster"]["certificate-authority"] = ca
    kubeconfig["users"][0]["user"]["token"] = "expired-long-ago"
    path = tmp_path / "expired.kubeconfig"
    path.write_text(json.dumps(kubeconfig))
    result = apply(connection={"wds_kubeconfig": str(path), "wds_context": "relay"})
    sentence(result, "wds1", "HTTP 401")
    assert "expired" in result["hint"] and "expired-long-ago" not in str(result)


def test_a_space_without_kubestellars_types_is_one_sentence(apply, stack):
    result = apply(connection={"wds_kubeconfig": stack.kubeconfig, "wds_context": "hub"})
    sentence(result, "wds1")
    assert "BindingPolicy" in result["msg"] or "bindingpolicies" in result["msg"]


def test_five_megabytes_of_annotations_are_one_sentence_and_nothing_is_written(apply, wds):
    sentence(apply(annotations={"note": "x" * 5_000_000}), POLICY)
    assert wds.get(BINDING_POLICIES, POLICY) is None


def test_every_legal_odd_character_survives(apply, wds):
    name = "bp-a.b--c.0.d"
    labels = {"ex-am.ple.com/Aa_0.z-9": "Va__l.u-E", "x": ""}
    annotations = {"ex.am/N": 'a "b"\n\t{{ c }} <d> \\ é 🌍', "y": " "}
    selectors = [
        {"match_labels": labels},
        {"match_expressions": [{"key": "k_.-K", "operator": "In", "values": ["", "v.-_V"]}]},
    ]
    clauses = [{"object_names": ["system:a.b", "x-y"], "resources": ["clusterroles"]}]
    options = {
        "labels": labels,
        "annotations": annotations,
        "cluster_selectors": selectors,
        "downsync": clauses,
    }
    done = apply(name=name, **options)
    assert done.get("failed") is not True, done
    made = wds.get(BINDING_POLICIES, name)
    assert made["metadata"]["labels"].items() >= labels.items()
    assert made["metadata"]["annotations"].items() >= annotations.items()
    assert made["spec"]["downsync"][0]["objectNames"] == ["system:a.b", "x-y"]
    assert made["spec"]["clusterSelectors"][1]["matchExpressions"][0]["values"] == ["", "v.-_V"]
    assert apply(name=name, **options)["changed"] is False


def test_a_wrong_type_from_a_survey_is_one_sentence_and_nothing_is_written(apply, wds):
    connection = {"wds_kubeconfig": str(wds.server), "wds_context": "never-read"}
    sentence(apply(connection=connection, downsync="configmaps, secrets"), "downsync")
    assert wds.get(BINDING_POLICIES, POLICY) is None
    assert wds.get(BINDINGS, POLICY) is None


def test_what_can_only_be_meant_one_way_is_taken_that_way(apply, wds):
    clauses = [{"resources": "configmaps", "object_names": "bp-none"}]
    guards = {"max_clusters": 3, "max_objects": "50%"}
    done = apply(downsync=clauses, labels="team=a", guards=guards, wait_timeout="60")
    assert done.get("failed") is not True, done
    made = wds.get(BINDING_POLICIES, POLICY)
    assert made["spec"]["downsync"] == [{"resources": ["configmaps"], "objectNames": ["bp-none"]}]
    assert made["metadata"]["labels"]["team"] == "a"
