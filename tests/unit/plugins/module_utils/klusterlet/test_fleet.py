# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which clusters are refused, and when one has what it needs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _bulk
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput, KubestellarError
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils.klusterlet import fleet, present
from ansible_collections.kubestellar.core.plugins.module_utils.klusterlet.fleet import Member, View
from ansible_collections.kubestellar.core.plugins.module_utils.klusterlet.hub import Hub, Known, Membership
from ansible_collections.kubestellar.core.plugins.module_utils.klusterlet.wishes import Place, Wish

NOW = 1000.0
SERVER = "https://its1.example.com:9443"
CA = "-----BEGIN CERTIFICATE-----ca-----END CERTIFICATE-----"
INSIDE = "https://" + "kubernetes.default.svc"
HUB = Hub(SERVER, CA, uids=frozenset({"hosting", "its"}))


def member(name: str = "c", uid: str = "u", **more: Any) -> Member:
    """A cluster that was looked at."""
    return Member(Wish(name, {}, **more), uid=uid)


def test_a_cluster_that_is_there_twice_is_refused_both_times():
    found = [member("a", "1"), member("b", "2"), member("c", "1"), member("d", "")]
    fleet.guard(found, None)
    assert [bool(one.error) for one in found] == [True, False, True, False]
    assert found[0].error == "a: its connection leads to the same cluster as that of c."


def test_the_hub_is_refused_unless_that_is_meant():
    found = [
        member("a", "hosting"),
        member("b", "its", is_hub=True),
        member("c", "3", is_hub=True),
        member("d", "4"),
    ]
    fleet.guard(found, HUB)
    assert "leads to the hub itself" in found[0].error
    assert "leads to another cluster" in found[2].error
    assert not found[1].error and not found[3].error
    same = [member("a", "hosting")]
    fleet.guard(same, None)
    assert not same[0].error


def test_a_wds_of_the_hub_is_refused():
    found = [member("a", "wds"), member("b", "4")]
    fleet.guard(
        found, Hub(SERVER, CA, uids=frozenset({"hosting"}), spaces={"wds": "wds1", "hosting": "wds2"})
    )
    assert "a: its connection leads to wds1, a WDS of the hub" in found[0].error and not found[1].error


@pytest.mark.parametrize(
    ("server", "refused"), [(SERVER, True), (f"{SERVER}/", True), ("https://other", False)]
)
def test_the_hub_in_a_bootstrap_kubeconfig_is_refused_too(server, refused):
    """Nothing more is known of the hub where no connection to it is given."""
    one = member("a", "u")
    one.cluster = SimpleNamespace(server=server)  # type: ignore[assignment]
    fleet.guard([one], None, Known(SERVER, "ca"))
    assert ("leads to the hub itself" in one.error) is refused


def test_an_address_that_pods_cannot_reach_is_refused_unless_it_was_asked_for():
    local = View(Place(), hub=Hub("https://127.0.0.1:6443"))
    with pytest.raises(InvalidInput, match="c: its Pods cannot reach the hub at https://127.0.0.1:6443"):
        fleet.judge(member(), local, NOW)
    asked = member(endpoint="https://127.0.0.1:7443")
    fleet.judge(asked, local, NOW)
    assert "It is used since it was asked for." in asked.warnings[0]
    inside = View(Place(), hub=Hub("https://127.0.0.1:6443", inside=INSIDE))
    itself = member(is_hub=True)
    fleet.judge(itself, inside, NOW)
    assert itself.expected == Known(INSIDE) and not itself.warnings


def test_a_cluster_of_another_hub_is_refused_unless_it_is_to_change():
    one = member()
    one.membership = Membership("c", Known("https://other.example.com", "x"), None, NOW + 1)
    with pytest.raises(InvalidInput, match="it belongs to the hub at https://other.example.com"):
        fleet.judge(one, View(Place(), hub=HUB), NOW)
    fleet.judge(one, View(Place(), hub=HUB, change_hub=True), NOW)
    assert one.need


def test_a_second_klusterlet_is_refused():
    one = member()
    one.others = ("mine",)
    with pytest.raises(InvalidInput, match="it has the 1 Klusterlet mine already"):
        fleet.judge(one, View(Place(), hub=HUB), NOW)
    fleet.judge(one, View(Place("Hosted"), hub=HUB), NOW)


