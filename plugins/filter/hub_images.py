# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: hub_images
version_added: "0.1.0"
author:
  - kubestellar.core contributors (@kubestellar)
short_description: All images and charts of a hub and its clusters
description:
  - Lists every image and chart that a hub, its spaces and its WECs need, with the versions that the inventory pins or the chart has.
  - Reads the core chart as helm renders it with the values of the inventory, and adds what is brought by the programs and charts that
    its Jobs run, and by KubeFlex.
positional: _input, settings
options:
  _input:
    description: The core chart, as M(kubernetes.core.helm_template) renders it.
    type: str
    required: true
  settings:
    description:
      - C(spaces) are the spaces with C(name) and C(type), C(registry) and C(registries) as C(hub_registry) and C(hub_registries),
        C(chart_ref) and C(chart_version) say which chart it is.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Render the chart
  kubernetes.core.helm_template:
    chart_ref: oci://ghcr.io/kubestellar/kubestellar/core-chart
    chart_version: 0.30.0
  register: rendered

- name: Show its images
  ansible.builtin.debug:
    msg: "{{ (rendered.stdout | kubestellar.core.hub_images({'registry': 'registry.example.com/mirror'})).copies }}"
"""

RETURN = r"""
_value:
  description: The lists.
  type: dict
  contains:
    images:
      description:
        - C(source) with host and tag, C(target) in the registry, C(pulled_by), C(used_by), the upstream file that C(said_by) it, and
          whether the registry is C(reached).
      type: list
      elements: dict
    charts:
      description: The same for charts. One of a Helm repository has its URL, name and version as C(source).
      type: list
      elements: dict
    copies:
      description: One line C(source target) for each that has to be copied, for example for skopeo or crane.
      type: list
      elements: str
    unreached:
      description: A sentence for each type of space whose images the registry does not reach.
      type: list
      elements: str
    table:
      description: All of it as lines of text.
      type: list
      elements: str
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput
from ansible_collections.kubestellar.core.plugins.module_utils.hub import images
from ansible_collections.kubestellar.core.plugins.module_utils.hub.registry import Registry


def hub_images(rendered: str, settings: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """See the documentation. :raises AnsibleFilterError: with the sentence of the `InvalidInput`."""
    given = settings or {}
    spaces = given.get("spaces") or []
    try:
        registry = Registry.of(given.get("registry"), given.get("registries"))
        chart = str(given.get("chart_ref") or ""), str(given.get("chart_version") or "")
        listed = images.listing(rendered, spaces, registry, chart)
    except InvalidInput as error:
        raise AnsibleFilterError(f"{error.message} {error.hint}".strip()) from error
    return {
        "images": [entry.result(registry) for entry in listed if entry.kind == "image"],
        "charts": [entry.result(registry) for entry in listed if entry.kind == "chart"],
        "copies": images.copies(listed, registry),
        "unreached": images.unreached(spaces, registry),
        "table": images.table(listed, registry),
    }


class FilterModule:
    """Provides the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"hub_images": hub_images}
