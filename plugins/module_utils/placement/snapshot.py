# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the facts of a preview from API servers (private to kubestellar.core).

Each resource is listed once, in parallel: workload objects as metadata only and restricted to what the clauses can match,
Bindings, ManagedClusters. What decides where objects go must be readable. What is only looked at for a warning may fail,
which is noted in `Facts.unread`. Of whole objects, only templates are read, and some of the kinds that can be large;
Secrets never.
"""

from __future__ import annotations

import base64
import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from ansible_collections.kubestellar.core.plugins.module_utils import _bulk, _delivery, _space
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    KubestellarError,
    NotFound,
)
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    BINDINGS,
    CONFIG_MAPS,
    CONTROL_PLANES,
    CRDS,
    CUSTOM_TRANSFORMS,
    DEPLOYMENTS,
    MANAGED_CLUSTERS,
    MANIFEST_WORKS,
    NAMESPACES,
    STATUS_COLLECTORS,
    Resource,
)
from ansible_collections.kubestellar.core.plugins.module_utils._workstatus import ORIGIN_WDS_LABEL
from ansible_collections.kubestellar.core.plugins.module_utils.placement import (
    fates,
    resolution,
    templates,
    warnings,
)
from ansible_collections.kubestellar.core.plugins.module_utils.placement.facts import (
    Delivery,
    Facts,
    Placement,
    Target,
    Transform,
)
from ansible_collections.kubestellar.core.plugins.module_utils.placement.kinds import Kinds
from ansible_collections.kubestellar.core.plugins.module_utils.placement.preview import place
from ansible_collections.kubestellar.core.plugins.module_utils.placement.resolution import (
    Candidate,
    ObjectKey,
)

MOST_READ = 100
"""Whole objects that are read for each purpose at most."""

_PROPERTIES_NAMESPACE = "customization-properties"
MANAGER = "kubestellar-controller-manager"
_GROUPS_FLAG = "--api-groups="
_READY_SECONDS = 2.0

T = TypeVar("T")
Objects = list[dict[str, Any]]


@dataclass(frozen=True)
class Sources:
    """Where facts are read from.

    :ivar wds_name: name of the WDS as ManifestWorks are labelled with it.
    :ivar its: None if clusters are not to be looked at.
    :ivar hosting: None if there is no connection to the hosting cluster; then other WDSes are not known.
    :ivar api_groups: what the controller-manager of the WDS is limited to, if that is known otherwise than by its
        Deployment in the hosting cluster.
    :ivar planned: objects of the WDS as they will be: whole, or of an earlier task of the same check mode run by `apiVersion`,
        `kind` and `metadata` alone. If their `state` is `absent`, they will be deleted.
    :ivar clusters: clusters as they will be, by name.
    :ivar collectors_planned: whether StatusCollectors may be missing since an earlier task of the same check mode run would make them.
    """

    wds: Cluster
    wds_name: str
    its: Cluster | None = None
    its_name: str = ""
    hosting: Cluster | None = None
    api_groups: Sequence[str] | None = None
    planned: Sequence[Mapping[str, Any]] = ()
    clusters: Mapping[str, Target] = field(default_factory=dict)
    collectors_planned: bool = False


def read(sources: Sources, policy: str, spec: Mapping[str, Any] | None) -> Facts:
    """The facts for a preview of one policy.

    :param policy: its name.
    :param spec: valid, see `policy.check`; None for its removal, for which no workload objects are listed.
    :raises ApiError, ConnectionFailed: something that decides the placement could not be read.
    """
    return read_all(sources, {policy: spec})[policy]


def read_all(
    sources: Sources,
    specs: Mapping[str, Mapping[str, Any] | None],
    concerned: Callable[[str, Placement], bool] = lambda _policy, _placement: True,
) -> dict[str, Facts]:
    """The facts for previews of several policies of one WDS, by name; what they have in common is listed once.

    :param specs: name to spec, see `read`.
    :param concerned: which policies are asked for, by name and placement; the others are left out.
    :raises ApiError, ConnectionFailed: as `read`.
    """
    reader = _Reader(sources)
    placements = {policy: place(specs[policy], facts) for policy, facts in reader.facts(specs).items()}
    return {
        policy: reader.contents(policy, placement)
        for policy, placement in placements.items()
        if concerned(policy, placement)
    }


def planned_objects(sources: Sources) -> dict[ObjectKey, tuple[Candidate, Mapping[str, Any]]]:
    """The objects of `Sources.planned` by key, those that are to be deleted too."""
    if not sources.planned:
        return {}
    served = {(one.api_version, one.kind): one for one in sources.wds.resources()}
    return _keyed(sources.planned, served)


def deliveries(sources: Sources) -> tuple[list[Delivery], list[str]]:
    """What all policies deliver, of all WDSes of the ITS; and what could not be read."""
    reader = _Reader(sources)
    return reader.deliveries()


class _Reader:
    """One reading, with what could not be read on the way."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._unread: list[str] = []
        self._uids: dict[str, str] = {}
        """Policy to the UID of its Binding."""
        self._properties: dict[str, dict[str, str]] | None = None
        self._planned = planned_objects(sources)

    def facts(self, specs: Mapping[str, Mapping[str, Any] | None]) -> dict[str, Facts]:
        """All but the contents of objects, by policy."""
        sources = self._sources
        wds, its = sources.wds, sources.its
        clauses = [clause for spec in specs.values() for clause in (spec or {}).get("downsync") or []]
        (candidates, namespaces), bindings, kinds, targets, custom, transforms, collectors, groups, spaces = (
            _bulk.in_parallel(
                lambda job: job(),
                [
                    lambda: resolution.read(wds, {"downsync": clauses}) if clauses else ([], {}),
                    lambda: _served(wds, BINDINGS),
                    lambda: _delivery.kinds(wds),
                    lambda: _targets(its) if its is not None else [],
                    lambda: self._listed(lambda: _served(wds, CRDS, metadata_only=True)),
                    lambda: self._listed(lambda: _served(wds, CUSTOM_TRANSFORMS)),
                    lambda: self._collectors(clauses),
                    self._api_groups,
                    self._spaces,
                ],
            )
        )
        candidates, namespaces = _with_planned(candidates, namespaces, self._planned)
        coming = Kinds(obj for _candidate, obj in self._planned.values() if obj.get("state") != "absent")
        self._uids = {str(item["metadata"]["name"]): str(item["metadata"]["uid"]) for item in bindings}
        delivered = {
            name: delivery_of(sources.wds_name, item) for name, item in zip(self._uids, bindings, strict=True)
        }
        elsewhere = self._other_spaces(spaces)
        shared = Facts(
            wds=sources.wds_name,
            candidates=candidates,
            namespaces=namespaces,
            targets=[sources.clusters.get(one.name, one) for one in targets]
            + [one for name, one in sources.clusters.items() if name not in {t.name for t in targets}],
            kinds=kinds,
            custom={**_custom(custom), **coming.custom},
            versions=_versions(wds.served_versions(), coming),
            wds_type=next(
                (_type(item) for item in spaces if item["metadata"]["name"] == sources.wds_name), ""
            ),
            api_groups=groups,
            clusters_known=its is not None,
            transforms=[_transform(item) for item in transforms],
            collectors=collectors,
            unread=tuple(self._unread),
        )
        return {
            policy: replace(
                shared,
                current=delivered.get(policy),
                others=[*(one for name, one in delivered.items() if name != policy), *elsewhere],
            )
            for policy in specs
        }

    def deliveries(self) -> tuple[list[Delivery], list[str]]:
        """See the function of this name."""
        bindings, spaces = _bulk.in_parallel(
            lambda job: job(), [lambda: _served(self._sources.wds, BINDINGS), self._spaces]
        )
        own = [delivery_of(self._sources.wds_name, item) for item in bindings]
        return [*own, *self._other_spaces(spaces)], self._unread

    def contents(self, policy: str, placement: Placement) -> Facts:
        """The facts, with what has to be known of single objects."""
        facts, its = placement.facts, self._sources.its
        self._unread = list(facts.unread)
        selected = {c.key: c for c in facts.candidates if c.key in placement.objects}
        expanded = [key for key in placement.objects if templates.wants_expansion(selected[key].metadata)]
        expanded = [key for key in expanded if key[:2] != ("", "secrets")]
        contents = self._whole(selected[key] for key in expanded if key not in self._planned)
        contents.update(
            (key, _without_notes(self._planned[key][1])) for key in expanded if key in self._planned
        )
        measured = [
            key
            for key in placement.objects
            if key not in contents and key not in self._planned and _may_be_large(key, facts.custom)
        ]
        sizes = {
            key: templates.size(content)
            for key, content in self._whole(selected[key] for key in measured[:MOST_READ]).items()
        }
        sizes.update(
            (key, templates.size(_without_notes(self._planned[key][1])))
            for key in placement.objects
            if key in self._planned and key not in contents
        )
        known = {key: obj for key, (_candidate, obj) in self._planned.items() if obj.get("state") != "absent"}
        becomes = fates.of_all({**contents, **known})
        facts = replace(facts, contents=contents, sizes=sizes, fates=becomes, unread=self._unread)
        if its is None:
            return facts
        if contents:
            facts = self._with_properties(its, facts)
        if warnings.sent_again(placement):
            return facts
        return replace(
            facts,
            delivered=self._delivered(its, policy, placement, selected, expanded),
            delivered_at=self._delivered_at(its, policy, placement, selected),
        )

    def _tried(self, otherwise: T, job: Callable[[], T]) -> T:
        """What a job returns, or something else and a note if it cannot be done."""
        try:
            return job()
        except KubestellarError as error:
            self._unread.append(error.message.rstrip("."))
            return otherwise

    def _listed(self, job: Callable[[], Objects]) -> Objects:
        return self._tried([], job)

    def _collectors(self, clauses: Sequence[Mapping[str, Any]]) -> frozenset[str] | None:
        if self._sources.collectors_planned or not any(clause.get("statusCollectors") for clause in clauses):
            return None
        items = self._tried(None, lambda: _served(self._sources.wds, STATUS_COLLECTORS, metadata_only=True))
        return None if items is None else frozenset(str(item["metadata"]["name"]) for item in items)

    # -- the hosting cluster ------------------------------------------------------------------------------------------

    def _spaces(self) -> list[dict[str, Any]]:
        hosting = self._sources.hosting
        return [] if hosting is None else self._listed(lambda: _served(hosting, CONTROL_PLANES))

    def _api_groups(self) -> Sequence[str] | None:
        """What the controller-manager is limited to, by the arguments in its Deployment where it has one."""
        sources, hosting = self._sources, self._sources.hosting
        if sources.api_groups is not None or hosting is None:
            return sources.api_groups or None
        deployment = self._tried(
            None, lambda: hosting.get(DEPLOYMENTS, MANAGER, f"{sources.wds_name}-system")
        )
        return groups_of(deployment)

    def _other_spaces(self, spaces: Sequence[Mapping[str, Any]]) -> list[Delivery]:
        """What the policies of all other WDSes of the same ITS deliver."""
        wdses = [item for item in spaces if _role(item) == "wds"]
        several = sum(_role(item) == "its" for item in spaces) > 1
        others = [item for item in wdses if item["metadata"]["name"] != self._sources.wds_name]
        answers = _bulk.in_parallel(lambda item: self._of_space(item, several), others)
        return [delivery for answer in answers for delivery in answer]

    def _of_space(self, space: Mapping[str, Any], several: bool) -> list[Delivery]:
        name = str(space["metadata"]["name"])

        def bindings() -> list[Delivery]:
            hosting, its = self._sources.hosting, self._sources.its
            if hosting is None or (several and not delivers_through(space, its, self._sources.its_name)):
                return []
            kubeconfig = _space.secret_kubeconfig(hosting, space)
            if kubeconfig is None:
                return []  # it is being set up, so it delivers nothing yet
            cluster = Cluster.from_secret(kubeconfig, name=name)
            if not cluster.ready(_READY_SECONDS):
                raise KubestellarError(f"{name}: the WDS does not answer.")
            return [delivery_of(name, item) for item in _served(cluster, BINDINGS)]

        return self._tried([], bindings)

    # -- single objects -----------------------------------------------------------------------------------------------

    def _whole(self, candidates: Iterable[Candidate]) -> dict[ObjectKey, dict[str, Any]]:
        """Whole objects; those that are gone meanwhile are left out."""

        def get(candidate: Candidate) -> dict[str, Any] | None:
            key = candidate.key
            return self._tried(
                None,
                lambda: self._sources.wds.get(candidate.resource, key.name, key.namespace or None),
            )

        given = list(candidates)
        answers = _bulk.in_parallel(get, given) if given else []
        return {
            candidate.key: answer
            for candidate, answer in zip(given, answers, strict=True)
            if answer is not None
        }

    def _with_properties(self, its: Cluster, facts: Facts) -> Facts:
        if self._properties is None:
            items = self._tried(None, lambda: its.list(CONFIG_MAPS, _PROPERTIES_NAMESPACE).items)
            if items is None:
                return replace(facts, properties_known=False)
            self._properties = {item["metadata"]["name"]: _properties(item) for item in items}
        properties = self._properties
        targets = [replace(target, properties=properties.get(target.name, {})) for target in facts.targets]
        return replace(facts, targets=targets)

    def _delivered(
        self,
        its: Cluster,
        policy: str,
        placement: Placement,
        selected: Mapping[ObjectKey, Candidate],
        expanded: Sequence[ObjectKey],
    ) -> dict[tuple[str, ObjectKey], Mapping[str, Any]]:
        """Templates as they were delivered, as far as `MOST_READ` reaches."""
        pairs = [(cluster, key) for key in expanded for cluster in placement.clusters][:MOST_READ]
        found = {}
        for pair, work in zip(pairs, self._works(its, policy, pairs, selected), strict=True):
            manifests = (((work or {}).get("spec") or {}).get("workload") or {}).get("manifests") or []
            if len(manifests) == 1:
                found[pair] = manifests[0]
        return found

    def _delivered_at(
        self, its: Cluster, policy: str, placement: Placement, selected: Mapping[ObjectKey, Candidate]
    ) -> dict[ObjectKey, float]:
        """When objects with a CustomTransform were last written, seen at one cluster: all are written together."""
        transformed = {(one.group, one.resource) for one in placement.facts.transforms}
        pairs = [
            (placement.clusters[0], key)
            for key in placement.objects
            if key[:2] in transformed and placement.clusters
        ][:MOST_READ]
        return {
            key: written(work["metadata"])
            for (_cluster, key), work in zip(pairs, self._works(its, policy, pairs, selected), strict=True)
            if work is not None
        }

    def _works(
        self,
        its: Cluster,
        policy: str,
        pairs: Sequence[tuple[str, ObjectKey]],
        selected: Mapping[ObjectKey, Candidate],
    ) -> list[dict[str, Any] | None]:
        """The ManifestWork of each (cluster, object), which has its name if it holds this object alone."""

        def get(pair: tuple[str, ObjectKey]) -> dict[str, Any] | None:
            cluster, key = pair
            name = (
                f"{self._uids.get(policy, '')}-{self._sources.wds_name}-{selected[key].metadata.get('uid')}"
            )
            return self._tried(None, lambda: its.get(MANIFEST_WORKS, name, cluster))

        return _bulk.in_parallel(get, pairs) if pairs else []


