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
from edge.decision.looked import LookJudge, Told
from edge.decision.looked_sound import LookedSound
from edge.decision.lookout import Look, Lookout, LookShape
from edge.decision.loudness import Loudnesses
from edge.decision.onset import Onset, OnsetDetector, decibels
from edge.decision.pattern import InOrder, PatternDetector
from edge.decision.rows import Rows
from edge.decision.series import Series, SeriesJudge
from edge.decision.standing import standing
from edge.decision.targets import Target, Targets
from edge.stream import FRAME_STEP, Scores, TargetHearing

Sound = ImpulsiveDetector | LastingDetector | LookedSound


class Decision:
    """What becomes of rows and scores.

    `hear` takes the rows as the front end makes them. `looks` then tells which looks are due, up to the next patch's end,
    and `looked` takes what the look network says of each. `push` or `skip` takes the patch, and judges it with the rows up
    to its end. So how rows and patches are batched changes nothing.
    """

    def __init__(self, targets: Targets, labels: Sequence[str], *, patch_samples: int, hop_samples: int,
                 shape: LookShape | None = None, look_labels: Sequence[str] = (),
                 series: Sequence[Series] = ()) -> None:
        """labels: the model's, in the order of its scores; patch_samples, hop_samples: at 16 kHz.

        shape, look_labels: of the look network, where looks decide targets or count in a series of onsets.
        """
        self._labels, self._patch_samples = tuple(labels), patch_samples
        self._onset_detector, self._rows = OnsetDetector(), Rows()
        self._sounds = [self._sound(target, hop_samples) for target in targets.sounds]
        looked = {number: sound for number, sound in enumerate(self._sounds) if isinstance(sound, LookedSound)}
        self._series = SeriesJudge(targets.sounds, series if shape else (), look_labels)
        self._by_looks = LookJudge(looked, look_labels, shape) if shape and (looked or self._series) else None
        self._order = sorted(range(len(self._sounds)), key=lambda number: self._sounds[number].target.yields)
        over = [[pattern for pattern in targets.patterns if pattern.of == sound.name] for sound in targets.sounds]
        self._patterns = [PatternDetector(sound.name, own, sent=sound.sent) if own or not sound.sent else None
                          for sound, own in zip(targets.sounds, over, strict=True)]
        self._parts = [part for sound, part in zip(self._sounds, self._patterns, strict=True)
                       if part is not None and not isinstance(sound, LookedSound)]
        self._impulsive = [sound for sound in self._sounds if isinstance(sound, ImpulsiveDetector)]
        self._by_patches = [None if isinstance(sound, LookedSound) else sound.target for sound in self._sounds]
        self._yielding = [sound for sound in self._impulsive if sound.target.yields]
        self._in_order = {number: InOrder() for number in looked if self._patterns[number] is not None}
        self._loudness, self._alarms = Loudnesses(targets.loudness), Alarms(targets.rhythms, targets.patterns)
        self._forget()

    def _sound(self, target: Target, hop_samples: int) -> Sound:
        if target.looked:
            return LookedSound(target, self._onset_detector)
        if target.impulsive:
            return ImpulsiveDetector(target, self._onset_detector, patch_samples=self._patch_samples)
        return LastingDetector(target, patch_samples=self._patch_samples, hop_samples=hop_samples)

    def _forget(self) -> None:
        """Nothing is known of the sound before the next row: no onset, no judgement."""
        self._rows.reset()
        self._since: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []
        self._fresh: list[Onset] = []
        self._onsets: list[Onset] = []
        self._heard: list[Heard | None] = [None] * len(self._sounds)
        self._onset_detector.reset()
        self._series.reset()
        if self._by_looks is not None:
            self._by_looks.reset()

    @property
    def busy(self) -> bool:
        """An event that patches decide runs or is about to: the backbone must stay awake."""
        return any(sound.busy for sound in self._sounds) or any(part.busy for part in self._parts)

    @property
    def lookout(self) -> Lookout | None:
        """Where onsets wait for their looks; None where looks decide no target."""
        return self._by_looks.lookout if self._by_looks is not None else None

    def tell(self, told: Told) -> None:
        """Tell of each judgement of an onset, for the workshop."""
        if self._by_looks is not None:
            self._by_looks.told = told

    def hear(self, rows: NDArray[np.float32], position: int) -> None:
        """Take rows float32 `(k, 64)` before their patches. Rows follow the last ones, or an `interrupt`."""
        self._rows.hear(rows, position)

    def looks(self, until: int | None = None, *, last: bool = False) -> list[Look]:
        """The next looks that rows before position `until` (None: all) complete, in order. Answer each with `looked`
        before you ask again. last: no row follows; second looks take the rows that there are."""
        if self._by_looks is None:
            return []
        self._advance(self._rows.complete(until))
        if not (due := self._by_looks.due(self._rows, last=last)):
            self._rows.forget(self._by_looks.lookout.oldest_row(self._rows.next))
        return due

    def looked(self, look: Look, scores: Scores) -> list[Detection]:
        """Take what the look network says of a look. Returns the starts and ends that it brings."""
        assert self._by_looks is not None
        self._series.looked(look.onset, scores)
        return self._named_by_looks(look.onset, *self._by_looks.push(look, scores))

    def push(self, scores: Scores) -> list[Detection]:
        """Judge the next patch by what the model says of it. Raises ValueError for a position that goes back."""
        found = self._listen(scores.position)
        logits = logits_of(scores).tolist() if self._sounds else []
        found += self._beside(scores.position, logits)
        alone = [None if target is None else heard(target, self._labels, scores, logits) for target in self._by_patches]
        self._heard = self._series.judge(alone, scores.position, self._patch_samples)
        mine = {number: self._judge(number) for number in self._order}
        for number, pattern in enumerate(self._patterns):
            found += mine[number] if pattern is None else self._pass_on(number, mine[number], scores.position)
        return found

    def skip(self, position: int) -> list[Detection]:
        """Pass over the next patch: the gate is closed and no patch's event runs. Looks, patterns, loudness go on."""
        found = self._listen(position)
        if self._by_looks is not None:
            self._by_looks.skip()
        for number, sound in enumerate(self._sounds):
            self._heard[number] = None
            mine = self._judge(number) if isinstance(sound, LookedSound) else []
            found += self._pass_on(number, mine, position)
        return found

    def _beside(self, position: int, logits: Sequence[float]) -> list[Detection]:
        """What the patch at a position names beside looks."""
        if self._by_looks is None:
            return []
        named = self._by_looks.beside(position, position + self._patch_samples, logits)
        return [each for one in named for each in self._named_by_looks(*one)]

    def _named_by_looks(self, onset: Onset, mine: dict[int, list[Detection]], taken: str) -> list[Detection]:
        for other in self._yielding if taken else ():
            other.taken(onset.position, taken)
        return [each for number, sound in enumerate(self._sounds) if isinstance(sound, LookedSound)
                for each in self._pass_on(number, mine.get(number, []), onset.position)]

    def interrupt(self, until: int) -> list[Detection]:
        """End all running events at a gap or the stream's end, at position `until`; forget the onsets."""
        found: list[Detection] = []
        for number, (sound, pattern) in enumerate(zip(self._sounds, self._patterns, strict=True)):
            mine = sound.interrupt(until)
            if (in_order := self._in_order.get(number)) is not None:
                mine = in_order.push(mine, None)
            found += mine if pattern is None else pattern.interrupt(mine)
        found += self._loudness.interrupt() + self._alarms.interrupt()
        self._forget()
        return found

    def take_over(self, other: Decision, until: int) -> list[Detection]:
        """Replace another decision at position `until`. Returns the ends of the other's running events.

        The room and the onsets go on. A target of the same name and kind keeps what it has named, so that no sound is
        named twice. Other targets and patterns begin afresh. The other decision is done with.
        """
        self._rows, other._rows = other._rows, self._rows
        self._since, self._fresh, self._onsets = other._since, other._fresh, other._onsets
        self._loudness.take_over(other._loudness)
        self._series.take_over(other._series)
        if self._by_looks is not None and other._by_looks is not None:
            self._by_looks.take_over(other._by_looks, same_patches=self._labels == other._labels)
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
        return (*standing(self._sounds, self._heard), *self._loudness.hearing(), *self._alarms.hearing())

    def _judge(self, number: int) -> list[Detection]:
        """One sound by what was heard of it; those that yield are told which onsets are taken."""
        sound, one = self._sounds[number], self._heard[number]
        if isinstance(sound, LookedSound):
            sound.turn()
            self._heard[number] = sound.heard
            return sound.follow(self._rows.next)
        assert one is not None
        if isinstance(sound, LastingDetector):
            return sound.push(one, self._onsets)
        mine = sound.push(one)
        for other in () if sound.target.yields else self._yielding:
            for detection in mine:
                other.taken(detection.start, sound.target.name)
        return mine

    def _advance(self, stop: int) -> None:
        """Find the onsets of the rows before position `stop`."""
        if stop == self._rows.next and self._since:
            return
        at, rows = self._rows.next, self._rows.take(stop)
        power = decibels(rows)
        fresh = self._onset_detector.push(rows, at, power)
        self._since.append((rows, power))
        self._fresh += fresh
        if self._by_looks is not None:
            self._by_looks.lookout.onsets(fresh)

    def _listen(self, position: int) -> list[Detection]:
        """Take the rows that end with the patch at `position`: onsets, the floor, loudness, alarms."""
        end = position + self._patch_samples
        self._advance(self._rows.complete(end))
        if self._by_looks is None:
            self._rows.forget(self._rows.next)
        fresh, self._fresh = self._fresh, []
        self._series.onsets(fresh)
        self._onsets = [onset for onset in (*self._onsets, *fresh) if onset.position >= end - WAIT]
        for sound in self._impulsive:
            sound.onsets(fresh, position)
        rows, power = self._since[0] if len(self._since) == 1 else map(np.concatenate, zip(*self._since, strict=True))
        self._since, at = [], self._rows.next - FRAME_STEP * len(rows)
        return self._loudness.push(power, at) + self._alarms.push(rows, at)

    def _pass_on(self, number: int, mine: list[Detection], position: int) -> list[Detection]:
        """A sound's detections through its patterns, if it has any. position: of the newest patch, or of a look's onset."""
        sound, pattern = self._sounds[number], self._patterns[number]
        if pattern is None:
            return mine
        if (in_order := self._in_order.get(number)) is not None and self._by_looks is not None:
            settled = self._by_looks.settled()
            return pattern.push(in_order.push(mine, settled), settled)
        return pattern.push(mine, sound.settled(position) if isinstance(sound, ImpulsiveDetector) else position)
