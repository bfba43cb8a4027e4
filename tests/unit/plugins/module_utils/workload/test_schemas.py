# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects against schemas, which are written as Kubernetes 1.34 publishes them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils.workload import schemas

_PORT = {
    "type": "object",
    "properties": {
        "port": {"type": "integer", "format": "int32"},
        "name": {"type": "string"},
        "targetPort": {"allOf": [{"$ref": "#/components/schemas/IntOrString"}]},
        "protocol": {"type": "string", "enum": ["SCTP", "TCP", "UDP"]},
    },
    "required": ["port"],
}
DOCUMENT = {
    "components": {
        "schemas": {
            "IntOrString": {"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]},
            "Raw": {"type": "object"},
            "Port": _PORT,
            "Meta": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "labels": {"type": "object", "additionalProperties": {"type": "string", "default": ""}},
                },
            },
            "Service": {
                "type": "object",
                "x-kubernetes-group-version-kind": [{"group": "", "version": "v1", "kind": "Service"}],
                "properties": {
                    "apiVersion": {"type": "string"},
                    "kind": {"type": "string"},
                    "metadata": {"allOf": [{"$ref": "#/components/schemas/Meta"}], "default": {}},
                    "spec": {
                        "type": "object",
                        "properties": {
                            "ports": {
                                "type": "array",
                                "items": {"allOf": [{"$ref": "#/components/schemas/Port"}], "default": {}},
                            },
                            "publish": {"type": "boolean"},
                            "ratio": {"type": "number"},
                            "raw": {"$ref": "#/components/schemas/Raw"},
                            "any": {"description": "JSON"},
                        },
                    },
                },
            },
        }
    }
}
CRD = {
    "spec": {
        "group": "example.com",
        "names": {"kind": "Widget"},
        "versions": [
            {
                "name": "v1",
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "required": ["spec"],
                        "properties": {
                            "spec": {
                                "type": "object",
                                "required": ["size", "kept"],
                                "properties": {
                                    "size": {
                                        "x-kubernetes-int-or-string": True,
                                        "anyOf": [{"type": "integer"}],
                                    },
                                    "kept": {"type": "string", "default": "x"},
                                    "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                                    "pod": {
                                        "type": "object",
                                        "x-kubernetes-embedded-resource": True,
                                        "properties": {"spec": {"type": "object"}},
                                    },
                                },
                            }
                        },
                    }
                },
            }
        ],
    }
}


def problems(**spec: Any) -> list[str]:
    known = schemas.Schemas()
    known.add_document(DOCUMENT)
    return known.problems({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}, "spec": spec})


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"ports": []},
        {"ports": [{"port": 80, "targetPort": 80}, {"port": 80.0, "targetPort": "http", "protocol": "TCP"}]},
        {"ports": [{"name": "no port, which the server judges", "protocol": ""}]},
        {"raw": {"a": {"b": [1]}}, "any": [1, {"x": None}], "ratio": 0.5, "publish": False},
        {"ports": None},
    ],
)
def test_what_the_server_takes_is_no_problem(spec):
    assert problems(**spec) == []


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"prots": []}, ".spec.prots is no field that this kind has"),
        ({"ports": {}}, ".spec.ports is {}, not a list"),
        ({"ports": [{"port": "80"}]}, ".spec.ports[0].port is '80', not an integer"),
        ({"ports": [{"port": 80.5}]}, ".spec.ports[0].port is 80.5, not an integer"),
        ({"ports": [{"port": True}]}, ".spec.ports[0].port is True, not an integer"),
        ({"ports": [{}, {"hots": 1}]}, ".spec.ports[1].hots is no field that this kind has"),
        ({"ports": [{"name": 1}]}, ".spec.ports[0].name is 1, not a text"),
        ({"ports": [{"protocol": "tcp"}]}, ".spec.ports[0].protocol is 'tcp', not one of SCTP, TCP, UDP"),
        ({"publish": "yes"}, ".spec.publish is 'yes', not true or false"),
        ({"raw": "text"}, ".spec.raw is 'text', not a mapping"),
    ],
)
def test_what_the_server_refuses_is_told_with_its_place(spec, expected):
    assert problems(**spec) == [expected]


def test_five_problems_of_an_object_are_enough():
    assert len(problems(**{f"x{number}": 1 for number in range(9)})) == 5


def test_a_label_must_be_a_text():
    known = schemas.Schemas()
    known.add_document(DOCUMENT)
    obj = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x", "labels": {"a": 1}}}
    assert known.problems(obj) == [".metadata.labels.a is 1, not a text"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"spec": {"size": "3"}}, []),
        (
            {
                "spec": {
                    "size": 3,
                    "free": {"x": {"y": 1}},
                    "pod": {"apiVersion": "v1", "kind": "Pod", "spec": {}},
                }
            },
            [],
        ),
        ({}, [".spec is missing"]),
        ({"spec": {}}, [".spec.size is missing"]),
        ({"spec": {"size": 1, "pod": {"sepc": {}}}}, [".spec.pod.sepc is no field that this kind has"]),
        ({"spec": {"size": 1}, "extra": 1}, [".extra is no field that this kind has"]),
    ],
)
def test_a_resource_is_held_against_the_definition_that_comes_with_it(body, expected):
    known = schemas.Schemas()
    known.add_definition(CRD)
    widget = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, **body}
    assert known.problems(widget) == expected


def test_without_a_schema_nothing_is_said():
    assert schemas.Schemas().problems({"apiVersion": "v9", "kind": "X", "what": "ever"}) == []
