"""One sink that fails, and the others, which never notice; pins, journal and log are back by themselves."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from edge.app import build
from edge.cli.demonstration.broker import PrivateBroker
from edge.dispatch import Guard
from edge.settings import JournalSettings, LogSettings, PinSettings, Settings, TargetSettings
from edge.sinks.journal.entries import recent
from edge.sinks.journal.numbering import Numbering
from edge.sinks.journal.sink import JournalSink
from edge.sinks.log import LogSink
from edge.sinks.mqtt.sink import MqttSink
from edge.sinks.outbox import Outbox
from edge.sinks.pins.sink import GpioSink
from edge.sinks.watching.sink import WatchSink
from edge.stats import Stats
from edge.stream import Event
from tests.fakes import FakeSink, FakeSource, blocks_of, silence, tone

MakeEvent = Callable[..., Event]
Until = Callable[[Callable[[], bool]], None]


class Broken(FakeSink):
    """Raises where it is told to, as a bug in a sink would."""

    name = "broken"

    def __init__(self, *raises: str) -> None:
        super().__init__()
        self.raises = set(raises)

    def _step(self, what: str) -> None:
        self.calls.append(what)
        if what in self.raises:
            raise IndexError(f"a bug in {what}")

    def start(self) -> None:
        self._step("start")

    def event(self, event: Event) -> None:
        super().event(event)
        self._step("event")

    def health(self, health: Mapping[str, object]) -> None:
        self._step("health")

    def stop(self) -> None:
        self._step("stop")


def heard(tmp_path: Path, *sinks: FakeSink, settings: Settings | None = None) -> None:
    """Two loud sounds, heard by an appliance with these sinks."""
    sound = np.concatenate([silence(1.5), tone(1.0), silence(2.5), tone(1.0), silence(2.5)])
    build(settings or alone(), tmp_path, source=FakeSource(blocks_of(sound)), extra_sinks=sinks).run()


def alone(**parts: object) -> Settings:
    return Settings(log=LogSettings(events=""), journal=JournalSettings(events=0),
                    target=(TargetSettings(name="loud", louder_db=20.0),), **parts)  # type: ignore[arg-type]


@pytest.mark.parametrize("where", ["event", "health"])
def test_a_sink_that_raises_fails_alone_and_is_said_once(
        where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A bug in one sink ended the run: no pin moved any more because a log line could not be written."""
    monkeypatch.setattr("edge.backoff.Backoff.pause_seconds", lambda self, ran: 600.0)  # longer than any machine takes
    before, broken, behind = FakeSink(), Broken(where), FakeSink()
    heard(tmp_path, before, broken, behind)
    for sink in (before, behind):
        assert [event.phase for event in sink.events] == ["start", "end"] * 2 and sink.calls == ["start", "stop"]
    states = behind.healths[-1]["sinks"]
    assert isinstance(states, dict)
    if where == "event":
        assert states["broken"].startswith("failed: IndexError: a bug in event; ") and states["fake"] == "ok"
    started_and_stopped = [call for call in broken.calls if call in ("start", "stop")]
    assert where in broken.calls and started_and_stopped[:2] == ["start", "stop"] and started_and_stopped[-1] == "stop"
    said = [record for record in caplog.records if "sink broken" in record.message]
    assert [record.levelno for record in said] == [logging.ERROR] and said[0].exc_info is not None


