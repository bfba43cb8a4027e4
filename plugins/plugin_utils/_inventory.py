# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of a KubeStellar inventory (private to kubestellar.core). Pure functions over its variables.

Argument specs check the variables a role knows, for one host, when the role starts. These rules run before
anything starts, over all hosts, and also find misspelt variables and hosts that do not fit together.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.kubestellar.core.plugins.filter.wec_connections import connection
from ansible_collections.kubestellar.core.plugins.filter.workload_downsync import workload_downsync
from ansible_collections.kubestellar.core.plugins.module_utils import _metadata, _texts
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, plain
from ansible_collections.kubestellar.core.plugins.module_utils.fleet.facts import FACTS
from ansible_collections.kubestellar.core.plugins.module_utils.hub import openshift, registry, values
from ansible_collections.kubestellar.core.plugins.module_utils.klusterlet.wishes import check_url
from ansible_collections.kubestellar.core.plugins.module_utils.local import tools
from ansible_collections.kubestellar.core.plugins.module_utils.placement import intentions
from ansible_collections.kubestellar.core.plugins.plugin_utils._wecs import PROVIDER

HUBS = "kubestellar_hubs"
WECS = "kubestellar_wecs"
KNOBS = ("kubestellar_home", "kubestellar_stack", "kubestellar_hubs", "kubestellar_wecs")

_SHAPES = {
    "source": "Write src, definitions or another source under it, such as source: {src: [files/shop]}.",
    "placement": "Write cluster_selectors or waves under it.",
}
"""What to do about a value that is no mapping, where more can be said than where to read on."""
_MOST_NAMED = 5
_NAME_RULE = "at most 63 lower-case letters, digits and dashes, without dots"

Hosts = Mapping[str, Mapping[str, Any]]
"""Inventory host name to its variables."""

Specs = Mapping[str, Mapping[str, Any]]
"""Role name to the options of its main entry point, as in `meta/argument_specs.yml`."""


def problems(groups: Mapping[str, Sequence[str]], hosts: Hosts, specs: Specs) -> list[str]:
    """One sentence per mistake, each naming host, variable and remedy; empty for a sound inventory.

    :param groups: inventory group to its hosts.
    :param hosts: variables of the hosts in the two groups.
    :param specs: the roles' options; a variable that begins with a role's name must be among them.
    """
    hubs, wecs = list(groups.get(HUBS) or []), list(groups.get(WECS) or [])
    if not hubs and not wecs:
        return [
            f"The groups {HUBS} and {WECS} have no hosts. Put the hub into {HUBS} and the clusters into {WECS}."
        ]
    found: list[str] = []
    hosts_of: dict[str, list[str]] = {}
    for host in dict.fromkeys(hubs + wecs):
        for sentence in _variables(host, hosts[host], specs):
            hosts_of.setdefault(sentence.removeprefix(f"{host}: "), []).append(host)
    found += [f"{_several(named)}: {sentence}" for sentence, named in hosts_of.items()]
    if found:
        return found
    for hub in hubs:
        found += _hub(hub, hosts[hub])
        found += _placements(hub, hosts[hub].get("hub_workloads"))
    found += _same_way(hubs, hosts)
    found += [*_wecs(hubs, wecs, hosts), *_made(hubs, wecs, hosts)]
    return found or [*_one_cluster(hubs, wecs, hosts), *_twice(hubs, wecs, hosts)]


