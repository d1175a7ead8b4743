"""What a listener's events are worth on scenes of single sounds: recall by ratio, false alarms, hard sounds taken. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edge.learn.figures import poisson_upper, wilson_interval

WITHIN_SECONDS = 0.08
QUIET, HARD = "quiet", "hard"


@dataclass(frozen=True, slots=True)
class Placed:
    """A sound in a scene. onset, offset: seconds.

    ratio: "quiet", or the loudest 20 ms over the background, as "20 dB".
    """

    onset: float
    offset: float
    label: str
    source: str
    ratio: str


@dataclass(frozen=True, slots=True)
class Raised:
    """An event, in seconds of the recording. raised: how much had been heard when the event was told of first."""

    target: str
    start: float
    end: float
    raised: float


@dataclass(frozen=True, slots=True)
class Listened:
    """A scene and what was heard in it.

    sounds: the class that the scene is for, "hard" or "alone". background: its kind. events: of all targets.
    """

    sounds: str
    background: str
    seconds: float
    placed: tuple[Placed, ...]
    events: tuple[Raised, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many, with Wilson's interval of 95 %."""

    count: int
    of: int
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Alarms:
    """Events that no sound explains, over so many hours; in an hour, and at most (95 %)."""

    count: int
    hours: float
    per_hour: float
    per_hour_upper: float


@dataclass(frozen=True, slots=True)
class OnsetFigures:
    """One target. recall: in the scenes that are for it, by ratio. extra: further events while a sound of its own class
    lasts; they are no false alarms. hard: of the other sounds in the scenes of hard ones,
    those that raised it. taken: the same by class, over all scenes. recall_by: recall by a column's value, then by ratio.
    alarms_by: false alarms by background. delay_median, delay_95th: seconds from a sound's onset until the event was told
    of, of those found; NaN for none.
    """

    target: str
    recall: Mapping[str, Share]
    alarms: Alarms
    extra: int
    hard: Share
    taken: Mapping[str, Share]
    recall_by: Mapping[str, Mapping[str, Share]]
    alarms_by: Mapping[str, Alarms]
    delay_median: float
    delay_95th: float


def matched(found: Sequence[float], placed: Sequence[float]) -> list[int]:
    """For each placed sound the number of the event (or onset) nearest to it within 80 ms, each once; -1 for none."""
    near = sorted((abs(one - sound), number, place) for place, sound in enumerate(placed) for number, one in enumerate(found)
                  if abs(one - sound) <= WITHIN_SECONDS)
    partner, taken = [-1] * len(placed), set[int]()
    for _, number, place in near:
        if partner[place] < 0 and number not in taken:
            partner[place] = number
            taken.add(number)
    return partner


def inside(event: float, sounds: Iterable[Placed]) -> bool:
    """Whether one of the sounds lasts at this time."""
    return any(sound.onset <= event <= sound.offset for sound in sounds)


def measure_onsets(scenes: Sequence[Listened], targets: Iterable[str], by: str = "") -> tuple[OnsetFigures, ...]:
    """Figures of each target that some scene is for. by: "source" or "background"."""
    made_for = {scene.sounds for scene in scenes}
    return tuple(_figures(target, scenes, by) for target in targets if target in made_for)


def _figures(target: str, scenes: Sequence[Listened], by: str) -> OnsetFigures:
    heard: list[tuple[Listened, Placed, bool]] = []
    alarms: list[tuple[Listened, int]] = []
    delays: list[float] = []
    extra = 0
    for scene in scenes:
        events = [event for event in scene.events if event.target == target]
        partners = matched([event.start for event in events], [sound.onset for sound in scene.placed])
        heard += [(scene, sound, partner >= 0) for sound, partner in zip(scene.placed, partners, strict=True)]
        delays += [events[partner].raised - sound.onset for sound, partner in zip(scene.placed, partners, strict=True)
                   if partner >= 0 and sound.label == target]
        lone = [event.start for number, event in enumerate(events) if number not in partners]
        further = sum(inside(event, (sound for sound in scene.placed if sound.label == target)) for event in lone)
        extra += further
        alarms.append((scene, len(lone) - further))
    own = [(scene, sound, found) for scene, sound, found in heard if scene.sounds == sound.label == target]
    others = [(scene, sound, found) for scene, sound, found in heard if sound.label != target]
    keys: dict[str, Callable[[Listened, Placed], str]] = {
        "source": lambda scene, sound: sound.source, "background": lambda scene, sound: scene.background}
    return OnsetFigures(
        target, _shares(own, lambda scene, sound: sound.ratio), alarms_of(alarms), extra,
        share_of([found for scene, _, found in others if scene.sounds == HARD]),
        _shares(others, lambda scene, sound: sound.label),
        {value: _shares([one for one in own if keys[by](*one[:2]) == value], lambda scene, sound: sound.ratio)
         for value in _in_order(keys[by](scene, sound) for scene, sound, _ in own)} if by else {},
        {kind: alarms_of([one for one in alarms if one[0].background == kind])
         for kind in _in_order(scene.background for scene in scenes)},
        *(float(np.quantile(delays, share)) if delays else math.nan for share in (0.5, 0.95)))


def _shares(heard: Sequence[tuple[Listened, Placed, bool]], key: Callable[[Listened, Placed], str]) -> dict[str, Share]:
    values = _in_order(key(scene, sound) for scene, sound, _ in heard)
    return {value: share_of([found for scene, sound, found in heard if key(scene, sound) == value]) for value in values}


def share_of(found: Sequence[bool]) -> Share:
    """How many are true."""
    count, trials = sum(found), len(found)
    low, high = wilson_interval(count, trials) if trials else (0.0, 1.0)
    return Share(count, trials, count / trials if trials else float("nan"), low, high)


def alarms_of(counted: Sequence[tuple[Listened, int]]) -> Alarms:
    """False alarms of scenes, each with its number."""
    count, hours = sum(number for _, number in counted), sum(scene.seconds for scene, _ in counted) / 3600.0
    return Alarms(count, hours, count / hours, poisson_upper(count) / hours)


def _in_order(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))
