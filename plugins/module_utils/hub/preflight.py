# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of a hosting cluster before a hub is put on it (private to kubestellar.core). Pure functions.

Each check looks for one trouble of `hub.prerequisites`. Spaces that are there already need nothing new.
"""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    InvalidInput,
    PreflightFailed,
    plain,
)
from ansible_collections.kubestellar.core.plugins.module_utils.doctor.catalogue import ERROR, WARNING, Finding
from ansible_collections.kubestellar.core.plugins.module_utils.doctor.facts import Reading
from ansible_collections.kubestellar.core.plugins.module_utils.doctor.lines import of_findings
from ansible_collections.kubestellar.core.plugins.module_utils.hub import capacity, troubles
from ansible_collections.kubestellar.core.plugins.module_utils.hub.prerequisites import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    DATABASE,
    HOOKS,
    INGRESS_CLASS,
    KUBEFLEX_MANAGER,
    KUBEFLEX_NAMESPACE,
    NEWEST,
    NEWEST_HELM,
    OLDEST,
    OLDEST_HELM,
    OPENSHIFT,
    OUTSIDE,
    PASSTHROUGH,
    ROUTES,
    Case,
    Facts,
)
from ansible_collections.kubestellar.core.plugins.module_utils.placement.catalogue import count, phrase

FAIL_ON = ("error", "warning", "never")
OK, SKIPPED = "ok", "skipped"

_RESERVED = ("kube", "kubeflex")
_RELEASE_NAME, _RELEASE_NAMESPACE = "meta.helm.sh/release-name", "meta.helm.sh/release-namespace"
_ENFORCED = "pod-security.kubernetes.io/enforce"
_SPEC_FIELDS = ("globalVars", "postCreateHooks", "waitForPostCreateHooks")

Findings = Iterator[Finding]


def version_of(text: str) -> tuple[int, int] | None:
    """Major and minor of a version such as `v1.29.4+k3s1`; None if it is none."""
    match = re.match(r"v?(\d+)\.(\d+)", text)
    return (int(match.group(1)), int(match.group(2))) if match else None


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def kubernetes_old(case: Case) -> Findings:
    """Whether the API server is older than KubeStellar allows."""
    version = version_of(case.facts.version)
    if version is not None and version < OLDEST:
        yield case.found("kubernetes-old", case.where(), version=case.facts.version, oldest=_dotted(OLDEST))


def kubernetes_untested(case: Case) -> Findings:
    """Whether it is newer than what is tested, or says no version."""
    version = version_of(case.facts.version)
    if version is None or version > NEWEST:
        told = case.facts.version or "of an unknown version"
        yield case.found("kubernetes-untested", case.where(), version=told, newest=_dotted(NEWEST))


def helm_missing(case: Case) -> Findings:
    """Whether there is no helm."""
    helm = case.facts.helm
    reason = helm.error or (
        "" if version_of(helm.version) else f"it calls itself {plain(helm.version, 60) or 'nothing'}"
    )
    if reason:
        yield case.found("helm-missing", case.where("helm"), reason=reason, oldest=OLDEST_HELM)


def helm_old(case: Case) -> Findings:
    """Whether helm is too old."""
    version = version_of(case.facts.helm.version)
    if version is not None and version[0] < OLDEST_HELM:
        yield case.found("helm-old", case.where("helm"), version=case.facts.helm.version, oldest=OLDEST_HELM)


def helm_untested(case: Case) -> Findings:
    """Whether helm is newer than what is known."""
    version = version_of(case.facts.helm.version)
    if version is not None and version[0] > NEWEST_HELM:
        yield case.found(
            "helm-untested", case.where("helm"), version=case.facts.helm.version, newest=NEWEST_HELM
        )


def right_missing(case: Case) -> Findings:
    """Rights that the credentials lack."""
    yield from _denied(case, "right-missing", sure=True)


def right_unproven(case: Case) -> Findings:
    """Rights that they lack and that other rights can stand in for."""
    yield from _denied(case, "right-unproven", sure=False)


def _denied(case: Case, trouble: str, *, sure: bool) -> Findings:
    by_resource: dict[str, list[str]] = defaultdict(list)
    for right in case.facts.denied:
        if right.sure == sure:
            by_resource[right.label].append(right.verb)
    for resource, verbs in by_resource.items():
        yield case.found(trouble, case.where(), verbs=verbs, resource=resource)


def volume_missing(case: Case) -> Findings:
    """Whether there is a default StorageClass for what needs a volume."""
    lacking = troubles.no_default(case.facts.storage_classes.items)
    if lacking:
        for claim in _claims(case):
            where = case.where("PersistentVolumeClaim", claim)
            yield case.found("volume-missing", where, reason=f"it names no StorageClass, and {lacking}")


def _claims(case: Case) -> list[str]:
    """The PersistentVolumeClaims that will be made: that of the database, and one in each space of type vcluster."""
    claims = [f"{KUBEFLEX_NAMESPACE}/data-{DATABASE}"] if case.kubeflex_new and case.wish.postgresql else []
    return claims + [f"{space.namespace}/data-vcluster-0" for space in case.new if space.type == "vcluster"]


def ingress_class_missing(case: Case) -> Findings:
    """Whether there is the IngressClass of KubeFlex's Ingresses."""
    names = sorted(item["metadata"]["name"] for item in case.facts.ingress_classes.items)
    if INGRESS_CLASS not in names:
        others = (
            phrase("there {names:form is|are} {names:names}", {"names": names}) if names else "there is none"
        )
        yield case.found(
            "ingress-class-missing",
            case.where("IngressClass", INGRESS_CLASS),
            others=others,
            spaces=case.new_outside,
        )


