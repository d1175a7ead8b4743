"""What comes back in: commands and reloads, done one after another by a thread of their own.

A refit takes seconds and has a second thread, so that whoever mutes need not wait for it. Nothing that takes time (a
disk, a model to open, a refit) happens in the listener's thread or in the one that talks to the broker. What changes
how the appliance hears is made whole here, and then crosses on the control queue.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from edge.control.changes import Change, Control
from edge.control.commanded import Commanded, save_commanded
from edge.control.commands import Command, Feedback, Identify, Mute, Outcome, PinTest, Reload, Threshold, Unmute
from edge.control.current import Serving, other_tables
from edge.control.inbox import Answer, Inbox, Refitted
from edge.control.memory import give_back
from edge.control.plan import Plan
from edge.errors import CommandError, EdgeError, SinkError, shown
from edge.settings import Settings

LOG = logging.getLogger(__name__)

PATIENCE_SECONDS = 10.0
"""How long the listener may take over a change: it takes one at every block, and at least once a second."""
STOP_SECONDS = 2.0


class Pins(Protocol):
    """The pins, as far as commands move them."""

    def identify(self) -> Sequence[str]:
        """Blink with the pins that are there for it; their names."""

    def test(self, name: str) -> str | None:
        """Do once what an event makes a pin do; the pin as the settings name it, None for a pin that is not there."""


Refit = Callable[[Settings, Feedback], Mapping[str, object]]
"""Take feedback in, which takes seconds; how it came out. Raises EdgeError."""


class Steering:
    """Owns what serves. `muted` and `serving` may be read from any thread."""

    def __init__(self, serving: Serving, inbox: Inbox, control: Control, commanded: Commanded, *, records_dir: Path,
                 serve_anew: Callable[[Serving, Settings], Serving], refit: Refit,
                 read_settings: Callable[[], Settings] | None = None, pins: Pins | None = None,
                 on_muted: Callable[[bool], None] = lambda on: None,
                 on_serving: Callable[[Serving, Plan], None] = lambda serving, plan: None,
                 around_reload: Callable[[], AbstractContextManager[None]] = nullcontext) -> None:
        """commanded: what holds from before, which lies in records_dir; `start` puts it in force.

        serve_anew: what serves with other settings, and what was taught and calibrated since; raises EdgeError.
        read_settings: reads the settings again; None: a reload keeps them as they were. on_muted, on_serving: called
        in the listener's thread when the change is in force; both return at once. around_reload: entered for each.
        """
        self.serving = serving
        self.inbox = inbox
        self._control = control
        self._commanded = commanded
        self._records_dir = records_dir
        self._serve_settings = serve_anew
        self._take_in = refit
        self._read_settings = read_settings
        self._pins = pins
        self._on_muted = on_muted
        self._on_serving = on_serving
        self._around_reload = around_reload
        self._saved = False
        self.muted = commanded.muted
        self._unmute_at: float | None = None
        self._thread: threading.Thread | None = None
        self._refitting: threading.Thread | None = None

    def about(self) -> dict[str, object]:
        """For health."""
        serving = self.serving
        return {"model": serving.model.manifest.name, "runtime": serving.model.describe(),
                "delegate": serving.model.undelegated or "ok", "calibration": serving.calibrations.about(),
                "muted": self.muted, "commanded_thresholds": dict(serving.thresholds)}

    def start(self) -> None:
        """Put in force what was commanded before this start, and begin to take commands."""
        if self.muted:
            LOG.warning("muted before this start, by a command or a button: nothing is heard until it is unmuted")
            self._control.put(Change(muted=True))
        for target, threshold in self.serving.commanded().items():
            LOG.warning("threshold of %s is %g by a command (null takes it back)", target, threshold)
        self._on_muted(self.muted)
        self._thread = threading.Thread(target=self._run, name="steering", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Take no more; what is being done has a moment to end. Safe twice."""
        self.inbox.close()
        for thread in (self._thread, self._refitting):
            if thread is not None:
                thread.join(STOP_SECONDS)

    def _run(self) -> None:
        while not self.inbox.closed:
            pause = None if self._unmute_at is None else max(self._unmute_at - time.monotonic(), 0.0)
            try:
                job = self.inbox.take(pause)
            except queue.Empty:
                self._mute_ends()
                continue
            if self.inbox.closed:
                return
            command, answer = job if job is not None else (Reload(), _said)
            if isinstance(command, Feedback) and (self._refitting is None or not self._refitting.is_alive()):
                self._refitting = threading.Thread(target=self._refit, args=(command, answer), name="refit", daemon=True)
                self._refitting.start()
                continue
            try:
                outcome: Outcome = self._do(command)
            except EdgeError as error:
                outcome = error
            answer(outcome)

    def _do(self, command: Command | Refitted) -> Mapping[str, object]:
        match command:
            case Mute(on=True, seconds=seconds):
                return self._mute(True, seconds)
            case Mute(on=None):
                return self._mute(not self.muted, None)
            case Unmute() | Mute():
                return self._mute(False, None)
            case Reload():
                with self._around_reload():
                    return {"targets": list(self._reload().targets.names)}
            case Identify():
                return {"pins": list(self._pins.identify()) if self._pins is not None else []}
            case PinTest(pin=pin):
                tested = self._pins.test(pin) if self._pins is not None else None
                if tested is None:
                    pins = [each.pin for each in self.serving.settings.pin]
                    raise CommandError("pin", found=shown(pin), wanted=_one_of(pins))
                return {"pin": tested}
            case Threshold(target=target, threshold=threshold):
                return self._threshold(target, threshold)
            case Feedback():
                raise CommandError("feedback", found="another one at work", wanted="one after another")
            case Refitted(counts=counts):
                self._serve_anew(self.serving.settings)
                return counts

    def _mute(self, on: bool, seconds: float | None) -> Mapping[str, object]:
        self._apply(Change(muted=on, taken=lambda: self._now_muted(on)))
        self._unmute_at = None if seconds is None else time.monotonic() + seconds
        kept = self._keep(replace(self._commanded, muted=on and seconds is None))
        return {"muted": on, "seconds": seconds, "kept": kept and seconds is None}

    def _now_muted(self, on: bool) -> None:
        self.muted = on
        self._on_muted(on)

    def _mute_ends(self) -> None:
        try:
            self._apply(Change(muted=False, taken=lambda: self._now_muted(False)))
            self._unmute_at = None
            LOG.info("unmuted: its time is over")
        except CommandError:  # the listener is busy, or has ended: again in a moment
            self._unmute_at = time.monotonic() + 1.0

    def _threshold(self, target: str, threshold: float | None) -> Mapping[str, object]:
        model = self.serving.model.manifest.name
        commanded = self._commanded.with_threshold(model, target, threshold)
        serving = replace(self.serving, thresholds=commanded.of(model))
        plan = serving.plan()
        now = {sound.name: sound.threshold for sound in plan.targets.sounds}
        now |= {alarm.name: alarm.threshold for alarm in plan.targets.rhythms}
        if target not in now:
            raise CommandError("target", found=shown(target), wanted=f"a sound that is heard: {_one_of(now)}")
        self._serve(serving, plan)
        return {"target": target, "threshold": round(now[target], 4), "commanded": threshold is not None,
                "kept": self._keep(commanded)}

    def _refit(self, command: Feedback, answer: Answer) -> None:
        """In a thread of its own: a refit takes seconds."""
        try:
            counts = self._take_in(self.serving.settings, command)
        except EdgeError as error:
            answer(error)
        else:
            self.inbox.refitted(counts, answer)

    def _reload(self) -> Plan:
        """Whole or not at all: what fails leaves what serves as it is. Raises EdgeError."""
        before = self.serving.settings
        settings = self._read_settings() if self._read_settings is not None else before
        plan = self._serve_anew(settings)
        for table in other_tables(before, settings):
            LOG.warning("reload: %s has changed, which takes a new start", table)
        LOG.info("reload: hearing %s", ", ".join(plan.targets.names))
        return plan

    def _serve_anew(self, settings: Settings) -> Plan:
        serving = self._serve_settings(self.serving, settings)
        self._serve(serving, plan := serving.plan())
        give_back()  # what served before has gone; without this each of the first reloads costs memory
        return plan

    def _serve(self, serving: Serving, plan: Plan) -> None:
        def taken() -> None:
            self.serving = serving
            self._on_serving(serving, plan)

        self._apply(Change(plan=plan, taken=taken))

    def _apply(self, change: Change) -> None:
        """Have the listener make a change, and wait until it is in force. Raises CommandError where it will not be."""
        if not self._control.put(change):
            raise CommandError("listener", found="too many changes at once, or the end", wanted="one after another")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not change.settled.wait(0.2):
            if (self.inbox.closed or time.monotonic() >= deadline) and self._control.withdraw(change):
                raise CommandError("listener", found="no answer", wanted="one that hears")

    def _keep(self, commanded: Commanded) -> bool:
        """Whether a restart will know it; it holds until then in any case."""
        if commanded == self._commanded and self._saved:
            return True
        self._commanded, self._saved = commanded, False
        try:
            save_commanded(self._records_dir, commanded)
        except SinkError as error:
            LOG.error("command: %s; it holds until the next start", error)
            return False
        self._saved = True
        return True


def _said(outcome: Outcome) -> None:
    """Nobody waits for the answer to a signal: what went wrong is said in the log."""
    if isinstance(outcome, EdgeError):
        LOG.error("reload: %s; what was heard before is still heard", outcome)


def _one_of(names: Iterable[str]) -> str:
    return f"one of {listed}" if (listed := ", ".join(names)) else "nothing: there is none"
