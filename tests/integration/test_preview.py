# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/preview.yml as a pull request runs it: real ansible-playbook, no cluster, no credentials."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
INVENTORY = ROOT / "inventories" / "embedded"
SHOP = [
    "ConfigMap shop/catalogue",
    "ConfigMap shop/store",
    "Namespace shop",
    "Service shop/till",
    "Deployment shop/till",
    "Job shop/import-catalogue",
]


def preview(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the playbook in a folder, where nothing of the user's environment leads to a cluster."""
    variables = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("K8S_AUTH_", "ANSIBLE_", "KUBE"))
    }
    home = folder / "home"
    home.mkdir(exist_ok=True)
    variables |= {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1", "HOME": str(home)}
    command = [str(Path(sys.executable).parent / "ansible-playbook")]
    return subprocess.run(
        [*command, str(ROOT / "playbooks" / "preview.yml"), *arguments],
        cwd=folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def names(entries: list[dict[str, Any]]) -> list[str]:
    return [f"{e['kind']} {e['namespace']}{'/' if e['namespace'] else ''}{e['name']}" for e in entries]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("preview")


@pytest.fixture(scope="module")
def first(folder) -> subprocess.CompletedProcess[str]:
    """The inventory of the demo, written to files."""
    done = preview(folder, "-i", str(INVENTORY), "-e", "preview_output=out/before")
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.mark.core
def test_the_demo_is_previewed_as_text(first, folder):
    lines = [line.strip() for line in first.stdout.splitlines()]
    assert "placement on hub: 1 policy, 2 clusters, 6 objects" in lines
    start = lines.index("shop in wds1: 6 objects to 2 clusters")
    assert lines[start + 1] == "on cluster1, cluster2"
    assert [" ".join(line.split()[:2]) for line in lines[start + 2 : start + 8]] == SHOP
    assert not (folder / "home" / ".kubestellar").exists()
    written = (folder / "out" / "before" / "hub.txt").read_text().splitlines()
    assert [line.strip() for line in written] == lines[lines.index(written[0]) :][: len(written)]


@pytest.mark.core
def test_the_demo_is_previewed_as_json_and_markdown(first, folder):
    data = json.loads((folder / "out" / "before" / "hub.json").read_text())
    assert (data["title"], data["compared"]) == ("hub", False)
    assert data["summary"]["placements"] == 12 and data["summary"]["warnings"] == 0
    (entry,) = data["previews"]
    assert entry["preview"]["clusters"] == ["cluster1", "cluster2"]
    assert names(entry["preview"]["objects"]) == SHOP
    assert [o["name"] for o in entry["preview"]["objects"] if o["create_only"]] == ["import-catalogue"]
    markdown = (folder / "out" / "before" / "hub.md").read_text().splitlines()
    assert markdown[0] == "## Placement on `hub`"
    assert "| `shop` in `wds1` | 6 | 6 |" in markdown
    assert "| `Job` | `shop` | `import-catalogue` | `create_only` |" in markdown


def inventory(folder: Path) -> Path:
    """A site with two hubs, one of them new, that goes too far in three ways and is hostile in one."""
    shop = {
        "name": "shop",
        "source": {"src": [str(ROOT / "examples" / "shop")]},
        "placement": {"cluster_selectors": [{"match_labels": {"city": "turin"}}]},
        "guards": {"max_clusters": 0, "max_removed_clusters": "20%"},
    }
    hostile = {
        "name": "greeting",
        "source": {
            "definitions": [
                {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "greeting"}},
                {
                    "apiVersion": "v1",
                    "kind": "ConfigMap",
                    "metadata": {
                        "name": "{% raw %}{{ lookup('pipe', 'touch pwned') }}|`@x{% endraw %}",
                        "namespace": "greeting",
                    },
                },
            ]
        },
        "placement": {"cluster_selectors": [{}]},
        "guards": {"max_objects": 1},
    }
    wec = {
        "wec_hub": "hub",
        "wec_labels": {"city": "turin"},
        "wec_properties": {"storeName": "a", "storeHours": "b"},
    }
    content = {
        "kubestellar_hubs": {
            "hosts": {
                "hub": {"hub_workloads": [shop, hostile]},
                "new": {"hub_workloads": [{**hostile, "guards": {}}]},
                "empty": {},
            }
        },
        "kubestellar_wecs": {"hosts": {"cluster2": wec, "cluster9": {"wec_hub": "new"}}},
        "all": {
            "vars": {
                "ansible_connection": "local",
                "ansible_python_interpreter": "{{ ansible_playbook_python }}",
                "ansible_remote_tmp": str(folder / "tmp"),
            }
        },
    }
    path = folder / "site.yml"
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.fixture(scope="module")
def second(first, folder) -> subprocess.CompletedProcess[str]:
    """Another inventory beside what the first run has written."""
    where = ["-e", "preview_output=out/after", "-e", "preview_before=out/before"]
    return preview(folder, "-i", str(inventory(folder)), *where)


def test_guards_fail_the_play_after_everything_was_shown_and_written(second, folder):
    assert second.returncode == 2, second.stdout + second.stderr
    before, _task, after = second.stdout.partition("Stop if guards refuse something")
    for text in (
        "placement on hub: 2 policies",
        "placement on new: 1 policy",
        "REFUSED: 1 cluster would be selected",
    ):
        assert text in before
    for code in ("guard-max-clusters", "guard-max-removed-clusters", "guard-max-objects"):
        assert after.count(f"[{code}]") >= 1
    assert sorted(path.name for path in (folder / "out" / "after").iterdir()) == [
        f"{host}.{suffix}" for host in ("hub", "new") for suffix in ("json", "md", "txt")
    ]


def test_a_change_is_shown_beside_an_earlier_run(second, folder):
    data = json.loads((folder / "out" / "after" / "hub.json").read_text())
    shop, greeting = data["previews"]
    assert data["compared"] is True
    assert shop["preview"]["clusters_removed"] == ["cluster1"] and shop["preview"]["objects_added"] == []
    assert names(shop["preview"]["objects_changed"]) == ["Deployment shop/till", "Job shop/import-catalogue"]
    assert greeting["preview"]["clusters_added"] == ["cluster2"]
    assert "| `shop` in `wds1` | -6 | 6 |" in (folder / "out" / "after" / "hub.md").read_text()
    new = json.loads((folder / "out" / "after" / "new.json").read_text())
    assert new["compared"] is True and new["previews"][0]["preview"]["clusters_added"] == ["cluster9"]


def test_names_are_never_executed(second, folder):
    assert "{{ lookup('pipe', 'touch pwned') }}|`@x" in (folder / "out" / "after" / "hub.txt").read_text()
    markdown = (folder / "out" / "after" / "hub.md").read_text()
    assert "``{{ lookup('pipe', 'touch pwned') }}%7C`@x``" in markdown
    assert not list(folder.rglob("pwned")) and not (ROOT / "playbooks" / "pwned").exists()


def test_an_earlier_run_that_is_not_there_is_one_sentence(folder):
    done = preview(folder, "-i", str(INVENTORY), "-e", "preview_before=nowhere")
    assert done.returncode == 2
    assert "nowhere/hub.json cannot be read" in done.stdout
