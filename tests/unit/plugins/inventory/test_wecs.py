# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory plugin, from a source file to an inventory, with real requests to an API server that this file plays.

tests/integration/test_inventory.py does the same with real ones.
"""

from __future__ import annotations

import base64
import importlib
import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from ansible import constants
from ansible.errors import AnsibleError
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader, inventory_loader
from ansible.template import Templar, trust_as_template
from ansible.utils.collection_loader import AnsibleCollectionConfig
from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder
from ansible_collections.kubestellar.core.plugins.module_utils import _client
from ansible_collections.kubestellar.core.plugins.module_utils._auth import AUTH_SPEC, GUARD_SPEC
from ansible_collections.kubestellar.core.plugins.module_utils.fleet import read
from ansible_collections.kubestellar.core.plugins.plugin_utils import _wecs

ROOT = Path(__file__).parents[4]
HOSTING = "/apis/tenancy.kflex.kubestellar.org/v1alpha1/controlplanes"
MANAGED = "/apis/cluster.open-cluster-management.io/v1/managedclusters"
PROPERTIES = "/api/v1/namespaces/customization-properties/configmaps"
LEASES = "/apis/coordination.k8s.io/v1/leases"
KINDS = {"controlplanes": "ControlPlane", "secrets": "Secret"}
EVIL = "{{ lookup('ansible.builtin.pipe', 'id') }}"


class Api:
    """An API server that has what is in `lists`, by path, and remembers its requests."""

    def __init__(self) -> None:
        self.lists: dict[str, list[dict[str, Any]]] = {MANAGED: [], PROPERTIES: [], LEASES: [], HOSTING: []}
        self.objects: dict[str, dict[str, Any]] = {}
        self.refused: dict[str, int] = {}
        self.requests: list[str] = []
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                api.requests.append(parts.path)
                status, answer = api.answer(parts.path, {k: v[0] for k, v in parse_qs(parts.query).items()})
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def answer(self, path: str, query: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if path in self.refused:
            return self.refused[path], {"kind": "Status", "message": "not today", "reason": "Forbidden"}
        if path in self.lists:
            start, limit = int(query.get("continue") or 0), int(query["limit"])
            found = self.lists[path]
            rest = str(start + limit) if start + limit < len(found) else ""
            return 200, {
                "kind": "SomeList",
                "metadata": {"resourceVersion": "7", "continue": rest},
                "items": found[start : start + limit],
            }
        if path in self.objects:
            kind, name = path.split("/")[-2:]
            metadata = {"name": name, **self.objects[path].get("metadata", {})}
            return 200, {"kind": KINDS[kind], **self.objects[path], "metadata": metadata}
        return 404, {"kind": "Status", "message": "not found", "reason": "NotFound"}

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def kubeconfig(self) -> dict[str, Any]:
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": self.url}}],
            "users": [{"name": "u", "user": {"token": "of-an-its"}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }

    def add(self, name: str, **metadata: Any) -> dict[str, Any]:
        """A ManagedCluster that is fine."""
        status = [
            {"type": kind, "status": "True", "reason": "Fine", "message": "it is"}
            for kind in ("ManagedClusterJoined", "ManagedClusterConditionAvailable")
        ]
        obj = {
            "metadata": {
                "name": name,
                "uid": f"{id(self)}-{name}",
                "managedFields": [{"manager": "x"}],
                **metadata,
            },
            "spec": {"hubAcceptsClient": True},
            "status": {"conditions": status},
        }
        self.lists[MANAGED].append(obj)
        return obj


@pytest.fixture
def api() -> Iterator[Api]:
    made = Api()
    yield made
    made.stop()


@pytest.fixture(scope="module", autouse=True)
def collections() -> Iterator[None]:
    """Ansible finds plugins of the collection also where the tests have imported it before Ansible did."""
    before = sys.meta_path[:], sys.path_hooks[:]
    with pytest.MonkeyPatch.context() as patch:
        assert AnsibleCollectionConfig.collection_finder is None, "it is another test's"
        init_plugin_loader([str(ROOT / ".venv" / "collections")])
        try:
            collection = "ansible_collections.kubestellar.core"
            package = importlib.import_module(collection)
            if not hasattr(package, "_collection_meta"):
                patch.setattr(package, "_collection_meta", {}, raising=False)
            for kind in ("inventory", "doc_fragments"):
                package = importlib.import_module(f"{collection}.plugins.{kind}")
                if getattr(package, "__file__", None) is None:
                    patch.setattr(
                        package, "__file__", str(ROOT / "plugins" / kind / "__synthetic__"), raising=False
                    )
            yield
        finally:
            _AnsibleCollectionFinder._remove()
            sys.meta_path[:], sys.path_hooks[:] = before


@pytest.fixture
def inventory(tmp_path, monkeypatch, api):
    """Read sources as Ansible does: `inventory(label_groups=[...])`; by default the ITS of `api` directly."""
    monkeypatch.setattr(constants, "INVENTORY_ANY_UNPARSED_IS_FAILED", True)
    for name in ("K8S_AUTH_KUBECONFIG", "K8S_AUTH_HOST", "K8S_AUTH_API_KEY", "K8S_AUTH_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "its1").write_text(json.dumps(api.kubeconfig()))

    def make(*before: str, cache: bool = True, **config: Any) -> InventoryManager:
        if not {"itses", "kubeconfig", "host", "plain"} & set(config):
            config["itses"] = [{"name": "its1", "kubeconfig": "its1"}]
        config.pop("plain", None)
        source = tmp_path / "z.kubestellar.yml"
        source.write_text(yaml.safe_dump({"plugin": "kubestellar.core.wecs", **config}, sort_keys=False))
        return InventoryManager(DataLoader(), [*before, str(source)], cache=cache)

    return make


def groups(made: InventoryManager) -> dict[str, list[str]]:
    return {name: [host.name for host in group.get_hosts()] for name, group in made.groups.items()}


def failure(capsys, call, *arguments: Any, **config: Any) -> str:
    """What is shown when a source cannot be used; there is nothing in the inventory then."""
    with pytest.raises(AnsibleError, match="Completely failed to parse inventory source"):
        call(*arguments, **config)
    shown = capsys.readouterr()
    return " ".join((shown.out + shown.err).split())


# -- what there is -----------------------------------------------------------------------------------------------------


def test_each_cluster_is_a_host_with_its_groups_and_variables(inventory, api):
    api.add("c1", labels={"location-group": "edge"})
    api.lists[PROPERTIES].append({"metadata": {"name": "c1"}, "data": {"storeName": "Lisbon"}})
    made = inventory(hub="hub")
    host = made.hosts["c1"]
    assert groups(made)["kubestellar_label_location_group_edge"] == ["c1"] == groups(made)["kubestellar_wecs"]
    assert host.vars["kubestellar_properties"] == {"storeName": "Lisbon"}
    assert (host.vars["wec_name"], host.vars["wec_its"]) == ("c1", "its1")
    common = made.groups["kubestellar_its_its1"].vars
    assert common["ansible_connection"] == "local" and common["wec_provider"] == "registered"
    assert common["wec_hub"] == "hub"
    assert (
        Templar(variables={"ansible_playbook_python": "/py"}).template(common["ansible_python_interpreter"])
        == "/py"
    )


def test_a_hub_without_a_cluster_is_an_inventory_without_hosts(inventory):
    made = inventory()
    assert not made.hosts and set(_wecs.ALWAYS) <= set(made.groups)


def test_what_clusters_say_is_never_a_template(inventory, api):
    obj = api.add("c1", annotations={"a": EVIL})
    obj["status"]["clusterClaims"] = [{"name": "c", "value": EVIL}]
    obj["status"]["conditions"][0]["message"] = EVIL
    api.lists[PROPERTIES].append({"metadata": {"name": "c1"}, "data": {"p": EVIL}})
    made = inventory(
        compose={"mine": "kubestellar_claims.c", "ours": "'x' ~ kubestellar_properties.p"},
        keyed_groups=[{"key": "kubestellar_annotations.a", "prefix": "a"}],
        strict=True,
    )
    host = made.hosts["c1"].vars
    templar = Templar(variables=host)
    for expression in (
        "kubestellar_annotations.a",
        "kubestellar_claims.c",
        "kubestellar_properties.p",
        "kubestellar_conditions.ManagedClusterJoined.message",
        "mine",
    ):
        assert templar.template(trust_as_template(f"{{{{ {expression} }}}}")) == EVIL, expression
    assert templar.template(trust_as_template("{{ ours }}")) == f"x{EVIL}"
    assert templar.template(host["kubestellar_claims"]) == {"c": EVIL}
    assert [name for name in made.groups if name.startswith("a_")] == [
        "a____lookup__ansible_builtin_pipe____id_____"
    ]


def test_expressions_of_the_user_make_variables_and_groups(inventory, api):
    api.add("c1", labels={"tier": "gold"})
    api.add("c2")
    made = inventory(
        compose={"tier": "kubestellar_labels.tier | default('none')"},
        groups={
            "golden": "tier == 'gold'",
            "local": "ansible_connection == 'local'",
            "one": "inventory_hostname == 'c1'",
        },
        keyed_groups=[{"key": "tier", "prefix": "tier"}],
        strict=True,
    )
    found = groups(made)
    assert found["golden"] == found["tier_gold"] == found["one"] == ["c1"]
    assert found["local"] == ["c1", "c2"] and found["tier_none"] == ["c2"]


def test_a_wrong_expression_is_an_error_only_if_that_is_wanted(inventory, api, capsys):
    api.add("c1")
    assert "x" not in inventory(compose={"x": "nothing.at.all"}).hosts["c1"].vars
    assert "Could not set x for host c1" in failure(
        capsys, inventory, compose={"x": "nothing.at.all"}, strict=True
    )


def test_labels_that_make_one_group_are_told_and_refused_only_if_that_is_wanted(inventory, api, capsys):
    api.add("c1", labels={"a.b": "c", "a-b": "c"})
    words = "The group kubestellar_label_a_b_c holds the label a.b=c and the label a-b=c."
    assert groups(inventory())["kubestellar_label_a_b_c"] == ["c1"]
    shown = capsys.readouterr()
    assert words in " ".join((shown.out + shown.err).split())
    assert words in failure(capsys, inventory, strict=True)


def test_ways_to_clusters_are_handed_on_as_they_are_written(inventory, api):
    api.add("c1")
    made = inventory(connections={"c*": {"kubeconfig": "{{ inventory_dir }}/{{ wec_name }}.kubeconfig"}})
    host = made.hosts["c1"].vars
    assert (
        host["wec_kubeconfig"] == "{{ inventory_dir }}/{{ wec_name }}.kubeconfig"
        and host["wec_context"] == "c1"
    )
    assert (
        Templar(variables=host).template(host["wec_kubeconfig"]) == f"{host['inventory_dir']}/c1.kubeconfig"
    )


# -- beside other sources ------------------------------------------------------------------------------------------------


def test_what_another_source_says_of_a_host_stays(inventory, api, tmp_path):
    api.add("c1")["spec"]["hubAcceptsClient"] = False
    api.add("c2")["spec"]["hubAcceptsClient"] = False
    hosts = tmp_path / "hosts.yml"
    variables = {"wec_its": "its9", "wec_labels": {"a": "b"}, "wec_context": "mine"}
    hosts.write_text(yaml.safe_dump({"kubestellar_wecs": {"hosts": {"c1": variables}}}))
    made = inventory(str(hosts), connections={"c1": {"kubeconfig": "/k"}})
    host = made.hosts["c1"].vars
    assert {key: host[key] for key in variables} == variables and host["wec_kubeconfig"] == "/k"
    assert host["kubestellar_its"] == "its1"
    assert groups(made)["kubestellar_not_accepted"] == ["c1", "c2"]
    assert groups(made)["kubestellar_strangers"] == ["c2"]


def test_another_cluster_of_the_same_name_in_another_source_is_refused(inventory, api, tmp_path, capsys):
    api.add("c1")
    other = Api()
    other.add("c1")
    (tmp_path / "other").write_text(json.dumps(other.kubeconfig()))
    first = tmp_path / "a.kubestellar.yml"
    config = {"plugin": "kubestellar.core.wecs", "itses": [{"name": "its1", "kubeconfig": "other"}]}
    first.write_text(yaml.safe_dump(config))
    words = "The host c1 of another source is another cluster, of the ITS its1."
    assert words in failure(capsys, inventory, str(first))
    assert set(inventory(str(first), host_name="{name}.hub2").hosts) == {"c1", "c1.hub2"}
    other.stop()


# -- ways to the hub ---------------------------------------------------------------------------------------------------


def add_its(api: Api, hub: Api, name: str, kind: str = "its", **metadata: Any) -> None:
    """A ControlPlane of the hub whose Secret leads to `api`."""
    plane = {
        "metadata": {"name": name, "labels": {"kflex.kubestellar.io/cptype": kind}, **metadata},
        "spec": {"type": "k8s"},
        "status": {"secretRef": {"namespace": f"{name}-system", "name": "s", "key": "kubeconfig"}},
    }
    hub.lists[HOSTING].append(plane)
    hub.objects[f"{HOSTING}/{name}"] = plane
    content = base64.b64encode(yaml.safe_dump(api.kubeconfig()).encode()).decode()
    hub.objects[f"/api/v1/namespaces/{name}-system/secrets/s"] = {"data": {"kubeconfig": content}}


@pytest.fixture
def hub(api) -> Iterator[Api]:
    """A hub with the ITSes its1, which is `api`, and its2, and a WDS."""
    made, second = Api(), Api()
    api.add("c1")
    second.add("c2")
    add_its(api, made, "its1")
    add_its(second, made, "its2")
    add_its(api, made, "wds1", "wds")
    yield made
    made.stop()
    second.stop()


def test_all_itses_of_a_hub_are_read_or_those_that_are_named(inventory, hub, api):
    made = inventory(host=hub.url, api_key="t")
    assert {name: host.vars["wec_its"] for name, host in made.hosts.items()} == {"c1": "its1", "c2": "its2"}
    assert hub.requests == [
        HOSTING,
        "/api/v1/namespaces/its1-system/secrets/s",
        "/api/v1/namespaces/its2-system/secrets/s",
    ]
    assert set(inventory(host=hub.url, api_key="t", itses=[{"name": "its2"}]).hosts) == {"c2"}


def test_the_environment_decides_only_if_the_file_does_not(inventory, hub, monkeypatch, capsys):
    monkeypatch.setenv("K8S_AUTH_HOST", hub.url)
    monkeypatch.setenv("K8S_AUTH_API_KEY", "t")
    assert set(inventory(plain=True).hosts) == {"c1", "c2"}
    shown = failure(capsys, inventory, context="hub", plain=True)
    assert "The connection in the options names a context but no kubeconfig." in shown
    empty = "{{ lookup('ansible.builtin.env', 'NOT_THERE') }}"
    assert "The option api_key is written and has no value." in failure(
        capsys, inventory, host=hub.url, api_key=empty
    )


def test_without_any_connection_nothing_is_guessed(inventory, capsys):
    assert "No connection to the hosting cluster is given." in failure(capsys, inventory, plain=True)


def test_another_hub_than_expected_is_not_asked(inventory, hub, capsys):
    shown = failure(capsys, inventory, host=hub.url, api_key="t", expected_server="https://other.example")
    assert "not to the expected https://other.example" in shown and hub.requests == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda hub: hub.refused.update({HOSTING: 403}), "cannot list controlplanes: not today (HTTP 403)"),
        (lambda hub: hub.lists[HOSTING].clear(), "there is no ITS: no ControlPlane has the label"),
        (
            lambda hub: hub.objects.pop("/api/v1/namespaces/its2-system/secrets/s"),
            "its2 has no kubeconfig yet",
        ),
        (
            lambda hub: hub.lists[HOSTING][1]["metadata"].update(deletionTimestamp="t"),
            "the ControlPlane its2 is being deleted",
        ),
    ],
)
def test_a_hub_that_cannot_be_read_is_an_error(inventory, hub, capsys, change, words):
    change(hub)
    assert words in failure(capsys, inventory, host=hub.url, api_key="t")


@pytest.mark.parametrize("path", [MANAGED, PROPERTIES, LEASES])
def test_an_its_that_cannot_be_read_in_full_is_an_error(inventory, api, capsys, path):
    api.add("c1")
    api.refused[path] = 403
    assert "not today (HTTP 403)" in failure(capsys, inventory)


def test_a_wds_is_no_its_and_a_cluster_without_ocm_neither(inventory, hub, api, capsys):
    shown = failure(capsys, inventory, host=hub.url, api_key="t", itses=[{"name": "wds1"}])
    assert "the ControlPlane wds1 is a WDS, not an ITS. Name an ITS." in shown
    del api.lists[MANAGED]
    assert "the kind ManagedCluster is not served, so this is no OCM hub." in failure(capsys, inventory)


def test_a_hub_that_does_not_answer_is_an_error(inventory, api, capsys, monkeypatch):
    monkeypatch.setattr(_client, "_FIRST_PAUSE", 0.0)
    monkeypatch.setattr(_client, "_LONGEST_PAUSE", 0.0)
    api.stop()
    shown = failure(capsys, inventory)
    assert "its1: cannot list" in shown and "no answer from" in shown


# -- requests ------------------------------------------------------------------------------------------------------------


def test_reading_needs_no_inventory(api):
    """It is in module_utils, and gives what the plugin puts into the inventory."""
    api.add("c1")
    itses = [{"name": "its1", "kubeconfig": api.kubeconfig()}]
    assert [wec["kubestellar_cluster"] for wec in read.read({}, itses)] == ["c1"]


def test_the_requests_do_not_grow_with_clusters_and_groups_but_by_the_page(inventory, api):
    for number in range(_client.PAGE_SIZE + 1):
        api.add(f"c{number}", labels={"a": f"v{number % 50}"})
    made = inventory()
    assert len(made.hosts) == _client.PAGE_SIZE + 1 and len(made.groups) > 50
    assert sorted(api.requests) == sorted([MANAGED, MANAGED, PROPERTIES, LEASES])
    api.requests.clear()
    inventory(leases=False)
    assert sorted(api.requests) == sorted([MANAGED, MANAGED, PROPERTIES])


def test_a_silent_cluster_is_unreachable_unless_leases_do_not_count(inventory, api):
    api.add("c1")
    renewed = {"renewTime": "2026-01-01T00:00:00.000000Z"}
    api.lists[LEASES].append(
        {"metadata": {"namespace": "c1", "name": "managed-cluster-lease"}, "spec": renewed}
    )
    assert groups(inventory())["kubestellar_unavailable"] == ["c1"]
    assert groups(inventory(leases=False))["kubestellar_available"] == ["c1"]


# -- cache ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def inventory_cached(tmp_path, inventory):
    folder = tmp_path / "cache"
    options = {"cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(folder)}
    source = tmp_path / "cached.kubestellar.yml"

    def make(*, refresh: bool = False, **config: Any) -> InventoryManager:
        content = {"plugin": "kubestellar.core.wecs", **options, "cache": True, **config}
        source.write_text(yaml.safe_dump(content))
        return InventoryManager(DataLoader(), [str(source)], cache=not refresh)

    return make, folder


def test_what_is_cached_is_not_asked_for_and_holds_no_secret(inventory_cached, hub, api):
    call, folder = inventory_cached
    first = call(host=hub.url, api_key="secret-token")
    asked = len(hub.requests) + len(api.requests)
    second = call(host=hub.url, api_key="secret-token")
    assert len(hub.requests) + len(api.requests) == asked
    assert groups(second) == groups(first)
    (file,) = folder.iterdir()
    assert "secret-token" not in file.read_text() + file.name and "of-an-its" not in file.read_text()
    assert first.hosts["c1"].vars == second.hosts["c1"].vars
    # Another way, and a refresh, are read anew.
    call(host=hub.url, api_key="secret-token", label_selectors=["a=b"])
    call(host=hub.url, api_key="secret-token", refresh=True)
    assert len(hub.requests) + len(api.requests) == 3 * asked


def test_an_entry_of_another_form_is_read_anew(inventory_cached, hub, api):
    call, folder = inventory_cached
    call(host=hub.url)
    (file,) = folder.iterdir()
    content = json.loads(file.read_text())
    payload = json.loads(content["__payload__"])
    payload["form"] = 0
    file.write_text(json.dumps({**content, "__payload__": json.dumps(payload)}))
    asked = len(api.requests)
    assert set(call(host=hub.url).hosts) == {"c1", "c2"}
    assert len(api.requests) == 2 * asked


def test_a_failed_read_is_not_cached(inventory_cached, hub, capsys):
    call, folder = inventory_cached
    hub.refused[HOSTING] = 403
    failure(capsys, call, host=hub.url)
    assert not folder.exists() or not list(folder.iterdir())
    hub.refused.clear()
    assert set(call(host=hub.url).hosts) == {"c1", "c2"}


def test_what_the_cache_has_is_no_template_either(inventory_cached, hub, api):
    api.lists[MANAGED][0]["metadata"]["annotations"] = {"a": EVIL}
    call, _folder = inventory_cached
    call(host=hub.url)
    templar = Templar(variables=call(host=hub.url).hosts["c1"].vars)
    assert templar.template(trust_as_template("{{ kubestellar_annotations.a }}")) == EVIL


# -- the file ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "is_source"),
    [
        ("a.kubestellar.yml", True),
        ("a.kubestellar.yaml", True),
        ("kubestellar.yml", False),
        ("a.yml", False),
        ("a.kubestellar.json", False),
    ],
)
def test_a_source_is_known_by_its_name(tmp_path, name, is_source):
    (tmp_path / name).write_text("plugin: kubestellar.core.wecs\n")
    assert inventory_loader.get("kubestellar.core.wecs").verify_file(str(tmp_path / name)) is is_source
    assert inventory_loader.get("kubestellar.core.wecs").verify_file(str(tmp_path / "not" / name)) is False


def test_a_mistake_in_the_file_is_told_before_anything_is_asked(inventory, api, capsys):
    api.add("c1")
    assert "The option lables is not known." in failure(capsys, inventory, lables=["a"])
    assert "The option context cannot be computed" in failure(
        capsys, inventory, context="{{ nothing }}", kubeconfig="/k"
    )
    assert api.requests == []


def test_templates_know_the_folder_of_the_file(inventory, api):
    api.add("c1")
    assert set(inventory(itses=[{"name": "its1", "kubeconfig": "{{ inventory_dir }}/its1"}]).hosts) == {"c1"}


# -- documentation -----------------------------------------------------------------------------------------------------


def documentation() -> dict[str, Any]:
    plugin = importlib.import_module("ansible_collections.kubestellar.core.plugins.inventory.wecs")
    return dict(yaml.safe_load(plugin.DOCUMENTATION))


def shape(option: dict[str, Any]) -> dict[str, Any]:
    kept = {
        key: option[key] for key in ("type", "elements", "default", "required") if option.get(key) is not None
    }
    inner = option.get("suboptions") or option.get("options")
    return {**kept, "options": {name: shape(sub) for name, sub in inner.items()}} if inner else kept


def test_the_options_are_documented_as_they_are():
    documented = documentation()["options"]
    assert documented.pop("plugin")["choices"] == ["kubestellar.core.wecs"]
    assert {name: shape(option) for name, option in documented.items()} == {
        name: shape(option) for name, option in _wecs.SPEC.items()
    }


def test_the_examples_are_right():
    plugin = importlib.import_module("ansible_collections.kubestellar.core.plugins.inventory.wecs")
    loader = inventory_loader.get("kubestellar.core.wecs")
    loader.set_options(direct={"plugin": "kubestellar.core.wecs"})
    theirs = set(loader._options) - {*_wecs.SPEC, *AUTH_SPEC, *GUARD_SPEC}
    examples = list(yaml.safe_load_all(plugin.EXAMPLES))
    assert len(examples) == 4
    for example in examples:
        assert example["plugin"] == "kubestellar.core.wecs"
        _wecs.parameters(example, theirs, "/srv/site")


def test_the_groups_of_the_documentation_are_those_of_the_code():
    text = " ".join(" ".join(documentation()["notes"]).split())
    for name in (
        *_wecs.ALWAYS,
        f"{_wecs.ITS}<its>",
        f"{_wecs.SET}<cluster set>",
        f"{_wecs.LABEL}<key>_<value>",
    ):
        assert f"C({name})" in text, name
