# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Previews from files: the facts, many policies at once, an earlier state, and what is wrong with the files."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput
from ansible_collections.kubestellar.core.plugins.module_utils.placement import offline, report
from ansible_collections.kubestellar.core.plugins.module_utils.placement.facts import Target
from ansible_collections.kubestellar.core.plugins.module_utils.placement.resolution import ObjectKey
from ansible_collections.kubestellar.core.plugins.modules import binding_policy_info

SHOP = Path(__file__).parents[5] / "examples" / "shop"
EDGE = [{"match_labels": {"location-group": "edge"}}]
CLUSTERS = [
    {"name": "c2", "labels": {"location-group": "edge"}, "properties": {"storeName": "b", "storeHours": "9"}},
    {"name": "c1", "labels": {"location-group": "edge"}, "properties": {"storeName": "a", "storeHours": "8"}},
    {"name": "c3", "labels": {"location-group": "hub"}},
]


def manifest(kind, name, namespace="", api_version="v1", **more):
    metadata = {"name": name, **({"namespace": namespace} if namespace else {}), **more.pop("metadata", {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **more}


def clause(workload, **fields):
    return {"object_selectors": [{"match_labels": {"kubestellar.core/workload": workload}}], **fields}


def policy(name, *clauses, selectors=None, **more):
    selectors = EDGE if selectors is None else selectors
    return {"name": name, "cluster_selectors": selectors, "downsync": list(clauses or [clause(name)]), **more}


def workload(name, *objects, **more):
    return {"name": name, "definitions": list(objects), **more}


NAMESPACE, NOTE = manifest("Namespace", "shop"), manifest("ConfigMap", "note", "shop", data={"a": "b"})
POLICY = manifest(
    "BindingPolicy",
    "shop",
    api_version="control.kubestellar.io/v1alpha1",
    spec={"clusterSelectors": [{}], "downsync": [{"resources": ["configmaps"], "namespaces": ["shop"]}]},
)


def seen(options, before=None):
    """Name to preview, of a whole scene."""
    now = offline.scene({"clusters": CLUSTERS, **options})
    found = offline.previews(now, before)
    return {entry["name"]: entry for entry in found}


def names(entries):
    return [
        f"{e['kind']} {e['namespace']}/{e['name']}" if e["namespace"] else f"{e['kind']} {e['name']}"
        for e in entries
    ]


def codes(entry):
    return [item["code"] for item in entry["preview"]["warnings"]]


# -- what is in the WDS ----------------------------------------------------------------------------------------------


def test_the_shop_goes_where_it_is_to_go():
    jobs = clause("shop", resources=["jobs"], create_only=True)
    options = {
        "workloads": [{"name": "shop", "src": [str(SHOP)]}],
        "policies": [policy("shop", clause("shop"), jobs)],
    }
    (entry,) = seen(options).values()
    preview = entry["preview"]
    assert preview["clusters"] == ["c1", "c2"]
    assert names(preview["objects"]) == [
        "ConfigMap shop/catalogue",
        "ConfigMap shop/store",
        "Namespace shop",
        "Service shop/till",
        "Deployment shop/till",
        "Job shop/import-catalogue",
    ]
    assert [e["name"] for e in preview["objects"] if e["create_only"]] == ["import-catalogue"]
    assert preview["warnings"] == [] and entry["refused"] == []


def test_objects_have_the_labels_that_the_module_workload_gives_them():
    labelled = {
        **NOTE,
        "metadata": {**NOTE["metadata"], "labels": {"team": "b", "kubestellar.core/workload": "x"}},
    }
    options = {
        "workloads": [workload("shop", NAMESPACE, labelled, labels={"team": "a"})],
        "policies": [
            policy("shop"),
            policy("x"),
            policy("team", {"object_selectors": [{"match_labels": {"team": "a"}}]}),
        ],
    }
    found = seen(options)
    assert names(found["shop"]["preview"]["objects"]) == ["ConfigMap shop/note", "Namespace shop"]
    assert found["x"]["preview"]["objects"] == []
    assert names(found["team"]["preview"]["objects"]) == ["ConfigMap shop/note", "Namespace shop"]


def test_a_namespace_is_filled_in_for_namespaced_objects_that_name_none():
    objects = [NAMESPACE, manifest("ConfigMap", "here"), manifest("ConfigMap", "there", "other")]
    options = {"workloads": [workload("shop", *objects, namespace="shop")], "policies": [policy("shop")]}
    found = seen(options)["shop"]
    assert names(found["preview"]["objects"]) == [
        "ConfigMap other/there",
        "ConfigMap shop/here",
        "Namespace shop",
    ]
    assert "namespace-undescribed" in codes(found)


def test_namespaces_have_the_label_that_they_get_by_themselves_and_those_of_their_manifest():
    labels = manifest("Namespace", "shop", metadata={"labels": {"team": "retail"}})
    for key, value in (("team", "retail"), ("kubernetes.io/metadata.name", "shop")):
        selectors = [{"match_labels": {key: value}}]
        options = {
            "definitions": [labels, NOTE],
            "policies": [policy("p", {"namespace_selectors": selectors})],
        }
        assert "ConfigMap shop/note" in names(seen(options)["p"]["preview"]["objects"])
        options["definitions"] = [NOTE]
        assert seen(options)["p"]["preview"]["objects"] == []


def test_what_every_namespace_has_is_taken_along():
    options = {"definitions": [NAMESPACE, NOTE], "policies": [policy("p", {"namespaces": ["shop"]})]}
    found = seen(options)["p"]
    assert names(found["preview"]["objects"]) == [
        "ConfigMap shop/kube-root-ca.crt",
        "ConfigMap shop/note",
        "ServiceAccount shop/default",
    ]
    assert "system-object" in codes(found)
    everything = seen({**options, "policies": [policy("p", {"resources": ["*"]})]})["p"]["preview"]["objects"]
    assert {"Namespace kube-system", "Service default/kubernetes", "Namespace shop"} <= set(names(everything))


def test_what_is_described_is_not_made_by_itself():
    mine = manifest("ServiceAccount", "default", "shop", metadata={"labels": {"mine": "yes"}})
    options = {
        "definitions": [NAMESPACE, mine],
        "policies": [policy("p", {"object_selectors": [{"match_labels": {"mine": "yes"}}]})],
    }
    assert names(seen(options)["p"]["preview"]["objects"]) == ["ServiceAccount shop/default"]


def test_custom_resources_are_as_their_definition_says_wherever_it_is():
    crd = manifest(
        "CustomResourceDefinition",
        "oxen.farm.example",
        api_version="apiextensions.k8s.io/v1",
        spec={
            "group": "farm.example",
            "scope": "Cluster",
            "names": {"plural": "oxen", "kind": "Ox"},
            "versions": [{"name": "v1", "served": True}, {"name": "v1beta1"}],
        },
    )
    ox = manifest("Ox", "bob", api_version="farm.example/v1")
    options = {
        "definitions": [crd],
        "workloads": [workload("shop", ox)],
        "policies": [policy("p", {"resources": ["oxen"]})],
    }
    found = seen(options)["p"]
    assert [(e["resource"], e["namespace"]) for e in found["preview"]["objects"]] == [("oxen", "")]
    assert {"crd-missing", "definition-versions"} <= set(codes(found)) and "kind-guessed" not in codes(found)
    crd["spec"]["versions"].pop()
    assert "definition-versions" not in codes(seen(options)["p"])


def test_other_kinds_are_guessed_and_it_is_said():
    ox = manifest("Ox", "bob", "shop", api_version="farm.example/v1")
    options = {"definitions": [NAMESPACE, ox], "policies": [policy("p", {"api_group": "farm.example"})]}
    found = seen(options)["p"]
    assert [e["resource"] for e in found["preview"]["objects"]] == ["oxes"]
    assert {"kind-guessed", "crd-missing"} <= set(codes(found))


def test_kinds_that_are_never_delivered_are_not():
    lease = manifest("Lease", "l", "shop", api_version="coordination.k8s.io/v1")
    options = {"definitions": [NAMESPACE, lease, POLICY]}
    assert names(seen(options)["shop"]["preview"]["objects"]) == ["ConfigMap shop/kube-root-ca.crt"]


def test_an_object_of_two_workloads_is_in_the_last_and_both_are_warned():
    options = {
        "workloads": [workload("a", NAMESPACE, NOTE), workload("b", NAMESPACE)],
        "policies": [policy("a"), policy("b")],
    }
    found = seen(options)
    assert names(found["a"]["preview"]["objects"]) == ["ConfigMap shop/note"]
    assert names(found["b"]["preview"]["objects"]) == ["Namespace shop"]
    assert all("described-twice" in codes(entry) for entry in found.values())


def test_templates_and_sizes_are_those_of_the_manifests():
    store = manifest(
        "ConfigMap",
        "store",
        "shop",
        data={"x": "{{.storeHours}}"},
        metadata={"annotations": {"control.kubestellar.io/expand-templates": "true"}},
    )
    large = manifest("ConfigMap", "large", "shop", data={"x": "y" * 512_001})
    options = {
        "definitions": [NAMESPACE, store, large],
        "policies": [policy("p", {"namespaces": ["shop"]}, selectors=[{}])],
    }
    found = seen(options)["p"]
    messages = {item["code"]: item["message"] for item in found["preview"]["warnings"]}
    assert (
        "ConfigMap shop/store needs the property storeHours, which c3 lacks"
        in messages["template-property-missing"]
    )
    assert messages["object-too-large"].startswith("ConfigMap shop/large is")
    assert [item["code"] for item in found["refused"]] == ["template-property-missing"]


def test_secrets_are_never_shown_and_hold_no_templates():
    secret = manifest(
        "Secret",
        "key",
        "shop",
        stringData={"password": "hunter2 {{.nothing}}"},
        metadata={"annotations": {"control.kubestellar.io/expand-templates": "true"}},
    )
    options = {"definitions": [NAMESPACE, secret], "policies": [policy("p", {"namespaces": ["shop"]})]}
    found = seen(options)["p"]
    assert "Secret shop/key" in names(found["preview"]["objects"])
    assert "template-property-missing" not in codes(found)
    shown = json.dumps(found) + report.markdown("", [found]) + "\n".join(report.text("", [found]))
    assert "hunter2" not in shown and base64.b64encode(b"hunter2").decode()[:8] not in shown


def test_groups_that_the_controller_does_not_look_at_are_left_out():
    options = {
        "definitions": [
            NAMESPACE,
            NOTE,
            manifest("Role", "r", "shop", api_version="rbac.authorization.k8s.io/v1"),
        ],
        "policies": [policy("p", {"namespaces": ["shop"], "object_names": ["note", "r"]})],
    }
    assert len(seen(options)["p"]["preview"]["objects"]) == 2
    limited = {**options, "wdses": [{"name": "wds1", "api_groups": ["rbac.authorization.k8s.io"]}]}
    assert names(seen(limited)["p"]["preview"]["objects"]) == ["Role shop/r"]
    assert names(
        offline.previews(
            offline.scene({"clusters": [], **options}, api_groups=["rbac.authorization.k8s.io"])
        )[0]["preview"]["objects"]
    ) == ["Role shop/r"]


# -- several policies, WDSes, ITSes --------------------------------------------------------------------------------------


def test_policies_know_of_each_other():
    options = {
        "workloads": [workload("base", NAMESPACE), workload("shop", NOTE)],
        "policies": [policy("base", selectors=[{"match_labels": {"location-group": "hub"}}]), policy("shop")],
    }
    assert "namespace-missing" in codes(seen(options)["shop"])
    options["policies"] = [policy("base"), policy("shop"), policy("again", clause("shop"))]
    found = seen(options)
    assert "namespace-missing" not in codes(found["shop"])
    assert codes(found["shop"]) == codes(found["again"]) == ["shared-object"]
    assert codes(found["base"]) == ["cluster-scoped"]


def test_each_wds_holds_its_own():
    options = {
        "wdses": [{"name": "wds1"}, {"name": "wds2", "type": "host"}],
        "workloads": [workload("shop", NAMESPACE, NOTE), workload("shop", NAMESPACE, wds="wds2")],
        "policies": [
            policy("shop"),
            policy("shop", wds="wds2"),
            policy("all", {"resources": ["*"]}, wds="wds2"),
        ],
    }
    found = offline.previews(offline.scene({"clusters": CLUSTERS, **options}))
    assert [(entry["wds"], entry["name"], len(entry["preview"]["objects"])) for entry in found[:2]] == [
        ("wds1", "shop", 2),
        ("wds2", "shop", 1),
    ]
    shared = [item["message"] for item in found[0]["preview"]["warnings"] if item["code"] == "shared-object"]
    assert any("in wds2" in text for text in shared)
    assert "everything-on-host" in codes(found[2])


def test_each_its_has_its_own_clusters():
    options = {
        "wdses": [{"name": "a", "its": "x"}, {"name": "b", "its": "y"}],
        "workloads": [workload("shop", NAMESPACE, wds="a"), workload("shop", NAMESPACE, wds="b")],
        "policies": [policy("shop", selectors=[{}], wds="a"), policy("shop", selectors=[{}], wds="b")],
        "clusters": [{"name": "c1", "its": "x"}, {"name": "c1", "its": "y"}, {"name": "c2", "its": "y"}],
    }
    first, second = offline.previews(offline.scene(options))
    assert (first["preview"]["clusters"], second["preview"]["clusters"]) == (["c1"], ["c1", "c2"])
    assert "shared-object" not in codes(first)


def test_policies_may_be_among_the_manifests():
    found = seen({"definitions": [NAMESPACE, NOTE, POLICY], "policies": [policy("more", {"api_group": ""})]})
    assert list(found) == ["more", "shop"]
    assert found["shop"]["preview"]["clusters"] == ["c1", "c2", "c3"]


def test_guards_do_not_stop_the_others():
    options = {
        "workloads": [workload("a", NAMESPACE), workload("b", NOTE)],
        "policies": [
            policy("a", guards={"max_clusters": "1", "cluster_scoped": "refuse"}),
            policy("b", guards={"max_clusters": "100%"}),
        ],
    }
    found = seen(options)
    assert [item["code"] for item in found["a"]["refused"]] == ["guard-max-clusters", "guard-cluster-scoped"]
    assert found["b"]["refused"] == [] and found["b"]["preview"]["clusters"] == ["c1", "c2"]


def test_without_clusters_only_objects_are_looked_at():
    options = {"definitions": [NAMESPACE, NOTE], "policies": [policy("p", {"api_group": ""})]}
    (entry,) = offline.previews(offline.scene(options))
    assert codes(entry)[0] == "clusters-unknown" and entry["preview"]["clusters"] == []
    with pytest.raises(InvalidInput, match="guards.max_clusters needs to know the clusters"):
        offline.scene({**options, "policies": [policy("p", {"api_group": ""}, guards={"max_clusters": "3"})]})


# -- an earlier state ---------------------------------------------------------------------------------------------------


BEFORE = {
    "workloads": [workload("shop", NAMESPACE, NOTE), workload("old", manifest("Namespace", "old"))],
    "policies": [policy("shop"), policy("old")],
    "clusters": CLUSTERS,
}
AFTER = {
    "workloads": [workload("shop", NAMESPACE, manifest("ConfigMap", "other", "shop"))],
    "policies": [
        policy("shop", clause("shop", create_only=True), selectors=[{"match_labels": {"city": "turin"}}])
    ],
    "clusters": [{"name": "c1", "labels": {"city": "turin"}}, {"name": "c4", "labels": {"city": "turin"}}],
}


def check_change(before):
    shop, old = offline.previews(offline.scene(AFTER), before)
    assert shop["preview"]["clusters_added"] == ["c4"] and shop["preview"]["clusters_removed"] == ["c2"]
    assert names(shop["preview"]["objects_added"]) == ["ConfigMap shop/other"]
    assert names(shop["preview"]["objects_removed"]) == ["ConfigMap shop/note"]
    assert shop["preview"]["objects_removed"][0]["last_copy"]
    assert names(shop["preview"]["objects_changed"]) == ["Namespace shop"]
    assert (old["name"], old["state"]) == ("old", "absent")
    assert names(old["preview"]["objects_removed"]) == ["Namespace old"]
    assert old["preview"]["clusters_removed"] == ["c1", "c2"]
    assert {"last-copy", "policy-unlisted"} <= set(codes(old))
    # Nothing removes what is only gone from the files, and no line may claim it.
    lines = report.text("hub", [old], compared=True)
    assert "old in wds1: not described any more, 1 object in 2 clusters" in lines


def test_a_change_is_shown_beside_earlier_files():
    before = offline.earlier({**AFTER, "before": BEFORE})
    check_change(before)


def test_a_change_is_shown_beside_an_earlier_report(tmp_path):
    path = tmp_path / "hub.json"
    path.write_text(json.dumps(report.data("hub", offline.previews(offline.scene(BEFORE)), compared=False)))
    before = offline.earlier({**AFTER, "before": {"report": str(path)}})
    assert before.deliveries.keys() == {("wds1", "shop"), ("wds1", "old")}
    check_change(before)


def test_what_the_earlier_state_leaves_out_is_as_now():
    options = {
        **BEFORE,
        "before": {"clusters": [*CLUSTERS, {"name": "c9", "labels": {"location-group": "edge"}}]},
    }
    (shop, _old) = offline.previews(offline.scene(options), offline.earlier(options))
    assert shop["preview"]["clusters_removed"] == ["c9"]
    assert shop["preview"]["objects_added"] == [] and shop["preview"]["objects_removed"] == []


def test_a_policy_that_is_absent_is_shown_if_it_was_there():
    absent = [{"name": "shop", "state": "absent"}]
    options = {**BEFORE, "policies": absent, "before": {"policies": [policy("shop")]}}
    (entry,) = offline.previews(offline.scene(options), offline.earlier(options))
    assert entry["state"] == "absent" and len(entry["preview"]["objects_removed"]) == 2
    assert offline.previews(offline.scene(options)) == []


def test_guards_of_change_need_an_earlier_state():
    guarded = policy("shop", selectors=[], guards={"max_removed_clusters": "20%"})
    options = {**BEFORE, "policies": [guarded], "before": {"policies": [policy("shop")]}}
    (entry,) = offline.previews(offline.scene(options), offline.earlier(options))
    assert [item["code"] for item in entry["refused"]] == ["guard-max-removed-clusters"]
    assert offline.previews(offline.scene(options))[0]["refused"] == []


def test_no_earlier_state_is_none():
    assert offline.earlier({}) is None
    assert offline.earlier({"before": None}) is None
    assert offline.earlier({"before": {"src": None, "report": None}}) is None


# -- files of clusters --------------------------------------------------------------------------------------------------


def write(folder, **documents):
    """Files by name, with their documents; their folder."""
    for name, content in documents.items():
        (folder / f"{name}.yml").write_text(yaml.safe_dump_all(content))
    return str(folder)


def test_clusters_are_read_from_files_of_every_form(tmp_path):
    told = {
        "name": "c4",
        "labels": {"a": "b"},
        "properties": {},
        "accepted": True,
        "lease_age": 3.1,
        "taints": [],
    }
    folder = write(
        tmp_path,
        a=[{"clusters": [{"name": "c1", "labels": {"x": "1"}, "properties": {"p": "q"}}]}],
        b=[{"managed_clusters": [told]}],
        c=[
            manifest(
                "ManagedCluster",
                "c2",
                api_version="cluster.open-cluster-management.io/v1",
                metadata={"labels": {"x": "2"}, "annotations": {"n": "a"}},
            ),
            manifest("ConfigMap", "c2", "customization-properties", data={"p": "r"}),
            manifest("ConfigMap", "c9", "customization-properties", data={"p": "r"}),
        ],
    )
    given = offline.scene({"clusters": [{"name": "c3"}], "clusters_src": [folder]})
    assert [target for _its, target in given.targets] == [
        Target("c3", {}),
        Target("c1", {"x": "1"}, {}, {"p": "q"}),
        Target("c4", {"a": "b"}, {}, {}),
        Target("c2", {"x": "2"}, {"n": "a"}, {"p": "r"}),
    ]


@pytest.mark.parametrize(
    ("documents", "words"),
    [
        ([{"cluster": []}], "neither a list clusters nor a ManagedCluster"),
        ([{"clusters": {}}], "neither a list clusters"),
        ([{"clusters": ["c1"]}], "no mapping with a name"),
        ([{"clusters": [{"labels": {}}]}], "no mapping with a name"),
        ([{"clusters": [{"name": "c1", "label": {}}]}], "has label, which is not known"),
        ([{"clusters": [{"name": "c1", "labels": ["a"]}]}], "labels of the cluster c1 is no mapping"),
        ([{"clusters": [{"name": "c1", "labels": {"a": True}}]}], "the value of a is true, no text"),
        ([{"clusters": [{"name": "c1"}, {"name": "c1"}]}], "c1 is named twice"),
        ([{"clusters": [{"name": "a.b"}]}], "it has a dot"),
        ([manifest("Deployment", "web", "shop", api_version="apps/v1")], "neither a ManagedCluster nor"),
        ([manifest("ConfigMap", "web", "shop")], "neither a ManagedCluster nor"),
        ([{"kind": "ManagedCluster"}], "has no metadata.name"),
        ([{"kind": "List", "items": ["x"]}], "a str in a list"),
        ([["x"]], "a list where an object was expected"),
    ],
)
def test_a_wrong_file_of_clusters_is_one_sentence(tmp_path, documents, words):
    with pytest.raises(InvalidInput, match=words):
        offline.scene({"clusters_src": [write(tmp_path, clusters=documents)]})


# -- what is wrong ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"src": ["/nowhere"]}, "/nowhere does not exist"),
        ({"definitions": "a: [b"}, "not valid YAML"),
        ({"definitions": [{"kind": "X"}]}, "entry 1 has no apiVersion"),
        ({"definitions": [NOTE, NOTE]}, "is there twice"),
        (
            {"definitions": [manifest("ConfigMap", "x")]},
            r"wds1: offline: ConfigMap x \(definitions entry 1\) names no namespace",
        ),
        ({"workloads": [workload("shop")]}, "workload shop has no objects"),
        ({"workloads": [workload("Shop", NOTE)]}, "'Shop' is not allowed"),
        ({"workloads": [workload("shop", NOTE, wds="wds2")]}, "workload shop is for the WDS wds2"),
        ({"policies": [policy("p", wds="wds2")]}, "policy p is for the WDS wds2"),
        ({"policies": [{"state": "present"}]}, "neither a name nor a definition"),
        ({"policies": [{"state": "absent"}]}, "has no name"),
        ({"policies": [policy("p"), policy("p")]}, "the policy p is there twice"),
        ({"policies": [policy("shop")], "definitions": [POLICY]}, "the policy shop is there twice"),
        ({"policies": [policy("p", {})]}, "no selector"),
        ({"policies": [policy("p", guards={"max_clusters": "few"})]}, "neither a number nor a percentage"),
        ({"definitions": [{**POLICY, "spec": {"x": 1}}]}, "spec has no field 'x'"),
    ],
)
def test_wrong_files_are_one_sentence(options, words):
    with pytest.raises(InvalidInput, match=words):
        offline.scene({"clusters": CLUSTERS, **options})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read"),
        ("{", "is not JSON"),
        ("[]", "is no report"),
        ("{}", "is no report"),
        ('{"previews": [{}]}', "is no report"),
        ('{"previews": [{"preview": {"objects": [1]}}]}', "is no report"),
        ('{"previews": [{"preview": {"objects": [{"group": ""}]}}]}', "is no report"),
    ],
)
def test_an_earlier_report_that_is_none_is_one_sentence(tmp_path, content, words):
    path = tmp_path / "before.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(InvalidInput, match=words):
        offline.earlier({"before": {"report": str(path)}})


