# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OCM's klusterlet chart, rendered once by helm for all clusters (private to kubestellar.core).

What a cluster alone has, its name and its credential, is not in the chart: helm gets no secret.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bulk
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    InvalidInput,
    KubestellarError,
    PreflightFailed,
    plain,
)
from ansible_collections.kubestellar.core.plugins.module_utils._resources import KLUSTERLETS
from ansible_collections.kubestellar.core.plugins.module_utils._yaml import load_yaml
from ansible_collections.kubestellar.core.plugins.module_utils.klusterlet.wishes import (
    OPERATOR_NAMESPACE,
    SINGLETON,
)
from ansible_collections.kubestellar.core.plugins.module_utils.local import program
from ansible_collections.kubestellar.core.plugins.module_utils.local.tools import environment

REPOSITORY = "https://open-cluster-management.io/helm-charts"
CHART, VERSION = "klusterlet", "1.0.0"
IMAGE_TAG = "v1.0.0"

_SECONDS = 120
_CREDENTIALS = ("bootstrapHubKubeConfig", "multiHubBootstrapHubKubeConfigs", "externalManagedKubeConfig")


@dataclass(frozen=True)
class Source:
    """Where the chart is, and the helm that reads it.

    :ivar reference: a folder, an archive, an OCI reference, or its name in the repository.
    :ivar repository: URL of a Helm repository; it counts only for a name.
    :ivar program: path of helm; empty for the one on the PATH.
    """

    reference: str = CHART
    repository: str = REPOSITORY
    version: str = VERSION
    program: str = ""

    @property
    def arguments(self) -> list[str]:
        """What tells helm where the chart is."""
        if os.path.exists(os.path.expanduser(self.reference)):
            return [os.path.abspath(os.path.expanduser(self.reference))]
        place = [self.reference, "--version", self.version]
        named = "://" not in self.reference and "/" not in self.reference
        return [*place, "--repo", self.repository] if named and self.repository else place


@dataclass(frozen=True)
class Rendered:
    """The chart for all clusters.

    :ivar objects: everything but the Klusterlet, the CustomResourceDefinition first.
    :ivar spec: the spec of its Klusterlet, which has the images.
    """

    objects: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    spec: Mapping[str, Any] = field(default_factory=dict)


def values(registry: str, tag: str, more: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the chart.

    :param more: values that no option has; the options win.
    :raises InvalidInput: among them is a credential, which would reach every cluster.
    """
    for key in _CREDENTIALS:
        if more.get(key):
            raise InvalidInput(
                f"chart_values: {key} would give one credential to every cluster.",
                hint="Use the options of the module for it.",
            )
    found = json.loads(json.dumps(more))
    images, klusterlet = found.setdefault("images", {}), found.setdefault("klusterlet", {})
    if not isinstance(images, dict) or not isinstance(klusterlet, dict):
        raise InvalidInput(
            "chart_values: images and klusterlet are mappings.", hint="See the values of the chart."
        )
    images |= {"registry": registry, "tag": tag}
    # The operator is rendered in no hosted mode; the name is one that no cluster can have.
    klusterlet |= {"create": True, "mode": SINGLETON, "name": "klusterlet", "clusterName": "every.cluster"}
    return {**found, "noOperator": False}


def images(registry: str, tag: str) -> dict[str, str]:
    """The images in the spec of a Klusterlet, where no chart says them."""
    return {
        "registrationImagePullSpec": f"{registry}/registration:{tag}",
        "workImagePullSpec": f"{registry}/work:{tag}",
        "imagePullSpec": f"{registry}/registration-operator:{tag}",
    }


def render(source: Source, given: Mapping[str, Any], environ: Mapping[str, str]) -> Rendered:
    """The chart as helm renders it. No cluster is asked.

    :param given: the values, which helm gets on its standard input.
    :raises PreflightFailed: there is no helm.
    :raises KubestellarError: helm fails, with the end of what it says.
    """
    helm = program.find(source.program, ("helm",), environ)
    if helm is None:
        where = f"at {source.program}" if source.program else "on the PATH"
        raise PreflightFailed(
            f"The program helm is not found {where}.",
            hint="Install helm 3, name it with helm (wec_klusterlet_helm), or set operator to false.",
        )
    command = [helm, "template", "klusterlet", *source.arguments, "--include-crds", "--values", "-"]
    command += ["--namespace", OPERATOR_NAMESPACE]
    done = program.run(
        command,
        environment(environ, os.devnull),
        seconds=_SECONDS,
        what=f"helm has not rendered the chart {source.reference}",
        hint="Is its registry reachable? A folder or an archive needs none.",
        stdin=json.dumps(given),
    )
    if done.code:
        raise KubestellarError(
            f"helm cannot render the chart {plain(source.reference, 200)}: {done.complaint}.",
            hint="Correct chart_ref, chart_repo or chart_version; a mirror, an archive or a folder does as well.",
        )
    return parse(done.output, source.reference)


def parse(text: str, reference: str) -> Rendered:
    """What helm has rendered.

    :raises InvalidInput: it is not the klusterlet chart.
    """
    where = f"The chart {reference}"
    objects = _bulk.check_definitions(load_yaml(text, where), where)
    specs = [obj.get("spec") or {} for obj in objects if obj["kind"] == KLUSTERLETS.kind]
    others = [obj for obj in objects if obj["kind"] != KLUSTERLETS.kind]
    if len(specs) != 1 or not any(obj["kind"] == "Deployment" for obj in others):
        raise InvalidInput(
            f"The chart {plain(reference, 200)} has no klusterlet operator with one Klusterlet.",
            hint="Is it OCM's chart klusterlet?",
        )
    return Rendered(tuple(others), specs[0])