def warnings(groups: Mapping[str, Sequence[str]], hosts: Hosts) -> list[str]:
    """One sentence per layout that works and has its price, for an inventory without problems."""
    hubs, wecs = list(groups.get(HUBS) or []), list(groups.get(WECS) or [])
    found = []
    for hub in hubs:
        itses = [its["name"] for its in _spaces(hosts[hub], "hub_itses") if its.get("type") == "host"]
        for wds in _spaces(hosts[hub], "hub_wdses"):
            its = wds.get("its") or _only(hosts[hub])
            if wds.get("type") == "host" and its in itses:
                found.append(
                    f"{hub}: the ITS {its} and the WDS {wds['name']} are both the hosting cluster itself: KubeStellar and the "
                    "status add-on then fight over the label for singleton status (kubestellar#1913). Give one of them "
                    "another type, or do not ask for singleton status."
                )
    for wec, hub in _hosting_wecs(hubs, wecs, hosts):
        if wec != hub:
            continue  # it is refused when its cluster is looked at
        found.append(
            f"{wec}: this WEC is the hosting cluster of the hub {hub}: what a policy sends there lands beside the hub itself. "
            "Let no policy select cluster-scoped objects, or namespaces of KubeFlex, OCM and spaces."
        )
    return found


_MACHINE = ("connection", "host", "ssh_host", "user", "port")


def machine_warning(hosts: Mapping[str, Iterable[str]], connection: str) -> str:
    """A sentence on the hosts that Ansible would take for machines and log in to; empty if there are none.

    :param hosts: the names of all variables of each host.
    :param connection: of the play.
    """
    told = {f"ansible_{name}" for name in _MACHINE}
    lost = [host for host, names in hosts.items() if told.isdisjoint(names)] if connection != "local" else []
    if not lost:
        return ""
    more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
    return (
        f"{lost[0]}{more}: ansible_connection is not set, so Ansible logs in to a machine of that name by {connection}. If hosts are clusters, "
        'set for all of them ansible_connection: local and ansible_python_interpreter: "{{ ansible_playbook_python }}"; '
        f"if not, ansible_connection: {connection}."
    )