def test_a_cluster_that_the_hub_does_not_know_joins_again():
    one = member()
    known = Known(SERVER, CA)
    one.membership = Membership("c", known, known, NOW + 1)
    fleet.judge(one, View(Place(), hub=HUB, registered=frozenset({"c"})), NOW)
    assert not one.need and not one.rejoin
    fleet.judge(one, View(Place(), hub=HUB, registered=frozenset()), NOW)
    assert one.need and one.rejoin


def test_the_bootstrap_kubeconfig_says_what_the_hub_is_where_no_connection_does():
    view = View(Place(), fallback=Known(SERVER, "ca", "https://proxy"))
    assert fleet.expected_of(Wish("c", {}), view) == view.fallback
    assert fleet.expected_of(Wish("c", {}, "https://x"), view) == Known("https://x", "ca", "https://proxy")
    assert fleet.expected_of(Wish("c", {}), View(Place())) is None


def test_one_cluster_that_fails_does_not_stop_the_others_and_is_named():
    found = [member("a"), member("b"), member("c")]
    found[2].error = "before"
    done = []

    def work(one: Member) -> None:
        if one.name == "a":
            raise KubestellarError("a: it is broken.", hint="Mend it.", findings=[{"id": "x"}])
        done.append(one.name)

    fleet.each(found, work, 2)
    assert done == ["b"] and found[0].findings == [{"id": "x"}]
    with pytest.raises(KubestellarError) as caught:
        fleet.raise_failures(found, "set up", {"clusters": []})
    assert (
        caught.value.message == "2 of 3 clusters could not be set up: a, c. a: it is broken. Mend it. before"
    )
    fleet.raise_failures([member("b")], "set up", {})


def test_a_cluster_without_a_credential_is_refused_before_the_first_write():
    needy, ready = member("a"), member("b")
    needy.need = "it has not joined"
    present.check_needs([needy, ready], present.Plan(Place(), True))
    assert "a: it needs a credential to join with (it has not joined), and none is given." in needy.error
    assert not ready.error


def test_progress_tells_each_change_of_each_cluster_once(tmp_path):
    journal = fleet.Journal(Progress(str(tmp_path)))
    for name, text in (("a", "x"), ("a", "x"), ("b", "x"), ("a", "y")):
        journal.tell(name, text)
    lines = (tmp_path / "kubestellar-progress").read_text().splitlines()
    assert [line.partition(" (")[0] for line in lines] == ["a: x", "b: x", "a: y"]


# -- waiting -----------------------------------------------------------------------------------------------------------


def deployment(ready: int = 1) -> dict[str, Any]:
    """A Deployment with so many of one replica."""
    conditions = [
        {"type": "Available", "status": "True" if ready else "False", "reason": "x", "message": "y"}
    ]
    counts = {"replicas": 1, "updatedReplicas": 1, "readyReplicas": ready, "availableReplicas": ready}
    return {
        "metadata": {"name": "d", "generation": 1},
        "spec": {"replicas": 1},
        "status": {"observedGeneration": 1, **counts, "conditions": conditions},
    }


def klusterlet(*conditions: tuple[str, str, str], observed: int = 2) -> dict[str, Any]:
    """A Klusterlet of generation 2."""
    found = [
        {"type": kind, "status": status, "reason": reason, "message": "why", "observedGeneration": observed}
        for kind, status, reason in conditions
    ]
    return {"metadata": {"generation": 2}, "status": {"observedGeneration": observed, "conditions": found}}


WELL = (("Applied", "True", "x"), ("Available", "True", "x"))
WAITING = ("HubConnectionDegraded", "True", "BootstrapSecretFunctional,HubKubeConfigSecretMissing")


def lacking(
    live: Any, deployments: dict[str, Any], mode: str = "Singleton", joined: bool = False
) -> list[str]:
    """What a cluster lacks."""
    return present.lacking(live, deployments, present.Plan(Place(mode), True), "c", joined=joined)


def test_a_cluster_that_only_waits_to_be_accepted_lacks_nothing():
    running = {"klusterlet": deployment(), "klusterlet-agent": deployment()}
    assert lacking(klusterlet(*WELL, WAITING), running) == []


