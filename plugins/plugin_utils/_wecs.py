# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From WECs to hosts, groups and their variables (private to kubestellar.core). Pure functions for the inventory plugin."""

from __future__ import annotations

import difflib
import fnmatch
import functools
import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.kubestellar.core.plugins.module_utils import _space
from ansible_collections.kubestellar.core.plugins.module_utils._auth import AUTH_SPEC, GUARD_SPEC, Auth
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, plain
from ansible_collections.kubestellar.core.plugins.module_utils.fleet.facts import CLUSTER_SET

SPEC: dict[str, dict[str, Any]] = {
    "itses": {"type": "list", "elements": "dict", "options": _space.WAY_SPEC},
    "label_selectors": {"type": "list", "elements": "str", "default": []},
    "leases": {"type": "bool", "default": True},
    "hub": {"type": "str"},
    "host_name": {"type": "str", "default": "{name}"},
    "label_groups": {"type": "list", "elements": "str", "default": ["*"]},
    "connections": {"type": "dict", "default": {}},
}
"""The plugin's own options, documented in inventory/wecs.py."""

WECS = "kubestellar_wecs"
AVAILABLE = "kubestellar_available"
UNAVAILABLE = "kubestellar_unavailable"
UNREACHABLE = "kubestellar_unreachable"
ACCEPTED = "kubestellar_accepted"
NOT_ACCEPTED = "kubestellar_not_accepted"
STRANGERS = "kubestellar_strangers"
ALWAYS = (WECS, AVAILABLE, UNAVAILABLE, UNREACHABLE, ACCEPTED, NOT_ACCEPTED, STRANGERS)
"""Groups that exist even if nothing is in them, so that patterns with them are always good."""
ITS, SET, LABEL = "kubestellar_its_", "kubestellar_set_", "kubestellar_label_"

PROVIDER = "registered"
_PATHS = ("kubeconfig", "ca_cert", "client_cert", "client_key")
_TAKEN = ("all", "ungrouped")
"""Names of groups that Ansible makes: a host of such a name could not be told from the group."""
_MANY = 100
"""A label with more values than this, most of them of one WEC only, is rather an identifier than a group."""
_SHOWN = 5

Wec = Mapping[str, Any]
"""One WEC: the keys of `fleet.facts.FACTS`."""


# -- options ------------------------------------------------------------------------------------------------


def parameters(config: Mapping[str, Any], others: Iterable[str], folder: str) -> dict[str, Any]:
    """The options of a source file, checked and with their defaults.

    Relative paths of connections that are read here count from the folder of the file. Those in `connections` are for
    playbooks, which may run elsewhere, and stay as they are.

    :param config: the content of the file, with its templates resolved except in `connections`.
    :param others: names of options that are Ansible's.
    :raises InvalidInput: an option that is not known, of a wrong type, or empty where it would change the cluster meant.
    """
    spec = {**AUTH_SPEC, **GUARD_SPEC, **SPEC}
    known = {
        "plugin",
        *others,
        *spec,
        *(alias for option in spec.values() for alias in option.get("aliases", [])),
    }
    for key in config:
        if key not in known:
            near = difflib.get_close_matches(str(key), sorted(known), n=1)
            raise InvalidInput(
                f"The option {plain(key, 80)} is not known.",
                hint=f"Did you mean {near[0]}?"
                if near
                else "Remove it; ansible-doc -t inventory kubestellar.core.wecs.",
            )
    given = {key: value for key, value in config.items() if key in known - {"plugin", *others}}
    for key, value in given.items():
        if key not in SPEC and value in ("", None):
            raise InvalidInput(
                f"The option {key} is written and has no value.",
                hint="Give it one, or remove it: without any connection option, the environment decides.",
            )
    _check_itses(given.get("itses"))
    given["connections"] = connections(given.get("connections") or {})
    checked = ArgumentSpecValidator(spec).validate(given)
    if checked.error_messages:
        raise InvalidInput(f"{plain(checked.error_messages[0])}.")
    params: dict[str, Any] = checked.validated_parameters
    if "{name}" not in params["host_name"]:
        raise InvalidInput(
            f"host_name is {plain(params['host_name'], 80)!r}, which is the same for all clusters.",
            hint="It needs {name} in it.",
        )
    for key in _PATHS:
        params[key] = _absolute(params.get(key), folder)
    for entry in params["itses"] or []:
        entry["kubeconfig"] = _absolute(entry.get("kubeconfig"), folder)
    return params


