# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue of troubles: one code, one sentence and one hint for each (private to kubestellar.core).

Codes are part of the interface: they are never renamed. Sentences are templates; a field may be written as

- `{clusters:names}`: a few names in order, and how many more there are;
- `{clusters:count cluster}`: how many there are, with the noun: `1 cluster`, `3 clusters`;
- `{clusters:form lacks|lack}`: the word for one, or for any other number;
- `{reason:text}`: what an API server or a controller says, made plain, which may be longer than a name;
- `{value}`: the value itself, made plain.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._errors import plain

MOST_NAMES = 5
_LONGEST_NAME = 120
_LONGEST_TEXT = 400


@dataclass(frozen=True)
class Entry:
    """One trouble. :ivar message: what is the matter, as a template. :ivar hint: the next thing to try."""

    message: str
    hint: str


CATALOGUE: dict[str, Entry] = {
    # What cannot be said.
    "clusters-unknown": Entry(
        "No ITS is given, so which clusters are selected is not known; only the objects were looked at.",
        "Set its, or its_kubeconfig and its_context; offline, clusters or clusters_src.",
    ),
    "facts-incomplete": Entry(
        "Not everything could be read that the preview looks at: {reasons:names}.",
        "The placement itself is right; some warnings may be lacking. Give the credentials these rights.",
    ),
    "kind-guessed": Entry(
        "{kinds:names} {kinds:form is no kind|are no kinds} of Kubernetes that {kinds:form is|are} known here, and no "
        "CustomResourceDefinition for {kinds:form it|them} is among the files: plural and scope are guessed "
        "({objects:count object}).",
        "Add the CustomResourceDefinition to the files, or correct apiVersion and kind.",
    ),
    "described-twice": Entry(
        "{objects:count object} {objects:form is|are} described more than once for this WDS: {objects:names}. The workload "
        "that applies {objects:form it|them} last replaces what the other has applied, with its label, in every run.",
        "Keep {objects:form it|them} in one workload; what several need, such as a Namespace, can be one of its own.",
    ),
    "namespace-undescribed": Entry(
        "The {namespaces:form Namespace|Namespaces} {namespaces:names} {namespaces:form is|are} not described for this WDS, so "
        "{objects:count object} cannot be applied there unless {namespaces:form it exists|they exist} already.",
        "Add {namespaces:form it|them} to the files.",
    ),
    # What takes the workload away, or keeps all of it from being delivered.
    "template-property-missing": Entry(
        "{objects:names} {objects:form needs|need} the {properties:form property|properties} {properties:names}, which "
        "{clusters:names} {clusters:form lacks|lack}: KubeStellar then removes everything that this policy delivers, from "
        "all of its clusters.",
        "Set the properties first (wec_properties, or the module managed_cluster), for {clusters:count cluster}.",
    ),
    "template-invalid": Entry(
        "The template in {object} at {path} cannot be expanded ({reason}): KubeStellar then removes everything that this "
        "policy delivers, from all of its clusters.",
        "Correct it in the WDS. Templates are Go text/template, and know nothing but the properties of the cluster.",
    ),
    "template-property-possible": Entry(
        "{objects:names} may need the {properties:form property|properties} {properties:names}, which {clusters:names} "
        "{clusters:form lacks|lack}; it depends on a condition in the template.",
        "Set the properties for these clusters too: one that is lacking removes the workload from all clusters.",
    ),
    "object-too-large": Entry(
        "{objects:names} {objects:form is|are} larger than {limit} bytes, the most that is transported: nothing that this "
        "policy selects is then delivered, and only KubeStellar's log says so.",
        "Split {objects:form it|them}, or deliver the large part another way.",
    ),
    "definition-versions": Entry(
        "{definitions:names} {definitions:form is|are} served in several versions ({versions:names}): KubeStellar then counts "
        "{objects:count selected object} once for each, the API server refuses such a Binding, and nothing of this policy "
        "changes any more in any cluster.",
        "Serve one version of {definitions:form it|each} in the WDS, or select other objects.",
    ),
    "last-copy": Entry(
        "{objects:count object} would be left in no cluster at all: {objects:names}. What {objects:form it stores|they store} "
        "is lost with {objects:form it|them}.",
        "Save the data first, or deliver {objects:form it|them} elsewhere before.",
    ),
    "left-behind": Entry(
        "{objects:names} {objects:form is|are} still in {clusters:names}, where the policy does not place {objects:form it|them} any more, and "
        "KubeStellar does not remove {objects:form it|them}.",
        "Set leftovers to remove. If that happens again, look at the log of the transport controller of the WDS.",
    ),
    "clusters-replaced": Entry(
        "The workload leaves all {before:count cluster} that {before:form has|have} it, for {clusters:names}: it may be "
        "gone there before it runs here.",
        "Select the new clusters beside the old ones first, wait until it is healthy, then leave the old ones out.",
    ),
    # What matches nothing, or too much.
    "no-cluster": Entry(
        "No cluster is selected, of {registered:count cluster} in the ITS: nothing is delivered.",
        "Compare cluster_selectors with the labels of the ManagedClusters.",
    ),
    "no-object": Entry(
        "No object is selected: nothing is delivered.",
        "Compare downsync with the objects in the WDS and their labels.",
    ),
    "clause-without-object": Entry(
        "{clauses:names} {clauses:form matches|match} no object in the WDS.",
        "Compare resources (lower-case plural), api_group, namespaces and labels with what is there, or drop the clause.",
    ),
    "everything-on-host": Entry(
        "{clauses:names} {clauses:form means|mean} everything, and this WDS is the hosting cluster itself (type {type}): all "
        "that runs there is delivered to the clusters.",
        "Select by a label that only your workload has.",
    ),
    "cluster-scoped": Entry(
        "{objects:count cluster-scoped object} {objects:form is|are} selected: {objects:names}. A cluster has such an object "
        "only once: it is taken over where it exists, and deleted when it is selected no longer.",
        "Name what is meant by label or object_names. If this is it, set guards.cluster_scoped to allow.",
    ),
    "system-object": Entry(
        "{objects:count object} {objects:form is|are} selected that clusters or their hub make for themselves: "
        "{objects:names}.",
        "Select by a label that only your workload has, or by namespace.",
    ),
    "token-secret": Entry(
        "{objects:names} {objects:form is a Secret|are Secrets} that the WDS fills with a token of its own, which would go to every "
        "cluster and opens the WDS, while no cluster takes it.",
        "Leave {objects:form it|them} out, and let each cluster make its token: by TokenRequest, or such a Secret made there.",
    ),
    # What will not work in the clusters.
    "namespace-missing": Entry(
        "Nothing delivers the {namespaces:form Namespace|Namespaces} {namespaces:names} to {clusters:names}, where "
        "{objects:count object} in {namespaces:form it|them} {objects:form is|are} to go.",
        "Select {namespaces:form it|them} too, unless {namespaces:form it is|they are} made in {clusters:count cluster} in "
        "another way.",
    ),
    "crd-missing": Entry(
        "Nothing delivers the CustomResourceDefinition{definitions:form |s} {definitions:names} to {clusters:names}, where "
        "{objects:count object} of {definitions:form it|them} {objects:form is|are} to go.",
        "Select {definitions:form it|them} too, unless {definitions:form it is|they are} installed in "
        "{clusters:count cluster} in another way.",
    ),
    "agent-rights": Entry(
        "The agents of the clusters are not granted to apply {kinds:names} ({objects:count object}) by OCM itself.",
        "Grant it in each cluster by a ClusterRole with the label open-cluster-management.io/aggregate-to-work=true.",
    ),
    "never-delivered": Entry(
        "KubeStellar never delivers {objects:count object}, whatever selects {objects:form it|them}: {objects:names}.",
        "Make {objects:form it|them} in the clusters in another way, and leave {objects:form it|them} out here.",
    ),
    "job-update": Entry(
        "{objects:names} {objects:form is a Job|are Jobs} from which KubeStellar removes what the API server has completed "
        "({fields:names}): the second time that {objects:form it is|they are} delivered, clusters refuse {objects:form it|them}.",
        "Let Jobs be delivered once, by a modulation with create_only for resources jobs.",
    ),
    "job-ttl": Entry(
        "{objects:names} {objects:form is|are} deleted by each cluster when finished ({fields:names}), and OCM's agent makes "
        "{objects:form it|them} again every few minutes, with create_only too.",
        "Leave it out, and remove the Job from the workload when it is done; or use a CronJob.",
    ),
    "job-suspend": Entry(
        "{objects:names} {objects:form runs|run} at once in every cluster: KubeStellar removes {fields:names}.",
        "Deploy {objects:form it|them} when {objects:form it is|they are} to run.",
    ),
    "service-fields": Entry(
        "{objects:names} {objects:form arrives|arrive} without {fields:names}: KubeStellar removes that from Services.",
        "For nodePort, set the annotation control.kubestellar.io/preserve to nodeport; set the rest in the clusters, or leave it out.",
    ),
    "volume-claim": Entry(
        "Each delivery of {objects:names} wipes the UID in {fields:names}, with which a cluster has bound the claim: the claim is "
        "then lost for good.",
        "Let it be delivered once, by a modulation with create_only for resources persistentvolumes, or leave claimRef out.",
    ),
    "claim-update": Entry(
        "{objects:names} {objects:form is a claim|are claims} in which a cluster sets {fields:names}: as soon as that is done, OCM's agent, "
        "which would write the whole again, is refused.",
        "Let it be delivered once, by a modulation with create_only for resources persistentvolumeclaims, or set these fields.",
    ),
    "owner-references": Entry(
        "{objects:names} {objects:form has|have} {fields:names}: the WDS deletes what has owners that are not there, and clusters get "
        "{objects:form it|them} without owners.",
        "Leave metadata.ownerReferences out.",
    ),
    "acts-on-wds": Entry(
        "{objects:names} {objects:form acts|act} on the WDS itself ({fields:names}), in which no Pod runs that could answer: "
        "requests to the WDS that {objects:form it concerns|they concern} then fail, of all workloads.",
        "Install {objects:form it|them} in the clusters in another way. If requests fail already, take {objects:form it|them} out of the "
        "workload: what leaves it is then removed before anything is sent.",
    ),
    "partly-updated": Entry(
        "OCM's agent does not change {fields:names} of {objects:names} where {objects:form it is|they are} delivered already: the "
        "clusters keep the old.",
        "Give {objects:form it another name|them other names}, or have the workload delivered anew (tasks_from: redeploy).",
    ),
    "labels-stay": Entry(
        "The clusters keep {fields:names} of {objects:names}: OCM's agent never removes labels and annotations.",
        "Set them to another value, or have the workload delivered anew (tasks_from: redeploy).",
    ),
    "replicas-autoscaled": Entry(
        "{objects:names} {objects:form is|are} scaled in the clusters, and the WDS completes {fields:names} to 1: each delivery takes "
        "{objects:form it|them} back to one replica for a moment.",
        "Add a CustomTransform that removes $.spec.replicas from that resource.",
    ),
    "cluster-unavailable": Entry(
        "{clusters:count selected cluster} {clusters:form is|are} not available: {clusters:names}. The change arrives there "
        "when {clusters:form it is|they are} back.",
        "See kubestellar.core.managed_cluster_info, or the log of the agent there.",
    ),
    "cluster-not-accepted": Entry(
        "{clusters:count selected cluster} {clusters:form is|are} not accepted by the hub: {clusters:names}. KubeStellar "
        "selects {clusters:form it|them} all the same.",
        "Accept {clusters:form it|them} (kubestellar.core.wecs, or the module managed_cluster).",
    ),
    # Status that will not come.
    "singleton-clusters": Entry(
        "{objects:count object} with want_singleton_reported_state {objects:form goes|go} to {number:count cluster} instead "
        "of one, so no status is returned: {objects:names}.",
        "Select exactly one cluster, or use want_multi_wec_reported_state for Deployments, ReplicaSets and DaemonSets.",
    ),
    "multi-wec-kind": Entry(
        "{objects:count object} with want_multi_wec_reported_state {objects:form is|are} of a kind that KubeStellar does not "
        "aggregate ({kinds:names}), so no status is returned from more than one cluster: {objects:names}.",
        "Ask for it for Deployments, ReplicaSets and DaemonSets only; for others use a StatusCollector.",
    ),
    "collector-missing": Entry(
        "The {collectors:form StatusCollector|StatusCollectors} {collectors:names} {collectors:form is|are} named for {objects:names} and not "
        "in the WDS, so nothing is collected by {collectors:form it|them}.",
        "Correct the name in status_collectors of the modulation, or describe {collectors:form it|them} (status_collectors of the workload, or "
        "the module status_collector).",
    ),
    # Who else delivers.
    "shared-object": Entry(
        "{objects:count object} also {objects:form comes|come} from {by} to {clusters:names}: {objects:names}. Each "
        "overwrites the other's.",
        "Let one policy deliver an object to a cluster.",
    ),
    "shared-create-only": Entry(
        "{objects:count object} also {objects:form comes|come} from {by} to {clusters:names}, and only one of the two says "
        "create_only: {objects:names}. What happens then is not defined.",
        "Give both the same create_only, or better let one policy deliver an object to a cluster.",
    ),
    "policy-unlisted": Entry(
        "It is not described any more, and that alone removes nothing: it stays in {clusters:names}.",
        "To remove it, describe it with state absent, and drop it when it is gone.",
    ),
    "cluster-unlisted": Entry(
        "{clusters:names} {clusters:form is|are} not listed any more, and that alone detaches nothing: {clusters:form it keeps|they keep} what "
        "{clusters:form it has|they have}.",
        "To detach {clusters:form it|them}, list {clusters:form it|them} with wec_state absent, and drop {clusters:form it|them} when "
        "{clusters:form it is|they are} gone.",
    ),
    "waves-content": Entry(
        "Waves hold back clusters that do not have the workload yet, and nothing else: what changes in its objects reaches {clusters:names} at "
        "once, as soon as {clusters:form it has|they have} the workload.",
        "Let what is to change cluster by cluster be a property of the clusters (wec_properties) in a template of the object.",
    ),
    # What is changed but will not arrive.
    "stale-property": Entry(
        "{objects:names} {objects:form was|were} delivered to {clusters:names} with older properties, and KubeStellar does "
        "not deliver {objects:form it|them} again for that.",
        "Set redeliver in binding_policy, or touch {objects:form it|them} in the WDS by an annotation.",
    ),
    "stale-transform": Entry(
        "The CustomTransform {transform} was changed after {objects:count object} had been delivered, and KubeStellar does "
        "not deliver {objects:form it|them} again for that: {objects:names}.",
        "Set redeliver in binding_policy, or touch {objects:form it|them} in the WDS by an annotation.",
    ),
    # What clusters have from elsewhere.
    "existing-object": Entry(
        "{objects:count object} {objects:form is|are} in {clusters:names} already, from elsewhere: {objects:names}. "
        "{objects:form It|They} would be overwritten there, and deleted with the workload.",
        "Give {objects:form it another name|them other names}, or set guards.existing_objects to adopt.",
    ),
    "foreign-contents": Entry(
        "{holder} would be deleted in {clusters:names} with {objects:count object} of others: {objects:names}.",
        "Move or delete what is in it, deliver it by a policy of its own too, or set guards.foreign_contents to delete.",
    ),
    "cluster-unseen": Entry(
        "Whether something of others would be overwritten or deleted is not known of {clusters:names}: {reason}.",
        "Correct the credentials for {clusters:count cluster}, or leave them out.",
    ),
    # Guards.
    "guard-min-clusters": Entry(
        "{clusters:count cluster} would be selected, fewer than min_clusters ({limit}): {clusters:names}.",
        "Compare cluster_selectors with the labels of the ManagedClusters, or lower the guard.",
    ),
    "guard-max-clusters": Entry(
        "{clusters:count cluster} would be selected, more than max_clusters ({limit}): {clusters:names}.",
        "Narrow cluster_selectors, or raise the guard.",
    ),
    "guard-max-objects": Entry(
        "{objects:count object} would be selected, more than max_objects ({limit}): {objects:names}.",
        "Narrow downsync, or raise the guard.",
    ),
    "guard-max-removed-clusters": Entry(
        "The workload would leave {clusters:count cluster} of {before}, more than max_removed_clusters ({limit}): "
        "{clusters:names}.",
        "If this is meant, raise the guard.",
    ),
    "guard-max-removed-objects": Entry(
        "{objects:count object} of {before} would be withdrawn, more than max_removed_objects ({limit}): {objects:names}.",
        "If this is meant, raise the guard.",
    ),
    "guard-cluster-scoped": Entry(
        "{objects:count cluster-scoped object} would be selected, which cluster_scoped refuses: {objects:names}.",
        "Narrow downsync, or set guards.cluster_scoped to warn or allow.",
    ),
}
"""All troubles by code, in the order in which they are told."""


