# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules status_collector and custom_transform, and how their checks compare with the real controllers."""

from __future__ import annotations

import os
import random
import re
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._module import Context
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    BINDING_POLICIES,
    COMBINED_STATUSES,
    CONFIG_MAPS,
    CUSTOM_TRANSFORMS,
    MANIFEST_WORKS,
    STATUS_COLLECTORS,
    Resource,
)
from ansible_collections.kubestellar.core.plugins.module_utils.embedded import processes
from ansible_collections.kubestellar.core.plugins.module_utils.placement import cel, jsonpath, transforms
from ansible_collections.kubestellar.core.tests.waiting import eventually

SERVICES = Resource("", "v1", "services", "Service", True)
NAME = "of-the-test"
SELECT = [{"name": "cluster", "def": "inventory.name"}]
COUNT = [{"name": "clusters", "type": "COUNT"}]
PATIENCE = 120
"""Seconds until a collector without a complaint is taken: more than any controller needs to complain."""

KIND = {"status_collector": STATUS_COLLECTORS, "custom_transform": CUSTOM_TRANSFORMS}

Call = Callable[..., dict[str, Any]]


@pytest.fixture
def wds(stack) -> Iterator[Cluster]:
    """The WDS; collectors and transforms are deleted at the end."""
    cluster = stack.cluster("wds1")
    yield cluster
    for resource in KIND.values():
        for item in cluster.list(resource).items:
            cluster.delete(resource, item["metadata"]["name"])


@pytest.fixture
def warned(monkeypatch) -> list[str]:
    """The warnings of the module calls of a test. The list may be cleared."""
    texts: list[str] = []
    monkeypatch.setattr(Context, "warn", lambda _self, text: texts.append(text))
    return texts


@pytest.fixture
def call(stack, module, wds, warned) -> Call:
    """A module with the connection; it waits for complaints of collectors only if told how long."""

    def run(name: str, /, **parameters: Any) -> dict[str, Any]:
        given = {"kubeconfig": stack.kubeconfig, "context": "hub", "wds": "wds1", "name": NAME, **parameters}
        if name == "status_collector":
            given = {"wait": "wait_timeout" in parameters, **given}
        warned.clear()
        return module(name, **given)

    return run


def content(wds: Cluster, name: str) -> dict[str, Any]:
    live = wds.get(KIND[name], NAME)
    assert live is not None
    metadata = {key: live["metadata"][key] for key in ("labels", "annotations") if key in live["metadata"]}
    return {"spec": live["spec"], **metadata}


# -- options ----------------------------------------------------------------------------------------------------

COLLECTOR = {"select": SELECT, "limit": 20}
COMBINING = {"combined_fields": COUNT, "limit": 20}
TRANSFORM = {"api_group": "batch", "resource": "cronjobs", "remove": ["$.spec.suspend"]}

OPTIONS: list[tuple[str, str, dict[str, Any], Any, Any, tuple[str, ...]]] = [
    # module, option, the other options, a value, another value, where it arrives
    ("status_collector", "filter", COLLECTOR, "has(returned.status.a)", "true", ("spec", "filter")),
    ("status_collector", "limit", {"select": SELECT}, 1, 2, ("spec", "limit")),
    (
        "status_collector",
        "select",
        {"limit": 1},
        SELECT,
        [*SELECT, {"name": "b", "def": "1"}],
        ("spec", "select"),
    ),
    (
        "status_collector",
        "group_by",
        COMBINING,
        [{"name": "group", "def": "obj.kind"}],
        [{"name": "group", "def": "obj.apiVersion"}],
        ("spec", "groupBy"),
    ),
    (
        "status_collector",
        "combined_fields",
        {"limit": 1},
        COUNT,
        [{"name": "clusters", "type": "SUM", "subject": "1"}],
        ("spec", "combinedFields"),
    ),
    ("status_collector", "labels", COLLECTOR, {"a": "1"}, {"a": "2", "b": ""}, ("labels",)),
    ("status_collector", "annotations", COLLECTOR, {"a": "b c"}, {"d": "e"}, ("annotations",)),
    ("custom_transform", "api_group", {"resource": "cronjobs"}, "batch", "apps", ("spec", "apiGroup")),
    ("custom_transform", "resource", {"api_group": "batch"}, "cronjobs", "jobsets", ("spec", "resource")),
    (
        "custom_transform",
        "remove",
        {"api_group": "batch", "resource": "cronjobs"},
        ["$.a", '$.b["c/d"]'],
        ["$.a"],
        ("spec", "remove"),
    ),
    ("custom_transform", "labels", TRANSFORM, {"a": "1"}, {"a": "2", "b": ""}, ("labels",)),
    ("custom_transform", "annotations", TRANSFORM, {"a": "b c"}, {"d": "e"}, ("annotations",)),
]
NEEDED = {"limit", "select", "combined_fields", "api_group", "resource"}


