# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unit tests say nothing about time: machines are busy, and a slow example is no wrong one."""

from __future__ import annotations

import sys

from hypothesis import settings

# A worker of pytest-xdist gets the path of its parent and adds ours again. Packages of collections, which are namespaces, would
# then be in two places, and Ansible's loader takes them from one only.
sys.path[:] = dict.fromkeys(sys.path)

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
