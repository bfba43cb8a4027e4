# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each warning, set off and not set off, by facts that differ in one thing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._resources import Resource
from ansible_collections.kubestellar.core.plugins.module_utils.placement import (
    catalogue,
    fates,
    templates,
    warnings,
)
from ansible_collections.kubestellar.core.plugins.module_utils.placement.facts import (
    Delivery,
    Facts,
    Target,
    Transform,
)
from ansible_collections.kubestellar.core.plugins.module_utils.placement.preview import preview
from ansible_collections.kubestellar.core.plugins.module_utils.placement.resolution import (
    Candidate,
    Modulation,
    Selected,
)

VERBS = frozenset({"list", "watch"})


def resource(group, plural, kind, namespaced=True):
    return Resource(group, "v1", plural, kind, namespaced, VERBS)


DEPLOYMENTS = resource("apps", "deployments", "Deployment")
CONFIG_MAPS = resource("", "configmaps", "ConfigMap")
SECRETS = resource("", "secrets", "Secret")
LEASES = resource("coordination.k8s.io", "leases", "Lease")
SERVICE_ACCOUNTS = resource("", "serviceaccounts", "ServiceAccount")
LIMITS = resource("", "limitranges", "LimitRange")
NAMESPACES = resource("", "namespaces", "Namespace", False)
ROLES = resource("rbac.authorization.k8s.io", "clusterroles", "ClusterRole", False)
CLASSES = resource("storage.k8s.io", "storageclasses", "StorageClass", False)
CRDS = resource("apiextensions.k8s.io", "customresourcedefinitions", "CustomResourceDefinition", False)
WIDGETS = resource("example.com", "widgets", "Widget")


def candidate(of, name, namespace="default", **metadata):
    own = {"namespace": namespace} if of.namespaced else {}
    return Candidate(of, {"name": name, "resourceVersion": "7", **own, **metadata})


WEB = candidate(DEPLOYMENTS, "web")
NOTE = candidate(CONFIG_MAPS, "note")
EDGE1, EDGE2 = Target("edge1", {"group": "edge"}), Target("edge2", {"group": "edge"})
ALL = {"clusterSelectors": [{}], "downsync": [{"resources": ["*"]}]}
CUSTOM = {("example.com", "widgets"): "widgets.example.com"}


def facts(*candidates, **more):
    return Facts("wds1", candidates or (WEB,), {}, more.pop("targets", (EDGE1, EDGE2)), **more)


def delivery(*candidates, clusters=("edge1", "edge2"), wds="wds1", policy="other", version="7", **modulation):
    selected = {c.key: Selected(c.key, version, Modulation(**modulation), "v1") for c in candidates}
    return Delivery(wds, policy, selected, frozenset(clusters))


def clause(**fields):
    return {**ALL, "downsync": [{"resources": ["*"], **fields}]}


def template(text, key=NOTE, **metadata):
    annotations = {templates.ANNOTATION: "true"}
    return {
        key.key: {"metadata": {"name": "note", "annotations": annotations, **metadata}, "data": {"x": text}}
    }


def nested(*keys):
    return [Target(name, {}, properties=dict.fromkeys(keys, "v")) for name in ("edge1", "edge2")]


