# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making, starting and deleting clusters of kind and k3d (private to kubestellar.core).

A cluster is ours if our kubeconfig of it is there; while it is being made, a marker lies beside it, so that what an interrupted run
leaves half-made is known for ours. No other cluster is ever started or deleted.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    InvalidInput,
    KubestellarError,
    PreflightFailed,
    WaitTimeout,
    plain,
)
from ansible_collections.kubestellar.core.plugins.module_utils._files import write_file
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils._untrusted import well_formed
from ansible_collections.kubestellar.core.plugins.module_utils._yaml import load_yaml
from ansible_collections.kubestellar.core.plugins.module_utils.embedded import ports
from ansible_collections.kubestellar.core.plugins.module_utils.local import program as programs
from ansible_collections.kubestellar.core.plugins.module_utils.local import tools
from ansible_collections.kubestellar.core.plugins.module_utils.local.tools import Decision, Found, Wanted

_SHORT_SECONDS = 60.0
_GRACE_SECONDS = 30.0
_TELL_SECONDS = 10.0
_LOOK_SECONDS = 0.5


@dataclass(frozen=True)
class Settings:
    """How to work.

    :ivar kubeconfig: our own kubeconfig of the cluster.
    :ivar program: path of kind or k3d, empty for the one on the PATH.
    :ivar engine: container engine for kind, empty for the one that kind would take.
    :ivar timeout: seconds for making or starting it.
    """

    kubeconfig: Path
    program: str
    engine: str
    timeout: int
    dry_run: bool
    environ: Mapping[str, str]


@dataclass(frozen=True)
class Result:
    """What was done, or in check mode would be."""

    decision: Decision
    server: str = ""

    @property
    def changed(self) -> bool:
        """Whether anything was, or would be, changed."""
        return self.decision.method != "none"