def passthrough_unproven(case: Case) -> Findings:
    """Whether an Ingress controller is seen to hand TLS through."""
    without = []
    for kind, reading in (("Deployment", case.facts.deployments), ("DaemonSet", case.facts.daemon_sets)):
        for item in reading.items:
            arguments = _arguments(item)
            if any(text in (PASSTHROUGH, f"{PASSTHROUGH}=true") for text in arguments):
                return
            if any(text.startswith("--controller-class=k8s.io/ingress-nginx") for text in arguments):
                without.append(f"{kind} {item['metadata'].get('namespace')}/{item['metadata']['name']}")
    reason = (
        f"The {without[0]} runs without {PASSTHROUGH}"
        if without
        else f"No Deployment or DaemonSet has the argument {PASSTHROUGH}"
    )
    yield case.found(
        "passthrough-unproven",
        case.where("IngressClass", INGRESS_CLASS),
        reason=reason,
        spaces=case.new_outside,
    )


def _arguments(workload: Mapping[str, Any]) -> list[str]:
    pod = ((workload.get("spec") or {}).get("template") or {}).get("spec") or {}
    return [
        word
        for container in pod.get("containers") or []
        for text in [*(container.get("command") or []), *(container.get("args") or [])]
        for word in str(text).split()  # some are started by a shell
    ]


def openshift_missing(case: Case) -> Findings:
    """Whether Routes are wanted where there are none."""
    if ROUTES not in _groups(case):
        yield case.found("openshift-missing", case.where(), group=ROUTES)


def openshift_unset(case: Case) -> Findings:
    """Whether Ingresses are wanted on OpenShift."""
    if OPENSHIFT in _groups(case):
        yield case.found("openshift-unset", case.where(), group=OPENSHIFT, spaces=case.new_outside)


def _groups(case: Case) -> set[str]:
    return {str(item.get("name")) for item in case.facts.groups.items}


def address_unresolved(case: Case) -> Findings:
    """Whether the names of spaces are resolved."""
    for address in case.facts.addresses:
        if address.unresolved:
            yield case.found(
                "address-unresolved",
                case.where("ControlPlane", address.space),
                host=address.host,
                wildcard=f"*.{case.wish.domain}",
                reason=address.unresolved,
            )


def address_unreachable(case: Case) -> Findings:
    """Whether something answers there; what does is the same for all of them."""
    for address in case.facts.addresses:
        if address.unreachable:
            yield case.found(
                "address-unreachable",
                case.where("ControlPlane", address.space),
                host=address.host,
                port=case.wish.port,
                reason=address.unreachable,
            )
            return


def address_loopback(case: Case) -> Findings:
    """Whether the address of an ITS, which the agents of WECs use, leads each of them to itself."""
    by_space = {address.space: address for address in case.facts.addresses}
    for space in case.new:
        if space.role != "its":
            continue
        address = by_space.get(space.name)
        if address is not None and any(_is_loopback(text) for text in address.addresses):
            told = f"{address.host} ({address.addresses[0]})"
            instead = (
                f"Clusters in containers beside it use https://{case.wish.host_container} with the node port of the Service "
                f"vcluster-nodeport in {space.namespace}; for others set hub_kubeflex.domain to a name of this machine."
                if space.type == "vcluster"
                else "Set hub_kubeflex.domain to a name that leads here from everywhere."
            )
        elif space.type == "host" and _is_loopback(urlsplit(case.facts.server).hostname or ""):
            told = case.facts.server
            instead = (
                "Let the agents join by an address that leads here from where they run (endpoint of the module "
                "join_credentials); WECs on this machine itself need nothing."
            )
        else:
            continue
        yield case.found(
            "address-loopback", case.where("ControlPlane", space.name), address=told, instead=instead
        )


