# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of what every module says about itself."""

from __future__ import annotations


class ModuleDocFragment:
    """Attributes: each module states its `support`, this fragment says what that means.

    tests/unit/test_repository.py compares the membership in the action group with meta/runtime.yml.
    """

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode, says truthfully what would change, and writes nothing.
  diff_mode:
    description: Shows what changed, or in check mode what would change, as before and after. Secret data is masked.
  idempotent:
    description: Run again with the same options and unchanged clusters, it reports no change and writes nothing.
  async:
    description: Can be used with the C(async) keyword. Progress is not shown then.
    support: full
"""

    INFO_MODULE = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - This module only reads.
  diff_mode:
    support: N/A
    details:
      - This module only reads.
  idempotent:
    support: full
    details:
      - This module only reads.
"""

    ACTION_GROUP = r"""
options: {}
attributes:
  action_group:
    description: >-
      Use C(group/kubestellar.core.kubestellar) in C(module_defaults) to give the connection to the hosting cluster once for
      all modules that need it. The group includes the modules of kubernetes.core.
    support: full
    membership:
      - kubestellar.core.kubestellar
"""
