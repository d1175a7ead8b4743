"""A real HTTPS server on the loopback that misbehaves as told: cuts, refuses, redirects."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest


@dataclass
class Behaviour:
    """What the server does, request by request; and what it was asked."""

    content: bytes = b""
    cuts: list[int] = field(default_factory=list)
    """For each request to come: bytes to send before the connection is cut; -1: all."""
    statuses: list[int] = field(default_factory=list)
    """For each request to come: an error to answer with; 200: none."""
    location: str | None = None
    """Redirect there."""
    length: bool = True
    """Whether it says the length beforehand; without, the end of the connection ends the file."""
    asked: list[dict[str, str]] = field(default_factory=list)
    """Headers of every request."""


class Handler(BaseHTTPRequestHandler):
    """One GET at a time."""

    behaviour: Behaviour

    def do_GET(self) -> None:
        """Answer as `behaviour` says."""
        told = self.behaviour
        told.asked.append(dict(self.headers.items()))
        status = told.statuses.pop(0) if told.statuses else 200
        if told.location is not None:
            self.send_response(302)
            self.send_header("Location", told.location)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if status != 200:
            self.send_error(status)
            return
        body = told.content
        self.send_response(200)
        if told.length:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        cut = told.cuts.pop(0) if told.cuts else -1
        self.wfile.write(body if cut < 0 else body[:cut])
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@dataclass
class Server:
    """The server's address, its behaviour, and a context that trusts it."""

    url: str
    behaviour: Behaviour
    context: ssl.SSLContext


def make_certificate(folder: Path) -> Path:
    """A self-signed certificate for 127.0.0.1, with its key, in one file."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl to make a certificate with")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run([openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True)
    both = folder / "both.pem"
    both.write_bytes(key.read_bytes() + certificate.read_bytes())
    return both


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is part of the tests."""


def serve(certificate: Path) -> tuple[_Quiet, Server]:
    """Start a server on a free port; shut it down and close it afterwards."""
    behaviour = Behaviour()
    handler = type("ToldHandler", (Handler,), {"behaviour": behaviour})
    server = _Quiet(("127.0.0.1", 0), handler)
    inside = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    inside.load_cert_chain(certificate)
    server.socket = inside.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    url = f"https://127.0.0.1:{server.server_port}/models/tiny.tflite"
    return server, Server(url, behaviour, ssl.create_default_context(cafile=str(certificate)))
