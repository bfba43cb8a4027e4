# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All images and charts of a hub and its WECs (private to kubestellar.core). Pure functions.

Most are in the core chart as helm renders it. Programs and charts that its Jobs run bring more; those are in `_BROUGHT`, and
what KubeFlex creates by itself in `_BUILT_IN`, each with the file of its project that says so.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, plain
from ansible_collections.kubestellar.core.plugins.module_utils._yaml import load_yaml
from ansible_collections.kubestellar.core.plugins.module_utils.hub import registry as registries
from ansible_collections.kubestellar.core.plugins.module_utils.hub.registry import OCI, OCM, Registry
from ansible_collections.kubestellar.core.plugins.module_utils.klusterlet import chart as klusterlet

HOSTING, ITS, WEC, HERE = "hosting cluster", "ITS", "WEC", "Ansible"
"""Who pulls. An ITS of type vcluster has no nodes of its own: there it is the hosting cluster."""

_LEGAL = re.compile(r"[a-z0-9][\w.:/@-]*")


@dataclass(frozen=True)
class Artifact:
    """An image, or a chart.

    :ivar source: complete reference with host and tag; for a chart of a Helm repository `<URL> <name> <version>`.
    :ivar used_by: what in the hub uses it.
    :ivar said_by: the file of the upstream project that names it; the core chart itself if it is rendered from there.
    :ivar reached: whether `hub_registry` decides where it is pulled from.
    """

    kind: str
    source: str
    pulled_by: tuple[str, ...]
    used_by: tuple[str, ...]
    said_by: str
    reached: bool = True

    def result(self, registry: Registry) -> dict[str, Any]:
        """What results tell about it."""
        return {
            "source": self.source,
            "target": registry.target(self.source) if " " not in self.source else self.source,
            "pulled_by": list(self.pulled_by),
            "used_by": list(self.used_by),
            "said_by": self.said_by,
            "reached": self.reached,
        }


@dataclass(frozen=True)
class _Brought:
    """An image that comes with another image or a chart, whose version is in the chart.

    :ivar source: the image, with `{version}` for the version of what brings it, without a leading `v`.
    :ivar only_without_registry: whether `redirect` puts an image in its place that is there anyway.
    """

    source: str
    pulled_by: tuple[str, ...]
    used_by: str
    said_by: str
    only_without_registry: bool = False


_CORE_CHART = "the core chart"
_BROUGHT: dict[str, tuple[_Brought, ...]] = {
    # clusteradm 1.0.0 installs the bundle of its own version: clusteradm: pkg/version/version.go
    "kubestellar/clusteradm": (
        _Brought(
            f"{OCM}/registration-operator:v{{version}}",
            (ITS, WEC),
            "OCM's operators, and a klusterlet in one",
            "ocm: deploy/cluster-manager/chart, deploy/klusterlet/chart",
        ),
        _Brought(f"{OCM}/registration:v{{version}}", (ITS, WEC), "OCM's registration", "ocm: deploy/cluster-manager/chart, deploy/klusterlet/chart"),
        _Brought(f"{OCM}/work:v{{version}}", (ITS, WEC), "OCM's work", "ocm: deploy/cluster-manager/chart, deploy/klusterlet/chart"),
        _Brought(f"{OCM}/placement:v{{version}}", (ITS,), "OCM's placement", "ocm: deploy/cluster-manager/chart"),
        _Brought(f"{OCM}/addon-manager:v{{version}}", (ITS,), "OCM's add-on manager", "ocm: deploy/cluster-manager/chart"),
    ),
    "kubestellar/ocm-status-addon-chart": (
        _Brought(
            "ghcr.io/kubestellar/ocm-status-addon:{version}",
            (ITS, WEC),
            "status add-on and its agents",
            "ocm-status-addon: .goreleaser.yaml, pkg/controller/manager.go",
        ),
        _Brought("quay.io/kubestellar/kubectl:1.29.3", (ITS,), "status add-on", "ocm-status-addon: config/manager/manager.yaml", True),
    ),
    "kubestellar/charts/postgresql": (
        _Brought("quay.io/kubestellar/postgresql:16.0.0-debian-11-r13", (HOSTING,), "PostgreSQL of KubeFlex", "kubeflex: docs/contributors.md"),
    ),
}  # fmt: skip
"""Path of an image or chart in the core chart, to what it brings."""

KUBEFLEX = "0.9.3"
"""The version of KubeFlex that `_BUILT_IN` is of."""

