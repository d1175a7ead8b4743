"""The front end: blocks as the card gave them to patches, one call per stage, in signal order.

Integer arithmetic to the frames; float32 from the Hann window on. No clock: time is the blocks' position.
"""

from __future__ import annotations

from collections import deque
from math import inf, isfinite
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edge.errors import SettingsError
from edge.features.framing import Framer, band_patches, sample_patches
from edge.features.level import count_clipped, level_of
from edge.features.logmel import LogMel
from edge.features.look import EARLY
from edge.features.mix import MEAN, mix
from edge.features.resample import Resampler
from edge.stream import (
    BANDS,
    FRAME_SAMPLES,
    FRAME_STEP,
    PATCH_FRAMES,
    PATCH_SAMPLES,
    SAMPLE_RATE,
    SILENCE_DBFS,
    Block,
    Level,
    Patch,
    StreamFormat,
)

_NO_ROWS: NDArray[np.float32] = np.empty((0, BANDS), np.float32)
_NO_SAMPLES: NDArray[np.int16] = np.empty(0, np.int16)
RISE_DB = 2.0
"""Rows are made early after a block whose loudest sample is so much louder than those of the two before it."""
FIRST_LOOK = EARLY * FRAME_STEP + FRAME_STEP
"""Samples (0.14 s) from where the level rises that the first look at its onset needs. Of recorded claps, snaps and knocks
three in four need no more; the others' looks are made of rows that come a little later."""

Wants = Literal["bands", "samples"]
"""What a model takes: log-mel bands (a backbone) or the waveform (a whole model)."""