CASES = [
    # code, facts that set it off, facts that do not, spec of the first, spec of the second
    ("clusters-unknown", facts(targets=(), clusters_known=False), facts(), ALL, ALL),
    ("facts-incomplete", facts(unread=["wds2: no answer"]), facts(), ALL, ALL),
    (
        "kind-guessed",
        facts(candidate(WIDGETS, "w"), guessed=frozenset(CUSTOM)),
        facts(candidate(DEPLOYMENTS, "w"), guessed=frozenset(CUSTOM)),
        ALL,
        ALL,
    ),
    ("namespace-undescribed", facts(WEB, offline=True), facts(WEB), ALL, ALL),
    (
        "never-delivered",
        facts(WEB, candidate(LEASES, "leader", labels={"app": "web"})),
        facts(WEB, candidate(LEASES, "leader", labels={"app": "other"})),
        clause(objectSelectors=[{"matchLabels": {"app": "web"}}]),
        clause(objectSelectors=[{"matchLabels": {"app": "web"}}]),
    ),
    *(
        (
            code,
            facts(WEB, fates={WEB.key: {code: ("spec.x",)}}),
            facts(WEB, fates={NOTE.key: {code: ("spec.x",)}}),
            ALL,
            ALL,
        )
        for code in fates.CODES
        if code not in fates.LATER
    ),
    *(
        (
            code,
            facts(WEB, fates={WEB.key: {code: ("spec.x",)}}, current=delivery(WEB)),
            facts(WEB, fates={WEB.key: {code: ("spec.x",)}}),
            ALL,
            ALL,
        )
        for code in sorted(fates.LATER)
    ),
    *(
        (
            code,
            facts(WEB, fates={WEB.key: {code: ("spec.x",)}}, current=delivery(WEB, create_only=True)),
            facts(WEB, fates={WEB.key: {code: ("spec.x",)}}, current=delivery(WEB, create_only=True)),
            ALL,
            clause(createOnly=True),
        )
        for code in sorted(fates.ONCE)
    ),
    (
        "token-secret",
        facts(candidate(SECRETS, "t", annotations={"kubernetes.io/service-account.name": "porter"})),
        facts(candidate(SECRETS, "t", annotations={"example.com/of": "porter"})),
        ALL,
        ALL,
    ),
    (
        "namespace-undescribed",
        facts(WEB, offline=True),
        replace(facts(WEB, offline=True), namespaces={"default": {}}),
        ALL,
        ALL,
    ),
    (
        "described-twice",
        facts(WEB, replaced=[candidate(DEPLOYMENTS, "web", labels={"app": "old"})]),
        facts(WEB, replaced=[NOTE]),
        ALL,
        clause(resources=["deployments"]),
    ),
    (
        "described-twice",
        facts(WEB, replaced=[candidate(CONFIG_MAPS, "note", labels={"app": "old"})]),
        facts(WEB, replaced=[candidate(CONFIG_MAPS, "note", labels={"app": "other"})]),
        clause(objectSelectors=[{"matchLabels": {"app": "old"}}]),
        clause(objectSelectors=[{"matchLabels": {"app": "old"}}]),
    ),
    (
        "template-property-missing",
        facts(NOTE, contents=template("{{.store}}")),
        facts(NOTE, contents=template("{{.store}}"), targets=nested("store")),
        ALL,
        ALL,
    ),
    (
        "template-property-missing",
        facts(NOTE, contents=template("{{.store}}")),
        facts(NOTE, contents=template("{{.clusterName}}{{.store}}", annotations={})),
        ALL,
        ALL,
    ),
    (
        "template-invalid",
        facts(NOTE, contents=template("{{.store-name}}")),
        facts(NOTE, contents=template("{{.clusterName}}")),
        ALL,
        ALL,
    ),
    (
        "template-property-possible",
        facts(NOTE, contents=template("{{if .clusterName}}{{.store}}{{end}}")),
        facts(NOTE, contents=template("{{if .clusterName}}{{.store}}{{end}}"), targets=nested("store")),
        ALL,
        ALL,
    ),
    (
        "object-too-large",
        facts(NOTE, sizes={NOTE.key: 512_001}),
        facts(NOTE, sizes={NOTE.key: 512_000, WEB.key: 600_000}),
        ALL,
        ALL,
    ),
    (
        "object-too-large",
        facts(NOTE, contents={NOTE.key: {"metadata": {}, "data": {"x": "y" * 512_000}}}),
        facts(NOTE, contents={NOTE.key: {"metadata": {"managedFields": "y" * 512_000}}}),
        ALL,
        ALL,
    ),
    ("last-copy", facts(current=delivery(WEB, NOTE)), facts(current=delivery(WEB)), ALL, ALL),
    (
        "policy-unlisted",
        facts(unlisted=True, offline=True, current=delivery(WEB)),
        facts(offline=True, current=delivery(WEB)),
        None,
        None,
    ),
    (
        "cluster-unlisted",
        facts(WEB, offline=True, current=delivery(WEB, clusters=["edge1", "edge9"])),
        facts(WEB, offline=True, current=delivery(WEB, clusters=["edge1"])),
        ALL,
        ALL,
    ),
    (
        "waves-content",
        facts(WEB, waves=True, objects_changed=True, current=delivery(WEB, clusters=["edge2"])),
        facts(WEB, waves=True, objects_changed=True),
        ALL,
        ALL,
    ),
    (
        "waves-content",
        facts(WEB, waves=True, objects_changed=True, current=delivery(WEB)),
        facts(WEB, waves=True, current=delivery(WEB)),
        ALL,
        ALL,
    ),
    (
        "waves-content",
        facts(WEB, waves=True, objects_changed=True, current=delivery(WEB)),
        facts(WEB, objects_changed=True, current=delivery(WEB)),
        ALL,
        ALL,
    ),
    (
        "waves-content",
        facts(WEB, NOTE, waves=True, current=delivery(WEB)),
        facts(WEB, NOTE, waves=True, current=delivery(WEB, NOTE)),
        ALL,
        ALL,
    ),
    ("waves-content", facts(WEB, waves=True, offline=True), facts(WEB, offline=True), ALL, ALL),
    (
        "waves-content",
        facts(WEB, waves=True, offline=True, current=delivery(WEB)),
        facts(WEB, waves=True, offline=True, current=delivery(WEB, clusters=["edge9"])),
        ALL,
        ALL,
    ),
    (
        "last-copy",
        facts(current=delivery(WEB)),
        facts(current=delivery(WEB), others=[delivery(WEB, clusters=["edge3"])]),
        {**ALL, "clusterSelectors": []},
        {**ALL, "clusterSelectors": []},
    ),
    (
        "last-copy",
        facts(current=delivery(WEB, NOTE)),
        facts(current=delivery(WEB, NOTE, clusters=[])),
        ALL,
        ALL,
    ),
    (
        "clusters-replaced",
        facts(current=delivery(WEB, clusters=["edge3"])),
        facts(current=delivery(WEB, clusters=["edge3", "edge2"])),
        ALL,
        ALL,
    ),
    ("no-cluster", facts(), facts(), {**ALL, "clusterSelectors": [{"matchLabels": {"group": "hub"}}]}, ALL),
    ("no-cluster", facts(targets=()), facts(targets=(), clusters_known=False), ALL, ALL),
    ("no-object", facts(), facts(), clause(namespaces=["none"]), ALL),
    (
        "clause-without-object",
        facts(),
        facts(NOTE, WEB),
        {**ALL, "downsync": [{"resources": ["*"]}, {"apiGroup": ""}]},
        {**ALL, "downsync": [{"resources": ["*"]}, {"apiGroup": ""}]},
    ),
    ("everything-on-host", facts(wds_type="host"), facts(wds_type="external"), ALL, ALL),
    (
        "everything-on-host",
        facts(wds_type="host"),
        facts(wds_type="host"),
        ALL,
        clause(namespaces=["default"]),
    ),
    (
        "everything-on-host",
        facts(wds_type="host"),
        facts(wds_type="host"),
        clause(objectSelectors=[{"matchLabels": {"a": "b"}}, {}], namespaceSelectors=[{}], namespaces=["*"]),
        clause(objectSelectors=[{"matchLabels": {"a": "b"}}]),
    ),
    ("cluster-scoped", facts(candidate(ROLES, "reader")), facts(), ALL, ALL),
    (
        "cluster-scoped",
        facts(candidate(NAMESPACES, "shop")),
        facts(candidate(NAMESPACES, "shop"), candidate(CONFIG_MAPS, "note", "shop")),
        ALL,
        ALL,
    ),
    (
        "system-object",
        facts(candidate(NAMESPACES, "kube-system")),
        facts(candidate(NAMESPACES, "shop")),
        ALL,
        ALL,
    ),
    ("system-object", facts(candidate(NAMESPACES, "default")), facts(), ALL, ALL),
    (
        "system-object",
        facts(candidate(CONFIG_MAPS, "kube-root-ca.crt", "shop")),
        facts(candidate(CONFIG_MAPS, "ca.crt", "shop")),
        ALL,
        ALL,
    ),
    (
        "system-object",
        facts(candidate(SERVICE_ACCOUNTS, "default", "shop")),
        facts(candidate(SERVICE_ACCOUNTS, "till", "shop")),
        ALL,
        ALL,
    ),
    ("system-object", facts(candidate(DEPLOYMENTS, "dns", "kube-system")), facts(), ALL, ALL),
    ("system-object", facts(candidate(ROLES, "system:node")), facts(candidate(ROLES, "reader")), ALL, ALL),
    (
        "system-object",
        facts(candidate(CRDS, "bindings.control.kubestellar.io")),
        facts(candidate(CRDS, "widgets.example.com")),
        ALL,
        ALL,
    ),
    (
        "namespace-missing",
        facts(candidate(CONFIG_MAPS, "note", "shop")),
        facts(candidate(CONFIG_MAPS, "note", "shop"), candidate(NAMESPACES, "shop")),
        ALL,
        ALL,
    ),
    (
        "namespace-missing",
        facts(
            candidate(CONFIG_MAPS, "note", "shop"),
            others=[delivery(candidate(NAMESPACES, "shop"), clusters=["edge1"])],
        ),
        facts(candidate(CONFIG_MAPS, "note", "shop"), others=[delivery(candidate(NAMESPACES, "shop"))]),
        ALL,
        ALL,
    ),
    (
        "namespace-missing",
        facts(candidate(CONFIG_MAPS, "note", "shop")),
        facts(candidate(CONFIG_MAPS, "note", "kube-public")),
        ALL,
        ALL,
    ),
    (
        "definition-versions",
        facts(
            candidate(WIDGETS, "w"), custom=CUSTOM, versions={("example.com", "widgets"): ["v1", "v1beta1"]}
        ),
        facts(candidate(WIDGETS, "w"), custom=CUSTOM),
        ALL,
        ALL,
    ),
    (
        "definition-versions",
        facts(
            candidate(WIDGETS, "w"), custom=CUSTOM, versions={("example.com", "widgets"): ["v1", "v1beta1"]}
        ),
        facts(WEB, custom=CUSTOM, versions={("apps", "deployments"): ["v1", "v1beta2"]}),
        ALL,
        ALL,
    ),
    (
        "crd-missing",
        facts(candidate(WIDGETS, "w"), custom=CUSTOM),
        facts(candidate(WIDGETS, "w"), candidate(CRDS, "widgets.example.com"), custom=CUSTOM),
        ALL,
        ALL,
    ),
    (
        "crd-missing",
        facts(
            candidate(WIDGETS, "w"), custom=CUSTOM, others=[delivery(candidate(CRDS, "gadgets.example.com"))]
        ),
        facts(
            candidate(WIDGETS, "w"), custom=CUSTOM, others=[delivery(candidate(CRDS, "widgets.example.com"))]
        ),
        ALL,
        ALL,
    ),
    ("agent-rights", facts(candidate(LIMITS, "l")), facts(), ALL, ALL),
    ("agent-rights", facts(candidate(CLASSES, "fast")), facts(candidate(ROLES, "reader")), ALL, ALL),
    ("agent-rights", facts(candidate(WIDGETS, "w")), facts(candidate(CRDS, "widgets.example.com")), ALL, ALL),
    (
        "cluster-unavailable",
        facts(targets=(replace(EDGE1, available=False, reason="LeaseStopped"),)),
        facts(targets=(EDGE1, replace(EDGE2, labels={}, available=False))),
        ALL,
        {**ALL, "clusterSelectors": [{"matchLabels": {"group": "edge"}}]},
    ),
    (
        "cluster-not-accepted",
        facts(targets=(replace(EDGE1, accepted=False, available=False),)),
        facts(targets=(EDGE1,)),
        ALL,
        ALL,
    ),
    (
        "singleton-clusters",
        facts(),
        facts(targets=(EDGE1,)),
        clause(wantSingletonReportedState=True),
        clause(wantSingletonReportedState=True),
    ),
    (
        "singleton-clusters",
        facts(targets=(EDGE1,), others=[delivery(WEB, clusters=["edge2"], singleton=True)]),
        facts(targets=(EDGE1,), others=[delivery(WEB, clusters=["edge2"])]),
        clause(wantSingletonReportedState=True),
        clause(wantSingletonReportedState=True),
    ),
    (
        "singleton-clusters",
        facts(targets=()),
        facts(),
        clause(wantSingletonReportedState=True),
        clause(wantSingletonReportedState=True, wantMultiWECReportedState=True),
    ),
    (
        "collector-missing",
        facts(WEB, NOTE, collectors=frozenset({"toll"})),
        facts(WEB, NOTE, collectors=frozenset({"toll", "toll-nosuch"})),
        clause(statusCollectors=["toll", "toll-nosuch"]),
        clause(statusCollectors=["toll", "toll-nosuch"]),
    ),
    (
        "collector-missing",
        facts(WEB, collectors=frozenset()),
        facts(WEB, collectors=None),
        clause(statusCollectors=["toll"]),
        clause(statusCollectors=["toll"]),
    ),
    (
        "multi-wec-kind",
        facts(NOTE),
        facts(WEB),
        clause(wantMultiWECReportedState=True),
        clause(wantMultiWECReportedState=True),
    ),
    (
        "multi-wec-kind",
        facts(NOTE, targets=(), clusters_known=False),
        facts(NOTE, targets=(EDGE1,)),
        clause(wantMultiWECReportedState=True),
        clause(wantMultiWECReportedState=True),
    ),
    (
        "shared-object",
        facts(others=[delivery(WEB, clusters=["edge2", "edge3"])]),
        facts(others=[delivery(WEB, clusters=["edge3"]), delivery(NOTE)]),
        ALL,
        ALL,
    ),
    (
        "shared-object",
        facts(others=[delivery(WEB, wds="wds2")]),
        facts(others=[delivery(WEB, wds="wds2", create_only=True)]),
        ALL,
        ALL,
    ),
    (
        "shared-create-only",
        facts(others=[delivery(WEB, create_only=True)]),
        facts(others=[delivery(WEB, create_only=True)]),
        ALL,
        clause(createOnly=True),
    ),
    (
        "stale-property",
        facts(
            NOTE,
            contents=template("{{.store}}"),
            targets=nested("store"),
            current=delivery(NOTE),
            delivered={
                ("edge1", NOTE.key): {"data": {"x": "old"}},
                ("edge2", NOTE.key): {"data": {"x": "v"}},
            },
        ),
        facts(
            NOTE,
            contents=template("{{.store}}"),
            targets=nested("store"),
            current=delivery(NOTE),
            delivered={
                ("edge1", NOTE.key): {"data": {"x": "v"}},
                ("edge3", NOTE.key): {"data": {"x": "old"}},
            },
        ),
        ALL,
        ALL,
    ),
    (
        "stale-property",
        facts(
            NOTE,
            contents=template("{{.store}}"),
            targets=nested("store"),
            current=delivery(NOTE),
            delivered={("edge1", NOTE.key): {"data": {"x": "old"}}},
        ),
        # The object was edited, so it is delivered again anyway.
        facts(
            NOTE,
            contents=template("{{.store}}"),
            targets=nested("store"),
            current=delivery(NOTE, version="6"),
            delivered={("edge1", NOTE.key): {"data": {"x": "old"}}},
        ),
        ALL,
        ALL,
    ),
    (
        "stale-transform",
        facts(
            transforms=[Transform("t", "apps", "deployments", 20)],
            delivered_at={WEB.key: 19},
            current=delivery(WEB),
        ),
        facts(
            transforms=[Transform("t", "apps", "deployments", 20)],
            delivered_at={WEB.key: 20},
            current=delivery(WEB),
        ),
        ALL,
        ALL,
    ),
    (
        "stale-transform",
        facts(
            transforms=[Transform("t", "apps", "deployments", 20)],
            delivered_at={WEB.key: 19},
            current=delivery(WEB),
        ),
        facts(
            transforms=[Transform("t", "apps", "deployments", 20)],
            delivered_at={WEB.key: 19},
            current=delivery(WEB, clusters=["edge1"]),
        ),
        ALL,
        ALL,
    ),
]


