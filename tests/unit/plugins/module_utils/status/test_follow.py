# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of changes, and where reports are written."""

from __future__ import annotations

import stat
from dataclasses import replace

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput
from ansible_collections.kubestellar.core.plugins.module_utils.status import files, follow
from ansible_collections.kubestellar.core.tests import views


def changed(view, health: str, message: str = "", only: str = "") -> follow.State:
    """The states of a view in which all that is in cluster lisbon-1 has another health."""
    for row in view.rows:
        if only in row.label:
            row.cells["lisbon-1"] = replace(row.cells["lisbon-1"], health=health, message=message)
    return follow.states(view)


def test_nothing_new_is_nothing_said():
    assert follow.changes(follow.states(views.small()), follow.states(views.small())) == []


def test_one_change_is_told_with_what_it_was_and_why():
    good = follow.states(views.small())
    bad = changed(views.small(), "failed", "no such image\n{{ x }}", "shop/till")
    assert follow.changes(good, bad) == [
        "Service shop/till, Deployment shop/till in lisbon-1: healthy → failed (no such image {{ x }})"
    ]
    assert follow.changes(bad, good) == [
        "Service shop/till, Deployment shop/till in lisbon-1: failed → healthy"
    ]


def test_objects_that_change_alike_are_one_line():
    before = follow.states(views.small())
    (line,) = follow.changes(before, changed(views.small(), "progressing", "not applied yet"))
    assert line.startswith(
        "Namespace probe, Deployment probe/exporter and 5 more in lisbon-1: healthy → progressing"
    )


def test_a_reason_that_changes_is_told_without_an_arrow():
    before = changed(views.small(), "progressing", "0 of 2 replicas available", "Deployment shop/till")
    after = changed(views.small(), "progressing", "1 of 2 replicas available", "Deployment shop/till")
    assert follow.changes(before, after) == [
        "Deployment shop/till in lisbon-1: progressing (1 of 2 replicas available)"
    ]


def test_clusters_and_policies_have_lines_of_their_own():
    before, after = follow.states(views.small()), follow.states(views.small())
    after["cluster", "vienna-1", ""] = ("available", "")
    after["policy", "wds1", "shop"] = ("processed", "a singleton is asked for")
    del after["policy", "wds1", "probe"]
    assert follow.changes(before, after) == [
        "cluster vienna-1: not available → available",
        "policy shop in wds1: processed (a singleton is asked for)",
        "policy probe in wds1: processed → gone",
    ]


def test_the_numbers_of_a_moment_are_one_line():
    assert follow.counted(views.small()) == "19 of 28 placements healthy, 1 progressing, 1 failed, 7 stale"
    assert follow.counted(follow.View()) == "no workload is placed"


@pytest.mark.parametrize("basename", ["", "a/b", "../x", ".hidden", "a\nb", "x" * 101, "{{ x }}"])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path, basename):
    with pytest.raises(InvalidInput, match="no name for a file"):
        files.targets(str(tmp_path), basename, ["html"])


def test_a_folder_that_is_none_is_refused_before_anything_is_read(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match="no folder that can be written to"):
        files.targets(str(tmp_path / "file" / "below"), "hub", ["html"])


def test_files_are_whole_readable_and_replaced(tmp_path):
    paths = files.targets(str(tmp_path / "new" / "folder"), "hub", ["html", "prometheus", "html"])
    assert [path.name for path in paths.values()] == ["hub.html", "hub.prom"]
    contents = files.contents(views.small(), list(paths))
    for _twice in range(2):
        files.write({paths[name]: content for name, content in contents.items()})
    assert sorted(path.name for path in (tmp_path / "new" / "folder").iterdir()) == ["hub.html", "hub.prom"]
    for name, path in paths.items():
        assert stat.S_IMODE(path.stat().st_mode) == 0o644
        assert files.present(path) == contents[name]
    assert files.present(tmp_path / "nothing") == ""