# -- parsing ----------------------------------------------------------------------------------------------------------


def delivers_through(space: Mapping[str, Any], its: Cluster | None, its_name: str) -> bool:
    """Whether a WDS delivers through an ITS: as its hook says, else as the ManifestWorks there show.

    :param space: the ControlPlane of the WDS.
    """
    spec = space.get("spec") or {}
    sources = [
        spec.get("globalVars") or {},
        *((h.get("vars") or {}) for h in spec.get("postCreateHooks") or []),
    ]
    named = next((source["ITSName"] for source in reversed(sources) if source.get("ITSName")), None)
    if named is not None and its_name:
        return bool(named == its_name)
    if its is None:
        return False
    answer = its.request(
        "GET",
        MANIFEST_WORKS.path(),
        query={"labelSelector": f"{ORIGIN_WDS_LABEL}={space['metadata']['name']}", "limit": 1},
        action=f"list {MANIFEST_WORKS.plural}",
        kind=f"{MANIFEST_WORKS.kind}List",
    )
    return bool(answer.get("items"))


def groups_of(deployment: Mapping[str, Any] | None) -> Sequence[str] | None:
    """The groups that a controller-manager is limited to by the arguments in its Deployment; None if it is not."""
    template = (((deployment or {}).get("spec") or {}).get("template") or {}).get("spec") or {}
    for container in template.get("containers") or []:
        for argument in container.get("args") or []:
            if str(argument).startswith(_GROUPS_FLAG):
                groups = str(argument).removeprefix(_GROUPS_FLAG)
                return groups.split(",") if groups else None
    return None