def _spaces(variables: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
    default = [{"name": "its1" if kind == "hub_itses" else "wds1"}]
    return list(variables.get(kind) or default)


def _only(hub: Mapping[str, Any]) -> str:
    """The name of a hub's only ITS; empty if there are several."""
    names = [its["name"] for its in _spaces(hub, "hub_itses")]
    return str(names[0]) if len(names) == 1 else ""


def _connection(variables: Mapping[str, Any], prefix: str = "") -> tuple[str, str] | None:
    """Kubeconfig and context; None if they are not both said."""
    kubeconfig, context = variables.get(f"{prefix}kubeconfig"), variables.get(f"{prefix}context")
    return (str(kubeconfig), str(context)) if kubeconfig and context else None


def _hub_of(wec: Mapping[str, Any], hubs: Sequence[str]) -> str:
    return str(wec.get("wec_hub") or (hubs[0] if len(hubs) == 1 else ""))


def _same_way(hubs: Sequence[str], hosts: Hosts) -> Iterator[str]:
    """Hubs that would all be one cluster, by the same words or by none: then the environment says which."""
    ways: dict[tuple[str, str], list[str]] = {}
    for hub in hubs:
        variables = hosts[hub]
        if variables.get("hub_provider", "embedded") in ("existing", "openshift"):
            way = ("hub_host", "") if variables.get("hub_host") else ("hub_kubeconfig", "hub_context")
            ways.setdefault((str(variables.get(way[0]) or ""), str(variables.get(way[1]) or "")), []).append(
                hub
            )
    for (place, _context), same in ways.items():
        if len(same) > 1:
            how = "in the same way" if place else "by what the environment says"
            yield (
                f"{same[1]}: the hubs {', '.join(same)} are reached {how}, so they would be one cluster. Give each of them "
                "hub_kubeconfig and hub_context, or hub_host."
            )


def _hosting_wecs(hubs: Sequence[str], wecs: Sequence[str], hosts: Hosts) -> Iterator[tuple[str, str]]:
    """The WECs that are the hosting cluster of their own hub: the same host, or reached in the same way."""
    for wec in wecs:
        hub = _hub_of(hosts[wec], hubs)
        if hub not in hubs:
            continue
        same = _connection(hosts[hub], "hub_")
        if wec == hub or (same is not None and same == _connection(hosts[wec], "wec_")):
            yield wec, hub


def _one_cluster(hubs: Sequence[str], wecs: Sequence[str], hosts: Hosts) -> Iterator[str]:
    """WECs on the very API server of a WDS that delivers to them.

    The work agent would own the sources, and delete them with the policy (kubestellar#1839).
    """
    hosting = dict(_hosting_wecs(hubs, wecs, hosts))
    for wec in wecs:
        hub = _hub_of(hosts[wec], hubs)
        its = hosts[wec].get("wec_its") or _only(hosts[hub])
        here = _connection(hosts[wec], "wec_")
        if wec in hosting:
            here = here or _connection(hosts[hub], "hub_")
        for wds in _spaces(hosts[hub], "hub_wdses"):
            kind = wds.get("type")
            same = (kind == "host" and wec in hosting) or (
                kind == "external" and here is not None and _connection(wds) == here
            )
            if same and (wds.get("its") or _only(hosts[hub])) == its:
                yield (
                    f"{wec}: this WEC is the cluster of the WDS {wds['name']} of type {kind}: an object and its copy would be one "
                    "object on one API server, and its policy would delete it when it goes. Use a WDS of type k8s, or take "
                    f"{wec} out of {WECS}."
                )


def _twice(hubs: Sequence[str], wecs: Sequence[str], hosts: Hosts) -> Iterator[str]:
    """One cluster under two names, of hubs, ITSes or providers that no single task looks at together.

    Where one does, the module `klusterlet` lets only these two fail.
    """
    seen: dict[tuple[str, str], tuple[str, tuple[str, ...]]] = {}
    for wec in wecs:
        variables, hub = hosts[wec], _hub_of(hosts[wec], hubs)
        provider = str(variables.get("wec_provider") or "embedded")
        here = _reached_by(wec, variables, provider, {**hosts[hub], "inventory_hostname": hub})
        kind = (hub, str(variables.get("wec_its") or ""), provider)
        if here is None:
            continue
        other, its_kind = seen.setdefault(here, (wec, kind))
        if other != wec and its_kind != kind:
            yield f"{wec}: its connection leads to the same cluster as that of {other}. Correct one of them, or keep one of the hosts."


def _reached_by(
    wec: str, variables: Mapping[str, Any], provider: str, hub: Mapping[str, Any]
) -> tuple[str, str] | None:
    """What names the cluster of a WEC: URL, or kubeconfig and context; None if they are not all said."""
    if variables.get("wec_host"):
        return str(variables["wec_host"]).rstrip("/").lower(), ""
    if provider == PROVIDER or provider in tools.TOOLS:
        return None
    if provider == "embedded" and (hub.get("hub_provider") or "embedded") != "embedded":
        return None
    name = str(variables.get("wec_name") or wec)
    found = connection({wec: variables, "": hub}, "", provider, {"host": wec, "name": name})
    path, context = found.get("kubeconfig"), found.get("context")
    return (os.path.realpath(os.path.expanduser(path)), context) if path and context else None


def _variables(host: str, variables: Mapping[str, Any], specs: Specs) -> Iterator[str]:
    """Unknown names and wrong types among the variables of one host."""
    known = {option for options in specs.values() for option in options}
    for name in sorted(variables):
        if name in known or name in KNOBS or name in FACTS:
            continue
        if name.partition("_")[0] in specs or name.startswith("kubestellar_"):
            near = difflib.get_close_matches(name, [*known, *KNOBS], n=1)
            remedy = (
                f"Did you mean {near[0]}?"
                if near
                else "Remove it, or see the README of the role for its variables."
            )
            yield f"{host}: the variable {name} is not known. {remedy}"
    for role, options in specs.items():
        given = {name: value for name, value in variables.items() if name in options}
        if not given:
            continue
        checked = {name: _optional(options[name]) for name in given}
        readme = f"See the README of the role {role} for what the variable takes."
        shapes = list(_texts.shape_problems(checked, given))
        yield from (f"{host}: {problem} {_SHAPES.get(name, readme)}" for name, problem in shapes)
        if shapes:
            continue
        workloads = {name: option for name, option in checked.items() if name == "hub_workloads"}
        yield from (f"{host}: {problem}" for problem in _texts.option_problems(workloads, given))
        for message in ArgumentSpecValidator(checked).validate(given).error_messages:
            yield f"{host}: {plain(message)}. {readme}"


def _several(hosts: Sequence[str]) -> str:
    """The hosts that the same is said of: a variable may be given for all."""
    shown = ", ".join(hosts[:_MOST_NAMED])
    return shown if len(hosts) <= _MOST_NAMED else f"{shown} and {len(hosts) - _MOST_NAMED} more hosts"


def _placements(host: str, workloads: Any) -> Iterator[str]:
    """What is wrong with the placement of workloads, down to the last key."""
    for entry in workloads if isinstance(workloads, list) else []:
        if not isinstance(entry, Mapping) or not isinstance(entry.get("placement") or {}, Mapping):
            continue  # told by its type
        name, placement = str(entry.get("name")), dict(entry.get("placement") or {})
        try:
            modulations = placement.pop("modulations", None) or []
            placement["downsync"] = workload_downsync(name, modulations)
            more = {key: entry.get(key) for key in ("guards", "status_collectors", "transforms")}
            intentions.read(name, {**placement, **more})
        except InvalidInput as error:
            yield f"{host}: {f'{error.message} {error.hint}'.strip()}"
        except TypeError:
            yield f"{host}: workload {plain(name, 80)}: placement: modulations is no list of mappings."


def _optional(option: Mapping[str, Any]) -> dict[str, Any]:
    """A role option for the validator, which knows no descriptions."""
    result = {
        key: value for key, value in option.items() if key in ("type", "elements", "choices", "required")
    }
    if "options" in option:
        result["options"] = {name: _optional(sub) for name, sub in option["options"].items()}
    return result


def _name(host: str, variable: str, name: Any) -> Iterator[str]:
    if not isinstance(name, str) or not _metadata.is_dns_label(name):
        yield f"{host}: {variable} {plain(repr(name))} is not a legal cluster name. Use {_NAME_RULE}."


def _hub(host: str, variables: Mapping[str, Any]) -> Iterator[str]:
    """The names of a hub and its spaces, and what the spaces and workloads refer to."""
    yield from _name(host, "hub_name", variables.get("hub_name", host))
    itses = [its.get("name") for its in variables.get("hub_itses") or [{"name": "its1"}]]
    wdses = [wds.get("name") for wds in variables.get("hub_wdses") or [{"name": "wds1"}]]
    taken: dict[Any, str] = {variables.get("hub_name", host): "the hub"}
    for variable, names in (("hub_itses", itses), ("hub_wdses", wdses)):
        for name in names:
            yield from _name(host, f"{variable}: the name", name)
            if name in taken:
                yield f"{host}: {variable} names {name}, which is the name of {taken[name]} too. Give it another name."
            taken[name] = f"a space in {variable}"
    yield from _method(host, variables)
    yield from _hosting(host, variables)
    yield from _registry(host, variables)
    for wds in variables.get("hub_wdses") or []:
        its = wds.get("its")
        if its and its not in itses:
            yield f"{host}: hub_wdses: {wds['name']} uses the ITS {its}, which hub_itses lacks. Add it, or correct its."
        if not its and len(itses) > 1:
            yield f"{host}: hub_wdses: {wds['name']} names no ITS and there are {len(itses)}. Set its."
    seen: set[Any] = set()
    for workload in variables.get("hub_workloads") or []:
        name, wds = workload.get("name"), workload.get("wds")
        yield from _name(host, "hub_workloads: the name", name)
        if (wds, name) in seen:
            yield f"{host}: hub_workloads names {name} twice. Give one of them another name."
        seen.add((wds, name))
        if wds and wds not in wdses:
            yield f"{host}: hub_workloads: {name} goes to the WDS {wds}, which hub_wdses lacks. Add it, or correct wds."
        if not wds and len(wdses) > 1:
            yield f"{host}: hub_workloads: {name} names no WDS and there are {len(wdses)}. Set wds."


def _method(host: str, variables: Mapping[str, Any]) -> Iterator[str]:
    """Whether provider, method and the types of spaces fit together."""
    embedded = (variables.get("hub_provider") or "embedded") == "embedded"
    allowed = ("processes",) if embedded else ("chart", "steps")
    method = variables.get("hub_method") or allowed[0]
    if method not in allowed:
        provider = variables.get("hub_provider") or "embedded"
        yield f"{host}: hub_method {method} is none of the provider {provider}. Set it to {' or '.join(allowed)}."
        return
    kinds = (
        ("hub_itses", ("external",) if embedded else values.ITS_TYPES),
        ("hub_wdses", ("external",) if embedded else values.WDS_TYPES),
    )
    for variable, types in kinds:
        for space in variables.get(variable) or []:
            for key in ("kubeconfig", "context", "bootstrap_secret", "token_expiration_seconds"):
                if not space.get(key):
                    continue
                if embedded and key != "token_expiration_seconds":
                    yield (
                        f"{host}: {variable}: {space.get('name')} has {key}, but the provider embedded makes the cluster of each "
                        f"space by itself. Remove {key}."
                    )
                elif not embedded and space.get("type") != values.EXTERNAL:
                    yield (
                        f"{host}: {variable}: {space.get('name')} has {key}, which is for spaces of type external only. Set type "
                        f"to external, or remove {key}."
                    )
            if space.get("type") and space["type"] not in types:
                yield (
                    f"{host}: {variable}: {space.get('name')} is of type {space['type']}, which the method {method} cannot make. "
                    f"Use {' or '.join(types)}."
                )
    if variables.get("hub_provider") == "openshift":
        for message, hint in openshift.problems(variables.get("hub_wdses") or []):
            yield f"{host}: {message} {hint}"


def _hosting(host: str, variables: Mapping[str, Any], prefix: str = "hub_") -> Iterator[str]:
    """Whether a cluster is named one way, and in the way of its provider. :param prefix: `hub_` or `wec_`."""
    by_host = [name for key in ("host", "api_key", "ca_cert") if variables.get(name := f"{prefix}{key}")]
    by_file = [name for key in ("kubeconfig", "context") if variables.get(name := f"{prefix}{key}")]
    provider = variables.get(f"{prefix}provider") or "embedded"
    what = "the hosting cluster" if prefix == "hub_" else "the cluster"
    if provider in tools.TOOLS and (by_host or by_file):
        yield (
            f"{host}: {(by_host + by_file)[0]} has no meaning for the provider {provider}, which writes a kubeconfig of its own. "
            f"Remove it, or set {prefix}provider to existing."
        )
    elif by_host and by_file:
        yield f"{host}: {by_host[0]} and {by_file[0]} name {what} in two ways. Remove one of them."
    elif by_host and not variables.get(f"{prefix}host"):
        yield f"{host}: {by_host[0]} is set and {prefix}host is not. Set {prefix}host to the URL of the API server."
    if provider in tools.TOOLS:
        try:
            tools.check(tools.Wanted(provider, str(variables.get(f"{prefix}name", host))))
        except InvalidInput as error:
            yield f"{host}: {prefix}name: {error.message} {error.hint}"


def _registry(host: str, variables: Mapping[str, Any]) -> Iterator[str]:
    """Whether images can be taken from where they should."""
    try:
        registry.Registry.of(variables.get("hub_registry"), variables.get("hub_registries"))
    except InvalidInput as error:
        yield f"{host}: {error.message} {error.hint}"


def _wecs(hubs: Sequence[str], wecs: Sequence[str], hosts: Hosts) -> Iterator[str]:
    """Each WEC has one hub and a name of its own there."""
    taken: dict[tuple[str, Any], str] = {}
    for host in hubs:
        variables = hosts[host]
        if (variables.get("hub_provider") or "embedded") == "embedded":
            taken[(host, variables.get("hub_name", host))] = f"the hub {host}"
            for kind in ("hub_itses", "hub_wdses"):
                for space in variables.get(kind) or [{"name": "its1" if kind == "hub_itses" else "wds1"}]:
                    taken[(host, space.get("name"))] = f"a space in {kind} of {host}"
    for wec in wecs:
        variables = hosts[wec]
        hub = variables.get("wec_hub") or (hubs[0] if len(hubs) == 1 else None)
        name = variables.get("wec_name", wec)
        yield from _name(wec, "wec_name", name)
        if not hubs:
            yield f"{wec}: there is no hub to register with. Put a host into the group {HUBS}."
        elif hub is None:
            yield f"{wec}: wec_hub is not set and there are {len(hubs)} hubs. Set it to one of: {', '.join(hubs)}."
        elif hub not in hubs:
            yield f"{wec}: wec_hub is {hub}, which is not in {HUBS}. Set it to one of: {', '.join(hubs)}."
        else:
            its = variables.get("wec_its")
            itses = [space.get("name") for space in hosts[hub].get("hub_itses") or [{"name": "its1"}]]
            if its and its not in itses:
                yield f"{wec}: wec_its is {its}, which the hub {hub} lacks. Set it to one of: {', '.join(itses)}."
            if not its and len(itses) > 1:
                yield f"{wec}: wec_its is not set and the hub {hub} has {len(itses)}. Set it to one of: {', '.join(itses)}."
            yield from _reached(wec, variables, hub, hosts[hub])
            if (hub, name) in taken and not (wec == hub and name == variables.get("hub_name", hub)):
                yield f"{wec}: the cluster name {name} is that of {taken[(hub, name)]} too. Set wec_name to another one."
            taken[(hub, name)] = f"the WEC {wec}"


def _made(hubs: Sequence[str], wecs: Sequence[str], hosts: Hosts) -> Iterator[str]:
    """A tool makes one cluster of a name, whichever hub it is for."""
    made = {(hosts[hub].get("hub_provider"), hosts[hub].get("hub_name", hub)): hub for hub in hubs}
    for wec in wecs:
        provider, name = hosts[wec].get("wec_provider"), hosts[wec].get("wec_name", wec)
        if provider in tools.TOOLS and made.setdefault((provider, name), wec) != wec:
            yield (
                f"{wec}: {provider} makes one cluster of the name {name}, and that is the one of {made[(provider, name)]} too. Set "
                "wec_name to another one."
            )


def _reached(
    wec: str, variables: Mapping[str, Any], hub: str, hub_variables: Mapping[str, Any]
) -> Iterator[str]:
    """Whether a WEC has a connection, and its hub one for it."""
    provider = variables.get("wec_provider") or "embedded"
    hub_provider = hub_variables.get("hub_provider") or "embedded"
    yield from _hosting(wec, variables, "wec_")
    if provider in ("embedded", "registered"):
        return
    named = variables.get("wec_kubeconfig") or variables.get("wec_host")
    if provider not in tools.TOOLS and not named and wec != hub:
        yield (
            f"{wec}: wec_provider is {provider} and it is not said how the cluster is reached. Set wec_kubeconfig and wec_context, or "
            "wec_host and wec_api_key."
        )
    elif (
        variables.get("wec_context") and not variables.get("wec_kubeconfig") and not variables.get("wec_host")
    ):
        yield f"{wec}: wec_context is set and wec_kubeconfig is not. Set wec_kubeconfig."
    if provider == tools.KIND and hub_provider == tools.K3D and not variables.get("wec_hub_endpoint"):
        yield (
            f"{wec}: a cluster of kind is in another container network than the hub {hub} of k3d. Set wec_provider to k3d, or "
            "wec_hub_endpoint to an address of the ITS that it reaches."
        )
    if endpoint := variables.get("wec_hub_endpoint"):
        try:
            check_url(str(endpoint), f"{wec}: wec_hub_endpoint")
        except InvalidInput as error:
            yield f"{error.message} {error.hint}"
