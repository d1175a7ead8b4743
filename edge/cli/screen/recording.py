"""A recording as the appliance would hear it, for this view alone."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from edge.app import Appliance, build
from edge.settings import CommandSettings, LogSettings, MqttSettings, Settings, WatchSettings
from edge.settings.panel import LedSettings
from edge.sinks.watching.client import received
from edge.sinks.watching.messages import Message, event_message, hearing_message, message, to_line
from edge.stream import Bands, Event, Hearing, Sound


class RecordingFeed:
    """A recording, heard by an appliance of its own in a thread of its own: every label is computed, nothing is sent.

    To that appliance it is sink and watcher. Messages pass through a pair of sockets: where the view is slow
    the recording waits, and nothing of it is lost.
    """

    name = "watch"
    state = "ok"
    waiting_messages = 0
    live = False
    watching, wants_bands, wants_sound = True, False, False
    note = ""

    def __init__(self, settings: Settings, state_dir: Path) -> None:
        """settings: `source` names the recording. Raises EdgeError as `build` does."""
        self.ended = self.failed = False
        alone = replace(settings, mqtt=MqttSettings(), pin=(), button=(), led=LedSettings(), command=CommandSettings(),
                        log=LogSettings(events=""), watch=WatchSettings(enabled=False))
        self._appliance: Appliance = build(alone, state_dir, extra_sinks=[self], watcher=self, every_label=True)
        self._device = settings.device.name
        self._ours, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._ours.setblocking(False)
        self._error: BaseException | None = None
        model = self._appliance.model
        self._tell(message("about", None, device=self._device, about={
            "model": model.manifest.name, "runtime": model.describe(), "source": "ok",
            "file": Path(settings.source.path).name}))
        self._thread = threading.Thread(target=self._run, name="recording", daemon=True)
        self._thread.start()

    def descriptors(self) -> list[int]:
        """What has something to read when something has come, or when all has come."""
        return [self._ours.fileno()]

    def take(self) -> list[Message]:
        """Messages, in order. Raises what ended the recording before its end (EdgeError), after all that came before it."""
        told, over = received(self._ours)
        if over and not told:
            self.ended = True
            self._thread.join()
            if self._error is not None:
                raise self._error
        return told

    def close(self) -> None:
        """Stop hearing. Once."""
        self._appliance.stop()
        self._ours.close()
        self._thread.join()

    def start(self) -> None:
        """As a sink: nothing to take."""

    def event(self, event: Event) -> None:
        """As a sink."""
        self._tell(event_message(event, self._device, None))

    def hearing(self, hearing: Hearing) -> None:
        """As a watcher."""
        self._tell(hearing_message(hearing, self._appliance.model.patch_samples, None))

    def bands(self, bands: Bands) -> None:
        """As a watcher: not wanted."""

    def sound(self, sound: Sound) -> None:
        """As a watcher: not wanted."""

    def health(self, health: Mapping[str, object]) -> None:
        """As a sink: of no interest here."""

    def stop(self) -> None:
        """As a sink: nothing to give back."""

    def _run(self) -> None:
        try:
            self._appliance.run()
        except BaseException as error:  # for the thread that looks: `take` raises it there
            self._error, self.failed = error, True
        finally:
            self._theirs.close()

    def _tell(self, told: Message) -> None:
        with contextlib.suppress(OSError):  # the view was closed: nobody looks any more
            self._theirs.send(to_line(told))