def _is_loopback(host: str) -> bool:
    return host == "localhost" or host == "::1" or re.fullmatch(r"127\.\d+\.\d+\.\d+", host) is not None


def node_missing(case: Case) -> Findings:
    """Whether a node takes Pods."""
    reasons = [capacity.unusable(node) for node in case.facts.nodes.items]
    if all(reasons):
        told = [
            f"{node['metadata']['name']} {why}"
            for node, why in zip(case.facts.nodes.items, reasons, strict=True)
        ]
        more = f" and {len(told) - 5} more" if len(told) > 5 else ""
        reason = "; ".join(told[:5]) + more if told else "there is none"
        yield case.found("node-missing", case.where("Node"), reason=reason)


def pod_unschedulable(case: Case) -> Findings:
    """Whether there is room for what is not there yet."""
    reason = capacity.shortage(_loads(case), _rooms(case))
    if reason:
        yield case.found("pod-unschedulable", case.where("Pod"), reason=reason)


def _loads(case: Case) -> list[capacity.Load]:
    loads = capacity.of_kubeflex(postgresql=case.wish.postgresql) if case.kubeflex_new else []
    for space in case.new:
        loads += capacity.of_space(space.name, space.role, space.type, ocm=space.ocm)
    return loads


def _rooms(case: Case) -> list[capacity.Room]:
    return capacity.rooms(case.facts.nodes.items, case.facts.pods.items)


def pod_refused(case: Case) -> Findings:
    """Whether a namespace that is there refuses the Pods that KubeFlex makes, none of which meets the strictest level."""
    places = [space.namespace for space in case.new if space.type in OUTSIDE]
    places += [KUBEFLEX_NAMESPACE] if case.kubeflex_new else []
    for item in case.facts.namespaces.items:
        if (
            item["metadata"]["name"] in places
            and (item["metadata"].get("labels") or {}).get(_ENFORCED) == "restricted"
        ):
            yield case.found(
                "pod-refused",
                case.where("Namespace", item["metadata"]["name"]),
                reason=f"the label {_ENFORCED} is restricted, and they name no seccomp profile",
            )


def kubeflex_missing(case: Case) -> Findings:
    """Whether KubeFlex is not there and is not to be installed."""
    if not case.facts.planes.served:
        yield case.found("kubeflex-missing", case.where(), kinds=["ControlPlane"])


def kubeflex_old(case: Case) -> Findings:
    """Whether a definition is there that lacks fields that the chart uses."""
    for item in case.facts.definition.items:
        lacking = set(_SPEC_FIELDS)
        for version in (item.get("spec") or {}).get("versions") or []:
            if version.get("name") == "v1alpha1":
                schema = (version.get("schema") or {}).get("openAPIV3Schema") or {}
                spec = (schema.get("properties") or {}).get("spec") or {}
                lacking -= set(spec.get("properties") or {})
        if lacking:
            where = case.where("CustomResourceDefinition", item["metadata"]["name"])
            yield case.found("kubeflex-old", where, fields=sorted(lacking))


def object_foreign(case: Case) -> Findings:
    """Whether helm would meet objects that are not those of its release."""
    sources: list[tuple[str, Reading, Sequence[str]]] = []
    if case.wish.install:
        sources.append(("ClusterRole", case.facts.cluster_roles, CLUSTER_ROLES))
        bindings: Sequence[str] = CLUSTER_ROLE_BINDINGS
        if not any(space.type == "host" for space in case.wish.spaces):
            bindings = bindings[:-1]  # the chart makes the last one only for them
        sources.append(("ClusterRoleBinding", case.facts.cluster_role_bindings, bindings))
        sources.append(("Deployment", case.facts.manager, (KUBEFLEX_MANAGER,)))
    if case.wish.hooks:
        sources.append(("PostCreateHook", case.facts.hooks, HOOKS))
    for kind, reading, names in sources:
        for item in reading.items:
            metadata = item["metadata"]
            annotations = metadata.get("annotations") or {}
            owner = annotations.get(_RELEASE_NAMESPACE), annotations.get(_RELEASE_NAME)
            if metadata["name"] not in names or owner == (case.wish.namespace, case.wish.release):
                continue
            told = f"the release {owner[0]}/{owner[1]}" if owner[1] else "no Helm release"
            place = f"{metadata['namespace']}/" if metadata.get("namespace") else ""
            yield case.found("object-foreign", case.where(kind, f"{place}{metadata['name']}"), owner=told)


