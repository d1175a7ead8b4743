"""The rhythms of smoke and CO alarms, and how well pulses of a tone fit them. Pure.

A cycle is a group of pulses and the long pause after it. Devices differ in their times, but a device keeps its own. So a
fit asks that pulses and pauses lie within TOLERANCE of the standard's, and that they are alike among themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from edge.decision.tones import LONG, SHORT, Pulse
from edge.stream import SAMPLE_RATE

TOLERANCE = 0.25
"""Pulses and pauses may be off the standard's by this share. ISO 8201 allows 10 %; cheap horns take more."""
IN_STEP = 0.12
"""The pulses of a group begin so evenly, as a share of the step between two."""
LEAST_STEP = 480
"""Samples (30 ms): a start is not known better, whatever the step."""
UNLIKE = 1.7
"""The longest pulse of a fit is at most so many times the shortest: speech over the alarm eats from some."""
LONGER_PAUSE = 1.3
"""The pause between groups is longer than that between pulses, from start to start: else pulses go on evenly."""
RELEASE_CYCLES = 2.0
"""An alarm is over where no two pulses in step came for so many cycles. A single cycle that is masked, with the pause on
either side of it, is shorter.
"""
ONE_CYCLE = 0.45
"""What one perfect cycle is worth. The second cycle decides: only two can reach 0.5."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Times in samples (16 kHz). tail: how much longer a reverberant room may make a pulse, and the shortest pause that
    parts two pulses is `parts`. channels: those of the tones that count.
    """

    name: str
    pulses: int
    pulse: int
    gap: int
    pause: int
    tail: int
    parts: int
    channels: range

    @property
    def cycle(self) -> int:
        """From the first pulse of a group to the first of the next."""
        return self.pulses * (self.pulse + self.gap) - self.gap + self.pause

    @property
    def release(self) -> int:
        """How long no two pulses in step come before an alarm is over."""
        return round(RELEASE_CYCLES * self.cycle)


def _seconds(value: float) -> int:
    return round(value * SAMPLE_RATE)


T3 = Rhythm("T3", 3, _seconds(0.5), _seconds(0.5), _seconds(1.5), _seconds(0.3), _seconds(0.08), LONG)
"""The temporal-three pattern of ISO 8201:2017 and NFPA 72: evacuate. Smoke alarms have it."""
T4 = Rhythm("T4", 4, _seconds(0.1), _seconds(0.1), _seconds(5.0), _seconds(0.1), _seconds(0.015), SHORT)
"""The temporal-four pattern of UL 2034 and NFPA 720: carbon monoxide."""
RHYTHMS = {"smoke_alarm": T3, "co_alarm": T4}
"""By the name of the target that hears the rhythm, whatever the model."""
LONGEST = 2 * round((1 + TOLERANCE) * max(T3.cycle, T4.cycle))
"""Samples: pulses that began longer ago belong to no two cycles that end now."""

Span = tuple[int, int]
"""Start and end of a pulse, in positions."""


@dataclass(frozen=True, slots=True)
class Fit:
    """One or two cycles that end with the newest pulse. probability: the share of their pulses that is sounded, times
    the share of their pauses that is silent; of one cycle ONE_CYCLE of that. step: from pulse to pulse of a group.
    """

    probability: float
    start: int
    end: int
    step: float


def fit(pulses: Sequence[Pulse], rhythm: Rhythm) -> Fit | None:
    """The best fit that ends with the newest of one channel's pulses, which are in order; None where there is none."""
    shortest, longest = rhythm.pulse * (1 - TOLERANCE) * 0.9, rhythm.pulse * (1 + TOLERANCE) + rhythm.tail
    newest = pulses[-1].end - pulses[-1].start
    alone = len(pulses) == 1 or pulses[-1].start - pulses[-2].end >= rhythm.parts
    if newest > longest or (alone and newest < shortest):
        return None
    spans = _joined(pulses, rhythm.parts)
    own = [span for span in spans if shortest <= span[1] - span[0] <= longest]
    if not own or own[-1] != spans[-1]:
        return None
    best: Fit | None = None
    for group in _groups(own, rhythm):
        for fitted, worth in ((group, ONE_CYCLE), *((two, 1.0) for two in _with_group_before(own, group, rhythm))):
            probability = worth * _agreement(spans, fitted)
            if best is None or probability > best.probability:
                best = Fit(probability, fitted[0][0], fitted[-1][1], _step(group))
    return best


