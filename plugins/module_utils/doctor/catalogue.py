# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The troubles that a diagnosis finds. Those of a hub that is being set up have their sentences in `hub.troubles`, those
of a placement in `placement.catalogue`.

Ids are part of the interface: they are never renamed. Sentences are templates as described there.
(private to kubestellar.core)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils.hub.troubles import TROUBLES
from ansible_collections.kubestellar.core.plugins.module_utils.placement.catalogue import phrase

ERROR, WARNING, INFO = "error", "warning", "info"
SEVERITIES = (ERROR, WARNING, INFO)
"""The worst first. An error is something that does not work, or that nobody can say works; a warning is about to
be one, or is one under circumstances; the rest is worth knowing."""


@dataclass(frozen=True)
class Trouble:
    """One trouble. :ivar evidence: what is the matter, as a template. :ivar hint: the next thing to try."""

    severity: str
    evidence: str
    hint: str


@dataclass(frozen=True)
class Finding:
    """One trouble of one object.

    :ivar where: cluster and object, such as `its1: ManagedCluster cluster1`.
    """

    id: str
    severity: str
    where: str
    evidence: str
    hint: str

    @property
    def order(self) -> tuple[int, str, str, str]:
        """Sorts the worst first."""
        return SEVERITIES.index(self.severity), self.where, self.id, self.evidence