def database_missing(case: Case) -> Findings:
    """Whether nobody installs the database that the manager waits for."""
    if not case.facts.database.items:
        yield case.found("database-missing", case.where("Pod", f"{KUBEFLEX_NAMESPACE}/{DATABASE}"))


def namespace_deleting(case: Case) -> Findings:
    """Whether a namespace that is needed is on its way out."""
    places = {KUBEFLEX_NAMESPACE, case.wish.namespace, *(space.namespace for space in case.wish.spaces)}
    for item in case.facts.namespaces.items:
        metadata = item["metadata"]
        if metadata["name"] in places and metadata.get("deletionTimestamp"):
            yield case.found(
                "namespace-deleting",
                case.where("Namespace", metadata["name"]),
                time=metadata["deletionTimestamp"],
            )


def namespace_taken(case: Case) -> Findings:
    """Whether the namespace of a new space is there without it."""
    there = {
        item["metadata"]["name"]
        for item in case.facts.namespaces.items
        if not item["metadata"].get("deletionTimestamp")
    }
    for space in case.new:
        if space.namespace in there and space.name not in _RESERVED:
            yield case.found("namespace-taken", case.where("Namespace", space.namespace), space=space.name)


def name_reserved(case: Case) -> Findings:
    """Whether a space would live in a namespace of Kubernetes or KubeFlex."""
    for space in case.wish.spaces:
        if space.name in _RESERVED:
            yield case.found(
                "name-reserved", case.where("ControlPlane", space.name), namespace=space.namespace
            )


def bootstrap_secret_missing(case: Case) -> Findings:
    """Whether KubeFlex will find what it adopts a space with. A Secret of the space itself makes it needless."""
    for space in case.new:
        if space.type != "external" or not any(space.bootstrap):
            continue
        namespace, name, key = space.bootstrap
        keys = case.facts.keys.get((namespace, name))
        if "kubeconfig-incluster" in (case.facts.keys.get((space.namespace, "admin-kubeconfig")) or ()):
            continue
        if keys is None or key not in keys:
            yield case.found(
                "bootstrap-secret-missing",
                case.where("Secret", f"{namespace}/{name}"),
                reason="does not exist" if keys is None else f"has no key {key}",
                space=space.name,
            )


# -- when they apply, and what is said when all is well --------------------------------------------------------------

_NOTHING_NEW = "every space is there already"


def _always(_case: Case) -> str:
    return ""


def _if_outside(case: Case) -> str:
    """Ingress: spaces of their own API server, without Routes."""
    if case.wish.openshift:
        return "Routes are used"
    return "" if case.new_outside else "no new space is reached through an Ingress"


def _if_outside_at_all(case: Case) -> str:
    return "" if case.wish.openshift else "hub_kubeflex.openshift is not set"


def _if_load(case: Case) -> str:
    return "" if _loads(case) else _NOTHING_NEW


def _if_claims(case: Case) -> str:
    return "" if _claims(case) else "nothing new needs a volume"


def _if_its(case: Case) -> str:
    return "" if any(space.role == "its" for space in case.new) else "every ITS is there already"


def _if_new(case: Case) -> str:
    return "" if case.new else _NOTHING_NEW


def _if_external(case: Case) -> str:
    return "" if any(space.type == "external" for space in case.new) else "no new space is of type external"


def _if_shared_kubeflex(case: Case) -> str:
    return "KubeFlex is installed with the hub" if case.wish.install else ""


def _if_own_objects(case: Case) -> str:
    return "" if case.wish.install or case.wish.hooks else "nothing of the kind is installed"


def _if_no_database(case: Case) -> str:
    if not case.kubeflex_new:
        return "KubeFlex is there already"
    return "PostgreSQL is installed with KubeFlex" if case.wish.postgresql else ""


def _seen_version(case: Case) -> str:
    return f"It is Kubernetes {plain(case.facts.version, 60)}."


def _seen_helm(case: Case) -> str:
    return f"It is helm {plain(case.facts.helm.version, 60)}."