def warning(code: str, **facts: Any) -> dict[str, str]:
    """The entry of `warnings` in a result.

    :param facts: the fields of the sentence and the hint.
    """
    entry = CATALOGUE[code]
    return {
        "code": code,
        "message": phrase(entry.message, facts),
        "hint": phrase(entry.hint, facts),
    }


def phrase(template: str, facts: Mapping[str, Any]) -> str:
    """A sentence: a template with its fields filled in."""
    return _FORMATTER.vformat(template, (), facts)


def names(values: Collection[object], most: int = MOST_NAMES) -> str:
    """`a, b, c and 7 more`, in the order given; `none` for none."""
    shown = [plain(value, _LONGEST_NAME) for value, _number in zip(values, range(most), strict=False)]
    more = len(values) - len(shown)
    if more == 1:
        # Naming the last one takes no more room than counting it.
        shown, more = [plain(value, _LONGEST_NAME) for value in values], 0
    return ", ".join(shown) + (f" and {more} more" if more else "") if shown else "none"


def count(number: int | Collection[object], noun: str) -> str:
    """`1 cluster`, `3 clusters`, `2 properties`."""
    value = number if isinstance(number, int) else len(number)
    return f"{value} {plural(value, noun)}"


def plural(value: int, noun: str) -> str:
    """The noun as it goes with a number."""
    if value == 1:
        return noun
    if noun.endswith(("ty", "cy")):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith("s") else f"{noun}s"


class _Phrases(Formatter):
    """Understands the fields of the module's docstring."""

    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec == "names":
            return names(value)
        if format_spec.startswith("count "):
            return count(value, format_spec.removeprefix("count "))
        if format_spec.startswith("form "):
            one, other = format_spec.removeprefix("form ").split("|")
            return one if (value if isinstance(value, int) else len(value)) == 1 else other
        return plain(value, _LONGEST_TEXT if format_spec == "text" else _LONGEST_NAME)


_FORMATTER = _Phrases()
