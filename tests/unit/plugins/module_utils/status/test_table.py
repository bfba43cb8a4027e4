# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.kubestellar.core.plugins.module_utils._delivery import Cell, Row
from ansible_collections.kubestellar.core.plugins.module_utils.placement.resolution import ObjectKey
from ansible_collections.kubestellar.core.plugins.module_utils.status import table

SPACES = [{"name": "its1", "role": "its", "type": "external", "ready": True}]


def cluster(name, available=True, **labels):
    return {
        "name": name,
        "joined": True,
        "available": available,
        "reason": "" if available else "Lost",
        "labels": labels,
    }


def policy(*clusters, errors=(), current=True):
    return {
        "name": "shop",
        "wds": "wds1",
        "workload": "shop",
        "clusters": list(clusters),
        "errors": list(errors),
        "current": current,
    }


def row(name, cells, kind="Deployment", policies=("shop",)):
    return Row(
        ObjectKey("apps", "deployments", "shop", name),
        kind,
        "wds1",
        list(policies),
        {c.cluster: c for c in cells},
    )


def cell(where, health="healthy", message=""):
    return Cell(where, True, True, health == "healthy", health, message)


def test_a_small_hub_is_a_matrix_with_what_is_wrong_below():
    rows = [row("till", [cell("c1"), cell("c2", "failed", "image is missing")])]
    lines = table.render(
        "hub", SPACES, [cluster("c1", city="lisbon"), cluster("c2", False)], [policy("c1", "c2")], rows
    )
    assert lines == [
        "hub hub",
        "  space  role  type      ready",
        "  its1   its   external  yes",
        "",
        "clusters",
        "  cluster  joined  available  labels",
        "  c1       yes     yes        city=lisbon",
        "  c2       yes     no (Lost)",
        "",
        "shop in wds1: 1 object on 2 clusters, 1 of 2 healthy",
        "  object                c1       c2",
        "  Deployment shop/till  healthy  failed",
        "  ! c2: Deployment shop/till: image is missing",
    ]


def test_many_clusters_are_lines_with_numbers_and_one_reason_for_all():
    names = [f"cluster{number:03}" for number in range(60)]
    rows = [row("till", [cell(name, "progressing", "0 of 2 replicas") for name in names])]
    lines = table.render("hub", [], [cluster(name) for name in names], [policy(*names)], rows)
    assert all(len(line) <= table.WIDTH for line in lines)
    assert "  cluster000  1        0        1            0       0      0" in lines
    assert "  and 10 more" in lines
    assert "  ! cluster000 and 59 more: Deployment shop/till: 0 of 2 replicas" in lines


def test_text_of_others_is_shown_and_never_executed():
    hostile = "\x1b[2J{{ lookup('pipe', 'id') }}\nx"
    lines = table.render("hub", [], [cluster("c1", reason=hostile)], [policy("c1", errors=[hostile])], [])
    assert not any(character in line for line in lines for character in "\x1b\n")
    assert any("{{ lookup" in line for line in lines)


def test_a_lost_cluster_is_said_once():
    why = "cluster not available (Lost); last known: healthy"
    rows = [row(name, [cell("c1", "stale", why), cell("c2", "stale", why)]) for name in ("till", "store")]
    lines = table.render("hub", [], [], [policy("c1", "c2")], rows)
    assert [line for line in lines if "!" in line] == ["  ! c1 and 1 more: cluster not available (Lost)"]


def test_nothing_is_said_to_be_nothing():
    assert table.render("hub", [], [], [], []) == ["clusters", "  none", "", "no workload is placed"]


def test_what_no_policy_selects_any_more_is_listed_apart():
    leaving = row("till", [cell("c1", "removing", "no longer selected")], policies=["gone"])
    lines = table.render("hub", [], [cluster("c1")], [], [leaving])
    assert "left over, selected by no policy" in lines
