"""The sound as messages: samples as they were heard, for the appliance's own user and root, who alone may ask. Pure."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from edge.sinks.watching.messages import Message, broken, message
from edge.stream import SAMPLE_RATE, Sound

MOST_SAMPLES = 1_600
"""Samples of one message: 0.1 s, 4.4 kB."""


def sound_messages(sound: Sound, at: str | None) -> Iterator[Message]:
    """Messages of at most MOST_SAMPLES. pcm: base64 of int16, little-endian. gap: of the first message alone."""
    for first in range(0, len(sound.samples), MOST_SAMPLES):
        samples = sound.samples[first:first + MOST_SAMPLES]
        yield message("sound", at, position=int(sound.position) + first, samples=len(samples), rate=SAMPLE_RATE,
                      gap=bool(sound.gap) and first == 0, pcm=b64encode(samples.astype("<i2").tobytes()).decode("ascii"))


def sound_from(told: Message) -> Sound:
    """The sound of a message, not to be written to. Raises SinkError for what is none, or has another rate."""
    try:
        samples: NDArray[np.int16] = np.frombuffer(b64decode(told["pcm"], validate=True), "<i2").astype(np.int16, copy=False)
        if (len(samples), SAMPLE_RATE) != (told["samples"], told["rate"]):
            raise ValueError(f"{len(samples)} samples")
        return Sound(samples, int(told["position"]), bool(told["gap"]))
    except (KeyError, TypeError, ValueError) as error:
        raise broken("sound", error) from error
