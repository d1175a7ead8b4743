"""What travels: blocks of samples in, patches, scores and events out.

Everything here is read-only after creation and may be kept by whoever receives it.
Time inside is a position; `edge.clock.StreamClock` makes UTC of positions, once, on the way out.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:  # names of types only: who passes words on, such as the page, need not load NumPy
    import numpy as np
    from numpy.typing import NDArray

SAMPLE_RATE = 16_000
"""Hz of every sample after the resampler, and the unit of every position behind it."""

FRAME_SAMPLES = 400
"""Samples of a frame: 25 ms."""
FRAME_STEP = 160
"""Samples from one frame to the next: 10 ms."""
BANDS = 64
"""Log-mel values per frame."""
PATCH_FRAMES = 96
"""Frames of a patch."""
PATCH_SAMPLES = (PATCH_FRAMES - 1) * FRAME_STEP + FRAME_SAMPLES
"""Samples that a patch of bands covers: 15,600, 0.975 s."""

LOWEST_RATE, HIGHEST_RATE = 4_000, 384_000
"""Hz that a source may have: 4 kHz still holds a clap's body, 384 kHz is the fastest card that is sold."""

SILENCE_DBFS = -120.0
"""Stands for minus infinity; a single step of a 16-bit sample is at -90."""

Phase = Literal["start", "end"]


@dataclass(frozen=True, slots=True)
class StreamFormat:
    """How a source delivers sound: `rate` in Hz (per channel), `channels` interleaved."""

    rate: int
    channels: int

    def __str__(self) -> str:
        return f"{self.rate} Hz, {self.channels} channel{'s' if self.channels != 1 else ''}"


@dataclass(frozen=True, slots=True)
class Block:
    """What a source hands over at once, exactly as the card gave it.

    samples: int16 `(n * channels,)`, interleaved; never written to again.
    position: int, sample times (per channel, at `format.rate`) since the stream opened; never goes back.
    gap: samples were lost just before this block.
    """

    samples: NDArray[np.int16]
    position: int
    format: StreamFormat
    gap: bool = False

    @property
    def length(self) -> int:
        """Sample times in this block (per channel)."""
        return len(self.samples) // self.format.channels

    @property
    def length_16khz(self) -> int:
        """How many samples at 16 kHz this block lasts, rounded down."""
        return self.length * SAMPLE_RATE // self.format.rate


@dataclass(frozen=True, slots=True)
class Patch:
    """One model input.

    data: float32 `(96, 64)` log-mel bands, or int16 `(n,)` samples for a model that takes the waveform.
    position: position (16 kHz) of the patch's first sample.
    first: no patch came before it since the start or a gap, so all of its sound is new.
    """

    data: NDArray[np.float32] | NDArray[np.int16]
    position: int
    first: bool = False


class Level(NamedTuple):  # ten a second: a frozen dataclass takes four times as long
    """Loudness of a stretch of samples in dBFS (0 is a full-scale square wave; silence is -inf held at -120)."""

    rms_dbfs: float
    peak_dbfs: float
    clipped: int
    """Samples at either end of the int16 range."""


@dataclass(frozen=True, slots=True)
class Scores:
    """What the model says of one patch, or the look network of one look.

    values: float32 `(labels,)`, 0 to 1, in the order of the model's labels.
    logits: float32 `(labels,)`, or None for a whole model that gives only scores.
    embedding: float32 `(E,)`, or None for a whole model.
    network: digest of the look network where a look gave all this, at the onset's `position`; "" for a patch.
    bare: of an event's look, the highest logit of the event's target with it, alone or beside a patch, before a
    correction and a calibration.
    """

    position: int
    values: NDArray[np.float32]
    logits: NDArray[np.float32] | None = None
    embedding: NDArray[np.float32] | None = None
    first: bool = False
    network: str = ""
    bare: float | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """"This target, from here to there, this sure." One per sound; sent at its start and, if it lasts, at its end.

    start, end: positions (16 kHz); `end` is None in phase "start".
    probability, score: the highest so far, 0 to 1; level_dbfs: RMS around the start.
    sequence: counts what this device sends, from 1, without holes, across restarts.
    heard_at: monotonic seconds of its start, None where unknown. clock_synchronised: whether UTC was known to be right.
    peak: what the model said of the patch in which it was surest, for the journal; None where no patch made it (a
    loudness target, a pattern). beside: of two others at most, the first and the last that came near the threshold.
    """

    id: str
    sequence: int
    phase: Phase
    target: str
    label: str
    probability: float
    score: float
    start: int
    end: int | None
    started_at: datetime
    ended_at: datetime | None
    level_dbfs: float
    peak: Scores | None = field(default=None, compare=False, repr=False)
    beside: tuple[Scores, ...] = field(default=(), compare=False, repr=False)
    heard_at: float | None = None
    clock_synchronised: bool = True

    @property
    def duration_seconds(self) -> float | None:
        """Seconds from start to end, or None while it lasts."""
        return None if self.end is None else (self.end - self.start) / SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class TargetHearing:
    """How one target stands after a patch: probability and threshold 0 to 1; None while the gate is closed.

    running: an event of it goes on. refused: why what was heard is no event ("under the threshold", "an echo", ...);
    empty where there is nothing to refuse.
    """

    target: str
    label: str
    probability: float | None
    threshold: float
    running: bool = False
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Hearing:
    """What is heard now, once a hop: for `watch`. Levels in dBFS.

    noise_dbfs: the tracked noise floor. top: labels in use with their scores, highest first; empty while the gate is
    closed.
    """

    position: int
    level_dbfs: float
    noise_dbfs: float
    gate_open: bool
    top: tuple[tuple[str, float], ...]
    targets: tuple[TargetHearing, ...]


@dataclass(frozen=True, slots=True)
class Bands:
    """New log-mel rows, for a watcher that wants them; each row once, those after a gap at a position that leaps.

    rows: float32 `(k, 64)`, k > 0. position: of the first sample of the first row's frame; row i's begins 160 * i later.
    begins_at: the date of `position`.
    """

    rows: NDArray[np.float32]
    position: int
    begins_at: datetime


@dataclass(frozen=True, slots=True)
class Sound:
    """New samples, mono, 16 kHz, for a watcher that wants them.

    samples: int16 `(n,)`, n > 0. position: of the first. gap: they do not follow on the samples before: some were lost, or
    nothing was heard meanwhile.
    """

    samples: NDArray[np.int16]
    position: int
    gap: bool = False


def new_event_id(unix_seconds: float) -> str:
    """A UUID version 7 (RFC 9562, section 5.7): 48 bits of milliseconds, then random bits."""
    milliseconds = int(unix_seconds * 1000) & (1 << 48) - 1
    bits = milliseconds << 80 | int.from_bytes(os.urandom(10), "big")
    bits = bits & ~(0xF << 76) | 0x7 << 76
    bits = bits & ~(0x3 << 62) | 0x2 << 62
    text = f"{bits:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def short_id(event_id: str) -> str:
    """An event's id for people: its last 12 characters, as the ids of one minute begin alike."""
    return event_id[-12:]
