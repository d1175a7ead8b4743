"""The composition root: settings in, real objects out. The one file that knows both sides."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from edge import __version__
from edge.clock import Clock
from edge.commanded import load_commanded
from edge.control import Control
from edge.features.recent import RecentSound
from edge.listener import Listener
from edge.model.classifier import Model
from edge.numbering import FILE as SEQUENCE
from edge.numbering import Numbering
from edge.seams import Sink, Source, Watcher
from edge.serving import check_names, serving_of
from edge.settings import Settings
from edge.sinks.event_sounds import sound_seconds
from edge.sinks.watch import WatchSink
from edge.sources.open import open_source
from edge.stats import Stats
from edge.steering import Steering
from edge.stream import Patch, Scores
from edge.wiring import wire_sinks

log = logging.getLogger("edge")


@dataclass
class Appliance:
    """Everything wired: `run` hears until the source ends or `stop` is called (from a signal handler, too)."""

    listener: Listener
    source: Source
    sinks: Sequence[Sink]
    model: Model
    stats: Stats
    steering: Steering
    started: list[Sink] = field(default_factory=list)
    bugs: list[BaseException] = field(default_factory=list)
    """What ended a thread of ours: a bug, which ends the run too, so that systemd starts it afresh."""

    def run(self) -> None:
        """Pins safe and broker sought first, then the source is heard. All is given back whatever happens.

        Raises SinkError or SourceError where waiting cannot help, and whatever ended a thread of a sink or source.
        """
        before, threading.excepthook = threading.excepthook, self._thread_ended
        try:
            for sink in self.sinks:
                sink.start()
                self.started.append(sink)
            self.steering.start()
            log.info("%s", self.model.describe())
            log.info("hearing %s", ", ".join(self.listener.targets.names))
            self.listener.run(self.source, self.sinks)
        finally:
            self.source.close()
            self.steering.stop()
            for sink in self.started:  # pins first, as they were started: a broker may take seconds to say goodbye to
                sink.stop()
            self.started.clear()
            threading.excepthook = before
        if self.bugs:
            raise self.bugs[0]

    def stop(self) -> None:
        """Ask the source to end; `run` returns soon after."""
        self.source.close()

    def _thread_ended(self, ended: threading.ExceptHookArgs) -> None:
        if ended.exc_value is not None:
            self.bugs.append(ended.exc_value)
        self.stop()


def build(settings: Settings, state_dir: Path, *, source: Source | None = None, extra_sinks: Sequence[Sink] = (),
          on_pin_change: Callable[[str, bool], None] | None = None,
          on_scores: Callable[[Patch, Scores], None] | None = None, watcher: Watcher | None = None,
          every_label: bool = False, records_dir: Path | None = None) -> Appliance:
    """Wire an appliance. Settings, manifest and tensors are checked against one another before anything is opened.

    source: hear this one instead of the settings' own. watcher: shown every hop, instead of the [watch] socket's.
    every_label: compute all rows, not only those that targets need. records_dir: for the journal, the outbox and sequence
    numbers, instead of `state_dir`. Raises SettingsError, ModelError or SourceError.
    """
    records_dir = records_dir or state_dir
    stats, clock, numbering = Stats(), Clock(), Numbering(records_dir / SEQUENCE)
    control, commanded = Control(), load_commanded(records_dir, settings.command.allow)
    steering = Steering(serving_of(settings, state_dir, every_label=every_label), state_dir, control, commanded,
                        records_dir=records_dir, every_label=every_label)
    model, calibrations = steering.serving.model, steering.serving.calibrations
    sinks: list[Sink] = list(extra_sinks)

    def about() -> dict[str, object]:
        states = {sink.name: state for sink in sinks if (state := getattr(sink, "state", None)) is not None}
        return {"version": __version__, **steering.about(), "source": heard.state, "sinks": states,
                "waiting_messages": sum(getattr(sink, "waiting_messages", 0) for sink in sinks)}

    watch = None
    if watcher is None and settings.watch.enabled:
        watch = WatchSink(state_dir, settings.device.name, about, patch_samples=model.patch_samples)
    recent = RecentSound(sound_seconds(settings.target)) if settings.journal.sound else None
    listener = Listener(model, targets=settings.target, hop_seconds=settings.model.hop_seconds,
                        channel=settings.source.channel, gate=settings.gate, stats=stats,
                        health_seconds=settings.mqtt.health_seconds, about=about, on_scores=on_scores,
                        watcher=watcher or watch, recent=recent, number=numbering.next,
                        synchronised=clock.synchronised, calibrations=calibrations.serving,
                        corrections=calibrations.corrections, thresholds=steering.serving.thresholds, control=control)
    check_names(settings, model, listener.targets.names)
    sinks += wire_sinks(settings, records_dir, model, listener.targets, stats=stats, clock=clock, numbering=numbering,
                        recent=recent, watch=watch, on_pin_change=on_pin_change, steering=steering)
    # Last, so that nothing is open when anything above is refused.
    heard = source if source is not None else open_source(settings.source, stats)
    return Appliance(listener=listener, source=heard, sinks=sinks, model=model, stats=stats,
                      steering=steering)
