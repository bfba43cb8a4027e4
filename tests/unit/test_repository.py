# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the files of the repository say about each other: specs, documentation, metadata, versions, the built collection."""

from __future__ import annotations

import ast
import importlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_collections.kubernetes.core.plugins.doc_fragments import k8s_auth_options
from ansible_collections.kubestellar.core.plugins.module_utils import _auth, _module, _space
from ansible_collections.kubestellar.core.plugins.module_utils.embedded import home
from ansible_collections.kubestellar.core.plugins.module_utils.hub.options import LIMITS_SPEC, SPACES_SPEC
from ansible_collections.kubestellar.core.plugins.module_utils.klusterlet.wishes import CLUSTERS_SPEC
from ansible_collections.kubestellar.core.plugins.module_utils.placement import apply, inside
from ansible_collections.kubestellar.core.plugins.module_utils.status.read import QUESTION_SPEC
from packaging.specifiers import SpecifierSet
from packaging.version import Version

ROOT = Path(__file__).parents[2]
COLLECTION = "kubestellar.core"
PACKAGE = "ansible_collections.kubestellar.core.plugins"


def names(*folder: str, pattern: str = "[!_]*.py") -> list[str]:
    """The files of a folder that match, without their suffix."""
    return sorted(path.stem for path in ROOT.joinpath(*folder).glob(pattern))


MODULES = names("plugins", "modules")
FILTERS = names("plugins", "filter")
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir() if (path / "tasks").is_dir())
RUNTIME = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())
GALAXY = yaml.safe_load((ROOT / "galaxy.yml").read_text())
MEMBERS = [entry for entry in RUNTIME["action_groups"]["kubestellar"] if isinstance(entry, str)]

FRAGMENTS: dict[str, dict[str, Any]] = {
    "_hub.DOCUMENTATION": SPACES_SPEC,
    "_hub.LIMITS": LIMITS_SPEC,
    "_clusters.DOCUMENTATION": inside.WECS_SPEC,
    "_clusters.PLANNED": apply.PLANNED_SPEC,
    "_auth.DOCUMENTATION": {**_auth.AUTH_SPEC, **_auth.GUARD_SPEC},
    "_auth.WDS": _auth.space_spec("wds"),
    "_auth.ITS": _auth.space_spec("its"),
    "_auth.SPACES": _space.SPACES_SPEC,
    "_embedded.DOCUMENTATION": home.STACK_SPEC,
    "_klusterlet.DOCUMENTATION": CLUSTERS_SPEC,
    "_status.DOCUMENTATION": QUESTION_SPEC,
}
"""Doc fragment to the spec constant that it documents. Fragments without options need none."""


def repository_files() -> list[str]:
    """The files that git tracks, or would track."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")
    return sorted({name for name in listed if name and (ROOT / name).is_file()})


def documentation(kind: str, name: str) -> dict[str, Any]:
    """DOCUMENTATION of a plugin."""
    return dict(yaml.safe_load(importlib.import_module(f"{PACKAGE}.{kind}.{name}").DOCUMENTATION))


def fragments(docs: dict[str, Any]) -> list[str]:
    """The doc fragments that a documentation extends, as `_auth.WDS`."""
    found = []
    for name in docs.get("extends_documentation_fragment") or []:
        assert name.startswith(f"{COLLECTION}."), f"{name} is not one of ours"
        file, _dot, section = name.removeprefix(f"{COLLECTION}.").partition(".")
        found.append(f"{file}.{(section or 'documentation').upper()}")
    return found


def fragment(name: str) -> dict[str, Any]:
    """A doc fragment, named as `_auth.WDS`."""
    file, _dot, section = name.partition(".")
    module = importlib.import_module(f"{PACKAGE}.doc_fragments.{file}")
    return dict(yaml.safe_load(getattr(module.ModuleDocFragment, section)))


def documented_options(kind: str, name: str) -> dict[str, Any]:
    """The options of a plugin with those of its fragments."""
    docs = documentation(kind, name)
    options: dict[str, Any] = {}
    for part in fragments(docs):
        options |= fragment(part)["options"] or {}
    return options | (docs.get("options") or {})


def shape(option: dict[str, Any]) -> dict[str, Any]:
    """What documentation and spec of an option must agree in."""
    kept = {
        key: option[key]
        for key in ("elements", "default", "choices", "required")
        if option.get(key) is not None
    }
    kept["type"] = option.get("type", "str")
    kept["aliases"] = sorted(option.get("aliases") or [])
    inner = option.get("suboptions") or option.get("options")
    if inner:
        kept["options"] = {name: shape(sub) for name, sub in inner.items()}
    return kept


def shapes(options: dict[str, Any]) -> dict[str, Any]:
    return {name: shape(option) for name, option in options.items()}


# -- modules, filters, fragments -------------------------------------------------------------------------------------


class Stopped(Exception):
    """Carries the argument spec out of a module's main()."""


