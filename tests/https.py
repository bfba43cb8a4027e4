# Copyright: (c) 2026, kubestellar.core contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server on the loopback with a certificate of an authority of its own, for tests of what is fetched."""

from __future__ import annotations

import base64
import contextlib
import datetime
import ipaddress
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"


@dataclass
class Site:
    """What is served.

    :ivar url: its root, without a slash at the end.
    :ivar authority: file with the certificate of its authority.
    :ivar asked: the paths that were asked for.
    """

    url: str
    authority: Path
    asked: list[str] = field(default_factory=list)


@contextlib.contextmanager
def serving(
    folder: Path,
    files: Mapping[str, bytes],
    *,
    redirects: Mapping[str, str] | None = None,
    login: str = "",
    tls: bool = True,
    types: Mapping[str, str] | None = None,
) -> Iterator[Site]:
    """Serve files by their paths.

    :param folder: for the certificates.
    :param redirects: path to where it leads.
    :param login: name and password with a colon between, without which nothing is served.
    :param types: path to its media type.
    :param tls: false for a site that nobody should trust.
    """
    wanted = f"Basic {base64.b64encode(login.encode()).decode()}" if login else None
    site = Site("", folder / "authority.pem")

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            site.asked.append(self.path)
            place = (redirects or {}).get(self.path)
            body = files.get(self.path)
            if wanted and self.headers.get("Authorization") != wanted:
                self.send_error(401)
            elif place:
                self.send_response(302)
                self.send_header("Location", place)
                self.end_headers()
            elif body is None:
                self.send_error(404)
            else:
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Content-Type", (types or {}).get(self.path, "application/octet-stream"))
                self.end_headers()
                if self.command == "HEAD":
                    return
                with contextlib.suppress(OSError):  # who has heard enough hangs up
                    self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer((HOST, 0), Handler)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*_certificate(folder))
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    site.url = f"{'https' if tls else 'http'}://{HOST}:{server.server_address[1]}"
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _certificate(folder: Path) -> tuple[Path, Path]:
    """Files with the certificate of the server and its key; that of its authority is beside them."""
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
    authority = _signed(issuer, issuer, authority_key, authority_key, ca=True)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "site")])
    certificate = _signed(subject, issuer, key, authority_key, ca=False)
    pem = serialization.Encoding.PEM
    (folder / "authority.pem").write_bytes(authority.public_bytes(pem))
    (folder / "site.pem").write_bytes(certificate.public_bytes(pem))
    (folder / "site.key").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "site.pem", folder / "site.key"


def _signed(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    *,
    ca: bool,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    if not ca:
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(signer, hashes.SHA256())
