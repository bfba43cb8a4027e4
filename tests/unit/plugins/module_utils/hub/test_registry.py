# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rule by which images and charts get their place in the registry of a site."""

from __future__ import annotations

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput
from ansible_collections.kubestellar.core.plugins.module_utils.hub.registry import Registry, full, split
from hypothesis import given
from hypothesis import strategies as st

ONE = Registry.of("registry.example.com:5000/mirror")

HOSTS = st.sampled_from(
    ["", "quay.io/", "ghcr.io/", "docker.io/", "localhost/", "r.example.com:5000/", "registry.example.com/"]
)
PATHS = st.lists(st.from_regex(r"[a-z0-9]+(-[a-z0-9]+)?", fullmatch=True), min_size=1, max_size=3).map(
    "/".join
)
TAGS = st.sampled_from(["", ":v1.0.0", ":1", "@sha256:" + "0" * 64, ":"])
REFERENCES = st.tuples(HOSTS, PATHS, TAGS).map("".join)
PREFIXES = st.sampled_from(
    ["", "registry.example.com", "r.example.com:5000/a/b", "ghcr.io/site", "quay.io", "localhost"]
)
REGISTRIES = st.builds(
    Registry.of,
    PREFIXES,
    st.dictionaries(st.sampled_from(["quay.io", "ghcr.io", "docker.io"]), PREFIXES.filter(bool)),
)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (
            "quay.io/kubestellar/kubectl:1.32.13",
            "registry.example.com:5000/mirror/kubestellar/kubectl:1.32.13",
        ),
        ("rancher/kine:v0.11.4", "registry.example.com:5000/mirror/rancher/kine:v0.11.4"),
        ("bash:5", "registry.example.com:5000/mirror/library/bash:5"),
        ("index.docker.io/library/bash:5", "registry.example.com:5000/mirror/library/bash:5"),
        ("localhost:5000/a/b", "registry.example.com:5000/mirror/a/b"),
        ("quay.io/open-cluster-management", "registry.example.com:5000/mirror/open-cluster-management"),
        ("oci://ghcr.io/kubestellar/chart", "oci://registry.example.com:5000/mirror/kubestellar/chart"),
        ("registry.example.com:5000/mirror/a/b:1", "registry.example.com:5000/mirror/a/b:1"),
        ("registry.example.com:5000/mirrored/b:1", "registry.example.com:5000/mirror/mirrored/b:1"),
    ],
)
def test_a_reference_has_its_place_in_the_registry(source, target):
    assert ONE.target(source) == target


def test_hosts_have_registries_of_their_own_and_the_others_the_one_for_all_or_none():
    both = Registry.of(
        "r.example.com/all", {"quay.io": "r.example.com/quay", "registry-1.docker.io": "r.example.com/hub"}
    )
    assert both.target("quay.io/a/b:1") == "r.example.com/quay/a/b:1"
    assert both.target("ghcr.io/a/b:1") == "r.example.com/all/a/b:1"
    assert both.target("a/b:1") == "r.example.com/hub/a/b:1"
    only = Registry.of("", {"quay.io": "r.example.com/quay/"})
    assert only.target("quay.io/a/b:1") == "r.example.com/quay/a/b:1"
    assert only.target("ghcr.io/a/b:1") == "ghcr.io/a/b:1"
    assert (only.place_of("quay.io"), only.place_of("ghcr.io")) == ("r.example.com/quay", "ghcr.io")
    assert only and not Registry.of("", {}) and not Registry.of(None)


@given(REGISTRIES, REFERENCES)
def test_doing_it_twice_is_doing_it_once_and_the_path_stays(registry, reference):
    once = registry.target(reference)
    assert registry.target(once) == once
    assert once == reference or once.endswith("/" + split(reference)[1])


@given(REFERENCES)
def test_without_a_registry_nothing_changes(reference):
    assert Registry.of("").target(reference) == reference


@given(REFERENCES)
def test_a_full_reference_is_the_same_image(reference):
    assert split(full(reference)) == split(reference) and full(full(reference)) == full(reference)


@pytest.mark.parametrize(
    "wrong",
    [
        "https://registry.example.com",
        "registry.example.com/a:1",
        "Registry.example.com",
        "mirror",
        "mirror/a",
        "r.example.com//a",
        "r.example.com/a b",
        "r.example.com/{{ x }}",
        "r.example.com'/x",
        "r.example.com\n",
        5000,
    ],
)
def test_what_is_no_registry_is_refused_with_variable_and_remedy(wrong):
    with pytest.raises(InvalidInput, match="hub_registry is .*which is not a registry") as caught:
        Registry.of(wrong)
    assert "registry.example.com:5000/kubestellar" in caught.value.hint
    with pytest.raises(InvalidInput, match="that of quay.io is"):
        Registry.of("", {"quay.io": wrong})


def test_a_host_that_is_none_is_refused():
    with pytest.raises(InvalidInput, match="'https://quay.io' is not the host"):
        Registry.of("", {"https://quay.io": "r.example.com"})
    with pytest.raises(InvalidInput, match="that of quay.io is ''"):
        Registry.of("", {"quay.io": ""})
