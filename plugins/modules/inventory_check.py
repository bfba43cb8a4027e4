#!/usr/bin/python
# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: inventory_check
version_added: "0.1.0"
short_description: Check the whole KubeStellar inventory before anything is started
description:
  - Checks the variables of all hosts in C(kubestellar_hubs) and C(kubestellar_wecs) in one task on the controller.
  - Finds variables that no role knows (with the name that was probably meant), wrong types down to the leaf, illegal names,
    WECs without a hub, names that are used twice, and spaces or ITSes that are referred to but not there.
  - Refuses a WEC that is the cluster of a WDS which delivers to it, and warns of a hub that is a WEC, or that is ITS and WDS at once.
  - Fails with one sentence for each mistake, naming host, variable and remedy. It starts and changes nothing.
author:
  - kubestellar.core contributors (@kubestellar)
extends_documentation_fragment:
  - kubestellar.core._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
options: {}
"""

EXAMPLES = r"""
- name: Check the inventory
  kubestellar.core.inventory_check:
  run_once: true
"""

RETURN = r"""
problems:
  description: One sentence per mistake.
  returned: always
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    """Reached only if the action plugin of the same name was bypassed: it alone knows all hosts."""
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    module.fail_json(msg="inventory_check works as a task of a playbook only.", problems=[])


if __name__ == "__main__":
    main()
