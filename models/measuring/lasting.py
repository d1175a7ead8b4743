"""What a listener's events are worth on scenes of lasting sounds: which are found, how soon, and false alarms. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.measuring.onsets import Alarms, Listened, Placed, Raised, Share, alarms_of, share_of

SOON_SECONDS = 2.0
AROUND_SECONDS = 0.5
"""An event so near to a sound belongs to that sound: no false alarm."""
CLASSES = {"typing": "keyboard_typing"}
"""Classes of recordings that have another name than their target."""


@dataclass(frozen=True, slots=True)
class LastingFigures:
    """One target. soon: told of within 2 s of the sound's beginning, by ratio. found: told of before the sound was over.

    delay_median: seconds from the sound's beginning until the event was told of, of those found; NaN for none.
    """

    target: str
    soon: Mapping[str, Share]
    found: Mapping[str, Share]
    delay_median: float
    alarms: Alarms
    soon_by: Mapping[str, Mapping[str, Share]]


def measure_lasting(scenes: Sequence[Listened], targets: Iterable[str]) -> tuple[LastingFigures, ...]:
    """Figures of each target that some scene is for."""
    made_for = {scene.sounds for scene in scenes}
    return tuple(_figures(target, scenes) for target in targets if CLASSES.get(target, target) in made_for)


def _figures(target: str, scenes: Sequence[Listened]) -> LastingFigures:
    delays: list[tuple[Placed, float]] = []
    alarms: list[tuple[Listened, int]] = []
    for scene in scenes:
        own = [sound for sound in scene.placed if sound.label == CLASSES.get(target, target)]
        events = [event for event in scene.events if event.target == target]
        delays += [(sound, _delay(sound, events)) for sound in own]
        alarms.append((scene, sum(not any(_meet(event, sound) for sound in own) for event in events)))
    ratios = list(dict.fromkeys(sound.ratio for sound, _ in delays))
    heard = [delay for _, delay in delays if math.isfinite(delay)]
    return LastingFigures(
        target, _by_ratio(delays, ratios, SOON_SECONDS), _by_ratio(delays, ratios, math.inf),
        float(np.median(heard)) if heard else math.nan, alarms_of(alarms),
        {source: _by_ratio([one for one in delays if one[0].source == source], ratios, SOON_SECONDS)
         for source in dict.fromkeys(sound.source for sound, _ in delays)})


def _by_ratio(delays: Sequence[tuple[Placed, float]], ratios: Sequence[str], within: float) -> dict[str, Share]:
    return {ratio: share_of([delay <= within and math.isfinite(delay) for sound, delay in delays if sound.ratio == ratio])
            for ratio in ratios}


def _delay(sound: Placed, events: Sequence[Raised]) -> float:
    """Seconds from the sound's beginning until an event of its own was told of; infinite where none was in time."""
    after = [max(event.raised - sound.onset, 0.0) for event in events if _meet(event, sound)
             and event.raised <= sound.offset + AROUND_SECONDS]
    return min(after, default=math.inf)


def _meet(event: Raised, sound: Placed) -> bool:
    return event.start <= sound.offset + AROUND_SECONDS and event.end >= sound.onset - AROUND_SECONDS