def _versions(
    served: Mapping[tuple[str, str], Sequence[str]], coming: Kinds
) -> dict[tuple[str, str], Sequence[str]]:
    """What will be served in several versions: of what is defined anew, the coming definition says it alone."""
    return {**{kind: found for kind, found in served.items() if kind not in coming.custom}, **coming.versions}


def _keyed(
    planned: Iterable[Mapping[str, Any]], served: Mapping[tuple[str, str], Resource]
) -> dict[ObjectKey, tuple[Candidate, Mapping[str, Any]]]:
    """Planned objects by key. :param served: (apiVersion, kind) to what discovery says of it."""
    planned = list(planned)
    known = Kinds(planned)
    found = {}
    for obj in planned:
        resource = served.get((obj["apiVersion"], obj["kind"])) or known.of(obj).resource
        candidate = Candidate(resource, obj["metadata"])
        found[candidate.key] = candidate, obj
    return found


def _with_planned(
    candidates: Sequence[Candidate],
    namespaces: Mapping[str, Mapping[str, str]],
    planned: Mapping[ObjectKey, tuple[Candidate, Mapping[str, Any]]],
) -> tuple[list[Candidate], dict[str, Mapping[str, str]]]:
    """Candidates and Namespaces as they would be once what is planned is there."""
    found = {candidate.key: candidate for candidate in candidates}
    labels = dict(namespaces)
    for key, (candidate, obj) in planned.items():
        there = found.pop(key, None)
        if obj.get("state") == "absent":
            continue
        metadata = {**(there.metadata if there is not None else {}), "labels": {}, **candidate.metadata}
        found[key] = Candidate(there.resource if there is not None else candidate.resource, metadata)
        if key[:2] == (NAMESPACES.group, NAMESPACES.plural):
            labels[key.name] = metadata["labels"] or {}
    return list(found.values()), labels