@pytest.mark.parametrize(
    ("name", "option", "others", "value", "another", "place"),
    [
        pytest.param(
            *case, id="-".join(case[:2]), marks=pytest.mark.core if case[1] in ("filter", "remove") else ()
        )
        for case in OPTIONS
    ],
)
def test_an_option_is_set_kept_changed_and_unset(
    stack, wds, call, name, option, others, value, another, place
):
    def there() -> Any:
        found: Any = content(wds, name)
        for key in place:
            found = (found or {}).get(key)
        return found

    def step(method: str, **given: Any) -> None:
        """In check mode first, which tells the truth and writes nothing."""
        mark, before = stack.mark(), wds.get(KIND[name], NAME)
        forecast = call(name, _check=True, _diff=True, **others, **given)
        assert (forecast.get("method"), forecast["changed"]) == (method, method != "none"), forecast
        assert forecast["waited"] == 0.0
        assert stack.writes_since(mark) == []
        assert wds.get(KIND[name], NAME) == before
        result = call(name, _diff=True, **others, **given)
        assert (result.get("method"), result["changed"]) == (method, method != "none"), result
        assert result.get("diff", [{}])[0].get("after") == forecast.get("diff", [{}])[0].get("after")
        assert len(stack.writes_since(mark)) == (method != "none")
        assert result["object"]["spec"] == content(wds, name)["spec"]
        assert "managedFields" not in result["object"]["metadata"]

    if option not in NEEDED:
        step("create")
        assert there() is None
        step("update", **{option: value})
    else:
        step("create", **{option: value})
    assert there() == value
    step("none", **{option: value})
    step("update", **{option: another})
    assert there() == another
    if option not in NEEDED:
        step("update")
        assert there() is None
        step("none")


@pytest.mark.parametrize(
    ("name", "options"), [("status_collector", COLLECTOR), ("custom_transform", TRANSFORM)]
)
def test_it_is_deleted_once(stack, wds, call, name, options):
    call(name, **options)
    mark, before = stack.mark(), wds.get(KIND[name], NAME)
    forecast = call(name, state="absent", _check=True, _diff=True)
    assert (forecast["method"], forecast["object"]) == ("delete", {})
    assert forecast["diff"][0]["after"] == "" and NAME in forecast["diff"][0]["before"]
    assert stack.writes_since(mark) == [] and wds.get(KIND[name], NAME) == before
    assert call(name, state="absent")["method"] == "delete"
    assert wds.get(KIND[name], NAME) is None
    mark = stack.mark()
    assert call(name, state="absent")["changed"] is False
    assert stack.writes_since(mark) == []