_MANAGER = "kubestellar/kubeflex/manager"
_BUILT_IN: dict[str, tuple[tuple[str, str, str], ...]] = {
    "k8s": (
        ("image", "docker.io/rancher/kine:v0.11.4", "kubeflex: pkg/reconcilers/k8s/deployment.go"),
        ("image", "registry.k8s.io/kube-apiserver:v1.29.9", "kubeflex: pkg/reconcilers/k8s/deployment.go"),
        ("image", "registry.k8s.io/kube-controller-manager:v1.29.9", "kubeflex: pkg/reconcilers/k8s/deployment.go"),
    ),
    "vcluster": (
        ("chart", "https://charts.loft.sh vcluster 0.16.4", "kubeflex: pkg/reconcilers/vcluster/chart.go"),
        ("image", "docker.io/rancher/k3s:v1.27.2-k3s1", "kubeflex: pkg/reconcilers/vcluster/chart.go"),
        ("image", "ghcr.io/loft-sh/vcluster:0.16.4", "vcluster: charts/k3s/templates/statefulset.yaml"),
        ("image", "docker.io/coredns/coredns:1.10.1", "vcluster: pkg/constants/coredns.go"),
        ("image", "ghcr.io/kubestellar/kubeflex/cmupdate:{kubeflex}", "kubeflex: pkg/reconcilers/shared/job.go"),
    ),
}  # fmt: skip
"""Type of a space to what the KubeFlex manager creates for it, with images that nothing can change."""


def listing(
    rendered: str,
    spaces: Sequence[Mapping[str, Any]],
    registry: Registry,
    chart: tuple[str, str] = ("", ""),
) -> list[Artifact]:
    """All images and charts, images first, each kind in the order of their names.

    :param rendered: the core chart as `helm template` renders it, hooks included.
    :param spaces: the spaces of the hub, `{name, type}`.
    :param chart: reference and version of the core chart; left out unless it is an OCI reference.
    :raises InvalidInput: it is not YAML, or two of them would be one in the registry.
    """
    found: dict[tuple[str, str], Artifact] = {}

    def add(artifact: Artifact) -> None:
        known = found.get((artifact.kind, artifact.source))
        if known:
            artifact = Artifact(
                artifact.kind,
                artifact.source,
                tuple(sorted({*known.pulled_by, *artifact.pulled_by})),
                tuple(sorted({*known.used_by, *artifact.used_by})),
                known.said_by,
                known.reached and artifact.reached,
            )
        found[(artifact.kind, artifact.source)] = artifact

    if chart[0].startswith(OCI):
        add(
            Artifact(
                "chart", f"{chart[0][len(OCI) :]}:{chart[1]}", (HERE,), ("the Helm release",), "the inventory"
            )
        )
    for artifact in _of_chart(rendered):
        add(artifact)
    for artifact in list(found.values()):
        for brought in _brought(artifact, registry):
            add(brought)
    for space in spaces:
        for artifact in _built_in(str(space.get("type") or ""), _kubeflex_version(found.values())):
            add(artifact)
    agents = f"{klusterlet.REPOSITORY} {klusterlet.CHART} {klusterlet.VERSION}"
    add(Artifact("chart", agents, (HERE,), ("agents of WECs",), "ocm: deploy/klusterlet/chart"))
    listed = sorted(found.values(), key=lambda artifact: (artifact.kind != "image", artifact.source))
    _check_apart(listed, registry)
    return listed


def copies(listed: Sequence[Artifact], registry: Registry) -> list[str]:
    """One line for each, `source target`, for tools that copy images between registries; OCI charts are copied like images."""
    sources = sorted({artifact.source for artifact in listed if " " not in artifact.source})
    return [f"{source} {registry.target(source)}" for source in sources if registry.target(source) != source]


def unreached(spaces: Sequence[Mapping[str, Any]], registry: Registry) -> list[str]:
    """A sentence for each type of space whose images the registry does not reach, with what to do about it."""
    sentences = []
    for kind, artifacts in _BUILT_IN.items():
        names = sorted(str(space["name"]) for space in spaces if space.get("type") == kind)
        if not names or not registry:
            continue
        images = [source for what, source, _file in artifacts if what == "image"]
        hosts = sorted({registries.split(image)[0] for image in images})
        sentence = (
            f"{', '.join(names)}: KubeFlex pulls what a space of type {kind} consists of by names that are built in, which no "
            f"variable changes. Give the nodes of the hosting cluster a mirror for {' and '.join(hosts)} in their container runtime."
        )
        if any(what == "chart" for what, _source, _file in artifacts):
            sentence += (
                f" It also fetches a chart from {' and '.join(source.split()[0] for what, source, _f in artifacts if what == 'chart')};"
                " where that cannot be had, use the type host or external."
            )
        sentences.append(sentence)
    return sentences