def _without_notes(obj: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in obj.items() if key not in _bulk.NOTES}


def _served(cluster: Cluster, resource: Resource, *, metadata_only: bool = False) -> list[dict[str, Any]]:
    """The objects of a resource; none where it is not served, since then nothing can be delivered by it."""
    try:
        return cluster.list(resource, metadata_only=metadata_only).items
    except NotFound:
        return []


def _targets(its: Cluster) -> list[Target]:
    try:
        items = its.list(MANAGED_CLUSTERS).items
    except NotFound as error:
        error.hint = "Is this the right space, and is its OCM hub installed?"
        raise
    return [target(item) for item in items]


def target(managed_cluster: Mapping[str, Any]) -> Target:
    """A ManagedCluster as a destination, without its properties."""
    wec = _delivery.parse_cluster(managed_cluster)
    return Target(
        name=wec.name,
        labels=wec.labels,
        annotations=managed_cluster["metadata"].get("annotations") or {},
        accepted=wec.accepted,
        available=wec.online,
        reason="" if wec.online else (wec.reason or wec.available or "never reported"),
    )


def delivery_of(wds: str, binding: Mapping[str, Any]) -> Delivery:
    """What a policy of a WDS delivers, by its Binding."""
    return Delivery(
        wds=wds,
        policy=str(binding["metadata"]["name"]),
        objects=resolution.bound(binding),
        clusters=frozenset(resolution.destinations(binding)),
        uid=str(binding["metadata"].get("uid") or ""),
    )


