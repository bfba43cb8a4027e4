# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs KubeStellar's own end-to-end suite on an embedded stack: `.venv/bin/python tools/e2e.py [flags of the suite]`.

The suite is a package of the Go module that the stack's controllers are built from. Its test binary is built from
the same pins, once, and lies beside the programs. It runs on a stack of its own (another name with
KUBESTELLAR_E2E_STACK) that site.yml sets up without workloads, and that is deleted afterwards (not with
KUBESTELLAR_TEST_KEEP). Flags are those of Ginkgo, for example `-ginkgo.focus='combined status'`.

The exit code is 0 if every spec that is not in SKIPPED has passed.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Once: Ansible refuses packages of collections that are in two places.
if (collections := str(Path(__file__).resolve().parent.parent / ".venv" / "collections")) not in sys.path:
    sys.path.insert(0, collections)

from ansible_collections.kubestellar.core.plugins.module_utils._errors import KubestellarError
from ansible_collections.kubestellar.core.plugins.module_utils.embedded import build
from ansible_collections.kubestellar.core.plugins.module_utils.embedded.build import FLAGS as GO_FLAGS
from ansible_collections.kubestellar.core.plugins.module_utils.embedded.home import Stack
from ansible_collections.kubestellar.core.tools.programs import SOURCES, Console

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "e2e"
MODULE_SET = "kubestellar"
SUITE = "github.com/kubestellar/kubestellar/test/e2e/ginkgo"

_ARGUMENTS = "changes arguments in the Deployment of the {}, which is a process here"
_PODS = "deletes Pods of the hosting cluster and waits for new ones; {} is a process here"
SKIPPED = {
    "shards a wrapped workload based on max-num-wrapped": _ARGUMENTS.format("transport controller"),
    "shards a wrapped workload based on max-size-wrapped": _ARGUMENTS.format("transport controller"),
    "cleans up previously synced but currently invalid singleton status": _ARGUMENTS.format(
        "controller-manager"
    ),
    "survives WDS coming down": _PODS.format("each controller of the WDS"),
    "survives kubeflex coming down": _PODS.format("KubeFlex"),
    "survives ITS vcluster coming down": _PODS.format("the ITS"),
    "survives everything coming down": _PODS.format("all of it"),
}
"""Title of each spec that cannot run here, and why: these change Deployments or Pods of the hosting cluster, where
the embedded provider has none. What dies and comes back is tested with its processes, in tests/integration/test_faults.py."""

CONTEXTS = {
    "host-cluster-context": "hub",
    "its1-context": "its1",
    "wds1-context": "wds1",
    "wec1-context": "cluster1",
    "wec2-context": "cluster2",
}
"""The suite's flags for the clusters, and the contexts in the stack's kubeconfig."""

VARIABLES = {
    "hub_workloads": [],
    # The suite selects by these labels. It counts objects per cluster, so nothing else may be placed.
    "wec_labels": {"location-group": "edge", "name": "{{ inventory_hostname }}"},
}
"""Extra variables for site.yml."""

LIMIT = "30m"
"""Ginkgo's limit for the whole suite. One wait inside may take 500 s before it fails."""


class Failed(Exception):
    """A sentence for the user."""


@dataclass(frozen=True)
class Spec:
    """One spec of a report. :ivar context: titles around its own. :ivar failure: where and why, or empty."""

    context: str
    title: str
    state: str
    seconds: float
    failure: str

    @property
    def text(self) -> str:
        """Its full name, as Ginkgo shows it."""
        return f"{self.context} {self.title}".strip()


def main(arguments: Sequence[str]) -> int:
    """Build, set up, run, sum up, delete. Return the exit code."""
    console = Console("e2e")
    stack = Stack.of(os.environ.get("KUBESTELLAR_HOME", ""), os.environ.get("KUBESTELLAR_E2E_STACK", "e2e"))
    try:
        CACHE.mkdir(parents=True, exist_ok=True)
        binary = build_suite(stack.home, console)
        specs = list_specs(binary, arguments)
        try:
            playbook("site", stack, console, "--extra-vars", json.dumps(VARIABLES))
            code = run(binary, specs, stack, arguments, console)
        finally:
            if "KUBESTELLAR_TEST_KEEP" not in os.environ:
                playbook("teardown", stack, console)
    except (Failed, KubestellarError) as error:
        say(str(error))
        return 1
    return code


