# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts of previews from files instead of API servers (private to kubestellar.core).

A scene is all that the files say: what each WDS holds, the clusters, the policies. It is previewed as a whole, so that each
policy knows what the others deliver, and beside an earlier scene or an earlier report, if there is one. The rules of
placement are those of the preview from API servers; only where facts come from differs.

What a WDS holds without anybody describing it is in none of the files. Of that, what every Namespace has is added, since
policies that select by Namespace take it along, and KubeStellar's own definitions; system RBAC and the like are not.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import (
    _bulk,
    _diff,
)
from ansible_collections.kubestellar.core.plugins.module_utils._client import label
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, Refused, plain
from ansible_collections.kubestellar.core.plugins.module_utils._module import Context
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    BINDING_POLICIES,
    CONFIG_MAPS,
    CRDS,
    MANAGED_CLUSTERS,
    NAMESPACES,
    SERVICE_ACCOUNTS,
    SERVICES,
    WDS_KINDS,
    Resource,
)
from ansible_collections.kubestellar.core.plugins.module_utils.placement import (
    fates,
    guards,
    policy,
    report,
    templates,
    warnings,
)
from ansible_collections.kubestellar.core.plugins.module_utils.placement.facts import Delivery, Facts, Target
from ansible_collections.kubestellar.core.plugins.module_utils.placement.kinds import Kinds
from ansible_collections.kubestellar.core.plugins.module_utils.placement.preview import (
    Preview,
    place,
    preview,
)
from ansible_collections.kubestellar.core.plugins.module_utils.placement.resolution import (
    Candidate,
    Modulation,
    ObjectKey,
    Selected,
)
from ansible_collections.kubestellar.core.plugins.module_utils.wecs import registered
from ansible_collections.kubestellar.core.plugins.module_utils.wecs.wanted import wishes_of
from ansible_collections.kubestellar.core.plugins.module_utils.workload import files, names, sources
from ansible_collections.kubestellar.core.plugins.module_utils.workload.pieces import Material

