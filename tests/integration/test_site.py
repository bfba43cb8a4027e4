# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What site.yml promises: the demo runs, a second run does nothing, a check run tells the truth."""

from __future__ import annotations

import base64
import json
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from ansible_collections.kubestellar.core.plugins.module_utils import _resources
from ansible_collections.kubestellar.core.plugins.module_utils._resources import DEPLOYMENTS, JOBS
from ansible_collections.kubestellar.core.plugins.module_utils.embedded import processes

from .running import CHECKOUT, CONTEXTS, INVENTORY, assert_ok, make_stack


@pytest.mark.core
@pytest.mark.parametrize("wec", ["cluster1", "cluster2"])
def test_the_shop_runs_in_both_clusters(stack, wec):
    cluster = stack.cluster(wec)
    deployment = cluster.get(DEPLOYMENTS, "till", "shop")
    assert deployment["status"]["readyReplicas"] == 2
    assert cluster.get(JOBS, "import-catalogue", "shop")["status"]["succeeded"] == 1
    store = cluster.get(_resources.CONFIG_MAPS, "store", "shop")["data"]
    assert store["cluster"] == wec
    assert store["name"].startswith({"cluster1": "Lisbon", "cluster2": "Turin"}[wec])


@pytest.mark.core
def test_the_wds_runs_no_workload_and_gets_the_status_back(stack):
    wds = stack.cluster("wds1")
    assert wds.list(_resources.PODS).items == []
    assert wds.get(DEPLOYMENTS, "till", "shop")["status"]["readyReplicas"] == 2


@dataclass(frozen=True)
class SecondRun:
    """What a further run of site.yml has said and done, with the collection as a user has installed it."""

    done: subprocess.CompletedProcess[str]
    written: list[str]
    collection: Path
    home: Path


OWN_KUBECONFIG = "apiVersion: v1\nkind: Config\ncurrent-context: production\n"


@pytest.fixture(scope="module")
def second_run(stack, tmp_path_factory) -> SecondRun:
    """At highest verbosity, from another folder, by somebody with a kubeconfig of their own."""
    folder, home = tmp_path_factory.mktemp("installed"), tmp_path_factory.mktemp("home")
    (home / ".kube").mkdir()
    (home / ".kube" / "config").write_text(OWN_KUBECONFIG)
    galaxy = str(Path(sys.executable).parent / "ansible-galaxy")
    (built,) = run_in(folder, galaxy, "collection", "build", str(CHECKOUT), "--output-path", str(folder))
    options = ("--offline", "--no-deps", "--force", "--collections-path", str(folder))
    run_in(folder, galaxy, "collection", "install", str(built), *options)
    collection = folder / "ansible_collections" / "kubestellar" / "core"
    arguments = stack.arguments("site", "-vvv", "--diff", inventory=collection / "inventories" / "embedded")
    arguments[3] = "kubestellar.core.site"
    environment = {
        **stack.environment(),
        "ANSIBLE_COLLECTIONS_PATH": f"{folder}:{CHECKOUT / '.venv' / 'collections'}",
        "HOME": str(home),
        "KUBECONFIG": str(home / ".kube" / "config"),
    }
    before = stack.mark()
    done = subprocess.run(
        arguments, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=400
    )
    return SecondRun(done, stack.writes_since(before), collection, home)


