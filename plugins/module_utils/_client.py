# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One API server: its session, discovery and requests (private to kubestellar.core).

Credentials and TLS are the `kubernetes` library's; requests are plain JSON on its connection pool, which is
several times faster than its models and keeps unknown fields. One `Cluster` serves many threads.
"""

from __future__ import annotations

import base64
import copy
import email.utils
import json
import os
import re
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlencode, urlsplit

from ansible_collections.kubestellar.core.plugins.module_utils import _answers, _bounds, _texts
from ansible_collections.kubestellar.core.plugins.module_utils._auth import Auth
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    ApiError,
    Conflict,
    ConnectionFailed,
    InvalidInput,
    KubestellarError,
    NotFound,
    plain,
)
from ansible_collections.kubestellar.core.plugins.module_utils._resources import Resource
from ansible_collections.kubestellar.core.plugins.module_utils._untrusted import (
    inline,
    is_loopback,
    well_formed,
)
from ansible_collections.kubestellar.core.plugins.module_utils._yaml import unusable, yaml_documents

_IMPORT_ERROR: ImportError | None = None
try:
    import urllib3
except ImportError as error:
    _IMPORT_ERROR = error

FIELD_MANAGER = "kubestellar.core"
POOL_SIZE = 16
PAGE_SIZE = 500
LARGEST = 256 * 2**20
"""Bytes of one answer."""
MOST_PAGES = 2000

_NOT_IN_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_ATTEMPTS = 7
_ATTEMPTS_AT_WEBHOOKS = 3
"""What is applied is mostly a workload in a WDS, where no Pod answers for a webhook."""
_FIRST_PAUSE = 0.25
_LONGEST_PAUSE = 8.0
_LONGEST_ASKED = 60.0
_TOKEN_SECONDS = 10.0
_LONGEST_CONTINUE = 8192
_MERGE_PATCH = "application/merge-patch+json"
_JSON_PATCH = "application/json-patch+json"
_APPLY_PATCH = "application/apply-patch+yaml"
_AGGREGATED = ",".join(
    [f"application/json;g=apidiscovery.k8s.io;v={v};as=APIGroupDiscoveryList" for v in ("v2", "v2beta1")]
    + ["application/json"]
)
_METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


class Expired(KubestellarError):
    """410: the resource version of a watch or list is too old; list again."""


@dataclass(frozen=True)
class Listing:
    """The answer of a list: `items` (objects as dicts) as of `resource_version`."""

    items: list[dict[str, Any]]
    resource_version: str


@dataclass(frozen=True)
class Event:
    """One line of a watch. :param type: `ADDED`, `MODIFIED`, `DELETED` or `BOOKMARK`."""

    type: str
    object: dict[str, Any]


class Cluster:
    """One API server.

    :ivar name: what messages call it, for example `its1`.
    :ivar server: its base URL.
    :ivar context: the context of the kubeconfig that it comes from; None without a kubeconfig.
    :ivar user_agent: how audit logs call us.
    """

    def __init__(self, configuration: Any, name: str) -> None:
        configuration.retries = False
        configuration.connection_pool_maxsize = POOL_SIZE
        self.name = name
        self.user_agent = FIELD_MANAGER
        self.context: str | None = None
        self.server = str(configuration.host).rstrip("/")
        self._address = _address(self.server, name)
        self._configuration = configuration
        self._pool = _library().client.rest.RESTClientObject(configuration).pool_manager
        self._headers = urllib3.HTTPHeaderDict()
        self._known_token: tuple[str | None, float] | None = None
        self._lock = threading.Lock()
        self._discovery: dict[tuple[str, str], Resource] | None = None
        self._preferred: list[Resource] = []

    @classmethod
    def from_auth(cls, auth: Auth, *, name: str) -> Cluster:
        """The cluster an `Auth` names.

        :raises InvalidInput: the kubeconfig lacks what is named, or has several contexts and none is named.
        :raises ConnectionFailed: credentials cannot be loaded.
        """
        library = _library()
        if auth.kubeconfig is not None:
            cluster = cls.from_kubeconfig(auth.kubeconfig, auth.context, name=name, auth=auth)
        else:
            configuration = library.client.Configuration()
            if auth.source == "in-cluster":
                try:
                    library.config.load_incluster_config(client_configuration=configuration)
                except library.config.ConfigException as error:
                    raise ConnectionFailed(
                        f"{name}: the service account of this pod cannot be used: {plain(error)}."
                    ) from error
            else:
                _configure_host(configuration, auth, name)
            _configure_common(configuration, auth)
            cluster = cls(configuration, name)
        if auth.username and auth.password:
            cluster._headers.update(urllib3.make_headers(basic_auth=f"{auth.username}:{auth.password}"))
        if auth.impersonate_user:
            cluster._headers["Impersonate-User"] = auth.impersonate_user
        if auth.impersonate_groups:
            for group in auth.impersonate_groups:
                cluster._headers.add("Impersonate-Group", group)
        return cluster

    @classmethod
    def from_kubeconfig(
        cls,
        kubeconfig: str | Path | Mapping[str, Any],
        context: str | None = None,
        *,
        name: str,
        auth: Auth | None = None,
    ) -> Cluster:
        """The cluster of one context of a kubeconfig (path, paths joined by `:`, or its content).

        :raises InvalidInput: no such file or context, or several contexts and none named.
        """
        library = _library()
        configuration = library.client.Configuration()
        content: Mapping[str, Any]
        base_path = None
        if isinstance(kubeconfig, Mapping):
            label = "the given kubeconfig"
            content = well_formed(kubeconfig, f"{name}: {label}")
        else:
            label = str(kubeconfig)
            paths = [path for path in label.split(os.pathsep) if path]
            missing = [path for path in paths if not os.path.isfile(path)]
            if missing:
                raise InvalidInput(f"{name}: the kubeconfig {missing[0]} does not exist.")
            base_path = os.path.dirname(os.path.abspath(paths[0]))
            content = _read_kubeconfig(paths, name)
        contexts = [entry["name"] for entry in content.get("contexts") or []]
        if context is None:
            if len(contexts) != 1:
                raise InvalidInput(
                    f"{name}: {label} has {len(contexts)} contexts and none is named.",
                    hint=f"Set context to one of: {plain(', '.join(contexts))}.",
                )
            context = contexts[0]
        if context not in contexts:
            raise InvalidInput(
                f"{name}: {label} has no context {context!r}.", hint=f"It has: {plain(', '.join(contexts))}."
            )
        try:
            loader = library.config.kube_config.KubeConfigLoader(
                config_dict=dict(content), active_context=context, config_base_path=base_path
            )
            loader.load_and_set(configuration)
        except (
            *(library.config.ConfigException, OSError, AttributeError, KeyError, TypeError, ValueError),
        ) as error:
            raise ConnectionFailed(
                f"{name}: context {context} of {label} cannot be used: {plain(error)}."
            ) from error
        if auth is not None:
            _configure_common(configuration, auth)
        cluster = cls(configuration, name)
        cluster.context = context
        return cluster

    @classmethod
    def from_secret(cls, kubeconfig: object, *, name: str) -> Cluster:
        """The cluster of a kubeconfig that an API server has handed out, which is believed no more than it must be.

        :raises InvalidInput: it has what is not taken from a cluster, see `_untrusted.inline`.
        """
        return cls.from_kubeconfig(inline(kubeconfig, name), name=name)

    def renamed(self, name: str) -> Cluster:
        """The same connection under another name: a space of type `host` is the hosting cluster itself."""
        other = copy.copy(self)
        other.name = name
        return other

    def authority(self) -> bytes | None:
        """PEM of the CA that this connection verifies the server with; None for the system's CAs.

        :raises KubestellarError: the connection does not verify the server, or the file cannot be read.
        """
        if not self._configuration.verify_ssl:
            raise KubestellarError(
                f"{self.name}: this connection does not verify the server, so its CA cannot be handed on.",
                hint="Give its CA in the kubeconfig.",
            )
        path = self._configuration.ssl_ca_cert
        if not path:
            return None
        try:
            return Path(path).read_bytes()
        except OSError as error:
            raise KubestellarError(
                f"{self.name}: the CA file {path} cannot be read: {error.strerror}."
            ) from error

    def kubeconfig(self) -> dict[str, Any]:
        """The connection as a kubeconfig with one context and the credentials inside, for programs that read such files.

        :raises KubestellarError: a file of the connection cannot be read, or a kubeconfig cannot say what it has.
        """
        configuration = self._configuration
        if configuration.proxy_headers:
            raise KubestellarError(
                f"{self.name}: this connection has proxy_headers, which a kubeconfig cannot say.",
                hint="Name a proxy that needs none, or run where none is needed.",
            )
        cluster: dict[str, Any] = {"server": self.server}
        if not configuration.verify_ssl:
            cluster["insecure-skip-tls-verify"] = True
        elif authority := self.authority():
            cluster["certificate-authority-data"] = base64.b64encode(authority).decode()
        if getattr(configuration, "tls_server_name", None):
            cluster["tls-server-name"] = configuration.tls_server_name
        if isinstance(self._pool, urllib3.ProxyManager):
            cluster["proxy-url"] = configuration.proxy
        user = self._user()
        name = self.name
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": cluster}],
            "users": [{"name": name, "user": user}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
        }

    def _user(self) -> dict[str, Any]:
        """The credentials of this connection, as a kubeconfig has them."""
        user: dict[str, Any] = {}
        for key, path in (
            ("client-certificate-data", self._configuration.cert_file),
            ("client-key-data", self._configuration.key_file),
        ):
            if path:
                try:
                    user[key] = base64.b64encode(Path(path).read_bytes()).decode()
                except OSError as error:
                    raise KubestellarError(
                        f"{self.name}: the file {path} cannot be read: {error.strerror}."
                    ) from error
        headers = self._headers
        if self._token():
            self._check_private({"Authorization": ""})
        self._check_private(headers)
        scheme, _blank, credentials = str(self._token() or headers.get("authorization") or "").partition(" ")
        if scheme.lower() == "bearer":
            user["token"] = credentials.strip()
        elif scheme.lower() == "basic":
            name, _colon, password = base64.b64decode(credentials).decode().partition(":")
            user |= {"username": name, "password": password}
        if "impersonate-user" in headers:
            user["as"] = headers["impersonate-user"]
        if "impersonate-group" in headers:
            user["as-groups"] = headers.getlist("impersonate-group")
        return user

    def _token(self) -> str | None:
        """The value of the header `Authorization` that the configuration says; None if it says none.

        Asked for now and then, not with each request: the library reads all of its settings again, and renews a token minutes
        before it expires.
        """
        now = time.monotonic()
        if self._known_token is None or now >= self._known_token[1]:
            # The library calls it `authorization` before its release 36.
            known = "BearerToken" if "BearerToken" in self._configuration.api_key else "authorization"
            token = self._configuration.get_api_key_with_prefix(known)
            self._known_token = (str(token) if token else None, now + _TOKEN_SECONDS)
        return self._known_token[0]

    def _check_private(self, headers: Mapping[str, Any]) -> None:
        """:raises InvalidInput: everybody on the way could read the credentials."""
        host = self._address.hostname or ""
        private = self._address.scheme == "https" or host == "localhost" or is_loopback(host)
        if "Authorization" in headers and not private:
            raise InvalidInput(
                f"{self.name}: credentials are not sent to {self.server} without TLS.",
                hint="Write https:// in its address.",
            )

    def close(self) -> None:
        """Drop all connections."""
        self._pool.clear()

    def ready(self, timeout: float = 2.0) -> bool:
        """Whether the API server answers `/readyz` with OK; no answer is "no"."""
        return self.readiness(timeout) == 200

    def readiness(self, timeout: float = 2.0) -> int:
        """The HTTP status with which the API server answers `/readyz`; 0 if it does not answer."""
        try:
            response = self._send("GET", "/readyz", None, None, "", "*/*", timeout)
        except urllib3.exceptions.HTTPError:
            return 0
        response.close()
        return int(response.status)

    # -- requests ---------------------------------------------------------------------------------------------

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
        accept: str = "application/json",
        timeout: float = 30.0,
        action: str = "",
        repeatable: bool | None = None,
        attempts: int = _ATTEMPTS,
        kind: str = "",
    ) -> dict[str, Any]:
        """Send one request and return the answer, which is a JSON object: nothing else is taken for an answer.

        A 429 is repeated when the server asks for it, after a minute at the latest. Lost connections and 5xx are repeated where repeating cannot do
        harm (`repeatable`; by default reads and server-side apply); a refused connection always, since
        nothing was sent.

        :param action: what it is for, completing "cannot ...".
        :param timeout: seconds for each attempt.
        :param attempts: how often it is sent at most.
        :param kind: what the answer has to be.
        :raises NotFound, Conflict, ApiError: the server's refusal.
        :raises ConnectionFailed: no answer after all attempts, or one that no API server gives.
        """
        action = action or f"{method} {path}"
        if repeatable is None:
            repeatable = method in ("GET", "HEAD") or content_type == _APPLY_PATCH
        data = None if body is None else self._encoded(body, action)
        pause = _FIRST_PAUSE
        for attempt in range(1, attempts + 1):
            last, asked = attempt >= attempts, 0.0
            try:
                response = self._send(method, path, data, query, content_type, accept, timeout)
                answer = self._body(response, action)
            except urllib3.exceptions.HTTPError as error:
                if last or not (repeatable or _never_sent(error)) or _is_tls(error):
                    raise self._connection_error(action, error) from error
            else:
                status = int(response.status)
                if 200 <= status < 300:
                    return self._value(answer, action, kind)
                if status < 400:
                    raise self._no_answer(action, f"HTTP {status}, which leads elsewhere")
                overloaded = status == 429 or (status >= 500 and status != 501 and repeatable)
                if content_type == _APPLY_PATCH and _answers.of_webhook(answer):
                    last = attempt >= min(attempts, _ATTEMPTS_AT_WEBHOOKS)
                if last or not overloaded or (status >= 500 and _answers.lasting(answer)):
                    raise self._refusal(
                        action, status, answer, secret=status != 409 and _holds_secret(path, body)
                    )
                asked = min(_retry_after(response.headers.get("Retry-After")), _LONGEST_ASKED)
            time.sleep(max(pause, asked))
            pause = min(pause * 2, _LONGEST_PAUSE)
        raise ConnectionFailed(f"{self.name}: cannot {action}.")  # not reached: the last attempt raises

    def _body(self, response: Any, action: str) -> bytes:
        """What came, as it came: compression was not asked for.

        :raises ConnectionFailed: it does not end.
        """
        try:
            answer = bytes(response.read(LARGEST + 1, decode_content=False))
        except BaseException:
            response.close()
            raise
        if len(answer) > LARGEST:
            response.close()
            raise self._no_answer(action, f"more than {LARGEST // 2**20} MiB at once")
        response.release_conn()
        return answer

    def _value(self, answer: bytes, action: str, kind: str) -> dict[str, Any]:
        """The object of an answer. :raises ConnectionFailed: it has none, or another one."""
        try:
            value = _bounds.json_value(answer)
        except ValueError as error:
            raise self._no_answer(action, f"no JSON of an API server ({plain(error, 120)})") from error
        if not isinstance(value, dict):
            raise self._no_answer(action, "JSON that is no object")
        if kind and value.get("kind") != kind:
            raise self._no_answer(action, f"no {kind}")
        return value

    def _no_answer(self, action: str, what: str) -> ConnectionFailed:
        return ConnectionFailed(
            f"{self.name}: cannot {action}: what answers at {self.server} sends {what}.",
            hint="Is this the address of an API server, and does no proxy answer in its place?",
        )

    def _object(
        self, answer: dict[str, Any], resource: Resource, action: str, name: str = ""
    ) -> dict[str, Any]:
        """:param name: what the object has to be called, if that is known. :raises ConnectionFailed: the answer is no such object."""
        metadata = answer.get("metadata")
        found = metadata.get("name") if isinstance(metadata, dict) else None
        if answer.get("kind") != resource.kind or not isinstance(found, str) or (name and found != name):
            raise self._no_answer(
                action, f"no {label(resource.kind, plain(name, 120)) if name else resource.kind}"
            )
        return answer

    def _encoded(self, body: Any, action: str) -> bytes:
        """JSON that the server can also read as YAML, as it does for apply.

        There, surrogate pairs must not be escaped, and control characters and line separators must.

        :raises InvalidInput: a text that is not Unicode.
        """
        try:
            text = json.dumps(body, ensure_ascii=False, allow_nan=False)
            return _NOT_IN_YAML.sub(lambda match: f"\\u{ord(match.group()):04x}", text).encode()
        except UnicodeEncodeError as error:
            raise InvalidInput(
                f"{self.name}: cannot {action}: it has text that is not valid Unicode ({error.reason}).",
                hint="Correct the file it comes from; it must be UTF-8.",
            ) from error
        except (TypeError, ValueError) as error:
            raise InvalidInput(
                f"{self.name}: cannot {action}: it has a value that JSON does not know ({plain(error, 120)}).",
                hint="Write dates and the like in quotes.",
            ) from error

    def _send(
        self,
        method: str,
        path: str,
        data: bytes | None,
        query: Mapping[str, Any] | None,
        content_type: str,
        accept: str,
        timeout: float,
    ) -> Any:
        """The response, whose body is still to be read."""
        url = self.server + path
        pairs = {key: value for key, value in (query or {}).items() if value not in (None, "")}
        if pairs:
            url += "?" + urlencode(pairs)
        headers = self._headers.copy()
        headers.update({"Accept": accept, "User-Agent": self.user_agent})
        if data is not None:
            headers["Content-Type"] = content_type
        token = self._token()
        if token:
            headers["Authorization"] = token
        self._check_private(headers)
        return self._pool.request(
            method,
            url,
            body=data,
            headers=headers,
            timeout=urllib3.Timeout(connect=min(timeout, 10.0), read=timeout),
            preload_content=False,
            retries=False,
        )

    def _connection_error(self, action: str, error: Exception) -> ConnectionFailed:
        if _is_tls(error):
            return ConnectionFailed(
                f"{self.name}: cannot {action}: the certificate of {self.server} is not trusted: {plain(error, 200)}.",
                hint="Give the right CA (ca_cert, or certificate-authority-data in the kubeconfig).",
            )
        return ConnectionFailed(
            f"{self.name}: cannot {action}: no answer from {self.server}: {plain(error, 200)}.",
            hint="Is the API server running and reachable from here?",
        )

    def _lines(self, response: Any, action: str) -> Iterator[bytes]:
        """The lines of a streamed answer as they arrive.

        :raises ConnectionFailed: one does not end.
        """
        parts: list[bytes] = []
        size = 0
        for chunk in response.stream(65536, decode_content=False):
            first, *others = chunk.split(b"\n")
            parts.append(first)
            size += len(first)
            if size > LARGEST:
                raise self._no_answer(action, f"more than {LARGEST // 2**20} MiB at once")
            for other in others:
                line = b"".join(parts)
                if line.strip():
                    yield line
                parts, size = [other], len(other)

    def _refusal(self, action: str, status: int, data: bytes, *, secret: bool = False) -> ApiError:
        """The exception for an answer of 400 and above.

        :param secret: a Secret was sent, which the server may quote: only the reason and the fields are told.
        """
        causes: Any = []
        try:
            answer = _bounds.json_value(data)
            message, reason = str(answer.get("message") or ""), str(answer.get("reason") or "")
            causes = (answer.get("details") or {}).get("causes")
        except (ValueError, AttributeError):
            message, reason = data[:4096].decode(errors="replace"), ""
        found = [
            (str(cause.get("field") or ""), str(cause.get("message") or ""))
            for cause in (causes if isinstance(causes, list) else [])
            if isinstance(cause, Mapping)
        ]
        short = {text: _answers.without_value(text) for _field, text in found}
        for text, shorter in short.items():
            message = message.replace(text, shorter)
        told = plain(_answers.worded(message)) or "no reason given"
        if secret:
            told = _answers.withheld(message, reason, causes)
        sentence = f"{self.name}: cannot {action}: {told} (HTTP {status})."
        hint = _answers.hint(status, message)
        kind = {404: NotFound, 409: Conflict}.get(status, ApiError)
        error = kind(sentence, status=status, reason=reason, hint=hint)
        error.causes = tuple(
            (
                plain(_answers.field(field)),
                plain(_answers.kind_of(text) if secret else _answers.worded(short[text])),
            )
            for field, text in found
        )
        return error

    # -- discovery --------------------------------------------------------------------------------------------

    def version(self, **options: Any) -> str:
        """The version of Kubernetes that it says, such as `v1.32.13`.

        :param options: of `request`.
        :raises ConnectionFailed: it says none, so it is no API server.
        """
        action = "read its version"
        version = self.request("GET", "/version", action=action, **options).get("gitVersion")
        if not isinstance(version, str) or not version:
            raise self._no_answer(action, "no version of Kubernetes")
        return version

    def resources(self, *, refresh: bool = False) -> list[Resource]:
        """Every resource in its group's preferred version, without subresources. Read once, then remembered."""
        self._discover(refresh=refresh)
        return self._preferred

    def kinds(self, *, refresh: bool = False) -> set[tuple[str, str]]:
        """(apiVersion, kind) of everything that is served."""
        return set(self._discover(refresh=refresh))

    def unserved(self, resources: Sequence[Resource]) -> list[Resource]:
        """Which of these are not served right now, in the order given."""
        served = self.kinds(refresh=True)
        return [wanted for wanted in resources if (wanted.api_version, wanted.kind) not in served]

    def served_versions(self) -> dict[tuple[str, str], list[str]]:
        """(group, plural) of what is served in several versions, to these, the preferred one first."""
        versions: dict[tuple[str, str], list[str]] = {}
        for found in self._discover(refresh=False).values():
            versions.setdefault((found.group, found.plural), []).append(found.version)
        return {pair: served for pair, served in versions.items() if len(served) > 1}

    def resource(self, api_version: str, kind: str) -> Resource:
        """The resource of a kind.

        :raises NotFound: not served (reason `KindNotServed`), also after reading discovery again.
        """
        for refresh in (False, True):
            found = self._discover(refresh=refresh).get((api_version, kind))
            if found is not None:
                return found
        raise NotFound(
            f"{self.name}: {plain(api_version)} {plain(kind)} is not served here.",
            status=404,
            reason="KindNotServed",
            hint=_alike(api_version, kind, self.kinds()),
        )

    def _discover(self, *, refresh: bool) -> dict[tuple[str, str], Resource]:
        with self._lock:
            if self._discovery is None or refresh:
                everything: dict[tuple[str, str], Resource] = {}
                preferred: list[Resource] = []
                for path in ("/api", "/apis"):
                    answer = self.request("GET", path, accept=_AGGREGATED, action="read API discovery")
                    if answer.get("kind") != "APIGroupDiscoveryList":
                        raise KubestellarError(
                            f"{self.name}: the API server has no aggregated discovery.",
                            hint="Kubernetes 1.27 or newer is needed.",
                        )
                    try:
                        found_here = [pair for group in answer["items"] for pair in _group_resources(group)]
                    except (AttributeError, KeyError, TypeError) as error:
                        raise self._no_answer(
                            "read API discovery", "a discovery that cannot be read"
                        ) from error
                    for found, is_preferred in found_here:
                        everything[(found.api_version, found.kind)] = found
                        if is_preferred:
                            preferred.append(found)
                self._discovery, self._preferred = everything, preferred
            return self._discovery

    # -- verbs ------------------------------------------------------------------------------------------------

    def get(self, resource: Resource, name: str, namespace: str | None = None) -> dict[str, Any] | None:
        """One object, or None if it, its namespace or its resource is not there (404)."""
        action = f"read {label(resource.kind, name, namespace)}"
        try:
            answer = self.request("GET", resource.object_path(namespace, name), action=action)
        except NotFound:
            return None
        return self._object(answer, resource, action, name)

    def list(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
        metadata_only: bool = False,
    ) -> Listing:
        """All objects of a resource in one namespace or in all, read page by page.

        :param metadata_only: only `apiVersion`, `kind` and `metadata` (PartialObjectMetadata).
        :raises NotFound: the resource is not served: never taken for an empty list.
        """
        items: list[dict[str, Any]] = []
        version = ""
        for page in self.pages(
            resource,
            namespace,
            label_selector=label_selector,
            field_selector=field_selector,
            metadata_only=metadata_only,
        ):
            items += page.items
            version = page.resource_version
        return Listing(items, version)

    def pages(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
        metadata_only: bool = False,
    ) -> Iterator[Listing]:
        """As `list`, one page after the other, for those who need little of each object and many objects."""
        token, action = "", f"list {resource.plural}"
        for _page in range(MOST_PAGES):
            answer = self.request(
                "GET",
                resource.path(namespace),
                query={
                    "labelSelector": label_selector,
                    "fieldSelector": field_selector,
                    "limit": PAGE_SIZE,
                    "continue": token,
                },
                accept=_METADATA_ONLY if metadata_only else "application/json",
                action=action,
            )
            problem = list_problem(answer)
            if problem:
                raise self._no_answer(action, problem)
            items: list[dict[str, Any]] = answer["items"] or []
            for item in items:
                # Items of typed lists name no kind, those of metadata lists the wrong one.
                item["apiVersion"], item["kind"] = resource.api_version, resource.kind
            metadata = answer["metadata"]
            before, token = token, str(metadata.get("continue") or "")
            yield Listing(items, str(metadata.get("resourceVersion") or ""))
            if not token:
                return
            if token == before or len(token) > _LONGEST_CONTINUE:
                break
        raise self._no_answer(action, "a list without an end")

    def create(
        self, resource: Resource, obj: Mapping[str, Any], *, dry_run: bool = False, strict: bool = False
    ) -> dict[str, Any]:
        """POST one object.

        :param strict: refuse fields that are not known.
        :raises Conflict: it exists (reason `AlreadyExists`).
        """
        namespace, name = _identity(obj)
        action = f"create {label(resource.kind, name, namespace)}"
        answer = self.request(
            "POST",
            resource.path(namespace),
            body=obj,
            query={
                "fieldManager": FIELD_MANAGER,
                "dryRun": "All" if dry_run else "",
                "fieldValidation": "Strict" if strict else "",
            },
            action=action,
        )
        return self._object(answer, resource, action)

    def apply(
        self,
        resource: Resource,
        obj: Mapping[str, Any],
        *,
        field_manager: str = FIELD_MANAGER,
        force: bool = False,
        dry_run: bool = False,
        subresource: str | None = None,
    ) -> dict[str, Any]:
        """Server-side apply; the object as the server then has it.

        It refuses unknown fields in any case. Strict validation would let the server read the whole body a second time,
        for keys that are there twice, which a mapping cannot have (kubernetes: apiserver, pkg/endpoints/handlers/patch.go).

        :raises Conflict: another manager owns a field and `force` is false.
        """
        namespace, name = _identity(obj)
        action = f"apply {label(resource.kind, name, namespace)}"
        answer = self.request(
            "PATCH",
            resource.object_path(namespace, name, subresource),
            body=obj,
            query={
                "fieldManager": field_manager,
                "force": "true" if force else "false",
                "fieldValidation": "Ignore",
                "dryRun": "All" if dry_run else "",
            },
            content_type=_APPLY_PATCH,
            action=action,
        )
        return self._object(answer, resource, action)

    def patch(
        self,
        resource: Resource,
        name: str,
        namespace: str | None,
        body: Any,
        *,
        kind: str = "merge",
        subresource: str | None = None,
        dry_run: bool = False,
        field_manager: str = FIELD_MANAGER,
    ) -> dict[str, Any]:
        """A merge patch (`kind="merge"`, repeatable) or a JSON patch (`kind="json"`)."""
        action = f"change {label(resource.kind, name, namespace)}"
        answer = self.request(
            "PATCH",
            resource.object_path(namespace, name, subresource),
            body=body,
            query={"fieldManager": field_manager, "dryRun": "All" if dry_run else ""},
            content_type=_MERGE_PATCH if kind == "merge" else _JSON_PATCH,
            action=action,
            repeatable=kind == "merge",
        )
        return self._object(answer, resource, action)

    def update(
        self,
        resource: Resource,
        obj: Mapping[str, Any],
        *,
        subresource: str | None = None,
        dry_run: bool = False,
    ) -> dict[str, Any]:
        """PUT one object. :raises Conflict: it changed since it was read."""
        namespace, name = _identity(obj)
        action = f"replace {label(resource.kind, name, namespace)}"
        answer = self.request(
            "PUT",
            resource.object_path(namespace, name, subresource),
            body=obj,
            query={"fieldManager": FIELD_MANAGER, "dryRun": "All" if dry_run else ""},
            action=action,
        )
        return self._object(answer, resource, action)

    def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str | None = None,
        *,
        propagation: str = "Background",
        uid: str | None = None,
        dry_run: bool = False,
    ) -> bool:
        """Delete one object; False if it was gone already. With `uid`, only that very object."""
        options: dict[str, Any] = {
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "propagationPolicy": propagation,
        }
        if uid:
            options["preconditions"] = {"uid": uid}
        if dry_run:
            # In the body, since the server then ignores the query, which is for readers of audit logs.
            options["dryRun"] = ["All"]
        action = f"delete {label(resource.kind, name, namespace)}"
        try:
            answer = self.request(
                "DELETE",
                resource.object_path(namespace, name),
                body=options,
                query={"dryRun": "All" if dry_run else ""},
                action=action,
                repeatable=True,
            )
        except NotFound:
            return False
        if answer.get("kind") != "Status":
            self._object(answer, resource, action, name)
        return True

    def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        resource_version: str,
        label_selector: str = "",
        field_selector: str = "",
        timeout: float,
    ) -> Iterator[Event]:
        """Events after `resource_version`, for at most `timeout` seconds; ends early when the server hangs up.

        :raises Expired: list again and watch from there.
        :raises ConnectionFailed, ApiError: no connection, or refused.
        """
        action = f"watch {resource.plural}"
        query = {
            "watch": "1",
            "resourceVersion": resource_version,
            "labelSelector": label_selector,
            "fieldSelector": field_selector,
            "timeoutSeconds": max(1, int(timeout)),
            "allowWatchBookmarks": "true",
        }
        try:
            response = self._send(
                "GET",
                resource.path(namespace),
                None,
                query,
                "application/json",
                "application/json",
                timeout + 5,
            )
        except urllib3.exceptions.HTTPError as error:
            raise self._connection_error(action, error) from error
        try:
            if response.status == 410:
                raise Expired(f"{self.name}: the watch of {resource.plural} expired.")
            if response.status >= 400:
                raise self._refusal(action, int(response.status), self._body(response, action))
            if not 200 <= response.status < 300:
                raise self._no_answer(action, f"HTTP {response.status}, which leads elsewhere")
            for line in self._lines(response, action):
                event = self._value(line, action, "")
                kind, found = event.get("type"), event.get("object")
                if kind == "ERROR" and isinstance(found, dict):
                    if found.get("code") == 410:
                        raise Expired(f"{self.name}: the watch of {resource.plural} expired.")
                    raise ApiError(
                        f"{self.name}: cannot {action}: {plain(found.get('message'))}.",
                        status=_bounds.whole(found.get("code"), 500),
                        reason=plain(found.get("reason") or "", 80),
                    )
                if not isinstance(found, dict) or not isinstance(found.get("metadata"), dict):
                    raise self._no_answer(action, "events without objects")
                yield Event(str(kind), found)
        except urllib3.exceptions.HTTPError:
            return  # cut off in the middle: the caller watches again from the last version it saw
        finally:
            response.close()