@pytest.fixture
def argument_spec(monkeypatch):
    """The argument spec that a module's main() hands to AnsibleModule."""

    def stop(*, argument_spec, **_others):
        raise Stopped(argument_spec)

    def of(name: str) -> dict[str, Any]:
        monkeypatch.setattr(_module, "_Module", stop)
        with pytest.raises(Stopped) as caught:
            importlib.import_module(f"{PACKAGE}.modules.{name}").main()
        return dict(caught.value.args[0])

    return of


def test_the_action_group_is_exactly_the_modules_whose_documentation_says_so():
    documented = [
        name for name in MODULES if "_attributes.ACTION_GROUP" in fragments(documentation("modules", name))
    ]
    assert sorted(MEMBERS) == documented
    membership = fragment("_attributes.ACTION_GROUP")["attributes"]["action_group"]["membership"]
    assert membership == [f"{COLLECTION}.kubestellar"]
    assert {"metadata": {"extend_group": ["kubernetes.core.k8s"]}} in RUNTIME["action_groups"]["kubestellar"]


@pytest.mark.parametrize("name", MEMBERS)
def test_a_member_of_the_group_accepts_every_connection_option_of_kubernetes_core(name, argument_spec):
    theirs = yaml.safe_load(k8s_auth_options.ModuleDocFragment.DOCUMENTATION)["options"]
    ours = argument_spec(name)
    lacking = sorted(set(theirs) - set(ours))
    assert not lacking, f"group defaults for kubernetes.core that name {', '.join(lacking)} make {name} fail"
    assert shapes({option: ours[option] for option in theirs}) == shapes(theirs)


@pytest.mark.parametrize("name", sorted(FRAGMENTS))
def test_a_fragment_documents_exactly_its_spec(name):
    assert shapes(fragment(name)["options"]) == shapes(FRAGMENTS[name])


def test_every_fragment_with_options_has_its_spec_in_this_test():
    for file in names("plugins", "doc_fragments", pattern="_[!_]*.py"):
        module = importlib.import_module(f"{PACKAGE}.doc_fragments.{file}")
        for section in vars(module.ModuleDocFragment):
            if section.isupper() and fragment(f"{file}.{section}")["options"]:
                assert f"{file}.{section}" in FRAGMENTS


@pytest.mark.parametrize("name", [name for name in MODULES if name != "inventory_check"])
def test_a_module_documents_exactly_its_spec(name, argument_spec):
    assert shapes(documented_options("modules", name)) == shapes(argument_spec(name))


@pytest.mark.parametrize("name", MODULES)
def test_a_module_states_its_attributes(name):
    docs = documentation("modules", name)
    stated: dict[str, Any] = {}
    for part in [fragment(entry) for entry in fragments(docs)] + [docs]:
        for attribute, values in (part.get("attributes") or {}).items():
            stated[attribute] = stated.get(attribute, {}) | values
    for attribute in ("check_mode", "diff_mode", "idempotent", "async"):
        assert stated[attribute].get("support") in ("full", "partial", "none", "N/A"), attribute
    assert stated["check_mode"]["support"] == "full"


