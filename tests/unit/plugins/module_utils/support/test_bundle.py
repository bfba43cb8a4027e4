# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a bundle, its index, and the archive."""

from __future__ import annotations

import json
import os
import stat
import tarfile
from typing import Any

import pytest
import yaml
from ansible_collections.kubestellar.core.plugins.module_utils import _resources
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput
from ansible_collections.kubestellar.core.plugins.module_utils.support import (
    archive,
    bundle,
    collect,
    make,
    plan,
)
from ansible_collections.kubestellar.core.plugins.module_utils.support.collect import (
    Harvest,
    Limits,
    Piece,
    Place,
)

DOCTOR = bundle.Doctor(
    {"summary": {"errors": 0}, "findings": [], "checked": [], "table": ["hub hub: 0 errors"]}
)
HUB = Place(plan.HOSTING, "hub")
SECRET = "a-password-of-16-x"


def piece(resource: Any, *items: dict[str, Any], state: str = collect.COLLECTED, reason: str = "") -> Piece:
    want = plan.Want(resource, "ns" if resource.namespaced else "")
    full = [{"kind": resource.kind, **item} for item in items]
    return Piece(want.label, f"objects/{want.name}/{want.namespace or 'all'}", state, reason, full, "", want)


def built(*harvests: Harvest, size: int = 2_000_000, doctor: bundle.Doctor = DOCTOR) -> bundle.Bundle:
    return bundle.build("hub", harvests, doctor, Limits(size=size), made=0.0, program="kubectl")


def test_a_value_of_a_secret_is_in_no_other_file_either():
    secret = {"metadata": {"name": "s"}, "data": {"password": "YS1wYXNzd29yZC1vZi0xNi14"}}
    pod = {"metadata": {"name": "p"}, "spec": {"x": f"--opt {SECRET}"}}
    log = Piece("log", "logs/ns/p/c.log", collect.COLLECTED, text=f"using {SECRET}\n")
    failed = Piece("log of x", "logs/ns/p/d.log", collect.FAILED, f"cannot use {SECRET}")
    found = built(
        Harvest(
            HUB, credentials=["a-token-of-ours"], pieces=[piece(_resources.SECRETS, secret), log, failed]
        ),
        Harvest(Place(plan.WEC, "w"), pieces=[piece(_resources.PODS, pod)]),
        Harvest(Place(plan.WEC, "v"), trouble="refused a-token-of-ours"),
        doctor=bundle.Doctor(trouble=f"cannot list with {SECRET}"),
    )
    everything = b"\n".join(found.files.values()).decode()
    assert SECRET not in everything and "YS1wYXNz" not in everything and "a-token-of-ours" not in everything
    assert found.files["hosting/logs/ns/p/c.log"] == b"using [redacted:known]\n"
    assert "a-token-of-ours" not in str(found.missing) and SECRET not in str(found.missing)
    assert found.summary["redacted"] == 3


def test_a_list_is_cut_to_whole_objects_and_a_log_to_its_end():
    items = [{"metadata": {"name": f"n{number}"}, "spec": {"x": "y" * 40}} for number in range(10)]
    log = Piece("log", "logs/ns/p/c.log", collect.COLLECTED, text="".join(f"{n:04}\n" for n in range(100)))
    found = built(Harvest(HUB, pieces=[piece(_resources.BINDINGS, *items), log]), size=303)
    objects = list(yaml.safe_load_all(found.files["hosting/objects/bindings.control.kubestellar.io/all.yml"]))
    assert [one["metadata"]["name"] for one in objects] == [f"n{number}" for number in range(len(objects))]
    assert 1 < len(objects) < 10
    assert found.files["hosting/logs/ns/p/c.log"].splitlines()[0] == b"0040"
    assert [(one["what"], one["reason"]) for one in found.missing] == [
        ("bindings.control.kubestellar.io", f"{len(objects)} of 10, by the limit of 303 bytes"),
        ("log", "the end of it, by the limit of 303 bytes"),
    ]


def test_events_are_also_lines_the_newest_last():
    def event(name: str, when: str, **more: Any) -> dict[str, Any]:
        about = {"kind": "Pod", "namespace": "ns", "name": name}
        return {
            "metadata": {"name": name},
            "involvedObject": about,
            "lastTimestamp": when,
            "message": "m",
            **more,
        }

    found = built(
        Harvest(
            HUB,
            pieces=[
                piece(
                    _resources.EVENTS,
                    event("late", "2026-01-02T00:00:00Z", type="Warning", reason="Bad", count=3),
                    event("early", "2026-01-01T00:00:00Z", type="Normal", message="a\nb"),
                )
            ],
        )
    )
    first, second = found.files["hosting/objects/events/ns.txt"].decode().splitlines()
    assert first.split() == ["2026-01-01T00:00:00", "Normal", "Pod", "ns/early", "a", "b"]
    assert second.split() == ["2026-01-02T00:00:00", "Warning", "Bad", "Pod", "ns/late", "m", "(3", "times)"]
    page = found.files["index.md"].decode()
    assert "ns/late" in page.partition("## Warnings")[2].partition("\n## ")[0] and "ns/early" not in page
    assert found.summary["events"] == 2


