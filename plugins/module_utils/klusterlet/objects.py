# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects that a cluster gets beside those of the chart (private to kubestellar.core). Pure functions."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bounds
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, plain
from ansible_collections.kubestellar.core.plugins.module_utils._resources import KLUSTERLETS
from ansible_collections.kubestellar.core.plugins.module_utils._yaml import dump_yaml
from ansible_collections.kubestellar.core.plugins.module_utils.klusterlet.wishes import (
    BOOTSTRAP_SECRET,
    EXTERNAL_SECRET,
    OPERATOR_NAMESPACE,
    PULL_SECRET,
    Place,
)

_MANAGEMENT = {"workload.openshift.io/allowed": "management"}
"""What OpenShift wants of a namespace whose Pods run on cores for management; the operator sets it too."""


def namespace(name: str) -> dict[str, Any]:
    """A namespace of OCM's."""
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "annotations": dict(_MANAGEMENT)},
    }


def secret(name: str, where: str, data: Mapping[str, str], kind: str = "Opaque") -> dict[str, Any]:
    """A Secret. :param data: as text."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": where},
        "type": kind,
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in data.items()},
    }


def bootstrap_secret(place: Place, cluster: str, kubeconfig: str) -> dict[str, Any]:
    """The Secret that the agent joins with."""
    return secret(BOOTSTRAP_SECRET, place.agent_namespace(cluster), {"kubeconfig": kubeconfig})


def external_secret(place: Place, cluster: str, kubeconfig: Mapping[str, Any]) -> dict[str, Any]:
    """The Secret by which an operator on a management cluster reaches the cluster."""
    return secret(
        EXTERNAL_SECRET, place.agent_namespace(cluster), {"kubeconfig": dump_yaml(dict(kubeconfig))}
    )


def pull_secret(text: str) -> dict[str, Any]:
    """The Secret to pull images with, which the operator copies to the namespaces of the agents and add-ons.

    :param text: a Docker configuration as JSON.
    :raises InvalidInput: it is none.
    """
    try:
        sound = isinstance(_bounds.json_value(text).get("auths"), dict)
    except (AttributeError, ValueError):
        sound = False
    if not sound:
        raise InvalidInput(
            "image_pull_secret is not a Docker configuration: JSON with the key auths.",
            hint="Give the config.json that docker login or podman login writes.",
        )
    return secret(
        PULL_SECRET, OPERATOR_NAMESPACE, {".dockerconfigjson": text}, "kubernetes.io/dockerconfigjson"
    )


def klusterlet(place: Place, cluster: str, *specs: Mapping[str, Any]) -> dict[str, Any]:
    """The Klusterlet of a cluster.

    :param specs: parts of its spec, of which later ones win.
    """
    merged: dict[str, Any] = {}
    for spec in specs:
        for key, value in spec.items():
            both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
            merged[key] = {**merged[key], **value} if both else value
    merged |= {
        "clusterName": cluster,
        "namespace": place.namespace(cluster),
        "deployOption": {"mode": place.mode},
    }
    return {
        "apiVersion": KLUSTERLETS.api_version,
        "kind": KLUSTERLETS.kind,
        "metadata": {"name": place.klusterlet(cluster)},
        "spec": merged,
    }


def check_live(live: Mapping[str, Any], place: Place, cluster: str) -> None:
    """See that a Klusterlet that is there is the one we mean.

    :raises InvalidInput: it registers the cluster under another name, or is to get another mode.
    """
    check_name(live, cluster)
    spec, name = live.get("spec") or {}, live["metadata"]["name"]
    mode = (spec.get("deployOption") or {}).get("mode") or "Default"
    if mode != place.mode:
        raise InvalidInput(
            f"{cluster}: its Klusterlet {plain(name, 80)} has the mode {plain(mode, 40)}, which cannot be changed to {place.mode}.",
            hint="Keep the mode (wec_klusterlet_mode), or remove the Klusterlet first.",
        )


def check_name(live: Mapping[str, Any], cluster: str) -> None:
    """:raises InvalidInput: a Klusterlet registers its cluster under another name."""
    there = (live.get("spec") or {}).get("clusterName") or ""
    if there and there != cluster:
        raise InvalidInput(
            f"{cluster}: its Klusterlet {plain(live['metadata']['name'], 80)} registers it as {plain(there, 80)}, not as {cluster}.",
            hint=f"Is it the right cluster? If so, name it {plain(there, 80)} (wec_name), or remove that Klusterlet first "
            "(klusterlet with state absent and that name).",
        )
