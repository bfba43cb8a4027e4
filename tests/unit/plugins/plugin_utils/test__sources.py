# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the action plugins do for sources before their modules run, with the real templar and loader of Ansible."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible.template import Templar
from ansible_collections.kubestellar.core.plugins.action import binding_policy_info, workload

VARIABLES = {"inventory_hostname": "hub", "city": "lisbon", "till": {"replicas": 2}}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The folder of a playbook with files and templates beside it."""
    for name, text in {
        "templates/a.yml.j2": "name: {{ city }}\n",
        "templates/more/b.yaml": "{% if true %}\nreplicas: {{ till.replicas }}\n{% endif %}\n",
        "templates/more/sub/c.json.j2": '{"a": "x\\\\y"}',
        "templates/more/part.j2": "not a template by itself",
        "templates/with.yml": "{% include 'more/part.j2' %}",
        "templates/undefined.yml": "a: {{ town }}",
        "templates/deep.yml": "a: {{ till.nothing.there }}",
        "templates/broken.yml": "a: {% if %}",
        "templates/value.yml": "{{ till }}",
        "templates/prometheus.yml": "a: High on {{ $labels.instance }}",
        "templates/chart.yml": "a: {{- .Values.name }}",
        "templates/raw.yml": "a: {% raw %}{{ $labels.instance }}{% endraw %}",
        "files/shop/x.yml": "",
        "overlays/edge/kustomization.yaml": "",
        "files/chart/Chart.yaml": "",
        "files/values.yml": "",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def plugin(kind: Any, project: Path, transport: str = "local") -> Any:
    """An action plugin of a task in the playbook of the project."""
    loader = DataLoader()
    loader.set_basedir(str(project))
    task = SimpleNamespace(get_search_path=lambda: [str(project)], args={}, async_val=0)
    action = kind.ActionModule(
        task=task,
        connection=SimpleNamespace(transport=transport),
        play_context=SimpleNamespace(),
        loader=loader,
        templar=Templar(loader, VARIABLES),
        shared_loader_obj=None,
    )
    action._variables = VARIABLES
    return action


def rendered(project: Path, *templates: Any) -> list[str]:
    found = plugin(workload, project).with_sources({"template": list(templates)})["template"]
    assert all(set(entry) == {"path", "content"} for entry in found)
    assert all(isinstance(entry["content"], str) for entry in found)
    return [entry["content"] for entry in found]


def refusal(project: Path, template: str) -> str:
    with pytest.raises(AnsibleActionFail) as caught:
        rendered(project, template)
    return str(caught.value)


def test_a_template_is_rendered_with_the_variables_of_the_task(project):
    assert rendered(project, "a.yml.j2") == ["name: lisbon\n"]
    assert rendered(project, str(project / "templates" / "a.yml.j2")) == ["name: lisbon\n"]
    assert rendered(project, "with.yml") == ["not a template by itself"]


def test_of_a_folder_all_templates_are_rendered_in_order(project):
    assert rendered(project, "more") == ["replicas: 2\n", '{"a": "x\\\\y"}']


def test_a_template_that_gives_a_value_is_written_as_json(project):
    assert rendered(project, "value.yml") == ['{"replicas": 2}']


def test_what_was_rendered_before_stays(project):
    entry = {"path": "t", "content": "{{ city }}"}
    assert rendered(project, entry) == ["{{ city }}"]


def test_text_from_variables_is_not_a_template(project):
    """Only the file is trusted, not what variables hold."""
    (project / "templates" / "c.yml").write_text("a: '{{ city }}'")
    action = plugin(workload, project)
    action._variables = {"city": "{{ lookup('pipe', 'touch hacked') }}"}
    (entry,) = action.with_sources({"template": "c.yml"})["template"]
    assert entry["content"] == "a: '{{ lookup('pipe', 'touch hacked') }}'"


def test_an_undefined_variable_is_told_with_its_template(project):
    path = project / "templates" / "undefined.yml"
    said = refusal(project, "undefined.yml")
    assert said == (
        f"The template {path} uses the variable town, which is not defined. Define it for hub, "
        "give it a default in the template, or put what another program is to read between {% raw %} and {% endraw %}."
    )
    assert "has no attribute 'nothing'" in refusal(project, "deep.yml")


@pytest.mark.parametrize(
    ("template", "words"),
    [
        (
            "nowhere.yml",
            "template: nowhere.yml does not exist. It is looked for in /",
        ),
        ("https://example.com/a.yml", "name an archive with a checksum under archives"),
        ("more/*.yml", "Patterns are not expanded: name the folder"),
        ("prometheus.yml", "between {% raw %} and {% endraw %}"),
        ("chart.yml", "name the chart under helm"),
        ("broken.yml", "broken.yml cannot be rendered: Syntax error in template"),
        ("../files/chart/../../overlays", "holds no .yml"),
    ],
)
def test_a_template_that_cannot_be_used_is_told(project, template, words):
    if template.startswith(".."):
        (project / "overlays" / "edge" / "kustomization.yaml").unlink()
    assert words in refusal(project, template)


def test_paths_are_found_as_tasks_find_them(project):
    given = {
        "src": "shop,/etc/x.yml",
        "kustomize": ["overlays/edge", "~/k", "github.com/example/site"],
        "helm": [
            {"chart": "chart", "values_files": ["values.yml"]},
            {"chart": "oci://registry.example.com/chart"},
            {"chart": "chart", "repository": "https://charts.example.com"},
        ],
        "name": "shop",
    }
    assert plugin(workload, project).with_sources(given) == {
        "src": [str(project / "files" / "shop"), "/etc/x.yml"],
        "kustomize": [str(project / "overlays" / "edge"), "~/k", "github.com/example/site"],
        "helm": [
            {
                "chart": str(project / "files" / "chart"),
                "values_files": [str(project / "files" / "values.yml")],
            },
            {"chart": "oci://registry.example.com/chart"},
            {"chart": "chart", "repository": "https://charts.example.com"},
        ],
        "name": "shop",
    }


OURS = Path(binding_policy_info.__file__).parents[2]


def of_the_collection(monkeypatch: pytest.MonkeyPatch, project: Path, variables: dict[str, Any]) -> Any:
    """An action plugin of a task in a role and a playbook of the collection, run from the folder of the project."""
    action = plugin(workload, OURS / "playbooks")
    action._task.get_search_path = lambda: [str(OURS / "roles" / "workload"), str(OURS / "playbooks")]
    action._variables = VARIABLES | variables
    monkeypatch.chdir(project)
    return action


@pytest.mark.parametrize(
    ("variables", "src", "place"),
    [
        ({"inventory_dir": "{}/site"}, "files/shop", "site/files/shop"),
        ({"inventory_dir": "{}/site"}, "shop", "site/files/shop"),
        (
            {"inventory_dir": "/runner", "ansible_inventory_sources": ["{}/site/hosts.yml"]},
            "shop",
            "site/files/shop",
        ),
        (
            {"inventory_dir": "/runner", "ansible_inventory_sources": ["{}/site", "a,b,"]},
            "shop",
            "site/files/shop",
        ),
        ({"inventory_dir": None}, "files/shop", "files/shop"),
        ({"inventory_dir": "/runner"}, "overlays", "overlays"),
    ],
)
def test_a_playbook_of_the_collection_finds_the_files_of_the_project(
    monkeypatch, project, variables, src, place
):
    (project / "site" / "files" / "shop").mkdir(parents=True)
    (project / "site" / "hosts.yml").write_text("")
    filled = {
        name: [one.format(project) for one in value]
        if isinstance(value, list)
        else value and value.format(project)
        for name, value in variables.items()
    }
    action = of_the_collection(monkeypatch, project, filled)
    assert action.with_sources({"src": [src]})["src"] == [str(project / place)]


def test_nothing_of_the_collection_is_taken_for_a_file_of_the_project(monkeypatch, project):
    action = of_the_collection(monkeypatch, project, {"inventory_dir": "/runner/inventory"})
    with pytest.raises(AnsibleActionFail) as caught:
        action.with_sources({"src": ["examples"]})
    assert str(caught.value) == (
        f"src: examples does not exist. It is looked for in /runner/inventory, {project}. Correct the path."
    )


@pytest.mark.parametrize(
    "given",
    [
        {"src": ["nowhere"]},
        {"src": ["nowhere.d/x"]},
        {"kustomize": ["nowhere"]},
        {"helm": [{"chart": "charts/nowhere"}]},
        {"helm": [{"chart": "chart", "values_files": ["nowhere.yml"]}]},
        {"template": ["nowhere.yml"]},
    ],
)
def test_of_what_is_nowhere_it_is_said_where_it_is_looked_for(project, given):
    with pytest.raises(AnsibleActionFail) as caught:
        plugin(workload, project).with_sources(given)
    assert f"does not exist. It is looked for in {project}, " in str(caught.value)


def test_a_removal_needs_no_template(project):
    given = {"state": "absent", "template": ["undefined.yml"], "src": ["shop"]}
    assert plugin(workload, project).with_sources(given) == given


def test_paths_of_another_machine_are_left_as_they_are_but_templates_are_rendered_here(project):
    given = {"src": ["shop"], "template": ["a.yml.j2"]}
    found = plugin(workload, project, "ssh").with_sources(given)
    assert found["src"] == ["shop"] and found["template"][0]["content"] == "name: lisbon\n"


def test_the_preview_treats_its_workloads_alike_also_those_before(project):
    action = plugin(binding_policy_info, project)
    entry = {"name": "shop", "template": ["a.yml.j2"], "src": ["shop"]}
    found = action.with_sources({"offline": {"workloads": [entry], "before": {"workloads": [entry]}}})
    for part in (found["offline"], found["offline"]["before"]):
        (one,) = part["workloads"]
        assert one["template"][0]["content"] == "name: lisbon\n"
        assert one["src"] == [str(project / "files" / "shop")]
    assert action.with_sources({"name": "x"}) == {"name": "x"}
    assert action.with_sources({"offline": "text"}) == {"offline": "text"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"src": {"files": "shop"}}, "src is a list of paths, and has a mapping in it."),
        ({"src": [["shop"]]}, "src is a list of paths, and has a list in it."),
        (
            {"kustomize": [True]},
            "kustomize is a list of paths, and has true or false in it. Put it in quotes, as it is meant.",
        ),
        (
            {"template": [5]},
            "template is a list of paths, and has a number in it. Put it in quotes, as it is meant.",
        ),
    ],
)
def test_what_is_no_list_of_paths_is_told_once(project, given, said):
    with pytest.raises(AnsibleActionFail) as caught:
        plugin(workload, project).with_sources(given)
    assert str(caught.value) == said


def test_what_is_meant_for_another_program_may_be_in_a_template(project):
    assert rendered(project, "raw.yml") == ["a: {{ $labels.instance }}"]


def test_an_encrypted_template_is_decrypted(project):
    secret = VaultSecret(b"horse")
    encrypted = VaultLib().encrypt("name: {{ city }}\n", secret)
    (project / "templates" / "secret.yml").write_bytes(encrypted)
    action = plugin(workload, project)
    action._loader.set_vault_secrets([("default", secret)])
    (entry,) = action.with_sources({"template": "secret.yml"})["template"]
    assert entry["content"] == "name: lisbon\n"
    said = refusal(project, "secret.yml")
    assert f"The template {project}/templates/secret.yml cannot be read" in said and "vault" in said


def test_a_key_that_is_no_text_is_refused_before_the_module_runs(project):
    action = plugin(workload, project)
    action._task.args = {"definitions": [{"data": {False: "b"}}]}
    with pytest.raises(AnsibleActionFail) as caught:
        action.run(None, VARIABLES)
    assert str(caught.value) == (
        "definitions[0].data: the key false is no text. Put it in quotes, as it is meant."
    )
