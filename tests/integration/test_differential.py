# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What we say a policy places is what KubeStellar's controller-manager places: on hundreds of random policies.

The controller-manager is asked in a WDS of its own, without a transport controller, so that nothing is delivered.
Policies come in rounds. In each round the labels of all objects and clusters are drawn anew and each of `SLOTS`
policies gets another spec; so all but the first round also see whether the controller and we forget in the same way.

- All policies exist before the controller starts, and none is deleted while it runs: a policy that comes or goes
  while a Binding is being synced can deadlock it (kubestellar#3864, #3972).
- When has it answered? One more policy, the canary, selects every object, is written last in each round and changes
  its modulation. Once its Binding shows the new modulation for every object at its present resourceVersion, every
  object has been evaluated against the new specs of all policies, since the controller sees policies in the order of
  their writes. What is left is the delay of two seconds with which it writes Bindings.

    KUBESTELLAR_DIFFERENTIAL_CASES=5000 KUBESTELLAR_DIFFERENTIAL_SEED=7 python -m pytest tests/integration/test_differential.py
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _bulk, _control_plane
from ansible_collections.kubestellar.core.plugins.module_utils._client import Cluster, Listing
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, NotFound
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils._resources import (
    BINDING_POLICIES,
    BINDINGS,
    CONFIG_MAPS,
    CRDS,
    MANAGED_CLUSTERS,
    SERVICE_ACCOUNTS,
    Resource,
)
from ansible_collections.kubestellar.core.plugins.module_utils._wait import Verdict, Waiter
from ansible_collections.kubestellar.core.plugins.module_utils.embedded import clusters, controllers, kwok
from ansible_collections.kubestellar.core.plugins.module_utils.embedded.home import State
from ansible_collections.kubestellar.core.plugins.module_utils.placement import policy, resolution
from ansible_collections.kubestellar.core.plugins.module_utils.placement.resolution import Candidate
from ansible_collections.kubestellar.core.tests.waiting import eventually

from . import differential
from .differential import Answer, Placement, Resolver, World
from .running import Running

CASES = int(os.environ.get("KUBESTELLAR_DIFFERENTIAL_CASES", "500"))
SEED = int(os.environ.get("KUBESTELLAR_DIFFERENTIAL_SEED", "1"))
SLOTS = 170
"""Policies at a time. The work of the controller for one round grows with their square."""

KEPT = 500
"""Cases that are kept for the resolvers that are wrong. With fewer, some of them could be right by chance."""

FIRST = min(60, CASES)
"""Policies of the first round, which is shorter: it alone is a core test."""

WDS = "wds9"
CANARY = "canary"
REPORT = "kubestellar-report"
EVERYTHING: Mapping[str, Any] = {"downsync": [{"resources": ["*"], "namespaceSelectors": [{}]}]}
SOME_GROUPS = ("apps", "batch", differential.GROUP)
"""What a controller-manager with a list of API groups is limited to."""

_DELAY = 2.0
_QUIET = 1.0
_PATIENCE = 8.0
_SECONDS = 120.0
_QUIETLY = Progress(None)


class Remembering:
    """The lists of a WDS that does not change for a while: what `resolution.read` asks for is sent once."""

    def __init__(self, wds: Cluster) -> None:
        self._wds = wds
        self._lock = threading.Lock()
        self._lists: dict[tuple[Resource, str], Listing] = {}

    def resources(self, *, refresh: bool = False) -> list[Resource]:
        return self._wds.resources(refresh=refresh)

    def list(self, resource: Resource, *, label_selector: str = "", metadata_only: bool = True) -> Listing:
        request = (resource, label_selector)
        with self._lock:
            found = self._lists.get(request)
        if found is None:
            found = self._wds.list(resource, label_selector=label_selector, metadata_only=metadata_only)
            with self._lock:
                self._lists[request] = found
        return found


@dataclass
class Space:
    """The WDS, its controller-manager, and the fleet in the ITS."""

    running: Running
    wds: Cluster
    its: Cluster
    api_groups: Collection[str] | None = None
    _signature: dict[str, Any] = field(default_factory=dict)
    _unchanged_since: float = 0.0

    @property
    def binaries(self) -> Path:
        return Path(State.load(self.running.stack).clusters["wds1"]["binaries"])

    def controller(self) -> dict[str, Any]:
        """The entry of `processes` for the controller-manager."""
        groups = {"api_groups": list(self.api_groups)} if self.api_groups else {}
        rate = {"qps": 5000, "burst": 10000}
        return {"program": "controller_manager", "hub": "hub", "its": "its1", "wds": WDS, **rate, **groups}

    def start(self) -> None:
        """Run the controller-manager, anew if it is to run with other groups."""
        controllers.present(
            self.running.stack, [self.controller()], self.binaries, _QUIETLY, timeout=60, check_mode=False
        )
        # It makes a Namespace, in which Kubernetes then makes objects that can be placed as well.
        made = ((SERVICE_ACCOUNTS, "default"), (CONFIG_MAPS, "kube-root-ca.crt"))
        eventually(lambda: all(self.wds.get(*one, REPORT) for one in made))

    def stop(self) -> None:
        """Stop the controller-manager, so that policies can come without harm; see the top of this file."""
        controllers.absent(self.running.stack, [self.controller()], _QUIETLY, check_mode=False)

    def furnish(self, objects: Sequence[Mapping[str, Any]], numbers: random.Random) -> None:
        """Let the WDS hold the objects and the ITS the fleet, all with new labels."""
        wanted = _bulk.check_definitions(differential.labelled(objects, numbers), "objects")

        def there() -> bool:
            outcomes = _bulk.apply_all(self.wds, wanted)
            # A Pod needs the ServiceAccount that Kubernetes makes in a new Namespace.
            early = any("service account" in str(outcome.error) for outcome in outcomes if outcome.error)
            if not early:
                _bulk.raise_failures(outcomes, WDS)
            return not early

        eventually(there)
        _bulk.in_parallel(
            lambda obj: self.its.apply(MANAGED_CLUSTERS, obj),
            differential.labelled(differential.fleet(), numbers),
        )

    def write(self, name: str, spec: Mapping[str, Any]) -> None:
        """Create or replace a policy. (Not by server-side apply: the controller owns what it has written back.)"""
        whole = {field: spec.get(field) for field in ("clusterSelectors", "downsync")}
        try:
            self.wds.patch(BINDING_POLICIES, name, None, {"spec": whole})
        except NotFound:
            named = {"apiVersion": BINDING_POLICIES.api_version, "kind": BINDING_POLICIES.kind}
            self.wds.create(BINDING_POLICIES, {**named, "metadata": {"name": name}, "spec": spec})

    def withdraw(self, name: str) -> None:
        """Delete a policy while the controller-manager does not run, so that it never sees it go."""
        self.stop()
        for resource in (BINDING_POLICIES, BINDINGS):
            with contextlib.suppress(NotFound):  # a Binding is collected as soon as its policy has gone
                self.wds.patch(resource, name, None, {"metadata": {"finalizers": None}})
                self.wds.delete(resource, name)

    def write_anew(self, policies: Mapping[str, Mapping[str, Any]]) -> None:
        """Delete policies and create them again; wait until they have been evaluated."""
        for name in policies:
            self.wds.delete(BINDING_POLICIES, name)
        kinds = (BINDING_POLICIES, BINDINGS)
        eventually(lambda: not any(self.wds.get(kind, name) for name in policies for kind in kinds))
        for name, spec in policies.items():
            self.write(name, spec)
        self.wait_quiet(_QUIET, at_least=2 * _DELAY)

    def look(self) -> World:
        """Everything that there is now and can be delivered."""
        candidates, namespaces = resolution.read(
            self.wds, EVERYTHING, refresh=True, api_groups=self.api_groups
        )
        return World(candidates, (), namespaces, self.its.list(MANAGED_CLUSTERS).items)

    def never(self) -> list[Candidate]:
        """What is never delivered."""
        return [
            Candidate(resource, item["metadata"])
            for resource in self.wds.resources()
            if {"list", "watch"} <= resource.verbs
            and not resolution.not_excluded(resource.group, resource.plural)
            for item in self.wds.list(resource, metadata_only=True).items
        ]

    def wait(self, *, create_only: bool) -> World:
        """Wait until the canary shows that every object has been evaluated; what there is then."""
        waiter = Waiter(_QUIETLY)
        bindings = waiter.follow(self.wds, BINDINGS, field_selector=f"metadata.name={CANARY}")
        worlds: list[World] = []

        def evaluate() -> Verdict:
            binding = bindings.get(CANARY)
            seen = differential.placed(binding).objects
            old = [key for key, bound in seen.items() if bound.create_only != create_only]
            if not seen or old:
                return Verdict(
                    False, [f"{len(old)} of {len(seen)} objects have not been evaluated"], again=1.0
                )
            worlds[:] = [self.look()]
            wanted = {c.key: str(c.metadata["resourceVersion"]) for c in worlds[0].candidates}
            missing = [
                f"the canary has version {bound.resource_version if bound else None} of {key}, not {wanted.get(key)}"
                for key in wanted.keys() | seen.keys()
                if (bound := seen.get(key)) is None or bound.resource_version != wanted.get(key)
            ]
            return Verdict(not missing, missing, again=1.0)

        waiter.until(evaluate, timeout=_SECONDS, what=f"{WDS}: the evaluation of every object")
        self._unchanged_since = time.monotonic()
        self.wait_quiet(_QUIET, at_least=_DELAY)
        return replace(worlds[0], never=self.never())

    def wait_quiet(self, seconds: float, *, at_least: float = 0.0) -> None:
        """Wait until no Binding and no policy has changed for some seconds."""
        begin = time.monotonic()
        while True:
            signature = {
                f"{resource.kind} {item['metadata']['name']}": item["metadata"]["resourceVersion"]
                for resource in (BINDINGS, BINDING_POLICIES)
                for item in self.wds.list(resource, metadata_only=True).items
            }
            now = time.monotonic()
            if signature != self._signature:
                self._signature, self._unchanged_since = signature, now
            if now - self._unchanged_since >= seconds and now - begin >= at_least:
                return
            time.sleep(0.2)

    def wait_log(self, *words: str, more_than: int = 0) -> int:
        """Wait until the controller-manager has logged errors with all the words in one line; how many there are."""
        path = self.running.stack.logs / f"controller-manager-{WDS}.log"

        def more() -> int:
            lines = path.read_text(errors="replace").splitlines()
            said = sum(line.startswith("E") and all(word in line for word in words) for line in lines)
            return said if said > more_than else 0

        return eventually(more)

    def placements(self) -> dict[str, Placement]:
        """Policy to what its Binding places; without those whose policy has not been processed.

        The controller makes no Binding for a policy that selects nothing nowhere and never did.
        """
        bindings = {item["metadata"]["name"]: item for item in self.wds.list(BINDINGS).items}
        return {
            policy["metadata"]["name"]: differential.placed(bindings.get(policy["metadata"]["name"]))
            for policy in self.wds.list(BINDING_POLICIES).items
            if (policy.get("status") or {}).get("observedGeneration") == policy["metadata"]["generation"]
        }


@dataclass
class Questions:
    """Asks the controller about specs, round by round."""

    space: Space
    seed: int
    round: int = 0
    answers: list[Answer] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def ask(self, first: int, specs: Sequence[Mapping[str, Any]]) -> None:
        """One round. :param first: number of the first case."""
        numbers = random.Random(f"{self.seed}/{self.round}")
        objects = differential.definitions() + (differential.latecomers() if self.round else [])
        self.space.furnish(objects, numbers)
        self.space.wds.delete(CONFIG_MAPS, differential.LEAVING, "gamma")
        named = {f"case-{slot:03}": spec for slot, spec in enumerate(specs)}
        # Those of later rounds must be there before the controller starts too.
        empty = {} if self.round else {f"case-{slot:03}": {} for slot in range(len(specs), SLOTS)}
        _bulk.in_parallel(lambda item: self.space.write(*item), list({**named, **empty}.items()))
        self._compare(first, named)

    def ask_again(self, first: int, specs: Sequence[Mapping[str, Any]]) -> None:
        """The same specs in the same world, after something else has changed."""
        self._compare(first, {f"case-{slot:03}": spec for slot, spec in enumerate(specs)})

    def _compare(self, first: int, named: Mapping[str, Mapping[str, Any]]) -> None:
        create_only = bool(self.round % 2)
        self.space.write(CANARY, {"downsync": [{**EVERYTHING["downsync"][0], "createOnly": create_only}]})
        self.space.start()
        world = self.space.wait(create_only=create_only)
        found = self._lines(world, named)
        if any(found.values()):
            self.space.wait_quiet(_PATIENCE)
            found = self._lines(world, named)
        if any(found.values()):
            # A controller that has missed an event gives its true answer to the same question asked afresh.
            self.space.write_anew({name: named[name] for name, lines in found.items() if lines})
            found = self._lines(world, named)
        placements = self.space.placements()
        for number, (name, spec) in enumerate(named.items(), start=first):
            if found[name]:
                self.failures.append(
                    f"case {number} of seed {self.seed}, round {self.round}: {json.dumps(spec)}\n  "
                    + "\n  ".join(found[name][:12])
                )
            if name in placements and len(self.answers) < KEPT:
                self.answers.append(Answer(number, spec, world, placements[name]))
        self.round += 1

    def _lines(self, world: World, named: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
        """What our two ways to an answer, from everything and as the modules read it, have against the controller's."""
        placements = self.space.placements()
        wds = cast("Cluster", Remembering(self.space.wds))
        found = {}
        for name, spec in named.items():
            if name not in placements:
                found[name] = ["the controller has not answered"]
                continue
            candidates, namespaces = resolution.read(wds, spec, api_groups=self.space.api_groups)
            read = World(candidates, (), namespaces, world.managed_clusters)
            found[name] = [
                f"{way}: {line}"
                for way, there in (("of all", world), ("as read", read))
                for line in differential.differences(Resolver().answer(spec, there), placements[name])
            ]
        return found


def forget(running: Running) -> None:
    """Delete the cluster of the WDS from the stack, with everything that is remembered of it."""
    stack = running.stack
    with stack.locked(_QUIETLY):
        state = State.load(stack)
        state.clusters.pop(WDS, None)
        for purpose in [purpose for purpose in state.ports if purpose.startswith(f"{WDS}/")]:
            del state.ports[purpose]
        state.save()
        kwok.remove(stack, WDS)
        clusters.write_merged(stack, state)
        for path in (stack.run / "kubeconfigs" / WDS, stack.run / f"kwok-{WDS}.yml"):
            path.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def space(stack) -> Iterator[Space]:
    """A WDS without transport, its controller-manager not started yet. Afterwards the stack is as it was."""
    its, hub = stack.cluster("its1"), stack.cluster("hub")
    binaries = Path(State.load(stack.stack).clusters["wds1"]["binaries"])
    arguments: dict[str, Any] = {
        "bootstrap_namespace": "kubeflex-system",
        "wait": True,
        "timeout": 120,
        "dry_run": False,
        "progress": _QUIETLY,
    }
    made = None
    try:
        clusters.bring_up(
            stack.stack, [kwok.Wanted(WDS, "wds")], {WDS: []}, binaries, _QUIETLY, check_mode=False
        )
        made = Space(stack, stack.cluster(WDS), its)
        wish = _control_plane.Wish(
            WDS,
            "wds",
            "external",
            bootstrap=lambda: _control_plane.read_bootstrap(stack.kubeconfig, None, WDS, fallback=WDS),
        )
        _control_plane.bring_about(hub, [wish], **arguments)
        # The controller brings its own definitions, but policies must be there before it starts.
        types = [
            {key: crd[key] for key in ("apiVersion", "kind", "spec")}
            | {"metadata": {"name": crd["metadata"]["name"]}}
            for crd in stack.cluster("wds1").list(CRDS).items
            if crd["spec"]["group"] == BINDING_POLICIES.group
        ]
        _bulk.raise_failures(_bulk.apply_all(made.wds, types), WDS)
        yield made
    finally:
        if made is not None:
            made.stop()
        for name in differential.FLEET:
            its.delete(MANAGED_CLUSTERS, name)
        _control_plane.remove(hub, [WDS], **arguments)
        forget(stack)


@pytest.fixture(scope="module")
def beginning(space) -> Questions:
    """The first round, played."""
    asked = Questions(space, SEED)
    asked.ask(0, differential.cases(CASES, SEED)[:FIRST])
    return asked


@pytest.fixture(scope="module")
def questions(beginning) -> Questions:
    """All rounds, played."""
    specs = differential.cases(CASES, SEED)
    for first in range(FIRST, len(specs), SLOTS):
        beginning.ask(first, specs[first : first + SLOTS])
    return beginning


@pytest.mark.core
def test_a_few_policies_place_what_the_controller_places(beginning):
    assert beginning.failures == [], "\n".join(beginning.failures[:20])
    assert len(beginning.answers) >= FIRST


def test_every_policy_places_what_the_controller_places(questions):
    assert questions.round == 1 + -(-(CASES - FIRST) // SLOTS)
    assert questions.failures == [], "\n".join(questions.failures[:20])
    assert len(questions.answers) == min(CASES, KEPT)


def test_the_cases_are_worth_asking(questions):
    answers = questions.answers
    found = [len(answer.placement.objects) for answer in answers]
    everything = len(answers[0].world.candidates)
    assert everything > 200
    assert sum(count == 0 for count in found) < 0.4 * len(found)
    assert sum(0 < count < 0.2 * everything for count in found) > 0.4 * len(found)
    assert sum(count > 0.9 * everything for count in found) > 0
    assert sum(
        0 < len(answer.placement.clusters) < len(differential.FLEET) for answer in answers
    ) > 0.3 * len(answers)
    kinds = {key[:2] for answer in answers for key in answer.placement.objects}
    assert len(kinds) > 40
    assert {(differential.COPIES, plural) for plural in ("deployments", "events", "nodes")} <= kinds
    assert not kinds & policy.EXCLUDED_RESOURCES
    bounds = [bound for answer in answers for bound in answer.placement.objects.values()]
    for position in (2, 4, 5):
        assert {bound[position] for bound in bounds} == {True, False}
    assert {len(bound.status_collectors) for bound in bounds} >= {0, 1, 2}


@pytest.mark.skipif(CASES < KEPT, reason=f"it takes {KEPT} cases to show every mistake")
@pytest.mark.parametrize("mistake", differential.WRONG)
def test_a_resolver_that_is_wrong_is_noticed(questions, mistake):
    found = differential.disagreements(questions.answers, differential.WRONG[mistake])
    assert next(iter(found), None) is not None, f"no case of {len(questions.answers)} shows that {mistake}"


def test_a_controller_for_some_api_groups_places_only_those(questions, space):
    specs = differential.cases(CASES, SEED)
    first = range(FIRST, len(specs), SLOTS)[-1] if len(specs) > FIRST else 0
    again = Questions(space, SEED, round=questions.round)
    try:
        space.api_groups = SOME_GROUPS
        again.ask_again(first, specs[first:])
    finally:
        space.api_groups = None
    assert again.failures == []
    groups = {key.group for answer in again.answers for key in answer.placement.objects}
    assert groups == {*SOME_GROUPS, CRDS.group}


def test_a_clause_of_empty_lists_alone_is_refused_as_the_controller_cannot_keep_it(questions, space):
    """It writes the policy back without what is empty, and the API server refuses the clause that is left."""
    spec = {"clusterSelectors": [{}], "downsync": [{"resources": []}]}
    space.stop()
    space.write("hollow", spec)
    try:
        space.start()
        space.wait_log("hollow", "must validate at least one schema")
        assert space.wds.get(BINDINGS, "hollow") is None
    finally:
        space.withdraw("hollow")
    with pytest.raises(InvalidInput, match="has no selector"):
        policy.check({"metadata": {"name": "hollow"}, "spec": spec})


def test_an_object_served_in_two_versions_freezes_the_binding(questions, space):
    """The controller takes it for two objects, which a Binding cannot list.

    There is no Binding, or one from before the controller saw the object a second time.
    """
    space.stop()
    _bulk.raise_failures(_bulk.apply_all(space.wds, differential.twins()), WDS)
    space.write("twins", {"downsync": [{"objectNames": ["both", "beside"]}]})
    try:
        space.start()
        said = space.wait_log("twins", "Duplicate value")
        _bulk.raise_failures(_bulk.apply_all(space.wds, [differential.beside("beta")]), WDS)
        # The first further error may be about the Binding without the new object.
        space.wait_log("twins", "Duplicate value", more_than=said + 1)
        bound = differential.placed(space.wds.get(BINDINGS, "twins"))
        assert ("", "configmaps", "beta", "beside") not in bound.objects
    finally:
        space.withdraw("twins")
        definition = f"twins.{differential.GROUP}"
        space.wds.delete(CRDS, definition)
        for namespace in ("alpha", "beta"):
            space.wds.delete(CONFIG_MAPS, "beside", namespace)
        eventually(lambda: space.wds.get(CRDS, definition) is None)
        eventually(lambda: all(one.plural != "twins" for one in space.wds.resources(refresh=True)))
