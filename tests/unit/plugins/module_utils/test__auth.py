# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
import yaml
from ansible_collections.kubestellar.core.plugins.doc_fragments._auth import ModuleDocFragment
from ansible_collections.kubestellar.core.plugins.module_utils._auth import (
    AUTH_SPEC,
    GUARD_SPEC,
    resolve,
    space_spec,
)
from ansible_collections.kubestellar.core.plugins.module_utils._errors import InvalidInput

AWX = {"K8S_AUTH_HOST": "https://other:6443", "K8S_AUTH_API_KEY": "secret", "K8S_AUTH_VERIFY_SSL": "False"}


def test_options_given_environment_contributes_nothing():
    auth = resolve({"kubeconfig": "/etc/hub", "context": "hub"}, AWX, in_cluster=False)
    assert (auth.source, auth.kubeconfig, auth.context) == ("options", "/etc/hub", "hub")
    assert auth.host is None and auth.api_key is None and auth.validate_certs is True


def test_environment_alone_is_used_as_a_whole():
    auth = resolve({}, AWX, in_cluster=True)
    assert (auth.source, auth.host, auth.api_key, auth.validate_certs) == (
        "environment",
        "https://other:6443",
        "secret",
        False,
    )


def test_environment_context_is_not_applied_to_an_explicit_kubeconfig():
    assert resolve({"kubeconfig": "/etc/hub"}, {"K8S_AUTH_CONTEXT": "prod"}, in_cluster=False).context is None


def test_in_cluster_is_the_last_way():
    assert resolve({}, {}, in_cluster=True).source == "in-cluster"


@pytest.mark.parametrize(
    ("params", "environ", "words"),
    [
        ({}, {}, "No connection to the hosting cluster"),
        ({"context": "hub"}, {}, "names a context but no kubeconfig"),
        ({"kubeconfig": "/a", "host": "https://b"}, {}, "mixes kubeconfig with host"),
        ({"kubeconfig": "/a", "api_key": "t"}, {}, "mixes kubeconfig with api_key"),
        ({"api_key": "t"}, {}, "but no host"),
        ({"proxy": "http://p"}, {}, "names no cluster"),
        ({"kubeconfig": 7}, {}, "must be a path"),
        ({}, {**AWX, "K8S_AUTH_KUBECONFIG": "/a"}, "environment (K8S_AUTH_*) mixes"),
        ({}, {**AWX, "K8S_AUTH_VERIFY_SSL": "flase"}, "neither true nor false"),
    ],
)
def test_half_or_mixed_connections_are_refused(params, environ, words):
    with pytest.raises(InvalidInput) as caught:
        resolve(params, environ, in_cluster=False)
    assert words in caught.value.result()["msg"]


def test_secrets_are_not_in_the_representation():
    assert "secret" not in repr(resolve({}, AWX, in_cluster=False))


def test_spec_and_documentation_agree():
    for spec, part in (
        ({**AUTH_SPEC, **GUARD_SPEC}, ModuleDocFragment.DOCUMENTATION),
        (space_spec("wds"), ModuleDocFragment.WDS),
        (space_spec("its"), ModuleDocFragment.ITS),
    ):
        documented = yaml.safe_load(part)["options"]
        assert set(documented) == set(spec)
        for name, option in spec.items():
            assert documented[name]["type"] == option["type"]
            assert documented[name].get("aliases", []) == option.get("aliases", [])