def say(text: str) -> None:
    """Print one line now."""
    sys.stdout.write(f"[e2e] {text}\n")
    sys.stdout.flush()


# -- building and asking the suite -------------------------------------------------------------------------------


def build_suite(home: Path, console: Console) -> Path:
    """The suite's test binary, built if it is not there, after the programs of the stack.

    :raises KubestellarError: a build failed.
    """
    target, _built = build.ensure(home, SOURCES, console)
    binary = target.folder / "tests" / "kubestellar-e2e"
    if not binary.exists():
        binary.parent.mkdir(exist_ok=True)
        unfinished = binary.with_suffix(f".{os.getpid()}")
        # The flags of the programs: with others, what they have in common would be compiled once more.
        command = [build.find_go(home, SOURCES, console), "test", "-c", *GO_FLAGS, "-ldflags=-s -w"]
        try:
            quietly(
                [*command, "-o", str(unfinished), SUITE],
                "building the suite",
                console,
                folder=SOURCES / MODULE_SET,
                environment=build.go_environment(home),
            )
            unfinished.replace(binary)
        finally:
            unfinished.unlink(missing_ok=True)
    return binary


def list_specs(binary: Path, arguments: Sequence[str]) -> list[Spec]:
    """The specs that would run.

    :raises Failed: the suite cannot be asked, or it has not exactly one spec for each entry of SKIPPED.
    """
    report = CACHE / "specs.json"
    all_specs = _dry_run(binary, report, [])
    titles = [spec.title for spec in all_specs]
    unclear = [title for title in SKIPPED if titles.count(title) != 1]
    if unclear:
        raise Failed(f"SKIPPED in tools/e2e.py: the suite has not exactly one spec {unclear[0]!r}.")
    return [spec for spec in _dry_run(binary, report, [*skip_flags(), *arguments]) if spec.state != "skipped"]


def _dry_run(binary: Path, report: Path, flags: Sequence[str]) -> list[Spec]:
    report.unlink(missing_ok=True)
    command = [str(binary), "-ginkgo.dry-run", f"-ginkgo.json-report={report}", *flags]
    done = subprocess.run(command, cwd=CACHE, capture_output=True, text=True, check=False)
    if done.returncode != 0 or not report.exists():
        raise Failed(f"The suite does not list its specs:\n{(done.stdout + done.stderr).strip()[-2000:]}")
    return read_report(json.loads(report.read_text(encoding="utf-8")))


def skip_flags() -> list[str]:
    """Ginkgo's flags that leave out SKIPPED. A title stands at the end of a spec's full name."""
    return [f"-ginkgo.skip={re.escape(title)}$" for title in SKIPPED]


def read_report(report: Sequence[Mapping[str, Any]]) -> list[Spec]:
    """The specs of a JSON report of Ginkgo, and its other nodes (such as BeforeSuite) as far as they failed."""
    return [
        Spec(
            context=" ".join(entry["ContainerHierarchyTexts"] or []) or entry["LeafNodeType"],
            title=entry["LeafNodeText"],
            state=entry["State"],
            seconds=entry["RunTime"] / 1e9,
            failure=_failure(entry),
        )
        for suite in report
        for entry in suite["SpecReports"] or []
        if entry["LeafNodeType"] == "It" or entry["State"] not in ("passed", "skipped")
    ]


def _failure(entry: Mapping[str, Any]) -> str:
    failure = entry.get("Failure") or {}
    location = failure.get("Location") or {}
    where = (
        f"{Path(location['FileName']).name}:{location['LineNumber']}: " if location.get("FileName") else ""
    )
    return f"{where}{failure['Message']}" if failure.get("Message") else ""


# -- running it --------------------------------------------------------------------------------------------------


