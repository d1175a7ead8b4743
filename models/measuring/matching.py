"""Events against annotations: which belongs to which, how far off its start is, what is a false alarm. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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

    onset_errors: event's start less annotation's onset, seconds, for each event that has a sound (`pair`).
    extra: events beside these that overlap one of the target's sounds (give or take PAIR_SECONDS); alarms: those that do
    not; passed_over: those that would be alarms, but for sounds that hold the target too. `kept`: all but those, in order.
    """

    onset_errors: tuple[float, ...]
    extra: int
    alarms: int
    passed_over: int
    kept: tuple[Span, ...]


def pair(events: Sequence[Span], sounds: Sequence[Span], beside: Sequence[Span] = ()) -> Paired:
    """Pair each event with the sound that its start lies nearest to, and say what the others are.

    One to one: of several events nearest to one sound the nearest has it, the others are extra. An event is never put to a
    sound farther off because its own is taken, and so a missed sound stays missed beside a neighbour that was heard twice.
    """
    nearest = sorted((abs(event.onset - sounds[other].onset), number, other) for number, event in enumerate(events)
                     if sounds for other in [_nearest(event, sounds)])
    partner: dict[int, int] = {}
    for distance, number, other in nearest:
        if distance <= PAIR_SECONDS and other not in partner.values():
            partner[number] = other
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


def _nearest(event: Span, sounds: Sequence[Span]) -> int:
    return min(range(len(sounds)), key=lambda other: abs(event.onset - sounds[other].onset))


def _meet(event: Span, sound: Span) -> bool:
    return event.onset <= sound.offset + PAIR_SECONDS and event.offset >= sound.onset - PAIR_SECONDS