def _seen_rights(case: Case) -> str:
    if case.facts.asked == 1:
        return "The credentials have every right."
    return f"The credentials have the {count(case.facts.asked, 'right')} that were asked for."


def _seen_room(case: Case) -> str:
    return capacity.told(_loads(case), _rooms(case))


def _seen_addresses(case: Case) -> str:
    return (
        f"Port {case.wish.port} answers from here. Whether WECs reach it cannot be seen from here."
        if case.facts.addresses
        else ""
    )


@dataclass(frozen=True)
class Check:
    """One check.

    :ivar needs: the lists that it looks at, fields of the facts.
    :ivar idle: why it has nothing to look at; empty if it has.
    :ivar seen: what is said when all is well.
    """

    id: str
    look: Callable[[Case], Findings]
    needs: Sequence[str] = ()
    idle: Callable[[Case], str] = _always
    seen: Callable[[Case], str] = _always


CHECKS: Sequence[Check] = (
    Check("kubernetes-old", kubernetes_old, seen=_seen_version),
    Check("kubernetes-untested", kubernetes_untested, seen=_seen_version),
    Check("helm-missing", helm_missing, ["helm"], seen=_seen_helm),
    Check("helm-old", helm_old, ["helm"], seen=_seen_helm),
    Check("helm-untested", helm_untested, ["helm"], seen=_seen_helm),
    Check("right-missing", right_missing, ["rights"], seen=_seen_rights),
    Check("right-unproven", right_unproven, ["rights"], seen=_seen_rights),
    Check("name-reserved", name_reserved),
    Check("namespace-deleting", namespace_deleting, ["namespaces"]),
    Check("namespace-taken", namespace_taken, ["planes", "namespaces"], _if_new),
    Check(
        "object-foreign",
        object_foreign,
        ["cluster_roles", "cluster_role_bindings", "hooks", "manager"],
        _if_own_objects,
    ),
    Check("kubeflex-missing", kubeflex_missing, ["planes"], _if_shared_kubeflex),
    Check("kubeflex-old", kubeflex_old, ["planes", "definition"], _if_new),
    Check("database-missing", database_missing, ["manager", "database"], _if_no_database),
    Check("bootstrap-secret-missing", bootstrap_secret_missing, ["planes", "secrets"], _if_external),
    Check("openshift-missing", openshift_missing, ["groups"], _if_outside_at_all),
    Check("openshift-unset", openshift_unset, ["planes", "groups"], _if_outside),
    Check("volume-missing", volume_missing, ["planes", "manager", "storage_classes"], _if_claims),
    Check("ingress-class-missing", ingress_class_missing, ["planes", "ingress_classes"], _if_outside),
    Check(
        "passthrough-unproven", passthrough_unproven, ["planes", "deployments", "daemon_sets"], _if_outside
    ),
    Check("address-unresolved", address_unresolved, ["planes", "addresses"], _if_outside),
    Check("address-unreachable", address_unreachable, ["planes", "addresses"], _if_outside, _seen_addresses),
    Check("address-loopback", address_loopback, ["planes", "addresses"], _if_its),
    Check("node-missing", node_missing, ["planes", "manager", "nodes"], _if_load),
    Check(
        "pod-unschedulable", pod_unschedulable, ["planes", "manager", "nodes", "pods"], _if_load, _seen_room
    ),
    Check("pod-refused", pod_refused, ["planes", "manager", "namespaces"], _if_load),
)
IDS = [check.id for check in CHECKS]
_BEFORE = ("planes", "manager")
"""What says whether a check applies at all."""


def chosen(skip: Iterable[str]) -> list[Check]:
    """The checks without those that the operator knows better.

    :raises InvalidInput: no check has such an id.
    """
    left_out = set(skip)
    for name in sorted(left_out - set(IDS)):
        near = difflib.get_close_matches(name, IDS, n=1)
        raise InvalidInput(
            f"There is no check {plain(name, 80)} to leave out.",
            hint=f"Did you mean {near[0]}?" if near else "See the documentation of skip.",
        )
    return [check for check in CHECKS if check.id not in left_out]


def needed(checks: Iterable[Check], case: Case | None = None) -> frozenset[str]:
    """What has to be read for some checks: first what says whether they apply, then, with the case, what they look at."""
    if case is None:
        return frozenset(need for check in checks for need in check.needs if need in _BEFORE)
    return frozenset(
        need for check in checks if not check.idle(case) for need in check.needs if need not in _BEFORE
    )


