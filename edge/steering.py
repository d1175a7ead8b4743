"""What comes back in: commands and reloads, done one after another by a thread of its own; only a refit has another, so that
nobody who mutes has to wait for it.

Nothing that takes time (a disk, a model to open, a refit) happens in the listener's thread or in the one that talks to the
broker. What changes how the appliance hears is made whole here, and then crosses on the control queue.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from edge.commanded import Commanded, save_commanded
from edge.commands import Command, Feedback, Identify, Mute, Outcome, PinTest, Threshold, Unmute, shown
from edge.control import Change, Control
from edge.errors import CommandError, EdgeError, SinkError
from edge.plan import Plan
from edge.serving import Serving, other_tables, serving_anew
from edge.settings import Settings
from edge.sinks.gpio import GpioSink

LOG = logging.getLogger(__name__)

WAITING = 16
"""Commands that may wait; one that finds no place is answered so."""

PATIENCE_SECONDS = 10.0
"""How long the listener may take over a change: it takes one at every block, and at least once a second."""
STOP_SECONDS = 2.0

Answer = Callable[[Outcome], None]


@dataclass(frozen=True, slots=True)
class _Refitted:
    """Feedback was taken in, and is to be heard. counts: how it came out."""

    counts: Mapping[str, object]


Job = tuple[Command | _Refitted, Answer] | None
"""None: look again at what was taught, calibrated and set."""


class Steering:
    """Owns what serves. `muted` and `serving` may be read from any thread."""

    def __init__(self, serving: Serving, state_dir: Path, control: Control, commanded: Commanded, *, records_dir: Path,
                 every_label: bool = False) -> None:
        """commanded: what holds from before, which lies in records_dir; `start` puts it in force. every_label: plans score
        all rows."""
        self.serving = replace(serving, thresholds=commanded.of(serving.model.manifest.name))
        self._state_dir, self._records_dir, self._control = state_dir, records_dir, control
        self._commanded, self._every_label = commanded, every_label
        self._saved = False
        self.muted = commanded.muted
        self.gpio: GpioSink | None = None
        """Its pins blink and are tried; None: there are none."""
        self.read_settings: Callable[[], Settings] | None = None
        """Reads the settings again; None: they are what they were."""
        self.on_muted: Callable[[bool], None] = lambda on: None
        self.on_serving: Callable[[Serving, Plan], None] = lambda serving, plan: None
        """Told in the listener's thread when it is in force; both return at once."""
        self._unmute_at: float | None = None
        self._jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._refitting: threading.Thread | None = None

    def about(self) -> dict[str, object]:
        """For health."""
        serving = self.serving
        return {"model": serving.model.manifest.name, "runtime": serving.model.describe(),
                "calibration": serving.calibrations.about(), "muted": self.muted,
                "commanded_thresholds": dict(serving.thresholds)}

    def start(self) -> None:
        """Put in force what was commanded before this start, and begin to take commands."""
        if self.muted:
            LOG.warning("muted by a command before this start: nothing is heard until it is unmuted")
            self._control.put(Change(muted=True))
        for target, threshold in self.serving.commanded().items():
            LOG.warning("threshold of %s is %g by a command (null takes it back)", target, threshold)
        self.on_muted(self.muted)
        self._thread = threading.Thread(target=self._run, name="steering", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Take no more; what is being done has a moment to end. Safe twice."""
        self._stopping = True
        self._jobs.put(None)
        for thread in (self._thread, self._refitting):
            if thread is not None:
                thread.join(STOP_SECONDS)

    def command(self, command: Command, answer: Answer) -> bool:
        """Take a command, which is answered once from this thread; False where too many wait. Returns at once."""
        if self._stopping or self._jobs.qsize() >= WAITING:
            return False
        self._jobs.put((command, answer))
        return True

    def reload(self) -> None:
        """Look again at what was taught, calibrated and set. Returns at once; safe in a signal handler."""
        if self._jobs.qsize() <= WAITING:  # else a hundred signals are one
            self._jobs.put(None)

    def _run(self) -> None:
        while not self._stopping:
            pause = None if self._unmute_at is None else max(self._unmute_at - time.monotonic(), 0.0)
            try:
                job = self._jobs.get(timeout=pause)
            except queue.Empty:
                self._mute_ends()
                continue
            if self._stopping:
                return
            if job is None:
                self._reload()
                continue
            command, answer = job
            if isinstance(command, Feedback) and (self._refitting is None or not self._refitting.is_alive()):
                self._refitting = threading.Thread(target=self._refit, args=job, name="refit", daemon=True)
                self._refitting.start()
                continue
            try:
                outcome: Outcome = self._do(command)
            except EdgeError as error:
                outcome = error
            answer(outcome)

    def _do(self, command: Command | _Refitted) -> Mapping[str, object]:
        match command:
            case Mute(on=True, seconds=seconds):
                return self._mute(True, seconds)
            case Unmute() | Mute():
                return self._mute(False, None)
            case Identify():
                return {"pins": list(self.gpio.identify()) if self.gpio is not None else []}
            case PinTest(pin=pin):
                if self.gpio is None or not self.gpio.test(pin):
                    pins = [each.pin for each in self.serving.settings.pin]
                    raise CommandError("pin", found=shown(pin), wanted=_one_of(pins))
                return {"pin": pin}
            case Threshold(target=target, threshold=threshold):
                return self._threshold(target, threshold)
            case Feedback():
                raise CommandError("feedback", found="another one at work", wanted="one after another")
            case _Refitted(counts=counts):
                self._serve_anew(self.serving.settings)
                return counts

    def _mute(self, on: bool, seconds: float | None) -> Mapping[str, object]:
        self._apply(Change(muted=on, taken=lambda: self._now_muted(on)))
        self._unmute_at = None if seconds is None else time.monotonic() + seconds
        kept = self._keep(replace(self._commanded, muted=on and seconds is None))
        return {"muted": on, "seconds": seconds, "kept": kept and seconds is None}

    def _now_muted(self, on: bool) -> None:
        self.muted = on
        self.on_muted(on)

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
        if target not in now:
            raise CommandError("target", found=shown(target), wanted=f"a sound that is heard: {_one_of(now)}")
        self._serve(serving, plan)
        return {"target": target, "threshold": round(now[target], 4), "commanded": threshold is not None,
                "kept": self._keep(commanded)}

    def _refit(self, command: Feedback, answer: Answer) -> None:
        """In a thread of its own: a refit takes seconds."""
        from edge.judging import counts, take_in  # the workshop: opened only when it is asked for

        try:
            judged = take_in(self.serving.settings, self._state_dir, command.id, right=command.judgement == "right",
                             target=command.target)
        except EdgeError as error:
            answer(error)
        else:
            self._jobs.put((_Refitted(counts(judged)), answer))

    def _reload(self) -> None:
        """Whole or not at all: what fails leaves what serves as it is, and is said."""
        before = self.serving.settings
        try:
            settings = self.read_settings() if self.read_settings is not None else before
            plan = self._serve_anew(settings)
        except EdgeError as error:
            LOG.error("reload: %s; what was heard before is still heard", error)
            return
        for table in other_tables(before, settings):
            LOG.warning("reload: %s has changed, which takes a new start", table)
        LOG.info("reload: hearing %s", ", ".join(plan.targets.names))

    def _serve_anew(self, settings: Settings) -> Plan:
        serving = serving_anew(self.serving, settings, self._state_dir, every_label=self._every_label)
        self._serve(serving, plan := serving.plan())
        return plan

    def _serve(self, serving: Serving, plan: Plan) -> None:
        def taken() -> None:
            self.serving = serving
            self.on_serving(serving, plan)

        self._apply(Change(plan=plan, taken=taken))

    def _apply(self, change: Change) -> None:
        """Have the listener make a change, and wait until it is in force. Raises CommandError where it will not be."""
        if not self._control.put(change):
            raise CommandError("listener", found="too many changes at once, or the end", wanted="one after another")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not change.settled.wait(0.2):
            if (self._stopping or time.monotonic() >= deadline) and self._control.withdraw(change):
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


def _one_of(names: Iterable[str]) -> str:
    return f"one of {listed}" if (listed := ", ".join(names)) else "nothing: there is none"