@pytest.mark.parametrize(
    ("live", "deployments", "text"),
    [
        (None, {"klusterlet": deployment()}, "its Klusterlet does not exist"),
        (klusterlet(*WELL), {"klusterlet-agent": deployment()}, "klusterlet does not exist"),
        (klusterlet(*WELL), {"klusterlet": deployment(0), "klusterlet-agent": deployment()}, "/klusterlet:"),
        (klusterlet(*WELL), {"klusterlet": deployment()}, "klusterlet-agent does not exist"),
        (
            klusterlet(*WELL, observed=1),
            {"klusterlet": deployment(), "klusterlet-agent": deployment()},
            "not applied it yet",
        ),
        (
            klusterlet(("Applied", "False", "KlusterletApplyFailed")),
            {"klusterlet": deployment(), "klusterlet-agent": deployment()},
            "cannot apply it: KlusterletApplyFailed: why",
        ),
        (
            klusterlet(("Applied", "True", "x"), ("Available", "False", "NoAvailablePods")),
            {"klusterlet": deployment(), "klusterlet-agent": deployment()},
            "not Available: NoAvailablePods",
        ),
        (
            klusterlet(
                *WELL, ("HubConnectionDegraded", "True", "BootstrapSecretError,HubKubeConfigSecretMissing")
            ),
            {"klusterlet": deployment(), "klusterlet-agent": deployment()},
            "does not get to the hub: BootstrapSecretError",
        ),
    ],
)
def test_what_a_cluster_lacks_is_said(live: Any, deployments: dict[str, Any], text: str):
    found = lacking(live, deployments)
    assert any(text in lack for lack in found), found


@pytest.mark.parametrize(
    ("message", "told", "remedy"),
    [
        (
            (
                'Failed to create &X{} with bootstrap secret "a" "bootstrap-hub-kubeconfig": Post "https://x/y": dial tcp 10.0.0.1:1: '
                "i/o timeout\nFailed to get hub kubeconfig"
            ),
            'BootstrapSecretError: Post "https://x/y": dial tcp 10.0.0.1:1: i/o timeout',
            "wec_hub_endpoint",
        ),
        (
            'Failed to create &SelfSubjectAccessReview{} with bootstrap secret "a" "bootstrap-hub-kubeconfig": Unauthorized',
            "BootstrapSecretError: Unauthorized",
            "join_credentials",
        ),
        ("something else", "BootstrapSecretError: something else", "wec_hub_endpoint"),
    ],
)
def test_why_a_cluster_does_not_get_to_the_hub_is_said_with_the_remedy(message: str, told: str, remedy: str):
    live = klusterlet(
        *WELL, ("HubConnectionDegraded", "True", "BootstrapSecretError,HubKubeConfigSecretMissing")
    )
    live["status"]["conditions"][-1]["message"] = message
    text, hint = present.hub_trouble(live)
    assert text == f"it does not get to the hub: {told}" and remedy in hint
    assert present.hub_trouble(klusterlet(*WELL, WAITING)) == ("", "")


def test_the_work_agent_of_two_is_waited_for_only_after_the_join():
    idle = {"klusterlet": deployment(), "klusterlet-registration-agent": deployment()}
    live = klusterlet(("Applied", "True", "x"), ("Available", "False", "NoAvailablePods"), WAITING)
    assert lacking(live, idle, "Default") == []
    assert lacking(live, idle, "Default", joined=True) != []


def test_only_a_cluster_that_needs_it_gets_the_credential():
    plan = present.Plan(Place(), True, dry_run=True)
    one = member()
    kinds = [obj["kind"] for obj in present.definitions(one, plan)]
    assert kinds == ["Namespace", "Namespace", "Klusterlet"]
    one.need = "it has not joined"
    assert [obj["kind"] for obj in present.definitions(one, plan)] == [
        "Namespace",
        "Namespace",
        "Secret",
        "Klusterlet",
    ]


def test_a_result_says_what_was_done():
    one = member()
    one.outcomes = [
        _bulk.Outcome("v1", "Namespace", None, "x", "create"),
        _bulk.Outcome("v1", "Secret", "x", "y", "update"),
    ]
    one.fail(KubestellarError("broken", hint="mend"))
    told = one.result(Place(), NOW)
    assert (told["method"], told["changed"], told["error"], told["hint"]) == (
        "update",
        True,
        "broken",
        "mend",
    )
    one.outcomes = one.outcomes[:1]
    assert one.result(Place(), NOW)["method"] == "create"
