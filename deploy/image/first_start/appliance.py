"""edge-audio.toml: broker, targets, pins, page. The appliance's own `check` judges it before it is taken."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import durable
from . import page as the_page
from .durable import Span, write
from .errors import Refused, without
from .live import ran
from .owner_yaml import decode, is_blank
from .passwords import CREDENTIAL, passwords_in
from .places import Places
from .record import Record
from .report import Page

DEFAULTS = b"# Every key has its default. edge-audio.toml on the boot partition takes the place of this file.\n"
FATAL = ("settings", "model", "targets", "secrets")
"""Findings of `edge-audio check` with which `run` would not start. No broker can be reached at this time."""
NO_PINS = "no pin library that works"
"""What is said of a machine without header pins: it says nothing about the settings."""
SECONDS = 120

Judge = Callable[[Path, Path], list[str]]
"""(settings file, folder of credentials) -> why the appliance would not start so; OSError where nobody can tell."""


@dataclass(frozen=True)
class Taken:
    """settings: the file as the appliance gets it; password: what goes into the credential, None where it stays as it is;
    page: what the page keeps of its password, empty where that stays as it is."""

    settings: bytes
    password: str | None
    spans: tuple[Span, ...] = ()
    page: dict[str, bytes] = field(default_factory=dict)


def read_settings(content: bytes, places: Places, judge: Judge, keeper: the_page.Keeper, page: Page) -> Taken:
    """Check the owner's settings. Raises Refused where they cannot be used; the file in force stays then."""
    text = decode(content).removeprefix("\ufeff")
    document = _document(text)
    found = passwords_in(text, document)
    given: dict[str, str] = {}
    for each in found:
        if not is_blank(each.password):
            given[each.table] = each.password
        elif not (_is_filled(places.password) if each.table == "mqtt" else the_page.is_kept(places)):
            raise Refused(f"[{each.table}] password", found="the mark of a password taken before, and none was",
                          wanted="the password")
    before = len(content) - len(text.encode())
    spans = tuple((start + before, length) for each in found for start, length in each.spans)
    for each in sorted(found, key=lambda each: each.start, reverse=True):
        text = text[:each.start] + each.instead + text[each.end:]
    settings = text.replace("\r\n", "\n").encode()
    reasons = judged(settings, given.get("mqtt"), places, judge)
    if reasons:
        said = "; ".join(without(reason, set(given.values())) for reason in reasons)
        raise Refused("", said=said, found="", wanted="")
    kept = keeper(given["page"]) if "page" in given else {}
    for line in _said(document, given):
        page.take(line)
    return Taken(settings, given.get("mqtt"), spans, kept)


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
    """The passwords first: settings that name one never stand there without it."""
    if taken.password is not None:
        durable.write_if_other(places.password, taken.password.encode() + b"\n", 0o600)
    the_page.put(taken.page, places)
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


def _said(document: dict[str, Any], given: dict[str, str]) -> Iterator[str]:
    mqtt = document.get("mqtt", {})
    yield f"broker: {mqtt['host']}" if mqtt.get("host") else "no broker: nothing is sent"
    for table, whose in (("mqtt", "broker"), ("page", "page")):
        if table in given:
            yield f"the {whose}'s password; it is no longer in this file"
    targets = [str(each.get("name")) for each in document.get("target", [])]
    yield f"targets: {', '.join(targets) if targets else 'those of the model'}"
    pins = [f"{each.get('pin')} ({each.get('action', 'pulse')} on {each.get('target') or each.get('targets')})"
            for each in document.get("pin", [])]
    yield f"pins: {', '.join(pins) if pins else 'none'}"
    if buttons := [f"{each.get('pin')} ({each.get('action', 'mute')})" for each in document.get("button", [])]:
        yield f"buttons: {', '.join(buttons)}"
    if pin := document.get("led", {}).get("pin"):
        yield f"status LED: {pin}"
