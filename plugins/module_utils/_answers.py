# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What API servers mean by an answer of 400 and above (private to kubestellar.core). Pure functions over what its Status says."""

from __future__ import annotations

import re

_FORBIDDEN = (
    (
        r'"system:anonymous" cannot ',
        "The credentials were not taken for any: a token or certificate is missing.",
    ),
    (r"\bcannot \S+ (resource|path)\b", "The credentials lack this right on this cluster."),
    (
        r"RBAC permissions not currently held",
        "The credentials may not give rights that they do not have. Give them these, or the verbs escalate and bind.",
    ),
    (
        r"because it is being terminated",
        "Wait until the Namespace is gone, then run this again. What holds it up is in its status.conditions.",
    ),
    (
        r"violates PodSecurity",
        "Change the Pod, or the label pod-security.kubernetes.io/enforce of its Namespace.",
    ),
    (
        r"exceeded quota|failed quota",
        "Ask for less, say requests and limits, or raise the ResourceQuota of the Namespace.",
    ),
    (r"\busage per |limit to request ratio", "Change it, or the LimitRange of the Namespace."),
    (r"service ?account .*not found", "Add the ServiceAccount to the objects, or create it before."),
    (r"no PriorityClass with name", "Add the PriorityClass to the objects, or create it before."),
    (r"RuntimeClass .*not found", "Add the RuntimeClass to the objects, or create it before."),
    (
        r"admission webhook|ValidatingAdmissionPolicy",
        "Change the object as it says, or the rule that says so.",
    ),
    (
        r"is forbidden: ",
        "It is a rule of this cluster for such objects, not the credentials. Change the object as it says.",
    ),
    (r"", "The credentials lack this right on this cluster, or something on the way to it refuses them."),
)
"""What a 403 says to what can be done about it, the first that fits (kubernetes: plugin/pkg/admission, staging/src/k8s.io/pod-security-admission)."""

_TYPES = re.compile(r"expected (string|numeric|boolean|map|list)[^,\n]*, got &?value\.\w+\{[^\n]*")
_LASTING = re.compile(
    rb"failed to create typed|failed to convert|cannot be handled as a |illegal base64|unable to parse|cannot unmarshal"
    rb"|quantities must match|cannot convert|parsing time|strconv\.|webhook[^\n]*service \\?\"[^\"]*\" not found"
)
"""What a 500 says that another attempt does not change: the server calls what it cannot read its own fault (kubernetes:
staging/src/k8s.io/apimachinery/pkg/util/managedfields/internal/structuredmerge.go)."""
_LONGEST_VALUE = 100
_WEBHOOK = re.compile(r'failed calling webhook "([^"]+)"')
_WORDS = {
    "string": "text",
    "numeric": "a number",
    "boolean": "true or false",
    "map": "a mapping",
    "list": "a list",
}


def lasting(data: bytes) -> bool:
    """Whether the answer stays the same however often it is asked for, although its code says something else."""
    return _LASTING.search(data) is not None


def of_webhook(data: bytes) -> bool:
    """Whether a webhook has not answered."""
    return b"failed calling webhook" in data


def webhook(message: str) -> str:
    """The webhook that has not answered; empty if none was asked in vain."""
    found = _WEBHOOK.search(message)
    return found[1] if found else ""


def worded(message: str) -> str:
    """A message in words of YAML, and without values, which may be of a Secret."""
    return _TYPES.sub(lambda match: f"takes {_WORDS[match[1]]} and has something else", message)


def without_value(cause: str) -> str:
    """A cause without the value that it quotes, if that is a long one: a whole Pod template stands before `field is immutable`."""
    start = "Invalid value: "
    value, colon, reason = cause.removeprefix(start).rpartition(": ")
    if not cause.startswith(start) or not colon or len(value) <= _LONGEST_VALUE:
        return cause
    return reason


def hint(status: int, message: str) -> str:
    """What can be done about it."""
    silent = webhook(message)
    if status == 401:
        return "The credentials were not accepted: a token may have expired."
    if status == 403:
        return next(text for pattern, text in _FORBIDDEN if re.search(pattern, message, re.IGNORECASE))
    if status >= 500 and silent:
        return (
            f"The webhook {silent} does not answer, and a WDS runs no Pods that could. Take its configuration out of the "
            "workload, or remove it where it is."
        )
    if "expected string, got" in message:
        return "Put it in quotes."
    if status == 404 and re.search(r'namespaces "[^"]+" not found', message):
        return "Add the Namespace to the objects, or create it before."
    if status == 409 and "object is being deleted" in message:
        return "Wait until it is gone, then run this again. What holds it up is in its metadata.finalizers."
    return ""


_FIELD = re.compile(r"[A-Za-z_][\w.\[\]/-]{0,120}")
_FIELDS = re.compile(
    r"(?:^|[ (\"])\.?((?:data|stringData|metadata|type|immutable)(?:[.\[][\w./-]{1,80}\]?)*)(?=: |\")"
)
_IMMUTABLE = re.compile(r"immutable|may not be changed|updates to \S+ are forbidden", re.IGNORECASE)


def withheld(message: str, reason: str, causes: object) -> str:
    """What may be told of a refusal whose words may quote a Secret: the reason, and the fields."""
    named = (
        [field(cause.get("field")) for cause in causes if isinstance(cause, dict)]
        if isinstance(causes, list)
        else []
    )
    found = [one for one in dict.fromkeys([*named, *_FIELDS.findall(message)]) if one]
    word = reason if re.fullmatch(r"[A-Za-z]{1,60}", reason) else "it is refused"
    more = "; it is immutable" if _IMMUTABLE.search(message) else ""
    return f"{word}{more}{' in ' + ', '.join(found[:5]) if found else ''} (what the server says of a Secret is not shown)"


def kind_of(message: str) -> str:
    """What is wrong with a field of a Secret, without its value."""
    return "it is immutable" if _IMMUTABLE.search(message) else "it is refused"


def field(text: object) -> str:
    """A field that a server names; empty if it looks like something else."""
    return text if isinstance(text, str) and _FIELD.fullmatch(text.removeprefix(".")) else ""
