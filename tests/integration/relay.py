# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A relay before a real API server that fails on demand: what networks and busy servers do cannot be had otherwise."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster

CUT, LOSE, BUSY, AWAY, CONFLICT = "cut", "lose", "busy", "away", "conflict"
_REFUSALS = {
    BUSY: (429, "TooManyRequests", "the server is busy"),
    AWAY: (503, "ServiceUnavailable", "the server goes down"),
    CONFLICT: (
        409,
        "Conflict",
        "the object has been modified; please apply your changes to the latest version",
    ),
}


@dataclass
class Fault:
    """What happens to the first `times` requests of a method whose path has a part.

    :ivar kind: `CUT` (half of the answer), `LOSE` (the request arrives, the answer does not), or a refusal.
    """

    kind: str
    method: str
    part: str
    times: int = 1
    hits: int = 0


@dataclass
class Relay:
    """The relay.

    :ivar url: what stands for the server's own address.
    :ivar requests: method and path of each request so far. Audit logs of the stack have no reads.
    """

    url: str
    faults: list[Fault] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def fault(self, method: str, path: str) -> str:
        """What is to go wrong with a request."""
        with self._lock:
            for fault in self.faults:
                if fault.method == method and fault.part in path and fault.hits < fault.times:
                    fault.hits += 1
                    return fault.kind
        return ""

    def kubeconfig(self) -> dict[str, Any]:
        """A kubeconfig with the context `relay`."""
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "relay", "cluster": {"server": self.url}}],
            "users": [{"name": "relay", "user": {}}],
            "contexts": [{"name": "relay", "context": {"cluster": "relay", "user": "relay"}}],
        }


@contextlib.contextmanager
def before(cluster: Cluster) -> Iterator[Relay]:
    """A relay before a cluster, with the credentials of its client."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _relay(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length) if length else None
            relay.requests.append(f"{self.command} {self.path.partition('?')[0]}")
            fault = relay.fault(self.command, self.path)
            if fault in _REFUSALS:
                self._refuse(*_REFUSALS[fault])
                return
            kept = ("Accept", "Content-Type", "User-Agent")
            headers = {name: self.headers[name] for name in kept if self.headers.get(name)}
            answer = cluster._pool.request(
                self.command,
                cluster.server + self.path,
                body=body,
                headers=headers,
                preload_content=False,
                retries=False,
            )
            try:
                if fault == LOSE:
                    answer.read()
                    self._hang_up()
                elif "watch=" in self.path:
                    self._stream(answer)
                else:
                    self._answer(
                        answer.status, answer.headers.get("Content-Type"), answer.read(), fault == CUT
                    )
            finally:
                answer.close()

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _relay  # noqa: N815 (names that the server asks for)

        def _answer(self, status: int, kind: str | None, data: bytes, cut: bool) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind or "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2] if cut else data)
            if cut:
                self._hang_up()

        def _refuse(self, status: int, reason: str, message: str) -> None:
            text = {
                "kind": "Status",
                "apiVersion": "v1",
                "status": "Failure",
                "reason": reason,
                "message": message,
            }
            data = json.dumps({**text, "code": status}).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Retry-After", "1")
            self.end_headers()
            self.wfile.write(data)

        def _stream(self, answer: Any) -> None:
            self.send_response(answer.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            with contextlib.suppress(OSError):
                for chunk in answer.stream(65536):
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
                    self.wfile.flush()
                self.wfile.write(b"0\r\n\r\n")

        def _hang_up(self) -> None:
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.wfile.flush()
                self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (its name in the base class)
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    relay = Relay(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield relay
    finally:
        server.shutdown()
        server.server_close()