@pytest.mark.parametrize(
    ("name", "options"), [("status_collector", COLLECTOR), ("custom_transform", TRANSFORM)]
)
def test_a_definition_does_the_same_as_the_options(stack, wds, call, name, options):
    made = call(name, labels={"a": "b"}, **options)["object"]
    definition = {key: made[key] for key in ("apiVersion", "kind", "spec")}
    definition["metadata"] = {"name": NAME, "labels": {"a": "b"}}
    mark = stack.mark()
    assert call(name, name=None, definition=definition)["changed"] is False
    assert call(name, definition={**definition, "metadata": {}}, labels={"a": "b"})["changed"] is False
    assert stack.writes_since(mark) == []
    assert call(name, name=None, definition=definition, state="absent")["method"] == "delete"


@pytest.mark.parametrize(
    ("name", "options"), [("status_collector", COLLECTOR), ("custom_transform", TRANSFORM)]
)
def test_what_others_have_written_stays(wds, call, name, options):
    call(name, labels={"ours": "1"}, **options)
    resource = KIND[name]
    foreign = {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": {"name": NAME, "labels": {"theirs": "1"}, "annotations": {"theirs": "1"}},
    }
    wds.apply(resource, foreign, field_manager="somebody")
    assert call(name, labels={"ours": "2"}, **options)["method"] == "update"
    assert content(wds, name)["labels"] == {"ours": "2", "theirs": "1"}
    call(name, **options)
    assert content(wds, name)["labels"] == {"theirs": "1"}
    assert content(wds, name)["annotations"] == {"theirs": "1"}


@pytest.mark.parametrize(
    ("name", "options", "change", "field"),
    [
        ("status_collector", COLLECTOR, {"limit": 21}, ".spec.limit"),
        ("custom_transform", TRANSFORM, {"resource": "jobs"}, ".spec.resource"),
    ],
)
def test_a_conflict_names_owner_and_field_and_can_be_overruled(wds, call, name, options, change, field):
    made = call(name, **options)["object"]
    theirs = {key: made[key] for key in ("apiVersion", "kind", "spec")} | {"metadata": {"name": NAME}}
    wds.apply(KIND[name], theirs, field_manager="somebody")
    for check in (True, False):
        refused = call(name, _check=check, **{**options, **change})
        assert refused["failed"] and "somebody" in refused["msg"] and field in refused["msg"]
        assert "force_conflicts" in refused["hint"]
    assert content(wds, name)["spec"] == made["spec"]
    assert call(name, force_conflicts=True, **{**options, **change})["method"] == "update"


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("status_collector", {**COLLECTOR, "filter": "inventry.name == 'a'"}, "unknown name inventry"),
        ("custom_transform", {**TRANSFORM, "remove": "$.spec.containers[*].image"}, "character 19 is '*'"),
    ],
)
def test_a_mistake_is_one_sentence_before_anything_is_sent(stack, call, name, options, words):
    mark = stack.mark()
    refused = call(name, **options)
    assert refused["failed"] and words in refused["msg"], refused["msg"]
    assert "\n" not in refused["msg"]
    assert stack.writes_since(mark) == []


@pytest.mark.parametrize("name", ["status_collector", "custom_transform"])
def test_a_cluster_that_is_no_wds_is_named(stack, call, name):
    options = COLLECTOR if name == "status_collector" else TRANSFORM
    refused = call(name, wds=None, wds_kubeconfig=stack.kubeconfig, wds_context="its1", **options)
    assert refused["failed"] and refused["msg"].startswith("its1: ") and "is this a WDS?" in refused["hint"]


# -- what the controllers say -----------------------------------------------------------------------------------


