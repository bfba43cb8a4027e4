# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules against the real stack: each option set, the same again, changed, unset; first in check mode, without a write.

What is wrong whatever the servers say is in tests/unit/plugins/modules/test_mistakes.py.
"""

from __future__ import annotations

import base64
import copy
import json
import os
import stat

import pytest
import yaml
from ansible_collections.kubestellar.core.plugins.module_utils import _resources
from ansible_collections.kubestellar.core.plugins.module_utils._errors import NotFound
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    CONFIG_MAPS,
    CONTROL_PLANES,
    CSRS,
    MANAGED_CLUSTERS,
    NAMESPACES,
    SECRETS,
    Resource,
)
from ansible_collections.kubestellar.core.plugins.module_utils.workload.applyset import ApplySet
from ansible_collections.kubestellar.core.tests.waiting import eventually

PERSISTENT_VOLUMES = Resource("", "v1", "persistentvolumes", "PersistentVolume", False)
WIDGETS = Resource("example.com", "v1", "widgets", "Widget", True)


def config_map(name="settings", **data):
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "probe"},
        "data": {"colour": "blue", **data},
    }


NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "probe"}}
PROBE = ApplySet("probe", "kube-system")


@pytest.fixture(scope="module")
def space(stack):
    """The Namespace of the workload `probe`. It stays from test to test: one takes five seconds to go."""
    wds = stack.cluster("wds1")
    wds.apply(NAMESPACES, NAMESPACE, field_manager="somebody")
    yield
    wds.delete(NAMESPACES, "probe")
    eventually(lambda: wds.get(NAMESPACES, "probe") is None)


@pytest.fixture
def removed(stack, module):
    """Names of workloads that are removed in the end."""
    names = []
    yield names
    for name in names:
        where = {"kubeconfig": stack.kubeconfig, "context": "hub", "wds": "wds1", "name": name}
        gone = module("workload", **where, state="absent", foreign_contents="delete")
        assert gone.get("failed") is not True, gone["msg"]


@pytest.fixture
def probe(stack, call, space, removed):
    """A workload `probe` to play with, removed in the end, with what else is in its Namespace."""
    removed.append("probe")

    def apply(*definitions, **parameters):
        return call("workload", wds="wds1", name="probe", definitions=list(definitions), **parameters)

    yield apply
    wds = stack.cluster("wds1")
    for item in wds.list(CONFIG_MAPS, "probe").items:
        if item["metadata"]["name"] != "kube-root-ca.crt":
            wds.delete(CONFIG_MAPS, item["metadata"]["name"], "probe")


def methods(result):
    return {f"{entry['kind']} {entry['name']}": entry["method"] for entry in result["objects"]}


# -- workload -----------------------------------------------------------------------------------------------------


@pytest.mark.core
def test_workload_is_created_left_alone_changed_and_removed(stack, call, removed):
    removed.append("whole")

    def whole(**data):
        settings = config_map(**data)
        settings["metadata"]["namespace"] = "whole"
        definitions = [{**NAMESPACE, "metadata": {"name": "whole"}}, settings]
        return call("workload", wds="wds1", name="whole", definitions=definitions)

    assert methods(whole()) == {"Namespace whole": "create", "ConfigMap settings": "create"}
    assert set(methods(whole()).values()) == {"none"}
    changed = whole(colour="red")
    assert methods(changed) == {"Namespace whole": "none", "ConfigMap settings": "update"}
    (diff,) = changed["diff"]
    assert "colour: blue" in diff["before"] and "colour: red" in diff["after"]
    wds = stack.cluster("wds1")
    labels = wds.get(CONFIG_MAPS, "settings", "whole")["metadata"]["labels"]
    part_of = ApplySet("whole", "kube-system").id
    assert labels == {"kubestellar.core/workload": "whole", "applyset.kubernetes.io/part-of": part_of}
    gone = call("workload", wds="wds1", name="whole", state="absent")
    assert methods(gone) == {"ConfigMap settings": "delete", "Namespace whole": "delete"}
    assert wds.get(NAMESPACES, "whole") is None
    assert call("workload", wds="wds1", name="whole", state="absent")["changed"] is False


def test_workload_labels_are_set_changed_and_unset(stack, probe):
    wds = stack.cluster("wds1")

    def labels():
        found = dict(wds.get(CONFIG_MAPS, "settings", "probe")["metadata"]["labels"])
        assert found.pop("applyset.kubernetes.io/part-of") == PROBE.id
        return found

    probe(config_map(), labels={"team": "retail"})
    assert labels() == {"team": "retail", "kubestellar.core/workload": "probe"}
    assert probe(config_map(), labels={"team": "retail"})["changed"] is False
    assert probe(config_map(), labels={"team": "ops"})["changed"] is True
    assert probe(config_map())["changed"] is True
    assert labels() == {"kubestellar.core/workload": "probe"}


def test_workload_fields_and_labels_of_others_survive(stack, probe):
    probe(config_map())
    wds = stack.cluster("wds1")
    theirs = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "settings", "namespace": "probe", "labels": {"x": "y"}},
    }
    wds.apply(CONFIG_MAPS, {**theirs, "data": {"their": "own"}}, field_manager="somebody")
    assert probe(config_map())["changed"] is False
    probe(config_map(colour="red"))
    live = wds.get(CONFIG_MAPS, "settings", "probe")
    assert live["data"] == {"colour": "red", "their": "own"} and live["metadata"]["labels"]["x"] == "y"


@pytest.mark.core
def test_workload_conflict_names_owner_and_field_and_is_taken_over_on_request(stack, probe):
    stack.cluster("wds1").apply(CONFIG_MAPS, config_map(colour="green"), field_manager="somebody")
    result = probe(config_map())
    assert result["failed"] and all(
        word in result["msg"] for word in ("wds1", "settings", "somebody", "colour")
    )
    assert probe(config_map(), force_conflicts=True)["changed"] is True
    assert probe(config_map())["changed"] is False


@pytest.mark.core
def test_workload_secret_values_are_in_no_result(probe):
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "key", "namespace": "probe"},
        "stringData": {"password": "correct horse"},
    }
    results = [
        probe(secret),
        probe({**secret, "stringData": {"password": "battery staple"}}),
        probe({**secret, "stringData": {"password": "battery staple"}}),
    ]
    assert [result["changed"] for result in results] == [True, True, False]
    for text in ("correct horse", "battery staple"):
        assert text not in str(results) and base64.b64encode(text.encode()).decode() not in str(results)


def test_workload_brings_a_definition_and_its_resources_in_one_call(stack, call, probe):
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"kind": "Widget", "plural": "widgets", "singular": "widget"},
            "versions": [
                {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
            ],
        },
    }
    widget = {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": {"name": "w", "namespace": "probe"},
        "spec": {"size": 1},
    }
    assert set(methods(probe(widget, definition)).values()) == {"create"}
    assert stack.cluster("wds1").get(WIDGETS, "w", "probe")["spec"] == {"size": 1}
    assert probe(widget, definition)["changed"] is False


@pytest.mark.core
def test_workload_reads_files_folders_and_text(call, probe, tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.yaml").write_text(yaml.safe_dump(config_map("from-file")))
    listed = {"apiVersion": "v1", "kind": "List", "items": [config_map("from-list")]}
    (tmp_path / "b.json").write_text(json.dumps(listed))
    (tmp_path / "notes.txt").write_text("not a manifest")
    result = probe(src=[str(tmp_path)])
    assert methods(result) == {"ConfigMap from-file": "create", "ConfigMap from-list": "create"}
    text = yaml.safe_dump_all([config_map("from-file"), config_map("from-text")])
    result = call("workload", wds="wds1", name="probe", definitions=text)
    assert methods(result)["ConfigMap from-text"] == "create"


def test_workload_namespace_is_filled_in_where_it_is_missing(stack, probe):
    bare = config_map()
    del bare["metadata"]["namespace"]
    refused = probe(bare)
    assert (
        refused["failed"]
        and "settings (definitions entry 1) names no namespace" in refused["msg"]
        and "option namespace" in refused["msg"]
    )
    assert methods(probe(bare, namespace="probe"))["ConfigMap settings"] == "create"
    assert stack.cluster("wds1").get(CONFIG_MAPS, "settings", "probe") is not None


def test_workload_that_the_wds_shows_to_be_wrong_is_one_sentence_and_nothing_is_written(stack, call):
    before = stack.mark()
    wrong = {**NAMESPACE, "metadata": {"name": "a", "namespace": "b"}}
    result = call("workload", wds="wds1", name="probe", definitions=[wrong])
    assert result["failed"] and "cluster-scoped" in result["msg"] and "namespace b" in result["msg"], result
    assert stack.writes_since(before) == []


def test_workload_of_an_unknown_wds_or_context_says_so(stack, module):
    result = module(
        "workload",
        kubeconfig=stack.kubeconfig,
        context="hub",
        wds="wds7",
        name="probe",
        definitions=[NAMESPACE],
    )
    assert result["failed"] and "there is no ControlPlane wds7" in result["msg"]
    result = module(
        "workload",
        kubeconfig=stack.kubeconfig,
        context="nowhere",
        wds="wds1",
        name="probe",
        definitions=[NAMESPACE],
    )
    assert result["failed"] and "no context 'nowhere'" in result["msg"]
    result = module(
        "workload",
        kubeconfig=stack.kubeconfig,
        context="hub",
        wds="wds1",
        name="probe",
        definitions=[NAMESPACE],
        expected_server="https://127.0.0.1:1",
    )
    assert result["failed"] and "not to the expected https://127.0.0.1:1" in result["msg"]


def test_a_named_connection_is_never_mixed_with_the_environment(stack, module, monkeypatch):
    monkeypatch.setenv("K8S_AUTH_HOST", "https://127.0.0.1:1")
    monkeypatch.setenv("K8S_AUTH_API_KEY", "token-of-another-cluster")
    monkeypatch.setenv("K8S_AUTH_CONTEXT", "cluster1")
    result = module("control_plane_info", kubeconfig=stack.kubeconfig, context="hub")
    assert [space["name"] for space in result["control_planes"]] == ["its1", "wds1"]


# -- control_plane ------------------------------------------------------------------------------------------------


@pytest.mark.core
def test_control_plane_is_adopted_completed_left_alone_and_removed(stack, call, module):
    # A second name for the cluster of wds1: adopting it touches nothing that is in it.
    wanted = {
        "name": "wds8",
        "role": "wds",
        "bootstrap_kubeconfig": stack.kubeconfig,
        "bootstrap_context": "wds1",
    }
    hub = stack.cluster("hub")
    try:
        made = call("control_plane", **wanted)
        assert (made["method"], made["ready"]) == ("create", True)
        live = hub.get(CONTROL_PLANES, "wds8")
        assert live["metadata"]["labels"]["kflex.kubestellar.io/cptype"] == "wds"
        data = hub.get(SECRETS, "admin-kubeconfig", "wds8-system")["data"]
        assert data["kubeconfig"] == data["kubeconfig-incluster"]
        assert hub.get(SECRETS, "wds8-bootstrap", "kubeflex-system") is None
        assert call("control_plane", **wanted)["changed"] is False
        # What KubeFlex leaves out is put back when it is lost.
        hub.patch(SECRETS, "admin-kubeconfig", "wds8-system", {"data": {"kubeconfig": None}})
        assert call("control_plane", **wanted)["method"] == "update"
        refused = module(
            "control_plane", kubeconfig=stack.kubeconfig, context="hub", name="wds8", role="wds", type="k8s"
        )
        assert (
            refused["failed"] and "type external" in refused["msg"] and "cannot become k8s" in refused["msg"]
        )
        listed = module("control_plane_info", kubeconfig=stack.kubeconfig, context="hub", names=["wds8"])
        assert listed["control_planes"][0]["ready"] is True
    finally:
        gone = call("control_plane", name="wds8", state="absent")
    assert gone["method"] == "delete"
    assert hub.get(CONTROL_PLANES, "wds8") is None and hub.get(NAMESPACES, "wds8-system") is None
    assert call("control_plane", name="wds8", state="absent")["changed"] is False


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"name": "wds9", "role": "wds"}, ["wds9", "bootstrap_kubeconfig"]),
        ({"name": "wds9", "role": "wds", "bootstrap_kubeconfig": "/nowhere"}, ["/nowhere", "cannot be read"]),
    ],
)
def test_control_plane_bad_input_is_one_sentence_and_nothing_is_written(stack, call, parameters, words):
    before = stack.mark()
    result = call("control_plane", **parameters)
    assert result["failed"] and all(word in result["msg"] for word in words), result["msg"]
    assert stack.writes_since(before) == []


# -- join_credentials ---------------------------------------------------------------------------------------------


@pytest.mark.core
def test_join_credentials_are_a_private_file_with_a_short_life(stack, module, tmp_path):
    dest = tmp_path / "new" / "cluster9"
    result = module(
        "join_credentials", kubeconfig=stack.kubeconfig, context="hub", its="its1", ttl=600, dest=[str(dest)]
    )
    assert result["changed"] and "kubeconfig" not in result
    assert stat.S_IMODE(dest.stat().st_mode) == 0o600 and stat.S_IMODE(dest.parent.stat().st_mode) == 0o700
    content = yaml.safe_load(dest.read_text())
    assert content["clusters"][0]["cluster"]["server"] == stack.cluster("its1").server
    assert "insecure-skip-tls-verify" not in dest.read_text()
    assert content["users"][0]["user"]["token"] not in str(result)


def test_join_credentials_in_check_mode_make_no_token_and_no_file(stack, module, tmp_path):
    before = stack.mark()
    result = module(
        "join_credentials",
        _check=True,
        kubeconfig=stack.kubeconfig,
        context="hub",
        its="its1",
        dest=[str(tmp_path / "x")],
    )
    assert result["changed"] and list(tmp_path.iterdir()) == [] and stack.writes_since(before) == []


# -- managed_cluster ----------------------------------------------------------------------------------------------


@pytest.fixture
def described(stack, call):
    """Describe cluster2, and leave it as it was."""
    live = copy.deepcopy(stack.cluster("its1").get(MANAGED_CLUSTERS, "cluster2"))
    data = stack.cluster("its1").get(CONFIG_MAPS, "cluster2", "customization-properties")["data"]
    labels = {key: live["metadata"]["labels"][key] for key in ("location-group", "city")}

    def describe(**parameters):
        parameters = {key: {**value} for key, value in parameters.items()}
        if "labels" in parameters:
            parameters["labels"] = {**labels, **parameters["labels"]}
        if "properties" in parameters:
            parameters["properties"] = {**data, **parameters["properties"]}
        return call("managed_cluster", its="its1", names=["cluster2"], **parameters)

    yield describe
    given = {"labels": labels, "annotations": {}, "properties": data}
    again = call("managed_cluster", its="its1", names=["cluster2"], **given)
    assert not again.get("failed"), again


@pytest.fixture
def annotate_cluster2(stack):
    """Annotate cluster2 as somebody else, and take that away again."""
    its, added = stack.cluster("its1"), set()

    def annotate(**annotations):
        added.update(annotations)
        change = {"metadata": {"annotations": annotations}}
        its.patch(MANAGED_CLUSTERS, "cluster2", None, change, field_manager="somebody")

    yield annotate
    annotate(**dict.fromkeys(added))


@pytest.mark.parametrize(
    "option",
    [
        pytest.param("labels", marks=pytest.mark.core),
        "annotations",
        pytest.param("properties", marks=pytest.mark.core),
    ],
)
def test_managed_cluster_maps_are_set_kept_changed_and_unset(stack, described, annotate_cluster2, option):
    its = stack.cluster("its1")

    def present():
        if option == "properties":
            return its.get(CONFIG_MAPS, "cluster2", "customization-properties")["data"]
        return its.get(MANAGED_CLUSTERS, "cluster2")["metadata"].get(option) or {}

    annotate_cluster2(their="own")
    assert described(**{option: {"probe": "1"}})["changed"] is True
    assert present()["probe"] == "1"
    assert described(**{option: {"probe": "1"}})["changed"] is False
    assert described()["changed"] is False, "an option that is left out leaves things as they are"
    assert described(**{option: {"probe": "2"}})["changed"] is True
    assert described(**{option: {}})["changed"] is True
    assert "probe" not in present()
    assert its.get(MANAGED_CLUSTERS, "cluster2")["metadata"]["annotations"]["their"] == "own"


def test_managed_cluster_takes_everything_that_is_legal_up_to_its_limits(stack, call, described):
    characters = "aZ09-_." * 9
    prefix = ".".join(["a" * 63] * 3 + ["b" * 61])
    labels = {f"{prefix}/{characters[:62]}k": f"{characters[:62]}v", "A": ""}
    properties = {
        f"property_{number}": f"{number}: 'x' \"y\" {{z}} %\n<&>é\U0001f30d" * 20 for number in range(200)
    }
    for change in ({"labels": labels}, {"properties": properties}):
        assert described(**change)["changed"] is True
        assert described(**change)["changed"] is False
    its = stack.cluster("its1")
    data = its.get(CONFIG_MAPS, "cluster2", "customization-properties")["data"]
    assert properties.items() <= data.items()
    assert labels.items() <= its.get(MANAGED_CLUSTERS, "cluster2")["metadata"]["labels"].items()

    name = "c" * 63
    managed = {"apiVersion": MANAGED_CLUSTERS.api_version, "kind": MANAGED_CLUSTERS.kind}
    its.create(MANAGED_CLUSTERS, {**managed, "metadata": {"name": name}, "spec": {"hubAcceptsClient": True}})
    one = {"its": "its1", "names": [name]}
    try:
        made = call("managed_cluster", **one, properties=properties, labels=labels, wait=False)
        assert made["changed"] is True
        (found,) = call("managed_cluster_info", **one)["managed_clusters"]
        assert (found["properties"], found["accepted"]) == (properties, True)
    finally:
        gone = call("managed_cluster", **one, state="absent")
    assert gone["changed"] is True
    assert its.get(MANAGED_CLUSTERS, name) is None and its.get(NAMESPACES, name) is None


def test_managed_cluster_never_accepts_a_forged_request(stack, module):
    """A request with the right label and signer, but made by an administrator and not by the bootstrap account."""
    its = stack.cluster("its1")
    request = base64.b64encode(
        _request(
            "system:open-cluster-management:forged:x",
            ["system:open-cluster-management:forged", "system:open-cluster-management:other"],
        )
    ).decode()
    its.create(
        MANAGED_CLUSTERS,
        {
            "apiVersion": MANAGED_CLUSTERS.api_version,
            "kind": "ManagedCluster",
            "metadata": {"name": "forged"},
            "spec": {"hubAcceptsClient": False},
        },
    )
    its.create(
        CSRS,
        {
            "apiVersion": CSRS.api_version,
            "kind": CSRS.kind,
            "metadata": {"name": "forged-1", "labels": {"open-cluster-management.io/cluster-name": "forged"}},
            "spec": {
                "request": request,
                "signerName": "kubernetes.io/kube-apiserver-client",
                "usages": ["client auth"],
            },
        },
    )
    try:
        result = module(
            "managed_cluster",
            kubeconfig=stack.kubeconfig,
            context="hub",
            its="its1",
            names=["forged"],
            wait=False,
        )
        assert result["failed"] and "forged was not accepted" in result["msg"] and "forged-1" in result["msg"]
        assert its.get(CSRS, "forged-1").get("status", {}) == {}
        assert its.get(MANAGED_CLUSTERS, "forged")["spec"]["hubAcceptsClient"] is False
        cluster2 = module(
            "managed_cluster_info", kubeconfig=stack.kubeconfig, context="hub", its="its1", names=["forged"]
        )
        assert cluster2["managed_clusters"][0]["requests"][0]["decision"] == "refuse"
    finally:
        gone = module(
            "managed_cluster",
            kubeconfig=stack.kubeconfig,
            context="hub",
            its="its1",
            names=["forged"],
            state="absent",
        )
    assert not gone.get("failed"), gone
    assert its.get(MANAGED_CLUSTERS, "forged") is None and its.get(CSRS, "forged-1") is None


def _request(common_name, organisations):
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    names = [x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, name) for name in organisations]
    names.append(x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name))
    key = ec.generate_private_key(ec.SECP256R1())
    csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(names)).sign(key, hashes.SHA256())
    return csr.public_bytes(serialization.Encoding.PEM)


def test_managed_cluster_with_workload_is_not_detached(stack, call):
    result = call("managed_cluster", its="its1", names=["cluster2"], state="absent")
    assert result["failed"] and "cluster2 still has workload of wds1" in result["msg"]


# -- workload_info ------------------------------------------------------------------------------------------------


@pytest.mark.core
def test_workload_info_tells_what_runs_where(stack, module):
    result = module(
        "workload_info", kubeconfig=stack.kubeconfig, context="hub", its="its1", wds="wds1", name="shop"
    )
    assert result["summary"]["healthy"] == result["summary"]["placements"] == 12
    assert [space["name"] for space in result["spaces"]] == ["its1", "wds1"]
    unknown = module(
        "workload_info",
        kubeconfig=stack.kubeconfig,
        context="hub",
        its="its1",
        wds="wds1",
        policy=["nothing"],
    )
    assert unknown["failed"] and "no BindingPolicy nothing" in unknown["msg"]


def test_an_unserved_kind_is_an_error_never_an_empty_list(stack):
    with pytest.raises(NotFound):
        stack.cluster("cluster1").list(_resources.BINDING_POLICIES)


def test_the_programs_are_linked_from_the_stack(stack):
    assert os.access(stack.stack.bin / "kubectl", os.X_OK)


# -- the client -----------------------------------------------------------------------------------------------------


def test_a_dry_run_of_a_deletion_deletes_nothing(stack, probe):
    probe(config_map())
    wds = stack.cluster("wds1")
    assert wds.delete(CONFIG_MAPS, "settings", "probe", dry_run=True) is True
    assert wds.get(CONFIG_MAPS, "settings", "probe") is not None


def test_text_beyond_the_basic_plane_survives(stack, probe):
    assert probe(config_map(motto="café 🌍 \u2028 \x7f"))["changed"] is True
    assert (
        stack.cluster("wds1").get(CONFIG_MAPS, "settings", "probe")["data"]["motto"] == "café 🌍 \u2028 \x7f"
    )


def test_a_check_run_previews_objects_that_it_would_create(stack, module):
    """Workload and placement together, both only planned: the preview is that of the real run."""
    where = {"kubeconfig": stack.kubeconfig, "context": "hub", "wds": "wds1"}
    policy = {
        **where,
        "its": "its1",
        "name": "probe",
        "cluster_selectors": [{"match_labels": {"city": "turin"}}],
        "downsync": [{"object_selectors": [{"match_labels": {"kubestellar.core/workload": "probe"}}]}],
    }
    workload = module("workload", _check=True, **where, name="probe", definitions=[NAMESPACE, config_map()])
    seen = module("binding_policy", _check=True, **policy, planned_objects=workload["planned"])
    assert seen["preview"]["clusters_added"] == ["cluster2"]
    assert [(o["kind"], o["name"]) for o in seen["preview"]["objects_added"]] == [
        ("ConfigMap", "settings"),
        ("Namespace", "probe"),
    ]
    assert [item["code"] for item in seen["preview"]["warnings"]] == []


def test_a_check_run_previews_objects_that_it_would_prune(stack, module, probe):
    where = {"kubeconfig": stack.kubeconfig, "context": "hub", "wds": "wds1"}
    policy = {
        **where,
        "its": "its1",
        "name": "probe",
        "cluster_selectors": [{"match_labels": {"city": "turin"}}],
        "downsync": [{"object_selectors": [{"match_labels": {"kubestellar.core/workload": "probe"}}]}],
    }
    probe(config_map(), config_map("goes"))
    workload = module("workload", _check=True, **where, name="probe", definitions=[NAMESPACE, config_map()])
    seen = module("binding_policy", _check=True, **policy, planned_objects=workload["planned"])
    assert [o["name"] for o in seen["preview"]["objects"]] == ["settings", "probe"]
