# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs `ansible-test sanity`: `.venv/bin/python tools/sanity.py [--changed[=COMMIT]] [arguments of ansible-test sanity]`.

It is complete, or looks only at files that are changed since a commit: since the branch has left origin/main, or on main
itself by the last commit, if none is named.

ansible-test insists on a folder `ansible_collections/<namespace>/<name>` that is no symbolic link, so it works on
a copy of the checkout's files in `.cache/sanity`. It has a home folder of its own there, because it makes its
environments below HOME. Into that home go two things that it does not take from the environment:

- pip's configuration (it drops `PIP_*`),
- a pip bootstrap script, which it would else fetch from a host of its own that many networks do not reach.
"""

from __future__ import annotations

import ast
import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "sanity"
COPY = CACHE / "ansible_collections" / "kubestellar" / "core"
HOME = CACHE / "home"

PIP_BOOTSTRAP = "get_pip_24_2.py"
"""File name that ansible-test of ansible-core 2.19 looks for in its cache."""

BOOTSTRAP_SCRIPT = '''\
"""Stands in for get-pip.py: makes pip out of what comes with Python, then brings it to the wanted version."""
import subprocess
import sys

packages = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
# In processes of their own: imported here, ensurepip would switch pip's configuration off for good.
subprocess.run([sys.executable, "-m", "ensurepip"], check=True, stdout=subprocess.DEVNULL)
subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--upgrade", *packages], check=True)
'''


def main(arguments: list[str]) -> int:
    """Bring the copy up to date, run ansible-test there, and return its exit code."""
    ignored = sorted((ROOT / "tests" / "sanity").glob("ignore-*.txt"))
    if ignored:
        sys.stdout.write(f"{ignored[0].relative_to(ROOT)}: nothing is ignored here; correct what it hides.\n")
        return 1
    flag, _equals, commit = arguments[0].partition("=") if arguments else ("", "", "")
    if flag == "--changed":
        changed = _changed_since(commit or _base())
        if not changed:
            sys.stdout.write("No file that ansible-test looks at has changed.\n")
            return 0
        arguments = [*arguments[1:], *changed]
    _copy_checkout()
    _prepare_home()
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    command = [
        str(Path(sys.executable).parent / "ansible-test"),
        "sanity",
        "--local",
        "--python",
        version,
        "--color",
        "no",
    ]
    environment = {**os.environ, "HOME": str(HOME), "ANSIBLE_COLLECTIONS_PATH": str(CACHE)}
    # This checkout's ansible.cfg and temporary folders are none of the copy's business.
    for name in ("ANSIBLE_CONFIG", "ANSIBLE_HOME", "ANSIBLE_REMOTE_TMP", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        environment.pop(name, None)
    return subprocess.run([*command, *arguments], cwd=COPY, env=environment, check=False).returncode


def _git(*arguments: str) -> str:
    """What git prints; empty if it refuses."""
    command = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout


def _base() -> str:
    """Where this branch has left origin/main, or the commit before the last; empty in a clone that has neither."""
    head = _git("rev-parse", "HEAD").strip()
    left = _git("merge-base", "HEAD", "origin/main").strip()
    return left if left and left != head else _git("rev-parse", "--verify", "--quiet", "HEAD~1").strip()


def _changed_since(commit: str) -> list[str]:
    """The files that are changed or new since a commit, also if that is not committed yet."""
    tracked = _git("diff", "--name-only", "--diff-filter=d", "-z", commit or "HEAD")
    new = _git("ls-files", "-z", "--others", "--exclude-standard")
    names = sorted({name for name in f"{tracked}{new}".split("\0") if name})
    return [name for name in names if not name.startswith(".") and (ROOT / name).is_file()]


def _copy_checkout() -> None:
    """Let the copy hold exactly the files that git tracks or would track, unchanged ones untouched."""
    git = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(git, check=True, capture_output=True, text=True).stdout.split("\0")
    wanted = {name for name in names if name and (ROOT / name).is_file()}
    COPY.mkdir(parents=True, exist_ok=True)
    # A repository of its own: else ansible-test finds the checkout's, which ignores .cache.
    subprocess.run(["git", "init", "--quiet", str(COPY)], check=True)
    shutil.rmtree(COPY / "tests" / "output", ignore_errors=True)
    for path in list(COPY.rglob("*")):
        name = path.relative_to(COPY)
        if path.is_file() and name.parts[0] != ".git" and str(name) not in wanted:
            path.unlink()
    for name in sorted(wanted):
        source, target = ROOT / name, COPY / name
        if not target.exists() or _stamp(source) != _stamp(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)


def _stamp(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size, status.st_mode


def _prepare_home() -> None:
    bootstrap = HOME / ".ansible" / "test" / "cache" / PIP_BOOTSTRAP
    bootstrap.parent.mkdir(parents=True, exist_ok=True)
    bootstrap.write_text(BOOTSTRAP_SCRIPT, encoding="utf-8")
    configuration = HOME / ".config" / "pip" / "pip.conf"
    configuration.parent.mkdir(parents=True, exist_ok=True)
    configuration.touch(mode=0o600)  # it may hold the password of a package index
    with configuration.open("w", encoding="utf-8") as stream:
        _pip_configuration().write(stream)


def _pip_configuration() -> configparser.RawConfigParser:
    """What pip is configured to do here by files and environment, as one file; its cache stays shared."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    listed = subprocess.run([*pip, "config", "list"], check=True, capture_output=True, text=True).stdout
    cache = subprocess.run([*pip, "cache", "dir"], check=False, capture_output=True, text=True).stdout.strip()
    result = configparser.RawConfigParser()
    result.add_section("global")
    result.set("global", "quiet", "1")
    if cache:
        result.set("global", "cache-dir", cache)
    proxy = os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy")
    if proxy:
        result.set("global", "proxy", proxy)
    entries = [line.partition("=") for line in listed.splitlines()]
    # The environment wins over files, as in pip itself.
    for key, _separator, value in sorted(entries, key=lambda entry: entry[0].startswith(":env:")):
        section, _dot, name = key.removeprefix(":env:.").rpartition(".")
        section = section or "global"
        if not result.has_section(section):
            result.add_section(section)
        result.set(section, name, str(ast.literal_eval(value)))
    return result


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
