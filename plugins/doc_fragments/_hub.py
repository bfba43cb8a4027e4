# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the options that say what a hub is made of."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of SPACES_SPEC in module_utils/hub/options.py."""

    DOCUMENTATION = r"""
options:
  itses:
    description:
      - The ITSes, as the variable C(hub_itses) of the role C(hub). What a module has no use for is accepted and has no effect.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the space.
        type: str
        required: true
      type:
        description: Type of its ControlPlane. That of the core chart, C(vcluster), if it is left out.
        type: str
      install_ocm:
        description: Whether the hook of the ITS installs OCM. If not, OCM's own Deployment is not waited for.
        type: bool
        default: true
      kubeconfig:
        description: >-
          For the type C(external), a file with the kubeconfig of an administrator of the cluster to adopt, whose server address is reached
          from the KubeFlex manager.
        type: path
      context:
        description: The context in it. If it is left out, the context with the name of the space, or else the only one.
        type: str
      bootstrap_secret:
        description: The Secret with the kubeconfig of the cluster to adopt, for the type C(external), instead of a file.
        type: dict
        suboptions:
          name:
            description: Name of the Secret, by default the name of the space with C(-bootstrap).
            type: str
          namespace:
            description: Namespace of the Secret, by default that of the release.
            type: str
          key:
            description: Key of the kubeconfig in the Secret, by default C(kubeconfig-incluster).
            type: str
  wdses:
    description:
      - The WDSes, as the variable C(hub_wdses) of the role C(hub). What a module has no use for is accepted and has no effect.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the space.
        type: str
        required: true
      type:
        description: Type of its ControlPlane. That of the core chart, C(k8s), if it is left out.
        type: str
      its:
        description: The ITS that it delivers through. Required if there are several.
        type: str
      api_groups:
        description: API groups whose objects can be placed, the empty name for the core group. All if it is left out.
        type: list
        elements: str
      kubeconfig:
        description: See O(itses[].kubeconfig).
        type: path
      context:
        description: See O(itses[].context).
        type: str
      bootstrap_secret:
        description: See O(itses[].bootstrap_secret).
        type: dict
        suboptions:
          name:
            description: See O(itses[].bootstrap_secret.name).
            type: str
          namespace:
            description: See O(itses[].bootstrap_secret.namespace).
            type: str
          key:
            description: See O(itses[].bootstrap_secret.key).
            type: str
      token_expiration_seconds:
        description: How long the token of an adopted cluster is to be good.
        type: int
"""

    # Options of LIMITS_SPEC.
    LIMITS = r"""
options:
  limits:
    description:
      - Client rate limits of the controllers of each WDS, as from the filter P(kubestellar.core.hub_limits#filter). What is left out stays as it is.
    type: dict
    default: {}
    suboptions:
      controller_qps:
        description: Requests a second to each API server.
        type: int
      controller_burst:
        description: Burst that goes with it.
        type: int
      agent_qps:
        description: It is for the agents of WECs, and has no effect here.
        type: int
      agent_burst:
        description: It is for the agents of WECs, and has no effect here.
        type: int
"""
