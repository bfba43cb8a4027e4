# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the options that the modules for klusterlets share."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of CLUSTERS_SPEC in module_utils/klusterlet/wishes.py."""

    DOCUMENTATION = r"""
options:
  clusters:
    description:
      - The workload execution clusters (WECs) to work on, all at once. One that fails does not stop the others.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - Name of the cluster on the hub, that of its ManagedCluster.
        type: str
        required: true
      kubeconfig:
        description:
          - Path of a kubeconfig of the cluster. The environment (E(K8S_AUTH_KUBECONFIG) and so on) never names a WEC.
        type: path
      context:
        description:
          - The context in O(clusters[].kubeconfig). It may be left out only if there is exactly one; the current context is never used.
        type: str
      host:
        description:
          - URL of the API server of the cluster, instead of O(clusters[].kubeconfig).
        type: str
      api_key:
        description:
          - Bearer token for O(clusters[].host).
        type: str
      ca_cert:
        description:
          - File with the authority of the certificate of O(clusters[].host). Without it, the authorities of the system.
        type: path
      endpoint:
        description:
          - URL of the ITS as the Pods of this cluster reach it.
          - If it is left out, the address in the hosting cluster for the hub itself, the port of the container for a cluster with
            O(clusters[].host_container), else the address by which the hub is reached from here. An address that leads to the loopback
            or into the hub's own cluster is then refused. Without a connection to the hub, it is the one in the bootstrap kubeconfig.
        type: str
      host_container:
        description:
          - Container that runs the API server of the hosting cluster, for a cluster of kind or k3d in the same container network.
            It counts where the hub is reached from here by an address that Pods cannot reach.
        type: str
      is_hub:
        description:
          - Whether the cluster is meant to be the hub itself. If it is one and this does not say so, it is refused.
        type: bool
        default: false
      cluster_annotations:
        description:
          - Annotations that the agent gives the ManagedCluster when it makes it. They begin with C(agent.open-cluster-management.io).
        type: dict
      external_server_urls:
        description:
          - URLs under which the cluster is reached from outside, for its ManagedCluster.
        type: list
        elements: str
      planned:
        description:
          - In check mode, that an earlier task of the same run would make the cluster, so that it is not connected to.
        type: bool
        default: false
  namespace:
    description:
      - Namespace of the agents, which begins with C(open-cluster-management-). By default C(open-cluster-management-agent), and for
        O(mode=Hosted) C(open-cluster-management-) with the name of the cluster.
    type: str
  mode:
    description:
      - V(Singleton) has one agent. V(Default) has two, for registration and for work; the one for work runs when the cluster is accepted.
      - V(Hosted) has two as well, which run on a management cluster. They get the credentials of the connection to the WEC, whose address
        must be reachable from there.
      - It cannot be changed later.
    type: str
    choices: [Singleton, Default, Hosted]
    default: Singleton
  management_kubeconfig:
    description:
      - Path of a kubeconfig of the management cluster, for O(mode=Hosted).
    type: path
  management_context:
    description:
      - The context in O(management_kubeconfig).
    type: str
  change_hub:
    description:
      - Whether a cluster may be taken from another hub. A hub counts as another one if both its address and its authority differ.
    type: bool
    default: false
  parallel:
    description:
      - How many clusters are worked on at once.
    type: int
    default: 16
"""