def test_a_report_stands_alone():
    with pytest.raises(InvalidInput, match="report and more"):
        offline.earlier({"before": {"report": "x", "src": ["y"]}})


# -- the module ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def run(capfd, monkeypatch):
    """The module, in an environment that leads nowhere."""
    monkeypatch.setenv("K8S_AUTH_HOST", "https://127.0.0.1:9")

    def call(**parameters):
        capfd.readouterr()
        with patch_module_args(parameters), pytest.raises(SystemExit):
            binding_policy_info.main()
        return dict(json.loads(capfd.readouterr().out))

    return call


def test_the_module_previews_its_own_policy_among_others(run):
    options = {"workloads": [{"name": "shop", "src": [str(SHOP)]}], "clusters": CLUSTERS, "title": "hub"}
    result = run(
        **policy("shop"),
        kubeconfig="/nowhere",
        offline={**options, "policies": [policy("more", clause("shop"))]},
    )
    assert not result.get("failed"), result
    assert result["changed"] is False and result["policies"] == [] and result["unread"] == []
    assert [entry["name"] for entry in result["previews"]] == ["shop", "more"]
    assert result["preview"] == result["previews"][0]["preview"]
    assert result["title"] == "hub" and result["compared"] is False
    assert result["summary"]["placements"] == 24
    assert result["text"][0] == "placement on hub: 2 policies, 2 clusters, 6 objects"
    assert result["markdown"].startswith("## Placement on `hub`\n")
    assert result["refusals"] == []


