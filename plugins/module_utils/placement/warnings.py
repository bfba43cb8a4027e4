# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a placement: one pure function for each trouble of the catalogue (private to kubestellar.core).

Each takes a `Placement` and yields warnings in a fixed order. Objects and clusters are only ever joined as sets.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._client import label
from ansible_collections.kubestellar.core.plugins.module_utils.placement import (
    catalogue,
    fates,
    gotemplate,
    resolution,
    templates,
)
from ansible_collections.kubestellar.core.plugins.module_utils.placement.catalogue import warning
from ansible_collections.kubestellar.core.plugins.module_utils.placement.facts import Delivery, Placement
from ansible_collections.kubestellar.core.plugins.module_utils.placement.resolution import ObjectKey, Selected

Warnings = Iterator[dict[str, str]]

NAMESPACES_EVERYWHERE = frozenset({"default", "kube-node-lease", "kube-public", "kube-system"})
"""Namespaces that every cluster has."""

AGGREGATED = frozenset({("apps", "daemonsets"), ("apps", "deployments"), ("apps", "replicasets")})
"""What KubeStellar can aggregate the status of over several clusters (kubestellar: pkg/status/multiwec-status.go)."""

AGENT_RIGHTS = frozenset(
    {
        # ClusterRole `admin`, which is bound to the work agent.
        ("", "configmaps"),
        ("", "events"),
        ("", "persistentvolumeclaims"),
        ("", "pods"),
        ("", "replicationcontrollers"),
        ("", "secrets"),
        ("", "serviceaccounts"),
        ("", "services"),
        ("apps", "daemonsets"),
        ("apps", "deployments"),
        ("apps", "replicasets"),
        ("apps", "statefulsets"),
        ("autoscaling", "horizontalpodautoscalers"),
        ("batch", "cronjobs"),
        ("batch", "jobs"),
        ("networking.k8s.io", "ingresses"),
        ("networking.k8s.io", "networkpolicies"),
        ("policy", "poddisruptionbudgets"),
        ("rbac.authorization.k8s.io", "rolebindings"),
        ("rbac.authorization.k8s.io", "roles"),
        # What a klusterlet grants beside it (ocm: manifests/klusterlet/managed).
        ("", "namespaces"),
        ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
        ("admissionregistration.k8s.io", "validatingwebhookconfigurations"),
        ("apiextensions.k8s.io", "customresourcedefinitions"),
        ("monitoring.coreos.com", "servicemonitors"),
        ("oauth.openshift.io", "oauthclients"),
        ("rbac.authorization.k8s.io", "clusterrolebindings"),
        ("rbac.authorization.k8s.io", "clusterroles"),
        ("scheduling.k8s.io", "priorityclasses"),
    }
)
"""(group, plural) that the work agent of a WEC may create, change and delete."""

_NAMESPACE = ("", "namespaces")
_DEFINITION = ("apiextensions.k8s.io", "customresourcedefinitions")
HOLDERS = (_NAMESPACE, _DEFINITION)
"""(group, plural) of what takes other objects along when it is deleted."""
_TOKEN_OF = "kubernetes.io/service-account.name"
_SYSTEM_NAMES = frozenset({("configmaps", "kube-root-ca.crt"), ("serviceaccounts", "default")})
_SYSTEM_GROUPS = ("kubestellar.io", "open-cluster-management.io")
_RBAC = "rbac.authorization.k8s.io"


def all_of(placement: Placement) -> list[dict[str, str]]:
    """Everything that is wrong, in the order of the catalogue."""
    found = [item for check in CHECKS for item in check(placement)]
    order = {code: number for number, code in enumerate(catalogue.CATALOGUE)}
    return sorted(found, key=lambda item: order[item["code"]])


def object_names(placement: Placement, keys: Iterable[ObjectKey]) -> list[str]:
    """`Deployment shop/web`, sorted by kind, namespace and name."""
    kinds = placement.kinds
    return [label(kinds.get((k.group, k.resource), k.resource), k.name, k.namespace) for k in sorted(keys)]


