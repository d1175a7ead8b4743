"""Which event belongs to which annotated sound, how far its start is off, and what is a false alarm. Pure."""

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

    onset_errors: for each event that is paired with a sound, the event's start less the sound's onset, in
    seconds. extra: events that are not paired but overlap one of the target's sounds, within PAIR_SECONDS.
    passed_over: other events that overlap a sound which may hold the target. alarms: all the rest. kept: the
    events without those passed over, in order.
    """

    onset_errors: tuple[float, ...]
    extra: int
    alarms: int
    passed_over: int
    kept: tuple[Span, ...]


def pair(events: Sequence[Span], sounds: Sequence[Span], beside: Sequence[Span] = ()) -> Paired:
    """Pair each event with the sound whose onset is nearest to its start, and say what the other events are.

    A sound is paired once: of several events that are nearest to it, the nearest one. The others are extra:
    an event is never paired with a sound farther off because the nearest one is taken. So a missed sound
    stays missed where its neighbour made two events.
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
