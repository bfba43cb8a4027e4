# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the connection option family."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of AUTH_SPEC, GUARD_SPEC and space_spec in module_utils/_auth.py, and SPACES_SPEC in module_utils/_space.py."""

    DOCUMENTATION = r"""
options:
  kubeconfig:
    description:
      - Connection to the hosting cluster, by a kubeconfig. A path, several paths, or the content as a mapping.
      - If any connection option is given, the environment contributes nothing.
        Else the variables E(K8S_AUTH_KUBECONFIG), E(K8S_AUTH_CONTEXT), E(K8S_AUTH_HOST), E(K8S_AUTH_API_KEY) and so on are used,
        else the service account of the pod. The default kubeconfig of the user is never read.
    type: raw
  context:
    description:
      - The context in O(kubeconfig). It may be left out only if there is exactly one; the current context is never used.
    type: str
  host:
    description:
      - Connection to the hosting cluster by URL instead of O(kubeconfig).
    type: str
  api_key:
    description:
      - Bearer token for O(host).
    type: str
  username:
    description:
      - User name for O(host), where a proxy in front of the API server asks for one.
    type: str
  password:
    description:
      - Password for O(username).
    type: str
  ca_cert:
    description:
      - File with the certificate authority of O(host).
    type: path
    aliases: [ssl_ca_cert]
  client_cert:
    description:
      - File with the client certificate for O(host).
    type: path
    aliases: [cert_file]
  client_key:
    description:
      - File with the key of O(client_cert).
    type: path
    aliases: [key_file]
  validate_certs:
    description:
      - Whether the certificate of the API server is verified. It is, unless this is set to V(false).
    type: bool
    aliases: [verify_ssl]
  proxy:
    description:
      - URL of an HTTP proxy for the connection.
    type: str
  no_proxy:
    description:
      - Hosts that are reached without O(proxy), separated by commas.
    type: str
  proxy_headers:
    description:
      - Headers for O(proxy).
    type: dict
    suboptions:
      proxy_basic_auth:
        description: User name and password for the proxy, joined by a colon.
        type: str
      basic_auth:
        description: User name and password for what is behind it, joined by a colon.
        type: str
      user_agent:
        description: Name of the client.
        type: str
  persist_config:
    description:
      - Has no effect, since nothing is ever written to a kubeconfig. It is accepted so that C(module_defaults) can be shared
        with kubernetes.core.
    type: bool
  impersonate_user:
    description:
      - User to impersonate.
    type: str
  impersonate_groups:
    description:
      - Groups to impersonate.
    type: list
    elements: str
  expected_server:
    description:
      - URL of the API server that the connection must lead to. Any other is refused before the first request.
    type: str
  connection_planned:
    description:
      - Says that the cluster does not exist yet because an earlier task of the same check mode run would create it.
        The module then forecasts without connecting. It has no effect outside check mode.
    type: bool
    default: false
"""

    WDS = r"""
options:
  wds:
    description:
      - Name of the WDS, a ControlPlane of the hosting cluster.
    type: str
  wds_kubeconfig:
    description:
      - Kubeconfig that leads straight to the WDS, instead of the connection to the hosting cluster.
    type: path
  wds_context:
    description:
      - The context in O(wds_kubeconfig).
    type: str
"""

    ITS = r"""
options:
  its:
    description:
      - Name of the ITS, a ControlPlane of the hosting cluster.
    type: str
  its_kubeconfig:
    description:
      - Kubeconfig that leads straight to the ITS, instead of the connection to the hosting cluster.
    type: path
  its_context:
    description:
      - The context in O(its_kubeconfig).
    type: str
"""

    SPACES = r"""
options:
  spaces:
    description:
      - The spaces to work on. If it is left out, all spaces of the hub, which are the ControlPlanes with the label C(kflex.kubestellar.io/cptype).
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the space.
        type: str
        required: true
      role:
        description: What the space is for. If it is left out, the label of its ControlPlane says it.
        type: str
        choices: [its, wds]
      kubeconfig:
        description:
          - Kubeconfig that leads straight to the space, instead of the connection to the hosting cluster. Then the role must be given.
        type: path
      context:
        description: The context in the kubeconfig of the space.
        type: str
"""
