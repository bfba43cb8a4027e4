# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""States of hubs as `status.model.View`, made from objects as API servers give them, for tests and benchmarks of reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _delivery
from ansible_collections.kubestellar.core.plugins.module_utils.status import model
from ansible_collections.kubestellar.core.plugins.module_utils.status.model import Part, Question, View

TAKEN = 1_795_678_200.0
"""2026-11-26 07:30:00 UTC."""

KINDS = {
    ("", "namespaces"): "Namespace",
    ("", "configmaps"): "ConfigMap",
    ("", "services"): "Service",
    ("apps", "deployments"): "Deployment",
    ("batch", "jobs"): "Job",
}
_PLURALS = {kind: (group, plural) for (group, plural), kind in KINDS.items()}

HOSTILE = (
    "<script>document.title='run'</script>",
    "</script><img src=x onerror=\"document.title='run'\">",
    '"><svg onload="document.title=\'run\'">',
    "<!--",
    "{{ lookup('pipe', 'id') }}{% for x in y %}",
    "\x1b[2J\x1b]0;run\x07",
    "one\ntwo\r\n\u2028three",
    "\u202eevil\u202c",
    "javascript:alert(1)//&amp;&lt;",
)
"""Text that must be shown and do nothing."""

State = Callable[[int, int], tuple[str, str]]


