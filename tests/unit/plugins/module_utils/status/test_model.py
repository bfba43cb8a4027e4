# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a hub as one value, its warnings, and what programs get of it."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _delivery
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput
from ansible_collections.kubestellar.core.plugins.module_utils.doctor.catalogue import CATALOGUE
from ansible_collections.kubestellar.core.plugins.module_utils.status import (
    export,
    model,
    prometheus,
    table,
    warnings,
)
from ansible_collections.kubestellar.core.plugins.module_utils.status.model import Part, Question, View
from ansible_collections.kubestellar.core.tests import views

OBJECTS = [("Namespace", "", "shop"), ("Deployment", "shop", "till")]


def facts(*clusters: str, policies=("shop", "probe"), lost=()) -> _delivery.Facts:
    """Policies with the same two objects each, all well."""
    return _delivery.Facts(
        "wds1",
        [views.binding(name, OBJECTS, clusters, [name]) for name in policies],
        [
            views.work(name, cluster, [views.item(*one) for one in OBJECTS])
            for name in policies
            for cluster in clusters
        ],
        [
            views.returned(cluster, kind, space, name, views.WELL if space else {"phase": "Active"})
            for cluster in clusters
            for kind, space, name in OBJECTS
        ],
        [
            _delivery.parse_cluster(views.managed_cluster(name, available=name not in lost))
            for name in clusters
        ],
        views.KINDS,
        [views.policy(name) for name in policies],
    )


def composed(part: _delivery.Facts, question: Question | None = None) -> View:
    collectors = [{"metadata": {"name": name}, "spec": {"limit": 1}} for name in ("shop", "probe", "spare")]
    combined = [
        views.combined_status(name, "Deployment", "shop", "till", name, ["x"], [[1]])
        for name in ("shop", "probe")
    ]
    return model.compose(
        [Part(part, collectors, combined)], question or Question(), hub="hub", its="its1", taken=views.TAKEN
    )


def test_everything_is_asked_for_by_default():
    view = composed(facts("c1", "c2"))
    assert [policy["name"] for policy in view.policies] == ["shop", "probe"]
    assert [one["name"] for one in view.collectors] == ["probe", "shop", "spare"]
    assert [one["policy"] for one in view.combined] == ["probe", "shop"]
    assert model.summary(view) == {
        "clusters": 2,
        "objects": 2,
        "placements": 4,
        "healthy": 4,
        "progressing": 0,
        "failed": 0,
        "stale": 0,
        "removing": 0,
    }
    assert model.is_healthy(view)


@pytest.mark.parametrize("question", [Question(frozenset({"shop"})), Question(workload="shop")])
def test_one_policy_or_workload_is_all_that_is_shown_when_it_is_asked_for(question):
    view = composed(facts("c1"), question)
    assert {policy["name"] for policy in view.policies} == {"shop"}
    assert all(row.policies == ["shop"] for row in view.rows)
    assert [one["name"] for one in view.collectors] == ["shop"]
    assert [one["policy"] for one in view.combined] == ["shop"]


def by_module(name: str, *selectors: dict[str, object]) -> dict[str, object]:
    """A policy as the module binding_policy makes it: without a label of its own."""
    found = views.policy(name)
    found["metadata"].pop("labels")
    return {**found, "spec": {"downsync": [{"objectSelectors": list(selectors)}]}}


LABEL = "kubestellar.core/workload"


@pytest.mark.parametrize(
    "policy",
    [
        by_module("shop"),
        by_module("other", {"matchLabels": {LABEL: "shop"}}),
        by_module("other", {"matchLabels": {"a": "b"}}, {"matchLabels": {LABEL: "shop", "a": "b"}}),
        by_module("other", {"matchExpressions": [{"key": LABEL, "operator": "In", "values": ["x", "shop"]}]}),
    ],
)
def test_a_workload_is_found_in_a_policy_without_its_label(policy):
    name = policy["metadata"]["name"]
    view = composed(replace(facts("c1", policies=[name]), policies=[policy]), Question(workload="shop"))
    assert [one["name"] for one in view.policies] == [name] and view.rows
    assert model.unplaced(Question(workload="shop"), view) == ""


