# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets the checkout up: `.venv` with pinned packages, and the collections that Ansible finds there.

Called by the Makefile before every target, with the sets of requirements that the target needs:

    python3 tools/setup.py runtime          what the playbooks need
    python3 tools/setup.py runtime test     and what lint and tests need; for root on Debian also its Chromium

It does nothing (in some 50 ms) where `.venv/setup.json` says that all of it is there for this folder, this
Python and these pins. Interrupted anywhere, the next call goes on.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
CACHE = ROOT / ".cache"
COLLECTIONS = VENV / "collections" / "ansible_collections"
REQUIREMENTS = ROOT / "requirements"
STATE = VENV / "setup.json"

BUNDLE_PREFIX = "ansible_collections/kubernetes/core/"
BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
BROWSER_PACKAGE = "chromium"
BROWSER_HINT = f"On Debian: sudo apt install {BROWSER_PACKAGE}. Elsewhere, put one of {', '.join(BROWSERS)} into the PATH."
HEARTBEAT = 20.0
"""Seconds after which a running step says that it still runs."""


class SetupError(Exception):
    """A sentence for the user."""


def main(sets: list[str]) -> int:
    """Set up what is missing of `sets` (names of files in `requirements/`). Return the exit code."""
    galaxy = bool(os.environ.get("GALAXY"))
    try:
        wanted = {name: _fingerprint(name) for name in sets}
        wanted["collections"] = (
            f"galaxy {_hash('requirements.yml')}" if galaxy else _fingerprint("collections")
        )
        if _is_set_up(wanted):
            return 0
        with _lock():
            if not _is_set_up(wanted):
                _set_up(sets, wanted, galaxy=galaxy)
    except SetupError as error:
        say(str(error))
        return 1
    return 0


def say(text: str) -> None:
    """Print one line now."""
    sys.stdout.write(f"[set-up] {text}\n")
    sys.stdout.flush()


def _fingerprint(name: str) -> str:
    return _hash(f"requirements/{name}.txt")


def _hash(path: str) -> str:
    return hashlib.sha256((ROOT / path).read_bytes()).hexdigest()


