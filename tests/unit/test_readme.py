# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What README, CONTRIBUTING, role READMEs and guides say: commands, files, names, YAML, messages, links."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.kubestellar.core.plugins.module_utils import _auth
from ansible_collections.kubestellar.core.plugins.module_utils.embedded import build, home, ports, preflight
from ansible_collections.kubestellar.core.plugins.plugin_utils import _inventory, _wecs

ROOT = Path(__file__).parents[2]
README = "README.md"
USER_GUIDE = "docs/docsite/rst/guide_user.rst"
PLACEMENT_GUIDE = "docs/docsite/rst/guide_placement.rst"
EMBEDDED_GUIDE = "docs/docsite/rst/guide_embedded.rst"
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "roles/*/README.md", "docs/docsite/rst/*.rst")
    for path in ROOT.glob(pattern)
    if path.name != "CHANGELOG.md"  # made by a tool; it tells of what may be gone
)
GALAXY = yaml.safe_load((ROOT / "galaxy.yml").read_text())
INVENTORY = ROOT / "inventories" / "embedded"
SPECS = {
    path.parent.parent.name: yaml.load(path.read_text(), Loader=yaml.CSafeLoader)["argument_specs"][
        "main"
    ].get("options", {})
    for path in ROOT.glob("roles/*/meta/argument_specs.yml")
}
CONSTRUCTED = {"compose", "groups", "keyed_groups", "strict"}
CREDENTIAL_TYPE = ({"fields", "required"}, {"file", "env"})
"""Options of Ansible's own in inventory sources, and the two halves of a credential type of AWX."""
CONNECTION = yaml.safe_load((INVENTORY / "group_vars" / "all.yml").read_text())
"""What an inventory says so that nobody tries to log in to a cluster."""
MADE_LATER = {"docs/_build"}
"""Paths that documents may name though a fresh clone has none."""


def stems(folder: str) -> set[str]:
    return {path.stem for path in (ROOT / folder).glob("[!_]*.*")}


def text_of(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def blocks(document: str, *languages: str) -> list[str]:
    """The code blocks of a document in the given languages."""
    text = text_of(document)
    if document.endswith(".md"):
        found = re.findall(r"(?ms)^( *)```(\w*)\n(.*?)^ *```$", text)
    else:
        found = re.findall(r"(?m)^( *)\.\. code-block:: ([\w+]+)\n\n((?:\1   .*\n|\n)+)", text)
    return [code for _indent, language, code in found if language in languages]


def code_of(document: str) -> str:
    """Everything in a document that is set as code: blocks and inline."""
    text = text_of(document)
    inline = r"(?<!`)`([^`\n]+)`(?!`)" if document.endswith(".md") else r"``([^`]+)``"
    return "\n".join([*blocks(document, "", "shell", "yaml", "text"), *re.findall(inline, text)])


# -- commands, files, names ------------------------------------------------------------------------------------------


def make_targets() -> set[str]:
    return set(re.findall(r"(?m)^([a-z][a-z0-9-]*):", (ROOT / "Makefile").read_text()))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_target_of_make_that_is_named_exists(document):
    for target in re.findall(r"\bmake (?:-s )?([a-z][a-z0-9-]*)", code_of(document)):
        assert target in make_targets()


def test_the_makefile_lists_its_targets():
    """`docs` is a folder as well, so a target that is not phony may do nothing; and `help` shows those with a comment."""
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"(?m)^\.PHONY: (.*)$", makefile)
    assert phony and set(phony.group(1).split()) == make_targets()
    explained = set(re.findall(r"(?m)^([a-z0-9-]+):.*## ", makefile))
    assert make_targets() - explained == {target for target in make_targets() if target.startswith("set-up")}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_shell_examples_are_shell(document):
    for block in blocks(document, "shell"):
        done = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True, check=False)
        assert done.returncode == 0, block + done.stderr


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_program_of_the_environment_that_is_named_is_in_it(document):
    for program in re.findall(r"\.venv/bin/([\w-]+)", code_of(document)):
        assert (ROOT / ".venv" / "bin" / program).exists(), program


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_of_the_repository_that_is_named_exists(document):
    folders = "|".join(path.name for path in ROOT.iterdir() if path.is_dir() and path.name[0] != ".")
    homes = [ROOT, *(ROOT / "roles").iterdir()]
    for path in re.findall(rf"(?<![\w./~$>-])((?:{folders})/[\w./*-]*)(?![\w<])", code_of(document)):
        there = any(any(folder.glob(path.rstrip("/."))) for folder in homes)
        assert there or path in MADE_LATER, path


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_name_of_the_collection_exists(document):
    plugins = stems("plugins/modules") | stems("plugins/filter") | stems("plugins/inventory")
    known = plugins | stems("playbooks") | set(SPECS)
    fragments = {path.stem for path in (ROOT / "plugins" / "doc_fragments").glob("_*.py")}
    for name in re.findall(r"kubestellar\.core\.(\w+)", text_of(document)):
        assert name in known | fragments | {"docsite", "plugins"}, name


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_context_and_playbook_in_a_command_exists(document):
    hosts = inventory_of(yaml.safe_load((INVENTORY / "hosts.yml").read_text()))[1]
    contexts = {*hosts, "its1", "wds1"}
    for block in blocks(document, "shell"):
        assert set(re.findall(r"--context (\S+)", block)) <= contexts
        for playbook in re.findall(r"ansible-playbook .*?(?:playbooks/|kubestellar\.core\.)([\w/]+)", block):
            assert (ROOT / "playbooks" / f"{playbook}.yml").is_file(), playbook
        for expression in re.findall(r"-k (\w+)", block):
            tests = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
            assert re.search(rf"def test_\w*{expression}", tests), f"no test matches {expression}"