def _kinds(placement: Placement, keys: Iterable[ObjectKey]) -> list[str]:
    return sorted({placement.kinds.get((k.group, k.resource), k.resource) for k in keys})


# -- what cannot be said ------------------------------------------------------------------------------------------


def clusters_unknown(placement: Placement) -> Warnings:
    """Without an ITS nothing is known of clusters."""
    if not placement.facts.clusters_known and not placement.removal:
        yield warning("clusters-unknown")


def facts_incomplete(placement: Placement) -> Warnings:
    """Something was not readable."""
    if placement.facts.unread:
        yield warning("facts-incomplete", reasons=sorted(placement.facts.unread))


def kind_guessed(placement: Placement) -> Warnings:
    """Kinds that only discovery could tell."""
    found = [key for key in placement.objects if key[:2] in placement.facts.guessed]
    if found:
        yield warning("kind-guessed", kinds=_kinds(placement, found), objects=len(found))


def described_twice(placement: Placement) -> Warnings:
    """Objects that are selected, or would be, if they were not applied once more in another way."""
    facts = placement.facts
    if not facts.replaced:
        return
    lost = resolution.objects({"downsync": placement.clauses}, facts.replaced, facts.namespaces)
    found = lost.keys() | {one.key for one in facts.replaced if one.key in placement.objects}
    if found:
        yield warning("described-twice", objects=object_names(placement, found))


def namespace_undescribed(placement: Placement) -> Warnings:
    """Namespaces that objects are in and that no file has; only a preview from files can lack one."""
    if not placement.facts.offline:
        return
    found = [
        key.namespace
        for key in placement.objects
        if key.namespace and key.namespace not in placement.facts.namespaces
    ]
    if found:
        yield warning("namespace-undescribed", namespaces=sorted(set(found)), objects=len(found))


# -- what takes the workload away ---------------------------------------------------------------------------------


def template_findings(placement: Placement) -> Warnings:
    """Properties that templates need and selected clusters lack, and templates that cannot be expanded.

    Templates that need the same are one group, and so are clusters that lack the same.
    """
    needed: dict[tuple[frozenset[str], frozenset[str]], set[ObjectKey]] = defaultdict(set)
    invalid: list[tuple[ObjectKey, str, str]] = []
    for key, needs, may_need, errors in template_needs(placement):
        invalid += [(key, path, error) for path, error in errors]
        if needs or may_need:
            needed[needs, may_need].add(key)
    for key, path, error in invalid if placement.clusters or not placement.facts.clusters_known else ():
        yield warning("template-invalid", object=object_names(placement, [key])[0], path=path, reason=error)
    if not needed or not placement.facts.properties_known:
        return
    targets = {target.name: target for target in placement.facts.targets}
    wanted = frozenset().union(*(needs | may_need for needs, may_need in needed))
    lacking: dict[frozenset[str], list[str]] = defaultdict(list)
    for name in placement.clusters:
        lacks = wanted.difference(templates.properties(targets[name]))
        if lacks:
            lacking[lacks].append(name)
    for code, index in (("template-property-missing", 0), ("template-property-possible", 1)):
        groups: dict[frozenset[str], tuple[set[ObjectKey], set[str]]] = {}
        for pair, keys in needed.items():
            for lacks, clusters in lacking.items():
                missing = pair[index] & lacks
                if missing:
                    group = groups.setdefault(missing, (set(), set()))
                    group[0].update(keys)
                    group[1].update(clusters)
        for missing, (keys, names) in sorted(groups.items(), key=lambda item: sorted(item[0])):
            yield warning(
                code,
                clusters=sorted(names),
                properties=sorted(missing),
                objects=object_names(placement, keys),
            )