def _read_state() -> dict[str, str]:
    """What the environment was set up with; empty if it is absent, of another folder or of a Python that is gone."""
    try:
        state = json.loads(STATE.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    usable = state.get("folder") == str(ROOT) and os.access(VENV / "bin" / "python", os.X_OK)
    return dict(state) if usable else {}


def _is_set_up(wanted: dict[str, str]) -> bool:
    state = _read_state()
    return (
        all(state.get(key) == value for key, value in wanted.items())
        and _link_is_right()
        and not _lacks_browser(wanted)
    )


def browser() -> str:
    """The Chromium that the tests open pages in; empty if there is none."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), "")


def _lacks_browser(sets: Iterable[str]) -> bool:
    """Whether the tests need a browser that can be installed here: others than root are told by the tests."""
    return "test" in sets and not browser() and os.geteuid() == 0 and shutil.which("apt-get") is not None


def _link_is_right() -> bool:
    link = COLLECTIONS / "kubestellar" / "core"
    return link.is_symlink() and link.resolve() == ROOT


@contextmanager
def _lock() -> Iterator[None]:
    """One set-up of a checkout at a time; the second one waits and then finds all done."""
    CACHE.mkdir(exist_ok=True)
    with open(CACHE / "setup.lock", "w", encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another set-up of this checkout is running: waiting for it")
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _set_up(sets: list[str], wanted: dict[str, str], *, galaxy: bool) -> None:
    start = time.monotonic()
    if _lacks_browser(sets):
        _install_browser()
    state = _read_state()
    if not state:
        _make_venv()
        state = {"folder": str(ROOT)}
        _write_state(state)
    bundle = None
    if state.get("collections") != wanted["collections"] and not galaxy:
        bundle = _Bundle()
    try:
        for name in sets:
            if state.get(name) != wanted[name]:
                _install(name)
                state[name] = wanted[name]
                _write_state(state)
        _link()
        if state.get("collections") != wanted["collections"]:
            if bundle:
                bundle.unpack()
            else:
                _install_from_galaxy()
            state["collections"] = wanted["collections"]
            _write_state(state)
    finally:
        if bundle:
            bundle.close()
    say(f"ready in {time.monotonic() - start:.0f} s")


def _write_state(state: dict[str, str]) -> None:
    temporary = STATE.with_suffix(".tmp")
    temporary.write_text(json.dumps(state, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    temporary.replace(STATE)


def _make_venv() -> None:
    version = ".".join(map(str, sys.version_info[:3]))
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        raise SetupError(
            f"Python {version} ({sys.executable}) cannot make virtual environments, its modules venv and ensurepip are "
            f"missing. On Debian and Ubuntu: sudo apt install {package}."
        )
    say(f"virtual environment .venv with Python {version}")
    _run([sys.executable, "-m", "venv", "--clear", str(VENV)], "The virtual environment could not be made")


def _install(name: str) -> None:
    path = REQUIREMENTS / f"{name}.txt"
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and line[0] not in "#-"]
    say(f"{len(lines)} packages of requirements/{name}.txt")
    _run(
        [*_pip("install"), "--no-deps", "--no-compile", "--requirement", str(path)],
        f"The packages of requirements/{name}.txt could not be installed",
    )


def _pip(command: str) -> list[str]:
    return [str(VENV / "bin" / "python"), "-m", "pip", command, "--quiet", "--disable-pip-version-check"]


def _install_browser() -> None:
    say(f"Debian's package {BROWSER_PACKAGE}, for the tests of pages")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=600"]
    failure = f"The package {BROWSER_PACKAGE} could not be installed"
    _run([*apt, "update"], failure, quiet)
    _run([*apt, "install", "--yes", "--no-install-recommends", BROWSER_PACKAGE], failure, quiet)


def _link() -> None:
    """Let the checkout, whatever its folder is called, be found as kubestellar.core."""
    if _link_is_right():
        return
    link = COLLECTIONS / "kubestellar" / "core"
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(os.path.relpath(ROOT, link.parent))


class _Bundle:
    """kubernetes.core out of the package `ansible`, for places that reach a package index but no Galaxy.

    The wheel (50 MB) is fetched while the other packages are installed; 1 MB of it is kept.
    """

    def __init__(self) -> None:
        path = REQUIREMENTS / "collections.txt"
        say("kubernetes.core, out of the package that requirements/collections.txt names")
        self._folder = Path(tempfile.mkdtemp(prefix="bundle-", dir=CACHE))
        # The wheel is pure Python and only unpacked: the Python that it asks for does not matter.
        command = [*_pip("download"), "--no-deps", "--only-binary=:all:", "--python-version", "3.13"]
        self._log = open(self._folder / "log", "w+", encoding="utf-8")  # noqa: SIM115 (closed by close)
        self._process = subprocess.Popen(
            [*command, "--dest", str(self._folder), "--requirement", str(path)],
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    def unpack(self) -> None:
        """Wait for the wheel and put its kubernetes.core in place."""
        _wait(self._process)
        wheels = list(self._folder.glob("*.whl"))
        if self._process.returncode or not wheels:
            self._log.seek(0)
            raise SetupError(
                f"The package with kubernetes.core could not be fetched:\n{self._log.read().strip()}\n"
                "Where Ansible Galaxy can be reached, GALAXY=1 (as in: make demo GALAXY=1) takes it from there."
            )
        unpacked = self._folder / "unpacked"
        with zipfile.ZipFile(wheels[0]) as wheel:
            wheel.extractall(unpacked, [name for name in wheel.namelist() if name.startswith(BUNDLE_PREFIX)])
        target = COLLECTIONS / "kubernetes" / "core"
        shutil.rmtree(target, ignore_errors=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        (unpacked / BUNDLE_PREFIX).rename(target)

    def close(self) -> None:
        """Stop the download if it still runs, and remove what is not needed any more."""
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait()
        self._log.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def _install_from_galaxy() -> None:
    say("the collections of requirements.yml from Galaxy")
    command = [str(VENV / "bin" / "ansible-galaxy"), "collection", "install", "--force", "--no-deps"]
    _run(
        [
            *command,
            "--requirements-file",
            str(ROOT / "requirements.yml"),
            "--collections-path",
            str(COLLECTIONS.parent),
        ],
        "The collections of requirements.yml could not be installed",
    )


def _run(command: list[str], failure: str, environment: dict[str, str] | None = None) -> None:
    """Run a command quietly, with a sign of life now and then; its output is shown when it fails."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env=environment,
        )
        try:
            _wait(process)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
        if process.returncode:
            output.seek(0)
            raise SetupError(f"{failure}:\n{output.read().strip()}")


def _wait(process: subprocess.Popen[bytes] | subprocess.Popen[str]) -> None:
    start = time.monotonic()
    while True:
        try:
            process.wait(timeout=HEARTBEAT)
        except subprocess.TimeoutExpired:
            say(f"... {time.monotonic() - start:.0f} s")
        else:
            return


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        say("interrupted; the next call goes on from here")
        sys.exit(130)
