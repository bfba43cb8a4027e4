# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The core chart with the images of another registry (private to kubestellar.core). Pure functions over the files of a chart.

The charts of KubeStellar and KubeFlex have no value for the registry: images, and references to charts that Jobs install, are
written out in their templates (kubestellar: core-chart/templates; kubeflex: chart/templates). So the text of the templates is
changed. Two programs that the Jobs run bring images of their own, which are not in the text:

- `clusteradm init` has an option for the registry of OCM's images (clusteradm: pkg/cmd/init/cmd.go);
- the charts that helm installs: that of PostgreSQL has the value `global.imageRegistry` (kubeflex: docs/contributors.md, a
  copy of Bitnami's), that of the status add-on has none (ocm-status-addon: chart/templates/operator.yaml). Its Deployment is
  patched by the same Job. The image of the agents in the WECs follows from an environment variable of that Deployment
  (ocm-status-addon: pkg/controller/manager.go).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils.hub import registry as registries
from ansible_collections.kubestellar.core.plugins.module_utils.hub.registry import OCM, Registry

try:
    import yaml
except ImportError:  # the collection's client reports it
    yaml = None  # type: ignore[assignment]

Files = Mapping[str, bytes]
"""Path inside a chart, with forward slashes, to content."""

STEP = "take-images-of-the-registry"
"""The container that is added to the Job of the status add-on."""

_UPSTREAM = (
    "docker.io",
    "ecr-public.aws.com",
    "gcr.io",
    "ghcr.io",
    "index.docker.io",
    "mcr.microsoft.com",
    "public.ecr.aws",
    "quay.io",
    "registry-1.docker.io",
    "registry.k8s.io",
    "k8s.gcr.io",
)
"""Hosts that are taken for a registry wherever they begin a word."""

# A reference up to where a template, a quote or a space begins. `{{` of a tag stays behind it.
_LITERAL = r"[A-Za-z0-9][\w.:/@-]*"
_NOT_BEFORE = r"(?<![\w./:@-])"
_IMAGE = rf"(?P<key>[\"']?\bimage[\"']?:[ \t]+[\"']?)(?P<image>{_LITERAL})"
_CHART = rf"(?P<chart>{re.escape(registries.OCI)}{_LITERAL})"
_WORD = rf"{_NOT_BEFORE}(?P<word>(?:{'|'.join(map(re.escape, _UPSTREAM))})/{_LITERAL})"
_REFERENCE = re.compile(f"{_CHART}|{_IMAGE}|{_WORD}")
_PACKED = re.compile(
    r"(?m)^(?P<key>[ ]+[\w.-]+: [\"']?)(?P<packed>[A-Za-z0-9+/]{64,}={0,2})(?=[\"']?[ \r]*$)"
)


@dataclass(frozen=True)
class Redirected:
    """A chart whose images are those of the registry.

    :ivar files: all files of the chart.
    :ivar references: each reference that was found, to what it became.
    :ivar unreached: a sentence for each thing that was expected in the chart and not found.
    """

    files: dict[str, bytes]
    references: dict[str, str]
    unreached: list[str]


def redirected(files: Files, registry: Registry) -> Redirected:
    """The chart and its sub-charts with the images of the registry. Doing it again changes nothing."""
    result: dict[str, bytes] = {}
    references: dict[str, str] = {}
    for name, content in sorted(files.items()):
        result[name] = content
        if registry and _kind(name):
            text = content.decode("utf-8", errors="surrogateescape")
            changed = _values(text, registry, references) if _kind(name) == "values" else text
            changed = _text(changed, registry, references, bare=_kind(name) == "template")
            if _kind(name) == "template":
                changed = _programs(changed, registry)
            result[name] = changed.encode("utf-8", errors="surrogateescape")
    return Redirected(result, references, _unreached(result, registry) if registry else [])


def digest(files: Files) -> str:
    """A short name for what a chart makes: the same whether it comes from a folder or from an archive of `helm package`."""
    total = hashlib.sha256()
    for name, content in sorted(files.items()):
        path = PurePosixPath(name)
        if not {"templates", "crds"} & set(path.parts[:-1]) and not path.name.startswith("values."):
            continue
        total.update(f"{name}\0{len(content)}\0".encode())
        total.update(content)
    return total.hexdigest()[:16]


def _kind(name: str) -> str:
    """`template` or `values` for files in which references are looked for, else empty."""
    path = PurePosixPath(name)
    if "templates" in path.parts[:-1]:
        return "template" if path.suffix in (".yaml", ".yml", ".tpl", ".json") else ""
    return "values" if path.name in ("values.yaml", "values.yml") else ""


def _text(text: str, registry: Registry, references: dict[str, str], *, bare: bool) -> str:
    """:param bare: whether one word without tag, as in `image: nginx`, is an image; in values it may be anything."""

    def became(source: str) -> str:
        target = registry.target(source)
        references[source.rstrip(":")] = target.rstrip(":")
        return target

    def one(match: re.Match[str]) -> str:
        if match["image"] is None:
            return became(match["chart"] or match["word"])
        image = match["image"]
        if "/" not in image and ":" not in image and (not bare or image in ("true", "false", "null")):
            return match[0]
        return f"{match['key']}{became(image)}"

    def packed(match: re.Match[str]) -> str:
        try:
            inner = base64.b64decode(match["packed"], validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            return match[0]
        changed = _text(inner, registry, references, bare=bare)
        if changed == inner:
            return match[0]
        return f"{match['key']}{base64.b64encode(changed.encode()).decode()}"

    return _PACKED.sub(packed, _REFERENCE.sub(one, text))


# -- values of sub-charts ------------------------------------------------------------------------------------------------


def _values(text: str, registry: Registry, references: dict[str, str]) -> str:
    """`repository` of images, and `registry` where that is apart. The text around them, with its comments, stays."""
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return text
    changes: set[tuple[int, int, str]] = set()
    for fields in _mappings(tree):
        repository, host = fields.get("repository"), fields.get("registry")
        if repository is None or not repository.value:
            continue
        if host is not None and host.value:
            place = registry.place_of(host.value)
            references[f"{host.value}/{repository.value}"] = f"{place}/{repository.value}"
            changes.add((host.start_mark.index, host.end_mark.index, place))
        elif "tag" in fields and "/" in repository.value:
            target = registry.target(repository.value)
            references[repository.value] = target
            changes.add((repository.start_mark.index, repository.end_mark.index, target))
    for start, end, value in sorted(changes, reverse=True):
        quote = text[start] if text[start] in "\"'" else ""
        text = f"{text[:start]}{quote}{value}{quote}{text[end:]}"
    return text


def _mappings(node: Any) -> Iterator[dict[str, Any]]:
    """The plain fields of every mapping, key to node of the value."""
    if isinstance(node, yaml.MappingNode):
        yield {
            key.value: value
            for key, value in node.value
            if isinstance(key, yaml.ScalarNode)
            and isinstance(value, yaml.ScalarNode)
            and value.style in (None, "'", '"')
        }
        for _key, value in node.value:
            yield from _mappings(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _mappings(value)


# -- programs that bring images of their own -----------------------------------------------------------------------------

_CLUSTERADM = "/kubestellar/clusteradm:"
_POSTGRESQL = "/kubestellar/charts/postgresql"
_IMAGE_REGISTRY = "global.imageRegistry"
_ADDON = "/kubestellar/ocm-status-addon-chart"
_ADDON_IMAGE = "ghcr.io/kubestellar/ocm-status-addon"
_INIT = re.compile(r"(?m)^(?P<indent>[ ]*)- init[ ]*(?P<end>\r?\n)")
_POSTGRESQL_LINE = re.compile(
    rf"(?m)^(?P<indent>[ ]*)- {re.escape(registries.OCI)}\S*{_POSTGRESQL}[ ]*(?P<end>\r?\n)"
)


def _programs(text: str, registry: Registry) -> str:
    ocm, quay = registry.target(OCM), registry.place_of("quay.io")
    if _CLUSTERADM in text and ocm != OCM and "--image-registry" not in text:
        text = _INIT.sub(rf"\g<0>\g<indent>- --image-registry={ocm}\g<end>", text, count=1)
    if _POSTGRESQL in text and quay != "quay.io" and _IMAGE_REGISTRY not in text:
        lines = rf"\g<indent>- --set\g<end>\g<indent>- {_IMAGE_REGISTRY}={quay}\g<end>"
        text = _POSTGRESQL_LINE.sub(rf"\g<0>{lines}", text, count=1)
    if _ADDON in text and STEP not in text and registry.target(_ADDON_IMAGE) != _ADDON_IMAGE:
        text = _addon(text, registry)
    return text


def _addon(text: str, registry: Registry) -> str:
    """The Job of the status add-on: helm becomes its last init container, and a container patches what helm has made.

    An init container, since the patch must come after helm also when the Job is run again.
    """
    lines = text.splitlines(keepends=True)
    at = next(number for number, line in enumerate(lines) if _ADDON in line)
    start = next((number for number in range(at, -1, -1) if lines[number].strip() == "containers:"), None)
    if start is None:
        return text
    indent = len(lines[start]) - len(lines[start].lstrip(" "))
    end = next((n for n in range(at, len(lines)) if _leaves(lines[n], indent)), None)
    before = next((n for n in range(start - 1, -1, -1) if _leaves(lines[n], indent)), None)
    if end is None or before is None:
        return text
    pad, newline = " " * indent, "\r\n" if lines[at].endswith("\r\n") else "\n"
    head = [] if lines[before].strip() == "initContainers:" else [f"{pad}initContainers:{newline}"]
    step = [f"{pad}{line}{newline}" for line in _patch_step(registry)]
    return "".join([*lines[:start], *head, *lines[start + 1 : end], *step, *lines[end:]])


def _leaves(line: str, indent: int) -> bool:
    """Whether a line is outside of a list whose key is indented so: another key, or something further out."""
    content = line.strip()
    own = len(line) - len(line.lstrip(" "))
    return bool(content) and (own < indent or (own == indent and not content.startswith("-")))


def _patch_step(registry: Registry) -> list[str]:
    kubectl = registry.target("quay.io/kubestellar/kubectl") + ":{{.Values.KUBECTL_VERSION}}"
    addon = registry.target(_ADDON_IMAGE) + ":{{.Values.OCM_STATUS_ADDON_VERSION}}"
    patch = (
        '{"spec": {"template": {"spec": {'
        f'"initContainers": [{{"name": "create-crd", "image": "{kubectl}"}}], '
        f'"containers": [{{"name": "status-controller", "image": "{addon}", '
        f'"env": [{{"name": "STATUS_ADDDON_IMAGE_NAME", "value": "{addon}"}}]}}]'
        "} } } }"
    )
    return f"""\
containers:
- name: {STEP}
  image: {kubectl}
  args:
  - patch
  - deployment/addon-status-controller
  - --namespace=open-cluster-management
  - --type=strategic
  - --patch
  - '{patch}'
  env:
  - name: KUBECONFIG
    value: '{{{{"/etc/kube/{{{{.ITSSecretKey}}}}"}}}}'
  volumeMounts:
  - name: kubeconfig
    mountPath: "/etc/kube"
    readOnly: true
""".splitlines()


def _unreached(files: Files, registry: Registry) -> list[str]:
    """What Jobs of the chart would still take from upstream, because the chart is not as this collection knows it."""
    ocm, quay = registry.target(OCM), registry.place_of("quay.io")
    sentences = []
    for name, content in sorted(files.items()):
        text = content.decode("utf-8", errors="replace") if _kind(name) == "template" else ""
        if _CLUSTERADM in text and ocm != OCM and "--image-registry" not in text:
            sentences.append(f"{name} runs clusteradm in another way, which takes OCM's images from {OCM}.")
        if _POSTGRESQL_LINE.search(text) and quay != "quay.io" and _IMAGE_REGISTRY not in text:
            sentences.append(
                f"{name} installs PostgreSQL in another way, with the image that its chart names."
            )
        if _ADDON in text and registry.target(_ADDON_IMAGE) != _ADDON_IMAGE and STEP not in text:
            sentences.append(
                f"{name} installs the status add-on in another way, with the images that its chart names."
            )
    return sentences
