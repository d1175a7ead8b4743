"""What the sinks' tests share: made-up events, a real broker, an independent subscriber, a door that can be shut."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client, MQTTMessage, MQTTv5, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion

from edge.cli.demonstration.broker import PrivateBroker
from edge.settings import MqttSettings
from edge.sinks.messages import message_of
from edge.sinks.mqtt.discovery import Board, TargetEntities
from edge.sinks.mqtt.sink import MqttSink
from edge.sinks.outbox import Outbox
from edge.sinks.watching.sink import WatchSink
from edge.stats import Stats
from edge.stream import SAMPLE_RATE, Event, new_event_id
from edge.topics import Topics
from tests.sinks.certificates import Authority
from tests.sinks.door import Door
from tests.sinks.gpio_sim import Chip, Trace
from tests.sinks.looking import Looker


@pytest.fixture
def make_event() -> Callable[..., Event]:
    """make_event(phase="start", target="clap", at=None, lasted=0.25, **others) -> Event, `sequence` counting from 1."""
    sequence = iter(range(1, 1_000_000))

    def make(phase: str = "start", target: str = "clap", *, at: datetime | None = None, lasted: float = 0.25,
             **others: Any) -> Event:
        started = at or datetime.now(UTC)
        ended = None if phase == "start" else started + timedelta(seconds=lasted)
        values = {"id": new_event_id(started.timestamp()), "sequence": next(sequence), "phase": phase,
                  "target": target, "label": "hand_clap", "probability": 0.9, "score": 0.5, "start": 16_000,
                  "end": None if ended is None else 16_000 + round(lasted * SAMPLE_RATE), "started_at": started,
                  "ended_at": ended, "level_dbfs": -20.0}
        return Event(**(values | others))

    return make


class Ear:
    """An independent subscriber (paho's own loop, not our code): every message, in order, and a way to await one."""

    def __init__(self, broker: PrivateBroker, topics: Sequence[str] = ("#",)) -> None:
        self._changed = threading.Condition()
        self.messages: list[tuple[str, str, bool]] = []
        subscribed = threading.Event()
        settings = broker.settings()
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5 if settings.protocol == "5" else MQTTv311)
        if settings.user:
            self._client.username_pw_set(settings.user, Path(settings.password_file).read_text().strip())
        self._client.on_connect = lambda *_: self._client.subscribe([(topic, 1) for topic in topics])
        self._client.on_subscribe = lambda *_: subscribed.set()
        self._client.on_message = self._on_message
        self._client.connect(broker.host, broker.port)
        self._closing = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert subscribed.wait(30)

    def _run(self) -> None:
        while not self._closing and self._client.loop(0.05) == 0:
            pass
        self._client.disconnect()

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        if message.topic.startswith("$"):
            return  # NATS 2.9 gives who asks for # what it tells itself, too
        with self._changed:
            self.messages.append((message.topic, message.payload.decode(), message.retain))
            self._changed.notify_all()

    def wait_for(self, wanted: Callable[[list[tuple[str, str]]], bool]) -> list[tuple[str, str]]:
        """Wait until `wanted`, asked of [(topic, payload)] so far, is true; those messages."""
        with self._changed:
            assert self._changed.wait_for(lambda: wanted(self.heard()), timeout=60), self.heard()
            return self.heard()

    def heard(self) -> list[tuple[str, str]]:
        return [(topic, payload) for topic, payload, _retained in self.messages]

    def events(self) -> list[dict[str, Any]]:
        """The payloads of all events so far."""
        return [json.loads(payload) for topic, payload in self.heard() if "/event/" in topic]

    def close(self) -> None:
        self._closing = True
        self._thread.join()


@pytest.fixture
def broker(request: pytest.FixtureRequest) -> Iterator[PrivateBroker]:
    """A real broker that lets everybody in: Mosquitto, or what `every_broker` says."""
    with getattr(request, "param", PrivateBroker)() as broker:
        yield broker


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A CA of the tests' own."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def listen() -> Iterator[Callable[..., Ear]]:
    """listen(broker, *topics) -> Ear of these topics, else of all, closed at the end."""
    ears: list[Ear] = []

    def make(broker: PrivateBroker, *topics: str) -> Ear:
        ears.append(Ear(broker, topics) if topics else Ear(broker))
        return ears[-1]

    yield make
    for ear in ears:
        ear.close()


def board_of(*targets: str, pins: tuple[str, ...] = ()) -> Board:
    """A board called kitchen."""
    return Board(Topics("edge-audio", "kitchen"), "1.2.3", "starter", tuple(map(TargetEntities, targets)), pins)


class Offering(MqttSink):
    """An MqttSink whose events are made at once. Home Assistant is told nothing, unless there is a `board`."""

    def __init__(self, settings: MqttSettings, targets: tuple[str, ...], stats: Stats, *, board: Board | None = None,
                 **others: Any) -> None:
        self.outbox = Outbox(messages=settings.queue_events, size=settings.queue_bytes, stats=stats)
        settings = replace(settings, discovery=settings.discovery and board is not None)
        super().__init__(settings, board or board_of(*targets), self.outbox, **others)

    def event(self, event: Event) -> None:
        super().event(event)
        self.outbox.offer([message_of(event, device="kitchen", boot=self._clock.boot)], saved=True)


@pytest.fixture
def start_mqtt() -> Iterator[Callable[..., MqttSink]]:
    """start_mqtt(settings, targets=("clap",), stats=None, **clocks) -> a started MqttSink that offers its events itself,
    as a journal would, stopped at the end."""
    sinks: list[MqttSink] = []

    def make(settings: MqttSettings, targets: tuple[str, ...] = ("clap",), stats: Stats | None = None,
             **others: Any) -> MqttSink:
        sinks.append(Offering(settings, targets, stats or Stats(), **others))
        sinks[-1].start()
        return sinks[-1]

    yield make
    for sink in sinks:
        sink.stop()


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], None]:
    """until(true) waits for something that nobody announces; fails after a minute."""

    def wait(true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not true():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    return wait


@pytest.fixture
def make_door() -> Iterator[Callable[..., Door]]:
    """make_door(port, answer=None) -> Door, closed at the end."""
    doors: list[Door] = []

    def make(port: int, answer: bytes | None = None) -> Door:
        doors.append(Door(port, answer))
        return doors[-1]

    yield make
    for door in doors:
        door.close()


@pytest.fixture
def watch_sink(tmp_path: Path) -> Iterator[WatchSink]:
    """A watch socket that is served."""
    sink = WatchSink(tmp_path / "state", "kitchen", lambda: {"model": "starter", "source": "ok"})
    sink.start()
    yield sink
    sink.stop()


@pytest.fixture(autouse=True)
def _hang_up() -> Iterator[None]:
    yield
    while Looker.all:
        Looker.all.pop().client.close()


@pytest.fixture
def make_chip() -> Iterator[Callable[..., Chip]]:
    """make_chip(label="pinctrl-bcm2711", lines=58) -> a chip of gpio-sim, taken away at the end."""
    chips: list[Chip] = []

    def make(label: str = "pinctrl-bcm2711", lines: int = 58) -> Chip:
        chips.append(Chip(label, lines))
        return chips[-1]

    yield make
    for chip in reversed(chips):
        chip.end()


@pytest.fixture
def trace() -> Iterator[Trace]:
    """What the kernel does to lines."""
    trace = Trace()
    yield trace
    trace.end()
