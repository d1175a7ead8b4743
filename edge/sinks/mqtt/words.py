"""Words for what goes wrong with a connection: errors of the network and of TLS, and what to mend."""

from __future__ import annotations

import re
import socket
import ssl
from datetime import UTC, datetime
from typing import NamedTuple

from edge.settings import MqttSettings

LOST, UNSUPPORTED = "connection lost", "unsupported protocol version"
BROKER_WANTED = "an MQTT broker at mqtt.host and mqtt.port"
LOGIN_WANTED = "mqtt.user and mqtt.password_file as the broker knows them"
CA_WANTED = "the CA that signed its certificate in mqtt.tls_ca_file"
PORT_WANTED = "the port on which the broker speaks TLS (mqtt.port, often 8883)"
CERTIFICATE_WANTED = "a certificate that the broker knows in mqtt.tls_certificate_file, with its key"


class Trouble(NamedTuple):
    """What was found instead of a broker, and what was wanted."""

    found: str
    wanted: str


def refusal_words(reason: str, version: str) -> str:
    """Why a broker refused the connection. reason: MQTT's own word for it."""
    if reason == UNSUPPORTED:
        return f"refused: it does not speak MQTT {version}; set mqtt.protocol = \"auto\""
    return f"refused: {reason}"


def network_words(error: Exception, timeout_seconds: float) -> str:
    """Why there is no connection."""
    if isinstance(error, socket.gaierror):
        return "host name not found"
    if isinstance(error, TimeoutError):
        return f"no answer within {timeout_seconds:g} s"
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    return f"not a host name ({error})"


def lost_words(settings: MqttSettings, *, answered: bool, young: bool) -> str:
    """Why a connection ended without a word. answered: the broker had accepted it; young: just before."""
    if answered:
        return LOST + (" soon after it was made (another device with this device.name?)" if young else "")
    hints = [] if settings.protocol == "auto" else ["mqtt.protocol = \"auto\""]
    if not settings.tls:
        hints.append("mqtt.tls = true")
    elif not settings.tls_certificate_file:
        hints.append("mqtt.tls_certificate_file")
    return "connection closed instead of an answer" + (f" ({' or '.join(hints)} may help)" if hints else "")


def end_words(reason: str, settings: MqttSettings, *, from_broker: bool) -> str:
    """Why a connection ended. reason: MQTT's own word for it; from_broker: whether the broker said so."""
    if from_broker:
        hint = " (another device with this device.name?)" if reason == "session taken over" else ""
        return f"closed by the broker: {reason}{hint}"
    return f"no sign of life for {settings.keepalive_seconds} s" if reason == "keep alive timeout" else LOST


def tls_trouble(error: BaseException | None, *, host: str, shaking_hands: bool) -> Trouble | None:
    """What went wrong in TLS, or None where something else did.

    shaking_hands: the connection was not encrypted yet, so its end may mean that the port does not speak TLS.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return _verification(error, host)
    hung_up = ssl.SSLEOFError | ssl.SSLZeroReturnError
    if shaking_hands and isinstance(error, hung_up | ConnectionResetError | BrokenPipeError):
        return Trouble("connection closed instead of a TLS handshake (no TLS on this port?)", PORT_WANTED)
    if not isinstance(error, ssl.SSLError) or isinstance(error, hung_up):
        return None
    reason = error.reason or ""
    if reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNEXPECTED_MESSAGE", "RECORD_LAYER_FAILURE"):
        return Trouble("no TLS on this port", PORT_WANTED)
    if reason in ("UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION"):
        return Trouble("no TLS 1.2 or later", "a broker that speaks TLS 1.2 or later")
    if reason == "TLSV13_ALERT_CERTIFICATE_REQUIRED":
        return Trouble("it demands a certificate of us", CERTIFICATE_WANTED)
    if reason == "SSLV3_ALERT_HANDSHAKE_FAILURE":
        return Trouble("TLS handshake refused (it may demand a certificate of us)", CERTIFICATE_WANTED)
    alert = re.fullmatch(r"(?:SSLV3|TLSV1|TLSV13)_ALERT_(\w+)", reason)
    if alert is not None and any(word in reason for word in ("CERTIFICATE", "UNKNOWN_CA", "ACCESS_DENIED", "DECRYPT")):
        return Trouble(f"it refuses our certificate: {_lower(alert[1])}", CERTIFICATE_WANTED)
    return Trouble(f"TLS: {_lower(reason) or str(error).lower()}", "a broker that speaks TLS 1.2 or later")


def _verification(error: ssl.SSLCertVerificationError, host: str) -> Trouble:
    """Why a certificate is not believed. The numbers are X509_V_ERR_* of OpenSSL's x509_vfy.h."""
    code, words = error.verify_code, error.verify_message or str(error)
    today = f"(by this board's clock: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC)"
    if code == 9:
        return Trouble(f"a certificate that is not yet valid {today}", "a valid certificate, and a clock that is right")
    if code == 10:
        return Trouble(f"an expired certificate {today}", "a valid certificate, and a clock that is right")
    if code in (62, 64):
        return Trouble(f"a certificate for another host than {host}", "mqtt.host as the broker's certificate names it")
    if code in (18, 19, 20, 21):
        return Trouble(f"a certificate of an unknown CA ({words})", CA_WANTED)
    return Trouble(f"a certificate that cannot be believed ({words})", CA_WANTED)


def _lower(reason: str) -> str:
    return reason.replace("_", " ").lower()
