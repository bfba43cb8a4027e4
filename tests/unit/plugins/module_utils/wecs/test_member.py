# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.kubestellar.core.plugins.module_utils.wecs.member import Member, Wish, times


def ready(name: str, seconds: float) -> Member:
    return Member(Wish(name), had_to_wait=True, done=True, seconds=seconds)


def test_how_long_each_cluster_took_is_a_table_that_begins_with_the_quickest():
    members = [ready("edge10", 12.34), ready("hub", 3.0), Member(Wish("there"), done=True)]
    assert times(members) == ["hub     ready after   3.0 s", "edge10  ready after  12.3 s"]


def test_a_cluster_that_failed_was_never_ready():
    assert times([Member(Wish("edge"), had_to_wait=True, done=True, error="no request")]) == []


def test_a_large_fleet_is_one_line():
    (line,) = times([ready(f"edge{number}", number) for number in range(1, 101)])
    assert line == (
        "100 clusters are ready: the first after 1 s, half of them after 51 s, edge100 as the last after 100 s"
    )