class Local:
    """One cluster and the programs around it.

    :raises PreflightFailed: a program is missing.
    :raises KubestellarError: the program is too old.
    :raises InvalidInput: what is wanted cannot be.
    """

    def __init__(self, wanted: Wanted, settings: Settings, progress: Progress) -> None:
        tools.check(wanted)
        self._wanted, self._settings, self._progress = wanted, settings, progress
        self._marker = settings.kubeconfig.with_name(f"{settings.kubeconfig.name}.begun")
        self._config = settings.kubeconfig.with_name("kind.yml")
        tools.check_path(str(settings.kubeconfig), settings.environ)
        self._mine = _read(settings.kubeconfig)
        tools.check_content(str(settings.kubeconfig), self._mine, wanted)
        self._begun, self._held = self._marker.exists(), -1
        self._printed = ""
        self._program = _found(wanted.tool, settings.program, settings.environ)
        engine = _engine(settings) if wanted.tool == tools.KIND else ""
        self._engine = engine
        self._environment = tools.environment(
            settings.environ, str(settings.kubeconfig), os.path.basename(engine)
        )
        tools.check_version(wanted.tool, self._program, self._run(tools.VERSION_COMMAND))

    def present(self) -> Result:
        """Make it be there and its API server answer.

        :raises InvalidInput: it is somebody else's, or lacks what cannot be added.
        """
        wanted, kubeconfig = self._wanted, self._settings.kubeconfig
        found = self._look()
        decision = tools.decide_present(
            wanted, found, ours=self._is_ours(found), begun=self._begun, kubeconfig=str(kubeconfig)
        )
        if decision.method == "create":
            self._check_port()
        if self._settings.dry_run:
            return Result(self._forecast(decision))
        if decision.method == "create":
            with self._making():
                if found is not None:
                    self._delete()
                self._create()
                text = self._kubeconfig()
                write_file(kubeconfig, text)
        else:
            if decision.method == "update":
                self._start(found)
            text = self._kubeconfig()
            if write_file(kubeconfig, text) and decision.method == "none":
                decision = Decision("update", "its kubeconfig was not that of the cluster")
        return Result(decision, self._answering(text))

    def absent(self) -> Result:
        """Make it be gone, with our files about it.

        :raises InvalidInput: it is somebody else's.
        """
        found = self._look()
        kubeconfig = self._settings.kubeconfig
        decision = tools.decide_absent(
            self._wanted, found, ours=self._is_ours(found), begun=self._begun, kubeconfig=str(kubeconfig)
        )
        if decision.method == "none" or self._settings.dry_run:
            return Result(decision)
        with self._making():
            if found is not None:
                self._delete()
            if self._look() is not None:
                raise KubestellarError(
                    f"{self._wanted.title} is still there after it was deleted.",
                    hint="Look at its containers, and run again.",
                )
            for path in (kubeconfig, self._config):
                path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # there may be files of others
            kubeconfig.parent.rmdir()
        return Result(decision)

    # -- looking -----------------------------------------------------------------------------------------------------

    def _look(self) -> Found | None:
        wanted = self._wanted
        listing = self._run(tools.list_command(wanted.tool))
        if not tools.exists(wanted.tool, wanted.name, listing):
            return None
        if wanted.tool == tools.K3D:
            return tools.k3d_found(wanted.name, listing)
        nodes = self._run(["get", "nodes", "--name", wanted.name]).split()
        return tools.engine_found(self._run(["inspect", *nodes], program=self._engine))

    def _is_ours(self, found: Found | None) -> bool:
        """Whether our kubeconfig is that of the cluster: of a running one its certificate authority, of a stopped one its name."""
        if self._wanted.context not in tools.contexts(self._mine):
            return False
        if found is None or not found.running or self._begun:
            return True
        (printed,) = load_yaml(self._kubeconfig(), "The kubeconfig")
        return tools.authority(printed) == tools.authority(self._mine)

    def _forecast(self, decision: Decision) -> Decision:
        """In check mode: whether also the kubeconfig would be written."""
        if (
            decision.method == "none"
            and self._settings.kubeconfig.read_text(encoding="utf-8") != self._kubeconfig()
        ):
            return Decision("update", "its kubeconfig is not that of the cluster")
        return decision

    def _kubeconfig(self) -> str:
        """The kubeconfig as the tool prints it.

        :raises KubestellarError: it is not one of this cluster.
        """
        if self._printed:
            return self._printed
        text = self._run(tools.kubeconfig_command(self._wanted.tool, self._wanted.name))
        documents = load_yaml(text, f"The kubeconfig that {self._program} prints")
        found = well_formed(documents[0] if len(documents) == 1 else None, f"What {self._program} prints")
        if tools.contexts(found) != [self._wanted.context]:
            raise KubestellarError(
                f"{self._program} prints a kubeconfig without the one context {self._wanted.context}.",
                hint="Is it the right program?",
            )
        self._printed = text
        return text

    def _answering(self, kubeconfig: str) -> str:
        """Wait until the API server is ready; its URL.

        :raises WaitTimeout: it does not get ready.
        """
        (content,) = load_yaml(kubeconfig, "The kubeconfig")
        client = Cluster.from_kubeconfig(content, self._wanted.context, name=self._wanted.name)
        deadline = time.monotonic() + self._settings.timeout
        while not client.ready():
            if time.monotonic() > deadline:
                raise WaitTimeout(
                    f"{self._wanted.title}: its API server at {client.server} does not get ready in {self._settings.timeout} s.",
                    hint="Look at the logs of its containers; a machine that is out of memory or of inotify watches shows there.",
                )
            self._progress.waiting(f"waiting for the API server of {self._wanted.label}")
            time.sleep(_LOOK_SECONDS)
        return client.server

    def _check_port(self) -> None:
        """:raises PreflightFailed: something else listens there. An engine on another machine cannot be asked."""
        wanted = self._wanted
        if wanted.port is None or self._begun or self._settings.environ.get("DOCKER_HOST"):
            return
        if wanted.address == tools.LOOPBACK and not ports.is_free(wanted.port):
            raise PreflightFailed(
                f"{wanted.title}: the port {wanted.port} of this machine is taken.",
                hint="Stop what listens there, or take another port.",
            )

    # -- doing -------------------------------------------------------------------------------------------------------

    def _create(self) -> None:
        wanted, settings = self._wanted, self._settings
        self._progress.line(f"creating {wanted.label}; images are pulled if they are not here")
        if wanted.tool == tools.KIND:
            write_file(self._config, json.dumps(tools.kind_config(wanted), indent=1) + "\n")
        self._printed = ""
        command = tools.create_command(wanted, str(self._config), str(settings.kubeconfig), settings.timeout)
        # The time-out of the tool is for the wait after the images are there.
        self._run(command, timeout=2 * settings.timeout + _GRACE_SECONDS)

    def _start(self, found: Found | None) -> None:
        wanted, timeout = self._wanted, self._settings.timeout
        self._progress.line(f"starting {wanted.label}")
        if wanted.tool == tools.K3D:
            command = ["cluster", "start", wanted.name, "--wait", "--timeout", f"{timeout}s"]
            self._run(command, timeout=timeout + _GRACE_SECONDS)
        elif found is not None:
            # kind itself has no command for it.
            self._run(["start", *found.containers], program=self._engine, timeout=timeout)

    def _delete(self) -> None:
        wanted, settings = self._wanted, self._settings
        self._progress.line(f"deleting {wanted.label}")
        command = tools.delete_command(wanted.tool, wanted.name, str(settings.kubeconfig))
        self._run(command, timeout=settings.timeout)

    @contextlib.contextmanager
    def _making(self) -> Iterator[None]:
        """Mark that we have begun to make or delete the cluster, until that is done. Only one run does it at a time.

        :raises KubestellarError: another run is at it.
        """
        self._marker.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(self._marker, "a", encoding="ascii") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise KubestellarError(
                    f"{self._wanted.title} is being made or deleted by another run.", hint="Wait for its end."
                ) from error
            self._held = stream.fileno()
            try:
                yield
            finally:
                self._held = -1
            self._marker.unlink(missing_ok=True)

    def _run(self, arguments: Sequence[str], *, program: str = "", timeout: float = _SHORT_SECONDS) -> str:
        """What a program prints.

        :raises KubestellarError: it fails, with the end of what it says.
        """
        command = [program or self._program, *arguments]
        shown = " ".join([os.path.basename(command[0]), *arguments[:3]])
        try:
            # The program keeps the lock also if this process is killed.
            held = (self._held,) if self._held >= 0 else ()
            process = subprocess.Popen(
                command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                pass_fds=held,
            )
        except OSError as error:
            raise PreflightFailed(
                f"{command[0]} cannot be run: {error.strerror}.", hint="Name another program."
            ) from error
        with process:
            output, errors = self._outcome(process, shown, timeout)
        if process.returncode:
            raise KubestellarError(
                f"{self._wanted.title}: {shown} failed with exit code {process.returncode}: {programs.complaint(errors or output)}.",
                hint="Does the container engine run, and may this user use it?",
            )
        return output

    def _outcome(self, process: subprocess.Popen[str], shown: str, timeout: float) -> tuple[str, str]:
        deadline = time.monotonic() + timeout
        try:
            while True:
                left = deadline - time.monotonic()
                try:
                    return process.communicate(timeout=max(0.0, min(_TELL_SECONDS, left)))
                except subprocess.TimeoutExpired as error:
                    if left <= 0:
                        raise WaitTimeout(
                            f"{self._wanted.title}: {shown} has not ended in {timeout:.0f} s.",
                            hint="Run again with a longer time-out if it only needs time, such as for pulling images.",
                        ) from error
                    self._progress.waiting(f"{shown}: still at work")
        except BaseException:
            process.kill()
            raise