def codes(spec, given):
    return [item["code"] for item in preview(spec, given).warnings]


@pytest.mark.parametrize(
    ("code", "first", "second", "spec", "other"), CASES, ids=lambda v: v if isinstance(v, str) else ""
)
def test_each_warning_is_set_off_by_its_own_fact_only(code, first, second, spec, other):
    assert codes(spec, first).count(code) == 1
    assert code not in codes(other, second)


def test_every_warning_of_the_catalogue_has_a_case():
    # What is left behind is seen after the fact, see test_leftovers; what others have, by looking into clusters, see test_foresight.
    elsewhere = {"left-behind", "existing-object", "foreign-contents", "cluster-unseen"}
    foreseen = {code for code in catalogue.CATALOGUE if not code.startswith("guard-")} - elsewhere
    assert foreseen == {case[0] for case in CASES}


def test_a_plain_policy_earns_no_warning():
    assert codes(ALL, facts(WEB, NOTE)) == []


def message(spec, given, code):
    return next(item["message"] for item in preview(spec, given).warnings if item["code"] == code)


def test_clusters_that_lack_the_same_property_are_named_together_and_each_lack_apart():
    targets = (
        Target("edge1", {}, properties={"hours": "8"}),
        Target("edge2", {}, properties={"hours": "8"}),
        Target("edge3", {}, properties={"store": "x", "hours": "8"}),
        Target("edge4", {}, properties={"store": "x"}),
    )
    given = facts(NOTE, contents=template("{{.store}} {{.hours}}"), targets=targets)
    found = [item["message"] for item in preview(ALL, given).warnings]
    assert len(found) == 2
    assert "ConfigMap default/note needs the property hours, which edge4 lacks" in found[0]
    assert "needs the property store, which edge1, edge2 lack" in found[1]


