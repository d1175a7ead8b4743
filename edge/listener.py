"""The loop: block -> patches -> scores -> events -> sinks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf

import numpy as np
from numpy.typing import NDArray

from edge.clock import StreamClock
from edge.control.changes import Control
from edge.control.plan import Plan
from edge.decision.gate import Gate
from edge.decision.pace import Pace
from edge.decision.view import View
from edge.dispatch import Dispatcher
from edge.features.frontend import FrontEnd
from edge.features.look import look
from edge.features.recent import RecentSound
from edge.seams import Sink, Source, Watcher
from edge.settings import GateSettings
from edge.stats import Stats
from edge.stream import SAMPLE_RATE, Bands, Block, Patch, Scores, Sound

SILENT_SECONDS = 3.0
"""After so long without a block from a live source, running events end: nobody hears whether they go on."""


class Listener:
    """One source in, events out. Blocks the thread that calls `run`; everything else happens behind the sinks."""

    def __init__(self, plan: Plan, *, channel: int = -1, gate: GateSettings | None = None,
                 stats: Stats | None = None, out: Dispatcher | None = None,
                 on_scores: Callable[[Patch, Scores], None] | None = None, watcher: Watcher | None = None,
                 recent: RecentSound | None = None, control: Control | None = None,
                 beat: Callable[[bool], None] = lambda heard: None) -> None:
        """plan: what to hear, and with what (`plan_for`). channel: of the source's; -1: the mean of all.

        gate: None scores every patch. stats, out: what counts, and what dates and hands events on; `out` was made with the
        same `stats`. on_scores: called with every patch and its scores, for classify. watcher: shown every hop.
        recent: takes the sound, for a sink that keeps that of events. control: changes, taken between blocks. beat: called
        when a block has been heard (True), and at least once a second without one.
        Raises SettingsError for a channel or hop that the front end cannot serve.
        """
        self.stats = stats if stats is not None else Stats()
        model, hop_seconds = plan.model, plan.hop_seconds
        self._front_end = FrontEnd(wants=model.wants, patch_samples=model.patch_samples, hop_seconds=hop_seconds,
                                   channel=channel)
        hop_samples = round(hop_seconds * SAMPLE_RATE)  # the front end has checked it
        self._gate = None
        if gate is not None and gate.enabled:
            self._gate = Gate(gate, hop_samples=hop_samples, patch_samples=model.patch_samples)
        self.pace = Pace(hop_samples=hop_samples, patch_samples=model.patch_samples)
        """What is left out where the board is too slow."""
        self._control = control if control is not None else Control()
        self._muted = self._broken = False
        self._on_scores = on_scores
        self._watcher = watcher
        self._recent = recent
        self._beat = beat
        self._view = View()
        self._out = out if out is not None else Dispatcher(StreamClock(), self.stats)
        self.clock = self._out.clock
        """Dates the positions of what is heard."""
        self._serve(plan)

    def _serve(self, plan: Plan) -> None:
        self.targets, self._model, self._decision = plan.targets, plan.model, plan.decision
        self._out.level_samples = plan.level_samples
        self._front_end.early = plan.decision.lookout is not None
        self._left_out = 0
        if self._recent is not None:
            self._recent.lengthen(plan.sound_seconds)

    def run(self, source: Source, sinks: Sequence[Sink] = ()) -> None:
        """Hear the source to its end, or until it is closed; sinks are started and stopped by whoever owns them.

        Raises SourceError where the source does.
        """
        self._out.sinks = tuple(sinks)
        if not source.live:
            self.clock.anchor(self._front_end.position, restart=True)
        try:
            for block in source.blocks():
                self._change()
                if block is None:
                    self._wait()
                elif self._muted:
                    self._throw_away(block)
                else:
                    if source.live:
                        self.pace.take(source.waiting_seconds, block.length / block.format.rate)
                    if self.pace.drops:
                        self.stats.dropped_samples += block.length_16khz  # the next that is heard follows a gap
                    else:
                        self._hear(block, source.live)
                if block is not None and source.live:
                    source.hurry(inf if self.pace.drops else self._front_end.due_seconds)
                self._out.health()
                self._beat(block is not None)
            if not (source.live or self._muted):
                self._judge(self._front_end.finish())
        finally:
            # However it ended: what has started must end, or a lamp stays on.
            self._control.close()
            self._end_all()
            self._out.health(now=True)

    def _change(self) -> None:
        """Make every change that waits on the control queue. Running events end."""
        for change in self._control.take():
            if change.plan is not None:
                for detection in change.plan.decision.take_over(self._decision, self._front_end.position):
                    self._out.send(detection)
                self._serve(change.plan)
            if change.muted is not None and change.muted != self._muted:
                self._end_all()
                self._front_end.finish()  # forgets; what it would still say of the sound before is not asked
                self._muted = change.muted
            change.taken()
            change.settled.set()

    def _throw_away(self, block: Block) -> None:
        """Count a block that comes while muted. The first block heard after it is dated anew."""
        self.stats.muted_samples += block.length_16khz
        self._out.forget_levels()
        self.clock.stall()

    def _hear(self, block: Block, live: bool) -> None:
        if self._front_end.breaks(block):
            self._end_all()
            self._broken = True
        patches = self._front_end.push(block)
        self._hand_on(self._front_end.samples, self._front_end.samples_position)
        if live:
            self.clock.heard(block, self._front_end.position)
        if (level := self._front_end.level) is not None:
            self._out.level(self._front_end.position, level)
            self._view.level(level.rms_dbfs, block.length_16khz)
            self.stats.clipped_samples += level.clipped
        self.stats.blocks += 1
        self.stats.samples += block.length_16khz
        self.stats.deaf_seconds = self._front_end.deaf_samples / SAMPLE_RATE
        self._judge(patches)

    def _hand_on(self, samples: NDArray[np.int16], position: int) -> None:
        """Give the newest samples to those who want sound. None come of a block that is too short for the resampler."""
        if self._recent is not None:
            self._recent.push(samples, position)
        if len(samples):
            if self._watcher is not None and self._watcher.wants_sound:
                self._watcher.sound(Sound(samples, position, self._broken))
            self._broken = False

    def _judge(self, patches: Sequence[Patch]) -> None:
        """Judge the front end's newest rows and patches, each look and each patch in its place."""
        if not len(self._front_end.rows):
            return
        self._decision.hear(self._front_end.rows, position := self._front_end.rows_position)
        if self._watcher is not None and self._watcher.wants_bands:
            self._watcher.bands(Bands(self._front_end.rows, position, self.clock.utc(position)))
        for patch in patches:
            self._look(patch.position + self._model.patch_samples)
            scores = None
            if self._gate is not None and not self._gate.push(patch) and not self._decision.busy:
                self.stats.gated_patches += 1
                detections = self._decision.skip(patch.position)
            elif not self.pace.scores(patch.position, first=patch.first):
                self.stats.passed_patches += 1
                continue
            else:
                scores = self._model.score(patch)
                self.stats.patches += 1
                if self._on_scores is not None:
                    self._on_scores(patch, scores)
                detections = self._decision.push(scores)
            for detection in detections:
                self._out.send(detection)
            if self._watcher is not None and self._watcher.watching:
                stands = self._decision.hearing()
                self._watcher.hearing(self._view.hearing(patch.position, scores, self._model.labels, stands))
        if self._front_end.hurried or not patches:
            self._look()  # else no look is due in the rows after the last patch: they are judged with those that follow

    def _look(self, until: int | None = None, *, last: bool = False) -> None:
        """Look at every onset whose look the rows before position `until` complete. last: no row follows."""
        network = self._model.looks
        while network is not None and (due := self._decision.looks(until, last=last)):
            for one in due:
                scores = network.see(look(one.rows, one.row, one.heard), one.onset.position)
                self.stats.looks += 1
                for detection in self._decision.looked(one, scores):
                    self._out.send(detection)
        if (lookout := self._decision.lookout) is not None:
            self._front_end.wanted = lookout.wanted()
            self.stats.looks_left_out += lookout.left_out - self._left_out
            self._left_out = lookout.left_out

    def _wait(self) -> None:
        """Nothing has arrived. After SILENT_SECONDS without a block, running events end."""
        if self.clock.silent_seconds > SILENT_SECONDS:
            self.clock.stall()
            self._end_all()

    def _end_all(self) -> None:
        """No row follows: the last looks are taken with the rows that there are, then running events end."""
        try:
            self._front_end.rest()
            self._judge([])
            self._look(last=True)
        finally:
            for detection in self._decision.interrupt(self._front_end.position):
                self._out.send(detection)
