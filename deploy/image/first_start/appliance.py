"""edge-audio.toml: broker, targets, pins. The appliance's own `check` judges it before it is taken."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import durable
from .durable import Span, write
from .errors import Refused, without
from .live import ran
from .owner_yaml import decode, is_blank, letters
from .places import Places
from .record import Record
from .report import Page

CREDENTIAL = "mqtt-password"
DEFAULTS = b"# Every key has its default. edge-audio.toml on the boot partition takes the place of this file.\n"
FATAL = ("settings", "model", "targets", "secrets")
"""Findings of `edge-audio check` with which `run` would not start. No broker can be reached at this time."""
NO_PINS = "no pin library that works"
"""What is said of a machine without header pins: it says nothing about the settings."""
SECONDS = 120
PASSWORD = re.compile(r"""(?P<key>"password"|'password'|\bpassword)\s*=\s*(?P<value>\"\"\"[\s\S]*?\"\"\"|'''[\s\S]*?'''|"""
                      r""""(?:\\.|[^"\\\n])*"|'[^'\n]*')""")

Judge = Callable[[Path, Path], list[str]]
"""(settings file, folder of credentials) -> why the appliance would not start so; OSError where nobody can tell."""


@dataclass(frozen=True)
class Taken:
    """settings: the file as the appliance gets it; password: what goes into the credential, None where it stays as it is."""

    settings: bytes
    password: str | None
    spans: tuple[Span, ...] = ()


def read_settings(content: bytes, places: Places, judge: Judge, page: Page) -> Taken:
    """Check the owner's settings. Raises Refused where they cannot be used; the file in force stays then."""
    text = decode(content).removeprefix("\ufeff")
    document = _document(text)
    mqtt = document.get("mqtt")
    password: str | None = None
    spans: tuple[Span, ...] = ()
    if isinstance(mqtt, dict) and "password" in mqtt:
        text, password, spans = _without_password(text, document, mqtt)
        spans = tuple((start + len(content) - len(decode(content).removeprefix("\ufeff").encode()), n) for start, n in spans)
        if is_blank(password):
            if not _is_filled(places.password):
                raise Refused("[mqtt] password", found="the mark of a password taken before, and none was",
                              wanted="the password")
            password = None
    settings = text.replace("\r\n", "\n").encode()
    reasons = judged(settings, password, places, judge)
    if reasons:
        said = "; ".join(without(reason, {password or ""}) for reason in reasons)
        raise Refused("", said=said, found="", wanted="")
    for line in _said(document, password):
        page.take(line)
    return Taken(settings, password, spans)


def judge_again(places: Places, record: Record, judge: Judge, version: str) -> bytes | None:
    """Whether this slot can serve with the settings in force, which another judged: after a rollback they are a newer one's.

    The owner's latest come first, then those in force, then those that this slot took last. Returns what is to be put in
    force in their place, or None. Raises OSError where nobody can tell.
    """
    if not places.settings.exists():
        return None
    now, own = places.settings.read_bytes(), places.served(version)
    former = own.read_bytes() if own.exists() else now
    latest = hashlib.sha256(former).hexdigest() == record.text("settings_latest")
    said = ""
    for settings in dict.fromkeys([former, now] if latest else [now, former]):
        reasons = judged(settings, None, places, judge)
        if not reasons:
            record.kept["settings_remark"] = said and f"{said} Those that it took last are in force."
            return None if settings == now else settings
        said = said or without(f"Image {version} cannot serve with the settings in force: {'; '.join(reasons)}.", set())
    record.kept["settings_remark"] = said
    return None


def put(taken: Taken, places: Places) -> None:
    """The password first: settings that name it never stand there without it."""
    if taken.password is not None:
        durable.write_if_other(places.password, taken.password.encode() + b"\n", 0o600)
    durable.write_if_other(places.settings, taken.settings, 0o644)


def put_defaults(places: Places) -> None:
    """What the unit needs to start where no settings were ever taken. A credential must be there, if only an empty one."""
    places.credentials.mkdir(mode=0o700, parents=True, exist_ok=True)
    places.credentials.chmod(0o700)
    if not places.password.exists():
        write(places.password, b"", 0o600)
    if not places.settings.exists():
        write(places.settings, DEFAULTS, 0o644)