def run_in(folder: Path, *command: str) -> list[Path]:
    """Run a command in a folder. Returns the archives there."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return [*folder.glob("*.tar.gz")]


@pytest.mark.core
def test_a_second_run_changes_nothing_and_sends_no_write(second_run):
    counters = assert_ok(second_run.done)
    assert {host: values["changed"] for host, values in counters.items()} == {
        "hub": 0,
        "cluster1": 0,
        "cluster2": 0,
    }
    assert second_run.written == []


@pytest.mark.core
def test_site_runs_from_an_installed_collection_by_its_full_name(second_run):
    assert_ok(second_run.done)
    files = set(re.findall(r"(?m)^task path: (.*):\d+$", second_run.done.stdout))
    assert len(files) > 10
    assert [path for path in files if not Path(path).is_relative_to(second_run.collection)] == []


def test_a_check_run_on_the_running_stack_forecasts_nothing_and_writes_nothing(stack):
    before = stack.mark()
    counters = assert_ok(stack.playbook("site", "--check", "--diff"))
    assert sum(values["changed"] for values in counters.values()) == 0
    assert stack.writes_since(before) == []


@pytest.mark.core
def test_a_check_run_on_an_empty_machine_forecasts_everything_and_makes_nothing(stack, tmp_path):
    empty = make_stack("empty")
    done = empty.playbook("site", "--check", "--diff", "-e", f"kubestellar_home={tmp_path / 'home'}")
    counters = assert_ok(done)
    assert all(values["changed"] > 0 for values in counters.values() if values["ok"] > 2), counters
    for name in ("ControlPlane its1", "ControlPlane wds1", "Deployment shop/till", "BindingPolicy shop"):
        assert "+++ after: " in done.stdout and name in done.stdout
    assert not (tmp_path / "home").exists()
    assert not empty.stack.folder.exists()


def test_a_change_is_forecast_and_then_made(stack):
    change = (
        "-e",
        '{"hub_limits": {"controller_qps": 600, "controller_burst": 1200, "agent_qps": 500, "agent_burst": 1000}}',
    )
    forecast = assert_ok(stack.playbook("hub", "--check", *change))
    assert forecast["hub"]["changed"] == 1
    assert assert_ok(stack.playbook("hub", *change))["hub"]["changed"] == 1
    assert assert_ok(stack.playbook("hub", *change))["hub"]["changed"] == 0
    assert assert_ok(stack.playbook("hub"))["hub"]["changed"] == 1


@pytest.mark.core
def test_the_kubeconfig_is_private_complete_and_named_like_the_clusters(stack):
    path = Path(stack.kubeconfig)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    content = yaml.safe_load(path.read_text())
    assert sorted(context["name"] for context in content["contexts"]) == sorted(CONTEXTS)
    assert content["current-context"] == "hub"
    for context in CONTEXTS:
        assert stack.cluster(context).ready()


@pytest.mark.core
def test_nothing_listens_beyond_loopback(stack):
    pids = {process.pid for process in processes.of_stack(stack.stack)}
    listeners = subprocess.run(
        ["ss", "-Hltnp"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    ours = [line for line in listeners if any(f"pid={pid}," in line for pid in pids)]
    assert len(ours) > 20
    assert [line for line in ours if not line.split()[3].startswith("127.0.0.1:")] == []


@pytest.mark.core
def test_nothing_of_it_is_world_readable_and_no_secret_is_in_a_command_line(stack):
    assert stat.S_IMODE(stack.stack.folder.stat().st_mode) & 0o077 == 0
    commands = "\n".join(process.text for process in processes.of_stack(stack.stack))
    assert "eyJ" not in commands and "PRIVATE KEY" not in commands


@pytest.mark.core
def test_no_secret_is_in_the_output_at_highest_verbosity(set_up, second_run):
    """Neither of the run that has minted credentials and handed them over, nor of the one after it."""
    stack, first = set_up
    assert_ok(second_run.done)
    output = first + second_run.done.stdout + second_run.done.stderr
    secrets = set()
    for context in yaml.safe_load(Path(stack.kubeconfig).read_text())["users"]:
        secrets.add(context["user"]["client-key-data"])
    its, wec = stack.cluster("its1"), stack.cluster("cluster1")
    for secret in its.list(_resources.SECRETS).items + wec.list(_resources.SECRETS).items:
        secrets |= {value for value in (secret.get("data") or {}).values() if len(value) > 40}
    plain = {base64.b64decode(value).decode(errors="ignore") for value in secrets}
    assert secrets
    assert [value[:20] for value in secrets if value in output] == []
    assert [value[:20] for value in plain if value and value in output] == []
    assert not re.search(r"eyJ[A-Za-z0-9_-]{20,}\.", output)


@pytest.mark.core
def test_the_users_own_kubeconfig_and_home_stay_untouched(second_run):
    assert_ok(second_run.done)
    assert (second_run.home / ".kube" / "config").read_text() == OWN_KUBECONFIG
    assert sorted(path.name for path in second_run.home.rglob("*")) == [".kube", "config"]


@pytest.fixture
def inventory_again(stack) -> Iterator[None]:
    """In the end clusters and workloads are as the inventory says."""
    yield
    assert_ok(stack.playbook("site", "--tags", "wec,workload"))


@pytest.mark.core
def test_a_label_of_a_cluster_is_forecast_and_then_made(stack, tmp_path, inventory_again):
    labels = {"location-group": "edge", "city": "turin", "shift": "night"}
    source = tmp_path / "more.yml"
    source.write_text(yaml.safe_dump({"kubestellar_wecs": {"hosts": {"cluster2": {"wec_labels": labels}}}}))
    arguments = ("-i", str(source), "--limit", "cluster2")

    def live() -> dict[str, str]:
        metadata = stack.cluster("its1").get(_resources.MANAGED_CLUSTERS, "cluster2")["metadata"]
        return {key: metadata["labels"][key] for key in labels if key in metadata["labels"]}

    mark, before = stack.mark(), live()
    forecast = stack.playbook("wecs", *arguments, "--check", "--diff")
    assert assert_ok(forecast)["cluster2"]["changed"] == 1 and "shift: night" in forecast.stdout
    assert stack.writes_since(mark) == [] and live() == before != labels
    assert assert_ok(stack.playbook("wecs", *arguments))["cluster2"]["changed"] == 1
    assert live() == labels


@pytest.mark.core
def test_a_label_of_a_workload_is_forecast_and_then_made(stack, inventory_again):
    (shop,) = yaml.safe_load((INVENTORY / "group_vars" / "kubestellar_hubs.yml").read_text())["hub_workloads"]
    arguments = ("-e", json.dumps({"hub_workloads": [{**shop, "labels": {"season": "winter"}}]}))

    def live(name: str) -> str | None:
        return stack.cluster(name).get(DEPLOYMENTS, "till", "shop")["metadata"]["labels"].get("season")

    mark = stack.mark()
    forecast = stack.playbook("workloads", *arguments, "--check", "--diff")
    assert assert_ok(forecast)["hub"]["changed"] > 0 and "season: winter" in forecast.stdout
    assert stack.writes_since(mark) == [] and live("wds1") is None
    assert assert_ok(stack.playbook("workloads", *arguments))["hub"]["changed"] > 0
    assert [live(name) for name in ("wds1", "cluster1", "cluster2")] == ["winter"] * 3


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param(
            lambda inv: inv["kubestellar_hubs"]["hosts"]["hub"].update(hub_wdss=[]),
            ["hub", "hub_wdss", "hub_wdses"],
            marks=pytest.mark.core,
        ),
        (lambda inv: inv["kubestellar_hubs"].update(hosts={}), ["kubestellar_hubs", "has no hosts"]),
    ],
)
def test_a_wrong_inventory_is_one_sentence_before_anything_is_started(tmp_path, change, words):
    inventory = {
        "all": {"vars": {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}},
        "kubestellar_hubs": {"hosts": {"hub": {}}},
        "kubestellar_wecs": {"hosts": {"cluster1": {}, "cluster2": {}}},
    }
    change(inventory)
    path = tmp_path / "hosts.yml"
    path.write_text(yaml.safe_dump(inventory))
    wrong = make_stack("wrong")
    arguments = wrong.arguments("site", inventory=path)
    done = subprocess.run(arguments, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    output = " ".join((done.stdout + done.stderr).split())
    assert done.returncode != 0
    assert all(word in output for word in words), output
    assert not wrong.stack.folder.exists()
