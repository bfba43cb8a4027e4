# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory plugin with a real hub and its two clusters: `inventories/fleet`, as users and AWX read it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.kubestellar.core.plugins.module_utils._resources import MANAGED_CLUSTERS
from ansible_collections.kubestellar.core.tests.waiting import eventually

from .relay import Relay, before
from .running import CHECKOUT, Running, assert_ok

BIN = Path(sys.executable).parent
FLEET = CHECKOUT / "inventories" / "fleet"
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def fleet(stack: Running, tmp_path: Path) -> Path:
    """The inventory to start from, with the kubeconfig of the stack beside its folder."""
    folder = tmp_path / "fleet"
    shutil.copytree(FLEET, folder)
    shutil.copyfile(stack.kubeconfig, tmp_path / "hub.kubeconfig")
    for path in (folder / "wecs.kubestellar.yml", folder / "group_vars" / "kubestellar_hubs.yml"):
        path.write_text(path.read_text().replace("/etc/kubestellar", str(tmp_path)))
    return folder


@pytest.fixture
def run(stack: Running) -> Run:
    """Run a program of Ansible as a user does, without credentials in the environment unless some are given."""

    def call(program: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        inherited = {
            key: value for key, value in stack.environment().items() if not key.startswith("K8S_AUTH")
        }
        return subprocess.run(
            [str(BIN / program), *arguments],
            cwd=CHECKOUT,
            env={**inherited, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )

    return call


def change(folder: Path, **options: Any) -> None:
    """Set options in the source file; None takes one away."""
    path = folder / "wecs.kubestellar.yml"
    content = yaml.safe_load(path.read_text()) | options
    path.write_text(yaml.safe_dump({key: value for key, value in content.items() if value is not None}))


def listed(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(done.stdout))


def hosts(found: dict[str, Any], group: str) -> list[str]:
    return sorted(found.get(group, {}).get("hosts", []))


def text(value: Any) -> Any:
    """A string that `ansible-inventory` has marked as no template, or anything else as it is."""
    return value["__ansible_unsafe"] if isinstance(value, dict) and "__ansible_unsafe" in value else value


def by_way_of(relay: Relay, folder: Path, file: str) -> dict[str, str]:
    """The connection through a relay, as options of the source file."""
    (folder.parent / file).write_text(yaml.safe_dump(relay.kubeconfig()))
    return {"kubeconfig": f"../{file}", "context": "relay"}


HUB_READS = [
    "GET /apis/tenancy.kflex.kubestellar.org/v1alpha1/controlplanes",
    "GET /api/v1/namespaces/its1-system/secrets/admin-kubeconfig",
]
ITS_READS = [
    "GET /api/v1/namespaces/customization-properties/configmaps",
    "GET /apis/cluster.open-cluster-management.io/v1/managedclusters",
    "GET /apis/coordination.k8s.io/v1/leases",
]


@pytest.mark.core
def test_the_clusters_of_a_hub_are_hosts(stack: Running, fleet: Path, run: Run) -> None:
    mark = stack.mark()
    found = listed(run("ansible-inventory", "-i", str(fleet), "--list"))
    assert stack.writes_since(mark) == []
    both = ["cluster1", "cluster2"]
    for group in ("wecs", "available", "accepted", "its_its1", "label_location_group_edge"):
        assert hosts(found, f"kubestellar_{group}") == both, group
    assert hosts(found, "kubestellar_label_city_lisbon") == ["cluster1"]
    assert hosts(found, "kubestellar_hubs") == ["hub"]
    variables = found["_meta"]["hostvars"]["cluster1"]
    assert text(variables["kubestellar_labels"]["city"]) == "lisbon"
    assert text(variables["kubestellar_properties"]["storeName"]) == "Lisbon, Rua Augusta"
    assert text(variables["kubestellar_conditions"]["ManagedClusterConditionAvailable"]["status"]) == "True"
    assert variables["kubestellar_joined"] is True and text(variables["wec_provider"]) == "registered"
    graph = run("ansible-inventory", "-i", str(fleet), "--graph", "kubestellar_wecs").stdout
    assert graph.split() == ["@kubestellar_wecs:", "|--cluster1", "|--cluster2"]


def test_each_list_is_asked_for_once_and_with_a_cache_not_at_all(
    stack: Running, fleet: Path, run: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "cache"
    change(fleet, cache=True, cache_plugin="ansible.builtin.jsonfile", cache_connection=str(folder))
    command = ("ansible-inventory", "-i", str(fleet), "--list")
    with before(stack.cluster("hub")) as hub, before(stack.cluster("its1")) as its:
        change(fleet, **by_way_of(hub, fleet, "relayed"))
        first = listed(run(*command))
        assert hub.requests == HUB_READS
        assert listed(run(*command)) == first and hub.requests == HUB_READS
        (file,) = folder.iterdir()
        assert "client-key" not in file.read_text() and "certificate-authority" not in file.read_text()
        assert listed(run(*command, "--flush-cache")) == first and hub.requests == 2 * HUB_READS
        itses = [{"name": "its1", **by_way_of(its, fleet, "its1")}]
        change(fleet, kubeconfig=None, context=None, itses=itses, label_groups=["*"])
        assert hosts(listed(run(*command)), "kubestellar_wecs") == ["cluster1", "cluster2"]
        assert sorted(its.requests) == ITS_READS and hub.requests == 2 * HUB_READS


def test_an_its_is_read_directly_and_the_environment_decides_only_alone(
    stack: Running, fleet: Path, run: Run
) -> None:
    wrong = {"K8S_AUTH_HOST": "https://127.0.0.1:1", "K8S_AUTH_API_KEY": "x", "K8S_AUTH_CONTEXT": "nowhere"}
    itses = [{"name": "its1", "kubeconfig": "../hub.kubeconfig", "context": "its1"}]
    change(fleet, kubeconfig=None, context=None, itses=itses, label_selectors=["city=turin"])
    found = listed(run("ansible-inventory", "-i", str(fleet), "--list", **wrong))
    assert hosts(found, "kubestellar_wecs") == ["cluster2"]
    change(fleet, itses=None, label_selectors=None)
    right = {"K8S_AUTH_KUBECONFIG": stack.kubeconfig, "K8S_AUTH_CONTEXT": "hub"}
    found = listed(run("ansible-inventory", "-i", str(fleet), "--list", **right))
    assert hosts(found, "kubestellar_wecs") == ["cluster1", "cluster2"]


def test_a_hub_that_is_not_there_is_an_error(fleet: Path, run: Run) -> None:
    content = yaml.safe_load((fleet.parent / "hub.kubeconfig").read_text())
    for entry in content["clusters"]:
        entry["cluster"]["server"] = "https://127.0.0.1:1"
    (fleet.parent / "hub.kubeconfig").write_text(yaml.safe_dump(content))
    done = run("ansible-inventory", "-i", str(fleet), "--list")
    assert done.returncode != 0 and done.stdout == ""
    assert "hub: cannot list controlplanes: no answer from https://127.0.0.1:1" in " ".join(
        done.stderr.split()
    )


@pytest.fixture
def marked(stack: Running, tmp_path: Path) -> Iterator[str]:
    """cluster1 with a template that would make a file in an annotation, and a label with dots and a slash."""
    its, file = stack.cluster("its1"), tmp_path / "made"
    template = f"{{{{ lookup('ansible.builtin.pipe', 'touch {file}') }}}}"

    def patch(value: str | None, label: str | None) -> None:
        metadata = {
            "annotations": {"probe.example.com/text": value},
            "labels": {"probe.example.com/v1.2": label},
        }
        its.patch(MANAGED_CLUSTERS, "cluster1", None, {"metadata": metadata})

    patch(template, "x.y_z")
    yield template
    patch(None, None)
    assert not file.exists(), "what a cluster said was run"


def test_what_a_cluster_says_is_never_run_not_even_by_the_way_of_awx(
    fleet: Path, run: Run, tmp_path: Path, marked: str
) -> None:
    group = "kubestellar_label_probe_example_com_v1_2_x_y_z"
    play = tmp_path / "play.yml"
    tasks = [
        {"ansible.builtin.debug": {"var": "kubestellar_annotations"}},
        {
            "ansible.builtin.copy": {
                "content": "{{ kubestellar_annotations | to_json }}",
                "dest": str(tmp_path / "said"),
            }
        },
    ]
    play.write_text(yaml.safe_dump([{"hosts": group, "gather_facts": False, "tasks": tasks}]))
    # AWX keeps what --export says, and hands it to jobs as a script.
    exported = run("ansible-inventory", "-i", str(fleet), "--list", "--export")
    found = listed(exported)
    assert hosts(found, group) == ["cluster1"]
    assert (
        found["kubestellar_its_its1"]["vars"]["ansible_python_interpreter"] == "{{ ansible_playbook_python }}"
    )
    assert str(fleet) not in json.dumps(found["_meta"]["hostvars"]["cluster1"])
    (tmp_path / "exported.json").write_text(exported.stdout)
    script = tmp_path / "awx"
    script.write_text(f"#!/bin/sh\nexec cat '{tmp_path}/exported.json'\n")
    script.chmod(0o700)
    for source in (fleet, script):
        assert_ok(run("ansible-playbook", "-i", str(source), str(play)))
        assert json.loads((tmp_path / "said").read_text())["probe.example.com/text"] == marked
        (tmp_path / "said").unlink()


@pytest.fixture
def stranger(stack: Running) -> Iterator[str]:
    """A cluster that has asked to be registered, which nobody has listed."""
    its = stack.cluster("its1")
    obj = {
        "apiVersion": MANAGED_CLUSTERS.api_version,
        "kind": MANAGED_CLUSTERS.kind,
        "metadata": {"name": "stranger", "labels": {"location-group": "nowhere"}},
        "spec": {"hubAcceptsClient": False},
    }
    its.create(MANAGED_CLUSTERS, obj)
    yield "stranger"
    its.delete(MANAGED_CLUSTERS, "stranger")
    eventually(lambda: its.get(MANAGED_CLUSTERS, "stranger") is None)


def test_the_playbooks_take_the_clusters_for_what_they_are(
    stack: Running, fleet: Path, run: Run, stranger: str
) -> None:
    found = listed(run("ansible-inventory", "-i", str(fleet), "--list"))
    assert hosts(found, "kubestellar_strangers") == hosts(found, "kubestellar_not_accepted") == [stranger]
    assert hosts(found, "kubestellar_unreachable") == [stranger]
    mark = stack.mark()
    for playbook, words in {"status": "location-group=edge", "doctor": "", "wecs": ""}.items():
        extra = ("-e", "doctor_fail_on=never") if playbook == "doctor" else ()
        done = run(
            "ansible-playbook", "-i", str(fleet), str(CHECKOUT / "playbooks" / f"{playbook}.yml"), *extra
        )
        counts = assert_ok(done)
        assert all(counters["changed"] == 0 for counters in counts.values()), done.stdout
        assert words in done.stdout
    assert stack.writes_since(mark) == []
    managed = stack.cluster("its1").get(MANAGED_CLUSTERS, stranger)
    assert managed is not None and managed["spec"]["hubAcceptsClient"] is False
