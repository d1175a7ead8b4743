"""The demo: the whole appliance on bundled sounds, seen from a subscriber's side, with the pin changes beside it."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from edge.app import build
from edge.demo.broker import PrivateBroker
from edge.demo.scenes import Expected, Heard, Scene
from edge.errors import SinkError
from edge.settings import LogSettings, MqttSettings, PinSettings, Settings, SourceSettings
from edge.topics import OFFLINE, Topics

FIRST_PIN = 17
PATIENCE_SECONDS = 10.0
"""How long a message may take from the appliance to the subscriber on one machine."""


class Subscriber:
    """`mosquitto_sub` on everything that the device says: an independent program's view."""

    def __init__(self, host: str, port: int, device: str, say: Callable[[str], None]) -> None:
        """say: called with a line for each event. Raises SinkError where mosquitto_sub is missing."""
        self._topics = Topics("edge-audio", device)
        self._say = say
        self.messages: list[dict[str, object]] = []
        self._offline = threading.Event()
        self.ready = threading.Event()
        try:
            self._process = subprocess.Popen(
                ["mosquitto_sub", "-h", host, "-p", str(port), "-t", "edge-audio/#", "-q", "1", "-F", "%t %p"],
                stdout=subprocess.PIPE, text=True)
        except FileNotFoundError as error:
            raise SinkError("demo", found="no mosquitto_sub", wanted="the Debian package mosquitto-clients") from error
        self._thread = threading.Thread(target=self._read, name="subscriber", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.ready.set()
            topic, _, payload = line.rstrip("\n").partition(" ")
            if topic == self._topics.status and payload == OFFLINE:
                self._offline.set()
            if topic.startswith(self._topics.event("")):
                message = json.loads(payload)
                self.messages.append(message)
                lasted = message["duration_seconds"]
                told = f"lasted {lasted:.2f} s" if lasted is not None else f"probability {message['probability']:.2f}"
                self._say(f"{topic:<36} {message['phase']:<6} {message['started_at']}  {told}")

    def wait_for_the_end(self) -> None:
        """Wait until the appliance has said that it is offline: everything it sent has come. Raises SinkError."""
        if not self._offline.wait(PATIENCE_SECONDS):
            raise SinkError("demo subscriber", found=f"no {OFFLINE!r} within {PATIENCE_SECONDS:g} s",
                            wanted="the appliance's last message")
        self._offline.clear()

    def close(self) -> None:
        """Stop listening."""
        self._process.terminate()
        self._process.wait()
        self._thread.join(PATIENCE_SECONDS)
        assert self._process.stdout is not None
        self._process.stdout.close()


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

    with PrivateBroker() as broker:
        subscriber = Subscriber(broker.host, broker.port, device, lambda line: tell("  " + line))
        try:
            wired = replace(settings, mqtt=MqttSettings(host=broker.host, port=broker.port),
                            source=SourceSettings(kind="file", path=str(scene.file), paced=paced))
            appliance = build(wired, state_dir, on_pin_change=pin_changed)
            started = time.time()
            appliance.run()
            subscriber.wait_for_the_end()
        finally:
            subscriber.close()
    heard = [Heard(str(message["target"]), _unix(str(message["started_at"])) - started)
             for message in subscriber.messages if message["phase"] == "start"]
    missed, extra = scene.compare(heard)
    return Outcome(scene, paced, missed, extra, len(changes))


def demo_settings(settings: Settings, targets: tuple[str, ...]) -> Settings:
    """Simulated pins, one for each target: sounds that last hold theirs, short ones pulse."""
    pins = tuple(PinSettings(pin=str(FIRST_PIN + number), target=target, factory="simulated",
                             action="hold" if target == "typing" else "pulse")
                 for number, target in enumerate(targets))
    return replace(settings, device=replace(settings.device, name="demo"), pin=pins,
                   log=LogSettings(events="", level="warning"))


def _unix(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
