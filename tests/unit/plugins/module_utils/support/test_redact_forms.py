# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The forms in which people and programs write secrets, and texts that look for the worst case of an expression."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from ansible_collections.kubestellar.core.plugins.module_utils.support.redact import Redactor

X = "Tr0ub4dor"
LONG = "Zk9" + "aB3xQ7mN" * 5

TEXTS = [
    f"password={X}",
    f"password: {X}",
    f"password : '{X}'",
    f'PASSWORD="{X}"',
    f"DB_PASS={X}",
    f"export PGPASSWORD={X}",
    f"dbPass: {X}",
    f"db-password={X}",
    f"--token {X}",
    f"--db-password {X} --host a",
    f"--db-password={X}",
    f"-token={X}",
    f"app --api-key '{X}' --v=2",
    f"curl -u me:{X} https://a",
    f"curl --user me:{X} https://a",
    f"curl -H 'Authorization: Basic {base64.b64encode(f'me:{X}'.encode()).decode()}' https://a",
    f"Authorization: Bearer {X}",
    f"authorization = Token {X}",
    f"X-Api-Key: {X}",
    f"https://{LONG}@github.com/a/b",
    f"https://me:{X}@host/a",
    f"https://me:{X}@more@host/a",
    f"https://me:a/{X}@host/a",
    f"postgres://me:{X}@db:5432/a?sslmode=off",
    f"redis://:{X}@cache:6379",
    f"amqp://me:{X}@mq",
    f"me:{X}@tcp(db:3306)/shop",
    f"jdbc:mysql://db/shop?user=me&password={X}",
    f"Server=db;User Id=me;Password={X};",
    f"AccountName=a;AccountKey={LONG}==;",
    f"https://blob.example/x?sv=1&sig={X}%3D",
    f"https://s3.example/x?X-Amz-Signature={LONG}",
    "https:" + f"//hooks.slack.com/services/T000/B000/{X}",
    f"ghp_{LONG}",
    f"github_pat_{LONG}_{LONG}",
    f"xoxb-1234567890-{LONG}",
    f"xapp-1-{LONG}",
    f"glpat-{LONG}",
    f"npm_{LONG}",
    f"hf_{LONG}",
    f"sk-proj-{LONG}",
    f"sk_live_{LONG}",
    f"AIza{LONG}",
    f"ya29.{LONG}",
    f"SG.{LONG}.{LONG}",
    f"hvs.{LONG}",
    f"dop_v1_{LONG}",
    f"pypi-{LONG}",
    f"eyJhbGciOiJIUzI1NiJ9.{LONG}.{LONG}",
    f"-----BEGIN OPENSSH PRIVATE KEY-----\n{LONG}\n-----END OPENSSH PRIVATE KEY-----",
    f"-----BEGIN PGP PRIVATE KEY BLOCK-----\n{LONG}\n-----END PGP PRIVATE KEY BLOCK-----",
    f"AGE-SECRET-KEY-1{'QPZRY9X8GF' * 5}{X.upper()}",
    f"password: |\n  {X}\n  more",
    f"a:\n  password: >-\n    {X}\n  b: 1",
    f"a:\n  token:\n    {X}\n  b: 1",
    f"<password>{X}</password>",
    f'<db:password type="text">{X}</db:password>',
    f'<property name="db.password" value="{X}"/>',
    f'{{"pass": "{X}"}}',
    f"{{'password': '{X}'}}",
    json.dumps(json.dumps({"password": X})),
    f":password => '{X}'",
    f"password%3D{X}",
    f"spring.datasource.password={X}",
    f"machine a login me password {X}",
    f"requirepass {X}",
    f"CREATE USER me IDENTIFIED BY '{X}'",
    f"db:5432:shop:me:{X}",
    f"me:$apr1${X}${LONG}",
    f"$2y$10${LONG}",
    f"{{SHA}}{LONG}=",
    f"Cookie: session={X}",
    f"encryption_key: {X}",
    f"client_secret={X}&grant_type=x",
    f"sshpass -p {X} ssh a",
    f"wifi psk={X}",
    f"clusters: []\nusers: [{{user: {{token: {X}}}}}]",
]
"""Each on its own, as a value of an annotation, in a ConfigMap, in a log and in a list of arguments."""