@dataclass(frozen=True)
class Outcome:
    """What came of it: the findings, the worst first, and one entry for each check that found nothing."""

    cluster: str
    findings: Sequence[Finding]
    rest: Sequence[Mapping[str, str]]

    def numbers(self) -> dict[str, int]:
        """How many entries there are of each state."""
        states = [finding.severity for finding in self.findings] + [entry["state"] for entry in self.rest]
        return {state: states.count(state) for state in (ERROR, WARNING, OK, SKIPPED)}

    def checks(self) -> list[dict[str, str]]:
        """The entries of `checks` in the module's result."""
        found = [
            {
                "id": finding.id,
                "state": finding.severity,
                "message": plain(f"{finding.where}: {finding.evidence}", 1000),
                "hint": plain(finding.hint, 1000),
            }
            for finding in self.findings
        ]
        return found + [{**entry, "hint": ""} for entry in self.rest]

    def table(self) -> list[str]:
        """Lines of at most 120 columns: the numbers, then what is lacking."""
        numbers = self.numbers()
        told = f"{count(numbers[ERROR], 'error')}, {count(numbers[WARNING], 'warning')}"
        lines = [
            f"prerequisites of {plain(self.cluster, 60)}: {told}",
            f"  {count(numbers[OK], 'check')} without a finding, {numbers[SKIPPED]} left out",
        ]
        return lines + list(of_findings(self.findings))

    def fail(self, level: str) -> None:
        """:param level: one of `FAIL_ON`. :raises PreflightFailed: with every finding of this severity or worse."""
        severities = {"error": (ERROR,), "warning": (ERROR, WARNING), "never": ()}[level]
        failed = [finding for finding in self.findings if finding.severity in severities]
        if not failed:
            return
        told = [f"{finding.where}: {finding.evidence} {finding.hint} [{finding.id}]" for finding in failed]
        raise PreflightFailed(
            plain(
                f"{self.cluster}: {count(failed, 'prerequisite')} {'is' if len(failed) == 1 else 'are'} not met, and nothing "
                "has been changed. "
                + " ".join(f"({number}) {text}" for number, text in enumerate(told, start=1)),
                20_000,
            ),
            hint="What you know better can be left out by hub_preflight_skip.",
            **self.result(),
        )

    def result(self) -> dict[str, Any]:
        """What the module returns beside `changed`."""
        return {"checks": self.checks(), "summary": self.numbers(), "table": self.table()}


def judge(case: Case, checks: Sequence[Check]) -> Outcome:
    """Run the checks."""
    facts = case.facts
    left_out = [
        {"id": name, "state": SKIPPED, "message": "It is among those that are left out."}
        for name in IDS
        if name not in {check.id for check in checks}
    ]
    if facts.trouble:
        finding = case.found("hub-unreachable", case.where(), reason=facts.trouble)
        rest = [_entry(check.id, SKIPPED, "the hosting cluster cannot be used") for check in checks]
        return Outcome(facts.cluster, [finding], [*rest, *left_out])
    findings: list[Finding] = []
    rest = []
    unread: dict[str, str] = {}
    for check in checks:
        errors = {need: _error(facts, need) for need in check.needs if _error(facts, need)}
        idle = "" if set(errors) & set(_BEFORE) else check.idle(case)
        if errors and not idle:
            unread.update(errors)
            rest.append(_entry(check.id, SKIPPED, f"{' and '.join(sorted(errors))} could not be read"))
            continue
        found = [] if idle else list(check.look(case))
        findings += found
        if not found:
            rest.append(_entry(check.id, SKIPPED if idle else OK, idle or check.seen(case)))
    findings += [
        case.found("not-read", case.where(need.replace("_", " ")), reason=reason)
        for need, reason in unread.items()
    ]
    rest.sort(key=lambda entry: entry["state"] == SKIPPED)
    return Outcome(facts.cluster, sorted(findings, key=lambda item: item.order), [*rest, *left_out])


def _entry(name: str, state: str, text: str) -> dict[str, str]:
    sentence = text[:1].upper() + text[1:]
    return {
        "id": name,
        "state": state,
        "message": sentence + ("" if not sentence or sentence.endswith(".") else "."),
    }


def _error(facts: Facts, need: str) -> str:
    reading = getattr(facts, need)
    return reading.error if isinstance(reading, Reading) else ""


def forecast(cluster: str) -> Outcome:
    """For a cluster that an earlier task of the same run would create."""
    return Outcome(cluster, [], [_entry(name, SKIPPED, "the cluster does not exist yet") for name in IDS])
