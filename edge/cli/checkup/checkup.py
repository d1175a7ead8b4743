"""`edge-audio check`: look at every part as `run` would use it; say what was found and what to do about it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from edge.cli.checkup.finding import Finding
from edge.cli.checkup.journal import check_journal
from edge.control.commanded import Commanded, load_commanded
from edge.control.current import idle_pins
from edge.control.loading import NamedModel, find_model
from edge.control.plan import plan_for
from edge.errors import EdgeError, SettingsError, SinkError
from edge.features.level import level_of
from edge.features.look import LOOK_ROWS
from edge.features.mix import mix
from edge.model.classifier import Model
from edge.seams import Source
from edge.settings import LogSettings, Settings
from edge.sinks.gpio import GpioSink
from edge.sinks.mqtt.connection import check_broker
from edge.sinks.mqtt.discovery import check_prefix
from edge.sinks.mqtt.secrets import secret_places
from edge.sinks.mqtt.tls import INSECURE
from edge.sources.delivered import lacks
from edge.sources.open import open_source
from edge.stats import Stats
from edge.stream import BANDS, SILENCE_DBFS, Patch
from edge.topics import Topics

LISTEN_SECONDS = 1.5
"""How long `check` listens."""

PATIENCE_SECONDS = 8.0
"""How long it waits for a microphone or a command to give a first block."""


def check(settings: Settings, state_dir: Path) -> Iterator[Finding]:
    """Findings, part by part, each as soon as it is known. Pins go to their safe state and are given back."""
    yield _state_dir(state_dir)
    model: Model | None = None
    try:
        named = find_model(settings.model.name, state_dir)
        model = named.open(runtime=settings.model.runtime, threads=settings.model.threads, delegate=settings.model.delegate)
        data = np.zeros((96, 64), np.float32) if model.wants == "bands" else np.zeros(model.patch_samples, np.int16)
        model.score(Patch(data, 0))
        yield Finding("model", True, model.describe())
        if model.looks is not None:
            model.looks.see(np.zeros((LOOK_ROWS, BANDS, 2), np.float32), 0)
            yield Finding("looks", True, model.looks.describe())
    except EdgeError as error:
        yield Finding("model", False, str(error), "edge-audio model list shows what there is, model verify what is broken; "
                      "teach --undo takes back what was taught")
    commanded = load_commanded(state_dir, settings.command.allow)
    if model is not None:
        yield from _targets(settings, named, model, state_dir, commanded.of(model.manifest.name))
    yield _source(settings)
    if settings.mqtt.host:
        yield from _broker(settings)
    else:
        yield Finding("broker", True, "none in the settings: nothing is sent", "")
    yield _pins(settings)
    yield _commands(settings, commanded)
    yield _log(settings.log)
    yield from check_journal(settings, state_dir)


def _state_dir(folder: Path) -> Finding:
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    if nearest.is_dir() and os.access(nearest, os.W_OK):
        others = folder.exists() and folder.stat().st_mode & 0o077
        return Finding("state", True, f"{folder} can be written"
                       + (f"; other users can look into it (`chmod 700 {folder}` keeps them out)" if others else ""))
    return Finding("state", False, f"{folder} cannot be written",
                   "choose another with --state-dir or EDGE_AUDIO_STATE; without it nothing is kept across a restart")


def _targets(settings: Settings, named: NamedModel, model: Model, state_dir: Path,
             commanded: Mapping[str, float]) -> Iterator[Finding]:
    try:
        asked = named.ask(settings.target)
        found = named.calibrations(model, asked, state_dir)
        plan = plan_for(model, asked, hop_seconds=settings.model.hop_seconds, calibrations=found.serving,
                       corrections=found.corrections, thresholds=commanded)
    except SettingsError as error:
        yield Finding("targets", False, str(error), f"edge-audio model show {model.manifest.name} lists the labels")
        return
    targets = plan.targets
    if not targets.names and not found.unheard:
        yield Finding("targets", False, f"none in the settings, and {model.manifest.name} suggests none", "add a [[target]]")
    for problem in found.problems:
        text, _, command = problem.rpartition(" (")
        yield Finding("calibration", False, text, command.rstrip(")"))
    if not found.problems:
        made = [f"{name} ({found.entries[name].made if name in found.entries else 'taught'})" for name in found.serving]
        yield Finding("calibration", True, ", ".join(made) or "none: the model's own thresholds serve")
    for target in targets.sounds:
        labels = ["looks at onsets"] if target.looked else target.labels
        weak = " (experimental)" if set(labels) & set(model.manifest.experimental) else ""
        mended = ", corrected by feedback" if target.correction is not None else ""
        yield Finding("target", True, f"{target.name}: starts at {target.threshold:.3f}{_by(target.name, commanded)}, ends "
                      f"under {target.release_threshold:.3f}: {', '.join(labels)}{weak}{mended}")
    for pattern in targets.patterns:
        yield Finding("target", True, f"{pattern.name}: a pattern over {pattern.of}, {pattern.count} events")
    for loud in targets.loudness:
        yield Finding("target", True, f"{loud.name}: {loud.louder_db:g} dB over the room's noise")
    for alarm in targets.rhythms:
        yield Finding("target", True, f"{alarm.name}: starts at {alarm.threshold:.3f}{_by(alarm.name, commanded)}: the "
                      f"rhythm {alarm.rhythm.name} of a tone, whatever the model")
    for idle in idle_pins(settings, plan, found):
        yield Finding("pins", False, str(idle), idle.wanted)


def _by(target: str, commanded: Mapping[str, float]) -> str:
    return " (by a command)" if target in commanded else ""


def _commands(settings: Settings, commanded: Commanded) -> Finding:
    if not settings.command.allow:
        return Finding("commands", True, "none allowed")
    muted = "; muted by a command: nothing is heard until it is unmuted" if commanded.muted else ""
    nowhere = "" if settings.mqtt.host else ", but no broker brings them"
    return Finding("commands", not muted, f"allowed: {', '.join(settings.command.allow)}{nowhere}{muted}",
                   "the command unmute, or a start without mute in [command] allow" if muted else "")


def _source(settings: Settings) -> Finding:
    advice = {"microphone": "edge-audio devices lists the microphones; without PortAudio use [source] kind = \"command\" "
                            "with arecord", "file": "[source] path", "command": "run it by hand; give its full path"}
    kind = settings.source.kind
    try:
        source = open_source(settings.source, Stats())
        return _listen(source, settings.source.channel, kind, advice[kind])
    except EdgeError as error:
        return Finding(kind, False, str(error), advice[kind])


def _listen(source: Source, channel: int, kind: str, advice: str) -> Finding:
    """Hear for a moment; say how loud it was."""
    loudest, seconds, form, lacking = SILENCE_DBFS, 0.0, "", ""
    deadline = time.monotonic() + PATIENCE_SECONDS
    try:
        for block in source.blocks():
            if block is not None:
                heard = mix(block.samples, block.format.channels, channel)
                loudest = max(loudest, level_of(heard).rms_dbfs)
                seconds += block.length / block.format.rate
                form, lacking = str(block.format), lacks(block.format)
            if seconds >= LISTEN_SECONDS or time.monotonic() > deadline:
                break
    finally:
        source.close()
    if not seconds:
        return Finding(kind, False, f"no sound within {PATIENCE_SECONDS:g} s: {source.state}", advice)
    if loudest <= -119.0:
        return Finding(kind, False, f"{form}: nothing but zeros", "unmute it (alsamixer), or choose another")
    text = f"{form}: heard {seconds:.1f} s, loudest block {loudest:.0f} dBFS"
    if lacking:
        faster = {"microphone": "[source] rate; edge-audio devices lists what a card offers",
                  "file": "a recording made at such a rate: one that is only converted lacks the same",
                  "command": "have it print 16000 Hz or more, and name that in [source] rate"}
        return Finding(kind, False, f"{text}; {lacking}", faster[kind])
    return Finding(kind, True, text)


def _broker(settings: Settings) -> Iterator[Finding]:
    mqtt = settings.mqtt
    if mqtt.tls_insecure:
        yield Finding("tls", False, INSECURE, "give the broker's CA in mqtt.tls_ca_file, and take tls_insecure out")
    elif mqtt.tls:
        yield Finding("tls", True, f"{mqtt.host} must prove who it is, by {mqtt.tls_ca_file or 'one of the system CAs'}")
    elif mqtt.user and not _loopback(mqtt.host):
        yield Finding("tls", True, "off: whoever is on the way to the broker can read the password and all messages")
    try:
        places = secret_places(mqtt)
    except SettingsError as error:
        yield Finding("secrets", False, str(error), "see [mqtt] user, password_file, password_credential and the tls_ keys")
        return
    if places:
        yield Finding("secrets", True, f"{' and '.join(places)}, for nobody else to read")
    try:
        Topics(mqtt.prefix, settings.device.name)
        check_prefix(mqtt.discovery_prefix)
        spoken = check_broker(mqtt)
    except EdgeError as error:
        yield Finding("broker", False, str(error), "see [mqtt] host, port, user, password_file, tls and protocol")
    else:
        yield Finding("broker", True, f"{mqtt.host}:{mqtt.tcp_port} took us in with {spoken}")


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


def _pins(settings: Settings) -> Finding:
    if not settings.pin:
        return Finding("pins", True, "none in the settings")
    try:
        sink = GpioSink(settings.pin)
        sink.start()
        sink.stop()
    except (SinkError, SettingsError) as error:
        return Finding("pins", False, str(error), "factory = \"simulated\" tries settings without a board")
    return Finding("pins", True, ", ".join(
        f"{pin.pin} {pin.action} on {pin.target}" if pin.target else f"{pin.pin} to identify" for pin in settings.pin))