OBJECTS: list[dict[str, Any]] = [
    {"args": ["--token", X]},
    {"args": ["--db-password", X, "--host", "a"]},
    {"args": [f"--db-password={X}"]},
    {"command": ["sh", "-c", f"app --password {X}"]},
    {"command": ["curl", "-u", f"me:{X}"]},
    {"metadata": {"annotations": {"a": json.dumps({"pass": X})}}},
    {"metadata": {"annotations": {"a": json.dumps([{"args": ["--token", X]}])}}},
    {"metadata": {"annotations": {"a": json.dumps({"kind": "Secret", "data": {"x": X}})}}},
    {"kind": "ConfigMap", "data": {"DB_PASS": X}},
    {"kind": "ConfigMap", "data": {"dbPassword": X}},
    {"kind": "ConfigMap", "data": {"redis.pass": X}},
    {"kind": "ConfigMap", "data": {"credentials": X}},
    {"kind": "ConfigMap", "data": {"API-KEY": X}},
    {"kind": "ConfigMap", "data": {"connectionString": X}},
    {"kind": "List", "items": [{"kind": "Secret", "stringData": {"a": X}}]},
    {"env": [{"name": "A", "value": X}]},
    {"spec": {"values": {"db": {"password": X, "pass": X, "token": [X]}}}},
]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("place", ["text", "log", "annotation", "config", "argument"])
def test_no_form_of_a_secret_comes_through(text, place):
    redactor = Redactor()
    found = {
        "text": lambda: redactor.text(text),
        "log": lambda: redactor.text(f"first line\n2026-11-30T00:00:00Z said\n{text}\nlast line"),
        "annotation": lambda: redactor.object({"metadata": {"annotations": {"a": text}}}),
        "config": lambda: redactor.object({"kind": "ConfigMap", "data": {"app.conf": text}}),
        "argument": lambda: redactor.object({"args": ["--x", text]}),
    }[place]()
    shown = json.dumps(found)
    assert X not in shown and LONG not in shown and X.upper() not in shown


@pytest.mark.parametrize("obj", OBJECTS)
def test_no_place_of_a_secret_is_missed(obj):
    assert X not in json.dumps(Redactor().object(obj))


@pytest.mark.parametrize(
    "text",
    [
        "tests pass: all of them",
        "the compass points north",
        "image: registry.k8s.io/pause:3.10@sha256:" + "0" * 8,
        "https://a.example/@me/post",
        "12 Pods are ready",
        "secretName: web-tls",
        "basic setup is done",
    ],
)
def test_what_is_no_secret_stays(text):
    assert Redactor().text(text).partition(":")[0] == text.partition(":")[0]


WORST = {
    "a key's end": "A" * 200_000 + "!-----END RSA PRIVATE KEY-----",
    "words before a key's end": "A" * 20 + (" " + "A" * 20) * 5000 + "!-----END PRIVATE KEY-----",
    "many ends": "-----END PRIVATE KEY-----" * 8_000,
    "many beginnings": "-----BEGIN " * 20_000,
    "clusters": "clusters:" * 20_000,
    "users": " users: " * 20_000,
    "dots": "a." * 100_000,
    "addresses": "://" * 60_000,
    "addresses with colons": "a://b:" * 30_000,
    "at": "a://" + "@" * 100_000,
    "names": "password" * 20_000,
    "quotes": "password=" + '\\"' * 60_000,
    "backslashes": "password=" + "\\" * 100_000,
    "elements": "<password" * 20_000,
    "dashes": "--" * 100_000,
    "spaces": "authorization" + " " * 100_000,
    "bearer": "bearer" + " " * 100_000 + "token",
    "manifests": "kind: Secret\ndata:\n" * 8_000,
    "data": "kind: Secret\n" + "data:" * 40_000,
    "blocks": "password:\n" * 20_000,
    "flags": "--" * 50_000 + "token",
    "long flags": "--a-" * 50_000 + "token",
    "hashes": "$1$" * 50_000,
}


@pytest.mark.parametrize("text", WORST.values(), ids=WORST.keys())
def test_no_text_holds_a_bundle_up(text):
    """What is not linear does not end here."""
    redactor = Redactor()
    redactor.value(text)
    redactor.text(base64.b64encode(text[:20_000].encode()).decode())