def template_needs(
    placement: Placement,
) -> Iterator[tuple[ObjectKey, frozenset[str], frozenset[str], list[tuple[str, str]]]]:
    """Of each selected object that asks for expansion: what it needs, what it may need, what is wrong with it."""
    for key, content in sorted(placement.facts.contents.items()):
        if key not in placement.objects or not templates.wants_expansion(content.get("metadata") or {}):
            continue
        needs: set[str] = set()
        may_need: set[str] = set()
        errors = []
        for path, text in templates.strings(templates.cleaned(content)):
            template = gotemplate.parse(text)
            needs |= template.needs
            may_need |= template.may_need
            if template.error:
                errors.append((path, template.error))
        yield key, frozenset(needs), frozenset(may_need - needs), errors


def object_too_large(placement: Placement) -> Warnings:
    """Objects that the transport refuses, and with them all of the policy."""
    facts = placement.facts
    sizes = {
        **{key: templates.size(content) for key, content in facts.contents.items()},
        **facts.sizes,
    }
    large = [key for key, size in sizes.items() if size > templates.SIZE_LIMIT and key in placement.objects]
    if large:
        yield warning("object-too-large", objects=object_names(placement, large), limit=templates.SIZE_LIMIT)


def last_copies(placement: Placement) -> frozenset[ObjectKey]:
    """The objects that are in some cluster now and would be in none afterwards."""
    if not placement.clusters_before or (not placement.facts.clusters_known and not placement.removal):
        return frozenset()
    leaving = placement.before.keys() - (placement.objects.keys() if placement.clusters else frozenset())
    for other in placement.facts.others:
        if other.clusters:
            leaving -= other.objects.keys()
    return frozenset(leaving)


def definition_versions(placement: Placement) -> Warnings:
    """Custom resources that are watched in each version, and would be listed twice (kubestellar: pkg/binding/crd.go)."""
    facts = placement.facts
    found = [key for key in placement.objects if key[:2] in facts.custom and key[:2] in facts.versions]
    if found:
        kinds = sorted({key[:2] for key in found})
        yield warning(
            "definition-versions",
            definitions=[facts.custom[kind] for kind in kinds],
            versions=sorted({version for kind in kinds for version in facts.versions[kind]}),
            objects=len(found),
        )


def last_copy(placement: Placement) -> Warnings:
    """See `last_copies`."""
    leaving = last_copies(placement)
    if leaving:
        yield warning("last-copy", objects=object_names(placement, leaving))


def clusters_replaced(placement: Placement) -> Warnings:
    """The workload moves: it is nowhere where it was."""
    if (
        placement.clusters_before
        and placement.clusters
        and placement.before
        and not placement.clusters_before & set(placement.clusters)
    ):
        yield warning("clusters-replaced", before=placement.clusters_before, clusters=placement.clusters)


# -- what matches nothing, or too much ------------------------------------------------------------------------------


def no_cluster(placement: Placement) -> Warnings:
    """A policy that goes nowhere."""
    if not placement.removal and placement.facts.clusters_known and not placement.clusters:
        yield warning("no-cluster", registered=len(placement.facts.targets))


def no_object(placement: Placement) -> Warnings:
    """A policy without a workload; and clauses that match nothing in one that has some."""
    if placement.removal:
        return
    if not placement.objects:
        yield warning("no-object")
        return
    idle = [f"downsync[{n}]" for n, hits in enumerate(placement.hits) if not hits]
    if idle:
        yield warning("clause-without-object", clauses=idle)


def everything_on_host(placement: Placement) -> Warnings:
    """A clause that means everything, where that is a whole hosting cluster."""
    if placement.facts.wds_type != "host":
        return
    clauses = [f"downsync[{n}]" for n, clause in enumerate(placement.clauses) if _means_everything(clause)]
    if clauses:
        yield warning("everything-on-host", clauses=clauses, type=placement.facts.wds_type)


