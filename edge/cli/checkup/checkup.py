"""`edge-audio check`: look at every part as `run` would use it; say what was found and what to do about it."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path

from edge.cli.checkup.finding import Finding
from edge.cli.checkup.journal import check_journal
from edge.cli.checkup.model import check_model
from edge.cli.checkup.pins import check_pins
from edge.cli.checkup.running import about_running, check_service
from edge.cli.checkup.source import check_source
from edge.control.commanded import Commanded, load_commanded
from edge.errors import EdgeError, SettingsError
from edge.settings import LogSettings, Settings
from edge.sinks.mqtt.connection import check_broker
from edge.sinks.mqtt.discovery import check_prefix
from edge.sinks.mqtt.secrets import secret_places
from edge.sinks.mqtt.tls import INSECURE
from edge.topics import Topics

PARTS = ("state", "model", "source", "broker", "pins", "commands", "log", "journal")
"""What can be looked at by itself. The targets belong to the model."""
SERVICE = "service"
"""A further part, only where it is named: the appliance that runs, asked about source, pins and broker."""


def check(settings: Settings, state_dir: Path, only: Collection[str] = PARTS) -> Iterator[Finding]:
    """Findings of the parts in `only`, each as soon as it is known. Pins go to their safe state and are given back."""
    if "state" in only:
        yield _state_dir(state_dir)
    commanded = load_commanded(state_dir, settings.commandable)
    if "model" in only:
        yield from check_model(settings, state_dir, commanded)
    if "source" in only:
        yield check_source(settings)
    if "broker" in only:
        yield from _broker(settings)
    if "pins" in only:
        yield check_pins(settings)
    if SERVICE in only:
        yield from check_service(state_dir, about_running(state_dir))
    if "commands" in only:
        yield _commands(settings, commanded)
    if "log" in only:
        yield _log(settings.log)
    if "journal" in only:
        yield from check_journal(settings, state_dir)


def _state_dir(folder: Path) -> Finding:
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    if nearest.is_dir() and os.access(nearest, os.W_OK):
        others = folder.exists() and folder.stat().st_mode & 0o077
        return Finding("state", True, f"{folder} can be written"
                       + (f"; other users can look into it (`chmod 700 {folder}` keeps them out)" if others else ""))
    return Finding("state", False, f"{folder} cannot be written",
                   "choose another with --state-dir or EDGE_AUDIO_STATE; without it nothing is kept across a restart")


def _commands(settings: Settings, commanded: Commanded) -> Finding:
    muted = "; muted: nothing is heard until it is unmuted" if commanded.muted else ""
    nowhere = "" if settings.mqtt.host or not settings.command.allow else ", but no broker brings them"
    allowed = f"allowed: {', '.join(settings.command.allow)}" if settings.command.allow else "none allowed"
    return Finding("commands", not muted, f"{allowed}{nowhere}{muted}",
                   "the mute button, or the command unmute over MQTT or the watch socket; a start with no mute button, no "
                   "mute in [command] allow and [watch] enabled = false hears too" if muted else "")


def _broker(settings: Settings) -> Iterator[Finding]:
    mqtt = settings.mqtt
    if not mqtt.host:
        yield Finding("broker", True, "none in the settings: nothing is sent", "")
        return
    if mqtt.tls_insecure:
        yield Finding("tls", False, INSECURE, "give the broker's CA in mqtt.tls_ca_file, and take tls_insecure out")
    elif mqtt.tls:
        yield Finding("tls", True, f"{mqtt.host} must prove who it is, by {mqtt.tls_ca_file or 'one of the system CAs'}")
    elif mqtt.user and not _loopback(mqtt.host):
        yield Finding("tls", True, "off: whoever is on the way to the broker can read the password and all messages")
    try:
        places, unseen = secret_places(mqtt)
    except SettingsError as error:
        yield Finding("secrets", False, str(error), "see [mqtt] user, password_file, password_credential and the tls_ keys")
        return
    if places:
        yield Finding("secrets", True, f"{' and '.join(places)}, for nobody else to read")
    if unseen:
        yield Finding("secrets", True, f"not looked at: {' and '.join(unseen)}; systemd hands credentials to the service "
                                       "alone (LoadCredential= in its unit)")
    try:
        Topics(mqtt.prefix, settings.device.name)
        check_prefix(mqtt.discovery_prefix)
        spoken = "" if unseen else check_broker(mqtt)
    except EdgeError as error:
        yield Finding("broker", False, str(error), "see [mqtt] host, port, user, password_file, tls and protocol")
    else:
        yield Finding("broker", True, f"{mqtt.host}:{mqtt.tcp_port} took us in with {spoken}" if spoken else
                      f"{mqtt.host}:{mqtt.tcp_port} was not asked, for lack of the service's credential; `edge-audio check "
                      f"--only {SERVICE}` says how the running service fares with it")


def _loopback(host: str) -> bool:
    return host == "localhost" or host.startswith("127.") or host == "::1"


def _log(settings: LogSettings) -> Finding:
    """Whether event lines can be written, without writing any."""
    if settings.events in ("", "-"):
        return Finding("log", True, "standard output" if settings.events else "none in the settings")
    path = Path(settings.events)
    if path.is_dir() or not os.access(path if path.exists() else path.absolute().parent, os.W_OK):
        return Finding("log", False, f"{path} cannot be written", "[log] events: a file in a folder that can be written")
    return Finding("log", True, str(path))