# -- YAML ------------------------------------------------------------------------------------------------------------


def inventory_of(content: dict[str, Any]) -> tuple[dict[str, list[str]], dict[str, dict[str, Any]]]:
    """Groups and host variables of an inventory file, as the check of the inventory gets them."""
    groups = {
        group: list(content.get(group, {}).get("hosts") or {}) for group in (_inventory.HUBS, _inventory.WECS)
    }
    hosts: dict[str, dict[str, Any]] = {}
    for group in groups:
        for host, variables in (content.get(group, {}).get("hosts") or {}).items():
            hosts[host] = hosts.get(host, {}) | (variables or {})
    return groups, hosts


def check_yaml(content: Any) -> None:
    """See that an example is right, whatever it is."""
    if isinstance(content, list):
        for play in content:
            check_play(play)
    elif "plugin" in content:
        _wecs.parameters(content, CONSTRUCTED, "/srv/site")
    elif set(content) <= set(CONNECTION):
        assert content == CONNECTION
    elif set(content) in CREDENTIAL_TYPE:
        pass  # test_guide_inventory.py looks at it
    elif _inventory.HUBS in content or _inventory.WECS in content:
        assert _inventory.problems(*inventory_of(content), SPECS) == []
    elif all(key.partition("_")[0] in SPECS for key in content):
        groups, hosts = inventory_of(yaml.safe_load((INVENTORY / "hosts.yml").read_text()))
        hub, wec = (
            {key: content[key] for key in content if key.startswith(role)} for role in ("hub_", "wec_")
        )
        assert len(hub) + len(wec) == len(content)
        hosts["hub"], hosts["cluster1"] = hosts["hub"] | hub, hosts["cluster1"] | wec
        assert _inventory.problems(groups, hosts, SPECS) == []
    else:
        sections = yaml.safe_load((ROOT / "changelogs" / "config.yaml").read_text())["sections"]
        assert set(content) <= {name for name, _title in sections}
        assert all(isinstance(text, str) and "http" in text for texts in content.values() for text in texts)


def check_play(play: dict[str, Any]) -> None:
    assert play["hosts"] in (_inventory.HUBS, _inventory.WECS)
    assert play["gather_facts"] is False
    for role in play.get("roles", []):
        check_role(role["role"], {key: value for key, value in role.items() if key != "role"})
    for task in play.get("tasks", []):
        if "ansible.builtin.include_role" in task:
            check_role(task["ansible.builtin.include_role"]["name"], task.get("vars", {}))
        else:
            (name,) = (key for key in task if key.startswith("kubestellar.core."))
            check_module(name.removeprefix("kubestellar.core."), task[name])