def _means_everything(clause: Mapping[str, Any]) -> bool:
    lists = ("resources", "namespaces", "objectNames")
    selectors = ("objectSelectors", "namespaceSelectors")
    return (
        clause.get("apiGroup") is None
        and all(not clause.get(field) or "*" in clause[field] for field in lists)
        and all(
            not clause.get(field)
            or any(not s.get("matchLabels") and not s.get("matchExpressions") for s in clause[field])
            for field in selectors
        )
    )


def cluster_scoped_objects(placement: Placement) -> list[ObjectKey]:
    """Selected cluster-scoped objects, without the Namespaces that selected objects are in, and without `system_objects`."""
    own = {key.namespace for key in placement.objects}
    return [
        key
        for key in placement.objects
        if not key.namespace and not (key[:2] == _NAMESPACE and key.name in own) and not _is_system(key)
    ]


def cluster_scoped(placement: Placement) -> Warnings:
    """See `cluster_scoped_objects`."""
    found = cluster_scoped_objects(placement)
    if found:
        yield warning("cluster-scoped", objects=object_names(placement, found))


def system_objects(placement: Placement) -> list[ObjectKey]:
    """Selected objects that Kubernetes, KubeStellar or OCM make in every cluster, or that belong to the WDS only."""
    return [key for key in placement.objects if _is_system(key)]


def _is_system(key: ObjectKey) -> bool:
    if key.namespace:
        return (
            key.namespace.startswith("kube-")
            or (not key.group and (key.resource, key.name) in _SYSTEM_NAMES)
            or (key.namespace == "default" and key == ObjectKey("", "services", "default", "kubernetes"))
        )
    if key[:2] == _NAMESPACE:
        return key.name == "default" or key.name.startswith(
            ("kube-", "kubestellar-report", "open-cluster-management")
        )
    if key.group == _RBAC:
        return key.name.startswith(("system:", "open-cluster-management:"))
    return key[:2] == _DEFINITION and key.name.endswith(_SYSTEM_GROUPS)


def system_object(placement: Placement) -> Warnings:
    """See `system_objects`."""
    found = system_objects(placement)
    if found:
        yield warning("system-object", objects=object_names(placement, found))


def token_secret(placement: Placement) -> Warnings:
    """Secrets that Kubernetes fills with a token of a ServiceAccount, of the cluster where they are, and that is the WDS."""
    annotated = {
        one.key
        for one in placement.facts.candidates
        if one.key[:2] == ("", "secrets") and _TOKEN_OF in (one.metadata.get("annotations") or {})
    }
    found = sorted(annotated & placement.objects.keys())
    if found:
        yield warning("token-secret", objects=object_names(placement, found))


# -- what will not work in the clusters -----------------------------------------------------------------------------


def _delivered_by_others(placement: Placement) -> dict[ObjectKey, set[str]]:
    """Namespaces and CustomResourceDefinitions to the clusters that others deliver them to."""
    found: dict[ObjectKey, set[str]] = defaultdict(set)
    for other in placement.facts.others:
        for key in other.objects:
            if key[:2] in (_NAMESPACE, _DEFINITION):
                found[key] |= other.clusters
    return found


def requirements(placement: Placement) -> Warnings:
    """Objects whose Namespace or CustomResourceDefinition is delivered by nobody; those lacking in the same clusters together."""
    needed: dict[tuple[str, ObjectKey], int] = defaultdict(int)
    for key in placement.objects:
        if key.namespace and key.namespace not in NAMESPACES_EVERYWHERE:
            needed["namespace-missing", ObjectKey(*_NAMESPACE, "", key.namespace)] += 1
        definition = placement.facts.custom.get((key.group, key.resource))
        if definition:
            needed["crd-missing", ObjectKey(*_DEFINITION, "", definition)] += 1
    others = _delivered_by_others(placement) if needed else {}
    groups: dict[tuple[str, tuple[str, ...]], list[tuple[str, int]]] = defaultdict(list)
    for (code, key), number in needed.items():
        clusters = tuple(sorted(set(placement.clusters) - others.get(key, set())))
        if clusters and key not in placement.objects:
            groups[code, clusters].append((key.name, number))
    for (code, clusters), lacking in sorted(groups.items()):
        field = "namespaces" if code == "namespace-missing" else "definitions"
        yield warning(
            code,
            clusters=clusters,
            objects=sum(number for _name, number in lacking),
            **{field: sorted(name for name, _number in lacking)},
        )