@pytest.mark.parametrize(
    "policy",
    [
        by_module("other", {"matchLabels": {LABEL: "probe"}}),
        by_module("other", {"matchExpressions": [{"key": LABEL, "operator": "NotIn", "values": ["shop"]}]}),
        views.policy("other"),
    ],
)
def test_a_workload_that_no_policy_places_is_said_to_be_nowhere(policy):
    asked = Question(workload="shop")
    view = composed(replace(facts("c1", policies=["other"]), policies=[policy]), asked)
    assert view.policies == []
    assert "No BindingPolicy in wds1 places the workload shop" in model.unplaced(asked, view)
    assert model.unplaced(Question(), view) == ""


def test_a_policy_that_is_asked_for_and_is_nowhere_is_refused():
    question = Question(frozenset({"shop", "nothing"}))
    with pytest.raises(InvalidInput, match="no BindingPolicy nothing in wds1"):
        model.refuse_unknown(question, composed(facts("c1"), question))


def test_a_lost_cluster_is_stale_everywhere():
    view = composed(facts("c1", "c2", lost=["c2"]))
    assert [(c["name"], c["available"], c["healthy"], c["stale"]) for c in model.clusters(view)] == [
        ("c1", True, 2, 0),
        ("c2", False, 0, 2),
    ]
    assert [(policy["placements"], policy["healthy"], policy["stale"]) for policy in view.policies] == [
        (4, 2, 2)
    ] * 2
    assert not model.is_healthy(view)
    assert [warned.id for warned in warnings.of_view(view)] == ["wecs-unavailable"]
    assert 'kubestellar_cluster_available{hub="hub",its="its1",cluster="c2"} 0' in prometheus.text(view)


def test_nothing_is_not_healthy():
    empty = composed(replace(facts("c1"), bindings=[], works=[], returned=[], policies=[]))
    assert not model.is_healthy(empty)
    assert [warned.id for warned in warnings.of_view(empty)] == ["nothing-placed"]


@pytest.mark.parametrize(
    "change",
    [
        {"policies": [views.policy("shop", observed=0)]},
        {"policies": [views.policy("shop", ["a singleton is asked for"])]},
    ],
)
def test_what_kubestellar_has_not_processed_or_complains_about_is_not_healthy(change):
    view = composed(replace(facts("c1", policies=["shop"]), **change))
    assert model.summary(view)["healthy"] == 2
    assert not model.is_healthy(view)
    assert [warned.id for warned in warnings.of_view(view)] in (["policies-behind"], ["policy-errors"])


def test_one_cause_is_one_warning():
    names = [f"c{number:03}" for number in range(60)]
    view = composed(facts(*names))
    for row in view.rows:
        for name in names[:50]:
            row.cells[name] = replace(row.cells[name], health="failed", applied=True, message="no more disk.")
        for name in names[50:]:
            row.cells[name] = replace(
                row.cells[name], health="failed", applied=False, message="not applied: no rights"
            )
    failed, refused = warnings.of_view(view)
    assert failed.evidence == (
        "Namespace shop, Deployment shop/till have failed in c000, c001, c002, c003, c004 and 45 more: no more disk."
    )
    assert (refused.id, failed.id) == ("work-not-applied", "object-failed")
    assert "(no rights)" in refused.evidence


def test_ids_of_warnings_are_of_one_catalogue():
    assert not set(warnings.OWN) & set(CATALOGUE)


def test_the_first_unhealthy_placements_are_lines():
    view = composed(facts(*[f"c{number:03}" for number in range(80)], lost=["c000"]))
    assert model.unhealthy(view)[0].startswith("c000: Namespace shop: stale: cluster not available")
    for row in view.rows:
        row.cells = {name: replace(cell, health="failed", message="x\ny") for name, cell in row.cells.items()}
    lines = model.unhealthy(view)
    assert len(lines) == 100 and lines[0] == "c000: Namespace shop: failed: x y"


# -- exports ---------------------------------------------------------------------------------------------------------


