# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a diagnosis is made from (private to kubestellar.core). No secret is in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._credentials import Credential
from ansible_collections.kubestellar.core.plugins.module_utils._space import CP_TYPE_LABEL
from ansible_collections.kubestellar.core.plugins.module_utils._workstatus import ORIGIN_WDS_LABEL
from ansible_collections.kubestellar.core.plugins.module_utils.placement.facts import Facts as PlacementFacts

ITS, WDS = "its", "wds"


@dataclass(frozen=True)
class Reading:
    """One list.

    :ivar served: False if the API server does not know the resource.
    :ivar error: why it could not be read, as a sentence; empty if it was.
    """

    items: Sequence[Mapping[str, Any]] = ()
    served: bool = True
    error: str = ""


UNWANTED = Reading()
"""What no chosen check needs is not read."""


@dataclass(frozen=True)
class Secret:
    """What matters of the Secret of a space: its keys, and how long its credentials last."""

    keys: frozenset[str]
    credentials: Sequence[Credential] = ()


@dataclass(frozen=True)
class Its:
    """What an ITS says. `works` has the ManifestWorks of KubeStellar only, `requests` the CSRs of OCM."""

    served: frozenset[tuple[str, str]] = frozenset()
    clusters: Reading = UNWANTED
    leases: Reading = UNWANTED
    requests: Reading = UNWANTED
    works: Reading = UNWANTED
    addons: Reading = UNWANTED
    deployments: Reading = UNWANTED
    pods: Reading = UNWANTED


@dataclass(frozen=True)
class Wds:
    """What a WDS says.

    :ivar served: the (group, plural) pairs that it serves.
    :ivar kinds: of these, the kind.
    :ivar placements: facts for the preview of each of its policies.
    :ivar invalid: policies that cannot be evaluated, to what is wrong with them.
    :ivar placements_error: why the workload could not be read; empty if it was.
    """

    served: frozenset[tuple[str, str]] = frozenset()
    kinds: Mapping[tuple[str, str], str] = field(default_factory=dict)
    policies: Reading = UNWANTED
    bindings: Reading = UNWANTED
    namespaces: Reading = UNWANTED
    placements: Mapping[str, PlacementFacts] = field(default_factory=dict)
    invalid: Mapping[str, Sequence[str]] = field(default_factory=dict)
    placements_error: str = ""


@dataclass(frozen=True)
class Space:
    """One ControlPlane.

    :ivar role: `its`, `wds`, or empty if nothing says it.
    :ivar secret: None if there is none.
    :ivar secret_error: why it could not be read; empty if it was.
    :ivar trouble: why its API server cannot be used; empty if it can.
    :ivar refused: whether it answers and refuses the credentials.
    :ivar server: URL of its API server; empty if it cannot be used.
    """

    control_plane: Mapping[str, Any]
    role: str = ""
    secret: Secret | None = None
    secret_error: str = ""
    trouble: str = ""
    refused: bool = False
    server: str = ""
    its: Its | None = None
    wds: Wds | None = None

    @property
    def name(self) -> str:
        """Name of the ControlPlane."""
        return str(self.control_plane["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """Its namespace in the hosting cluster."""
        return f"{self.name}-system"

    @property
    def type(self) -> str:
        """Such as `external`."""
        return str((self.control_plane.get("spec") or {}).get("type") or "")

    @property
    def hooks(self) -> list[str]:
        """Names of its PostCreateHooks."""
        spec = self.control_plane.get("spec") or {}
        named = [str(hook.get("hookName")) for hook in spec.get("postCreateHooks") or []]
        return [*named, *([str(spec["postCreateHook"])] if spec.get("postCreateHook") else [])]

    @property
    def named_its(self) -> str:
        """The ITS that the variables of a WDS name (core chart); empty if they name none."""
        spec = self.control_plane.get("spec") or {}
        sources = [spec.get("globalVars") or {}]
        sources += [hook.get("vars") or {} for hook in spec.get("postCreateHooks") or []]
        return next((str(one["ITSName"]) for one in reversed(sources) if one.get("ITSName")), "")


@dataclass(frozen=True)
class Hub:
    """What the hosting cluster says; namespaced objects of KubeFlex's own namespace and of those of the spaces.

    :ivar trouble: why it cannot be used; empty if it can.
    """

    name: str
    trouble: str = ""
    control_planes: Reading = UNWANTED
    hooks: Reading = UNWANTED
    deployments: Reading = UNWANTED
    stateful_sets: Reading = UNWANTED
    jobs: Reading = UNWANTED
    pods: Reading = UNWANTED


@dataclass(frozen=True)
class Facts:
    """A hub as it was read.

    :ivar now: seconds since the epoch.
    :ivar wecs: the only WECs to look at; None for all.
    """

    hub: Hub
    spaces: Sequence[Space]
    now: float
    wecs: frozenset[str] | None = None

    def of_role(self, role: str) -> list[Space]:
        """The spaces of a role."""
        return [space for space in self.spaces if space.role == role]

    def its_of(self, wds: Space) -> Space | None:
        """The ITS that a WDS delivers through: the one that its hooks name, the only one, or the one with its works."""
        itses = self.of_role(ITS)
        if wds.named_its:
            return next((its for its in itses if its.name == wds.named_its), None)
        if len(itses) == 1:
            return itses[0]
        return next((its for its in itses if wds.name in _origins(its)), None)

    def looked_at(self, wec: str) -> bool:
        """Whether a WEC is to be looked at."""
        return self.wecs is None or wec in self.wecs


def _origins(space: Space) -> set[str]:
    """Names of the WDSes that deliver something through an ITS."""
    works = space.its.works.items if space.its else ()
    return {str((work["metadata"].get("labels") or {}).get(ORIGIN_WDS_LABEL) or "") for work in works}


def role_of(control_plane: Mapping[str, Any], hooks: Sequence[Mapping[str, Any]]) -> str:
    """The role of a ControlPlane by its label, or by that of its hooks, which give it to it when they are done."""
    labelled = (control_plane["metadata"].get("labels") or {}).get(CP_TYPE_LABEL)
    if labelled:
        return str(labelled)
    roles = {
        hook["metadata"]["name"]: (hook["metadata"].get("labels") or {}).get(CP_TYPE_LABEL) for hook in hooks
    }
    return next((str(roles[name]) for name in Space(control_plane).hooks if roles.get(name)), "")