def _custom(definitions: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], str]:
    """(group, plural) to the name of the definition, which is made of the two."""
    found = {}
    for definition in definitions:
        name = str(definition["metadata"]["name"])
        plural, _dot, group = name.partition(".")
        found[group, plural] = name
    return found


def _properties(config_map: Mapping[str, Any]) -> dict[str, str]:
    binary = {
        key: base64.b64decode(value).decode(errors="replace")
        for key, value in (config_map.get("binaryData") or {}).items()
    }
    return {**(config_map.get("data") or {}), **binary}


def _transform(obj: Mapping[str, Any]) -> Transform:
    spec = obj.get("spec") or {}
    return Transform(
        name=str(obj["metadata"]["name"]),
        group=str(spec.get("apiGroup") or ""),
        resource=str(spec.get("resource") or ""),
        changed_at=written(obj["metadata"]),
    )


def written(metadata: Mapping[str, Any]) -> float:
    """When an object, apart from its status, was last written, in seconds since the epoch; 0 if it does not say."""
    times = [
        entry.get("time") for entry in metadata.get("managedFields") or [] if not entry.get("subresource")
    ]
    return max(
        (datetime.datetime.fromisoformat(str(time)).timestamp() for time in times if time), default=0.0
    )


def _may_be_large(key: ObjectKey, custom: Mapping[tuple[str, str], str]) -> bool:
    return key[:2] in (("", "configmaps"), (CRDS.group, CRDS.plural)) or key[:2] in custom


def _role(space: Mapping[str, Any]) -> str:
    return str((space["metadata"].get("labels") or {}).get(_space.CP_TYPE_LABEL) or "")


def _type(space: Mapping[str, Any]) -> str:
    return str((space.get("spec") or {}).get("type") or "")