class FrontEnd:
    """Hears blocks in any rate and channel count; gives a patch every hop, and a row of bands every 10 ms.

    A block that follows lost samples (`gap`), that does not begin where the last one ended, or that comes in another
    format makes every stage forget: no patch spans a gap, and the next patch says `first`. Positions go on.
    """

    level: Level | None
    """Loudness of the newest block at 16 kHz, and what was clipped before; None if it gave no samples."""
    rows: NDArray[np.float32]
    """Log-mel rows float32 `(k, 64)` that the newest push gave; k is often 0."""
    rows_position: int
    """Position of the first sample of the first of `rows`; row i's frame begins 160 * i later."""
    samples: NDArray[np.int16]
    """What the newest push gave at 16 kHz, mono, int16 `(n,)`."""
    samples_position: int
    """Position of the first of `samples`."""
    early: bool
    """Make rows before they complete a patch, where the level rises. How rows are batched never shows in them."""
    wanted: int | None
    """Position up to which rows are wanted as soon as they can be made, such as a look's. Rows that are made clear it."""
    _pressed: bool
    """The newest push made its rows for `wanted` or a rise, not for a patch alone."""
    deaf_samples: int
    """Samples (16 kHz) that were heard and lie in no patch, because a gap broke it; only grows."""
    _risen: int | None
    """As `wanted`, of the first look at an onset that a rise of the level may be."""
    _format: StreamFormat | None
    """Of the last block; None where the next one begins afresh."""
    _origin: int
    """Position of the first sample since the stages last forgot."""
    _heard: int
    """Sample times heard since then, at the format's own rate."""
    _fed: int
    """Position after the last sample that left the resampler."""
    _framed: int
    """Position after the last sample that the framer has; what follows it, up to `_fed`, waits."""
    _next: int
    """Where, at the format's own rate, the next block begins if nothing is lost."""
    _clipped: int
    """Clipped samples whose level is still to be told."""

    def __init__(self, *, wants: Wants, patch_samples: int = PATCH_SAMPLES, hop_seconds: float,
                 channel: int = MEAN) -> None:
        """wants: patches of "bands" (float32 `(96, 64)`) or of "samples" (int16 `(patch_samples,)`).

        patch_samples: length of a patch in 16 kHz samples; bands always cover 15,600. hop_seconds: a multiple of
        0.01, at most the length of a patch (0.96 for bands), so that no sound falls between two. channel: from 0; -1
        is the mean of all.
        Raises SettingsError for a hop or a patch that is none of these.
        """
        if wants not in ("bands", "samples"):
            raise SettingsError("front end", found=f"patches of {wants!r}", wanted="bands or samples")
        if patch_samples < FRAME_STEP or (wants == "bands" and patch_samples != PATCH_SAMPLES):
            raise SettingsError("front end", found=f"patches of {patch_samples} samples",
                                wanted=f"at least {FRAME_STEP}" if wants == "samples" else f"{PATCH_SAMPLES} for bands")
        frames = hop_frames(hop_seconds, wants, patch_samples)
        self._channel = channel
        self._waiting: list[NDArray[np.int16]] = []  # for the framer, not enough for a patch yet
        self._framer = Framer(FRAME_SAMPLES, FRAME_STEP, dtype=np.int16)
        self._log_mel = LogMel()
        self._wants_bands = wants == "bands"
        self._patches = band_patches(frames) if self._wants_bands else sample_patches(patch_samples, frames * FRAME_STEP)
        self.early = self._pressed = False
        self._peaks: deque[float] = deque(maxlen=2)
        self.deaf_samples = 0
        self.level = None
        self.rows, self.rows_position = _NO_ROWS, 0
        self.samples, self.samples_position = _NO_SAMPLES, 0
        self._resampler = Resampler(SAMPLE_RATE)
        self._forget(0)

    @property
    def position(self) -> int:
        """Position after the last sample heard, at 16 kHz; never goes back."""
        return self._origin + self._heard * SAMPLE_RATE // self._format.rate if self._format else self._origin

    @property
    def hurried(self) -> bool:
        """Whether a look may be due by the newest rows: they were not made for a patch alone, or they are wanted now."""
        return self._pressed or (self.wanted is not None and self.wanted <= self._fed)

    @property
    def due_seconds(self) -> float:
        """Seconds of sound until rows are wanted; infinite where none are, but for a patch."""
        due = [each for each in (self.wanted, self._risen) if each is not None]
        return max(min(due) - self._fed, 0) / SAMPLE_RATE if due else inf

    def breaks(self, block: Block) -> bool:
        """Whether a block begins afresh: after lost samples, in another format, or as the first."""
        return block.gap or block.format != self._format or block.position != self._next

    def rest(self) -> None:
        """Make `rows` of all whole frames that wait: nothing may follow them. Hearing may go on all the same."""
        self._no_rows()
        self._frame()

    def push(self, block: Block) -> list[Patch]:
        """Hear one block; the patches that it completes, in order, often none.

        Raises SettingsError for a channel that the format lacks, or a rate outside 4 to 384 kHz.
        """
        if self.breaks(block):
            self._restart(block)
        mixed = mix(block.samples, block.format.channels, self._channel)
        samples = self._resampler.push(mixed)
        counted = block.samples if self._channel == MEAN else mixed
        if samples is not counted:  # else the level counts them: they are what the card gave
            self._clipped += count_clipped(counted)
        self._heard += block.length
        self._next = block.position + block.length
        return self._hear(samples, clipped=None if samples is counted else self._clipped)

    def finish(self) -> list[Patch]:
        """The stream has ended: patches of what is left, padded with silence until every sample lies in one.

        Sound shorter than a patch gives one patch; sound that ends where a patch ends gives none further; no sound,
        none. `level` is the tail's (None if the resampler kept none), `rows` its and the silence's. A block that comes
        later begins afresh, as after a gap.
        """
        patches = self._hear(self._resampler.flush(), clipped=self._clipped)
        end = max(self.position, self._fed)
        level = self.level
        if self._patches.covered < end:
            rows, at = self.rows, self.rows_position
            patches += self._hear(np.zeros(self._patches.next_end - self._fed, np.int16), clipped=0)
            self.rows, self.rows_position = np.concatenate((rows, self.rows)), at
        self.level = level
        self._forget(end)
        return patches

    def _hear(self, samples: NDArray[np.int16], *, clipped: int | None) -> list[Patch]:
        """Everything behind the resampler, for samples int16 `(n,)` at 16 kHz. clipped: how many were; None counts them.

        The level is told at once; samples wait for the rest until they complete a patch, or what `wanted` or a rise asks
        for, because rows cost a third less made by the hop than by the block.
        """
        self.level = None
        self.samples, self.samples_position = samples, self._fed
        if len(samples):
            self.level = level_of(samples, clipped=clipped)
            self._clipped = 0
            self._waiting.append(samples)
            if (over := self._rises(self.level.peak_dbfs)) is not None and self.early and self._risen is None:
                self._risen = self._fed + int(np.argmax((samples > over) | (samples < -over))) + FIRST_LOOK
        self._no_rows()
        self._fed += len(samples)
        self._pressed = any(each <= self._fed for each in (self.wanted, self._risen) if each is not None)
        if self._pressed or self._fed >= self._patches.next_end:
            return self._frame()
        return []

    def _rises(self, peak_dbfs: float) -> float | None:
        """The amplitude that a block with this peak is the first to go over; None where the level does not rise."""
        over_dbfs = max(self._peaks, default=SILENCE_DBFS) + RISE_DB
        self._peaks.append(peak_dbfs)
        return 32_768.0 * 10.0 ** (over_dbfs / 20.0) if peak_dbfs > over_dbfs else None

    def _no_rows(self) -> None:
        self.rows, self.rows_position = _NO_ROWS, self._framed - self._framer.held

    def _frame(self) -> list[Patch]:
        """Make `rows` of the samples that wait; the patches that are complete with them."""
        samples = np.concatenate((_NO_SAMPLES, *self._waiting))
        self._waiting.clear()
        self.wanted = None
        if self._risen is not None and self._risen <= self._fed:
            self._risen = None
        self._framed = self._fed
        self.rows = np.concatenate((_NO_ROWS, *(self._log_mel.rows(frames) for frames in self._framer.push(samples))))
        return self._patches.push(self.rows if self._wants_bands else samples)

    def _restart(self, block: Block) -> None:
        """Begin afresh at `block`: count what no patch will cover, forget it, and find the block's position."""
        if block.format != self._format:
            self._resampler = Resampler(block.format.rate)
        self.deaf_samples += self.position - self._patches.covered
        begin = block.position * SAMPLE_RATE // block.format.rate
        self._forget(max(begin, self.position))
        self._format = block.format

    def _forget(self, position: int) -> None:
        """Empty every stage; the next sample is at `position`."""
        self._resampler.reset()
        self._framer.reset()
        self._patches.restart(position)
        self._format = self.wanted = self._risen = None
        self._waiting.clear()
        self._origin = self._fed = self._framed = position
        self._heard = self._next = self._clipped = 0


def hop_frames(hop_seconds: float, wants: Wants, patch_samples: int) -> int:
    """Frames of 10 ms in a hop. Raises SettingsError unless they are whole, at least 1 and at most a patch."""
    longest = PATCH_FRAMES if wants == "bands" else patch_samples // FRAME_STEP
    frames = round(hop_seconds * SAMPLE_RATE / FRAME_STEP) if isfinite(hop_seconds) else 0
    whole = abs(frames * FRAME_STEP - hop_seconds * SAMPLE_RATE) < 0.01
    if whole and 1 <= frames <= longest:
        return frames
    raise SettingsError("[model] hop_seconds", found=f"{hop_seconds}",
                        wanted=f"a multiple of 0.01 from 0.01 to {longest / 100}, the length of a patch")