def test_a_collector_that_the_controller_refuses_fails_with_its_sentence_until_it_is_corrected(
    stack, wds, call
):
    wrong = {"limit": 1, "select": [{"name": "sum", "def": "inventory.name + 1"}]}
    refused = call("status_collector", wait_timeout=PATIENCE, **wrong)
    assert refused["failed"] and refused["changed"] and refused["method"] == "create"
    assert (
        "KubeStellar does not take StatusCollector of-the-test: select expression (sum) invalid"
        in refused["msg"]
    )
    assert "no matching overload" in refused["msg"] and refused["errors"] == wds_errors(wds)
    assert refused["waited"] < PATIENCE
    mark = stack.mark()
    again = call("status_collector", wait_timeout=PATIENCE, **wrong)
    assert again["failed"] and not again["changed"] and again["errors"] == refused["errors"]
    checked = call("status_collector", _check=True, wait_timeout=PATIENCE, **wrong)
    assert checked["errors"] == refused["errors"]
    assert stack.writes_since(mark) == []
    assert "failed" not in call("status_collector", wait=False, **wrong)
    other = {"limit": 1, "select": [{"name": "sum", "def": "inventory.name - 1"}]}
    assert "'_-_'" in call("status_collector", wait_timeout=PATIENCE, **other)["msg"]
    corrected = call("status_collector", wait_timeout=PATIENCE, **COLLECTOR)
    assert corrected["method"] == "update" and corrected["waited"] < PATIENCE
    assert "errors" not in (corrected["object"].get("status") or {})


def wds_errors(wds: Cluster) -> list[str]:
    """The controller's errors as one line each."""
    live = wds.get(STATUS_COLLECTORS, NAME)
    assert live is not None
    return [" ".join(re.sub(r"[\x00-\x1f]+", " ", text).split(" ")) for text in live["status"]["errors"]]


def test_a_collector_without_a_complaint_is_taken_when_the_time_is_up(call):
    result = call("status_collector", wait_timeout=1, **COLLECTOR)
    assert result["method"] == "create" and result["waited"] >= 1
    assert call("status_collector", wait_timeout=1, **COLLECTOR)["waited"] == 0.0
    assert call("status_collector", wait=False, **{**COLLECTOR, "limit": 1})["waited"] == 0.0


def test_what_a_collector_will_probably_fail_with_is_warned_of(call, warned):
    doubtful = {"limit": 1, "select": [{"name": "ready", "def": "returned.status.readyReplicas"}]}
    call("status_collector", **doubtful)
    assert len(warned) == 1
    assert (
        "StatusCollector of-the-test: select ready: returned.status.readyReplicas is read without has("
        in warned[0]
    )
    call("status_collector", filter="has(returned.status.readyReplicas)", **doubtful)
    assert warned == []


def test_a_transform_is_observed_when_a_policy_delivers_what_it_is_for(stack, call):
    harmless = {"api_group": "apps", "resource": "deployments", "remove": ["$.spec.nothing"]}
    made = call("custom_transform", **harmless)
    assert made["observed"] is True and made["policies"] == ["shop"]
    assert made["object"]["status"]["observedGeneration"] == made["object"]["metadata"]["generation"]
    mark = stack.mark()
    again = call("custom_transform", **harmless)
    assert (again["observed"], again["changed"], again["waited"]) == (True, False, 0.0)
    assert "policies" not in again
    assert stack.writes_since(mark) == []
    changed = call("custom_transform", **{**harmless, "remove": ["$.spec.nothing", "$.spec.less"]})
    assert changed["observed"] is True and changed["method"] == "update"
    reordered = call("custom_transform", **{**harmless, "remove": ["$.spec.less", "$.spec.nothing"]})
    assert (reordered["observed"], reordered["changed"]) == (True, False)
    labelled = call(
        "custom_transform", labels={"a": "b"}, **{**harmless, "remove": ["$.spec.less", "$.spec.nothing"]}
    )
    assert (labelled["observed"], labelled["method"], labelled["waited"]) == (True, "update", 0.0)


def test_a_transform_that_no_policy_needs_is_not_waited_for(call, warned):
    unused = call("custom_transform", **TRANSFORM)
    assert (unused["observed"], unused["policies"], unused["waited"], warned) == (False, [], 0.0, [])
    call("custom_transform", **{**TRANSFORM, "resource": "cronjob"})
    assert warned == [
        "wds1 has no resource cronjob.batch, so this transform does nothing. Are resource (lower-case plural) and api_group right?"
    ]


