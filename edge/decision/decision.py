"""All targets side by side: rows and scores in, detections out. Pure: time is the position of patches and rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.decision.alarm import Alarms
from edge.decision.calibration import Heard, heard, logits_of
from edge.decision.detection import Detection
from edge.decision.impulsive import WAIT, ImpulsiveDetector
from edge.decision.lasting import LastingDetector
from edge.decision.loudness import LoudnessDetector, NoiseFloor
from edge.decision.onset import Onset, OnsetDetector, decibels
from edge.decision.pattern import PatternDetector
from edge.decision.targets import Target, Targets
from edge.stream import BANDS, FRAME_SAMPLES, FRAME_STEP, Scores, TargetHearing

Sound = ImpulsiveDetector | LastingDetector


class Decision:
    """What becomes of rows and scores.

    `hear` takes the rows as the front end makes them; `push` or `skip` then takes each patch, in order, and
    judges it with the rows up to its end, so that how rows and patches are batched changes nothing.
    """

    def __init__(self, targets: Targets, labels: Sequence[str], *, patch_samples: int, hop_samples: int) -> None:
        """labels: the model's, in the order of its scores; patch_samples, hop_samples: at 16 kHz."""
        self._labels = tuple(labels)
        self._patch_samples = patch_samples
        self._onset_detector = OnsetDetector()
        self._floor = NoiseFloor()
        self._sounds = [self._sound(target, hop_samples) for target in targets.sounds]
        self._yielding = [sound for sound in self._sounds if isinstance(sound, ImpulsiveDetector) and sound.target.yields]
        self._order = sorted(range(len(self._sounds)), key=lambda number: self._sounds[number].target.yields)
        self._patterns = [
            PatternDetector(sound.name, own, sent=sound.sent) if (own := [
                pattern for pattern in targets.patterns if pattern.of == sound.name]) or not sound.sent else None
            for sound in targets.sounds]
        self._loudness = [LoudnessDetector(target) for target in targets.loudness]
        self._alarms = Alarms(targets.rhythms, targets.patterns)
        self._forget()

    def _sound(self, target: Target, hop_samples: int) -> Sound:
        if target.impulsive:
            return ImpulsiveDetector(target, self._onset_detector, patch_samples=self._patch_samples)
        return LastingDetector(target, patch_samples=self._patch_samples, hop_samples=hop_samples)

    def _forget(self) -> None:
        """Nothing is known of the sound before the next row: no onset, no judgement."""
        self._rows: NDArray[np.float32] = np.empty((0, BANDS), np.float32)
        self._rows_position = 0
        self._onsets: list[Onset] = []
        self._heard: list[Heard | None] = [None] * len(self._sounds)
        self._onset_detector.reset()

    @property
    def busy(self) -> bool:
        """An event runs or is about to: the backbone must stay awake."""
        return any(sound.busy for sound in self._sounds) or any(part.busy for part in self._patterns if part is not None)

    def hear(self, rows: NDArray[np.float32], position: int) -> None:
        """Take rows float32 `(k, 64)` before their patches. Rows follow the last ones, or an `interrupt`."""
        if not len(self._rows):
            self._rows_position = position
        self._rows = np.concatenate((self._rows, rows))

    def push(self, scores: Scores) -> list[Detection]:
        """Judge the next patch by what the model says of it. Returns the starts and ends that it brings.

        Raises ValueError for a position that goes back.
        """
        found = self._listen(scores.position)
        logits = logits_of(scores).tolist() if self._sounds else []
        self._heard = [heard(sound.target, self._labels, scores, logits) for sound in self._sounds]
        mine = {number: self._judge(number) for number in self._order}
        for number, sound in enumerate(self._sounds):
            found += self._pass_on(number, sound, mine[number], scores.position)
        return found

    def skip(self, position: int) -> list[Detection]:
        """Pass over the next patch: the gate is closed and no event runs. Patterns and loudness go on."""
        found = self._listen(position)
        for number, sound in enumerate(self._sounds):
            self._heard[number] = None
            found += self._pass_on(number, sound, [], position)
        return found

    def interrupt(self, until: int) -> list[Detection]:
        """End all running events at a gap or the stream's end, at position `until`; forget the onsets."""
        found: list[Detection] = []
        for sound, pattern in zip(self._sounds, self._patterns, strict=True):
            mine = sound.interrupt(until)
            found += mine if pattern is None else pattern.interrupt(mine)
        for loud in self._loudness:
            found += loud.interrupt()
        found += self._alarms.interrupt()
        self._forget()
        return found

    def take_over(self, other: Decision, until: int) -> list[Detection]:
        """Replace another decision at position `until`. Returns the ends of the other's running events.

        The room and the onsets are taken over. A target of the same name and kind keeps what it has named, so
        that no sound is named twice. Other targets and patterns begin afresh. The other decision is done
        with.
        """
        self._rows, self._rows_position, self._onsets = other._rows, other._rows_position, other._onsets
        self._floor = other._floor
        self._onset_detector.take_over(other._onset_detector)
        before = {sound.target.name: sound for sound in other._sounds}
        for sound in self._sounds:
            same = before.get(sound.target.name)
            if isinstance(sound, ImpulsiveDetector) and isinstance(same, ImpulsiveDetector):
                sound.take_over(same)
        found = other.interrupt(until)
        for sound in self._sounds:
            same = before.get(sound.target.name)
            if isinstance(sound, LastingDetector) and isinstance(same, LastingDetector):
                sound.take_over(same)
        return found

    def hearing(self) -> tuple[TargetHearing, ...]:
        """How every target stands after the newest patch, in the settings' order: sounds, loudness, alarms."""
        stands = [
            TargetHearing(sound.target.name, one.label if one else "", one.probability if one else None,
                          sound.target.threshold, sound.running,
                          sound.refused if one and one.probability >= sound.target.threshold / 2 else "")
            for sound, one in zip(self._sounds, self._heard, strict=True)]
        for loud in self._loudness:
            share = min(max(loud.over_db / loud.target.louder_db, 0.0), 1.0)
            stands.append(TargetHearing(loud.target.name, "", share, 1.0, loud.running, loud.refused))
        return (*stands, *self._alarms.hearing())

    def _judge(self, number: int) -> list[Detection]:
        """One sound by what was heard of it; those that yield are told which onsets are taken."""
        sound, one = self._sounds[number], self._heard[number]
        assert one is not None
        if not isinstance(sound, ImpulsiveDetector):
            return sound.push(one, self._onsets)
        mine = sound.push(one)
        if not sound.target.yields:
            for detection in mine:
                for other in self._yielding:
                    other.taken(detection.start, sound.target.name)
        return mine

    def _listen(self, position: int) -> list[Detection]:
        """Take the rows that end with the patch at `position`: onsets, the floor, loudness, alarms."""
        end = position + self._patch_samples
        count = min(max((end - FRAME_SAMPLES - self._rows_position) // FRAME_STEP + 1, 0), len(self._rows))
        rows, self._rows = self._rows[:count], self._rows[count:]
        at, self._rows_position = self._rows_position, self._rows_position + FRAME_STEP * count
        power = decibels(rows)
        fresh = self._onset_detector.push(rows, at, power)
        self._onsets = [onset for onset in (*self._onsets, *fresh) if onset.position >= end - WAIT]
        for sound in self._sounds:
            if isinstance(sound, ImpulsiveDetector):
                sound.onsets(fresh, position)
        found = self._judge_loudness(power, at) if self._loudness else []
        return found + self._alarms.push(rows, at)

    def _judge_loudness(self, levels: NDArray[np.float32], at: int) -> list[Detection]:
        floor = self._floor.db
        found: list[Detection] = []
        for number, level in enumerate(levels.tolist()):
            for loud in self._loudness:
                found += loud.push(at + FRAME_STEP * number, level, floor)
        self._floor.push(np.power(np.float32(10.0), levels / np.float32(10.0)))
        return found

    def _pass_on(self, number: int, sound: Sound, mine: list[Detection], position: int) -> list[Detection]:
        pattern = self._patterns[number]
        if pattern is None:
            return mine
        settled = sound.settled(position) if isinstance(sound, ImpulsiveDetector) else position
        return pattern.push(mine, settled)
