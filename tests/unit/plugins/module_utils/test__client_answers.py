# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may pass for an answer of an API server, tried against a server that answers anything."""

from __future__ import annotations

import base64
import gzip
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import (
    _client,
    _control_plane,
    _credentials,
    _space,
    _yaml,
)
from ansible_collections.kubestellar.core.plugins.module_utils._auth import Auth
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    ApiError,
    ConnectionFailed,
    InvalidInput,
    KubestellarError,
)
from ansible_collections.kubestellar.core.plugins.module_utils._resources import CONFIG_MAPS, NAMESPACES
from ansible_collections.kubestellar.core.plugins.module_utils.klusterlet import hub

Answer = tuple[int, bytes, dict[str, str]]
OBJECT = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "x"}}


class Server:
    """:ivar answer: from method and path to status, body and headers. :ivar asked: method and path of each request."""

    def __init__(self) -> None:
        self.answer: Callable[[str, str], Answer] = lambda _method, _path: (200, b"{}", {})
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _do(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer.asked.append(f"{self.command} {self.path}")
                status, body, headers = outer.answer(self.command, self.path)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments: object) -> None:
                """Say nothing."""

        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            setattr(Handler, f"do_{method}", Handler._do)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()
        self.cluster = _client.Cluster.from_auth(
            Auth(source="options", host=f"http://127.0.0.1:{self._server.server_address[1]}"), name="hub1"
        )

    def says(self, body: Any, status: int = 200, **headers: str) -> None:
        """Answer everything so."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answer = lambda _method, _path: (status, data, headers)

    def close(self) -> None:
        self.cluster.close()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def served() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def server(served: Server) -> Server:
    served.asked.clear()
    return served


def listing(*names: str, **metadata: str) -> dict[str, Any]:
    items = [{"metadata": {"name": name}} for name in names]
    return {"kind": "ConfigMapList", "apiVersion": "v1", "metadata": metadata, "items": items}


NO_OBJECTS = {
    "nothing": b"",
    "a page": b"<html>login</html>",
    "an empty object": b"{}",
    "null": b"null",
    "a list": b"[]",
    "a number": b"7",
    "too many digits": b'{"kind": "ConfigMap", "a": ' + b"1" * 5000 + b"}",
    "half a pair": b'{"kind": "ConfigMapList", "items": [], "metadata": {"x": "\\ud83d"}}',
    "too deep": b'{"a":' * 300 + b"1" + b"}" * 300,
    "much too deep": b"[" * 200_000,
    "not UTF-8": b'{"kind": "\xff"}',
    "a status": b'{"kind": "Status", "status": "Success", "metadata": {}}',
    "another kind": b'{"kind": "Secret", "metadata": {"name": "a"}}',
    "a review": b'{"kind": "List", "metadata": {"name": "b"}}',
    "what is called otherwise": b'{"kind": "ConfigMap", "metadata": {"name": 7}}',
    "without metadata": b'{"kind": "ConfigMap", "metadata": null}',
}
NO_LISTS = {
    "without items": {"kind": "ConfigMapList", "metadata": {}},
    "null items": {"kind": "ConfigMapList", "metadata": {}, "items": None},
    "items of a mapping": {"kind": "ConfigMapList", "metadata": {}, "items": {}},
    "no metadata": {"kind": "ConfigMapList", "items": []},
    "no kind": {"metadata": {}, "items": []},
    "texts": {"kind": "ConfigMapList", "metadata": {}, "items": ["a"]},
    "nameless": {"kind": "ConfigMapList", "metadata": {}, "items": [{"metadata": {}}]},
}


@pytest.mark.parametrize(
    "body", [*NO_OBJECTS.values(), *(json.dumps(one).encode() for one in NO_LISTS.values())]
)
def test_what_is_no_list_is_never_an_empty_one(server, body):
    server.says(body)
    with pytest.raises(
        ConnectionFailed, match=r"^hub1: cannot list configmaps: what answers at http\S+ sends"
    ):
        server.cluster.list(CONFIG_MAPS, "x")


@pytest.mark.parametrize("body", NO_OBJECTS.values(), ids=NO_OBJECTS.keys())
@pytest.mark.parametrize(
    "call",
    [
        lambda cluster: cluster.get(CONFIG_MAPS, "a", "x"),
        lambda cluster: cluster.create(CONFIG_MAPS, OBJECT),
        lambda cluster: cluster.apply(CONFIG_MAPS, OBJECT),
        lambda cluster: cluster.patch(CONFIG_MAPS, "a", "x", {}),
        lambda cluster: cluster.update(CONFIG_MAPS, OBJECT),
        lambda cluster: cluster.version(),
        lambda cluster: cluster.kinds(refresh=True),
    ],
    ids=["get", "create", "apply", "patch", "update", "version", "discovery"],
)
def test_what_is_no_object_is_never_an_answer(server, call, body):
    server.says(body)
    with pytest.raises(KubestellarError, match=r"^hub1: "):
        call(server.cluster)


@pytest.mark.parametrize("body", [value for key, value in NO_OBJECTS.items() if key != "a status"])
def test_something_is_only_gone_when_the_server_says_so(server, body):
    server.says(body)
    with pytest.raises(ConnectionFailed):
        server.cluster.delete(CONFIG_MAPS, "a", "x")


def test_another_object_is_none(server):
    server.says({"kind": "ConfigMap", "metadata": {"name": "b"}})
    with pytest.raises(ConnectionFailed, match="no ConfigMap a"):
        server.cluster.get(CONFIG_MAPS, "a", "x")


@pytest.mark.parametrize("status", [204, 206, 301, 302, 304, 307])
def test_only_a_whole_answer_from_there_counts(server, status):
    server.says(b"", status=status, Location="https://elsewhere.example/")
    with pytest.raises(ConnectionFailed):
        server.cluster.list(CONFIG_MAPS, "x")
    assert len(server.asked) == 1


def test_compression_was_not_asked_for(server):
    """A few bytes can be packed that stand for gigabytes."""
    server.says(gzip.compress(json.dumps(listing()).encode()), **{"Content-Encoding": "gzip"})
    with pytest.raises(ConnectionFailed):
        server.cluster.list(CONFIG_MAPS, "x")


def test_what_does_not_end_is_given_up(server, monkeypatch):
    monkeypatch.setattr(_client, "LARGEST", 1000)
    server.says(listing(*("a" * 50 for _number in range(20))))
    with pytest.raises(ConnectionFailed, match="more than 0 MiB at once"):
        server.cluster.list(CONFIG_MAPS, "x")
    server.says(b"x" * 5000)
    with pytest.raises(ConnectionFailed, match="more than 0 MiB at once"):
        list(server.cluster.watch(CONFIG_MAPS, "x", resource_version="1", timeout=1))


@pytest.mark.parametrize(
    "next_token", [lambda number: "same", lambda number: f"n{number}", lambda number: "x" * 9000]
)
def test_a_list_ends(server, monkeypatch, next_token):
    monkeypatch.setattr(_client, "MOST_PAGES", 5)
    server.answer = lambda _method, _path: (
        200,
        json.dumps(listing("a", **{"continue": next_token(len(server.asked))})).encode(),
        {},
    )
    with pytest.raises(ConnectionFailed, match="a list without an end"):
        server.cluster.list(CONFIG_MAPS, "x")
    assert len(server.asked) <= 5


def test_a_list_of_several_pages_is_read_to_its_end(server):
    pages = [listing("a", **{"continue": "n"}), listing(**{"continue": "m"}), listing("b")]
    server.answer = lambda _method, _path: (200, json.dumps(pages[len(server.asked) - 1]).encode(), {})
    assert [item["metadata"]["name"] for item in server.cluster.list(CONFIG_MAPS, "x").items] == ["a", "b"]


def test_an_empty_list_of_metadata_has_null_for_its_items(server):
    answer = {"kind": "PartialObjectMetadataList", "metadata": {"resourceVersion": "7"}, "items": None}
    server.answer = lambda _method, _path: (200, json.dumps(answer).encode(), {})
    found = server.cluster.list(CONFIG_MAPS, "x", metadata_only=True)
    assert (found.items, found.resource_version) == ([], "7")


@pytest.mark.parametrize(
    "body",
    [
        b"<html>\n",
        b"[]\n",
        b"{}\n",
        b'{"type": "ADDED"}\n',
        b'{"type": "ADDED", "object": {}}\n',
        b'{"type": "ERROR", "object": 7}\n',
        b"[" * 100_000 + b"\n",
    ],
)
def test_what_is_no_event_ends_a_watch_with_a_sentence(server, body):
    server.says(body)
    with pytest.raises(ConnectionFailed, match="cannot watch configmaps"):
        list(server.cluster.watch(CONFIG_MAPS, "x", resource_version="1", timeout=1))


def test_events_come_as_they_were_sent_and_a_half_one_is_left(server):
    event = {"type": "ADDED", "object": OBJECT}
    server.says(json.dumps(event).encode() + b"\n\n" + json.dumps(event).encode() + b"\n" + b'{"type": "ADD')
    events = list(server.cluster.watch(CONFIG_MAPS, "x", resource_version="1", timeout=1))
    assert events == [_client.Event("ADDED", OBJECT)] * 2


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"details": 7}',
        b'{"details": {"causes": 7}, "message": {"a": 1}}',
        b"[" * 100_000,
    ],
)
def test_a_refusal_is_told_whatever_it_looks_like(server, body):
    server.says(body, status=422)
    with pytest.raises(ApiError, match=r"^hub1: cannot read ConfigMap x/a: .* \(HTTP 422\)\.$"):
        server.cluster.get(CONFIG_MAPS, "a", "x")


NO_NAMES: list[Any] = [
    "",
    ".",
    "..",
    "a/b",
    "a%2fb",
    "/",
    "%",
    "a\nb",
    "\ud83d",
    "x" * 2000,
    7,
    None,
    True,
    ["a"],
]


def written(verb: str) -> Callable[[_client.Cluster, Any, Any], Any]:
    return lambda cluster, name, namespace: getattr(cluster, verb)(
        CONFIG_MAPS, {**OBJECT, "metadata": {"name": name, "namespace": namespace}}
    )


CALLS: dict[str, Callable[[_client.Cluster, Any, Any], Any]] = {
    "get": lambda cluster, name, namespace: cluster.get(CONFIG_MAPS, name, namespace),
    "delete": lambda cluster, name, namespace: cluster.delete(CONFIG_MAPS, name, namespace),
    "patch": lambda cluster, name, namespace: cluster.patch(CONFIG_MAPS, name, namespace, {}),
    "apply": written("apply"),
    "update": written("update"),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_no_part_of_a_path_leads_elsewhere(server, call):
    for part in NO_NAMES:
        for name, namespace in ((part, "x"), ("a", part), (part, part)):
            with pytest.raises(InvalidInput, match="cannot be the name of"):
                call(server.cluster, name, namespace)
    with pytest.raises(InvalidInput, match="cannot be the name of"):
        server.cluster.patch(CONFIG_MAPS, "a", "x", {}, subresource="..")
    assert server.asked == []


@pytest.mark.parametrize("part", [part for part in NO_NAMES if part is not None])
def test_a_cluster_scoped_name_is_one_part_too(server, part):
    with pytest.raises(InvalidInput):
        server.cluster.delete(NAMESPACES, part)
    assert server.asked == []


def test_names_of_roles_are_quoted(server):
    server.says({"kind": "ConfigMap", "metadata": {"name": "system:a b?é"}})
    server.cluster.get(CONFIG_MAPS, "system:a b?é", "x")
    assert server.asked == ["GET /api/v1/namespaces/x/configmaps/system%3Aa%20b%3F%C3%A9"]


@pytest.mark.parametrize(
    "credentials",
    [{"api_key": "t"}, {"username": "u", "password": "p"}, {"api_key": "t", "impersonate_user": "x"}],
)
@pytest.mark.parametrize(
    "host",
    ["http://hub.example:8080", "http://hub.invalid", "http://127.0.0.1.example", "HTTP://hub.example"],
)
def test_credentials_are_not_sent_for_everybody_to_read(host, credentials):
    cluster = _client.Cluster.from_auth(Auth(source="options", host=host, **credentials), name="hub1")
    for call in (cluster.version, cluster.ready, cluster.kubeconfig):
        with pytest.raises(InvalidInput, match="^hub1: credentials are not sent to .* without TLS"):
            call()


@pytest.mark.parametrize(
    "host", ["https://me:hunter2@hub.example", "https://hunter2@hub.example", "me:hunter2@hub.example"]
)
def test_credentials_in_an_address_are_refused_and_not_shown(host):
    with pytest.raises(InvalidInput, match="has a user name or a password in it") as caught:
        _client.Cluster.from_auth(Auth(source="options", host=host, api_key="t"), name="hub1")
    assert "hunter2" not in str(caught.value.result())


@pytest.mark.parametrize(
    "host",
    ["https://", "ftp://a", "https://a:x", "https://[", "https://a b", "https://a\n", "https://a:99999"],
)
def test_what_is_no_address_is_said(host):
    with pytest.raises(InvalidInput, match="is no address of an API server"):
        _client.Cluster.from_auth(Auth(source="options", host=host), name="hub1")


KUBECONFIGS: dict[str, str] = {
    "text": "hunter2",
    "a list": "- hunter2",
    "nothing": "",
    "two": "a: 1\n---\na: 2",
    "contexts of text": "contexts: hunter2",
    "a number of contexts": "contexts: 7",
    "contexts by name": "contexts: {x: {cluster: hunter2}}",
    "contexts that are text": "contexts: [hunter2]",
    "a context of text": "contexts: [{name: x, context: hunter2}]",
    "a name that is none": "contexts: [{name: [hunter2], context: {}}]",
    "no cluster": "contexts: [{name: x, context: {cluster: hunter2, user: u}}]",
    "clusters of text": "clusters: hunter2\ncontexts: [{name: x, context: {cluster: c, user: u}}]",
    "a user of text": "users: [{name: u, user: hunter2}]\ncontexts: [{name: x, context: {cluster: c, user: u}}]",
    "a server that is none": "clusters: [{name: c, cluster: {server: [hunter2]}}]\nusers: [{name: u, user: {}}]\n"
    "contexts: [{name: x, context: {cluster: c, user: u}}]",
    "data that are none": "clusters: [{name: c, cluster: {server: 'https://a', certificate-authority-data: 7}}]\n"
    "users: [{name: u, user: {token: [hunter2]}}]\ncontexts: [{name: x, context: {cluster: c, user: u}}]",
    "a bad line": "users: [{name: u, user: {password: *hunter2}}]",
}


@pytest.mark.parametrize("text", KUBECONFIGS.values(), ids=KUBECONFIGS.keys())
def test_what_is_no_kubeconfig_is_said_by_whoever_reads_it(tmp_path, text):
    path = tmp_path / "k"
    path.write_text(text)
    (tmp_path / "good").write_text("contexts: []")
    plane = {
        "metadata": {"name": "its1"},
        "spec": {"type": "k8s"},
        "status": {"secretRef": {"name": "s", "namespace": "n", "key": "k"}},
    }
    secret = {"data": {"k": base64.b64encode(text.encode()).decode()}}
    hosting = SimpleNamespace(name="hub", get=lambda *_arguments: secret)
    readers: list[Callable[[], Any]] = [
        lambda: _client.Cluster.from_kubeconfig(str(path), "x", name="hub1"),
        lambda: _client.Cluster.from_kubeconfig(f"{path}:{tmp_path / 'good'}", "x", name="hub1"),
        lambda: _space.connect_to(hosting, plane),  # type: ignore[arg-type]
        lambda: _control_plane.read_bootstrap(str(path), None, "x", fallback="x"),
        lambda: _control_plane.read_bootstrap(None, text or " ", "x", fallback="x"),
        lambda: hub.bootstrap_of(text, "bootstrap_kubeconfig"),
    ]
    for read in readers:
        with pytest.raises(KubestellarError) as caught:
            read()
        assert "hunter" not in str(caught.value.result())
    for content in _yaml_or_nothing(text):
        with pytest.raises(KubestellarError):
            _client.Cluster.from_kubeconfig(content, "x", name="hub1")
    _credentials.credentials(secret["data"]["k"])


def _yaml_or_nothing(text: str) -> list[dict[str, Any]]:
    try:
        return _yaml.load_yaml(text, "x")
    except InvalidInput:
        return []


@pytest.mark.parametrize("holds", ["Secret", "List"])
@pytest.mark.parametrize("status", [400, 403, 422, 501])
def test_what_a_server_says_of_a_secret_is_not_shown(server, status, holds):
    said = 'Secret "a" is invalid: data[pin]: Invalid value: "hunter2": must not be hunter2'
    causes = [
        {"field": "data[pin]", "message": "hunter2 is bad"},
        {"field": "hunter2 is bad", "message": "x"},
    ]
    server.says(
        {"kind": "Status", "message": said, "reason": "Invalid", "details": {"causes": causes}}, status=status
    )
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "data": {"pin": "hunter2"}}
    body = secret if holds == "Secret" else {"kind": "List", "items": [secret], "metadata": {"name": "a"}}
    with pytest.raises(ApiError) as caught:
        server.cluster.update(CONFIG_MAPS, {**body, "metadata": {"name": "a", "namespace": "x"}})
    assert "hunter2" not in str(caught.value.result()) + str(caught.value.causes)
    assert "Invalid" in caught.value.message and "data[pin]" in caught.value.message