def test_a_sink_that_raises_in_stop_leaves_none_running(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The sinks behind it were never stopped: pins stayed on, the journal lost what waited."""
    broken, behind = Broken("stop"), FakeSink()
    heard(tmp_path, broken, behind)
    assert behind.calls == ["start", "stop"]
    assert "sink broken cannot be stopped: failed: IndexError: a bug in stop" in caplog.text


def test_it_is_tried_again_with_longer_and_longer_pauses_until_it_works(
        make_event: MakeEvent, until: Until, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("edge.backoff.Backoff.pause_seconds", lambda self, ran: pauses.append(ran) or 0.01)
    broken = Broken("event")
    guard = Guard(broken)
    guard.start()
    broken.raises.add("start")
    guard.event(make_event())
    until(lambda: broken.calls.count("start") >= 4)
    assert guard.state == "failed: IndexError: a bug in start; 1 events missed"
    broken.raises = {"event"}
    until(lambda: guard.state == "ok")
    guard.event(make_event())
    until(lambda: guard.state == "ok" and len(broken.events) == 2)
    broken.raises = set()
    guard.event(make_event())
    guard.event(make_event())
    assert len(broken.events) == 4 and len(pauses) >= 5
    guard.stop()
    guard.stop()
    assert [record.message.split(";")[0] for record in caplog.records] == [
        "sink broken: failed: IndexError: a bug in event", "sink broken: failed: IndexError: a bug in start",
        "sink broken: failed: IndexError: a bug in event", "sink broken: works again"]


def test_pins_are_safe_at_once_and_driven_again(make_event: MakeEvent, until: Until,
                                                monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug in the thread that drives the pins ended the run; now it costs the event that it came with."""
    guards: list[Guard] = []
    monkeypatch.setattr(threading, "excepthook", lambda ended: guards[0].failed(ended.exc_value))
    bugs = [ZeroDivisionError("a bug")]

    def changed(name: str, on: bool) -> None:
        if on and bugs:
            raise bugs.pop()

    sink = GpioSink([PinSettings(pin="17", target="clap", action="toggle", factory="simulated")], changed)
    guards.append(Guard(sink))
    guards[0].start()
    wire = sink.pin("17")
    guards[0].event(make_event())
    until(lambda: "ZeroDivisionError: a bug" in guards[0].state)
    until(lambda: wire.function == "input")
    assert [state.state for state in wire.states][-2:] == [True, False]
    until(lambda: guards[0].state == "ok")
    guards[0].event(make_event())
    until(lambda: bool(sink.pin("17").state))
    guards[0].stop()


def test_a_bug_in_the_thread_of_a_sink_is_that_sink_s_failure(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    bugs = [ZeroDivisionError("a bug")]

    def changed(name: str, on: bool) -> None:
        if bugs:
            raise bugs.pop()

    behind = FakeSink()
    settings = alone(pin=(PinSettings(pin="17", target="loud", factory="simulated"),))
    sound = np.concatenate([silence(1.5), tone(1.0), silence(2.5)])
    build(settings, tmp_path, source=FakeSource(blocks_of(sound)), extra_sinks=[behind], on_pin_change=changed).run()
    assert [event.phase for event in behind.events] == ["start", "end"] and not bugs
    assert "sink gpio: failed: ZeroDivisionError: a bug" in caplog.text


def test_every_sink_can_be_started_again(tmp_path: Path, make_event: MakeEvent, until: Until) -> None:
    """What the journal missed meanwhile is told to the broker as a range of numbers."""
    outbox = Outbox(messages=100, size=1_000_000, stats=Stats())
    numbering = Numbering(tmp_path / "sequence")
    journal = JournalSink(JournalSettings(events=100), tmp_path / "journal.sqlite3", pack=None, labels=(), backbone="",
                          numbering=numbering, stats=Stats(), outbox=outbox)
    log = LogSink(LogSettings(events=str(tmp_path / "log")), "kitchen")
    watch = WatchSink(tmp_path, "kitchen")
    for sink in (journal, log, watch):
        sink.start()
    for _round in range(3):
        for _ in range(2):
            event = make_event(sequence=numbering.next())
            for sink in (journal, log, watch):
                sink.event(event)
        numbering.next()
        for sink in (journal, log, watch):
            sink.stop()
            sink.start()
            assert sink.state.startswith("ok")
    for sink in (journal, log, watch):
        sink.stop()
    assert len(recent(tmp_path / "journal.sqlite3", 10)) == len((tmp_path / "log").read_text().splitlines()) == 6
    assert [(each.first, each.last) for each in outbox.changes().dropped] == [(3, 3), (6, 6)]
    assert [message.sequence for message in outbox.messages(unsaved=False)] == [1, 2, 4, 5, 7, 8]


@pytest.mark.big
def test_the_broker_s_sink_connects_again_after_its_failure(
        broker: PrivateBroker, start_mqtt: Callable[..., MqttSink], until: Until) -> None:
    sink = start_mqtt(broker.settings())
    until(lambda: sink.state == "connected")
    sink.stop()
    sink.start()
    until(lambda: sink.state == "connected")
