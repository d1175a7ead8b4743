"""A look: the rows around one onset, above the room's floor, as the small network of `models/impulse` takes them. Pure.

Neither the sound's level nor the room's steady noise shows in a look. One channel holds each band above its own floor.
The other holds each band below the loudest cell of the look.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.features.logmel import LOG_OFFSET
from edge.stream import BANDS

LOOK_VERSION = 1
"""Goes up when looks come out so that the network, or what was taught with it, no longer fits them. What was taught with
first looks of 14 rows fits those of EARLY rows."""
BEFORE, AFTER = 8, 40
"""Rows before the onset's, and rows from the onset's on (0.4 s)."""
EARLY = 13
"""Rows from the onset's on that the first look waits for (0.13 s)."""
SHOWN = 14
"""Rows from the onset's on that a look shows at least. The newest row stands for those that are not heard yet: the network
was trained on first looks of so many rows, and takes a shorter one for another sound (models/impulse/MODEL_CARD.md)."""
LOOK_ROWS = BEFORE + AFTER
FLOOR_ROWS = 55
"""The floor of a band is its median over so many rows (0.55 s) before the attack."""
ATTACK = 3
"""Rows just before the onset's that the attack may have reached: they are no part of the floor."""
HISTORY = ATTACK + FLOOR_ROWS
"""Rows before the onset's that a look needs. Where they are not known, silence is taken to lie there."""
LOWEST, HIGHEST = -1.0, 9.0
"""Range of a cell, in nepers (8.69 dB). Cells outside are clipped; an unheard cell is LOWEST in both channels."""

_SILENCE = np.full((1, BANDS), np.log(LOG_OFFSET), np.float32)


def floor_before(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each band's floor, float32 `(64,)`, of the HISTORY rows before an onset's: their median without the attack."""
    median: NDArray[np.float32] = np.sort(rows[:FLOOR_ROWS], axis=0)[FLOOR_ROWS // 2]
    return median


def look(rows: NDArray[np.float32], onset: int, heard: int = AFTER) -> NDArray[np.float32]:
    """float32 `(48, 64, 2)` around row `onset` of log-mel rows float32 `(n, 64)`.

    heard: rows from the onset's on that are shown, at most `n - onset`. The newest of fewer than SHOWN is shown again, up to
    SHOWN; later cells are LOWEST.
    Channel 0: row less floor. Channel 1: HIGHEST plus row less the loudest cell of the rows that are shown.
    Raises ValueError for an onset outside the rows, and for more rows than there are.
    """
    if not (0 <= onset < len(rows) and 0 < heard <= min(AFTER, len(rows) - onset)):
        raise ValueError(f"look: found onset {onset} and {heard} rows from it on, of {len(rows)} rows")
    missing = max(HISTORY - onset, 0)
    history = rows[onset - HISTORY + missing: onset + heard]
    if missing:
        history = np.concatenate((np.repeat(_SILENCE, missing, axis=0), history))
    shown = history[HISTORY - BEFORE:]
    if heard < SHOWN:
        shown = np.concatenate((shown, np.repeat(shown[-1:], SHOWN - heard, axis=0)))
    cells = np.full((LOOK_ROWS, BANDS, 2), LOWEST, np.float32)
    cells[: len(shown), :, 0] = shown - floor_before(history)
    cells[: len(shown), :, 1] = shown - (shown.max() - np.float32(HIGHEST))
    return np.clip(cells, LOWEST, HIGHEST, out=cells)