def test_another_transform_for_the_same_objects_is_warned_of_by_us_and_by_the_controller(call, warned):
    harmless = {"api_group": "apps", "resource": "deployments", "remove": ["$.spec.nothing"]}
    call("custom_transform", **{**harmless, "name": "first"})
    assert not any("not the only one" in text for text in warned)
    call("custom_transform", **harmless)
    assert (
        "CustomTransform of-the-test is not the only one for deployments.apps: there is first too."
        in warned[0]
    )
    assert any("multiple CustomTransform objects specify the same GroupResource" in text for text in warned)
    call("custom_transform", **{**harmless, "api_group": "batch"})
    assert not any("not the only one" in text for text in warned)


def test_what_was_delivered_before_is_not_sent_again_but_warned_of_and_touching_one_object_helps(
    stack, wds, call, warned
):
    its = stack.cluster("its1")
    note = "kubestellar.core/of-the-test"

    def annotate(resource: Resource, name: str, value: str | None) -> None:
        wds.patch(resource, name, "shop", {"metadata": {"annotations": {note: value}}})

    def delivered() -> set[bool]:
        """Whether the Service has the annotation in the ManifestWorks."""
        works = its.list(
            MANIFEST_WORKS, label_selector="transport.kubestellar.io/originOwnerReferenceBindingKey=shop"
        ).items
        manifests = [manifest for work in works for manifest in work["spec"]["workload"]["manifests"]]
        services = [manifest for manifest in manifests if manifest["kind"] == "Service"]
        assert len(services) == 2
        return {note in (service["metadata"].get("annotations") or {}) for service in services}

    def transport_has_heard_of(count: int) -> None:
        """It has read a transform that is later than everything until now."""
        paths = [f"$.spec.nothing{number}" for number in range(count)]
        later = {"name": "later", "api_group": "apps", "resource": "deployments", "remove": paths}
        assert call("custom_transform", **later)["observed"] is True

    transform = {"api_group": "", "resource": "services", "remove": [f'$.metadata.annotations["{note}"]']}
    expected = "The CustomTransform of-the-test was changed after 1 object had been delivered, and KubeStellar does not"
    try:
        annotate(SERVICES, "till", "x")
        eventually(lambda: delivered() == {True})
        forecast = call("custom_transform", _check=True, **transform)
        assert forecast["policies"] == ["shop"] and any(expected in text for text in warned)
        assert call("custom_transform", **transform)["observed"] is True
        assert [expected in text and "services shop/till" in text for text in warned] == [True]
        transport_has_heard_of(1)
        assert delivered() == {True}
        annotate(CONFIG_MAPS, "catalogue", "x")
        eventually(lambda: delivered() == {False})
        call("custom_transform", **transform)
        assert warned == []
        assert call("custom_transform", state="absent")["policies"] == ["shop"]
        assert [expected in text for text in warned] == [True]
        transport_has_heard_of(2)
        assert delivered() == {False}
    finally:
        annotate(SERVICES, "till", None)
        annotate(CONFIG_MAPS, "catalogue", None)
        eventually(lambda: delivered() == {False})


