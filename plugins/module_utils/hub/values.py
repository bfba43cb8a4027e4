# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The values of KubeStellar's core chart (private to kubestellar.core). Pure functions.

Names and meaning from kubestellar: core-chart/values.yaml and core-chart/templates. Only what is set is written, so that
the chart's own defaults keep their word.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, plain
from ansible_collections.kubestellar.core.plugins.module_utils.hub import controllers, openshift
from ansible_collections.kubestellar.core.plugins.module_utils.local import tools

ITS_TYPES = ("vcluster", "host", "external")
WDS_TYPES = ("k8s", "host", "external")
"""The types of the method `chart`. The first is the chart's own default. The chart itself cannot make an external WDS."""
EXTERNAL = "external"

# Setting to value of the chart, for each option that is a mapping of plain values.
_PLAIN: dict[str, dict[str, str]] = {
    "versions": {
        "kubestellar": "KUBESTELLAR_VERSION",
        "transport": "TRANSPORT_VERSION",
        "get_kubeconfig": "KFLEX_GET_KUBECONFIG",
        "clusteradm": "CLUSTERADM_VERSION",
        "status_addon": "OCM_STATUS_ADDON_VERSION",
        "helm": "HELM_VERSION",
        "kubectl": "KUBECTL_VERSION",
    },
    "verbosity": {
        "default": "verbosity.default",
        "kubestellar": "verbosity.kubestellar",
        "clusteradm": "verbosity.clusteradm",
        "transport": "verbosity.transport",
        "status_controller": "status_controller.v",
        "status_agent": "status_agent.v",
        "kubeflex": "kubeflex-operator.verbosity",
    },
    "kubeflex": {
        "install": "kubeflex-operator.install",
        "postgresql": "kubeflex-operator.installPostgreSQL",
        "openshift": "kubeflex-operator.isOpenShift",
        "domain": "kubeflex-operator.domain",
        "external_port": "kubeflex-operator.externalPort",
        "host_container": "kubeflex-operator.hostContainer",
    },
    "transport": {
        "metrics_bind_address": "transport_controller.metrics_bind_addr",
        "pprof_bind_address": "transport_controller.pprof_bind_addr",
        "max_num_wrapped": "transport_controller.max_num_wrapped",
        "max_size_wrapped": "transport_controller.max_size_wrapped",
    },
    "status_agent": {
        "log_flush_frequency": "status_agent.log_flush_frequency",
        "logging_format": "status_agent.logging_format",
        "metrics_bind_address": "status_agent.metrics_bind_addr",
        "pprof_bind_address": "status_agent.pprof_bind_addr",
        "vmodule": "status_agent.vmodule",
    },
    "argocd": {
        "install": "argocd.install",
        "openshift": "argocd.openshift.enabled",
        "domain": "argocd.global.domain",
    },
}
_LIMITS = {
    "controller_qps": ("transport_controller.transport_qps", "transport_controller.wds_qps"),
    "controller_burst": ("transport_controller.transport_burst", "transport_controller.wds_burst"),
    "agent_qps": ("status_agent.hub_qps", "status_agent.local_qps"),
    "agent_burst": ("status_agent.hub_burst", "status_agent.local_burst"),
}
_APPLICATION = {
    "name": "name",
    "project": "project",
    "repo_url": "repoURL",
    "target_revision": "targetRevision",
    "path": "path",
    "destination_wds": "destinationWDS",
    "destination_namespace": "destinationNamespace",
    "sync_policy": "syncPolicy",
}

RELEASE_STEPS = ("kubeflex", "hooks", "its", "wds")
"""The steps to a hub that are parts of the release, in their order."""

_STEP_OF = {"kubeflex-operator": "kubeflex", "ITSes": "its", "WDSes": "wds", "argocd": "wds"}
"""Value of the chart to the step that it belongs to; all others are of the hooks. Argo CD is set up for the WDSes."""

_NOTHING: dict[str, Any] = {
    "kubeflex-operator": {"install": False},
    "InstallPCHs": False,
    "ITSes": [],
    "WDSes": [],
}
"""The values of a release with nothing in it, since the chart's own defaults install KubeFlex and the hooks."""