def check_module(name: str, arguments: dict[str, Any]) -> None:
    """See that a module takes these options, and has all that it requires."""
    module = importlib.import_module(f"ansible_collections.kubestellar.core.plugins.modules.{name}")
    spec = {**_auth.AUTH_SPEC, **_auth.GUARD_SPEC, **_auth.space_spec("its"), **module.SPEC}
    assert ArgumentSpecValidator(spec).validate(arguments).error_messages == []


def check_role(name: str, variables: dict[str, Any]) -> None:
    options = SPECS[name.removeprefix("kubestellar.core.")]
    assert set(variables) <= set(options)
    for option, value in variables.items():
        inner = options[option].get("options")
        assert not inner or set(value) <= set(inner), option


@pytest.mark.parametrize("document", [document for document in DOCUMENTS if blocks(document, "yaml")])
def test_yaml_examples_are_right(document):
    for block in blocks(document, "yaml"):
        check_yaml(yaml.safe_load(block))


def test_the_inventory_of_the_demo_is_right():
    groups, hosts = inventory_of(yaml.safe_load((INVENTORY / "hosts.yml").read_text()))
    hosts["hub"] |= yaml.safe_load((INVENTORY / "group_vars" / "kubestellar_hubs.yml").read_text())
    assert _inventory.problems(groups, hosts, SPECS) == []
    assert groups[_inventory.WECS]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_an_inventory_says_that_clusters_are_no_machines_to_log_in_to(document):
    """That of the user guide does so in group_vars, and that of the guide to placement is read beside it."""
    for block in blocks(document, "yaml"):
        content = yaml.safe_load(block)
        inventory = isinstance(content, dict) and not {_inventory.HUBS, _inventory.WECS}.isdisjoint(content)
        if inventory and document not in (USER_GUIDE, PLACEMENT_GUIDE):
            assert content["all"]["vars"].items() <= CONNECTION.items() and len(content["all"]["vars"]) == 2


def test_every_inventory_says_that_clusters_are_no_machines_to_log_in_to():
    for folder in INVENTORY.parent.iterdir():
        assert yaml.safe_load((folder / "group_vars" / "all.yml").read_text()) == CONNECTION, folder


def workloads_of(content: Any) -> Iterator[Mapping[str, Any]]:
    """Source and placement of each workload in an example, whatever it is."""
    if isinstance(content, list):
        for item in content:
            yield from workloads_of(item)
    elif isinstance(content, dict):
        for prefix in ("", "workload_"):
            if isinstance(source := content.get(f"{prefix}source"), dict):
                yield {"source": source, "placement": content.get(f"{prefix}placement")}
        yield from workloads_of(list(content.values()))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_shop_with_a_job_is_placed_create_only(document):
    for block in blocks(document, "yaml", "yaml+jinja"):
        if "{{ .Release" in block:
            continue  # of a chart
        for workload in workloads_of(yaml.safe_load(block)):
            if (
                any(path.endswith("/shop") for path in workload["source"].get("src", []))
                and workload["placement"]
            ):
                assert {"resources": ["jobs"], "create_only": True} in workload["placement"]["modulations"]


# -- README ----------------------------------------------------------------------------------------------------------


def test_the_readme_has_the_sections_that_hubs_want():
    headings = re.findall(r"(?m)^## (.*)$", text_of(README))
    wanted = [
        "Requirements",
        "Installation",
        "Use cases",
        "Testing",
        "Contributing",
        "Support",
        "Release notes",
        "License",
    ]
    assert [heading for heading in headings if heading in wanted] == wanted
    quick_start = text_of(README).partition("## Quick start")[2].partition("```")[2].partition("```")[0]
    assert quick_start.split("\n")[1:-1] == ["make demo", "make test"]


@pytest.mark.parametrize("document", [document for document in DOCUMENTS if document.endswith(".md")])
def test_links_are_full_urls_into_one_repository(document):
    for link in re.findall(r"\]\(([^)]*)\)", text_of(document)):
        assert link.startswith("https://"), link
        if "github.com" in link:
            assert re.match(rf"{re.escape(GALAXY['repository'])}(?:/|$)", link), link
        path = re.match(rf"{re.escape(GALAXY['repository'])}/(?:blob|tree)/main/(.*)", link)
        assert not path or (ROOT / path.group(1)).exists(), link