def label(kind: str, name: str, namespace: str | None = None) -> str:
    """`Deployment default/web` or `Namespace shop`, for messages."""
    return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"


def label_of(resource: Resource, obj: Mapping[str, Any]) -> str:
    """The same of a live object, of which metadata is enough."""
    return label(resource.kind, obj["metadata"]["name"], obj["metadata"].get("namespace"))


def _alike(api_version: str, kind: str, served: Iterable[tuple[str, str]]) -> str:
    """What to write for a kind that is not served."""
    group = api_version.rpartition("/")[0]
    found = sorted(
        version
        for version, name in served
        if name == kind and (group in (version.rpartition("/")[0], "extensions"))  # whose kinds have moved
    )
    if found:
        return f"Write apiVersion: {' or '.join(found)}, and see whether its fields are others there."
    if found := [name for version, name in served if (version, name.lower()) == (api_version, kind.lower())]:
        return f"Write kind: {found[0]}."
    if _texts.is_built_in(api_version):
        return "This version of Kubernetes does not have it. Leave it out, or write what has taken its place."
    return "Is its CustomResourceDefinition applied, and the apiVersion spelt right?"


def _holds_secret(path: str, body: Any) -> bool:
    """Whether the values of a Secret were sent."""
    if body is None:
        return False
    return "/secrets" in path or _is_secret(body)