@pytest.fixture
def halted(stack) -> Iterator[None]:
    """The transport controller stands still."""
    (controller,) = [p for p in processes.of_stack(stack.stack) if "ocm-transport-controller" in p.text]
    os.kill(controller.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(controller.pid, signal.SIGCONT)


def test_a_transform_that_is_not_observed_in_time_fails_and_is_completed_by_the_next_run(
    halted, call, warned
):
    harmless = {
        "api_group": "apps",
        "resource": "deployments",
        "remove": ["$.spec.nothing"],
        "wait_timeout": 2,
    }
    late = call("custom_transform", **harmless)
    assert late["failed"] and late["changed"] and late["method"] == "create" and late["observed"] is False
    assert "wds1: KubeStellar's reading of CustomTransform of-the-test: not reached after 2 s" in late["msg"]
    assert late["missing"] == ["generation 1 is not observed yet, but none"]
    assert "Is the transport controller running?" in late["hint"] and "shop" in late["hint"]
    again = call("custom_transform", **harmless)
    assert "failed" not in again and again["observed"] is False
    assert any("not reached after 2 s" in text for text in warned)
    assert "failed" not in call("custom_transform", wait=False, **{**harmless, "remove": ["$.spec.less"]})


def test_the_controllers_own_errors_of_a_transform_are_told(call, monkeypatch):
    """Ours find all of them before; so they are silenced here."""
    monkeypatch.setattr(transforms, "problems", lambda _transform: iter(()))
    wrong = {"api_group": "apps", "resource": "deployments", "remove": ["$.spec.nothing", "$.a[0]", "$"]}
    refused = call("custom_transform", **wrong)
    assert refused["failed"] and refused["changed"] and refused["observed"]
    assert refused["errors"] == [
        "Error in spec.remove[1]: syntax error at 4: expected open quote, got '0'",
        "Invalid spec.remove[2]: it identifies the whole object",
    ]
    assert refused["errors"][0] in refused["msg"]
    again = call("custom_transform", **wrong)
    assert again["failed"] and not again["changed"] and again["errors"] == refused["errors"]


def test_a_collector_does_what_the_documentation_says(stack, wds, call):
    """The second example, for the shop. The policy is changed, not made: one that comes or goes can deadlock KubeStellar."""
    call(
        "status_collector",
        name="completeness",
        filter="has(returned.status.readyReplicas)",
        group_by=[{"name": "complete", "def": "returned.status.readyReplicas == obj.spec.replicas"}],
        combined_fields=[
            {"name": "clusters", "type": "COUNT"},
            {"name": "replicas", "type": "SUM", "subject": "returned.status.readyReplicas"},
        ],
        limit=2,
    )
    policy = wds.get(BINDING_POLICIES, "shop")
    assert policy is not None
    clauses = [{**clause, "statusCollectors": ["completeness"]} for clause in policy["spec"]["downsync"]]
    wds.patch(BINDING_POLICIES, "shop", None, {"spec": {"downsync": clauses}})

    def rows() -> Any:
        combined = wds.list(
            COMBINED_STATUSES, "shop", label_selector="status.kubestellar.io/resource=deployments"
        ).items
        results = [result for item in combined for result in item.get("results") or [] if result.get("rows")]
        found = [
            [next(str(v) for k, v in c.items() if k != "type") for c in row["columns"]]
            for r in results
            for row in r["rows"]
        ]
        return found == [["True", "2", "4"]]

    try:
        eventually(rows)
    finally:
        wds.patch(BINDING_POLICIES, "shop", None, {"spec": policy["spec"]})


# -- the checks compared with the controllers -------------------------------------------------------------------

PATHS = [
    "", "$", "$.", "a", " $.a", "$.a ", "$ .a", "$a", "$$", "$.a", "$._a1", "$.1a", "$.a-b", "$.a.b.c", "$..a", "$.a..b", "$.*",
    "$.a[0]", "$.a[*]", "$.a[*].b", "$[a]", "$['a']", "$[]", "$[", '$["a"]', '$["a"].b', '$["a"]["b"]', '$.a["b"].c', '$["a"',
    '$["a', '$["a"]]', '$["a" ]', '$[ "a"]', '$[""]', '$["a.b/c"]', "$.größe", "$.日本", '$["größe"]', "$.a\x7f", "$.½",
    r'$["\""]', r'$["\\"]', r'$["\\\"]', r'$["\x41"]', r'$["\x4"]', r'$["\xg1"]', r'$["\u0041"]', r'$["\u00"]', r'$["\u{41}"]',
    r'$["\u{}"]', r'$["\u{110000}"]', r'$["\u{10FFFE}"]', r'$["\u{41"]', r'$["\101"]', r'$["\777"]', r'$["\0"]', r'$["\08"]',
    r'$["\q"]', r'$["\é"]', r'$["\ud800"]', '$["a\nb"]', '$["a\\\nb"]', '$["a\\\r\nb"]', '$["a\u2028b"]', '$["\\\u2028"]',
    '$["use strict"]', '$["\t"]', '$["//"]', '$["`"]', "$.a$", "$.a@", "$[?(@.a)]", "$.a,b", '$["a","b"]', "$[-1]", "$[0:1]",
]  # fmt: skip


def drawn_paths(draw: random.Random, number: int) -> list[str]:
    """Random paths. Without a digit above 1 in braces, which could crash the controller (see jsonpath.py)."""
    outside = ["$", ".", "[", "]", '"', "a", "b1", "_", "0", "é", " ", "'", "*", '["x"]', ".c"]
    inside = ["\\", '"', "a", "x", "u", "{", "}", "0", "1", "é", "\u2028", "\n", "\r", "]", "n"]
    paths = []
    for _number in range(number):
        if draw.random() < 0.5:
            paths.append("$" + "".join(draw.choice(outside) for _number in range(draw.randrange(6))))
        else:
            paths.append(
                '$.a["' + "".join(draw.choice(inside) for _number in range(draw.randrange(6))) + '"]'
            )
    return paths


def takes_path(path: str) -> bool:
    """Our verdict."""
    try:
        return bool(jsonpath.parse(path))
    except ValueError:
        return False


def test_our_verdict_on_paths_is_the_controllers(wds):
    paths = PATHS + drawn_paths(random.Random(4), 400)
    transform = {
        "apiVersion": CUSTOM_TRANSFORMS.api_version,
        "kind": CUSTOM_TRANSFORMS.kind,
        "metadata": {"name": "all-paths"},
        "spec": {"apiGroup": "apps", "resource": "deployments", "remove": paths},
    }
    wds.apply(CUSTOM_TRANSFORMS, transform, field_manager="somebody")
    status = eventually(lambda: (wds.get(CUSTOM_TRANSFORMS, "all-paths") or {}).get("status"))
    refused = {int(re.search(r"spec\.remove\[(\d+)\]", text).group(1)) for text in status["errors"]}
    differences = {
        path: (number not in refused, takes_path(path))
        for number, path in enumerate(paths)
        if (number not in refused) != takes_path(path)
    }
    assert differences == {}
    assert 100 < len(refused) < len(paths) - 100


EXPRESSIONS = [
    "obj", "inventory.name", "returned.status", "propagation.lastReturnedUpdateTimestamp", ".obj.a", "obj..a", "obj.", "obj.in",
    "obj.namespace", "namespace", "foo", "foo.a", "foo(1)", "obj.foo()", "", " ", "// a", "1 // a", "(1", "1)", "()", "[1", "[1,]",
    "[,]", "[1,,2]", "{}", "{,}", '{"a": 1,}', '{"a"}', '"a', "'a'", '"a\nb"', '"""a\nb"""', r'"\q"', r'"\x41"', r'"\x4"', r'"\101"',
    r'"\8"', r'"\u00e9"', r'"\U00110000"', r'b"\x41"', r'b"\u0041"', r'br"\q"', r'rb"a"', "1 = 1", "1 & 1", "a ? b", "true ? 1 : 2",
    "true ? true ? 1 : 2 : 3", "true ? 1 : true ? 2 : 3", "!true", "!!true", "!-1", "-!true", "--1", "1 - -1", "1.5", ".5", "1.", "1e5",
    "1e999", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "18446744073709551616u",
    "0x1F", "0X1F", "0xFu", "obj.?a", 'obj[?"a"]', "[?1]", "has(obj.a)", "has(obj)", 'has(obj["a"])', "has((obj.a))", "has(!obj.a)",
    "has(!!obj.a)", ".has(obj.a)", "has(obj.a, 1)", "has(foo.a)", "obj.l.all(x, x > 1)", "obj.l.all(x)", "obj.l.all(1, true)",
    "obj.l.all(x.y, true)", "obj.l.map(x, x, x)", "obj.l.map(x, y)", "obj.l.exists(x, true) && x", "all(obj, true)", "size(obj)",
    "obj.size()", "size()", "obj.size(1)", "startsWith('a', 'b')", "'a'.startsWith('b')", "'A'.lowerAscii()", "math.greatest(1, 2)",
    "type(1) == int", "int", "null_type", "timestamp", "True", "google.protobuf.Duration{seconds: 1}", "Foo{a: 1}", "obj{}",
    "timestamp('a').getHours()", "getHours(timestamp('a'))", "optional.none()", "obj.a.b['c'][0].d", "1 < 2 < 3", "1 in [1]", "in", "@", "é",
    '"é"', "obj.l.exists_one(x, x in [1]) || !(inventory.name in ['a'])", "inventory.name + 1", "1 + 'a'", "if(true)", "obj.l.map(obj, obj)",
]  # fmt: skip


def drawn_expression(draw: random.Random, depth: int = 0, variables: tuple[str, ...] = ()) -> str:
    """A random expression that follows the grammar; names and types may be wrong."""

    def inner(*more: str) -> str:
        return drawn_expression(draw, depth + 1, (*variables, *more))

    if depth > 2 or draw.random() < 0.3:
        return draw.choice(
            ["1", "2u", "1.5", "'s'", "true", "null", "obj", "returned.status.a", "inventory.name", "v", "w"]
        )
    variable = draw.choice("vw")
    forms: list[Callable[[], str]] = [
        lambda: f"{inner()} {draw.choice(['+', '==', '&&', '||', 'in', '<'])} {inner()}",
        lambda: f"({inner()}) ? {inner()} : {inner()}",
        lambda: f"obj.l.{draw.choice(['all', 'exists', 'filter', 'map'])}({variable}, {inner(variable)})",
        lambda: f"[{inner()}, {inner()}]",
        lambda: f"has(obj.{draw.choice(['a', 'b.c'])})",
        lambda: f"({inner()}).{draw.choice(['x', 'size()', 'foo()', 'contains(1)'])}",
        lambda: f"{draw.choice(['size', 'type', 'dyn', 'bar'])}({inner()})",
        lambda: f"{draw.choice('!-')}({inner()})",
    ]
    text = draw.choice(forms)()
    if depth == 0 and draw.random() < 0.4:
        place = draw.randrange(len(text))
        text = (
            text[:place]
            + draw.choice(["", "(", ")", ".", ",", "'", "?", "[", "x"])
            + text[place + draw.randrange(2) :]
        )
    return text


def test_what_we_refuse_as_an_expression_the_controller_refuses_too_and_all_that_is_no_matter_of_types(wds):
    draw = random.Random(5)
    expressions = EXPRESSIONS + [drawn_expression(draw) for _number in range(400)]
    collector = {
        "apiVersion": STATUS_COLLECTORS.api_version,
        "kind": STATUS_COLLECTORS.kind,
        "metadata": {"name": "all-expressions"},
        "spec": {
            "limit": 1,
            "select": [{"name": f"e{number}", "def": text} for number, text in enumerate(expressions)],
        },
    }
    wds.apply(STATUS_COLLECTORS, collector, field_manager="somebody")
    status = eventually(lambda: (wds.get(STATUS_COLLECTORS, "all-expressions") or {}).get("status"))
    said = {int(re.match(r"select expression \(e(\d+)\)", text).group(1)): text for text in status["errors"]}
    differences = {}
    for number, expression in enumerate(expressions):
        ours, theirs = cel.problems(expression), said.get(number, "")
        only_types = "failed to check" in theirs and "undeclared reference" not in theirs
        if bool(ours) != bool(theirs) and not only_types:
            differences[expression] = (ours, theirs)
    assert differences == {}
    assert 100 < len(said) < len(expressions) - 100