def test_properties_may_come_from_labels_and_annotations():
    targets = (Target("edge1", {"store": "x"}), Target("edge2", {}, {"store": "x"}))
    assert codes(ALL, facts(NOTE, contents=template("{{.store}}"), targets=targets)) == []


def test_properties_that_could_not_be_read_are_not_taken_for_missing():
    given = facts(
        NOTE,
        contents=template("{{.store}}"),
        properties_known=False,
        unread=["its1: forbidden"],
        current=delivery(NOTE),
        delivered={("edge1", NOTE.key): {"data": {"x": "old"}}},
    )
    assert codes(ALL, given) == ["facts-incomplete"]


def test_clusters_that_are_not_selected_need_no_property():
    spec = {**ALL, "clusterSelectors": [{"matchLabels": {"store": "x"}}]}
    targets = (Target("edge1", {"store": "x"}), Target("edge2", {}))
    assert codes(spec, facts(NOTE, contents=template("{{.store}}"), targets=targets)) == []


def test_a_template_that_cannot_be_expanded_is_named_with_its_place():
    text = message(ALL, facts(NOTE, contents=template("{{.store")), "template-invalid")
    assert "ConfigMap default/note at .data.x" in text and "unclosed action" in text


def test_templates_in_a_policy_that_goes_nowhere_do_no_harm():
    spec = {**ALL, "clusterSelectors": []}
    assert codes(spec, facts(NOTE, contents=template("{{.a-b}}{{.store}}"))) == ["no-cluster"]


