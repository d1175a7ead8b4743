"""A recording as the appliance would hear it, for this view alone."""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from edge.app import Appliance, build
from edge.settings import CommandSettings, LogSettings, MqttSettings, Settings
from edge.sinks.watching.messages import Message, event_message, hearing_message, message
from edge.stream import Event, Hearing

AHEAD = 256
"""Messages that a recording may be ahead of the view; then it waits: nothing of it is lost."""


class RecordingFeed:
    """A recording, heard by an appliance of its own in a thread of its own: every label is computed, nothing is sent.

    To that appliance it is sink and watcher.
    """

    name = "watch"
    state = "ok"
    waiting_messages = 0
    live = False
    watching = True

    def __init__(self, settings: Settings, state_dir: Path) -> None:
        """settings: `source` names the recording. Raises EdgeError as `build` does."""
        self.ended = self.failed = False
        self.note = ""
        alone = replace(settings, mqtt=MqttSettings(), pin=(), command=CommandSettings(), log=LogSettings(events=""))
        self._appliance: Appliance = build(alone, state_dir, extra_sinks=[self], watcher=self, every_label=True)
        self._device = settings.device.name
        self._told: queue.Queue[Message] = queue.Queue(AHEAD)
        self._bell, self._ring = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._closing = False
        self._over = False
        self._error: BaseException | None = None
        model = self._appliance.model
        self._told.put(message("about", None, device=self._device, about={
            "model": model.manifest.name, "runtime": model.describe(), "source": "ok",
            "file": Path(settings.source.path).name}))
        self._thread = threading.Thread(target=self._run, name="recording", daemon=True)
        self._thread.start()

    def descriptors(self) -> list[int]:
        """A pipe that is written to when something has come."""
        return [self._bell]

    def take(self) -> list[Message]:
        """Messages, in order. Raises what ended the recording before its end (EdgeError), after all that came before it."""
        with contextlib.suppress(BlockingIOError):
            os.read(self._bell, 65_536)
        over = self._over  # first: what is told before it is over is in the queue by then
        told: list[Message] = []
        with contextlib.suppress(queue.Empty):
            while True:
                told.append(self._told.get_nowait())
        if over and self._error is not None:
            if not told:
                raise self._error
            self._ring_bell()  # to be asked again
        else:
            self.ended = over
        return told

    def close(self) -> None:
        """Stop hearing. Once."""
        self._closing = True
        self._appliance.stop()
        self._thread.join()
        os.close(self._bell)
        os.close(self._ring)

    def start(self) -> None:
        """As a sink: nothing to take."""

    def event(self, event: Event) -> None:
        """As a sink."""
        self._tell(event_message(event, self._device, None))

    def hearing(self, hearing: Hearing) -> None:
        """As a watcher."""
        self._tell(hearing_message(hearing, self._appliance.model.patch_samples, None))

    def health(self, health: Mapping[str, object]) -> None:
        """As a sink: of no interest here."""

    def stop(self) -> None:
        """As a sink: nothing to give back."""

    def _run(self) -> None:
        try:
            self._appliance.run()
        except BaseException as error:  # for the thread that looks: `take` raises it there
            self._error, self.failed = error, True
        self._over = True
        self._ring_bell()

    def _tell(self, told: Message) -> None:
        while not self._closing:
            try:
                self._told.put(told, timeout=0.1)
            except queue.Full:
                continue
            self._ring_bell()
            return

    def _ring_bell(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(self._ring, b"\n")