def test_what_cannot_be_had_for_one_reason_is_one_line():
    kinds = (_resources.DEPLOYMENTS, _resources.JOBS, _resources.PODS, _resources.CLAIMS, _resources.EVENTS)
    refused = [piece(kind, state=collect.FAILED, reason="no right") for kind in kinds]
    absent = piece(_resources.WORK_STATUSES, state=collect.NOT_SERVED, reason="not known")
    found = built(Harvest(HUB, pieces=[*refused, absent]))
    (entry,) = found.missing
    assert entry["what"].endswith("pods in ns and 2 more") and entry["reason"] == "no right"
    assert (found.summary["failed"], found.summary["not_served"]) == (5, 1)
    assert not bundle.has([Harvest(HUB, pieces=refused)], plan.HOSTING)
    empty = piece(_resources.PODS, state=collect.EMPTY)
    assert bundle.has([Harvest(HUB, pieces=[*refused, empty])], plan.HOSTING)


def test_names_and_texts_of_a_cluster_are_neither_paths_nor_markup():
    place = Place(plan.WEC, "../../../etc")
    failed = Piece("log of x", "logs/../../x.log", collect.COLLECTED, text="x\n")
    broken = Piece("a | b <script>", "", collect.FAILED, "`x` | [y](z)\n# no heading")
    found = built(Harvest(HUB), Harvest(place, pieces=[failed, broken]))
    for name in found.files:
        assert not os.path.isabs(name) and ".." not in name.split("/"), name
    page = found.files["index.md"].decode()
    assert "<script>" not in page and "\n# no heading" not in page and r"a \| b" in page


def test_the_same_content_is_the_same_archive_with_the_index_first(tmp_path):
    found = built(Harvest(HUB, pieces=[piece(_resources.PODS, {"metadata": {"name": "p"}})]))
    reverse = dict(reversed(list(found.files.items())))
    sizes = {
        archive.write(str(tmp_path / name), files, 5.0)
        for name, files in (("a.tgz", found.files), ("b.tgz", reverse))
    }
    first, second = ((tmp_path / name).read_bytes() for name in ("a.tgz", "b.tgz"))
    assert first == second and sizes == {len(first)}
    assert stat.S_IMODE((tmp_path / "a.tgz").stat().st_mode) == 0o600
    with tarfile.open(tmp_path / "a.tgz") as opened:
        names = opened.getnames()
        stream = opened.extractfile("support/index.json")
        assert stream is not None
        index = json.loads(stream.read())
    assert names[:2] == ["support/index.json", "support/index.md"] and names[2:] == sorted(names[2:])
    assert index["summary"]["objects"] == 1 and index["made"] == "1970-01-01T00:00:00Z"
    assert os.listdir(tmp_path).count("a.tgz") == 1 and len(os.listdir(tmp_path)) == 2


def test_dest_is_a_file_or_a_folder(tmp_path):
    assert archive.target(str(tmp_path / "x.tar.gz"), "hub", 0.0) == str(tmp_path / "x.tar.gz")
    name = "kubestellar-support-a-b-19700101T000000Z.tar.gz"
    assert archive.target(str(tmp_path), "a/b", 0.0) == str(tmp_path / name)
    assert archive.target(str(tmp_path / "new" / "er"), "a b", 0.0) == str(tmp_path / "new" / "er" / name)
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(InvalidInput, match="is no folder that can be written to"):
        archive.target(str(file / "x"), "hub", 0.0)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"since": "yesterday"}, "since is 'yesterday', which is no time span"),
        ({"log_lines": -1}, "log_lines is -1"),
        ({"limit_bytes": 5}, "limit_bytes is 5"),
        ({"timeout": 0}, "timeout is 0"),
        ({"wecs": [{"name": "a"}, {"name": "a"}]}, "wecs names a twice"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(options, words):
    usual = {
        "dest": "/x",
        "since": None,
        "log_lines": 5,
        "limit_bytes": 20_000,
        "timeout": 5,
        "wecs": [],
        "program": None,
        "stack_folder": None,
    }
    with pytest.raises(InvalidInput, match=words):
        make.Order.of({**usual, **options})
    assert make.Order.of(usual).limits == Limits(5, "", 20_000, 5.0)


def test_pods_that_are_not_well_are_in_the_index():
    def pod(name: str, phase: str, *states: dict[str, Any]) -> dict[str, Any]:
        return {
            "metadata": {"name": name, "namespace": "ns"},
            "status": {"phase": phase, "containerStatuses": list(states)},
        }

    found = built(
        Harvest(
            HUB,
            pieces=[
                piece(
                    _resources.PODS,
                    pod("well", "Running", {"name": "c", "restartCount": 0, "state": {"running": {}}}),
                    pod("done", "Succeeded", {"name": "c", "state": {"terminated": {"exitCode": 0}}}),
                    pod("waits", "Pending"),
                    pod(
                        "ill",
                        "Running",
                        {
                            "name": "c",
                            "restartCount": 4,
                            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                        },
                    ),
                )
            ],
        )
    )
    section = found.files["index.md"].decode().partition("## Pods that are not well")[2].partition("\n## ")[0]
    assert "| ns/waits | Pending |" in section
    assert "| ns/ill | Running; c: CrashLoopBackOff, 4 restarts |" in section
    assert "well |" not in section and "done |" not in section
