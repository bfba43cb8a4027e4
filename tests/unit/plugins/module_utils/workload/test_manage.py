# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order a workload is brought about."""

from __future__ import annotations

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils import _bulk
from ansible_collections.kubestellar.core.plugins.module_utils._errors import ApiError, KubestellarError
from ansible_collections.kubestellar.core.plugins.module_utils._progress import Progress
from ansible_collections.kubestellar.core.plugins.module_utils._resources import CONFIG_MAPS, Resource
from ansible_collections.kubestellar.core.plugins.module_utils.workload import manage

HOOKS = Resource(
    "admissionregistration.k8s.io",
    "v1",
    "validatingwebhookconfigurations",
    "ValidatingWebhookConfiguration",
    False,
)
SERVICES = Resource("apiregistration.k8s.io", "v1", "apiservices", "APIService", False)


def live(resource, name, **more):
    return resource, {"metadata": {"name": name, "uid": f"uid-{name}"}, **more}


class Server:
    """Refuses everything as long as its webhook is configured. :ivar written: what it was sent, in order."""

    name = "wds1"

    def __init__(self):
        self.written = []
        self.hooked = True

    def get(self, resource, name, namespace=None):
        return {"metadata": {"name": name}, "webhooks": [{"name": "hook.hunt.example.com"}]}

    def delete(self, resource, name, namespace=None, uid=None):
        self.hooked = self.hooked and resource is not HOOKS
        self.written.append(("delete", name))
        return True

    def apply(self, resource, want, *, field_manager, force, dry_run):
        if self.hooked:
            message = 'failed calling webhook "hook.hunt.example.com": no endpoints available'
            raise ApiError(message, status=500)
        if not dry_run:
            self.written.append(("apply", want["metadata"]["name"]))
        return {**want, "metadata": {**want["metadata"], "uid": "u"}}


def batch_on(server, leaving):
    want = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "hooked", "namespace": "hunt"}}
    batch = _bulk.Batch.__new__(_bulk.Batch)
    batch.__dict__.update(
        _cluster=server, _field_manager="m", _workers=1, _progress=Progress(None), _new_namespaces=set()
    )
    batch.targets = [_bulk.Target(want, CONFIG_MAPS, _bulk.Outcome("v1", "ConfigMap", "hunt", "hooked"))]
    workload = manage.Workload.__new__(manage.Workload)
    workload.__dict__.update(_wds=server)
    first, later = manage._first(leaving)
    batch.unhooked = workload._webhooks(first)
    return batch, first, later


def test_what_stops_requests_is_removed_before_anything_is_sent():
    server = Server()
    gone = [live(CONFIG_MAPS, "old"), live(HOOKS, "hunt-hook"), live(SERVICES, "v1beta1.gauges.example.com")]
    batch, first, later = batch_on(server, gone)
    assert [obj["metadata"]["name"] for _r, obj in first] == ["hunt-hook", "v1beta1.gauges.example.com"]
    batch.attempt(most=10)
    assert not batch.outcomes[0].error and not server.written
    _bulk.delete_all(server, first)
    batch.apply()
    _bulk.delete_all(server, later)
    assert [verb for verb, _name in server.written] == ["delete", "delete", "apply", "delete"]
    assert server.written[-1] == ("delete", "old")


def test_a_webhook_that_stays_still_refuses():
    batch, _first, _later = batch_on(Server(), [live(CONFIG_MAPS, "old")])
    batch.attempt(most=10)
    with pytest.raises(KubestellarError, match="hook.hunt.example.com"):
        _bulk.raise_failures(batch.outcomes, "wds1")


@pytest.mark.parametrize("kind", sorted(_bulk.LATE))
def test_what_comes_last_goes_first(kind):
    assert _bulk._stage(kind) > max(_bulk._stage(other) for other in ("Namespace", "ConfigMap", "Deployment"))
