# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What site.yml promises: the demo runs, a second run does nothing, a check run tells the truth."""

from __future__ import annotations

import base64
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ansible_collections.kubestellar.core.plugins.module_utils import _resources
from ansible_collections.kubestellar.core.plugins.module_utils._resources import Resource
from ansible_collections.kubestellar.core.plugins.module_utils.embedded import processes

from .running import CHECKOUT, CONTEXTS, assert_ok, make_stack

DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment", True)
JOBS = Resource("batch", "v1", "jobs", "Job", True)


@pytest.mark.parametrize("wec", ["cluster1", "cluster2"])
def test_the_shop_runs_in_both_clusters(stack, wec):
    cluster = stack.cluster(wec)
    deployment = cluster.get(DEPLOYMENTS, "till", "shop")
    assert deployment["status"]["readyReplicas"] == 2
    assert cluster.get(JOBS, "import-catalogue", "shop")["status"]["succeeded"] == 1
    store = cluster.get(_resources.CONFIG_MAPS, "store", "shop")["data"]
    assert store["cluster"] == wec
    assert store["name"].startswith({"cluster1": "Lisbon", "cluster2": "Turin"}[wec])


def test_the_wds_runs_no_workload_and_gets_the_status_back(stack):
    wds = stack.cluster("wds1")
    pods = Resource("", "v1", "pods", "Pod", True)
    assert wds.list(pods).items == []
    assert wds.get(DEPLOYMENTS, "till", "shop")["status"]["readyReplicas"] == 2


def test_a_second_run_changes_nothing_and_sends_no_write(stack):
    assert_ok(stack.playbook("site"))  # other tests have used this stack
    before = stack.mark()
    counters = assert_ok(stack.playbook("site"))
    assert {host: values["changed"] for host, values in counters.items()} == {
        "hub": 0,
        "cluster1": 0,
        "cluster2": 0,
    }
    assert stack.writes_since(before) == []


def test_a_check_run_on_the_running_stack_forecasts_nothing_and_writes_nothing(stack):
    before = stack.mark()
    counters = assert_ok(stack.playbook("site", "--check", "--diff"))
    assert sum(values["changed"] for values in counters.values()) == 0
    assert stack.writes_since(before) == []


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


def test_the_kubeconfig_is_private_complete_and_named_like_the_clusters(stack):
    path = Path(stack.kubeconfig)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    content = yaml.safe_load(path.read_text())
    assert sorted(context["name"] for context in content["contexts"]) == sorted(CONTEXTS)
    assert content["current-context"] == "hub"
    for context in CONTEXTS:
        assert stack.cluster(context).ready()


def test_nothing_listens_beyond_loopback(stack):
    pids = {process.pid for process in processes.of_stack(stack.stack)}
    listeners = subprocess.run(
        ["ss", "-Hltnp"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    ours = [line for line in listeners if any(f"pid={pid}," in line for pid in pids)]
    assert len(ours) > 20
    assert [line for line in ours if not line.split()[3].startswith("127.0.0.1:")] == []


def test_nothing_of_it_is_world_readable_and_no_secret_is_in_a_command_line(stack):
    assert stat.S_IMODE(stack.stack.folder.stat().st_mode) & 0o077 == 0
    commands = "\n".join(process.text for process in processes.of_stack(stack.stack))
    assert "eyJ" not in commands and "PRIVATE KEY" not in commands


def test_no_secret_is_in_the_output_at_highest_verbosity(stack, tmp_path):
    # A cluster that must join again makes the run mint and hand over a credential.
    its = stack.cluster("its1")
    done = stack.playbook("site", "-vvv", "--diff")
    assert_ok(done)
    secrets = set()
    for context in yaml.safe_load(Path(stack.kubeconfig).read_text())["users"]:
        secrets.add(context["user"]["client-key-data"])
    for secret in (
        its.list(_resources.SECRETS).items + stack.cluster("cluster1").list(_resources.SECRETS).items
    ):
        secrets |= {value for value in (secret.get("data") or {}).values() if len(value) > 40}
    plain = {base64.b64decode(value).decode(errors="ignore") for value in secrets}
    assert secrets
    assert [value[:20] for value in secrets if value in done.stdout + done.stderr] == []
    assert [value[:20] for value in plain if value and value in done.stdout + done.stderr] == []
    assert not re.search(r"eyJ[A-Za-z0-9_-]{20,}\.", done.stdout)


def test_the_users_own_kubeconfig_and_home_stay_untouched(stack, tmp_path, monkeypatch):
    own = tmp_path / ".kube" / "config"
    own.parent.mkdir()
    own.write_text("apiVersion: v1\nkind: Config\ncurrent-context: production\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KUBECONFIG", str(own))
    assert_ok(stack.playbook("site"))
    assert own.read_text() == "apiVersion: v1\nkind: Config\ncurrent-context: production\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == [".kube"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda inv: inv["kubestellar_hubs"]["hosts"]["hub"].update(hub_wdss=[]),
            ["hub", "hub_wdss", "hub_wdses"],
        ),
        (lambda inv: inv["kubestellar_hubs"].update(hosts={}), ["cluster1", "no hub to register with"]),
        (
            lambda inv: inv["kubestellar_wecs"]["hosts"]["cluster2"].update(wec_name="cluster1"),
            ["cluster2", "wec_name"],
        ),
        (lambda inv: inv["kubestellar_wecs"]["hosts"].update({"Bad_Name": {}}), ["Bad_Name", "legal"]),
        (
            lambda inv: inv["kubestellar_wecs"]["hosts"]["cluster1"].update(wec_labels="edge"),
            ["cluster1", "wec_labels"],
        ),
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


def test_site_runs_from_an_installed_collection_by_its_full_name(stack, tmp_path):
    site = tmp_path / "ansible_collections" / "kubestellar" / "core"
    for part in ("meta", "plugins", "roles", "playbooks"):
        shutil.copytree(CHECKOUT / part, site / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CHECKOUT / "galaxy.yml", site)
    arguments = stack.arguments("site")
    arguments[3] = "kubestellar.core.site"
    environment = {**stack.environment(), "ANSIBLE_COLLECTIONS_PATH": str(tmp_path)}
    done = subprocess.run(
        arguments, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    counters = assert_ok(done)
    assert sum(values["changed"] for values in counters.values()) == 0
    assert os.path.exists(stack.kubeconfig)
