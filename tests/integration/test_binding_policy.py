# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""binding_policy and binding_policy_info against a real stack: options, guards, warnings, waits, previews.

All policies and objects here are named `bp-...` and live in Namespaces of their own, so the shop stays as it is.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    BINDING_POLICIES,
    BINDINGS,
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    CONFIG_MAPS,
    CRDS,
    CUSTOM_TRANSFORMS,
    MANAGED_CLUSTERS,
    MANIFEST_WORKS,
    NAMESPACES,
    Resource,
)
from ansible_collections.kubestellar.core.plugins.module_utils._workstatus import ORIGIN_BINDING_LABEL
from ansible_collections.kubestellar.core.tests.waiting import eventually

from .running import Running

DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment", True)
LIMIT_RANGES = Resource("", "v1", "limitranges", "LimitRange", True)
WIDGETS = Resource("bp.example.com", "v1", "widgets", "Widget", True)

LISBON = [{"match_labels": {"city": "lisbon"}}]
TURIN = [{"match_labels": {"city": "turin"}}]
BOTH = [{"match_labels": {"location-group": "edge"}}]
NOWHERE = [{"match_labels": {"location-group": "moon"}}]
MINE = [{"object_selectors": [{"match_labels": {"bp-test": "yes"}}]}]
KEYS = {"Namespace bp-test", "ConfigMap bp-test/one", "ConfigMap bp-test/two"}


@dataclass
class Place:
    """The module for policies of one WDS, and the objects that tests put there."""

    stack: Running
    module: Callable[..., dict[str, Any]]

    def __post_init__(self) -> None:
        self.wds = self.stack.cluster("wds1")
        self.its = self.stack.cluster("its1")
        self.connection = {
            "kubeconfig": self.stack.kubeconfig,
            "context": "hub",
            "wds": "wds1",
            "its": "its1",
        }

    def policy(self, **options: Any) -> dict[str, Any]:
        """Run binding_policy."""
        return self.module("binding_policy", **{**self.connection, "name": "bp-main", **options})

    def info(self, **options: Any) -> dict[str, Any]:
        """Run binding_policy_info."""
        return self.module("binding_policy_info", **{**self.connection, **options})

    def make(self, kind: Resource, name: str, namespace: str = "", **fields: Any) -> dict[str, Any]:
        """Apply one object in the WDS."""
        metadata = {
            "name": name,
            **({"namespace": namespace} if namespace else {}),
            **fields.pop("metadata", {}),
        }
        return self.wds.apply(
            kind, {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata, **fields}
        )

    def versions(self) -> list[tuple[str, str]]:
        """All policies of the WDS with their versions: what a refused or checked call must leave as it was."""
        items = self.wds.list(BINDING_POLICIES).items
        return sorted(
            (item["metadata"]["name"], item["metadata"]["uid"], str(item["spec"])) for item in items
        )

    def writes(self, mark: dict[str, int]) -> list[str]:
        """What was written anywhere since a mark; dry runs, which write nothing, say so in their URL."""
        return [line for line in self.stack.writes_since(mark) if "dryRun=All" not in line]

    def works(self) -> list[str]:
        """The ManifestWorks of these tests, each with its cluster. One is gone when its objects are gone from the cluster."""
        metas = [
            item["metadata"]
            for item in self.its.list(MANIFEST_WORKS, label_selector=ORIGIN_BINDING_LABEL).items
        ]
        mine = [meta for meta in metas if meta["labels"][ORIGIN_BINDING_LABEL].startswith("bp-")]
        return [f"{meta['namespace']}/{meta['name']}" for meta in mine]

    def delivered(self) -> str:
        """When the last ManifestWork of these tests was written."""
        works = self.its.list(MANIFEST_WORKS, label_selector=f"{ORIGIN_BINDING_LABEL}=bp-main").items
        return max(str(entry["time"]) for work in works for entry in work["metadata"]["managedFields"])

    def bound(self, name: str = "bp-main") -> bool:
        """Whether the policy has a Binding."""
        return self.wds.get(BINDINGS, name) is not None


@pytest.fixture(scope="module")
def objects(stack) -> Iterator[None]:
    """A Namespace with two ConfigMaps in the WDS."""
    wds = stack.cluster("wds1")
    labels = {"bp-test": "yes"}
    wds.apply(
        NAMESPACES,
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "bp-test", "labels": labels}},
    )
    for name in ("one", "two"):
        metadata = {"name": name, "namespace": "bp-test", "labels": {**labels, "bp-name": name}}
        wds.apply(
            CONFIG_MAPS, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "b"}}
        )
    yield
    wds.delete(NAMESPACES, "bp-test")
    eventually(lambda: wds.get(NAMESPACES, "bp-test") is None)


@pytest.fixture
def place(stack, module, objects) -> Iterator[Place]:
    """The module and the objects; all policies of a test go with it, also from the clusters, which `emptied` waits for."""
    here = Place(stack, module)
    yield here
    for item in here.wds.list(BINDING_POLICIES).items:
        name = item["metadata"]["name"]
        if name.startswith("bp-"):
            here.wds.delete(BINDING_POLICIES, name)
    eventually(
        lambda: not any(i["metadata"]["name"].startswith("bp-") for i in here.wds.list(BINDINGS).items)
    )


