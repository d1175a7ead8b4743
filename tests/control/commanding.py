"""Who commands, and what is commanded: a subscriber of its own, and a whole appliance that hears bundled sounds."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge.app import Appliance, build
from edge.cli.demonstration.broker import PrivateBroker
from edge.settings import Settings, SourceSettings
from edge.sources.open import open_source
from edge.stats import Stats
from edge.stream import Block
from tests.fakes import FakeSink

DEMO = Path(__file__).resolve().parent.parent.parent / "models" / "demo"
PATIENCE_SECONDS = 60


class Owner:
    """Who commands: paho's own loop, not our code. Every message is kept, with MQTT 5's correlation data."""

    def __init__(self, broker: PrivateBroker) -> None:
        self.messages: list[tuple[str, str, bool, bytes]] = []
        self._changed = threading.Condition()
        subscribed = threading.Event()
        self.client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
        self.client.on_connect = lambda *_: self.client.subscribe("#", qos=1)
        self.client.on_subscribe = lambda *_: subscribed.set()
        self.client.on_message = self._on_message
        self.client.connect(broker.host, broker.port)
        self.client.loop_start()
        assert subscribed.wait(PATIENCE_SECONDS)

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        with self._changed:
            topic, payload = message.topic.removeprefix("edge-audio/kitchen/"), message.payload.decode(errors="replace")
            self.messages.append((topic, payload, message.retain, getattr(message.properties, "CorrelationData", b"")))
            self._changed.notify_all()

    def wait_for(self, wanted: Callable[[], Any]) -> Any:
        with self._changed:
            assert self._changed.wait_for(wanted, timeout=PATIENCE_SECONDS), self.messages[-20:]
            return wanted()

    def last(self, topic: str) -> str | None:
        """The newest payload on a topic below the device's."""
        return next((payload for at, payload, *_ in reversed(self.messages) if at == topic), None)

    def send(self, verb: str, payload: bytes | str = b"", *, retain: bool = False, response: str = "",
             correlation: bytes = b"") -> None:
        properties = Properties(PacketTypes.PUBLISH)
        if response:
            properties.ResponseTopic = response
        if correlation:
            properties.CorrelationData = correlation
        self.client.publish(f"edge-audio/kitchen/command/{verb}", payload, qos=1, retain=retain, properties=properties)

    def ask(self, verb: str, payload: dict[str, Any] | None = None) -> dict[str, Any]:
        """Command, and the answer to this very request."""
        request = f"r{len(self.messages)}"
        self.send(verb, json.dumps({**(payload or {}), "request": request}))
        return self.wait_for(lambda: next((answer for answer in self.answers() if answer["request"] == request), None))

    def ask_patiently(self, verb: str) -> dict[str, Any]:
        """Command again and again, until one is not dropped; the answer to it."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (mine := [answer for answer in self.answers() if answer["request"] == "patient"]):
            assert time.monotonic() < deadline
            self.send(verb, '{"request": "patient"}')
            with self._changed:
                self._changed.wait(0.5)
        return mine[0]

    def hear_only(self, *patterns: str) -> None:
        """Of the device's topics these only, and nothing of what others send."""
        self.client.unsubscribe("#")
        for pattern in patterns:
            self.client.subscribe(f"edge-audio/kitchen/{pattern}", qos=1)

    def answers(self, topic: str = "response/") -> list[dict[str, Any]]:
        return [json.loads(payload) for at, payload, *_ in self.messages if at.startswith(topic)]

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


class EndlessSource:
    """A recording again and again, as a live source with positions that go on, faster than it sounds."""

    live = True
    state = "ok"
    hangs = False
    waiting_seconds = 0.0
    trouble = ""

    def hurry(self, seconds: float) -> None:
        """Every block is there at once."""

    def __init__(self, name: str = "claps.wav") -> None:
        source = open_source(SourceSettings(kind="file", path=str(DEMO / name), paced=False), Stats())
        self.script = [block for block in source.blocks() if block is not None]
        self.heard = 0
        self._closing = threading.Event()

    def blocks(self) -> Iterator[Block | None]:
        position = 0
        while not self._closing.is_set():
            for block in self.script:
                if self._closing.wait(0.005):
                    return
                yield Block(block.samples, position, block.format)
                position += block.length
                self.heard += 1

    def close(self) -> None:
        self._closing.set()


@contextmanager
def hearing(appliance: Appliance) -> Iterator[Appliance]:
    """The appliance hears in a thread until the block ends."""
    thread = threading.Thread(target=appliance.run)
    thread.start()
    try:
        yield appliance
    finally:
        appliance.stop()
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()


class Running:
    """A whole appliance in a thread."""

    def __init__(self, settings: Settings, state_dir: Path) -> None:
        self.source, self.sink, self.state_dir = EndlessSource(), FakeSink(), state_dir
        self.pins: list[tuple[str, bool]] = []
        self.read_settings: Callable[[], Settings] = lambda: settings
        self.appliance: Appliance = build(settings, state_dir, source=self.source, extra_sinks=[self.sink],
                                          on_pin_change=lambda pin, on: self.pins.append((pin, on)),
                                          read_settings=lambda: self.read_settings())
        self._thread = threading.Thread(target=self.appliance.run)
        self._thread.start()

    def stop(self) -> None:
        self.appliance.stop()
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive()

    def hears_on(self) -> None:
        """Wait until another clap was told."""
        await_(lambda: sum(event.phase == "start" for event in self.sink.events) > known, known := sum(
            event.phase == "start" for event in self.sink.events))


def await_(wanted: Callable[[], bool], *_: object) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not wanted():
        assert time.monotonic() < deadline
        time.sleep(0.01)