@pytest.mark.parametrize(
    ("kind", "name"), [("modules", n) for n in MODULES] + [("filter", n) for n in FILTERS]
)
def test_a_plugin_is_documented_with_examples_that_use_it_rightly(kind, name):
    plugin = importlib.import_module(f"{PACKAGE}.{kind}.{name}")
    docs = documentation(kind, name)
    assert docs["module" if kind == "modules" else "name"] == name
    assert Version(docs["version_added"]) <= Version(GALAXY["version"])
    assert yaml.safe_load(plugin.RETURN)
    assert f"{COLLECTION}.{name}" in plugin.EXAMPLES
    tasks = list(own_tasks(yaml.safe_load(plugin.EXAMPLES)))
    assert tasks or kind != "modules"
    for module, arguments in tasks:
        assert module in MODULES, f"there is no module {module}"
        options = documented_options("modules", module)
        known = set(options).union(*(option.get("aliases") or [] for option in options.values()))
        assert set(arguments or {}) <= known
        assert {option for option in options if options[option].get("required")} <= set(arguments or {})


def own_tasks(tasks: list[dict[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Module of ours and arguments, for each task of a list that uses one; blocks and plays are entered."""
    for task in tasks:
        for key, value in task.items():
            if key.startswith(f"{COLLECTION}."):
                yield key.removeprefix(f"{COLLECTION}."), value
            elif key in ("tasks", "pre_tasks", "block", "rescue", "always"):
                yield from own_tasks(value)


def test_plugin_routing_names_exist():
    routing = RUNTIME["plugin_routing"]
    assert set(routing) == {"modules"}
    for module, entry in routing["modules"].items():
        assert module in MODULES
        assert set(entry) == {"action_plugin"}
        assert entry["action_plugin"].removeprefix(f"{COLLECTION}.") in names("plugins", "action")


def test_a_module_that_reports_progress_goes_through_the_action_plugin_that_shows_it():
    """One that has the name of such an action plugin needs no route."""
    base = importlib.import_module(f"{PACKAGE}.action.embedded_build").ActionModule
    plugins = {
        name: importlib.import_module(f"{PACKAGE}.action.{name}") for name in names("plugins", "action")
    }
    shown = {name for name, plugin in plugins.items() if issubclass(plugin.ActionModule, base)}
    shown |= set(RUNTIME["plugin_routing"]["modules"])
    sources = {name: (ROOT / "plugins" / "modules" / f"{name}.py").read_text() for name in MODULES}
    assert {name for name, source in sources.items() if "context.progress" in source} <= shown


def test_every_action_plugin_has_the_name_of_a_module():
    assert set(names("plugins", "action")) <= set(MODULES)


# -- roles -----------------------------------------------------------------------------------------------------------


def role_yaml(role: str, *path: str) -> dict[str, Any]:
    """A file of a role; empty if there is none."""
    file = ROOT.joinpath("roles", role, *path)
    # The loader in C: a spec is long, and read by many tests.
    return (yaml.load(file.read_text(), Loader=yaml.CSafeLoader) or {}) if file.exists() else {}


def entry_points(role: str) -> dict[str, Any]:
    return dict(role_yaml(role, "meta", "argument_specs.yml")["argument_specs"])


def options(role: str) -> dict[str, Any]:
    return dict(entry_points(role)["main"]["options"])


def readme_rows(role: str) -> dict[str, str]:
    """Variable to the default in its row of the README; a row may have several variables."""
    rows = {}
    for line in (ROOT / "roles" / role / "README.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")] if line.startswith("| `") else []
        for variable in re.findall(rf"`({role}_\w+)`", cells[0] if cells else ""):
            rows[variable] = cells[1]
    return rows


def is_computed(value: object) -> bool:
    return isinstance(value, str) and "{{" in value


@pytest.mark.parametrize("role", ROLES)
def test_defaults_of_a_role_are_those_of_its_specs(role):
    """A computed list, mapping or number cannot be written into a spec, which wants a value of the type: words say it."""
    defaults = role_yaml(role, "defaults", "main.yml")
    assert set(defaults) <= set(options(role))
    for name, option in options(role).items():
        if option.get("required"):
            assert name not in defaults
            continue
        assert name in defaults, f"{name} has no default in defaults/main.yml"
        if is_computed(defaults[name]) and option["type"] not in ("str", "path"):
            assert "default" not in option, f"{name}: a template is no {option['type']}"
        else:
            assert option.get("default") == defaults[name], name


@pytest.mark.parametrize("role", ROLES)
def test_every_entry_point_of_a_role_takes_the_same_options(role):
    same = options(role)
    for name, entry in entry_points(role).items():
        assert entry["options"] == same, name
        assert entry["short_description"] and entry["description"]


@pytest.mark.parametrize("role", ROLES)
def test_every_variable_of_a_role_begins_with_its_name(role):
    for name in options(role):
        assert name.startswith(f"{role}_")
    for name in role_yaml(role, "vars", "main.yml"):
        assert name.startswith(f"__{role}_")


@pytest.mark.parametrize("role", ROLES)
def test_the_readme_of_a_role_has_each_variable_with_its_default(role):
    rows = readme_rows(role)
    assert sorted(rows) == sorted(options(role))
    for name, value in role_yaml(role, "defaults", "main.yml").items():
        if is_computed(value) or value == "" or (isinstance(value, list) and value):
            continue  # the README says those in words
        written = json.dumps(value).strip('"')
        assert re.search(rf"(?<![\w.-]){re.escape(written)}(?![\w-])", rows[name]), (
            f"{name}: {written} in {rows[name]}"
        )


@pytest.mark.parametrize("role", ROLES)
def test_the_entry_points_of_a_role_are_its_task_files_and_in_its_readme(role):
    readme = (ROOT / "roles" / role / "README.md").read_text()
    internal = set(re.findall(r"`(\w+)`", " ".join(re.findall(r"internal: ([^.)]*)", readme, re.IGNORECASE))))
    files = {path.stem for path in (ROOT / "roles" / role / "tasks").glob("*.yml")}
    assert set(entry_points(role)) | internal == files
    assert not set(entry_points(role)) & internal
    for name in set(entry_points(role)) - {"main"}:
        assert f"`{name}`" in readme, f"the README does not name {name}"


def test_an_entry_of_hub_workloads_has_the_options_of_the_role_workload_and_the_playbook_hands_them_over():
    entry, role = options("hub")["hub_workloads"]["options"], options("workload")
    (play,) = yaml.safe_load((ROOT / "playbooks" / "workloads.yml").read_text())
    handed = play["tasks"][0]["vars"]
    for name, option in entry.items():
        assert {**shape(option), "default": None} == {**shape(role[f"workload_{name}"]), "default": None}, (
            name
        )
        assert f"workload_{name}" in handed and f"workload.{name}" in str(handed), (
            f"{name} is not handed over"
        )


def test_a_role_reads_its_options_only():
    """No task, default or variable of a role names one that begins with its name and is not among its options."""
    for role in ROLES:
        known = set(options(role))
        for part in ("tasks", "defaults", "vars"):
            for path in (ROOT / "roles" / role / part).glob("*.yml"):
                # Quoted names are text, such as a filter's argument; names after a dot are keys of something else.
                used = re.findall(rf"(?<![\w.'/])({role}_[a-z_]+)\b", strip_fqcn(path.read_text()))
                foreign = sorted(set(used) - known)
                assert not foreign, f"{path.relative_to(ROOT)} uses {foreign}"


def test_a_role_touches_the_hosts_of_its_batch_only():
    """With serial, the hosts of the play are all that the play will ever come to. Only names of files may depend on them."""
    users = {
        str(path.relative_to(ROOT))
        for folder in ("roles", "playbooks")
        for path in (ROOT / folder).rglob("*.yml")
        if re.search(r"\bansible_play_hosts(_all)?\b", path.read_text())
    }
    assert users == {"roles/status/vars/main.yml"}


def strip_fqcn(text: str) -> str:
    """Text without names such as kubestellar.core.hub_limits and without comments."""
    return re.sub(r"(?m)^\s*#.*$", "", re.sub(r"\bkubestellar\.core\.\w+", "", text))


# -- versions --------------------------------------------------------------------------------------------------------


def pins(name: str) -> dict[str, Version]:
    """Package to version of a set of requirements."""
    lines = (ROOT / "requirements" / f"{name}.txt").read_text().splitlines()
    found = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {package.lower().replace("_", "-"): Version(version) for package, version in found}


def lower_bounds() -> dict[str, Version]:
    """Package to the lowest version that execution environments may have."""
    bounds = {}
    for line in (ROOT / "meta" / "ee-requirements.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            match = re.fullmatch(r"([\w.-]+)>=([\d.]+)", line)
            assert match, f"{line} is no lower bound"
            bounds[match.group(1).lower()] = Version(match.group(2))
    return bounds


def installed_kubernetes_core() -> Version:
    manifest = (
        ROOT / ".venv" / "collections" / "ansible_collections" / "kubernetes" / "core" / "MANIFEST.json"
    )
    return Version(json.loads(manifest.read_text())["collection_info"]["version"])


def kubernetes_core_pin() -> Version:
    (entry,) = yaml.safe_load((ROOT / "requirements.yml").read_text())["collections"]
    assert entry["name"] == "kubernetes.core"
    return Version(entry["version"])


def test_kubernetes_core_is_one_version_everywhere():
    pin = kubernetes_core_pin()
    assert pin in SpecifierSet(GALAXY["dependencies"]["kubernetes.core"])
    said = re.findall(r"kubernetes\.core ([\d.]+\d)", (ROOT / "requirements" / "collections.txt").read_text())
    assert [Version(version) for version in said] == [pin]
    assert installed_kubernetes_core() == pin


def test_execution_environments_may_have_what_we_test_with():
    tested = pins("runtime")
    for package, bound in lower_bounds().items():
        assert bound <= tested[package], package


def test_execution_environments_get_what_the_plugins_import():
    """Except for the embedded provider, which is not for execution environments."""
    packages = {
        "cryptography": "cryptography",
        "kubernetes": "kubernetes",
        "openshift_client": "openshift-client",
        "urllib3": "kubernetes",
        "yaml": "pyyaml",
    }
    imported = set()
    for path in (ROOT / "plugins").rglob("*.py"):
        if "embedded" not in path.relative_to(ROOT / "plugins").as_posix():
            imported |= {name.partition(".")[0] for name in imports(path)}
    third_party = imported - set(sys.stdlib_module_names) - {"ansible", "ansible_collections"}
    assert {packages[name] for name in third_party} == set(lower_bounds())


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_the_files_of_the_execution_environment_exist():
    dependencies = yaml.safe_load((ROOT / "meta" / "execution-environment.yml").read_text())["dependencies"]
    assert set(dependencies) == {"python", "system"}
    for file in dependencies.values():
        assert (ROOT / file).is_file()


def ansible_core_minimum() -> Version:
    (specifier,) = SpecifierSet(RUNTIME["requires_ansible"])
    assert specifier.operator == ">="
    return Version(specifier.version)


def python_minimum() -> str:
    match = re.search(r'target-version = "py3(\d+)"', (ROOT / "pyproject.toml").read_text())
    assert match
    return f"3.{match.group(1)}"


def go_minimum() -> tuple[int, int]:
    found = []
    for path in (ROOT / "roles" / "embedded" / "files" / "go").glob("*/go.mod"):
        match = re.search(r"(?m)^go (\d+)\.(\d+)", path.read_text())
        assert match, path
        found.append((int(match.group(1)), int(match.group(2))))
    return max(found)


def test_the_readme_requires_what_the_metadata_requires():
    section = (ROOT / "README.md").read_text().partition("## Requirements")[2].partition("\n## ")[0]
    core, collection = ansible_core_minimum(), SpecifierSet(GALAXY["dependencies"]["kubernetes.core"])
    bounds = {specifier.operator: Version(specifier.version) for specifier in collection}
    expected = [
        f"ansible-core {core.major}.{core.minor} or newer",
        f"Python {python_minimum()} or newer",
        f"`kubernetes.core` {bounds['>='].major}.{bounds['>='].minor} or newer, below {bounds['<'].major}",
        f"Go {'.'.join(map(str, go_minimum()))},",
    ]
    for package, name in (
        ("kubernetes", "kubernetes"),
        ("cryptography", "cryptography"),
        ("openshift-client", "openshift-client"),
        ("pyyaml", "PyYAML"),
    ):
        bound = lower_bounds()[package]
        expected.append(f"`{name}` {bound.major}" + (f".{bound.minor}" if bound.minor else ""))
    for words in expected:
        assert words in section


def test_the_tools_agree_on_the_lowest_versions():
    pyproject, makefile = (ROOT / "pyproject.toml").read_text(), (ROOT / "Makefile").read_text()
    minimum = python_minimum()
    assert f'python_version = "{minimum}"' in pyproject
    assert f"({minimum.replace('.', ', ')}) <= sys.version_info" in makefile
    core = ansible_core_minimum()
    assert pins("runtime")["ansible-core"] >= core
    for role in ROLES:
        info = role_yaml(role, "meta", "main.yml")["galaxy_info"]
        assert info["min_ansible_version"] == f"{core.major}.{core.minor}"
        assert info["license"] == "GPL-3.0-or-later"


def test_each_set_of_requirements_is_complete_and_adds_to_those_before():
    tree = ast.parse((ROOT / "tools" / "lock.py").read_text())
    (sets,) = (
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id == "SETS"
    )
    assert {path.stem for path in (ROOT / "requirements").glob("*.in")} == set(sets)
    before: set[str] = set()
    for name in sets:
        locked = pins(name)
        assert not before & set(locked), f"{name}.txt repeats what comes before it"
        for line in (ROOT / "requirements" / f"{name}.in").read_text().splitlines():
            package, _equals, version = line.partition("==")
            if line and not line.startswith("#"):
                found = locked[package.lower().replace("_", "-")]
                assert not version or found == Version(version), (
                    f"{package} of {name}.in is not that of {name}.txt"
                )
        before |= set(locked)


# -- text ------------------------------------------------------------------------------------------------------------

# Spelt so that this file does not match itself.
MACHINE_PATHS = re.compile(r"(?<![\w.~$}-])/(?:root|work|home/[a-z]\w*|Users/\w+)/")
PACKAGE_HOSTS = re.compile(
    r"--(?:extra-)?index-ur[l]|--trusted-hos[t]|(?:GOPROXY|GONOSUMDB|PIP_\w*URL)=['\"]?\w"
)
PUBLIC_HOSTS = {
    "charts.loft.sh",
    "docs.ansible.com",
    "docs.kubestellar.io",
    "fsf.org",
    "github.com",
    "kubestellar.io",
    "open-cluster-management.io",
    "kwok.sigs.k8s.io",
    "quay.io",
    "semver.org",
    "www.gnu.org",
    "www.w3.org",
}
"""Whom we refer to. Other hosts in text are made up: loopback, without a dot, or under a domain that is reserved for it."""
MADE_UP_HOST = re.compile(
    r"127\.\d+\.\d+\.\d+|[\w-]*|(?:[\w-]+\.)*(?:example(?:\.(?:com|net|org))?|test|invalid|local)"
)
GENERATED = {"changelogs/changelog.yaml"}


def texts() -> Iterator[tuple[str, str]]:
    for name in repository_files():
        if not name.endswith(".png"):
            yield name, (ROOT / name).read_text(encoding="utf-8")


def test_nothing_names_a_machine_or_a_package_host():
    for name, text in texts():
        for pattern in (MACHINE_PATHS, PACKAGE_HOSTS):
            found = pattern.search(text)
            assert not found, f"{name}: {found.group()}"


def test_every_host_in_text_is_known_or_made_up():
    for name, text in texts():
        for host in re.findall(r"https?://(?:[^\s/@\"'`<>]*@)?([A-Za-z0-9.-]+)", text):
            assert host in PUBLIC_HOSTS or MADE_UP_HOST.fullmatch(host), f"{name}: {host}"


def test_yaml_has_no_tabs():
    for name, text in texts():
        assert not (name.endswith((".yml", ".yaml")) and "\t" in text), name


def test_source_files_name_their_licence():
    for name, text in texts():
        is_source = name.endswith(
            (".py", ".yml", ".yaml", ".go", ".toml", ".cfg", ".in", ".txt", ".sh", ".rst")
        )
        is_source = is_source or Path(name).name in ("Makefile", "run", ".ansible-lint", ".yamllint")
        if is_source and name not in GENERATED and text.strip():
            assert "SPDX-License-Identifier: GPL-3.0-or-later" in "\n".join(text.splitlines()[:7]), name


# -- the built collection --------------------------------------------------------------------------------------------

SHIPPED = ("docs", "examples", "inventories", "meta", "playbooks", "plugins", "roles")
SHIPPED_FILES = {
    "LICENSE",
    "README.md",
    "CHANGELOG.md",
    "changelogs/changelog.yaml",
    "changelogs/config.yaml",
}
NOT_SHIPPED = {"docs/conf.py"}
LARGEST = 1_000_000
"""Bytes of the archive. A program or somebody else's chart that has slipped in would be more."""


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """The archive that ansible-galaxy builds from a copy of the files here, with leftovers wherever git ignores them."""
    folder = tmp_path_factory.mktemp("built")
    checkout = folder / "checkout"
    for name in repository_files():
        target = checkout / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target)
    leave_something(checkout)
    galaxy = Path(sys.executable).parent / "ansible-galaxy"
    command = [str(galaxy), "collection", "build", str(checkout), "--output-path", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder / f"kubestellar-core-{GALAXY['version']}.tar.gz"


def leave_something(checkout: Path) -> None:
    """Put a file into, or in the place of, everything that .gitignore names."""
    for line in (ROOT / ".gitignore").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        place = checkout / line.strip("/").replace("*", "0.0.9")
        if line.endswith("/"):
            place /= "left.txt"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("left over")
    compiled = checkout / "plugins" / "modules" / "__pycache__" / "workload.cpython-311.pyc"
    compiled.parent.mkdir()
    compiled.write_text("left over")


def test_the_built_collection_has_what_belongs_into_it_and_nothing_else(built):
    with tarfile.open(built) as archive:
        files = {member.name for member in archive.getmembers() if member.isfile()}
        folders = {member.name for member in archive.getmembers() if member.isdir()}
    expected = {
        name
        for name in repository_files()
        if name in SHIPPED_FILES or (name.split("/")[0] in SHIPPED and name not in NOT_SHIPPED)
    }
    assert files - {"MANIFEST.json", "FILES.json"} == expected
    empty = {folder for folder in folders if not any(name.startswith(f"{folder}/") for name in files)}
    assert empty == set()
    assert built.stat().st_size < LARGEST


def test_the_built_collection_can_be_installed_and_its_example_runs_from_there(built, tmp_path):
    """Its inventory passes the check of the inventory and finds the manifests of its workload."""
    galaxy = Path(sys.executable).parent / "ansible-galaxy"
    command = [
        str(galaxy),
        "collection",
        "install",
        str(built),
        "--force",  # else nothing is done where the checkout counts as installed
        "--no-deps",
        "--collections-path",
        str(tmp_path),
    ]
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    inventory = tmp_path / "ansible_collections" / "kubestellar" / "core" / "inventories" / "embedded"
    command = [str(galaxy.with_name("ansible-inventory")), "-i", str(inventory), "--host", "hub"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=tmp_path)
    (workload,) = json.loads(done.stdout)["hub_workloads"]
    (source,) = workload["source"]["src"]
    source = source.replace("{{ inventory_dir }}", str(inventory))
    assert len(list(Path(source).glob("*.yml"))) == len(list((ROOT / "examples" / "shop").glob("*.yml")))


def test_galaxy_takes_the_metadata():
    assert all(len(author) <= 64 for author in GALAXY["authors"])
    assert set(GALAXY["tags"]) & {"application", "cloud", "infrastructure", "tools"}
    assert len(GALAXY["tags"]) <= 20
    assert ("license" in GALAXY) != ("license_file" in GALAXY)
    assert GALAXY["issues"] == f"{GALAXY['repository']}/issues"
    for name in ("plugins", "roles", "playbooks"):
        assert (ROOT / name).is_dir()
    for role in ROLES:
        assert (ROOT / "roles" / role / "README.md").is_file()
        assert role_yaml(role, "meta", "main.yml")["galaxy_info"]["description"]


@pytest.mark.parametrize("pattern", GALAXY["build_ignore"])
def test_every_pattern_of_build_ignore_is_for_something(pattern):
    made = {
        "*.tar.gz",
        "changelogs/.plugin-cache.yaml",
        "changelogs/fragments",
        "docs/_build",
        "kubestellar-support",
    }
    assert pattern in made or any(ROOT.glob(pattern)), f"nothing matches {pattern}"


def test_what_is_shown_in_lines_comes_out_in_lines_with_every_format_of_results():
    """A text with line ends is one line with Ansible's default, which users of the installed collection have."""
    for path in ROOT.glob("roles/*/tasks/**/*.yml"):
        for task in yaml.safe_load(path.read_text()):
            message = str((task.get("ansible.builtin.debug") or {}).get("msg", ""))
            assert "join(" not in message or re.search(r"if __\w+_yaml else", message), path


def test_no_message_names_a_playbook_or_a_target_that_only_a_checkout_has():
    for path in ROOT.glob("plugins/**/*.py"):
        assert not re.search(r"playbooks/\w+\.yml|\bmake (demo|teardown|kubeconfig)\b", path.read_text()), (
            path
        )


@pytest.mark.parametrize(("stack", "made"), [(None, True), ("kubestellar", True), ("other", False)])
def test_what_to_try_next_is_for_the_stack_that_runs(stack, made):
    """Targets of make are for the demo of a checkout."""
    folder = ROOT / "inventories" / "embedded"
    texts = yaml.safe_load((folder / "group_vars" / "kubestellar_hubs.yml").read_text())
    given: dict[str, Any] = (
        {
            name: trust_as_template(texts[name])
            for name in ("demo_is_made", "demo_stack", "demo_playbook", "demo_site")
        }
        | {"inventory_dir": str(folder)}
        | ({"kubestellar_stack": stack} if stack else {})
    )
    templar = Templar(DataLoader(), given)
    notes = "\n".join(
        templar.template(trust_as_template(text)) for text in texts["status_notes"] if "demo_" in text
    )
    assert ("make teardown" in notes) is made and ("make demo" in notes) is made
    assert ("-e kubestellar_stack=other kubestellar.core.teardown" in notes) is not made


def test_plays_go_through_their_tasks_together_whatever_the_strategy_of_the_user():
    """Tasks for all hosts at once need it, and add_host refuses any other."""
    for path in ROOT.glob("playbooks/**/*.yml"):
        plays = re.split(r"(?m)^- ", path.read_text())
        assert all("\n  strategy: linear\n" in play for play in plays if "\n  hosts: " in play), path