def _is_secret(value: Any) -> bool:
    if isinstance(value, Mapping):
        return value.get("kind") == "Secret" or any(map(_is_secret, value.values()))
    return isinstance(value, list) and any(map(_is_secret, value))


def list_problem(answer: Mapping[str, Any]) -> str:
    """Why an answer is no list of objects; empty if it is one. An empty list of metadata has `null` for its items."""
    items = answer.get("items", ...)
    if items is None and answer.get("kind") == "PartialObjectMetadataList":
        items = []
    if not str(answer.get("kind") or "").endswith("List") or not isinstance(items, list):
        return "no list of objects"
    if not isinstance(answer.get("metadata"), dict):
        return "a list without metadata"
    for item in items:
        metadata = item.get("metadata") if isinstance(item, dict) else None
        if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str):
            return "a list of something without names"
    return ""


def _identity(obj: Mapping[str, Any]) -> tuple[str | None, str]:
    metadata = obj.get("metadata") or {}
    return metadata.get("namespace"), metadata.get("name") or metadata.get("generateName") or ""


def _group_resources(group: Mapping[str, Any]) -> Iterator[tuple[Resource, bool]]:
    """Resources of one APIGroupDiscovery, each with whether its version is the group's preferred one for it.

    As client-go's ServerPreferredResources: a resource that only an older version serves counts there
    (kubernetes: staging/src/k8s.io/client-go/discovery/discovery_client.go).
    """
    name = (group.get("metadata") or {}).get("name") or ""
    seen: set[str] = set()
    for version in group.get("versions") or []:
        for entry in version.get("resources") or []:
            response_kind = entry.get("responseKind") or {}
            plural = entry["resource"]
            found = Resource(
                group=name,
                version=version["version"],
                plural=plural,
                kind=str(response_kind.get("kind") or ""),
                namespaced=entry.get("scope") == "Namespaced",
                verbs=frozenset(entry.get("verbs") or ()),
            )
            yield found, plural not in seen
            seen.add(plural)


