"""What an encrypted connection needs: whom to believe, our own certificate, TLS 1.2 or newer."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

from edge.errors import SettingsError
from edge.settings import MqttSettings
from edge.sinks.mqtt.secrets import find_key, read_file

INSECURE = "mqtt.tls_insecure: any certificate is believed; whoever is on the way can pose as the broker"
"""A warning that is logged at every start, and told by `check`."""


class _Context(ssl.SSLContext):
    """Closes a socket whose handshake failed, which paho leaves to the garbage collector."""

    def wrap_socket(self, sock: socket.socket, server_side: bool = False, do_handshake_on_connect: bool = True,
                    suppress_ragged_eofs: bool = True, server_hostname: str | bytes | None = None,
                    session: ssl.SSLSession | None = None) -> ssl.SSLSocket:
        """Wrap a socket and shake hands; where that fails, the socket is closed. Raises OSError."""
        line = super().wrap_socket(sock, server_side, False, suppress_ragged_eofs, server_hostname, session)
        try:
            line.do_handshake()
        except BaseException:
            line.close()
            raise
        return line


def tls_context(settings: MqttSettings) -> ssl.SSLContext | None:
    """How to encrypt and whom to believe; None without TLS. Each connection makes its own, from renewed
    files.

    Raises SettingsError for a file that is missing or holds something else, or a key that others can read.
    """
    if not settings.tls:
        return None
    context = _Context(ssl.PROTOCOL_TLS_CLIENT)  # verifies certificate and host name unless told otherwise
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION  # so that sending never waits for something to be received
    if settings.tls_insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif settings.tls_ca_file:
        _believe(context, "tls_ca_file", settings.tls_ca_file, "a PEM file of the CA that signed the broker's certificate")
    else:
        context.load_default_certs()
    if settings.tls_certificate_file:
        _show(context, settings)
    return context


def last_words(line: object, error: BaseException) -> BaseException:
    """The broker's reason, where `error` only says that the broker hung up; else `error`.

    In TLS 1.3 the broker judges our certificate after we have begun to send; its reason is still unread.
    """
    if isinstance(line, ssl.SSLSocket) and isinstance(error, ssl.SSLEOFError | ConnectionError):
        try:
            line.recv(1)
        except OSError as said:
            return said if "ALERT" in (getattr(said, "reason", "") or "") else error
    return error


def _believe(context: ssl.SSLContext, key: str, file: str, wanted: str) -> None:
    """Believe the certificates in a file. Raises SettingsError about [mqtt] `key` where it holds none."""
    thing = f"[mqtt] {key} {file}"
    read_file(thing, Path(file), wanted, secret=False)  # OpenSSL's own words for a file that it cannot read do not name it
    try:
        context.load_verify_locations(cafile=file)
    except ssl.SSLError as error:
        raise SettingsError(thing, found="no certificate", wanted=wanted) from error


def _show(context: ssl.SSLContext, settings: MqttSettings) -> None:
    """Our certificate and its key."""
    file = settings.tls_certificate_file
    _believe(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), "tls_certificate_file", file, "a PEM file of our certificate")
    thing, key = find_key(settings)

    def no_passphrase() -> str:  # else OpenSSL asks the terminal
        raise SettingsError(thing, found="an encrypted key", wanted="one without a passphrase")

    try:
        context.load_cert_chain(file, key, no_passphrase)
    except SettingsError:
        raise
    except OSError as error:
        found = "the key of another certificate" if getattr(error, "reason", "") == "KEY_VALUES_MISMATCH" else "no key"
        raise SettingsError(thing, found=found, wanted="a PEM file of the key of mqtt.tls_certificate_file") from error