def in_step(pulses: Sequence[Pulse], step: float) -> bool:
    """Whether the newest pulse of a channel began one step after another one of it."""
    return any(abs(pulses[-1].start - pulse.start - step) <= _slack(step) for pulse in pulses[:-1])


def _joined(pulses: Sequence[Pulse], parts: int) -> list[Span]:
    """Pulses in one where less than `parts` samples lie between them: speech masks a tone for a moment."""
    spans: list[Span] = []
    for pulse in pulses:
        if spans and pulse.start - spans[-1][1] < parts:
            spans[-1] = (spans[-1][0], pulse.end)
        else:
            spans.append((pulse.start, pulse.end))
    return spans


def _groups(own: Sequence[Span], rhythm: Rhythm) -> Iterator[list[Span]]:
    """Groups that end with the newest pulse."""
    step = rhythm.pulse + rhythm.gap
    for span in own[:-1]:
        distance = own[-1][0] - span[0]
        if (1 - TOLERANCE) * step <= distance <= (1 + TOLERANCE) * step:
            group = _group(own, own[-1], distance, rhythm.pulses)
            if group is not None:
                yield group


def _with_group_before(own: Sequence[Span], group: list[Span], rhythm: Rhythm) -> Iterator[list[Span]]:
    """Two groups: one that lies a long pause before `group`, with its step, and `group`. In the pause, and before it, no
    other pulses follow in step."""
    step, pause = _step(group), rhythm.pulse + rhythm.pause
    for last in own:
        distance = group[0][0] - last[0]
        if not max((1 - TOLERANCE) * pause, LONGER_PAUSE * step) <= distance <= (1 + TOLERANCE) * pause:
            continue
        before = _group(own, last, step, rhythm.pulses)
        between = [span for span in own if last[0] < span[0] < group[0][0]]
        if before is None or any(_nearest(own, span[0] - step, step) is not None for span in between):
            continue
        lengths = [end - start for start, end in (*before, *group)]
        if max(lengths) <= UNLIKE * min(lengths) + LEAST_STEP:
            yield [*before, *group]


def _group(own: Sequence[Span], last: Span, step: float, count: int) -> list[Span] | None:
    """`count` pulses up to `last`, one step apart each, and none a step before them."""
    group = [last]
    while len(group) < count:
        before = _nearest(own, group[0][0] - step, step)
        if before is None:
            return None
        group.insert(0, before)
    return None if _nearest(own, group[0][0] - step, step) is not None else group


def _nearest(own: Sequence[Span], start: float, step: float) -> Span | None:
    nearest = min(own, key=lambda span: abs(span[0] - start))
    return nearest if abs(nearest[0] - start) <= _slack(step) else None


def _slack(step: float) -> float:
    return max(IN_STEP * step, LEAST_STEP)


def _step(group: Sequence[Span]) -> float:
    return (group[-1][0] - group[0][0]) / (len(group) - 1)


def _agreement(spans: Sequence[Span], fitted: Sequence[Span]) -> float:
    """Share of the fitted pulses (all as long as their median) that has a tone, times the share of pauses without."""
    lengths = sorted(end - start for start, end in fitted)
    length = (lengths[(len(lengths) - 1) // 2] + lengths[len(lengths) // 2]) / 2
    begin, end = fitted[0][0], max(fitted[-1][1], fitted[-1][0] + length)
    sounded = sum(_shared(span, (start, start + length)) for span in spans for start, _ in fitted)
    tone = sum(_shared(span, (begin, end)) for span in spans)
    silent = end - begin - length * len(fitted)
    return min(sounded / (length * len(fitted)), 1.0) * max(1.0 - (tone - sounded) / silent, 0.0)


def _shared(one: tuple[float, float], other: tuple[float, float]) -> float:
    return max(min(one[1], other[1]) - max(one[0], other[0]), 0.0)