def edge_audio_judge(program: Path, places: Places) -> Judge:
    """What `edge-audio check` says of a file, in the slot that runs. Pins go to their safe state, where they are anyhow."""
    def judge(file: Path, credentials: Path) -> list[str]:
        environment = {**os.environ, "CREDENTIALS_DIRECTORY": str(credentials), "EDGE_AUDIO_STATE": str(places.state)}

        def wrong(*parts: str) -> list[tuple[str, str]]:
            only = [word for part in parts for word in ("--only", part)]
            done = ran("edge-audio check", program, "check", "--config", file, *only, "--format", "json", seconds=SECONDS,
                       environment=environment)
            if done.returncode not in (0, 1, 2):
                raise OSError(f"edge-audio check: exit code {done.returncode}")
            if done.returncode == 2:
                said = done.stderr.strip().splitlines() or ["no reason given"]
                return [("settings", said[-1].removeprefix("edge-audio: ").removeprefix(f"{file}: "))]
            findings = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
            return [(each["part"], each["text"]) for each in findings if not each["ok"]]

        found = [text for part, text in wrong("model", "broker")
                 if part in FATAL or (part == "broker" and text.startswith(("[mqtt]", "[device]")))]
        return found or [text for _, text in wrong("pins") if NO_PINS not in text]
    return judge


def judged(settings: bytes, password: str | None, places: Places, judge: Judge) -> list[str]:
    """What the judge says of these settings. password: None for the one that is kept."""
    folder = places.run / "judged"
    file, credential = folder / "edge-audio.toml", folder / CREDENTIAL
    try:
        former = places.password.read_bytes() if places.password.exists() else b""
        write(credential, former if password is None else password.encode(), 0o600)
        write(file, settings, 0o600)
        return judge(file, folder)
    finally:
        credential.unlink(missing_ok=True)
        file.unlink(missing_ok=True)


def _document(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:  # what Python says of a place, without the letter that it found there
        place = re.search(r"line (\d+)", str(error))
        line = int(place.group(1)) if place else 0
        raise Refused("", line=line, found="no TOML", wanted="key = value, texts in quotes") from None
    except RecursionError:
        raise Refused("", found="no TOML", wanted="key = value, texts in quotes") from None


def _is_filled(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def _without_password(text: str, document: dict[str, Any], mqtt: dict[str, Any]) -> tuple[str, str, tuple[Span, ...]]:
    """The text with password_credential in place of the password; the password; where it lies. Raises Refused."""
    password = mqtt["password"]
    if not isinstance(password, str) or not password or "\n" in password:
        raise Refused("[mqtt] password", found="no text", wanted='the password in quotes, on one line: password = "..."')
    for other in ("password_file", "password_credential"):
        if mqtt.get(other):
            raise Refused("[mqtt] password", found=f"a value, and {other} too", wanted="one of them")
    if not mqtt.get("user"):
        raise Refused("[mqtt] user", found="nothing", wanted="the user whose password [mqtt] password is")
    rest = {key: value for key, value in mqtt.items() if key not in ("password", "password_credential")}
    wanted = {**document, "mqtt": {**rest, "password_credential": CREDENTIAL}}
    for match in PASSWORD.finditer(text):
        other = f'{text[:match.start()]}password_credential = "{CREDENTIAL}"{text[match.end():]}'
        try:
            if tomllib.loads(other) == wanted:
                quotes = 3 if match["value"].startswith(('"""', "'''")) else 1
                return other, password, letters(text, match.start("value") + quotes, match.end("value") - quotes)
        except tomllib.TOMLDecodeError:
            continue
    raise Refused("[mqtt] password", found="a form that is not understood", wanted='a line of its own: password = "..."')


def _said(document: dict[str, Any], password: str | None) -> Iterator[str]:
    mqtt = document.get("mqtt", {})
    yield f"broker: {mqtt['host']}" if mqtt.get("host") else "no broker: nothing is sent"
    if password is not None:
        yield "the broker's password; it is no longer in this file"
    targets = [str(each.get("name")) for each in document.get("target", [])]
    yield f"targets: {', '.join(targets) if targets else 'those of the model'}"
    pins = [f"{each.get('pin')} ({each.get('action', 'pulse')} on {each.get('target') or each.get('targets')})"
            for each in document.get("pin", [])]
    yield f"pins: {', '.join(pins) if pins else 'none'}"
    if buttons := [f"{each.get('pin')} ({each.get('action', 'mute')})" for each in document.get("button", [])]:
        yield f"buttons: {', '.join(buttons)}"
    if pin := document.get("led", {}).get("pin"):
        yield f"status LED: {pin}"
