"""Events against annotations: which belongs to which, how far off its start is, what is a false alarm. Pure.

The event-based count is that of sed_eval (Mesaros, Heittola and Virtanen, Appl. Sci. 6, 2016): the most pairs whose onsets
lie within a collar and, for lasting sounds, whose offsets lie within the collar or half the sound's length.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

IMPULSIVE_COLLAR_SECONDS = 0.05
LASTING_COLLAR_SECONDS = 0.2
LASTING_SHARE = 0.5
"""Share of a lasting sound's length by which its offset may be off."""
PAIR_SECONDS = 0.5
"""An event whose start is farther from every onset is of no sound."""


@dataclass(frozen=True, slots=True)
class Span:
    """From here to there, in seconds: an event or an annotation of one target."""

    onset: float
    offset: float


@dataclass(frozen=True, slots=True)
class Paired:
    """Events of one target in one scene, told apart.

    onset_errors: event's start less annotation's onset, seconds, for each event that has a sound within PAIR_SECONDS.
    extra: events beside these that overlap one of the target's sounds (give or take PAIR_SECONDS); alarms: those that do
    not; passed_over: those that would be alarms, but for sounds that hold the target too. `kept`: all but those, in order.
    """

    onset_errors: tuple[float, ...]
    extra: int
    alarms: int
    passed_over: int
    kept: tuple[Span, ...]


def pair(events: Sequence[Span], sounds: Sequence[Span], beside: Sequence[Span] = ()) -> Paired:
    """Pair events with sounds one to one, the nearest first, and say what the others are."""
    nearest = sorted((abs(event.onset - sound.onset), number, other) for number, event in enumerate(events)
                     for other, sound in enumerate(sounds) if abs(event.onset - sound.onset) <= PAIR_SECONDS)
    partner: dict[int, int] = {}
    taken: set[int] = set()
    for _, number, other in nearest:
        if number not in partner and other not in taken:
            partner[number] = other
            taken.add(other)
    extra, alarms, dropped = 0, 0, set()
    for number, event in enumerate(events):
        if number in partner:
            continue
        if any(_meet(event, sound) for sound in sounds):
            extra += 1
        elif any(_meet(event, other) for other in beside):
            dropped.add(number)
        else:
            alarms += 1
    errors = tuple(events[number].onset - sounds[other].onset for number, other in sorted(partner.items()))
    kept = tuple(event for number, event in enumerate(events) if number not in dropped)
    return Paired(errors, extra, alarms, len(dropped), kept)


def _meet(event: Span, sound: Span) -> bool:
    return event.onset <= sound.offset + PAIR_SECONDS and event.offset >= sound.onset - PAIR_SECONDS


def count_right(events: Sequence[Span], sounds: Sequence[Span], *, impulsive: bool) -> int:
    """How many sounds are found, event-based: the size of the largest matching (Kuhn's augmenting paths)."""
    fits = [[number for number, event in enumerate(events) if _fit(event, sound, impulsive)] for sound in sounds]
    owner: dict[int, int] = {}

    def assign(sound: int, tried: set[int]) -> bool:
        for event in fits[sound]:
            if event not in tried:
                tried.add(event)
                if event not in owner or assign(owner[event], tried):
                    owner[event] = sound
                    return True
        return False

    return sum(assign(sound, set()) for sound in range(len(sounds)))


def _fit(event: Span, sound: Span, impulsive: bool) -> bool:
    if impulsive:
        return abs(event.onset - sound.onset) <= IMPULSIVE_COLLAR_SECONDS
    slack = max(LASTING_COLLAR_SECONDS, LASTING_SHARE * (sound.offset - sound.onset))
    return abs(event.onset - sound.onset) <= LASTING_COLLAR_SECONDS and abs(event.offset - sound.offset) <= slack
