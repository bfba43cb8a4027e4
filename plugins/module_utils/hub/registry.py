# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where images and charts are taken from in a site without a way to the internet (private to kubestellar.core). Pure functions.

The rule: `host/path:tag` becomes `<registry>/path:tag`. What names no host is of docker.io, as for every container runtime.
Hosts may have registries of their own. What lies in one of the registries already stays, so doing it twice changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, plain

DOCKER = "docker.io"
OCI = "oci://"
OCM = "quay.io/open-cluster-management"
"""Where clusteradm and the klusterlet chart take OCM's images from (clusteradm: pkg/cmd/init/cmd.go, `--image-registry`)."""

_HOST = r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?"
_LEGAL_HOST = re.compile(_HOST)
_LEGAL_PREFIX = re.compile(rf"{_HOST}(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*")
_DOCKER_ALIASES = ("index.docker.io", "registry-1.docker.io")


@dataclass(frozen=True)
class Registry:
    """The registries of a site.

    :ivar default: for all hosts, as `registry.example.com/kubestellar`; empty if only `hosts` counts.
    :ivar hosts: upstream host to the registry that takes its place.
    """

    default: str
    hosts: Mapping[str, str]

    @classmethod
    def of(cls, default: str | None, hosts: Mapping[str, str] | None = None) -> Registry:
        """From the variables `hub_registry` and `hub_registries`.

        :raises InvalidInput: one is not the name of a registry, with or without a path.
        """
        prefix = _checked(default or "", "hub_registry")
        mapped: dict[str, str] = {}
        for host, target in (hosts or {}).items():
            if not isinstance(host, str) or not _LEGAL_HOST.fullmatch(host):
                raise InvalidInput(
                    f"hub_registries: {plain(repr(host), 80)} is not the host of a registry.",
                    hint="Write it as in quay.io: registry.example.com/quay.",
                )
            mapped[_known(host)] = _checked(target, f"hub_registries: that of {host}", needed=True)
        return cls(prefix, mapped)

    def __bool__(self) -> bool:
        return bool(self.default or self.hosts)

    def target(self, reference: str) -> str:
        """Where the image, the chart or the folder of them is taken from; the same text if nothing takes its place.

        :param reference: `[host/]path[:tag][@digest]`, or `oci://host/path` of a chart.
        """
        scheme, bare = ("", reference) if not reference.startswith(OCI) else (OCI, reference[len(OCI) :])
        host, path = split(bare)
        prefix = self.hosts.get(host, self.default)
        if not prefix or self._has(bare) or (scheme and not path):
            return reference
        return f"{scheme}{prefix}/{path}"

    def place_of(self, host: str) -> str:
        """The registry that takes the place of an upstream host; the host itself if none does."""
        if self._has(host):
            return host
        return self.hosts.get(_known(host), self.default) or host

    def _has(self, bare: str) -> bool:
        places = [place for place in (self.default, *self.hosts.values()) if place]
        return any(bare == place or bare.startswith(f"{place}/") for place in places)


def split(reference: str) -> tuple[str, str]:
    """Host and rest of a reference. What names no host is of docker.io, and there of `library` if it is one word."""
    first, slash, rest = reference.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        host, path = _known(first), rest
    else:
        host, path = DOCKER, reference
    if host == DOCKER and "/" not in path:
        path = f"library/{path}"
    return host, path


def full(reference: str) -> str:
    """The reference with its host, as tools that copy images want it."""
    return "/".join(split(reference))


def _known(host: str) -> str:
    return DOCKER if host in _DOCKER_ALIASES else host


def _checked(text: object, variable: str, *, needed: bool = False) -> str:
    if text == "" and not needed:
        return ""
    prefix = text.rstrip("/") if isinstance(text, str) else ""
    if not _LEGAL_PREFIX.fullmatch(prefix) or not _is_host(prefix.partition("/")[0]):
        raise InvalidInput(
            f"{variable} is {plain(repr(text), 100)}, which is not a registry.",
            hint="Write host, port and folder as in registry.example.com:5000/kubestellar, in lower case, without https:// and tag.",
        )
    return prefix


def _is_host(first: str) -> bool:
    """Container runtimes take a first part without dot and port for a folder of docker.io."""
    return "." in first or ":" in first or first == "localhost"
