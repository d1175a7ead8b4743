"""The source as `edge-audio check` looks at it: opened and heard for a moment."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from edge.cli.checkup.finding import Finding
from edge.errors import EdgeError
from edge.features.level import count_clipped, level_of
from edge.features.mix import mix
from edge.seams import Source
from edge.settings import Settings
from edge.sources.condition import CLIPPED_SHARE, OFF_ZERO
from edge.sources.delivered import lacks
from edge.sources.open import open_source
from edge.stats import Stats

LISTEN_SECONDS = 1.5
"""How long `check` listens."""
PATIENCE_SECONDS = 8.0
"""How long it waits for a microphone or a command to give a first block."""
MISSING_SECONDS = 1.5
"""How long it waits once the source says that there is none: by then it was looked for twice."""


def check_source(settings: Settings) -> Finding:
    """Hear the settings' source for a moment; nothing is kept."""
    advice = {"microphone": "edge-audio devices lists the microphones; without PortAudio use [source] kind = \"command\" "
                            "with arecord", "file": "[source] path", "command": "run it by hand; give its full path"}
    kind = settings.source.kind
    try:
        source = open_source(settings.source, Stats())
        return _listen(source, settings.source.channel, kind, advice[kind])
    except EdgeError as error:
        return Finding(kind, False, str(error), advice[kind])


def _listen(source: Source, channel: int, kind: str, advice: str) -> Finding:
    """Hear for a moment; say how loud it was, and what is wrong with its samples."""
    heard: list[NDArray[np.int16]] = []
    seconds, form, lacking = 0.0, "", ""
    deadline = time.monotonic() + PATIENCE_SECONDS
    try:
        for block in source.blocks():
            if block is not None:
                heard.append(mix(block.samples, block.format.channels, channel))
                seconds += block.length / block.format.rate
                form, lacking = str(block.format), lacks(block.format)
            elif source.trouble == "missing":
                deadline = min(deadline, time.monotonic() + MISSING_SECONDS)
            if seconds >= LISTEN_SECONDS or time.monotonic() > deadline:
                break
    finally:
        source.close()
    if not seconds:
        missing = source.trouble == "missing"
        return Finding(kind, False, source.state if missing else f"no sound within {PATIENCE_SECONDS:g} s: {source.state}",
                       advice)
    samples = np.concatenate(heard)
    if wrong := _wrong_with(samples):
        return Finding(kind, False, f"{form}: {wrong[0]}", wrong[1])
    levels = [level_of(block) for block in heard if len(block)]
    text = (f"{form}: heard {seconds:.1f} s, loudest block {max(level.rms_dbfs for level in levels):.0f} dBFS, quietest "
            f"{min(level.rms_dbfs for level in levels):.0f}")
    if lacking:
        faster = {"microphone": "[source] rate; edge-audio devices lists what a card offers",
                  "file": "a recording made at such a rate: one that is only converted lacks the same",
                  "command": "have it print 16000 Hz or more, and name that in [source] rate"}
        return Finding(kind, False, f"{text}; {lacking}", faster[kind])
    return Finding(kind, True, text)


def _wrong_with(samples: NDArray[np.int16]) -> tuple[str, str] | None:
    """What is wrong with what was heard, int16 (n,), and what to do; None for all that may be a room."""
    low, high = int(samples.min()), int(samples.max())
    if low == high == 0:
        return "nothing but zeros", "unmute it (alsamixer, F4), or choose another"
    if low == high:
        return f"stuck: every sample is {low}", "plug it in again, or choose another"
    if count_clipped(samples) >= CLIPPED_SHARE * len(samples):
        return f"clips: {100 * count_clipped(samples) / len(samples):.0f} % of the samples are at the end of the range", (
            "turn the capture level down (alsamixer, F4)")
    if abs(mean := float(samples.mean())) >= OFF_ZERO:
        return f"off zero by {100 * abs(mean) / 32_768:.0f} % of its range", "another cable, input or overlay (I2S)"
    return None