def table(listed: Sequence[Artifact], registry: Registry) -> list[str]:
    """The list as lines of text."""
    rows = [["what", "source", "pulled by", "target"]]
    for artifact in listed:
        made = artifact.result(registry)
        target = made["target"] if made["target"] != artifact.source else "-"
        rows.append(
            [
                artifact.kind if artifact.reached or not registry else f"{artifact.kind} (!)",
                artifact.source,
                ", ".join(artifact.pulled_by),
                target,
            ]
        )
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]])
        for row in rows
    ]
    if any("(!)" in row[0] for row in rows):
        lines.append(
            "(!) The registry does not reach it; the nodes need a mirror in their container runtime."
        )
    return [plain(line, 400) if line.strip() else "" for line in map(str.rstrip, lines)]


# -- parts ---------------------------------------------------------------------------------------------------------------


def _of_chart(rendered: str) -> Iterator[Artifact]:
    for document in load_yaml(rendered, "The rendered core chart"):
        name = (document.get("metadata") or {}).get("name")
        where = f"{plain(document.get('kind'), 60)} {plain(name, 100)}"
        yield from _within(document, where)


def _within(value: Any, where: str) -> Iterator[Artifact]:
    """Images of containers and charts in their arguments, at any depth, also in YAML inside of a Secret."""
    if isinstance(value, Mapping):
        image = value.get("image")
        if isinstance(image, str) and _LEGAL.fullmatch(image):
            yield Artifact("image", registries.full(image), (HOSTING,), (where,), _CORE_CHART)
        arguments = value.get("args")
        if isinstance(arguments, list):
            yield from _charts([str(argument) for argument in arguments], where)
        for key, item in value.items():
            if value.get("kind") == "Secret" and key == "data" and isinstance(item, Mapping):
                for packed in item.values():
                    yield from _packed(packed, where)
            yield from _within(item, where)
    elif isinstance(value, list):
        for item in value:
            yield from _within(item, where)


def _charts(arguments: Sequence[str], where: str) -> Iterator[Artifact]:
    for argument in arguments:
        if argument.startswith(OCI):
            at = arguments.index("--version") + 1 if "--version" in arguments else 0
            version = arguments[at] if 0 < at < len(arguments) else "latest"
            yield Artifact("chart", f"{argument[len(OCI) :]}:{version}", (HOSTING,), (where,), _CORE_CHART)


def _packed(text: Any, where: str) -> Iterator[Artifact]:
    try:
        inner = base64.b64decode(str(text), validate=True).decode("utf-8")
        documents = load_yaml(inner, where) if "image" in inner else []
    except (binascii.Error, UnicodeDecodeError, InvalidInput):
        return
    for document in documents:
        yield from _within(document, where)


def _brought(artifact: Artifact, registry: Registry) -> Iterator[Artifact]:
    _host, rest = registries.split(artifact.source)
    path, _colon, version = rest.partition(":")
    for key, entries in _BROUGHT.items():
        if path == key or path.endswith(f"/{key}"):
            for entry in entries:
                source = entry.source.format(version=version.removeprefix("v"))
                if entry.only_without_registry and registry.target(source) != source:
                    continue
                yield Artifact("image", source, entry.pulled_by, (entry.used_by,), entry.said_by)


def _built_in(kind: str, kubeflex: str) -> Iterator[Artifact]:
    for what, source, file in _BUILT_IN.get(kind, ()):
        yield Artifact(
            what,
            source.format(kubeflex=kubeflex),
            (HOSTING,),
            (f"spaces of type {kind}",),
            file,
            reached=False,
        )


def _kubeflex_version(found: Any) -> str:
    """The version of the KubeFlex manager in the chart, which is the tag of its other images."""
    for artifact in found:
        path, _colon, tag = registries.split(artifact.source)[1].partition(":")
        if tag and (path == _MANAGER or path.endswith(f"/{_MANAGER}")):
            return str(tag)
    return KUBEFLEX


def _check_apart(listed: Sequence[Artifact], registry: Registry) -> None:
    taken: dict[str, str] = {}
    for source in sorted({artifact.source for artifact in listed if " " not in artifact.source}):
        other = taken.setdefault(registry.target(source), source)
        if other != source:
            raise InvalidInput(
                f"hub_registry: {other} and {source} would both be {registry.target(source)}.",
                hint="Give one of the hosts a registry of its own in hub_registries.",
            )
