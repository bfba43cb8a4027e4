# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making a support bundle: where from, all at once, into one file (private to kubestellar.core)."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ansible_collections.kubestellar.core.plugins.module_utils import _bulk
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster
from ansible_collections.kubestellar.core.plugins.module_utils._errors import (
    InvalidInput,
    KubestellarError,
    plain,
)
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils.doctor import checks, read, report
from ansible_collections.kubestellar.core.plugins.module_utils.support import (
    archive,
    bundle,
    collect,
    plan,
    program,
    redact,
)

_SINCE = re.compile(r"^(?:[0-9]{1,6}[hms])+$")
_LEAST_SIZE = 10_000


@dataclass(frozen=True)
class Order:
    """What is wanted. :ivar wecs: `{name, kubeconfig, context}` of each."""

    dest: str
    limits: collect.Limits
    program: str | None = None
    stack: str = ""
    wecs: Sequence[Mapping[str, Any]] = field(default_factory=list)

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Order:
        """:raises InvalidInput: a limit is no limit, or two WECs have one name."""
        since = params["since"] or ""
        if since and not _SINCE.match(since):
            raise InvalidInput(
                f"since is {plain(since, 60)!r}, which is no time span.", hint="Write it as 2h, 30m or 1h30m."
            )
        for option, least in (("log_lines", 0), ("limit_bytes", _LEAST_SIZE), ("timeout", 1)):
            if params[option] < least:
                raise InvalidInput(f"{option} is {params[option]}.", hint=f"Set it to {least} or more.")
        wecs = params["wecs"] or []
        names = [str(entry["name"]) for entry in wecs]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise InvalidInput(
                f"wecs names {plain(twice[0], 80)} twice.", hint="Keep one of them, or give it another name."
            )
        limits = collect.Limits(params["log_lines"], since, params["limit_bytes"], float(params["timeout"]))
        return cls(params["dest"], limits, params["program"], params["stack_folder"] or "", wecs)


def forecast(hosting: Cluster | None, order: Order) -> dict[str, Any]:
    """What would be collected, without collecting and writing it.

    :param hosting: None if it does not exist yet, since an earlier task of the same run would create it.
    :raises KubestellarError: what it takes is not there.
    """
    now = time.time()
    name = hosting.name if hosting else "hub"
    path = archive.target(order.dest, name, now)
    if hosting:
        with tempfile.TemporaryDirectory() as folder, program.environment(folder):
            program.find(order.program)
        places = collect.places(hosting, order.wecs)
    else:
        places = [collect.Place(plan.HOSTING, name), *collect.wecs_of(order.wecs)]
    planned = [
        {
            "cluster": place.label,
            "trouble": redact.Redactor().text(place.trouble),
            "kinds": sorted({want.label for want in plan.wants(place.role, place.spaces)}),
        }
        for place in places
    ]
    lines = [f"a support bundle of hub {plain(name, 60)} would be collected from:"]
    for entry in planned:
        trouble = f": cannot be used: {entry['trouble']}" if entry["trouble"] else ""
        lines.append(
            f"  {entry['cluster']}, {len(entry['kinds'])} lists and the logs of its Pods{trouble}"[:400]
        )
    if order.stack:
        lines.append(f"  the logs of the processes in {plain(order.stack, 300)}")
    return {
        "changed": True,
        "path": path,
        "size": 0,
        "summary": dict.fromkeys(bundle.NUMBERS, 0),
        "missing": [],
        "planned": planned,
        "table": [*lines, f"  and written to {path}"],
    }


def make(hosting: Cluster, order: Order, tmpdir: str, progress: Progress) -> dict[str, Any]:
    """Collect, redact, write.

    :param tmpdir: of the module; a folder in it has the kubeconfigs for the program, until the end.
    :raises KubestellarError: nothing came from the hosting cluster, or the file cannot be written.
    """
    made = time.time()
    path = archive.target(order.dest, hosting.name, made)
    folder = tempfile.mkdtemp(prefix="support-", dir=tmpdir)
    try:
        with program.environment(folder):
            chosen = program.find(order.program)
            places = collect.places(hosting, order.wecs)
            progress.line(f"collecting from {len(places)} clusters, with {os.path.basename(chosen)}")
            work = [partial(collect.collect, place, chosen, folder, order.limits) for place in places]
            doctor, *harvests = _bulk.in_parallel(
                lambda job: job(), [partial(_diagnose, hosting), *work], workers=collect.CLUSTERS_AT_ONCE
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if order.stack:
        harvests.append(collect.processes(order.stack, order.limits))
    built = bundle.build(
        hosting.name, harvests, doctor, order.limits, made=made, program=os.path.basename(chosen)
    )
    size = archive.write(path, built.files, made)
    if not bundle.has(harvests, plan.HOSTING):
        why = next((one["reason"] for one in built.missing if one["cluster"] == harvests[0].place.label), "")
        raise KubestellarError(
            f"{hosting.name}: nothing could be collected from the hosting cluster: {why.rstrip('.')}.",
            hint=f"Check kubeconfig and context, and whether its API server is running. What else could be had is in {path}.",
            path=path,
            size=size,
            missing=list(built.missing),
        )
    return {
        "changed": True,
        "path": path,
        "size": size,
        "summary": dict(built.summary),
        "missing": list(built.missing),
        "planned": [],
        "table": bundle.table(hosting.name, built, path, size),
    }


def _diagnose(hosting: Cluster) -> bundle.Doctor:
    """What the doctor finds; that it cannot look is no reason to have no bundle."""
    try:
        facts = read.read(hosting, checks.needed(checks.chosen(None)), None)
        return bundle.Doctor(report.result(facts, checks.diagnose(facts, None)))
    except KubestellarError as error:
        return bundle.Doctor(trouble=error.message)