def test_the_module_says_what_guards_would_refuse_and_compares(run):
    options = {
        **AFTER,
        "policies": [policy("shop", guards={"min_clusters": 1, "max_removed_clusters": "0"})],
        "before": BEFORE,
    }
    result = run(offline=options)
    assert not result.get("failed"), result
    assert result["compared"] is True and "preview" not in result
    assert [line.partition(":")[0] for line in result["refusals"]] == ["shop in wds1"] * 2
    assert "guard-min-clusters" in result["refusals"][0]
    assert "guard-max-removed-clusters" in result["refusals"][1]


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"offline": {}}, "there is no policy to preview"),
        ({"offline": {"policy": []}}, "Unsupported parameters"),
        ({"offline": {"policies": [{"name": "p", "guards": {"most": 3}}]}}, "Unsupported parameters"),
        ({"offline": {"clusters": [{"labels": {}}]}}, "missing required arguments: name"),
        (
            {"offline": {"before": {"src": ["/nowhere"]}, "policies": [policy("p")]}},
            "/nowhere does not exist",
        ),
    ],
)
def test_the_module_refuses_what_cannot_be_right(run, parameters, words):
    result = run(**parameters)
    assert result["failed"] and words in result["msg"]


def test_a_removed_policy_alone_can_be_previewed(run):
    result = run(offline={**AFTER, "policies": [], "before": {**BEFORE, "policies": [policy("shop")]}})
    assert [(entry["name"], entry["state"]) for entry in result["previews"]] == [("shop", "absent")]


def test_keys_are_those_of_the_placement():
    """So that an earlier report and files lead to the same."""
    given = offline.deliveries(offline.scene(BEFORE))["wds1", "shop"]
    assert ObjectKey("", "configmaps", "shop", "note") in given.objects
    assert given.clusters == {"c1", "c2"}
