# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the options that name an embedded stack."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of STACK_SPEC in module_utils/embedded/home.py."""

    DOCUMENTATION = r"""
options:
  home:
    description:
      - Folder of the embedded provider, usually E(KUBESTELLAR_HOME).
    type: path
    default: ~/.kubestellar
  stack:
    description:
      - Name of the stack. Several stacks can run beside each other.
    type: str
    default: kubestellar
"""