def test_the_readme_lists_exactly_what_there_is():
    text = text_of(README)
    modules = text.partition("Modules: ")[2].partition("`ansible-doc")[0]
    assert set(re.findall(r"`(\w+)`", modules)) == stems("plugins/modules")
    assert set(re.findall(r"(?m)^\| `kubestellar\.core\.(\w+)` \|", text)) == stems("playbooks")
    rows = dict(re.findall(r"(?m)^\| `(\w+)` \|.*\[roles/(\w+)\]", text))
    assert rows == {role: role for role in SPECS}


def functions(path: Path) -> dict[str, ast.FunctionDef]:
    return {node.name: node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)}


def playbooks_of(node: ast.FunctionDef, known: dict[str, ast.FunctionDef]) -> set[str]:
    """What a test runs, also in its fixtures and in the functions that it names: run("site") and playbooks / "site.yml"."""
    found, seen, waiting = set(), set(), [node]
    while waiting:
        for part in ast.walk(waiting.pop()):
            name = part.id if isinstance(part, ast.Name) else part.arg if isinstance(part, ast.arg) else None
            if name in known and name not in seen:
                seen.add(name)
                waiting.append(known[name])
            if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.args:
                first = part.args[0]
                if part.func.attr in ("arguments", "playbook", "run", "start_playbook"):
                    found.add(str(getattr(first, "value", "")))
            elif isinstance(part, ast.Constant) and str(part.value).endswith(".yml"):
                found.add(str(part.value).removesuffix(".yml"))
    return found


def test_each_playbook_is_run_by_a_core_test():
    folder, found = ROOT / "tests" / "integration", set()
    shared = functions(folder / "running.py") | functions(folder / "conftest.py")
    for path in folder.glob("test_*.py"):
        own = functions(path)
        everything = "pytestmark = pytest.mark.core" in path.read_text()
        for name, node in own.items():
            marked = everything or any("pytest.mark.core" in ast.unparse(one) for one in node.decorator_list)
            if name.startswith("test_") and marked:
                found |= playbooks_of(node, shared | own)
    listed = set(re.findall(r"(?m)^\| `kubestellar\.core\.(\w+)` \|", text_of(README)))
    assert listed - found == set()


@pytest.mark.parametrize("document", [README, USER_GUIDE])
def test_the_folders_of_logs_are_those_of_the_stack(document):
    stack = home.Stack.of("", "kubestellar")
    text = " ".join(text_of(document).split())
    for folder in (stack.logs, stack.cluster("<name>") / "logs"):
        short = str(folder).replace(str(Path.home()), "~")
        assert short in text or short.replace("~/.kubestellar/stacks/kubestellar", "...") in text, short


def test_the_readme_asks_for_the_room_that_building_takes():
    text = text_of(README)
    assert f"{build.DISK_FREE // 1024} GiB of\nfree disk" in text
    memory = re.search(r"(\d+) GiB of free memory", text)
    assert memory and int(memory.group(1)) * 1024 >= build.MEMORY_FREE


# -- guides ----------------------------------------------------------------------------------------------------------


def test_the_user_guide_shows_the_inventory_as_it_is():
    shown = [yaml.safe_load(block) for block in blocks(USER_GUIDE, "yaml")]
    assert shown[0] == yaml.safe_load((INVENTORY / "hosts.yml").read_text())
    hub = yaml.safe_load((INVENTORY / "group_vars" / "kubestellar_hubs.yml").read_text())
    assert shown[1] == CONNECTION
    assert shown[2] == {"hub_workloads": hub["hub_workloads"]}


