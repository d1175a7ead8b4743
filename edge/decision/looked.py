"""Sounds without length that looks name: at most one target takes an onset. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from edge.decision.calibration import Heard, heard_beside, heard_in_look, says_nothing
from edge.decision.detection import Detection
from edge.decision.looked_sound import KEPT_SAMPLES, LookedSound
from edge.decision.lookout import FIRST, SECOND, Look, Lookout, LookShape
from edge.decision.onset import CENTRE, PEAK_FRAMES, Onset
from edge.decision.rows import Rows
from edge.stream import FRAME_STEP, Scores

NEAR_SAMPLES, WITHIN_DB = 4_800, 10.0
"""An onset within 0.3 s of a named one, and so much weaker, is not named: the room, or the same hand."""

Told = Callable[[str, int, float], None]
"""Is told of each judgement: target, position of the onset, probability."""

INSIDE, REACH = 640, 10_240
"""A patch counts beside a look if it holds 40 ms of the sound, and ends within 0.64 s of its onset. The first patch of
a stream always ends late, and counts if it holds the onset."""


@dataclass(frozen=True, slots=True)
class _Patch:
    """A patch from position to end; logits: the model's."""

    position: int
    end: int
    logits: tuple[float, ...]
    first: bool
    """No patch came before."""

    def holds(self, onset: Onset) -> bool:
        """It counts beside looks at this onset."""
        near = self.first or self.end <= onset.position + REACH
        return near and self.position <= onset.position <= self.end - INSIDE


