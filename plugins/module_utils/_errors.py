# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one exception tree of the collection (private to kubestellar.core).

Every error carries a sentence for the operator (cluster, object and action named) and a hint: the next
command or variable to try. `_module.run` turns it into `fail_json`, so no other code calls `fail_json`.
"""

from __future__ import annotations

import re
from typing import Any

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]+")
"""What a terminal or a page acts on, marks that let text run from right to left among it, and what no terminal can be sent."""
_URL_END = re.compile(r"[\s\"'<>]")
_AUTHORITY_END = re.compile(r"[/?#]")


def plain(text: object, limit: int = 500) -> str:
    """Untrusted text for a message: one line, no control characters, at most `limit` characters."""
    line = _CONTROL.sub(" ", without_user_info(str(text))).strip()
    return line if len(line) <= limit else line[: limit - 1] + "…"


def without_user_info(text: str, instead: str = "***") -> str:
    """A text whose URLs have no user name, password or token before their host."""
    first, *rest = text.split("://")
    for part in rest:
        word = _URL_END.split(part, maxsplit=1)[0]
        authority = _AUTHORITY_END.split(word, maxsplit=1)[0]
        _name, colon, port = authority.partition(":")
        # A slash in a password is wrong, and the password still one; a path may have an @ too.
        reach = word if colon and not port.isdecimal() and not port.endswith("]") else authority
        end = reach.rfind("@")
        first += "://" + (instead + part[end:] if end >= 0 else part)
    return first


class KubestellarError(Exception):
    """A failure the operator can act on.

    :param message: one sentence that names cluster, object and action.
    :param hint: the next thing to try; empty if the sentence says it all.
    :param details: further keys of the failed result (never secrets).
    """

    def __init__(self, message: str, *, hint: str = "", **details: Any) -> None:
        message, hint = without_user_info(message), without_user_info(hint)
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details

    def result(self) -> dict[str, Any]:
        """The keyword arguments for `fail_json`."""
        result: dict[str, Any] = {"msg": self.message, **self.details}
        if self.hint:
            result["hint"] = self.hint
            result["msg"] = f"{self.message} {self.hint}"
        return result


class InvalidInput(KubestellarError):
    """Options that cannot be right whatever the clusters say. Raised before the first request."""


class ConnectionFailed(KubestellarError):
    """No usable answer from an API server: refused, timed out, TLS, credentials that cannot be loaded."""


class ApiError(KubestellarError):
    """An API server refused a request.

    :param status: HTTP status code.
    :param reason: `reason` of the Kubernetes Status object, for example `AlreadyExists`; may be empty.
    :ivar causes: what it has against which field, as pairs of field and message; may be empty.
    """

    def __init__(
        self, message: str, *, status: int, reason: str = "", hint: str = "", **details: Any
    ) -> None:
        super().__init__(message, hint=hint, status=status, reason=reason, **details)
        self.status = status
        self.reason = reason
        self.causes: tuple[tuple[str, str], ...] = ()


class NotFound(ApiError):
    """404: the object, its namespace or its resource does not exist."""


class Conflict(ApiError):
    """409: another writer owns a field, or the object changed in between."""


class Refused(KubestellarError):
    """A change goes further than its guards allow; nothing has been changed. `details["refused"]` lists the reasons."""


class WaitTimeout(KubestellarError):
    """A condition did not come in time. `details["missing"]` lists who lacks what."""


class PreflightFailed(KubestellarError):
    """The machine or the inventory lacks something; nothing has been started or changed."""