def managed_cluster(
    name: str, *, available: bool = True, labels: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """A ManagedCluster."""
    condition = {
        "type": "ManagedClusterConditionAvailable",
        "status": "True" if available else "Unknown",
        "reason": "ManagedClusterAvailable" if available else "ManagedClusterLeaseUpdateStopped",
    }
    return {
        "metadata": {"name": name, "labels": dict(labels or {})},
        "spec": {"hubAcceptsClient": True},
        "status": {"conditions": [{"type": "ManagedClusterJoined", "status": "True"}, condition]},
    }


def control_plane(name: str, role: str, kind: str = "external", *, ready: bool = True) -> dict[str, Any]:
    """A ControlPlane."""
    return {
        "metadata": {"name": name, "labels": {"kflex.kubestellar.io/cptype": role}},
        "spec": {"type": kind},
        "status": {"conditions": [{"type": "Ready", "status": "True" if ready else "False"}]},
    }


def policy(name: str, errors: Sequence[str] = (), *, observed: int = 1) -> dict[str, Any]:
    """A BindingPolicy of the workload of its name."""
    return {
        "metadata": {"name": name, "generation": 1, "labels": {"kubestellar.core/workload": name}},
        "status": {"observedGeneration": observed, "errors": list(errors)},
    }


def binding(
    name: str, objects: Sequence[tuple[str, str, str]], where: Sequence[str], collectors: Sequence[str] = ()
) -> dict[str, Any]:
    """A Binding. :param objects: kind, namespace and name of each."""
    entries: dict[str, list[dict[str, Any]]] = {"clusterScope": [], "namespaceScope": []}
    for kind, namespace, other in objects:
        group, plural = _PLURALS[kind]
        entry = {"group": group, "version": "v1", "resource": plural, "name": other, "namespace": namespace}
        entries["namespaceScope" if namespace else "clusterScope"].append(
            {**entry, "statusCollectors": list(collectors)}
        )
    return {
        "metadata": {"name": name, "uid": f"uid-{name}", "generation": 1},
        "spec": {"workload": entries, "destinations": [{"clusterId": cluster} for cluster in where]},
        "status": {"observedGeneration": 1},
    }


def work(policy_name: str, cluster: str, items: Sequence[_delivery.Item]) -> _delivery.Work:
    """A ManifestWork, applied a minute ago."""
    return _delivery.Work(
        cluster=cluster,
        name=f"uid-{policy_name}-wds1-{policy_name}",
        uid=f"work-{policy_name}-{cluster}",
        binding=policy_name,
        wds="wds1",
        generation=1,
        current=True,
        message="",
        applied_at=TAKEN - 60,
        deleting=False,
        items=tuple(items),
    )


def item(kind: str, namespace: str, name: str, *, applied: bool = True, message: str = "") -> _delivery.Item:
    """One object in a ManifestWork."""
    group, plural = _PLURALS[kind]
    return _delivery.Item(group, kind, namespace, name, plural, {}, applied, message)


def returned(
    cluster: str, kind: str, namespace: str, name: str, status: Mapping[str, Any]
) -> _delivery.Returned:
    """A WorkStatus."""
    group, plural = _PLURALS[kind]
    key = _delivery.ObjectKey(group, plural, namespace, name)
    return _delivery.Returned(cluster, key, "wds1", "", status, None, TAKEN - 30)


WELL = {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}
SLOW = {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 1}


def broken(message: str) -> dict[str, Any]:
    """The status of a Deployment that has failed."""
    condition = {
        "type": "Progressing",
        "status": "False",
        "reason": "ProgressDeadlineExceeded",
        "message": message,
    }
    return {"observedGeneration": 1, "conditions": [condition]}


def combined_status(
    policy_name: str,
    kind: str,
    namespace: str,
    name: str,
    collector: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
) -> dict[str, Any]:
    """A CombinedStatus with the result of one collector."""
    group, plural = _PLURALS[kind]
    texts = {
        "api-group": group,
        "resource": plural,
        "namespace": namespace,
        "name": name,
        "binding-policy": policy_name,
    }

    def union(value: Any) -> dict[str, Any]:
        if isinstance(value, bool):
            return {"type": "Bool", "bool": value}
        if isinstance(value, (int, float)):
            return {"type": "Number", "float": str(value)}
        return {"type": "Null"} if value is None else {"type": "String", "string": value}

    return {
        "metadata": {
            "name": f"{name}.{policy_name}",
            "namespace": namespace or "kubestellar-report",
            "labels": {f"status.kubestellar.io/{key}": text for key, text in texts.items()},
        },
        "results": [
            {
                "name": collector,
                "columnNames": list(columns),
                "rows": [{"columns": [union(value) for value in row]} for row in rows],
            }
        ],
    }


COLLECTOR = {
    "metadata": {"name": "replicas"},
    "spec": {
        "select": [
            {"name": "cluster", "def": "inventory.name"},
            {"name": "available", "def": "returned.status.availableReplicas"},
        ],
        "limit": 20,
    },
}


def small() -> View:
    """A shop in four clusters, of which one is lost, one is slow and one has a bad image."""
    objects = [
        ("Namespace", "", "shop"),
        ("ConfigMap", "shop", "catalogue"),
        ("Service", "shop", "till"),
        ("Deployment", "shop", "store"),
        ("Deployment", "shop", "till"),
    ]
    places = {"lisbon-1": "lisbon", "lisbon-2": "lisbon", "turin-1": "turin", "vienna-1": "vienna"}
    probes = [("Namespace", "", "probe"), ("Deployment", "probe", "exporter")]
    works, statuses = [], []
    for cluster in places:
        for name, placed in (("shop", objects), ("probe", probes)):
            works.append(work(name, cluster, [item(*one) for one in placed]))
            for kind, namespace, other in placed:
                status: dict[str, Any] = {"phase": "Active"} if kind == "Namespace" else {}
                if kind == "Deployment":
                    status = WELL
                    if (cluster, other) == ("turin-1", "till"):
                        status = broken('Back-off pulling image "shop/till:2.1"')
                    elif (cluster, other) == ("lisbon-2", "store"):
                        status = SLOW
                if kind != "ConfigMap":
                    statuses.append(returned(cluster, kind, namespace, other, status))
    clusters = [
        managed_cluster(name, available=name != "vienna-1", labels={"city": city, "location-group": "edge"})
        for name, city in places.items()
    ]
    facts = _delivery.Facts(
        "wds1",
        [binding("shop", objects, list(places), ["replicas"]), binding("probe", probes, list(places))],
        works,
        statuses,
        [_delivery.parse_cluster(cluster) for cluster in clusters],
        KINDS,
        [policy("shop"), policy("probe")],
    )
    table = [["lisbon-1", 2], ["lisbon-2", 1], ["turin-1", 0], ["vienna-1", None]]
    combined = [
        combined_status("shop", "Deployment", "shop", name, "replicas", ["cluster", "available"], table)
        for name in ("store", "till")
    ]
    return viewed(facts, [COLLECTOR], combined)


def hostile() -> View:
    """A hub whose names, labels and messages are all hostile, as no API server would let them be."""
    clusters = [
        _delivery.Wec(text, True, True, "True" if number % 2 else "Unknown", text, "", {"label": text})
        for number, text in enumerate(HOSTILE)
    ]
    rows = []
    for number, text in enumerate(HOSTILE):
        key = _delivery.ObjectKey("apps", "deployments", "shop", text)
        cells = {
            wec.name: _delivery.Cell(
                wec.name, True, True, True, "failed" if number % 2 else "progressing", text
            )
            for wec in clusters
        }
        rows.append(_delivery.Row(key, "Deployment", "wds1", [text], cells))
    view = View(HOSTILE[0], "its1", ["wds1"], TAKEN, clusters=clusters, rows=rows)
    view.spaces = [{"name": text, "role": "wds", "type": text, "ready": True} for text in HOSTILE[:4]]
    names = [wec.name for wec in clusters]
    for text in HOSTILE:
        counts = model.tally(cell for row in rows if text in row.policies for cell in row.cells.values())
        view.policies.append(
            {
                "wds": "wds1",
                "name": text,
                "workload": "",
                "current": False,
                "errors": [text],
                "clusters": names,
                "objects": 1,
                "placements": sum(counts.values()),
                **counts,
            }
        )
        view.combined.append(
            {
                "wds": "wds1",
                "policy": text,
                "group": "",
                "kind": "Pod",
                "namespace": text,
                "name": text,
                "collector": text,
                "columns": [text],
                "rows": [[text]],
                "errors": [text],
            }
        )
        collector = {
            "wds": "wds1",
            "name": text,
            "filter": text,
            "columns": [text],
            "limit": 1,
            "policies": [text],
        }
        view.collectors.append({**collector, "errors": [text]})
    return view


def large(number_of_clusters: int = 500, number_of_objects: int = 200) -> View:
    """A big fleet: ten policies on all clusters, some clusters lost, some objects failed in some of them."""
    names = [f"store-{number:04}" for number in range(number_of_clusters)]
    per_policy = number_of_objects // 10
    works, statuses, bindings, policies = [], [], [], []
    for group in range(10):
        placed = [("Namespace", "", f"team-{group}")]
        placed += [("Deployment", f"team-{group}", f"app-{group}-{n:02}") for n in range(per_policy - 1)]
        items = [item(*one) for one in placed]
        bindings.append(binding(f"team-{group}", placed, names))
        policies.append(policy(f"team-{group}"))
        for place, cluster in enumerate(names):
            works.append(work(f"team-{group}", cluster, items))
            for number, (kind, namespace, name) in enumerate(placed):
                status: dict[str, Any] = {"phase": "Active"} if kind == "Namespace" else WELL
                if kind == "Deployment" and place % 41 == number:
                    status = SLOW
                elif kind == "Deployment" and (place * 7 + number * 3) % 97 == 0:
                    status = broken(f"Back-off pulling image {number % 5}")
                statuses.append(returned(cluster, kind, namespace, name, status))
    clusters = [
        managed_cluster(name, available=number % 23 != 5, labels={"city": f"city-{number % 40}"})
        for number, name in enumerate(names)
    ]
    facts = _delivery.Facts(
        "wds1", bindings, works, statuses, [_delivery.parse_cluster(c) for c in clusters], KINDS, policies
    )
    return viewed(facts)


def viewed(
    facts: _delivery.Facts,
    collectors: Sequence[Mapping[str, Any]] = (),
    combined: Sequence[Mapping[str, Any]] = (),
) -> View:
    """The view of facts, with one ITS and one WDS."""
    return model.compose(
        [Part(facts, collectors, combined)],
        Question(),
        hub="hub",
        its="its1",
        taken=TAKEN,
        control_planes=[control_plane("its1", "its"), control_plane("wds1", "wds")],
    )