def _check_itses(given: Any) -> None:
    """:raises InvalidInput: entries that say less than they seem to."""
    if given == []:
        raise InvalidInput(
            "itses is empty, so there is nothing to read.", hint="Name an ITS, or leave it out for all."
        )
    for entry in given if isinstance(given, list) else []:
        if not isinstance(entry, Mapping):
            raise InvalidInput("itses: each entry is a mapping.", hint="Write: - name: its1.")
        name = plain(entry.get("name"), 80)
        if entry.get("kubeconfig", "x") in ("", None):
            raise InvalidInput(
                f"itses: the kubeconfig of {name} is written and has no value.",
                hint="Give it one, or remove it: then the way to this ITS goes through the hosting cluster.",
            )
        if entry.get("context") and "kubeconfig" not in entry:
            raise InvalidInput(f"itses: {name} has a context and no kubeconfig.", hint="Set its kubeconfig.")


def _absolute(value: Any, folder: str) -> Any:
    """A path, several joined as in PATH, or a list of them, counted from a folder; what is no path as it is."""
    if isinstance(value, (list, tuple)):
        return [_absolute(part, folder) for part in value]
    if not isinstance(value, str):
        return value
    parts = (os.path.join(folder, os.path.expanduser(part)) for part in value.split(os.pathsep) if part)
    return os.pathsep.join(parts)


def connections(given: Any) -> dict[str, dict[str, str]]:
    """Pattern to `kubeconfig` and perhaps `context`, as they were written.

    :raises InvalidInput: something else.
    """
    found = {}
    for pattern, entry in given.items() if isinstance(given, Mapping) else [("", None)]:
        if (
            not isinstance(entry, Mapping)
            or not entry.get("kubeconfig")
            or set(entry) - {"kubeconfig", "context"}
        ):
            raise InvalidInput(
                f"connections: {plain(pattern, 80) or 'the option'} has not the right form.",
                hint="Write the name of a host or a pattern, below it kubeconfig, and context if it is not the name of the cluster.",
            )
        found[str(pattern)] = {key: value for key, value in entry.items() if value}
    return found


def fingerprint(auth: Auth | None, params: Mapping[str, Any]) -> str:
    """What distinguishes this way to these clusters from others, for the key of a cache. Secrets are not part of it."""
    way: dict[str, Any] = {}
    if auth is not None:
        names = ("source", "context", "host", "username", "client_cert", "proxy", "impersonate_user")
        way = {name: getattr(auth, name) for name in names}
        way["impersonate_groups"] = list(auth.impersonate_groups)
        way["kubeconfig"] = auth.kubeconfig
        if isinstance(auth.kubeconfig, Mapping):
            way["kubeconfig"] = [auth.kubeconfig.get("clusters"), auth.kubeconfig.get("contexts")]
        if auth.source == "in-cluster":
            way["host"] = os.environ.get("KUBERNETES_SERVICE_HOST")
    way |= {name: params[name] for name in ("itses", "label_selectors", "leases", "expected_server")}
    text = json.dumps(way, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


# -- hosts and groups -----------------------------------------------------------------------------------------


@dataclass
class Plan:
    """What belongs in the inventory.

    :ivar hosts: host to its WEC.
    :ivar groups: group to its hosts.
    :ivar children: group to the groups in it.
    :ivar variables: group to its variables.
    :ivar connections: host to its connection, `kubeconfig` and `context`.
    :ivar doubts: what is not wrong and perhaps not meant, one sentence each.
    :ivar collisions: groups that hold what is different, one sentence each.
    """

    hosts: dict[str, Wec]
    groups: dict[str, list[str]] = field(default_factory=dict)
    children: dict[str, list[str]] = field(default_factory=dict)
    variables: dict[str, dict[str, Any]] = field(default_factory=dict)
    connections: dict[str, dict[str, str]] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)
    collisions: list[str] = field(default_factory=list)