@pytest.fixture
def emptied(place) -> None:
    """The clusters have nothing of earlier tests.

    A Namespace that is still on its way out there is taken for the one that is delivered, and then it is gone.
    """
    eventually(lambda: not place.works(), 120)


def now() -> str:
    """As in managedFields."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def ok(result: dict[str, Any]) -> dict[str, Any]:
    """A result that is no failure."""
    assert not result.get("failed"), result
    return result


def codes(result: dict[str, Any]) -> list[str]:
    """The codes of the warnings of a preview."""
    return [item["code"] for item in result["preview"]["warnings"]]


def texts(result: dict[str, Any]) -> list[str]:
    """The warnings of the task itself. Those of earlier calls in this process are there too, so policies are told apart."""
    name = result["invocation"]["module_args"]["name"]
    found = [item["event"]["msg"] for item in result.get("warnings", [])]
    return [text for text in found if text.startswith(f"wds1: BindingPolicy {name}: ")]


def keys(entries: list[dict[str, Any]]) -> set[str]:
    """`ConfigMap bp-test/one`."""
    return {f"{e['kind']} {e['namespace']}{'/' if e['namespace'] else ''}{e['name']}" for e in entries}


# -- options: set, same, changed, unset, each in check mode first ------------------------------------------------------


def change(place: Place, expected: bool, **options: Any) -> dict[str, Any]:
    """Run with the options in check mode, then really, then again; see that the forecast was true."""
    mark = place.stack.mark()
    forecast = ok(place.policy(_check=True, **options))
    assert place.writes(mark) == []
    assert forecast["changed"] is expected
    done = ok(place.policy(**options))
    assert (done["changed"], done["method"]) == (expected, forecast["method"])
    assert done["object"]["spec"] == forecast["object"]["spec"]
    for field in ("labels", "annotations"):
        assert done["object"]["metadata"].get(field) == forecast["object"]["metadata"].get(field)
    mark = place.stack.mark()
    assert ok(place.policy(**options))["changed"] is False
    assert place.writes(mark) == []
    return done


CLAUSE = {"object_names": ["one"], "resources": ["configmaps"]}
OPTIONS = [
    ("cluster_selectors", LISBON, TURIN, [], lambda o: o["spec"].get("clusterSelectors")),
    (
        "downsync",
        [CLAUSE],
        [CLAUSE, {"resources": ["configmaps"], "namespaces": ["bp-test"]}],
        [],
        lambda o: o["spec"].get("downsync"),
    ),
    ("labels", {"team": "a"}, {"team": "b"}, None, lambda o: o["metadata"].get("labels")),
    (
        "annotations",
        {"note": "any: text"},
        {"note": "other"},
        None,
        lambda o: o["metadata"].get("annotations"),
    ),
]


@pytest.mark.parametrize(
    ("option", "first", "second", "none", "read"), OPTIONS, ids=[case[0] for case in OPTIONS]
)
def test_each_option_set_same_changed_unset(place, option, first, second, none, read):
    base = {"cluster_selectors": NOWHERE, "downsync": [CLAUSE], option: None}
    if option in ("cluster_selectors", "downsync"):
        base[option] = none
    seen = [read(change(place, True, **{**base, option: value})["object"]) for value in (first, second)]
    assert seen[0] != seen[1] and all(seen)
    assert not read(change(place, True, **{**base, option: none})["object"])


FIELDS = [
    ("api_group", "apps", "", "apiGroup"),
    ("resources", ["configmaps"], ["secrets", "configmaps"], "resources"),
    ("namespaces", ["bp-test"], ["*"], "namespaces"),
    ("namespace_selectors", [{"match_labels": {"bp-test": "yes"}}], [{}], "namespaceSelectors"),
    ("object_names", ["one"], ["one", "two"], "objectNames"),
    (
        "object_selectors",
        MINE[0]["object_selectors"],
        [{"match_expressions": [{"key": "bp-test", "operator": "Exists"}]}],
        "objectSelectors",
    ),
    ("create_only", True, False, "createOnly"),
    ("status_collectors", ["a"], ["a", "b"], "statusCollectors"),
    ("want_singleton_reported_state", True, False, "wantSingletonReportedState"),
    ("want_multi_wec_reported_state", True, False, "wantMultiWECReportedState"),
]


@pytest.mark.parametrize(("option", "first", "second", "field"), FIELDS, ids=[case[0] for case in FIELDS])
def test_each_field_of_a_clause_set_same_changed_unset(place, option, first, second, field):
    base = {"resources": ["configmaps"], "object_names": ["one", "two"]}
    rest = {key: value for key, value in base.items() if key != option}
    values = []
    for value in (first, second, None):
        clause = {**rest, **({option: value} if value is not None else {})}
        # Without a value is what `false` means.
        done = change(
            place, value is not None or second is not False, cluster_selectors=NOWHERE, downsync=[clause]
        )
        values.append(done["object"]["spec"]["downsync"][0].get(field))
    assert values[0] != values[1] and values[2] is None


def test_a_definition_is_the_same_as_the_options(place):
    change(place, True, cluster_selectors=LISBON, downsync=MINE, labels={"a": "b"})
    manifest = {
        "apiVersion": "control.kubestellar.io/v1alpha1",
        "kind": "BindingPolicy",
        "metadata": {"name": "bp-main", "labels": {"a": "b"}},
        "spec": {
            "clusterSelectors": [{"matchLabels": {"city": "lisbon"}}],
            "downsync": [{"objectSelectors": [{"matchLabels": {"bp-test": "yes"}}]}],
        },
    }
    mark = place.stack.mark()
    assert ok(place.policy(definition=manifest))["changed"] is False
    assert place.writes(mark) == []
    manifest["spec"]["clusterSelectors"] = []
    assert change(place, True, definition=manifest)["preview"]["clusters"] == []


def test_labels_annotations_and_finalizers_of_others_survive(place):
    ok(
        place.policy(
            cluster_selectors=NOWHERE, downsync=MINE, labels={"ours": "1"}, annotations={"ours": "1"}
        )
    )
    foreign = {"metadata": {"labels": {"theirs": "1"}, "annotations": {"theirs": "1"}}}
    place.wds.patch(BINDING_POLICIES, "bp-main", None, foreign, field_manager="someone")
    eventually(lambda: place.wds.get(BINDING_POLICIES, "bp-main")["metadata"].get("finalizers"))
    done = ok(place.policy(cluster_selectors=NOWHERE, downsync=MINE, labels={"ours": "2"}))
    metadata = done["object"]["metadata"]
    assert metadata["labels"] == {"ours": "2", "theirs": "1"}
    assert metadata["annotations"] == {"theirs": "1"}
    assert metadata["finalizers"]


def test_a_conflict_names_owner_and_field_and_can_be_overruled(place):
    theirs = {
        "apiVersion": "control.kubestellar.io/v1alpha1",
        "kind": "BindingPolicy",
        "metadata": {"name": "bp-main", "labels": {"team": "theirs"}},
        "spec": {
            "downsync": [{"resources": ["configmaps"], "namespaces": ["bp-test"]}],
        },
    }
    place.wds.apply(BINDING_POLICIES, theirs, field_manager="some-tool")
    before = place.versions()
    wanted = {"cluster_selectors": LISBON, "downsync": MINE, "labels": {"team": "ours"}}
    for check in (True, False):
        failed = place.policy(_check=check, **wanted)
        assert failed["failed"] and failed["status"] == 409
        assert "some-tool owns" in failed["msg"] and "force_conflicts" in failed["msg"]
        assert {"manager": "some-tool", "field": ".metadata.labels.team"} in failed["conflicts"]
        assert {"manager": "some-tool", "field": ".spec.downsync"} in failed["conflicts"]
    assert place.versions() == before
    change(place, True, **wanted, force_conflicts=True)


# -- invalid policies ----------------------------------------------------------------------------------------------------

# tests/unit/plugins/modules/test_mistakes.py has all of them, and sees that nobody is asked.
INVALID = [
    ({"cluster_selectors": [{"match_labels": {"a b": "c"}}]}, "legal key"),
    ({"guards": {"max_clusters": "some"}}, "neither a number nor a percentage"),
]


@pytest.mark.parametrize(("options", "word"), INVALID, ids=[word for _options, word in INVALID])
def test_an_invalid_policy_is_one_sentence_and_no_request(place, options, word):
    given = {"cluster_selectors": NOWHERE, "downsync": MINE, **options}
    before = place.versions()
    requests = {context: len(log(place, context)) for context in ("hub", "wds1", "its1")}
    for check in (True, False):
        failed = place.policy(_check=check, **given)
        assert failed["failed"] and word in failed["msg"], failed["msg"]
        assert "Traceback" not in str(failed)
    assert {context: len(log(place, context)) for context in requests} == requests
    assert place.versions() == before


def log(place: Place, context: str) -> list[str]:
    """Writes in the audit log of a cluster that are not those of controllers."""
    return [str(event) for event in place.stack.writes(context)]


# -- preview ------------------------------------------------------------------------------------------------------------


@pytest.mark.core
def test_the_preview_is_what_the_binding_becomes_and_check_mode_writes_nothing(place):
    mark = place.stack.mark()
    options = {
        "cluster_selectors": LISBON,
        "downsync": [
            *MINE,
            {
                "resources": ["configmaps"],
                "object_names": ["two"],
                "namespaces": ["bp-test"],
                "create_only": True,
            },
        ],
    }
    plan = ok(place.policy(_check=True, _diff=True, **options))
    assert place.writes(mark) == []
    seen = plan["preview"]
    assert seen["clusters"] == seen["clusters_added"] == ["cluster1"]
    assert keys(seen["objects"]) == keys(seen["objects_added"]) == KEYS
    assert {e["name"]: e["create_only"] for e in seen["objects"]} == {
        "one": False,
        "two": True,
        "bp-test": False,
    }
    assert [entry["after_header"] for entry in plan["diff"]] == [
        "wds1: BindingPolicy bp-main",
        "wds1: placement of BindingPolicy bp-main",
    ]
    assert plan["diff"][1]["after"] == (
        "clusters:\n- cluster1\nobjects:\n- ConfigMap bp-test/one\n- ConfigMap bp-test/two (create_only)\n- Namespace bp-test\n"
    )
    done = ok(place.policy(**options, wait="bound", wait_timeout=60))
    assert done["binding"]["clusters"] == seen["clusters"]
    named = [{k: e[k] for k in ("group", "resource", "namespace", "name")} for e in seen["objects"]]
    assert done["binding"]["objects"] == named
    binding = place.wds.get(BINDINGS, "bp-main")
    assert {e["name"] for e in binding["spec"]["workload"]["namespaceScope"] if e.get("createOnly")} == {
        "two"
    }


def test_a_change_tells_what_is_added_removed_and_changed(place):
    ok(place.policy(cluster_selectors=LISBON, downsync=MINE, wait="bound", wait_timeout=60))
    one = {
        "resources": ["configmaps"],
        "object_names": ["one"],
        "namespaces": ["bp-test"],
        "create_only": True,
    }
    plan = ok(place.policy(_check=True, _diff=True, cluster_selectors=BOTH, downsync=[one]))
    seen = plan["preview"]
    assert (seen["clusters_added"], seen["clusters_removed"]) == (["cluster2"], [])
    assert (keys(seen["objects_added"]), keys(seen["objects_changed"])) == (set(), {"ConfigMap bp-test/one"})
    assert keys(seen["objects_removed"]) == {"Namespace bp-test", "ConfigMap bp-test/two"}
    assert all(entry["last_copy"] for entry in seen["objects_removed"])
    assert {"last-copy", "namespace-missing"} <= set(codes(plan))
    assert "- cluster2\n" in plan["diff"][1]["after"] and "- cluster2\n" not in plan["diff"][1]["before"]
    replaced = ok(place.policy(_check=True, cluster_selectors=TURIN, downsync=MINE))
    assert "clusters-replaced" in codes(replaced) and "last-copy" not in codes(replaced)
    unchanged = ok(place.policy(_diff=True, cluster_selectors=LISBON, downsync=MINE))
    assert "diff" not in unchanged


def test_without_an_its_objects_are_previewed_and_that_is_said(place):
    plan = ok(place.policy(_check=True, its=None, cluster_selectors=LISBON, downsync=MINE))
    assert keys(plan["preview"]["objects"]) == KEYS
    assert plan["preview"]["clusters"] == [] and codes(plan) == ["clusters-unknown"]


def test_direct_connections_need_no_hosting_cluster(place):
    direct = {
        "kubeconfig": None,
        "context": None,
        "wds_kubeconfig": place.stack.kubeconfig,
        "wds_context": "wds1",
        "its_kubeconfig": place.stack.kubeconfig,
        "its_context": "its1",
    }
    plan = ok(place.policy(_check=True, cluster_selectors=BOTH, downsync=MINE, **direct))
    assert plan["preview"]["clusters"] == ["cluster1", "cluster2"] and codes(plan) == []


def test_the_groups_of_the_controller_limit_the_preview(place):
    everything = [{"resources": ["*"], "namespaces": ["bp-test"]}]
    plan = ok(place.policy(_check=True, cluster_selectors=LISBON, downsync=everything, api_groups=["apps"]))
    assert plan["preview"]["objects"] == []


# -- absent ---------------------------------------------------------------------------------------------------------------


@pytest.mark.core
@pytest.mark.usefixtures("emptied")
def test_absent_previews_what_leaves_and_waits_until_it_has(place):
    assert ok(place.policy(state="absent"))["changed"] is False
    ok(place.policy(cluster_selectors=BOTH, downsync=MINE, wait="applied", wait_timeout=120))
    mark = place.stack.mark()
    plan = ok(place.policy(_check=True, _diff=True, state="absent"))
    assert place.writes(mark) == []
    assert (plan["changed"], plan["method"]) == (True, "delete")
    seen = plan["preview"]
    assert seen["clusters_removed"] == ["cluster1", "cluster2"] and seen["clusters"] == seen["objects"] == []
    assert keys(seen["objects_removed"]) == KEYS and codes(plan) == ["last-copy"]
    assert plan["diff"][1]["after"] == "clusters: []\nobjects: []\n"
    assert place.wds.get(BINDING_POLICIES, "bp-main") is not None
    refused = place.policy(state="absent", guards={"max_removed_clusters": 1})
    assert [item["code"] for item in refused["refused"]] == ["guard-max-removed-clusters"]
    assert place.wds.get(BINDING_POLICIES, "bp-main") is not None
    done = ok(place.policy(state="absent", wait_timeout=120))
    assert keys(done["preview"]["objects_removed"]) == KEYS
    for name in ("cluster1", "cluster2"):
        assert place.stack.cluster(name).get(CONFIG_MAPS, "one", "bp-test") is None
    assert [
        w for w in place.its.list(MANIFEST_WORKS).items if "bp-main" in str(w["metadata"]["labels"])
    ] == []
    assert not place.bound()


# -- guards ---------------------------------------------------------------------------------------------------------------

GUARDS = [
    ({"min_clusters": 2}, LISBON, MINE, "guard-min-clusters", ["1 cluster ", "cluster1"]),
    ({"min_clusters": "60%"}, LISBON, MINE, "guard-min-clusters", ["60%"]),
    ({"max_clusters": 1}, BOTH, MINE, "guard-max-clusters", ["2 clusters", "cluster1, cluster2"]),
    pytest.param({"max_clusters": "50%"}, BOTH, MINE, "guard-max-clusters", ["50%"], marks=pytest.mark.core),
    ({"max_objects": 2}, LISBON, MINE, "guard-max-objects", ["3 objects", "ConfigMap bp-test/one"]),
    (
        {"cluster_scoped": "refuse"},
        LISBON,
        [{"resources": ["namespaces"], "object_names": ["bp-test"]}],
        "guard-cluster-scoped",
        ["Namespace bp-test"],
    ),
]


@pytest.mark.parametrize(
    ("guards", "clusters", "clauses", "code", "words"),
    GUARDS,
    ids=[str(getattr(case, "values", case)[0]) for case in GUARDS],
)
def test_a_guard_refuses_before_the_first_write(place, guards, clusters, clauses, code, words):
    refuse(place, code, words, cluster_selectors=clusters, downsync=clauses, guards=guards)


@pytest.mark.parametrize(
    ("guards", "clusters", "clauses", "code", "words"),
    [
        (
            {"max_removed_clusters": "0"},
            TURIN,
            MINE,
            "guard-max-removed-clusters",
            ["1 cluster of 1", "cluster1"],
        ),
        ({"max_removed_clusters": "20%"}, [], MINE, "guard-max-removed-clusters", ["1 cluster of 1", "20%"]),
        pytest.param(
            {"max_removed_objects": 1},
            LISBON,
            [CLAUSE],
            "guard-max-removed-objects",
            ["2 objects of 3", "ConfigMap bp-test/two"],
            marks=pytest.mark.core,
        ),
        ({"max_removed_objects": "50%"}, LISBON, [CLAUSE], "guard-max-removed-objects", ["50%"]),
        ({"max_objects": "90%"}, LISBON, MINE, "guard-max-objects", ["3 objects", "90%"]),
    ],
)
def test_a_guard_refuses_what_a_change_takes_away(place, guards, clusters, clauses, code, words):
    ok(place.policy(cluster_selectors=LISBON, downsync=MINE, wait="bound", wait_timeout=60))
    refuse(place, code, words, cluster_selectors=clusters, downsync=clauses, guards=guards)


def refuse(place: Place, code: str, words: list[str], **options: Any) -> None:
    """See a change refused in both modes, with everything left as it was."""
    before, mark = place.versions(), place.stack.mark()
    for check in (True, False):
        failed = place.policy(_check=check, **options)
        assert failed["failed"] and [item["code"] for item in failed["refused"]] == [code]
        assert "is refused and nothing was changed" in failed["msg"]
        for word in words:
            assert word in failed["msg"]
        assert sorted(failed["preview"]) == [
            "clusters", "clusters_added", "clusters_removed", "objects", "objects_added", "objects_changed", "objects_removed", "warnings",
        ]  # fmt: skip
    assert place.writes(mark) == []
    assert place.versions() == before


def test_guards_that_hold_let_the_change_pass(place):
    guards = {
        "min_clusters": 1,
        "max_clusters": "50%",
        "max_objects": 3,
        "max_removed_clusters": 0,
        "max_removed_objects": "0%",
    }
    done = change(place, True, name="bp-quiet", cluster_selectors=LISBON, downsync=MINE, guards=guards)
    assert texts(done) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [("{{.bpNowhere}}", "template-property-missing"), ("{{.bp-nowhere}}", "template-invalid")],
)
def test_a_template_that_takes_everything_away_is_refused_unless_allowed(place, text, code):
    annotations = {"control.kubestellar.io/expand-templates": "true"}
    place.make(CONFIG_MAPS, "template", "bp-test", metadata={"annotations": annotations}, data={"x": text})
    try:
        clause = [{"resources": ["configmaps"], "namespaces": ["bp-test"], "object_names": ["template"]}]
        refuse(place, code, ["ConfigMap bp-test/template"], cluster_selectors=BOTH, downsync=clause)
        allowed = ok(
            place.policy(
                _check=True, cluster_selectors=BOTH, downsync=clause, guards={"missing_properties": "allow"}
            )
        )
        assert code in codes(allowed)
        assert code not in codes(ok(place.policy(_check=True, cluster_selectors=NOWHERE, downsync=clause)))
    finally:
        place.wds.delete(CONFIG_MAPS, "template", "bp-test")


# -- waits ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", ["bound", "applied", pytest.param("healthy", marks=pytest.mark.core)])
@pytest.mark.usefixtures("emptied")
def test_each_level_of_waiting_ends_with_what_it_says(place, level):
    done = ok(place.policy(cluster_selectors=BOTH, downsync=MINE, wait=level, wait_timeout=120))
    assert done["binding"]["clusters"] == ["cluster1", "cluster2"] and len(done["binding"]["objects"]) == 3
    assert done["preview"]["clusters_added"] == ["cluster1", "cluster2"]
    if level == "bound":
        assert "summary" not in done
        return
    assert done["summary"]["placements"] == 6
    for name in ("cluster1", "cluster2"):
        assert place.stack.cluster(name).get(CONFIG_MAPS, "two", "bp-test")["data"] == {"a": "b"}
    if level == "healthy":
        assert done["summary"]["healthy"] == 6
        mark = place.stack.mark()
        again = ok(place.policy(cluster_selectors=BOTH, downsync=MINE, wait=level, wait_timeout=120))
        assert again["changed"] is False and again["preview"]["clusters_added"] == []
        assert place.writes(mark) == []


def test_a_policy_for_nothing_is_bound_and_can_not_be_applied(place):
    nothing = [named("configmaps", "none")]
    done = ok(place.policy(cluster_selectors=NOWHERE, downsync=nothing, wait="bound", wait_timeout=60))
    assert done["binding"]["clusters"] == [] and done["binding"]["objects"] == []
    failed = place.policy(cluster_selectors=NOWHERE, downsync=nothing, wait="applied", wait_timeout=60)
    assert "selects no cluster, so nothing can be delivered" in failed["msg"]


def test_a_wait_that_times_out_tells_who_lacks_what(place):
    metadata = {"labels": {"bp-late": "yes"}}
    place.make(
        DEPLOYMENTS,
        "late",
        "bp-test",
        metadata=metadata,
        spec={
            "replicas": 1,
            "selector": {"matchLabels": {"a": "b"}},
            "template": {
                "metadata": {"labels": {"a": "b"}},
                "spec": {
                    "nodeSelector": {"no": "where"},
                    "containers": [{"name": "c", "image": "registry.example/c"}],
                },
            },
        },
    )
    try:
        clauses = [
            {"resources": ["namespaces"], "object_names": ["bp-test"]},
            {"object_selectors": [{"match_labels": {"bp-late": "yes"}}]},
        ]
        failed = place.policy(cluster_selectors=LISBON, downsync=clauses, wait="healthy", wait_timeout=12)
        assert failed["failed"] and failed["changed"] is True
        assert any("Deployment bp-test/late" in line and "cluster1" in line for line in failed["missing"]), (
            failed
        )
        assert failed["preview"]["clusters"] == ["cluster1"]
    finally:
        place.wds.delete(DEPLOYMENTS, "late", "bp-test")


# -- warnings -------------------------------------------------------------------------------------------------------------


def warned(place: Place, clauses: list[dict[str, Any]], clusters: Any = None, **options: Any) -> list[str]:
    """The codes of the warnings of a checked policy."""
    return codes(
        ok(
            place.policy(
                _check=True,
                cluster_selectors=BOTH if clusters is None else clusters,
                downsync=clauses,
                **options,
            )
        )
    )


def named(resource: str, *names: str, namespace: str | None = "bp-test", **more: Any) -> dict[str, Any]:
    """A clause for objects by name."""
    own = {"namespaces": [namespace]} if namespace else {}
    return {"resources": [resource], "object_names": list(names), **own, **more}


def test_what_is_in_order_earns_no_warning(place):
    assert warned(place, MINE) == []


def test_selections_that_match_nothing(place):
    assert warned(place, MINE, NOWHERE) == ["no-cluster"]
    assert warned(place, [named("configmaps", "none")]) == ["no-object"]
    result = ok(
        place.policy(_check=True, cluster_selectors=BOTH, downsync=[*MINE, named("configmaps", "none")])
    )
    assert codes(result) == ["clause-without-object"]
    assert "downsync[1] matches" in result["preview"]["warnings"][0]["message"]


def test_an_object_without_its_namespace(place):
    assert warned(place, [named("configmaps", "one")]) == ["namespace-missing"]
    namespace = named("namespaces", "bp-test", namespace=None)
    ok(
        place.policy(
            name="bp-other", cluster_selectors=LISBON, downsync=[namespace], wait="bound", wait_timeout=60
        )
    )
    result = ok(place.policy(_check=True, cluster_selectors=BOTH, downsync=[named("configmaps", "one")]))
    assert (
        codes(result) == ["namespace-missing"]
        and "to cluster2, where" in result["preview"]["warnings"][0]["message"]
    )
    assert warned(place, [named("configmaps", "one")], LISBON) == []


def test_the_same_object_from_two_policies_or_two_spaces(place):
    ok(place.policy(name="bp-other", cluster_selectors=LISBON, downsync=MINE, wait="bound", wait_timeout=60))
    assert warned(place, MINE, TURIN) == []
    result = ok(place.policy(_check=True, cluster_selectors=BOTH, downsync=MINE))
    assert codes(result) == ["shared-object"]
    assert "from the policy bp-other to cluster1:" in result["preview"]["warnings"][0]["message"]
    once = [{**MINE[0], "create_only": True}]
    assert warned(place, once) == ["shared-create-only"]
    # Seen from a WDS of another name, wds1 is another WDS of the same ITS.
    elsewhere = {"wds": "elsewhere", "wds_kubeconfig": place.stack.kubeconfig, "wds_context": "wds1"}
    result = ok(
        place.policy(_check=True, name="bp-other", cluster_selectors=LISBON, downsync=MINE, **elsewhere)
    )
    assert "shared-object" in codes(result)
    assert any(
        "from the policy bp-other in wds1 to cluster1:" in w["message"] for w in result["preview"]["warnings"]
    )


def test_status_that_will_not_come(place):
    singleton = [{**MINE[0], "want_singleton_reported_state": True}]
    assert warned(place, singleton) == ["singleton-clusters"]
    assert warned(place, singleton, LISBON) == []
    several = [{**MINE[0], "want_multi_wec_reported_state": True}]
    assert warned(place, several) == ["multi-wec-kind"]
    assert warned(place, several, LISBON) == []


def test_what_the_agents_may_not_apply_and_what_is_too_large(place):
    place.make(
        LIMIT_RANGES, "limits", "bp-test", spec={"limits": [{"type": "Container", "max": {"cpu": "1"}}]}
    )
    place.make(CONFIG_MAPS, "large", "bp-test", data={"x": "y" * 600_000})
    try:
        namespace = named("namespaces", "bp-test", namespace=None)
        assert warned(place, [namespace, named("limitranges", "limits")]) == ["agent-rights"]
        assert warned(place, [namespace, named("configmaps", "large")]) == ["object-too-large"]
    finally:
        place.wds.delete(LIMIT_RANGES, "limits", "bp-test")
        place.wds.delete(CONFIG_MAPS, "large", "bp-test")


def test_what_is_swept_up(place):
    eventually(lambda: place.wds.get(CONFIG_MAPS, "kube-root-ca.crt", "bp-test"))
    namespace = named("namespaces", "bp-test", namespace=None)
    assert warned(place, [namespace, named("configmaps", "one", "kube-root-ca.crt")]) == ["system-object"]
    assert warned(place, [named("namespaces", "kube-system", namespace=None)]) == ["system-object"]
    roles = [named("clusterroles", "admin", "edit", namespace=None)]
    assert warned(place, roles) == ["cluster-scoped"]
    assert warned(place, roles, guards={"cluster_scoped": "allow"}) == []


def test_a_custom_resource_without_its_definition_or_in_several_versions(place):
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"}
    spec = {"group": "bp.example.com", "scope": "Namespaced", "names": names, "versions": [version]}
    place.make(CRDS, "widgets.bp.example.com", spec=spec)
    try:
        eventually(lambda: any(r.group == "bp.example.com" for r in place.wds.resources(refresh=True)))
        place.make(WIDGETS, "w", "bp-test")
        widget = [named("namespaces", "bp-test", namespace=None), named("widgets", "w")]
        assert warned(place, widget) == ["crd-missing", "agent-rights"]
        definition = named("customresourcedefinitions", "widgets.bp.example.com", namespace=None)
        assert warned(place, [*widget, definition], guards={"cluster_scoped": "allow"}) == ["agent-rights"]
        spec["versions"].append({**version, "name": "v1beta1", "storage": False})
        place.wds.patch(CRDS, "widgets.bp.example.com", None, {"spec": spec}, field_manager="someone")
        eventually(lambda: warned(place, widget) == ["definition-versions", "crd-missing", "agent-rights"])
    finally:
        place.wds.delete(CRDS, "widgets.bp.example.com")
        eventually(lambda: all(r.group != "bp.example.com" for r in place.wds.resources(refresh=True)))


def test_clusters_that_are_not_accepted_or_not_there(place):
    for name, accepted in (("bp-stranger", False), ("bp-silent", True)):
        place.its.create(
            MANAGED_CLUSTERS,
            {
                "apiVersion": MANAGED_CLUSTERS.api_version,
                "kind": "ManagedCluster",
                "metadata": {"name": name, "labels": {"bp": "ghost"}},
                "spec": {"hubAcceptsClient": accepted},
            },
        )
    try:
        result = ok(
            place.policy(_check=True, cluster_selectors=[{"match_labels": {"bp": "ghost"}}], downsync=MINE)
        )
        assert codes(result) == ["cluster-unavailable", "cluster-not-accepted"]
        away, refused = (item["message"] for item in result["preview"]["warnings"])
        assert "bp-silent" in away and "bp-stranger" in refused
    finally:
        ghosts = ("bp-stranger", "bp-silent")
        for name in ghosts:
            place.its.delete(MANAGED_CLUSTERS, name)
        eventually(lambda: not any(place.its.get(MANAGED_CLUSTERS, name) for name in ghosts))
        # OCM makes a Namespace for who is accepted, and leaves it.
        place.its.delete(NAMESPACES, "bp-silent")


@pytest.mark.usefixtures("emptied")
def test_a_changed_property_and_a_changed_transform_that_will_not_arrive(place):
    annotations = {"control.kubestellar.io/expand-templates": "true"}
    property_of = {"metadata": {"annotations": {"bpColour": "red"}}}
    place.its.patch(MANAGED_CLUSTERS, "cluster1", None, property_of, field_manager="someone")
    place.make(
        CONFIG_MAPS, "colour", "bp-test", metadata={"annotations": annotations}, data={"x": "{{.bpColour}}"}
    )
    clauses = [named("namespaces", "bp-test", namespace=None), named("configmaps", "colour", "one")]
    transform = {
        "apiVersion": CUSTOM_TRANSFORMS.api_version,
        "kind": "CustomTransform",
        "metadata": {"name": "bp-transform"},
        "spec": {"apiGroup": "", "resource": "configmaps", "remove": ["$.data.bpNone"]},
    }
    try:
        ok(place.policy(cluster_selectors=LISBON, downsync=clauses, wait="applied", wait_timeout=120))
        assert place.stack.cluster("cluster1").get(CONFIG_MAPS, "colour", "bp-test")["data"] == {"x": "red"}
        assert warned(place, clauses, LISBON) == []
        property_of["metadata"]["annotations"]["bpColour"] = "blue"
        place.its.patch(MANAGED_CLUSTERS, "cluster1", None, property_of, field_manager="someone")
        assert warned(place, clauses, LISBON) == ["stale-property"]
        # A change of the placement sends everything again.
        assert "stale-property" not in warned(
            place, clauses[:2], BOTH, guards={"missing_properties": "allow"}
        )
        # Times in managedFields are whole seconds: a transform of the second of the delivery is no newer.
        eventually(lambda: now() > place.delivered())
        place.wds.apply(CUSTOM_TRANSFORMS, transform)
        assert warned(place, clauses, LISBON) == ["stale-property", "stale-transform"]
    finally:
        place.wds.delete(CUSTOM_TRANSFORMS, "bp-transform")
        place.wds.delete(CONFIG_MAPS, "colour", "bp-test")
        place.its.patch(
            MANAGED_CLUSTERS,
            "cluster1",
            None,
            {"metadata": {"annotations": {"bpColour": None}}},
            field_manager="someone",
        )


def test_what_may_not_be_read_is_told_and_does_not_stop_the_rest(place):
    hub = place.stack.cluster("hub")
    rule = {"apiGroups": ["tenancy.kflex.kubestellar.org"], "resources": ["controlplanes"], "verbs": ["get"]}
    secrets = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}
    role = {"apiVersion": CLUSTER_ROLES.api_version, "kind": "ClusterRole", "metadata": {"name": "bp-reader"}}
    subject = {"kind": "User", "name": "bp-reader", "apiGroup": "rbac.authorization.k8s.io"}
    reference = {"kind": "ClusterRole", "name": "bp-reader", "apiGroup": "rbac.authorization.k8s.io"}
    hub.apply(CLUSTER_ROLES, {**role, "rules": [rule, secrets]})
    hub.apply(
        CLUSTER_ROLE_BINDINGS,
        {**role, "kind": "ClusterRoleBinding", "roleRef": reference, "subjects": [subject]},
    )
    try:
        result = ok(
            place.policy(_check=True, cluster_selectors=BOTH, downsync=MINE, impersonate_user="bp-reader")
        )
        assert codes(result) == ["facts-incomplete"]
        assert "controlplanes" in result["preview"]["warnings"][0]["message"]
        assert result["preview"]["clusters"] == ["cluster1", "cluster2"]
    finally:
        hub.delete(CLUSTER_ROLE_BINDINGS, "bp-reader")
        hub.delete(CLUSTER_ROLES, "bp-reader")


def test_many_warnings_are_shown_in_part_and_returned_in_full(place):
    sweeping = [
        named("configmaps", "kube-root-ca.crt"),
        {"resources": ["clusterroles"], "object_names": ["admin"], "want_singleton_reported_state": True},
        named("configmaps", "one", want_multi_wec_reported_state=True),
        named("configmaps", "none"),
        {"resources": ["storageclasses", "namespaces"], "object_names": ["kube-public"]},
    ]
    result = ok(place.policy(_check=True, name="bp-many", cluster_selectors=BOTH, downsync=sweeping))
    assert len(codes(result)) > 5
    shown = texts(result)
    assert len(shown) == 6
    assert f"[{codes(result)[0]}]" in shown[0] and f"{len(codes(result)) - 5} more" in shown[5]


# -- binding_policy_info --------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("emptied")
def test_policies_are_read_with_their_delivery_and_those_who_share(place):
    ok(
        place.policy(
            name="bp-other",
            cluster_selectors=LISBON,
            downsync=MINE,
            labels={"bp": "x"},
            wait="healthy",
            wait_timeout=120,
        )
    )
    ok(
        place.policy(
            cluster_selectors=BOTH,
            downsync=[named("configmaps", "one")],
            labels={"bp": "y"},
            wait="bound",
            wait_timeout=60,
        )
    )
    mark = place.stack.mark()
    result = ok(place.info(label_selectors=["bp"]))
    assert place.writes(mark) == []
    main, other = result["policies"]
    assert [main["name"], other["name"]] == ["bp-main", "bp-other"] and result["unread"] == []
    assert other["wds"] == "wds1" and other["observed"] is True and other["errors"] == []
    assert other["clusters"] == ["cluster1"] and keys(other["objects"]) == KEYS
    assert other["delivered"]["placements"] == 3 and other["delivered"]["healthy"] == 3
    assert other["manifest"]["spec"]["clusterSelectors"] == [{"matchLabels": {"city": "lisbon"}}]
    assert "managedFields" not in other["manifest"]["metadata"] and "status" not in other["manifest"]
    assert other["shared"] == [
        {"wds": "wds1", "policy": "bp-main", "clusters": ["cluster1"], "objects": ["ConfigMap bp-test/one"]}
    ]
    assert "preview" not in result
    assert [p["name"] for p in ok(place.info(name="bp-other"))["policies"]] == ["bp-other"]
    assert ok(place.info(name="bp-none"))["policies"] == []
    assert {"bp-main", "bp-other", "shop"} <= {p["name"] for p in ok(place.info(its=None))["policies"]}


def test_a_policy_that_does_not_exist_can_be_previewed(place):
    mark = place.stack.mark()
    result = ok(place.info(name="bp-none", cluster_selectors=LISBON, downsync=MINE))
    assert place.writes(mark) == []
    assert result["policies"] == [] and result["changed"] is False
    assert (
        result["preview"]["clusters_added"] == ["cluster1"]
        and keys(result["preview"]["objects_added"]) == KEYS
    )
    definition = {
        "apiVersion": "control.kubestellar.io/v1alpha1",
        "kind": "BindingPolicy",
        "metadata": {"name": "bp-none"},
        "spec": {
            "clusterSelectors": [{"matchLabels": {"city": "lisbon"}}],
            "downsync": [{"objectSelectors": [{"matchLabels": {"bp-test": "yes"}}]}],
        },
    }
    assert ok(place.info(definition=definition))["preview"] == result["preview"]
    invalid = place.info(name="bp-none", downsync=[{"resources": ["Pod"]}])
    assert invalid["failed"] and invalid["problems"]
