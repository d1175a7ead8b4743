"""The onsets of recordings of one sound, as the look network sees them: embeddings of both looks, no sound.

Each recording is heard as it is, and over noise: many are cut so close that nothing tells of the room. Other rooms and
microphones are left out, for which the network was trained: they made the sound less like itself (models/README.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from edge.decision.onset import CENTRE, Onset, OnsetDetector
from edge.features.logmel import LOG_OFFSET, LogMel
from edge.features.look import AFTER, ATTACK, EARLY, HISTORY, look
from edge.learn.augment import Samples, with_noise
from edge.learn.examples import LESSER_DB, Found, find_sounds
from edge.learn.lesson import ALTERED, HEARD
from edge.learn.regression import Floats
from edge.learn.teach import SEED, Recording
from edge.model.manifest import TensorSpec
from edge.stream import BANDS, FRAME_SAMPLES, FRAME_STEP, Scores

STAGES = EARLY, AFTER
"""Rows from the onset's on that the first look and the second have."""
NOISES_DB = (30.0, 20.0, 10.0)
"""How far under a recording's loudest 20 ms noise lies that is laid over it."""
STEEPEST = 0.9
"""Of that noise's fall (`with_noise`), at most."""
LOUDEST = 320
REACH = 800
"""Samples (50 ms) before a sound's start in which its onset may lie."""
LEAST_LEAD = 5
"""Rows before the attack from which the room's floor is known."""
PADDING = 9_600
"""Samples of silence before and after a recording: looks reach over its ends."""


class Network(Protocol):
    """The look network, as far as examples need it."""

    def see(self, cells: NDArray[np.float32], position: int) -> Scores:
        """What a look says; its embedding is float32 `(E,)`."""


@dataclass(frozen=True, slots=True)
class Onsets:
    """The onsets of `clips` recordings: cells int8 `(m, 2, E)`, of both looks; clip, kind uint8 `(m,)`: which recording;
    HEARD or ALTERED. rise_db: float32 `(m,)`, how far each onset rises; None where that is not known."""

    cells: NDArray[np.int8]
    clip: NDArray[np.uint8]
    kind: NDArray[np.uint8]
    clips: int
    rise_db: Floats | None = None


class LookEmbedder:
    """Recordings in, cells out."""

    def __init__(self, network: Network, spec: TensorSpec) -> None:
        """spec: of the network's embedding, int8."""
        self._network, self.spec = network, spec
        self._log_mel = LogMel()

    def gather(self, recordings: Sequence[Recording]) -> Onsets:
        """Both looks at the sounds of each recording, as it is and over noise."""
        cells, rises, clip, kind = [], list[float](), list[int](), list[int]()
        for number, recording in enumerate(recordings):
            for turn, samples in enumerate(_views(recording.samples, np.random.default_rng([SEED, number]))):
                seen, rise = self.sounds(samples)
                cells.append(seen)
                rises += rise
                clip += [number] * len(cells[-1])
                kind += [ALTERED if turn else HEARD] * len(cells[-1])
        return Onsets(np.concatenate(cells), np.array(clip, np.uint8), np.array(kind, np.uint8), len(recordings),
                      np.array(rises, np.float32))

    def sounds(self, samples: Samples) -> tuple[NDArray[np.int8], list[float]]:
        """Cells int8 `(sounds, 2, E)`, of both looks at the first onset of each of the sounds in int16 `(n,)`; and how far
        each of these onsets rises, in dB."""
        silence = np.zeros(PADDING, np.int16)
        padded = np.concatenate((silence, samples, silence))
        rows = self._log_mel.rows(sliding_window_view(padded, FRAME_SAMPLES)[::FRAME_STEP])
        first = PADDING // FRAME_STEP + 1
        own = _own(OnsetDetector().push(rows, 0), find_sounds(samples))
        out = [[self._seen(rows, first, onset, heard) for heard in STAGES] for onset in own]
        return np.array(out, np.int8).reshape(-1, len(STAGES), self.spec.size), [onset.flux_db for onset in own]

    def embeddings(self, cells: NDArray[np.int8]) -> Floats:
        """float32 `(..., E)` of int8 cells."""
        return self.spec.to_real(cells)

    def _seen(self, rows: Floats, first: int, onset: Onset, heard: int) -> NDArray[np.int8]:
        """One look. first: the recording's first row."""
        row = (onset.position - CENTRE) // FRAME_STEP
        before = rows[min(first, row): row]
        lead = before[:-ATTACK]
        if len(lead) >= LEAST_LEAD:  # the room goes on before the recording as it is in it
            fill = lead[np.arange(-HISTORY, 0) % len(lead)]
        else:
            fill = np.full((HISTORY, BANDS), np.log(LOG_OFFSET), np.float32)
        history = np.concatenate((fill, before))[-HISTORY:]
        shown = look(np.concatenate((history, rows[row: row + heard])), HISTORY, heard)
        embedding = self._network.see(shown, onset.position).embedding
        assert embedding is not None  # the look network has one
        return np.asarray(self.spec.to_cells(embedding), np.int8)


def _views(samples: Samples, generator: np.random.Generator) -> list[Samples]:
    """The recording as it is, and over noises that begin before it."""
    silence = np.zeros(PADDING, np.int16)
    padded = np.concatenate((silence, samples, silence))
    power = np.convolve((padded / 32_768.0) ** 2, np.full(LOUDEST, 1.0 / LOUDEST), "valid").max()
    loudest = 10.0 * float(np.log10(max(power, 1e-12)))
    return [samples, *(with_noise(padded, generator, dbfs=loudest - under, slope=float(generator.uniform(0.0, STEEPEST)))
                       for under in NOISES_DB)]


def _own(found: Sequence[Onset], sounds: Found | None) -> list[Onset]:
    """The first onset of each sound: no echo, and not much weaker than the strongest of the recording.

    Later ones of a sound (keys that jingle) are less like each other, and spoilt the row.
    """
    found = [onset for onset in found if not onset.echo]
    strongest = max((onset.level_db for onset in found), default=0.0)
    found = [onset for onset in found if onset.level_db >= strongest - LESSER_DB]
    spans = [(start + PADDING - REACH, stop + PADDING) for start, stop in sounds.sounds] if sounds is not None else []
    first = [next((onset for onset in found if start <= onset.position < stop), None) for start, stop in spans]
    return [onset for onset in first if onset is not None] or found[:1]