def _read_kubeconfig(paths: list[str], name: str) -> Mapping[str, Any]:
    """Content of one kubeconfig, or several merged as kubectl does."""
    config = _library().config
    try:
        contents = [_kubeconfig_file(path, name) for path in paths]
        if len(paths) == 1:
            return contents[0]
        merged = config.kube_config.KubeConfigMerger(os.pathsep.join(paths)).config.value
    except (OSError, AttributeError, KeyError, TypeError, ValueError, config.ConfigException) as error:
        raise InvalidInput(
            f"{name}: the kubeconfigs {', '.join(paths)} cannot be read together.", hint="Name one of them."
        ) from error
    return well_formed(merged, f"{name}: {', '.join(paths)}")


def _kubeconfig_file(path: str, name: str) -> Mapping[str, Any]:
    """Content of one kubeconfig. :raises InvalidInput: it is none."""
    try:
        documents = yaml_documents(Path(path).read_bytes(), f"{name}: {path}", twice="last")
    except OSError as error:
        raise InvalidInput(f"{name}: the kubeconfig {path} cannot be read: {error.strerror}.") from error
    return well_formed(documents[0][1] if len(documents) == 1 else None, f"{name}: {path}")


def _address(server: str, name: str) -> SplitResult:
    """The parts of the address of an API server.

    :raises InvalidInput: it is none, or has credentials in it.
    """
    try:
        parts = urlsplit(server)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid or not server.isprintable() or " " in server:
        raise InvalidInput(
            f"{name}: {plain(server, 200)!r} is no address of an API server.",
            hint="Write it as https://host:port.",
        )
    if "@" in server:
        raise InvalidInput(
            f"{name}: the address of the API server {plain(parts.hostname, 120)} has a user name or a password in it.",
            hint="Give them as username and password, or a token as api_key.",
        )
    return parts