def test_objects_that_are_not_selected_are_not_looked_into():
    given = facts(NOTE, WEB, contents={**template("{{.a-b}}{{.store}}")})
    assert codes(clause(resources=["deployments"]), given) == []


def test_a_policy_that_goes_nowhere_is_no_copy():
    given = facts(current=delivery(WEB, NOTE), others=[delivery(NOTE, clusters=[])])
    assert "configmaps default/note" in message(ALL, given, "last-copy")


def test_a_cluster_that_is_not_accepted_is_not_also_called_unavailable():
    assert codes(ALL, facts(targets=(replace(EDGE1, accepted=False, available=False),))) == [
        "cluster-not-accepted"
    ]


def test_numbers_and_names_are_told():
    many = [candidate(CONFIG_MAPS, f"n{number}", "shop") for number in range(9)]
    text = message(ALL, facts(*many, targets=[Target(f"edge{n}", {}) for n in range(8)]), "namespace-missing")
    assert text == (
        "Nothing delivers the Namespace shop to edge0, edge1, edge2, edge3, edge4 and 3 more, where 9 objects in it are to go."
    )


def test_namespaces_that_lack_in_the_same_clusters_are_one_warning():
    given = facts(
        candidate(CONFIG_MAPS, "a", "one"),
        candidate(CONFIG_MAPS, "a", "two"),
        candidate(CONFIG_MAPS, "a", "three"),
        others=[delivery(candidate(NAMESPACES, "three"), clusters=["edge1"])],
    )
    found = [item["message"] for item in preview(ALL, given).warnings]
    assert [text.partition(",")[0] for text in found] == [
        "Nothing delivers the Namespaces one",
        "Nothing delivers the Namespace three to edge2",
    ]