def chart_values(settings: Mapping[str, Any], extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The values for `helm --values`.

    :param settings: `itses`, `wdses`, `hooks` (whether the chart brings the PostCreateHooks), `limits` and the mappings
        of `_PLAIN`, each as the variable of role `hub` of that name. What is absent, None or an empty mapping is left to
        the chart. `provider` and, for kind and k3d, `cluster` with `name` and `port`, decide what the mappings do not.
    :param extra: values of the chart itself, merged over the computed ones; mappings key by key, all else replaced.
    :raises InvalidInput: a space that the chart cannot create, or an extra value that would break the hub.

    An external WDS is not among them: the chart has no place for its bootstrap Secret (see `adopted`).
    """
    values: dict[str, Any] = {}
    provider = settings.get("provider")
    decided = _of_provider(provider, settings)
    for setting, places in _PLAIN.items():
        for key, value in _over(decided.get(setting), settings.get(setting)).items():
            if value is not None and key in places:
                _put(values, places[key], value)
    for key, value in (settings.get("limits") or {}).items():
        for place in _LIMITS.get(key, ()) if value is not None else ():
            _put(values, place, value)
    applications = (settings.get("argocd") or {}).get("applications")
    if applications:
        _put(values, "argocd.applications", [_renamed(entry, _APPLICATION) for entry in applications])
    if settings.get("hooks") is not None:
        values["InstallPCHs"] = settings["hooks"]
    its_type = openshift.ITS_TYPE if provider == "openshift" else ITS_TYPES[0]
    values["ITSes"] = [_its(space, its_type) for space in settings.get("itses") or []]
    values["WDSes"] = [_wds(space) for space in settings.get("wdses") or [] if space.get("type") != EXTERNAL]
    if extra:
        values = _merged(values, extra)
    _check(values)
    return values


def of_steps(
    values: Mapping[str, Any], steps: Collection[str], has: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The values for a release that has these steps of `values`, and of all others what it has now.

    So no step deletes or changes what belongs to another one, and a release that has gone through all of them in any order
    has exactly `values`.

    :param values: the values of the whole hub, as from `chart_values`.
    :param steps: some of `RELEASE_STEPS`.
    :param has: the values that the release was given last; None if there is none.
    """
    before = _NOTHING if has is None else has
    return {
        **{key: value for key, value in before.items() if _step_of(key) not in steps},
        **{key: value for key, value in values.items() if _step_of(key) in steps},
    }


def steps_of(has: Mapping[str, Any] | None) -> list[str]:
    """The steps that a release with these values has, of `RELEASE_STEPS`. :param has: None if there is no release."""
    if has is None:
        return []
    parts = {
        "kubeflex": (has.get("kubeflex-operator") or {}).get("install", True),
        "hooks": has.get("InstallPCHs", True),
        "its": has.get("ITSes"),
        "wds": has.get("WDSes"),
    }
    return [step for step in RELEASE_STEPS if parts[step]]


def spaces_of(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The ControlPlanes that the chart makes of these values: `name`, and `type` if it is given."""
    return [
        {"name": str(space["name"]), "type": space.get("type")}
        for key in ("ITSes", "WDSes")
        for space in values.get(key) or []
        if isinstance(space, Mapping) and space.get("name")
    ]


def _step_of(key: str) -> str:
    return _STEP_OF.get(key, "hooks")


def adopted(
    itses: Sequence[Mapping[str, Any]], wdses: Sequence[Mapping[str, Any]]
) -> dict[str, list[dict[str, Any]]]:
    """The spaces of type `external`, as entries of `spaces` of the module `control_plane`.

    A WDS gets the hooks of the chart with the variables that the chart gives them (kubestellar:
    core-chart/templates/controlplanes/wds.yaml), and always the name of its ITS: `hub_ready` corrects the hook that
    cannot have one (kubestellar#3192). Of an ITS, which the chart makes, only what its bootstrap Secret needs.

    :raises InvalidInput: a WDS whose ITS is not clear, or an option that belongs to adopted clusters only.
    """
    for variable, spaces in (("hub_itses", itses), ("hub_wdses", wdses)):
        for space in spaces:
            for key in ("kubeconfig", "context", "bootstrap_secret", "token_expiration_seconds"):
                if space.get(key) and space.get("type") != EXTERNAL:
                    raise InvalidInput(
                        f"{variable}: {plain(space.get('name'), 80)} has {key}, which is for spaces of type external only.",
                        hint=f"Set type to external, or remove {key}.",
                    )
    return {
        "itses": [
            {"name": space["name"], "role": "its", **_bootstrap(space)}
            for space in itses
            if space.get("type") == EXTERNAL
        ],
        "wdses": [_adopted_wds(space, itses) for space in wdses if space.get("type") == EXTERNAL],
    }


def _adopted_wds(space: Mapping[str, Any], itses: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    its = space.get("its") or (itses[0]["name"] if len(itses) == 1 else "")
    if not its:
        raise InvalidInput(
            f"hub_wdses: {plain(space.get('name'), 80)} names no ITS and there are {len(itses)}.",
            hint="Set its.",
        )
    secret = {"WDSSecretName": "admin-kubeconfig", "WDSSecretKey": "kubeconfig-incluster"}
    return {
        "name": space["name"],
        "role": "wds",
        "hooks": [
            {
                "name": controllers.MANAGER_HOOK,
                "vars": {"APIGroups": api_groups_text(space.get("api_groups")), "ITSName": its},
            },
            {"name": controllers.TRANSPORT_HOOK, "vars": {**secret, "ITSName": its}},
        ],
        **_bootstrap(space),
    }


def _bootstrap(space: Mapping[str, Any]) -> dict[str, Any]:
    """How a cluster is adopted, with the option names of the module `control_plane`."""
    names = {
        "kubeconfig": "bootstrap_kubeconfig",
        "context": "bootstrap_context",
        "bootstrap_secret": "bootstrap_secret",
        "token_expiration_seconds": "token_expiration_seconds",
    }
    return {"type": EXTERNAL, **{ours: space[key] for key, ours in names.items() if space.get(key)}}


def api_groups_text(groups: Sequence[str] | None) -> str:
    """The API groups as the chart and the flag `--api-groups` want them.

    An empty text means all groups. The core group is the empty name; alone it has to be said twice (kubestellar:
    pkg/util/resources.go), since one empty element is an empty text.
    """
    if not groups:
        return ""
    return ",".join(groups) or ","


def _of_provider(provider: str | None, settings: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What a provider decides of the settings.

    :raises InvalidInput: a space that cannot work there.
    """
    if provider in tools.TOOLS:
        cluster = settings.get("cluster") or {}
        kubeflex = {
            "domain": "localtest.me",  # a public name for 127.0.0.1, with all below it
            "external_port": cluster.get("port") or tools.INGRESS_PORT,
            "host_container": tools.host_container(provider, str(cluster.get("name"))),
        }
        return {"kubeflex": kubeflex}
    if provider != "openshift":
        return {}
    for message, hint in openshift.problems(settings.get("wdses") or []):
        raise InvalidInput(message, hint=hint)
    decided: dict[str, dict[str, Any]] = {"kubeflex": {"openshift": True}}
    if (settings.get("argocd") or {}).get("install"):
        decided["argocd"] = {"openshift": True}
    return decided


def _over(under: Mapping[str, Any] | None, over: Mapping[str, Any] | None) -> dict[str, Any]:
    """What is set, over what is decided otherwise."""
    return {**(under or {}), **{key: value for key, value in (over or {}).items() if value is not None}}


def _its(space: Mapping[str, Any], its_type: str) -> dict[str, Any]:
    kind = space.get("type") or its_type
    if kind not in ITS_TYPES:
        raise InvalidInput(
            f"hub_itses: the core chart cannot create {plain(space.get('name'), 80)} of type {plain(kind, 40)}.",
            hint=f"Use one of: {', '.join(ITS_TYPES)}.",
        )
    value: dict[str, Any] = {"name": space["name"], "type": kind}
    if space.get("install_ocm") is not None:
        value["install_clusteradm"] = space["install_ocm"]
    secret = {key: text for key, text in (space.get("bootstrap_secret") or {}).items() if text}
    if secret and kind == "external":
        value["bootstrapSecret"] = secret
    return value


def _wds(space: Mapping[str, Any]) -> dict[str, Any]:
    """Never with `ITSName`, which breaks the transport controller (kubestellar#3192): see `controllers.py`."""
    kind = space.get("type") or WDS_TYPES[0]
    if kind not in WDS_TYPES:
        raise InvalidInput(
            f"hub_wdses: the core chart cannot create {plain(space.get('name'), 80)} of type {plain(kind, 40)}.",
            hint=f"Use one of: {', '.join(WDS_TYPES)}.",
        )
    value = {"name": space["name"], "type": kind}
    if space.get("api_groups"):
        value["APIGroups"] = api_groups_text(space["api_groups"])
    return value


def _check(values: Mapping[str, Any]) -> None:
    """:raises InvalidInput: a value that free values must not set."""
    for space in values.get("WDSes") or []:
        if isinstance(space, Mapping) and space.get("ITSName"):
            raise InvalidInput(
                f"hub_chart_values: ITSName of the WDS {plain(space.get('name'), 80)} must not be set: the core chart then "
                "makes a transport controller that cannot start (kubestellar#3192).",
                hint="Set its in hub_wdses; each WDS is bound to its ITS after it is created.",
            )
    wrapped = (values.get("transport_controller") or {}).get("max_num_wrapped")
    if wrapped not in (None, 1):
        raise InvalidInput(
            f"max_num_wrapped is {plain(wrapped, 20)}: with more than one object in a ManifestWork, Jobs are lost or run again "
            "(kubestellar#2511).",
            hint="Leave it at 1.",
        )


def _put(values: dict[str, Any], place: str, value: Any) -> None:
    *folders, last = place.split(".")
    for folder in folders:
        values = values.setdefault(folder, {})
    values[last] = value


def _renamed(entry: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names[key]: value for key, value in entry.items() if key in names and value is not None}


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(under)
    for key, value in over.items():
        below = result.get(key)
        result[key] = (
            _merged(below, value) if isinstance(value, Mapping) and isinstance(below, Mapping) else value
        )
    return result