def plan(
    wecs: Sequence[Wec],
    params: Mapping[str, Any],
    safe: Callable[[str], str],
    listed: Container[str] = (),
    others: Container[str] = (),
) -> Plan:
    """Hosts, groups and variables for the WECs of all ITSes.

    :param params: as from `parameters`.
    :param safe: makes the name of a group of any text.
    :param listed: hosts that somebody has listed as WECs.
    :param others: hosts that are something else. A cluster of such a name is left out: whoever has bootstrap credentials chooses
        names, and must not change other machines or pass for them.
    :raises InvalidInput: two WECs would be one host.
    """
    doubts: list[str] = []
    made = Plan(host_names(wecs, params["host_name"], doubts), doubts=doubts)
    for host in [host for host in made.hosts if host in others]:
        wec = made.hosts.pop(host)
        doubts.append(
            f"The cluster {plain(wec['kubestellar_cluster'], 80)} of the ITS {wec['kubestellar_its']} is left out: {plain(host, 120)} is a "
            f"host of the inventory that is not in {WECS}. Put that host there if it is this cluster, or set host_name."
        )
    meanings: dict[str, dict[str, None]] = {}

    @functools.cache
    def group(prefix: str, text: str, meaning: str) -> list[str]:
        name = prefix + safe(text)
        meanings.setdefault(name, {})[meaning] = None
        return made.groups.setdefault(name, [])

    for name in ALWAYS:
        made.groups[name] = []
    made.children[UNAVAILABLE] = [UNREACHABLE]
    label_of = functools.cache(lambda key: _is_taken(key, params["label_groups"]))
    for host, wec in made.hosts.items():
        made.groups[WECS].append(host)
        for name in states(wec, is_listed=host in listed):
            made.groups[name].append(host)
        its, cluster_set = wec["kubestellar_its"], wec["kubestellar_cluster_set"]
        group(ITS, its, f"the ITS {its}").append(host)
        if cluster_set:
            group(SET, cluster_set, f"the cluster set {cluster_set}").append(host)
        for key, value in wec["kubestellar_labels"].items():
            if label_of(key):
                group(LABEL, f"{key}_{value}" if value else key, f"the label {key}={value}").append(host)
    for name in dict.fromkeys(wec["kubestellar_its"] for wec in wecs):
        made.variables[ITS + safe(name)] = common_variables(params["hub"])
    for name, different in meanings.items():
        if len(different) > 1:
            made.collisions.append(
                f"The group {name} holds {' and '.join(plain(text, 120) for text in different)}."
            )
            # One WEC may have both labels.
            made.groups[name] = list(dict.fromkeys(made.groups[name]))
    made.doubts += _identifiers(made.hosts.values(), label_of)
    made.connections = dict(_connected(made.hosts, params["connections"], made.doubts))
    return made