def test_who_else_delivers_is_told_by_policy_and_wds():
    given = facts(
        others=[delivery(WEB, wds="wds2", policy="q"), delivery(WEB, clusters=["edge1"], policy="p")]
    )
    found = [item["message"] for item in preview(ALL, given).warnings]
    assert "from the policy p to edge1:" in found[0]
    assert "from the policy q in wds2 to edge1, edge2:" in found[1]


def test_an_object_that_is_created_once_is_not_stale():
    given = facts(
        NOTE,
        contents=template("{{.store}}"),
        targets=nested("store"),
        current=delivery(NOTE, create_only=True),
        delivered={("edge1", NOTE.key): {"data": {"x": "old"}}},
    )
    assert codes(clause(createOnly=True), given) == []


def test_warnings_come_in_the_order_of_the_catalogue():
    given = facts(
        candidate(LIMITS, "l", "shop"),
        candidate(NAMESPACES, "kube-system"),
        targets=(replace(EDGE1, available=False),),
        others=[delivery(candidate(LIMITS, "l", "shop"))],
    )
    order = list(catalogue.CATALOGUE)
    found = codes(ALL, given)
    assert len(found) == 5
    assert found == sorted(found, key=order.index)


def test_each_check_is_in_the_list():
    checks = {
        name
        for name, value in vars(warnings).items()
        if getattr(value, "__annotations__", {}).get("return") == "Warnings"
    }
    assert {check.__name__ for check in warnings.CHECKS} == checks
