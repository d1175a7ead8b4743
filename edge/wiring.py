"""Which sinks the settings ask for, wired to what they need. Part of the composition root."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edge import __version__
from edge.clock import Clock
from edge.decision.targets import Targets
from edge.discovery import Board, TargetEntities
from edge.features.recent import RecentSound
from edge.journal import Pack
from edge.journal_file import journal_path
from edge.model.classifier import Model
from edge.model.quantization import quantise
from edge.numbering import Numbering
from edge.outbox import Outbox
from edge.plan import Plan
from edge.seams import Sink
from edge.serving import Serving
from edge.settings import Settings
from edge.sinks.event_sounds import FOLDER, SoundKeeper
from edge.sinks.gpio import GpioSink
from edge.sinks.journal import JournalSink
from edge.sinks.log import LogSink
from edge.sinks.mqtt import MqttSink
from edge.sinks.mqtt_commands import MqttCommands
from edge.sinks.watch import WatchSink
from edge.stats import Stats
from edge.steering import Steering
from edge.topics import Topics


def packing(model: Model) -> Pack | None:
    """What makes int8 cells of the model's embeddings again, as its backbone gave them; None where it gives none."""
    spec = model.manifest.backbone
    if spec is None or spec.output.dtype != "int8":
        return None
    scale, zero_point = spec.output.scale, spec.output.zero_point
    return lambda embedding: quantise(embedding, scale=scale, zero_point=zero_point, dtype="int8")


def board_of(settings: Settings, model: Model, targets: Targets) -> Board:
    """What Home Assistant is told of this board. Raises SettingsError for names that are no topic levels."""
    entities = [TargetEntities(sound.name, tuple(model.labels[row] for row in sound.rows), sound.impulsive)
                for sound in targets.sounds if sound.sent]
    entities += [TargetEntities(pattern.name, momentary=True) for pattern in targets.patterns]
    entities += [TargetEntities(target.name) for target in targets.loudness]
    return Board(Topics(settings.mqtt.prefix, settings.device.name), __version__, model.manifest.name, tuple(entities),
                 tuple(pin.pin for pin in settings.pin), settings.command.allow)


def wire_sinks(settings: Settings, records_dir: Path, model: Model, targets: Targets, *, stats: Stats, clock: Clock,
               numbering: Numbering, recent: RecentSound | None, watch: WatchSink | None,
               on_pin_change: Callable[[str, bool], None] | None, steering: Steering) -> list[Sink]:
    """The sinks in the order in which they are started and stopped: pins first, the journal last, for it notes what the
    broker's sink delivered in its last seconds. Raises SettingsError."""
    sinks: list[Sink] = []
    outbox = mqtt = journal = None

    def pin_changed(pin: str, on: bool) -> None:
        if on_pin_change is not None:
            on_pin_change(pin, on)
        if mqtt is not None:
            mqtt.pin(pin, on)

    if settings.pin:
        steering.gpio = GpioSink(settings.pin, on_change=pin_changed)
        sinks.append(steering.gpio)
    if settings.log.events:
        sinks.append(LogSink(settings.log, settings.device.name))
    if watch is not None:
        sinks.append(watch)
    if settings.mqtt.host:
        outbox = Outbox(messages=settings.mqtt.queue_events, size=settings.mqtt.queue_bytes, stats=stats)
        topics = Topics(settings.mqtt.prefix, settings.device.name)
        mqtt = MqttSink(settings.mqtt, settings.device.name, targets.names, outbox, clock=clock,
                        board=board_of(settings, model, targets),
                        commands=MqttCommands(topics, settings.command.allow, steering.command, stats))
        for pin in settings.pin:
            mqtt.pin(pin.pin, pin.safe_on)
        steering.on_muted = mqtt.muted
        sinks.append(mqtt)
    if settings.journal.events or outbox is not None:
        spec, sounds = model.manifest.backbone, None
        if recent is not None:
            sounds = SoundKeeper(records_dir / FOLDER, recent.cut, megabytes=settings.journal.sound_megabytes)
        journal = JournalSink(settings.journal, journal_path(settings.journal, records_dir), pack=packing(model),
                              labels=model.labels, backbone=spec.sha256 if spec is not None else "",
                              numbering=numbering, stats=stats, outbox=outbox, device=settings.device.name,
                              boot=clock.boot, sounds=sounds)
        sinks.append(journal)

    def serve(serving: Serving, plan: Plan) -> None:
        if mqtt is not None:
            mqtt.retarget(plan.targets.names, board_of(settings, plan.model, plan.targets))
        if journal is not None:
            journal.relabel(serving.model.labels)

    steering.on_serving = serve
    return sinks