class LookJudge:
    """Gives each onset to the target that is surest of it, over its threshold; the others are told of it.

    Judged at two looks, or at one that says clearly nothing, and beside the newest with every patch that holds the onset.
    """

    def __init__(self, sounds: Mapping[int, LookedSound], labels: Sequence[str], shape: LookShape) -> None:
        """sounds: by their number among the decision's. labels: the look network's."""
        self._sounds = sounds
        self._labels = tuple(labels)
        self._besides = any(sound.target.beside is not None for sound in sounds.values())
        self.told: Told | None = None
        self.lookout = Lookout(shape)
        self.reset()

    def reset(self) -> None:
        """No onset waits or is named."""
        self.lookout.reset()
        self._now = 0
        """Position of the next row, after what is judged now."""
        self._named: list[tuple[Onset, str]] = []
        self._seen: list[tuple[Look, Scores]] = []
        """Onsets that patches may still name, or have more to say of, each with its newest look."""
        self._patches: list[_Patch] = []
        """The newest patches, as far back as an onset may lie that gets a look now."""
        self._begun = False  # no patch has come

    def take_over(self, other: LookJudge, *, same_patches: bool) -> None:
        """Go on where another stands, so that no onset is named twice. same_patches: the model scores the same labels.

        Patches with other labels are forgotten, and so are looks.
        """
        self.lookout.take_over(other.lookout)
        self._named, self._begun = other._named, other._begun
        if self._labels == other._labels:
            self._seen = other._seen
        if same_patches:
            self._patches = other._patches

    def due(self, rows: Rows, *, last: bool) -> list[Look]:
        """The looks that the judged rows complete; none at an onset whose rows are forgotten. last: as in `Lookout.due`."""
        history, stop = FRAME_STEP * self.lookout.shape.history, self.lookout.next_due()
        # One after another, whatever rows there are beyond: events come in the order of what made them.
        self._now = min(stop, rows.next) if stop is not None else rows.next
        return [Look(onset, stage, cut := rows.cut(row - history, end), len(cut) - (end - row) // FRAME_STEP)
                for onset, stage, row, end in self.lookout.due(self._now, last=last) if row >= rows.first]

    def push(self, look: Look, scores: Scores) -> tuple[dict[int, list[Detection]], str]:
        """What a look brings to each sound, by number; and the target that took the onset with it, "" for none."""
        onset = look.onset
        self._named = [each for each in self._named if each[0].position >= onset.position - KEPT_SAMPLES]
        self._seen = [each for each in self._seen if each[0].onset is not onset and self._within(each[0].onset)]
        found = {number: heard_in_look(sound.target, self._labels, look.stage, scores, onset.flux_db)
                 for number, sound in self._sounds.items()}
        if taken := self._taken(onset):
            if self._besides:
                self._seen.append((look, scores))
            for patch in (each for each in self._patches if each.holds(onset)):
                self._remember(onset, taken, self._together(onset, scores, patch))
            return self._again(look, taken, found), ""
        if look.stage == FIRST and found and all(says_nothing(self._sounds[each].target, found[each]) for each in found):
            self.lookout.settle(onset)
            look = replace(look, stage=SECOND)  # the last that it gets
        mine, taken = self._judge(look, found, last=look.stage == SECOND and not self._besides)
        for patch in (each for each in self._patches if each.holds(onset)):
            if taken:
                break
            mine, taken = self._judge(look, self._together(look.onset, scores, patch), last=True)
        if self._besides:
            self._seen.append((look, scores))
        return mine, taken

    def beside(self, position: int, end: int, logits: Sequence[float]
               ) -> list[tuple[Onset, dict[int, list[Detection]], str]]:
        """What the patch from `position` to `end` names beside looks: onsets, each as `push` does. logits: the model's."""
        first, self._begun = not self._begun, True
        if not self._besides:
            return []
        patch = _Patch(position, end, tuple(logits), first)
        self._patches = [*(each for each in self._patches if each.end >= end - REACH), patch]
        named = []
        for look, scores in list(self._seen):
            if not patch.holds(look.onset):
                continue
            if before := self._taken(look.onset):
                self._remember(look.onset, before, self._together(look.onset, scores, patch))
                continue
            mine, taken = self._judge(look, self._together(look.onset, scores, patch), last=True)
            if taken:
                named.append((look.onset, mine, taken))
        return named

    def skip(self) -> None:
        """A patch was not scored: it names nothing."""
        self._begun = True

    def settled(self) -> int:
        """Every event that starts before this position is known."""
        open_ones = [onset.position for onset in self.lookout.waiting if not self._taken(onset)]
        open_ones += [look.onset.position for look, _ in self._seen
                      if self._within(look.onset) and not self._taken(look.onset)]
        return min([*open_ones, self._now - FRAME_STEP * PEAK_FRAMES + CENTRE])

    def _together(self, onset: Onset, scores: Scores, patch: _Patch) -> dict[int, Heard]:
        return {number: one for number, sound in self._sounds.items()
                if (one := heard_beside(sound.target, self._labels, scores, patch.logits, onset.flux_db)) is not None}

    def _remember(self, onset: Onset, taken: str, found: Mapping[int, Heard]) -> None:
        """A patch beside a look at an onset that a target has: no event comes of it, but feedback may need it."""
        for number, one in found.items():
            if self._sounds[number].target.name == taken:
                self._sounds[number].remember(onset, one)

    def _within(self, onset: Onset) -> bool:
        """A patch may still name it."""
        return not self._begun or self._now <= onset.position + REACH

    def _taken(self, onset: Onset) -> str:
        return next((target for named, target in self._named if named is onset), "")

    def _judge(self, look: Look, found: Mapping[int, Heard], *, last: bool) -> tuple[dict[int, list[Detection]], str]:
        """Name an onset, if a target is sure enough of it. last: no further look at it comes."""
        onset, taken = look.onset, ""
        over = [number for number, one in found.items() if one.probability >= self._sounds[number].target.threshold]
        weak = any(abs(onset.position - named.position) <= NEAR_SAMPLES and onset.level_db < named.level_db - WITHIN_DB
                   for named, _ in self._named)
        best = max(over, key=lambda number: (self._sounds[number].target.taught, found[number].probability),
                   default=None) if not weak else None
        if best is not None:
            taken = self._sounds[best].target.name
            self._named.append((onset, taken))
        for number, one in found.items():
            refused = f"heard as {taken}" if taken else "under the threshold" if last else ""
            if weak and number in over:
                refused = "much weaker than the sound before it"
            self._note(number, onset, one, "" if number == best else refused)
        return {} if best is None else {best: self._sounds[best].name(onset, found[best], look.stage, self._now)}, taken

    def _again(self, look: Look, taken: str, found: Mapping[int, Heard]) -> dict[int, list[Detection]]:
        more: dict[int, list[Detection]] = {}
        for number, sound in self._sounds.items():
            mine = sound.target.name == taken
            self._note(number, look.onset, found[number], "" if mine else f"heard as {taken}")
            if mine:
                more[number] = sound.look_again(look.onset, found[number], self._now)
        return more

    def _note(self, number: int, onset: Onset, one: Heard, refused: str) -> None:
        self._sounds[number].note(onset, one, refused)
        if self.told is not None:
            self.told(self._sounds[number].target.name, onset.position, one.probability)