def agent_rights(placement: Placement) -> Warnings:
    """Kinds that the work agents may not apply."""
    found = [key for key in placement.objects if key[:2] not in AGENT_RIGHTS]
    if found:
        yield warning("agent-rights", kinds=_kinds(placement, found), objects=len(found))


def clusters_out_of_reach(placement: Placement) -> Warnings:
    """Selected clusters that are not available, or that the hub has not accepted."""
    selected = set(placement.clusters)
    targets = [target for target in placement.facts.targets if target.name in selected]
    refused = sorted(target.name for target in targets if not target.accepted)
    away = sorted(
        f"{target.name} ({target.reason})" if target.reason else target.name
        for target in targets
        if target.accepted and not target.available
    )
    if away:
        yield warning("cluster-unavailable", clusters=away)
    if refused:
        yield warning("cluster-not-accepted", clusters=refused)


def never_delivered(placement: Placement) -> Warnings:
    """Objects that would be selected if their kind were ever delivered."""
    facts = placement.facts
    excluded = [
        one
        for one in facts.candidates
        if not resolution.not_excluded(one.resource.group, one.resource.plural, facts.api_groups)
    ]
    if not excluded:
        return
    found = resolution.objects({"downsync": placement.clauses}, excluded, facts.namespaces)
    kinds = {(one.resource.group, one.resource.plural): one.resource.kind for one in excluded}
    if found:
        names = [label(kinds[key[:2]], key.name, key.namespace) for key in sorted(found)]
        yield warning("never-delivered", objects=names)


def becoming(placement: Placement) -> Warnings:
    """What becomes of the selected objects on their way, and of some in the WDS itself."""
    groups: dict[tuple[str, Sequence[str]], list[ObjectKey]] = defaultdict(list)
    transformed = {(one.group, one.resource) for one in placement.facts.transforms}
    for key, becomes in placement.facts.fates.items():
        selected = placement.objects.get(key)
        if selected is None:
            continue
        for code, fields in becomes.items():
            once = code in fates.ONCE and selected.modulation.create_only
            early = code in fates.LATER and key not in placement.before
            settled = code == "replicas-autoscaled" and key[:2] in transformed
            if not (once or early or settled):
                groups[code, tuple(fields)].append(key)
    for (code, fields), keys in sorted(groups.items()):
        yield warning(code, objects=object_names(placement, keys), fields=fields)


# -- status that will not come --------------------------------------------------------------------------------------


def singleton_clusters(placement: Placement) -> Warnings:
    """The status of one cluster is asked for, and there is not exactly one among all policies that ask."""
    if not placement.facts.clusters_known:
        return
    asking = {
        key: frozenset(placement.clusters)
        for key, selected in placement.objects.items()
        if selected.modulation.singleton and not selected.modulation.multi_wec
    }
    for other in placement.facts.others if asking else ():
        for key in asking.keys() & other.objects.keys():
            if other.objects[key].modulation.singleton and other.wds == placement.facts.wds:
                asking[key] |= other.clusters
    groups: dict[int, list[ObjectKey]] = defaultdict(list)
    for key, clusters in asking.items():
        if len(clusters) != 1:
            groups[len(clusters)].append(key)
    for number, keys in sorted(groups.items()):
        yield warning("singleton-clusters", objects=object_names(placement, keys), number=number)


def multi_wec_kind(placement: Placement) -> Warnings:
    """The status of several clusters is asked for, of kinds that have no such thing."""
    if placement.facts.clusters_known and len(placement.clusters) < 2:
        return  # that of one cluster is copied, whatever the kind
    found = [
        key
        for key, selected in placement.objects.items()
        if selected.modulation.multi_wec and key[:2] not in AGGREGATED
    ]
    if found:
        yield warning(
            "multi-wec-kind", objects=object_names(placement, found), kinds=_kinds(placement, found)
        )