def test_what_the_user_guide_adds_is_added_to_the_list_of_the_inventory():
    """Another list, as one of the host, would take its place, and the shop would be looked after by nobody."""
    hub = yaml.safe_load((INVENTORY / "group_vars" / "kubestellar_hubs.yml").read_text())
    lists = [
        yaml.safe_load(block)["hub_workloads"]
        for block in blocks(USER_GUIDE, "yaml")
        if "hub_workloads" in block
    ]
    names = {entry["name"] for entry in hub["hub_workloads"]}
    assert len(lists) == 3
    assert lists[1][: len(hub["hub_workloads"])] == hub["hub_workloads"] and len(lists[1]) > len(names)
    assert all(names <= {entry["name"] for entry in entries} for entries in lists)


def test_the_user_guide_names_the_playbooks_and_tags_of_site():
    imported = yaml.safe_load((ROOT / "playbooks" / "site.yml").read_text())
    text = text_of(USER_GUIDE)
    position = 0
    for play in imported:
        name = play["ansible.builtin.import_playbook"]
        (content,) = yaml.safe_load((ROOT / "playbooks" / name).read_text())
        (tag,) = content["tags"]
        position = text.find(f"* - ``{name}``\n     - ``{tag}``", position)
        assert position >= 0, f"{name} with its tag {tag} is not in the table, or not in its place"


def test_the_guides_are_listed():
    sections = yaml.safe_load((ROOT / "docs" / "docsite" / "extra-docs.yml").read_text())["sections"]
    listed = [name for section in sections for name in section["toctree"]]
    assert sorted(listed) == sorted(path.stem for path in (ROOT / "docs" / "docsite" / "rst").glob("*.rst"))
    links = yaml.safe_load((ROOT / "docs" / "docsite" / "links.yml").read_text())
    assert GALAXY["repository"].endswith(f"/{links['edit_on_github']['repository']}")


def sentences(tree: ast.AST) -> list[str]:
    """Every text in code, with ... for what is filled in."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(node.value)
        elif isinstance(node, ast.JoinedStr):
            parts = (str(part.value) if isinstance(part, ast.Constant) else "..." for part in node.values)
            found.append("".join(parts))
    return found


def embedded_sentences() -> list[str]:
    folder = ROOT / "plugins" / "module_utils" / "embedded"
    return [text for path in folder.glob("*.py") for text in sentences(ast.parse(path.read_text()))]


def test_the_messages_in_the_embedded_guide_are_those_of_the_code():
    messages = re.findall(r"(?m)^``(.*)``\n   \w", text_of(EMBEDDED_GUIDE))
    assert len(messages) >= 12
    known = [" ".join(sentence.split()) for sentence in embedded_sentences()]
    for message in messages:
        pattern = r".*".join(re.escape(part.strip()) for part in message.split("..."))
        assert any(re.search(pattern, sentence) for sentence in known), message


def test_the_embedded_guide_explains_every_message_about_the_machine():
    """The other way round: the longest fixed part of each sentence of these checks is in the guide."""
    checks = (
        preflight.machine,
        preflight.proxy,
        preflight.memory,
        preflight.inotify,
        preflight._disk,
        ports.check_free,
        build._preflight,
    )
    messages = [
        text
        for check in checks
        for text in sentences(ast.parse(textwrap.dedent(inspect.getsource(check))))
        if text.endswith(".") and text != inspect.getdoc(check)
    ]
    assert len(messages) > len(checks)
    for message in messages:
        longest = max(message.split("..."), key=len).strip(" .,")
        assert longest in " ".join(text_of(EMBEDDED_GUIDE).split()), message


def test_the_embedded_guide_has_the_numbers_and_folders_of_the_code():
    text = text_of(EMBEDDED_GUIDE)
    for number in (build.DISK_FREE, build.MEMORY_FREE, preflight.DISK_FREE, preflight.MEMORY_PER_CLUSTER):
        assert re.search(rf"\b{number} MiB\b", text), number
    assert f"between {ports._LOWEST} and {ports._HIGHEST}" in text
    stack = home.Stack(Path("/home"), "<stack>")
    for path in (
        stack.folder,
        stack.kubeconfig,
        stack.logs,
        stack.cluster("<name>"),
        stack.agents / "<name>",
    ):
        assert f"``{path.relative_to(stack.home)}``" in text
    assert home._STACK_NAME.match("a" * 30) and not home._STACK_NAME.match("a" * 31)
    assert "at most 30 characters" in text