def test_the_json_export_is_what_the_modules_return():
    view = views.small()
    content = json.loads(export.text(view))
    assert content == json.loads(json.dumps(export.data(view)))
    assert content["taken"] == "2026-11-26T07:30:00Z" and content["format"] == 1
    assert content["objects"] == model.objects(view) and content["summary"] == model.summary(view)
    assert {warned["id"] for warned in content["warnings"]} == {
        "wecs-unavailable",
        "object-failed",
        "object-progressing",
    }
    cell = next(
        place
        for one in content["objects"]
        for place in one["clusters"]
        if (one["kind"], one["name"], place["name"]) == ("Deployment", "till", "turin-1")
    )
    assert cell == {
        "name": "turin-1",
        "selected": True,
        "delivered": True,
        "applied": True,
        "health": "failed",
        "message": 'Back-off pulling image "shop/till:2.1"',
        "age": 30,
    }


def parsed(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Samples of Prometheus' text format: a parser of its grammar, not of what we happen to write."""
    samples = {}
    typed = set()
    for line in text.split("\n")[:-1]:
        if match := re.fullmatch(r"# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)", line):
            typed.add((match[1], match[2]))
            continue
        match = re.fullmatch(
            r'([a-zA-Z_:][a-zA-Z0-9_:]*)\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*)\} (-?\d+)', line
        )
        assert match, line
        assert {("HELP", match[1]), ("TYPE", match[1])} <= typed
        labels = tuple(re.findall(r'([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"', match[2]))
        assert (match[1], labels) not in samples, "a sample is there twice"
        samples[match[1], labels] = float(match[3])
    assert text.endswith("\n")
    return samples


def test_prometheus_gets_numbers_of_clusters_and_policies_but_not_of_objects():
    samples = parsed(prometheus.text(views.small()))
    hub, wds = ("hub", "hub"), ("wds", "wds1")
    shop = (hub, wds, ("policy", "shop"), ("workload", "shop"))
    assert samples["kubestellar_workload_placements", (*shop, ("state", "failed"))] == 1
    assert samples["kubestellar_workload_objects", shop] == 5
    assert samples["kubestellar_cluster_available", (hub, ("its", "its1"), ("cluster", "vienna-1"))] == 0
    assert samples["kubestellar_status_timestamp_seconds", (hub,)] == views.TAKEN
    assert samples["kubestellar_warnings", (hub, ("severity", "error"))] == 2
    assert {name for name, _labels in samples} == {metric.name for metric in prometheus.METRICS}
    assert not any("till" in value for _name, labels in samples for _label, value in labels)


def test_prometheus_series_grow_with_clusters_and_policies_only():
    few, many = (len(parsed(prometheus.text(views.large(20, number)))) for number in (20, 100))
    assert few == many


def test_hostile_labels_are_escaped_for_prometheus():
    view = views.hostile()
    view.hub = 'a"b\\c\nd'
    samples = parsed(prometheus.text(view))
    assert samples["kubestellar_status_timestamp_seconds", (("hub", 'a\\"b\\\\c d'),)] == views.TAKEN
    policies = [labels for name, labels in samples if name == "kubestellar_workload_objects"]
    assert len(policies) == len(views.HOSTILE)


def test_hostile_text_is_one_line_without_control_characters_in_the_table():
    lines = table.lines(views.hostile())
    assert not any(re.search(r"[\x00-\x1f\x7f-\x9f]", line) for line in lines)
    assert all(len(line) <= table.WIDTH for line in lines)


def test_the_table_has_what_was_collected():
    lines = table.lines(views.small())
    start = lines.index("  replicas of Deployment shop/till")
    assert lines[start + 1 : start + 3] == ["    cluster   available", "    lisbon-1  2"]
    start = lines.index("status collectors")
    assert lines[start + 2].startswith(
        "  replicas   wds1  shop     20     cluster = inventory.name; available"
    )


def test_a_hub_that_does_not_exist_yet_is_said_to_be_so():
    assert table.lines(View(planned=True)) == ["the hub does not exist yet: an earlier task would create it"]
    assert warnings.of_view(View(planned=True)) == []