def collector_missing(placement: Placement) -> Warnings:
    """StatusCollectors that are named and are not there."""
    known = placement.facts.collectors
    if known is None:
        return
    lacking: dict[str, list[ObjectKey]] = defaultdict(list)
    for key, selected in placement.objects.items():
        for name in selected.modulation.status_collectors - known:
            lacking[name].append(key)
    groups: dict[tuple[ObjectKey, ...], list[str]] = defaultdict(list)
    for name, keys in lacking.items():
        groups[tuple(keys)].append(name)
    for concerned, names in sorted(groups.items()):
        objects = object_names(placement, concerned)
        yield warning("collector-missing", objects=objects, collectors=sorted(names))


# -- who else delivers ----------------------------------------------------------------------------------------------


def shared(placement: Placement) -> Warnings:
    """Objects that others deliver to the same clusters; those with another create_only apart."""
    clusters = frozenset(placement.clusters)
    found: dict[str, list[dict[str, str]]] = {"shared-object": [], "shared-create-only": []}
    for other in sorted(placement.facts.others, key=lambda one: (one.wds, one.policy)):
        common = clusters & other.clusters
        keys = placement.objects.keys() & other.objects.keys() if common else frozenset()
        differing = {key for key in keys if _differ(placement.objects[key], other.objects[key])}
        for code, part in (("shared-object", keys - differing), ("shared-create-only", differing)):
            if part:
                found[code].append(
                    warning(
                        code,
                        objects=object_names(placement, part),
                        by=_who(placement, other),
                        clusters=sorted(common),
                    )
                )
    for entries in found.values():
        yield from entries


def _differ(mine: Selected, other: Selected) -> bool:
    return mine.modulation.create_only != other.modulation.create_only


def _who(placement: Placement, other: Delivery) -> str:
    return f"the policy {other.policy}" + (f" in {other.wds}" if other.wds != placement.facts.wds else "")


def taken_along(
    leaving: Mapping[ObjectKey, frozenset[str]], placement: Placement
) -> dict[ObjectKey, tuple[set[str], set[ObjectKey]]]:
    """What other policies deliver in Namespaces and of definitions that leave, where nobody else delivers these: clusters and objects.

    :param leaving: Namespaces and definitions, each with the clusters that it leaves.
    """
    found: dict[ObjectKey, tuple[set[str], set[ObjectKey]]] = {}
    others = _delivered_by_others(placement) if leaving else {}
    definitions = {name: kind for kind, name in placement.facts.custom.items()}
    for holder, clusters in leaving.items():
        lost = clusters - others.get(holder, set())
        kind = definitions.get(holder.name) if holder[:2] == _DEFINITION else None
        for other in placement.facts.others if lost else ():
            keys = {
                key
                for key in other.objects
                if (key.namespace == holder.name if holder[:2] == _NAMESPACE else key[:2] == kind)
            }
            if keys and lost & other.clusters:
                entry = found.setdefault(holder, (set(), set()))
                entry[0].update(lost & other.clusters)
                entry[1].update(keys)
    return found


# -- what is changed but will not arrive ----------------------------------------------------------------------------


def sent_again(placement: Placement) -> bool:
    """Whether the Binding changes, so that everything is written anew whatever it was written for."""
    return (
        set(placement.clusters) != placement.clusters_before
        or placement.objects.keys() != placement.before.keys()
        or any(
            (selected.modulation, selected.resource_version)
            != (placement.before[key].modulation, placement.before[key].resource_version)
            for key, selected in placement.objects.items()
        )
    )


