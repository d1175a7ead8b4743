"""The source as `edge-audio check` looks at it: opened and heard for a moment."""

from __future__ import annotations

import time

from edge.cli.checkup.finding import Finding
from edge.errors import EdgeError
from edge.features.level import level_of
from edge.features.mix import mix
from edge.seams import Source
from edge.settings import Settings
from edge.sources.delivered import lacks
from edge.sources.open import open_source
from edge.stats import Stats
from edge.stream import SILENCE_DBFS

LISTEN_SECONDS = 1.5
"""How long `check` listens."""

PATIENCE_SECONDS = 8.0
"""How long it waits for a microphone or a command to give a first block."""


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
    """Hear for a moment; say how loud it was."""
    loudest, seconds, form, lacking = SILENCE_DBFS, 0.0, "", ""
    deadline = time.monotonic() + PATIENCE_SECONDS
    try:
        for block in source.blocks():
            if block is not None:
                heard = mix(block.samples, block.format.channels, channel)
                loudest = max(loudest, level_of(heard).rms_dbfs)
                seconds += block.length / block.format.rate
                form, lacking = str(block.format), lacks(block.format)
            if seconds >= LISTEN_SECONDS or time.monotonic() > deadline:
                break
    finally:
        source.close()
    if not seconds:
        return Finding(kind, False, f"no sound within {PATIENCE_SECONDS:g} s: {source.state}", advice)
    if loudest <= -119.0:
        return Finding(kind, False, f"{form}: nothing but zeros", "unmute it (alsamixer), or choose another")
    text = f"{form}: heard {seconds:.1f} s, loudest block {loudest:.0f} dBFS"
    if lacking:
        faster = {"microphone": "[source] rate; edge-audio devices lists what a card offers",
                  "file": "a recording made at such a rate: one that is only converted lacks the same",
                  "command": "have it print 16000 Hz or more, and name that in [source] rate"}
        return Finding(kind, False, f"{text}; {lacking}", faster[kind])
    return Finding(kind, True, text)
