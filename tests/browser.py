# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Chromium without a window, for tests of pages: by its DevTools protocol over pipes, so that no port is open."""

from __future__ import annotations

import base64
import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible_collections.kubestellar.core.tools import setup

_PATIENCE = 60.0
_QUIET = (
    "--no-first-run",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--hide-scrollbars",
)


class Browser:
    """One browser with one page in it.

    :ivar complaints: what the console and the browser's log said since the page was opened: errors and warnings,
        uncaught exceptions and everything that the page's policy forbade.
    :ivar requests: the addresses that the page asked for, itself included.
    """

    def __init__(self, process: subprocess.Popen[bytes], reading: int, writing: int) -> None:
        self._process, self._reading, self._writing = process, reading, writing
        self._rest = b""
        self._number = 0
        self._session = ""
        self._loaded = False
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")

    def look(self, width: int = 1280, height: int = 900, *, dark: bool = False, scripts: bool = True) -> None:
        """Set the size of the window and the colours that its user prefers; for the page that is opened next."""
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._call("Emulation.setEmulatedMedia", features=[scheme])
        self._call("Emulation.setScriptExecutionDisabled", value=not scripts)

    def open(self, path: Path) -> None:
        """Open a file and wait until it is loaded, and, if it draws itself, drawn."""
        self._loaded = False
        self.complaints.clear()
        self.requests.clear()
        self._call("Page.navigate", url=path.resolve().as_uri())
        self._until(lambda: self._loaded)

    def drawn(self) -> int:
        """Wait until the report has drawn itself; the milliseconds that it took from its opening."""
        self._until(lambda: self.value("document.documentElement.dataset.rendered || ''") != "", pause=0.02)
        return int(self.value("document.documentElement.dataset.rendered"))

    def value(self, expression: str) -> Any:
        """What an expression gives in the page."""
        answer = self._call(
            "Runtime.evaluate",
            expression=expression,
            returnByValue=True,
            awaitPromise=True,
            allowUnsafeEvalBlockedByCSP=False,
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        """Press a key."""
        for kind in ("keyDown", "keyUp"):
            self._call("Input.dispatchKeyEvent", type=kind, key=key, code=key)

    def picture(self, path: Path, *, whole: bool = False) -> None:
        """Save what is to be seen, or the whole page, as PNG."""
        found = self._call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(found["data"]))

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        mine = self._number
        message: dict[str, Any] = {"id": mine, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._writing, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + _PATIENCE
        while True:
            answer = self._next(deadline)
            if answer.get("id") == mine:
                assert "error" not in answer, (method, answer["error"])
                return dict(answer["result"])

    def _until(self, condition: Any, pause: float = 0.0) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not condition():
            assert time.monotonic() < deadline, "the page did not get that far"
            if pause:
                time.sleep(pause)
            else:
                self._next(deadline)

    def _next(self, deadline: float) -> dict[str, Any]:
        """The next message of the browser; events are noted."""
        while b"\0" not in self._rest:
            ready, _writing, _failed = select.select(
                [self._reading], [], [], max(0.0, deadline - time.monotonic())
            )
            chunk = os.read(self._reading, 1 << 20) if ready else b""
            assert chunk, f"the browser does not answer (exit code {self._process.poll()})"
            self._rest += chunk
        first, _nul, self._rest = self._rest.partition(b"\0")
        message = dict(json.loads(first))
        self._note(message.get("method"), message.get("params") or {})
        return message

    def _note(self, method: str | None, event: dict[str, Any]) -> None:
        if method == "Page.loadEventFired":
            self._loaded = True
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(event["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and event["type"] in ("error", "warning", "assert"):
            self.complaints.append(json.dumps(event["args"]))
        elif method == "Log.entryAdded" and event["entry"]["level"] in ("error", "warning"):
            self.complaints.append(event["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(event["request"]["url"])


@contextmanager
def started(folder: Path) -> Iterator[Browser]:
    """A browser that keeps its files in `folder`."""
    program = setup.browser()
    assert program, f"No Chromium was found. {setup.BROWSER_HINT}"
    there, writing = os.pipe()
    reading, here = os.pipe()
    # A shell moves the pipes to where the browser expects them.
    command = ["bash", "-c", f'exec "$@" 3<&{there} 4>&{here}', "bash", program]
    command += ["--headless", "--remote-debugging-pipe", f"--user-data-dir={folder / 'profile'}", *_QUIET]
    command += ["--no-sandbox"] if os.geteuid() == 0 else []
    environment = {
        **os.environ,
        "HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
        "XDG_CACHE_HOME": str(folder),
    }
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(
            command,
            pass_fds=(there, here),
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )
    os.close(there)
    os.close(here)
    try:
        yield Browser(process, reading, writing)
    finally:
        os.close(writing)  # which is its sign to end
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        os.close(reading)