def _found(name: str, program: str, environ: Mapping[str, str]) -> str:
    """The path of a program. :param program: as it is given, or empty."""
    path = programs.find(program, (name,), environ)
    if path is None:
        where = f"at {program}" if program else "on the PATH"
        oldest = f" {'.'.join(map(str, tools.OLDEST[name]))} or newer" if name in tools.OLDEST else ""
        raise PreflightFailed(
            f"The program {name} is not found {where}.", hint=f"Install {name}{oldest}, or name where it is."
        )
    return path


def _engine(settings: Settings) -> str:
    """The path of the container engine that kind uses, in the order in which kind looks for them."""
    name = settings.engine or settings.environ.get("KIND_EXPERIMENTAL_PROVIDER", "")
    if name:
        return _found(name, "", settings.environ)
    path = programs.find("", ("docker", "nerdctl", "podman"), settings.environ)
    if path is None:
        raise PreflightFailed(
            "No container engine is found on the PATH, and kind needs one.",
            hint=f"Install one of: {', '.join(tools.ENGINES)}.",
        )
    return path


def _read(path: Path) -> dict[str, Any] | None:
    """A kubeconfig; None if there is no such file.

    :raises InvalidInput: it cannot be read, or is no kubeconfig.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"{path} cannot be read: {plain(error, 120)}.", hint="Name another file."
        ) from error
    documents = load_yaml(text, str(path))
    return dict(well_formed(documents[0], str(path))) if documents else {}
