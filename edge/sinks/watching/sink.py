"""What is heard now, for `edge-audio watch` and the page: a socket in the state directory, for this user and root only.

The kernel keeps the borders of messages (SOCK_SEQPACKET) and queues them for each watcher, so the listener's
thread sends them itself: a send that finds no room returns at once. A watcher that stops reading loses
messages and is told how many; one that is killed is forgotten. While nobody watches nothing is made, and the
thread that takes watchers in sleeps. That thread also takes what watchers ask; a command crosses on the queue that
has those of MQTT and the buttons, and whoever does it sends the answer.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import socket
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from edge.control.commands import Act
from edge.errors import SinkError
from edge.sinks.watching.audience import Audience
from edge.sinks.watching.bands import bands_messages
from edge.sinks.watching.door import Door
from edge.sinks.watching.messages import event_message, hearing_message, to_line
from edge.sinks.watching.socket import NAME, listening, welcome
from edge.sinks.watching.sound import sound_messages
from edge.sinks.watching.watcher import Watcher
from edge.state import private_folder
from edge.stream import PATCH_SAMPLES, Bands, Event, Hearing, Sound

LOG = logging.getLogger(__name__)

WATCHERS = 8
"""So many may watch at once. One more is told so and sent away."""

LOOK_SECONDS = 1.0
"""How often, while anybody watches, the appliance is asked for its state."""


class WatchSink:
    """A sink, and a watcher of the listener: what it hears goes to whoever connects to the socket.

    Where the socket cannot be had (the folder cannot be written, another appliance has it) the appliance goes on
    without, and `state` says why: hearing matters more than being watched.
    """

    name = "watch"
    waiting_messages = 0

    def __init__(self, state_dir: Path, device: str, about: Callable[[], Mapping[str, object]] = dict, *,
                 act: Act = lambda command, answer: False, counters: Callable[[], Mapping[str, object]] = dict,
                 pins: Mapping[str, bool] = MappingProxyType({}), patch_samples: int = PATCH_SAMPLES,
                 utc: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic) -> None:
        """about: what the appliance says of itself (model, source state ...), asked anew; so is `counters`.

        act: takes a watcher's command; returns at once. pins: what each is at the start. patch_samples: how far the
        model's patches reach; utc: seconds since 1970; monotonic: seconds that only grow.
        """
        self.path = state_dir / NAME
        self.state = "ok"
        self._device, self._about = device, about
        self._counters, self._patch_samples = counters, patch_samples
        self._monotonic = monotonic
        self._audience = Audience(utc, pins)
        self._door = Door(self._audience, act)
        self._listener: socket.socket | None = None
        self._identity: os.stat_result | None = None
        self._thread: threading.Thread | None = None
        self._told: Mapping[str, object] = {}
        self._began = monotonic()

    @property
    def watching(self) -> bool:
        """Whether anybody looks. While nobody does, no hearing need be made."""
        return bool(self._audience.watchers)

    def start(self) -> None:
        """Offer the socket. Never raises: a reason why not is said once and kept in `state`."""
        try:
            private_folder(self.path.parent)
            self._listener = listening(self.path)
            self._identity = self.path.lstat()
        except OSError as error:
            self.state = str(error) if isinstance(error, SinkError) else f"{self.path}: {error.strerror or error}"
            LOG.warning("watch: %s; this appliance cannot be watched", self.state)
            return
        self.state = "ok"
        self._thread = threading.Thread(target=self._serve, args=(self._listener,), name=self.name, daemon=True)
        self._thread.start()

    def event(self, event: Event) -> None:
        """Keep the event for watchers who come later, and tell those who watch now; returns at once."""
        self._audience.tell(to_line(event_message(event, self._device, self._audience.now())), keep=True)

    def hearing(self, hearing: Hearing) -> None:
        """Tell those who watch; returns at once."""
        if self.watching:
            line = to_line(hearing_message(hearing, self._patch_samples, self._audience.now()))
            self._audience.tell(line, minor=True)

    @property
    def wants_bands(self) -> bool:
        """Whether anybody wants the bands."""
        return self._audience.wants("bands")

    def bands(self, bands: Bands) -> None:
        """Tell those who want it; returns at once."""
        for told in bands_messages(bands, self._audience.now()):
            self._audience.tell(to_line(told), minor=True, of="bands")

    @property
    def wants_sound(self) -> bool:
        """Whether anybody wants the sound."""
        return self._audience.wants("sound")

    def sound(self, sound: Sound) -> None:
        """Tell those who want it; returns at once."""
        for told in sound_messages(sound, self._audience.now()):
            self._audience.tell(to_line(told), minor=True, of="sound")

    def pin(self, pin: str, on: bool) -> None:
        """Note what a pin is, and tell those who want to know; returns at once. From any thread."""
        self._audience.pin(pin, on)

    def health(self, health: Mapping[str, object]) -> None:
        """Nothing: the appliance's state is looked at every second while anybody watches."""

    def stop(self) -> None:
        """Say goodbye and take the socket away. Safe twice."""
        listener, self._listener = self._listener, None
        if listener is None or self._thread is None:
            return
        listener.shutdown(socket.SHUT_RDWR)  # wakes the thread
        self._thread.join()
        listener.close()
        self._audience.leave(*self._audience.watchers, goodbye=self._audience.line("bye"))
        with contextlib.suppress(OSError):
            if self._identity is not None and os.path.samestat(self.path.lstat(), self._identity):
                self.path.unlink()

    # From here on: the sink's own thread.

    def _serve(self, listener: socket.socket) -> None:
        poll = select.poll()
        poll.register(listener, select.POLLIN)
        look_at = 0.0
        while self._listener is not None:
            ready = poll.poll(max(look_at - time.monotonic(), 0.0) * 1000 if self.watching else None)
            if self._listener is None:
                return
            for descriptor, events in ready:
                if descriptor != listener.fileno():
                    self._attend(descriptor, events, poll)
                elif (watcher := self._accept(listener)) is not None:
                    poll.register(watcher.connection, select.POLLIN)
            if self.watching and time.monotonic() >= look_at:
                look_at = time.monotonic() + LOOK_SECONDS
                self._look()

    def _look(self) -> bytes:
        """Tell all who watch what has changed with the appliance; the line that tells of it."""
        about = dict(self._about())
        line = self._audience.line("about", device=self._device, about=about)
        self._audience.tell(line if about != self._told else b"")
        self._told = about
        if self._audience.wants("health"):
            health = {"uptime_seconds": round(self._monotonic() - self._began, 1), **self._counters()}
            self._audience.tell(self._audience.line("health", health=health), minor=True, of="health")
        return line

    def _accept(self, listener: socket.socket) -> Watcher | None:
        try:
            connection, _ = listener.accept()
        except BlockingIOError:  # it hung up before it was answered
            return None
        except OSError:
            time.sleep(0.1)  # no descriptor is left: who waits at the door must not keep this thread busy
            return None
        if not welcome(connection):
            connection.close()
            return None
        watcher = Watcher(connection, self._monotonic)
        if len(self._audience.watchers) >= WATCHERS:
            self._audience.leave(watcher, goodbye=self._audience.line("refused", reason=f"{WATCHERS} watch already"))
            return None
        self._audience.greet(watcher, self._look())
        return watcher

    def _attend(self, descriptor: int, events: int, poll: select.poll) -> None:
        """Take one request of the watcher that spoke; of one that hung up all that are left, and forget it."""
        watcher = next(each for each in self._audience.watchers if each.connection.fileno() == descriptor)
        gone = bool(events & ~select.POLLIN)
        while packet := watcher.receive():
            stays = self._door.take(watcher, packet)
            if not stays or not gone:
                break
        else:
            stays = True
            if packet is not None and not gone:  # it has shut down its side only, as socat does, and listens on
                poll.modify(watcher.connection, 0)
        if gone or not stays:
            poll.unregister(watcher.connection)
            self._audience.leave(watcher)