def stale_by_property(placement: Placement) -> dict[ObjectKey, list[str]]:
    """Templates that would be expanded otherwise today than what was delivered, with the clusters where."""
    facts = placement.facts
    if not facts.delivered or not facts.properties_known or sent_again(placement):
        return {}
    targets = {target.name: target for target in facts.targets}
    stale: dict[ObjectKey, list[str]] = defaultdict(list)
    for (cluster, key), delivered in sorted(facts.delivered.items()):
        content, target = facts.contents.get(key), targets.get(cluster)
        if content is None or target is None or key not in placement.objects:
            continue
        if placement.objects[key].modulation.create_only:
            continue
        values, there = templates.properties(target), dict(templates.leaves(delivered))
        for path, text in templates.strings(templates.cleaned(content)):
            expected = gotemplate.parse(text).expand(values)
            if expected is not None and path in there and there[path] != expected:
                stale[key].append(cluster)
                break
    return stale


def policy_unlisted(placement: Placement) -> Warnings:
    """A policy that is only gone from the files."""
    if placement.facts.unlisted and placement.clusters_before:
        yield warning("policy-unlisted", clusters=sorted(placement.clusters_before))


def cluster_unlisted(placement: Placement) -> Warnings:
    """Clusters that are only gone from the files."""
    facts = placement.facts
    if not facts.offline or not facts.clusters_known or facts.unlisted:
        return
    gone = placement.clusters_before - {target.name for target in facts.targets}
    if gone:
        yield warning("cluster-unlisted", clusters=sorted(gone))


def waves_content(placement: Placement) -> Warnings:
    """All clusters share the objects of the WDS and what is selected of them: a change is in no wave. Files do not say who has them."""
    facts = placement.facts
    before = {key: selected.modulation for key, selected in placement.before.items()}
    selected = {key: one.modulation for key, one in placement.objects.items()}
    if not facts.waves or not (facts.offline or facts.objects_changed or before != selected):
        return
    unknown = facts.offline and facts.current is None
    there = [name for name in placement.clusters if unknown or name in placement.clusters_before]
    if there:
        yield warning("waves-content", clusters=there)


def stale_property(placement: Placement) -> Warnings:
    """See `stale_by_property`."""
    groups: dict[tuple[str, ...], list[ObjectKey]] = defaultdict(list)
    for key, clusters in stale_by_property(placement).items():
        groups[tuple(clusters)].append(key)
    for names, keys in sorted(groups.items()):
        yield warning("stale-property", objects=object_names(placement, keys), clusters=names)


def stale_by_transform(placement: Placement) -> dict[str, list[ObjectKey]]:
    """CustomTransforms that are newer than the last delivery of what they transform, by name, with these objects."""
    facts = placement.facts
    if not facts.transforms or sent_again(placement):
        return {}
    found = {
        transform.name: [
            key
            for key, at in facts.delivered_at.items()
            if key in placement.objects
            and key[:2] == (transform.group, transform.resource)
            and at < transform.changed_at
        ]
        for transform in sorted(facts.transforms, key=lambda one: one.name)
    }
    return {name: keys for name, keys in found.items() if keys}


def stale_transform(placement: Placement) -> Warnings:
    """See `stale_by_transform`."""
    for name, keys in stale_by_transform(placement).items():
        yield warning("stale-transform", objects=object_names(placement, keys), transform=name)


CHECKS: Sequence[Callable[[Placement], Warnings]] = (
    clusters_unknown,
    facts_incomplete,
    kind_guessed,
    described_twice,
    namespace_undescribed,
    template_findings,
    object_too_large,
    definition_versions,
    last_copy,
    clusters_replaced,
    no_cluster,
    no_object,
    everything_on_host,
    cluster_scoped,
    system_object,
    token_secret,
    requirements,
    agent_rights,
    never_delivered,
    becoming,
    clusters_out_of_reach,
    singleton_clusters,
    multi_wec_kind,
    collector_missing,
    shared,
    policy_unlisted,
    cluster_unlisted,
    waves_content,
    stale_property,
    stale_transform,
)