CATALOGUE: dict[str, Trouble] = {
    # What cannot be said.
    "not-read": Trouble(
        ERROR,
        "It could not be read, so nothing is known of it: {reason:text}.",
        "Give the credentials this right, or see whether the API server is well.",
    ),
    "hub-unreachable": Trouble(
        ERROR,
        "The hosting cluster cannot be used, so nothing could be looked at: {reason:text}.",
        "Check kubeconfig and context, and whether its API server is running.",
    ),
    "wec-unknown": Trouble(
        ERROR,
        "No ITS that could be read has a ManagedCluster {name}.",
        "Register it (kubestellar.core.wecs), or correct the name in wecs.",
    ),
    # The hosting cluster.
    "kubeflex-missing": Trouble(
        ERROR,
        "The {kinds:form kind|kinds} {kinds:names} {kinds:form is|are} not served, so KubeFlex is not installed here.",
        "Install KubeFlex first (role hub, entry point kubeflex), or name the right hosting cluster.",
    ),
    "role-missing": Trouble(
        WARNING,
        "There is no ControlPlane for {role}, so this is no complete hub.",
        "Set it up (kubestellar.core.hub); the label kflex.kubestellar.io/cptype says which role a ControlPlane has.",
    ),
    "control-plane-unseen": Trouble(
        ERROR,
        "It has no condition though it is {age} s old: the KubeFlex manager has not looked at it.",
        "Restart the KubeFlex manager: it can be stuck without a word in its log.",
    ),
    "control-plane-not-ready": Trouble(
        ERROR,
        "It is not ready: {reason:text}.",
        "Look at its hooks and Pods, and at the log of the KubeFlex manager.",
    ),
    "control-plane-not-synced": Trouble(
        WARNING,
        "It is ready, but KubeFlex cannot bring it up to date: {reason:text}.",
        "Correct what the message names; KubeFlex tries again by itself.",
    ),
    "secret-missing": Trouble(
        ERROR,
        "It has no kubeconfig: {reason:text}.",
        "KubeFlex makes the Secret with the ControlPlane. If it was deleted, recreate the bootstrap Secret (type external), "
        "or the ControlPlane.",
    ),
    "secret-key-missing": Trouble(ERROR, *TROUBLES["secret-key-missing"]),
    "space-unreachable": Trouble(
        ERROR,
        "Its API server cannot be reached, so nothing in it could be looked at: {reason:text}.",
        "Is it running, and does its address in the Secret lead to it from here?",
    ),
    "space-refused": Trouble(ERROR, *TROUBLES["space-refused"]),
    "credential-expired": Trouble(
        ERROR,
        "The {what} in the Secret {secret} expired {days:count day} ago: controllers that use it have lost the space.",
        "Run renew.yml, with the kubeconfig of an administrator of the adopted cluster in hub_itses or hub_wdses.",
    ),
    "credential-expiring": Trouble(
        WARNING,
        "The {what} in the Secret {secret} expires in {days:count day}; KubeFlex does not renew it.",
        "Run renew.yml, which renews it and restarts the controllers that use it.",
    ),
    "credential-unread": Trouble(
        WARNING,
        "When the {what} in the Secret {secret} expires cannot be told: {reason:text}.",
        "See whether the kubeconfig in it is complete.",
    ),
    "hook-missing": Trouble(ERROR, *TROUBLES["hook-missing"]),
    "hook-not-done": Trouble(
        ERROR,
        "Its {hooks:form hook|hooks} {hooks:names} {hooks:form is|are} not done after {age} s.",
        "Look at the Jobs, Deployments and Pods in its namespace, which the hook made.",
    ),
    "job-failed": Trouble(ERROR, *TROUBLES["job-failed"]),
    "pod-image": Trouble(ERROR, *TROUBLES["pod-image"]),
    "pod-crash-loop": Trouble(ERROR, *TROUBLES["pod-crash-loop"]),
    "pod-not-starting": Trouble(ERROR, *TROUBLES["pod-not-starting"]),
    "pod-unschedulable": Trouble(ERROR, *TROUBLES["pod-unschedulable"]),
    "transport-init": Trouble(
        ERROR,
        "The init container {container} of the transport controller ended with exit code {code} ({reason:text}).",
        "Code 1 comes from ITSName in the values of the core chart (kubestellar#3192): remove --control-plane-label-selector "
        "from its arguments. Code 86 means that no usable ITS was found in time.",
    ),
    "deployment-not-ready": Trouble(
        ERROR,
        "{ready} of {wanted} Pods are ready.",
        "Look at its Pods and events.",
    ),
    "deployment-scaled-down": Trouble(
        WARNING,
        "It is scaled to 0, so what it does is not done.",
        "Scale it up again, unless this is meant.",
    ),
    # An ITS.
    "workstatus-missing": Trouble(
        ERROR,
        "The kind WorkStatus is not served, so the controller-manager of no WDS starts with this ITS: no BindingPolicy is "
        "processed, and only its log says so.",
        "Install the status add-on (hook install-status-addon), or at least its CustomResourceDefinition.",
    ),
    "ocm-missing": Trouble(
        ERROR,
        "The {kinds:form kind|kinds} {kinds:names} {kinds:form is|are} not served, so this is no OCM hub.",
        "Find out why the hook its-hub-init failed, then delete its Job. Is this the right space?",
    ),
    "no-wec": Trouble(
        INFO,
        "No cluster is registered.",
        "Register one (kubestellar.core.wecs).",
    ),
    "wec-not-accepted": Trouble(
        ERROR,
        "The hub has not accepted it{requests}.",
        "Accept it (kubestellar.core.wecs, or the module managed_cluster).",
    ),
    "wec-not-joined": Trouble(
        ERROR,
        "It is accepted, but its agent has not come back with a certificate{requests}.",
        "Look at its certificate requests here, and at the log of the agent there: it must reach the hub's address in "
        "bootstrap-hub-kubeconfig, and trust its CA.",
    ),
    "wec-unavailable": Trouble(
        ERROR,
        "It is not available: {reason:text}.",
        "Look at the log of the agent there, and whether it reaches the hub.",
    ),
    "wec-lease": Trouble(
        ERROR,
        "It counts as available, but {reason:text}.",
        "Look at the log of the agent there, and whether the registration controller of the hub is running.",
    ),
    "wec-clock": Trouble(
        WARNING,
        "Its clock is not that of the hub: {reason:text}.",
        "Synchronise the clocks: certificates and Leases depend on them.",
    ),
    "wec-tainted": Trouble(
        WARNING,
        "It is available and has the {taints:form taint|taints} {taints:names}: OCM's placements leave it out, which can take "
        "the status add-on from it, and with it all status.",
        "Remove the {taints:form taint|taints} unless {taints:form it is|they are} meant. KubeStellar does not look at taints.",
    ),
    "addon-unavailable": Trouble(
        WARNING,
        "Its status add-on is not available ({reason:text}), so no status returns from it.",
        "Look at the Pod status-agent in open-cluster-management-agent-addon there, and its log.",
    ),
    "wec-deleting": Trouble(
        WARNING,
        "It has been in deletion for {age} s (finalizers: {finalizers:names}).",
        "A live agent ends it. If the cluster is gone for good, detach it by the module managed_cluster with force.",
    ),
    "csr-pending": Trouble(
        WARNING,
        "{requests:count certificate request} of the cluster {requests:form waits|wait} for approval: {requests:names}.",
        "Accept the cluster (kubestellar.core.wecs, or the module managed_cluster), which checks what it approves.",
    ),
    "csr-refused": Trouble(
        WARNING,
        "A certificate request in the name of the cluster is not what an agent sends: {reason:text}.",
        "Find out who sent it; deny or delete it.",
    ),
    "csr-many": Trouble(
        WARNING,
        "There are {number} certificate requests of the cluster, and from {limit} on an agent makes no new one.",
        "Delete the old ones, also those that are denied.",
    ),
    # A WDS.
    "its-unknown": Trouble(
        WARNING,
        "Which of the ITSes ({itses:names}) it delivers through is not known: no hook names one, and nothing is delivered yet.",
        "Set ITSName in globalVars of the ControlPlane, or deliver something.",
    ),
    "its-missing": Trouble(
        ERROR,
        "It is to deliver through the ITS {its}, and there is none of this name.",
        "Correct ITSName in the ControlPlane, or create the ITS.",
    ),
    "space-shared": Trouble(
        WARNING,
        "It and the ITS {its} are one API server, and {policies:names} {policies:form asks|ask} for returned status: the "
        "controller-manager and the status add-on then fight over the labels that mark it.",
        "Use a WDS of its own, or a StatusCollector instead.",
    ),
    "wds-definitions-missing": Trouble(
        ERROR,
        "The {kinds:form kind|kinds} {kinds:names} {kinds:form is|are} not served, so the controller-manager has not come that far.",
        "See whether it runs; it needs the ControlPlane, status.secretRef and the key in its Secret.",
    ),
    "namespace-held": Trouble(
        ERROR,
        "It has been in deletion for {age} s: {reason:text}.",
        "Remove the APIService or CustomResourceDefinition whose API does not answer, since a WDS runs no Pods, or what the finalizer waits for.",
    ),
    "policy-invalid": Trouble(
        ERROR,
        "It cannot be evaluated: {problems:names} KubeStellar then leaves policies after it unprocessed too.",
        "Correct it (the module binding_policy refuses such a policy), or delete it.",
    ),
    "policy-unprocessed": Trouble(
        ERROR,
        "It has no finalizer of KubeStellar {age} s after it was written: the controller-manager does not process policies.",
        "See whether the controller-manager runs, and whether the ITS serves WorkStatus, for which it waits.",
    ),
    "policy-behind": Trouble(
        ERROR,
        "The controller-manager has processed generation {observed} of it, and it is at {generation}.",
        "See whether the controller-manager of the WDS runs, and its log.",
    ),
    "policy-errors": Trouble(
        ERROR,
        "KubeStellar reports for it: {reason:text}.",
        "Correct what it names in the policy or its objects.",
    ),
    "binding-unread": Trouble(
        ERROR,
        "The transport controller has read generation {observed} of it, and it is at {generation}.",
        "See whether the transport controller of the WDS runs, and its log.",
    ),
    "delivery-behind": Trouble(
        ERROR,
        "{objects:count object} {objects:form is|are} not delivered as they are now to {clusters:names}: {objects:names} "
        "({reason:text}).",
        "See whether the transport controller of the WDS runs, and its log; an object over the size limit stops all of a policy.",
    ),
    "work-not-applied": Trouble(
        ERROR,
        "{objects:count object} {objects:form is|are} delivered and not applied in {clusters:names}: {objects:names} "
        "({reason:text}).",
        "Correct what the message names. Rights of the agent: a ClusterRole there with the label "
        "open-cluster-management.io/aggregate-to-work=true; a Namespace: select it too.",
    ),
    "work-bundled": Trouble(
        WARNING,
        "{number:count ManifestWork} {number:form holds|hold} more than one object each: when one comes or goes, others are "
        "deleted and created anew in the clusters.",
        "Set --max-num-wrapped=1 for the transport controller (transport_controller.max_num_wrapped of the core chart).",
    ),
    "work-left-over": Trouble(
        WARNING,
        "{objects:count object} {objects:form is|are} selected no longer and still delivered to {clusters:names}: {objects:names}.",
        "See whether the transport controller of the WDS and the agents of the clusters run, and their logs.",
    ),
}
"""All troubles by id, in the order in which they are documented."""