def run(binary: Path, specs: Sequence[Spec], stack: Stack, arguments: Sequence[str], console: Console) -> int:
    """Run the suite on the stack and show what became of each spec. Return the exit code."""
    report, log = CACHE / "report.json", CACHE / "suite.log"
    report.unlink(missing_ok=True)
    command = [
        str(binary),
        "-skip-setup",
        *(f"-{flag}={context}" for flag, context in CONTEXTS.items()),
        *skip_flags(),
        "-ginkgo.v",
        "-ginkgo.no-color",
        f"-ginkgo.timeout={LIMIT}",
        f"-ginkgo.json-report={report}",
        *arguments,
    ]
    environment = {
        **os.environ,
        "KUBECONFIG": str(stack.kubeconfig),
        "PATH": f"{build.artifacts(stack.home, SOURCES).bin}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
    }
    start = console.seconds
    code = _follow(command, environment, log, [spec.text for spec in specs], console)
    if not report.exists():
        raise Failed(
            f"The suite ended with status {code} and no report. Its output is in {log.relative_to(ROOT)}."
        )
    results = read_report(json.loads(report.read_text(encoding="utf-8")))
    for line in summary(results, console.seconds - start):
        say(line)
    passed = [spec for spec in results if spec.state == "passed"]
    if code != 0 or not passed or len(passed) < len(specs):
        say(
            f"Not all of {len(specs)} specs have passed. The output of the suite is in {log.relative_to(ROOT)}."
        )
        return 1
    return 0


def _follow(
    command: Sequence[str], environment: Mapping[str, str], log: Path, names: Sequence[str], console: Console
) -> int:
    """Run the suite, show each spec as it begins, and keep all output in `log`. Return the exit code."""
    process = subprocess.Popen(
        command,
        cwd=CACHE,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    begun: list[str] = []

    def read() -> None:
        with log.open("w", encoding="utf-8") as stream:
            for line in process.stdout or ():
                stream.write(line)
                if line.strip() in names and line.strip() not in begun:
                    begun.append(line.strip())

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        while process.poll() is None:
            console.waiting(f"[{len(begun)}/{len(names)}] {begun[-1]}" if begun else "the suite starts")
            wait(process, 0.2)
    finally:
        process.kill()
        process.wait()
        reader.join(timeout=10)
    return process.returncode


def wait(process: subprocess.Popen[str], seconds: float) -> None:
    """Wait for a process, but not for long."""
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return


def summary(results: Sequence[Spec], seconds: float) -> Iterator[str]:
    """One line for each spec with its outcome, its time, and why it failed or was left out; the counts last."""
    counts = dict.fromkeys(("passed", "failed", "skipped"), 0)
    for spec in results:
        outcome = spec.state if spec.state in ("passed", "skipped") else "failed"
        counts[outcome] += 1
        reason = spec.failure or (SKIPPED.get(spec.title, "not run") if outcome == "skipped" else "")
        time = f"{spec.seconds:6.1f} s" if outcome != "skipped" else " " * 8
        label = outcome.upper() if outcome == "failed" else outcome
        yield f"{label:7} {time}  {spec.text}{': ' if reason else ''}{reason}"
    yield f"{', '.join(f'{count} {outcome}' for outcome, count in counts.items())} in {seconds:.0f} s"


# -- other programs ----------------------------------------------------------------------------------------------


def playbook(name: str, stack: Stack, console: Console, *extra: str) -> None:
    """Run a playbook of the checkout for the stack. :raises Failed: it failed."""
    command = [
        str(Path(sys.executable).parent / "ansible-playbook"),
        "--inventory=inventories/embedded",
        f"--extra-vars=kubestellar_stack={stack.name}",
        *extra,
        f"playbooks/{name}.yml",
    ]
    quietly(command, f"{name}.yml for the stack {stack.name}", console)


def quietly(
    command: Sequence[str],
    doing: str,
    console: Console,
    *,
    folder: Path = ROOT,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run a command with a sign of life now and then; its output is shown when it fails. :raises Failed: it failed."""
    log = CACHE / "command.log"
    with log.open("w", encoding="utf-8") as stream:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            while process.poll() is None:
                console.waiting(doing)
                wait(process, 1)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
    if process.returncode != 0:
        raise Failed(f"{doing}: failed:\n{log.read_text(encoding='utf-8', errors='replace').strip()[-8000:]}")


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
