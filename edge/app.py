"""The composition root: settings in, a wired appliance out. The one file that knows every room.

A block goes from `source` to `listener`, which makes patches, scores them and decides. Each detection goes to `out`, the
dispatcher, which makes an event and gives the event to each sink through a guard: pins, log, watch socket, broker, journal.
A command goes from the broker's sink, the watch socket or a button to `inbox`, and the thread of `steering` carries it out.
What changes the hearing crosses on `control` to the listener, which takes it between two blocks.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from edge import __version__
from edge.clock import Clock, StreamClock
from edge.control.changes import Control
from edge.control.commanded import load_commanded
from edge.control.commands import Feedback
from edge.control.current import Serving, serving_anew, serving_of
from edge.control.inbox import Inbox
from edge.control.plan import Plan
from edge.control.steering import Steering
from edge.control.systemd import Systemd, status_words
from edge.control.told import told_of
from edge.control.updates import update_words
from edge.decision.targets import Targets
from edge.dispatch import Dispatcher, Guard
from edge.features.recent import RecentSound
from edge.listener import Listener
from edge.model.classifier import Model
from edge.model.manifest import GraphSpec
from edge.seams import Sink, Source, Watcher
from edge.settings import Settings
from edge.sinks.journal.entries import Looks, Pack
from edge.sinks.journal.event_sounds import FOLDER, SoundKeeper
from edge.sinks.journal.file import journal_path
from edge.sinks.journal.numbering import FILE as SEQUENCE
from edge.sinks.journal.numbering import Numbering
from edge.sinks.journal.sink import JournalSink
from edge.sinks.log import LogSink
from edge.sinks.mqtt.commands import MqttCommands
from edge.sinks.mqtt.discovery import Board, TargetEntities
from edge.sinks.mqtt.sink import MqttSink
from edge.sinks.outbox import Outbox
from edge.sinks.pins.wiring import Wiring
from edge.sinks.watching.sink import WatchSink
from edge.sources.open import open_source
from edge.stats import Stats
from edge.stream import Patch, Scores
from edge.topics import Topics

log = logging.getLogger("edge")


@dataclass
class Appliance:
    """Everything wired: `run` hears until the source ends or `stop` is called (from a signal handler, too)."""

    listener: Listener
    source: Source
    sinks: Sequence[Guard]
    stats: Stats
    steering: Steering
    systemd: Systemd
    bugs: list[BaseException] = field(default_factory=list)
    """What ended a thread of ours that belongs to no sink; it ends the run, too, and systemd starts the program afresh."""

    @property
    def model(self) -> Model:
        """What serves now. To keep one here would hold the first in memory after a reload."""
        return self.steering.serving.model

    def run(self) -> None:
        """Make the pins safe and begin to connect, then hear the source. Everything is given back whatever happens.

        Raises SinkError or SourceError where waiting cannot help, and whatever ended a thread that belongs to no sink.
        """
        before, threading.excepthook = threading.excepthook, self._thread_ended
        started: list[Guard] = []
        try:
            for sink in self.sinks:
                sink.start()
                started.append(sink)
            self.steering.start()
            log.info("%s", self.model.describe())
            if self.model.undelegated:
                cost = "; hearing costs several times as much" if self.model.slow else ""
                log.warning("%s%s (edge-audio check)", self.model.undelegated, cost)
            log.info("hearing %s", ", ".join(self.listener.targets.names))
            self.listener.run(self.source, self.sinks)
        finally:
            self.systemd.stopping()
            self.source.close()
            self.steering.stop()
            for sink in started:  # pins first: saying goodbye to a broker may take seconds
                sink.stop()
            threading.excepthook = before
        if self.bugs:
            raise self.bugs[0]

    def stop(self) -> None:
        """Ask the source to end; `run` returns soon after."""
        self.source.close()

    def _thread_ended(self, ended: threading.ExceptHookArgs) -> None:
        if ended.exc_value is None:
            return
        owners = [sink for sink in self.sinks if ended.thread is not None and ended.thread.name == sink.name]
        for sink in owners:
            sink.failed(ended.exc_value)
        if not owners:
            self.bugs.append(ended.exc_value)
            self.stop()


def build(settings: Settings, state_dir: Path, *, source: Source | None = None, extra_sinks: Sequence[Sink] = (),
          on_pin_change: Callable[[str, bool], None] | None = None, on_scores: Callable[[Patch, Scores], None] | None = None,
          watcher: Watcher | None = None, every_label: bool = False, records_dir: Path | None = None,
          read_settings: Callable[[], Settings] | None = None, systemd: Systemd | None = None) -> Appliance:
    """Wire an appliance. Settings, manifest and tensors are checked against one another before anything is opened.

    source: hear this one instead of the settings' own. watcher: shown every hop, instead of the [watch] socket's.
    every_label: compute all rows, not only those that targets need. records_dir: for the journal, the outbox and sequence
    numbers, instead of `state_dir`. read_settings: reads the settings again, for a reload. systemd: told how the service is.
    Raises SettingsError, ModelError or SourceError.
    """
    records_dir = records_dir or state_dir
    stats, clock, stream_clock, systemd = Stats(), Clock(), StreamClock(), systemd or Systemd()
    numbering, inbox, control = Numbering(records_dir / SEQUENCE), Inbox(), Control()
    commanded = load_commanded(records_dir, settings.commandable)
    serving = serving_of(settings, state_dir, every_label=every_label)
    serving = replace(serving, thresholds=commanded.of(serving.model.manifest.name))
    plan = serving.plan()
    sinks: list[Sink] = list(extra_sinks)

    def about() -> dict[str, object]:
        return {"version": __version__, **steering.about(), "source": heard.state, "source_trouble": heard.trouble,
                "update": update_words(), "pace": listener.pace.state, "sinks": {sink.name: sink.state for sink in guarded},
                "waiting_messages": sum(sink.waiting_messages for sink in guarded)}

    def trouble() -> str:
        return heard.trouble or listener.pace.trouble

    def watched() -> dict[str, object]:
        said, targets = about(), listener.targets
        return {**said, "source_live": heard.live, "words": status_words(targets.names, said),
                "targets": told_of(targets, steering.serving.whence)}

    # The way out. Sinks start and stop in this order: pins first, the journal last, for it notes what the broker took last.
    outbox = mqtt = journal = watch = None

    def pin_changed(pin: str, on: bool) -> None:
        if on_pin_change is not None:
            on_pin_change(pin, on)
        for told in (mqtt, watch):
            if told is not None:
                told.pin(pin, on)

    wiring = Wiring(settings.pin, settings.button, settings.led, on_change=pin_changed, act=inbox.command,
                    hears=lambda: (steering.muted, trouble()))
    sinks.extend(wiring.sinks)
    if settings.log.events:
        sinks.append(LogSink(settings.log, settings.device.name))
    if watcher is None and settings.watch.enabled:
        watch = WatchSink(state_dir, settings.device.name, watched, act=inbox.command, counters=stats.snapshot,
                          pins={pin.pin: pin.safe_on for pin in settings.pin}, patch_samples=serving.model.patch_samples)
        sinks.append(watch)
    if settings.mqtt.host:
        outbox = Outbox(messages=settings.mqtt.queue_events, size=settings.mqtt.queue_bytes, stats=stats)
        topics = Topics(settings.mqtt.prefix, settings.device.name)
        mqtt = MqttSink(settings.mqtt, board_of(settings, serving.model, plan.targets), outbox, clock=clock,
                        commands=MqttCommands(topics, settings.command.allow, inbox.command, stats))
        for pin in settings.pin:
            mqtt.pin(pin.pin, pin.safe_on)
        sinks.append(mqtt)
    recent = RecentSound(plan.sound_seconds) if settings.journal.sound else None
    if settings.journal.events or outbox is not None:
        sounds = None
        if recent is not None:
            sounds = SoundKeeper(records_dir / FOLDER, recent.cut, megabytes=settings.journal.sound_megabytes)
        spec = serving.model.manifest.backbone
        journal = JournalSink(settings.journal, journal_path(settings.journal, records_dir), pack=packing(spec),
                              labels=serving.model.labels, backbone=spec.sha256 if spec is not None else "",
                              numbering=numbering, stats=stats, outbox=outbox, device=settings.device.name,
                              boot=clock.boot, sounds=sounds, looks=looks_of(serving.model))
        sinks.append(journal)

    # The way back in: commands and reloads.
    def on_muted(on: bool) -> None:
        if mqtt is not None:
            mqtt.muted(on)

    def on_serving(serving: Serving, plan: Plan) -> None:
        if mqtt is not None:
            mqtt.retarget(board_of(serving.settings, plan.model, plan.targets))
        if journal is not None:
            journal.relabel(serving.model.labels)

    def serve_anew(before: Serving, settings: Settings) -> Serving:
        return serving_anew(before, settings, state_dir, every_label=every_label)

    def refit(settings: Settings, feedback: Feedback) -> Mapping[str, object]:
        from edge.workshop.feedback import counts, take_in  # the workshop: opened only when it is asked for

        right = feedback.judgement == "right"
        return counts(take_in(settings, state_dir, feedback.id, right=right, target=feedback.target))

    steering = Steering(serving, inbox, control, commanded, records_dir=records_dir, serve_anew=serve_anew, refit=refit,
                        read_settings=read_settings, pins=wiring.gpio, on_muted=on_muted, on_serving=on_serving,
                        around_reload=systemd.reload)
    # The signal path.
    def beat(block: bool) -> None:
        wiring.progress.beat()
        systemd.beat(heard=block, alive=not heard.hangs,
                     words=lambda: status_words(listener.targets.names, about()))

    out = Dispatcher(stream_clock, stats, health_seconds=settings.mqtt.health_seconds, about=about, number=numbering.next,
                     synchronised=clock.synchronised, trouble=trouble)
    listener = Listener(plan, channel=settings.source.channel, gate=settings.gate, stats=stats, out=out,
                        on_scores=on_scores, watcher=watcher or watch, recent=recent, control=control, beat=beat)
    # Last, so that nothing is open when anything above is refused.
    heard = source if source is not None else open_source(settings.source, stats)
    guarded = [Guard(sink) for sink in sinks]
    return Appliance(listener=listener, source=heard, sinks=guarded, stats=stats, steering=steering, systemd=systemd)


def packing(spec: GraphSpec | None) -> Pack | None:
    """What makes int8 cells of embeddings again, as a backbone or the look network gave them; None where it gives none."""
    return spec.output.to_cells if spec is not None and spec.output.dtype == "int8" else None


def looks_of(model: Model) -> Looks | None:
    """What the journal must know of the look network that serves beside the model; None where none does."""
    network = model.looks
    pack = packing(network.manifest.network) if network is not None else None
    return Looks(pack, network.labels, network.sha256) if network is not None and pack is not None else None


def board_of(settings: Settings, model: Model, targets: Targets) -> Board:
    """What Home Assistant is told of this board. Raises SettingsError for names that are no topic levels."""
    entities = [TargetEntities(sound.name, sound.labels, sound.impulsive)
                for sound in targets.sounds if sound.sent]
    entities += [TargetEntities(pattern.name, momentary=True) for pattern in targets.patterns]
    entities += [TargetEntities(target.name) for target in targets.loudness]
    entities += [TargetEntities(alarm.name) for alarm in targets.rhythms if alarm.sent]
    return Board(Topics(settings.mqtt.prefix, settings.device.name), __version__, model.manifest.name, tuple(entities),
                 tuple(pin.pin for pin in settings.pin), settings.command.allow)