_MANIFESTS: dict[str, Any] = {
    "src": {"type": "list", "elements": "path"},
    "definitions": {"type": "raw"},
}
_PARTS: dict[str, Any] = {
    **_MANIFESTS,
    "workloads": {
        "type": "list",
        "elements": "dict",
        "options": {
            "name": {"type": "str", "required": True},
            "wds": {"type": "str"},
            **sources.NESTED_SPEC,
            "namespace": {"type": "str"},
            "labels": {"type": "dict"},
        },
    },
    "policies": {
        "type": "list",
        "elements": "dict",
        "options": {
            **{
                key: policy.POLICY_SPEC[key]
                for key in ("name", "definition", "cluster_selectors", "downsync")
            },
            "wds": {"type": "str"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "guards": {"type": "dict", "options": guards.GUARDS_SPEC},
            "waves": {"type": "bool", "default": False},
        },
    },
    "clusters": {
        "type": "list",
        "elements": "dict",
        "options": {
            "name": {"type": "str", "required": True},
            "its": {"type": "str"},
            "labels": {"type": "dict"},
            "annotations": {"type": "dict"},
            "properties": {"type": "dict"},
        },
    },
    "clusters_src": {"type": "list", "elements": "path"},
}
"""What a scene is made of."""

OFFLINE_SPEC: dict[str, Any] = {
    **_PARTS,
    "wdses": {
        "type": "list",
        "elements": "dict",
        "options": {
            "name": {"type": "str", "required": True},
            "type": {"type": "str"},
            "its": {"type": "str"},
            "api_groups": {"type": "list", "elements": "str"},
        },
    },
    "title": {"type": "str", "default": ""},
    "before": {"type": "dict", "options": {**_PARTS, "report": {"type": "path"}}},
}
"""The suboptions of `offline`."""

_FAMILIES = (("src", "definitions"), ("workloads",), ("policies",), ("clusters", "clusters_src"))
"""Suboptions of `before` that stand for the same thing: if one of a family is given, all of it is."""
_CLUSTER_KEYS = frozenset({"name", "its", "labels", "annotations", "properties"})
_SAID_OF_CLUSTERS = frozenset(
    {
        *("accepted", "joined", "available", "available_reason", "claims", "version", "conditions"),
        *("taints", "lease_age", "requests", "created", "deleting"),
    }
)
"""What managed_cluster_info says beside that, so that its result can be a file of clusters. It decides nothing here."""
_METADATA_NAME = "kubernetes.io/metadata.name"

_Part = tuple[str, Material]
"""What messages call some manifests, and these."""
PolicyKey = tuple[str, str]
"""WDS and name of a policy."""


@dataclass(frozen=True)
class Space:
    """A WDS. :ivar its: the ITS that it delivers through; empty for the only one."""

    name: str
    type: str = ""
    its: str = ""
    api_groups: Sequence[str] | None = None


@dataclass
class Contents:
    """What a WDS holds.

    :ivar whole: the objects that ask for expansion.
    :ivar sizes: bytes of those among all others that are too large, as the transport counts them.
    """

    candidates: list[Candidate] = field(default_factory=list)
    namespaces: dict[str, Mapping[str, str]] = field(default_factory=dict)
    whole: dict[ObjectKey, Mapping[str, Any]] = field(default_factory=dict)
    sizes: dict[ObjectKey, int] = field(default_factory=dict)
    custom: Mapping[tuple[str, str], str] = field(default_factory=dict)
    versions: Mapping[tuple[str, str], Sequence[str]] = field(default_factory=dict)
    guessed: frozenset[tuple[str, str]] = frozenset()
    replaced: list[Candidate] = field(default_factory=list)
    fates: Mapping[ObjectKey, fates.Fates] = field(default_factory=dict)


@dataclass(frozen=True)
class Wanted:
    """A policy. :ivar spec: None if it is to be absent. :ivar waves: whether it takes clusters wave by wave."""

    wds: str
    name: str
    spec: Mapping[str, Any] | None
    guards: guards.Guards
    waves: bool = False


@dataclass(frozen=True)
class Scene:
    """All that the files say.

    :ivar contents: by WDS.
    :ivar targets: the clusters, each with its ITS; None if nothing is said of clusters.
    :ivar policies: in the order given.
    """

    spaces: Mapping[str, Space]
    contents: Mapping[str, Contents]
    targets: Sequence[tuple[str, Target]] | None
    policies: Mapping[PolicyKey, Wanted]

    def targets_of(self, wds: str) -> list[Target]:
        """The clusters that a WDS can deliver to."""
        its = self.space(wds).its
        return [target for own, target in self.targets or () if own == its or not own or not its]

    def space(self, wds: str) -> Space:
        """A WDS, also one that only an earlier scene had."""
        return self.spaces.get(wds) or Space(wds)

    def facts(self, wds: str) -> Facts:
        """What a preview in a WDS is computed from, without what is delivered now and by others."""
        space, held = self.space(wds), self.contents.get(wds) or Contents()
        return Facts(
            wds=wds,
            candidates=held.candidates,
            namespaces=held.namespaces,
            targets=self.targets_of(wds),
            custom=held.custom,
            versions=held.versions,
            wds_type=space.type,
            api_groups=space.api_groups or None,
            contents=held.whole,
            offline=True,
            clusters_known=self.targets is not None,
            sizes=held.sizes,
            guessed=held.guessed,
            replaced=held.replaced,
            fates=held.fates,
        )

    def kinds(self) -> dict[tuple[str, str], str]:
        """(group, plural) to kind."""
        return {
            (one.resource.group, one.resource.plural): one.resource.kind
            for held in self.contents.values()
            for one in held.candidates
        }


@dataclass(frozen=True)
class Earlier:
    """What was delivered before. :ivar kinds: (group, plural) to kind."""

    deliveries: Mapping[PolicyKey, Delivery]
    kinds: Mapping[tuple[str, str], str]


def work(context: Context) -> dict[str, Any]:
    """What the module binding_policy_info does with the option `offline`.

    :raises InvalidInput: naming the first thing that is wrong.
    """
    params = context.params
    options = _taken(params["offline"])
    described = any(params[key] is not None for key in ("definition", "cluster_selectors", "downsync"))
    own = [{key: params[key] for key in ("name", "definition", "cluster_selectors", "downsync", "wds")}]
    now = scene(options, own if described else [], params["wds"], params["api_groups"])
    before = earlier(options, own if described else [], params["wds"], params["api_groups"])
    if not now.policies and not (before and before.deliveries):
        raise InvalidInput(
            "offline: there is no policy to preview.",
            hint="Give offline.policies, or describe one by name, cluster_selectors and downsync.",
        )
    found = previews(now, before)
    compared = before is not None
    result: dict[str, Any] = {
        "changed": False,
        "policies": [],
        "unread": [],
        **report.data(options["title"], found, compared=compared),
        "refusals": report.refusals(found),
        "text": report.text(options["title"], found, compared=compared),
        "markdown": report.markdown(options["title"], found, compared=compared),
    }
    if described:
        name = params["name"] or params["definition"]["metadata"]["name"]
        wds = params["wds"] or default_wds(options)
        result["preview"] = next(e["preview"] for e in found if (e["wds"], e["name"]) == (wds, name))
    return result


def _taken(options: dict[str, Any]) -> dict[str, Any]:
    """The options, which then have only what the result may repeat of manifests."""
    kept = {**options, **sources.take(options)}
    if options.get("workloads"):
        kept["workloads"] = [{**entry, **sources.take(entry)} for entry in options["workloads"]]
    if options.get("before"):
        kept["before"] = _taken(options["before"])
    return kept


def default_wds(options: Mapping[str, Any]) -> str:
    """The WDS of what names none."""
    return str(((options.get("wdses") or [{}])[0]).get("name") or "wds1")


# -- from options to a scene ----------------------------------------------------------------------------------------------


def scene(
    options: Mapping[str, Any],
    own: Sequence[Mapping[str, Any]] = (),
    wds: str | None = None,
    api_groups: Sequence[str] | None = None,
) -> Scene:
    """The scene of the option `offline`.

    :param own: policies that are described beside it.
    :param wds: the WDS of what names none; else the first.
    :param api_groups: what a WDS is limited to that does not say.
    :raises InvalidInput: a file that cannot be read, an object, cluster or policy that cannot be right.
    """
    main = wds or default_wds(options)
    given = [
        Space(w["name"], w.get("type") or "", w.get("its") or "", w.get("api_groups") or api_groups)
        for w in options.get("wdses") or []
    ]
    spaces = {space.name: space for space in given} or {main: Space(main, api_groups=api_groups)}
    groups: dict[str, list[_Part]] = defaultdict(list)
    loose = {key: options.get(key) for key in _MANIFESTS}
    groups[main].append(("offline", sources.read(loose, "offline")))
    for entry in options.get("workloads") or []:
        groups[_known(entry, main, spaces, "workload")].append(_of_workload(entry))
    policies: dict[PolicyKey, Wanted] = {}
    asked = [
        (_known(entry, main, spaces, "policy"), entry) for entry in (*own, *(options.get("policies") or []))
    ]
    asked += [
        (name, {"definition": obj})
        for name, parts in groups.items()
        for _where, held in parts
        for obj in held.objects
        if (obj["kind"], obj["apiVersion"]) == (BINDING_POLICIES.kind, BINDING_POLICIES.api_version)
    ]
    for name, entry in asked:
        one = _wanted(name, entry)
        if (one.wds, one.name) in policies:
            raise InvalidInput(f"{one.wds}: the policy {one.name} is there twice.", hint="Keep one of them.")
        policies[one.wds, one.name] = one
    targets = _targets(options)
    for one in policies.values():
        if targets is None and one.guards.need_clusters:
            raise InvalidInput(
                f"{one.wds}: policy {one.name}: guards.{one.guards.need_clusters[0]} needs to know the clusters.",
                hint="Give offline.clusters or offline.clusters_src.",
            )
    return Scene(spaces, {name: _contents(name, parts) for name, parts in groups.items()}, targets, policies)


def _known(entry: Mapping[str, Any], main: str, spaces: Mapping[str, Space], what: str) -> str:
    """The WDS of an entry."""
    name = entry.get("wds") or main
    if name not in spaces:
        raise InvalidInput(
            f"offline: the {what} {plain(entry.get('name'), 80)} is for the WDS {plain(name, 80)}, which is not there.",
            hint=f"Name it in offline.wdses, which has {', '.join(spaces)}.",
        )
    return str(name)


def _of_workload(entry: Mapping[str, Any]) -> _Part:
    """What messages call it, and its objects with their labels."""
    name = entry["name"]
    names.check_name(name)
    where = f"workload {name}"
    held = sources.read(entry, where, name=name, namespace=entry.get("namespace"))
    if not held.objects:
        raise InvalidInput(f"The {where} has no objects.", hint="Give definitions, src or another source.")
    labels = {**(entry.get("labels") or {}), names.WORKLOAD_LABEL: name}
    labelled = _bulk.check_definitions(names.labelled(held.objects, labels), f"{where}: labels")
    return where, replace(held, objects=labelled)


def _wanted(wds: str, entry: Mapping[str, Any]) -> Wanted:
    limits = guards.parse(entry.get("guards"))
    if entry.get("state") == "absent":
        name = entry.get("name") or ((entry.get("definition") or {}).get("metadata") or {}).get("name")
        if not name:
            raise InvalidInput("offline: the policy that is to be absent has no name.", hint="Set name.")
        return Wanted(wds, str(name), None, limits)
    if not entry.get("name") and entry.get("definition") is None:
        raise InvalidInput("offline: a policy has neither a name nor a definition.")
    manifest = _diff.wanted(
        policy.manifest(
            {key: entry.get(key) for key in ("name", "definition", "cluster_selectors", "downsync")}
        )
    )
    return Wanted(wds, str(manifest["metadata"]["name"]), manifest["spec"], limits, bool(entry.get("waves")))


# -- what a WDS holds -----------------------------------------------------------------------------------------------------


def _contents(wds: str, parts: Sequence[_Part]) -> Contents:
    """What is in a WDS after the parts were applied in their order."""
    kinds = Kinds(obj for _where, held in parts for obj in held.objects)
    found: dict[ObjectKey, tuple[Candidate, Mapping[str, Any]]] = {}
    replaced: list[Candidate] = []
    guessed: dict[tuple[str, str], str] = {}
    for where, held in parts:
        for obj, namespace, origin in zip(held.objects, held.namespaces, held.origins, strict=True):
            known = kinds.of(obj)
            if known.guessed:
                guessed[known.resource.group, known.resource.plural] = known.definition
            placed = _placed(f"{wds}: {where}", obj, known.resource, namespace, origin)
            candidate = Candidate(known.resource, placed["metadata"])
            if candidate.key in found:
                replaced.append(found[candidate.key][0])
            found[candidate.key] = candidate, placed
    result = Contents(
        candidates=[candidate for candidate, _obj in found.values()],
        custom={**kinds.custom, **{pair: name for pair, name in guessed.items() if name}},
        versions=kinds.versions,
        guessed=frozenset(guessed),
        replaced=replaced,
        fates=fates.of_all({key: whole for key, (_candidate, whole) in found.items()}),
    )
    result.candidates += (one for one in _made_by_itself(found) if one.key not in found)
    result.namespaces = {
        one.key.name: one.metadata.get("labels") or {}
        for one in result.candidates
        if one.key[:2] == ("", "namespaces")
    }
    for key, (candidate, whole) in found.items():
        if templates.wants_expansion(candidate.metadata):
            result.whole[key] = whole
        elif (size := _size(wds, whole)) > templates.SIZE_LIMIT:
            result.sizes[key] = size
    return result


def _placed(
    where: str, obj: dict[str, Any], resource: Resource, namespace: str | None, origin: str
) -> dict[str, Any]:
    """An object as it will be in the WDS: in its Namespace, a Namespace with the label that it gets by itself.

    :raises InvalidInput: a namespaced object without a Namespace, as when it is applied.
    """
    metadata: dict[str, Any] = obj["metadata"]
    named = f"{label(obj['kind'], metadata['name'])} ({origin})"
    if resource.namespaced and not metadata.get("namespace"):
        if not namespace:
            raise InvalidInput(
                f"{where}: {named} names no namespace.",
                hint="Set metadata.namespace, or the option namespace for all such objects.",
            )
        metadata = {**metadata, "namespace": namespace}
    elif not resource.namespaced:
        metadata = {key: value for key, value in metadata.items() if key != "namespace"}
    if (resource.group, resource.plural) == ("", "namespaces"):
        labels = {**(metadata.get("labels") or {}), _METADATA_NAME: metadata["name"]}
        metadata = {**metadata, "labels": labels}
    return {**obj, "metadata": metadata}


def _made_by_itself(found: Iterable[ObjectKey]) -> Iterator[Candidate]:
    """What is in every WDS, or in each of its Namespaces, without being described."""
    own = [key.name for key in found if key[:2] == ("", "namespaces")]
    for name in sorted(warnings.NAMESPACES_EVERYWHERE):
        yield Candidate(NAMESPACES, {"name": name, "labels": {_METADATA_NAME: name}})
    for name in [*sorted(warnings.NAMESPACES_EVERYWHERE), *own]:
        yield Candidate(CONFIG_MAPS, {"name": "kube-root-ca.crt", "namespace": name})
        yield Candidate(SERVICE_ACCOUNTS, {"name": "default", "namespace": name})
    labels = {"component": "apiserver", "provider": "kubernetes"}
    yield Candidate(SERVICES, {"name": "kubernetes", "namespace": "default", "labels": labels})
    for kind in WDS_KINDS:
        yield Candidate(CRDS, {"name": f"{kind.plural}.{kind.group}"})


def _size(wds: str, obj: Mapping[str, Any]) -> int:
    try:
        return templates.size(obj)
    except TypeError as error:
        metadata = obj["metadata"]
        raise InvalidInput(
            f"{wds}: {label(obj['kind'], metadata['name'], metadata.get('namespace'))} holds a value that JSON does not "
            f"have: {plain(error, 100)}.",
            hint="Put dates in quotes.",
        ) from error


# -- clusters -------------------------------------------------------------------------------------------------------------


def _targets(options: Mapping[str, Any]) -> list[tuple[str, Target]] | None:
    """The clusters of `clusters` and `clusters_src`, each with its ITS; None if neither is given."""
    if options.get("clusters") is None and options.get("clusters_src") is None:
        return None
    entries = [dict(entry) for entry in options.get("clusters") or []]
    properties: dict[str, Mapping[str, Any]] = {}
    for source in options.get("clusters_src") or []:
        for piece in files.read(source):
            entries += _clusters_of(source, piece.definition, properties)
    by_its: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for entry in entries:
        own = entry.get("properties")
        kept = {key: entry.get(key) for key in ("name", "labels", "annotations")}
        by_its[str(entry.get("its") or "")].append(
            {**kept, "properties": properties.get(str(entry["name"])) if own is None else own}
        )
    found = []
    for its, clusters in by_its.items():
        common = dict.fromkeys(("names", "labels", "annotations", "properties"))
        for wish in wishes_of({**common, "clusters": clusters}):
            found.append(
                (its, Target(wish.name, wish.labels or {}, wish.annotations or {}, wish.properties or {}))
            )
    return found


def _clusters_of(path: str, document: Any, properties: dict[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The clusters in a document, which may be a list of them, a ManagedCluster, or the properties of one.

    :param properties: those are put here.
    """
    if not isinstance(document, Mapping):
        raise InvalidInput(f"{path} holds a {type(document).__name__} in a list of objects.")
    kind, metadata = document.get("kind"), document.get("metadata")
    if kind is None:
        listed = document.get("clusters", document.get("managed_clusters"))
        if not isinstance(listed, list):
            raise InvalidInput(
                f"{path} holds neither a list clusters nor a ManagedCluster.",
                hint="Write clusters: and below it a list with name, labels, annotations and properties.",
            )
        return [_entry(path, entry) for entry in listed]
    if not isinstance(metadata, Mapping) or not isinstance(metadata.get("name"), str):
        raise InvalidInput(f"{path}: a {plain(kind, 80)} has no metadata.name.")
    if kind == MANAGED_CLUSTERS.kind:
        return [{key: metadata.get(key) for key in ("name", "labels", "annotations")}]
    if kind == CONFIG_MAPS.kind and metadata.get("namespace") == registered.PROPERTIES_NAMESPACE:
        properties[metadata["name"]] = document.get("data") or {}
        return []
    raise InvalidInput(
        f"{path} holds a {plain(kind, 80)}, neither a ManagedCluster nor the properties of one.",
        hint="Manifests of the workload belong in src.",
    )


def _entry(path: str, entry: Any) -> dict[str, Any]:
    """One cluster of a list in a file."""
    if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
        raise InvalidInput(f"{path}: an entry of clusters is no mapping with a name.")
    name = plain(entry["name"], 80)
    unknown = sorted(str(key) for key in entry if key not in _CLUSTER_KEYS | _SAID_OF_CLUSTERS)
    if unknown:
        raise InvalidInput(
            f"{path}: the cluster {name} has {plain(unknown[0], 80)}, which is not known.",
            hint=f"There are {', '.join(sorted(_CLUSTER_KEYS))}.",
        )
    for key in ("labels", "annotations", "properties"):
        if not isinstance(entry.get(key) or {}, Mapping):
            raise InvalidInput(f"{path}: {key} of the cluster {name} is no mapping.")
    return {key: entry.get(key) for key in _CLUSTER_KEYS}


# -- an earlier state -----------------------------------------------------------------------------------------------------


def earlier(
    options: Mapping[str, Any],
    own: Sequence[Mapping[str, Any]] = (),
    wds: str | None = None,
    api_groups: Sequence[str] | None = None,
) -> Earlier | None:
    """What was delivered before, as the suboption `before` says; None without one.

    What `before` leaves out is as it is now. The parameters are those of `scene`.
    """
    given = {key: value for key, value in (options.get("before") or {}).items() if value is not None}
    if not given:
        return None
    if "report" in given:
        if len(given) > 1:
            raise InvalidInput(
                "offline.before has report and more.", hint="A report says all; leave the rest out."
            )
        return _from_report(given["report"])
    parts = dict(options)
    for family in _FAMILIES:
        if any(key in given for key in family):
            parts.update({key: given.get(key) for key in family})
    named = {(one.get("wds"), one.get("name")) for one in given.get("policies") or []}
    then = scene(
        parts, [one for one in own if (one.get("wds"), one.get("name")) not in named], wds, api_groups
    )
    return Earlier(deliveries(then), then.kinds())


def _from_report(path: str) -> Earlier:
    """What an earlier report says is delivered.

    :raises InvalidInput: it cannot be read, or is no report.
    """
    try:
        with open(path, encoding="utf-8") as stream:
            content = json.load(stream)
    except OSError as error:
        raise InvalidInput(f"offline.before.report: {path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise InvalidInput(f"offline.before.report: {path} is not JSON: {plain(error, 200)}.") from error
    found: dict[PolicyKey, Delivery] = {}
    kinds: dict[tuple[str, str], str] = {}
    try:
        for entry in content["previews"]:
            seen = entry["preview"]
            selected = [_selected(obj) for obj in seen["objects"]]
            kinds.update({(o["group"], o["resource"]): str(o["kind"]) for o in seen["objects"]})
            if entry["state"] == "present":
                key = (str(entry["wds"]), str(entry["name"]))
                found[key] = Delivery(
                    *key, {one.key: one for one in selected}, frozenset(map(str, seen["clusters"]))
                )
    except (KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(
            f"offline.before.report: {path} is no report of previews ({type(error).__name__}: {plain(error, 80)}).",
            hint="It is the JSON file that kubestellar.core.preview writes.",
        ) from error
    return Earlier(found, kinds)


def _selected(obj: Mapping[str, Any]) -> Selected:
    """The reverse of `preview.entries`."""
    return Selected(
        ObjectKey(*(str(obj[part]) for part in ("group", "resource", "namespace", "name"))),
        "",
        Modulation(
            bool(obj["create_only"]),
            frozenset(map(str, obj["status_collectors"])),
            bool(obj["want_singleton_reported_state"]),
            bool(obj["want_multi_wec_reported_state"]),
        ),
        str(obj["version"]),
    )


# -- from a scene to previews ---------------------------------------------------------------------------------------------


def deliveries(given: Scene) -> dict[PolicyKey, Delivery]:
    """What the policies of a scene deliver."""
    found = {}
    for key, wanted in given.policies.items():
        if wanted.spec is not None:
            placement = place(wanted.spec, given.facts(wanted.wds))
            found[key] = Delivery(*key, placement.objects, frozenset(placement.clusters))
    return found


def previews(now: Scene, before: Earlier | None = None) -> list[dict[str, Any]]:
    """The entries of `previews`: all policies in their order, then those that there were before and are no longer.

    A policy that is to be absent has an entry only if it was there before.
    """
    there = deliveries(now)
    then: Mapping[PolicyKey, Delivery] = before.deliveries if before else {}
    kinds = {**(before.kinds if before else {}), **now.kinds()}
    keys = [key for key in now.policies if key in there or key in then]
    found = []
    for key in [*keys, *sorted(then.keys() - now.policies.keys())]:
        wds, name = key
        wanted = now.policies.get(key) or Wanted(wds, name, None, guards.parse(None))
        facts = replace(
            now.facts(wds),
            current=then.get(key),
            others=[one for other, one in there.items() if other != key and _meet(now, wds, one.wds)],
            kinds=kinds,
            waves=wanted.waves,
            unlisted=key not in now.policies,
        )
        seen = preview(wanted.spec, facts)
        found.append(
            {
                "name": name,
                "wds": wds,
                "state": "absent" if wanted.spec is None else "present",
                "preview": guards.result(seen, wanted.guards),
                "refused": _refused(seen, wanted),
            }
        )
    return found


def _meet(given: Scene, wds: str, other: str) -> bool:
    """Whether two WDSes deliver to the same clusters."""
    mine, theirs = given.space(wds).its, given.space(other).its
    return mine == theirs or not mine or not theirs


def _refused(seen: Preview, wanted: Wanted) -> list[dict[str, str]]:
    """Why the guards of a policy would refuse it."""
    try:
        guards.check(seen, wanted.guards, f"{wanted.wds}: BindingPolicy {wanted.name}")
    except Refused as error:
        return [dict(reason) for reason in error.details["refused"]]
    return []
