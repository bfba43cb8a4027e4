# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`oc` or `kubectl` by the library `openshift-client`, for reading only (private to kubestellar.core).

The library (openshift-client: action.py) puts tokens and options on the command line and takes defaults from the environment.
Here it gets a kubeconfig file with one context and nothing else, so that a command line names only a file that others cannot read.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._errors import PreflightFailed, plain
from ansible_collections.kubestellar.core.plugins.module_utils._yaml import dump_yaml

NAMES = ("oc", "kubectl")
"""The programs that are looked for in PATH, in this order."""

OVER = "the time for this cluster was over"

_FOREIGN = ("OPENSHIFT_CLIENT_PYTHON_", "KUBECTL_", "KUBECONFIG", "KUBERC")
_PREFACE = re.compile(
    r"^(?:[Ee]rror: |Error from server(?: \(\w+\))?: )| - did you specify the right host or port\?$"
)
_NOT_THERE = re.compile(r"\(NotFound\)")


@dataclass(frozen=True)
class Answer:
    """What the program says.

    :ivar error: why it failed, as a clause; empty if it did not.
    :ivar absent: whether that is because the server does not know what it was asked for.
    """

    text: str = ""
    error: str = ""
    absent: bool = False


def find(path: str | None) -> str:
    """The program to run.

    :param path: a name or a path; None to look for `oc` and `kubectl`.
    :raises PreflightFailed: there is none, or the library that runs it is missing.
    """
    library()
    found = next((there for name in ([path] if path else NAMES) if (there := shutil.which(name))), None)
    if found is None:
        what = f"The program {path}" if path else f"Neither {' nor '.join(NAMES)}"
        raise PreflightFailed(
            f"{what} can{'not' if path else ''} be found{'' if path else ' in PATH'}, and a support bundle needs one of them.",
            hint="Install oc or kubectl where this module runs, or set program to its path.",
        )
    return os.path.abspath(found)


def library() -> Any:
    """The Python library. It reads the environment when it is imported, so that happens in `environment`.

    :raises PreflightFailed: it is missing.
    """
    try:
        import openshift_client
    except ImportError as error:
        raise PreflightFailed(
            f"The Python library openshift-client cannot be used: {plain(error, 200)}.",
            hint="Install it for the Python that runs this module: pip install openshift-client.",
        ) from error
    return openshift_client


@contextlib.contextmanager
def environment(folder: str) -> Iterator[None]:
    """For a while, an environment in which library and program find nothing of the user's and leave nothing behind.

    :param folder: a private folder for caches and for what the library has the program write to.
    """
    before, place = dict(os.environ), tempfile.tempdir
    for name in before:
        if name.startswith(_FOREIGN):
            del os.environ[name]
    # An own folder for what discovery says, and none of the user's preferences (kubernetes: kubectl/pkg/cmd, kuberc).
    os.environ |= {
        "KUBECACHEDIR": folder,
        "KUBECTL_KUBERC": "false",
        "KUBECONFIG": os.devnull,
        "TMPDIR": folder,
    }
    tempfile.tempdir = folder
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        tempfile.tempdir = place


class Program:
    """The program for one cluster.

    :param path: its absolute path.
    :param kubeconfig: with one context; it is kept in a file of mode 0600 until `close`.
    :param deadline: of `time.monotonic()`; what is not answered by then is missing.
    """

    def __init__(self, path: str, kubeconfig: Mapping[str, Any], folder: str, deadline: float) -> None:
        self._path = path
        self._deadline = deadline
        descriptor, self._file = tempfile.mkstemp(prefix="kubeconfig-", dir=folder)
        with open(descriptor, "w", encoding="utf-8") as stream:
            stream.write(dump_yaml(dict(kubeconfig)))

    def close(self) -> None:
        """Delete the kubeconfig."""
        Path(self._file).unlink(missing_ok=True)

    def raw(self, path: str, *, seconds: float | None = None) -> Answer:
        """The answer of the API server to a GET."""
        return self._run("get", ["--raw", path], seconds)

    def logs(self, namespace: str, pod: str, container: str, arguments: Sequence[str]) -> Answer:
        """The log of a container."""
        return self._run(
            "logs", [f"--namespace={namespace}", f"--container={container}", *arguments, pod], None
        )

    def _run(self, verb: str, arguments: Sequence[str], seconds: float | None) -> Answer:
        left = self._deadline - time.monotonic()
        if left <= 0:
            return Answer(error=OVER)
        left = left if seconds is None else min(left, seconds)
        oc = library()
        try:
            with (
                oc.client_path(self._path),
                oc.api_server(kubeconfig_path=self._file),
                oc.no_tracking(),
                oc.timeout(max(left, 0.1)),
            ):
                result = oc.invoke(verb, cmd_args=list(arguments), auto_raise=False)
        except OSError as error:
            return Answer(error=f"{self._path} cannot be run: {error.strerror}")
        if result.get_timeout() is not None:
            return Answer(
                error=OVER if seconds is None or left < seconds else f"no answer in {seconds:.0f} s"
            )
        if result.status() != 0:
            told = [line for line in result.err().splitlines() if line.strip()]
            return Answer(error=_sentence(told), absent=any(map(_NOT_THERE.search, told)))
        return Answer(result.out())


def _sentence(lines: Sequence[str]) -> str:
    """The last of what the program complains about, without preface and question."""
    told = _PREFACE.sub("", lines[-1].strip()) if lines else ""
    return plain(told, 300).rstrip(".") or "the program failed and did not say why"
