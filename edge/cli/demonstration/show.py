"""The demo: the whole appliance on bundled sounds, seen from a subscriber's side, with the pin changes beside it."""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from edge.app import build
from edge.cli.demonstration.broker import PrivateBroker
from edge.cli.demonstration.scenes import Expected, Heard, Scene
from edge.errors import SinkError
from edge.settings import LogSettings, MqttSettings, Settings, SourceSettings, WatchSettings
from edge.settings.panel import LedSettings
from edge.settings.pins import PinSettings
from edge.sinks.mqtt.subscriber import Subscriber
from edge.topics import OFFLINE, Topics

FIRST_PIN = 22
PATIENCE_SECONDS = 10.0
"""How long a message may take from the appliance to the subscriber on one machine."""


class View:
    """What a subscriber receives from one device: events are shown and kept, its last word is waited for."""

    def __init__(self, device: str, say: Callable[[str], None]) -> None:
        """say: called with a line for each event."""
        self._topics = Topics(MqttSettings().prefix, device)
        self._say = say
        self._offline = threading.Event()
        self.messages: list[dict[str, Any]] = []

    def receive(self, topic: str, payload: str, _retained: bool) -> None:
        """Take one message."""
        if topic == self._topics.status and payload == OFFLINE:
            self._offline.set()
        if topic.startswith(self._topics.event("-")[:-1]):
            message = json.loads(payload)
            self.messages.append(message)
            lasted = message["duration_seconds"]
            told = f"lasted {lasted:.2f} s" if lasted is not None else f"probability {message['probability']:.2f}"
            self._say(f"{topic:<36} {message['phase']:<6} {message['ended_at'] or message['started_at']}  {told}")

    def wait_for_the_end(self) -> None:
        """Wait for the appliance's `offline`, which comes after all that it sent. Raises SinkError."""
        if not self._offline.wait(PATIENCE_SECONDS):
            raise SinkError("demo subscriber", found=f"no {OFFLINE!r} within {PATIENCE_SECONDS:g} s",
                            wanted="the appliance's last message")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One scene heard once: what was expected, and what the subscriber received."""

    scene: Scene
    paced: bool
    missed: tuple[Expected, ...]
    extra: tuple[Heard, ...]
    pin_changes: int

    @property
    def right(self) -> bool:
        """Everything expected was heard, nothing else was, and the pins moved if anything was."""
        return not self.missed and not self.extra and bool(self.scene.events) == bool(self.pin_changes)


def play(scene: Scene, settings: Settings, state_dir: Path, *, paced: bool, say: Callable[[str], None]) -> Outcome:
    """Run the appliance on one scene against a broker of its own, and compare what a subscriber received."""
    device = settings.device.name
    changes: list[tuple[str, bool]] = []
    lock = threading.Lock()

    def tell(text: str) -> None:
        with lock:
            say(text)

    def pin_changed(pin: str, on: bool) -> None:
        changes.append((pin, on))
        tell(f"{'':<44}pin {pin} {'on' if on else 'off'}")

    view = View(device, lambda line: tell("  " + line))
    # In a folder of its own: the demonstration must not deliver what waits for the owner's broker.
    with PrivateBroker() as broker, tempfile.TemporaryDirectory(prefix="edge-audio-demo-") as records:
        mqtt = broker.settings()
        with Subscriber(mqtt, [f"{mqtt.prefix}/#"], view.receive):
            wired = replace(settings, mqtt=mqtt,
                            source=SourceSettings(kind="file", path=str(scene.file), paced=paced))
            appliance = build(wired, state_dir, on_pin_change=pin_changed, records_dir=Path(records))
            appliance.run()
            view.wait_for_the_end()
    # When the scene began, and not when the appliance did: a slow board takes seconds to start its parts.
    started = appliance.listener.clock.unix_seconds(0)
    heard = [Heard(str(message["target"]), _unix(str(message["started_at"])) - started)
             for message in view.messages if message["phase"] == "start"]
    missed, extra = scene.compare(heard)
    return Outcome(scene, paced, missed, extra, len(changes))


def demo_settings(settings: Settings, targets: tuple[str, ...]) -> Settings:
    """Simulated pins, one for each target: sounds that last hold theirs, short ones pulse."""
    pins = tuple(PinSettings(pin=str(FIRST_PIN + number), target=target, factory="simulated",
                             action="hold" if target == "typing" else "pulse")
                 for number, target in enumerate(targets))
    return replace(settings, target=(), device=replace(settings.device, name="demo"), pin=pins, button=(),
                   led=LedSettings(), log=LogSettings(events="", level="warning"), watch=WatchSettings(enabled=False))


def _unix(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