PLACEMENT: dict[str, str] = {
    "facts-incomplete": ERROR,
    "template-property-missing": ERROR,
    "template-invalid": ERROR,
    "template-property-possible": WARNING,
    "object-too-large": ERROR,
    "definition-versions": ERROR,
    "last-copy": WARNING,
    "clusters-replaced": WARNING,
    "no-cluster": WARNING,
    "no-object": WARNING,
    "clause-without-object": INFO,
    "everything-on-host": ERROR,
    "cluster-scoped": INFO,
    "system-object": WARNING,
    "token-secret": ERROR,
    "namespace-missing": WARNING,
    "crd-missing": WARNING,
    "agent-rights": WARNING,
    "never-delivered": WARNING,
    "singleton-clusters": WARNING,
    "multi-wec-kind": WARNING,
    "collector-missing": WARNING,
    "shared-object": WARNING,
    "shared-create-only": WARNING,
    "stale-property": WARNING,
    "stale-transform": WARNING,
}
"""The warnings of a preview that count for a policy that is there, with their severity. Those about the state of clusters
are left out: the cluster itself has a finding."""


def finding(trouble: str, where: str, *, severity: str = "", **facts: Any) -> Finding:
    """The finding of a trouble of the catalogue.

    :param severity: instead of the trouble's own.
    :param facts: the fields of evidence and hint.
    """
    entry = CATALOGUE[trouble]
    return Finding(
        trouble, severity or entry.severity, where, phrase(entry.evidence, facts), phrase(entry.hint, facts)
    )
