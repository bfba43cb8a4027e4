# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: hub_redirected
version_added: "0.1.0"
author:
  - kubestellar.core contributors (@kubestellar)
short_description: An image or chart in the registry of a site
description:
  - Says where an image, a chart or a folder of images is taken from when C(hub_registry) or C(hub_registries) are set.
  - C(host/path) becomes C(registry/path), and what has no host is one of C(docker.io). What is in one of the registries stays as it is, and
    so does everything if there is none.
positional: _input, registry, registries
options:
  _input:
    description: The reference, for example C(quay.io/open-cluster-management) or C(oci://ghcr.io/kubestellar/kubestellar/core-chart).
    type: str
    required: true
  registry:
    description: The registry for all hosts, as C(hub_registry).
    type: str
    default: ""
  registries:
    description: Registries for single hosts, as C(hub_registries).
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Show where the images of OCM are taken from
  ansible.builtin.debug:
    msg: "{{ 'quay.io/open-cluster-management' | kubestellar.core.hub_redirected('registry.example.com/mirror') }}"
"""

RETURN = r"""
_value:
  description: The reference in the registry.
  type: str
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput
from ansible_collections.kubestellar.core.plugins.module_utils.hub.registry import Registry


def hub_redirected(reference: str, registry: str = "", registries: Mapping[str, str] | None = None) -> str:
    """See the documentation. :raises AnsibleFilterError: with the sentence of the `InvalidInput`."""
    try:
        return Registry.of(registry, registries).target(reference)
    except InvalidInput as error:
        raise AnsibleFilterError(f"{error.message} {error.hint}".strip()) from error


class FilterModule:
    """Provides the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"hub_redirected": hub_redirected}