def host_names(wecs: Sequence[Wec], form: str, doubts: list[str]) -> dict[str, Wec]:
    """Host to WEC. One name in several ITSes, or that of a group of Ansible, gets its ITS after a dot.

    Names of ManagedClusters have no dots where OCM's webhook runs, so that this is nobody else's name.

    :raises InvalidInput: it is all the same.
    """
    hosts: dict[str, Wec] = {}
    plainly = [_filled(form, wec) for wec in wecs]
    number = Counter(plainly)
    for name, wec in zip(plainly, wecs, strict=True):
        its = wec["kubestellar_its"]
        host = f"{name}.{its}" if number[name] > 1 or name in _TAKEN else name
        if host in hosts:
            other = hosts[host]
            raise InvalidInput(
                f"The cluster {plain(wec['kubestellar_cluster'], 80)} of the ITS {its} and the cluster "
                f"{plain(other['kubestellar_cluster'], 80)} of the ITS {other['kubestellar_its']} would both be the host "
                f"{plain(host, 120)}.",
                hint="Set host_name, for example to {name}.{its}.",
            )
        hosts[host] = wec
    double = [name for name, times in number.items() if times > 1]
    if double:
        shown = ", ".join(plain(name, 80) for name in double[:_SHOWN])
        more = f" and {len(double) - _SHOWN} more" if len(double) > _SHOWN else ""
        example = next(host for host, wec in hosts.items() if _filled(form, wec) == double[0])
        doubts.append(
            f"{shown}{more}: in more than one ITS, so the host of each has the ITS in its name, as {example}."
        )
    return hosts


def _filled(form: str, wec: Wec) -> str:
    return form.replace("{its}", wec["kubestellar_its"]).replace("{name}", wec["kubestellar_cluster"])


def states(wec: Wec, *, is_listed: bool = False) -> Iterator[str]:
    """The groups that say how a WEC is. An unreachable one is unavailable by its group.

    Whoever has the bootstrap credentials of a hub can ask to be a WEC: who is not accepted and not listed is a stranger.
    """
    yield ACCEPTED if wec["kubestellar_accepted"] else NOT_ACCEPTED
    if not wec["kubestellar_accepted"] and not is_listed:
        yield STRANGERS
    if wec["kubestellar_available"]:
        yield AVAILABLE
    else:
        yield UNREACHABLE if wec["kubestellar_unreachable"] else UNAVAILABLE


def common_variables(hub: str | None) -> dict[str, Any]:
    """What all WECs have in common: they are no machines, and no playbook makes clusters of them."""
    common = {"ansible_connection": "local", "wec_provider": PROVIDER}
    return {**common, "wec_hub": hub} if hub else common


def own_variables(wec: Wec) -> dict[str, str]:
    """The variables of the role `wec` that say which cluster a host is."""
    return {"wec_name": wec["kubestellar_cluster"], "wec_its": wec["kubestellar_its"]}


def _is_taken(key: str, patterns: Sequence[str]) -> bool:
    """Whether a label makes groups: a pattern says so, and none that begins with `!` says no. Cluster sets have their own."""
    wanted = [pattern for pattern in patterns if not pattern.startswith("!")]
    unwanted = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    if key == CLUSTER_SET or any(fnmatch.fnmatchcase(key, pattern) for pattern in unwanted):
        return False
    return any(fnmatch.fnmatchcase(key, pattern) for pattern in wanted or ["*"] * bool(unwanted))


def _identifiers(wecs: Iterable[Wec], is_taken: Callable[[str], bool]) -> Iterator[str]:
    """One sentence for each label that makes about as many groups as there are WECs."""
    values: dict[str, Counter[str]] = {}
    for wec in wecs:
        for key, value in wec["kubestellar_labels"].items():
            values.setdefault(key, Counter())[value] += 1
    for key, found in values.items():
        if len(found) > _MANY and 2 * len(found) > found.total() and is_taken(key):
            yield (
                f"The label {key} has {len(found)} values on {found.total()} clusters, and each makes a group. If none is used, "
                f'add "!{key}" to label_groups.'
            )


def _connected(
    hosts: Mapping[str, Wec], given: Mapping[str, Mapping[str, str]], doubts: list[str]
) -> Iterator[tuple[str, dict[str, str]]]:
    """Host and connection, for each that is named: the name itself goes before patterns, these go by their order."""
    idle = set(given)
    for host, wec in hosts.items() if given else ():
        patterns = [host] if host in given else [name for name in given if fnmatch.fnmatchcase(host, name)]
        if patterns:
            idle.discard(patterns[0])
            yield host, {"context": wec["kubestellar_cluster"], **given[patterns[0]]}
    doubts += [f"connections: no host matches {plain(name, 80)}." for name in given if name in idle]