def _configure_host(configuration: Any, auth: Auth, name: str) -> None:
    host = str(auth.host)
    server = host if "://" in host else f"https://{host}"
    _address(server, name)  # the library raises anything
    configuration.host = server
    if auth.api_key:
        configuration.api_key = {"BearerToken": f"Bearer {auth.api_key}"}
    configuration.ssl_ca_cert = auth.ca_cert
    configuration.cert_file = auth.client_cert
    configuration.key_file = auth.client_key


def _configure_common(configuration: Any, auth: Auth) -> None:
    if not auth.validate_certs:
        configuration.verify_ssl = False
    if auth.proxy:
        configuration.proxy = auth.proxy
    if auth.no_proxy:
        configuration.no_proxy = auth.no_proxy
    if auth.proxy_headers:
        headers: dict[str, Any] = dict(auth.proxy_headers)
        configuration.proxy_headers = urllib3.make_headers(**headers)


def _library() -> Any:
    """The library `kubernetes`. Only a connection imports it: it takes longer than all else that a module imports.

    :raises KubestellarError: it cannot be imported.
    """
    if _IMPORT_ERROR is not None:
        raise unusable(_IMPORT_ERROR)
    try:
        import kubernetes.client.rest
        import kubernetes.config
    except ImportError as error:
        raise unusable(error) from error
    return kubernetes


def _never_sent(error: Exception) -> bool:
    """Whether the request certainly did not reach the server."""
    return isinstance(error, (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError))


def _is_tls(error: Exception) -> bool:
    """A certificate that is not trusted: trying again does not help."""
    return isinstance(error, urllib3.exceptions.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error)


def _retry_after(value: str | None) -> float:
    """Seconds that a Retry-After header asks for; 0 without one."""
    if not value:
        return 0.0
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError):
        return 0.0  # neither seconds nor a date
